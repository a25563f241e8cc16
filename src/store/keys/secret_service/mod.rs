//! The desktop's keyring: GNOME Keyring, KWallet or `KeePassXC`, through the Secret Service of the session's D-Bus.
//!
//! Spoken by hand, with a blocking socket, because the general library for it made a fifth of the whole program (1.6 MiB), had it load
//! another system library at every start, and brought no limit for a bus that does not answer. Six calls are needed, and every one ends when
//! the two seconds are over (security.md F4).
//!
//! The key crosses the bus as it is (session kind `plain`): that is a socket between processes of this user, each of which could ask
//! for the key itself. It opens nothing without the store's own file, and a file's thief has no bus.

mod bus;
mod wire;

use std::time::Duration;

use bus::{Answer, Bus, To, Trouble};
use wire::{Read, Written};

use super::super::seal::Key;
use super::{Keyring, NO_KEY};
use crate::store::Error;

/// After this all waiting ends.
pub const PATIENCE: Duration = Duration::from_secs(2);

const SERVICE: &str = "org.freedesktop.secrets";
const ROOT: &str = "/org/freedesktop/secrets";
/// What stands for "no object" in answers.
const NOTHING: &str = "/";

/// The Secret Service at a bus.
#[derive(Clone, Debug)]
pub struct SecretService {
    address: String,
    patience: Duration,
}

impl SecretService {
    /// At the bus of this address, as `DBUS_SESSION_BUS_ADDRESS` holds it. Nothing is connected yet.
    #[must_use]
    pub fn at(address: &str) -> Self {
        Self { address: address.to_owned(), patience: PATIENCE }
    }

    /// Gives up after this time.
    #[must_use]
    pub fn within(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    fn open(&self) -> Result<Talk, Error> {
        Talk::open(&self.address, self.patience).map_err(said)
    }
}

impl Keyring for SecretService {
    fn key(&self, store: &str) -> Result<Key, Error> {
        let mut talk = self.open()?;
        let item = talk.item(store).map_err(said)?.ok_or_else(|| Error::Keyring(NO_KEY.to_owned()))?;
        let key = talk.secret(&item).map_err(said)?;
        key.ok_or_else(|| Error::Keyring("holds something else in the key's place".to_owned()))
    }

    fn keep(&self, store: &str, key: &Key) -> Result<(), Error> {
        self.open()?.keep(store, key).map_err(said)
    }

    fn forget(&self, store: &str) -> Result<(), Error> {
        let mut talk = self.open()?;
        match talk.item(store).map_err(said)? {
            Some(item) => talk.delete(&item).map_err(said),
            None => Ok(()),
        }
    }

    fn answers(&self) -> bool {
        // Somewhere to keep a key is what matters; whether it is locked shows when it is used.
        self.open().and_then(|mut talk| talk.collection().map_err(said)).is_ok()
    }
}

fn said(trouble: Trouble) -> Error {
    Error::Keyring(match trouble {
        Trouble::NoBus => "is not there: this session has no D-Bus".to_owned(),
        Trouble::Silent => "does not answer".to_owned(),
        Trouble::Garbled => "gave an answer that cannot be read".to_owned(),
        Trouble::Refused(name) => match name.as_str() {
            LOCKED => "is locked".to_owned(),
            "org.freedesktop.DBus.Error.ServiceUnknown" => "is not installed".to_owned(),
            _ if name.starts_with("org.freedesktop.DBus.Error.Spawn") => "does not start".to_owned(),
            _ => format!("refused ({})", crate::domain::untrusted::cleaned(&name)),
        },
    })
}

const LOCKED: &str = "org.freedesktop.Secret.Error.IsLocked";

/// A connection with a session at the service.
struct Talk {
    bus: Bus,
    session: String,
}

impl Talk {
    fn open(address: &str, patience: Duration) -> Result<Self, Trouble> {
        let mut talk = Self { bus: Bus::connect(address, patience)?, session: String::new() };
        let mut body = Written::default();
        body.text("plain").signature("s").text("");
        let answer = talk.service("OpenSession", "sv", &body)?;
        let mut read = opened(&answer, "vo")?;
        // An empty string, as a value of any type.
        let session = (read.signature() == Some("s")).then(|| read.text()).flatten().and_then(|_| read.text());
        session.ok_or(Trouble::Garbled)?.clone_into(&mut talk.session);
        Ok(talk)
    }

    fn service(&mut self, member: &str, signature: &str, body: &Written) -> Result<Answer, Trouble> {
        self.call(ROOT, "org.freedesktop.Secret.Service", member, signature, body)
    }

    fn call(&mut self, path: &str, interface: &str, member: &str, signature: &str, body: &Written) -> Result<Answer, Trouble> {
        self.bus.call(To { service: SERVICE, path, interface }, member, signature, body)
    }

    /// The item that holds this store's key, unlocked.
    fn item(&mut self, store: &str) -> Result<Option<String>, Trouble> {
        let mut body = Written::default();
        attributes(&mut body, store);
        let answer = self.service("SearchItems", "a{ss}", &body)?;
        let mut read = opened(&answer, "aoao")?;
        let (open, locked) = read.paths().zip(read.paths()).ok_or(Trouble::Garbled)?;
        if let Some(item) = open.first() {
            return Ok(Some((*item).to_owned()));
        }
        let Some(item) = locked.first() else {
            return Ok(None);
        };
        self.unlock(item)?;
        Ok(Some((*item).to_owned()))
    }

    /// Unlocks what needs no question. Nobody can type a password in two seconds, so a keyring that would ask is a locked one.
    fn unlock(&mut self, path: &str) -> Result<(), Trouble> {
        let mut body = Written::default();
        body.list(4, |paths| {
            paths.text(path);
        });
        let answer = self.service("Unlock", "ao", &body)?;
        let mut read = opened(&answer, "aoo")?;
        let (unlocked, prompt) = read.paths().zip(read.text()).ok_or(Trouble::Garbled)?;
        if unlocked.contains(&path) && prompt == NOTHING { Ok(()) } else { Err(Trouble::Refused(LOCKED.to_owned())) }
    }

    fn secret(&mut self, item: &str) -> Result<Option<Key>, Trouble> {
        let mut body = Written::default();
        body.text(&self.session);
        let answer = self.call(item, "org.freedesktop.Secret.Item", "GetSecret", "o", &body)?;
        let mut read = opened(&answer, "(oayays)")?;
        let read = read.text().zip(read.data()).and_then(|_| read.data());
        Ok(Key::from_bytes(read.ok_or(Trouble::Garbled)?))
    }

    /// Where new things go: what the user's desktop calls the default.
    fn collection(&mut self) -> Result<String, Trouble> {
        let mut body = Written::default();
        body.text("default");
        let answer = self.service("ReadAlias", "s", &body)?;
        let path = opened(&answer, "o")?.text().ok_or(Trouble::Garbled)?;
        // No keyring has been made yet, and making one asks for a password.
        if path == NOTHING { Err(Trouble::Refused(LOCKED.to_owned())) } else { Ok(path.to_owned()) }
    }

    fn keep(&mut self, store: &str, key: &Key) -> Result<(), Trouble> {
        let collection = self.collection()?;
        self.unlock_if_locked(&collection)?;
        let mut body = Written::default();
        body.list(8, |properties| {
            properties.pad(8).text("org.freedesktop.Secret.Item.Label").signature("s").text("toktui: the key of its store");
            properties.pad(8).text("org.freedesktop.Secret.Item.Attributes").signature("a{ss}");
            attributes(properties, store);
        });
        body.pad(8).text(&self.session).data(&[]).data(key.expose()).text("application/octet-stream");
        // One item of these attributes: an older one is replaced.
        body.number(1);
        let answer = self.call(&collection, "org.freedesktop.Secret.Collection", "CreateItem", "a{sv}(oayays)b", &body)?;
        let mut read = opened(&answer, "oo")?;
        let (item, prompt) = read.text().zip(read.text()).ok_or(Trouble::Garbled)?;
        if item != NOTHING && prompt == NOTHING { Ok(()) } else { Err(Trouble::Refused(LOCKED.to_owned())) }
    }

    fn unlock_if_locked(&mut self, collection: &str) -> Result<(), Trouble> {
        let mut body = Written::default();
        body.text("org.freedesktop.Secret.Collection").text("Locked");
        let answer = self.call(collection, "org.freedesktop.DBus.Properties", "Get", "ss", &body)?;
        let mut read = opened(&answer, "v")?;
        let locked = (read.signature() == Some("b")).then(|| read.number()).flatten().ok_or(Trouble::Garbled)?;
        if locked == 0 { Ok(()) } else { self.unlock(collection) }
    }

    fn delete(&mut self, item: &str) -> Result<(), Trouble> {
        let answer = self.call(item, "org.freedesktop.Secret.Item", "Delete", "", &Written::default())?;
        let prompt = opened(&answer, "o")?.text().ok_or(Trouble::Garbled)?;
        if prompt == NOTHING { Ok(()) } else { Err(Trouble::Refused(LOCKED.to_owned())) }
    }
}

/// By which a store's key is found again.
fn attributes(body: &mut Written, store: &str) {
    body.list(8, |pairs| {
        for (name, value) in [("application", "toktui"), ("store", store)] {
            pairs.pad(8).text(name).text(value);
        }
    });
}

/// The answer's body, if it has the types that were expected.
fn opened<'a>(answer: &'a Answer, signature: &str) -> Result<Read<'a>, Trouble> {
    if answer.signature == signature { Ok(Read::new(&answer.body)) } else { Err(Trouble::Garbled) }
}
