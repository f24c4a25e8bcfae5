use std::path::PathBuf;

use crate::declared::{Key, Shape};
use crate::model::KindSchema;

use super::Syntax;

/// The runbook's key for [`DocumentFilesConfig::owner_field`], which means the same for all such directories.
pub const OWNER: &str = "owner";

pub const OWNER_KEY: Key = Key::new(
    OWNER,
    Shape::Word,
    "The field that names a document's owner, as in spec.user; without it the file's stem does.",
);

#[derive(Debug)]
pub struct DocumentFilesConfig {
    pub syntax: &'static dyn Syntax,
    pub root: PathBuf,
    /// The field that names a document's owner, as in `spec.user`; without it the file's stem does.
    pub owner_field: Option<String>,
    pub schema: KindSchema,
}
