//! Sample states of the board, and ways to look at what is drawn of them. Nothing here is real.
#![allow(dead_code, reason = "each test file uses its part")]

use std::path::Path;
use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use serde_json::{Value, json};
use toktui::app::action::Action;
use toktui::app::compare::Comparison;
use toktui::app::effect::{Finding, Outcome, Snapshot, Target, Task};
use toktui::app::field::Field;
use toktui::app::login::{Login, Opened};
use toktui::app::lookup::Pasted;
use toktui::app::message::Message;
use toktui::app::overlay::Overlay;
use toktui::app::state::{Pane, Seat, State};
use toktui::app::update::update;
use toktui::config::Config;
use toktui::domain::compare::compare;
use toktui::domain::credential::{
    Ask, Chain, ChainEnd, CredentialId, Custody, Got, Health, Held, HeldAccess, Identity, Pause, Through, why,
};
use toktui::domain::ending::WARN_BEFORE;
use toktui::domain::event::{Event, Teller, What, mark_first_seen};
use toktui::domain::jwt::Jwt;
use toktui::domain::login::{Browser, Compared, Order, Polled, Reached, Relation, Report, View};
use toktui::domain::mytoken::{Capability, Clause, Facts, Rotation};
use toktui::domain::registration::Registered;
use toktui::domain::secret::Secret;
use toktui::domain::source::Source;
use toktui::domain::specimen::{Kind, Specimen};
use toktui::domain::time::later;
use toktui::domain::vault::{Access, Guard, Vault};
use toktui::domain::verdict::{By, Next, Standing, Turn, Verdict};
use toktui::ui::{self, Colours, Glyphs, Theme};

pub const KIT: &str = "https://mytoken.data.kit.edu";
pub const HELMHOLTZ: &str = "https://login.helmholtz.de/oauth2";
pub const EGI: &str = "https://aai.egi.eu/auth/realms/egi";

/// Sunday, 22 November 2026, a little after noon.
pub fn noon() -> Timestamp {
    "2026-11-22T12:04:31Z".parse().expect("a moment")
}

pub fn after(seconds: i64) -> Timestamp {
    later(noon(), SignedDuration::from_secs(seconds))
}

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;

/// The built-in providers.
pub fn sources() -> Vec<Source> {
    Config::load(None, Path::new("config.toml")).0.sources
}

/// A store that is open for the session.
pub fn open_vault() -> Vault {
    Vault {
        access: Access::Open { until: Some(after(8 * HOUR)) },
        guards: vec![Guard::Passphrase],
        ..Vault::default()
    }
}

/// A board of `size` that holds `held`, with nothing done yet.
pub fn board(size: (u16, u16), held: Vec<Held>, journal: Vec<Event>) -> State {
    let seat = Seat {
        host: "login1".to_owned(),
        clipboard: "the desktop clipboard",
        keeps_out: true,
        clear_after: Some(45),
        warn_before: Some(WARN_BEFORE),
        ..Seat::default()
    };
    let mut state = State::new(seat, size, TimeZone::UTC);
    tell(
        &mut state,
        Outcome::Changed(Snapshot {
            held: held.into(),
            sources: sources().into(),
            journal: journal.into(),
            vault: open_vault(),
        }),
    );
    state
}

/// The board of a believable morning.
pub fn morning(size: (u16, u16)) -> State {
    let mut state = board(size, credentials(), journal());
    select(&mut state, "toar");
    let mut events = server_events();
    mark_first_seen(&mut events);
    state.history.read.insert(id("toar"), (events, after(-2 * MINUTE)));
    state
}

pub fn tell(state: &mut State, outcome: Outcome) {
    let _ = update(state, Message::Outcome(outcome), noon());
}

pub fn act(state: &mut State, action: Action) {
    let _ = update(state, Message::Action(action), noon());
}

/// Presses keys, one a character.
pub fn press(state: &mut State, keys: &str) {
    for key in keys.chars() {
        let code = match key {
            '\n' => KeyCode::Enter,
            '\t' => KeyCode::Tab,
            '\u{8}' => KeyCode::Backspace,
            key => KeyCode::Char(key),
        };
        let _ = update(state, Message::Key(KeyEvent::new(code, KeyModifiers::NONE)), noon());
    }
}

pub fn select(state: &mut State, name: &str) {
    state.tokens.selected = Some(id(name));
}

pub fn id(name: &str) -> CredentialId {
    CredentialId(format!("id-{name}"))
}

/// Seven credentials, each in another condition.
pub fn credentials() -> Vec<Held> {
    let forever = |ends| Chain::Refresh { ends, rotates: true, session_only: false, through: through() };
    let year = forever(ChainEnd::At(after(394 * DAY + HOUR)));
    let mut toar = held("toar", "mytoken-kit", mytoken(toar_facts()), Some((-3419, 581)));
    toar.identity = Some(identity(HELMHOLTZ, "4f2c86d0-2d21-4a1b", "Jane Doe"));
    let mut climate = held("climate", "mytoken-kit", mytoken(climate_facts()), None);
    climate.identity = None;
    let mut old = held("old-egi", "egi", forever(ChainEnd::Unknown), Some((-130_000_000, -128_000_000)));
    old.health = Health::Dead("its issuer moved".to_owned());
    let mut hpc = held("hpc", "egi", forever(ChainEnd::Unknown), Some((-27 * MINUTE, 33 * MINUTE + 20)));
    hpc.custody = Custody::Foreign("oidc-agent".to_owned());
    vec![
        held("egi", "egi", year.clone(), Some((-18 * MINUTE, 42 * MINUTE + 5))),
        toar,
        climate,
        old,
        hpc,
        Held {
            custody: Custody::Session,
            ..held("wlcg", "wlcg", Chain::None, Some((-9 * MINUTE, 51 * MINUTE + 30)))
        },
        held("batch", "egi", year, Some((-3542, 58))),
    ]
}

/// As an own client, by this machine's browser.
pub fn through() -> Through {
    Through { client: Some("my-toktui".to_owned()), got: Some(Got::Browser) }
}

/// A credential whose access token came and ends so many seconds from noon.
pub fn held(name: &str, source: &str, chain: Chain, access: Option<(i64, i64)>) -> Held {
    Held {
        id: id(name),
        name: name.to_owned(),
        source: source.into(),
        identity: Some(identity(EGI, "25ac8f0d@egi.eu", "Jane Doe")),
        custody: Custody::Sealed,
        health: Health::Ok,
        access: access.map(|(from, to)| access_token(from, to)).into_iter().collect(),
        chain,
        since: after(-3 * HOUR),
        pause: None,
        locked: false,
    }
}

pub fn access_token(from: i64, to: i64) -> HeldAccess {
    let scopes = ["openid", "profile", "email", "offline_access"];
    HeldAccess {
        ask: Ask { scopes: scopes.iter().map(ToString::to_string).collect(), audiences: [].into() },
        obtained: after(from),
        expires: Some(after(to)),
        granted: Some(scopes.iter().copied().map(Into::into).collect()),
        length: 1214,
        skew: None,
        content: Some(jwt(&json!({
            "iss": EGI, "sub": "25ac8f0d@egi.eu", "preferred_username": "jane",
            "aud": "my-toktui", "azp": "my-toktui", "scope": "openid profile email",
            "iat": after(from).as_second(), "exp": after(to).as_second(),
            "acr": "https://aai.egi.eu/LoA#Substantial",
            "eduperson_entitlement": ["urn:mace:egi.eu:group:toar:role=member#aai.egi.eu",
                "urn:mace:egi.eu:group:cloud:role=vm_operator#aai.egi.eu"],
        }))),
        has_id_token: true,
    }
}

pub fn jwt(claims: &Value) -> Jwt {
    let object = |value: &Value| value.as_object().expect("an object").clone();
    Jwt {
        header: object(&json!({"alg": "RS256", "typ": "JWT", "kid": "sandbox-1"})),
        claims: object(claims),
        signature: 256,
    }
}

pub fn identity(issuer: &str, subject: &str, label: &str) -> Identity {
    Identity { issuer: issuer.into(), subject: subject.into(), label: Some(label.into()) }
}

pub fn mytoken(facts: Facts) -> Chain {
    let copy = facts.copy.unwrap_or(1);
    Chain::Mytoken { facts: Box::new(facts), heard: Some(after(-2 * MINUTE)), copy, short: false }
}

/// Restricted, counted, rotating.
pub fn toar_facts() -> Facts {
    Facts {
        server: KIT.into(),
        provider: HELMHOLTZ.into(),
        subject: "4f2c86d0-2d21-4a1b".into(),
        name: Some("toar".into()),
        copy: Some(4),
        issued: Some(after(-DAY)),
        expires: Some(after(3 * DAY + 2 * HOUR + 16 * MINUTE)),
        capabilities: vec![Capability::new("AT"), Capability::new("tokeninfo")],
        restrictions: vec![Clause {
            scopes: Some(["eduperson_unique_id", "email", "profile"].map(Into::into).to_vec()),
            uses_at: Some(15),
            used_at: Some(2),
            ..Clause::default()
        }],
        rotation: Some(Rotation { on_at: true, on_other: false, lifetime: None, auto_revoke: true }),
        ..Facts::default()
    }
}

fn climate_facts() -> Facts {
    Facts {
        server: KIT.into(),
        provider: EGI.into(),
        subject: "25ac8f0d@egi.eu".into(),
        expires: Some(after(28 * DAY + HOUR)),
        capabilities: vec![Capability::new("AT")],
        ..Facts::default()
    }
}

fn event(at: i64, what: What, address: Option<&str>, agent: Option<&str>, whose: &str) -> Event {
    Event {
        at: after(at),
        what,
        address: address.map(Into::into),
        agent: agent.map(Into::into),
        comment: None,
        teller: if address.is_some() { Teller::Server } else { Teller::Here },
        credential: Some(id(whose).0),
        mom_id: None,
        new_address: false,
        new_agent: false,
    }
}

pub fn server_events() -> Vec<Event> {
    let server = |at, name: &str, address, agent| {
        event(at, What::Server(name.into()), Some(address), Some(agent), "toar")
    };
    vec![
        server(-60, "AT_created", "134.94.7.20", "python-requests/2.32"),
        server(-60, "token_rotated", "134.94.7.20", "python-requests/2.32"),
        server(-6 * MINUTE, "tokeninfo_introspect", "134.94.7.20", "toktui/0.1.0"),
        server(-172 * MINUTE, "AT_created", "10.0.0.7", "curl/8.14.1"),
        server(-5 * DAY, "created", "134.94.7.20", "Mozilla/5.0 (X11; Linux x86_64)"),
    ]
}

/// What this session did.
pub fn journal() -> Vec<Event> {
    let here = |at, what, whose| event(at, what, None, None, whose);
    vec![
        here(-20, What::Copied, "toar"),
        here(-21, What::AccessToken, "toar"),
        here(-21, What::Rotated { copy: 4 }, "toar"),
        here(-2 * MINUTE, What::LookedUp, "toar"),
        here(-18 * MINUTE, What::Renewed, "egi"),
        here(-3 * HOUR, What::LoggedIn, "egi"),
    ]
}

pub fn plain() -> Theme {
    Theme::new(Glyphs::Unicode, Colours::Ansi)
}

/// The frame of a state at noon.
pub fn frame(state: &State, theme: &Theme) -> Buffer {
    frame_at(state, theme, noon())
}

pub fn frame_at(state: &State, theme: &Theme, now: Timestamp) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(state.size.0, state.size.1)).expect("a terminal");
    terminal.draw(|frame| ui::draw(frame, state, theme, now)).expect("drawn");
    terminal.backend().buffer().clone()
}

/// The screen of a state as text, without blanks at the ends of lines.
pub fn screen(state: &State) -> String {
    text(&frame(state, &plain()))
}

pub fn text(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width).max(1);
    let mut out = String::new();
    for row in buffer.content.chunks(width) {
        let mut line = String::new();
        let mut skip = 0;
        for cell in row {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            line.push_str(cell.symbol());
            skip = unicode_width::UnicodeWidthStr::width(cell.symbol()).saturating_sub(1);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// A snapshot without anything.
pub fn nothing() -> Arc<[Held]> {
    Arc::from(Vec::new())
}

/// A board on which a login waits for the same one of another program.
pub fn joining(size: (u16, u16)) -> State {
    let mut state = logging_in(size, true);
    if let Some(Overlay::Login(login)) = state.overlays.last_mut() {
        let by = "toktui login, process 4711 on login1, since 2026-03-14 09:26:53 UTC".to_owned();
        let view = View { at: "EGI Check-in".to_owned(), under_way: Some(by), ..View::default() };
        login.view = Some(Box::new(view));
    }
    state
}

/// A board on which a login at EGI Check-in waits, every route at once.
pub fn logging_in(size: (u16, u16), ssh: bool) -> State {
    let mut state = board(size, Vec::new(), Vec::new());
    state.seat.reached = ssh.then(|| Reached {
        user: "ada".to_owned(),
        host: "login1.hpc.example".to_owned(),
        port: Some(22),
    });
    let order = Order { open_browser: !ssh, ..Order::at("egi".into()) };
    let view = View {
        at: "EGI Check-in".to_owned(),
        under_way: None,
        asking: ["openid", "profile", "email", "voperson_id", "eduperson_entitlement", "offline_access"]
            .map(str::to_owned)
            .to_vec(),
        client: "my-toktui   public, PKCE".to_owned(),
        then: "keep the refresh token, in memory only, as egi".to_owned(),
        ends: Some(after(552)),
        device: Some(Polled {
            address: "https://aai.egi.eu/device".into(),
            complete: Some("https://aai.egi.eu/device?user_code=WDJB-MJHT".into()),
            code: Some("WDJB-MJHT".into()),
            asked: 3,
            next: Some(after(4)),
            ends: after(552),
            trouble: None,
        }),
        consent: None,
        browser: Some(Browser {
            address: "https://aai.egi.eu/auth?response_type=code&client_id=my-toktui".to_owned(),
            listening: Some(("127.0.0.1".to_owned(), 43985)),
        }),
        paste: true,
        paste_refused: None,
        remarks: Vec::new(),
    };
    let opened = if ssh { Opened::NotAsked } else { Opened::With("xdg-open".to_owned()) };
    if ssh {
        state.seat.no_browser = Some("over SSH it would open on the wrong machine".to_owned());
    }
    state.overlays.push(Overlay::Login(Box::new(Login {
        task: Task(1),
        order,
        manages: false,
        view: Some(Box::new(view)),
        opened,
        field: Field::default(),
        typing: false,
        qr_alone: false,
    })));
    state
}

/// The report of a login that did not get all it asked for.
pub fn report() -> Report {
    let line = |what: &str, asked: &str, granted: &str, relation, note: Option<&str>| Compared {
        what: what.to_owned(),
        asked: asked.to_owned(),
        granted: granted.to_owned(),
        relation,
        note: note.map(str::to_owned),
    };
    Report {
        id: id("toar"),
        name: "toar".to_owned(),
        at: "mytoken KIT".to_owned(),
        lines: vec![
            line("may", "AT  tokeninfo", "AT  tokeninfo", Relation::Same, None),
            line("ends", "in 90 days", "in 30 days", Relation::Narrower, Some("shortened by the server")),
            line(
                "scopes",
                "eduperson_unique_id email profile",
                "eduperson_unique_id email",
                Relation::Narrower,
                Some("profile refused by Helmholtz ID"),
            ),
            line("uses", "15 access tokens", "15 access tokens", Relation::Same, None),
            line("rotation", "on access tokens", "on access tokens", Relation::Same, None),
        ],
        no_refresh: None,
        remarks: vec!["TOAR needs profile: its API will refuse these access tokens.".to_owned()],
    }
}

/// A report of something that came wider than it was asked for.
pub fn wider_report() -> Report {
    let mut report = report();
    if let Some(scopes) = report.lines.get_mut(2) {
        scopes.granted = "any".to_owned();
        scopes.relation = Relation::Wider;
        scopes.note = Some("gone: any is allowed now".to_owned());
    }
    report.remarks =
        vec!["it may do more than was asked for: revoke it if that is not what you want".to_owned()];
    report
}

/// A verdict of each standing, as the weighing words them.
pub fn verdict(standing: Standing) -> Verdict {
    let given = |fact: &str, by, heard: Option<i64>, turn: Option<(Turn, i64)>, next| Verdict {
        standing,
        fact: fact.to_owned(),
        by,
        heard: heard.map(after),
        turn: turn.map(|(turn, at)| (turn, after(at))),
        gives_access: standing == Standing::Valid,
        remarks: Vec::new(),
        next,
    };
    let ends = Some((Turn::Ends, 3 * DAY + 2 * HOUR + 16 * MINUTE));
    let now = Some(-5);
    match standing {
        Standing::Valid => given("its server says so", By::Server, now, ends, None),
        Standing::NotFromHere => given(
            "only from 134.94.0.0/16; this machine is seen as 10.20.0.7",
            By::Claims,
            now,
            ends,
            Some(Next::WouldItWork),
        ),
        Standing::UsedUp => given(
            "15 of 15 access tokens were drawn; what it may do besides still works",
            By::Server,
            now,
            ends,
            Some(Next::MakeSuccessor),
        ),
        Standing::NotYet => given(
            "its server and its own start agree",
            By::Server,
            now,
            Some((Turn::Starts, 130 * MINUTE)),
            None,
        ),
        Standing::Expired => given(
            "its own expiry and its server agree",
            By::Server,
            now,
            Some((Turn::Ended, -4 * DAY)),
            Some(Next::MakeSuccessor),
        ),
        Standing::RotatedAway => given(
            "this is copy 2; copy 5 is yours, held as toar. It was not sent: an older copy in use can revoke \
             the whole family",
            By::Journal,
            None,
            None,
            Some(Next::GoToNewest),
        ),
        Standing::RevokedOrUnknown => given(
            "its server refuses it and does not say why: it was revoked, or is unknown there",
            By::Server,
            now,
            Some((Turn::Ends, 20 * DAY)),
            Some(Next::LastEvents),
        ),
        Standing::MayNotBeAsked => given(
            "it lacks tokeninfo:introspect; the refusal itself shows that it lives",
            By::Server,
            now,
            Some((Turn::Ends, 28 * DAY)),
            Some(Next::TryAccessToken),
        ),
        Standing::Useless => given(
            "the provider behind it gives nothing more: Session not active",
            By::Server,
            now,
            ends,
            Some(Next::LogIn),
        ),
        Standing::CannotTell => {
            let mut verdict =
                given("no answer in 3 s", By::Server, Some(-12 * MINUTE), ends, Some(Next::AskAgain));
            verdict.remarks = vec!["last known: valid".to_owned()];
            verdict
        }
        Standing::NotMytoken => given(
            "it is an access token of EGI Check-in",
            By::Claims,
            None,
            Some((Turn::Ends, 42 * MINUTE)),
            Some(Next::ShowContent),
        ),
        Standing::Garbled => given("it was cut: one part of three is left", By::Claims, None, None, None),
    }
}

/// A board on which something pasted is on show, with this verdict.
pub fn looked_up(size: (u16, u16), standing: Standing) -> State {
    let mut state = morning(size);
    state.focus = Pane::Lookup;
    let other = matches!(standing, Standing::NotMytoken | Standing::Garbled);
    let content = access_token(-18 * MINUTE, 42 * MINUTE).content.expect("readable");
    let kind = match standing {
        Standing::Garbled => Kind::Garbled { why: "it was cut".to_owned() },
        Standing::NotMytoken => Kind::AccessToken(Box::new(content)),
        _ => Kind::Mytoken(Box::new(toar_facts())),
    };
    let specimen = Specimen { value: Secret::new("tok-pasted".repeat(90)), kind };
    let what = match standing {
        Standing::Garbled => "not a token",
        Standing::NotMytoken => "an access token of EGI Check-in",
        _ => "a mytoken of mytoken KIT",
    };
    let finding = Finding {
        target: Target::Pasted(Box::new(specimen.clone())),
        verdict: verdict(standing),
        facts: (!other).then(|| Box::new(toar_facts())),
        content: None,
        signature: None,
        introspected: None,
        what: what.to_owned(),
        held_as: (standing == Standing::RotatedAway).then(|| id("toar")),
        may_ask: None,
        at: after(-5),
    };
    state.lookup.pasted = Some(Pasted { specimen, finding: Some(finding), agreed: None, redeeming: None });
    state
}

/// A row for every word that the second clock has.
pub fn conditions(size: (u16, u16)) -> State {
    let refresh =
        |ends, session_only| Chain::Refresh { ends, rotates: false, session_only, through: through() };
    let live = Some((-HOUR / 2, HOUR / 2 + 10));
    let troubled =
        |name: &str, health| Held { health, ..held(name, "egi", refresh(ChainEnd::Open, false), live) };
    let mytoken_with = |name: &str, change: fn(&mut Facts)| {
        let mut facts = toar_facts();
        change(&mut facts);
        held(name, "mytoken-kit", mytoken(facts), None)
    };
    let unknown_end = HeldAccess { expires: None, ..access_token(0, 0) };
    let no_end = Held {
        access: vec![unknown_end],
        ..held("opaque", "google", refresh(ChainEnd::Unknown, false), None)
    };
    board(
        size,
        vec![
            no_end,
            held("session", "egi", refresh(ChainEnd::Open, true), live),
            held("open", "egi", refresh(ChainEnd::Open, false), live),
            held("over", "egi", refresh(ChainEnd::At(after(-60)), false), Some((-HOUR, -30 * MINUTE))),
            held(
                "renewable",
                "egi",
                refresh(ChainEnd::At(after(9 * DAY)), false),
                Some((-HOUR, -30 * MINUTE)),
            ),
            Held {
                since: after(-390 * DAY),
                ..held("desy", "egi", refresh(ChainEnd::At(after(5 * DAY + 2 * HOUR)), false), live)
            },
            troubled("doubtful", Health::InDoubt("the last renewal got no answer".to_owned())),
            troubled("refused", Health::NeedsLogin("session not active".to_owned())),
            mytoken_with("used-up", |facts| facts.restrictions[0].used_at = Some(15)),
            mytoken_with("uncounted", |facts| facts.restrictions.clear()),
            mytoken_with("powerless", |facts| facts.capabilities = vec![Capability::new("tokeninfo")]),
            mytoken_with("endless", |facts| facts.expires = None),
        ],
        Vec::new(),
    )
}

/// A row for every way in which something can be kept, with all that the header can say of the store.
pub fn custodies(size: (u16, u16)) -> State {
    let refresh =
        || Chain::Refresh { ends: ChainEnd::Open, rotates: true, session_only: false, through: through() };
    let kept = |name: &str, custody| Held {
        custody,
        ..held(name, "egi", refresh(), Some((-HOUR / 2, HOUR / 2 + 10)))
    };
    let sick = |name: &str, health| Held { health, ..kept(name, Custody::Sealed) };
    let mut waits = kept("waits", Custody::Sealed);
    waits.access.clear();
    waits.pause = Some(Pause { until: after(12), tries: 3, why: "429".to_owned() });
    let mut skewed = kept("skewed", Custody::Sealed);
    skewed.access[0].skew = Some(SignedDuration::from_secs(200));
    skewed.access[0].obtained = noon();
    let mut state = board(
        size,
        vec![
            kept("sealed", Custody::Sealed),
            kept("session", Custody::Session),
            kept("by-file", Custody::KeyFile),
            kept("in-memory", Custody::MemoryOnly),
            kept("elsewhere", Custody::Foreign("oidc-agent".to_owned())),
            kept("unsaved", Custody::Unsaved("No space left on device".to_owned())),
            sick("doubtful", Health::InDoubt(why::UNANSWERED.to_owned())),
            sick("damaged", Health::Dead(why::DAMAGED.to_owned())),
            waits,
            skewed,
        ],
        Vec::new(),
    );
    let vault = Vault { unsaved: 1, guards: vec![Guard::Passphrase, Guard::KeyFile], ..open_vault() };
    with_vault(&mut state, vault);
    state
}

/// The same credentials in a store that stands so.
pub fn with_vault(state: &mut State, vault: Vault) {
    let snapshot = Snapshot { vault, ..state.wallet.clone() };
    tell(state, Outcome::Changed(snapshot));
}

/// The morning in a locked store.
pub fn locked(size: (u16, u16)) -> State {
    let lock = |mut held: Held| {
        held.locked = true;
        held.identity = None;
        for access in &mut held.access {
            (access.content, access.length, access.granted) = (None, 0, None);
        }
        if let Chain::Mytoken { facts, .. } = &mut held.chain {
            **facts = Facts { expires: facts.expires, ..Facts::default() };
        }
        held
    };
    let mut state = board(size, credentials().into_iter().map(lock).collect(), journal());
    with_vault(&mut state, Vault { access: Access::Locked, ..open_vault() });
    select(&mut state, "toar");
    state
}

/// A mytoken with every kind of restriction, in several clauses, one of which nobody here understands.
pub fn restricted(size: (u16, u16)) -> State {
    let mut facts = toar_facts();
    facts.capabilities =
        ["AT", "tokeninfo", "create_mytoken", "read@settings", "of_2031"].map(Capability::new).to_vec();
    facts.restrictions = vec![
        Clause {
            hosts: Some(vec!["134.94.0.0/16".into(), "login.hpc.example".into()]),
            countries_allowed: Some(vec!["DE".into(), "FR".into()]),
            audiences: Some(vec!["https://toar.example".into()]),
            uses_other: Some(5),
            used_other: Some(5),
            ..Clause::default()
        },
        Clause {
            not_before: Some(after(HOUR)),
            expires: Some(after(40 * DAY)),
            countries_refused: Some(vec!["XX".into()]),
            unknown: vec!["schedule".into()],
            ..Clause::default()
        },
    ];
    facts.rotation =
        Some(Rotation { on_at: true, on_other: true, lifetime: Some(604_800), auto_revoke: false });
    let mut state = board(size, vec![held("night-job", "mytoken-kit", mytoken(facts), None)], Vec::new());
    state.focus = Pane::Lookup;
    state
}

/// What is not the same in two access tokens of one login.
pub fn comparison() -> Comparison {
    let before = access_token(-HOUR, -30 * MINUTE).content.expect("a token");
    let mut now = access_token(-20 * MINUTE, 40 * MINUTE).content.expect("a token");
    now.claims.insert("scope".to_owned(), json!("openid profile eduperson_entitlement"));
    now.claims.insert("aud".to_owned(), json!(["my-toktui", "https://dcache.example"]));
    now.claims.insert("acr".to_owned(), json!("https://aai.egi.eu/LoA#Low"));
    Comparison { first: "egi".to_owned(), second: "egi-before".to_owned(), changes: compare(&before, &now) }
}

/// A client that was registered with less than was asked for.
pub fn registered(source: Source) -> Registered {
    let line = |what: &str, asked: &str, granted: &str, relation, note: Option<&str>| Compared {
        what: what.to_owned(),
        asked: asked.to_owned(),
        granted: granted.to_owned(),
        relation,
        note: note.map(str::to_owned),
    };
    Registered {
        source,
        client: "3f0e6a2c-77aa-4c1e-9d5b-0f2d7c1b9a10".to_owned(),
        lines: vec![
            line(
                "client",
                "public, PKCE",
                "with a secret",
                Relation::Other,
                Some("the secret is in the store, beside your tokens"),
            ),
            line(
                "scopes",
                "openid profile offline_access",
                "openid profile",
                Relation::Narrower,
                Some("not registered: offline_access"),
            ),
            line(
                "sent back to",
                "http://127.0.0.1/callback",
                "http://127.0.0.1/callback",
                Relation::Same,
                None,
            ),
        ],
        remarks: vec![
            "it may not ask for offline_access: a login lasts as long as the browser's session".to_owned(),
        ],
        usable: true,
    }
}
