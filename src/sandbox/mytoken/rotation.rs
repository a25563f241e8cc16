//! How a mytoken is replaced by its next version, and how the new one is handed over (§5, §2.3.6).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::presented::Presented;
use super::random::letters;
use super::refusal::Refusal;
use super::table::{Form, Row, Short, Table};
use super::{Asked, Mytokens};
use crate::domain::secret::Secret;
use crate::sandbox::serve::Response;

/// When a new version is made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rotation {
    /// After each access token.
    #[serde(rename = "on_AT", skip_serializing_if = "is_off")]
    pub on_at: bool,
    /// After each other counted use.
    #[serde(skip_serializing_if = "is_off")]
    pub on_other: bool,
    /// How long a version is valid after the last rotation, in seconds; 0: for ever.
    #[serde(skip_serializing_if = "is_zero")]
    pub lifetime: i64,
    /// Whether the use of an old version revokes the mytoken and all made from it.
    #[serde(skip_serializing_if = "is_off")]
    pub auto_revoke: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_off(flag: &bool) -> bool {
    !flag
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(seconds: &i64) -> bool {
    *seconds == 0
}

/// The new version of the mytoken that a request was made with.
#[derive(Debug)]
pub(crate) struct Update {
    json: Value,
    cookie: String,
}

impl Update {
    /// Puts `token_update` into an answer and the cookie beside it (§2.1.4).
    pub(crate) fn answer(update: Option<Self>, status: u16, mut body: Map<String, Value>) -> Response {
        let Some(Self { json, cookie }) = update else {
            return Response::json(status, &Value::Object(body));
        };
        body.insert("token_update".to_owned(), json);
        Response::json(status, &Value::Object(body)).with("set-cookie", cookie)
    }
}

impl Mytokens {
    /// Hangs and fails, as a short token does that would have to rotate (§2.3.6).
    pub(crate) async fn hang_if_short(&self, presented: &Presented, at: bool) -> Result<(), Refusal> {
        let (trapped, span) = {
            let traps = self.traps();
            (traps.short_token_cannot_rotate, traps.short_token_hangs)
        };
        if !trapped || presented.form != Form::Short || !presented.claims.rotates(at) {
            return Ok(());
        }
        tokio::time::sleep(span).await;
        Err(Refusal::internal("Error 1205 (HY000): Lock wait timeout exceeded; try restarting transaction"))
    }

    /// Whether no other request has rotated it since this one was checked. 0.10.2 does not ask (§5).
    pub(crate) fn not_overtaken(&self, row: &Row, presented: &Presented) -> Result<(), Refusal> {
        if row.claims.seq_no == presented.claims.seq_no || self.traps().parallel_rotation_forks {
            return Ok(());
        }
        self.saw_stale();
        Err(Refusal::dead())
    }

    /// Makes the next version, if the mytoken rotates at such a use (`at`: for an access token).
    pub(crate) fn rotated(
        &self,
        table: &mut Table,
        presented: &Presented,
        asked: &Asked,
        at: bool,
    ) -> Result<Option<Update>, Refusal> {
        let row = table.rows.get_mut(&presented.mom_id).ok_or_else(Refusal::dead)?;
        if !presented.claims.rotates(at) {
            return Ok(None);
        }
        let claims = presented.claims.next(asked.place.now);
        let version = Secret::new(self.key().signed("MT+JWT", &claims)?);
        row.claims = claims.clone();
        row.current = version.clone();
        row.events.push(asked.event("token_rotated", ""));
        let new = if presented.form == Form::Short {
            let text = Secret::new(letters(self.settings().short_length)?);
            table.shorts.remove(presented.sent.expose());
            let short = Short { mom_id: presented.mom_id.clone(), version: version.clone() };
            table.shorts.insert(text.expose().to_owned(), short);
            text
        } else {
            version.clone()
        };
        let json = Value::Object(self.described(&claims, presented.form, new.expose(), asked.place.now));
        Ok(Some(Update { json, cookie: self.cookie(&new) }))
    }

    fn cookie(&self, new: &Secret) -> String {
        let issuer = &self.settings().issuer;
        let host = url::Url::parse(issuer).ok().and_then(|url| url.host_str().map(str::to_owned));
        let secure = if issuer.starts_with("http:") { "" } else { "; secure" };
        format!(
            "mytoken={}; max-age=604800; domain={}; path=/api; HttpOnly{secure}; SameSite=Strict",
            new.expose(),
            host.unwrap_or_default()
        )
    }
}
