//! All mytokens of a user, and the tree of those made from one (mytoken-api.md §2.5.3, §2.5.4).

use serde_json::{Map, Value};

use super::Error;
use super::discovery::Server;
use super::reply::Reply;
use super::tokeninfo;
use crate::domain::family::Listed;
use crate::domain::jwt;
use crate::domain::secret::Secret;
use crate::domain::untrusted::Untrusted;
use crate::http::Http;

/// Subtokens of subtokens are read down to here; an answer that goes much deeper is not readable at all.
const DEEPEST: usize = 60;

/// So many mytokens are read out of one answer.
const MOST: usize = 10_000;

/// A server's list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Made by a login, or their parent was revoked without them (§2.5.4). One without an id cannot be managed. Ended ones are
    /// there for about a month, revoked ones not at all.
    pub roots: Vec<Listed>,
    /// There was more than is read here: too many, or too deep.
    pub cut: bool,
}

/// All mytokens of the user at this provider, the one that asks among them. Of a restricted mytoken it costs one other use
/// and may rotate it; of an unrestricted one neither. Needs `manage_mytokens:list`.
pub async fn list(http: &Http, server: &Server, mytoken: &Secret) -> Reply<Listing> {
    tokeninfo::ask(http, server, "list_mytokens", mytoken, &[], forest).await
}

/// The mytoken that asks, as the one root, with all made from it. Costs what [`list`] costs. Needs `tokeninfo:subtokens`.
pub async fn subtokens(http: &Http, server: &Server, mytoken: &Secret) -> Reply<Listing> {
    tokeninfo::ask(http, server, "subtokens", mytoken, &[], tree).await
}

fn forest(object: Option<&Map<String, Value>>) -> Result<Listing, Error> {
    let object = object.ok_or(Error::Unreadable("it is not JSON"))?;
    match object.get("mytokens") {
        Some(Value::Array(roots)) => Ok(read(roots)),
        // No mytokens (§2.1.4).
        None | Some(Value::Null) => Ok(Listing::default()),
        Some(_) => Err(Error::Unreadable("its mytokens are no list")),
    }
}

fn tree(object: Option<&Map<String, Value>>) -> Result<Listing, Error> {
    let object = object.ok_or(Error::Unreadable("it is not JSON"))?;
    let root = object.get("mytokens").filter(|root| root.is_object());
    let listing = read(root.map(std::slice::from_ref).unwrap_or_default());
    if listing.roots.is_empty() { Err(Error::Unreadable("it holds no tree")) } else { Ok(listing) }
}

fn read(roots: &[Value]) -> Listing {
    let mut reader = Reader { left: MOST, cut: false };
    let roots = reader.nodes(roots, DEEPEST);
    Listing { roots, cut: reader.cut }
}

struct Reader {
    left: usize,
    cut: bool,
}

impl Reader {
    fn nodes(&mut self, list: &[Value], deep: usize) -> Vec<Listed> {
        let mut nodes = Vec::new();
        for entry in list.iter().filter_map(Value::as_object) {
            if self.left == 0 || deep == 0 {
                self.cut = true;
                break;
            }
            // What says nothing of a mytoken is none; its children would have no place.
            let Some(token) = entry.get("token").and_then(Value::as_object) else { continue };
            self.left -= 1;
            let children = entry.get("children").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            nodes.push(Listed { children: self.nodes(children, deep - 1), ..node(token) });
        }
        nodes
    }
}

fn node(token: &Map<String, Value>) -> Listed {
    let text = |name: &str| {
        token.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(Untrusted::from)
    };
    let moment = |name: &str| token.get(name).and_then(jwt::moment);
    Listed {
        // Before 0.7 it was called so.
        mom_id: text("mom_id").or_else(|| text("revocation_id")).unwrap_or_default(),
        name: text("name"),
        created: moment("created"),
        // Up to 0.8.0 a negative one stood for never.
        expires: moment("expires_at").filter(|end| end.as_second() > 0),
        address: text("ip"),
        children: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::domain::time::from_epoch;

    fn listed(answer: &Value) -> Result<Listing, Error> {
        forest(answer.as_object())
    }

    fn depth(nodes: &[Listed]) -> usize {
        nodes.iter().map(|node| 1 + depth(&node.children)).max().unwrap_or(0)
    }

    #[test]
    fn a_list_is_read_in_the_words_of_every_version() {
        let table = [
            (
                json!({"mom_id": "a==", "name": "kid", "created": 5, "expires_at": 9, "ip": "192.0.2.7"}),
                Listed {
                    mom_id: Untrusted::from("a=="),
                    name: Some(Untrusted::from("kid")),
                    created: Some(from_epoch(5)),
                    expires: Some(from_epoch(9)),
                    address: Some(Untrusted::from("192.0.2.7")),
                    children: Vec::new(),
                },
            ),
            (
                json!({"revocation_id": "b", "name": "", "expires_at": -62_135_596_800_i64}),
                Listed { mom_id: Untrusted::from("b"), ..Listed::default() },
            ),
            (
                json!({"mom_id": 5, "name": [], "created": "x", "expires_at": 0, "ip": null}),
                Listed::default(),
            ),
        ];
        for (token, node) in table {
            let listing = listed(&json!({"mytokens": [{"token": token}]})).expect("a list");
            assert_eq!(listing, Listing { roots: vec![node], cut: false });
        }
    }

    #[test]
    fn an_empty_list_is_told_from_one_that_is_none() {
        for (answer, read) in [
            (json!({"mytokens": null}), Some(0)),
            (json!({}), Some(0)),
            (json!({"mytokens": []}), Some(0)),
            (json!({"mytokens": [5, {}, {"token": 5}, {"token": {}}]}), Some(1)),
            (json!({"mytokens": "none"}), None),
            (json!([]), None),
        ] {
            assert_eq!(listed(&answer).ok().map(|listing| listing.roots.len()), read, "{answer}");
        }
        for answer in [json!({"mytokens": null}), json!({"mytokens": []}), json!({"mytokens": {}})] {
            assert!(tree(answer.as_object()).is_err(), "{answer}");
        }
        let one = json!({"mytokens": {"token": {"mom_id": "a"}, "children": null}});
        assert_eq!(tree(one.as_object()).expect("a tree").roots.len(), 1);
    }

    #[test]
    fn a_tree_without_end_is_cut_and_says_so() {
        let chain = |deep: usize| {
            (0..deep).fold(json!(null), |child, _| json!([{"token": {"mom_id": "a"}, "children": child}]))
        };
        for (deep, read, cut) in
            [(DEEPEST, DEEPEST, false), (DEEPEST + 1, DEEPEST, true), (400, DEEPEST, true)]
        {
            let listing = listed(&json!({"mytokens": chain(deep)})).expect("a list");
            assert_eq!((depth(&listing.roots), listing.cut), (read, cut), "{deep}");
        }
        // The deepest that is read stays within what the JSON reader takes.
        let text = json!({"mytokens": chain(DEEPEST)}).to_string();
        assert!(serde_json::from_str::<Value>(&text).is_ok());
        for (many, cut) in [(MOST, false), (MOST + 1, true)] {
            let list = vec![json!({"token": {}}); many];
            let listing = listed(&json!({"mytokens": list})).expect("a list");
            assert_eq!((listing.roots.len(), listing.cut), (MOST, cut));
        }
    }

    fn any_tree() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 64, 5, |inner| {
            let name = proptest::sample::select(vec![
                "mytokens",
                "token",
                "children",
                "mom_id",
                "name",
                "created",
                "expires_at",
                "ip",
            ]);
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::vec((name, inner), 0..5).prop_map(|members| Value::Object(
                    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
                )),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_json_makes_the_readers_panic(value in any_tree()) {
            let _ = (forest(value.as_object()), tree(value.as_object()));
            let answer = json!({"mytokens": value});
            let _ = (listed(&answer), tree(answer.as_object()));
        }
    }
}
