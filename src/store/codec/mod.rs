//! A credential as it is written down: what stands in the open, and what is sealed.
//!
//! Both parts take no field that they do not know: a version that needs a new one in the same format puts it under `more`, which older versions
//! carry along as it is; a field anywhere else makes the record one of a newer format, which is shown and never overwritten.

mod open;
mod secret;

pub(crate) use open::{Giver, Intent, Open, Row};
pub(crate) use secret::{Hidden, opened, sealed, wiped};

/// The format that this program writes.
pub(crate) const VERSION: u32 = 1;
