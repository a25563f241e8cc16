//! What is ticked, chosen, added and taken away in the form.

use jiff::Timestamp;

use super::{ask_offer, change, top};
use crate::app::create::tree;
use crate::app::create::{self, Create, Group, Item, Over, Picking, Start, Turn};
use crate::app::effect::Effect;
use crate::app::field::Field;
use crate::app::state::{State, Tone};
use crate::domain::untrusted::Untrusted;

/// Space: ticks and unticks; the next choice where one chooses.
pub(super) fn switch(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let Some(form) = top(state) else { return Vec::new() };
    if let Over::Scopes(picking) = &mut form.over {
        if let Some((_, chosen)) = picking.scopes.get_mut(picking.selected) {
            *chosen = !*chosen;
        }
        return Vec::new();
    }
    match form.at {
        Item::Capability(row) => {
            let switched = change(state, now, |form, _| {
                form.touch(Group::Capabilities);
                tree::switch(form, row)
            });
            if let Some(Err(why)) = switched {
                state.say(Tone::Plain, why, now);
            }
        }
        Item::Turn(which) => {
            change(state, now, |form, _| {
                form.touch(Group::Rotation);
                let rotation = &mut form.draft.rotation;
                let flag = match which {
                    Turn::OnAccess => &mut rotation.on_at,
                    Turn::OnOther => &mut rotation.on_other,
                    Turn::Revokes => &mut rotation.auto_revoke,
                };
                *flag = !*flag;
            });
        }
        Item::Another => add_clause(state, now),
        Item::Start | Item::Server | Item::From | Item::Provider | Item::Answer => {
            return turn(state, 1, now);
        }
        Item::Clause(_) | Item::Name | Item::Member(..) | Item::Lives => {}
    }
    Vec::new()
}

/// The next choice or the one before; on a capability, what lies under it is shown or hidden.
pub(super) fn turn(state: &mut State, by: isize, now: Timestamp) -> Vec<Effect> {
    let asked = change(state, now, |form, state| {
        let server = form.server;
        match form.at {
            Item::Start => {
                form.start = around(form.start, form.starts.len(), by);
                if let Start::Profile { server, .. } = form.started().clone()
                    && let Some(place) = form.servers.iter().position(|id| *id == server)
                {
                    form.server = place;
                    form.look_for_parents(state);
                }
                form.refill(state);
            }
            Item::Server => {
                form.server = around(form.server, form.servers.len(), by);
                // A profile is one of its own server: elsewhere what it filled in stays, as the user's.
                form.changed = true;
                form.touched = vec![Group::Capabilities, Group::Clauses, Group::Rotation, Group::Name];
                form.start = form.starts.len().saturating_sub(1);
                form.draft.templates.clear();
                form.look_for_parents(state);
            }
            Item::From => {
                let at = form.parent.as_ref().and_then(|id| form.parents.iter().position(|one| one == id));
                let next = around(at.map_or(0, |at| at + 1), form.parents.len() + 1, by);
                form.parent = next.checked_sub(1).and_then(|at| form.parents.get(at).cloned());
            }
            Item::Provider => turn_provider(form, by),
            Item::Answer => {
                let forms = form.forms();
                let at = forms.iter().position(|one| *one == form.draft.form).unwrap_or_default();
                form.draft.form = forms.get(around(at, forms.len(), by)).copied().unwrap_or_default();
                form.touch(Group::Answer);
            }
            Item::Capability(row) => fold(form, row, by > 0),
            Item::Clause(_) | Item::Name | Item::Member(..) | Item::Another | Item::Turn(_) | Item::Lives => {
            }
        }
        // What another server offers is another question; what was asked already is not asked again.
        if form.server == server { Vec::new() } else { ask_offer(form) }
    });
    asked.unwrap_or_default()
}

fn turn_provider(form: &mut Create, by: isize) {
    let Some(offer) = form.offer() else { return };
    let all: Vec<String> = offer.providers.iter().map(|offered| offered.issuer.raw().to_owned()).collect();
    let next = match all.iter().position(|issuer| *issuer == form.draft.provider) {
        Some(at) => around(at, all.len(), by),
        None => 0,
    };
    if let Some(issuer) = all.into_iter().nth(next) {
        form.draft.provider = issuer;
        form.touch(Group::Provider);
    }
}

fn fold(form: &mut Create, row: usize, open: bool) {
    let Some(twig) = form.tree.get(row) else { return };
    // From one below, its top is meant.
    let top = (0..=row)
        .rev()
        .find(|at| form.tree.get(*at).is_some_and(|one| one.below > 0 && one.depth <= twig.depth));
    let place = if twig.below > 0 && (open || twig.unfolded) {
        Some(row)
    } else if open {
        None
    } else {
        top.filter(|at| *at != row).or_else(|| {
            (0..row).rev().find(|at| form.tree.get(*at).is_some_and(|one| one.depth < twig.depth))
        })
    };
    let Some(place) = place else { return };
    let Some(known) = form.tree.get(place).and_then(|one| one.known) else { return };
    form.unfolded.retain(|name| *name != known.name);
    if open {
        form.unfolded.push(known.name);
    }
    form.at = Item::Capability(place);
}

fn around(at: usize, len: usize, by: isize) -> usize {
    match (len, by) {
        (0, _) => 0,
        (_, 1) => (at + 1) % len,
        _ => at.checked_sub(1).unwrap_or(len - 1),
    }
}

pub(super) fn add_clause(state: &mut State, now: Timestamp) {
    change(state, now, |form, _| {
        form.touch(Group::Clauses);
        form.clauses.push(create::typed::Typed::default());
        form.at = Item::Clause(form.clauses.len() - 1);
    });
}

pub(super) fn drop_clause(state: &mut State, now: Timestamp) {
    change(state, now, |form, _| {
        if let Item::Clause(at) = form.at
            && form.clauses.len() > 1
            && at < form.clauses.len()
        {
            form.touch(Group::Clauses);
            form.clauses.remove(at);
            form.at = Item::Another;
        }
    });
}

/// Shows the provider's scopes to choose from; what was typed and is not among them stays.
pub(super) fn choose_scopes(state: &mut State) {
    let Some(form) = top(state) else { return };
    let Item::Member(clause, member) = form.at else { return };
    let Some(typed) = form.clauses.get(clause) else { return };
    let typed: Vec<&str> = typed.text(member).split_whitespace().collect();
    let mut scopes: Vec<(Untrusted, bool)> =
        form.offered_scopes().iter().map(|scope| (scope.clone(), typed.contains(&scope.raw()))).collect();
    let others = typed.iter().filter(|word| !scopes.iter().any(|(scope, _)| scope.raw() == **word));
    let others: Vec<(Untrusted, bool)> = others.map(|word| (Untrusted::from(*word), true)).collect();
    scopes.extend(others);
    form.over = Over::Scopes(Picking { clause, scopes, ..Picking::default() });
}

pub(super) fn take_scopes(state: &mut State, now: Timestamp) {
    change(state, now, |form, _| {
        let Over::Scopes(picking) = std::mem::take(&mut form.over) else { return };
        let chosen = picking.scopes.iter().filter(|(_, chosen)| *chosen);
        let text = chosen.map(|(scope, _)| scope.raw()).collect::<Vec<_>>().join(" ");
        if let Some(typed) = form.clauses.get_mut(picking.clause) {
            *typed.field_mut(create::typed::Member::Scopes) = Field::new(&text);
            form.touch(Group::Clauses);
        }
    });
}
