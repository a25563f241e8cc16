//! A monkey at the keyboard (security.md H8): whatever comes in, nothing panics, nothing is destroyed without its own
//! key in its own dialogue, nothing that costs is done before its price was on show, and a paste never acts.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

use super::*;
use crate::app::effect::{
    Copied, Drawn, FamilyAsk, FamilyTold, Finding, Followed, Limits, MytokenAsk, MytokenTold, Outcome,
    Reading, Snapshot, Target, Task,
};
use crate::app::geometry::Geometry;
use crate::app::overlay::{List, Overlay};
use crate::app::sample::*;
use crate::app::state::Seat;
use crate::app::{content, history, lookup, notice, palette};
use crate::domain::credential::{Chain, Custody, Health, Held};
use crate::domain::failure::{Failure, Kind};
use crate::domain::family::Via;
use crate::domain::login::{Browser, Choice, Reached, Report, Step, View};
use crate::domain::secret::Secret;
use crate::domain::vault::{Access, Guard, Vault};
use crate::domain::verdict::{By, Standing, Turn, Verdict};

/// What comes in, and how many milliseconds later.
#[derive(Clone, Debug)]
enum Input {
    Message(Message),
    /// An answer to the newest task, whatever it is.
    Answer(u8),
    Held(u8),
    /// The store stands otherwise.
    Vault(u8),
}

fn key() -> impl Strategy<Value = Message> {
    let letters = prop::sample::select(
        "yYrlnikhRDxfa/:?s1234jkgGumqX+cCbodptQLwWATSoM \u{e9}".chars().collect::<Vec<_>>(),
    );
    let others = prop::sample::select(vec![
        KeyCode::Enter,
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Tab,
        KeyCode::BackTab,
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::PageDown,
        KeyCode::End,
        KeyCode::Backspace,
        KeyCode::Left,
        KeyCode::F(1),
    ]);
    let modifiers = prop_oneof![9 => Just(KeyModifiers::NONE), 1 => Just(KeyModifiers::CONTROL)];
    let code = prop_oneof![3 => letters.prop_map(KeyCode::Char), 1 => others];
    (code, modifiers).prop_map(|(code, modifiers)| Message::Key(KeyEvent::new(code, modifiers)))
}

fn text() -> impl Strategy<Value = Message> {
    let texts = vec![
        "x\n".to_owned(),
        "q\n\nDx\nf\r\ny".to_owned(),
        "aBcD".repeat(16),
        "http://127.0.0.1:43985/callback?code=c&state=s\n".to_owned(),
        "\u{1b}[201~q".to_owned(),
        "日本語 \u{202e}\0".to_owned(),
        String::new(),
    ];
    prop::sample::select(texts).prop_map(|text| Message::Paste(Secret::new(text)))
}

fn input() -> impl Strategy<Value = Input> {
    let mouse = (0..130_u16, 0..40_u16, 0..3_u8).prop_map(|(column, row, kind)| {
        let kind = match kind {
            0 => MouseEventKind::Down(MouseButton::Left),
            1 => MouseEventKind::ScrollDown,
            _ => MouseEventKind::ScrollUp,
        };
        Message::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE })
    });
    prop_oneof![
        24 => key().prop_map(Input::Message),
        2 => text().prop_map(Input::Message),
        1 => mouse.prop_map(Input::Message),
        1 => (0..140_u16, 0..50_u16).prop_map(|(w, h)| Input::Message(Message::Resized(w, h))),
        1 => any::<bool>().prop_map(|focused| Input::Message(Message::Focused(focused))),
        1 => Just(Input::Message(Message::Tick)),
        6 => any::<u8>().prop_map(Input::Answer),
        1 => any::<u8>().prop_map(Input::Held),
        1 => any::<u8>().prop_map(Input::Vault),
    ]
}

fn some_held(bits: u8) -> Vec<Held> {
    let dead = Held { health: Health::Dead("moved".to_owned()), ..login("old", -900) };
    let doubtful = Held { health: Health::InDoubt("no answer".to_owned()), ..mytoken("doubt", None) };
    let sealed = Held { locked: true, custody: Custody::Sealed, ..login("locked", 300) };
    let unsaved = Held { custody: Custody::Unsaved("full".to_owned()), ..mytoken("unsaved", None) };
    let all = [
        mytoken("toar", None),
        login("egi", 40),
        bare("wlcg", 2000),
        mytoken("kit", Some(600)),
        dead,
        doubtful,
        sealed,
        unsaved,
    ];
    all.into_iter().enumerate().filter(|(at, _)| bits & (1 << at) != 0).map(|(_, held)| held).collect()
}

/// Some answer that fits the newest task.
#[allow(clippy::too_many_lines, reason = "a list")]
fn answer(state: &State, bits: u8) -> Outcome {
    let task = Task(state.next_task.saturating_sub(1 + u64::from(bits >> 7)));
    let failure = || {
        Failure::new(
            Kind::Failed,
            "Trying",
            "it did not work, and here is a long story about that: ".repeat(2),
        )
    };
    let good = bits & 1 == 0;
    let toar = id("toar");
    match (bits >> 1) % 24 {
        16 => Outcome::Family(FamilyTold::Read(
            task,
            Box::new(Reading {
                source: "kit".into(),
                limits: Limits::default(),
                until: good.then(|| seconds(3600)),
                family: if good { Ok(family().into()) } else { Err(failure()) },
            }),
        )),
        17 => Outcome::Family(FamilyTold::Manager(
            task,
            "kit".into(),
            if good { Ok(seconds(3600)) } else { Err(failure()) },
        )),
        18 => Outcome::Family(FamilyTold::Revoked(
            task,
            vec![("mom-1".into(), "ci".to_owned(), if good { Ok(String::new()) } else { Err(failure()) })],
        )),
        19 => Outcome::Family(FamilyTold::History(
            task,
            "mom-1".into(),
            if good { Ok(Vec::new()) } else { Err(failure()) },
        )),
        20 => Outcome::Mytoken(MytokenTold::HandedOver(
            task,
            if good { Ok(Box::new(handed())) } else { Err(failure()) },
        )),
        21 => Outcome::Mytoken(MytokenTold::Withdrawn(
            task,
            if good { Ok(String::new()) } else { Err(failure()) },
        )),
        22 => Outcome::Mytoken(MytokenTold::Follower(
            task,
            if good { Ok(Box::default()) } else { Err(failure()) },
        )),
        23 => Outcome::Mytoken(MytokenTold::Succeeded(
            task,
            if good {
                Ok(Followed { name: "toar".to_owned(), old_name: "toar-old".to_owned(), remarks: Vec::new() })
            } else {
                Err(failure())
            },
        )),
        9 => Outcome::KeyringAsked(task, good),
        10 => Outcome::StoreMade(task, if good { Ok(()) } else { Err(failure()) }),
        11 => Outcome::Unlocked(task, Guard::Passphrase, if good { Ok(()) } else { Err(failure()) }),
        12 => Outcome::Guarded(task, Guard::Keyring, if good { Ok(()) } else { Err(failure()) }),
        13 => Outcome::Renamed(if good { Ok((String::new(), "b".to_owned())) } else { Err(failure()) }),
        14 => Outcome::SavedAgain(task, usize::from(!good)),
        15 => Outcome::NotLeft(1),
        0 => Outcome::Login(
            task,
            Step::View(Box::new(View {
                browser: Some(Browser { address: "https://a.example".to_owned(), listening: None }),
                paste: good,
                ..View::default()
            })),
        ),
        1 => Outcome::Login(
            task,
            Step::Choose(vec![Choice { issuer: "https://b.example".to_owned(), name: "b".into() }]),
        ),
        2 => {
            let report = Report {
                id: toar,
                name: "toar".to_owned(),
                at: String::new(),
                lines: Vec::new(),
                no_refresh: None,
                remarks: Vec::new(),
            };
            Outcome::LoginEnded(task, if good { Ok(Box::new(report)) } else { Err(failure()) })
        }
        3 => {
            let drawn = Drawn { expires: None, renewed: true, remarks: Vec::new() };
            Outcome::Drawn(task, toar, if good { Ok(drawn) } else { Err(failure()) })
        }
        4 | 5 => {
            let pasted = state.lookup.pasted.as_ref();
            let target = pasted.map_or(Target::Held(toar.clone()), |pasted| {
                Target::Pasted(Box::new(pasted.specimen.clone()))
            });
            let verdict = Verdict {
                standing: Standing::Valid,
                fact: String::new(),
                by: By::Server,
                heard: Some(now()),
                turn: Some((Turn::Ends, seconds(5))),
                gives_access: true,
                remarks: Vec::new(),
                next: None,
            };
            let may_ask = good.then(|| "https://odd.example".to_owned());
            let held_as = (bits & 16 != 0).then_some(toar);
            let finding = Finding {
                target,
                verdict,
                facts: None,
                content: None,
                signature: None,
                introspected: None,
                what: String::new(),
                held_as,
                may_ask,
                at: now(),
            };
            Outcome::LookedUp(task, Box::new(finding))
        }
        6 => Outcome::HistoryRead(task, if good { Ok(Vec::new()) } else { Err(failure()) }),
        7 => Outcome::Copied(Ok(Copied {
            what: "it".to_owned(),
            route: "the tmux buffer",
            certain: good,
            ends: None,
            until: good.then(|| seconds(45)),
        })),
        _ => Outcome::Failed(failure()),
    }
}

fn some_vault(bits: u8) -> Vault {
    let access = match bits % 4 {
        0 => Access::NoStore,
        1 => Access::MemoryOnly((bits & 4 == 0).then(|| "no place".to_owned())),
        2 => Access::Locked,
        _ => Access::Open { until: (bits & 4 == 0).then(|| seconds(90)) },
    };
    let all = [Guard::Keyring, Guard::Passphrase, Guard::KeyFile];
    let guards = all.into_iter().enumerate().filter(|(at, _)| bits & (8 << at) != 0).map(|(_, guard)| guard);
    let keyring = (bits & 64 != 0).then_some(bits & 128 != 0);
    Vault { access, guards: guards.collect(), unsaved: usize::from(bits >> 6), keyring, ..Vault::default() }
}

/// What must hold of an effect, given what was on show before the message that brought it.
fn is_allowed(effect: &Effect, before: &State, message: &Message) -> bool {
    let top = before.overlays.last();
    let is_key = |c: char| matches!(message, Message::Key(key) if key.code == KeyCode::Char(c));
    let on_dialogue = matches!(top, Some(Overlay::Revoke(_)));
    let pays = |wanted: &dyn Fn(&Held) -> bool, id| {
        before.held(id).is_none_or(|held| !wanted(held) || before.price.is_some())
    };
    let counts = |held: &Held| matches!(held.chain, Chain::Mytoken { .. });
    match effect {
        Effect::Revoke(..) | Effect::Family(FamilyAsk::Revoke(_, _, _, _, false)) => {
            on_dialogue && is_key('x')
        }
        Effect::Forget(_) => on_dialogue && is_key('f'),
        Effect::Family(FamilyAsk::RevokeTree(..) | FamilyAsk::Revoke(_, _, _, _, true)) => {
            let enter = matches!(message, Message::Key(key) if key.code == KeyCode::Enter);
            matches!(top, Some(Overlay::Revoke(dialogue)) if dialogue.is_confirmed()) && enter
        }
        Effect::Family(FamilyAsk::LastUses(_, family)) => match &family.via {
            Via::Held(id) => pays(&counts, id),
            Via::Manager => true,
        },
        Effect::Family(
            FamilyAsk::Read(_, _, Via::Held(id), _) | FamilyAsk::History(_, _, Via::Held(id), _),
        )
        | Effect::Mytoken(MytokenAsk::Draw(_, id, _) | MytokenAsk::HandOver(_, id, _))
        | Effect::ReadHistory(_, Target::Held(id)) => pays(&counts, id),
        Effect::Quit => {
            let loses =
                !before.seat.demo && before.wallet.held.iter().any(|held| held.is_lost_on_quit(before.at));
            !loses || (matches!(top, Some(Overlay::QuitLoses(_))) && is_key('x'))
        }
        Effect::QuitPrinting => matches!(top, Some(Overlay::QuitLoses(_))) && is_key('p'),
        // What was wanted goes on when the store is open.
        Effect::Draw { id, .. } => {
            let goes_on = matches!(message, Message::Outcome(Outcome::Unlocked(_, _, Ok(()))));
            (goes_on || matches!(message, Message::Key(_))) && pays(&counts, id)
        }
        Effect::CreateStore(..) | Effect::StayInMemory(_) | Effect::Guard(..) => {
            matches!(top, Some(Overlay::Guarding(_))) && matches!(message, Message::Key(_))
        }
        // Nothing is kept before it was said where, nor into a locked store.
        Effect::LogIn(..) | Effect::Keep(..) | Effect::Mytoken(MytokenAsk::Redeem(..)) => {
            before.wallet.vault.is_open() && !before.wallet.vault.asks_first()
        }
        Effect::LookUp(_, _, crate::app::effect::Asking::This(server)) => {
            let agreed = before.lookup.pasted.as_ref().and_then(|pasted| pasted.agreed.as_ref());
            agreed == Some(server) || (matches!(top, Some(Overlay::MayAsk(..))) && is_key('a'))
        }
        // What fell due meanwhile, and what loses nothing.
        Effect::ClearClipboard
        | Effect::LookUp(..)
        | Effect::GiveRedirect(..)
        | Effect::SaveAgain(_)
        | Effect::Refresh => true,
        _ => !matches!(message, Message::Paste(_)),
    }
}

/// All that the drawing computes from a state.
fn look(state: &State, now: jiff::Timestamp) {
    let geometry = Geometry::of(state);
    let _ = (notice::on_show(state, now), lookup::on_show(state, now), history::on_show(state));
    let _ = (
        keymap::footer(state, usize::from(state.size.0)),
        palette::help(state),
        palette::matches(state, "co"),
    );
    for overlay in &state.overlays {
        let area = geometry.overlay(overlay);
        assert!(area.x + area.width <= state.size.0 && area.y + area.height <= state.size.1);
    }
    for held in state.wallet.held.iter() {
        let details = Overlay::Details(held.id.clone(), List::default());
        let _ = content::of_overlay(state, &details, 5);
    }
    if let Some(next) = state.next_change(now) {
        assert!(next > now, "a loop that does not sleep");
    }
    assert!(state.tokens.rows.is_empty() || state.tokens.place < state.tokens.rows.len());
    assert!(state.providers.selected < state.providers.rows.len());
}

fn play(bits: u8, demo: bool, inputs: Vec<(Input, u32)>) {
    let seat = Seat { demo, reached: (bits & 1 == 0).then(Reached::default), ..Seat::default() };
    let mut state = State::new(seat, (80, 24), jiff::tz::TimeZone::UTC);
    show(&mut state, some_held(bits));
    let mut now = now();
    for (input, milliseconds) in inputs {
        now = crate::domain::time::later(now, jiff::SignedDuration::from_millis(milliseconds.into()));
        let message = match input {
            Input::Message(message) => message,
            Input::Answer(bits) => Message::Outcome(answer(&state, bits)),
            Input::Vault(bits) => {
                let snapshot = Snapshot { vault: some_vault(bits), ..state.wallet.clone() };
                Message::Outcome(Outcome::Changed(snapshot))
            }
            Input::Held(bits) => {
                let snapshot = Snapshot { held: some_held(bits).into(), ..state.wallet.clone() };
                Message::Outcome(Outcome::Changed(snapshot))
            }
        };
        let before = state.clone();
        for effect in update(&mut state, message.clone(), now) {
            assert!(is_allowed(&effect, &before, &message), "{effect:?} by {message:?}");
        }
        look(&state, now);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 128,
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_comes_in_nothing_is_lost_spent_or_sent_unasked(
        bits in 0..64_u8,
        demo in prop::bool::weighted(0.1),
        inputs in prop::collection::vec((input(), 0..4000_u32), 80..120),
    ) {
        play(bits, demo, inputs);
    }
}
