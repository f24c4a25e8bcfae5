use std::io::Read;
use std::time::Duration;

use similar::{ChangeTag, TextDiff};

use crate::model::{Error, Hunk, HunkAt, NodeKind, Proposal, Resource, Result, visible};

/// The text diff of one file, as far as it can be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileDiff {
    pub lines: Vec<(Side, String)>,
    /// Why there are no lines, or not all.
    pub note: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Removed,
    Added,
    Both,
    /// Between two places of the file.
    Gap,
}

/// Larger files are not read for the screen.
const MAX_BYTES: u64 = 1024 * 1024;
const MAX_LINES: usize = 5_000;
/// Of one line, in bytes; a longer one is cut and says so.
const MAX_LINE: usize = 2_048;
const CONTEXT: usize = 3;
const DEADLINE: Duration = Duration::from_millis(1_500);

/// Reads both sides of a file's hunk and compares them line by line. Blocks.
pub fn compare(proposal: &Proposal, change: u32, hunk: u32) -> FileDiff {
    match read_both(proposal, change, hunk) {
        Ok(Some((before, after))) => lines(&before, &after),
        Ok(None) => FileDiff { note: Some("there is no text to compare".to_owned()), ..FileDiff::default() },
        Err(error) => FileDiff { note: Some(visible(&error.chain()).into_owned()), ..FileDiff::default() },
    }
}

fn read_both(proposal: &Proposal, change: u32, hunk: u32) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
    let at = change as usize;
    let Some(hunk) = proposal.plan.changes.get(at).and_then(|change| change.hunks.get(hunk as usize)) else {
        return Ok(None);
    };
    let HunkAt::Node { before, after, .. } = &hunk.at else { return Ok(None) };
    let is_file = |entry: &Option<Box<crate::model::Entry>>| {
        entry.as_ref().is_none_or(|entry| matches!(entry.kind, NodeKind::File { .. }))
    };
    if !is_file(before) || !is_file(after) {
        return Ok(None);
    }
    let side = |resources: &[Option<Resource>], there: bool| match resources.get(at).and_then(Option::as_ref) {
        Some(resource) if there => read(resource, hunk),
        _ => Ok(Vec::new()),
    };
    Ok(Some((side(&proposal.live, before.is_some())?, side(&proposal.desired, after.is_some())?)))
}

fn read(resource: &Resource, hunk: &Hunk) -> Result<Vec<u8>> {
    let (Some(tree), HunkAt::Node { path, .. }) = (resource.tree(), &hunk.at) else { return Ok(Vec::new()) };
    let mut bytes = Vec::new();
    let reading = tree.open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes);
    reading.map_err(|error| Error::io(format!("read {path} for its diff"), error))?;
    Ok(bytes)
}

fn lines(before: &[u8], after: &[u8]) -> FileDiff {
    let note = |text: &str| FileDiff { note: Some(text.to_owned()), ..FileDiff::default() };
    if before.len() as u64 > MAX_BYTES || after.len() as u64 > MAX_BYTES {
        return note("larger than 1 MB: not shown line by line");
    }
    if before.contains(&0) || after.contains(&0) {
        return note("binary: not shown line by line");
    }
    if before == after {
        return note("the bytes are equal; only metadata differs");
    }
    let mut config = TextDiff::configure();
    let diff = config.timeout(DEADLINE).diff_lines(before, after);
    let mut shown = FileDiff::default();
    for (position, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        let first = group.first().map_or(0, |op| op.new_range().start + 1);
        if position > 0 || first > 1 {
            shown.lines.push((Side::Gap, format!("line {first}")));
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            if shown.lines.len() >= MAX_LINES {
                shown.note = Some(format!("only the first {MAX_LINES} lines of the diff are shown"));
                return shown;
            }
            let side = match change.tag() {
                ChangeTag::Delete => Side::Removed,
                ChangeTag::Insert => Side::Added,
                ChangeTag::Equal => Side::Both,
            };
            shown.lines.push((side, line(change.value())));
        }
    }
    shown
}

fn line(raw: &[u8]) -> String {
    let (text, ended) = raw.strip_suffix(b"\n").map_or((raw, false), |text| (text, true));
    let cut = &text[..text.len().min(MAX_LINE)];
    let mut shown = visible(cut).into_owned();
    if cut.len() < text.len() {
        shown.push_str(&format!(" (and {} bytes more)", text.len() - cut.len()));
    }
    if !ended {
        shown.push_str(" (no newline at the end)");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_carriage_return_is_a_difference_to_be_seen() {
        let diff = lines(b"quota=10G\r\nsame\n", b"quota=10G\nsame\n");
        assert_eq!(diff.lines[0], (Side::Removed, "quota=10G^M".to_owned()));
        assert_eq!(diff.lines[1], (Side::Added, "quota=10G".to_owned()));
        assert_eq!(diff.lines[2], (Side::Both, "same".to_owned()));
    }

    #[test]
    fn what_cannot_be_shown_says_why() {
        assert!(lines(b"a\0", b"b").note.unwrap().contains("binary"));
        assert!(lines(&vec![b'x'; 2 << 20], b"").note.unwrap().contains("1 MB"));
        let long = lines(b"", &[b'x'; 100_000]);
        assert!(long.lines[0].1.contains("bytes more"), "{:?}", long.lines[0].1.len());
    }

    #[test]
    fn far_places_of_a_file_are_told_apart() {
        let before: String = (0..100).map(|number| format!("{number}\n")).collect();
        let after = before.replace("\n90\n", "\nninety\n");
        let diff = lines(before.as_bytes(), after.as_bytes());
        assert_eq!(diff.lines[0], (Side::Gap, "line 88".to_owned()));
        assert!(diff.lines.contains(&(Side::Added, "ninety".to_owned())));
        assert_eq!(diff.lines.len(), 9);
    }
}
