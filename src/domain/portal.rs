//! EGI's Token Portals, and what became of the servers that they spoke to before 2022 (providers.md §1.1, §1.6, §2).

use jiff::Timestamp;

use super::jwt::Jwt;
use super::time::from_epoch;

/// The client that every refresh token of a portal was given to: another one cannot use it.
pub const CLIENT: &str = "token-portal";

/// One of EGI's instances. None takes the tokens of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instance {
    /// Real services.
    Production,
    /// Services in integration.
    Demo,
    /// Services in development.
    Development,
}

impl Instance {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Production, Self::Demo, Self::Development];

    /// The word that commands know it by.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Demo => "demo",
            Self::Development => "dev",
        }
    }

    /// The instance that a word means.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|instance| instance.word() == word)
    }

    /// The short word of its provider here (`assets/providers.toml`).
    #[must_use]
    pub const fn source(self) -> &'static str {
        match self {
            Self::Production => "egi",
            Self::Demo => "egi-demo",
            Self::Development => "egi-dev",
        }
    }

    /// Its portal's page.
    #[must_use]
    pub const fn page(self) -> &'static str {
        match self {
            Self::Production => "https://aai.egi.eu/token",
            Self::Demo => "https://aai-demo.egi.eu/token",
            Self::Development => "https://aai-dev.egi.eu/token",
        }
    }

    /// The issuer of its tokens.
    #[must_use]
    pub const fn issuer(self) -> &'static str {
        match self {
            Self::Production => "https://aai.egi.eu/auth/realms/egi",
            Self::Demo => "https://aai-demo.egi.eu/auth/realms/egi",
            Self::Development => "https://aai-dev.egi.eu/auth/realms/egi",
        }
    }

    /// The issuer of its tokens before EGI moved.
    #[must_use]
    pub const fn former_issuer(self) -> &'static str {
        match self {
            Self::Production => "https://aai.egi.eu/oidc/",
            Self::Demo => "https://aai-demo.egi.eu/oidc/",
            Self::Development => "https://aai-dev.egi.eu/oidc/",
        }
    }

    /// The day on which the former one was switched off.
    #[must_use]
    pub const fn moved(self) -> &'static str {
        match self {
            Self::Production => "21 October 2022",
            Self::Demo | Self::Development => "24 June 2022",
        }
    }

    /// What became of the former one, in a sentence.
    #[must_use]
    pub fn history(self) -> String {
        format!(
            "EGI switched that server off on {}; {} took its place and knows none of its tokens.",
            self.moved(),
            self.issuer()
        )
    }
}

/// The history of an issuer that is no more, in a sentence; `None` for one of which we know none.
#[must_use]
pub fn history_of(issuer: &str) -> Option<String> {
    let bare = |text: &str| text.trim_end_matches('/').to_owned();
    let is_it = |instance: &Instance| bare(instance.former_issuer()) == bare(issuer);
    Instance::ALL.into_iter().find(is_it).map(Instance::history)
}

/// Why a refresh token is not one of a portal's, and what to do instead. Nothing is sent to find that out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// The fact.
    pub why: String,
    /// The cure.
    pub cure: String,
}

/// Whether this refresh token can be one of this instance's portal, whose issuer here is `issuer`: its `iss` and `azp` say so. Every one of
/// the present servers names both; the former ones' named neither.
#[must_use]
pub fn foreign(instance: Instance, issuer: &str, name: &str, jwt: &Jwt, now: Timestamp) -> Option<Foreign> {
    let log_in = format!(
        "It was not sent anywhere. Log in: toktui login {} --name {}; or get a new one at {}",
        instance.source(),
        super::snippet::in_shell(name),
        instance.page()
    );
    let no = |why: String, cure: String| Some(Foreign { why, cure });
    let Some(named) = jwt.text("iss") else {
        let why =
            format!("it names no issuer, as the tokens of EGI's former server did. {}", instance.history());
        return no(why, log_in);
    };
    if named.raw() != issuer {
        if let Some(history) = history_of(named.raw()) {
            return no(format!("it is of {}. {history}", named.shown_within(120)), log_in);
        }
        let other =
            Instance::ALL.into_iter().find(|other| other.issuer() == named.raw() && *other != instance);
        return match other {
            Some(other) => no(
                format!("it is of the {} portal, and no instance takes another's", other.word()),
                format!("It was not sent anywhere. Keep it with --portal {}.", other.word()),
            ),
            None => no(
                format!("it is of another issuer, {}", named.shown_within(120)),
                "It was not sent anywhere. Without --portal it is kept for that one, if it is listed."
                    .to_owned(),
            ),
        };
    }
    match jwt.text("azp") {
        Some(client) if client.raw() == CLIENT => {}
        client => {
            let whose = client.map_or("no client".to_owned(), |client| client.shown_within(80));
            return no(
                format!("it was given to {whose}, and not to {CLIENT}"),
                "It was not sent anywhere. Without --portal it is kept for the client that it names."
                    .to_owned(),
            );
        }
    }
    // Keycloak's offline tokens may carry a zero for "no fixed end".
    let ended = jwt.moment("exp").filter(|end| *end > from_epoch(0) && *end <= now);
    ended.and_then(|end| no(format!("it ended on {}", end.strftime("%Y-%m-%d %H:%M UTC")), log_in))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn why(instance: Instance, claims: Value) -> Option<Foreign> {
        let Value::Object(claims) = claims else { unreachable!() };
        let jwt = Jwt { header: serde_json::Map::new(), claims, signature: 64 };
        foreign(instance, instance.issuer(), "egi", &jwt, from_epoch(1_000))
    }

    #[test]
    fn a_refresh_token_that_is_no_portal_s_is_named_with_its_cure() {
        let here = Instance::Production.issuer();
        let ok = json!({"iss": here, "azp": "token-portal", "typ": "Offline"});
        assert_eq!(why(Instance::Production, ok), None);
        assert_eq!(why(Instance::Production, json!({"iss": here, "azp": "token-portal", "exp": 0})), None);
        let table = [
            (json!({"jti": "x", "exp": 1}), "names no issuer", "toktui login egi --name egi"),
            (
                json!({"iss": "https://aai.egi.eu/oidc/", "azp": "token-portal"}),
                "21 October 2022",
                "toktui login egi",
            ),
            (json!({"iss": "https://aai-dev.egi.eu/oidc/"}), "24 June 2022", "toktui login egi"),
            (json!({"iss": Instance::Demo.issuer(), "azp": CLIENT}), "the demo portal", "--portal demo"),
            (
                json!({"iss": "https://evil\u{1b}.example"}),
                "another issuer, https://evil\\u{1b}.example",
                "Without --portal",
            ),
            (json!({"iss": here, "azp": "oidc-agent"}), "given to oidc-agent", "Without --portal"),
            (json!({"iss": here}), "given to no client", "Without --portal"),
            (
                json!({"iss": here, "azp": CLIENT, "exp": 1_000}),
                "ended on 1970-01-01 00:16 UTC",
                "https://aai.egi.eu/token",
            ),
        ];
        for (claims, fact, cure) in table {
            let told = why(Instance::Production, claims.clone()).expect("foreign");
            assert!(told.why.contains(fact) && told.cure.contains(cure), "{claims}: {told:?}");
        }
    }

    #[test]
    fn each_instance_has_a_word_of_its_own_and_a_history() {
        for instance in Instance::ALL {
            assert_eq!(Instance::of_word(instance.word()), Some(instance));
            let history = history_of(instance.former_issuer()).expect("a history");
            assert!(history.contains(instance.issuer()) && history.contains(instance.moved()), "{history}");
        }
        assert_eq!((Instance::of_word("x"), history_of("https://aai.egi.eu/auth/realms/egi")), (None, None));
    }
}
