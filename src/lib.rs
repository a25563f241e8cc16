//! toktui: a full-screen terminal board for OpenID Connect tokens and mytokens.

pub mod app;
pub mod domain;
pub mod http;
pub mod mytoken;
pub mod sandbox;
