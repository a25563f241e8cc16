//! All mytokens at a server, or what grew from one: a row each, as deep as it grew. Only the rows on screen are built.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::field;
use super::lookup::more_below;
use super::moments;
use super::parts::{Panel, cell, columns, grouped, put_row, two_sided, wrap};
use super::scene::Scene;
use super::tree::branches;
use crate::app::action::{Action, FamilyAction};
use crate::app::family::{self, Of, Order, Right, Window};
use crate::app::geometry::FAMILY_FOOT;
use crate::domain::family::{Family, Member, Via};
use crate::domain::time::{ago, countdown};
use crate::domain::untrusted::{Untrusted, cleaned};

pub(super) fn draw(buf: &mut Buffer, area: Rect, window: &Window, scene: Scene<'_>) -> Option<Position> {
    let theme = scene.theme;
    let server = scene.source_name(&window.source);
    let name = match &window.root {
        Some(root) => format!("Grown from {}", cleaned(root)),
        None => format!("All my mytokens at {server}"),
    };
    let title = vec![Span::styled(name, theme.title_focused)];
    let aside = aside(window, scene);
    let inside = Panel { title, aside, focused: true, ..Panel::default() }.over(buf, area, theme);
    let (width, height) = (usize::from(inside.width), usize::from(inside.height));
    let Some(family) = &window.family else {
        let lines = nothing_read(window, width, scene);
        super::parts::empty_note(buf, inside, lines, theme);
        return None;
    };
    let foot = usize::from(FAMILY_FOOT).min(height.saturating_sub(2));
    let rows = height.saturating_sub(1 + foot);
    let plan = Plan::of(window, family, width);
    put_row(buf, inside, 0, plan.head(scene), theme);
    for row in 0..rows {
        let at = window.list.offset + row;
        let Some((place, member)) = window.in_row(at) else { break };
        put_row(buf, inside, row + 1, plan.row(window, family, place, member, scene), theme);
        if at == window.list.selected {
            scene.mark_row(buf, inside, row + 1);
        }
    }
    if window.is_empty() {
        let says = if family.members.is_empty() { "There is none." } else { "Nothing matches the filter." };
        put_row(buf, inside, 2, Line::styled(says, theme.dim), theme);
    }
    more_below(buf, area, window.len().saturating_sub(window.list.offset + rows), scene);
    let below = Rect { y: inside.y + columns(height - foot), height: columns(foot), ..inside };
    draw_foot(buf, below, window, family, scene)
}

fn aside<'a>(window: &Window, scene: Scene<'a>) -> Vec<Span<'a>> {
    let theme = scene.theme;
    let Some(family) = &window.family else { return Vec::new() };
    let all = family.members.len();
    let count = match window.len() {
        shown if shown == all => grouped(all),
        shown => format!("{} of {}", grouped(shown), grouped(all)),
    };
    let marked = match window.marked.len() {
        0 => String::new(),
        marked => format!("{marked} marked  "),
    };
    vec![
        Span::styled(marked, theme.ending),
        Span::styled(count, theme.strong),
        Span::styled(format!("  {}", window.order.words()), theme.dim),
    ]
}

/// What stands there until something was read: what it costs, or how to be allowed to.
fn nothing_read<'a>(window: &Window, width: usize, scene: Scene<'a>) -> Vec<Line<'a>> {
    let theme = scene.theme;
    let says = |text: &str| -> Vec<Line<'a>> { wrap(text, width).into_iter().map(Line::from).collect() };
    if window.task.is_some() {
        return vec![Line::styled(format!("Asking the server{}", theme.signs.ellipsis), theme.dim)];
    }
    let mut lines = Vec::new();
    if let Some(trouble) = &window.trouble {
        lines.extend(wrap(&cleaned(trouble), width).into_iter().map(|text| Line::styled(text, theme.wrong)));
        lines.push(Line::default());
    }
    let key = |action| Line::from(scene.hint(Action::Family(action), ""));
    match family::right(scene.state, window) {
        Right::Free(_) => lines.push(Line::from(scene.hint(Action::Family(FamilyAction::Read), "reads it"))),
        Right::Costs(via, price) => {
            lines.extend(says(&format!(
                "{} may list them, and reading it {}.",
                by(&via, scene),
                verb(&price)
            )));
            lines.push(Line::default());
            lines.push(Line::from(scene.hint(Action::Family(FamilyAction::Read), "reads it at that price")));
        }
        Right::Nobody => {
            lines.extend(says(
                "Nothing that is held here may list your mytokens there: that takes the capability \
                 manage_mytokens:list.",
            ));
        }
    }
    if key(FamilyAction::Manager).width() > 0 {
        lines.push(Line::default());
        lines.push(Line::from(
            scene.hint(Action::Family(FamilyAction::Manager), "logs in for a manager mytoken of one hour"),
        ));
        lines.push(Line::default());
        let means = "It may list your mytokens, revoke them and read their histories. It is never written \
                     down, and revoked when this board ends.";
        lines.extend(wrap(means, width).into_iter().map(|text| Line::styled(text, theme.dim)));
    }
    lines
}

/// A price as the end of a sentence.
fn verb(price: &str) -> String {
    price.replace(" · ", ", and ")
}

fn by(via: &Via, scene: Scene<'_>) -> String {
    match via {
        Via::Manager => "the manager of this session".to_owned(),
        Via::Held(id) => {
            scene.state.held(id).map_or_else(|| "one that is gone".to_owned(), |held| cleaned(&held.name))
        }
    }
}

fn draw_foot(
    buf: &mut Buffer,
    area: Rect,
    window: &Window,
    family: &Family,
    scene: Scene<'_>,
) -> Option<Position> {
    let theme = scene.theme;
    let width = usize::from(area.width);
    let mut cursor = None;
    if window.typing || !window.filter.is_empty() {
        let place = Rect { height: area.height.min(1), width: area.width.min(40), ..area };
        let drawn = field::draw(buf, place, &window.filter, field::Shown::Plain, scene);
        cursor = drawn.filter(|_| window.typing);
    } else if let Some(trouble) = &window.trouble {
        put_row(buf, area, 0, Line::styled(cleaned(trouble), theme.wrong), theme);
    } else if family.cut {
        put_row(
            buf,
            area,
            0,
            Line::styled("The server's list is longer: it was cut here.", theme.warning),
            theme,
        );
    } else if window.of != Of::Server(window.source.clone()) && family.members.len() == 1 {
        put_row(buf, area, 0, Line::styled("Nothing grew from it.", theme.dim), theme);
    }
    let read = ago(scene.now.duration_since(family.read));
    let told = if window.task.is_some() {
        format!("asking again{}", theme.signs.ellipsis)
    } else {
        format!("read {read} by {}", by(&family.via, scene))
    };
    let limits = scene.state.families.limits.get(&window.source).copied().unwrap_or_default();
    let waits = limits.wait_until.filter(|until| *until > scene.now);
    let scarce = limits.allowance.filter(|allowance| allowance.is_below(20));
    let manager = scene.state.families.managers.get(&window.source).filter(|until| **until > scene.now);
    let style = if waits.is_some() || scarce.is_some() { theme.warning } else { theme.dim };
    let right = match (manager, family::right(scene.state, window)) {
        _ if waits.is_some() => {
            let left = waits.map(|until| countdown(scene.left(until))).unwrap_or_default();
            format!("the server wants to be left alone for {left}")
        }
        _ if scarce.is_some() => scarce.map_or_else(String::new, |allowance| {
            format!("the server takes {} of {} more requests", allowance.remaining, allowance.limit)
        }),
        (Some(until), _) => {
            format!("its right ends in {}", countdown(scene.left(*until)))
        }
        (None, Right::Costs(_, price)) => format!("again {price}"),
        (None, Right::Free(_)) => "again costs nothing".to_owned(),
        (None, Right::Nobody) => "nobody here may ask again".to_owned(),
    };
    let line = two_sided(Line::styled(told, theme.dim), Line::styled(right, style), width, 24, theme);
    put_row(buf, area, 1, line, theme);
    cursor
}

/// Which columns are shown, and how wide.
struct Plan {
    name: usize,
    made: usize,
    used: usize,
    ends: usize,
    from: usize,
    here: usize,
    may: usize,
}

const GAP: usize = 2;

impl Plan {
    /// Columns are dropped from the right in order of worth, never cut in the middle.
    fn of(window: &Window, family: &Family, width: usize) -> Self {
        let longest_here = family.members.iter().filter_map(|member| member.held.as_ref());
        let here = longest_here.map(|(_, name)| name.width()).max().unwrap_or(0).clamp(12, 16);
        let from = 15;
        let mut plan = Self { name: 0, made: 6, used: 0, ends: 0, from: 0, here: 0, may: 0 };
        let mut room = width.saturating_sub(2 + 16 + GAP + plan.made);
        let mut take = |wide: usize| {
            if room >= wide + GAP {
                room -= wide + GAP;
                wide
            } else {
                0
            }
        };
        plan.ends = take(9);
        plan.here = take(here);
        plan.used = if family.members.iter().any(|member| member.last_used.is_some()) { take(9) } else { 0 };
        plan.from = take(from);
        plan.may = if width >= 100 { take(24) } else { 0 };
        let deepest = window.len().min(200);
        let wish = (0..deepest).filter_map(|row| window.in_row(row));
        let wish =
            wish.map(|(_, member)| name_of(member).width() + member.depth.min(8) * 2).max().unwrap_or(0);
        plan.name = (16 + room).min(wish.max(16));
        if plan.may > 0 {
            plan.may += 16 + room - plan.name;
        }
        plan
    }

    fn head<'a>(&self, scene: Scene<'a>) -> Line<'a> {
        let theme = scene.theme;
        let mut spans = vec![Span::raw("  "), cell("NAME", self.name, theme.label, theme)];
        for (title, wide) in [
            ("MADE", self.made),
            ("ENDS", self.ends),
            ("LAST USED", self.used),
            ("FROM", self.from),
            ("HERE", self.here),
            ("MAY", self.may),
        ] {
            if wide > 0 {
                spans.push(Span::raw("  "));
                spans.push(cell(title, wide, theme.label, theme));
            }
        }
        Line::from(spans)
    }

    fn row<'a>(
        &self,
        window: &Window,
        family: &Family,
        place: usize,
        member: &Member,
        scene: Scene<'a>,
    ) -> Line<'a> {
        let theme = scene.theme;
        let grows = window.order == Order::Tree && window.filter.is_empty();
        let depth_of = |at: usize| family.members.get(at).map(|member| member.depth);
        let tree = if grows { branches(place, 0, depth_of, &theme.signs) } else { String::new() };
        let mark = if window.marked.contains(&member.listed.mom_id) { theme.signs.marked } else { " " };
        let named = member.listed.name.is_some();
        let wide = self.name.saturating_sub(tree.width());
        let over = member.listed.expires.is_some_and(|end| end <= scene.now);
        let style = match (over, named) {
            (false, true) => theme.text,
            (true, _) | (false, false) => theme.dim,
        };
        let mut spans = vec![
            Span::styled(format!("{mark} "), theme.ending),
            Span::styled(tree, theme.dim),
            cell(&name_of(member), wide, style, theme),
        ];
        let zone = scene.zone();
        let brief = |at| moments::brief(at, scene.now, &zone);
        let made = member.listed.created.map_or_else(|| theme.signs.none.to_owned(), brief);
        let from = member.listed.address.as_ref().map(Untrusted::shown).unwrap_or_default();
        let (ends, ends_style) = Self::ends(member, scene);
        let (used, used_style) = match &member.last_used {
            None => (String::new(), theme.dim),
            Some(None) => ("never".to_owned(), theme.text),
            Some(Some(last)) => (ago(scene.now.duration_since(last.at)), theme.text),
        };
        let here = match &member.held {
            Some((_, name)) => (cleaned(name), theme.live),
            None => (theme.signs.none.to_owned(), theme.dim),
        };
        let here = match (member.asks, &member.held) {
            (true, Some(_)) => (format!("{} asks", here.0), here.1),
            (true, None) => ("this session".to_owned(), theme.live),
            (false, _) => here,
        };
        let may = member
            .capabilities
            .iter()
            .flatten()
            .map(|capability| capability.0.shown())
            .collect::<Vec<_>>()
            .join(" ");
        for (wide, text, style) in [
            (self.made, made, theme.dim),
            (self.ends, ends, ends_style),
            (self.used, used, used_style),
            (self.from, from, theme.dim),
            (self.here, here.0, here.1),
            (self.may, may, theme.dim),
        ] {
            if wide > 0 {
                spans.push(Span::raw("  "));
                spans.push(cell(&text, wide, style, theme));
            }
        }
        Line::from(spans)
    }

    fn ends(member: &Member, scene: Scene<'_>) -> (String, ratatui::style::Style) {
        let theme = scene.theme;
        match member.listed.expires {
            None => ("no end".to_owned(), theme.text),
            Some(end) if end <= scene.now => ("ended".to_owned(), theme.dead),
            // What is listed here does not tick: hours and days only, and the rest as soon.
            Some(end) => {
                let left = scene.left(end);
                if left.as_secs() < 3600 {
                    ("under 1h".to_owned(), theme.ending)
                } else {
                    (countdown_coarse(left), theme.text)
                }
            }
        }
    }
}

/// Hours or days, rounded down.
fn countdown_coarse(left: jiff::SignedDuration) -> String {
    match left.as_hours() {
        hours @ ..48 => format!("{hours}h"),
        hours => format!("{}d", hours / 24),
    }
}

fn name_of(member: &Member) -> String {
    match &member.listed.name {
        Some(name) => name.shown(),
        None => format!("(no name) {}", member.listed.mom_id.shown_within(8)),
    }
}
