//! The books of the givers: which copy was presented, which was given for it, and answers that are held back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::Value;
use tokio::sync::watch;
use toktui::sandbox::serve::{Handler, Request, Response};

use crate::home::wait;

/// One renewal, or another use that gave a new copy, as its giver saw it.
#[derive(Clone, Debug)]
struct Entry {
    /// The refresh token or mytoken that was given for the one that came.
    given: Option<String>,
    /// Whether an access token was given.
    served: bool,
}

/// The books of one giver. Clones are the same books.
#[derive(Clone)]
pub struct Books {
    entries: Arc<Mutex<Vec<Entry>>>,
    /// While this is so, requests for a renewal wait before they are worked.
    shut: watch::Sender<bool>,
    /// While this is so, answers are worked and not given.
    holding: watch::Sender<bool>,
    /// When each request for a renewal arrived, worked or not.
    arrivals: Arc<Mutex<Vec<Instant>>>,
    /// The mytokens that were handed out by a making or a redeeming, and the transfer codes.
    made: Arc<Mutex<Vec<String>>>,
    codes: Arc<Mutex<Vec<String>>>,
    /// Everything that was ever given that is a secret: tokens, codes, mytokens.
    secrets: Arc<Mutex<Vec<String>>>,
}

impl Default for Books {
    fn default() -> Self {
        Self {
            entries: Arc::default(),
            shut: watch::Sender::new(false),
            holding: watch::Sender::new(false),
            arrivals: Arc::default(),
            made: Arc::default(),
            codes: Arc::default(),
            secrets: Arc::default(),
        }
    }
}

impl Books {
    /// The same handler, with books kept of what it renews.
    pub fn on(&self, handler: Handler) -> Handler {
        let books = self.clone();
        Arc::new(move |request: Request| {
            let (books, handler) = (books.clone(), Arc::clone(&handler));
            Box::pin(async move {
                let renews = renews(&request);
                if renews {
                    books.arrived();
                    drop(books.shut.subscribe().wait_for(|shut| !shut).await);
                }
                let answer: Response = handler(request).await;
                let body = serde_json::from_slice(&answer.body).unwrap_or_default();
                collect(&body, &mut held(&books.secrets));
                let text = |value: &Value| value.as_str().map(str::to_owned);
                let update = text(&body["token_update"]["mytoken"]);
                let mut gave = renews || update.is_some();
                if gave {
                    let given = text(&body["refresh_token"]).filter(|_| renews).or(update);
                    let served = body["access_token"].is_string();
                    held(&books.entries).push(Entry { given, served });
                }
                for (member, list) in [("mytoken", &books.made), ("transfer_code", &books.codes)] {
                    let came = text(&body[member]);
                    gave |= came.is_some();
                    held(list).extend(came);
                }
                if gave {
                    drop(books.holding.subscribe().wait_for(|holding| !holding).await);
                }
                answer
            })
        })
    }

    #[allow(clippy::disallowed_methods, reason = "how long another process took")]
    fn arrived(&self) {
        held(&self.arrivals).push(Instant::now());
    }

    /// From now on requests for a renewal wait at the door. One whose sender dies there is never worked.
    pub fn shut(&self) {
        self.shut.send_replace(true);
    }

    /// Lets them in.
    pub fn open(&self) {
        self.shut.send_replace(false);
    }

    /// From now on answers to renewals are worked and held back.
    pub fn hold(&self) {
        self.holding.send_replace(true);
    }

    /// Gives what was held back.
    pub fn release(&self) {
        self.holding.send_replace(false);
    }

    /// When each request arrived, also those that were never worked.
    pub fn arrivals(&self) -> Vec<Instant> {
        held(&self.arrivals).clone()
    }

    /// How many requests for a renewal there were.
    pub fn requests(&self) -> usize {
        held(&self.entries).len()
    }

    /// How many of them gave an access token.
    pub fn renewals(&self) -> usize {
        held(&self.entries).iter().filter(|entry| entry.served).count()
    }

    /// How many of them gave a new copy.
    pub fn rotations(&self) -> usize {
        held(&self.entries).iter().filter(|entry| entry.given.is_some()).count()
    }

    /// The copy that was given last.
    pub fn newest(&self) -> Option<String> {
        held(&self.entries).iter().rev().find_map(|entry| entry.given.clone())
    }

    /// The mytokens that were made or redeemed, in the order of their answers.
    pub fn made(&self) -> Vec<String> {
        held(&self.made).clone()
    }

    /// The transfer codes that were made.
    pub fn codes(&self) -> Vec<String> {
        held(&self.codes).clone()
    }

    /// Every secret that was ever in an answer.
    pub fn secrets(&self) -> Vec<String> {
        held(&self.secrets).clone()
    }

    /// Waits until so many requests have arrived, worked or not.
    pub fn wait_for(&self, arrivals: usize) {
        wait(&format!("request {arrivals}"), || held(&self.arrivals).len() >= arrivals);
    }
}

/// Whether this is a request for a renewal.
fn renews(request: &Request) -> bool {
    let by_login = request.path.ends_with("/protocol/openid-connect/token")
        && request.form().contains_key("refresh_token");
    by_login || request.path == "/api/v0/token/access"
}

fn collect(value: &Value, secrets: &mut Vec<String>) {
    const NAMES: [&str; 7] = [
        "access_token",
        "refresh_token",
        "id_token",
        "mytoken",
        "device_code",
        "polling_code",
        "transfer_code",
    ];
    // The code at the end of a consent page's address is as good as the polling code.
    if let Some((_, code)) = value["consent_uri"].as_str().and_then(|uri| uri.rsplit_once('/')) {
        secrets.push(code.to_owned());
    }
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

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
