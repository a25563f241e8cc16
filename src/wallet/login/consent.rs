//! A login at a mytoken server: one order, its consent page, and polling until the user has agreed there.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::alone::{Alone, Asked, Whose};
use super::{Line, cancelled, stopped};
use crate::domain::draft::Draft;
use crate::domain::event::What;
use crate::domain::failure::{Failure, Kind};
use crate::domain::login::{Choice, Order, Polled, Report, Step, View};
use crate::domain::mytoken::{Form, Wanted};
use crate::domain::source::{Source, SourceKind};
use crate::domain::time::later;
use crate::domain::untrusted::Untrusted;
use crate::mytoken::Issued;
use crate::mytoken::consent::{self, Consent};
use crate::mytoken::discovery::{Provider, Server};
use crate::mytoken::polling::{End, Next, Poll, Schedule, poll_once};
use crate::mytoken::transfer::Coded;
use crate::wallet::new_mytoken::may_be_made;
use crate::wallet::offer::offer_of;
use crate::wallet::servers::plain;
use crate::wallet::{Wallet, manager, words};

/// What a login at a mytoken server needs from its start to its end.
pub(super) struct Made<'a> {
    pub(super) order: &'a Order,
    pub(super) source: &'a Source,
    pub(super) server: Arc<Server>,
    pub(super) address: String,
    pub(super) asked: Wanted,
    /// The name to keep it under.
    pub(super) name: String,
    pub(super) doing: &'a str,
}

/// What the server handed out.
pub(super) enum Came {
    Mytoken(Box<Issued>),
    Code(Box<Coded>),
}

/// Why nothing came, and whether a mytoken may exist all the same.
struct Nothing {
    failure: Failure,
    may_exist: bool,
}

impl From<Failure> for Nothing {
    fn from(failure: Failure) -> Self {
        Self { failure, may_exist: false }
    }
}

impl Wallet {
    pub(super) async fn consent(
        self: &Arc<Self>,
        order: &Order,
        source: &Source,
        mut line: Line,
        doing: &str,
    ) -> Result<Report, Failure> {
        if order.draft.as_ref().is_some_and(|draft| draft.form == Form::Code) {
            let why = "behind a code it would be held by nobody here";
            return Err(
                Failure::new(Kind::Unusable, doing, why).hint("Make it in another form, then hand it over.")
            );
        }
        let mut alone = match self.alone_at(order, source, &mut line, doing).await? {
            Ok(alone) => alone,
            Err(report) => return Ok(report),
        };
        let (made, came) = self.agreed(order, source, line, doing).await?;
        match came {
            // Saved first: the server will not give it a second time.
            Came::Mytoken(issued) => {
                let report = self.finish_mytoken(&made, *issued).await?;
                if is_login(order) {
                    alone.brought(&report.id);
                }
                Ok(report)
            }
            Came::Code(_) => Err(unasked_code(doing)),
        }
    }

    /// The right to a login at a mytoken server, or what another program's brought. Something that is made with settings of its own is never
    /// another one's answer: it is waited for, then ours is made.
    pub(super) async fn alone_at(
        self: &Arc<Self>,
        order: &Order,
        source: &Source,
        line: &mut Line,
        doing: &str,
    ) -> Result<Result<Alone, Report>, Failure> {
        let (_, address) = self.server_of(&source.id, doing)?;
        // A name that is taken is said before anybody is waited for.
        let name = self.name_of(order, source, doing)?;
        let provider = order.wished_provider().unwrap_or_default();
        let (what, name) = if is_login(order) {
            ("login", order.name.as_deref().unwrap_or_default())
        } else {
            ("making", name.as_str())
        };
        let parts = [address.as_str(), provider, source.id.as_str(), what, name];
        let asked = Asked { parts: &parts, is_kept: is_login(order), source, doing };
        match self.alone(&asked, line).await? {
            Whose::Ours(alone) => Ok(Ok(alone)),
            Whose::Theirs(came) => Ok(Err(self.joined(&came, &asked, false)?)),
        }
    }

    /// The same for the manager mytoken of this session, which is not kept.
    pub(in crate::wallet) async fn agreed_to_manager(
        self: &Arc<Self>,
        order: &Order,
        source: &Source,
        mut line: Line,
        doing: &str,
    ) -> Result<Issued, Failure> {
        let _alone = self.alone_at(order, source, &mut line, doing).await?;
        match self.agreed(order, source, line, doing).await? {
            (_, Came::Mytoken(issued)) => Ok(*issued),
            (_, Came::Code(_)) => Err(unasked_code(doing)),
        }
    }

    /// Places an order and waits until the user has agreed to it.
    pub(super) async fn agreed<'a>(
        self: &Arc<Self>,
        order: &'a Order,
        source: &'a Source,
        line: Line,
        doing: &'a str,
    ) -> Result<(Made<'a>, Came), Failure> {
        let (_, address) = self.server_of(&source.id, doing)?;
        let name = self.name_of(order, source, doing)?;
        self.may_ask(&address).map_err(|error| words::mytoken(doing, &error))?;
        let mut stop = line.stop.clone();
        let server = tokio::select! {
            biased;
            () = stopped(&mut stop) => return Err(cancelled(doing)),
            server = self.mytoken_server(&address) => server.map_err(|error| words::mytoken(doing, &error))?,
        };
        let Some(draft) = self.to_order(order, source, &server, &name, &line, doing)? else {
            return Err(Failure::new(Kind::Cancelled, doing, "a provider is to be chosen first"));
        };
        let offer = offer_of(&server, &address);
        let circumstances = self.circumstances(&offer);
        may_be_made(&draft, &circumstances, doing)?;
        let asked = draft.wanted(self.now());
        let made = Made { order, source, server, address, asked, name, doing };
        let consent = tokio::select! {
            biased;
            () = stopped(&mut stop) => return Err(cancelled(doing)),
            started = consent::start(&self.http, &made.server, &made.asked) => {
                started.map_err(|error| words::mytoken(doing, &error))?
            }
        };
        // From now on every answer may be the one that holds it.
        self.announce("making a mytoken", &draft, &made.address);
        match self.await_consent(&made, &consent, line).await {
            Ok(came) => Ok((made, came)),
            Err(Nothing { failure, may_exist }) => {
                if !may_exist {
                    self.note(None, What::Noted("no mytoken was made".to_owned()));
                }
                Err(failure)
            }
        }
    }

    /// The name to keep it under. One that is taken is said before anything is asked of anybody.
    fn name_of(&self, order: &Order, source: &Source, doing: &str) -> Result<String, Failure> {
        match (&order.draft, &order.name) {
            // It is not kept here.
            (Some(draft), _) if draft.form == Form::Code || draft.name == manager::NAME => {
                Ok(draft.name.trim().to_owned())
            }
            (Some(draft), wish) => self.name_for(wish.as_deref(), draft, source.id.as_str(), doing),
            (None, Some(name)) => Ok(name.clone()),
            (None, None) => Ok(self.free_name(source.id.as_str())),
        }
    }

    /// What is ordered; `None` where the user must choose a provider first, which he was then asked to.
    fn to_order(
        &self,
        order: &Order,
        source: &Source,
        server: &Server,
        name: &str,
        line: &Line,
        doing: &str,
    ) -> Result<Option<Draft>, Failure> {
        let mut draft = match (&order.draft, &source.kind) {
            (Some(draft), _) => draft.clone(),
            (None, SourceKind::Profile(profile)) => profile.draft.clone(),
            (None, SourceKind::Server(_) | SourceKind::Issuer(_)) => Draft::default(),
        };
        if order.draft.is_none() {
            // Nobody was asked what it is to be: what the server takes by default is said in so many words.
            draft.capabilities = draft.wanted(self.now()).may();
        }
        let wanted =
            order.provider.as_deref().or(Some(draft.provider.as_str()).filter(|issuer| !issuer.is_empty()));
        let provider = match (wanted, server.providers.as_slice()) {
            (Some(wanted), offered) => {
                let is_called = |offer: &&Provider| {
                    offer.name.as_ref().is_some_and(|name| name.raw().eq_ignore_ascii_case(wanted))
                };
                let found = offered.iter().find(|offer| plain(offer.issuer.raw()) == plain(wanted));
                let found = found.or_else(|| offered.iter().find(is_called));
                let Some(found) = found else {
                    let why = format!("{} does not offer the provider {wanted}", source.name);
                    return Err(Failure::new(Kind::Failed, doing, why));
                };
                found.issuer.clone()
            }
            (None, [only]) => only.issuer.clone(),
            (None, []) => {
                return Err(Failure::new(Kind::Failed, doing, "this mytoken server offers no provider"));
            }
            (None, offered) => {
                let choices = offered.iter().map(|offer| Choice {
                    issuer: offer.issuer.raw().to_owned(),
                    name: offer.name.clone().unwrap_or_else(|| offer.issuer.clone()),
                });
                line.step(Step::Choose(choices.collect()));
                return Ok(None);
            }
        };
        let there = if draft.name.trim().is_empty() { name.to_owned() } else { draft.name.trim().to_owned() };
        Ok(Some(Draft { provider: provider.raw().to_owned(), name: there, ..draft }))
    }

    async fn await_consent(&self, made: &Made<'_>, consent: &Consent, line: Line) -> Result<Came, Nothing> {
        let now = self.now();
        let mut schedule = Schedule::new(consent.interval);
        let mut pause = schedule.first();
        let mut view = view_of(self, made, consent, now);
        set_polling(&mut view, 0, Some(pause), None, now);
        line.tell(&view);
        line.step(Step::MayOpen(consent.uri.to_string()));
        let deadline = tokio::time::Instant::now() + consent.expires_in;
        let mut stop = line.stop.clone();
        let mut asked = 0;
        loop {
            let at = tokio::time::Instant::now() + pause;
            // The last question is asked when the time is up: who agrees in the last seconds is heard.
            let last = at >= deadline;
            tokio::select! {
                biased;
                () = stopped(&mut stop) => return Err(cancelled(made.doing).into()),
                () = tokio::time::sleep_until(at.min(deadline)) => {}
            }
            asked += 1;
            set_polling(&mut view, asked, None, None, self.now());
            line.tell(&view);
            // Not dropped on a stop: this answer may be the one with the mytoken.
            let poll = poll_once(&self.http, &made.server, consent).await;
            let trouble = match &poll {
                Poll::Trouble(error) => Some(format!("{error}; asking again")),
                Poll::RateLimited(wait) => Some(format!("the server asks to wait {} s", wait.as_secs())),
                _ => None,
            };
            match schedule.after(poll) {
                Next::Stop(End::Granted(issued)) => return Ok(Came::Mytoken(issued)),
                Next::Stop(End::Code(coded)) => return Ok(Came::Code(coded)),
                Next::Stop(end) => return Err(ended(made.doing, end)),
                Next::Ask(_) if last => return Err(ended(made.doing, End::TimedOut)),
                Next::Ask(next) => pause = next,
            }
            set_polling(&mut view, asked, Some(pause), trouble, self.now());
            line.tell(&view);
        }
    }
}

/// Whether it is a login for what the server or a profile gives, and not the making of something with settings of its own.
fn is_login(order: &Order) -> bool {
    order.draft.is_none()
}

fn unasked_code(doing: &str) -> Failure {
    let why = "the mytoken came as a transfer code, which was not asked for";
    Failure::new(Kind::Failed, doing, why)
        .hint("It exists at the server and nobody holds it: revoke it there.")
}

fn view_of(wallet: &Wallet, made: &Made<'_>, consent: &Consent, now: Timestamp) -> View {
    let mut asking: Vec<String> = made.asked.may().iter().map(|capability| capability.0.shown()).collect();
    for clause in &made.asked.restrictions {
        asking.extend(clause.scopes.iter().flatten().map(Untrusted::shown));
        asking.extend(clause.uses_at.map(|uses| format!("{uses} access tokens")));
    }
    let ends = later(now, SignedDuration::try_from(consent.expires_in).unwrap_or(SignedDuration::MAX));
    let then = match made.asked.form {
        _ if made.name == manager::NAME => manager::THEN.to_owned(),
        Form::Code => "hand it over by a code; it is not kept here".to_owned(),
        Form::Token | Form::Short => format!("keep the mytoken, {}, as {}", wallet.kept_how(), made.name),
    };
    View {
        at: made.source.name.clone(),
        asking,
        client: String::new(),
        then,
        ends: Some(ends),
        consent: Some(Polled {
            address: Untrusted::from(consent.uri.as_str()),
            complete: Some(Untrusted::from(consent.uri.as_str())),
            code: None,
            asked: 0,
            next: None,
            ends,
            trouble: None,
        }),
        ..View::default()
    }
}

fn set_polling(view: &mut View, asked: u32, next: Option<Duration>, trouble: Option<String>, now: Timestamp) {
    let Some(polled) = view.consent.as_mut() else { return };
    polled.asked = asked;
    polled.next =
        next.map(|pause| later(now, SignedDuration::try_from(pause).unwrap_or(SignedDuration::MAX)));
    polled.trouble = trouble;
}

fn ended(doing: &str, end: End) -> Nothing {
    let failed = |why: &str, hint: &str| Nothing::from(Failure::new(Kind::Failed, doing, why).hint(hint));
    let perhaps = |why: &str, hint: &str| Nothing { may_exist: true, ..failed(why, hint) };
    match end {
        End::Declined => failed(
            "it was declined on the consent page",
            "Nothing was made. Start again if that was a mistake.",
        ),
        End::TimedOut => failed(
            "nobody agreed in time",
            "Look at the browser: a login that failed there looks the same from here. Start again.",
        ),
        End::Failed => failed(
            "the login failed at the provider, or its mytoken was collected already",
            "Look at the browser for the reason, then start again.",
        ),
        End::Lost => perhaps(
            "the mytoken was made, and its answer cannot be read",
            "It exists at the server: revoke it there.",
        ),
        End::PerhapsLost => perhaps(
            "an answer did not arrive, and the code is used up now: the mytoken may have been in it",
            "If so it exists at the server: revoke it there. Start again.",
        ),
        End::Refused(no) => words::mytoken(doing, &no.into()).into(),
        End::Stopped | End::Granted(_) | End::Code(_) => cancelled(doing).into(),
    }
}
