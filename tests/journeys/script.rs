//! The language in which a journey is written: `j j y <see:Copied> <+45s>`.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use toktui::desktop::keys::Input;
use toktui::domain::secret::Secret;

/// One step of a journey.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// What the user or the terminal does.
    Input(Input),
    /// The terminal gets this size.
    Resize(u16, u16),
    /// Go on when the screen shows this text.
    See(String),
    /// Go on when the screen does not show this text any more.
    Gone(String),
    /// So many seconds pass.
    Pass(u64),
}

/// Reads a script. Between blanks: a character is its key, `jjy` are three; in angle brackets stand
/// `<enter> <esc> <c-p> …`, `<paste:text>`, `<type:text>`, `<resize:40x12>`, `<see:text>`, `<gone:text>`, `<+45s>`.
pub fn steps(script: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = script;
    while let Some(first) = rest.chars().next() {
        if first == '<' {
            let (word, after) = rest[1..].split_once('>').expect("an angle bracket is closed");
            steps.extend(word_steps(word));
            rest = after;
        } else {
            if first != ' ' {
                steps.push(pressed(KeyCode::Char(first), KeyModifiers::NONE));
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    steps
}

fn word_steps(word: &str) -> Vec<Step> {
    let one = |step| vec![step];
    if let Some((kind, text)) = word.split_once(':') {
        return match kind {
            "paste" => one(Step::Input(Input::Paste(Secret::new(text)))),
            "type" => text.chars().map(|key| pressed(KeyCode::Char(key), KeyModifiers::NONE)).collect(),
            "see" => one(Step::See(text.to_owned())),
            "gone" => one(Step::Gone(text.to_owned())),
            "resize" => {
                let (columns, rows) = text.split_once('x').expect("columns and rows");
                one(Step::Resize(columns.parse().expect("columns"), rows.parse().expect("rows")))
            }
            other => panic!("no such step: {other}"),
        };
    }
    if let Some(seconds) = word.strip_prefix('+').and_then(|span| span.strip_suffix('s')) {
        return one(Step::Pass(seconds.parse().expect("seconds")));
    }
    if let Some(letter) = word.strip_prefix("c-") {
        let letter = letter.chars().next().expect("a letter");
        return one(pressed(KeyCode::Char(letter), KeyModifiers::CONTROL));
    }
    one(pressed(named(word), KeyModifiers::NONE))
}

fn named(word: &str) -> KeyCode {
    match word {
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "tab" => KeyCode::Tab,
        "backtab" => KeyCode::BackTab,
        "space" => KeyCode::Char(' '),
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "pgup" => KeyCode::PageUp,
        "pgdn" => KeyCode::PageDown,
        "home" => KeyCode::Home,
        "end" => KeyCode::End,
        "backspace" => KeyCode::Backspace,
        "f1" => KeyCode::F(1),
        other => panic!("no such key: {other}"),
    }
}

fn pressed(code: KeyCode, modifiers: KeyModifiers) -> Step {
    let modifiers = match code {
        KeyCode::Char(letter) if letter.is_uppercase() => modifiers | KeyModifiers::SHIFT,
        KeyCode::BackTab => modifiers | KeyModifiers::SHIFT,
        _ => modifiers,
    };
    Step::Input(Input::Key(KeyEvent::new(code, modifiers)))
}
