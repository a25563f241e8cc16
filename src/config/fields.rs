//! Reading a TOML table key by key: each with its type, each complaint with its line, and nothing unread unsaid.

use std::cell::RefCell;
use std::ops::Range;
use std::path::Path;

use jiff::tz::TimeZone;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use url::Url;

use super::problem::{Fault, Problem, nearest};
use crate::domain::draft::{Edge, When};
use crate::domain::span;
use crate::http::is_allowed;

const PLAIN: &str = "text without control characters";

/// One file being read, and what was found wrong in it so far.
pub(super) struct Report<'a> {
    path: &'a Path,
    text: &'a str,
    found: RefCell<Vec<Problem>>,
}

impl<'a> Report<'a> {
    pub(super) fn new(path: &'a Path, text: &'a str) -> Self {
        Self { path, text, found: RefCell::default() }
    }

    pub(super) fn add(&self, span: &Range<usize>, key: &str, fault: Fault) {
        let problem =
            Problem { path: self.path.to_owned(), line: self.line(span), key: key.to_owned(), fault };
        self.found.borrow_mut().push(problem);
    }

    /// How much was found so far.
    pub(super) fn count(&self) -> usize {
        self.found.borrow().len()
    }

    /// The line a span starts in, counted from 1.
    fn line(&self, span: &Range<usize>) -> usize {
        1 + self.text.get(..span.start).unwrap_or_default().matches('\n').count()
    }

    /// What was found, by line.
    pub(super) fn finish(self) -> Vec<Problem> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|problem| problem.line);
        found
    }
}

/// A value with the place it stands at, for complaints that can only be made later.
#[derive(Clone, Debug)]
pub(super) struct Placed<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
    pub(super) key: String,
}

/// A table being read.
pub(super) struct Fields<'a> {
    report: &'a Report<'a>,
    table: &'a DeTable<'a>,
    /// The table's own name with its dot: `provider.egi.`, or nothing for the file itself.
    within: String,
    span: Range<usize>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(
        report: &'a Report<'a>,
        table: &'a DeTable<'a>,
        name: &str,
        span: Range<usize>,
    ) -> Self {
        let within = if name.is_empty() { String::new() } else { format!("{name}.") };
        Self { report, table, within, span, asked: RefCell::default() }
    }

    /// Where what is wrong in this table is told.
    pub(super) fn report(&self) -> &'a Report<'a> {
        self.report
    }

    fn value(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.asked.borrow_mut().push(key);
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    /// A key's value through `read`, which answers `None` where the type is another one.
    fn typed<T>(
        &self,
        key: &'static str,
        expected: &str,
        read: impl Fn(&'a DeValue<'a>) -> Option<T>,
    ) -> Option<T> {
        let value = self.value(key)?;
        let answer = read(value.get_ref());
        if answer.is_none() {
            let found = value.get_ref().type_str();
            let fault = Fault::WrongType { expected: expected.to_owned(), found };
            self.report.add(&value.span(), &self.name(key), fault);
        }
        answer
    }

    pub(super) fn name(&self, key: &str) -> String {
        format!("{}{key}", self.within)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.iter().any(|(name, _)| name.get_ref() == key)
    }

    /// Complains of a key if it is there at all.
    pub(super) fn refuse(&self, key: &'static str, fault: Fault) {
        if self.value(key).is_some() {
            self.complain(key, fault);
        }
    }

    /// A text, which may reach the screen and so has no control characters.
    pub(super) fn text(&self, key: &'static str, expected: &str) -> Option<String> {
        let text = self.typed(key, expected, DeValue::as_str)?;
        self.checked(key, PLAIN, Some(text.to_owned()).filter(|text| is_plain(text)))
    }

    /// Whether a key is there and says just this.
    pub(super) fn says(&self, key: &'static str, word: &str) -> bool {
        self.value(key).and_then(|value| value.get_ref().as_str()) == Some(word)
    }

    pub(super) fn flag(&self, key: &'static str) -> Option<bool> {
        self.typed(key, "true or false", DeValue::as_bool)
    }

    pub(super) fn words(&self, key: &'static str, expected: &str) -> Option<Vec<String>> {
        self.placed_words(key, expected).map(|words| words.into_iter().map(|word| word.value).collect())
    }

    /// A list of texts, each with its place.
    pub(super) fn placed_words(&self, key: &'static str, expected: &str) -> Option<Vec<Placed<String>>> {
        let list = self.typed(key, expected, DeValue::as_array)?;
        let read = |item: &'a Spanned<DeValue<'a>>| {
            let value = item.get_ref().as_str()?.to_owned();
            Some(Placed { value, span: item.span(), key: self.name(key) })
        };
        if let Some(other) = list.iter().find(|item| !item.get_ref().is_str()) {
            let found = other.get_ref().type_str();
            let fault = Fault::WrongType { expected: expected.to_owned(), found };
            self.report.add(&other.span(), &self.name(key), fault);
            return None;
        }
        let words: Vec<_> = list.iter().filter_map(read).collect();
        self.checked(key, PLAIN, Some(words).filter(|words| words.iter().all(|word| is_plain(&word.value))))
    }

    pub(super) fn number(&self, key: &'static str, expected: &str) -> Option<u64> {
        let number = self.typed(key, expected, DeValue::as_integer)?;
        self.checked(key, expected, u64::from_str_radix(number.as_str(), number.radix()).ok())
    }

    /// A span of time in seconds, written `45s`, `10m`, `2h` or `90d`.
    pub(super) fn seconds(&self, key: &'static str) -> Option<u64> {
        let expected = "a span such as \"45s\", \"10m\", \"2h\" or \"90d\"";
        let text = self.text(key, expected)?;
        self.checked(key, expected, span::read(&text).map(|span| span.as_secs().unsigned_abs()))
    }

    /// A moment: a date (in UTC where it names no zone), or a span that counts from when it is used.
    pub(super) fn moment(&self, key: &'static str, edge: Edge) -> Option<When> {
        let expected = "a moment such as \"2027-02-20 12:04\" (UTC where no zone is named) or \"90d\"";
        let text = self.typed(key, expected, |value| match value {
            DeValue::Datetime(date) => Some(date.to_string()),
            other => other.as_str().map(str::to_owned),
        })?;
        self.checked(key, expected, When::read(&text, edge, &TimeZone::UTC).ok())
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let expected = one_of(choices);
        let text = self.text(key, &expected)?;
        let chosen = choices.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        self.checked(key, &expected, chosen)
    }

    /// An address that may be talked to: https, or http on loopback. It is kept as it is written.
    pub(super) fn address(&self, key: &'static str) -> Option<String> {
        let expected = "an address such as \"https://login.example.org\" (plain http for loopback only)";
        let text = self.text(key, expected)?;
        self.checked(
            key,
            expected,
            Some(text).filter(|text| Url::parse(text).is_ok_and(|url| is_allowed(&url))),
        )
    }

    /// A table of texts, in the order of the file.
    pub(super) fn pairs(&self, key: &'static str, expected: &str) -> Option<Vec<(String, String)>> {
        let table = self.typed(key, expected, DeValue::as_table)?;
        let mut pairs = Vec::new();
        for (name, value) in in_file_order(table) {
            let Some(text) = value.get_ref().as_str() else {
                let found = value.get_ref().type_str();
                let fault = Fault::WrongType { expected: "a text".to_owned(), found };
                self.report.add(&value.span(), &format!("{}.{}", self.name(key), name.get_ref()), fault);
                continue;
            };
            pairs.push((name.get_ref().to_string(), text.to_owned()));
        }
        self.checked(key, PLAIN, Some(pairs).filter(|pairs| pairs.iter().all(|(_, text)| is_plain(text))))
    }

    /// A table below this one.
    pub(super) fn table(&self, key: &'static str) -> Option<Fields<'a>> {
        let table = self.typed(key, "a table", DeValue::as_table)?;
        Some(Fields::new(self.report, table, &self.name(key), self.span_of(key)))
    }

    /// A list of tables below this one.
    pub(super) fn tables(&self, key: &'static str, expected: &str) -> Option<Vec<Fields<'a>>> {
        let list = self.typed(key, expected, DeValue::as_array)?;
        let mut tables = Vec::new();
        for item in list {
            if let Some(table) = item.get_ref().as_table() {
                tables.push(Fields::new(self.report, table, &self.name(key), item.span()));
            } else {
                let found = item.get_ref().type_str();
                let fault = Fault::WrongType { expected: expected.to_owned(), found };
                self.report.add(&item.span(), &self.name(key), fault);
            }
        }
        Some(tables)
    }

    /// The tables named `key.NAME`, in the order of the file, each with its name.
    pub(super) fn named(&self, key: &'static str) -> Vec<(Placed<String>, Fields<'a>)> {
        let Some(table) = self.typed(key, "tables, each with a name", DeValue::as_table) else {
            return Vec::new();
        };
        let mut named = Vec::new();
        for (name, value) in in_file_order(table) {
            let full = format!("{}.{}", self.name(key), name.get_ref());
            let Some(inner) = value.get_ref().as_table() else {
                let fault =
                    Fault::WrongType { expected: "a table".to_owned(), found: value.get_ref().type_str() };
                self.report.add(&value.span(), &full, fault);
                continue;
            };
            let word = name.get_ref().to_string();
            if !is_name(&word) {
                let expected = "a name of letters, digits, - _ and . (it is typed in commands)";
                self.report.add(&name.span(), &full, Fault::WrongValue(expected.to_owned()));
                continue;
            }
            let fields = Fields::new(self.report, inner, &full, name.span());
            named.push((Placed { value: word, span: name.span(), key: full }, fields));
        }
        named
    }

    /// Complains of a key; of the table itself where the key is not there.
    pub(super) fn complain(&self, key: &str, fault: Fault) {
        self.report.add(&self.span_of(key), &self.name(key), fault);
    }

    /// Complains of something read earlier.
    pub(super) fn complain_of<T>(&self, placed: &Placed<T>, fault: Fault) {
        self.report.add(&placed.span, &placed.key, fault);
    }

    /// Passes a value on, or says what was expected instead.
    pub(super) fn checked<T>(&self, key: &str, expected: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.complain(key, Fault::WrongValue(expected.to_owned()));
        }
        value
    }

    /// Names every key that nobody asked for.
    pub(super) fn finish(self) {
        let asked = self.asked.borrow();
        for (name, _) in self.table {
            let word: &str = name.get_ref();
            if !asked.contains(&word) {
                let near = nearest(word, asked.iter().copied());
                self.report.add(&name.span(), &self.name(word), Fault::UnknownKey { near });
            }
        }
    }

    /// The line a key stands in.
    pub(super) fn line(&self, key: &str) -> usize {
        self.report.line(&self.span_of(key))
    }

    fn span_of(&self, key: &str) -> Range<usize> {
        let found = self.table.iter().find(|(name, _)| name.get_ref() == key);
        found.map_or_else(|| self.span.clone(), |(name, _)| name.span())
    }
}

fn in_file_order<'a>(
    table: &'a DeTable<'a>,
) -> Vec<(&'a Spanned<std::borrow::Cow<'a, str>>, &'a Spanned<DeValue<'a>>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    entries
}

fn one_of<T>(choices: &[(&str, T)]) -> String {
    let words: Vec<_> = choices.iter().map(|(word, _)| format!("\"{word}\"")).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.join(""),
    }
}

fn is_plain(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

fn is_name(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_that_need_no_quotes_in_a_shell() {
        for (word, good) in
            [("egi", true), ("iam-atlas", true), ("a.b_c", true), ("", false), ("a b", false), ("$x", false)]
        {
            assert_eq!(is_name(word), good, "{word}");
        }
    }
}
