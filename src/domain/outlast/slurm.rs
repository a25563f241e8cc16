//! What Slurm itself says of a job (`scontrol show job -o ID`).

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::Job;
use crate::domain::span;
use crate::domain::untrusted::cleaned;

/// The states in which a job runs no more.
const OVER: &[&str] = &[
    "BOOT_FAIL",
    "CANCELLED",
    "COMPLETED",
    "COMPLETING",
    "DEADLINE",
    "FAILED",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "PREEMPTED",
    "TIMEOUT",
];

/// A job as Slurm describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlurmJob {
    /// What is left of it: of a running job the rest of its time.
    pub job: Job,
    /// What Slurm left open.
    pub remarks: Vec<String>,
}

impl Job {
    /// Reads the line of `scontrol show job -o ID`, whose times are those of `zone`.
    ///
    /// # Errors
    /// With what is missing, in words.
    pub fn from_slurm(text: &str, now: Timestamp, zone: &TimeZone) -> Result<SlurmJob, String> {
        let mut lines = text.lines().filter(|line| line.contains("TimeLimit="));
        let line =
            lines.next().ok_or("it names no TimeLimit; expected the output of scontrol show job -o ID")?;
        let field = |name: &str| {
            line.split_ascii_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
        };
        if let Some(state) = field("JobState").filter(|state| OVER.contains(state)) {
            return Err(format!("the job is over: Slurm calls it {state}"));
        }
        let moment = |name: &str| field(name).and_then(|text| local(text, zone));
        let (start, end) = (moment("StartTime"), moment("EndTime"));
        let ran = field("RunTime").and_then(span::read).unwrap_or_default();
        let runs = ran > SignedDuration::ZERO || field("JobState") == Some("RUNNING");
        let from = start.filter(|start| !runs && *start > now).unwrap_or(now);
        let limit = field("TimeLimit").unwrap_or_default();
        let wall = match (span::read(limit), end) {
            (Some(limit), _) => limit.saturating_sub(ran),
            (None, Some(end)) => end.duration_since(from),
            (None, None) if limit == "UNLIMITED" => {
                return Err("the job has no time limit: say how long it runs".to_owned());
            }
            (None, None) => return Err(format!("its TimeLimit cannot be read: {}", cleaned(limit))),
        };
        let mut remarks = Vec::new();
        if !runs && start.is_none() {
            remarks.push("Slurm names no start yet: no waiting is counted".to_owned());
        }
        if lines.next().is_some() {
            remarks.push("Slurm names several jobs: this is the first one".to_owned());
        }
        let job = Self { wait: from.duration_since(now), wall: wall.max(SignedDuration::ZERO), every: None };
        Ok(SlurmJob { job, remarks })
    }
}

/// `2026-11-22T14:00:00`; `Unknown` and `N/A` are none.
fn local(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let civil: DateTime = text.parse().ok()?;
    civil.to_zoned(zone.clone()).ok().map(|moment| moment.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "JobId=4711 JobName=toar UserId=hugo(1000) ";

    /// 12:00 in Berlin.
    fn now() -> Timestamp {
        "2026-11-22T11:00:00Z".parse().expect("a moment")
    }

    fn read(fields: &str) -> Result<SlurmJob, String> {
        Job::from_slurm(&format!("{HEAD}{fields} Command=/home/hugo/run.sh\n"), now(), &berlin())
    }

    fn berlin() -> TimeZone {
        TimeZone::fixed(jiff::tz::offset(1))
    }

    #[test]
    fn the_figures_of_slurm_are_read_in_all_their_forms() {
        // the fields, the wait and the wall in minutes, the remarks
        let table = [
            (
                "JobState=PENDING RunTime=00:00:00 TimeLimit=1-12:00:00 StartTime=2026-11-22T14:00:00 EndTime=Unknown",
                (120, 2160, 0),
            ),
            (
                "JobState=PENDING RunTime=00:00:00 TimeLimit=12:00:00 StartTime=Unknown EndTime=Unknown",
                (0, 720, 1),
            ),
            (
                "JobState=RUNNING RunTime=02:00:00 TimeLimit=12:00:00 StartTime=2026-11-22T10:00:00 EndTime=2026-11-22T22:00:00",
                (0, 600, 0),
            ),
            (
                "JobState=RUNNING RunTime=02:00:00 TimeLimit=UNLIMITED StartTime=2026-11-22T10:00:00 EndTime=2026-11-22T22:00:00",
                (0, 600, 0),
            ),
            // Its start was foreseen and has passed: it still waits.
            (
                "JobState=PENDING RunTime=00:00:00 TimeLimit=01:00:00 StartTime=2026-11-22T11:59:00 EndTime=Unknown",
                (0, 60, 0),
            ),
            ("RunTime=13:00:00 TimeLimit=12:00:00", (0, 0, 0)),
        ];
        for (fields, (wait, wall, remarks)) in table {
            let found = read(fields).expect(fields);
            let minutes = SignedDuration::from_mins;
            assert_eq!(found.job, Job { wait: minutes(wait), wall: minutes(wall), every: None }, "{fields}");
            assert_eq!(found.remarks.len(), remarks, "{fields}");
        }
    }

    #[test]
    fn a_job_without_an_end_or_that_is_over_is_told_apart() {
        let table = [
            (
                "JobState=RUNNING RunTime=02:00:00 TimeLimit=UNLIMITED EndTime=Unknown",
                "the job has no time limit: say how long it runs",
            ),
            (
                "JobState=COMPLETED RunTime=02:00:00 TimeLimit=12:00:00",
                "the job is over: Slurm calls it COMPLETED",
            ),
            (
                "JobState=PENDING TimeLimit=Partition_Limit\u{1b}",
                "its TimeLimit cannot be read: Partition_Limit\\u{1b}",
            ),
            ("", "it names no TimeLimit; expected the output of scontrol show job -o ID"),
        ];
        for (fields, why) in table {
            assert_eq!(read(fields), Err(why.to_owned()), "{fields}");
        }
    }
}
