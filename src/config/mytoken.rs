//! `[mytoken.NAME]`: a mytoken server; `[profile.NAME]`: a ready-made order at one.

use super::fields::{Fields, Placed};
use super::problem::{Fault, nearest};
use super::provider::{common, needed, set};
use crate::domain::draft::{Draft, DraftClause, When};
use crate::domain::mytoken::{Capability, Rotation};
use crate::domain::source::{Origin, Profile, Server, Source, SourceId, SourceKind};
use crate::domain::untrusted::Untrusted;

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

/// Reads a profile, laid over `base`. `None` where it does not say at which server, or of which provider;
/// both must be among `sources`, a provider may also be given by its issuer.
pub(super) fn read_profile(
    name: &Placed<String>,
    fields: Fields<'_>,
    base: Option<Source>,
    sources: &[Source],
) -> Option<Source> {
    let mut source = match base {
        Some(source) => source,
        None => blank(&name.value, SourceKind::Profile(empty())),
    };
    let SourceKind::Profile(profile) = &mut source.kind else {
        return None;
    };
    let draft = &mut profile.draft;
    let is_new = draft.provider.is_empty();
    if is_new || fields.has("server") {
        profile.server = server(&fields, sources)?;
    }
    if is_new || fields.has("provider") {
        draft.provider = provider(&fields, sources)?;
    }
    let capabilities = fields.words("capabilities", "a list of capabilities, [\"AT\", \"tokeninfo\"]");
    set(&mut draft.capabilities, capabilities.map(|names| names.into_iter().map(Capability::new).collect()));
    let mut clauses = std::mem::take(&mut draft.clauses).into_iter();
    let first = clause(&fields, clauses.next().unwrap_or_default());
    draft.clauses = [first].into_iter().filter(|clause| !clause.is_open()).chain(clauses).collect();
    set(&mut draft.rotation, fields.table("rotation").map(rotation));
    common(&fields, &mut source);
    fields.finish();
    Some(source)
}

fn blank(name: &str, kind: SourceKind) -> Source {
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

fn empty() -> Profile {
    let draft = Draft { capabilities: vec![Capability::new("AT")], ..Draft::default() };
    Profile { server: SourceId(String::new()), draft }
}

/// The members of a clause, laid over `base`.
fn clause(fields: &Fields<'_>, base: DraftClause) -> DraftClause {
    let mut clause = base;
    let list =
        |words: Option<Vec<String>>| words.map(|words| Some(words.into_iter().map(Untrusted::new).collect()));
    set(&mut clause.rest.scopes, list(fields.words("scopes", "a list of scopes, [\"email\", \"profile\"]")));
    set(&mut clause.rest.uses_at, fields.number("uses_at", "how many access tokens it gives, 15").map(Some));
    set(&mut clause.rest.uses_other, fields.number("uses_other", "how many other uses it has, 5").map(Some));
    set(&mut clause.ends, fields.seconds("lifetime").map(|seconds| Some(When::In(seconds))));
    clause
}

fn server(fields: &Fields<'_>, sources: &[Source]) -> Option<SourceId> {
    let wanted = needed(fields, "server", "the name of a mytoken server, \"mytoken-kit\"")?;
    let servers = || sources.iter().filter(|source| matches!(source.kind, SourceKind::Server(_)));
    if servers().any(|source| source.id.as_str() == wanted) {
        return Some(SourceId(wanted));
    }
    let near = nearest(&wanted, servers().map(|source| source.id.as_str()));
    fields.complain("server", Fault::NoSuch { kind: "mytoken server", near });
    None
}

fn provider(fields: &Fields<'_>, sources: &[Source]) -> Option<String> {
    let wanted = needed(fields, "provider", "a provider's name or issuer, \"helmholtz\"")?;
    if wanted.contains("://") {
        return fields.address("provider");
    }
    let known = || sources.iter().filter_map(|source| Some((source.id.as_str(), source.issuer()?)));
    if let Some((_, issuer)) = known().find(|(name, _)| *name == wanted) {
        return Some(issuer.address.clone());
    }
    let near = nearest(&wanted, known().map(|(name, _)| name));
    fields.complain("provider", Fault::NoSuch { kind: "provider", near });
    None
}

fn rotation(fields: Fields<'_>) -> Rotation {
    let rotation = Rotation {
        on_at: fields.flag("on_at").unwrap_or_default(),
        on_other: fields.flag("on_other").unwrap_or_default(),
        lifetime: fields.seconds("lifetime"),
        auto_revoke: fields.flag("auto_revoke").unwrap_or_default(),
    };
    fields.finish();
    rotation
}
