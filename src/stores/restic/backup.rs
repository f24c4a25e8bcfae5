use std::path::Path;

use rustic_backend::BackendOptions;
use rustic_core::{
    BackupOptions, ConfigOptions, Credentials, KeyOptions, PathList, Repository, RepositoryOptions, SnapshotOptions,
};

use super::address::Address;
use super::problem::{During, explained};
use super::quiet::guarded_in_pool;
use crate::model::{Error, ErrorKind, Result, Secret};

/// Backs `source` up under its absolute path into the repository in the folder `repository`, which is made where
/// there is none. For the demo and for trying things out. Answers the snapshot's id, 64 hex digits.
///
/// rustic keeps no metadata of `source` itself and of the directories above it, only of what is below.
pub fn back_up(repository: &Path, password: &Secret, source: &Path, tags: &[&str], host: &str) -> Result<String> {
    let shown = repository.display().to_string();
    let address = Address::Local(shown.clone());
    let doing = || format!("back {} up into {address}", source.display());
    let not_text =
        |path: &Path| Error::new(ErrorKind::Unsupported, doing(), format!("the path {} is not UTF-8", path.display()));
    let folder = repository.to_str().ok_or_else(|| not_text(repository))?;
    let source = source.canonicalize().map_err(|error| Error::io(doing(), error))?;
    let source_text = source.to_str().ok_or_else(|| not_text(&source))?;
    let there = repository.join("config").exists();
    guarded_in_pool(doing, || {
        let made = (|| {
            let backends = BackendOptions::default().repository(folder).to_backends()?;
            let mut options = RepositoryOptions::default();
            options.no_cache = true;
            let repository = Repository::new(&options, &backends)?;
            let credentials = Credentials::password(password.expose());
            let opened = if there {
                repository.open(&credentials)?
            } else {
                repository.init(&credentials, &KeyOptions::default(), &ConfigOptions::default())?
            };
            let mut described = SnapshotOptions::default().host(host.to_owned());
            for tag in tags {
                described = described.add_tags(tag)?;
            }
            let paths = PathList::from_string(source_text)?;
            opened.to_indexed_ids()?.backup(&BackupOptions::default(), &paths, described.to_snapshot()?)
        })();
        let snapshot = made.map_err(|error| explained(During::Opening, doing(), &address, error))?;
        Ok(snapshot.id.to_hex().as_str().to_owned())
    })
}
