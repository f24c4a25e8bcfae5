use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::model::visible;
use crate::tui::cells::{Pen, column, fit};
use crate::tui::groups::{Groups, Kind};
use crate::tui::keymap::{Action, Context};
use crate::tui::state::Model;
use crate::tui::theme::Role;
use crate::tui::words;

/// What tasks have in common, one line a group.
pub fn render(model: &Model, groups: &Groups, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme;
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            if let Some(cell) = buffer.cell_mut((x, y)) {
                cell.reset();
            }
        }
    }
    let back = model.keymap.key(Context::Groups, Action::Back);
    let told = match (groups.kind, groups.count()) {
        (_, 0) if !model.rows.filter.is_empty() => {
            let open = model.keymap.key(Context::Groups, Action::Filter);
            format!(" nothing matches the filter: {open} changes it, {back} goes back")
        }
        (Kind::Cohorts, 0) => format!(" no plan is in review: nothing here to approve; {back} goes back"),
        (Kind::Causes, 0) => format!(" nothing has failed; {back} goes back"),
        (Kind::Cohorts, many) => {
            let waiting = crate::model::plural(groups.task_count() as u64, "plan");
            let odd = match groups.odd_ones {
                _ if many == 1 => String::new(),
                0 => ", the largest first".to_owned(),
                1 => ", the largest first, 1 odd one last".to_owned(),
                odd => format!(", the largest first, {odd} odd ones last"),
            };
            format!(" {waiting} in review, {}{odd}", crate::model::plural(many as u64, "different change"))
        }
        (Kind::Causes, many) => {
            let failed = groups.task_count();
            format!(" {failed} failed, {}", crate::model::plural(many as u64, "cause"))
        }
    };
    let filter = &model.rows.filter;
    let filter = if filter.is_empty() { String::new() } else { format!("  filter: {}", visible(&filter.text)) };
    let parts = [(told.as_str(), theme.style(Role::Title)), (filter.as_str(), theme.style(Role::Attention))];
    Pen::at(buffer, area, 0).line(&parts, theme.cut());
    let at = groups.under_cursor().map(|group| group.key);
    let height = usize::from(area.height).saturating_sub(1).max(1);
    for (row, group) in (1..area.height).zip(groups.visible(height)) {
        let is_cursor = Some(group.key) == at;
        let over = |role| theme.style(if is_cursor { Role::Cursor } else { role });
        let mut pen = Pen::at(buffer, area, row);
        pen.write(if is_cursor { "> " } else { "  " }, over(Role::Title));
        match groups.kind {
            Kind::Cohorts if group.is_looked_at(model) => pen.write(&column("opened", 12, ""), over(Role::Good)),
            Kind::Cohorts => pen.write(&column("NOT OPENED", 12, ""), over(Role::Attention)),
            Kind::Causes => &mut pen,
        };
        let note = group.tasks.first().map(|id| words::note(model, *id)).filter(|_| groups.kind == Kind::Cohorts);
        let text = format!("{}  {}", group.label(model), note.unwrap_or_default());
        let left = pen.left();
        let text = if theme.ascii { text.replace('×', "x").replace('…', "...") } else { text };
        pen.write(&fit(&text, left, theme.cut()), over(Role::Plain));
        if is_cursor {
            pen.fill(" ", theme.style(Role::Cursor));
        }
    }
}
