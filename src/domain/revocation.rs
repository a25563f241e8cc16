//! What revoking something held ends, and what it does not end (RFC 7009 §2.1; providers.md §7.5).

use super::credential::{Chain, Held};
use super::portal;
use super::source::Source;
use super::untrusted::cleaned;

/// What a revocation ends, each in a few words, the thing itself first. `source`: its row, if it is listed.
#[must_use]
pub fn ends(held: &Held, source: Option<&Source>) -> Vec<String> {
    let at = source.map_or_else(|| held.source.as_str().to_owned(), |source| source.name.clone());
    let (name, at) = (cleaned(&held.name), cleaned(&at));
    match &held.chain {
        Chain::Mytoken { .. } => {
            vec![format!("the mytoken {name}, at {at}: it gives no access tokens any more")]
        }
        Chain::None => vec![format!("the access token {name}, at {at}, where that honours it")],
        Chain::Refresh { through, .. } => {
            let mut ends =
                vec![format!("the login {name}, at {at}: its refresh token, it is renewed no more")];
            let issuer = source.and_then(Source::issuer);
            ends.extend(issuer.iter().flat_map(|issuer| issuer.revoking.iter().map(|what| cleaned(what))));
            let client = through.client.as_deref().unwrap_or_default();
            if issuer.is_some_and(|issuer| issuer.public_clients.iter().any(|public| public.id == client)) {
                ends.push(format!(
                    "perhaps logins that another program holds for you: {} is its client id, and you borrow it",
                    cleaned(client)
                ));
            }
            ends
        }
    }
}

/// What a revocation of a login leaves alive, each in a few words.
#[must_use]
pub fn spares(held: &Held) -> Vec<String> {
    let Chain::Refresh { through, .. } = &held.chain else { return Vec::new() };
    let mut spares =
        vec!["services that check offline accept access tokens already handed out until they end".to_owned()];
    if through.client.as_deref() == Some(portal::CLIENT) {
        spares.push(format!(
            "other refresh tokens from the token portal live on: removing the access of {} in the account console ends all",
            portal::CLIENT
        ));
    }
    spares
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::credential::{ChainEnd, Through};
    use crate::domain::source::{Issuer, Origin, PublicClient, Redirect, SourceKind};
    use crate::domain::time::from_epoch;

    fn login(client: &str) -> Held {
        let through = Through { client: Some(client.to_owned()), got: None };
        let chain = Chain::Refresh { ends: ChainEnd::Open, rotates: false, session_only: false, through };
        Held::sample("egi", "egi", chain, from_epoch(0))
    }

    fn source() -> Source {
        let mut issuer = Issuer::at("https://op.example");
        issuer.revoking = vec!["the whole session".to_owned()];
        let (id, note, redirect) = ("oidc-agent".to_owned(), String::new(), Redirect::default());
        issuer.public_clients = vec![PublicClient { id, note, redirect }];
        Source {
            id: "egi".into(),
            name: "EGI".to_owned(),
            note: String::new(),
            origin: Origin::Preset,
            kind: SourceKind::Issuer(Box::new(issuer)),
            manage_url: None,
            register_url: None,
            hints: Vec::new(),
            folded: false,
        }
    }

    #[test]
    fn a_client_of_ones_own_ends_what_the_provider_is_known_to_end_and_a_borrowed_one_perhaps_more() {
        let source = source();
        let own = ends(&login("mine"), Some(&source));
        assert_eq!(own[1..], ["the whole session"]);
        let borrowed = ends(&login("oidc-agent"), Some(&source));
        assert!(borrowed.len() == 3 && borrowed[2].contains("oidc-agent"), "{borrowed:?}");
        assert_eq!(ends(&login("oidc-agent"), None).len(), 1, "nothing is known of that one");
    }

    #[test]
    fn what_a_service_has_been_given_lives_on_and_so_do_the_others_of_a_portal() {
        assert_eq!(spares(&login("mine")).len(), 1);
        let portal = spares(&login("token-portal"));
        assert!(portal.len() == 2 && portal[1].contains("account console"), "{portal:?}");
        let bare = Held { chain: Chain::None, ..login("mine") };
        assert!(spares(&bare).is_empty());
    }
}
