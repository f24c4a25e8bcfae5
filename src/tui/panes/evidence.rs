use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::model::{ErrorKind, Event, Recorded, visible};
use crate::tui::cells::{Pen, fit_middle, wrap};
use crate::tui::names::shown_name;
use crate::tui::state::{Evidence, Model};
use crate::tui::theme::Role;
use crate::tui::{log, words};

/// What is on record of the task under the cursor, and below (or beside) it the log.
pub fn render(model: &Model, area: Rect, buffer: &mut Buffer) {
    let (record, logged) = if model.is_wide() {
        let half = area.width / 2;
        (Rect { width: half, ..area }, Rect { x: area.x + half, width: area.width - half, ..area })
    } else {
        let upper = area.height * 3 / 5;
        (Rect { height: upper, ..area }, Rect { y: area.y + upper, height: area.height - upper, ..area })
    };
    on_record(model, record, buffer);
    let theme = model.theme;
    let mut pen = Pen::at(buffer, logged, 0);
    let whose = model.log_voice.map_or_else(String::new, |voice| format!(" of {voice} alone"));
    let head = format!("{} log{whose}, {} and worse; a viewer, not the record ", theme.line(), level(model.log_level));
    pen.line(&[(&head, theme.style(Role::Quiet))], theme.cut());
    pen.fill(theme.line(), theme.style(Role::Line));
    let lines = Rect { y: logged.y + 1, height: logged.height.saturating_sub(1), ..logged };
    if model.heard.is_empty() {
        Pen::at(buffer, lines, 0).write(" nothing was logged yet", theme.style(Role::Quiet));
    }
    log::render(theme, model.log_level, model.log_voice, lines, buffer);
}

fn level(level: ::log::LevelFilter) -> &'static str {
    match level {
        ::log::LevelFilter::Error => "errors",
        ::log::LevelFilter::Warn => "warnings",
        ::log::LevelFilter::Debug => "debug",
        _ => "info",
    }
}

fn on_record(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = model.theme;
    let mut pen = Pen::at(buffer, area, 0);
    let Some(id) = model.cursor else {
        pen.write(" no task is chosen", theme.style(Role::Attention));
        return;
    };
    let evidence = &model.evidence;
    let events = crate::model::plural(evidence.events.len() as u64, "event");
    let back = if evidence.back > 0 { "  (scrolled back)" } else { "" };
    let (chain, role) = match (&model.broken, &model.stopped) {
        (Some(_), _) => ("  chain BROKEN", Role::Danger),
        (None, Some(Some(problem))) if problem.kind == ErrorKind::Corrupt => ("  chain BROKEN", Role::Danger),
        _ => ("  chain sound when opened", Role::Quiet),
    };
    let room = pen.left().saturating_sub(24 + chain.len());
    let name = format!(" {}", fit_middle(&shown_name(&model.run, id), room, theme.cut()));
    let told = format!("  {events} on record");
    let pieces = [(name.as_str(), Role::Title), (&told, Role::Quiet), (chain, role), (back, Role::Attention)];
    pen.line(&pieces.map(|(text, role)| (text, theme.style(role))), theme.cut());
    let width = usize::from(area.width).saturating_sub(2);
    let lines = lines(model, evidence, id, width);
    let room = usize::from(area.height.saturating_sub(1));
    let first = lines.len().saturating_sub(room + evidence.back.min(lines.len().saturating_sub(room)));
    for (row, (role, line)) in (1..area.height).zip(lines.iter().skip(first)) {
        Pen::at(buffer, area, row).write(" ", Style::default()).write(line, theme.style(*role));
    }
}

fn lines(model: &Model, evidence: &Evidence, id: crate::model::TaskId, width: usize) -> Vec<(Role, String)> {
    let mut lines = Vec::new();
    if let Some(problem) = &evidence.problem {
        lines.push((Role::Bad, visible(&problem.what).into_owned()));
    } else if evidence.loading {
        lines.push((Role::Active, "reading the journal".to_owned()));
    } else if evidence.events.is_empty() {
        lines.push((
            Role::Quiet,
            "nothing has happened to it yet: its plan, its approval and its proof come here".to_owned(),
        ));
    }
    let mut push = |role, text: &str| wrap(text, width).into_iter().for_each(|line| lines.push((role, line)));
    for recorded in &evidence.events {
        let (role, text) = said(recorded);
        push(role, &format!("{} #{} {:<9} {text}", clock(model, recorded.at), recorded.seq, recorded.event.word()));
    }
    for (_, line) in model.output.iter().filter(|(task, _)| *task == id) {
        push(Role::Quiet, &format!("| {line}"));
    }
    lines
}

fn clock(model: &Model, milliseconds: i64) -> String {
    jiff::Timestamp::from_millisecond(milliseconds).map_or_else(
        |_| "??:??:??".to_owned(),
        |time| time.to_zoned(model.zone.clone()).strftime("%H:%M:%S").to_string(),
    )
}

/// What an event says beside its word.
pub fn said(recorded: &Recorded) -> (Role, String) {
    let by = |by: &str| format!("by {}", visible(by));
    match &recorded.event {
        Event::Planned { digest, counts, pass, .. } => {
            let undo = if *pass == crate::model::Pass::Undo { "undo, " } else { "" };
            (Role::Plain, format!("{undo}plan {}  {}", digest.short(), words::counts(*counts)))
        }
        Event::Warned { warnings, .. } => (Role::Attention, visible(&warnings.join("; ")).into_owned()),
        Event::Decided { selection, digest, .. } => {
            let left_out = crate::model::plural(selection.left_out_count() as u64, "hunk");
            (Role::Plain, format!("{left_out} left out, plan {} now", digest.short()))
        }
        Event::Approved { digest, by: who, .. } => (Role::Title, format!("plan {} {}", digest.short(), by(who))),
        Event::Voided { why, .. } => (Role::Attention, visible(why).into_owned()),
        Event::Intent { attempt, digest, pre, undoable, .. } => {
            let undo = if *undoable { "undo kept" } else { "no undo" };
            (Role::Plain, format!("attempt {attempt}, plan {}, before {}, {undo}", digest.short(), pre.short()))
        }
        Event::UnderWay { resource, reference, .. } => {
            (Role::Plain, format!("{} goes on as {}", visible(&resource.to_string()), visible(reference)))
        }
        Event::Outcome { known, post, evidence, problem, partial, .. } => {
            let after = post.map_or_else(String::new, |post| format!(", read back {}", post.short()));
            let problem = problem.as_ref().map_or_else(String::new, |problem| format!(": {}", visible(&problem.what)));
            let role = if problem.is_empty() { Role::Good } else { Role::Bad };
            let evidence = if evidence.is_empty() { String::new() } else { format!(", {}", visible(evidence)) };
            (role, format!("{}{after}{evidence}{problem}", words::known(*known, *partial)))
        }
        Event::Failed { problem, .. } => (Role::Bad, visible(&problem.what).into_owned()),
        Event::Answered { answer, by: who, .. } => {
            let who = who.as_deref().map_or_else(String::new, |who| format!(" {}", by(who)));
            let (role, holds) = if answer.holds { (Role::Good, "holds") } else { (Role::Bad, "does not hold") };
            (role, format!("{holds}: {}{who}", visible(&answer.seen)))
        }
        Event::Settled { known, how, by: who, .. } => {
            (Role::Attention, format!("{}: {} {}", words::settled(*known), visible(how), by(who)))
        }
        Event::Skipped { why, by: who, .. } => (Role::Attention, format!("{} {}", visible(why), by(who))),
        Event::Retried { by: who, .. } | Event::UndoAsked { by: who, .. } => (Role::Plain, by(who)),
        _ => (Role::Plain, String::new()),
    }
}
