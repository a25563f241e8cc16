//! Where the board is played: the real terminal, or a test's.

use std::future::Future;

use crate::desktop::input::InputStream;
use crate::desktop::jumps::Jumps;
use crate::desktop::keys::Input;
use crate::desktop::output::Output;
use crate::desktop::signals::{self, Signal, Signals};
use crate::desktop::terminal::{self, Guard};
use crate::desktop::{Environment, editor};
use crate::domain::failure::Failure;

/// What can happen to the board from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// The user, or the terminal.
    Input(Input),
    /// The system.
    Signal(Signal),
    /// The wall clock was set, or the machine has slept.
    ClockJumped,
    /// The terminal has taken an earlier frame: the next one may be drawn.
    CaughtUp,
}

/// What became of a text in the user's editor.
pub type Edited = Result<Option<String>, Failure>;

/// A screen with its keyboard.
pub trait Stage {
    /// What is drawn on.
    type Backend: ratatui::backend::Backend;

    /// What happens next; with `behind`, also that the terminal has caught up. May be dropped while it waits.
    fn next(&mut self, behind: bool) -> impl Future<Output = Happening>;

    /// Input that is there already, without waiting. A signal is left for [`Stage::next`].
    fn try_next(&mut self) -> Option<Input>;

    /// Whether an earlier frame still waits for the terminal.
    fn is_behind(&self) -> bool;

    /// Catches or releases the mouse.
    fn mouse(&self, caught: bool);

    /// Puts the program aside until it is continued; the terminal is taken again then.
    ///
    /// # Errors
    /// When the terminal is gone.
    fn suspend(&mut self) -> impl Future<Output = Result<(), crate::desktop::Error>>;

    /// Gives the terminal to the user's editor, with this text in it, and takes it again: what became of the text; `None`: nothing was
    /// changed.
    ///
    /// # Errors
    /// The outer one when the terminal is gone; the inner one when there is no editor, or it failed.
    fn edit(&mut self, text: &str) -> impl Future<Output = Result<Edited, crate::desktop::Error>>;

    /// Takes the terminal again after it was somebody else's.
    ///
    /// # Errors
    /// When the terminal is gone.
    fn take_again(&self) -> Result<(), crate::desktop::Error>;
}

/// The real terminal.
pub struct RealStage {
    /// What gives it back.
    pub guard: Guard,
    /// The keyboard; none while the terminal is an editor's.
    pub input: Option<InputStream>,
    /// The system.
    pub signals: Signals,
    /// The way to the screen.
    pub output: Output,
    /// Where we run: which editor is the user's.
    pub environment: Environment,
    /// What tells of a clock that jumps, where the system does.
    pub jumps: Option<Jumps>,
}

async fn typed(input: &mut Option<InputStream>) -> Input {
    match input {
        Some(input) => input.next().await,
        None => std::future::pending().await,
    }
}

async fn jumped(jumps: &mut Option<Jumps>) {
    match jumps {
        Some(jumps) => jumps.jumped().await,
        None => std::future::pending().await,
    }
}

impl Stage for RealStage {
    type Backend = ratatui::backend::CrosstermBackend<Output>;

    async fn next(&mut self, behind: bool) -> Happening {
        let output = &self.output;
        tokio::select! {
            biased;
            signal = self.signals.next() => Happening::Signal(signal),
            input = typed(&mut self.input) => Happening::Input(input),
            () = jumped(&mut self.jumps) => Happening::ClockJumped,
            () = output.caught_up(), if behind => Happening::CaughtUp,
        }
    }

    fn try_next(&mut self) -> Option<Input> {
        let next = futures_util::FutureExt::now_or_never(typed(&mut self.input))?;
        // Its stream says this only once: the loop must hear it, and does at the next turn.
        (next != Input::Gone).then_some(next)
    }

    fn is_behind(&self) -> bool {
        self.output.is_behind()
    }

    fn mouse(&self, caught: bool) {
        // A terminal that refuses is one whose going is heard of in a moment.
        drop(self.guard.mouse(caught));
    }

    async fn suspend(&mut self) -> Result<(), crate::desktop::Error> {
        signals::stop(&self.guard, &mut self.signals).await.map(|_| ())
    }

    async fn edit(&mut self, text: &str) -> Result<Edited, crate::desktop::Error> {
        if editor::named(&self.environment).is_none() {
            return Ok(editor::edit(text, &self.environment, &mut self.signals).await);
        }
        // Two readers would share the keys between them: ours ends before the editor starts.
        self.input = None;
        terminal::restore();
        let edited = editor::edit(text, &self.environment, &mut self.signals).await;
        self.guard.take_again()?;
        self.input = Some(InputStream::start()?);
        Ok(edited)
    }

    fn take_again(&self) -> Result<(), crate::desktop::Error> {
        self.guard.take_again()
    }
}
