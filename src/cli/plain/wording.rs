use crate::model::{Counts, Event, Fidelity, Known, Pass, Preview, Recorded, Run, TaskId, TaskStatus, plural, visible};

/// `step/owner`, fit to be shown: an owner's name comes from a backup.
pub fn shown_name(run: &Run, task: TaskId) -> String {
    visible(&run.name(task)).into_owned()
}

/// One event as one JSON object, its counts in whole words, with the name of its task beside the number.
pub fn event_json(run: &Run, recorded: &Recorded) -> String {
    let mut text = serde_json::to_string(recorded).unwrap_or_default();
    if let Some(task) = recorded.event.task()
        && text.ends_with('}')
    {
        text.pop();
        let name = serde_json::Value::from(run.name(task));
        text.push_str(&format!(",\"name\":{name}}}"));
    }
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
        Event::UnderWay { reference, .. } => said("applying", &format!("goes on as {}", visible(reference))),
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
    if counts.unreadable > 0 {
        words.push(format!("{} CANNOT BE READ in the backup", plural(counts.unreadable.into(), "file")));
    }
    if preview == Preview::Partial {
        words.push("not all effects are shown".to_owned());
    }
    words.join(", ")
}

/// What the words behind hunks mean, for help.
pub fn legend() -> String {
    let lines = Fidelity::ALL.map(|fidelity| match fidelity {
        Fidelity::Exact => format!("  {:<16}{}", "(nothing)", fidelity.about()),
        other => format!("  {:<16}{}", format!("[{}]", other.word()), other.about()),
    });
    format!("What stands behind a hunk:\n{}", lines.join("\n"))
}
