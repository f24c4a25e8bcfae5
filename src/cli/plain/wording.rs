use crate::model::{
    Counts, Event, Fidelity, HunkAt, Known, NodeKind, Op, Pass, Plan, Preview, Recorded, Run, Selection, Shown, TaskId,
    TaskStatus, plural, size, visible,
};

/// `step/owner`, fit to be shown: an owner's name comes from a backup.
pub fn shown_name(run: &Run, task: TaskId) -> String {
    visible(&run.name(task)).into_owned()
}

/// One event as one JSON object, its counts in whole words.
pub fn event_json(recorded: &Recorded) -> String {
    let text = serde_json::to_string(recorded).unwrap_or_default();
    let Some(counts) = recorded.event.counts() else { return text };
    let field = |counts: serde_json::Result<String>| format!("\"counts\":{}", counts.unwrap_or_default());
    // Neither event has a text of anybody's in front of its counts.
    text.replacen(&field(serde_json::to_string(&counts)), &field(serde_json::to_string(&counts.in_words())), 1)
}

/// One event as one line of words, as plain mode and `watch` print it; None for what says nothing to a person.
/// `run` has the event folded in already.
pub fn event_line(run: &Run, recorded: &Recorded) -> Option<String> {
    let name = recorded.event.task().map(|task| shown_name(run, task)).unwrap_or_default();
    let said = |word: &str, rest: &str| Some(format!("{name:<24} {word:<9} {rest}").trim_end().to_owned());
    match &recorded.event {
        Event::Opened { run: header } => {
            Some(format!("run {}  {}  by {}", visible(&header.id), visible(&header.title), visible(&header.by)))
        }
        Event::Resumed { by } => Some(format!("resumed by {}", visible(by))),
        Event::Planned { pass, digest, preview, counts, .. } => {
            let way = if *pass == Pass::Undo { "undo: " } else { "" };
            said("review", &format!("{way}{}  plan {}", counted(*counts, *preview), digest.short()))
        }
        Event::Unchanged { task } => match run.tasks.get(task.index()).map(|task| task.status) {
            Some(TaskStatus::Undone) => said("undone", "nothing was left that could be brought back"),
            _ => said("unchanged", "live and backup are equal"),
        },
        Event::Warned { warnings, .. } => {
            let lines: Vec<String> = warnings.iter().filter_map(|line| said("note", &visible(line))).collect();
            Some(lines.join("\n"))
        }
        Event::Decided { selection, digest, .. } => said(
            "decided",
            &format!("{} left out, plan {}", plural(selection.left_out_count() as u64, "hunk"), digest.short()),
        ),
        Event::Approved { digest, by, .. } => said("approved", &format!("plan {} by {}", digest.short(), visible(by))),
        Event::Voided { why, .. } => said("voided", &visible(why)),
        Event::Intent { attempt, .. } if *attempt > 1 => said("applying", &format!("attempt {attempt}")),
        Event::Intent { .. } => None,
        Event::Outcome { known: Known::Applied, evidence, problem: None, .. } => {
            let word = run.tasks.get(recorded.event.task()?.index()).map_or("done", |task| task.status.word());
            let stays = run
                .stays(recorded.event.task()?)
                .iter()
                .map(|line| format!("\n    not brought back: {}", visible(line)));
            Some(said(word, &visible(evidence))? + &stays.collect::<String>())
        }
        Event::Outcome { known, problem, evidence, .. } => {
            let word = if *known == Known::Unknown { "UNKNOWN" } else { "FAILED" };
            let what = problem.as_ref().map_or("", |problem| &problem.what);
            let mut line = said(word, &visible(what))?;
            if !evidence.is_empty() {
                line.push_str(&format!("\n    {}", visible(evidence)));
            }
            if let Some(next) = problem.as_ref().and_then(|problem| problem.next.as_ref()) {
                line.push_str(&format!("\n    next: {}", visible(next)));
            }
            Some(line)
        }
        Event::Failed { problem, .. } => {
            let next = problem.next.as_ref().map(|next| format!("\n    next: {}", visible(next))).unwrap_or_default();
            said("FAILED", &format!("{}{next}", visible(&problem.what)))
        }
        Event::Answered { answer, .. } => said("done", &visible(&answer.seen)),
        Event::Settled { known, how, .. } => {
            let word = match known {
                Known::Applied => "applied",
                Known::NotApplied => "unfinished",
                Known::Unknown => "UNKNOWN",
            };
            said(word, &format!("settled: {}", visible(how)))
        }
        Event::Retried { by, .. } => said("retried", &format!("by {}", visible(by))),
        Event::Skipped { why, by, .. } => said("skipped", &format!("{} ({})", visible(why), visible(by))),
        Event::LeftOut { set, owner, why, by } => {
            Some(format!("{} {} is left out: {} ({})", visible(set), visible(owner), visible(why), visible(by)))
        }
        Event::UndoAsked { by, .. } => said("undo", &format!("asked by {}", visible(by))),
        Event::Paused { by, why: None } => Some(format!("paused by {}", visible(by))),
        Event::Paused { by, why: Some(why) } => Some(format!("paused by {}: {}", visible(by), visible(why))),
        Event::Continued { by } => Some(format!("continued by {}", visible(by))),
        Event::Aborted { by, why } => Some(format!("aborted by {}: {}", visible(by), visible(why))),
        Event::Closed { by } => Some(format!("closed by {}; undo is no longer offered", visible(by))),
        Event::Became { component, now } => Some(format!("  {}: {now}", visible(component))),
        Event::Noted { text } => Some(format!("note: {}", visible(text))),
    }
}

/// As in "update 1, 3 hunks, 1 of them a delete".
pub fn counted(counts: Counts, preview: Preview) -> String {
    if preview == Preview::Opaque {
        return "a command; what it changes is not known beforehand".to_owned();
    }
    let parts = [("create", counts.create), ("update", counts.update), ("delete", counts.delete)];
    let mut words: Vec<String> =
        parts.iter().filter(|(_, count)| *count > 0).map(|(word, count)| format!("{word} {count}")).collect();
    words.push(plural(u64::from(counts.hunks), "hunk"));
    if counts.delete_hunks > 0 {
        words.push(format!("{} of them delete", counts.delete_hunks));
    }
    if preview == Preview::Partial {
        words.push("not all effects are shown".to_owned());
    }
    words.join(", ")
}

/// A plan's hunks as numbered lines, at most `most` of them, with what is left out marked.
/// `for_all` shows them all.
pub fn plan_lines(plan: &Plan, selection: &Selection, most: usize, for_all: &str) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(command) = &plan.command {
        lines.extend(command.lines("••••").into_iter().map(|line| format!("  {line}")));
    }
    lines.extend(plan.warnings.iter().map(|warning| format!("  ! {}", visible(warning))));
    let mut number = 0;
    for (at, change) in plan.changes.iter().enumerate() {
        let word = match change.op {
            Op::Create => "create",
            Op::Update => "update",
            Op::Delete => "DELETE",
        };
        lines.push(format!("  {word} {}", change.id));
        lines.extend(change.warnings.iter().map(|warning| format!("    ! {}", visible(warning))));
        for (position, hunk) in change.hunks.iter().enumerate() {
            number += 1;
            if number > most {
                continue;
            }
            let mark = if selection.takes(at, position) { ' ' } else { 'x' };
            let label = match hunk.fidelity {
                Fidelity::Exact => String::new(),
                other => format!("  [{}]", other.word()),
            };
            lines.push(format!("  {mark}{number:>4}. {}{label}", hunk_line(hunk)));
        }
    }
    if number > most {
        let more = number - most;
        let them = if more == 1 { "it" } else { "them" };
        lines.push(format!("        … and {} ({for_all} shows {them})", plural(more as u64, "more hunk")));
    }
    lines
}

/// What the words behind hunks mean, for help.
pub fn legend() -> String {
    let lines = Fidelity::ALL.map(|fidelity| match fidelity {
        Fidelity::Exact => format!("  {:<16}{}", "(nothing)", fidelity.about()),
        other => format!("  {:<16}{}", format!("[{}]", other.word()), other.about()),
    });
    format!("What stands behind a hunk:\n{}", lines.join("\n"))
}

/// One hunk in words: where, from what, to what.
pub fn hunk_line(hunk: &crate::model::Hunk) -> String {
    let sign = match hunk.op {
        Op::Create => '+',
        Op::Update => '~',
        Op::Delete => '-',
    };
    let what = match &hunk.at {
        HunkAt::Field { before, after, .. } => match (before, after) {
            (None, Some(after)) => shown(after),
            (Some(before), None) => shown(before),
            (Some(Shown::Secret(_)), Some(Shown::Secret(_))) => "•••• → •••• (changed)".to_owned(),
            (Some(before), Some(after)) => format!("{} → {}", shown(before), shown(after)),
            (None, None) => String::new(),
        },
        HunkAt::Node { before, after, content, .. } => match (before, after) {
            (None, Some(after)) => node(after),
            (Some(before), None) => node(before),
            (Some(before), Some(after)) => metadata(before, after, *content),
            (None, None) => String::new(),
        },
    };
    format!("{sign} {}  {what}", hunk.words()).trim_end().to_owned()
}

fn shown(value: &Shown) -> String {
    const MOST: usize = 160;
    match value {
        Shown::Secret(_) => "••••".to_owned(),
        Shown::Masked => "•••• (masked by the server, unknown)".to_owned(),
        Shown::Plain(value) => {
            let text = value.to_string();
            let text = visible(&text);
            if text.chars().count() <= MOST {
                return text.into_owned();
            }
            let cut: String = text.chars().take(MOST).collect();
            format!("{cut}… ({} characters)", text.chars().count())
        }
    }
}

fn node(entry: &crate::model::Entry) -> String {
    match &entry.kind {
        NodeKind::Directory => "directory".to_owned(),
        NodeKind::File { size: bytes, .. } => size(*bytes),
        NodeKind::Symlink { target } => format!("→ {}", visible(target)),
        NodeKind::Special { .. } => "special".to_owned(),
    }
}

fn metadata(before: &crate::model::Entry, after: &crate::model::Entry, content: bool) -> String {
    let mut parts = Vec::new();
    let same_kind = std::mem::discriminant(&before.kind) == std::mem::discriminant(&after.kind);
    if !same_kind || content {
        let (one, other) = (node(before), node(after));
        parts.push(if one == other { format!("content, {one}") } else { format!("content, {one} → {other}") });
    }
    let (one, other) = (&before.meta, &after.meta);
    if one.mode != other.mode {
        parts.push(format!("mode {:04o} → {:04o}", one.mode, other.mode));
    }
    if (one.uid, one.gid) != (other.uid, other.gid) {
        parts.push(format!("owner {}:{} → {}:{}", one.uid, one.gid, other.uid, other.gid));
    }
    if one.xattrs != other.xattrs {
        parts.push("extended attributes".to_owned());
    }
    if one.times != other.times && !content {
        parts.push("modification time".to_owned());
    }
    parts.join(", ")
}
