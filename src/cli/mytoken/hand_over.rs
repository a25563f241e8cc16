//! `toktui mytoken hand-over NAME`: a code by which somebody else, or another machine, gets a subtoken, or the mytoken itself.

use clap::Args;

use super::create::{Plan, price_of, warn};
use super::order::Wish;
use super::told;
use crate::cli::house::House;
use crate::domain::credential::Chain;
use crate::domain::draft::Draft;
use crate::domain::failure::{Failure, Kind};
use crate::domain::handed::HandOver;
use crate::domain::mytoken::{Capability, Rotation, can};

/// Words of `toktui mytoken hand-over`.
#[derive(Clone, Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is one independent flag")]
pub struct Words {
    /// The name it is held under
    pub name: String,
    /// The mytoken itself and no subtoken of it: both sides then hold the same one
    #[arg(long)]
    pub itself: bool,
    /// With --itself: although it rotates, so that the first use on one side locks the other side out
    #[arg(long, requires = "itself")]
    pub yes: bool,
    /// The name of the subtoken at its server
    #[arg(long, value_name = "NAME", conflicts_with = "itself")]
    pub called: Option<String>,
    /// What it is to be able to do
    #[command(flatten)]
    pub wish: Wish,
    /// Show the code as a QR code, too, on standard error
    #[arg(long)]
    pub qr: bool,
    /// JSON instead of text
    #[arg(long)]
    pub json: bool,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
The code goes to standard output; whoever redeems it first has what is behind it. Say what the subtoken may do as with `create`; without
a word it may do AT and tokeninfo, as far as its parent may, under its parent's restrictions. It costs one other use of the parent, and
may make a new copy of it. A code for the mytoken itself (--itself) costs nothing; use it before the mytoken is used again.

Examples:
  toktui mytoken hand-over toar --capability AT --uses 5 --expires 1d
  toktui mytoken hand-over toar --qr
  toktui mytoken hand-over toar | ssh login-node toktui mytoken redeem night --server mytoken-kit

JSON (version 1): code, ends_at (seconds since 1970), server (its address), name, itself, mom_id, remarks

Exit codes: 0 here it is; 1 failed; 2 wrong usage, or it rotates and --yes is missing; 3 it may not, or is not valid; 4 not reached.";

/// Hands over.
///
/// # Errors
/// With the deciding fact.
pub async fn run(house: &mut House, words: &Words) -> Result<u8, Failure> {
    let doing = format!("Handing {} over", words.name);
    let held = house.opened(&words.name, &doing).await?;
    let Chain::Mytoken { facts, .. } = &held.chain else {
        return Err(Failure::new(Kind::Unusable, doing, "it is no mytoken"));
    };
    let handed = if words.itself {
        house.say("whoever redeems the code holds the same mytoken as you: revoking it ends both");
        let rotates = facts.rotation.is_some_and(Rotation::rotates);
        if rotates && words.yes {
            house.say("it rotates: the first use on one side locks the other side out");
            house.wallet.hand_over_rotating(&held.id).await?
        } else {
            house.wallet.hand_over(&held.id, &HandOver::Itself).await?
        }
    } else {
        let mut draft = words.wish.draft(house, Draft::default(), std::io::stdin(), &doing)?;
        if let Some(name) = &words.called {
            draft.name.clone_from(name);
        }
        if draft.capabilities.is_empty() && draft.templates.is_empty() {
            let may = |name: &&str| can(&facts.capabilities, name);
            draft.capabilities = ["AT", "tokeninfo"].into_iter().filter(may).map(Capability::new).collect();
        }
        let plan = Plan { source: held.source.clone(), draft, parent: Some(held.clone()) };
        warn(house, &plan);
        let how = HandOver::Subtoken(Box::new(plan.draft));
        let handed = house.wallet.hand_over(&held.id, &how).await;
        price_of(house, &held, handed.is_ok(), false);
        handed?
    };
    told::code(house, &handed, words.json, words.qr);
    Ok(0)
}
