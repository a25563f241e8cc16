//! `toktui info -`: a token's verdict and content; the exit code is the verdict.

use std::io::Read;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::house::House;
use super::{input, json, moment};
use crate::domain::credential::Chain;
use crate::domain::failure::{Failure, Kind};
use crate::domain::jwt::Jwt;
use crate::domain::mytoken::{Clause, Facts};
use crate::domain::specimen::{self, recognise};
use crate::domain::time::{ago, countdown};
use crate::domain::untrusted::{Untrusted, cleaned};
use crate::domain::verdict::{Turn, Verdict};
use crate::wallet::look_up::{Ask, Found};

/// Words of `toktui info`.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// A name; or `-`: the token on standard input
    #[arg(value_name = "NAME|-")]
    pub token: String,
    /// JSON instead of text
    #[arg(long)]
    pub json: bool,
    /// Ask this mytoken server although it is not configured
    #[arg(long, value_name = "URL")]
    pub ask_server: Option<String>,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
Exit codes:
  0  valid here and now (or alive and, by its own claims, good for an access token)
  2  wrong usage, or nothing that can be read
  3  not valid: expired, not yet, not from here, used up, rotated away, revoked
  4  cannot tell: its server was not asked or did not answer
Another JWT counts by its own times; its signature is not checked, and that is said.

Examples:
  toktui info - < ~/mytoken
  toktui info toar
  pass show toar | toktui info - --json";

/// Says what a token is. The exit code is the verdict.
///
/// # Errors
/// When nothing readable comes, or nothing is held under that name.
pub async fn run(house: &mut House, words: &Words, from: impl Read) -> Result<u8, Failure> {
    let (found, kind) = match words.token.as_str() {
        "-" => pasted(house, words, from).await?,
        name => held(house, name).await?,
    };
    let now = house.clock.now();
    if words.json {
        house.out.line(&json::safe(&as_json(&found, kind, now)));
    } else {
        for line in as_text(&found, now) {
            house.out.line(&line);
        }
    }
    Ok(found.verdict.exit_code())
}

async fn pasted(house: &House, words: &Words, from: impl Read) -> Result<(Found, &'static str), Failure> {
    let doing = "Reading the token";
    let text = input::all(from, doing)?;
    let specimen = recognise(&text);
    if text.trim().is_empty() {
        return Err(Failure::new(Kind::Unusable, doing, "nothing came on standard input")
            .hint("Pipe a token into it: `toktui info - < file`"));
    }
    let ask = words.ask_server.clone().map_or(Ask::IfListed, Ask::This);
    let found = house.wallet.look_up_pasted(&specimen, &ask).await;
    Ok((found, kind_code(&specimen.kind)))
}

async fn held(house: &House, name: &str) -> Result<(Found, &'static str), Failure> {
    let doing = format!("Looking {name} up");
    let held = house.opened(name, &doing).await?;
    let kind = match held.chain {
        Chain::Mytoken { .. } => "mytoken",
        Chain::Refresh { .. } => "login",
        Chain::None => "access_token",
    };
    let found = house.wallet.look_up(&held.id).await;
    let found = found.ok_or_else(|| {
        Failure::new(Kind::Failed, doing, "it could not be read, or what was found not be written")
    })?;
    Ok((found, kind))
}

fn kind_code(kind: &specimen::Kind) -> &'static str {
    match kind {
        specimen::Kind::Mytoken(_) => "mytoken",
        specimen::Kind::MaybeShortToken => "maybe_short_mytoken",
        specimen::Kind::MaybeTransferCode => "maybe_transfer_code",
        specimen::Kind::AccessToken(_) => "access_token",
        specimen::Kind::IdToken(_) => "id_token",
        specimen::Kind::RefreshToken(_) => "refresh_token",
        specimen::Kind::OtherJwt(_) => "jwt",
        specimen::Kind::Opaque => "opaque",
        specimen::Kind::Garbled { .. } => "unreadable",
    }
}

fn as_json(found: &Found, kind: &str, now: Timestamp) -> Value {
    let verdict = &found.verdict;
    let turn = |wanted: Turn| verdict.turn.filter(|(turn, _)| *turn == wanted).map(|(_, at)| at.as_second());
    let mut object = json!({
        "version": 1,
        "kind": kind,
        "standing": verdict.standing.code(),
        "exit_code": verdict.exit_code(),
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
        fields.insert(
            "jwt".to_owned(),
            json!({ "verified": false, "header": jwt.header, "claims": jwt.claims }),
        );
    }
    object
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

fn as_text(found: &Found, now: Timestamp) -> Vec<String> {
    let verdict = &found.verdict;
    let (word, rest) = verdict.standing.words();
    let headline = [word, rest].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(" ");
    let mut lines = vec![match turn_words(verdict, now) {
        Some(turn) => format!("{headline}   {turn}"),
        None => headline,
    }];
    lines.push(format!("  {}", verdict.fact));
    lines.extend(verdict.remarks.iter().map(|remark| format!("  ! {remark}")));
    if let Some(facts) = &found.facts {
        lines.push(String::new());
        lines.extend(facts_lines(facts, now));
    }
    if let Some(jwt) = &found.content {
        lines.push(String::new());
        lines.extend(claims_lines(jwt, now));
    }
    if let Some(server) = &found.may_ask {
        lines.push(String::new());
        let server = cleaned(server);
        lines.push(format!(
            "Not asked: {server} is not configured here. If you trust it: --ask-server {server}"
        ));
    }
    lines
}

fn turn_words(verdict: &Verdict, now: Timestamp) -> Option<String> {
    let (turn, at) = verdict.turn?;
    Some(match turn {
        Turn::Ends => format!("ends in {}   {}", countdown(at.duration_since(now)), moment(at)),
        Turn::Starts => format!("starts in {}   {}", countdown(at.duration_since(now)), moment(at)),
        Turn::Ended => format!("ended {}   {}", ago(now.duration_since(at)), moment(at)),
    })
}

fn facts_lines(facts: &Facts, now: Timestamp) -> Vec<String> {
    let mut lines = Vec::new();
    let mut put = |label: &str, text: String| {
        if !text.is_empty() {
            lines.push(format!("  {label:<9}{text}"));
        }
    };
    put("name", facts.name.as_ref().map(Untrusted::shown).unwrap_or_default());
    put("as", facts.subject.shown());
    put("for", format!("{}, at {}", facts.provider.shown(), facts.server.shown()));
    let may = facts.capabilities.iter().map(|capability| capability.0.shown()).collect::<Vec<_>>();
    put("may", may.join("  "));
    for clause in &facts.restrictions {
        put("only", clause_words(clause, now));
    }
    if let Some(rotation) = facts.rotation.filter(|rotation| rotation.rotates()) {
        let when = match (rotation.on_at, rotation.on_other) {
            (true, true) => "on every use",
            (true, false) => "on every access token",
            _ => "on every use but access tokens",
        };
        let warning = if rotation.auto_revoke { "; an older copy in use revokes the family" } else { "" };
        let copy = facts.copy.map(|copy| format!("; this is copy {copy}")).unwrap_or_default();
        put("turns", format!("over {when}{copy}{warning}"));
    }
    lines
}

fn clause_words(clause: &Clause, now: Timestamp) -> String {
    let shown = |texts: &[Untrusted]| texts.iter().map(Untrusted::shown).collect::<Vec<_>>().join(" ");
    let mut words = Vec::new();
    words.extend(clause.not_before.filter(|at| *at > now).map(|at| format!("from {}", moment(at))));
    words.extend(clause.expires.map(|at| format!("until {}", moment(at))));
    words.extend(clause.scopes.as_deref().map(|scopes| format!("scopes {}", shown(scopes))));
    words.extend(clause.audiences.as_deref().map(|audiences| format!("audience {}", shown(audiences))));
    words.extend(clause.hosts.as_deref().map(|hosts| format!("from hosts {}", shown(hosts))));
    words.extend(clause.countries_allowed.as_deref().map(|codes| format!("in {}", shown(codes))));
    words.extend(clause.countries_refused.as_deref().map(|codes| format!("not in {}", shown(codes))));
    words.extend(
        clause
            .left_at()
            .zip(clause.uses_at)
            .map(|(left, most)| format!("{left} of {most} access tokens left")),
    );
    words.extend(
        clause
            .left_other()
            .zip(clause.uses_other)
            .map(|(left, most)| format!("{left} of {most} other uses left")),
    );
    if words.is_empty() { "nothing: this clause allows everything".to_owned() } else { words.join(" · ") }
}

fn claims_lines(jwt: &Jwt, now: Timestamp) -> Vec<String> {
    let mut lines = vec!["  content, not verified".to_owned()];
    let part = |lines: &mut Vec<String>, map: &Map<String, Value>| {
        for (name, value) in map {
            let text = match value {
                Value::String(text) => cleaned(text),
                other => cleaned(&other.to_string()),
            };
            let is_moment = matches!(name.as_str(), "exp" | "iat" | "nbf" | "auth_time");
            let at = jwt.moment(name).filter(|_| is_moment);
            let text = at.map_or(text, |at| {
                let span = at.duration_since(now);
                let how = if span.is_negative() { ago(-span) } else { format!("in {}", countdown(span)) };
                format!("{}   {how}", moment(at))
            });
            lines.push(format!("  {:<18} {text}", cleaned(name)));
        }
    };
    part(&mut lines, &jwt.header);
    part(&mut lines, &jwt.claims);
    lines
}
