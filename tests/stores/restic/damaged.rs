use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rekindle::model::{Error, ErrorKind, Result, TreePath};
use rekindle::stores::Store;

use crate::support::nodes::noise;
use crate::support::repository::{Backup, Repository};
use crate::support::sink::contents;

/// Two backups, so that two data packs hold different files: `early` and `late`.
struct Two {
    repository: Repository,
    home: PathBuf,
    early: PathBuf,
    late: PathBuf,
    _place: tempfile::TempDir,
}

fn two() -> Two {
    let place = tempfile::tempdir().unwrap();
    let home = place.path().canonicalize().unwrap().join("home");
    fs::create_dir(&home).unwrap();
    let repository = Repository::init(2, "default");
    let data_packs = |repository: &Repository| -> Vec<PathBuf> {
        // Noise makes data packs large and tree packs small.
        repository.files("data").into_iter().filter(|file| fs::metadata(file).unwrap().len() > 200_000).collect()
    };
    fs::write(home.join("early"), noise(300_000, 1)).unwrap();
    repository.backup(&home, Backup { time: "2026-01-01 03:00:00", ..Backup::default() });
    let early = data_packs(&repository);
    fs::write(home.join("late"), noise(300_000, 2)).unwrap();
    repository.backup(&home, Backup { time: "2026-01-02 03:00:00", ..Backup::default() });
    let late = data_packs(&repository).into_iter().find(|pack| !early.contains(pack)).unwrap();
    Two { repository, home, early: early[0].clone(), late, _place: place }
}

impl Two {
    fn read(&self) -> BTreeMap<String, Result<Vec<u8>>> {
        let store = self.repository.open().unwrap();
        let tree = store.tree(&TreePath::new(self.home.to_str().unwrap()).unwrap()).unwrap().unwrap();
        contents(&*tree, 2).into_iter().map(|(path, bytes)| (path.to_string(), bytes)).collect()
    }

    /// `late` cannot be read and says why; `early` is as it was.
    fn only_late_is_corrupt(&self, why: &str) {
        let mut read = self.read();
        assert_eq!(read.remove("early").unwrap().unwrap(), noise(300_000, 1));
        let error = read.remove("late").unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
        assert!(error.chain().contains(why), "{error:?}");
        assert!(error.hint().unwrap().contains("restic"), "{error:?}");
    }
}

/// What is known of both files without reading them, by their names.
fn known_unreadable(two: &Two) -> Vec<(&'static str, String)> {
    let store = two.repository.open().unwrap();
    let tree = store.tree(&TreePath::new(two.home.to_str().unwrap()).unwrap()).unwrap().unwrap();
    let names = ["early", "late"];
    let paths = names.map(|name| TreePath::new(name).unwrap());
    let told = tree.unreadable(&paths.iter().collect::<Vec<_>>());
    told.into_iter().map(|(at, why)| (names[at], why)).collect()
}

#[test]
fn what_a_lost_pack_costs_is_known_before_anything_is_read() {
    let two = two();
    assert_eq!(known_unreadable(&two), []);
    let pack = two.late.file_name().unwrap().to_str().unwrap()[..8].to_owned();
    two.repository.damage(&two.late, |bytes| bytes.truncate(1000));
    assert_eq!(known_unreadable(&two), [("late", format!("pack {pack} is cut to 1.0 kB"))]);
    fs::remove_file(&two.late).unwrap();
    assert_eq!(known_unreadable(&two), [("late", format!("pack {pack} is missing"))]);
}

#[test]
fn a_pack_that_was_brought_back_is_seen_while_the_repository_is_open() {
    let two = two();
    let kept = two.late.with_extension("kept");
    fs::rename(&two.late, &kept).unwrap();
    let store = two.repository.open().unwrap();
    let tree = store.tree(&TreePath::new(two.home.to_str().unwrap()).unwrap()).unwrap().unwrap();
    let late = TreePath::new("late").unwrap();
    assert_eq!(tree.unreadable(&[&late]).len(), 1);
    fs::rename(&kept, &two.late).unwrap();
    let begun = std::time::Instant::now();
    while !tree.unreadable(&[&late]).is_empty() {
        assert!(begun.elapsed() < std::time::Duration::from_secs(60), "it is never looked for again");
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
}

#[test]
fn a_missing_pack_spoils_only_the_files_in_it() {
    let two = two();
    fs::remove_file(&two.late).unwrap();
    two.only_late_is_corrupt("is missing");
}

#[test]
fn a_truncated_pack_spoils_only_the_files_in_it() {
    let two = two();
    two.repository.damage(&two.late, |bytes| bytes.truncate(1000));
    two.only_late_is_corrupt("shorter");
}

#[test]
fn what_lies_before_the_cut_of_a_truncated_pack_is_still_read() {
    let two = two();
    for index in 0..8 {
        fs::write(two.home.join(format!("small-{index}")), noise(40_000, 10 + index)).unwrap();
    }
    two.repository.backup(&two.home, Backup { time: "2026-01-03 03:00:00", ..Backup::default() });
    let known = [&two.early, &two.late];
    let mut packs = two.repository.files("data").into_iter();
    let third = packs.rfind(|pack| fs::metadata(pack).unwrap().len() > 200_000 && !known.contains(&pack));
    // The files lie one after the other and are fetched together.
    two.repository.damage(&third.unwrap(), |bytes| bytes.truncate(170_000));
    let (whole, lost): (Vec<_>, Vec<_>) = two.read().into_iter().partition(|(_, read)| read.is_ok());
    assert_eq!((whole.len(), lost.len()), (6, 4), "{lost:?}");
    assert!(lost.iter().all(|(name, _)| name.starts_with("small-")));
    // Whoever leaves out what the advice names leaves no sound file out.
    let advice: Vec<&str> = lost.iter().filter_map(|(_, read)| read.as_ref().unwrap_err().hint()).collect();
    assert!(advice.iter().any(|advice| advice.contains("what is lost with it")), "{advice:?}");
    assert!(whole.iter().all(|(name, _)| advice.iter().all(|advice| !advice.contains(name.as_str()))), "{advice:?}");
}

#[test]
fn a_flipped_bit_never_becomes_a_wrong_byte() {
    let two = two();
    two.repository.damage(&two.late, |bytes| bytes[150_000] ^= 0x10);
    two.only_late_is_corrupt("checksum");
}

#[test]
fn an_empty_pack_is_corrupt() {
    let two = two();
    two.repository.damage(&two.late, Vec::clear);
    two.only_late_is_corrupt("shorter");
}

#[test]
fn a_pack_in_the_place_of_another_never_gives_its_bytes_for_the_others() {
    let two = two();
    let (early, late) = (fs::read(&two.early).unwrap(), fs::read(&two.late).unwrap());
    // Both are encrypted with the repository's key, so each is whole in itself.
    two.repository.damage(&two.early, |bytes| *bytes = late);
    two.repository.damage(&two.late, |bytes| *bytes = early);
    for (name, read) in two.read() {
        let error = read.expect_err(&name);
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.chain().contains("other bytes"), "{error:?}");
    }
}

fn opening_fails(repository: &Repository) -> Error {
    let error = repository.open().err().expect("a damaged repository was opened");
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
    error
}

#[test]
fn a_corrupt_index_is_refused_with_the_way_to_repair_it() {
    let two = two();
    let index = two.repository.files("index").remove(0);
    two.repository.damage(&index, |bytes| bytes[40] ^= 1);
    assert!(opening_fails(&two.repository).hint().unwrap().contains("rebuild-index"));
    two.repository.damage(&index, Vec::clear);
    opening_fails(&two.repository);
}

#[test]
fn a_missing_index_makes_its_files_unreadable_not_absent() {
    let two = two();
    let whole = two.repository.files("index");
    for index in &whole {
        let bytes = fs::read(index).unwrap();
        fs::remove_file(index).unwrap();
        let store = two.repository.open().unwrap();
        let outcome = store.tree(&TreePath::new(two.home.to_str().unwrap()).unwrap()).and_then(|tree| {
            let tree = tree.expect("the directory is there or unreadable, never absent");
            let read = contents(&*tree, 1);
            assert_eq!(read.len(), 2);
            read.into_values().collect::<Result<Vec<_>>>()
        });
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Corrupt);
        fs::write(index, bytes).unwrap();
    }
}

#[test]
fn a_damaged_snapshot_file_is_an_error_not_a_shorter_list() {
    let two = two();
    let snapshots = two.repository.files("snapshots");
    two.repository.damage(&snapshots[0], |bytes| bytes[20] ^= 1);
    opening_fails(&two.repository);
}

#[test]
fn a_damaged_tree_stops_the_walk_with_an_error() {
    let two = two();
    // Tree packs are small here; the newest is the one that `latest` needs.
    let small = |file: &Path| fs::metadata(file).unwrap().len() < 200_000;
    for pack in two.repository.files("data").into_iter().filter(|file| small(file)) {
        two.repository.damage(&pack, |bytes| bytes[5] ^= 1);
    }
    let store = two.repository.open().unwrap();
    let tree = store.tree(&TreePath::root()).unwrap().unwrap();
    let walked: Vec<_> = tree.entries().unwrap().collect();
    assert_eq!(walked.iter().filter(|entry| entry.is_err()).count(), 1);
    let error = walked.into_iter().next_back().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
}

#[test]
fn a_keys_folder_that_is_gone_is_not_called_a_wrong_password() {
    let two = two();
    fs::remove_dir_all(two.repository.path().join("keys")).unwrap();
    let error = two.repository.open().err().unwrap();
    assert_ne!(error.kind(), ErrorKind::Denied, "{error:?}");
}
