//! The rows of the form, in one column or two; and what of them is on screen.

use super::typed::Member;
use super::{Create, Item, Turn};

/// From this many columns inside its border on, capabilities stand beside restrictions.
pub const TWO_COLUMNS: usize = 70;

/// From this many on, the words of the capabilities stand beside their names.
pub const WITH_WORDS: usize = 100;

/// What stands in one column of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// The head of a part.
    Head(&'static str),
    /// Something the cursor can stand on.
    Item(Item),
}

/// A row of the form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// On the left, or over both columns where nothing stands on the right.
    pub left: Option<Piece>,
    /// On the right.
    pub right: Option<Piece>,
    /// Whether the left one has the whole row.
    pub whole: bool,
}

impl Row {
    fn has(&self, item: Item) -> bool {
        [self.left, self.right].contains(&Some(Piece::Item(item)))
    }

    const fn whole(piece: Piece) -> Self {
        Self { left: Some(piece), right: None, whole: true }
    }

    const fn beside(left: Option<Piece>, right: Option<Piece>) -> Self {
        Self { left, right, whole: false }
    }
}

const BLANK: Row = Row { left: None, right: None, whole: true };

/// How the inside of the form is shared out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shares {
    /// Free rows above the fields.
    pub top: usize,
    /// Rows for the fields.
    pub fields: usize,
    /// Free rows between these and what follows.
    pub air: usize,
    /// Rows for what is to be said of the place at the cursor.
    pub hint: usize,
    /// Rows for the words, with their frame where they have one.
    pub words: usize,
    /// Whether they have one.
    pub framed: bool,
    /// Rows for the command.
    pub command: usize,
}

impl Create {
    /// Every row, for so many columns inside the border.
    #[must_use]
    pub fn rows(&self, width: usize) -> Vec<Row> {
        let item = |item| Some(Piece::Item(item));
        let (left, right) = (self.left(), self.right());
        let mut rows = vec![Row::whole(Piece::Item(Item::Start))];
        if width < TWO_COLUMNS {
            let single = [Item::Server, Item::From, Item::Provider, Item::Answer, Item::Name];
            rows.extend(single.map(|item| Row::whole(Piece::Item(item))));
            rows.push(BLANK);
            rows.extend(left.into_iter().map(|piece| Row { left: piece, ..BLANK }));
            rows.push(BLANK);
            rows.extend(right.into_iter().map(|piece| Row { left: piece, ..BLANK }));
            return rows;
        }
        rows.push(Row::beside(item(Item::Server), item(Item::From)));
        rows.push(Row::beside(item(Item::Provider), item(Item::Answer)));
        rows.push(Row::whole(Piece::Item(Item::Name)));
        rows.push(BLANK);
        let piece = |pieces: &[Option<Piece>], row: usize| pieces.get(row).copied().flatten();
        for row in 0..left.len().max(right.len()) {
            rows.push(Row::beside(piece(&left, row), piece(&right, row)));
        }
        rows
    }

    /// What it may do, and how it renews itself.
    fn left(&self) -> Vec<Option<Piece>> {
        let mut pieces = vec![Some(Piece::Head("capabilities"))];
        pieces.extend((0..self.tree.len()).map(|row| Some(Piece::Item(Item::Capability(row)))));
        pieces.extend([None, Some(Piece::Head("rotation"))]);
        let turns = [Turn::OnAccess, Turn::OnOther, Turn::Revokes].map(Item::Turn);
        pieces.extend(turns.into_iter().chain([Item::Lives]).map(|item| Some(Piece::Item(item))));
        pieces
    }

    /// Its restrictions: what this server enforces, and what is there although it does not.
    fn right(&self) -> Vec<Option<Piece>> {
        let mut pieces = vec![Some(Piece::Head("restrictions"))];
        let several = self.clauses.len() > 1;
        for (at, typed) in self.clauses.iter().enumerate() {
            if several {
                pieces.push(Some(Piece::Item(Item::Clause(at))));
            }
            let is_shown =
                |member: &Member| member.is_enforced(self.offer()) || !typed.text(*member).is_empty();
            let members = Member::ALL.into_iter().filter(is_shown);
            pieces.extend(members.map(|member| Some(Piece::Item(Item::Member(at, member)))));
        }
        pieces.push(Some(Piece::Item(Item::Another)));
        pieces
    }

    /// Every place at which the cursor can stand, in the order in which Tab goes through them.
    #[must_use]
    pub fn items(&self) -> Vec<Item> {
        let top = [Item::Start, Item::Server, Item::From, Item::Provider, Item::Answer, Item::Name];
        let pieces = self.left().into_iter().chain(self.right()).flatten();
        let below = pieces.filter_map(|piece| match piece {
            Piece::Item(item) => Some(item),
            Piece::Head(_) => None,
        });
        top.into_iter().chain(below).filter(|item| self.is_open(*item)).collect()
    }

    /// Whether there is anything to choose there.
    fn is_open(&self, item: Item) -> bool {
        match item {
            Item::Server => self.servers.len() > 1,
            Item::From => !self.parents.is_empty(),
            Item::Provider => {
                self.parent.is_none() && self.offer().is_some_and(|offer| offer.providers.len() > 1)
            }
            _ => true,
        }
    }

    /// The next place, or the one before.
    pub(crate) fn step(&mut self, back: bool) {
        let items = self.items();
        let at = items.iter().position(|item| *item == self.at).unwrap_or_default();
        let last = items.len().saturating_sub(1);
        let next = match (back, at) {
            (true, 0) => last,
            (true, at) => at - 1,
            (false, at) if at >= last => 0,
            (false, at) => at + 1,
        };
        self.at = items.get(next).copied().unwrap_or_default();
    }

    /// The first place of the next part, or of the one before.
    pub(crate) fn leap(&mut self, back: bool) {
        let items = self.items();
        let part = self.at.part();
        let at = items.iter().position(|item| *item == self.at).unwrap_or_default();
        let next = if back {
            let before = items.iter().take(at).rev().find(|item| item.part() != part).map(|item| item.part());
            before.and_then(|part| items.iter().find(|item| item.part() == part)).or(items.first())
        } else {
            items.iter().skip(at).find(|item| item.part() != part).or(items.last())
        };
        self.at = next.copied().unwrap_or_default();
    }

    /// How an inside of so many columns and rows is shared out. The words keep their place while one types.
    #[must_use]
    pub fn shares(&self, width: usize, height: usize) -> Shares {
        let needed = self.rows(width).len();
        let hint = usize::from(height >= 6);
        let command = usize::from(height >= 12);
        let framed = height >= 26;
        let frame = if framed { 2 } else { 0 };
        let words = match height {
            0..8 => usize::from(height >= 4),
            8..16 => 2,
            _ => 5,
        } + frame;
        let rest = height.saturating_sub(hint + command + words);
        let fields = needed.min(rest);
        // What the fields do not need is air first, then the command's second line, then the words'.
        let mut spare = rest - fields;
        let mut take = |most: usize| {
            let taken = spare.min(most);
            spare -= taken;
            taken
        };
        let (air, top) = (take(1), take(1));
        let command = command + take(1);
        let words = words + take(4);
        Shares { top, fields, air, hint, words, framed, command }
    }

    /// Puts the cursor where there is something, and its row on screen.
    pub(crate) fn settle(&mut self, width: usize, height: usize) {
        if !self.items().contains(&self.at) {
            self.at = Item::Start;
        }
        let rows = self.rows(width);
        let room = self.shares(width, height).fields;
        let row = rows.iter().position(|row| row.has(self.at)).unwrap_or_default();
        // The head over the first place of a part is shown with it.
        let headed = row.checked_sub(1).and_then(|above| rows.get(above)).is_some_and(|row| {
            matches!(row.left, Some(Piece::Head(_))) || matches!(row.right, Some(Piece::Head(_)))
        });
        let top = if headed && room > 1 { row - 1 } else { row };
        let most = rows.len().saturating_sub(room);
        self.offset = self.offset.min(most).max((row + 1).saturating_sub(room)).min(top);
    }
}

impl Item {
    /// The part of the form it belongs to.
    const fn part(self) -> u8 {
        match self {
            Self::Start | Self::Server | Self::From | Self::Provider | Self::Name | Self::Answer => 0,
            Self::Capability(_) => 1,
            Self::Turn(_) | Self::Lives => 2,
            Self::Clause(_) | Self::Member(..) => 3,
            Self::Another => 4,
        }
    }
}
