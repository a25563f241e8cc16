//! An OpenID provider and a mytoken server in this process, on loopback: for the demo, for trials and for tests.

pub mod mytoken;
pub mod op;
pub mod serve;
pub mod visitor;
pub mod whole;
