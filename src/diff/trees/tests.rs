use super::*;
use crate::model::{Capacity, Error, ErrorKind, Held, KindSchema, Lost, Meta, RecordedFacts, SpecialKind, Times, Tree};

fn directory(path: &str) -> Entry {
    Entry {
        path: TreePath::new(path).unwrap(),
        kind: NodeKind::Directory,
        meta: Meta { mode: 0o755, ..Meta::default() },
    }
}

fn file(path: &str, size: u64, mtime_s: i64) -> Entry {
    let meta = Meta { mode: 0o644, times: Times { mtime_s, mtime_ns: 0 }, ..Meta::default() };
    Entry { path: TreePath::new(path).unwrap(), kind: NodeKind::File { size, link: None }, meta }
}

fn linked(path: &str, link: u64) -> Entry {
    Entry { kind: NodeKind::File { size: 1, link: Some(link) }, ..file(path, 1, 1) }
}

fn id() -> ResourceId {
    ResourceId { kind: "tree".into(), key: TreePath::new("ana").unwrap() }
}

fn side(entries: Vec<Entry>) -> Option<Entries<'static>> {
    Some(Box::new(entries.into_iter().map(Ok)))
}

fn rules(ignore: &[&str], mode: Mode, precision: ComparePrecision) -> TreeRules<'static> {
    let schema = KindSchema { ignore: ignore.iter().map(ToString::to_string).collect(), ..KindSchema::default() };
    TreeRules::new(&schema, mode, precision).unwrap()
}

fn quick(mode: Mode) -> TreeRules<'static> {
    rules(&[], mode, ComparePrecision::Quick)
}

fn told(change: &Option<Change>) -> Vec<String> {
    let hunks = change.iter().flat_map(|change| &change.hunks);
    hunks.map(|hunk| format!("{:?} {} needs {:?}", hunk.op, hunk.place(), hunk.needs)).collect()
}

#[test]
fn equal_trees_have_no_difference() {
    let tree = || side(vec![directory(""), directory("a"), file("a/x", 3, 7), file("b", 1, 1)]);
    let diff = compare(&id(), tree(), tree(), &quick(Mode::Exact)).unwrap();
    assert!(diff.change.is_none());
}

#[test]
fn what_only_live_has_stays_unless_the_mode_is_exact() {
    let live = || side(vec![directory(""), directory("own"), file("own/new", 1, 1)]);
    let desired = || side(vec![directory("")]);
    assert!(compare(&id(), live(), desired(), &quick(Mode::Merge)).unwrap().change.is_none());
    let exact = compare(&id(), live(), desired(), &quick(Mode::Exact)).unwrap().change;
    assert_eq!(told(&exact), ["Delete own needs [1]", "Delete own/new needs []"]);
}

#[test]
fn a_missing_home_is_a_create_whose_files_need_their_directories() {
    let desired = side(vec![directory(""), directory("a"), file("a/x", 1, 1)]);
    let change = compare(&id(), None, desired, &quick(Mode::Merge)).unwrap().change;
    assert_eq!(change.as_ref().unwrap().op, Op::Create);
    assert_eq!(change.as_ref().unwrap().before, Digest::of_absence());
    assert_eq!(told(&change), ["Create . needs []", "Create a needs [0]", "Create a/x needs [1]"]);
}

#[test]
fn metadata_is_told_apart_from_content() {
    let mut moded = file("x", 1, 1);
    moded.meta.mode = 0o600;
    let live = side(vec![directory(""), moded, file("y", 1, 1)]);
    let desired = side(vec![directory(""), file("x", 1, 1), file("y", 2, 1)]);
    let change = compare(&id(), live, desired, &quick(Mode::Merge)).unwrap().change.unwrap();
    let contents: Vec<bool> =
        change.hunks.iter().map(|hunk| matches!(hunk.at, HunkAt::Node { content: true, .. })).collect();
    assert_eq!(contents, [false, true]);
}

#[test]
fn a_directory_in_a_files_place_takes_its_contents_along_in_any_mode() {
    let live = side(vec![directory(""), directory("x"), file("x/inner", 1, 1), file("x-ray", 1, 1)]);
    let desired = side(vec![directory(""), file("x", 1, 1)]);
    let change = compare(&id(), live, desired, &quick(Mode::Merge)).unwrap().change;
    assert_eq!(told(&change), ["Update x needs [1]", "Delete x/inner needs []"]);
}

#[test]
fn ignored_subtrees_are_neither_compared_nor_removed() {
    let live = side(vec![directory(""), directory(".cache"), file(".cache/big", 9, 9), file("keep", 1, 1)]);
    let desired = side(vec![directory(""), directory(".cache"), file(".cache/other", 1, 1), file("keep", 1, 1)]);
    let diff = compare(&id(), live, desired, &rules(&[".cache/"], Mode::Exact, ComparePrecision::Quick)).unwrap();
    assert!(diff.change.is_none());
}

#[test]
fn rights_of_another_are_stripped_and_listed_and_never_seen_as_a_difference() {
    let mut privileged = file("su", 1, 1);
    privileged.meta.mode = 0o4755;
    let plain = Entry { meta: Meta { mode: 0o755, ..privileged.meta.clone() }, ..privileged.clone() };
    let desired = || side(vec![directory(""), privileged.clone()]);
    let created = compare(&id(), side(vec![directory("")]), desired(), &quick(Mode::Merge)).unwrap().change.unwrap();
    assert_eq!(created.warnings, ["su: restored without its setuid, setgid or capability rights"]);
    assert!(matches!(&created.hunks[0].at, HunkAt::Node { after: Some(after), .. } if after.meta.mode == 0o755));
    let again = compare(&id(), side(vec![directory(""), plain]), desired(), &quick(Mode::Merge)).unwrap();
    assert!(again.change.is_none());
    assert_eq!(again.warnings, ["su: restored without its setuid, setgid or capability rights"]);
}

#[test]
fn what_keeps_its_rights_is_not_said_to_lose_them() {
    let privileged = |mtime: i64| {
        let mut privileged = file("su", 1, mtime);
        privileged.meta.mode = 0o4755;
        privileged
    };
    let whole = |mtime: i64| side(vec![directory(""), privileged(mtime)]);
    let equal = compare(&id(), whole(1), whole(1), &quick(Mode::Merge)).unwrap();
    assert!(equal.change.is_none() && equal.warnings.is_empty(), "{equal:?}");
    let written = compare(&id(), whole(1), whole(2), &quick(Mode::Merge)).unwrap();
    assert_eq!(written.warnings.len(), 1, "its rights go with the write: {written:?}");

    let bytes = rules(&[], Mode::Merge, ComparePrecision::Content);
    for (differs, warned) in [(false, 0), (true, 1)] {
        let diff = compare(&id(), whole(1), whole(1), &bytes).unwrap();
        assert!(diff.warnings.is_empty(), "{diff:?}");
        let change = with_content(&id(), diff, &[differs], &bytes);
        assert_eq!(change.map_or(0, |change| change.warnings.len()), warned);
    }
}

#[test]
fn devices_are_listed_and_not_restored() {
    let mut device = file("sda", 0, 0);
    device.kind = NodeKind::Special { special: SpecialKind::BlockDevice };
    let desired = || side(vec![directory(""), device.clone(), file("x", 1, 1)]);
    let change = compare(&id(), side(vec![directory("")]), desired(), &quick(Mode::Merge)).unwrap().change.unwrap();
    assert_eq!(change.hunks.len(), 1);
    assert_eq!(change.warnings, ["sda: not restored: a device, socket or pipe"]);
    let without = side(vec![directory(""), file("x", 1, 1)]);
    let again = compare(&id(), without, desired(), &quick(Mode::Merge)).unwrap();
    assert!(again.change.is_none());
    assert_eq!(again.warnings, change.warnings, "nothing to write is not nothing to say");
    assert!(compare(&id(), desired(), desired(), &quick(Mode::Merge)).unwrap().warnings.is_empty());
}

#[test]
fn hard_links_compare_by_their_group_not_by_their_number() {
    let live = side(vec![directory(""), linked("a", 7), linked("b", 7)]);
    let desired = side(vec![directory(""), linked("a", 900), linked("b", 900)]);
    assert!(compare(&id(), live, desired, &quick(Mode::Exact)).unwrap().change.is_none());
    let unlinked = side(vec![directory(""), linked("a", 7), linked("b", 8)]);
    let desired = side(vec![directory(""), linked("a", 900), linked("b", 900)]);
    let change = compare(&id(), unlinked, desired, &quick(Mode::Exact)).unwrap().change;
    assert_eq!(told(&change), ["Update b needs []"]);
}

#[test]
fn bytes_decide_where_the_runbook_wants_it_and_hunks_stay_in_order() {
    let exact = rules(&[], Mode::Merge, ComparePrecision::Content);
    let live = side(vec![directory(""), file("a", 1, 1), file("c", 1, 1), file("d", 1, 5)]);
    let desired = side(vec![directory(""), file("a", 1, 1), file("b", 1, 1), file("c", 1, 1), file("d", 1, 6)]);
    let diff = compare(&id(), live, desired, &exact).unwrap();
    let undecided: Vec<String> = diff.undecided.iter().map(|pair| pair.live.path.to_string()).collect();
    assert_eq!(undecided, ["a", "c", "d"]);
    let change = with_content(&id(), diff, &[true, false, false], &exact);
    assert_eq!(told(&change), ["Update a needs []", "Create b needs []", "Update d needs []"]);
    let content = |at: usize| matches!(change.as_ref().unwrap().hunks[at].at, HunkAt::Node { content: true, .. });
    assert!(content(0) && !content(2), "equal bytes with another time are metadata only");
}

#[test]
fn a_walk_out_of_order_is_an_error_and_not_a_delete() {
    let live = side(vec![directory(""), file("a", 1, 1), file("b", 1, 1)]);
    let desired = side(vec![directory(""), file("b", 1, 1), file("a", 1, 1)]);
    assert!(compare(&id(), live, desired, &quick(Mode::Exact)).is_err());
}

#[test]
fn an_unreadable_entry_ends_the_comparison() {
    let broken: Entries = Box::new(
        vec![Ok(directory("")), Err(Error::new(ErrorKind::Corrupt, "read a tree", "its blob is missing"))].into_iter(),
    );
    let live = side(vec![directory(""), file("a", 1, 1)]);
    assert_eq!(compare(&id(), live, Some(broken), &quick(Mode::Exact)).unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn a_directory_in_the_place_of_a_symbolic_link_counts_as_a_delete() {
    let link = |path: &str| Entry { kind: NodeKind::Symlink { target: (*b"/elsewhere").into() }, ..file(path, 0, 1) };
    let plan = |live: Vec<Entry>, desired: Vec<Entry>| {
        compare(&id(), side(live), side(desired), &quick(Mode::Merge)).unwrap().change.unwrap().deletes()
    };
    assert_eq!(plan(vec![link("")], vec![directory(""), file("a", 1, 1)]), 1);
    assert_eq!(plan(vec![directory(""), link("d")], vec![directory(""), directory("d")]), 1);
    assert_eq!(plan(vec![directory(""), link("d")], vec![directory(""), file("d", 1, 1)]), 0);
}

#[test]
fn what_would_lend_rights_takes_its_bytes_from_the_backup() {
    let schema = KindSchema { privileges: Privileges::Keep, ..KindSchema::default() };
    let rules = TreeRules::new(&schema, Mode::Merge, ComparePrecision::Quick).unwrap();
    let mut tool = file("tool", 5, 1);
    tool.meta.mode = 0o4755;
    let live = side(vec![directory(""), file("tool", 5, 1)]);
    let change = compare(&id(), live, side(vec![directory(""), tool]), &rules).unwrap().change.unwrap();
    assert!(matches!(change.hunks[0].at, HunkAt::Node { content: true, .. }));
}

#[test]
fn a_very_deep_directory_that_goes_is_planned_in_no_time_or_refused_with_its_name() {
    let deep = |levels: usize| -> Entries<'static> {
        let paths = (0..levels).map(|level| TreePath::new("d/".repeat(level)).unwrap());
        Box::new(paths.map(|path| Ok(Entry { path, ..directory("") })))
    };
    let compare = |levels| {
        compare(&id(), Some(deep(levels)), side(vec![directory("")]), &quick(Mode::Exact)).map(|diff| diff.change)
    };
    assert_eq!(compare(2_000).unwrap().unwrap().hunks.len(), 1_999);
    let error = compare(20_000).unwrap_err();
    assert!(error.kind() == ErrorKind::Refused && error.to_string().contains("d/d/d"), "{error}");
    assert!(error.to_string().len() < 400, "{error}");
}

#[test]
fn no_place_of_ours_in_a_backup_is_restored() {
    let reserved = [".rekindle", "state/rekindle"].map(|path| TreePath::new(path).unwrap()).to_vec();
    let schema = KindSchema { reserved, ..KindSchema::default() };
    let rules = quick(Mode::Exact).reserving(&schema, &TreePath::root());
    let backup = [".rekindle", ".rekindle/run", "a", "state", "state/rekindle", "state/rekindle/key"];
    let backup = std::iter::once(directory("")).chain(backup.map(directory)).collect();
    let diff = compare(&id(), side(vec![directory("")]), side(backup), &rules).unwrap();
    let paths: Vec<String> = diff.change.as_ref().unwrap().hunks.iter().map(Hunk::place).collect();
    assert_eq!(paths, ["a", "state"]);
    assert_eq!(diff.warnings.len(), 2, "{:?}", diff.warnings);
}

/// A source that records these facts of each node.
struct Records(RecordedFacts);

impl Tree for Records {
    fn entries(&self) -> Result<Entries<'_>> {
        Ok(Box::new(std::iter::empty()))
    }

    fn open(&self, path: &TreePath) -> Result<Box<dyn std::io::Read + Send>> {
        Err(Error::new(ErrorKind::NotFound, format!("read {path}"), "there are no bytes in this test"))
    }

    fn recorded(&self, _: &TreePath) -> RecordedFacts {
        self.0
    }
}

fn with_attribute(entry: Entry) -> Entry {
    let meta = Meta { xattrs: vec![("user.k".into(), b"v".as_slice().into())], ..entry.meta };
    Entry { meta, ..entry }
}

#[test]
fn what_a_source_does_not_record_is_neither_compared_nor_removed_and_is_told_once() {
    let source = Records(RecordedFacts { attributes: false, time_grain: RecordedFacts::SECOND, ..RecordedFacts::ALL });
    let mut fine = with_attribute(file("a", 1, 7));
    fine.meta.times.mtime_ns = 5;
    let live = || side(vec![directory(""), fine.clone(), with_attribute(file("b", 1, 7))]);
    let told = "the backup does not record extended attributes: the live ones stay, at 2 paths";

    let rules = quick(Mode::Exact).restoring(Some(&source), None);
    let equal = compare(&id(), live(), side(vec![directory(""), file("a", 1, 7), file("b", 1, 7)]), &rules).unwrap();
    assert!(equal.change.is_none());
    assert_eq!(equal.warnings, [told]);

    let desired = side(vec![directory(""), file("a", 2, 7), file("b", 1, 7)]);
    let change = compare(&id(), live(), desired, &rules).unwrap().change.unwrap();
    let HunkAt::Node { after: Some(after), content: true, .. } = &change.hunks[0].at else { panic!("{change:?}") };
    assert_eq!((change.hunks.len(), &after.meta), (1, &fine.meta), "what it writes has what is live");

    let bytes = rules_of(ComparePrecision::Content, &source);
    let undecided =
        compare(&id(), live(), side(vec![directory(""), file("a", 1, 7), file("b", 1, 7)]), &bytes).unwrap();
    assert!(with_content(&id(), undecided, &[false, false], &bytes).is_none());
}

fn rules_of(precision: ComparePrecision, source: &Records) -> TreeRules<'_> {
    rules(&[], Mode::Merge, precision).restoring(Some(source), None)
}

#[test]
fn all_names_of_one_file_are_completed_alike() {
    let source = Records(RecordedFacts { attributes: false, time_grain: RecordedFacts::SECOND, ..RecordedFacts::ALL });
    let mut first = with_attribute(linked("a", 7));
    first.meta.times.mtime_ns = 5;
    let desired = side(vec![directory(""), linked("a", 9), linked("b", 9), linked("c", 9)]);
    let rules = rules_of(ComparePrecision::Quick, &source);
    let change = compare(&id(), side(vec![directory(""), first.clone(), file("b", 1, 1)]), desired, &rules).unwrap();
    let change = change.change.unwrap();
    let metas: Vec<&Meta> = change
        .hunks
        .iter()
        .filter_map(|hunk| match &hunk.at {
            HunkAt::Node { after, .. } => after.as_ref().map(|after| &after.meta),
            HunkAt::Field { .. } => None,
        })
        .collect();
    assert_eq!(metas, [&first.meta, &first.meta], "b and c become names of a");
}

#[test]
fn a_new_node_whose_owner_is_not_on_record_belongs_to_whom_its_directory_belongs() {
    let source = Records(RecordedFacts { ownership: false, ..RecordedFacts::ALL });
    let mut home = directory("");
    home.meta.uid = 1000;
    let desired = side(vec![directory(""), directory("d"), file("d/x", 1, 1)]);
    let rules = rules_of(ComparePrecision::Quick, &source);
    let change = compare(&id(), side(vec![home]), desired, &rules).unwrap().change.unwrap();
    let owners: Vec<u32> = change
        .hunks
        .iter()
        .filter_map(|hunk| match &hunk.at {
            HunkAt::Node { after, .. } => after.as_ref().map(|after| after.meta.uid),
            HunkAt::Field { .. } => None,
        })
        .collect();
    assert_eq!(owners, [1000, 1000]);
}

/// Keeps no time after 1970-01-01 00:00:05.
struct Early;

impl Capacity for Early {
    fn held(&self, wanted: &Entry, _: Option<&Entry>) -> Option<Held> {
        let times = Times { mtime_s: wanted.meta.times.mtime_s.min(5), mtime_ns: 0 };
        let lost = vec![Lost::Said("too late".to_owned()), Lost::Common("all alike".to_owned())];
        let meta = Meta { times, ..wanted.meta.clone() };
        (times != wanted.meta.times).then_some(Held { meta, lost })
    }
}

#[test]
fn what_the_live_side_cannot_hold_is_told_and_not_planned_again() {
    let desired = || side(vec![directory(""), file("a", 1, 9), file("b", 1, 1)]);
    let rules = quick(Mode::Merge).restoring(None, Some(&Early));
    let diff = compare(&id(), side(vec![directory("")]), desired(), &rules).unwrap();
    let HunkAt::Node { after: Some(after), .. } = &diff.change.as_ref().unwrap().hunks[0].at else {
        panic!("{diff:?}")
    };
    assert_eq!(after.meta.times.mtime_s, 5, "what is there afterwards is what was approved");
    assert_eq!(diff.warnings, ["a: too late", "1 path: all alike"]);
    let again = compare(&id(), side(vec![directory(""), file("a", 1, 5), file("b", 1, 1)]), desired(), &rules).unwrap();
    assert!(again.change.is_none());
    assert_eq!(again.warnings, diff.warnings);

    let many = std::iter::once(directory("")).chain((0..1_000).map(|number| file(&format!("f{number:04}"), 1, 9)));
    let diff = compare(&id(), side(vec![directory("")]), side(many.collect()), &rules).unwrap();
    assert_eq!(diff.warnings.len(), 22, "{:?}", diff.warnings);
}

#[test]
fn a_directory_with_something_ignored_in_it_stays_and_the_rest_goes() {
    let live = || {
        let paths = ["", "d", "d/.cache", "d/sub", "d/sub/.cache", "d/sub/gone", "e"];
        let mut live: Vec<Entry> = paths.iter().map(|path| directory(path)).collect();
        live.insert(6, file("d/x", 1, 1));
        live.sort_by(|one, other| one.path.cmp(&other.path));
        side(live)
    };
    let ignoring = |mode| rules(&[".cache/"], mode, ComparePrecision::Quick);
    let diff = compare(&id(), live(), side(vec![directory("")]), &ignoring(Mode::Exact)).unwrap();
    assert_eq!(told(&diff.change), ["Delete d/sub/gone needs []", "Delete d/x needs []", "Delete e needs []"]);
    assert_eq!(diff.warnings, ["d: it stays: it holds ignored files", "d/sub: it stays: it holds ignored files"]);

    let whole = compare(&id(), live(), None, &ignoring(Mode::Exact)).unwrap();
    assert_eq!(whole.change.unwrap().op, Op::Update, "the tree itself stays");

    for mode in [Mode::Exact, Mode::Merge] {
        let desired = side(vec![directory(""), file("d", 1, 1), directory("e")]);
        let diff = compare(&id(), live(), desired, &ignoring(mode)).unwrap();
        assert_eq!(told(&diff.change), [""; 0], "a directory in whose place something else is wanted stays whole");
        assert_eq!(diff.warnings.len(), 1);
    }
}

#[test]
fn an_ignored_directory_is_not_written_over_by_a_file_that_is_not_ignored() {
    let desired = side(vec![directory(""), file(".cache", 1, 1), file("x", 1, 1)]);
    let live = side(vec![directory(""), directory(".cache"), file(".cache/big", 1, 1), directory("a")]);
    let diff = compare(&id(), live, desired, &rules(&[".cache/"], Mode::Merge, ComparePrecision::Quick)).unwrap();
    assert_eq!(told(&diff.change), ["Create x needs []"]);
    assert_eq!(diff.warnings, [".cache: not restored: a directory that is ignored stands in its place"]);
}

/// Somebody may keep a million caches.
#[test]
fn ignored_directories_are_forgotten_once_they_are_passed() {
    let rules = rules(&[".cache/"], Mode::Merge, ComparePrecision::Quick);
    let mut walk = Walk::new(&rules);
    for number in 0..1_000 {
        let path = format!("d{number:04}");
        walk.both(directory(&path), directory(&path));
        walk.skips(&directory(&format!("{path}/.cache")));
    }
    assert_eq!(walk.ignored.len(), 1);
}
