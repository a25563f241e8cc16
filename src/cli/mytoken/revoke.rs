//! `toktui mytoken revoke`: end a held mytoken, or a listed one by its id, with what was made from it or alone.

use clap::Args;

use super::{members, right};
use crate::cli::house::House;
use crate::cli::{end, gate};
use crate::domain::credential::{Chain, Held};
use crate::domain::failure::{Failure, Kind};
use crate::domain::family::{Family, Via, Which};
use crate::domain::mytoken::can;
use crate::domain::source::Source;
use crate::domain::time::countdown;
use crate::domain::untrusted::{Untrusted, cleaned};
use crate::wallet::family::{LIST, REVOKE};

/// Words of it.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// The name it is held under
    #[arg(required_unless_present = "id", conflicts_with = "id")]
    pub name: Option<String>,
    /// A listed mytoken by its id, as `toktui mytoken list --ids` prints it
    #[arg(long, value_name = "MOM_ID")]
    pub id: Option<String>,
    /// The mytoken server, by its short name or address
    #[arg(long)]
    pub server: Option<String>,
    /// By whose right
    #[command(flatten)]
    pub by: right::By,
    /// With all that was made from it
    #[arg(long)]
    pub recursive: bool,
    /// Without being asked
    #[arg(long)]
    pub yes: bool,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
At its server, at once and for good. What dies is said before, and nothing is done unless `yes` is typed, with --recursive its name; where nobody
can be asked it needs --yes. A held mytoken revokes itself, whatever its restrictions. One that has not started or has ended, and one that is
not held here, is revoked by its id: by the right of one that may (`manage_mytokens:revoke`), of one that it was made from, or with --log-in.
Without --recursive what was made from it lives on. Access tokens that were drawn live on until they end.

Examples:
  toktui mytoken revoke toar
  toktui mytoken revoke toar --recursive --yes
  toktui mytoken revoke --id 'niZS…==' --log-in

Exit codes: 0 revoked, or gone already; 1 nobody agreed, or it lives on; 2 wrong usage; 3 it may not; 4 not reached, or asked to wait.";

/// Revokes.
///
/// # Errors
/// When nobody agreed, it may not be done by this right, or nobody answers.
pub async fn run(house: &mut House, words: &Words) -> Result<u8, Failure> {
    match (&words.name, &words.id) {
        (Some(name), _) => held(house, words, name).await,
        (None, Some(id)) => by_id(house, words, id).await,
        (None, None) => Err(Failure::new(Kind::Unusable, "Revoking", "neither a name nor an id was given")),
    }
}

async fn held(house: &mut House, words: &Words, name: &str) -> Result<u8, Failure> {
    let doing = format!("Revoking {name}");
    let held = house.opened(name, &doing).await?;
    let Chain::Mytoken { facts, .. } = &held.chain else {
        let failure = Failure::new(Kind::Unusable, doing, format!("{} is no mytoken", held.name));
        return Err(failure.hint(format!("toktui revoke {}", held.name)));
    };
    let source = house.wallet.server_of_held(&held.id).and_then(|id| house.wallet.source(&id));
    let source = source
        .ok_or_else(|| Failure::new(Kind::Unusable, &doing, "its mytoken server is not listed here"))?;
    if words.by.via.is_none() && !words.by.log_in {
        if !words.yes {
            let family = tree_for_nothing(house, &held, &source).await;
            ask(house, words, &doing, &Dying::of(&held, family.as_ref(), house)).await?;
        }
        let said = house.wallet.revoke_with(&held.id, words.recursive).await?;
        house.out.line(&cleaned(&said));
        return Ok(0);
    }
    let Some(mom_id) = facts.mom_id.clone() else {
        let failure = Failure::new(Kind::Unusable, doing, "its id at the server is not known here");
        return Err(failure.hint(format!("Look it up: toktui info {}", held.name)));
    };
    let via = right::right(house, &words.by, &source, REVOKE, &doing).await?;
    let family = listing(house, words, &source, &via).await;
    if !words.yes {
        ask(house, words, &doing, &Dying::of(&held, family.as_ref(), house)).await?;
    }
    by_right(house, words, &source, &via, &mom_id).await
}

async fn by_id(house: &mut House, words: &Words, id: &str) -> Result<u8, Failure> {
    let doing = "Revoking a listed mytoken";
    gate::unlocked(house, doing).await?;
    let source = right::server(house, words.server.as_deref(), &words.by, doing)?;
    let via = right::right(house, &words.by, &source, REVOKE, doing).await?;
    let mom_id = Untrusted::from(id);
    if !words.yes {
        let family = listing(house, words, &source, &via).await;
        ask(house, words, doing, &Dying::listed(&mom_id, family.as_ref(), house)).await?;
    }
    by_right(house, words, &source, &via, &mom_id).await
}

async fn by_right(
    house: &mut House,
    words: &Words,
    source: &Source,
    via: &Via,
    mom_id: &Untrusted,
) -> Result<u8, Failure> {
    let before = right::before(house, via);
    let said = house.wallet.revoke_listed(&source.id, via, mom_id, words.recursive).await;
    if let Some(before) = before {
        right::say_copy(house, &before);
    }
    house.out.line(&cleaned(&said?));
    Ok(0)
}

/// The list by the same right, where that may list; its price is said.
async fn listing(house: &House, words: &Words, source: &Source, via: &Via) -> Option<Family> {
    if !house.wallet.who_may(&source.id, LIST).contains(via) {
        return None;
    }
    let before = right::before(house, via);
    let family = house.wallet.family(&source.id, via, Which::All).await;
    right::say_price(house, before.as_ref(), source, family.is_ok());
    told(house, words, family)
}

/// What was made from it, where it may list that and the list costs nothing.
async fn tree_for_nothing(house: &House, held: &Held, source: &Source) -> Option<Family> {
    let Chain::Mytoken { facts, .. } = &held.chain else { return None };
    if !held.chain.is_unrestricted() || !can(&facts.capabilities, "tokeninfo:subtokens") {
        return None;
    }
    house.wallet.family(&source.id, &Via::Held(held.id.clone()), Which::Below).await.ok()
}

fn told(house: &House, words: &Words, family: Result<Family, Failure>) -> Option<Family> {
    match family {
        Ok(family) => Some(family),
        Err(failure) => {
            if words.recursive {
                house.say(&failure.to_string());
            }
            None
        }
    }
}

/// What would die, in lines, and the word that must be typed for all of it.
struct Dying {
    lines: Vec<String>,
    name: String,
    below: Option<usize>,
    /// Whether there may be more than could be listed.
    cut: bool,
}

impl Dying {
    fn of(held: &Held, family: Option<&Family>, house: &House) -> Self {
        let Chain::Mytoken { facts, .. } = &held.chain else {
            return Self { lines: Vec::new(), name: held.name.clone(), below: None, cut: false };
        };
        let at = family.zip(facts.mom_id.as_ref()).and_then(|(family, id)| family.find(id));
        let mut dying = Self::at(family.zip(at), house);
        dying.name.clone_from(&held.name);
        if dying.lines.is_empty() {
            dying.lines.push(held.name.clone());
        }
        let now = house.clock.now();
        let alive = held.access.iter().filter_map(|access| access.expires).filter(|end| *end > now);
        let ends: Vec<_> = alive.collect();
        if let Some(last) = ends.iter().max() {
            let left = countdown(last.duration_since(now));
            dying.lines.push(format!(
                "Access tokens already drawn live on until they end: {}, for {left} at the most.",
                ends.len()
            ));
        }
        dying
    }

    fn listed(mom_id: &Untrusted, family: Option<&Family>, house: &House) -> Self {
        let at = family.and_then(|family| family.find(mom_id));
        let mut dying = Self::at(family.zip(at), house);
        if dying.lines.is_empty() {
            dying.lines.push(format!("the mytoken with the id {}", mom_id.shown()));
        }
        if dying.name.is_empty() {
            // A name that cannot be typed, or none: the beginning of its id stands for it.
            dying.name = mom_id.shown().chars().take(8).collect();
        }
        dying
    }

    fn at(place: Option<(&Family, usize)>, house: &House) -> Self {
        let Some((family, at)) = place else {
            return Self { lines: Vec::new(), name: String::new(), below: None, cut: false };
        };
        let name = family.members.get(at).and_then(|member| member.listed.name.as_ref());
        let name = name.filter(|name| name.shown() == name.raw()).map(Untrusted::shown).unwrap_or_default();
        let lines = members::tree(family, at, house.clock.now());
        Self { below: Some(family.tree(at).len().saturating_sub(1)), lines, name, cut: family.cut }
    }
}

async fn ask(house: &House, words: &Words, doing: &str, dying: &Dying) -> Result<(), Failure> {
    let more = if dying.cut { " or more" } else { "" };
    let what = match (words.recursive, dying.below) {
        (true, Some(below)) => format!("This ends, at once and for good, it and {below}{more} made from it:"),
        (true, None) => {
            "This ends, at once and for good, it and all that was made from it, which cannot be listed here:"
                .to_owned()
        }
        (false, Some(below @ 1..)) => {
            format!(
                "This ends, at once and for good, the first of these; {below}{more} made from it live on:"
            )
        }
        (false, _) => "This ends, at once and for good:".to_owned(),
    };
    let lines = dying.lines.iter().map(|line| format!("  {line}"));
    let told = std::iter::once(what).chain(lines).collect::<Vec<_>>().join("\n");
    let word = if words.recursive { dying.name.as_str() } else { "yes" };
    end::agreed_by(house, &told, word, doing).await
}
