//! Which certificates are believed: those of the system's CAs, and for one host those of a CA that the user named for it. What is refused is
//! remembered until the failed request has asked why.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, SignatureScheme};
use rustls_platform_verifier::Verifier;

use super::certificate::Certificate;
use super::error::Error;
use crate::domain::untrusted::cleaned;

/// A file of certificates is not longer.
const LONGEST: u64 = 1 << 20;

/// Why a certificate is not believed, with the one fact about it that decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It has ended: when.
    Ended(String),
    /// It has not begun: when it does.
    NotYet(String),
    /// Nobody here knows who signed it: who.
    UnknownSigner(String),
    /// It signed itself: its name.
    SignedItself(String),
    /// It is for other hosts: which.
    OtherHost(String),
    /// Something else.
    Other(String),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(when) => write!(f, "has ended, on {when}"),
            Self::NotYet(when) => write!(f, "is not valid yet: it begins on {when}"),
            Self::UnknownSigner(who) => write!(f, "is signed by {who}, whom nobody here knows"),
            Self::SignedItself(who) => write!(f, "is signed by nobody but itself ({who})"),
            Self::OtherHost(hosts) => write!(f, "is for another host: {hosts}"),
            Self::Other(why) => write!(f, "is not believed: {why}"),
        }
    }
}

/// What was refused last, by the name that was asked for.
#[derive(Debug, Default)]
pub(super) struct Refused(Mutex<HashMap<String, Flaw>>);

impl Refused {
    /// Why the certificate of this host was refused, once.
    pub(super) fn take(&self, host: &str) -> Option<Flaw> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(host.trim_matches(['[', ']']))
    }
}

/// TLS for one client; `ca`: a file with certificates that are believed beside those of the system.
pub(super) fn config(ca: Option<&Path>, refused: &Arc<Refused>) -> Result<ClientConfig, Error> {
    let provider = Arc::new(default_provider());
    let none = |error: &TlsError| match ca {
        Some(path) => unusable(path, cleaned(&error.to_string())),
        None => Error::NoTrustStore(cleaned(&error.to_string())),
    };
    let inner = match ca {
        None => Verifier::new(Arc::clone(&provider)),
        Some(path) => Verifier::new_with_extra_roots(certificates(path)?, Arc::clone(&provider)),
    };
    let inner = inner.map_err(|error| none(&error))?;
    let watching = Watching { inner, refused: Arc::clone(refused) };
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = versions.map_err(|error| none(&error))?;
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(watching)).with_no_client_auth())
}

fn unusable(path: &Path, why: String) -> Error {
    Error::NoAuthority { file: cleaned(&path.to_string_lossy()), why }
}

/// The certificates in a file of PEM.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let unusable = |why| unusable(path, why);
    let length = std::fs::metadata(path).map_err(|error| unusable(super::error::plain(&error)))?.len();
    if length > LONGEST {
        return Err(unusable("it is too long for that".to_owned()));
    }
    let bytes = std::fs::read(path).map_err(|error| unusable(super::error::plain(&error)))?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        _ => Err(unusable("there is no certificate in it (-----BEGIN CERTIFICATE-----)".to_owned())),
    }
}

/// The system's judge, who is asked first and last; beside it only the reason of a refusal is written down.
#[derive(Debug)]
struct Watching {
    inner: Verifier,
    refused: Arc<Refused>,
}

impl ServerCertVerifier for Watching {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let judged =
            self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        if let Err(error) = &judged {
            let signer = intermediates.last().unwrap_or(end_entity);
            let flaw = flaw(error, &Certificate::read(end_entity), &Certificate::read(signer));
            let mut refused = self.refused.0.lock().unwrap_or_else(PoisonError::into_inner);
            refused.insert(server_name.to_str().into_owned(), flaw);
        }
        judged
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Why it was refused, in the certificate's own words. `last`: the one that stands nearest to a CA.
fn flaw(error: &TlsError, own: &Certificate, last: &Certificate) -> Flaw {
    let day = |at: Option<jiff::Timestamp>| {
        at.map_or_else(
            || "a day that does not read".to_owned(),
            |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        )
    };
    let TlsError::InvalidCertificate(error) = error else { return Flaw::Other(cleaned(&error.to_string())) };
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Flaw::Ended(day(own.ends)),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            Flaw::NotYet(day(own.begins))
        }
        CertificateError::UnknownIssuer if own.names_itself => Flaw::SignedItself(own.subject.clone()),
        CertificateError::UnknownIssuer => Flaw::UnknownSigner(last.issuer.clone()),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            let hosts = own.hosts.join(", ");
            Flaw::OtherHost(if hosts.is_empty() { own.subject.clone() } else { hosts })
        }
        // As `openssl req -x509` makes them; naming it in `ca_file` would not help.
        other if other.to_string().contains("CaUsedAsEndEntity") => {
            Flaw::Other("it is a CA's own, and a server needs one that a CA signed for it".to_owned())
        }
        other => Flaw::Other(cleaned(&other.to_string())),
    }
}
