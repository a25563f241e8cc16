//! Profiles saved from the form: read back the same, beside what the user wrote, and never over it.

use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::config::Fault;
use crate::domain::draft::any::drafts;
use crate::domain::mytoken::Capability;
use crate::domain::source::Origin;

fn saved(name: &str, draft: Draft) -> SavedProfile {
    SavedProfile { name: name.to_owned(), server: "mytoken-kit".into(), draft }
}

fn simple(uses: u64) -> Draft {
    let rest = Clause { uses_at: Some(uses), ..Clause::default() };
    Draft {
        capabilities: vec![Capability::new("AT")],
        clauses: vec![DraftClause { ends: Some(When::In(86_400)), rest, ..DraftClause::default() }],
        ..Draft::default()
    }
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.file(name), text).expect("written");
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file("profiles.toml")).expect("there")
    }

    fn save(&self, profile: &SavedProfile) -> Result<(), String> {
        save_profile(self.0.path(), profile)
    }

    fn open(&self) -> (Config, Vec<crate::config::Problem>) {
        Config::open(&self.file("config.toml"))
    }

    /// The draft under a name, from the files; nothing may be wrong with them.
    #[track_caller]
    fn draft(&self, name: &str) -> Option<Draft> {
        let (config, problems) = self.open();
        assert_eq!(problems, []);
        profile_of(&config, name).map(|profile| profile.draft.clone())
    }
}

#[test]
fn a_saved_profile_is_written_as_one_would_write_it_by_hand() {
    let folder = Folder::new();
    let mut draft = simple(15);
    draft.provider = "https://op.example.org".to_owned();
    draft.rotation.on_at = true;
    draft.rotation.lifetime = Some(604_800);
    draft.clauses[0].starts = Some(When::At(from_epoch(1_800_000_000)));
    draft.clauses.push(DraftClause {
        rest: Clause { hosts: Some(vec!["this".into()]), ..Clause::default() },
        ..DraftClause::default()
    });
    folder.save(&saved("nightly", draft)).expect("saved");
    let expected = format!(
        "{HEAD}\n[profile.nightly]\nserver = \"mytoken-kit\"\nprovider = \"https://op.example.org\"\ncapabilities = [\"AT\"]\n\
         rotation = {{ on_at = true, lifetime = \"7d\" }}\nstarts = \"2027-01-15 08:00 UTC\"\nlifetime = \"1d\"\nuses_at = 15\n\n\
         [[profile.nightly.clause]]\nhosts = [\"this\"]\n"
    );
    assert_eq!(folder.text(), expected);
    let (config, _) = folder.open();
    let source = config.source(&"nightly".into()).expect("a row");
    assert_eq!((source.origin, source.folded), (Origin::Config, false));
}

#[test]
fn saving_anew_replaces_one_and_keeps_the_others_and_what_hands_wrote() {
    let folder = Folder::new();
    for (name, uses) in [("a", 1), ("ab", 2), ("a.b", 3)] {
        folder.save(&saved(name, simple(uses))).expect("saved");
    }
    let by_hand = folder.text().replace("[profile.ab]\n", "[profile.ab]\nnote = \"mine\" # by hand\n");
    folder.write("profiles.toml", &by_hand);
    for (name, uses) in [("a", 4), ("a.b", 6)] {
        folder.save(&saved(name, simple(uses))).expect("saved");
    }
    let drafts = ["a", "ab", "a.b"].map(|name| folder.draft(name));
    assert_eq!(drafts, [4, 2, 6].map(|uses| Some(simple(uses))));
    assert_eq!(folder.text().matches("note = \"mine\" # by hand").count(), 1);
    assert_eq!(folder.text().matches("[profile.a]").count(), 1);
    assert!(folder.text().starts_with(HEAD));
    assert_eq!(fs::read_dir(folder.0.path()).expect("a folder").count(), 1, "nothing else is left there");
}

#[test]
fn a_name_that_stands_for_something_is_refused_and_nothing_is_written() {
    let folder = Folder::new();
    folder.write("config.toml", "[profile.job]\nserver = \"mytok-eu\"\n[board]\nhide = [\"google\"]\n");
    let table = [
        ("toar", "already the name of a mytoken profile"),
        ("egi", "already the name of a provider"),
        ("google", "already the name of a provider"),
        ("mytoken-kit", "already the name of a mytoken server"),
        ("job", "already the name of a mytoken profile"),
        ("a b", "a name of letters"),
        ("", "a name of letters"),
        ("a\"]\n[board]\n", "a name of letters"),
    ];
    for (name, said) in table {
        let refused = folder.save(&saved(name, simple(1))).expect_err(name);
        assert!(refused.contains(said), "{name}: {refused}");
    }
    let elsewhere = SavedProfile { server: "nowhere".into(), ..saved("x", simple(1)) };
    assert!(folder.save(&elsewhere).expect_err("no server").contains("no mytoken server of that name"));
    let evil = Draft { name: "a\u{1b}b".to_owned(), ..simple(1) };
    assert!(
        folder
            .save(&saved("x", evil))
            .expect_err("a control character")
            .contains("without control characters")
    );
    assert!(!folder.file("profiles.toml").exists());
}

#[test]
fn a_file_that_hands_broke_is_told_and_not_overwritten() {
    let folder = Folder::new();
    for broken in [
        "[profile.x\n",
        "profile.x = { server = \"mytoken-kit\" }\n",
        "[profile]\nx = { server = \"mytoken-kit\" }\n",
    ] {
        folder.write("profiles.toml", broken);
        let refused = folder.save(&saved("x", simple(1))).expect_err(broken);
        assert!(refused.contains("change it by hand"), "{refused}");
        assert_eq!(folder.text(), broken);
    }
    folder.write("profiles.toml", "[profile.x\n");
    let (config, problems) = folder.open();
    assert!(
        matches!(&problems[..], [problem] if matches!(problem.fault, Fault::Saved(_)) && problem.line == 1),
        "{problems:?}"
    );
    assert!(config.source(&"toar".into()).is_some());
    folder.write("profiles.toml", "[board]\ntime = \"utc\"\n");
    assert!(matches!(&folder.open().1[..], [problem] if matches!(problem.fault, Fault::UnknownKey { .. })));
}

#[test]
fn the_users_own_file_goes_before_the_saved_one_and_may_name_what_is_in_it() {
    let folder = Folder::new();
    folder.save(&saved("x", simple(1))).expect("saved");
    folder.save(&saved("y", simple(2))).expect("saved");
    folder.write("config.toml", "[board]\norder = [\"x\"]\nhide = [\"y\"]\n");
    let (config, problems) = folder.open();
    assert_eq!(problems, []);
    assert_eq!(config.sources.first().map(|source| source.id.as_str()), Some("x"));
    assert!(
        config.sources.iter().all(|source| source.id.as_str() != "y") && config.source(&"y".into()).is_some()
    );
    folder.save(&saved("y", simple(5))).expect("a hidden one can be saved anew");

    folder.write("config.toml", "[profile.x]\nserver = \"mytok-eu\"\n");
    let (config, problems) = folder.open();
    let [problem] = &problems[..] else { panic!("{problems:?}") };
    assert_eq!(
        (problem.path.as_path(), &problem.fault),
        (folder.file("profiles.toml").as_path(), &Fault::Taken("mytoken profile"))
    );
    assert_eq!(
        profile_of(&config, "x").map(|profile| profile.server.as_str().to_owned()),
        Some("mytok-eu".to_owned())
    );
}

#[cfg(unix)]
#[test]
fn a_link_to_the_users_other_settings_stays_one() {
    let (folder, other) = (Folder::new(), Folder::new());
    other.write("mine.toml", "# mine\n");
    std::os::unix::fs::symlink(other.file("mine.toml"), folder.file("profiles.toml")).expect("a link");
    folder.save(&saved("x", simple(1))).expect("saved");
    assert!(
        fs::read_to_string(other.file("mine.toml")).expect("there").starts_with("# mine\n\n[profile.x]\n")
    );
    assert_eq!(folder.draft("x"), Some(simple(1)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_saved_is_read_back_the_same(drafts in prop::collection::vec(drafts(), 1..4)) {
        let folder = Folder::new();
        for (place, draft) in drafts.iter().enumerate() {
            prop_assert_eq!(folder.save(&saved(&format!("p{place}"), draft.clone())), Ok(()));
        }
        for (place, draft) in drafts.iter().enumerate() {
            prop_assert_eq!(folder.draft(&format!("p{place}")), Some(draft.clone()));
        }
    }
}
