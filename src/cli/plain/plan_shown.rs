use super::line::{Line, Tone};
use crate::diff::files::{Side, TextDiff};
use crate::model::{
    COVERED, Entry, Fidelity, Hunk, HunkAt, MASKED, NodeKind, Op, Pass, Plan, Selection, Shown, plural, size, visible,
    without_digests,
};

/// How much of a plan is told.
#[derive(Clone, Copy)]
pub struct PlanShown<'p> {
    pub plan: &'p Plan,
    pub selection: &'p Selection,
    /// Hunks, at most.
    pub most: usize,
    /// What shows all hunks.
    pub for_all: &'p str,
    /// What shows more lines of one, as a clause.
    pub for_lines: &'p str,
}

/// Before the lines of a hunk: they stand below its place.
const INDENT: &str = "      ";

impl PlanShown<'_> {
    /// A plan's hunks, numbered, with what is left out marked, each with the lines that `lines_of` has of it.
    pub fn tell(&self, lines_of: &mut dyn FnMut((u32, u32)) -> Option<TextDiff>, out: &mut dyn FnMut(Line)) {
        let Self { plan, selection, most, for_all, for_lines } = self;
        if let Some(command) = &plan.command {
            command.lines(COVERED).into_iter().for_each(|line| out(Line::plain(format!("  {line}"))));
        }
        for warning in &plan.warnings {
            out(Line::new(Tone::Warning, format!("  ! {}", visible(warning))));
        }
        let mut number = 0;
        for (at, change) in plan.changes.iter().enumerate() {
            let word = match change.op {
                Op::Create => "create",
                Op::Update => "update",
                Op::Delete => "DELETE",
            };
            out(Line::plain(format!("  {word} {}", change.id)));
            for warning in &change.warnings {
                out(Line::new(Tone::Warning, format!("    ! {}", visible(warning))));
            }
            for (position, hunk) in change.hunks.iter().enumerate() {
                number += 1;
                if number > *most {
                    continue;
                }
                let is_taken = selection.takes(at, position);
                let names = u32::try_from(at).ok().zip(u32::try_from(position).ok());
                let diff = names.filter(|_| is_taken).and_then(&mut *lines_of);
                let label = match hunk.fidelity {
                    Fidelity::Exact => String::new(),
                    other => format!("  [{}]", other.word()),
                };
                let words = hunk_line(hunk, diff.as_ref());
                let left_out = if is_taken { "" } else { "  (left out)" };
                out(Line::plain(format!("   {number:>4}. {words}{label}{left_out}")));
                if let Some(diff) = &diff {
                    diff_lines(diff, matches!(hunk.at, HunkAt::Node { .. }), for_lines, out);
                }
            }
        }
        if number > *most {
            let more = number - most;
            let them = if more == 1 { "it" } else { "them" };
            out(Line::plain(format!("        … and {} ({for_all} shows {them})", plural(more as u64, "more hunk"))));
        }
    }
}

/// Which side the signs stand for.
pub fn sides(pass: Pass) -> &'static str {
    match pass {
        Pass::Restore => "  - is live now and goes, + comes from the backup",
        Pass::Undo => "  - is live now and goes, + was there before the restore",
    }
}

fn diff_lines(diff: &TextDiff, is_file: bool, for_lines: &str, out: &mut dyn FnMut(Line)) {
    for (at, line) in diff.lines.iter().enumerate() {
        // A diff from a saved plan is not trusted to be fit for a terminal.
        let text = visible(&line.text);
        if is_file && (at == 0 || line.side == Side::Gap) {
            out(Line::new(Tone::Place, format!("{INDENT}{}", range_of(diff, at))));
        }
        let tone = match line.side {
            Side::Removed => Tone::Removed,
            Side::Added => Tone::Added,
            Side::Both => Tone::Plain,
            Side::Gap => continue,
        };
        let head = format!("{INDENT}{}", line.side.mark());
        let changed = line.changed.iter().map(|part| part.start + head.len()..part.end + head.len());
        let changed = if text.len() == line.text.len() { changed.collect() } else { Vec::new() };
        out(Line { tone, text: format!("{head}{text}"), changed });
    }
    if let Some(note) = &diff.note {
        let more = if diff.is_cut { format!("; {for_lines}") } else { String::new() };
        out(Line::new(Tone::Place, format!("{INDENT}({}{more})", visible(note))));
    }
}

/// As `diff -u` heads a passage: where it begins on both sides, and how many lines of each it has.
fn range_of(diff: &TextDiff, at: usize) -> String {
    let (old, new) = diff.lines.get(at).and_then(|line| line.at).unwrap_or((1, 1));
    let passage = diff.lines.iter().skip(at).enumerate();
    let passage = passage.take_while(|(after, line)| *after == 0 || line.side != Side::Gap).map(|(_, line)| line.side);
    let (mut gone, mut come) = (0_u64, 0_u64);
    for side in passage {
        gone += u64::from(matches!(side, Side::Removed | Side::Both));
        come += u64::from(matches!(side, Side::Added | Side::Both));
    }
    // A side without lines is named by the line before.
    let start = |first: u64, count: u64| if count == 0 { first.saturating_sub(1) } else { first };
    format!("@@ -{},{gone} +{},{come} @@", start(old, gone), start(new, come))
}

/// One hunk in words: where, from what, to what. Where its lines follow, a value of many lines is not said here too.
fn hunk_line(hunk: &Hunk, diff: Option<&TextDiff>) -> String {
    let sign = match hunk.op {
        Op::Create => '+',
        Op::Update => '~',
        Op::Delete => '-',
    };
    let is_long = |value: &Option<Shown>| match value {
        Some(Shown::Plain(value)) => value.is_object() || value.is_array() || value.to_string().len() > MOST,
        _ => false,
    };
    let what = match &hunk.at {
        HunkAt::Field { before, after, .. } if diff.is_some() && (is_long(before) || is_long(after)) => String::new(),
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

/// Characters of a value on its hunk's line.
const MOST: usize = 160;

fn shown(value: &Shown) -> String {
    match value {
        Shown::Secret(_) => COVERED.to_owned(),
        Shown::Masked => MASKED.to_owned(),
        Shown::Plain(value) => {
            let text = without_digests(&visible(&value.to_string()));
            if text.chars().count() <= MOST {
                return text;
            }
            let cut: String = text.chars().take(MOST).collect();
            format!("{cut}… ({} characters)", text.chars().count())
        }
    }
}

fn node(entry: &Entry) -> String {
    match &entry.kind {
        NodeKind::Directory => "directory".to_owned(),
        NodeKind::File { size: bytes, .. } => size(*bytes),
        NodeKind::Symlink { target } => format!("→ {}", visible(target)),
        NodeKind::Special { .. } => "special".to_owned(),
    }
}

fn metadata(before: &Entry, after: &Entry, content: bool) -> String {
    let mut parts = Vec::new();
    let same_kind = std::mem::discriminant(&before.kind) == std::mem::discriminant(&after.kind);
    if !same_kind || content {
        let (one, other) = (node(before), node(after));
        let is_link = |entry: &Entry| matches!(entry.kind, NodeKind::Symlink { .. });
        parts.push(match one == other {
            true => format!("content, {one}"),
            false if is_link(before) && is_link(after) => format!("link {} {other}", one.trim_start_matches("→ ")),
            false => format!("content, {one} → {other}"),
        });
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
