//! The user's editor, on a text that is nobody else's to read meanwhile.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};

use rustix::process::{Pid, Signal as Kill, kill_current_process_group, kill_process};

use super::child;
use super::place::Environment;
use super::signals::{Signal, Signals, has_job_control};
use crate::domain::failure::{Failure, Kind};

const DOING: &str = "Editing it as JSON";
/// More than this is not read back.
const LONGEST: u64 = 1 << 20;

/// The editor that the user has named: `VISUAL`, else `EDITOR`.
#[must_use]
pub fn named(environment: &Environment) -> Option<Vec<String>> {
    let words =
        |name| environment.variable(name).map(|text| text.split_whitespace().map(str::to_owned).collect());
    words("VISUAL").or_else(|| words("EDITOR")).filter(|words: &Vec<String>| !words.is_empty())
}

/// Lets the user edit `text`, and gives back what became of it; `None`: nothing was changed. The terminal must be given back
/// before, and taken again afterwards.
///
/// # Errors
/// When no editor is named, or it cannot be started, or it says that it failed.
pub async fn edit(
    text: &str,
    environment: &Environment,
    signals: &mut Signals,
) -> Result<Option<String>, Failure> {
    let failed = |error: io::Error| Failure::new(Kind::Failed, DOING, error.to_string());
    let Some(words) = named(environment) else {
        return Err(Failure::new(Kind::Unusable, DOING, "no editor is named here")
            .hint("Set VISUAL or EDITOR, or copy the command and change that."));
    };
    let draft = Draft::write(text).map_err(failed)?;
    let (program, arguments) = words.split_first().map_or(("", [].as_slice()), |(first, rest)| (first, rest));
    let mut command = Command::new(program);
    command.args(arguments).arg(draft.path());
    command.env_clear().envs(environment.for_children());
    let editor = child::start(&mut command).map_err(|error| {
        Failure::new(Kind::Failed, DOING, format!("{program} could not be started: {error}"))
    })?;
    let status = until_it_ends(editor, signals).await.map_err(failed)?;
    if !status.success() {
        return Err(Failure::new(Kind::Failed, DOING, format!("the editor failed ({status})"))
            .hint("Nothing was changed."));
    }
    let edited = draft.read().map_err(failed)?;
    Ok((edited.trim() != text.trim()).then_some(edited))
}

/// Waits for it. What the keys of the terminal say is meant for the editor; a stop is for us too, or the shell would wait for us.
async fn until_it_ends(mut editor: Child, signals: &mut Signals) -> io::Result<ExitStatus> {
    let id = i32::try_from(editor.id()).ok().and_then(Pid::from_raw);
    let mut ended = tokio::task::spawn_blocking(move || editor.wait());
    // What ends us ends the editor first; it is told on when the editor has given the terminal back.
    let mut ends_us = None;
    loop {
        let signal = tokio::select! {
            status = &mut ended => {
                if let Some(signal) = ends_us {
                    signals.put_back(signal);
                }
                return status.map_err(io::Error::other)?;
            }
            signal = signals.next() => signal,
        };
        match signal {
            Signal::Interrupt | Signal::Quit | Signal::Continue => {}
            // Where no shell waits for us nobody could continue us.
            Signal::Stop if !has_job_control() => {}
            Signal::Stop => {
                // The terminal is the editor's already: there is nothing of ours to give back.
                kill_current_process_group(Kill::STOP)?;
            }
            Signal::HangUp | Signal::Terminate | Signal::Panicked => {
                ends_us = Some(signal);
                if let Some(id) = id {
                    kill_process(id, Kill::TERM)?;
                }
            }
        }
    }
}

/// The text on disk, in a folder that only this user can look into. It goes with this, and what the editor has left beside it.
struct Draft {
    folder: tempfile::TempDir,
}

impl Draft {
    fn write(text: &str) -> io::Result<Self> {
        let only_ours = Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().prefix("toktui-").permissions(only_ours).tempdir()?;
        let draft = Self { folder };
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft.path())?;
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        Ok(draft)
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("mytoken.json")
    }

    /// What is there now: an editor may have put another file in its place.
    fn read(&self) -> io::Result<String> {
        let mut text = String::new();
        File::open(self.path())?.take(LONGEST).read_to_string(&mut text)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_text_lies_where_only_its_user_can_read_it_and_goes_with_the_editor() {
        let draft = Draft::write("{}").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(draft.folder.path()), mode(&draft.path())), (0o700, 0o600));
        assert_eq!(draft.read().unwrap(), "{}\n");
        let folder = draft.folder.path().to_owned();
        drop(draft);
        assert!(!folder.exists());
    }

    #[tokio::test]
    async fn what_is_to_end_us_ends_the_editor_first_and_is_told_on() {
        // An editor that never ends by itself.
        let environment = Environment::of(&[("EDITOR", "tail -f"), ("PATH", "/usr/bin:/bin")]);
        let mut signals = Signals::listen().unwrap();
        for signal in [Signal::Terminate, Signal::HangUp, Signal::Panicked] {
            signals.put_back(signal);
            let failure = edit("{}", &environment, &mut signals).await.unwrap_err();
            assert!(failure.why.starts_with("the editor failed"), "{failure}");
            assert_eq!(signals.next().await, signal);
        }
    }

    #[test]
    fn the_editor_is_the_one_that_the_user_names() {
        let named = |variables: &[(&str, &str)]| named(&Environment::of(variables));
        assert_eq!(named(&[("EDITOR", "vi")]), Some(vec!["vi".to_owned()]));
        let both = [("VISUAL", "code --wait"), ("EDITOR", "vi")];
        assert_eq!(named(&both), Some(vec!["code".to_owned(), "--wait".to_owned()]));
        assert_eq!(named(&[("EDITOR", "  ")]), None);
    }
}
