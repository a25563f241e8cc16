//! toktui: a full-screen terminal board for OpenID Connect tokens and mytokens.

pub mod app;
pub mod cli;
pub mod config;
pub mod desktop;
pub mod domain;
pub mod http;
pub mod mytoken;
pub mod oidc;
pub mod runtime;
pub mod sandbox;
pub mod store;
pub mod ui;
pub mod wallet;
