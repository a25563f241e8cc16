//! D-Bus messages, as far as the Secret Service needs them: strings, numbers, lists, and nothing generic.
//!
//! The specification's "Message Protocol" chapter is the source. Everything is little-endian and padded to its own size, counted from the start of
//! the message; header and body begin at multiples of eight, so each may count from its own start.

use zeroize::Zeroizing;

/// The most that an answer may be; a keyring's answers have hundreds of bytes.
pub const MOST: usize = 1 << 20;

/// Something that is being written.
#[derive(Default)]
pub struct Written(Zeroizing<Vec<u8>>);

impl Written {
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn pad(&mut self, to: usize) -> &mut Self {
        let length = self.0.len().next_multiple_of(to);
        self.0.resize(length, 0);
        self
    }

    pub fn byte(&mut self, value: u8) -> &mut Self {
        self.0.push(value);
        self
    }

    pub fn number(&mut self, value: u32) -> &mut Self {
        self.pad(4).0.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// A string or an object path.
    pub fn text(&mut self, value: &str) -> &mut Self {
        self.number(length(value.len())).0.extend_from_slice(value.as_bytes());
        self.byte(0)
    }

    /// The signature of a type.
    pub fn signature(&mut self, value: &str) -> &mut Self {
        self.byte(u8::try_from(value.len()).unwrap_or(u8::MAX)).0.extend_from_slice(value.as_bytes());
        self.byte(0)
    }

    /// A list of bytes.
    pub fn data(&mut self, value: &[u8]) -> &mut Self {
        self.number(length(value.len())).0.extend_from_slice(value);
        self
    }

    /// A list whose elements are aligned to `to`; its length in bytes stands before it and does not count the first padding.
    pub fn list(&mut self, to: usize, elements: impl FnOnce(&mut Self)) -> &mut Self {
        self.number(0);
        let at = self.0.len();
        let start = self.pad(to).0.len();
        elements(self);
        let written = length(self.0.len() - start).to_le_bytes();
        if let Some(place) = self.0.get_mut(at - 4..at) {
            place.copy_from_slice(&written);
        }
        self
    }
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// Something that is being read. Nothing in it is trusted: what does not fit is `None`.
pub struct Read<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Read<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub fn is_done(&self) -> bool {
        self.at >= self.bytes.len()
    }

    pub fn pad(&mut self, to: usize) -> Option<()> {
        self.at = self.at.checked_next_multiple_of(to)?;
        (self.at <= self.bytes.len()).then_some(())
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..self.at.checked_add(count)?)?;
        self.at += count;
        Some(taken)
    }

    pub fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub fn number(&mut self) -> Option<u32> {
        self.pad(4)?;
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    pub fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.number()?).ok()?;
        let text = self.take(length)?;
        (self.byte()? == 0).then_some(std::str::from_utf8(text).ok()?)
    }

    pub fn signature(&mut self) -> Option<&'a str> {
        let length = usize::from(self.byte()?);
        let text = self.take(length)?;
        (self.byte()? == 0).then_some(std::str::from_utf8(text).ok()?)
    }

    pub fn data(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        self.take(length)
    }

    /// A list of object paths.
    pub fn paths(&mut self) -> Option<Vec<&'a str>> {
        let end = usize::try_from(self.number()?).ok()?.checked_add(self.at)?;
        let mut paths = Vec::new();
        while self.at < end {
            paths.push(self.text()?);
        }
        Some(paths)
    }
}

/// What a message's header says that matters here.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// 2: an answer; 3: a refusal; else nothing of ours.
    pub kind: u8,
    /// To which of our messages.
    pub answers: u32,
    /// The name of a refusal.
    pub refusal: String,
    /// The types of the body.
    pub signature: String,
}

/// The length of the first part, which tells the length of all.
pub const OPENING: usize = 16;

/// How many bytes follow the opening: the rest of the header, and then the body.
pub fn rest(opening: &[u8]) -> Option<(usize, usize)> {
    let mut read = Read::new(opening);
    // Another byte order is allowed and has not been seen for years: all of this is one machine.
    if read.byte()? != b'l' {
        return None;
    }
    read.pad(4)?;
    let body = usize::try_from(read.number()?).ok()?;
    read.number()?;
    let fields = usize::try_from(read.number()?).ok()?.checked_next_multiple_of(8)?;
    (fields.checked_add(body)? <= MOST).then_some((fields, body))
}

/// Reads the header.
pub fn head(opening: &[u8], fields: &[u8]) -> Option<Head> {
    let mut head = Head { kind: *opening.get(1)?, ..Head::default() };
    let length = Read { bytes: opening, at: 12 }.number()?;
    let mut read = Read::new(fields.get(..usize::try_from(length).ok()?)?);
    while !read.is_done() {
        read.pad(8)?;
        let code = read.byte()?;
        match (code, read.signature()?) {
            (4, "s") => read.text()?.clone_into(&mut head.refusal),
            (5, "u") => head.answers = read.number()?,
            (8, "g") => read.signature()?.clone_into(&mut head.signature),
            (_, "s" | "o") => drop(read.text()?),
            (_, "u") => drop(read.number()?),
            (_, "g") => drop(read.signature()?),
            _ => return None,
        }
    }
    Some(head)
}

/// A call: its header and body, ready to be sent.
pub fn call(
    serial: u32,
    to: &str,
    path: &str,
    interface: &str,
    member: &str,
    signature: &str,
    body: &Written,
) -> Written {
    let mut message = Written::default();
    message.byte(b'l').byte(1).byte(0).byte(1).number(length(body.bytes().len())).number(serial);
    message.list(8, |fields| {
        for (code, kind, value) in [(1, "o", path), (2, "s", interface), (3, "s", member), (6, "s", to)] {
            fields.pad(8).byte(code).signature(kind).text(value);
        }
        if !signature.is_empty() {
            fields.pad(8).byte(8).signature("g").signature(signature);
        }
    });
    message.pad(8).0.extend_from_slice(body.bytes());
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello() -> Vec<u8> {
        let none = Written::default();
        call(1, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello", "", &none)
            .bytes()
            .to_vec()
    }

    #[test]
    fn a_call_tells_its_own_length() {
        let mut body = Written::default();
        body.text("plain").signature("s").text("");
        let message = call(7, "a.b", "/a", "a.b", "Open", "sv", &body);
        let (fields, rest) = rest(message.bytes()).unwrap();
        assert_eq!(OPENING + fields + rest, message.bytes().len());
        assert_eq!(rest, body.bytes().len());
        let head = head(&message.bytes()[..OPENING], &message.bytes()[OPENING..OPENING + fields]).unwrap();
        assert_eq!(head, Head { kind: 1, signature: "sv".to_owned(), ..Head::default() });
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut written = Written::default();
        written.byte(1).number(2).text("drei").signature("ao").data(&[4; 5]);
        written.list(4, |paths| {
            paths.text("/six").text("/seven");
        });
        let mut read = Read::new(written.bytes());
        assert_eq!((read.byte(), read.number(), read.text()), (Some(1), Some(2), Some("drei")));
        assert_eq!((read.signature(), read.data()), (Some("ao"), Some(&[4; 5][..])));
        assert_eq!((read.paths(), read.is_done()), (Some(vec!["/six", "/seven"]), true));
    }

    #[test]
    fn a_header_that_was_cut_or_changed_anywhere_ends_in_no_panic() {
        let message = hello();
        for length in 0..message.len() {
            let cut = &message[..length];
            if let Some((fields, _)) = rest(cut) {
                drop(head(cut, cut.get(OPENING..(OPENING + fields).min(length)).unwrap_or_default()));
            }
        }
        for place in 0..message.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut changed = message.clone();
                changed[place] = value;
                let (opening, fields) = changed.split_at(OPENING);
                drop((rest(opening), head(opening, fields)));
            }
        }
    }

    #[test]
    fn an_answer_that_claims_to_be_huge_is_not_waited_for() {
        let mut opening = hello()[..OPENING].to_vec();
        opening[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(rest(&opening), None);
    }
}
