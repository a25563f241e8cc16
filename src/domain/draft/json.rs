//! A draft as JSON, with the names of the wire (mytoken-api.md §2.3.1): to edit, to keep, to hand on.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::{Draft, DraftClause};

/// The draft as JSON. Moments that are counted from its making stand as `+90d`.
#[must_use]
pub fn to_json(_draft: &Draft) -> Value {
    json!({})
}

/// Reads a draft. Dates without a zone are read in `zone`.
///
/// # Errors
/// With the member that cannot be read, and what was expected.
pub fn from_json(_value: &Value, _now: Timestamp, _zone: &TimeZone) -> Result<Draft, String> {
    Ok(Draft::default())
}

/// Reads clauses alone: a list of them, or one.
///
/// # Errors
/// As for [`from_json`].
pub fn clauses_from_json(
    _value: &Value,
    _now: Timestamp,
    _zone: &TimeZone,
) -> Result<Vec<DraftClause>, String> {
    Ok(Vec::new())
}
