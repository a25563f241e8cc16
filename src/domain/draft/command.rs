//! A draft as the plain command that makes the same.
//!
//! It stands on this reading of the command: an option replaces what the profile says (a repeated one the whole list; `--rotate` both
//! rotations; the options of a clause a member of its only clause; `--restrictions` all clauses), and `--draft` replaces all of it, so that
//! of a profile beside it only the server counts.

use super::json::{clauses_to_json, on_one_line};
use super::when::short;
use super::{Draft, DraftClause, When, to_json};
use crate::domain::mytoken::Form;
use crate::domain::time::from_epoch;
use crate::domain::untrusted::{Untrusted, cleaned};

/// What the command builds on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Base<'a> {
    /// The server's short name; `None`: the one of the profile, or of the parent.
    pub server: Option<&'a str>,
    /// A profile by its short name, and its draft: only what differs is said.
    pub profile: Option<(&'a str, &'a Draft)>,
    /// The name of the held mytoken that it is made from.
    pub from: Option<&'a str>,
}

/// The command, quoted for a shell; no secret is in it, and nothing that could move a cursor.
#[must_use]
pub fn command(draft: &Draft, base: &Base<'_>) -> String {
    let mut line = Line::default();
    for (flag, value) in
        [("profile", base.profile.map(|(name, _)| name)), ("server", base.server), ("from", base.from)]
    {
        let value = value.map(cleaned);
        line.options(flag, value.as_deref());
    }
    let empty = Draft::default();
    let from = base.profile.map_or(&empty, |(_, draft)| draft);
    let plain = said(draft, from, base.from.is_some()).filter(|said| !said.is_hidden);
    if let Some(said) = plain {
        line.words.extend(said.words);
    } else {
        // A code is what the command gives, and nothing that a draft of it may ask for.
        let is_code = draft.form == Form::Code;
        let form = if is_code { Form::Token } else { draft.form };
        if is_code {
            line.flag("code");
        }
        line.options("draft", [on_one_line(&to_json(&Draft { form, ..draft.clone() })).as_str()]);
    }
    let trimmed = cleaned(draft.name.trim());
    let name = match (trimmed.as_str(), base.profile) {
        ("", Some((profile, _))) => profile,
        ("", None) => "NAME",
        (name, _) => name,
    };
    let mut words = vec!["toktui".to_owned(), "mytoken".to_owned(), "create".to_owned()];
    if name.starts_with('-') {
        words.extend(line.words);
        words.extend(["--".to_owned(), name.to_owned()]);
    } else {
        words.push(name.to_owned());
        words.extend(line.words);
    }
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// The options that turn `from` into the draft; `None` where there are none for it.
fn said(draft: &Draft, from: &Draft, is_subtoken: bool) -> Option<Line> {
    let mut line = Line::default();
    if draft.provider != from.provider && !draft.provider.is_empty() && !is_subtoken {
        line.options("provider", [draft.provider.as_str()]);
    }
    if draft.capabilities != from.capabilities {
        line.some("capability", draft.capabilities.iter().map(|one| one.0.raw()))?;
    }
    clauses(&draft.clauses, &from.clauses, &mut line);
    rotation(draft, from, &mut line)?;
    match (draft.form, from.form) {
        (Form::Code, _) => line.flag("code"),
        (form, there) if form == there => {}
        (Form::Short, _) => line.flag("short"),
        (Form::Token, _) => return None,
    }
    if draft.templates != from.templates {
        line.some("template", draft.templates.iter().map(String::as_str))?;
    }
    Some(line)
}

fn rotation(draft: &Draft, from: &Draft, line: &mut Line) -> Option<()> {
    let (own, there) = (draft.rotation, from.rotation);
    if (own.on_at, own.on_other) != (there.on_at, there.on_other) {
        let on = [(own.on_at, "at"), (own.on_other, "other")];
        line.some("rotate", on.into_iter().filter(|(on, _)| *on).map(|(_, word)| word))?;
    }
    if own.lifetime != there.lifetime {
        line.options("copy-lives", [short(own.lifetime?).as_str()]);
    }
    match (own.auto_revoke, there.auto_revoke) {
        (true, false) => line.flag("auto-revoke"),
        (false, true) => return None,
        _ => {}
    }
    Some(())
}

fn clauses(own: &[DraftClause], from: &[DraftClause], line: &mut Line) {
    let closed = |clauses: &[DraftClause]| -> Vec<DraftClause> {
        clauses.iter().filter(|clause| !clause.is_open()).cloned().collect()
    };
    let (own, from) = (closed(own), closed(from));
    if own == from {
        return;
    }
    let open = DraftClause::default();
    let one = match (own.as_slice(), from.as_slice()) {
        ([own], []) => clause(own, &open),
        ([own], [from]) => clause(own, from),
        _ => None,
    };
    match one {
        Some(one) => line.take(one),
        None => line.options("restrictions", [on_one_line(&clauses_to_json(&own)).as_str()]),
    }
}

/// The options for what differs; `None` where something is to be left out, for which there is no option.
fn clause(own: &DraftClause, from: &DraftClause) -> Option<Line> {
    let mut line = Line::default();
    for (flag, own, from) in [("starts", own.starts, from.starts), ("expires", own.ends, from.ends)] {
        if own != from {
            line.options(flag, [typed(own?).as_str()]);
        }
    }
    let lists = [
        ("scope", &own.rest.scopes, &from.rest.scopes),
        ("audience", &own.rest.audiences, &from.rest.audiences),
        ("host", &own.rest.hosts, &from.rest.hosts),
        ("country", &own.rest.countries_allowed, &from.rest.countries_allowed),
        ("not-country", &own.rest.countries_refused, &from.rest.countries_refused),
    ];
    for (flag, own, from) in lists {
        if own != from {
            line.some(flag, own.as_ref()?.iter().map(Untrusted::raw))?;
        }
    }
    let counts = [
        ("uses", own.rest.uses_at, from.rest.uses_at),
        ("other-uses", own.rest.uses_other, from.rest.uses_other),
    ];
    for (flag, own, from) in counts {
        if own != from {
            line.options(flag, [own?.to_string().as_str()]);
        }
    }
    Some(line)
}

/// A moment that every machine reads alike.
fn typed(when: When) -> String {
    match when {
        When::In(seconds) => short(seconds),
        When::At(at) => from_epoch(at.as_second()).to_string(),
    }
}

/// Words of a command, each yet to be quoted.
#[derive(Default)]
struct Line {
    words: Vec<String>,
    /// Whether one of them holds what a terminal would not show as it is, or would obey.
    is_hidden: bool,
}

impl Line {
    fn flag(&mut self, name: &str) {
        self.words.push(format!("--{name}"));
    }

    fn options<'w>(&mut self, name: &str, values: impl IntoIterator<Item = &'w str>) {
        for value in values {
            self.is_hidden |= cleaned(value) != value;
            // A value that begins with a dash would be taken for an option of its own.
            if value.starts_with('-') || value.is_empty() {
                self.words.push(format!("--{name}={value}"));
            } else {
                self.words.extend([format!("--{name}"), value.to_owned()]);
            }
        }
    }

    /// The same where at least one value is needed.
    fn some<'w>(&mut self, name: &str, values: impl IntoIterator<Item = &'w str>) -> Option<()> {
        let before = self.words.len();
        self.options(name, values);
        (self.words.len() > before).then_some(())
    }

    fn take(&mut self, other: Self) {
        self.words.extend(other.words);
        self.is_hidden |= other.is_hidden;
    }
}

/// One word of a POSIX shell (2.2.2): as it is where nothing in it is special, else between single quotes.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@+=,".contains(c);
    // zsh looks for a program where a word begins with `=`.
    if !word.is_empty() && !word.starts_with('=') && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::draft::any::drafts;
    use crate::domain::draft::{Edge, clauses_from_json, from_json};
    use crate::domain::mytoken::{Capability, Clause, Rotation};

    fn words(names: &str) -> Vec<Untrusted> {
        names.split_whitespace().map(Untrusted::from).collect()
    }

    fn toar() -> Draft {
        let rest = Clause { scopes: Some(words("email profile")), uses_at: Some(15), ..Clause::default() };
        Draft {
            provider: "https://op.example.org".to_owned(),
            capabilities: vec![Capability::new("AT"), Capability::new("tokeninfo")],
            clauses: vec![DraftClause { ends: Some(When::In(7_776_000)), rest, ..DraftClause::default() }],
            ..Draft::default()
        }
    }

    #[test]
    fn only_what_differs_from_the_profile_is_said() {
        let profile = toar();
        let base = Base { profile: Some(("toar", &profile)), ..Base::default() };
        let named = Draft { name: "toar".to_owned(), ..toar() };
        assert_eq!(command(&named, &base), "toktui mytoken create toar --profile toar");
        let mut longer = named.clone();
        longer.clauses[0].ends = Some(When::In(86_400));
        longer.clauses[0].rest.uses_at = Some(0);
        longer.rotation =
            Rotation { on_at: true, lifetime: Some(604_800), auto_revoke: true, ..Rotation::default() };
        assert_eq!(
            command(&longer, &base),
            "toktui mytoken create toar --profile toar --expires 1d --uses 0 --rotate at --copy-lives 7d --auto-revoke"
        );
        assert_eq!(
            command(&named, &Base::default()),
            "toktui mytoken create toar --provider https://op.example.org --capability AT --capability tokeninfo --expires 90d \
             --scope email --scope profile --uses 15"
        );
    }

    #[test]
    fn what_has_no_option_of_its_own_is_said_as_json() {
        let profile = Draft { rotation: Rotation { on_at: true, ..Rotation::default() }, ..toar() };
        let base = Base { profile: Some(("toar", &profile)), server: Some("kit"), ..Base::default() };
        let mut endless = Draft { rotation: profile.rotation, ..toar() };
        endless.clauses[0].ends = None;
        assert_eq!(
            command(&endless, &base),
            r#"toktui mytoken create toar --profile toar --server kit --restrictions '[{"scope":"email profile","usages_AT":15}]'"#
        );
        let still = Draft { clauses: Vec::new(), ..toar() };
        assert_eq!(
            command(&still, &base),
            "toktui mytoken create toar --profile toar --server kit --draft '{\"oidc_issuer\":\"https://op.example.org\",\
             \"capabilities\":[\"AT\",\"tokeninfo\"],\"restrictions\":[],\"response_type\":\"token\"}'"
        );
    }

    #[test]
    fn a_subtoken_has_no_provider_of_its_own_and_a_dash_is_no_option() {
        let draft = Draft { name: "-rf".to_owned(), capabilities: vec![Capability::new("-x")], ..toar() };
        let draft = Draft { clauses: Vec::new(), ..draft };
        let base = Base { from: Some("my mother"), ..Base::default() };
        assert_eq!(command(&draft, &base), "toktui mytoken create --from 'my mother' --capability=-x -- -rf");
    }

    #[test]
    fn nothing_that_moves_a_cursor_is_in_a_command() {
        let evil = "a\u{1b}[201~\n\u{202e}";
        let rest = Clause { scopes: Some(vec![evil.into()]), ..Clause::default() };
        let clause = DraftClause { rest, ..DraftClause::default() };
        for draft in [
            Draft { name: evil.to_owned(), ..toar() },
            Draft { provider: evil.to_owned(), ..toar() },
            Draft { clauses: vec![clause.clone()], ..toar() },
            Draft { clauses: vec![clause.clone(), clause], ..toar() },
        ] {
            let line = command(&draft, &Base::default());
            assert_eq!(cleaned(&line), line);
        }
    }

    /// The reading that the command stands on.
    fn read(words: &[String], base: &Draft) -> Draft {
        let (now, zone) = (from_epoch(1_800_000_000), TimeZone::UTC);
        let mut draft = Draft { name: String::new(), ..base.clone() };
        let mut seen: Vec<String> = Vec::new();
        let mut is_code = false;
        let mut words = words.iter().cloned();
        while let Some(word) = words.next() {
            let Some(option) = word.strip_prefix("--").map(str::to_owned) else {
                assert_eq!(draft.name, "", "one name");
                draft.name = word;
                continue;
            };
            if option.is_empty() {
                draft.name = words.next().expect("a name");
                continue;
            }
            let (option, value) = match option.split_once('=') {
                Some((option, value)) => (option.to_owned(), Some(value.to_owned())),
                None => (option, None),
            };
            let first = !seen.contains(&option);
            seen.push(option.clone());
            let mut value = || value.clone().unwrap_or_else(|| words.next().expect("a value"));
            draft.clauses.retain(|clause| !clause.is_open());
            if !matches!(option.as_str(), "restrictions" | "draft") && draft.clauses.is_empty() {
                draft.clauses.push(DraftClause::default());
            }
            let clause = draft.clauses.first_mut();
            let put = |list: &mut Option<Vec<Untrusted>>, value: String| {
                let kept = if first { Vec::new() } else { list.take().unwrap_or_default() };
                *list = Some(kept.into_iter().chain([Untrusted::new(value)]).collect());
            };
            let when = |text: String| Some(When::parse(&text, Edge::End, now, &zone).expect("a moment"));
            match (option.as_str(), clause) {
                ("profile" | "server" | "from", _) => drop(value()),
                ("provider", _) => draft.provider = value(),
                ("capability", _) => {
                    if first {
                        draft.capabilities.clear();
                    }
                    draft.capabilities.push(Capability::new(value()));
                }
                ("template", _) => {
                    if first {
                        draft.templates.clear();
                    }
                    draft.templates.push(value());
                }
                ("rotate", _) => {
                    if first {
                        (draft.rotation.on_at, draft.rotation.on_other) = (false, false);
                    }
                    match value().as_str() {
                        "at" => draft.rotation.on_at = true,
                        _ => draft.rotation.on_other = true,
                    }
                }
                ("copy-lives", _) => match when(value()) {
                    Some(When::In(seconds)) => draft.rotation.lifetime = Some(seconds),
                    other => panic!("{other:?}"),
                },
                ("auto-revoke", _) => draft.rotation.auto_revoke = true,
                ("short", _) => draft.form = Form::Short,
                ("code", _) => is_code = true,
                ("restrictions", _) => {
                    let json = serde_json::from_str(&value()).expect("JSON");
                    draft.clauses = clauses_from_json(&json, now, &zone).expect("clauses");
                }
                ("draft", _) => {
                    let json = serde_json::from_str(&value()).expect("JSON");
                    draft =
                        Draft { name: draft.name.clone(), ..from_json(&json, now, &zone).expect("a draft") };
                }
                ("starts", Some(clause)) => clause.starts = when(value()),
                ("expires", Some(clause)) => clause.ends = when(value()),
                ("scope", Some(clause)) => put(&mut clause.rest.scopes, value()),
                ("audience", Some(clause)) => put(&mut clause.rest.audiences, value()),
                ("host", Some(clause)) => put(&mut clause.rest.hosts, value()),
                ("country", Some(clause)) => put(&mut clause.rest.countries_allowed, value()),
                ("not-country", Some(clause)) => put(&mut clause.rest.countries_refused, value()),
                ("uses", Some(clause)) => clause.rest.uses_at = Some(value().parse().expect("a number")),
                ("other-uses", Some(clause)) => {
                    clause.rest.uses_other = Some(value().parse().expect("a number"));
                }
                other => panic!("{other:?}"),
            }
        }
        draft.clauses.retain(|clause| !clause.is_open());
        if is_code {
            draft.form = Form::Code;
        }
        draft
    }

    /// What a real shell makes of command lines: the words of each.
    fn split(lines: &[String]) -> Vec<Vec<String>> {
        let folder = tempfile::tempdir().expect("a folder");
        let script = folder.path().join("script");
        let printing: String =
            lines.iter().flat_map(|line| ["printf '%s\\0' ", line, "\nprintf '\\001\\0'\n"]).collect();
        std::fs::write(&script, printing).expect("written");
        let out = std::process::Command::new("sh")
            .arg(&script)
            .current_dir(folder.path())
            .output()
            .expect("a shell");
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "something was executed");
        let text = String::from_utf8(out.stdout).expect("text");
        let words: Vec<_> = text.split_terminator('\0').map(str::to_owned).collect();
        let mut split: Vec<Vec<String>> =
            words.split(|word| word == "\u{1}").map(<[String]>::to_vec).collect();
        assert_eq!(split.pop(), Some(Vec::new()));
        split
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10))]

        /// A shell a case would take minutes: each case is a hundred commands in one shell.
        #[test]
        fn a_shell_and_the_command_make_the_same_draft_of_it(pairs in prop::collection::vec((drafts(), drafts(), any::<bool>()), 100)) {
            let commands: Vec<String> = pairs.iter().map(|(draft, other, alike)| {
                // A profile that resembles the draft lets the options show.
                let profile = if *alike { Draft { clauses: other.clauses.clone(), ..draft.clone() } } else { other.clone() };
                command(draft, &Base { profile: Some(("p", &profile)), ..Base::default() })
            }).collect();
            for ((words, line), (draft, other, alike)) in split(&commands).iter().zip(&commands).zip(&pairs) {
                prop_assert_eq!(&cleaned(line), line);
                let profile = if *alike { Draft { clauses: other.clauses.clone(), ..draft.clone() } } else { other.clone() };
                prop_assert_eq!(&words[..3], ["toktui", "mytoken", "create"]);
                let trimmed = cleaned(draft.name.trim());
                let mut expected = Draft { name: if trimmed.is_empty() { "p".to_owned() } else { trimmed }, ..draft.clone() };
                expected.clauses.retain(|clause| !clause.is_open());
                if expected.provider.is_empty() && !line.contains("--draft") {
                    expected.provider = profile.provider.clone();
                }
                prop_assert_eq!(read(&words[3..], &profile), expected, "{}", line);
            }
        }
    }
}
