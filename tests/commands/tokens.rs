//! An access token for a script: only the value on standard output, drawn when needed, its cost said.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Command, Stdio};

use serde_json::Value;
use toktui::sandbox::mytoken::Rotation;

use toktui::sandbox::op::ExchangeQuirk;
use toktui::sandbox::whole::SERVICE;

use super::world::{Home, Servers, access_token, now};

#[test]
fn a_login_gives_tokens_and_renews_when_more_life_is_wanted() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    home.log_in(&servers, "grid", "wlcg");
    let first = home.good(&["token", "wlcg"]);
    assert_eq!(home.good(&["token", "wlcg"]), first, "it lives, so it is the same");
    assert_eq!(home.good(&["token", "wlcg", "--min-life", "10m"]), first);
    let second = home.good(&["token", "wlcg", "--force"]);
    assert_ne!(second, first);
    assert_eq!(home.good(&["token", "wlcg"]), second);
    // An hour is all they live here.
    let said = home.run(&["token", "wlcg", "--min-life", "2h"]);
    assert_eq!((said.code, said.out.as_str()), (3, ""), "{said:?}");
    assert!(said.err.contains("wanted"), "{said:?}");
    let fresh = home.good(&["renew", "wlcg"]);
    assert!(fresh.starts_with("wlcg: renewed; it lives for 5"), "{fresh}");
}

#[test]
fn the_price_of_a_mytokens_use_is_said_beside_the_token() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    let rotation = Rotation { on_at: true, ..Rotation::default() };
    home.keep("toar", &servers.mytoken(Some(5), Some(rotation)));
    let said = home.run(&["token", "toar"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(!said.out.trim().is_empty());
    assert!(said.err.contains("counted uses") || said.err.contains("access tokens left"), "{said:?}");
    assert!(said.err.contains("copy 2"), "{said:?}");
    let again = home.run(&["token", "toar"]);
    assert_eq!((again.code, again.err.as_str(), &again.out), (0, "", &said.out), "what lives costs nothing");
    home.good(&["info", "toar"]);
    let known = home.run(&["token", "toar", "--force"]);
    assert!(known.err.contains("3 of 5 access tokens left"), "{known:?}");
    let said = home.run(&["renew", "--all"]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.err.contains("left out"), "what is counted is not spent in passing: {said:?}");
}

#[test]
fn each_form_is_what_its_reader_takes() {
    let home = Home::new();
    let token = access_token(now(), 600, "jane");
    home.keep("batch", &token);
    let table: [(&[&str], String); 6] = [
        (&["--no-newline"], token.clone()),
        (&["--header"], format!("Authorization: Bearer {token}\n")),
        (&["--header", "--no-newline"], format!("Authorization: Bearer {token}")),
        (&["--env", "sh"], format!("export BEARER_TOKEN='{token}'\n")),
        (&["--env", "fish", "--var", "X"], format!("set -gx X '{token}'\n")),
        (&["--env", "nu"], format!("{{\"BEARER_TOKEN\":\"{token}\"}}\n")),
    ];
    for (words, expected) in table {
        assert_eq!(home.good(&[&["token", "batch"], words].concat()), expected, "{words:?}");
    }
    for wrong in [
        &["--env", "sh", "--var", "a;b"][..],
        &["--var", "X"],
        &["--env", "cmd"],
        &["--header", "--env", "sh"],
        &["--wlcg", "--header"],
        &["--min-life", "soon"],
    ] {
        let said = home.run(&[&["token", "batch"], wrong].concat());
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{wrong:?}: {said:?}");
    }
}

#[test]
fn a_shell_that_evaluates_the_line_has_the_token_and_nothing_else_happened() {
    let home = Home::new();
    let token = access_token(now(), 600, "jane");
    home.keep("batch", &token);
    let line = home.good(&["token", "batch", "--env", "sh"]);
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"eval "$1"; printf %s "$BEARER_TOKEN""#, "sh", &line]).env_remove("BEARER_TOKEN");
    assert_eq!(String::from_utf8(shell.output().unwrap().stdout).unwrap(), token);
}

#[test]
fn a_file_is_private_whole_and_never_written_through_a_link() {
    let home = Home::new();
    let token = access_token(now(), 600, "jane");
    home.keep("batch", &token);
    let path = home.path().join("token");
    let words = |path: &str| ["token", "batch", "--file", path].map(str::to_owned);
    let run = |path: &str| home.run(&words(path).each_ref().map(String::as_str));
    let said = run(path.to_str().unwrap());
    assert_eq!((said.code, said.out.as_str()), (0, ""), "{said:?}");
    assert!(said.err.contains("written to") && !said.err.contains(&token[..20]), "{said:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{token}\n"));
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let link = home.path().join("link");
    symlink(&path, &link).unwrap();
    let said = run(link.to_str().unwrap());
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("link"), "{said:?}");
    assert_eq!(run("/no/such/folder/x").code, 1);
}

#[test]
fn grid_tools_find_the_token_where_they_look() {
    let folder = tempfile::tempdir().unwrap();
    let session = folder.path().to_str().unwrap();
    let home = Home::new().with("XDG_RUNTIME_DIR", session);
    let token = access_token(now(), 600, "jane");
    home.keep("batch", &token);
    let said = home.run(&["token", "batch", "--wlcg"]);
    assert_eq!((said.code, said.out.as_str()), (0, ""), "{said:?}");
    let path = folder.path().join(format!("bt_u{}", rustix::process::geteuid().as_raw()));
    assert_eq!(std::fs::read_to_string(&path).unwrap().trim(), token);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let named = folder.path().join("named");
    let home = home.with("BEARER_TOKEN_FILE", named.to_str().unwrap()).with("BEARER_TOKEN", "other");
    let said = home.run(&["token", "batch", "--wlcg"]);
    assert_eq!(std::fs::read_to_string(&named).unwrap().trim(), token);
    assert!(said.err.contains("BEARER_TOKEN is set"), "{said:?}");
}

#[test]
fn a_provider_that_is_not_there_is_code_four_and_one_line() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    home.log_in(&servers, "grid", "wlcg");
    drop(servers);
    let said = home.run(&["token", "wlcg", "--force"]);
    assert_eq!((said.code, said.out.as_str()), (4, ""), "{said:?}");
    assert_eq!(said.err.lines().count(), 1, "{said:?}");
    assert_eq!(home.run(&["token", "wlcg"]).code, 0, "what is held still lives");
}

#[test]
fn what_is_at_hand_is_given_without_reading_the_config() {
    let Some(home) = Home::unlocked("[board]\nclear_after = \"soon\"\n") else { return };
    let token = access_token(now(), 600, "jane");
    assert!(home.keep("batch", &token).err.contains("clear_after"), "the long way reads it");
    for (words, expected) in [
        (&["token", "batch"][..], format!("{token}\n")),
        (&["token", "batch", "--header", "--min-life", "1m"], format!("Authorization: Bearer {token}\n")),
        (&["token", "--no-newline", "batch"], token.clone()),
    ] {
        let said = home.run(words);
        assert_eq!((said.code, said.out, said.err), (0, expected, String::new()), "{words:?}");
    }
    assert_eq!(home.run(&["list", "--json"]).err, "");
    // What does not do is the long way's to refuse, in the same words as ever.
    let said = home.run(&["token", "batch", "--min-life", "1h"]);
    assert_eq!((said.code, said.out.as_str()), (3, ""), "{said:?}");
    assert!(said.err.contains("clear_after"), "{said:?}");
}

#[test]
fn both_ways_say_the_same_of_what_is_held() {
    let servers = Servers::open();
    let Some(home) = Home::unlocked(&servers.config()) else { return };
    home.keep("batch", &access_token(now(), 600, "jane"));
    home.log_in(&servers, "grid", "wlcg");
    let still = |list: Value| {
        let Value::Object(mut fields) = list else { panic!("no object") };
        fields.remove("now");
        fields
    };
    let fast = home.json(&["list", "--json"]);
    assert!(fast["tokens"][1]["subject"].is_string(), "{fast}");
    assert_eq!(still(fast), still(home.json(&["list", "--json", "--no-input"])));
    for name in ["batch", "wlcg"] {
        for more in [&[][..], &["--header"], &["--no-newline"], &["--min-life", "5m"]] {
            let words = [&["token", name], more].concat();
            assert_eq!(home.good(&words), home.good(&[&["--no-input"], &words[..]].concat()), "{words:?}");
        }
    }
}

#[test]
fn many_that_ask_at_once_share_one_renewal() {
    let servers = Servers::open();
    let session = Home::unlocked(&servers.config());
    for home in session.into_iter().chain([Home::at(&servers)]) {
        home.log_in(&servers, "grid", "wlcg");
        let before = home.good(&["token", "wlcg"]);
        // Whole tokens live for an hour: this one is no whole one any more.
        std::thread::sleep(std::time::Duration::from_millis(2100));
        let start = || {
            let mut command = home.command(&["token", "wlcg", "--min-life", "3598s"]);
            command.stdin(Stdio::null()).spawn().unwrap()
        };
        let children: Vec<_> = (0..8).map(|_| start()).collect();
        let mut values: Vec<Vec<u8>> = Vec::new();
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success() || output.status.code() == Some(3), "{output:?}");
            values.extend(output.status.success().then_some(output.stdout));
        }
        values.sort_unstable();
        values.dedup();
        // On a slow machine the new one may be too old as well for who comes last.
        assert!(matches!(values.len(), 1..=3), "{} different tokens", values.len());
        assert!(values.iter().all(|value| *value != before.as_bytes()));
        assert!(home.good(&["history", "wlcg", "--local"]).matches("rotated").count() <= 3);
    }
}

#[test]
fn a_token_is_exchanged_for_an_audience_where_that_is_announced_and_passed_off_as_nothing_else() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    home.log_in(&servers, "grid", "wlcg");
    home.log_in(&servers, "checkin", "egi");
    let first = home.good(&["token", "wlcg"]);
    let words = ["token", "wlcg", "--exchange", "--audience", SERVICE];
    let said = home.run(&words);
    assert!(said.code == 0 && said.out.starts_with("eyJ") && said.out != first, "{said:?}");
    assert_eq!(home.good(&words), said.out, "it is held, and given again");
    assert_eq!(home.good(&["token", "wlcg"]), first, "the first one is as it was");
    assert_eq!(
        home.good(&["token", "wlcg", "--audience", SERVICE]),
        said.out,
        "the audience is what it is held by"
    );
    let access = home.json(&["list", "--provider", "grid", "--json"])["tokens"][0]["access"].clone();
    assert_eq!(access[1]["audiences"], serde_json::json!([SERVICE]));

    let said = home.run(&["token", "egi", "--exchange", "--audience", SERVICE]);
    assert!(said.code == 2 && said.err.contains("does not announce") && said.out.is_empty(), "{said:?}");
    let said = home.run(&["token", "wlcg", "--exchange"]);
    assert!(said.code == 2 && said.err.contains("--audience"), "{said:?}");
    let said = home.run(&["--read-only", "token", "wlcg", "--exchange", "--audience", "nobody"]);
    assert!(said.code != 0 && said.out.is_empty(), "{said:?}");

    servers.sandbox.grid.quirks().exchange = Some(ExchangeQuirk::NotApplicable);
    let forced = [&words[..], &["--force"]].concat();
    let said = home.run(&forced);
    assert!(said.code == 0 && said.err.contains("no access token"), "{said:?}");
    let said = home.run(&[&forced[..], &["--header"]].concat());
    assert!(said.code == 1 && said.out.is_empty() && said.err.contains("no access token"), "{said:?}");
}
