//! `toktui mytoken list`, `tree`, `revoke`, `history`, `outlast` and `would-work`, as a script and as a person runs them.

use serde_json::Value;
use toktui::sandbox::mytoken::{Clause, Issued, Order, Rotation};
use toktui::sandbox::whole::USER;

use super::world::{Home, Servers};

/// A mytoken, made without a login. `parent`: made from that one.
fn issue(servers: &Servers, name: &str, may: &[&str], parent: Option<&Issued>) -> Issued {
    let order = Order {
        name: Some(name.to_owned()),
        capabilities: may.iter().map(|name| (*name).to_owned()).collect(),
        parent: parent.map(|parent| parent.mom_id.clone()),
        ..Order::default()
    };
    issued(servers, order)
}

fn issued(servers: &Servers, order: Order) -> Issued {
    let _inside = servers.runtime.enter();
    servers.sandbox.mytokens.issue(order).unwrap()
}

fn keep(home: &Home, name: &str, issued: &Issued) {
    home.keep(name, issued.mytoken.expose());
}

const BOSS: [&str; 2] = ["manage_mytokens", "tokeninfo"];

/// `toar` with `ci` made from it, both at a server where `boss` may manage.
fn family(servers: &Servers, home: &Home) -> [Issued; 3] {
    let toar = issue(servers, "toar", &["AT", "tokeninfo"], None);
    let ci = issue(servers, "ci\u{1b}[2J日本", &["AT"], Some(&toar));
    let boss = issue(servers, "boss", &BOSS, None);
    keep(home, "held-toar", &toar);
    keep(home, "boss", &boss);
    [toar, ci, boss]
}

#[test]
fn a_list_says_what_is_held_and_its_json_has_a_stated_shape() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    let [toar, ci, _] = family(&servers, &home);
    let said = home.run(&["mytoken", "list", "mt"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
    assert!(!said.out.contains('\u{1b}') && said.out.contains("ci\\u{1b}[2J日本"), "{said:?}");
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!(lines.len(), 4, "{said:?}");
    assert!(lines[0].starts_with("NAME") && lines[0].contains("HELD AS"), "{said:?}");
    assert!(lines[1].starts_with("toar") && lines[1].contains("held-toar"), "{said:?}");
    assert!(lines[2].starts_with("└ ci") && lines[2].contains("never"), "{said:?}");
    assert!(lines[3].contains("boss, asks"), "{said:?}");
    let list = home.json(&["mytoken", "list", "mt", "--json", "--last-used"]);
    assert_eq!((&list["version"], &list["server"], &list["via"]), (&1.into(), &"mt".into(), &"boss".into()));
    let one = &list["mytokens"][1];
    assert_eq!((&one["mom_id"], &one["parent"]), (&ci.mom_id.as_str().into(), &toar.mom_id.as_str().into()));
    assert_eq!(
        (&one["held_as"], &one["last_used_known"], &one["last_used_at"]),
        (&Value::Null, &true.into(), &Value::Null)
    );
    assert_eq!(list["mytokens"][0]["last_used_from"], "127.0.0.1");
    let ids = home.good(&["mytoken", "list", "mt", "--ids"]);
    assert!(ids.lines().any(|line| line.trim() == ci.mom_id), "in full: {ids}");
    let tree = home.good(&["mytoken", "tree", "held-toar"]);
    assert_eq!(tree.lines().count(), 3, "{tree}");
}

#[test]
fn without_a_right_the_one_command_that_helps_is_named() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    keep(&home, "weak", &issue(&servers, "weak", &["AT"], None));
    let said = home.run(&["mytoken", "list", "mt"]);
    assert_eq!((said.code, said.out.as_str()), (3, ""), "{said:?}");
    assert!(said.err.contains("manage_mytokens:list") && said.err.contains("--log-in"), "{said:?}");
    let said = home.run(&["mytoken", "tree", "weak"]);
    assert_eq!(said.code, 3, "{said:?}");
    assert!(said.err.contains("lacks the capability"), "{said:?}");
    for (words, why) in [
        (&["mytoken", "list", "nowhere"][..], "no mytoken server is listed as nowhere"),
        (&["mytoken", "list", "--via", "nobody"], "nothing is held as `nobody`"),
        (&["mytoken", "revoke"], "required"),
        (&["mytoken", "revoke", "weak", "--id", "x"], "cannot be used with"),
        (&["mytoken", "outlast", "weak"], "required"),
        (&["mytoken", "outlast", "weak", "--for", "soon"], "expected a span"),
        (&["mytoken", "would-work", "weak", "--country", "Germany"], "two letters"),
        (&["mytoken", "would-work", "weak", "--at", "someday"], "--at: "),
        (&["mytoken", "would-work", "weak", "--from", "here"], "invalid"),
    ] {
        let said = home.run(words);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{words:?}: {said:?}");
        assert!(said.err.contains(why), "{words:?}: {said:?}");
    }
}

#[test]
fn a_price_is_said_beside_the_list() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    let clause = Clause { usages_at: Some(9), usages_other: Some(9), ..Clause::default() };
    let rotation = Some(Rotation { on_other: true, ..Rotation::default() });
    let order = Order {
        capabilities: BOSS.map(str::to_owned).to_vec(),
        restrictions: vec![clause],
        rotation,
        ..Order::default()
    };
    keep(&home, "boss", &issued(&servers, order));
    home.good(&["info", "boss"]);
    let said = home.run(&["mytoken", "list", "mt"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.err.contains("8 of 9 other uses left") && said.err.contains("copy 2"), "{said:?}");
}

#[test]
fn a_script_revokes_only_with_its_word_and_what_died_is_said() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    let [_, ci, _] = family(&servers, &home);
    keep(&home, "build", &ci);
    for words in [&["mytoken", "revoke", "held-toar"][..], &["mytoken", "revoke", "--id", &ci.mom_id]] {
        let said = home.run(words);
        assert_eq!(said.code, 2, "{said:?}");
        assert!(said.err.contains("--yes"), "{said:?}");
    }
    let said = home.run(&["mytoken", "revoke", "held-toar", "--recursive", "--yes"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(
        said.out.starts_with("Revoked held-toar and all made from it.") && said.out.contains("build"),
        "{said:?}"
    );
    let said = home.run(&["mytoken", "revoke", "--id", &ci.mom_id, "--server", "mt", "--yes"]);
    assert_eq!(said.code, 3, "{said:?}");
    assert!(said.err.contains("does not exist, or belongs to somebody else"), "{said:?}");
    assert_eq!(home.json(&["mytoken", "list", "mt", "--json"])["mytokens"].as_array().unwrap().len(), 1);
    // Its server says nothing of why: what was done here does.
    let info = home.feed(&["info", "-", "--json"], ci.mytoken.expose());
    let info: Value = serde_json::from_str(&info.out).unwrap();
    assert_eq!((&info["decided_by"], &info["fact"]), (&"journal".into(), &"it was revoked from here".into()));
}

#[test]
fn a_person_sees_what_dies_and_types_its_name_or_nothing_is_done() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    family(&servers, &home);
    home.good(&["token", "held-toar"]);
    let mut seat = home.seat(&["mytoken", "revoke", "held-toar", "--recursive"]);
    seat.sees("it and 1 made from it:").sees("toar").sees("└ ci");
    seat.sees("Access tokens already drawn live on until they end: 1").sees("Type `held-toar` to go on:");
    seat.types("yes");
    let (code, rest) = seat.ends();
    assert_eq!(code, 1, "{rest}");
    assert!(rest.contains("nobody agreed; nothing was done"), "{rest}");
    let mut seat = home.seat(&["mytoken", "revoke", "held-toar"]);
    seat.sees("the first of these; 1 made from it live on:").sees("Type `yes` to go on:").types("");
    assert_eq!(seat.ends().0, 1);
    home.good(&["token", "held-toar", "--force"]);
    let mut seat = home.seat(&["mytoken", "revoke", "held-toar", "--recursive"]);
    seat.sees("Type `held-toar` to go on:").types("held-toar");
    let (code, rest) = seat.ends();
    assert_eq!(code, 0, "{rest}");
    assert!(rest.contains("Revoked held-toar and all made from it."), "{rest}");
}

#[test]
fn a_manager_is_made_for_one_command_and_revoked_when_it_is_done() {
    use std::io::{BufRead, BufReader};

    let servers = Servers::open();
    let home = Home::at(&servers);
    let user =
        servers.sandbox.checkin.settings().users.iter().find(|user| user.username == USER).unwrap().clone();
    let issuer = servers.sandbox.checkin.settings().issuer.clone();
    let theirs = Order {
        name: Some("laptop".to_owned()),
        issuer: issuer.clone(),
        subject: user.sub,
        ..Order::default()
    };
    let laptop = issued(&servers, theirs);
    let words =
        ["mytoken", "revoke", "--id", &laptop.mom_id, "--server", "mt", "--log-in", "--at", &issuer, "--yes"];
    let mut child = home.command(&words).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let address = lines.by_ref().map_while(Result::ok).find(|line| line.trim().starts_with("http")).unwrap();
    servers.visit(address.trim());
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    let output = child.wait_with_output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{out}\n{rest:?}");
    assert!(out.starts_with("Revoked it") && out.contains("lists it no more"), "{out}");
    assert_eq!(home.json(&["list", "--json"])["tokens"], serde_json::json!([]), "it was never kept");
    // Both are gone: who lists now sees only itself.
    let boss = Order {
        capabilities: BOSS.map(str::to_owned).to_vec(),
        issuer,
        subject: servers
            .sandbox
            .checkin
            .settings()
            .users
            .iter()
            .find(|user| user.username == USER)
            .unwrap()
            .sub
            .clone(),
        ..Order::default()
    };
    keep(&home, "boss", &issued(&servers, boss));
    assert_eq!(home.json(&["mytoken", "list", "mt", "--json"])["mytokens"].as_array().unwrap().len(), 1);
}

#[test]
fn the_history_of_a_listed_one_is_read_by_its_full_id() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    let [toar, ci, _] = family(&servers, &home);
    let words = ["mytoken", "history", "--server", "mt", "--id", &toar.mom_id, "--id", &ci.mom_id, "--json"];
    let told = home.json(&words);
    let of =
        |id: &str| told["events"].as_array().unwrap().iter().filter(|event| event["mom_id"] == id).count();
    assert!(of(&toar.mom_id) >= 2 && of(&ci.mom_id) >= 1, "{told}");
    let said = home.run(&["mytoken", "history", "--server", "mt", "--id", &ci.mom_id[..20]]);
    assert_eq!(said.code, 3, "{said:?}");
    assert!(home.good(&["mytoken", "history", "held-toar"]).contains("made a subtoken"));
}

#[test]
fn whether_it_outlasts_a_job_is_the_exit_code() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    home.keep("toar", &servers.mytoken(Some(3), None));
    home.good(&["info", "toar"]);
    home.good(&["token", "toar"]);
    let outlast = |words: &[&str]| home.run(&[&["mytoken", "outlast", "toar"], words].concat());
    let holds = outlast(&["--for", "8m", "--every", "5m"]);
    assert_eq!(holds.code, 0, "{holds:?}");
    assert!(holds.out.starts_with("HOLDS"), "{holds:?}");
    let breaks = outlast(&["--for", "36h", "--every", "1h", "--json"]);
    assert_eq!(breaks.code, 3, "{breaks:?}");
    let told: Value = serde_json::from_str(&breaks.out).unwrap();
    assert_eq!((&told["version"], &told["answer"]), (&1.into(), &"breaks".into()));
    assert_eq!(told["advice"][0]["what"], "make", "{told}");
    // What it prints is run as it stands.
    let said = outlast(&["--for", "36h", "--every", "1h"]).out;
    let command = said.split_once("One that would hold: ").expect("a command").1.lines().next().unwrap();
    assert!(command.starts_with("toktui mytoken create toar-2 "), "{command}");
    let split = std::process::Command::new("sh").args(["-c", &format!("printf '%s\\n' {command}")]).output();
    let split = String::from_utf8(split.expect("a shell").stdout).expect("text");
    let words: Vec<&str> = split.lines().skip(1).collect();
    let dry = home.run(&[&words[..], &["--dry-run"]].concat());
    assert_eq!(dry.code, 0, "{command}: {dry:?}");
    assert!(dry.out.contains("access tokens"), "{dry:?}");
    let slurm = "JobId=4711 JobState=PENDING TimeLimit=1-12:00:00 StartTime=Unknown RunTime=00:00:00\n";
    let said = home.feed(&["mytoken", "outlast", "toar", "--slurm", "-", "--every", "1h"], slurm);
    assert_eq!(said.code, 3, "{said:?}");
    assert!(said.err.contains("Slurm names no start yet"), "{said:?}");
    let said = home.feed(&["mytoken", "outlast", "toar", "--slurm", "-"], "nothing of the kind\n");
    assert_eq!(said.code, 2, "{said:?}");
    let said = outlast(&["--slurm", "4711; rm"]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.err.contains("by its number"), "{said:?}");
}

#[test]
fn whether_it_would_work_elsewhere_is_the_exit_code_and_nothing_is_sent() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    let clause = Clause { hosts: vec!["10.20.0.0/16".to_owned()], ..Clause::default() };
    let order = Order { restrictions: vec![clause], ..Order::default() };
    keep(&home, "toar", &issued(&servers, order));
    let sent = servers.sandbox.mytokens.requests("POST /api/v0/tokeninfo");
    let would = |words: &[&str]| home.run(&[&["mytoken", "would-work", "toar"], words].concat());
    for (words, code, headline) in [
        (&["--from", "10.20.0.17"][..], 0, "WORKS"),
        (&["--from", "192.0.2.7"], 3, "DOES NOT WORK"),
        (&["--country", "de"], 4, "CANNOT TELL"),
        (&["--from", "10.20.0.17", "--at", "2d", "--scope", "openid"], 0, "WORKS"),
        (&["--from", "10.20.0.17", "--at", "06:30 Europe/Berlin"], 0, "WORKS"),
    ] {
        let said = would(words);
        assert_eq!(said.code, code, "{words:?}: {said:?}");
        assert!(said.out.starts_with(headline), "{words:?}: {said:?}");
    }
    let told: Value = serde_json::from_str(&would(&["--from", "192.0.2.7", "--json"]).out).unwrap();
    assert_eq!((&told["version"], &told["answer"]), (&1.into(), &"does_not_work".into()));
    assert_eq!(servers.sandbox.mytokens.requests("POST /api/v0/tokeninfo"), sent);
}

#[test]
fn read_only_by_word_or_config_changes_nothing_and_still_looks_up() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    family(&servers, &home);
    let refused = |home: &Home, words: &[&str]| {
        let said = home.run(words);
        assert_eq!(said.code, 2, "{words:?}: {said:?}");
        assert!(said.err.contains("this toktui was started read-only"), "{words:?}: {said:?}");
    };
    let still = |home: &Home| {
        let mut files = home.files();
        // `list` is the store's news sheet: each program that unlocks says so there.
        let counts = |path: &std::path::Path| {
            !path.to_string_lossy().contains("/locks/") && !path.ends_with("store/list")
        };
        files.retain(|(path, _)| path.is_file() && counts(path));
        files.into_iter().map(|(path, _)| (std::fs::read(&path).unwrap(), path)).collect::<Vec<_>>()
    };
    let before = still(&home);
    for words in [
        &["--read-only", "token", "held-toar"][..],
        &["--read-only", "mytoken", "revoke", "held-toar", "--yes"],
        &["revoke", "held-toar", "--yes", "--read-only"],
        &["--read-only", "rename", "boss", "chief"],
        &["--read-only", "forget", "boss"],
        &["--read-only", "login", "checkin"],
    ] {
        refused(&home, words);
    }
    assert_eq!(home.run(&["--read-only", "info", "held-toar"]).code, 0);
    assert_eq!(home.run(&["--read-only", "mytoken", "list", "mt"]).code, 0, "it costs nothing");
    let after = still(&home);
    let changed: Vec<_> = after.iter().filter(|file| !before.contains(file)).map(|(_, path)| path).collect();
    assert!(changed.is_empty(), "{changed:?}");
    let gone: Vec<_> =
        before.iter().map(|(_, path)| path).filter(|path| !after.iter().any(|(_, is)| is == *path)).collect();
    assert!(gone.is_empty(), "{gone:?}");
    home.configure(&format!("[board]\nread_only = true\n{}", servers.config()));
    refused(&home, &["token", "held-toar"]);
}
