//! Everything that a mytoken server says no with, at every verb that asks it: the sentence, and the exit code of the plain command.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use serde_json::json;
use toktui::desktop::SystemClock;
use toktui::domain::credential::CredentialId;
use toktui::domain::draft::{Draft, DraftClause};
use toktui::domain::failure::Failure;
use toktui::domain::family::{Via, Which};
use toktui::domain::handed::HandOver;
use toktui::domain::mytoken::{Capability, Clause as ClauseFacts};
use toktui::domain::secret::Secret;
use toktui::domain::specimen::recognise;
use toktui::domain::time::Clock;
use toktui::domain::untrusted::Untrusted;
use toktui::http::Http;
use toktui::sandbox::mytoken::{Clause, Mytokens, Order, Rotation, Settings};
use toktui::sandbox::serve::{Request, Response, Server, bind};
use toktui::wallet::Wallet;
use toktui::wallet::draw::Wish;

use crate::world::{Running, named, server_source};

/// A mytoken server that is a good one until it is told what to answer with.
struct Refusing {
    mytokens: Mytokens,
    answer: Arc<Mutex<Option<Response>>>,
    address: String,
    http: Arc<Http>,
    _server: Server,
}

impl Refusing {
    async fn open() -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let answer: Arc<Mutex<Option<Response>>> = Arc::default();
        let door = bind(0).await.expect("a port");
        let settings = Settings { issuer: door.base(), ..Settings::default() };
        let mytokens = Mytokens::new(settings, Arc::clone(&clock)).expect("a server");
        let (good, told) = (mytokens.handler(), Arc::clone(&answer));
        let server = door.serve(Arc::new(move |request: Request| {
            let told = told.lock().expect("a lock").clone().filter(|_| request.method == "POST");
            let good = Arc::clone(&good);
            Box::pin(async move {
                match told {
                    Some(told) => told,
                    None => good(request).await,
                }
            })
        }));
        let address = server.base();
        Self { mytokens, answer, address, http: Arc::new(Http::default()), _server: server }
    }

    /// A wallet of its own, so that nothing is remembered, with a mytoken of which an older copy in use revokes all.
    async fn kept(&self, name: &str) -> (Arc<Wallet>, CredentialId) {
        let capabilities = ["AT", "tokeninfo", "create_mytoken", "manage_mytokens"].map(str::to_owned).into();
        let refresh_token = Some(Secret::new("any"));
        let rotation = Some(Rotation { on_at: true, on_other: true, lifetime: 0, auto_revoke: true });
        // Counted, so that every other use rotates it too.
        let restrictions = vec![Clause { usages_at: Some(9), usages_other: Some(9), ..Clause::default() }];
        let order = Order { capabilities, refresh_token, rotation, restrictions, ..Order::default() };
        let mytoken = self.mytokens.issue(order).expect("issued").mytoken;
        let sources = vec![server_source(&self.address)];
        let wallet = Wallet::new(Arc::new(SystemClock), Arc::clone(&self.http), sources).expect("a wallet");
        let id = wallet.keep(&recognise(mytoken.expose()), name).await.expect("kept").0;
        (wallet, id)
    }
}

fn refusal(status: u16, error: &str, description: &str) -> Response {
    match description {
        "" => Response::json(status, &json!({"error": error})),
        text => Response::json(status, &json!({"error": error, "error_description": text})),
    }
}

/// Everything of mytoken-api.md §2.1.6, §2.2–§2.6 and §8c, and what stands in front of servers.
fn refusals() -> Vec<(&'static str, Response)> {
    let json = [
        (401, "invalid_token", ""),
        (401, "invalid_token", "token is expired by 2h3m4s"),
        (401, "invalid_token", "token has invalid claims: token is expired"),
        (401, "invalid_token", "token is not valid yet"),
        (401, "invalid_token", "token contains an invalid number of segments"),
        (401, "invalid_token", "crypto/ecdsa: verification error"),
        (401, "invalid_token", "invalid issuer"),
        (401, "invalid_token", "token not valid"),
        (401, "invalid_token", "no mytoken found in request"),
        (401, "invalid_token", "No refresh token attached"),
        (400, "invalid_token", ""),
        (401, "invalid_token", "Bad polling or transfer code"),
        (401, "expired_token", "polling or transfer code is expired"),
        (428, "authorization_pending", ""),
        (401, "access_denied", "user declined consent"),
        (403, "access_denied", "'ssh' grant type not enabled"),
        (403, "insufficient_capabilities", "The provided token does not have the required capability"),
        (403, "usage_restricted", "The restrictions of this token do not allow this usage"),
        (403, "invalid_grant", "The provided token cannot be used to revoke this mom_id"),
        (400, "invalid_grant", "Unsupported grant_type"),
        (400, "invalid_request", "token not valid"),
        (400, "invalid_request", "no token given"),
        (400, "invalid_request", "token not for specified issuer"),
        (400, "invalid_request", "The provided issuer is not supported"),
        (400, "invalid_request", "unknown include name: 'x'"),
        (400, "invalid_request", "value 'x' not valid for TokeninfoAction"),
        (400, "invalid_request", "unexpected end of JSON input"),
        (400, "invalid_request", "State mismatched"),
        (400, "invalid_request", "token would already be expired"),
        (400, "invalid_request", "mytoken to be issued cannot have any of the requested capabilities"),
        (409, "invalid_request", "ssh key already added"),
        (422, "mail_required", "email not verified"),
        (400, "oidc_error", "invalid_grant: Token is not active"),
        (401, "oidc_error", "invalid_client: "),
        (555, "oidc_error", "Did not receive a refresh token"),
        (404, "not_found", "/api/v0/token/access"),
        (501, "not_yet_implemented", ""),
        (
            500,
            "internal_server_error",
            "Error 1205 (HY000): Lock wait timeout exceeded; try restarting transaction",
        ),
        (500, "internal_server_error", "cipher: message authentication failed"),
        (500, "Internal Server Error", "runtime error: invalid memory address or nil pointer dereference"),
        (403, "Forbidden", ""),
        (401, "some_new_word", "nobody knows it"),
    ];
    let mut all: Vec<(&str, Response)> =
        json.into_iter().map(|(status, error, text)| (error, refusal(status, error, text))).collect();
    all.push(("429 as text", Response::text(429, "Too Many Requests").with("retry-after", "37")));
    all.push(("429 without a word", Response::text(429, "Too Many Requests")));
    all.push(("401 as text", Response::text(401, "Unauthorized")));
    all.push(("a page of a proxy", Response::html(502, "<h1>Bad Gateway</h1>")));
    all.push(("a proxy's time-out", Response::html(504, "<h1>Gateway Time-out</h1>")));
    all.push(("201 as text", Response::text(201, "Created")));
    all.push(("200 and nothing", Response::empty(200)));
    all.push(("200 and null", Response::text(200, "null").with("content-type", "application/json")));
    all.push(("278", Response::json(278, &json!({"authorization_uri": "https://op.example/auth"}))));
    all
}

/// The verbs that ask a mytoken server.
#[derive(Clone, Copy, Debug)]
enum Verb {
    Token,
    Info,
    History,
    Revoke,
    Create,
    From,
    HandOver,
    Itself,
    Redeem,
    List,
    Tree,
    HistoryOf,
    RevokeOther,
}

const VERBS: [Verb; 13] = [
    Verb::Token,
    Verb::Info,
    Verb::History,
    Verb::Revoke,
    Verb::Create,
    Verb::From,
    Verb::HandOver,
    Verb::Itself,
    Verb::Redeem,
    Verb::List,
    Verb::Tree,
    Verb::HistoryOf,
    Verb::RevokeOther,
];

impl Verb {
    /// What it says, and with which code its plain command ends; for a look-up its headline and the deciding fact.
    async fn says(self, wallet: &Arc<Wallet>, id: &CredentialId) -> String {
        const FORCE: Wish = Wish { force: true, insist: false, min_life: None, ask: None };
        let (server, by, other) = ("mt".into(), Via::Held(id.clone()), Untrusted::from("a/+=="));
        let failure = match self {
            Self::Token => wallet.draw(id, FORCE).await.map(|_| "an access token".to_owned()),
            Self::History => wallet.history(id).await.map(|events| format!("{} events", events.len())),
            Self::Revoke => wallet.revoke(id).await,
            Self::Create => Running::of(wallet, named("mt", "new")).end().await.map(|report| report.name),
            Self::From => wallet.create_from(id, &like_its_parent()).await.map(|report| report.name),
            Self::HandOver => {
                let how = HandOver::Subtoken(Box::new(like_its_parent()));
                wallet.hand_over(id, &how).await.map(|handed| handed.name)
            }
            Self::Itself => wallet.hand_over_rotating(id).await.map(|handed| handed.name),
            Self::Redeem => {
                let redeemed = wallet.redeem(&server, &Secret::new("gHtKmPqZ"), None).await;
                redeemed.map(|report| report.name)
            }
            Self::List => wallet.family(&server, &by, Which::All).await.map(|_| "a list".to_owned()),
            Self::Tree => wallet.family(&server, &by, Which::Below).await.map(|_| "a tree".to_owned()),
            Self::HistoryOf => {
                let told = wallet.history_of_listed(&server, &by, &[other]).await;
                told.map(|events| format!("{} events", events.len()))
            }
            Self::RevokeOther => wallet.revoke_listed(&server, &by, &other, true).await,
            Self::Info => {
                let verdict = wallet.look_up(id).await.expect("held").verdict;
                return format!("{} {}", verdict.standing.words().0, verdict.fact);
            }
        };
        told(failure)
    }
}

fn like_its_parent() -> Draft {
    let rest = ClauseFacts { uses_at: Some(9), uses_other: Some(9), ..ClauseFacts::default() };
    let clauses = vec![DraftClause { rest, ..DraftClause::default() }];
    Draft { capabilities: vec![Capability::new("AT")], clauses, ..Draft::default() }
}

fn told(outcome: Result<String, Failure>) -> String {
    match outcome {
        Ok(said) => format!("0 {said}"),
        Err(failure) => format!("{} {failure}", failure.kind.exit_code()),
    }
}

#[tokio::test]
async fn every_refusal_has_its_sentence_and_its_exit_code_at_every_verb() {
    let server = Refusing::open().await;
    let mut table = String::new();
    for (what, answer) in refusals() {
        let body = String::from_utf8_lossy(&answer.body);
        writeln!(table, "\n{} {what}: {}", answer.status, body.trim()).expect("text");
        for verb in VERBS {
            let (wallet, id) = server.kept("toar").await;
            *server.answer.lock().expect("a lock") = Some(answer.clone());
            let said = verb.says(&wallet, &id).await;
            *server.answer.lock().expect("a lock") = None;
            let said = said.replace(&server.address, "ADDRESS");
            writeln!(table, "  {:<11} {said}", format!("{verb:?}").to_lowercase()).expect("text");
        }
    }
    insta::assert_snapshot!("refusals", table);
}
