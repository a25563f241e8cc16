//! What works now: the questions that the keymap asks before it shows a key.

use super::family;
use super::foretold;
use super::lookup;
use super::overlay::Overlay;
use super::price;
use super::sheet::{Asks, Sheet};
use super::state::{Pane, State};
use crate::domain::credential::{Chain, Custody, Health, Held, Life};
use crate::domain::form::Form;
use crate::domain::mytoken::{Clause, Facts, can, left_of_all};
use crate::domain::source::{Client, Source, SourceKind};
use crate::domain::specimen::Kind;

/// Whether a new access token can be had of it without a login.
#[must_use]
pub fn renew(held: &Held, state: &State) -> bool {
    if state.seat.read_only {
        return false;
    }
    if matches!(held.health, Health::Dead(_) | Health::NeedsLogin(_))
        || matches!(held.custody, Custody::Foreign(_))
    {
        return false;
    }
    if held.chain_ends().is_some_and(|end| end <= state.at) {
        return false;
    }
    match &held.chain {
        Chain::Refresh { .. } => true,
        Chain::Mytoken { facts, .. } => may_draw(facts) && access_tokens_left(facts, state) != Some(0),
        Chain::None => false,
    }
}

/// Whether there is an access token to copy or a way to one.
#[must_use]
pub fn copy(held: &Held, state: &State) -> bool {
    is_usable(held, state) || renew(held, state)
}

/// Whether its access token can be copied as it is held: it lives, and nothing better can be had of it for nothing.
#[must_use]
pub fn is_fresh(held: &Held, state: &State) -> bool {
    match held.life(state.at) {
        Life::Live(_) | Life::Unknown => true,
        Life::Ending(_) => !renew(held, state),
        Life::Expired(_) | Life::None => false,
    }
}

/// The forms that exist for a credential, in the order of the menu.
#[must_use]
pub fn forms_of(held: &Held, state: &State) -> Vec<Form> {
    let chief = held.chief();
    let at_issuer = state.source(&held.source).is_some_and(|source| source.issuer().is_some());
    let exists = |form: &Form| match form {
        Form::AccessToken | Form::Header => copy(held, state),
        Form::CurlUserinfo => at_issuer && !matches!(held.chain, Chain::Mytoken { .. }) && copy(held, state),
        // No provider tells a client without a secret (Keycloak: 403).
        Form::CurlIntrospection => {
            let client = state.source(&held.source).and_then(|source| source.issuer()?.client.as_ref());
            client.is_some_and(Client::may_introspect) && copy(held, state)
        }
        Form::Renewal => matches!(held.chain, Chain::Refresh { .. }) && renew(held, state),
        Form::Claims => chief.is_some_and(|access| access.content.is_some()),
        Form::IdToken => chief.is_some_and(|access| access.has_id_token),
        Form::Mytoken => matches!(held.chain, Chain::Mytoken { .. }),
        Form::RefreshToken | Form::RenewalWithToken => matches!(held.chain, Chain::Refresh { .. }),
    };
    Form::ALL.into_iter().filter(exists).collect()
}

/// Access tokens still to be had of a mytoken, where every clause that is not over counts them.
#[must_use]
pub fn access_tokens_left(facts: &Facts, state: &State) -> Option<u64> {
    left(facts, state, Clause::left_at)
}

/// Other uses still to be had of a mytoken, where every clause that is not over counts them.
#[must_use]
pub fn other_uses_left(facts: &Facts, state: &State) -> Option<u64> {
    left(facts, state, Clause::left_other)
}

fn left(facts: &Facts, state: &State, of: fn(&Clause) -> Option<u64>) -> Option<u64> {
    let is_open = |clause: &&Clause| clause.expires.is_none_or(|end| end > state.at);
    left_of_all(facts.restrictions.iter().filter(is_open), of)
}

/// Whether a mytoken may give access tokens; one that carries no claims may.
fn may_draw(facts: &Facts) -> bool {
    facts.capabilities.is_empty() || can(&facts.capabilities, "AT")
}

fn is_usable(held: &Held, state: &State) -> bool {
    matches!(held.life(state.at), Life::Live(_) | Life::Ending(_) | Life::Unknown)
}

pub(super) fn copy_selected(state: &State) -> bool {
    state.acting().is_some_and(|held| copy(held, state))
}

/// Whether its provider can be asked whom it speaks for. A mytoken is not drawn from for it, because that may cost.
pub(super) fn userinfo(state: &State) -> bool {
    state.acting().is_some_and(|held| {
        let at_issuer = state.source(&held.source).is_some_and(|source| source.issuer().is_some());
        let is_login = matches!(held.chain, Chain::Refresh { .. });
        (at_issuer || is_mytoken(held)) && (is_usable(held, state) || (is_login && renew(held, state)))
    })
}

/// Whether its provider can be asked whether it is active: a client that has a secret may.
pub(super) fn introspect(state: &State) -> bool {
    userinfo(state)
        && state.acting().is_some_and(|held| {
            let issuer = state.source(&held.source).and_then(Source::issuer);
            let client = issuer.and_then(|issuer| issuer.client.as_ref());
            !is_mytoken(held) && client.is_some_and(Client::has_secret)
        })
}

/// Whether a login has no refresh token, or one that ends with the browser's session.
pub(super) fn refresh_token(state: &State) -> bool {
    !state.seat.read_only
        && state.acting().is_some_and(|held| {
            let lacks = matches!(held.chain, Chain::None | Chain::Refresh { session_only: true, .. });
            lacks && state.source(&held.source).is_some_and(|source| source.issuer().is_some())
        })
}

/// Whether the selected provider, or that of the selected row, announces what it does.
pub(super) fn look_at_provider(state: &State) -> bool {
    super::portal::source(state).is_some_and(|source| source.issuer().is_some())
}

/// Whether there is a page to manage what is active.
pub(super) fn manage(state: &State) -> bool {
    super::portal::page(state).is_some()
}

pub(super) fn copy_as(state: &State) -> bool {
    state.acting().is_some_and(|held| !forms_of(held, state).is_empty())
}

pub(super) fn renew_selected(state: &State) -> bool {
    state.acting().is_some_and(|held| renew(held, state))
}

/// Whether anything can be revoked or forgotten: every row can.
pub(super) fn revoke(state: &State) -> bool {
    state.acting().is_some()
}

/// Whether the selected row can get another name: what is somebody else's cannot.
pub(super) fn rename(state: &State) -> bool {
    state.acting().is_some_and(|held| !matches!(held.custody, Custody::Foreign(_)))
}

pub(super) fn open_details(state: &State) -> bool {
    state.acting().is_some()
}

/// Whether there is a place to log in at.
pub(super) fn log_in(state: &State) -> bool {
    super::login::target(state).is_some()
}

pub(super) fn new_mytoken(state: &State) -> bool {
    super::login::mytoken_target(state).is_some()
}

/// Whether the token on show has a server that can be asked about it, or a signature or a provider to ask for.
pub(super) fn ask_server(state: &State) -> bool {
    if state.lookup.task.is_some() {
        return false;
    }
    match &state.lookup.pasted {
        Some(pasted) => match &pasted.specimen.kind {
            Kind::Mytoken(_) | Kind::MaybeShortToken | Kind::MaybeTransferCode => true,
            kind => kind.jwt().is_some(),
        },
        None => state.selected_held().is_some_and(|held| is_mytoken(held) || held.chief().is_some()),
    }
}

/// What asking is called, by what can be asked.
pub(super) fn ask_says(state: &State) -> &'static str {
    let is_mytoken = match &state.lookup.pasted {
        Some(pasted) => pasted.specimen.kind.jwt().is_none(),
        None => state.selected_held().is_some_and(is_mytoken),
    };
    if is_mytoken { "ask again" } else { "check" }
}

/// Whether the history of the token on show can be read at its server.
pub(super) fn read_history(state: &State) -> bool {
    if state.history.task.is_some() {
        return false;
    }
    let reads =
        |facts: &Facts| facts.capabilities.is_empty() || can(&facts.capabilities, "tokeninfo:history");
    match &state.lookup.pasted {
        Some(pasted) => match &pasted.specimen.kind {
            // Only a server that has already answered about it: a history is never the first question.
            Kind::Mytoken(facts) => {
                pasted.finding.as_ref().is_some_and(|finding| finding.verdict.heard.is_some()) && reads(facts)
            }
            _ => false,
        },
        None => state.selected_held().is_some_and(|held| match &held.chain {
            Chain::Mytoken { facts, .. } => {
                !matches!(held.health, Health::Dead(_))
                    && reads(facts)
                    && other_uses_left(facts, state) != Some(0)
                    && facts.ends().is_none_or(|end| end > state.at)
                    && !(state.seat.read_only && price::of_history(held, state).is_some())
            }
            Chain::Refresh { .. } | Chain::None => false,
        }),
    }
}

/// Whether something pasted is on show that can be kept under a name.
pub(super) fn keep(state: &State) -> bool {
    state.lookup.pasted.as_ref().is_some_and(|pasted| pasted.keepable().is_some())
}

pub(super) fn show_content(state: &State) -> bool {
    lookup::content(state).is_some()
}

/// Whether the page on top shows the claims of a token.
pub(super) fn read_claims(state: &State) -> bool {
    state.overlays.last().is_some_and(|overlay| super::content::token_in(state, overlay, 0).is_some())
}

pub(super) fn go_to_newest(state: &State) -> bool {
    let finding = state.lookup.pasted.as_ref().and_then(|pasted| pasted.finding.as_ref());
    finding.and_then(|finding| finding.held_as.as_ref()).is_some_and(|id| state.held(id).is_some())
}

pub(super) fn filter(state: &State) -> bool {
    match state.focus {
        Pane::Providers => !state.wallet.sources.is_empty(),
        Pane::Tokens => !state.wallet.held.is_empty(),
        Pane::History => !super::history::on_show(state).is_empty() || state.history.filter.is_some(),
        Pane::Lookup => false,
    }
}

pub(super) fn sort(state: &State) -> bool {
    state.wallet.held.len() > 1
}

/// Whether Esc has something to go back from.
pub(super) fn back(state: &State) -> bool {
    state.price.is_some()
        || state.lookup.pasted.is_some()
        || state.notice.is_some()
        || state.busy.iter().any(|busy| busy.only_reads)
        || super::filter_of(state, state.focus).is_some()
}

/// Whether making a mytoken is what a login there is for.
pub(super) fn gives_mytokens(kind: &SourceKind) -> bool {
    matches!(kind, SourceKind::Server(_) | SourceKind::Profile(_))
}

fn is_mytoken(held: &Held) -> bool {
    matches!(held.chain, Chain::Mytoken { .. })
}

/// Whether a held mytoken lives and may make others.
fn makes_others(held: &Held, state: &State) -> bool {
    let Chain::Mytoken { facts, .. } = &held.chain else { return false };
    !matches!(held.health, Health::Dead(_) | Health::NeedsLogin(_))
        && can(&facts.capabilities, "create_mytoken")
        && other_uses_left(facts, state) != Some(0)
        && facts.ends().is_none_or(|end| end > state.at)
}

/// Whether a mytoken can be handed over by a code: a code for itself takes no capability (mytoken-api.md §2.4).
#[must_use]
pub fn hands_over(held: &Held, state: &State) -> bool {
    let Chain::Mytoken { facts, .. } = &held.chain else { return false };
    !matches!(held.health, Health::Dead(_) | Health::NeedsLogin(_))
        && facts.ends().is_none_or(|end| end > state.at)
}

/// Whether a subtoken of it can be handed over, and not only itself.
#[must_use]
pub fn hands_subtokens_over(held: &Held, state: &State) -> bool {
    makes_others(held, state)
}

pub(super) fn foretell(state: &State) -> bool {
    state.acting().is_some_and(|held| is_mytoken(held) && !held.locked)
}

pub(super) fn list_all(state: &State) -> bool {
    family::server_on_show(state).is_some()
}

pub(super) fn look_below(state: &State) -> bool {
    state.acting().is_some_and(|held| {
        family::may_look_below(state, held) != family::Right::Nobody
            || family::known_tree(state, held).is_some()
    })
}

pub(super) fn follow(state: &State) -> bool {
    state.acting().is_some_and(|held| is_mytoken(held) && !held.locked && state.succession.is_none())
}

pub(super) fn hand_over(state: &State) -> bool {
    state.acting().is_some_and(|held| hands_over(held, state))
}

pub(super) fn hand_over_from_menu(state: &State) -> bool {
    match state.overlays.last() {
        Some(Overlay::CopyMenu(id, _)) => state.held(id).is_some_and(|held| hands_over(held, state)),
        _ => false,
    }
}

pub(super) fn redeem(state: &State) -> bool {
    state.wallet.sources.iter().any(|source| matches!(source.kind, SourceKind::Server(_)))
}

pub(super) fn redeem_pasted(state: &State) -> bool {
    redeem(state) && pasted_code(state).is_some()
}

/// The pasted text, where it may be a transfer code.
pub(super) fn pasted_code(state: &State) -> Option<crate::domain::secret::Secret> {
    let pasted = state.lookup.pasted.as_ref()?;
    (pasted.specimen.kind == Kind::MaybeTransferCode).then(|| pasted.specimen.value.clone())
}

/// Whether an access token with chosen scopes and audiences can be drawn of it.
fn draws_with(held: &Held, state: &State) -> bool {
    !held.locked && renew(held, state)
}

pub(super) fn draw_with(state: &State) -> bool {
    state.acting().is_some_and(|held| draws_with(held, state))
}

pub(super) fn draw_with_from_details(state: &State) -> bool {
    match state.overlays.last() {
        Some(Overlay::Details(id, _)) => state.held(id).is_some_and(|held| draws_with(held, state)),
        _ => false,
    }
}

pub(super) fn open_event(state: &State) -> bool {
    !super::history::on_show(state).is_empty()
}

/// What Enter does with the selected event.
pub(super) fn event_says(state: &State) -> &'static str {
    if super::history::made_a_subtoken(state) { "go to it" } else { "details" }
}

/// The window of all mytokens, if it is the topmost thing.
fn family_window(state: &State) -> Option<&family::Window> {
    match state.overlays.last() {
        Some(Overlay::Family(window)) => Some(window),
        _ => None,
    }
}

pub(super) fn family_selected(state: &State) -> bool {
    family_window(state).is_some_and(|window| !window.typing && window.selected().is_some())
}

pub(super) fn family_filtering(state: &State) -> bool {
    family_window(state).is_some_and(|window| window.typing)
}

pub(super) fn family_listed(state: &State) -> bool {
    family_window(state).is_some_and(|window| window.family.is_some())
}

pub(super) fn family_read(state: &State) -> bool {
    family_window(state).is_some_and(|window| {
        let right = family::right(state, window);
        // What costs changes something at its server.
        window.task.is_none()
            && family::waits_until(state, window).is_none()
            && right != family::Right::Nobody
            && !(state.seat.read_only && right.price().is_some())
    })
}

pub(super) fn family_read_says(state: &State) -> &'static str {
    match family_window(state) {
        Some(window) if window.family.is_some() => "read again",
        _ => "read",
    }
}

/// Whether a manager mytoken would help: where what is held here may not do all of it.
pub(super) fn family_manager(state: &State) -> bool {
    family_window(state).is_some_and(|window| {
        let is_there = state.families.managers.get(&window.source).is_some_and(|until| *until > state.at);
        matches!(window.of, family::Of::Server(_)) && !is_there && window.task.is_none()
    })
}

pub(super) fn family_history(state: &State) -> bool {
    family_selected(state)
        && family_window(state).is_some_and(|window| {
            let right = family::right_over(state, window);
            right != family::Right::Nobody && !(state.seat.read_only && right.price().is_some())
        })
}

/// Whether the histories of all that is listed can be asked for: by the same right as the list.
pub(super) fn family_last_uses(state: &State) -> bool {
    family_window(state).is_some_and(|window| {
        let right = family::right_of_reader(state, window);
        window.task.is_none()
            && family::waits_until(state, window).is_none()
            && right != family::Right::Nobody
            && !(state.seat.read_only && right.price().is_some())
    })
}

pub(super) fn family_revoke(state: &State) -> bool {
    family_window(state).is_some_and(|window| {
        !window.chosen().is_empty() && family::right_over(state, window) != family::Right::Nobody
    })
}

/// The topmost sheet.
fn sheet(state: &State) -> Option<&Sheet> {
    match state.overlays.last() {
        Some(Overlay::Sheet(sheet)) => Some(sheet),
        _ => None,
    }
}

pub(super) fn sheet_accepts(state: &State) -> bool {
    sheet(state).is_some_and(|sheet| match sheet.asks {
        Asks::Outlast(_) => foretold::would_help(state),
        Asks::Elsewhere(_) => false,
        Asks::DrawWith(_) | Asks::HandOver(_) => true,
        Asks::Redeem(_) => sheet.secret("code").is_some() || !sheet.has("code"),
    })
}

pub(super) fn sheet_says(state: &State) -> &'static str {
    match sheet(state).map(|sheet| &sheet.asks) {
        Some(Asks::Outlast(_)) => "one that holds",
        Some(Asks::DrawWith(_)) => "draw it",
        Some(Asks::HandOver(_)) => "make the code",
        Some(Asks::Redeem(_)) => "redeem",
        Some(Asks::Elsewhere(_)) | None => "go on",
    }
}

pub(super) fn sheet_switches(state: &State) -> bool {
    sheet(state).is_some_and(Sheet::can_switch)
}
