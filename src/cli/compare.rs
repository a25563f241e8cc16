//! `toktui compare A B`: what is not the same in two tokens.

use std::io::Read;

use clap::Args;
use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::house::House;
use super::{input, json, moment};
use crate::domain::compare::{Change, How, Part, compare};
use crate::domain::failure::{Failure, Kind};
use crate::domain::jwt::Jwt;
use crate::domain::specimen::recognise;
use crate::domain::time::countdown;
use crate::domain::untrusted::{Untrusted, cleaned};

/// Columns of the names of claims.
const NAMES: usize = 18;

/// Words of `toktui compare`.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// A name; or `-`: the token on standard input
    #[arg(value_name = "A|-")]
    pub first: String,
    /// Another name; or `-`
    #[arg(value_name = "B|-")]
    pub second: String,
    /// JSON instead of text
    #[arg(long)]
    pub json: bool,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
Of a mytoken its own claims are compared, of anything else that is held its access token as it is held now. Nobody is asked and
nothing is verified: see `toktui info`. `-` takes what goes before the token off, as `toktui info -` does. Order in a list
of texts says nothing, nor how scopes are written down.

  -  only in A     +  only in B     A -> B where both have it

Exit codes: 0 the same; 3 they differ; 2 wrong usage, or one that cannot be read.

Examples:
  toktui compare egi egi-before
  curl … | jq -r .access_token | toktui compare egi -

JSON (version 1):
  same        true or false
  changes[]   part (scopes, audience, claims, times, header), name, and either only_a and only_b (lists of texts), or a and b (values,
              null where one has none); times are seconds since 1970";

/// Compares. The exit code says whether they are the same.
///
/// # Errors
/// When one is not held, or its content cannot be read.
pub async fn run(house: &mut House, words: &Words, from: impl Read) -> Result<u8, Failure> {
    let doing = "Comparing the tokens";
    if words.first == "-" && words.second == "-" {
        return Err(Failure::new(Kind::Unusable, doing, "standard input holds one token, not two")
            .hint("Give a name for the other: `toktui compare NAME -`"));
    }
    let mut from = Some(from);
    let first = read(house, &words.first, &mut from, doing).await?;
    let second = read(house, &words.second, &mut from, doing).await?;
    let changes = compare(&first, &second);
    if words.json {
        house.out.line(&json::safe(&as_json(&changes)));
    } else {
        for line in as_text(&changes) {
            house.out.line(&line);
        }
    }
    Ok(if changes.is_empty() { 0 } else { 3 })
}

/// Header and claims of one side.
async fn read<R: Read>(house: &House, name: &str, from: &mut Option<R>, doing: &str) -> Result<Jwt, Failure> {
    let unreadable = |why: &str| Failure::new(Kind::Unusable, doing, why.to_owned());
    if name != "-" {
        let held = house.opened(name, doing).await?;
        return house.wallet.content_of(&held.id, doing)?.ok_or_else(|| {
            unreadable(&format!("nothing can be read in {name}: it is opaque, or it has no access token yet"))
                .hint(format!(
                    "`toktui token {name}` gets one; `toktui info {name}` asks its provider about it."
                ))
        });
    }
    let text = from.take().map(|from| input::all(from, doing)).transpose()?.unwrap_or_default();
    Jwt::parse(recognise(&text).value.expose())
        .ok_or_else(|| unreadable("what came on standard input is no token in which anything can be read"))
}

fn as_json(changes: &[Change]) -> Value {
    let list = |texts: &[Untrusted]| texts.iter().map(|text| text.raw().to_owned()).collect::<Vec<_>>();
    let change = |change: &Change| {
        let mut fields = Map::new();
        fields.insert("part".to_owned(), change.part.word().into());
        fields.insert("name".to_owned(), change.name.raw().into());
        let (one, other) = match &change.how {
            How::Lists { gone, added } => {
                fields.insert("only_a".to_owned(), list(gone).into());
                fields.insert("only_b".to_owned(), list(added).into());
                return Value::Object(fields);
            }
            How::Added(value) => (Value::Null, value.clone()),
            How::Gone(value) => (value.clone(), Value::Null),
            How::Other(one, other) => (one.clone(), other.clone()),
            How::Moved(from, to) => (from.as_second().into(), to.as_second().into()),
        };
        fields.insert("a".to_owned(), one);
        fields.insert("b".to_owned(), other);
        Value::Object(fields)
    };
    json!({
        "version": 1,
        "same": changes.is_empty(),
        "changes": changes.iter().map(change).collect::<Vec<_>>(),
    })
}

fn as_text(changes: &[Change]) -> Vec<String> {
    if changes.is_empty() {
        return vec!["They say the same.".to_owned()];
    }
    let mut lines = Vec::new();
    for part in Part::ALL {
        let of_part: Vec<&Change> = changes.iter().filter(|change| change.part == part).collect();
        if of_part.is_empty() {
            lines.push(format!("{}: the same", part.word()));
            continue;
        }
        lines.push(part.word().to_owned());
        lines.extend(of_part.into_iter().flat_map(told));
    }
    lines
}

/// A change, a line for each thing that is only on one side.
fn told(change: &Change) -> Vec<String> {
    let name = change.name.shown();
    let line = |sign: char, text: &str| format!("  {sign} {name:<NAMES$} {text}");
    match &change.how {
        How::Added(value) => vec![line('+', &shown(value))],
        How::Gone(value) => vec![line('-', &shown(value))],
        How::Other(one, other) => vec![line(' ', &format!("{} -> {}", shown(one), shown(other)))],
        How::Moved(from, to) => {
            let span = to.duration_since(*from);
            let way = if span.is_negative() { "earlier" } else { "later" };
            let far = countdown(SignedDuration::from_secs(span.as_secs().saturating_abs()));
            vec![line(' ', &format!("{} -> {}   {far} {way}", moment(*from), moment(*to)))]
        }
        How::Lists { gone, added } => {
            let gone = gone.iter().map(|text| line('-', &text.shown()));
            gone.chain(added.iter().map(|text| line('+', &text.shown()))).collect()
        }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => cleaned(text),
        other => cleaned(&other.to_string()),
    }
}
