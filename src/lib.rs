//! toktui: a full-screen terminal board for OpenID Connect tokens and mytokens.

pub mod config;
pub mod domain;
pub mod http;
pub mod sandbox;
