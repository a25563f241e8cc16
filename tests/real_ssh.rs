//! The `ssh -L` line of a login, typed at a real ssh client and a real sshd on loopback, with a browser at the near end of the tunnel.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]
#![allow(clippy::disallowed_methods, reason = "these tests wait for other processes, in real time")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use toktui::sandbox::visitor::{Choice, Visitor};
use toktui::sandbox::whole::USER;
use url::Url;

#[allow(dead_code, reason = "each test file uses its part")]
#[path = "commands/world.rs"]
mod world;
use world::{Home, Servers};

/// An ssh server of its own below a temporary folder: its host key, its user's key, its port. Nothing of `/etc/ssh` is read.
struct Sshd {
    folder: TempDir,
    port: u16,
    server: Child,
}

impl Sshd {
    fn start() -> Self {
        // As root it wants this folder to be there, whatever its config says.
        std::fs::create_dir_all("/run/sshd").unwrap();
        let folder = TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        for name in ["host", "user"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f", &path(name)])
                .status();
            assert!(made.unwrap().success());
        }
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\nUsePAM no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\nAllowTcpForwarding yes\n",
            path("host"),
            path("user.pub"),
        );
        std::fs::write(folder.path().join("config"), config).unwrap();
        let server = Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f", &path("config")])
            .stdin(Stdio::null())
            .stderr(std::fs::File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let sshd = Self { folder, port, server };
        sshd.wait("ssh server", || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok());
        sshd
    }

    /// Types a line for a shell, with what this server needs and no user would have to say.
    fn typed(&self, line: &str) -> Tunnel {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        let options = format!(
            "ssh -F none -N -i {} -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile={} ",
            path("user"),
            path("known"),
        );
        let line = line.replacen("ssh ", &options, 1);
        let said = std::fs::File::create(self.folder.path().join("said")).unwrap();
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("exec {line}")]).stdin(Stdio::null()).stderr(said);
        Tunnel(shell.spawn().unwrap())
    }

    fn wait(&self, what: &str, is_so: impl Fn() -> bool) {
        let end = Instant::now() + Duration::from_secs(20);
        while !is_so() {
            let read =
                |name: &str| std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
            assert!(Instant::now() < end, "no {what}:\n{}\n{}", read("log"), read("said"));
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

struct Tunnel(Child);

impl Drop for Tunnel {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// What a browser asks for and is given at the near end of the tunnel, where it finds this machine's own `localhost`.
fn asked(address: &Url, at: (Ipv6Addr, u16)) -> String {
    let mut stream = TcpStream::connect(at).unwrap();
    let target = format!("{}?{}", address.path(), address.query().unwrap_or_default());
    let host = format!("{}:{}", address.host_str().unwrap(), address.port().unwrap());
    write!(stream, "GET {target} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Near end and far end are one machine here, and the far end has the port at 127.0.0.1 for itself: ssh takes the one at `::1` for the near
/// end, where nobody else listens.
#[test]
#[ignore = "needs openssh-server and openssh-client, IPv6 on loopback, and root; see .ci/run"]
fn the_line_of_a_login_typed_on_the_laptop_brings_its_browser_back() {
    assert!(Path::new("/usr/sbin/sshd").exists(), "openssh-server is not installed");
    let (sshd, servers) = (Sshd::start(), Servers::open());
    let connection = format!("127.0.0.1 50000 127.0.0.1 {}", sshd.port);
    let home = Home::at(&servers).with("SSH_CONNECTION", &connection).with("USER", "root");
    let mut login = home.command(&["login", "checkin", "--no-input"]).spawn().unwrap();
    let mut lines = BufReader::new(login.stderr.take().unwrap()).lines().map_while(Result::ok);
    let address = lines.by_ref().find(|line| line.contains("redirect_uri=")).expect("the browser's address");
    let line = lines.by_ref().find(|line| line.trim().starts_with("ssh ")).expect("the line");
    let line = line.trim();
    let (start, host) = line.rsplit_once('@').expect("a user at a host");
    assert!(start.starts_with(&format!("ssh -p {} -L ", sshd.port)) && start.ends_with(" root"), "{line}");
    assert!(!host.is_empty() && !host.contains(' '), "{line}");

    let address = Url::parse(address.trim()).unwrap();
    let redirect = address.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap().1.into_owned();
    let port = Url::parse(&redirect).unwrap().port().unwrap();
    let near = (Ipv6Addr::LOCALHOST, port);
    assert!(TcpStream::connect(near).is_err(), "nobody is there before the line is typed");
    let tunnel = sshd.typed(&format!("{start}@127.0.0.1"));
    sshd.wait("tunnel", || TcpStream::connect(near).is_ok());

    let ended = servers.runtime.block_on(async {
        let visitor = Visitor::new().unwrap().stopping_before(redirect);
        visitor.visit(address.as_str(), Choice::Approve, USER).await.unwrap()
    });
    // A stray first: it comes through the tunnel, too, and changes nothing.
    let stray = Url::parse(&format!("http://127.0.0.1:{port}/callback?code=x&state=wrong")).unwrap();
    assert!(asked(&stray, near).starts_with("HTTP/1.1 400 "));
    let back = Url::parse(ended.address.expose()).unwrap();
    let page = asked(&back, near);
    assert!(page.starts_with("HTTP/1.1 200 ") && page.contains("may be closed"), "{page}");

    let mut out = String::new();
    login.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    let rest: Vec<String> = lines.collect();
    assert_eq!(login.wait().unwrap().code(), Some(0), "{rest:?}");
    assert_eq!(out, "Logged in at checkin, kept as checkin.\n");
    assert!(home.good(&["token", "checkin"]).starts_with("eyJ"));
    drop(tunnel);
}
