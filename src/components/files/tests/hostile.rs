use super::*;

#[test]
fn a_link_swapped_in_for_a_directory_is_refused_and_nothing_lands_behind_it() {
    let ground = Ground::new();
    let outside = tempfile::tempdir().unwrap();
    ground.backup("mkdir d; echo evil > d/passwd").live("mkdir d");
    let plan = ground.plan();
    let (directory, target) = (ground.live.join("ana/d"), outside.path().to_owned());
    // The swap happens after all was checked, just before the first effect.
    *ground.ledger.at_keep.lock().unwrap() = Some(Box::new(move || {
        std::fs::remove_dir(&directory).unwrap();
        std::os::unix::fs::symlink(&target, &directory).unwrap();
    }));
    assert_eq!(kind_of(ground.write(&plan)).0, ErrorKind::Refused);
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
    assert_eq!(ground.leftovers(), [""; 0]);
}

#[test]
fn a_planted_area_is_refused() {
    let ground = Ground::new();
    let outside = tempfile::tempdir().unwrap();
    ground.backup("echo a > a");
    std::os::unix::fs::symlink(outside.path(), ground.live.join(".rekindle")).unwrap();
    assert_eq!(kind_of(ground.write(&ground.plan())).0, ErrorKind::Refused);
    std::fs::remove_file(ground.live.join(".rekindle")).unwrap();
    sh(&ground.live, "mkdir .rekindle; chown 1234 .rekindle");
    assert_eq!(kind_of(ground.write(&ground.plan())).0, ErrorKind::Refused);
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn an_archive_that_writes_through_its_own_link_is_stopped() {
    let ground = Ground::new();
    let outside = tempfile::tempdir().unwrap();
    ground.backup("mkdir d; echo evil > d/file");
    let mut plan = ground.plan();
    let mut change = Change::clone(&plan.change);
    for hunk in &mut change.hunks {
        if let HunkAt::Node { path, after: Some(after), .. } = &mut hunk.at
            && path.as_bytes() == b"d"
        {
            after.kind = NodeKind::Symlink { target: outside.path().as_os_str().as_encoded_bytes().into() };
        }
    }
    plan.change = Arc::new(change);
    assert!(ground.write(&plan).is_err());
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
    assert!(ground.live_state().is_empty());
    assert_eq!(ground.leftovers(), [""; 0]);
}

#[test]
fn release_removes_the_run_and_nothing_behind_links() {
    let ground = Ground::new();
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("precious"), "x").unwrap();
    ground.backup("echo new > f").live("echo older > f");
    ground.restore();
    std::os::unix::fs::symlink(outside.path(), ground.live.join(".rekindle/run-1/kept/link")).unwrap();
    let component = crate::components::files::FilesComponent::new(ground.config());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    use crate::component::Component;
    runtime.block_on(component.release("run-1")).unwrap();
    assert!(!ground.live.join(".rekindle").exists());
    assert!(outside.path().join("precious").exists());
    assert!(runtime.block_on(component.release("../ana")).is_err());
}
