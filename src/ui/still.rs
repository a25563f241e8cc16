//! The promise behind `next_change`: until the moment it names, not one cell of the screen differs.

use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::scene::Scene;
use super::{Colours, Glyphs, Theme, paint};
use crate::app::effect::{Copied, Effect, Outcome};
use crate::app::keymap;
use crate::app::message::Message;
use crate::app::sample::{bare, board, event, login, mytoken, now, press, press_at, seconds, tell};
use crate::app::state::State;
use crate::app::update::update;
use crate::domain::event::{Event, Teller, What};
use crate::domain::login::{Polled, Step, View};
use crate::domain::time::later;

/// Long enough for every row to turn.
const MORNING: SignedDuration = SignedDuration::from_hours(4);

fn screen(state: &State, now: Timestamp) -> Buffer {
    let mut buf = Buffer::empty(Rect::new(0, 0, state.size.0, state.size.1));
    let live = keymap::live(state);
    let theme = Theme::new(Glyphs::Unicode, Colours::Ansi);
    paint(&mut buf, Scene { state, theme: &theme, now, live: &live });
    buf
}

/// The rows that differ, as they were and as they are.
fn differences(before: &Buffer, after: &Buffer) -> Vec<String> {
    let wide = usize::from(before.area.width).max(1);
    let rows = before.content.chunks(wide).zip(after.content.chunks(wide)).filter(|(old, new)| old != new);
    let text =
        |row: &[ratatui::buffer::Cell]| row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>();
    rows.flat_map(|(old, new)| [text(old), text(new)]).collect()
}

/// Lives through a morning; how many of its frames showed nothing new, and of how many.
fn live_through(mut state: State, from: Timestamp, what: &str) -> (usize, usize) {
    let (mut now, mut in_vain, mut frames) = (from, 0, 0);
    while let Some(next) = state.next_change(now).filter(|next| *next < later(from, MORNING) && frames < 60) {
        frames += 1;
        let shown = screen(&state, now);
        let just_before = later(next, SignedDuration::from_millis(-1));
        if just_before > now {
            let already = screen(&state, just_before);
            let changed = differences(&shown, &already);
            assert!(
                changed.is_empty(),
                "{what}: of {now}, and of {just_before} already:\n{}",
                changed.join("\n")
            );
        }
        let _ = update(&mut state, Message::Tick, next);
        in_vain += usize::from(screen(&state, next) == shown);
        now = next;
    }
    (in_vain, frames)
}

fn boards() -> Vec<(&'static str, State)> {
    let held = || {
        let mut doubtful = mytoken("toar", Some(581));
        doubtful.health = crate::domain::credential::Health::InDoubt("no answer".to_owned());
        vec![
            login("batch", 75),
            doubtful,
            bare("wlcg", 4000),
            bare("old", -70),
            login("egi", 100_000),
            mytoken("climate", None),
        ]
    };
    let mut boards = vec![("nothing", board(vec![])), ("a morning", board(held()))];
    for (what, keys) in [
        ("details", "j\n"),
        ("the menu", "jY"),
        ("a price", "G/cli\ny"),
        ("a dialogue", "D"),
        ("help", "?"),
        ("a mytoken", "/toar\n3"),
    ] {
        let mut state = board(held());
        let _ = press(&mut state, keys);
        boards.push((what, state));
    }
    let mut wide = board(held());
    let _ = update(&mut wide, Message::Resized(120, 34), now());
    boards.push(("a wide one", wide.clone()));
    let happened = |ago: i64| Event {
        at: seconds(-ago),
        what: What::LookedUp,
        address: None,
        agent: None,
        comment: None,
        teller: Teller::Server,
        credential: None,
        mom_id: None,
        new_address: false,
        new_agent: false,
    };
    let events = (vec![happened(10), happened(40_000)], seconds(-100));
    wide.history.read.insert(crate::app::sample::id("batch"), events);
    boards.push(("a history", wide));
    let mut copied = board(held());
    let copy = Copied {
        what: "the access token of toar".to_owned(),
        route: "the desktop clipboard",
        certain: true,
        ends: Some(seconds(581)),
        until: Some(later(seconds(45), SignedDuration::from_millis(300))),
    };
    tell(&mut copied, Outcome::Copied(Ok(copy)));
    boards.push(("a copy", copied));
    boards.push(("a login", logging_in()));
    let mut busy = board(vec![login("egi", -5)]);
    let _ = press_at(&mut busy, "y", later(now(), SignedDuration::from_millis(-700)));
    boards.push(("a renewal", busy));
    boards
}

fn logging_in() -> State {
    let mut state = board(vec![]);
    let effects = update(&mut state, Message::Key(event('\n')), now());
    let [Effect::LogIn(task, _)] = effects.as_slice() else { panic!("{effects:?}") };
    let polled = Polled {
        address: "https://egi.example/device".into(),
        complete: None,
        code: Some("WDJB-MJHT".into()),
        asked: 3,
        next: Some(later(seconds(4), SignedDuration::from_millis(200))),
        ends: later(seconds(1900), SignedDuration::from_millis(500)),
        trouble: None,
    };
    let view = View {
        at: "EGI".to_owned(),
        ends: Some(polled.ends),
        device: Some(polled),
        paste: true,
        ..View::default()
    };
    tell(&mut state, Outcome::Login(*task, Step::View(Box::new(view))));
    state
}

#[test]
fn the_screen_stands_still_until_the_moment_that_is_named() {
    for (what, state) in boards() {
        let (in_vain, frames) = live_through(state, now(), what);
        assert!(in_vain <= 10 + frames / 50, "{what}: {in_vain} of {frames} frames showed nothing new");
    }
}
