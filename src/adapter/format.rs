use std::sync::Arc;

use crate::declared::{Given, Key};
use crate::model::Result;
use crate::reader::Reader;
use crate::stores::Store;

/// How a store's files are read as resources.
#[derive(Debug)]
pub struct Format {
    /// The word by which a runbook chooses it.
    pub name: &'static str,
    /// All keys of a source that are about this format.
    pub keys: &'static [Key],
    /// Whether it holds plain documents: the system that they are restored to tells which resource each of them is.
    pub is_of_documents: bool,
    pub read: Read,
}

/// From a store and what the runbook gives. Errors: a key's text means nothing to the format. Reads nothing yet.
pub type Read = fn(Arc<dyn Store>, &Given<String>) -> Result<Arc<dyn Reader>>;
