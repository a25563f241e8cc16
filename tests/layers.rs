//! The map of rooms in design.md §4, held against `src/`: arrows point down, strangers stay strangers.

use std::fs;
use std::path::{Path, PathBuf};

/// Each room and the rooms it may name, `main` first and `domain` last. Only the root of the library names all.
const ROOMS: &[(&str, &[&str])] = &[
    (
        "main",
        &[
            "cli",
            "runtime",
            "sandbox",
            "ui",
            "app",
            "desktop",
            "wallet",
            "oidc",
            "mytoken",
            "store",
            "config",
            "neighbours",
            "http",
            "domain",
        ],
    ),
    (
        "cli",
        &[
            "sandbox",
            "desktop",
            "wallet",
            "oidc",
            "mytoken",
            "store",
            "config",
            "neighbours",
            "http",
            "domain",
        ],
    ),
    (
        "runtime",
        &[
            "ui",
            "app",
            "desktop",
            "wallet",
            "oidc",
            "mytoken",
            "store",
            "config",
            "neighbours",
            "http",
            "domain",
        ],
    ),
    ("ui", &["app", "domain"]),
    ("app", &["domain"]),
    ("desktop", &["domain"]),
    ("wallet", &["oidc", "mytoken", "store", "config", "neighbours", "http", "domain"]),
    ("sandbox", &["oidc", "mytoken", "http", "domain"]),
    ("oidc", &["http", "domain"]),
    ("mytoken", &["http", "domain"]),
    ("store", &["http", "domain"]),
    ("config", &["http", "domain"]),
    ("neighbours", &["http", "domain"]),
    ("http", &["domain"]),
    ("domain", &[]),
];

/// The only modules that may ask the process environment; all others are told what they need of it.
const ASKS_ENVIRONMENT: &[&[&str]] = &[&["main"], &["cli"], &["desktop", "place"]];

#[test]
fn every_arrow_in_the_source_points_down() {
    let faults: Vec<_> = sources("src").unwrap().iter().flat_map(|(path, text)| faults(path, text)).collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn every_file_opens_with_a_sentence_about_itself() {
    let mut silent: Vec<_> = sources("src").unwrap();
    silent.extend(sources("tests").unwrap());
    silent.retain(|(_, text)| !text.starts_with("//! "));
    let silent: Vec<_> = silent.into_iter().map(|(path, _)| path).collect();
    assert!(silent.is_empty(), "these do not open with //!: {silent:?}");
}

#[test]
fn an_arrow_that_points_up_is_found_however_it_is_written() {
    let table = [
        ("src/oidc/device.rs", "use crate::store::Journal;", "oidc names store"),
        ("src/store/mod.rs", "use crate::oidc;", "store names oidc"),
        (
            "src/config/mod.rs",
            "use crate::{domain::time, mytoken::{Rotation, a::B}};",
            "config names mytoken",
        ),
        ("src/domain/jwt.rs", "fn f() -> crate::http::Answer { todo!() }", "domain names http"),
        ("src/domain/jwt.rs", "use super::super::http::Answer;", "domain names http"),
        ("src/domain/mod.rs", "use super::{http};", "domain names http"),
        ("src/domain/jwt.rs", "mod a { use super::super::super::http; }", "domain names http"),
        ("src/domain/a/mod.rs", "use super::super::http;", "domain names http"),
        ("src/app/mod.rs", "use crate :: /* up */ ui;", "app names ui"),
        (
            "src/ui/board.rs",
            "let c = 'c'; let l: &'static str = \"\"; crate::wallet::renew();",
            "ui names wallet",
        ),
        ("src/wallet/login.rs", "use crate::sandbox::Op;", "wallet names sandbox"),
        ("src/wallet/login.rs", "use crate::desktop;", "wallet names desktop"),
        ("src/runtime/mod.rs", "use crate::cli;", "runtime names cli"),
        ("src/desktop/mod.rs", "pub(in crate::ui) fn f() {}", "desktop names ui"),
        ("src/ui/mod.rs", "use crate::*;", "ui names *"),
        ("src/ui/mod.rs", "use crate as all;", "ui names as"),
        ("src/helpers/mod.rs", "", "helpers is not a room"),
        ("src/app/mod.rs", "use crate::helpers;", "app names helpers"),
        ("src/app/mod.rs", "#[cfg(test)]\nmod tests { use crate::ui; }", "app names ui"),
        ("src/app/mod.rs", "#[cfg(test)]\nmod tests { }\nuse crate::sandbox;", "app names sandbox"),
        ("src/app/mod.rs", "#[cfg(not(test))]\nmod a { use crate::sandbox; }", "app names sandbox"),
        ("src/store/mod.rs", "std::env::var(\"HOME\")", "store asks the environment"),
        ("src/store/mod.rs", "use std::env; fn f() { env::var_os(\"HOME\"); }", "store asks the environment"),
        ("src/store/mod.rs", "use std::env::{temp_dir, vars};", "store asks the environment"),
        ("src/store/mod.rs", "etcetera::choose_base_strategy()", "store asks the environment"),
    ];
    for (path, text, expected) in table {
        let found = faults(path, text);
        assert_eq!(found.len(), 1, "{path}: {text}\n{found:?}");
        assert!(found[0].ends_with(expected), "{path}: {text}\n{found:?}");
    }
}

#[test]
fn an_arrow_that_points_down_is_left_alone() {
    let table = [
        ("src/oidc/device.rs", "use crate::{domain::secret::Secret, http};\nuse super::code;"),
        ("src/oidc/device.rs", "mod tests { use super::super::code; use super::*; }"),
        ("src/oidc/device.rs", "// use crate::store;\n/* crate::store /* crate::ui */ crate::app */"),
        ("src/oidc/device.rs", "let a = \"crate::store\"; let b = r#\"\" crate::ui\"#; let c = '\"';"),
        ("src/oidc/device.rs", "pub(crate) fn f<'a>(x: &'a str) {} #[cfg(test)] mod tests;"),
        ("src/wallet/login.rs", "#[cfg(test)]\nmod tests { use crate::sandbox::Op; }"),
        (
            "src/wallet/login.rs",
            "#[cfg(unix)]\n#[cfg(test)]\n#[path = \"x.rs\"]\nmod tests { use crate::sandbox; }",
        ),
        ("src/wallet/tests.rs", "use crate::sandbox::Op;"),
        ("src/cli/demo.rs", "use crate::sandbox; fn f() { std::env::var(\"HOME\"); }"),
        ("src/main.rs", "use toktui::{cli, sandbox}; fn f() { std::env::args(); }"),
        ("src/config/mod.rs", "const V: &str = env!(\"CARGO_PKG_VERSION\");"),
        ("src/lib.rs", "pub mod ui; use crate::domain;"),
    ];
    for (path, text) in table {
        assert_eq!(faults(path, text), Vec::<String>::new(), "{path}: {text}");
    }
}

/// The `.rs` files below a folder of this crate, each with its path from the crate's root and its text.
fn sources(folder: &str) -> std::io::Result<Vec<(String, String)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![PathBuf::from(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(root.join(&path))?;
                found.push((path.to_string_lossy().replace('\\', "/"), text));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} holds no source");
    found.sort();
    Ok(found)
}

/// What is wrong with one file, each with its line.
fn faults(path: &str, text: &str) -> Vec<String> {
    let module = module(path);
    let Some(room) = module.first() else {
        return Vec::new();
    };
    let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| name == room) else {
        return vec![format!("{path}: {room} is not a room")];
    };
    let mut faults = Vec::new();
    for named in names(&tokens(text), module.len(), module.contains(&"tests")) {
        let is_fine = match &named.what {
            What::Room(name) => {
                name == room || allowed.contains(&name.as_str()) || (named.in_test && name == "sandbox")
            }
            What::Environment => ASKS_ENVIRONMENT.iter().any(|asker| module.starts_with(asker)),
        };
        if !is_fine {
            let deed = match &named.what {
                What::Room(name) => format!("names {name}"),
                What::Environment => "asks the environment".to_owned(),
            };
            faults.push(format!("{path}:{}: {room} {deed}", named.line));
        }
    }
    faults
}

/// The module path of a file: `src/oidc/device.rs` is `oidc::device`, `src/lib.rs` is nothing.
fn module(path: &str) -> Vec<&str> {
    let path = path.trim_start_matches("src/").trim_end_matches(".rs");
    path.split('/').filter(|part| !matches!(*part, "mod" | "lib")).collect()
}

/// Something that a file names and that might not be its business.
struct Named {
    what: What,
    line: usize,
    in_test: bool,
}

enum What {
    Room(String),
    Environment,
}

/// Walks over the tokens of a file that stands `depth` modules below the crate's root.
fn names(tokens: &[(String, usize)], depth: usize, in_tests_file: bool) -> Vec<Named> {
    let at = |i: usize| tokens.get(i).map_or("", |(token, _)| token.as_str());
    let mut found = Vec::new();
    let mut braces = 0;
    let mut modules: Vec<usize> = Vec::new();
    let mut test_until: Option<usize> = None;
    let mut i = 0;
    while i < tokens.len() {
        match at(i) {
            "{" => {
                braces += 1;
                if i >= 2 && at(i - 2) == "mod" {
                    modules.push(braces);
                }
            }
            "}" => {
                if modules.last() == Some(&braces) {
                    modules.pop();
                }
                braces -= 1;
            }
            "#" if test_until.is_none_or(|end| i > end) && is_cfg_test(&at, i) => {
                test_until = Some(end_of_item(&at, i, tokens.len()));
            }
            _ => {}
        }
        let in_test = in_tests_file || test_until.is_some_and(|end| i <= end);
        let mut note = |i: usize, what: What| found.push(Named { what, line: tokens[i].1, in_test });
        let after = root_ends(&at, i, depth + modules.len());
        if let Some(after) = after {
            for name in first_names(&at, after) {
                note(name, What::Room(at(name).to_owned()));
            }
        } else if at(i) == "env" && at(i + 1) == "::" {
            let asked = first_names(&at, i + 2);
            if asked.iter().any(|name| at(*name).starts_with("var")) {
                note(i, What::Environment);
            }
        } else if at(i).starts_with("choose_") && at(i).ends_with("_strategy") {
            note(i, What::Environment);
        }
        i = after.map_or(i + 1, |after| after.max(i + 1));
    }
    found
}

/// If a path to the crate's root starts at `i` (`crate`, `toktui`, enough times `super`), the place after its `::`.
fn root_ends<'t>(at: &impl Fn(usize) -> &'t str, i: usize, depth: usize) -> Option<usize> {
    match at(i) {
        // `pub(crate)` names nothing; `use crate as x` would hide what it names.
        "crate" | "toktui" if matches!(at(i + 1), "::" | "as") => {
            Some(if at(i + 1) == "::" { i + 2 } else { i + 1 })
        }
        "super" if i == 0 || at(i - 1) != "::" => {
            let mut supers = 0;
            let mut next = i;
            while at(next) == "super" && at(next + 1) == "::" {
                supers += 1;
                next += 2;
            }
            (supers >= depth).then_some(next)
        }
        _ => None,
    }
}

/// Where the first names of a path stand: one, or those at the top of a group in braces.
fn first_names<'t>(at: &impl Fn(usize) -> &'t str, start: usize) -> Vec<usize> {
    if at(start) != "{" {
        return vec![start];
    }
    let mut names = Vec::new();
    let mut depth = 0;
    let mut i = start;
    loop {
        match at(i) {
            "{" => depth += 1,
            "}" => depth -= 1,
            "" => return names,
            _ if depth == 1 && matches!(at(i - 1), "{" | ",") => names.push(i),
            _ => {}
        }
        if depth == 0 {
            return names;
        }
        i += 1;
    }
}

fn is_cfg_test<'t>(at: &impl Fn(usize) -> &'t str, i: usize) -> bool {
    ["#", "[", "cfg", "(", "test", ")", "]"].iter().enumerate().all(|(n, token)| at(i + n) == *token)
}

/// The last token of the item that the attribute at `i` belongs to.
fn end_of_item<'t>(at: &impl Fn(usize) -> &'t str, i: usize, end: usize) -> usize {
    let mut depth = 0;
    for n in i..end {
        match at(n) {
            "{" => depth += 1,
            "}" if depth == 1 => return n,
            "}" => depth -= 1,
            ";" if depth == 0 => return n,
            _ => {}
        }
    }
    end
}

/// The words and signs of a source text with their lines; comments are left out, literals are one sign each.
fn tokens(text: &str) -> Vec<(String, usize)> {
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => block_comment(rest),
            _ if c.is_whitespace() => c.len_utf8(),
            _ => {
                let length = literal(rest).unwrap_or_else(|| word(rest));
                let is_literal = literal(rest).is_some();
                let token = if is_literal { "\"" } else { &rest[..length] };
                tokens.push((token.to_owned(), line));
                length
            }
        };
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    tokens
}

/// The length of an identifier, of `::`, or of one other character.
fn word(rest: &str) -> usize {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    if rest.starts_with("::") {
        return 2;
    }
    let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    if length > 0 { length } else { rest.chars().next().map_or(0, char::len_utf8) }
}

/// The length of a string or character literal, if one starts here. A lifetime is none.
fn literal(rest: &str) -> Option<usize> {
    let start = rest.find(|c: char| !matches!(c, 'b' | 'c' | 'r'))?;
    let prefix = Some(start).filter(|at| matches!(&rest[..*at], "" | "b" | "c" | "r" | "br" | "cr"))?;
    let body = &rest[prefix..];
    if rest[..prefix].ends_with('r') {
        let fence = body.find(|c| c != '#')?;
        let close = format!("\"{}", "#".repeat(fence));
        let inner = body[fence..].strip_prefix('"')?;
        return Some(prefix + fence + 1 + inner.find(&close)? + close.len());
    }
    let quote = body.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    if quote == '\'' {
        let mut chars = body.chars().skip(1);
        let first = chars.next()?;
        if first != '\\' && chars.next() != Some('\'') {
            return None;
        }
    }
    let mut escaped = false;
    for (at, c) in body.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return Some(prefix + at + 1),
            _ => {}
        }
    }
    None
}

/// The length of a block comment, which may hold others.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        match &rest.as_bytes()[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += rest[at..].chars().next().map_or(1, char::len_utf8),
        }
        if depth == 0 {
            break;
        }
    }
    at
}
