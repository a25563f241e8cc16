//! The session's D-Bus: one connection, one call at a time, and an end to all waiting.
//!
//! It knows no service.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::wire::{self, OPENING, Written};

/// Why a call came to nothing.
#[derive(Debug, PartialEq, Eq)]
pub enum Trouble {
    /// There is no bus at this address, or none that speaks to us.
    NoBus,
    /// Nobody answered in time.
    Silent,
    /// What came is no answer.
    Garbled,
    /// The service refused, by this name.
    Refused(String),
}

/// Whom a call goes to.
#[derive(Clone, Copy, Debug)]
pub struct To<'a> {
    /// The service's name.
    pub service: &'a str,
    /// The object.
    pub path: &'a str,
    /// The interface.
    pub interface: &'a str,
}

/// An answer's body. It may hold a secret.
pub struct Answer {
    /// Its types.
    pub signature: String,
    /// Its bytes.
    pub body: Zeroizing<Vec<u8>>,
}

/// A connection to the bus, for as long as was given.
pub struct Bus {
    stream: UnixStream,
    until: Instant,
    serial: u32,
}

impl Bus {
    /// Connects to the first address of a list as `DBUS_SESSION_BUS_ADDRESS` holds it that is a socket of this machine. Everything
    /// that is done with the connection ends after `limit`.
    pub fn connect(addresses: &str, limit: Duration) -> Result<Self, Trouble> {
        let until = now() + limit;
        let stream = addresses.split(';').find_map(socket).ok_or(Trouble::NoBus)?;
        let mut bus = Self { stream, until, serial: 0 };
        // The bus knows who we are from the socket; the number only has to agree.
        // In hexadecimal, where digit 5 is written 35.
        let mut user = String::new();
        for digit in rustix::process::geteuid().as_raw().to_string().bytes() {
            user.push('3');
            user.push(char::from(digit));
        }
        bus.send(format!("\0AUTH EXTERNAL {user}\r\n").as_bytes())?;
        if !bus.line()?.starts_with(b"OK ") {
            return Err(Trouble::NoBus);
        }
        bus.send(b"BEGIN\r\n")?;
        let name = "org.freedesktop.DBus";
        bus.call(
            To { service: name, path: "/org/freedesktop/DBus", interface: name },
            "Hello",
            "",
            &Written::default(),
        )?;
        Ok(bus)
    }

    /// Calls, and waits for this call's answer.
    pub fn call(&mut self, to: To, member: &str, signature: &str, body: &Written) -> Result<Answer, Trouble> {
        self.serial += 1;
        let message = wire::call(self.serial, to.service, to.path, to.interface, member, signature, body);
        self.send(message.bytes())?;
        loop {
            let mut opening = [0; OPENING];
            self.fill(&mut opening)?;
            let (fields, body) = wire::rest(&opening).ok_or(Trouble::Garbled)?;
            let mut header = vec![0; fields];
            self.fill(&mut header)?;
            let mut answer = Zeroizing::new(vec![0; body]);
            self.fill(&mut answer)?;
            let head = wire::head(&opening, &header).ok_or(Trouble::Garbled)?;
            // Signals, and what others ask of us.
            if head.answers != self.serial {
                continue;
            }
            return match head.kind {
                2 => Ok(Answer { signature: head.signature, body: answer }),
                3 => Err(Trouble::Refused(head.refusal)),
                _ => Err(Trouble::Garbled),
            };
        }
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        let limit = self.left()?;
        self.stream
            .set_write_timeout(Some(limit))
            .and_then(|()| self.stream.write_all(bytes))
            .map_err(|error| named(&error))
    }

    fn fill(&mut self, mut bytes: &mut [u8]) -> Result<(), Trouble> {
        while !bytes.is_empty() {
            let limit = self.left()?;
            let read = self.stream.set_read_timeout(Some(limit)).and_then(|()| self.stream.read(bytes));
            match read {
                Ok(0) => return Err(Trouble::NoBus),
                Ok(count) => bytes = bytes.get_mut(count..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(named(&error)),
            }
        }
        Ok(())
    }

    /// A line of the greeting; byte by byte, because what follows it is no line.
    fn line(&mut self) -> Result<Vec<u8>, Trouble> {
        let mut line = Vec::new();
        let mut byte = [0];
        while !line.ends_with(b"\r\n") {
            if line.len() > 1024 {
                return Err(Trouble::Garbled);
            }
            self.fill(&mut byte)?;
            line.extend_from_slice(&byte);
        }
        Ok(line)
    }

    fn left(&self) -> Result<Duration, Trouble> {
        let left = self.until.saturating_duration_since(now());
        if left.is_zero() { Err(Trouble::Silent) } else { Ok(left) }
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "how long a socket is waited for is nobody's business but the system's"
)]
fn now() -> Instant {
    Instant::now()
}

fn named(error: &std::io::Error) -> Trouble {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => Trouble::Silent,
        _ => Trouble::NoBus,
    }
}

/// Opens the socket that one address names; `None` for other kinds of address, and where nobody listens.
fn socket(address: &str) -> Option<UnixStream> {
    let (kind, values) = address.split_once(':')?;
    if kind != "unix" {
        return None;
    }
    let address = values.split(',').find_map(|pair| match pair.split_once('=')? {
        ("path", path) => SocketAddr::from_pathname(unescaped(path)?).ok(),
        ("abstract", name) => SocketAddr::from_abstract_name(unescaped(name)?).ok(),
        _ => None,
    })?;
    UnixStream::connect_addr(&address).ok()
}

/// `%2C` and the like, as D-Bus addresses have them.
fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
        } else {
            byte
        });
    }
    String::from_utf8(bytes).ok()
}
