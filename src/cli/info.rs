//! `toktui info -`: a token's verdict and content; the exit code is the verdict.

use std::io::Read;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::{Stdout, json};
use crate::domain::failure::{Failure, Kind};
use crate::domain::jwt::Jwt;
use crate::domain::mytoken::{Clause, Facts};
use crate::domain::specimen::{self, recognise};
use crate::domain::time::{Clock, ago, countdown};
use crate::domain::untrusted::{Untrusted, cleaned};
use crate::domain::verdict::{Turn, Verdict};
use crate::wallet::Wallet;
use crate::wallet::look_up::{Ask, Found};

/// More than this is not read: no token is that long.
const LONGEST: u64 = 1 << 20;

/// What is wanted.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// JSON instead of text.
    pub json: bool,
    /// The user agrees that this server is asked.
    pub ask_server: Option<String>,
}

/// Reads a token from standard input, says what it is, and gives the exit code.
///
/// # Errors
/// When nothing readable comes.
pub async fn run(
    wallet: &Arc<Wallet>,
    clock: &dyn Clock,
    input: impl Read,
    wish: &Wish,
    out: &mut Stdout,
) -> Result<u8, Failure> {
    let mut text = Zeroizing::new(String::new());
    let unreadable = |why: &str| Failure::new(Kind::Unusable, "Reading the token", why);
    input.take(LONGEST).read_to_string(&mut text).map_err(|_| unreadable("standard input is not text"))?;
    let specimen = recognise(&text);
    if text.trim().is_empty() {
        return Err(
            unreadable("nothing came on standard input").hint("Pipe a token into it: `toktui info - < file`")
        );
    }
    let ask = wish.ask_server.clone().map_or(Ask::IfListed, Ask::This);
    let found = wallet.look_up_pasted(&specimen, &ask).await;
    let now = clock.now();
    let kind = kind_code(&specimen.kind);
    if wish.json {
        out.line(&json::safe(&as_json(&found, kind, now)));
    } else {
        for line in as_text(&found, now) {
            out.line(&line);
        }
    }
    Ok(found.verdict.exit_code())
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

/// In UTC and in full: it may be read in another place and on another day.
fn moment(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
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
