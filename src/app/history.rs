//! What the History pane knows: what this session did, or a mytoken's events from its server.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::effect::Task;
use super::family;
use super::state::{Pane, State};
use crate::domain::credential::{CredentialId, Held};
use crate::domain::event::Event;

/// Pane 4.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The events of each held mytoken as its server told them, newest first, and when.
    pub read: HashMap<CredentialId, (Vec<Event>, Timestamp)>,
    /// The events of the pasted mytoken.
    pub pasted: Option<(Vec<Event>, Timestamp)>,
    /// The reading under way, and whose; `None`: the pasted mytoken's.
    pub task: Option<(Task, Option<CredentialId>)>,
    /// The selected line.
    pub selected: usize,
    /// The first line on screen.
    pub offset: usize,
    /// The filter, if one is typed.
    pub filter: Option<String>,
    sifted: Option<Sifted>,
}

/// What pane 4 must show: asked only for what is visible, since a journal can be long.
#[derive(Clone, Debug)]
pub struct Shown<'a> {
    /// The name of the credential it is about; `None`: this session, or what was pasted.
    pub name: Option<&'a str>,
    /// When the server told this; `None`: it is what was done here.
    pub read: Option<Timestamp>,
    events: &'a [Event],
    which: Cow<'a, Which>,
}

impl<'a> Shown<'a> {
    /// How many events there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match &*self.which {
            Which::All => self.events.len(),
            Which::These(places) => places.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Those from one place on, the newest first.
    pub fn from(&self, place: usize, most: usize) -> impl Iterator<Item = &'a Event> {
        let end = self.len().min(place.saturating_add(most));
        let at = |place: usize| match &*self.which {
            Which::All => Some(place),
            Which::These(places) => places.get(place).copied(),
        };
        (place..end).filter_map(at).filter_map(|at| self.events.get(at)).collect::<Vec<_>>().into_iter()
    }
}

/// Which of many events.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Which {
    All,
    These(Vec<usize>),
}

/// The events of the journal that are on show, gone through once and not once a frame.
#[derive(Clone, Debug)]
struct Sifted {
    journal: Arc<[Event]>,
    whose: Option<CredentialId>,
    filter: Option<String>,
    which: Which,
}

impl Sifted {
    fn is_of(&self, state: &State, whose: Option<&CredentialId>) -> bool {
        Arc::ptr_eq(&self.journal, &state.wallet.journal)
            && self.whose.as_ref() == whose
            && self.filter == state.history.filter
    }
}

/// Goes through the journal anew, if what is to be shown of it differs.
pub(super) fn settle(state: &mut State) {
    let whose = whose(state).map(|held| held.id.clone());
    if state.history.sifted.as_ref().is_some_and(|sifted| sifted.is_of(state, whose.as_ref())) {
        return;
    }
    let which = sift(&state.wallet.journal, whose.as_ref(), state.history.filter.as_deref());
    let (journal, filter) = (Arc::clone(&state.wallet.journal), state.history.filter.clone());
    state.history.sifted = Some(Sifted { journal, whose, filter, which });
}

fn sift(events: &[Event], whose: Option<&CredentialId>, filter: Option<&str>) -> Which {
    let filter = filter.unwrap_or_default().to_lowercase();
    if whose.is_none() && filter.is_empty() {
        return Which::All;
    }
    let own = |event: &Event| whose.is_none_or(|id| event.credential.as_ref() == Some(&id.0));
    let fits = |event: &Event| filter.is_empty() || text(event).to_lowercase().contains(&filter);
    let places = events.iter().enumerate().filter(|(_, event)| own(event) && fits(event));
    Which::These(places.map(|(place, _)| place).collect())
}

/// The credential whose events are on show; none while the providers have the focus.
fn whose(state: &State) -> Option<&Held> {
    if state.focus == Pane::Providers { None } else { state.selected_held() }
}

/// What pane 4 must show: of the token on show, or of the whole session while the providers have the focus.
#[must_use]
pub fn on_show(state: &State) -> Shown<'_> {
    let history = &state.history;
    let filter = history.filter.as_deref();
    let told =
        |name, events: &'static [Event]| Shown { name, read: None, events, which: Cow::Owned(Which::All) };
    if state.lookup.pasted.is_some() {
        let Some((events, read)) = &history.pasted else { return told(None, &[]) };
        let which = Cow::Owned(sift(events, None, filter));
        return Shown { name: None, read: Some(*read), events, which };
    }
    let held = whose(state);
    let name = held.map(|held| held.name.as_str());
    if let Some((events, read)) = held.and_then(|held| history.read.get(&held.id)) {
        return Shown { name, read: Some(*read), events, which: Cow::Owned(sift(events, None, filter)) };
    }
    let id = held.map(|held| &held.id);
    let which = match &history.sifted {
        Some(sifted) if sifted.is_of(state, id) => Cow::Borrowed(&sifted.which),
        _ => Cow::Owned(sift(&state.wallet.journal, id, filter)),
    };
    Shown { name, read: None, events: &state.wallet.journal, which }
}

/// The selected event.
#[must_use]
pub fn selected(state: &State) -> Option<&Event> {
    on_show(state).from(state.history.selected, 1).next()
}

/// Whether the selected event is the making of a subtoken that can be gone to: of a mytoken that is held here, as its server told.
#[must_use]
pub fn made_a_subtoken(state: &State) -> bool {
    state.lookup.pasted.is_none()
        && selected(state).is_some_and(|event| event.made().is_some())
        && state.selected_held().is_some_and(|held| {
            family::may_look_below(state, held) != family::Right::Nobody
                || family::known_tree(state, held).is_some()
        })
}

/// All of an event that a filter looks through.
fn text(event: &Event) -> String {
    let shown = |part: &Option<crate::domain::untrusted::Untrusted>| {
        part.as_ref().map(crate::domain::untrusted::Untrusted::shown).unwrap_or_default()
    };
    let new = |is_new: bool, words: &'static str| if is_new { words } else { "" };
    let marks = [new(event.new_address, "new address"), new(event.new_agent, "new program")];
    let parts = [event.what.label(), shown(&event.address), shown(&event.agent), shown(&event.comment)];
    format!("{} {}", parts.join(" "), marks.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::sample::*;
    use crate::domain::event::{Teller, What};

    fn happened(what: What, credential: &str) -> Event {
        Event {
            at: now(),
            what,
            address: Some("10.0.0.7".into()),
            agent: None,
            comment: None,
            teller: Teller::Here,
            credential: Some(id(credential).0),
            mom_id: None,
            new_address: false,
            new_agent: false,
        }
    }

    fn told(state: &State) -> Vec<String> {
        on_show(state).from(0, usize::MAX).map(|event| event.what.label()).collect()
    }

    #[test]
    fn it_follows_the_selection_prefers_the_server_and_tells_all_at_the_providers() {
        let mut state = board(vec![mytoken("toar", None), login("egi", 100)]);
        let journal = [happened(What::Renewed, "egi"), happened(What::Rotated { copy: 5 }, "toar")];
        state.wallet.journal = Arc::new(journal);
        assert_eq!((told(&state), on_show(&state).name), (vec!["renewed".to_owned()], Some("egi")));
        press(&mut state, "j");
        assert_eq!(told(&state), ["rotated to copy 5"]);
        let events = vec![
            happened(What::Server("AT_created".into()), "toar"),
            happened(What::Server("new_thing".into()), "toar"),
        ];
        state.history.read.insert(id("toar"), (events, seconds(-120)));
        assert_eq!(told(&state), ["access token", "new_thing"]);
        assert_eq!(on_show(&state).read, Some(seconds(-120)));
        press(&mut state, "1");
        assert_eq!((told(&state).len(), on_show(&state).name), (2, None));
    }

    #[test]
    fn a_filter_looks_at_words_and_addresses() {
        let mut state = board(vec![login("egi", 100)]);
        state.wallet.journal = Arc::new([happened(What::Renewed, "egi"), happened(What::Copied, "egi")]);
        press(&mut state, "4/copi");
        assert_eq!(told(&state), ["copied"]);
        state.history.filter = Some("10.0.0".to_owned());
        assert_eq!(told(&state).len(), 2);
    }
}
