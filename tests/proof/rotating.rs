//! Ten thousand uses of all kinds of one mytoken that rotates at each of them: several programs at once, many of them killed.

use std::process::Child;
use std::thread;
use std::time::Duration;

use toktui::domain::credential::Health;

use crate::home::{Ran, wait};
use crate::making::{PARENT, Stage};
use crate::share::{self, Dice};

/// So many programs at once.
const AT_ONCE: usize = 3;
/// A use of a built program that nobody disturbs takes about as long; kills come up to then.
const SPAN: u64 = 60_000;

/// A use of the mytoken: an access token, a subtoken, a history, a list, a tree, a code; `number` makes names differ.
fn use_of(dice: &mut Dice, number: usize) -> Vec<String> {
    const TIGHTER: &str = "--capability AT --uses 5 --other-uses 5";
    let words = match dice.below(8) {
        0 | 1 => format!("token {PARENT} --force"),
        2 | 3 => format!("mytoken create sub{number} --from {PARENT} {TIGHTER}"),
        4 => format!("history {PARENT}"),
        5 => format!("mytoken list mt --via {PARENT}"),
        6 => format!("mytoken tree {PARENT}"),
        _ => format!("mytoken hand-over {PARENT} {TIGHTER}"),
    };
    words.split(' ').map(str::to_owned).collect()
}

/// What the rounds came to.
#[derive(Default)]
struct Count {
    programs: usize,
    killed: usize,
    in_doubt: usize,
}

#[test]
fn no_stale_copy_is_presented_in_ten_thousand_rotating_uses_with_kills() {
    let uses = share::of("rotating uses of one mytoken, by several programs at once with kills", 60, 10_000);
    let stage = Stage::open();
    let mut dice = Dice(8);
    let mut count = Count::default();
    for number in 0.. {
        if stage.giver.mine.rotations() >= uses {
            break;
        }
        round(&stage, &mut dice, &mut count, number % 10 == 4);
        if number % 500 == 499 {
            share::say(&format!(
                "{} rotations so far, {} programs killed",
                stage.giver.mine.rotations(),
                count.killed
            ));
        }
    }
    share::say(&format!(
        "{} rotations by {} programs, {} of them killed; {} times it was in doubt; {} stale presentations",
        stage.giver.mine.rotations(),
        count.programs,
        count.killed,
        count.in_doubt,
        stage.giver.stale()
    ));
    assert_eq!(stage.giver.stale(), 0);
    assert!(count.killed > count.programs / 8 && count.in_doubt > 0, "the kills came too early or too late");
}

/// Some programs at once, of which some are killed, at random or (`all`) all of them while an answer is on its way; then the mytoken is
/// current, or in doubt and said so.
#[allow(clippy::disallowed_methods, reason = "the instant is the point")]
fn round(stage: &Stage, dice: &mut Dice, count: &mut Count, all: bool) {
    let (before, _) = stage.peek(PARENT).unwrap().unwrap();
    let rotations = stage.giver.mine.rotations();
    if all {
        stage.giver.mine.hold();
    }
    let mut children: Vec<(Child, Vec<String>)> = Vec::new();
    for _ in 0..AT_ONCE {
        count.programs += 1;
        let words = use_of(dice, count.programs);
        let words_of: Vec<&str> = words.iter().map(String::as_str).collect();
        children.push((stage.home.start(&words_of), words));
    }
    if all {
        wait("a use to be worked", || stage.giver.mine.rotations() > rotations);
    }
    let kills = if all { AT_ONCE } else { usize::try_from(dice.below(3)).unwrap() };
    for (child, _) in children.iter_mut().take(kills) {
        thread::sleep(Duration::from_micros(if all { 0 } else { dice.below(SPAN) }));
        drop(child.kill());
    }
    stage.giver.mine.release();
    let mut broken_off = 0;
    let ended: Vec<(Ran, Vec<String>)> =
        children.into_iter().map(|(child, words)| (Ran::ended(child), words)).collect();
    for (ran, words) in &ended {
        broken_off += usize::from(ran.code.is_none());
        let good = ran.code.is_none_or(|code| code == 0 || (code == 3 && kills > 0));
        assert!(good, "{words:?} ended so: {ran:?}");
    }
    count.killed += broken_off;
    stage.giver.settle();
    assert_eq!(stage.giver.stale(), 0, "{ended:?}");
    let (copy, health) = stage.peek(PARENT).unwrap().unwrap();
    if matches!(health, Health::InDoubt(_)) {
        assert!(broken_off > 0, "in doubt, and nobody was killed: {ended:?}");
        count.in_doubt += 1;
        stage.new_parent();
    } else {
        assert_eq!(health, Health::Ok, "{ended:?}");
        let newest =
            if stage.giver.mine.rotations() > rotations { stage.giver.mine.newest() } else { Some(before) };
        assert_eq!(Some(copy), newest, "{ended:?}");
    }
    if count.programs.is_multiple_of(AT_ONCE * 20) {
        stage.forget_subtokens();
    }
}
