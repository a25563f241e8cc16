//! A login at a mytoken server: one order, its consent page, and polling until the user has agreed there.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Line, cancelled, stopped};
use crate::domain::draft::Draft;
use crate::domain::failure::{Failure, Kind};
use crate::domain::login::{Choice, Order, Polled, Report, Step, View};
use crate::domain::mytoken::Wanted;
use crate::domain::source::{Source, SourceKind};
use crate::domain::time::later;
use crate::domain::untrusted::Untrusted;
use crate::mytoken::consent::{self, Consent};
use crate::mytoken::discovery::Server;
use crate::mytoken::polling::{End, Next, Poll, Schedule, poll_once};
use crate::wallet::servers::plain;
use crate::wallet::{Wallet, words};

/// What a login at a mytoken server needs from its start to its end.
pub(super) struct Made<'a> {
    pub(super) order: &'a Order,
    pub(super) source: &'a Source,
    pub(super) server: Arc<Server>,
    pub(super) address: String,
    pub(super) asked: Wanted,
    pub(super) doing: &'a str,
}

impl Wallet {
    pub(super) async fn consent(
        self: &Arc<Self>,
        order: &Order,
        source: &Source,
        line: Line,
        doing: &str,
    ) -> Result<Report, Failure> {
        let address = self.address_of(source, doing)?;
        let provider = order.provider.as_deref().unwrap_or_default();
        let name = order.name.as_deref().unwrap_or_default();
        let _alone = self.alone(&[&address, provider, source.id.as_str(), name], doing)?;
        let mut stop = line.stop.clone();
        let server = tokio::select! {
            biased;
            () = stopped(&mut stop) => return Err(cancelled(doing)),
            server = self.mytoken_server(&address) => server.map_err(|error| words::mytoken(doing, &error))?,
        };
        let Some(asked) = self.to_order(order, source, &server, &line, doing)? else {
            return Err(Failure::new(Kind::Cancelled, doing, "a provider is to be chosen first"));
        };
        let made = Made { order, source, server, address, asked, doing };
        let consent = tokio::select! {
            biased;
            () = stopped(&mut stop) => return Err(cancelled(doing)),
            started = consent::start(&self.http, &made.server, &made.asked) => {
                started.map_err(|error| words::mytoken(doing, &error))?
            }
        };
        match self.await_consent(&made, &consent, line).await {
            // Saved first: the server will not give it a second time.
            Ok(issued) => self.finish_mytoken(&made, issued).await,
            Err(failure) => Err(failure),
        }
    }

    fn address_of(&self, source: &Source, doing: &str) -> Result<String, Failure> {
        let server = match &source.kind {
            SourceKind::Server(server) => return Ok(server.address.clone()),
            SourceKind::Profile(profile) => self.source(&profile.server),
            SourceKind::Issuer(_) => None,
        };
        match server.map(|source| source.kind) {
            Some(SourceKind::Server(server)) => Ok(server.address),
            _ => Err(Failure::new(
                Kind::Unusable,
                doing,
                "the profile names a mytoken server that is not listed",
            )),
        }
    }

    /// What is ordered; `None` where the user must choose a provider first, which he was then asked to.
    fn to_order(
        &self,
        order: &Order,
        source: &Source,
        server: &Server,
        line: &Line,
        doing: &str,
    ) -> Result<Option<Wanted>, Failure> {
        let draft = match (&order.draft, &source.kind) {
            (Some(draft), _) => draft.clone(),
            (None, SourceKind::Profile(profile)) => profile.draft.clone(),
            (None, SourceKind::Server(_) | SourceKind::Issuer(_)) => Draft::default(),
        };
        let wanted =
            order.provider.as_deref().or(Some(draft.provider.as_str()).filter(|issuer| !issuer.is_empty()));
        let provider = match (wanted, server.providers.as_slice()) {
            (Some(wanted), offered) => {
                let found = offered.iter().find(|offer| plain(offer.issuer.raw()) == plain(wanted));
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
        let name = order.name.clone().unwrap_or_else(|| self.free_name(source.id.as_str()));
        Ok(Some(Wanted { provider, name: Some(name), ..draft.wanted(self.now()) }))
    }

    async fn await_consent(
        &self,
        made: &Made<'_>,
        consent: &Consent,
        line: Line,
    ) -> Result<crate::mytoken::Issued, Failure> {
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
                () = stopped(&mut stop) => return Err(cancelled(made.doing)),
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
                Next::Stop(End::Granted(issued)) => return Ok(*issued),
                Next::Stop(end) => return Err(ended(made.doing, end)),
                Next::Ask(_) if last => return Err(ended(made.doing, End::TimedOut)),
                Next::Ask(next) => pause = next,
            }
            set_polling(&mut view, asked, Some(pause), trouble, self.now());
            line.tell(&view);
        }
    }
}

fn view_of(wallet: &Wallet, made: &Made<'_>, consent: &Consent, now: Timestamp) -> View {
    let mut asking: Vec<String> = made.asked.may().iter().map(|capability| capability.0.shown()).collect();
    for clause in &made.asked.restrictions {
        asking.extend(clause.scopes.iter().flatten().map(Untrusted::shown));
        asking.extend(clause.uses_at.map(|uses| format!("{uses} access tokens")));
    }
    let ends = later(now, SignedDuration::try_from(consent.expires_in).unwrap_or(SignedDuration::MAX));
    let name = made.asked.name.as_deref().unwrap_or_default();
    View {
        at: made.source.name.clone(),
        asking,
        client: String::new(),
        then: format!("keep the mytoken, {}, as {name}", wallet.kept_how()),
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

fn ended(doing: &str, end: End) -> Failure {
    let failed = |why: &str, hint: &str| Failure::new(Kind::Failed, doing, why).hint(hint);
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
        End::Lost => failed(
            "the mytoken was made, and its answer cannot be read",
            "It exists at the server: revoke it there.",
        ),
        End::PerhapsLost => failed(
            "an answer did not arrive, and the code is used up now: the mytoken may have been in it",
            "If so it exists at the server: revoke it there. Start again.",
        ),
        End::Code(_) => failed(
            "the mytoken came as a transfer code, which was not asked for",
            "It exists at the server and nobody holds it: revoke it there.",
        ),
        End::Refused(no) => words::mytoken(doing, &no.into()),
        End::Stopped | End::Granted(_) => cancelled(doing),
    }
}
