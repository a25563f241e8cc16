//! Opens the board on the real terminal, and gives the terminal back.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use super::stage::RealStage;
use super::{Board, End, Left, SignIn};
use crate::app::state::{Notice, Seat, State, Tone};
use crate::desktop::clock;
use crate::desktop::glyphs::{self, Look};
use crate::desktop::input::InputStream;
use crate::desktop::jumps::Jumps;
use crate::desktop::output::Output;
use crate::desktop::signals::Signals;
use crate::desktop::{Choice, Desktop, Environment, Error, RealDesktop, Route, terminal};
use crate::domain::time::Clock;
use crate::domain::untrusted::cleaned;
use crate::ui::{Colours, Glyphs, Theme};
use crate::wallet::Wallet;

/// What is decided before the terminal is taken.
pub struct Opening {
    /// Where we run.
    pub environment: Environment,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The verbs.
    pub wallet: Arc<Wallet>,
    /// Said on the message line first: what is wrong in the config.
    pub complaint: Option<String>,
    /// Times in UTC.
    pub utc: bool,
    /// The configured browser.
    pub browser: Option<Vec<String>>,
    /// The configured way to the clipboard.
    pub clipboard: Choice,
    /// How long copied secrets stay.
    pub clear_after: Option<Duration>,
    /// How long before its end a login or a mytoken is announced; `None`: never.
    pub warn_before: Option<Duration>,
    /// The folder of the user's config, where profiles are saved; `None`: they last as long as the session.
    pub settings: Option<PathBuf>,
    /// The demo's visitor; there is one in the demo only.
    pub sign_in: Option<SignIn>,
}

/// Takes the terminal, runs the board, gives the terminal back.
///
/// # Errors
/// When there is no terminal for it, or it is lost on the way.
pub async fn open(opening: Opening) -> Result<End, Error> {
    terminal::check(&opening.environment)?;
    let look = Look::of(&opening.environment);
    let signals = Signals::listen()?;
    let output = Output::to_screen(look.glyphs)?;
    let environment = opening.environment.clone();
    let desktop = RealDesktop::new(opening.environment, opening.browser, Some(output.clone()));
    let desktop: Arc<dyn Desktop> = Arc::new(desktop.copying(opening.clipboard));
    let demo = opening.sign_in.is_some();
    let mut state = State::new(seat(desktop.as_ref(), demo), terminal::size(), clock::zone(&environment));
    state.seat.clear_after = opening.clear_after.map(|span| span.as_secs());
    state.seat.warn_before = opening.warn_before.and_then(|span| SignedDuration::try_from(span).ok());
    state.utc = opening.utc;
    state.seat.read_only = opening.wallet.is_read_only();
    state.notice = opening.complaint.map(|text| Notice { text, tone: Tone::Warning, until: None });
    let guard = terminal::take(&environment)?;
    let input = Some(InputStream::start()?);
    let drawing = |source: io::Error| Error::Terminal { doing: "drawing", source };
    let mut screen = Terminal::new(CrosstermBackend::new(output.clone())).map_err(drawing)?;
    let mut stage = RealStage { guard, input, signals, output, environment, jumps: Jumps::new() };
    let wallet = Arc::clone(&opening.wallet);
    let board = Board {
        state,
        wallet: opening.wallet,
        desktop,
        clock: opening.clock,
        theme: theme(look),
        clear_after: opening.clear_after,
        settings: opening.settings,
        sign_in: opening.sign_in,
    };
    let left = board.run(&mut screen, &mut stage).await.map_err(drawing)?;
    // The terminal is given back first: what is printed is to stay.
    drop((screen, stage));
    tell(&left);
    for said in wallet.managers_left() {
        terminal::say(&format!("toktui: {said}"));
    }
    Ok(left.end)
}

/// What is on no disk: printed where the user asked for that, else named.
fn tell(left: &Left) {
    let mut out = io::stdout().lock();
    for (name, value) in &left.printed {
        // Nobody listens any more: there is nothing else to tell it to.
        drop(writeln!(out, "{}\t{}", cleaned(name), value.expose()));
    }
    drop(out.flush());
    if !left.lost.is_empty() {
        let names: Vec<String> = left.lost.iter().map(|name| cleaned(name)).collect();
        terminal::say(&format!("toktui: not saved, and lost with it: {}", names.join(", ")));
    }
}

fn seat(desktop: &dyn Desktop, demo: bool) -> Seat {
    let place = desktop.place();
    Seat {
        host: place.host.clone(),
        reached: place.reached.clone(),
        no_browser: place.ask_before_browser.map(|why| why.words().to_owned()),
        way_back: place.way_back(true),
        keeps_out: desktop.likely_route() == Some(Route::Desktop),
        clear_after: None,
        warn_before: None,
        clipboard: match desktop.likely_route() {
            Some(Route::Terminal) => "the terminal, by OSC 52",
            Some(route) => route.place(),
            None => "nowhere: no clipboard can be reached",
        },
        demo,
        read_only: false,
    }
}

fn theme(look: Look) -> Theme {
    let glyphs = match look.glyphs {
        // The console's font has neither gauges nor check marks.
        glyphs::Glyphs::Ascii | glyphs::Glyphs::Console => Glyphs::Ascii,
        glyphs::Glyphs::Unicode => Glyphs::Unicode,
    };
    let colours = match look.colours {
        glyphs::Colours::None => Colours::None,
        glyphs::Colours::Sixteen => Colours::Ansi,
    };
    Theme::new(glyphs, colours)
}
