//! A family of mytokens as a table and as JSON, for the commands that list.

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::table;
use crate::cli::house::House;
use crate::cli::json as output;
use crate::domain::family::{Family, Member, Via};
use crate::domain::mytoken::Capability;
use crate::domain::time::{ago, countdown};
use crate::domain::untrusted::{Untrusted, cleaned};

/// What of each member is shown, and how.
#[derive(Clone, Debug, Args)]
pub struct Shown {
    /// Also when and from where each was last used: one more request
    #[arg(long)]
    pub last_used: bool,
    /// Also their ids, in full
    #[arg(long)]
    pub ids: bool,
    /// JSON instead of a table
    #[arg(long)]
    pub json: bool,
}

/// Prints a family, and says where it is not all of it. `via`: the name of the one that asked.
pub(super) fn show(house: &mut House, family: &Family, via: Option<&str>, shown: &Shown) {
    let now = house.clock.now();
    if shown.json {
        house.out.line(&output::safe(&json(family, via, now)));
    } else if family.members.is_empty() {
        house.out.line("It lists none.");
    } else {
        for line in lines(family, shown.ids, now) {
            house.out.line(&line);
        }
    }
    if family.cut {
        house.say("the list is longer or deeper than anybody can read: it was cut");
    }
}

/// The lines of a table, heading first; `ids`: with the ids, which are never shortened.
fn lines(family: &Family, ids: bool, now: Timestamp) -> Vec<String> {
    let places: Vec<usize> = (0..family.members.len()).collect();
    let mut lines = table_of(family, &places, now);
    if ids {
        lines = with_ids(lines, &places, family);
    }
    lines
}

/// The lines of one member with all that was made from it, without a heading.
pub(super) fn tree(family: &Family, at: usize, now: Timestamp) -> Vec<String> {
    let places: Vec<usize> = family.tree(at).collect();
    table_of(family, &places, now).into_iter().skip(1).collect()
}

/// An id is copied, so nothing is cut off it: it has a line of its own.
fn with_ids(lines: Vec<String>, places: &[usize], family: &Family) -> Vec<String> {
    let mut all = Vec::new();
    for (row, line) in lines.into_iter().enumerate() {
        all.push(line);
        let member =
            row.checked_sub(1).and_then(|row| places.get(row)).and_then(|at| family.members.get(*at));
        all.extend(member.map(|member| format!("    {}", member.listed.mom_id.shown())));
    }
    all
}

fn table_of(family: &Family, places: &[usize], now: Timestamp) -> Vec<String> {
    let head = ["NAME", "MADE", "ENDS", "FROM", "HELD AS", "LAST USED", "MAY"].map(str::to_owned).to_vec();
    let base = places.iter().filter_map(|at| family.members.get(*at)).map(|member| member.depth).min();
    let rows = places.iter().filter_map(|at| family.members.get(*at)).map(|member| {
        let depth = member.depth - base.unwrap_or(0).min(member.depth);
        row(member, depth, now)
    });
    table::lines(&std::iter::once(head).chain(rows).collect::<Vec<_>>(), table::room())
}

fn row(member: &Member, depth: usize, now: Timestamp) -> Vec<String> {
    let listed = &member.listed;
    let name = listed.name.as_ref().map_or_else(|| "(no name)".to_owned(), Untrusted::shown);
    let indent = if depth == 0 { String::new() } else { format!("{}└ ", "  ".repeat(depth.min(20) - 1)) };
    let made = listed.created.map(|at| ago(now.duration_since(at))).unwrap_or_default();
    let ends = match listed.expires {
        None => "never".to_owned(),
        Some(end) if end <= now => "ended".to_owned(),
        Some(end) => format!("in {}", countdown(end.duration_since(now))),
    };
    let held = match (&member.held, member.asks) {
        (Some((_, name)), true) => format!("{}, asks", cleaned(name)),
        (Some((_, name)), false) => cleaned(name),
        (None, true) => "this session's manager".to_owned(),
        (None, false) => "-".to_owned(),
    };
    let used = match &member.last_used {
        None => String::new(),
        Some(None) => "never".to_owned(),
        Some(Some(last)) => {
            let from =
                last.address.as_ref().map(|from| format!(" from {}", from.shown())).unwrap_or_default();
            format!("{}{from}", ago(now.duration_since(last.at)))
        }
    };
    let may = member.capabilities.as_deref().map(words).unwrap_or_default();
    let from = listed.address.as_ref().map(Untrusted::shown).unwrap_or_default();
    vec![format!("{indent}{name}"), made, ends, from, held, used, may]
}

fn words(capabilities: &[Capability]) -> String {
    capabilities.iter().map(|capability| capability.0.shown()).collect::<Vec<_>>().join(" ")
}

/// The same as JSON. `via`: the name of the one that asked; the manager mytoken of this command has none.
fn json(family: &Family, via: Option<&str>, now: Timestamp) -> Value {
    let mut above: Vec<&Untrusted> = Vec::new();
    let mut list = Vec::new();
    for member in &family.members {
        above.truncate(member.depth);
        list.push(member_json(member, above.last().copied()));
        above.push(&member.listed.mom_id);
    }
    json!({
        "version": 1,
        "server": family.server.as_str(),
        "via": via,
        "by_manager": family.via == Via::Manager,
        "now": now.as_second(),
        "cut": family.cut,
        "mytokens": list,
    })
}

fn member_json(member: &Member, parent: Option<&Untrusted>) -> Value {
    let raw = |text: &Option<Untrusted>| text.as_ref().map(|text| text.raw().to_owned());
    let listed = &member.listed;
    let last = member.last_used.as_ref().and_then(Option::as_ref);
    json!({
        "mom_id": listed.mom_id.raw(),
        "parent": parent.map(Untrusted::raw),
        "depth": member.depth,
        "name": raw(&listed.name),
        "created_at": listed.created.map(Timestamp::as_second),
        "expires_at": listed.expires.map(Timestamp::as_second),
        "address": raw(&listed.address),
        "held_as": member.held.as_ref().map(|(_, name)| name),
        "asks": member.asks,
        "capabilities": member.capabilities.as_ref().map(|all| {
            all.iter().map(|capability| capability.0.raw().to_owned()).collect::<Vec<_>>()
        }),
        "last_used_known": member.last_used.is_some(),
        "last_used_at": last.map(|last| last.at.as_second()),
        "last_used_from": last.and_then(|last| raw(&last.address)),
        "last_used_by": last.and_then(|last| raw(&last.agent)),
    })
}
