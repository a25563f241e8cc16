//! Logging in: from the wish to the running login, and what its panel can do.

use jiff::Timestamp;

use crate::app::action::Action;
use crate::app::effect::{Effect, Task};
use crate::app::field::Field;
use crate::app::login::{self, Chosen, Login, Opened, WhichClient, WhichProvider};
use crate::app::overlay::Overlay;
use crate::app::state::{State, Tone};
use crate::domain::failure::Failure;
use crate::domain::login::{Choice, Order};
use crate::domain::registration::Registered;
use crate::domain::secret::Secret;
use crate::domain::source::{Client, Registering, Source};
use crate::domain::untrusted::cleaned;

/// Logs in at the selected provider, or anew for the selected row.
pub(super) fn at_target(state: &mut State) -> Vec<Effect> {
    let Some((source, name)) = login::target(state) else { return Vec::new() };
    let source = source.clone();
    prepare(state, &source, name, false)
}

/// Logs in once more for the selected row, with `offline_access`: what comes is kept under its name.
pub(super) fn for_refresh_token(state: &mut State) -> Vec<Effect> {
    let Some((name, source)) = state.acting().map(|held| (held.name.clone(), held.source.clone())) else {
        return Vec::new();
    };
    let Some(source) = state.source(&source).cloned() else { return Vec::new() };
    prepare(state, &source, Some(name), true)
}

/// Starts the login, unless it must be asked first which client to be.
fn prepare(state: &mut State, source: &Source, name: Option<String>, offline: bool) -> Vec<Effect> {
    let open_browser = state.seat.no_browser.is_none();
    let source_id = source.id.clone();
    let order = Order { name, offline, open_browser, ..Order::at(source_id) };
    if let Some(issuer) = source.issuer()
        && issuer.client.is_none()
    {
        let which = WhichClient {
            order,
            field: Field::default(),
            selected: 0,
            registers: issuer.registering == Registering::Announced,
            public: issuer.public_clients.clone(),
        };
        state.overlays.push(Overlay::WhichClient(which));
        return Vec::new();
    }
    start(state, order)
}

/// Starts a login for something to keep.
pub(super) fn start(state: &mut State, order: Order) -> Vec<Effect> {
    let task = open_panel(state, order.clone(), false);
    vec![Effect::LogIn(task, Box::new(order))]
}

/// Opens the panel of a login that starts.
pub(super) fn open_panel(state: &mut State, order: Order, manages: bool) -> Task {
    let task = state.new_task();
    let login = Login {
        task,
        order,
        manages,
        view: None,
        opened: Opened::default(),
        field: Field::default(),
        typing: false,
        qr_alone: false,
    };
    state.overlays.push(Overlay::Login(Box::new(login)));
    task
}

/// Starts the login as the typed or chosen client.
pub(super) fn with_client(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let Some(Overlay::WhichClient(which)) = state.overlays.last() else { return Vec::new() };
    let id = match which.chosen() {
        Chosen::Typed(id) => id,
        Chosen::Public(client) => client.id.as_str(),
        Chosen::Registered => return register(state, now),
    };
    if id.is_empty() {
        return Vec::new();
    }
    let order = Order { client: Some(Client::public(id)), ..which.order.clone() };
    state.overlays.pop();
    start(state, order)
}

/// Asks the provider for a client; the question stays until it has answered.
fn register(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let Some(Overlay::WhichClient(which)) = state.overlays.last() else { return Vec::new() };
    let source = which.order.source.clone();
    let doing = format!("Registering a client at {}", cleaned(source.as_str()));
    if state.is_busy(&doing) {
        return Vec::new();
    }
    let name = state.seat.client_name();
    vec![Effect::Register(state.begin(doing, now), source, name)]
}

/// A client was registered, or not: asked against granted, then the login that it was for.
pub(super) fn registered(
    state: &mut State,
    task: Task,
    result: Result<Box<Registered>, Failure>,
    now: Timestamp,
) {
    let awaited = state.end(task);
    match result {
        Ok(registered) => {
            let is_asked = |overlay: &Overlay| matches!(overlay, Overlay::WhichClient(which) if which.order.source == registered.source.id);
            if let Some(place) = state.overlays.iter_mut().find(|overlay| is_asked(overlay)) {
                let Overlay::WhichClient(which) = &*place else { return };
                *place = Overlay::Registered(registered, which.order.clone());
            } else {
                // Whoever went away is told all the same: it is there now.
                let name = cleaned(&registered.source.name);
                state.say(Tone::Good, format!("Registered at {name} as {}", registered.client), now);
            }
        }
        Err(failure) if awaited && !state.overlays.is_empty() => {
            state.overlays.push(Overlay::Failed(failure));
        }
        Err(failure) => super::outcome::failed(state, failure, now),
    }
}

/// Logs in as the client that was just registered.
pub(super) fn as_registered(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Registered(registered, order)) = state.overlays.last() else { return Vec::new() };
    let (usable, order) = (registered.usable, order.clone());
    state.overlays.pop();
    if usable { start(state, order) } else { Vec::new() }
}

/// The mytoken server offers several providers: the login starts again with the chosen one.
pub(super) fn choose(state: &mut State, choices: Vec<Choice>) -> Vec<Effect> {
    let Some(login) = state.login() else { return Vec::new() };
    let (task, order, manages) = (login.task, login.order.clone(), login.manages);
    replace_login(
        state,
        Overlay::WhichProvider(WhichProvider { task, order, manages, choices, selected: 0 }),
    );
    vec![Effect::CancelLogin(task)]
}

/// Starts the login with the chosen provider.
pub(super) fn with_provider(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::WhichProvider(which)) = state.overlays.last() else { return Vec::new() };
    let Some(choice) = which.choices.get(which.selected) else { return Vec::new() };
    let order = Order { provider: Some(choice.issuer.clone()), ..which.order.clone() };
    let (before, manages) = (which.task, which.manages);
    state.overlays.pop();
    let effects = if manages { super::family::start_manager(state, order) } else { start(state, order) };
    if let Some(task) = state.login().map(|login| login.task) {
        super::mytoken::after_another_login(state, before, task);
    }
    effects
}

/// Ends the login at the user's wish.
pub(super) fn cancel(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let Some(task) = state.login().map(|login| login.task) else { return Vec::new() };
    state.overlays.pop();
    super::mytoken::after_failed_login(state, task);
    state.say(Tone::Plain, "Login cancelled; nothing is lost", now);
    vec![Effect::CancelLogin(task)]
}

/// Puts something in the place of the login panel, wherever it lies.
pub(super) fn replace_login(state: &mut State, overlay: Overlay) {
    if let Some(place) = state.overlays.iter_mut().find(|overlay| matches!(overlay, Overlay::Login(_))) {
        *place = overlay;
    }
}

/// Takes the login panel away, wherever it lies.
pub(super) fn close_login(state: &mut State) {
    state.overlays.retain(|overlay| !matches!(overlay, Overlay::Login(_)));
}

/// The routes stand: a browser is opened where that is wanted without being asked for.
pub(super) fn may_open(state: &mut State, address: String) -> Vec<Effect> {
    if state.seat.no_browser.is_some() {
        return Vec::new();
    }
    let Some(login) = state.login_mut().filter(|login| login.order.open_browser) else { return Vec::new() };
    login.opened = Opened::Opening;
    vec![Effect::OpenUnasked(login.task, address)]
}

/// What the panel's own keys do.
pub(super) fn panel(state: &mut State, action: Action) -> Vec<Effect> {
    let seat = state.seat.clone();
    let Some(login) = state.login_mut() else { return Vec::new() };
    let copy =
        |text: Option<String>, what| text.map(|text| Effect::CopyText(text, what)).into_iter().collect();
    match action {
        Action::CopyCode => copy(login.code(), "the code"),
        Action::CopyAddress => copy(login.address(), "the address"),
        Action::CopySshLine => copy(login.ssh_line(&seat), "the ssh line"),
        Action::OpenBrowser => {
            let Some(address) = login.address() else { return Vec::new() };
            login.opened = Opened::Opening;
            vec![Effect::OpenBrowser(login.task, address)]
        }
        Action::SignInDemo if seat.demo => {
            let task = login.task;
            login.address().map(|address| Effect::SignInDemo(task, address)).into_iter().collect()
        }
        Action::ShowQr => {
            login.qr_alone = !login.qr_alone;
            Vec::new()
        }
        Action::TypeAddress => {
            login.typing = !login.typing;
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Text pasted while a login runs: a redirect address is given to it at once, anything else stays in its field.
pub(super) fn pasted(state: &mut State, text: &Secret, now: Timestamp) -> Vec<Effect> {
    let bare: String = text.expose().split_whitespace().collect();
    let bare = Secret::new(bare);
    let Some(login) = state.login_mut() else { return Vec::new() };
    if !login.takes_paste() {
        state.say(Tone::Plain, "This login takes no pasted address", now);
        return Vec::new();
    }
    if is_redirect(bare.expose()) {
        login.field.clear();
        login.typing = false;
        return vec![Effect::GiveRedirect(login.task, bare)];
    }
    login.field.insert(bare.expose());
    login.typing = true;
    Vec::new()
}

/// Whether a text can be what a browser ended on: an address or its query with a code or an error (RFC 6749 §4.1.2).
fn is_redirect(text: &str) -> bool {
    text.starts_with("http://")
        || text.starts_with("https://")
        || ["code=", "error=", "?code=", "?error=", "?state=", "state="]
            .iter()
            .any(|start| text.starts_with(start))
        || text.contains("&code=")
        || text.contains("?code=")
        || text.contains("&error=")
}

/// Gives what is typed in the panel's field to the login.
pub(super) fn give_typed(state: &mut State) -> Vec<Effect> {
    let Some(login) = state.login_mut() else { return Vec::new() };
    let Some(text) = login.field.secret() else { return Vec::new() };
    login.field.clear();
    login.typing = false;
    vec![Effect::GiveRedirect(login.task, text)]
}
