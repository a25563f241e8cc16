//! What an answer of a provider means for a login: good, doubtful or wrong, and what to do about it.

use url::Url;

use super::{Finding, LONGEST, RefusedScopes, Standing, listed, refresh_words};
use crate::domain::source::{Issuer, Registering, Source};
use crate::domain::untrusted::cleaned;
use crate::oidc::Error;
use crate::oidc::discovery::Metadata;
use crate::oidc::probe::Taken;

/// The answers of a provider that would go on, if only somebody were signed in (OpenID Connect Core §3.1.2.6).
const NOBODY: [&str; 4] =
    ["login_required", "interaction_required", "consent_required", "account_selection_required"];
/// What is to be known before a client is: hosts, PKCE, pushed requests.
pub(super) fn endpoints(metadata: &Metadata) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !metadata.foreign_hosts.is_empty() {
        let hosts = metadata.foreign_hosts.join(", ");
        findings.push(
            Finding::new("hosts", Standing::Doubt, format!("some of its endpoints are elsewhere: {hosts}"))
                .cure("Tokens go there too: make sure that they are the provider's own."),
        );
    }
    if metadata.lacks_s256() {
        let listed = listed(&metadata.pkce_methods);
        findings.push(
            Finding::new("PKCE", Standing::Wrong, format!("it lists {listed}, and not S256"))
                .cure("Tell its operator: without S256 whoever sees a code can use it."),
        );
    }
    if metadata.pushed_required && metadata.pushed.is_none() {
        let said = "it requires pushed authorization requests (RFC 9126) and names no endpoint for them";
        findings.push(Finding::new("pushed requests", Standing::Wrong, said).cure("Tell its operator."));
    }
    findings
}

pub(super) fn no_client(source: &Source, issuer: &Issuer, metadata: &Metadata) -> Finding {
    let page = source.register_url.as_deref();
    let register = page.map(|page| format!("Register one at {page}, then: ")).unwrap_or_default();
    let borrowed = issuer
        .public_clients
        .iter()
        .map(|public| format!(" Or, by your own choice, {}: {}.", public.id, public.note));
    let own = "toktui provider add NAME|URL --client-id ID.".to_owned();
    let asked = issuer.registering == Registering::Announced && metadata.registration.is_some();
    let asked =
        asked.then(|| format!("It may give you one: toktui provider register {}. Or: ", source.id.as_str()));
    let cure: String = asked.into_iter().chain([register, own]).chain(borrowed).collect();
    Finding::new("client", Standing::Wrong, "no client id is set here").cure(cleaned(&cure))
}

/// A redirect request that was not answered by an error page.
pub(super) fn sent_back(redirect: &Url, taken: &Result<Taken, Error>) -> Finding {
    let address = cleaned(redirect.as_str());
    let new = |standing, said: String| Finding::new("redirect", standing, format!("{address} {said}"));
    match taken {
        Ok(Taken::Back { error, description }) => {
            let code = error.raw();
            if NOBODY.contains(&code) || matches!(code, "" | "invalid_scope") {
                return new(Standing::Good, "is taken".to_owned());
            }
            let words = description.as_ref().unwrap_or(error).shown_within(LONGEST);
            let finding = new(Standing::Wrong, format!("is taken, and the request is not: {words}"));
            if code == "unauthorized_client" {
                return finding.cure("Switch the authorization code grant on for the client, or leave \"browser\" and \"paste\" out of `routes`.");
            }
            finding
        }
        Ok(Taken::Page(_) | Taken::On) => {
            new(Standing::Doubt, "seems to be taken: the provider goes on to a page of its own".to_owned())
        }
        Err(error) if error.client_is_wrong() || error.refusal().is_some() => {
            new(Standing::Wrong, format!("is refused: {error}"))
        }
        Err(error) => new(Standing::Doubt, format!("cannot be told of: {error}")),
    }
}

/// The scopes of a login against the provider's list; `refused`: what it said when it refused them.
pub(super) fn scopes(issuer: &Issuer, metadata: &Metadata, refused: Option<&RefusedScopes>) -> Finding {
    let supported = &metadata.scopes_supported;
    // `storage.read:/` is a value of the scope `storage.read` (providers.md §1.3).
    let is_listed = |scope: &str| {
        let base = scope.split_once(':').map_or(scope, |(base, _)| base);
        supported.iter().any(|known| {
            let known = known.raw();
            known == scope || known.split_once(':').map_or(known, |(base, _)| base) == base
        })
    };
    let unlisted: Vec<&str> =
        issuer.scopes.iter().map(String::as_str).filter(|scope| !is_listed(scope)).collect();
    let unlisted = cleaned(&unlisted.join(" "));
    let cure = |scopes: &str| {
        format!("Leave {scopes} out of `scopes` in the config, or have the client allowed to ask for it.")
    };
    match refused {
        Some(RefusedScopes { words, each }) => {
            let known_unlisted =
                Some(&unlisted).filter(|unlisted| !unlisted.is_empty() && !supported.is_empty());
            let also = known_unlisted.map(|unlisted| format!("; it lists no {unlisted}")).unwrap_or_default();
            let each = Some(cleaned(&each.join(" "))).filter(|each| !each.is_empty());
            let which =
                each.or_else(|| known_unlisted.cloned()).unwrap_or_else(|| "what it refuses".to_owned());
            Finding::new("scopes", Standing::Wrong, format!("refused: {words}{also}")).cure(cure(&which))
        }
        None if supported.is_empty() => {
            Finding::new("scopes", Standing::Good, "it lists none; any may be asked")
        }
        None if unlisted.is_empty() => {
            Finding::new("scopes", Standing::Good, cleaned(&issuer.scopes.join(" ")))
        }
        None => Finding::new("scopes", Standing::Doubt, format!("not in its list: {unlisted}"))
            .cure("It may refuse them or leave them out; what was granted is said after a login."),
    }
}

pub(super) fn refreshing(issuer: &Issuer, metadata: &Metadata) -> Finding {
    const OFFLINE: &str = "offline_access";
    let policy = refresh_words(issuer.refresh_scope);
    let lists = metadata.scopes_supported.iter().any(|scope| scope.raw() == OFFLINE);
    if lists && !issuer.scopes.iter().any(|scope| scope == OFFLINE) {
        return Finding::new("refresh", Standing::Doubt, "no lasting refresh token is asked for").cure(
            "Put \"offline_access\" into `scopes` in the config, unless a short login is what you want.",
        );
    }
    Finding::new("refresh", Standing::Good, policy)
}
