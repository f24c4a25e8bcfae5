use crate::model::{KindSchema, Privileges, Result};
use crate::runbook::fields::{Fields, template};
use crate::runbook::finding::Findings;
use crate::runbook::node::Node;
use crate::runbook::template::Template;

pub(super) const QUESTIONS: &[&str] = &["file"];

/// `{ files: /home, ignore: […], setuid: strip }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilesSettings<Text> {
    /// The directory beneath which everything happens.
    pub root: Text,
    /// gitignore patterns of paths that are neither compared nor written.
    pub ignore: Vec<String>,
    pub setuid: Privileges,
}

impl FilesSettings<Template> {
    pub(super) fn decode(root: &Node, fields: &mut Fields, findings: &mut Findings) -> Option<Self> {
        let root = template(root, "files", findings);
        let ignore = fields.texts("ignore", findings).into_iter().map(|pattern| pattern.value).collect();
        let setuid = [("strip", Privileges::Strip), ("refuse", Privileges::Refuse), ("keep", Privileges::Keep)];
        let setuid = fields.choice("setuid", &setuid, findings).unwrap_or_default();
        Some(Self { root: root?, ignore, setuid })
    }

    pub(super) fn fill(&self, text: &dyn Fn(&Template) -> Result<String>) -> Result<FilesSettings<String>> {
        Ok(FilesSettings { root: text(&self.root)?, ignore: self.ignore.clone(), setuid: self.setuid })
    }
}

impl<Text> FilesSettings<Text> {
    pub fn schema(&self) -> KindSchema {
        KindSchema { ignore: self.ignore.clone(), ..KindSchema::default() }
    }
}
