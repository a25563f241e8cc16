//! Which characters and colours this terminal can show.

use unicode_width::UnicodeWidthChar;

use super::place::Environment;

/// Which characters may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyphs {
    /// The locale is not UTF-8: not one byte above 0x7F may be sent (security.md H5).
    Ascii,
    /// The Linux console: UTF-8, with a font of 256 or 512 characters. Single and double lines and blocks are there.
    Console,
    /// Everything.
    Unicode,
}

/// Which colours may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// None: bold, dim and reverse remain.
    None,
    /// The sixteen that every colour terminal has, in the user's own shades.
    Sixteen,
}

/// What the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Which characters.
    pub glyphs: Glyphs,
    /// Which colours.
    pub colours: Colours,
}

impl Look {
    /// Reads the locale (POSIX: `LC_ALL`, then `LC_CTYPE`, then `LANG`), `TERM` and `NO_COLOR`.
    #[must_use]
    pub fn of(environment: &Environment) -> Self {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| environment.variable(name));
        let locale = locale.unwrap_or("C").to_ascii_lowercase();
        let term = environment.variable("TERM").unwrap_or_default();
        let utf8 = locale.contains("utf-8") || locale.contains("utf8");
        let glyphs = match (utf8, term) {
            (false, _) => Glyphs::Ascii,
            (true, "linux") => Glyphs::Console,
            (true, _) => Glyphs::Unicode,
        };
        let without_colour = environment.variable("NO_COLOR").is_some() || is_monochrome(term);
        Self { glyphs, colours: if without_colour { Colours::None } else { Colours::Sixteen } }
    }
}

fn is_monochrome(term: &str) -> bool {
    let is_vt = term.strip_prefix("vt").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    is_vt || term.ends_with("-m") || term.ends_with("-mono")
}

/// Writes `text` with ASCII characters alone, each as wide as what it stands for, so that no column moves.
pub(super) fn push_ascii(text: &str, out: &mut Vec<u8>) {
    for c in text.chars() {
        match (u8::try_from(c), c.width()) {
            (Ok(byte), _) if byte.is_ascii() => out.push(byte),
            (_, width) => out.extend(std::iter::repeat_n(stand_in(c), width.unwrap_or(0))),
        }
    }
}

fn stand_in(c: char) -> u8 {
    match c {
        '─' | '━' | '═' | '╌' | '╍' | '┄' | '┅' | '–' | '—' | '‐' | '−' => b'-',
        '│' | '┃' | '║' | '╎' | '╏' | '┆' | '┇' | '▏' | '▎' | '▍' | '▌' | '▐' | '▕' => {
            b'|'
        }
        '\u{2500}'..='\u{257f}' | '✓' | '✔' => b'+',
        '█' | '▉' | '▊' | '▋' | '■' | '▓' | '▒' | '░' => b'#',
        '…' | '·' | '․' => b'.',
        '•' | '●' | '◆' | '★' | '✦' | '✱' => b'*',
        '○' | '◇' | '◦' => b'o',
        '▶' | '▸' | '→' | '›' | '»' | '❯' => b'>',
        '◀' | '◂' | '←' | '‹' | '«' => b'<',
        '▲' | '▴' | '↑' => b'^',
        '▼' | '▾' | '↓' => b'v',
        '✗' | '✘' | '×' | '✕' => b'x',
        '‘' | '’' => b'\'',
        '“' | '”' => b'"',
        _ => b'?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(variables: &[(&str, &str)]) -> (Glyphs, Colours) {
        let look = Look::of(&Environment::of(variables));
        (look.glyphs, look.colours)
    }

    #[test]
    fn locale_and_terminal_decide_what_may_be_sent() {
        use Colours::{None, Sixteen};
        use Glyphs::{Ascii, Console, Unicode};
        assert_eq!(look(&[("TERM", "xterm")]), (Ascii, Sixteen));
        assert_eq!(look(&[("LANG", "C"), ("TERM", "xterm")]), (Ascii, Sixteen));
        assert_eq!(look(&[("LANG", "de_DE.UTF-8"), ("TERM", "xterm-256color")]), (Unicode, Sixteen));
        assert_eq!(look(&[("LANG", "de_DE.UTF-8"), ("LC_ALL", "POSIX")]), (Ascii, Sixteen));
        assert_eq!(look(&[("LANG", "C"), ("LC_CTYPE", "C.utf8")]), (Unicode, Sixteen));
        assert_eq!(look(&[("LANG", "de_DE.UTF-8"), ("LC_ALL", "")]), (Unicode, Sixteen));
        assert_eq!(look(&[("LANG", "de_DE@euro")]), (Ascii, Sixteen));
        assert_eq!(look(&[("LANG", "C.UTF-8"), ("TERM", "linux")]), (Console, Sixteen));
        assert_eq!(look(&[("NO_COLOR", "1")]), (Ascii, None));
        assert_eq!(look(&[("NO_COLOR", "")]), (Ascii, Sixteen));
        assert_eq!(look(&[("TERM", "vt220")]), (Ascii, None));
        assert_eq!(look(&[("TERM", "xterm-mono")]), (Ascii, None));
    }

    #[test]
    fn ascii_stand_ins_keep_every_column_where_it_was() {
        let mut out = Vec::new();
        push_ascii("┌─ Tökens ─┐ │…● 日本 é\u{301}│", &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "+- T?kens -+ |.* ???? ?|");
    }
}
