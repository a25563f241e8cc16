//! The capabilities as a tree: folded at its top, each implied by what covers it (mytoken-api.md §3.2).

use super::Create;
use crate::domain::mytoken::{CAPABILITIES, Capability, Known};
use crate::domain::offer::Offer;

/// A row of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twig {
    /// The name that is ticked there, of the twin that only reads where that is.
    pub name: Capability,
    /// The known one it is of; `None`: nobody here knows it.
    pub known: Option<&'static Known>,
    /// How deep it lies.
    pub depth: usize,
    /// How many lie under it, if they can be shown or hidden.
    pub below: usize,
    /// Whether these are shown.
    pub unfolded: bool,
    /// How it stands.
    pub tick: Tick,
}

/// How a capability stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tick {
    /// It may not.
    Off,
    /// It may.
    On,
    /// It may read only.
    Reads,
    /// It may, because it may do this.
    Implied(Capability),
}

/// What stands between a capability and those under it.
fn depth(name: &str) -> usize {
    name.matches(':').count()
}

fn is_under(name: &str, top: &str) -> bool {
    name.strip_prefix(top).is_some_and(|rest| rest.starts_with(':'))
}

/// Whether this server is new enough for it; one that did not tell its version is taken to be.
fn is_there(known: &Known, offer: Option<&Offer>) -> bool {
    let version = offer.and_then(|offer| offer.version.as_ref());
    match (known.since, version) {
        (Some(since), Some(version)) => numbers(version.raw()) >= numbers(since),
        _ => true,
    }
}

fn numbers(version: &str) -> Vec<u64> {
    let parts = version.trim_start_matches('v').split(['.', '-', '+']);
    parts.map_while(|part| part.parse().ok()).collect()
}

/// The rows that are shown.
pub(super) fn rows(form: &Create) -> Vec<Twig> {
    let held = &form.draft.capabilities;
    let offer = form.offer();
    let has = |name: &str| held.iter().any(|held| held.0.raw() == name);
    let reads = |known: &Known| known.has_reading_twin && has(&format!("read@{}", known.name));
    let is_own = |known: &Known| has(known.name) || reads(known);
    let there: Vec<&'static Known> =
        CAPABILITIES.iter().filter(|known| is_there(known, offer) || is_own(known)).collect();
    let is_unfolded = |top: &str| form.unfolded.contains(&top);
    let mut rows = Vec::new();
    for known in &there {
        let name = known.name;
        let (tops, below) = (
            there.iter().filter(|top| is_under(name, top.name)),
            there.iter().filter(|one| is_under(one.name, name)).count(),
        );
        if tops.into_iter().any(|top| !is_unfolded(top.name)) && !is_own(known) {
            continue;
        }
        let covering = held.iter().find(|held| held.0.raw() != name && held.covers(name));
        let tick = match covering {
            _ if has(name) => Tick::On,
            Some(covering) => Tick::Implied(covering.clone()),
            None if reads(known) => Tick::Reads,
            None => {
                match held.iter().find(|held| known.has_reading_twin && held.covers(&format!("read@{name}")))
                {
                    Some(covering) => Tick::Implied(covering.clone()),
                    None => Tick::Off,
                }
            }
        };
        let read_only = match &tick {
            Tick::Reads => true,
            Tick::Implied(by) => !by.covers(name),
            Tick::Off | Tick::On => false,
        };
        let shown = if read_only { format!("read@{name}") } else { name.to_owned() };
        rows.push(Twig {
            name: Capability::new(shown),
            known: Some(known),
            depth: depth(name),
            below,
            unfolded: below > 0 && is_unfolded(name),
            tick,
        });
    }
    let unknown = held.iter().filter(|held| !held.is_known());
    rows.extend(unknown.map(|name| Twig {
        name: name.clone(),
        known: None,
        depth: 0,
        below: 0,
        unfolded: false,
        tick: Tick::On,
    }));
    rows
}

/// Switches a row: off, on, reading only where it has such a twin, off again. Why not, where something covers it.
pub(crate) fn switch(form: &mut Create, row: usize) -> Result<(), String> {
    let Some(twig) = form.tree.get(row).cloned() else { return Ok(()) };
    let held = &mut form.draft.capabilities;
    let Some(known) = twig.known else {
        held.retain(|one| *one != twig.name);
        return Ok(());
    };
    let reading = format!("read@{}", known.name);
    match twig.tick {
        Tick::Implied(by) => {
            let (name, by) = (twig.name.0.shown(), by.0.shown());
            return Err(format!("{by} covers {name}: to leave it out, switch {by} off and choose under it"));
        }
        Tick::Off => {
            let on = Capability::new(known.name);
            // What it covers is said once, by it.
            held.retain(|one| !on.covers(one.0.raw()));
            held.push(on);
        }
        Tick::On if known.has_reading_twin => {
            held.retain(|one| one.0.raw() != known.name);
            held.push(Capability::new(reading));
        }
        Tick::On => held.retain(|one| one.0.raw() != known.name),
        Tick::Reads => held.retain(|one| one.0.raw() != reading),
    }
    sort(held);
    Ok(())
}

/// In the order in which they are shown.
fn sort(held: &mut [Capability]) {
    let place = |one: &Capability| {
        let bare = one.0.raw().trim_start_matches("read@");
        CAPABILITIES.iter().position(|known| known.name == bare).unwrap_or(usize::MAX)
    };
    held.sort_by_key(place);
}
