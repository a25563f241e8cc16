//! Everything a user can ask for.

use super::copy::Script;
use crate::domain::form::Form;

/// What the create form is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CreateAction {
    /// The next field.
    Next,
    /// The field before.
    Previous,
    /// The next part of the form.
    NextPart,
    /// The part before.
    PreviousPart,
    /// Tick or untick; the next choice.
    Switch,
    /// The next choice; show what lies under it.
    More,
    /// The choice before; hide what lies under it.
    Less,
    /// Choose from the provider's scopes.
    ChooseScopes,
    /// One more clause.
    AddClause,
    /// Take the clause away.
    DropClause,
    /// Save it as a profile.
    SaveProfile,
    /// Edit it as JSON in the user's editor.
    EditJson,
    /// Copy the command that makes the same.
    CopyCommand,
    /// Begin with a blank one.
    Blank,
}

impl CreateAction {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Next,
        Self::Previous,
        Self::NextPart,
        Self::PreviousPart,
        Self::Switch,
        Self::More,
        Self::Less,
        Self::ChooseScopes,
        Self::AddClause,
        Self::DropClause,
        Self::SaveProfile,
        Self::EditJson,
        Self::CopyCommand,
        Self::Blank,
    ];
}

/// What is asked for in and around the window of all mytokens at a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FamilyAction {
    /// Open the window of all mytokens at the server on show.
    All,
    /// Open the window of what grew from the selected mytoken.
    Below,
    /// Read it (again).
    Read,
    /// Log in for a manager mytoken of one hour.
    Manager,
    /// Mark the selected row, or not.
    Mark,
    /// Narrow the list.
    Filter,
    /// The next order.
    Sort,
    /// The details of the selected row.
    Open,
    /// Read the history of the selected row.
    History,
    /// Read when each of them was last used.
    LastUses,
    /// Revoke what is marked, else what is selected.
    Revoke,
}

/// What is asked for in a page of claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReadingAction {
    /// Type what to search for.
    Search,
    /// The next line with it.
    Next,
    /// Copy the value of the selected claim.
    CopyClaim,
    /// Copy all claims as JSON.
    CopyClaims,
    /// Two tokens side by side: take the first, then show what is not the same.
    Compare,
}

/// What else can be done with a mytoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MytokenAction {
    /// Will it outlast a job?
    Outlast,
    /// Would it work elsewhere?
    Elsewhere,
    /// Draw an access token with chosen scopes and audience.
    DrawWith,
    /// Hand it, or a subtoken of it, over by a transfer code.
    HandOver,
    /// Redeem a transfer code.
    Redeem,
    /// Make its successor.
    Successor,
    /// In the window of a code: copy the code.
    CopyHandedCode,
    /// In it: copy the command for the other side.
    CopyHandedCommand,
    /// In it: show the QR alone.
    HandedQr,
    /// In it: take the code back.
    Withdraw,
}

/// What the pages of a token portal do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PortalAction {
    /// Ask the provider whom the access token speaks for.
    Userinfo,
    /// Ask the provider whether its tokens are active.
    Introspect,
    /// Log in once more, for a refresh token.
    RefreshToken,
    /// Open the provider's page on which what is active is managed.
    Manage,
    /// Show what is held there, one below the other.
    Active,
    /// Read what the provider announces.
    Announced,
}

/// What the user asks for; the keymap says with which key, where and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Leave the program.
    Quit,
    /// Put the program aside (Ctrl-Z).
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// Move the focus to a pane.
    Focus(super::state::Pane),
    /// The next pane.
    NextPane,
    /// The pane before.
    PreviousPane,
    /// One row up.
    Up,
    /// One row down.
    Down,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// The first row.
    First,
    /// The last row.
    Last,
    /// Open the details of the selected row, or log in at the selected provider.
    Open,
    /// Leave the overlay, the filter, the pasted token; never the program.
    Back,
    /// Copy the access token, renewed first if it is ended or about to end.
    Copy,
    /// Open the menu of forms.
    CopyAs,
    /// Copy this form.
    CopyForm(Form),
    /// Copy a script that asks toktui for the token when it runs.
    CopyScript(Script),
    /// Renew the access token now.
    Renew,
    /// Log in at the selected provider, or anew for the selected row.
    LogIn,
    /// Make a mytoken.
    NewMytoken,
    /// In the create form.
    Create(CreateAction),
    /// Look up a pasted token, or the selected mytoken again.
    LookUp,
    /// Ask the server of the token on show (again).
    AskServer,
    /// Keep the pasted token under a name.
    Keep,
    /// Read the server's history of the mytoken on show.
    ReadHistory,
    /// Show the content of the token on show.
    ShowContent,
    /// Go to the copy that is current here.
    GoToNewest,
    /// Open the revoke and forget dialogue.
    Revoke,
    /// In it: revoke.
    ConfirmRevoke,
    /// In it: ask for the name that confirms the end of all that grew from it.
    RevokeTree,
    /// In it: revoke it with all that grew from it.
    ConfirmTree,
    /// In it: forget here only.
    ConfirmForget,
    /// Add a provider by its issuer.
    AddProvider,
    /// Filter the focused list.
    Filter,
    /// Sort the tokens by the next column.
    Sort,
    /// Times in UTC or local.
    Zone,
    /// Catch or release the mouse.
    Mouse,
    /// Run any action by its name.
    Palette,
    /// All that works now.
    Help,
    /// Accept what is typed or selected.
    Accept,
    /// In the login panel: into its field, or out of it.
    TypeAddress,
    /// In the login panel: copy the code.
    CopyCode,
    /// In the login panel: copy the address.
    CopyAddress,
    /// In the login panel: copy the ssh line.
    CopySshLine,
    /// In the login panel: open the browser (again).
    OpenBrowser,
    /// In the login panel: show the QR alone.
    ShowQr,
    /// In the login panel: the demo signs in by itself.
    SignInDemo,
    /// Unlock the store.
    Unlock,
    /// Lock the store.
    Lock,
    /// Make a store on disk for what is in memory only.
    MakeStore,
    /// Guard the store in another way.
    Guard,
    /// Give the selected row another name.
    Rename,
    /// Try again to write what could not be written.
    SaveAgain,
    /// Copy the value that could not be written.
    CopyUnsaved,
    /// Quit, and print what could not be written.
    QuitPrinting,
    /// Clear the clipboard now.
    ClearClipboard,
    /// Quit although something would be lost.
    QuitAnyway,
    /// Open the selected event, or go to the subtoken that it made.
    OpenEvent,
    /// In a sheet: the next line.
    NextLine,
    /// In a sheet: the line before.
    PreviousLine,
    /// In a sheet: the next choice.
    Switch,
    /// In a page of claims.
    Reading(ReadingAction),
    /// In and around the window of all mytokens at a server.
    Family(FamilyAction),
    /// What else can be done with a mytoken.
    Mytoken(MytokenAction),
    /// What the pages of a token portal do.
    Portal(PortalAction),
}

impl Action {
    /// Whether it destroys: it takes its own key in its own dialogue, and no list runs it.
    #[must_use]
    pub fn is_confirmation(self) -> bool {
        matches!(
            self,
            Self::ConfirmRevoke
                | Self::ConfirmTree
                | Self::ConfirmForget
                | Self::QuitAnyway
                | Self::QuitPrinting
        )
    }

    /// Whether it changes something at a server or in the store: a read-only board shows no such key.
    #[must_use]
    pub fn changes(self) -> bool {
        match self {
            Self::Renew
            | Self::LogIn
            | Self::NewMytoken
            | Self::Keep
            | Self::Revoke
            | Self::ConfirmRevoke
            | Self::RevokeTree
            | Self::ConfirmTree
            | Self::ConfirmForget
            | Self::AddProvider
            | Self::MakeStore
            | Self::Guard
            | Self::Rename
            | Self::Portal(PortalAction::RefreshToken)
            | Self::Family(FamilyAction::Manager | FamilyAction::Revoke)
            | Self::Mytoken(
                MytokenAction::DrawWith
                | MytokenAction::HandOver
                | MytokenAction::Redeem
                | MytokenAction::Successor
                | MytokenAction::Withdraw,
            ) => true,
            Self::Quit
            | Self::Suspend
            | Self::Redraw
            | Self::Focus(_)
            | Self::NextPane
            | Self::PreviousPane
            | Self::Up
            | Self::Down
            | Self::PageUp
            | Self::PageDown
            | Self::First
            | Self::Last
            | Self::Open
            | Self::Back
            | Self::Copy
            | Self::CopyAs
            | Self::CopyForm(_)
            | Self::CopyScript(_)
            | Self::Create(_)
            | Self::LookUp
            | Self::AskServer
            | Self::ReadHistory
            | Self::ShowContent
            | Self::GoToNewest
            | Self::Filter
            | Self::Sort
            | Self::Zone
            | Self::Mouse
            | Self::Palette
            | Self::Help
            | Self::Accept
            | Self::TypeAddress
            | Self::CopyCode
            | Self::CopyAddress
            | Self::CopySshLine
            | Self::OpenBrowser
            | Self::ShowQr
            | Self::SignInDemo
            | Self::Unlock
            | Self::Lock
            | Self::SaveAgain
            | Self::CopyUnsaved
            | Self::QuitPrinting
            | Self::ClearClipboard
            | Self::QuitAnyway
            | Self::OpenEvent
            | Self::NextLine
            | Self::PreviousLine
            | Self::Switch
            | Self::Portal(
                PortalAction::Userinfo
                | PortalAction::Introspect
                | PortalAction::Manage
                | PortalAction::Active
                | PortalAction::Announced,
            )
            | Self::Reading(_)
            | Self::Family(
                FamilyAction::All
                | FamilyAction::Below
                | FamilyAction::Read
                | FamilyAction::Mark
                | FamilyAction::Filter
                | FamilyAction::Sort
                | FamilyAction::Open
                | FamilyAction::History
                | FamilyAction::LastUses,
            )
            | Self::Mytoken(
                MytokenAction::Outlast
                | MytokenAction::Elsewhere
                | MytokenAction::CopyHandedCode
                | MytokenAction::CopyHandedCommand
                | MytokenAction::HandedQr,
            ) => false,
        }
    }
}
