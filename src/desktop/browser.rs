//! Opens an address in the user's browser: which one, how, and which addresses never.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use url::{Host, Url};

use super::place::{Environment, Place, WhyAsk};
use super::{Error, child, clock};
use crate::domain::untrusted::Untrusted;

/// A launcher that fails does so within this time; one still running then is taken to have opened the address.
const HANDED_OFF_AFTER: Duration = Duration::from_millis(250);

/// Browsers that draw on a terminal: it is ours.
const TEXT_BROWSERS: [&str; 7] = ["w3m", "lynx", "links", "links2", "elinks", "browsh", "www-browser"];

/// An address was handed to a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// By which route: `xdg-open`, `$BROWSER firefox`, `firefox`.
    pub with: Untrusted,
}

/// Why an address is never given to a browser (security.md A7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefusedAddress {
    /// It is no address.
    #[error("it is not a web address")]
    NotAnAddress,
    /// It holds a space, a control or another character that no address may hold as it is.
    #[error("it holds a character that no web address may hold")]
    Unprintable,
    /// `javascript:`, `file:` and the like.
    #[error("only https opens in a browser")]
    Scheme,
    /// Plain http to another machine.
    #[error("plain http is accepted for this machine only")]
    PlainHttp,
}

/// Whether `address` may be given to a browser: https, or http to this machine, and nothing but what RFC 3986 §2 lets
/// stand in an address.
///
/// # Errors
///
/// Says why not.
pub fn check_address(address: &str) -> Result<(), RefusedAddress> {
    if address.bytes().any(|byte| !byte.is_ascii_graphic() || b"\"<>\\^`{|}".contains(&byte)) {
        return Err(RefusedAddress::Unprintable);
    }
    let url = Url::parse(address).map_err(|_| RefusedAddress::NotAnAddress)?;
    let is_here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => return Err(RefusedAddress::NotAnAddress),
    };
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_here => Ok(()),
        "http" => Err(RefusedAddress::PlainHttp),
        _ => Err(RefusedAddress::Scheme),
    }
}

/// One way to open an address.
struct Way {
    with: String,
    command: Command,
}

/// Opens `address`. `configured` is the command of the user's own config: then it alone is tried.
pub(super) fn open(
    address: &str,
    configured: Option<&[String]>,
    environment: &Environment,
) -> Result<Opened, Error> {
    check_address(address).map_err(Error::AddressRefused)?;
    let ways = ways(address, configured, environment);
    if ways.is_empty() {
        return Err(Error::NoBrowser);
    }
    let mut tried = Vec::new();
    for Way { with, mut command } in ways {
        child::quietly(&mut command, environment);
        if launch(command) {
            return Ok(Opened { with: with.into() });
        }
        tried.push(with);
    }
    Err(Error::BrowserFailed { tried: tried.join(", ").into() })
}

/// Whether the launcher is there and has not failed.
fn launch(mut command: Command) -> bool {
    let Ok(mut child) = child::start(&mut command) else { return false };
    if let Some(status) = child::ended(&mut child, clock::steady() + HANDED_OFF_AFTER) {
        return status.is_ok_and(|status| status.success());
    }
    child::reap(child);
    true
}

fn ways(address: &str, configured: Option<&[String]>, environment: &Environment) -> Vec<Way> {
    if let Some(command) = configured.filter(|command| !command.is_empty()) {
        return of_words(command, address).map(|command| ways_name("", command)).into_iter().collect();
    }
    let listed = environment.variable("BROWSER").unwrap_or_default().split(':');
    let listed = listed.filter_map(|command| spoken(command, address));
    let mut ways: Vec<Way> = listed.map(|command| ways_name("$BROWSER ", command)).collect();
    let place = Place::of(environment);
    let has_windows = place.wsl || place.has_local_display() || environment.variable("DISPLAY").is_some();
    // Without a display the system's opener would look for a text browser.
    if has_windows && !place.ask_before_browser.is_some_and(WhyAsk::is_blind) {
        ways.extend(open::commands(address).into_iter().map(|command| ways_name("", command)));
    }
    ways
}

fn ways_name(prefix: &str, command: Command) -> Way {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy();
    Way { with: format!("{prefix}{name}"), command }
}

/// Reads a command as `$BROWSER` holds it: words, quotes, `%s` where the address goes, else at the end. `None` for an
/// empty one and for browsers that draw on the terminal.
fn spoken(command: &str, address: &str) -> Option<Command> {
    let mut words = words(command);
    // `netscape %s &` of old: we never wait for it anyway.
    if words.last().is_some_and(|last| last == "&") {
        words.pop();
    }
    of_words(&words, address)
}

fn of_words(words: &[String], address: &str) -> Option<Command> {
    let (program, arguments) = words.split_first()?;
    let name = Path::new(program).file_name()?.to_str()?;
    if TEXT_BROWSERS.contains(&name) {
        return None;
    }
    let mut command = Command::new(program);
    let names_address = arguments.iter().any(|word| word.contains("%s"));
    command.args(arguments.iter().map(|word| word.replace("%s", address)));
    if !names_address {
        command.arg(address);
    }
    Some(command)
}

/// Splits at spaces, except inside `'…'` and `"…"`. A path that exists is one word, spaces and all.
fn words(command: &str) -> Vec<String> {
    let command = command.trim();
    if Path::new(command).is_absolute() && Path::new(command).is_file() {
        return vec![command.to_owned()];
    }
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in command.chars() {
        match quote {
            Some(end) if c == end => quote = None,
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_ascii_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const ADDRESS: &str = "https://op.example/auth?client_id=a&scope=openid;x";

    #[test]
    fn only_printable_https_and_this_machine_open() {
        use RefusedAddress::{NotAnAddress, PlainHttp, Scheme, Unprintable};
        for good in
            [ADDRESS, "http://127.0.0.1:8180/a", "http://[::1]:1/", "http://localhost/x", "HTTPS://a.b/$(x)"]
        {
            assert_eq!(check_address(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("http://op.example/", PlainHttp),
            ("http://localhost.evil.example/", PlainHttp),
            ("http://127.0.0.1.evil.example/", PlainHttp),
            ("javascript:alert(1)", NotAnAddress),
            ("file:///etc/passwd", NotAnAddress),
            ("file://host/etc/passwd", Scheme),
            ("ftp://op.example/", Scheme),
            ("https://op.example/a b", Unprintable),
            ("https://op.example/a\nb", Unprintable),
            ("https://op.example/\u{202e}", Unprintable),
            ("https://op.example/`id`", Unprintable),
            ("https://op.example/\"x", Unprintable),
            ("--help", NotAnAddress),
            ("", NotAnAddress),
        ] {
            assert_eq!(check_address(bad), Err(why), "{bad}");
        }
    }

    fn arguments(command: &str) -> Option<Vec<String>> {
        let command = spoken(command, ADDRESS)?;
        let all = std::iter::once(command.get_program()).chain(command.get_args());
        Some(all.map(|word| word.to_str().unwrap().to_owned()).collect())
    }

    #[test]
    fn a_browser_command_becomes_arguments_and_the_address_stays_one_of_them() {
        let with =
            |words: &[&str]| Some(words.iter().map(|word| word.replace("%s", ADDRESS)).collect::<Vec<_>>());
        assert_eq!(arguments("firefox"), with(&["firefox", "%s"]));
        assert_eq!(arguments(" firefox --new-tab  %s "), with(&["firefox", "--new-tab", "%s"]));
        assert_eq!(arguments("x 'a b' \"--url=%s\" ''"), with(&["x", "a b", "--url=%s", ""]));
        assert_eq!(arguments("netscape %s &"), with(&["netscape", "%s"]));
        assert_eq!(arguments("sh -c 'rm -rf ~'"), with(&["sh", "-c", "rm -rf ~", "%s"]));
        assert_eq!(arguments(""), None);
        assert_eq!(arguments("/usr/bin/w3m -T"), None);
    }

    /// A folder with programs that write their arguments to the file `said` beside them, and an environment that
    /// finds only those.
    fn system(programs: &[(&str, i32)], variables: &[(&str, &str)]) -> (tempfile::TempDir, Environment) {
        let folder = tempfile::tempdir().unwrap();
        for (name, exit) in programs {
            let path = folder.path().join(name);
            let said = folder.path().join("said");
            let script =
                format!("#!/bin/sh\nprintf '%s ' \"${{0##*/}}\" \"$@\" >>{}\nexit {exit}\n", said.display());
            fs::write(&path, script).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let path = folder.path().to_str().unwrap().to_owned();
        let mut all = vec![("PATH", path.as_str())];
        all.extend(variables);
        let environment = Environment::of(&all);
        (folder, environment)
    }

    fn said(folder: &tempfile::TempDir) -> String {
        fs::read_to_string(folder.path().join("said")).unwrap_or_default()
    }

    #[test]
    fn the_configured_browser_goes_before_the_variable_and_the_variable_before_the_system() {
        let programs = [("mine", 0), ("one", 1), ("two", 0), ("xdg-open", 0)];
        let (folder, environment) =
            system(&programs, &[("BROWSER", "missing:one:two -x"), ("DISPLAY", ":0")]);
        assert_eq!(open(ADDRESS, Some(&["mine".to_owned()]), &environment).unwrap().with.shown(), "mine");
        assert_eq!(said(&folder), format!("mine {ADDRESS} "));
        assert_eq!(open(ADDRESS, None, &environment).unwrap().with.shown(), "$BROWSER two");
        assert_eq!(said(&folder), format!("mine {ADDRESS} one {ADDRESS} two -x {ADDRESS} "));

        let (_folder, environment) = system(&programs, &[("DISPLAY", ":0")]);
        assert_eq!(open(ADDRESS, None, &environment).unwrap().with.shown(), "xdg-open");
    }

    #[test]
    fn without_a_display_nothing_is_launched_and_what_was_tried_is_told() {
        let (folder, environment) = system(&[("xdg-open", 0)], &[]);
        assert!(matches!(open(ADDRESS, None, &environment), Err(Error::NoBrowser)));
        assert_eq!(said(&folder), "");
        let error = open(ADDRESS, Some(&["gone".to_owned()]), &environment).unwrap_err();
        assert!(error.to_string().contains("gone"), "{error}");
    }

    #[test]
    fn a_hostile_address_reaches_no_program() {
        let (folder, environment) = system(&[("xdg-open", 0)], &[("DISPLAY", ":0")]);
        for address in
            ["javascript:alert(1)", "file:///x", "https://a.b/ ;id", "https://a.b/\n", "http://a.b/"]
        {
            assert!(matches!(open(address, None, &environment), Err(Error::AddressRefused(_))), "{address}");
        }
        assert_eq!(said(&folder), "");
    }

    #[test]
    fn a_browser_that_runs_on_counts_as_opened() {
        let environment = Environment::of(&[("PATH", "/usr/bin:/bin")]);
        let opened = open(ADDRESS, Some(&["sh", "-c", "sleep 1"].map(str::to_owned)), &environment).unwrap();
        assert_eq!(opened.with.shown(), "sh");
    }
}
