//! A mytoken that has just come: it is kept before anything of it is looked at, then asked and granted are compared.

use jiff::tz::TimeZone;

use super::{Wallet, gone};
use crate::domain::credential::{
    Ask, Copy, Credential, CredentialId, Custody, Grant, Health, Identity, MytokenGrant,
};
use crate::domain::draft::{Circumstances, Draft, Part, check};
use crate::domain::event::What;
use crate::domain::failure::{Failure, Kind};
use crate::domain::login::Report;
use crate::domain::mytoken::{Facts, Wanted, can};
use crate::domain::offer::Offer;
use crate::domain::source::SourceId;
use crate::domain::untrusted::Untrusted;
use crate::mytoken::Issued;
use crate::mytoken::asked::{compare, is_wider};
use crate::mytoken::discovery::Server;
use crate::mytoken::order::not_enforced;
use crate::store::{self, Error, fresh_id};

/// Moments in a refusal are told in UTC.
static UTC: TimeZone = TimeZone::UTC;

/// The alarm of a report.
const WIDER: &str = "it may do more than was asked for: revoke it if that is not what you want";

/// What was asked for, and of whom.
pub(super) struct Asked<'a> {
    pub(super) wanted: &'a Wanted,
    pub(super) server: &'a Server,
    /// Where, in words.
    pub(super) at: &'a str,
    /// What it is to be good for, where its profile says.
    pub(super) purpose: Option<&'a str>,
}

impl Wallet {
    /// A credential of a mytoken that came from the server at `address`. It has no name yet.
    pub(super) fn as_credential(
        &self,
        issued: &Issued,
        source: &SourceId,
        address: &str,
        doing: &str,
    ) -> Result<Credential, Failure> {
        let now = self.now();
        let facts = issued.facts.clone();
        let identity = (!facts.subject.is_empty()).then(|| Identity {
            issuer: facts.provider.clone(),
            subject: facts.subject.clone(),
            label: None,
        });
        let id = fresh_id().map_err(|error| Failure::new(Kind::Failed, doing, error.to_string()))?;
        Ok(Credential {
            id,
            name: String::new(),
            source: source.clone(),
            identity,
            grant: Grant::Mytoken(Box::new(MytokenGrant {
                server: address.to_owned(),
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
        })
    }

    /// Keeps what has just come under `wish`, or under the next free name: two may end at once.
    pub(super) async fn keep_new(
        &self,
        mut credential: Credential,
        wish: &str,
        what: What,
        doing: &str,
    ) -> Result<(CredentialId, String), Failure> {
        loop {
            credential.name = if store::is_name(wish) && self.find(wish).is_none() {
                wish.to_owned()
            } else {
                self.free_name(wish)
            };
            let kept = (credential.id.clone(), credential.name.clone());
            match self.store.add(credential.clone()).await {
                Ok(()) => {
                    self.note(Some(&kept.0), what);
                    return Ok(kept);
                }
                Err(Error::NameTaken(_)) => {}
                Err(error) => {
                    if matches!(error, Error::NotSaved(_)) {
                        self.note(Some(&kept.0), what);
                    }
                    return Err(gone(doing, &error));
                }
            }
        }
    }

    /// The report on a mytoken that is kept already.
    pub(super) fn report(
        &self,
        (id, name): (CredentialId, String),
        asked: &Asked<'_>,
        issued: &Issued,
    ) -> Report {
        let lines = compare(asked.wanted, issued, self.now());
        let mut remarks: Vec<String> = is_wider(&lines).then(|| WIDER.to_owned()).into_iter().collect();
        remarks.extend(self.ended_already(&issued.facts));
        remarks.extend(meaning(asked.purpose, asked.wanted, &issued.facts));
        remarks.extend(
            not_enforced(asked.wanted, asked.server)
                .into_iter()
                .map(|claim| format!("this server does not enforce {claim}: it was dropped without a word")),
        );
        Report { id, name, at: asked.at.to_owned(), lines, no_refresh: None, remarks }
    }

    /// It is dead at once where every clause has ended: its answer then reads like that of one without end (§12.24).
    fn ended_already(&self, facts: &Facts) -> Option<String> {
        let now = self.now();
        let has_ended = |end: Option<jiff::Timestamp>| end.is_some_and(|end| end <= now);
        let clauses = &facts.restrictions;
        let over = has_ended(facts.expires)
            || (!clauses.is_empty() && clauses.iter().all(|clause| has_ended(clause.expires)));
        over.then(|| "it has ended already: no time is left in it".to_owned())
    }

    /// Refuses a name that cannot be kept, before anything is sent.
    pub(super) fn must_be_free(&self, name: &str, doing: &str) -> Result<(), Failure> {
        if !store::is_name(name) {
            return Err(gone(doing, &Error::BadName));
        }
        match self.find(name) {
            Some(_) => {
                Err(gone(doing, &Error::NameTaken(name.to_owned()))
                    .hint("Nothing was sent: take another name."))
            }
            None => Ok(()),
        }
    }

    /// What a login's draft is held against.
    pub(super) fn circumstances<'a>(&self, offer: &'a Offer) -> Circumstances<'a> {
        let now = self.now();
        Circumstances { offer: Some(offer), parent: None, now, zone: &UTC, tokens_live: None }
    }

    /// The name here of what is to be made: the one that is wished for; else the one that it has at its server, or the free one that is
    /// nearest to that where it cannot stand here.
    ///
    /// # Errors
    /// When a wished name is taken or is none. Nothing was sent then.
    pub(super) fn name_for(
        &self,
        wish: Option<&str>,
        draft: &Draft,
        otherwise: &str,
        doing: &str,
    ) -> Result<String, Failure> {
        let there = draft.name.trim();
        match (wish, there) {
            (Some(wish), _) => self.must_be_free(wish, doing).map(|()| wish.to_owned()),
            (None, "") => Ok(self.free_name(otherwise)),
            (None, there) if store::is_name(there) => {
                self.must_be_free(there, doing).map(|()| there.to_owned())
            }
            (None, there) => Ok(self.free_name(there)),
        }
    }
}

/// Refuses a draft that the server would do badly; what is said is the first reason.
pub(super) fn may_be_made(
    draft: &Draft,
    circumstances: &Circumstances<'_>,
    doing: &str,
) -> Result<(), Failure> {
    match check(draft, circumstances).into_iter().find(|warning| warning.stops) {
        Some(warning) => {
            // What its parent may not or cannot any more is no fault of the words.
            let kind = if warning.part == Part::Parent { Kind::NotValid } else { Kind::Unusable };
            Err(Failure::new(kind, doing, warning.text).hint("Nothing was sent."))
        }
        None => Ok(()),
    }
}

/// What a difference means for what the mytoken is made for. What it needs is what was asked for.
fn meaning(purpose: Option<&str>, asked: &Wanted, granted: &Facts) -> Vec<String> {
    let mut said = Vec::new();
    let lacks = |name: &str| can(&asked.may(), name) && !can(&granted.capabilities, name);
    if lacks("AT") {
        said.push(match purpose {
            Some(purpose) => format!("{purpose} needs AT: no access token can be had from it"),
            None => "no access token can be had from it".to_owned(),
        });
    }
    if lacks("tokeninfo:introspect") {
        said.push("it cannot be looked up: its server will not say whether it is valid".to_owned());
    }
    let missing = missing_scopes(asked, granted);
    if !missing.is_empty() {
        let shown = missing.iter().map(Untrusted::shown).collect::<Vec<_>>().join(" and ");
        said.push(match purpose {
            Some(purpose) => format!("{purpose} needs {shown}: its API will refuse these access tokens"),
            None => format!("without {shown} a service may refuse these access tokens"),
        });
    }
    let rotates = |rotation: Option<crate::domain::mytoken::Rotation>| {
        rotation.is_some_and(crate::domain::mytoken::Rotation::rotates)
    };
    if rotates(granted.rotation) && !rotates(asked.rotation) {
        said.push("it rotates, which was not asked for: a copy of it elsewhere goes stale".to_owned());
    }
    said
}

/// Scopes that some clause asks for and that no clause grants.
fn missing_scopes(asked: &Wanted, granted: &Facts) -> Vec<Untrusted> {
    if granted.restrictions.iter().any(|clause| clause.scopes.is_none()) {
        return Vec::new();
    }
    let listed = |scope: &&Untrusted| {
        granted
            .restrictions
            .iter()
            .filter_map(|clause| clause.scopes.as_ref())
            .any(|list| list.contains(scope))
    };
    let mut missing: Vec<Untrusted> = Vec::new();
    if !granted.restrictions.is_empty() {
        for scope in asked.restrictions.iter().filter_map(|clause| clause.scopes.as_ref()).flatten() {
            if !listed(&scope) && !missing.contains(scope) {
                missing.push(scope.clone());
            }
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mytoken::{Capability, Clause, Rotation};

    fn clause(scopes: Option<&[&str]>) -> Clause {
        let scopes = scopes.map(|scopes| scopes.iter().copied().map(Untrusted::from).collect());
        Clause { scopes, ..Clause::default() }
    }

    fn toar() -> Wanted {
        Wanted {
            capabilities: ["AT", "tokeninfo"].map(Capability::new).to_vec(),
            restrictions: vec![clause(Some(&["eduperson_unique_id", "email", "profile"]))],
            ..Wanted::default()
        }
    }

    fn granted(capabilities: &[&str], scopes: Option<&[&str]>) -> Facts {
        Facts {
            capabilities: capabilities.iter().copied().map(Capability::new).collect(),
            restrictions: vec![clause(scopes)],
            ..Facts::default()
        }
    }

    #[test]
    fn what_is_missing_is_told_by_what_the_profile_is_for() {
        let all = Some(&["eduperson_unique_id", "email", "profile"][..]);
        let table = [
            (granted(&["AT", "tokeninfo"], all), vec![]),
            (granted(&["AT", "tokeninfo"], None), vec![]),
            (
                granted(&["AT", "tokeninfo"], Some(&["eduperson_unique_id", "email"])),
                vec!["TOAR needs profile: its API will refuse these access tokens"],
            ),
            (granted(&["tokeninfo"], all), vec!["TOAR needs AT: no access token can be had from it"]),
            (
                granted(&["AT"], all),
                vec!["it cannot be looked up: its server will not say whether it is valid"],
            ),
            (
                Facts {
                    rotation: Some(Rotation { on_at: true, ..Rotation::default() }),
                    ..granted(&["AT", "tokeninfo"], all)
                },
                vec!["it rotates, which was not asked for: a copy of it elsewhere goes stale"],
            ),
        ];
        for (facts, expected) in table {
            assert_eq!(meaning(Some("TOAR"), &toar(), &facts), expected, "{facts:?}");
        }
        let less = granted(&["AT", "tokeninfo"], Some(&["email"]));
        assert_eq!(
            meaning(None, &toar(), &less),
            ["without eduperson_unique_id and profile a service may refuse these access tokens"]
        );
    }

    #[test]
    fn two_missing_scopes_are_two() {
        let less = granted(&["AT", "tokeninfo"], Some(&["email"]));
        assert_eq!(missing_scopes(&toar(), &less), ["eduperson_unique_id".into(), "profile".into()]);
    }
}
