//! Reads the arguments, opens the door, and says what went wrong.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use toktui::cli::{self, Cli, Command, Stdout, demo, info, sandbox};
use toktui::config::{self, Problem};
use toktui::desktop::{Choice, Environment, Route, SystemClock, holder, panic, process, terminal};
use toktui::domain::failure::Failure;
use toktui::domain::time::Clock;
use toktui::http::Http;
use toktui::runtime::open::{Opening, open};
use toktui::runtime::{End, SignIn};
use toktui::sandbox::whole::Ports;
use toktui::wallet::Wallet;

fn main() -> ExitCode {
    if let Err(why) = process::close() {
        terminal::say(&format!("toktui: {why}"));
    }
    let mut words = std::env::args_os();
    let rest: Vec<String> = words.by_ref().skip(1).filter_map(|word| word.into_string().ok()).collect();
    if let Some((first, after)) = rest.split_first()
        && first == holder::ARGUMENT
    {
        return match holder::hold(after, &Environment::of_this_process()) {
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
    panic::install_hook();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let code = match runtime {
        Ok(runtime) => {
            let code = runtime.block_on(run(cli));
            // A hung clipboard or look-up must not keep us: what must not be lost was awaited.
            runtime.shutdown_background();
            code
        }
        Err(error) => Err(anyhow::Error::new(error).context("starting")),
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

async fn run(cli: Cli) -> anyhow::Result<u8> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    match cli.command {
        None => board(clock).await,
        Some(Command::Demo) => demo_board(clock).await,
        Some(Command::Sandbox(args)) => {
            let ports = Ports { provider: args.provider_port, mytoken: args.mytoken_port };
            sandbox::run(ports, &mut Stdout::default()).await?;
            // It ends by Ctrl-C only: 128 + SIGINT.
            Ok(130)
        }
        Some(Command::Info(args)) => {
            let (config, problems) = configured();
            for problem in &problems {
                terminal::say(&format!("toktui: {problem}"));
            }
            let wallet = Wallet::new(Arc::clone(&clock), Arc::new(Http::default()), config.sources)?;
            let wish = info::Wish { json: args.json, ask_server: args.ask_server };
            Ok(info::run(&wallet, clock.as_ref(), io::stdin(), &wish, &mut Stdout::default()).await?)
        }
    }
}

async fn board(clock: Arc<dyn Clock>) -> anyhow::Result<u8> {
    let environment = Environment::of_this_process();
    terminal::check(&environment)?;
    let (mut config, mut problems) = configured();
    problems.extend(config.fetch_secrets(&|name| std::env::var(name).ok()));
    let settings = config.settings;
    let wallet = Wallet::new(Arc::clone(&clock), Arc::new(Http::default()), config.sources)?;
    let end = open(Opening {
        environment,
        clock,
        wallet,
        complaint: complaint(&problems),
        utc: settings.time == config::Zone::Utc,
        browser: settings.browser,
        clipboard: match settings.clipboard {
            config::Clipboard::Auto => Choice::Any,
            config::Clipboard::Osc52 => Choice::Only(Route::Terminal),
            config::Clipboard::Tmux => Choice::Only(Route::Tmux),
            config::Clipboard::Off => Choice::Never,
        },
        clear_after: settings.clear_after,
        sign_in: None,
    })
    .await?;
    Ok(ended(end))
}

async fn demo_board(clock: Arc<dyn Clock>) -> anyhow::Result<u8> {
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

fn configured() -> (config::Config, Vec<Problem>) {
    let home = std::env::var_os("TOKTUI_HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    cli::config(home.as_deref())
}

/// All problems of the config in one line: the first in full, the others counted.
fn complaint(problems: &[Problem]) -> Option<String> {
    let first = problems.first()?;
    Some(match problems.len() {
        1 => first.to_string(),
        more => format!("{first} (and {} more; `toktui info` prints them all)", more - 1),
    })
}
