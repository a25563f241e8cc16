//! What the server remembers: mytokens and their tree, short tokens, codes and logins under way.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use super::claims::Claims;
use super::restriction::{Clause, Counters};
use super::rotation::Rotation;
use super::templates::Template;
use crate::domain::secret::Secret;

/// One mytoken, as the server keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// The claims of the version written last.
    pub(crate) claims: Claims,
    /// The JWT of that version.
    pub(crate) current: Secret,
    /// The mytoken it was made from; `None` after a login, or once that one was revoked.
    pub(crate) parent: Option<String>,
    /// The login it comes from: all mytokens of a login share one refresh token.
    pub(crate) login: u64,
    /// Its place in the order in which the mytokens were made, from 1.
    pub(crate) number: u64,
    /// How often its clauses were used.
    pub(crate) counters: Counters,
    /// What happened to it, oldest first.
    pub(crate) events: Vec<Event>,
}

/// One thing that happened to a mytoken (§6).
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) what: &'static str,
    pub(crate) comment: String,
    pub(crate) time: i64,
    pub(crate) ip: String,
    pub(crate) user_agent: String,
}

impl Event {
    /// The entry of a history (§2.5.2).
    pub(crate) fn entry(&self, mom_id: &str) -> Value {
        let mut entry = serde_json::Map::new();
        entry.insert("event".to_owned(), self.what.into());
        for (name, text) in [("comment", &self.comment), ("ip", &self.ip), ("user_agent", &self.user_agent)] {
            if !text.is_empty() {
                entry.insert(name.to_owned(), json!(text));
            }
        }
        entry.insert("mom_id".to_owned(), mom_id.into());
        entry.insert("time".to_owned(), self.time.into());
        Value::Object(entry)
    }
}

/// In which form a mytoken was asked for, or presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A JWT.
    Token,
    /// Opaque letters that stand for one version.
    Short,
    /// A code that is redeemed once for the JWT.
    TransferCode,
}

/// What a short token stands for.
#[derive(Clone, Debug)]
pub(crate) struct Short {
    pub(crate) mom_id: String,
    /// The one version it stands for: after a rotation it is as dead as that.
    pub(crate) version: Secret,
}

/// A polling or transfer code.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    /// The last second it can be used.
    pub(crate) expires: i64,
    pub(crate) state: CodeState,
    /// Whether it was the answer to the creation of a mytoken: then revoking it revokes that one (§2.6).
    pub(crate) is_answer: bool,
}

/// How far what is behind a code has come.
#[derive(Clone, Debug)]
pub(crate) enum CodeState {
    /// The user has not finished.
    Pending,
    /// The user said no.
    Declined,
    /// The mytoken is there: its id, its version, and the form that was asked for.
    Ready { mom_id: String, version: Secret, form: Form, is_login: bool },
}

/// What a login is to give: as asked, then as the user confirmed it.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) issuer: String,
    pub(crate) name: Option<String>,
    pub(crate) capabilities: Vec<String>,
    pub(crate) restrictions: Vec<Clause>,
    pub(crate) rotation: Option<Rotation>,
}

/// A login under way.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) wish: Wish,
    pub(crate) application: String,
    /// `response_type` as asked.
    pub(crate) form: Form,
    /// `max_token_len`, 0 for none.
    pub(crate) longest: i64,
    /// The polling code; `None` for a web client.
    pub(crate) polling_code: Option<String>,
    /// The last second it can be finished.
    pub(crate) expires: i64,
    /// Sent to the provider and back, once the user has consented.
    pub(crate) state: Option<String>,
    /// The PKCE verifier (RFC 7636).
    pub(crate) verifier: Secret,
}

/// All of it.
#[derive(Default)]
pub(crate) struct Table {
    /// By `mom_id`. Revoked ones are gone.
    pub(crate) rows: BTreeMap<String, Row>,
    pub(crate) shorts: HashMap<String, Short>,
    pub(crate) codes: HashMap<String, Code>,
    /// Logins under way, by consent code.
    pub(crate) logins: HashMap<String, Login>,
    /// The refresh token of each login.
    pub(crate) refresh: HashMap<u64, Secret>,
    /// How many logins there were.
    pub(crate) last_login: u64,
    /// How many mytokens were made.
    pub(crate) last_row: u64,
    /// The profiles and templates, in the order they were written.
    pub(crate) templates: Vec<Template>,
}

impl Table {
    /// Whether `ancestor` is `mom_id` itself or above it in the tree.
    pub(crate) fn is_above(&self, ancestor: &str, mom_id: &str) -> bool {
        let mut at = self.rows.get_key_value(mom_id);
        while let Some((id, row)) = at {
            if id == ancestor {
                return true;
            }
            at = row.parent.as_ref().and_then(|parent| self.rows.get_key_value(parent));
        }
        false
    }

    /// All mytokens below `mom_id`, without itself.
    pub(crate) fn below(&self, mom_id: &str) -> Vec<String> {
        self.rows.keys().filter(|id| *id != mom_id && self.is_above(mom_id, id)).cloned().collect()
    }

    /// Revokes one mytoken, and all below it if `recursive`; otherwise its children become roots. Short
    /// tokens and codes of what is revoked go with it.
    ///
    /// The refresh token is returned when nothing uses it any more.
    pub(crate) fn revoke(&mut self, mom_id: &str, recursive: bool) -> Option<(String, Secret)> {
        let mut ids = if recursive { self.below(mom_id) } else { Vec::new() };
        ids.push(mom_id.to_owned());
        let mut last = None;
        for id in &ids {
            let Some(row) = self.rows.remove(id) else { continue };
            self.shorts.retain(|_, short| short.mom_id != *id);
            self.codes
                .retain(|_, code| !matches!(&code.state, CodeState::Ready { mom_id, .. } if mom_id == id));
            last = Some((row.login, row.claims.oidc_iss));
        }
        for row in self.rows.values_mut() {
            if row.parent.as_ref().is_some_and(|parent| ids.contains(parent)) {
                row.parent = None;
            }
        }
        let (login, issuer) = last?;
        if self.rows.values().any(|row| row.login == login) {
            return None;
        }
        Some((issuer, self.refresh.remove(&login)?))
    }

    /// Ends a login, and forgets its polling code if `forget_code`.
    pub(crate) fn end_login(&mut self, consent_code: &str, forget_code: bool) {
        if let Some(login) = self.logins.remove(consent_code)
            && let Some(code) = login.polling_code.filter(|_| forget_code)
        {
            self.codes.remove(&code);
        }
    }
}
