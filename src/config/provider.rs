//! `[provider.NAME]`: an OpenID provider, laid over a family, a preset, or nothing.

use std::path::Path;

use super::fields::{Fields, Placed};
use super::problem::{Fault, nearest};
use super::secrets::{Place, SecretPlace};
use crate::domain::source::{
    Client, ClientAuth, FormerIssuer, Issuer, Origin, PublicClient, Redirect, RefreshScope, Registering,
    Route, Source, SourceId, SourceKind,
};

const ROUTES: &[(&str, Route)] =
    &[("device", Route::Device), ("browser", Route::Browser), ("paste", Route::Paste)];

const REFRESH_SCOPES: &[(&str, RefreshScope)] = &[
    ("omit", RefreshScope::Omit),
    ("send", RefreshScope::Send),
    ("send-without-offline", RefreshScope::SendWithoutOffline),
];

const AUTHS: &[(&str, ClientAuth)] = &[
    ("none", ClientAuth::None),
    ("client_secret_basic", ClientAuth::Basic),
    ("client_secret_post", ClientAuth::Post),
];

const REGISTERING: &[(&str, Registering)] = &[
    ("announced", Registering::Announced),
    ("with-token", Registering::WithToken),
    ("no", Registering::Useless),
];

const SCOPES: &str = "a list of scopes, [\"openid\", \"profile\"]";
const REDIRECTS: &str = "loopback addresses with one host and one path, \
                         [\"http://127.0.0.1/callback\"] for any port or [\"http://localhost:4242\"], no lone slash";

/// What one table said: the source, and where its client secret is to be found.
pub(super) struct Provider {
    pub(super) source: Source,
    pub(super) secret: Option<SecretPlace>,
}

/// Reads a provider. `base` is what this table lays over, a source of the same name;
/// `None` comes back where it cannot be said who the provider is, or which client we are there.
pub(super) fn read(
    name: &Placed<String>,
    fields: Fields<'_>,
    base: Option<Source>,
    families: &[Source],
    folder: &Path,
) -> Option<Provider> {
    let new = base.is_none();
    let address = fields.address("issuer");
    if address.is_none() && (new || fields.has("issuer")) {
        if !fields.has("issuer") {
            fields.complain(
                "issuer",
                Fault::Missing("the provider's issuer, \"https://login.example.org\"".to_owned()),
            );
        }
        return None;
    }
    let mut source = base.unwrap_or_else(|| blank(&name.value));
    lay(&fields, &mut source, families);
    if let (Some(address), SourceKind::Issuer(issuer)) = (address, &mut source.kind) {
        issuer.address = address;
    }
    let secret = client(&fields, &mut source, folder);
    fields.finish();
    Some(Provider { source, secret: secret.ok()? })
}

/// Reads a family: what several providers share, laid over the family it belongs to itself.
pub(super) fn read_family(name: &Placed<String>, fields: Fields<'_>, families: &[Source]) -> Source {
    let mut source = blank(&name.value);
    lay(&fields, &mut source, families);
    fields.finish();
    source
}

fn blank(name: &str) -> Source {
    Source {
        id: SourceId(name.to_owned()),
        name: name.to_owned(),
        note: String::new(),
        origin: Origin::Config,
        kind: SourceKind::Issuer(Box::new(Issuer::at(""))),
        manage_url: None,
        register_url: None,
        hints: Vec::new(),
        folded: false,
    }
}

/// Everything but the address and the client.
fn lay(fields: &Fields<'_>, source: &mut Source, families: &[Source]) {
    if let Some(family) = family(fields, families) {
        let address = source.issuer().map(|issuer| issuer.address.clone()).unwrap_or_default();
        source.kind = family.kind.clone();
        source.hints.clone_from(&family.hints);
        source.register_url.clone_from(&family.register_url);
        if let SourceKind::Issuer(issuer) = &mut source.kind {
            issuer.address = address;
        }
    }
    common(fields, source);
    let SourceKind::Issuer(issuer) = &mut source.kind else {
        return;
    };
    if let Some(discovery) = fields.address("discovery") {
        issuer.discovery = Some(discovery);
    }
    set(&mut issuer.scopes, fields.words("scopes", SCOPES));
    set(&mut issuer.suggested_scopes, fields.words("suggested_scopes", SCOPES));
    set(&mut issuer.group_claims, fields.words("group_claims", "a list of claims, [\"entitlements\"]"));
    set(&mut issuer.revoking, fields.words("revoking", "a list of what else ends, [\"the whole session\"]"));
    set(&mut issuer.authorization, fields.pairs("authorization", "a table, { prompt = \"consent\" }"));
    set(&mut issuer.refresh_scope, fields.choice("refresh_scope", REFRESH_SCOPES));
    set(&mut issuer.refresh_returns_refresh, fields.flag("refresh_returns_refresh"));
    set(&mut issuer.at_hash_only_warns, fields.flag("at_hash_only_warns"));
    if let Some(name) = fields.text("id_token_issuer", "what `iss` in its ID tokens says instead, a text") {
        issuer.id_token_issuer = Some(name);
    }
    set(&mut issuer.routes, routes(fields));
    set(&mut issuer.redirect, redirects(fields));
    set(&mut issuer.public_clients, public_clients(fields));
    set(&mut issuer.formerly, formerly(fields));
    set(&mut issuer.registering, fields.choice("registration", REGISTERING));
    set(&mut issuer.registering_note, fields.text("registration_note", "why not, or how, a few words"));
    if let Some(parameter) = fields.text("audience_parameter", "\"audience\" or \"resource\"") {
        issuer.audience_parameter = Some(parameter);
    }
}

/// What every kind of source has.
pub(super) fn common(fields: &Fields<'_>, source: &mut Source) {
    set(&mut source.name, fields.text("name", "the name on screen, a text"));
    set(&mut source.note, fields.text("note", "a few words, a text"));
    if let Some(url) = fields.address("manage_url") {
        source.manage_url = Some(url);
    }
    if let Some(url) = fields.address("register_url") {
        source.register_url = Some(url);
    }
    // The nearer table's hints come first; those of the family stay true.
    if let Some(mut hints) = fields.words("hints", "a list of sentences") {
        hints.append(&mut source.hints);
        source.hints = hints;
    }
}

pub(super) fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn family<'f>(fields: &Fields<'_>, families: &'f [Source]) -> Option<&'f Source> {
    let wanted = fields.text("family", "a family, \"keycloak\"")?;
    let found = families.iter().find(|family| family.id.as_str() == wanted);
    if found.is_none() {
        let near = nearest(&wanted, families.iter().map(|family| family.id.as_str()));
        fields.complain("family", Fault::NoSuch { kind: "family", near });
    }
    found
}

/// What stands there of a client cannot be meant, and a login with half of it would only earn an `invalid_client`.
struct Unusable;

/// Reads the client, and says where its secret is to be found if it has one.
fn client(fields: &Fields<'_>, source: &mut Source, folder: &Path) -> Result<Option<SecretPlace>, Unusable> {
    let id = fields.text("client_id", "the client id, a text");
    let auth = fields.choice("auth", AUTHS);
    let registered = fields.flag("registered");
    let place = secret_place(fields, &source.id, folder)?;
    let SourceKind::Issuer(issuer) = &mut source.kind else {
        return Ok(None);
    };
    if let Some(id) = id {
        // Another program's id comes with the addresses that were registered for it.
        let borrowed = issuer.public_clients.iter().find(|client| client.id == id);
        if let (Some(borrowed), false) = (borrowed, fields.has("redirects")) {
            issuer.redirect = borrowed.redirect.clone();
        }
        issuer.client = Some(Client::public(&id));
        // Another client than the one that was registered has another secret, in another place.
        issuer.registered = registered == Some(true);
    }
    if auth.is_none() && issuer.registered && place.is_none() {
        return Ok(None);
    }
    let auth = match (auth, &place) {
        (Some(ClientAuth::None), Some(_)) => {
            let expected = "\"client_secret_basic\" or \"client_secret_post\" for a client with a secret";
            fields.complain("auth", Fault::WrongValue(expected.to_owned()));
            return Err(Unusable);
        }
        // Of a client that was registered from here the secret is in the store.
        (Some(auth @ (ClientAuth::Basic | ClientAuth::Post)), None) if issuer.registered => auth,
        (Some(ClientAuth::Basic | ClientAuth::Post), None) => {
            let expected = "client_secret_file or client_secret_env beside it, or \"none\"";
            fields.complain("auth", Fault::WrongValue(expected.to_owned()));
            return Err(Unusable);
        }
        (Some(auth), _) => auth,
        (None, Some(_)) => ClientAuth::Basic,
        (None, None) => ClientAuth::None,
    };
    match &mut issuer.client {
        Some(client) => client.auth = auth,
        None if place.is_some() => {
            let expected = "the client id that this secret belongs to";
            fields.complain("client_id", Fault::Missing(expected.to_owned()));
            return Err(Unusable);
        }
        None => {}
    }
    Ok(place)
}

fn secret_place(
    fields: &Fields<'_>,
    source: &SourceId,
    folder: &Path,
) -> Result<Option<SecretPlace>, Unusable> {
    const FILE: &str = "client_secret_file";
    const VARIABLE: &str = "client_secret_env";
    fields.refuse("client_secret", Fault::SecretInFile);
    let file = fields.text(FILE, "the path of a file");
    let variable = fields.text(VARIABLE, "the name of an environment variable");
    let (key, place) = match (file, variable) {
        _ if fields.has("client_secret") => return Err(Unusable),
        (Some(_), Some(_)) => {
            let expected = "either this or client_secret_env, not both";
            fields.complain(FILE, Fault::WrongValue(expected.to_owned()));
            return Err(Unusable);
        }
        (Some(file), None) => (FILE, Place::File(folder.join(file))),
        (None, Some(variable)) => (VARIABLE, Place::Variable(variable)),
        (None, None) if fields.has(FILE) || fields.has(VARIABLE) => return Err(Unusable),
        (None, None) => return Ok(None),
    };
    Ok(Some(SecretPlace { source: source.clone(), key: fields.name(key), line: fields.line(key), place }))
}

/// The word of a route in the config; none for a mytoken server's own.
pub(super) fn route_word(route: Route) -> Option<&'static str> {
    ROUTES.iter().find(|(_, known)| *known == route).map(|(word, _)| *word)
}

/// The word of a way to sign in, in the config.
pub(super) fn auth_word(auth: ClientAuth) -> &'static str {
    AUTHS.iter().find(|(_, known)| *known == auth).map_or("none", |(word, _)| word)
}

/// The word of a way to get a client, in the config.
pub(super) fn registering_word(registering: Registering) -> &'static str {
    REGISTERING.iter().find(|(_, known)| *known == registering).map_or("announced", |(word, _)| word)
}

fn routes(fields: &Fields<'_>) -> Option<Vec<Route>> {
    let expected = "a list of \"device\", \"browser\" and \"paste\", the preferred first";
    let words = fields.words("routes", expected)?;
    let find = |word: &String| ROUTES.iter().find(|(name, _)| name == word).map(|(_, route)| *route);
    let routes: Option<Vec<_>> = words.iter().map(find).collect();
    fields.checked("routes", expected, routes.filter(|routes| !routes.is_empty()))
}

fn redirects(fields: &Fields<'_>) -> Option<Redirect> {
    let addresses = fields.words("redirects", REDIRECTS)?;
    fields.checked("redirects", REDIRECTS, redirect(&addresses))
}

/// Registered addresses as one form: they must agree in all but the port, and either all have one or none. `None` for all others.
#[must_use]
pub fn redirect(addresses: &[String]) -> Option<Redirect> {
    let mut answer: Option<Redirect> = None;
    for address in addresses {
        let rest = address.strip_prefix("http://")?;
        let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, Some(port.parse::<u16>().ok().filter(|port| *port > 0)?)),
            None => (authority, None),
        };
        let by_name = match host {
            "localhost" => true,
            "127.0.0.1" => false,
            _ => return None,
        };
        // A lone slash could not be told from no path when it is sent.
        if path == "/" || path.contains(['?', '#', ' ']) {
            return None;
        }
        match &mut answer {
            None => {
                answer = Some(Redirect { by_name, ports: port.into_iter().collect(), path: path.to_owned() });
            }
            Some(seen) if seen.by_name == by_name && seen.path == path && !seen.ports.is_empty() => {
                seen.ports.push(port?);
            }
            Some(_) => return None,
        }
    }
    answer
}

fn public_clients(fields: &Fields<'_>) -> Option<Vec<PublicClient>> {
    let tables = fields.tables("public_clients", "a list of tables, [{ id = \"…\", note = \"…\" }]")?;
    let mut clients = Vec::new();
    for table in tables {
        let id = needed(&table, "id", "a client id");
        let note = table.text("note", "whose it is, a text").unwrap_or_default();
        let redirect = redirects(&table).unwrap_or_default();
        table.finish();
        clients.extend(id.map(|id| PublicClient { id, note, redirect }));
    }
    Some(clients)
}

fn formerly(fields: &Fields<'_>) -> Option<Vec<FormerIssuer>> {
    let tables =
        fields.tables("formerly", "a list of tables, [{ issuer = \"…\", story = \"moved 2022\" }]")?;
    let mut former = Vec::new();
    for table in tables {
        let address = needed(&table, "issuer", "the issuer as it stands in old tokens");
        let story = table.text("story", "what happened, \"moved 2022\"").unwrap_or_default();
        table.finish();
        former.extend(address.map(|address| FormerIssuer { address, story }));
    }
    Some(former)
}

/// A text without which its table means nothing.
pub(super) fn needed(fields: &Fields<'_>, key: &'static str, expected: &str) -> Option<String> {
    if !fields.has(key) {
        fields.complain(key, Fault::Missing(expected.to_owned()));
    }
    fields.text(key, expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(by_name: bool, ports: &[u16], path: &str) -> Redirect {
        Redirect { by_name, ports: ports.to_vec(), path: path.to_owned() }
    }

    #[test]
    fn registered_addresses_become_one_form() {
        let table: &[(&[&str], Option<Redirect>)] = &[
            (&["http://127.0.0.1/callback"], Some(form(false, &[], "/callback"))),
            (&["http://localhost:8080", "http://localhost:4242"], Some(form(true, &[8080, 4242], ""))),
            (&["http://127.0.0.1:8080/"], None),
            (&[], None),
            (&["https://127.0.0.1/callback"], None),
            (&["http://example.org/callback"], None),
            (&["http://0.0.0.0:80/"], None),
            (&["http://127.0.0.1:0/"], None),
            (&["http://127.0.0.1:99999/"], None),
            (&["http://127.0.0.1/a?b"], None),
            (&["http://127.0.0.1:1/a", "http://127.0.0.1:2/b"], None),
            (&["http://127.0.0.1:1", "http://localhost:2"], None),
            (&["http://127.0.0.1:1", "http://127.0.0.1"], None),
            (&["http://127.0.0.1", "http://127.0.0.1:1"], None),
        ];
        for (addresses, expected) in table {
            let addresses: Vec<_> = addresses.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(&redirect(&addresses), expected, "{addresses:?}");
        }
    }
}
