//! How the questions about the store look: what shall guard it, what opens it, another name.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::field::Shown;
use super::parts::put_row;
use super::questions::{answers, choose, say, typed, window};
use super::scene::Scene;
use crate::app::action::Action;
use crate::app::field::Field;
use crate::app::safe::{Answer, Choosing, Purpose, SHORT, Stage, Unlock, WORD};
use crate::domain::credential::CredentialId;
use crate::domain::time::countdown;
use crate::domain::untrusted::cleaned;
use crate::domain::vault::Guard;

/// What shall guard the store.
pub(super) fn guarding(
    buf: &mut Buffer,
    area: Rect,
    choosing: &Choosing,
    scene: Scene<'_>,
) -> Option<Position> {
    let title = match choosing.purpose {
        Purpose::Make => "Where shall your tokens be kept?",
        Purpose::Change => "What else shall open the store?",
    };
    let inside = window(buf, area, title.to_owned(), scene);
    let cursor = match &choosing.stage {
        Stage::Choose => {
            offers(buf, inside, choosing, scene);
            None
        }
        Stage::Passphrase { first, again, repeating } => {
            let says = if *repeating {
                "The same once more. If it is lost, so is what it guards: nobody can reset it."
            } else {
                "A passphrase. It is asked for once a session, and never written down by toktui."
            };
            let field = if *repeating { again } else { first };
            let row = say(buf, inside, &[(says.to_owned(), true)], scene);
            let short = !*repeating && !first.is_empty() && first.value().chars().count() < SHORT;
            if short && choosing.said.is_none() {
                let text = "Short: whoever copies the disk may find it by trying.";
                put_row(buf, inside, row + 3, Line::styled(text, scene.theme.warning), scene.theme);
            }
            typed(buf, inside, row + 1, field, Shown::Dots, scene)
        }
        Stage::Word(field) => {
            let says = "The key will lie in a file beside the store: whoever can read it, or a copy of your \
                        disk or its backup, can use your tokens. The board will say so from then on.";
            let how = format!("Type {WORD} to do it all the same:");
            let row = say(buf, inside, &[(says.to_owned(), false), (how, true)], scene);
            typed(buf, inside, row + 1, field, Shown::Plain, scene)
        }
        Stage::Working(_) => {
            let words = match (choosing.purpose, choosing.selected) {
                (_, Answer::InMemory) => "One moment",
                (Purpose::Make, Answer::By(_)) => "Making the store",
                (Purpose::Change, Answer::By(_)) => "Changing its guard",
            };
            let line = format!("{words}{}", scene.theme.signs.ellipsis);
            put_row(buf, inside, 1, Line::styled(line, scene.theme.dim), scene.theme);
            None
        }
    };
    said(buf, inside, choosing.said.as_deref(), scene);
    let words = match choosing.stage {
        Stage::Choose | Stage::Working(_) => [(Action::Accept, "choose"), (Action::Back, "not now")],
        Stage::Passphrase { .. } | Stage::Word(_) => [(Action::Accept, "go on"), (Action::Back, "back")],
    };
    answers(buf, inside, &words, scene);
    cursor
}

fn offers(buf: &mut Buffer, inside: Rect, choosing: &Choosing, scene: Scene<'_>) {
    let says = match choosing.purpose {
        Purpose::Make => "They are written to disk, sealed. What is to open them?",
        Purpose::Change => "It opens the store from then on; an old passphrase or key file does no more.",
    };
    let row = say(buf, inside, &[(says.to_owned(), true)], scene) + 1;
    let rows = choosing.answers().into_iter().map(|answer| words(answer, choosing));
    let rows: Vec<(String, String)> = rows.map(|(name, note)| (name.to_owned(), note.to_owned())).collect();
    let below = row + rows.len() + 1;
    choose(buf, inside, row, rows, choosing.place(), scene);
    if let (Purpose::Make, Some(folder)) = (choosing.purpose, &scene.state.wallet.vault.folder) {
        let text = format!("The folder: {}", cleaned(&folder.display().to_string()));
        if choosing.said.is_none() {
            put_row(buf, inside, below, Line::styled(text, scene.theme.dim), scene.theme);
        }
    }
}

fn words(answer: Answer, choosing: &Choosing) -> (&'static str, &'static str) {
    match answer {
        Answer::By(Guard::Keyring) if choosing.keyring.is_none() => {
            ("The desktop's keyring", "asking whether there is one")
        }
        Answer::By(Guard::Keyring) => ("The desktop's keyring", "opens with your session"),
        Answer::By(Guard::Passphrase) => ("A passphrase", "asked for once in 8 hours"),
        Answer::By(Guard::KeyFile) => ("A key file", "whoever reads it opens the store"),
        Answer::InMemory => ("Only in memory, this time", "gone when toktui quits"),
    }
}

/// What opens the locked store.
pub(super) fn unlock(buf: &mut Buffer, area: Rect, question: &Unlock, scene: Scene<'_>) -> Option<Position> {
    let theme = scene.theme;
    let inside = window(buf, area, "Unlock the store".to_owned(), scene);
    let by_itself = matches!(question.trying, Some((_, Guard::Keyring | Guard::KeyFile)));
    let says = match (question.takes_passphrase, by_itself) {
        (true, true) => "The desktop's keyring is being asked. Or its passphrase:",
        (true, false) if scene.state.wallet.vault.no_session.is_some() => {
            "Its passphrase. It is then open for this program; others ask for themselves."
        }
        (true, false) => "Its passphrase. It is then open for your session, for all programs of yours.",
        (false, true) => "The desktop's keyring is being asked. It may show a window of its own.",
        (false, false) => "The desktop's keyring opens it.",
    };
    let row = say(buf, inside, &[(says.to_owned(), true)], scene);
    let pause = question.pause.filter(|until| *until > scene.now);
    let why = question.said.as_ref().map(|why| match pause {
        Some(until) => format!("{}. Next try in {}", capital(why), countdown(scene.left(until))),
        None => capital(why),
    });
    let cursor = question
        .takes_passphrase
        .then(|| typed(buf, inside, row + 1, &question.field, Shown::Dots, scene))
        .flatten();
    if let Some((_, Guard::Passphrase)) = question.trying {
        let line = format!("Trying{}", theme.signs.ellipsis);
        put_row(buf, inside, row + 3, Line::styled(line, theme.dim), theme);
    } else {
        said(buf, inside, why.as_deref(), scene);
    }
    let verb = if question.takes_passphrase { "unlock" } else { "try again" };
    answers(buf, inside, &[(Action::Accept, verb), (Action::Back, "not now")], scene);
    cursor
}

/// Another name for a credential.
pub(super) fn rename(
    buf: &mut Buffer,
    area: Rect,
    id: &CredentialId,
    text: &Field,
    scene: Scene<'_>,
) -> Option<Position> {
    let name = scene.state.held(id).map(|held| cleaned(&held.name)).unwrap_or_default();
    let inside = window(buf, area, format!("Another name for {name}"), scene);
    let says = "1 to 64 letters, digits, dots, dashes or underscores; a letter or digit first. Scripts that ask for \
                the old name must be told.";
    let row = say(buf, inside, &[(says.to_owned(), true)], scene);
    answers(buf, inside, &[(Action::Accept, "rename"), (Action::Back, "back")], scene);
    typed(buf, inside, row + 1, text, Shown::Plain, scene)
}

/// What went wrong, above the answers.
fn said(buf: &mut Buffer, inside: Rect, why: Option<&str>, scene: Scene<'_>) {
    let Some(why) = why else { return };
    let theme = scene.theme;
    let row = usize::from(inside.height).saturating_sub(3);
    let line = Line::from(vec![
        Span::styled(theme.signs.wrong, theme.wrong),
        Span::raw(" "),
        Span::styled(cleaned(why), theme.wrong),
    ]);
    put_row(buf, inside, row, line, theme);
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
