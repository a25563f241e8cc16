//! What another library says of the vectors in `tests/vectors`: the crate openidconnect, which shares no code with toktui. It must accept what
//! toktui accepts and reject what toktui rejects; where it does not, the vector says so, and why.
//!
//! `cargo run --locked --manifest-path tests/oracle/Cargo.toml`, offline once its crates are there. Exit code 1: they disagree.

use std::fs;
use std::process::ExitCode;
use std::str::FromStr;

use chrono::DateTime;
use openidconnect::core::{CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreProviderMetadata};
use openidconnect::{AccessToken, AccessTokenHash, ClientId, HttpRequest, HttpResponse, IssuerUrl, Nonce};
use serde_json::Value;

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors");

/// Why the library rejects something, in its own words.
type Verdict = Result<(), String>;

fn main() -> ExitCode {
    let sets: Value = serde_json::from_str(&read("id_token_keys.json")).expect("JSON");
    let tokens = compared("id_tokens.jsonl", |vector| id_token(vector, &sets));
    let documents = compared("discovery.jsonl", discovery);
    if tokens && documents { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn read(name: &str) -> String {
    let path = format!("{VECTORS}/{name}");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Whether the library says of each vector of a file what the vector says that it does.
fn compared(file: &str, judge: impl Fn(&Value) -> Verdict) -> bool {
    let (mut same, mut otherwise, mut wrong) = (0, 0, 0);
    for line in read(file).lines() {
        let vector: Value = serde_json::from_str(line).expect("JSON");
        let ours = vector["verdict"] == "accept";
        let reason = vector["oracle"]["why"].as_str();
        let wanted = vector["oracle"]["verdict"].as_str().map_or(ours, |verdict| verdict == "accept");
        assert!(wanted == ours || reason.is_some(), "{}: it differs and does not say why", vector["name"]);
        let said = judge(&vector);
        match reason {
            _ if said.is_ok() != wanted => {
                wrong += 1;
                let words = said.err().unwrap_or_else(|| "it accepts it".to_owned());
                eprintln!(
                    "{file}: {} ({}): toktui says {}; {words}",
                    vector["name"], vector["wrong"], vector["verdict"]
                );
            }
            Some(_) => otherwise += 1,
            None => same += 1,
        }
    }
    println!(
        "{file}: {same} the same verdict, {otherwise} another for a reason, {wrong} not as the vectors say"
    );
    wrong == 0
}

fn text<'v>(vector: &'v Value, name: &str) -> Option<&'v str> {
    vector[name].as_str()
}

/// What its documentation has a client do with an ID token.
fn id_token(vector: &Value, sets: &Value) -> Verdict {
    let name = text(vector, "keys").expect("the name of a set");
    let keys = serde_json::json!({"keys": sets[name]});
    let keys: CoreJsonWebKeySet = serde_json::from_value(keys).map_err(|error| error.to_string())?;
    let issuer = IssuerUrl::new(text(vector, "issuer").expect("an issuer").to_owned()).expect("an address");
    let client = ClientId::new(text(vector, "client").expect("a client").to_owned());
    let now = DateTime::from_timestamp(vector["now"].as_i64().expect("a moment"), 0).expect("a moment");
    let verifier =
        CoreIdTokenVerifier::new_public_client(client, issuer, keys).allow_any_alg().set_time_fn(move || now);
    let token =
        CoreIdToken::from_str(text(vector, "token").expect("a token")).map_err(|error| error.to_string())?;
    let wanted = text(vector, "nonce").map(|nonce| Nonce::new(nonce.to_owned()));
    let claims = match &wanted {
        Some(nonce) => token.claims(&verifier, nonce),
        None => token.claims(&verifier, |_: Option<&Nonce>| Ok(())),
    };
    let claims = claims.map_err(|error| error.to_string())?;
    if let (Some(access), Some(said)) = (text(vector, "access_token"), claims.access_token_hash()) {
        let algorithm = token.signing_alg().map_err(|error| error.to_string())?;
        let key = token.signing_key(&verifier).map_err(|error| error.to_string())?;
        let hash = AccessTokenHash::from_token(&AccessToken::new(access.to_owned()), algorithm, key);
        if hash.map_err(|error| error.to_string())? != *said {
            return Err("at_hash is another's".to_owned());
        }
    }
    // Its documentation leaves this one to the client.
    match text(vector, "subject") {
        Some(subject) if subject != claims.subject().as_str() => Err("sub is another's".to_owned()),
        _ => Ok(()),
    }
}

/// The document as it would come from the issuer that was asked, and any key set after it.
fn discovery(vector: &Value) -> Verdict {
    let issuer = IssuerUrl::new(text(vector, "asked").expect("an issuer").to_owned()).expect("an address");
    let http = |request: HttpRequest| {
        let is_document = request.uri().path().ends_with("/.well-known/openid-configuration");
        let body = if is_document { vector["document"].to_string() } else { r#"{"keys":[]}"#.to_owned() };
        let answer =
            http::Response::builder().header("content-type", "application/json").body(body.into_bytes());
        answer.map(|answer: HttpResponse| answer)
    };
    CoreProviderMetadata::discover(&issuer, &http).map(drop).map_err(|error| format!("{error}: {error:?}"))
}
