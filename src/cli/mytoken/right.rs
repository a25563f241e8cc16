//! At which server something is asked, and by whose right: a mytoken that is held, or a manager mytoken that lives as long as the command.

use clap::Args;

use super::order;
use crate::cli::house::House;
use crate::cli::login::asked_for;
use crate::cli::{gate, price};
use crate::domain::credential::{Chain, Held};
use crate::domain::failure::{Failure, Kind};
use crate::domain::family::Via;
use crate::domain::source::{Source, SourceId, SourceKind};

/// By whose right.
#[derive(Clone, Debug, Default, Args)]
pub struct By {
    /// Ask with this one that is held; else the cheapest one that may
    #[arg(long, value_name = "NAME", conflicts_with = "log_in")]
    pub via: Option<String>,
    /// Log in for a manager mytoken: one hour, list, revoke and history, never kept, revoked when the command is done
    #[arg(long)]
    pub log_in: bool,
    /// The provider to log in at, where the server has several, by its issuer
    #[arg(long, value_name = "ISSUER", requires = "log_in")]
    pub at: Option<String>,
    /// Open no browser here for that, only print the address
    #[arg(long, requires = "log_in")]
    pub no_browser: bool,
}

/// The mytoken server that is meant: by its short name or address; else that of `--via`; else the only one at which something is held.
pub(super) fn server(house: &House, wanted: Option<&str>, by: &By, doing: &str) -> Result<Source, Failure> {
    let all = house.wallet.sources();
    let is_server = |source: &&Source| matches!(source.kind, SourceKind::Server(_));
    let servers: Vec<&Source> = all.iter().filter(is_server).collect();
    if let Some(wanted) = wanted {
        let id = order::server(house, Some(wanted), doing)?;
        return house.wallet.source(&id).ok_or_else(|| {
            Failure::new(Kind::Unusable, doing, "it is listed here no more").hint(named(&servers))
        });
    }
    if let Some(via) = &by.via {
        let id = house.find(via, doing)?;
        let source = house.wallet.server_of_held(&id).and_then(|id| house.wallet.source(&id));
        return source.ok_or_else(|| {
            Failure::new(Kind::Unusable, doing, format!("{via} is no mytoken of a server that is listed"))
        });
    }
    let used: Vec<SourceId> =
        house.wallet.held().iter().filter_map(|held| house.wallet.server_of_held(&held.id)).collect();
    let mut candidates: Vec<&&Source> = servers.iter().filter(|source| used.contains(&source.id)).collect();
    if candidates.is_empty() {
        candidates = servers.iter().collect();
    }
    match candidates.as_slice() {
        [only] => Ok((**only).clone()),
        _ => Err(Failure::new(Kind::Unusable, doing, "it is not clear at which mytoken server")
            .hint(named(&servers))),
    }
}

fn named(servers: &[&Source]) -> String {
    let names: Vec<&str> = servers.iter().map(|source| source.id.as_str()).collect();
    format!("There are: {}.", names.join(", "))
}

/// By whose right it is asked: `--via`, else a manager mytoken where `--log-in` says so, else the cheapest one held that may.
///
/// # Errors
/// When nobody here may; with the one command that helps.
pub(super) async fn right(
    house: &House,
    by: &By,
    source: &Source,
    needed: &str,
    doing: &str,
) -> Result<Via, Failure> {
    gate::unlocked(house, doing).await?;
    if let Some(via) = &by.via {
        return Ok(Via::Held(house.find(via, doing)?));
    }
    if by.log_in {
        log_in(house, by, source, doing).await?;
        return Ok(Via::Manager);
    }
    house.wallet.who_may(&source.id, needed).into_iter().next().ok_or_else(|| {
        let why = format!("nothing held at {} has the capability {needed}", source.name);
        Failure::new(Kind::NotValid, doing, why).hint(
            "Add --log-in: it opens the consent page for a manager mytoken of one hour, and revokes it when the command is done.",
        )
    })
}

async fn log_in(house: &House, by: &By, source: &Source, doing: &str) -> Result<(), Failure> {
    asked_for(house, by.no_browser, "--at", doing, |provider, line| async move {
        let provider = provider.as_deref().or(by.at.as_deref());
        house.wallet.open_manager(&source.id, provider, line).await
    })
    .await?;
    Ok(())
}

/// The one that asks as it was, to say afterwards what it cost.
pub(super) fn before(house: &House, via: &Via) -> Option<Held> {
    match via {
        Via::Held(id) => house.wallet.view(id).ok(),
        Via::Manager => None,
    }
}

/// Says that it has a new copy: revoking another one costs no use, but may do that.
pub(super) fn say_copy(house: &House, before: &Held) {
    let copy = |held: &Held| match held.chain {
        Chain::Mytoken { copy, .. } => Some(copy),
        Chain::Refresh { .. } | Chain::None => None,
    };
    let after = house.wallet.view(&before.id).ok();
    let new = after.as_ref().and_then(copy).filter(|new| Some(*new) != copy(before));
    if let Some(new) = new {
        house.say(&format!("{}: it is copy {new} now; older copies are stale", before.name));
    }
}

/// Says what it cost, and how much more may be asked where that is little. `served`: the server did what was asked.
pub(super) fn say_price(house: &House, before: Option<&Held>, source: &Source, served: bool) {
    if let Some(before) = before
        && let Ok(after) = house.wallet.view(&before.id)
        && let Some(price) = price::paid_other(before, &after, served, false)
    {
        house.say(&format!("{}: {price}", before.name));
    }
    if let Some((allowance, _)) = house.wallet.allowance(&source.id)
        && allowance.is_below(20)
    {
        house.say(&format!(
            "{} takes {} more requests from this address in the next {} s",
            source.name,
            allowance.remaining,
            allowance.reset.as_secs()
        ));
    }
}
