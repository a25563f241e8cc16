//! One thing that happened, to a mytoken or in this session, and when.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::untrusted::Untrusted;

/// Who tells of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Teller {
    /// This program saw it.
    Here,
    /// The mytoken server has it in its history.
    Server,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// An event by its name on the wire (mytoken-api.md §6); also one that nobody here knows.
    Server(Untrusted),
    /// A login ended with tokens.
    LoggedIn,
    /// A login ended without tokens.
    LoginFailed,
    /// An access token was drawn from a mytoken.
    AccessToken,
    /// An access token was renewed with a refresh token.
    Renewed,
    /// The mytoken or refresh token was replaced by a new copy.
    Rotated {
        /// The number of the new copy.
        copy: u64,
    },
    /// Something was copied to the clipboard.
    Copied,
    /// What had been copied was taken off the clipboard again.
    ClipboardCleared,
    /// The server was asked about the token.
    LookedUp,
    /// The history was read.
    HistoryRead,
    /// A pasted token was kept under a name.
    Kept,
    /// The token was forgotten here.
    Forgotten,
    /// The token was revoked.
    Revoked,
    /// A surplus set of tokens was dropped.
    Dropped,
    /// The server refused.
    Refused,
    /// An answer did not arrive: nobody here knows which copy is the current one.
    InDoubt,
    /// Something else, in words of our own.
    Noted(String),
}

/// Plain words for the events of a mytoken server; those of 0.11 and 0.12 are there by reading only.
const SERVER_EVENTS: &[(&str, &str)] = &[
    ("created", "created"),
    ("inherited_RT", "took over its parent's login"),
    ("MT_created", "made a subtoken"),
    ("AT_created", "access token"),
    ("token_rotated", "rotated"),
    ("transfer_code_created", "made a transfer code"),
    // By a transfer code, or by the polling code of its own login: nearly every one has one.
    ("transfer_code_used", "collected by code"),
    ("tokeninfo_introspect", "looked up"),
    ("tokeninfo_history", "read its history"),
    ("tokeninfo_history_other_token", "read another's history"),
    ("tokeninfo_subtokens", "listed its subtokens"),
    ("tokeninfo_list_mytokens", "listed all mytokens"),
    ("tokeninfo_notifications", "listed its notifications"),
    ("tokeninfo_notifications_other_token", "listed another's notifications"),
    ("revoked_other_token", "revoked another mytoken"),
    ("settings_grants_listed", "listed grants"),
    ("settings_grant_enabled", "enabled a grant"),
    ("settings_grant_disabled", "disabled a grant"),
    ("ssh_keys_listed", "listed SSH keys"),
    ("ssh_key_added", "added an SSH key"),
    ("email_settings_listed", "read the mail settings"),
    ("email_changed", "changed the mail address"),
    ("email_mimetype_changed", "changed the mail format"),
    ("notification_subscribed", "subscribed to a notification"),
    ("notification_subscribed_other", "subscribed another to a notification"),
    ("notification_unsubscribed", "left a notification"),
    ("notification_unsubscribed_other", "took another off a notification"),
    ("notification_listed", "listed notifications"),
    ("notification_created", "made a notification"),
    ("notification_created_other", "made a notification for another"),
    ("notification_tags_updated", "changed a notification's tags"),
    ("calendar_created", "made a calendar"),
    ("calendar_listed", "listed calendars"),
    ("calendar_updated", "changed a calendar"),
    ("calendar_deleted", "deleted a calendar"),
    ("calendar_tags_updated", "changed a calendar's tags"),
    ("tags_listed", "listed tags"),
    ("tag_created", "made a tag"),
    ("tag_updated", "changed a tag"),
    ("tag_deleted", "deleted a tag"),
    ("tag_added_to_token", "tagged"),
    ("tag_added_to_other_token", "tagged another mytoken"),
    ("tag_removed_from_token", "untagged"),
    ("tag_removed_from_other_token", "untagged another mytoken"),
    ("expired", "expired"),
    ("revoked", "revoked"),
    ("unknown", "something unknown"),
];

impl What {
    /// What happened in plain words, fit to be shown. A server's unknown name stands as it is, cleaned.
    #[must_use]
    pub fn label(&self) -> String {
        let words = match self {
            Self::Server(name) => {
                let known = SERVER_EVENTS.iter().find(|(wire, _)| *wire == name.raw());
                return known.map_or_else(|| name.shown(), |(_, words)| (*words).to_owned());
            }
            Self::Rotated { copy } => return format!("rotated to copy {copy}"),
            Self::Noted(words) => return words.clone(),
            Self::LoggedIn => "logged in",
            Self::LoginFailed => "login failed",
            Self::AccessToken => "access token",
            Self::Renewed => "renewed",
            Self::Copied => "copied",
            Self::ClipboardCleared => "clipboard cleared",
            Self::LookedUp => "looked up",
            Self::HistoryRead => "history read",
            Self::Kept => "kept",
            Self::Forgotten => "forgotten",
            Self::Revoked => "revoked",
            Self::Dropped => "surplus tokens dropped",
            Self::Refused => "refused",
            Self::InDoubt => "in doubt",
        };
        words.to_owned()
    }
}

/// One line of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: What,
    /// From which address, where the server knows it.
    pub address: Option<Untrusted>,
    /// By which program (`User-Agent`, raw).
    pub agent: Option<Untrusted>,
    /// What the teller adds.
    pub comment: Option<Untrusted>,
    /// Who tells.
    pub teller: Teller,
    /// Of which credential here, by its id.
    pub credential: Option<String>,
    /// Of which mytoken at its server, by its id there (since 0.9).
    pub mom_id: Option<Untrusted>,
    /// Whether it came from an address that no earlier event came from ([`mark_first_seen`]).
    pub new_address: bool,
    /// Whether it was done by a program that had done none of the earlier ones ([`mark_first_seen`]).
    pub new_agent: bool,
}

impl Event {
    /// The other mytoken that it speaks of, by its id: the one that was revoked by this one. Of one that was made only the name is
    /// told, see [`super::family::Family::made_by`].
    #[must_use]
    pub fn other(&self) -> Option<Untrusted> {
        let comment = self.comment.as_ref().filter(|_| self.is("revoked_other_token"))?;
        let id = comment.raw().strip_prefix("mom_id:")?.trim();
        (!id.is_empty()).then(|| Untrusted::from(id))
    }

    /// The name of the subtoken that it made; `Some(None)` where that has no name, `None` where it made none.
    #[must_use]
    pub fn made(&self) -> Option<Option<Untrusted>> {
        if !self.is("MT_created") {
            return None;
        }
        let comment = self.comment.as_ref().map(Untrusted::raw).unwrap_or_default();
        let name = comment.strip_prefix("Created MT").unwrap_or_default();
        let name = name.strip_prefix(' ').unwrap_or(name);
        Some((!name.is_empty()).then(|| Untrusted::from(name)))
    }

    /// Whether it is this event of a server.
    #[must_use]
    pub fn is(&self, wire: &str) -> bool {
        matches!(&self.what, What::Server(name) if name.raw() == wire)
    }
}

/// Marks each event that is the first from its address, and each that is the first by its program, in time and not in order of
/// the list; of each mytoken apart.
///
/// The very first address and program are those that the mytoken was made with, and are not marked: nothing was there to
/// differ from. Of events in the same second the one that stands first counts as the earlier one: servers give
/// whole seconds, and no order within them (mytoken-api.md §2.5.2).
pub fn mark_first_seen(events: &mut [Event]) {
    let mut by_time: Vec<usize> = (0..events.len()).collect();
    by_time.sort_by_key(|index| events.get(*index).map(|event| event.at));
    let mut seen: HashMap<Option<Untrusted>, [HashSet<String>; 2]> = HashMap::new();
    for index in by_time {
        let Some(event) = events.get_mut(index) else { continue };
        let [addresses, agents] = seen.entry(event.mom_id.clone()).or_default();
        let address = event.address.as_ref().map(|address| address.raw().to_owned());
        event.new_address = is_another(addresses, address);
        event.new_agent = is_another(agents, event.agent.as_ref().map(program));
    }
}

/// Whether this one was not seen before, and others were.
fn is_another(seen: &mut HashSet<String>, one: Option<String>) -> bool {
    one.is_some_and(|one| seen.insert(one)) && seen.len() > 1
}

/// A program without its version: a newer one of the same is not another.
fn program(agent: &Untrusted) -> String {
    agent.raw().chars().filter(|c| !c.is_ascii_digit() && *c != '.').collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::from_epoch;

    fn event(at: i64, address: Option<&str>) -> Event {
        Event {
            at: from_epoch(at),
            what: What::Server(Untrusted::from("AT_created")),
            address: address.map(Untrusted::from),
            agent: None,
            comment: None,
            teller: Teller::Server,
            credential: None,
            mom_id: None,
            new_address: false,
            new_agent: false,
        }
    }

    fn marked(events: &mut [Event]) -> Vec<bool> {
        mark_first_seen(events);
        events.iter().map(|event| event.new_address).collect()
    }

    #[test]
    fn events_read_in_plain_words() {
        let table = [
            ("AT_created", "access token"),
            ("token_rotated", "rotated"),
            ("tokeninfo_introspect", "looked up"),
            ("a_name_of_2031", "a_name_of_2031"),
            ("\u{1b}[2Jx", "\\u{1b}[2Jx"),
            ("", ""),
        ];
        for (wire, words) in table {
            assert_eq!(What::Server(Untrusted::from(wire)).label(), words);
        }
        assert_eq!(What::Rotated { copy: 4 }.label(), "rotated to copy 4");
    }

    #[test]
    fn every_event_of_the_reference_has_words_of_its_own() {
        let all = "created inherited_RT MT_created AT_created token_rotated transfer_code_created transfer_code_used \
            tokeninfo_introspect tokeninfo_history tokeninfo_subtokens tokeninfo_list_mytokens tokeninfo_notifications \
            tokeninfo_history_other_token tokeninfo_notifications_other_token revoked_other_token \
            settings_grants_listed settings_grant_enabled settings_grant_disabled ssh_keys_listed ssh_key_added \
            email_settings_listed email_changed email_mimetype_changed notification_subscribed notification_listed \
            notification_unsubscribed notification_subscribed_other notification_unsubscribed_other \
            notification_created notification_created_other calendar_created calendar_listed calendar_deleted \
            calendar_updated tags_listed tag_created tag_updated tag_deleted tag_added_to_token \
            tag_added_to_other_token tag_removed_from_token tag_removed_from_other_token calendar_tags_updated \
            notification_tags_updated expired revoked unknown";
        let mut labels = HashSet::new();
        for name in all.split_whitespace() {
            let label = What::Server(Untrusted::from(name)).label();
            assert!(!label.contains('_'), "{name}: {label}");
            // It stands in a column of the board.
            assert!(label.len() <= 40, "{label}");
            // Two ways of the wire to untag another one, and to tag: the rest must not be mixed up.
            assert!(labels.insert(label.clone()), "{name}: {label}");
        }
        assert_eq!(labels.len(), SERVER_EVENTS.len());
    }

    #[test]
    fn what_an_event_speaks_of_is_read_out_of_its_comment() {
        let told = |wire: &str, comment: Option<&str>| Event {
            what: What::Server(Untrusted::from(wire)),
            comment: comment.map(Untrusted::from),
            ..event(0, None)
        };
        let other = |wire: &str, comment| told(wire, comment).other().map(|id| id.raw().to_owned());
        assert_eq!(other("revoked_other_token", Some("mom_id: a/b+c==")).as_deref(), Some("a/b+c=="));
        assert_eq!(other("revoked_other_token", Some("mom_id: ")), None);
        assert_eq!(other("revoked_other_token", None), None);
        assert_eq!(other("AT_created", Some("mom_id: x")), None);
        let made = |wire: &str, comment| told(wire, comment).made();
        assert_eq!(made("MT_created", Some("Created MT a b")), Some(Some("a b".into())));
        assert_eq!(made("MT_created", Some("Created MT")), Some(None));
        assert_eq!(made("MT_created", None), Some(None));
        assert_eq!(made("created", Some("Created MT x")), None);
    }

    #[test]
    fn a_program_is_new_once_whatever_its_version_and_of_each_mytoken_apart() {
        let by = |at, agent: &str, mom_id: Option<&str>| Event {
            agent: Some(agent.into()),
            mom_id: mom_id.map(Untrusted::from),
            ..event(at, Some("10.0.0.7"))
        };
        let mut events = [
            by(10, "toktui/0.1.0", None),
            by(20, "toktui/0.2.1", None),
            by(30, "curl/8.5.0", None),
            by(40, "curl/8.6.0", None),
            by(50, "curl/8.6.0", Some("another")),
            by(60, "SSH-2.0-OpenSSH_9.6", Some("another")),
        ];
        mark_first_seen(&mut events);
        let new: Vec<_> = events.iter().map(|event| event.new_agent).collect();
        assert_eq!(new, [false, false, true, false, false, true]);
        assert!(events.iter().all(|event| !event.new_address), "{events:?}");
    }

    #[test]
    fn no_event_of_a_server_is_listed_twice() {
        let names: HashSet<&str> = SERVER_EVENTS.iter().map(|(wire, _)| *wire).collect();
        assert_eq!(names.len(), SERVER_EVENTS.len());
    }

    #[test]
    fn an_address_is_new_once_and_in_order_of_time() {
        // Newest first, as a server sends them.
        let mut events = [
            event(50, Some("10.0.0.7")),
            event(40, Some("134.94.7.20")),
            event(30, Some("10.0.0.7")),
            event(20, None),
            event(10, Some("134.94.7.20")),
        ];
        assert_eq!(marked(&mut events), [false, false, true, false, false]);
    }

    #[test]
    fn marking_again_with_an_older_event_at_hand_unmarks_what_is_no_longer_new() {
        let mut events = vec![event(50, Some("10.0.0.7")), event(40, Some("134.94.7.20"))];
        assert_eq!(marked(&mut events), [true, false]);
        events.push(event(5, Some("10.0.0.7")));
        assert_eq!(marked(&mut events), [false, true, false]);
    }
}
