//! Meanings first, then colours: callers ask for what something *is*, never for how it looks.

use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::border;

/// Which characters the terminal can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Glyphs {
    /// The locale is UTF-8.
    #[default]
    Unicode,
    /// It is not: no byte above 0x7E reaches the terminal.
    Ascii,
}

/// Whether colours are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colours {
    /// The terminal's own sixteen.
    #[default]
    Ansi,
    /// `NO_COLOR`: bold, dim and reverse only.
    None,
}

/// The signs of the screen, each one column wide.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signs {
    pub(crate) frame: border::Set<'static>,
    pub(crate) ok: &'static str,
    pub(crate) wrong: &'static str,
    pub(crate) waiting: &'static str,
    pub(crate) unknown: &'static str,
    pub(crate) cursor: &'static str,
    pub(crate) full: &'static str,
    pub(crate) empty: &'static str,
    /// Something is left out here.
    pub(crate) ellipsis: &'static str,
    /// Between two remarks on one line.
    pub(crate) dot: &'static str,
    /// From a server to the provider behind it.
    pub(crate) behind: &'static str,
    pub(crate) none: &'static str,
    /// This credential is held in memory only.
    pub(crate) memory: &'static str,
    /// This credential belongs to another program.
    pub(crate) foreign: &'static str,
    pub(crate) prompt: &'static str,
    /// A box that is ticked.
    pub(crate) ticked: &'static str,
    /// A box that is not.
    pub(crate) unticked: &'static str,
    /// In the place of a character that is not shown.
    pub(crate) hidden: &'static str,
    /// This row is marked.
    pub(crate) marked: &'static str,
    /// A branch of a tree after which others follow, the last one, and the trunk that passes by: two columns each.
    pub(crate) branch: &'static str,
    pub(crate) last_branch: &'static str,
    pub(crate) trunk: &'static str,
}

const UNICODE: Signs = Signs {
    frame: border::ROUNDED,
    ok: "✔",
    wrong: "✘",
    waiting: "◷",
    unknown: "?",
    cursor: "▸",
    full: "▰",
    empty: "▱",
    ellipsis: "…",
    dot: "·",
    behind: "›",
    none: "–",
    memory: "◌",
    foreign: "◇",
    prompt: "›",
    ticked: "▣",
    unticked: "▢",
    hidden: "•",
    marked: "•",
    branch: "├ ",
    last_branch: "└ ",
    trunk: "│ ",
};

const ASCII: Signs = Signs {
    frame: border::Set {
        top_left: "+",
        top_right: "+",
        bottom_left: "+",
        bottom_right: "+",
        vertical_left: "|",
        vertical_right: "|",
        horizontal_top: "-",
        horizontal_bottom: "-",
    },
    ok: "+",
    wrong: "x",
    waiting: "o",
    unknown: "?",
    cursor: ">",
    full: "#",
    empty: ".",
    ellipsis: "~",
    dot: "-",
    behind: ">",
    none: "-",
    memory: "*",
    foreign: "&",
    prompt: ">",
    ticked: "x",
    unticked: "_",
    hidden: "*",
    marked: "*",
    branch: "| ",
    last_branch: "` ",
    trunk: "| ",
};

/// What each thing on the screen means, as a style. Colour never stands alone: a word says the same.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    pub(crate) signs: Signs,
    pub(crate) glyphs: Glyphs,
    pub(crate) text: Style,
    pub(crate) strong: Style,
    pub(crate) dim: Style,
    pub(crate) title: Style,
    pub(crate) title_focused: Style,
    pub(crate) border: Style,
    pub(crate) border_focused: Style,
    pub(crate) selected: Style,
    pub(crate) label: Style,
    pub(crate) live: Style,
    pub(crate) ending: Style,
    pub(crate) dead: Style,
    pub(crate) ok: Style,
    pub(crate) wrong: Style,
    pub(crate) warning: Style,
    pub(crate) link: Style,
    pub(crate) key: Style,
    pub(crate) code: Style,
    pub(crate) button: Style,
    /// What must be seen, wherever one looks.
    pub(crate) alarm: Style,
    pub(crate) qr: Style,
}

impl Theme {
    /// The theme for a terminal that shows these characters, for a user who wants these colours.
    ///
    /// One accent; text and background stay the terminal's own. Selection is reverse video and what is merely
    /// there is dim, so both hold on light and on dark grounds.
    #[must_use]
    pub fn new(glyphs: Glyphs, colours: Colours) -> Self {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        let dim = plain.add_modifier(Modifier::DIM);
        let reversed = plain.add_modifier(Modifier::REVERSED);
        let tint = |style: Style, colour: Color| match colours {
            Colours::Ansi => style.fg(colour),
            Colours::None => style,
        };
        let block = |ground: Color| match colours {
            Colours::Ansi => bold.fg(Color::Black).bg(ground),
            Colours::None => bold.add_modifier(Modifier::REVERSED),
        };
        Self {
            signs: match glyphs {
                Glyphs::Unicode => UNICODE,
                Glyphs::Ascii => ASCII,
            },
            glyphs,
            text: plain,
            strong: bold,
            dim,
            title: plain,
            title_focused: tint(bold, Color::Cyan),
            border: dim,
            border_focused: tint(if colours == Colours::None { bold } else { plain }, Color::Cyan),
            selected: reversed,
            label: dim,
            live: tint(plain, Color::Green),
            ending: tint(bold, Color::Yellow),
            dead: tint(plain, Color::Red),
            ok: tint(bold, Color::Green),
            wrong: tint(bold, Color::Red),
            warning: tint(plain, Color::Yellow),
            link: tint(plain.add_modifier(Modifier::UNDERLINED), Color::Cyan),
            key: tint(bold, Color::Cyan),
            code: block(Color::Yellow),
            button: block(Color::Cyan),
            alarm: tint(bold.add_modifier(Modifier::REVERSED), Color::Red),
            // Not decoration but the message itself: a camera needs dark on light, whatever the terminal's ground.
            qr: plain.fg(Color::Black).bg(Color::White),
        }
    }
}
