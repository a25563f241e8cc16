//! A day with mytokens by the plain commands: at a live server, or at the sandbox where none is named.
//!
//! `TOKTUI_TEST_MYTOKEN=<address>` names the server, `TOKTUI_TEST_MYTOKEN_FILE=<file>` a file with a mytoken of yours there: AT, tokeninfo,
//! `create_mytoken` and `manage_mytokens` are what it needs, and that it does not rotate. Everything is made from it, and revoked again; it
//! stays under the usual limit of 100 requests in 300 s.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;
use toktui::desktop::SystemClock;
use toktui::domain::time::Clock;
use toktui::sandbox::mytoken::{Mytokens, Order, Settings};
use toktui::sandbox::serve::{Server, bind};

/// Where the day is spent.
struct Place {
    address: String,
    /// A mytoken there that may do everything; `None`: nothing that needs one can be tried.
    given: Option<String>,
    _sandbox: Option<(tokio::runtime::Runtime, Server)>,
}

impl Place {
    fn of_this_run() -> Self {
        let named = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
        let Some(address) = named("TOKTUI_TEST_MYTOKEN") else { return Self::sandbox() };
        let given =
            named("TOKTUI_TEST_MYTOKEN_FILE").map(|file| std::fs::read_to_string(file).expect("the file"));
        Self { address, given, _sandbox: None }
    }

    fn sandbox() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let (mytokens, server) = runtime.block_on(async {
            let door = bind(0).await.unwrap();
            // The limit holds for us, as at a live server.
            let settings = Settings { issuer: door.base(), exempt_loopback: false, ..Settings::default() };
            let mytokens = Mytokens::new(settings, clock).unwrap();
            let server = door.serve(mytokens.handler());
            (mytokens, server)
        });
        let capabilities = ["AT", "tokeninfo", "create_mytoken", "manage_mytokens"].map(str::to_owned).into();
        let inside = runtime.enter();
        let given = mytokens.issue(Order { capabilities, ..Order::default() }).unwrap().mytoken;
        drop(inside);
        let given = Some(given.expose().to_owned());
        Self { address: server.base(), given, _sandbox: Some((runtime, server)) }
    }
}

/// A user's home.
struct Home(TempDir);

/// What a command said.
#[derive(Debug)]
#[allow(dead_code, reason = "shown where a test fails")]
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Home {
    fn at(place: &Place) -> Self {
        let home = Self(TempDir::new().unwrap());
        std::fs::create_dir(home.0.path().join("config")).unwrap();
        let config = format!("[mytoken.live]\naddress = \"{}\"\n", place.address);
        std::fs::write(home.0.path().join("config/config.toml"), config).unwrap();
        let key = home.0.path().join("key");
        home.good(&format!("store init --key-file {} --yes-plain-key", key.display()));
        home
    }

    fn run(&self, words: &str, input: &str) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_toktui"));
        command
            .args(words.split(' '))
            .env_clear()
            .env("HOME", self.0.path())
            .env("TOKTUI_HOME", self.0.path());
        command.env("PATH", "/usr/bin:/bin").env("LANG", "C.UTF-8");
        // A live server may stand behind a certificate that the machine's own store does not know.
        for name in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Said { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }

    fn good(&self, words: &str) -> String {
        let said = self.run(words, "");
        assert_eq!(said.code, 0, "{words}: {said:?}");
        said.out
    }

    fn json(&self, words: &str) -> Value {
        serde_json::from_str(&self.good(words)).unwrap()
    }

    /// Must end with this code, and give nothing away.
    fn refused(&self, words: &str, input: &str, code: i32) {
        let said = self.run(words, input);
        assert_eq!(said.code, code, "{words}: {said:?}");
    }
}

/// Revokes all that was made, however the day ends.
struct Tidy<'a>(&'a Home);

impl Drop for Tidy<'_> {
    fn drop(&mut self) {
        self.0.run("mytoken revoke work --recursive --yes", "");
    }
}

/// The names in a list or tree, each with its id.
fn names(list: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    list["mytokens"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (text(&one["name"]), text(&one["mom_id"])))
        .collect()
}

fn id_of(list: &Value, name: &str) -> String {
    let all = names(list);
    let found = all.iter().find(|(listed, _)| listed.ends_with(name));
    found.unwrap_or_else(|| panic!("{name} is not among {all:?}")).1.clone()
}

#[test]
fn a_day_with_mytokens_at_a_live_server_or_the_sandbox() {
    let place = Place::of_this_run();
    let home = Home::at(&place);
    let servers = home.json("mytoken servers --json");
    let live = servers["servers"].as_array().unwrap().iter().find(|server| server["name"] == "live").unwrap();
    assert_eq!(live["reached"], true, "{live}");
    assert!(!live["providers"].as_array().unwrap().is_empty(), "{live}");
    home.refused("mytoken redeem nothing --server live", "gHtKmPqZ\n", 3);

    let Some(given) = &place.given else {
        // Nobody can sign in for a test: what needs a mytoken is left out, and that is said.
        let words = "no TOKTUI_TEST_MYTOKEN_FILE: only what needs no mytoken was tried";
        drop(writeln!(std::io::stderr().lock(), "live mytoken server: {words}"));
        return;
    };
    let said = home.run("keep given", given);
    assert_eq!(said.code, 0, "{said:?}");
    let facts = home.json("info given --json");
    assert!(!facts.to_string().contains("\"on_AT\":true"), "it rotates: the file would hold a dead copy");

    let tight = "--uses 9 --other-uses 30 --expires 1h";
    let all =
        "--capability AT --capability tokeninfo --capability create_mytoken --capability manage_mytokens";
    let made = home.json(&format!("mytoken create work --from given {all} {tight} --json"));
    let _tidy = Tidy(&home);
    assert_eq!((&made["name"], &made["wider"]), (&"work".into(), &false.into()), "{made}");
    assert!(!home.good("token work").trim().is_empty());

    // Tightened, and what cannot be.
    let tighter = "--capability AT --uses 2 --other-uses 2 --expires 30m";
    home.good(&format!("mytoken create child --from work {tighter}"));
    home.good("token child");
    let loose =
        home.json("mytoken create loose --from work --capability AT --uses 900 --other-uses 900 --json");
    let cut =
        loose["compared"].as_array().unwrap().iter().filter(|line| line["relation"] == "narrower").count();
    assert!(cut > 0 && loose["wider"] == false, "what the server tightens without a word is told: {loose}");
    home.refused("mytoken history child", "", 3);

    // Seen.
    let tree = home.json("mytoken tree work --json");
    let list = home.json("mytoken list live --via work --json");
    let child = id_of(&tree, "child");
    assert_eq!(id_of(&list, "child"), child);
    assert!(names(&list).len() >= names(&tree).len());
    let events = home.json("mytoken history work --json");
    let told: Vec<&str> =
        events["events"].as_array().unwrap().iter().filter_map(|event| event["what"].as_str()).collect();
    assert!(told.contains(&"AT_created") && told.contains(&"MT_created"), "{told:?}");

    // By a code to another machine, and back.
    let code = home.good(&format!("mytoken hand-over work {tighter} --called handed"));
    let there = Home::at(&place);
    let redeemed = there.run("mytoken redeem got --server live", &code);
    assert_eq!(redeemed.code, 0, "{redeemed:?}");
    assert!(!there.good("token got").trim().is_empty());
    there.refused("mytoken redeem again --server live", &code, 3);
    let code = there.good("mytoken hand-over got --itself");
    let back = home.run("mytoken redeem back --server live", &code);
    assert_eq!(back.code, 0, "{back:?}");

    // Ended: one by its id, then all.
    home.good(&format!("mytoken revoke --id {child} --server live --via work --yes"));
    home.refused("info child", "", 3);
    home.good("info back");
    home.good("mytoken revoke work --recursive --yes");
    for name in ["work", "back"] {
        home.refused(&format!("info {name}"), "", 3);
    }
    there.refused("info got", "", 3);
    home.refused("token work --force", "", 3);
}
