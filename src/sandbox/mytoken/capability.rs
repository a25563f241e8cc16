//! What a mytoken may do: the names, what each means, and which one covers which (§3).

use serde_json::Value;

use super::body::texts;
use super::refusal::Refusal;

/// The capabilities of 0.10, whether there is a `read@` of it, and what it allows, in display order.
pub(crate) const KNOWN: [(&str, bool, &str); 16] = [
    ("AT", false, "get access tokens"),
    ("create_mytoken", false, "create further mytokens"),
    ("tokeninfo", false, "ask everything about itself"),
    ("tokeninfo:introspect", false, "look itself up"),
    ("tokeninfo:history", false, "read its own event history"),
    ("tokeninfo:subtokens", false, "list the mytokens made from it"),
    ("tokeninfo:notify", false, "manage its own notifications"),
    ("manage_mytokens", false, "manage all of your mytokens"),
    ("manage_mytokens:list", false, "list all of your mytokens"),
    ("manage_mytokens:revoke", false, "revoke any of your mytokens"),
    ("manage_mytokens:history", false, "read the history of any of your mytokens"),
    ("manage_mytokens:notify", true, "manage notifications and calendars"),
    ("settings", true, "all of your settings"),
    ("settings:grants", true, "your grant types"),
    ("settings:grants:ssh", true, "your SSH keys"),
    ("settings:email", true, "your mail address"),
];

/// What a login gets that asks for none.
pub(crate) const DEFAULT: [&str; 2] = ["AT", "tokeninfo"];

/// Whether `held` covers `needed` (§3.2): without `read@`, its parts are the first parts of the other;
/// and a `read@` covers reading only.
pub(crate) fn covers(held: &str, needed: &str) -> bool {
    let (held_path, held_reads) = path(held);
    let (needed_path, needed_reads) = path(needed);
    let mut wanted = needed_path.split(':');
    (!held_reads || needed_reads) && held_path.split(':').all(|part| wanted.next() == Some(part))
}

/// Whether one of `held` covers `needed`.
pub(crate) fn allows(held: &[String], needed: &str) -> bool {
    held.iter().any(|held| covers(held, needed))
}

/// Those of `wanted` that a mytoken with `held` can pass on (§3.2): a part of what it has, but nothing above that.
pub(crate) fn common(held: &[String], mut wanted: Vec<String>) -> Vec<String> {
    wanted.retain(|name| allows(held, name));
    wanted
}

/// Whether 0.10.2 knows the name: unknown ones fail the consent step (§2.3.1).
pub(crate) fn is_known(name: &str) -> bool {
    let (bare, reads) = path(name);
    KNOWN.iter().any(|(known, twin, _)| *known == bare && (!reads || *twin))
}

/// What a capability allows, in words; unknown ones are called that.
pub(crate) fn words(name: &str) -> String {
    let (bare, reads) = path(name);
    let meaning = KNOWN.iter().find(|(known, ..)| *known == bare).map_or("(unknown)", |(_, _, words)| words);
    if reads { format!("only look at: {meaning}") } else { meaning.to_owned() }
}

/// The capabilities of a request: a list or one text with blanks. Absent, `null`, `""` and `[]` are all
/// `None`.
pub(crate) fn asked(value: Option<&Value>) -> Result<Option<Vec<String>>, Refusal> {
    let names = match value {
        None => Vec::new(),
        Some(Value::String(text)) => text.split_whitespace().map(str::to_owned).collect(),
        Some(other) => texts(other, "capabilities")?,
    };
    Ok((!names.is_empty()).then_some(names))
}

fn path(name: &str) -> (&str, bool) {
    name.strip_prefix("read@").map_or((name, false), |bare| (bare, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capability_covers_its_parts_and_reading_covers_only_reading() {
        let table = [
            ("tokeninfo", "tokeninfo:history", true),
            ("tokeninfo:history", "tokeninfo", false),
            ("tokeninfo", "tokeninfoo", false),
            ("settings", "settings:grants:ssh", true),
            ("settings", "read@settings:grants", true),
            ("settings:grants", "read@settings:grants", true),
            ("settings:grants", "read@settings", false),
            ("read@settings", "read@settings:grants:ssh", true),
            ("read@settings", "settings:grants", false),
            ("at", "AT", false),
        ];
        for (held, needed, expected) in table {
            assert_eq!(covers(held, needed), expected, "{held} for {needed}");
        }
    }

    /// What the parent has, what is asked for, and what is passed on.
    #[test]
    fn a_sub_mytoken_gets_what_is_asked_for_as_far_as_its_parent_has_it() {
        let table = [
            ("AT tokeninfo", "AT", "AT"),
            ("AT tokeninfo", "tokeninfo AT", "tokeninfo AT"),
            ("AT", "AT manage_mytokens", "AT"),
            ("AT", "settings", ""),
            ("AT", "at", ""),
            ("AT", "AT fly", "AT"),
            ("tokeninfo", "tokeninfo:history", "tokeninfo:history"),
            ("tokeninfo:history", "tokeninfo", ""),
            ("manage_mytokens:list", "manage_mytokens", ""),
            (
                "manage_mytokens",
                "manage_mytokens:list manage_mytokens:notify",
                "manage_mytokens:list manage_mytokens:notify",
            ),
            ("manage_mytokens:notify", "read@manage_mytokens:notify", "read@manage_mytokens:notify"),
            ("read@settings", "read@settings:grants:ssh settings:grants", "read@settings:grants:ssh"),
            ("read@settings:grants", "read@settings", ""),
        ];
        let list = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        for (held, wanted, given) in table {
            assert_eq!(common(&list(held), list(wanted)), list(given), "{wanted} of {held}");
        }
    }

    #[test]
    fn nothing_empty_asks_for_no_capabilities_at_all() {
        for value in [Value::Null, Value::String(String::new()), Value::Array(vec![])] {
            assert_eq!(asked(Some(&value)), Ok(None));
        }
        assert_eq!(
            asked(Some(&Value::from("AT tokeninfo"))),
            Ok(Some(vec!["AT".into(), "tokeninfo".into()]))
        );
    }

    #[test]
    fn only_some_names_have_a_reading_twin() {
        assert!(is_known("read@settings:grants") && is_known("settings:email"));
        assert!(!is_known("read@AT") && !is_known("fly"));
    }
}
