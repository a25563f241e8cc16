//! toktui: a full-screen terminal board for OpenID Connect tokens and mytokens.

pub mod domain;
pub mod http;
pub mod oidc;
pub mod sandbox;
