//! Two boards and many scripts over one store: nobody asks for what another has just got.

use std::io::{Read as _, Write};
use std::num::NonZero;
use std::process::Child as Process;
use std::sync::{Arc, Mutex};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use toktui::domain::credential::Health;

use crate::giver::Giver;
use crate::home::{Home, PROGRAM, Ran, wait_or};
use crate::kept::Kind;
use crate::share;

/// The board in a pseudo-terminal.
pub struct Board {
    _master: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    screen: Arc<Mutex<vt100::Parser>>,
    /// Everything that the terminal was sent.
    pub sent: Arc<Mutex<Vec<u8>>>,
}

impl Board {
    pub fn open(home: &Home, words: &[&str]) -> Self {
        let size = PtySize { rows: 34, cols: 120, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(PROGRAM);
        command.args(words);
        command.env_clear();
        home.environment().iter().for_each(|(name, value)| command.env(name, value));
        command.env("TERM", "xterm-256color");
        let child = pair.slave.spawn_command(command).unwrap();
        let cells = |count: u16| NonZero::new(count).unwrap();
        let screen = Arc::new(Mutex::new(vt100::Parser::new(cells(34), cells(120), 0)));
        let sent = Arc::new(Mutex::new(Vec::new()));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (to_screen, to_sent) = (Arc::clone(&screen), Arc::clone(&sent));
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                to_screen.lock().unwrap().process(&buffer[..count]);
                to_sent.lock().unwrap().extend(&buffer[..count]);
            }
        });
        let keyboard = pair.master.take_writer().unwrap();
        Self { _master: pair.master, keyboard, child, screen, sent }
    }

    pub fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    pub fn shows(&self, part: &str) {
        wait_or(|| format!("`{part}` on the board: {}", self.text()), || self.text().contains(part));
    }

    pub fn types(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Quits, and says with which code it ended.
    pub fn quit(mut self) -> u32 {
        self.types("q");
        let child = Mutex::new(self.child);
        let ended = || child.lock().unwrap().try_wait().unwrap();
        wait_or(
            || format!("end of the board: {}", self.screen.lock().unwrap().screen().contents()),
            || ended().is_some(),
        );
        ended().unwrap().exit_code()
    }
}

#[test]
fn two_boards_and_many_scripts_renew_one_login_without_getting_in_each_others_way() {
    let rounds = share::of("rounds of two boards and six scripts", 2, 30);
    let giver = Giver::open();
    let home = Home::filled(&giver);
    let kind = Kind::Login;
    let mut boards = [Board::open(&home, &[]), Board::open(&home, &[])];
    for board in &boards {
        board.shows(kind.name());
    }
    for round in 0..rounds {
        home.expire(&giver.runtime, kind);
        let before = giver.logins.rotations();
        // In the first round the boards only watch.
        for board in boards.iter_mut().filter(|_| round > 0) {
            board.shows("Alice Example");
            board.types("r");
        }
        let scripts: Vec<Process> = (0..6).map(|_| home.start(&["token", kind.name()])).collect();
        let ended: Vec<Ran> = scripts.into_iter().map(Ran::ended).collect();
        assert!(ended.iter().all(|ran| ran.code == Some(0)), "round {round}: {ended:?}");
        assert!(giver.logins.rotations() > before, "round {round}");
        assert_eq!(giver.stale(), 0, "round {round}");
    }
    for board in boards {
        assert_eq!(board.quit(), 0);
    }
    assert_eq!(home.peek(&giver.runtime, kind).unwrap().health, Health::Ok);
    assert_eq!(giver.logins.newest(), Some(home.peek(&giver.runtime, kind).unwrap().copy));
}
