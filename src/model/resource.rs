use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Document, Tree, TreePath};

/// Whom a resource belongs to: `set` is the name of the runbook's set of owners ("user", "group").
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Owner {
    pub set: Arc<str>,
    pub name: Arc<str>,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&super::visible(&*self.name))
    }
}

/// Kind and natural key of one restorable thing, the same on both sides of a diff.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ResourceId {
    pub kind: Arc<str>,
    /// Username, group path, `namespace/name`, or a path below the component's root.
    pub key: TreePath,
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.key)
    }
}

/// A resource that a reader listed: who it is, and where that reader finds it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    pub id: ResourceId,
    /// Means something to the reader that listed it only: a path in a store, a URL.
    pub at: TreePath,
}

impl Location {
    /// Where a live resource is, or would be: its key is its place.
    pub fn of(id: &ResourceId) -> Self {
        Self { id: id.clone(), at: id.key.clone() }
    }
}

/// Which resources a task is about. A source looks below `below`, a component at `to`;
/// resources that both list carry equal [`ResourceId`]s.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    pub below: TreePath,
    pub to: TreePath,
    pub owner: Option<Owner>,
}

#[derive(Clone, Debug)]
pub struct Resource {
    pub id: ResourceId,
    pub body: Body,
}

#[derive(Clone, Debug)]
pub enum Body {
    Document(Document),
    Tree(Arc<dyn Tree>),
}

impl Resource {
    pub fn document(&self) -> Option<&Document> {
        match &self.body {
            Body::Document(document) => Some(document),
            Body::Tree(_) => None,
        }
    }

    pub fn tree(&self) -> Option<&Arc<dyn Tree>> {
        match &self.body {
            Body::Tree(tree) => Some(tree),
            Body::Document(_) => None,
        }
    }
}
