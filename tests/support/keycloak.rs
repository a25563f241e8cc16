//! A real Keycloak, and a user of it with a real Chromium (`.ci/run` says what is needed).
#![allow(dead_code, reason = "each test file uses its part")]

use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

const SIGN_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real/sign-in.mjs");

/// Chromium and a token of five seconds want the machine for themselves.
pub fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The realm of the protocols' tests.
pub fn issuer() -> String {
    std::env::var("TOKTUI_TEST_KEYCLOAK").unwrap()
}

/// The realm that is set up as EGI Check-in's is.
pub fn egi() -> String {
    issuer().replace("/realms/toktui", "/realms/egi")
}

/// `browser` of the config: the user in Chromium. A child of the program does not get its `TOKTUI_` variables.
pub fn browser() -> Vec<String> {
    let folder = std::env::var("TOKTUI_TEST_BROWSER").unwrap_or_default();
    ["env", &format!("TOKTUI_TEST_BROWSER={folder}"), "node", SIGN_IN, "%s"].map(str::to_owned).to_vec()
}

/// A user with a browser elsewhere; the last line of what `sign-in.mjs` says.
pub fn visit(address: &str, words: &[&str]) -> String {
    let mut node = Command::new("node");
    node.arg(SIGN_IN).arg(address).args(words).stdin(Stdio::null());
    let output = node.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
