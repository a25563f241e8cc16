//! Which addresses may be talked to at all.

use std::net::IpAddr;

use url::{Host, Url};

/// Whether the address is on this machine: `127.0.0.0/8`, `[::1]` or the name `localhost`.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => {
            name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
        }
        None => false,
    }
}

/// Whether anything may be sent there: `https`, or plain `http` on loopback.
#[must_use]
pub fn is_allowed(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.host().is_some(),
        "http" => is_loopback(url),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback_only() {
        let table = [
            ("https://aai.egi.eu/x", true),
            ("http://127.0.0.1:8180/realms/toktui", true),
            ("http://127.9.9.9/", true),
            ("http://[::1]:5/", true),
            ("http://localhost:1/", true),
            ("http://aai.egi.eu/", false),
            ("http://127.0.0.1.example.org/", false),
            ("http://localhost.example.org/", false),
            ("http://10.0.0.1/", false),
            ("file:///etc/passwd", false),
            ("javascript:alert(1)", false),
        ];
        for (text, allowed) in table {
            let url = Url::parse(text).expect(text);
            assert_eq!(is_allowed(&url), allowed, "{text}");
        }
    }
}
