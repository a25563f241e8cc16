//! An access token as a header or as a line for a shell, in which nothing can be executed.

use clap::ValueEnum;

use crate::domain::secret::Secret;

/// The shell that a line is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// sh, bash, zsh, dash: `eval "$(…)"`
    Sh,
    /// fish: `… | source`
    Fish,
    /// nu: `… | from json | load-env`
    Nu,
}

/// What is written of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// The token.
    Bare,
    /// `Authorization: Bearer …`
    Header,
    /// A line that sets this variable in this shell.
    Variable(Shell, String),
}

impl Form {
    /// The text, without a line end.
    #[must_use]
    pub fn of(&self, token: &Secret) -> Secret {
        let token = token.expose();
        Secret::new(match self {
            Self::Bare => token.to_owned(),
            Self::Header => format!("Authorization: Bearer {token}"),
            Self::Variable(shell, name) => line(*shell, name, token),
        })
    }
}

/// Whether a text may leave as a token: what RFC 6750 §2.1 lets one be made of. Anything else could move a terminal, end a
/// header, or be several lines (security.md C2).
#[must_use]
pub fn is_token(text: &str) -> bool {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || b"._~+/=-".contains(&byte);
    !text.is_empty() && text.bytes().all(part)
}

/// Reads the name of a variable.
///
/// # Errors
/// With what was expected.
pub fn variable(text: &str) -> Result<String, String> {
    let mut bytes = text.bytes();
    let first = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    if first && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        Ok(text.to_owned())
    } else {
        Err("expected a variable's name: letters, digits and _, no digit first".to_owned())
    }
}

/// The line that sets `name` to `value`. It holds for any value without a NUL, although only tokens ever come here.
fn line(shell: Shell, name: &str, value: &str) -> String {
    match shell {
        Shell::Sh => format!("export {name}='{}'", value.replace('\'', r"'\''")),
        Shell::Fish => format!("set -gx {name} '{}'", value.replace('\\', r"\\").replace('\'', r"\'")),
        // Data, not code: nu reads it as JSON and never evaluates it.
        Shell::Nu => serde_json::json!({ name: value }).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_bearer_token_is_made_of_may_leave() {
        for (text, good) in [
            ("eyJh.bGci-_~+/=", true),
            ("", false),
            ("a b", false),
            ("a\nb", false),
            ("a\u{1b}[2J", false),
            ("a'b", false),
            ("ä", false),
        ] {
            assert_eq!(is_token(text), good, "{text:?}");
        }
    }

    #[test]
    fn each_form_reads_as_its_reader_expects() {
        let token = Secret::new("tok-1");
        let form = |form: Form| form.of(&token).expose().to_owned();
        let variable = |shell| form(Form::Variable(shell, "BEARER_TOKEN".to_owned()));
        assert_eq!(form(Form::Bare), "tok-1");
        assert_eq!(form(Form::Header), "Authorization: Bearer tok-1");
        assert_eq!(variable(Shell::Sh), "export BEARER_TOKEN='tok-1'");
        assert_eq!(variable(Shell::Fish), "set -gx BEARER_TOKEN 'tok-1'");
        assert_eq!(variable(Shell::Nu), r#"{"BEARER_TOKEN":"tok-1"}"#);
        assert_eq!(line(Shell::Sh, "X", "'; rm -rf ~ #"), r"export X=''\''; rm -rf ~ #'");
        assert_eq!(line(Shell::Fish, "X", r"\'; ls"), r"set -gx X '\\\'; ls'");
    }

    #[test]
    fn a_variables_name_cannot_be_a_command() {
        assert!(variable("BEARER_TOKEN").is_ok() && variable("_x1").is_ok());
        for wrong in ["", "1x", "a-b", "a;ls", "a b", "$a", "ä"] {
            assert!(variable(wrong).is_err(), "{wrong}");
        }
    }

    /// Texts made of what shells care about, and of everything else.
    fn hostile(count: usize) -> Vec<String> {
        let parts = [
            "'",
            "\"",
            "\\",
            "`",
            "$(touch HERE)",
            "`touch HERE`",
            "; touch HERE;",
            "\n",
            "&",
            "|",
            "$X",
            "!",
            "\\'",
            "x",
            "=",
            "é",
            "\u{1b}",
            "#",
            "~",
            "*",
            " ",
            "--",
            "%s",
            "(touch HERE)",
            "{",
            "}",
        ];
        // Always the same row of pseudo-random numbers: a failure can be looked at again.
        let mut state = 88_172_645_463_325_252_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % 1_000_003).expect("small")
        };
        (0..count).map(|_| (0..=next() % 9).map(|_| parts[next() % parts.len()]).collect()).collect()
    }

    /// Lets a shell evaluate every line and print what the variable holds, each ended by a NUL; `None`: that shell is not here.
    fn evaluated(shell: Shell, program: &str, script: &str, values: &[String]) -> Option<Vec<String>> {
        use std::io::Write as _;
        use std::process::{Command, Stdio};
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(program);
        command.arg("-c").arg(script).current_dir(folder.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().ok()?;
        let mut stdin = child.stdin.take().expect("piped");
        let lines: Vec<u8> =
            values.iter().flat_map(|value| [line(shell, "T", value).as_bytes(), b"\0"].concat()).collect();
        let feeding = std::thread::spawn(move || drop(stdin.write_all(&lines)));
        let output = child.wait_with_output().expect("it ends");
        feeding.join().expect("fed");
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0, "something was executed");
        let text = String::from_utf8(output.stdout).expect("text");
        Some(text.split_terminator('\0').map(str::to_owned).collect())
    }

    #[test]
    fn ten_thousand_hostile_values_are_set_and_none_is_executed() {
        let values = hostile(10_000);
        let bash = r#"while IFS= read -r -d "" line; do eval "$line"; printf '%s\0' "$T"; done"#;
        let fish = r#"while read -z line; eval $line; printf '%s\0' "$T"; end"#;
        for (shell, program, script) in [(Shell::Sh, "bash", bash), (Shell::Fish, "fish", fish)] {
            if let Some(seen) = evaluated(shell, program, script, &values) {
                assert!(seen == values, "{program} sets other values");
            }
        }
        // nu reads JSON, and nothing else.
        for value in &values {
            let read: serde_json::Value = serde_json::from_str(&line(Shell::Nu, "T", value)).expect("JSON");
            assert_eq!(read["T"], value.as_str());
        }
    }
}
