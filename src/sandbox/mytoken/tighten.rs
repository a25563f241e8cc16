//! What becomes of the clauses of a sub-mytoken under those of its parent, and under a longest life (§4.5, §4.6).

use std::net::IpAddr;

use super::restriction::{Clause, in_subnet};

/// The clauses of `asked` that are tighter than one of `parent`'s; the others are dropped without a word. If
/// none is left, or none was asked for, the parent's.
///
/// Clauses under the same one of the parent's share its numbers of uses, in the order they were asked for.
pub(crate) fn tightened(parent: &[Clause], asked: Vec<Clause>) -> Vec<Clause> {
    if parent.is_empty() {
        return asked;
    }
    let mut left = parent.to_vec();
    let kept: Vec<Clause> = asked.into_iter().filter(|clause| is_under_one(clause, &mut left)).collect();
    if kept.is_empty() { parent.to_vec() } else { kept }
}

/// Cuts the end of each clause to `last`; without a clause one with only that end is made.
pub(crate) fn shorten(clauses: &mut Vec<Clause>, last: i64) {
    if clauses.is_empty() {
        clauses.push(Clause::default());
    }
    for clause in clauses {
        clause.exp = Some(clause.exp.map_or(last, |exp| exp.min(last)));
    }
}

/// Whether `clause` is tighter than one of `left`, whose numbers of uses are then taken from it.
fn is_under_one(clause: &Clause, left: &mut [Clause]) -> bool {
    let Some(above) = left.iter_mut().find(|above| is_tighter(clause, above)) else { return false };
    let less = |left: Option<i64>, taken: Option<i64>| Some(left?.saturating_sub(taken.unwrap_or_default()));
    above.usages_at = less(above.usages_at, clause.usages_at);
    above.usages_other = less(above.usages_other, clause.usages_other);
    true
}

fn is_tighter(clause: &Clause, parent: &Clause) -> bool {
    let scopes = (clause.scopes(), parent.scopes());
    clause.nbf.unwrap_or_default() >= parent.nbf.unwrap_or_default()
        && at_most(clause.exp, parent.exp)
        && among(&scopes.0, &scopes.1, |scope, allowed| scope == allowed)
        && among(&clause.audience, &parent.audience, |audience, allowed| audience == allowed)
        && among(&clause.hosts, &parent.hosts, is_within)
        && among(&clause.geoip_allow, &parent.geoip_allow, |country, allowed| country == allowed)
        && parent.geoip_disallow.iter().all(|country| clause.geoip_disallow.contains(country))
        && at_most(clause.usages_at, parent.usages_at)
        && at_most(clause.usages_other, parent.usages_other)
}

/// Absent is without limit.
fn at_most(asked: Option<i64>, parent: Option<i64>) -> bool {
    parent.is_none_or(|most| asked.is_some_and(|asked| asked <= most))
}

/// Whether each of `asked`, and there is one, stands in a list that limits anything.
fn among(asked: &[String], parent: &[String], stands_for: impl Fn(&str, &str) -> bool) -> bool {
    parent.is_empty()
        || (!asked.is_empty()
            && asked.iter().all(|one| parent.iter().any(|allowed| stands_for(one, allowed))))
}

/// Whether an address, a subnet or a host name lies in what `allowed` names.
fn is_within(host: &str, allowed: &str) -> bool {
    if host == allowed {
        return true;
    }
    let (Some((net, bits)), Some((inner, inner_bits))) = (subnet(allowed), subnet(host)) else {
        return false;
    };
    inner_bits >= bits && in_subnet(net, bits, inner)
}

/// An address and how many of its first bits count.
fn subnet(text: &str) -> Option<(IpAddr, u32)> {
    let (net, bits) = text.split_once('/').map_or((text, None), |(net, bits)| (net, Some(bits)));
    let net: IpAddr = net.parse().ok()?;
    let whole = if net.is_ipv4() { 32 } else { 128 };
    match bits {
        None => Some((net, whole)),
        Some(bits) => Some((net, bits.parse().ok().filter(|bits| *bits <= whole)?)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn clauses(value: &Value) -> Vec<Clause> {
        serde_json::from_value(value.clone()).expect("clauses")
    }

    /// One clause of the parent, one asked for, and whether the second is kept.
    #[test]
    fn each_member_must_be_as_tight_as_the_parent_s() {
        let table = [
            (json!({}), json!({"usages_AT": 3}), true),
            (json!({"nbf": 10}), json!({"nbf": 10}), true),
            (json!({"nbf": 10}), json!({"nbf": 9}), false),
            (json!({"nbf": 10}), json!({"exp": 90}), false),
            (json!({"exp": 90}), json!({"exp": 90}), true),
            (json!({"exp": 90}), json!({"exp": 91}), false),
            (json!({"exp": 90}), json!({"usages_AT": 1}), false),
            (json!({"scope": "a b"}), json!({"scope": "b"}), true),
            (json!({"scope": "a b"}), json!({"scope": "b c"}), false),
            (json!({"scope": "a b"}), json!({"usages_AT": 1}), false),
            (json!({"audience": ["x", "y"]}), json!({"audience": ["y"]}), true),
            (json!({"audience": ["x"]}), json!({"audience": ["x", "y"]}), false),
            (json!({"hosts": ["192.0.2.0/24"]}), json!({"hosts": ["192.0.2.7"]}), true),
            (json!({"hosts": ["192.0.2.0/24"]}), json!({"hosts": ["192.0.2.64/26"]}), true),
            (json!({"hosts": ["192.0.2.0/24"]}), json!({"hosts": ["192.0.0.0/16"]}), false),
            (json!({"hosts": ["192.0.2.0/24"]}), json!({"hosts": ["192.0.2.7", "192.0.3.7"]}), false),
            (json!({"hosts": ["192.0.2.7"]}), json!({"hosts": ["192.0.2.7/32"]}), true),
            (json!({"hosts": ["2001:db8::/32"]}), json!({"hosts": ["2001:db8:1::/48"]}), true),
            (json!({"hosts": ["0.0.0.0/0"]}), json!({"hosts": ["::1"]}), false),
            (json!({"hosts": ["*.example.org"]}), json!({"hosts": ["*.example.org"]}), true),
            (json!({"hosts": ["192.0.2.0/24"]}), json!({"hosts": ["a.example.org"]}), false),
            (json!({"geoip_allow": ["DE", "FR"]}), json!({"geoip_allow": ["DE"]}), true),
            (json!({"geoip_allow": ["DE"]}), json!({"geoip_allow": ["DE", "US"]}), false),
            (json!({"geoip_disallow": ["US"]}), json!({"geoip_disallow": ["US", "FR"]}), true),
            (json!({"geoip_disallow": ["US", "FR"]}), json!({"geoip_disallow": ["US"]}), false),
            (json!({"usages_AT": 5}), json!({"usages_AT": 5}), true),
            (json!({"usages_AT": 5}), json!({"usages_AT": 6}), false),
            (json!({"usages_AT": 5}), json!({"usages_other": 1}), false),
            (json!({"usages_other": 5}), json!({"usages_other": 0}), true),
            (json!({"usages_other": 5}), json!({"usages_AT": 1}), false),
        ];
        for (parent, asked, is_kept) in table {
            let parents = clauses(&json!([parent]));
            let wanted = clauses(&json!([asked]));
            let expected = if is_kept { wanted.clone() } else { parents.clone() };
            assert_eq!(tightened(&parents, wanted), expected, "{asked} under {parent}");
        }
    }

    /// The parent's clauses, those asked for, and those given.
    #[test]
    fn what_is_not_tighter_is_dropped_and_nothing_left_is_the_parent_s() {
        let table = [
            (json!([]), json!([{"exp": 5}]), json!([{"exp": 5}])),
            (json!([]), json!([]), json!([])),
            (json!([{"exp": 9}]), json!([]), json!([{"exp": 9}])),
            (json!([{"exp": 9}]), json!([{"exp": 10}, {"exp": 8}]), json!([{"exp": 8}])),
            (
                json!([{"scope": "a"}, {"scope": "b", "exp": 9}]),
                json!([{"scope": "b", "exp": 8}, {"scope": "b"}, {"scope": "a"}]),
                json!([{"scope": "b", "exp": 8}, {"scope": "a"}]),
            ),
            (
                json!([{"usages_AT": 5}]),
                json!([{"usages_AT": 3}, {"usages_AT": 3}, {"usages_AT": 2}]),
                json!([{"usages_AT": 3}, {"usages_AT": 2}]),
            ),
            (
                json!([{"usages_AT": 5}, {"usages_AT": 4}]),
                json!([{"usages_AT": 3}, {"usages_AT": 3}, {"usages_AT": 3}]),
                json!([{"usages_AT": 3}, {"usages_AT": 3}]),
            ),
            (
                json!([{"usages_AT": 9, "usages_other": 1}]),
                json!([{"usages_AT": 1, "usages_other": 1}, {"usages_AT": 1, "usages_other": 1}]),
                json!([{"usages_AT": 1, "usages_other": 1}]),
            ),
        ];
        for (parent, asked, given) in table {
            let got = tightened(&clauses(&parent), clauses(&asked));
            assert_eq!(got, clauses(&given), "{asked} under {parent}");
        }
    }

    #[test]
    fn a_longest_life_ends_every_clause_and_makes_one_if_there_is_none() {
        for (before, after) in [
            (json!([]), json!([{"exp": 90}])),
            (json!([{"usages_AT": 3}]), json!([{"usages_AT": 3, "exp": 90}])),
            (json!([{"exp": 80}, {"exp": 99}]), json!([{"exp": 80}, {"exp": 90}])),
        ] {
            let mut cut = clauses(&before);
            shorten(&mut cut, 90);
            assert_eq!(cut, clauses(&after), "{before}");
        }
    }
}
