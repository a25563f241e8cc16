//! What a mytoken may do, by name (mytoken-api.md §3).

use crate::domain::untrusted::Untrusted;

/// How much a capability gives away to whoever holds the mytoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// What a mytoken is for, or what looks at itself only.
    Light,
    /// It reaches beyond this mytoken.
    Heavy,
    /// It reaches all that its user has, or makes new ways in.
    Heaviest,
}

/// A capability known by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its name on the wire.
    pub name: &'static str,
    /// Its plain words.
    pub words: &'static str,
    /// How much it gives away.
    pub weight: Weight,
    /// The first server that knows it, where that is later than 0.7.
    pub since: Option<&'static str>,
    /// Whether it has a twin that only reads (`read@…`).
    pub has_reading_twin: bool,
}

const fn known(name: &'static str, words: &'static str, weight: Weight) -> Known {
    Known { name, words, weight, since: None, has_reading_twin: false }
}

impl Known {
    const fn since(self, version: &'static str) -> Self {
        Self { since: Some(version), ..self }
    }

    const fn readable(self) -> Self {
        Self { has_reading_twin: true, ..self }
    }
}

use Weight::{Heaviest, Heavy, Light};

/// The capabilities known by name, with their plain words, in the order they are shown in (mytoken-api.md §3).
pub const CAPABILITIES: &[Known] = &[
    known("AT", "get access tokens", Light),
    known("create_mytoken", "make subtokens", Heavy),
    known("tokeninfo", "look itself up", Light),
    known("tokeninfo:introspect", "ask whether it is valid", Light),
    known("tokeninfo:history", "read its own history", Light),
    known("tokeninfo:subtokens", "list its subtokens", Light),
    known("tokeninfo:notify", "manage its notifications", Light).since("0.10"),
    known("tokeninfo:tags", "manage its tags", Light).since("0.11"),
    known("manage_mytokens", "manage all your mytokens", Heaviest),
    known("manage_mytokens:list", "list all your mytokens", Heavy),
    known("manage_mytokens:revoke", "revoke any of your mytokens", Heaviest),
    known("manage_mytokens:history", "read the history of any of your mytokens", Heavy),
    known("manage_mytokens:notify", "manage notifications of all your mytokens", Heavy)
        .since("0.10")
        .readable(),
    known("manage_mytokens:tags", "manage tags of all your mytokens", Heavy).since("0.11"),
    known("settings", "change your settings", Heaviest).readable(),
    known("settings:grants", "change your grants", Heaviest).readable(),
    known("settings:grants:ssh", "change your SSH keys", Heaviest).readable(),
    known("settings:email", "change your mail address", Heaviest).since("0.10").readable(),
    known("settings:tags", "change your tags", Heavy).since("0.11").readable(),
];

/// One thing a mytoken may do. Names that nobody here knows are carried along and shown as they are.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Capability(pub Untrusted);

impl Capability {
    /// A capability by its name on the wire.
    pub fn new(name: impl Into<String>) -> Self {
        Self(Untrusted::new(name))
    }

    /// Whether holding this one is enough where `needed` is asked for: the prefix rule of mytoken-api.md §3.2.
    #[must_use]
    pub fn covers(&self, needed: &str) -> bool {
        let (held, held_reads) = split(self.0.raw());
        let (wanted, wanted_reads) = split(needed);
        if held_reads && !wanted_reads {
            return false;
        }
        let mut wanted = wanted.split(':');
        held.split(':').all(|part| wanted.next() == Some(part))
    }

    /// What is known of it, also of a twin that only reads.
    #[must_use]
    pub fn known(&self) -> Option<&'static Known> {
        let (name, _) = split(self.0.raw());
        CAPABILITIES.iter().find(|known| known.name == name)
    }

    /// Whether a server knows it: names that nobody knows are carried along without effect, and break a consent page (§12.28).
    #[must_use]
    pub fn is_known(&self) -> bool {
        let (_, reads) = split(self.0.raw());
        self.known().is_some_and(|known| known.has_reading_twin || !reads)
    }

    /// Its plain words, where it is a known one.
    #[must_use]
    pub fn words(&self) -> Option<String> {
        let (_, reads) = split(self.0.raw());
        let words = self.known()?.words;
        Some(if reads { words.replace("change", "read").replace("manage", "read") } else { words.to_owned() })
    }

    /// How much it gives away; an unknown one counts as much. What only reads counts one less.
    #[must_use]
    pub fn weight(&self) -> Weight {
        let (_, reads) = split(self.0.raw());
        match self.known().map_or(Weight::Heavy, |known| known.weight) {
            Weight::Heaviest if reads => Weight::Heavy,
            Weight::Heavy if reads => Weight::Light,
            weight => weight,
        }
    }
}

fn split(name: &str) -> (&str, bool) {
    name.strip_prefix("read@").map_or((name, false), |rest| (rest, true))
}

/// Whether one of `held` covers `needed`.
#[must_use]
pub fn can(held: &[Capability], needed: &str) -> bool {
    held.iter().any(|capability| capability.covers(needed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capability_covers_what_lies_under_it_and_reading_never_covers_writing() {
        let table = [
            ("tokeninfo", "tokeninfo:history", true),
            ("settings", "settings:grants:ssh", true),
            ("settings", "read@settings:grants", true),
            ("read@settings", "read@settings:grants:ssh", true),
            ("read@settings", "settings:grants", false),
            ("settings:grants", "read@settings:grants", true),
            ("tokeninfo:history", "tokeninfo", false),
            ("AT", "at", false),
            ("token", "tokeninfo", false),
        ];
        for (held, needed, covered) in table {
            assert_eq!(Capability::new(held).covers(needed), covered, "{held} for {needed}");
        }
    }

    #[test]
    fn what_reaches_further_weighs_more_and_a_reading_twin_less() {
        let table = [
            ("AT", Weight::Light),
            ("create_mytoken", Weight::Heavy),
            ("manage_mytokens", Weight::Heaviest),
            ("read@settings", Weight::Heavy),
            ("read@settings:tags", Weight::Light),
            ("of_2031", Weight::Heavy),
        ];
        for (name, weight) in table {
            assert_eq!(Capability::new(name).weight(), weight, "{name}");
        }
    }

    #[test]
    fn only_some_names_have_a_twin_that_reads() {
        let known = |name: &str| Capability::new(name).is_known();
        assert!(known("read@settings:email") && known("tokeninfo"));
        assert!(!known("read@tokeninfo:history") && !known("at") && !known("of_2031"));
    }
}
