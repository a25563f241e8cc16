//! Any draft: for the tests of what is written and read back.

use proptest::prelude::*;

use super::{Draft, DraftClause, When};
use crate::domain::mytoken::{Capability, Clause, Form, Rotation};
use crate::domain::time::from_epoch;
use crate::domain::untrusted::Untrusted;

/// Drafts without control characters in them, and without what is the same as nothing (an empty list, a lifetime of 0).
pub fn drafts() -> impl Strategy<Value = Draft> {
    let parts =
        (text(), provider(), words(), prop::collection::vec(clause(), 0..4), rotation(), form(), words());
    parts.prop_map(|(name, provider, capabilities, clauses, rotation, form, templates)| Draft {
        name,
        provider,
        capabilities: capabilities.into_iter().map(Capability::new).collect(),
        clauses,
        rotation,
        form,
        templates,
    })
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-z' \"$\\\\;&|<>`!*?#~=%(){}\\[\\]äß日-]{0,20}", "[^\\pC]{0,12}"]
}

fn provider() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "https://[a-z]{1,9}\\.example\\.org(/realms/[a-z']{1,5})?/?"]
}

/// Words without a blank of any kind in them.
fn words() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[a-zA-Z@:/*'\"$;\\\\.ä-]{1,9}", 0..4)
}

fn some_words() -> impl Strategy<Value = Option<Vec<Untrusted>>> {
    words().prop_map(|words| {
        Some(words.into_iter().map(Untrusted::new).collect::<Vec<_>>()).filter(|words| !words.is_empty())
    })
}

fn when() -> impl Strategy<Value = Option<When>> {
    prop_oneof![
        Just(None),
        (0..9_000_000_000_u64).prop_map(|seconds| Some(When::In(seconds))),
        (0..250_000_000_000_i64).prop_map(|at| Some(When::At(from_epoch(at)))),
    ]
}

fn count() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![Just(None), Just(Some(0)), (0..i64::MAX.unsigned_abs()).prop_map(Some)]
}

fn clause() -> impl Strategy<Value = DraftClause> {
    let lists = (some_words(), some_words(), some_words(), some_words(), some_words());
    (when(), when(), lists, count(), count()).prop_map(|(starts, ends, lists, uses_at, uses_other)| {
        let (scopes, audiences, hosts, countries_allowed, countries_refused) = lists;
        let rest = Clause {
            scopes,
            audiences,
            hosts,
            countries_allowed,
            countries_refused,
            uses_at,
            uses_other,
            ..Clause::default()
        };
        DraftClause { starts, ends, rest }
    })
}

fn rotation() -> impl Strategy<Value = Rotation> {
    let life = prop_oneof![Just(None), (1..9_000_000_000_u64).prop_map(Some)];
    (any::<bool>(), any::<bool>(), life, any::<bool>()).prop_map(
        |(on_at, on_other, lifetime, auto_revoke)| Rotation { on_at, on_other, lifetime, auto_revoke },
    )
}

fn form() -> impl Strategy<Value = Form> {
    prop_oneof![Just(Form::Token), Just(Form::Short), Just(Form::Code)]
}
