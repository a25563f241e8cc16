//! Providers that were added: read back the same, under what the user wrote, and taken out again without a trace.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::config::Fault;

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
        fs::read_to_string(self.file("providers.toml")).expect("there")
    }

    fn save(&self, provider: &AddedProvider) -> Result<Source, String> {
        save_provider(self.0.path(), provider)
    }

    fn remove(&self, name: &str) -> Result<(), String> {
        remove_provider(self.0.path(), name)
    }

    /// Everything, from the files; nothing may be wrong with them.
    #[track_caller]
    fn open(&self) -> Config {
        let (config, problems) = Config::open(&self.file("config.toml"));
        assert_eq!(problems, []);
        config
    }
}

fn mine() -> AddedProvider {
    AddedProvider {
        name: "mine".to_owned(),
        title: "login.example.org".to_owned(),
        address: "https://login.example.org/realms/mine".to_owned(),
        client_id: Some("toktui".to_owned()),
        scopes: vec!["openid".to_owned(), "storage.read:/".to_owned()],
        routes: vec![Route::Device, Route::Browser],
        redirects: vec!["http://localhost:8080".to_owned()],
        ..AddedProvider::default()
    }
}

fn server(name: &str) -> AddedProvider {
    AddedProvider {
        name: name.to_owned(),
        address: "https://mytoken.example.org".to_owned(),
        is_server: true,
        ..AddedProvider::default()
    }
}

#[test]
fn an_added_provider_is_written_as_one_would_write_it_by_hand_and_listed_at_every_later_start() {
    let folder = Folder::new();
    let source = folder.save(&mine()).expect("saved");
    let expected = format!(
        "{HEAD}\n[provider.mine]\nname = \"login.example.org\"\nnote = \"added\"\nissuer = \"https://login.example.org/realms/mine\"\n\
         client_id = \"toktui\"\nscopes = [\"openid\", \"storage.read:/\"]\nredirects = [\"http://localhost:8080\"]\n\
         routes = [\"device\", \"browser\"]\n"
    );
    assert_eq!(folder.text(), expected);
    assert_eq!((source.origin, source.folded), (Origin::Added, false));
    assert_eq!(folder.open().source(&"mine".into()), Some(&source));
    assert_eq!(AddedProvider { redirects: mine().redirects, ..AddedProvider::of(&source) }, mine());
}

#[test]
fn a_client_at_a_preset_leaves_all_else_of_it_and_goes_without_a_trace() {
    let folder = Folder::new();
    let before = folder.open().source(&"egi".into()).cloned().expect("a preset");
    let client = AddedProvider {
        name: "egi".to_owned(),
        client_id: Some("mine".to_owned()),
        ..AddedProvider::default()
    };
    let source = folder.save(&client).expect("saved");
    let (now, was) = (source.issuer().expect("an issuer"), before.issuer().expect("an issuer"));
    assert_eq!(now.client.as_ref().map(|client| client.id.as_str()), Some("mine"));
    assert_eq!((&now.address, &now.scopes, &now.redirect), (&was.address, &was.scopes, &was.redirect));
    folder.remove("egi").expect("removed");
    assert_eq!(folder.open().source(&"egi".into()), Some(&before));
}

#[test]
fn removing_takes_only_what_was_added() {
    let folder = Folder::new();
    folder.write("config.toml", "[provider.hand]\nissuer = \"https://hand.example.org\"\n");
    folder.save(&mine()).expect("saved");
    folder.save(&server("ours")).expect("saved");
    assert_eq!(added_providers(folder.0.path()), Ok(vec!["mine".to_owned(), "ours".to_owned()]));
    for (name, said) in [("egi", "built in"), ("hand", "config.toml"), ("nobody", "no provider was added")] {
        let refused = folder.remove(name).expect_err(name);
        assert!(refused.contains(said), "{name}: {refused}");
    }
    folder.remove("mine").expect("removed");
    let config = folder.open();
    assert!(config.source(&"mine".into()).is_none() && config.source(&"ours".into()).is_some());
    folder.remove("ours").expect("removed");
    assert_eq!(folder.text(), HEAD);
}

#[test]
fn what_something_else_needs_stays() {
    let folder = Folder::new();
    folder.save(&server("ours")).expect("saved");
    folder.write("config.toml", "[profile.job]\nserver = \"ours\"\n");
    assert!(folder.open().source(&"job".into()).is_some(), "config.toml may name what was added");
    let refused = folder.remove("ours").expect_err("needed");
    assert!(refused.contains("the mytoken profile job"), "{refused}");
    assert!(folder.open().source(&"ours".into()).is_some());
}

#[test]
fn the_users_own_file_goes_before_what_was_added() {
    let folder = Folder::new();
    folder.save(&mine()).expect("saved");
    folder.write("config.toml", "[provider.mine]\nclient_id = \"other\"\n[board]\norder = [\"mine\"]\n");
    let config = folder.open();
    let source = config.sources.first().expect("a row");
    let issuer = source.issuer().expect("an issuer");
    assert_eq!((source.id.as_str(), source.origin), ("mine", Origin::Config));
    assert_eq!(issuer.client.as_ref().map(|client| client.id.as_str()), Some("other"));
    assert_eq!(issuer.address, mine().address);
}

#[test]
fn a_name_or_value_that_cannot_be_is_refused_and_nothing_is_written() {
    let folder = Folder::new();
    folder.write("config.toml", "[provider.hand]\nissuer = \"https://hand.example.org\"\n");
    let named = |name: &str| AddedProvider { name: name.to_owned(), ..mine() };
    let table = [
        (named("egi"), "already the name of a provider"),
        (named("hand"), "already the name of a provider"),
        (named("toar"), "already the name of a mytoken profile"),
        (named("a b"), "a name of letters"),
        (named(""), "a name of letters"),
        (named("a\"]\n[board]\n"), "a name of letters"),
        (AddedProvider { redirects: vec!["https://elsewhere".to_owned()], ..mine() }, "loopback addresses"),
        (
            AddedProvider { address: "http://example.org".to_owned(), ..mine() },
            "plain http for loopback only",
        ),
        (AddedProvider { client_id: Some("a\u{1b}b".to_owned()), ..mine() }, "without control characters"),
    ];
    for (provider, said) in table {
        let refused = folder.save(&provider).expect_err(said);
        assert!(refused.contains(said), "{provider:?}: {refused}");
    }
    assert!(!folder.file("providers.toml").exists());
}

#[test]
fn a_file_that_hands_broke_is_told_and_not_overwritten() {
    let folder = Folder::new();
    for broken in ["[provider.x\n", "provider.mine = { issuer = \"https://x.example.org\" }\n"] {
        folder.write("providers.toml", broken);
        assert!(folder.save(&mine()).is_err(), "{broken}");
        assert!(folder.remove("mine").is_err(), "{broken}");
        assert_eq!(folder.text(), broken);
    }
    folder.write("providers.toml", "[provider.x\n");
    let (config, problems) = Config::open(&folder.file("config.toml"));
    assert!(matches!(&problems[..], [problem] if matches!(problem.fault, Fault::Saved(_))), "{problems:?}");
    assert!(config.source(&"egi".into()).is_some());
    folder.write("providers.toml", "[profile.x]\nserver = \"mytoken-kit\"\n");
    let (_, problems) = Config::open(&folder.file("config.toml"));
    assert!(matches!(&problems[..], [problem] if matches!(problem.fault, Fault::UnknownKey { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_saved_is_read_back_the_same_and_can_be_removed(
        title in "[^\\p{Cc}]{1,20}",
        client in "[^\\p{Cc}]{0,20}",
        scopes in prop::collection::vec("[^\\p{Cc}]{1,12}", 1..4),
    ) {
        let folder = Folder::new();
        folder.save(&server("other")).expect("saved");
        let before = folder.text();
        let provider = AddedProvider { title, client_id: Some(client), scopes, ..mine() };
        let source = folder.save(&provider).expect("saved");
        prop_assert_eq!(&source.name, &provider.title);
        let read = folder.open();
        prop_assert_eq!(read.source(&"mine".into()), Some(&source));
        folder.remove("mine").expect("removed");
        prop_assert_eq!(folder.text(), before);
    }
}

#[test]
fn a_registered_client_is_taken_out_and_its_provider_stays_if_it_was_added() {
    let registered = AddedProvider {
        auth: Some(ClientAuth::Basic),
        registered: true,
        registering: Some(Registering::WithToken),
        ..mine()
    };
    let folder = Folder::new();
    let saved = folder.save(&registered).expect("saved");
    let issuer = saved.issuer().expect("an issuer");
    let client = issuer.client.as_ref().expect("a client");
    assert!(issuer.registered && issuer.registering == Registering::WithToken);
    assert_eq!((client.auth, client.secret.is_none()), (ClientAuth::Basic, true));
    folder.save(&server("mt")).expect("saved");

    // What lies over it keeps its way to sign in; another client id is another client.
    folder.write("config.toml", "[provider.mine]\nscopes = [\"openid\"]\n");
    let over = folder.open();
    let over = over.source(&"mine".into()).and_then(Source::issuer).expect("an issuer");
    assert!(over.registered && over.client.as_ref().is_some_and(|client| client.auth == ClientAuth::Basic));
    folder.write("config.toml", "[provider.mine]\nclient_id = \"other\"\n");
    let over = folder.open();
    let over = over.source(&"mine".into()).and_then(Source::issuer).expect("an issuer");
    assert!(!over.registered && over.client.as_ref().is_some_and(|client| client.auth == ClientAuth::None));
    folder.write("config.toml", "");

    forget_client(folder.0.path(), "mine", "another").expect("nothing to do");
    assert!(folder.text().contains("toktui\""));
    forget_client(folder.0.path(), "mine", "toktui").expect("taken out");
    let after = folder.open();
    let issuer = after.source(&"mine".into()).and_then(Source::issuer).expect("it stays");
    assert_eq!((&issuer.client, issuer.registered, issuer.scopes.len()), (&None, false, 2));
    assert!(after.source(&"mt".into()).is_some());

    // Over a preset there was nothing but the client.
    let over =
        AddedProvider { address: String::new(), name: "wlcg".to_owned(), title: String::new(), ..registered };
    folder.save(&over).expect("saved");
    forget_client(folder.0.path(), "wlcg", "toktui").expect("taken out");
    assert!(!folder.text().contains("wlcg"));
}

#[test]
fn a_ca_is_kept_with_its_provider_and_stays_when_a_client_is_registered_there() {
    let folder = Folder::new();
    let provider = AddedProvider { ca_file: "/etc/lab/ca.pem".to_owned(), client_id: None, ..mine() };
    let source = folder.save(&provider).expect("saved");
    let authorities = |config: &Config| {
        config.authorities().map(|(at, file)| (at.to_owned(), file.to_owned())).collect::<Vec<_>>()
    };
    let address = "https://login.example.org/realms/mine".to_owned();
    assert_eq!(authorities(&folder.open()), [(address.clone(), PathBuf::from("/etc/lab/ca.pem"))]);
    let again = AddedProvider::over(folder.0.path(), &source).expect("read");
    assert_eq!(again.ca_file, "/etc/lab/ca.pem");
    // The user's own file goes first; its paths are relative to its folder.
    folder.write(
        "config.toml",
        "[provider.mine]\nca_file = \"own.pem\"\n[mytoken.mytok-eu]\nca_file = \"/m.pem\"\n",
    );
    let both = authorities(&folder.open());
    assert_eq!(
        both,
        [(address, folder.file("own.pem")), ("https://mytok.eu".to_owned(), PathBuf::from("/m.pem"))]
    );
}
