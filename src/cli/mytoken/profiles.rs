//! `toktui mytoken profiles`: what can be made by one word: built in, the user's own, the server's.

use clap::Args;
use serde_json::{Value, json};

use super::order;
use crate::cli::house::House;
use crate::cli::json as safe;
use crate::domain::draft::{Circumstances, in_words, to_json};
use crate::domain::failure::Failure;
use crate::domain::offer::{Template, TemplateKind};
use crate::domain::source::{Source, SourceKind};
use crate::domain::untrusted::{Untrusted, cleaned};

/// Words of `toktui mytoken profiles`.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// A mytoken server, by its short name or address: what it keeps ready, too
    pub server: Option<String>,
    /// JSON instead of text
    #[arg(long)]
    pub json: bool,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
Profiles of toktui, built in or from your config, go to --profile; those that a server keeps go to --template. A server's profile adds
to what else is said: what comes can be more than either, and is held against what was asked.

Examples:
  toktui mytoken profiles
  toktui mytoken profiles mytoken-kit

JSON (version 1):
  profiles[]   name, title, origin (built_in, config), server, words[], draft
  templates[]  name, kind (profile, capabilities, restrictions, rotation), content (as the server tells it)

Exit codes: 0 told; 2 no such server; 4 the server was not reached.";

/// Lists them.
///
/// # Errors
/// When the server is not listed, or nobody answers.
pub async fn run(house: &mut House, words: &Words) -> Result<u8, Failure> {
    let doing = "Listing profiles";
    let templates = match &words.server {
        Some(word) => {
            let server = order::server(house, Some(word), doing)?;
            let offer = house.wallet.offer(&server).await?;
            if let Some(why) = &offer.unread {
                house.say(&cleaned(&format!("the server's own profiles could not be read: {why}")));
            }
            offer.templates
        }
        None => Vec::new(),
    };
    let sources = house.wallet.sources();
    let profiles: Vec<&Source> =
        sources.iter().filter(|source| matches!(source.kind, SourceKind::Profile(_))).collect();
    if words.json {
        let list: Vec<Value> = profiles.iter().filter_map(|source| as_json(house, source)).collect();
        let templates: Vec<Value> = templates.iter().map(template_json).collect();
        let all = json!({"version": 1, "profiles": list, "templates": templates});
        house.out.line(&safe::safe(&all));
        return Ok(0);
    }
    for source in profiles {
        let SourceKind::Profile(profile) = &source.kind else { continue };
        let (id, server) = (source.id.as_str(), profile.server.as_str());
        house.out.line(&cleaned(&format!("{id:<16}{}, at {server}; {}", source.name, source.origin.words())));
        for line in words_of(house, source) {
            house.out.line(&cleaned(&format!("                {line}")));
        }
    }
    for template in &templates {
        let name = Untrusted::new(template.reference()).shown();
        let content = template.content.shown_within(200);
        house.out.line(&format!("{name:<16}{}, the server's: {content}", kind(template.kind)));
    }
    Ok(0)
}

fn words_of(house: &House, source: &Source) -> Vec<String> {
    let SourceKind::Profile(profile) = &source.kind else { return Vec::new() };
    let zone = order::zone(house);
    let now = house.clock.now();
    in_words(
        &profile.draft,
        &Circumstances { offer: None, parent: None, now, zone: &zone, tokens_live: None },
    )
}

fn as_json(house: &House, source: &Source) -> Option<Value> {
    let SourceKind::Profile(profile) = &source.kind else { return None };
    Some(json!({
        "name": source.id.as_str(),
        "title": source.name,
        "origin": source.origin.words().replace(' ', "_"),
        "server": profile.server.as_str(),
        "words": words_of(house, source),
        "draft": to_json(&profile.draft),
    }))
}

fn template_json(template: &Template) -> Value {
    json!({"name": template.reference(), "kind": kind(template.kind), "content": template.content.raw()})
}

fn kind(kind: TemplateKind) -> &'static str {
    match kind {
        TemplateKind::Profile => "profile",
        TemplateKind::Capabilities => "capabilities",
        TemplateKind::Restrictions => "restrictions",
        TemplateKind::Rotation => "rotation",
    }
}
