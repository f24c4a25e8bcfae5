use std::io::Read;
use std::ops::Range;

use crate::diff::lines;
use crate::model::{Error, Hunk, HunkAt, NodeKind, Proposal, Resource, Result, visible};

/// The text diff of one file, as far as it can be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileDiff {
    pub lines: Vec<DiffLine>,
    /// Why there are no lines, or not all.
    pub note: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffLine {
    pub side: Side,
    pub text: String,
    /// Bytes of `text` that differ from the line which takes its place.
    pub changed: Vec<Range<usize>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Removed,
    Added,
    Both,
    /// Between two places of the file.
    Gap,
}

impl Side {
    pub fn mark(self) -> &'static str {
        match self {
            Self::Removed => "- ",
            Self::Added => "+ ",
            Self::Both => "  ",
            Self::Gap => "@ ",
        }
    }
}

/// Larger files are not read for the screen.
const MAX_BYTES: u64 = 1024 * 1024;
const MAX_LINES: usize = 5_000;
/// Of one line, in bytes; a longer one is cut and says so.
const MAX_LINE: usize = 2_048;
const CONTEXT: u64 = 3;
const UNENDED: &str = " (no newline at the end)";

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
    if lines::is_binary(before) || lines::is_binary(after) {
        return note("binary: not shown line by line");
    }
    if before == after {
        return note("the bytes are equal; only metadata differs");
    }
    let mut shown = FileDiff::default();
    // Up to where the old text is shown.
    let mut end = None;
    for hunk in lines::hunks(before, after) {
        if shown.lines.len() >= MAX_LINES {
            shown.lines.truncate(MAX_LINES);
            shown.note = Some(format!("only the first {MAX_LINES} lines of the diff are shown"));
            return shown;
        }
        if hunk.coarse {
            shown.note = Some("coarse: lines that are equal may be shown as changed".to_owned());
        }
        let (start, above) = context_above(before, hunk.old.bytes.start);
        let from = match end {
            Some(end) if context_below(before, end) >= start => end,
            former => {
                if let Some(end) = former {
                    shown.both(part(before, end..context_below(before, end)));
                }
                let first = hunk.new.first.saturating_sub(above) + 1;
                if former.is_some() || first > 1 {
                    shown.lines.push(DiffLine::new(Side::Gap, format!("line {first}")));
                }
                start
            }
        };
        shown.both(part(before, from..hunk.old.bytes.start));
        shown.replaced(part(before, hunk.old.bytes.clone()), part(after, hunk.new.bytes));
        end = Some(hunk.old.bytes.end);
    }
    if let Some(end) = end {
        shown.both(part(before, end..context_below(before, end)));
    }
    shown
}

impl FileDiff {
    fn both(&mut self, text: &[u8]) {
        self.lines.extend(text.split_inclusive(|byte| *byte == b'\n').map(|raw| DiffLine::new(Side::Both, line(raw))));
    }

    /// Where as many lines come as go, each is compared with the one that takes its place.
    fn replaced(&mut self, old: &[u8], new: &[u8]) {
        let split = |text| <[u8]>::split_inclusive(text, |byte: &u8| *byte == b'\n').collect::<Vec<_>>();
        let (old, new) = (split(old), split(new));
        let pairs = old.iter().zip(&new).map(|(old, new)| lines::emphasised(old, new));
        let pairs: Vec<_> = if old.len() == new.len() { pairs.collect() } else { Vec::new() };
        for (side, number, raws) in [(Side::Removed, 0, &old), (Side::Added, 1, &new)] {
            for (at, raw) in raws.iter().enumerate() {
                let pieces = pairs.get(at).and_then(Option::as_ref).and_then(|both| both.get(number));
                self.lines.push(match pieces {
                    Some(pieces) => DiffLine::of_pieces(side, pieces, raw),
                    None => DiffLine::new(side, line(raw)),
                });
            }
        }
    }
}

impl DiffLine {
    pub fn new(side: Side, text: String) -> Self {
        Self { side, text, changed: Vec::new() }
    }

    fn of_pieces(side: Side, pieces: &[lines::Piece], raw: &[u8]) -> Self {
        let mut made = Self::new(side, String::new());
        for piece in pieces {
            let start = made.text.len();
            made.text.push_str(&piece.text);
            if piece.changed {
                made.changed.push(start..made.text.len());
            }
        }
        if !raw.ends_with(b"\n") {
            made.text.push_str(UNENDED);
        }
        made
    }
}

fn part(text: &[u8], range: Range<usize>) -> &[u8] {
    text.get(range).unwrap_or_default()
}

/// Where the lines before `at` begin that are shown with it, and how many they are.
fn context_above(text: &[u8], at: usize) -> (usize, u64) {
    let mut start = at;
    for number in 0..CONTEXT {
        let Some(before) = start.checked_sub(1) else { return (start, number) };
        start = part(text, 0..before).iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    }
    (start, CONTEXT)
}

fn context_below(text: &[u8], at: usize) -> usize {
    let below = part(text, at..text.len()).split_inclusive(|byte| *byte == b'\n');
    at + below.take(usize::try_from(CONTEXT).unwrap_or(0)).map(<[u8]>::len).sum::<usize>()
}

fn line(raw: &[u8]) -> String {
    let (text, ended) = raw.strip_suffix(b"\n").map_or((raw, false), |text| (text, true));
    let cut = &text[..text.len().min(MAX_LINE)];
    let mut shown = visible(cut).into_owned();
    if cut.len() < text.len() {
        shown.push_str(&format!(" (and {} bytes more)", text.len() - cut.len()));
    }
    if !ended {
        shown.push_str(UNENDED);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(diff: &FileDiff) -> Vec<String> {
        let mark = |side| match side {
            Side::Removed => '-',
            Side::Added => '+',
            Side::Both => ' ',
            Side::Gap => '@',
        };
        diff.lines.iter().map(|line| format!("{} {}", mark(line.side), line.text)).collect()
    }

    #[test]
    fn a_carriage_return_is_a_difference_to_be_seen() {
        let diff = lines(b"quota=10G\r\nsame\n", b"quota=10G\nsame\n");
        assert_eq!(told(&diff), ["- quota=10G^M", "+ quota=10G", "  same"]);
        assert_eq!(diff.lines[0].changed.first(), Some(&(9..11)), "and it is what catches the eye");
    }

    #[test]
    fn what_cannot_be_shown_says_why() {
        assert!(lines(b"a\0", b"b").note.unwrap().contains("binary"));
        assert!(lines(&vec![b'x'; 2 << 20], b"").note.unwrap().contains("1 MB"));
        let long = lines(b"", &[b'x'; 100_000]);
        assert!(long.lines[0].text.contains("bytes more"), "{:?}", long.lines[0].text.len());
    }

    #[test]
    fn far_places_of_a_file_are_told_apart() {
        let before: String = (0..100).map(|number| format!("{number}\n")).collect();
        let after = before.replace("\n90\n", "\nninety\n").replace("\n50\n", "\n").replace("\n52\n", "\n");
        let diff = told(&lines(before.as_bytes(), after.as_bytes()));
        let wanted = "@ line 48\n  47\n  48\n  49\n- 50\n  51\n- 52\n  53\n  54\n  55\n\
                      @ line 86\n  87\n  88\n  89\n- 90\n+ ninety\n  91\n  92\n  93";
        assert_eq!(diff.join("\n"), wanted);
    }

    #[test]
    fn a_text_that_only_grows_or_shrinks_shows_that_alone() {
        assert_eq!(told(&lines(b"", b"one\ntwo")), ["+ one", "+ two (no newline at the end)"]);
        assert_eq!(told(&lines(b"one\n", b"")), ["- one"]);
    }
}
