//! A few labelled lines to fill in, one of them selected: what a question with several answers is asked with.

use super::effect::Task;
use super::field::Field;
use crate::domain::credential::CredentialId;
use crate::domain::secret::Secret;
use crate::domain::source::SourceId;

/// A sheet.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// What it asks.
    pub asks: Asks,
    /// Its lines.
    pub entries: Vec<Entry>,
    /// The selected line.
    pub selected: usize,
    /// What was last asked for with it, and closes it.
    pub task: Option<Task>,
}

/// What a sheet asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asks {
    /// Will this one outlast a job?
    Outlast(CredentialId),
    /// Would this one work elsewhere?
    Elsewhere(CredentialId),
    /// With which scopes and audiences an access token is to be drawn from it.
    DrawWith(CredentialId),
    /// What of it is to be handed over.
    HandOver(CredentialId),
    /// Where a transfer code is to be redeemed, and under which name it is to be kept.
    Redeem(Vec<SourceId>),
}

impl Asks {
    /// The credential it is about.
    #[must_use]
    pub fn about(&self) -> Option<&CredentialId> {
        match self {
            Self::Outlast(id) | Self::Elsewhere(id) | Self::DrawWith(id) | Self::HandOver(id) => Some(id),
            Self::Redeem(_) => None,
        }
    }
}

/// One line of a sheet.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it is, in a word or two.
    pub label: &'static str,
    /// What is typed or chosen.
    pub input: Input,
    /// What may stand there.
    pub hint: &'static str,
}

/// How a line is filled in.
#[derive(Clone, Debug)]
pub enum Input {
    /// By typing.
    Text(Field),
    /// By typing what nobody may see.
    Hidden(Field),
    /// By choosing one of several.
    Choice(Vec<String>, usize),
}

impl Entry {
    /// A line of text.
    #[must_use]
    pub fn text(label: &'static str, text: &str, hint: &'static str) -> Self {
        Self { label, input: Input::Text(Field::new(text)), hint }
    }

    /// A choice.
    #[must_use]
    pub fn choice(label: &'static str, choices: Vec<String>, hint: &'static str) -> Self {
        Self { label, input: Input::Choice(choices, 0), hint }
    }
}

impl Sheet {
    /// A sheet whose first line is selected.
    #[must_use]
    pub fn new(asks: Asks, entries: Vec<Entry>) -> Self {
        Self { asks, entries, selected: 0, task: None }
    }

    /// Whether the selected line is typed into.
    #[must_use]
    pub fn is_typing(&self) -> bool {
        matches!(
            self.entries.get(self.selected).map(|entry| &entry.input),
            Some(Input::Text(_) | Input::Hidden(_))
        )
    }

    /// The field that typed letters go to.
    pub(crate) fn field_mut(&mut self) -> Option<&mut Field> {
        match self.entries.get_mut(self.selected).map(|entry| &mut entry.input) {
            Some(Input::Text(field) | Input::Hidden(field)) => Some(field),
            Some(Input::Choice(..)) | None => None,
        }
    }

    /// What is typed in a line, without the blanks around it.
    #[must_use]
    pub fn value(&self, label: &str) -> &str {
        match self.input(label) {
            Some(Input::Text(field)) => field.value().trim(),
            Some(Input::Hidden(_) | Input::Choice(..)) | None => "",
        }
    }

    /// The words in a line.
    #[must_use]
    pub fn words(&self, label: &str) -> Vec<String> {
        self.value(label).split_whitespace().map(str::to_owned).collect()
    }

    /// What is hidden in a line.
    #[must_use]
    pub fn secret(&self, label: &str) -> Option<Secret> {
        match self.input(label) {
            Some(Input::Hidden(field)) => field.secret(),
            Some(Input::Text(_) | Input::Choice(..)) | None => None,
        }
    }

    /// Which of its choices a line stands on.
    #[must_use]
    pub fn choice(&self, label: &str) -> usize {
        match self.input(label) {
            Some(Input::Choice(_, at)) => *at,
            Some(Input::Text(_) | Input::Hidden(_)) | None => 0,
        }
    }

    /// Whether a line is one of the sheet's.
    #[must_use]
    pub fn has(&self, label: &str) -> bool {
        self.input(label).is_some()
    }

    /// Selects the line so many places further on.
    pub fn step(&mut self, places: usize) {
        let open = self.open();
        if open > 0 {
            self.selected = (self.selected + places) % open;
        }
    }

    /// How many of its lines mean something now: what is handed over itself is described by no other line.
    #[must_use]
    pub fn open(&self) -> usize {
        let is_itself = matches!(self.asks, Asks::HandOver(_))
            && matches!(self.entries.first().map(|entry| &entry.input), Some(Input::Choice(_, 1)));
        if is_itself { 1 } else { self.entries.len() }
    }

    /// The next choice of the selected line.
    pub fn switch(&mut self) {
        if let Some(Entry { input: Input::Choice(choices, at), .. }) = self.entries.get_mut(self.selected) {
            *at = (*at + 1) % choices.len().max(1);
        }
    }

    /// Whether the selected line is a choice of several.
    #[must_use]
    pub fn can_switch(&self) -> bool {
        matches!(
            self.entries.get(self.selected).map(|entry| &entry.input),
            Some(Input::Choice(choices, _)) if choices.len() > 1
        )
    }

    fn input(&self, label: &str) -> Option<&Input> {
        self.entries.iter().find(|entry| entry.label == label).map(|entry| &entry.input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_goes_round_and_only_its_choices_switch() {
        let lines = vec![
            Entry::text("name", " toar ", ""),
            Entry::choice("what", vec!["one".to_owned(), "two".to_owned()], ""),
        ];
        let mut sheet = Sheet::new(Asks::Redeem(Vec::new()), lines);
        sheet.switch();
        assert_eq!((sheet.value("name"), sheet.choice("what"), sheet.is_typing()), ("toar", 0, true));
        sheet.step(1);
        sheet.switch();
        assert_eq!((sheet.choice("what"), sheet.is_typing()), (1, false));
        sheet.switch();
        sheet.step(1);
        assert_eq!((sheet.choice("what"), sheet.selected), (0, 0));
    }
}
