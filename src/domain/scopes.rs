//! What a scope lets its holder do, in plain words, and which claims it brings (providers.md §1.3, §3.2, §6).

use serde_json::{Map, Value};

/// A scope that we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its name.
    pub scope: &'static str,
    /// What whoever has the token may do or see, as a sentence's end: `see your email address`.
    pub words: &'static str,
    /// The claims that it brings.
    pub claims: &'static [&'static str],
}

const fn known(scope: &'static str, words: &'static str, claims: &'static [&'static str]) -> Known {
    Known { scope, words, claims }
}

const MAIL: &[&str] = &["email", "email_verified", "voperson_verified_email"];
const NAMES: &[&str] = &["name", "given_name", "family_name", "preferred_username"];

/// All of them.
pub const KNOWN: &[Known] = &[
    known("openid", "know you again by an identifier", &["sub"]),
    known("profile", "see your name and user name", NAMES),
    known("email", "see your email address", MAIL),
    known("phone", "see your telephone number", &["phone_number", "phone_number_verified"]),
    known("address", "see your postal address", &["address"]),
    known("voperson_id", "see the identifier that lasts, whatever you log in with", &["voperson_id"]),
    known("aarc", "see your name, email address and lasting identifier", &["voperson_id", "name", "email"]),
    known("eduperson_entitlement", "see your groups and roles", &["eduperson_entitlement"]),
    known("entitlements", "see your groups and roles, by the newer name", &["entitlements"]),
    known(
        "eduperson_scoped_affiliation",
        "see what you are there: member, staff, student",
        &["eduperson_scoped_affiliation"],
    ),
    known(
        "voperson_external_affiliation",
        "see what you are at your home organisation",
        &["voperson_external_affiliation"],
    ),
    known(
        "eduperson_unique_id",
        "see the identifier that lasts, by its older name",
        &["eduperson_unique_id"],
    ),
    known(
        "eduperson_principal_name",
        "see your user name at your home organisation",
        &["eduperson_principal_name"],
    ),
    known("eduperson_assurance", "see how surely your identity was checked", &["eduperson_assurance"]),
    known("schac_home_organization", "see your home organisation", &["schac_home_organization"]),
    known("org_domain", "see the domain of your home organisation", &["org_domain"]),
    known("orcid", "see your ORCID", &["orcid"]),
    known("ssh_public_key", "see your SSH public key", &["ssh_public_key"]),
    known("credentials", "see your SSH public key and user name", &["ssh_public_key", "ssh_key"]),
    known("cert_entitlement", "see the data of your certificate", &["cert_entitlement"]),
    known("display_name", "see the name you chose to be shown", &["display_name"]),
    known("sn", "see your family name", &["sn"]),
    known("ga4gh_passport_v1", "see your permissions for genomic and health data", &["ga4gh_passport_v1"]),
    known("wlcg", "be a token of the WLCG profile", &["wlcg.ver"]),
    known("wlcg.groups", "see your WLCG groups", &["wlcg.groups"]),
    known("storage.read", "read files at a storage", &[]),
    known("storage.create", "put new files into a storage", &[]),
    known("storage.modify", "change and delete files at a storage", &[]),
    known("storage.stage", "bring files from tape, and read them", &[]),
    known("compute.read", "see jobs", &[]),
    known("compute.create", "start jobs", &[]),
    known("compute.modify", "change jobs", &[]),
    known("compute.cancel", "cancel jobs", &[]),
    known("offline_access", "go on without you: a refresh token comes with it", &[]),
];

/// What is known of a scope, and the value that narrows it: a group for `entitlements:urn:…`, a folder for `storage.read:/dir`.
#[must_use]
pub fn of(scope: &str) -> Option<(&'static Known, Option<&str>)> {
    let find = |name: &str| KNOWN.iter().find(|known| known.scope == name);
    if let Some(known) = find(scope) {
        return Some((known, None));
    }
    let (name, value) = scope.split_once(':')?;
    find(name).map(|known| (known, Some(value)))
}

/// A scope in plain words; `None` for one that is not known. The value in it is as it came: not yet fit to be shown.
#[must_use]
pub fn in_words(scope: &str) -> Option<String> {
    let (known, value) = of(scope)?;
    Some(match value {
        Some(value) => format!("{}: {value} only", known.words),
        None => known.words.to_owned(),
    })
}

/// The scopes among those on offer that would bring claims of which the answer has none. The two names of one thing count as one: whoever has
/// groups by one name misses none by the other.
#[must_use]
pub fn would_bring<'a>(
    offered: impl IntoIterator<Item = &'a str>,
    claims: &Map<String, Value>,
) -> Vec<&'static Known> {
    const SAME: [[&str; 2]; 2] =
        [["eduperson_entitlement", "entitlements"], ["voperson_id", "eduperson_unique_id"]];
    let there = |claim: &str| {
        claims.contains_key(claim)
            || SAME
                .iter()
                .any(|two| two.contains(&claim) && two.iter().any(|name| claims.contains_key(*name)))
    };
    let mut found: Vec<&'static Known> = Vec::new();
    for scope in offered {
        if let Some((known, None)) = of(scope)
            && !known.claims.is_empty()
            && !known.claims.iter().any(|claim| there(claim))
            && !found.contains(&known)
        {
            found.push(known);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_scope_is_told_in_words_with_the_value_that_narrows_it() {
        assert_eq!(in_words("email").as_deref(), Some("see your email address"));
        assert_eq!(
            in_words("entitlements:urn:mace:egi.eu:group:x#y").as_deref(),
            Some("see your groups and roles, by the newer name: urn:mace:egi.eu:group:x#y only")
        );
        assert_eq!(in_words("storage.read:/cms").as_deref(), Some("read files at a storage: /cms only"));
        assert_eq!((in_words("nonsense"), in_words("nonsense:email"), in_words("")), (None, None, None));
        let mut names: Vec<_> = KNOWN.iter().map(|known| known.scope).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), KNOWN.len());
    }

    #[test]
    fn what_would_bring_more_is_what_is_offered_and_brought_nothing() {
        let Value::Object(claims) = json!({"sub": "s", "name": "n", "entitlements": []}) else {
            unreachable!()
        };
        let offered = [
            "openid",
            "profile",
            "email",
            "eduperson_entitlement",
            "voperson_id",
            "offline_access",
            "email",
            "x",
        ];
        let names: Vec<_> = would_bring(offered, &claims).iter().map(|known| known.scope).collect();
        assert_eq!(names, ["email", "voperson_id"]);
    }
}
