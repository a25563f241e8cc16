//! What the Mytoken pane knows: the verdict on the selected row or on something pasted.

use std::collections::HashMap;

use jiff::Timestamp;

use super::effect::{Finding, Task};
use super::state::State;
use crate::domain::credential::{Chain, CredentialId, Health, Held, HeldAccess, why};
use crate::domain::introspected::Introspected;
use crate::domain::jwt::Jwt;
use crate::domain::mytoken::Facts;
use crate::domain::signature::Signature;
use crate::domain::source::Source;
use crate::domain::specimen::{Kind, Specimen};
use crate::domain::untrusted::{Untrusted, cleaned};
use crate::domain::verdict::{By, Next, Place, Says, Standing, Subject, Turn, Verdict, Witness, verdict};

/// Pane 3.
#[derive(Clone, Debug, Default)]
pub struct Lookup {
    /// Something pasted, on show instead of the selected row until Esc.
    pub pasted: Option<Pasted>,
    /// What was last found about each held credential.
    pub found: HashMap<CredentialId, Finding>,
    /// The look-up under way.
    pub task: Option<Task>,
    /// The first line on screen.
    pub offset: usize,
}

/// Something pasted.
#[derive(Clone, Debug)]
pub struct Pasted {
    /// The text and its kind.
    pub specimen: Specimen,
    /// What was found about it, once that is known.
    pub finding: Option<Finding>,
    /// The server that the user has agreed to ask about it.
    pub agreed: Option<String>,
    /// Its redeeming, where it is a transfer code.
    pub redeeming: Option<Task>,
}

impl Pasted {
    /// What can be kept of it: what opens something and is not held yet. A short token can once its server has told
    /// what it is.
    #[must_use]
    pub fn keepable(&self) -> Option<Specimen> {
        let finding = self.finding.as_ref();
        if finding.is_some_and(|finding| finding.held_as.is_some()) {
            return None;
        }
        let specimen = self.specimen.clone();
        match &self.specimen.kind {
            Kind::Mytoken(_)
            | Kind::AccessToken(_)
            | Kind::RefreshToken(_)
            | Kind::OtherJwt(_)
            | Kind::Opaque => Some(specimen),
            Kind::MaybeShortToken => {
                let facts = finding?.facts.clone().filter(|facts| !facts.server.is_empty())?;
                Some(Specimen { kind: Kind::Mytoken(facts), ..specimen })
            }
            Kind::MaybeTransferCode | Kind::IdToken(_) | Kind::Garbled { .. } => None,
        }
    }
}

/// What pane 3 must show.
#[derive(Clone, Debug)]
pub enum Shown<'a> {
    /// Nothing is selected.
    Nothing,
    /// Something pasted; its verdict as of now, once it is known.
    Pasted(&'a Pasted, Option<Verdict>),
    /// A mytoken that is held.
    Mytoken {
        /// It.
        held: &'a Held,
        /// What is known of it.
        facts: &'a Facts,
        /// The answer as of now.
        verdict: Verdict,
        /// When its server was last heard about it.
        heard: Option<Timestamp>,
    },
    /// Something whose secrets are sealed, in a locked store.
    Locked(&'a Held),
    /// A login or a bare access token: its access token's content is shown, as far as it is one that can be read.
    Login {
        /// It.
        held: &'a Held,
        /// Its chief access token.
        access: Option<&'a HeldAccess>,
    },
}

/// What pane 3 must show.
#[must_use]
pub fn on_show(state: &State, now: Timestamp) -> Shown<'_> {
    if let Some(pasted) = &state.lookup.pasted {
        let verdict = pasted.finding.as_ref().map(|finding| as_of(&finding.verdict, now));
        return Shown::Pasted(pasted, verdict);
    }
    let Some(held) = state.selected_held() else { return Shown::Nothing };
    if held.locked {
        return Shown::Locked(held);
    }
    match &held.chain {
        Chain::Mytoken { facts, heard, .. } => {
            let (verdict, heard) = of_mytoken(state, held, facts, *heard, now);
            Shown::Mytoken { held, facts, verdict, heard }
        }
        Chain::Refresh { .. } | Chain::None => Shown::Login { held, access: held.chief() },
    }
}

/// The content that Enter shows in pane 3.
#[must_use]
pub fn content(state: &State) -> Option<&Jwt> {
    let Some(pasted) = &state.lookup.pasted else {
        return state.selected_held()?.chief()?.content.as_ref();
    };
    pasted.specimen.kind.jwt().or_else(|| pasted.finding.as_ref()?.content.as_deref())
}

/// What the last look-up said of the signature of the content on show.
#[must_use]
pub fn signature(state: &State) -> Option<&Signature> {
    match &state.lookup.pasted {
        Some(pasted) => pasted.finding.as_ref()?.signature.as_deref(),
        None => signature_of(state, state.selected_held()?),
    }
}

/// What the last look-up said of the signature of a held access token.
#[must_use]
pub fn signature_of<'a>(state: &'a State, held: &Held) -> Option<&'a Signature> {
    finding_on(state, held)?.signature.as_deref()
}

/// What its provider said of the opaque token on show.
#[must_use]
pub fn introspected(state: &State) -> Option<&Introspected> {
    match &state.lookup.pasted {
        Some(pasted) => pasted.finding.as_ref()?.introspected.as_deref(),
        None => finding_on(state, state.selected_held()?)?.introspected.as_deref(),
    }
}

/// The last look-up of the access token that is held now: what was found of an earlier one says nothing of it.
fn finding_on<'a>(state: &'a State, held: &Held) -> Option<&'a Finding> {
    let access = held.chief().filter(|_| !held.locked)?;
    let finding = state.lookup.found.get(&held.id)?;
    let same = finding.at >= access.obtained && finding.content.as_deref() == access.content.as_ref();
    same.then_some(finding)
}

/// What a listed issuer is called here, byte for byte, else its address.
#[must_use]
pub fn called(state: &State, issuer: &Untrusted) -> String {
    let is_it = |source: &&Source| source.issuer().is_some_and(|known| known.address == issuer.raw());
    let known = state.wallet.sources.iter().find(is_it);
    known.map_or_else(|| issuer.shown_within(80), |source| cleaned(&source.name))
}

/// At least as many lines as pane 3 can have: how far one can scroll down in it.
pub(super) fn most_lines(state: &State) -> usize {
    let of_facts = |facts: &Facts| 14 + facts.capabilities.len() + facts.restrictions.len() * 6;
    let of_content = |jwt: &Jwt| 12 + jwt.claims.len() * 2;
    match on_show(state, state.at) {
        Shown::Nothing => 0,
        Shown::Locked(_) => 12,
        Shown::Mytoken { facts, .. } => of_facts(facts),
        Shown::Login { access, .. } => {
            access.and_then(|access| access.content.as_ref()).map_or(12, of_content)
        }
        Shown::Pasted(pasted, _) => match &pasted.specimen.kind {
            Kind::Mytoken(facts) => of_facts(facts),
            _ => content(state).map_or(12, of_content),
        },
    }
}

/// The latest look-up decides, unless something has been heard from its server since.
fn of_mytoken(
    state: &State,
    held: &Held,
    facts: &Facts,
    heard: Option<Timestamp>,
    now: Timestamp,
) -> (Verdict, Option<Timestamp>) {
    let found =
        state.lookup.found.get(&held.id).filter(|finding| heard.is_none_or(|heard| finding.at >= heard));
    // What the look-up found is also what the health says; only what was done here since goes before it.
    let since = |why: &str| matches!(why, why::ROTATED_AWAY | why::REVOKED_HERE | why::REVOKED_UNCHECKED);
    if let Some(finding) = found
        && !matches!(&held.health, Health::Dead(words) if since(words))
    {
        return (as_of(&finding.verdict, now), finding.verdict.heard.or(heard));
    }
    (from_facts(state, held, facts, heard, now), heard)
}

/// The verdict on a held mytoken, from what is known without asking anybody.
fn from_facts(
    state: &State,
    held: &Held,
    facts: &Facts,
    heard: Option<Timestamp>,
    now: Timestamp,
) -> Verdict {
    let over = facts.ends().is_some_and(|end| end <= now);
    let mut witnesses = Vec::new();
    let server = |says| Witness { at: heard.unwrap_or(held.since), by: By::Server, says };
    match &held.health {
        Health::Dead(words) if words == why::ROTATED_AWAY => {
            let at = heard.unwrap_or(held.since);
            witnesses.extend(newest(state, held).map(|says| Witness { at, by: By::Journal, says }));
        }
        Health::Dead(words) => {
            witnesses.push(server(Says::Unidentified));
            if words == why::REVOKED_HERE {
                witnesses.push(Witness { at: held.since, by: By::Journal, says: Says::RevokedHere });
            }
        }
        Health::NeedsLogin(words) => witnesses.push(server(match words.as_str() {
            why::EXPIRED => Says::Expired,
            why::REVOKED_OR_UNKNOWN | why::OTHER_COPY | why::ENDED_OR_REVOKED => Says::Unidentified,
            _ => Says::ProviderRefuses(words.clone()),
        })),
        // A server that called it alive before its end says nothing about the time after it.
        Health::Ok | Health::InDoubt(_) if heard.is_some() && !over => {
            witnesses.push(server(Says::Alive(Box::new(facts.clone()))));
        }
        Health::Ok | Health::InDoubt(_) => {}
    }
    let is_short = *facts == Facts::default();
    let subject = if is_short { Subject::Short } else { Subject::Mytoken(facts) };
    let mut verdict = verdict(subject, &witnesses, &Place::default(), now);
    match &held.health {
        Health::Dead(why) if verdict.standing == Standing::RevokedOrUnknown && verdict.by == By::Server => {
            verdict.fact.clone_from(why);
        }
        Health::InDoubt(why) => verdict.remarks.insert(0, format!("in doubt: {why}")),
        // Not taken for an answer: how many uses are left, only its server knows.
        Health::Ok if verdict.standing == Standing::CannotTell && held.chief().is_some() => {
            verdict.remarks.insert(0, "it was alive when it last gave an access token".to_owned());
        }
        Health::Dead(_) | Health::NeedsLogin(_) | Health::Ok => {}
    }
    verdict
}

/// The newest copy of the same mytoken that is held here.
fn newest(state: &State, held: &Held) -> Option<Says> {
    let Chain::Mytoken { facts: own, copy: number, .. } = &held.chain else { return None };
    let newer = state.wallet.held.iter().filter_map(|other| match &other.chain {
        Chain::Mytoken { facts, copy, .. } if facts.mom_id == own.mom_id && copy > number => {
            Some((*copy, other))
        }
        _ => None,
    });
    let (newest, other) = newer.max_by_key(|(copy, _)| *copy)?;
    Some(Says::Superseded { copy: Some(*number), newest, name: other.name.clone() })
}

/// A verdict given earlier, as it stands now: its own moment may have come since.
fn as_of(verdict: &Verdict, now: Timestamp) -> Verdict {
    let mut verdict = verdict.clone();
    match verdict.turn {
        Some((Turn::Ends, end)) if end <= now => {
            verdict.turn = Some((Turn::Ended, end));
            if matches!(
                verdict.standing,
                Standing::Valid
                    | Standing::NotFromHere
                    | Standing::UsedUp
                    | Standing::MayNotBeAsked
                    | Standing::CannotTell
            ) {
                verdict.standing = Standing::Expired;
                verdict.fact = "its time has run out since it was looked up".to_owned();
                verdict.by = By::Clock;
                verdict.gives_access = false;
                verdict.next = Some(Next::MakeSuccessor);
            }
        }
        Some((Turn::Starts, start)) if start <= now && verdict.standing == Standing::NotYet => {
            verdict.standing = Standing::CannotTell;
            verdict.turn = None;
            verdict.fact = "it has started since it was looked up".to_owned();
            verdict.by = By::Clock;
            verdict.next = Some(Next::AskAgain);
        }
        _ => {}
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::effect::Target;
    use crate::app::sample::*;

    fn standing(held: Held, now: Timestamp) -> (Standing, By) {
        let state = board(vec![held]);
        match on_show(&state, now) {
            Shown::Mytoken { verdict, .. } => (verdict.standing, verdict.by),
            other => panic!("{other:?}"),
        }
    }

    fn changed(change: impl FnOnce(&mut Facts, &mut Option<Timestamp>)) -> Held {
        let mut held = mytoken("toar", None);
        if let Chain::Mytoken { facts, heard, .. } = &mut held.chain {
            change(facts, heard);
        }
        held
    }

    #[test]
    fn a_held_mytoken_is_judged_by_what_is_known_of_it() {
        let with = |health| Held { health, ..mytoken("toar", None) };
        let table = [
            (mytoken("toar", None), now(), Standing::Valid),
            (mytoken("toar", None), seconds(3 * 86_400), Standing::Expired),
            (changed(|_, heard| *heard = None), now(), Standing::CannotTell),
            (changed(|facts, _| facts.restrictions[0].used_at = Some(15)), now(), Standing::UsedUp),
            (changed(|facts, _| *facts = Facts::default()), now(), Standing::Valid),
            (with(Health::Dead("revoked from here".to_owned())), now(), Standing::RevokedOrUnknown),
            (with(Health::NeedsLogin("session over".to_owned())), now(), Standing::Useless),
            (with(Health::InDoubt("no answer".to_owned())), now(), Standing::Valid),
        ];
        for (at, (held, now, expected)) in table.into_iter().enumerate() {
            assert_eq!(standing(held, now).0, expected, "row {at}");
        }
    }

    #[test]
    fn why_a_mytoken_is_dead_is_the_deciding_fact_and_a_doubt_is_said_first() {
        let dead = Held { health: Health::Dead("revoked from here".to_owned()), ..mytoken("a", None) };
        let doubt = Held { health: Health::InDoubt("no answer came".to_owned()), ..mytoken("b", None) };
        let state = board(vec![dead, doubt]);
        let verdict = |name: &str| {
            let mut state = state.clone();
            state.tokens.selected = Some(id(name));
            match on_show(&state, now()) {
                Shown::Mytoken { verdict, .. } => verdict,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!((verdict("a").fact.as_str(), verdict("a").by), ("it was revoked from here", By::Journal));
        assert_eq!(verdict("b").remarks.first().map(String::as_str), Some("in doubt: no answer came"));
    }

    fn found(standing: Standing, turn: Option<(Turn, Timestamp)>, at: Timestamp) -> Finding {
        let verdict = Verdict {
            standing,
            fact: "its server says so".to_owned(),
            by: By::Server,
            heard: Some(at),
            turn,
            gives_access: true,
            remarks: Vec::new(),
            next: None,
        };
        Finding {
            target: Target::Held(id("toar")),
            verdict,
            facts: None,
            content: None,
            signature: None,
            introspected: None,
            what: String::new(),
            held_as: None,
            may_ask: None,
            at,
        }
    }

    #[test]
    fn the_latest_word_decides() {
        let shown = |finding: Finding| {
            let mut state = board(vec![mytoken("toar", None)]);
            state.lookup.found.insert(id("toar"), finding);
            match on_show(&state, seconds(20)) {
                Shown::Mytoken { verdict, .. } => verdict.standing,
                other => panic!("{other:?}"),
            }
        };
        // Its server was heard at `now`.
        assert_eq!(shown(found(Standing::NotFromHere, None, seconds(5))), Standing::NotFromHere);
        assert_eq!(shown(found(Standing::RevokedOrUnknown, None, seconds(-5))), Standing::Valid);
    }

    #[test]
    fn a_verdict_turns_when_its_moment_comes() {
        let turned = |standing, turn: Turn| {
            let verdict = as_of(&found(standing, Some((turn, seconds(10))), now()).verdict, seconds(10));
            (verdict.standing, verdict.turn.map(|(turn, _)| turn), verdict.by)
        };
        assert_eq!(turned(Standing::Valid, Turn::Ends), (Standing::Expired, Some(Turn::Ended), By::Clock));
        assert_eq!(turned(Standing::NotYet, Turn::Starts), (Standing::CannotTell, None, By::Clock));
        assert_eq!(
            turned(Standing::NotMytoken, Turn::Ends),
            (Standing::NotMytoken, Some(Turn::Ended), By::Server)
        );
        let before = found(Standing::Valid, Some((Turn::Ends, seconds(10))), now()).verdict;
        assert_eq!(as_of(&before, seconds(9)), before);
    }
}
