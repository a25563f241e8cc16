//! What the Mytoken pane knows: the verdict on the selected row or on something pasted.

use std::collections::HashMap;

use jiff::Timestamp;

use super::effect::{Finding, Task};
use super::state::State;
use crate::domain::credential::{Chain, CredentialId, Health, Held, HeldAccess};
use crate::domain::jwt::Jwt;
use crate::domain::mytoken::Facts;
use crate::domain::specimen::{Kind, Specimen};
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

/// At least as many lines as pane 3 can have: how far one can scroll down in it.
pub(super) fn most_lines(state: &State) -> usize {
    let of_facts = |facts: &Facts| 14 + facts.capabilities.len() + facts.restrictions.len() * 6;
    let of_content = |jwt: &Jwt| 12 + jwt.claims.len() * 2;
    match on_show(state, state.at) {
        Shown::Nothing => 0,
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
    if let Some(finding) = found
        && held.health == Health::Ok
    {
        return (as_of(&finding.verdict, now), finding.verdict.heard.or(heard));
    }
    (from_facts(held, facts, heard, now), heard)
}

/// The verdict on a held mytoken, from what is known without asking anybody.
fn from_facts(held: &Held, facts: &Facts, heard: Option<Timestamp>, now: Timestamp) -> Verdict {
    let over = facts.ends().is_some_and(|end| end <= now);
    let mut witnesses = Vec::new();
    let server = |says| Witness { at: heard.unwrap_or(held.since), by: By::Server, says };
    match &held.health {
        Health::Dead(_) => witnesses.push(server(Says::Unidentified)),
        Health::NeedsLogin(why) => witnesses.push(server(Says::ProviderRefuses(why.clone()))),
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
        Health::Dead(why) if verdict.standing == Standing::RevokedOrUnknown => verdict.fact.clone_from(why),
        Health::InDoubt(why) => verdict.remarks.insert(0, format!("in doubt: {why}")),
        Health::Dead(_) | Health::NeedsLogin(_) | Health::Ok => {}
    }
    verdict
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
