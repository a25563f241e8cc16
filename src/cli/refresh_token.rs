//! `toktui refresh-token NAME`: a refresh token for a held login, by one more login with `offline_access`.

use std::collections::BTreeSet;

use clap::Args;

use super::house::House;
use super::{gate, login};
use crate::domain::credential::{Chain, Health};
use crate::domain::failure::{Failure, Kind};
use crate::domain::login::Order;
use crate::domain::source::Client;

/// Words of `toktui refresh-token`.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// The name it is held under
    pub name: String,
    /// The client to be, where the config names none
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
    /// Open no browser here, only print addresses
    #[arg(long)]
    pub no_browser: bool,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
Logs in once more, with the same scopes and offline_access, and keeps what comes under the same name. The refresh token outlives the
browser's session: from then on access tokens are renewed without you. Consent is asked for where the provider is not known to give one without.

Examples:
  toktui refresh-token egi
  toktui userinfo egi && toktui refresh-token egi --no-browser

Exit codes: 0 it came and is kept; 1 denied, expired, failed, or none came: why is said; 2 it has one already, or needs none; 4 not
reached.";

/// Logs in for it.
///
/// # Errors
/// With the deciding fact.
pub async fn run(house: &mut House, words: &Words) -> Result<u8, Failure> {
    let doing = format!("Getting a refresh token for {}", words.name);
    let held = house.opened(&words.name, &doing).await?;
    let unusable = |why: &str| Failure::new(Kind::Unusable, doing.as_str(), why);
    let is_over = matches!(held.health, Health::NeedsLogin(_) | Health::Dead(_));
    match held.chain {
        Chain::Refresh { session_only: false, .. } if !is_over => {
            let hint = format!("toktui renew {} gets a new access token with it.", words.name);
            return Err(unusable("it has one that outlives the session").hint(hint));
        }
        Chain::Mytoken { .. } => return Err(unusable("it is a mytoken: its server has the refresh token")),
        Chain::Refresh { .. } | Chain::None => {}
    }
    let source = house.wallet.source(&held.source);
    let source =
        source.ok_or_else(|| unusable("its provider is not listed here").hint("Add it to the config."))?;
    let Some(issuer) = source.issuer() else { return Err(unusable("it is not of an OpenID provider")) };
    let client = match &words.client_id {
        Some(id) => Some(Client::public(id)),
        None if issuer.client.is_none() => Some(login::client(house, &source, &doing).await?),
        None => None,
    };
    gate::made(house, &doing).await?;
    let order = Order {
        name: Some(words.name.clone()),
        client,
        offline: true,
        open_browser: !words.no_browser,
        ..Order::at(source.id.clone())
    };
    let report = login::performed(house, order, &BTreeSet::new(), words.no_browser, &doing).await?;
    login::tell(house, &report);
    Ok(u8::from(report.no_refresh.is_some()))
}
