//! Scripts that read an access token from toktui when they run, and never contain one.

/// A script for a name that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Snippet {
    /// Python with `requests`.
    Python,
    /// A `curl` line.
    Curl,
    /// A `curl` line with a new access token, at its price.
    CurlNewToken,
    /// A job script for Slurm.
    Slurm,
    /// A remote of rclone's config file.
    Rclone,
    /// Python for the TOAR database (<https://toar-data.fz-juelich.de/api/v2/>).
    Toar,
}

/// Stands in a script for the service that its user means.
pub const SERVICE: &str = "https://service.example.org/";

/// The API of the TOAR database.
pub const TOAR: &str = "https://toar-data.fz-juelich.de/api/v2/";

impl Snippet {
    /// All of them, in the order of menus.
    pub const ALL: [Self; 6] =
        [Self::Python, Self::Curl, Self::CurlNewToken, Self::Slurm, Self::Rclone, Self::Toar];

    /// The word that the plain command knows it by.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Curl => "curl",
            Self::CurlNewToken => "curl-new",
            Self::Slurm => "slurm",
            Self::Rclone => "rclone",
            Self::Toar => "toar",
        }
    }

    /// What it is, as it stands in a menu and in a message.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Python => "Python, requests",
            Self::Curl => "curl",
            Self::CurlNewToken => "curl, new access token",
            Self::Slurm => "Slurm job script",
            Self::Rclone => "rclone remote",
            Self::Toar => "Python for TOAR",
        }
    }

    /// The script, with its last line ended. No secret is in it: `toktui` is asked when it runs, by its name alone, and the token goes
    /// through pipes and memory, not through arguments, which every user of a machine can read.
    #[must_use]
    pub fn text(self, name: &str) -> String {
        let shell = in_shell(name);
        match self {
            Self::Python => {
                let body =
                    format!("answer = requests.get({}, auth=Toktui(), timeout=60)", in_python(SERVICE));
                python(name, &body)
            }
            Self::Toar => {
                let body = format!(
                    "API = {}\n\nquestion = {{\"limit\": 5, \"format\": \"json\"}}\n\
                     answer = requests.get(API + \"search/\", params=question, auth=Toktui(), timeout=60)",
                    in_python(TOAR)
                );
                python(name, &body)
            }
            Self::Curl => format!("toktui token {shell} --header | curl -fsS -H @- {SERVICE}\n"),
            Self::CurlNewToken => {
                format!("toktui token {shell} --force --header | curl -fsS -H @- {SERVICE}\n")
            }
            Self::Slurm => slurm(name),
            Self::Rclone => format!(
                "[{}]\ntype = webdav\nurl = {SERVICE}\nvendor = other\nbearer_token_command = toktui token {}\n",
                plain(name),
                in_rclone(name)
            ),
        }
    }
}

fn python(name: &str, body: &str) -> String {
    format!(
        "import subprocess\n\nimport requests\n\n\n\
         class Toktui(requests.auth.AuthBase):\n    \
             \"\"\"Asks toktui before each request: it gives the token that lives, and draws a new one where none does.\"\"\"\n\n    \
             def __call__(self, request):\n        \
                 command = [\"toktui\", \"token\", {}]\n        \
                 asked = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)\n        \
                 request.headers[\"Authorization\"] = \"Bearer \" + asked.stdout.strip()\n        \
                 return request\n\n\n\
         {body}\nanswer.raise_for_status()\nprint(answer.text)\n",
        in_python(name)
    )
}

fn slurm(name: &str) -> String {
    // Inside the quotes of the step a quoted name has its quotes doubled once more.
    let step =
        in_shell(&format!("toktui token {} --no-input --header | curl -fsS -H @- {SERVICE}", in_shell(name)));
    format!(
        "#!/bin/bash\n#SBATCH --job-name={}\n#SBATCH --ntasks=1\n#SBATCH --time=12:00:00\n\n\
         # Each step asks toktui on its node for a token that lives; tasks that ask at once share one. The nodes need your\n\
         # home folder, and a store that opens without you (toktui store --help: a key file).\n\
         # Before you submit:  toktui mytoken outlast {} --for 12h\n\
         set -euo pipefail\n\n\
         srun bash -o pipefail -c {step}\n",
        plain(name),
        in_shell(&plain(name))
    )
}

/// One word of a POSIX shell.
#[must_use]
pub fn in_shell(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let leads = text.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    if leads && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A text of Python's: JSON's escapes are among its own.
fn in_python(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// One word of a list in rclone's config, which is parted at spaces and quoted as CSV; a value ends with its line.
fn in_rclone(text: &str) -> String {
    let line: String = text.chars().filter(|c| !c.is_control()).collect();
    if in_shell(&line) == line { line } else { format!("\"{}\"", line.replace('"', "\"\"")) }
}

/// What stands where nothing can be quoted: the name of a job or a remote.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_asks_toktui_for_its_name_and_has_a_word_of_its_own() {
        let mut words: Vec<_> = Snippet::ALL.map(Snippet::word).to_vec();
        for snippet in Snippet::ALL {
            let text = snippet.text("toar.night-1");
            assert!(text.contains("toktui") && text.contains("toar.night-1"), "{text}");
            assert!(text.ends_with('\n'), "{text}");
        }
        words.dedup();
        assert_eq!(words.len(), Snippet::ALL.len());
    }

    #[test]
    fn a_name_that_could_do_something_is_quoted_everywhere() {
        let evil = "a'; touch /tmp/x; \"$(id)\"\n#";
        let shell = in_shell(evil);
        assert_eq!(shell, "'a'\\''; touch /tmp/x; \"$(id)\"\n#'");
        for snippet in [Snippet::Curl, Snippet::CurlNewToken] {
            assert!(snippet.text(evil).contains(&format!("toktui token {shell} --")));
        }
        for snippet in [Snippet::Python, Snippet::Toar] {
            let quoted = r#""a'; touch /tmp/x; \"$(id)\"\n#"]"#;
            assert!(snippet.text(evil).contains(quoted), "{}", snippet.text(evil));
        }
        let rclone = Snippet::Rclone.text(evil);
        assert!(rclone.contains("toktui token \"a'; touch /tmp/x; \"\"$(id)\"\"#\""), "{rclone}");
        assert_eq!(rclone.lines().count(), 5);
        assert!(Snippet::Slurm.text(evil).contains("--job-name=a___touch__tmp_x_____id____\n"));
        assert_eq!([in_shell(""), in_shell("-rf"), in_shell("ü")], ["''", "'-rf'", "'ü'"]);
    }
}
