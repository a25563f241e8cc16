//! `toktui renew NAME… | --all`: new access tokens, several at once.

use clap::Args;

use super::house::House;
use super::{gate, price};
use crate::domain::credential::{Chain, Health, Held};
use crate::domain::failure::{Failure, Kind};
use crate::domain::time::countdown;

/// Words of `toktui renew`.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// The names
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub names: Vec<String>,
    /// Everything that can be renewed and that renewing costs nothing counted
    #[arg(long)]
    pub all: bool,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
A new access token for each name, whether or not one lives. With --all, what costs a counted use is left out and named.

Examples:
  toktui renew egi wlcg
  toktui renew --all

Exit codes: 0 all renewed, else that of the first failure.";

/// Renews.
///
/// # Errors
/// With the first failure; the others are said on the way.
pub async fn run(house: &mut House, words: &Words) -> Result<u8, Failure> {
    gate::unlocked(house, "Renewing").await?;
    let names = if words.all { free(house).await? } else { words.names.clone() };
    let view = |name: &str| house.wallet.view(&house.wallet.find(name)?).ok();
    let before: Vec<_> = names.iter().map(|name| view(name)).collect();
    let renewed = house.wallet.renew_many(Some(&names)).await;
    let after: Vec<_> = names.iter().map(|name| view(name)).collect();
    let mut first = None;
    for ((name, drawn), (before, after)) in renewed.into_iter().zip(before.into_iter().zip(after)) {
        if let (Some(before), Some(after)) = (before, after)
            && let Some(price) = price::paid(&before, &after, drawn.is_ok())
        {
            house.say(&format!("{name}: {price}"));
        }
        match drawn {
            Ok(drawn) => {
                let left = drawn.token.left(house.clock.now());
                let life = left.map_or("nobody said for how long it lives".to_owned(), |left| {
                    format!("it lives for {}", countdown(left))
                });
                let what = if drawn.renewed { "renewed" } else { "not renewed" };
                house.out.line(&format!("{name}: {what}; {life}"));
                for remark in &drawn.remarks {
                    house.say(&format!("{name}: {remark}"));
                }
            }
            Err(failure) if first.is_none() => first = Some(failure),
            Err(failure) => house.say(&failure.to_string()),
        }
    }
    first.map_or(Ok(0), Err)
}

/// The names of all that can be renewed, and costs nothing counted.
async fn free(house: &House) -> Result<Vec<String>, Failure> {
    house.wallet.refresh().await;
    let held = house.wallet.held();
    let alive = |held: &&Held| {
        !matches!(held.chain, Chain::None) && matches!(held.health, Health::Ok | Health::InDoubt(_))
    };
    let (counted, free): (Vec<&Held>, Vec<&Held>) =
        held.iter().filter(alive).partition(|held| is_counted(held));
    for held in counted {
        house.say(&format!("{} is left out: it would cost a counted use. toktui renew {0}", held.name));
    }
    if free.is_empty() {
        return Err(Failure::new(Kind::Unusable, "Renewing", "nothing here can be renewed for free"));
    }
    Ok(free.into_iter().map(|held| held.name.clone()).collect())
}

fn is_counted(held: &Held) -> bool {
    match &held.chain {
        Chain::Mytoken { facts, short, .. } => {
            *short || facts.restrictions.iter().any(|clause| clause.uses_at.is_some())
        }
        Chain::Refresh { .. } | Chain::None => false,
    }
}
