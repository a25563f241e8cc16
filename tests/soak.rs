//! A month of renewals in a minute: nothing grows, in memory or on disk.
//!
//! The provider is another process, so that what grows there does not count here.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it runs in real time and prints what it measures"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use toktui::desktop::SystemClock;
use toktui::domain::credential::CredentialId;
use toktui::domain::login::{Order, Step};
use toktui::domain::source::{Client, Issuer, Origin, Source, SourceKind};
use toktui::domain::vault::Opening;
use toktui::http::Http;
use toktui::sandbox::visitor::{Choice, Visitor};
use toktui::store::keys::Nowhere;
use toktui::store::{Place, Store};
use toktui::wallet::Wallet;
use toktui::wallet::draw::Wish;
use toktui::wallet::login::{Watch, line};

/// The sandbox in a process of its own.
struct Sandbox(Child);

impl Sandbox {
    /// With the address of its provider that gives a new refresh token each time.
    fn open() -> (Self, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_toktui"))
            .arg("sandbox")
            .env_clear()
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program");
        let told = BufReader::new(child.stdout.take().expect("piped")).lines();
        let rotating = told.map_while(Result::ok).find_map(|line| {
            line.strip_prefix("provider, rotating").map(|address| address.trim().to_owned())
        });
        (Self(child), rotating.expect("an address"))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// What must stay as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Footprint {
    resident: u64,
    open_files: usize,
    threads: usize,
    /// All of the store's folder but the history, in bytes.
    store: u64,
    history: u64,
}

impl Footprint {
    fn now(store: &Path) -> Self {
        let status = fs::read_to_string("/proc/self/status").expect("proc");
        let number = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).expect("a line");
            line.split_whitespace().nth(1).and_then(|word| word.parse::<u64>().ok()).expect("a number")
        };
        let (history, rest): (Vec<_>, Vec<_>) =
            sizes(store).into_iter().partition(|(name, _)| name.starts_with("history"));
        Self {
            resident: number("VmRSS:") * 1024,
            open_files: fs::read_dir("/proc/self/fd").expect("proc").count(),
            threads: usize::try_from(number("Threads:")).expect("few"),
            store: rest.iter().map(|(_, size)| size).sum(),
            history: history.iter().map(|(_, size)| size).sum(),
        }
    }
}

fn sizes(folder: &Path) -> Vec<(String, u64)> {
    let mut sizes = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().map_while(Result::ok) {
        let metadata = entry.metadata().expect("there");
        if metadata.is_dir() {
            sizes.extend(sizes_below(&entry.path()));
        } else {
            sizes.push((entry.file_name().to_string_lossy().into_owned(), metadata.len()));
        }
    }
    sizes
}

fn sizes_below(folder: &Path) -> Vec<(String, u64)> {
    sizes(folder).into_iter().map(|(name, size)| (format!("in a folder: {name}"), size)).collect()
}

async fn logged_in(wallet: &Arc<Wallet>) -> CredentialId {
    let order = Order {
        source: "grid".into(),
        name: None,
        client: None,
        provider: None,
        draft: None,
        offline: false,
        open_browser: false,
    };
    let (line, watch) = line();
    // Kept open: whoever lets go of it gives the login up.
    let Watch { mut steps, pasted, stop, .. } = watch;
    let task = tokio::spawn({
        let wallet = Arc::clone(wallet);
        async move { wallet.log_in(order, line).await }
    });
    let address = loop {
        if let Step::MayOpen(address) = steps.recv().await.expect("the login goes on") {
            break address;
        }
    };
    Visitor::new().expect("a visitor").visit(&address, Choice::Approve, "jane").await.expect("an end");
    let report = task.await.expect("no panic").expect("a login");
    drop((pasted, stop));
    report.id
}

/// Renews until it has done so `most` times or for so long, and compares what is used after the first `settled` with what is used
/// at the end.
async fn renew(most: u32, limit: Duration, settled: u32) {
    let (_sandbox, issuer) = Sandbox::open();
    let home = tempfile::tempdir().expect("a folder");
    let store = home.path().join("store");
    let clock = Arc::new(SystemClock);
    let place = Place {
        folder: store.clone(),
        clock: clock.clone(),
        session: Arc::new(Nowhere),
        keyring: Arc::new(Nowhere),
        key_file: home.path().join("key"),
        session_allowed: false,
        who: "a test".to_owned(),
    };
    let kept = Store::open(place).expect("no store yet");
    kept.create(Opening::KeyFile(None)).await.expect("made");
    let source = Source {
        id: "grid".into(),
        name: "Grid".to_owned(),
        note: String::new(),
        origin: Origin::Sandbox,
        kind: SourceKind::Issuer(Box::new(Issuer {
            client: Some(Client::public("toktui")),
            scopes: ["openid", "offline_access"].map(str::to_owned).into(),
            ..Issuer::at(&issuer)
        })),
        manage_url: None,
        register_url: None,
        hints: Vec::new(),
        folded: false,
    };
    let wallet = Wallet::over(kept, clock, Arc::new(Http::default()), vec![source]);
    let id = logged_in(&wallet).await;
    let begun = Instant::now();
    let mut before = None;
    let mut done = 0;
    while done < most && begun.elapsed() < limit {
        let drawn = wallet.draw(&id, Wish { force: true, ..Wish::default() }).await.expect("renewed");
        assert!(drawn.renewed);
        done += 1;
        if done % 10 == 0 {
            // As a board does, which hears of its own changes too.
            wallet.refresh().await;
        }
        if done == settled {
            before = Some(Footprint::now(&store));
        }
    }
    let after = Footprint::now(&store);
    let before = before.expect("more than a few");
    println!(
        "{done} renewals in {:.1} s\nafter {settled}: {before:?}\nat the end: {after:?}",
        begun.elapsed().as_secs_f64()
    );
    // A short run may still meet a thread of its pool for the first time; one a renewal would be many more.
    let room = if most < 1_000 { 4 << 20 } else { 1 << 20 };
    assert!(after.resident <= before.resident + room, "it grows in memory");
    assert_eq!(after.open_files, before.open_files);
    assert!(after.threads < before.threads + 8, "threads stay behind");
    assert!(after.store <= 2 * before.store.max(128 << 10), "the store grows");
    assert!(after.history <= (8 << 20) + 4096, "the history grows");
}

#[tokio::test]
async fn some_renewals_leave_nothing_behind() {
    renew(60, Duration::from_secs(60), 30).await;
}

#[tokio::test]
#[ignore = "needs a minute: 100,000 renewals, or as many as fit in it. Run it alone"]
async fn a_hundred_thousand_renewals_leave_nothing_behind() {
    renew(100_000, Duration::from_secs(60), 1_000).await;
}
