//! Leaving without losing an answer: what is under way is awaited, for as long as its own limits allow, and in sight.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::End;
use super::effects::Effects;
use crate::domain::credential::{Chain, Custody, Held};
use crate::domain::form::Form;
use crate::domain::secret::Secret;
use crate::wallet::Wallet;

/// How the board was left, and what is on no disk although it belongs there.
#[derive(Debug)]
pub struct Left {
    /// How it ended.
    pub end: End,
    /// Values by name, to be printed because the user asked for it.
    pub printed: Vec<(String, Secret)>,
    /// Names of what is lost because nobody could be asked.
    pub lost: Vec<String>,
}

/// Who wants to leave.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wish {
    /// The user, perhaps with what could not be written printed.
    Quit { printing: bool },
    /// A signal, or the terminal that is gone.
    By(End),
}

/// What is awaited before the program ends.
pub(super) struct Leaving {
    wish: Wish,
    /// So many values were unsaved when the user agreed to go.
    agreed: usize,
    rest: BoxFuture<'static, ()>,
    is_at_rest: bool,
}

impl Leaving {
    pub(super) fn new(wish: Wish, agreed: usize, rest: BoxFuture<'static, ()>) -> Self {
        Self { wish, agreed, rest, is_at_rest: false }
    }

    pub(super) fn is_at_rest(&mut self) -> bool {
        self.is_at_rest = self.is_at_rest || (&mut self.rest).now_or_never().is_some();
        self.is_at_rest
    }

    /// All has come. A last try to write what could not be written; so many values are unsaved that the user does not know of.
    pub(super) async fn end(self, wallet: &Arc<Wallet>) -> Result<Left, usize> {
        let unsaved = save_at_last(wallet).await;
        match self.wish {
            Wish::Quit { printing: true } => {
                let printed = values(wallet).await;
                Ok(Left { end: End::Quit, printed, lost: Vec::new() })
            }
            Wish::Quit { printing: false } if unsaved > self.agreed => Err(unsaved),
            Wish::Quit { printing: false } => {
                Ok(Left { end: End::Quit, printed: Vec::new(), lost: Vec::new() })
            }
            Wish::By(end) => Ok(Left { end, printed: Vec::new(), lost: lost(wallet) }),
        }
    }
}

/// Until all that is awaited has come; for ever where nobody leaves.
pub(super) async fn rest(leaving: &mut Option<Leaving>) {
    match leaving {
        Some(leaving) if !leaving.is_at_rest => {
            (&mut leaving.rest).await;
            leaving.is_at_rest = true;
        }
        _ => std::future::pending().await,
    }
}

/// Leaves where nobody sees it any more: the same care, without a screen.
pub(super) async fn unseen(end: End, wallet: &Arc<Wallet>, effects: &mut Effects) -> Left {
    effects.end();
    effects.at_rest().await;
    save_at_last(wallet).await;
    Left { end, printed: Vec::new(), lost: lost(wallet) }
}

async fn save_at_last(wallet: &Arc<Wallet>) -> usize {
    match wallet.vault().unsaved {
        0 => 0,
        _ => wallet.save_again().await,
    }
}

fn is_unsaved(held: &Held) -> bool {
    matches!(held.custody, Custody::Unsaved(_))
}

fn lost(wallet: &Arc<Wallet>) -> Vec<String> {
    match wallet.vault().unsaved {
        0 => Vec::new(),
        _ => wallet.held().iter().filter(|held| is_unsaved(held)).map(|held| held.name.clone()).collect(),
    }
}

async fn values(wallet: &Arc<Wallet>) -> Vec<(String, Secret)> {
    let mut values = Vec::new();
    for held in wallet.held().iter().filter(|held| is_unsaved(held)) {
        let form = match held.chain {
            Chain::Mytoken { .. } => Form::Mytoken,
            Chain::Refresh { .. } => Form::RefreshToken,
            Chain::None => Form::AccessToken,
        };
        if let Ok(value) = wallet.form(&held.id, form).await {
            values.push((held.name.clone(), value));
        }
    }
    values
}
