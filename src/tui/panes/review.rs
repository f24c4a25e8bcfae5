use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::diff::files::Side;
use crate::model::{Fidelity, Hunk, Pass, Preview, TaskStatus, visible};
use crate::tui::cells::{Pen, fit, fit_middle, wrap};
use crate::tui::keymap::{Action, Context};
use crate::tui::names::shown_name;
use crate::tui::review::{Loaded, ReviewRow, ReviewState, half_width, place_room};
use crate::tui::search::matches;
use crate::tui::state::{Model, Tab};
use crate::tui::theme::{Role, Theme};
use crate::tui::words;

/// Lines above the hunks.
pub const HEAD: usize = 4;

/// The plan of the task under the cursor, hunk by hunk.
pub fn render(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme;
    let Some(id) = model.cursor else {
        let list = model.keymap.key(Context::Everywhere, Action::ShowSteps);
        let told = format!(" no task is chosen: {list} has the list");
        Pen::at(buffer, area, 1).write(&told, theme.style(Role::Attention));
        return;
    };
    let status = model.run.tasks.get(id.index()).map_or(TaskStatus::Waiting, |task| task.status);
    let mut pen = Pen::at(buffer, area, 0);
    let left = pen.left();
    let name = fit_middle(&shown_name(&model.run, id), left.saturating_sub(16), theme.cut());
    pen.write(&format!(" {name}  "), theme.style(Role::Title));
    pen.write(theme.glyph(status), theme.style(theme.status_role(status)));
    pen.write(&format!(" {}", status.word()), theme.style(theme.status_role(status)));
    let text = match &model.review.state {
        ReviewState::Loaded(loaded) if model.review.task == Some(id) => {
            return plan(model, loaded, status, area, buffer);
        }
        ReviewState::Loading => vec![(Role::Active, "reading the plan".to_owned())],
        ReviewState::Failed(_) if status == TaskStatus::Done => no_plan(model, status),
        ReviewState::Failed(problem) => {
            let next = problem.next.as_deref().map(|next| (Role::Title, format!("next: {}", visible(next))));
            [(Role::Bad, visible(&problem.what).into_owned())].into_iter().chain(next).collect()
        }
        _ => no_plan(model, status),
    };
    let width = usize::from(area.width).saturating_sub(2);
    let lines = text.iter().flat_map(|(role, text)| wrap(text, width).into_iter().map(move |line| (*role, line)));
    for (row, (role, line)) in (2..area.height).zip(lines) {
        Pen::at(buffer, area, row).write(" ", Style::default()).write(&line, theme.style(role));
    }
}

fn no_plan(model: &Model, status: TaskStatus) -> Vec<(Role, String)> {
    let note = model.cursor.map(|id| words::note(model, id)).unwrap_or_default();
    let key = |action| model.keymap.key(Context::Review, action);
    let there = model.keymap.key(if model.tab == Tab::Steps { Context::Steps } else { Context::Review }, Action::Open);
    let text = match status {
        TaskStatus::Waiting => "It waits for what it needs; it is planned after that.".to_owned(),
        TaskStatus::Ready if model.cursor.is_some_and(|id| model.is_confirm(id)) => {
            let confirm = model.keymap.key(Context::Steps, Action::Confirm);
            format!("It waits for a person to confirm it: {confirm} asks the question.")
        }
        TaskStatus::Ready => "It will be planned next.".to_owned(),
        TaskStatus::Unchanged => {
            format!("Live and backup are equal: nothing to do. {} leads to what needs you.", key(Action::NextWanted))
        }
        TaskStatus::Done if model.cursor.is_some_and(|id| words::only_asks(&model.run, id)) => {
            let evidence = model.keymap.key(Context::Everywhere, Action::ShowEvidence);
            format!("It asked, and wrote nothing: there is nothing to undo. {evidence} shows the answer.")
        }
        TaskStatus::Done => {
            let evidence = model.keymap.key(Context::Everywhere, Action::ShowEvidence);
            let told = format!(
                "Applied and read back. {evidence} shows the evidence, {} plans the way back",
                key(Action::Undo)
            );
            match model.run.count(TaskStatus::Review) {
                0 => format!("{told}."),
                _ => format!("{told}, {} goes to the next in review.", key(Action::NextWanted)),
            }
        }
        TaskStatus::Review | TaskStatus::Approved if model.read_only => {
            return under_review(model);
        }
        TaskStatus::Failed => format!("It failed. {there} asks what to do about it."),
        TaskStatus::Unknown => format!("Nobody knows whether it was applied. {there} settles it."),
        TaskStatus::Skipped => format!("It was skipped. {} plans it anew.", key(Action::Retry)),
        TaskStatus::Undone if !note.is_empty() => {
            format!("It was undone, but this was not brought back. {} plans it anew.", key(Action::Retry))
        }
        TaskStatus::Undone => format!("It was undone. {} plans it anew.", key(Action::Retry)),
        _ => "Its plan comes here.".to_owned(),
    };
    vec![(Role::Plain, text), (Role::Quiet, note)]
}

/// To a watcher: what is on record of a plan before it is written. Its hunks are not, but their sums, digest and
/// decisions are.
fn under_review(model: &Model) -> Vec<(Role, String)> {
    let Some((id, task)) = model.cursor.and_then(|id| Some((id, model.run.tasks.get(id.index())?))) else {
        return Vec::new();
    };
    let undo = if task.pass == Pass::Undo { "UNDO  " } else { "" };
    let digest = task.digest().map(|digest| format!("plan {}  ", digest.short())).unwrap_or_default();
    let mut lines = vec![(Role::Title, format!("{undo}{digest}{}", words::counts(task.counts())))];
    if let Some(facts) = model.run.plans.get(&id) {
        let role = if facts.preview == Preview::Exact { Role::Quiet } else { Role::Danger };
        lines.push((role, words::preview(facts.preview).to_owned()));
    }
    let left_out = model.run.selection(id).left_out_count() as u64;
    if left_out > 0 {
        lines.push((
            Role::Attention,
            format!("{} left out by whoever reviews it", crate::model::plural(left_out, "hunk")),
        ));
    }
    let why = "Its hunks come into the journal, and onto this screen, with its write: until then the screen of the \
               process that holds the run has them.";
    lines.push((Role::Plain, why.to_owned()));
    lines
}

fn plan(model: &Model, loaded: &Loaded, status: TaskStatus, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme;
    let plan = &loaded.proposal.plan;
    let totals = &loaded.totals;
    let is_over = matches!(status, TaskStatus::Done | TaskStatus::Undone);
    let undo = if plan.pass == Pass::Undo { "UNDO  " } else { "" };
    let [creates, updates, _] = totals.by_op;
    let hunks = crate::model::plural(totals.hunks as u64, "hunk");
    let deletes = if totals.counts.deletes() > 0 { Role::Danger } else { Role::Quiet };
    let bytes = if totals.bytes > 0 { format!("  {}", crate::model::size(totals.bytes)) } else { String::new() };
    let pieces = [
        (format!(" {undo}"), Role::Attention),
        (format!("{} {} of {hunks}:  ", if is_over { "wrote" } else { "takes" }, totals.taken), Role::Title),
        (format!("+{creates} create  "), Role::Added),
        (format!("~{updates} update  "), Role::Attention),
        (format!("-{} delete", totals.counts.deletes()), deletes),
        (bytes, Role::Plain),
    ];
    match &plan.command {
        Some(_) => {
            let told = " a command: it runs as it stands here, with nothing left out".to_owned();
            line(theme, &[(told, Role::Title)], Pen::at(buffer, area, 1));
        }
        None => line(theme, &pieces, Pen::at(buffer, area, 1)),
    }
    let unreadable = format!("{}, named below", words::unreadable(totals.counts.unreadable));
    let stays = model.cursor.map_or(0, |id| model.run.stays(id).len());
    let is_undoable = model.cursor.and_then(|id| model.run.tasks.get(id.index())).is_some_and(|task| task.undoable);
    let (told, role) = match (model.reviewed().is_some(), plan.preview) {
        _ if status == TaskStatus::Done && plan.command.is_some() => {
            ("It ran; what a command did cannot be read back", Role::Quiet)
        }
        _ if status == TaskStatus::Done && is_undoable => ("Applied and read back; can be undone", Role::Good),
        _ if status == TaskStatus::Done => ("Applied and read back", Role::Good),
        _ if status == TaskStatus::Undone && stays > 0 => {
            ("undone, but NOT ALL of it: the warnings below say what stays", Role::Attention)
        }
        _ if status == TaskStatus::Undone => ("undone and read back: it is as it was before", Role::Good),
        (false, _) => ("being recorded; it can be approved after that", Role::Attention),
        (true, _) if totals.counts.unreadable > 0 => (&*unreadable, Role::Danger),
        (true, Preview::Exact) => (words::preview(plan.preview), Role::Quiet),
        (true, _) => (words::preview(plan.preview), Role::Danger),
    };
    let pieces = [(format!(" plan {}  ", loaded.digest.short()), Role::Quiet), (told.to_owned(), role)];
    line(theme, &pieces, Pen::at(buffer, area, 2));
    let mut pen = Pen::at(buffer, area, 3);
    if let Some(part) = loaded.part_in_sight(usize::from(area.height.saturating_sub(4))) {
        let part = format!(" {part} ");
        let before = theme.line().repeat(pen.left().saturating_sub(part.len() + 2));
        pen.write(&before, theme.style(Role::Line)).write(&part, theme.style(Role::Quiet));
    }
    pen.fill(theme.line(), theme.style(Role::Line));
    let body = Rect { y: area.y + 4, height: area.height.saturating_sub(4), ..area };
    if loaded.rows.is_empty() {
        Pen::at(buffer, body, 0).write(" nothing would be changed", theme.style(Role::Plain));
    }
    for (row, at) in (0..body.height).zip(loaded.top..) {
        let Some(line) = loaded.rows.get(at) else { break };
        let is_cursor = at == loaded.cursor && model.tab == Tab::Review;
        let over = |role: Role| theme.style(if is_cursor { Role::Cursor } else { role });
        let mut pen = Pen::at(buffer, body, row);
        let is_pointed_at = is_cursor || (model.tab == Tab::Review && loaded.is_hunk_of_cursor(at));
        pen.write(if is_pointed_at { ">" } else { " " }, over(Role::Title));
        one(theme, loaded, line, &mut pen, &over);
        if is_cursor {
            pen.fill(" ", theme.style(Role::Cursor));
        }
        if model.tab == Tab::Review {
            emphasise(Rect { y: body.y + row, height: 1, ..body }, &model.search.text, is_cursor, buffer);
        }
    }
}

/// Marks what was searched for, in the cells themselves: wherever a row's words come from.
fn emphasise(line: Rect, wanted: &str, is_cursor: bool, buffer: &mut Buffer) {
    if wanted.is_empty() {
        return;
    }
    let mut text = String::new();
    let mut starts = Vec::new();
    for x in line.left()..line.right() {
        starts.push((text.len(), x));
        text.push_str(buffer.cell((x, line.y)).map_or(" ", |cell| cell.symbol()));
    }
    let mark = if is_cursor { Modifier::BOLD | Modifier::UNDERLINED } else { Modifier::REVERSED };
    for found in matches(&text, wanted) {
        for (_, x) in starts.iter().filter(|(start, _)| found.contains(start)) {
            if let Some(cell) = buffer.cell_mut((*x, line.y)) {
                cell.modifier |= mark;
            }
        }
    }
}

fn line(theme: Theme, pieces: &[(String, Role)], mut pen: Pen<'_>) {
    let pieces: Vec<_> = pieces.iter().map(|(text, role)| (text.as_str(), theme.style(*role))).collect();
    pen.line(&pieces, theme.cut());
}

fn one(theme: Theme, loaded: &Loaded, row: &ReviewRow, pen: &mut Pen<'_>, over: &dyn Fn(Role) -> Style) {
    let left = pen.left();
    match row {
        ReviewRow::Warning(text) => {
            pen.write(&fit(&format!("! {text}"), left, theme.cut()), over(Role::Attention));
        }
        ReviewRow::Command(line) => {
            pen.write(&fit(line, left, theme.cut()), over(Role::Title));
        }
        ReviewRow::Heading(change) => {
            let Some(change) = loaded.proposal.plan.changes.get(*change as usize) else { return };
            let hunks = crate::model::plural(change.hunks.len() as u64, "hunk");
            pen.write(words::op(change.op), over(theme.op_role(change.op)));
            let text = format!(" {}  {hunks}", visible(&change.id.to_string()));
            pen.write(&fit(&text, left.saturating_sub(6), theme.cut()), over(Role::Title));
        }
        ReviewRow::Hunk(change, at) => {
            let Some(found) = loaded.proposal.plan.changes.get(*change as usize) else { return };
            let Some(hunk) = found.hunks.get(*at as usize) else { return };
            let takes = loaded.selection.takes(*change as usize, *at as usize);
            pen.write(if takes { "[y] " } else { "[n] " }, over(if takes { Role::Good } else { Role::Attention }));
            self::hunk(theme, hunk, takes, pen, over);
        }
        ReviewRow::Line { side, text, changed, .. } => {
            pen.write("    ", over(Role::Plain));
            diff_line(theme, *side, text, changed, pen, over);
        }
        ReviewRow::Pair { old, new, .. } => {
            let half = half_width(pen.left() + 1);
            pen.write("    ", over(Role::Plain));
            let end = pen.left() - half;
            if let Some(old) = old {
                diff_line(theme, old.side, &old.text, &old.changed, pen, over);
            }
            let gap = " ".repeat(pen.left().saturating_sub(end));
            pen.write(&gap, over(Role::Plain)).write(&format!(" {} ", theme.upright()), over(Role::Line));
            if let Some(new) = new {
                diff_line(theme, new.side, &new.text, &new.changed, pen, over);
            }
        }
    }
}

/// A line of a text with its mark, what differs in it emphasised, a space at its end shown.
fn diff_line(
    theme: Theme,
    side: Side,
    text: &str,
    changed: &[Range<usize>],
    pen: &mut Pen<'_>,
    over: &dyn Fn(Role) -> Style,
) {
    let role = match side {
        Side::Removed => Role::Removed,
        Side::Added => Role::Added,
        Side::Both => Role::Quiet,
        Side::Gap => Role::Active,
    };
    let end = text.len() - text.trim_end_matches(' ').len();
    pen.write(side.mark(), over(role));
    let text = text.trim_end_matches(' ');
    let mut at = 0;
    for part in changed {
        pen.write(text.get(at..part.start).unwrap_or_default(), over(role));
        let emphasis = over(role).add_modifier(Modifier::BOLD | Modifier::UNDERLINED);
        pen.write(text.get(part.start..part.end.min(text.len())).unwrap_or_default(), emphasis);
        at = part.end.min(text.len());
    }
    pen.write(text.get(at..).unwrap_or_default(), over(role));
    pen.write(&theme.end_space().repeat(end), over(role));
}

fn hunk(theme: Theme, hunk: &Hunk, takes: bool, pen: &mut Pen<'_>, over: &dyn Fn(Role) -> Style) {
    let role = if takes { theme.op_role(hunk.op) } else { Role::Quiet };
    pen.write(&format!("{:<7}", words::op(hunk.op)), over(role));
    let told = words::hunk(hunk, theme);
    let room = place_room(hunk, pen.left(), theme);
    let place = visible(&hunk.words()).into_owned();
    let plain = if takes { Role::Plain } else { Role::Quiet };
    pen.write(&fit_middle(&place, room, theme.cut()), over(plain));
    let fidelity = words::fidelity(hunk.fidelity);
    if !fidelity.is_empty() {
        let role = if hunk.fidelity == Fidelity::Irreversible { Role::Danger } else { Role::Attention };
        pen.write("  ", over(Role::Plain)).write(fidelity, over(role));
    }
    let left = pen.left();
    pen.write(&fit(&format!("  {told}"), left, theme.cut()), over(Role::Quiet));
}
