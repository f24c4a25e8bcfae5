use super::*;

const SAME: &str = "mkdir -p docs keep; echo kept > keep/file; touch -d 2001-01-01 keep/file keep docs; echo same > docs/same; touch -d 2001-01-02 docs/same";

fn both() -> Ground {
    let ground = Ground::new();
    ground.backup(SAME).live(SAME);
    ground
}

#[test]
fn damage_of_every_kind_is_mended_and_the_mending_undone_bit_for_bit() {
    let mut ground = both();
    ground.exact = true;
    ground.backup(
        "echo right > docs/wrong; chmod 600 docs/same; echo l > first; ln first second; ln -s good link; mkdir turned; echo i > turned/in; echo f > flat; ln -s docs/same was-file; mkdir -p new/deep; echo n > new/deep/file; setfattr -n user.a -v b keep",
    );
    ground.live(
        "echo other-text > docs/wrong; echo gone > docs/extra; echo l > first; ln -s bad link; echo x > turned; mkdir -p flat/with; echo y > flat/with/y; echo z > was-file; mkfifo pipe; chown 77 keep; setfattr -n user.old -v 1 docs/same; mkdir -p olddir/sub; echo o > olddir/sub/o",
    );
    let former = ground.live_state();
    ground.restore();
    assert_eq!(ground.live_state(), ground.backup_state());
    assert_eq!(ground.leftovers(), [""; 0]);
    ground.undo();
    assert_eq!(ground.live_state(), former);
}

#[test]
fn merge_keeps_what_only_the_live_side_has() {
    let ground = both();
    ground.backup("echo new > docs/new").live("echo mine > docs/mine");
    ground.restore();
    assert!(ground.live.join("ana/docs/mine").exists() && ground.live.join("ana/docs/new").exists());
}

#[test]
fn a_file_changed_since_the_plan_is_a_conflict_and_nothing_is_written() {
    let ground = both();
    ground.backup("echo a > a; echo b > b").live("echo old > a");
    let plan = ground.plan();
    ground.live("echo somebody > b");
    let before = ground.live_state();
    assert_eq!(kind_of(ground.write(&plan)), (ErrorKind::Conflict, crate::model::Known::NotApplied));
    assert_eq!(ground.live_state(), before);
    assert!(ground.ledger.kept.lock().unwrap().is_empty());
}

/// The former size and time are put back: only what the kernel counts tells.
#[test]
fn a_source_changed_since_the_plan_is_a_conflict_and_nothing_is_written() {
    for live in ["mkdir -p docs; echo old-content > b", "cd ..; rm -r ana"] {
        let ground = both();
        ground.backup("echo a > a; echo planned > b").live(live);
        let plan = ground.plan();
        let before = ground.live_state();
        ground.backup("was=$(stat -c %y b); echo another > b; touch -d \"$was\" b");
        assert_eq!(kind_of(ground.write(&plan)), (ErrorKind::Conflict, crate::model::Known::NotApplied), "{live}");
        assert_eq!(ground.live_state(), before, "{live}");
        assert_eq!(ground.leftovers(), [""; 0], "{live}");
        ground.write(&ground.plan()).unwrap();
        assert_eq!(std::fs::read_to_string(ground.live.join("ana/b")).unwrap(), "another\n");
    }
}

#[test]
fn a_file_changed_between_survey_and_rename_is_still_a_conflict() {
    let ground = both();
    ground.backup("echo new-content > a").live("echo old > a");
    let plan = ground.plan();
    let file = ground.live.join("ana/a");
    *ground.ledger.at_keep.lock().unwrap() = Some(Box::new(move || std::fs::write(&file, "saved just now").unwrap()));
    assert_eq!(kind_of(ground.write(&plan)).0, ErrorKind::Conflict);
    assert_eq!(std::fs::read_to_string(ground.live.join("ana/a")).unwrap(), "saved just now");
    assert_eq!(ground.leftovers(), [""; 0]);
}

#[test]
fn a_second_write_changes_nothing_and_keeps_nothing() {
    let ground = both();
    ground.backup("echo new-content > a; ln -s x l; chmod 700 docs").live("echo old > a");
    let plan = ground.plan();
    ground.write(&plan).unwrap();
    let (state, records) = (ground.live_state(), ground.ledger.kept.lock().unwrap().len());
    let effect = ground.write(&plan).unwrap();
    assert_eq!((ground.live_state(), ground.ledger.kept.lock().unwrap().len()), (state, records));
    assert!(effect.contents.is_empty());
}

#[test]
fn a_new_name_of_an_untouched_file_becomes_its_hard_link() {
    let ground = both();
    ground.backup("ln docs/same docs/twin");
    ground.restore();
    assert_eq!(ground.live_state(), ground.backup_state());
}

#[test]
fn a_whole_tree_goes_and_comes_back() {
    let ground = both();
    let former = ground.live_state();
    let plan = ground.plan_to(None, true);
    ground.write(&plan).unwrap();
    assert!(!ground.live.join(KEY).exists());
    ground.write(&plan).unwrap();
    ground.undo();
    assert_eq!(ground.live_state(), former);
}

#[test]
fn undo_can_be_undone_within_one_run() {
    let ground = both();
    ground.backup("echo version-two > f; touch -d 2010-01-01 f").live("echo one > f; touch -d 2009-01-01 f");
    let one = ground.live_state();
    ground.restore();
    let two = ground.live_state();
    for _ in 0..2 {
        ground.undo();
        assert_eq!(ground.live_state(), one);
        ground.undo();
        assert_eq!(ground.live_state(), two);
    }
}
