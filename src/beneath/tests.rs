use std::os::fd::AsFd;
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::*;
use crate::model::{ContentSink, Digest, ErrorKind, NodeKind, Result, Tree, TreePath};
use crate::stores::{DirectoryStore, Store};

fn path(raw: &str) -> TreePath {
    TreePath::new(raw).unwrap()
}

fn walked(root: &Path) -> Vec<String> {
    let handle = Beneath::open(root).unwrap();
    Walk::new(&handle, TreePath::root()).map(|entry| entry.unwrap().path.to_string()).collect()
}

#[test]
fn a_walk_is_in_order_and_leaves_the_reserved_area_out() {
    let root = tempfile::tempdir().unwrap();
    for directory in ["a", "a-b", "a/.rekindle", ".rekindle/run"] {
        std::fs::create_dir_all(root.path().join(directory)).unwrap();
    }
    std::fs::write(root.path().join("a/z"), "z").unwrap();
    assert_eq!(walked(root.path()), [".", "a", "a/.rekindle", "a/z", "a-b"]);
}

#[test]
fn a_tree_deeper_than_open_files_and_one_call_allow_is_walked_and_removed() {
    let root = tempfile::tempdir().unwrap();
    let handle = Beneath::open(root.path()).unwrap();
    let mut deep = TreePath::root();
    let name = "n".repeat(30);
    for _ in 0..1_500 {
        let parent = handle.directory(&deep).unwrap();
        rustix::fs::mkdirat(&parent, &*name, rustix::fs::Mode::RWXU).unwrap();
        deep = deep.join(&name).unwrap();
    }
    assert_eq!(walked(root.path()).len(), 1_501);
    assert!(handle.entry(&deep).unwrap().unwrap().is_directory());
    remove_all(handle.as_fd(), name.as_bytes()).unwrap();
    assert_eq!(walked(root.path()), ["."]);
}

/// Whoever keeps a home can make one: what a walk holds must not grow with the square of the depth.
#[test]
fn a_walk_tells_a_path_that_is_too_long_and_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let handle = Beneath::open(root.path()).unwrap();
    let name = "n".repeat(250);
    let mut directory = handle.directory(&TreePath::root()).unwrap();
    for _ in 0..300 {
        rustix::fs::mkdirat(&directory, &*name, rustix::fs::Mode::RWXU).unwrap();
        let flags = rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::RDONLY;
        directory = rustix::fs::openat(&directory, &*name, flags, rustix::fs::Mode::empty()).unwrap();
    }
    std::fs::write(root.path().join("z"), "z").unwrap();
    let walked: Vec<_> = Walk::new(&handle, TreePath::root()).collect();
    let refused: Vec<String> =
        walked.iter().filter_map(|entry| entry.as_ref().err()).map(ToString::to_string).collect();
    assert_eq!(refused.len(), 1);
    assert!(refused[0].contains("longer than 64 KiB") && refused[0].len() < 400, "{}", refused[0]);
    assert_eq!(walked.last().unwrap().as_ref().unwrap().path, path("z"));
    remove_all(handle.as_fd(), name.as_bytes()).unwrap();
}

#[test]
fn links_are_listed_and_never_followed() {
    let root = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/etc", root.path().join("out")).unwrap();
    let handle = Arc::new(Beneath::open(root.path()).unwrap());
    let entry = handle.entry(&path("out")).unwrap().unwrap();
    assert_eq!(entry.kind, NodeKind::Symlink { target: (*b"/etc").into() });
    assert_eq!(handle.entry(&path("out/passwd")).unwrap_err().kind(), ErrorKind::Refused);
    let tree = DirTree::new(handle, TreePath::root());
    assert_eq!(tree.open(&path("out/passwd")).err().unwrap().kind(), ErrorKind::Refused);
    assert_eq!(tree.open(&path("out")).err().unwrap().kind(), ErrorKind::Refused);
}

#[test]
fn a_file_that_vanishes_in_mid_walk_is_left_out() {
    let root = tempfile::tempdir().unwrap();
    for name in ["a", "b", "c"] {
        std::fs::create_dir(root.path().join(name)).unwrap();
        std::fs::write(root.path().join(name).join("file"), "x").unwrap();
    }
    let handle = Beneath::open(root.path()).unwrap();
    let mut walk = Walk::new(&handle, TreePath::root()).map(|entry| entry.unwrap().path.to_string());
    assert_eq!(walk.by_ref().take(2).collect::<Vec<_>>(), [".", "a"]);
    std::fs::remove_file(root.path().join("a/file")).unwrap();
    std::fs::remove_dir_all(root.path().join("b")).unwrap();
    assert_eq!(walk.collect::<Vec<_>>(), ["c", "c/file"]);
}

struct Hashes(Mutex<Vec<Option<Digest>>>);

impl ContentSink for Hashes {
    fn content(&self, index: usize, content: Result<&mut (dyn std::io::Read + Send)>) -> bool {
        let mut bytes = Vec::new();
        let read = content.is_ok_and(|reader| reader.read_to_end(&mut bytes).is_ok());
        self.0.lock().unwrap()[index] = read.then(|| Digest::of(&bytes));
        true
    }
}

#[test]
fn many_contents_come_once_each_and_one_that_is_missing_costs_only_itself() {
    let root = tempfile::tempdir().unwrap();
    let wanted: Vec<TreePath> = (0..100).map(|number| path(&format!("file-{number}"))).collect();
    for (number, path) in wanted.iter().enumerate().filter(|(number, _)| *number != 40) {
        std::fs::write(root.path().join(path.to_string()), number.to_string()).unwrap();
    }
    let store = DirectoryStore::open(root.path()).unwrap();
    let hashes = Hashes(Mutex::new(vec![None; 100]));
    store.tree(&TreePath::root()).unwrap().unwrap().contents(&wanted, 4, &hashes).unwrap();
    let expected: Vec<_> =
        (0..100).map(|number: usize| (number != 40).then(|| Digest::of(number.to_string()))).collect();
    assert_eq!(hashes.0.into_inner().unwrap(), expected);
}

#[test]
fn a_store_tells_nothing_there_from_an_empty_directory() {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("empty")).unwrap();
    std::fs::write(root.path().join("file"), "x").unwrap();
    let store = DirectoryStore::open(root.path()).unwrap();
    assert_eq!(store.children(&path("empty")).unwrap(), Some(Vec::new()));
    assert_eq!(store.children(&path("file")).unwrap(), None);
    assert_eq!(store.children(&path("nowhere")).unwrap(), None);
    assert!(store.tree(&path("nowhere")).unwrap().is_none());
    let names: Vec<_> = store.children(&TreePath::root()).unwrap().unwrap();
    assert_eq!(names.iter().map(|entry| entry.path.to_string()).collect::<Vec<_>>(), ["empty", "file"]);
}

#[test]
fn labels_of_the_system_are_not_part_of_a_node() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("a");
    std::fs::write(&file, "a").unwrap();
    for name in ["security.selinux", "security.SMACK64", "trusted.overlay.opaque", "trusted.own", "user.own"] {
        rustix::fs::setxattr(&file, name, b"x", rustix::fs::XattrFlags::empty()).unwrap();
    }
    let entry = Beneath::open(root.path()).unwrap().entry(&path("a")).unwrap().unwrap();
    let names: Vec<&str> = entry.meta.xattrs.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["trusted.own", "user.own"]);
}
