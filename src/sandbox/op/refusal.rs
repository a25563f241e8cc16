//! A protocol error on its way to being an answer.

use std::borrow::Cow;

use aws_lc_rs::error::Unspecified;
use serde_json::json;

use crate::sandbox::serve::Response;

/// An OAuth error answer (RFC 6749 §5.2).
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    error: &'static str,
    description: Option<Cow<'static, str>>,
}

impl Refusal {
    pub(super) fn new(status: u16, error: &'static str, description: impl Into<Cow<'static, str>>) -> Self {
        Self { status, error, description: Some(description.into()) }
    }

    /// An error without a description: prose in `error`, as Keycloak answers what is no OAuth affair.
    pub(super) fn prose(status: u16, error: &'static str) -> Self {
        Self { status, error, description: None }
    }

    pub(super) fn invalid_grant(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, "invalid_grant", description)
    }

    pub(super) fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, "invalid_request", description)
    }
}

impl From<Unspecified> for Refusal {
    fn from(_: Unspecified) -> Self {
        Self::prose(500, "unknown_error")
    }
}

impl From<Refusal> for Response {
    fn from(refusal: Refusal) -> Self {
        let body = match refusal.description {
            Some(text) => json!({"error": refusal.error, "error_description": text}),
            None => json!({"error": refusal.error}),
        };
        unstored(Response::json(refusal.status, &body))
    }
}

/// The answer, marked as not to be kept by any cache (RFC 6749 §5.1).
pub(super) fn unstored(answer: Response) -> Response {
    answer.with("cache-control", "no-store").with("pragma", "no-cache")
}
