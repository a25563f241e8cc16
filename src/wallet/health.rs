//! How a credential fares, in words short enough for a table cell, and what must not be sent because of it.

use super::draw::Wish;
pub(super) use crate::domain::credential::why::{
    ENDED_OR_REVOKED, EXPIRED, NO_LOGIN, OTHER_COPY, PROVIDER_REFUSES, REVOKED_HERE, REVOKED_OR_UNKNOWN,
    REVOKED_UNCHECKED, ROTATED_AWAY, UNANSWERED, UNKNOWN_THERE,
};
use crate::domain::credential::{Credential, Grant, Health};
use crate::domain::failure::{Failure, Kind};
use crate::domain::mytoken::Rotation;
use crate::domain::verdict::Standing;
use crate::mytoken::{Error, No, Reason};

/// Said where a request that replaces what it is made with got no answer.
pub(super) const MAY_HAVE_ACTED: &str =
    "It may have been worked, with a newer copy that did not come: it is in doubt until the next try.";

pub(super) fn needs_login(why: &str) -> Health {
    Health::NeedsLogin(why.to_owned())
}

pub(super) fn in_doubt() -> Health {
    Health::InDoubt(UNANSWERED.to_owned())
}

pub(super) fn rotation(credential: &Credential) -> Option<Rotation> {
    match &credential.grant {
        Grant::Mytoken(grant) => grant.facts.rotation,
        Grant::Refresh(_) | Grant::Bare => None,
    }
}

/// Whether sending the copy that is held may revoke it and all made from it: nobody here knows that it is the current
/// one, and an older one in use does that (mytoken-api.md §5).
pub(super) fn may_revoke_family(credential: &Credential) -> bool {
    let unsure = match &credential.health {
        Health::InDoubt(_) => true,
        Health::NeedsLogin(why) => why == OTHER_COPY,
        Health::Ok | Health::Dead(_) => false,
    };
    unsure && rotation(credential).is_some_and(|rotation| rotation.auto_revoke)
}

/// Whether a request may replace the mytoken: its rotation says so, or nobody here knows its rotation.
pub(super) fn may_rotate(credential: &Credential, on: impl Fn(Rotation) -> bool) -> bool {
    match &credential.grant {
        Grant::Mytoken(grant) => match grant.facts.rotation {
            Some(rotation) => on(rotation),
            // A short token says nothing by itself; its server may have.
            None => grant.short && grant.heard.is_none(),
        },
        Grant::Refresh(_) | Grant::Bare => false,
    }
}

/// Why a refresh token gives nothing more, by its provider's words (providers.md §7.3): a hint, no more.
pub(super) fn of_refusal(error: &crate::oidc::Error) -> &'static str {
    let refusal = error.refusal();
    let words = refusal.and_then(|refusal| refusal.description.as_ref());
    let words = words.map(|words| words.raw().to_lowercase()).unwrap_or_default();
    let says = |part: &str| words.contains(part);
    if says("token is not active") || says("token is expired") || says("token has expired") {
        EXPIRED
    } else if says("stale token") || says("reuse exceeded") {
        OTHER_COPY
    } else if says("user disabled") {
        "its account is disabled"
    } else {
        ENDED_OR_REVOKED
    }
}

/// What forbids to use it now, unless the user insists.
pub(super) fn forbids(credential: &Credential, wish: &Wish, doing: &str) -> Result<(), Failure> {
    let hint = match &credential.grant {
        Grant::Mytoken(_) => "Make a new one.",
        Grant::Refresh(_) | Grant::Bare => "Log in again.",
    };
    match &credential.health {
        Health::Dead(why) => {
            let is_login = matches!(credential.grant, Grant::Refresh(_));
            let hint = if is_login { super::stale::cure(credential) } else { hint.to_owned() };
            Err(Failure::new(Kind::NotValid, doing, why.clone()).hint(hint))
        }
        _ if may_revoke_family(credential) && !wish.insist => Err(may_revoke(doing)),
        _ if wish.force => Ok(()),
        Health::NeedsLogin(why) => Err(Failure::new(Kind::NotValid, doing, why.clone()).hint(hint)),
        Health::Ok | Health::InDoubt(_) => Ok(()),
    }
}

pub(super) fn may_revoke(doing: &str) -> Failure {
    let why = "a newer copy of it may exist, because its last use got no answer; it was not sent: an older copy in use \
               revokes the mytoken and all made from it";
    Failure::new(Kind::NotValid, doing, why)
        .hint("Make a new one; or insist (toktui token --insist), if that may happen: it works if the last use never arrived.")
}

/// What an error says about the mytoken itself. Nothing is ever deleted for it.
pub(super) fn after(error: &Error, before: &Health) -> Health {
    let Error::Refused(no) = error else { return before.clone() };
    match no {
        No::InvalidToken(Reason::Expired) => needs_login(EXPIRED),
        No::InvalidToken(Reason::Unidentified | Reason::UnknownShort) => needs_login(REVOKED_OR_UNKNOWN),
        No::OldCopy => needs_login(OTHER_COPY),
        No::NoRefreshToken => needs_login(NO_LOGIN),
        No::Provider { error, .. } if matches!(error.raw(), "invalid_grant" | "invalid_token") => {
            needs_login(PROVIDER_REFUSES)
        }
        // Only a current copy is told so.
        No::Provider { .. } | No::LacksCapability | No::UsageRestricted => match before {
            Health::InDoubt(_) => Health::Ok,
            Health::Ok | Health::NeedsLogin(_) | Health::Dead(_) => before.clone(),
        },
        _ => before.clone(),
    }
}

/// What this health says about a mytoken whose server does not answer now.
pub(super) fn standing(health: &Health) -> Standing {
    match health {
        Health::Ok | Health::InDoubt(_) => Standing::Valid,
        Health::NeedsLogin(why) if why == EXPIRED => Standing::Expired,
        Health::NeedsLogin(why) if is_useless(why) => Standing::Useless,
        Health::NeedsLogin(_) | Health::Dead(_) => Standing::RevokedOrUnknown,
    }
}

/// Whether the mytoken lives and gives nothing, because the provider behind it refuses.
pub(super) fn is_useless(why: &str) -> bool {
    matches!(why, NO_LOGIN | PROVIDER_REFUSES)
}
