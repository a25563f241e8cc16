//! The whole of it once: logged in once, killed in the middle of a renewal, started anew, and a hundred jobs served.

use std::io::{BufRead as _, BufReader};
use std::process::Child;

use toktui::domain::vault::Opening;

use crate::giver::Giver;
use crate::home::{Home, Ran, wait};
use crate::kept::{Kind, sign_in};
use crate::share;

/// Where in a renewal everything is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Instant {
    /// Nobody has worked the request.
    Asked,
    /// The provider has worked it, and the answer is on its way.
    Answered,
}

#[test]
fn logged_in_once_killed_in_a_renewal_and_a_hundred_jobs_are_served_by_two_renewals() {
    let jobs = share::of("jobs that ask for the token at once", 20, 100);
    // An answer on its way from a provider whose refresh tokens are for one use is lost with whoever waited for it: nothing can help
    // but a new login, and the row says so (`kills.rs`).
    for (rotates, instant) in [(true, Instant::Asked), (false, Instant::Asked), (false, Instant::Answered)] {
        let giver = Giver::with(rotates);
        let home = Home::of(&giver);
        giver
            .runtime
            .block_on(async { home.open_store().await.create(Opening::KeyFile(None)).await.unwrap() });

        // A login from a shell, by the address that it prints.
        let mut login = home.start(&["login", "op", "--name", "egi", "--no-browser", "--no-input"]);
        let address = first_address(&mut login);
        giver.runtime.block_on(sign_in(&address));
        let ran = Ran::ended(login);
        assert_eq!(ran.code, Some(0), "{ran:?}");

        // Everything is killed with -9 while a renewal is on its way.
        home.expire(&giver.runtime, Kind::Login);
        let (arrived, renewals) = (giver.logins.arrivals().len(), giver.logins.renewals());
        match instant {
            Instant::Asked => giver.logins.shut(),
            Instant::Answered => giver.logins.hold(),
        }
        let mut killed = home.start(&["token", "egi"]);
        giver.logins.wait_for(arrived + 1);
        if instant == Instant::Answered {
            wait("the renewal to be worked", || giver.logins.renewals() > renewals);
        }
        killed.kill().unwrap();
        killed.wait().unwrap();
        giver.settle();
        giver.logins.open();
        giver.logins.release();

        let children: Vec<Child> = (0..jobs).map(|_| home.start(&["token", "egi"])).collect();
        let served: Vec<Ran> = children.into_iter().map(Ran::ended).collect();
        let token = served[0].value();
        assert!(served.iter().all(|ran| ran.value() == token));
        let renewals = giver.logins.renewals() - renewals;
        share::say(&format!(
            "rotating {rotates}, killed when {instant:?}: {jobs} jobs served by {renewals} renewals"
        ));
        assert!((1..=2).contains(&renewals), "{renewals}");
        assert_eq!(giver.stale(), 0);
    }
}

/// The first address of the provider that the program prints to open in a browser.
fn first_address(child: &mut Child) -> String {
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut seen = String::new();
    loop {
        let line = lines.next().unwrap_or_else(|| panic!("no address: {seen}")).unwrap();
        let address =
            line.split_ascii_whitespace().find(|word| word.starts_with("http://") && word.contains("state="));
        if let Some(address) = address.map(str::to_owned) {
            // Somebody must go on reading, or the program waits for it.
            std::thread::spawn(move || lines.for_each(drop));
            return address;
        }
        seen.push_str(&line);
    }
}
