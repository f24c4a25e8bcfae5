use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Digest, DocumentPath, Entry, Fidelity, FileOwnership, Fingerprint, NodeKind, ResourceId, TreePath};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Op {
    Create,
    Update,
    Delete,
}

/// Create, update or delete of one resource. Plain data without bodies and without secrets:
/// it can be shown, journalled and hashed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    pub id: ResourceId,
    pub op: Op,
    /// Of the live resource that this was computed from.
    pub before: Fingerprint,
    /// Of what the source holds.
    pub after: Fingerprint,
    pub hunks: Vec<Hunk>,
    /// What the operator must know before approving: stripped setuid bits, lost comments …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Positions of hunks whose content the backup cannot hand out, as far as that is known before it is read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<u32>,
    /// Of a document's file that this makes anew: decided with the plan, written and read back as it is here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileOwnership>,
    /// Its hunks lead to what the system itself says that it would store, not to what the source holds.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_foretold: bool,
}

/// The smallest thing to decide.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hunk {
    pub op: Op,
    pub at: HunkAt,
    #[serde(default)]
    pub fidelity: Fidelity,
    /// Positions in the same change of hunks without which this one makes no sense:
    /// a file needs its directory. Leaving one of those out leaves this one out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<u32>,
    /// Where, in the words of people, if the path is not in them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HunkAt {
    Field {
        path: DocumentPath,
        before: Option<Shown>,
        after: Option<Shown>,
    },
    /// One node of a tree. Content and metadata are told apart: `content` says whether bytes differ
    /// (or may differ: a create always has content).
    Node {
        path: TreePath,
        before: Option<Box<Entry>>,
        after: Option<Box<Entry>>,
        content: bool,
    },
}

/// A value as it may be shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shown {
    Plain(Value),
    /// Keyed digest only.
    Secret(Digest),
    /// The server masks it: not a value, and equal to nothing.
    Masked,
}

impl Change {
    pub fn deletes(&self) -> usize {
        if self.op == Op::Delete {
            return self.hunks.len().max(1);
        }
        self.hunks.iter().filter(|hunk| hunk.deletes()).count()
    }
}

impl Hunk {
    /// Whether approving it needs the word for deletes: something goes, or a directory takes the place of a symbolic
    /// link, and what people reached through that link is no longer there for them.
    pub fn deletes(&self) -> bool {
        let kinds = match &self.at {
            HunkAt::Node { before: Some(before), after: Some(after), .. } => (&before.kind, &after.kind),
            _ => return self.op == Op::Delete,
        };
        self.op == Op::Delete || matches!(kinds, (NodeKind::Symlink { .. }, NodeKind::Directory))
    }

    /// Where, as screens name it.
    pub fn words(&self) -> String {
        self.said.clone().unwrap_or_else(|| self.place())
    }

    /// Where, as it is found by: a field's path or a file's.
    pub fn place(&self) -> String {
        match &self.at {
            HunkAt::Field { path, .. } if path.0.is_empty() => "(the whole document)".to_owned(),
            HunkAt::Field { path, .. } => path.to_string(),
            HunkAt::Node { path, .. } => path.to_string(),
        }
    }
}
