use std::ops::Range;

use super::cells::wrap;
use crate::diff::files::{DiffLine, Side};

/// One side of a line that is shown beside the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Half {
    pub side: Side,
    pub text: String,
    /// Bytes of `text` to be emphasised.
    pub changed: Vec<Range<usize>>,
}

/// A row of a file's diff, as wide as the pane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// Live at the left, the backup at the right; what is not there is empty.
    Both(Option<Half>, Option<Half>),
    Gap(String),
}

/// Lines of a diff with what is removed beside what takes its place, each side broken at `width` columns.
pub fn rows(lines: &[DiffLine], width: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    let (mut old, mut new): (Vec<&DiffLine>, Vec<&DiffLine>) = (Vec::new(), Vec::new());
    for line in lines {
        match line.side {
            // What is removed after something was added begins a place of its own.
            Side::Removed if new.is_empty() => old.push(line),
            Side::Removed => {
                beside(&mut rows, &mut old, &mut new, width);
                old.push(line);
            }
            Side::Added => new.push(line),
            Side::Both => {
                beside(&mut rows, &mut old, &mut new, width);
                both(&mut rows, Some(line), Some(line), width);
            }
            Side::Gap => {
                beside(&mut rows, &mut old, &mut new, width);
                rows.push(Row::Gap(line.text.clone()));
            }
        }
    }
    beside(&mut rows, &mut old, &mut new, width);
    rows
}

fn beside(rows: &mut Vec<Row>, old: &mut Vec<&DiffLine>, new: &mut Vec<&DiffLine>, width: usize) {
    for at in 0..old.len().max(new.len()) {
        both(rows, old.get(at).copied(), new.get(at).copied(), width);
    }
    old.clear();
    new.clear();
}

fn both(rows: &mut Vec<Row>, old: Option<&DiffLine>, new: Option<&DiffLine>, width: usize) {
    let halves = |line: Option<&DiffLine>| line.map_or_else(Vec::new, |line| broken(line, width));
    let (mut old, mut new) = (halves(old).into_iter(), halves(new).into_iter());
    loop {
        match (old.next(), new.next()) {
            (None, None) => return,
            (old, new) => rows.push(Row::Both(old, new)),
        }
    }
}

/// A line in pieces of at most `width` columns, each with its part of what is emphasised.
pub fn broken(line: &DiffLine, width: usize) -> Vec<Half> {
    let mut start = 0;
    let pieces = wrap(&line.text, width).into_iter().map(|text| {
        let (from, to) = (start, start + text.len());
        start = to;
        let here = line.changed.iter().filter(|part| part.start < to && part.end > from);
        let changed = here.map(|part| part.start.max(from) - from..part.end.min(to) - from).collect();
        Half { side: line.side, text, changed }
    });
    pieces.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(rows: &[Row]) -> Vec<String> {
        let half = |half: &Option<Half>| half.as_ref().map_or_else(String::new, |half| half.text.clone());
        let row = |row: &Row| match row {
            Row::Both(old, new) => format!("{}|{}", half(old), half(new)),
            Row::Gap(text) => format!("@{text}"),
        };
        rows.iter().map(row).collect()
    }

    fn line(side: Side, text: &str) -> DiffLine {
        DiffLine::new(side, text.to_owned())
    }

    #[test]
    fn each_line_stands_beside_the_one_that_takes_its_place() {
        let lines = [
            line(Side::Gap, "line 3"),
            line(Side::Both, "same"),
            line(Side::Removed, "one"),
            line(Side::Removed, "two"),
            line(Side::Added, "ONE"),
            line(Side::Removed, "three"),
            line(Side::Both, "end"),
            line(Side::Added, "more"),
        ];
        let wanted = ["@line 3", "same|same", "one|ONE", "two|", "three|", "end|end", "|more"];
        assert_eq!(told(&rows(&lines, 20)), wanted);
    }

    #[test]
    fn a_long_line_is_broken_on_its_own_side_and_keeps_its_emphasis() {
        let mut long = line(Side::Removed, "aaaaaaaaaabbbb");
        long.changed.push(8..12);
        let rows = rows(&[long, line(Side::Added, "c")], 10);
        assert_eq!(told(&rows), ["aaaaaaaaaa|c", "bbbb|"]);
        let changed = |row: &Row| match row {
            Row::Both(Some(half), _) => half.changed.clone(),
            _ => panic!("{row:?}"),
        };
        assert_eq!((changed(&rows[0])[0].clone(), changed(&rows[1])[0].clone()), (8..10, 0..2));
    }
}
