//! The keymap itself. Its order is the order of help and footer.

use crossterm::event::KeyCode;

use super::action::{Action, CreateAction, FamilyAction, MytokenAction, PortalAction, ReadingAction};
use super::can;
use super::copy::Script;
use super::create::{self, Item, Over};
use super::handing;
use super::key::{Key, ch, ctrl, key};
use super::keymap::{Binding, Layer, open_says};
use super::overlay::Overlay;
use super::revoke;
use super::safe::{self, Stage};
use super::state::{Pane, State};
use crate::domain::form::Form;
use crate::domain::snippet::Snippet;

const ENTER: Key = key(KeyCode::Enter);
const ESC: Key = key(KeyCode::Esc);
const TAB: Key = key(KeyCode::Tab);
const UP: Key = key(KeyCode::Up);
const DOWN: Key = key(KeyCode::Down);
const PAGE_UP: Key = key(KeyCode::PageUp);
const PAGE_DOWN: Key = key(KeyCode::PageDown);
const HOME: Key = key(KeyCode::Home);
const END: Key = key(KeyCode::End);

/// Every key of the program.
pub const KEYMAP: &[Binding] = &[
    // One pane.
    Binding::new(
        Layer::Providers,
        &[ENTER, ch('l')],
        Action::Open,
        "log in",
        "log in there, or make a mytoken",
    )
    .when(|state| state.selected_row().is_some())
    .says(open_says)
    .footer(1),
    Binding::new(Layer::Tokens, &[ENTER], Action::Open, "details", "everything held under the name, masked")
        .when(can::open_details)
        .footer(9),
    Binding::new(
        Layer::Lookup,
        &[ENTER],
        Action::ShowContent,
        "content",
        "what the token says, decoded here",
    )
    .when(can::show_content)
    .footer(6),
    Binding::new(Layer::Lookup, &[ch('k')], Action::Keep, "keep", "keep the pasted token under a name")
        .when(can::keep)
        .footer(1),
    mytoken(
        Layer::Lookup,
        &[ENTER, ch('k')],
        MytokenAction::Redeem,
        "redeem",
        "redeem the pasted transfer code, and keep the mytoken",
    )
    .when(can::redeem_pasted)
    .footer(1),
    Binding::new(
        Layer::Lookup,
        &[ch('g')],
        Action::GoToNewest,
        "go to yours",
        "go to the copy that is held here",
    )
    .when(can::go_to_newest)
    .footer(1),
    Binding::new(
        Layer::History,
        &[ENTER],
        Action::OpenEvent,
        "details",
        "all of the event; of a subtoken made, go to it",
    )
    .when(can::open_event)
    .says(can::event_says)
    .footer(2),
    // Every pane.
    Binding::new(
        Layer::Board,
        &[ch('y'), ch('c')],
        Action::Copy,
        "copy",
        "copy the access token, renewed if need be",
    )
    .when(can::copy_selected)
    .footer(1),
    Binding::new(Layer::Board, &[ch('Y')], Action::CopyAs, "copy as", "copy in another form")
        .when(can::copy_as)
        .footer(7),
    Binding::new(Layer::Board, &[ch('r')], Action::Renew, "renew", "get a new access token now")
        .when(can::renew_selected)
        .footer(4),
    Binding::new(
        Layer::Board,
        &[ch('l')],
        Action::LogIn,
        "log in",
        "log in, or log in anew for the selected row",
    )
    .when(can::log_in)
    .footer(3),
    Binding::new(Layer::Board, &[ch('n')], Action::NewMytoken, "new mytoken", "make a mytoken")
        .when(can::new_mytoken)
        .footer(5),
    Binding::new(
        Layer::Board,
        &[ch('i')],
        Action::LookUp,
        "look up",
        "look at any token you have, without keeping it",
    )
    .footer(2),
    Binding::new(
        Layer::Board,
        &[ch('R')],
        Action::AskServer,
        "ask again",
        "ask about the token on show: its server, or whether its signature is good",
    )
    .when(can::ask_server)
    .says(can::ask_says)
    .footer(8),
    Binding::new(
        Layer::Board,
        &[ch('h')],
        Action::ReadHistory,
        "history",
        "read the mytoken's history at its server",
    )
    .when(can::read_history)
    .footer(8),
    Binding::new(Layer::Board, &[ch('D')], Action::Revoke, "revoke", "revoke or forget; asks first")
        .when(can::revoke)
        .footer(8),
    Binding::new(
        Layer::Board,
        &[ch('w')],
        Action::SaveAgain,
        "try again",
        "try again to write what could not be written",
    )
    .when(safe::has_unsaved)
    .footer(1),
    Binding::new(
        Layer::Board,
        &[ch('W')],
        Action::CopyUnsaved,
        "copy unsaved",
        "copy the value that could not be written",
    )
    .when(safe::has_unsaved)
    .footer(1),
    mytoken(
        Layer::Board,
        &[ch('w')],
        MytokenAction::Outlast,
        "outlast a job?",
        "will it last as long as a job",
    )
    .when(can::foretell)
    .footer(8),
    mytoken(
        Layer::Board,
        &[ch('W')],
        MytokenAction::Elsewhere,
        "work elsewhere?",
        "would it work at another place; nothing is sent",
    )
    .when(can::foretell),
    portal(
        &[ch('U')],
        PortalAction::Userinfo,
        "userinfo",
        "ask the provider whom it speaks for: groups, roles",
    )
    .when(can::userinfo)
    .footer(9),
    portal(
        &[],
        PortalAction::Introspect,
        "introspect",
        "ask the provider whether its access and refresh token are active",
    )
    .when(can::introspect),
    portal(
        &[],
        PortalAction::RefreshToken,
        "get refresh token",
        "log in once more with offline_access, kept under the same name",
    )
    .when(can::refresh_token),
    portal(&[], PortalAction::Manage, "manage", "the provider's page on which what is active is managed")
        .when(can::manage),
    portal(
        &[],
        PortalAction::Active,
        "logins there",
        "what is held at the provider, one below the other: client, since, last use, end",
    )
    .when(super::active::can),
    portal(
        &[],
        PortalAction::Announced,
        "about the provider",
        "what the provider announces, and what is done about it here",
    )
    .when(can::look_at_provider),
    Binding::new(
        Layer::Board,
        &[ch('=')],
        Action::Reading(ReadingAction::Compare),
        "compare",
        "take it as the first of two tokens, then show what is not the same; a pasted one is the first",
    )
    .when(super::compare::can)
    .says(super::compare::says),
    family(
        Layer::Board,
        &[ch('A')],
        FamilyAction::All,
        "all mytokens",
        "all your mytokens at a server, held here or not",
    )
    .when(can::list_all)
    .footer(8),
    family(Layer::Board, &[ch('T')], FamilyAction::Below, "subtokens", "what grew from the selected mytoken")
        .when(can::look_below)
        .footer(9),
    mytoken(
        Layer::Board,
        &[ch('S')],
        MytokenAction::Successor,
        "successor",
        "make one like it with later dates, under its name",
    )
    .when(can::follow),
    mytoken(
        Layer::Board,
        &[],
        MytokenAction::HandOver,
        "hand over",
        "hand a subtoken of it over by a transfer code",
    )
    .when(can::hand_over),
    mytoken(
        Layer::Board,
        &[],
        MytokenAction::Redeem,
        "redeem a code",
        "take over a mytoken by its transfer code",
    )
    .when(can::redeem),
    mytoken(
        Layer::Board,
        &[],
        MytokenAction::DrawWith,
        "draw with",
        "draw an access token with chosen scopes and audience",
    )
    .when(can::draw_with),
    Binding::new(Layer::Board, &[ch('L')], Action::Unlock, "unlock", "unlock the store for this session")
        .when(safe::is_locked)
        .footer(1),
    Binding::new(Layer::Board, &[], Action::Lock, "lock", "lock the store, for all programs of yours")
        .when(safe::can_lock),
    Binding::new(
        Layer::Board,
        &[],
        Action::MakeStore,
        "keep on disk",
        "make a sealed store for what is in memory only",
    )
    .when(safe::can_make),
    Binding::new(Layer::Board, &[], Action::Guard, "change guard", "change what opens the store")
        .when(|state| safe::can_lock(state) || safe::is_locked(state)),
    Binding::new(Layer::Board, &[key(KeyCode::F(2))], Action::Rename, "rename", "give the row another name")
        .when(can::rename),
    Binding::new(
        Layer::Board,
        &[ch('+')],
        Action::AddProvider,
        "add provider",
        "add a provider by its issuer",
    ),
    Binding::new(Layer::Board, &[ch('/')], Action::Filter, "filter", "narrow the list of this pane")
        .when(can::filter)
        .footer(6),
    Binding::new(Layer::Board, &[ch('s')], Action::Sort, "sort", "sort the tokens by the next column")
        .when(can::sort),
    Binding::new(
        Layer::Board,
        &[ch(':'), ctrl('p')],
        Action::Palette,
        "commands",
        "run anything by its name",
    )
    .footer(6),
    Binding::new(
        Layer::Board,
        &[ch('?'), key(KeyCode::F(1))],
        Action::Help,
        "help",
        "all that works now; runs it too",
    )
    .footer(1),
    Binding::new(
        Layer::Board,
        &[ch('1')],
        Action::Focus(Pane::Providers),
        "providers",
        "go to the providers",
    ),
    Binding::new(Layer::Board, &[ch('2')], Action::Focus(Pane::Tokens), "tokens", "go to the tokens"),
    Binding::new(Layer::Board, &[ch('3')], Action::Focus(Pane::Lookup), "mytoken", "go to the verdict"),
    Binding::new(Layer::Board, &[ch('4')], Action::Focus(Pane::History), "history pane", "go to the history"),
    Binding::new(Layer::Board, &[TAB], Action::NextPane, "next pane", "go to the next pane"),
    Binding::new(
        Layer::Board,
        &[key(KeyCode::BackTab)],
        Action::PreviousPane,
        "previous pane",
        "go to the pane before",
    ),
    Binding::new(Layer::Board, &[DOWN, ch('j')], Action::Down, "down", "one row down"),
    Binding::new(Layer::Board, &[UP, ch('k')], Action::Up, "up", "one row up"),
    Binding::new(Layer::Board, &[PAGE_DOWN], Action::PageDown, "page down", "one page down"),
    Binding::new(Layer::Board, &[PAGE_UP], Action::PageUp, "page up", "one page up"),
    Binding::new(Layer::Board, &[HOME, ch('g')], Action::First, "first", "to the first row"),
    Binding::new(Layer::Board, &[END, ch('G')], Action::Last, "last", "to the last row"),
    Binding::new(
        Layer::Board,
        &[ESC],
        Action::Back,
        "back",
        "leave the pasted token, the filter, the message; never the program",
    )
    .when(can::back),
    Binding::new(Layer::Board, &[ch('u')], Action::Zone, "UTC or local", "times in UTC or local"),
    Binding::new(Layer::Board, &[ch('m')], Action::Mouse, "mouse", "catch or release the mouse"),
    Binding::new(
        Layer::Board,
        &[ch('X')],
        Action::ClearClipboard,
        "clear clipboard",
        "clear the clipboard now",
    )
    .when(|state| state.clipboard.is_some()),
    Binding::new(
        Layer::Board,
        &[ch('q'), ctrl('c')],
        Action::Quit,
        "quit",
        "leave; asks first if something would be lost",
    ),
    // The menu of forms.
    form(&[ch('y')], Form::AccessToken, "access token", "copy the access token"),
    form(&[ch('h')], Form::Header, "header", "copy it as an Authorization header"),
    form(
        &[ch('u')],
        Form::CurlUserinfo,
        "curl, userinfo",
        "copy a curl line for userinfo; it holds no token",
    ),
    form(
        &[ch('q')],
        Form::CurlIntrospection,
        "curl, introspection",
        "copy a curl line for introspection; it holds no token, and asks for the client's secret",
    ),
    form(
        &[ch('w')],
        Form::Renewal,
        "renewal command",
        "copy the line that gets a new access token, through toktui",
    ),
    form(&[ch('j')], Form::Claims, "claims", "copy its claims as JSON"),
    form(&[ch('i')], Form::IdToken, "ID token", "copy the ID token"),
    form(&[ch('m')], Form::Mytoken, "mytoken", "copy the mytoken: long-lived"),
    form(&[ch('t')], Form::RefreshToken, "refresh token", "copy the refresh token: long-lived"),
    form(
        &[ch('W')],
        Form::RenewalWithToken,
        "renewal with token",
        "copy the renewal as portals show it: the refresh token stands in the line",
    ),
    script(&[ch('e')], Script::Environment, "environment", "copy a line that puts it into the environment"),
    script(
        &[ch('n')],
        Script::Snippet(Snippet::CurlNewToken),
        "curl, new token",
        "copy a curl line that draws a new access token each time",
    ),
    script(&[ch('c')], Script::Snippet(Snippet::Curl), "curl", "copy a curl line; it holds no token"),
    script(
        &[ch('p')],
        Script::Snippet(Snippet::Python),
        "Python",
        "copy Python that asks toktui when it runs",
    ),
    script(&[ch('o')], Script::Snippet(Snippet::Toar), "TOAR", "copy Python that asks the TOAR database"),
    script(
        &[ch('s')],
        Script::Snippet(Snippet::Slurm),
        "Slurm",
        "copy a job script that asks toktui when it runs",
    ),
    script(
        &[ch('r')],
        Script::Snippet(Snippet::Rclone),
        "rclone",
        "copy a remote for rclone that asks toktui",
    ),
    mytoken(
        Layer::CopyMenu,
        &[ch('t')],
        MytokenAction::HandOver,
        "hand over",
        "hand a subtoken of it over by a transfer code",
    )
    .when(can::hand_over_from_menu),
    Binding::new(Layer::CopyMenu, &[ENTER], Action::Accept, "copy", "copy the selected form").footer(1),
    // The login panel.
    Binding::new(
        Layer::Login,
        &[ENTER],
        Action::Accept,
        "give address",
        "give the typed address to the login",
    )
    .when(|state| state.login().is_some_and(|login| login.typing && !login.field.is_empty()))
    .footer(1),
    Binding::new(Layer::Login, &[ch('c')], Action::CopyCode, "copy code", "copy the code to type there")
        .when(|state| state.login().is_some_and(|login| login.code().is_some()))
        .footer(2),
    Binding::new(Layer::Login, &[ch('C')], Action::CopyAddress, "copy address", "copy the address to open")
        .when(|state| state.login().is_some_and(|login| login.address().is_some()))
        .footer(2),
    Binding::new(
        Layer::Login,
        &[ch('b')],
        Action::OpenBrowser,
        "open browser",
        "open the browser here (again)",
    )
    .when(|state| state.login().is_some_and(|login| login.address().is_some()))
    .footer(3),
    Binding::new(
        Layer::Login,
        &[ch('s')],
        Action::CopySshLine,
        "copy ssh line",
        "copy the line to type on your laptop",
    )
    .when(|state| state.login().is_some_and(|login| login.ssh_line(&state.seat).is_some()))
    .footer(4),
    Binding::new(Layer::Login, &[ch('o')], Action::ShowQr, "QR alone", "show the QR code alone, or not")
        .when(|state| state.login().is_some_and(|login| login.qr().is_some()))
        .footer(5),
    Binding::new(
        Layer::Login,
        &[ch('d')],
        Action::SignInDemo,
        "sign in (demo)",
        "let the demo's visitor sign in: only the demo can do that",
    )
    .when(|state| state.seat.demo && state.login().is_some_and(|login| login.address().is_some()))
    .footer(1),
    Binding::new(
        Layer::Login,
        &[TAB, ch('p'), ch('4')],
        Action::TypeAddress,
        "type address",
        "type the address that the browser ended on; a paste lands there by itself",
    )
    .when(|state| state.login().is_some_and(super::login::Login::takes_paste))
    .says(|state| if is_typing_address(state) { "leave the field" } else { "type address" })
    .footer(6),
    Binding::new(Layer::Login, &[ESC], Action::Back, "cancel", "cancel the login; nothing is lost")
        .says(|state| if is_typing_address(state) { "leave the field" } else { "cancel" })
        .footer(1),
    // Questions.
    Binding::new(Layer::Which, &[ENTER], Action::Accept, "go on", "go on with this one").footer(1),
    // The create form.
    Binding::new(
        Layer::Create,
        &[ENTER],
        Action::Accept,
        "create",
        "make it: by a login, or from the held mytoken",
    )
    .says(create_says)
    .footer(7),
    Binding::new(
        Layer::Create,
        &[ESC],
        Action::Back,
        "keep as draft",
        "leave it; what was changed is kept as a draft",
    )
    .says(|state| {
        if create::on_top(state).is_some_and(create::Create::is_changed) { "keep as draft" } else { "back" }
    })
    .footer(7),
    in_form(&[TAB, DOWN], CreateAction::Next, "next field", "to the next field").footer(3),
    in_form(&[key(KeyCode::BackTab), UP], CreateAction::Previous, "field before", "to the field before"),
    in_form(&[PAGE_DOWN], CreateAction::NextPart, "next part", "to the next part of the form"),
    in_form(&[PAGE_UP], CreateAction::PreviousPart, "part before", "to the part before"),
    in_form(&[ch(' ')], CreateAction::Switch, "switch", "tick or untick; the next choice")
        .when(|state| stands(state, |item| !matches!(item, Item::Clause(_))))
        .footer(2),
    in_form(&[key(KeyCode::Right)], CreateAction::More, "more", "the next choice; show what lies under it")
        .when(|state| stands(state, chooses))
        .says(
            |state| if stands(state, |item| matches!(item, Item::Capability(_))) { "unfold" } else { "next" },
        ),
    in_form(&[key(KeyCode::Left)], CreateAction::Less, "less", "the choice before; hide what lies under it")
        .when(|state| stands(state, chooses))
        .says(
            |state| if stands(state, |item| matches!(item, Item::Capability(_))) { "fold" } else { "before" },
        ),
    in_form(
        &[key(KeyCode::F(2))],
        CreateAction::ChooseScopes,
        "choose scopes",
        "choose from the provider's scopes",
    )
    .when(|state| {
        stands(state, |item| matches!(item, Item::Member(_, create::typed::Member::Scopes)))
            && create::on_top(state).is_some_and(|form| !form.offered_scopes().is_empty())
    })
    .footer(1),
    in_form(
        &[ch('+')],
        CreateAction::AddClause,
        "another clause",
        "one more clause: it may be used by any one of them",
    ),
    in_form(
        &[ch('-'), key(KeyCode::Delete)],
        CreateAction::DropClause,
        "drop clause",
        "take this clause away",
    )
    .when(|state| stands(state, |item| matches!(item, Item::Clause(_))))
    .footer(1),
    in_form(&[ch('p')], CreateAction::SaveProfile, "save as profile", "save it as a profile of yours")
        .footer(4),
    in_form(&[ch('e')], CreateAction::EditJson, "edit JSON", "edit it as JSON in your editor").footer(5),
    in_form(&[ch('Y')], CreateAction::CopyCommand, "copy command", "copy the command that makes the same")
        .when(|state| create::on_top(state).is_some_and(|form| !form.command.is_empty()))
        .footer(4),
    in_form(&[ch('b')], CreateAction::Blank, "blank", "begin anew, with a blank one")
        .when(|state| create::on_top(state).is_some_and(create::Create::is_changed))
        .footer(6),
    Binding::new(
        Layer::Scopes,
        &[ch(' ')],
        Action::Create(CreateAction::Switch),
        "switch",
        "take it or leave it",
    )
    .footer(1),
    Binding::new(Layer::Scopes, &[ENTER], Action::Accept, "take these", "take the ticked scopes").footer(1),
    Binding::new(
        Layer::Report,
        &[ch('y'), ch('c')],
        Action::Copy,
        "copy",
        "copy an access token of what was just made",
    )
    .when(super::copy::can_copy_granted)
    .footer(2),
    Binding::new(
        Layer::Report,
        &[ch('n')],
        Action::NewMytoken,
        "again",
        "make another one with other settings",
    )
    .when(is_made)
    .footer(2),
    Binding::new(
        Layer::Report,
        &[ch('D')],
        Action::Revoke,
        "revoke it",
        "revoke what was just made; asks first",
    )
    .when(is_made)
    .footer(3),
    Binding::new(Layer::Report, &[ENTER, ESC], Action::Back, "to the board", "back to the board").footer(1),
    Binding::new(Layer::Reading, &[ENTER], Action::Accept, "stay there", "stay where the search has led")
        .when(is_searching)
        .footer(1),
    Binding::new(Layer::Reading, &[ESC, ENTER], Action::Back, "back", "leave the search; back to the board")
        .footer(1),
    reading(&[ch('/')], ReadingAction::Search, "search", "search in names and values")
        .when(is_page)
        .footer(3),
    reading(&[ch('n')], ReadingAction::Next, "next", "to the next line with what is searched for")
        .when(has_sought)
        .footer(2),
    reading(
        &[ch('y'), ch('c')],
        ReadingAction::CopyClaim,
        "copy claim",
        "copy the selected claim's value as text",
    )
    .when(can::read_claims)
    .footer(2),
    reading(
        &[ch('J')],
        ReadingAction::CopyClaims,
        "copy JSON",
        "copy all claims as JSON, without the signature",
    )
    .when(can::read_claims)
    .footer(4),
    Binding::new(
        Layer::Reading,
        &[ch('D')],
        Action::Revoke,
        "revoke it",
        "revoke or forget the login under the cursor; asks first",
    )
    .when(|state| super::active::selected(state).is_some())
    .footer(2),
    mytoken(
        Layer::Reading,
        &[ch('d')],
        MytokenAction::DrawWith,
        "draw with",
        "draw an access token with chosen scopes and audience",
    )
    .when(can::draw_with_from_details)
    .footer(2),
    Binding::new(Layer::Line, &[ENTER], Action::Accept, "accept", "use what is typed")
        .when(|state| state.overlays.last().is_some_and(Overlay::has_text))
        .says(|state| match state.overlays.last() {
            Some(Overlay::Paste(_)) => "look up",
            Some(Overlay::KeepAs(..)) => "keep",
            Some(Overlay::AddProvider(_)) => "add",
            Some(Overlay::Rename(..)) => "rename",
            Some(Overlay::Create(_)) => "save",
            _ => "accept",
        })
        .footer(1),
    Binding::new(Layer::MayAsk, &[ch('a')], Action::AskServer, "ask it", "let this server see the token")
        .footer(2),
    Binding::new(Layer::MayAsk, &[ENTER, ESC], Action::Back, "do not ask", "the server is not asked")
        .footer(1),
    Binding::new(
        Layer::Revoke,
        &[ENTER],
        Action::ConfirmTree,
        "revoke all",
        "revoke it with all that grew from it, once its name is typed",
    )
    .when(revoke::is_confirmed)
    .footer(1),
    Binding::new(Layer::Revoke, &[ENTER, ESC], Action::Back, "cancel", "back; nothing is done").footer(1),
    Binding::new(
        Layer::Revoke,
        &[ch('x')],
        Action::ConfirmRevoke,
        "revoke",
        "revoke it, at once and for good",
    )
    .when(revoke::is_revocable)
    .footer(1),
    Binding::new(
        Layer::Revoke,
        &[ch('t')],
        Action::RevokeTree,
        "with its subtokens",
        "revoke it with all that grew from it; its name must be typed",
    )
    .when(revoke::has_grown)
    .says(revoke::tree_says)
    .footer(2),
    Binding::new(
        Layer::Revoke,
        &[ch('f')],
        Action::ConfirmForget,
        "forget here",
        "forget it here only; it lives on at its server",
    )
    .when(revoke::can_forget)
    .footer(1),
    // All mytokens at a server.
    family(Layer::Family, &[ENTER], FamilyAction::Open, "details", "all that is known of the selected one")
        .when(can::family_selected)
        .footer(2),
    Binding::new(Layer::Family, &[ENTER], Action::Accept, "keep filter", "keep the filter")
        .when(can::family_filtering)
        .footer(1),
    family(Layer::Family, &[ch('r')], FamilyAction::Read, "read", "read the list at its server (again)")
        .when(can::family_read)
        .says(can::family_read_says)
        .footer(2),
    family(
        Layer::Family,
        &[ch('m')],
        FamilyAction::Manager,
        "manager login",
        "log in for a mytoken of one hour that may list, revoke and read histories",
    )
    .when(can::family_manager)
    .footer(1),
    family(Layer::Family, &[ch('h')], FamilyAction::History, "history", "read the selected one's history")
        .when(can::family_history)
        .footer(3),
    family(
        Layer::Family,
        &[ch('u')],
        FamilyAction::LastUses,
        "last uses",
        "read when each of them was last used",
    )
    .when(can::family_last_uses)
    .footer(4),
    family(Layer::Family, &[ch('D')], FamilyAction::Revoke, "revoke", "revoke it, or all marked; asks first")
        .when(can::family_revoke)
        .footer(3),
    family(Layer::Family, &[ch(' ')], FamilyAction::Mark, "mark", "mark it, or not")
        .when(can::family_selected)
        .footer(4),
    family(Layer::Family, &[ch('/')], FamilyAction::Filter, "filter", "narrow the list")
        .when(can::family_listed)
        .footer(5),
    family(Layer::Family, &[ch('s')], FamilyAction::Sort, "sort", "the next order")
        .when(can::family_listed)
        .footer(6),
    // A sheet.
    Binding::new(Layer::Sheet, &[ENTER], Action::Accept, "go on", "do what the sheet is for")
        .when(can::sheet_accepts)
        .says(can::sheet_says)
        .footer(1),
    Binding::new(Layer::Sheet, &[TAB, DOWN, ENTER], Action::NextLine, "next line", "to the next line")
        .footer(3),
    Binding::new(
        Layer::Sheet,
        &[key(KeyCode::BackTab), UP],
        Action::PreviousLine,
        "line before",
        "to the line before",
    ),
    Binding::new(
        Layer::Sheet,
        &[ch(' '), key(KeyCode::Right), key(KeyCode::Left)],
        Action::Switch,
        "switch",
        "the next choice",
    )
    .when(can::sheet_switches)
    .footer(2),
    // A transfer code.
    mytoken(
        Layer::Handing,
        &[ch('c'), ch('y')],
        MytokenAction::CopyHandedCode,
        "copy code",
        "copy the code: whoever has it has the mytoken",
    )
    .when(handing::is_waiting)
    .footer(1),
    mytoken(
        Layer::Handing,
        &[ch('C')],
        MytokenAction::CopyHandedCommand,
        "copy command",
        "copy the command for the other side; the code is no part of it",
    )
    .when(handing::is_waiting)
    .footer(2),
    mytoken(
        Layer::Handing,
        &[ch('o')],
        MytokenAction::HandedQr,
        "QR alone",
        "show the QR code alone, or not",
    )
    .when(handing::is_waiting)
    .footer(4),
    mytoken(
        Layer::Handing,
        &[ch('x')],
        MytokenAction::Withdraw,
        "withdraw",
        "take the code back before anybody redeems it",
    )
    .when(handing::is_waiting)
    .footer(3),
    Binding::new(
        Layer::Handing,
        &[ESC, ENTER],
        Action::Back,
        "close",
        "close the window; the code waits on until it ends",
    )
    .footer(2),
    // The store.
    Binding::new(Layer::Guarding, &[ENTER], Action::Accept, "choose", "this one")
        .when(|state| !is_working(state))
        .says(|state| if is_typing(state) { "go on" } else { "choose" })
        .footer(1),
    Binding::new(Layer::Guarding, &[ESC], Action::Back, "not now", "back; nothing is lost")
        .says(|state| if is_typing(state) { "back" } else { "not now" })
        .footer(1),
    Binding::new(Layer::Unlock, &[ENTER], Action::Accept, "unlock", "unlock by what is typed, or try again")
        .when(safe::can_try)
        .says(|state| if is_typing(state) { "unlock" } else { "try again" })
        .footer(1),
    Binding::new(Layer::Unlock, &[ESC], Action::Back, "not now", "leave it locked").footer(1),
    Binding::new(Layer::QuitLoses, &[ENTER, ESC], Action::Back, "stay", "stay").footer(1),
    Binding::new(
        Layer::QuitLoses,
        &[ch('x')],
        Action::QuitAnyway,
        "quit anyway",
        "quit and lose what is in memory only",
    )
    .footer(1),
    Binding::new(
        Layer::QuitLoses,
        &[ch('s')],
        Action::MakeStore,
        "keep on disk",
        "make a sealed store for them instead",
    )
    .when(safe::can_make)
    .footer(1),
    Binding::new(Layer::QuitLoses, &[ch('w')], Action::SaveAgain, "try again", "try again to write them")
        .when(safe::has_unsaved)
        .footer(1),
    Binding::new(
        Layer::QuitLoses,
        &[ch('W')],
        Action::CopyUnsaved,
        "copy",
        "copy the value that was not written",
    )
    .when(safe::has_unsaved)
    .footer(1),
    Binding::new(
        Layer::QuitLoses,
        &[ch('p')],
        Action::QuitPrinting,
        "print and quit",
        "quit, and print them on the terminal",
    )
    .when(safe::has_unsaved)
    .footer(1),
    // Typing and running.
    Binding::new(Layer::Filter, &[ENTER], Action::Accept, "keep filter", "keep the filter").footer(1),
    Binding::new(Layer::Filter, &[ESC], Action::Back, "show all", "show all again").footer(1),
    Binding::new(Layer::Help, &[ENTER], Action::Accept, "run", "run the selected line").footer(1),
    Binding::new(Layer::Help, &[ESC, ch('?')], Action::Back, "back", "leave the help").footer(1),
    Binding::new(Layer::Palette, &[ENTER], Action::Accept, "run", "run the selected command").footer(1),
    // Lists, windows, everything.
    Binding::new(Layer::List, &[DOWN, ch('j')], Action::Down, "down", "one line down"),
    Binding::new(Layer::List, &[UP, ch('k')], Action::Up, "up", "one line up"),
    Binding::new(Layer::List, &[PAGE_DOWN, ch(' ')], Action::PageDown, "page down", "one page down"),
    Binding::new(Layer::List, &[PAGE_UP], Action::PageUp, "page up", "one page up"),
    Binding::new(Layer::List, &[HOME, ch('g')], Action::First, "first", "to the first line"),
    Binding::new(Layer::List, &[END, ch('G')], Action::Last, "last", "to the last line"),
    Binding::new(Layer::Over, &[ESC], Action::Back, "back", "back").footer(2),
    Binding::new(
        Layer::Over,
        &[ch('?'), key(KeyCode::F(1))],
        Action::Help,
        "help",
        "all that works now; runs it too",
    )
    .when(|state| {
        !matches!(
            state.overlays.last(),
            Some(
                Overlay::Help(_)
                    | Overlay::MayAsk(..)
                    | Overlay::Revoke(_)
                    | Overlay::Guarding(_)
                    | Overlay::Unlock(_)
                    | Overlay::QuitLoses(_)
            )
        )
    })
    .footer(9),
    Binding::new(
        Layer::Over,
        &[ctrl('c')],
        Action::Quit,
        "quit",
        "leave; asks first if something would be lost",
    )
    .when(|state| !matches!(state.overlays.last(), Some(Overlay::QuitLoses(_)))),
    Binding::new(Layer::Always, &[ctrl('l')], Action::Redraw, "redraw", "draw everything anew"),
    Binding::new(
        Layer::Always,
        &[ctrl('z')],
        Action::Suspend,
        "suspend",
        "put the program aside; `fg` brings it back",
    ),
];

const fn script(keys: &'static [Key], script: Script, label: &'static str, hint: &'static str) -> Binding {
    use super::copy::menu_offers_script as offers;
    let when: fn(&State) -> bool = match script {
        Script::Environment => |state| offers(state, Script::Environment),
        Script::Snippet(Snippet::Curl) => |state| offers(state, Script::Snippet(Snippet::Curl)),
        Script::Snippet(Snippet::CurlNewToken) => {
            |state| offers(state, Script::Snippet(Snippet::CurlNewToken))
        }
        Script::Snippet(Snippet::Python) => |state| offers(state, Script::Snippet(Snippet::Python)),
        Script::Snippet(Snippet::Toar) => |state| offers(state, Script::Snippet(Snippet::Toar)),
        Script::Snippet(Snippet::Slurm) => |state| offers(state, Script::Snippet(Snippet::Slurm)),
        Script::Snippet(Snippet::Rclone) => |state| offers(state, Script::Snippet(Snippet::Rclone)),
    };
    Binding::new(Layer::CopyMenu, keys, Action::CopyScript(script), label, hint).when(when)
}

const fn portal(
    keys: &'static [Key],
    action: PortalAction,
    label: &'static str,
    hint: &'static str,
) -> Binding {
    Binding::new(Layer::Board, keys, Action::Portal(action), label, hint)
}

const fn family(
    layer: Layer,
    keys: &'static [Key],
    action: FamilyAction,
    label: &'static str,
    hint: &'static str,
) -> Binding {
    Binding::new(layer, keys, Action::Family(action), label, hint)
}

const fn reading(
    keys: &'static [Key],
    action: ReadingAction,
    label: &'static str,
    hint: &'static str,
) -> Binding {
    Binding::new(Layer::Reading, keys, Action::Reading(action), label, hint)
}

fn is_page(state: &State) -> bool {
    state.overlays.last().is_some_and(|overlay| overlay.page().is_some())
}

fn is_searching(state: &State) -> bool {
    state.overlays.last().and_then(Overlay::page).is_some_and(|list| list.typing)
}

fn has_sought(state: &State) -> bool {
    state.overlays.last().and_then(Overlay::page).is_some_and(|list| !list.sought.value().trim().is_empty())
}

const fn mytoken(
    layer: Layer,
    keys: &'static [Key],
    action: MytokenAction,
    label: &'static str,
    hint: &'static str,
) -> Binding {
    Binding::new(layer, keys, Action::Mytoken(action), label, hint)
}

const fn form(keys: &'static [Key], form: Form, label: &'static str, hint: &'static str) -> Binding {
    let when: fn(&State) -> bool = match form {
        Form::AccessToken => |state| super::copy::menu_offers(state, Form::AccessToken),
        Form::Header => |state| super::copy::menu_offers(state, Form::Header),
        Form::CurlUserinfo => |state| super::copy::menu_offers(state, Form::CurlUserinfo),
        Form::CurlIntrospection => |state| super::copy::menu_offers(state, Form::CurlIntrospection),
        Form::Renewal => |state| super::copy::menu_offers(state, Form::Renewal),
        Form::RenewalWithToken => |state| super::copy::menu_offers(state, Form::RenewalWithToken),
        Form::Claims => |state| super::copy::menu_offers(state, Form::Claims),
        Form::IdToken => |state| super::copy::menu_offers(state, Form::IdToken),
        Form::Mytoken => |state| super::copy::menu_offers(state, Form::Mytoken),
        Form::RefreshToken => |state| super::copy::menu_offers(state, Form::RefreshToken),
    };
    Binding::new(Layer::CopyMenu, keys, Action::CopyForm(form), label, hint).when(when)
}

const fn in_form(
    keys: &'static [Key],
    action: CreateAction,
    label: &'static str,
    hint: &'static str,
) -> Binding {
    Binding::new(Layer::Create, keys, Action::Create(action), label, hint)
}

/// Whether the cursor of the open form stands on such a place.
fn stands(state: &State, on: fn(Item) -> bool) -> bool {
    create::on_top(state).is_some_and(|form| matches!(form.over, Over::Nothing) && on(form.at))
}

/// Whether something is chosen or unfolded there.
const fn chooses(item: Item) -> bool {
    matches!(
        item,
        Item::Start | Item::Server | Item::From | Item::Provider | Item::Answer | Item::Capability(_)
    )
}

/// What Enter does in the form.
fn create_says(state: &State) -> &'static str {
    match create::on_top(state) {
        Some(form) if form.at == Item::Another => "another clause",
        Some(form) if form.parent.is_some() => "create from it",
        _ => "create",
    }
}

/// Whether the report on show is that of a mytoken.
fn is_made(state: &State) -> bool {
    super::copy::granted(state).and_then(create::facts).is_some()
}

/// Whether letters are typed in the topmost window.
fn is_typing(state: &State) -> bool {
    state.overlays.last().is_some_and(Overlay::is_typing)
}

fn is_working(state: &State) -> bool {
    matches!(
        state.overlays.last(),
        Some(Overlay::Guarding(choosing)) if matches!(choosing.stage, Stage::Working(_))
    )
}

fn is_typing_address(state: &State) -> bool {
    state.login().is_some_and(|login| login.typing)
}
