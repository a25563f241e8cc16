//! Userinfo, a refresh token on demand, and the page on which what is active is managed.

use jiff::Timestamp;

use super::{log_in, outcome};
use crate::app::action::PortalAction;
use crate::app::effect::{Effect, Task};
use crate::app::overlay::{List, Overlay};
use crate::app::portal;
use crate::app::state::State;
use crate::domain::credential::CredentialId;
use crate::domain::failure::Failure;

/// Does what is asked for.
pub(super) fn act(state: &mut State, action: PortalAction, now: Timestamp) -> Vec<Effect> {
    match action {
        PortalAction::Userinfo => ask(state, "Asking whom it speaks for", Effect::Userinfo, now),
        PortalAction::Introspect => ask(state, "Asking whether it is active", Effect::Introspect, now),
        PortalAction::RefreshToken => log_in::for_refresh_token(state),
        PortalAction::Manage => manage(state, now),
        PortalAction::Active => open_active(state),
        PortalAction::Announced => look_at(state, now),
    }
}

/// Opens the page of what is held at the selected provider, or at that of the selected row.
fn open_active(state: &mut State) -> Vec<Effect> {
    if let Some(source) = portal::source(state).map(|source| source.id.clone()) {
        state.overlays.push(Overlay::Active(source, List::default()));
    }
    Vec::new()
}

/// Reads what the selected provider, or that of the selected row, announces.
fn look_at(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let Some(source) = portal::source(state) else { return Vec::new() };
    let (id, doing) = (source.id.clone(), format!("Looking at {}", source.name));
    if state.is_busy(&doing) {
        return Vec::new();
    }
    let task = state.begin(doing, now);
    vec![Effect::LookAt(task, id)]
}

/// Asks the provider of the selected row, unless that is under way.
fn ask(
    state: &mut State,
    what: &str,
    effect: fn(Task, CredentialId) -> Effect,
    now: Timestamp,
) -> Vec<Effect> {
    let Some(held) = state.acting() else { return Vec::new() };
    let (id, doing) = (held.id.clone(), format!("{what}: {}", held.name));
    if state.is_busy(&doing) {
        return Vec::new();
    }
    let task = state.begin(doing, now);
    vec![effect(task, id)]
}

/// The answer in its window, where it is still awaited.
pub(super) fn told(state: &mut State, task: Task, window: Result<Overlay, Failure>, now: Timestamp) {
    if !state.end(task) {
        return;
    }
    match window {
        Ok(window) => state.overlays.push(window),
        Err(failure) => outcome::failed(state, failure, now),
    }
}

/// Opens the page where that may be done here, else copies its address.
fn manage(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let Some(page) = portal::page(state).map(str::to_owned) else { return Vec::new() };
    if state.seat.no_browser.is_some() {
        return vec![Effect::CopyText(page, "the address of the page")];
    }
    let task = state.begin("Opening the browser", now);
    vec![Effect::OpenBrowser(task, page)]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::app::action::Action;
    use crate::app::active;
    use crate::app::content;
    use crate::app::effect::Outcome;
    use crate::app::message::Message;
    use crate::app::sample::*;
    use crate::app::update::update;
    use crate::domain::credential::Chain;
    use crate::domain::introspected::{About, Answer, Introspected, Said};
    use crate::domain::membership::memberships;
    use crate::domain::source::{Client, ClientAuth, SourceKind};
    use crate::domain::userinfo::Userinfo;

    fn userinfo() -> Userinfo {
        let claims = json!({"sub": "s", "groups": ["urn:mace:egi.eu:group:dteam:role=member#aai.egi.eu"]});
        let claims = claims.as_object().expect("an object").clone();
        Userinfo {
            name: "egi".to_owned(),
            at: "EGI".to_owned(),
            asked: now(),
            subject: "s".into(),
            is_same_user: Some(true),
            memberships: memberships(&claims, &[]),
            would_bring: Vec::new(),
            claims,
        }
    }

    #[test]
    fn userinfo_is_asked_once_and_its_answer_opens_a_window() {
        let mut state = board(vec![login("egi", 600)]);
        let asked = press(&mut state, "UU");
        let [Effect::Userinfo(task, about)] = asked.as_slice() else { panic!("{asked:?}") };
        assert_eq!(*about, id("egi"));
        tell(&mut state, Outcome::Userinfo(Task(999), Ok(Box::new(userinfo()))));
        assert!(state.overlays.is_empty(), "nobody waits for that one");
        tell(&mut state, Outcome::Userinfo(*task, Ok(Box::new(userinfo()))));
        assert!(matches!(state.overlays.last(), Some(Overlay::Userinfo(..))), "{:?}", state.overlays);
        press(&mut state, "\x1b");
        assert!(state.overlays.is_empty());
    }

    #[test]
    fn whether_tokens_are_active_is_asked_only_by_a_client_with_a_secret_and_opens_a_window() {
        let wanted = Message::Action(Action::Portal(PortalAction::Introspect));
        let mut state = board(vec![login("egi", 600)]);
        assert_eq!(update(&mut state, wanted.clone(), now()), [], "a provider tells no other");
        let mut sources = state.wallet.sources.to_vec();
        for source in &mut sources {
            if let SourceKind::Issuer(issuer) = &mut source.kind {
                let secret = Some(crate::domain::secret::Secret::new("s"));
                issuer.client = Some(Client { id: "mine".to_owned(), secret, auth: ClientAuth::Basic });
            }
        }
        state.wallet.sources = sources.into();
        let asked = update(&mut state, wanted, now());
        let [Effect::Introspect(task, _)] = asked.as_slice() else { panic!("{asked:?}") };
        let answer = Introspected { by: "EGI".to_owned(), said: Said::NotActive };
        let told = Answer { name: "egi".to_owned(), about: About::Access, asked: now(), answer };
        tell(&mut state, Outcome::Introspected(*task, Ok(vec![told])));
        assert!(matches!(state.overlays.last(), Some(Overlay::Introspected(..))), "{:?}", state.overlays);
    }

    #[test]
    fn what_the_provider_of_a_row_announces_is_read_once_and_opens_a_window() {
        let wanted = Message::Action(Action::Portal(PortalAction::Announced));
        let mut state = board(vec![login("egi", 600)]);
        let asked = update(&mut state, wanted.clone(), now());
        let [Effect::LookAt(task, about)] = asked.as_slice() else { panic!("{asked:?}") };
        assert_eq!(about.as_str(), "egi");
        assert_eq!(update(&mut state, wanted.clone(), now()), [], "it is under way");
        tell(&mut state, Outcome::Announced(*task, Ok(Box::default())));
        assert!(matches!(state.overlays.last(), Some(Overlay::Announced(..))), "{:?}", state.overlays);
        let mut state = board(vec![mytoken("toar", None)]);
        assert_eq!(update(&mut state, wanted, now()), [], "a mytoken server is no provider");
    }

    #[test]
    fn what_is_said_of_a_user_is_scrolled_to_its_end_and_back() {
        let mut state = board(vec![login("egi", 600)]);
        let mut long = userinfo();
        long.claims.extend((0..60).map(|number| (format!("claim-{number}"), json!("so"))));
        state.overlays.push(Overlay::Userinfo(Box::new(long), List::default()));
        let offset = |state: &State| match state.overlays.last() {
            Some(Overlay::Userinfo(_, list)) => list.offset,
            other => panic!("{other:?}"),
        };
        press(&mut state, "jj");
        assert_eq!(offset(&state), 2);
        press(&mut state, "G");
        assert!(offset(&state) > 40, "{}", offset(&state));
        press(&mut state, "g");
        assert_eq!(offset(&state), 0);
    }

    #[test]
    fn a_mytoken_is_not_drawn_from_to_ask_whom_it_speaks_for() {
        let mut state = board(vec![mytoken("toar", None)]);
        assert_eq!(press(&mut state, "U"), []);
        let mut state = board(vec![mytoken("toar", Some(600))]);
        assert!(matches!(press(&mut state, "U").as_slice(), [Effect::Userinfo(..)]));
    }

    #[test]
    fn a_refresh_token_is_offered_where_there_is_none_that_lasts() {
        let wanted = Message::Action(Action::Portal(PortalAction::RefreshToken));
        let session = Chain::Refresh {
            ends: crate::domain::credential::ChainEnd::Unknown,
            rotates: false,
            session_only: true,
            through: crate::domain::credential::Through::default(),
        };
        for (row, offered) in
            [(login("egi", 600), false), (bare("egi", 600), true), (held("egi", "egi", session, None), true)]
        {
            let mut state = board(vec![row]);
            let effects = update(&mut state, wanted.clone(), now());
            let ordered = effects.iter().find_map(|effect| match effect {
                Effect::LogIn(_, order) => Some((order.name.clone(), order.offline)),
                _ => None,
            });
            assert_eq!(ordered, offered.then(|| (Some("egi".to_owned()), true)));
        }
    }

    #[test]
    fn the_page_to_manage_is_opened_or_its_address_copied() {
        let manage = Message::Action(Action::Portal(PortalAction::Manage));
        let mut state = board(vec![login("egi", 600)]);
        assert_eq!(update(&mut state, manage.clone(), now()), [], "no page is known");
        let mut sources = state.wallet.sources.to_vec();
        for source in &mut sources {
            source.manage_url = Some("https://egi.example/account".to_owned());
        }
        state.wallet.sources = sources.into();
        let opened = update(&mut state, manage.clone(), now());
        let [Effect::OpenBrowser(task, page)] = opened.as_slice() else { panic!("{opened:?}") };
        assert_eq!(page, "https://egi.example/account");
        tell(&mut state, Outcome::BrowserOpened(*task, Ok("firefox".to_owned())));
        assert!(state.busy.is_empty());
        state.seat.no_browser = Some("over SSH".to_owned());
        let copied = update(&mut state, manage, now());
        assert!(
            matches!(copied.as_slice(), [Effect::CopyText(page, _)] if page == "https://egi.example/account")
        );
    }

    #[test]
    fn the_page_of_a_provider_has_all_its_logins_and_revokes_the_one_under_the_cursor() {
        let mut state = board(vec![login("a", 600), login("b", 600), mytoken("toar", None)]);
        let _ = update(&mut state, Message::Action(Action::Portal(PortalAction::Active)), now());
        let lines = content::of_overlay(&state, state.overlays.last().expect("a window"), 76);
        let page = format!("{:#?}", lines.expect("a page"));
        assert!(page.contains("toktui") && page.contains("browser") && !page.contains("toar"), "{page}");
        press(&mut state, "D");
        assert!(matches!(state.overlays.last(), Some(Overlay::Revoke(dialogue)) if dialogue.name == "a"));
        press(&mut state, "\x1b");
        press(&mut state, "G");
        assert_eq!(active::selected(&state), Some(id("b")));
        press(&mut state, "D");
        assert!(matches!(state.overlays.last(), Some(Overlay::Revoke(dialogue)) if dialogue.name == "b"));
    }
}
