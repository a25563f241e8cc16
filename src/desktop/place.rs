//! Where we sit: what the environment says about terminal, display, network and multiplexer.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use crate::domain::untrusted::Untrusted;

/// Variables whose value may be a secret: no child that we start gets them (security.md G2).
const KEPT_FROM_CHILDREN: [&str; 5] =
    ["BEARER_TOKEN", "ACCESS_TOKEN", "OIDC_ACCESS_TOKEN", "MYTOKEN", "REFRESH_TOKEN"];

/// Everything about our surroundings that is read once, at the door, and then passed on.
///
/// It has no `Debug`: other people's variables hold other people's passwords.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    /// What the variables do not say.
    pub facts: Facts,
}

/// What is known about this process and machine without asking a variable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is one independent answer of the system")]
pub struct Facts {
    /// Standard input is a terminal.
    pub stdin_is_terminal: bool,
    /// Standard output is a terminal.
    pub stdout_is_terminal: bool,
    /// The kernel is that of the Windows Subsystem for Linux.
    pub wsl_kernel: bool,
    /// A file that container engines leave in the root folder is there.
    pub container_file: bool,
    /// This system's windows need no display server (macOS).
    pub native_display: bool,
    /// The name this machine calls itself.
    pub host: String,
    /// This very program, to start it again as the clipboard's holder.
    pub executable: Option<PathBuf>,
}

impl Environment {
    /// The surroundings of this process. Variables that are not UTF-8 are left out.
    #[must_use]
    pub fn of_this_process() -> Self {
        let variables =
            std::env::vars_os().filter_map(|(name, value)| Some((text(name)?, text(value)?))).collect();
        Self { variables, facts: Facts::of_this_process() }
    }

    /// Surroundings made of these variables and no facts: for tests and the demo.
    #[must_use]
    pub fn of(variables: &[(&str, &str)]) -> Self {
        let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Self { variables, facts: Facts::default() }
    }

    /// The same with other facts.
    #[must_use]
    pub fn with(mut self, facts: Facts) -> Self {
        self.facts = facts;
        self
    }

    /// A variable's value; `None` when it is not set or empty, which every variable we read treats alike.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The variables a child process gets: all but ours and those that usually hold a token.
    pub(super) fn for_children(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables
            .iter()
            .filter(|(name, _)| !name.starts_with("TOKTUI_") && !KEPT_FROM_CHILDREN.contains(&name.as_str()))
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl Facts {
    /// The facts of this process.
    #[must_use]
    pub fn of_this_process() -> Self {
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self {
            stdin_is_terminal: std::io::stdin().is_terminal(),
            stdout_is_terminal: std::io::stdout().is_terminal(),
            wsl_kernel: kernel.to_ascii_lowercase().contains("microsoft"),
            container_file: Path::new("/.dockerenv").exists() || Path::new("/run/.containerenv").exists(),
            native_display: cfg!(target_os = "macos"),
            host: host_name(),
            executable: std::env::current_exe().ok(),
        }
    }
}

fn text(value: OsString) -> Option<String> {
    value.into_string().ok()
}

fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The display whose clipboard and browser are the user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Display {
    /// None here.
    None,
    /// X11, on this machine.
    X11,
    /// X11, forwarded over a network: `DISPLAY` names a host.
    X11Elsewhere,
    /// Wayland.
    Wayland,
    /// The system's own windows (macOS).
    Native,
}

/// Why no browser is opened here unless the user asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyAsk {
    /// We run at the far end of an SSH connection: the browser would open on the wrong machine.
    OverSsh,
    /// There is no display that a browser could open on, and no `$BROWSER` says otherwise.
    NoDisplay,
}

/// What is known about where we sit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is one independent answer, and most places are several"
)]
pub struct Place {
    /// At the far end of an SSH connection.
    pub ssh: bool,
    /// The port of the SSH server that was reached, when known: for a ready `ssh -L` line.
    pub ssh_port: Option<u16>,
    /// Which display there is.
    pub display: Display,
    /// Windows Subsystem for Linux: the browser is the one of Windows.
    pub wsl: bool,
    /// Inside a container.
    pub container: bool,
    /// Inside tmux.
    pub tmux: bool,
    /// This machine's name.
    pub host: Untrusted,
    /// The user's name here, empty when unknown.
    pub user: Untrusted,
    /// Why a browser may not be opened unasked; `None` when it may.
    pub ask_before_browser: Option<WhyAsk>,
    /// Standard input and output are terminals, so a question can be asked.
    pub can_ask: bool,
}

impl Place {
    /// Reads the surroundings.
    #[must_use]
    pub fn of(environment: &Environment) -> Self {
        let has = |name| environment.variable(name).is_some();
        let facts = &environment.facts;
        let ssh = has("SSH_CONNECTION") || has("SSH_CLIENT") || has("SSH_TTY");
        let wsl = facts.wsl_kernel || has("WSL_DISTRO_NAME") || has("WSL_INTEROP");
        let display = display(environment);
        let seen =
            wsl || has("BROWSER") || matches!(display, Display::X11 | Display::Wayland | Display::Native);
        let ask_before_browser = match (ssh, seen) {
            (true, _) => Some(WhyAsk::OverSsh),
            (false, false) => Some(WhyAsk::NoDisplay),
            (false, true) => None,
        };
        let container = facts.container_file
            || ["container", "KUBERNETES_SERVICE_HOST", "APPTAINER_CONTAINER", "SINGULARITY_CONTAINER"]
                .into_iter()
                .any(has);
        let user = ["USER", "LOGNAME"].into_iter().find_map(|name| environment.variable(name));
        Self {
            ssh,
            ssh_port: ssh_port(environment),
            display,
            wsl,
            container,
            tmux: has("TMUX"),
            host: facts.host.as_str().into(),
            user: user.unwrap_or_default().into(),
            ask_before_browser,
            can_ask: facts.stdin_is_terminal && facts.stdout_is_terminal,
        }
    }

    /// Whether the desktop clipboard is the one of the person at the keyboard.
    #[must_use]
    pub fn has_local_display(&self) -> bool {
        !self.ssh && matches!(self.display, Display::X11 | Display::Wayland | Display::Native)
    }
}

fn display(environment: &Environment) -> Display {
    if environment.facts.native_display {
        return Display::Native;
    }
    if environment.variable("WAYLAND_DISPLAY").is_some() || environment.variable("WAYLAND_SOCKET").is_some() {
        return Display::Wayland;
    }
    // `host:0` is another machine's display, `localhost:10` the near end of an SSH tunnel to one; `:0`, `unix:0` and
    // the socket path of macOS' launchd are ours.
    match environment.variable("DISPLAY").and_then(|name| name.rsplit_once(':')) {
        None => Display::None,
        Some((host, _)) if host.is_empty() || host == "unix" || host.starts_with('/') => Display::X11,
        Some(_) => Display::X11Elsewhere,
    }
}

/// `SSH_CONNECTION` is `client-address client-port server-address server-port` (ssh(1)).
fn ssh_port(environment: &Environment) -> Option<u16> {
    environment.variable("SSH_CONNECTION")?.split_ascii_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(variables: &[(&str, &str)]) -> Place {
        Place::of(&Environment::of(variables))
    }

    #[test]
    fn a_browser_opens_unasked_only_where_its_window_can_be_seen() {
        use WhyAsk::{NoDisplay, OverSsh};
        type Variables<'a> = &'a [(&'a str, &'a str)];
        let table: &[(Variables<'_>, Option<WhyAsk>)] = &[
            (&[], Some(NoDisplay)),
            (&[("DISPLAY", "")], Some(NoDisplay)),
            (&[("DISPLAY", ":0")], None),
            (&[("DISPLAY", "unix:0.0")], None),
            (&[("DISPLAY", "localhost:10.0")], Some(NoDisplay)),
            (&[("WAYLAND_DISPLAY", "wayland-0")], None),
            (&[("WSL_DISTRO_NAME", "Debian")], None),
            (&[("BROWSER", "firefox")], None),
            (&[("BROWSER", "firefox"), ("SSH_TTY", "/dev/pts/3")], Some(OverSsh)),
            (&[("DISPLAY", ":0"), ("SSH_CONNECTION", "10.0.0.1 50000 10.0.0.2 22")], Some(OverSsh)),
        ];
        for (variables, expected) in table {
            assert_eq!(at(variables).ask_before_browser, *expected, "{variables:?}");
        }
    }

    #[test]
    fn the_desktop_clipboard_is_used_only_on_a_display_of_this_machine() {
        assert!(at(&[("DISPLAY", ":0")]).has_local_display());
        assert!(at(&[("WAYLAND_DISPLAY", "wayland-1")]).has_local_display());
        assert!(!at(&[("DISPLAY", "localhost:10.0")]).has_local_display());
        assert!(!at(&[("DISPLAY", ":0"), ("SSH_CLIENT", "10.0.0.1 5 22")]).has_local_display());
        assert!(!at(&[]).has_local_display());
    }

    #[test]
    fn containers_tmux_and_wsl_are_recognised() {
        assert!(at(&[("TMUX", "/tmp/tmux-0/default,1,0")]).tmux);
        assert!(at(&[("container", "podman")]).container);
        assert!(at(&[("APPTAINER_CONTAINER", "/x.sif")]).container);
        assert!(!at(&[]).container && !at(&[]).tmux && !at(&[]).wsl);
        let facts = Facts { wsl_kernel: true, container_file: true, ..Facts::default() };
        let place = Place::of(&Environment::of(&[]).with(facts));
        assert!(place.wsl && place.container);
        assert_eq!(place.ask_before_browser, None);
    }

    #[test]
    fn the_ssh_port_is_the_one_of_the_server() {
        assert_eq!(at(&[("SSH_CONNECTION", "10.0.0.1 50000 10.0.0.2 2222")]).ssh_port, Some(2222));
        assert_eq!(at(&[("SSH_CONNECTION", "nonsense")]).ssh_port, None);
    }

    #[test]
    fn children_do_not_inherit_our_variables_or_tokens() {
        let environment =
            Environment::of(&[("TOKTUI_HOME", "/x"), ("BEARER_TOKEN", "tok-1"), ("PATH", "/bin")]);
        assert_eq!(environment.for_children().collect::<Vec<_>>(), [("PATH", "/bin")]);
    }
}
