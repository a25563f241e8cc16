//! A client as it was asked for against the one that was registered.

use jiff::Timestamp;

use super::ends_soon;
use crate::domain::login::{Compared, Relation};
use crate::domain::source::ClientAuth;
use crate::domain::untrusted::{Untrusted, cleaned};
use crate::oidc::registration::{DEVICE, Given, REFRESH, Wish};

/// Its own words are shown up to this many columns.
const LONGEST: usize = 60;

/// The lines of the report, side by side.
pub(super) fn compared(wish: &Wish<'_>, grants: &[&str], given: &Given) -> Vec<Compared> {
    let scopes: Vec<&str> = wish.scopes.iter().map(String::as_str).collect();
    let redirects: Vec<&str> = wish.redirects.iter().map(String::as_str).collect();
    vec![
        signs_in(given),
        list("scopes", &scopes, given.scopes.as_deref(), str::to_owned),
        list("grants", grants, given.grants.as_deref(), short),
        list("sent back to", &redirects, given.redirects.as_deref(), str::to_owned),
        Compared {
            what: "deleted by".to_owned(),
            asked: "toktui provider unregister".to_owned(),
            granted: if given.management.is_some() { "the same" } else { "its administrators only" }
                .to_owned(),
            relation: if given.management.is_some() { Relation::Same } else { Relation::Narrower },
            note: None,
        },
    ]
}

fn signs_in(given: &Given) -> Compared {
    let (granted, relation, note) = match &given.auth {
        Ok(ClientAuth::None) => ("public, PKCE".to_owned(), Relation::Same, None),
        Ok(ClientAuth::Basic | ClientAuth::Post) => (
            "with a secret".to_owned(),
            Relation::Other,
            Some("the secret is in the store, beside your tokens".to_owned()),
        ),
        Err(word) => {
            (word.shown_within(LONGEST), Relation::Other, Some("toktui cannot say who it is so".to_owned()))
        }
    };
    Compared { what: "client".to_owned(), asked: "public, PKCE".to_owned(), granted, relation, note }
}

fn list(what: &str, asked: &[&str], given: Option<&[Untrusted]>, word: impl Fn(&str) -> String) -> Compared {
    let words = |list: &[&str]| list.iter().map(|one| cleaned(&word(one))).collect::<Vec<_>>().join(" ");
    let Some(given) = given else {
        return Compared {
            what: what.to_owned(),
            asked: words(asked),
            granted: "it does not say".to_owned(),
            relation: Relation::Same,
            note: None,
        };
    };
    let given: Vec<&str> = given.iter().map(Untrusted::raw).collect();
    let missing: Vec<&str> = asked.iter().filter(|one| !given.contains(one)).copied().collect();
    let more = given.iter().any(|one| !asked.contains(one));
    let relation = match (missing.is_empty(), more) {
        (true, false) => Relation::Same,
        // What a client may ask for is not what it asks for: no alarm.
        (_, true) => Relation::Other,
        (false, false) => Relation::Narrower,
    };
    let note = (!missing.is_empty()).then(|| format!("not registered: {}", words(&missing)));
    let granted = if given.is_empty() { "none".to_owned() } else { words(&given) };
    Compared { what: what.to_owned(), asked: words(asked), granted, relation, note }
}

fn short(grant: &str) -> String {
    if grant == DEVICE { "device_code".to_owned() } else { grant.to_owned() }
}

/// What the differences mean, most important first.
pub(super) fn remarks(given: &Given, now: Timestamp) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Err(word) = &given.auth {
        remarks.push(format!(
            "no login is possible as this client: it must sign in by {}, which toktui does not speak",
            word.shown_within(LONGEST)
        ));
    }
    if let Some(end) = ends_soon(given.secret_ends, now) {
        remarks
            .push(format!("its secret ends at {} UTC: register anew then", end.strftime("%Y-%m-%d %H:%M")));
    }
    let lacks = |list: Option<&[Untrusted]>, word: &str| !super::lists(list, word);
    if lacks(given.grants.as_deref(), REFRESH) {
        remarks.push("it may not renew: every access token will take a login".to_owned());
    } else if lacks(given.scopes.as_deref(), "offline_access") {
        remarks.push(
            "it may not ask for offline_access: a login lasts as long as the browser's session".to_owned(),
        );
    }
    remarks
}
