//! Whoever owns a home may change it at any moment, and may have links in it to what is somebody else's.

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use super::*;
use crate::components::files::check::Room;

const SAME: &str = "for f in one two; do echo same > $f; touch -d 2001-01-01 $f; done";

fn of(ground: &Ground, name: &str) -> (u64, u32, u32) {
    let meta = std::fs::symlink_metadata(ground.live.join(name)).unwrap();
    (meta.ino(), meta.uid(), meta.mode() & 0o7777)
}

/// The two look alike, so that only the node itself tells.
#[test]
fn a_file_that_was_put_under_the_name_since_is_not_given_away() {
    let ground = Ground::new();
    ground.backup(&format!("{SAME}; chown 1001 one; chmod 640 one")).live(SAME);
    ground.live("mkdir ../theirs; cp -p two ../theirs/alike");
    let theirs = of(&ground, "theirs/alike");
    let plan = ground.plan();
    let (from, to) = (ground.live.join("theirs/alike"), ground.live.join("ana/one"));
    *ground.ledger.at_keep.lock().unwrap() = Some(Box::new(move || {
        let _ = std::fs::rename(&from, &to);
    }));
    assert_eq!(kind_of(ground.write(&plan)).0, ErrorKind::Conflict);
    assert_eq!(of(&ground, "ana/one"), theirs);
}

#[test]
fn a_directory_that_was_put_in_the_place_of_a_new_one_is_not_given_away() {
    let ground = Ground::new();
    ground.backup("mkdir new; echo x > new/x; chown -R 1001 new").live("mkdir ../theirs; chmod 700 ../theirs");
    let theirs = of(&ground, "theirs");
    let plan = ground.plan();
    let (live, mut calls) = (ground.live.clone(), 0);
    *ground.ledger.at_keep.lock().unwrap() = Some(Box::new(move || {
        calls += 1;
        if calls == 2 {
            std::fs::rename(live.join("ana/new"), live.join("ana/aside")).unwrap();
            std::fs::rename(live.join("theirs"), live.join("ana/new")).unwrap();
        }
    }));
    assert_eq!(kind_of(ground.write(&plan)).0, ErrorKind::Conflict);
    assert_eq!(of(&ground, "ana/new"), theirs);
}

/// Whether the other name was there when the plan was made, or came later.
#[test]
fn a_file_with_a_name_outside_the_tree_is_replaced_and_the_other_stays_as_it_is() {
    for before_the_plan in [true, false] {
        let ground = Ground::new();
        ground.backup(&format!("{SAME}; chown 1001 one; chmod 4755 one")).live(SAME);
        let link = || sh(&ground.live, "mkdir bob; ln ana/one bob/his; chmod 600 ana/one");
        ground.live("chmod 600 one");
        if before_the_plan {
            link();
        }
        let plan = ground.plan();
        if !before_the_plan {
            link();
        }
        let his = of(&ground, "bob/his");
        ground.write(&plan).unwrap();
        assert_eq!(of(&ground, "bob/his"), his);
        assert_eq!((of(&ground, "ana/one").1, of(&ground, "ana/one").2), (1001, 0o755));
        assert_ne!(of(&ground, "ana/one").0, his.0);
        ground.undo();
        assert_eq!(of(&ground, "ana/one"), his, "the undo brings the link back");
    }
}

#[test]
fn a_group_of_which_all_names_are_chosen_is_changed_in_place_and_a_left_out_name_stays() {
    let ground = Ground::new();
    ground.backup(&format!("{SAME}; ln -f one two; chmod 640 one")).live(&format!("{SAME}; ln -f one two"));
    let inode = of(&ground, "ana/one").0;
    let mut plan = ground.plan();
    let two = plan.change.hunks.iter().position(|hunk| hunk.place() == "two").unwrap();
    plan.left_out = [two as u32].into();
    ground.write(&plan).unwrap();
    assert_eq!((of(&ground, "ana/two").0, of(&ground, "ana/two").2), (inode, 0o644));
    assert_eq!(of(&ground, "ana/one").2, 0o640);

    let ground = Ground::new();
    ground.backup(&format!("{SAME}; ln -f one two; chmod 640 one")).live(&format!("{SAME}; ln -f one two"));
    let inode = of(&ground, "ana/one").0;
    ground.restore();
    for name in ["ana/one", "ana/two"] {
        assert_eq!((of(&ground, name).0, of(&ground, name).2), (inode, 0o640));
    }
}

/// A program that saves by rename, in the moment before the new file comes.
#[cfg(feature = "failpoints")]
#[test]
fn a_save_in_the_last_moment_is_there_afterwards() {
    let _turn = POINTS_TURN.lock().unwrap();
    for script in ["echo old > f", "ln -s old f"] {
        let ground = Ground::new();
        ground.backup("echo restored-text > f").live(script);
        if script.starts_with("ln") {
            sh(&ground.backup.path().join(KEY), "rm f; ln -s restored f");
        }
        let plan = ground.plan();
        let home = ground.live.join(KEY);
        let me = std::thread::current().id();
        fail::cfg_callback("files::before_rename", move || {
            if std::thread::current().id() == me {
                std::fs::write(home.join("f.new"), "saved just now").unwrap();
                std::fs::rename(home.join("f.new"), home.join("f")).unwrap();
            }
        })
        .unwrap();
        let written = ground.write(&plan);
        fail::remove("files::before_rename");
        assert_eq!(kind_of(written).0, ErrorKind::Conflict);
        assert_eq!(std::fs::read_to_string(ground.live.join("ana/f")).unwrap(), "saved just now");
        assert_eq!(ground.leftovers(), [""; 0]);
    }
}

#[test]
fn what_is_immutable_is_named_before_anything_is_written() {
    let ground = Ground::new();
    ground.backup("echo new-a > a; echo new-b > b").live("echo a > a; echo b > b");
    let before = ground.live_state();
    let plan = ground.plan();
    let chattr = |flag: &str| {
        let done = Command::new("chattr").arg(flag).arg(ground.live.join("ana/b")).status().unwrap();
        assert!(done.success(), "chattr needs root and a file system that knows it");
    };
    for (on, off) in [("+i", "-i"), ("+a", "-a")] {
        chattr(on);
        let written = ground.write(&plan);
        chattr(off);
        let error = written.unwrap_err();
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Denied, crate::model::Known::NotApplied));
        assert!(error.to_string().contains("ana/b") && error.hint().unwrap().contains("chattr"), "{error}");
        assert_eq!(ground.live_state(), before);
    }
}

#[test]
fn a_directory_that_is_immutable_is_named_by_the_plan_and_before_anything_is_written() {
    let ground = Ground::new();
    ground.backup("echo a > a; mkdir d; echo b > d/b").live("echo not-a > a; mkdir d");
    let before = ground.live_state();
    let plan = ground.plan();
    let chattr = |flag: &str| {
        let done = Command::new("chattr").arg(flag).arg(ground.live.join("ana/d")).status().unwrap();
        assert!(done.success(), "chattr needs root and a file system that knows it");
    };
    chattr("+i");
    let live = Beneath::open(&ground.live).unwrap();
    let checked = Room::default().check(&live, &ground.config(), &plan).unwrap();
    let written = ground.write(&plan);
    chattr("-i");
    assert!(checked.warnings.iter().any(|line| line.contains("ana/d: it is immutable")), "{:?}", checked.warnings);
    let error = written.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Denied, crate::model::Known::NotApplied));
    assert!(error.to_string().contains("ana/d"), "{error}");
    assert_eq!(ground.live_state(), before);
}

#[test]
fn missing_directories_above_come_as_the_backup_has_them_and_go_with_the_undo() {
    let mut ground = Ground::new();
    sh(&ground.backup.path().join("dept/proj/ana"), "echo x > x; chmod 2775 ..; chgrp 1002 ..; chmod 1777 ../..");
    let root = Arc::new(Beneath::open(ground.backup.path()).unwrap());
    let key = TreePath::new("dept/proj/ana").unwrap();
    let source: Arc<dyn Tree> = Arc::new(DirTree::source(root, key.clone()));
    let moved = |mut plan: Approved| {
        let mut change = Change::clone(&plan.change);
        change.id.key = key.clone();
        plan.change = Arc::new(change);
        plan
    };
    ground.exact = true;
    let plan = moved(ground.plan_to(Some(source), false));
    let live = Beneath::open(&ground.live).unwrap();
    let checked = Room::default().check(&live, &ground.config(), &plan).unwrap();
    assert!(checked.warnings.iter().any(|line| line.contains("dept/proj is missing")), "{:?}", checked.warnings);
    ground.write(&plan).unwrap();
    assert_eq!((of(&ground, "dept").2, of(&ground, "dept/proj").2), (0o1777, 0o2775));
    assert_eq!(std::fs::metadata(ground.live.join("dept/proj")).unwrap().gid(), 1002);
    std::fs::set_permissions(ground.live.join("dept/proj/ana/x"), std::fs::Permissions::from_mode(0o644)).unwrap();

    let there = Arc::new(Beneath::open(&ground.live).unwrap());
    let tree: Arc<dyn Tree> = Arc::new(DirTree::new(there, key.clone()));
    let before = entries(&*tree);
    let mut gone = plan.clone();
    let mut change = Change::clone(&plan.change);
    change.op = Op::Delete;
    for hunk in &mut change.hunks {
        let HunkAt::Node { path, before: was, after, .. } = &mut hunk.at else { continue };
        (*was, *after) = (before.get(path).cloned().map(Box::new), None);
    }
    gone.change = Arc::new(change);
    gone.desired = None;
    ground.write(&gone).unwrap();
    assert!(!ground.live.join("dept").exists());
}

#[test]
fn the_run_s_own_area_is_no_place_for_a_restore() {
    let ground = Ground::new();
    ground.backup("echo x > x");
    let mut plan = ground.plan();
    let mut change = Change::clone(&plan.change);
    change.id.key = TreePath::new(".rekindle/run-1/kept").unwrap();
    plan.change = Arc::new(change);
    let live = Beneath::open(&ground.live).unwrap();
    let checked = Room::default().check(&live, &ground.config(), &plan);
    assert_eq!(checked.unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!(kind_of(ground.write(&plan)).0, ErrorKind::Refused);
    assert!(!ground.live.join(".rekindle").exists());
}
