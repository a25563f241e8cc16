//! From an issued mytoken to a credential: kept first, then asked and granted are compared.

use super::consent::Made;
use crate::domain::credential::{Ask, Copy, Credential, Custody, Grant, Health, Identity, MytokenGrant};
use crate::domain::failure::{Failure, Kind};
use crate::domain::login::Report;
use crate::mytoken::Issued;
use crate::mytoken::asked::{compare, is_wider};
use crate::mytoken::order::not_enforced;
use crate::store::fresh_id;
use crate::wallet::Wallet;

impl Wallet {
    pub(super) async fn finish_mytoken(&self, made: &Made<'_>, issued: Issued) -> Result<Report, Failure> {
        let now = self.now();
        let facts = issued.facts.clone();
        let identity = (!facts.subject.is_empty()).then(|| Identity {
            issuer: facts.provider.clone(),
            subject: facts.subject.clone(),
            label: None,
        });
        let id = fresh_id().map_err(|error| Failure::new(Kind::Failed, made.doing, error.to_string()))?;
        let credential = Credential {
            id,
            name: String::new(),
            source: made.source.id.clone(),
            identity,
            grant: Grant::Mytoken(Box::new(MytokenGrant {
                server: made.address.clone(),
                current: Copy::first(issued.mytoken.clone(), facts.copy.unwrap_or(1)),
                facts,
                heard: Some(now),
                short: issued.short,
            })),
            custody: Custody::MemoryOnly,
            health: Health::Ok,
            ask: Ask::default(),
            access: Vec::new(),
            since: now,
            pause: None,
        };
        let wish = made.order.name.as_deref().unwrap_or(made.source.id.as_str());
        let (id, name) =
            self.keep_login(credential, Some(wish).filter(|_| made.order.name.is_some()), made.doing).await?;
        let lines = compare(&made.asked, &issued, now);
        let mut remarks: Vec<String> = Vec::new();
        if is_wider(&lines) {
            remarks
                .push("it may do more than was asked for: revoke it if that is not what you want".to_owned());
        }
        remarks.extend(
            not_enforced(&made.asked, &made.server)
                .into_iter()
                .map(|claim| format!("this server does not enforce {claim}: it was dropped without a word")),
        );
        Ok(Report { id, name, at: made.source.name.clone(), lines, no_refresh: None, remarks })
    }
}
