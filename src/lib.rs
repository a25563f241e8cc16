//! toktui: a full-screen terminal board for OpenID Connect tokens and mytokens.

pub mod desktop;
pub mod domain;
pub mod sandbox;
