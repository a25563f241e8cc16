//! The successor of a mytoken: like it, with shifted dates, under its name.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Wallet, gone, health};
use crate::domain::credential::{Credential, CredentialId, Grant, MytokenGrant};
use crate::domain::draft::{Draft, DraftClause, When};
use crate::domain::failure::{Failure, Kind};
use crate::domain::mytoken::Form;
use crate::domain::verdict::Standing;

const DOING: &str = "Making the successor";
const PUTTING: &str = "Putting the successor in place";

/// A name is as long as this at the most.
const LONGEST: usize = 64;

/// What a succession came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Succeeded {
    /// The name that the new one has now: the old one's.
    pub name: String,
    /// The name that the old one has now.
    pub old_name: String,
    /// What else must be known: the new one could not be checked.
    pub remarks: Vec<String>,
}

impl Wallet {
    /// The draft of a mytoken like this one whose dates are shifted so that it lives as long from now as the old one did. Its uses are
    /// renewed in full.
    ///
    /// # Errors
    /// When it is no mytoken, or a short one of which nothing is known.
    pub fn successor_of(&self, id: &CredentialId) -> Result<Draft, Failure> {
        let credential = self.store.get(id).map_err(|error| gone(DOING, &error))?;
        let Grant::Mytoken(grant) = &credential.grant else {
            return Err(Failure::new(Kind::Unusable, DOING, "it is no mytoken"));
        };
        let facts = &grant.facts;
        if facts.capabilities.is_empty() {
            let why = "nothing is known of what it may do";
            return Err(Failure::new(Kind::Unusable, DOING, why).hint("Look it up first."));
        }
        let born = born(&credential, grant);
        let like = Draft::like(facts);
        let rotates = like.rotation.rotates();
        Ok(Draft {
            name: if like.name.is_empty() { credential.name.clone() } else { like.name },
            clauses: like.clauses.into_iter().map(|clause| shifted(clause, born)).collect(),
            form: if grant.short && !rotates { Form::Short } else { Form::Token },
            ..like
        })
    }

    /// Checks the new mytoken at its server, and puts it under the old one's name; the old one stays held under another name, and is
    /// not revoked by this.
    ///
    /// # Errors
    /// When the new one is not valid here and now: then nothing is renamed.
    pub async fn succeed(
        self: &Arc<Self>,
        old: &CredentialId,
        new: &CredentialId,
    ) -> Result<Succeeded, Failure> {
        self.may_change(PUTTING)?;
        let (wallet, old, new) = (Arc::clone(self), old.clone(), new.clone());
        self.to_its_end(PUTTING, async move { wallet.succeed_whole(&old, &new).await }).await
    }

    async fn succeed_whole(
        self: &Arc<Self>,
        old: &CredentialId,
        new: &CredentialId,
    ) -> Result<Succeeded, Failure> {
        if old == new {
            return Err(Failure::new(Kind::Unusable, PUTTING, "a mytoken is not its own successor"));
        }
        let before = self.store.get(old).map_err(|error| gone(PUTTING, &error))?;
        let remarks = self.check_new(new).await?;
        let old_name = self.name_of_old(&before);
        let name = self.rename(old, &old_name).await?;
        if let Err(failure) = self.rename(new, &name).await {
            // Whoever asks for the name must find something that works.
            return Err(match self.rename(old, &name).await {
                Ok(_) => failure.hint("Nothing was renamed. Try again."),
                Err(_) => failure.hint(format!("The old one is {old_name} now: rename it back.")),
            });
        }
        Ok(Succeeded { name, old_name, remarks })
    }

    /// What must be known of the new one although it is taken.
    async fn check_new(self: &Arc<Self>, new: &CredentialId) -> Result<Vec<String>, Failure> {
        let credential = self.store.get(new).map_err(|error| gone(PUTTING, &error))?;
        if !matches!(credential.grant, Grant::Mytoken(_)) || health::may_revoke_family(&credential) {
            return Err(Failure::new(Kind::Unusable, PUTTING, "the new one is no mytoken that can be used"));
        }
        let found = self.look_up(new).await.ok_or_else(|| {
            Failure::new(
                Kind::Failed,
                PUTTING,
                "the new one could not be read, or what was found not be written",
            )
        })?;
        let verdict = found.verdict;
        match verdict.standing {
            Standing::Valid => Ok(Vec::new()),
            Standing::MayNotBeAsked => Ok(vec![format!(
                "{} may not be asked about: whether it works was not checked",
                credential.name
            )]),
            Standing::CannotTell => {
                Err(Failure::new(Kind::Unreached, PUTTING, verdict.fact).hint(untouched(&credential.name)))
            }
            _ => Err(Failure::new(Kind::NotValid, PUTTING, verdict.fact).hint(untouched(&credential.name))),
        }
    }

    /// A free name that says until when the old one lives: `toar-until-2027-02-20`.
    fn name_of_old(&self, old: &Credential) -> String {
        let ends = match &old.grant {
            Grant::Mytoken(grant) => grant.facts.ends(),
            Grant::Refresh(_) | Grant::Bare => None,
        };
        let behind =
            ends.map_or_else(|| "-old".to_owned(), |end| format!("-until-{}", end.strftime("%Y-%m-%d")));
        // Names are plain ASCII.
        let front: String = old.name.chars().take(LONGEST - behind.len() - "-99".len()).collect();
        let wish = format!("{front}{behind}");
        let free = |name: &String| self.find(name).is_none();
        std::iter::once(wish.clone())
            .chain((2..100).map(|number| format!("{wish}-{number}")))
            .find(free)
            .unwrap_or_else(|| self.free_name("old"))
    }
}

fn untouched(name: &str) -> String {
    format!("Nothing was renamed; the new one is held as {name}.")
}

/// When the mytoken itself was made. A later copy tells only when it was rotated.
fn born(credential: &Credential, grant: &MytokenGrant) -> Timestamp {
    let issued = grant.facts.issued.unwrap_or(credential.since);
    if grant.current.number > 1 { issued.min(credential.since) } else { issued }
}

/// The minutes that its user took to agree were taken off its life: they are given back, so that successors do not live shorter and
/// shorter.
fn round(span: u64) -> u64 {
    match span {
        ..3600 => span,
        3600..86_400 => span.div_ceil(60) * 60,
        _ => span.div_ceil(600).saturating_mul(600),
    }
}

fn shifted(clause: DraftClause, born: Timestamp) -> DraftClause {
    let span = |when: When| match when {
        When::At(at) => {
            at.as_second().checked_sub(born.as_second()).and_then(|span| u64::try_from(span).ok())
        }
        When::In(span) => Some(span),
    };
    DraftClause {
        // Usable from before its birth is usable at once.
        starts: clause.starts.and_then(span).filter(|span| *span > 0).map(When::In),
        ends: clause.ends.map(|end| When::In(round(span(end).unwrap_or(0)))),
        rest: clause.rest,
    }
}
