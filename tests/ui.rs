//! What the board looks like: stored screens, and the promises that hold on every one of them.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

#[path = "support/board.rs"]
mod board;
#[path = "support/families.rs"]
mod families;

use board::{
    act, after, board as empty_board, credentials, frame, frame_at, joining, journal, logging_in, looked_up,
    morning, noon, plain, press, report, screen, select, text,
};
use insta::assert_snapshot;
use jiff::SignedDuration;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use toktui::app::action::{Action, CreateAction};
use toktui::app::effect::{Finding, Made, Outcome, Target, Task};
use toktui::app::field::Field;
use toktui::app::login::{WhichClient, WhichProvider};
use toktui::app::message::Message;
use toktui::app::overlay::{List, Loss, Overlay};
use toktui::app::state::{Notice, Pane, State, Tone};
use toktui::app::update::update;
use toktui::domain::credential::{Chain, Held};
use toktui::domain::failure::{Failure, Kind};
use toktui::domain::form::Form;
use toktui::domain::login::{Choice, Order};
use toktui::domain::offer::{Offer, Offered};
use toktui::domain::source::{PublicClient, Redirect};
use toktui::domain::time::later;
use toktui::domain::untrusted::Untrusted;
use toktui::domain::vault::Vault;
use toktui::domain::verdict::Standing;
use toktui::ui::{Colours, Glyphs, Theme};

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (120, 34);

fn with(size: (u16, u16), overlay: Overlay) -> State {
    let mut state = morning(size);
    state.overlays.push(overlay);
    state
}

fn order() -> Order {
    Order { open_browser: true, ..Order::at("mytoken-kit".into()) }
}

/// The first question, as soon as the keyring has answered.
fn guarding(size: (u16, u16)) -> State {
    let mut state = empty_board(size, Vec::new(), Vec::new());
    let folder = Some("/home/jane/.local/share/toktui/store".into());
    board::with_vault(&mut state, Vault { keyring: Some(true), folder, ..Vault::default() });
    press(&mut state, "l");
    state
}

/// Every screen that is about the store.
fn store_screens(size: (u16, u16)) -> Vec<(&'static str, State)> {
    vec![
        ("custodies", board::custodies(size)),
        ("locked", board::locked(size)),
        ("details_of_a_pause", {
            let mut state = board::custodies(size);
            state.overlays.push(Overlay::Details(board::id("waits"), List::default()));
            state
        }),
        ("guarding", guarding(size)),
        ("guarding_passphrase", {
            let mut state = guarding(size);
            press(&mut state, "j\nhunter2");
            state
        }),
        ("guarding_key_file", {
            let mut state = guarding(size);
            press(&mut state, "jj\nkey");
            state
        }),
        ("unlock", {
            let mut state = board::locked(size);
            press(&mut state, "yhunter2");
            state
        }),
        ("rename", with(size, Overlay::Rename(board::id("toar"), Field::new("toar-2027")))),
        ("quit_not_saved", {
            let mut state = board::custodies(size);
            press(&mut state, "q");
            state
        }),
        ("leaving", {
            let mut state = morning(size);
            select(&mut state, "egi");
            press(&mut state, "r");
            let _ = update(&mut state, Message::Leaving, noon());
            state
        }),
    ]
}

/// What the server of the built-in profile offers.
fn offered(restrictions: &[&str]) -> Offer {
    let scopes = ["openid", "profile", "email", "eduperson_unique_id", "offline_access", "entitlements"];
    let provider = |issuer: &str, name: &str| Offered {
        issuer: issuer.into(),
        name: name.into(),
        scopes: scopes.map(Untrusted::from).to_vec(),
    };
    Offer {
        server: Some("mytoken-kit".into()),
        providers: vec![provider(board::HELMHOLTZ, "Helmholtz ID"), provider(board::EGI, "EGI Check-in")],
        restrictions: restrictions.iter().map(|name| (*name).to_owned()).collect(),
        version: Some("0.10.2".into()),
        ..Offer::default()
    }
}

/// The form, after these keys.
fn creating(size: (u16, u16), keys: &str) -> State {
    let mut state = empty_board(size, Vec::new(), Vec::new());
    press(&mut state, "n");
    let made = Made::Offer("mytoken-kit".into(), Ok(Box::new(offered(&[]))));
    board::tell(&mut state, Outcome::Made(made));
    press(&mut state, keys);
    state
}

/// Tabs that lead from the profile to the scopes of the first clause.
const TO_SCOPES: &str = "\t\t\t\t\t\t\t\t\t\t\t\t\t\t";

/// Every screen that is about making a mytoken.
fn form_screens(size: (u16, u16)) -> Vec<(&'static str, State)> {
    let mut blank = creating(size, "");
    for _ in 0..blank_after(&blank) {
        act(&mut blank, Action::Create(CreateAction::More));
    }
    let mut narrow = creating(size, "");
    let kept = offered(&["nbf", "exp", "scope", "usages_AT"]);
    let made = Made::Offer("mytoken-kit".into(), Ok(Box::new(kept)));
    board::tell(&mut narrow, Outcome::Made(made));
    let mut scopes = creating(size, TO_SCOPES);
    act(&mut scopes, Action::Create(CreateAction::ChooseScopes));
    let mut clauses = creating(size, "+");
    press(&mut clauses, "\temail\t\t\t7d\t\t9");
    let mut tree = creating(size, "\t\t\t\t\t\t\t");
    act(&mut tree, Action::Create(CreateAction::More));
    press(&mut tree, " ");
    vec![
        ("create", creating(size, "")),
        ("create_blank", blank),
        ("create_narrow", narrow),
        ("create_scopes", scopes),
        ("create_clauses", clauses),
        ("create_capabilities", tree),
        ("create_unreadable", creating(size, &format!("{TO_SCOPES}\t\t\tx"))),
        ("create_profile_name", creating(size, "p")),
        ("created_wider", with(size, Overlay::Granted(Box::new(board::wider_report())))),
    ]
}

/// How many steps lead from the chosen profile to the blank one.
fn blank_after(state: &State) -> usize {
    let form = toktui::app::create::on_top(state).expect("the form");
    form.starts.len() - 1 - form.start
}

/// Every screen there is, by name.
fn screens(size: (u16, u16)) -> Vec<(&'static str, State)> {
    let mut screens = other_screens(size);
    screens.extend(store_screens(size));
    screens.extend(form_screens(size));
    screens.extend(mytoken_screens(size));
    screens
}

/// Every screen about families of mytokens and what is done with single ones.
fn mytoken_screens(size: (u16, u16)) -> Vec<(&'static str, State)> {
    let typed = |mut state: State, keys: &str| {
        press(&mut state, keys);
        state
    };
    let listed = || families::with_list(size, families::all());
    vec![
        ("all_mytokens", listed()),
        ("all_mytokens_filtered", typed(listed(), "/to")),
        ("all_mytokens_marked", typed(listed(), "jjj s")),
        ("all_mytokens_nobody", families::unread(size, false)),
        ("all_mytokens_at_a_price", families::unread(size, true)),
        ("all_mytokens_limited", families::limited(size)),
        ("listed_details", families::details(size, board::server_events())),
        ("revoke_with_subtokens", families::revoking(size)),
        ("revoke_by_name", typed(families::revoking(size), "ttoa")),
        ("revoke_marked", families::revoking_marked(size)),
        ("outlast_uses", families::sheet(size, "w")),
        ("outlast_breaks", typed(families::sheet(size, "w"), "\u{8}\u{8}\u{8}8d\t2h")),
        ("outlast_unreadable", typed(families::sheet(size, "w"), "x")),
        ("elsewhere", typed(families::sheet(size, "W"), "10.0.0.7")),
        ("draw_with", families::sheet(size, "\nd")),
        ("hand_over", families::hand_over(size)),
        ("hand_over_itself", typed(families::hand_over(size), " \n")),
        ("handing_over", families::handing(size, families::handed())),
        ("handing_over_qr", typed(families::handing(size, families::handed()), "o")),
        ("redeem", families::sheet(size, ":redeem\n")),
        ("event", typed(morning(size), "4\n")),
        ("read_only", {
            let mut state = morning(size);
            state.seat.read_only = true;
            state
        }),
    ]
}

#[test]
fn the_row_that_waits_to_be_compared_is_marked_until_it_is() {
    let mut state = morning(SMALL);
    select(&mut state, "egi");
    press(&mut state, "=");
    assert!(screen(&state).contains("▸•egi "), "{}", screen(&state));
    select(&mut state, "toar");
    press(&mut state, "=");
    assert!(screen(&state).contains("egi against toar"), "{}", screen(&state));
    state.overlays.clear();
    assert!(!screen(&state).contains('•'), "{}", screen(&state));
}

/// The dialogue for a login as a client that is borrowed.
fn revoking_a_login(size: (u16, u16)) -> State {
    let mut state = morning(size);
    let borrowed = |mut held: Held| {
        if let Chain::Refresh { through, .. } = &mut held.chain {
            through.client = Some("oidc-agent".to_owned());
        }
        held
    };
    let mut wallet = state.wallet.clone();
    wallet.held = wallet.held.iter().cloned().map(borrowed).collect();
    board::tell(&mut state, Outcome::Changed(wallet));
    select(&mut state, "egi");
    press(&mut state, "D");
    state
}

/// Every other screen.
fn other_screens(size: (u16, u16)) -> Vec<(&'static str, State)> {
    let list = List::default;
    let mut alone = logging_in(size, true);
    act(&mut alone, Action::ShowQr);
    let mut revoke = morning(size);
    press(&mut revoke, "D");
    let mut palette = morning(size);
    press(&mut palette, ":ren");
    let mut login_shown = morning(size);
    select(&mut login_shown, "egi");
    let mut failed = Failure::new(Kind::Unreached, "Renewing egi", "aai.egi.eu did not answer within 3 s");
    failed.hint = Some("Look at the network, then press the same key again.".to_owned());
    let public = vec![PublicClient {
        id: "oidc-agent".to_owned(),
        note: "made for oidc-agent".to_owned(),
        redirect: Redirect::default(),
    }];
    let specimen = looked_up(size, Standing::Valid).lookup.pasted.expect("something pasted").specimen;
    let choices =
        [("https://aai.egi.eu/auth/realms/egi", "EGI Check-in"), (board::HELMHOLTZ, "Helmholtz ID")]
            .map(|(issuer, name)| Choice { issuer: issuer.to_owned(), name: name.into() });
    vec![
        ("first_run", empty_board(size, Vec::new(), Vec::new())),
        ("board", morning(size)),
        ("board_with_a_login_selected", login_shown),
        ("conditions", board::conditions(size)),
        ("restricted", board::restricted(size)),
        ("login", logging_in(size, false)),
        ("login_over_ssh", logging_in(size, true)),
        ("login_joined", joining(size)),
        ("qr_alone", alone),
        ("copy_menu", with(size, Overlay::CopyMenu(board::id("toar"), list()))),
        ("details", with(size, Overlay::Details(board::id("toar"), list()))),
        ("held_there", with(size, Overlay::Active("egi".into(), list()))),
        ("compared", with(size, Overlay::Compared(Box::new(board::comparison()), list()))),
        ("granted", with(size, Overlay::Granted(Box::new(report())))),
        ("registered", {
            let mut state = morning(size);
            let wlcg = state.source(&"wlcg".into()).expect("built in").clone();
            let registered = Box::new(board::registered(wlcg));
            state.overlays.push(Overlay::Registered(registered, order()));
            state
        }),
        ("revoke", revoke),
        ("revoke_a_login", revoking_a_login(size)),
        ("help", with(size, Overlay::Help(list()))),
        ("palette", palette),
        ("failed", with(size, Overlay::Failed(failed))),
        ("paste", with(size, Overlay::Paste(Field::new("tok-never-shown")))),
        ("may_ask", {
            let target = Target::Pasted(Box::new(specimen.clone()));
            with(size, Overlay::MayAsk("https://mytoken.example".to_owned(), Box::new(target)))
        }),
        ("keep_as", with(size, Overlay::KeepAs(Box::new(specimen), Field::new("toar")))),
        ("add_provider", with(size, Overlay::AddProvider(Field::new("https://idp.example")))),
        (
            "quit_loses",
            with(
                size,
                Overlay::QuitLoses(Loss {
                    memory: ["egi", "toar"].map(str::to_owned).to_vec(),
                    ..Loss::default()
                }),
            ),
        ),
        ("filter", with(size, Overlay::Filter(Field::new("egi")))),
        (
            "which_provider",
            with(
                size,
                Overlay::WhichProvider(WhichProvider {
                    task: Task(1),
                    order: order(),
                    manages: false,
                    choices: choices.to_vec(),
                    selected: 1,
                }),
            ),
        ),
        (
            "which_client",
            with(
                size,
                Overlay::WhichClient(WhichClient {
                    order: order(),
                    field: Field::default(),
                    selected: 1,
                    registers: true,
                    public,
                }),
            ),
        ),
    ]
}

#[test]
fn the_stored_screens_are_those_of_the_program() {
    for (size, suffix) in [(SMALL, "80x24"), (LARGE, "120x34")] {
        for (name, state) in screens(size) {
            assert_snapshot!(format!("{name}_{suffix}"), screen(&state));
        }
    }
    assert_snapshot!("login_110x32", screen(&logging_in((110, 32), false)));
    for (name, state) in form_screens((110, 34)) {
        assert_snapshot!(format!("{name}_110x34"), screen(&state));
    }
    assert_snapshot!("revoke_a_login_40x12", screen(&revoking_a_login((40, 12))));
    let compared = Overlay::Compared(Box::new(board::comparison()), List::default());
    assert_snapshot!("compared_40x12", screen(&with((40, 12), compared)));
    assert_snapshot!("create_40x12", screen(&creating((40, 12), "")));
}

#[test]
fn each_verdict_says_why_in_the_pane_of_the_small_screen() {
    let mut all = String::new();
    for standing in Standing::ALL {
        let screen = screen(&looked_up(SMALL, standing));
        let pane = screen.lines().skip(12).take(10);
        pane.for_each(|line| all.extend(line.chars().take(46).chain(['\n'])));
    }
    assert_snapshot!("verdicts", all);
}

#[test]
fn a_locale_without_utf_8_gets_no_byte_above_ascii() {
    let theme = Theme::new(Glyphs::Ascii, Colours::Ansi);
    for size in [SMALL, LARGE, (40, 12), (10, 2)] {
        for (name, mut state) in screens(size) {
            state.notice =
                Some(Notice { text: "Grüße · 日本".to_owned(), tone: Tone::Good, until: None });
            let screen = text(&frame(&state, &theme));
            assert!(screen.is_ascii(), "{name}: {screen}");
        }
    }
    assert_snapshot!("board_ascii", text(&frame(&morning(SMALL), &theme)));
}

#[test]
fn no_color_leaves_bold_dim_and_reverse() {
    let theme = Theme::new(Glyphs::Unicode, Colours::None);
    for (name, state) in screens(LARGE).into_iter().filter(|(name, _)| !is_code(name)) {
        let buffer = frame(&state, &theme);
        let coloured = buffer.content.iter().find(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset);
        assert_eq!(coloured, None, "{name}");
    }
    let board = frame(&morning(LARGE), &theme);
    for modifier in [Modifier::BOLD, Modifier::DIM, Modifier::REVERSED] {
        assert!(board.content.iter().any(|cell| cell.modifier.contains(modifier)), "{modifier:?}");
    }
}

/// A QR code keeps its ground under `NO_COLOR`: dark on light is what it says, not how it is adorned.
fn is_code(name: &str) -> bool {
    ["login", "login_over_ssh", "qr_alone", "handing_over", "handing_over_qr"].contains(&name)
}

#[test]
fn only_the_sixteen_colours_of_the_terminal_are_used() {
    for (name, state) in screens(LARGE) {
        for cell in &frame(&state, &plain()).content {
            for colour in [cell.fg, cell.bg] {
                assert!(!matches!(colour, Color::Rgb(..) | Color::Indexed(_)), "{name}: {colour:?}");
            }
        }
    }
}

/// The style of the first cell at which `words` stand.
fn style_of(buffer: &Buffer, words: &str) -> (Color, Modifier) {
    let width = usize::from(buffer.area.width);
    let symbols: Vec<&str> = buffer.content.iter().map(Cell::symbol).collect();
    let wanted: Vec<String> = words.chars().map(String::from).collect();
    let at = symbols.windows(wanted.len()).position(|window| window.iter().eq(wanted.iter())).expect(words);
    let cell = &buffer.content[at];
    assert!(at % width + wanted.len() <= width, "{words} on one line");
    (cell.fg, cell.modifier)
}

#[test]
fn focus_and_freshness_have_a_style_and_never_only_that() {
    let mut state = morning(LARGE);
    state.notice = Some(Notice { text: "It did not work".to_owned(), tone: Tone::Bad, until: None });
    let buffer = frame(&state, &plain());
    let styles = [
        "Tokens",
        "Providers",
        "4 live",
        "ending 58s",
        "9m 41s",
        "expired 4y ago",
        "none yet",
        "VALID",
        "new address",
        "It did not work",
        "✘ It",
        "copy as",
        "Y copy",
    ]
    .map(|words| format!("{words:<16} {:?}", style_of(&buffer, words)));
    assert_snapshot!("styles", styles.join("\n"));
}

#[test]
fn nothing_panics_on_any_small_screen() {
    for (number, (_, mut state)) in screens(SMALL).into_iter().enumerate() {
        for width in 0..=40 {
            for height in 0..=15 {
                // Where one sentence is all there is, nothing else is drawn: once is enough.
                if number > 0 && (width < 23 || height < 5) {
                    continue;
                }
                state.size = (width, height);
                frame(&state, &plain());
            }
        }
    }
}

#[test]
fn a_frame_of_another_size_than_the_state_thinks_does_not_panic() {
    for (_, mut state) in screens(LARGE) {
        for size in [(0, 0), (1, 1), (200, 1), (1, 200), (33, 9), (200, 100)] {
            let small = State { size, ..state.clone() };
            let mut terminal = ratatui::Terminal::new(ratatui::backend::TestBackend::new(size.0, size.1))
                .expect("a terminal");
            for state in [&small, &state] {
                terminal.draw(|frame| toktui::ui::draw(frame, state, &plain(), noon())).expect("drawn");
            }
        }
        state.size = (20, 3);
        let sentence = screen(&state);
        assert!(sentence.contains("needs 24x6"), "{sentence}");
    }
}

#[test]
fn the_same_state_at_the_same_moment_gives_the_same_screen() {
    for (_, state) in screens(LARGE) {
        assert_eq!(frame(&state, &plain()), frame(&state, &plain()));
    }
}

#[test]
fn the_screen_stands_still_until_the_moment_that_next_change_names() {
    for size in [SMALL, LARGE] {
        for (name, mut state) in screens(size) {
            let mut now = noon();
            for _ in 0..12 {
                let Some(next) = state.next_change(now) else { break };
                let still = later(next, SignedDuration::from_millis(-2)).max(now);
                let (before, after) = (frame_at(&state, &plain(), now), frame_at(&state, &plain(), still));
                assert_eq!(text(&before), text(&after), "{name} from {now} to {still}");
                assert_eq!(before, after, "{name}: its styles from {now} to {still}");
                let _ = update(&mut state, Message::Tick, next);
                now = next;
            }
        }
    }
}

#[test]
fn no_character_of_a_token_is_on_any_screen() {
    for size in [SMALL, LARGE] {
        for (name, state) in screens(size) {
            assert!(!screen(&state).contains("tok-"), "{name}");
        }
        for standing in Standing::ALL {
            assert!(!screen(&looked_up(size, standing)).contains("tok-"));
        }
    }
}

#[test]
fn every_column_is_whole_at_every_width() {
    for width in 72..=200 {
        let screen = screen(&morning((width, 34)));
        assert!(screen.contains("ending 58s") && screen.contains("9m 41s"), "{width}: {screen}");
        for cut in ["ending 5…", "9m 4…", "394…", "3d 0…", "13 le…", "13 of…"] {
            assert!(!screen.contains(cut), "{width}: {screen}");
        }
    }
}

#[test]
fn a_row_keeps_its_columns_while_its_countdown_runs() {
    let state = morning(LARGE);
    let column_of_end = |seconds: i64| {
        let buffer = frame_at(&state, &plain(), after(seconds));
        let screen = text(&buffer);
        let row = screen.lines().find(|line| line.contains(" egi ")).expect("the row").to_owned();
        row.chars()
            .collect::<Vec<_>>()
            .windows(4)
            .position(|window| window.iter().collect::<String>() == "refr")
    };
    assert!(column_of_end(0).is_some());
    for seconds in [1, 59, 600, 1800, 2400, 2470, 2520] {
        assert_eq!(column_of_end(seconds), column_of_end(0), "after {seconds} s");
    }
}

#[test]
fn what_does_not_work_now_is_not_offered() {
    let mut state = morning(SMALL);
    select(&mut state, "old-egi");
    let screen = screen(&state);
    assert!(!screen.contains("y copy") && !screen.contains("r renew"), "{screen}");
}

#[test]
fn a_copied_token_counts_down_on_the_message_line() {
    let mut state = morning(SMALL);
    state.clipboard = Some(toktui::app::state::OnClipboard {
        what: "the access token of toar".to_owned(),
        remark: None,
        ends: Some(after(581)),
        certain: true,
        route: "the desktop clipboard",
        until: after(45),
    });
    let line = |seconds| text(&frame_at(&state, &plain(), after(seconds))).lines().nth(22).map(str::to_owned);
    let expected = " ✔ Copied the access token of toar · it ends in 9m 41s · clipboard cleared in 45 s";
    let large = State { size: LARGE, ..state.clone() };
    assert_eq!(screen(&large).lines().nth(32), Some(expected));
    assert_eq!(line(1).as_deref(), Some(" ✔ Copied the access token of toar · clipboard cleared in 44 s"));
}

#[test]
fn the_frame_does_not_grow_with_what_is_held() {
    let many: Vec<_> = (0..3000)
        .map(|number| {
            let mut held = credentials().remove(0);
            held.id = board::id(&number.to_string());
            held.name = format!("name-{number}");
            held
        })
        .collect();
    let state = empty_board(SMALL, many, journal());
    let screen = screen(&state);
    assert!(screen.contains("3000 live"), "{screen}");
    assert!(screen.contains("of 3000"), "{screen}");
}

/// The shortest of several times that something takes: what else runs on this machine makes it longer, never shorter.
#[allow(clippy::disallowed_methods, reason = "only the ratio of two times is looked at")]
fn shortest(mut work: impl FnMut()) -> std::time::Duration {
    let timed = |_| {
        let started = std::time::Instant::now();
        work();
        started.elapsed()
    };
    (0..7).map(timed).min().unwrap_or_default()
}

fn holding(many: usize) -> State {
    let one = credentials().remove(0);
    let held = (0..many).map(|number| {
        let (id, name) = (board::id(&number.to_string()), format!("name-{number}"));
        toktui::domain::credential::Held { id, name, ..one.clone() }
    });
    let event = journal().remove(0);
    empty_board(LARGE, held.collect(), vec![event; many])
}

#[test]
fn a_key_and_its_frame_cost_the_same_with_a_thousand_times_as_much_held() {
    let cost = |mut state: State| {
        press(&mut state, "G");
        let mut keys = ["k", "j", "1", "2"].iter().cycle();
        shortest(|| {
            press(&mut state, keys.next().expect("for ever"));
            assert!(state.next_change(noon()).is_some());
            frame(&state, &plain());
        })
    };
    let (few, many) = (cost(holding(100)), cost(holding(100_000)));
    // Going through all of it once would be a thousand times as much.
    assert!(many < few * 12, "{few:?} with a hundred, {many:?} with a hundred thousand");
}

#[test]
fn a_pasted_token_whose_server_is_unknown_names_it_and_the_key_that_asks() {
    let mut state = looked_up(SMALL, Standing::CannotTell);
    if let Some(Finding { may_ask, .. }) = state.lookup.pasted.as_mut().and_then(|p| p.finding.as_mut()) {
        *may_ask = Some("https://mytoken.example".to_owned());
    }
    let screen = screen(&state);
    assert!(screen.contains("mytoken.example was not asked"), "{screen}");
}

#[test]
fn a_long_lived_form_stands_apart_with_what_it_means() {
    let state = with(SMALL, Overlay::CopyMenu(board::id("toar"), List::default()));
    let screen = screen(&state);
    let line = |words: &str| screen.lines().position(|line| line.contains(words)).expect("a line");
    assert!(line("long-lived: whoever has it has it for 3d 02h") < line("rotates on use"));
    assert!(line(Form::Header.words()) < line("long-lived"));
}

#[test]
fn the_focused_pane_is_the_one_that_says_so() {
    for pane in Pane::ALL {
        let mut state = morning(LARGE);
        state.focus = pane;
        let buffer = frame(&state, &plain());
        let number = (pane as usize + 1).to_string();
        let name = ["Providers", "Tokens", "Mytoken", "History"][pane as usize];
        let (colour, modifier) = style_of(&buffer, &format!("{number} {name}"));
        assert!((colour, modifier) == (Color::Cyan, Modifier::BOLD), "its number is a key");
        assert_eq!(style_of(&buffer, &format!("{name} ")).0, Color::Cyan, "{name}");
    }
}

#[test]
fn ten_thousand_mytokens_stand_in_one_window_and_the_last_is_one_key_away() {
    let mut state = families::with_list(LARGE, families::very_many());
    assert!(screen(&state).contains("10,000"));
    press(&mut state, "G");
    let shown = screen(&state);
    assert!(shown.contains("mytoken web") && !shown.contains(" more "), "{shown}");
}
