//! Answers that say no, in the words of the real server (§2.1.6).

use serde_json::{Value, json};

use crate::sandbox::serve::Response;

/// An error answer: status, `error`, and `error_description` when there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) error: String,
    pub(crate) description: Option<String>,
}

impl Refusal {
    pub(crate) fn new(status: u16, error: &str, description: impl Into<String>) -> Self {
        Self { status, error: error.to_owned(), description: Some(description.into()) }
    }

    /// 400: the request cannot be read, or a member has a value that cannot be.
    pub(crate) fn invalid_request(description: impl Into<String>) -> Self {
        Self::new(400, "invalid_request", description)
    }

    /// 400: no grant type, or one that is not served here.
    pub(crate) fn unsupported_grant() -> Self {
        Self::new(400, "invalid_grant", "Unsupported grant_type")
    }

    /// 400: no such provider.
    pub(crate) fn unknown_issuer() -> Self {
        Self::invalid_request("The provided issuer is not supported")
    }

    /// 401 with the words of the library that read the token.
    pub(crate) fn invalid_token(description: impl Into<String>) -> Self {
        Self::new(401, "invalid_token", description)
    }

    /// 401 without a word: revoked or rotated away, which look the same.
    pub(crate) fn dead() -> Self {
        Self { status: 401, error: "invalid_token".to_owned(), description: None }
    }

    /// 401: the code is unknown or was used.
    pub(crate) fn bad_code() -> Self {
        Self::invalid_token("Bad polling or transfer code")
    }

    /// 403: the mytoken may not do this at all.
    pub(crate) fn capability() -> Self {
        Self::new(
            403,
            "insufficient_capabilities",
            "The provided token does not have the required capability for this operation",
        )
    }

    /// 403: no clause allows this use now.
    pub(crate) fn restricted() -> Self {
        Self::new(403, "usage_restricted", "The restrictions of this token does not allow this usage")
    }

    /// 404: no such path, or not with this method.
    pub(crate) fn not_found(path: &str) -> Self {
        Self::new(404, "not_found", path)
    }

    /// 500 with a technical text.
    pub(crate) fn internal(description: impl Into<String>) -> Self {
        Self::new(500, "internal_server_error", description)
    }

    /// 500: the refresh token does not open with this version of the mytoken (§5).
    pub(crate) fn does_not_open() -> Self {
        Self::internal("cipher: message authentication failed")
    }

    /// 500 of the framework: the request's handler crashed.
    pub(crate) fn crash() -> Self {
        Self::new(
            500,
            "Internal Server Error",
            "runtime error: invalid memory address or nil pointer dereference",
        )
    }

    pub(crate) fn json(&self) -> Value {
        match &self.description {
            Some(description) => json!({"error": self.error, "error_description": description}),
            None => json!({"error": self.error}),
        }
    }
}

impl From<Refusal> for Response {
    fn from(refusal: Refusal) -> Self {
        Response::json(refusal.status, &refusal.json())
    }
}
