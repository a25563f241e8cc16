//! The mytokens of a user at one server, as it lists them, and what is known of each here (mytoken-api.md §2.5.3, §2.5.4).

use std::ops::Range;

use jiff::Timestamp;

use super::credential::CredentialId;
use super::event::Event;
use super::mytoken::Capability;
use super::source::SourceId;
use super::untrusted::Untrusted;

/// An event and what it made are told in whole seconds, by different clocks of one server.
const NEAR: i64 = 2;

/// A mytoken as a server lists it: neither what it may do nor under which restrictions is told there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// The id by which others manage it; never shortened when sent.
    pub mom_id: Untrusted,
    /// Its name there, if it has one.
    pub name: Option<Untrusted>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When it ends; `None`: never, or not told.
    pub expires: Option<Timestamp>,
    /// The address it was made from.
    pub address: Option<Untrusted>,
    /// What was made from it.
    pub children: Vec<Listed>,
}

/// By whose right a list is read, a history asked for, or another mytoken revoked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Via {
    /// By a mytoken that is held here: each request may cost one of its other uses, and rotate it.
    Held(CredentialId),
    /// By the manager mytoken of this session: it costs nothing, and ends with the session.
    Manager,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Which {
    /// All mytokens of the user at that server (`manage_mytokens:list`).
    All,
    /// The one that asks, and what was made from it (`tokeninfo:subtokens`).
    Below,
}

/// One of them, in the order of the screen: each before what was made from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// What its server says; its children follow as members of their own.
    pub listed: Listed,
    /// How deep in its tree it stands; 0: nothing above it.
    pub depth: usize,
    /// Held here, and its name here.
    pub held: Option<(CredentialId, String)>,
    /// What it may do: known only of what is held here.
    pub capabilities: Option<Vec<Capability>>,
    /// Its last use, where histories were read; `Some(None)`: they were, and there is none.
    pub last_used: Option<Option<LastUse>>,
    /// The one that asked.
    pub asks: bool,
}

/// When something last used a mytoken, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastUse {
    /// When.
    pub at: Timestamp,
    /// From which address.
    pub address: Option<Untrusted>,
    /// By which program.
    pub agent: Option<Untrusted>,
}

/// All of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// At which server.
    pub server: SourceId,
    /// By whose right it was read.
    pub via: Via,
    /// What was asked for.
    pub which: Which,
    /// They, in the order of the screen.
    pub members: Vec<Member>,
    /// The server's list was longer or deeper than anybody can read: it was cut.
    pub cut: bool,
    /// When it was read.
    pub read: Timestamp,
}

impl Family {
    /// A member with all that was made from it, as places in [`Family::members`].
    #[must_use]
    pub fn tree(&self, at: usize) -> Range<usize> {
        let Some(root) = self.members.get(at) else { return at..at };
        let after = self.members.iter().skip(at + 1).take_while(|member| member.depth > root.depth).count();
        at..at + 1 + after
    }

    /// The subtoken that an event made: the server tells only its name, so it is the one of that name that was made within two
    /// seconds of the event, below the mytoken that the event is of where that is known. `None` where none is, or where two are as near.
    #[must_use]
    pub fn made_by(&self, event: &Event) -> Option<usize> {
        let name = event.made()?;
        let parent = self.of_event(event);
        let off = |at: usize| -> Option<i64> {
            let listed = &self.members.get(at)?.listed;
            let off = (listed.created?.as_second() - event.at.as_second()).abs();
            (off <= NEAR && listed.name == name).then_some(off)
        };
        let places: Vec<usize> = match parent {
            Some(parent) => {
                let depth = self.members.get(parent)?.depth + 1;
                let below = self.tree(parent).skip(1);
                below.filter(|at| self.members.get(*at).is_some_and(|member| member.depth == depth)).collect()
            }
            None => (0..self.members.len()).collect(),
        };
        let mut near: Vec<(i64, usize)> = places.into_iter().filter_map(|at| Some((off(at)?, at))).collect();
        near.sort_unstable();
        match near.as_slice() {
            [(_, only)] => Some(*only),
            [(first, at), (second, _), ..] if first < second => Some(*at),
            _ => None,
        }
    }

    /// The member that an event is of.
    fn of_event(&self, event: &Event) -> Option<usize> {
        if let Some(mom_id) = &event.mom_id {
            return self.find(mom_id);
        }
        let credential = event.credential.as_ref()?;
        let is_it = |member: &Member| member.held.as_ref().is_some_and(|(id, _)| id.0 == *credential);
        self.members.iter().position(is_it)
    }

    /// The member with this id.
    #[must_use]
    pub fn find(&self, mom_id: &Untrusted) -> Option<usize> {
        self.members.iter().position(|member| member.listed.mom_id == *mom_id)
    }
}

/// Lays trees out in the order of the screen: each with its depth, before what was made from it.
#[must_use]
pub fn laid_out(trees: Vec<Listed>) -> Vec<(usize, Listed)> {
    let mut out = Vec::new();
    let mut open: Vec<(usize, Listed)> = trees.into_iter().rev().map(|tree| (0, tree)).collect();
    while let Some((depth, mut listed)) = open.pop() {
        let children = std::mem::take(&mut listed.children);
        open.extend(children.into_iter().rev().map(|child| (depth + 1, child)));
        out.push((depth, listed));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::{Teller, What};
    use crate::domain::time::from_epoch;

    fn listed(id: &str, children: Vec<Listed>) -> Listed {
        Listed { mom_id: id.into(), children, ..Listed::default() }
    }

    fn family(trees: Vec<Listed>) -> Family {
        let member = |(depth, listed)| Member {
            listed,
            depth,
            held: None,
            capabilities: None,
            last_used: None,
            asks: false,
        };
        Family {
            server: "mt".into(),
            via: Via::Manager,
            which: Which::All,
            members: laid_out(trees).into_iter().map(member).collect(),
            cut: false,
            read: Timestamp::UNIX_EPOCH,
        }
    }

    fn born(id: &str, name: Option<&str>, at: i64, children: Vec<Listed>) -> Listed {
        Listed { name: name.map(Untrusted::from), created: Some(from_epoch(at)), ..listed(id, children) }
    }

    #[test]
    fn an_event_leads_to_the_subtoken_it_made_by_name_and_time() {
        let family = family(vec![
            born(
                "a",
                Some("root"),
                10,
                vec![
                    born("b", Some("ci"), 100, vec![born("c", Some("ci"), 101, Vec::new())]),
                    born("d", None, 200, Vec::new()),
                    born("e", Some("twin"), 300, Vec::new()),
                    born("f", Some("twin"), 300, Vec::new()),
                    born("g", Some("near"), 400, Vec::new()),
                    born("h", Some("near"), 401, Vec::new()),
                ],
            ),
            born("i", Some("orphan"), 500, Vec::new()),
        ]);
        let made = |of: Option<&str>, at: i64, comment: &str| {
            let event = Event {
                at: from_epoch(at),
                what: What::Server("MT_created".into()),
                address: None,
                agent: None,
                comment: Some(comment.into()),
                teller: Teller::Server,
                credential: None,
                mom_id: of.map(Untrusted::from),
                new_address: false,
                new_agent: false,
            };
            let at = family.made_by(&event)?;
            family.members.get(at).map(|member| member.listed.mom_id.raw().to_owned())
        };
        let table = [
            (Some("a"), 100, "Created MT ci", Some("b")),
            (Some("a"), 102, "Created MT ci", Some("b")),
            (Some("a"), 103, "Created MT ci", None),
            (Some("b"), 101, "Created MT ci", Some("c")),
            (Some("a"), 200, "Created MT", Some("d")),
            (Some("a"), 300, "Created MT twin", None),
            (Some("a"), 400, "Created MT near", Some("g")),
            (Some("a"), 500, "Created MT orphan", None),
            // Whose event it is was not told, or that one is gone from the list: its name and time must do.
            (None, 500, "Created MT orphan", Some("i")),
            (None, 100, "Created MT ci", Some("b")),
            (Some("gone"), 500, "Created MT orphan", Some("i")),
        ];
        for (of, at, comment, expected) in table {
            assert_eq!(made(of, at, comment).as_deref(), expected, "{of:?} {at} {comment}");
        }
    }

    #[test]
    fn a_tree_is_laid_out_parents_first_and_found_again_as_a_whole() {
        let trees = vec![
            listed("a", vec![listed("b", vec![listed("c", Vec::new())]), listed("d", Vec::new())]),
            listed("e", Vec::new()),
        ];
        let rows = laid_out(trees);
        let told: Vec<_> =
            rows.iter().map(|(depth, listed)| format!("{depth}{}", listed.mom_id.raw())).collect();
        assert_eq!(told, ["0a", "1b", "2c", "1d", "0e"]);
        let family = family(vec![
            listed("a", vec![listed("b", vec![listed("c", Vec::new())]), listed("d", Vec::new())]),
            listed("e", Vec::new()),
        ]);
        assert_eq!([0, 1, 3, 4, 9].map(|at| family.tree(at)), [0..4, 1..3, 3..4, 4..5, 9..9]);
        assert_eq!(family.find(&"d".into()), Some(3));
    }

    #[test]
    fn a_tree_as_deep_as_a_server_likes_costs_no_stack() {
        let deep = (0..100_000).fold(listed("x", Vec::new()), |below, _| listed("x", vec![below]));
        let rows = laid_out(vec![deep]);
        assert_eq!(rows.len(), 100_001);
    }
}
