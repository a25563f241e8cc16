//! `profiles.toml`, beside `config.toml`: the profiles that were saved from the form. toktui writes it; hands may.

pub(super) mod added;

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use jiff::tz::TimeZone;
use toml::de::DeTable;

use super::{Config, Texts, kind_of};
use crate::domain::draft::{Draft, DraftClause, When};
use crate::domain::mytoken::{Clause, Form};
use crate::domain::source::{Profile, SourceId, SourceKind};
use crate::domain::time::from_epoch;
use crate::domain::untrusted::{Untrusted, cleaned};

const HEAD: &str = "\
# Profiles that were saved from the form, with the keys of [profile.NAME] of config.toml.
# toktui adds to this file, and replaces a profile that is saved anew; the rest of it stays as it is.
";

/// A draft under a name of the user's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedProfile {
    /// Its short word, for commands.
    pub name: String,
    /// The server it is made at.
    pub server: SourceId,
    /// The mytoken.
    pub draft: Draft,
}

/// Saves a profile in the `folder` of `config.toml`, over one of the same name that was saved before. It is on disk when this returns.
///
/// # Errors
/// With what is wrong, in words: the name is taken or none, the draft cannot be read back the same, the file cannot be written.
pub fn save_profile(folder: &Path, profile: &SavedProfile) -> Result<(), String> {
    let config = folder.join("config.toml");
    let path = super::saved_path(&config);
    let (user, old) = (super::read(&config)?, super::read(&path)?);
    // A provider or server may be one that was added.
    let providers = super::read(&super::added_path(&config))?;
    let with = |profiles| {
        let texts = Texts { config: user.as_deref(), profiles, providers: providers.as_deref() };
        Config::load_all(texts, &config)
    };
    let (before, _) = with(None);
    if let Some(other) = before.source(&SourceId(profile.name.clone())) {
        return Err(format!("{} is already the name of a {}: take another", profile.name, kind_of(other)));
    }
    let kept = without(old.as_deref().unwrap_or(HEAD), &["profile."], &profile.name);
    let text = format!("{}\n\n{}", kept.trim_end(), table(profile));
    // What cannot be read back the same, or would harm another one, is not written.
    let (was, _) = with(old.as_deref());
    let (now, problems) = with(Some(&text));
    let about = format!("profile.{}", profile.name);
    let is_about =
        |key: &str| key.strip_prefix(&about).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    if let Some(problem) = problems.iter().find(|problem| problem.path == path && is_about(&problem.key)) {
        return Err(cleaned(&format!("{}: {}", problem.key, problem.fault)));
    }
    let wanted = Profile { server: profile.server.clone(), draft: lasting(&profile.draft) };
    let is_there = profile_of(&now, &profile.name) == Some(&wanted);
    let others_stay = was.sources.iter().all(|source| {
        source.id.as_str() == profile.name || now.source(&source.id).is_some_and(|other| other == source)
    });
    if !is_there || !others_stay {
        let file = cleaned(&path.to_string_lossy());
        return Err(format!(
            "it cannot be written into {file} so that all in there can be read again; change it by hand"
        ));
    }
    write(&path, &text)
        .map_err(|error| format!("{} cannot be written: {error}", cleaned(&path.to_string_lossy())))
}

/// The names of the profiles in the file.
pub(super) fn names(text: &str) -> Vec<String> {
    let Ok(document) = DeTable::parse(text) else { return Vec::new() };
    let profiles = document.get_ref().get("profile").and_then(|value| value.get_ref().as_table());
    profiles.into_iter().flat_map(|table| table.keys()).map(|name| name.get_ref().to_string()).collect()
}

fn profile_of<'c>(config: &'c Config, name: &str) -> Option<&'c Profile> {
    match &config.source(&SourceId(name.to_owned()))?.kind {
        SourceKind::Profile(profile) => Some(profile),
        SourceKind::Issuer(_) | SourceKind::Server(_) => None,
    }
}

/// What of a draft lasts: moments in whole seconds, no counters of another mytoken, no members that nobody knows.
fn lasting(draft: &Draft) -> Draft {
    let whole = |when: When| match when {
        When::In(seconds) => When::In(seconds),
        When::At(at) => When::At(from_epoch(at.as_second())),
    };
    let clause = |clause: &DraftClause| DraftClause {
        starts: clause.starts.map(whole),
        ends: clause.ends.map(whole),
        rest: Clause {
            not_before: None,
            expires: None,
            used_at: None,
            used_other: None,
            unknown: Vec::new(),
            ..clause.rest.clone()
        },
    };
    Draft { clauses: draft.clauses.iter().map(clause).collect(), ..draft.clone() }
}

/// The file without the tables of one name, from their header to the next name's.
fn without(text: &str, kinds: &[&str], name: &str) -> String {
    let mut is_in = false;
    let lines = text.split_inclusive('\n').filter(|line| {
        if let Some(header) = header(line, kinds) {
            is_in = header == name;
        }
        !is_in
    });
    lines.collect()
}

/// Whose table begins in this line, if one of these kinds does.
fn header<'l>(line: &'l str, kinds: &[&str]) -> Option<&'l str> {
    let rest = line.trim_start().trim_start_matches('[').trim_start();
    let rest = Some(rest).filter(|_| line.trim_start().starts_with('['))?;
    let rest = kinds.iter().find_map(|kind| rest.strip_prefix(kind))?;
    match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => rest.split(['.', ']', ' ']).next(),
    }
}

fn table(profile: &SavedProfile) -> String {
    let draft = lasting(&profile.draft);
    let name = key(&profile.name);
    let mut text = format!("[profile.{name}]\nserver = {}\n", quoted(profile.server.as_str()));
    let mut line = |key: &str, value: String| text.extend([key, " = ", &value, "\n"]);
    if !draft.provider.is_empty() {
        line("provider", quoted(&draft.provider));
    }
    if !draft.name.is_empty() {
        line("mytoken_name", quoted(&draft.name));
    }
    line("capabilities", list(draft.capabilities.iter().map(|one| one.0.raw())));
    match draft.form {
        Form::Token => {}
        Form::Short => line("form", quoted("short")),
        Form::Code => line("form", quoted("code")),
    }
    if !draft.templates.is_empty() {
        line("templates", list(draft.templates.iter().map(String::as_str)));
    }
    let rotation = draft.rotation;
    let flags =
        [("on_at", rotation.on_at), ("on_other", rotation.on_other), ("auto_revoke", rotation.auto_revoke)];
    let mut members: Vec<String> =
        flags.into_iter().filter(|(_, on)| *on).map(|(name, _)| format!("{name} = true")).collect();
    members.extend(
        rotation.lifetime.map(|seconds| format!("lifetime = {}", quoted(&moment(When::In(seconds))))),
    );
    if !members.is_empty() {
        line("rotation", format!("{{ {} }}", members.join(", ")));
    }
    let mut clauses = draft.clauses.as_slice();
    if let Some((first, rest)) = clauses.split_first().filter(|(first, _)| !first.is_open()) {
        text.push_str(&members_of(first));
        clauses = rest;
    }
    for clause in clauses {
        text.extend(["\n[[profile.", &name, ".clause]]\n", &members_of(clause)]);
    }
    text
}

fn members_of(clause: &DraftClause) -> String {
    let rest = &clause.rest;
    let words =
        |words: &Option<Vec<Untrusted>>| words.as_ref().map(|words| list(words.iter().map(Untrusted::raw)));
    let ends = clause.ends.map(|when| quoted(&moment(when)));
    let (lifetime, expires) =
        if matches!(clause.ends, Some(When::In(_))) { (ends, None) } else { (None, ends) };
    let members = [
        ("starts", clause.starts.map(|when| quoted(&moment(when)))),
        ("lifetime", lifetime),
        ("expires", expires),
        ("scopes", words(&rest.scopes)),
        ("audiences", words(&rest.audiences)),
        ("hosts", words(&rest.hosts)),
        ("countries", words(&rest.countries_allowed)),
        ("not_countries", words(&rest.countries_refused)),
        ("uses_at", rest.uses_at.map(|count| count.to_string())),
        ("uses_other", rest.uses_other.map(|count| count.to_string())),
    ];
    members.into_iter().filter_map(|(name, value)| Some(format!("{name} = {}\n", value?))).collect()
}

fn moment(when: When) -> String {
    let typed = when.typed(&TimeZone::UTC);
    if matches!(when, When::At(_)) { format!("{typed} UTC") } else { typed }
}

fn list<'w>(words: impl Iterator<Item = &'w str>) -> String {
    format!("[{}]", words.map(quoted).collect::<Vec<_>>().join(", "))
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.extend(["\\u", &format!("{:04X}", u32::from(c))]),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { quoted(name) }
}

/// Whole to a sibling, then renamed: the file is the old one or the new one, whatever happens.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    // The file itself may lie elsewhere, with the user's other settings.
    let path = match fs::canonicalize(path) {
        Ok(path) => path,
        Err(error) if error.kind() == ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(error),
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(&path).map(|_| ()).map_err(|error| error.error)
}

#[cfg(test)]
mod tests;
