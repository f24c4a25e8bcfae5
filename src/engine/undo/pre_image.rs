use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::fields;
use crate::component::{Approved, UndoRecord};
use crate::diff::documents;
use crate::model::{
    Body, DigestKey, Document, DocumentPath, Error, ErrorKind, Fidelity, FileOwnership, HunkAt, KindSchema, Mode,
    Resource, ResourceId, Result,
};

/// What `undo.db` keeps, sealed: enough to plan the way back from any later state.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::engine) enum PreImage {
    Document {
        id: ResourceId,
        /// The former value and its text; None: it did not exist.
        before: Option<(Arc<serde_json::Value>, Option<String>)>,
        /// As it was to be after the write: what has the name later may be another one, or changed since.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<Arc<serde_json::Value>>,
        /// Which fields the approved hunks touch; only those are brought back.
        touched: Vec<DocumentPath>,
        /// Which of these held something that nobody can bring back, as the plan said: an undo leaves them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lost: Vec<DocumentPath>,
        /// For one that was deleted: it is made again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file: Option<FileOwnership>,
    },
    /// Where a write found something else than it was planned from: what it really changed.
    Found {
        id: ResourceId,
        before: Option<(Arc<serde_json::Value>, Option<String>)>,
        /// Nothing, where it was as wanted already.
        touched: Vec<DocumentPath>,
    },
    Tree {
        id: ResourceId,
        records: Vec<UndoRecord>,
    },
}

impl PreImage {
    /// None for trees: their component hands records over while it writes.
    pub fn of_document(approved: &Approved) -> Option<Self> {
        let file = approved.live.as_ref().and_then(Resource::document).and_then(|document| document.file);
        let before = match approved.live.as_ref().map(|live| &live.body) {
            Some(Body::Tree(_)) => return None,
            Some(Body::Document(document)) => {
                Some((document.value.clone(), document.source.as_ref().map(|text| text.to_string())))
            }
            None if approved.desired.as_ref().is_some_and(|desired| desired.tree().is_some()) => return None,
            None => None,
        };
        let taken = approved.change.hunks.iter().enumerate().filter(|(at, _)| approved.takes(*at));
        let fields = taken.filter_map(|(_, hunk)| match &hunk.at {
            HunkAt::Field { path, .. } => Some((path.clone(), hunk.fidelity == Fidelity::Irreversible)),
            HunkAt::Node { .. } => None,
        });
        let (touched, is_lost): (Vec<DocumentPath>, Vec<bool>) = fields.unzip();
        let lost = touched.iter().zip(is_lost).filter(|(path, is_lost)| *is_lost && !path.0.is_empty());
        let lost = lost.map(|(path, _)| path.clone()).collect();
        let after = approved.expected.as_ref().and_then(Resource::document).map(|document| document.value.clone());
        Some(Self::Document { id: approved.change.id.clone(), before, after, touched, lost, file })
    }

    /// `before`: what the write found.
    pub fn of_found(approved: &Approved, before: Option<&Document>, schema: &KindSchema, key: &DigestKey) -> Self {
        let id = &approved.change.id;
        let expected = approved.expected.as_ref().and_then(Resource::document);
        let change = documents::changes(id, before, expected, schema, Mode::Exact, key);
        let touched = change.iter().flat_map(fields).cloned().collect();
        let text = |document: &Document| document.source.as_ref().map(|text| text.to_string());
        let before = before.map(|document| (document.value.clone(), text(document)));
        Self::Found { id: id.clone(), before, touched }
    }

    /// The same of a change of which nothing was written.
    pub fn unwritten(approved: &Approved) -> Self {
        Self::Found { id: approved.change.id.clone(), before: None, touched: Vec::new() }
    }

    /// How many fields it leads back past.
    pub fn fields(&self) -> usize {
        match self {
            Self::Document { touched, .. } | Self::Found { touched, .. } => touched.len(),
            Self::Tree { .. } => 0,
        }
    }

    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self)
            .map_err(|error| Error::new(ErrorKind::Bug, "write an undo record down", error.to_string()))
    }
}
