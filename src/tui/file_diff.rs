use std::io::Read;
use std::ops::Range;
use std::time::{Duration, Instant};

use crate::diff::lines::{self, Passage, Streamed};
use crate::model::{Error, HunkAt, NodeKind, Proposal, Resource, Result, size, visible};

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

const MAX_LINES: usize = 5_000;
/// Of one line, in bytes; a longer one is cut and says so.
const MAX_LINE: usize = 2_048;
const UNENDED: &str = " (no newline at the end)";
/// Between two times that what was found is shown, while more is looked for.
const SHOWN_EVERY: Duration = Duration::from_millis(250);

/// Reads both sides of a file's hunk and compares them line by line. Shows what is there so far while it goes on, until
/// `show` answers that nobody looks any more. Blocks.
pub fn compare(proposal: &Proposal, change: u32, hunk: u32, show: &mut dyn FnMut(&FileDiff) -> bool) -> FileDiff {
    let compared = open_both(proposal, change, hunk).and_then(|both| match both {
        Some((before, after)) => {
            lines(before, after, show).map_err(|error| Error::io("read a file for its diff", error))
        }
        None => Ok(FileDiff::note("there is no text to compare")),
    });
    compared.unwrap_or_else(|error| FileDiff::note(&visible(&error.chain())))
}

type Text<'t> = Box<dyn Read + 't>;

fn open_both(proposal: &Proposal, change: u32, hunk: u32) -> Result<Option<(Text<'_>, Text<'_>)>> {
    let at = change as usize;
    let Some(hunk) = proposal.plan.changes.get(at).and_then(|change| change.hunks.get(hunk as usize)) else {
        return Ok(None);
    };
    let HunkAt::Node { path, before, after, .. } = &hunk.at else { return Ok(None) };
    let is_file = |entry: &Option<Box<crate::model::Entry>>| {
        entry.as_ref().is_none_or(|entry| matches!(entry.kind, NodeKind::File { .. }))
    };
    if !is_file(before) || !is_file(after) {
        return Ok(None);
    }
    let side = |resources: &'_ [Option<Resource>], there: bool| -> Result<Text<'_>> {
        match resources.get(at).and_then(Option::as_ref).and_then(Resource::tree) {
            Some(tree) if there => Ok(tree.open(path)?),
            _ => Ok(Box::new(std::io::empty())),
        }
    };
    Ok(Some((side(&proposal.live, before.is_some())?, side(&proposal.desired, after.is_some())?)))
}

fn lines(before: Text<'_>, after: Text<'_>, show: &mut dyn FnMut(&FileDiff) -> bool) -> std::io::Result<FileDiff> {
    let mut streamed = Streamed::of(before, after);
    let (before, after) = streamed.beginnings()?;
    if lines::is_binary(before) || lines::is_binary(after) {
        return Ok(FileDiff::note("binary: not shown line by line"));
    }
    let mut diff = FileDiff::default();
    let (mut coarse, mut shown) = (false, None::<Instant>);
    let began = Instant::now();
    while let Some(passage) = streamed.next_passage()? {
        match passage {
            Some(Passage::Same(text)) => diff.both(&text),
            Some(Passage::Gap { line }) => diff.lines.push(DiffLine::new(Side::Gap, format!("line {line}"))),
            Some(Passage::Differs { old, new, coarse: is_coarse }) => {
                coarse |= is_coarse;
                diff.replaced(&old, &new);
            }
            None => {}
        }
        if diff.lines.len() >= MAX_LINES {
            diff.lines.truncate(MAX_LINES);
            diff.note = Some(format!("only the first {MAX_LINES} lines of the diff are shown"));
            return Ok(diff);
        }
        let is_first = shown.is_none() && !diff.lines.is_empty();
        let is_due = is_first || shown.unwrap_or(began).elapsed() >= SHOWN_EVERY;
        if is_due {
            shown = Some(Instant::now());
            diff.note = Some(format!("reading on: {} of both sides compared so far", size(streamed.read())));
            if !show(&diff) {
                return Ok(diff);
            }
        }
    }
    diff.note = match coarse {
        true => Some("coarse: lines that are equal may be shown as changed".to_owned()),
        false if diff.lines.is_empty() => Some("the bytes are equal; only metadata differs".to_owned()),
        false => None,
    };
    Ok(diff)
}

impl FileDiff {
    pub fn note(text: &str) -> Self {
        Self { note: Some(text.to_owned()), ..Self::default() }
    }

    fn both(&mut self, text: &[u8]) {
        self.lines.extend(text.split_inclusive(|byte| *byte == b'\n').map(|raw| DiffLine::new(Side::Both, line(raw))));
    }

    /// Where as many lines come as go, each is compared with the one that takes its place.
    fn replaced(&mut self, old: &[u8], new: &[u8]) {
        // One more than is shown tells that there is more.
        let room = (MAX_LINES + 1).saturating_sub(self.lines.len());
        let split = |text| <[u8]>::split_inclusive(text, |byte: &u8| *byte == b'\n').take(room).collect::<Vec<_>>();
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

    fn lines(before: &[u8], after: &[u8]) -> FileDiff {
        super::lines(Box::new(before), Box::new(after), &mut |_| true).unwrap()
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
        assert!(lines(b"as\n", b"as\n").note.unwrap().contains("equal"));
        let many = "line\n".repeat(2_000_000);
        assert_eq!(lines(many.as_bytes(), b"").note.unwrap(), "only the first 5000 lines of the diff are shown");
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
