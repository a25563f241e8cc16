//! The trees of mytokens as they are listed: of one mytoken, or of all of a user's (§2.5.3, §2.5.4).

use serde_json::{Map, Value};

use super::table::{Row, Table};

/// How long an expired mytoken stays in lists, in seconds.
const KEPT: i64 = 30 * 86_400;

/// The tree below one mytoken, with itself as the root.
pub(crate) fn tree(table: &Table, mom_id: &str, now: i64) -> Value {
    let Some(row) = table.rows.get(mom_id) else { return Value::Null };
    let mut node = Map::new();
    node.insert("token".to_owned(), described(mom_id, row));
    let children = trees(table, now, |row| row.parent.as_deref() == Some(mom_id));
    if !children.is_null() {
        node.insert("children".to_owned(), children);
    }
    Value::Object(node)
}

/// The trees of all mytokens of the user `sub`. One whose parent is no longer listed is a root.
pub(crate) fn forest(table: &Table, sub: &str, now: i64) -> Value {
    let has_parent = |row: &Row| {
        let parent = row.parent.as_ref().and_then(|parent| table.rows.get(parent));
        parent.is_some_and(|parent| is_listed(parent, now))
    };
    trees(table, now, |row| row.claims.sub == sub && !has_parent(row))
}

/// The trees of those that are `wanted` as roots, in the order they were made; none is `null`.
fn trees(table: &Table, now: i64, wanted: impl Fn(&Row) -> bool) -> Value {
    let mut roots: Vec<_> = table.rows.iter().filter(|(_, row)| wanted(row) && is_listed(row, now)).collect();
    if roots.is_empty() {
        return Value::Null;
    }
    roots.sort_by_key(|(_, row)| row.number);
    roots.into_iter().map(|(mom_id, _)| tree(table, mom_id, now)).collect()
}

fn is_listed(row: &Row, now: i64) -> bool {
    row.claims.exp.is_none_or(|exp| now <= exp.saturating_add(KEPT))
}

/// What is told of one: neither what it may do nor what restricts it.
fn described(mom_id: &str, row: &Row) -> Value {
    let mut token = Map::new();
    let born = row.events.first();
    token.insert("ip".to_owned(), born.map_or("", |event| &event.ip).into());
    token.insert("name".to_owned(), row.claims.name.as_deref().unwrap_or_default().into());
    token.insert("created".to_owned(), born.map_or(row.claims.iat, |event| event.time).into());
    if let Some(exp) = row.claims.exp {
        token.insert("expires_at".to_owned(), exp.into());
    }
    token.insert("mom_id".to_owned(), mom_id.into());
    Value::Object(token)
}
