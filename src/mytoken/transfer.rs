//! Handing a mytoken over by a code that is used once (mytoken-api.md §2.3.5, §2.4).

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use super::discovery::Server;
use super::reply::{self, Issued, Reply, Size};
use super::{Error, No, Reason};
use crate::domain::mytoken::Facts;
use crate::domain::secret::Secret;
use crate::domain::untrusted::Untrusted;
use crate::http::{Credentials, Http};

/// The lifetime of a code where the server does not say it.
const DEFAULT_LIFE: Duration = Duration::from_secs(300);

/// What a server without transfer codes is said not to offer.
pub(super) const CODES: &str = "transfer codes";

/// A transfer code: whoever has it first, has the mytoken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// The code, of few characters.
    pub code: Secret,
    /// How long it can be redeemed.
    pub expires_in: Duration,
}

impl Code {
    /// Reads the code of an answer; `None` where there is none in it.
    pub(super) fn read(answer: &Map<String, Value>) -> Option<Self> {
        let code = answer.get("transfer_code")?.as_str()?.trim();
        let life = answer.get("expires_in").and_then(reply::seconds).filter(|span| !span.is_zero());
        (!code.is_empty()).then(|| Self { code: Secret::new(code), expires_in: life.unwrap_or(DEFAULT_LIFE) })
    }

    /// One that came without a word about its life.
    pub(super) fn bare(code: Secret) -> Self {
        Self { code, expires_in: DEFAULT_LIFE }
    }
}

/// A mytoken that was made and handed out as a code.
#[derive(Clone, Debug, PartialEq)]
pub struct Coded {
    /// The code.
    pub code: Code,
    /// What the answer says of the mytoken behind it: its id, what it may do, under which restrictions, its rotation.
    pub facts: Facts,
}

impl Coded {
    /// Reads an answer that holds a code; `None` where there is none in it.
    pub(super) fn read(answer: &Map<String, Value>) -> Option<Self> {
        // What expires in this answer is the code.
        let mut facts = reply::facts_of_short(answer, None, None);
        facts.mom_id =
            answer.get("mom_id").and_then(Value::as_str).filter(|id| !id.is_empty()).map(Untrusted::from);
        Some(Self { code: Code::read(answer)?, facts })
    }
}

#[derive(Serialize)]
struct Request<'a> {
    mytoken: &'a str,
}

#[derive(Serialize)]
struct Redeemed<'a> {
    grant_type: &'static str,
    transfer_code: &'a str,
}

/// Makes a code for the mytoken itself: afterwards the same mytoken is in two places, and if it rotates, each use on one
/// side locks the other out (§12.15). Needs no capability, costs no use, rotates nothing, ignores restrictions.
///
/// The code stands for the copy that was sent: one made before a rotation gives a dead copy (§12.38).
pub async fn create(http: &Http, server: &Server, mytoken: &Secret) -> Reply<Code> {
    let Some(url) = server.transfer.as_ref().filter(|_| server.makes_codes()) else {
        return Reply::unsent(Error::NotOffered(CODES));
    };
    let request = Request { mytoken: reply::trimmed(mytoken) };
    reply::ask(http, url, mytoken, &request, Size::Token, |object| {
        object.and_then(Code::read).ok_or(Error::Unreadable("it holds no transfer code"))
    })
    .await
}

/// Gives the mytoken behind a code, always in its long form. The code is used up by that, also where the mytoken has ended
/// in the meantime. What came is to be saved before anything else, and looked up before it is trusted: it may be an
/// older copy. Its rotation is read from the mytoken, because the answer leaves it out.
///
/// `update` is never there. `in_doubt` means that the code may be used up and the mytoken lost on the way.
pub async fn redeem(http: &Http, server: &Server, code: &Secret) -> Reply<Issued> {
    if !server.redeems_codes() {
        return Reply::unsent(Error::NotOffered(CODES));
    }
    let request = Redeemed { grant_type: "transfer_code", transfer_code: reply::trimmed(code) };
    let body = reply::body_of(&request);
    let reply = match http.post_for_token(&server.mytoken, &Credentials::None, &body).await {
        Ok(answer) => Reply {
            date: answer.date,
            allowance: answer.allowance,
            outcome: if answer.is_success() {
                Issued::of(&answer).ok_or(Error::Unreadable("it holds no mytoken"))
            } else {
                Err(refused(No::of(&answer)).into())
            },
            ..Reply::unsent(Error::NotOffered(CODES))
        },
        Err(error) => Reply::unsent(error.into()),
    };
    Reply { in_doubt: reply.is_perhaps_done(), ..reply }
}

/// A mytoken that ended after the code was made is a failure of the server's, by its status (§2.3.5).
fn refused(no: No) -> No {
    match no {
        No::ServerBroke { description: Some(words), .. } if words.raw().starts_with("token is expired") => {
            No::InvalidToken(Reason::Expired)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(answer: &Value) -> Option<(String, u64)> {
        let code = Code::read(answer.as_object()?)?;
        Some((code.code.expose().to_owned(), code.expires_in.as_secs()))
    }

    #[test]
    fn a_code_is_read_with_its_life() {
        let code = |code: &str, life| Some((code.to_owned(), life));
        let table = [
            (json!({"transfer_code": "ZPNMGBrq", "expires_in": 120}), code("ZPNMGBrq", 120)),
            (json!({"transfer_code": " ZPNMGBrq\n", "expires_in": 0}), code("ZPNMGBrq", 300)),
            (json!({"transfer_code": "ZPNMGBrq", "expires_in": "soon"}), code("ZPNMGBrq", 300)),
            (json!({"transfer_code": " "}), None),
            (json!({"transfer_code": 5}), None),
            (json!({"mytoken": "x"}), None),
        ];
        for (answer, expected) in table {
            assert_eq!(read(&answer), expected, "{answer}");
        }
    }

    #[test]
    fn the_code_is_not_in_the_debug_output() {
        let code = Code { code: Secret::new("ZPNMGBrq"), expires_in: DEFAULT_LIFE };
        assert!(!format!("{code:?}").contains("ZPNMGBrq"));
    }

    #[test]
    fn a_mytoken_that_ended_behind_its_code_is_told_from_a_server_that_failed() {
        let broke = |words: &str| No::ServerBroke {
            status: 500,
            error: Untrusted::from("internal_server_error"),
            description: Some(Untrusted::from(words)),
        };
        assert_eq!(refused(broke("token is expired by 3s")), No::InvalidToken(Reason::Expired));
        assert_eq!(refused(broke("Error 1205")), broke("Error 1205"));
    }
}
