//! Revocation: by possession, or of another mytoken by its `mom_id` (§2.6).

use serde_json::Map;

use super::body::Body;
use super::presented::{Presented, SHORTEST, cookie};
use super::refusal::Refusal;
use super::rotation::Update;
use super::table::{CodeState, Form, Table};
use super::{Asked, Mytokens, capability};
use crate::domain::secret::Secret;
use crate::sandbox::serve::Response;

/// What the real server's database says when a mytoken is to revoke itself by `mom_id`.
const OWN_ID: &str = "Error 1452 (23000): Cannot add or update a child row: a foreign key constraint fails \
    (`mytoken`.`MT_Events`, CONSTRAINT `MT_Events_FK_2` FOREIGN KEY (`MT_id`) REFERENCES `MTokens` (`id`) \
    ON DELETE CASCADE ON UPDATE CASCADE)";

impl Mytokens {
    /// The revocation endpoint. The Bearer header is not looked at.
    pub(crate) async fn revocation(&self, asked: &Asked) -> Result<Response, Refusal> {
        let body = Body::by_type(&asked.request)?;
        let given = body.text("token")?.filter(|text| !text.is_empty()).map(str::to_owned);
        let by_cookie = given.is_none();
        let token = given.or_else(|| cookie(&asked.request, "mytoken"));
        let token = token.ok_or_else(|| Refusal::invalid_request("no token given"))?;
        let recursive = body.flag("recursive")?;
        if let Some(mom_id) = body.text("mom_id")?.filter(|id| !id.is_empty()) {
            return self.revoke_other(asked, &token, mom_id, recursive).await;
        }
        if let Some((issuer, refresh_token)) =
            self.revoke_own(asked, &token, body.text("oidc_issuer")?, recursive)?
        {
            self.revoke_at_provider(&issuer, refresh_token).await;
        }
        let done = Response::empty(204);
        let gone = "mytoken=; expires=Thu, 01 Jan 1970 00:00:00 GMT; path=/api; HttpOnly; SameSite=Strict";
        Ok(if by_cookie { done.with("set-cookie", gone) } else { done })
    }

    /// Revokes what is presented. What cannot be read is no error, and nothing happens: a 204 proves nothing.
    fn revoke_own(
        &self,
        asked: &Asked,
        token: &str,
        issuer: Option<&str>,
        recursive: bool,
    ) -> Result<Option<(String, Secret)>, Refusal> {
        if token.len() < SHORTEST {
            return Ok(revoke_code(&mut self.table(), token, recursive));
        }
        let Ok(presented) = self.read(token, asked.place.now) else {
            self.table().shorts.remove(token);
            return Ok(None);
        };
        if issuer.is_some_and(|issuer| issuer != presented.claims.oidc_iss) {
            return Err(Refusal::invalid_request("token not for specified issuer"));
        }
        let mut table = self.table();
        let Some(row) = table.rows.get(&presented.mom_id) else { return Ok(None) };
        if row.current != presented.version {
            self.saw_stale();
            if self.traps().stale_revocation_fails {
                return Err(Refusal::does_not_open());
            }
        }
        if presented.form == Form::Short {
            table.shorts.remove(presented.sent.expose());
        }
        Ok(table.revoke(&presented.mom_id, recursive))
    }

    async fn revoke_other(
        &self,
        asked: &Asked,
        token: &str,
        mom_id: &str,
        recursive: bool,
    ) -> Result<Response, Refusal> {
        if token.len() < SHORTEST {
            return Err(Refusal::invalid_request("token not valid"));
        }
        let presented = self.read(token, asked.place.now).map_err(Refusal::invalid_request)?;
        self.may_revoke(&self.table(), &presented, mom_id)?;
        self.hang_if_short(&presented, false).await?;
        let mut table = self.table();
        self.may_revoke(&table, &presented, mom_id)?;
        table.revoke(mom_id, recursive);
        // Up to 0.11 nobody checks whether the authorising mytoken is the current version: an old one does as
        // well.
        let mut update = None;
        if let Some(row) = table.rows.get_mut(&presented.mom_id) {
            row.events.push(asked.event("revoked_other_token", format!("mom_id: {mom_id}")));
            let is_current = row.claims.seq_no == presented.claims.seq_no;
            if is_current {
                update = self.rotated(&mut table, &presented, asked, false)?;
            } else {
                self.saw_stale();
            }
        }
        if update.is_none() {
            return Ok(Response::empty(204));
        }
        Ok(Update::answer(update, 200, Map::new()))
    }

    fn may_revoke(&self, table: &Table, presented: &Presented, mom_id: &str) -> Result<(), Refusal> {
        if presented.mom_id == mom_id && table.rows.contains_key(mom_id) {
            return Err(if self.traps().own_mom_id_fails {
                Refusal::internal(OWN_ID)
            } else {
                Refusal::invalid_request("a mytoken cannot revoke itself by its mom_id")
            });
        }
        if table.is_above(&presented.mom_id, mom_id) {
            return Ok(());
        }
        if !capability::allows(&presented.claims.capabilities, "manage_mytokens:revoke") {
            return Err(Refusal::new(
                403,
                "insufficient_capabilities",
                "The provided token is neither a parent of the token to be revoked nor does it have the \
                 'manage_mytokens:revoke' capability",
            ));
        }
        let is_alive = table.rows.contains_key(&presented.mom_id);
        if is_alive && table.rows.get(mom_id).is_some_and(|row| row.claims.sub == presented.claims.sub) {
            return Ok(());
        }
        let words = "The provided token cannot be used to revoke this mom_id";
        Err(Refusal::new(403, "invalid_grant", words))
    }
}

/// Deletes a transfer code; the mytoken behind it only if the code was the answer to its creation.
fn revoke_code(table: &mut Table, text: &str, recursive: bool) -> Option<(String, Secret)> {
    let code = table.codes.remove(text)?;
    match code.state {
        CodeState::Ready { mom_id, .. } if code.is_answer => table.revoke(&mom_id, recursive),
        _ => None,
    }
}
