//! Everything the board can ask of the world, and every answer.

use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::announced::Announced;
use crate::domain::credential::{Ask, CredentialId, Held};
use crate::domain::draft::Draft;
use crate::domain::event::Event;
use crate::domain::failure::Failure;
use crate::domain::family::{Family, Via, Which};
use crate::domain::form::Form;
use crate::domain::handed::{HandOver, Handed};
use crate::domain::introspected::{Answer, Introspected};
use crate::domain::jwt::Jwt;
use crate::domain::limit::Allowance;
use crate::domain::login::{Order, Report, Step};
use crate::domain::mytoken::Facts;
use crate::domain::offer::Offer;
use crate::domain::registration::Registered;
use crate::domain::secret::Secret;
use crate::domain::signature::Signature;
use crate::domain::source::{Source, SourceId};
use crate::domain::specimen::Specimen;
use crate::domain::untrusted::Untrusted;
use crate::domain::userinfo::Userinfo;
use crate::domain::vault::{Guard, Opening, Vault};
use crate::domain::verdict::Verdict;

/// Names one running task; an outcome of a task that is no longer awaited is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Task(pub u64);

/// What the board asks of the world.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Start a login: answered by many [`Outcome::Login`] and one [`Outcome::LoginEnded`].
    LogIn(Task, Box<Order>),
    /// Give a pasted redirect address to a running login.
    GiveRedirect(Task, Secret),
    /// End a running login; its ports are freed.
    CancelLogin(Task),
    /// The demo's visitor signs in at this address: only in `toktui demo`.
    SignInDemo(Task, String),
    /// Open an address in the user's browser: answered by [`Outcome::BrowserOpened`].
    OpenBrowser(Task, String),
    /// The same, unless it turns out that it would open where nobody sits.
    OpenUnasked(Task, String),
    /// Get a live access token, renewed if it is ended or about to end (`force`: in any case), and copy it in this form
    /// if there is one. Answered by [`Outcome::Drawn`], then [`Outcome::Copied`].
    Draw {
        /// Which task answers.
        task: Task,
        /// Of which credential.
        id: CredentialId,
        /// Renew it even if it lives.
        force: bool,
        /// Copy it in this form.
        copy: Option<Form>,
    },
    /// Copy a form as it is held, asking nobody: what needs no access token, and an access token that lives
    /// (so that copying one never costs). Answered by [`Outcome::Copied`].
    CopyForm(CredentialId, Form),
    /// Copy a text that is no secret: an address, a code, a command; and what it is.
    CopyText(String, &'static str),
    /// Look a token up: answered by [`Outcome::LookedUp`].
    LookUp(Task, Target, Asking),
    /// Read a mytoken's history at its server: answered by [`Outcome::HistoryRead`].
    ReadHistory(Task, Target),
    /// Ask the provider whom an access token speaks for: answered by [`Outcome::Userinfo`].
    Userinfo(Task, CredentialId),
    /// Read what a provider announces: answered by [`Outcome::Announced`].
    LookAt(Task, SourceId),
    /// Ask the provider whether the access and the refresh token of a login are active: answered by [`Outcome::Introspected`].
    Introspect(Task, CredentialId),
    /// Keep a pasted token under a name: answered by [`Outcome::Kept`].
    Keep(Specimen, String),
    /// Revoke at the provider or server: answered by [`Outcome::Revoked`].
    Revoke(Task, CredentialId),
    /// What the create form needs: answered by [`Outcome::Made`].
    Make(Making),
    /// About the families of mytokens: answered by [`Outcome::Family`].
    Family(FamilyAsk),
    /// What else is done with mytokens: answered by [`Outcome::Mytoken`].
    Mytoken(MytokenAsk),
    /// Forget here only: answered by [`Outcome::Forgotten`].
    Forget(CredentialId),
    /// Discover an issuer and list it: answered by [`Outcome::ProviderAdded`].
    AddProvider(Task, String),
    /// Register a client at this provider, by this name: answered by [`Outcome::Registered`].
    Register(Task, SourceId, String),
    /// Ask whether the desktop's keyring answers: answered by [`Outcome::KeyringAsked`], within two seconds.
    AskKeyring(Task),
    /// Make the store: answered by [`Outcome::StoreMade`].
    CreateStore(Task, Opening),
    /// Keep everything in memory, this time: answered by [`Outcome::StoreMade`].
    StayInMemory(Task),
    /// Unlock the store: answered by [`Outcome::Unlocked`].
    Unlock(Task, Opening),
    /// Lock the store, for all programs of this user: answered by [`Outcome::Locked`].
    Lock,
    /// Guard the store's key by this too: answered by [`Outcome::Guarded`].
    Guard(Task, Opening),
    /// Give a credential another name: answered by [`Outcome::Renamed`].
    Rename(CredentialId, String),
    /// Try again to write what could not be written: answered by [`Outcome::SavedAgain`].
    SaveAgain(Task),
    /// Take in what other programs changed: answered only if something differs.
    Refresh,
    /// Clear the clipboard if it still holds ours: answered by [`Outcome::ClipboardCleared`].
    ClearClipboard,
    /// Catch (or release) the mouse.
    CatchMouse(bool),
    /// Draw everything anew.
    Redraw,
    /// Put the program aside.
    Suspend,
    /// Leave the program, as soon as no answer can be lost any more.
    Quit,
    /// The same, and print the values that could not be written once the terminal is given back.
    QuitPrinting,
}

/// What the create form needs of the world.
#[derive(Clone, Debug, PartialEq)]
pub enum Making {
    /// Ask a mytoken server what it offers.
    Offer(SourceId),
    /// Make a mytoken from a held one.
    From(Task, CredentialId, Box<Draft>),
    /// Save a draft as a profile of this name, at this server.
    SaveProfile(String, SourceId, Box<Draft>),
    /// Let the user edit this JSON in an editor: the loop's own, because the terminal is the editor's meanwhile.
    Edit(String),
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Made {
    /// What the server offers, or why that is not known.
    Offer(SourceId, Result<Box<Offer>, Failure>),
    /// A mytoken, made from a held one; or not.
    Mytoken(Task, Result<Box<Report>, Failure>),
    /// Saved as a profile: its short word; or not.
    Profile(Result<SourceId, Failure>),
    /// The JSON as it came back from the editor, `None` if nothing was changed; or it could not be edited.
    Edited(Result<Option<String>, Failure>),
}

/// What the board asks about families of mytokens.
#[derive(Clone, Debug, PartialEq)]
pub enum FamilyAsk {
    /// Read the list of a server, or the tree below a mytoken.
    Read(Task, SourceId, Via, Which),
    /// Fill in when each of them was last used, by the right that it was read by.
    LastUses(Task, Arc<Family>),
    /// Read the history of a listed mytoken.
    History(Task, SourceId, Via, Untrusted),
    /// Revoke a held mytoken with all that grew from it.
    RevokeTree(Task, CredentialId),
    /// Revoke listed mytokens, one after the other, by id and name; with all that grew from them if `true`.
    Revoke(Task, SourceId, Via, Vec<(Untrusted, String)>, bool),
    /// Log in for a manager mytoken, at this provider where it is chosen: told of by many [`Outcome::Login`].
    OpenManager(Task, SourceId, Option<String>),
}

/// What the board asks about one mytoken.
#[derive(Clone, Debug, PartialEq)]
pub enum MytokenAsk {
    /// Draw an access token with these scopes and audiences: answered by [`Outcome::Drawn`].
    Draw(Task, CredentialId, Ask),
    /// Make a transfer code.
    HandOver(Task, CredentialId, HandOver),
    /// Copy the code: a secret while it waits.
    CopyCode(Handed),
    /// Take a code back.
    Withdraw(Task, Handed),
    /// Redeem a code and keep what comes under this name.
    Redeem(Task, SourceId, Secret, Option<String>),
    /// What the successor of this one is to be like.
    Follow(Task, CredentialId),
    /// Put the new one under the old one's name, once it is checked.
    Succeed(Task, CredentialId, CredentialId),
}

/// What a look-up or a history is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// Something held.
    Held(CredentialId),
    /// Something pasted.
    Pasted(Box<Specimen>),
}

/// Whether a token's own server may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asking {
    /// Only if it is a configured one.
    IfKnown,
    /// The user has agreed to this server.
    This(String),
    /// Nobody is asked.
    Nobody,
}

/// What the world answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// What is held, listed and written down has changed.
    Changed(Snapshot),
    /// A login goes on.
    Login(Task, Step),
    /// A login has ended.
    LoginEnded(Task, Result<Box<Report>, Failure>),
    /// An access token was drawn, or not.
    Drawn(Task, CredentialId, Result<Drawn, Failure>),
    /// A token was looked up.
    LookedUp(Task, Box<Finding>),
    /// A history was read, or not.
    HistoryRead(Task, Result<Vec<Event>, Failure>),
    /// The provider said of whom an access token is, or not.
    Userinfo(Task, Result<Box<Userinfo>, Failure>),
    /// What a provider announces was read, or not.
    Announced(Task, Result<Box<Announced>, Failure>),
    /// The provider said whether the tokens of a login are active, or not.
    Introspected(Task, Result<Vec<Answer>, Failure>),
    /// A pasted token was kept under this name, or not.
    Kept(Result<(CredentialId, String), Failure>),
    /// Revoked, with what is to be said about it, or not.
    Revoked(Task, Result<String, Failure>),
    /// What the create form asked for.
    Made(Made),
    /// About the families of mytokens.
    Family(FamilyTold),
    /// What else was done with mytokens.
    Mytoken(MytokenTold),
    /// Forgotten: the name it had.
    Forgotten(Result<String, Failure>),
    /// A provider was found and listed, or not.
    ProviderAdded(Task, Result<Box<Added>, Failure>),
    /// A client was registered, or not.
    Registered(Task, Result<Box<Registered>, Failure>),
    /// The browser was opened (with what), or not.
    BrowserOpened(Task, Result<String, Failure>),
    /// Something went to the clipboard, or not.
    Copied(Result<Copied, Failure>),
    /// The clipboard was cleared; what is to be said about it.
    ClipboardCleared(String),
    /// Whether the desktop's keyring answers.
    KeyringAsked(Task, bool),
    /// The store was made, or it was agreed that there is to be none; or not.
    StoreMade(Task, Result<(), Failure>),
    /// The store was unlocked by this, or not.
    Unlocked(Task, Guard, Result<(), Failure>),
    /// The store is locked.
    Locked,
    /// The store is guarded by this from now on, or not.
    Guarded(Task, Guard, Result<(), Failure>),
    /// A credential has another name: the old and the new one; or not.
    Renamed(Result<(String, String), Failure>),
    /// Writing was tried again: how many values are still unsaved.
    SavedAgain(Task, usize),
    /// All that could be lost has come, but so many values could not be written: nobody leaves yet.
    NotLeft(usize),
    /// Something else went wrong.
    Failed(Failure),
}

/// What a server says of how much more it takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// What it leaves of its limit, where it told.
    pub allowance: Option<Allowance>,
    /// Until when it wants to be left alone.
    pub wait_until: Option<Timestamp>,
}

/// A list or a tree, or why there is none.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The row of its server.
    pub source: SourceId,
    /// What that says of how much more it takes.
    pub limits: Limits,
    /// Until when there is a manager mytoken for it.
    pub until: Option<Timestamp>,
    /// It.
    pub family: Result<Arc<Family>, Failure>,
}

/// What the world answers about families of mytokens.
#[derive(Clone, Debug, PartialEq)]
pub enum FamilyTold {
    /// A list or a tree was read, or not.
    Read(Task, Box<Reading>),
    /// The history of a listed mytoken was read, or not.
    History(Task, Untrusted, Result<Vec<Event>, Failure>),
    /// Listed mytokens were revoked: of each its id, its name, and what is to be said, or why not.
    Revoked(Task, Vec<(Untrusted, String, Result<String, Failure>)>),
    /// There is a manager mytoken until then, or not.
    Manager(Task, SourceId, Result<Timestamp, Failure>),
}

/// What the world answers about one mytoken.
#[derive(Clone, Debug, PartialEq)]
pub enum MytokenTold {
    /// A transfer code was made, or not.
    HandedOver(Task, Result<Box<Handed>, Failure>),
    /// A code was taken back, or not.
    Withdrawn(Task, Result<String, Failure>),
    /// A code was redeemed, or not.
    Redeemed(Task, Result<Box<Report>, Failure>),
    /// What the successor is to be like, or why there can be none.
    Follower(Task, Result<Box<Draft>, Failure>),
    /// The new one bears the old one's name, and the old one's name now; or not.
    Succeeded(Task, Result<Followed, Failure>),
}

/// What a succession came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// The name that the new one has now: the old one's.
    pub name: String,
    /// The name that the old one has now.
    pub old_name: String,
    /// What else must be known.
    pub remarks: Vec<String>,
}

/// A provider that was added.
#[derive(Clone, Debug, PartialEq)]
pub struct Added {
    /// The row.
    pub source: Source,
    /// Why it is listed for this session only, where it is.
    pub not_kept: Option<String>,
}

/// The wallet as the board sees it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// What is held.
    pub held: Arc<[Held]>,
    /// Who can give tokens, in the order of the Providers pane.
    pub sources: Arc<[Source]>,
    /// What was done, the newest first.
    pub journal: Arc<[Event]>,
    /// How the store stands.
    pub vault: Vault,
}

/// What drawing an access token came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    /// When it ends.
    pub expires: Option<Timestamp>,
    /// Whether the provider or server was asked for it.
    pub renewed: bool,
    /// What else must be known: it costs a use, it rotated, fewer scopes came than asked.
    pub remarks: Vec<String>,
}

/// What went to the clipboard.
#[derive(Clone, Debug, PartialEq)]
pub struct Copied {
    /// What it is: `the access token of egi`.
    pub what: String,
    /// The route, in words: `the desktop clipboard`, `the tmux buffer`, `the terminal`.
    pub route: &'static str,
    /// Whether it is known to have arrived: else it was *sent*.
    pub certain: bool,
    /// When the copied access token ends, where that is known.
    pub ends: Option<Timestamp>,
    /// Until when it stays there; `None` for what is no secret.
    pub until: Option<Timestamp>,
}

/// What a look-up found.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What was looked up.
    pub target: Target,
    /// The answer.
    pub verdict: Verdict,
    /// What is known of it, if it is a mytoken: from its server where that was asked, else by its own word.
    pub facts: Option<Box<Facts>>,
    /// Its content, if it is another JWT.
    pub content: Option<Box<Jwt>>,
    /// Whether the signature of that content is its issuer's.
    pub signature: Option<Box<Signature>>,
    /// What its provider said of it.
    pub introspected: Option<Box<Introspected>>,
    /// What it is, in words, with its article: `an access token of EGI Check-in`.
    pub what: String,
    /// The credential here that it is, or is a copy of.
    pub held_as: Option<CredentialId>,
    /// Its server, if nobody has agreed yet that it may be asked.
    pub may_ask: Option<String>,
    /// When this was found.
    pub at: Timestamp,
}
