//! What a mytoken may do: what is too little, too much, or unknown where it is sent.

use super::{Circumstances, Found, Part};
use crate::domain::draft::Draft;
use crate::domain::mytoken::{Capability, Weight, can};
use crate::domain::tighter;

const PART: Part = Part::Capabilities;

pub(super) fn check(draft: &Draft, circumstances: &Circumstances<'_>, found: &mut Found) {
    let chosen = &draft.capabilities;
    if chosen.is_empty() {
        nothing(draft, circumstances, found);
        return;
    }
    unknown(chosen, circumstances, found);
    heavy(chosen, found);
    if !can(chosen, "AT") && !includes(chosen) {
        found.warn(PART, "it cannot get access tokens: for that it needs AT");
    }
    if !can(chosen, "tokeninfo:introspect") && !includes(chosen) {
        found.warn(
            PART,
            "nobody will be able to look up whether it is still valid: for that it needs tokeninfo (TOAR asks for it)",
        );
    }
    let counts = draft.clauses.iter().any(|clause| clause.rest.uses_at.is_some());
    if counts && can(chosen, "create_mytoken") {
        found.warn(
            PART,
            "create_mytoken goes around its limit of uses: every subtoken counts its own from the start",
        );
    }
    let Some(parent) = circumstances.parent else { return };
    let (granted, missing) = tighter::capabilities(&parent.capabilities, chosen);
    let missing: Vec<_> = missing.iter().filter(|one| one.is_known()).collect();
    if granted.is_empty() {
        found.stop(PART, "its parent may do nothing of this, and the server refuses such a subtoken");
    } else if !missing.is_empty() {
        found.warn(
            PART,
            format!("its parent may not do this, so it falls away without a word: {}", names(&missing)),
        );
    }
}

fn nothing(draft: &Draft, circumstances: &Circumstances<'_>, found: &mut Found) {
    if !draft.templates.is_empty() {
        found.warn(PART, "what it may do comes from the server's profile alone");
    } else if circumstances.parent.is_some() {
        found.stop(
            PART,
            "nothing is selected, which the server takes for everything that its parent may do: select what it is for",
        );
    } else {
        found.stop(
            PART,
            "nothing is selected, which the server takes for its default, AT and tokeninfo: select what it is for",
        );
    }
}

/// Whether a template of the server is among them (`@name`, mytoken-api.md §2.3.1), so that what is missing here may be in there.
fn includes(chosen: &[Capability]) -> bool {
    chosen.iter().any(is_template)
}

fn is_template(capability: &Capability) -> bool {
    capability.0.raw().starts_with('@')
}

fn unknown(chosen: &[Capability], circumstances: &Circumstances<'_>, found: &mut Found) {
    let named = |is: &dyn Fn(&Capability) -> bool| -> Vec<&Capability> {
        chosen.iter().filter(|one| is(one)).collect()
    };
    let templates = named(&is_template);
    if !templates.is_empty() {
        found.warn(PART, format!("{} also gives what the server keeps under that name", names(&templates)));
    }
    let strange = named(&|one| !one.is_known() && !is_template(one));
    if !strange.is_empty() && circumstances.parent.is_some() {
        found.warn(PART, format!("no such capability is known, so it falls away: {}", names(&strange)));
    } else if !strange.is_empty() {
        found.stop(
            PART,
            format!(
                "no such capability is known, and the consent page breaks at one: leave out {}",
                names(&strange)
            ),
        );
    }
    let Some(version) = circumstances.offer.and_then(|offer| offer.version.as_ref()) else { return };
    let Some(here) = numbers(version.raw()) else { return };
    let newer = named(&|one| {
        one.is_known()
            && one.known().and_then(|known| numbers(known.since?)).is_some_and(|since| since > here)
    });
    if !newer.is_empty() {
        let what = names(&newer);
        let end = if circumstances.parent.is_some() { "fall away" } else { "break the consent page" };
        found.warn(
            PART,
            format!("newer than this server, which says {}: may {end}: {what}", version.shown_within(20)),
        );
    }
}

fn heavy(chosen: &[Capability], found: &mut Found) {
    let of = |weight: Weight| -> Vec<String> {
        let weighty =
            chosen.iter().filter(|one| one.is_known() && one.weight() == weight && !is_covered(one, chosen));
        weighty.filter_map(Capability::words).collect()
    };
    let heaviest = of(Weight::Heaviest);
    if !heaviest.is_empty() {
        let what = heaviest.join(", ");
        found.warn(PART, format!("guard it like a password: whoever holds it can {what}"));
    }
    let heavy = of(Weight::Heavy);
    if !heavy.is_empty() {
        found.warn(PART, format!("it reaches beyond itself: whoever holds it can {}", heavy.join(", ")));
    }
    if can(chosen, "settings:grants:ssh") {
        found.warn(PART, "an SSH key that it adds is a new way in, and stays when it is revoked");
    }
}

/// Whether another one of them gives it anyway.
fn is_covered(one: &Capability, chosen: &[Capability]) -> bool {
    chosen.iter().any(|other| other != one && other.covers(one.0.raw()))
}

fn names(list: &[&Capability]) -> String {
    list.iter().map(|one| one.0.shown_within(40)).collect::<Vec<_>>().join(", ")
}

/// `0.10.2-pr1` as far as versions are compared here. It is a hint, no more (mytoken-api.md §11).
fn numbers(version: &str) -> Option<(u64, u64)> {
    let mut parts = version.trim_start_matches('v').split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}
