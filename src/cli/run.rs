//! A plain command from its first instruction to its exit code: signals end it, and nothing that came is lost on the way out.

use std::future::Future;
use std::io;

use tokio::signal::unix::{SignalKind, signal};

use super::house::House;
use super::{Manner, Plain, Stdout, pages, perform, rescue, sandbox};
use crate::desktop::{Environment, terminal};
use crate::domain::credential::CredentialId;
use crate::domain::failure::{Failure, Kind};
use crate::sandbox::whole::Ports;
use crate::store::Lock;

/// Does what a command says, in a runtime of its own. `turn`: the turn of a credential that was taken on the short way. The exit code.
///
/// # Errors
/// With what was being done, the deciding fact and what to do now.
pub fn run(command: &Plain, manner: Manner, turn: Option<(CredentialId, Lock)>) -> Result<u8, Failure> {
    if let Some(code) = without_a_house(command) {
        return code;
    }
    let starting = |error: io::Error| Failure::new(Kind::Failed, "Starting", error.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(starting)?;
    if let Plain::Sandbox(words) = command {
        // Nobody's store is opened for it.
        let ports = Ports { provider: words.provider_port, mytoken: words.mytoken_port };
        runtime.block_on(sandbox::run(ports, &mut Stdout::default()))?;
        // It ends by Ctrl-C only: 128 + SIGINT.
        return Ok(130);
    }
    let code = runtime.block_on(async {
        let mut house = House::open(Environment::of_this_process(), manner, turn)?;
        for problem in &house.problems {
            terminal::say(&format!("toktui: {problem}"));
        }
        if manner.verbose > 0 {
            house.introduce();
        }
        let wallet = std::sync::Arc::clone(&house.wallet);
        let ended = ended_by_signal().map_err(starting)?;
        let code = tokio::select! {
            biased;
            code = perform(command, &mut house) => code,
            code = ended => {
                // What was asked for is not wanted any more; an answer that is under way is.
                let again = ended_by_signal().map_err(starting)?;
                tokio::select! {
                    () = wallet.at_rest() => {}
                    _ = again => {}
                }
                Ok(code)
            }
        };
        wallet.at_rest().await;
        for said in wallet.close_managers().await {
            terminal::say(&format!("toktui: {said}"));
        }
        match rescue::all(&house).await {
            Ok(()) => code,
            // It could not be written: that counts for more than how the command went.
            Err(failure) => {
                if let Err(first) = code {
                    terminal::say(&format!("toktui: {first}"));
                }
                Err(failure)
            }
        }
    });
    // A hung clipboard or an unanswered question must not keep us: what must not be lost was awaited.
    runtime.shutdown_background();
    code
}

/// What needs neither config nor store: a broken one must not keep a packager from the pages.
fn without_a_house(command: &Plain) -> Option<Result<u8, Failure>> {
    let mut out = Stdout::default();
    match command {
        Plain::Completions(words) => Some(Ok(pages::completions(*words, &mut out))),
        Plain::Man(words) => Some(pages::man(words, &mut out)),
        _ => None,
    }
}

/// Waits for a signal that ends a program. The exit code that goes with it.
fn ended_by_signal() -> io::Result<impl Future<Output = u8>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => 130,
            _ = terminate.recv() => 143,
            _ = hang_up.recv() => 129,
        }
    })
}
