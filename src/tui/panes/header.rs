use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use crate::model::{RunState, TargetIdentity, TaskStatus, visible};
use crate::tui::cells::{Pen, fit, fit_middle};
use crate::tui::keymap::Context;
use crate::tui::names::shown_target;
use crate::tui::state::{Model, Tab};
use crate::tui::theme::Role;

const SHORTEST_TITLE: usize = 16;
/// What stands before the operator's name.
const OPERATOR: &str = "  op:";

/// Which run, on what, by whom, how far: in sight in every tab.
pub fn render(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme;
    let (role, state) = state(model);
    let state = format!(" {} {state}", theme.dot());
    let run = format!(" {}", visible(&model.run.header.id));
    let title = format!("  {}", visible(&model.run.header.title));
    let by = visible(&model.by);
    let mut pen = Pen::at(buffer, area, 0);
    let before_by = run.width() + title.width() + state.width() + 2;
    // The machine is one of few, and named where something is approved; the title tells one run from another.
    let is_whole = before_by + by.width() + OPERATOR.len() <= pen.left();
    let by = if is_whole { &*by } else { by.rsplit_once('@').map_or(&*by, |(name, _)| name) };
    let by = format!("{OPERATOR}{by}");
    let room = pen.left().saturating_sub(state.width() + by.width().min(24) + 2);
    pen.write(&fit(&run, room, theme.cut()), theme.style(Role::Title));
    let room = pen.left().saturating_sub(state.width() + by.width().min(24) + 2);
    // A title of which nothing can be read is no title; the run's name is mostly made of it.
    if title.width().min(SHORTEST_TITLE) <= room {
        pen.write(&fit(&title, room, theme.cut()), theme.style(Role::Plain));
    }
    pen.write("  ", theme.style(Role::Plain)).write(&state, theme.style(role));
    let left = pen.left();
    pen.write(&fit(&by, left, theme.cut()), theme.style(Role::Quiet));

    let mut pen = Pen::at(buffer, area, 1);
    pen.write(" target ", theme.style(Role::Quiet));
    let target = model.cursor.and_then(|id| shown_target(&model.run, id));
    let none = if model.cursor.is_some() { "(this step has none)" } else { "(no task is under the cursor)" };
    let target = target.unwrap_or_else(|| none.to_owned());
    let left = pen.left();
    // Its name before its id: both stand in full where something is approved.
    let is_unchecked = target.contains(TargetIdentity::UNCHECKED);
    let role = if is_unchecked { Role::Danger } else { Role::Title };
    let short = target.rsplit_once(" (").map_or(target.as_str(), |(name, _)| name);
    let target = match target.width() > left {
        // The warning is in words too, and is what is never cut.
        true if is_unchecked => {
            let warned = format!("! {}: ", TargetIdentity::UNCHECKED);
            let rest = short.replace(&format!(", {},", TargetIdentity::UNCHECKED), "");
            let rest = fit_middle(&rest, left.saturating_sub(warned.len()), theme.cut());
            format!("{warned}{rest}")
        }
        true => fit_middle(short, left, theme.cut()),
        false => target,
    };
    pen.write(&target, theme.style(role));
    counts(model, Rect { y: area.y + 2, height: 1, ..area }, buffer);
    tabs(model, Rect { y: area.y + 3, height: 1, ..area }, buffer);
}

fn state(model: &Model) -> (Role, &'static str) {
    if model.broken.is_some() {
        return (Role::Danger, "NOT RELIABLE");
    }
    if model.stopped.is_some() {
        return (Role::Bad, "STOPPED");
    }
    match model.run.state {
        RunState::Paused if model.read_only && model.is_held => (Role::Attention, "WATCHING, read-only; paused"),
        RunState::Going if model.read_only && model.is_held => (Role::Attention, "WATCHING, read-only"),
        RunState::Going | RunState::Paused if model.read_only && !model.is_complete() => {
            (Role::Attention, "NOT RUNNING, read-only")
        }
        RunState::Paused => (Role::Attention, "PAUSED"),
        RunState::Aborted => (Role::Bad, "ABORTED"),
        RunState::Closed => (Role::Quiet, "CLOSED"),
        RunState::Going if model.is_complete() => (Role::Good, "COMPLETE"),
        RunState::Going if model.idle => (Role::Attention, "WAITS FOR YOU"),
        RunState::Going => (Role::Good, "LIVE"),
    }
}

/// Trouble first, for narrow screens cut the tail.
const ORDER: [TaskStatus; 11] = [
    TaskStatus::Failed,
    TaskStatus::Unknown,
    TaskStatus::Review,
    TaskStatus::Applying,
    TaskStatus::Approved,
    TaskStatus::Done,
    TaskStatus::Unchanged,
    TaskStatus::Ready,
    TaskStatus::Waiting,
    TaskStatus::Skipped,
    TaskStatus::Undone,
];

fn counts(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme;
    let all = model.run.tasks.len();
    let settled: u32 =
        TaskStatus::ALL.iter().filter(|status| status.is_settled()).map(|status| model.run.count(*status)).sum();
    let hundredths = (settled as usize * 100).checked_div(all).unwrap_or(0);
    let mut pen = Pen::at(buffer, area, 0);
    let hundredths = if model.is_wide() { format!(" {hundredths}%") } else { String::new() };
    pen.write(&format!(" {settled}/{all} settled{hundredths}"), theme.style(Role::Title));
    let unusable = model.run.header.unusable_owners().count();
    if unusable > 0 {
        pen.write(&format!("  ! {unusable} left out"), theme.style(Role::Attention));
    }
    for status in ORDER {
        let count = model.run.count(status);
        if count > 0 {
            let text = format!("  {} {} {count}", theme.glyph(status), status.word());
            // A count that is cut would be another count.
            if text.width() > pen.left() {
                pen.write(theme.cut(), theme.style(Role::Quiet));
                return;
            }
            pen.write(&text, theme.style(theme.status_role(status)));
        }
    }
}

fn tabs(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme;
    let mut pen = Pen::at(buffer, area, 0);
    for tab in Tab::ALL {
        let role = if tab == model.tab { Role::Cursor } else { Role::Quiet };
        pen.write(theme.line(), theme.style(Role::Line));
        let key = model.keymap.key(Context::Everywhere, tab.action());
        pen.write(&format!(" {key} {} ", tab.title()), theme.style(role));
    }
    // It narrows what ] and A find in every tab; the list says it by itself.
    if model.tab != Tab::Steps && !model.rows.filter.is_empty() {
        let filter = format!("{} filter: {} ", theme.line(), visible(&model.rows.filter.text));
        pen.line(&[(&filter, theme.style(Role::Attention))], theme.cut());
    }
    if let Some(told) = crate::tui::pace::told(model) {
        let told = format!("{} {told} ", theme.line());
        pen.line(&[(&told, theme.style(Role::Active))], theme.cut());
    }
    pen.fill(theme.line(), theme.style(Role::Line));
}
