//! Where this machine stands as a mytoken server sees it.

use std::net::{IpAddr, UdpSocket};

use url::Url;

use crate::domain::mytoken::Facts;
use crate::domain::verdict::Place;
use crate::wallet::Wallet;

impl Wallet {
    /// The address a server sees us at: the one it has told, else that of this machine on the way to it where no network
    /// address translation can stand between. Looked for only where a restriction asks for it.
    pub(super) async fn place(&self, server: &str, facts: &Facts) -> Place {
        if !facts.restrictions.iter().any(|clause| clause.hosts.is_some()) {
            return Place::default();
        }
        let address = match self.seen_as(server) {
            Some(address) => Some(address),
            None => own_address_towards(server).await,
        };
        Place { address, country: None }
    }
}

/// The address this machine uses towards a server. No packet is sent: connecting a datagram socket only asks the routing
/// table. A private address towards a public server is translated on the way, and says nothing.
async fn own_address_towards(server: &str) -> Option<IpAddr> {
    let url = Url::parse(server).ok()?;
    let (host, port) = (url.host_str()?.to_owned(), url.port_or_known_default()?);
    let looked = tokio::task::spawn_blocking(move || {
        let host = host.trim_matches(['[', ']']).to_owned();
        let socket = UdpSocket::bind(("0.0.0.0", 0)).ok()?;
        socket.connect((host.as_str(), port)).ok()?;
        Some((socket.local_addr().ok()?.ip(), socket.peer_addr().ok()?.ip()))
    });
    let (own, peer) = looked.await.ok()??;
    (is_private(own) == is_private(peer)).then_some(own)
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}
