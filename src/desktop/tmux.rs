//! The tmux buffer, by pipe.

use std::time::Duration;

use zeroize::Zeroizing;

use super::child::{self, Failed};
use super::clipboard::is_same;
use super::place::Environment;
use crate::domain::secret::Secret;

/// Puts `text` on top of tmux's buffers, and asks tmux to pass it on to the terminal it is shown in.
pub(super) fn load(text: &Secret, environment: &Environment, limit: Duration) -> Result<(), Failed> {
    match tmux(&["load-buffer", "-w", "-"], Some(text), environment, limit) {
        // Before tmux 3.2 there was no `-w`: the buffer alone then.
        Err(Failed::Exit(_)) => tmux(&["load-buffer", "-"], Some(text), environment, limit).map(drop),
        done => done.map(drop),
    }
}

/// Deletes every buffer that is exactly `text`. Whether one was there.
///
/// If it was the newest, nothing newer went through tmux, and the terminal outside is sent a blank in its place.
pub(super) fn clear(text: &Secret, environment: &Environment, limit: Duration) -> Result<bool, Failed> {
    let format = "#{buffer_size} #{buffer_name}";
    let listed = tmux(&["list-buffers", "-F", format], None, environment, limit)?;
    let listed = String::from_utf8_lossy(&listed);
    let mut found = false;
    for (position, line) in listed.lines().enumerate() {
        let Some((size, name)) = line.split_once(' ') else { continue };
        if size.parse() != Ok(text.len()) {
            continue;
        }
        let held = tmux(&["save-buffer", "-b", name, "-"], None, environment, limit)?;
        if is_same(&held, text) {
            if position == 0 {
                blank_outside(environment, limit)?;
            }
            tmux(&["delete-buffer", "-b", name], None, environment, limit)?;
            found = true;
        }
    }
    Ok(found)
}

/// tmux has no word for "clear the terminal's clipboard", and takes no empty buffer: a blank, in a buffer of its own.
fn blank_outside(environment: &Environment, limit: Duration) -> Result<(), Failed> {
    const BUFFER: &str = "toktui-blank";
    if load_blank(BUFFER, environment, limit).is_ok() {
        tmux(&["delete-buffer", "-b", BUFFER], None, environment, limit)?;
    }
    Ok(())
}

fn load_blank(buffer: &str, environment: &Environment, limit: Duration) -> Result<(), Failed> {
    tmux(&["load-buffer", "-w", "-b", buffer, "-"], Some(&Secret::new(" ")), environment, limit).map(drop)
}

/// Whether the terminal that this tmux session is shown in came over SSH: a session started at the desk keeps its
/// `DISPLAY` when it is attached from afar. `false` when tmux does not say.
pub(super) fn is_shown_over_ssh(environment: &Environment, limit: Duration) -> bool {
    let said = tmux(&["show-environment", "SSH_CONNECTION"], None, environment, limit);
    said.is_ok_and(|line| line.starts_with(b"SSH_CONNECTION="))
}

fn tmux(
    arguments: &[&str],
    input: Option<&Secret>,
    environment: &Environment,
    limit: Duration,
) -> Result<Zeroizing<Vec<u8>>, Failed> {
    child::run(child::command("tmux", arguments, environment), input, limit)
}
