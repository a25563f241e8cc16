//! The mytoken in a request: where it stands, whether it is alive, what it may do, and how it is given out.

use serde_json::{Map, Value, json};

use super::body::Body;
use super::capability;
use super::claims::Claims;
use super::jwt::looks_like_jwt;
use super::refusal::Refusal;
use super::restriction::{self, Clause, Use, Verdict};
use super::table::{Form, Row, Table};
use super::{Asked, Mytokens};
use crate::domain::secret::Secret;
use crate::sandbox::serve::Request;

/// Shorter strings are never looked up as a mytoken.
pub(crate) const SHORTEST: usize = 32;

/// A mytoken that was presented, and is signed by this server, begun and not ended.
#[derive(Clone, Debug)]
pub(crate) struct Presented {
    pub(crate) claims: Claims,
    pub(crate) mom_id: String,
    /// A JWT or a short token.
    pub(crate) form: Form,
    /// What was sent.
    pub(crate) sent: Secret,
    /// The JWT that it is or stands for.
    pub(crate) version: Secret,
}

/// The value of a cookie.
pub(crate) fn cookie(request: &Request, name: &str) -> Option<String> {
    let mut pairs = request.header("cookie")?.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

impl Mytokens {
    /// The mytoken of a request: in one of the body's `members`, else as Bearer, else as cookie (§2.1.2).
    pub(crate) fn presented(
        &self,
        asked: &Asked,
        body: &Body,
        members: &[&str],
    ) -> Result<Presented, Refusal> {
        let in_body = members.iter().find_map(|name| body.get(name));
        let text = match in_body {
            Some(Value::String(text)) if text.len() >= SHORTEST => text.clone(),
            Some(Value::String(_) | Value::Null) => return Err(Refusal::invalid_request("token not valid")),
            Some(other) => return Err(super::body::wrong_type(other, "Go value", "string")),
            None => {
                let header = asked.request.bearer().map(str::to_owned);
                let text = header.or_else(|| cookie(&asked.request, "mytoken"));
                let text = text.ok_or_else(|| Refusal::invalid_token("no mytoken found in request"))?;
                if text.len() < SHORTEST {
                    return Err(Refusal::invalid_token("token not valid"));
                }
                text
            }
        };
        self.read(&text, asked.place.now).map_err(Refusal::invalid_token)
    }

    /// Reads a mytoken, or what a short token stands for; else the library's words.
    pub(crate) fn read(&self, text: &str, now: i64) -> Result<Presented, String> {
        let text = text.trim_end_matches(['\r', '\n']);
        let (form, version) = if looks_like_jwt(text) {
            (Form::Token, Secret::new(text))
        } else {
            // Anything that is not known as a short token is read as a JWT after all, and fails there.
            match self.table().shorts.get(text) {
                Some(short) => (Form::Short, short.version.clone()),
                None => return Err("token contains an invalid number of segments".to_owned()),
            }
        };
        let claims = self.key().read(version.expose(), &self.settings().issuer, now)?;
        Ok(Presented { mom_id: claims.mom_id(), claims, form, sent: Secret::new(text), version })
    }

    /// Whether it is neither revoked nor rotated away. An old version of one with `auto_revoke` ends the
    /// family here.
    pub(crate) fn alive<'table>(
        &self,
        table: &'table mut Table,
        presented: &Presented,
        now: i64,
    ) -> Result<&'table mut Row, Refusal> {
        let row = table.rows.get(&presented.mom_id).ok_or_else(Refusal::dead)?;
        let stale = row.claims.seq_no != presented.claims.seq_no;
        if stale {
            self.saw_stale();
        }
        let lifetime = row.claims.rotation.as_ref().map_or(0, |rotation| rotation.lifetime);
        let over = lifetime > 0 && now > row.claims.iat.saturating_add(lifetime);
        if stale || over {
            if row.claims.auto_revokes() {
                table.revoke(&presented.mom_id, true);
            }
            return Err(Refusal::dead());
        }
        table.rows.get_mut(&presented.mom_id).ok_or_else(Refusal::dead)
    }

    /// Whether it may do `needed` at all.
    pub(crate) fn capable(presented: &Presented, needed: &str) -> Result<(), Refusal> {
        if capability::allows(&presented.claims.capabilities, needed) {
            return Ok(());
        }
        Err(Refusal::capability())
    }

    /// The clause that allows this use now; `None` for an unrestricted mytoken.
    pub(crate) fn permitted(
        &self,
        row: &Row,
        wanted: &Use,
        asked: &Asked,
    ) -> Result<Option<Clause>, Refusal> {
        let crashes = self.traps().usages_other_alone_crashes;
        let keys = &self.settings().restriction_keys;
        let clauses = &row.claims.restrictions;
        match restriction::evaluate(clauses, &row.counters, wanted, &asked.place, keys, crashes) {
            Verdict::Free => Ok(None),
            Verdict::By(clause) => Ok(Some(clause)),
            Verdict::Refused => Err(Refusal::restricted()),
            Verdict::Crash => Err(Refusal::crash()),
        }
    }

    /// Whether the refresh token opens with this version: of several that a parallel use has forked, only the
    /// one that was written last can (§5).
    pub(crate) fn opens(&self, row: &Row, presented: &Presented) -> Result<(), Refusal> {
        if row.current == presented.version {
            return Ok(());
        }
        self.saw_stale();
        Err(Refusal::does_not_open())
    }

    /// A mytoken as it is given out (§2.3.6). For a transfer code `text` is the code.
    pub(crate) fn described(&self, claims: &Claims, form: Form, text: &str, now: i64) -> Map<String, Value> {
        let (member, kind) = match form {
            Form::Token => ("mytoken", "token"),
            Form::Short => ("mytoken", "short_token"),
            Form::TransferCode => ("transfer_code", "transfer_code"),
        };
        let expires_in = match form {
            Form::TransferCode => Some(self.settings().polling_life),
            _ => claims.exp.map(|exp| exp - now).filter(|left| *left > 0),
        };
        let mut given = Map::new();
        given.insert(member.to_owned(), text.into());
        given.insert("mom_id".to_owned(), claims.mom_id().into());
        if let Some(seconds) = expires_in {
            given.insert("expires_in".to_owned(), seconds.into());
        }
        given.insert("capabilities".to_owned(), json!(claims.capabilities));
        if let Some(rotation) = &claims.rotation {
            given.insert("rotation".to_owned(), json!(rotation));
        }
        given.insert("mytoken_type".to_owned(), kind.into());
        if !claims.restrictions.is_empty() {
            given.insert("restrictions".to_owned(), json!(claims.restrictions));
        }
        given
    }
}
