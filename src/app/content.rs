//! What a token says and what a credential holds, line by line, as the overlays show it: never a secret.

use jiff::Timestamp;
use serde_json::{Map, Value};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::active;
use super::compare::Comparison;
use super::lookup;
use super::overlay::Overlay;
use super::state::State;
use super::tally::SKEW;
use crate::domain::announced::Announced;
use crate::domain::compare::{Change, How, Part};
use crate::domain::credential::{Ask, Chain, ChainEnd, Custody, Health, Held, HeldAccess, Through};
use crate::domain::event::{Event, Teller};
use crate::domain::family::Member;
use crate::domain::introspected::Answer;
use crate::domain::jwt::{self, Jwt};
use crate::domain::membership::CLAIMS;
use crate::domain::mytoken::Facts;
use crate::domain::scopes;
use crate::domain::signature::Signature;
use crate::domain::source::SourceId;
use crate::domain::time::countdown;
use crate::domain::untrusted::{Untrusted, cleaned};
use crate::domain::userinfo::Userinfo;
use crate::domain::vault::Vault;

/// Columns of the names at the left.
pub const NAMES: usize = 18;

/// A line to read. All of its text is fit to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A heading.
    Head(String),
    /// A name and its value; the name is empty where a value goes on.
    Pair(String, String),
    /// A name and a moment, to be shown with how far away it is.
    Moment(String, Timestamp),
    /// Nothing.
    Blank,
}

/// Claims that are moments (RFC 7519 §4.1, `OpenID` Connect Core §2, §5.1).
const MOMENTS: &[&str] = &["exp", "iat", "nbf", "auth_time", "updated_at"];

impl Line {
    /// Whether its name or value holds this text, which is in lower case.
    #[must_use]
    pub fn holds(&self, wanted: &str) -> bool {
        let holds = |text: &str| text.to_lowercase().contains(wanted);
        match self {
            Self::Head(text) | Self::Moment(text, _) => holds(text),
            Self::Pair(name, value) => holds(name) || holds(value),
            Self::Blank => false,
        }
    }
}

/// A claim, or a member of a header, that a line belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// Its value.
    pub value: Value,
    /// Which of the tokens on the page it is of.
    pub token: usize,
}

impl Claim {
    /// The value as text that is harmless wherever it is pasted.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.value {
            Value::String(text) => cleaned(text),
            other => cleaned(&other.to_string()),
        }
    }
}

/// The claim in a line of a page.
#[must_use]
pub fn claim_at(state: &State, overlay: &Overlay, width: usize, line: usize) -> Option<Claim> {
    page_of(state, overlay, width)?.claims.into_iter().nth(line).flatten()
}

/// A token on a page, by its place there.
#[must_use]
pub fn token_in<'a>(state: &'a State, overlay: &Overlay, token: usize) -> Option<&'a Jwt> {
    match overlay {
        Overlay::Details(id, _) => state.held(id)?.access.get(token)?.content.as_ref(),
        Overlay::Content(_) => lookup::content(state),
        _ => None,
    }
}

/// The lines of something over the board that is only read, if it is one.
#[must_use]
pub fn of_overlay(state: &State, overlay: &Overlay, width: usize) -> Option<Vec<Line>> {
    page_of(state, overlay, width).map(|page| page.lines)
}

fn page_of(state: &State, overlay: &Overlay, width: usize) -> Option<Page> {
    match overlay {
        Overlay::Details(id, _) => state.held(id).map(|held| of_held(state, held, width)),
        Overlay::Content(_) => {
            let jwt = lookup::content(state)?;
            Some(of_jwt(jwt, lookup::signature(state).map(|signature| told(state, signature)), width))
        }
        Overlay::Member(member, _) => Some(of_member(state, member, width)),
        Overlay::Event(event, _) => Some(of_event(event, width)),
        Overlay::Userinfo(told, _) => Some(of_userinfo(told, width)),
        Overlay::Introspected(told, _) => Some(of_introspected(told, width)),
        Overlay::Announced(told, _) => Some(of_announced(told, width)),
        Overlay::Active(source, _) => Some(Page::of(active::lines(state, source, width), width)),
        Overlay::Compared(comparison, _) => Some(of_comparison(comparison, width)),
        _ => None,
    }
}

/// What is known of a signature: whether it is good, and in words.
type Told = (bool, String);

fn told(state: &State, signature: &Signature) -> Told {
    (signature.is_good(), signature.words(|issuer| lookup::called(state, issuer)))
}

/// Header and claims of a JWT.
fn of_jwt(jwt: &Jwt, signature: Option<Told>, width: usize) -> Page {
    let mut page = Page::new(width);
    page.token(jwt, signature);
    page
}

/// Everything held under a name, masked.
fn of_held(state: &State, held: &Held, width: usize) -> Page {
    let mut page = Page::new(width);
    page.credential(held, &state.wallet.vault);
    for (at, access) in held.access.iter().enumerate() {
        page.lines.push(Line::Blank);
        // Only the chief one, which comes first, is looked up.
        page.token = at;
        let signature = if at == 0 { lookup::signature_of(state, held) } else { None };
        page.access(access, held.locked, signature.map(|signature| told(state, signature)));
    }
    if let Chain::Mytoken { facts, copy, .. } = &held.chain {
        page.lines.push(Line::Blank);
        page.facts(facts, (*copy > 0).then_some(*copy));
    }
    page
}

/// All that is known of a listed mytoken, and its history as far as that was read.
fn of_member(state: &State, member: &Member, width: usize) -> Page {
    let mut page = Page::new(width);
    page.member(member);
    if let Some((events, read)) = state.families.histories.get(&member.listed.mom_id) {
        page.lines.push(Line::Blank);
        page.head(format!(
            "its history, {}",
            if events.is_empty() { "of which there is none" } else { "newest first" }
        ));
        page.lines.push(Line::Moment("read".to_owned(), *read));
        for event in events.iter() {
            page.lines.push(Line::Moment(cleaned(&event.what.label()), event.at));
            let parts = [&event.address, &event.agent, &event.comment];
            let told: Vec<String> = parts.into_iter().flatten().map(Untrusted::shown).collect();
            if !told.is_empty() {
                page.pair("", &told.join("  "));
            }
        }
    }
    page
}

/// All of one event.
fn of_event(event: &Event, width: usize) -> Page {
    let mut page = Page::new(width);
    page.head(cleaned(&event.what.label()));
    page.lines.push(Line::Moment("when".to_owned(), event.at));
    let told = match event.teller {
        Teller::Here => "what was done here",
        Teller::Server => "its server",
    };
    page.pair("told by", told);
    let mut line = |name: &str, text: &Option<Untrusted>, is_new: bool| {
        if let Some(text) = text {
            page.pair(name, text.raw());
            if is_new {
                page.pair("", "not seen before this in what was told");
            }
        }
    };
    line("from", &event.address, event.new_address);
    line("program", &event.agent, event.new_agent);
    line("comment", &event.comment, false);
    line("mom id", &event.mom_id, false);
    page
}

/// What a provider says of the user: claims, groups and roles, and what would bring more.
fn of_userinfo(told: &Userinfo, width: usize) -> Page {
    let mut page = Page::new(width);
    page.head(cleaned(&format!("{} says of whom {} is", told.at, told.name)));
    page.lines.push(Line::Moment("asked".to_owned(), told.asked));
    if told.is_same_user.is_some() {
        page.pair("", "it is the user whom the login named");
    }
    let is_group = |name: &str| {
        CLAIMS.contains(&name)
            || told.memberships.iter().any(|one| one.claims.iter().any(|claim| claim == name))
    };
    let rest = told.claims.iter().filter(|(name, _)| !is_group(name));
    page.object(&rest.map(|(name, value)| (name.clone(), value.clone())).collect());
    page.lines.push(Line::Blank);
    page.head("groups and roles");
    if told.memberships.is_empty() {
        page.pair("none", "no claim that came holds any");
    }
    for one in &told.memberships {
        page.pair(if one.role.is_empty() { "in" } else { one.role.raw() }, &one.group_words());
    }
    if !told.would_bring.is_empty() {
        page.lines.push(Line::Blank);
        page.head("not told; a login with this scope would bring it, if the client may have it");
        for known in &told.would_bring {
            page.pair(known.scope, known.words);
        }
    }
    page
}

/// What a provider announces; below each thing, what is done about it here.
fn of_announced(told: &Announced, width: usize) -> Page {
    let mut page = Page::new(width);
    page.head(format!("{}, {}", told.title, told.origin));
    page.pair("issuer", &told.issuer);
    for row in &told.rows {
        page.pair(row.what, if row.says.is_empty() { "none" } else { &row.says });
        if !row.here.is_empty() {
            page.pair("", &format!("here: {}", row.here));
        }
    }
    let pages = [("manage", &told.manage), ("register", &told.register)];
    for (word, address) in pages {
        if let Some(address) = address {
            page.pair(word, address);
        }
    }
    for hint in &told.hints {
        page.pair("note", hint);
    }
    page
}

/// What a provider says of tokens: active or not, and what came with that.
fn of_introspected(told: &[Answer], width: usize) -> Page {
    let mut page = Page::new(width);
    for (place, one) in told.iter().enumerate() {
        if place > 0 {
            page.lines.push(Line::Blank);
        }
        page.head(cleaned(&format!("the {} of {}", one.about.words(), one.name)));
        page.lines.push(Line::Moment("asked".to_owned(), one.asked));
        page.pair("", &one.answer.words());
        let said = one.answer.claims().into_iter().flatten().filter(|(name, _)| *name != "active");
        page.object(&said.map(|(name, value)| (name.clone(), value.clone())).collect());
    }
    page
}

/// A login as one of several at its provider.
pub(super) fn of_login(state: &State, held: &Held, width: usize) -> Vec<Line> {
    let mut page = Page::new(width);
    page.credential(held, &state.wallet.vault);
    match held.last_used() {
        Some(at) => page.lines.push(Line::Moment("last used".to_owned(), at)),
        None => page.pair("last used", "not yet"),
    }
    match &held.chain {
        Chain::Refresh { .. } => {}
        Chain::Mytoken { facts, .. } => page.moment("mytoken ends", facts.ends(), "no end of its own"),
        Chain::None => {
            let ends = held.chief().and_then(|access| access.expires);
            page.moment("ends", ends, "nobody said when; nothing renews it");
        }
    }
    page.lines.push(Line::Blank);
    page.lines
}

/// Where what other programs hold there is seen, too.
pub(super) fn of_place(state: &State, source: &SourceId, width: usize) -> Vec<Line> {
    let mut page = Page::new(width);
    if let Some(address) = state.source(source).and_then(|source| source.manage_url.as_ref()) {
        page.pair("others", "what other programs hold there is seen and ended on its page:");
        page.pair("", address);
    }
    page.lines
}

/// What is not the same in two tokens: `-` only in the first, `+` only in the second.
fn of_comparison(comparison: &Comparison, width: usize) -> Page {
    let mut page = Page::new(width);
    page.head(cleaned(&format!("{} against {}", comparison.first, comparison.second)));
    if comparison.changes.is_empty() {
        page.pair("", "they say the same");
        return page;
    }
    page.pair("-  +", "only in the first, only in the second");
    for part in Part::ALL {
        let mut changes = comparison.changes.iter().filter(|change| change.part == part).peekable();
        page.lines.push(Line::Blank);
        if changes.peek().is_none() {
            page.head(format!("{}: the same", part.word()));
            continue;
        }
        page.head(part.word());
        changes.for_each(|change| page.change(change));
    }
    page
}

struct Page {
    lines: Vec<Line>,
    /// The claim that each line belongs to; lines at the end may have none here.
    claims: Vec<Option<Claim>>,
    /// The place of the token that is being written down.
    token: usize,
    width: usize,
}

impl Page {
    fn new(width: usize) -> Self {
        Self { lines: Vec::new(), claims: Vec::new(), token: 0, width: width.saturating_sub(NAMES).max(8) }
    }

    /// A page whose lines are made already.
    fn of(lines: Vec<Line>, width: usize) -> Self {
        Self { lines, ..Self::new(width) }
    }

    fn change(&mut self, change: &Change) {
        let name = change.name.raw();
        match &change.how {
            How::Added(value) => self.pair(name, &format!("+ {}", text_of(value))),
            How::Gone(value) => self.pair(name, &format!("- {}", text_of(value))),
            How::Other(one, other) => {
                self.pair(name, &format!("- {}", text_of(one)));
                self.pair("", &format!("+ {}", text_of(other)));
            }
            How::Moved(from, to) => {
                self.lines.push(Line::Moment(format!("- {}", cleaned(name)), *from));
                self.lines.push(Line::Moment("+".to_owned(), *to));
                let span = to.duration_since(*from);
                let way = if span.is_negative() { "earlier" } else { "later" };
                self.pair("", &format!("{} {way}", countdown(span.abs())));
            }
            How::Lists { gone, added } => {
                let gone = gone.iter().map(|text| format!("- {}", text.raw()));
                let mut name = name;
                for text in gone.chain(added.iter().map(|text| format!("+ {}", text.raw()))) {
                    self.pair(name, &text);
                    name = "";
                }
            }
        }
    }

    fn head(&mut self, text: impl Into<String>) {
        self.lines.push(Line::Head(text.into()));
    }

    fn pair(&mut self, name: &str, value: &str) {
        let mut name = cleaned(name);
        for part in wrapped(value, self.width) {
            self.lines.push(Line::Pair(std::mem::take(&mut name), part));
        }
    }

    fn moment(&mut self, name: &str, at: Option<Timestamp>, otherwise: &str) {
        match at {
            Some(at) => self.lines.push(Line::Moment(name.to_owned(), at)),
            None => self.pair(name, otherwise),
        }
    }

    fn member(&mut self, member: &Member) {
        let listed = &member.listed;
        let name = listed.name.as_ref().map(Untrusted::shown);
        self.head(name.unwrap_or_else(|| "one without a name".to_owned()));
        match &member.held {
            Some((_, name)) if member.asks => {
                self.pair("held", &format!("here as {name}; it is the one that asked"));
            }
            Some((_, name)) => self.pair("held", &format!("here as {name}")),
            None if member.asks => self.pair("held", "by this session, until it ends"),
            None => self.pair("held", "not here"),
        }
        self.moment("made", listed.created, "not told");
        if let Some(address) = &listed.address {
            self.pair("", &format!("from {}", address.shown()));
        }
        self.moment("ends", listed.expires, "no end told");
        match &member.last_used {
            None => self.pair("last used", "not known: its history was not read"),
            Some(None) => self.pair("last used", "never, by its history"),
            Some(Some(last)) => {
                self.lines.push(Line::Moment("last used".to_owned(), last.at));
                let by: Vec<String> =
                    [&last.address, &last.agent].into_iter().flatten().map(Untrusted::shown).collect();
                self.pair("", &by.join("  "));
            }
        }
        match &member.capabilities {
            Some(capabilities) => {
                for capability in capabilities {
                    let words = capability.words().map(|words| format!(": {words}")).unwrap_or_default();
                    self.pair("may", &format!("{}{words}", capability.0.shown()));
                }
            }
            None => self.pair("may", "not told by a list: only what is held here is known"),
        }
        self.pair(
            "depth",
            &match member.depth {
                0 => "nothing above it is listed".to_owned(),
                depth => format!("{depth} above it"),
            },
        );
        self.pair("mom id", listed.mom_id.raw());
    }

    fn credential(&mut self, held: &Held, vault: &Vault) {
        self.head(held.name.clone());
        let custody = match &held.custody {
            Custody::Sealed => "sealed".to_owned(),
            Custody::KeyFile => "sealed, and the key lies in a file".to_owned(),
            Custody::Session => "sealed for this session: gone when this machine starts again".to_owned(),
            Custody::Unsaved(why) => format!("NOT SAVED, in memory only: {why}"),
            Custody::MemoryOnly => "in memory only: gone when toktui quits".to_owned(),
            Custody::Foreign(owner) => format!("read-only here: it belongs to {owner}"),
        };
        self.pair("kept", &custody);
        if held.locked {
            self.pair("locked", "whom it speaks for, what its tokens say and what it may do is sealed");
        }
        if let Some(why) = vault.no_session.as_ref().filter(|_| matches!(held.custody, Custody::Sealed)) {
            self.pair("", &format!("each program unlocks for itself: {why}"));
        }
        if let Some(pause) = &held.pause {
            let times = if pause.tries == 1 { "once".to_owned() } else { format!("{} times", pause.tries) };
            self.pair("left alone", &format!("asked in vain {times}: {}", pause.why));
            self.lines.push(Line::Moment("asked again".to_owned(), pause.until));
        }
        match &held.health {
            Health::Ok => {}
            Health::InDoubt(why) => self.pair("in doubt", why),
            Health::NeedsLogin(why) => self.pair("needs a login", why),
            Health::Dead(why) => self.pair("dead", why),
        }
        if let Some(identity) = &held.identity {
            if let Some(label) = &identity.label {
                self.pair("as", &label.shown());
            }
            self.pair("subject", &identity.subject.shown());
            self.pair("issuer", &identity.issuer.shown());
        }
        self.lines.push(Line::Moment("held since".to_owned(), held.since));
        if let Chain::Refresh { ends, rotates, session_only, through } = &held.chain {
            self.through(through);
            let (ends, rotates, session_only) = (*ends, *rotates, *session_only);
            let end = match ends {
                ChainEnd::At(at) => Some(at),
                ChainEnd::Open | ChainEnd::Unknown => None,
            };
            let otherwise = if ends == ChainEnd::Open { "names no end" } else { "end not known" };
            self.moment("refresh token", end, otherwise);
            if rotates {
                self.pair("", "replaced at every renewal");
            }
            if session_only {
                self.pair("", "lives with the browser's login session only: offline_access was not granted");
            }
        }
    }

    /// As which client it came, and on which way.
    fn through(&mut self, through: &Through) {
        if let Some(client) = &through.client {
            self.pair("client", client);
        }
        if let Some(got) = through.got {
            self.pair("came by", got.words());
        }
    }

    fn access(&mut self, access: &HeldAccess, is_locked: bool, signature: Option<Told>) {
        let length = format!("access token, {} characters", access.length);
        self.head(if is_locked { "access token".to_owned() } else { length });
        let Ask { scopes, audiences } = &access.ask;
        let listed = |set: &std::collections::BTreeSet<String>| {
            set.iter().map(|word| cleaned(word)).collect::<Vec<_>>().join(" ")
        };
        if !scopes.is_empty() {
            self.pair("asked", &listed(scopes));
        }
        if !audiences.is_empty() {
            self.pair("for", &listed(audiences));
        }
        if let Some(granted) = &access.granted {
            self.pair("granted", &granted.iter().map(Untrusted::shown).collect::<Vec<_>>().join(" "));
            let mut name = "so it may";
            for words in granted.iter().filter_map(|scope| scopes::in_words(scope.raw())) {
                self.pair(name, &words);
                name = "";
            }
        }
        self.lines.push(Line::Moment("came".to_owned(), access.obtained));
        self.moment("ends", access.expires, "nobody said when");
        if let Some(skew) = access.skew.filter(|skew| skew.abs() > SKEW) {
            let off = if skew.is_negative() { "fast" } else { "slow" };
            let text = format!(
                "this machine's was {} {off} by its giver's; its end is by ours",
                countdown(skew.abs())
            );
            self.pair("clock", &text);
        }
        if access.has_id_token {
            self.pair("with it", "an ID token");
        }
        match &access.content {
            Some(jwt) => self.token(jwt, signature),
            None if is_locked => {}
            None => self.pair("content", "opaque: only its provider can read it"),
        }
    }

    fn facts(&mut self, facts: &Facts, copy: Option<u64>) {
        self.head("mytoken");
        if let Some(copy) = copy {
            self.pair("copy", &format!("{copy}, the newest here"));
        }
        self.pair("server", &facts.server.shown());
        self.pair("provider", &facts.provider.shown());
        if let Some(id) = &facts.mom_id {
            self.pair("mom id", &id.shown());
        }
        for capability in &facts.capabilities {
            let words = capability.words().map(|words| format!(": {words}")).unwrap_or_default();
            self.pair("may", &format!("{}{words}", capability.0.shown()));
        }
        self.moment("issued", facts.issued, "not said");
        self.moment("ends", facts.ends(), "no end of its own");
    }

    fn token(&mut self, jwt: &Jwt, signature: Option<Told>) {
        let is_good = signature.as_ref().is_some_and(|(is_good, _)| *is_good);
        let verified = if is_good { "" } else { ", not verified" };
        self.head(format!("header{verified}"));
        self.object(&jwt.header);
        self.head(format!("claims{verified}"));
        self.object(&jwt.claims);
        let length = match jwt.signature {
            0 => "none".to_owned(),
            bytes => format!("{bytes} bytes, not shown"),
        };
        self.pair("signature", &length);
        if let Some((_, words)) = signature {
            self.pair("", &words);
        }
    }

    fn object(&mut self, object: &Map<String, Value>) {
        for (name, value) in object {
            self.claims.resize(self.lines.len(), None);
            let moment = MOMENTS.contains(&name.as_str()).then(|| jwt::moment(value)).flatten();
            match (moment, value) {
                (Some(at), _) => self.lines.push(Line::Moment(cleaned(name), at)),
                (None, Value::String(text)) => self.pair(name, text),
                (None, Value::Array(list)) if list.iter().all(Value::is_string) => {
                    let mut name = name.as_str();
                    for text in list.iter().filter_map(Value::as_str) {
                        self.pair(name, text);
                        name = "";
                    }
                }
                (None, other) => self.pair(name, &other.to_string()),
            }
            self.claims.resize(self.lines.len(), Some(Claim { value: value.clone(), token: self.token }));
        }
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Makes a text fit to be shown and breaks it into lines of at most `width` columns: between words where that is possible.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in cleaned(text).split_inclusive(' ') {
        if used > 0 && used + word.trim_end().width() > width {
            lines.push(String::new());
            used = 0;
        }
        for c in word.chars() {
            let wide = c.width().unwrap_or(0);
            if used + wide > width && c != ' ' {
                lines.push(String::new());
                used = 0;
            }
            if used + wide <= width
                && let Some(line) = lines.last_mut()
            {
                line.push(c);
                used += wide;
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_broken_between_words_and_never_wider_than_its_column() {
        assert_eq!(wrapped("openid profile email", 10), ["openid ", "profile ", "email"]);
        assert_eq!(wrapped("abcdefghijkl", 5), ["abcde", "fghij", "kl"]);
        assert_eq!(wrapped("", 5), [""]);
        for line in wrapped("日本語テキスト と ascii words mixed 日本語", 7) {
            assert!(line.width() <= 7, "{line}");
        }
    }

    #[test]
    fn moments_are_moments_and_hostile_claims_are_harmless() {
        let claims = serde_json::json!({"exp": 1000, "gro\u{1b}ups": ["a\u{202e}", "b"], "n": {"x": 1}});
        let jwt = Jwt {
            header: Map::new(),
            claims: claims.as_object().expect("an object").clone(),
            signature: 256,
        };
        let lines = of_jwt(&jwt, None, 60).lines;
        assert!(lines.contains(&Line::Moment("exp".to_owned(), crate::domain::time::from_epoch(1000))));
        assert!(lines.contains(&Line::Pair("gro\\u{1b}ups".to_owned(), "a\\u{202e}".to_owned())));
        assert!(lines.contains(&Line::Pair(String::new(), "b".to_owned())));
        assert!(lines.contains(&Line::Pair("n".to_owned(), r#"{"x":1}"#.to_owned())));
    }
}
