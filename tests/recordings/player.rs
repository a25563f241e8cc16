//! Plays a recorded scenario against a live server, with live tokens and codes in the place of the recorded ones.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::compare::{Answer, differences};
use super::world::World;
use trees::nodes;

#[path = "trees.rs"]
mod trees;

/// What came out of a scenario.
#[derive(Default)]
pub struct Outcome {
    /// How many answers were compared.
    pub compared: usize,
    /// Exchange and difference.
    pub differences: Vec<(usize, String)>,
    /// The exchanges that were stood in for, because their kind is not served yet.
    pub later: Vec<usize>,
    /// How many refresh tokens were revoked at the provider.
    pub revoked: u64,
}

/// What a provider does in some exchanges of a scenario beyond what the recorded answers show.
pub struct Misgrant {
    pub scenario: &'static str,
    pub exchanges: std::ops::RangeInclusive<usize>,
    /// What it grants, whatever is asked.
    pub grants: Option<&'static str>,
    /// The audience of its access tokens; empty: none.
    pub audience: Option<&'static str>,
}

pub struct Player {
    pub world: World,
    name: String,
    exchanges: Vec<Value>,
    is_later: fn(&Value) -> bool,
    misgrants: &'static [Misgrant],
    /// Recorded tokens, codes, ids and paths, and the live ones.
    live: BTreeMap<String, String>,
    /// The recorded id of a recorded mytoken.
    ids: BTreeMap<String, String>,
    /// Where the browser goes next.
    browser: Option<String>,
    /// The address the browser seems to be at.
    place: Option<String>,
    outcome: Outcome,
}

impl Player {
    pub async fn new(scenario: &Value, is_later: fn(&Value) -> bool, misgrants: &'static [Misgrant]) -> Self {
        let name = scenario["scenario"].as_str().expect("a name").to_owned();
        let world = World::new(&name).await;
        let exchanges = scenario["exchanges"].as_array().expect("exchanges").clone();
        let (live, ids, outcome) = (BTreeMap::new(), BTreeMap::new(), Outcome::default());
        let mut player = Self {
            world,
            name,
            exchanges,
            is_later,
            misgrants,
            live,
            ids,
            browser: None,
            place: None,
            outcome,
        };
        player.prepare();
        player
    }

    pub async fn play(mut self) -> Outcome {
        for (index, exchange) in self.exchanges.clone().iter().enumerate() {
            if let Some(date) = exchange["response"]["headers"]["date"].as_str() {
                self.world.at(date);
            }
            self.set_by_child(exchange);
            self.set_mood(index, exchange);
            if (self.is_later)(exchange) {
                self.stand_in(index, exchange);
            } else if path(exchange).starts_with("https://op") {
                self.visit().await;
            } else {
                self.before(index, exchange).await;
                let live = self.send(exchange).await;
                let recorded = Answer::recorded(&exchange["response"]);
                self.learn(&recorded.body, &live.body);
                self.follow(&live);
                self.outcome.compared += 1;
                let found = differences(&recorded, &live);
                self.outcome.differences.extend(found.into_iter().map(|found| (index, found)));
            }
        }
        self.outcome.revoked = self.world.stub.revoked();
        self.outcome
    }

    /// A mytoken made from another one says to the second when that was.
    fn set_by_child(&self, exchange: &Value) {
        let body = &exchange["request"]["body"];
        let made = |text: &str| claims(text)?["iat"].as_i64();
        let child = exchange["response"]["body"]["mytoken"].as_str().and_then(made);
        let parent = body["mytoken"].as_str().and_then(|parent| made(self.live.get(parent)?));
        if let (Some(child), Some(parent)) = (child, parent) {
            self.world.set(child.max(parent));
        }
    }

    /// Issues the mytokens that the scenario begins with: those it sends and did not receive. Their claims
    /// are in them.
    fn prepare(&mut self) {
        let mut received = BTreeSet::new();
        let mut wanted: Vec<(String, Value)> = Vec::new();
        for exchange in &self.exchanges {
            for text in tokens(&exchange["request"]) {
                let claims = claims(&text).or_else(|| self.claims_of_short(&text));
                let Some(claims) = claims.filter(|claims| claims["token_type"] == "mytoken") else {
                    continue;
                };
                let is_same = |(known, old): &(String, Value)| {
                    known == &text || (known.contains('.') && *old == claims)
                };
                if !received.contains(&signed_part(&text)) && !wanted.iter().any(is_same) {
                    wanted.push((text, claims));
                }
            }
            received.extend(tokens(&exchange["response"]).iter().map(|text| signed_part(text)));
        }
        // A mytoken of another instance stays what it was: foreign.
        let instance = self.exchanges.first().map(path).unwrap_or_default();
        let home =
            if instance.contains("mytoken2") { "http://127.0.0.1:8001" } else { "http://127.0.0.1:8000" };
        for (text, claims) in wanted {
            if self.live.contains_key(&text) {
                continue;
            }
            let is_jwt = text.contains('.');
            if is_jwt && claims["iss"] != home {
                continue;
            }
            let id = mom_id(&claims);
            let parent = self.made_parent(&id, &claims);
            let issued = self.world.issue(&claims, parent, !is_jwt);
            self.live.insert(id.clone(), issued.mom_id);
            self.live.insert(text.clone(), issued.mytoken.expose().to_owned());
            self.ids.insert(text, id);
        }
    }

    /// The claims of a short token, as a later introspection in the recording tells them.
    fn claims_of_short(&self, text: &str) -> Option<Value> {
        let mut told =
            self.exchanges.iter().filter(|exchange| exchange["request"]["body"]["mytoken"] == text);
        let answer = told.find(|exchange| exchange["response"]["body"]["valid"] == true)?;
        Some(answer["response"]["body"]["token"].clone())
    }

    /// Makes the provider behave as the recorded answer needs it.
    fn set_mood(&self, index: usize, exchange: &Value) {
        let body = &exchange["response"]["body"];
        let sign_in = format!("{}{}", path(exchange), exchange["response"]["headers"]["location"]);
        let error = sign_in
            .split_once("error=")
            .map(|(_, rest)| rest.split('&').next().unwrap_or_default().to_owned());
        let refusal = match (body["error"].as_str(), body["access_token"].as_str()) {
            (Some("oidc_error"), _) => {
                let words = body["error_description"].as_str().unwrap_or_default();
                let status =
                    exchange["response"]["status"].as_u64().and_then(|status| u16::try_from(status).ok());
                Some((status.expect("a status"), words.split(':').next().map(str::to_owned)))
            }
            (_, Some("")) => Some((503, None)),
            _ => None,
        };
        let given = self.exchanges[index..]
            .iter()
            .find_map(|later| claims(later["response"]["body"]["mytoken"].as_str()?));
        let misgrant =
            self.misgrants.iter().find(|odd| odd.scenario == self.name && odd.exchanges.contains(&index));
        self.world.stub.mood(|mood| {
            mood.sign_in_error = error;
            mood.refusal = refusal;
            if let Some(subject) = given.as_ref().and_then(|claims| claims["oidc_sub"].as_str()) {
                subject.clone_into(&mut mood.subject);
            }
            mood.grants = misgrant.and_then(|odd| odd.grants).map(str::to_owned);
            mood.audience = misgrant.and_then(|odd| odd.audience).map(str::to_owned);
        });
    }

    /// Does what happened between the recorded exchanges.
    async fn before(&mut self, index: usize, exchange: &Value) {
        let body = &exchange["request"]["body"];
        if exchange["note"].as_str() == Some("requests 3 to 99 are not kept") {
            for _ in 3..=99 {
                self.send(&self.exchanges[0].clone()).await;
            }
        }
        if body["grant_type"] == "polling_code" && exchange["response"]["status"] == 200 {
            let code = body["polling_code"].as_str().expect("a code");
            if self.live.contains_key(code) {
                self.finish_login().await;
            } else {
                self.log_in(index, exchange, code).await;
            }
        }
        if let Some(asker) = body["mytoken"].as_str().and_then(claims) {
            for (_, node) in nodes(&exchange["response"]["body"]["mytokens"]) {
                self.made(&node, &asker);
            }
        }
        if path(exchange).starts_with("/redirect?") {
            while self
                .browser
                .as_ref()
                .is_some_and(|next| !next.starts_with(&format!("{}/redirect", self.world.base)))
            {
                self.visit().await;
            }
        }
        if path(exchange).ends_with("/token/revoke")
            && matches!(exchange["response"]["status"].as_u64(), Some(200 | 204))
        {
            self.make_victim(body);
        }
    }

    /// A mytoken that is revoked by an id that nothing else in the recording names.
    fn make_victim(&mut self, body: &Value) {
        let (Some(target), Some(token)) = (body["mom_id"].as_str(), body["token"].as_str()) else { return };
        if let (false, Some(mut claims)) = (self.live.contains_key(target), claims(token)) {
            claims["rotation"] = Value::Null;
            let issued = self.world.issue(&claims, None, false);
            self.live.insert(target.to_owned(), issued.mom_id);
        }
    }

    /// A whole login that was not recorded, for what its polling code gave.
    async fn log_in(&mut self, index: usize, exchange: &Value, code: &str) {
        let given =
            claims(exchange["response"]["body"]["mytoken"].as_str().expect("a mytoken")).expect("claims");
        let from = exchange["request"]["from"].as_str();
        let issuer = self.world.localised(given["oidc_iss"].as_str().expect("an issuer"));
        let wish = json!({
            "grant_type": "oidc_flow", "oidc_issuer": issuer, "name": given["name"],
            "capabilities": given["capabilities"], "restrictions": given["restrictions"], "rotation": given["rotation"],
        });
        let json = [("content-type".to_owned(), "application/json".to_owned())];
        let url = format!("{}/api/v0/token/my", self.world.base);
        let started = self.world.send("POST", &url, &json, Some(wish.to_string()), from).await.body;
        let consent =
            started["consent_uri"].as_str().unwrap_or_else(|| panic!("{index}: {started}")).to_owned();
        let agreed = self.world.send("POST", &consent, &json, Some(wish.to_string()), from).await;
        self.live.insert(code.to_owned(), started["polling_code"].as_str().expect("a code").to_owned());
        self.follow(&agreed);
        self.place = from.map(str::to_owned);
        self.finish_login().await;
        self.place = None;
    }

    async fn finish_login(&mut self) {
        while self.browser.is_some() {
            self.visit().await;
        }
    }

    async fn visit(&mut self) {
        if let Some(next) = self.browser.take() {
            let agent = ("user-agent".to_owned(), "browser".to_owned());
            let answer = self.world.send("GET", &next, &[agent], None, self.place.as_deref()).await;
            self.follow(&answer);
        }
    }

    /// Remembers where an answer sends the browser.
    fn follow(&mut self, answer: &Answer) {
        let location = answer.headers.iter().find(|(name, _)| name == "location").map(|(_, to)| to.as_str());
        if let Some(to) = location.or_else(|| answer.body["authorization_uri"].as_str()) {
            let base = if to.starts_with('/') { self.world.base.as_str() } else { "" };
            self.browser = Some(format!("{base}{to}"));
        }
    }

    async fn send(&mut self, exchange: &Value) -> Answer {
        let request = &exchange["request"];
        let headers: Vec<(String, String)> = request["headers"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), self.translated(value.as_str().unwrap_or_default())))
            .collect();
        let body = match &request["body"] {
            Value::Null => None,
            Value::String(text) => Some(self.translated(text)),
            value => Some(self.translated_all(value).to_string()),
        };
        let recorded = path(exchange);
        let is_browser =
            ["/redirect?", "/native", "/api/v0/guests/auth"].iter().any(|page| recorded.starts_with(page));
        let url = match self.browser.take_if(|_| is_browser) {
            Some(next) => next,
            None if recorded.starts_with('/') => format!("{}{}", self.world.base, self.translated(recorded)),
            None => self.translated(recorded),
        };
        let method = request["method"].as_str().expect("a method");
        self.world.send(method, &url, &headers, body, request["from"].as_str()).await
    }

    /// Stands in for an exchange of a kind that is not served yet, so that the scenario can go on.
    fn stand_in(&mut self, index: usize, exchange: &Value) {
        self.outcome.later.push(index);
        let (body, answer) = (&exchange["request"]["body"], &exchange["response"]["body"]);
        let header = exchange["request"]["headers"]["authorization"].as_str().unwrap_or_default();
        let used = body["mytoken"].as_str().or_else(|| header.strip_prefix("Bearer ")).unwrap_or_default();
        let Some(mom_id) = self.ids.get(used).and_then(|id| self.live.get(id)).cloned() else { return };
        if let Some(update) = answer.get("token_update") {
            let next = self.world.mytokens.rotate(&mom_id).expect("rotated");
            self.learn(update, &json!({"mytoken": next.expose(), "mom_id": mom_id}));
        }
    }

    /// Learns which live text stands for which recorded one.
    fn learn(&mut self, recorded: &Value, live: &Value) {
        for item in recorded.as_array().into_iter().flatten().filter(|item| item["id"].is_string()) {
            let live = live.as_array().into_iter().flatten().find(|live| live["name"] == item["name"]);
            if let (Some(old), Some(new)) = (item["id"].as_str(), live.and_then(|live| live["id"].as_str())) {
                self.live.insert(old.to_owned(), new.to_owned());
            }
        }
        let (Some(old), Some(new)) = (recorded.as_object(), live.as_object()) else { return };
        for (key, value) in old {
            match (key.as_str(), value.as_str(), new.get(key).and_then(Value::as_str)) {
                ("mytoken" | "mom_id" | "transfer_code" | "polling_code", Some(old), Some(new)) => {
                    self.live.insert(old.to_owned(), new.to_owned());
                }
                ("consent_uri", Some(old), Some(new)) => {
                    let code = |uri: &str| format!("/c/{}", uri.rsplit('/').next().unwrap_or_default());
                    self.live.insert(code(old), code(new));
                    self.live.insert(old.to_owned(), new.to_owned());
                }
                _ => self.learn(value, new.get(key).unwrap_or(&Value::Null)),
            }
        }
        if let (Some(token), Some(id)) = (recorded["mytoken"].as_str(), recorded["mom_id"].as_str()) {
            self.ids.insert(token.to_owned(), id.to_owned());
        }
    }

    fn translated_all(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.translated(text)),
            Value::Array(items) => items.iter().map(|item| self.translated_all(item)).collect(),
            Value::Object(members) => {
                members.iter().map(|(key, value)| (key.clone(), self.translated_all(value))).collect()
            }
            other => other.clone(),
        }
    }

    fn translated(&self, text: &str) -> String {
        if let Some(live) = self.live.get(text) {
            return live.clone();
        }
        let long = self.live.iter().filter(|(old, _)| old.len() >= 32);
        let text = long.fold(text.to_owned(), |text, (old, new)| text.replace(old, new));
        self.broken(&text).unwrap_or_else(|| self.world.localised(&text))
    }

    /// A recorded mytoken with a changed or cut signature, as the live one with the same defect.
    fn broken(&self, text: &str) -> Option<String> {
        let claims = claims(text)?;
        let (old, new) = self.live.iter().find(|(old, _)| {
            *old != text && old.contains('.') && self::claims(old).as_ref() == Some(&claims)
        })?;
        let kept = new.len().checked_sub(old.len().checked_sub(text.len())?)?;
        let whole = kept == new.len();
        Some(if whole { format!("{}AAAA", &new[..kept - 4]) } else { new[..kept].to_owned() })
    }
}

/// The path or address of an exchange.
pub fn path(exchange: &Value) -> &str {
    exchange["request"]["path"].as_str().unwrap_or_default()
}

/// All strings in `value` that may be mytokens.
fn tokens(value: &Value) -> BTreeSet<String> {
    let text = value.to_string();
    let parts = text.split(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
    parts
        .map(str::to_owned)
        .filter(|part| part.len() == 64 || (part.len() > 300 && part.matches('.').count() == 2))
        .collect()
}

fn signed_part(token: &str) -> String {
    token.rsplit_once('.').map_or(token, |(signed, _)| signed).to_owned()
}

fn claims(token: &str) -> Option<Value> {
    let payload = token.split('.').nth(1)?;
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

fn mom_id(claims: &Value) -> String {
    let hex = claims["jti"].as_str().expect("a jti").replace('-', "");
    let raw = u128::from_str_radix(&hex, 16).expect("a UUID").to_be_bytes();
    BASE64_STANDARD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA512, &raw))
}
