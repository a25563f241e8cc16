//! What making a mytoken came to, as text and as JSON.

use serde_json::{Value, json};

use crate::cli::house::House;
use crate::cli::login::{differences, qr};
use crate::cli::{json as safe, moment};
use crate::desktop::terminal;
use crate::domain::draft::Warning;
use crate::domain::handed::Handed;
use crate::domain::login::{Relation, Report};
use crate::domain::time::countdown;
use crate::domain::untrusted::cleaned;

/// Tells of a mytoken that is kept.
pub fn report(house: &mut House, report: &Report, json: bool, done: &str) {
    let wider = report.lines.iter().any(|line| line.relation == Relation::Wider);
    if json {
        let lines: Vec<Value> = report
            .lines
            .iter()
            .map(|line| {
                json!({
                    "what": line.what,
                    "asked": line.asked,
                    "granted": line.granted,
                    "relation": relation(line.relation),
                    "note": line.note,
                })
            })
            .collect();
        house.out.line(&safe::safe(&json!({
            "version": 1,
            "name": report.name,
            "at": report.at,
            "compared": lines,
            "wider": wider,
            "remarks": report.remarks,
        })));
    } else {
        house.out.line(&cleaned(&format!("{done} {} at {}, and kept it.", report.name, report.at)));
    }
    if wider {
        house.say(&format!(
            "ALARM: it may do more than was asked for. To end it: toktui revoke {}",
            report.name
        ));
    }
    differences(house, report);
}

fn relation(relation: Relation) -> &'static str {
    match relation {
        Relation::Same => "same",
        Relation::Narrower => "narrower",
        Relation::Wider => "wider",
        Relation::Other => "other",
    }
}

/// Tells of a code: the code alone on standard output.
pub fn code(house: &mut House, handed: &Handed, json: bool, draws: bool) {
    let left = handed.ends.duration_since(house.clock.now());
    if json {
        house.out.line(&safe::safe(&json!({
            "version": 1,
            "code": handed.code.expose(),
            "ends_at": handed.ends.as_second(),
            "server": handed.address,
            "name": handed.name,
            "itself": handed.itself,
            "mom_id": handed.mom_id.as_ref().map(crate::domain::untrusted::Untrusted::raw),
            "remarks": handed.remarks,
        })));
    } else {
        house.out.line(&cleaned(handed.code.expose()));
    }
    for remark in &handed.remarks {
        house.say(&cleaned(remark));
    }
    if draws {
        let (columns, _) = terminal::size();
        match qr::of_text(handed.code.expose(), usize::from(columns)) {
            Some(lines) => qr::show(&lines),
            None => house.say("this terminal has no room for a QR code"),
        }
    }
    house.say(&cleaned(&format!(
        "a code for {}: good once, for {}, until {}",
        handed.name,
        countdown(left),
        moment(handed.ends)
    )));
    house.say(&cleaned(&format!("to redeem it there: toktui mytoken redeem --server {}", handed.address)));
}

/// Tells of a draft, and that nothing was sent.
pub fn draft(house: &mut House, words: &[String], warnings: &[Warning], draft: &Value, json: bool) {
    if json {
        let list: Vec<Value> =
            warnings.iter().map(|warning| json!({"stops": warning.stops, "text": warning.text})).collect();
        house.out.line(&safe::safe(&json!({"version": 1, "words": words, "warnings": list, "draft": draft})));
    } else {
        for line in words {
            house.out.line(&cleaned(line));
        }
        for warning in warnings {
            let mark = if warning.stops { "stops it:" } else { "!" };
            house.out.line(&cleaned(&format!("{mark} {}", warning.text)));
        }
        house.out.line("");
        house.out.line(&safe::safe(draft));
    }
    house.say("nothing was sent");
}
