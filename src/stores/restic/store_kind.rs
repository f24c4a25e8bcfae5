use std::sync::Arc;

use super::{Config, ResticStore, SnapshotChoice};
use crate::blocking::blocking;
use crate::declared::{Key, Opening, Password, Shape, nothing_to_check};
use crate::model::{Error, ErrorKind, Result};
use crate::stores::backed_up_owners::{KEY, owners_by};
use crate::stores::{Store, StoreKind};

pub static STORE: StoreKind = StoreKind {
    name: "restic",
    about: "A restic repository: a local path, rest:… or s3:….",
    keys: &[
        Key::new("password", Shape::Password, "The repository's; without it $RESTIC_PASSWORD."),
        Key::new("snapshot", Shape::Text, "An id, or latest (default)."),
        Key::new("host", Shape::Text, "The host that the snapshot is of."),
        Key::new("path", Shape::Text, "One of the paths that the snapshot was made of."),
        Key::new("tag", Shape::Text, "A tag that the snapshot has."),
        Key::new("before", Shape::Text, "The newest snapshot that is not later than this time."),
        KEY,
    ],
    variants: "local, rest:, s3:",
    check: nothing_to_check,
    sends,
    open: |opening| Box::pin(open(opening)),
};

/// A REST server may want a login.
fn sends(repository: &str) -> Option<(&'static str, &str)> {
    repository.strip_prefix("rest:").map(|url| ("the login, if this server wants one,", url))
}

/// It gets one where its address or the environment holds one.
fn sends_a_login(url: &str) -> bool {
    url.contains('@') || std::env::var_os("RESTIC_REST_USERNAME").is_some()
}

async fn open(opening: &Opening<'_>) -> Result<Arc<dyn Store>> {
    let text = |key: &str| opening.given.text(key).cloned();
    let repository = text(STORE.name).unwrap_or_default();
    if let Some(url) = repository.strip_prefix("rest:").filter(|url| sends_a_login(url)) {
        opening.secrets.may_send("the repository's login", url)?;
    }
    let of_environment = Password::Env("RESTIC_PASSWORD".to_owned());
    let password = opening.secrets.read(opening.given.password("password").unwrap_or(&of_environment)).await?;
    let snapshot = match opening.pinned {
        Some(id) => SnapshotChoice { id: Some(id.to_owned()), ..SnapshotChoice::default() },
        None => SnapshotChoice {
            id: text("snapshot"),
            host: text("host"),
            path: text("path"),
            tag: text("tag"),
            before: text("before").map(|text| time(opening.name, &text)).transpose()?,
        },
    };
    let config = Config { repository, password, keys: None, snapshot, owners: owners_by(opening.given), cache: None };
    blocking("open a repository", move || Ok(Arc::new(ResticStore::open(&config)?) as Arc<dyn Store>)).await
}

fn time(source: &str, text: &str) -> Result<jiff::Timestamp> {
    text.parse().map_err(|error: jiff::Error| {
        let why = format!("'before: {text}' is no time: {error}");
        Error::new(ErrorKind::Invalid, format!("open the source '{source}'"), why)
            .next("write it as 2026-11-20T03:00:00Z")
    })
}
