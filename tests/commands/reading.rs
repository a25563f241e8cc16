//! Reading tokens from a shell: signatures, introspection, and two tokens side by side.

use serde_json::json;

use super::world::{Home, Servers, access_token, now};

#[test]
fn info_says_whether_the_signature_of_a_listed_providers_token_is_good() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    home.log_in(&servers, "grid", "wlcg");
    let said = home.good(&["info", "wlcg"]);
    assert!(said.contains("signature good, by key ") && said.contains(" of grid"), "{said}");
    let token = home.good(&["token", "wlcg"]);
    let json = home.feed(&["info", "-", "--json"], &token);
    let value: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((json.code, &value["version"], &value["jwt"]["verified"]), (0, &json!(1), &json!(true)));
    let verification = &value["jwt"]["verification"];
    assert_eq!((&verification["result"], &verification["algorithm"]), (&"good".into(), &"RS256".into()));
    assert_eq!(verification["key"], value["jwt"]["header"]["kid"]);
    // One letter of its claims is another.
    let (head, rest) = token.trim().split_once('.').unwrap();
    let (claims, signature) = rest.split_once('.').unwrap();
    let other = access_token(now(), 600, "mallory");
    let issuer = &value["jwt"]["claims"]["iss"];
    let forged = format!("{head}.{}.{signature}", reissued(&other, issuer.as_str().unwrap()));
    assert_ne!(forged, format!("{head}.{claims}.{signature}"));
    let said = home.feed(&["info", "-"], &forged);
    assert_eq!(said.code, 3, "{said:?}");
    assert!(said.out.contains("signature does not fit"), "{said:?}");
    // Another issuer is not asked.
    let said = home.feed(&["info", "-", "--json"], &access_token(now(), 600, "jane"));
    let value: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.code, &value["jwt"]["verified"]), (0, &json!(false)));
    assert_eq!(value["jwt"]["verification"]["why"], "issuer_not_listed");
}

/// The claims of a token, as another issuer's.
fn reissued(token: &str, issuer: &str) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let claims = token.split('.').nth(1).unwrap();
    let mut claims: serde_json::Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    claims["iss"] = issuer.into();
    URL_SAFE_NO_PAD.encode(claims.to_string())
}

#[test]
fn a_pasted_token_is_introspected_where_the_user_says_and_only_there() {
    let servers = Servers::open();
    let home = Home::at(&servers).with("GRID_SECRET", "mytoken-secret");
    home.log_in(&servers, "grid", "wlcg");
    let token = home.good(&["token", "wlcg"]);
    // Only a client with a secret may ask; this one is not in the token's audience, so that it hears no.
    let grid = &servers.sandbox.grid.settings().issuer;
    home.configure(&format!(
        "[provider.grid]\nissuer = \"{grid}\"\nclient_id = \"mytoken\"\nclient_secret_env = \"GRID_SECRET\"\n\
         scopes = [\"openid\"]\n"
    ));
    let asked = || servers.sandbox.grid.counts().introspection;
    home.feed(&["info", "-"], &token);
    home.feed(&["info", "-"], "0123456789-0123456789-0123456789");
    assert_eq!(asked(), 0, "nobody was named");
    let said = home.feed(&["info", "-", "--json", "--introspect-at", "grid"], &token);
    let value: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let answer = &value["introspection"]["answer"];
    assert_eq!((said.code, answer, asked()), (3, &"not_active".into(), 1), "{said:?}");
    let said = home.feed(&["info", "-", "--introspect-at", grid], "0123456789-0123456789-0123456789");
    assert_eq!((said.code, asked()), (3, 2), "{said:?}");
    assert!(said.out.contains("does not call it active"), "{said:?}");
    for wrong in
        [&["info", "-", "--introspect-at", "nobody"][..], &["info", "wlcg", "--introspect-at", "grid"]]
    {
        let said = home.feed(wrong, &token);
        assert_eq!((said.code, said.out.as_str(), asked()), (2, "", 2), "{wrong:?}: {said:?}");
    }
}

#[test]
fn two_tokens_are_compared_by_what_they_say_and_nobody_is_asked() {
    let home = Home::new();
    let (now, home_token) = (now(), |now, ends, subject: &str| access_token(now, ends, subject));
    home.keep("a", &home_token(now, 600, "jane"));
    home.keep("b", &home_token(now, 1200, "omar\u{1b}[31m"));
    assert_eq!(home.good(&["compare", "a", "a"]), "They say the same.\n");
    let said = home.run(&["compare", "a", "b"]);
    assert_eq!((said.code, said.err.as_str()), (3, ""), "{said:?}");
    assert!(said.out.contains("scopes: the same") && said.out.contains("audience: the same"), "{said:?}");
    assert!(said.out.contains("jane -> omar\\u{1b}[31m"), "{said:?}");
    assert!(said.out.contains("later") && said.out.contains("header: the same"), "{said:?}");
    let said =
        home.feed(&["compare", "--json", "-", "a"], &format!("Bearer {}", home_token(now, 600, "omar")));
    let value: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let expected = json!({"version": 1, "same": false,
        "changes": [{"part": "claims", "name": "sub", "a": "omar", "b": "jane"}]});
    assert_eq!((said.code, value), (3, expected));
    home.keep("opaque", "0123456789-0123456789-0123456789");
    for wrong in [
        &["compare", "-", "-"][..],
        &["compare", "a", "opaque"],
        &["compare", "a", "nothing"],
        &["compare", "a", "-"],
    ] {
        let said = home.run(wrong);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{wrong:?}: {said:?}");
    }
}
