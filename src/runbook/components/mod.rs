//! What a runbook says of each live system, one adapter, one file.

mod documents;
mod files;
mod keycloak;

pub use documents::DocumentsSettings;
pub use files::FilesSettings;
pub use keycloak::{KeycloakIds, KeycloakLogin, KeycloakSettings};

use super::fields::Fields;
use super::finding::{Finding, Findings, Span};
use super::node::{Key, Node};
use super::password::Password;
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
    Keycloak(Box<KeycloakSettings<Text>>),
}

/// The key that chooses an adapter.
const ADAPTERS: [&str; 3] = ["files", "documents", "keycloak"];

impl ComponentSettings {
    pub(in crate::runbook) fn decode(key: &Key, node: &Node, findings: &mut Findings) -> Option<Self> {
        let mut fields = Fields::of("a component", key.span, node, findings)?;
        let [files, documents, keycloak] = ADAPTERS.map(|adapter| fields.get(adapter));
        let adapter = match (files, documents, keycloak) {
            (Some(root), None, None) => FilesSettings::decode(root, &mut fields, findings).map(Adapter::Files),
            (None, Some(root), None) => DocumentsSettings::decode(root, &mut fields, findings).map(Adapter::Documents),
            (None, None, Some(url)) => KeycloakSettings::decode(key, url, &mut fields, findings)
                .map(|settings| Adapter::Keycloak(Box::new(settings))),
            _ => {
                let unknown: Vec<&str> = fields.rest().map(|(key, _)| key.name.as_str()).collect();
                let near = unknown.iter().find_map(|given| super::near::nearest(given, ADAPTERS));
                let help = near.map(|near| format!("did you mean '{near}'?"));
                findings.push(
                    Finding::error(key.span, format!("the component '{}' needs exactly one adapter", key.name))
                        .help("give one of files, documents or keycloak")
                        .maybe_help(help),
                );
                return None;
            }
        };
        if let Some((key, _)) = fields.entry("owners") {
            let why = "'owners' is a key of the source that files are restored from";
            findings.push(Finding::error(key.span, why).help("give that source 'owners: names' or 'owners: numbers'"));
        }
        fields.finish(findings);
        Some(Self { name: key.name.clone(), span: key.span, adapter: adapter? })
    }

    pub fn fill(&self, text: &dyn Fn(&Template) -> Result<String>) -> Result<ComponentSettings<String>> {
        let adapter = match &self.adapter {
            Adapter::Files(files) => Adapter::Files(files.fill(text)?),
            Adapter::Documents(documents) => Adapter::Documents(documents.fill(text)?),
            Adapter::Keycloak(keycloak) => Adapter::Keycloak(Box::new(keycloak.fill(text)?)),
        };
        Ok(ComponentSettings { name: self.name.clone(), span: self.span, adapter })
    }

    /// Where its secret comes from, if it has one.
    pub(in crate::runbook) fn password(&self) -> Option<&Password<Template>> {
        match &self.adapter {
            Adapter::Keycloak(keycloak) => Some(&keycloak.login.secret),
            Adapter::Files(_) | Adapter::Documents(_) => None,
        }
    }

    pub(in crate::runbook) fn templates(&self) -> Vec<&Template> {
        match &self.adapter {
            Adapter::Files(files) => vec![&files.root],
            Adapter::Documents(documents) => vec![&documents.root],
            Adapter::Keycloak(keycloak) => keycloak.templates(),
        }
    }
}

impl<Text> ComponentSettings<Text> {
    /// The questions that this adapter can be asked.
    pub fn questions(&self) -> &'static [&'static str] {
        match &self.adapter {
            Adapter::Files(_) => files::QUESTIONS,
            Adapter::Documents(_) => documents::QUESTIONS,
            Adapter::Keycloak(_) => keycloak::QUESTIONS,
        }
    }

    /// Whether things have the same place there and in every backup: keys of a realm, not paths of files.
    pub(in crate::runbook) fn has_the_backups_places(&self) -> bool {
        matches!(self.adapter, Adapter::Keycloak(_))
    }

    /// Whether each owner has a place of its own there, named like it.
    pub(in crate::runbook) fn has_a_place_per_owner(&self) -> bool {
        matches!(self.adapter, Adapter::Files(_))
    }
}
