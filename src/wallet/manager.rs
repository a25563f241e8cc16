//! The manager mytoken of a session: one hour, list, revoke and history, never kept, revoked at the session's end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

use super::family::{HISTORY, LIST, REVOKE};
use super::login::Line;
use super::question::{Answered, Question};
use super::servers::{locked, plain};
use super::{Wallet, words};
use crate::domain::draft::{Draft, DraftClause, When};
use crate::domain::event::What;
use crate::domain::failure::{Failure, Kind};
use crate::domain::login::Order;
use crate::domain::mytoken::{Capability, can};
use crate::domain::secret::Secret;
use crate::domain::source::SourceId;
use crate::domain::time::later;
use crate::domain::untrusted::Untrusted;
use crate::mytoken::{Error, Issued, No, Reason, Reply, revocation, tokeninfo};

const DOING: &str = "Logging in to manage mytokens";
/// What it is called in its server's list.
pub const NAME: &str = "toktui manager";
/// What happens with it, for the panel of its login.
pub(super) const THEN: &str =
    "list, revoke and read histories with it, and revoke it at the end of this session; it is never kept";
/// How long it lives, in seconds.
const LIFE: u32 = 3600;

/// The manager mytokens of this session.
#[derive(Default)]
pub(super) struct Managers {
    /// By the address of their server.
    open: Mutex<HashMap<String, Manager>>,
    /// Held while one is used: should the consent page have made it rotate, two requests at once would ruin it.
    turn: tokio::sync::Mutex<()>,
}

/// One of them. Its value is in memory only, and wiped when it goes.
#[derive(Clone)]
struct Manager {
    value: Secret,
    mom_id: Option<Untrusted>,
    may: Vec<Capability>,
    /// When it ends by itself; `None`: the consent page took its end away.
    ends: Option<Timestamp>,
    /// Not used after this moment.
    until: Timestamp,
}

impl Manager {
    fn of(issued: Issued, now: Timestamp) -> Self {
        let hour = later(now, SignedDuration::from_secs(LIFE.into()));
        let Issued { mytoken, facts, .. } = issued;
        let ends = facts.ends();
        let until = ends.map_or(hour, |end| end.min(hour));
        Self { value: mytoken, mom_id: facts.mom_id, may: facts.capabilities, ends, until }
    }

    /// What becomes of it if nobody revokes it.
    fn end(&self) -> String {
        match self.ends {
            Some(end) => format!("it ends by itself at {} UTC", end.strftime("%H:%M:%S")),
            None => "it does not end by itself: revoke it there".to_owned(),
        }
    }
}

/// The manager mytoken of a server, in words.
fn called(server: &str) -> String {
    let host = url::Url::parse(server).map_or_else(|_| server.to_owned(), |url| crate::http::host_of(&url));
    format!("the manager mytoken at {host}")
}

impl Wallet {
    /// Logs in for a manager mytoken at the server of this row, through its consent page; until when it lives.
    ///
    /// # Errors
    /// As for a login.
    pub async fn open_manager(
        self: &Arc<Self>,
        source: &SourceId,
        provider: Option<&str>,
        line: Line,
    ) -> Result<Timestamp, Failure> {
        self.may_change(DOING)?;
        let (Some(row), Some(server)) = (self.source(source), self.address_behind(source)) else {
            return Err(Failure::new(Kind::Unusable, DOING, "there is no mytoken server behind this row"));
        };
        let provider = provider.map(str::to_owned);
        let order = Order { provider, draft: Some(draft()), ..Order::at(source.clone()) };
        let wallet = Arc::clone(self);
        let task = async move {
            let issued = wallet.agreed_to_manager(&order, &row, line, DOING).await?;
            wallet.take_manager(&server, issued).await
        };
        self.to_its_end(DOING, task).await
    }

    async fn take_manager(&self, server: &str, issued: Issued) -> Result<Timestamp, Failure> {
        let manager = Manager::of(issued, self.now());
        let until = manager.until;
        let may_list = can(&manager.may, LIST);
        // In its turn: what still comes back for the one before must not be taken for an answer to this one.
        let turn = self.managers.turn.lock().await;
        let before = locked(&self.managers.open).insert(plain(server), manager);
        if let Some(before) = before {
            // One session has one: what it is called at its server tells nobody which.
            if let Err(said) = self.end_manager(server, &before).await {
                self.note_with(None, What::Noted("manager mytoken left over".to_owned()), &said);
            }
        }
        drop(turn);
        self.note_about(None, None, What::Noted("manager mytoken made".to_owned()), NAME);
        if may_list {
            return Ok(until);
        }
        let why = match self.close_manager(server).await {
            Ok(()) => "the consent page took the right to list away, so it was revoked again".to_owned(),
            Err(said) => format!("the consent page took the right to list away, and {said}"),
        };
        Err(Failure::new(Kind::Failed, DOING, why))
    }

    /// Until when there is a manager mytoken for the server of this row.
    #[must_use]
    pub fn manager(&self, source: &SourceId) -> Option<Timestamp> {
        let server = self.address_behind(source)?;
        self.manager_at(&server).map(|manager| manager.until)
    }

    /// Revokes every manager mytoken of this session: to be awaited before the program ends. What is to be said: those that could not be revoked,
    /// and when they end by themselves.
    pub async fn close_managers(self: &Arc<Self>) -> Vec<String> {
        let servers: Vec<String> = locked(&self.managers.open).keys().cloned().collect();
        let mut said = Vec::new();
        for server in servers {
            said.extend(self.close_manager(&server).await.err());
        }
        said
    }

    /// Revokes the one of this server. It is let go of only then, so that it can be tried again.
    ///
    /// # Errors
    /// What is to be said if that did not work.
    pub(super) async fn close_manager(&self, server: &str) -> Result<(), String> {
        let _turn = self.managers.turn.lock().await;
        let Some(manager) = locked(&self.managers.open).get(&plain(server)).cloned() else { return Ok(()) };
        self.end_manager(server, &manager).await?;
        locked(&self.managers.open).remove(&plain(server));
        Ok(())
    }

    /// The manager mytokens that still live, in words: those that could not be revoked before the program was left.
    #[must_use]
    pub fn managers_left(&self) -> Vec<String> {
        let now = self.now();
        let open = locked(&self.managers.open);
        let alive = open.iter().filter(|(_, manager)| manager.ends.is_none_or(|end| end > now));
        alive
            .map(|(server, manager)| format!("{} was not revoked; {}", called(server), manager.end()))
            .collect()
    }

    async fn end_manager(&self, server: &str, manager: &Manager) -> Result<(), String> {
        let now = self.now();
        if manager.ends.is_some_and(|end| end <= now) {
            return Ok(());
        }
        let failed =
            |why: &str| format!("{} could not be revoked ({why}); {}", called(server), manager.end());
        let words = |error: &Error| words::without(words::mytoken("", error), &[&manager.value]).why;
        let known = self.mytoken_server(server).await.map_err(|error| failed(&words(&error)))?;
        let done = revocation::revoke(&self.http, &known, &manager.value, true).await;
        self.heed(server, &done);
        done.outcome.map_err(|error| failed(&words(&error)))?;
        // A 204 proves nothing: only one that lives is told what it lacks.
        let asked = tokeninfo::introspect(&self.http, &known, &manager.value).await;
        self.heed(server, &asked);
        match asked.outcome {
            Ok(_) | Err(Error::Refused(No::LacksCapability)) => Err(failed("it is still alive")),
            Err(_) => {
                self.note_about(None, manager.mom_id.clone(), What::Revoked, NAME);
                Ok(())
            }
        }
    }

    fn manager_at(&self, server: &str) -> Option<Manager> {
        let now = self.now();
        locked(&self.managers.open).get(&plain(server)).filter(|manager| manager.until > now).cloned()
    }

    /// Whether there is a manager at the server of this row that may do this.
    pub(super) fn manager_may(&self, source: &SourceId, needed: &str) -> bool {
        let server = self.address_behind(source);
        server.is_some_and(|server| self.manager_there_may(&server, needed))
    }

    /// The same for the server at an address.
    pub(super) fn manager_there_may(&self, server: &str, needed: &str) -> bool {
        self.manager_at(server).is_some_and(|manager| can(&manager.may, needed))
    }

    /// Its id.
    pub(super) fn manager_id(&self, server: &str) -> Option<Untrusted> {
        self.manager_at(server)?.mom_id
    }

    /// Asks with the manager mytoken of this session. It is made without restrictions that count and without rotation; should the consent
    /// page have given it one, the new copy takes its place.
    pub(super) async fn ask_with_manager<Q: Question>(
        &self,
        server: &str,
        question: &Q,
        doing: &str,
    ) -> Result<Answered<Q::Answer>, Failure> {
        if !Q::COUNTED {
            self.may_change(doing)?;
        }
        let _turn = self.managers.turn.lock().await;
        let Some(manager) = self.manager_at(server) else {
            let why = "there is no manager mytoken any more: it lives for an hour";
            return Err(Failure::new(Kind::NotValid, doing, why).hint("Log in for another one."));
        };
        let failed = |error: &Error| words::without(words::mytoken(doing, error), &[&manager.value]);
        self.may_ask(server).map_err(|error| failed(&error))?;
        let known = self.mytoken_server(server).await.map_err(|error| failed(&error))?;
        let reply = question.put(&self.http, &known, &manager.value).await;
        self.heed(server, &reply);
        let Reply { update, date, outcome, .. } = reply;
        if let Some(update) = update {
            locked(&self.managers.open).insert(plain(server), Manager::of(update, self.now()));
        }
        let is_over = matches!(
            outcome,
            Err(Error::Refused(No::InvalidToken(
                Reason::Unidentified | Reason::Expired | Reason::UnknownShort
            )))
        );
        if is_over {
            locked(&self.managers.open).remove(&plain(server));
        }
        match outcome {
            Ok(answer) => Ok(Answered { answer, server: server.to_owned(), date }),
            Err(error) if is_over => Err(failed(&error).hint("Log in for another one.")),
            Err(error) => Err(failed(&error)),
        }
    }
}

/// What it is asked to be: three rights, one hour, no rotation.
fn draft() -> Draft {
    let clause = DraftClause { ends: Some(When::In(LIFE.into())), ..DraftClause::default() };
    Draft {
        name: NAME.to_owned(),
        capabilities: [LIST, REVOKE, HISTORY].map(Capability::new).into(),
        clauses: vec![clause],
        ..Draft::default()
    }
}
