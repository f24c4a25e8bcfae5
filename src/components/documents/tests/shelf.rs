use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read};
use std::sync::Arc;

use crate::model::{Entry, Error, ErrorKind, Meta, NodeKind, Result, TargetIdentity, Tree, TreePath};
use crate::stores::Store;

/// A backup of a few files, held in memory.
#[derive(Clone)]
pub struct Shelf(pub BTreeMap<TreePath, Vec<u8>>);

impl Shelf {
    pub fn of(files: &[(&str, &str)]) -> Arc<Self> {
        let file = |(path, text): &(&str, &str)| (TreePath::new(path).unwrap(), text.as_bytes().to_vec());
        Arc::new(Self(files.iter().map(file).collect()))
    }

    fn node(&self, path: &TreePath) -> Option<Entry> {
        let kind = match self.0.get(path) {
            Some(bytes) => NodeKind::File { size: bytes.len() as u64, link: None },
            None => {
                self.0.keys().find(|file| file.relative_to(path).is_some())?;
                NodeKind::Directory
            }
        };
        Some(Entry { path: path.clone(), kind, meta: Meta::default() })
    }
}

impl Store for Shelf {
    fn identity(&self) -> Result<TargetIdentity> {
        Ok(TargetIdentity { system: "shelf".into(), address: "memory".into(), id: "1".into() })
    }

    fn entry(&self, path: &TreePath) -> Result<Option<Entry>> {
        Ok(self.node(path))
    }

    fn children(&self, path: &TreePath) -> Result<Option<Vec<Entry>>> {
        let child = |file: &TreePath| path.join(file.relative_to(path)?.parts().next()?).ok();
        let names: BTreeSet<TreePath> = self.0.keys().filter_map(child).collect();
        let children: Vec<Entry> = names.iter().filter_map(|name| self.node(name)).collect();
        Ok((!children.is_empty()).then_some(children))
    }

    fn tree(&self, path: &TreePath) -> Result<Option<Arc<dyn Tree>>> {
        let below = |(file, bytes): (&TreePath, &Vec<u8>)| Some((file.relative_to(path)?, bytes.clone()));
        let files: BTreeMap<_, _> = self.0.iter().filter_map(below).collect();
        Ok((!files.is_empty()).then(|| Arc::new(Self(files)) as Arc<dyn Tree>))
    }
}

impl Tree for Shelf {
    fn entries(&self) -> Result<Box<dyn Iterator<Item = Result<Entry>> + Send + '_>> {
        Ok(Box::new(self.0.keys().filter_map(|path| self.node(path)).map(Ok)))
    }

    fn open(&self, path: &TreePath) -> Result<Box<dyn Read + Send>> {
        let bytes = self.0.get(path).cloned();
        let bytes = bytes.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("open {path}"), "it is not there"))?;
        Ok(Box::new(Cursor::new(bytes)))
    }
}
