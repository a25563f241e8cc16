//! In the pages that show what a token says: searching, and copying a claim or all of them.

use jiff::Timestamp;

use super::comparing;
use super::settle::scrolled;
use crate::app::action::ReadingAction;
use crate::app::content;
use crate::app::effect::Effect;
use crate::app::field::Field;
use crate::app::geometry::Geometry;
use crate::app::overlay::{List, Overlay};
use crate::app::state::{State, Tone};

/// Does what was asked for in the page on top.
pub(super) fn act(state: &mut State, action: ReadingAction, now: Timestamp) -> Vec<Effect> {
    match action {
        ReadingAction::Search => change(state, |list| list.typing = true),
        ReadingAction::Next => find(state, 1, now),
        ReadingAction::CopyClaim => return copy_claim(state, now),
        ReadingAction::CopyClaims => return copy_claims(state),
        ReadingAction::Compare => comparing::compare(state, now),
    }
    Vec::new()
}

/// What is searched for has changed: to its first line at or below the selected one.
pub(super) fn sought(state: &mut State, now: Timestamp) {
    state.notice = None;
    find(state, 0, now);
}

/// Enter while it is typed.
pub(super) fn keep(state: &mut State) {
    change(state, |list| list.typing = false);
}

/// Esc while there is something searched for; whether there was.
pub(super) fn leave(state: &mut State) -> bool {
    let Some(list) = state.overlays.last_mut().and_then(Overlay::page_mut) else { return false };
    if !list.typing && list.sought.is_empty() {
        return false;
    }
    list.typing = false;
    list.sought = Field::default();
    true
}

fn change(state: &mut State, with: impl FnOnce(&mut List)) {
    if let Some(list) = state.overlays.last_mut().and_then(Overlay::page_mut) {
        with(list);
    }
}

/// Selects the next line with what is searched for, beginning `from` lines below the selected one, and round.
fn find(state: &mut State, from: usize, now: Timestamp) {
    let Some(overlay) = state.overlays.last() else { return };
    let Some(list) = overlay.page() else { return };
    let area = Geometry::of(state).reading(overlay);
    let lines = content::of_overlay(state, overlay, usize::from(area.width)).unwrap_or_default();
    let wanted = list.sought.value().trim().to_lowercase();
    if wanted.is_empty() || lines.is_empty() {
        return;
    }
    let start = list.selected + from;
    let places = (0..lines.len()).map(|step| (start + step) % lines.len());
    let found = places.into_iter().find(|at| lines.get(*at).is_some_and(|line| line.holds(&wanted)));
    match found {
        Some(at) => change(state, |list| {
            list.selected = at;
            list.offset = scrolled(list.offset, at, lines.len(), usize::from(area.height));
        }),
        None => state.say(Tone::Plain, "Nothing in it reads like that", now),
    }
}

fn copy_claim(state: &mut State, now: Timestamp) -> Vec<Effect> {
    if let Some(claim) = claim(state) {
        return vec![Effect::CopyText(claim.text(), "the claim")];
    }
    state.say(Tone::Plain, "No claim stands in this line", now);
    Vec::new()
}

fn copy_claims(state: &State) -> Vec<Effect> {
    let token = claim(state).map_or(0, |claim| claim.token);
    let jwt = state.overlays.last().and_then(|overlay| content::token_in(state, overlay, token));
    let json = jwt.and_then(|jwt| serde_json::to_string_pretty(&jwt.claims).ok());
    json.map(|json| Effect::CopyText(json, "the claims")).into_iter().collect()
}

/// The claim in the selected line.
fn claim(state: &State) -> Option<content::Claim> {
    let overlay = state.overlays.last()?;
    let width = usize::from(Geometry::of(state).reading(overlay).width);
    content::claim_at(state, overlay, width, overlay.page()?.selected)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::app::effect::Effect;
    use crate::app::overlay::Overlay;
    use crate::app::sample::*;
    use crate::app::state::State;
    use crate::domain::jwt::Jwt;

    /// A board over whose login the content of its token is open.
    fn open() -> State {
        let mut held = login("egi", 600);
        let claims = json!({
            "entitlements": ["urn:a", "urn:b"],
            "exp": 1_800_000_600,
            "iss": "https://egi.example",
            "name": "Jane\n\u{1b}[31m Doe",
        });
        held.access[0].content = Some(Jwt {
            header: json!({"alg": "RS256"}).as_object().unwrap().clone(),
            claims: claims.as_object().unwrap().clone(),
            signature: 256,
        });
        let mut state = board(vec![held]);
        press(&mut state, "3\n");
        assert!(matches!(state.overlays.last(), Some(Overlay::Content(_))));
        state
    }

    fn copied(effects: &[Effect]) -> &str {
        match effects {
            [Effect::CopyText(text, _)] => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_search_goes_to_the_claim_and_y_copies_its_value_as_text() {
        let mut state = open();
        press(&mut state, "/ISS\n");
        assert_eq!(copied(&press(&mut state, "y")), "https://egi.example");
        // Escaped, so that what it is pasted into sees no line break and no control character.
        press(&mut state, "/");
        press(&mut state, "\x1b");
        press(&mut state, "/jane\n");
        assert_eq!(copied(&press(&mut state, "y")), "Jane\\u{a}\\u{1b}[31m Doe");
    }

    #[test]
    fn n_goes_on_to_the_next_and_round() {
        let mut state = open();
        press(&mut state, "/urn:\n");
        let at = |state: &State| state.overlays.last().and_then(Overlay::page).map(|list| list.selected);
        let first = at(&state);
        press(&mut state, "n");
        assert_eq!(at(&state), first.map(|line| line + 1));
        press(&mut state, "n");
        assert_eq!(at(&state), first);
        assert_eq!(copied(&press(&mut state, "y")), r#"["urn:a","urn:b"]"#);
    }

    #[test]
    fn what_is_not_there_moves_nothing_and_is_said() {
        let mut state = open();
        press(&mut state, "/zzz");
        assert!(state.notice.as_ref().is_some_and(|notice| notice.text.contains("Nothing in it")));
        assert_eq!(state.overlays.last().and_then(Overlay::page).map(|list| list.selected), Some(0));
        press(&mut state, "\n");
        assert_eq!(press(&mut state, "y"), [], "the first line is a heading");
    }

    #[test]
    fn shift_j_copies_all_claims_and_esc_leaves_the_search_before_the_page() {
        let mut state = open();
        let effects = press(&mut state, "J");
        let value: serde_json::Value = serde_json::from_str(copied(&effects)).unwrap();
        assert_eq!((&value["exp"], value.get("alg")), (&json!(1_800_000_600), None));
        press(&mut state, "/x\n");
        press(&mut state, "\x1b");
        assert_eq!(state.overlays.len(), 1);
        press(&mut state, "\x1b");
        assert_eq!(state.overlays.len(), 0);
    }
}
