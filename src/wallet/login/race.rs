//! The routes of a login at an `OpenID` provider, racing: device code, browser on a loopback listener, paste-back.
//!
//! Only one redeems. When a code has come, polling stops and a poll that is under way is awaited: if that brings tokens,
//! they are the login and the code is left unused; else the code is redeemed.

use std::pin::Pin;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use url::Url;

use super::{Line, cancelled, stopped};
use crate::domain::event::What;
use crate::domain::failure::{Failure, Kind};
use crate::domain::login::{Browser, Order, Polled, Report, Step, View};
use crate::domain::secret::Secret;
use crate::domain::source::{Client, Issuer, Redirect, Route, Source};
use crate::domain::time::later;
use crate::domain::untrusted::Untrusted;
use crate::oidc::Error;
use crate::oidc::callback::{Expectation, parse_pasted};
use crate::oidc::code::{self, Wish};
use crate::oidc::device::{self, End, Poll, Schedule, Started};
use crate::oidc::discovery::Metadata;
use crate::oidc::loopback::Listener;
use crate::oidc::pkce::Attempt;
use crate::oidc::tokens::TokenSet;
use crate::wallet::{Wallet, words};

/// A login without a device code ends after this long; with one, when its code does.
const LONGEST: SignedDuration = SignedDuration::from_mins(15);
/// After this long without an answer at the listener the panel says what that may mean.
const SILENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// What the race needs from its start to its end.
pub(super) struct Race<'a> {
    pub(super) order: &'a Order,
    pub(super) source: &'a Source,
    pub(super) issuer: &'a Issuer,
    pub(super) client: Client,
    pub(super) metadata: Arc<Metadata>,
    pub(super) attempt: Attempt,
    pub(super) doing: &'a str,
}

/// How the race ended: with tokens, and whether they are bound to our nonce.
pub(super) struct Won {
    pub(super) set: TokenSet,
    pub(super) by_code: bool,
}

type PollUnderWay = Pin<Box<dyn Future<Output = Poll> + Send>>;

impl Wallet {
    pub(super) async fn race(
        self: &Arc<Self>,
        order: &Order,
        source: &Source,
        issuer: &Issuer,
        line: Line,
        doing: &str,
    ) -> Result<Report, Failure> {
        let Some(client) = order.client.clone().or_else(|| issuer.client.clone()) else {
            let hint = match &source.register_url {
                Some(page) => format!("Register one at {page}, then set `client_id` in the config."),
                None => "Set `client_id` in the config.".to_owned(),
            };
            return Err(Failure::new(Kind::Unusable, doing, "it needs a client id").hint(hint));
        };
        let failed = |error: &Error| words::oidc(doing, Some(source), error);
        let mut stop = line.stop.clone();
        let asked = async {
            let metadata = self.metadata(issuer).await?;
            Ok::<_, Error>((metadata, Attempt::random()?))
        };
        let (metadata, attempt) = tokio::select! {
            biased;
            () = stopped(&mut stop) => return Err(cancelled(doing)),
            asked = asked => asked.map_err(|error| failed(&error))?,
        };
        let race = Race { order, source, issuer, client, metadata, attempt, doing };
        let won = self.run(&race, line).await?;
        self.finish(&race, won).await
    }

    async fn run(&self, race: &Race<'_>, mut line: Line) -> Result<Won, Failure> {
        let doing = race.doing;
        let mut view = race.view(self);
        let listener = race.listen(&mut view).await;
        let expectation = listener
            .as_ref()
            .map(|listener| Expectation::of(&race.attempt, &race.metadata, listener.redirect_uri()));
        let redirect = listener.as_ref().map(|listener| listener.redirect_uri().clone());
        let mut stop = line.stop.clone();
        let started = tokio::select! {
            biased;
            () = stopped(&mut stop) => return Err(cancelled(doing)),
            prepared = async {
                if let Some(redirect) = &redirect {
                    self.offer_browser(race, redirect, listener.as_ref().map(Listener::port), &mut view).await;
                }
                self.offer_device(race, &mut view).await
            } => prepared,
        };
        if started.is_none() && view.browser.is_none() {
            let why = view
                .remarks
                .first()
                .cloned()
                .unwrap_or_else(|| "the provider offers no way to log in from here".to_owned());
            return Err(Failure::new(Kind::Failed, doing, why));
        }
        let now = self.now();
        view.ends = Some(started.as_ref().map_or_else(
            || later(now, LONGEST),
            |started| {
                later(now, SignedDuration::try_from(started.lifetime).unwrap_or(LONGEST))
                    .max(if view.browser.is_some() { later(now, LONGEST) } else { now })
            },
        ));
        line.tell(&view);
        if let Some(browser) = &view.browser {
            line.step(Step::MayOpen(browser.address.clone()));
        }
        let code = self
            .first_of(race, &mut line, &mut view, started.as_ref(), listener, expectation.as_ref())
            .await?;
        match code {
            First::Tokens(set) => Ok(Won { set: *set, by_code: false }),
            First::Code(code) => {
                let redirect = redirect.ok_or_else(|| cancelled(doing))?;
                let verifier = &race.attempt.verifier;
                let set = code::redeem(&self.http, &race.metadata, &race.client, &code, &redirect, verifier)
                    .await
                    .map_err(|error| words::oidc(doing, Some(race.source), &error))?;
                Ok(Won { set, by_code: true })
            }
        }
    }

    /// Waits for the first route to finish.
    async fn first_of(
        &self,
        race: &Race<'_>,
        line: &mut Line,
        view: &mut View,
        started: Option<&Started>,
        listener: Option<Listener>,
        expectation: Option<&Expectation>,
    ) -> Result<First, Failure> {
        let mut schedule = started.map(|started| Schedule::new(started, self.now()));
        let mut poll: Option<PollUnderWay> = None;
        let mut listening: Pin<Box<dyn Future<Output = Result<Secret, Error>> + Send + '_>> =
            match (listener, expectation) {
                (Some(listener), Some(expectation)) => Box::pin(listener.wait(expectation)),
                _ => Box::pin(std::future::pending()),
            };
        let life = view.ends.map_or(LONGEST, |ends| ends.duration_since(self.now()));
        let over = tokio::time::sleep(life.unsigned_abs());
        let silence = tokio::time::sleep(SILENCE);
        tokio::pin!(over, silence);
        let mut said = false;
        let mut stop: watch::Receiver<bool> = line.stop.clone();
        loop {
            let asking = poll.is_some();
            let code = tokio::select! {
                biased;
                () = stopped(&mut stop) => {
                    drop(listening);
                    self.await_surplus(poll).await;
                    return Err(cancelled(race.doing));
                }
                answered = async { match poll.as_mut() { Some(poll) => poll.await, None => std::future::pending().await } } => {
                    poll = None;
                    let ended = schedule.as_mut().and_then(|schedule| schedule.heard(answered, self.now()));
                    match ended {
                        Some(End::Granted(set)) => return Ok(First::Tokens(set)),
                        Some(end) => {
                            let failure = race.device_ended(end);
                            // The other routes may go on, but a user who has said no has said it.
                            let final_word = view.browser.is_none() || failure.1;
                            if final_word {
                                return Err(failure.0);
                            }
                            schedule = None;
                            view.device = None;
                            view.remarks.insert(0, format!("device code: {}", failure.0.why));
                        }
                        None => {}
                    }
                    show_polling(view, schedule.as_ref(), false, self.now());
                    line.tell(view);
                    continue;
                }
                code = &mut listening => code.map_err(|error| race.code_failed(&error))?,
                pasted = line.pasted.recv() => {
                    let (Some(text), Some(expectation)) = (pasted, expectation) else { continue };
                    match parse_pasted(text.expose(), expectation) {
                        Ok(code) => code,
                        Err(Error::Pasted(unusable)) => {
                            view.paste_refused = Some(unusable.to_string());
                            line.tell(view);
                            continue;
                        }
                        Err(error) => return Err(race.code_failed(&error)),
                    }
                }
                due = async { match schedule.as_mut() { Some(schedule) => schedule.turn().await, None => std::future::pending().await } }, if !asking => {
                    if due && let Some(started) = started {
                        poll = Some(self.poll(race, started));
                        show_polling(view, schedule.as_ref(), true, self.now());
                    } else {
                        if view.browser.is_none() {
                            return Err(race.device_ended(End::Expired).0);
                        }
                        schedule = None;
                        view.device = None;
                        view.remarks.insert(0, "the device code has ended; the other ways are still open".to_owned());
                    }
                    line.tell(view);
                    continue;
                }
                () = &mut silence, if !said && view.browser.is_some() => {
                    said = true;
                    view.remarks.push("nothing heard from the browser yet: an error page there means that the client id or its redirect address is not known to the provider".to_owned());
                    line.tell(view);
                    continue;
                }
                () = &mut over => {
                    self.await_surplus(poll).await;
                    let why = "nobody signed in in time";
                    return Err(Failure::new(Kind::Failed, race.doing, why).hint("Start again."));
                }
            };
            // A code has come. Only one route may redeem: no further poll, and the one under way goes first.
            if let Some(poll) = poll.take()
                && let Poll::Granted(set) = poll.await
            {
                return Ok(First::Tokens(set));
            }
            return Ok(First::Code(code));
        }
    }

    /// Awaits a poll that is under way when nobody wants its tokens any more: they are dropped, and that is written down. They
    /// are not revoked: that could end the session of another login as well (real-parts.md §2.9).
    async fn await_surplus(&self, poll: Option<PollUnderWay>) {
        if let Some(poll) = poll
            && let Poll::Granted(_) = poll.await
        {
            self.note(None, What::Dropped);
        }
    }

    fn poll(&self, race: &Race<'_>, started: &Started) -> PollUnderWay {
        let (http, metadata) = (Arc::clone(&self.http), Arc::clone(&race.metadata));
        let (client, started, verifier) =
            (race.client.clone(), started.clone(), race.attempt.verifier.clone());
        Box::pin(async move { device::poll_once(&http, &metadata, &client, &started, &verifier).await })
    }

    async fn offer_browser(&self, race: &Race<'_>, redirect: &Url, port: Option<u16>, view: &mut View) {
        let wish = race.wish();
        let address = if race.metadata.pushed_required {
            code::pushed_authorization_url(&self.http, &race.metadata, wish, &race.attempt, redirect).await
        } else {
            code::authorization_url(&race.metadata, wish, &race.attempt, redirect)
        };
        match address {
            Ok(address) => {
                let host = redirect.host_str().unwrap_or("127.0.0.1");
                let listening = port.map(|port| (format!("{host}:{port}"), port));
                view.browser = Some(Browser { address: address.into(), listening });
                view.paste = true;
            }
            Err(error) => view.remarks.push(format!("no login by browser: {error}")),
        }
    }

    async fn offer_device(&self, race: &Race<'_>, view: &mut View) -> Option<Started> {
        if !race.issuer.routes.contains(&Route::Device) || race.metadata.device.is_none() {
            view.remarks.push("this provider has no login by device code".to_owned());
            return None;
        }
        match device::start(&self.http, &race.metadata, race.wish(), &race.attempt.verifier).await {
            Ok(started) => {
                let now = self.now();
                let span =
                    |span: std::time::Duration| SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX);
                view.device = Some(Polled {
                    address: Untrusted::from(started.verification.as_str()),
                    complete: started.verification_complete.as_ref().map(|url| Untrusted::from(url.as_str())),
                    code: Some(started.user_code.clone()),
                    asked: 0,
                    next: Some(later(now, span(started.interval))),
                    ends: later(now, span(started.lifetime)),
                    trouble: None,
                });
                Some(started)
            }
            Err(error) => {
                view.remarks.push(format!("no login by device code: {error}"));
                None
            }
        }
    }
}

enum First {
    Tokens(Box<TokenSet>),
    Code(Secret),
}

impl Race<'_> {
    fn wish(&self) -> Wish<'_> {
        Wish { client: &self.client, scopes: &self.issuer.scopes, extra: &self.issuer.authorization }
    }

    fn view(&self, wallet: &Wallet) -> View {
        let name = self.order.name.clone().unwrap_or_else(|| wallet.free_name(self.source.id.as_str()));
        let offline = self.issuer.scopes.iter().any(|scope| scope == "offline_access");
        let what = if offline { "keep the refresh token" } else { "keep what comes" };
        let kind = if self.client.secret.is_some() { "confidential, PKCE" } else { "public, PKCE" };
        View {
            at: self.source.name.clone(),
            asking: self.issuer.scopes.clone(),
            client: format!("{}   {kind}", self.client.id),
            then: format!("{what}, in memory only, as {name}"),
            ..View::default()
        }
    }

    async fn listen(&self, view: &mut View) -> Option<Listener> {
        if !self.issuer.routes.contains(&Route::Browser) && !self.issuer.routes.contains(&Route::Paste) {
            return None;
        }
        match Listener::bind(&self.redirect()).await {
            Ok(listener) => {
                if !listener.is_registered() {
                    view.remarks.push(
                        "every registered port is taken here; the provider may refuse this one".to_owned(),
                    );
                }
                Some(listener)
            }
            Err(error) => {
                view.remarks.push(format!("no login by browser: {error}"));
                None
            }
        }
    }

    /// The loopback form that this client has registered: a borrowed client id comes with its own.
    fn redirect(&self) -> Redirect {
        let borrowed = self.issuer.public_clients.iter().find(|public| public.id == self.client.id);
        borrowed.map_or_else(|| self.issuer.redirect.clone(), |public| public.redirect.clone())
    }

    fn code_failed(&self, error: &Error) -> Failure {
        let failure = words::oidc(self.doing, Some(self.source), error);
        if matches!(error, Error::Authorization(crate::oidc::callback::Fault::Denied)) {
            return Failure {
                hint: Some("Nothing was granted. Start again if that was a mistake.".to_owned()),
                ..failure
            };
        }
        failure
    }

    /// What the end of the device route means, and whether it ends the whole login.
    fn device_ended(&self, end: End) -> (Failure, bool) {
        let failed = |why: &str, hint: &str| Failure::new(Kind::Failed, self.doing, why).hint(hint);
        match end {
            End::Denied => (
                failed(
                    "the sign-in was refused on the other device",
                    "Nothing was granted. Start again if that was a mistake.",
                ),
                true,
            ),
            End::Expired => (failed("the code ended before anybody signed in", "Start again."), false),
            End::Lost => (
                failed("the sign-in was done, and the answer with the tokens did not arrive", "Start again."),
                true,
            ),
            End::Failed(error) => (words::oidc(self.doing, Some(self.source), &error), false),
            // Handled by the caller.
            End::Granted(_) => (failed("it is granted", ""), true),
        }
    }
}

fn show_polling(view: &mut View, schedule: Option<&Schedule>, asking: bool, now: Timestamp) {
    let (Some(polled), Some(schedule)) = (view.device.as_mut(), schedule) else { return };
    polled.asked = schedule.asked();
    polled.next = (!asking)
        .then(|| later(now, SignedDuration::try_from(schedule.next_in()).unwrap_or(SignedDuration::ZERO)));
    polled.trouble = schedule.trouble().map(|error| format!("{error}; asking again"));
}
