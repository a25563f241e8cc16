//! Whether the signature of a token is its issuer's, and if nobody could say, why.

use super::untrusted::Untrusted;

/// What a look at a token's signature came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signature {
    /// It is that of a key which the issuer publishes.
    Good {
        /// The issuer.
        issuer: Untrusted,
        /// The name of the key (`kid`), where it has one.
        key: Option<Untrusted>,
        /// The algorithm (`alg`).
        algorithm: Untrusted,
    },
    /// The issuer publishes the key that is named, and it did not make this signature.
    Bad {
        /// The issuer.
        issuer: Untrusted,
        /// The name of the key, as the token gives it.
        key: Option<Untrusted>,
    },
    /// Nobody can say.
    Unchecked(Unchecked),
}

/// Why a signature was not checked. Only [`Unchecked::NoKey`] and [`Unchecked::NotReached`] have asked anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unchecked {
    /// `alg` is `none`.
    Unsigned,
    /// It is not said how it is signed.
    NoAlgorithm,
    /// Signed with a secret that only its issuer has.
    Secret(Untrusted),
    /// An algorithm that nobody here can check.
    Algorithm(Untrusted),
    /// It demands extensions (`crit`, RFC 7515 §4.1.11).
    Extensions,
    /// It does not say who made it.
    NoIssuer,
    /// Its issuer is not listed here: nothing is fetched from it.
    NotListed(Untrusted),
    /// The issuer publishes no such key.
    NoKey {
        /// The issuer.
        issuer: Untrusted,
        /// The name of the key; its algorithm where it names none.
        key: Untrusted,
    },
    /// The issuer's keys were not had.
    NotReached {
        /// The issuer.
        issuer: Untrusted,
        /// Why, cleaned.
        why: String,
    },
    /// Nobody was to be asked.
    NotAsked,
}

impl Signature {
    /// Whether it is the issuer's.
    #[must_use]
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Good { .. })
    }

    /// Whether it is known not to be the issuer's.
    #[must_use]
    pub fn is_bad(&self) -> bool {
        matches!(self, Self::Bad { .. })
    }

    /// It in one line, fit to be shown; `called` gives an issuer the name that it has here.
    #[must_use]
    pub fn words(&self, called: impl Fn(&Untrusted) -> String) -> String {
        match self {
            Self::Good { issuer, key: Some(key), .. } => {
                format!("signature good, by key {} of {}", key.shown_within(64), called(issuer))
            }
            Self::Good { issuer, key: None, .. } => {
                format!("signature good, by the key of {}", called(issuer))
            }
            Self::Bad { issuer, key: Some(key) } => {
                let key = key.shown_within(64);
                format!("signature does not fit: key {key} of {} did not make it", called(issuer))
            }
            Self::Bad { issuer, key: None } => {
                format!("signature does not fit: no key of {} made it", called(issuer))
            }
            Self::Unchecked(why) => format!("signature not checked: {}", why.words(called)),
        }
    }

    /// The same without the name of the key, which may be as long as a digest.
    #[must_use]
    pub fn brief(&self, called: impl Fn(&Untrusted) -> String) -> String {
        match self {
            Self::Good { issuer, .. } => format!("signature good, by a key of {}", called(issuer)),
            Self::Bad { issuer, .. } => format!("signature does not fit the key of {}", called(issuer)),
            Self::Unchecked(_) => self.words(called),
        }
    }

    /// A stable word for `--json`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Good { .. } => "good",
            Self::Bad { .. } => "does_not_fit",
            Self::Unchecked(_) => "not_checked",
        }
    }

    /// The issuer whose keys were asked for, or would have been.
    #[must_use]
    pub fn issuer(&self) -> Option<&Untrusted> {
        match self {
            Self::Good { issuer, .. } | Self::Bad { issuer, .. } => Some(issuer),
            Self::Unchecked(why) => why.issuer(),
        }
    }

    /// The name of the key.
    #[must_use]
    pub fn key(&self) -> Option<&Untrusted> {
        match self {
            Self::Good { key, .. } | Self::Bad { key, .. } => key.as_ref(),
            Self::Unchecked(_) => None,
        }
    }
}

impl Unchecked {
    /// It as a clause, fit to be shown.
    #[must_use]
    pub fn words(&self, called: impl Fn(&Untrusted) -> String) -> String {
        match self {
            Self::Unsigned => "it has none (alg none)".to_owned(),
            Self::NoAlgorithm => "it does not say how it is signed".to_owned(),
            Self::Secret(name) => {
                format!("{} takes a secret that only its issuer has", name.shown_within(20))
            }
            Self::Algorithm(name) => format!("{} is not known here", name.shown_within(40)),
            Self::Extensions => "it demands extensions that are not known here (crit)".to_owned(),
            Self::NoIssuer => "it does not name its issuer".to_owned(),
            Self::NotListed(issuer) => {
                format!("{} is not listed here, so its keys were not fetched", issuer.shown_within(80))
            }
            Self::NoKey { issuer, key } => {
                format!("{} publishes no key {}", called(issuer), key.shown_within(64))
            }
            Self::NotReached { issuer, why } => format!("no keys from {}: {why}", called(issuer)),
            Self::NotAsked => "nobody was asked for keys".to_owned(),
        }
    }

    /// A stable word for `--json`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unsigned => "unsigned",
            Self::NoAlgorithm => "no_algorithm",
            Self::Secret(_) => "shared_secret",
            Self::Algorithm(_) => "unknown_algorithm",
            Self::Extensions => "extensions",
            Self::NoIssuer => "no_issuer",
            Self::NotListed(_) => "issuer_not_listed",
            Self::NoKey { .. } => "unknown_key",
            Self::NotReached { .. } => "not_reached",
            Self::NotAsked => "not_asked",
        }
    }

    fn issuer(&self) -> Option<&Untrusted> {
        match self {
            Self::NotListed(issuer) | Self::NoKey { issuer, .. } | Self::NotReached { issuer, .. } => {
                Some(issuer)
            }
            Self::Unsigned
            | Self::NoAlgorithm
            | Self::Secret(_)
            | Self::Algorithm(_)
            | Self::Extensions
            | Self::NoIssuer
            | Self::NotAsked => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_has_its_own_words_and_hostile_names_are_harmless() {
        let issuer = || Untrusted::from("https://op/");
        let good = |key: Option<&str>| Signature::Good {
            issuer: issuer(),
            key: key.map(Untrusted::from),
            algorithm: "RS256".into(),
        };
        let table = [
            (good(Some("k\u{1b}1")), "signature good, by key k\\u{1b}1 of EGI"),
            (good(None), "signature good, by the key of EGI"),
            (
                Signature::Bad { issuer: issuer(), key: Some("k1".into()) },
                "signature does not fit: key k1 of EGI did not make it",
            ),
            (
                Signature::Unchecked(Unchecked::Algorithm("ML-DSA-44".into())),
                "signature not checked: ML-DSA-44 is not known here",
            ),
            (
                Signature::Unchecked(Unchecked::NotListed(issuer())),
                "signature not checked: https://op/ is not listed here, so its keys were not fetched",
            ),
            (
                Signature::Unchecked(Unchecked::NoKey { issuer: issuer(), key: "k9".into() }),
                "signature not checked: EGI publishes no key k9",
            ),
        ];
        for (signature, words) in table {
            assert_eq!(signature.words(|_| "EGI".to_owned()), words);
        }
    }
}
