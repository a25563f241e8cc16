//! `[mytoken.NAME]`: a mytoken server.

use super::fields::{Fields, Placed};
use super::problem::Fault;
use super::provider::common;
use crate::domain::source::{Origin, Server, Source, SourceId, SourceKind};

/// Reads a server, laid over `base`. `None` where its address is missing or wrong.
pub(super) fn read_server(name: &Placed<String>, fields: Fields<'_>, base: Option<Source>) -> Option<Source> {
    if base.is_none() && !fields.has("address") {
        let expected = "the server's base address, \"https://mytoken.example.org\"";
        fields.complain("address", Fault::Missing(expected.to_owned()));
        return None;
    }
    let address = fields.address("address");
    if address.is_none() && fields.has("address") {
        return None;
    }
    let mut source =
        base.unwrap_or_else(|| blank(&name.value, SourceKind::Server(Server { address: String::new() })));
    if let (Some(address), SourceKind::Server(server)) = (address, &mut source.kind) {
        server.address = address;
    }
    common(&fields, &mut source);
    fields.finish();
    Some(source)
}

/// A source of which only the name is known.
pub(super) fn blank(name: &str, kind: SourceKind) -> Source {
    Source {
        id: SourceId(name.to_owned()),
        name: name.to_owned(),
        note: String::new(),
        origin: Origin::Config,
        kind,
        manage_url: None,
        register_url: None,
        hints: Vec::new(),
        folded: false,
    }
}
