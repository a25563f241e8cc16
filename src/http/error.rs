//! Why no answer came, in words that hold no address' query, no body and no secret.

use std::error::Error as _;

use super::Limits;
use super::tls::Flaw;
use crate::domain::untrusted::cleaned;

/// Why no answer came, or none that may be read. Never holds an address' query, a body or a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Plain `http` to another machine, or a scheme that is neither.
    #[error("{0} is not https; plain http is accepted for loopback addresses only")]
    Insecure(String),
    /// Name not found, connection refused, reset, unreachable.
    #[error("{host} cannot be reached: {why}")]
    Unreachable {
        /// Host and port.
        host: String,
        /// The deepest cause, cleaned.
        why: String,
    },
    /// The TLS handshake was refused by us or by the server.
    #[error("no safe connection to {host}: {why}")]
    Tls {
        /// Host and port.
        host: String,
        /// The deepest cause, cleaned.
        why: String,
    },
    /// The server's certificate is not believed.
    #[error("the certificate of {host} {flaw}")]
    Certificate {
        /// Host and port.
        host: String,
        /// Why, with the fact that decides.
        flaw: Flaw,
    },
    /// The file with the CA that the user named for this provider gives none.
    #[error("{file}, which is to hold its CA (ca_file), cannot be used: {why}")]
    NoAuthority {
        /// The file, cleaned.
        file: String,
        /// Why.
        why: String,
    },
    /// A limit of [`Limits`] was reached.
    #[error("no answer from {host} in {seconds} s")]
    TimedOut {
        /// Host and port.
        host: String,
        /// The limit, in seconds.
        seconds: u64,
    },
    /// The answer is larger than the limit; the connection was dropped there.
    #[error("the answer of {host} is larger than {limit} bytes")]
    TooLarge {
        /// Host and port.
        host: String,
        /// The limit, in bytes.
        limit: usize,
    },
    /// A redirect that must not be followed.
    #[error("{host} sends us on to {to}, which is not followed")]
    Redirected {
        /// Host and port.
        host: String,
        /// The other host, cleaned.
        to: String,
    },
    /// What came is not HTTP, or broke off.
    #[error("the answer of {host} broke off: {why}")]
    Broken {
        /// Host and port.
        host: String,
        /// The deepest cause, cleaned.
        why: String,
    },
    /// This machine has no certificates to check a server's with.
    #[error(
        "this machine has no CA certificates ({0}); install the package ca-certificates or set SSL_CERT_FILE"
    )]
    NoTrustStore(String),
}

impl Error {
    /// Whether the same request may well get an answer later.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::TimedOut { .. } | Self::Broken { .. })
    }

    /// What to do about a connection that is not safe.
    #[must_use]
    pub fn cure(&self) -> Option<&'static str> {
        Some(match self {
            Self::Certificate { flaw, .. } => match flaw {
                Flaw::Ended(_) => {
                    "Check this machine's clock; if it is right, its operator must renew the certificate."
                }
                Flaw::NotYet(_) => "Set this machine's clock; if it is right, tell its operator.",
                Flaw::UnknownSigner(_) => {
                    "If that is your site's own CA, name its certificate in `ca_file` of this provider (config.toml, or toktui provider add --ca-file FILE), or \
                     for all providers in SSL_CERT_FILE. If you never heard of it, do not go on: somebody may be in between."
                }
                Flaw::SignedItself(_) => {
                    "If it is your own server, name its certificate in `ca_file` of this provider (config.toml, or toktui provider add --ca-file FILE). If not, do not go on."
                }
                Flaw::OtherHost(_) => "Check the address. If it is right, do not go on: tell its operator.",
                Flaw::Other(_) => "Tell its operator.",
            },
            Self::NoAuthority { .. } => "Put the CA's certificate there, as PEM, or change `ca_file`.",
            Self::Tls { .. } => {
                "Something between here and there breaks TLS: a proxy, an old server, or a port that speaks plain http."
            }
            _ => return None,
        })
    }
}

pub(super) fn named(host: &str, error: &reqwest::Error, limits: Limits) -> Error {
    let host = host.to_owned();
    let why = deepest(error);
    if error.is_timeout() {
        Error::TimedOut { host, seconds: limits.connect.as_secs().max(1) }
    } else if error.is_connect() {
        let lower = why.to_lowercase();
        if ["certificate", "tls", "handshake", "alert", "unknownissuer"]
            .iter()
            .any(|word| lower.contains(word))
        {
            Error::Tls { host, why }
        } else if lower.contains("lookup address") || lower.contains("dns") {
            Error::Unreachable { host, why: "its name is not found; is the network up?".to_owned() }
        } else {
            Error::Unreachable { host, why }
        }
    } else {
        Error::Broken { host, why }
    }
}

/// The innermost cause: reqwest's own text would repeat the address.
pub(super) fn deepest(error: &reqwest::Error) -> String {
    let mut source = error.source();
    let mut text = None;
    while let Some(cause) = source {
        text = Some(cause.to_string());
        source = cause.source();
    }
    text.map_or_else(|| "no cause given".to_owned(), |text| cleaned(without_number(&text)))
}

/// What the system said of a file, without the number.
pub(super) fn plain(error: &std::io::Error) -> String {
    cleaned(without_number(&error.to_string()))
}

/// `Connection refused (os error 111)`: the number says nothing more, and is another one elsewhere.
fn without_number(text: &str) -> &str {
    text.split(" (os error ").next().unwrap_or(text)
}
