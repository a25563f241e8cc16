//! From a token set to a credential: the ID token is checked, what came is kept, then asked and granted are compared.

use super::compared::{compared, no_refresh};
use super::race::{Race, Won};
use crate::domain::credential::{
    Ask, Copy, Credential, CredentialId, Custody, Grant, Health, Identity, RefreshGrant,
};
use crate::domain::event::What;
use crate::domain::failure::{Failure, Kind};
use crate::domain::jwt::Jwt;
use crate::domain::login::Report;
use crate::domain::untrusted::Untrusted;
use crate::oidc::id_token::Expected;
use crate::store::fresh_id;
use crate::wallet::granted::{access_token, chain_end, skew, skewed};
use crate::wallet::{Wallet, gone, keep};

const NOBODY_VOUCHES: &str =
    "no ID token came, although openid was asked for: nobody vouches for who logged in";

/// A login of the same user that brings no refresh token takes none away that lives.
fn keep_what_renews(before: &Credential, next: &mut Credential) {
    let is_same_user = before.identity.is_some()
        && before.identity.as_ref().map(|one| (&one.issuer, &one.subject))
            == next.identity.as_ref().map(|one| (&one.issuer, &one.subject));
    if is_same_user
        && before.health == Health::Ok
        && matches!((&before.grant, &next.grant), (Grant::Refresh(_), Grant::Bare))
    {
        next.grant = before.grant.clone();
    }
}

/// Both users in words, where it is certain that they are two.
fn other_user(before: &Credential, next: &Credential) -> Option<(String, String)> {
    let (old, new) = (before.identity.as_ref()?, next.identity.as_ref()?);
    let is_other = old.issuer == new.issuer && old.subject != new.subject;
    let called = |who: &Identity| who.label.as_ref().unwrap_or(&who.subject).shown();
    let same_label = called(old) == called(new);
    let words = |who: &Identity| if same_label { who.subject.shown() } else { called(who) };
    is_other.then(|| (words(old), words(new)))
}

/// Where a login is kept.
pub(super) struct Kept {
    pub(super) id: CredentialId,
    pub(super) name: String,
    /// Why it is kept beside what has the name that was wished for.
    pub(super) beside: Option<String>,
}

/// Who logged in, and what is to be said about that.
pub(super) struct Identified {
    identity: Option<Identity>,
    remarks: Vec<String>,
}

impl Wallet {
    pub(super) async fn finish(
        &self,
        race: &Race<'_>,
        won: Won,
        identified: Identified,
    ) -> Result<Report, Failure> {
        let Won { set, got, .. } = won;
        let Identified { identity, mut remarks } = identified;
        let now = self.now();
        let access = access_token(&set, now, self.clock.uptime());
        let grant = match &set.refresh {
            Some(refresh) => Grant::Refresh(RefreshGrant {
                issuer: race.issuer.address.clone(),
                client: race.client.clone(),
                scopes: race.issuer.scopes.clone(),
                current: Copy::first(refresh.clone(), 1),
                ends: chain_end(now, set.refresh_expires_in),
                rotates: false,
                endpoint: race.metadata.token.as_ref().map(ToString::to_string),
                got: Some(got),
            }),
            None => Grant::Bare,
        };
        let ask = Ask { audiences: race.audiences.clone(), ..Ask::default() };
        let id = fresh_id().map_err(|error| Failure::new(Kind::Failed, race.doing, error.to_string()))?;
        let credential = Credential {
            id,
            name: String::new(),
            source: race.source.id.clone(),
            identity,
            grant,
            custody: Custody::MemoryOnly,
            health: Health::Ok,
            ask: ask.clone(),
            access: vec![(ask, access)],
            since: now,
            pause: None,
        };
        let Kept { id, name, beside } =
            self.keep_login(credential, race.order.name.as_deref(), race.doing).await?;
        remarks.splice(0..0, beside);
        Ok(Report {
            id,
            name,
            at: race.source.name.clone(),
            lines: compared(&race.issuer.scopes, &race.audiences, &set),
            no_refresh: no_refresh(&race.issuer.scopes, &race.issuer.authorization, &set),
            remarks,
        })
    }

    /// Keeps a login under its name: in the place of an earlier one of that name at the same source, else as a new one. Where another user
    /// logged in than the earlier one's, both are kept.
    pub(super) async fn keep_login(
        &self,
        mut credential: Credential,
        name: Option<&str>,
        doing: &str,
    ) -> Result<Kept, Failure> {
        let mut beside = None;
        let wish = name.unwrap_or(credential.source.as_str()).to_owned();
        if let (Some(_), Some(old)) = (name, self.find(&wish)) {
            let turn = self.store.turn(&old).await.map_err(|error| gone(doing, &error))?;
            let before = turn.read();
            if let Some((theirs, ours)) = other_user(&before, &credential) {
                beside = Some((theirs, ours, before.name));
            } else if before.source == credential.source {
                (credential.id, credential.name) = (before.id.clone(), before.name.clone());
                self.remember(&before, &mut credential);
                keep_what_renews(&before, &mut credential);
                let kept = Kept { id: credential.id.clone(), name: credential.name.clone(), beside: None };
                self.note(Some(&kept.id), What::LoggedIn);
                self.save(&turn, credential, doing).await?;
                return Ok(kept);
            }
        }
        let (id, name) = self.keep_new(credential, &wish, What::LoggedIn, doing).await?;
        let beside = beside.map(|(theirs, ours, held)| {
            format!("another user logged in, {ours}: kept as {name}; {held}, of {theirs}, is as it was")
        });
        Ok(Kept { id, name, beside })
    }

    /// A new refresh token knows those that it takes the place of: pasted again, they are recognised as the older ones.
    fn remember(&self, before: &Credential, next: &mut Credential) {
        let (Grant::Refresh(old), Grant::Refresh(new)) = (&before.grant, &mut next.grant) else { return };
        if old.current.value == new.current.value
            || old.issuer != new.issuer
            || old.client.id != new.client.id
        {
            return;
        }
        let fresh = std::mem::replace(&mut new.current, old.current.clone()).value;
        new.current.supersede(fresh, None, &self.store.fingerprint_key());
    }

    /// Who logged in, by the checked ID token. One that is not believed ends the login: nothing of it is kept.
    pub(super) async fn identify(&self, race: &Race<'_>, won: &Won) -> Result<Identified, Failure> {
        let set = &won.set;
        let mut remarks = Vec::new();
        let clock = skew(set.date, self.now()).and_then(skewed);
        let Some(token) = &set.id_token else {
            if race.issuer.scopes.iter().any(|scope| scope == "openid") {
                remarks.push(NOBODY_VOUCHES.to_owned());
            }
            remarks.extend(clock);
            return Ok(Identified { identity: None, remarks });
        };
        let expected = Expected {
            issuer: &race.issuer.address,
            client: &race.client.id,
            nonce: won.by_code.then_some(&race.attempt.nonce),
            access: Some(&set.access),
            subject: None,
            // By the server's own clock where it told it: a wrong clock here must not end a login.
            now: set.date.unwrap_or_else(|| self.now()),
        };
        let checked = self.check_id_token(race.issuer, &race.metadata, token, expected).await;
        let (checked, warning) = checked.map_err(|error| {
            self.note(None, What::Dropped);
            race.failed(&error).hint("The tokens were not kept.")
        })?;
        remarks.extend(warning.map(|fault| format!("{fault}; this provider is known for it")));
        remarks.extend(clock);
        let jwt = Jwt { header: serde_json::Map::new(), claims: checked.claims, signature: 0 };
        let identity = Identity {
            issuer: Untrusted::from(race.issuer.address.as_str()),
            subject: checked.subject,
            label: keep::label(&jwt),
        };
        Ok(Identified { identity: Some(identity), remarks })
    }
}
