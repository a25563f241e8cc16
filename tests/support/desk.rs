//! Somebody's home, and the program run there as a script runs it: no terminal, nothing asked.
#![allow(dead_code, reason = "each test file uses its part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::seat::{Home, PROGRAM, make_store};

pub struct Desk {
    pub home: Home,
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Desk {
    /// With this config, and a store that opens without anybody.
    pub fn with(config: &str) -> Self {
        let home = Home::with(config);
        make_store(&home);
        Self { home }
    }

    fn command(&self, program: &str) -> Command {
        let folder = Path::new(PROGRAM).parent().unwrap().display();
        let mut command = Command::new(program);
        command.env_clear().env("PATH", format!("{folder}:/usr/bin:/bin")).env("LANG", "C.UTF-8");
        command.env("HOME", self.home.path()).env("TOKTUI_HOME", self.home.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn run(&self, words: &[&str], input: &str) -> Said {
        let mut child = self.command(PROGRAM).args(words).spawn().unwrap();
        // A program that needs no input may have ended before it.
        drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Said { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }

    pub fn good(&self, words: &[&str]) -> String {
        let said = self.run(words, "");
        assert_eq!(said.code, 0, "{words:?}: {said:?}");
        said.out
    }

    pub fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.good(words)).unwrap()
    }

    /// What a line printed that was pasted into a POSIX shell.
    pub fn shell(&self, line: &str) -> String {
        let output = self.command("/bin/sh").args(["-c", line]).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// A command that logs in; somebody opens the first address with `part` in it that it prints. Its exit code and the rest that it said.
    pub fn logs_in(
        &self,
        words: &[&str],
        part: &str,
        variables: &[(&str, &str)],
        user: impl FnOnce(&str),
    ) -> (i32, String) {
        let mut child = self
            .command(PROGRAM)
            .args(words)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let address =
            lines.find(|line| line.contains(part)).unwrap_or_else(|| panic!("no {part} in what it said"));
        user(address.split_whitespace().find(|word| word.starts_with("http")).unwrap());
        let mut said: String = lines.map(|line| line + "\n").collect();
        child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        (child.wait().unwrap().code().unwrap_or(-1), said)
    }
}
