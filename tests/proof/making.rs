//! A mytoken being made, redeemed or handed over by the built program, and what is left of it, judged by its server's own books.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};

use toktui::domain::credential::{Grant, Health};
use toktui::domain::specimen::recognise;
use toktui::domain::vault::Opening;
use toktui::http::Http;
use toktui::mytoken::{discovery, transfer};
use toktui::sandbox::mytoken::{Clause, Order, Rotation};

use crate::giver::Giver;
use crate::home::{Home, Ran};
use crate::kept::sign_in;

/// The name that what is made is kept under.
pub const CHILD: &str = "child";
/// The name of the mytoken that subtokens are made from: it rotates at every use, and an older copy in use revokes all.
pub const PARENT: &str = "toar";

/// The ways to a mytoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Making {
    Login,
    Subtoken,
    Redeem,
    HandOver,
}

pub const ALL: [Making; 4] = [Making::Login, Making::Subtoken, Making::Redeem, Making::HandOver];

impl Making {
    pub fn words(self) -> Vec<&'static str> {
        const TIGHTER: [&str; 6] = ["--capability", "AT", "--uses", "5", "--other-uses", "5"];
        match self {
            Self::Login => {
                [&["mytoken", "create", CHILD, "--server", "mt", "--no-browser"], &TIGHTER[..]].concat()
            }
            Self::Subtoken => [&["mytoken", "create", CHILD, "--from", PARENT], &TIGHTER[..]].concat(),
            Self::Redeem => vec!["mytoken", "redeem", CHILD, "--server", "mt"],
            Self::HandOver => [&["mytoken", "hand-over", PARENT], &TIGHTER[..]].concat(),
        }
    }

    /// Whether it is made from a mytoken that is held.
    pub fn has_parent(self) -> bool {
        matches!(self, Self::Subtoken | Self::HandOver)
    }
}

/// A home with a parent in it, and the servers.
pub struct Stage {
    pub giver: Giver,
    pub home: Home,
}

impl Stage {
    pub fn open() -> Self {
        let giver = Giver::open();
        let home = Home::of(&giver);
        giver
            .runtime
            .block_on(async { home.open_store().await.create(Opening::KeyFile(None)).await.unwrap() });
        let stage = Self { giver, home };
        stage.new_parent();
        stage
    }

    /// Puts a new parent in, in the place of the one that is there.
    pub fn new_parent(&self) {
        let capabilities = ["AT", "tokeninfo", "create_mytoken", "manage_mytokens:list"];
        let order = Order {
            name: Some("proof".to_owned()),
            capabilities: capabilities.map(str::to_owned).into(),
            restrictions: vec![Clause {
                usages_at: Some(100_000),
                usages_other: Some(100_000),
                ..Clause::default()
            }],
            rotation: Some(Rotation { on_at: true, on_other: true, lifetime: 0, auto_revoke: true }),
            ..Order::default()
        };
        let mytoken = self.giver.issue(order).mytoken;
        self.giver.runtime.block_on(async {
            let wallet = self.home.wallet().await;
            if let Some(id) = wallet.find(PARENT) {
                wallet.forget(&id).await.unwrap();
            }
            wallet.keep(&recognise(mytoken.expose()), PARENT).await.unwrap();
            wallet.at_rest().await;
        });
    }

    /// Forgets all but the parent.
    pub fn forget_subtokens(&self) {
        self.giver.runtime.block_on(async {
            let wallet = self.home.wallet().await;
            for held in wallet.held().iter().filter(|held| held.name != PARENT) {
                wallet.forget(&held.id).await.unwrap();
            }
            wallet.at_rest().await;
        });
    }

    /// A code for a mytoken that nobody here holds.
    pub fn new_code(&self) -> String {
        let order = Order { name: Some("from elsewhere".to_owned()), ..Order::default() };
        let mytoken = self.giver.issue(order).mytoken;
        self.giver.runtime.block_on(async {
            let http = Http::default();
            let server = discovery::discover(&http, &self.giver.server).await.unwrap();
            let reply = transfer::create(&http, &server, &mytoken).await;
            reply.outcome.unwrap().code.expose().to_owned()
        })
    }

    /// The copy that is held under a name, and how it is said to be.
    pub fn peek(&self, name: &str) -> Result<Option<(String, Health)>, String> {
        self.giver.runtime.block_on(async {
            let store = self.home.open_store().await;
            let Some(id) = store.find(name) else { return Ok(None) };
            let credential = store.get(&id).map_err(|error| error.to_string())?;
            match &credential.grant {
                Grant::Mytoken(grant) => {
                    Ok(Some((grant.current.value.expose().to_owned(), credential.health.clone())))
                }
                Grant::Refresh(_) | Grant::Bare => Err(format!("{name} is no mytoken")),
            }
        })
    }

    /// How often the journal says that something may exist which nobody holds.
    fn traces(&self) -> usize {
        let journal = std::fs::read_to_string(self.home.store().join("history")).unwrap_or_default();
        journal.matches("it may exist").count()
    }

    /// Takes away what was made, so that its name is free.
    pub fn clear(&self, making: Making) {
        if making != Making::HandOver {
            let ran = self.home.run(&["forget", CHILD, "--yes"]);
            assert_eq!(ran.code, Some(0), "{ran:?}");
        }
    }

    /// The command of a making; a code waits on its standard input.
    pub fn command(&self, making: Making) -> Command {
        self.home.command(&[&making.words()[..], &["--no-input"]].concat())
    }

    /// Starts a command, with the code or with nothing on its standard input.
    pub fn start(&self, mut command: Command, code: Option<&str>) -> UnderWay {
        if let Some(code) = code {
            let mut file = tempfile::tempfile_in(self.home.path()).unwrap();
            writeln!(file, "{code}").unwrap();
            rewind(&mut file);
            command.stdin(file);
        } else {
            command.stdin(Stdio::null());
        }
        let mut child = command.spawn().unwrap();
        let said = self.visiting(&mut child);
        UnderWay { child, said }
    }

    /// Reads what the program says, and signs in at the first consent page that it names.
    fn visiting(&self, child: &mut Child) -> JoinHandle<String> {
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let runtime = self.giver.runtime.handle().clone();
        thread::spawn(move || {
            let (mut said, mut signed_in) = (String::new(), false);
            for line in lines.map_while(Result::ok) {
                let address = line.split_whitespace().find(|word| word.contains("/c/"));
                if let Some(address) = address.filter(|_| !signed_in) {
                    signed_in = true;
                    runtime.block_on(sign_in(address));
                }
                said.push_str(&line);
                said.push('\n');
            }
            said
        })
    }

    /// What is to be typed in.
    pub fn code_for(&self, making: Making) -> Option<String> {
        (making == Making::Redeem).then(|| self.new_code())
    }

    /// The whole of it, undisturbed.
    pub fn make(&self, making: Making) -> Ran {
        let code = self.code_for(making);
        self.start(self.command(making), code.as_deref()).end()
    }
}

fn rewind(file: &mut File) {
    std::io::Seek::rewind(file).unwrap();
}

/// A making under way.
pub struct UnderWay {
    pub child: Child,
    said: JoinHandle<String>,
}

impl UnderWay {
    pub fn end(self) -> Ran {
        let mut ran = Ran::ended(self.child);
        ran.err = self.said.join().unwrap();
        ran
    }
}

/// How a making stood when it was broken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Left {
    /// The server had given nothing, and nothing is in doubt.
    Nothing,
    /// It had not either, but it may have been asked: the parent is in doubt, and current.
    Unsent,
    /// All that the server gave is held.
    Kept,
    /// All of it is on disk, and nobody was told the code: the subtoken behind it is nobody's until it is revoked.
    Untold,
    /// What was made never reached the disk; its parent did, or has not changed.
    ChildInFlight,
    /// Neither the parent's new copy nor what was made reached the disk: the parent is in doubt, and said so.
    AllInFlight,
}

impl Left {
    /// The server had answered, and our disk did not have it.
    pub fn is_window(self) -> bool {
        matches!(self, Self::ChildInFlight | Self::AllInFlight)
    }
}

/// How things stood before.
pub struct Before {
    making: Making,
    parent: (String, Health),
    rotations: usize,
    made: usize,
    codes: usize,
    traces: usize,
    stale: u64,
}

impl Before {
    pub fn of(stage: &Stage, making: Making) -> Self {
        let books = &stage.giver.mine;
        Self {
            making,
            parent: stage.peek(PARENT).unwrap().unwrap(),
            rotations: books.rotations(),
            made: books.made().len(),
            codes: books.codes().len(),
            traces: stage.traces(),
            stale: stage.giver.stale(),
        }
    }

    /// Judges what is left now. `out` is what the program had given away before it ended.
    pub fn judge(&self, stage: &Stage, out: &str) -> Result<Left, String> {
        stage.giver.settle();
        if stage.giver.stale() != self.stale {
            return Err("a stale copy was presented".to_owned());
        }
        let parent = self.judge_parent(stage)?;
        let child = self.judge_child(stage)?;
        let left = match (parent, child) {
            (Some(false), _) => Left::AllInFlight,
            (_, Some(false)) => Left::ChildInFlight,
            (Some(true) | None, Some(true)) => Left::Kept,
            (Some(true), None) => return Err("the parent rotated, and nothing was made".to_owned()),
            (None, None) if stage.peek(PARENT)?.is_some_and(|(_, health)| health != Health::Ok) => {
                Left::Unsent
            }
            (None, None) => Left::Nothing,
        };
        if !out.is_empty() && left != Left::Kept {
            return Err(format!("something was given away before it was kept: {left:?}"));
        }
        if out.is_empty() && left == Left::Kept && self.making == Making::HandOver {
            return Ok(Left::Untold);
        }
        Ok(left)
    }

    /// Whether the parent's new copy is held; `None`: there is none.
    fn judge_parent(&self, stage: &Stage) -> Result<Option<bool>, String> {
        let (copy, health) = stage.peek(PARENT)?.ok_or("the parent is gone")?;
        let doubted = matches!(health, Health::InDoubt(_));
        let books = &stage.giver.mine;
        match books.rotations() - self.rotations {
            0 if copy != self.parent.0 => Err("the parent's copy changed, and nobody gave one".to_owned()),
            0 => Ok(None),
            1 if books.newest() == Some(copy.clone()) && doubted => {
                Err("the parent's newest copy is held, and said to be in doubt".to_owned())
            }
            1 if books.newest().as_deref() == Some(&copy) => Ok(Some(true)),
            1 if copy != self.parent.0 => Err("a copy is held that nobody gave".to_owned()),
            1 if doubted => Ok(Some(false)),
            1 => Err("the parent's new copy is lost, and the old one said to be fine".to_owned()),
            more => Err(format!("the parent rotated {more} times instead of once")),
        }
    }

    /// Whether what was made is held; `None`: nothing was made.
    fn judge_child(&self, stage: &Stage) -> Result<Option<bool>, String> {
        let books = &stage.giver.mine;
        let held = stage.peek(CHILD)?.map(|(copy, _)| copy);
        if self.making == Making::HandOver {
            // It is nobody's here: its code is what is handed out.
            let codes = books.codes().len() - self.codes;
            return if held.is_some() {
                Err("what was handed over is held".to_owned())
            } else {
                Ok((codes == 1).then_some(true))
            };
        }
        let made = books.made();
        match (&made[self.made..], held) {
            ([], None) => Ok(None),
            ([], Some(_)) => Err("something is held that nobody made".to_owned()),
            ([_], None) => Ok(Some(false)),
            ([given], Some(held)) if *given == held => Ok(Some(true)),
            ([_], Some(_)) => Err("something else is held than was made".to_owned()),
            (more, _) => Err(format!("{} were made instead of one", more.len())),
        }
    }

    /// Starts again, as the user would who finds the store so. Afterwards all is as it was before.
    pub fn go_on(&self, stage: &Stage, left: Left, code: Option<&str>) -> Result<(), String> {
        let listed = stage.home.run(&["list", "--json"]);
        let kept = left == Left::Kept && self.making != Making::HandOver;
        if listed.code != Some(0) || listed.out.contains(&format!("\"{CHILD}\"")) != kept {
            return Err(format!("after {left:?} the list says: {listed:?}"));
        }
        if kept && stage.home.run(&["forget", CHILD, "--yes"]).code != Some(0) {
            return Err("what was kept cannot be forgotten".to_owned());
        }
        if matches!(left, Left::Unsent | Left::AllInFlight) {
            let asked = stage.giver.mine.rotations();
            let ran = stage.make(Making::Subtoken);
            if ran.code != Some(3) || stage.giver.mine.rotations() != asked || !ran.err.contains("revoke") {
                return Err(format!("a parent in doubt was used: {ran:?}"));
            }
            if left == Left::Unsent {
                // It never arrived: whoever has read what may be revoked goes on.
                let ran = stage.home.run(&["token", PARENT, "--insist"]);
                if ran.code != Some(0) {
                    return Err(format!("what never arrived does not work: {ran:?}"));
                }
            } else {
                stage.new_parent();
            }
        }
        if left.is_window() {
            // What may exist and is held by nobody has left a trace.
            if stage.traces() <= self.traces {
                return Err(format!("after {left:?} nothing says that it may exist"));
            }
        }
        if let Some(code) = code.filter(|_| left == Left::ChildInFlight) {
            let ran = stage.start(stage.command(self.making), Some(code)).end();
            if ran.code != Some(3) || !ran.err.contains("used already") {
                return Err(format!("a code that is used up was tried, and that ended so: {ran:?}"));
            }
        }
        // A login takes a second, and nothing of ours is between it and the next one.
        if self.making != Making::Login {
            let ran = stage.make(self.making);
            if ran.code != Some(0) {
                return Err(format!("after {left:?} it is not made: {ran:?}"));
            }
            stage.clear(self.making);
        }
        if stage.giver.stale() == self.stale { Ok(()) } else { Err("a stale copy was presented".to_owned()) }
    }
}
