//! Polling codes and transfer codes: made once, redeemed once (§2.3.3, §2.3.5, §2.4).

use serde_json::{Value, json};

use super::body::Body;
use super::random::letters;
use super::refusal::Refusal;
use super::table::{Code, CodeState, Form};
use super::{Asked, Mytokens};
use crate::sandbox::serve::Response;

impl Mytokens {
    /// Makes a transfer code for the mytoken of the request: no capability, no restriction, no count.
    pub(crate) fn transfer_code(&self, asked: &Asked) -> Result<Response, Refusal> {
        let body = Body::json(&asked.request)?;
        let presented = self.presented(asked, &body, &["mytoken"])?;
        let mut table = self.table();
        let row = self.alive(&mut table, &presented, asked.place.now)?;
        let kind = if presented.form == Form::Short { "short_token" } else { "token" };
        row.events.push(asked.event("transfer_code_created", format!("token type: {kind}")));
        let text = letters(self.settings().code_length)?;
        let code = Code {
            expires: asked.place.now.saturating_add(self.settings().polling_life),
            state: CodeState::Ready {
                mom_id: presented.mom_id,
                version: presented.version,
                form: Form::Token,
                is_login: false,
            },
            is_answer: false,
        };
        table.codes.insert(text.clone(), code);
        let life = self.settings().polling_life;
        Ok(Response::json(
            200,
            &json!({"transfer_code": text, "expires_in": life, "mytoken_type": "transfer_code"}),
        ))
    }

    /// Gives what is behind a code. Both kinds live in one table, and one can be given as the other.
    pub(crate) fn redeem(&self, asked: &Asked, code: Option<&str>) -> Result<Response, Refusal> {
        let code = code.unwrap_or_default();
        let now = asked.place.now;
        let mut table = self.table();
        let found = table.codes.get(code).cloned().ok_or_else(Refusal::bad_code)?;
        if matches!(found.state, CodeState::Declined) {
            return Err(Refusal::new(401, "access_denied", "user declined consent"));
        }
        if now > found.expires {
            return Err(Refusal::new(401, "expired_token", "polling or transfer code is expired"));
        }
        let CodeState::Ready { mom_id, version, form, is_login } = found.state else {
            return Err(Refusal {
                status: 428,
                error: "authorization_pending".to_owned(),
                description: None,
            });
        };
        table.codes.remove(code);
        let row = table.rows.get_mut(&mom_id).ok_or_else(Refusal::bad_code)?;
        // A code made before a rotation stands for the version of then, which is dead.
        let version = if self.traps().stale_transfer_code { version } else { row.current.clone() };
        let claims = self.key().read(version.expose(), &self.settings().issuer, now).or_else(|words| {
            // One that has not begun yet can be collected; one that has ended cannot.
            let begun = row.claims.nbf > now;
            if begun { Ok(row.claims.clone()) } else { Err(Refusal::internal(words)) }
        })?;
        row.events.push(asked.event("transfer_code_used", ""));
        let text = self.handed_over(&mut table, &mom_id, &version, form, now)?;
        let mut given = self.described(&claims, form, &text, now);
        if !is_login {
            given.shift_remove("rotation");
        }
        Ok(Response::json(200, &Value::Object(given)))
    }
}
