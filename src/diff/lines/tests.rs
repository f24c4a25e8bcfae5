use proptest::prelude::*;

use super::*;

/// The new text, made of the old one and the hunks: what is approved is what is shown.
fn applied(old: &[u8], new: &[u8], hunks: &[LineHunk]) -> Vec<u8> {
    let mut made = Vec::new();
    let mut at = 0;
    for hunk in hunks {
        made.extend_from_slice(&old[at..hunk.old.bytes.start]);
        made.extend_from_slice(&new[hunk.new.bytes.clone()]);
        at = hunk.old.bytes.end;
    }
    made.extend_from_slice(&old[at..]);
    made
}

/// Both texts again, of a diff that leaves nothing out but what is equal: `Gap`s are filled from the old one.
fn streamed(old: &[u8], new: &[u8]) -> Vec<Passage> {
    let mut streamed = Streamed::of(old, new);
    let mut passages = Vec::new();
    while let Some(passage) = streamed.next_passage().unwrap() {
        passages.extend(passage);
    }
    passages
}

/// Whether the passages lead from one text to the other, in order and with true line numbers.
fn leads(old: &[u8], new: &[u8], passages: &[Passage]) -> bool {
    let (mut from, mut to) = (0, 0);
    for passage in passages {
        match passage {
            Passage::Gap { new: line, .. } => {
                let start = line_start(new, *line);
                let same = start - to;
                if new[to..start] != old[from..from + same] {
                    return false;
                }
                (from, to) = (from + same, start);
            }
            Passage::Same(text) => {
                if !old[from..].starts_with(text) || !new[to..].starts_with(text) {
                    return false;
                }
                (from, to) = (from + text.len(), to + text.len());
            }
            Passage::Differs { old: gone, new: come, .. } => {
                if !old[from..].starts_with(gone) || !new[to..].starts_with(come) {
                    return false;
                }
                (from, to) = (from + gone.len(), to + come.len());
            }
        }
    }
    old[from..] == new[to..]
}

fn line_start(text: &[u8], line: u64) -> usize {
    let ends = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(ends).nth(line as usize - 1).unwrap()
}

fn numbered(count: usize, edit: impl Fn(usize) -> Option<String>) -> Vec<u8> {
    let line = |at| edit(at).unwrap_or_else(|| format!("line {at} of a long text\n"));
    (0..count).map(line).collect::<String>().into_bytes()
}

fn ranges(hunks: &[LineHunk]) -> Vec<(u64, u64, u64, u64)> {
    hunks.iter().map(|hunk| (hunk.old.first, hunk.old.count, hunk.new.first, hunk.new.count)).collect()
}

#[test]
fn hunks_are_line_ranges_of_both_sides() {
    let old = numbered(10_000, |_| None);
    let new = numbered(10_000, |at| match at {
        100 => Some("changed\n".to_owned()),
        5_000 => Some(String::new()),
        9_999 => Some("line 9999 of a long text\nadded".to_owned()),
        _ => None,
    });
    let found: Vec<LineHunk> = hunks(&old, &new).collect();
    assert_eq!(ranges(&found), [(100, 1, 100, 1), (5_000, 1, 5_000, 0), (10_000, 0, 9_999, 1)]);
    assert_eq!(applied(&old, &new, &found), new);
    assert!(hunks(&old, &old).next().is_none());
}

#[test]
fn a_long_insertion_is_found_by_growing_windows() {
    let old = numbered(3_000, |_| None);
    let new = numbered(3_000, |at| (at == 1_000).then(|| (0..5_000).map(|more| format!("new {more}\n")).collect()));
    let found: Vec<LineHunk> = hunks(&old, &new).collect();
    assert_eq!(ranges(&found), [(1_000, 1, 1_000, 5_000)]);
    assert!(!found[0].coarse);
}

#[test]
fn without_time_hunks_are_coarse_and_still_right() {
    let old = numbered(4_000, |at| Some(format!("{}\n", at * 7 % 1_000)));
    let new = numbered(4_000, |at| Some(format!("{}\n", at * 13 % 1_000)));
    let found: Vec<LineHunk> = hunks(&old, &new).with_deadline(Duration::ZERO).collect();
    assert!(found.iter().any(|hunk| hunk.coarse));
    assert_eq!(applied(&old, &new, &found), new);
}

#[test]
fn ends_without_a_line_break_are_lines() {
    for (old, new) in [("", "a"), ("a", ""), ("a", "a\n"), ("a\nb", "a\nb\n"), ("a\n", "a\nb"), ("\n", "\n\n")] {
        let found: Vec<LineHunk> = hunks(old.as_bytes(), new.as_bytes()).collect();
        assert_eq!(found.len(), 1, "{old:?} {new:?}");
        assert_eq!(applied(old.as_bytes(), new.as_bytes(), &found), new.as_bytes());
    }
}

#[test]
fn what_a_terminal_hides_is_shown() {
    assert_eq!(shown(b"quota=10G\r\n"), "quota=10G^M");
    assert_eq!(shown(b"a b  \n"), "a b··");
    assert_eq!(shown(b"\x1b[2Jx\xff"), "^[[2Jx\\xff");
    assert_ne!(shown(b"a"), shown(b"a "));
}

#[test]
fn the_changed_words_stand_out() {
    let [old, new] = emphasised(b"quota=10G for ana\r\n", b"quota=25G for ana\n").unwrap();
    let changed = |pieces: &[Piece]| -> Vec<String> {
        pieces.iter().filter(|piece| piece.changed).map(|piece| piece.text.clone()).collect()
    };
    assert_eq!(changed(&old), ["10G", "^M"]);
    assert_eq!(changed(&new), ["25G"]);
    let whole: String = old.iter().map(|piece| piece.text.as_str()).collect();
    assert_eq!(whole, "quota=10G for ana^M");
    assert_eq!(emphasised(b"all of it", b"something else"), None);
    assert_eq!(emphasised(&[b'a'; 3000], b"a"), None);
}

#[test]
fn a_nul_makes_it_binary() {
    assert!(is_binary(b"\x7fELF\0\0"));
    assert!(!is_binary("text é\x1b".as_bytes()));
    assert!(!is_binary(b""));
}

proptest! {
    #[test]
    fn the_hunks_lead_from_old_to_new(
        old in proptest::collection::vec("[abc]{0,1}\n?", 0..200), new in proptest::collection::vec("[abc]{0,1}\n?", 0..200)
    ) {
        let (old, new) = (old.concat().into_bytes(), new.concat().into_bytes());
        let found: Vec<LineHunk> = hunks(&old, &new).collect();
        prop_assert_eq!(applied(&old, &new, &found), new.clone());
        for hunk in &found {
            prop_assert_eq!(hunk.old.first, line_ends(&old[..hunk.old.bytes.start]));
            prop_assert_eq!(hunk.new.first, line_ends(&new[..hunk.new.bytes.start]));
        }
    }
}

#[test]
fn a_long_text_is_compared_while_it_is_read() {
    let old = numbered(400_000, |_| None);
    let new = numbered(400_000, |at| match at {
        3 => Some("the fourth\n".to_owned()),
        5 => Some(String::new()),
        100_000 => Some((0..3).map(|more| format!("new {more}\n")).collect()),
        399_999 => Some("the end".to_owned()),
        _ => None,
    });
    let passages = streamed(&old, &new);
    assert!(leads(&old, &new, &passages));
    let differ = passages.iter().filter(|passage| matches!(passage, Passage::Differs { coarse: false, .. })).count();
    assert_eq!((differ, passages.len()), (4, 4 + 2 + 6), "each with the lines around it, and no more");
}

#[test]
fn texts_that_begin_alike_and_end_apart_differ_at_the_end_alone() {
    let long = numbered(300_000, |_| None);
    let half = &long[..long.len() / 2];
    for (old, new) in [(&long[..], half), (half, &long[..]), (&long[..], &[][..]), (&[][..], &long[..])] {
        let passages = streamed(old, new);
        assert!(leads(old, new, &passages));
        assert!(!passages.is_empty());
    }
    assert!(streamed(&long, &long).is_empty());
}

#[test]
fn one_endless_line_takes_no_more_memory_than_many() {
    let old = vec![b'a'; 80 << 20];
    let mut new = old.clone();
    new[60 << 20] = b'b';
    let passages = streamed(&old, &new);
    assert!(leads(&old, &new, &passages));
    assert!(passages.iter().all(|passage| match passage {
        Passage::Differs { old, new, .. } => old.len().max(new.len()) <= 16 << 20,
        _ => true,
    }));
}

fn lines_of_few_words() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![Just("a\n"), Just("b\n"), Just("\n"), Just("long line\n")];
    let text = proptest::collection::vec(line, 0..60);
    (text, prop_oneof![Just(""), Just("end")]).prop_map(|(lines, end)| (lines.concat() + end).into_bytes())
}

proptest! {
    #[test]
    fn passages_lead_from_any_text_to_any_other(old in lines_of_few_words(), new in lines_of_few_words()) {
        prop_assert!(leads(&old, &new, &streamed(&old, &new)));
    }
}
