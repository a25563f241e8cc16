//! Masks what differs from run to run, and keeps every width: ports, random names, codes and the picture of a QR code.

/// The same lines, masked.
pub fn masked(lines: &[String]) -> Vec<String> {
    let lines: Vec<Vec<char>> = lines
        .iter()
        .map(|line| folder(line))
        .map(|line| code(names(ids(ports(line.chars().collect())))))
        .collect();
    without_qr(lines).into_iter().map(|line| line.into_iter().collect()).collect()
}

/// The path of a folder, up to the blanks behind it.
fn folder(line: &str) -> String {
    const BEFORE: &str = "The folder: ";
    let Some((before, after)) = line.split_once(BEFORE) else { return line.to_owned() };
    let end = after.find(' ').unwrap_or(after.len());
    let (path, rest) = after.split_at(end);
    let blanks = " ".repeat(path.chars().count().saturating_sub("…/store".chars().count()));
    format!("{before}{BEFORE}…/store{blanks}{rest}")
}

/// Ports of loopback addresses; port 9, at which nobody listens, is always the same. And the names of consent pages.
fn ports(mut line: Vec<char>) -> Vec<char> {
    for (before, to) in [("127.0.0.1:", '0'), ("ssh -L ", '0'), ("/c/", 'X')] {
        let before: Vec<char> = before.chars().collect();
        for start in 0..line.len() {
            if line[start..].starts_with(&before) {
                let first = start + before.len();
                let is_part = |c: char| c.is_ascii_digit() || (to == 'X' && c.is_ascii_alphanumeric());
                let end = (first..line.len()).find(|at| !is_part(line[*at])).unwrap_or(line.len());
                let is_nobody = line[first..end] == ['9'] && line.get(end) != Some(&'…');
                line[first..end].iter_mut().filter(|_| !is_nobody).for_each(|c| *c = to);
            }
        }
    }
    line
}

/// UUIDs, also cut ones, and the end of one that stands on the next line.
fn ids(mut line: Vec<char>) -> Vec<char> {
    let is_hex = |c: &char| c.is_ascii_digit() || ('a'..='f').contains(c);
    let mut at = 0;
    while at < line.len() {
        let end =
            (at..line.len()).find(|end| !is_hex(&line[*end]) && line[*end] != '-').unwrap_or(line.len());
        let run = &line[at..end];
        let is_rest =
            run.len() < 12 && line.get(end) == Some(&')') && line[..at].iter().all(|c| !c.is_alphanumeric());
        if is_rest && !line[..at].contains(&'(') {
            line[at..end].iter_mut().for_each(|c| *c = 'x');
        }
        let run = &line[at..end];
        let is_id =
            run.iter().take(8).filter(|c| is_hex(c)).count() == 8 && run.get(8).is_none_or(|c| *c == '-');
        if is_id && (run.len() > 8 || line.get(end) == Some(&'…')) {
            line[at..end].iter_mut().filter(|c| is_hex(c)).for_each(|c| *c = 'x');
        }
        at = end + 1;
    }
    line
}

/// Random names: letters of both cases and digits, longer than any word.
fn names(mut line: Vec<char>) -> Vec<char> {
    let mut at = 0;
    while at < line.len() {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let end = (at..line.len()).find(|end| !is_part(line[*end])).unwrap_or(line.len());
        let run = &mut line[at..end];
        let has = |is: fn(&char) -> bool| run.iter().any(is);
        if run.len() >= 20
            && has(char::is_ascii_digit)
            && has(char::is_ascii_uppercase)
            && has(char::is_ascii_lowercase)
        {
            run.fill('x');
        }
        at = end + 1;
    }
    line
}

/// The code that is typed on another device: eight letters, a dash in the middle, blanks between.
fn code(mut line: Vec<char>) -> Vec<char> {
    let is_code = |at: usize, c: char| match at {
        8 => c == '-',
        at if at % 2 == 1 => c == ' ',
        _ => c.is_ascii_uppercase(),
    };
    for start in 0..line.len().saturating_sub(16) {
        let part = &mut line[start..start + 17];
        if part.iter().enumerate().all(|(at, c)| is_code(at, *c)) {
            part.iter_mut().filter(|c| c.is_ascii_uppercase()).for_each(|c| *c = 'X');
        }
    }
    line
}

/// Its three corners stand where they stand; what is between them is another one each time.
fn without_qr(mut lines: Vec<Vec<char>>) -> Vec<Vec<char>> {
    let is_dot = |c: &char| matches!(c, '█' | '▀' | '▄');
    let with_dots: Vec<usize> =
        (0..lines.len()).filter(|at| lines[*at].iter().filter(|c| is_dot(c)).count() > 4).collect();
    let dots = |at: &usize| lines[*at].iter().enumerate().filter(|(_, c)| is_dot(c)).map(|(x, _)| x);
    let left = with_dots.iter().flat_map(dots).min();
    let right = with_dots.iter().flat_map(dots).max();
    let (Some(left), Some(right)) = (left, right) else { return lines };
    for at in with_dots {
        let end = right.min(lines[at].len().saturating_sub(1));
        lines[at][left..=end].iter_mut().for_each(|c| *c = '▒');
    }
    lines
}
