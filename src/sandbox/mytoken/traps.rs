//! What the real server 0.10.2 gets wrong, each as a switch, set as it is there.

use std::time::Duration;

/// The known faults of 0.10.2 (mytoken-api.md §10.1 item 10). `true` is what the real server does.
#[allow(clippy::struct_excessive_bools, reason = "faults are independent of each other")]
#[derive(Clone, Debug)]
pub struct Traps {
    /// §2.2: when the provider gives no proper answer, an access token request is a 200 with an empty
    /// `access_token`; it counts and rotates. Off: 555 `oidc_error`, nothing counted.
    pub empty_access_token: bool,
    /// §2.3.3: polling stays at 428 when the login failed at the provider's token endpoint or in the server.
    /// Off: the polling code is gone.
    pub failed_login_stays_pending: bool,
    /// §4.6: after a login scopes and audiences of the clauses are cut, or vanish and so allow anything.
    /// Off: clauses stay as the user confirmed them.
    pub clauses_cut_after_login: bool,
    /// §2.3.6: a short token cannot rotate: the request hangs and is a 500. Off: it gives a new short token.
    pub short_token_cannot_rotate: bool,
    /// How long such a request hangs. The real server takes 50 s; nobody wants to wait that long here.
    pub short_token_hangs: Duration,
    /// §5: several requests at once with one version all succeed, each with another new version of the same
    /// number, of which only the last written can fetch access tokens. Off: the later ones are refused.
    pub parallel_rotation_forks: bool,
    /// §2.6: revoking by an outdated version is a 500 and nothing is revoked. Off: the mytoken is revoked.
    pub stale_revocation_fails: bool,
    /// §2.6: revoking with one's own `mom_id` is a 500 with a database text. Off: a 400.
    pub own_mom_id_fails: bool,
    /// §4.7: with `usages_other` and no `usages_AT` in a clause, the second other use is a 500. Off: it is
    /// counted.
    pub usages_other_alone_crashes: bool,
    /// §2.3.5: a transfer code made before a rotation is redeemed for the dead version. Off: for the current
    /// one.
    pub stale_transfer_code: bool,
    /// Every request is carried out, but its answer is lost on the way: a proxy's 504 page comes instead (§10.1
    /// item 8). Nothing of the server's own, so off by default.
    pub answers_get_lost: bool,
}

impl Default for Traps {
    fn default() -> Self {
        Self {
            empty_access_token: true,
            failed_login_stays_pending: true,
            clauses_cut_after_login: true,
            short_token_cannot_rotate: true,
            short_token_hangs: Duration::from_millis(50),
            parallel_rotation_forks: true,
            stale_revocation_fails: true,
            own_mom_id_fails: true,
            usages_other_alone_crashes: true,
            stale_transfer_code: true,
            answers_get_lost: false,
        }
    }
}
