//! A board to try things on: the morning of look/board-80x24.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::effect::{Effect, MytokenTold, Outcome, Snapshot, Target, Task};
use super::family::Of;
use super::message::Message;
use super::overlay::Overlay;
use super::state::{Seat, State};
use super::update::update;
use crate::domain::credential::{
    Ask, Chain, ChainEnd, CredentialId, Custody, Got, Held, HeldAccess, Through,
};
use crate::domain::family::{Family, Listed, Member, Via, Which};
use crate::domain::handed::Handed;
use crate::domain::mytoken::{Capability, Clause, Facts, Rotation};
use crate::domain::secret::Secret;
use crate::domain::source::{Client, Issuer, Origin, Server, Source, SourceKind};
use crate::domain::time::{from_epoch, later};
use crate::domain::vault::{Access, Vault};

pub(crate) fn now() -> Timestamp {
    from_epoch(1_800_000_000)
}

pub(crate) fn seconds(span: i64) -> Timestamp {
    later(now(), SignedDuration::from_secs(span))
}

pub(crate) fn id(name: &str) -> CredentialId {
    CredentialId(format!("id-{name}"))
}

/// A login whose access token ends in so many seconds.
pub(crate) fn login(name: &str, left: i64) -> Held {
    let through = Through { client: Some("toktui".to_owned()), got: Some(Got::Browser) };
    let ends = ChainEnd::At(seconds(394 * 86_400));
    let chain = Chain::Refresh { ends, rotates: true, session_only: false, through };
    held(name, "egi", chain, Some(left))
}

/// A bare access token.
pub(crate) fn bare(name: &str, left: i64) -> Held {
    held(name, "egi", Chain::None, Some(left))
}

/// A mytoken that counts and rotates: 2 of 15 access tokens drawn, copy 4.
pub(crate) fn mytoken(name: &str, left: Option<i64>) -> Held {
    let clause = Clause { uses_at: Some(15), used_at: Some(2), uses_other: Some(9), ..Clause::default() };
    let facts = Facts {
        server: "https://mytoken.example".into(),
        capabilities: vec![Capability::new("AT"), Capability::new("tokeninfo")],
        restrictions: vec![clause],
        rotation: Some(Rotation { on_at: true, ..Rotation::default() }),
        expires: Some(seconds(3 * 86_400)),
        ..Facts::default()
    };
    let chain = Chain::Mytoken { facts: Box::new(facts), heard: Some(now()), copy: 4, short: false };
    held(name, "kit", chain, left)
}

pub(crate) fn held(name: &str, source: &str, chain: Chain, left: Option<i64>) -> Held {
    let access = left.map(|left| HeldAccess {
        ask: Ask::default(),
        obtained: seconds(left - 3600),
        expires: Some(seconds(left)),
        granted: None,
        length: 1214,
        has_id_token: false,
        skew: None,
        content: None,
    });
    Held {
        id: id(name),
        custody: Custody::MemoryOnly,
        access: access.into_iter().collect(),
        ..Held::sample(name, source, chain, seconds(-3600))
    }
}

pub(crate) fn source(id: &str, name: &str, kind: SourceKind) -> Source {
    Source {
        id: id.into(),
        name: name.to_owned(),
        note: String::new(),
        origin: Origin::Preset,
        kind,
        manage_url: None,
        register_url: None,
        hints: Vec::new(),
        folded: false,
    }
}

pub(crate) fn sources() -> Vec<Source> {
    let mut issuer = Issuer::at("https://egi.example");
    issuer.client = Some(Client::public("toktui"));
    let bare = Issuer::at("https://helmholtz.example");
    vec![
        source("egi", "EGI Check-in", SourceKind::Issuer(Box::new(issuer))),
        source("helmholtz", "Helmholtz ID", SourceKind::Issuer(Box::new(bare))),
        source(
            "kit",
            "mytoken KIT",
            SourceKind::Server(Server { address: "https://mytoken.example".to_owned() }),
        ),
    ]
}

/// A board of 80 by 24 that holds these.
pub(crate) fn board(held: Vec<Held>) -> State {
    let mut state = State::new(Seat::default(), (80, 24), TimeZone::UTC);
    show(&mut state, held);
    state
}

/// No store, and none wanted.
pub(crate) fn in_memory() -> Vault {
    Vault { access: Access::MemoryOnly(None), ..Vault::default() }
}

/// The wallet holds these now.
pub(crate) fn show(state: &mut State, held: Vec<Held>) {
    let snapshot = Snapshot {
        held: held.into(),
        sources: sources().into(),
        journal: Arc::default(),
        vault: in_memory(),
    };
    assert_eq!(tell(state, Outcome::Changed(snapshot)), []);
}

pub(crate) fn tell(state: &mut State, outcome: Outcome) -> Vec<Effect> {
    update(state, Message::Outcome(outcome), now())
}

pub(crate) fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    update(state, Message::Paste(Secret::new(text)), now())
}

/// Presses keys: each character, `\n` for Enter, `\x1b` for Esc, `\t` for Tab.
pub(crate) fn press(state: &mut State, keys: &str) -> Vec<Effect> {
    press_at(state, keys, now())
}

pub(crate) fn press_at(state: &mut State, keys: &str, now: Timestamp) -> Vec<Effect> {
    keys.chars().flat_map(|c| update(state, Message::Key(event(c)), now)).collect()
}

pub(crate) fn event(c: char) -> KeyEvent {
    let code = match c {
        '\n' => KeyCode::Enter,
        '\x1b' => KeyCode::Esc,
        '\t' => KeyCode::Tab,
        c => KeyCode::Char(c),
    };
    KeyEvent::new(code, KeyModifiers::NONE)
}

/// A mytoken and two that grew from it, one of them held here.
pub(crate) fn family() -> Family {
    let member = |number: usize, depth, name: &str| Member {
        listed: Listed {
            mom_id: format!("mom-{number}").into(),
            name: Some(name.into()),
            created: Some(seconds(-3600 * i64::try_from(10 - number).unwrap_or(0))),
            expires: Some(seconds(86_400)),
            address: Some("10.0.0.7".into()),
            children: Vec::new(),
        },
        depth,
        held: (name == "toar").then(|| (id("toar"), "toar".to_owned())),
        capabilities: None,
        last_used: None,
        asks: name == "toar",
    };
    Family {
        server: "kit".into(),
        via: Via::Held(id("toar")),
        which: Which::Below,
        members: vec![member(0, 0, "toar"), member(1, 1, "ci"), member(2, 1, "laptop")],
        cut: false,
        read: now(),
    }
}

/// A code for a subtoken that waits five minutes.
pub(crate) fn handed() -> Handed {
    Handed {
        code: Secret::new("c0deC0de"),
        ends: seconds(300),
        server: "kit".into(),
        address: "https://mytoken.example".to_owned(),
        name: "toar-handed".to_owned(),
        mom_id: None,
        itself: false,
        remarks: Vec::new(),
    }
}

/// The board with everything that can lie over it, and on each pane.
pub(crate) fn every_place() -> Vec<State> {
    let mut places = Vec::new();
    for keys in [
        "1", "2", "3", "4", "?", ":", "Y", "\n", "3\n", "1\n", "1j\n", "n", "np", "n\t", "n\t+", "i", "+",
        "D", "q", "/", "l\t", "A", "T", "w", "W", "Yt", "\nd", "Am",
    ] {
        let mut state = board(vec![mytoken("toar", Some(581)), login("egi", 30), bare("wlcg", -5)]);
        state.seat.demo = keys == "l\t";
        let _ = press(&mut state, keys);
        places.push(state);
    }
    let mut asked = board(vec![]);
    let effects = paste(&mut asked, &"aBcD".repeat(16));
    let target = effects.into_iter().find_map(|effect| match effect {
        Effect::LookUp(_, target, _) => Some(target),
        _ => None,
    });
    let target = target.unwrap_or(Target::Held(id("none")));
    asked.overlays.push(Overlay::MayAsk("https://odd.example".to_owned(), Box::new(target)));
    places.push(asked.clone());
    asked.overlays.clear();
    places.push(asked);
    let mut listed = board(vec![mytoken("toar", Some(581))]);
    listed.families.read.insert(Of::Held(id("toar")), Arc::new(family()));
    for keys in ["T", "T/", "T\n", "D", "Dt", "DtTOAR"] {
        let mut state = listed.clone();
        let _ = press(&mut state, keys);
        places.push(state);
    }
    let mut handing = listed;
    let _ = press(&mut handing, "Yt");
    let _ = tell(&mut handing, Outcome::Mytoken(MytokenTold::HandedOver(Task(1), Ok(Box::new(handed())))));
    places.push(handing);
    places
}
