//! What the Token Portal does, from a shell: whom a token speaks for, copyable lines, a refresh token on demand, a foreign one taken in.

use toktui::sandbox::whole::USER;

use super::world::{Home, Servers, access_token, now};

const GROUPS: &str = "scopes = [\"openid\", \"profile\", \"offline_access\", \"eduperson_entitlement\"]\nsuggested_scopes = [\"entitlements\", \"voperson_id\", \"nonsense\"]";

/// A provider whose logins bring groups.
fn with_groups(servers: &Servers) -> String {
    let issuer = &servers.sandbox.checkin.settings().issuer;
    format!("[provider.egi]\nissuer = \"{issuer}\"\nclient_id = \"toktui\"\n{GROUPS}\n")
}

#[test]
fn userinfo_tells_groups_and_roles_and_which_scope_would_bring_more() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    home.configure(&with_groups(&servers));
    home.log_in(&servers, "egi", "egi");
    let told = home.json(&["userinfo", "egi", "--json"]);
    assert_eq!((told["version"].as_i64(), told["same_user"].as_bool()), (Some(1), Some(true)), "{told}");
    assert_eq!(told["claims"]["sub"], told["subject"]);
    let group = &told["memberships"][0];
    assert_eq!((group["kind"].as_str(), group["role"].as_str()), (Some("group"), Some("member")), "{told}");
    assert!(group["raw"].as_str().is_some_and(|raw| raw.starts_with("urn:mace:")), "{told}");
    let scopes: Vec<_> =
        told["would_bring"].as_array().unwrap().iter().map(|one| one["scope"].clone()).collect();
    assert_eq!(scopes, ["voperson_id"], "groups came by one of their two names");

    let text = home.good(&["userinfo", "egi"]);
    assert!(text.contains("Groups and roles:") && text.contains("role member"), "{text}");
    assert!(text.contains("voperson_id") && text.contains("see the identifier that lasts"), "{text}");
    let token = home.good(&["token", "egi"]);
    assert!(!text.contains(token.trim()));
}

#[test]
fn userinfo_says_when_a_token_is_not_taken_and_sends_none_to_a_stranger() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    home.keep("batch", &access_token(now(), 600, "jane"));
    let said = home.run(&["userinfo", "batch"]);
    assert_eq!((said.code, said.out.as_str()), (2, ""), "{said:?}");
    assert!(said.err.contains("not listed"), "{said:?}");
    let said = home.run(&["userinfo", "nobody"]);
    assert_eq!(said.code, 2, "{said:?}");

    home.log_in(&servers, "checkin", "egi");
    home.good(&["token", "egi"]);
    // The one who signs in is thrown out at the provider: the held access token is not taken any more.
    servers.sandbox.checkin.quirks().disabled.insert(USER.to_owned());
    let said = home.run(&["userinfo", "egi"]);
    assert_eq!((said.code, said.out.as_str()), (3, ""), "{said:?}");
    assert!(said.err.contains("get a new one of egi"), "{said:?}");
}

/// The part of a line after `name=`, up to the quote.
fn field(line: &str, name: &str) -> String {
    let (_, rest) = line.split_once(&format!("'{name}=")).expect("a field");
    rest.split_once('\'').expect("a quote").0.to_owned()
}

#[test]
fn the_lines_to_paste_run_and_hold_no_token() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    let name = "egi.night-1";
    home.log_in(&servers, "grid", name);
    let token = home.good(&["token", name]);
    let userinfo = home.good(&["command", name, "userinfo"]);
    assert!(!userinfo.contains(token.trim()) && userinfo.lines().count() == 1, "{userinfo}");
    let said = home.shell(&userinfo);
    assert!(said.code == 0 && said.out.contains("\"sub\""), "{said:?}");

    let renewal = home.good(&["command", name, "renewal"]);
    let said = home.shell(&format!("{} && printf %s \"$ACCESS_TOKEN\"", renewal.trim()));
    assert!(said.code == 0 && said.out.starts_with("eyJ") && said.out != token.trim(), "{said:?}");
    assert_eq!(said.out, home.good(&["token", name]).trim(), "it is held, too");

    let said = home.run(&["command", name, "introspection"]);
    assert_eq!((said.code, said.out.as_str()), (2, ""), "a public client is told nothing: {said:?}");
    let said = home.run(&["command", name, "userinfo", "--with-token"]);
    assert_eq!(said.code, 2, "{said:?}");
    let said = home.run(&["introspect", name]);
    assert!(said.code == 2 && said.err.contains("a client that has a secret"), "{said:?}");
}

#[test]
fn the_line_for_introspection_asks_for_the_client_s_secret_and_runs() {
    let servers = Servers::open();
    let home = Home::new().with("SECRET", "toktui-secret");
    let issuer = &servers.sandbox.checkin.settings().issuer;
    home.configure(&format!(
        "[provider.svc]\nissuer = \"{issuer}\"\nclient_id = \"toktui-confidential\"\nclient_secret_env = \"SECRET\"\n\
         scopes = [\"openid\", \"offline_access\"]\n"
    ));
    home.log_in(&servers, "svc", "svc");
    let line = home.good(&["command", "svc", "introspection"]);
    assert!(!line.contains("toktui-secret") && !line.contains(home.good(&["token", "svc"]).trim()), "{line}");
    let mut seat = home.shell_seat(line.trim());
    seat.sees("password for user").types("toktui-secret").sees("\"active\":true");
    assert_eq!(seat.ends().0, 0);

    // The same, done here.
    let told = home.json(&["introspect", "svc", "--refresh-token", "--json"]);
    assert_eq!(
        (&told["active"], &told["token"], &told["claims"]["typ"]),
        (&true.into(), &"refresh".into(), &"Offline".into())
    );
    let text = home.good(&["introspect", "svc"]);
    assert!(text.starts_with("access token, asked ") && text.contains("says that it is active"), "{text}");
    servers.sandbox.checkin.quirks().disabled.insert(USER.to_owned());
    let said = home.run(&["introspect", "svc"]);
    assert!(said.code == 3 && said.out.contains("not for the client that asked"), "{said:?}");
}

#[test]
fn a_portal_s_renewal_line_is_printed_by_an_explicit_word_and_runs() {
    let servers = Servers::open();
    let home = Home::new();
    let issuer = &servers.sandbox.checkin.settings().issuer;
    let config = |client: &str| {
        format!(
            "[provider.egi]\nissuer = \"{issuer}\"\nclient_id = \"{client}\"\n{GROUPS}\nregister_url = \"{issuer}\"\n"
        )
    };
    home.configure(&config("token-portal"));
    home.log_in(&servers, "egi", "portal");
    let said = home.run(&["command", "portal", "renewal", "--with-token"]);
    assert!(said.code == 0 && said.err.contains("long-lived"), "{said:?}");
    assert!(!said.out.contains("offline_access"), "{said:?}");
    let refresh = field(&said.out, "refresh_token");
    let told = home.shell(&said.out);
    assert!(told.code == 0 && told.out.contains("access_token"), "{told:?}");

    // Elsewhere, where toktui is another client: the portal's token is kept for the portal's.
    let other = Home::new();
    other.configure(&config("toktui"));
    let kept = other.feed(&["keep", "egi", "--portal", "production"], &refresh);
    assert_eq!(kept.code, 0, "{kept:?}");
    assert!(other.good(&["token", "egi"]).starts_with("eyJ"));
    assert!(other.good(&["command", "egi", "renewal", "--with-token"]).contains("'client_id=token-portal'"));
    let one = other.json(&["list", "--provider", "egi", "--json"])["tokens"][0].clone();
    assert_eq!(
        (one["client"].as_str(), one["got"].as_str()),
        (Some("token-portal"), Some("portal")),
        "{one}"
    );
    let said = other.run(&["revoke", "egi", "--yes"]);
    assert!(said.code == 0 && said.err.contains("removing the access of token-portal"), "{said:?}");
}

#[test]
fn what_is_no_portal_s_refresh_token_is_named_before_it_is_sent() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    home.configure(&with_groups(&servers));
    let issuer = servers.sandbox.checkin.settings().issuer.clone();
    let token = |claims: serde_json::Value| {
        use base64::Engine as _;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signature = URL_SAFE_NO_PAD.encode([7; 64]);
        format!("{}.{}.{signature}", part(serde_json::json!({"alg": "HS512", "typ": "JWT"})), part(claims))
    };
    let table = [
        (
            serde_json::json!({"iss": "https://aai.egi.eu/oidc/", "typ": "Refresh"}),
            3,
            "21 October 2022",
            "toktui login egi --name new",
        ),
        (serde_json::json!({"typ": "Refresh", "jti": "1"}), 3, "names no issuer", "https://aai.egi.eu/token"),
        (
            serde_json::json!({"iss": "https://aai-demo.egi.eu/auth/realms/egi", "typ": "Offline"}),
            3,
            "demo portal",
            "--portal demo",
        ),
        (
            serde_json::json!({"iss": issuer, "azp": "oidc-agent", "typ": "Offline"}),
            3,
            "given to oidc-agent",
            "not sent",
        ),
        (
            serde_json::json!({"iss": issuer, "azp": "token-portal", "typ": "Bearer", "aud": "x"}),
            2,
            "an access token",
            "Create Refresh Token",
        ),
    ];
    let asked = servers.sandbox.checkin.log().len();
    for (claims, code, fact, cure) in table {
        let said = home.feed(&["keep", "new", "--portal", "production"], &token(claims.clone()));
        assert_eq!(said.code, code, "{claims}: {said:?}");
        assert!(said.err.contains(fact) && said.err.contains(cure), "{claims}: {said:?}");
    }
    let said = home.feed(&["keep", "new", "--portal", "production"], "cut-off");
    assert!(said.code == 2 && said.err.contains("paste it again"), "{said:?}");
    assert_eq!(home.run(&["keep", "new", "--portal", "staging"]).code, 2);
    assert_eq!(servers.sandbox.checkin.log().len(), asked, "nobody was asked");
    assert_eq!(home.json(&["list", "--json"])["tokens"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_kept_login_of_egi_s_former_server_is_told_its_history_before_anything_is_sent() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = serde_json::json!({"iss": "https://aai.egi.eu/oidc/", "azp": "token-portal", "sub": "s", "typ": "Refresh"});
    let head = serde_json::json!({"alg": "HS512", "typ": "JWT"});
    let token = format!("{}.{}.{}", part(head), part(claims), URL_SAFE_NO_PAD.encode([7; 64]));
    let home = Home::new();
    home.keep("old", &token);
    let said = home.run(&["token", "old"]);
    assert_eq!((said.code, said.out.as_str()), (3, ""), "{said:?}");
    for words in ["its issuer moved 2022", "21 October 2022", "not sent", "toktui login egi --name old"] {
        assert!(said.err.contains(words), "{words}: {said:?}");
    }
}

#[test]
fn a_refresh_token_is_had_on_demand_under_the_same_name_or_it_is_said_why_not() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    let issuer = &servers.sandbox.checkin.settings().issuer;
    home.configure(&format!(
        "[provider.bare]\nissuer = \"{issuer}\"\nclient_id = \"toktui\"\nscopes = [\"openid\", \"profile\"]\n\
         [mytoken.mt]\naddress = \"{}\"\n",
        servers.sandbox.mytoken_server()
    ));
    home.log_in(&servers, "bare", "one");
    // What the login before it brought ends with the browser's session.
    let typ = || {
        let line = home.good(&["command", "one", "renewal", "--with-token"]);
        let told = home.feed(&["info", "-", "--json"], &field(&line, "refresh_token"));
        let told: serde_json::Value = serde_json::from_str(&told.out).unwrap();
        told["jwt"]["claims"]["typ"].clone()
    };
    assert_eq!(typ(), "Refresh");
    let words = ["refresh-token", "one", "--no-input"];
    let (code, said) = home.visited(&servers, &words);
    assert_eq!(code, 0, "{said}");
    assert_eq!(home.json(&["list", "--json"])["tokens"].as_array().map(Vec::len), Some(1), "the same name");
    assert_eq!(typ(), "Offline");
    let again = home.run(&words);
    assert!(again.code == 2 && again.err.contains("it has one"), "{again:?}");

    home.log_in(&servers, "bare", "two");
    servers.sandbox.checkin.quirks().no_refresh_token = true;
    let (code, said) = home.visited(&servers, &["refresh-token", "two", "--no-input"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("no refresh token came: "), "{said}");
    home.keep("toar", &servers.mytoken(Some(5), None));
    let said = home.run(&["refresh-token", "toar"]);
    assert!(said.code == 2 && said.err.contains("mytoken"), "{said:?}");
    let said = home.run(&["introspect", "toar"]);
    assert!(said.code == 2 && said.err.contains("it is a mytoken"), "{said:?}");
    assert_eq!(servers.sandbox.mytokens.requests("POST /api/v0/token/access"), 0, "that would cost a use");
}

#[test]
fn the_page_to_manage_what_is_active_is_printed() {
    let home = Home::new();
    let page = "https://aai.egi.eu/auth/realms/egi/account/\n";
    assert_eq!(home.good(&["manage", "egi", "--print"]), page);
    assert_eq!(home.good(&["manage", "egi"]), page, "no display here");
    let said = home.run(&["manage", "nobody"]);
    assert!(said.code == 2 && said.err.contains("nobody"), "{said:?}");
    let said = home.run(&["manage", "lsaai"]);
    assert!(said.code == 2 && said.err.contains("manage_url"), "{said:?}");
}

#[test]
fn the_logins_at_a_provider_stand_side_by_side_and_each_can_be_revoked() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    home.configure(&format!("{}\n[provider.lab]\nissuer = \"https://lab.example.org\"\n", with_groups(&servers).replace(
        "client_id",
        "manage_url = \"https://egi.example.org/account\"\nrevoking = [\"the whole session\"]\npublic_clients = [{ id = \"toktui\", note = \"theirs\" }]\nclient_id",
    )));
    for name in ["one", "two"] {
        home.log_in(&servers, "egi", name);
    }
    home.keep("batch", &access_token(now(), 600, "jane"));
    let said = home.run(&["list", "--provider", "egi"]);
    let lines: Vec<&str> = said.out.lines().collect();
    assert!(lines.len() == 3 && lines[0].starts_with("NAME") && lines[1].starts_with("one"), "{said:?}");
    assert!(
        lines[2].contains("Jane Doe") && lines[2].contains("toktui") && lines[2].contains("device code"),
        "{said:?}"
    );
    assert!(said.err.contains("toktui manage egi"), "{said:?}");
    let issuer = servers.sandbox.checkin.settings().issuer.clone();
    let list = home.json(&["list", "--provider", &issuer, "--json"]);
    let one = &list["tokens"][0];
    assert_eq!((one["client"].as_str(), one["got"].as_str()), (Some("toktui"), Some("device")), "{one}");
    assert_eq!(list["tokens"].as_array().map(Vec::len), Some(2));
    assert!(home.good(&["list", "--provider", "lab"]).contains("Nothing is held at lab"));
    assert_eq!(home.run(&["list", "--provider", "eg"]).code, 2);

    let said = home.run(&["revoke", "one", "--yes"]);
    assert!(said.code == 0 && said.out.starts_with("Revoked one."), "{said:?}");
    for words in ["this ends the login one", "this ends the whole session", "its client id", "check offline"]
    {
        assert!(said.err.contains(words), "{words}: {said:?}");
    }
    let said = home.run(&["list", "--provider", "egi"]);
    assert!(said.out.contains("dead: revoked from here") && said.out.lines().count() == 3, "{said:?}");
    let said = home.run(&["revoke", "batch", "--yes"]);
    assert!(said.code == 2 && !said.err.contains("this ends"), "nothing of a bare one ends: {said:?}");
}

#[test]
fn info_says_what_scopes_allow_and_whose_a_pasted_refresh_token_is() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let servers = Servers::open();
    let home = Home::at(&servers);
    home.configure(&with_groups(&servers));
    home.log_in(&servers, "egi", "egi");
    let told = home.good(&["info", "egi"]);
    assert!(told.contains("so it may") && told.contains("see your groups and roles"), "{told}");

    let issuer = servers.sandbox.checkin.settings().issuer.clone();
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let refresh = |issuer: &str, party: &str| {
        let claims = serde_json::json!({"iss": issuer, "azp": party, "typ": "Refresh"});
        let head = part(serde_json::json!({"alg": "HS512", "typ": "JWT"}));
        format!("{head}.{}.{}", part(claims), URL_SAFE_NO_PAD.encode([7; 64]))
    };
    let look = |token: &str| home.feed(&["info", "-"], token).out;
    let legacy = look(&refresh("https://aai.egi.eu/oidc/", "token-portal"));
    assert!(legacy.contains("21 October 2022"), "{legacy}");
    let lent = look(&refresh(&issuer, "oidc-agent"));
    assert!(lent.contains("given to oidc-agent: no other client can use it"), "{lent}");
    assert!(!look(&refresh(&issuer, "toktui")).contains("no other client"));
}
