//! One login of a kind at a time: the same issuer, client, scopes and name. The second one is told who has the first, so that
//! fifty scripts whose login has ended open one browser and not fifty.

use std::sync::{Arc, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};

use crate::domain::failure::{Failure, Kind};
use crate::store::Lock;
use crate::wallet::Wallet;

/// The right to log in so. Dropping it gives the right back.
pub(super) struct Alone {
    wallet: Arc<Wallet>,
    key: String,
    lock: Option<Lock>,
}

impl Wallet {
    /// Takes the right to the login that these words describe. No lock of the store is held for it: a human takes his time.
    pub(super) fn alone(self: &Arc<Self>, parts: &[&str], doing: &str) -> Result<Alone, Failure> {
        let key = key(parts);
        if !self.logins.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone()) {
            return Err(taken(doing, "in this program"));
        }
        let mut alone = Alone { wallet: Arc::clone(self), key, lock: None };
        // Where nobody can be kept away, two logins at once are the lesser harm.
        alone.lock = match self.store.attempt(&alone.key) {
            Ok(Ok(lock)) => lock,
            Ok(Err(who)) => return Err(taken(doing, &who)),
            Err(_) => None,
        };
        Ok(alone)
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        drop(self.lock.take());
        self.wallet.logins.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

fn taken(doing: &str, who: &str) -> Failure {
    Failure::new(Kind::Failed, doing, format!("the same login is under way already: {who}"))
        .hint("Finish it there; what comes of it is held here, too.")
}

/// A file's name that says nothing of whose login it is. A length before each part keeps two lists of parts apart.
fn key(parts: &[&str]) -> String {
    let text = parts.iter().map(|part| format!("{}:{part}", part.len())).collect::<Vec<_>>().concat();
    let print = digest(&SHA256, text.as_bytes());
    let hex: Vec<_> = print.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("login-{}", hex.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_that_differ_in_anything_have_different_locks() {
        let keys = [&["a", "b"][..], &["ab"], &["a", "", "b"], &["a", "b", ""], &["b", "a"]].map(key);
        let different: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(different.len(), keys.len());
        assert_eq!(key(&["a", "b"]), keys[0]);
        assert!(
            keys[0].len() == 38 && keys[0].bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        );
    }
}
