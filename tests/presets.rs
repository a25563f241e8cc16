//! The built-in providers and profiles: that they are all there, and that what they say can be used.

use std::collections::BTreeSet;
use std::path::Path;

use toktui::config::{Config, redirect};
use toktui::domain::draft::{Circumstances, Draft, Part, check};
use toktui::domain::offer::{Offer, Offered};
use toktui::domain::source::{Issuer, RefreshScope, Registering, Route, Source, SourceKind};

fn presets() -> Config {
    let (config, problems) = Config::load(None, Path::new("config.toml"));
    assert_eq!(problems, [], "the built-in files are read without a complaint");
    config
}

fn issuers(config: &Config) -> impl Iterator<Item = (&str, &Issuer)> {
    config.sources.iter().filter_map(|source| Some((source.id.as_str(), source.issuer()?)))
}

fn names<'s>(sources: impl Iterator<Item = &'s Source>) -> Vec<&'s str> {
    sources.map(|source| source.id.as_str()).collect()
}

#[test]
fn all_presets_are_there_in_the_order_of_the_first_screen() {
    let config = presets();
    let open = names(config.sources.iter().filter(|source| !source.folded));
    assert_eq!(open, ["egi", "toar", "helmholtz", "mytoken-kit", "mytok-eu", "wlcg"]);
    let folded = "egi-demo egi-dev helmholtz-dev iam-atlas iam-cms iam-lhcb iam-alice iam-dteam lsaai kit desy \
                  cilogon b2access google egi-mytoken archive ci";
    assert_eq!(names(config.sources.iter().skip(open.len())), folded.split(' ').collect::<Vec<_>>());
}

#[test]
fn names_fit_the_narrow_pane_and_differ() {
    let mut seen = BTreeSet::new();
    for source in presets().sources {
        assert!(!source.name.is_empty() && source.name.chars().count() <= 20, "{}", source.name);
        assert!(source.note.chars().count() <= 14, "{}", source.note);
        assert!(seen.insert(source.name));
    }
}

#[test]
fn every_address_is_https_and_no_two_sources_share_one() {
    let config = presets();
    let mut seen = BTreeSet::new();
    for source in &config.sources {
        let mut urls = [&source.manage_url, &source.register_url].into_iter().flatten();
        assert!(urls.all(|url| url.starts_with("https://")), "{}", source.name);
        let address = match &source.kind {
            SourceKind::Issuer(issuer) => &issuer.address,
            SourceKind::Server(server) => &server.address,
            SourceKind::Profile(_) => continue,
        };
        assert!(address.starts_with("https://"), "{address}");
        assert!(seen.insert(address.trim_end_matches('/')), "{address}");
    }
}

#[test]
fn issuers_stand_as_their_servers_print_them() {
    for (name, issuer) in issuers(&presets()) {
        let is_iam = name.starts_with("iam-") || matches!(name, "wlcg" | "lsaai");
        assert_eq!(issuer.address.ends_with('/'), is_iam, "only IAM and its kin end in a slash: {name}");
    }
}

#[test]
fn every_provider_can_be_tried_as_soon_as_it_has_a_client() {
    for (name, issuer) in issuers(&presets()) {
        assert_eq!(issuer.scopes.first().map(String::as_str), Some("openid"), "{name}");
        let all: Vec<_> = issuer.scopes.iter().chain(&issuer.suggested_scopes).collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "no scope twice: {name}");
        assert!(all.iter().all(|scope| !scope.contains([' ', '"', '\\'])), "RFC 6749 §3.3: {name}");
        assert!(issuer.routes.contains(&Route::Paste), "the way for a machine without a browser: {name}");
        assert!(!issuer.routes.contains(&Route::Consent), "that is a mytoken server's: {name}");
        assert!(issuer.redirect.path.is_empty() || issuer.redirect.path.starts_with('/'), "{name}");
    }
}

#[test]
fn no_preset_brings_a_client_of_its_own_and_borrowed_ones_say_whose_they_are() {
    let config = presets();
    let mut lenders = Vec::new();
    for (name, issuer) in issuers(&config) {
        assert_eq!(issuer.client, None, "{name}");
        for client in &issuer.public_clients {
            assert!(client.note.starts_with("oidc-agent's:"), "{name}");
            assert!(client.redirect.by_name, "oidc-agent registered localhost: {name}");
            assert_eq!(client.redirect.ports, [8080, 4242, 43985], "{name}");
            assert_eq!(client.redirect.path, "", "compared character by character: {name}");
            lenders.push(name);
        }
    }
    assert_eq!(lenders, ["egi", "wlcg", "egi-demo", "egi-dev", "kit", "desy"]);
}

#[test]
fn what_a_server_software_needs_stands_with_each_of_its_providers() {
    for (name, issuer) in issuers(&presets()) {
        let is_keycloak = issuer.address.contains("/realms/");
        let is_unity = issuer.address.ends_with("/oauth2");
        assert_eq!(issuer.refresh_returns_refresh, is_keycloak, "{name}");
        assert_eq!(
            issuer.revoking.is_empty(),
            !is_keycloak,
            "what a Keycloak ends with a refresh token: {name}"
        );
        assert_eq!(issuer.refresh_scope == RefreshScope::SendWithoutOffline, is_unity, "{name}");
        assert_eq!(issuer.at_hash_only_warns, is_unity, "{name}");
        assert_eq!(issuer.routes.contains(&Route::Device), !is_unity, "Unity has no device code: {name}");
        let asks_consent = issuer.authorization.contains(&("prompt".to_owned(), "consent".to_owned()));
        let asks_offline = issuer.scopes.iter().any(|scope| scope == "offline_access");
        assert!(!(is_unity && asks_offline) || asks_consent, "Unity drops offline_access in silence: {name}");
    }
}

/// A row of providers.md §10 with what §1, §3, §6, §7 and §9 say of it.
struct Row {
    scopes: &'static str,
    routes: &'static [Route],
    redirects: &'static [&'static str],
    audience: Option<&'static str>,
    refresh: RefreshScope,
    authorization: &'static [(&'static str, &'static str)],
    groups: &'static [&'static str],
    registering: Registering,
}

const DEVICE_FIRST: &[Route] = &[Route::Device, Route::Browser, Route::Paste];
const NO_DEVICE: &[Route] = &[Route::Browser, Route::Paste];
const ANY_PORT: &[&str] = &["http://127.0.0.1/callback"];
const FIXED: &[&str] = &["http://localhost:8080", "http://localhost:4242", "http://localhost:43985"];

/// Keycloak elsewhere than at EGI.
const KEYCLOAK: Row = Row {
    scopes: "openid profile email offline_access",
    routes: DEVICE_FIRST,
    redirects: ANY_PORT,
    audience: None,
    refresh: RefreshScope::Omit,
    authorization: &[],
    groups: &[],
    registering: Registering::WithToken,
};
const EGI: Row = Row {
    scopes: "openid profile email voperson_id eduperson_entitlement offline_access",
    redirects: &["http://localhost/callback"],
    groups: &["eduperson_entitlement", "entitlements"],
    registering: Registering::Useless,
    ..KEYCLOAK
};
const HELMHOLTZ: Row = Row {
    scopes: "openid profile email eduperson_unique_id offline_access",
    routes: NO_DEVICE,
    refresh: RefreshScope::SendWithoutOffline,
    authorization: &[("prompt", "consent")],
    groups: &["entitlements", "eduperson_entitlement"],
    registering: Registering::Useless,
    ..KEYCLOAK
};
const IAM: Row = Row {
    scopes: "openid profile offline_access wlcg.groups",
    redirects: FIXED,
    audience: Some("audience"),
    groups: &["wlcg.groups"],
    registering: Registering::Announced,
    ..KEYCLOAK
};

fn row(name: &str) -> Row {
    match name {
        "egi" | "egi-demo" | "egi-dev" => EGI,
        "helmholtz" | "helmholtz-dev" => HELMHOLTZ,
        "wlcg" | "iam-atlas" | "iam-cms" | "iam-lhcb" | "iam-alice" | "iam-dteam" => IAM,
        "lsaai" => {
            Row { scopes: "openid profile email offline_access", groups: &["eduperson_entitlement"], ..IAM }
        }
        "kit" => KEYCLOAK,
        "desy" => Row { groups: &["entitlements"], ..KEYCLOAK },
        "cilogon" => Row { scopes: "openid profile email", registering: Registering::Useless, ..KEYCLOAK },
        "b2access" => Row { scopes: "openid profile email", authorization: &[], ..HELMHOLTZ },
        "google" => Row {
            scopes: "openid profile email",
            routes: &[Route::Browser, Route::Device, Route::Paste],
            authorization: &[("access_type", "offline"), ("prompt", "consent")],
            registering: Registering::Useless,
            ..KEYCLOAK
        },
        other => panic!("{other} has no row in providers.md"),
    }
}

#[test]
fn each_preset_is_what_its_row_in_providers_md_says() {
    let config = presets();
    for (name, issuer) in issuers(&config) {
        let row = row(name);
        assert_eq!(issuer.scopes.join(" "), row.scopes, "{name}");
        assert_eq!(issuer.routes, row.routes, "{name}");
        let redirects: Vec<_> = row.redirects.iter().map(|one| (*one).to_owned()).collect();
        assert_eq!(Some(&issuer.redirect), redirect(&redirects).as_ref(), "{name}");
        assert_eq!(issuer.audience_parameter.as_deref(), row.audience, "{name}");
        assert_eq!(issuer.refresh_scope, row.refresh, "{name}");
        let more: Vec<_> =
            issuer.authorization.iter().map(|(one, two)| (one.as_str(), two.as_str())).collect();
        assert_eq!(more, row.authorization, "{name}");
        assert_eq!(issuer.group_claims, row.groups, "{name}");
        assert_eq!(issuer.registering, row.registering, "{name}");
        // Whoever gives no client by asking says why, in words that stand beside what it announces.
        let is_open = issuer.registering == Registering::Announced;
        assert_eq!(issuer.registering_note.is_empty(), is_open, "{name}");
    }
}

#[test]
fn only_google_may_leave_the_scheme_out_in_its_id_tokens() {
    for (name, issuer) in issuers(&presets()) {
        let expected = (name == "google").then_some("accounts.google.com");
        assert_eq!(issuer.id_token_issuer.as_deref(), expected, "{name}");
    }
}

#[test]
fn where_to_manage_and_to_register_is_known_where_providers_md_knows_it() {
    let config = presets();
    let lacking = |page: fn(&Source) -> &Option<String>| {
        let all = config.sources.iter().filter(|source| source.issuer().is_some());
        all.filter(|source| page(source).is_none())
            .map(|source| source.id.as_str().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(lacking(|source| &source.manage_url), ["lsaai", "cilogon", "b2access", "google"]);
    // At the others it is a person: the realm's administrator.
    assert_eq!(lacking(|source| &source.register_url), ["lsaai", "kit", "desy"]);
    for (name, issuer) in issuers(&config) {
        let source = config.source(&name.into()).expect("listed");
        if issuer.address.contains("/realms/") {
            let account = source.manage_url.as_deref().unwrap_or_default();
            let account = account.trim_end_matches('/');
            assert_eq!(account, format!("{}/account", issuer.address), "Keycloak's account console: {name}");
        }
    }
}

#[test]
fn former_addresses_of_egi_are_known() {
    let config = presets();
    let former: Vec<_> = issuers(&config)
        .flat_map(|(name, issuer)| issuer.formerly.iter().map(move |former| (name, former.address.as_str())))
        .collect();
    assert_eq!(
        former,
        [
            ("egi", "https://aai.egi.eu/oidc/"),
            ("egi-demo", "https://aai-demo.egi.eu/oidc/"),
            ("egi-dev", "https://aai-dev.egi.eu/oidc/"),
        ]
    );
}

#[test]
fn profiles_name_known_servers_providers_and_capabilities() {
    let config = presets();
    let mut profiles = 0;
    for source in &config.sources {
        let SourceKind::Profile(profile) = &source.kind else { continue };
        let draft = &profile.draft;
        let server = config.source(&profile.server).map(|server| &server.kind);
        assert!(matches!(server, Some(SourceKind::Server(_))), "{}", source.name);
        let mut providers = issuers(&config).map(|(_, issuer)| issuer.address.as_str()).chain([""]);
        assert!(providers.any(|address| address == draft.provider), "{}", source.name);
        let offered = Offered { issuer: draft.provider.as_str().into(), name: "".into(), scopes: Vec::new() };
        let offer = Offer { providers: vec![offered], ..Offer::default() };
        let provider = if draft.provider.is_empty() { "https://op.example.org" } else { &draft.provider };
        let complete = Draft { provider: provider.to_owned(), ..draft.clone() };
        let circumstances = Circumstances {
            offer: Some(&offer).filter(|_| !draft.provider.is_empty()),
            parent: None,
            now: jiff::Timestamp::UNIX_EPOCH,
            zone: &jiff::tz::TimeZone::UTC,
            tokens_live: None,
        };
        let warnings = check(&complete, &circumstances);
        assert!(warnings.iter().all(|one| one.part == Part::Rotation), "{}: {warnings:?}", source.name);
        for capability in &draft.capabilities {
            assert!(capability.is_known(), "{capability:?}");
        }
        let ends = draft.clauses.iter().all(|clause| clause.ends.is_some());
        assert!(
            ends && !draft.clauses.is_empty(),
            "a ready-made order makes nothing endless: {}",
            source.name
        );
        profiles += 1;
    }
    assert_eq!(profiles, 4);
}
