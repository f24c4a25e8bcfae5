use std::fs;
use std::path::{Path, PathBuf};

use rekindle::model::{ErrorKind, Secret, TreePath};
use rekindle::stores::Store;
use rekindle::stores::restic::{Config, ResticStore, SnapshotChoice};

use crate::support::repository::{Backup, Repository};

/// Three nights of two hosts, and one manual backup of something else.
struct Nights {
    repository: Repository,
    home: PathBuf,
    etc: PathBuf,
    ids: Vec<String>,
    _place: tempfile::TempDir,
}

fn nights() -> Nights {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().canonicalize().unwrap();
    let (home, etc) = (root.join("home"), root.join("etc"));
    fs::create_dir(&home).unwrap();
    fs::create_dir(&etc).unwrap();
    fs::write(etc.join("hosts"), "localhost").unwrap();
    let repository = Repository::init(2, "default");
    let mut ids = Vec::new();
    let mut night = |source: &Path, host, tags, time, text: &str| {
        fs::write(home.join("diary"), text).unwrap();
        ids.push(repository.backup(source, Backup { host, tags, time }));
    };
    night(&home, "mars", &["nightly"], "2026-01-01 03:00:00", "first");
    night(&home, "venus", &["nightly"], "2026-01-02 03:00:00", "second");
    night(&home, "mars", &["nightly", "monthly"], "2026-01-03 03:00:00", "third");
    night(&etc, "mars", &["manual"], "2026-01-04 03:00:00", "unread");
    Nights { repository, home, etc, ids, _place: place }
}

impl Nights {
    fn choose(&self, fill: impl Fn(&mut SnapshotChoice)) -> rekindle::model::Result<ResticStore> {
        let mut config = self.repository.config();
        fill(&mut config.snapshot);
        ResticStore::open(&config)
    }

    fn diary(&self, store: &ResticStore) -> String {
        let path = TreePath::new(self.home.to_str().unwrap()).unwrap();
        let tree = store.tree(&path).unwrap().unwrap();
        std::io::read_to_string(tree.open(&TreePath::new("diary").unwrap()).unwrap()).unwrap()
    }
}

#[test]
fn a_snapshot_is_chosen_by_each_thing_it_is_known_by() {
    let nights = nights();
    let home = nights.home.to_str().unwrap();
    let mars = |choice: &mut SnapshotChoice| {
        choice.host = Some("mars".into());
        choice.path = Some(home.into());
    };
    assert_eq!(nights.diary(&nights.choose(mars).unwrap()), "third");
    let by_id = nights.choose(|choice| choice.id = Some(nights.ids[0].clone())).unwrap();
    assert_eq!(nights.diary(&by_id), "first");
    assert_eq!(nights.diary(&nights.choose(|choice| choice.host = Some("venus".into())).unwrap()), "second");
    assert_eq!(nights.diary(&nights.choose(|choice| choice.tag = Some("monthly".into())).unwrap()), "third");
    let early = nights.choose(|choice| {
        mars(choice);
        choice.before = Some("2026-01-02T00:00:00Z".parse().unwrap());
    });
    assert_eq!(nights.diary(&early.unwrap()), "first");
    let etc = nights.choose(|choice| choice.path = Some(nights.etc.to_str().unwrap().into())).unwrap();
    assert_eq!(etc.snapshot().tags, ["manual"]);
    assert!(etc.tree(&TreePath::new(home).unwrap()).unwrap().is_none(), "a snapshot of another path");
}

#[test]
fn a_choice_that_fits_none_or_several_lists_the_candidates() {
    let nights = nights();
    let none = nights.choose(|choice| choice.host = Some("pluto".into())).err().unwrap();
    assert_eq!(none.kind(), ErrorKind::NotFound);
    for id in &nights.ids {
        assert!(none.to_string().contains(id), "{none}");
    }
    let several = nights.choose(|choice| choice.id = Some("latest".into())).err().unwrap();
    assert_eq!(several.kind(), ErrorKind::Ambiguous);
    assert!(several.to_string().contains("2026-01-02 03:00:00 UTC venus"), "{several}");
    assert!(several.hint().unwrap().contains("host and path"));
}

#[test]
fn identity_names_repository_and_snapshot() {
    let nights = nights();
    let store = nights.choose(|choice| choice.id = Some(nights.ids[1].clone())).unwrap();
    let identity = store.identity().unwrap();
    assert_eq!(identity.system, "restic repository");
    assert_eq!(identity.address, nights.repository.path().to_str().unwrap());
    let (repository, snapshot) = identity.id.split().unwrap();
    let config = nights.repository.restic(&["cat", "config"]);
    assert!(String::from_utf8(config.stdout).unwrap().contains(repository));
    assert!(snapshot.starts_with(&nights.ids[1]) && snapshot.len() == 64);
}

#[test]
fn a_wrong_password_is_denied_and_not_shown() {
    let nights = nights();
    let config = Config { password: Secret::new("hunter2-wrong"), ..nights.repository.config() };
    let error = ResticStore::open(&config).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(!error.chain().contains("hunter2") && error.hint().is_some(), "{error:?}");
}

#[test]
fn a_folder_without_a_repository_is_not_found() {
    let place = tempfile::tempdir().unwrap();
    for path in [place.path().to_owned(), place.path().join("nowhere")] {
        let error = ResticStore::open(&crate::support::repository::config(path.to_str().unwrap())).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
    }
    let empty = Repository::init(2, "default").open().err().unwrap();
    assert_eq!(empty.kind(), ErrorKind::NotFound);
    assert!(empty.to_string().contains("holds no snapshot"), "{empty}");
}

#[test]
fn a_cache_is_kept_only_where_it_is_asked_for() {
    let nights = nights();
    let cache = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let config = Config { cache: Some(cache.path().to_owned()), ..nights.repository.config() };
        let config =
            Config { snapshot: SnapshotChoice { id: Some(nights.ids[2].clone()), ..Default::default() }, ..config };
        assert_eq!(nights.diary(&ResticStore::open(&config).unwrap()), "third");
    }
    assert!(fs::read_dir(cache.path()).unwrap().count() > 0);
}
