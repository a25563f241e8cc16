//! Reads the arguments, opens the door, and says what went wrong.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use toktui::cli::fast::{self, Way};
use toktui::cli::{self, Command, House, Manner, demo};
use toktui::config::{self, Problem};
use toktui::desktop::{Choice, Environment, SystemClock, holder, panic, process, terminal};
use toktui::domain::failure::Failure;
use toktui::domain::time::Clock;
use toktui::runtime::open::{Opening, open};
use toktui::runtime::{End, SignIn};

fn main() -> ExitCode {
    if let Err(why) = process::close() {
        terminal::say(&format!("toktui: {why}"));
    }
    panic::install_hook();
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let turn = match fast::go(&words) {
        Way::Done(code) => return ExitCode::from(code),
        Way::Long(turn) => turn,
    };
    if words.first().is_some_and(|first| first == holder::ARGUMENT) {
        let rest: Vec<String> =
            words.into_iter().skip(1).filter_map(|word| word.into_string().ok()).collect();
        return match holder::hold(&rest, &Environment::of_this_process()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    let cli = match cli::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(told) => {
            // `--help` and `--version` come this way too, with the code 0.
            drop(told.print());
            return ExitCode::from(u8::try_from(told.exit_code()).unwrap_or(2));
        }
    };
    let code = match cli.command {
        None => on_screen(board(cli.manner)),
        Some(Command::Demo) => on_screen(demo_board()),
        Some(Command::Plain(command)) => cli::run(&command, cli.manner, turn).map_err(anyhow::Error::new),
    };
    match code {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            terminal::say(&format!("toktui: {error:#}"));
            let kind = error.downcast_ref::<Failure>().map_or(1, |failure| failure.kind.exit_code());
            ExitCode::from(kind)
        }
    }
}

fn on_screen(board: impl Future<Output = anyhow::Result<u8>>) -> anyhow::Result<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let code = runtime.block_on(board);
    // A hung clipboard or look-up must not keep us: what must not be lost was awaited.
    runtime.shutdown_background();
    code
}

async fn board(manner: Manner) -> anyhow::Result<u8> {
    let environment = Environment::of_this_process();
    terminal::check(&environment)?;
    let House { environment, places, clock, settings, problems, wallet, .. } =
        House::open(environment, manner, None)?;
    let end = open(Opening {
        environment,
        clock,
        wallet,
        complaint: complaint(&problems),
        utc: settings.time == config::Zone::Utc,
        browser: settings.browser,
        clipboard: cli::clipboard(settings.clipboard),
        clear_after: settings.clear_after,
        warn_before: settings.warn_before,
        settings: places.config.parent().map(std::path::Path::to_path_buf),
        sign_in: None,
    })
    .await?;
    Ok(ended(end))
}

async fn demo_board() -> anyhow::Result<u8> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let environment = Environment::of_this_process();
    terminal::check(&environment)?;
    let demo = demo::Demo::perform(clock).await?;
    let sign_in: SignIn = Arc::new(|address| Box::pin(demo::sign_in(address)));
    let end = open(Opening {
        environment,
        clock: Arc::clone(&demo.clock),
        wallet: Arc::clone(&demo.wallet),
        complaint: None,
        utc: true,
        browser: None,
        clipboard: Choice::Any,
        clear_after: config::Settings::default().clear_after,
        warn_before: config::Settings::default().warn_before,
        settings: None,
        sign_in: Some(sign_in),
    })
    .await?;
    Ok(ended(end))
}

/// Leaves with the code that a shell expects; a word on a signal would only clutter its prompt.
fn ended(end: End) -> u8 {
    drop(io::stdout().flush());
    match end {
        End::Quit => 0,
        End::Signal(signal) => signal.exit_code().unwrap_or(1),
        End::Gone => 129,
    }
}

/// All problems of the config in one line: the first in full, the others counted.
fn complaint(problems: &[Problem]) -> Option<String> {
    let first = problems.first()?;
    Some(match problems.len() {
        1 => first.to_string(),
        more => format!("{first} (and {} more; `toktui list` prints them all)", more - 1),
    })
}
