use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rekindle::model::{ErrorKind, NodeKind, SpecialKind, TreePath};
use rekindle::stores::Store;
use rekindle::stores::tar::TarStore;

use crate::support::nodes::{comparable, make_every_kind, noise, on_disk};
use crate::support::sink::contents;

/// A home with a sparse file, archived by the real tar.
struct Home {
    place: tempfile::TempDir,
    home: PathBuf,
}

fn home() -> Home {
    let place = tempfile::tempdir().unwrap();
    let home = place.path().join("home");
    make_every_kind(&home);
    let sparse = fs::File::create(home.join("sparse")).unwrap();
    for index in 0..40 {
        use std::os::unix::fs::FileExt;
        sparse.write_all_at(&noise(5000, index + 1), index * 200_000).unwrap();
    }
    sparse.set_len(9_000_001).unwrap();
    Home { place, home }
}

impl Home {
    fn archive(&self, options: &[&str]) -> PathBuf {
        let archive = self.place.path().join("archive.tar");
        let made = Command::new("tar")
            .args(["--create", "--sort=name", "--file"])
            .arg(&archive)
            .args(options)
            .arg("-C")
            .arg(self.place.path())
            .arg("home")
            .output()
            .unwrap();
        // tar leaves sockets out and says so.
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        archive
    }

    /// Reads as what lies on the disk; `exact`: nanoseconds and attributes, too.
    fn reads_alike(&self, archive: &Path, exact: bool) {
        let store = TarStore::open(archive).unwrap();
        let tree = store.tree(&TreePath::new("home").unwrap()).unwrap().unwrap();
        let seen = comparable(tree.entries().unwrap().map(Result::unwrap).collect());
        let mut expected = comparable(on_disk(&self.home));
        expected.retain(|entry| entry.kind != NodeKind::Special { special: SpecialKind::Socket });
        for entry in &mut expected {
            entry.meta.xattrs.retain(|_| exact);
            entry.meta.times.mtime_ns *= u32::from(exact);
        }
        for (one, other) in seen.iter().zip(&expected) {
            assert_eq!(one, other);
        }
        assert_eq!(seen.len(), expected.len());
        for (path, bytes) in contents(&*tree, 2) {
            use std::os::unix::ffi::OsStrExt;
            let on_disk = fs::read(self.home.join(std::ffi::OsStr::from_bytes(path.as_bytes()))).unwrap();
            assert!(bytes.unwrap() == on_disk, "{path}");
        }
    }
}

#[test]
fn a_pax_archive_with_attributes_reads_as_the_disk() {
    let home = home();
    home.reads_alike(&home.archive(&["--format=posix", "--xattrs"]), true);
}

#[test]
fn a_gnu_archive_with_sparse_files_reads_as_the_disk() {
    let home = home();
    home.reads_alike(&home.archive(&["--format=gnu", "--sparse"]), false);
}

#[test]
fn compressed_archives_read_as_the_disk_in_one_pass() {
    let home = home();
    let plain = fs::read(home.archive(&["--format=posix", "--xattrs"])).unwrap();
    let packed = home.place.path().join("packed");
    fs::write(&packed, zstd::encode_all(&*plain, 1).unwrap()).unwrap();
    home.reads_alike(&packed, true);
    let gzip = Command::new("gzip").args(["--stdout", "--fast"]).arg(home.place.path().join("archive.tar")).output();
    fs::write(&packed, gzip.unwrap().stdout).unwrap();
    home.reads_alike(&packed, true);
}

#[test]
fn pax_archives_with_sparse_files_of_every_version_read_as_the_disk() {
    let home = home();
    fs::File::create(home.home.join("hole-alone")).unwrap().set_len(3_000_000).unwrap();
    for version in ["0.0", "0.1", "1.0"] {
        let version = format!("--sparse-version={version}");
        home.reads_alike(&home.archive(&["--format=posix", "--xattrs", "--sparse", &version]), true);
    }
}

#[test]
fn a_deep_and_long_name_survives_every_format() {
    let home = home();
    let deep = home.home.join(["long-folder-name"; 20].join("/"));
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("x".repeat(200)), "found").unwrap();
    std::os::unix::fs::symlink("y".repeat(300), deep.join("link")).unwrap();
    home.reads_alike(&home.archive(&["--format=gnu"]), false);
    home.reads_alike(&home.archive(&["--format=posix", "--xattrs"]), true);
}

/// Whoever writes into an archive can put its size and its time back.
#[test]
fn an_archive_that_was_changed_in_place_is_another_one_and_gives_no_bytes() {
    let home = home();
    fs::write(home.home.join("note"), "reviewed bytes").unwrap();
    for options in [&[][..], &["--gzip"], &["--zstd"]] {
        let archive = home.archive(options);
        let store = TarStore::open(&archive).unwrap();
        let tree = store.tree(&TreePath::new("home").unwrap()).unwrap().unwrap();
        let note = TreePath::new("note").unwrap();
        let mut reading = tree.open(&note).unwrap();
        let written = fs::metadata(&archive).unwrap().modified().unwrap();
        let bytes = fs::read(&archive).unwrap();
        let file = fs::OpenOptions::new().write(true).open(&archive).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, &bytes, 0).unwrap();
        file.set_modified(written).unwrap();

        let error = std::io::Read::read_to_end(&mut reading, &mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("was changed since"), "{error}");
        assert_eq!(tree.open(&note).err().unwrap().kind(), ErrorKind::Conflict);
        let read = contents(&*tree, 1);
        assert!(read.values().filter(|read| read.is_ok()).count() == 0, "{read:?}");
        let again = TarStore::open(&archive).unwrap();
        assert_ne!(again.identity().unwrap(), store.identity().unwrap());
    }
}

#[test]
fn an_archive_that_a_newer_one_replaces_is_read_to_its_end() {
    let home = home();
    let archive = home.archive(&[]);
    let store = TarStore::open(&archive).unwrap();
    let tree = store.tree(&TreePath::new("home").unwrap()).unwrap().unwrap();
    let newer = home.place.path().join("newer");
    fs::write(&newer, "no archive at all").unwrap();
    fs::rename(newer, &archive).unwrap();
    assert!(contents(&*tree, 1).values().all(|read| read.is_ok()));
}
