//! The one place that names every adapter: from what a runbook says to the systems it stands for.

mod absent;
mod in_clear;
mod inline;
mod keyring;
mod live_source;
mod lost_former;
mod password;
mod systems;
mod vault;

pub use lost_former::{former_gone, lost_former};
pub use systems::{Pins, Systems, same_system};

use std::path::Path;
use std::sync::Arc;

use crate::adapter::{Opening, Password};
use crate::component::Component;
use crate::components::documents::DocumentsSource;
use crate::components::files::FilesSource;
use crate::components::keycloak::{ExportConfig, KeycloakExport};
use crate::model::{Error, ErrorKind, KindSchema, Result, TreePath};
use crate::reader::Reader;
use crate::runbook::{ComponentSettings, Format, Inputs, Restic, Source, SourceFrom};
use crate::stores::restic::{Config, ResticStore, SnapshotChoice};
use crate::stores::tar::TarStore;
use crate::stores::{BackedUpOwners, DirectoryStore, Store};

/// What can be read from, for `rekindle info`.
pub const STORES: [&str; 3] = ["directory", "tar (plain, gz, zst)", "restic (local, rest:, s3:)"];
pub const FORMATS: [&str; 3] = ["files", "documents", "keycloak-export"];

/// What the stores' folder says of them all, in Markdown, for `rekindle help`.
pub const STORES_PAGE: &str = include_str!("../stores/README.md");

/// Blocks where a login's secret comes from a command.
fn component(settings: &ComponentSettings<String>, inputs: &Inputs) -> Result<Arc<dyn Component>> {
    (settings.adapter.open)(&Opening {
        given: &settings.given,
        secret: &|place| password::read(place, inputs),
        may_send: &|what, url| in_clear::check(what, url, inputs),
        is_insecure: inputs.insecure,
        kept_out: inputs.kept_out.as_deref(),
    })
}

/// Blocks: opens the store. `pinned` is the snapshot that the run began with.
fn store(source: &Source<String>, inputs: &Inputs, pinned: Option<&str>) -> Result<Option<Arc<dyn Store>>> {
    Ok(Some(match &source.from {
        SourceFrom::Directory(path) => Arc::new(DirectoryStore::open(Path::new(path))?),
        SourceFrom::Tar(path) => {
            Arc::new(TarStore::open_with(Path::new(path), &BackedUpOwners::new(source.owners_by))?)
        }
        SourceFrom::Restic(restic) => Arc::new(ResticStore::open(&restic_config(source, restic, inputs, pinned)?)?),
        SourceFrom::Component(_) => return Ok(None),
    }))
}

/// A REST server gets a login where its address or the environment holds one.
fn sends_a_login(url: &str) -> bool {
    url.contains('@') || std::env::var_os("RESTIC_REST_USERNAME").is_some()
}

fn restic_config(
    source: &Source<String>,
    restic: &Restic<String>,
    inputs: &Inputs,
    pinned: Option<&str>,
) -> Result<Config> {
    let doing = || format!("open the source '{}'", source.name);
    if let Some(url) = restic.repository.strip_prefix("rest:").filter(|url| sends_a_login(url)) {
        in_clear::check("the repository's login", url, inputs)?;
    }
    let password = match &restic.password {
        Some(password) => password::read(password, inputs)?,
        None => password::read(&Password::Env("RESTIC_PASSWORD".to_owned()), inputs)?,
    };
    let before = match &restic.before {
        Some(text) => Some(text.parse().map_err(|error: jiff::Error| {
            Error::new(ErrorKind::Invalid, doing(), format!("'before: {text}' is no time: {error}"))
                .next("write it as 2026-11-20T03:00:00Z")
        })?),
        None => None,
    };
    let snapshot = match pinned {
        Some(id) => SnapshotChoice { id: Some(id.to_owned()), ..SnapshotChoice::default() },
        None => SnapshotChoice {
            id: restic.snapshot.clone(),
            host: restic.host.clone(),
            path: restic.path.clone(),
            tag: restic.tag.clone(),
            before,
        },
    };
    Ok(Config {
        repository: restic.repository.clone(),
        password,
        keys: None,
        snapshot,
        owners: source.owners_by,
        cache: None,
    })
}

fn formatted(source: &Source<String>, store: Arc<dyn Store>) -> Result<Arc<dyn Reader>> {
    Ok(match source.format {
        Format::Files => Arc::new(FilesSource::new(store, KindSchema::default())),
        Format::Documents => Arc::new(DocumentsSource::new(store, source.owner.clone(), KindSchema::default())),
        Format::KeycloakExport => {
            let at = source.export.as_ref().map(TreePath::new).transpose()?.unwrap_or_default();
            Arc::new(KeycloakExport::new(store, ExportConfig { at, realm: source.realm.clone() }))
        }
    })
}
