//! Each effect becomes a task; each task ends in one outcome.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::SignedDuration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::leaving::Wish as ToLeave;
use super::{Answer, Board, End, SignIn};
use crate::app::effect::{
    Asking, Copied, Drawn, Effect, Finding, Making, MytokenTold, Outcome, Snapshot, Target, Task,
};
use crate::desktop::{Cleared, Desktop};
use crate::domain::credential::{CredentialId, Custody};
use crate::domain::failure::{Failure, Kind};
use crate::domain::form::Form;
use crate::domain::login::Order;
use crate::domain::mytoken;
use crate::domain::secret::Secret;
use crate::domain::source::SourceId;
use crate::domain::specimen::{self, Specimen};
use crate::domain::time::{Clock, later};
use crate::wallet::draw::Wish;
use crate::wallet::look_up::{Ask, Found};
use crate::wallet::{Wallet, login};

/// How long the revocation of this session's manager mytokens may take when the program is left.
const CLOSING: Duration = Duration::from_secs(5);

/// What the tasks share.
#[derive(Clone)]
pub(super) struct World {
    pub(super) wallet: Arc<Wallet>,
    desktop: Arc<dyn Desktop>,
    clock: Arc<dyn Clock>,
    clear_after: Option<Duration>,
    pub(super) settings: Option<PathBuf>,
    sign_in: Option<SignIn>,
    answer: Answer,
}

/// The ends of the running logins that the board holds.
type Logins = Arc<Mutex<HashMap<Task, Ends>>>;

/// The board's ends of one.
struct Ends {
    pasted: mpsc::UnboundedSender<Secret>,
    stop: watch::Sender<bool>,
    opened: watch::Sender<bool>,
}

/// Turns effects into tasks.
pub(super) struct Effects {
    pub(super) world: World,
    logins: Logins,
    waiting: Vec<Effect>,
    /// What must not be broken off.
    lasting: JoinSet<()>,
    /// A signal that ends the program.
    signal: Option<End>,
    /// What tells when others change the store, and a word that there may be one to watch by now.
    watching: (JoinHandle<()>, Arc<Notify>),
}

impl Effects {
    pub(super) fn new(board: &Board, answer: Answer) -> Self {
        let world = World {
            wallet: Arc::clone(&board.wallet),
            desktop: Arc::clone(&board.desktop),
            clock: Arc::clone(&board.clock),
            clear_after: board.clear_after,
            settings: board.settings.clone(),
            sign_in: board.sign_in.clone(),
            answer,
        };
        let look_for_one = Arc::new(Notify::new());
        let watching = tokio::spawn(world.clone().watch(Arc::clone(&look_for_one)));
        Self {
            world,
            logins: Logins::default(),
            waiting: Vec::new(),
            lasting: JoinSet::new(),
            signal: None,
            watching: (watching, look_for_one),
        }
    }

    /// What is held, listed and written down, for the board.
    pub(super) fn snapshot(&self) -> Outcome {
        self.world.snapshot()
    }

    /// Takes an effect: the loop's own ones wait for it, all others start.
    pub(super) fn ask(&mut self, effect: Effect) {
        match effect {
            Effect::Quit
            | Effect::QuitPrinting
            | Effect::Redraw
            | Effect::CatchMouse(_)
            | Effect::Suspend
            | Effect::Make(Making::Edit(_)) => {
                self.waiting.push(effect);
            }
            other => self.start(other),
        }
    }

    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub(super) fn take_waiting(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.waiting)
    }

    /// A signal says that the program is to be left.
    pub(super) fn leave_by(&mut self, end: End) {
        self.signal = Some(end);
    }

    /// Whether one has.
    pub(super) fn signalled(&mut self) -> Option<ToLeave> {
        self.signal.take().map(ToLeave::By)
    }

    /// Ends what waits for a human; answers that are under way are let be.
    pub(super) fn end(&self) {
        self.logins.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(super) fn start(&mut self, effect: Effect) {
        let world = self.world.clone();
        match effect {
            Effect::LogIn(task, order) => self.log_in(task, *order),
            Effect::GiveRedirect(task, text) => self.give(task, text),
            Effect::CancelLogin(task) => {
                if let Some(login) = locked(&self.logins).remove(&task) {
                    let _ = login.stop.send(true);
                }
            }
            Effect::SignInDemo(task, address) => {
                tokio::spawn(async move { world.sign_in_demo(task, address).await });
            }
            Effect::OpenBrowser(task, address) => {
                let logins = Arc::clone(&self.logins);
                world.blocking(move |world| world.open_browser(task, &address, &logins));
            }
            Effect::OpenUnasked(task, address) => {
                let logins = Arc::clone(&self.logins);
                world.blocking(move |world| world.open_unasked(task, &address, &logins));
            }
            Effect::Draw { task, id, force, copy } => {
                tokio::spawn(async move { world.draw(task, id, force, copy).await });
            }
            Effect::CopyForm(id, form) => {
                tokio::spawn(async move { world.copy_form(&id, form).await });
            }
            Effect::CopyText(text, what) => {
                world.blocking(move |world| world.copy(&Secret::new(text), what, None, false));
            }
            Effect::LookUp(task, target, asking) => {
                tokio::spawn(async move { world.look_up(task, target, asking).await });
            }
            Effect::ReadHistory(task, target) => {
                tokio::spawn(async move { world.read_history(task, target).await });
            }
            Effect::Keep(specimen, name) => {
                self.finish(async move {
                    let kept = world.wallet.keep(&specimen, &name).await;
                    let kept = kept.or_else(|failure| world.kept_unsaved(&name).ok_or(failure));
                    world.changed(Outcome::Kept(kept));
                });
            }
            Effect::Revoke(task, id) => world.revoke(task, id),
            Effect::Userinfo(task, id) => world.ask_userinfo(task, id),
            Effect::Introspect(task, id) => world.introspect(task, id),
            Effect::LookAt(task, id) => world.look_at(task, id),
            Effect::Make(making) => self.make(making),
            Effect::Family(ask) => self.family(ask),
            Effect::Mytoken(ask) => self.mytoken(ask),
            Effect::Forget(id) => {
                self.finish(async move {
                    let forgotten = world.wallet.forget(&id).await;
                    world.changed(Outcome::Forgotten(forgotten));
                });
            }
            Effect::AddProvider(task, address) => world.look_for_provider(task, address),
            Effect::Register(task, source, name) => self.finish(world.register(task, source, name)),
            Effect::AskKeyring(task) => {
                tokio::spawn(async move {
                    let answers = world.wallet.keyring_answers().await;
                    world.say(Outcome::KeyringAsked(task, answers));
                });
            }
            Effect::CreateStore(..)
            | Effect::StayInMemory(_)
            | Effect::Unlock(..)
            | Effect::Lock
            | Effect::Guard(..)
            | Effect::Rename(..)
            | Effect::SaveAgain(_) => {
                let there_is_one = Arc::clone(&self.watching.1);
                self.finish(async move {
                    world.tend_store(effect).await;
                    there_is_one.notify_one();
                });
            }
            Effect::Refresh => {
                let there_is_one = Arc::clone(&self.watching.1);
                tokio::spawn(async move {
                    world.refresh().await;
                    there_is_one.notify_one();
                });
            }
            Effect::ClearClipboard => world.blocking(World::clear),
            // The loop's own; it never sends them here.
            Effect::Quit
            | Effect::QuitPrinting
            | Effect::Redraw
            | Effect::CatchMouse(_)
            | Effect::Suspend => {}
        }
    }

    /// Starts what must not be broken off when the program is left.
    pub(super) fn finish(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        while self.lasting.try_join_next().is_some() {}
        self.lasting.spawn(work);
    }

    /// Waits until nothing is under way whose answer could be lost.
    pub(super) fn at_rest(&mut self) -> BoxFuture<'static, ()> {
        let mut lasting = std::mem::take(&mut self.lasting);
        let wallet = Arc::clone(&self.world.wallet);
        Box::pin(async move {
            while lasting.join_next().await.is_some() {}
            wallet.at_rest().await;
            // Nobody waits long for a server that does not answer: those that are left are named behind the board.
            drop(tokio::time::timeout(CLOSING, wallet.close_managers()).await);
        })
    }

    /// What the tasks share.
    pub(super) fn world(&self) -> World {
        self.world.clone()
    }

    fn log_in(&self, task: Task, order: Order) {
        let wallet = Arc::clone(&self.world.wallet);
        let as_code = order.draft.as_ref().is_some_and(|draft| draft.form == mytoken::Form::Code);
        self.in_panel(task, move |line| async move {
            if !as_code {
                return Outcome::LoginEnded(task, wallet.log_in(order, line).await.map(Box::new));
            }
            match wallet.log_in_for_code(order, line).await {
                Ok(handed) => Outcome::Mytoken(MytokenTold::HandedOver(task, Ok(Box::new(handed)))),
                Err(failure) => Outcome::LoginEnded(task, Err(failure)),
            }
        });
    }

    fn give(&self, task: Task, text: Secret) {
        if let Some(login) = locked(&self.logins).get(&task) {
            // A login that has just ended needs no address any more.
            drop(login.pasted.send(text));
        }
    }

    /// Runs a login whose panel is on the board.
    pub(super) fn in_panel<F>(&self, task: Task, run: impl FnOnce(login::Line) -> F)
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let (line, watched) = login::line();
        let running = run(line);
        let login::Watch { mut steps, pasted, stop, opened } = watched;
        let logins = Arc::clone(&self.logins);
        locked(&logins).insert(task, Ends { pasted, stop, opened });
        let world = self.world.clone();
        tokio::spawn(async move {
            let told = async {
                while let Some(step) = steps.recv().await {
                    world.say(Outcome::Login(task, step));
                }
            };
            // The steps end with the login, so that its end is the last word.
            let ((), ended) = tokio::join!(told, running);
            locked(&logins).remove(&task);
            world.changed(ended);
        });
    }
}

fn locked(logins: &Logins) -> MutexGuard<'_, HashMap<Task, Ends>> {
    logins.lock().unwrap_or_else(PoisonError::into_inner)
}

fn not_opened(why: &str) -> Failure {
    Failure::new(Kind::Failed, "Opening the browser", why)
}

impl Drop for Effects {
    fn drop(&mut self) {
        self.watching.0.abort();
    }
}

impl World {
    pub(super) fn say(&self, outcome: Outcome) {
        // The loop has ended: nobody is left to hear it.
        drop(self.answer.send(outcome));
    }

    /// What is held first, then what happened to it: a screen never speaks of what it does not show.
    pub(super) fn changed(&self, outcome: Outcome) {
        self.say(self.snapshot());
        self.say(outcome);
    }

    fn snapshot(&self) -> Outcome {
        let wallet = &self.wallet;
        Outcome::Changed(Snapshot {
            held: wallet.held(),
            sources: wallet.sources(),
            journal: wallet.journal(),
            vault: wallet.vault(),
        })
    }

    /// The desktop's calls may take two seconds: never in the loop, nor in a task beside it.
    pub(super) fn blocking(&self, work: impl FnOnce(&Self) + Send + 'static) {
        let world = self.clone();
        tokio::task::spawn_blocking(move || work(&world));
    }

    /// What could not be written is held all the same, under the name that was asked for.
    fn kept_unsaved(&self, name: &str) -> Option<(CredentialId, String)> {
        let held = self.wallet.held();
        let found = held.iter().find(|held| held.name == name)?;
        matches!(found.custody, Custody::Unsaved(_)).then(|| (found.id.clone(), name.to_owned()))
    }

    /// Takes in what others changed; nobody hears of it unless something differs.
    async fn refresh(&self) {
        if self.wallet.refresh().await {
            self.say(self.snapshot());
        }
    }

    /// Takes in what others change, as soon as the system tells of it. Until there is a store to watch, and where nobody can tell,
    /// it waits for a word.
    async fn watch(self, look_for_one: Arc<Notify>) {
        // The history is shown from now on, so it is read with all else that the first frame did not wait for.
        drop(self.wallet.journal());
        // Watched before it is read: what changes in between is told.
        let mut changes = self.wallet.changes();
        self.refresh().await;
        loop {
            if let Some(changes) = &mut changes {
                changes.changed().await;
            } else {
                look_for_one.notified().await;
                changes = self.wallet.changes();
                if changes.is_none() {
                    continue;
                }
            }
            self.refresh().await;
        }
    }

    /// What the store itself is asked for.
    async fn tend_store(&self, effect: Effect) {
        let wallet = &self.wallet;
        match effect {
            Effect::CreateStore(task, opening) => {
                let made = wallet.create_store(opening).await;
                self.changed(Outcome::StoreMade(task, made));
            }
            Effect::StayInMemory(task) => {
                wallet.stay_in_memory();
                self.changed(Outcome::StoreMade(task, Ok(())));
            }
            Effect::Unlock(task, opening) => {
                let by = opening.guard();
                let opened = wallet.unlock(opening).await;
                wallet.refresh().await;
                self.changed(Outcome::Unlocked(task, by, opened));
            }
            Effect::Lock => {
                wallet.lock();
                wallet.refresh().await;
                self.changed(Outcome::Locked);
            }
            Effect::Guard(task, opening) => {
                let by = opening.guard();
                let guarded = wallet.guard(opening).await;
                self.changed(Outcome::Guarded(task, by, guarded));
            }
            Effect::Rename(id, name) => {
                let renamed = wallet.rename(&id, &name).await;
                self.changed(Outcome::Renamed(renamed.map(|before| (before, name))));
            }
            Effect::SaveAgain(task) => {
                let left = wallet.save_again().await;
                self.changed(Outcome::SavedAgain(task, left));
            }
            _ => {}
        }
    }

    async fn draw(&self, task: Task, id: CredentialId, force: bool, copy: Option<Form>) {
        let drawn = self.wallet.draw(&id, Wish { force, insist: force, ..Wish::default() }).await;
        let is_drawn = drawn.is_ok();
        let drawn = drawn.map(|drawn| Drawn {
            expires: drawn.token.expires,
            renewed: drawn.renewed,
            remarks: drawn.remarks,
        });
        self.changed(Outcome::Drawn(task, id.clone(), drawn));
        if let Some(form) = copy.filter(|_| is_drawn) {
            self.copy_form(&id, form).await;
        }
    }

    fn revoke(self, task: Task, id: CredentialId) {
        tokio::spawn(async move {
            let revoked = self.wallet.revoke(&id).await;
            self.changed(Outcome::Revoked(task, revoked));
        });
    }

    fn ask_userinfo(self, task: Task, id: CredentialId) {
        tokio::spawn(async move {
            let told = self.wallet.userinfo(&id).await.map(Box::new);
            self.changed(Outcome::Userinfo(task, told));
        });
    }

    fn introspect(self, task: Task, id: CredentialId) {
        tokio::spawn(async move {
            let told = self.wallet.introspect_both(&id).await;
            self.changed(Outcome::Introspected(task, told));
        });
    }

    fn look_at(self, task: Task, id: SourceId) {
        tokio::spawn(async move {
            let told = self.wallet.look_at(&id).await.map(Box::new);
            self.changed(Outcome::Announced(task, told));
        });
    }

    async fn copy_form(&self, id: &CredentialId, form: Form) {
        let held = self.wallet.held();
        let held = held.iter().find(|held| held.id == *id);
        let name = held.map_or("a token that is gone", |held| held.name.as_str());
        let what = format!("the {} of {name}", form.words());
        let ends = held.and_then(|held| match form {
            Form::AccessToken | Form::Header => held.chief()?.expires,
            Form::Mytoken | Form::RefreshToken | Form::RenewalWithToken => held.chain_ends(),
            Form::CurlUserinfo | Form::CurlIntrospection | Form::Renewal | Form::Claims | Form::IdToken => {
                None
            }
        });
        match self.wallet.form(id, form).await {
            Ok(text) => self.blocking(move |world| world.copy(&text, &what, ends, form.is_secret())),
            Err(failure) => self.say(Outcome::Copied(Err(failure))),
        }
    }

    pub(super) fn copy(&self, text: &Secret, what: &str, ends: Option<jiff::Timestamp>, is_secret: bool) {
        let copied = self.desktop.copy(text).map(|sent| Copied {
            what: what.to_owned(),
            route: sent.route.place(),
            certain: sent.certain,
            until: self.clear_after.filter(|_| is_secret).map(|span| {
                later(self.clock.now(), SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX))
            }),
            ends,
        });
        let copied =
            copied.map_err(|error| Failure::new(Kind::Failed, format!("Copying {what}"), error.to_string()));
        self.say(Outcome::Copied(copied));
    }

    fn clear(&self) {
        let said = match self.desktop.clear_copied() {
            Ok(Cleared::Cleared) => "The clipboard is cleared".to_owned(),
            Ok(Cleared::Asked) => {
                "The terminal was asked to clear its clipboard; whether it did is not known".to_owned()
            }
            Ok(Cleared::NotOurs) => "The clipboard holds something else by now; it was left alone".to_owned(),
            Ok(Cleared::Nothing) => "Nothing of ours is on the clipboard".to_owned(),
            Err(error) => format!("The clipboard could not be cleared: {error}"),
        };
        self.say(Outcome::ClipboardCleared(said));
    }

    fn open_unasked(&self, task: Task, address: &str, logins: &Logins) {
        match self.desktop.not_unasked() {
            None => self.open_browser(task, address, logins),
            Some(why) => self.say(Outcome::BrowserOpened(task, Err(not_opened(why)))),
        }
    }

    fn open_browser(&self, task: Task, address: &str, logins: &Logins) {
        let opened = self.desktop.open_browser(address);
        if opened.is_ok()
            && let Some(login) = locked(logins).get(&task)
        {
            login.opened.send_replace(true);
        }
        let opened = opened.map(|opened| opened.with.shown()).map_err(|error| not_opened(&error.to_string()));
        self.say(Outcome::BrowserOpened(task, opened));
    }

    async fn sign_in_demo(&self, task: Task, address: String) {
        let Some(sign_in) = &self.sign_in else { return };
        let done = sign_in(address).await.map(|()| "the demo's own visitor".to_owned());
        self.say(Outcome::BrowserOpened(task, done));
    }

    async fn look_up(&self, task: Task, target: Target, asking: Asking) {
        let ask = match asking {
            Asking::IfKnown => Ask::IfListed,
            Asking::This(server) => Ask::This(server),
            Asking::Nobody => Ask::Nobody,
        };
        let found = match &target {
            Target::Held(id) => self.wallet.look_up(id).await,
            Target::Pasted(specimen) => Some(self.wallet.look_up_pasted(specimen, &ask).await),
        };
        let Some(found) = found else {
            let why = "it is not held here any more";
            return self.changed(Outcome::Failed(Failure::new(Kind::Unusable, "Looking it up", why)));
        };
        let finding = self.finding(target, found);
        self.changed(Outcome::LookedUp(task, Box::new(finding)));
    }

    fn finding(&self, target: Target, found: Found) -> Finding {
        let held_as = match &target {
            Target::Held(id) => Some(id.clone()),
            Target::Pasted(specimen) => self.wallet.held_as(specimen),
        };
        Finding {
            target,
            verdict: found.verdict,
            facts: found.facts.map(Box::new),
            content: found.content.map(Box::new),
            signature: found.signature.map(Box::new),
            introspected: found.introspected.map(Box::new),
            what: found.what,
            may_ask: found.may_ask,
            held_as,
            at: self.clock.now(),
        }
    }

    async fn read_history(&self, task: Task, target: Target) {
        let read = match &target {
            Target::Held(id) => self.wallet.history(id).await,
            Target::Pasted(specimen) => self.read_pasted(specimen).await,
        };
        self.changed(Outcome::HistoryRead(task, read));
    }

    async fn read_pasted(&self, specimen: &Specimen) -> Result<Vec<crate::domain::event::Event>, Failure> {
        let specimen::Kind::Mytoken(facts) = &specimen.kind else {
            return Err(Failure::new(
                Kind::Unusable,
                "Reading the history",
                "only a mytoken has one at its server",
            ));
        };
        let rotates = facts.rotation.is_some_and(|rotation| rotation.on_other);
        self.wallet.history_of_pasted(&specimen.value, facts.server.raw(), rotates).await
    }
}
