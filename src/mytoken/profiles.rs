//! The profiles and templates that a server keeps for its users (mytoken-api.md §2.11).

use serde_json::Value;
use url::Url;

use super::discovery::Server;
use super::{Error, No};
use crate::domain::offer::{self, TemplateKind};
use crate::domain::untrusted::Untrusted;
use crate::http::{Credentials, Http};

const PROFILES: &str = "profiles and templates";

/// The default group's name among the groups.
const DEFAULT: &str = "_";

/// So many are read of a list.
const MOST: usize = 1000;

/// Its name in the address.
const fn name(kind: TemplateKind) -> &'static str {
    match kind {
        TemplateKind::Profile => "profiles",
        TemplateKind::Capabilities => "capabilities",
        TemplateKind::Restrictions => "restrictions",
        TemplateKind::Rotation => "rotation",
    }
}

/// A template, evaluated by the server at the moment of reading: its times are counted from then. In an order it is
/// therefore named and never copied, and no exact end may be told from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// The server's id of it.
    pub id: Untrusted,
    /// What an order names it by, behind `group/` for other groups than the default one.
    pub name: Untrusted,
    /// What it holds: any JSON, every text in it as untrusted as [`Template::name`].
    pub payload: Value,
}

impl Template {
    /// The same as a form offers it.
    #[must_use]
    pub fn offered(&self, group: Option<&str>, kind: TemplateKind) -> offer::Template {
        offer::Template {
            group: group.map(str::trim).filter(|group| !matches!(*group, "" | DEFAULT)).map(Untrusted::from),
            name: self.name.clone(),
            kind,
            content: Untrusted::new(self.payload.to_string()),
        }
    }
}

/// The groups that have templates; `_` is the default one. Needs no mytoken.
///
/// # Errors
/// No answer, a refusal; [`Error::NotOffered`] where the feature is off.
pub async fn groups(http: &Http, server: &Server) -> Result<Vec<Untrusted>, Error> {
    let list = list(http, base(server)?).await?;
    Ok(list.iter().filter_map(Value::as_str).filter(|name| !name.is_empty()).map(Untrusted::from).collect())
}

/// The templates of a kind in a group (`None`: the default one); none of a group that nobody knows. Needs no mytoken.
///
/// # Errors
/// As for [`groups`]; a 500 where one stored template cannot be evaluated (§2.11).
pub async fn templates(
    http: &Http,
    server: &Server,
    group: Option<&str>,
    kind: TemplateKind,
) -> Result<Vec<Template>, Error> {
    let Some(url) = address(base(server)?, group, kind) else { return Ok(Vec::new()) };
    Ok(list(http, &url).await?.iter().filter_map(template).collect())
}

fn base(server: &Server) -> Result<&Url, Error> {
    server.profiles.as_ref().ok_or(Error::NotOffered(PROFILES))
}

/// `None` for a group that cannot stand in an address.
fn address(base: &Url, group: Option<&str>, kind: TemplateKind) -> Option<Url> {
    let group = group.map(str::trim).filter(|group| !group.is_empty());
    if group.is_some_and(|group| matches!(group, "." | "..")) {
        return None;
    }
    let mut url = base.clone();
    url.path_segments_mut().ok()?.pop_if_empty().extend(group).push(name(kind));
    Some(url)
}

async fn list(http: &Http, url: &Url) -> Result<Vec<Value>, Error> {
    let answer = http.get(url, &Credentials::None).await?;
    if answer.status == 404 {
        return Err(Error::NotOffered(PROFILES));
    }
    if !answer.is_success() {
        return Err(No::of(&answer).into());
    }
    match answer.json().ok_or(Error::Unreadable("it is not JSON"))? {
        Value::Array(mut list) => {
            list.truncate(MOST);
            Ok(list)
        }
        // None (§2.1.4).
        Value::Null => Ok(Vec::new()),
        _ => Err(Error::Unreadable("it is no list")),
    }
}

/// `None` for what an order cannot name.
fn template(item: &Value) -> Option<Template> {
    let text = |name: &str| {
        item.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(Untrusted::from)
    };
    Some(Template {
        id: text("id").unwrap_or_default(),
        name: text("name")?,
        payload: item.get("payload").cloned().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_group_is_one_part_of_the_address_whatever_is_in_it() {
        let base = "https://mytoken.example.org/api/v0/pt";
        let table = [
            (None, Some("/api/v0/pt/rotation")),
            (Some(""), Some("/api/v0/pt/rotation")),
            (Some("demo"), Some("/api/v0/pt/demo/rotation")),
            (Some("a/b?c#d e"), Some("/api/v0/pt/a%2Fb%3Fc%23d%20e/rotation")),
            (Some("%2e%2e"), Some("/api/v0/pt/%252e%252e/rotation")),
            (Some(".."), None),
            (Some(" . "), None),
        ];
        for (group, expected) in table {
            for base in [base.to_owned(), format!("{base}/")] {
                let url = address(&Url::parse(&base).expect("a URL"), group, TemplateKind::Rotation);
                assert_eq!(url.as_ref().map(Url::path), expected, "{group:?}");
                assert!(url.is_none_or(|url| url.query().is_none() && url.fragment().is_none()));
            }
        }
    }

    #[test]
    fn a_template_is_named_by_its_group_unless_that_is_the_default_one() {
        let template = Template { id: "x".into(), name: "1d".into(), payload: json!([{"exp": 5}]) };
        let offered = |group| template.offered(group, TemplateKind::Restrictions);
        for group in [None, Some(""), Some("_")] {
            assert_eq!((offered(group).group.clone(), offered(group).reference()), (None, "1d".to_owned()));
        }
        assert_eq!(offered(Some("demo")).reference(), "demo/1d");
        assert_eq!(offered(None).content.raw(), r#"[{"exp":5}]"#);
    }

    #[test]
    fn a_template_without_a_name_is_none() {
        let named = Template { id: Untrusted::default(), name: Untrusted::from("1d"), payload: Value::Null };
        let table = [
            (json!({"name": "1d"}), Some(named)),
            (json!({"id": "x", "name": "", "payload": {}}), None),
            (json!({"id": "x", "payload": {}}), None),
            (json!("1d"), None),
        ];
        for (item, read) in table {
            assert_eq!(template(&item), read, "{item}");
        }
    }

    proptest! {
        #[test]
        fn no_json_makes_the_reader_panic(item in crate::mytoken::reply::tests::any_json()) {
            let _ = template(&item).map(|template| template.offered(None, TemplateKind::Profile));
            let named = json!({"id": item, "name": "1d", "payload": item});
            prop_assert_eq!(template(&named).map(|template| template.payload), Some(item));
        }

        #[test]
        fn no_group_leads_to_another_address(group in any::<String>()) {
            let base = Url::parse("https://mytoken.example.org/api/v0/pt").expect("a URL");
            if let Some(url) = address(&base, Some(&group), TemplateKind::Profile) {
                prop_assert_eq!(url.origin(), base.origin());
                prop_assert!(url.path().starts_with("/api/v0/pt/") && url.path().ends_with("/profiles"));
                prop_assert!(url.path_segments().is_some_and(|parts| parts.count() <= 5));
            }
        }
    }
}
