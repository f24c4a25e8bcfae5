use std::io::Read;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use super::*;
use crate::model::{Error, ErrorKind, Tree, TreePath};

fn ground() -> (tempfile::TempDir, DirTree) {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("file"), "as it was listed").unwrap();
    let tree = DirTree::source(Arc::new(Beneath::open(root.path()).unwrap()), TreePath::root());
    (root, tree)
}

/// Other bytes, as many, and the former time put back.
fn change_slyly(root: &Path) {
    let script = "was=$(stat -c %y file); printf 'as it is today !' > file; touch -d \"$was\" file";
    assert!(Command::new("bash").args(["-euc", script]).current_dir(root).status().unwrap().success());
}

#[test]
fn a_source_file_changed_since_it_was_listed_is_a_conflict_whatever_its_size_and_time() {
    let (root, tree) = ground();
    let path = TreePath::new("file").unwrap();
    let listed = |tree: &DirTree| tree.entries().unwrap().map(Result::unwrap).last().unwrap();
    let before = listed(&tree);
    change_slyly(root.path());
    assert_eq!(tree.open(&path).err().map(|error| error.kind()), Some(ErrorKind::Conflict));
    assert_eq!(listed(&tree), before, "metadata alone tells nothing");
    assert!(tree.open(&path).is_ok(), "it was listed anew");
}

#[test]
fn a_source_file_that_changes_while_it_is_read_is_not_read_to_its_end() {
    let (root, tree) = ground();
    let mut reader = tree.open(&TreePath::new("file").unwrap()).unwrap();
    reader.read_exact(&mut [0; 4]).unwrap();
    change_slyly(root.path());
    let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(Error::io("copy it", error).kind(), ErrorKind::Conflict);
}
