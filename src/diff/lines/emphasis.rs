use std::ops::Range;

use similar::{Algorithm, DiffOp};

use super::shown;
use crate::model::visible;

/// Longer lines are shown without emphasis.
const MAX_BYTES: usize = 2048;

/// A part of a shown line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    pub text: String,
    pub changed: bool,
}

/// Two lines that replace one another, in pieces, old first, so that the eye finds what changed.
/// `None` where they are too long or have too little in common for that to help.
pub fn emphasised(old: &[u8], new: &[u8]) -> Option<[Vec<Piece>; 2]> {
    if old.len() > MAX_BYTES || new.len() > MAX_BYTES {
        return None;
    }
    let (old_words, new_words) = (words(old), words(new));
    let of = |line: &[u8], words: &[Range<usize>]| -> Vec<Vec<u8>> {
        words.iter().map(|word| line.get(word.clone()).unwrap_or_default().to_vec()).collect()
    };
    let ops = similar::capture_diff_slices(Algorithm::Myers, &of(old, &old_words), &of(new, &new_words));
    let bytes = |words: &[Range<usize>]| words.iter().map(ExactSizeIterator::len).sum::<usize>();
    let equal: usize = ops
        .iter()
        .filter(|op| matches!(op, DiffOp::Equal { .. }))
        .map(|op| bytes(old_words.get(op.old_range()).unwrap_or_default()))
        .sum();
    if equal * 3 < old.len().max(new.len()) {
        return None;
    }
    let pieces = |line: &[u8], words: &[Range<usize>], range: fn(&DiffOp) -> Range<usize>| {
        let mut pieces: Vec<Piece> = Vec::new();
        for op in &ops {
            let words = words.get(range(op)).unwrap_or_default();
            let (Some(first), Some(last)) = (words.first(), words.last()) else { continue };
            let raw = line.get(first.start..last.end).unwrap_or_default();
            // Only the line's end has white space at its end.
            let text = if last.end == line.len() { shown(raw) } else { visible(raw).into_owned() };
            pieces.push(Piece { text, changed: !matches!(op, DiffOp::Equal { .. }) });
        }
        pieces
    };
    Some([pieces(old, &old_words, DiffOp::old_range), pieces(new, &new_words, DiffOp::new_range)])
}

/// Runs of letters and digits, and every other character by itself.
fn words(line: &[u8]) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    let mut in_word = false;
    let mut at = 0;
    for chunk in line.utf8_chunks() {
        for character in chunk.valid().chars() {
            let end = at + character.len_utf8();
            let is_word = character.is_alphanumeric();
            match words.last_mut() {
                Some(last) if is_word && in_word => last.end = end,
                _ => words.push(at..end),
            }
            in_word = is_word;
            at = end;
        }
        for _ in chunk.invalid() {
            words.push(at..at + 1);
            at += 1;
            in_word = false;
        }
    }
    words
}
