//! A client id from the provider itself, by commands.

use super::world::{Home, Servers};

#[test]
fn a_client_is_registered_by_address_logged_in_as_and_deleted() {
    let servers = Servers::open();
    let home = Home::new();
    let issuer = servers.sandbox.grid.settings().issuer.clone();
    let said = home.run(&["provider", "register", &issuer, "--name", "mine", "--client-name", "a trial"]);
    assert_eq!(said.code, 0, "{said:?}");
    let client = said.out.trim().strip_prefix("Registered at mine as ").expect("its id").to_owned();
    assert!(said.err.contains("toktui provider check mine"), "{said:?}");
    let shown = home.json(&["provider", "show", "mine", "--json"]);
    assert_eq!(
        [&shown["here"]["client_id"], &shown["here"]["registered"], &shown["supports"]["registration"]],
        [&serde_json::json!(client), &true.into(), &true.into()]
    );
    let checked = home.json(&["provider", "check", "mine", "--json"]);
    assert_eq!(checked["verdict"], "good", "{checked}");
    home.log_in(&servers, "mine", "here");
    let file = home.path().join("all.toktui");
    let words = ["export", "--to", file.to_str().unwrap(), "--passphrase-stdin"];
    let exported = home.feed(&words, "correct horse\n");
    assert!(exported.code == 0 && exported.err.contains(&format!("the clients {client}")), "{exported:?}");
    let again = home.run(&["provider", "register", "mine"]);
    assert_eq!(again.code, 2, "{again:?}");
    assert!(again.err.contains("already") && again.err.contains("unregister mine"), "{again:?}");

    let removed = home.run(&["provider", "remove", "mine"]);
    assert_eq!(removed.code, 0, "{removed:?}");
    assert!(removed.err.contains("stays registered there: toktui provider unregister mine"), "{removed:?}");
    let ended = home.run(&["provider", "unregister", "mine"]);
    assert_eq!(
        (ended.code, ended.out),
        (0, format!("Deleted the client {client}, there and here\n")),
        "{}",
        ended.err
    );
    assert_eq!(home.run(&["provider", "unregister", "mine"]).code, 2);
}

#[test]
fn a_client_registered_at_a_provider_of_the_users_file_stands_beside_it() {
    let servers = Servers::open();
    let home = Home::new();
    let issuer = servers.sandbox.grid.settings().issuer.clone();
    let config = format!("[provider.site]\nissuer = \"{issuer}\"\nscopes = [\"openid\", \"email\"]\n");
    home.configure(&config);
    let told = home.json(&["provider", "register", "site", "--json"]);
    assert_eq!(
        (&told["name"], &told["usable"], &told["remarks"][0]),
        (
            &"site".into(),
            &true.into(),
            &"it may not ask for offline_access: a login lasts as long as the browser's session".into()
        )
    );
    assert_eq!(std::fs::read_to_string(home.path().join("config/config.toml")).unwrap(), config);
    let shown = home.json(&["provider", "show", "site", "--json"]);
    assert_eq!(shown["here"]["client_id"], told["client_id"]);
    assert_eq!(shown["here"]["scopes"], serde_json::json!(["openid", "email"]));
    home.good(&["provider", "remove", "site", "--unregister"]);
    let shown = home.json(&["provider", "show", "site", "--json"]);
    assert_eq!(shown["here"]["client_id"], serde_json::Value::Null);
    assert_eq!(servers.sandbox.grid.counts().registration, 2);
}

#[test]
fn a_provider_that_registers_nobody_is_told_apart_and_nothing_stays_behind() {
    let servers = Servers::open();
    let home = Home::new();
    let checkin = servers.sandbox.checkin.settings().issuer.clone();
    home.good(&["provider", "add", &checkin, "--name", "kc"]);
    let refused = home.run(&["provider", "register", "kc"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(
        refused.err.contains("Trusted Hosts") && refused.err.contains("--initial-access-token-file"),
        "{refused:?}"
    );
    let secret =
        home.feed(&["provider", "register", "kc", "--initial-access-token-file", "-"], "tok-secret-word\n");
    assert_eq!(secret.code, 1, "{secret:?}");
    assert!(!secret.err.contains("tok-secret-word") && secret.err.contains("is not taken"), "{secret:?}");
    for (words, said) in [
        (&["provider", "register", "egi"][..], "none of the useful scopes"),
        (&["provider", "register", "cilogon"], "makes none"),
        (&["provider", "register", "kit"], "initial access token"),
        (&["provider", "register", "nobody"], "no provider has that name"),
        (&["provider", "register", "toar"], "no OpenID provider"),
        (&["--read-only", "provider", "register", "kc"], "read-only"),
        (&["provider", "unregister", "kc"], "no client was registered"),
        (&["provider", "register", "kc", "--initial-access-token-file", "/nonexistent"], "cannot be read"),
    ] {
        let refused = home.run(words);
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.err.contains(said), "{words:?}: {refused:?}");
    }
}
