//! The providers and servers that are known: those built in, under the user's own `config.toml`.
//!
//! This room reads files that it is given the path of, and writes two: `profiles.toml`, with what was saved from the form, and
//! `providers.toml`, with the providers that were added. It asks neither the environment nor any server.

mod fields;
mod mytoken;
mod problem;
mod profile;
mod provider;
mod saved;
mod secrets;
mod settings;

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use crate::domain::source::{FormerIssuer, Issuer, Origin, Source, SourceId, SourceKind};
use fields::{Fields, Placed, Report};
pub use problem::{Fault, Problem};
pub use provider::redirect;
pub use saved::added::{AddedProvider, added_providers, forget_client, remove_provider, save_provider};
pub use saved::{SavedProfile, save_profile};
use secrets::SecretPlace;
use settings::Arrangement;
pub use settings::{Clipboard, Settings, Zone};

const PROVIDERS: &str = include_str!("../../assets/providers.toml");
const PROFILES: &str = include_str!("../../assets/profiles.toml");

/// A config file longer than this is not one.
const LONGEST: u64 = 1 << 20;

/// What the board and the commands know before they ask anybody.
#[derive(Clone, Debug)]
pub struct Config {
    /// The rows of the Providers pane, in its order.
    pub sources: Vec<Source>,
    /// The user's choices.
    pub settings: Settings,
    path: PathBuf,
    hidden: Vec<Source>,
    families: Vec<Source>,
    order: Vec<String>,
    hide: Vec<String>,
    secrets: Vec<SecretPlace>,
    /// Files with a CA, each with the source whose server it is believed of.
    authorities: Vec<(SourceId, PathBuf)>,
}

/// The texts of the user's files, as far as they are there.
#[derive(Clone, Copy, Debug, Default)]
struct Texts<'t> {
    /// `config.toml`.
    config: Option<&'t str>,
    /// `profiles.toml`.
    profiles: Option<&'t str>,
    /// `providers.toml`.
    providers: Option<&'t str>,
}

/// A source that goes by an address, and in which sense.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Match<'c> {
    /// This is its address.
    Now(&'c Source),
    /// It had this address before it moved.
    Formerly(&'c Source, &'c FormerIssuer),
}

/// Where the user's config file is: below `home` (`TOKTUI_HOME`) if that is set, else below `folder`, the folder
/// in which this system keeps the settings of programs.
#[must_use]
pub fn path(home: Option<&Path>, folder: &Path) -> PathBuf {
    home.map_or_else(|| folder.join("toktui"), |home| home.join("config")).join("config.toml")
}

impl Config {
    /// Reads the config file at `path`, if there is one, and what was saved beside it. What is wrong in them is told, and the rest counts.
    #[must_use]
    pub fn open(path: &Path) -> (Self, Vec<Problem>) {
        let mut unread = Vec::new();
        let mut text_of = |path: &Path, fault: fn(String) -> Fault| {
            read(path).unwrap_or_else(|why| {
                unread.push(Problem {
                    path: path.to_owned(),
                    line: 0,
                    key: String::new(),
                    fault: fault(why),
                });
                None
            })
        };
        let text = text_of(path, Fault::Unreadable);
        let profiles = text_of(&saved_path(path), Fault::Saved);
        let providers = text_of(&added_path(path), Fault::Saved);
        let texts =
            Texts { config: text.as_deref(), profiles: profiles.as_deref(), providers: providers.as_deref() };
        let (config, mut problems) = Self::load_all(texts, path);
        problems.extend(unread);
        (config, problems)
    }

    /// The built-in sources with the config file's `text` laid over them; `path` is where it came from, for the
    /// words of problems and for the paths in it, which are relative to its folder.
    #[must_use]
    pub fn load(text: Option<&str>, path: &Path) -> (Self, Vec<Problem>) {
        Self::load_all(Texts { config: text, ..Texts::default() }, path)
    }

    /// The same with the texts of the files beside it. What was added goes before the user's own file, which lays over it as over a preset.
    fn load_all(texts: Texts<'_>, path: &Path) -> (Self, Vec<Problem>) {
        let mut config = Self {
            sources: Vec::new(),
            settings: Settings::default(),
            path: path.to_owned(),
            hidden: Vec::new(),
            families: Vec::new(),
            order: Vec::new(),
            hide: Vec::new(),
            secrets: Vec::new(),
            authorities: Vec::new(),
        };
        let mut problems = config.lay(PROVIDERS, Path::new("assets/providers.toml"), Origin::Preset, &[]);
        problems.extend(config.lay(PROFILES, Path::new("assets/profiles.toml"), Origin::Preset, &[]));
        if let Some(added) = texts.providers {
            problems.extend(config.lay_added(added, &added_path(path)));
        }
        if let Some(text) = texts.config {
            // `[board]` may name what stands in the file that is read later.
            let later = texts.profiles.map(saved::names).unwrap_or_default();
            problems.extend(config.lay(text, path, Origin::Config, &later));
        }
        if let Some(saved) = texts.profiles {
            problems.extend(config.lay_saved(saved, &saved_path(path)));
        }
        config.arrange();
        (config, problems)
    }

    /// The source of this name, shown or hidden.
    #[must_use]
    pub fn source(&self, id: &SourceId) -> Option<&Source> {
        self.sources.iter().chain(&self.hidden).find(|source| source.id == *id)
    }

    /// The source that goes by an issuer's or a mytoken server's address, a slash at its end aside. Such a server may
    /// be asked about a token that names it: at the address known here, not at the one in the token.
    #[must_use]
    pub fn at_address(&self, address: &str) -> Option<Match<'_>> {
        let same = |known: &str| bare(known) == bare(address);
        let all = || self.sources.iter().chain(&self.hidden);
        let now = all().find(|source| match &source.kind {
            SourceKind::Issuer(issuer) => same(&issuer.address),
            SourceKind::Server(server) => same(&server.address),
            SourceKind::Profile(_) => false,
        });
        now.map(Match::Now).or_else(|| {
            all().find_map(|source| {
                let former = source.issuer()?.formerly.iter().find(|former| same(&former.address))?;
                Some(Match::Formerly(source, former))
            })
        })
    }

    /// A provider of which only the address is known, with what can be told from its form: an address with a realm
    /// is a Keycloak's.
    #[must_use]
    pub fn issuer_at(&self, address: &str) -> Issuer {
        let keycloak = self.families.iter().find(|family| family.id.as_str() == "keycloak");
        let known = keycloak.filter(|_| address.contains("/realms/")).and_then(Source::issuer);
        known.map_or_else(
            || Issuer::at(address),
            |family| Issuer { address: address.to_owned(), ..family.clone() },
        )
    }

    /// The CAs that are to be believed of one provider's or server's host: its address, and the file.
    pub fn authorities(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.authorities.iter().filter_map(|(id, file)| match &self.source(id)?.kind {
            SourceKind::Issuer(issuer) => Some((issuer.address.as_str(), file.as_path())),
            SourceKind::Server(server) => Some((server.address.as_str(), file.as_path())),
            SourceKind::Profile(_) => None,
        })
    }

    /// Fills in the client secrets from the files and environment variables that the config file names.
    /// Whoever only lists or looks up needs none and does not call this.
    pub fn fetch_secrets(&mut self, variable: &dyn Fn(&str) -> Option<String>) -> Vec<Problem> {
        let mut problems = Vec::new();
        for place in &self.secrets {
            let (secret, problem) = place.read(&self.path, variable);
            problems.extend(problem);
            let mut all = self.sources.iter_mut().chain(&mut self.hidden);
            let source = all.find(|source| source.id == place.source);
            if let Some(SourceKind::Issuer(issuer)) = source.map(|source| &mut source.kind)
                && let Some(client) = &mut issuer.client
            {
                client.secret = secret;
            }
        }
        problems
    }

    /// Lays one file over what is there.
    fn lay(&mut self, text: &str, path: &Path, origin: Origin, later: &[String]) -> Vec<Problem> {
        let report = Report::new(path, text);
        let document = match DeTable::parse(text) {
            Ok(document) => document,
            Err(error) => {
                report.add(&error.span().unwrap_or_default(), "", Fault::Syntax(error.message().to_owned()));
                return report.finish();
            }
        };
        let root = Fields::new(&report, document.get_ref(), "", 0..0);
        if origin == Origin::Preset {
            for (name, fields) in root.named("family") {
                let family = provider::read_family(&name, fields, &self.families);
                self.families.push(family);
            }
        }
        self.lay_sources(&root, path, origin);
        let arrangement =
            root.table("board").map(|board| settings::read(board, &mut self.settings)).unwrap_or_default();
        self.apply(&root, arrangement, origin, later);
        if let Some(store) = root.table("store") {
            settings::read_store(store, &mut self.settings);
        }
        root.finish();
        report.finish()
    }

    /// Lays the saved profiles beside what is there; a name that stands for something already is not taken away from it.
    fn lay_saved(&mut self, text: &str, path: &Path) -> Vec<Problem> {
        written(text, path, |root| {
            for (name, fields) in root.named("profile") {
                if let Some(taken) = self.sources.iter().find(|source| source.id.as_str() == name.value) {
                    fields.complain_of(&name, Fault::Taken(kind_of(taken)));
                } else if let Some(source) = profile::read(&name, fields, None, &self.sources) {
                    self.put(source, Origin::Config);
                }
            }
        })
    }

    /// Lays what was added over the presets: providers, a preset's client, mytoken servers.
    fn lay_added(&mut self, text: &str, path: &Path) -> Vec<Problem> {
        written(text, path, |root| self.lay_givers(root, path, Origin::Added))
    }

    fn lay_sources(&mut self, root: &Fields<'_>, path: &Path, origin: Origin) {
        self.lay_givers(root, path, origin);
        for (name, fields) in root.named("profile") {
            let Ok(base) = self.base(&fields, &name, "mytoken profile") else { continue };
            if let Some(source) = profile::read(&name, fields, base, &self.sources) {
                self.put(source, origin);
            }
        }
    }

    fn lay_givers(&mut self, root: &Fields<'_>, path: &Path, origin: Origin) {
        let folder = path.parent().unwrap_or(Path::new(""));
        for (name, fields) in root.named("provider") {
            let Ok(base) = self.base(&fields, &name, "provider") else { continue };
            self.note_authority(&name.value, &fields, folder);
            if let Some(provider) = provider::read(&name, fields, base, &self.families, folder) {
                self.secrets.retain(|place| place.source != provider.source.id);
                self.secrets.extend(provider.secret);
                self.put(provider.source, origin);
            }
        }
        for (name, fields) in root.named("mytoken") {
            let Ok(base) = self.base(&fields, &name, "mytoken server") else { continue };
            self.note_authority(&name.value, &fields, folder);
            if let Some(source) = mytoken::read_server(&name, fields, base) {
                self.put(source, origin);
            }
        }
    }

    /// The CA of one provider or server; the nearer file's word counts.
    fn note_authority(&mut self, name: &str, fields: &Fields<'_>, folder: &Path) {
        let Some(file) = fields.text("ca_file", "the path of a file with a CA's certificate (PEM)") else {
            return;
        };
        self.authorities.retain(|(id, _)| id.as_str() != name);
        self.authorities.push((name.into(), folder.join(file)));
    }

    /// The source that a table of this name lays over; an error, and a complaint, if it is one of another kind.
    fn base(
        &self,
        fields: &Fields<'_>,
        name: &Placed<String>,
        kind: &str,
    ) -> Result<Option<Source>, WrongKind> {
        let found = self.sources.iter().find(|source| source.id.as_str() == name.value);
        match found {
            Some(source) if kind_of(source) != kind => {
                fields.complain_of(name, Fault::Taken(kind_of(source)));
                Err(WrongKind)
            }
            _ => Ok(found.cloned()),
        }
    }

    fn put(&mut self, mut source: Source, origin: Origin) {
        source.origin = origin;
        match self.sources.iter_mut().find(|known| known.id == source.id) {
            Some(known) => *known = source,
            None => self.sources.push(source),
        }
    }

    /// Looks up the names of `[board]`; `later` are those that a file read later gives. The user's order goes before the built-in one.
    fn apply(&mut self, root: &Fields<'_>, arrangement: Arrangement, origin: Origin, later: &[String]) {
        // The first profile of the built-in order stands in a file that is read later.
        let known = |name: &Placed<String>| {
            let sources = self.sources.iter().map(|source| source.id.as_str());
            let mut names = sources.chain(later.iter().map(String::as_str));
            let is_known = origin == Origin::Preset || names.clone().any(|known| known == name.value);
            if !is_known {
                let near = problem::nearest(&name.value, names.by_ref());
                root.complain_of(name, Fault::NoSuch { kind: "provider, server or profile", near });
            }
            is_known
        };
        let mut order = Vec::new();
        order.extend(arrangement.order.into_iter().filter(&known).map(|name| name.value));
        let hide: Vec<_> = arrangement.hide.into_iter().filter(&known).map(|name| name.value).collect();
        order.append(&mut self.order);
        self.order = order;
        self.hide.extend(hide);
    }

    /// Puts the hidden sources aside and the others in order: the named ones, the user's own, and, folded, the rest.
    fn arrange(&mut self) {
        let hide = &self.hide;
        let (hidden, shown) =
            self.sources.drain(..).partition(|source| hide.iter().any(|name| name == source.id.as_str()));
        self.sources = shown;
        self.hidden = hidden;
        let order = &self.order;
        let place = |source: &Source| {
            let named = order.iter().position(|name| name == source.id.as_str());
            named.unwrap_or(order.len() + usize::from(source.origin == Origin::Preset))
        };
        for source in &mut self.sources {
            source.folded = place(source) > order.len();
        }
        self.sources.sort_by_key(place);
    }
}

/// Reads a file that toktui writes, and tells what is wrong in it.
fn written(text: &str, path: &Path, lay: impl FnOnce(&Fields<'_>)) -> Vec<Problem> {
    let report = Report::new(path, text);
    match DeTable::parse(text) {
        Ok(document) => {
            let root = Fields::new(&report, document.get_ref(), "", 0..0);
            lay(&root);
            root.finish();
        }
        Err(error) => {
            let span = error.span().unwrap_or_default();
            report.add(&span, "", Fault::Saved(error.message().to_owned()));
        }
    }
    report.finish()
}

/// A name that stands for something of another kind.
struct WrongKind;

fn kind_of(source: &Source) -> &'static str {
    match source.kind {
        SourceKind::Issuer(_) => "provider",
        SourceKind::Server(_) => "mytoken server",
        SourceKind::Profile(_) => "mytoken profile",
    }
}

/// Where saved profiles are: beside the config file.
fn saved_path(config: &Path) -> PathBuf {
    config.with_file_name("profiles.toml")
}

/// Where added providers are: beside the config file.
fn added_path(config: &Path) -> PathBuf {
    config.with_file_name("providers.toml")
}

fn bare(address: &str) -> &str {
    address.strip_suffix('/').unwrap_or(address)
}

/// The text of a file; `None` if there is no file.
fn read(path: &Path) -> Result<Option<String>, String> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let mut text = String::new();
    file.take(LONGEST + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if text.len() as u64 > LONGEST {
        return Err("it is longer than a config file can be".to_owned());
    }
    Ok(Some(text))
}

#[cfg(test)]
mod tests;
