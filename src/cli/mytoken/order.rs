//! The words that say what a mytoken is to be, and the draft that they come to.

use std::io::Read;

use clap::{Args, ValueEnum};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::cli::house::House;
use crate::cli::span;
use crate::config::Zone;
use crate::desktop::clock;
use crate::domain::draft::{Draft, DraftClause, Edge, When, clauses_from_json, from_json};
use crate::domain::failure::{Failure, Kind};
use crate::domain::mytoken::{Capability, Form, Rotation};
use crate::domain::source::{Source, SourceId, SourceKind};
use crate::domain::untrusted::{Untrusted, cleaned};

/// A file with a draft or restrictions is no longer than this.
const LONGEST: u64 = 1 << 20;

/// What it is to be.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "What it is to be")]
pub struct Wish {
    /// Begin with this profile: one of `toktui mytoken profiles`
    #[arg(long, value_name = "PROFILE")]
    pub profile: Option<String>,
    /// Begin with this draft: JSON, @FILE, or - for standard input; of a profile beside it only the server counts, and the
    /// provider where the draft names none
    #[arg(long, value_name = "JSON|@FILE|-")]
    pub draft: Option<String>,
    /// What it may do, instead of the profile's: AT, tokeninfo, …; may be repeated
    #[arg(long, value_name = "CAPABILITY")]
    pub capability: Vec<String>,
    /// Only these scopes; may be repeated, or hold several
    #[arg(long, value_name = "SCOPE")]
    pub scope: Vec<String>,
    /// Only these audiences; may be repeated
    #[arg(long, value_name = "AUDIENCE")]
    pub audience: Vec<String>,
    /// Only from these hosts or networks; `this`: where it is made from; may be repeated
    #[arg(long, value_name = "HOST")]
    pub host: Vec<String>,
    /// Only from these countries, two letters each; may be repeated
    #[arg(long, value_name = "DE")]
    pub country: Vec<String>,
    /// Not from these countries; may be repeated
    #[arg(long, value_name = "US")]
    pub not_country: Vec<String>,
    /// Usable from: a span from now, or a date
    #[arg(long, value_name = "WHEN")]
    pub starts: Option<String>,
    /// Usable until: 90d, 2027-02-20, 2027-02-20T12:00Z
    #[arg(long, value_name = "WHEN")]
    pub expires: Option<String>,
    /// So many access tokens
    #[arg(long, value_name = "N")]
    pub uses: Option<u64>,
    /// So many other uses
    #[arg(long, value_name = "N")]
    pub other_uses: Option<u64>,
    /// All clauses as the server names their members: JSON, @FILE, or - for standard input; what else is said is laid over each
    #[arg(long, value_name = "JSON|@FILE|-")]
    pub restrictions: Option<String>,
    /// A new copy takes its place: on each access token, on each other use; may be repeated
    #[arg(long, value_enum, value_name = "WHEN")]
    pub rotate: Vec<Rotate>,
    /// How long each copy lives, where it rotates
    #[arg(long, value_name = "SPAN", value_parser = span::parse)]
    pub copy_lives: Option<SignedDuration>,
    /// An older copy in use revokes it and all made from it
    #[arg(long)]
    pub auto_revoke: bool,
    /// As a short token, which shows nothing of itself
    #[arg(long)]
    pub short: bool,
    /// A profile that the server keeps, by NAME or GROUP/NAME; may be repeated
    #[arg(long, value_name = "TEMPLATE")]
    pub template: Vec<String>,
}

/// When it rotates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Rotate {
    /// On each access token
    At,
    /// On each other use
    Other,
    /// Never, whatever the profile says
    None,
}

/// The zone in which moments are read and written.
pub fn zone(house: &House) -> TimeZone {
    match house.settings.time {
        Zone::Utc => TimeZone::UTC,
        Zone::Local => clock::zone(&house.environment),
    }
}

/// A profile that is listed here.
///
/// # Errors
/// When there is none of that name.
pub fn profile(house: &House, word: &str, doing: &str) -> Result<Source, Failure> {
    let found = house.wallet.source(&SourceId(word.to_owned()));
    if let Some(source) = found.filter(|source| matches!(source.kind, SourceKind::Profile(_))) {
        return Ok(source);
    }
    let all = house.wallet.sources();
    let profiles = all.iter().filter(|source| matches!(source.kind, SourceKind::Profile(_)));
    let names: Vec<&str> = profiles.map(|source| source.id.as_str()).collect();
    Err(Failure::new(Kind::Unusable, doing, format!("there is no profile `{word}` here"))
        .hint(format!("There are: {}. `toktui mytoken profiles` tells of each.", names.join(", "))))
}

/// The mytoken server that is meant, by its short name or address; the only one there is where none is named.
///
/// # Errors
/// When there is no such one, or several and none is named.
pub fn server(house: &House, word: Option<&str>, doing: &str) -> Result<SourceId, Failure> {
    let all = house.wallet.sources();
    let servers: Vec<(&SourceId, &str)> = all
        .iter()
        .filter_map(|source| match &source.kind {
            SourceKind::Server(server) => Some((&source.id, server.address.as_str())),
            SourceKind::Issuer(_) | SourceKind::Profile(_) => None,
        })
        .collect();
    let bare = |text: &str| text.trim().trim_end_matches('/').to_owned();
    let found = match (word, servers.as_slice()) {
        (Some(word), all) => {
            all.iter().find(|(id, address)| id.as_str() == word || bare(address) == bare(word))
        }
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    if let Some((id, _)) = found {
        return Ok((*id).clone());
    }
    let names: Vec<&str> = servers.iter().map(|(id, _)| id.as_str()).collect();
    let (why, there) = match word {
        Some(word) => (format!("no mytoken server is listed as {}", cleaned(word)), "There are"),
        None => ("it must be said at which mytoken server".to_owned(), "--server"),
    };
    let list = "`[mytoken.NAME] address = \"…\"` in the config lists another one";
    Err(Failure::new(Kind::Unusable, doing, why).hint(format!("{there}: {}. {list}.", names.join(", "))))
}

/// A provider by its issuer, or by the short name of its row.
pub fn issuer(house: &House, word: &str) -> String {
    let row = house.wallet.source(&SourceId(word.to_owned()));
    row.as_ref().and_then(Source::issuer).map_or_else(|| word.to_owned(), |issuer| issuer.address.clone())
}

impl Wish {
    /// The draft that the words come to, over `base`.
    ///
    /// # Errors
    /// With the word that cannot be read.
    pub fn draft(&self, house: &House, base: Draft, input: impl Read, doing: &str) -> Result<Draft, Failure> {
        let (now, zone) = (house.clock.now(), zone(house));
        let unusable =
            |word: &str, why: String| Failure::new(Kind::Unusable, doing, format!("{word}: {why}"));
        if self.draft.as_deref() == Some("-") && self.restrictions.as_deref() == Some("-") {
            let why = "standard input is read once".to_owned();
            return Err(unusable("--draft and --restrictions", why));
        }
        let mut input = Some(input);
        let mut json = |word: &str, text: &str| {
            let text = text_of(text, &mut input).map_err(|why| unusable(word, why))?;
            serde_json::from_str::<Value>(&text)
                .map_err(|error| unusable(word, format!("it is not JSON: {error}")))
        };
        let mut draft = match &self.draft {
            Some(text) => {
                let value = json("--draft", text)?;
                let read = from_json(&value, now, &zone).map_err(|why| unusable("--draft", why))?;
                let provider =
                    if read.provider.is_empty() { base.provider.clone() } else { read.provider.clone() };
                Draft { provider, ..read }
            }
            None => base,
        };
        if let Some(text) = &self.restrictions {
            let value = json("--restrictions", text)?;
            draft.clauses =
                clauses_from_json(&value, now, &zone).map_err(|why| unusable("--restrictions", why))?;
        }
        let moment = |word: &str, text: &Option<String>, edge: Edge| {
            let read = |text: &String| When::parse(text, edge, now, &zone).map_err(|why| unusable(word, why));
            text.as_ref().map(read).transpose()
        };
        let (starts, ends) =
            (moment("--starts", &self.starts, Edge::Start)?, moment("--expires", &self.expires, Edge::End)?);
        self.lay_clauses(&mut draft, starts, ends);
        if !self.capability.is_empty() {
            draft.capabilities = words(&self.capability).into_iter().map(Capability).collect();
        }
        self.lay_rotation(&mut draft.rotation);
        if self.short {
            draft.form = Form::Short;
        }
        if !self.template.is_empty() {
            draft.templates.clone_from(&self.template);
        }
        Ok(draft)
    }

    /// What is said of a clause is laid over each: they are alternatives, and what is said holds whichever is used.
    fn lay_clauses(&self, draft: &mut Draft, starts: Option<When>, ends: Option<When>) {
        let lists = [&self.scope, &self.audience, &self.host, &self.country, &self.not_country];
        let says = lists.iter().any(|list| !list.is_empty())
            || starts.is_some()
            || ends.is_some()
            || self.uses.is_some()
            || self.other_uses.is_some();
        if says && draft.clauses.is_empty() {
            draft.clauses.push(DraftClause::default());
        }
        let lay = |to: &mut Option<Vec<Untrusted>>, list: &[String]| {
            if !list.is_empty() {
                *to = Some(words(list));
            }
        };
        for clause in &mut draft.clauses {
            clause.starts = starts.or(clause.starts);
            clause.ends = ends.or(clause.ends);
            let rest = &mut clause.rest;
            lay(&mut rest.scopes, &self.scope);
            lay(&mut rest.audiences, &self.audience);
            lay(&mut rest.hosts, &self.host);
            lay(&mut rest.countries_allowed, &capitals(&self.country));
            lay(&mut rest.countries_refused, &capitals(&self.not_country));
            rest.uses_at = self.uses.or(rest.uses_at);
            rest.uses_other = self.other_uses.or(rest.uses_other);
        }
    }

    fn lay_rotation(&self, rotation: &mut Rotation) {
        if !self.rotate.is_empty() {
            rotation.on_at = self.rotate.contains(&Rotate::At);
            rotation.on_other = self.rotate.contains(&Rotate::Other);
        }
        if let Some(span) = self.copy_lives {
            rotation.lifetime = u64::try_from(span.as_secs()).ok().filter(|seconds| *seconds > 0);
        }
        rotation.auto_revoke |= self.auto_revoke;
        if self.rotate.contains(&Rotate::None) {
            *rotation = Rotation::default();
        }
    }
}

/// Each word of the list; one may hold several.
fn words(list: &[String]) -> Vec<Untrusted> {
    let mut words: Vec<Untrusted> = Vec::new();
    for word in list.iter().flat_map(|text| text.split_whitespace()) {
        if !words.iter().any(|known| known.raw() == word) {
            words.push(Untrusted::from(word));
        }
    }
    words
}

/// Codes of countries are sent in capitals: others protect against nothing (§12.41).
fn capitals(list: &[String]) -> Vec<String> {
    list.iter().map(|code| code.to_uppercase()).collect()
}

/// The text itself, that of a file, or standard input.
fn text_of(text: &str, input: &mut Option<impl Read>) -> Result<String, String> {
    let read = |from: &mut dyn Read| {
        let mut text = String::new();
        from.take(LONGEST).read_to_string(&mut text).map(|_| text).map_err(|error| error.to_string())
    };
    match (text, text.strip_prefix('@')) {
        ("-", _) => input.take().map_or_else(|| Ok(String::new()), |mut input| read(&mut input)),
        (_, Some(path)) => {
            let mut file = std::fs::File::open(path).map_err(|error| format!("{path}: {error}"))?;
            read(&mut file)
        }
        (text, None) => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mytoken::Clause;

    fn texts(list: &[&str]) -> Vec<Untrusted> {
        list.iter().copied().map(Untrusted::from).collect()
    }

    #[test]
    fn what_is_said_of_a_clause_is_laid_over_each() {
        let one = |hosts: &[&str]| DraftClause {
            rest: Clause { hosts: Some(texts(hosts)), uses_at: Some(3), ..Clause::default() },
            ..DraftClause::default()
        };
        let mut draft = Draft { clauses: vec![one(&["a"]), one(&["b"])], ..Draft::default() };
        let wish = Wish { uses: Some(15), scope: vec!["email profile".to_owned()], ..Wish::default() };
        wish.lay_clauses(&mut draft, None, Some(When::In(60)));
        let rest = |hosts: &[&str]| Clause {
            hosts: Some(texts(hosts)),
            scopes: Some(texts(&["email", "profile"])),
            uses_at: Some(15),
            ..Clause::default()
        };
        let laid = |hosts: &[&str]| DraftClause { starts: None, ends: Some(When::In(60)), rest: rest(hosts) };
        assert_eq!(draft.clauses, [laid(&["a"]), laid(&["b"])]);
    }

    /// The command-line client of mytoken loses countries that are refused where none are allowed (peers.md §6 item 11).
    #[test]
    fn a_lone_refusal_of_countries_is_a_restriction_in_capitals() {
        let mut draft = Draft::default();
        let wish = Wish { not_country: vec!["us".to_owned()], ..Wish::default() };
        wish.lay_clauses(&mut draft, None, None);
        let expected = Clause { countries_refused: Some(texts(&["US"])), ..Clause::default() };
        assert_eq!(draft.clauses, [DraftClause { rest: expected, ..DraftClause::default() }]);
    }

    #[test]
    fn nothing_said_restricts_nothing_and_rotates_nothing() {
        let mut draft = Draft::default();
        Wish::default().lay_clauses(&mut draft, None, None);
        Wish::default().lay_rotation(&mut draft.rotation);
        assert_eq!(draft, Draft::default());
    }

    #[test]
    fn rotation_is_laid_over_the_profiles() {
        let profile = Rotation { on_at: true, lifetime: Some(60), ..Rotation::default() };
        let table = [
            (vec![], profile),
            (vec![Rotate::Other], Rotation { on_at: false, on_other: true, ..profile }),
            (vec![Rotate::At, Rotate::Other], Rotation { on_other: true, ..profile }),
            (vec![Rotate::None], Rotation::default()),
        ];
        for (rotate, expected) in table {
            let mut rotation = profile;
            Wish { rotate, ..Wish::default() }.lay_rotation(&mut rotation);
            assert_eq!(rotation, expected);
        }
    }

    #[test]
    fn json_comes_from_the_word_a_file_or_standard_input() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("r.json");
        std::fs::write(&path, "{\"a\":\n1}").expect("written");
        let mut input = Some("[2]".as_bytes());
        assert_eq!(text_of(&format!("@{}", path.display()), &mut input), Ok("{\"a\":\n1}".to_owned()));
        assert_eq!(text_of("-", &mut input), Ok("[2]".to_owned()));
        assert_eq!(text_of("[3]", &mut input), Ok("[3]".to_owned()));
        assert!(text_of("@/nowhere/at/all", &mut input).is_err());
    }
}
