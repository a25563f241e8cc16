//! Real TLS on loopback: a CA that is believed of one provider's host only, and each way in which a certificate is refused, with its cure.
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer as Signer, KeyPair, date_time_ymd,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use toktui::desktop::clock::SystemClock;
use toktui::domain::source::Issuer;
use toktui::http::{Credentials, Error, Flaw, Http};
use toktui::sandbox::op::{Op, Settings};
use toktui::sandbox::serve;
use toktui::wallet::Wallet;
use url::Url;

/// A CA, and its certificate in a file.
struct Authority {
    certificate: Certificate,
    signer: Signer<'static, KeyPair>,
    folder: tempfile::TempDir,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        params.distinguished_name.push(DnType::OrganizationName, "Our lab");
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("signed");
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("ca.pem"), certificate.pem()).expect("written");
        Self { certificate, signer: Signer::new(params, key), folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A server's certificate, and its key.
    fn signs(&self, hosts: &[&str], change: impl FnOnce(&mut CertificateParams)) -> (Certificate, KeyPair) {
        let (params, key) = leaf(hosts, change);
        (params.signed_by(&key, &self.signer).expect("signed"), key)
    }
}

fn leaf(hosts: &[&str], change: impl FnOnce(&mut CertificateParams)) -> (CertificateParams, KeyPair) {
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let mut params = CertificateParams::new(hosts).expect("names");
    params.distinguished_name.push(DnType::CommonName, "our provider");
    change(&mut params);
    (params, KeyPair::generate().expect("a key"))
}

/// Something that speaks TLS with a certificate, and hands all on to a port that does not.
struct Front {
    port: u16,
    task: JoinHandle<()>,
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Front {
    async fn at(host: &str, (certificate, key): (Certificate, KeyPair), behind: Option<u16>) -> Self {
        let listener = TcpListener::bind((host, 0)).await.expect("a port");
        Self::on(listener, (certificate, key), behind)
    }

    fn on(listener: TcpListener, (certificate, key): (Certificate, KeyPair), behind: Option<u16>) -> Self {
        let port = listener.local_addr().expect("an address").port();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a certificate");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let task = tokio::spawn(async move {
            while let Ok((line, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(mut line) = acceptor.accept(line).await else { return };
                    let Some(port) = behind else { return };
                    let mut plain = TcpStream::connect(("127.0.0.1", port)).await.expect("behind");
                    drop(tokio::io::copy_bidirectional(&mut line, &mut plain).await);
                });
            }
        });
        Self { port, task }
    }
}

/// A provider behind TLS at `https://HOST:PORT/realms/lab`.
struct Provider {
    issuer: String,
    _front: Front,
    _plain: serve::Server,
}

async fn provider(bind: &str, host: &str, authority: &Authority) -> Provider {
    let listener = TcpListener::bind((bind, 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let issuer = format!("https://{host}:{port}/realms/lab");
    let op = Op::new(Settings::new(&issuer), Arc::new(SystemClock)).expect("a provider");
    let plain = serve::bind(0).await.expect("a port").serve(op.handler());
    let certificate = authority.signs(&[host.trim_matches(['[', ']'])], |_| {});
    let front = Front::on(listener, certificate, Some(plain.address().port()));
    Provider { issuer, _front: front, _plain: plain }
}

async fn refused(at: &str, certificate: (Certificate, KeyPair), trusted: Option<&Path>) -> (Error, u16) {
    let front = Front::at("127.0.0.1", certificate, None).await;
    let http = Http::default();
    let address = format!("https://{at}:{}/", front.port);
    if let Some(ca) = trusted {
        http.trust(&address, ca);
    }
    let url = Url::parse(&address).expect("an address");
    let error = http.get(&url, &Credentials::None).await.err().expect("refused");
    (error, front.port)
}

#[tokio::test]
async fn a_ca_of_ones_own_is_believed_of_one_provider_and_not_of_another() {
    let authority = Authority::new("Lab CA");
    let (mine, other) = (
        provider("127.0.0.1", "127.0.0.1", &authority).await,
        provider("127.0.0.1", "127.0.0.1", &authority).await,
    );
    let wallet = Wallet::new(Arc::new(SystemClock), Arc::new(Http::default()), Vec::new()).expect("a wallet");
    wallet.trust(&mine.issuer, &authority.file());
    let found = wallet.announced(&Issuer::at(&mine.issuer), "Looking").await.expect("believed");
    assert_eq!(found.issuer, mine.issuer);
    let refused = wallet.announced(&Issuer::at(&other.issuer), "Looking").await.expect_err("not its host");
    assert!(refused.why.contains("is signed by Lab CA (Our lab), whom nobody here knows"), "{refused}");
    assert!(refused.hint.as_deref().is_some_and(|hint| hint.contains("--ca-file FILE")), "{refused}");
    assert_eq!(refused.kind.exit_code(), 4);
    // Another CA is none for this host.
    let wrong = Authority::new("Another CA");
    let wallet = Wallet::new(Arc::new(SystemClock), Arc::new(Http::default()), Vec::new()).expect("a wallet");
    wallet.trust(&mine.issuer, &wrong.file());
    assert!(wallet.announced(&Issuer::at(&mine.issuer), "Looking").await.is_err());
}

#[tokio::test]
async fn an_issuer_by_an_ipv6_address_is_reached() {
    let authority = Authority::new("Lab CA");
    if TcpListener::bind("[::1]:0").await.is_err() {
        return;
    }
    let six = provider("::1", "[::1]", &authority).await;
    let wallet = Wallet::new(Arc::new(SystemClock), Arc::new(Http::default()), Vec::new()).expect("a wallet");
    let refused =
        wallet.announced(&Issuer::at(&six.issuer), "Looking").await.expect_err("nobody knows its CA");
    assert!(refused.why.contains("the certificate of [::1]:"), "{refused}");
    wallet.trust(&six.issuer, &authority.file());
    let found = wallet.announced(&Issuer::at(&six.issuer), "Looking").await;
    assert_eq!(found.expect("believed").issuer, six.issuer);
}

#[tokio::test]
async fn each_way_of_a_certificate_to_be_wrong_is_named_with_what_decides_and_its_cure() {
    let authority = Authority::new("Lab CA");
    let ca = authority.file();
    let here = ["localhost", "127.0.0.1"];
    let ended = authority.signs(&here, |params| params.not_after = date_time_ymd(2024, 2, 3));
    let early = authority.signs(&here, |params| params.not_before = date_time_ymd(2099, 4, 5));
    let elsewhere = authority.signs(&["op.example.org", "*.example.net"], |_| {});
    let unknown = authority.signs(&here, |_| {});
    let (params, key) = leaf(&here, |_| {});
    let alone = (params.self_signed(&key).expect("signed"), key);
    let (params, key) = leaf(&here, |params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    let root = (params.self_signed(&key).expect("signed"), key);
    let of_a_ca = Flaw::Other("it is a CA's own, and a server needs one that a CA signed for it".to_owned());
    let table = [
        (root, None, of_a_ca, "operator"),
        (ended, Some(&ca), Flaw::Ended("2024-02-03 00:00 UTC".to_owned()), "clock"),
        (early, Some(&ca), Flaw::NotYet("2099-04-05 00:00 UTC".to_owned()), "clock"),
        (
            elsewhere,
            Some(&ca),
            Flaw::OtherHost("op.example.org, *.example.net".to_owned()),
            "Check the address",
        ),
        (unknown, None, Flaw::UnknownSigner("Lab CA (Our lab)".to_owned()), "SSL_CERT_FILE"),
        (alone, None, Flaw::SignedItself("our provider".to_owned()), "ca_file"),
    ];
    for (certificate, trusted, flaw, cure) in table {
        let (error, port) = refused("localhost", certificate, trusted.map(PathBuf::as_path)).await;
        assert_eq!(error, Error::Certificate { host: format!("localhost:{port}"), flaw });
        assert!(error.cure().is_some_and(|told| told.contains(cure)), "{error}");
    }
}

#[tokio::test]
async fn a_file_that_holds_no_ca_is_named() {
    let authority = Authority::new("Lab CA");
    let folder = tempfile::tempdir().expect("a folder");
    let (missing, empty) = (folder.path().join("missing.pem"), folder.path().join("empty.pem"));
    std::fs::write(&empty, "nothing").expect("written");
    for (file, why) in [(&missing, "No such file"), (&empty, "there is no certificate in it")] {
        let certificate = authority.signs(&["localhost"], |_| {});
        let (error, _) = refused("localhost", certificate, Some(file)).await;
        assert!(error.to_string().contains(why), "{error}");
        assert!(error.cure().is_some_and(|cure| cure.contains("ca_file")));
    }
    assert!(authority.certificate.pem().contains("BEGIN CERTIFICATE"));
}

#[tokio::test]
async fn a_port_that_speaks_no_tls_is_not_called_a_wrong_certificate() {
    let plain = serve::bind(0)
        .await
        .expect("a port")
        .serve(Arc::new(|_| Box::pin(async { serve::Response::empty(200) })));
    let url = Url::parse(&format!("https://127.0.0.1:{}/", plain.address().port())).expect("an address");
    let error = Http::default().get(&url, &Credentials::None).await.err().expect("refused");
    assert!(!matches!(error, Error::Certificate { .. }), "{error:?}");
}
