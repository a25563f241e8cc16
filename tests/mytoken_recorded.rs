//! Our mytoken client against what a real server (0.10.2) answered: every recorded answer of a kind that it asks for.

#![allow(clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use serde_json::{Value, json};
use toktui::domain::family::Listed;
use toktui::domain::jwt::Jwt;
use toktui::domain::limit::Allowance;
use toktui::domain::login::Relation;
use toktui::domain::mytoken::{Capability, Clause, Facts, Rotation, mom_id};
use toktui::domain::mytoken::{Form, Wanted};
use toktui::domain::offer::TemplateKind;
use toktui::domain::secret::Secret;
use toktui::domain::time::from_epoch;
use toktui::domain::untrusted::Untrusted;
use toktui::http::Http;
use toktui::mytoken::consent::{self, Consent};
use toktui::mytoken::discovery::{self, Server};
use toktui::mytoken::listing::{self, Listing};
use toktui::mytoken::order::not_enforced;
use toktui::mytoken::polling::{self, End, Poll};
use toktui::mytoken::profiles::{self, Template};
use toktui::mytoken::subtoken::{self, Made};
use toktui::mytoken::{Error, Issued, No, Reason, Reply, access, asked, revocation, tokeninfo, transfer};
use toktui::sandbox::serve::{self, Request, Response};

/// The server's name in the recordings.
const RECORDED: &str = "https://mytoken.example.org";
const SECOND: &str = "https://mytoken2.example.org";

/// A recorded exchange.
struct Exchange {
    step: String,
    method: String,
    path: String,
    body: Value,
    response: Value,
}

fn recording(name: &str) -> Vec<Exchange> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/recordings/{name}.json"));
    // The second instance has features switched off, and is no other server for a client.
    let text = std::fs::read_to_string(&path).expect("a recording").replace(SECOND, RECORDED);
    let recording: Value = serde_json::from_str(&text).expect("JSON");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    recording["exchanges"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|exchange| Exchange {
            step: text(&exchange["step"]),
            method: text(&exchange["request"]["method"]),
            path: text(&exchange["request"]["path"]).replace(RECORDED, ""),
            body: exchange["request"]["body"].clone(),
            response: exchange["response"].clone(),
        })
        .collect()
}

/// The recorded answer of a step; of several steps with one text the `nth`.
fn nth(name: &str, step: &str, nth: usize) -> Value {
    let found = recording(name).into_iter().filter(|exchange| exchange.step == step).nth(nth);
    found.unwrap_or_else(|| panic!("no step {step} in {name}")).response
}

/// A server that answers with what it is told to, in order, and keeps what it was sent.
struct Stage {
    base: String,
    answers: Arc<Mutex<VecDeque<Response>>>,
    sent: Arc<Mutex<Vec<Request>>>,
    http: Http,
    _server: serve::Server,
}

impl Stage {
    async fn open() -> Self {
        let bound = serve::bind(0).await.expect("a port");
        let base = bound.base();
        let answers: Arc<Mutex<VecDeque<Response>>> = Arc::default();
        let sent: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (queue, kept) = (Arc::clone(&answers), Arc::clone(&sent));
        let server = bound.serve(Arc::new(move |request| {
            kept.lock().expect("a lock").push(request);
            let answer = queue.lock().expect("a lock").pop_front();
            async move { answer.unwrap_or_else(|| Response::text(404, "nothing to say")) }.boxed()
        }));
        Self { base, answers, sent, http: Http::default(), _server: server }
    }

    fn says(&self, response: &Value) -> &Self {
        let mut answer =
            Response::empty(u16::try_from(response["status"].as_u64().expect("a status")).expect("16 bits"));
        for (name, value) in response["headers"].as_object().into_iter().flatten() {
            if !["content-length", "date"].contains(&name.as_str()) {
                answer = answer.with(name, value.as_str().unwrap_or_default());
            }
        }
        let text = match &response["body"] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            body => body.to_string(),
        };
        answer.body = text.replace(RECORDED, &self.base).into_bytes();
        self.say(answer)
    }

    fn say(&self, answer: Response) -> &Self {
        self.answers.lock().expect("a lock").push_back(answer);
        self
    }

    fn last_sent(&self) -> (Request, Value) {
        let request = self.sent.lock().expect("a lock").last().cloned().expect("a request");
        let body = serde_json::from_slice(&request.body).unwrap_or_default();
        (request, body)
    }

    async fn discovered(&self) -> Server {
        self.says(&nth("discovery", &recording("discovery")[0].step, 0));
        discovery::discover(&self.http, &self.base).await.expect("a server")
    }
}

fn secret(body: &Value, member: &str) -> Secret {
    Secret::new(body[member].as_str().unwrap_or_default())
}

fn facts_of(token: &str) -> Facts {
    Facts::from_claims(&Jwt::parse(token).expect("a JWT").claims)
}

fn token_words(issued: &Issued) -> String {
    let facts = &issued.facts;
    let short = if issued.short { "short " } else { "" };
    let capabilities: Vec<_> = facts.capabilities.iter().map(|name| name.0.raw()).collect();
    format!(
        "{short}copy {:?} may {capabilities:?} under {} clauses, rotation {:?}, lives {:?}",
        facts.copy,
        facts.restrictions.len(),
        facts.rotation.map(|rotation| (
            rotation.on_at,
            rotation.on_other,
            rotation.lifetime,
            rotation.auto_revoke
        )),
        issued.expires_in.map(|span| span.as_secs()),
    )
}

/// What a reply says, in one line without a token in it.
fn words<T>(reply: &Reply<T>, outcome: impl Fn(&T) -> String) -> String {
    let mut line = match &reply.outcome {
        Ok(value) => outcome(value),
        Err(Error::Refused(no)) => format!("NO {no:?}"),
        Err(error) => format!("ERROR {error:?}"),
    };
    if let Some(update) = &reply.update {
        write!(line, " | UPDATE {}", token_words(update)).expect("a line");
    }
    if reply.in_doubt {
        line.push_str(" | IN DOUBT");
    }
    line
}

/// What our client makes of one recorded exchange; `None` where it never asks that.
async fn made_of(stage: &Stage, server: &Server, exchange: &Exchange) -> Option<String> {
    let before = stage.sent.lock().expect("a lock").len();
    let line = match newer(stage, server, exchange).await {
        Some(line) => Some(line),
        None => older(stage, server, exchange).await,
    };
    let unsent = stage.sent.lock().expect("a lock").len() == before;
    stage.answers.lock().expect("a lock").clear();
    line.map(|line| if unsent { format!("NOT SENT {line}") } else { line })
}

fn tree_words(nodes: &[Listed]) -> String {
    let words = nodes.iter().map(|node| {
        let name = node.name.as_ref().map_or("-", Untrusted::raw);
        let ends = node.expires.map_or(String::new(), |end| format!(" until {}", end.as_second()));
        assert!(!node.mom_id.is_empty() && node.created.is_some() && node.address.is_some(), "{node:?}");
        let children = if node.children.is_empty() { String::new() } else { tree_words(&node.children) };
        format!("{name}{ends}{children}")
    });
    format!("[{}]", words.collect::<Vec<_>>().join(", "))
}

fn listing_words(listing: &Listing) -> String {
    format!("{}{}", tree_words(&listing.roots), if listing.cut { " CUT" } else { "" })
}

fn made_words(made: &Made) -> String {
    match made {
        Made::Mytoken(issued) => format!("child {}", token_words(issued)),
        Made::Code(coded) => format!(
            "code of {} letters for {} s, for a mytoken {} that may {:?}",
            coded.code.code.len(),
            coded.code.expires_in.as_secs(),
            if coded.facts.mom_id.is_some() { "with an id" } else { "without an id" },
            coded.facts.capabilities.iter().map(|name| name.0.raw()).collect::<Vec<_>>()
        ),
    }
}

fn templates_words(read: &Result<Vec<Template>, Error>) -> String {
    match read {
        Ok(list) => {
            let words: Vec<_> =
                list.iter().map(|item| format!("{} {}", item.name.raw(), item.payload)).collect();
            format!("{} templates: {}", list.len(), words.join(" | "))
        }
        Err(error) => format!("ERROR {error:?}"),
    }
}

/// Lists, trees, others' histories and ends, subtokens, codes and templates.
async fn newer(stage: &Stage, server: &Server, exchange: &Exchange) -> Option<String> {
    let (http, body) = (&stage.http, &exchange.body);
    if exchange.method == "GET" {
        let kind = |name: &str| match name {
            "profiles" => Some(TemplateKind::Profile),
            "capabilities" => Some(TemplateKind::Capabilities),
            "restrictions" => Some(TemplateKind::Restrictions),
            "rotation" => Some(TemplateKind::Rotation),
            _ => None,
        };
        let parts: Vec<_> = exchange.path.strip_prefix("/api/v0/pt")?.split('/').skip(1).collect();
        stage.says(&exchange.response);
        return match parts[..] {
            [] => Some(format!("groups {:?}", profiles::groups(http, server).await)),
            [name] => Some(templates_words(&profiles::templates(http, server, None, kind(name)?).await)),
            [group, name] => {
                Some(templates_words(&profiles::templates(http, server, Some(group), kind(name)?).await))
            }
            _ => None,
        };
    }
    if exchange.method != "POST" || !body.is_object() {
        return None;
    }
    let mytoken = secret(body, "mytoken");
    let kind =
        (exchange.path.as_str(), body["action"].as_str().or(body["grant_type"].as_str()).unwrap_or_default());
    stage.says(&exchange.response);
    Some(match kind {
        ("/api/v0/tokeninfo", "list_mytokens") => {
            words(&listing::list(http, server, &mytoken).await, listing_words)
        }
        ("/api/v0/tokeninfo", "subtokens") => {
            words(&listing::subtokens(http, server, &mytoken).await, listing_words)
        }
        ("/api/v0/tokeninfo", "event_history") => {
            let ids: Vec<_> = body["mom_ids"].as_array()?.iter().filter_map(Value::as_str).collect();
            let reply = tokeninfo::event_history_of(http, server, &mytoken, &ids).await;
            words(&reply, |events| {
                let whose: BTreeSet<_> = events.iter().map(|event| event.mom_id.clone()).collect();
                format!("{} events of {} mytokens", events.len(), whose.len())
            })
        }
        ("/api/v0/token/revoke", _) => {
            let (by, mom_id) = (secret(body, "token"), body["mom_id"].as_str()?);
            let recursive = body["recursive"] == json!(true);
            let reply = revocation::revoke_other(http, server, &by, mom_id, recursive).await;
            words(&reply, |_| "accepted".to_owned())
        }
        ("/api/v0/token/transfer", _) => words(&transfer::create(http, server, &mytoken).await, |code| {
            format!("code of {} letters for {} s", code.code.len(), code.expires_in.as_secs())
        }),
        ("/api/v0/token/my", "transfer_code") => {
            words(&transfer::redeem(http, server, &secret(body, "transfer_code")).await, token_words)
        }
        ("/api/v0/token/my", "mytoken") => {
            let wanted = Wanted { capabilities: vec![Capability::new("AT")], ..Wanted::default() };
            words(&subtoken::create(http, server, &mytoken, &wanted).await, made_words)
        }
        _ => return None,
    })
}

async fn older(stage: &Stage, server: &Server, exchange: &Exchange) -> Option<String> {
    stage.answers.lock().expect("a lock").clear();
    let body = &exchange.body;
    // Other shapes than ours were tried on the server, too: forms, null, no body.
    if exchange.method != "POST" || !body.is_object() {
        return None;
    }
    let kind =
        (exchange.path.as_str(), body["action"].as_str().or(body["grant_type"].as_str()).unwrap_or_default());
    let (http, mytoken) = (&stage.http, secret(body, "mytoken"));
    let line = match kind {
        ("/api/v0/tokeninfo", "introspect" | "") => {
            stage.says(&exchange.response);
            words(&tokeninfo::introspect(http, server, &mytoken).await, |found| {
                let facts = &found.facts;
                let used: Vec<_> =
                    facts.restrictions.iter().map(|clause| (clause.used_at, clause.used_other)).collect();
                let short = if found.short { "short " } else { "" };
                format!(
                    "{short}{:?} copy {:?} used {used:?}",
                    facts.name.as_ref().map(Untrusted::raw),
                    facts.copy
                )
            })
        }
        ("/api/v0/tokeninfo", "event_history") => {
            stage.says(&exchange.response);
            words(&tokeninfo::event_history(http, server, &mytoken).await, |events| {
                let names: Vec<_> = events.iter().map(|event| event.event.raw()).collect();
                format!("{} events: {}", names.len(), names.join(" "))
            })
        }
        ("/api/v0/token/access", _) => {
            stage.says(&exchange.response);
            words(&access::access_token(http, server, &mytoken, &[], &[]).await, |token| {
                let list = |list: &[Untrusted]| list.iter().map(Untrusted::raw).collect::<Vec<_>>().join(" ");
                let lives = token.expires_in.map(|span| span.as_secs());
                let scopes = token.scopes.as_deref().map(list);
                format!(
                    "{} lives {lives:?} scopes {scopes:?} for [{}]",
                    token.token_type.raw(),
                    list(&token.audiences)
                )
            })
        }
        ("/api/v0/token/revoke", _) if body.get("mom_id").is_none() => {
            stage.says(&exchange.response);
            words(&revocation::revoke(http, server, &secret(body, "token"), false).await, |_| {
                "accepted".to_owned()
            })
        }
        ("/api/v0/token/my", "polling_code") => {
            stage.says(&exchange.response);
            match polling::poll_once(http, server, &waiting(server)).await {
                Poll::Granted(issued) => format!("granted {}", token_words(&issued)),
                other => format!("{other:?}"),
            }
        }
        ("/api/v0/token/my", "oidc_flow") => {
            stage.says(&exchange.response);
            let order = Wanted { provider: Untrusted::from("https://op.example.org"), ..Wanted::default() };
            match consent::start(http, server, &order).await {
                Ok(consent) => {
                    format!("consent {} {:?} {:?}", consent.uri.path(), consent.expires_in, consent.interval)
                }
                Err(error) => format!("{error:?}"),
            }
        }
        _ => return None,
    };
    Some(line)
}

fn waiting(server: &Server) -> Consent {
    Consent {
        uri: server.mytoken.clone(),
        polling_code: Secret::new("ZmFrZUNv"),
        expires_in: Duration::from_millis(400),
        interval: Duration::from_millis(4),
    }
}

/// One line an exchange: how our client reads it. To be read by people, and compared with mytoken-api.md §8(c).
#[tokio::test]
async fn every_recorded_answer_is_read_as_it_is_meant() {
    let stage = Stage::open().await;
    let server = stage.discovered().await;
    let mut names: Vec<_> = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings"))
        .expect("recordings")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    let mut text = String::new();
    for name in names {
        for exchange in recording(&name) {
            if let Some(line) = made_of(&stage, &server, &exchange).await {
                writeln!(text, "{name} / {}\n    {line}", exchange.step).expect("a line");
            }
        }
    }
    insta::assert_snapshot!("recorded_answers", text);
}

#[tokio::test]
async fn the_recorded_server_is_known_whole() {
    let stage = Stage::open().await;
    let server = stage.discovered().await;
    let path = |url: &url::Url| url.path().to_owned();
    let optional = |url: &Option<url::Url>| url.as_ref().map(path);
    assert_eq!(server.issuer.raw(), stage.base);
    assert_eq!(path(&server.access_token), "/api/v0/token/access");
    assert_eq!(path(&server.mytoken), "/api/v0/token/my");
    assert_eq!(optional(&server.tokeninfo).as_deref(), Some("/api/v0/tokeninfo"));
    assert_eq!(optional(&server.revocation).as_deref(), Some("/api/v0/token/revoke"));
    assert_eq!(optional(&server.transfer).as_deref(), Some("/api/v0/token/transfer"));
    let providers: Vec<_> = server
        .providers
        .iter()
        .map(|provider| {
            (provider.issuer.raw().replace(&stage.base, ""), provider.name.clone(), provider.scopes.len())
        })
        .collect();
    let name = |name: &str| Some(Untrusted::from(name));
    assert_eq!(
        providers,
        [
            ("https://op.example.org".to_owned(), name("Stub OP"), 6),
            ("https://op2.example.org/realms/toktui".to_owned(), name("Keycloak"), 4),
            ("/api/v0/guests".to_owned(), name("Guest Mode"), 1),
        ]
    );
    assert_eq!((server.enforces("usages_AT"), server.enforces("schedule")), (Some(true), Some(false)));
    assert!(server.hands_out("short_token") && server.grants("polling_code"));
    assert_eq!(server.version, name("0.10.2"));
    assert_eq!(stage.last_sent().0.path, "/.well-known/mytoken-configuration");
}

#[tokio::test]
async fn a_server_with_features_off_says_so_and_is_not_asked_for_them() {
    let stage = Stage::open().await;
    let mut document = nth("features-off", "discovery", 0);
    stage.says(&document);
    let server = discovery::discover(&stage.http, &stage.base).await.expect("a server");
    assert_eq!((server.hands_out("short_token"), server.grants("polling_code")), (false, true));
    assert_eq!((server.transfer, server.ssh_keys), (None, vec![]));
    let everything = order_of(&recording("features-off")[1].body);
    assert_eq!(not_enforced(&everything, &stage.discovered().await), [] as [&str; 0]);

    document["body"]["mytoken_endpoint_grant_types_supported"] = json!(["oidc_flow", "mytoken"]);
    document["body"].as_object_mut().expect("an object").remove("tokeninfo_endpoint");
    stage.says(&document);
    let server = discovery::discover(&stage.http, &stage.base).await.expect("a server");
    assert_eq!(not_enforced(&everything, &server), ["hosts", "usages_other"]);
    let asked = stage.sent.lock().expect("a lock").len();
    let order = Wanted { provider: Untrusted::from("https://op.example.org"), ..Wanted::default() };
    assert!(matches!(consent::start(&stage.http, &server, &order).await, Err(Error::NotOffered(_))));
    let reply = tokeninfo::introspect(&stage.http, &server, &Secret::new("mt-1")).await;
    assert!(matches!(reply.outcome, Err(Error::NotOffered(_))) && !reply.in_doubt);
    assert_eq!(stage.sent.lock().expect("a lock").len(), asked, "nothing more was sent");
}

#[tokio::test]
async fn what_is_no_mytoken_server_is_said_to_be_none() {
    let stage = Stage::open().await;
    stage.say(Response::html(200, "<html>hello</html>"));
    assert!(matches!(discovery::discover(&stage.http, &stage.base).await, Err(Error::Unreadable(_))));
    stage.say(Response::html(404, "<html>gone</html>"));
    assert!(matches!(
        discovery::discover(&stage.http, &stage.base).await,
        Err(Error::NotAServer { status: 404, .. })
    ));
    stage.says(&nth("rate-limit", "request 101", 0));
    let limited = Error::Refused(No::RateLimited { retry_after: Some(Duration::from_secs(300)) });
    assert_eq!(discovery::discover(&stage.http, &stage.base).await, Err(limited));
    let plain = discovery::discover(&stage.http, "http://mytoken.example.org").await;
    assert!(matches!(plain, Err(Error::NotAnIssuer(_))));
}

#[tokio::test]
async fn an_introspection_tells_the_claims_the_counters_and_the_mom_id() {
    let stage = Stage::open().await;
    let server = stage.discovered().await;
    let mut seen = 0;
    for name in [
        "introspect-answers",
        "rotation-on-at",
        "rotation-on-other",
        "at-restricted-scope",
        "short-token-login",
    ] {
        for exchange in
            recording(name).iter().filter(|exchange| exchange.response["body"]["valid"] == json!(true))
        {
            stage.says(&exchange.response);
            let reply = tokeninfo::introspect(&stage.http, &server, &Secret::new("mt-1")).await;
            let found = reply.outcome.expect("an introspection");
            let claims = &exchange.response["body"]["token"];
            let computed = mom_id(claims["jti"].as_str().expect("a jti")).map(Untrusted::from);
            assert_eq!(found.facts.mom_id, computed, "{name} / {}", exchange.step);
            assert_eq!(found.facts.restrictions.len(), claims["restrictions"].as_array().map_or(0, Vec::len));
            assert_eq!(found.facts.issued, claims["iat"].as_i64().map(from_epoch));
            seen += 1;
        }
    }
    assert!(seen > 8, "{seen}");
}

#[tokio::test]
async fn a_request_is_json_in_the_body_and_carries_the_mytoken_nowhere_else() {
    let stage = Stage::open().await;
    let server = stage.discovered().await;
    let mytoken = Secret::new(" eyJ.mt.1\n");
    let list = |items: &[&str]| items.iter().map(|&item| item.to_owned()).collect::<Vec<_>>();
    let _ = access::access_token(
        &stage.http,
        &server,
        &mytoken,
        &list(&["openid", "email"]),
        &list(&["https://a"]),
    )
    .await;
    let (request, body) = stage.last_sent();
    assert_eq!(
        body,
        json!({"grant_type": "mytoken", "mytoken": "eyJ.mt.1", "scope": "openid email", "audience": "https://a"})
    );
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!((request.header("authorization"), request.header("cookie")), (None, None));
    assert!(request.query.is_empty());

    let _ = access::access_token(&stage.http, &server, &mytoken, &[], &[]).await;
    assert_eq!(stage.last_sent().1, json!({"grant_type": "mytoken", "mytoken": "eyJ.mt.1"}));
    let _ = tokeninfo::event_history(&stage.http, &server, &mytoken).await;
    assert_eq!(stage.last_sent().1, json!({"action": "event_history", "mytoken": "eyJ.mt.1"}));
    let _ = revocation::revoke(&stage.http, &server, &mytoken, true).await;
    assert_eq!(stage.last_sent().1, json!({"token": "eyJ.mt.1", "recursive": true}));
}

#[tokio::test]
async fn the_later_requests_hold_what_they_need_and_nothing_else() {
    let stage = Stage::open().await;
    let server = stage.discovered().await;
    let (http, mytoken) = (&stage.http, Secret::new(" eyJ.mt.1\n"));
    let _ = listing::list(http, &server, &mytoken).await;
    assert_eq!(stage.last_sent().1, json!({"action": "list_mytokens", "mytoken": "eyJ.mt.1"}));
    let _ = listing::subtokens(http, &server, &mytoken).await;
    assert_eq!(stage.last_sent().1, json!({"action": "subtokens", "mytoken": "eyJ.mt.1"}));
    let _ = tokeninfo::event_history_of(http, &server, &mytoken, &["a/+==", "b=="]).await;
    assert_eq!(
        stage.last_sent().1,
        json!({"action": "event_history", "mytoken": "eyJ.mt.1", "mom_ids": ["a/+==", "b=="]})
    );
    let _ = revocation::revoke_other(http, &server, &mytoken, "a/+==", true).await;
    assert_eq!(stage.last_sent().1, json!({"token": "eyJ.mt.1", "mom_id": "a/+==", "recursive": true}));
    let _ = transfer::create(http, &server, &mytoken).await;
    assert_eq!(stage.last_sent().1, json!({"mytoken": "eyJ.mt.1"}));
    let _ = transfer::redeem(http, &server, &Secret::new(" ZPNMGBrq\n")).await;
    let (request, body) = stage.last_sent();
    assert_eq!(body, json!({"grant_type": "transfer_code", "transfer_code": "ZPNMGBrq"}));
    assert_eq!((request.header("authorization"), request.header("cookie")), (None, None));
    let wanted = Wanted {
        provider: Untrusted::from("https://op.example.org"),
        capabilities: vec![Capability::new("AT")],
        form: Form::Code,
        ..Wanted::default()
    };
    let _ = subtoken::create(http, &server, &mytoken, &wanted).await;
    assert_eq!(
        stage.last_sent().1,
        json!({"grant_type": "mytoken", "mytoken": "eyJ.mt.1", "capabilities": ["AT"], "response_type": "transfer_code"})
    );
    let _ = profiles::templates(http, &server, Some("a/b"), TemplateKind::Restrictions).await;
    let (request, _) = stage.last_sent();
    assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", "/api/v0/pt/a%2Fb/restrictions"));
    assert_eq!(request.header("authorization"), None);
}

#[tokio::test]
async fn what_the_server_would_misunderstand_is_not_sent() {
    let stage = Stage::open().await;
    let server = stage.discovered().await;
    let http = &stage.http;
    let own = nth("transfer-code", "machine B: redeem", 0)["body"].clone();
    let (mytoken, own_id) = (secret(&own, "mytoken"), own["mom_id"].as_str().expect("an id").to_owned());
    let before = stage.sent.lock().expect("a lock").len();

    // Pitfall 18: `this` and `children` fail for managers; without an id it would be the own history.
    let table: [&[&str]; 6] = [&[], &[""], &["this"], &["a==", "children"], &["children@a=="], &[" "]];
    for ids in table {
        let reply = tokeninfo::event_history_of(http, &server, &mytoken, ids).await;
        assert!(matches!(reply.outcome, Err(Error::NotAnId(_))) && !reply.in_doubt, "{ids:?}");
    }
    // Without an id the server would revoke the one that was to revoke another.
    let reply = revocation::revoke_other(http, &server, &mytoken, " ", true).await;
    assert!(matches!(reply.outcome, Err(Error::NotAnId(_))));
    // Pitfall 5: the own id is a failure of the server's.
    let reply = revocation::revoke_other(http, &server, &mytoken, &own_id, false).await;
    assert_eq!(reply.outcome, Err(Error::OwnId));
    // Pitfall 16: an empty selection means all of the parent's.
    for capabilities in [vec![], vec![Capability::new(" ")]] {
        let wanted = Wanted { capabilities, templates: vec!["web".to_owned()], ..Wanted::default() };
        let reply = subtoken::create(http, &server, &mytoken, &wanted).await;
        assert_eq!((reply.is_perhaps_done(), reply.outcome), (false, Err(Error::NoCapability)));
    }
    assert_eq!(stage.sent.lock().expect("a lock").len(), before, "nothing was sent");
}

#[tokio::test]
async fn what_is_switched_off_is_not_asked_for() {
    let stage = Stage::open().await;
    stage.says(&nth("features-off", "discovery", 0));
    let server = discovery::discover(&stage.http, &stage.base).await.expect("a server");
    assert_eq!(
        (server.makes_codes(), server.redeems_codes(), server.hands_out_codes(), server.makes_subtokens()),
        (false, false, false, true)
    );
    // Pitfall 23: the endpoint is named although the feature is off.
    assert!(server.may_have_profiles());
    let before = stage.sent.lock().expect("a lock").len();
    let (http, mytoken) = (&stage.http, Secret::new("mt-1"));
    let off = |error: &Error| matches!(error, Error::NotOffered(_));
    assert!(transfer::create(http, &server, &mytoken).await.outcome.is_err_and(|error| off(&error)));
    assert!(transfer::redeem(http, &server, &mytoken).await.outcome.is_err_and(|error| off(&error)));
    // A code would come, and could not be redeemed (§2.3.1).
    let wanted = Wanted {
        provider: Untrusted::from("https://op.example.org"),
        capabilities: vec![Capability::new("AT")],
        form: Form::Code,
        ..Wanted::default()
    };
    let reply = subtoken::create(http, &server, &mytoken, &wanted).await;
    assert!(reply.outcome.is_err_and(|error| off(&error)));
    assert!(consent::start(http, &server, &wanted).await.is_err_and(|error| off(&error)));
    assert_eq!(stage.sent.lock().expect("a lock").len(), before, "nothing was sent");

    stage.says(&nth("features-off", "profiles", 0));
    assert!(profiles::groups(http, &server).await.is_err_and(|error| off(&error)));
    stage.say(Response::html(404, "<html>"));
    let templates = profiles::templates(http, &server, None, TemplateKind::Profile).await;
    assert!(templates.is_err_and(|error| off(&error)));
}

#[tokio::test]
async fn a_redeemed_mytoken_tells_its_rotation_although_the_answer_does_not() {
    let stage = Stage::open().await;
    let server = stage.discovered().await;
    let answer = nth("transfer-code-of-rotating", "redeem", 0);
    assert!(answer["body"].get("rotation").is_none());
    stage.says(&answer);
    let reply = transfer::redeem(&stage.http, &server, &Secret::new("MVSwZXVP")).await;
    assert_eq!((reply.update, reply.in_doubt), (None, false));
    let issued = reply.outcome.expect("a mytoken");
    let rotation = Rotation { on_at: true, lifetime: Some(3600), ..Rotation::default() };
    assert_eq!(issued.facts.rotation, Some(rotation));
    assert_eq!(issued.facts, facts_of(issued.mytoken.expose()));
}

#[tokio::test]
async fn a_redeeming_whose_answer_is_lost_says_that_the_mytoken_may_be_too() {
    let stage = Stage::open().await;
    let server = stage.discovered().await;
    let table = [
        (Response::html(200, "<html>"), true),
        (Response::text(200, r#"{"mytoken": "eyJ.e30"#), true),
        (Response::json(200, &json!({"mytoken_type": "token"})), true),
        (Response::html(502, "<html>"), true),
        (Response::json(500, &json!({"error": "internal_server_error"})), false),
        (Response::json(401, &json!({"error": "invalid_token"})), false),
        (Response::text(429, "Too Many Requests"), false),
        (Response::text(200, r#"{"mytoken": "eyJ.e30.c2ln", "capab"#), false),
    ];
    for (answer, doubt) in table {
        let shown = format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body));
        stage.say(answer);
        let reply = transfer::redeem(&stage.http, &server, &Secret::new("ZPNMGBrq")).await;
        assert_eq!((reply.in_doubt, reply.is_perhaps_done()), (doubt, doubt), "{shown}");
    }
}

#[tokio::test]
async fn the_new_copy_of_a_parent_is_never_mixed_up_with_its_child() {
    let stage = Stage::open().await;
    let server = stage.discovered().await;
    let wanted = Wanted { capabilities: vec![Capability::new("AT")], ..Wanted::default() };
    let answer = nth("rotation-on-other", "create sub-mytoken", 0);
    let child = answer["body"]["mytoken"].as_str().expect("a child").to_owned();
    let parent = answer["body"]["token_update"]["mytoken"].as_str().expect("a parent").to_owned();
    assert_ne!(child, parent);
    let body = answer["body"].to_string();
    let broken = format!("{{\"mytoken\":\"{child}\",\"token_update\":{{\"mytoken\":\"{parent}\"");
    // What comes, and the child and the parent in it.
    let table = [
        (Response::text(200, body), Some(&child), Some(&parent)),
        (Response::text(200, broken), Some(&child), Some(&parent)),
        (Response::text(200, format!("{{\"mytoken\":\"{child}\"}}")), Some(&child), None),
        (
            Response::text(200, format!("{{\"mytoken\":\"{child}\"}}"))
                .with("set-cookie", format!("mytoken={child}; path=/api")),
            Some(&child),
            None,
        ),
        (
            Response::text(200, format!("{{\"token_update\":{{\"mytoken\":\"{parent}\"}}}}")),
            None,
            Some(&parent),
        ),
    ];
    for (answer, child, parent) in table {
        let shown = String::from_utf8_lossy(&answer.body).chars().take(60).collect::<String>();
        stage.say(answer);
        let reply = subtoken::create(&stage.http, &server, &Secret::new("mt-1"), &wanted).await;
        let update = reply.update.as_ref().map(|issued| issued.mytoken.expose().to_owned());
        assert_eq!(update.as_ref(), parent, "{shown}");
        assert_eq!(reply.is_perhaps_done(), child.is_none(), "{shown}");
        let made = match reply.outcome {
            Ok(Made::Mytoken(issued)) => Some(issued.mytoken.expose().to_owned()),
            Ok(Made::Code(coded)) => panic!("{coded:?}"),
            Err(_) => None,
        };
        assert_eq!(made.as_ref(), child, "{shown}");
    }
}

#[tokio::test]
async fn a_login_can_end_with_a_code() {
    let body = json!({"transfer_code": "KTYqsfKJ", "expires_in": 300, "mom_id": "a==", "mytoken_type": "transfer_code",
        "capabilities": ["AT"], "restrictions": [{"exp": 5000}]});
    let (end, _) = waited(&[json!({"status": 200, "headers": {}, "body": body})]).await;
    let End::Code(coded) = end else { panic!("{end:?}") };
    assert_eq!((coded.code.code.expose(), coded.code.expires_in.as_secs()), ("KTYqsfKJ", 300));
    assert_eq!(
        (coded.facts.mom_id, coded.facts.expires),
        (Some(Untrusted::from("a==")), Some(from_epoch(5000)))
    );
}

#[tokio::test]
async fn how_much_may_still_be_asked_comes_with_every_reply_that_tells() {
    let stage = Stage::open().await;
    let server = stage.discovered().await;
    let left = |remaining| Some(Allowance { limit: 100, remaining, reset: Duration::from_secs(300) });
    let mytoken = Secret::new("mt-1");
    stage.says(&nth("rate-limit", "request 1", 0));
    let told = discovery::discover_and_allowance(&stage.http, &stage.base).await.expect("a server");
    assert_eq!((&told.0.issuer, told.1), (&server.issuer, left(99)));
    stage.says(&nth("rate-limit", "request 2", 0));
    let reply = tokeninfo::introspect(&stage.http, &server, &mytoken).await;
    assert_eq!((reply.allowance, reply.outcome.is_ok()), (left(98), false));
    stage.says(&nth("transfer-code", "machine B: redeem", 0));
    let reply = transfer::redeem(&stage.http, &server, &Secret::new("ZPNMGBrq")).await;
    assert_eq!((reply.allowance, reply.outcome.is_ok()), (left(99), true));
    stage.says(&nth("rate-limit", "request 102: tokeninfo", 0));
    let reply = listing::list(&stage.http, &server, &mytoken).await;
    let limited = No::RateLimited { retry_after: Some(Duration::from_secs(300)) };
    assert_eq!((reply.allowance, reply.outcome), (None, Err(limited.into())));
    stage.says(&nth("transfer-code", "machine A: create transfer code", 0));
    assert_eq!(
        transfer::create(&stage.http, &server, &mytoken).await.allowance,
        None,
        "it does not count here"
    );
}

#[tokio::test]
async fn a_cookie_with_a_new_copy_is_read_once_and_never_sent() {
    let stage = Stage::open().await;
    let server = stage.discovered().await;
    let mut rotated = nth("rotation-on-at", "AT", 0);
    let told = rotated["body"]["token_update"]["mytoken"].as_str().expect("a mytoken").to_owned();
    rotated["body"].as_object_mut().expect("an object").remove("token_update");
    stage.says(&rotated);
    let reply = access::access_token(&stage.http, &server, &Secret::new("mt-1"), &[], &[]).await;
    let update = reply.update.expect("out of the cookie");
    assert_eq!((update.mytoken.expose(), update.facts.copy), (told.as_str(), Some(2)));
    assert!(reply.outcome.is_ok() && !reply.in_doubt);
    let _ = access::access_token(&stage.http, &server, &update.mytoken, &[], &[]).await;
    assert_eq!(stage.last_sent().0.header("cookie"), None);
}

#[tokio::test]
async fn a_rotation_is_told_together_with_a_success_that_holds_no_access_token() {
    let stage = Stage::open().await;
    let server = stage.discovered().await;
    let mut empty = nth("at-op-refuses", "OP answers 503 with HTML", 0);
    let update = nth("rotation-on-at", "AT", 0)["body"]["token_update"].clone();
    empty["body"]["token_update"] = update.clone();
    stage.says(&empty);
    let reply = access::access_token(&stage.http, &server, &Secret::new("mt-1"), &[], &[]).await;
    assert_eq!(reply.outcome, Err(Error::NoAccessToken));
    let issued = reply.update.expect("an update");
    assert_eq!(issued.mytoken.expose(), update["mytoken"].as_str().expect("a mytoken"));
    assert_eq!(issued.facts, facts_of(issued.mytoken.expose()));
}

#[tokio::test]
async fn an_answer_that_may_have_lost_a_new_copy_says_so() {
    let stage = Stage::open().await;
    let server = stage.discovered().await;
    let table = [
        (Response::json(200, &json!({"access_token": "at", "token_update": {"mytoken": 5}})), true),
        (Response::html(200, "<html>"), true),
        (Response::text(200, r#"{"access_token": "at", "token_upd"#), true),
        (Response::empty(200), true),
        (Response::html(502, "<html>Bad Gateway"), true),
        (Response::json(504, &json!({"error": "timeout"})), true),
        (Response::json(500, &json!({"error": "internal_server_error"})), false),
        (Response::json(503, &json!({"error": "oidc_error"})), false),
        (Response::json(401, &json!({"error": "invalid_token"})), false),
        (Response::text(429, "Too Many Requests"), false),
        (Response::json(200, &json!({"access_token": "at", "token_update": null})), false),
    ];
    for (answer, doubt) in table {
        let shown = format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body));
        stage.say(answer);
        let reply = access::access_token(&stage.http, &server, &Secret::new("mt-1"), &[], &[]).await;
        assert_eq!((reply.in_doubt, reply.update), (doubt, None), "{shown}");
    }
}

#[tokio::test]
async fn a_connection_that_ends_after_the_request_leaves_doubt_and_is_not_tried_again() {
    use tokio::io::AsyncReadExt as _;
    let stage = Stage::open().await;
    let mut server = stage.discovered().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    server.access_token.set_port(Some(port)).expect("a port");
    let hung_up = tokio::spawn(async move {
        let mut requests = 0;
        while let Ok(Ok((mut stream, _))) =
            tokio::time::timeout(Duration::from_millis(300), listener.accept()).await
        {
            let mut start = [0; 64];
            requests += usize::from(stream.read(&mut start).await.is_ok_and(|read| read > 0));
        }
        requests
    });
    let reply = access::access_token(&stage.http, &server, &Secret::new("mt-1"), &[], &[]).await;
    assert!(matches!(reply.outcome, Err(Error::NoAnswer(_))) && reply.in_doubt, "{:?}", reply.outcome);
    assert_eq!(hung_up.await.expect("a count"), 1);
}

#[tokio::test]
async fn a_204_to_a_revocation_is_no_more_than_accepted_and_an_old_copy_is_named() {
    let stage = Stage::open().await;
    let server = stage.discovered().await;
    stage.says(&nth("introspect-expired", "revoke", 0));
    let reply = revocation::revoke(&stage.http, &server, &Secret::new("mt-1"), false).await;
    assert_eq!((reply.outcome, reply.in_doubt), (Ok(revocation::Accepted), false));
    stage.says(&nth("rotation-on-at", "revoke with the old version", 0));
    let reply = revocation::revoke(&stage.http, &server, &Secret::new("mt-1"), false).await;
    assert_eq!(reply.outcome, Err(Error::Refused(No::OldCopy)));
}

#[tokio::test]
async fn revoked_and_rotated_away_look_the_same_and_are_not_guessed_apart() {
    let stage = Stage::open().await;
    let server = stage.discovered().await;
    for (name, step) in
        [("introspect-revoked", "introspect"), ("rotation-on-at", "introspect the old version")]
    {
        stage.says(&nth(name, step, 0));
        let reply = tokeninfo::introspect(&stage.http, &server, &Secret::new("mt-1")).await;
        assert_eq!(reply.outcome, Err(Error::Refused(No::InvalidToken(Reason::Unidentified))));
    }
}

#[tokio::test]
async fn a_history_is_read_whole_with_and_without_events() {
    let stage = Stage::open().await;
    let server = stage.discovered().await;
    stage.says(&nth("rotation-on-other", "event_history", 0));
    let reply = tokeninfo::event_history(&stage.http, &server, &Secret::new("mt-1")).await;
    assert_eq!(reply.update.expect("it rotated").facts.copy, Some(2));
    let events = reply.outcome.expect("a history");
    let first = &events[0];
    assert_eq!(events.len(), 5);
    assert_eq!((first.event.raw(), first.at), ("created", Some(from_epoch(1_795_369_361))));
    assert_eq!(first.address, Some(Untrusted::from("127.0.0.1")));
    assert_eq!(first.agent, Some(Untrusted::from("pilot/1.0")));
    assert_eq!(first.comment, Some(Untrusted::from("Used grant_type oidc_flow authorization_code")));

    for (body, count) in [
        (json!({"events": null}), Some(0)),
        (json!({}), Some(0)),
        (json!({"events": [{}, 5, {"event": "x", "time": "soon"}]}), Some(2)),
        (json!({"events": "none"}), None),
    ] {
        stage.say(Response::json(200, &body));
        let reply = tokeninfo::event_history(&stage.http, &server, &Secret::new("mt-1")).await;
        assert_eq!(reply.outcome.ok().map(|events| events.len()), count, "{body}");
    }
}

#[tokio::test]
async fn an_order_is_placed_as_the_server_wants_it() {
    let stage = Stage::open().await;
    let server = stage.discovered().await;
    let exchange = &recording("login-consent-changes")[0];
    stage.says(&exchange.response);
    let consent = consent::start(&stage.http, &server, &order_of(&exchange.body)).await.expect("a consent");
    assert_eq!(consent.uri.as_str(), format!("{}/c/oxaSehBJ", stage.base));
    assert_eq!((consent.expires_in.as_secs(), consent.interval.as_secs()), (300, 5));
    assert_eq!(consent.polling_code.expose(), "YjNoaFUy");
    let mut expected = exchange.body.clone();
    expected["response_type"] = json!("token");
    assert_eq!(stage.last_sent().1, expected);
}

#[tokio::test]
async fn a_consent_page_on_another_host_is_not_shown() {
    let stage = Stage::open().await;
    let server = stage.discovered().await;
    let order = Wanted { provider: Untrusted::from("https://op.example.org"), ..Wanted::default() };
    for uri in ["https://evil.example/c/x", "javascript:alert(1)", "/c/x", "http://x@127.0.0.1:1/c/x"] {
        stage.say(Response::json(200, &json!({"consent_uri": uri, "polling_code": "x"})));
        let refused = consent::start(&stage.http, &server, &order).await;
        assert_eq!(refused, Err(Error::ForeignEndpoint { name: "consent page" }), "{uri}");
    }
    stage.say(Response::json(
        200,
        &json!({"consent_uri": format!("{}/c/x", stage.base), "polling_code": "x", "interval": 0}),
    ));
    let consent = consent::start(&stage.http, &server, &order).await.expect("a consent");
    assert_eq!((consent.expires_in.as_secs(), consent.interval.as_secs()), (300, 5));
}

async fn waited(answers: &[Value]) -> (End, usize) {
    let stage = Stage::open().await;
    let server = stage.discovered().await;
    for answer in answers {
        stage.says(answer);
    }
    let mut heard = 0;
    let never = std::future::pending();
    let end = polling::wait(&stage.http, &server, &waiting(&server), never, |_| heard += 1).await;
    (end, heard)
}

#[tokio::test]
async fn waiting_ends_with_the_mytoken_however_often_the_server_was_in_trouble() {
    let pending = nth("login-guest", "poll: pending", 0);
    let broken = json!({"status": 502, "headers": {"content-type": "text/html"}, "body": "<html>"});
    let done = nth("login-guest", "poll: done", 0);
    let (end, heard) = waited(&[pending.clone(), broken, pending, done.clone()]).await;
    let End::Granted(issued) = end else { panic!("{end:?}") };
    assert_eq!(issued.mytoken.expose(), done["body"]["mytoken"].as_str().expect("a mytoken"));
    assert_eq!((issued.facts.copy, issued.short, issued.expires_in), (Some(1), false, None));
    assert_eq!(heard, 4);
}

#[tokio::test]
async fn each_way_in_which_a_login_fails_is_an_end_of_its_own() {
    let pending = || nth("login-guest", "poll: pending", 0);
    let broken = || json!({"status": 502, "headers": {}, "body": "<html>"});
    let gone = || nth("login-op-error", "poll", 0);
    let table = [
        (vec![nth("polling-code-expired", "poll after expires_in", 0)], End::TimedOut),
        (vec![pending(), gone()], End::Failed),
        (vec![broken(), gone()], End::PerhapsLost),
        (vec![broken(), pending(), gone()], End::Failed),
        (vec![json!({"status": 401, "headers": {}, "body": {"error": "access_denied"}})], End::Declined),
        (vec![json!({"status": 200, "headers": {}, "body": {"mytoken": 5}})], End::Lost),
        (
            vec![json!({"status": 404, "headers": {}, "body": {"error": "not_found"}})],
            End::Refused(No::NotOffered),
        ),
        (vec![pending(); 4000], End::TimedOut),
    ];
    for (answers, expected) in table {
        assert_eq!(waited(&answers).await.0, expected);
    }
}

#[tokio::test]
async fn a_mytoken_in_an_answer_that_broke_off_is_saved_from_it() {
    let body = r#"{"mytoken": "eyJ.e30.c2ln", "mytoken_type": "token", "capab"#;
    let (end, _) = waited(&[json!({"status": 200, "headers": {}, "body": body})]).await;
    assert!(matches!(end, End::Granted(issued) if issued.mytoken.expose() == "eyJ.e30.c2ln"));
}

#[tokio::test]
async fn whoever_stops_the_waiting_is_heard_at_once_and_never_in_the_middle_of_a_question() {
    let stage = Stage::open().await;
    let server = stage.discovered().await;
    let consent = Consent { interval: Duration::from_secs(60), ..waiting(&server) };
    let end = polling::wait(&stage.http, &server, &consent, std::future::ready(()), |_| {}).await;
    assert_eq!(end, End::Stopped);
    assert_eq!(stage.sent.lock().expect("a lock").len(), 1, "discovery, and no question");

    // Stopped while the answer with the mytoken is on its way.
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let stop = Mutex::new(Some(stop));
    let bound = serve::bind(0).await.expect("a port");
    let mut server = server;
    server.mytoken = url::Url::parse(&format!("{}/my", bound.base())).expect("a URL");
    let done = nth("login-guest", "poll: done", 0)["body"].clone();
    let _slow = bound.serve(Arc::new(move |_| {
        let (stop, answer) = (stop.lock().expect("a lock").take(), Response::json(200, &done));
        async move {
            drop(stop);
            tokio::time::sleep(Duration::from_millis(50)).await;
            answer
        }
        .boxed()
    }));
    let stop = stopped.map(drop);
    let end = polling::wait(&stage.http, &server, &waiting(&server), stop, |_| {}).await;
    assert!(matches!(end, End::Granted(_)), "{end:?}");
}

fn order_of(body: &Value) -> Wanted {
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let names = body["capabilities"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let clauses = body["restrictions"].as_array().into_iter().flatten().filter_map(Value::as_object);
    Wanted {
        provider: Untrusted::new(text("oidc_issuer").expect("a provider")),
        name: text("name"),
        capabilities: names.map(Capability::new).collect(),
        restrictions: clauses.map(Clause::from_json).collect(),
        rotation: body["rotation"].as_object().map(Rotation::from_json),
        form: Form::Token,
        templates: Vec::new(),
        application: text("application_name"),
    }
}

/// Every login of a recording: what was asked at its start, what came at its poll.
async fn compared(name: &str) -> Vec<Vec<String>> {
    let stage = Stage::open().await;
    let server = stage.discovered().await;
    let mut order = None;
    let mut logins = Vec::new();
    for exchange in recording(name) {
        match exchange.body["grant_type"].as_str() {
            Some("oidc_flow") => order = Some(order_of(&exchange.body)),
            Some("polling_code") => {
                stage.says(&exchange.response);
                let Poll::Granted(mut issued) =
                    polling::poll_once(&stage.http, &server, &waiting(&server)).await
                else {
                    panic!("{name} / {}", exchange.step)
                };
                // The provider stands in the JWT under its real address.
                let order = order.take().expect("an order");
                issued.facts.provider = order.provider.clone();
                let now = issued.facts.issued.expect("a moment");
                let lines = asked::compare(&order, &issued, now);
                let differing = lines.into_iter().filter(|line| line.relation != Relation::Same);
                logins.push(
                    differing
                        .map(|line| {
                            format!("{:?} {}: {} -> {}", line.relation, line.what, line.asked, line.granted)
                        })
                        .collect(),
                );
            }
            _ => {}
        }
    }
    logins
}

#[tokio::test]
async fn recorded_logins_that_came_back_wider_raise_the_alarm() {
    assert_eq!(
        compared("login-clauses-cut").await,
        [
            vec!["Wider 2: scopes: storage.read -> any"],
            vec![
                "Narrower 2: scopes: openid storage.read -> openid",
                "Narrower 3: scopes: openid email -> openid"
            ],
            vec!["Wider restrictions: scopes storage.read -> anything goes"],
            vec!["Wider 1: audiences: https://a.example.org -> any"],
            vec![
                "Narrower 1: scopes: openid profile -> openid",
                "Narrower 2: scopes: openid profile -> openid"
            ],
        ]
    );
    assert_eq!(
        compared("login-scope-cut").await,
        [
            vec!["Narrower scopes: openid profile storage.read -> openid profile"],
            vec!["Narrower audiences: https://a.example.org https://b.example.org -> https://b.example.org"],
        ]
    );
}

#[tokio::test]
async fn what_the_user_changed_on_the_consent_page_is_all_named() {
    assert_eq!(
        compared("login-consent-changes").await,
        [vec![
            "Other name: asked -> granted",
            "Narrower may: AT  tokeninfo  create_mytoken -> AT",
            "Narrower ends: in 1d 00h -> in 23h 00m",
            "Narrower scopes: openid profile -> openid",
            "Narrower access tokens: any -> 3",
            "Narrower rotates on other uses: no -> yes",
            "Narrower a copy lives: no limit -> 10m",
            "Narrower an older copy in use revokes all: no -> yes",
        ]]
    );
}
