//! What a file system cannot hold, and attributes that belong to the system.

use super::*;
use crate::components::files::area::Area;
use crate::components::files::capacity::RootCapacity;
use crate::model::{Capacity, Lost, Meta, Times};

/// The plan of one file with metadata that this disk cannot hold.
fn plan_with(ground: &Ground, change: impl Fn(&mut Meta)) -> Approved {
    let mut plan = ground.plan();
    let planned = Arc::make_mut(&mut plan.change);
    for hunk in &mut planned.hunks {
        if let HunkAt::Node { path, after: Some(after), .. } = &mut hunk.at
            && *path == TreePath::new("odd").unwrap()
        {
            change(&mut after.meta);
        }
    }
    plan
}

fn attribute(name: &str, length: usize) -> (Box<str>, Box<[u8]>) {
    (name.into(), vec![b'x'; length].into())
}

/// As a plan says where nothing could be tried before the write.
#[test]
fn what_a_file_cannot_have_is_noted_after_the_write_and_told_to_whoever_reads_back() {
    for live in ["true", "echo x > odd; echo y > other", "cd ..; rmdir ana"] {
        let ground = Ground::new();
        ground.backup("echo odd > odd; touch -d 2001-01-01 odd").live(live);
        let plan = plan_with(&ground, |meta| {
            meta.times.mtime_s = 1 << 40;
            meta.xattrs = vec![attribute("user.big", 9_000), attribute("user.small", 1)];
        });
        let effect = ground.write(&plan).unwrap();
        assert!(
            effect.notes.iter().any(|note| note.starts_with("odd: this file system cannot keep its time")),
            "{effect:?}"
        );
        assert!(effect.notes.iter().any(|note| note.contains("user.big is not restored: it has 9.0 kB")), "{effect:?}");
        let now = Beneath::open(&ground.live).unwrap().entry(&TreePath::new("ana/odd").unwrap()).unwrap().unwrap();
        assert_eq!(effect.held, [(TreePath::new("odd").unwrap(), now.meta.clone())]);
        assert_eq!(now.meta.xattrs, [attribute("user.small", 1)]);
    }
}

fn capacity() -> (tempfile::TempDir, RootCapacity) {
    let root = tempfile::tempdir().unwrap();
    let capacity = RootCapacity::new(root.path().to_owned());
    (root, capacity)
}

fn file(meta: Meta) -> Entry {
    Entry { path: TreePath::new("a").unwrap(), kind: NodeKind::File { size: 1, link: None }, meta }
}

#[test]
fn a_file_system_is_asked_what_it_holds_and_nothing_of_that_is_left() {
    let (root, capacity) = capacity();
    let plain = Meta { mode: 0o644, ..Meta::default() };
    let far = Times { mtime_s: 1 << 40, mtime_ns: 5 };
    let odd =
        file(Meta { times: far, xattrs: vec![attribute("user.a", 1), attribute("user.big", 9_000)], ..plain.clone() });
    let held = capacity.held(&odd, None).unwrap();
    assert_eq!(held.meta.xattrs, [attribute("user.a", 1)]);
    assert!(held.meta.times.mtime_s < far.mtime_s);
    assert_eq!(held.lost.len(), 2, "{held:?}");
    assert!(capacity.held(&odd, Some(&file(held.meta))).is_some(), "it is told again, for it is still so");

    let fits = file(Meta { xattrs: vec![attribute("user.a", 100)], ..plain.clone() });
    assert_eq!(capacity.held(&fits, None), None);
    assert_eq!(capacity.held(&file(plain), None), None);
    assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
}

/// Where a file system has no files without a name, one is tried in the run's area.
#[cfg(feature = "failpoints")]
#[test]
fn a_try_that_was_killed_leaves_a_name_that_the_next_one_takes_away() {
    let _turn = POINTS_TURN.lock().unwrap();
    let (root, capacity) = capacity();
    let area = || Area::open(&Beneath::open(root.path()).unwrap(), "run").unwrap();
    let big = |size| file(Meta { xattrs: vec![attribute("user.big", size)], ..Meta::default() });
    UNNAMED_NOT.set(true);
    assert_eq!(capacity.held(&big(8_998), None), None, "nothing can be tried where no run has an area");
    area();
    fail::cfg_callback("files::probe", || std::panic::resume_unwind(Box::new("killed"))).unwrap();
    let killed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| capacity.held(&big(8_999), None)));
    fail::remove("files::probe");
    assert!(killed.is_err() && root.path().join(".rekindle/probe").exists());
    let capacity = RootCapacity::new(root.path().to_owned());
    assert!(capacity.held(&big(9_000), None).is_some());
    assert!(!root.path().join(".rekindle/probe").exists());
    std::fs::write(root.path().join(".rekindle/probe"), "").unwrap();
    Area::release(&Beneath::open(root.path()).unwrap(), "run").unwrap();
    assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
    UNNAMED_NOT.set(false);
}

#[test]
fn a_number_that_no_file_can_belong_to_and_what_has_no_place_are_told() {
    let (_root, capacity) = capacity();
    let strange = file(Meta { uid: u32::MAX, gid: 7, mode: 0o4755, ..Meta::default() });
    let held = capacity.held(&strange, None).unwrap();
    assert_eq!((held.meta.uid, held.meta.gid, held.meta.mode), (rustix::process::geteuid().as_raw(), 7, 0o755));
    assert!(matches!(&held.lost[..], [Lost::Common(words)] if words.contains("4294967295")), "{held:?}");
    let live = file(Meta { uid: 5, gid: 6, ..Meta::default() });
    assert_eq!(capacity.held(&strange, Some(&live)).unwrap().meta.uid, 5);

    let long = |length| Entry { path: TreePath::new("x".repeat(length)).unwrap(), ..file(Meta::default()) };
    assert_eq!(capacity.refused(&long(255)), None);
    assert!(capacity.refused(&long(256)).unwrap().contains("256 bytes"));
    let link = |length: usize| {
        let target = vec![b'x'; length].into();
        capacity.refused(&Entry { kind: NodeKind::Symlink { target }, ..file(Meta::default()) })
    };
    assert!(link(0).is_some() && link(1).is_none() && link(4095).is_none() && link(4096).is_some());
}

#[test]
fn a_symbolic_link_has_no_attributes_of_users() {
    let (_root, capacity) = capacity();
    let meta = Meta { xattrs: vec![attribute("user.a", 1)], ..Meta::default() };
    let link = Entry { kind: NodeKind::Symlink { target: b"x".as_slice().into() }, ..file(meta) };
    let held = capacity.held(&link, None).unwrap();
    assert!(
        held.meta.xattrs.is_empty()
            && matches!(&held.lost[..], [Lost::Said(words)] if words.contains("symbolic links"))
    );
}

/// Former versions wrote labels of the system down with all else.
#[test]
fn an_undo_brings_back_what_a_former_version_recorded_with_labels() {
    let ground = Ground::new();
    ground.backup("echo right > a; mkdir d; chmod 700 d").live("echo wrong > a; mkdir d; setfattr -n user.k -v v a");
    let label = |entry: &mut Entry| {
        entry.meta.xattrs.push(("security.selinux".into(), b"label".as_slice().into()));
        entry.meta.xattrs.sort();
    };
    let former = ground.live_state();
    let mut plan = ground.plan();
    for hunk in &mut Arc::make_mut(&mut plan.change).hunks {
        if let HunkAt::Node { before: Some(before), after: Some(after), .. } = &mut hunk.at {
            label(before);
            label(after);
        }
    }
    ground.write(&plan).unwrap();
    assert_eq!(ground.live_state(), ground.backup_state());
    ground.ledger.kept.lock().unwrap().iter_mut().filter_map(|record| record.before.as_mut()).for_each(label);
    ground.undo();
    assert_eq!(ground.live_state(), former);
}
