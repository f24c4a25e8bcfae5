//! Whose a document's file is that is made anew, and what is said of writes without a byte.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use crate::ground::Ground;

fn owned(path: &Path) -> (u32, u32, u32) {
    let meta = fs::metadata(path).unwrap();
    (meta.mode() & 0o7777, meta.uid(), meta.gid())
}

fn own(path: &Path, (mode, uid, gid): (u32, u32, u32)) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    chown(path, Some(uid), Some(gid)).unwrap();
}

/// A copy with ana's document, a live directory with bob's.
fn ground(step: &str) -> Ground {
    let ground = Ground::bare();
    for (folder, name) in [("copy", "ana"), ("live", "bob")] {
        fs::create_dir(ground.path(folder)).unwrap();
        fs::write(ground.path(&format!("{folder}/{name}.yaml")), format!("name: {name}\n")).unwrap();
    }
    let root = ground.path("");
    let root = root.to_str().unwrap();
    let text = format!(
        "rekindle: 1\nsources: {{ copy: {{ directory: {root}/copy, format: documents }} }}\n\
         components: {{ live: {{ documents: {root}/live }} }}\nsteps: [{{ id: all, {step} }}]\n"
    );
    fs::write(ground.path("runbook.yaml"), text).unwrap();
    ground
}

#[test]
fn a_document_that_is_created_is_as_its_file_in_the_backup_and_the_plan_says_so() {
    let ground = ground("restore: live, from: copy, mode: exact");
    let (saved, there) = ((0o640, 1234, 2345), (0o604, 77, 78));
    own(&ground.path("copy/ana.yaml"), saved);
    own(&ground.path("live/bob.yaml"), there);
    ground
        .rekindle(&["plan", "runbook.yaml"], 2)
        .says("a new file: mode 0640, owner 1234:2345, as it was in the backup");
    ground.rekindle(&["run", "runbook.yaml", "--plain", "--yes", "--yes-deletes"], 0);
    assert_eq!(owned(&ground.path("live/ana.yaml")), saved);
    assert!(!ground.path("live/bob.yaml").exists());

    ground.rekindle(&["undo", "--yes", "--yes-deletes"], 0);
    assert_eq!(owned(&ground.path("live/bob.yaml")), there);
}

#[test]
fn a_document_that_no_file_is_known_of_is_as_its_neighbours() {
    let ground = ground("apply: live, documents: { eve: { name: eve } }");
    fs::write(ground.path("live/cyd.yaml"), "name: cyd\n").unwrap();
    fs::write(ground.path("live/dee.yaml"), "name: dee\n").unwrap();
    for (name, mode) in [("bob", 0o600), ("cyd", 0o660), ("dee", 0o660)] {
        own(&ground.path(&format!("live/{name}.yaml")), (mode, 5, 6));
    }
    chown(ground.path("live"), Some(1234), Some(2345)).unwrap();
    let told = ground.rekindle(&["plan", "runbook.yaml"], 2);
    told.says("a new file: mode 0660, owner 1234:2345, as its directory and the documents there");
    ground.rekindle(&["run", "runbook.yaml", "--plain", "--yes"], 0);
    assert_eq!(owned(&ground.path("live/eve.yaml")), (0o660, 1234, 2345));
}

#[test]
fn a_write_without_a_byte_says_what_it_did() {
    let ground = ground("restore: live, from: copy");
    let root = ground.path("");
    let root = root.to_str().unwrap();
    fs::create_dir_all(ground.path("copy/home")).unwrap();
    fs::create_dir_all(ground.path("homes/home")).unwrap();
    fs::write(ground.path("copy/home/key"), "secret\n").unwrap();
    let (from, to) = (ground.path("copy/home/key"), ground.path("homes/home/key"));
    assert!(std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
    fs::set_permissions(ground.path("homes/home/key"), fs::Permissions::from_mode(0o600)).unwrap();
    let text = format!(
        "rekindle: 1\nsources: {{ copy: {{ directory: {root}/copy }} }}\n\
         components: {{ homes: {{ files: {root}/homes }} }}\n\
         steps: [{{ id: home, restore: homes, from: copy, below: home, to: home }}]\n"
    );
    fs::write(ground.path("runbook.yaml"), text).unwrap();
    let run = |out: &str| assert!(!out.contains("0 B written"), "{out}");
    let told = ground.rekindle(&["run", "runbook.yaml", "--plain", "--yes"], 0);
    run(&told.says("1 path changed; read back equal").out);
    let told = ground.rekindle(&["undo", "--yes"], 0);
    run(&told.says("1 path brought back; read back equal").out);
}
