//! What the server says about itself: the configuration document and the settings' addresses (§1).

use serde_json::{Value, json};

use super::Mytokens;

impl Mytokens {
    /// The document at both well-known addresses.
    pub(crate) fn configuration(&self) -> Value {
        let settings = self.settings();
        let at = |path: &str| format!("{}{path}", settings.issuer);
        let mut providers: Vec<Value> = settings
            .providers
            .iter()
            .map(|provider| {
                json!({"issuer": provider.issuer, "name": provider.name, "scopes_supported": provider.scopes})
            })
            .collect();
        if settings.guest {
            providers.push(
                json!({"issuer": settings.guest_issuer(), "name": "Guest Mode", "scopes_supported": ["openid"]}),
            );
        }
        let mut grants = vec!["oidc_flow", "mytoken"];
        let mut responses = vec!["token"];
        if settings.short_tokens {
            responses.push("short_token");
        }
        if settings.transfer_codes {
            grants.push("transfer_code");
            responses.push("transfer_code");
        }
        grants.push("polling_code");
        let mut document = json!({
            "issuer": settings.issuer,
            "access_token_endpoint": at("/api/v0/token/access"),
            "mytoken_endpoint": at("/api/v0/token/my"),
            "revocation_endpoint": at("/api/v0/token/revoke"),
            "usersettings_endpoint": at("/api/v0/settings"),
            "notifications_endpoint": at("/api/v0/notifications"),
            "profiles_endpoint": at("/api/v0/pt"),
            "jwks_uri": at("/jwks"),
            "providers_supported": providers,
            "token_signing_alg_value": "ES512",
            "service_documentation": at("/"),
            "version": settings.version,
            "access_token_endpoint_grant_types_supported": ["mytoken"],
            "mytoken_endpoint_grant_types_supported": grants,
            "mytoken_endpoint_oidc_flows_supported": ["authorization_code"],
            "response_types_supported": responses,
            "token_endpoint": at("/api/v0/token/access"),
            "restriction_claims_supported": settings.restriction_keys,
        });
        if !settings.actions.is_empty() {
            document["tokeninfo_endpoint"] = at("/api/v0/tokeninfo").into();
            document["tokeninfo_endpoint_actions_supported"] = json!(settings.actions);
        }
        if settings.transfer_codes {
            document["token_transfer_endpoint"] = at("/api/v0/token/transfer").into();
        }
        document
    }

    /// Where a user's settings are. The endpoints themselves are not served here yet.
    pub(crate) fn settings_addresses(&self) -> Value {
        let base = format!("{}/api/v0/settings", self.settings().issuer);
        json!({"grant_type_endpoint": format!("{base}/grants"), "email_endpoint": format!("{base}/email")})
    }
}
