//! What people do with EGI's Token Portal, and a login over SSH without a browser, step by step: on the board and in a shell, at a real
//! Keycloak that is set up as EGI Check-in's is (`tests/real/keycloak-egi-realm.json`), with a user in a real headless Chromium.
//!
//! `.ci/run` starts both; by hand as at the top of `real_keycloak.rs`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]
#![allow(clippy::disallowed_methods, reason = "these tests wait for other processes, in real time")]

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

#[path = "support/desk.rs"]
mod desk;
#[path = "support/keycloak.rs"]
mod keycloak;
#[path = "support/seat.rs"]
mod seat;
use desk::Desk;
use keycloak::{alone, browser, egi, visit};
use seat::{Seat, claims, program};

/// What the portal asks for before anybody presses "Create Refresh Token".
const WITHOUT_REFRESH: &str =
    r#"scopes = ["openid", "profile", "email", "voperson_id", "eduperson_entitlement"]"#;
const SSH: (&str, &str) = ("SSH_CONNECTION", "192.0.2.7 50522 192.0.2.1 22");
/// Scopes of the first login, in the words of the board and of `toktui info`.
const IN_WORDS: [&str; 5] = [
    "know you again by an identifier",
    "see your name and user name",
    "see your email address",
    "see the identifier that lasts",
    "see your groups and roles",
];

#[test]
#[ignore = "needs Keycloak 26 and Chromium, see .ci/run"]
fn the_portal_walked_through_on_the_board() {
    let _alone = alone();
    let desk = desk(WITHOUT_REFRESH);
    let mut board = board(&desk, &[]);

    // Authorise: one key, and the sign-in in the browser.
    board.types("\r");
    board.sees_within("Logged in at EGI Check-in", 40);
    board.sees("sealed and saved");
    board.types("\r");
    board.no_longer_sees("GRANTED");
    // The access token is held, counted down, never drawn, and copied by a key.
    board.sees("ends in 59m");
    let first = board.copies_by("y");
    let token = claims(&first);
    assert_eq!((token["iss"].as_str(), token["azp"].as_str()), (Some(egi().as_str()), Some("toktui")));
    assert_eq!(token["exp"].as_i64().unwrap() - token["iat"].as_i64().unwrap(), 3600);
    assert!(token["aud"].is_null() && token["name"].is_null(), "as EGI's: {token}");
    // Its scopes in plain words.
    board.types("\r");
    for words in IN_WORDS {
        board.sees(words);
    }
    board.types("\x1b");
    board.no_longer_sees(IN_WORDS[0]);

    // The command for userinfo, copied and run elsewhere; and the same in place.
    let line = board.copies_by("Yu");
    assert!(!line.contains(&first) && line.contains("/protocol/openid-connect/userinfo"), "{line}");
    let told: Value = serde_json::from_str(&desk.shell(&line)).unwrap();
    assert!(told["eduperson_entitlement"].as_array().unwrap().len() > 3, "{told}");
    board.types("U");
    board.sees("groups and roles");
    for words in [
        "vo.example.eu",
        "dteam",
        "member",
        "owner",
        "0a1b0a1b",
        "Alice Example",
        "it is the user whom the login named",
    ] {
        board.sees(words);
    }
    // It lives as long as the browser's session: that, too, is said, and which scope would bring more.
    board.sees("see your ORCID");
    board.types("\x1b");
    board.no_longer_sees("groups and roles");

    // A refresh token on demand: one more authorisation, kept under the same name.
    board.sees("at most");
    board.types(":");
    board.sees("Run");
    board.types("get refresh");
    board.sees("log in once more with offline_access");
    board.types("\r");
    board.sees_within("yes, for 39", 40);
    board.types("\r");
    board.no_longer_sees("GRANTED");
    board.sees("1 of 1");
    board.sees("394d");
    let lasting = board.copies_by("Yt");
    assert_eq!(claims(&lasting)["typ"], "Offline");

    // The command that renews, copied and run elsewhere; and the same in place. Keycloak ends a login of which an old copy is sent.
    let line = board.copies_by("Yw");
    assert!(!line.contains(&lasting), "{line}");
    let renewed = desk.shell(&format!("{line} && printf %s \"$ACCESS_TOKEN\""));
    assert!(
        claims(&renewed)["jti"] != token["jti"]
            && claims(&renewed)["scope"].as_str().unwrap().contains("offline_access")
    );
    // Until it knows of that, `r` would take it for what was wanted.
    board.sees("rotated to copy 3");
    board.types("r");
    board.sees("Renewed egi");
    let last = board.copies_by("y");
    assert_eq!(userinfo_status(&last), "200");

    // What is active is on the list; it is revoked by a key, and dead at the provider.
    board.types("D");
    board.sees("it is renewed no more");
    board.types("x");
    board.sees("Revoked egi");
    board.sees("dead: revoked from here");
    assert_eq!(userinfo_status(&last), "401", "Keycloak ends the login's access tokens with it");
    for secret in [&first, &lasting, &last] {
        let body = secret.split('.').nth(1).unwrap();
        assert!(!board.written().contains(body), "no token is drawn");
    }
    board.types("q");
    assert_eq!(board.ends(), 0);
}

#[test]
#[ignore = "needs Keycloak 26 and Chromium, see .ci/run"]
fn the_portal_walked_through_in_a_shell() {
    let _alone = alone();
    let desk = desk(WITHOUT_REFRESH);

    // Authorise: the address is printed, and a browser that reaches this machine answers it.
    let (code, said) = desk.logs_in(&["login", "egi", "--no-input"], "openid-connect/auth?", &[], by(&[]));
    assert_eq!(code, 0, "{said}");
    let first = desk.good(&["token", "egi"]).trim().to_owned();
    assert_eq!(desk.good(&["token", "egi"]).trim(), first, "while it lives it is the same");
    // Held, masked, counted down.
    let listed = desk.json(&["list", "--json"]);
    let ends = listed["tokens"][0]["access"][0]["expires_at"].as_u64().unwrap();
    assert!((3000..=3600).contains(&(ends - now())), "{listed}");
    let info = desk.good(&["info", "egi"]);
    for words in IN_WORDS {
        assert!(info.contains(words), "{words}: {info}");
    }
    assert!(info.contains("signature good") && info.contains("ends in 59m"), "{info}");
    let list = desk.good(&["list"]);
    for shown in [&list, &info, &listed.to_string()] {
        assert!(!shown.contains(first.split('.').nth(1).unwrap()), "{shown}");
    }
    // Copied, where there is a terminal to take it.
    let seat = Seat::at(program(&desk.home, &["copy", "egi"]), desk.home.clone());
    seat.wait("copied token", 15, |_| seat.clipboard().first().filter(|text| **text == first).map(drop));

    // The command for userinfo, run; and the same in place, with VO memberships.
    let line = desk.good(&["command", "egi", "userinfo"]);
    assert!(!line.contains(&first), "{line}");
    let told: Value = serde_json::from_str(&desk.shell(&line)).unwrap();
    assert_eq!(told["voperson_id"].as_str().unwrap().len(), 71, "{told}");
    let told = desk.json(&["userinfo", "egi", "--json"]);
    let is_member = |one: &Value| one["vo"] == "vo.example.eu" && one["role"] == "member";
    assert!(told["memberships"].as_array().unwrap().iter().any(is_member), "{told}");

    // A refresh token on demand, under the same name.
    assert!(desk.good(&["list"]).contains("29m"), "as long as the browser's session");
    let (code, said) =
        desk.logs_in(&["refresh-token", "egi", "--no-input"], "openid-connect/auth?", &[], by(&[]));
    assert_eq!(code, 0, "{said}");
    let list = desk.good(&["list"]);
    assert!(list.contains("394d") && list.lines().count() == 2, "{list}");

    // The command that renews, run; the portal's literal form only by an explicit word; and renewed in place.
    let line = desk.good(&["command", "egi", "renewal"]);
    let renewed = desk.shell(&format!("{} && printf %s \"$ACCESS_TOKEN\"", line.trim()));
    assert_ne!(claims(&renewed)["jti"], claims(&first)["jti"]);
    let literal = desk.run(&["command", "egi", "renewal", "--with-token"], "");
    assert!(
        literal.out.contains("grant_type=refresh_token") && literal.err.contains("long-lived"),
        "{literal:?}"
    );
    assert!(desk.good(&["renew", "egi"]).contains("renewed"));
    let last = desk.good(&["token", "egi"]).trim().to_owned();
    assert_eq!(userinfo_status(&last), "200");

    // What is active: listed here, and there on the provider's own page.
    assert_eq!(desk.json(&["list", "--json"])["tokens"][0]["health"], "ok");
    assert_eq!(desk.good(&["manage", "egi", "--print"]).trim(), format!("{}/account/", egi()));
    // Revoked, and dead at the provider.
    let unasked = desk.run(&["revoke", "egi"], "");
    assert_eq!((unasked.code, userinfo_status(&last).as_str()), (2, "200"), "{unasked:?}");
    desk.good(&["revoke", "egi", "--yes"]);
    assert_eq!(userinfo_status(&last), "401");
    let over = desk.run(&["token", "egi", "--force"], "");
    assert_eq!((over.code, over.out.as_str()), (3, ""), "{over:?}");
    assert!(over.err.contains("revoked"), "{over:?}");
}

#[test]
#[ignore = "needs Keycloak 26, see .ci/run"]
fn a_refresh_token_of_the_legacy_issuer_or_of_another_client_is_named_before_it_is_sent() {
    let _alone = alone();
    let desk = desk(WITHOUT_REFRESH);
    let refused = refreshes_refused();
    let legacy =
        made_up(&json!({"iss": "https://aai.egi.eu/oidc/", "azp": "token-portal", "typ": "Refresh"}));
    let said = desk.run(&["keep", "old", "--portal", "production"], &legacy);
    assert_eq!(said.code, 3, "{said:?}");
    assert!(
        said.err.contains("21 October 2022") && said.err.contains("toktui login egi --name old"),
        "{said:?}"
    );

    // Another client's: a real one, which Keycloak gave to `lent`.
    let foreign = granted_to("lent");
    let said = desk.run(&["keep", "new", "--portal", "production"], &foreign);
    assert_eq!(said.code, 3, "{said:?}");
    assert!(said.err.contains("given to lent") && said.err.contains("not sent"), "{said:?}");
    assert_eq!(refreshes_refused(), refused, "Keycloak was asked nothing");

    let told = desk.run(&["info", "-"], &foreign).out;
    assert!(told.contains("given to lent: no other client can use it"), "{told}");
    // It was not used up either: kept as what it is, it works, as that client's.
    let said = desk.run(&["keep", "lent"], &foreign);
    assert_eq!(said.code, 0, "{said:?}");
    let drawn = desk.run(&["token", "lent"], "");
    assert_eq!(claims(&drawn.out)["azp"], "lent");
    assert!(!drawn.err.contains("not granted"), "Keycloak's own scopes are nobody's wish: {drawn:?}");

    // And the portal's own is taken in as the portal's.
    let said = desk.run(&["keep", "portal", "--portal", "production"], &granted_to("token-portal"));
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(claims(&desk.good(&["token", "portal"]))["azp"], "token-portal");
    assert_eq!(refreshes_refused(), refused);
}

#[test]
#[ignore = "needs Keycloak 26, see .ci/run"]
fn a_legacy_refresh_token_that_is_pasted_on_the_board_is_told_its_history_and_not_sent() {
    let _alone = alone();
    let desk = desk(WITHOUT_REFRESH);
    let mut board = board(&desk, &[SSH]);
    let refused = refreshes_refused();
    board.types("i");
    board.sees("Look at a token");
    board.pastes(&made_up(
        &json!({"iss": "https://aai.egi.eu/oidc/", "azp": "token-portal", "typ": "Refresh"}),
    ));
    board.sees("characters");
    board.types("\r");
    board.sees("refresh token");
    board.sees("switched that server off on 21 October 2022");
    // Kept all the same, it is listed where its issuer went, told dead, and not sent.
    board.types("k");
    board.sees("Keep it under a name");
    board.types("\x15old\r");
    board.sees("its issuer moved 2022");
    board.types("r");
    assert_eq!(refreshes_refused(), refused);
    // The login that cures it is one key away.
    assert!(board.text().contains("l log in"));
}

#[test]
#[ignore = "needs Keycloak 26 and Chromium, see .ci/run"]
fn a_login_over_ssh_without_a_browser_walked_through_on_the_board() {
    let _alone = alone();
    let desk = desk("");
    let mut board = board(&desk, &[SSH]);
    board.types("\r");
    let page = board.wait("address to open", 15, |text| {
        let line = text.lines().find(|line| line.contains("/device"))?;
        line.split_whitespace().find(|word| word.starts_with("http")).map(str::to_owned)
    });
    assert!(page.starts_with(&egi()), "{page}");
    let code = board.copies_by("c");
    visit(&page, &["--code", &code]);
    board.sees_within("Logged in at EGI Check-in", 20);
    board.sees("yes, for 39");
    board.types("\r");
    board.no_longer_sees("GRANTED");
    let copied = board.copies_by("y");
    assert_eq!(userinfo_status(&copied), "200");
    board.types("U");
    board.sees("vo.example.eu");
    board.types("\x1b");
    board.no_longer_sees("groups and roles");
    board.types("q");
    assert_eq!(board.ends(), 0);
}

#[test]
#[ignore = "needs Keycloak 26 and Chromium, see .ci/run"]
fn a_login_over_ssh_without_a_browser_walked_through_in_a_shell() {
    let _alone = alone();
    let desk = desk("");
    // At a terminal: an address, a code and a QR code to reach with a phone.
    let mut command = program(&desk.home, &["login", "egi", "--name", "laptop"]);
    command.env(SSH.0, SSH.1);
    let mut seat = Seat::at(command, desk.home.clone());
    let page = seat.wait("address", 15, |text| {
        text.split_whitespace().find(|word| word.contains("/device?user_code=")).map(str::to_owned)
    });
    visit(&page, &["--user", "bob"]);
    seat.sees_within("kept as laptop", 20);
    assert_eq!(seat.child.wait().unwrap().exit_code(), 0);

    // In a script: nothing is asked, address and code are printed, the exit code says how it ended.
    let words = ["login", "egi", "--name", "job", "--no-input"];
    let (code, said) = desk.logs_in(&words, "/device?user_code=", &[SSH], by(&["--deny"]));
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("refused"), "{said}");
    let (code, said) = desk.logs_in(&words, "/device?user_code=", &[SSH], by(&[]));
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("kept as job"), "{said}");

    // Two people at one issuer, each under a name.
    let told = |name: &str| desk.json(&["userinfo", name, "--json"])["claims"]["preferred_username"].clone();
    assert_eq!((told("laptop"), told("job")), (json!("bob"), json!("alice")));
    assert!(desk.run(&["userinfo", "laptop"], "").out.lines().all(|line| !line.contains("vo.example.eu")));
    assert_eq!(claims(&desk.good(&["token", "job", "--no-input"]))["azp"], "toktui");
}

#[test]
#[ignore = "needs Keycloak 26, see .ci/run"]
fn a_check_finds_what_a_login_would_stumble_over() {
    let _alone = alone();
    let desk = desk("");
    let check = |words: &[&str]| {
        let said = desk.run(&[&["provider", "check", "--json"], words].concat(), "");
        (said.code, serde_json::from_str::<Value>(&said.out).unwrap_or_else(|_| panic!("{said:?}")))
    };
    let (code, good) = check(&["egi"]);
    assert_eq!((code, &good["verdict"]), (0, &json!("good")), "{good}");

    let slash = format!("{}/", egi());
    let other_name = egi().replace("127.0.0.1", "localhost");
    let nowhere = egi().replace("/egi", "/EGI");
    let table: [(&[&str], &str, &str, &str); 9] = [
        (&["egi", "--client-id", "nobody"], "client", "invalid_client", "Check the id"),
        (&["egi", "--scope", "openid nonsense"], "scopes", "it lists no nonsense", "Leave nonsense out"),
        (
            &["egi", "--client-id", "few-scopes"],
            "scopes",
            "Invalid scopes",
            "Leave voperson_id eduperson_entitlement out",
        ),
        (
            &["egi", "--client-id", "no-device"],
            "device code",
            "The flow is disabled",
            "Switch the device authorization grant on",
        ),
        (
            &["egi", "--client-id", "elsewhere"],
            "redirect",
            "is refused",
            "It takes http://127.0.0.1:45123/callback",
        ),
        (
            &["egi", "--client-id", "nowhere"],
            "redirect",
            "is refused",
            "Register [\"http://localhost/callback\"]",
        ),
        (&[&slash, "--client-id", "toktui"], "issuer", "a slash at its end", "byte for byte"),
        (&[&other_name, "--client-id", "toktui"], "issuer", "another host", "do not log in"),
        (
            &[&nowhere, "--client-id", "toktui"],
            "reached",
            "Realm does not exist",
            "upper and lower case count",
        ),
    ];
    for (words, what, fact, cure) in table {
        let (code, checked) = check(words);
        assert_eq!((code, &checked["verdict"]), (3, &json!("wrong")), "{words:?}: {checked}");
        let findings = checked["findings"].as_array().unwrap();
        let wrong: Vec<_> = findings.iter().filter(|one| one["standing"] == "wrong").collect();
        assert_eq!(wrong.len(), 1, "nothing else is wrong: {words:?}: {checked}");
        assert_eq!(wrong[0]["what"], what, "{words:?}: {checked}");
        assert!(wrong[0]["said"].as_str().unwrap().contains(fact), "{words:?}: {checked}");
        assert!(wrong[0]["cure"].as_str().unwrap().contains(cure), "{words:?}: {checked}");
    }
}

/// Somebody in Chromium.
fn by<'w>(words: &'w [&'w str]) -> impl FnOnce(&str) + 'w {
    move |address| drop(visit(address, words))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A home in which the preset `egi` is laid over with the Keycloak of the tests.
fn desk(more: &str) -> Desk {
    let (browser, issuer) = (browser(), egi());
    Desk::with(&format!(
        "[board]\n\
         browser = {browser:?}\n\
         clipboard = \"osc52\"\n\
         order = [\"egi\"]\n\
         [provider.egi]\n\
         issuer = {issuer:?}\n\
         client_id = \"toktui\"\n\
         manage_url = \"{issuer}/account/\"\n\
         {more}\n"
    ))
}

fn board(desk: &Desk, variables: &[(&str, &str)]) -> Seat {
    let mut command = program(&desk.home, &[]);
    for (name, value) in variables {
        command.env(name, value);
    }
    let seat = Seat::at(command, desk.home.clone());
    seat.sees("▸ EGI Check-in");
    seat
}

/// A refresh token that only looks like one.
fn made_up(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signature = URL_SAFE_NO_PAD.encode([7; 64]);
    format!("{}.{}.{signature}", part(&json!({"alg": "HS512", "typ": "JWT"})), part(claims))
}

fn curl(words: &[&str], input: &str) -> String {
    let mut child = Command::new("curl")
        .args(["-s", "--noproxy", "*"])
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "curl: {}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// What the provider itself says of an access token: 200, or 401 when it is dead.
fn userinfo_status(token: &str) -> String {
    let address = format!("{}/protocol/openid-connect/userinfo", egi());
    curl(
        &["-o", "/dev/null", "-w", "%{http_code}", "-H", "@-", &address],
        &format!("Authorization: Bearer {token}\n"),
    )
}

fn tokens(realm: &str, form: &[&str]) -> Value {
    let address = format!("{realm}/protocol/openid-connect/token");
    let mut words = vec![address.as_str(), "-d", "grant_type=password"];
    for field in form {
        words.extend(["-d", field]);
    }
    serde_json::from_str(&curl(&words, "")).unwrap()
}

/// A refresh token of alice's that a client got.
fn granted_to(client: &str) -> String {
    let id = format!("client_id={client}");
    let all = tokens(&egi(), &[&id, "username=alice", "password=password", "scope=openid offline_access"]);
    all["refresh_token"].as_str().unwrap_or_else(|| panic!("{all}")).to_owned()
}

/// How many refresh requests Keycloak has refused in this realm, as its own log of events has it.
fn refreshes_refused() -> usize {
    let base = egi().replace("/realms/egi", "");
    let form = ["client_id=admin-cli", "username=admin", "password=admin"];
    let admin = tokens(&format!("{base}/realms/master"), &form)["access_token"].as_str().unwrap().to_owned();
    let address = format!("{base}/admin/realms/egi/events?type=REFRESH_TOKEN_ERROR&max=1000");
    let told = curl(&["-H", "@-", &address], &format!("Authorization: Bearer {admin}\n"));
    serde_json::from_str::<Value>(&told).unwrap().as_array().unwrap().len()
}
