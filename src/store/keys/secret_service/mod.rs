//! The Secret Service of the session's D-Bus, as one of `keyring_core`'s stores.
//!
//! Spoken by hand, with a blocking socket, because the general library for it made a fifth of the whole program (1.6 MiB), had it load
//! another system library at every start, and knew no limit for a bus that does not answer. Six calls are needed.
//!
//! What is kept crosses the bus as it is (session kind `plain`): that is a socket between processes of this user, each of which could ask
//! for it itself. It opens nothing without the store's own file, and the file's thief has no bus.

mod bus;
mod wire;

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use keyring_core::api::{CredentialApi, CredentialStoreApi};
use keyring_core::{Credential, Entry, Error, Result};
use zeroize::Zeroizing;

use self::bus::{Answer, Bus, To, Trouble};
use self::wire::{Read, Written};
use crate::domain::untrusted::cleaned;

const SERVICE: &str = "org.freedesktop.secrets";
const ROOT: &str = "/org/freedesktop/secrets";
/// What stands for "no object" in answers.
const NOTHING: &str = "/";

/// A Secret Service that answered. Each call is a connection of its own.
#[derive(Clone, Debug)]
pub struct SecretService {
    bus: String,
    patience: Duration,
}

impl SecretService {
    /// Looks whether one is at the bus of this address, as `DBUS_SESSION_BUS_ADDRESS` holds it. Every call gives up after `patience`.
    pub fn open(bus: &str, patience: Duration) -> Result<Self> {
        let found = Self { bus: bus.to_owned(), patience };
        // Somewhere to keep a key is what matters; whether it is locked shows when it is used.
        found.talk(Talk::collection).map(|_| found)
    }

    fn talk<T>(&self, about: impl FnOnce(&mut Talk) -> std::result::Result<T, Trouble>) -> Result<T> {
        Talk::open(&self.bus, self.patience).and_then(|mut talk| about(&mut talk)).map_err(said)
    }
}

impl CredentialStoreApi for SecretService {
    fn vendor(&self) -> String {
        "freedesktop.org".to_owned()
    }

    fn id(&self) -> String {
        self.bus.clone()
    }

    fn build(&self, service: &str, user: &str, _: Option<&HashMap<&str, &str>>) -> Result<Entry> {
        let place = Place { keyring: self.clone(), service: service.to_owned(), user: user.to_owned() };
        Ok(Entry::new_with_credential(Arc::new(place)))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// By what something is found again. The names of both attributes are those that all clients use.
#[derive(Clone, Debug)]
struct Place {
    keyring: SecretService,
    service: String,
    user: String,
}

impl CredentialApi for Place {
    fn set_secret(&self, secret: &[u8]) -> Result<()> {
        self.keyring.talk(|talk| talk.keep(self, secret))
    }

    fn get_secret(&self) -> Result<Vec<u8>> {
        let secret = self.keyring.talk(|talk| match talk.item(self)? {
            Some(item) => talk.secret(&item).map(Some),
            None => Ok(None),
        })?;
        secret.map(|mut secret| std::mem::take(&mut *secret)).ok_or(Error::NoEntry)
    }

    fn delete_credential(&self) -> Result<()> {
        let found = self.keyring.talk(|talk| match talk.item(self)? {
            Some(item) => talk.delete(&item).map(Some),
            None => Ok(None),
        })?;
        found.ok_or(Error::NoEntry)
    }

    fn get_credential(&self) -> Result<Option<Arc<Credential>>> {
        Ok(None)
    }

    fn get_specifiers(&self) -> Option<(String, String)> {
        Some((self.service.clone(), self.user.clone()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn said(trouble: Trouble) -> Error {
    let name = match trouble {
        Trouble::NoBus => return Error::PlatformFailure("this session has no D-Bus".into()),
        Trouble::Silent => return Error::PlatformFailure("it does not answer".into()),
        Trouble::Garbled => return Error::PlatformFailure("its answer cannot be read".into()),
        Trouble::Refused(name) => name,
    };
    match name.as_str() {
        LOCKED => Error::NoStorageAccess("it wants its own password first".into()),
        "org.freedesktop.DBus.Error.ServiceUnknown" => Error::PlatformFailure("none is installed".into()),
        _ if name.starts_with("org.freedesktop.DBus.Error.Spawn") => {
            Error::PlatformFailure("it does not start".into())
        }
        _ => Error::PlatformFailure(cleaned(&name).into()),
    }
}

const LOCKED: &str = "org.freedesktop.Secret.Error.IsLocked";

type Talked<T> = std::result::Result<T, Trouble>;

/// A connection with a session at the service.
struct Talk {
    bus: Bus,
    session: String,
}

impl Talk {
    fn open(bus: &str, patience: Duration) -> Talked<Self> {
        let mut talk = Self { bus: Bus::connect(bus, patience)?, session: String::new() };
        let mut body = Written::default();
        body.text("plain").signature("s").text("");
        let answer = talk.service("OpenSession", "sv", &body)?;
        let mut read = opened(&answer, "vo")?;
        // An empty string, as a value of any type.
        let session =
            (read.signature() == Some("s")).then(|| read.text()).flatten().and_then(|_| read.text());
        session.ok_or(Trouble::Garbled)?.clone_into(&mut talk.session);
        Ok(talk)
    }

    fn service(&mut self, member: &str, signature: &str, body: &Written) -> Talked<Answer> {
        self.call(ROOT, "org.freedesktop.Secret.Service", member, signature, body)
    }

    fn call(
        &mut self,
        path: &str,
        interface: &str,
        member: &str,
        signature: &str,
        body: &Written,
    ) -> Talked<Answer> {
        self.bus.call(To { service: SERVICE, path, interface }, member, signature, body)
    }

    /// The item of this place, unlocked.
    fn item(&mut self, place: &Place) -> Talked<Option<String>> {
        let mut body = Written::default();
        attributes(&mut body, place);
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
    fn unlock(&mut self, path: &str) -> Talked<()> {
        let mut body = Written::default();
        body.list(4, |paths| {
            paths.text(path);
        });
        let answer = self.service("Unlock", "ao", &body)?;
        let mut read = opened(&answer, "aoo")?;
        let (unlocked, prompt) = read.paths().zip(read.text()).ok_or(Trouble::Garbled)?;
        if unlocked.contains(&path) && prompt == NOTHING {
            Ok(())
        } else {
            Err(Trouble::Refused(LOCKED.to_owned()))
        }
    }

    fn secret(&mut self, item: &str) -> Talked<Zeroizing<Vec<u8>>> {
        let mut body = Written::default();
        body.text(&self.session);
        let answer = self.call(item, "org.freedesktop.Secret.Item", "GetSecret", "o", &body)?;
        let mut read = opened(&answer, "(oayays)")?;
        let read = read.text().zip(read.data()).and_then(|_| read.data());
        Ok(Zeroizing::new(read.ok_or(Trouble::Garbled)?.to_vec()))
    }

    /// Where new things go: what the user's desktop calls the default.
    fn collection(&mut self) -> Talked<String> {
        let mut body = Written::default();
        body.text("default");
        let answer = self.service("ReadAlias", "s", &body)?;
        let path = opened(&answer, "o")?.text().ok_or(Trouble::Garbled)?;
        // No keyring has been made yet, and making one asks for a password.
        if path == NOTHING { Err(Trouble::Refused(LOCKED.to_owned())) } else { Ok(path.to_owned()) }
    }

    fn keep(&mut self, place: &Place, secret: &[u8]) -> Talked<()> {
        let collection = self.collection()?;
        self.unlock_if_locked(&collection)?;
        let mut body = Written::default();
        body.list(8, |properties| {
            properties
                .pad(8)
                .text("org.freedesktop.Secret.Item.Label")
                .signature("s")
                .text(&format!("{}: {}", place.service, place.user));
            properties.pad(8).text("org.freedesktop.Secret.Item.Attributes").signature("a{ss}");
            attributes(properties, place);
        });
        body.pad(8).text(&self.session).data(&[]).data(secret).text("text/plain");
        // One item of these attributes: an older one is replaced.
        body.number(1);
        let answer = self.call(
            &collection,
            "org.freedesktop.Secret.Collection",
            "CreateItem",
            "a{sv}(oayays)b",
            &body,
        )?;
        let mut read = opened(&answer, "oo")?;
        let (item, prompt) = read.text().zip(read.text()).ok_or(Trouble::Garbled)?;
        if item != NOTHING && prompt == NOTHING { Ok(()) } else { Err(Trouble::Refused(LOCKED.to_owned())) }
    }

    fn unlock_if_locked(&mut self, collection: &str) -> Talked<()> {
        let mut body = Written::default();
        body.text("org.freedesktop.Secret.Collection").text("Locked");
        let answer = self.call(collection, "org.freedesktop.DBus.Properties", "Get", "ss", &body)?;
        let mut read = opened(&answer, "v")?;
        let locked =
            (read.signature() == Some("b")).then(|| read.number()).flatten().ok_or(Trouble::Garbled)?;
        if locked == 0 { Ok(()) } else { self.unlock(collection) }
    }

    fn delete(&mut self, item: &str) -> Talked<()> {
        let answer = self.call(item, "org.freedesktop.Secret.Item", "Delete", "", &Written::default())?;
        let prompt = opened(&answer, "o")?.text().ok_or(Trouble::Garbled)?;
        if prompt == NOTHING { Ok(()) } else { Err(Trouble::Refused(LOCKED.to_owned())) }
    }
}

fn attributes(body: &mut Written, place: &Place) {
    body.list(8, |pairs| {
        for (name, value) in [("service", &place.service), ("username", &place.user)] {
            pairs.pad(8).text(name).text(value);
        }
    });
}

/// The answer's body, if it has the types that were expected.
fn opened<'a>(answer: &'a Answer, signature: &str) -> Talked<Read<'a>> {
    if answer.signature == signature { Ok(Read::new(&answer.body)) } else { Err(Trouble::Garbled) }
}
