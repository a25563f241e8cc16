//! What is held, as JSON of a promised shape.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::domain::credential::{Chain, Custody, Got, Health, Held, HeldAccess};
use crate::domain::untrusted::Untrusted;
use crate::domain::vault::{Access, Vault};

/// The whole answer.
pub(super) fn of(held: &[&Held], vault: &Vault, now: Timestamp) -> Value {
    json!({
        "version": 1,
        "now": now.as_second(),
        "store": access_code(&vault.access),
        "tokens": held.iter().map(|held| one(held)).collect::<Vec<_>>(),
    })
}

/// A stable word for how the store stands.
pub(in crate::cli) fn access_code(access: &Access) -> &'static str {
    match access {
        Access::NoStore => "none",
        Access::MemoryOnly(_) => "memory",
        Access::Open { .. } => "open",
        Access::Locked => "locked",
    }
}

fn one(held: &Held) -> Value {
    let identity = held.identity.as_ref();
    let (health, reason) = health_code(&held.health);
    let through = match &held.chain {
        Chain::Refresh { through, .. } => Some(through),
        Chain::Mytoken { .. } | Chain::None => None,
    };
    json!({
        "name": held.name,
        "id": held.id.0,
        "source": held.source.as_str(),
        "issuer": identity.map(|identity| identity.issuer.raw()),
        "subject": identity.map(|identity| identity.subject.raw()),
        "label": identity.and_then(|identity| identity.label.as_ref()).map(Untrusted::raw),
        "kind": kind_code(&held.chain),
        "client": through.and_then(|through| through.client.as_deref()),
        "got": through.and_then(|through| through.got).map(got_code),
        "last_used": held.last_used().map(Timestamp::as_second),
        "custody": custody_code(&held.custody),
        "health": health,
        "health_reason": reason,
        "since": held.since.as_second(),
        "ends_at": held.chain_ends().map(Timestamp::as_second),
        "uses_left": held.chain.uses_left(),
        "paused_until": held.pause.as_ref().map(|pause| pause.until.as_second()),
        "access": held.access.iter().map(access).collect::<Vec<_>>(),
    })
}

fn access(access: &HeldAccess) -> Value {
    let granted = access.granted.as_ref().map(|list| list.iter().map(Untrusted::raw).collect::<Vec<_>>());
    json!({
        "scopes": access.ask.scopes,
        "audiences": access.ask.audiences,
        "granted": granted,
        "obtained_at": access.obtained.as_second(),
        "expires_at": access.expires.map(Timestamp::as_second),
    })
}

fn kind_code(chain: &Chain) -> &'static str {
    match chain {
        Chain::Refresh { .. } => "login",
        Chain::Mytoken { .. } => "mytoken",
        Chain::None => "access_token",
    }
}

fn got_code(got: Got) -> &'static str {
    match got {
        Got::Device => "device",
        Got::Browser => "browser",
        Got::Pasted => "pasted",
        Got::Portal => "portal",
        Got::Kept => "kept",
    }
}

fn custody_code(custody: &Custody) -> &'static str {
    match custody {
        Custody::Sealed => "sealed",
        Custody::KeyFile => "key_file",
        Custody::Session => "session",
        Custody::Unsaved(_) => "unsaved",
        Custody::MemoryOnly => "memory_only",
        Custody::Foreign(_) => "foreign",
    }
}

fn health_code(health: &Health) -> (&'static str, Option<&str>) {
    match health {
        Health::Ok => ("ok", None),
        Health::InDoubt(why) => ("in_doubt", Some(why)),
        Health::NeedsLogin(why) => ("needs_login", Some(why)),
        Health::Dead(why) => ("dead", Some(why)),
    }
}
