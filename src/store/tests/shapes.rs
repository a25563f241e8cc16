//! Every shape a credential can have goes to disk and comes back the same.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use serde_json::Map;

use super::super::codec::{self, Row};
use super::super::*;
use crate::domain::credential::{
    AccessToken, Ask, ChainEnd, Copy, Custody, Got, Health, Identity, MytokenGrant, Pause, RefreshGrant,
};
use crate::domain::mytoken::{Capability, Clause, Facts, Rotation};
use crate::domain::source::{Client, ClientAuth, SourceId};
use crate::domain::time::Uptime;
use crate::domain::untrusted::Untrusted;

fn moment() -> impl Strategy<Value = jiff::Timestamp> {
    (-10_000_000_000_i64..100_000_000_000, 0..1_000_000_000_i32)
        .prop_map(|(seconds, nanos)| jiff::Timestamp::new(seconds, nanos).expect("in range"))
}

fn text() -> impl Strategy<Value = Untrusted> {
    any::<String>().prop_map(Untrusted::new)
}

fn secret() -> impl Strategy<Value = Secret> {
    any::<String>().prop_map(Secret::new)
}

fn words() -> impl Strategy<Value = BTreeSet<String>> {
    proptest::collection::btree_set(any::<String>(), 0..3)
}

prop_compose! {
    fn ask()(scopes in words(), audiences in words()) -> Ask {
        Ask { scopes, audiences }
    }
}

prop_compose! {
    fn copy()(value in secret(), number: u64, prints in vec(any::<[u8; 32]>(), 0..4)) -> Copy {
        Copy { value, number, superseded: prints.into_iter().map(Fingerprint::from_bytes).collect() }
    }
}

prop_compose! {
    fn token()(value in secret(), obtained in moment(), expires in of(moment()), granted in of(vec(text(), 0..3)), id_token in of(secret()),
        ends_up in of((any::<u128>(), any::<u32>())), skew in of(-100_000_000_i64..100_000_000)) -> AccessToken
    {
        AccessToken {
            value, obtained, expires, granted, id_token,
            ends_up: ends_up.map(|(start, since)| Uptime { start, since: SignedDuration::from_millis(since.into()) }),
            skew: skew.map(SignedDuration::from_millis),
        }
    }
}

prop_compose! {
    fn clause()(times in (of(moment()), of(moment())), lists in vec(of(vec(text(), 0..3)), 5), counts in vec(of(any::<u64>()), 4),
        unknown in vec(text(), 0..2)) -> Clause
    {
        let list = |n: usize| lists[n].clone();
        Clause {
            not_before: times.0, expires: times.1, scopes: list(0), audiences: list(1), hosts: list(2), countries_allowed: list(3),
            countries_refused: list(4), uses_at: counts[0], uses_other: counts[1], used_at: counts[2], used_other: counts[3], unknown,
        }
    }
}

prop_compose! {
    fn facts()(texts in vec(text(), 3), options in vec(of(text()), 2), number in of(any::<u64>()), times in vec(of(moment()), 4),
        capabilities in vec(text(), 0..3), restrictions in vec(clause(), 0..3), rotation in of((any::<[bool; 3]>(), of(any::<u64>())))) -> Facts
    {
        Facts {
            server: texts[0].clone(), provider: texts[1].clone(), subject: texts[2].clone(), name: options[0].clone(),
            mom_id: options[1].clone(), copy: number, issued: times[0], not_before: times[1], expires: times[2], logged_in: times[3],
            capabilities: capabilities.into_iter().map(Capability).collect(), restrictions,
            rotation: rotation.map(|([on_at, on_other, auto_revoke], lifetime)| Rotation { on_at, on_other, lifetime, auto_revoke }),
        }
    }
}

fn grant() -> impl Strategy<Value = Grant> {
    let ends = prop_oneof![Just(ChainEnd::Open), Just(ChainEnd::Unknown), moment().prop_map(ChainEnd::At)];
    let auth = prop_oneof![Just(ClientAuth::None), Just(ClientAuth::Basic), Just(ClientAuth::Post)];
    let login = (
        any::<String>(),
        any::<String>(),
        of(secret()),
        auth,
        vec(any::<String>(), 0..3),
        copy(),
        ends,
        any::<bool>(),
    )
        .prop_map(|(issuer, id, secret, auth, scopes, current, ends, rotates)| {
            Grant::Refresh(RefreshGrant {
                issuer,
                client: Client { id, secret, auth },
                scopes,
                current,
                ends,
                rotates,
                endpoint: None,
                got: Some(Got::Device),
            })
        });
    let mytoken = (any::<String>(), copy(), facts(), of(moment()), any::<bool>()).prop_map(
        |(server, current, facts, heard, short)| {
            Grant::Mytoken(Box::new(MytokenGrant { server, current, facts, heard, short }))
        },
    );
    prop_oneof![login, mytoken, Just(Grant::Bare)]
}

fn health() -> impl Strategy<Value = Health> {
    prop_oneof![
        Just(Health::Ok),
        any::<String>().prop_map(Health::InDoubt),
        any::<String>().prop_map(Health::NeedsLogin),
        any::<String>().prop_map(Health::Dead),
    ]
}

prop_compose! {
    fn credential()(grant in grant(), health in health(), ask in ask(), access in vec((ask(), token()), 0..3),
        identity in of((text(), text(), of(text()))), source: String, since in moment(), pause in of((moment(), any::<u32>(), any::<String>()))) -> Credential
    {
        Credential {
            id: CredentialId("0123456789abcdef".to_owned()), name: "toar".to_owned(), source: SourceId(source),
            identity: identity.map(|(issuer, subject, label)| Identity { issuer, subject, label }),
            grant, custody: Custody::Sealed, health, ask, access, since,
            pause: pause.map(|(until, tries, why)| Pause { until, tries, why }),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_reads_the_same(credential in credential()) {
        let own = Key::random().expect("random");
        let wrapping = Key::random().expect("random");
        let wrapped = file::wrapped(&own, &credential.id, &wrapping).expect("random");
        let mut open = shared::open_part(&credential.id, 7, "store", &wrapped);
        let mut more = Map::new();
        more.insert("of a later version".to_owned(), true.into());
        open.state = Some(Row::of(&credential, more.clone()));
        let line = file::state_line(&open, &own, &credential, more.clone()).expect("written");
        let found = file::read(&line, "toar").expect("reads");
        prop_assert_eq!((found.doubt, found.number, found.mend), (None, 7, false));
        prop_assert_eq!(&found.state.row.more, &more);
        let key = found.state.key(&wrapping).expect("opens");
        let (read, kept) = found.state.opened(&key).expect("opens");
        prop_assert_eq!(kept, more);
        let locked = found.state.row.held(&credential.id, Custody::Sealed, found.state.row.health());
        let full = credential.held();
        prop_assert_eq!((&locked.name, &locked.source, &locked.health, locked.since, &locked.pause), (&full.name, &full.source, &full.health, full.since, &full.pause));
        prop_assert_eq!(locked.chain_ends(), full.chain_ends());
        prop_assert_eq!(locked.chief().map(|token| (token.expires, token.length)), full.chief().map(|token| (token.expires, token.length)));
        prop_assert_eq!(read, credential);
        let foreign = codec::sealed(&read_back(&found), Map::new());
        prop_assert!(foreign.is_some());
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in vec(any::<u8>(), 0..400), cut in 0..400_usize) {
        drop(file::read(&bytes, "toar"));
        let mut line = record::line(br#"{"v":1,"id":"a","n":1}"#, "AAAA");
        line.truncate(cut);
        line.extend(bytes);
        drop(file::read(&line, "toar"));
    }
}

fn read_back(found: &file::Found) -> Credential {
    slot::Slot::new(found.state.id(), slot::Known::default()).stand_in()
}
