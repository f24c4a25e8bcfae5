use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rekindle::model::{ErrorKind, Secret, Tree, TreePath};
use rekindle::stores::Store;
use rekindle::stores::restic::{Config, ResticStore, S3Keys};

use crate::support::nodes::{make_every_kind, noise};
use crate::support::repository::{Backup, PASSWORD, Repository, config};
use crate::support::server::Server;
use crate::support::sink::contents;

/// A home with many small files, a large one and odd ones, backed up into a local repository.
struct Home {
    repository: Repository,
    home: PathBuf,
    _place: tempfile::TempDir,
}

const SMALL_FILES: usize = 300;

fn home() -> Home {
    let place = tempfile::tempdir().unwrap();
    let home = place.path().canonicalize().unwrap().join("home");
    make_every_kind(&home);
    for index in 0..SMALL_FILES {
        let folder = home.join(format!("folder-{}", index % 20));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("file-{index}")), noise(2000 + index, index as u64 + 100)).unwrap();
    }
    let repository = Repository::init(2, "default");
    repository.backup(&home, Backup::default());
    Home { repository, home, _place: place }
}

fn tree(store: &ResticStore, path: &Path) -> std::sync::Arc<dyn Tree> {
    store.tree(&TreePath::new(path.to_str().unwrap()).unwrap()).unwrap().unwrap()
}

/// The same entries and bytes as locally, with a request for each pack, not for each file.
fn reads_as_locally(home: &Home, remote: &ResticStore) {
    let local = home.repository.open().unwrap();
    let (near, far) = (tree(&local, &home.home), tree(remote, &home.home));
    let entries = |tree: &dyn Tree| tree.entries().unwrap().map(Result::unwrap).collect::<Vec<_>>();
    assert_eq!(entries(&*near), entries(&*far));
    let bytes = |tree: &dyn Tree| contents(tree, 4).into_values().map(Result::unwrap).collect::<Vec<_>>();
    assert_eq!(bytes(&*near), bytes(&*far));
    let packs = home.repository.files("data").len() as u64;
    assert!(remote.requests() <= 3 * packs, "{} requests for {packs} packs", remote.requests());
    let counted = remote.requests();
    far.open(&TreePath::new("folder-1/file-1").unwrap()).unwrap();
    assert_eq!(remote.requests(), counted + 1, "the count counts");
}

#[test]
fn a_repository_behind_a_rest_server_reads_as_a_local_one() {
    let home = home();
    let server = Server::rest(&home.repository.path(), &[]);
    let store = ResticStore::open(&config(&format!("rest:http://127.0.0.1:{}/", server.port))).unwrap();
    reads_as_locally(&home, &store);
}

#[test]
fn credentials_of_a_rest_server_are_used_and_never_shown() {
    let home = home();
    let server = Server::rest(&home.repository.path(), &["ops", "hunter2"]);
    let at = |access: &str| config(&format!("rest:http://{access}127.0.0.1:{}/", server.port));
    let store = ResticStore::open(&at("ops:hunter2@")).unwrap();
    assert_eq!(store.identity().unwrap().address, format!("rest:http://127.0.0.1:{}/", server.port));
    let refused = ResticStore::open(&at("ops:hunter3@")).err().unwrap();
    assert!(refused.hint().unwrap().contains("credentials"), "{refused:?}");
    assert!(!format!("{refused:?} {:?}", refused.hint()).contains("hunter3"), "{refused:?}");
    let wrong_password = Config { password: Secret::new("nope"), ..at("ops:hunter2@") };
    assert_eq!(ResticStore::open(&wrong_password).err().unwrap().kind(), ErrorKind::Denied);
}

/// An S3 server with the repository copied into a bucket by restic itself.
fn in_a_bucket(home: &Home, buckets: &Path) -> (Server, Config) {
    fs::create_dir(buckets).unwrap();
    let server = Server::s3(buckets, "key-id", "key-secret");
    let address = format!("s3:http://127.0.0.1:{}/backups/nightly/home", server.port);
    let restic = |arguments: &[&str]| {
        let output = Command::new("restic")
            .args(["--no-cache", "--repo", &address])
            .args(arguments)
            .envs([
                ("RESTIC_PASSWORD", PASSWORD),
                ("AWS_ACCESS_KEY_ID", "key-id"),
                ("AWS_SECRET_ACCESS_KEY", "key-secret"),
            ])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    restic(&["init", "--repository-version", "2"]);
    restic(&["backup", "--host", "mars", home.home.to_str().unwrap()]);
    let keys = Some(S3Keys { id: "key-id".into(), secret: Secret::new("key-secret") });
    (server, Config { keys, ..config(&address) })
}

#[test]
fn a_repository_in_an_s3_bucket_reads_as_a_local_one() {
    let home = home();
    let place = tempfile::tempdir().unwrap();
    let (server, config) = in_a_bucket(&home, &place.path().join("buckets"));
    let store = ResticStore::open(&config).unwrap();
    reads_as_locally(&home, &store);
    let address = format!("s3:http://127.0.0.1:{}/backups/nightly/home", server.port);
    assert_eq!(store.identity().unwrap().address, address);

    let keys = Some(S3Keys { id: "key-id".into(), secret: Secret::new("guessed") });
    let refused = ResticStore::open(&Config { keys, ..config.clone() }).err().unwrap();
    assert_eq!(refused.kind(), ErrorKind::Denied, "{refused:?}");
    assert!(!refused.chain().contains("guessed"));

    let elsewhere = Config { repository: format!("{address}/elsewhere"), ..config };
    assert_eq!(ResticStore::open(&elsewhere).err().unwrap().kind(), ErrorKind::NotFound);
}

#[test]
fn a_missing_object_and_a_dead_server_are_told_apart() {
    let home = home();
    let place = tempfile::tempdir().unwrap();
    let buckets = place.path().join("buckets");
    let (server, config) = in_a_bucket(&home, &buckets);
    let store = ResticStore::open(&config).unwrap();
    let tree = tree(&store, &home.home);
    let whole = contents(&*tree, 2);
    assert!(whole.values().all(Result::is_ok));

    let packs = buckets.join("backups/nightly/home/data");
    fs::rename(&packs, place.path().join("gone")).unwrap();
    let missing = contents(&*tree, 2);
    let errors: Vec<_> = missing.values().filter_map(|read| read.as_ref().err()).collect();
    assert!(errors.len() >= SMALL_FILES && errors.iter().all(|error| error.kind() == ErrorKind::Corrupt));

    server.kill();
    let lost = contents(&*tree, 2);
    let errors: Vec<_> = lost.values().filter_map(|read| read.as_ref().err()).collect();
    assert!(errors.len() >= SMALL_FILES && errors.iter().all(|error| error.kind() == ErrorKind::Unreachable));
    let closed = ResticStore::open(&config).err().unwrap();
    assert_eq!(closed.kind(), ErrorKind::Unreachable, "{closed:?}");
}

#[test]
fn an_async_program_opens_reads_and_drops_stores() {
    let home = home();
    let place = tempfile::tempdir().unwrap();
    let (_s3, bucket) = in_a_bucket(&home, &place.path().join("buckets"));
    let rest = Server::rest(&home.repository.path(), &[]);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for config in [bucket, config(&format!("rest:http://127.0.0.1:{}/", rest.port))] {
            let store = tokio::task::spawn_blocking(move || ResticStore::open(&config).unwrap()).await.unwrap();
            let folder = home.home.clone();
            let (store, read) = tokio::task::spawn_blocking(move || (contents(&*tree(&store, &folder), 4), store))
                .await
                .map(|(read, store)| (store, read))
                .unwrap();
            assert!(read.values().all(Result::is_ok));
            drop(store);
        }
    });
}
