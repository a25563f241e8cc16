//! Where a new copy hides in a mytoken server's answer.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::time::from_epoch;

const NEW: &str = "eyJhbGciOiJFUzUxMiJ9.eyJ0b2tlbl90eXBlIjoibXl0b2tlbiIsInNlcV9ubyI6Mn0.c2ln";

fn found(bytes: &[u8], cookie: Option<&str>) -> Option<String> {
    let content = content(bytes);
    let object = content.as_ref().and_then(Wiped::object);
    let update = update(bytes, object, cookie.map(Secret::new).as_ref(), &Secret::new("old\n"), None);
    update.map(|update| update.mytoken.expose().to_owned())
}

#[test]
fn the_new_copy_is_found_wherever_it_is() {
    let told = format!(r#""token_update":{{"mom_id":"x","mytoken":"{NEW}","mytoken_type":"token"}}"#);
    let answers = [
        format!("{{{told}}}"),
        format!(r#"{{"access_token":"",{told}}}"#),
        format!(r#"{{"access_token":5,"expires_in":-1,{told},"scope":[]}}"#),
        format!(r#"{{"error":"internal_server_error",{told}}}"#),
        // Broken off, trailing rubbish, absurdly deep.
        format!(r#"{{{told},"events":[{{"ev"#),
        format!("{{{told}}}<!-- proxy -->"),
        format!(r#"{{{told},"x":{}{}}}"#, "[".repeat(300), "]".repeat(300)),
        format!(r#"{{"token_update" : {{ "mytoken" : "{NEW}" "#),
    ];
    for answer in answers {
        assert_eq!(found(answer.as_bytes(), None).as_deref(), Some(NEW), "{answer}");
    }
    let mut latin1 = format!(r#"{{{told},"scope":""#).into_bytes();
    latin1.extend(b"\xe9\"}");
    assert_eq!(found(&latin1, None).as_deref(), Some(NEW));
}

#[test]
fn the_cookie_is_the_last_resort_and_never_the_copy_that_was_sent() {
    assert_eq!(found(b"{}", Some(NEW)).as_deref(), Some(NEW));
    assert_eq!(found(b"Created", Some(NEW)).as_deref(), Some(NEW));
    assert_eq!(found(br#"{"token_update":{"mytoken":7}}"#, Some(NEW)).as_deref(), Some(NEW));
    assert_eq!(found(br#"{"token_update":{"mytoken":"json"}}"#, Some(NEW)).as_deref(), Some("json"));
    assert_eq!(found(b"{}", Some("old")), None);
}

#[test]
fn nothing_else_is_taken_for_a_new_copy() {
    for answer in [
        "{}",
        r#"{"mytoken":"child"}"#,
        r#"{"token_update":null}"#,
        r#"{"token_update":{"mytoken":" "}}"#,
        r#"{"comment":"\"token_update\":{\"mytoken\":\"posed\"}"#,
        r#"{"token_update":{"mytoken":"cut-of"#,
        r#"<html>{"token_update":{"mytoken":"two words"}}"#,
    ] {
        assert_eq!(found(answer.as_bytes(), None), None, "{answer}");
    }
}

#[test]
fn a_long_mytoken_speaks_for_itself_and_a_short_one_through_its_answer() {
    let answer = json!({
        "mytoken": NEW, "mom_id": "id==", "expires_in": 60, "capabilities": ["settings"]
    });
    let long = Issued::read(answer.as_object().expect("an object"), None).expect("a mytoken");
    assert_eq!((long.short, long.facts.copy, long.facts.capabilities.len()), (false, Some(2), 0));
    assert_eq!(long.facts.mom_id, Some(Untrusted::from("id==")));

    let answer = json!({
        "mytoken": "MCUmNThOCHBAosvKrpeFwxFVUWxpurRw", "mytoken_type": "short_token", "expires_in": 60,
        "capabilities": ["AT"], "restrictions": [{"exp": 5000, "usages_AT": 2}], "rotation": {"lifetime": 9}
    });
    let read = |date| Issued::read(answer.as_object().expect("an object"), date).expect("a mytoken");
    let short = read(Some(from_epoch(1000)));
    assert!(short.short);
    assert_eq!(short.facts.expires, Some(from_epoch(1060)));
    assert_eq!(short.facts.restrictions.first().and_then(|clause| clause.uses_at), Some(2));
    assert_eq!(read(None).facts.expires, Some(from_epoch(5000)));
}

#[test]
fn a_short_mytoken_with_an_endless_clause_has_no_end() {
    let answer = json!({"mytoken": "short", "restrictions": [{"exp": 5000}, {"scope": "openid"}]});
    assert_eq!(
        Issued::read(answer.as_object().expect("an object"), None).expect("a mytoken").facts.expires,
        None
    );
}

#[test]
fn a_request_that_never_left_leaves_no_doubt() {
    let host = || "h".to_owned();
    let why = || "why".to_owned();
    let table = [
        (http::Error::Unreachable { host: host(), why: why() }, false),
        (http::Error::Tls { host: host(), why: why() }, false),
        (http::Error::Insecure(host()), false),
        (http::Error::TimedOut { host: host(), seconds: 10 }, true),
        (http::Error::Broken { host: host(), why: why() }, true),
        (http::Error::TooLarge { host: host(), limit: 1 }, true),
    ];
    for (error, doubt) in table {
        assert_eq!(may_have_arrived(&error), doubt, "{error:?}");
    }
}

#[test]
fn seconds_are_read_from_numbers_and_texts_and_held_in_bounds() {
    let table = [
        (json!(300), Some(300)),
        (json!("300"), Some(300)),
        (json!(3.7), Some(3)),
        (json!(-1), None),
        (json!(null), None),
        (json!([5]), None),
    ];
    for (value, read) in table {
        assert_eq!(seconds(&value), read.map(Duration::from_secs), "{value}");
    }
    assert!(seconds(&json!(1e300)).is_some_and(|span| span < Duration::from_secs(u64::from(u32::MAX) * 4)));
}

pub(in crate::mytoken) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        let name = prop_oneof!["[a-z_]{1,8}", Just("token_update".to_owned()), Just("mytoken".to_owned())];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((name, inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>(), cookie in proptest::option::of("[!-~]{1,9}")) {
        let _ = found(&bytes, cookie.as_deref());
    }

    #[test]
    fn an_update_is_never_lost_whatever_stands_around_it(
        members in proptest::collection::vec(("[a-z_]{1,12}", any_json()), 0..6),
        inside in proptest::collection::vec(("[a-z_]{1,12}", any_json()), 0..6),
        mytoken in "[!-~&&[^\"\\\\]]{1,40}",
        cut in proptest::option::of(0..200_usize),
    ) {
        let mut told: Map<String, Value> = inside.into_iter().collect();
        told.insert("mytoken".to_owned(), json!(mytoken));
        let mut answer: Map<String, Value> = members.into_iter().collect();
        answer.insert("token_update".to_owned(), Value::Object(told));
        let text = Value::Object(answer).to_string();
        prop_assert_eq!(found(text.as_bytes(), None), Some(mytoken.clone()));
        // Also of an answer that breaks off, if the mytoken had come before that.
        let short = format!("{{\"token_update\":{{\"mytoken\":\"{mytoken}\"{}", &"x".repeat(cut.unwrap_or(0)));
        prop_assert_eq!(found(short.as_bytes(), None), Some(mytoken));
    }

    #[test]
    fn any_mytoken_answer_is_read_without_panic(answer in any_json()) {
        if let Some(object) = answer.as_object() {
            let _ = Issued::read(object, Some(Timestamp::MAX));
            let _ = crate::mytoken::transfer::Coded::read(object);
        }
    }
}
