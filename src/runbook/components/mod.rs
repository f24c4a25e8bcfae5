//! What a runbook says of each live system, one adapter, one file.

mod documents;
mod files;

pub use documents::DocumentsSettings;
pub use files::FilesSettings;

use super::fields::Fields;
use super::finding::{Finding, Findings, Span};
use super::node::{Key, Node};
use super::template::Template;
use crate::model::Result;

/// A live system that a runbook names. `Text` as in [`super::Source`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentSettings<Text = Template> {
    pub name: String,
    pub span: Span,
    pub adapter: Adapter<Text>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adapter<Text> {
    Files(FilesSettings<Text>),
    Documents(DocumentsSettings<Text>),
}

/// The key that chooses an adapter.
const ADAPTERS: [&str; 2] = ["files", "documents"];

impl ComponentSettings {
    pub(in crate::runbook) fn decode(key: &Key, node: &Node, findings: &mut Findings) -> Option<Self> {
        let mut fields = Fields::of("a component", key.span, node, findings)?;
        let [files, documents] = ADAPTERS.map(|adapter| fields.get(adapter));
        let adapter = match (files, documents) {
            (Some(root), None) => FilesSettings::decode(root, &mut fields, findings).map(Adapter::Files),
            (None, Some(root)) => DocumentsSettings::decode(root, &mut fields, findings).map(Adapter::Documents),
            _ => {
                let unknown: Vec<&str> = fields.rest().map(|(key, _)| key.name.as_str()).collect();
                let near = unknown.iter().find_map(|given| super::near::nearest(given, ADAPTERS));
                let help = near.map(|near| format!("did you mean '{near}'?"));
                findings.push(
                    Finding::error(key.span, format!("the component '{}' needs exactly one adapter", key.name))
                        .help("give one of files or documents")
                        .maybe_help(help),
                );
                return None;
            }
        };
        fields.finish(findings);
        Some(Self { name: key.name.clone(), span: key.span, adapter: adapter? })
    }

    pub fn fill(&self, text: &dyn Fn(&Template) -> Result<String>) -> Result<ComponentSettings<String>> {
        let adapter = match &self.adapter {
            Adapter::Files(files) => Adapter::Files(files.fill(text)?),
            Adapter::Documents(documents) => Adapter::Documents(documents.fill(text)?),
        };
        Ok(ComponentSettings { name: self.name.clone(), span: self.span, adapter })
    }

    pub(in crate::runbook) fn templates(&self) -> Vec<&Template> {
        match &self.adapter {
            Adapter::Files(files) => vec![&files.root],
            Adapter::Documents(documents) => vec![&documents.root],
        }
    }
}

impl<Text> ComponentSettings<Text> {
    /// The questions that this adapter can be asked.
    pub fn questions(&self) -> &'static [&'static str] {
        match &self.adapter {
            Adapter::Files(_) => files::QUESTIONS,
            Adapter::Documents(_) => documents::QUESTIONS,
        }
    }

    /// Whether each owner has a place of its own there, named like it.
    pub(in crate::runbook) fn has_a_place_per_owner(&self) -> bool {
        matches!(self.adapter, Adapter::Files(_))
    }
}
