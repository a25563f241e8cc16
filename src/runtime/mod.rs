//! The loop: messages in, frames out, and where effects become calls and calls become outcomes.
//!
//! One task owns the state and the screen. It sleeps until something happens or until a shown digit changes
//! (`State::next_change`); there is no ticker. Work runs in tasks of its own, which hold a sender and nothing else.

mod adding;
mod effects;
mod families;
mod leaving;
mod making;
pub mod open;
pub mod stage;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use ratatui::Terminal;
use ratatui::backend::Backend;
use tokio::sync::mpsc;

use crate::app::effect::{Effect, Made, Making, Outcome};
use crate::app::message::Message;
use crate::app::state::State;
use crate::app::update::update;
use crate::desktop::Desktop;
use crate::desktop::keys::Input;
use crate::desktop::signals::Signal;
use crate::domain::failure::Failure;
use crate::domain::time::Clock;
use crate::ui::{self, Theme};
use crate::wallet::Wallet;

use effects::Effects;
use leaving::Leaving;
pub use leaving::Left;
use stage::{Happening, Stage};

/// A frame is late rather than early: no more than this many messages are taken in before one is drawn.
const MOST_BEFORE_A_FRAME: usize = 512;

/// Signs in at an address by itself: only the demo can do that.
pub type SignIn = Arc<dyn Fn(String) -> BoxFuture<'static, Result<(), Failure>> + Send + Sync>;

/// What the board is made of.
pub struct Board {
    /// What it knows at the start.
    pub state: State,
    /// The verbs.
    pub wallet: Arc<Wallet>,
    /// Browser and clipboard.
    pub desktop: Arc<dyn Desktop>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How it looks.
    pub theme: Theme,
    /// How long copied secrets stay on the clipboard; `None`: until somebody else copies.
    pub clear_after: Option<Duration>,
    /// The folder of the user's config, where profiles are saved; `None`: they last as long as the session.
    pub settings: Option<PathBuf>,
    /// The demo's visitor.
    pub sign_in: Option<SignIn>,
}

/// How the board ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The user left.
    Quit,
    /// A signal said so.
    Signal(Signal),
    /// The terminal is gone.
    Gone,
}

impl Board {
    /// Runs until the user leaves, a signal comes or the terminal goes.
    ///
    /// # Errors
    /// When the screen cannot be drawn on.
    pub async fn run<S: Stage>(
        mut self,
        terminal: &mut Terminal<S::Backend>,
        stage: &mut S,
    ) -> Result<Left, <S::Backend as Backend>::Error> {
        let (answer, mut outcomes) = mpsc::unbounded_channel();
        let mut effects = Effects::new(&self, answer);
        self.take(Message::Outcome(effects.snapshot()), &mut effects);
        let mut stale = true;
        let mut torn = false;
        let mut leaving: Option<Leaving> = None;
        let left = loop {
            if let Some(wish) = self.after_effects(&mut effects, stage, terminal, &mut stale).await?
                && leaving.is_none()
            {
                leaving = Some(self.begin_to_leave(wish, &mut effects));
                stale = true;
            }
            if let Some(gone) = leaving.take_if(Leaving::is_at_rest) {
                while let Ok(outcome) = outcomes.try_recv() {
                    self.take(Message::Outcome(outcome), &mut effects);
                }
                match gone.end(&self.wallet).await {
                    Ok(left) => break left,
                    Err(unsaved) => {
                        self.take(effects.snapshot().into(), &mut effects);
                        self.take(Outcome::NotLeft(unsaved).into(), &mut effects);
                        stale = true;
                    }
                }
            }
            if stale && !stage.is_behind() {
                let now = self.clock.now();
                let (state, theme) = (&self.state, &self.theme);
                if std::mem::take(&mut torn) {
                    terminal.clear()?;
                }
                terminal.draw(|frame| ui::draw(frame, state, theme, now))?;
                stale = false;
            }
            let behind = stale;
            let pause = self.until_next_change();
            let message = tokio::select! {
                // Answers first: a key acts on what is so, not on what was. Then keys, then the clock.
                biased;
                Some(outcome) = outcomes.recv() => Some(Message::Outcome(outcome)),
                happening = stage.next(behind) => match happening {
                    Happening::CaughtUp => None,
                    Happening::Signal(Signal::Continue) => {
                        if stage.take_again().is_err() {
                            break leaving::unseen(End::Signal(Signal::HangUp), &self.wallet, &mut effects).await;
                        }
                        forget_screen(terminal)?;
                        stale = true;
                        None
                    }
                    Happening::Signal(Signal::Stop) => {
                        effects.ask(Effect::Suspend);
                        None
                    }
                    Happening::Signal(signal @ (Signal::HangUp | Signal::Panicked)) => {
                        break leaving::unseen(End::Signal(signal), &self.wallet, &mut effects).await;
                    }
                    Happening::Signal(signal) => {
                        effects.leave_by(End::Signal(signal));
                        None
                    }
                    Happening::ClockJumped => Some(Message::ClockJumped),
                    Happening::Input(Input::Gone) => {
                        break leaving::unseen(End::Gone, &self.wallet, &mut effects).await;
                    }
                    Happening::Input(input) => message_of(input),
                },
                () = leaving::rest(&mut leaving) => None,
                () = pause => Some(Message::Tick),
            };
            let Some(message) = message else { continue };
            torn |= tears(&message);
            self.take(message, &mut effects);
            stale = true;
            // A burst of answers or keys costs one frame.
            for _ in 0..MOST_BEFORE_A_FRAME {
                let next = match outcomes.try_recv() {
                    Ok(outcome) => Some(Message::Outcome(outcome)),
                    Err(_) => stage.try_next().and_then(message_of),
                };
                let Some(message) = next else { break };
                torn |= tears(&message);
                self.take(message, &mut effects);
                if effects.is_waiting() {
                    break;
                }
            }
        };
        self.leave(&effects);
        Ok(left)
    }

    /// From here on nothing is begun any more.
    fn begin_to_leave(&mut self, wish: leaving::Wish, effects: &mut Effects) -> Leaving {
        effects.end();
        let leaving = Leaving::new(wish, self.state.wallet.vault.unsaved, effects.at_rest());
        self.take(Message::Leaving, effects);
        leaving
    }

    fn take(&mut self, message: Message, effects: &mut Effects) {
        for effect in update(&mut self.state, message, self.clock.now()) {
            effects.ask(effect);
        }
    }

    /// Carries out what only the loop itself can: what touches the screen, and leaving.
    async fn after_effects<S: Stage>(
        &mut self,
        effects: &mut Effects,
        stage: &mut S,
        terminal: &mut Terminal<S::Backend>,
        stale: &mut bool,
    ) -> Result<Option<leaving::Wish>, <S::Backend as Backend>::Error> {
        let mut wish = effects.signalled();
        for effect in effects.take_waiting() {
            match effect {
                Effect::Quit => wish = wish.or(Some(leaving::Wish::Quit { printing: false })),
                Effect::QuitPrinting => wish = wish.or(Some(leaving::Wish::Quit { printing: true })),
                Effect::Redraw => forget_screen(terminal)?,
                Effect::CatchMouse(caught) => stage.mouse(caught),
                Effect::Suspend => {
                    if stage.suspend().await.is_err() {
                        wish = Some(leaving::Wish::By(End::Gone));
                    }
                    forget_screen(terminal)?;
                }
                Effect::Make(Making::Edit(text)) => {
                    match stage.edit(&text).await {
                        Ok(edited) => {
                            self.take(Message::Outcome(Outcome::Made(Made::Edited(edited))), effects);
                        }
                        Err(_) => wish = Some(leaving::Wish::By(End::Gone)),
                    }
                    forget_screen(terminal)?;
                    // It may have changed meanwhile, and nobody listened.
                    let size = terminal.size()?;
                    self.take(Message::Resized(size.width, size.height), effects);
                }
                other => effects.start(other),
            }
            *stale = true;
        }
        Ok(wish)
    }

    /// Sleeps until a shown digit changes; for ever where none will.
    fn until_next_change(&self) -> impl Future<Output = ()> + use<> {
        let now = self.clock.now();
        let pause = self.state.next_change(now).map(|at| pause_until(at, now));
        async move {
            match pause {
                Some(pause) => tokio::time::sleep(pause).await,
                None => std::future::pending().await,
            }
        }
    }

    /// What was copied and is still to be cleared goes to a holder, because it would vanish, or stay, with us.
    fn leave(&self, effects: &Effects) {
        effects.end();
        if let Some(copied) = &self.state.clipboard {
            let left = copied.until.duration_since(self.clock.now());
            if left.is_positive() {
                self.desktop.hand_over(left.unsigned_abs());
            }
        }
    }
}

/// Clears the screen, so that the next frame is drawn whole. `Terminal::clear` would ask the terminal where its cursor is
/// and wait for the answer, which our own keyboard reader has taken by then.
fn forget_screen<B: Backend>(terminal: &mut Terminal<B>) -> Result<(), B::Error> {
    let size = terminal.size()?;
    terminal.resize(size.into())
}

/// A moment may lie in the past by the time it is read; and no sleep is longer than an hour, so that a clock that was
/// set does not keep the screen wrong for long.
fn pause_until(at: Timestamp, now: Timestamp) -> Duration {
    let span = at.duration_since(now).clamp(SignedDuration::from_millis(1), SignedDuration::from_hours(1));
    span.unsigned_abs()
}

/// A terminal that was small for a moment has lost what did not fit, also where it has its old size again by the time the
/// next frame is drawn: no comparison of sizes would show that.
fn tears(message: &Message) -> bool {
    matches!(message, Message::Resized(..))
}

/// Input that maps to nothing is dropped before it reaches the state.
fn message_of(happening: impl Into<Option<Input>>) -> Option<Message> {
    Some(match happening.into()? {
        Input::Key(key) => Message::Key(key),
        Input::Paste(text) => Message::Paste(text),
        Input::Resize(columns, rows) => Message::Resized(columns, rows),
        Input::FocusGained => Message::Focused(true),
        Input::FocusLost => Message::Focused(false),
        Input::Mouse(event) => Message::Mouse(event),
        Input::Gone => return None,
    })
}

/// An answer to the loop.
type Answer = mpsc::UnboundedSender<Outcome>;
