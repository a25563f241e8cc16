//! Making mytokens from a shell: the recipe of `toktui mytoken --help`, and every command of it with its exit codes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;

use serde_json::Value;
use toktui::domain::snippet::{SERVICE, Snippet, TOAR};
use toktui::sandbox::mytoken::{Clause, Order, Rotation};
use toktui::sandbox::visitor::{Choice, Visitor};
use toktui::sandbox::whole::USER;

use super::world::{Home, PROGRAM, Said, Servers};

/// A home whose `toar` profile leads to the sandbox.
fn home(servers: &Servers) -> Home {
    let home = Home::new();
    home.configure(&config(servers));
    home
}

fn config(servers: &Servers) -> String {
    format!(
        "{}[profile.toar]\nserver = \"mt\"\nprovider = \"{}\"\n",
        servers.config(),
        servers.sandbox.checkin.settings().issuer
    )
}

/// Runs a command that waits for a consent page, and is a person there.
fn agreeing(home: &Home, servers: &Servers, words: &[&str], choice: Choice) -> Said {
    let mut child = home.command(words).spawn().unwrap();
    drop(child.stdin.take());
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut err = Vec::new();
    for line in lines.by_ref().map_while(Result::ok) {
        err.push(line.clone());
        if line.trim().starts_with("http") {
            servers.runtime.block_on(async {
                let visitor = Visitor::new().unwrap();
                visitor.visit(line.trim(), choice, USER).await.unwrap();
            });
            break;
        }
    }
    err.extend(lines.map_while(Result::ok));
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    Said { code: child.wait().unwrap().code().unwrap_or(-1), out, err: err.join("\n") }
}

/// A mytoken that may make others.
fn parent(servers: &Servers, rotation: Option<Rotation>) -> String {
    let clause = Clause {
        exp: Some(servers.now + 86_400),
        usages_at: Some(10),
        usages_other: Some(10),
        ..Clause::default()
    };
    let order = Order {
        name: Some("parent".to_owned()),
        capabilities: ["AT", "create_mytoken", "tokeninfo"].map(str::to_owned).to_vec(),
        restrictions: vec![clause],
        rotation,
        ..Order::default()
    };
    let _inside = servers.runtime.enter();
    servers.sandbox.mytokens.issue(order).unwrap().mytoken.expose().to_owned()
}

fn rotating() -> Rotation {
    Rotation { on_at: true, on_other: true, lifetime: 0, auto_revoke: false }
}

// The recipe.

#[test]
fn the_recipe_of_the_help_leads_from_nothing_to_a_running_script() {
    let servers = Servers::open();
    let home = Home::empty();
    home.configure(&config(&servers));
    let help = home.good(&["mytoken", "--help"]);
    let line = |start: &str| {
        let found = help.lines().map(|line| line.trim_start_matches([' ', '1', '2', '3', '4', '5']));
        let found = found.filter(|line| line.starts_with(start)).collect::<Vec<_>>();
        assert_eq!(found.len(), 1, "{start}: {found:?}\n{help}");
        found[0].to_owned()
    };
    let words = |line: &str| line.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>();
    // 1: no desktop's keyring is there; the key file is what `store --help` names for that.
    line("toktui store init --keyring");
    let key = home.path().join("key");
    home.good(&["store", "init", "--key-file", key.to_str().unwrap(), "--yes-plain-key"]);
    // 2
    let create = words(&line("toktui mytoken create toar"));
    let create: Vec<&str> = create.iter().map(String::as_str).collect();
    let said = agreeing(&home, &servers, &create, Choice::Approve);
    assert_eq!((said.code, said.out.as_str()), (0, "Made toar at TOAR, and kept it.\n"), "{said:?}");
    // 3
    let look = words(&line("toktui info toar"));
    let look: Vec<&str> = look.iter().map(String::as_str).collect();
    assert!(home.good(&look).contains("15 of 15 access tokens left"));
    // 4
    let script = line("toktui mytoken snippet toar toar > toar.py");
    let service = Service::open();
    let command = format!(
        "{} && sed -i 's|{TOAR}|{}|' toar.py && python3 toar.py",
        script.split(" && ").next().unwrap(),
        service.address
    );
    let Some(output) = run(&home, "python3", &command) else { return };
    let token = home.good(&["token", "toar"]);
    service.heard(&output, token.trim());
    assert!(home.good(&["info", "toar"]).contains("14 of 15 access tokens left"));
    // 5
    let again = words(&line("toktui mytoken successor toar"));
    let again: Vec<&str> = again.iter().map(String::as_str).take(3).collect();
    let said = agreeing(&home, &servers, &again, Choice::Approve);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(home.good(&["info", "toar"]).contains("15 of 15 access tokens left"));
}

// Making.

#[test]
fn a_dry_run_sends_nothing_and_says_what_would_be() {
    let servers = Servers::open();
    let home = home(&servers);
    let words = ["mytoken", "create", "toar", "--profile", "toar", "--expires", "90d", "--dry-run"];
    let said = home.run(&words);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.err.contains("nothing was sent"), "{said:?}");
    let json = home.json(&[&words[..], &["--json"]].concat());
    assert!(json["draft"].is_object() && json["warnings"].is_array(), "{json}");
    // As the board's form copies it where something has no word of its own.
    let draft = r#"{"capabilities":["AT"],"restrictions":[]}"#;
    let both =
        ["mytoken", "create", "x", "--profile", "toar", "--code", "--draft", draft, "--dry-run", "--json"];
    let json = home.json(&both);
    assert_eq!(json["draft"]["capabilities"], serde_json::json!(["AT"]), "{json}");
    let said =
        home.run(&["mytoken", "create", "x", "--server", "mt", "--short", "--rotate", "at", "--dry-run"]);
    assert_eq!(said.code, 2, "a short one that rotates: {said:?}");
    let asked = servers.sandbox.mytokens.requests("GET /.well-known/mytoken-configuration");
    assert_eq!((asked, servers.sandbox.mytokens.requests("POST /api/v0/token/my")), (0, 0));
}

#[test]
fn what_is_said_in_words_is_what_is_made() {
    let servers = Servers::open();
    let home = home(&servers);
    let clauses = home.path().join("clauses.json");
    std::fs::write(&clauses, format!("[{{\"usages_AT\": 3, \"exp\": {}}}]", servers.now + 7200)).unwrap();
    let file = format!("@{}", clauses.display());
    let words = [
        "mytoken",
        "create",
        "ci",
        "--server",
        "mt",
        "--provider",
        "checkin",
        "--capability",
        "AT tokeninfo",
        "--scope",
        "email",
        "--host",
        "this",
        "--not-country",
        "us",
        "--restrictions",
        &file,
        "--json",
    ];
    let said = agreeing(&home, &servers, &words, Choice::Approve);
    assert_eq!(said.code, 0, "{said:?}");
    let told: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&told["name"], &told["wider"]), (&"ci".into(), &false.into()), "{told}");
    let info = home.json(&["info", "ci", "--json"]);
    let clause = &info["mytoken"]["restrictions"][0];
    assert_eq!(clause["scopes"], serde_json::json!(["email"]), "{info}");
    assert_eq!(clause["countries_refused"], serde_json::json!(["US"]), "{info}");
    assert_eq!((&clause["access_tokens"], &info["mytoken"]["name"]), (&3.into(), &"ci".into()), "{info}");
}

#[test]
fn what_cannot_be_made_is_said_by_its_exit_code_before_anything_is_sent() {
    let servers = Servers::open();
    let home = home(&servers);
    home.keep("toar", &parent(&servers, None));
    let table: [(&[&str], &str); 8] = [
        (&["create", "toar", "--profile", "toar"], "already the name"),
        (&["create", "a b", "--profile", "toar"], "a name has"),
        (&["create", "x", "--profile", "nothing"], "there is no profile `nothing`"),
        (&["create", "x", "--server", "nowhere"], "no mytoken server is listed as nowhere"),
        (&["create", "x", "--server", "mt", "--provider", "checkin", "--expires", "soon"], "--expires: "),
        (
            &["create", "x", "--server", "mt", "--provider", "checkin", "--restrictions", "{"],
            "--restrictions: ",
        ),
        (&["create", "x", "--from", "nobody"], "nothing is held as `nobody`"),
        (&["create", "x", "--server", "mt"], "--provider"),
    ];
    for (words, why) in table {
        let said = home.run(&[&["mytoken"], words].concat());
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{words:?}: {said:?}");
        assert!(said.err.contains(why), "{words:?}: {said:?}");
    }
    assert_eq!(servers.sandbox.mytokens.requests("POST /api/v0/token/my"), 0);
    home.configure("[mytoken.mt]\naddress = \"http://127.0.0.1:9\"\n");
    let said = home.run(&["mytoken", "create", "x", "--server", "mt"]);
    assert_eq!(said.code, 4, "{said:?}");
}

#[test]
fn what_is_declined_on_the_page_is_a_failure_and_leaves_nothing() {
    let servers = Servers::open();
    let home = home(&servers);
    let words = ["mytoken", "create", "toar", "--profile", "toar", "--no-browser"];
    let said = agreeing(&home, &servers, &words, Choice::Deny);
    assert_eq!((said.code, said.out.as_str()), (1, ""), "{said:?}");
    assert!(said.err.contains("declined on the consent page"), "{said:?}");
    assert_eq!(home.json(&["list", "--json"])["tokens"], serde_json::json!([]));
}

#[test]
fn a_subtoken_says_what_it_cost_and_what_fell_away() {
    let servers = Servers::open();
    let home = home(&servers);
    home.keep("toar", &parent(&servers, Some(rotating())));
    home.good(&["info", "toar"]);
    let said =
        home.run(&["mytoken", "create", "night", "--from", "toar", "--capability", "AT", "--uses", "50"]);
    assert_eq!((said.code, said.out.as_str()), (0, "Made night at mt, and kept it.\n"), "{said:?}");
    assert!(said.err.contains("9 of 10 other uses left"), "{said:?}");
    assert!(said.err.contains("access tokens: asked 50, granted 10"), "{said:?}");
    home.good(&["token", "night"]);
    home.good(&["token", "toar"]);
    assert_eq!(servers.sandbox.mytokens.stale_presentations(), 0);
}

// Handing over.

#[test]
fn a_code_goes_through_a_pipe_from_one_machine_to_another() {
    let servers = Servers::open();
    let (here, there) = (home(&servers), home(&servers));
    here.keep("toar", &parent(&servers, None));
    let said = here.run(&["mytoken", "hand-over", "toar", "--capability", "settings"]);
    assert_eq!((said.code, said.out.as_str()), (2, ""), "its parent may not: {said:?}");
    assert!(said.err.contains("Nothing was sent") && !said.err.contains("it cost one"), "{said:?}");
    let said = here.run(&["mytoken", "hand-over", "toar", "--called", "night", "--uses", "50", "--qr"]);
    assert_eq!(said.code, 0, "{said:?}");
    let code = said.out.trim();
    assert_eq!(said.out, format!("{code}\n"));
    assert!(code.len() >= 8 && !said.err.contains(code), "{said:?}");
    assert!(said.err.contains("█") && said.err.contains("good once"), "{said:?}");
    assert!(said.err.contains(&servers.sandbox.mytoken_server()), "{said:?}");
    // The command-line client of mytoken reads the first line of a file only (peers.md §6 item 11).
    let said = there.feed(&["mytoken", "redeem", "--server", "mt"], &format!("\n  {code}\n\n"));
    assert_eq!((said.code, said.out.as_str()), (0, "Redeemed night at mt, and kept it.\n"), "{said:?}");
    there.good(&["token", "night"]);
    let said = there.feed(&["mytoken", "redeem", "again", "--server", "mt"], code);
    assert!(matches!(said.code, 1 | 3) && said.out.is_empty() && !said.err.contains(code), "{said:?}");
    let said = there.feed(&["mytoken", "redeem", "again", "--server", "mt"], " \n");
    assert_eq!(said.code, 2, "{said:?}");
}

/// The command-line client of mytoken prints a new token once where the old one came from elsewhere (peers.md §6 item 11): here
/// nothing is made from what is not held.
#[test]
fn one_that_rotates_is_handed_over_itself_only_with_a_word_for_it() {
    let servers = Servers::open();
    let home = home(&servers);
    home.keep("turns", &parent(&servers, Some(rotating())));
    let said = home.run(&["mytoken", "hand-over", "turns", "--itself"]);
    assert_eq!((said.code, said.out.as_str()), (2, ""), "{said:?}");
    assert!(said.err.contains("--yes"), "{said:?}");
    let json = home.json(&["mytoken", "hand-over", "turns", "--itself", "--yes", "--json"]);
    assert_eq!((&json["itself"], &json["name"]), (&true.into(), &"turns".into()), "{json}");
    assert_eq!(home.run(&["mytoken", "hand-over", "nobody"]).code, 2);
    assert_eq!(home.run(&["mytoken", "hand-over", "turns", "--yes"]).code, 2, "--yes is for --itself");
}

#[test]
fn a_login_can_come_to_a_code() {
    let servers = Servers::open();
    let home = home(&servers);
    let said = agreeing(
        &home,
        &servers,
        &["mytoken", "create", "ci", "--profile", "toar", "--code"],
        Choice::Approve,
    );
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(home.json(&["list", "--json"])["tokens"], serde_json::json!([]), "it is not kept here");
    let said = home.feed(&["mytoken", "redeem", "--server", "mt", "--json"], &said.out);
    let json: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.code, &json["name"]), (0, &"ci".into()), "{said:?}");
}

// The successor.

#[test]
fn a_successor_takes_the_name_and_the_old_one_goes_only_when_told() {
    let servers = Servers::open();
    let home = home(&servers);
    let create = ["mytoken", "create", "toar", "--profile", "toar"];
    assert_eq!(agreeing(&home, &servers, &create, Choice::Approve).code, 0);
    let first = home.good(&["token", "toar"]);
    let said = agreeing(&home, &servers, &["mytoken", "successor", "toar"], Choice::Approve);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.ends_with("toar is the new one now.\n"), "{said:?}");
    assert!(said.err.contains("the old one lives on, as toar-until-"), "{said:?}");
    assert_ne!(home.good(&["token", "toar"]), first);
    let words = ["mytoken", "successor", "toar", "--revoke-old", "--json"];
    let said = agreeing(&home, &servers, &words, Choice::Approve);
    let json: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.code, &json["name"], &json["revoked"]), (0, &"toar".into(), &true.into()), "{said:?}");
    let old = json["old_name"].as_str().unwrap();
    assert_eq!(home.run(&["info", old]).code, 3);
    assert_eq!(home.run(&["info", "toar"]).code, 0);
}

// What there is.

#[test]
fn profiles_and_servers_are_listed_with_what_each_server_offers() {
    let servers = Servers::open();
    let home = home(&servers);
    let json = home.json(&["mytoken", "profiles", "mt", "--json"]);
    let profiles = json["profiles"].as_array().unwrap();
    let toar = profiles.iter().find(|profile| profile["name"] == "toar").unwrap();
    assert_eq!((&toar["server"], &toar["origin"]), (&"mt".into(), &"config".into()));
    assert!(!json["templates"].as_array().unwrap().is_empty(), "the server keeps some");
    let json = home.json(&["mytoken", "servers", "--json"]);
    let all = json["servers"].as_array().unwrap();
    let mt = all.iter().find(|server| server["name"] == "mt").unwrap();
    assert_eq!((&mt["reached"], &mt["version"]), (&true.into(), &"0.10.2".into()));
    assert_eq!(mt["providers"][0]["issuer"], servers.sandbox.checkin.settings().issuer.as_str());
    let text = home.good(&["mytoken", "servers"]);
    assert!(text.contains("mt ") && text.contains("Check-in"), "{text}");
    assert_eq!(home.run(&["mytoken", "profiles", "nowhere"]).code, 2);
}

// Scripts.

#[test]
fn every_script_runs_and_sends_the_token_that_it_does_not_contain() {
    let servers = Servers::open();
    let home = home(&servers);
    home.keep("toar", &servers.mytoken(Some(9), None));
    let bin = home.path().join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    // Slurm's own runner, as far as one task on one node goes.
    executable(&bin.join("srun"), "#!/bin/bash\nexec \"$@\"\n");
    for snippet in Snippet::ALL {
        let service = Service::open();
        let before = home.good(&["token", "toar"]);
        let text = home.good(&["mytoken", "snippet", "toar", snippet.word()]);
        assert_eq!(text, snippet.text("toar"));
        assert!(!text.contains(before.trim()), "{text}");
        let text = text.replace(SERVICE, &service.address).replace(TOAR, &service.address);
        let file = home.path().join("script");
        std::fs::write(&file, text).unwrap();
        let (needs, command) = match snippet {
            Snippet::Python | Snippet::Toar => ("python3", "python3 script".to_owned()),
            Snippet::Curl | Snippet::CurlNewToken => ("curl", "bash -o pipefail script".to_owned()),
            Snippet::Slurm => ("curl", "bash script".to_owned()),
            Snippet::Rclone => {
                let limits = "--retries 1 --low-level-retries 1 --contimeout 5s --timeout 5s";
                ("rclone", format!("rclone --config script {limits} lsf toar: || true"))
            }
        };
        let Some(output) = run(&home, needs, &command) else { continue };
        let token = home.good(&["token", "toar"]);
        service.heard(&output, token.trim());
        assert_eq!(snippet == Snippet::CurlNewToken, token != before, "{snippet:?}");
    }
    assert_eq!(home.run(&["mytoken", "snippet", "nobody", "curl"]).code, 2);
}

fn executable(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Runs a line of a shell in the home, with toktui and the machine's own programs at hand; `None`, said why, where the machine has not what
/// it needs. Where every gate is to be passed that is a failure.
fn run(home: &Home, needs: &str, line: &str) -> Option<Output> {
    let path = format!(
        "{}:{}:{}",
        home.path().join("bin").display(),
        Path::new(PROGRAM).parent().unwrap().display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let shell = |line: &str| {
        let mut command = Command::new("bash");
        command
            .args(["-c", line])
            .current_dir(home.path())
            .env("PATH", &path)
            .env("TOKTUI_HOME", home.path());
        command.env("XDG_RUNTIME_DIR", home.path()).stdin(Stdio::null());
        command.output().unwrap()
    };
    let check = match needs {
        "python3" => "python3 -c 'import requests'".to_owned(),
        program => format!("command -v {program}"),
    };
    if !shell(&check).status.success() {
        assert!(std::env::var_os("CI").is_none(), "{needs} is missing");
        drop(writeln!(std::io::stderr(), "left out: {needs} is missing here"));
        return None;
    }
    Some(shell(line))
}

/// A service that wants a token, and tells what it heard.
struct Service {
    address: String,
    requests: mpsc::Receiver<String>,
}

impl Service {
    fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        let (to, requests) = mpsc::channel();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count == 1) {
                    head.push(byte[0]);
                }
                drop(to.send(String::from_utf8_lossy(&head).into_owned()));
                let answer = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 4\r\nconnection: close\r\n\r\nfine";
                drop(stream.write_all(answer.as_bytes()));
            }
        });
        Self { address, requests }
    }

    /// Its first request carried this token.
    fn heard(&self, output: &Output, token: &str) {
        assert!(output.status.success(), "{output:?}");
        let request = self.requests.try_recv().unwrap_or_else(|_| panic!("nothing came: {output:?}"));
        let header = request.lines().find(|line| line.to_lowercase().starts_with("authorization:"));
        let (_, value) = header.and_then(|line| line.split_once(": ")).unwrap_or_else(|| panic!("{request}"));
        assert!(value == format!("Bearer {token}"), "another token came");
    }
}
