use super::*;

fn told(diff: &TextDiff) -> Vec<String> {
    diff.lines.iter().map(|line| format!("{}{}", line.side.mark(), line.text)).collect()
}

fn between(before: &[u8], after: &[u8], bounds: Bounds) -> TextDiff {
    TextDiff::between(before, after, bounds, Sight::of_one_file(true), &mut |_| true).unwrap()
}

fn lines(before: &[u8], after: &[u8]) -> TextDiff {
    between(before, after, Bounds::ONE_FILE)
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

#[test]
fn bounds_stop_the_reading_too() {
    let text = "line\n".repeat(4_000_000);
    let other = format!("{text}end\n");
    let bounds = Bounds { bytes: 1024 * 1024, ..Bounds::ONE_FILE };
    let diff = between(text.as_bytes(), other.as_bytes(), bounds);
    assert!(diff.is_cut && diff.lines.is_empty() && diff.read < 10 * 1024 * 1024, "{} read", diff.read);
    let few = between(b"a\nb\nc\n", b"d\ne\nf\n", Bounds { lines: 2, ..bounds });
    assert_eq!((told(&few).as_slice(), few.is_cut), (["- a".to_owned(), "- b".to_owned()].as_slice(), true));
    let all = between(b"a\n", b"d\n", Bounds { lines: 2, ..bounds });
    assert!(!all.is_cut && all.note.is_none(), "what is shown whole is not called cut: {all:?}");
}

#[test]
fn as_many_equal_lines_stand_around_as_are_asked_for() {
    let before: String = (0..40).map(|number| format!("{number}\n")).collect();
    let after = before.replace("\n20\n", "\ntwenty\n");
    let with = |context| told(&between(before.as_bytes(), after.as_bytes(), Bounds { context, ..Bounds::ONE_FILE }));
    assert_eq!(with(0), ["@ line 21", "- 20", "+ twenty"]);
    assert_eq!(with(1), ["@ line 20", "  19", "- 20", "+ twenty", "  21"]);
}

#[test]
fn a_gap_knows_where_both_texts_go_on() {
    let before: String = (0..40).map(|number| format!("{number}\n")).collect();
    let after = before.replace("\n2\n", "\n").replace("\n30\n", "\nthirty\n");
    let diff = lines(before.as_bytes(), after.as_bytes());
    let gaps: Vec<_> = diff.lines.iter().filter_map(|line| line.at).collect();
    assert_eq!(gaps, [(28, 27)]);
}

#[test]
fn a_known_secret_is_covered_and_a_key_file_withheld() {
    let cover = |line: &[u8]| String::from_utf8_lossy(line).replace("hunter2", "••••").into_bytes();
    let sight = Sight { cover: &cover, secret_files: false };
    let diff =
        |before: &[u8], after: &[u8]| TextDiff::between(before, after, Bounds::ONE_FILE, sight, &mut |_| true).unwrap();
    let shown = told(&diff(b"a = 1\npass = hunter2\n", b"a = 2\npass = hunter2\n"));
    assert_eq!(shown, ["- a = 1", "+ a = 2", "  pass = ••••"]);
    let key = diff(b"", b"-----BEGIN RSA PRIVATE KEY-----\nMIIB\n");
    assert!(key.lines.is_empty() && key.note.unwrap().contains("secrets"));
}
