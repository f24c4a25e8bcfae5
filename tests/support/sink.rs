use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Mutex;

use rekindle::model::{ContentSink, Error, NodeKind, Result, Tree, TreePath};

/// Keeps what it is given, by position; panics when something comes twice.
#[derive(Default)]
pub struct Collected(pub Mutex<BTreeMap<usize, Result<Vec<u8>>>>);

impl ContentSink for Collected {
    fn content(&self, index: usize, content: Result<&mut (dyn Read + Send)>) -> bool {
        let read = content.and_then(|reader| {
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes).map(|_| bytes).map_err(|error| Error::io("read it", error))
        });
        assert!(self.0.lock().unwrap().insert(index, read).is_none(), "{index} was handed over twice");
        true
    }
}

/// The regular files of a tree, in its order.
pub fn files(tree: &dyn Tree) -> Vec<TreePath> {
    tree.entries()
        .unwrap()
        .map(Result::unwrap)
        .filter(|entry| matches!(entry.kind, NodeKind::File { .. }))
        .map(|entry| entry.path)
        .collect()
}

/// The bytes of all regular files of a tree, read together.
pub fn contents(tree: &dyn Tree, parallel: usize) -> BTreeMap<TreePath, Result<Vec<u8>>> {
    let wanted = files(tree);
    let sink = Collected::default();
    tree.contents(&wanted, parallel, &sink).unwrap();
    let collected = sink.0.into_inner().unwrap();
    assert_eq!(collected.len(), wanted.len(), "each file is handed over once");
    collected.into_iter().map(|(index, bytes)| (wanted[index].clone(), bytes)).collect()
}
