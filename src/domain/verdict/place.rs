//! Where this machine stands, as far as it is known, and whether a clause allows it to be there.

use std::net::IpAddr;

use crate::domain::mytoken::Clause;
use crate::domain::untrusted::{Untrusted, cleaned};

/// What is known of the place a mytoken would be used from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The address a server sees us at, where one has said so or the way there is not translated.
    pub address: Option<IpAddr>,
    /// The country of that address (ISO 3166, upper case), where it is known.
    pub country: Option<String>,
}

/// Whether a place satisfies a clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    Yes,
    /// Not known; what it depends on.
    Perhaps(String),
    /// No; what it is bound to.
    No(String),
}

/// A place to be weighed: this machine, or another one that was asked about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot<'a> {
    pub(crate) address: Option<IpAddr>,
    /// The name that a server would find for the address, where somebody has said so.
    pub(crate) host: Option<&'a str>,
    pub(crate) country: Option<&'a str>,
    pub(crate) is_here: bool,
}

impl Place {
    /// This machine, as a place to be weighed.
    pub(crate) fn spot(&self) -> Spot<'_> {
        Spot { address: self.address, host: None, country: self.country.as_deref(), is_here: true }
    }
}

impl Spot<'_> {
    /// Whether `clause` may be used there (mytoken-api.md §4.1: `hosts`, `geoip_allow`, `geoip_disallow`).
    pub(crate) fn fits(&self, clause: &Clause) -> Fit {
        let hosts = clause.hosts.as_deref().map_or(Fit::Yes, |hosts| self.on_hosts(hosts));
        let allowed = clause.countries_allowed.as_deref().map_or(Fit::Yes, |codes| self.among(codes));
        let refused = clause.countries_refused.as_deref().map_or(Fit::Yes, |codes| self.not_among(codes));
        let all = [hosts, allowed, refused];
        all.iter()
            .find(|fit| matches!(fit, Fit::No(_)))
            .or_else(|| all.iter().rfind(|fit| matches!(fit, Fit::Perhaps(_))))
            .cloned()
            .unwrap_or(Fit::Yes)
    }

    fn among(&self, codes: &[Untrusted]) -> Fit {
        let named = listed(codes);
        match self.country {
            _ if !codes.iter().any(is_country) => {
                Fit::No(format!("only from {named}, which matches no country: codes are two capital letters"))
            }
            Some(country) if codes.iter().any(|code| code.raw() == country) => Fit::Yes,
            Some(country) => Fit::No(format!("only from {named}; {} {}", self.stands_in(), cleaned(country))),
            None => Fit::Perhaps(format!("it works only from {named}, and {}", self.no_country())),
        }
    }

    fn not_among(&self, codes: &[Untrusted]) -> Fit {
        let named = listed(codes);
        match self.country {
            _ if !codes.iter().any(is_country) => Fit::Yes,
            Some(country) if !codes.iter().any(|code| code.raw() == country) => Fit::Yes,
            Some(_) if self.is_here => Fit::No(format!("not from {named}, where this machine is")),
            Some(_) => Fit::No(format!("not from {named}, where it would be")),
            None => Fit::Perhaps(format!("it does not work from {named}, and {}", self.no_country())),
        }
    }

    fn on_hosts(&self, hosts: &[Untrusted]) -> Fit {
        let named = listed(hosts);
        let (mut by_name, mut by_address) = (false, false);
        for host in hosts {
            match (network(host.raw()), self.address, self.host) {
                (Some(network), Some(address), _) if contains(network, address) => return Fit::Yes,
                (Some(_), Some(_), _) => {}
                (Some(_), None, _) => by_address = true,
                (None, _, Some(name)) if is_named(host.raw(), name) => return Fit::Yes,
                // What cannot be a name is not settled by one: its server decides what it makes of it.
                (None, _, Some(_)) if host.raw().contains('.') && !host.raw().contains('/') => {}
                (None, ..) => by_name = true,
            }
        }
        if by_address || (by_name && self.address.is_none()) {
            return Fit::Perhaps(format!("it works only from {named}, and {}", self.no_address()));
        }
        if by_name {
            // A name is checked by the server through reverse look-up of the address it sees.
            return Fit::Perhaps(format!("it works only from {named}, which its server looks up by name"));
        }
        let name = self.host.map(cleaned);
        let seen = name.into_iter().chain(self.address.map(|address| address.to_string()));
        let seen = seen.collect::<Vec<_>>().join(", ");
        let subject = if self.is_here { "this machine is seen as" } else { "it would be seen as" };
        Fit::No(format!("only from {named}; {subject} {seen}"))
    }

    fn stands_in(&self) -> &'static str {
        if self.is_here { "this machine is in" } else { "it would be in" }
    }

    fn no_country(&self) -> &'static str {
        if self.is_here { "this machine's country is not known" } else { "the country there is not known" }
    }

    fn no_address(&self) -> &'static str {
        if self.is_here { "this machine's address is not known" } else { "the address there is not known" }
    }
}

/// Whether a code can match at all: a server compares it as it stands with those of its database, which are
/// two capital letters (mytoken-api.md §4.1).
fn is_country(code: &Untrusted) -> bool {
    code.raw().len() == 2 && code.raw().bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Whether `name` is what a clause's host name or `*.domain` stands for.
fn is_named(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_ascii_lowercase(), name.trim_end_matches('.').to_ascii_lowercase());
    match pattern.strip_prefix('*') {
        Some(domain) => domain.len() > 1 && domain.starts_with('.') && name.ends_with(domain),
        None => pattern == name,
    }
}

pub(crate) fn listed(words: &[Untrusted]) -> String {
    words.iter().map(Untrusted::shown).collect::<Vec<_>>().join(", ")
}

/// An address or a network in CIDR form.
pub(crate) fn network(text: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse().ok()?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(most);
    (bits <= most).then_some((address, bits))
}

pub(crate) fn contains((network, bits): (IpAddr, u32), here: IpAddr) -> bool {
    let same = |a: u128, b: u128, width: u32| {
        let shift = width - bits;
        // A shift by the whole width is no shift at all in Rust: /0 contains everything.
        bits == 0 || (a >> shift) == (b >> shift)
    };
    match (network, here) {
        (IpAddr::V4(a), IpAddr::V4(b)) => same(u32::from(a).into(), u32::from(b).into(), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => same(a.into(), b.into(), 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clause(hosts: &[&str]) -> Clause {
        Clause { hosts: Some(hosts.iter().map(|host| Untrusted::from(*host)).collect()), ..Clause::default() }
    }

    #[test]
    fn a_host_clause_is_weighed_by_address_network_and_name() {
        let here = Place { address: "10.20.0.7".parse().ok(), country: None };
        let table = [
            (&["10.20.0.7"][..], 'y'),
            (&["10.20.0.0/16"], 'y'),
            (&["0.0.0.0/0"], 'y'),
            (&["134.94.0.0/16"], 'n'),
            (&["134.94.0.0/16", "10.0.0.0/8"], 'y'),
            (&["*.fz-juelich.de"], 'p'),
            (&["2001:db8::/32"], 'n'),
            (&["10.20.0.0/99"], 'p'),
        ];
        for (hosts, expected) in table {
            let fit = match here.spot().fits(&clause(hosts)) {
                Fit::Yes => 'y',
                Fit::Perhaps(_) => 'p',
                Fit::No(_) => 'n',
            };
            assert_eq!(fit, expected, "{hosts:?}");
        }
    }

    #[test]
    fn a_country_in_lower_case_matches_nobody() {
        let here = Place { address: None, country: Some("DE".to_owned()) };
        let only = |code: &str| Clause { countries_allowed: Some(vec![code.into()]), ..Clause::default() };
        assert_eq!(here.spot().fits(&only("DE")), Fit::Yes);
        assert!(matches!(here.spot().fits(&only("de")), Fit::No(_)));
        assert!(matches!(Place::default().spot().fits(&only("DE")), Fit::Perhaps(_)));
        // Wherever it is: no country is written so.
        assert!(matches!(Place::default().spot().fits(&only("de")), Fit::No(_)));
    }

    #[test]
    fn refusing_a_country_in_lower_case_refuses_nobody() {
        let but = |code: &str| Clause { countries_refused: Some(vec![code.into()]), ..Clause::default() };
        let here = Place { address: None, country: Some("DE".to_owned()) };
        assert!(matches!(here.spot().fits(&but("DE")), Fit::No(_)));
        assert_eq!((here.spot().fits(&but("de")), here.spot().fits(&but("US"))), (Fit::Yes, Fit::Yes));
        assert_eq!(Place::default().spot().fits(&but("de")), Fit::Yes);
        assert!(matches!(Place::default().spot().fits(&but("DE")), Fit::Perhaps(_)));
    }

    #[test]
    fn a_name_is_compared_where_one_was_given() {
        let table = [
            ("node1.fz-juelich.de", "node1.fz-juelich.de", 'y'),
            ("Node1.FZ-Juelich.de", "node1.fz-juelich.de.", 'y'),
            ("*.fz-juelich.de", "node1.fz-juelich.de", 'y'),
            ("*.fz-juelich.de", "a.b.fz-juelich.de", 'y'),
            ("*.fz-juelich.de", "fz-juelich.de", 'n'),
            ("*.fz-juelich.de", "evilfz-juelich.de", 'n'),
            ("node2.fz-juelich.de", "node1.fz-juelich.de", 'n'),
            // No look-up is made: an address is not told by a name.
            ("134.94.0.0/16", "node1.fz-juelich.de", 'p'),
            ("this", "node1.fz-juelich.de", 'p'),
            ("*", "node1.fz-juelich.de", 'p'),
        ];
        for (host, name, expected) in table {
            let there = Spot { address: None, host: Some(name), country: None, is_here: false };
            let fit = match there.fits(&clause(&[host])) {
                Fit::Yes => 'y',
                Fit::Perhaps(_) => 'p',
                Fit::No(_) => 'n',
            };
            assert_eq!(fit, expected, "{host} for {name}");
        }
    }
}
