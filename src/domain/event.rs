//! One thing that happened, to a mytoken or in this session, and when.

use std::collections::HashSet;

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
    ("transfer_code_used", "handed over"),
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
    /// Whether it came from an address that no earlier event came from ([`mark_new_addresses`]).
    pub new_address: bool,
}

/// Marks each event that is the first from its address, in time and not in order of the list.
///
/// The very first address is where the mytoken was made, and is not marked: nothing was there to differ from.
/// Of events in the same second the one that stands first counts as the earlier one: servers give
/// whole seconds, and no order within them (mytoken-api.md §2.5.2).
pub fn mark_new_addresses(events: &mut [Event]) {
    let mut by_time: Vec<usize> = (0..events.len()).collect();
    by_time.sort_by_key(|index| events.get(*index).map(|event| event.at));
    let mut seen: HashSet<Untrusted> = HashSet::new();
    for index in by_time {
        let Some(event) = events.get_mut(index) else { continue };
        event.new_address = match &event.address {
            Some(address) if !seen.contains(address) => {
                seen.insert(address.clone());
                seen.len() > 1
            }
            _ => false,
        };
    }
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
            new_address: false,
        }
    }

    fn marked(events: &mut [Event]) -> Vec<bool> {
        mark_new_addresses(events);
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
