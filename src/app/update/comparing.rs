//! Two tokens side by side: which is the first, then what is not the same.

use jiff::Timestamp;

use crate::app::compare::{self, Step};
use crate::app::overlay::{List, Overlay};
use crate::app::state::{State, Tone};

/// Takes the selected token as the first of two, or shows what is not the same in both.
pub(super) fn compare(state: &mut State, now: Timestamp) {
    match compare::step(state) {
        Some(Step::Mark(id)) => {
            let name = state.held(&id).map(|held| held.name.clone()).unwrap_or_default();
            state.marked = Some(id);
            let text = format!("{name} is the first: the same key on another row shows what is not the same");
            state.say(Tone::Plain, text, now);
        }
        Some(Step::Unmark) => {
            state.marked = None;
            state.say(Tone::Plain, "It is compared with nothing", now);
        }
        Some(Step::Show(comparison)) => {
            state.marked = None;
            state.notice = None;
            state.overlays.push(Overlay::Compared(Box::new(comparison), List::default()));
        }
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::app::content;
    use crate::app::sample::*;
    use crate::domain::credential::Held;
    use crate::domain::jwt::Jwt;

    fn token(name: &str, scope: &str) -> Held {
        let mut held = login(name, 600);
        let claims = json!({"scope": scope, "iss": "https://egi.example"});
        let (header, claims) = (serde_json::Map::new(), claims.as_object().expect("an object").clone());
        held.access[0].content = Some(Jwt { header, claims, signature: 256 });
        held
    }

    fn text(state: &State) -> String {
        let overlay = state.overlays.last().expect("a window");
        let lines = content::of_overlay(state, overlay, 76).expect("a page");
        format!("{lines:#?}")
    }

    #[test]
    fn two_rows_are_compared_by_the_same_key_on_each() {
        let mut state = board(vec![token("a", "openid"), token("b", "openid email")]);
        press(&mut state, "=");
        assert_eq!(state.marked, Some(id("a")));
        press(&mut state, "j=");
        let text = text(&state);
        assert!(
            text.contains("a against b") && text.contains("+ email") && text.contains("header: the same")
        );
        press(&mut state, "\x1b");
        assert!(state.overlays.is_empty() && state.marked.is_none());
    }

    #[test]
    fn the_same_row_twice_marks_nothing_and_what_cannot_be_read_is_not_offered() {
        let mut state = board(vec![token("a", "openid"), login("opaque", 700)]);
        press(&mut state, "==");
        assert_eq!((state.marked.clone(), state.overlays.len()), (None, 0));
        press(&mut state, "j=");
        assert_eq!(state.marked, None, "nothing can be read in it");
    }
}
