//! Reading profiles and templates, and writing them as a group (§2.11).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::body::Body;
use super::random::{uuid, uuid_text};
use super::refusal::Refusal;
use super::templates::{Kind, Template};
use super::{Asked, Mytokens, page};
use crate::sandbox::serve::Response;

/// What a path names: `/{kind}`, `/{group}/{kind}`, and either with an id behind it.
struct Shelf<'path> {
    group: &'path str,
    kind: Kind,
    id: Option<&'path str>,
}

impl Mytokens {
    /// Everything below `/api/v0/pt`; `path` is what comes behind that.
    pub(crate) fn profiles(&self, asked: &Asked, method: &str, path: &str) -> Result<Response, Refusal> {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        if parts.is_empty() && method == "GET" {
            return Ok(Response::json(200, &self.groups()));
        }
        let Some(shelf) = shelf(&parts) else { return Ok(page::not_found(&asked.request)) };
        match method {
            "GET" if shelf.id.is_none() => Ok(Response::json(200, &self.told_of(&shelf, asked.place.now)?)),
            "POST" | "PUT" | "DELETE" => match self.writer(asked) {
                None => Ok(Response::text(401, "Unauthorized")
                    .with("www-authenticate", "basic realm=\"profiles and templates\"")),
                Some(group) if group != shelf.group => Err(Refusal::new(403, "Forbidden", "Forbidden")),
                Some(_) if method == "POST" => self.add(asked, &shelf),
                Some(_) if method == "PUT" => self.change(asked, &shelf),
                Some(_) => self.remove(asked, &shelf),
            },
            _ => Ok(page::not_found(&asked.request)),
        }
    }

    /// The groups that have anything; none is `null`.
    fn groups(&self) -> Value {
        let table = self.table();
        let mut groups: Vec<&str> = table.templates.iter().map(|one| one.group.as_str()).collect();
        groups.sort_unstable();
        groups.dedup();
        if groups.is_empty() { Value::Null } else { json!(groups) }
    }

    /// What is on a shelf; nothing is `null`. One that cannot be evaluated spoils all.
    fn told_of(&self, shelf: &Shelf<'_>, now: i64) -> Result<Value, Refusal> {
        let table = self.table();
        let here = table.templates.iter().filter(|one| one.kind == shelf.kind && one.group == shelf.group);
        let told = here.map(|one| {
            let payload = one.evaluated(&table.templates, now)?;
            Ok(json!({"id": one.id, "name": one.name, "payload": payload}))
        });
        let told: Vec<Value> = told
            .collect::<Result<_, Refusal>>()
            .map_err(|refusal| Refusal::internal(refusal.description.unwrap_or(refusal.error)))?;
        Ok(if told.is_empty() { Value::Null } else { Value::Array(told) })
    }

    /// The group whose password the request has.
    fn writer(&self, asked: &Asked) -> Option<String> {
        let (scheme, value) = asked.request.header("authorization")?.split_once(' ')?;
        let plain = String::from_utf8(BASE64_STANDARD.decode(value.trim()).ok()?).ok()?;
        let (group, password) = plain.split_once(':')?;
        let mut groups = self.settings().groups.iter();
        let known = groups.any(|(name, secret)| name == group && secret.expose() == password);
        (scheme.eq_ignore_ascii_case("basic") && known).then(|| group.to_owned())
    }

    fn add(&self, asked: &Asked, shelf: &Shelf<'_>) -> Result<Response, Refusal> {
        let (_, name, payload) = written(asked)?;
        let mut table = self.table();
        let is_same = |one: &Template| one.kind == shelf.kind && one.group == shelf.group && one.name == name;
        if table.templates.iter().any(is_same) {
            let entry = format!("{}-{}-{name}", shelf.kind as u8, shelf.group);
            let words = format!("Error 1062 (23000): Duplicate entry '{entry}' for key 'ServerProfiles_UN'");
            return Err(Refusal::internal(words));
        }
        let (group, id) = (shelf.group.to_owned(), uuid_text(uuid()?));
        table.templates.push(Template { group, kind: shelf.kind, id, name, payload });
        Ok(Response::text(201, "Created"))
    }

    fn change(&self, asked: &Asked, shelf: &Shelf<'_>) -> Result<Response, Refusal> {
        let (id, name, payload) = written(asked)?;
        let id = shelf.id.map(str::to_owned).or(id);
        let mut table = self.table();
        if let Some(one) = table.templates.iter_mut().find(|one| shelf.has(one, id.as_deref())) {
            (one.name, one.payload) = (name, payload);
        }
        Ok(Response::text(200, "OK"))
    }

    fn remove(&self, asked: &Asked, shelf: &Shelf<'_>) -> Result<Response, Refusal> {
        let id = match shelf.id {
            Some(id) => Some(id.to_owned()),
            None => Body::json(&asked.request)?.text("id")?.map(str::to_owned),
        };
        self.table().templates.retain(|one| !shelf.has(one, id.as_deref()));
        Ok(Response::empty(204))
    }
}

impl Shelf<'_> {
    fn has(&self, template: &Template, id: Option<&str>) -> bool {
        template.group == self.group && template.kind == self.kind && Some(template.id.as_str()) == id
    }
}

fn shelf<'path>(parts: &[&'path str]) -> Option<Shelf<'path>> {
    let kind = |name: &str| Kind::ALL.into_iter().find(|kind| kind.name() == name);
    match *parts {
        [first] => Some(Shelf { group: "_", kind: kind(first)?, id: None }),
        [first, second] => match kind(first) {
            Some(kind) => Some(Shelf { group: "_", kind, id: Some(second) }),
            None => Some(Shelf { group: first, kind: kind(second)?, id: None }),
        },
        [group, second, id] => Some(Shelf { group, kind: kind(second)?, id: Some(id) }),
        _ => None,
    }
}

/// The members `id`, `name` and `payload` of what is written.
fn written(asked: &Asked) -> Result<(Option<String>, String, Value), Refusal> {
    let body = Body::json(&asked.request)?;
    let name = body.text("name")?.unwrap_or_default().to_owned();
    let payload = body.get("payload").cloned().unwrap_or_default();
    Ok((body.text("id")?.map(str::to_owned), name, payload))
}
