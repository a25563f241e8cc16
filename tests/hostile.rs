//! Whatever a server, a token or a file says, it stays text, and it stays in its place (security.md C1, C3).
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

#[path = "support/board.rs"]
mod board;
#[path = "support/families.rs"]
mod families;

use board::{frame, id, joining, logging_in, looked_up, morning, plain, report};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use std::sync::Arc;

use serde_json::{Value, json};
use toktui::app::compare::Comparison;
use toktui::app::create::tree::{Tick, Twig};
use toktui::app::create::typed::Typed;
use toktui::app::create::{Create, Item, Over, Picking, Start, Told};
use toktui::app::effect::{Made, Outcome, Task};
use toktui::app::family::{Of, Window};
use toktui::app::field::Field;
use toktui::app::handing::Handing;
use toktui::app::login::WhichProvider;
use toktui::app::overlay::{List, Loss, Overlay, Palette};
use toktui::app::revoke::{Doomed, Revoke};
use toktui::app::sheet::{Entry, Sheet};
use toktui::app::state::{Notice, Pane, State, Tone};
use toktui::domain::announced::{Announced, Row};
use toktui::domain::compare::{Change, How, Part};
use toktui::domain::credential::{Chain, Custody, Health, Held};
use toktui::domain::draft::DraftClause;
use toktui::domain::event::{Event, What};
use toktui::domain::failure::{Failure, Kind};
use toktui::domain::family::{Family, Member};
use toktui::domain::introspected::{About, Answer, Introspected, Said};
use toktui::domain::jwt::Jwt;
use toktui::domain::login::{Choice, Order, Reached, Report};
use toktui::domain::membership::memberships;
use toktui::domain::mytoken::{Capability, Clause, Facts};
use toktui::domain::offer::{Offer, Offered, Template, TemplateKind};
use toktui::domain::scopes;
use toktui::domain::secret::Secret;
use toktui::domain::signature::{Signature, Unchecked};
use toktui::domain::source::Source;
use toktui::domain::untrusted::{Untrusted, cleaned};
use toktui::domain::userinfo::Userinfo;
use toktui::domain::verdict::Standing;
use unicode_width::UnicodeWidthStr;

const SIZE: (u16, u16) = (100, 30);

/// What has broken terminals before.
const NASTY: &[&str] = &[
    "\u{1b}[2J",
    "\u{1b}]0;title\u{7}",
    "\u{1b}]52;c;dG9r\u{7}",
    "\u{1b}P1$r\u{1b}\\",
    "\u{9b}31m",
    "\u{9d}8;;x\u{9c}",
    "\r\n",
    "\t",
    "\u{8}\u{8}",
    "\u{7f}",
    "\u{0}",
    "\u{202e}evil",
    "\u{2066}x\u{2069}",
    "\u{200b}",
    "\u{200d}",
    "\u{feff}",
    "\u{e0041}",
    "\u{ad}",
    "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
    "\u{301}",
    "日本語",
    "👩\u{200d}👩\u{200d}👧",
    "🇩🇪",
    "한글",
    "\u{1100}\u{1161}\u{11a8}",
    "עברית",
    "العربية",
    "क्षि",
    "\u{fe0f}",
    "a very long word that goes on and on ",
    "….·›",
    "│╮",
    "x",
    " ",
    "\u{3000}",
];

fn hostile() -> impl Strategy<Value = Vec<String>> {
    let piece = prop_oneof![
        4 => proptest::sample::select(NASTY).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    let text = proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat());
    proptest::collection::vec(text, 8..24)
}

/// Hands out the texts one after the other, for ever.
struct Texts<'a>(std::iter::Cycle<std::slice::Iter<'a, String>>);

impl Texts<'_> {
    fn next(&mut self) -> String {
        self.0.next().cloned().unwrap_or_default()
    }

    fn untrusted(&mut self) -> Untrusted {
        Untrusted::new(self.next())
    }

    fn two(&mut self) -> Vec<Untrusted> {
        vec![self.untrusted(), self.untrusted()]
    }

    fn facts(&mut self) -> Facts {
        Facts {
            server: self.untrusted(),
            provider: self.untrusted(),
            subject: self.untrusted(),
            name: Some(self.untrusted()),
            mom_id: Some(self.untrusted()),
            capabilities: vec![Capability(self.untrusted()), Capability(self.untrusted())],
            restrictions: vec![Clause {
                scopes: Some(self.two()),
                audiences: Some(self.two()),
                hosts: Some(self.two()),
                countries_allowed: Some(self.two()),
                countries_refused: Some(self.two()),
                unknown: vec![self.untrusted()],
                ..Clause::default()
            }],
            ..board::toar_facts()
        }
    }

    fn held(&mut self, mut held: Held) -> Held {
        held.name = self.next();
        if let Some(identity) = &mut held.identity {
            identity.label = Some(self.untrusted());
            identity.subject = self.untrusted();
            identity.issuer = self.untrusted();
        }
        if let Custody::Foreign(owner) = &mut held.custody {
            *owner = self.next();
        }
        if let Health::Dead(why) = &mut held.health {
            *why = self.next();
        }
        if let Chain::Refresh { through, .. } = &mut held.chain {
            through.client = Some(self.next());
        }
        if let Chain::Mytoken { facts, .. } = &mut held.chain {
            **facts = self.facts();
        }
        for access in &mut held.access {
            access.granted = Some(self.two());
            access.content = Some(self.jwt());
        }
        held
    }

    fn claims(&mut self) -> serde_json::Map<String, Value> {
        let claims = json!({
            "sub": self.next(), "iss": self.next(), "name": self.next(), "aud": [self.next()], "scope": self.next(),
            "azp": self.next(), self.next(): self.next(), self.next(): {self.next(): [self.next()]},
            "groups": [self.next(), format!("urn:mace:egi.eu:group:{}:role={}#{}", self.next(), self.next(), self.next())],
        });
        claims.as_object().expect("an object").clone()
    }

    fn jwt(&mut self) -> Jwt {
        let mut jwt = board::jwt(&Value::Object(self.claims()));
        jwt.header.insert("kid".to_owned(), self.next().into());
        jwt.header.insert(self.next(), self.next().into());
        jwt
    }

    fn signature(&mut self, signature: &Signature) -> Signature {
        match signature {
            Signature::Good { .. } => Signature::Good {
                issuer: self.untrusted(),
                key: Some(self.untrusted()),
                algorithm: self.untrusted(),
            },
            Signature::Bad { .. } => Signature::Bad { issuer: self.untrusted(), key: Some(self.untrusted()) },
            Signature::Unchecked(why) => Signature::Unchecked(match why {
                Unchecked::Secret(_) => Unchecked::Secret(self.untrusted()),
                Unchecked::Algorithm(_) => Unchecked::Algorithm(self.untrusted()),
                Unchecked::NotListed(_) => Unchecked::NotListed(self.untrusted()),
                Unchecked::NoKey { .. } => {
                    Unchecked::NoKey { issuer: self.untrusted(), key: self.untrusted() }
                }
                Unchecked::NotReached { .. } => {
                    Unchecked::NotReached { issuer: self.untrusted(), why: cleaned(&self.next()) }
                }
                Unchecked::Unsigned
                | Unchecked::NoAlgorithm
                | Unchecked::Extensions
                | Unchecked::NoIssuer
                | Unchecked::NotAsked => why.clone(),
            }),
        }
    }

    fn introspected(&mut self, introspected: &Introspected) -> Introspected {
        let said = match introspected.said {
            Said::Active(_) => Said::Active(self.claims()),
            Said::NotActive => Said::NotActive,
            Said::Nothing(_) => Said::Nothing(cleaned(&self.next())),
        };
        Introspected { by: self.next(), said }
    }

    fn offer(&mut self, offer: &Offer) -> Offer {
        let providers = offer.providers.iter().map(|_| Offered {
            issuer: self.untrusted(),
            name: self.untrusted(),
            scopes: self.two(),
        });
        let providers = providers.collect();
        let templates = offer.templates.iter().map(|template| Template {
            group: template.group.as_ref().map(|_| self.untrusted()),
            name: self.untrusted(),
            kind: template.kind,
            content: self.untrusted(),
        });
        let templates = templates.collect();
        Offer { address: self.next(), version: Some(self.untrusted()), providers, templates, ..offer.clone() }
    }

    /// What a server's words come to in the form, once they are chosen there.
    fn form(&mut self, form: &mut Create) {
        form.told = match &form.told {
            Told::Asking => Told::Asking,
            Told::Offers(offer) => Told::Offers(Box::new(self.offer(offer))),
            Told::Nothing(_) => Told::Nothing(self.next()),
        };
        for start in &mut form.starts {
            match start {
                Start::Profile { name, .. } => *name = self.next(),
                Start::Template { reference, content } => {
                    (*reference, *content) = (self.next(), self.untrusted());
                }
                Start::Blank => {}
            }
        }
        form.draft.provider = match &form.told {
            Told::Offers(offer) => offer.providers[0].issuer.raw().to_owned(),
            Told::Asking | Told::Nothing(_) => self.next(),
        };
        form.draft.templates = vec![self.next()];
        form.name = Field::new(&self.next());
        form.lives = Field::new(&self.next());
        let clause = DraftClause::from(self.facts().restrictions[0].clone());
        for typed in &mut form.clauses {
            *typed = Typed::of(&clause, &TimeZone::UTC);
        }
        let by = Capability(self.untrusted());
        for tick in [Tick::On, Tick::Implied(by)] {
            let name = Capability(self.untrusted());
            form.tree.insert(0, Twig { name, known: None, depth: 0, below: 0, unfolded: false, tick });
        }
        for (_, why) in &mut form.faults {
            *why = self.next();
        }
        form.words = vec![self.next(), self.next()];
        for warning in &mut form.warnings {
            warning.text = self.next();
        }
        form.command = self.next();
        for moments in &mut form.moments {
            *moments = [Some(self.next()), Some(self.next())];
        }
        match &mut form.over {
            Over::Nothing => {}
            Over::Scopes(picking) => {
                for (scope, _) in &mut picking.scopes {
                    *scope = self.untrusted();
                }
            }
            Over::ProfileName(name) => *name = Field::new(&self.next()),
        }
    }

    fn userinfo(&mut self, told: &mut Userinfo) {
        let claims = self.claims();
        *told = Userinfo {
            name: self.next(),
            at: self.next(),
            subject: self.untrusted(),
            memberships: memberships(&claims, &[]),
            claims,
            ..told.clone()
        };
    }

    fn comparison(&mut self, comparison: &mut Comparison) {
        (comparison.first, comparison.second) = (self.next(), self.next());
        comparison.changes = [Part::Scopes, Part::Audience, Part::Claims, Part::Header]
            .into_iter()
            .flat_map(|part| {
                let lists = How::Lists { gone: vec![self.untrusted()], added: vec![self.untrusted()] };
                let other = How::Other(json!(self.next()), json!({"a": self.next()}));
                let moved = How::Moved(board::noon(), jiff::Timestamp::MAX);
                let added = How::Added(json!([self.next()]));
                [lists, other, moved, added].map(|how| Change { part, name: self.untrusted(), how })
            })
            .collect();
    }

    fn event(&mut self, event: &Event) -> Event {
        Event {
            what: if event.new_address { What::Noted(self.next()) } else { What::Server(self.untrusted()) },
            address: Some(self.untrusted()),
            agent: Some(self.untrusted()),
            comment: Some(self.untrusted()),
            ..event.clone()
        }
    }

    fn source(&mut self, source: &Source) -> Source {
        Source { name: self.next(), note: self.next(), ..source.clone() }
    }

    /// The same board with another text in every place that has one.
    fn spoil(&mut self, mut state: State) -> State {
        let mut wallet = state.wallet.clone();
        wallet.held = wallet.held.iter().map(|held| self.held(held.clone())).collect();
        wallet.sources = wallet.sources.iter().map(|source| self.source(source)).collect();
        wallet.journal = wallet.journal.iter().map(|event| self.event(event)).collect();
        for (events, _) in state.history.read.values_mut() {
            *events = events.iter().map(|event| self.event(event)).collect();
        }
        if let Some(finding) = state.lookup.pasted.as_mut().and_then(|pasted| pasted.finding.as_mut()) {
            finding.what = self.next();
            finding.may_ask = finding.may_ask.as_ref().map(|_| self.next());
            finding.verdict.fact = self.next();
            finding.verdict.remarks = vec![self.next(), self.next()];
            finding.facts = finding.facts.as_ref().map(|_| Box::new(self.facts()));
            finding.content = finding.content.as_ref().map(|_| Box::new(self.jwt()));
            let signature = finding.signature.as_deref();
            finding.signature = signature.map(|signature| Box::new(self.signature(signature)));
            let introspected = finding.introspected.as_deref();
            finding.introspected = introspected.map(|introspected| Box::new(self.introspected(introspected)));
        }
        state.seat.host = self.next();
        state.seat.reached = Some(Reached { user: self.next(), host: self.next(), port: Some(2222) });
        state.notice = Some(Notice { text: self.next(), tone: Tone::Bad, until: None });
        for overlay in &mut state.overlays {
            self.spoil_overlay(overlay);
        }
        board::tell(&mut state, Outcome::Changed(wallet));
        state
    }

    fn member(&mut self, member: &Member) -> Member {
        let mut member = member.clone();
        member.listed.name = Some(self.untrusted());
        member.listed.address = Some(self.untrusted());
        member.listed.mom_id = self.untrusted();
        member.held = member.held.map(|(id, _)| (id, self.next()));
        member.capabilities = Some(vec![Capability(self.untrusted())]);
        member
    }

    fn sheet(&mut self, sheet: &mut Sheet) {
        for entry in &mut sheet.entries {
            *entry = match entry.input {
                toktui::app::sheet::Input::Choice(..) => {
                    Entry::choice(entry.label, vec![self.next(), self.next()], entry.hint)
                }
                _ => Entry::text(entry.label, &self.next(), entry.hint),
            };
        }
    }

    fn spoil_overlay(&mut self, overlay: &mut Overlay) {
        match overlay {
            Overlay::Login(login) => {
                let view = login.view.as_mut().expect("a view");
                view.at = self.next();
                view.client = self.next();
                view.then = self.next();
                view.asking = vec![self.next(), self.next()];
                view.remarks = vec![self.next()];
                view.paste_refused = Some(self.next());
                view.under_way = view.under_way.as_ref().map(|_| self.next());
                let Some(device) = &mut view.device else { return };
                device.address = self.untrusted();
                device.complete = Some(self.untrusted());
                device.code = Some(self.untrusted());
                device.trouble = Some(self.next());
            }
            Overlay::Granted(report) => {
                let lines = report.lines.clone();
                **report = Report {
                    name: self.next(),
                    at: self.next(),
                    no_refresh: Some(self.next()),
                    ..*report.clone()
                };
                report.remarks = vec![self.next()];
                for (line, _) in report.lines.iter_mut().zip(lines) {
                    line.what = self.next();
                    line.asked = self.next();
                    line.granted = self.next();
                    line.note = Some(self.next());
                }
            }
            Overlay::Registered(registered, _) => {
                registered.client = self.next();
                registered.source.name = self.next();
                registered.remarks = vec![self.next()];
                for line in &mut registered.lines {
                    (line.what, line.asked, line.granted) = (self.next(), self.next(), self.next());
                    line.note = Some(self.next());
                }
            }
            Overlay::Failed(failure) => {
                failure.doing = self.next();
                failure.why = self.next();
                failure.hint = Some(self.next());
            }
            Overlay::Revoke(revoke) => {
                revoke.name = self.next();
                revoke.ends = vec![self.next(), self.next()];
                revoke.lives_on = vec![self.next()];
                revoke.tree = revoke.tree.iter().map(|member| self.member(member)).collect();
            }
            Overlay::Family(window) => {
                let family = window.family.clone().expect("a family");
                let members = family.members.iter().map(|member| self.member(member)).collect();
                window.root = window.root.as_ref().map(|_| self.next());
                window.trouble = Some(self.next());
                window.take(Arc::new(Family { members, ..Family::clone(&family) }));
            }
            Overlay::Member(member, _) => **member = self.member(member),
            Overlay::Event(event, _) => **event = self.event(event),
            Overlay::Handing(handing) => {
                handing.handed.code = Secret::new(self.next());
                handing.handed.address = self.next();
                handing.handed.name = self.next();
            }
            Overlay::Sheet(sheet) => self.sheet(sheet),
            Overlay::MayAsk(server, _) => *server = self.next(),
            Overlay::QuitLoses(loss) => {
                *loss = Loss {
                    memory: vec![self.next(), self.next()],
                    unsaved: vec![self.next()],
                    why: Some(self.next()),
                };
            }
            Overlay::WhichProvider(which) => {
                which.choices = vec![Choice { issuer: self.next(), name: self.untrusted() }];
            }
            Overlay::Create(form) => self.form(form),
            Overlay::Userinfo(told, _) => self.userinfo(told),
            Overlay::Introspected(told, _) => {
                for one in told {
                    one.name = self.next();
                    one.answer = self.introspected(&one.answer);
                }
            }
            Overlay::Compared(comparison, _) => self.comparison(comparison),
            Overlay::Announced(told, _) => {
                told.title = cleaned(&self.next());
                told.hints = vec![cleaned(&self.next())];
                for row in &mut told.rows {
                    (row.here, row.says) = (cleaned(&self.next()), cleaned(&self.next()));
                }
            }
            small => self.spoil_small(small),
        }
    }

    /// What is typed somewhere, and what only shows what the state holds, which is spoilt there.
    fn spoil_small(&mut self, overlay: &mut Overlay) {
        match overlay {
            Overlay::Palette(palette) => palette.field = Field::new(&self.next()),
            Overlay::Paste(field)
            | Overlay::KeepAs(_, field)
            | Overlay::AddProvider(field)
            | Overlay::Rename(_, field)
            | Overlay::Filter(field) => *field = Field::new(&self.next()),
            Overlay::WhichClient(which) => which.field = Field::new(&self.next()),
            Overlay::Guarding(choosing) => choosing.said = Some(self.next()),
            Overlay::Unlock(unlock) => unlock.said = Some(self.next()),
            Overlay::Help(_)
            | Overlay::CopyMenu(..)
            | Overlay::Details(..)
            | Overlay::Content(_)
            | Overlay::Active(..) => {}
            large => panic!("what does {large:?} show?"),
        }
    }
}

/// A board with the create form, whose server has told what it offers; then changed.
fn creating(change: impl FnOnce(&mut Create)) -> State {
    let mut state = morning(SIZE);
    let source = state.source(&families::SERVER.into()).expect("it is listed").clone();
    state.overlays.push(Overlay::Create(Box::new(Create::open(&state, &source))));
    let provider = |issuer: &str| Offered {
        issuer: issuer.into(),
        name: "Helmholtz ID".into(),
        scopes: vec!["openid".into(), "profile".into()],
    };
    let template = Template {
        group: Some("toar".into()),
        name: "archive".into(),
        kind: TemplateKind::Profile,
        content: "{}".into(),
    };
    let offer = Offer {
        server: Some(families::SERVER.into()),
        providers: vec![provider(board::HELMHOLTZ), provider(board::EGI)],
        templates: vec![template],
        version: Some("0.10.2".into()),
        ..Offer::default()
    };
    board::tell(&mut state, Outcome::Made(Made::Offer(families::SERVER.into(), Ok(Box::new(offer)))));
    let Some(Overlay::Create(form)) = state.overlays.last_mut() else { panic!("the form") };
    assert!(form.starts.iter().any(|start| matches!(start, Start::Template { .. })), "{:?}", form.starts);
    change(form);
    state
}

/// The create form wherever it shows what a server said.
fn forms() -> Vec<State> {
    let template = |form: &mut Create| {
        let is_one = |start: &Start| matches!(start, Start::Template { .. });
        form.start = form.starts.iter().position(is_one).expect("a template");
        form.at = Item::Start;
    };
    let picking = |form: &mut Create| {
        let scopes = form.offered_scopes().iter().map(|scope| (scope.clone(), true)).collect();
        form.over = Over::Scopes(Picking { scopes, ..Picking::default() });
    };
    vec![
        creating(|_| {}),
        creating(template),
        creating(|form| form.at = Item::Capability(0)),
        creating(|form| {
            form.told = Told::Nothing(String::new());
            form.at = Item::Server;
        }),
        creating(|form| form.faults = vec![(Item::Name, String::new()), (Item::Lives, String::new())]),
        creating(picking),
        creating(|form| form.over = Over::ProfileName(Field::default())),
    ]
}

/// Access tokens on show, with all that can be said of their signatures and by their providers.
fn checked() -> Vec<State> {
    let text = || Untrusted::from("");
    let none = |why| Signature::Unchecked(why);
    let signatures = [
        Signature::Good { issuer: text(), key: None, algorithm: text() },
        Signature::Bad { issuer: text(), key: None },
        none(Unchecked::Secret(text())),
        none(Unchecked::Algorithm(text())),
        none(Unchecked::NotListed(text())),
        none(Unchecked::NoKey { issuer: text(), key: text() }),
        none(Unchecked::NotReached { issuer: text(), why: String::new() }),
    ];
    let said = [Said::Active(serde_json::Map::new()), Said::Nothing(String::new()), Said::NotActive];
    let boards = signatures.into_iter().zip(said.into_iter().cycle()).map(|(signature, said)| {
        let mut state = looked_up(SIZE, Standing::NotMytoken);
        let pasted = state.lookup.pasted.as_mut().expect("something pasted");
        let finding = pasted.finding.as_mut().expect("a finding");
        finding.content = board::access_token(0, 0).content.map(Box::new);
        finding.signature = Some(Box::new(signature));
        finding.introspected = Some(Box::new(Introspected { by: String::new(), said }));
        state
    });
    let boards: Vec<State> = boards.collect();
    let windows = boards.iter().cloned().map(|mut state| {
        state.overlays.push(Overlay::Content(List::default()));
        state
    });
    let windows: Vec<State> = windows.collect();
    [boards, windows].concat()
}

fn userinfo() -> Userinfo {
    Userinfo {
        name: "egi".to_owned(),
        at: "EGI Check-in".to_owned(),
        asked: board::noon(),
        subject: "s".into(),
        is_same_user: Some(true),
        claims: serde_json::Map::new(),
        memberships: Vec::new(),
        would_bring: scopes::KNOWN.iter().take(3).collect(),
    }
}

fn announced() -> Announced {
    let row = |what| Row { what, here: String::new(), says: String::new() };
    Announced { rows: vec![row("scopes"), row("grants")], ..Announced::default() }
}

fn introspected() -> Vec<Answer> {
    let said = [Said::Active(serde_json::Map::new()), Said::Nothing(String::new())];
    let of = |said: Said| Answer {
        name: "egi".to_owned(),
        about: About::Access,
        asked: board::noon(),
        answer: Introspected { by: "EGI Check-in".to_owned(), said },
    };
    said.map(of).to_vec()
}

/// Boards that between them show every text there is.
fn boards() -> Vec<State> {
    let with = |overlay| {
        let mut state = morning(SIZE);
        state.overlays.push(overlay);
        state
    };
    let mut providers = morning(SIZE);
    providers.focus = Pane::Providers;
    let mut login = morning(SIZE);
    board::select(&mut login, "egi");
    let order = Order::at("egi".into());
    let family = Arc::new(families::all());
    let revoke = Revoke {
        doomed: Doomed::Held(id("toar")),
        name: String::new(),
        ends: Vec::new(),
        tree: family.members[..4].to_vec(),
        asking: None,
        lives_on: Vec::new(),
        revocable: true,
        confirm: None,
    };
    let mut window = Window::new(Of::Server(families::SERVER.into()), families::SERVER.into(), None);
    window.take(Arc::clone(&family));
    let mut grown = Window::new(Of::Held(id("toar")), families::SERVER.into(), Some(String::new()));
    grown.take(Arc::clone(&family));
    grown.order = toktui::app::family::Order::Name;
    let handing = Handing { handed: families::handed(), qr_alone: false, withdrawing: None };
    let mut boards = vec![
        morning(SIZE),
        providers,
        login,
        logging_in(SIZE, true),
        joining(SIZE),
        looked_up(SIZE, Standing::CannotTell),
        looked_up(SIZE, Standing::NotMytoken),
        with(Overlay::Details(id("toar"), List::default())),
        with(Overlay::CopyMenu(id("toar"), List::default())),
        with(Overlay::Granted(Box::new(report()))),
        with({
            let source = morning(SIZE).source(&"egi".into()).expect("built in").clone();
            Overlay::Registered(Box::new(board::registered(source)), order.clone())
        }),
        with(Overlay::Failed(Failure::new(Kind::Failed, "", ""))),
        with(Overlay::QuitLoses(Loss::default())),
        with(Overlay::WhichProvider(WhichProvider {
            task: Task(1),
            order,
            manages: false,
            choices: Vec::new(),
            selected: 0,
        })),
        with(Overlay::Revoke(Box::new(Revoke { confirm: Some(Field::new("toar")), ..revoke.clone() }))),
        with(Overlay::Revoke(Box::new(revoke))),
        with(Overlay::Family(Box::new(window))),
        with(Overlay::Family(Box::new(grown))),
        with(Overlay::Member(Box::new(family.members[0].clone()), List::default())),
        with(Overlay::Event(Box::new(board::server_events()[0].clone()), List::default())),
        with(Overlay::Handing(Box::new(handing))),
        families::sheet(SIZE, "w"),
        families::sheet(SIZE, "W"),
        families::sheet(SIZE, ":redeem\n"),
        families::hand_over(SIZE),
        with(Overlay::Userinfo(Box::new(userinfo()), List::default())),
        with(Overlay::Introspected(introspected(), List::default())),
        with(Overlay::Announced(Box::new(announced()), List::default())),
        with(Overlay::Active("egi".into(), List::default())),
        with(Overlay::Compared(Box::new(board::comparison()), List::default())),
        with(Overlay::Rename(id("toar"), Field::default())),
        with(Overlay::AddProvider(Field::default())),
        with(Overlay::Filter(Field::default())),
        with(Overlay::Palette(Palette::default())),
        with(Overlay::Help(List::default())),
    ];
    boards.extend(forms());
    boards.extend(checked());
    boards
}

/// No cell holds anything but plain text, and every row is exactly as wide as the screen.
fn holds(buffer: &Buffer) -> Result<(), TestCaseError> {
    for row in buffer.content.chunks(usize::from(SIZE.0)) {
        let mut covered = 0;
        let mut width = 0;
        for cell in row {
            let symbol = cell.symbol();
            prop_assert!(!symbol.is_empty() && cleaned(symbol) == symbol, "{symbol:?}");
            if covered > 0 {
                covered -= 1;
                prop_assert_eq!(symbol, " ");
                continue;
            }
            covered = symbol.width() - 1;
            width += symbol.width();
        }
        prop_assert_eq!(width, usize::from(SIZE.0));
    }
    Ok(())
}

/// The frames of panes and overlays: where a plain board has an upright, so has this one.
fn same_uprights(plain_board: &Buffer, spoilt: &Buffer) -> Result<(), TestCaseError> {
    let width = usize::from(SIZE.0);
    for (at, (one, other)) in plain_board.content.iter().zip(&spoilt.content).enumerate() {
        if one.symbol() == "│" {
            prop_assert_eq!(other.symbol(), "│", "at column {}, row {}", at % width, at / width);
        }
    }
    Ok(())
}

proptest! {
    // `PROPTEST_CASES=800` makes it 10,000 boards; the bugs it is there for show within a dozen.
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn no_text_leaves_its_place(texts in hostile()) {
        for state in boards() {
            let honest = frame(&state, &plain());
            let buffer = frame(&Texts(texts.iter().cycle()).spoil(state.clone()), &plain());
            holds(&buffer)?;
            // Windows as tall as what they say move; the panes and the others stand.
            if state.overlays.iter().all(|overlay| matches!(overlay, Overlay::Details(..) | Overlay::Content(_) | Overlay::Userinfo(..) | Overlay::Introspected(..) | Overlay::Announced(..) | Overlay::Active(..) | Overlay::Compared(..))) {
                same_uprights(&honest, &buffer)?;
            }
        }
    }
}

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(24)
}

#[test]
fn an_absurd_moment_is_shown_and_not_a_panic() {
    for moment in [jiff::Timestamp::MIN, jiff::Timestamp::MAX] {
        let mut state = morning(SIZE);
        let mut wallet = state.wallet.clone();
        wallet.held = wallet
            .held
            .iter()
            .cloned()
            .map(|mut held| {
                held.since = moment;
                for access in &mut held.access {
                    access.obtained = moment;
                    access.expires = Some(moment);
                }
                held
            })
            .collect();
        board::tell(&mut state, Outcome::Changed(wallet));
        for now in [moment, board::noon(), board::after(-SignedDuration::MAX.as_secs() / 1_000_000_000_000)] {
            board::frame_at(&state, &plain(), now);
        }
    }
}
