//! The members of a clause as they are typed, and how they are read.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::app::field::Field;
use crate::domain::draft::{DraftClause, Edge, When};
use crate::domain::mytoken::Clause;
use crate::domain::offer::Offer;
use crate::domain::untrusted::{Untrusted, cleaned};

/// A member of a clause (mytoken-api.md §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Member {
    /// `scope`
    Scopes,
    /// `audience`
    Audiences,
    /// `nbf`
    Starts,
    /// `exp`
    Ends,
    /// `usages_AT`
    Uses,
    /// `usages_other`
    OtherUses,
    /// `hosts`
    Hosts,
    /// `geoip_allow`
    Countries,
    /// `geoip_disallow`
    NotCountries,
}

impl Member {
    /// All of them, in the order of the form.
    pub const ALL: [Self; 9] = [
        Self::Scopes,
        Self::Audiences,
        Self::Starts,
        Self::Ends,
        Self::Uses,
        Self::OtherUses,
        Self::Hosts,
        Self::Countries,
        Self::NotCountries,
    ];

    /// What it is called on the form.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Scopes => "scopes",
            Self::Audiences => "audience",
            Self::Starts => "starts",
            Self::Ends => "ends",
            Self::Uses => "access tokens",
            Self::OtherUses => "other uses",
            Self::Hosts => "from hosts",
            Self::Countries => "countries",
            Self::NotCountries => "not countries",
        }
    }

    /// What an empty one means.
    #[must_use]
    pub const fn nothing(self) -> &'static str {
        match self {
            Self::Starts => "now",
            Self::Ends => "never",
            Self::NotCountries => "none",
            _ => "any",
        }
    }

    /// What can be typed there, and what an empty one means.
    #[must_use]
    pub const fn explained(self) -> &'static str {
        match self {
            Self::Scopes => {
                "Scopes its access tokens may have, with blanks between; empty: all of the provider's"
            }
            Self::Audiences => "For whom its access tokens are, with blanks between; empty: whoever asks",
            Self::Starts => "Not usable before: 2h, 2027-02-20 12:04; empty: at once",
            Self::Ends => {
                "Not usable after: 90d, 36h, 2027-02-20, 2027-02-20 12:04 +01:00; empty: it never ends"
            }
            Self::Uses => {
                "How many access tokens it gives, each of about an hour; 0: none; empty: any number"
            }
            Self::OtherUses => {
                "How often all else may be done with it: look-ups of its history, subtokens; 0: never; empty: any number"
            }
            Self::Hosts => "Addresses, networks (134.94.0.0/16) or host names it works from; empty: anywhere",
            Self::Countries => "Countries it works from, two letters each (DE FR); empty: all",
            Self::NotCountries => {
                "Countries it does not work from, two letters each; empty: none is shut out"
            }
        }
    }

    /// Whether the server enforces it (mytoken-api.md §4.1); what it did not tell it is taken to do.
    #[must_use]
    pub fn is_enforced(self, offer: Option<&Offer>) -> bool {
        let names: &[&str] = match self {
            Self::Scopes => &["scope"],
            Self::Audiences => &["audience"],
            Self::Starts => &["nbf"],
            Self::Ends => &["exp"],
            Self::Uses => &["usages_AT"],
            Self::OtherUses => &["usages_other"],
            Self::Hosts => &["hosts", "ip"],
            Self::Countries => &["geoip_allow"],
            Self::NotCountries => &["geoip_disallow"],
        };
        offer.is_none_or(|offer| names.iter().any(|name| offer.enforces(name)))
    }
}

/// A clause as it is typed.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    fields: [Field; 9],
    /// Members that nobody here knows.
    unknown: Vec<Untrusted>,
}

impl Typed {
    /// A clause, to be changed. Moments stand as they are read in `zone`.
    #[must_use]
    pub fn of(clause: &DraftClause, zone: &TimeZone) -> Self {
        let words = |list: &Option<Vec<Untrusted>>| {
            let list = list.iter().flatten();
            list.map(Untrusted::raw).collect::<Vec<_>>().join(" ")
        };
        let when = |when: Option<When>| when.map(|when| when.typed(zone)).unwrap_or_default();
        let count = |count: Option<u64>| count.map(|count| count.to_string()).unwrap_or_default();
        let rest = &clause.rest;
        let fields = Member::ALL.map(|member| {
            Field::new(&match member {
                Member::Scopes => words(&rest.scopes),
                Member::Audiences => words(&rest.audiences),
                Member::Starts => when(clause.starts),
                Member::Ends => when(clause.ends),
                Member::Uses => count(rest.uses_at),
                Member::OtherUses => count(rest.uses_other),
                Member::Hosts => words(&rest.hosts),
                Member::Countries => words(&rest.countries_allowed),
                Member::NotCountries => words(&rest.countries_refused),
            })
        });
        Self { fields, unknown: rest.unknown.clone() }
    }

    /// What is typed for a member.
    #[must_use]
    pub fn field(&self, member: Member) -> &Field {
        let [scopes, audiences, starts, ends, uses, other, hosts, allowed, refused] = &self.fields;
        match member {
            Member::Scopes => scopes,
            Member::Audiences => audiences,
            Member::Starts => starts,
            Member::Ends => ends,
            Member::Uses => uses,
            Member::OtherUses => other,
            Member::Hosts => hosts,
            Member::Countries => allowed,
            Member::NotCountries => refused,
        }
    }

    pub(crate) fn field_mut(&mut self, member: Member) -> &mut Field {
        let [scopes, audiences, starts, ends, uses, other, hosts, allowed, refused] = &mut self.fields;
        match member {
            Member::Scopes => scopes,
            Member::Audiences => audiences,
            Member::Starts => starts,
            Member::Ends => ends,
            Member::Uses => uses,
            Member::OtherUses => other,
            Member::Hosts => hosts,
            Member::Countries => allowed,
            Member::NotCountries => refused,
        }
    }

    /// What is typed, without blanks around it.
    #[must_use]
    pub fn text(&self, member: Member) -> &str {
        self.field(member).value().trim()
    }

    /// The clause, and what of it cannot be read.
    #[must_use]
    pub fn read(&self, now: Timestamp, zone: &TimeZone) -> (DraftClause, Vec<(Member, String)>) {
        let mut faults = Vec::new();
        let mut when = |member: Member, edge| match self.text(member) {
            "" => None,
            text => match When::parse(text, edge, now, zone) {
                Ok(when) => Some(when),
                Err(why) => {
                    faults.push((member, why));
                    None
                }
            },
        };
        let (starts, ends) = (when(Member::Starts, Edge::Start), when(Member::Ends, Edge::End));
        let mut count = |member: Member| {
            let text = self.text(member);
            let read = text.parse().ok();
            if read.is_none() && !text.is_empty() {
                faults.push((member, format!("{} is no number", cleaned(text))));
            }
            read
        };
        let (uses_at, uses_other) = (count(Member::Uses), count(Member::OtherUses));
        let rest = Clause {
            scopes: self.words(Member::Scopes),
            audiences: self.words(Member::Audiences),
            hosts: self.words(Member::Hosts),
            countries_allowed: self.words(Member::Countries),
            countries_refused: self.words(Member::NotCountries),
            uses_at,
            uses_other,
            unknown: self.unknown.clone(),
            ..Clause::default()
        };
        (DraftClause { starts, ends, rest }, faults)
    }

    /// What is typed as a list: between blanks or commas.
    fn words(&self, member: Member) -> Option<Vec<Untrusted>> {
        let words = self.text(member).split(|c: char| c.is_whitespace() || c == ',');
        let words: Vec<Untrusted> = words.filter(|word| !word.is_empty()).map(Untrusted::from).collect();
        (!words.is_empty()).then_some(words)
    }
}
