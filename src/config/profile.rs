//! `[profile.NAME]`: a ready-made draft of a mytoken at a server, every member of it.

use super::fields::{Fields, Placed};
use super::mytoken::blank;
use super::problem::{Fault, nearest};
use super::provider::{common, needed, set};
use crate::domain::draft::{Draft, DraftClause, Edge, When};
use crate::domain::mytoken::{Capability, Form, Rotation};
use crate::domain::source::{Profile, Source, SourceId, SourceKind};
use crate::domain::untrusted::Untrusted;

const FORMS: &[(&str, Form)] = &[("token", Form::Token), ("short", Form::Short), ("code", Form::Code)];

/// Reads a profile, laid over `base`. A server must be among `sources`, a provider too, or given by its issuer; one without a provider is
/// good for all that its server offers. `None` where anything in it is wrong: without that key, mytokens could come out wider than meant.
pub(super) fn read(
    name: &Placed<String>,
    fields: Fields<'_>,
    base: Option<Source>,
    sources: &[Source],
) -> Option<Source> {
    let is_new = base.is_none();
    let (report, before) = (fields.report(), fields.report().count());
    let mut source = match base {
        Some(source) => source,
        None => blank(&name.value, SourceKind::Profile(empty())),
    };
    let SourceKind::Profile(profile) = &mut source.kind else {
        return None;
    };
    let draft = &mut profile.draft;
    if is_new || fields.has("server") {
        profile.server = server(&fields, sources)?;
    }
    if fields.has("provider") {
        draft.provider = provider(&fields, sources)?;
    }
    set(&mut draft.name, fields.text("mytoken_name", "the name of the mytoken itself, a text"));
    let capabilities = fields.words("capabilities", "a list of capabilities, [\"AT\", \"tokeninfo\"]");
    set(&mut draft.capabilities, capabilities.map(|names| names.into_iter().map(Capability::new).collect()));
    clauses(&fields, &mut draft.clauses);
    set(&mut draft.rotation, fields.table("rotation").map(rotation));
    set(&mut draft.form, fields.choice("form", FORMS));
    set(&mut draft.templates, fields.words("templates", "a list of the server's own profiles, [\"agent\"]"));
    common(&fields, &mut source);
    fields.finish();
    (report.count() == before).then_some(source)
}

fn empty() -> Profile {
    let draft = Draft { capabilities: vec![Capability::new("AT")], ..Draft::default() };
    Profile { server: SourceId(String::new()), draft }
}

/// The first clause stands in the profile itself, further ones in tables `[[profile.NAME.clause]]`.
fn clauses(fields: &Fields<'_>, clauses: &mut Vec<DraftClause>) {
    let further =
        fields.has("clause").then(|| fields.tables("clause", "tables, [[profile.NAME.clause]]")).flatten();
    let mut there = std::mem::take(clauses).into_iter();
    let first = clause(fields, there.next().unwrap_or_default());
    clauses.extend(Some(first).filter(|clause| !clause.is_open()));
    match further {
        None => clauses.extend(there),
        Some(tables) => clauses.extend(tables.into_iter().map(|table| {
            let clause = clause(&table, DraftClause::default());
            table.finish();
            clause
        })),
    }
}

/// The members of a clause, laid over `base`.
fn clause(fields: &Fields<'_>, base: DraftClause) -> DraftClause {
    let mut clause = base;
    let words = |key: &'static str, example: &str| {
        let words = fields.words(key, &format!("a list of {key}, {example}"));
        words.map(|words| Some(words.into_iter().map(Untrusted::new).collect()))
    };
    set(&mut clause.starts, fields.moment("starts", Edge::Start).map(Some));
    set(&mut clause.ends, fields.seconds("lifetime").map(|seconds| Some(When::In(seconds))));
    if fields.has("lifetime") && fields.has("expires") {
        fields.refuse("expires", Fault::WrongValue("either lifetime or expires, not both".to_owned()));
    } else {
        set(&mut clause.ends, fields.moment("expires", Edge::End).map(Some));
    }
    set(&mut clause.rest.scopes, words("scopes", "[\"email\", \"profile\"]"));
    set(&mut clause.rest.audiences, words("audiences", "[\"https://storage.example.org\"]"));
    set(&mut clause.rest.hosts, words("hosts", "[\"192.0.2.0/24\", \"*.example.org\", \"this\"]"));
    set(&mut clause.rest.countries_allowed, words("countries", "[\"DE\"]"));
    set(&mut clause.rest.countries_refused, words("not_countries", "[\"US\"]"));
    set(&mut clause.rest.uses_at, fields.number("uses_at", "how many access tokens it gives, 15").map(Some));
    set(&mut clause.rest.uses_other, fields.number("uses_other", "how many other uses it has, 5").map(Some));
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
    let wanted = fields.text("provider", "a provider's name or issuer, \"helmholtz\"")?;
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
