//! Whether the access token that is held will do: the one place of that rule. The plain command's fast path asks it too.

use jiff::{SignedDuration, Timestamp};

use super::{Drawn, Wish};
use crate::domain::credential::{AccessToken, Ask, Credential, Custody, ENDING, Grant, Health};
use crate::domain::failure::{Failure, Kind};

/// A token of which nobody says when it ends is used for this long after it came; then a new one is drawn (security.md I3).
pub const UNKNOWN_LIFE: SignedDuration = SignedDuration::from_mins(5);

/// The access token that is held for this wish, if it will do. It asks nobody, and changes nothing.
///
/// It will do while it lives for as long as the wish wants: [`Wish::min_life`], else a minute, or a third of its whole life
/// where that is shorter. What nobody can renew will do until it ends. It will not do while the newest value of its
/// credential is not on disk although it belongs there, and after its credential's death.
#[must_use]
pub fn at_hand(credential: &Credential, wish: &Wish, now: Timestamp) -> Option<Drawn> {
    let token = credential.access_for(asked(credential, wish))?;
    if matches!(credential.health, Health::Dead(_)) || matches!(credential.custody, Custody::Unsaved(_)) {
        return None;
    }
    let will_do = match (&credential.grant, token.left(now)) {
        (Grant::Bare, None) => true,
        (Grant::Bare, Some(left)) => left.is_positive() && wish.min_life.is_none_or(|least| left >= least),
        _ if wish.force => false,
        (_, Some(left)) => {
            left >= wish.min_life.unwrap_or_else(|| margin(token)) && !is_from_ahead(token, now)
        }
        (_, None) => now.duration_since(token.obtained).abs() < UNKNOWN_LIFE,
    };
    let unknown = wish.min_life.is_some() && token.expires.is_none();
    will_do.then(|| Drawn {
        token: token.clone(),
        renewed: false,
        remarks: unknown.then(|| UNKNOWN.to_owned()).into_iter().collect(),
    })
}

/// Said where a life was asked for and nobody names one.
pub(super) const UNKNOWN: &str = "nobody said how long it lives";

/// What it is to be asked for with.
pub(super) fn asked<'a>(credential: &'a Credential, wish: &'a Wish) -> &'a Ask {
    wish.ask.as_ref().unwrap_or(&credential.ask)
}

/// The same wish for the audience that the login was made for, where it names none: with other scopes only, the token must not be good
/// for more than was meant.
pub(super) fn for_its_audience(mut wish: Wish, credential: &Credential) -> Wish {
    if let Some(ask) = wish.ask.as_mut().filter(|ask| ask.audiences.is_empty()) {
        ask.audiences.clone_from(&credential.ask.audiences);
    }
    wish
}

/// What is left of the token while its giver is to be left alone.
pub(super) fn what_lives(credential: &Credential, wish: &Wish, now: Timestamp) -> Option<AccessToken> {
    let token = credential.access_for(asked(credential, wish))?;
    let lives = token.left(now).is_none_or(|left| left.is_positive());
    let usable =
        !matches!(credential.health, Health::Dead(_)) && !matches!(credential.custody, Custody::Unsaved(_));
    (lives && usable && wish.min_life.is_none()).then(|| token.clone())
}

/// A token that lives for less than was asked for.
pub(super) fn too_short(token: &AccessToken, wish: &Wish, now: Timestamp, doing: &str) -> Option<Failure> {
    let (least, left) = wish.min_life.zip(token.left(now))?;
    (left < least).then(|| {
        let why =
            format!("it lives {} s longer, and {} s are wanted", left.as_secs().max(0), least.as_secs());
        Failure::new(Kind::NotValid, doing, why)
    })
}

/// Whether a new token would live no longer than the one that is held: it lives, and never had as much as is wanted. To draw
/// at every question would be a loop.
pub(super) fn is_in_vain(credential: &Credential, wish: &Wish, now: Timestamp) -> Option<AccessToken> {
    let token = credential.access_for(asked(credential, wish))?;
    let plain = Wish { min_life: None, ..wish.clone() };
    let whole = token.expires?.duration_since(token.obtained);
    (wish.min_life? > whole && at_hand(credential, &plain, now).is_some()).then(|| token.clone())
}

/// How much life must be left where nobody says how much.
fn margin(token: &AccessToken) -> SignedDuration {
    let minute = SignedDuration::from_secs(ENDING);
    let whole = token.expires.map_or(minute, |end| end.duration_since(token.obtained));
    if whole.is_positive() { minute.min(whole / 3) } else { minute }
}

/// It came at a moment that is still to come: the clock was set back since, and what it said of the end counts for nothing.
fn is_from_ahead(token: &AccessToken, now: Timestamp) -> bool {
    token.obtained.duration_since(now) > SignedDuration::from_secs(ENDING)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::credential::{ChainEnd, Copy, CredentialId, RefreshGrant};
    use crate::domain::secret::Secret;
    use crate::domain::source::Client;
    use crate::domain::time::from_epoch;

    fn token(obtained: i64, life: Option<i64>) -> AccessToken {
        AccessToken {
            value: Secret::new("at"),
            obtained: from_epoch(obtained),
            expires: life.map(|life| from_epoch(obtained + life)),
            granted: None,
            id_token: None,
            ends_up: None,
            skew: None,
        }
    }

    fn login(token: AccessToken) -> Credential {
        Credential {
            id: CredentialId("c".to_owned()),
            name: "egi".to_owned(),
            source: "egi".into(),
            identity: None,
            grant: Grant::Refresh(RefreshGrant {
                issuer: "https://op.example.org".to_owned(),
                client: Client::public("toktui"),
                scopes: Vec::new(),
                current: Copy::first(Secret::new("rt"), 1),
                ends: ChainEnd::Unknown,
                rotates: true,
                endpoint: None,
                got: None,
            }),
            custody: Custody::Sealed,
            health: Health::Ok,
            ask: Ask::default(),
            access: vec![(Ask::default(), token)],
            since: from_epoch(0),
            pause: None,
        }
    }

    fn least(seconds: i64) -> Wish {
        Wish { min_life: Some(SignedDuration::from_secs(seconds)), ..Wish::default() }
    }

    fn will_do(credential: &Credential, wish: &Wish, now: i64) -> bool {
        at_hand(credential, wish, from_epoch(now)).is_some()
    }

    #[test]
    fn a_token_will_do_until_its_last_minute_or_the_last_third_of_a_short_life() {
        let force = Wish { force: true, ..Wish::default() };
        let table = [
            (Some(300), Wish::default(), 240, true),
            (Some(300), Wish::default(), 241, false),
            (Some(30), Wish::default(), 20, true),
            (Some(30), Wish::default(), 21, false),
            (Some(300), least(290), 10, true),
            (Some(300), least(290), 11, false),
            (Some(300), least(0), 300, true),
            (Some(300), force, 0, false),
            (None, Wish::default(), 299, true),
            (None, Wish::default(), 300, false),
            (None, Wish::default(), -301, false),
            (None, least(3600), 299, true),
            (Some(86_400), Wish::default(), -61, false),
        ];
        for (life, wish, age, expected) in table {
            let credential = login(token(1_000_000, life));
            assert_eq!(will_do(&credential, &wish, 1_000_000 + age), expected, "{life:?} {wish:?} {age}");
        }
    }

    #[test]
    fn what_nobody_renews_will_do_until_it_ends() {
        let force = Wish { force: true, ..Wish::default() };
        let bare = Credential { grant: Grant::Bare, ..login(token(0, Some(300))) };
        assert!(will_do(&bare, &force, 299));
        assert!(!will_do(&bare, &Wish::default(), 300));
        assert!(!will_do(&bare, &least(10), 291));
        assert!(will_do(
            &Credential { grant: Grant::Bare, ..login(token(0, None)) },
            &Wish::default(),
            1 << 40
        ));
    }

    #[test]
    fn what_is_dead_or_not_on_disk_will_not_do() {
        let living = login(token(0, Some(300)));
        let dead = Credential { health: Health::Dead("revoked from here".to_owned()), ..living.clone() };
        let unsaved = Credential { custody: Custody::Unsaved("disk full".to_owned()), ..living.clone() };
        let elsewhere =
            Wish { ask: Some(Ask { scopes: ["x".to_owned()].into(), ..Ask::default() }), ..Wish::default() };
        assert!(will_do(&living, &Wish::default(), 0));
        assert!(!will_do(&dead, &Wish::default(), 0));
        assert!(!will_do(&unsaved, &Wish::default(), 0));
        assert!(!will_do(&living, &elsewhere, 0));
    }

    #[test]
    fn a_life_that_no_new_token_has_is_not_asked_for_again_and_again() {
        let credential = login(token(0, Some(300)));
        let now = from_epoch;
        assert!(is_in_vain(&credential, &least(3600), now(10)).is_some());
        assert!(is_in_vain(&credential, &least(3600), now(250)).is_none(), "a new one is due anyway");
        assert!(is_in_vain(&credential, &least(200), now(150)).is_none(), "a new one lives longer");
        let force = Wish { force: true, ..least(3600) };
        assert!(is_in_vain(&credential, &force, now(10)).is_none());
    }
}
