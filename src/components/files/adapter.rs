use std::path::Path;
use std::sync::Arc;

use super::{FilesComponent, FilesConfig, FilesSource, keeps_run};
use crate::adapter::{Adapter, Format, Places};
use crate::component::Component;
use crate::declared::{Key, Opening, Shape, nothing_to_check};
use crate::model::{KindSchema, Privileges, Result, TargetIdentity};

pub static ADAPTER: Adapter = Adapter {
    name: "files",
    about: "The directory beneath which everything happens.",
    keys: &[
        Key::new("ignore", Shape::Words, "gitignore patterns of paths that are neither compared nor written."),
        Key::new(
            "setuid",
            Shape::Choice(&["strip", "refuse", "keep"]),
            "What becomes of setuid and setgid bits and file capabilities of a backup's files: strip if not given.",
        ),
    ],
    questions: &["file"],
    places: Places::DirectoryOfOwner,
    sends_a_login: false,
    check: nothing_to_check,
    voice: &["rekindle::beneath", "rekindle::components::files"],
    page: include_str!("README.md"),
    has_kept,
    formats: &[Format {
        name: "files",
        keys: &[],
        is_of_documents: false,
        read: |store, _| Ok(Arc::new(FilesSource::new(store, KindSchema::default()))),
    }],
    open: |opening| Box::pin(async { open(opening) }),
};

fn open(opening: &Opening<'_>) -> Result<Arc<dyn Component>> {
    let given = opening.given;
    let setuid = match given.word("setuid") {
        Some("refuse") => Privileges::Refuse,
        Some("keep") => Privileges::Keep,
        _ => Privileges::Strip,
    };
    let root = given.text(ADAPTER.name).cloned().unwrap_or_default().into();
    let component = FilesComponent::new(FilesConfig { root, ignore: given.words("ignore").to_vec(), setuid });
    Ok(Arc::new(match &opening.kept_out {
        Some(kept_out) => component.keeping_out_of(kept_out),
        None => component,
    }))
}

/// What such a target calls itself, in its identity.
const SYSTEM: &str = "directory";

fn has_kept(target: &TargetIdentity, run: &str) -> Option<bool> {
    // A relative path begins where that run was called, which is not on record.
    let root = Path::new(&target.address);
    (target.system == SYSTEM && root.is_absolute()).then(|| keeps_run(root, run))
}
