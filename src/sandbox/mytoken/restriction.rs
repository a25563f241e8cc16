//! When, where, for what and how often a mytoken may be used: clauses and their counters (§4).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The members of a clause that 0.10 knows, in the order of the discovery document.
pub(crate) const KEYS: [&str; 9] = [
    "nbf",
    "exp",
    "scope",
    "audience",
    "hosts",
    "geoip_allow",
    "geoip_disallow",
    "usages_AT",
    "usages_other",
];

/// One clause: all its members must hold. A mytoken may be used if one of its clauses allows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Clause {
    /// Usable from this second on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// Usable up to this second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    /// The scopes access tokens may have, separated by blanks; absent: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The audiences access tokens may have; empty: any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub audience: Vec<String>,
    /// Addresses, subnets or host names it may be used from; empty: any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Countries it may be used from; empty: any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub geoip_allow: Vec<String>,
    /// Countries it may not be used from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub geoip_disallow: Vec<String>,
    /// How many access tokens; absent: any number, 0: none.
    #[serde(rename = "usages_AT", skip_serializing_if = "Option::is_none")]
    pub usages_at: Option<i64>,
    /// How many other uses; absent: any number, 0: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usages_other: Option<i64>,
}

/// How often a clause was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) at: i64,
    pub(crate) other: i64,
}

/// The counters of one mytoken, by the text of the clause: two identical clauses share theirs (§4.7).
pub(crate) type Counters = BTreeMap<String, Done>;

/// What a mytoken is to be used for.
#[derive(Clone, Debug)]
pub(crate) enum Use {
    /// An access token with these scopes and audiences (empty: not stated).
    AccessToken { scopes: Vec<String>, audiences: Vec<String> },
    /// Anything else that counts.
    Other,
}

/// From where, and when.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) address: IpAddr,
    pub(crate) country: String,
    pub(crate) now: i64,
}

impl Clause {
    /// Whether nothing is restricted by it.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The scopes it names.
    pub(crate) fn scopes(&self) -> Vec<String> {
        words(self.scope.as_deref())
    }

    /// The same without the members that are not in `keys`: those an operator switched off.
    pub(crate) fn limited_to(&self, keys: &[String]) -> Self {
        let on = |key: &str| keys.iter().any(|known| known == key);
        let list = |key: &str, list: &Vec<String>| if on(key) { list.clone() } else { Vec::new() };
        Self {
            nbf: self.nbf.filter(|_| on("nbf")),
            exp: self.exp.filter(|_| on("exp")),
            scope: self.scope.clone().filter(|_| on("scope")),
            audience: list("audience", &self.audience),
            hosts: list("hosts", &self.hosts),
            geoip_allow: list("geoip_allow", &self.geoip_allow),
            geoip_disallow: list("geoip_disallow", &self.geoip_disallow),
            usages_at: self.usages_at.filter(|_| on("usages_AT")),
            usages_other: self.usages_other.filter(|_| on("usages_other")),
        }
    }

    /// Whether it allows `wanted` there and then, having been used `done` often.
    pub(crate) fn allows(&self, wanted: &Use, place: &Place, done: Done) -> bool {
        self.nbf.is_none_or(|nbf| place.now >= nbf)
            && self.exp.is_none_or(|exp| place.now <= exp)
            && (self.hosts.is_empty() || self.hosts.iter().any(|host| is_host(host, place.address)))
            && (self.geoip_allow.is_empty() || self.geoip_allow.contains(&place.country))
            && !self.geoip_disallow.contains(&place.country)
            && match wanted {
                Use::AccessToken { scopes, audiences } => {
                    let allowed = self.scopes();
                    (self.scope.is_none() || scopes.iter().all(|scope| allowed.contains(scope)))
                        && (self.audience.is_empty()
                            || audiences.iter().all(|audience| self.audience.contains(audience)))
                        && self.usages_at.is_none_or(|most| done.at < most)
                }
                Use::Other => self.usages_other.is_none_or(|most| done.other < most),
            }
    }

    /// The name its counters have.
    pub(crate) fn key(&self) -> String {
        json!(self).to_string()
    }

    /// Its members and, once it was used, how often (§2.5.1).
    pub(crate) fn with_counters(&self, counters: &Counters) -> Value {
        let mut clause = json!(self);
        if let (Some(members), Some(done)) = (clause.as_object_mut(), counters.get(&self.key())) {
            members.insert("usages_AT_done".to_owned(), done.at.into());
            members.insert("usages_other_done".to_owned(), done.other.into());
        }
        clause
    }
}

/// What the clauses say to a use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// There are none: anything goes.
    Free,
    /// This one allows it; it is the one that counts.
    By(Clause),
    /// None allows it.
    Refused,
    /// The server breaks down over a clause with `usages_other` alone (§4.7).
    Crash,
}

/// The first clause that allows `wanted`. `keys` are the honoured members; `crashes` is the fault of §4.7.
pub(crate) fn evaluate(
    clauses: &[Clause],
    counters: &Counters,
    wanted: &Use,
    place: &Place,
    keys: &[String],
    crashes: bool,
) -> Verdict {
    if clauses.is_empty() {
        return Verdict::Free;
    }
    for clause in clauses {
        let done = counters.get(&clause.key()).copied().unwrap_or_default();
        let honoured = clause.limited_to(keys);
        let alone = honoured.usages_other.is_some() && honoured.usages_at.is_none();
        if crashes && alone && done.other > 0 && matches!(wanted, Use::Other) {
            return Verdict::Crash;
        }
        if honoured.allows(wanted, place, done) {
            return Verdict::By(clause.clone());
        }
    }
    Verdict::Refused
}

/// Counts one use of `clause`.
pub(crate) fn count(counters: &mut Counters, clause: &Clause, wanted: &Use) {
    let done = counters.entry(clause.key()).or_default();
    match wanted {
        Use::AccessToken { .. } => done.at += 1,
        Use::Other => done.other += 1,
    }
}

/// The end of a mytoken with these clauses: the latest, or none if one of them has none (§4.4).
pub(crate) fn end(clauses: &[Clause]) -> Option<i64> {
    clauses.iter().map(|clause| clause.exp).collect::<Option<Vec<_>>>()?.into_iter().max()
}

/// The start of it: the earliest, if all have one.
pub(crate) fn start(clauses: &[Clause]) -> Option<i64> {
    clauses.iter().map(|clause| clause.nbf).collect::<Option<Vec<_>>>()?.into_iter().min()
}

/// What 0.10.2 makes of the clauses after a login, given what the provider granted (§4.6): a member of which
/// nothing is left vanishes, and the clause then allows anything. Each clause's scopes are cut to what the
/// clauses before it left over.
pub(crate) fn cut(clauses: &mut [Clause], scope: Option<&str>, audience: &[String]) {
    if let Some(granted) = scope {
        let mut left: BTreeSet<String> = words(Some(granted)).into_iter().collect();
        for clause in clauses.iter_mut().filter(|clause| clause.scope.is_some()) {
            let kept: Vec<String> =
                clause.scopes().into_iter().filter(|scope| left.contains(scope)).collect();
            left = kept.iter().cloned().collect();
            clause.scope = (!kept.is_empty()).then(|| kept.join(" "));
        }
    }
    if !audience.is_empty() {
        for clause in clauses.iter_mut() {
            clause.audience.retain(|allowed| audience.contains(allowed));
        }
    }
}

/// A text split at blanks; absent is empty.
pub(crate) fn words(text: Option<&str>) -> Vec<String> {
    text.unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

/// Whether `address` is what `host` names: an address, a subnet, or a host name. Of names only those of
/// loopback addresses are known here, where the real server asks for the name of the address.
fn is_host(host: &str, address: IpAddr) -> bool {
    if let Ok(exact) = host.parse::<IpAddr>() {
        return exact == address;
    }
    if let Some((net, bits)) = host.split_once('/') {
        return matches!((net.parse(), bits.parse()), (Ok(net), Ok(bits)) if in_subnet(net, bits, address));
    }
    address.is_loopback() && (host == "localhost" || host == "*.localhost")
}

/// Whether `address` begins with the first `bits` bits of `net`.
pub(crate) fn in_subnet(net: IpAddr, bits: u32, address: IpAddr) -> bool {
    match (net, address) {
        (IpAddr::V4(net), IpAddr::V4(address)) if bits <= 32 => {
            let shift = 32 - bits;
            net.to_bits().checked_shr(shift) == address.to_bits().checked_shr(shift)
        }
        (IpAddr::V6(net), IpAddr::V6(address)) if bits <= 128 => {
            let shift = 128 - bits;
            net.to_bits().checked_shr(shift) == address.to_bits().checked_shr(shift)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str) -> Place {
        Place { address: address.parse().expect("an address"), country: "DE".to_owned(), now: 1000 }
    }

    fn clause(members: Value) -> Clause {
        serde_json::from_value(members).expect("a clause")
    }

    fn access(scopes: &[&str], audiences: &[&str]) -> Use {
        Use::AccessToken {
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            audiences: audiences.iter().map(|&audience| audience.to_owned()).collect(),
        }
    }

    fn keys() -> Vec<String> {
        KEYS.map(str::to_owned).to_vec()
    }

    #[test]
    fn each_member_of_a_clause_is_checked() {
        let here = at("127.0.0.1");
        let table = [
            (json!({}), true),
            (json!({"nbf": 1000}), true),
            (json!({"nbf": 1001}), false),
            (json!({"exp": 1000}), true),
            (json!({"exp": 999}), false),
            (json!({"hosts": ["127.0.0.1"]}), true),
            (json!({"hosts": ["127.0.0.2"]}), false),
            (json!({"hosts": ["127.0.0.2", "127.0.0.0/30"]}), true),
            (json!({"hosts": ["127.0.0.4/30"]}), false),
            (json!({"hosts": ["0.0.0.0/0"]}), true),
            (json!({"hosts": ["127.0.0.0/33"]}), false),
            (json!({"hosts": ["localhost"]}), true),
            (json!({"hosts": ["this"]}), false),
            (json!({"geoip_allow": ["DE"]}), true),
            (json!({"geoip_allow": ["de"]}), false),
            (json!({"geoip_disallow": ["DE"]}), false),
            (json!({"geoip_disallow": ["de"]}), true),
            (json!({"usages_AT": 0}), false),
            (json!({"usages_AT": 1}), true),
            (json!({"usages_other": 0}), true),
        ];
        for (members, expected) in table {
            let allowed = clause(members.clone()).allows(&access(&[], &[]), &here, Done::default());
            assert_eq!(allowed, expected, "{members}");
        }
    }

    #[test]
    fn scopes_and_audiences_must_be_among_those_of_the_clause() {
        let here = at("127.0.0.1");
        let limited = clause(json!({"scope": "openid profile", "audience": ["a"]}));
        let allows = |scopes: &[&str], audiences: &[&str]| {
            limited.allows(&access(scopes, audiences), &here, Done::default())
        };
        assert!(allows(&[], &[]) && allows(&["profile"], &["a"]));
        assert!(!allows(&["openid", "email"], &[]) && !allows(&[], &["a", "b"]));
        assert!(limited.allows(&Use::Other, &here, Done::default()));
    }

    #[test]
    fn an_ipv6_subnet_holds_its_addresses_only() {
        assert!(is_host("2001:db8::/32", "2001:db8:1::1".parse().expect("v6")));
        assert!(!is_host("2001:db8::/32", "2001:db9::1".parse().expect("v6")));
        assert!(!is_host("::/0", "127.0.0.1".parse().expect("v4")));
    }

    #[test]
    fn the_first_clause_that_allows_a_use_is_the_one_that_counts() {
        let clauses = [clause(json!({"scope": "openid", "usages_AT": 1})), clause(json!({"usages_AT": 1}))];
        let (mut counters, wanted, here) = (Counters::new(), access(&["openid"], &[]), at("127.0.0.1"));
        for expected in [Some(&clauses[0]), Some(&clauses[1]), None] {
            match evaluate(&clauses, &counters, &wanted, &here, &keys(), true) {
                Verdict::By(chosen) => {
                    assert_eq!(Some(&chosen), expected);
                    count(&mut counters, &chosen, &wanted);
                }
                verdict => assert_eq!((verdict, expected), (Verdict::Refused, None)),
            }
        }
        assert_eq!(clauses[0].with_counters(&counters)["usages_AT_done"], 1);
        assert_eq!(clauses[0].with_counters(&counters)["usages_other_done"], 0);
    }

    #[test]
    fn identical_clauses_share_their_counter() {
        let same = clause(json!({"usages_AT": 1}));
        let clauses = [same.clone(), same.clone()];
        let (mut counters, wanted) = (Counters::new(), access(&[], &[]));
        count(&mut counters, &same, &wanted);
        let verdict = evaluate(&clauses, &counters, &wanted, &at("127.0.0.1"), &keys(), true);
        assert_eq!(verdict, Verdict::Refused);
    }

    #[test]
    fn usages_other_alone_breaks_at_the_second_other_use_unless_the_fault_is_off() {
        let alone = clause(json!({"usages_other": 3}));
        let mut counters = Counters::new();
        count(&mut counters, &alone, &Use::Other);
        let says = |wanted: &Use, crashes| {
            evaluate(std::slice::from_ref(&alone), &counters, wanted, &at("127.0.0.1"), &keys(), crashes)
        };
        assert_eq!(says(&Use::Other, true), Verdict::Crash);
        assert_eq!(says(&Use::Other, false), Verdict::By(alone.clone()));
        assert_eq!(says(&access(&[], &[]), true), Verdict::By(alone.clone()));
    }

    #[test]
    fn members_that_are_switched_off_do_not_restrict() {
        let local = clause(json!({"hosts": ["192.0.2.1"], "usages_AT": 3}));
        let some: Vec<String> = vec!["usages_AT".to_owned()];
        assert_eq!(local.limited_to(&some), clause(json!({"usages_AT": 3})));
        let verdict = evaluate(&[local], &Counters::new(), &Use::Other, &at("127.0.0.1"), &some, true);
        assert!(matches!(verdict, Verdict::By(_)));
    }

    #[test]
    fn a_mytoken_ends_with_its_last_clause_unless_one_has_no_end() {
        let (short, long, open) =
            (clause(json!({"exp": 5})), clause(json!({"exp": 9, "nbf": 3})), Clause::default());
        assert_eq!(end(&[short.clone(), long.clone()]), Some(9));
        assert_eq!(end(&[short.clone(), open]), None);
        assert_eq!(start(&[short, long.clone()]), None);
        assert_eq!(start(&[long]), Some(3));
    }

    #[test]
    fn after_a_login_clauses_are_cut_against_each_other_and_can_lose_their_scope() {
        let after = |scopes: &[&str], granted: &str| {
            let mut clauses: Vec<Clause> =
                scopes.iter().map(|scope| clause(json!({"scope": scope}))).collect();
            cut(&mut clauses, Some(granted), &[]);
            clauses.into_iter().map(|clause| clause.scope.unwrap_or_default()).collect::<Vec<_>>()
        };
        let all = "openid profile email storage.read offline_access";
        assert_eq!(after(&["openid", "storage.read"], all), ["openid", ""]);
        assert_eq!(
            after(&["openid profile", "openid storage.read", "openid email"], all),
            ["openid profile", "openid", "openid"]
        );
        assert_eq!(after(&["storage.read"], "openid"), [""]);
    }

    #[test]
    fn after_a_login_only_audiences_of_the_access_token_are_left() {
        let mut clauses = [clause(json!({"audience": ["a"]})), clause(json!({"audience": ["a", "b"]}))];
        cut(&mut clauses, None, &["b".to_owned()]);
        assert_eq!(clauses, [Clause::default(), clause(json!({"audience": ["b"]}))]);
    }
}
