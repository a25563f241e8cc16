//! Secrets on standard input.

use std::io::Read;

use zeroize::Zeroizing;

use crate::domain::failure::{Failure, Kind};
use crate::domain::secret::Secret;

/// More than this is not read: no token is that long.
const LONGEST: u64 = 1 << 20;

/// Reads all of standard input.
///
/// # Errors
/// When it is no text.
pub fn all(input: impl Read, doing: &str) -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(String::new());
    let read = input.take(LONGEST).read_to_string(&mut text);
    read.map_err(|_| Failure::new(Kind::Unusable, doing, "standard input is not text"))?;
    Ok(text)
}

/// Reads a passphrase: all of standard input up to the end of its first line.
///
/// # Errors
/// When there is none.
pub fn passphrase(input: impl Read, doing: &str) -> Result<Secret, Failure> {
    let text = all(input, doing)?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(Failure::new(Kind::Unusable, doing, "no passphrase came on standard input"));
    }
    Ok(Secret::new(line))
}
