//! Where this machine stands, as far as it is known, and whether a clause allows it to be there.

use std::net::IpAddr;

use crate::domain::mytoken::Clause;
use crate::domain::untrusted::Untrusted;

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
pub(super) enum Fit {
    Yes,
    /// Not known; what it depends on.
    Perhaps(String),
    /// No; what it is bound to.
    No(String),
}

impl Place {
    /// Whether `clause` may be used here (mytoken-api.md §4.1: `hosts`, `geoip_allow`, `geoip_disallow`).
    pub(super) fn fits(&self, clause: &Clause) -> Fit {
        let mut doubt = None;
        if let Some(hosts) = &clause.hosts {
            match self.on_hosts(hosts) {
                Fit::Yes => {}
                Fit::Perhaps(why) => doubt = Some(why),
                Fit::No(why) => return Fit::No(why),
            }
        }
        for (countries, wanted) in [(&clause.countries_allowed, true), (&clause.countries_refused, false)] {
            let Some(countries) = countries else { continue };
            let named = listed(countries);
            // Codes are compared as they stand: lower case never matches (mytoken-api.md §4.1).
            let unknown = "and this machine's country is not known";
            match &self.country {
                Some(here) if countries.iter().any(|code| code.raw() == here) == wanted => {}
                Some(here) if wanted => {
                    return Fit::No(format!("only from {named}; this machine is in {here}"));
                }
                Some(_) => return Fit::No(format!("not from {named}, where this machine is")),
                None if wanted => doubt = Some(format!("it works only from {named}, {unknown}")),
                None => doubt = Some(format!("it does not work from {named}, {unknown}")),
            }
        }
        doubt.map_or(Fit::Yes, Fit::Perhaps)
    }

    fn on_hosts(&self, hosts: &[Untrusted]) -> Fit {
        let named = listed(hosts);
        let Some(here) = self.address else {
            return Fit::Perhaps(format!(
                "it works only from {named}, and this machine's address is not known"
            ));
        };
        let mut by_name = false;
        for host in hosts {
            match network(host.raw()) {
                Some(network) if contains(network, here) => return Fit::Yes,
                Some(_) => {}
                None => by_name = true,
            }
        }
        if by_name {
            // A name is checked by the server through reverse look-up of the address it sees.
            Fit::Perhaps(format!("it works only from {named}, which its server looks up by name"))
        } else {
            Fit::No(format!("only from {named}; this machine is seen as {here}"))
        }
    }
}

fn listed(words: &[Untrusted]) -> String {
    words.iter().map(Untrusted::shown).collect::<Vec<_>>().join(", ")
}

/// An address or a network in CIDR form.
fn network(text: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse().ok()?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(most);
    (bits <= most).then_some((address, bits))
}

fn contains((network, bits): (IpAddr, u32), here: IpAddr) -> bool {
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
            let fit = match here.fits(&clause(hosts)) {
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
        assert_eq!(here.fits(&only("DE")), Fit::Yes);
        assert!(matches!(here.fits(&only("de")), Fit::No(_)));
        assert!(matches!(Place::default().fits(&only("DE")), Fit::Perhaps(_)));
    }
}
