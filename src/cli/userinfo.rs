//! `toktui userinfo NAME`: what the provider says of the user, with groups and roles, and which scope would bring more.

use clap::Args;
use serde_json::{Value, json};

use super::house::House;
use super::{json, moment, token};
use crate::domain::failure::Failure;
use crate::domain::jwt;
use crate::domain::membership::{CLAIMS, Kind, Membership};
use crate::domain::scopes::Known;
use crate::domain::untrusted::{Untrusted, cleaned};
use crate::domain::userinfo::Userinfo;

/// Words of `toktui userinfo`.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// The name it is held under
    pub name: String,
    /// JSON instead of text
    #[arg(long)]
    pub json: bool,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
Asks the provider with the access token that is held, or with a new one where none lives: what that costs is said. An answer about
anybody else than the login's own user is thrown away. Groups and roles are read out of eduperson_entitlement, entitlements, wlcg.groups,
groups, and what else the provider is known to put them in (`group_claims` in the config).

Examples:
  toktui userinfo egi
  toktui userinfo egi --json | jq -r '.memberships[] | select(.role == \"member\").vo'

JSON (version 1):
  name, at, asked_at (seconds since 1970), subject, claims (as they came)
  same_user      whether that is the user whom the login's ID token named; null where there is none to compare it with
  memberships[]  kind (group, capability, other), vo, groups, role, authority, claims (that it stands in), raw
  would_bring[]  scope, words, claims: scopes offered there whose claims did not come

Exit codes: 0 told; 2 nothing is held under that name, or its provider is not listed; 3 the token is not taken, or a login is
needed; 4 not reached.";

/// Asks and tells.
///
/// # Errors
/// With the deciding fact.
pub async fn run(house: &mut House, words: &Words) -> Result<u8, Failure> {
    let doing = format!("Asking whom {} speaks for", words.name);
    token::draw(house, &words.name, &token::Wanted::default(), &doing).await?;
    let id = house.find(&words.name, &doing)?;
    let told = house.wallet.userinfo(&id).await?;
    if words.json {
        house.out.line(&json::safe(&as_json(&told)));
    } else {
        for line in as_text(&told) {
            house.out.line(&line);
        }
    }
    Ok(0)
}

fn as_json(told: &Userinfo) -> Value {
    let membership = |one: &Membership| {
        json!({
            "kind": match one.kind { Kind::Group => "group", Kind::Capability => "capability", Kind::Other => "other" },
            "vo": one.vo.raw(),
            "groups": one.groups.iter().map(Untrusted::raw).collect::<Vec<_>>(),
            "role": one.role.raw(),
            "authority": one.authority.raw(),
            "claims": one.claims,
            "raw": one.raw.raw(),
        })
    };
    json!({
        "version": 1,
        "name": told.name,
        "at": told.at,
        "asked_at": told.asked.as_second(),
        "subject": told.subject.raw(),
        "same_user": told.is_same_user,
        "claims": told.claims,
        "memberships": told.memberships.iter().map(membership).collect::<Vec<_>>(),
        "would_bring": told.would_bring.iter().map(|known| json!({
            "scope": known.scope, "words": known.words, "claims": known.claims,
        })).collect::<Vec<_>>(),
    })
}

fn as_text(told: &Userinfo) -> Vec<String> {
    let mut lines = vec![cleaned(&format!("{} says, asked {}:", told.at, moment(told.asked)))];
    for (name, value) in &told.claims {
        let in_groups = told.memberships.iter().any(|one| one.claims.iter().any(|claim| claim == name));
        if !(in_groups || CLAIMS.contains(&name.as_str())) {
            lines.push(format!("  {:<20} {}", cleaned(name), value_words(name, value)));
        }
    }
    lines.push(String::new());
    if told.memberships.is_empty() {
        lines.push("No groups or roles came.".to_owned());
    } else {
        lines.push("Groups and roles:".to_owned());
        lines.extend(told.memberships.iter().map(|one| format!("  {}", one.words())));
    }
    if !told.would_bring.is_empty() {
        lines.push(String::new());
        lines.push(
            "Not told; a login with these scopes would bring it, if the client may have them:".to_owned(),
        );
        let line = |known: &&Known| format!("  {:<30} {}", known.scope, known.words);
        lines.extend(told.would_bring.iter().map(line));
    }
    lines
}

/// A claim's value as text; the claims that are moments as moments.
pub(super) fn value_words(name: &str, value: &Value) -> String {
    let is_moment = matches!(name, "updated_at" | "auth_time" | "exp" | "iat" | "nbf");
    match value {
        Value::String(text) => cleaned(text),
        Value::Array(list) if list.iter().all(Value::is_string) => {
            list.iter().filter_map(Value::as_str).map(cleaned).collect::<Vec<_>>().join(", ")
        }
        other => match jwt::moment(other).filter(|_| is_moment) {
            Some(at) => moment(at),
            None => cleaned(&other.to_string()),
        },
    }
}
