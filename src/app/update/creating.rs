//! The create form: keys in, orders out.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::*;
use crate::app::create::typed::Member;
use crate::app::create::{self, Create, Item, Over};
use crate::app::effect::{Made, Making, MytokenAsk, MytokenTold, Outcome, Task};
use crate::app::overlay::Overlay;
use crate::app::revoke::Doomed;
use crate::app::sample::*;
use crate::domain::credential::{Chain, Held};
use crate::domain::draft::{Draft, DraftClause, When};
use crate::domain::failure::{Failure, Kind};
use crate::domain::handed::HandOver;
use crate::domain::login::{Order, Report};
use crate::domain::mytoken::{Capability, Clause, Facts, Rotation};
use crate::domain::offer::{Offer, Offered, Template, TemplateKind};
use crate::domain::source::{Profile, SourceKind};
use crate::domain::untrusted::Untrusted;

const EGI: &str = "https://egi.example";

fn toar() -> Draft {
    let scopes = ["eduperson_unique_id", "email", "profile"].map(Untrusted::from).to_vec();
    let clause = DraftClause {
        ends: Some(When::In(90 * 86_400)),
        rest: Clause { scopes: Some(scopes), uses_at: Some(15), ..Clause::default() },
        ..DraftClause::default()
    };
    Draft {
        provider: "https://helmholtz.example".to_owned(),
        capabilities: ["AT", "tokeninfo"].map(Capability::new).to_vec(),
        clauses: vec![clause],
        ..Draft::default()
    }
}

/// A board with a profile and two servers.
fn with_profile(held: Vec<Held>) -> State {
    let mut state = board(held);
    let mut sources = sources();
    let profile = SourceKind::Profile(Profile { server: "kit".into(), draft: toar() });
    sources.push(source("toar", "TOAR", profile));
    let snapshot = crate::app::effect::Snapshot { sources: sources.into(), ..state.wallet.clone() };
    let _ = tell(&mut state, Outcome::Changed(snapshot));
    state
}

/// A mytoken that may make others; its other uses are counted, and it rotates on them.
fn parent(name: &str) -> Held {
    let mut held = mytoken(name, None);
    let clause = Clause { uses_other: Some(3), ..Clause::default() };
    let facts = Facts {
        server: "https://mytoken.example".into(),
        provider: EGI.into(),
        capabilities: ["AT", "create_mytoken"].map(Capability::new).to_vec(),
        restrictions: vec![clause],
        rotation: Some(Rotation { on_other: true, ..Rotation::default() }),
        ..Facts::default()
    };
    held.chain = Chain::Mytoken { facts: Box::new(facts), heard: Some(now()), copy: 4, short: false };
    held
}

fn offer() -> Offer {
    let offered = |issuer: &str, name: &str| Offered {
        issuer: issuer.into(),
        name: name.into(),
        scopes: ["openid", "email", "profile"].map(Untrusted::from).to_vec(),
    };
    let template = Template {
        group: None,
        name: "agent".into(),
        kind: TemplateKind::Profile,
        content: r#"{"capabilities":["AT"]}"#.into(),
    };
    Offer {
        server: Some("kit".into()),
        providers: vec![offered(EGI, "EGI"), offered("https://helmholtz.example/", "Helmholtz")],
        restrictions: ["nbf", "exp", "scope", "usages_AT", "usages_other", "hosts"]
            .map(str::to_owned)
            .to_vec(),
        templates: vec![template],
        ..Offer::default()
    }
}

fn hear(state: &mut State) {
    let made = Made::Offer("kit".into(), Ok(Box::new(offer())));
    assert_eq!(tell(state, Outcome::Made(made)), []);
}

fn form(state: &State) -> &Create {
    create::on_top(state).expect("the form is open")
}

fn go_to(state: &mut State, item: Item) {
    for _ in 0..60 {
        if form(state).at == item {
            return;
        }
        press(state, "\t");
    }
    panic!("{item:?} is not on the form: {:?}", form(state).items());
}

fn key(state: &mut State, code: KeyCode) -> Vec<Effect> {
    update(state, Message::Key(KeyEvent::new(code, KeyModifiers::NONE)), now())
}

fn ordered(effects: &[Effect]) -> (Task, Order) {
    match effects {
        [Effect::LogIn(task, order)] => (*task, (**order).clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_profile_is_one_key_and_enter() {
    let mut state = with_profile(vec![]);
    assert_eq!(press(&mut state, "n"), [Effect::Make(Making::Offer("kit".into()))]);
    hear(&mut state);
    let (_, order) = ordered(&press(&mut state, "\n"));
    let draft = order.draft.expect("a draft");
    assert_eq!((order.source, order.name), ("toar".into(), None));
    let provider = "https://helmholtz.example/".to_owned();
    assert_eq!(draft, Draft { name: "toar".to_owned(), provider, ..toar() }, "in the server's own spelling");
}

#[test]
fn a_name_that_is_held_is_not_taken_again() {
    let mut state = with_profile(vec![mytoken("toar", None)]);
    press(&mut state, "n");
    hear(&mut state);
    assert_eq!(form(&state).draft.name, "toar-2");
    go_to(&mut state, Item::Name);
    key(&mut state, KeyCode::Backspace);
    key(&mut state, KeyCode::Backspace);
    go_to(&mut state, Item::Another);
    press(&mut state, "\t");
    assert_eq!(press(&mut state, "\n"), [], "there is a toar already");
    assert_eq!(form(&state).at, Item::Name, "the cursor goes to what stops it");
}

#[test]
fn another_profile_refills_what_the_user_has_not_touched() {
    let mut state = with_profile(vec![]);
    press(&mut state, "n");
    hear(&mut state);
    go_to(&mut state, Item::Member(0, Member::Uses));
    key(&mut state, KeyCode::Backspace);
    press(&mut state, "0");
    go_to(&mut state, Item::Start);
    key(&mut state, KeyCode::Right);
    assert_eq!(form(&state).draft.templates, ["agent"]);
    assert_eq!(form(&state).draft.capabilities, [], "what it may do is the server's profile's to say");
    assert_eq!(form(&state).draft.clauses[0].rest.uses_at, Some(10), "the user's own");
    key(&mut state, KeyCode::Right);
    assert_eq!(form(&state).draft.capabilities, ["AT", "tokeninfo"].map(Capability::new), "blank");
    assert_eq!(form(&state).draft.name, "", "a name of the profile's goes with it");
}

#[test]
fn letters_are_commands_only_where_none_are_typed() {
    let mut state = with_profile(vec![]);
    press(&mut state, "n");
    go_to(&mut state, Item::Name);
    press(&mut state, "peYb?");
    assert_eq!(form(&state).draft.name, "toarpeYb?");
    go_to(&mut state, Item::Capability(0));
    press(&mut state, "p");
    assert!(matches!(form(&state).over, Over::ProfileName(_)));
}

#[test]
fn a_form_that_is_left_is_a_draft_and_comes_back_until_it_is_begun_anew() {
    let mut state = with_profile(vec![]);
    press(&mut state, "n\x1b");
    assert!(state.draft.is_none(), "nothing was changed");
    press(&mut state, "n");
    go_to(&mut state, Item::Name);
    press(&mut state, "x\x1b");
    assert!(state.overlays.is_empty() && state.draft.is_some());
    press(&mut state, "n");
    assert_eq!((form(&state).draft.name.as_str(), form(&state).at), ("toarx", Item::Name));
    go_to(&mut state, Item::Capability(0));
    press(&mut state, "b\x1b");
    assert!(state.draft.is_none());
}

#[test]
fn a_capability_implies_those_under_it_and_some_have_a_twin_that_reads() {
    let mut state = with_profile(vec![]);
    press(&mut state, "n");
    let rows =
        |state: &State| form(state).tree.iter().map(|twig| twig.name.0.raw().to_owned()).collect::<Vec<_>>();
    let tops = ["AT", "create_mytoken", "tokeninfo", "manage_mytokens", "settings"];
    assert_eq!(rows(&state), tops);
    go_to(&mut state, Item::Capability(2));
    key(&mut state, KeyCode::Right);
    assert_eq!(rows(&state).len(), tops.len() + 5);
    press(&mut state, "\t ");
    assert!(form(&state).draft.capabilities.len() == 2, "tokeninfo covers it");
    assert!(state.notice.as_ref().is_some_and(|notice| notice.text.contains("tokeninfo covers")));
    key(&mut state, KeyCode::Left);
    assert_eq!((rows(&state).len(), form(&state).at), (tops.len(), Item::Capability(2)));
    go_to(&mut state, Item::Capability(4));
    press(&mut state, " ");
    assert!(form(&state).draft.capabilities.contains(&Capability::new("settings")));
    press(&mut state, " ");
    assert_eq!(rows(&state)[4], "read@settings");
    press(&mut state, " ");
    assert_eq!(form(&state).draft.capabilities, ["AT", "tokeninfo"].map(Capability::new));
}

#[test]
fn only_what_the_server_enforces_is_offered_and_what_is_there_all_the_same_is_shown() {
    let mut state = with_profile(vec![]);
    press(&mut state, "n");
    let has = |state: &State, member| form(state).items().contains(&Item::Member(0, member));
    assert!(has(&state, Member::Countries), "it has not told yet");
    go_to(&mut state, Item::Member(0, Member::NotCountries));
    press(&mut state, "us");
    hear(&mut state);
    assert!(!has(&state, Member::Countries) && !has(&state, Member::Audiences));
    assert!(has(&state, Member::NotCountries) && has(&state, Member::Hosts));
}

#[test]
fn scopes_are_chosen_from_the_providers_list_and_others_are_kept() {
    let mut state = with_profile(vec![]);
    press(&mut state, "n");
    hear(&mut state);
    go_to(&mut state, Item::Member(0, Member::Scopes));
    key(&mut state, KeyCode::F(2));
    press(&mut state, " ");
    press(&mut state, "j ");
    press(&mut state, "\n");
    assert_eq!(form(&state).clauses[0].text(Member::Scopes), "openid profile eduperson_unique_id");
}

#[test]
fn clauses_come_and_go() {
    let mut state = with_profile(vec![]);
    press(&mut state, "n");
    go_to(&mut state, Item::Another);
    press(&mut state, "\n");
    assert_eq!((form(&state).clauses.len(), form(&state).at), (2, Item::Clause(1)));
    go_to(&mut state, Item::Member(1, Member::Ends));
    press(&mut state, "7d");
    assert_eq!(form(&state).draft.clauses[1].ends, Some(When::In(7 * 86_400)));
    go_to(&mut state, Item::Clause(0));
    press(&mut state, "-");
    assert_eq!(form(&state).draft.clauses.len(), 1);
}

#[test]
fn what_cannot_be_read_stops_it_and_is_never_sent() {
    let mut state = with_profile(vec![]);
    press(&mut state, "n");
    hear(&mut state);
    go_to(&mut state, Item::Member(0, Member::Ends));
    press(&mut state, "x");
    go_to(&mut state, Item::Start);
    assert_eq!(press(&mut state, "\n"), []);
    assert_eq!(form(&state).at, Item::Member(0, Member::Ends));
}

#[test]
fn from_a_held_mytoken_the_price_is_said_first_and_enter_again_pays() {
    let mut state = with_profile(vec![parent("mother")]);
    press(&mut state, "n");
    hear(&mut state);
    go_to(&mut state, Item::From);
    press(&mut state, " ");
    assert_eq!(form(&state).draft.provider, EGI, "its parent's");
    assert_eq!(press(&mut state, "\n"), []);
    let price = state.price.as_ref().map(|price| price.text.clone());
    assert_eq!(price.as_deref(), Some("costs 1 of 3 other uses left · makes copy 5; older copies go stale"));
    let effects = press(&mut state, "\n");
    let [Effect::Make(Making::From(task, of, draft))] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((of, draft.name.as_str()), (&id("mother"), "toar"));
    let refused = Failure::new(Kind::Failed, "Making a subtoken", "no");
    let _ = tell(&mut state, Outcome::Made(Made::Mytoken(*task, Err(refused))));
    assert!(
        matches!(state.overlays.as_slice(), [Overlay::Create(_), Overlay::Failed(_)]),
        "the form is not lost"
    );
}

#[test]
fn a_code_is_handed_over_and_the_form_has_done_its_work() {
    let mut state = with_profile(vec![parent("mother")]);
    press(&mut state, "n");
    hear(&mut state);
    go_to(&mut state, Item::From);
    press(&mut state, " ");
    go_to(&mut state, Item::Answer);
    key(&mut state, KeyCode::Left);
    press(&mut state, "\n");
    let effects = press(&mut state, "\n");
    let [Effect::Mytoken(MytokenAsk::HandOver(task, of, HandOver::Subtoken(_)))] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(*of, id("mother"));
    let told = MytokenTold::HandedOver(*task, Ok(Box::new(handed())));
    let _ = tell(&mut state, Outcome::Mytoken(told));
    assert!(matches!(state.overlays.as_slice(), [Overlay::Handing(_)]));
}

#[test]
fn a_server_is_asked_what_it_offers_once_and_not_at_every_turn() {
    let mut state = with_profile(vec![]);
    let mut sources = state.wallet.sources.to_vec();
    let server = crate::domain::source::Server { address: "https://other.example".to_owned() };
    sources.push(source("other", "Other", SourceKind::Server(server)));
    let snapshot = crate::app::effect::Snapshot { sources: sources.into(), ..state.wallet.clone() };
    let _ = tell(&mut state, Outcome::Changed(snapshot));
    assert_eq!(press(&mut state, "n"), [Effect::Make(Making::Offer("kit".into()))]);
    go_to(&mut state, Item::Capability(0));
    assert_eq!(key(&mut state, KeyCode::Right), [], "it is being asked");
    let silent = Failure::new(Kind::Failed, "Asking what it offers", "no answer");
    let _ = tell(&mut state, Outcome::Made(Made::Offer("kit".into(), Err(silent))));
    go_to(&mut state, Item::Answer);
    assert_eq!(key(&mut state, KeyCode::Right), [], "it has not told");
    go_to(&mut state, Item::Server);
    assert_eq!(key(&mut state, KeyCode::Right), [Effect::Make(Making::Offer("other".into()))]);
}

#[test]
fn a_code_closes_only_what_it_was_asked_for_with() {
    let mut state = with_profile(vec![parent("mother"), mytoken("toar", None)]);
    press(&mut state, "Yt\n");
    let made = |state: &mut State, task| {
        let told = MytokenTold::HandedOver(task, Ok(Box::new(handed())));
        let _ = tell(state, Outcome::Mytoken(told));
    };
    let asked = press(&mut state, "\n");
    let [Effect::Mytoken(MytokenAsk::HandOver(task, ..))] = asked.as_slice() else { panic!("{asked:?}") };
    press(&mut state, "\x1bjYt");
    made(&mut state, *task);
    let about = |overlay: &Overlay| matches!(overlay, Overlay::Sheet(sheet) if sheet.asks.about() == Some(&id("toar")));
    assert!(state.overlays.iter().any(about), "the sheet of another one stays: {:?}", state.overlays);
    press(&mut state, "\x1b\x1bn");
    hear(&mut state);
    go_to(&mut state, Item::Answer);
    key(&mut state, KeyCode::Left);
    made(&mut state, Task(900));
    assert!(matches!(state.overlays.as_slice(), [Overlay::Create(_), Overlay::Handing(_)]));
}

#[test]
fn what_was_pasted_after_a_code_is_still_on_show_when_that_is_redeemed() {
    let mut state = with_profile(vec![]);
    paste(&mut state, "c0deC0de");
    let asked = press(&mut state, "\n\n");
    let redeemed = |effects: &[Effect]| match effects {
        [Effect::Mytoken(MytokenAsk::Redeem(task, ..))] => *task,
        other => panic!("{other:?}"),
    };
    let first = redeemed(&asked);
    paste(&mut state, "An0therC");
    let _ = tell(&mut state, Outcome::Mytoken(MytokenTold::Redeemed(first, Ok(report("toar")))));
    assert!(state.lookup.pasted.is_some());
    press(&mut state, "\x1b3");
    let second = redeemed(&press(&mut state, "\n\n"));
    let _ = tell(&mut state, Outcome::Mytoken(MytokenTold::Redeemed(second, Ok(report("ci")))));
    assert!(state.lookup.pasted.is_none());
}

#[test]
fn a_form_like_another_one_does_not_take_the_place_of_a_draft_until_it_is_changed() {
    let mut state = with_profile(vec![mytoken("toar", None)]);
    press(&mut state, "n");
    go_to(&mut state, Item::Name);
    press(&mut state, "mine\x1b");
    state.overlays.push(Overlay::Granted(report("toar")));
    press(&mut state, "n\x1b");
    let kept = |state: &State| state.draft.as_ref().map(|form| form.name.value().to_owned());
    assert!(kept(&state).is_some_and(|name| name.ends_with("mine")), "{:?}", kept(&state));
    state.overlays.push(Overlay::Granted(report("toar")));
    press(&mut state, "n");
    go_to(&mut state, Item::Name);
    press(&mut state, "x\x1b");
    assert!(kept(&state).is_some_and(|name| name.ends_with('x')), "{:?}", kept(&state));
}

fn report(name: &str) -> Box<Report> {
    Box::new(Report {
        id: id(name),
        name: name.to_owned(),
        at: "kit".to_owned(),
        lines: Vec::new(),
        no_refresh: None,
        remarks: Vec::new(),
    })
}

#[test]
fn what_was_made_can_be_made_again_with_other_settings_or_revoked() {
    let mut state = with_profile(vec![]);
    press(&mut state, "n");
    hear(&mut state);
    let (task, _) = ordered(&press(&mut state, "\n"));
    show(&mut state, vec![mytoken("toar", None)]);
    let _ = tell(&mut state, Outcome::LoginEnded(task, Ok(report("toar"))));
    assert!(matches!(state.overlays.as_slice(), [Overlay::Granted(_)]), "the form is put away");
    press(&mut state, "D");
    assert!(
        matches!(state.overlays.last(), Some(Overlay::Revoke(revoke)) if revoke.doomed == Doomed::Held(id("toar")))
    );
    press(&mut state, "\x1bn");
    assert_eq!(form(&state).draft.name, "toar-2");
    assert_eq!(form(&state).draft.clauses, toar().clauses, "as it was asked for");
}

#[test]
fn what_was_redeemed_is_not_made_again_by_the_form_of_another_one() {
    let mut state = with_profile(vec![]);
    press(&mut state, "n");
    hear(&mut state);
    let (task, _) = ordered(&press(&mut state, "\n"));
    show(&mut state, vec![mytoken("toar", None), mytoken("ci", None)]);
    let _ = tell(&mut state, Outcome::LoginEnded(task, Ok(report("toar"))));
    press(&mut state, "\x1b");
    let _ = tell(&mut state, Outcome::Mytoken(MytokenTold::Redeemed(Task(900), Ok(report("ci")))));
    press(&mut state, "n");
    let clauses = &form(&state).draft.clauses;
    assert_eq!(clauses.len(), 1);
    assert_eq!(clauses[0].rest.uses_at, Some(15));
    assert_eq!(clauses[0].rest.scopes, None, "like what was redeemed, not like what was made before");
}

#[test]
fn a_login_that_is_cancelled_leaves_the_form() {
    let mut state = with_profile(vec![]);
    press(&mut state, "n");
    hear(&mut state);
    press(&mut state, "\n\x1b");
    assert!(matches!(state.overlays.as_slice(), [Overlay::Create(_)]));
}

#[test]
fn json_that_cannot_be_read_is_not_lost() {
    let mut state = with_profile(vec![]);
    press(&mut state, "n");
    let effects = press(&mut state, "e");
    let [Effect::Make(Making::Edit(_))] = effects.as_slice() else { panic!("{effects:?}") };
    let broken = "{ \"name\": ".to_owned();
    let _ = tell(&mut state, Outcome::Made(Made::Edited(Ok(Some(broken.clone())))));
    assert_eq!(press(&mut state, "e"), [Effect::Make(Making::Edit(broken))]);
    let none = Failure::new(Kind::Unusable, "Editing it as JSON", "no editor is named here");
    let _ = tell(&mut state, Outcome::Made(Made::Edited(Err(none))));
    assert!(state.notice.as_ref().is_some_and(|notice| notice.text.contains("no editor")));
}

#[test]
fn a_draft_is_saved_as_a_profile_without_its_name() {
    let mut state = with_profile(vec![]);
    press(&mut state, "n");
    press(&mut state, "p-2\n");
    let effects = press(&mut state, "p\n");
    let draft = Box::new(Draft { name: String::new(), ..form(&state).draft.clone() });
    assert_eq!(effects, [Effect::Make(Making::SaveProfile("toar".to_owned(), "kit".into(), draft))]);
}
