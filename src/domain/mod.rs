//! What a provider, a credential, a mytoken, a verdict and a moment *are*. Names no other room.

pub mod credential;
pub mod draft;
pub mod elsewhere;
pub mod event;
pub mod failure;
pub mod family;
pub mod form;
pub mod handed;
pub mod introspected;
pub mod jwt;
pub mod limit;
pub mod login;
pub mod mytoken;
pub mod offer;
pub mod outlast;
pub mod secret;
pub mod signature;
pub mod snippet;
pub mod source;
pub mod span;
pub mod specimen;
pub mod tighter;
pub mod time;
pub mod untrusted;
pub mod vault;
pub mod verdict;
