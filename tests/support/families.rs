//! Sample windows about families of mytokens and single ones. Nothing here is real.
#![allow(dead_code, reason = "each test file uses its part")]

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use toktui::app::effect::{FamilyTold, Limits, MytokenTold, Outcome, Reading, Task};
use toktui::app::family::Of;
use toktui::app::overlay::Overlay;
use toktui::app::state::State;
use toktui::domain::credential::{Ask, Chain};
use toktui::domain::event::Event;
use toktui::domain::failure::{Failure, Kind};
use toktui::domain::family::{Family, LastUse, Listed, Member, Via, Which};
use toktui::domain::handed::Handed;
use toktui::domain::limit::Allowance;
use toktui::domain::mytoken::Capability;
use toktui::domain::secret::Secret;
use toktui::domain::source::SourceId;
use toktui::domain::time::later;

use crate::board::{self, after, id, morning, noon, press, select, tell};

pub const SERVER: &str = "mytoken-kit";
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;

/// Name, depth, made and ends so many seconds from noon, its address, and the name it is held under here.
type Row = (Option<&'static str>, usize, i64, Option<i64>, &'static str, Option<&'static str>);

const ROWS: &[Row] = &[
    (Some("toar"), 0, -5 * DAY, Some(3 * DAY + 2 * HOUR), "134.94.7.20", Some("toar")),
    (Some("toar-ci"), 1, -4 * DAY, Some(2 * DAY), "134.94.7.20", None),
    (Some("nightly"), 2, -3 * DAY, Some(20 * HOUR), "10.0.0.7", None),
    (Some("laptop"), 1, -2 * HOUR, Some(DAY), "192.0.2.17", None),
    (Some("climate"), 0, -40 * DAY, Some(28 * DAY), "10.0.0.7", Some("climate")),
    (None, 0, -90 * DAY, None, "2001:db8::17", None),
    (
        Some("archive reader, with a name as long as servers take them"),
        0,
        -200 * DAY,
        Some(-3 * DAY),
        "10.0.0.9",
        None,
    ),
    (Some("mytoken web \u{1b}[31m"), 0, -HOUR, Some(40 * 60), "134.94.7.20", None),
];

fn member(at: usize, row: &Row) -> Member {
    let (name, depth, made, ends, address, held) = row;
    let may = ["AT", "tokeninfo"].map(Capability::new).to_vec();
    Member {
        listed: Listed {
            mom_id: format!(
                "niZSUqi+p/4emppWDPP4i1tC739+zJSAP6ckFcVxcSbeLC+0ShRKIQKn9rHLgOPUyWcL6YAr0nPo0FWLzW{at:04}=="
            )
            .into(),
            name: name.map(Into::into),
            created: Some(after(*made)),
            expires: ends.map(after),
            address: Some((*address).into()),
            children: Vec::new(),
        },
        depth: *depth,
        held: held.map(|name| (id(name), name.to_owned())),
        capabilities: held.map(|_| may),
        last_used: None,
        asks: false,
    }
}

/// All of them, as the manager of the session read them two minutes ago.
pub fn all() -> Family {
    let mut members: Vec<Member> = ROWS.iter().enumerate().map(|(at, row)| member(at, row)).collect();
    members[1].last_used =
        Some(Some(LastUse { at: after(-3 * DAY), address: Some("10.0.0.7".into()), agent: None }));
    members[3].last_used = Some(None);
    Family {
        server: SERVER.into(),
        via: Via::Manager,
        which: Which::All,
        members,
        cut: false,
        read: after(-120),
    }
}

/// Very many, a thousand trees of ten.
pub fn very_many() -> Family {
    let members = (0..10_000).map(|at| {
        let mut member = member(at, &ROWS[at % ROWS.len()]);
        member.depth = (at % 10).min(3);
        member
    });
    Family { members: members.collect(), ..all() }
}

/// The board with the list of KIT's server already read, by a manager.
pub fn with_list(size: (u16, u16), family: Family) -> State {
    let mut state = morning(size);
    state.families.managers.insert(SERVER.into(), later(noon(), SignedDuration::from_mins(52)));
    state.families.read.insert(Of::Server(SERVER.into()), Arc::new(family));
    press(&mut state, "A");
    state
}

/// The window before anything was read, for a right that costs, or none at all.
pub fn unread(size: (u16, u16), may_list: bool) -> State {
    let mut state = morning(size);
    if may_list {
        let mut held = board::credentials();
        if let Chain::Mytoken { facts, .. } = &mut held[1].chain {
            facts.capabilities.push(Capability::new("manage_mytokens:list"));
            if let Some(rotation) = &mut facts.rotation {
                rotation.on_other = true;
            }
            facts.restrictions[0].uses_other = Some(20);
        }
        state.wallet.held = held.into();
    }
    press(&mut state, "A");
    state
}

/// A reading that the server refused for a while.
pub fn limited(size: (u16, u16)) -> State {
    let mut state = with_list(size, all());
    press(&mut state, "r");
    let failure =
        Failure::new(Kind::Failed, "Listing mytokens", "the server takes no more requests for 4 min")
            .hint("Wait that long, then press the same key again.");
    let task = Task(state.next_task - 1);
    let limits = Limits {
        allowance: Some(Allowance { limit: 100, remaining: 0, reset: Duration::from_secs(240) }),
        wait_until: Some(after(240)),
    };
    let reading = Reading {
        source: SERVER.into(),
        limits,
        until: Some(later(noon(), SignedDuration::from_mins(52))),
        family: Err(failure),
    };
    tell(&mut state, Outcome::Family(FamilyTold::Read(task, Box::new(reading))));
    state
}

/// The details of one, with its history.
pub fn details(size: (u16, u16), events: Vec<Event>) -> State {
    let mut state = with_list(size, all());
    press(&mut state, "jh");
    let id = all().members[1].listed.mom_id.clone();
    let task = Task(state.next_task - 1);
    tell(&mut state, Outcome::Family(FamilyTold::History(task, id, Ok(events))));
    state
}

/// The dialogue for toar, whose tree is known.
pub fn revoking(size: (u16, u16)) -> State {
    let mut state = with_list(size, all());
    state.overlays.clear();
    select(&mut state, "toar");
    press(&mut state, "D");
    state
}

/// The dialogue for two marked ones, one of which has grown.
pub fn revoking_marked(size: (u16, u16)) -> State {
    let mut state = with_list(size, all());
    press(&mut state, "j jj D");
    state
}

pub fn handed() -> Handed {
    Handed {
        code: Secret::new("c0deC0de"),
        ends: after(272),
        server: SourceId::from(SERVER),
        address: board::KIT.to_owned(),
        name: "toar-handed".to_owned(),
        mom_id: None,
        itself: false,
        remarks: Vec::new(),
    }
}

/// A code that waits.
pub fn handing(size: (u16, u16), handed: Handed) -> State {
    let mut state = morning(size);
    tell(&mut state, Outcome::Mytoken(MytokenTold::HandedOver(Task(1), Ok(Box::new(handed)))));
    state
}

/// The sheet by which a subtoken of toar is handed over: toar may make some.
pub fn hand_over(size: (u16, u16)) -> State {
    let mut state = morning(size);
    let mut held = board::credentials();
    if let Chain::Mytoken { facts, .. } = &mut held[1].chain {
        facts.capabilities.push(Capability::new("create_mytoken"));
        facts.restrictions[0].uses_other = Some(20);
    }
    state.wallet.held = held.into();
    press(&mut state, "Yt");
    state
}

/// A sheet that the keys open on toar.
pub fn sheet(size: (u16, u16), keys: &str) -> State {
    let mut state = morning(size);
    let mut held = board::credentials();
    held[1].access[0].ask = Ask::default();
    state.wallet.held = held.into();
    press(&mut state, keys);
    assert!(matches!(state.overlays.last(), Some(Overlay::Sheet(_))), "{keys}");
    state
}
