//! The user's file over the built-in one, and every kind of thing that can be wrong in it.

use super::*;
use crate::domain::draft::{Draft, DraftClause, When};
use crate::domain::mytoken::{Capability, Clause, Rotation};
use crate::domain::secret::Secret;
use crate::domain::source::{
    Client, ClientAuth, Profile, Redirect, RefreshScope, Registering, Route, Server,
};
use std::time::Duration;

const PATH: &str = "/home/jane/.config/toktui/config.toml";

fn load(text: &str) -> (Config, Vec<Problem>) {
    Config::load(Some(text), Path::new(PATH))
}

fn good(text: &str) -> Config {
    let (config, problems) = load(text);
    assert_eq!(problems, [], "{text}");
    config
}

fn issuer<'c>(config: &'c Config, name: &str) -> &'c Issuer {
    config.source(&name.into()).unwrap().issuer().unwrap()
}

fn names(config: &Config) -> Vec<&str> {
    config.sources.iter().map(|source| source.id.as_str()).collect()
}

#[test]
fn without_a_file_there_are_the_presets_and_the_defaults() {
    let (config, problems) = Config::load(None, Path::new(PATH));
    assert_eq!(problems, []);
    assert!(config.sources.iter().all(|source| source.origin == Origin::Preset));
    assert_eq!(config.settings, Settings::default());
    assert_eq!(config.settings.clear_after, Some(Duration::from_secs(45)));
}

#[test]
fn an_own_client_is_laid_over_a_preset_which_keeps_the_rest() {
    let config = good("[provider.egi]\nclient_id = \"my-toktui\"\n");
    let (plain, _) = Config::load(None, Path::new(PATH));
    let egi = config.source(&"egi".into()).unwrap();
    assert_eq!(egi.origin, Origin::Config);
    let expected = Issuer { client: Some(Client::public("my-toktui")), ..issuer(&plain, "egi").clone() };
    assert_eq!(issuer(&config, "egi"), &expected);
    assert_eq!(names(&config), names(&plain), "it keeps its place");
}

#[test]
fn a_borrowed_client_id_comes_with_the_addresses_registered_for_it() {
    let config = good("[provider.egi]\nclient_id = \"oidc-agent\"\n");
    let registered = Redirect { by_name: true, ports: vec![8080, 4242, 43985], path: String::new() };
    assert_eq!(issuer(&config, "egi").redirect, registered);

    let config = good("[provider.egi]\nclient_id = \"oidc-agent\"\nredirects = [\"http://127.0.0.1:5/x\"]\n");
    assert_eq!(issuer(&config, "egi").redirect.ports, [5]);
}

#[test]
fn a_new_provider_has_every_key() {
    let config = good(
        r#"
        [provider.lab]
        name = "Our lab"
        note = "test"
        issuer = "http://127.0.0.1:8180/realms/lab/"
        discovery = "https://lab.example.org/meta"
        client_id = "toktui"
        client_secret_env = "LAB_SECRET"
        auth = "client_secret_post"
        scopes = ["openid", "storage.read:/a#b"]
        suggested_scopes = ["email"]
        authorization = { prompt = "consent", access_type = "offline" }
        routes = ["paste", "device"]
        redirects = ["http://localhost:4242/back", "http://localhost:4243/back"]
        audience_parameter = "resource"
        refresh_scope = "send"
        refresh_returns_refresh = true
        at_hash_only_warns = true
        id_token_issuer = "lab"
        group_claims = ["groups"]
        revoking = ["the whole session"]
        formerly = [{ issuer = "https://old.example.org", story = "moved" }]
        public_clients = [{ id = "other", note = "theirs" }]
        manage_url = "https://lab.example.org/account"
        register_url = "https://lab.example.org/register"
        registration = "with-token"
        registration_note = "Bob has one"
        registered = true
        hints = ["Ask Bob."]
        "#,
    );
    let expected = Source {
        id: "lab".into(),
        name: "Our lab".to_owned(),
        note: "test".to_owned(),
        origin: Origin::Config,
        kind: SourceKind::Issuer(Box::new(Issuer {
            address: "http://127.0.0.1:8180/realms/lab/".to_owned(),
            discovery: Some("https://lab.example.org/meta".to_owned()),
            client: Some(Client { id: "toktui".to_owned(), secret: None, auth: ClientAuth::Post }),
            public_clients: vec![crate::domain::source::PublicClient {
                id: "other".to_owned(),
                note: "theirs".to_owned(),
                redirect: Redirect::default(),
            }],
            scopes: vec!["openid".to_owned(), "storage.read:/a#b".to_owned()],
            suggested_scopes: vec!["email".to_owned()],
            authorization: vec![
                ("prompt".to_owned(), "consent".to_owned()),
                ("access_type".to_owned(), "offline".to_owned()),
            ],
            routes: vec![Route::Paste, Route::Device],
            redirect: Redirect { by_name: true, ports: vec![4242, 4243], path: "/back".to_owned() },
            audience_parameter: Some("resource".to_owned()),
            refresh_scope: RefreshScope::Send,
            refresh_returns_refresh: true,
            at_hash_only_warns: true,
            id_token_issuer: Some("lab".to_owned()),
            group_claims: vec!["groups".to_owned()],
            revoking: vec!["the whole session".to_owned()],
            formerly: vec![FormerIssuer {
                address: "https://old.example.org".to_owned(),
                story: "moved".to_owned(),
            }],
            registering: Registering::WithToken,
            registering_note: "Bob has one".to_owned(),
            registered: true,
        })),
        manage_url: Some("https://lab.example.org/account".to_owned()),
        register_url: Some("https://lab.example.org/register".to_owned()),
        hints: vec!["Ask Bob.".to_owned()],
        folded: false,
    };
    assert_eq!(config.source(&"lab".into()), Some(&expected));
}

#[test]
fn a_new_provider_of_a_family_starts_from_it() {
    let config = good(
        "[provider.lab]\nfamily = \"keycloak\"\nissuer = \"https://sso.example.org/realms/lab\"\nhints = [\"Ask Bob.\"]\n",
    );
    let lab = issuer(&config, "lab");
    assert_eq!(lab.address, "https://sso.example.org/realms/lab");
    assert_eq!(lab.scopes, ["openid", "profile", "offline_access"]);
    assert!(lab.refresh_returns_refresh);
    let hints = &config.source(&"lab".into()).unwrap().hints;
    assert_eq!(hints.len(), 2);
    assert_eq!(hints[0], "Ask Bob.");
}

#[test]
fn own_servers_and_profiles_are_added_and_presets_changed() {
    let config = good(
        r#"
        [mytoken.own]
        address = "https://mytoken.example.org"
        [profile.job]
        name = "CI job"
        server = "own"
        provider = "egi"
        capabilities = ["AT"]
        scopes = ["openid"]
        uses_at = 0x10
        uses_other = 3
        lifetime = "12h"
        rotation = { on_at = true, lifetime = "1h", auto_revoke = true }
        [profile.toar]
        uses_at = 100
        "#,
    );
    assert_eq!(
        config.source(&"own".into()).unwrap().kind,
        SourceKind::Server(Server { address: "https://mytoken.example.org".to_owned() })
    );
    assert_eq!(
        config.source(&"job".into()).unwrap().kind,
        SourceKind::Profile(Profile {
            server: "own".into(),
            draft: Draft {
                provider: "https://aai.egi.eu/auth/realms/egi".to_owned(),
                capabilities: vec![Capability::new("AT")],
                clauses: vec![DraftClause {
                    ends: Some(When::In(43_200)),
                    rest: Clause {
                        scopes: Some(vec!["openid".into()]),
                        uses_at: Some(16),
                        uses_other: Some(3),
                        ..Clause::default()
                    },
                    ..DraftClause::default()
                }],
                rotation: Rotation { on_at: true, on_other: false, lifetime: Some(3600), auto_revoke: true },
                ..Draft::default()
            },
        })
    );
    let SourceKind::Profile(toar) = &config.source(&"toar".into()).unwrap().kind else { panic!("a profile") };
    assert_eq!((toar.draft.clauses[0].rest.uses_at, toar.server.as_str()), (Some(100), "mytoken-kit"));
}

#[test]
fn a_profile_has_every_member_of_a_mytoken_that_is_to_be_made() {
    let config = good(
        r#"
        [profile.job]
        server = "mytok-eu"
        mytoken_name = "nightly"
        capabilities = []
        form = "short"
        templates = ["agent", "group/other"]
        rotation = { on_other = true }
        starts = "2027-02-20"
        expires = 2027-03-20T12:00:00Z
        scopes = ["openid"]
        audiences = ["https://a.example.org"]
        hosts = ["192.0.2.0/24", "this"]
        countries = ["DE"]
        not_countries = ["US"]
        uses_at = 0
        uses_other = 1
        [[profile.job.clause]]
        expires = "2027-03-20 Europe/Berlin"
        [[profile.job.clause]]
        "#,
    );
    let at = |text: &str| Some(When::At(text.parse().unwrap()));
    let draft = Draft {
        name: "nightly".to_owned(),
        provider: String::new(),
        capabilities: Vec::new(),
        clauses: vec![
            DraftClause {
                starts: at("2027-02-20T00:00:00Z"),
                ends: at("2027-03-20T12:00:00Z"),
                rest: Clause {
                    scopes: Some(vec!["openid".into()]),
                    audiences: Some(vec!["https://a.example.org".into()]),
                    hosts: Some(vec!["192.0.2.0/24".into(), "this".into()]),
                    countries_allowed: Some(vec!["DE".into()]),
                    countries_refused: Some(vec!["US".into()]),
                    uses_at: Some(0),
                    uses_other: Some(1),
                    ..Clause::default()
                },
            },
            DraftClause { ends: at("2027-03-20T22:59:59Z"), ..DraftClause::default() },
            DraftClause::default(),
        ],
        rotation: Rotation { on_other: true, ..Rotation::default() },
        form: crate::domain::mytoken::Form::Short,
        templates: vec!["agent".to_owned(), "group/other".to_owned()],
    };
    let expected = SourceKind::Profile(Profile { server: "mytok-eu".into(), draft });
    assert_eq!(config.source(&"job".into()).unwrap().kind, expected);
}

#[test]
fn a_profile_with_anything_wrong_in_it_is_not_made_wider_but_left_out() {
    let (plain, _) = Config::load(None, Path::new(PATH));
    let text = "[profile.job]\nserver = \"mytok-eu\"\nlifetime = \"soon\"\n[profile.toar]\nuses_at = 100\nhost = [\"this\"]\n";
    let (config, problems) = load(text);
    assert_eq!(problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [3, 6]);
    assert_eq!(config.source(&"job".into()), None);
    assert_eq!(config.source(&"toar".into()), plain.source(&"toar".into()));
}

#[test]
fn the_board_is_set_and_its_rows_are_ordered_and_hidden() {
    let config = good(
        r#"
        [board]
        time = "local"
        clipboard = "tmux"
        clear_after = "2m"
        warn_before = "14d"
        read_only = true
        browser = ["firefox", "%s"]
        order = ["wlcg", "lab"]
        hide = ["helmholtz", "google"]
        [store]
        session = true
        guard = "passphrase"
        [provider.lab]
        issuer = "https://lab.example.org"
        [provider.attic]
        issuer = "https://attic.example.org"
        "#,
    );
    assert_eq!(
        config.settings,
        Settings {
            time: Zone::Local,
            browser: Some(vec!["firefox".to_owned(), "%s".to_owned()]),
            clipboard: Clipboard::Tmux,
            clear_after: Some(Duration::from_secs(120)),
            warn_before: Some(Duration::from_secs(14 * 86_400)),
            read_only: true,
            session: Some(true),
            guard: Some(crate::domain::vault::Guard::Passphrase),
        }
    );
    let open: Vec<_> = config.sources.iter().filter(|source| !source.folded).map(|s| s.id.as_str()).collect();
    assert_eq!(open, ["wlcg", "lab", "egi", "toar", "mytoken-kit", "mytok-eu", "attic"]);
    assert!(!names(&config).contains(&"helmholtz"));
    assert!(config.source(&"helmholtz".into()).is_some(), "what is held there can still be named");
}

#[test]
fn copied_text_may_stay_if_the_user_says_so() {
    assert_eq!(good("[board]\nclear_after = \"never\"\n").settings.clear_after, None);
}

#[test]
fn ends_are_announced_a_week_before_or_as_the_user_says_or_never() {
    assert_eq!(good("").settings.warn_before, Some(Duration::from_secs(7 * 86_400)));
    assert_eq!(good("[board]\nwarn_before = \"never\"\n").settings.warn_before, None);
}

/// A file, then the line, key and text of the problem it has.
const PROBLEMS: &[(&str, usize, &str, &str)] = &[
    ("\n[provider.egi]\nscope = []\n", 3, "provider.egi.scope", "is not known here; did you mean scopes?"),
    ("[provider.egi]\ncolour = 1\n", 2, "provider.egi.colour", "is not known here"),
    ("[providers.egi]\n", 1, "providers", "is not known here; did you mean provider?"),
    ("[family.own]\n", 1, "family", "is not known here"),
    ("[board]\ntime = 5\n", 2, "board.time", "expected \"utc\" or \"local\", found integer"),
    ("[board]\ntime = \"UTC\"\n", 2, "board.time", "expected \"utc\" or \"local\""),
    (
        "[board]\n\nclipboard = \"x\"\n",
        3,
        "board.clipboard",
        "expected \"auto\", \"osc52\", \"tmux\" or \"off\"",
    ),
    ("[board]\nclear_after = \"45\"\n", 2, "board.clear_after", "expected a span such as \"45s\""),
    ("[store]\nguard = \"dog\"\n", 2, "store.guard", "expected \"keyring\", \"passphrase\" or \"key-file\""),
    ("[store]\nsession = \"yes\"\n", 2, "store.session", "expected true or false"),
    ("[board]\nbrowser = []\n", 2, "board.browser", "expected a command and its arguments"),
    (
        "[board]\nhide = [\"egi\",\n\"wlgc\"]\n",
        3,
        "board.hide",
        "no provider, server or profile of that name; did you mean wlcg?",
    ),
    (
        "[board]\norder = [1]\n",
        2,
        "board.order",
        "expected a list of names, [\"egi\", \"toar\"], found integer",
    ),
    ("board = 1\n", 1, "board", "expected a table, found integer"),
    ("provider = 1\n", 1, "provider", "expected tables, each with a name, found integer"),
    ("[provider]\negi = 1\n", 2, "provider.egi", "expected a table, found integer"),
    ("[provider.\"a b\"]\n", 1, "provider.a b", "expected a name of letters"),
    (
        "[provider.egi]\nscopes = \"openid\"\n",
        2,
        "provider.egi.scopes",
        "expected a list of scopes, [\"openid\", \"profile\"], found string",
    ),
    ("[provider.egi]\nscopes = [\"openid\", 1]\n", 2, "provider.egi.scopes", "found integer"),
    (
        "[provider.egi]\nname = \"a\\u001bb\"\n",
        2,
        "provider.egi.name",
        "expected text without control characters",
    ),
    (
        "[provider.egi]\nnote = 1979-05-27\n",
        2,
        "provider.egi.note",
        "expected a few words, a text, found datetime",
    ),
    ("[provider.egi]\nroutes = [\"fax\"]\n", 2, "provider.egi.routes", "expected a list of \"device\""),
    (
        "[provider.egi]\nredirects = [\"https://example.org\"]\n",
        2,
        "provider.egi.redirects",
        "expected loopback addresses",
    ),
    (
        "[provider.egi]\nauthorization = { prompt = 1 }\n",
        2,
        "provider.egi.authorization.prompt",
        "expected a text, found integer",
    ),
    (
        "[provider.egi]\nrefresh_returns_refresh = \"no\"\n",
        2,
        "provider.egi.refresh_returns_refresh",
        "expected true or false, found string",
    ),
    (
        "[provider.egi]\npublic_clients = [{ note = \"x\" }]\n",
        2,
        "provider.egi.public_clients.id",
        "is missing",
    ),
    (
        "[provider.egi]\nfamily = \"keyclock\"\n",
        2,
        "provider.egi.family",
        "no family of that name; did you mean keycloak?",
    ),
    (
        "[provider.egi]\nissuer = \"http://aai.egi.eu/\"\n",
        2,
        "provider.egi.issuer",
        "(plain http for loopback only)",
    ),
    (
        "[provider.lab]\nclient_id = \"x\"\n",
        1,
        "provider.lab.issuer",
        "is missing: expected the provider's issuer",
    ),
    (
        "[provider.egi]\nclient_id = \"x\"\nclient_secret = \"tok-s\"\n",
        3,
        "provider.egi.client_secret",
        "a secret does not belong in this file",
    ),
    (
        "[provider.egi]\nclient_secret_env = \"X\"\n",
        1,
        "provider.egi.client_id",
        "is missing: expected the client id",
    ),
    (
        "[provider.egi]\nclient_id = \"x\"\nauth = \"client_secret_post\"\n",
        3,
        "provider.egi.auth",
        "client_secret_file or client_secret_env",
    ),
    (
        "[provider.egi]\nclient_id = \"x\"\nclient_secret_env = \"X\"\nauth = \"none\"\n",
        4,
        "provider.egi.auth",
        "for a client with a secret",
    ),
    (
        "[provider.egi]\nclient_id = \"x\"\nclient_secret_env = \"X\"\nclient_secret_file = \"f\"\n",
        4,
        "provider.egi.client_secret_file",
        "not both",
    ),
    (
        "[provider.toar]\nissuer = \"https://x.example.org\"\n",
        1,
        "provider.toar",
        "is already the name of a mytoken profile",
    ),
    ("[mytoken.own]\nname = \"x\"\n", 1, "mytoken.own.address", "is missing"),
    ("[mytoken.own]\naddress = \"ftp://x\"\n", 2, "mytoken.own.address", "expected an address"),
    ("[profile.job]\nprovider = \"egi\"\n", 1, "profile.job.server", "is missing"),
    ("[profile.toar]\nexpires = \"2027-02-20\"\nlifetime = \"1d\"\n", 2, "profile.toar.expires", "not both"),
    ("[profile.toar]\nexpires = \"soon\"\n", 2, "profile.toar.expires", "expected a moment such as"),
    ("[profile.toar]\nstarts = 5\n", 2, "profile.toar.starts", "expected a moment such as"),
    ("[profile.toar]\nhost = [\"this\"]\n", 2, "profile.toar.host", "did you mean hosts?"),
    (
        "[profile.toar]\ncountries = \"DE\"\n",
        2,
        "profile.toar.countries",
        "expected a list of countries, [\"DE\"]",
    ),
    (
        "[profile.toar]\nform = \"long\"\n",
        2,
        "profile.toar.form",
        "expected \"token\", \"short\" or \"code\"",
    ),
    ("[profile.toar]\nclause = 5\n", 2, "profile.toar.clause", "expected tables, [[profile.NAME.clause]]"),
    ("[[profile.toar.clause]]\nuse_at = 5\n", 2, "profile.toar.clause.use_at", "did you mean uses_at?"),
    (
        "[profile.job]\nserver = \"mytoken-kid\"\nprovider = \"egi\"\n",
        2,
        "profile.job.server",
        "no mytoken server of that name; did you mean mytoken-kit?",
    ),
    (
        "[profile.job]\nserver = \"mytok-eu\"\nprovider = \"egy\"\n",
        3,
        "profile.job.provider",
        "no provider of that name; did you mean egi?",
    ),
    ("[profile.toar]\nuses_at = -1\n", 2, "profile.toar.uses_at", "expected how many access tokens it gives"),
    (
        "[profile.toar]\nrotation = { on_AT = true }\n",
        2,
        "profile.toar.rotation.on_AT",
        "is not known here; did you mean on_at?",
    ),
    ("# fine\n[provider.egi\n", 2, "", "this is no TOML"),
    ("[board]\ntime = \"utc\"\ntime = \"utc\"\n", 3, "", "this is no TOML"),
];

#[test]
fn every_problem_names_file_line_key_and_what_was_expected() {
    for (text, line, key, said) in PROBLEMS {
        let (config, problems) = load(text);
        let [problem] = &problems[..] else { panic!("{text}\n{problems:#?}") };
        assert_eq!(
            (problem.path.as_path(), problem.line, problem.key.as_str()),
            (Path::new(PATH), *line, *key),
            "{text}"
        );
        let words = problem.to_string();
        assert!(words.contains(said), "{text}\n{words}");
        assert!(words.starts_with(&format!("{PATH}:{line}: ")), "{words}");
        assert!(config.source(&"egi".into()).is_some(), "the board still has its providers");
    }
}

#[test]
fn no_problem_repeats_a_secret() {
    for key in ["client_secret", "client_secret_env", "client_secret_file", "auth", "issuer", "routes", "x"] {
        for value in
            ["\"tok-s3cret\"", "[\"tok-s3cret\"]", "{ tok = \"tok-s3cret\" }", "tok-s3cret", "\"tok-s3cret"]
        {
            let (mut config, mut problems) =
                load(&format!("[provider.egi]\nclient_id = \"x\"\n{key} = {value}\n"));
            // A variable or file of that name is looked for, and is not there.
            problems.extend(config.fetch_secrets(&|_| None));
            assert!(!problems.is_empty(), "{key} {value}");
            let words: Vec<_> = problems.iter().map(|problem| format!("{problem} {problem:?}")).collect();
            assert!(!words.join("\n").contains("s3cret"), "{words:?}");
        }
    }
}

#[test]
fn a_broken_key_spoils_neither_its_table_nor_the_others() {
    let (config, problems) = load(
        "[provider.egi]\nscopes = 1\nclient_id = \"mine\"\n[provider.lab]\n[board]\ntime = \"local\"\ncolour = 1\n",
    );
    assert_eq!(problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [2, 4, 7]);
    assert_eq!(issuer(&config, "egi").client, Some(Client::public("mine")));
    assert!(issuer(&config, "egi").scopes.contains(&"voperson_id".to_owned()));
    assert_eq!(config.settings.time, Zone::Local);
    assert!(config.source(&"lab".into()).is_none());
}

#[test]
fn a_client_that_cannot_be_meant_leaves_the_preset_as_it_was() {
    let (plain, _) = Config::load(None, Path::new(PATH));
    for lines in ["client_secret = \"tok-s\"", "client_secret_file = 1", "auth = \"client_secret_basic\""] {
        let (config, problems) = load(&format!("[provider.egi]\nclient_id = \"x\"\nname = \"n\"\n{lines}\n"));
        assert_eq!(problems.len(), 1);
        assert_eq!(config.source(&"egi".into()), plain.source(&"egi".into()), "{lines}");
    }
}

#[test]
fn client_secrets_come_from_where_the_file_says_and_only_on_request() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("desy.secret"), "tok-desy\n").unwrap();
    let text = "[provider.desy]\nclient_id = \"d\"\nclient_secret_file = \"desy.secret\"\n\
                [provider.kit]\nclient_id = \"k\"\nclient_secret_env = \"KIT\"\n\
                [provider.lsaai]\nclient_id = \"l\"\nclient_secret_env = \"NOT_SET\"\n";
    let path = folder.path().join("config.toml");
    let (mut config, problems) = Config::load(Some(text), &path);
    assert_eq!(problems, []);
    let secret = |config: &Config, name: &str| issuer(config, name).client.clone().unwrap().secret;
    assert_eq!(secret(&config, "desy"), None);

    let problems = config.fetch_secrets(&|name| (name == "KIT").then(|| "tok-kit".to_owned()));
    assert_eq!(secret(&config, "desy"), Some(Secret::new("tok-desy")), "relative to the config's folder");
    assert_eq!(secret(&config, "kit"), Some(Secret::new("tok-kit")));
    assert_eq!(issuer(&config, "kit").client.as_ref().unwrap().auth, ClientAuth::Basic);
    assert_eq!(secret(&config, "lsaai"), None);
    let missing = problems.iter().find(|problem| problem.fault == Fault::NoVariable).unwrap();
    assert_eq!((missing.line, missing.key.as_str()), (9, "provider.lsaai.client_secret_env"));
}

#[test]
fn a_file_that_is_not_there_is_no_problem_and_one_that_cannot_be_read_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    assert_eq!(Config::open(&path).1, []);
    std::fs::write(&path, "[board]\ntime = \"local\"\n").unwrap();
    assert_eq!(Config::open(&path).0.settings.time, Zone::Local);
    for text in [&[0xff, 0xfe][..], &vec![b'#'; 2 << 20]] {
        std::fs::write(&path, text).unwrap();
        let (config, problems) = Config::open(&path);
        assert!(
            matches!(&problems[..], [Problem { line: 0, fault: Fault::Unreadable(_), .. }]),
            "{problems:?}"
        );
        assert!(config.source(&"egi".into()).is_some());
    }
    assert!(matches!(&Config::open(folder.path()).1[..], [Problem { fault: Fault::Unreadable(_), .. }]));
}

#[test]
fn a_home_of_its_own_comes_before_the_systems_folder() {
    let table = [
        (None, "/home/jane/.config/toktui/config.toml"),
        (Some(Path::new("/tmp/trial")), "/tmp/trial/config/config.toml"),
    ];
    for (home, expected) in table {
        assert_eq!(path(home, Path::new("/home/jane/.config")), Path::new(expected));
    }
}

#[test]
fn a_source_is_found_by_its_address_now_or_before_it_moved() {
    let config = good("[board]\nhide = [\"mytok-eu\"]\n");
    let found = |address: &str| match config.at_address(address) {
        Some(Match::Now(source)) => ("now", source.id.as_str().to_owned()),
        Some(Match::Formerly(source, former)) => {
            ("formerly", format!("{} {}", source.id.as_str(), former.story))
        }
        None => ("nobody", String::new()),
    };
    let table = [
        ("https://aai.egi.eu/auth/realms/egi", "now", "egi"),
        ("https://aai.egi.eu/auth/realms/egi/", "now", "egi"),
        ("https://wlcg.cloud.cnaf.infn.it", "now", "wlcg"),
        ("https://mytoken.data.kit.edu", "now", "mytoken-kit"),
        ("https://mytok.eu/", "now", "mytok-eu"),
        ("https://aai.egi.eu/oidc/", "formerly", "egi moved 2022"),
        ("https://AAI.egi.eu/auth/realms/egi", "nobody", ""),
        ("https://aai.egi.eu/auth/realms/egi//", "nobody", ""),
        ("", "nobody", ""),
    ];
    for (address, sense, name) in table {
        assert_eq!(found(address), (sense, name.to_owned()), "{address}");
    }
}

#[test]
fn an_address_with_a_realm_is_taken_for_a_keycloak() {
    let (config, _) = Config::load(None, Path::new(PATH));
    let keycloak = config.issuer_at("https://sso.example.org/realms/x");
    assert_eq!(
        (keycloak.address.as_str(), keycloak.refresh_returns_refresh),
        ("https://sso.example.org/realms/x", true)
    );
    assert_eq!(config.issuer_at("https://sso.example.org"), Issuer::at("https://sso.example.org"));
}
