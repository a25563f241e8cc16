//! ID tokens signed with generated keys, and the verdict on each.

mod stored;

use std::sync::{Arc, LazyLock};

use aws_lc_rs::digest::{SHA256, SHA384, SHA512, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKey, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING,
    EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
    RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use jsonwebtoken::{Algorithm, DecodingKey, jwk::Jwk};
use serde_json::{Value, json};
use toktui::domain::secret::Secret;
use toktui::domain::time::from_epoch;
use toktui::domain::untrusted::Untrusted;
use toktui::http::Http;
use toktui::oidc::Error;
use toktui::oidc::discovery::{Metadata, discover};
use toktui::oidc::id_token::{Expected, Fault, check, verify};
use toktui::oidc::keys::KeySet;
use toktui::sandbox::serve::{self, Request, Response, Server};

const NOW: i64 = 1_800_000_000;
const ISSUER: &str = "https://op.example.org/x";
const ACCESS: &str = "tok-access";
const ALL: [&str; 11] =
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"];

/// One key of each kind, made once.
struct Keys {
    rsa: RsaKey,
    p256: EcdsaKeyPair,
    p384: EcdsaKeyPair,
    p521: EcdsaKeyPair,
    ed: Ed25519KeyPair,
}

static OURS: LazyLock<Keys> = LazyLock::new(Keys::new);
static THEIRS: LazyLock<Keys> = LazyLock::new(Keys::new);

impl Keys {
    fn new() -> Self {
        Self {
            rsa: RsaKey::generate(KeySize::Rsa2048).expect("a key"),
            p256: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key"),
            p384: EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).expect("a key"),
            p521: EcdsaKeyPair::generate(&ECDSA_P521_SHA512_FIXED_SIGNING).expect("a key"),
            ed: Ed25519KeyPair::generate().expect("a key"),
        }
    }

    fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        let rsa = |encoding| {
            let mut signature = vec![0; self.rsa.public_modulus_len()];
            self.rsa.sign(encoding, &random, message, &mut signature).expect("signed");
            signature
        };
        let ec = |key: &EcdsaKeyPair| key.sign(&random, message).expect("signed").as_ref().to_vec();
        match algorithm {
            "RS256" => rsa(&RSA_PKCS1_SHA256),
            "RS384" => rsa(&RSA_PKCS1_SHA384),
            "RS512" => rsa(&RSA_PKCS1_SHA512),
            "PS256" => rsa(&RSA_PSS_SHA256),
            "PS384" => rsa(&RSA_PSS_SHA384),
            "PS512" => rsa(&RSA_PSS_SHA512),
            "ES256" => ec(&self.p256),
            "ES384" => ec(&self.p384),
            "ES512" => ec(&self.p521),
            "EdDSA" | "Ed25519" => self.ed.sign(message).as_ref().to_vec(),
            other => unreachable!("{other}"),
        }
    }

    /// The public key that checks signatures of this algorithm.
    fn jwk(&self, algorithm: &str, id: &str) -> Value {
        let mut key = match algorithm {
            "ES256" => ec_jwk("P-256", &self.p256),
            "ES384" => ec_jwk("P-384", &self.p384),
            "ES512" => ec_jwk("P-521", &self.p521),
            "EdDSA" | "Ed25519" => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": B64.encode(self.ed.public_key())})
            }
            _ => json!({"kty": "RSA",
                "n": B64.encode(self.rsa.public_key().modulus().big_endian_without_leading_zero()),
                "e": B64.encode(self.rsa.public_key().exponent().big_endian_without_leading_zero())}),
        };
        key["kid"] = json!(id);
        key["use"] = json!("sig");
        key
    }
}

fn ec_jwk(curve: &str, key: &EcdsaKeyPair) -> Value {
    let point = &key.public_key().as_ref()[1..];
    let (x, y) = point.split_at(point.len() / 2);
    json!({"kty": "EC", "crv": curve, "x": B64.encode(x), "y": B64.encode(y)})
}

/// Claims that nobody objects to.
fn claims() -> Value {
    json!({"iss": ISSUER, "sub": "alice", "aud": "toktui", "azp": "toktui", "exp": NOW + 300, "iat": NOW,
        "nonce": "n-1"})
}

fn changed(name: &str, value: Value) -> Value {
    let mut all = claims();
    match value {
        Value::Null => drop(all.as_object_mut().expect("claims").remove(name)),
        value => all[name] = value,
    }
    all
}

fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", B64.encode(header.to_string()), B64.encode(claims.to_string()))
}

fn signed(keys: &Keys, algorithm: &str, header: &Value, claims: &Value) -> Secret {
    let message = unsigned(header, claims);
    Secret::new(format!("{message}.{}", B64.encode(keys.sign(algorithm, message.as_bytes()))))
}

fn header(algorithm: &str) -> Value {
    json!({"alg": algorithm, "kid": format!("k-{algorithm}")})
}

fn good(algorithm: &str) -> Secret {
    signed(&OURS, algorithm, &header(algorithm), &claims())
}

fn expected(nonce: &Secret) -> Expected<'_> {
    Expected {
        issuer: ISSUER,
        client: "toktui",
        nonce: Some(nonce),
        access: None,
        subject: None,
        now: from_epoch(NOW),
    }
}

/// A server with these keys, and what is needed to ask it.
struct Published {
    http: Http,
    metadata: Metadata,
    _server: Server,
}

async fn published(keys: impl Fn() -> Value + Send + Sync + 'static) -> Published {
    let bound = serve::bind(0).await.expect("a port");
    let base = bound.base();
    let issuer = base.clone();
    let server = bound.serve(Arc::new(move |request: Request| {
        let answer = match request.path.as_str() {
            "/keys" => json!({"keys": keys()}),
            _ => json!({"issuer": base, "jwks_uri": format!("{base}/keys")}),
        };
        Box::pin(async move { Response::json(200, &answer) })
    }));
    let http = Http::default();
    let metadata = discover(&http, &issuer).await.expect("a document");
    Published { http, metadata, _server: server }
}

async fn key_set(keys: Value) -> KeySet {
    let published = published(move || keys.clone()).await;
    KeySet::fetch(&published.http, &published.metadata).await.expect("keys")
}

async fn all_keys() -> KeySet {
    key_set(ALL.iter().map(|name| OURS.jwk(name, &format!("k-{name}"))).collect()).await
}

#[tokio::test]
async fn every_accepted_algorithm_is_checked_and_a_flipped_bit_or_another_key_is_found() {
    let (keys, nonce) = (all_keys().await, Secret::new("n-1"));
    for name in ALL {
        let checked = check(&good(name), &keys, expected(&nonce)).expect(name);
        assert_eq!((checked.subject, checked.claims.len()), (Untrusted::from("alice"), 7), "{name}");
        let (message, signature) =
            good(name).expose().rsplit_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).expect("parts");
        let mut bytes = B64.decode(signature).expect("base64");
        bytes[7] ^= 1;
        let flipped = Secret::new(format!("{message}.{}", B64.encode(bytes)));
        assert_eq!(check(&flipped, &keys, expected(&nonce)), Err(Fault::Signature), "{name}");
        let stranger = signed(&THEIRS, name, &header(name), &claims());
        assert_eq!(check(&stranger, &keys, expected(&nonce)), Err(Fault::Signature), "{name}");
        let (_, signature) = stranger.expose().rsplit_once('.').expect("parts");
        for odd in ["", "AA", &format!("{signature}="), &format!("{signature}AAAA"), "!"] {
            let cut = Secret::new(format!("{message}.{odd}"));
            assert_eq!(check(&cut, &keys, expected(&nonce)), Err(Fault::Signature), "{name} {odd}");
        }
    }
}

#[tokio::test]
async fn a_signature_gets_the_same_verdict_from_an_independent_library() {
    let keys = all_keys().await;
    let (nonce, known) = (
        Secret::new("n-1"),
        [
            ("RS256", Algorithm::RS256),
            ("RS384", Algorithm::RS384),
            ("RS512", Algorithm::RS512),
            ("PS256", Algorithm::PS256),
            ("PS384", Algorithm::PS384),
            ("PS512", Algorithm::PS512),
            ("ES256", Algorithm::ES256),
            ("ES384", Algorithm::ES384),
            ("EdDSA", Algorithm::EdDSA),
        ],
    );
    for (name, algorithm) in known {
        let jwk: Jwk = serde_json::from_value(OURS.jwk(name, "k")).expect("a key");
        let key = DecodingKey::from_jwk(&jwk).expect("a key");
        for token in [good(name), signed(&THEIRS, name, &header(name), &claims())] {
            let (message, signature) = token.expose().rsplit_once('.').expect("parts");
            let theirs = jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key, algorithm);
            assert_eq!(check(&token, &keys, expected(&nonce)).is_ok(), theirs.expect("a verdict"), "{name}");
        }
    }
}

#[tokio::test]
async fn each_wrong_claim_is_named() {
    let (keys, nonce) = (all_keys().await, Secret::new("n-1"));
    let moment = |after: i64| from_epoch(NOW + after);
    let table = [
        (
            "iss",
            json!("https://op.example.org/x/"),
            Err(Fault::OtherIssuer("https://op.example.org/x/".into())),
        ),
        (
            "iss",
            json!("HTTPS://op.example.org/x"),
            Err(Fault::OtherIssuer("HTTPS://op.example.org/x".into())),
        ),
        ("iss", Value::Null, Err(Fault::Missing("iss"))),
        ("iss", json!([ISSUER]), Err(Fault::Missing("iss"))),
        ("aud", json!("other"), Err(Fault::OtherAudience)),
        ("aud", json!("TOKTUI"), Err(Fault::OtherAudience)),
        ("aud", json!([]), Err(Fault::OtherAudience)),
        ("aud", Value::Null, Err(Fault::OtherAudience)),
        ("aud", json!({"toktui": 1}), Err(Fault::OtherAudience)),
        ("aud", json!(["toktui"]), Ok(())),
        ("aud", json!(["other", "toktui"]), Ok(())),
        ("azp", json!("other"), Err(Fault::OtherParty)),
        ("azp", json!(7), Err(Fault::OtherParty)),
        ("azp", Value::Null, Ok(())),
        ("exp", json!(NOW - 59), Ok(())),
        ("exp", json!(NOW - 60), Err(Fault::Expired(moment(-60)))),
        ("exp", json!(NOW - 3600), Err(Fault::Expired(moment(-3600)))),
        ("exp", json!(1_800_000_000.5), Ok(())),
        ("exp", json!(0), Err(Fault::Expired(from_epoch(0)))),
        ("exp", json!("1800000300"), Err(Fault::Missing("exp"))),
        ("exp", Value::Null, Err(Fault::Missing("exp"))),
        ("iat", json!(NOW + 60), Ok(())),
        ("iat", json!(NOW + 61), Err(Fault::Future(moment(61)))),
        ("iat", json!(NOW - 86_400), Ok(())),
        ("iat", Value::Null, Err(Fault::Missing("iat"))),
        ("nbf", json!(NOW + 61), Err(Fault::Future(moment(61)))),
        ("nbf", json!(NOW + 60), Ok(())),
        ("nonce", json!("n-2"), Err(Fault::Nonce)),
        ("nonce", json!("n-"), Err(Fault::Nonce)),
        ("nonce", json!(["n-1"]), Err(Fault::Nonce)),
        ("nonce", Value::Null, Err(Fault::Nonce)),
        ("sub", Value::Null, Err(Fault::Missing("sub"))),
        ("sub", json!(""), Err(Fault::Missing("sub"))),
        ("sub", json!(7), Err(Fault::Missing("sub"))),
        ("unheard-of", json!("x"), Ok(())),
    ];
    for (name, value, verdict) in table {
        let token = signed(&OURS, "ES256", &header("ES256"), &changed(name, value.clone()));
        assert_eq!(check(&token, &keys, expected(&nonce)).map(drop), verdict, "{name} {value}");
    }
    let mut several = changed("aud", json!(["other", "toktui"]));
    several.as_object_mut().expect("claims").remove("azp");
    let token = signed(&OURS, "ES256", &header("ES256"), &several);
    assert_eq!(check(&token, &keys, expected(&nonce)), Err(Fault::OtherParty));
}

#[tokio::test]
async fn a_header_cannot_choose_a_weaker_check() {
    let (keys, nonce) = (all_keys().await, Secret::new("n-1"));
    let verdict = |token: &Secret| check(token, &keys, expected(&nonce)).map(drop);
    for name in ["none", "None", "NONE", "nOnE"] {
        let token = Secret::new(format!("{}.", unsigned(&json!({"alg": name}), &claims())));
        assert_eq!(verdict(&token), Err(Fault::Unsigned), "{name}");
    }
    for name in ["HS256", "HS384", "HS512"] {
        // The classic: the public key, which everybody has, as the secret of an HMAC.
        let message = unsigned(&json!({"alg": name, "kid": "k-RS256"}), &claims());
        let public = OURS.rsa.public_key().modulus().big_endian_without_leading_zero().to_vec();
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &public);
        let tag = B64.encode(aws_lc_rs::hmac::sign(&key, message.as_bytes()));
        assert_eq!(verdict(&Secret::new(format!("{message}.{tag}"))), Err(Fault::Symmetric(name.into())));
    }
    for name in ["ES256K", "ML-DSA-44", "RS1", "rs256", "", "Ed448"] {
        let token = signed(&OURS, "RS256", &json!({"alg": name, "kid": "k-RS256"}), &claims());
        assert_eq!(verdict(&token), Err(Fault::UnknownAlgorithm(name.into())));
    }
    let mislabelled = signed(&OURS, "RS256", &json!({"alg": "PS256", "kid": "k-RS256"}), &claims());
    assert_eq!(verdict(&mislabelled), Err(Fault::Signature));
    let other_kind = signed(&OURS, "RS256", &json!({"alg": "RS256", "kid": "k-ES256"}), &claims());
    assert_eq!(verdict(&other_kind), Err(Fault::NoKey("k-ES256".into())));
    let demanding = json!({"alg": "ES256", "kid": "k-ES256", "crit": ["b64"], "b64": false});
    assert_eq!(verdict(&signed(&OURS, "ES256", &demanding, &claims())), Err(Fault::Critical));
    assert_eq!(verdict(&Secret::new("a.b.c.d.e")), Err(Fault::Encrypted));
    for garbage in ["", "a", "a.b", "a.b.c", "e30.e30.", "..", "e30.e30.c2ln"] {
        assert_eq!(verdict(&Secret::new(garbage)), Err(Fault::Unreadable), "{garbage}");
    }
}

#[tokio::test]
async fn a_key_is_chosen_by_name_use_kind_and_algorithm() {
    let nonce = Secret::new("n-1");
    let of = |name: &str, field: &str, value: Value| {
        let mut key = OURS.jwk(name, "k");
        match value {
            Value::Null => drop(key.as_object_mut().expect("a key").remove(field)),
            value => key[field] = value,
        }
        key
    };
    let named = |name: &str| signed(&OURS, name, &json!({"alg": name, "kid": "k"}), &claims());
    let nameless = |name: &str| signed(&OURS, name, &json!({"alg": name}), &claims());
    let no_key = |id: &str| Err(Fault::NoKey(id.into()));
    let mut broken = OURS.jwk("RS256", "k");
    broken["n"] = json!("!");
    let zero_first = {
        let n = OURS.rsa.public_key().modulus().big_endian_without_leading_zero().to_vec();
        of("RS256", "n", json!(B64.encode([vec![0], n].concat())))
    };
    let table = [
        ("use enc", json!([of("RS256", "use", json!("enc"))]), named("RS256"), no_key("k")),
        ("no use", json!([of("RS256", "use", Value::Null)]), named("RS256"), Ok(())),
        ("key_ops sign", json!([of("RS256", "key_ops", json!(["sign"]))]), named("RS256"), no_key("k")),
        ("key_ops verify", json!([of("RS256", "key_ops", json!(["verify"]))]), named("RS256"), Ok(())),
        ("other alg", json!([of("RS256", "alg", json!("PS256"))]), named("RS256"), no_key("k")),
        ("same alg", json!([of("RS256", "alg", json!("RS256"))]), named("RS256"), Ok(())),
        ("two names of one", json!([of("EdDSA", "alg", json!("EdDSA"))]), named("Ed25519"), Ok(())),
        ("unnumbered key", json!([of("ES256", "kid", Value::Null)]), named("ES256"), Ok(())),
        ("nameless token", json!([OURS.jwk("ES256", "k")]), nameless("ES256"), Ok(())),
        (
            "nameless, second fits",
            json!([THEIRS.jwk("ES256", "a"), OURS.jwk("ES256", "b")]),
            nameless("ES256"),
            Ok(()),
        ),
        ("nameless, none fits", json!([THEIRS.jwk("ES256", "a")]), nameless("ES256"), Err(Fault::Signature)),
        ("two of one name", json!([OURS.jwk("RS256", "k"), OURS.jwk("ES256", "k")]), named("ES256"), Ok(())),
        ("other curve", json!([OURS.jwk("ES384", "k")]), named("ES256"), no_key("k")),
        ("leading zero", json!([zero_first]), named("RS256"), Ok(())),
        (
            "broken key",
            json!([broken, 7, null, {"kty": "AKP"}, OURS.jwk("RS256", "k")]),
            named("RS256"),
            Ok(()),
        ),
        ("symmetric key", json!([{"kty": "oct", "kid": "k", "k": "c2VjcmV0"}]), named("RS256"), no_key("k")),
        ("empty set", json!([]), nameless("RS256"), no_key("RS256")),
    ];
    for (what, keys, token, verdict) in table {
        let keys = key_set(keys).await;
        assert_eq!(check(&token, &keys, expected(&nonce)).map(drop), verdict, "{what}");
    }
}

#[tokio::test]
async fn a_weak_rsa_key_vouches_for_nothing() {
    // 1024 bits: the largest such number will do, it is refused for its length.
    let keys = json!([{"kty": "RSA", "kid": "k-RS256", "n": B64.encode([0xff; 128]), "e": "AQAB"}]);
    let keys = key_set(keys).await;
    let nonce = Secret::new("n-1");
    assert_eq!(check(&good("RS256"), &keys, expected(&nonce)), Err(Fault::Signature));
}

#[tokio::test]
async fn at_hash_binds_the_access_token_with_the_hash_of_the_algorithm() {
    let (keys, nonce, access) = (all_keys().await, Secret::new("n-1"), Secret::new(ACCESS));
    for name in ALL {
        let hash = match &name[2..] {
            "256" => digest(&SHA256, ACCESS.as_bytes()),
            "384" => digest(&SHA384, ACCESS.as_bytes()),
            _ => digest(&SHA512, ACCESS.as_bytes()),
        };
        let half = B64.encode(&hash.as_ref()[..hash.as_ref().len() / 2]);
        let whole = B64.encode(hash);
        let table = [
            (json!(half), true),
            (json!(whole), false),
            (json!("x"), false),
            (json!(7), false),
            (Value::Null, true),
        ];
        for (at_hash, believed) in table {
            let token = signed(&OURS, name, &header(name), &changed("at_hash", at_hash.clone()));
            let verdict = check(&token, &keys, Expected { access: Some(&access), ..expected(&nonce) });
            assert_eq!(
                verdict.map(drop),
                if believed { Ok(()) } else { Err(Fault::AccessToken) },
                "{name} {at_hash}"
            );
        }
    }
}

#[tokio::test]
async fn a_refresh_must_speak_of_the_same_user_and_needs_no_nonce() {
    let (keys, nonce) = (all_keys().await, Secret::new("n-1"));
    let token = signed(&OURS, "ES256", &header("ES256"), &changed("nonce", Value::Null));
    for (subject, verdict) in
        [("alice", Ok(())), ("bob", Err(Fault::OtherSubject)), ("Alice", Err(Fault::OtherSubject))]
    {
        let subject = Untrusted::from(subject);
        let wanted = Expected { nonce: None, subject: Some(&subject), ..expected(&nonce) };
        assert_eq!(check(&token, &keys, wanted).map(drop), verdict);
    }
}

#[test]
fn many_tokens_with_random_bytes_in_them_are_never_believed() {
    // Every single bit of a short token, flipped: header, claims, signature and dots.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (keys, nonce) = (runtime.block_on(all_keys()), Secret::new("n-1"));
    let token = good("ES256").expose().to_owned();
    for at in 0..token.len() {
        for bit in 0..7 {
            let mut bytes = token.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            let Ok(text) = String::from_utf8(bytes) else { continue };
            assert!(check(&Secret::new(text), &keys, expected(&nonce)).is_err(), "{at} {bit}");
        }
    }
}

#[tokio::test]
async fn an_unknown_key_is_looked_for_once_a_minute() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    // The first set is an old one.
    let published = published(move || match count.fetch_add(1, Ordering::SeqCst) {
        0 => json!([THEIRS.jwk("ES256", "k-old")]),
        _ => json!([OURS.jwk("ES256", "k-ES256")]),
    })
    .await;
    let (http, nonce) = (&published.http, Secret::new("n-1"));
    let mut keys = KeySet::fetch(http, &published.metadata).await.expect("keys");
    for _ in 0..5 {
        let verdict = verify(http, &mut keys, &good("ES256"), expected(&nonce)).await;
        assert_eq!(verdict, Err(Error::IdToken(Fault::NoKey("k-ES256".into()))));
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    // Moved while no request is under way: a paused clock would run through every limit of one.
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(60)).await;
    tokio::time::resume();
    // The server has closed the idle connection in that minute; let it be seen before it is used again.
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    let unknown = signed(&OURS, "ES256", &json!({"alg": "ES256", "kid": "k-new"}), &claims());
    for _ in 0..5 {
        assert!(verify(http, &mut keys, &unknown, expected(&nonce)).await.is_err());
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert!(verify(http, &mut keys, &good("ES256"), expected(&nonce)).await.is_ok());
}
