//! What a server leaves of its limit on requests.

use std::time::Duration;

/// What is left, as told in the headers of an answer (mytoken-api.md §2.1.6). All users behind one address share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// So many requests in a window.
    pub limit: u32,
    /// So many of them are left.
    pub remaining: u32,
    /// The window ends in.
    pub reset: Duration,
}
