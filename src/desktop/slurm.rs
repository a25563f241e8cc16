//! Asks Slurm on this machine about one job of the user's.

use std::time::Duration;

use super::child;
use super::place::Environment;

/// A controller that is busy answers late; one that is away does not answer at all.
const PATIENCE: Duration = Duration::from_secs(10);
/// More digits than any job has.
const LONGEST: usize = 40;

/// What `scontrol show job -o ID` prints. Blocks for ten seconds at the most.
///
/// # Errors
/// In words: what is given is no job's number, or Slurm does not answer.
pub fn job(id: &str, environment: &Environment) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_digit() || matches!(c, '_' | '+' | '.');
    let begins = id.starts_with(|c: char| c.is_ascii_digit());
    if !begins || id.len() > LONGEST || !id.chars().all(fits) {
        return Err("a job is named by its number, such as 4711 or 4711_3".to_owned());
    }
    let command = child::command("scontrol", &["show", "job", "-o", id], environment);
    let said = child::run(command, None, PATIENCE).map_err(|error| format!("scontrol: {error}"))?;
    Ok(String::from_utf8_lossy(&said).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_number_of_a_job_reaches_scontrol() {
        for id in ["", "-o", "4711;id", "x", "--", "4711 4712", &"1".repeat(60)] {
            let why = job(id, &Environment::default()).expect_err(id);
            assert!(why.contains("by its number"), "{id}: {why}");
        }
    }
}
