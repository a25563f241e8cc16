//! Asked against granted, for a login at a provider.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use crate::domain::jwt::Jwt;
use crate::domain::login::{Compared, Relation};
use crate::domain::time::countdown;
use crate::domain::untrusted::{Untrusted, cleaned};
use crate::oidc::tokens::TokenSet;
use crate::wallet::granted::life;

/// The scope that asks for a refresh token which outlives the session (OpenID Connect Core §11).
pub(super) const OFFLINE: &str = "offline_access";

/// The lines of the report, side by side.
pub(super) fn compared(asked: &[String], audiences: &BTreeSet<String>, set: &TokenSet) -> Vec<Compared> {
    let mut lines = vec![scopes(asked, set), renewable(asked, set), lives(set)];
    lines.extend(good_for(audiences, set));
    lines
}

/// The audiences, where some were asked for, and what the access token says itself, where it can be read.
fn good_for(asked: &BTreeSet<String>, set: &TokenSet) -> Option<Compared> {
    let words = asked.iter().map(|audience| cleaned(audience)).collect::<Vec<_>>().join(" ");
    let granted = Jwt::parse(set.access.expose())?.texts("aud");
    let takes = asked.iter().all(|audience| granted.iter().any(|got| got.raw() == audience));
    let more = granted.iter().any(|got| !asked.contains(got.raw()));
    let (relation, note) = match (takes, more) {
        (true, false) => (Relation::Same, None),
        (true, true) => (Relation::Wider, Some("good for more than was asked".to_owned())),
        (false, _) => (Relation::Other, Some("the provider did not take the audience".to_owned())),
    };
    let shown = granted.iter().map(Untrusted::shown).collect::<Vec<_>>().join(" ");
    let shown = if shown.is_empty() { "none named".to_owned() } else { shown };
    (!asked.is_empty()).then(|| line("audience", words, shown, relation, note))
}

fn line(what: &str, asked: String, granted: String, relation: Relation, note: Option<String>) -> Compared {
    Compared { what: what.to_owned(), asked, granted, relation, note }
}

fn scopes(asked: &[String], set: &TokenSet) -> Compared {
    let asked: Vec<&str> = asked.iter().map(String::as_str).filter(|scope| *scope != OFFLINE).collect();
    let Some(granted) = &set.granted else {
        // A provider that grants what was asked need not repeat it (RFC 6749 §5.1).
        return line("scopes", asked.join(" "), "as asked".to_owned(), Relation::Same, None);
    };
    let granted: Vec<&Untrusted> = granted.iter().filter(|scope| scope.raw() != OFFLINE).collect();
    let missing: Vec<&str> =
        asked.iter().filter(|scope| !granted.iter().any(|got| got.raw() == **scope)).copied().collect();
    let more = granted.iter().any(|scope| !asked.contains(&scope.raw()));
    let relation = match (missing.is_empty(), more) {
        (true, false) => Relation::Same,
        (true, true) => Relation::Wider,
        (false, false) => Relation::Narrower,
        (false, true) => Relation::Other,
    };
    let note = match relation {
        Relation::Same => None,
        Relation::Wider => Some("more than asked: the client's default scopes".to_owned()),
        Relation::Narrower | Relation::Other => Some(format!("not granted: {}", missing.join(" "))),
    };
    let shown = granted.iter().map(|scope| scope.shown()).collect::<Vec<_>>().join(" ");
    line("scopes", asked.join(" "), shown, relation, note)
}

fn renewable(asked: &[String], set: &TokenSet) -> Compared {
    let is_asked = asked.iter().any(|scope| scope == OFFLINE);
    let (granted, relation) = match (&set.refresh, is_asked) {
        (Some(_), true) => (how_long(set), Relation::Same),
        (Some(_), false) => ("yes, with this login session".to_owned(), Relation::Same),
        (None, true) => ("none".to_owned(), Relation::Narrower),
        (None, false) => ("none".to_owned(), Relation::Same),
    };
    let asked = if is_asked { "yes" } else { "not asked" };
    line("renewable", asked.to_owned(), granted, relation, None)
}

fn how_long(set: &TokenSet) -> String {
    match set.refresh_expires_in {
        Some(0) => "yes, without a fixed end".to_owned(),
        Some(seconds) if seconds > 0 => {
            format!("yes, for {}", countdown(SignedDuration::from_secs(seconds)))
        }
        _ => "yes; the provider does not say how long".to_owned(),
    }
}

fn lives(set: &TokenSet) -> Compared {
    let granted = life(&set.access, set.expires_in, set.date).map_or_else(
        || "the provider does not say".to_owned(),
        |seconds| countdown(SignedDuration::from_secs(seconds)),
    );
    line("lives", "as long as it gives".to_owned(), granted, Relation::Same, None)
}

/// Why no refresh token came.
pub(super) fn no_refresh(asked: &[String], extra: &[(String, String)], set: &TokenSet) -> Option<String> {
    if set.refresh.is_some() {
        return None;
    }
    if !asked.iter().any(|scope| scope == OFFLINE) {
        return Some("because offline_access was not asked for".to_owned());
    }
    let granted =
        set.granted.as_ref().is_none_or(|granted| granted.iter().any(|scope| scope.raw() == OFFLINE));
    let consents = extra.iter().any(|(name, value)| name == "prompt" && value.contains("consent"));
    Some(match (granted, consents) {
        (true, _) => "although offline_access was granted: this client may not have one".to_owned(),
        (false, true) => "because the provider did not grant offline_access to this client".to_owned(),
        (false, false) => {
            "because the provider did not grant offline_access; some give it only with prompt=consent"
                .to_owned()
        }
    })
}
