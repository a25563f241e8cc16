//! How each field of the create form looks.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::aside_of;
use crate::app::create::order::WITH_WORDS;
use crate::app::create::tree::{Tick, Twig};
use crate::app::create::typed::Member;
use crate::app::create::{Create, Item, Start, Turn};
use crate::domain::mytoken::Weight;
use crate::domain::untrusted::cleaned;
use crate::ui::field::{self, Shown};
use crate::ui::parts::{bar, cell, columns, put_row, two_sided, width_of};
use crate::ui::scene::Scene;

/// The labels at the top.
const LABEL: usize = 10;
/// The labels of the restrictions.
const MEMBER: usize = 16;
/// The label of a copy's life.
const LIVES: usize = 14;
/// The names of capabilities beside their words.
const NAME: usize = 20;

/// Draws what stands at a place; where the cursor is, if letters go there.
pub(super) fn draw(
    buf: &mut Buffer,
    place: Rect,
    item: Item,
    form: &Create,
    scene: Scene<'_>,
) -> Option<Position> {
    let here = form.at == item;
    let width = usize::from(place.width);
    if let Some(label) = label(item).filter(|_| form.field_of(item).is_some()) {
        return typed(buf, place, item, label, form, scene);
    }
    if item == Item::Start {
        put_row(buf, place, 0, starts(form, width, scene), scene.theme);
        return None;
    }
    let line = match item {
        Item::Capability(row) => match form.tree.get(row) {
            Some(twig) => capability(twig, width, scene),
            None => return None,
        },
        Item::Turn(which) => turn(which, form, scene),
        Item::Another => Line::styled("+ another clause", scene.theme.text),
        Item::Clause(at) => clause(at, form, scene),
        _ => chosen(item, form, width, scene),
    };
    put_row(buf, place, 0, line, scene.theme);
    if here {
        // A tick and its words are one thing; a choice is its value.
        let skip = columns(label(item).map_or(0, |_| LABEL)).min(place.width);
        let value = Rect { x: place.x + skip, width: place.width - skip, ..place };
        bar(buf, value, scene.theme.selected);
    }
    None
}

const fn label(item: Item) -> Option<&'static str> {
    match item {
        Item::Start => Some("profile"),
        Item::Server => Some("server"),
        Item::From => Some("made by"),
        Item::Provider => Some("provider"),
        Item::Answer => Some("given as"),
        Item::Name => Some("name"),
        Item::Lives => Some("copies live"),
        Item::Member(_, member) => Some(member.label()),
        Item::Capability(_) | Item::Clause(_) | Item::Another | Item::Turn(_) => None,
    }
}

fn label_width(item: Item) -> usize {
    match item {
        Item::Member(..) => MEMBER,
        Item::Lives => LIVES,
        _ => LABEL,
    }
}

/// A field: what is typed, or what an empty one means.
fn typed(
    buf: &mut Buffer,
    place: Rect,
    item: Item,
    label: &str,
    form: &Create,
    scene: Scene<'_>,
) -> Option<Position> {
    let theme = scene.theme;
    let text = form.field_of(item)?;
    let wide = label_width(item).min(usize::from(place.width));
    let here = form.at == item;
    let style = if here { theme.key } else { theme.label };
    put_row(buf, place, 0, Line::from(cell(label, wide, style, theme)), theme);
    let skip = columns(wide);
    let value = Rect { x: place.x + skip, width: place.width.saturating_sub(skip), ..place };
    if here {
        // Two columns for the prompt that the value does not have.
        let back = value.x.saturating_sub(2).max(place.x);
        let field = Rect { x: back, width: value.width + (value.x - back), ..value };
        return field::draw(buf, field, text, Shown::Plain, scene);
    }
    let is_wrong = form.faults.iter().any(|(place, _)| *place == item);
    let shown = cleaned(text.value().trim());
    let value_span = match (shown.is_empty(), is_wrong) {
        (true, _) => Span::styled(nothing(item), theme.dim),
        (false, true) => Span::styled(shown, theme.wrong),
        (false, false) => Span::styled(shown, theme.strong),
    };
    let line = aside_of(Line::from(value_span), &beside(item, form), usize::from(value.width), scene);
    put_row(buf, value, 0, line, theme);
    None
}

const fn nothing(item: Item) -> &'static str {
    match item {
        Item::Member(_, member) => member.nothing(),
        Item::Lives => "to its end",
        Item::Name => "none; here it is named after its server",
        _ => "",
    }
}

/// What stands at the end of a field's row: the moment it comes to; that nobody enforces it.
fn beside(item: Item, form: &Create) -> String {
    let Item::Member(clause, member) = item else { return String::new() };
    if !member.is_enforced(form.offer()) {
        return "not enforced here".to_owned();
    }
    let moments = form.moments.get(clause);
    let moment = moments.and_then(|[starts, ends]| match member {
        Member::Starts => starts.clone(),
        Member::Ends => ends.clone(),
        _ => None,
    });
    moment.unwrap_or_default()
}

/// All that it can start from, on one line; as many as fit around the chosen one.
fn starts<'a>(form: &Create, width: usize, scene: Scene<'a>) -> Line<'a> {
    let theme = scene.theme;
    let here = form.at == Item::Start;
    let style = if here { theme.key } else { theme.label };
    let mut spans = vec![cell("profile", LABEL.min(width), style, theme)];
    let name = |start: &Start| match start {
        Start::Profile { name, .. } => cleaned(name),
        Start::Template { reference, .. } => cleaned(reference),
        Start::Blank => "blank".to_owned(),
    };
    let names: Vec<String> = form.starts.iter().map(name).collect();
    let room = width.saturating_sub(LABEL);
    // What stands before the chosen one is given up first.
    let wide = |from: usize| {
        names
            .iter()
            .skip(from)
            .map(|name| unicode_width::UnicodeWidthStr::width(name.as_str()) + 3)
            .sum::<usize>()
            + 2
    };
    let first = (0..=form.start).find(|from| wide(*from) <= room).unwrap_or(form.start);
    if first > 0 {
        spans.push(Span::styled(format!("{} ", theme.signs.ellipsis), theme.dim));
    }
    for (at, name) in names.iter().enumerate().skip(first) {
        if at == form.start {
            let style = if here { theme.selected } else { theme.strong };
            spans.push(Span::styled(format!("{} {name}", theme.signs.cursor), style));
        } else {
            spans.push(Span::styled(name.clone(), theme.dim));
        }
        spans.push(Span::raw("   "));
    }
    Line::from(spans)
}

/// One of several.
fn chosen<'a>(item: Item, form: &Create, width: usize, scene: Scene<'a>) -> Line<'a> {
    let theme = scene.theme;
    let here = form.at == item;
    let (value, count) = match item {
        Item::Server => (form.server().map(|id| scene.source_name(id)), (form.server, form.servers.len())),
        Item::From => {
            let held = form.parent.as_ref().and_then(|id| scene.state.held(id));
            let at = form.parent.as_ref().and_then(|id| form.parents.iter().position(|one| one == id));
            let words =
                held.map_or_else(|| "a login".to_owned(), |held| format!("from {}", cleaned(&held.name)));
            (Some(words), (at.map_or(0, |at| at + 1), form.parents.len() + 1))
        }
        Item::Provider => provider(form, scene),
        _ => {
            let forms = form.forms();
            let at = forms.iter().position(|one| *one == form.draft.form).unwrap_or_default();
            (Some(form.draft.form.words().to_owned()), (at, forms.len()))
        }
    };
    let label = label(item).unwrap_or_default();
    let mut spans = vec![cell(label, LABEL.min(width), if here { theme.key } else { theme.label }, theme)];
    spans.push(match value {
        Some(value) => Span::styled(value, theme.strong),
        None => Span::styled("none chosen yet", theme.dim),
    });
    let (at, of) = count;
    let beside = if of > 1 { format!("{} of {of}", at + 1) } else { String::new() };
    let beside = if here { beside } else { String::new() };
    aside_of(Line::from(spans), &beside, width, scene)
}

fn provider(form: &Create, scene: Scene<'_>) -> (Option<String>, (usize, usize)) {
    let issuer = form.draft.provider.as_str();
    if issuer.is_empty() {
        return (None, (0, 0));
    }
    let here = scene.known_issuer(&issuer.into());
    let Some(offer) = form.offer().filter(|_| form.parent.is_none()) else {
        return (Some(here.unwrap_or_else(|| scene.issuer_name(&issuer.into()))), (0, 0));
    };
    let at = offer.providers.iter().position(|one| one.issuer.raw() == issuer);
    let told = at.and_then(|at| offer.providers.get(at)).map(|one| one.name.shown());
    let name = here.or(told).unwrap_or_else(|| scene.issuer_name(&issuer.into()));
    (Some(name), (at.unwrap_or_default(), offer.providers.len()))
}

/// A box, ticked or not.
pub(super) fn tick<'a>(on: bool, scene: Scene<'_>) -> Span<'a> {
    let theme = scene.theme;
    if on {
        Span::styled(theme.signs.ticked, theme.live)
    } else {
        Span::styled(theme.signs.unticked, theme.dim)
    }
}

fn capability<'a>(twig: &Twig, width: usize, scene: Scene<'a>) -> Line<'a> {
    let theme = scene.theme;
    let is_implied = matches!(twig.tick, Tick::Implied(_));
    let style = if is_implied { theme.dim } else { theme.text };
    let mut tick = tick(twig.tick != Tick::Off, scene);
    if is_implied {
        tick.style = theme.dim;
    }
    let mut spans = vec![Span::raw("  ".repeat(twig.depth)), tick, Span::raw(" ")];
    // Under its top the last part of a name is enough.
    let name = twig.name.0.shown();
    let name = match (twig.depth, name.rsplit_once(':')) {
        (0, _) | (_, None) => name,
        (_, Some((rest, last))) if rest.starts_with("read@") => format!("read@:{last}"),
        (_, Some((_, last))) => format!(":{last}"),
    };
    spans.push(Span::styled(name, style));
    if twig.below > 0 {
        let more = if twig.unfolded { " -".to_owned() } else { format!(" +{}", twig.below) };
        spans.push(Span::styled(more, theme.dim));
    }
    if width * 2 >= WITH_WORDS - 6 {
        let gap = (NAME + 2).saturating_sub(width_of(&spans)).max(1);
        spans.push(Span::raw(" ".repeat(gap)));
        spans.push(Span::styled(twig.name.words().unwrap_or_default(), theme.dim));
    }
    let weight = match twig.name.weight() {
        Weight::Light => "",
        Weight::Heavy => "!",
        Weight::Heaviest => "!!",
    };
    let weight = Line::from(Span::styled(weight, if is_implied { theme.dim } else { theme.warning }));
    two_sided(Line::from(spans), weight, width.saturating_sub(1), 4, theme)
}

fn turn<'a>(which: Turn, form: &Create, scene: Scene<'a>) -> Line<'a> {
    let rotation = form.draft.rotation;
    let (on, words) = match which {
        Turn::OnAccess => (rotation.on_at, "on every access token"),
        Turn::OnOther => (rotation.on_other, "on every other use"),
        Turn::Revokes => (rotation.auto_revoke, "an old copy revokes all"),
    };
    Line::from(vec![tick(on, scene), Span::raw(" "), Span::raw(words)])
}

fn clause<'a>(at: usize, form: &Create, scene: Scene<'a>) -> Line<'a> {
    let text = format!("clause {} of {}", at + 1, form.clauses.len());
    let or = if at > 0 { "or, " } else { "" };
    Line::from(vec![Span::styled(or, scene.theme.dim), Span::styled(text, scene.theme.strong)])
}
