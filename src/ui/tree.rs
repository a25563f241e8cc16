//! The branches in front of a row of a tree: drawn for the rows on screen only, however many there are.

use super::theme::Signs;

/// A tree deeper than this is cut off at the left: its rows still have names.
const DEEPEST: usize = 8;

/// The branches before the row at `place`, whose depths are told by `depth_of`; the topmost rows of `base` have none.
pub(super) fn branches(
    place: usize,
    base: usize,
    depth_of: impl Fn(usize) -> Option<usize>,
    signs: &Signs,
) -> String {
    let Some(depth) = depth_of(place).map(|depth| depth.saturating_sub(base)).filter(|depth| *depth > 0)
    else {
        return String::new();
    };
    let goes_on = levels_going_on(place, base, depth, depth_of);
    let first = depth.saturating_sub(DEEPEST);
    let mut out = if first > 0 { signs.ellipsis.to_owned() } else { String::new() };
    for level in first + 1..=depth {
        let on = goes_on.get(level).copied().unwrap_or(false);
        out.push_str(match (level == depth, on) {
            (true, true) => signs.branch,
            (true, false) => signs.last_branch,
            (false, true) => signs.trunk,
            (false, false) => "  ",
        });
    }
    out
}

/// At which levels a sibling follows further down.
fn levels_going_on(
    place: usize,
    base: usize,
    depth: usize,
    depth_of: impl Fn(usize) -> Option<usize>,
) -> Vec<bool> {
    let mut goes_on = vec![false; depth + 1];
    let mut least = depth + 1;
    for next in place + 1.. {
        let Some(next) = depth_of(next).map(|next| next.saturating_sub(base)) else { break };
        if next < least {
            least = next;
            if let Some(level) = goes_on.get_mut(next) {
                *level = true;
            }
        }
        if least <= 1 {
            break;
        }
    }
    goes_on
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme::{Colours, Glyphs, Theme};

    #[test]
    fn branches_join_siblings_and_end_with_the_last_one() {
        let signs = Theme::new(Glyphs::Unicode, Colours::None).signs;
        let depths = [0, 1, 2, 2, 1, 0, 1, 2, 3];
        let drawn: Vec<String> =
            (0..depths.len()).map(|at| branches(at, 0, |at| depths.get(at).copied(), &signs)).collect();
        assert_eq!(drawn, ["", "├ ", "│ ├ ", "│ └ ", "└ ", "", "└ ", "  └ ", "    └ "]);
    }

    #[test]
    fn a_tree_without_end_is_cut_off_at_the_left() {
        let signs = Theme::new(Glyphs::Ascii, Colours::None).signs;
        assert_eq!(branches(99, 0, |at| (at < 100).then_some(at), &signs), format!("~{}` ", "  ".repeat(7)));
    }
}
