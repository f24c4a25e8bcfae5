use std::collections::BTreeMap;

use serde::Serialize;

use super::fold::time;
use super::task_report::is_none;
use crate::model::{Run, RunState, TaskStatus, visible};

/// One run in the list of runs.
#[derive(Clone, Debug, Serialize)]
pub struct RunRow {
    pub id: String,
    pub title: String,
    pub started: String,
    /// As on the screen: going, complete, incomplete, paused, aborted, closed or unreadable.
    pub state: &'static str,
    /// Every task is settled well.
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
    pub fn of(run: &Run, started: i64, holder: Option<String>, problem: Option<String>) -> Self {
        let complete = run.is_complete() && !run.tasks.is_empty();
        let state = match &problem {
            Some(_) if run.tasks.is_empty() => "unreadable",
            _ => word(run.state, complete, holder.is_some()),
        };
        let counts = TaskStatus::ALL.iter().map(|status| (status.word(), run.count(*status)));
        Self {
            id: run.header.id.clone(),
            title: run.header.title.clone(),
            started: time(started),
            state,
            complete,
            can_be_undone: run.can_be_undone(),
            undone_in_part: run.undone_in_part(),
            tasks: u32::try_from(run.tasks.len()).unwrap_or(u32::MAX),
            by_status: counts.filter(|(_, count)| *count > 0).collect(),
            holder,
            problem,
        }
    }

    /// A run whose journal cannot be read.
    pub fn unreadable(id: &str, holder: Option<String>, problem: String) -> Self {
        let mut row = Self::of(&Run::default(), 0, holder, Some(problem));
        row.id = id.to_owned();
        row.started = String::new();
        row
    }

    fn cells(&self) -> [String; 6] {
        let incomplete = !self.complete && matches!(self.state, "paused" | "aborted" | "closed");
        let state = format!("{}{}", self.state, if incomplete { ", incomplete" } else { "" });
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
        let started = self.started.get(..16).unwrap_or(&self.started).replace('T', " ");
        [visible(&self.id).into_owned(), started, state, undo.to_owned(), counts.join(", "), about.join("; ")]
    }
}

/// How a run stands, in the one word that every screen and every JSON form has for it.
pub(super) fn word(state: RunState, complete: bool, is_held: bool) -> &'static str {
    match state {
        RunState::Going if is_held => "going",
        RunState::Going if complete => "complete",
        RunState::Going => "incomplete",
        RunState::Paused => "paused",
        RunState::Aborted => "aborted",
        RunState::Closed => "closed",
    }
}

/// The list for a terminal: a heading, then one line each.
pub fn table(rows: &[RunRow]) -> String {
    let heading = ["RUN", "STARTED (UTC)", "STATE", "UNDO", "TASKS", "TITLE"].map(str::to_owned);
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
