use crate::engine::Activity;
use crate::model::{
    Counts, Entry, Fidelity, Hunk, HunkAt, Known, NodeKind, Op, Preview, Recorded, Shown, TaskStatus, Times, Zone,
    visible, without_digests,
};

use super::names::{shown_name, shown_step};
use super::state::Model;
use super::theme::Theme;
use crate::model::{Run, StepKind, TaskId};

pub fn op(op: Op) -> &'static str {
    match op {
        Op::Create => "create",
        Op::Update => "update",
        Op::Delete => "DELETE",
    }
}

/// Of files that a plan takes and the backup cannot hand out.
pub fn unreadable(files: u32) -> String {
    let files = crate::model::plural(files.into(), "file");
    format!("CANNOT BE READ in the backup: {files}")
}

pub fn preview(preview: Preview) -> &'static str {
    match preview {
        Preview::Exact => "exact: what is shown is all that will be written",
        Preview::Partial => "PARTIAL: some effects are not shown, see the warnings",
        Preview::Opaque => "OPAQUE: nothing is known beforehand of what this does",
    }
}

/// A task that looks or asks, and never writes.
pub fn only_asks(run: &Run, id: TaskId) -> bool {
    run.step(id).is_some_and(|step| matches!(step.kind, StepKind::Check | StepKind::Confirm | StepKind::Wait))
}

/// `partial`: some of it is there, and nothing that is neither former nor approved.
pub fn known(known: Known, partial: bool) -> &'static str {
    match known {
        Known::NotApplied if partial => {
            "applied in part, the rest is as before: a retry does the rest, an undo takes it back"
        }
        Known::NotApplied => "not applied: the target is as before",
        Known::Applied => "applied",
        Known::Unknown => "UNKNOWN: whether it was applied, or how much of it, is not known",
    }
}

/// How an interrupted write was found: its own words say how much is there.
pub fn settled(known: Known) -> &'static str {
    match known {
        Known::Applied => "applied",
        Known::NotApplied => "not finished",
        Known::Unknown => "UNKNOWN",
    }
}

/// What a plan does: resources by what becomes of them, then how much there is to decide on.
pub fn counts(counts: Counts) -> String {
    let mut words: Vec<String> = [(counts.create, "create"), (counts.update, "update")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| if count == 1 { word.to_owned() } else { format!("{word} {count}") })
        .collect();
    if counts.deletes() > 0 {
        words.push(format!("DELETE {}", counts.deletes()));
    }
    words.push(crate::model::plural(counts.hunks.into(), "hunk"));
    if counts.unreadable > 0 {
        words.push(format!("{} CANNOT BE READ", counts.unreadable));
    }
    words.join(", ")
}

pub fn activity(activity: &Activity) -> Option<String> {
    activity.words().map(|words| visible(&words).into_owned())
}

/// What the log tells of an event: a task was settled. Of a failure the engine's own line tells, where there is one.
pub fn logged(model: &Model, recorded: &Recorded) -> Option<(log::Level, String)> {
    let id = recorded.event.task()?;
    let status = model.run.tasks.get(id.index())?.status;
    let is_trouble = matches!(status, TaskStatus::Failed | TaskStatus::Unknown);
    let level = if is_trouble { log::Level::Warn } else { log::Level::Info };
    let is_told = status.satisfies() || status == TaskStatus::Undone || (is_trouble && model.read_only);
    let (_, said) = super::panes::said(recorded);
    is_told.then(|| (level, format!("{} {}  {said}", shown_name(&model.run, id), status.word()).trim_end().to_owned()))
}

/// What stands behind a task in lists: what goes on, or else what its state means here.
pub fn note(model: &Model, id: TaskId) -> String {
    if let Some(words) = model.activities.get(&id).and_then(activity) {
        return words;
    }
    let run = &model.run;
    let Some(task) = run.tasks.get(id.index()) else { return String::new() };
    match task.status {
        TaskStatus::Waiting => {
            let needs: Vec<_> = run.unmet_needs(id).filter_map(|step| run.header.steps.get(step)).collect();
            let names: Vec<_> = needs.iter().map(|step| visible(&step.id).into_owned()).collect();
            if names.is_empty() { String::new() } else { format!("needs {}", names.join(", ")) }
        }
        TaskStatus::Review | TaskStatus::Approved if is_command(model, id) => "a command".to_owned(),
        TaskStatus::Review => {
            let undo = if task.pass == crate::model::Pass::Undo { "UNDO " } else { "" };
            format!("{undo}{}", counts(task.counts()))
        }
        TaskStatus::Approved | TaskStatus::Applying => counts(task.counts()),
        TaskStatus::Done if run.is_answer_outdated(id) => "answered before an undo".to_owned(),
        TaskStatus::Done if task.undoable => match run.selection(id).left_out_count() {
            0 => "can be undone".to_owned(),
            left_out => format!("{} left out", crate::model::plural(left_out as u64, "hunk")),
        },
        TaskStatus::Undone => {
            let stays = run.stays(id).first();
            stays.map_or_else(String::new, |what| format!("NOT ALL: {}", visible(what)))
        }
        TaskStatus::Failed | TaskStatus::Unknown => {
            run.problems.get(&id).map_or_else(String::new, |problem| visible(&problem.what).into_owned())
        }
        TaskStatus::Skipped => run.skips.get(&id).map_or_else(String::new, |why| visible(why).into_owned()),
        TaskStatus::Ready => match run.step(id).map(|step| step.kind) {
            Some(crate::model::StepKind::Confirm) => format!("a person must confirm {}", shown_step(run, id)),
            _ => String::new(),
        },
        _ => String::new(),
    }
}

fn is_command(model: &Model, id: TaskId) -> bool {
    model.run.step(id).is_some_and(|step| step.kind == crate::model::StepKind::Run)
}

/// A value so that no two different ones look the same: as JSON, hidden characters shown.
pub fn value(shown: Option<&Shown>, theme: Theme) -> String {
    match shown {
        None => "(nothing)".to_owned(),
        Some(Shown::Plain(value)) => without_digests(&visible(&value.to_string())),
        Some(Shown::Secret(_)) => theme.mask().to_owned(),
        Some(Shown::Masked) => "(hidden by the server: not known)".to_owned(),
    }
}

pub fn entry(entry: &Entry) -> String {
    match &entry.kind {
        NodeKind::Directory => "directory".to_owned(),
        NodeKind::File { size, link } => {
            let link = if link.is_some() { ", hard link" } else { "" };
            format!("file {}{link}", crate::model::size(*size))
        }
        NodeKind::Symlink { target } => format!("link to {}", visible(&**target)),
        NodeKind::Special { .. } => "special file (listed, never written)".to_owned(),
    }
}

/// What differs in the metadata of two states of a node, in words.
pub fn metadata(before: &Entry, after: &Entry, theme: Theme) -> Vec<String> {
    let arrow = theme.arrow();
    let (old, new) = (&before.meta, &after.meta);
    let mut words = Vec::new();
    if old.mode != new.mode {
        words.push(format!("mode {:04o} {arrow} {:04o}", old.mode, new.mode));
    }
    if (old.uid, old.gid) != (new.uid, new.gid) {
        words.push(format!("owner {}:{} {arrow} {}:{}", old.uid, old.gid, new.uid, new.gid));
    }
    if old.times != new.times && !before.is_directory() {
        words.push(format!("time {}", times(old.times, new.times, arrow)));
    }
    let names = |entry: &Entry| entry.meta.xattrs.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    for name in names(before).iter().chain(names(after).iter().filter(|name| !names(before).contains(name))) {
        let of =
            |entry: &Entry| entry.meta.xattrs.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone());
        let change = match (of(before), of(after)) {
            (old, new) if old == new => continue,
            (None, _) => "added",
            (_, None) => "removed",
            _ => "changed",
        };
        words.push(format!("attribute {} {change}", visible(&**name)));
    }
    words
}

/// What a hunk does beyond its place: a file's size and metadata, a secret's change.
pub fn hunk(hunk: &Hunk, theme: Theme) -> String {
    match &hunk.at {
        HunkAt::Field { before: Some(Shown::Secret(old)), after: Some(Shown::Secret(new)), .. } => {
            let changed = if old == new { "same" } else { "changed" };
            format!("{} {} {} ({changed})", theme.mask(), theme.arrow(), theme.mask())
        }
        HunkAt::Field { .. } => String::new(),
        HunkAt::Node { before, after, content, .. } => match (before, after) {
            (Some(before), Some(after)) => both(before, after, *content, theme),
            (None, Some(after)) => entry(after),
            (Some(before), None) => format!("was {}", entry(before)),
            (None, None) => String::new(),
        },
    }
}

fn both(before: &Entry, after: &Entry, content: bool, theme: Theme) -> String {
    let (old, new) = (entry(before), entry(after));
    let mut parts = Vec::new();
    if old != new {
        parts.push(format!("{old} {} {new}", theme.arrow()));
    } else if content {
        parts.push(format!("content ({new})"));
    }
    parts.extend(metadata(before, after, theme));
    parts.join(", ")
}

/// What restoring a field cannot give; nothing where it gives all.
pub fn fidelity(fidelity: Fidelity) -> &'static str {
    match fidelity {
        Fidelity::Exact => "",
        Fidelity::Irreversible => "CANNOT BE UNDONE",
        Fidelity::Unreadable => "cannot be read back",
        Fidelity::ReCreated => "comes back with a new id",
    }
}

/// Two times that differ, only as exactly as shows it.
fn times(old: Times, new: Times, arrow: &str) -> String {
    let zone = Zone::chosen();
    let (utc, offset) = (zone.inner() == &jiff::tz::TimeZone::UTC, " %:z");
    let at = |times: Times, format: &str| {
        let format = if utc { format.to_owned() } else { format.replace('Z', offset) };
        let time = jiff::Timestamp::new(times.mtime_s, i32::try_from(times.mtime_ns).unwrap_or(0));
        let said = |time: jiff::Timestamp| time.to_zoned(zone.inner().clone()).strftime(&format).to_string();
        time.map_or_else(|_| format!("{} s", times.mtime_s), said)
    };
    let both = |old_format, new_format| (at(old, old_format), at(new, new_format));
    let (before, after) = if at(old, "%F") != at(new, "%F") {
        both("%F %T", "%F %TZ")
    } else if at(old, "%T") != at(new, "%T") {
        both("%F %T", "%TZ")
    } else {
        both("%F %T%.f", "%T%.fZ")
    };
    format!("{before} {arrow} {after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_differ_look_different_and_say_no_more() {
        let time = |mtime_s, mtime_ns| Times { mtime_s, mtime_ns };
        let told = |old, new| times(old, new, "->");
        assert_eq!(told(time(0, 0), time(90_000, 0)), "1970-01-01 00:00:00 -> 1970-01-02 01:00:00Z");
        assert_eq!(told(time(0, 0), time(61, 0)), "1970-01-01 00:00:00 -> 00:01:01Z");
        assert_eq!(told(time(0, 5_000_000), time(0, 0)), "1970-01-01 00:00:00.005 -> 00:00:00Z");
    }

    #[test]
    fn values_that_differ_look_different() {
        let theme = Theme::default();
        let text = |value: serde_json::Value| super::value(Some(&Shown::Plain(value)), theme);
        let all = [
            text("10".into()),
            text(10.into()),
            text("10 ".into()),
            text("10\r".into()),
            text("10\u{200b}".into()),
            text(serde_json::Value::Null),
            super::value(None, theme),
        ];
        let different: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len(), "{all:?}");
    }
}
