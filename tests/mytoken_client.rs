//! Our mytoken client and the sandbox's mytoken server, over real HTTP: whole lives of mytokens.

#![allow(clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use toktui::domain::login::Relation;
use toktui::domain::mytoken::{Capability, Clause, Rotation};
use toktui::domain::mytoken::{Form, Wanted};
use toktui::domain::secret::Secret;
use toktui::domain::specimen::{Kind, recognise};
use toktui::domain::time::{Clock, FixedClock, from_epoch, later};
use toktui::domain::untrusted::Untrusted;
use toktui::http::Http;
use toktui::mytoken::consent::{self, Consent};
use toktui::mytoken::discovery::{self, Server};
use toktui::mytoken::listing;
use toktui::mytoken::polling::{self, End};
use toktui::mytoken::subtoken::{self, Made};
use toktui::mytoken::{Error, Issued, No, Reason, Reply, access, asked, revocation, tokeninfo, transfer};
use toktui::sandbox::mytoken::{Mytokens, Settings};
use toktui::sandbox::serve;
use toktui::sandbox::visitor::{Choice, Visitor};

const NOW: i64 = 1_800_000_000;

struct Sandbox {
    mytokens: Mytokens,
    clock: Arc<FixedClock>,
    http: Http,
    server: Server,
    _running: serve::Server,
}

impl Sandbox {
    async fn open() -> Self {
        let clock = Arc::new(FixedClock::at(from_epoch(NOW)));
        let bound = serve::bind(0).await.expect("a port");
        let issuer = bound.base();
        let settings = Settings { issuer: issuer.clone(), polling_life: 2, ..Settings::default() };
        let mytokens = Mytokens::new(settings, Arc::<FixedClock>::clone(&clock)).expect("a server");
        let running = bound.serve(mytokens.handler());
        let http = Http::default();
        let server = discovery::discover(&http, &issuer).await.expect("its discovery");
        Self { mytokens, clock, http, server, _running: running }
    }

    /// An order at the guest provider, where a login is one click.
    fn order(&self) -> Wanted {
        let guest = self.server.providers.last().expect("the guest provider");
        Wanted { provider: guest.issuer.clone(), name: Some("laptop:toar".to_owned()), ..Wanted::default() }
    }

    async fn begun(&self, order: &Wanted) -> Consent {
        let consent = consent::start(&self.http, &self.server, order).await.expect("a consent page");
        Consent { interval: Duration::from_millis(5), ..consent }
    }

    async fn ended(&self, consent: &Consent) -> End {
        polling::wait(&self.http, &self.server, consent, std::future::pending(), |_| {}).await
    }

    async fn made(&self, order: &Wanted) -> Issued {
        let consent = self.begun(order).await;
        let (visit, end) = tokio::join!(visit(&consent, Choice::Approve), self.ended(&consent));
        visit.expect("the pages lead to an end");
        match end {
            End::Granted(issued) => *issued,
            other => panic!("{other:?}"),
        }
    }

    /// One that may manage all others, and rotates on that.
    async fn manager(&self) -> Issued {
        let rotation = Some(Rotation { on_other: true, ..Rotation::default() });
        let capabilities = vec![Capability::new("manage_mytokens"), Capability::new("tokeninfo")];
        self.made(&Wanted { capabilities, rotation, ..self.order() }).await
    }

    async fn drawn(&self, mytoken: &Secret) -> Reply<access::AccessToken> {
        access::access_token(&self.http, &self.server, mytoken, &[], &[]).await
    }

    async fn looked_up(&self, mytoken: &Secret) -> Reply<tokeninfo::Introspection> {
        tokeninfo::introspect(&self.http, &self.server, mytoken).await
    }
}

async fn visit(
    consent: &Consent,
    choice: Choice,
) -> Result<toktui::sandbox::visitor::Outcome, toktui::sandbox::visitor::Error> {
    Visitor::new()?.visit(consent.uri.as_str(), choice, "alice").await
}

fn refused<T>(reason: Reason) -> Result<T, Error> {
    Err(Error::Refused(No::InvalidToken(reason)))
}

#[tokio::test]
async fn a_mytoken_is_ordered_drawn_from_looked_up_and_revoked() {
    let sandbox = Sandbox::open().await;
    let order = Wanted {
        restrictions: vec![Clause {
            expires: Some(from_epoch(NOW + 86_400)),
            uses_at: Some(15),
            uses_other: Some(15),
            ..Clause::default()
        }],
        ..sandbox.order()
    };
    let issued = sandbox.made(&order).await;
    assert!(
        matches!(recognise(issued.mytoken.expose()).kind, Kind::Mytoken(facts) if *facts == issued.facts)
    );
    let lines = asked::compare(&order, &issued, sandbox.clock.now());
    assert!(lines.iter().all(|line| line.relation == Relation::Same), "{lines:?}");

    let drawn = sandbox.drawn(&issued.mytoken).await;
    assert_eq!((drawn.update, drawn.in_doubt), (None, false));
    assert!(!drawn.outcome.expect("an access token").value.is_empty());

    let history = tokeninfo::event_history(&sandbox.http, &sandbox.server, &issued.mytoken).await;
    let events = history.outcome.expect("a history");
    let drawn: Vec<_> = events.iter().filter(|event| event.event.raw() == "AT_created").collect();
    assert_eq!(drawn.len(), 1, "{events:?}");
    assert!(
        drawn
            .iter()
            .all(|event| event.agent.as_ref().is_some_and(|agent| agent.raw().starts_with("toktui/")))
    );

    let facts = sandbox.looked_up(&issued.mytoken).await.outcome.expect("an introspection").facts;
    let clause = facts.restrictions.first().expect("a clause");
    assert_eq!((clause.left_at(), clause.left_other()), (Some(14), Some(14)));
    assert_eq!((facts.mom_id, facts.name), (issued.facts.mom_id, Some(Untrusted::from("laptop:toar"))));

    let revoked = revocation::revoke(&sandbox.http, &sandbox.server, &issued.mytoken, false).await;
    assert_eq!(revoked.outcome, Ok(revocation::Accepted));
    assert_eq!(sandbox.looked_up(&issued.mytoken).await.outcome, refused(Reason::Unidentified));
}

#[tokio::test]
async fn a_rotating_mytoken_lives_on_through_its_updates_and_an_old_copy_ends_the_family() {
    let sandbox = Sandbox::open().await;
    let rotation = Rotation { on_at: true, on_other: false, lifetime: Some(3600), auto_revoke: true };
    let issued = sandbox.made(&Wanted { rotation: Some(rotation), ..sandbox.order() }).await;
    assert_eq!(issued.facts.rotation, Some(rotation));
    let mut current = issued.mytoken.clone();
    for copy in 2..6 {
        let reply = sandbox.drawn(&current).await;
        let update = reply.update.expect("a new copy");
        assert_eq!((update.facts.copy, &update.facts.mom_id), (Some(copy), &issued.facts.mom_id));
        assert!(reply.outcome.is_ok());
        current = update.mytoken;
    }
    assert_eq!(sandbox.mytokens.stale_presentations(), 0);

    let old = revocation::revoke(&sandbox.http, &sandbox.server, &issued.mytoken, false).await;
    assert_eq!(old.outcome, Err(Error::Refused(No::OldCopy)));
    assert!(sandbox.looked_up(&current).await.outcome.is_ok(), "a refused revocation revokes nothing");

    assert_eq!(sandbox.drawn(&issued.mytoken).await.outcome, refused(Reason::Unidentified));
    assert_eq!(sandbox.looked_up(&current).await.outcome, refused(Reason::Unidentified));
}

#[tokio::test]
async fn a_short_mytoken_is_described_by_the_answer_it_came_with() {
    let sandbox = Sandbox::open().await;
    let order = Wanted {
        form: Form::Short,
        capabilities: vec![Capability::new("AT"), Capability::new("tokeninfo:introspect")],
        ..sandbox.order()
    };
    let issued = sandbox.made(&order).await;
    assert!(issued.short);
    assert_eq!(recognise(issued.mytoken.expose()).kind, Kind::MaybeShortToken);
    assert_eq!(issued.facts.capabilities, order.capabilities);
    let found = sandbox.looked_up(&issued.mytoken).await.outcome.expect("an introspection");
    assert_eq!((found.short, found.facts.mom_id), (true, issued.facts.mom_id));

    let unknown = Secret::new("Q".repeat(64));
    assert_eq!(sandbox.looked_up(&unknown).await.outcome, refused(Reason::UnknownShort));
}

#[tokio::test]
async fn what_a_mytoken_may_not_do_is_told_from_its_being_dead() {
    let sandbox = Sandbox::open().await;
    let only_at = Wanted {
        capabilities: vec![Capability::new("AT")],
        restrictions: vec![Clause { uses_at: Some(1), ..Clause::default() }],
        ..sandbox.order()
    };
    let issued = sandbox.made(&only_at).await;
    assert_eq!(sandbox.looked_up(&issued.mytoken).await.outcome, Err(Error::Refused(No::LacksCapability)));
    assert!(sandbox.drawn(&issued.mytoken).await.outcome.is_ok());
    assert_eq!(sandbox.drawn(&issued.mytoken).await.outcome, Err(Error::Refused(No::UsageRestricted)));
}

#[tokio::test]
async fn before_its_time_and_after_it_a_mytoken_says_so() {
    let sandbox = Sandbox::open().await;
    let clause = Clause {
        not_before: Some(from_epoch(NOW + 100)),
        expires: Some(from_epoch(NOW + 200)),
        ..Clause::default()
    };
    let issued = sandbox.made(&Wanted { restrictions: vec![clause], ..sandbox.order() }).await;
    assert_eq!(sandbox.looked_up(&issued.mytoken).await.outcome, refused(Reason::NotYet));
    sandbox.clock.advance(SignedDuration::from_secs(150));
    assert!(sandbox.looked_up(&issued.mytoken).await.outcome.is_ok());
    sandbox.clock.advance(SignedDuration::from_secs(100));
    assert_eq!(sandbox.looked_up(&issued.mytoken).await.outcome, refused(Reason::Expired));
    assert_eq!(sandbox.drawn(&issued.mytoken).await.outcome, refused(Reason::Expired));
    let accepted = revocation::revoke(&sandbox.http, &sandbox.server, &issued.mytoken, false).await;
    assert_eq!(accepted.outcome, Ok(revocation::Accepted), "and nothing was revoked");
}

#[tokio::test]
async fn a_changed_mytoken_is_garbled_here_or_refused_there() {
    let sandbox = Sandbox::open().await;
    let issued = sandbox.made(&sandbox.order()).await;
    let cut = &issued.mytoken.expose()[..issued.mytoken.len() - 8];
    assert!(matches!(recognise(cut).kind, Kind::Garbled { .. }));
    assert_eq!(sandbox.looked_up(&Secret::new(cut)).await.outcome, refused(Reason::BadSignature));

    let mut forged = issued.mytoken.expose().to_owned();
    let last = forged.len() - 40;
    let other = if forged.as_bytes().get(last) == Some(&b'A') { "B" } else { "A" };
    forged.replace_range(last..=last, other);
    assert_eq!(sandbox.looked_up(&Secret::new(forged)).await.outcome, refused(Reason::BadSignature));
}

#[tokio::test]
async fn a_declined_login_and_one_that_nobody_finishes_are_two_ends() {
    let sandbox = Sandbox::open().await;
    let consent = sandbox.begun(&sandbox.order()).await;
    let (visited, end) = tokio::join!(visit(&consent, Choice::Deny), sandbox.ended(&consent));
    assert!(visited.is_ok());
    assert_eq!(end, End::Declined);

    let consent = Consent { expires_in: Duration::from_millis(40), ..sandbox.begun(&sandbox.order()).await };
    assert_eq!(sandbox.ended(&consent).await, End::TimedOut, "by our own clock");
    let consent = sandbox.begun(&sandbox.order()).await;
    sandbox.clock.advance(SignedDuration::from_secs(10));
    assert_eq!(sandbox.ended(&consent).await, End::TimedOut, "by the server's");
}

#[tokio::test]
async fn an_order_that_would_have_ended_already_is_refused() {
    let sandbox = Sandbox::open().await;
    let past = Clause {
        expires: Some(later(sandbox.clock.now(), SignedDuration::from_secs(-5))),
        ..Clause::default()
    };
    let order = Wanted { restrictions: vec![past], ..sandbox.order() };
    let refused = consent::start(&sandbox.http, &sandbox.server, &order).await;
    assert_eq!(refused, Err(Error::Refused(No::AlreadyEnded)));
    let order = Wanted { provider: Untrusted::from("https://nobody.example.org"), ..sandbox.order() };
    let refused = consent::start(&sandbox.http, &sandbox.server, &order).await;
    assert_eq!(refused, Err(Error::Refused(No::UnknownProvider)));
}

#[tokio::test]
async fn a_mytoken_goes_to_another_machine_by_a_code_and_only_once() {
    let sandbox = Sandbox::open().await;
    let rotation = Some(Rotation { on_at: true, ..Rotation::default() });
    let issued = sandbox.made(&Wanted { rotation, ..sandbox.order() }).await;
    let made = transfer::create(&sandbox.http, &sandbox.server, &issued.mytoken).await;
    assert_eq!((made.update, made.in_doubt), (None, false));
    let code = made.outcome.expect("a code").code;
    let came = transfer::redeem(&sandbox.http, &sandbox.server, &code).await.outcome.expect("the mytoken");
    assert_eq!((came.mytoken, came.facts), (issued.mytoken.clone(), issued.facts));
    let again = transfer::redeem(&sandbox.http, &sandbox.server, &code).await;
    assert_eq!((again.in_doubt, again.outcome), (false, Err(Error::Refused(No::BadCode))));

    // Pitfall 38: a code made before a rotation gives the dead copy.
    let early = transfer::create(&sandbox.http, &sandbox.server, &issued.mytoken).await;
    let early = early.outcome.expect("a code").code;
    let current = sandbox.drawn(&issued.mytoken).await.update.expect("a new copy").mytoken;
    let came = transfer::redeem(&sandbox.http, &sandbox.server, &early).await.outcome.expect("a copy");
    assert_eq!(sandbox.looked_up(&came.mytoken).await.outcome, refused(Reason::Unidentified));
    assert!(sandbox.looked_up(&current).await.outcome.is_ok());
}

#[tokio::test]
async fn revoking_a_code_ends_the_mytoken_only_where_nobody_holds_it() {
    let sandbox = Sandbox::open().await;
    let revoke = async |code: &Secret| {
        let reply = revocation::revoke(&sandbox.http, &sandbox.server, code, false).await;
        assert_eq!(reply.outcome, Ok(revocation::Accepted));
        let redeemed = transfer::redeem(&sandbox.http, &sandbox.server, code).await;
        assert_eq!(redeemed.outcome, Err(Error::Refused(No::BadCode)));
    };
    let issued = sandbox.made(&sandbox.order()).await;
    let code = transfer::create(&sandbox.http, &sandbox.server, &issued.mytoken).await;
    revoke(&code.outcome.expect("a code").code).await;
    assert!(sandbox.looked_up(&issued.mytoken).await.outcome.is_ok());

    let coded = async || {
        let consent = sandbox.begun(&Wanted { form: Form::Code, ..sandbox.order() }).await;
        let (visit, end) = tokio::join!(visit(&consent, Choice::Approve), sandbox.ended(&consent));
        visit.expect("the pages lead to an end");
        let End::Code(coded) = end else { panic!("{end:?}") };
        coded
    };
    let kept = coded().await;
    let came = transfer::redeem(&sandbox.http, &sandbox.server, &kept.code.code).await;
    let came = came.outcome.expect("the mytoken");
    assert_eq!((came.facts.mom_id, came.facts.capabilities), (kept.facts.mom_id, kept.facts.capabilities));
    let unkept = coded().await;
    revoke(&unkept.code.code).await;
    let manager = sandbox.manager().await;
    let id = unkept.facts.mom_id.expect("an id");
    let reply =
        tokeninfo::event_history_of(&sandbox.http, &sandbox.server, &manager.mytoken, &[id.raw()]).await;
    assert_eq!(reply.outcome, Err(Error::Refused(No::NotYours)), "it is gone");
}

#[tokio::test]
async fn a_manager_reads_the_history_of_another_mytoken_and_ends_it_by_its_id() {
    let sandbox = Sandbox::open().await;
    let issued = sandbox.made(&sandbox.order()).await;
    let manager = sandbox.manager().await;
    let id = issued.facts.mom_id.clone().expect("an id");
    let (http, server) = (&sandbox.http, &sandbox.server);
    let history = tokeninfo::event_history_of(http, server, &manager.mytoken, &[id.raw()]).await;
    let events = history.outcome.expect("a history");
    assert!(!events.is_empty() && events.iter().all(|event| event.mom_id.as_ref() == Some(&id)));
    let by_other = tokeninfo::event_history_of(http, server, &issued.mytoken, &["nonsense"]).await;
    assert_eq!(by_other.outcome, Err(Error::Refused(No::LacksCapability)));

    // It rotates on other uses: the answer is no 204 then, and carries the new copy.
    let revoked = revocation::revoke_other(http, server, &manager.mytoken, id.raw(), false).await;
    let update = revoked.update.expect("a new copy");
    assert_eq!((revoked.outcome, update.facts.copy), (Ok(revocation::Accepted), Some(2)));
    assert_eq!(sandbox.looked_up(&issued.mytoken).await.outcome, refused(Reason::Unidentified));
    let again = revocation::revoke_other(http, server, &update.mytoken, id.raw(), false).await;
    assert_eq!(again.outcome, Err(Error::Refused(No::NotYours)));
    let own = manager.facts.mom_id.expect("an id");
    let own = revocation::revoke_other(http, server, &update.mytoken, own.raw(), false).await;
    assert_eq!(own.outcome, Err(Error::OwnId));
}

#[tokio::test]
async fn a_rotating_parent_makes_children_and_shows_them_below_itself() {
    let sandbox = Sandbox::open().await;
    let (http, server) = (&sandbox.http, &sandbox.server);
    let capabilities = ["AT", "create_mytoken", "tokeninfo", "manage_mytokens:list"].map(Capability::new);
    let clause = Clause { uses_at: Some(9), uses_other: Some(9), ..Clause::default() };
    let rotation = Some(Rotation { on_other: true, ..Rotation::default() });
    let parent = Wanted {
        capabilities: capabilities.to_vec(),
        restrictions: vec![clause.clone()],
        rotation,
        ..sandbox.order()
    };
    let parent = sandbox.made(&parent).await;
    let wanted = Wanted {
        name: Some("cron".to_owned()),
        capabilities: vec![Capability::new("AT"), Capability::new("settings")],
        restrictions: vec![Clause { uses_at: Some(3), ..clause }],
        ..Wanted::default()
    };
    let reply = subtoken::create(http, server, &parent.mytoken, &wanted).await;
    let copy = reply.update.expect("the parent's new copy");
    assert_eq!((copy.facts.copy, &copy.facts.mom_id), (Some(2), &parent.facts.mom_id));
    let Made::Mytoken(child) = reply.outcome.expect("a child") else { panic!("a code") };
    assert_eq!((&child.facts.name, &child.facts.rotation), (&Some(Untrusted::from("cron")), &None));
    assert_eq!(child.facts.capabilities, [Capability::new("AT")]);

    let coded = Wanted { form: Form::Code, name: Some("away".to_owned()), ..wanted };
    let reply = subtoken::create(http, server, &copy.mytoken, &coded).await;
    let copy = reply.update.expect("the parent's next copy");
    let Made::Code(coded) = reply.outcome.expect("a code") else { panic!("a mytoken") };

    let reply = listing::subtokens(http, server, &copy.mytoken).await;
    let copy = reply.update.expect("the parent's next copy");
    let tree = reply.outcome.expect("a tree").roots.pop().expect("a root");
    let mut below: Vec<_> = tree.children.iter().map(|child| Some(child.mom_id.clone())).collect();
    let mut made = vec![child.facts.mom_id.clone(), coded.facts.mom_id.clone()];
    below.sort();
    made.sort();
    assert_eq!((Some(tree.mom_id.clone()), below), (parent.facts.mom_id, made));

    let all = listing::list(http, server, &copy.mytoken).await.outcome.expect("a list");
    assert_eq!((all.roots.len(), all.cut), (1, false));
    let below = listing::subtokens(http, server, &child.mytoken).await;
    assert_eq!(below.outcome, Err(Error::Refused(No::LacksCapability)));
    let of_child = subtoken::create(
        http,
        server,
        &child.mytoken,
        &Wanted { capabilities: vec![Capability::new("AT")], ..Wanted::default() },
    )
    .await;
    assert_eq!(of_child.outcome, Err(Error::Refused(No::LacksCapability)));
}

#[tokio::test]
async fn pitfall_40_a_profile_that_adds_to_what_was_chosen_is_seen() {
    let sandbox = Sandbox::open().await;
    let order = Wanted {
        capabilities: vec![Capability::new("AT")],
        restrictions: vec![Clause {
            expires: Some(from_epoch(NOW + 600)),
            uses_at: Some(5),
            uses_other: Some(5),
            ..Clause::default()
        }],
        templates: vec!["web".to_owned()],
        ..sandbox.order()
    };
    let issued = sandbox.made(&order).await;
    assert!(issued.facts.capabilities.len() > 1, "{:?}", issued.facts.capabilities);
    let lines = asked::compare(&order, &issued, sandbox.clock.now());
    let wider: Vec<&str> =
        lines.iter().filter(|line| line.relation == Relation::Wider).map(|line| line.what.as_str()).collect();
    assert!(wider.contains(&"may"), "{lines:?}");
    assert!(asked::is_wider(&lines));
}
