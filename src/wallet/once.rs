//! Something that is asked once however many want it: all who come while the question is under way get its answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};

type Question<T, E> = Shared<BoxFuture<'static, Result<Arc<T>, E>>>;

/// Answers by address. A failure is told to all who waited for it, and forgotten: the next one asks again.
pub(super) struct Once<T, E>(Mutex<HashMap<String, Question<T, E>>>);

impl<T, E> Default for Once<T, E> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Send + Sync + 'static, E: Clone + Send + Sync + 'static> Once<T, E> {
    /// The answer for this address; `ask` is run if nobody has asked yet.
    pub(super) async fn get(
        &self,
        address: &str,
        ask: impl FnOnce() -> BoxFuture<'static, Result<T, E>>,
    ) -> Result<Arc<T>, E> {
        let question = {
            let mut questions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let asked = questions.get(address).cloned();
            asked.unwrap_or_else(|| {
                let question = ask().map(|answer| answer.map(Arc::new)).boxed().shared();
                questions.insert(address.to_owned(), question.clone());
                question
            })
        };
        let answer = question.clone().await;
        if answer.is_err() {
            let mut questions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if questions.get(address).is_some_and(|asked| asked.ptr_eq(&question)) {
                questions.remove(address);
            }
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn many_ask_once_and_a_failure_is_shared_and_not_remembered() {
        let once = Once::<usize, String>::default();
        let asked = Arc::new(AtomicUsize::new(0));
        let get = |works: bool| {
            let asked = Arc::clone(&asked);
            once.get("a", move || {
                async move {
                    let number = asked.fetch_add(1, Ordering::SeqCst) + 1;
                    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                    if works { Ok(number) } else { Err("no".to_owned()) }
                }
                .boxed()
            })
        };
        for answer in join_all((0..20).map(|_| get(false))).await {
            assert_eq!(answer, Err("no".to_owned()));
        }
        for answer in join_all((0..20).map(|_| get(true))).await {
            assert_eq!(answer, Ok(Arc::new(2)));
        }
        assert_eq!(get(false).await, Ok(Arc::new(2)), "it is known");
    }

    #[tokio::test(start_paused = true)]
    async fn one_who_goes_away_does_not_take_the_question_along() {
        let once = Once::<(), ()>::default();
        let ask = || {
            async {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                Ok(())
            }
            .boxed()
        };
        drop(once.get("a", ask).now_or_never());
        assert_eq!(once.get("a", || unreachable!("it is asked already")).await, Ok(Arc::new(())));
    }
}
