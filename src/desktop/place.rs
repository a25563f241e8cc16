//! Where we sit: what the environment says about terminal, display, network and multiplexer.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use crate::domain::login::Reached;

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
    /// The same, with windows forwarded: it would run here, and be drawn where the user sits.
    Forwarded,
    /// The display is another machine's.
    DisplayElsewhere,
    /// In a container without a display, and no `$BROWSER` says otherwise.
    Container,
    /// There is no display that a browser could open on, and no `$BROWSER` says otherwise.
    NoDisplay,
}

impl WhyAsk {
    /// The reason, to stand behind a colon.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::OverSsh => "over SSH it would open on the wrong machine",
            Self::Forwarded => "over SSH it would run here and be drawn at your end, slowly",
            Self::DisplayElsewhere => "the display is another machine's",
            Self::Container => "there is no display in this container",
            Self::NoDisplay => "there is no display here",
        }
    }

    /// Whether there is nothing that a browser could be drawn on.
    #[must_use]
    pub fn is_blind(self) -> bool {
        matches!(self, Self::Container | Self::NoDisplay)
    }
}

/// How a container stands to its host's network, which decides whether a browser outside comes back to a port inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// Apptainer and Singularity, toolbox, distrobox: the host's own.
    SharesNetwork,
    /// Docker, podman, Kubernetes: most often one of its own.
    OwnNetwork,
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
    /// What this machine calls itself; empty when it does not say.
    pub host: String,
    /// How one comes here over SSH; `None` where nobody did.
    pub reached: Option<Reached>,
    /// Which display there is.
    pub display: Display,
    /// Windows Subsystem for Linux: the browser is the one of Windows.
    pub wsl: bool,
    /// Inside a container.
    pub container: Option<Container>,
    /// Inside tmux.
    pub tmux: bool,
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
        let container = container(environment);
        let ask_before_browser = match (ssh, seen) {
            (true, _) if display == Display::X11Elsewhere => Some(WhyAsk::Forwarded),
            (true, _) => Some(WhyAsk::OverSsh),
            (false, true) => None,
            (false, false) if display == Display::X11Elsewhere => Some(WhyAsk::DisplayElsewhere),
            (false, false) if container.is_some() => Some(WhyAsk::Container),
            (false, false) => Some(WhyAsk::NoDisplay),
        };
        Self {
            host: facts.host.clone(),
            ssh,
            reached: ssh.then(|| reached(environment)),
            display,
            wsl,
            container,
            tmux: has("TMUX"),
            ask_before_browser,
            can_ask: facts.stdin_is_terminal && facts.stdout_is_terminal,
        }
    }

    /// Why a browser that is not of this machine's own network may not find its way back to a port of ours, and what to do then; whether
    /// somebody can paste.
    #[must_use]
    pub fn way_back(&self, can_paste: bool) -> Option<&'static str> {
        match (self.container, self.wsl, can_paste) {
            (Some(Container::OwnNetwork), _, true) => {
                Some("a browser outside this container does not reach its 127.0.0.1: paste where it ends")
            }
            (Some(Container::OwnNetwork), _, false) => {
                Some("a browser outside this container does not reach its 127.0.0.1: use another way")
            }
            (_, true, true) => {
                Some("Windows' browser mostly comes back to WSL by itself; if not, paste where it ends")
            }
            (_, true, false) => {
                Some("Windows' browser mostly comes back to WSL by itself; if not, use another way")
            }
            (_, false, _) => None,
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

fn container(environment: &Environment) -> Option<Container> {
    let has = |name: &&str| environment.variable(name).is_some();
    let shares = ["APPTAINER_CONTAINER", "SINGULARITY_CONTAINER", "TOOLBOX_PATH", "DISTROBOX_ENTER_PATH"];
    if shares.iter().any(has) {
        return Some(Container::SharesNetwork);
    }
    let is_one = environment.facts.container_file || ["container", "KUBERNETES_SERVICE_HOST"].iter().any(has);
    is_one.then_some(Container::OwnNetwork)
}

/// `SSH_CONNECTION` is `client-address client-port server-address server-port` (ssh(1)); an IPv6 address stands there without brackets, as
/// ssh takes it.
fn reached(environment: &Environment) -> Reached {
    let connection: Vec<&str> =
        environment.variable("SSH_CONNECTION").unwrap_or_default().split_ascii_whitespace().collect();
    let address = connection.get(2).copied().filter(|text| is_plain(text)).unwrap_or_default();
    let name = environment.facts.host.as_str();
    let is_telling = is_plain(name) && !["localhost", "localhost.localdomain"].contains(&name);
    let user = ["USER", "LOGNAME"].into_iter().find_map(|name| environment.variable(name));
    Reached {
        user: user.filter(|user| is_plain(user)).unwrap_or_default().to_owned(),
        host: if is_telling { name } else { address }.to_owned(),
        port: connection.get(3).and_then(|port| port.parse().ok()),
    }
}

/// Whether a text stands in a shell's line for itself, and is no option there.
fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._:%-".contains(&byte);
    !text.is_empty() && !text.starts_with('-') && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(variables: &[(&str, &str)]) -> Place {
        Place::of(&Environment::of(variables))
    }

    #[test]
    fn a_browser_opens_unasked_only_where_its_window_can_be_seen() {
        use WhyAsk::{DisplayElsewhere, NoDisplay, OverSsh};
        type Variables<'a> = &'a [(&'a str, &'a str)];
        let table: &[(Variables<'_>, Option<WhyAsk>)] = &[
            (&[], Some(NoDisplay)),
            (&[("DISPLAY", "")], Some(NoDisplay)),
            (&[("DISPLAY", ":0")], None),
            (&[("DISPLAY", "unix:0.0")], None),
            (&[("DISPLAY", "localhost:10.0")], Some(DisplayElsewhere)),
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
        assert_eq!(at(&[("container", "podman")]).container, Some(Container::OwnNetwork));
        let both = [("APPTAINER_CONTAINER", "/x.sif"), ("container", "podman")];
        assert_eq!(at(&both).container, Some(Container::SharesNetwork));
        assert!(at(&[]).container.is_none() && !at(&[]).tmux && !at(&[]).wsl);
        let facts = Facts { wsl_kernel: true, container_file: true, ..Facts::default() };
        let place = Place::of(&Environment::of(&[]).with(facts));
        assert!(place.wsl && place.container.is_some());
        assert_eq!(place.ask_before_browser, None);
    }

    /// Every place that there is: what opens unasked there, why not, what is said of the way back, and the line for the user's laptop.
    #[test]
    #[allow(clippy::too_many_lines, reason = "one table of all places")]
    fn each_place_is_told_apart_and_says_what_is_possible_there() {
        const SSH: (&str, &str) = ("SSH_CONNECTION", "192.0.2.9 50000 192.0.2.2 22");
        let (user, named) = (("USER", "ada"), || Facts { host: "login1".to_owned(), ..Facts::default() });
        let plain = Some("ssh -L 4242:127.0.0.1:4242 ada@login1");
        let table = [
            ("at a desk", vec![("DISPLAY", ":0"), user], named(), None, "", None),
            ("on Wayland", vec![("WAYLAND_DISPLAY", "wayland-0"), user], named(), None, "", None),
            ("on macOS", vec![user], Facts { native_display: true, ..named() }, None, "", None),
            ("in WSL", vec![user], Facts { wsl_kernel: true, ..named() }, None, "Windows' browser", None),
            (
                "in a container",
                vec![user],
                Facts { container_file: true, ..named() },
                Some(WhyAsk::Container),
                "outside this container",
                None,
            ),
            (
                "in Apptainer on a login node",
                vec![("APPTAINER_CONTAINER", "/x.sif"), SSH, user],
                named(),
                Some(WhyAsk::OverSsh),
                "",
                plain,
            ),
            ("over SSH", vec![SSH, user], named(), Some(WhyAsk::OverSsh), "", plain),
            (
                "over SSH with windows forwarded",
                vec![SSH, ("DISPLAY", "localhost:10.0"), user],
                named(),
                Some(WhyAsk::Forwarded),
                "",
                plain,
            ),
            (
                "over SSH to a machine with a display of its own",
                vec![SSH, ("DISPLAY", ":0"), user],
                named(),
                Some(WhyAsk::OverSsh),
                "",
                plain,
            ),
            (
                "in tmux over SSH",
                vec![SSH, ("TMUX", "/tmp/tmux-1/default,1,0"), user],
                named(),
                Some(WhyAsk::OverSsh),
                "",
                plain,
            ),
            (
                "in screen over SSH",
                vec![SSH, ("STY", "1.x"), user],
                named(),
                Some(WhyAsk::OverSsh),
                "",
                plain,
            ),
            (
                "over SSH by IPv6 and another port, to a machine without a name",
                vec![("SSH_CONNECTION", "2001:db8::9 50000 2001:db8::2 2222"), user],
                Facts { host: "localhost".to_owned(), ..Facts::default() },
                Some(WhyAsk::OverSsh),
                "",
                Some("ssh -p 2222 -L 4242:127.0.0.1:4242 ada@2001:db8::2"),
            ),
            (
                "over SSH by a link-local address",
                vec![("SSH_CONNECTION", "fe80::9%eth0 50000 fe80::2%eth0 22")],
                Facts::default(),
                Some(WhyAsk::OverSsh),
                "",
                Some("ssh -L 4242:127.0.0.1:4242 fe80::2%eth0"),
            ),
            (
                "over SSH, as nothing but its terminal says",
                vec![("SSH_TTY", "/dev/pts/3")],
                Facts::default(),
                Some(WhyAsk::OverSsh),
                "",
                Some("ssh -L 4242:127.0.0.1:4242 THIS-HOST"),
            ),
            (
                "over SSH, with words in the variables that no shell should get",
                vec![("SSH_CONNECTION", "a 1 $(id) x"), ("USER", "ada;id")],
                Facts { host: "-oProxyCommand=id".to_owned(), ..Facts::default() },
                Some(WhyAsk::OverSsh),
                "",
                Some("ssh -L 4242:127.0.0.1:4242 THIS-HOST"),
            ),
            ("without a display", vec![user], named(), Some(WhyAsk::NoDisplay), "", None),
            (
                "a display of another machine",
                vec![("DISPLAY", "far:0")],
                named(),
                Some(WhyAsk::DisplayElsewhere),
                "",
                None,
            ),
        ];
        for (place, variables, facts, not_unasked, way_back, line) in table {
            let found = Place::of(&Environment::of(&variables).with(facts));
            assert_eq!(found.ask_before_browser, not_unasked, "{place}");
            assert!(found.way_back(true).unwrap_or_default().contains(way_back), "{place}");
            assert_eq!(found.way_back(true).is_none(), way_back.is_empty(), "{place}");
            let ready = found.reached.map(|reached| reached.line_to("127.0.0.1", 4242));
            assert_eq!(ready.as_deref(), line, "{place}");
        }
    }

    #[test]
    fn what_the_ssh_line_cannot_know_is_said() {
        let unsure = |variables: &[(&str, &str)], host: &str| {
            let facts = Facts { host: host.to_owned(), ..Facts::default() };
            Place::of(&Environment::of(variables).with(facts)).reached.expect("over SSH").unsure()
        };
        let whole = ("SSH_CONNECTION", "10.0.0.1 50000 10.0.0.2 2222");
        assert_eq!(unsure(&[whole], "login1"), "use the name you came by, if another");
        assert_eq!(unsure(&[("SSH_TTY", "x")], "login1"), "use the name and port you came by, if another");
        assert_eq!(unsure(&[("SSH_TTY", "x")], ""), "THIS-HOST: the name and port you came by");
        assert_eq!(
            unsure(&[("SSH_CONNECTION", "10.0.0.1 50000")], "-x"),
            "THIS-HOST: the name and port you came by"
        );
    }

    #[test]
    fn children_do_not_inherit_our_variables_or_tokens() {
        let environment =
            Environment::of(&[("TOKTUI_HOME", "/x"), ("BEARER_TOKEN", "tok-1"), ("PATH", "/bin")]);
        assert_eq!(environment.for_children().collect::<Vec<_>>(), [("PATH", "/bin")]);
    }
}
