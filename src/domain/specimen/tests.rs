//! Pasted strings of every kind, and what is made of each.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;

use super::*;

const SHORT: &str = "MCUmNThOCHBAosvKrpeFwxFVUWxpurRwCGoGaXYaQseDPTrFVhCWfHtspPuSAWVa";

fn jwt(header: &str, claims: &str, signature: usize) -> String {
    let encode = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
    format!("{}.{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()), encode(&vec![7; signature]))
}

fn mytoken() -> String {
    let claims = r#"{"token_type":"mytoken","iss":"https://mytoken.example.org","seq_no":2}"#;
    jwt(r#"{"alg":"ES512","typ":"MT+JWT"}"#, claims, 132)
}

fn access_token() -> String {
    jwt(r#"{"alg":"RS256","typ":"JWT"}"#, r#"{"typ":"Bearer","scope":"openid"}"#, 256)
}

/// A kind without what is in it.
fn name(text: &str) -> String {
    match recognise(text).kind {
        Kind::Garbled { why } => why,
        other => other.words().to_owned(),
    }
}

#[test]
fn each_token_is_told_for_what_it_is() {
    let keycloak = r#"{"alg":"RS256","typ":"JWT"}"#;
    let refresh = r#"{"alg":"HS512","typ":"JWT"}"#;
    let table = [
        (mytoken(), "a mytoken"),
        (jwt(r#"{"alg":"ES512"}"#, r#"{"token_type":"mytoken"}"#, 132), "a mytoken"),
        (access_token(), "an access token"),
        (jwt(r#"{"alg":"ES256","typ":"at+jwt"}"#, "{}", 64), "an access token"),
        (jwt(r#"{"alg":"RS256"}"#, r#"{"wlcg.ver":"1.0","scope":"openid"}"#, 256), "an access token"),
        (jwt(keycloak, r#"{"typ":"ID","nonce":"n"}"#, 256), "an ID token"),
        (jwt(r#"{"alg":"RS256"}"#, r#"{"at_hash":"h"}"#, 256), "an ID token"),
        (jwt(refresh, r#"{"typ":"Refresh","scope":"openid"}"#, 64), "a refresh token"),
        (jwt(refresh, r#"{"typ":"Offline"}"#, 64), "a refresh token"),
        (jwt(r#"{"alg":"none"}"#, r#"{"jti":"1"}"#, 0), "a refresh token"),
        (jwt(r#"{"alg":"ML-DSA-44"}"#, r#"{"sub":"x"}"#, 5), "a JSON Web Token"),
        (format!("{}.a.b.c.d", URL_SAFE_NO_PAD.encode(r#"{"enc":"A256GCM"}"#)), "an opaque token"),
        (SHORT.to_owned(), "a short mytoken or some other secret"),
        ("QuMUADRC".to_owned(), "perhaps a transfer code"),
        ("ya29.a0AfH6SMBx-_x".to_owned(), "an opaque token"),
        ("oidc-4f2c9a0e6b1d4c0e8a7f6d5c4b3a2910".to_owned(), "an opaque token"),
        ("YWJjZGVmZ2hpamtsbW5vcA==".to_owned(), "an opaque token"),
    ];
    for (text, kind) in table {
        assert_eq!(name(&text), kind, "{text}");
    }
}

#[test]
fn what_is_broken_is_said_to_be_broken_and_where() {
    let whole = mytoken();
    let parts: Vec<&str> = whole.split('.').collect();
    let table = [
        (String::new(), Garble::Empty),
        (" \n\t ".to_owned(), Garble::Empty),
        ("'\"\"'".to_owned(), Garble::Empty),
        ("abc".to_owned(), Garble::TooShort),
        ("x".repeat(65 << 10), Garble::TooLong),
        ("tok\u{1b}[31men-and-more".to_owned(), Garble::Control),
        ("Schlüssel".to_owned(), Garble::Foreign),
        ("the quick brown fox jumps over the lazy dog and runs".to_owned(), Garble::Words),
        ("https://mytoken.example.org/c/hTqWmRzd".to_owned(), Garble::Address),
        (r#"{"access_token": "eyJhbGci"#.to_owned(), Garble::BrokenJson),
        (r#"{"error": "invalid_token"}"#.to_owned(), Garble::NoTokenInJson),
        (r#"{"access_token": ""}"#.to_owned(), Garble::NoTokenInJson),
        (parts[0].to_owned(), Garble::Cut(1)),
        (parts[0][..20].to_owned(), Garble::Cut(1)),
        (format!("{}.{}", parts[0], parts[1]), Garble::Cut(2)),
        (format!("{}.{}", parts[0], &parts[1][..9]), Garble::Cut(2)),
        (format!("{}.{}.{}", &parts[0][1..], parts[1], parts[2]), Garble::First),
        (format!("{}.{}.{}", parts[0], &parts[1][1..], parts[2]), Garble::Second),
        (format!("{whole}.{}", parts[2]), Garble::Parts(4)),
        (whole[..whole.len() - 8].to_owned(), Garble::Signature),
        (format!("{whole}AAAA"), Garble::Signature),
        (jwt(r#"{"alg":"RS256"}"#, r#"{"typ":"Bearer"}"#, 250), Garble::Signature),
        (jwt(r#"{"alg":"ES256"}"#, r#"{"typ":"Bearer"}"#, 0), Garble::Signature),
    ];
    for (text, why) in table {
        let specimen = recognise(&text);
        assert_eq!(specimen.kind, Kind::from(why), "{}", text.get(..40).unwrap_or(&text));
    }
}

#[test]
fn the_sentences_name_what_is_wrong_with_a_token() {
    assert_eq!(
        Garble::Second.to_string(),
        "it has three parts, but the second is not readable: cut or changed on the way"
    );
    assert_eq!(Garble::Parts(7).to_string(), "it has 7 parts, and a token has three");
}

#[test]
fn of_a_json_answer_the_mytoken_comes_first() {
    let (mytoken, access) = (mytoken(), access_token());
    let answer = format!(r#"{{"access_token": "{access}", "expires_in": 5, "mytoken": "{mytoken}"}}"#);
    assert_eq!(recognise(&answer).value.expose(), mytoken);
    let answer = format!("{{\n  \"id_token\": \"x\",\n  \"access_token\": \"{access}\"\n}}\n$ ");
    assert_eq!(recognise(&answer).value.expose(), access);
}

/// A way in which a token is pasted, with `%` where it stands.
const WRAPPINGS: [&str; 24] = [
    "%",
    "%\n",
    "  %  ",
    "Bearer %",
    "bearer\n  %",
    "Authorization: Bearer %",
    "authorization:bearer %\r\n",
    "-H 'Authorization: Bearer %'",
    "--header \"Authorization: Bearer %\" \\\n",
    "\"%\"",
    "'%'",
    "`%`",
    "“%”",
    "$'%\\n'",
    "TOKEN=%",
    "export MYTOKEN='%';",
    "export X=\"%\"\n",
    "mytoken: %",
    "\"access_token\": \"%\",",
    "{\"access_token\": \"%\"}",
    "{\"expires_in\": 3599, \"mytoken\": \"%\\n\"}",
    "\u{feff}%\u{200b}",
    "<%>",
    "\u{a0}%\u{a0}",
];

proptest! {
    #[test]
    fn nothing_makes_it_panic(text in any::<String>()) {
        let _ = recognise(&text);
    }

    #[test]
    fn nothing_that_looks_like_a_token_makes_it_panic(text in "[{\"':=.eyJ$ \\\\\n\u{e9}-]{0,60}") {
        let _ = recognise(&text);
    }

    #[test]
    fn what_is_wrapped_around_a_token_changes_neither_value_nor_kind(
        outer in 0..WRAPPINGS.len(),
        inner in 0..WRAPPINGS.len(),
        which in 0..5_usize,
    ) {
        let token = [mytoken(), access_token(), SHORT.to_owned(), "QuMUADRC".to_owned(), "a.b-c_d~e+f/g==".to_owned()]
            [which].clone();
        let alone = recognise(&token);
        // A JSON text inside of quotes would be another language.
        let inner = if WRAPPINGS[inner].starts_with('{') { "%" } else { WRAPPINGS[inner] };
        let inside = if WRAPPINGS[outer].starts_with('{') { token } else { inner.replace('%', &token) };
        let wrapped = recognise(&WRAPPINGS[outer].replace('%', &inside));
        prop_assert_eq!(wrapped, alone);
    }

    #[test]
    fn a_jwt_bears_blanks_and_line_breaks_anywhere(
        blanks in proptest::collection::vec((0..200_usize, "[ \t\r\n\u{200b}]{1,3}"), 0..12),
    ) {
        let token = mytoken();
        let mut noisy = token.clone();
        for (at, blank) in blanks {
            // Not inside the first three letters: they are what a broken JWT is known by.
            noisy.insert_str(noisy.char_indices().nth(at + 3).map_or(noisy.len(), |(index, _)| index), &blank);
        }
        prop_assert_eq!(recognise(&noisy), recognise(&token));
    }

    #[test]
    fn a_short_token_bears_the_line_breaks_of_a_narrow_terminal(width in 16..64_usize) {
        let lines: Vec<&str> = (0..SHORT.len()).step_by(width)
            .map(|at| &SHORT[at..(at + width).min(SHORT.len())])
            .collect();
        prop_assert_eq!(recognise(&lines.join("\r\n   ")), recognise(SHORT));
    }
}
