//! `toktui login PROVIDER`: a login from a shell, by the same routes as the panel of the board, all at once.

mod panel;
pub(super) mod qr;

use std::collections::BTreeSet;
use std::future::Future;
use std::io::{BufRead, IsTerminal};

use clap::Args;

use super::gate;
use super::house::House;
use crate::desktop::{Choice as ClipboardChoice, Desktop, RealDesktop};
use crate::domain::failure::{Failure, Kind};
use crate::domain::login::{Choice, Order, Relation, Report, Step};
use crate::domain::secret::Secret;
use crate::domain::source::{Client, Registering, Source, SourceId, SourceKind};
use crate::wallet::login::{Line, Watch, line};
use panel::Panel;

/// Words of `toktui login`.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// A provider, mytoken server or profile by its short name, or a provider by its address
    pub provider: String,
    /// The name to keep it under; one that is held is logged in anew
    #[arg(long)]
    pub name: Option<String>,
    /// The client to be, where the config names none
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
    /// The provider behind a mytoken server, by its issuer
    #[arg(long, value_name = "ISSUER")]
    pub at: Option<String>,
    /// Tokens that are good for this audience only, where the provider takes one; may be repeated. Remembered under the name
    #[arg(long)]
    pub audience: Vec<String>,
    /// Open no browser here, only print addresses
    #[arg(long)]
    pub no_browser: bool,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
Every way that the provider allows is open at once, and the first to finish wins: a code to type on any device (with its QR code), this
machine's browser, an `ssh -L` line for your laptop's browser, and the address it ended on pasted back here. With --no-input
address and code go to standard error, and the command waits. Where another toktui has the same login under way (same provider, client,
scopes, audience and name), this one waits for that, and what comes of it is its answer, too.

Examples:
  toktui login egi
  toktui login toar --name lhaas
  toktui login wlcg --name dcache --audience https://dcache.example.org
  toktui login https://login.example.org/realms/mine --client-id toktui --name mine

Exit codes: 0 logged in and kept; 1 denied, expired, failed; 2 wrong usage, or no store to keep it in; 4 not reached.";

/// Logs in.
///
/// # Errors
/// With the deciding fact.
pub async fn run(house: &mut House, words: &Words) -> Result<u8, Failure> {
    let doing = format!("Logging in at {}", words.provider);
    let source = source(house, &words.provider, &doing).await?;
    if let (Some(name), SourceKind::Issuer(_)) = (&words.name, &source.kind)
        && !crate::store::is_name(name)
    {
        return Err(Failure::new(Kind::Unusable, doing, crate::store::Error::BadName.to_string()));
    }
    let client = match (&words.client_id, source.issuer()) {
        (None, Some(issuer)) if issuer.client.is_none() => Some(client(house, &source, &doing).await?),
        (id, _) => id.as_deref().map(Client::public),
    };
    // Before anything is asked of anybody: what comes must have a place.
    gate::made(house, &doing).await?;
    let order = Order {
        name: words.name.clone(),
        client,
        provider: words.at.clone(),
        open_browser: !words.no_browser,
        ..Order::at(source.id.clone())
    };
    let audiences = words.audience.iter().cloned().collect();
    let report = performed(house, order, &audiences, words.no_browser, &doing).await?;
    tell(house, &report);
    Ok(0)
}

/// Performs a login for these audiences that may have to be asked which provider.
///
/// # Errors
/// With the login's own fact.
pub(super) async fn performed(
    house: &House,
    order: Order,
    audiences: &BTreeSet<String>,
    no_browser: bool,
    doing: &str,
) -> Result<Report, Failure> {
    asked_for(house, no_browser, "--at", doing, |provider, line| {
        let chosen = provider.or_else(|| order.provider.clone());
        house.wallet.log_in_for(Order { provider: chosen, ..order.clone() }, audiences.clone(), line)
    })
    .await
}

/// Runs a login, again where it must first be asked which provider it is at: then `start` is given its issuer. `word` names
/// it where nobody can be asked.
///
/// # Errors
/// With the login's own fact, or when nobody can be asked.
pub(super) async fn asked_for<T, F: Future<Output = Result<T, Failure>>>(
    house: &House,
    no_browser: bool,
    word: &str,
    doing: &str,
    start: impl Fn(Option<String>, Line) -> F,
) -> Result<T, Failure> {
    let mut provider = None;
    loop {
        match watched(house, no_browser, |line| start(provider.clone(), line)).await? {
            Ended::Done(done) => return Ok(*done),
            Ended::Choose(choices) => provider = Some(choose(house, &choices, word, doing).await?),
        }
    }
}

/// How one attempt ended.
enum Ended<T> {
    /// With what it was for.
    Done(Box<T>),
    /// With a question: which provider.
    Choose(Vec<Choice>),
}

/// Runs a login, and shows its routes while it waits.
///
/// # Errors
/// With the login's own fact.
async fn watched<T, F: Future<Output = Result<T, Failure>>>(
    house: &House,
    no_browser: bool,
    start: impl FnOnce(Line) -> F,
) -> Result<Ended<T>, Failure> {
    let (there, watch) = line();
    let Watch { mut steps, pasted, stop, opened } = watch;
    // Held until the end: dropping it would end the login.
    let _stop = stop;
    let may_ask = house.tty().is_some();
    let login = start(there);
    tokio::pin!(login);
    let mut panel = Panel::new(may_ask, std::io::stderr().is_terminal());
    let mut choices = None;
    let mut pasted = may_ask.then_some(pasted);
    let result = loop {
        tokio::select! {
            biased;
            Some(step) = steps.recv() => match step {
                Step::View(view) => {
                    panel.show(&view, &house.environment, house.clock.now());
                    if view.paste && let Some(pasted) = pasted.take() {
                        std::thread::spawn(move || read_pasted(&pasted));
                    }
                }
                Step::MayOpen(address) => {
                    if open_browser(house, no_browser, &address) {
                        opened.send_replace(true);
                    }
                }
                Step::Choose(offered) => choices = Some(offered),
            },
            result = &mut login => break result,
        }
    };
    match (result, choices) {
        (Ok(done), _) => Ok(Ended::Done(Box::new(done))),
        (Err(_), Some(choices)) => Ok(Ended::Choose(choices)),
        (Err(failure), None) => Err(failure),
    }
}

/// Hands every line that is typed or pasted to the login. It ends with the program.
fn read_pasted(to: &tokio::sync::mpsc::UnboundedSender<Secret>) {
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        if !line.trim().is_empty() && to.send(Secret::new(line)).is_err() {
            return;
        }
    }
}

/// Whether a browser was opened; why not, is said.
fn open_browser(house: &House, no_browser: bool, address: &str) -> bool {
    let desktop = RealDesktop::new(house.environment.clone(), house.settings.browser.clone(), None)
        .copying(ClipboardChoice::Never);
    if no_browser {
        return false;
    }
    let why = if house.manner.no_input {
        Some("nobody sits here (--no-input, or no terminal)")
    } else {
        desktop.not_unasked()
    };
    if let Some(why) = why {
        house.say(&format!("no browser was opened here: {why}"));
        return false;
    }
    let opened = desktop.open_browser(address);
    match &opened {
        Ok(_) => house.say("a browser was opened here"),
        Err(error) => house.say(&error.to_string()),
    }
    opened.is_ok()
}

/// The source that is meant; a provider that is not listed is looked at first, by its address.
async fn source(house: &House, wanted: &str, doing: &str) -> Result<Source, Failure> {
    if let Some(source) = house.wallet.source(&SourceId(wanted.to_owned())) {
        return Ok(source);
    }
    if wanted.contains("://") {
        let bare = |text: &str| text.strip_suffix('/').unwrap_or(text).to_owned();
        let known = house.wallet.sources();
        let known = known.iter().find(|source| match &source.kind {
            SourceKind::Issuer(issuer) => bare(&issuer.address) == bare(wanted),
            SourceKind::Server(server) => bare(&server.address) == bare(wanted),
            SourceKind::Profile(_) => false,
        });
        if let Some(source) = known {
            return Ok(source.clone());
        }
        return house.wallet.add_provider(wanted).await;
    }
    let names: Vec<String> =
        house.wallet.sources().iter().map(|source| source.id.as_str().to_owned()).collect();
    let why = "no provider, mytoken server or profile has that name here";
    Err(Failure::new(Kind::Unusable, doing, why).hint(format!("There are: {}.", names.join(", "))))
}

/// The client to be, asked for where the source names none.
pub(super) async fn client(house: &House, source: &Source, doing: &str) -> Result<Client, Failure> {
    let register = source.register_url.as_deref();
    let hint = match register {
        Some(page) => format!("Register one at {page}, then --client-id ID, or `client_id` in the config."),
        None => "--client-id ID, or `client_id` in the config.".to_owned(),
    };
    let Some(tty) = house.tty() else {
        return Err(Failure::new(Kind::Unusable, doing, "it needs a client id").hint(hint));
    };
    tty.say(&format!("{} needs a client id that it knows.", source.name));
    if let Some(page) = register {
        tty.say(&format!("Clients are registered at {page}"));
    }
    if source.issuer().is_some_and(|issuer| issuer.registering == Registering::Announced) {
        tty.say(&format!("It may give you one by itself: toktui provider register {}", source.id.as_str()));
    }
    for public in source.issuer().map(|issuer| issuer.public_clients.as_slice()).unwrap_or_default() {
        tty.say(&format!("  {}   {}", public.id, public.note));
    }
    let id = gate::answer(&tty, "Client id:").await?;
    if id.is_empty() {
        return Err(Failure::new(Kind::Unusable, doing, "it needs a client id").hint(hint));
    }
    Ok(Client::public(&id))
}

/// Which provider behind a mytoken server; `word` names it where nobody can be asked.
///
/// # Errors
/// When nobody can be asked.
async fn choose(house: &House, choices: &[Choice], word: &str, doing: &str) -> Result<String, Failure> {
    let Some(tty) = house.tty() else {
        let offered: Vec<&str> = choices.iter().map(|choice| choice.issuer.as_str()).collect();
        let failure = Failure::new(Kind::Unusable, doing, "it offers several providers");
        return Err(failure.hint(format!("Choose one with {word}: {}", offered.join(" "))));
    };
    for (at, choice) in choices.iter().enumerate() {
        tty.say(&format!("  {}  {}", at + 1, choice.name.shown()));
    }
    loop {
        let number = gate::answer(&tty, "Which one?").await?.parse::<usize>().unwrap_or(0);
        match number.checked_sub(1).and_then(|at| choices.get(at)) {
            Some(choice) => return Ok(choice.issuer.clone()),
            None => tty.say("That is none of them."),
        }
    }
}

/// Says what came of a login.
pub(super) fn tell(house: &mut House, report: &Report) {
    house.out.line(&crate::domain::untrusted::cleaned(&format!(
        "Logged in at {}, kept as {}.",
        report.at, report.name
    )));
    differences(house, report);
}

/// How what came differs from what was asked for, and what else must be known.
pub(super) fn differences(house: &House, report: &Report) {
    for line in report.lines.iter().filter(|line| line.relation != Relation::Same) {
        let note = line.note.as_deref().map(|note| format!("  ({note})")).unwrap_or_default();
        house.say(&format!("{}: asked {}, granted {}{note}", line.what, line.asked, line.granted));
    }
    if let Some(why) = &report.no_refresh {
        house.say(&format!("no refresh token came: {why}"));
    }
    for remark in &report.remarks {
        house.say(remark);
    }
}
