//! What is left of a renewal that was broken off, judged by the giver's own books.

use toktui::domain::credential::Health;

use crate::giver::Giver;
use crate::home::{Home, Ran};
use crate::kept::{Kind, Peek};

/// How a renewal stood when it was broken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Left {
    /// The giver had given nothing new: the copy that is held is current.
    Untouched,
    /// It had not either, but the program may have asked: in doubt, and the copy that is held is current.
    Unsent,
    /// The new copy is held.
    Kept,
    /// The giver gave a new copy that never reached the disk: in doubt, and said so.
    InFlight,
}

/// How things stood before.
pub struct Before {
    pub kind: Kind,
    pub held: Peek,
    pub rotations: usize,
    pub stale: u64,
}

impl Before {
    pub fn of(giver: &Giver, home: &Home, kind: Kind) -> Self {
        let held = home.peek(&giver.runtime, kind).unwrap();
        Self { kind, held, rotations: kind.books(giver).rotations(), stale: giver.stale() }
    }

    /// Judges what is left now. `out` is what the program had given away before it ended.
    pub fn judge(&self, giver: &Giver, home: &Home, out: &str) -> Result<Left, String> {
        giver.settle();
        let now =
            home.peek(&giver.runtime, self.kind).map_err(|why| format!("the store does not read: {why}"))?;
        if giver.stale() != self.stale {
            return Err("a stale copy was presented".to_owned());
        }
        let rotated = self.kind.books(giver).rotations() - self.rotations;
        let newest = self.kind.books(giver).newest();
        let doubted = matches!(now.health, Health::InDoubt(_));
        let left = match rotated {
            0 if now.copy != self.held.copy => return Err("the copy changed, and nobody gave one".to_owned()),
            0 if doubted => Left::Unsent,
            0 => Left::Untouched,
            1 if newest.as_ref() == Some(&now.copy) && doubted => {
                return Err("the newest copy is held, and said to be in doubt".to_owned());
            }
            1 if newest.as_ref() == Some(&now.copy) => Left::Kept,
            1 if now.copy != self.held.copy => return Err("a copy is held that nobody gave".to_owned()),
            1 if doubted => Left::InFlight,
            1 => return Err("the new copy is lost, and the old one said to be fine".to_owned()),
            more => return Err(format!("{more} rotations instead of one")),
        };
        if !out.is_empty() && left != Left::Kept {
            return Err(format!("something was given away before it was kept: {left:?}"));
        }
        Ok(left)
    }

    /// Starts again and renews, as the user would who finds the store so. Afterwards a good copy is held again.
    pub fn go_on(&self, giver: &Giver, home: &Home, left: Left) -> Result<(), String> {
        let name = self.kind.name();
        let renewed = |ran: &Ran| {
            let held = home.peek(&giver.runtime, self.kind)?;
            let newest = self.kind.books(giver).newest();
            let good = ran.code == Some(0) && newest == Some(held.copy) && held.health == Health::Ok;
            if good {
                Ok(())
            } else {
                Err(format!("after {left:?} a renewal ended so: {ran:?} {:?}", held.health))
            }
        };
        match (left, self.kind) {
            (Left::Untouched | Left::Kept, _) | (Left::Unsent, Kind::Login) => {
                // In doubt, a refresh token is tried once.
                renewed(&home.run(&["token", name, "--force"]))?;
            }
            (Left::Unsent, Kind::Mytoken) => {
                self.is_refused(giver, home)?;
                // The user has read what it may revoke, and insists. It never arrived, so it works.
                renewed(&insist(home, name))?;
            }
            (Left::InFlight, Kind::Login) => {
                let tried = home.run(&["token", name, "--force"]);
                if tried.code != Some(3) {
                    return Err(format!("a lost copy was tried, and that ended so: {tried:?}"));
                }
                let again = self.kind.books(giver).requests();
                let ran = home.run(&["token", name, "--min-life", "2h"]);
                if ran.code != Some(3) || self.kind.books(giver).requests() != again {
                    return Err(format!("a dead copy was tried again: {ran:?}"));
                }
                home.fill(giver, self.kind);
                return Ok(());
            }
            (Left::InFlight, Kind::Mytoken) => {
                self.is_refused(giver, home)?;
                home.fill(giver, self.kind);
            }
        }
        if giver.stale() == self.stale {
            Ok(())
        } else {
            Err("a stale copy was presented afterwards".to_owned())
        }
    }

    /// A mytoken in doubt that revokes its family is not sent by anybody who has not read that.
    fn is_refused(&self, giver: &Giver, home: &Home) -> Result<(), String> {
        let (name, asked) = (self.kind.name(), self.kind.books(giver).requests());
        // Longer than any that is held lives, so that a new one is needed.
        for words in [&["token", name, "--min-life", "2h"][..], &["token", name, "--force"], &["renew", name]]
        {
            let ran = home.run(words);
            let sent = self.kind.books(giver).requests() - asked;
            if ran.code != Some(3) || sent > 0 || !ran.err.contains("revoke") {
                return Err(format!("a mytoken in doubt was sent {sent} times by {words:?}: {ran:?}"));
            }
        }
        Ok(())
    }
}

/// The words of a user who has read what may be revoked.
fn insist(home: &Home, name: &str) -> Ran {
    home.run(&["token", name, "--insist"])
}
