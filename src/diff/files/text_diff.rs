use std::io::{self, Read};
use std::ops::Range;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::binary::{kind_of, words as binary};
use super::secret_file::is_secret_by_content;
use super::{Bounds, Sight};
use crate::diff::lines::{self, Passage, Streamed};
use crate::model::{size, visible};

/// The lines of one hunk, as far as they can be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextDiff {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<DiffLine>,
    /// Why there are no lines, or not all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// A bound was met: there is more to be seen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_cut: bool,
    /// The file holds secrets, and they were not to be shown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_withheld: bool,
    /// Bytes read of both sides.
    #[serde(skip)]
    pub read: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffLine {
    pub side: Side,
    pub text: String,
    /// Bytes of `text` that differ from the line which takes its place.
    #[serde(skip)]
    pub changed: Vec<Range<usize>>,
    /// Of a gap: the number, from 1, of the next line in the old text and in the new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<(u64, u64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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

/// Of one line, in bytes; a longer one is cut and says so.
const MAX_LINE: usize = 2_048;
const UNENDED: &str = " (no newline at the end)";
/// Between two times that what was found is shown, while more is looked for.
const SHOWN_EVERY: Duration = Duration::from_millis(250);

impl TextDiff {
    pub fn note(text: &str) -> Self {
        Self { note: Some(text.to_owned()), ..Self::default() }
    }

    /// Of a file that holds secrets, for output that may end up anywhere.
    pub(super) fn withheld() -> Self {
        let note = "this file holds secrets, as its name or its beginning says: its lines are not shown here";
        Self { is_withheld: true, ..Self::note(note) }
    }

    /// Two texts compared line by line, as they are read.
    pub fn between<R: Read>(
        before: R,
        after: R,
        bounds: Bounds,
        sight: Sight<'_>,
        show: &mut dyn FnMut(&Self) -> bool,
    ) -> io::Result<Self> {
        let mut streamed = Streamed::of(before, after).with_context(bounds.context);
        let (before, after) = streamed.beginnings()?;
        if lines::is_binary(before) || lines::is_binary(after) {
            let kinds = (kind_of(before), kind_of(after));
            return Ok(Self { read: streamed.read(), ..Self::note(&binary(kinds)) });
        }
        if !sight.secret_files && (is_secret_by_content(before) || is_secret_by_content(after)) {
            return Ok(Self { read: streamed.read(), ..Self::withheld() });
        }
        let mut diff = Self::default();
        let (mut coarse, mut shown) = (false, None::<Instant>);
        let began = Instant::now();
        while let Some(passage) = streamed.next_passage()? {
            diff.read = streamed.read();
            match passage {
                Some(Passage::Same(text)) => diff.both(&text, sight),
                Some(Passage::Gap { old, new }) => diff.lines.push(DiffLine::gap(old, new)),
                Some(Passage::Differs { old, new, coarse: is_coarse }) => {
                    coarse |= is_coarse;
                    diff.replaced(&old, &new, bounds.lines, sight);
                }
                None => {}
            }
            if diff.lines.len() > bounds.lines {
                diff.lines.truncate(bounds.lines);
                let lines = crate::model::plural(bounds.lines as u64, "line");
                return Ok(diff.cut(format!("only the first {lines} of the diff are shown")));
            }
            if diff.read > bounds.bytes {
                let read = size(diff.read);
                return Ok(diff.cut(format!("only the first {read} of both sides are compared")));
            }
            let is_first = shown.is_none() && !diff.lines.is_empty();
            let is_due = is_first || shown.unwrap_or(began).elapsed() >= SHOWN_EVERY;
            if is_due {
                shown = Some(Instant::now());
                diff.note = Some(format!("reading on: {} of both sides compared so far", size(diff.read)));
                if !show(&diff) {
                    return Ok(diff);
                }
            }
        }
        diff.note = match coarse {
            true => Some("coarse: lines that are equal may be shown as changed".to_owned()),
            false if diff.lines.is_empty() && diff.read == 0 => Some("the file is empty".to_owned()),
            false if diff.lines.is_empty() => Some("the bytes are equal; only metadata differs".to_owned()),
            false => None,
        };
        Ok(diff)
    }

    fn cut(mut self, why: String) -> Self {
        (self.note, self.is_cut) = (Some(why), true);
        self
    }

    fn both(&mut self, text: &[u8], sight: Sight<'_>) {
        let raws = text.split_inclusive(|byte| *byte == b'\n');
        self.lines.extend(raws.map(|raw| DiffLine::new(Side::Both, line(&(sight.cover)(raw)))));
    }

    /// Where as many lines come as go, each is compared with the one that takes its place.
    fn replaced(&mut self, old: &[u8], new: &[u8], most: usize, sight: Sight<'_>) {
        // One more than is shown tells that there is more.
        let room = (most + 1).saturating_sub(self.lines.len());
        let split = |text| {
            let raws = <[u8]>::split_inclusive(text, |byte: &u8| *byte == b'\n').take(room);
            raws.map(|raw| (sight.cover)(raw)).collect::<Vec<_>>()
        };
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
        Self { side, text, changed: Vec::new(), at: None }
    }

    /// Text that is fit to be shown, cut where it is longer than a line may be.
    pub fn bounded(side: Side, mut text: String) -> Self {
        if text.len() > MAX_LINE {
            let end = (0..=MAX_LINE).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
            let more = text.len() - end;
            text.truncate(end);
            text.push_str(&format!(" (and {more} bytes more)"));
        }
        Self::new(side, text)
    }

    fn gap(old: u64, new: u64) -> Self {
        Self { at: Some((old, new)), ..Self::new(Side::Gap, format!("line {new}")) }
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
