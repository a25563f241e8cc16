//! `toktui provider check`: would a login work there, and if not, what is to be done.

use clap::Args;
use serde_json::{Value, json};

use super::{client, meant};
use crate::cli::house::House;
use crate::cli::json as safe;
use crate::domain::failure::Failure;
use crate::domain::source::SourceKind;
use crate::domain::untrusted::cleaned;
use crate::wallet::inspect::{Checked, Standing};

/// Words of `toktui provider check`.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// A provider by its short name or its issuer
    pub provider: String,
    /// Check as this client
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
    /// Check with these scopes; may be repeated
    #[arg(long, value_name = "SCOPE")]
    pub scope: Vec<String>,
    /// JSON instead of text
    #[arg(long)]
    pub json: bool,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
Nobody is signed in and nothing is kept. It reads the discovery document; asks with a made-up refresh token whether the client is known; sends an
authorization request of nobody (prompt=none) for each redirect address, and for each scope where they are refused; and asks for one device
code, which ends unused (not with --read-only).

Examples:
  toktui provider check egi
  toktui provider check https://login.example.org/realms/mine --client-id toktui --scope 'openid offline_access'

JSON (version 1):
  name, issuer, verdict (good, wrong, unreached), findings[] (what, standing: good, doubt or wrong, said, cure)

Exit codes: 0 nothing is wrong; 2 no such provider; 3 something is wrong; 4 not reached.";

/// Checks one.
///
/// # Errors
/// When there is no such provider.
pub async fn run(house: &mut House, words: &Words) -> Result<u8, Failure> {
    let doing = format!("Checking {}", cleaned(&words.provider));
    let (mut source, mut issuer) = meant(house, &words.provider, &doing)?;
    if !words.scope.is_empty() {
        issuer.scopes =
            words.scope.iter().flat_map(|scopes| scopes.split_whitespace()).map(str::to_owned).collect();
        source.kind = SourceKind::Issuer(Box::new(issuer.clone()));
    }
    let checked = house.wallet.check(&source, &issuer, client(words.client_id.as_deref())).await;
    let (verdict, code) = verdict(&checked);
    if words.json {
        let findings: Vec<Value> = checked
            .findings
            .iter()
            .map(|finding| {
                let standing = standing(finding.standing).trim_end().to_lowercase();
                json!({"what": finding.what, "standing": standing, "said": finding.said, "cure": finding.cure})
            })
            .collect();
        let all = json!({"version": 1, "name": source.id.as_str(), "issuer": issuer.address, "verdict": verdict,
            "findings": findings});
        house.out.line(&safe::safe(&all));
        return Ok(code);
    }
    house.out.line(&cleaned(&format!("{}   {}", source.name, issuer.address)));
    for finding in &checked.findings {
        house.out.line(&cleaned(&format!(
            "{}  {:<15}  {}",
            standing(finding.standing),
            finding.what,
            finding.said
        )));
        if let Some(cure) = &finding.cure {
            house.out.line(&cleaned(&format!("{:24}{cure}", "")));
        }
    }
    Ok(code)
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Good => "good ",
        Standing::Doubt => "doubt",
        Standing::Wrong => "WRONG",
    }
}

fn verdict(checked: &Checked) -> (&'static str, u8) {
    if checked.unreached {
        ("unreached", 4)
    } else if checked.findings.iter().any(|finding| finding.standing == Standing::Wrong) {
        ("wrong", 3)
    } else {
        ("good", 0)
    }
}
