//! The questions about the store: what shall keep it, what opens it. They lie over what was wanted, which then goes on by itself.

use jiff::{SignedDuration, Timestamp};

use super::action::Action;
use super::effect::Task;
use super::field::Field;
use super::overlay::Overlay;
use super::state::State;
use crate::domain::credential::{Custody, Held};
use crate::domain::secret::Secret;
use crate::domain::time::later;
use crate::domain::vault::{Access, Guard, Opening};

/// The word that must be typed before a key is put into a file.
pub const WORD: &str = "keyfile";

/// A shorter passphrase is said to be short.
pub const SHORT: usize = 10;

/// The pause after a wrong passphrase grows up to this (security.md F2).
const LONGEST_PAUSE: i64 = 10;

/// What the question about the store's guard is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// There is no store yet.
    Make,
    /// There is one, and it gets another guard.
    Change,
}

/// One of the answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Guarded so.
    By(Guard),
    /// No store, this time.
    InMemory,
}

/// How far the question has come.
#[derive(Clone, Debug)]
pub enum Stage {
    /// One of the answers is chosen.
    Choose,
    /// The passphrase is typed, then once more.
    Passphrase {
        /// The first time.
        first: Field,
        /// The second time.
        again: Field,
        /// Whether the second one is being typed.
        repeating: bool,
    },
    /// The word for a key file is typed.
    Word(Field),
    /// It is being done.
    Working(Task),
}

/// The question what shall guard the store.
#[derive(Clone, Debug)]
pub struct Choosing {
    /// What it is for.
    pub purpose: Purpose,
    /// What was wanted, and goes on once it is answered.
    pub then: Option<Action>,
    /// Whether the desktop's keyring answers; `None`: not known yet.
    pub keyring: Option<bool>,
    /// The asking.
    pub asking: Option<Task>,
    /// The selected answer.
    pub selected: Answer,
    /// Whether the user has moved: the selection then stays where it is.
    pub moved: bool,
    /// How far it has come.
    pub stage: Stage,
    /// What went wrong.
    pub said: Option<String>,
}

impl Choosing {
    /// The question, before anything is known.
    #[must_use]
    pub fn new(purpose: Purpose, then: Option<Action>, keyring: Option<bool>, asking: Option<Task>) -> Self {
        let selected = Answer::By(if keyring == Some(false) { Guard::Passphrase } else { Guard::Keyring });
        Self { purpose, then, keyring, asking, selected, moved: false, stage: Stage::Choose, said: None }
    }

    /// The answers, in the order in which they are offered.
    #[must_use]
    pub fn answers(&self) -> Vec<Answer> {
        let keyring = (self.keyring != Some(false)).then_some(Answer::By(Guard::Keyring));
        let memory = (self.purpose == Purpose::Make).then_some(Answer::InMemory);
        let rest = [Answer::By(Guard::Passphrase), Answer::By(Guard::KeyFile)];
        keyring.into_iter().chain(rest).chain(memory).collect()
    }

    /// The place of the selected answer.
    #[must_use]
    pub fn place(&self) -> usize {
        self.answers().iter().position(|answer| *answer == self.selected).unwrap_or(0)
    }

    /// The keyring has answered, or has not.
    pub(super) fn heard(&mut self, answers: bool) {
        self.keyring = Some(answers);
        self.asking = None;
        if !answers && self.selected == Answer::By(Guard::Keyring) {
            self.selected = Answer::By(Guard::Passphrase);
        }
    }

    /// The field that is being typed in.
    #[must_use]
    pub fn field(&self) -> Option<&Field> {
        match &self.stage {
            Stage::Passphrase { first, again, repeating } => Some(if *repeating { again } else { first }),
            Stage::Word(field) => Some(field),
            Stage::Choose | Stage::Working(_) => None,
        }
    }

    /// The same, to type in.
    pub(super) fn field_mut(&mut self) -> Option<&mut Field> {
        match &mut self.stage {
            Stage::Passphrase { first, again, repeating } => Some(if *repeating { again } else { first }),
            Stage::Word(field) => Some(field),
            Stage::Choose | Stage::Working(_) => None,
        }
    }

    /// Enter on what is typed: the way to open that it gives; `None`: more is to be typed, and what was wrong is said.
    pub(super) fn typed(&mut self) -> Option<Opening> {
        self.said = None;
        match &mut self.stage {
            Stage::Passphrase { first, repeating, .. } if !*repeating => {
                if first.is_empty() {
                    self.said = Some("Type one, or go back".to_owned());
                } else {
                    *repeating = true;
                }
                None
            }
            Stage::Passphrase { first, again, repeating } => {
                if first.value() == again.value() {
                    return Some(Opening::Passphrase(first.whole()));
                }
                (*first, *again, *repeating) = (Field::default(), Field::default(), false);
                self.said = Some("The two were not the same: type it again".to_owned());
                None
            }
            Stage::Word(field) if field.value().trim() == WORD => Some(Opening::KeyFile(None)),
            Stage::Word(field) => {
                field.clear();
                self.said = Some(format!("The word is {WORD}"));
                None
            }
            Stage::Choose | Stage::Working(_) => None,
        }
    }

    /// One step back; whether there was one inside the question.
    pub(super) fn back(&mut self) -> bool {
        self.said = None;
        match &mut self.stage {
            Stage::Passphrase { again, repeating, .. } if *repeating => {
                *again = Field::default();
                *repeating = false;
                true
            }
            Stage::Passphrase { .. } | Stage::Word(_) => {
                self.stage = Stage::Choose;
                true
            }
            Stage::Choose | Stage::Working(_) => false,
        }
    }
}

/// The question what opens a locked store.
#[derive(Clone, Debug)]
pub struct Unlock {
    /// What was wanted, and goes on once the store is open.
    pub then: Option<Action>,
    /// The passphrase, where the store has one.
    pub field: Field,
    /// Whether the store has a passphrase.
    pub takes_passphrase: bool,
    /// What is being tried.
    pub trying: Option<(Task, Guard)>,
    /// How often it was tried in vain.
    pub tries: u32,
    /// Until when nothing is tried.
    pub pause: Option<Timestamp>,
    /// What went wrong.
    pub said: Option<String>,
}

impl Unlock {
    /// The question, for a store that is guarded so.
    #[must_use]
    pub fn new(then: Option<Action>, guards: &[Guard]) -> Self {
        Self {
            then,
            field: Field::default(),
            takes_passphrase: guards.contains(&Guard::Passphrase) || guards.is_empty(),
            trying: None,
            tries: 0,
            pause: None,
            said: None,
        }
    }

    /// The passphrase to try now, if one is typed and nothing stands in the way.
    #[must_use]
    pub fn passphrase(&self, now: Timestamp) -> Option<Secret> {
        let waits = self.pause.is_some_and(|until| now < until);
        let is_tried = matches!(self.trying, Some((_, Guard::Passphrase)));
        (!waits && !is_tried && !self.field.is_empty()).then(|| self.field.whole())
    }

    /// It did not open the store.
    pub(super) fn failed(&mut self, by: Guard, why: String, now: Timestamp) {
        self.said = Some(why);
        if by == Guard::Passphrase {
            self.field.clear();
            self.tries = self.tries.saturating_add(1);
            let pause = 1_i64.checked_shl(self.tries - 1).unwrap_or(LONGEST_PAUSE).clamp(1, LONGEST_PAUSE);
            self.pause = Some(later(now, SignedDuration::from_secs(pause)));
        }
    }
}

/// By what else than a passphrase a locked store may open by itself: the first of its guards that needs nobody.
#[must_use]
pub fn opens_by_itself(state: &State) -> Option<Opening> {
    if state.wallet.vault.access != Access::Locked {
        return None;
    }
    state.wallet.vault.guards.iter().find_map(|guard| match guard {
        Guard::Keyring => Some(Opening::Keyring),
        Guard::KeyFile => Some(Opening::KeyFile(None)),
        Guard::Passphrase => None,
    })
}

/// Those whose newest value is on no disk although it belongs there, the selected one first.
#[must_use]
pub fn unsaved(state: &State) -> Vec<&Held> {
    if state.wallet.vault.unsaved == 0 {
        return Vec::new();
    }
    let is_unsaved = |held: &&Held| matches!(held.custody, Custody::Unsaved(_));
    let mut found: Vec<&Held> = state.wallet.held.iter().filter(is_unsaved).collect();
    found.sort_by_key(|held| Some(&held.id) != state.tokens.selected.as_ref());
    found
}

/// Whether Enter in the open question can try to open the store now.
pub(super) fn can_try(state: &State) -> bool {
    match state.overlays.last() {
        Some(Overlay::Unlock(unlock)) if unlock.takes_passphrase => unlock.passphrase(state.at).is_some(),
        Some(Overlay::Unlock(unlock)) => unlock.trying.is_none(),
        _ => false,
    }
}

/// Whether there is a store on disk that could be locked.
pub(super) fn can_lock(state: &State) -> bool {
    matches!(state.wallet.vault.access, Access::Open { .. })
}

/// Whether the store is locked.
pub(super) fn is_locked(state: &State) -> bool {
    state.wallet.vault.access == Access::Locked
}

/// Whether there could be a store and is none.
pub(super) fn can_make(state: &State) -> bool {
    !state.seat.demo && matches!(state.wallet.vault.access, Access::NoStore | Access::MemoryOnly(None))
}

/// Whether something could not be written.
pub(super) fn has_unsaved(state: &State) -> bool {
    state.wallet.vault.unsaved > 0
}
