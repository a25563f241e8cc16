//! How a mytoken is replaced by its next version, and what the old one may do to it (§5).

use serde::{Deserialize, Serialize};

/// When a new version is made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rotation {
    /// After each access token.
    #[serde(rename = "on_AT", skip_serializing_if = "is_off")]
    pub on_at: bool,
    /// After each other counted use.
    #[serde(skip_serializing_if = "is_off")]
    pub on_other: bool,
    /// How long a version is valid after the last rotation, in seconds; 0: for ever.
    #[serde(skip_serializing_if = "is_zero")]
    pub lifetime: i64,
    /// Whether the use of an old version revokes the mytoken and all made from it.
    #[serde(skip_serializing_if = "is_off")]
    pub auto_revoke: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_off(flag: &bool) -> bool {
    !flag
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(seconds: &i64) -> bool {
    *seconds == 0
}
