use std::sync::Arc;

use super::{FilesComponent, FilesConfig};
use crate::adapter::{Adapter, Key, Opening, Places, Shape, nothing_to_check};
use crate::component::Component;
use crate::model::{Privileges, Result};

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
    open,
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
    Ok(Arc::new(match opening.kept_out {
        Some(kept_out) => component.keeping_out_of(kept_out),
        None => component,
    }))
}
