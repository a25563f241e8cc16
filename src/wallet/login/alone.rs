//! One login of a kind at a time: the same issuer, client, scopes, audiences and name. Who asks later joins: he is told who has it under
//! way, waits, and what comes of it is his answer, too; so fifty scripts whose login has ended open one browser and not fifty. If it comes
//! to nothing, or its program dies, the next one goes on with a login of its own.
//!
//! Within a program the later asker sees the first one's panel, and may paste there. Other programs know nothing of its routes: a device
//! code is not written down for them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use super::{Line, cancelled, stopped};
use crate::domain::credential::{Chain, CredentialId};
use crate::domain::failure::Failure;
use crate::domain::login::{Report, View};
use crate::domain::secret::Secret;
use crate::domain::source::Source;
use crate::store::{Errand, Lock};
use crate::wallet::Wallet;

/// The logins that are under way in this program, by what tells them apart.
pub(in crate::wallet) type UnderWay = Mutex<HashMap<String, Shared>>;

/// What those who join a login of this program share with it.
#[derive(Clone)]
pub(in crate::wallet) struct Shared {
    view: watch::Receiver<Option<Box<View>>>,
    /// What came of it. Its other end goes with the login.
    came: watch::Receiver<Option<CredentialId>>,
    paste: mpsc::WeakUnboundedSender<Secret>,
}

/// Who has the right to a login.
pub(super) enum Whose {
    /// We: it may begin.
    Ours(Alone),
    /// Somebody else had it; this came of it.
    Theirs(Joined),
}

/// What came of a login that somebody else had under way.
pub(super) struct Joined {
    id: CredentialId,
    /// Who had it, in words.
    by: String,
}

/// What a login is, before it may begin.
pub(super) struct Asked<'a> {
    /// What tells it apart from every other one.
    pub(super) parts: &'a [&'a str],
    /// Whether what comes of it is held under a name, so that it can be another asker's answer.
    pub(super) is_kept: bool,
    pub(super) source: &'a Source,
    pub(super) doing: &'a str,
}

/// The right to log in so. Dropping it gives the right back.
pub(super) struct Alone {
    wallet: Arc<Wallet>,
    key: String,
    came: watch::Sender<Option<CredentialId>>,
    lock: Option<Lock>,
    started: Timestamp,
}

impl Alone {
    /// Says to those who wait what came of it. To be called when that is held.
    pub(super) fn brought(&mut self, id: &CredentialId) {
        if let Some(lock) = &mut self.lock {
            // The number tells it apart from what the same login brought at another time.
            lock.leave(&format!("{} {}", id.0, self.started.as_nanosecond()));
        }
        self.came.send_replace(Some(id.clone()));
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        drop(self.lock.take());
        under_way(&self.wallet).remove(&self.key);
    }
}

fn under_way(wallet: &Wallet) -> MutexGuard<'_, HashMap<String, Shared>> {
    wallet.logins.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Wallet {
    /// Waits for the right to a login. No lock of the store is held for it: a human takes his time.
    ///
    /// # Errors
    /// When the user has had enough of waiting.
    pub(super) async fn alone(
        self: &Arc<Self>,
        asked: &Asked<'_>,
        line: &mut Line,
    ) -> Result<Whose, Failure> {
        let key = key(asked.parts);
        let mut stop = line.stop.clone();
        let whose = async {
            loop {
                match self.first(&key, line) {
                    Ok(alone) => return self.among_programs(alone, asked, line).await,
                    Err(shared) => {
                        if let Some(id) = together(shared, asked.is_kept, line).await {
                            return Whose::Theirs(Joined { id, by: "in this program".to_owned() });
                        }
                    }
                }
            }
        };
        tokio::select! {
            biased;
            () = stopped(&mut stop) => Err(cancelled(asked.doing)),
            whose = whose => Ok(whose),
        }
    }

    /// The right among the logins of this program, or what the one that has it shares.
    fn first(self: &Arc<Self>, key: &str, line: &mut Line) -> Result<Alone, Shared> {
        let mut logins = under_way(self);
        if let Some(shared) = logins.get(key) {
            return Err(shared.clone());
        }
        let (shown, view) = watch::channel(None);
        let (sender, came) = watch::channel(None);
        logins.insert(key.to_owned(), Shared { view, came, paste: line.paste.clone() });
        line.shown = Some(shown);
        Ok(Alone {
            wallet: Arc::clone(self),
            key: key.to_owned(),
            came: sender,
            lock: None,
            started: self.now(),
        })
    }

    /// The right among the programs that share this store.
    async fn among_programs(self: &Arc<Self>, mut alone: Alone, asked: &Asked<'_>, line: &Line) -> Whose {
        // Where nobody can be kept away, two logins at once are the lesser harm.
        let Some(errand) = self.store.errand(&alone.key) else { return Whose::Ours(alone) };
        let by = match errand.begin() {
            Ok(Ok(lock)) => {
                alone.lock = Some(lock);
                return Whose::Ours(alone);
            }
            Ok(Err(who)) => who,
            Err(_) => return Whose::Ours(alone),
        };
        line.tell(&waiting(asked.source, &by));
        if let Some(joined) = self.came_of(&errand, by, asked, &mut alone).await {
            // Whoever joined us has the same answer.
            alone.came.send_replace(Some(joined.id.clone()));
            return Whose::Theirs(joined);
        }
        Whose::Ours(alone)
    }

    /// Waits until the other program's login has ended. What came of it, if that is held; else the right is ours.
    async fn came_of(
        &self,
        errand: &Errand,
        by: String,
        asked: &Asked<'_>,
        alone: &mut Alone,
    ) -> Option<Joined> {
        let ended = errand.ended().await.ok()?;
        let id = ended.word.as_deref().and_then(|word| word.split(' ').next());
        if let Some(id) = id.filter(|_| asked.is_kept).map(|id| CredentialId(id.to_owned())) {
            self.refresh().await;
            if self.view(&id).is_ok_and(|held| held.source == asked.source.id) {
                // At the start it may not have been known yet who that was.
                return Some(Joined { id, by: ended.by.unwrap_or(by) });
            }
        }
        alone.lock = Some(errand.take_over(ended));
        None
    }

    /// What somebody else's login brought, as the answer to who asked for the same.
    pub(super) fn joined(
        &self,
        joined: &Joined,
        asked: &Asked<'_>,
        wants_refresh: bool,
    ) -> Result<Report, Failure> {
        let held = self.view(&joined.id)?;
        let brought_none = wants_refresh && matches!(held.chain, Chain::None);
        Ok(Report {
            id: held.id,
            name: held.name,
            at: asked.source.name.clone(),
            lines: Vec::new(),
            no_refresh: brought_none.then(|| "the login that was under way brought none".to_owned()),
            remarks: vec![format!("by the login that was under way already: {}", joined.by)],
        })
    }
}

/// Shows what a login of this program shows, and gives it what is pasted here, until it has ended; what came of it, if that is wanted.
async fn together(shared: Shared, is_kept: bool, line: &mut Line) -> Option<CredentialId> {
    let Shared { mut view, mut came, paste } = shared;
    let mut shows = true;
    let ended = async move {
        if is_kept {
            came.wait_for(Option::is_some).await.ok().and_then(|came| came.clone())
        } else {
            while came.changed().await.is_ok() {}
            None
        }
    };
    tokio::pin!(ended);
    loop {
        let last = view.borrow_and_update().clone();
        if let Some(view) = last {
            line.tell(&view);
        }
        tokio::select! {
            biased;
            came = &mut ended => return came,
            changed = view.changed(), if shows => shows = changed.is_ok(),
            Some(text) = line.pasted.recv() => {
                // If it takes no more, its end is near.
                drop(paste.upgrade().map(|paste| paste.send(text)));
            }
        }
    }
}

fn waiting(source: &Source, by: &str) -> View {
    View { at: source.name.clone(), under_way: Some(by.to_owned()), ..View::default() }
}

/// A file's name that says nothing of whose login it is. A length before each part keeps two lists of parts apart.
fn key(parts: &[&str]) -> String {
    let text = parts.iter().map(|part| format!("{}:{part}", part.len())).collect::<Vec<_>>().concat();
    let print = digest(&SHA256, text.as_bytes());
    let hex: Vec<_> = print.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("login-{}", hex.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_that_differ_in_anything_have_different_locks() {
        let keys = [&["a", "b"][..], &["ab"], &["a", "", "b"], &["a", "b", ""], &["b", "a"]].map(key);
        let different: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(different.len(), keys.len());
        assert_eq!(key(&["a", "b"]), keys[0]);
        assert!(
            keys[0].len() == 38 && keys[0].bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        );
    }
}
