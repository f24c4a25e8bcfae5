use std::collections::BTreeMap;

use serde::Serialize;

use super::task_report::is_none;
use crate::model::{Run, RunState, TaskStatus, UndoneShare, Zone, visible};

/// One run in the list of runs.
#[derive(Clone, Debug, Serialize)]
pub struct RunRow {
    pub id: String,
    pub title: String,
    pub started: String,
    /// The same to the minute, for the list.
    #[serde(skip)]
    minute: String,
    /// Where it is kept, if not with this operator's own runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept_in: Option<String>,
    /// going, complete, undone, undone in part, incomplete, paused, aborted, closed or unreadable.
    pub state: &'static str,
    /// Every task is settled well, and none was undone.
    pub complete: bool,
    /// Something it changed can be brought back.
    pub can_be_undone: bool,
    pub tasks: u32,
    /// Of those that are undone: how many of which not all was brought back.
    #[serde(skip_serializing_if = "is_none")]
    pub undone_in_part: usize,
    /// Those that are not zero.
    pub by_status: BTreeMap<&'static str, u32>,
    /// Who writes it now, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// Why nothing more is known of it, or what is wrong with its journal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl RunRow {
    /// `started`: milliseconds since 1970.
    pub fn of(run: &Run, started: i64, holder: Option<String>, problem: Option<String>, zone: &Zone) -> Self {
        let settled = run.is_complete() && !run.tasks.is_empty();
        let undone = run.undone_share();
        let state = match &problem {
            Some(_) if run.tasks.is_empty() => "unreadable",
            _ => word(run.state, settled || run.waits_for_what_was_undone(), undone, holder.is_some()),
        };
        let counts = TaskStatus::ALL.iter().map(|status| (status.word(), run.count(*status)));
        Self {
            id: run.header.id.clone(),
            title: run.header.title.clone(),
            started: zone.time(started),
            minute: zone.minute(started),
            kept_in: None,
            state,
            complete: settled && undone == UndoneShare::Nothing,
            can_be_undone: run.can_be_undone(),
            undone_in_part: run.undone_in_part(),
            tasks: u32::try_from(run.tasks.len()).unwrap_or(u32::MAX),
            by_status: counts.filter(|(_, count)| *count > 0).collect(),
            holder,
            problem,
        }
    }

    /// The same of a run in another state folder.
    pub fn kept_in(mut self, state: &std::path::Path) -> Self {
        self.kept_in = Some(visible(state.as_os_str().as_encoded_bytes()).into_owned());
        self
    }

    /// A run whose journal cannot be read.
    pub fn unreadable(id: &str, holder: Option<String>, problem: String) -> Self {
        let mut row = Self::of(&Run::default(), 0, holder, Some(problem), &Zone::utc());
        row.id = id.to_owned();
        (row.started, row.minute) = (String::new(), String::new());
        row
    }

    /// Where the list says more than the state's own word.
    fn state_in_full(&self) -> String {
        let all_undone = self.by_status.contains_key(TaskStatus::Undone.word()) && !self.can_be_undone;
        match self.state {
            "paused" | "aborted" | "closed" if all_undone => format!("{}, undone", self.state),
            "paused" | "aborted" | "closed" if !self.complete => format!("{}, incomplete", self.state),
            state => state.to_owned(),
        }
    }

    /// One line of at most so many columns, and below it who holds the run and what is wrong with it.
    fn lines(&self, columns: usize) -> Vec<String> {
        let well = ["done", "unchanged"].iter().filter_map(|word| self.by_status.get(word)).sum::<u32>();
        let bad = ["failed", "unknown"].iter().filter_map(|word| self.by_status.get(word)).sum::<u32>();
        let bad = if bad == 0 { "-".to_owned() } else { bad.to_string() };
        let undo = if self.can_be_undone { "yes" } else { "no" };
        let done = format!("{well}/{}", self.tasks);
        let id: String = visible(&self.id).chars().take(RUN_WIDTH).collect();
        let mut first = row([&id, &self.minute, self.state, &done, &bad, undo]);
        first.push_str(&cut(&visible(&self.title), columns.saturating_sub(width(&first))));
        let mut lines = vec![first.trim_end().to_owned()];
        let held = self.holder.as_ref().map(|holder| format!("held by {holder}"));
        let kept = self.kept_in.as_ref().map(|path| format!("REKINDLE_STATE={path}"));
        let part = (self.undone_in_part > 0).then(|| format!("{} not wholly undone", self.undone_in_part));
        for text in [held.as_ref(), part.as_ref(), kept.as_ref(), self.problem.as_ref()].into_iter().flatten() {
            lines.extend(folded(&visible(text)).into_iter().map(|text| format!("    {text}")));
        }
        lines
    }

    fn cells(&self) -> [String; 6] {
        let state = self.state_in_full();
        let undo = if self.can_be_undone { "yes" } else { "no" };
        let part = |status: &str| match self.undone_in_part {
            count if count > 0 && status == TaskStatus::Undone.word() => format!(" ({count} not wholly)"),
            _ => String::new(),
        };
        let counts = self.by_status.iter().map(|(status, count)| format!("{count} {status}{}", part(status)));
        let counts: Vec<String> = counts.collect();
        let held = self.holder.as_ref().map(|holder| format!("held by {holder}"));
        let about = [Some(&self.title).filter(|title| !title.is_empty()), held.as_ref(), self.problem.as_ref()];
        let about: Vec<_> = about.into_iter().flatten().map(|part| visible(part)).collect();
        [
            visible(&self.id).into_owned(),
            self.minute.clone(),
            state,
            undo.to_owned(),
            counts.join(", "),
            about.join("; "),
        ]
    }
}

/// All that [`word`] says, and what stands for a run that cannot be read.
pub const STATES: [&str; 9] =
    ["going", "complete", "undone in part", "undone", "incomplete", "paused", "aborted", "closed", "unreadable"];

/// How a run stands, in the one word that every screen and every JSON form has for it.
pub(super) fn word(state: RunState, complete: bool, undone: UndoneShare, is_held: bool) -> &'static str {
    match state {
        RunState::Going if is_held => "going",
        RunState::Going if complete => match undone {
            UndoneShare::Nothing => "complete",
            UndoneShare::Part => "undone in part",
            UndoneShare::All => "undone",
        },
        RunState::Going => "incomplete",
        RunState::Paused => "paused",
        RunState::Aborted => "aborted",
        RunState::Closed => "closed",
    }
}

/// Columns of a terminal that every list fits.
const WIDTH: usize = 80;
/// The beginning of a name is enough to name a run.
const RUN_WIDTH: usize = 23;
const WIDTHS: [usize; 6] = [RUN_WIDTH, 16, 10, 7, 4, 4];

fn width(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

fn row(cells: [&str; 6]) -> String {
    let cells =
        cells.iter().zip(WIDTHS).map(|(cell, wide)| format!("{cell}{} ", " ".repeat(wide.saturating_sub(width(cell)))));
    cells.collect()
}

/// At most so many columns, with a mark where something is missing.
fn cut(text: &str, most: usize) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let mut kept = String::new();
    for character in text.chars() {
        if width(&kept) + unicode_width::UnicodeWidthChar::width(character).unwrap_or(0) + 1 > most {
            break;
        }
        kept.push(character);
    }
    format!("{kept}…")
}

/// Lines that fit behind an indent; a word that does not is broken, for a path is copied whole by selecting both.
fn folded(text: &str) -> Vec<String> {
    const MOST: usize = WIDTH - 4;
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().filter(|line| !line.is_empty());
        if let Some(line) = line {
            if width(line) + 1 + width(word) <= MOST {
                line.push(' ');
                line.push_str(word);
                continue;
            }
            lines.push(String::new());
        }
        for character in word.chars() {
            if lines.last().is_some_and(|line| width(line) + 2 > MOST) {
                lines.push(String::new());
            }
            if let Some(line) = lines.last_mut() {
                line.push(character);
            }
        }
    }
    lines
}

/// The list for a terminal of so many columns, 80 at least: a heading, then a line each.
pub fn table(rows: &[RunRow], columns: usize) -> String {
    let mut text = format!("{}TITLE\n", row(["RUN", "STARTED", "STATE", "OK", "FAIL", "UNDO"]));
    for line in rows.iter().flat_map(|row| row.lines(columns.max(WIDTH))) {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// All that is known of each, one long line each.
pub fn wide_table(rows: &[RunRow], zone: &Zone) -> String {
    let started = format!("STARTED ({})", zone.name());
    let heading = ["RUN", &started, "STATE", "UNDO", "TASKS", "TITLE"].map(str::to_owned);
    let lines: Vec<[String; 6]> = std::iter::once(heading).chain(rows.iter().map(RunRow::cells)).collect();
    let mut widths = [0; 6];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(unicode_width::UnicodeWidthStr::width(cell.as_str()));
        }
    }
    let mut text = String::new();
    for line in &lines {
        let mut shown = String::new();
        for (width, cell) in widths.iter().zip(line) {
            let padding = width - unicode_width::UnicodeWidthStr::width(cell.as_str());
            shown.push_str(cell);
            shown.push_str(&" ".repeat(padding + 2));
        }
        text.push_str(shown.trim_end());
        text.push('\n');
    }
    text
}
