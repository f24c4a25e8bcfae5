use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use rekindle::model::{ErrorKind, Result, TreePath};
use rekindle::reader::{Reader, Wanted};
use rekindle::stores::restic::{Config, ResticStore};
use rekindle::stores::tar::TarStore;
use rekindle::stores::{DirectoryStore, Store};

use crate::live::{self, Fields, Live, fields};
use crate::step::the_one;
use crate::support::repository::Repository;

/// A way to keep a directory. A new store adds one of these.
trait Kept {
    fn open(&self) -> Result<Arc<dyn Store>>;

    /// Takes a part of what was kept away: nothing of it may look like a smaller backup.
    fn damage(&self);
}

struct Directory(std::path::PathBuf);

impl Kept for Directory {
    fn open(&self) -> Result<Arc<dyn Store>> {
        Ok(Arc::new(DirectoryStore::open(&self.0)?))
    }

    /// A link stands where the directory was, to a place that holds less.
    fn damage(&self) {
        fs::rename(self.0.join("users"), self.0.join("moved")).unwrap();
        fs::create_dir(self.0.join("less")).unwrap();
        std::os::unix::fs::symlink("less", self.0.join("users")).unwrap();
    }
}

struct Tar(std::path::PathBuf);

impl Kept for Tar {
    fn open(&self) -> Result<Arc<dyn Store>> {
        Ok(Arc::new(TarStore::open(&self.0)?))
    }

    fn damage(&self) {
        let bytes = fs::read(&self.0).unwrap();
        fs::write(&self.0, &bytes[..bytes.len() / 3]).unwrap();
    }
}

struct Restic(Repository);

impl Kept for Restic {
    fn open(&self) -> Result<Arc<dyn Store>> {
        let config: Config = self.0.config();
        Ok(Arc::new(ResticStore::open(&config)?))
    }

    fn damage(&self) {
        for pack in self.0.files("data") {
            fs::remove_file(pack).unwrap();
        }
    }
}

/// Keeps what lies below `users` in a directory.
type Keep = fn(&Path) -> Box<dyn Kept>;

/// Every store. A later one is added here.
const STORES: [(&str, Keep); 3] = [
    ("directory", |from| {
        let to = from.with_extension("kept");
        assert!(Command::new("cp").arg("-a").arg(from).arg(&to).status().unwrap().success());
        Box::new(Directory(to))
    }),
    ("tar", |from| {
        let to = from.with_extension("tar.gz");
        let made = Command::new("tar").arg("-czf").arg(&to).arg("-C").arg(from).arg("users").status().unwrap();
        assert!(made.success());
        Box::new(Tar(to))
    }),
    ("restic", |from| {
        let repository = Repository::init(2, "auto");
        // restic keeps a relative path as it is given.
        let made = Command::new("restic")
            .args(["backup", "--no-cache", "--quiet", "users"])
            .current_dir(from)
            .env("RESTIC_REPOSITORY", repository.path())
            .env("RESTIC_PASSWORD", crate::support::repository::PASSWORD)
            .status()
            .unwrap();
        assert!(made.success());
        Box::new(Restic(repository))
    }),
];

struct Case {
    name: String,
    live: Box<dyn Live>,
    kept: Box<dyn Kept>,
    _folder: tempfile::TempDir,
}

fn ana() -> Fields {
    fields(&[("one", "of ana"), ("two", "also of ana")])
}

/// Every store with every format; ana and bob are kept in each.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (store, keep) in STORES {
        for (format, live) in live::all() {
            let folder = tempfile::tempdir().unwrap();
            let from = folder.path().join("from");
            live.lay(&from, "bob", &fields(&[("one", "of bob")]));
            live.lay(&from, "ana", &ana());
            let kept = keep(&from);
            cases.push(Case { name: format!("{format} in {store}"), live, kept, _folder: folder });
        }
    }
    cases
}

impl Case {
    fn source(&self) -> Result<Arc<dyn Reader>> {
        Ok(self.live.source(self.kept.open()?))
    }
}

#[tokio::test]
async fn every_source_keeps_the_contract_of_readers() {
    for case in cases() {
        let name = &case.name;
        let source = case.source().unwrap();
        let owners = source.owners(&TreePath::new("users").unwrap(), None).await.unwrap().names;
        assert_eq!(owners, ["ana", "bob"], "{name}");

        let listed = source.list(&[case.live.scope("bob"), case.live.scope("ana")]).await;
        let listed: Vec<_> = listed.into_iter().map(Result::unwrap).collect();
        assert_eq!(listed.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1], "{name}");
        let (bob, ana) = (&listed[0][0], &listed[1][0]);
        let mut gone = ana.clone();
        gone.at = TreePath::new("users/nobody").unwrap();
        let read = source.read(&Wanted::alone(&[ana.clone(), gone, bob.clone(), ana.clone()])).await;
        let ids: Vec<_> = read.into_iter().map(|read| read.unwrap().map(|resource| resource.id)).collect();
        let (ana_id, bob_id) = (Some(ana.id.clone()), Some(bob.id.clone()));
        assert_eq!(ids, [ana_id.clone(), None, bob_id, ana_id], "{name}");

        let identity = source.identity().await.unwrap();
        assert_eq!(case.source().unwrap().identity().await.unwrap(), identity, "{name}");
    }
}

#[tokio::test]
async fn a_place_that_a_backup_lacks_is_an_error_and_not_an_empty_one() {
    for case in cases() {
        let source = case.source().unwrap();
        let mut scope = case.live.scope("ana");
        scope.below = TreePath::new("elsewhere/ana").unwrap();
        let error = source.list(&[scope]).await.pop().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{}: {error}", case.name);
        let nowhere = source.owners(&TreePath::new("elsewhere").unwrap(), None).await.unwrap_err();
        assert_eq!(nowhere.kind(), ErrorKind::NotFound, "{}: {nowhere}", case.name);
    }
}

#[tokio::test]
async fn what_is_read_is_what_was_kept() {
    for case in cases() {
        let source = case.source().unwrap();
        let read = the_one(&*source, &case.live.scope("ana")).await.unwrap();
        let seen: Fields = match (read.document(), read.tree()) {
            (Some(document), _) => case.live.fields_of(&document.value),
            (_, Some(tree)) => {
                let files = ana().into_keys().map(|name| {
                    let mut text = String::new();
                    let mut file = tree.open(&TreePath::new(&name).unwrap()).unwrap();
                    std::io::Read::read_to_string(&mut file, &mut text).unwrap();
                    (name, text)
                });
                files.collect()
            }
            _ => Fields::new(),
        };
        assert_eq!(seen, ana(), "{}", case.name);
    }
}

#[tokio::test]
async fn a_damaged_backup_never_looks_like_a_smaller_one() {
    for case in cases() {
        case.kept.damage();
        let Ok(source) = case.source() else { continue };
        let owners = source.owners(&TreePath::new("users").unwrap(), None).await;
        assert!(owners.is_err(), "{}: {owners:?}", case.name);
        let listed = source.list(&[case.live.scope("ana")]).await.pop().unwrap();
        assert!(listed.is_err(), "{}: {listed:?}", case.name);
    }
}
