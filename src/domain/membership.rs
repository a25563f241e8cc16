//! Groups and roles out of the claims that hold them: AARC entitlements, WLCG groups, plain words. Read, never believed: only a service decides
//! by them.

use serde_json::{Map, Value};

use super::jwt::texts;
use super::untrusted::Untrusted;

/// Claims that hold memberships at the providers we know (providers.md §1.3, §3.2, §6).
pub const CLAIMS: [&str; 4] = ["eduperson_entitlement", "entitlements", "wlcg.groups", "groups"];

/// More than this of one claim are not read: a hostile answer may hold any number.
pub const MOST: usize = 1_000;

/// What an entry says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// That one belongs to a group.
    Group,
    /// That one may use a resource (AARC-G027, `res`).
    Capability,
    /// Something else: its text is all that is known.
    Other,
}

/// One entry of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// What it says.
    pub kind: Kind,
    /// The virtual organisation: the first part of a group's name. Of a capability the resource.
    pub vo: Untrusted,
    /// The groups in it, the outermost first; of a capability its parts.
    pub groups: Vec<Untrusted>,
    /// The role, or the actions allowed; empty where none is named.
    pub role: Untrusted,
    /// Who says so; empty where nobody is named.
    pub authority: Untrusted,
    /// The claims that it stands in.
    pub claims: Vec<String>,
    /// As it stands there.
    pub raw: Untrusted,
}

impl Membership {
    /// The group in full, `vo/group/subgroup`, fit to be shown.
    #[must_use]
    pub fn group(&self) -> String {
        let parts = std::iter::once(&self.vo).chain(&self.groups);
        parts.map(Untrusted::shown).collect::<Vec<_>>().join("/")
    }

    /// The same with who says so; for what is no group its text. Fit to be shown.
    #[must_use]
    pub fn group_words(&self) -> String {
        match (self.kind, self.authority.is_empty()) {
            (Kind::Other, _) => self.raw.shown(),
            (_, true) => self.group(),
            (_, false) => format!("{}   ({})", self.group(), self.authority.shown()),
        }
    }

    /// All of it in a line, fit to be shown: `vo/group   role member   (aai.egi.eu)`.
    #[must_use]
    pub fn words(&self) -> String {
        if self.kind == Kind::Other {
            return self.raw.shown();
        }
        let mut words = self.group();
        if !self.role.is_empty() {
            let what = if self.kind == Kind::Capability { "may" } else { "role" };
            words = format!("{words}   {what} {}", self.role.shown());
        }
        if !self.authority.is_empty() {
            words = format!("{words}   ({})", self.authority.shown());
        }
        words
    }
}

/// The memberships that these claims tell of, in their order; `more` are claims that this provider is known to use. What stands in two
/// claims is told once.
#[must_use]
pub fn memberships(claims: &Map<String, Value>, more: &[String]) -> Vec<Membership> {
    let known = CLAIMS.iter().copied();
    let more = more.iter().map(String::as_str).filter(|name| !CLAIMS.contains(name));
    let mut found: Vec<Membership> = Vec::new();
    let mut places: std::collections::HashMap<String, usize> = std::collections::HashMap::new();
    for claim in known.chain(more) {
        for entry in texts(claims.get(claim)).into_iter().take(MOST) {
            if let Some(same) = places.get(entry.raw()).and_then(|at| found.get_mut(*at)) {
                if same.claims.iter().all(|known| known != claim) {
                    same.claims.push(claim.to_owned());
                }
                continue;
            }
            places.insert(entry.raw().to_owned(), found.len());
            found.push(parse(claim, &entry));
        }
    }
    found
}

/// Reads one entry.
#[must_use]
pub fn parse(claim: &str, entry: &Untrusted) -> Membership {
    let text = entry.raw().trim();
    let read = if starts_with_urn(text) {
        urn(text)
    } else if let Some(path) = text.strip_prefix('/') {
        Some(path_of_groups(path))
    } else if text.is_empty() {
        None
    } else {
        Some(Read { kind: Some(Kind::Group), parts: vec![text.to_owned()], ..Read::default() })
    };
    let Read { kind, mut parts, role, authority } = read.unwrap_or_default();
    let is_whole = !parts.is_empty() && parts.iter().all(|part| !part.is_empty());
    let kind = kind.filter(|_| is_whole).unwrap_or(Kind::Other);
    if kind == Kind::Other {
        parts.clear();
    }
    let mut parts = parts.into_iter().map(Untrusted::from);
    Membership {
        kind,
        vo: parts.next().unwrap_or_default(),
        groups: parts.collect(),
        role: role.unwrap_or_default().into(),
        authority: authority.unwrap_or_default().into(),
        claims: vec![claim.to_owned()],
        raw: entry.clone(),
    }
}

#[derive(Default)]
struct Read {
    kind: Option<Kind>,
    parts: Vec<String>,
    role: Option<String>,
    authority: Option<String>,
}

fn starts_with_urn(text: &str) -> bool {
    text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("urn:"))
}

/// `<namespace>:group:<group>[:<subgroup>]…[:role=<role>][#<authority>]` (AARC-G069, before it G002), or
/// `<namespace>:res:<resource>[:<child>]…[:act:<action>[,<action>]…][#<authority>]` (AARC-G027). A namespace has at least
/// `urn:<nid>:<delegated>`, so the word is looked for after those.
fn urn(text: &str) -> Option<Read> {
    let (name, authority) = match text.split_once('#') {
        Some((name, authority)) => (name, Some(decoded(authority))),
        None => (text, None),
    };
    let all: Vec<&str> = name.split(':').collect();
    let at = all.iter().skip(3).position(|part| matches!(*part, "group" | "res"))? + 3;
    let kind = if all.get(at) == Some(&"group") { Kind::Group } else { Kind::Capability };
    let mut parts = Vec::new();
    let mut role = None;
    let mut rest = all.into_iter().skip(at + 1);
    while let Some(part) = rest.next() {
        match (kind, part.strip_prefix("role=")) {
            (Kind::Group, Some(named)) => role = Some(decoded(named)),
            (Kind::Capability, _) if part == "act" => role = rest.next().map(decoded),
            _ => parts.push(decoded(part)),
        }
    }
    Some(Read { kind: Some(kind), parts, role, authority })
}

/// `/vo/group`, as WLCG's profile has it (§ `wlcg.groups`); the older `/vo/Role=production` is read, too.
fn path_of_groups(path: &str) -> Read {
    let mut read = Read { kind: Some(Kind::Group), ..Read::default() };
    for part in path.split('/') {
        match part.split_once('=') {
            Some(("Role", "NULL") | ("Capability", _)) => {}
            Some(("Role", role)) => read.role = Some(role.to_owned()),
            _ => read.parts.push(part.to_owned()),
        }
    }
    read
}

/// A part without its percent encoding (RFC 8141 §2); as it is where that makes no text.
fn decoded(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = code
            .filter(|two| first == b'%' && two.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| part.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Kind, group, role, authority.
    fn read(text: &str) -> (Kind, String, String, String) {
        let found = parse("c", &text.into());
        assert_eq!(found.raw.raw(), text);
        (found.kind, found.group(), found.role.shown(), found.authority.shown())
    }

    #[test]
    fn entitlements_wlcg_groups_and_plain_words_are_told_apart() {
        use Kind::{Capability, Group, Other};
        let table = [
            ("urn:mace:egi.eu:group:dteam:role=member#aai.egi.eu", Group, "dteam", "member", "aai.egi.eu"),
            (
                "urn:mace:egi.eu:group:vo.a.eu:ops:night:role=vm_operator#aai.egi.eu",
                Group,
                "vo.a.eu/ops/night",
                "vm_operator",
                "aai.egi.eu",
            ),
            (
                "urn:geant:helmholtz.de:group:HDF:Sub%20group#login.helmholtz.de",
                Group,
                "HDF/Sub group",
                "",
                "login.helmholtz.de",
            ),
            ("urn:geant:kit.edu:group:bwUniCluster", Group, "bwUniCluster", "", ""),
            ("urn:mace:x:group:group:group#g", Group, "group/group", "", "g"),
            (
                "urn:mace:egi.eu:res:cloud:site:act:read,write#aai.egi.eu",
                Capability,
                "cloud/site",
                "read,write",
                "aai.egi.eu",
            ),
            ("URN:mace:egi.eu:group:dteam#x", Group, "dteam", "", "x"),
            ("urn:mace:egi.eu:aai.egi.eu:member@dteam", Other, "", "", ""),
            ("urn:mace:egi.eu:group:#x", Other, "", "", "x"),
            ("urn:group:a", Other, "", "", ""),
            ("/cms", Group, "cms", "", ""),
            ("/cms/uscms", Group, "cms/uscms", "", ""),
            ("/cms/Role=production/Capability=NULL", Group, "cms", "production", ""),
            ("/cms/Role=NULL", Group, "cms", "", ""),
            ("/", Other, "", "", ""),
            ("physicists", Group, "physicists", "", ""),
            ("", Other, "", "", ""),
        ];
        for (text, kind, group, role, authority) in table {
            let expected = (kind, group.to_owned(), role.to_owned(), authority.to_owned());
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn what_stands_in_two_claims_is_told_once_and_a_provider_s_own_claim_is_read() {
        let dteam = "urn:mace:egi.eu:group:dteam:role=member#aai.egi.eu";
        let claims = json!({"entitlements": [dteam, 7, "urn:x"], "eduperson_entitlement": dteam, "roles": ["r"], "mine": "m"});
        let Value::Object(claims) = claims else { unreachable!() };
        let found = memberships(&claims, &["mine".to_owned(), "entitlements".to_owned()]);
        let told: Vec<_> = found.iter().map(|one| (one.claims.join(" "), one.words())).collect();
        let expected = [
            ("eduperson_entitlement entitlements", "dteam   role member   (aai.egi.eu)"),
            ("entitlements", "urn:x"),
            ("mine", "m"),
        ];
        assert_eq!(told, expected.map(|(claim, words)| (claim.to_owned(), words.to_owned())));
    }

    #[test]
    fn a_hostile_group_reaches_the_screen_as_harmless_text_and_its_number_is_bounded() {
        let found = parse("c", &"urn:a:b:group:x\x1b]52;c;y\x07:role=\u{202e}z#%1b[2J".into());
        assert_eq!(found.words(), "x\\u{1b}]52;c;y\\u{7}   role \\u{202e}z   (\\u{1b}[2J)");
        let many: Vec<String> = (0..MOST + 5).map(|n| format!("g{n}")).collect();
        let Value::Object(claims) = json!({ "groups": many }) else { unreachable!() };
        assert_eq!(memberships(&claims, &[]).len(), MOST);
    }

    proptest! {
        #[test]
        fn no_entry_makes_the_reader_panic_or_shows_a_control(
            text in "(urn:|group|res|act|role=|:|#|/|%|%1b|%ff|Role=|[a-z]|\\PC|\\p{Cc}){0,20}"
        ) {
            let found = parse("c", &text.as_str().into());
            prop_assert!(!found.words().chars().any(char::is_control));
            prop_assert_eq!(found.raw.raw(), text);
        }
    }
}
