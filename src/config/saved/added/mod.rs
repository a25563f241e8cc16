//! `providers.toml`, beside `config.toml`: the providers and mytoken servers that were added by their address. toktui writes it; hands may.

use std::path::Path;

use toml::de::DeTable;

use super::{header, key, list, quoted, without, write};
use crate::config::provider::{auth_word, registering_word, route_word};
use crate::config::{Config, Texts, added_path, kind_of, read};
use crate::domain::source::{ClientAuth, Origin, Registering, Route, Source, SourceId, SourceKind};
use crate::domain::untrusted::cleaned;

const HEAD: &str = "\
# Providers and mytoken servers that were added by their address, with the keys of [provider.NAME] and [mytoken.NAME] of config.toml.
# toktui adds to this file and removes from it (`toktui provider`); what config.toml says of the same name goes before it.
";

const KINDS: [&str; 2] = ["provider.", "mytoken."];

/// What is to be kept of a provider or mytoken server that somebody added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddedProvider {
    /// Its short word, for commands.
    pub name: String,
    /// Its name on screen; empty: its short word.
    pub title: String,
    /// The issuer, byte for byte, or a server's base address; empty for a client at a provider that is built in.
    pub address: String,
    /// Whether it is a mytoken server.
    pub is_server: bool,
    /// The client to be there.
    pub client_id: Option<String>,
    /// The scopes that a login asks for; empty: as without this word.
    pub scopes: Vec<String>,
    /// The routes of a login; empty: as without this word.
    pub routes: Vec<Route>,
    /// The loopback addresses that the client has registered; empty: as without this word.
    pub redirects: Vec<String>,
    /// How the client says who it is; `None`: as without this word.
    pub auth: Option<ClientAuth>,
    /// A file with the CA that is believed of its host beside those of the system; empty: none.
    pub ca_file: String,
    /// Whether the client was registered from here: what is secret of it is in the store.
    pub registered: bool,
    /// Whether a client can be had there; `None`: as without this word.
    pub registering: Option<Registering>,
}

impl AddedProvider {
    /// What is kept of a source that was discovered.
    #[must_use]
    pub fn of(source: &Source) -> Self {
        // The host with its port is no word for commands.
        let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
        let name = source.id.as_str().chars().map(plain).collect();
        let title = source.name.clone();
        match &source.kind {
            SourceKind::Issuer(issuer) => Self {
                name,
                title,
                address: issuer.address.clone(),
                client_id: issuer.client.as_ref().map(|client| client.id.clone()),
                scopes: issuer.scopes.clone(),
                routes: issuer.routes.clone(),
                registering: Some(issuer.registering).filter(|how| *how != Registering::default()),
                ..Self::default()
            },
            SourceKind::Server(server) => {
                Self { name, title, address: server.address.clone(), is_server: true, ..Self::default() }
            }
            SourceKind::Profile(_) => Self { name, title, ..Self::default() },
        }
    }

    /// What is to be kept for another client at a source: over what is built in or stands in the user's own file only what differs from that,
    /// else all of it.
    ///
    /// # Errors
    /// When a file beside it is there and cannot be read.
    pub fn over(folder: &Path, source: &Source) -> Result<Self, String> {
        let beside = Beside::read(folder)?;
        let ((before, _), (all, _)) = (beside.with(None), beside.with(beside.providers.as_deref()));
        let authority = |config: &Config| config.authorities.iter().find(|(id, _)| *id == source.id).cloned();
        // Only what stands in this file goes into it again.
        let ca_file = authority(&all).filter(|_| authority(&before).is_none());
        let ca_file = ca_file.map(|(_, file)| file.to_string_lossy().into_owned()).unwrap_or_default();
        let below = before.source(&source.id);
        let (Some(below), Some(now)) =
            (below.and_then(|below| Some((below.origin, below.issuer()?))), source.issuer())
        else {
            return Ok(Self { ca_file, ..Self::of(source) });
        };
        let address = if below.0 == Origin::Preset { String::new() } else { below.1.address.clone() };
        let scopes = if below.1.scopes == now.scopes { Vec::new() } else { now.scopes.clone() };
        Ok(Self { name: source.id.as_str().to_owned(), address, scopes, ca_file, ..Self::default() })
    }

    fn table(&self) -> String {
        let (kind, place) = if self.is_server { ("mytoken", "address") } else { ("provider", "issuer") };
        let mut text = format!("[{kind}.{}]\n", key(&self.name));
        let mut line = |key: &str, value: String| text.extend([key, " = ", &value, "\n"]);
        if !self.title.is_empty() {
            line("name", quoted(&self.title));
        }
        if !self.address.is_empty() {
            line("note", quoted("added"));
            line(place, quoted(&self.address));
        }
        if !self.ca_file.is_empty() {
            line("ca_file", quoted(&self.ca_file));
        }
        if let Some(id) = &self.client_id {
            line("client_id", quoted(id));
        }
        if let Some(auth) = self.auth {
            line("auth", quoted(auth_word(auth)));
        }
        if self.registered {
            line("registered", "true".to_owned());
        }
        if let Some(registering) = self.registering {
            line("registration", quoted(registering_word(registering)));
        }
        for (key, words) in [("scopes", &self.scopes), ("redirects", &self.redirects)] {
            if !words.is_empty() {
                line(key, list(words.iter().map(String::as_str)));
            }
        }
        if !self.routes.is_empty() {
            line("routes", list(self.routes.iter().filter_map(|route| route_word(*route))));
        }
        text
    }

    /// Whether `source` is what this says.
    fn is(&self, source: &Source) -> bool {
        match &source.kind {
            SourceKind::Issuer(issuer) => {
                let client = issuer.client.as_ref();
                let (id, auth) = (client.map(|client| &client.id), client.map(|client| client.auth));
                !self.is_server
                    && (self.address.is_empty() || issuer.address == self.address)
                    && (self.client_id.is_none() || id == self.client_id.as_ref())
                    && (self.auth.is_none() || auth == self.auth)
                    && self.registered == issuer.registered
                    && (self.scopes.is_empty() || issuer.scopes == self.scopes)
                    && (self.routes.is_empty() || issuer.routes == self.routes)
            }
            SourceKind::Server(server) => self.is_server && server.address == self.address,
            SourceKind::Profile(_) => false,
        }
    }
}

/// The file and its neighbours, read once.
struct Beside<'f> {
    folder: &'f Path,
    config: Option<String>,
    profiles: Option<String>,
    providers: Option<String>,
}

impl<'f> Beside<'f> {
    fn read(folder: &'f Path) -> Result<Self, String> {
        let config = folder.join("config.toml");
        Ok(Self {
            folder,
            profiles: read(&super::super::saved_path(&config))?,
            providers: read(&added_path(&config))?,
            config: read(&config)?,
        })
    }

    /// All that is known with this text in the place of the file.
    fn with(&self, providers: Option<&str>) -> (Config, Vec<crate::config::Problem>) {
        let texts = Texts { config: self.config.as_deref(), profiles: self.profiles.as_deref(), providers };
        Config::load_all(texts, &self.folder.join("config.toml"))
    }

    /// Writes the file, if all others can be read again as they were.
    fn replace(&self, text: &str, name: &str) -> Result<(), String> {
        let path = added_path(&self.folder.join("config.toml"));
        let file = cleaned(&path.to_string_lossy());
        let ((was, _), (now, _)) = (self.with(self.providers.as_deref()), self.with(Some(text)));
        let harmed = was.sources.iter().chain(&was.hidden).find(|source| {
            source.id.as_str() != name && now.source(&source.id).is_none_or(|other| other != *source)
        });
        if let Some(harmed) = harmed {
            let (id, kind) = (harmed.id.as_str(), kind_of(harmed));
            return Err(format!(
                "that would take something from the {kind} {id}; change it, or {file}, by hand"
            ));
        }
        write(&path, text).map_err(|error| format!("{file} cannot be written: {error}"))
    }
}

/// Saves a provider in the `folder` of `config.toml`, over one of the same name that was added before. It is on disk when this returns.
/// What comes back is how every later start will list it.
///
/// # Errors
/// With what is wrong, in words: the name is taken or none, it cannot be read back the same, the file cannot be written.
pub fn save_provider(folder: &Path, provider: &AddedProvider) -> Result<Source, String> {
    let beside = Beside::read(folder)?;
    let (id, path) = (SourceId(provider.name.clone()), added_path(&folder.join("config.toml")));
    let file = cleaned(&path.to_string_lossy());
    let (before, _) = beside.with(None);
    if let Some(other) = before.source(&id) {
        let lays_over = match (other.origin, other.issuer()) {
            (Origin::Preset, Some(_)) => provider.address.is_empty(),
            // A client below what the user's own file says of a provider, which names none.
            (Origin::Config, Some(issuer)) => issuer.client.is_none() && issuer.address == provider.address,
            _ => false,
        };
        if !lays_over {
            return Err(format!(
                "{} is already the name of a {}: take another",
                provider.name,
                kind_of(other)
            ));
        }
    }
    let kept = without(beside.providers.as_deref().unwrap_or(HEAD), &KINDS, &provider.name);
    let text = format!("{}\n\n{}", kept.trim_end(), provider.table());
    let (now, problems) = beside.with(Some(&text));
    let about = KINDS.map(|kind| format!("{kind}{}", provider.name));
    let is_about = |key: &str| {
        let rest = about.iter().find_map(|about| key.strip_prefix(about.as_str()));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    if let Some(problem) = problems.iter().find(|problem| problem.path == path && is_about(&problem.key)) {
        return Err(cleaned(&format!("{}: {}", problem.key, problem.fault)));
    }
    let there = now.source(&id).filter(|source| provider.is(source)).cloned();
    let Some(source) = there else {
        return Err(format!(
            "it cannot be written into {file} so that it can be read again; change that by hand"
        ));
    };
    beside.replace(&text, &provider.name)?;
    Ok(source)
}

/// The names that were added, in the order of the file.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn added_providers(folder: &Path) -> Result<Vec<String>, String> {
    let text = read(&added_path(&folder.join("config.toml")))?.unwrap_or_default();
    let Ok(document) = DeTable::parse(&text) else { return Err("providers.toml is no TOML".to_owned()) };
    let named = |kind: &str| {
        let table = document.get_ref().get(kind).and_then(|value| value.get_ref().as_table());
        let keys = table.into_iter().flat_map(|table| table.keys());
        keys.map(|name| (name.span().start, name.get_ref().to_string())).collect::<Vec<_>>()
    };
    let mut names: Vec<_> = named("provider").into_iter().chain(named("mytoken")).collect();
    names.sort();
    Ok(names.into_iter().map(|(_, name)| name).collect())
}

/// Takes what was added under this name out of the file again.
///
/// # Errors
/// With what is wrong, in words: nothing was added under that name, something else needs it, the file cannot be written.
pub fn remove_provider(folder: &Path, name: &str) -> Result<(), String> {
    let added = added_providers(folder)?;
    if !added.iter().any(|known| known == name) {
        let (known, _) = Beside::read(folder)?.with(None);
        return Err(match known.source(&SourceId(name.to_owned())).map(|source| source.origin) {
            Some(Origin::Preset) => {
                format!("{name} is built in; `hide` in [board] of config.toml leaves it out of the list")
            }
            Some(_) => format!("{name} stands in config.toml, which toktui does not change"),
            None => format!("no provider was added as {name}"),
        });
    }
    let beside = Beside::read(folder)?;
    let text = without(beside.providers.as_deref().unwrap_or_default(), &KINDS, name);
    let text = format!("{}\n", text.trim_end());
    let (now, _) = beside.with(Some(&text));
    let (bare, _) = beside.with(None);
    // What is not written as we write it (inline, or quoted otherwise) cannot be cut out line by line.
    let was = beside.with(beside.providers.as_deref()).0;
    let id = SourceId(name.to_owned());
    if now.source(&id) != bare.source(&id) || now.source(&id) == was.source(&id) {
        return Err(
            "it is not written there as toktui writes it: take it out of providers.toml by hand".to_owned()
        );
    }
    beside.replace(&text, name)
}

/// Takes a registered client out of what was added under this name, where it is the one that stands there; the provider stays, if it was added.
///
/// # Errors
/// With what is wrong, in words: it is not written there as toktui writes it, the file cannot be written.
pub fn forget_client(folder: &Path, name: &str, client: &str) -> Result<(), String> {
    const OF_THE_CLIENT: [&str; 4] = ["client_id", "auth", "registered", "redirects"];
    let beside = Beside::read(folder)?;
    let text = beside.providers.as_deref().unwrap_or_default();
    let id = SourceId(name.to_owned());
    let stands = |config: &Config| {
        let issuer = config.source(&id).and_then(Source::issuer);
        issuer.and_then(|issuer| issuer.client.as_ref()).is_some_and(|known| known.id == client)
    };
    if !stands(&beside.with(Some(text)).0) || stands(&beside.with(None).0) {
        return Ok(());
    }
    if beside.with(None).0.source(&id).is_some() {
        return remove_provider(folder, name);
    }
    let mut is_in = false;
    let lines = text.split_inclusive('\n').filter(|line| {
        if line.trim_start().starts_with('[') {
            is_in = header(line, &KINDS) == Some(name);
        }
        let key = line.split('=').next().unwrap_or_default().trim();
        !(is_in && OF_THE_CLIENT.contains(&key))
    });
    let text: String = lines.collect();
    if stands(&beside.with(Some(&text)).0) || beside.with(Some(&text)).0.source(&id).is_none() {
        return Err("it is not written there as toktui writes it: take it out by hand".to_owned());
    }
    beside.replace(&text, name)
}

#[cfg(test)]
mod tests;
