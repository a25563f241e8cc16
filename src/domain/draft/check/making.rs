//! Provider, name, rotation, form and templates: what fails late, or not as it looks.

use super::{Circumstances, Found, Part};
use crate::domain::draft::Draft;
use crate::domain::draft::when::span_words;
use crate::domain::mytoken::{Form, LONGEST_NAME, can};
use crate::domain::offer::TemplateKind;
use crate::domain::untrusted::{Untrusted, cleaned, clipped};

pub(super) fn provider(draft: &Draft, circumstances: &Circumstances<'_>, found: &mut Found) {
    let issuer = draft.provider.trim();
    let shown = || clipped(&cleaned(issuer), 60);
    if let Some(parent) = circumstances.parent {
        let same = |one: &str, other: &str| one.trim_end_matches('/') == other.trim_end_matches('/');
        if !issuer.is_empty() && !same(issuer, parent.provider.raw()) {
            let own = parent.provider.shown_within(60);
            found.warn(
                Part::Provider,
                format!("a subtoken has the provider of its parent, {own}, not {}", shown()),
            );
        }
    } else if issuer.is_empty() {
        found.stop(Part::Provider, "no provider is chosen: choose one of those that the server offers");
    } else if let Some(offer) = circumstances.offer
        && offer.provider(issuer).is_none()
    {
        let others: Vec<String> =
            offer.providers.iter().take(5).map(|one| one.name.shown_within(30)).collect();
        found.stop(
            Part::Provider,
            format!("this server does not offer {}: choose another one ({})", shown(), others.join(", ")),
        );
    }
}

pub(super) fn name(draft: &Draft, found: &mut Found) {
    let letters = draft.name.trim().chars().count();
    if letters > LONGEST_NAME {
        found.stop(
            Part::Name,
            format!("the name has {letters} characters, and the server fails at more than {LONGEST_NAME}, after the login: shorten it"),
        );
    }
}

pub(super) fn rotation(draft: &Draft, found: &mut Found) {
    let rotation = draft.rotation;
    let part = Part::Rotation;
    let lifetime = rotation.lifetime.filter(|seconds| *seconds > 0);
    if rotation.lifetime == Some(0) {
        found.warn(part, "a rotation lifetime of 0 is no limit: leave it out");
    }
    match lifetime.map(span_words) {
        Some(span) if rotation.rotates() => found.warn(
            part,
            format!("it must be used at least every {span}: a copy that is not used that long dies silently"),
        ),
        Some(span) => found.warn(
            part,
            format!(
                "without rotation nothing renews it: it dies after {span} for good, whatever its end says"
            ),
        ),
        None => {}
    }
    if rotation.rotates() {
        found.warn(
            part,
            "each such use replaces it: it can be held in one place only, and by one program at a time",
        );
    }
    match (rotation.auto_revoke, rotation.rotates()) {
        (true, true) => found.warn(
            part,
            "an older copy that is used, by a thief or by a forgotten script, revokes it and all its subtokens",
        ),
        (true, false) if lifetime.is_none() => {
            found.warn(part, "revoking when an old copy shows up does nothing without rotation: there are no old copies");
        }
        _ => {}
    }
    if rotation.on_at && !draft.capabilities.is_empty() && !can(&draft.capabilities, "AT") {
        found.warn(part, "rotation on access tokens does nothing: it cannot get any");
    }
}

pub(super) fn form(draft: &Draft, circumstances: &Circumstances<'_>, found: &mut Found) {
    let part = Part::Form;
    let offered =
        circumstances.offer.is_none_or(|offer| offer.forms.is_empty() || offer.forms.contains(&draft.form));
    match draft.form {
        Form::Token => {}
        Form::Short => {
            if draft.rotation.rotates() {
                found.stop(
                    part,
                    "a short token cannot rotate: every use that should renew it hangs for a minute and fails. Take the long \
                     form, or no rotation",
                );
            }
            if !offered {
                found.warn(part, "this server gives no short tokens: it would come in the long form");
            }
        }
        Form::Code if !offered => {
            found.stop(
                part,
                "this server redeems no transfer codes: the code could not be used. Take another form",
            );
        }
        Form::Code => {
            found.warn(
                part,
                "the code lives about 5 minutes and works once; who redeems it first has the mytoken",
            );
        }
    }
}

pub(super) fn templates(draft: &Draft, circumstances: &Circumstances<'_>, found: &mut Found) {
    let part = Part::Templates;
    if draft.templates.is_empty() {
        return;
    }
    let known = circumstances.offer.map(|offer| offer.templates.as_slice()).unwrap_or_default();
    for name in &draft.templates {
        let bare = name.trim().trim_start_matches('@');
        let kinds: Vec<_> = known.iter().filter(|one| one.reference() == bare).map(|one| one.kind).collect();
        let shown = Untrusted::from(bare).shown_within(40);
        if !known.is_empty() && kinds.is_empty() {
            found.stop(part, format!("the server keeps no profile {shown}, and refuses what names one"));
        } else if !kinds.is_empty() && !kinds.contains(&TemplateKind::Profile) {
            found.stop(part, format!("{shown} is a template for one part only, and no profile"));
        }
    }
    let explicit = !draft.capabilities.is_empty() || draft.clauses.iter().any(|clause| !clause.is_open());
    let wider = if explicit {
        "the server's profile adds to what is chosen here: its capabilities come on top, its clauses are alternatives, so \
         the mytoken can be wider than either"
    } else {
        "what the server's profile stands for is decided there, when it is made"
    };
    found.warn(part, wider);
}
