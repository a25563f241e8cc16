//! Plays a journey: the real loop, the real verbs, the sandbox over real HTTP on loopback, and a time that stands still
//! until the journey lets it pass.
//!
//! Nothing sleeps. The timers of the program run on tokio's paused clock, which only `<+Ns>` moves, together with the
//! clock that the board, the wallet and the servers are given. So a screen shows the same seconds in every run.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ratatui::Terminal;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Notify, mpsc};
use tokio::task::{JoinHandle, LocalSet};
use toktui::app::state::{Seat, State};
use toktui::cli::demo::{self, Demo};
use toktui::desktop::fake::FakeDesktop;
use toktui::desktop::keys::Input;
use toktui::desktop::{Desktop, Route};
use toktui::domain::credential::Held;
use toktui::domain::ending::WARN_BEFORE;
use toktui::domain::form::Form;
use toktui::domain::login::Reached;
use toktui::domain::time::{Clock, FixedClock};
use toktui::domain::vault::Opening;
use toktui::runtime::stage::Happening;
use toktui::runtime::{Board, End, Left, SignIn};
use toktui::sandbox::visitor::{Choice, Visitor};
use toktui::sandbox::whole::USER;
use toktui::ui::{Colours, Glyphs, Theme};
use toktui::wallet::Wallet;

use crate::mask::masked;
use crate::script::{Step, steps};
use crate::shelf::Shelf;
use crate::stage::{SharedBackend, Shown, TestStage};

/// Real time between two looks at whether something has come.
const BEAT: Duration = Duration::from_millis(2);
/// So many beats without what was to come are a failure: five seconds.
const PATIENCE: usize = 2500;
/// How much time passes at once: short enough for a timer to start another one.
const STRIDE: Duration = Duration::from_millis(250);
/// The same where minutes pass, which is not to take minutes.
const LONG_STRIDE: Duration = Duration::from_secs(10);
pub const WIDE: (u16, u16) = (120, 34);
pub const SMALL: (u16, u16) = (80, 24);

/// A board in use.
pub struct Played {
    pub shown: Arc<Shown>,
    pub desktop: Arc<FakeDesktop>,
    pub wallet: Arc<Wallet>,
    pub demo: Option<Demo>,
    shelf: Option<Shelf>,
    happenings: mpsc::UnboundedSender<Happening>,
    ended: JoinHandle<Left>,
    time: Time,
}

/// Who sits where.
pub struct Place {
    pub demo: bool,
    pub ssh: bool,
    pub size: (u16, u16),
}

pub const AT_A_DESK: Place = Place { demo: true, ssh: false, size: WIDE };

/// When every journey begins.
pub fn noon() -> Timestamp {
    "2026-11-22T12:04:31Z".parse().expect("a moment")
}

/// The demo at a desk, after its morning.
pub fn demo() -> Played {
    demo_at(&AT_A_DESK)
}

pub fn demo_at(place: &Place) -> Played {
    let time = Time::stopped();
    let demo = time.run_through(Demo::perform(time.clock.clone())).expect("a morning");
    let wallet = Arc::clone(&demo.wallet);
    let clock = Arc::clone(&demo.clock);
    start(time, place, wallet, &clock, Some(demo))
}

/// A board that holds nothing yet, with the sources of a real one.
pub fn empty(sources: Vec<toktui::domain::source::Source>) -> Played {
    let time = Time::stopped();
    let clock: Arc<dyn Clock> = time.clock.clone();
    let wallet = Wallet::new(Arc::clone(&clock), Arc::default(), sources).expect("a wallet");
    start(time, &Place { demo: false, ..AT_A_DESK }, wallet, &clock, None)
}

/// The demo's world, and in it a board that knows nothing of it: the tokens of the one can be pasted into the other.
pub fn stranger_in_the_demo() -> Played {
    let time = Time::stopped();
    let demo = time.run_through(Demo::perform(time.clock.clone())).expect("a morning");
    let clock = Arc::clone(&demo.clock);
    let wallet = Wallet::new(Arc::clone(&clock), Arc::default(), Vec::new()).expect("a wallet");
    start(time, &Place { demo: false, ..AT_A_DESK }, wallet, &clock, Some(demo))
}

/// The demo's servers, and a board over a store on disk that is guarded so; `None`: there is none yet.
pub fn with_shelf(opening: Option<Opening>) -> Played {
    let time = Time::stopped();
    let demo = time.run_through(Demo::perform(time.clock.clone())).expect("a morning");
    let shelf = Shelf::new(Arc::clone(&demo.clock));
    if let Some(opening) = opening {
        time.on(shelf.store().create(opening)).expect("made");
    }
    on_shelf((shelf, time, demo))
}

/// A board over the store that another one has left.
pub fn on_shelf((shelf, time, demo): (Shelf, Time, Demo)) -> Played {
    let wallet = wallet_over(&shelf, &demo);
    let clock = Arc::clone(&demo.clock);
    let place = Place { demo: false, ..AT_A_DESK };
    let mut played = start_beside(Some(shelf.config()), time, &place, wallet, &clock, Some(demo));
    played.shelf = Some(shelf);
    played
}

fn wallet_over(shelf: &Shelf, demo: &Demo) -> Arc<Wallet> {
    Wallet::over(shelf.store(), Arc::clone(&demo.clock), Arc::default(), demo.sandbox.sources())
}

fn start(
    time: Time,
    place: &Place,
    wallet: Arc<Wallet>,
    clock: &Arc<dyn Clock>,
    demo: Option<Demo>,
) -> Played {
    start_beside(None, time, place, wallet, clock, demo)
}

/// The same with a config that there is a folder for.
fn start_beside(
    settings: Option<PathBuf>,
    time: Time,
    place: &Place,
    wallet: Arc<Wallet>,
    clock: &Arc<dyn Clock>,
    demo: Option<Demo>,
) -> Played {
    let desktop = Arc::new(if place.ssh { FakeDesktop::over_ssh() } else { FakeDesktop::at_a_desk() });
    let shown = Shown::new(place.size);
    let sign_in: SignIn = Arc::new(|address| Box::pin(demo::sign_in(address)));
    let mut state =
        State::new(seat(place, desktop.as_ref()), place.size, TimeZone::fixed(jiff::tz::offset(1)));
    state.utc = true;
    let board = Board {
        state,
        wallet: Arc::clone(&wallet),
        desktop: desktop.clone(),
        clock: Arc::clone(clock),
        theme: Theme::new(Glyphs::Unicode, Colours::Ansi),
        clear_after: Some(Duration::from_secs(45)),
        settings,
        sign_in: place.demo.then_some(sign_in),
    };
    let (happenings, coming) = mpsc::unbounded_channel();
    let mut stage = TestStage { happenings: coming, shown: Arc::clone(&shown) };
    let mut terminal = Terminal::new(SharedBackend(Arc::clone(&shown))).expect("a buffer to draw on");
    let ended = time.local.spawn_local_in(&time.runtime, async move {
        board.run(&mut terminal, &mut stage).await.expect("a buffer takes every frame")
    });
    let played = Played { shown, desktop, wallet, demo, shelf: None, happenings, ended, time };
    played.settle();
    played
}

fn seat(place: &Place, desktop: &dyn Desktop) -> Seat {
    Seat {
        host: "login1".to_owned(),
        reached: place.ssh.then(|| Reached {
            user: "ada".to_owned(),
            host: "login1.hpc.example".to_owned(),
            port: Some(22),
        }),
        no_browser: place.ssh.then(|| "over SSH it would open on the wrong machine".to_owned()),
        way_back: None,
        keeps_out: desktop.likely_route() == Some(Route::Desktop),
        clear_after: Some(45),
        warn_before: Some(WARN_BEFORE),
        clipboard: desktop.likely_route().map_or("nowhere", Route::place),
        demo: place.demo,
        read_only: false,
    }
}

impl Played {
    /// Plays a script.
    pub fn play(&mut self, script: &str) -> &mut Self {
        for step in steps(script) {
            match step {
                Step::Input(input) => self.give(input),
                Step::Resize(columns, rows) => {
                    self.shown.resize((columns, rows));
                    self.give(Input::Resize(columns, rows));
                }
                Step::See(text) => self.until(&format!("to see {text:?}"), |shown| shown.contains(&text)),
                Step::Gone(text) => {
                    self.until(&format!("{text:?} to be gone"), |shown| !shown.contains(&text));
                }
                Step::Pass(seconds) => self.time.pass(Duration::from_secs(seconds)),
            }
        }
        self
    }

    /// The screen now, with what differs from run to run masked.
    pub fn screen(&self) -> String {
        masked(&self.shown.lines()).join("\n")
    }

    /// The screen at the other size that is stored; the board then has its size again.
    pub fn screen_at(&mut self, (columns, rows): (u16, u16)) -> String {
        let (wide, high) = self.shown.size();
        self.play(&format!("<resize:{columns}x{rows}>"));
        let screen = self.screen();
        self.play(&format!("<resize:{wide}x{high}>"));
        screen
    }

    /// Fails unless the screen shows all of these.
    pub fn shows(&mut self, texts: &[&str]) -> &mut Self {
        let screen = self.text();
        for text in texts {
            assert!(screen.contains(text), "no {text:?} in\n{screen}");
        }
        self
    }

    /// Fails if the screen shows one of these.
    pub fn hides(&mut self, texts: &[&str]) -> &mut Self {
        let screen = self.text();
        for text in texts {
            assert!(!screen.contains(text), "{text:?} in\n{screen}");
        }
        self
    }

    /// Puts the cursor on the credential of this name.
    pub fn select(&mut self, name: &str) -> &mut Self {
        self.play("2 g");
        for _ in 0..self.wallet.held().len() {
            if self.text().lines().any(|line| line.contains(&format!("▸ {name} "))) {
                return self;
            }
            self.play("j");
        }
        panic!("no row {name} in\n{}", self.text());
    }

    /// A secret as the wallet, or the demo's, holds it now.
    pub fn secret(&self, name: &str, form: Form) -> String {
        let wallet = self.demo.as_ref().map_or(&self.wallet, |demo| &demo.wallet);
        let id = wallet.find(name).expect("it is held");
        let form = self.time.on(wallet.form(&id, form));
        form.expect("it has that form").expose().to_owned()
    }

    /// The store's folder.
    pub fn shelf(&self) -> &Shelf {
        self.shelf.as_ref().expect("a store on disk")
    }

    /// Leaves, and what the next board starts on.
    pub fn into_shelf(mut self) -> (Shelf, Time, Demo) {
        self.play("q");
        let Self { shelf, demo, time, ended, .. } = self;
        time.on(ended).expect("the loop does not panic");
        (shelf.expect("a store on disk"), time, demo.expect("the demo's servers"))
    }

    /// Another program on the same store.
    pub fn another_wallet(&self) -> Arc<Wallet> {
        wallet_over(self.shelf(), self.demo.as_ref().expect("the demo's servers"))
    }

    /// Does something while the board goes on.
    pub fn during<T>(&self, work: impl Future<Output = T>) -> T {
        self.time.on(work)
    }

    /// Every answer of the first provider comes so many seconds later from now on.
    pub fn slow_down(&self, seconds: u64) {
        let demo = self.demo.as_ref().expect("the demo's servers");
        demo.sandbox.checkin.quirks().extra_delay = Duration::from_secs(seconds);
    }

    /// How the board ended, within so many seconds, and what the next program finds.
    pub fn end_after(self, seconds: u64) -> (End, Arc<[Held]>) {
        for _ in 0..seconds * 20 {
            self.time.pass(Duration::from_millis(50));
            self.time.on(async { self.time.beat.notified().await });
        }
        // What was due has come; the machine may be busy with something else.
        self.time.on(async {
            for _ in 0..PATIENCE {
                if self.ended.is_finished() {
                    return;
                }
                self.time.beat.notified().await;
            }
        });
        let next = self.another_wallet().held();
        let Self { ended, time, .. } = self;
        assert!(ended.is_finished(), "it has not ended after {seconds} s");
        let end = time.on(ended).expect("the loop does not panic").end;
        (end, next)
    }

    /// How often the demo's mytoken server was asked so.
    pub fn asked(&self, method_and_path: &str) -> u64 {
        self.demo.as_ref().map_or(0, |demo| demo.sandbox.mytokens.requests(method_and_path))
    }

    /// A visitor signs in and agrees at the address that was opened last.
    pub fn visit_opened(&self) {
        let address = self.desktop.seen().opened.last().cloned().expect("an address was opened");
        self.visit(&address, Choice::Approve);
    }

    pub fn visit(&self, address: &str, choice: Choice) {
        let visitor = Visitor::new().expect("a visitor");
        self.time.on(visitor.visit(address, choice, USER)).expect("the pages lead somewhere");
    }

    /// The same, but stops before the redirect and gives its address.
    pub fn visit_until_redirect(&self, address: &str) -> String {
        let redirect = query(address, "redirect_uri");
        let visitor = Visitor::new().expect("a visitor").stopping_before(redirect);
        let ended = self.time.on(visitor.visit(address, Choice::Approve, USER)).expect("a redirect");
        ended.address.expose().to_owned()
    }

    /// What was copied, in order.
    pub fn copied(&self) -> Vec<String> {
        self.desktop.seen().copied.iter().map(|text| text.expose().to_owned()).collect()
    }

    /// The address and the code that the login panel shows for another device.
    pub fn device_code(&self) -> (String, String) {
        let lines = self.shown.lines();
        let after = |mark: &str| lines.iter().find_map(|line| Some(line.split_once(mark)?.1.trim_start()));
        let code = after(" code  ").expect("a code is shown");
        let code: String = code.chars().take(17).filter(|c| *c != ' ').collect();
        let address = after("http://").expect("an address is shown");
        let address = address.split(' ').next().expect("a word");
        (format!("http://{address}"), code)
    }

    /// How the board ended.
    pub fn end(self) -> End {
        self.left().end
    }

    /// The same, with what it leaves behind.
    pub fn left(self) -> Left {
        let Self { ended, time, .. } = self;
        time.on(ended).expect("the loop does not panic")
    }

    pub fn has_ended(&self) -> bool {
        self.ended.is_finished()
    }

    /// Several inputs at once, as a burst of keys comes.
    pub fn burst(&mut self, script: &str) {
        self.shown.expect_work();
        for step in steps(script) {
            match step {
                Step::Input(input) => self.happenings.send(Happening::Input(input)).expect("the board runs"),
                Step::Resize(columns, rows) => {
                    self.shown.resize((columns, rows));
                    let input = Happening::Input(Input::Resize(columns, rows));
                    self.happenings.send(input).expect("the board runs");
                }
                other => panic!("{other:?} in a burst"),
            }
        }
        self.settle();
    }

    pub fn signal(&mut self, signal: toktui::desktop::signals::Signal) {
        self.happenings.send(Happening::Signal(signal)).expect("the board runs");
    }

    pub fn text(&self) -> String {
        self.shown.lines().join("\n")
    }

    /// Waits in real time, without a limit of the program's running out meanwhile.
    pub fn until(&self, what: &str, is_so: impl Fn(&str) -> bool) {
        self.time.on(async {
            for _ in 0..PATIENCE {
                if is_so(&self.text()) {
                    return;
                }
                assert!(!self.ended.is_finished(), "the board has ended; waited for {what}");
                self.time.beat.notified().await;
            }
            panic!("waited for {what}:\n{}", self.text());
        });
        self.settle();
    }

    fn give(&self, input: Input) {
        self.shown.expect_work();
        self.happenings.send(Happening::Input(input)).expect("the board runs");
        self.settle();
    }

    /// Until the loop has drawn and waits.
    fn settle(&self) {
        self.time.on(async {
            while !self.shown.is_idle() && !self.ended.is_finished() {
                tokio::task::yield_now().await;
            }
        });
    }
}

/// The value of a parameter in an address's query.
pub fn query(address: &str, name: &str) -> String {
    let url = url::Url::parse(address).expect("an address");
    let found = url.query_pairs().find(|(key, _)| key == name);
    found.expect("the parameter is there").1.into_owned()
}

/// A runtime whose time stands still.
pub struct Time {
    clock: Arc<FixedClock>,
    beat: Arc<Notify>,
    local: LocalSet,
    /// While this lives, tokio does not move its paused clock by itself. It goes before the runtime, which waits for the
    /// thread that it ends.
    _brake: Sender<()>,
    runtime: Runtime,
}

impl Time {
    fn stopped() -> Self {
        let runtime =
            Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
        let beat = Arc::new(Notify::new());
        let (brake, is_released) = channel::<()>();
        let heart = Arc::clone(&beat);
        // A blocking task that runs keeps tokio from skipping idle time: no limit runs out while an answer is on its way.
        runtime.spawn_blocking(move || {
            while is_released.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
                heart.notify_waiters();
            }
        });
        Self { clock: Arc::new(FixedClock::at(noon())), beat, local: LocalSet::new(), _brake: brake, runtime }
    }

    fn on<T>(&self, work: impl Future<Output = T>) -> T {
        self.local.block_on(&self.runtime, work)
    }

    /// Lets timers run while `work` goes on; the clock stands.
    fn run_through<T>(&self, work: impl Future<Output = T>) -> T {
        self.on(async {
            let passing = async {
                loop {
                    self.beat.notified().await;
                    tokio::time::advance(STRIDE / 10).await;
                }
            };
            tokio::select! { done = work => done, () = passing => unreachable!("it has no end") }
        })
    }

    fn pass(&self, span: Duration) {
        self.on(async {
            let mut left = span;
            while !left.is_zero() {
                let stride = left.min(if left > Duration::from_secs(300) { LONG_STRIDE } else { STRIDE });
                left -= stride;
                self.clock.advance(SignedDuration::try_from(stride).expect("a short span"));
                tokio::time::advance(stride).await;
                // What a timer has woken runs before more time passes.
                for _ in 0..20 {
                    tokio::task::yield_now().await;
                }
            }
        });
    }
}

/// `LocalSet::spawn_local` must be called from inside a runtime.
trait SpawnIn {
    fn spawn_local_in<F: Future + 'static>(&self, runtime: &Runtime, work: F) -> JoinHandle<F::Output>
    where
        F::Output: 'static;
}

impl SpawnIn for LocalSet {
    fn spawn_local_in<F: Future + 'static>(&self, runtime: &Runtime, work: F) -> JoinHandle<F::Output>
    where
        F::Output: 'static,
    {
        let _inside = runtime.enter();
        self.spawn_local(work)
    }
}
