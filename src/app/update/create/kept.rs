//! The form as a profile of the user's own, and as JSON in the user's editor.

use jiff::Timestamp;

use super::super::outcome;
use super::{change, top};
use crate::app::create::{self, Group, Over};
use crate::app::effect::{Effect, Making};
use crate::app::field::Field;
use crate::app::state::{State, Tone};
use crate::domain::draft::{Draft, from_json, to_json};
use crate::domain::failure::Failure;
use crate::domain::untrusted::cleaned;

pub(super) fn ask_profile_name(state: &mut State) {
    let Some(form) = top(state) else { return };
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = form.draft.name.chars().map(plain).collect();
    form.over = Over::ProfileName(Field::new(name.trim_matches('-')));
}

pub(super) fn save_profile(state: &mut State) -> Vec<Effect> {
    let Some(form) = top(state) else { return Vec::new() };
    let Over::ProfileName(field) = &form.over else { return Vec::new() };
    let name = field.value().trim().to_owned();
    let Some(server) = form.server().cloned().filter(|_| !name.is_empty()) else { return Vec::new() };
    let draft = Draft { name: String::new(), ..form.draft.clone() };
    form.over = Over::Nothing;
    vec![Effect::Make(Making::SaveProfile(name, server, Box::new(draft)))]
}

pub(super) fn edit(state: &mut State) -> Vec<Effect> {
    let Some(form) = top(state) else { return Vec::new() };
    let json = || serde_json::to_string_pretty(&to_json(&form.draft)).unwrap_or_default();
    let text = form.edited.clone().unwrap_or_else(json);
    vec![Effect::Make(Making::Edit(text))]
}

/// The JSON came back: what cannot be read is kept, to go on with.
pub(super) fn edited(state: &mut State, result: Result<Option<String>, Failure>, now: Timestamp) {
    let text = match result {
        Ok(Some(text)) => text,
        Ok(None) => return state.say(Tone::Plain, "Nothing was changed", now),
        Err(failure) => return outcome::failed(state, failure, now),
    };
    let zone = create::zone(state);
    let value = serde_json::from_str(&text).map_err(|error| error.to_string());
    let read = value.and_then(|value| from_json(&value, now, &zone));
    let said = change(state, now, |form, _| match read {
        Ok(draft) => {
            form.edited = None;
            form.changed = true;
            form.touched = vec![
                Group::Provider,
                Group::Name,
                Group::Capabilities,
                Group::Clauses,
                Group::Rotation,
                Group::Answer,
            ];
            form.fill(draft, &zone);
            Ok(())
        }
        Err(why) => {
            form.edited = Some(text);
            Err(why)
        }
    });
    match said {
        Some(Ok(())) => state.say(Tone::Good, "Taken from the JSON", now),
        Some(Err(why)) => {
            let text = format!("The JSON cannot be read: {}. e goes on with it", cleaned(&why));
            state.say(Tone::Bad, text, now);
        }
        None => {}
    }
}
