use std::io::{Cursor, Read};
use std::sync::Arc;

use serde_json::Value;

use super::encoding::in_utf8;
use crate::model::{ContentSink, Entry, Error, ErrorKind, Result, Tree, TreePath};
use crate::yaml_problem;

/// As large as a realm's own part may be.
const MAX_BYTES: usize = 64 * 1024 * 1024;
const MAX_DEPTH: usize = 100;
const MAX_NODES: usize = 5_000_000;

/// Whether a file is YAML by its name: realm files of keycloak-config-cli are.
pub(super) fn is_yaml(name: &[u8]) -> bool {
    name.ends_with(b".yaml") || name.ends_with(b".yml")
}

/// A tree whose files are read as JSON in UTF-8, whatever they are written in.
pub(super) struct AsJson(pub Arc<dyn Tree>);

impl Tree for AsJson {
    fn entries(&self) -> Result<Box<dyn Iterator<Item = Result<Entry>> + Send + '_>> {
        self.0.entries()
    }

    fn open(&self, path: &TreePath) -> Result<Box<dyn Read + Send>> {
        let from = in_utf8(self.0.open(path)?).map_err(|error| Error::io(format!("read {path}"), error))?;
        match is_yaml(path.as_bytes()) {
            true => Ok(Box::new(Cursor::new(json_of(path, from)?))),
            false => Ok(from),
        }
    }

    /// Files of people alone are the server's own: JSON in UTF-8.
    fn contents(&self, wanted: &[TreePath], parallel: usize, sink: &dyn ContentSink) -> Result<()> {
        self.0.contents(wanted, parallel, sink)
    }
}

fn json_of(path: &TreePath, from: impl Read) -> Result<Vec<u8>> {
    let doing = || format!("read {path}");
    let bad = |why: String| {
        Error::new(ErrorKind::Invalid, doing(), why).next("mend that file, or give one that the server's import takes")
    };
    let mut text = String::new();
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
    let read = from.take(limit + 1).read_to_string(&mut text).map_err(|error| Error::io(doing(), error))?;
    if read > MAX_BYTES {
        return Err(bad("it is larger than 64 MiB".to_owned()));
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_reader_input_bytes: Some(MAX_BYTES),
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_events: 3 * MAX_NODES,
            max_total_scalar_bytes: MAX_BYTES,
            max_documents: 1,
        },
        with_snippet: false,
        strict_booleans: true,
    };
    let value: Value = serde_saphyr::from_str_with_options(&text, options)
        .map_err(|error| bad(format!("it is not YAML: {}", yaml_problem::in_words(&error))))?;
    serde_json::to_vec(&value).map_err(|error| bad(error.to_string()))
}
