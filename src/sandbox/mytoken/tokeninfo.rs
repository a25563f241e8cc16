//! Asking about a mytoken: introspection and event history (§2.5). Trees and lists are not served yet.

use serde_json::{Map, Value, json};

use super::body::Body;
use super::capability;
use super::presented::Presented;
use super::refusal::Refusal;
use super::restriction::{Use, count};
use super::rotation::Update;
use super::table::{Form, Table};
use super::{Asked, Mytokens};
use crate::sandbox::serve::Response;

/// The actions that are served.
pub(crate) const ACTIONS: [&str; 2] = ["introspect", "event_history"];

impl Mytokens {
    /// The tokeninfo endpoint.
    pub(crate) async fn tokeninfo(&self, asked: &Asked) -> Result<Response, Refusal> {
        let body = Body::json(&asked.request)?;
        let action = body.text("action")?.unwrap_or("introspect");
        if !ACTIONS.contains(&action) {
            return Err(Refusal::invalid_request(format!("value '{action}' not valid for TokeninfoAction")));
        }
        let mom_ids = body.texts("mom_ids")?;
        let presented = self.presented(asked, &body, &["mytoken"])?;
        if action == "introspect" {
            return self.introspect(asked, &presented);
        }
        self.history(asked, &presented, &mom_ids).await
    }

    fn introspect(&self, asked: &Asked, presented: &Presented) -> Result<Response, Refusal> {
        let mut table = self.table();
        let row = self.alive(&mut table, presented, asked.place.now)?;
        Self::capable(presented, "tokeninfo:introspect")?;
        let mut token = json!(presented.claims);
        if let Some(clauses) =
            token.get_mut("restrictions").filter(|_| !presented.claims.restrictions.is_empty())
        {
            let restrictions = &presented.claims.restrictions;
            *clauses = restrictions.iter().map(|clause| clause.with_counters(&row.counters)).collect();
        }
        row.events.push(asked.event("tokeninfo_introspect", ""));
        let kind = if presented.form == Form::Short { "short_token" } else { "token" };
        Ok(Response::json(
            200,
            &json!({"valid": true, "mom_id": presented.mom_id, "token_type": kind, "token": token}),
        ))
    }

    async fn history(
        &self,
        asked: &Asked,
        presented: &Presented,
        mom_ids: &[String],
    ) -> Result<Response, Refusal> {
        let clause = {
            let mut table = self.table();
            let row = self.alive(&mut table, presented, asked.place.now)?;
            if mom_ids.is_empty() {
                Self::capable(presented, "tokeninfo:history")?;
            }
            let clause = self.permitted(row, &Use::Other, asked)?;
            whose(&table, presented, mom_ids)?;
            clause
        };
        // An unrestricted mytoken is neither counted nor rotated here, nor is this use of it written down.
        let is_counted = !presented.claims.restrictions.is_empty();
        if is_counted {
            self.hang_if_short(presented, false).await?;
        }
        let mut table = self.table();
        let events = entries(&table, &whose(&table, presented, mom_ids)?);
        let mut update = None;
        if is_counted {
            let row = table.rows.get_mut(&presented.mom_id).ok_or_else(Refusal::dead)?;
            self.not_overtaken(row, presented)?;
            let event =
                if mom_ids.is_empty() { "tokeninfo_history" } else { "tokeninfo_history_other_token" };
            row.events.push(asked.event(event, ""));
            if let Some(clause) = &clause {
                count(&mut row.counters, clause, &Use::Other);
            }
            update = self.rotated(&mut table, presented, asked, false)?;
        }
        let mut answer = Map::new();
        answer.insert("events".to_owned(), events);
        Ok(Update::answer(update, 200, answer))
    }
}

/// The mytokens whose history is asked for, if the presented one may ask for all of them (§2.5.2).
fn whose(table: &Table, presented: &Presented, mom_ids: &[String]) -> Result<Vec<String>, Refusal> {
    let own = &presented.mom_id;
    if mom_ids.is_empty() {
        return Ok(vec![own.clone()]);
    }
    let manages = capability::allows(&presented.claims.capabilities, "manage_mytokens:history");
    let mut all = Vec::new();
    for asked in mom_ids {
        // With the manage capability 0.10.2 takes these words for ids, and finds none.
        match asked.as_str() {
            "this" if !manages => all.push(own.clone()),
            "children" if !manages => all.extend(table.below(own)),
            text => {
                let children = text.strip_prefix("children@").filter(|_| !manages);
                let id = children.unwrap_or(text);
                may_ask(table, presented, id, manages)?;
                match children {
                    Some(parent) => all.extend(table.below(parent)),
                    None => all.push(id.to_owned()),
                }
            }
        }
    }
    Ok(all)
}

fn may_ask(table: &Table, presented: &Presented, id: &str, manages: bool) -> Result<(), Refusal> {
    if table.is_above(&presented.mom_id, id) {
        return Ok(());
    }
    if !manages {
        return Err(Refusal::new(
            403,
            "insufficient_capabilities",
            format!(
                "The provided token is neither a parent of the the token with  mom_id '{id}' nor does it have the \
                 'manage_mytokens:history' capability"
            ),
        ));
    }
    if table.rows.get(id).is_some_and(|row| row.claims.sub == presented.claims.sub) {
        return Ok(());
    }
    let words = format!("The provided token cannot be used to obtain history for mom_id '{id}'");
    Err(Refusal::new(403, "invalid_grant", words))
}

/// Their events, newest first by whole seconds; none is `null`.
fn entries(table: &Table, ids: &[String]) -> Value {
    let rows = ids.iter().filter_map(|id| Some((id, table.rows.get(id)?)));
    let mut events: Vec<_> = rows
        .flat_map(|(id, row)| row.events.iter().map(move |event| (event.time, event.entry(id))))
        .collect();
    if events.is_empty() {
        return Value::Null;
    }
    events.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
    events.into_iter().map(|(_, entry)| entry).collect()
}
