use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use rekindle::model::{Entry, ErrorKind, NodeKind, SpecialKind, Tree, TreePath};
use rekindle::stores::Store;
use rekindle::stores::restic::{ResticStore, back_up};

use crate::support::nodes::{comparable, make_every_kind, on_disk};
use crate::support::repository::{Backup, Repository, config};
use crate::support::sink::contents;

fn inside(path: &Path) -> TreePath {
    TreePath::new(path.to_str().unwrap()).unwrap()
}

fn entries(tree: &dyn Tree) -> Vec<Entry> {
    tree.entries().unwrap().map(Result::unwrap).collect()
}

fn same(seen: Vec<Entry>, expected: Vec<Entry>) {
    let (seen, expected) = (comparable(seen), comparable(expected));
    for (one, other) in seen.iter().zip(&expected) {
        assert_eq!(one, other);
    }
    assert_eq!(seen.len(), expected.len());
}

fn bytes_below(root: &Path) -> BTreeMap<TreePath, Vec<u8>> {
    use std::os::unix::ffi::OsStrExt;
    on_disk(root)
        .into_iter()
        .filter(|entry| matches!(entry.kind, NodeKind::File { .. }))
        .map(|entry| {
            let bytes = fs::read(root.join(std::ffi::OsStr::from_bytes(entry.path.as_bytes()))).unwrap();
            (entry.path, bytes)
        })
        .collect()
}

fn tree_of(store: &ResticStore, path: &Path) -> Arc<dyn Tree> {
    store.tree(&inside(path)).unwrap().expect("the path is in the snapshot")
}

fn reads_like_restic(version: u8, compression: &'static str) {
    let place = tempfile::tempdir().unwrap();
    let source = place.path().canonicalize().unwrap().join("home");
    make_every_kind(&source);
    let repository = Repository::init(version, compression);
    repository.backup(&source, Backup::default());

    let store = repository.open().unwrap();
    let tree = tree_of(&store, &source);
    let seen = entries(&*tree);
    assert!(seen.is_sorted_by(|one, next| one.path < next.path), "a walk in order");
    // restic leaves sockets out of a backup.
    let backed_up = on_disk(&source)
        .into_iter()
        .filter(|entry| entry.kind != NodeKind::Special { special: SpecialKind::Socket })
        .collect();
    same(seen, backed_up);

    let target = place.path().join("restored");
    repository.restic(&["restore", "latest", "--target", target.to_str().unwrap()]);
    let restored = bytes_below(&target.join(source.strip_prefix("/").unwrap()));
    for parallel in [1, 4] {
        let ours = contents(&*tree, parallel).into_iter().map(|(path, bytes)| (path, bytes.unwrap())).collect();
        assert_eq!(restored, ours, "byte for byte what restic restores");
    }
    for (path, bytes) in &restored {
        let mut ours = Vec::new();
        tree.open(path).unwrap().read_to_end(&mut ours).unwrap();
        assert_eq!(*bytes, ours, "{path}");
    }
}

#[test]
fn a_repository_of_format_1_reads_like_restic_reads_it() {
    reads_like_restic(1, "default");
}

#[test]
fn a_compressed_repository_reads_like_restic_reads_it() {
    reads_like_restic(2, "max");
}

#[test]
fn an_uncompressed_repository_of_format_2_reads_like_restic_reads_it() {
    reads_like_restic(2, "off");
}

#[test]
fn single_nodes_and_directories_are_found_by_path() {
    let place = tempfile::tempdir().unwrap();
    let home = place.path().canonicalize().unwrap().join("srv/home");
    fs::create_dir_all(home.join("ana/notes")).unwrap();
    fs::write(home.join("ana/notes/today"), "text").unwrap();
    fs::create_dir(home.join("bob")).unwrap();
    let repository = Repository::init(2, "default");
    repository.backup(&home, Backup::default());
    let store = repository.open().unwrap();

    let ana = inside(&home.join("ana"));
    assert!(store.entry(&ana).unwrap().unwrap().is_directory());
    let names: Vec<_> = store.children(&inside(&home)).unwrap().unwrap().into_iter().map(|entry| entry.path).collect();
    assert_eq!(names, [ana.clone(), inside(&home.join("bob"))]);
    assert!(store.children(&inside(&home.join("ana/notes/today"))).unwrap().is_none(), "a file has no children");
    assert!(store.entry(&inside(&home.join("cyd"))).unwrap().is_none());
    assert!(store.tree(&inside(&home.join("ana/notes/today/x"))).unwrap().is_none());

    let file = tree_of(&store, &home.join("ana/notes/today"));
    assert_eq!(entries(&*file).len(), 1);
    let mut text = String::new();
    file.open(&TreePath::root()).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "text");
    let refused = tree_of(&store, &home).open(&TreePath::new("ana").unwrap()).err().unwrap();
    assert_eq!(refused.kind(), ErrorKind::Invalid);

    assert_eq!(entries(&*store.tree(&TreePath::root()).unwrap().unwrap())[0].path, TreePath::root());
}

#[test]
fn a_directory_is_read_once_for_many_look_ups() {
    let place = tempfile::tempdir().unwrap();
    let home = place.path().canonicalize().unwrap().join("home");
    fs::create_dir(&home).unwrap();
    for index in 0..200 {
        fs::write(home.join(format!("file-{index}")), format!("text {index}")).unwrap();
    }
    let repository = Repository::init(2, "default");
    repository.backup(&home, Backup::default());
    let store = repository.open().unwrap();
    let tree = tree_of(&store, &home);
    let directories = home.components().count() as u64;
    for index in 0..200 {
        let path = TreePath::new(format!("file-{index}")).unwrap();
        let text = std::io::read_to_string(tree.open(&path).unwrap()).unwrap();
        assert_eq!(text, format!("text {index}"));
    }
    assert!(store.requests() <= 200 + directories, "{} reads of packs", store.requests());
}

#[test]
fn a_mistaken_path_is_answered_with_near_ones() {
    let place = tempfile::tempdir().unwrap();
    let home = place.path().canonicalize().unwrap().join("srv/home");
    for user in ["ana", "anabel", "bob"] {
        fs::create_dir_all(home.join(user)).unwrap();
    }
    let repository = Repository::init(2, "default");
    repository.backup(&home, Backup::default());
    let store = repository.open().unwrap();

    let short = store.suggest(&TreePath::new("home/ana").unwrap());
    assert_eq!(short.first(), Some(&inside(&home.join("ana"))), "{short:?}");
    let misspelt = store.suggest(&inside(&home.join("anna")));
    assert!(misspelt.contains(&inside(&home.join("ana"))), "{misspelt:?}");
    let lost = store.suggest(&TreePath::new("opt").unwrap());
    assert_eq!(lost, [inside(&home)], "else what the snapshot was made of");
}

#[test]
fn a_backup_made_by_rekindle_is_read_by_restic_and_by_rekindle() {
    let place = tempfile::tempdir().unwrap();
    let source = place.path().canonicalize().unwrap().join("source");
    let home = source.join("home");
    make_every_kind(&home);
    let folder = place.path().join("repository");
    let password = config("").password;
    let id = back_up(&folder, &password, &source, &["nightly", "demo"], "mars").unwrap();

    let store = ResticStore::open(&config(folder.to_str().unwrap())).unwrap();
    assert_eq!(store.snapshot().id, id);
    assert_eq!(store.snapshot().tags, ["demo", "nightly"]);
    assert_eq!(store.snapshot().host, "mars");
    let tree = tree_of(&store, &home);
    same(entries(&*tree), on_disk(&home));

    let checked = std::process::Command::new("restic")
        .args(["check", "--read-data", "--no-cache", "--repo"])
        .arg(&folder)
        .env("RESTIC_PASSWORD", password.expose())
        .output()
        .unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}
