//! `toktui mytoken outlast NAME --for 36h`: will it last as long as my job?

use std::io::Read;

use clap::Args;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::order;
use crate::cli::house::House;
use crate::cli::{input, json, moment, span};
use crate::desktop::slurm;
use crate::domain::credential::Held;
use crate::domain::draft::{self, Base, Draft};
use crate::domain::failure::{Failure, Kind};
use crate::domain::outlast::{Advice, Holds, Job, Outlast, State, outlast};
use crate::domain::source::SourceId;
use crate::domain::untrusted::cleaned;

/// Words of it.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// The name it is held under: a mytoken or a login
    pub name: String,
    /// How long the job runs: 90m, 36h, 2d, or Slurm's 1-12:00:00
    #[arg(long = "for", value_name = "SPAN", value_parser = span::parse, required_unless_present = "slurm")]
    pub wall: Option<SignedDuration>,
    /// How long it waits in the queue before
    #[arg(long, value_name = "SPAN", value_parser = span::parse)]
    pub wait: Option<SignedDuration>,
    /// How often it takes a new access token; else a minute before the one it has ends
    #[arg(long, value_name = "SPAN", value_parser = span::parse)]
    pub every: Option<SignedDuration>,
    /// A Slurm job's own figures, by its number; `-`: `scontrol show job -o ID` on standard input
    #[arg(long, value_name = "JOB|-", conflicts_with_all = ["wall", "wait"])]
    pub slurm: Option<String>,
    /// JSON instead of text
    #[arg(long)]
    pub json: bool,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
Nothing is sent: it is told from what is known here. Look it up before (`toktui info NAME`), and the counted uses are known too.

Examples:
  toktui mytoken outlast toar --for 36h --wait 6h
  toktui mytoken outlast toar --slurm 4711
  toktui mytoken outlast toar --for 24h --every 1h || exit 1

JSON (version 1; moments are seconds since 1970, null is unknown):
  answer       holds, breaks, cannot_tell; breaks_at; start, until: of the job; needs: access tokens it takes
  links[]      kind, needed, state, breaks_at, fact
  advice[]     make (lifetime_seconds, uses, copy_lives_seconds), log_in, ask_server, say_how_often, would_it_work
  remarks[]    what Slurm left open

Exit codes: 0 it holds; 2 wrong usage; 3 it does not; 4 cannot tell.";

/// Answers.
///
/// # Errors
/// When nothing is held under that name, or the job's figures cannot be read.
pub async fn run(house: &mut House, words: &Words, from: impl Read) -> Result<u8, Failure> {
    let doing = format!("Asking whether {} will outlast the job", words.name);
    let (job, remarks) = job(house, words, from, &doing).await?;
    let held = house.opened(&words.name, &doing).await?;
    let now = house.clock.now();
    let told = outlast(&held, &job, now);
    if words.json {
        house.out.line(&json::safe(&as_json(&told, &remarks)));
    } else {
        for line in as_text(house, &told, &held, &doing) {
            house.out.line(&cleaned(&line));
        }
        for remark in &remarks {
            house.say(remark);
        }
    }
    Ok(match told.answer() {
        State::Holds => 0,
        State::Breaks(_) => 3,
        State::CannotTell => 4,
    })
}

async fn job(
    house: &House,
    words: &Words,
    from: impl Read,
    doing: &str,
) -> Result<(Job, Vec<String>), Failure> {
    let unusable = |why: String| Failure::new(Kind::Unusable, doing, why);
    let Some(slurm) = &words.slurm else {
        let (wall, wait) = (words.wall.unwrap_or_default(), words.wait.unwrap_or_default());
        return Ok((Job { wait, wall, every: words.every }, Vec::new()));
    };
    let text = if slurm == "-" {
        input::all(from, doing)?.to_string()
    } else {
        let (id, environment) = (slurm.clone(), house.environment.clone());
        let asked = tokio::task::spawn_blocking(move || slurm::job(&id, &environment)).await;
        let asked =
            asked.map_err(|_| unusable("asking Slurm broke off; this is a bug in toktui".to_owned()))?;
        asked.map_err(|why| {
            unusable(why)
                .hint("Or give its figures: --for, --wait; or pipe `scontrol show job -o ID` into --slurm -.")
        })?
    };
    let read = Job::from_slurm(&text, house.clock.now(), &TimeZone::system()).map_err(unusable)?;
    Ok((Job { every: words.every, ..read.job }, read.remarks))
}

fn as_text(house: &House, told: &Outlast, held: &Held, doing: &str) -> Vec<String> {
    let name = &held.name;
    let headline = match told.answer() {
        State::Holds => format!("HOLDS   {name} lasts until the job ends, {}", moment(told.until)),
        State::Breaks(at) => format!("BREAKS  at {}; the job ends {}", moment(at), moment(told.until)),
        State::CannotTell => format!("CANNOT TELL   whether {name} lasts until {}", moment(told.until)),
    };
    let mut lines = vec![headline];
    for (place, link) in told.links.iter().enumerate() {
        let sign = match link.state {
            _ if !link.needed => "-",
            State::Holds => "ok",
            State::Breaks(_) if told.first_break == Some(place) => "NO",
            State::Breaks(_) => "no",
            State::CannotTell => "?",
        };
        lines.push(format!("  {sign:<3} {:<18} {}", link.kind.words(), link.fact));
    }
    if let Some(needs) = told.needs {
        lines.push(format!("  It takes {needs} access tokens."));
    }
    lines.extend(told.advice.iter().map(|advice| match advice {
        Advice::Make(holds) => format!("  One that would hold: {}", command(house, held, *holds, doing)),
        Advice::LogIn => format!("  Log in again: toktui login, for {name}"),
        Advice::AskServer => format!("  Ask its server what is left of it: toktui info {name}"),
        Advice::SayHowOften => "  Say how often the job takes an access token: --every 1h".to_owned(),
        Advice::WouldItWork => format!(
            "  Ask whether it would work where the job runs: toktui mytoken would-work {name} --from-host HOST"
        ),
    }));
    lines
}

/// The command that makes it, under a name that is free here.
fn command(house: &House, held: &Held, holds: Holds, doing: &str) -> String {
    let server = house.wallet.server_of_held(&held.id);
    let server = server.or_else(|| order::server(house, None, doing).ok());
    let draft = Draft { name: house.wallet.free_name(&held.name), ..holds.draft(held) };
    let server = server.as_ref().map_or("SERVER", SourceId::as_str);
    draft::command(&draft, &Base { server: Some(server), ..Base::default() })
}

fn as_json(told: &Outlast, remarks: &[String]) -> Value {
    let breaks = |state: State| match state {
        State::Breaks(at) => Some(at.as_second()),
        State::Holds | State::CannotTell => None,
    };
    let links = told.links.iter().map(|link| {
        json!({
            "kind": link.kind.code(), "needed": link.needed, "state": link.state.code(),
            "breaks_at": breaks(link.state), "fact": link.fact,
        })
    });
    let answer = told.answer();
    json!({
        "version": 1,
        "answer": answer.code(),
        "breaks_at": breaks(answer),
        "start": Timestamp::as_second(told.start),
        "until": told.until.as_second(),
        "needs": told.needs,
        "links": links.collect::<Vec<_>>(),
        "advice": told.advice.iter().map(advice_json).collect::<Vec<_>>(),
        "remarks": remarks,
    })
}

fn advice_json(advice: &Advice) -> Value {
    match advice {
        Advice::Make(holds) => json!({
            "what": "make", "lifetime_seconds": holds.lifetime_seconds, "uses": holds.uses_at,
            "copy_lives_seconds": holds.copy_lives,
        }),
        Advice::LogIn => json!({ "what": "log_in" }),
        Advice::AskServer => json!({ "what": "ask_server" }),
        Advice::SayHowOften => json!({ "what": "say_how_often" }),
        Advice::WouldItWork => json!({ "what": "would_it_work" }),
    }
}
