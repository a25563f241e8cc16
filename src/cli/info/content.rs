//! What `toktui info --json` says: version 1, to which members are only added.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::domain::introspected::{Introspected, Said};
use crate::domain::jwt::Jwt;
use crate::domain::mytoken::{Clause, Facts};
use crate::domain::signature::Signature;
use crate::domain::untrusted::Untrusted;
use crate::domain::verdict::Turn;
use crate::wallet::look_up::Found;

pub(super) fn as_json(
    found: &Found,
    kind: &str,
    now: Timestamp,
    called: &impl Fn(&Untrusted) -> String,
) -> Value {
    let verdict = &found.verdict;
    let turn = |wanted: Turn| verdict.turn.filter(|(turn, _)| *turn == wanted).map(|(_, at)| at.as_second());
    let mut object = json!({
        "version": 1,
        "kind": kind,
        "standing": verdict.standing.code(),
        "exit_code": found.exit_code(),
        "fact": verdict.fact,
        "decided_by": verdict.by.code(),
        "asked_at": verdict.heard.map(Timestamp::as_second),
        "now": now.as_second(),
        "starts_at": turn(Turn::Starts),
        "ends_at": turn(Turn::Ends),
        "ended_at": turn(Turn::Ended),
        "gives_access_token": verdict.gives_access,
        "remarks": verdict.remarks,
        "server_to_ask": found.may_ask,
    });
    if let (Some(facts), Some(fields)) = (&found.facts, object.as_object_mut()) {
        fields.insert("mytoken".to_owned(), facts_json(facts));
    }
    if let (Some(jwt), Some(fields)) = (&found.content, object.as_object_mut()) {
        fields.insert("jwt".to_owned(), jwt_json(jwt, found.signature.as_ref(), called));
    }
    if let (Some(introspected), Some(fields)) = (&found.introspected, object.as_object_mut()) {
        fields.insert("introspection".to_owned(), introspection_json(introspected));
    }
    object
}

fn jwt_json(jwt: &Jwt, signature: Option<&Signature>, called: &impl Fn(&Untrusted) -> String) -> Value {
    let verification = signature.map(|signature| {
        let (why, algorithm) = match signature {
            Signature::Unchecked(why) => (Some(why.code()), None),
            Signature::Good { algorithm, .. } => (None, Some(algorithm.raw())),
            Signature::Bad { .. } => (None, None),
        };
        json!({
            "result": signature.code(),
            "why": why,
            "words": signature.words(called),
            "issuer": signature.issuer().map(Untrusted::raw),
            "key": signature.key().map(Untrusted::raw),
            "algorithm": algorithm,
        })
    });
    json!({
        "verified": signature.is_some_and(Signature::is_good),
        "verification": verification,
        "header": jwt.header,
        "claims": jwt.claims,
    })
}

fn introspection_json(introspected: &Introspected) -> Value {
    let why = match &introspected.said {
        Said::Nothing(why) => Some(why),
        Said::Active(_) | Said::NotActive => None,
    };
    json!({
        "provider": introspected.by,
        "answer": introspected.code(),
        "why": why,
        "claims": introspected.claims(),
    })
}

fn facts_json(facts: &Facts) -> Value {
    let list = |texts: &[Untrusted]| texts.iter().map(|text| text.raw().to_owned()).collect::<Vec<_>>();
    let optional = |texts: &Option<Vec<Untrusted>>| texts.as_ref().map(|texts| list(texts));
    let clause = |clause: &Clause| {
        json!({
            "not_before": clause.not_before.map(Timestamp::as_second),
            "expires_at": clause.expires.map(Timestamp::as_second),
            "scopes": optional(&clause.scopes),
            "audiences": optional(&clause.audiences),
            "hosts": optional(&clause.hosts),
            "countries_allowed": optional(&clause.countries_allowed),
            "countries_refused": optional(&clause.countries_refused),
            "access_tokens": clause.uses_at,
            "access_tokens_left": clause.left_at(),
            "other_uses": clause.uses_other,
            "other_uses_left": clause.left_other(),
            "not_understood": list(&clause.unknown),
        })
    };
    json!({
        "server": facts.server.raw(),
        "provider": facts.provider.raw(),
        "subject": facts.subject.raw(),
        "name": facts.name.as_ref().map(Untrusted::raw),
        "mom_id": facts.mom_id.as_ref().map(Untrusted::raw),
        "copy": facts.copy,
        "issued_at": facts.issued.map(Timestamp::as_second),
        "not_before": facts.not_before.map(Timestamp::as_second),
        "expires_at": facts.expires.map(Timestamp::as_second),
        "capabilities": facts.capabilities.iter().map(|capability| capability.0.raw()).collect::<Vec<_>>(),
        "restrictions": facts.restrictions.iter().map(clause).collect::<Vec<_>>(),
        "rotation": facts.rotation.map(|rotation| json!({
            "on_access_token": rotation.on_at,
            "on_other_use": rotation.on_other,
            "lifetime": rotation.lifetime,
            "revokes_when_an_older_copy_is_used": rotation.auto_revoke,
        })),
    })
}
