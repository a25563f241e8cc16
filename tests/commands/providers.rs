//! Providers as commands: listed, looked at, added and taken out, and a login foretold.

use serde_json::Value;

use super::world::{Home, Servers};

/// Standing and words of one finding.
fn found<'v>(checked: &'v Value, what: &str) -> (&'v str, &'v str) {
    let all = checked["findings"].as_array().unwrap();
    let one = all.iter().find(|one| one["what"] == what).unwrap_or_else(|| panic!("no {what} in {checked}"));
    (one["standing"].as_str().unwrap(), one["said"].as_str().unwrap())
}

fn cure<'v>(checked: &'v Value, what: &str) -> &'v str {
    let all = checked["findings"].as_array().unwrap();
    all.iter().find(|one| one["what"] == what).and_then(|one| one["cure"].as_str()).unwrap_or_default()
}

/// The exit code of a check, and what it found.
fn check(home: &Home, words: &[&str]) -> (i32, Value) {
    let said = home.run(&[&["provider", "check", "--json"], words].concat());
    let checked = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{said:?}"));
    (said.code, checked)
}

#[test]
fn a_provider_is_added_by_its_address_logged_in_at_and_taken_out() {
    let servers = Servers::open();
    let home = Home::new();
    let issuer = servers.sandbox.grid.settings().issuer.clone();
    let added = home.run(&["provider", "add", &issuer, "--name", "mine", "--client-id", "toktui"]);
    assert_eq!((added.code, added.out), (0, format!("Added mine: {issuer}\n")));
    let all = home.json(&["provider", "list", "--json"]);
    let mine = all["providers"].as_array().unwrap().iter().find(|one| one["name"] == "mine").unwrap();
    assert_eq!(
        [&mine["address"], &mine["client_id"], &mine["origin"], &mine["kind"]],
        [issuer.as_str(), "toktui", "added", "openid"]
    );
    home.log_in(&servers, "mine", "here");
    assert_eq!(home.json(&["list", "--json"])["tokens"][0]["name"], "here");
    let again = home.run(&["provider", "add", &issuer]);
    assert_eq!(again.code, 2);
    assert!(again.err.contains("listed already, as mine"), "{again:?}");
    let removed = home.run(&["provider", "remove", "mine"]);
    assert_eq!((removed.code, removed.out.as_str()), (0, "Removed mine\n"));
    assert!(removed.err.contains("what is held of it stays: here"), "{removed:?}");
    let gone = home.run(&["provider", "remove", "mine"]);
    assert_eq!(gone.code, 2);
    assert!(gone.err.contains("no provider was added as mine"), "{gone:?}");
}

#[test]
fn the_users_own_file_is_never_touched_and_a_client_at_a_preset_is_laid_over_it() {
    let home = Home::new();
    let config = "# mine\n[board]\ntime = \"local\"\n";
    home.configure(config);
    home.good(&["provider", "add", "egi", "--client-id", "my-client"]);
    let all = home.json(&["provider", "list", "--json"]);
    let egi = all["providers"].as_array().unwrap().iter().find(|one| one["name"] == "egi").unwrap();
    assert_eq!((&egi["client_id"], &egi["title"]), (&"my-client".into(), &"EGI Check-in".into()));
    assert_eq!(std::fs::read_to_string(home.path().join("config/config.toml")).unwrap(), config);
    for (words, said) in [
        (&["provider", "add", "helmholtz"][..], "built in, as helmholtz"),
        (&["provider", "add", "toar", "--client-id", "x"], "listed already"),
        (&["provider", "remove", "helmholtz"], "built in"),
        (&["provider", "add", "nonsense"], "not an address"),
        (&["provider", "show", "nobody"], "no provider has that name"),
        (&["provider", "check", "mytoken-kit"], "no OpenID provider"),
        (&["--read-only", "provider", "remove", "egi"], "read-only"),
    ] {
        let refused = home.run(words);
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.err.contains(said), "{words:?}: {refused:?}");
    }
    home.good(&["provider", "remove", "egi"]);
    let all = home.json(&["provider", "list", "--json"]);
    let egi = all["providers"].as_array().unwrap().iter().find(|one| one["name"] == "egi").unwrap();
    assert_eq!((&egi["client_id"], &egi["origin"]), (&Value::Null, &"built_in".into()));
}

#[test]
fn what_a_provider_announces_stands_beside_what_is_done_here() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    let table = home.good(&["provider", "show", "grid"]);
    for words in
        ["device code", "offered", "always S256", "asks openid profile email offline_access", "not offered"]
    {
        assert!(table.contains(words), "{words}: {table}");
    }
    let shown = home.json(&["provider", "show", "grid", "--json"]);
    let supports = &shown["supports"];
    assert_eq!((&supports["device"], &supports["pushed_requests"]), (&true.into(), &"no".into()));
    assert_eq!((&supports["token_exchange"], &supports["iss_parameter"]), (&true.into(), &true.into()));
    let other = home.json(&["provider", "show", "checkin", "--json"]);
    assert_eq!(other["supports"]["token_exchange"], false);
    assert_eq!(shown["here"]["client_id"], "toktui");
    let by_address = home.json(&["provider", "show", shown["issuer"].as_str().unwrap(), "--json"]);
    assert_eq!(by_address["name"], "grid");
}

#[test]
fn a_login_that_would_work_is_foretold_and_nobody_is_signed_in() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    let (code, checked) = check(&home, &["checkin"]);
    assert_eq!((code, &checked["verdict"]), (0, &"good".into()), "{checked}");
    let whats: Vec<_> =
        checked["findings"].as_array().unwrap().iter().map(|one| one["what"].as_str().unwrap()).collect();
    assert_eq!(whats, ["issuer", "clock", "client", "redirect", "scopes", "device code", "refresh"]);
    assert!(checked["findings"].as_array().unwrap().iter().all(|one| one["standing"] == "good"), "{checked}");
    let counts = servers.sandbox.checkin.counts();
    assert_eq!((counts.authorization, counts.device, counts.refreshes, counts.polls), (1, 1, 1, 0));
    let text = home.good(&["provider", "check", "checkin"]);
    assert!(text.contains("good   client") && !text.contains("WRONG"), "{text}");
    home.good(&["--read-only", "provider", "check", "checkin"]);
    assert_eq!(servers.sandbox.checkin.counts().device, 2, "read-only makes no device code");
}

#[test]
fn a_wrong_client_scope_redirect_or_issuer_is_found_with_its_cure() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    let (code, unknown) = check(&home, &["grid", "--client-id", "nobody"]);
    assert_eq!((code, found(&unknown, "client").0), (3, "wrong"), "{unknown}");
    assert!(cure(&unknown, "client").contains("Check the id"), "{unknown}");

    let (code, scopes) = check(&home, &["grid", "--scope", "openid nonsense"]);
    assert_eq!((code, found(&scopes, "scopes").0), (3, "wrong"), "{scopes}");
    assert!(cure(&scopes, "scopes").contains("Leave nonsense out"), "{scopes}");
    assert_eq!(found(&scopes, "redirect").0, "good");

    let issuer = servers.sandbox.grid.settings().issuer.clone();
    home.configure(&format!(
        "{}[provider.other]\nissuer = \"{issuer}\"\nclient_id = \"toktui-exact\"\n",
        servers.config()
    ));
    let (code, no_client) = check(&home, &[&issuer.replace("127.0.0.1", "localhost")]);
    assert_eq!((code, found(&no_client, "issuer").0), (3, "wrong"), "{no_client}");
    assert!(found(&no_client, "issuer").1.contains("another host"), "{no_client}");
    assert!(cure(&no_client, "issuer").contains("do not log in"), "{no_client}");

    let (code, slash) = check(&home, &[&format!("{issuer}/")]);
    assert_eq!((code, found(&slash, "issuer").0), (3, "wrong"), "{slash}");
    assert!(cure(&slash, "issuer").contains(&format!("write {issuer}.")), "{slash}");

    let (code, case) = check(&home, &[&format!("{issuer}/Nowhere")]);
    assert_eq!((code, found(&case, "reached").0), (3, "wrong"), "{case}");
    assert!(cure(&case, "reached").contains("upper and lower case count"), "{case}");

    let (code, nobody) = check(&home, &["http://127.0.0.1:9"]);
    assert_eq!((code, &nobody["verdict"]), (4, &"unreached".into()), "{nobody}");
}

#[test]
fn a_ca_that_cannot_be_read_stops_before_anybody_is_asked() {
    let home = Home::new();
    let said =
        home.run(&["provider", "add", "https://127.0.0.1:9/realms/x", "--ca-file", "/nonexistent/ca.pem"]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.err.contains("/nonexistent/ca.pem cannot be read"), "{said:?}");
    let unreached = home.run(&["provider", "check", "https://127.0.0.1:9/realms/x"]);
    assert_eq!(unreached.code, 4, "{unreached:?}");
}

#[test]
fn a_proxy_is_named_without_its_password() {
    // Nobody listens there: it is the proxy that cannot be reached, not the provider.
    let home = Home::new().with("HTTPS_PROXY", "http://user:secret-word@127.0.0.1:9");
    let said = home.run(&["provider", "check", "egi"]);
    assert_eq!(said.code, 4, "{said:?}");
    assert!(said.out.contains("127.0.0.1:9") && !said.out.contains("secret-word"), "{said:?}");
}
