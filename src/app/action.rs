//! Everything a user can ask for.

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
}

impl Action {
    /// Whether it destroys: it takes its own key in its own dialogue, and no list runs it.
    #[must_use]
    pub fn is_confirmation(self) -> bool {
        matches!(self, Self::ConfirmRevoke | Self::ConfirmForget | Self::QuitAnyway | Self::QuitPrinting)
    }
}
