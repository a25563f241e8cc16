//! `toktui sandbox`: the built-in provider and mytoken server alone, until Ctrl-C.

use std::sync::Arc;

use futures_util::FutureExt;

use super::Stdout;
use crate::desktop::clock::SystemClock;
use crate::domain::failure::{Failure, Kind};
use crate::domain::time::Clock;
use crate::sandbox::whole::{CLIENT, Ports, Sandbox, USER};

/// Serves until the program is interrupted.
///
/// # Errors
/// When a port is taken.
pub async fn run(ports: Ports, out: &mut Stdout) -> Result<(), Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    // Listened for from now on: the last line that is printed is true when it is read.
    let mut interrupted = Box::pin(tokio::signal::ctrl_c());
    let early = (&mut interrupted).now_or_never();
    let opened = Sandbox::open(&clock, ports).await;
    let sandbox =
        opened.map_err(|error| Failure::new(Kind::Failed, "Opening the sandbox", error.to_string()))?;
    let (checkin, grid) = (&sandbox.checkin.settings().issuer, &sandbox.grid.settings().issuer);
    let mytoken = sandbox.mytoken_server();
    out.line("The toktui sandbox. Nothing in it is real, nothing leaves this machine.");
    out.line("");
    out.line(&format!("provider            {checkin}"));
    out.line(&format!("provider, rotating  {grid}"));
    out.line(&format!("mytoken server      {mytoken}"));
    out.line(&format!("client id           {CLIENT}   public, PKCE, any loopback redirect, device code"));
    out.line(&format!("users               {USER} and omar; signing in needs no password"));
    out.line("");
    out.line("Try it:");
    out.line(&format!("  curl {checkin}/.well-known/openid-configuration"));
    out.line(&format!("  curl {mytoken}/.well-known/mytoken-configuration"));
    out.line("");
    out.line("Ctrl-C ends it.");
    let interrupted = match early {
        Some(at_once) => at_once,
        None => interrupted.await,
    };
    interrupted.map_err(|error| Failure::new(Kind::Failed, "Waiting for Ctrl-C", error.to_string()))
}
