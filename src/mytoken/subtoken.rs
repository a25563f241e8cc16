//! Making a mytoken from a mytoken (mytoken-api.md §2.3.4).

use serde::Serialize;
use serde_json::{Map, Value};

use super::discovery::Server;
use super::reply::{self, Issued, Reply, Size};
use super::transfer::{self, Code, Coded};
use super::{Error, order};
use crate::domain::mytoken::{Facts, Form, Wanted};
use crate::domain::secret::Secret;
use crate::http::{Answer, Http};

/// A new mytoken, in the form that it was handed out in.
#[derive(Clone, Debug, PartialEq)]
pub enum Made {
    /// The mytoken: save it first. With the feature off a short one comes as a long one.
    Mytoken(Box<Issued>),
    /// A code for it. Nobody holds the mytoken until the code is redeemed, and it dies with the code's revocation.
    Code(Box<Coded>),
}

impl Made {
    /// Reads what was made, also out of an answer that broke off behind it; `None` where nothing is in it.
    pub(super) fn of(answer: &Answer, object: Option<&Map<String, Value>>) -> Option<Self> {
        let Some(object) = object else { return Self::salvaged(answer.bytes()) };
        let issued = Issued::read(object, answer.date).map(Box::new);
        issued.map(Self::Mytoken).or_else(|| Coded::read(object).map(Box::new).map(Self::Code))
    }

    /// What stands behind the parent's new copy might be a part of it.
    fn salvaged(bytes: &[u8]) -> Option<Self> {
        const PARENT: &[u8] = b"\"token_update\"";
        let end = bytes.windows(PARENT.len()).position(|part| part == PARENT).unwrap_or(bytes.len());
        let (own, _) = bytes.split_at(end);
        let issued = reply::salvaged(own, &["\"mytoken\""]).and_then(|mytoken| Issued::bare(&mytoken));
        issued.map(Box::new).map(Self::Mytoken).or_else(|| {
            let code = Code::bare(reply::salvaged(own, &["\"transfer_code\""])?);
            Some(Self::Code(Box::new(Coded { code, facts: Facts::default() })))
        })
    }
}

#[derive(Serialize)]
struct Request<'a> {
    grant_type: &'static str,
    mytoken: &'a str,
    #[serde(flatten)]
    content: &'a Map<String, Value>,
}

/// Makes a subtoken of `parent`. Costs one other use of the parent and may rotate it: [`Reply::update`] is the parent's new
/// copy, the outcome the child. Needs `create_mytoken`.
///
/// What is not narrower than the parent falls away without a word (§4.5): compare. A child is made also from a clause that
/// has ended, and is dead at once. [`Reply::is_perhaps_done`]: the child may exist, and nobody holds it.
///
/// An order that names no capability is not sent, also if it names templates: the child might get all of the parent's.
pub async fn create(http: &Http, server: &Server, parent: &Secret, wanted: &Wanted) -> Reply<Made> {
    if let Err(error) = may_be_sent(server, wanted) {
        return Reply::unsent(error);
    }
    let mut content = Map::new();
    order::put_content(&mut content, wanted);
    let request = Request { grant_type: "mytoken", mytoken: reply::trimmed(parent), content: &content };
    reply::ask_whole(http, &server.mytoken, parent, &request, Size::Token, |answer, object| {
        Made::of(answer, object).ok_or(Error::Unreadable("it holds no mytoken"))
    })
    .await
}

fn may_be_sent(server: &Server, wanted: &Wanted) -> Result<(), Error> {
    wanted.check()?;
    if wanted.capabilities.iter().all(|capability| capability.0.raw().trim().is_empty()) {
        return Err(Error::NoCapability);
    }
    if !server.makes_subtokens() {
        return Err(Error::NotOffered("making mytokens from a mytoken"));
    }
    if wanted.form == Form::Code && !server.hands_out_codes() {
        return Err(Error::NotOffered(transfer::CODES));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::domain::mytoken::{Capability, Clause, Rotation};
    use crate::domain::time::from_epoch;

    fn body(wanted: &Wanted) -> Value {
        let mut content = Map::new();
        order::put_content(&mut content, wanted);
        let request = Request { grant_type: "mytoken", mytoken: "mt-1", content: &content };
        match reply::body_of(&request) {
            crate::http::Body::Json(text) => serde_json::from_str(&text).expect("JSON"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_order_for_a_subtoken_is_that_of_a_login_without_the_login() {
        let wanted = Wanted {
            provider: "https://op.example.org".into(),
            name: Some("cron".to_owned()),
            capabilities: vec![Capability::new("AT")],
            restrictions: vec![Clause {
                expires: Some(from_epoch(9)),
                uses_at: Some(3),
                ..Clause::default()
            }],
            rotation: Some(Rotation { on_at: true, ..Rotation::default() }),
            form: Form::Code,
            templates: vec!["demo/web".to_owned()],
            application: None,
        };
        assert_eq!(
            body(&wanted),
            json!({
                "grant_type": "mytoken", "mytoken": "mt-1", "name": "cron", "capabilities": ["AT"],
                "restrictions": [{"exp": 9, "usages_AT": 3}], "rotation": {"on_AT": true},
                "include": ["demo/web"], "response_type": "transfer_code"
            })
        );
    }

    /// The child, or its code, and whether it is a code.
    fn saved(bytes: &[u8]) -> Option<(String, bool)> {
        Made::salvaged(bytes).map(|made| match made {
            Made::Mytoken(issued) => (issued.mytoken.expose().to_owned(), false),
            Made::Code(coded) => (coded.code.code.expose().to_owned(), true),
        })
    }

    #[test]
    fn a_child_is_saved_from_an_answer_that_broke_off_and_never_taken_from_its_parent() {
        let table = [
            (r#"{"mytoken":"child","mom_id":"x","token_update":{"mytoken":"par"#, Some(("child", false))),
            (r#"{"token_update":{"mytoken":"parent"},"expires_in":"#, None),
            (r#"{"transfer_code":"ZPNMGBrq","expires_in":30"#, Some(("ZPNMGBrq", true))),
            (r#"{"transfer_code":"ZPNM"#, None),
            (r#"{"capabilities":["create_mytoken"],"mytoken":"child","#, Some(("child", false))),
            ("<html>", None),
        ];
        for (text, child) in table {
            let child = child.map(|(text, is_code): (&str, bool)| (text.to_owned(), is_code));
            assert_eq!(saved(text.as_bytes()), child, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(start in any::<Vec<u8>>(), key in any::<bool>(), end in any::<Vec<u8>>()) {
            let key = if key { &b"\"token_update\""[..] } else { b"\"mytoken\":\"" };
            let _ = saved(&[&start[..], key, &end[..]].concat());
        }
    }
}
