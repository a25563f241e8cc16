//! `toktui mytoken would-work NAME`: would it work there? Nothing is sent.

use std::net::IpAddr;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::order;
use crate::cli::house::House;
use crate::cli::{json, moment};
use crate::domain::credential::Chain;
use crate::domain::draft::{Edge, When};
use crate::domain::elsewhere::{Elsewhere, Purpose, Would, WouldWork, would_work};
use crate::domain::failure::{Failure, Kind};
use crate::domain::untrusted::cleaned;

/// Words of it.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// The name it is held under
    pub name: String,
    /// The name of the machine there, as its address is looked up by
    #[arg(long, value_name = "HOST")]
    pub from_host: Option<String>,
    /// The address that its server would see
    #[arg(long, value_name = "ADDRESS")]
    pub from: Option<IpAddr>,
    /// The country of that address: two letters
    #[arg(long, value_name = "CC", value_parser = country)]
    pub country: Option<String>,
    /// When: a span from now (6h, 2d), a date, a time of the day, or a moment such as 2026-12-24T08:00:00Z; else now
    #[arg(long, value_name = "WHEN")]
    pub at: Option<String>,
    /// A scope that the access token is asked for with; several times for several
    #[arg(long, value_name = "SCOPE", conflicts_with = "other")]
    pub scope: Vec<String>,
    /// An audience; several times for several
    #[arg(long, value_name = "AUDIENCE", conflicts_with = "other")]
    pub audience: Vec<String>,
    /// Not for an access token: for a list, a history, a subtoken
    #[arg(long)]
    pub other: bool,
    /// JSON instead of text
    #[arg(long)]
    pub json: bool,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
What is not said counts as unknown. A date without a zone is one of this machine's zone.

Examples:
  toktui mytoken would-work toar --from-host node17.hpc.example.org --from 10.20.0.17
  toktui mytoken would-work toar --country DE --at 6h --scope storage.read:/

JSON (version 1):
  answer      works, does_not_work, cannot_tell; why; at: seconds since 1970
  clauses[]   answer and why of each of its restrictions, in their order
  counts      the clause that would count, from 0, or null; left: uses it has left, null where not counted or not asked; rotates: it would get a new copy
  remarks[]   what else must be known

Exit codes: 0 it works; 2 wrong usage; 3 it does not; 4 cannot tell.";

/// Answers.
///
/// # Errors
/// When nothing is held under that name, or it is no mytoken.
pub async fn run(house: &mut House, words: &Words) -> Result<u8, Failure> {
    let doing = format!("Asking where {} works", words.name);
    let now = house.clock.now();
    let at = match &words.at {
        None => now,
        Some(text) => {
            let when = When::parse(text, Edge::Start, now, &order::zone(house));
            when.map_err(|why| Failure::new(Kind::Unusable, &doing, format!("--at: {why}")))?.at(now)
        }
    };
    let held = house.opened(&words.name, &doing).await?;
    let Chain::Mytoken { facts, heard, .. } = &held.chain else {
        return Err(Failure::new(Kind::Unusable, doing, format!("{} is no mytoken", held.name)));
    };
    let purpose = if words.other {
        Purpose::Other
    } else {
        Purpose::AccessToken { scopes: words.scope.clone(), audiences: words.audience.clone() }
    };
    let there = Elsewhere {
        address: words.from,
        host: words.from_host.clone(),
        country: words.country.clone(),
        at,
        purpose,
    };
    let told = would_work(facts, heard.is_some(), &there);
    if words.json {
        house.out.line(&json::safe(&as_json(&told, at)));
    } else {
        for line in as_text(&told, at) {
            house.out.line(&cleaned(&line));
        }
    }
    Ok(match told.would {
        Would::Works => 0,
        Would::DoesNot(_) => 3,
        Would::CannotTell(_) => 4,
    })
}

fn country(text: &str) -> Result<String, String> {
    let fits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    if fits { Ok(text.to_ascii_uppercase()) } else { Err("a country is two letters, such as DE".to_owned()) }
}

fn as_text(told: &WouldWork, at: Timestamp) -> Vec<String> {
    let (word, why) = match &told.would {
        Would::Works => ("WORKS", String::new()),
        Would::DoesNot(why) => ("DOES NOT WORK", format!("   {why}")),
        Would::CannotTell(why) => ("CANNOT TELL", format!("   {why}")),
    };
    let mut lines = vec![format!("{word}{why}"), format!("  at {}", moment(at))];
    for (place, clause) in told.clauses.iter().enumerate() {
        let counts = if told.counts == Some(place) { "   this one would count" } else { "" };
        let words = match clause {
            Would::Works => "allows it".to_owned(),
            Would::DoesNot(why) => format!("does not: {why}"),
            Would::CannotTell(why) => format!("perhaps: {why}"),
        };
        lines.push(format!("  clause {}  {words}{counts}", place + 1));
    }
    lines.extend(told.left.map(|left| format!("  {left} such uses are left before it")));
    lines.extend(
        told.rotates.then(|| "  the use would make a new copy of it; older ones are stale then".to_owned()),
    );
    lines.extend(told.remarks.iter().map(|remark| format!("  ! {remark}")));
    lines
}

fn as_json(told: &WouldWork, at: Timestamp) -> Value {
    let one = |would: &Would| json!({ "answer": would.code(), "why": would.why() });
    json!({
        "version": 1,
        "answer": told.would.code(),
        "why": told.would.why(),
        "at": at.as_second(),
        "clauses": told.clauses.iter().map(one).collect::<Vec<_>>(),
        "counts": told.counts,
        "left": told.left,
        "rotates": told.rotates,
        "remarks": told.remarks,
    })
}
