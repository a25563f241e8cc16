//! The rate limit: so many requests per window and client address (§2.1.6).

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};

use super::settings::Settings;
use crate::sandbox::serve::Response;

/// The addresses that are counted: where the window of each began, and how many requests it made.
#[derive(Default)]
pub(crate) struct Limiter(HashMap<IpAddr, (i64, u32)>);

/// What the limit says to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Allowance {
    /// Not limited at all.
    Exempt,
    /// So many are left, and the window ends in so many seconds.
    Left { remaining: u32, reset: i64 },
    /// None is left for so many seconds.
    Exhausted { reset: i64 },
}

impl Limiter {
    /// Counts a request from `address`.
    pub(crate) fn take(&mut self, settings: &Settings, address: IpAddr, now: i64) -> Allowance {
        if settings.exempt_loopback && address == IpAddr::V4(Ipv4Addr::LOCALHOST) {
            return Allowance::Exempt;
        }
        let window = self.0.entry(address).or_insert((now, 0));
        if now >= window.0.saturating_add(settings.rate_window) {
            *window = (now, 0);
        }
        let reset = window.0.saturating_add(settings.rate_window).saturating_sub(now);
        if window.1 >= settings.rate_limit {
            return Allowance::Exhausted { reset };
        }
        window.1 += 1;
        Allowance::Left { remaining: settings.rate_limit - window.1, reset }
    }
}

impl Allowance {
    /// The refusal, if it is one: plain text, as the real server's.
    pub(crate) fn refusal(self) -> Option<Response> {
        let Self::Exhausted { reset } = self else { return None };
        Some(Response::text(429, "Too Many Requests").with("retry-after", reset.to_string()))
    }

    /// The headers that every other answer to a limited address carries.
    pub(crate) fn mark(self, response: Response, limit: u32) -> Response {
        let Self::Left { remaining, reset } = self else { return response };
        response
            .with("x-ratelimit-limit", limit.to_string())
            .with("x-ratelimit-remaining", remaining.to_string())
            .with("x-ratelimit-reset", reset.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_refused_after_its_share_and_served_again_in_the_next_window() {
        let settings = Settings { rate_limit: 2, rate_window: 300, ..Settings::default() };
        let (mut limiter, there) = (Limiter::default(), "127.0.0.9".parse().expect("an address"));
        let mut take = |now| limiter.take(&settings, there, now);
        assert_eq!(take(1000), Allowance::Left { remaining: 1, reset: 300 });
        assert_eq!(take(1010), Allowance::Left { remaining: 0, reset: 290 });
        assert_eq!(take(1020), Allowance::Exhausted { reset: 280 });
        assert_eq!(take(1300), Allowance::Left { remaining: 1, reset: 300 });
        let exempt = limiter.take(&settings, Ipv4Addr::LOCALHOST.into(), 1000);
        assert_eq!(exempt, Allowance::Exempt);
    }
}
