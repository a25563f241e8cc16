//! Codes, ids and opaque tokens of random characters.

use aws_lc_rs::rand;

use super::refusal::Refusal;

/// The letters of codes and short tokens: without `l` and `I`, which look alike.
const LETTERS: &[u8; 50] = b"ABCDEFGHJKLMNOPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// `length` letters, as in transfer codes, consent codes and short tokens.
pub(crate) fn letters(length: usize) -> Result<String, Refusal> {
    drawn(length, LETTERS)
}

/// `length` letters and digits, as in states, verifiers and the guest provider's tokens.
pub(crate) fn alphanumeric(length: usize) -> Result<String, Refusal> {
    drawn(length, ALPHANUMERIC)
}

/// The 16 bytes of a random UUID.
pub(crate) fn uuid() -> Result<[u8; 16], Refusal> {
    let mut bytes = [0; 16];
    fill(&mut bytes)?;
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    Ok(bytes)
}

/// A UUID as it is written.
pub(crate) fn uuid_text(bytes: [u8; 16]) -> String {
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| hex.get(part).unwrap_or_default()).join("-")
}

/// The 16 bytes of a written UUID.
pub(crate) fn uuid_bytes(text: &str) -> Option<[u8; 16]> {
    let hex = text.replace('-', "");
    (hex.len() == 32).then(|| u128::from_str_radix(&hex, 16).ok()).flatten().map(u128::to_be_bytes)
}

fn drawn(length: usize, from: &[u8]) -> Result<String, Refusal> {
    let mut bytes = vec![0; length];
    fill(&mut bytes)?;
    // A slight preference for the first characters does no harm here.
    Ok(bytes
        .iter()
        .filter_map(|byte| from.get(usize::from(*byte) % from.len()))
        .map(|c| char::from(*c))
        .collect())
}

fn fill(bytes: &mut [u8]) -> Result<(), Refusal> {
    rand::fill(bytes).map_err(|_| Refusal::internal("no random numbers"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_written_and_read_back() {
        let bytes = uuid().expect("random numbers");
        let text = uuid_text(bytes);
        assert_eq!(uuid_bytes(&text), Some(bytes));
        assert_eq!((text.len(), &text[14..15]), (36, "4"));
    }

    #[test]
    fn codes_have_no_letters_that_look_alike() {
        let many = letters(4000).expect("random numbers");
        assert!(many.len() == 4000 && !many.contains(['l', 'I']));
    }
}
