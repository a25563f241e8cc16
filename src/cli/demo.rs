//! The demo's world: a sandbox, and a believable morning that was performed against it on a past clock.
//!
//! Nothing here is painted on: every row got as it is by the verbs that the board itself uses. It holds nothing real and
//! writes no file.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::domain::credential::CredentialId;
use crate::domain::draft::{Draft, DraftClause, When};
use crate::domain::failure::{Failure, Kind};
use crate::domain::form::Form;
use crate::domain::handed::HandOver;
use crate::domain::login::{Order, Step};
use crate::domain::mytoken::Capability;
use crate::domain::source::SourceId;
use crate::domain::specimen::recognise;
use crate::domain::time::{Clock, FixedClock, ShiftedClock};
use crate::http::Http;
use crate::sandbox::mytoken::{self as server, Clause, Rotation};
use crate::sandbox::visitor::{Choice, Visitor};
use crate::sandbox::whole::{NOBODY, Ports, Sandbox, USER};
use crate::wallet::Wallet;
use crate::wallet::draw::Wish;
use crate::wallet::login;

const DOING: &str = "Preparing the demo";
const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;

/// The sandbox and what was done in it this morning.
pub struct Demo {
    /// Holds what the morning left.
    pub wallet: Arc<Wallet>,
    /// The clock of board, wallet and sandbox alike.
    pub clock: Arc<dyn Clock>,
    /// The servers.
    pub sandbox: Sandbox,
}

impl Demo {
    /// Opens a sandbox and performs the morning. `base` is the real clock.
    ///
    /// # Errors
    /// When no loopback port can be had, or the sandbox refuses what it should not.
    pub async fn perform(base: Arc<dyn Clock>) -> Result<Self, Failure> {
        let shifted = Arc::new(ShiftedClock::new(base, SignedDuration::ZERO));
        let clock: Arc<dyn Clock> = Arc::clone(&shifted) as Arc<dyn Clock>;
        let sandbox = Sandbox::open(&clock, Ports::default()).await.map_err(failed)?;
        let wallet = Wallet::new(Arc::clone(&clock), Arc::new(Http::default()), sandbox.sources())?;
        let morning = Morning { wallet: &wallet, sandbox: &sandbox, clock: &shifted };
        morning.perform().await?;
        shifted.shift_to(SignedDuration::ZERO);
        Ok(Self { wallet, clock, sandbox })
    }
}

/// Does in the browser what the user would do there: signs in and agrees. Only the sandbox's own pages are understood.
///
/// # Errors
/// When the pages lead nowhere.
pub async fn sign_in(address: String) -> Result<(), Failure> {
    let visitor = Visitor::new().map_err(failed)?;
    visitor.visit(&address, Choice::Approve, USER).await.map_err(failed)?;
    Ok(())
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::new(Kind::Failed, DOING, error.to_string())
}

struct Morning<'a> {
    wallet: &'a Arc<Wallet>,
    sandbox: &'a Sandbox,
    clock: &'a ShiftedClock,
}

impl Morning<'_> {
    async fn perform(&self) -> Result<(), Failure> {
        self.years_ago().await?;
        self.last_week().await?;
        self.grown_family().await?;
        self.early().await?;
        self.later().await
    }

    /// A login at a provider that has moved since.
    async fn years_ago(&self) -> Result<(), Failure> {
        self.it_is_ago(4 * 365 * DAY);
        let now = self.wallet.source(&SourceId::from("checkin"));
        let old = &self.sandbox.old.settings().issuer;
        self.wallet.list_source(self.sandbox.checkin_as(old, Vec::new())).await;
        self.log_in("checkin", "old-egi").await?;
        if let Some(source) = now {
            self.wallet.list_source(source).await;
        }
        Ok(())
    }

    /// Mytokens that others made and that were handed over.
    async fn last_week(&self) -> Result<(), Failure> {
        self.it_is_ago(7 * DAY);
        let until = |seconds: i64| Clause { exp: Some(self.in_seconds(seconds)), ..Clause::default() };
        let at = "AT";
        let info = "tokeninfo";
        self.keep(
            "spent",
            &[at, info],
            Clause { usages_at: Some(2), usages_other: Some(9), ..until(30 * DAY) },
        )
        .await?;
        self.keep(
            "cluster",
            &[at, info],
            Clause { hosts: vec!["134.94.0.0/16".to_owned()], ..until(60 * DAY) },
        )
        .await?;
        self.keep("gone", &[at, info], until(90 * DAY)).await?;
        self.keep("group", &[at, info, "create_mytoken"], until(60 * DAY)).await?;
        self.keep("quiet", &[at], until(35 * DAY)).await?;
        self.keep("lapsed", &[at, info], until(3 * DAY)).await?;
        self.keep(
            "tonight",
            &[at, info],
            Clause { nbf: Some(self.in_seconds(7 * DAY + 2 * HOUR)), ..until(20 * DAY) },
        )
        .await?;
        self.keep_from_nobody("far-away").await
    }

    /// What grew from one: a subtoken that is held here, and one that a colleague got by a code and has made another from.
    async fn grown_family(&self) -> Result<(), Failure> {
        let group = self.held("group")?;
        self.it_is_ago(2 * DAY);
        self.wallet.create_from(&group, &self.subtoken("night-run", &["AT", "tokeninfo"], 20)).await?;
        self.it_is_ago(30 * HOUR);
        let theirs = self.subtoken("colleague", &["AT", "tokeninfo", "create_mytoken"], 12);
        let handed = self.wallet.hand_over(&group, &HandOver::Subtoken(Box::new(theirs))).await?;
        let clock = Arc::new(FixedClock::at(self.clock.now()));
        let colleague = self.somebody_else(&clock)?;
        let theirs = colleague.redeem(&"mytoken".into(), &handed.code, Some("theirs")).await?.id;
        self.it_is_ago(9 * HOUR);
        clock.set(self.clock.now());
        colleague.create_from(&theirs, &self.subtoken("notebook", &["AT"], 3)).await?;
        Ok(())
    }

    /// The draft of a subtoken that lives for so many days.
    fn subtoken(&self, name: &str, capabilities: &[&str], days: u64) -> Draft {
        let clause = DraftClause { ends: Some(When::In(days * 86_400)), ..DraftClause::default() };
        Draft {
            name: name.to_owned(),
            provider: self.sandbox.checkin.settings().issuer.clone(),
            capabilities: capabilities.iter().copied().map(Capability::new).collect(),
            clauses: vec![clause],
            ..Draft::default()
        }
    }

    /// A wallet that is not ours.
    fn somebody_else(&self, clock: &Arc<FixedClock>) -> Result<Arc<Wallet>, Failure> {
        let clock: Arc<dyn Clock> = Arc::clone(clock) as Arc<dyn Clock>;
        Wallet::new(clock, Arc::new(Http::default()), self.sandbox.sources())
    }

    /// Before breakfast.
    async fn early(&self) -> Result<(), Failure> {
        self.it_is_ago(5 * HOUR);
        let toar = self.log_in("toar", "toar").await?;
        self.it_is_ago(5 * HOUR - 2 * MINUTE);
        self.draw(&toar).await?;
        let spent = self.held("spent")?;
        self.draw(&spent).await?;
        self.it_is_ago(4 * HOUR);
        self.draw_anew(&spent).await?;
        self.rotating_family().await?;
        self.revoke_elsewhere("gone").await?;
        self.it_is_ago(3 * HOUR);
        self.expired_paste().await
    }

    /// The last hour.
    async fn later(&self) -> Result<(), Failure> {
        self.it_is_ago(HOUR - 50);
        self.log_in("checkin", "batch").await?;
        self.it_is_ago(50 * MINUTE);
        let grid = self.log_in("grid", "wlcg").await?;
        self.it_is_ago(40 * MINUTE);
        self.draw_anew(&grid).await?;
        self.it_is_ago(18 * MINUTE);
        self.log_in("checkin", "egi").await?;
        self.draw_anew(&grid).await?;
        let toar = self.held("toar")?;
        self.it_is_ago(12 * MINUTE);
        self.draw_anew(&toar).await?;
        self.it_is_ago(2 * MINUTE);
        for name in ["toar", "spent", "gone"] {
            self.wallet.look_up(&self.held(name)?).await;
        }
        Ok(())
    }

    /// A mytoken that rotates. An older copy of it came from a laptop; the newer one was kept later, from elsewhere.
    async fn rotating_family(&self) -> Result<(), Failure> {
        let order = server::Order {
            rotation: Some(Rotation { on_at: true, auto_revoke: true, ..Rotation::default() }),
            ..self
                .order(
                    "ci",
                    &["AT", "tokeninfo"],
                    Clause { exp: Some(self.in_seconds(14 * DAY)), ..Clause::default() },
                )
                .await?
        };
        let issued = self.sandbox.mytokens.issue(order).map_err(failed)?;
        self.wallet.keep(&recognise(issued.mytoken.expose()), "laptop").await?;
        let newer = self.sandbox.mytokens.rotate(&issued.mom_id).map_err(failed)?;
        let (ci, _) = self.wallet.keep(&recognise(newer.expose()), "ci").await?;
        self.draw_anew(&ci).await?;
        self.draw_anew(&ci).await
    }

    /// Somebody else revokes it; the wallet does not know yet.
    async fn revoke_elsewhere(&self, name: &str) -> Result<(), Failure> {
        let other = self.somebody_else(&Arc::new(FixedClock::at(self.clock.now())))?;
        let value = self.wallet.form(&self.held(name)?, Form::Mytoken).await?;
        let (id, _) = other.keep(&recognise(value.expose()), name).await?;
        other.revoke(&id).await?;
        Ok(())
    }

    /// An access token that was pasted and kept, and that nothing renews.
    async fn expired_paste(&self) -> Result<(), Failure> {
        let id = self.log_in("grid", "borrowed").await?;
        let value = self.wallet.form(&id, Form::AccessToken).await?;
        self.wallet.forget(&id).await?;
        self.wallet.keep(&recognise(value.expose()), "borrowed").await?;
        Ok(())
    }

    async fn log_in(&self, source: &str, name: &str) -> Result<CredentialId, Failure> {
        let order = Order { name: Some(name.to_owned()), ..Order::at(source.into()) };
        let (line, mut watched) = login::line();
        let signed_in = async {
            while let Some(step) = watched.steps.recv().await {
                if let Step::MayOpen(address) = step {
                    return sign_in(address).await;
                }
            }
            Ok(())
        };
        let (report, signed_in) = tokio::join!(self.wallet.log_in(order, line), signed_in);
        signed_in?;
        Ok(report?.id)
    }

    async fn draw(&self, id: &CredentialId) -> Result<(), Failure> {
        self.wallet.draw(id, Wish { force: false, ..Wish::default() }).await.map(|_| ())
    }

    async fn draw_anew(&self, id: &CredentialId) -> Result<(), Failure> {
        self.wallet.draw(id, Wish { force: true, ..Wish::default() }).await.map(|_| ())
    }

    async fn keep(&self, name: &str, capabilities: &[&str], clause: Clause) -> Result<(), Failure> {
        let order = self.order(name, capabilities, clause).await?;
        let issued = self.sandbox.mytokens.issue(order).map_err(failed)?;
        self.wallet.keep(&recognise(issued.mytoken.expose()), name).await.map(|_| ())
    }

    /// An order as the server gets it when a login has happened: with a refresh token of its own behind it.
    async fn order(
        &self,
        name: &str,
        capabilities: &[&str],
        clause: Clause,
    ) -> Result<server::Order, Failure> {
        Ok(server::Order {
            name: Some(name.to_owned()),
            capabilities: capabilities.iter().map(|&capability| capability.to_owned()).collect(),
            restrictions: vec![clause],
            issuer: self.sandbox.checkin.settings().issuer.clone(),
            subject: self.subject(),
            refresh_token: Some(self.sandbox.refresh_token(USER).await.map_err(failed)?),
            ..server::Order::default()
        })
    }

    /// A mytoken of a server that does not answer.
    async fn keep_from_nobody(&self, name: &str) -> Result<(), Failure> {
        let settings =
            server::Settings { issuer: NOBODY.to_owned(), guest: true, ..server::Settings::default() };
        let clock: Arc<dyn Clock> = Arc::new(FixedClock::at(self.clock.now()));
        let elsewhere = server::Mytokens::new(settings, clock).map_err(failed)?;
        let order = server::Order {
            name: Some(name.to_owned()),
            restrictions: vec![Clause { exp: Some(self.in_seconds(40 * DAY)), ..Clause::default() }],
            ..server::Order::default()
        };
        let specimen = recognise(elsewhere.issue(order).map_err(failed)?.mytoken.expose());
        self.wallet.keep(&specimen, name).await.map(|_| ())
    }

    /// Whom the demo's user is to the provider behind the mytokens: all of them are of one person.
    fn subject(&self) -> String {
        let user = self.sandbox.checkin.settings().user(USER);
        user.map_or_else(|| USER.to_owned(), |user| user.sub.clone())
    }

    fn held(&self, name: &str) -> Result<CredentialId, Failure> {
        self.wallet.find(name).ok_or_else(|| failed(format!("{name} is not held")))
    }

    fn it_is_ago(&self, seconds: i64) {
        self.clock.shift_to(SignedDuration::from_secs(-seconds));
    }

    fn in_seconds(&self, seconds: i64) -> i64 {
        self.clock.now().as_second() + seconds
    }
}
