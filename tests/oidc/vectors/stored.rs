//! `tests/vectors/id_tokens.jsonl`: ID tokens that are wrong each in one way, or in none, and what is to be said of each. The tokens and the
//! keys are data, the same for whoever reads them: `tests/oracle` asks another library about them.
//!
//! `TOKTUI_WRITE_VECTORS=1 cargo test --test oidc stored` makes them anew, with new keys.

use std::fs;

use super::*;

const TOKENS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/id_tokens.jsonl");
const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/id_token_keys.json");

#[tokio::test]
async fn every_stored_token_gets_its_verdict() {
    if std::env::var_os("TOKTUI_WRITE_VECTORS").is_some() {
        write();
    }
    let sets: Value = serde_json::from_str(&fs::read_to_string(KEYS).expect("keys")).expect("JSON");
    let mut names = std::collections::HashSet::new();
    let mut seen = std::collections::BTreeMap::new();
    for line in fs::read_to_string(TOKENS).expect("tokens").lines() {
        let vector: Value = serde_json::from_str(line).expect("JSON");
        let name = vector["name"].as_str().expect("a name");
        assert!(names.insert(name.to_owned()), "{name} is there twice");
        let keys = key_set(sets[vector["keys"].as_str().expect("the name of a set")].clone()).await;
        let text = |field: &str| vector[field].as_str().map(str::to_owned);
        let (nonce, access) = (text("nonce").map(Secret::new), text("access_token").map(Secret::new));
        let subject = text("subject").map(|subject| Untrusted::from(subject.as_str()));
        let expected = Expected {
            issuer: vector["issuer"].as_str().expect("an issuer"),
            client: vector["client"].as_str().expect("a client"),
            nonce: nonce.as_ref(),
            access: access.as_ref(),
            subject: subject.as_ref(),
            now: from_epoch(vector["now"].as_i64().expect("a moment")),
        };
        let token = Secret::new(text("token").expect("a token"));
        let verdict = match check(&token, &keys, expected) {
            Ok(_) => "accept".to_owned(),
            Err(fault) => code(&fault),
        };
        assert_eq!(verdict, vector["verdict"].as_str().expect("a verdict"), "{name}: {}", vector["wrong"]);
        *seen.entry(verdict).or_insert(0) += 1;
    }
    assert!(names.len() >= 60, "{} are there", names.len());
    assert!(seen["accept"] >= 15 && seen.len() >= 15, "{seen:?}");
}

/// A verdict in a word.
fn code(fault: &Fault) -> String {
    match fault {
        Fault::Unreadable => "unreadable",
        Fault::Encrypted => "encrypted",
        Fault::Unsigned => "unsigned",
        Fault::Symmetric(_) => "symmetric",
        Fault::UnknownAlgorithm(_) => "unknown_algorithm",
        Fault::Critical => "critical",
        Fault::NoKey(_) => "no_key",
        Fault::Signature => "signature",
        Fault::Missing(claim) => return format!("missing_{claim}"),
        Fault::OtherIssuer(_) => "other_issuer",
        Fault::OtherAudience => "other_audience",
        Fault::OtherParty => "other_party",
        Fault::Expired(_) => "expired",
        Fault::Future(_) => "future",
        Fault::Nonce => "nonce",
        Fault::AccessToken => "access_token",
        Fault::OtherSubject => "other_subject",
    }
    .to_owned()
}

/// One vector while it is made.
struct Made(Value);

impl Made {
    /// Signed with ES256 and believed, unless something is changed.
    fn new(name: &str, wrong: &str, verdict: &str, token: &str) -> Self {
        Self(json!({"name": name, "wrong": wrong, "verdict": verdict, "keys": "provider", "issuer": ISSUER,
            "client": "toktui", "nonce": "n-1", "now": NOW, "token": token}))
    }

    fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.0[field] = value.into();
        self
    }

    /// The other library comes to another verdict, for a reason.
    fn oracle(self, verdict: &str, why: &str) -> Self {
        self.with("oracle", json!({"verdict": verdict, "why": why}))
    }
}

const STRICTER: &str = "reject";
const LAXER: &str = "accept";

#[allow(clippy::too_many_lines, reason = "it is a list")]
fn write() {
    let text = |token: Secret| token.expose().to_owned();
    let es = |claims: &Value| text(signed(&OURS, "ES256", &header("ES256"), claims));
    let headed = |algorithm: &str, header: &Value| text(signed(&OURS, algorithm, header, &claims()));
    let (good_es, good_rs) = (text(good("ES256")), text(good("RS256")));
    let (message, signature) = good_es.rsplit_once('.').expect("parts");
    let mut all = Vec::new();
    let mut put = |made: Made| all.push(made.0);

    for name in ALL {
        let made = Made::new(&format!("signed-{name}"), "nothing", "accept", &text(good(name)));
        put(match name {
            "ES512" => made.oracle(STRICTER, "it has no P-521"),
            "Ed25519" => made.oracle(STRICTER, "it does not know RFC 9864's name for EdDSA with Ed25519"),
            _ => made,
        });
    }
    let nameless = headed("ES256", &json!({"alg": "ES256"}));
    put(Made::new("no-kid-one-key", "nothing: a set of one key need not number it", "accept", &nameless)
        .with("keys", "one"));
    put(Made::new("no-kid-two-keys", "nothing: either key may have made it", "accept", &nameless)
        .with("keys", "two")
        .oracle(STRICTER, "it does not try several keys"));
    put(Made::new("aud-list", "nothing: a list of one", "accept", &es(&changed("aud", json!(["toktui"])))));
    put(Made::new(
        "aud-two-azp-ours",
        "nothing: several audiences, and azp says it is ours",
        "accept",
        &es(&changed("aud", json!(["other", "toktui"]))),
    )
    .oracle(STRICTER, "it wants each other audience to be trusted by name"));
    put(Made::new(
        "azp-missing",
        "nothing: one audience needs none",
        "accept",
        &es(&changed("azp", Value::Null)),
    ));
    put(Made::new("exp-59s-ago", "nothing: clocks differ", "accept", &es(&changed("exp", json!(NOW - 59))))
        .oracle(STRICTER, "it gives clocks no leeway"));
    put(Made::new(
        "exp-fraction",
        "nothing: a moment need not be whole",
        "accept",
        &es(&changed("exp", json!(1_800_000_300.5))),
    ));
    put(Made::new(
        "iat-60s-ahead",
        "nothing: clocks differ",
        "accept",
        &es(&changed("iat", json!(NOW + 60))),
    ));
    put(Made::new(
        "iat-yesterday",
        "nothing: it lives long",
        "accept",
        &es(&changed("iat", json!(NOW - 86_400))),
    ));
    let half = {
        let hash = digest(&SHA256, ACCESS.as_bytes());
        (B64.encode(&hash.as_ref()[..16]), B64.encode(hash))
    };
    put(Made::new("at-hash", "nothing", "accept", &es(&changed("at_hash", json!(half.0))))
        .with("access_token", ACCESS));
    put(Made::new("at-hash-missing", "nothing: it is optional with a code", "accept", &good_es)
        .with("access_token", ACCESS));
    put(Made::new(
        "device-login",
        "nothing: a device login sends no nonce",
        "accept",
        &es(&changed("nonce", Value::Null)),
    )
    .with("nonce", Value::Null));
    put(Made::new("nonce-nobody-sent", "nothing: a refresh may repeat it", "accept", &good_es)
        .with("nonce", Value::Null));
    put(Made::new("refresh-same-user", "nothing", "accept", &good_es).with("subject", "alice"));
    put(Made::new(
        "unknown-claims",
        "nothing",
        "accept",
        &es(&changed("https://x.example/c", json!({"deep": [1, null]}))),
    ));

    // What it says of its own protection.
    for name in ["none", "nOnE"] {
        let token = format!("{}.", unsigned(&json!({"alg": name}), &claims()));
        put(Made::new(&format!("alg-{name}"), "nobody signed it", "unsigned", &token));
    }
    for (name, algorithm) in
        [("HS256", aws_lc_rs::hmac::HMAC_SHA256), ("HS512", aws_lc_rs::hmac::HMAC_SHA512)]
    {
        let message = unsigned(&json!({"alg": name, "kid": "k-RS256"}), &claims());
        let public = OURS.rsa.public_key().modulus().big_endian_without_leading_zero().to_vec();
        let tag = aws_lc_rs::hmac::sign(&aws_lc_rs::hmac::Key::new(algorithm, &public), message.as_bytes());
        let token = format!("{message}.{}", B64.encode(tag));
        put(Made::new(
            &format!("alg-{name}"),
            "the public key, which everybody has, is its secret",
            "symmetric",
            &token,
        ));
    }
    for name in ["ES256K", "rs256", "ML-DSA-44"] {
        let token = headed("RS256", &json!({"alg": name, "kid": "k-RS256"}));
        put(Made::new(
            &format!("alg-{name}"),
            "no algorithm that anybody here checks",
            "unknown_algorithm",
            &token,
        ));
    }
    put(Made::new(
        "alg-missing",
        "it names no algorithm",
        "unreadable",
        &headed("ES256", &json!({"kid": "k-ES256"})),
    ));
    put(Made::new(
        "alg-mislabelled",
        "PKCS #1 that calls itself PSS",
        "signature",
        &headed("RS256", &json!({"alg": "PS256", "kid": "k-RS256"})),
    ));
    put(Made::new(
        "crit-b64",
        "it demands an extension (RFC 7797)",
        "critical",
        &headed("ES256", &json!({"alg": "ES256", "kid": "k-ES256", "crit": ["b64"], "b64": false})),
    ));
    put(Made::new(
        "crit-unknown",
        "it demands an extension of nobody's",
        "critical",
        &headed("ES256", &json!({"alg": "ES256", "kid": "k-ES256", "crit": ["x"], "x": 1})),
    ));

    // The signature.
    let flipped = |at: usize| {
        let mut bytes = B64.decode(signature).expect("base64");
        bytes[at] ^= 1;
        format!("{message}.{}", B64.encode(bytes))
    };
    put(Made::new("signature-bit", "one bit of the signature", "signature", &flipped(7)));
    put(Made::new("signature-last-bit", "its last bit", "signature", &flipped(63)));
    put(Made::new("signature-empty", "there is none", "signature", &format!("{message}.")));
    put(Made::new("signature-short", "half of it", "signature", &format!("{message}.{}", &signature[..42])));
    put(Made::new(
        "signature-zeros",
        "r and s are 0 (CVE-2022-21449)",
        "signature",
        &format!("{message}.{}", B64.encode([0; 64])),
    ));
    put(Made::new(
        "signature-padded",
        "base64 with padding, which a JWS has not",
        "signature",
        &format!("{message}.{signature}=="),
    ));
    put(Made::new("signature-of-another-token", "it was made for other claims", "signature", &{
        let other = es(&changed("sub", json!("bob")));
        format!("{message}.{}", other.rsplit_once('.').expect("parts").1)
    }));
    put(Made::new(
        "stranger-ES256",
        "a key of somebody else's under the same name",
        "signature",
        &text(signed(&THEIRS, "ES256", &header("ES256"), &claims())),
    ));
    put(Made::new(
        "stranger-RS256",
        "a key of somebody else's under the same name",
        "signature",
        &text(signed(&THEIRS, "RS256", &header("RS256"), &claims())),
    ));
    put(Made::new(
        "jwk-in-header",
        "it brings its own key",
        "signature",
        &text(signed(
            &THEIRS,
            "ES256",
            &json!({"alg": "ES256", "kid": "k-ES256", "jwk": THEIRS.jwk("ES256", "k-ES256")}),
            &claims(),
        )),
    ));

    // The key.
    put(Made::new(
        "jku-in-header",
        "it says where its key is",
        "no_key",
        &text(signed(
            &THEIRS,
            "ES256",
            &json!({"alg": "ES256", "kid": "evil", "jku": "https://evil.example/keys"}),
            &claims(),
        )),
    ));
    put(Made::new(
        "kid-unknown",
        "the provider publishes no such key",
        "no_key",
        &headed("ES256", &json!({"alg": "ES256", "kid": "k-9"})),
    ));
    put(Made::new(
        "kid-of-another-kind",
        "an RSA token that names an EC key",
        "no_key",
        &headed("RS256", &json!({"alg": "RS256", "kid": "k-ES256"})),
    ));
    put(Made::new("key-for-encryption", "its key is published for encryption", "no_key", &good_es)
        .with("keys", "for_encryption"));
    put(Made::new("key-for-another-alg", "its key is published for RS512 only", "no_key", &good_rs)
        .with("keys", "for_rs512"));
    put(Made::new("key-of-1024-bits", "so short a key anybody can break", "signature", &good_rs)
        .with("keys", "weak"));
    put(Made::new("no-keys", "the provider publishes none", "no_key", &good_es).with("keys", "none"));

    // The shape.
    put(Made::new("five-parts", "it is encrypted", "encrypted", &format!("{good_es}.AA.AA")));
    put(Made::new("two-parts", "it has no signature part", "unreadable", message));
    put(Made::new("empty", "there is nothing", "unreadable", ""));
    let shaped = |payload: &[u8]| {
        let message = format!("{}.{}", B64.encode(header("ES256").to_string()), B64.encode(payload));
        format!("{message}.{}", B64.encode(OURS.sign("ES256", message.as_bytes())))
    };
    put(Made::new("payload-text", "its content is no JSON", "unreadable", &shaped(b"hello")));
    put(Made::new("payload-list", "its content is a list", "unreadable", &shaped(b"[{}]")));

    // Who, for whom, to whom.
    let claim = |name: &str, wrong: &str, verdict: &str, claim: &str, value: Value| {
        Made::new(name, wrong, verdict, &es(&changed(claim, value)))
    };
    for made in [
        claim(
            "iss-slash",
            "a slash at the issuer's end",
            "other_issuer",
            "iss",
            json!("https://op.example.org/x/"),
        ),
        claim("iss-case", "the issuer in capitals", "other_issuer", "iss", json!("HTTPS://op.example.org/x")),
        claim(
            "iss-host",
            "another issuer",
            "other_issuer",
            "iss",
            json!("https://op.example.org.evil.example/x"),
        ),
        claim("iss-missing", "no issuer", "missing_iss", "iss", Value::Null),
        claim("iss-list", "a list of issuers", "missing_iss", "iss", json!([ISSUER])),
        claim("aud-other", "another client's", "other_audience", "aud", json!("other")),
        claim("aud-case", "a client of almost our name", "other_audience", "aud", json!("TOKTUI")),
        claim("aud-empty", "nobody's", "other_audience", "aud", json!([])),
        claim("aud-missing", "no audience", "other_audience", "aud", Value::Null),
        claim("azp-other", "another client got it", "other_party", "azp", json!("other"))
            .oracle(LAXER, "it leaves azp to its user"),
        claim("azp-number", "azp is a number", "other_party", "azp", json!(7)),
        claim("exp-60s-ago", "over by more than clocks differ", "expired", "exp", json!(NOW - 60)),
        claim("exp-hour-ago", "over for an hour", "expired", "exp", json!(NOW - 3600)),
        claim("exp-zero", "over since 1970", "expired", "exp", json!(0)),
        claim("exp-text", "its end is a text", "missing_exp", "exp", json!("1800000300")),
        claim("exp-missing", "it never ends", "missing_exp", "exp", Value::Null),
        claim("iat-61s-ahead", "made later than clocks differ", "future", "iat", json!(NOW + 61))
            .oracle(LAXER, "it leaves iat to its user"),
        claim("iat-missing", "nobody knows since when", "missing_iat", "iat", Value::Null),
        claim("nbf-61s-ahead", "not yet", "future", "nbf", json!(NOW + 61))
            .oracle(LAXER, "it does not read nbf"),
        claim("nonce-other", "another login's", "nonce", "nonce", json!("n-2")),
        claim("nonce-part", "the beginning of ours", "nonce", "nonce", json!("n-")),
        claim("nonce-missing", "of no login in particular", "nonce", "nonce", Value::Null),
        claim("nonce-list", "a list with ours in it", "nonce", "nonce", json!(["n-1"])),
        claim("sub-missing", "of nobody", "missing_sub", "sub", Value::Null),
        claim("sub-empty", "of a user without a name", "missing_sub", "sub", json!(""))
            .oracle(LAXER, "an empty text is a subject to it"),
        claim("sub-number", "its user is a number", "missing_sub", "sub", json!(7)),
        claim(
            "sub-other-at-refresh",
            "a refresh that speaks of somebody else",
            "other_subject",
            "sub",
            json!("bob"),
        )
        .with("subject", "alice"),
        claim(
            "at-hash-other",
            "another access token's",
            "access_token",
            "at_hash",
            json!(B64.encode([7; 16])),
        )
        .with("access_token", ACCESS),
        claim("at-hash-whole", "the whole hash, not its left half", "access_token", "at_hash", json!(half.1))
            .with("access_token", ACCESS),
    ] {
        put(made);
    }
    let mut two = changed("aud", json!(["other", "toktui"]));
    two.as_object_mut().expect("claims").remove("azp");
    put(Made::new(
        "aud-two-azp-missing",
        "of several audiences, and nobody says who got it",
        "other_party",
        &es(&two),
    ));

    let lines: Vec<String> = all.iter().map(Value::to_string).collect();
    fs::write(TOKENS, lines.join("\n") + "\n").expect("written");
    let mut sets = json!({});
    let own = |name: &str| OURS.jwk(name, &format!("k-{name}"));
    let with = |name: &str, field: &str, value: Value| {
        let mut key = own(name);
        key[field] = value;
        key
    };
    sets["provider"] = ALL.iter().map(|name| own(name)).collect();
    sets["one"] = json!([own("ES256")]);
    sets["two"] = json!([THEIRS.jwk("ES256", "k-other"), own("ES256")]);
    sets["for_encryption"] = json!([with("ES256", "use", json!("enc"))]);
    sets["for_rs512"] = json!([with("RS256", "alg", json!("RS512"))]);
    sets["weak"] = json!([with("RS256", "n", json!(B64.encode([0xff; 128])))]);
    sets["none"] = json!([]);
    fs::write(KEYS, serde_json::to_string_pretty(&sets).expect("JSON") + "\n").expect("written");
}
