//! `toktui mytoken create NAME`: through the consent page of its server, or from a mytoken that is held.

use clap::Args;

use super::order::{self, Wish};
use super::told;
use crate::cli::house::House;
use crate::cli::login::asked_for;
use crate::cli::{gate, price};
use crate::domain::credential::{Chain, Held};
use crate::domain::draft::{Circumstances, Draft, check, in_words, to_json};
use crate::domain::failure::{Failure, Kind};
use crate::domain::handed::{HandOver, Handed};
use crate::domain::login::{Order, Report};
use crate::domain::mytoken::{Capability, Facts};
use crate::domain::source::{SourceId, SourceKind};
use crate::store::is_name;

/// Words of `toktui mytoken create`.
#[derive(Clone, Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is one independent flag")]
pub struct Words {
    /// The name it gets, here and at its server
    pub name: String,
    /// What it is to be able to do
    #[command(flatten)]
    pub wish: Wish,
    /// The mytoken server, by its short name or address; the profile's where none is named
    #[arg(long, value_name = "SERVER", help_heading = "Where from")]
    pub server: Option<String>,
    /// The provider behind the server: its issuer, or its name here or there
    #[arg(long, value_name = "ISSUER|NAME", help_heading = "Where from")]
    pub provider: Option<String>,
    /// From this mytoken that is held, without a login: a subtoken
    #[arg(long, value_name = "HELD", conflicts_with_all = ["server", "provider"], help_heading = "Where from")]
    pub from: Option<String>,
    /// As a transfer code on standard output; it is not kept here
    #[arg(long, conflicts_with = "short")]
    pub code: bool,
    /// Say what it would be able to do, what is to be known before, and what would be sent; nothing is sent
    #[arg(long)]
    pub dry_run: bool,
    /// JSON instead of text
    #[arg(long)]
    pub json: bool,
    /// Open no browser here, only print the address
    #[arg(long)]
    pub no_browser: bool,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
A login: the address of the server's consent page goes to standard error (and to this machine's browser), and the command waits until
you have agreed there. The mytoken is kept before anything is said of it. Then what was asked is held against what was granted: less is
said, more is an alarm. Without a profile or --capability it may do AT and tokeninfo. With --from nobody is asked; it costs one other use of that mytoken, and may make a new copy of it.

Examples:
  toktui mytoken create toar --profile toar
  toktui mytoken create toar --profile toar --expires 90d --uses 50 --dry-run
  toktui mytoken create night --from toar --capability AT --expires 12h --host this
  toktui mytoken create ci --server mytoken-kit --provider helmholtz --capability AT --restrictions @clauses.json
  toktui mytoken create toar2 --draft - < draft.json

JSON (version 1):
  name, at, compared[] (what, asked, granted, relation: same, narrower, wider, other; note), wider, remarks[]
  with --dry-run: words[], warnings[] (stops, text), draft, command's exit code 2 where something stops it

Exit codes: 0 made and kept; 1 declined, expired, failed; 2 wrong usage, a name that is taken, or what the server would do badly;
3 the mytoken of --from may not make any, or is not valid; 4 not reached.";

/// What the words come to.
pub(super) struct Plan {
    pub(super) source: SourceId,
    pub(super) draft: Draft,
    pub(super) parent: Option<Held>,
}

/// Makes it.
///
/// # Errors
/// With the deciding fact.
pub async fn run(house: &mut House, words: &Words) -> Result<u8, Failure> {
    let doing = format!("Making the mytoken {}", words.name);
    if !is_name(&words.name) {
        return Err(Failure::new(Kind::Unusable, doing, crate::store::Error::BadName.to_string()));
    }
    if !words.dry_run && !words.code && house.wallet.find(&words.name).is_some() {
        let taken = crate::store::Error::NameTaken(words.name.clone());
        return Err(Failure::new(Kind::Unusable, doing, taken.to_string()).hint("Nothing was sent."));
    }
    let plan = plan(house, words, &doing).await?;
    if words.dry_run {
        return Ok(dry_run(house, &plan, words.json));
    }
    warn(house, &plan);
    if words.code {
        let handed = handed(house, words, &plan, &doing).await?;
        told::code(house, &handed, words.json, false);
        return Ok(0);
    }
    let report = match &plan.parent {
        Some(parent) => {
            let report = house.wallet.create_from(&parent.id, &plan.draft).await;
            price_of(house, parent, report.is_ok(), report.is_ok());
            report?
        }
        None => log_in(house, &plan.source, Some(&words.name), &plan.draft, words.no_browser, &doing).await?,
    };
    told::report(house, &report, words.json, "Made");
    Ok(0)
}

async fn plan(house: &House, words: &Words, doing: &str) -> Result<Plan, Failure> {
    let profile = words.wish.profile.as_deref().map(|word| order::profile(house, word, doing)).transpose()?;
    let base = match profile.as_ref().map(|source| &source.kind) {
        Some(SourceKind::Profile(profile)) => profile.draft.clone(),
        _ => Draft::default(),
    };
    let parent = match &words.from {
        Some(name) => Some(house.opened(name, doing).await?),
        None => None,
    };
    let source = match (&parent, profile, &words.server) {
        (Some(parent), ..) => parent.source.clone(),
        (None, Some(profile), None) => profile.id,
        (None, _, word) => order::server(house, word.as_deref(), doing)?,
    };
    let mut draft = words.wish.draft(house, base, std::io::stdin(), doing)?;
    draft.name.clone_from(&words.name);
    if let Some(provider) = &words.provider {
        draft.provider = order::issuer(house, provider);
    }
    if draft.capabilities.is_empty() && draft.templates.is_empty() {
        // The default of a login. Of a subtoken the server would take silence for all that its parent has.
        draft.capabilities = ["AT", "tokeninfo"].map(Capability::new).to_vec();
    }
    Ok(Plan { source, draft, parent })
}

/// Logs in for it. Also the successor's way.
///
/// # Errors
/// With the deciding fact.
pub async fn log_in(
    house: &House,
    source: &SourceId,
    name: Option<&str>,
    draft: &Draft,
    no_browser: bool,
    doing: &str,
) -> Result<Report, Failure> {
    // Before anything is asked of anybody: what comes must have a place.
    gate::made(house, doing).await?;
    let order = ordered(source, name, draft, no_browser);
    asked_for(house, no_browser, "--provider", doing, |provider, line| {
        house.wallet.log_in(Order { provider, ..order.clone() }, line)
    })
    .await
}

async fn handed(house: &House, words: &Words, plan: &Plan, doing: &str) -> Result<Handed, Failure> {
    if let Some(parent) = &plan.parent {
        let how = HandOver::Subtoken(Box::new(plan.draft.clone()));
        let handed = house.wallet.hand_over(&parent.id, &how).await;
        price_of(house, parent, handed.is_ok(), false);
        return handed;
    }
    let order = ordered(&plan.source, None, &plan.draft, words.no_browser);
    asked_for(house, words.no_browser, "--provider", doing, |provider, line| {
        house.wallet.log_in_for_code(Order { provider, ..order.clone() }, line)
    })
    .await
}

fn ordered(source: &SourceId, name: Option<&str>, draft: &Draft, no_browser: bool) -> Order {
    Order {
        name: name.map(str::to_owned),
        draft: Some(draft.clone()),
        open_browser: !no_browser,
        ..Order::at(source.clone())
    }
}

/// What the use of a parent has cost. `served`: a child came of it. `told`: that it rotated is said already.
pub(super) fn price_of(house: &House, before: &Held, served: bool, told: bool) {
    let after = house.wallet.view(&before.id).ok();
    if let Some(price) = after.and_then(|after| price::paid_other(before, &after, served, told)) {
        house.say(&format!("{}: {price}", before.name));
    }
}

fn facts(held: Option<&Held>) -> Option<&Facts> {
    match held.map(|held| &held.chain) {
        Some(Chain::Mytoken { facts, .. }) => Some(facts),
        _ => None,
    }
}

/// Says what is to be known before, and does not stop it. What would stop it is a failure of its own.
pub(super) fn warn(house: &House, plan: &Plan) {
    let zone = order::zone(house);
    let circumstances = circumstances(house, plan, &zone);
    for warning in check(&plan.draft, &circumstances).iter().filter(|warning| !warning.stops) {
        house.say(&warning.text);
    }
}

fn circumstances<'a>(house: &House, plan: &'a Plan, zone: &'a jiff::tz::TimeZone) -> Circumstances<'a> {
    Circumstances {
        offer: None,
        parent: facts(plan.parent.as_ref()),
        now: house.clock.now(),
        zone,
        tokens_live: None,
    }
}

fn dry_run(house: &mut House, plan: &Plan, json: bool) -> u8 {
    let zone = order::zone(house);
    let circumstances = circumstances(house, plan, &zone);
    // Which provider there is can be chosen later, where the server has only one.
    let warnings: Vec<_> = check(&plan.draft, &circumstances)
        .into_iter()
        .filter(|warning| {
            warning.part != crate::domain::draft::Part::Provider || !plan.draft.provider.is_empty()
        })
        .collect();
    let words = in_words(&plan.draft, &circumstances);
    let stops = warnings.iter().any(|warning| warning.stops);
    told::draft(house, &words, &warnings, &to_json(&plan.draft), json);
    if stops { 2 } else { 0 }
}
