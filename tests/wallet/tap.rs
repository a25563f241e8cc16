//! A tap on a server's line: what was asked, what was given, and every secret that was ever in an answer.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use toktui::sandbox::serve::{Handler, Request, Response};

/// One exchange.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub path: String,
    pub request: Vec<u8>,
    pub status: u16,
    pub answer: Vec<u8>,
}

/// What went over the line so far. Clones share it.
#[derive(Clone, Default)]
pub struct Tap {
    exchanges: Arc<Mutex<Vec<Exchange>>>,
    swallow: Arc<AtomicBool>,
    at_once: Arc<AtomicUsize>,
    most_at_once: Arc<AtomicUsize>,
    before: Arc<Mutex<Option<Hook>>>,
    delay: Arc<Mutex<Duration>>,
}

/// What is done when a request has come, before it is answered.
pub type Hook = Box<dyn Fn(&Request) + Send + Sync>;

impl Tap {
    /// The same handler, listened to.
    pub fn on(&self, handler: Handler) -> Handler {
        let tap = self.clone();
        Arc::new(move |request: Request| {
            let (tap, path, body) = (tap.clone(), request.path.clone(), request.body.clone());
            if tap.swallow.swap(false, Ordering::SeqCst) {
                // What a proxy says when it got no connection to the server behind it: nobody outside can know.
                return Box::pin(async { Response::text(504, "no answer from behind") });
            }
            if let Some(hook) = &*tap.before.lock().unwrap_or_else(PoisonError::into_inner) {
                hook(&request);
            }
            let at_once = tap.at_once.fetch_add(1, Ordering::SeqCst) + 1;
            tap.most_at_once.fetch_max(at_once, Ordering::SeqCst);
            let answer = handler(request);
            Box::pin(async move {
                let delay = *tap.delay.lock().unwrap_or_else(PoisonError::into_inner);
                tokio::time::sleep(delay).await;
                let answer: Response = answer.await;
                tap.at_once.fetch_sub(1, Ordering::SeqCst);
                let exchange =
                    Exchange { path, request: body, status: answer.status, answer: answer.body.clone() };
                tap.exchanges.lock().unwrap_or_else(PoisonError::into_inner).push(exchange);
                answer
            })
        })
    }

    /// How many requests were at most under way at once.
    pub fn most_at_once(&self) -> usize {
        self.most_at_once.load(Ordering::SeqCst)
    }

    /// Every answer comes so much later.
    pub fn delay(&self, delay: Duration) {
        *self.delay.lock().unwrap_or_else(PoisonError::into_inner) = delay;
    }

    /// Does this whenever a request comes.
    pub fn before_each(&self, hook: impl Fn(&Request) + Send + Sync + 'static) {
        *self.before.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(hook));
    }

    /// The next request never reaches the server, and whoever sent it cannot tell.
    pub fn swallow_next(&self) {
        self.swallow.store(true, Ordering::SeqCst);
    }

    pub fn all(&self) -> Vec<Exchange> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many token sets the provider has handed out for a grant (`authorization_code`, `device_code`, …).
    pub fn granted(&self, grant: &str) -> usize {
        self.all()
            .iter()
            .filter(|exchange| exchange.path.ends_with("/token") && exchange.status == 200)
            .filter(|exchange| {
                url::form_urlencoded::parse(&exchange.request)
                    .any(|(name, value)| name == "grant_type" && value.ends_with(grant))
            })
            .count()
    }

    /// Every token and code that was ever in an answer.
    pub fn secrets(&self) -> Vec<String> {
        let mut secrets = Vec::new();
        for exchange in self.all() {
            if let Ok(value) = serde_json::from_slice::<Value>(&exchange.answer) {
                collect(&value, &mut secrets);
            }
        }
        secrets
    }
}

fn collect(value: &Value, secrets: &mut Vec<String>) {
    const NAMES: [&str; 6] =
        ["access_token", "refresh_token", "id_token", "mytoken", "device_code", "polling_code"];
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value.as_str() {
                    Some(text) if NAMES.contains(&name.as_str()) && text.len() >= 8 => {
                        secrets.push(text.to_owned());
                    }
                    _ => collect(value, secrets),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, secrets)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
