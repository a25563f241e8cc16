//! `toktui mytoken successor NAME`: one like it with shifted dates, checked, under its name.

use clap::Args;
use serde_json::json;

use super::create::log_in;
use super::told;
use crate::cli::house::House;
use crate::cli::json as safe;
use crate::domain::failure::Failure;
use crate::domain::untrusted::cleaned;

/// Words of `toktui mytoken successor`.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// The name it is held under
    pub name: String,
    /// Revoke the old one, once the new one is in its place
    #[arg(long)]
    pub revoke_old: bool,
    /// JSON instead of text
    #[arg(long)]
    pub json: bool,
    /// Open no browser here, only print the address
    #[arg(long)]
    pub no_browser: bool,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
By a login at the consent page, as with `create`: it may do the same, lives as long from now as the old one did from its making, and has
all its uses anew. Its server is asked whether it is valid here and now; only then it gets the name, so that scripts go on with the new
one. The old one stays held as NAME-until-DATE, and is revoked only with --revoke-old.

Examples:
  toktui mytoken successor toar
  toktui mytoken successor toar --revoke-old

JSON (version 1): name, old_name, revoked, remarks[]

Exit codes: 0 done; 1 declined, expired, failed; 2 wrong usage; 3 the new one is not valid here: nothing is renamed; 4 not reached.";

/// Makes it and puts it in place.
///
/// # Errors
/// With the deciding fact.
pub async fn run(house: &mut House, words: &Words) -> Result<u8, Failure> {
    let doing = format!("Making the successor of {}", words.name);
    let old = house.opened(&words.name, &doing).await?;
    let draft = house.wallet.successor_of(&old.id)?;
    let wish = house.wallet.free_name(&format!("{}-new", words.name));
    let report = log_in(house, &old.source, Some(&wish), &draft, words.no_browser, &doing).await?;
    if !words.json {
        told::report(house, &report, false, "Made");
    }
    let done = house.wallet.succeed(&old.id, &report.id).await?;
    for remark in &done.remarks {
        house.say(&cleaned(remark));
    }
    let ended = if words.revoke_old { Some(house.wallet.revoke(&old.id).await) } else { None };
    if let Some(Ok(said)) = &ended {
        house.say(&cleaned(said));
    } else {
        house.say(&cleaned(&format!(
            "the old one lives on, as {}; to end it: toktui revoke {}",
            done.old_name, done.old_name
        )));
    }
    if words.json {
        let remarks: Vec<&String> = report.remarks.iter().chain(&done.remarks).collect();
        house.out.line(&safe::safe(&json!({
            "version": 1,
            "name": done.name,
            "old_name": done.old_name,
            "revoked": matches!(ended, Some(Ok(_))),
            "remarks": remarks,
        })));
    } else {
        house.out.line(&format!("{} is the new one now.", done.name));
    }
    // The new one is in its place whether or not the old one could be ended.
    ended.transpose()?;
    Ok(0)
}
