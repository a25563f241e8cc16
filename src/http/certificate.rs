//! What a refused certificate says of itself (RFC 5280 §4.1): enough to tell which one it is, and nothing that is believed.
//!
//! The TLS library has refused it by then; what is read here only makes the words. Whatever does not read is left out.

use std::net::{Ipv4Addr, Ipv6Addr};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::domain::untrusted::Untrusted;

/// Names are shown up to this many columns.
const LONGEST: usize = 60;
/// More names of hosts are not listed.
const MOST_NAMES: usize = 6;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OID: u8 = 0x06;
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];

/// A certificate in words, fit to be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Certificate {
    /// Who it is of.
    pub(super) subject: String,
    /// Who signed it, by its own word.
    pub(super) issuer: String,
    /// Whether these two are the same.
    pub(super) names_itself: bool,
    /// The hosts that it is for.
    pub(super) hosts: Vec<String>,
    pub(super) begins: Option<Timestamp>,
    pub(super) ends: Option<Timestamp>,
}

impl Certificate {
    /// Reads what can be read.
    pub(super) fn read(der: &[u8]) -> Self {
        parsed(der).unwrap_or_default()
    }
}

fn parsed(der: &[u8]) -> Option<Certificate> {
    let (whole, _) = inside(der, SEQUENCE)?;
    let (mut rest, _) = inside(whole, SEQUENCE)?;
    if let Some((_, after)) = inside(rest, 0xa0) {
        rest = after;
    }
    let (_serial, rest) = inside(rest, 0x02)?;
    let (_algorithm, rest) = inside(rest, SEQUENCE)?;
    let (issuer, rest) = inside(rest, SEQUENCE)?;
    let (validity, rest) = inside(rest, SEQUENCE)?;
    let (subject, rest) = inside(rest, SEQUENCE)?;
    let (_key, rest) = inside(rest, SEQUENCE)?;
    let (begins, after) = element(validity)?;
    let ends = element(after).map(|(ends, _)| ends);
    Some(Certificate {
        subject: name(subject),
        issuer: name(issuer),
        names_itself: subject == issuer,
        hosts: hosts(rest),
        begins: moment(begins),
        ends: ends.and_then(moment),
    })
}

/// One element of DER: its tag, its content, and what comes after it.
type Element<'d> = ((u8, &'d [u8]), &'d [u8]);

fn element(der: &[u8]) -> Option<Element<'_>> {
    let (&tag, rest) = der.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let length = if first < 0x80 {
        usize::from(first)
    } else {
        let (bytes, after) =
            rest.split_at_checked(usize::from(first & 0x7f)).filter(|(bytes, _)| bytes.len() <= 4)?;
        rest = after;
        bytes.iter().fold(0_usize, |length, byte| (length << 8) | usize::from(*byte))
    };
    let (content, after) = rest.split_at_checked(length)?;
    Some(((tag, content), after))
}

/// The content of an element of this kind, and what comes after it.
fn inside(der: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let ((tag, content), after) = element(der)?;
    (tag == wanted).then_some((content, after))
}

fn elements(mut der: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (one, after) = element(der)?;
        der = after;
        Some(one)
    })
}

/// The common name and the organization of a distinguished name.
fn name(der: &[u8]) -> String {
    let part = |wanted: &[u8]| {
        elements(der).filter(|(tag, _)| *tag == SET).find_map(|(_, set)| {
            let (pair, _) = inside(set, SEQUENCE)?;
            let (oid, value) = inside(pair, OID)?;
            let ((_, text), _) = element(value)?;
            (oid == wanted).then(|| shown(text))
        })
    };
    match (part(COMMON_NAME), part(ORGANIZATION)) {
        (Some(name), Some(of)) if name != of => format!("{name} ({of})"),
        (Some(name), _) | (None, Some(name)) => name,
        (None, None) => "a nameless one".to_owned(),
    }
}

fn shown(text: &[u8]) -> String {
    Untrusted::new(String::from_utf8_lossy(text)).shown_within(LONGEST)
}

/// The names in the extension for that, behind the key.
fn hosts(rest: &[u8]) -> Vec<String> {
    let Some(((_, extensions), _)) = elements_with(rest, 0xa3) else { return Vec::new() };
    let list = inside(extensions, SEQUENCE).map_or(&[][..], |(list, _)| list);
    let names = elements(list).filter_map(|(_, extension)| {
        let (oid, mut after) = inside(extension, OID)?;
        if let Some((_critical, behind)) = inside(after, 0x01) {
            after = behind;
        }
        let (value, _) = inside(after, 0x04)?;
        (oid == ALTERNATIVE_NAMES).then_some(value)
    });
    let names = names.filter_map(|value| inside(value, SEQUENCE)).flat_map(|(list, _)| elements(list));
    names.filter_map(|(tag, value)| host(tag, value)).take(MOST_NAMES).collect()
}

fn elements_with(der: &[u8], wanted: u8) -> Option<Element<'_>> {
    let mut rest = der;
    loop {
        let (one, after) = element(rest)?;
        if one.0 == wanted {
            return Some((one, after));
        }
        rest = after;
    }
}

/// A DNS name or an address (RFC 5280 §4.2.1.6).
fn host(tag: u8, value: &[u8]) -> Option<String> {
    match (tag, value.len()) {
        (0x82, _) => Some(shown(value)),
        (0x87, 4) => <[u8; 4]>::try_from(value).ok().map(|bytes| Ipv4Addr::from(bytes).to_string()),
        (0x87, 16) => <[u8; 16]>::try_from(value).ok().map(|bytes| Ipv6Addr::from(bytes).to_string()),
        _ => None,
    }
}

/// `UTCTime` or `GeneralizedTime`, in the one form of each that RFC 5280 §4.1.2.5 allows.
fn moment((tag, text): (u8, &[u8])) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let whole = match tag {
        0x17 => format!("{}{text}", if text.get(..2)?.parse::<u8>().ok()? < 50 { "20" } else { "19" }),
        0x18 => text.to_owned(),
        _ => return None,
    };
    let at = DateTime::strptime("%Y%m%d%H%M%S", whole).ok()?;
    at.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    use super::*;

    fn made(change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["op.example.org".to_owned()]).expect("a name");
        params.distinguished_name.push(DnType::CommonName, "op\u{1b}[2J");
        params.distinguished_name.push(DnType::OrganizationName, "Our lab");
        params.not_before = rcgen::date_time_ymd(2020, 1, 2);
        params.not_after = rcgen::date_time_ymd(2051, 3, 4);
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        params.self_signed(&key).expect("signed").der().to_vec()
    }

    #[test]
    fn a_certificate_tells_who_signed_it_for_whom_and_how_long() {
        let der = made(|params| {
            params.subject_alt_names.push(SanType::IpAddress("::1".parse().expect("an address")));
        });
        let read = Certificate::read(&der);
        assert_eq!(read.subject, "op\\u{1b}[2J (Our lab)");
        assert!(read.names_itself && read.issuer == read.subject);
        assert_eq!(read.hosts, ["op.example.org", "::1"]);
        let day = |at: Option<Timestamp>| at.map(|at| at.strftime("%Y-%m-%d").to_string());
        assert_eq!(day(read.begins).as_deref(), Some("2020-01-02"), "UTCTime");
        assert_eq!(day(read.ends).as_deref(), Some("2051-03-04"), "GeneralizedTime");
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            Certificate::read(&bytes);
        }

        #[test]
        fn no_change_to_a_certificate_does(at in 0_usize..400, byte: u8, cut in 0_usize..400) {
            let mut der = made(|_| {});
            if let Some(place) = der.get_mut(at) {
                *place = byte;
            }
            Certificate::read(&der);
            Certificate::read(der.get(..cut).unwrap_or(&der));
        }
    }
}
