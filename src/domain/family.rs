//! The mytokens of a user at one server, as it lists them, and what is known of each here (mytoken-api.md §2.5.3, §2.5.4).

use std::ops::Range;

use jiff::Timestamp;

use super::credential::CredentialId;
use super::mytoken::Capability;
use super::source::SourceId;
use super::untrusted::Untrusted;

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

    fn listed(id: &str, children: Vec<Listed>) -> Listed {
        Listed { mom_id: id.into(), children, ..Listed::default() }
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
        let members = rows.into_iter().map(|(depth, listed)| Member {
            listed,
            depth,
            held: None,
            capabilities: None,
            last_used: None,
            asks: false,
        });
        let family = Family {
            server: "mt".into(),
            via: Via::Manager,
            which: Which::All,
            members: members.collect(),
            cut: false,
            read: Timestamp::UNIX_EPOCH,
        };
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
