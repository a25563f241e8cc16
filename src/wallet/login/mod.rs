//! Log in: every route at once, one of them redeems, what came is kept before it is shown.

pub(super) mod alone;
mod compared;
mod consent;
mod device;
mod finish;
mod finish_mytoken;
mod race;
mod routes;

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::granted::audience_refused;
use super::{Wallet, gone};
use crate::domain::event::What;
use crate::domain::failure::{Failure, Kind};
use crate::domain::handed::Handed;
use crate::domain::login::{Order, Report, Step, View};
use crate::domain::secret::Secret;
use crate::domain::source::{Issuer, Source, SourceKind};
use crate::store;

/// The line between a login and whoever watches it.
pub struct Line {
    /// Tells what happens. Nobody listening is no reason to stop.
    steps: mpsc::UnboundedSender<Step>,
    /// Redirect addresses that the user pastes.
    pasted: mpsc::UnboundedReceiver<Secret>,
    /// The other end of that, for whoever joins this login.
    paste: mpsc::WeakUnboundedSender<Secret>,
    /// Turns true, or is dropped, when the user has had enough.
    stop: watch::Receiver<bool>,
    /// Turns true when a browser was opened here.
    opened: watch::Receiver<bool>,
    /// The panel, for whoever joins this login.
    shown: Option<watch::Sender<Option<Box<View>>>>,
}

/// The watcher's end of a [`Line`].
pub struct Watch {
    /// What happens.
    pub steps: mpsc::UnboundedReceiver<Step>,
    /// For redirect addresses that the user pastes.
    pub pasted: mpsc::UnboundedSender<Secret>,
    /// Ends the login: send `true`, or drop it. Ports are freed at once; an answer that is under way is awaited.
    pub stop: watch::Sender<bool>,
    /// Says that a browser was opened here: send `true`. From then on its silence is counted.
    pub opened: watch::Sender<bool>,
}

/// A new line.
#[must_use]
pub fn line() -> (Line, Watch) {
    let (steps, told) = mpsc::unbounded_channel();
    let (paste, pasted) = mpsc::unbounded_channel();
    let (end, stop) = watch::channel(false);
    let (open, opened) = watch::channel(false);
    let line = Line { steps, pasted, paste: paste.downgrade(), stop, opened, shown: None };
    (line, Watch { steps: told, pasted: paste, stop: end, opened: open })
}

impl Line {
    fn tell(&self, view: &View) {
        if let Some(shown) = &self.shown {
            shown.send_replace(Some(Box::new(view.clone())));
        }
        self.step(Step::View(Box::new(view.clone())));
    }

    fn step(&self, step: Step) {
        // The watcher may be gone; the login goes on until it is stopped.
        drop(self.steps.send(step));
    }
}

/// Waits until the user has had enough.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the other end is gone: nobody waits for the login any more.
    drop(stop.wait_for(|stop| *stop).await);
}

/// Whether the user has had enough.
fn is_stopped(stop: &watch::Receiver<bool>) -> bool {
    *stop.borrow() || stop.has_changed().is_err()
}

fn cancelled(doing: &str) -> Failure {
    Failure::new(Kind::Cancelled, doing, "it was cancelled; nothing is lost")
}

impl Wallet {
    /// Logs in at a source: at a provider by device code, browser and paste-back at once; at a mytoken server through its
    /// consent page.
    ///
    /// # Errors
    /// With the deciding fact: denied, expired, refused, not reached, cancelled are told apart.
    pub async fn log_in(self: &Arc<Self>, order: Order, line: Line) -> Result<Report, Failure> {
        self.log_in_for(order, BTreeSet::new(), line).await
    }

    /// The same for access tokens that are good for these audiences only. They are remembered with the login, and asked for at each renewal; logged
    /// in anew under its name, they are asked for again.
    ///
    /// # Errors
    /// As for [`Wallet::log_in`], and where the provider takes no audience, before anything is sent.
    pub async fn log_in_for(
        self: &Arc<Self>,
        order: Order,
        audiences: BTreeSet<String>,
        line: Line,
    ) -> Result<Report, Failure> {
        let Some(source) = self.source(&order.source) else {
            let why = format!("{} is not listed here", order.source.as_str());
            return Err(Failure::new(Kind::Unusable, "Logging in", why));
        };
        let doing = format!("Logging in at {}", source.name);
        self.may_change(&doing)?;
        if !self.vault().is_open() {
            // What came could not be kept.
            return Err(gone(doing, &store::Error::Locked));
        }
        let wallet = Arc::clone(self);
        let task = async move {
            match &source.kind {
                SourceKind::Issuer(issuer) => {
                    let audiences = wallet.audiences(&order, &source, issuer, audiences, &doing)?;
                    wallet.race(&order, audiences, &source, issuer, line, &doing).await
                }
                SourceKind::Server(_) | SourceKind::Profile(_) if !audiences.is_empty() => {
                    let why = "a mytoken has its audiences in its restrictions";
                    Err(Failure::new(Kind::Unusable, doing, why)
                        .hint("toktui mytoken create NAME --audience AUDIENCE."))
                }
                SourceKind::Server(_) | SourceKind::Profile(_) => {
                    wallet.consent(&order, &source, line, &doing).await
                }
            }
        };
        let result = self.to_its_end("Logging in", task).await;
        self.note_failed(&result);
        result
    }

    /// The audiences to ask for: those that are wanted, else those of the login that stands under the name.
    fn audiences(
        &self,
        order: &Order,
        source: &Source,
        issuer: &Issuer,
        wanted: BTreeSet<String>,
        doing: &str,
    ) -> Result<BTreeSet<String>, Failure> {
        if let Some(why) = audience_refused(issuer, &source.name, &wanted) {
            return Err(Failure::new(Kind::Unusable, doing, why).hint(
                "Nothing was sent. `audience_parameter` in the config says how this provider takes one.",
            ));
        }
        let earlier = || {
            let id = self.find(order.name.as_deref().unwrap_or(source.id.as_str()))?;
            let held =
                self.store.get(&id).ok().filter(|held| order.name.is_some() && held.source == source.id)?;
            Some(held.ask.audiences)
        };
        Ok(if wanted.is_empty() { earlier().unwrap_or_default() } else { wanted })
    }

    /// Logs in at a mytoken server for a mytoken that is handed out as a code: it is not kept here, whoever redeems the code has it.
    ///
    /// # Errors
    /// As for [`Wallet::log_in`], and when the server hands out no codes.
    pub async fn log_in_for_code(self: &Arc<Self>, order: Order, line: Line) -> Result<Handed, Failure> {
        let Some(source) = self.source(&order.source) else {
            let why = format!("{} is not listed here", order.source.as_str());
            return Err(Failure::new(Kind::Unusable, "Logging in", why));
        };
        let doing = format!("Logging in at {}", source.name);
        self.may_change(&doing)?;
        let wallet = Arc::clone(self);
        let task = async move { wallet.consent_to_code(order, &source, line, &doing).await };
        let result = self.to_its_end("Logging in", task).await;
        self.note_failed(&result);
        result
    }

    fn note_failed<T>(&self, result: &Result<T, Failure>) {
        if let Err(failure) = result
            && failure.kind != Kind::Cancelled
        {
            self.note(None, What::LoginFailed);
        }
    }
}
