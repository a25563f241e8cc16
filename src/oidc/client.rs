//! How a request says which client sends it (RFC 6749 §2.3), and the one way in which forms are sent.

use url::Url;

use crate::domain::source::{Client, ClientAuth};
use crate::http::{self, Answer, Body, Credentials, Http};

/// A name and its value in a form.
pub(super) type Pair<'a> = (&'a str, &'a str);

/// Sends a form whose answer may carry a token, as `client`.
pub(super) async fn post(
    http: &Http,
    url: &Url,
    client: &Client,
    pairs: &[Pair<'_>],
) -> Result<Answer, http::Error> {
    let (credentials, body) = signed(client, pairs);
    http.post_for_token(url, &credentials, &body).await
}

/// Sends a form whose answer is a document, as `client`.
pub(super) async fn post_for_document(
    http: &Http,
    url: &Url,
    client: &Client,
    pairs: &[Pair<'_>],
) -> Result<Answer, http::Error> {
    let (credentials, body) = signed(client, pairs);
    http.post(url, &credentials, &body).await
}

/// `own`, and of `extra` what does not touch a name in `own`: what a config or a preset adds can neither replace
/// nor double a parameter that a check depends on (Keycloak refuses doubled ones).
pub(super) fn with_extra<'a>(mut own: Vec<Pair<'a>>, extra: &'a [(String, String)]) -> Vec<Pair<'a>> {
    let reserved = own.len();
    for (name, value) in extra {
        let taken = own.iter().take(reserved).any(|(own_name, _)| own_name == name);
        if !taken && !matches!(name.as_str(), "client_id" | "client_secret" | "grant_type") {
            own.push((name, value));
        }
    }
    own
}

fn signed(client: &Client, pairs: &[Pair<'_>]) -> (Credentials, Body) {
    let form = |identity: &[Pair<'_>]| Body::form(pairs.iter().chain(identity).copied());
    match (client.auth, &client.secret) {
        (ClientAuth::Basic, Some(secret)) => {
            (Credentials::Basic { id: client.id.clone(), secret: secret.clone() }, form(&[]))
        }
        (ClientAuth::Post, Some(secret)) => {
            let identity = [("client_id", client.id.as_str()), ("client_secret", secret.expose())];
            (Credentials::None, form(&identity))
        }
        (ClientAuth::None, _) | (_, None) => (Credentials::None, form(&[("client_id", &client.id)])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret::Secret;

    fn sent(auth: ClientAuth, secret: Option<&str>) -> (Credentials, String) {
        let client = Client { id: "a b".to_owned(), secret: secret.map(Secret::new), auth };
        match signed(&client, &[("token", "t&t")]) {
            (credentials, Body::Form(text)) => (credentials, text.to_string()),
            (_, body) => unreachable!("{body:?}"),
        }
    }

    #[test]
    fn each_way_of_identification_puts_the_secret_in_one_place_only() {
        let (credentials, form) = sent(ClientAuth::None, None);
        assert!(matches!(credentials, Credentials::None));
        assert_eq!(form, "token=t%26t&client_id=a+b");
        let (credentials, form) = sent(ClientAuth::Post, Some("s"));
        assert!(matches!(credentials, Credentials::None));
        assert_eq!(form, "token=t%26t&client_id=a+b&client_secret=s");
        let (credentials, form) = sent(ClientAuth::Basic, Some("s"));
        assert!(matches!(credentials, Credentials::Basic { id, .. } if id == "a b"));
        assert_eq!(form, "token=t%26t");
    }

    #[test]
    fn a_client_without_a_secret_is_public_whatever_its_method_says() {
        assert_eq!(sent(ClientAuth::Basic, None).1, "token=t%26t&client_id=a+b");
    }

    #[test]
    fn extra_parameters_cannot_replace_our_own() {
        let extra =
            [("state", "x"), ("prompt", "consent"), ("client_id", "y"), ("resource", "a"), ("resource", "b")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let pairs = with_extra(vec![("state", "s")], &extra);
        assert_eq!(pairs, [("state", "s"), ("prompt", "consent"), ("resource", "a"), ("resource", "b")]);
    }
}
