//! Whose event history a mytoken may ask for, and the entries of it (§2.5.2).

use serde_json::Value;

use super::capability;
use super::presented::Presented;
use super::refusal::Refusal;
use super::table::Table;

/// The history of those in `mom_ids`, or the own one if there is none; 403 if one of them may not be asked for.
pub(crate) fn of(table: &Table, presented: &Presented, mom_ids: &[String]) -> Result<Value, Refusal> {
    Ok(entries(table, &whose(table, presented, mom_ids)?))
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
