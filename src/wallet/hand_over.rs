//! Hand a mytoken over by a code, and take the code back.

use std::sync::Arc;

use super::Wallet;
use crate::domain::credential::CredentialId;
use crate::domain::failure::{Failure, Kind};
use crate::domain::handed::{HandOver, Handed};

const DOING: &str = "Handing over";

impl Wallet {
    /// Makes a code by which a subtoken of a held mytoken, or the mytoken itself, is handed over.
    ///
    /// # Errors
    /// When it is no mytoken, may not make subtokens, the server makes no codes, or nobody answers.
    pub async fn hand_over(self: &Arc<Self>, _id: &CredentialId, _how: &HandOver) -> Result<Handed, Failure> {
        Err(Failure::new(Kind::Failed, DOING, "it is not made yet"))
    }

    /// Takes a code back that nobody has redeemed yet, and the subtoken behind it; what is to be said, in words.
    ///
    /// # Errors
    /// When nobody answers.
    pub async fn withdraw(self: &Arc<Self>, _handed: &Handed) -> Result<String, Failure> {
        Err(Failure::new(Kind::Failed, DOING, "it is not made yet"))
    }
}
