//! The routes of a login at a provider while they are open: device code, browser on a loopback listener, paste-back.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio::time::Instant;
use url::Url;

use super::device::{self, Device, Turn};
use super::race::Race;
use super::{Line, cancelled, stopped};
use crate::domain::credential::Got;
use crate::domain::event::What;
use crate::domain::failure::{Failure, Kind};
use crate::domain::login::{Browser, Step, View};
use crate::domain::secret::Secret;
use crate::domain::source::Route;
use crate::domain::time::later;
use crate::domain::untrusted::cleaned;
use crate::oidc::Error;
use crate::oidc::callback::{Expectation, Fault, parse_pasted};
use crate::oidc::code::{self, Wish};
use crate::oidc::device::End;
use crate::oidc::loopback::Listener;
use crate::oidc::probe::{self, Taken};
use crate::oidc::tokens::TokenSet;
use crate::wallet::Wallet;

/// A login without a device code ends after this long; with one, when its code does.
const LONGEST: SignedDuration = SignedDuration::from_mins(15);
/// After this long without an answer at the listener the panel says what that may mean.
const SILENCE: Duration = Duration::from_secs(60);
const OTHER_LOGIN: &str =
    "an answer to another login came to this one, and changed nothing: an older tab, perhaps";
const NO_S256: &str = "it announces PKCE without S256, and nothing weaker is sent";

/// All routes of one login.
pub(super) struct Routes<'a> {
    wallet: &'a Wallet,
    race: &'a Race<'a>,
    line: Line,
    view: View,
    back: Option<Back>,
    device: Option<Device>,
    silence: Option<Instant>,
    /// Being asked whether the provider takes the request at all, after a silence.
    asked: Option<Pin<Box<dyn Future<Output = Option<Taken>> + Send>>>,
    over: Instant,
}

/// The way back from a browser: its redirect reaches our listener, or is pasted.
struct Back {
    expectation: Expectation,
    listening: Pin<Box<dyn Future<Output = Result<Code, Error>> + Send>>,
    /// Told when the answer to another login came.
    other: Arc<Notify>,
}

/// A code, and the redirect address it came by, which is told again when it is redeemed.
pub(super) struct Code {
    pub(super) value: Secret,
    pub(super) redirect: Url,
    /// On which way.
    pub(super) got: Got,
}

/// What the first route to finish brought.
pub(super) enum First {
    Tokens(Box<TokenSet>),
    Code(Code),
}

/// What can happen while the routes are open.
enum Event {
    Stopped,
    Redirected(Result<Code, Error>),
    Pasted(Secret),
    Device(Turn),
    OtherLogin,
    Opened,
    Silence,
    Asked(Option<Taken>),
    Over,
}

impl<'a> Routes<'a> {
    /// Opens every route that the provider and this machine allow, and shows them.
    pub(super) async fn open(wallet: &'a Wallet, race: &'a Race<'a>, line: Line) -> Result<Self, Failure> {
        let begun = Instant::now();
        let view = view_of(wallet, race);
        let mut routes = Self {
            wallet,
            race,
            line,
            view,
            back: None,
            device: None,
            silence: None,
            asked: None,
            over: begun,
        };
        let no_browser = routes.open_browser().await.err();
        let no_device = match routes.open_device().await {
            Ok(()) => None,
            // Where the page of the same client is refused as well, nobody need wait in front of it.
            Err(error) if error.client_is_wrong() && routes.is_refused().await => {
                return Err(race.failed(&error));
            }
            Err(error) => Some(routes.not_offered("no login by device code", &error)),
        };
        if routes.device.is_none() && routes.back.is_none() {
            return Err(no_device.or(no_browser).unwrap_or_else(|| {
                let why = "the provider offers no way to log in from here";
                Failure::new(Kind::Failed, race.doing, why)
            }));
        }
        let coded = routes.device.as_ref().map(Device::lifetime);
        let longest = coded.map_or(LONGEST, |coded| coded.max(LONGEST));
        // A code that is the only way ends by itself, and says so in its own words.
        let shown = coded.filter(|_| routes.back.is_none()).unwrap_or(longest);
        routes.over = begun + longest.unsigned_abs();
        routes.silence = routes.is_heard().then(|| begun + SILENCE);
        routes.view.ends = Some(later(wallet.now(), shown));
        routes.tell();
        if let Some(browser) = &routes.view.browser {
            routes.line.step(Step::MayOpen(browser.address.clone()));
        }
        Ok(routes)
    }

    /// Waits for the first route to finish. Every other one is closed by then.
    pub(super) async fn first(mut self) -> Result<First, Failure> {
        loop {
            match self.next().await {
                Event::Stopped => {
                    let failure = cancelled(self.race.doing);
                    return self.give_up(failure).await;
                }
                Event::Over => {
                    let why = "nobody signed in in time";
                    let failure = Failure::new(Kind::Failed, self.race.doing, why).hint("Start again.");
                    return self.give_up(failure).await;
                }
                Event::Redirected(Ok(code)) => return Ok(self.take(code).await),
                Event::Redirected(Err(error)) => {
                    let failure = self.refused(&error);
                    return self.give_up(failure).await;
                }
                Event::Pasted(text) => match self.read_pasted(&text) {
                    Ok(Some(code)) => return Ok(self.take(code).await),
                    Ok(None) => {}
                    Err(failure) => return self.give_up(failure).await,
                },
                Event::Device(turn) => match self.on_device(turn) {
                    Ok(Some(set)) => return Ok(First::Tokens(set)),
                    Ok(None) => {}
                    Err(failure) => return self.give_up(failure).await,
                },
                Event::OtherLogin => self.remark(OTHER_LOGIN.to_owned()),
                Event::Opened => self.silence = self.is_heard().then(|| Instant::now() + SILENCE),
                Event::Silence => {
                    self.silence = None;
                    self.asked = self.question();
                }
                Event::Asked(taken) => {
                    self.asked = None;
                    self.remark(self.silent(taken.as_ref()));
                }
            }
            self.tell();
        }
    }

    /// The next thing that happens. Nothing of it is lost when two things happen at once: the other one comes next.
    async fn next(&mut self) -> Event {
        let mut stop = self.line.stop.clone();
        let (back, device, silence) = (&mut self.back, &mut self.device, self.silence);
        let other = back.as_ref().map(|back| Arc::clone(&back.other));
        let asked = &mut self.asked;
        tokio::select! {
            biased;
            () = stopped(&mut stop) => Event::Stopped,
            outcome = async { match back { Some(back) => back.listening.as_mut().await, None => never().await } } => {
                Event::Redirected(outcome)
            }
            Some(text) = self.line.pasted.recv() => Event::Pasted(text),
            turn = async { match device { Some(device) => device.turn().await, None => never().await } } => {
                Event::Device(turn)
            }
            () = async { match other { Some(other) => other.notified().await, None => never().await } } => {
                Event::OtherLogin
            }
            Ok(()) = self.line.opened.changed() => Event::Opened,
            taken = async { match asked { Some(asked) => asked.await, None => never().await } } => {
                Event::Asked(taken)
            }
            () = async { match silence { Some(at) => tokio::time::sleep_until(at).await, None => never().await } } => {
                Event::Silence
            }
            () = tokio::time::sleep_until(self.over) => Event::Over,
        }
    }

    /// A code has come: nobody listens or asks any more, and a question that is under way goes first.
    async fn take(mut self, code: Code) -> First {
        self.back = None;
        let polled = match self.device.take() {
            Some(device) => device.close().await,
            None => None,
        };
        polled.map_or(First::Code(code), First::Tokens)
    }

    /// Closes all routes. Tokens of a question that is under way are wanted by nobody: they are dropped, and that is
    /// written down. They are not revoked: that could end the session of another login as well (real-parts.md §2.9).
    async fn give_up<T>(mut self, failure: Failure) -> Result<T, Failure> {
        self.back = None;
        if let Some(device) = self.device.take()
            && device.close().await.is_some()
        {
            self.wallet.note(None, What::Dropped);
        }
        Err(failure)
    }

    /// The code in what was pasted; `None`: it is of no use, which is shown, and the login goes on.
    fn read_pasted(&mut self, text: &Secret) -> Result<Option<Code>, Failure> {
        let Some(back) = &self.back else { return Ok(None) };
        match parse_pasted(text.expose(), &back.expectation) {
            Ok(code) => {
                let redirect = back.expectation.redirect.clone();
                Ok(Some(Code { value: code, redirect, got: Got::Pasted }))
            }
            Err(Error::Pasted(unusable)) => {
                self.view.paste_refused = Some(unusable.to_string());
                Ok(None)
            }
            Err(error) => Err(self.refused(&error)),
        }
    }

    /// The tokens, if the device route brought them; an error where its end ends the login.
    fn on_device(&mut self, turn: Turn) -> Result<Option<Box<TokenSet>>, Failure> {
        let (race, now) = (self.race, self.wallet.now());
        let Some(device) = &mut self.device else { return Ok(None) };
        let end = match turn {
            Turn::Due => {
                device.ask(race, &self.wallet.http);
                None
            }
            Turn::Heard(poll) => device.heard(poll, now),
            Turn::Over => Some(End::Expired),
        };
        let Some(end) = end else { return Ok(None) };
        let (failure, is_final) = match device::ended(race, end) {
            Ok(set) => return Ok(Some(set)),
            Err(ended) => ended,
        };
        if is_final || self.back.is_none() {
            return Err(failure);
        }
        self.device = None;
        self.view.remarks.insert(0, format!("device code: {}; the other ways are still open", failure.why));
        Ok(None)
    }

    async fn open_browser(&mut self) -> Result<(), Failure> {
        let routes = &self.race.issuer.routes;
        if !routes.contains(&Route::Browser) && !routes.contains(&Route::Paste) {
            return Ok(());
        }
        let (wallet, race) = (self.wallet, self.race);
        if race.metadata.lacks_s256() {
            let failure = Failure::new(Kind::Failed, race.doing, NO_S256);
            return Err(self.not_offered_for("no login by browser", failure));
        }
        let form = race.redirect();
        let (listener, unheard) = match Listener::bind(&form).await {
            Ok(listener) => (Some(listener), None),
            // Without an ear the way back is open still, if somebody is there to paste.
            Err(error) if !self.line.pasted.is_closed() => (None, Some(error)),
            Err(error) => return Err(self.not_offered("no login by browser", &error)),
        };
        let opened = async {
            let redirect = match &listener {
                Some(listener) => listener.redirect_uri().clone(),
                None => Listener::unheard(&form)?,
            };
            Ok::<_, Error>((authorization(wallet, race, &redirect).await?, redirect))
        };
        let (address, redirect) = match opened.await {
            Ok(opened) => opened,
            Err(error) => return Err(self.not_offered("no login by browser", &error)),
        };
        if let Some(error) = unheard {
            self.remark(format!(
                "{error}: paste the address that the browser ends on, on an error page of its own"
            ));
        }
        let host = redirect.host_str().unwrap_or("127.0.0.1").to_owned();
        let listening = listener.as_ref().map(|listener| (host, listener.port()));
        self.view.browser = Some(Browser { address: address.into(), listening });
        self.view.paste = true;
        let expectation = Expectation::of(&self.race.attempt, &self.race.metadata, &redirect);
        let (expected, other) = (expectation.clone(), Arc::new(Notify::new()));
        let told = Arc::clone(&other);
        let listening = Box::pin(async move {
            let Some(listener) = listener else { return never().await };
            let code = listener.wait_telling(&expected, &told).await?;
            Ok(Code { value: code, redirect: expected.redirect, got: Got::Browser })
        });
        self.back = Some(Back { expectation, listening, other });
        Ok(())
    }

    /// Whether somebody listens for the browser's way back.
    fn is_heard(&self) -> bool {
        self.view.browser.as_ref().is_some_and(|browser| browser.listening.is_some())
    }

    /// The question whether the provider takes the browser's request, asked as nobody. A pushed one would not be the same request.
    fn question(&self) -> Option<Pin<Box<dyn Future<Output = Option<Taken>> + Send>>> {
        let redirect = self.back.as_ref()?.expectation.redirect.clone();
        let (http, metadata) = (Arc::clone(&self.wallet.http), Arc::clone(&self.race.metadata));
        let (client, scopes, extra) =
            (self.race.client.clone(), self.race.issuer.scopes.clone(), self.race.extra.clone());
        Some(Box::pin(async move {
            let wish = Wish { client: &client, scopes: &scopes, extra: &extra };
            probe::ask(&http, &metadata, wish, &redirect).await.ok()
        }))
    }

    /// Whether the provider answers the browser's request with an error page.
    async fn is_refused(&mut self) -> bool {
        let Some(question) = self.question() else { return false };
        let mut stop = self.line.stop.clone();
        tokio::select! {
            biased;
            () = stopped(&mut stop) => false,
            taken = question => matches!(taken, Some(Taken::Page(400..))),
        }
    }

    /// What the silence of the browser may mean. A provider tells us nothing of a client or a redirect address that it does not know: it
    /// shows a page of its own instead (RFC 6749 §4.1.2.1).
    fn silent(&self, taken: Option<&Taken>) -> String {
        let redirect = self.back.as_ref().map(|back| cleaned(back.expectation.redirect.as_str()));
        let redirect = redirect.unwrap_or_default();
        let id = cleaned(&self.race.client.id);
        match taken {
            Some(Taken::Page(status @ 400..)) => format!(
                "the provider answers this with an error page ({status}), not with a login: is {id} a client of it, and is {redirect} \
                 registered there, exactly so?"
            ),
            Some(Taken::Back { error, .. }) if error.raw() == "invalid_scope" => {
                "nothing heard from a browser yet; the provider refuses the scopes that are asked for"
                    .to_owned()
            }
            Some(Taken::Back { .. }) => {
                "nothing heard from a browser yet; the provider takes client and redirect address, so it is \
                                         the sign-in there that takes its time"
                    .to_owned()
            }
            Some(Taken::Page(_) | Taken::On) | None => format!(
                "nothing heard from a browser yet. Does it show an error page? Then check the client id, {id}, and whether {redirect} is \
                 registered for it, exactly so"
            ),
        }
    }

    /// Says something once.
    fn remark(&mut self, remark: String) {
        if !self.view.remarks.contains(&remark) {
            self.view.remarks.push(remark);
        }
    }

    async fn open_device(&mut self) -> Result<(), Error> {
        if !self.race.issuer.routes.contains(&Route::Device) || self.race.metadata.device.is_none() {
            self.view.remarks.push("this provider has no login by device code".to_owned());
            return Ok(());
        }
        match Device::open(self.race, &self.wallet.http, self.wallet.now()).await {
            Ok(device) => {
                self.device = Some(device);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn not_offered(&mut self, what: &str, error: &Error) -> Failure {
        self.not_offered_for(what, self.race.failed(error))
    }

    fn not_offered_for(&mut self, what: &str, failure: Failure) -> Failure {
        let why = format!("{what}: {}", failure.why);
        self.view.remarks.push(why.clone());
        Failure { why, ..failure }
    }

    /// The provider sent the browser back without a code.
    fn refused(&self, error: &Error) -> Failure {
        let failure = self.race.failed(error);
        if matches!(error, Error::Authorization(Fault::Denied)) {
            return failure.hint("Nothing was granted. Start again if that was a mistake.");
        }
        failure
    }

    fn tell(&mut self) {
        let now: Timestamp = self.wallet.now();
        self.view.device = self.device.as_ref().map(|device| device.shown(now));
        self.line.tell(&self.view);
    }
}

async fn authorization(wallet: &Wallet, race: &Race<'_>, redirect: &Url) -> Result<Url, Error> {
    let Race { metadata, attempt, .. } = race;
    if metadata.pushed_required {
        code::pushed_authorization_url(&wallet.http, metadata, race.wish(), attempt, redirect).await
    } else {
        code::authorization_url(metadata, race.wish(), attempt, redirect)
    }
}

async fn never<T>() -> T {
    std::future::pending().await
}

fn view_of(wallet: &Wallet, race: &Race<'_>) -> View {
    let name = race.order.name.clone().unwrap_or_else(|| wallet.free_name(race.source.id.as_str()));
    let offline = race.issuer.scopes.iter().any(|scope| scope == "offline_access");
    let what = if offline { "keep the refresh token" } else { "keep what comes" };
    let kind = if race.client.secret.is_some() { "confidential, PKCE" } else { "public, PKCE" };
    let mut asking = race.issuer.scopes.clone();
    asking.extend(race.audiences.iter().map(|audience| format!("for {}", cleaned(audience))));
    View {
        at: race.source.name.clone(),
        asking,
        client: format!("{}   {kind}", race.client.id),
        then: format!("{what}, {}, as {name}", wallet.kept_how()),
        ..View::default()
    }
}
