//! What the window of all mytokens at a server knows: the list, what of it is on show, what is marked.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::can;
use super::effect::{Limits, Task};
use super::field::Field;
use super::overlay::List;
use super::price;
use super::state::{Pane, State};
use crate::domain::credential::{Chain, CredentialId, Health, Held};
use crate::domain::event::Event;
use crate::domain::family::{Family, Member, Via, Which};
use crate::domain::mytoken::can as covers;
use crate::domain::source::{SourceId, SourceKind};
use crate::domain::untrusted::Untrusted;

/// What was read in this session of families, for every window that shows them.
#[derive(Clone, Debug, Default)]
pub struct Families {
    /// Lists and trees as they were read last.
    pub read: HashMap<Of, Arc<Family>>,
    /// Until when there is a manager mytoken, by its server.
    pub managers: HashMap<SourceId, Timestamp>,
    /// What each server last said of how much more it takes.
    pub limits: HashMap<SourceId, Limits>,
    /// Events of listed mytokens by their ids, newest first, and when they were read.
    pub histories: HashMap<Untrusted, (Arc<[Event]>, Timestamp)>,
}

/// Which family.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Of {
    /// All mytokens at the server of this row.
    Server(SourceId),
    /// What grew from this one.
    Held(CredentialId),
}

/// In which order they are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Each under the one that it was made from.
    #[default]
    Tree,
    /// The newest first.
    Newest,
    /// The one that ends next first; what never ends last.
    Ends,
    /// By name.
    Name,
}

impl Order {
    /// The next one.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Tree => Self::Newest,
            Self::Newest => Self::Ends,
            Self::Ends => Self::Name,
            Self::Name => Self::Tree,
        }
    }

    /// In words, as it stands on the edge of the window.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Tree => "as they grew",
            Self::Newest => "newest first",
            Self::Ends => "ending first",
            Self::Name => "by name",
        }
    }
}

/// By whose right something can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Right {
    /// For nothing.
    Free(Via),
    /// At this price.
    Costs(Via, String),
    /// By nothing that is held here.
    Nobody,
}

impl Right {
    /// By whose.
    #[must_use]
    pub fn via(&self) -> Option<&Via> {
        match self {
            Self::Free(via) | Self::Costs(via, _) => Some(via),
            Self::Nobody => None,
        }
    }

    /// At which price.
    #[must_use]
    pub fn price(&self) -> Option<&String> {
        match self {
            Self::Costs(_, price) => Some(price),
            Self::Free(_) | Self::Nobody => None,
        }
    }
}

/// The window.
#[derive(Clone, Debug)]
pub struct Window {
    /// Which family.
    pub of: Of,
    /// The row of its server.
    pub source: SourceId,
    /// The name of the one that it grew from.
    pub root: Option<String>,
    /// What was read; `None`: nothing yet.
    pub family: Option<Arc<Family>>,
    /// The reading under way.
    pub task: Option<Task>,
    /// Why the last reading did not work.
    pub trouble: Option<String>,
    /// Selected row and first row on screen.
    pub list: List,
    /// What the list is narrowed by.
    pub filter: Field,
    /// Whether letters are typed into it.
    pub typing: bool,
    /// What is marked, by id.
    pub marked: HashSet<Untrusted>,
    /// The order on show.
    pub order: Order,
    /// The event whose subtoken is to be selected once it is listed.
    pub sought: Option<Box<Event>>,
    rows: Vec<usize>,
}

impl Window {
    /// A window that nothing was read for yet.
    #[must_use]
    pub fn new(of: Of, source: SourceId, root: Option<String>) -> Self {
        Self {
            of,
            source,
            root,
            family: None,
            task: None,
            trouble: None,
            list: List::default(),
            filter: Field::default(),
            typing: false,
            marked: HashSet::new(),
            order: Order::default(),
            sought: None,
            rows: Vec::new(),
        }
    }

    /// What its server is asked for.
    #[must_use]
    pub fn which(&self) -> Which {
        match self.of {
            Of::Server(_) => Which::All,
            Of::Held(_) => Which::Below,
        }
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The member in a row, and its place in the family.
    #[must_use]
    pub fn in_row(&self, row: usize) -> Option<(usize, &Member)> {
        let place = *self.rows.get(row)?;
        Some((place, self.family.as_ref()?.members.get(place)?))
    }

    /// The selected member, and its place in the family.
    #[must_use]
    pub fn selected(&self) -> Option<(usize, &Member)> {
        self.in_row(self.list.selected)
    }

    /// The places of what an action is about: the marked ones, else the selected one. The manager of the session is none of them: it
    /// ends with the session.
    #[must_use]
    pub fn chosen(&self) -> Vec<usize> {
        let Some(family) = &self.family else { return Vec::new() };
        if self.marked.is_empty() {
            let selected = self.selected().filter(|(_, member)| !is_manager(member));
            return selected.map(|(place, _)| place).into_iter().collect();
        }
        let is_marked = |member: &Member| self.marked.contains(&member.listed.mom_id) && !is_manager(member);
        let marked = family.members.iter().enumerate().filter(|(_, member)| is_marked(member));
        marked.map(|(place, _)| place).collect()
    }

    /// Takes a family in: what was selected and marked stays so, as far as it is still there. What is sought is sought until it is found.
    pub fn take(&mut self, family: Arc<Family>) {
        let selected = self.selected().map(|(_, member)| member.listed.mom_id.clone());
        self.marked.retain(|id| family.find(id).is_some());
        self.family = Some(family);
        self.trouble = None;
        self.arrange();
        let found = self.sought.as_ref().and_then(|event| self.seek(event));
        if found.is_some() {
            self.sought = None;
        }
        let wanted = found.or_else(|| {
            let id = selected?;
            self.row_of(|member| member.listed.mom_id == id)
        });
        if let Some(row) = wanted {
            self.list.selected = row;
        }
    }

    /// The row of the subtoken that an event made.
    fn seek(&self, event: &Event) -> Option<usize> {
        let place = self.family.as_ref()?.made_by(event)?;
        self.rows.iter().position(|row| *row == place)
    }

    fn row_of(&self, is_it: impl Fn(&Member) -> bool) -> Option<usize> {
        (0..self.rows.len()).find(|row| self.in_row(*row).is_some_and(|(_, member)| is_it(member)))
    }

    /// Puts the rows in order anew: the list, the filter or the order has changed.
    pub fn arrange(&mut self) {
        let Some(family) = &self.family else {
            self.rows.clear();
            return;
        };
        let wanted = self.filter.value().trim().to_lowercase();
        let members = &family.members;
        let fits = |place: &usize| {
            wanted.is_empty()
                || members.get(*place).is_some_and(|member| text(member).to_lowercase().contains(&wanted))
        };
        let mut rows: Vec<usize> = (0..members.len()).filter(fits).collect();
        let of = |place: &usize| members.get(*place);
        match self.order {
            Order::Tree => {}
            Order::Newest => {
                rows.sort_by_key(|place| std::cmp::Reverse(of(place).and_then(|m| m.listed.created)));
            }
            Order::Ends => rows.sort_by_key(|place| {
                let end = of(place).and_then(|member| member.listed.expires);
                (end.is_none(), end)
            }),
            Order::Name => rows.sort_by_cached_key(|place| {
                let name = of(place).and_then(|member| member.listed.name.as_ref());
                (name.is_none(), name.map(|name| name.raw().to_lowercase()))
            }),
        }
        self.rows = rows;
        self.list.selected = self.list.selected.min(self.rows.len().saturating_sub(1));
    }
}

/// Whether it is the manager mytoken of this session.
fn is_manager(member: &Member) -> bool {
    member.asks && member.held.is_none()
}

/// All of a member that the filter looks through.
fn text(member: &Member) -> String {
    let shown = |part: &Option<Untrusted>| part.as_ref().map(Untrusted::shown).unwrap_or_default();
    let held = member.held.as_ref().map(|(_, name)| format!("held here {name}")).unwrap_or_default();
    [&shown(&member.listed.name), &shown(&member.listed.address), &held, member.listed.mom_id.raw()].join(" ")
}

/// The row of the server that a row of the Providers pane stands for.
#[must_use]
pub fn server_of(state: &State, source: &SourceId) -> Option<SourceId> {
    match &state.source(source)?.kind {
        SourceKind::Server(_) => Some(source.clone()),
        SourceKind::Profile(profile) => Some(profile.server.clone()),
        SourceKind::Issuer(_) => None,
    }
}

/// The server whose mytokens `A` lists: that of the selected row, else the first one that something is held of, else the first.
#[must_use]
pub fn server_on_show(state: &State) -> Option<SourceId> {
    let selected = match state.focus {
        Pane::Providers => state.selected_source().map(|source| &source.id),
        Pane::Tokens | Pane::Lookup | Pane::History => state.acting().map(|held| &held.source),
    };
    if let Some(server) = selected.and_then(|id| server_of(state, id)) {
        return Some(server);
    }
    let of_held = state.wallet.held.iter().find(|held| matches!(held.chain, Chain::Mytoken { .. }));
    let is_server = |kind: &SourceKind| matches!(kind, SourceKind::Server(_));
    of_held.and_then(|held| server_of(state, &held.source)).or_else(|| {
        state.wallet.sources.iter().find(|source| is_server(&source.kind)).map(|source| source.id.clone())
    })
}

/// The provider behind the mytokens of a server that are held here, where it is the same for all of them.
#[must_use]
pub fn provider_here(state: &State, server: &SourceId) -> Option<String> {
    let here =
        state.wallet.held.iter().filter(|held| server_of(state, &held.source).as_ref() == Some(server));
    let mut providers = here.filter_map(|held| match &held.chain {
        Chain::Mytoken { facts, .. } if !facts.provider.is_empty() => Some(facts.provider.raw()),
        Chain::Mytoken { .. } | Chain::Refresh { .. } | Chain::None => None,
    });
    let first = providers.next()?;
    providers.all(|other| other == first).then(|| first.to_owned())
}

/// By whose right all mytokens at a server can be listed: what costs nothing first.
#[must_use]
pub fn may_list(state: &State, server: &SourceId) -> Right {
    if has_manager(state, server) {
        return Right::Free(Via::Manager);
    }
    let here =
        state.wallet.held.iter().filter(|held| server_of(state, &held.source).as_ref() == Some(server));
    let rights = here.filter(|held| may(held, state, "manage_mytokens:list")).map(|held| by(held, state));
    let mut best = Right::Nobody;
    for right in rights {
        match right {
            Right::Free(_) => return right,
            Right::Costs(..) if best == Right::Nobody => best = right,
            Right::Costs(..) | Right::Nobody => {}
        }
    }
    best
}

/// By whose right the tree below a held mytoken can be read: only by its own.
#[must_use]
pub fn may_look_below(state: &State, held: &Held) -> Right {
    if may(held, state, "tokeninfo:subtokens") { by(held, state) } else { Right::Nobody }
}

/// By whose right a window can be read.
#[must_use]
pub fn right(state: &State, window: &Window) -> Right {
    match &window.of {
        Of::Server(server) => may_list(state, server),
        Of::Held(id) => state.held(id).map_or(Right::Nobody, |held| may_look_below(state, held)),
    }
}

/// By whose right something can be done with what a window lists: the manager's where there is one, else the one's who read it.
#[must_use]
pub fn right_over(state: &State, window: &Window) -> Right {
    if has_manager(state, &window.source) {
        return Right::Free(Via::Manager);
    }
    right_of_reader(state, window)
}

/// The right by which the list on show was read, as far as it is still there.
#[must_use]
pub fn right_of_reader(state: &State, window: &Window) -> Right {
    match window.family.as_ref().map(|family| &family.via) {
        Some(Via::Held(id)) => state.held(id).map_or(Right::Nobody, |held| by(held, state)),
        Some(Via::Manager) if has_manager(state, &window.source) => Right::Free(Via::Manager),
        Some(Via::Manager) | None => Right::Nobody,
    }
}

/// Until when the server of a window wants to be left alone.
#[must_use]
pub fn waits_until(state: &State, window: &Window) -> Option<Timestamp> {
    let limits = state.families.limits.get(&window.source)?;
    limits.wait_until.filter(|until| *until > state.at)
}

fn has_manager(state: &State, server: &SourceId) -> bool {
    state.families.managers.get(server).is_some_and(|until| *until > state.at)
}

fn by(held: &Held, state: &State) -> Right {
    let via = Via::Held(held.id.clone());
    match price::of_history(held, state) {
        Some(price) => Right::Costs(via, price),
        None => Right::Free(via),
    }
}

/// Whether a held mytoken lives and may do this. Of one that carries no claims nobody knows.
fn may(held: &Held, state: &State, capability: &str) -> bool {
    let Chain::Mytoken { facts, .. } = &held.chain else { return false };
    !matches!(held.health, Health::Dead(_) | Health::NeedsLogin(_))
        && !held.locked
        && covers(&facts.capabilities, capability)
        && can::other_uses_left(facts, state) != Some(0)
        && facts.ends().is_none_or(|end| end > state.at)
}

/// The open window, also under something else.
#[must_use]
pub fn window(state: &State) -> Option<&Window> {
    state.overlays.iter().rev().find_map(|overlay| match overlay {
        super::overlay::Overlay::Family(window) => Some(&**window),
        _ => None,
    })
}

/// What is known of the family of a held mytoken: its tree, or the list of its server that it stands in; and its place there.
#[must_use]
pub fn known_tree<'a>(state: &'a State, held: &Held) -> Option<(&'a Arc<Family>, usize)> {
    let below = state.families.read.get(&Of::Held(held.id.clone()));
    let all = server_of(state, &held.source).and_then(|server| state.families.read.get(&Of::Server(server)));
    [below, all].into_iter().flatten().find_map(|family| {
        let is_it = |member: &Member| member.held.as_ref().is_some_and(|(id, _)| *id == held.id);
        family.members.iter().position(is_it).map(|place| (family, place))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::action::{Action, FamilyAction};
    use crate::app::effect::{Effect, FamilyAsk, FamilyTold, Outcome, Reading};
    use crate::app::overlay::Overlay;
    use crate::app::sample::*;
    use crate::domain::event::{Teller, What};
    use crate::domain::mytoken::Capability;

    fn names(window: &Window) -> Vec<String> {
        let of = |row| window.in_row(row).and_then(|(_, member)| member.listed.name.clone());
        (0..window.len()).filter_map(of).map(|name| name.shown()).collect()
    }

    fn toar(change: impl FnOnce(&mut crate::domain::mytoken::Facts)) -> Held {
        let mut held = mytoken("toar", None);
        if let Chain::Mytoken { facts, .. } = &mut held.chain {
            change(facts);
        }
        held
    }

    fn top(state: &State) -> &Window {
        match state.overlays.last() {
            Some(Overlay::Family(window)) => window,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn rows_follow_filter_and_order_and_the_selection_stays_on_its_mytoken() {
        let mut window = Window::new(Of::Server("kit".into()), "kit".into(), None);
        window.take(Arc::new(super::super::sample::family()));
        assert_eq!(names(&window), ["toar", "ci", "laptop"]);
        window.order = Order::Newest;
        window.arrange();
        assert_eq!(names(&window), ["laptop", "ci", "toar"]);
        window.order = Order::Name;
        window.list.selected = 2;
        window.filter = Field::new("A");
        window.arrange();
        assert_eq!((names(&window), window.list.selected), (vec!["laptop".to_owned(), "toar".to_owned()], 1));
        let mut fewer = super::super::sample::family();
        fewer.members.remove(1);
        window.take(Arc::new(fewer));
        assert_eq!(window.selected().map(|(_, member)| member.asks), Some(true));
    }

    #[test]
    fn who_may_list_is_told_by_price_and_the_manager_goes_before_all() {
        let lists = |facts: &mut crate::domain::mytoken::Facts| {
            facts.capabilities.push(Capability::new("manage_mytokens"));
        };
        let free = toar(|facts| {
            lists(facts);
            facts.restrictions.clear();
        });
        let kit = SourceId::from("kit");
        let right = |held| may_list(&board(vec![held]), &kit);
        assert_eq!(right(mytoken("toar", None)), Right::Nobody);
        assert_eq!(right(free.clone()), Right::Free(Via::Held(id("toar"))));
        assert_eq!(
            right(toar(lists)),
            Right::Costs(Via::Held(id("toar")), "costs 1 of 9 other uses left".to_owned())
        );
        assert_eq!(right(Held { health: Health::Dead("gone".to_owned()), ..free.clone() }), Right::Nobody);
        let mut state = board(vec![toar(lists)]);
        state.families.managers.insert(kit.clone(), seconds(60));
        assert_eq!(may_list(&state, &kit), Right::Free(Via::Manager));
        state.at = seconds(60);
        assert!(matches!(may_list(&state, &kit), Right::Costs(..)));
    }

    #[test]
    fn what_costs_is_read_only_by_the_same_key_again_and_what_is_free_at_once() {
        let mut state = board(vec![mytoken("toar", None)]);
        assert_eq!(press(&mut state, "T"), []);
        assert_eq!(press(&mut state, "r"), [], "its price is said first");
        let asked = press(&mut state, "r");
        let [Effect::Family(FamilyAsk::Read(task, source, via, which))] = asked.as_slice() else {
            panic!("{asked:?}")
        };
        assert_eq!((source.as_str(), via, which), ("kit", &Via::Held(id("toar")), &Which::Below));
        let reading = Reading {
            source: "kit".into(),
            limits: Limits::default(),
            until: None,
            family: Ok(Arc::new(super::super::sample::family())),
        };
        assert_eq!(tell(&mut state, Outcome::Family(FamilyTold::Read(*task, Box::new(reading)))), []);
        assert_eq!(names(top(&state)), ["toar", "ci", "laptop"]);
        let mut free = board(vec![toar(|facts| facts.restrictions.clear())]);
        assert!(matches!(press(&mut free, "T").as_slice(), [Effect::Family(FamilyAsk::Read(..))]));
    }

    /// A board with a mytoken whose history tells that it made `laptop`.
    fn telling_of_a_subtoken() -> State {
        let mut state = board(vec![toar(|facts| facts.restrictions.clear())]);
        let made = Event {
            at: seconds(-3600 * 8),
            what: What::Server("MT_created".into()),
            address: None,
            agent: None,
            comment: Some("Created MT laptop".into()),
            teller: Teller::Server,
            credential: None,
            mom_id: None,
            new_address: false,
            new_agent: false,
        };
        state.history.read.insert(id("toar"), (vec![made], now()));
        state
    }

    fn was_read(state: &mut State, task: Task, family: Family) {
        let family = Ok(Arc::new(family));
        let reading = Reading { source: "kit".into(), limits: Limits::default(), until: None, family };
        assert_eq!(tell(state, Outcome::Family(FamilyTold::Read(task, Box::new(reading)))), []);
    }

    fn without_laptop() -> Family {
        let mut old = super::super::sample::family();
        old.members.truncate(2);
        old
    }

    #[test]
    fn a_subtoken_that_an_older_tree_does_not_show_is_looked_for_in_a_new_one() {
        let mut state = telling_of_a_subtoken();
        state.families.read.insert(Of::Held(id("toar")), Arc::new(without_laptop()));
        let asked = press(&mut state, "4\n");
        let [Effect::Family(FamilyAsk::Read(task, ..))] = asked.as_slice() else { panic!("{asked:?}") };
        was_read(&mut state, *task, super::super::sample::family());
        let selected = top(&state).selected().and_then(|(_, member)| member.listed.name.clone());
        assert_eq!(selected, Some("laptop".into()));
        assert!(state.notice.is_none());
    }

    #[test]
    fn a_subtoken_that_is_listed_nowhere_is_said_to_be_gone_and_no_longer_sought() {
        let mut state = telling_of_a_subtoken();
        let asked = press(&mut state, "4\n");
        let [Effect::Family(FamilyAsk::Read(task, ..))] = asked.as_slice() else { panic!("{asked:?}") };
        was_read(&mut state, *task, without_laptop());
        let said = state.notice.as_ref().map(|notice| notice.text.clone()).unwrap_or_default();
        assert!(said.contains("is not listed"), "{said}");
        assert!(top(&state).sought.is_none());
    }

    #[test]
    fn a_subtoken_at_the_head_of_a_list_is_found_and_not_said_to_be_gone() {
        let mut state = telling_of_a_subtoken();
        let asked = press(&mut state, "4\n");
        let [Effect::Family(FamilyAsk::Read(task, ..))] = asked.as_slice() else { panic!("{asked:?}") };
        let mut alone = super::super::sample::family();
        alone.members.drain(..2);
        was_read(&mut state, *task, alone);
        assert_eq!((top(&state).list.selected, &state.notice), (0, &None));
    }

    #[test]
    fn a_server_that_wants_to_be_left_alone_is() {
        let mut state = board(vec![mytoken("toar", None)]);
        state.families.read.insert(Of::Held(id("toar")), Arc::new(super::super::sample::family()));
        let limits = Limits { allowance: None, wait_until: Some(seconds(60)) };
        state.families.limits.insert("kit".into(), limits);
        let _ = press(&mut state, "T");
        let works = |state: &State, action| {
            crate::app::keymap::live(state).iter().any(|live| live.binding.action == Action::Family(action))
        };
        assert!(!works(&state, FamilyAction::Read));
        state.at = seconds(60);
        assert!(works(&state, FamilyAction::Read));
    }

    #[test]
    fn a_tree_ends_by_its_typed_name_and_by_nothing_else() {
        let mut state = board(vec![mytoken("toar", None)]);
        state.families.read.insert(Of::Held(id("toar")), Arc::new(super::super::sample::family()));
        assert_eq!(press(&mut state, "Dttoa\n"), [], "Enter goes back");
        assert!(
            matches!(state.overlays.last(), Some(Overlay::Revoke(dialogue)) if dialogue.confirm.is_none())
        );
        let effects = press(&mut state, "ttoar\n");
        assert!(
            matches!(effects.as_slice(), [Effect::Family(FamilyAsk::RevokeTree(_, it))] if *it == id("toar"))
        );
        assert_eq!(press(&mut state, "D\n"), [], "Cancel is the default");
    }

    #[test]
    fn marked_ones_are_revoked_together_by_their_ids() {
        let mut state = board(vec![mytoken("toar", None)]);
        state.families.read.insert(Of::Held(id("toar")), Arc::new(super::super::sample::family()));
        let effects = press(&mut state, "Tj  Dx");
        let [Effect::Family(FamilyAsk::Revoke(_, _, via, members, false))] = effects.as_slice() else {
            panic!("{effects:?}")
        };
        let expected = vec![("mom-1".into(), "ci".to_owned()), ("mom-2".into(), "laptop".to_owned())];
        assert_eq!((via, members), (&Via::Held(id("toar")), &expected));
    }
}
