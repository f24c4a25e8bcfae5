use crate::model::{Fidelity, FieldRule, FieldShape, KindSchema, Result};
use crate::runbook::fields::{Fields, template};
use crate::runbook::finding::{Finding, Findings};
use crate::runbook::node::{Key, Node};
use crate::runbook::template::Template;

pub(super) const QUESTIONS: &[&str] = &["document"];

/// `{ documents: /etc/accounts.d, owner: spec.user, schema: { fields: { roles: { set: true } } } }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentsSettings<Text> {
    pub root: Text,
    /// The field that names a document's owner; without it the file's stem does.
    pub owner: Option<String>,
    pub schema: KindSchema,
}

impl DocumentsSettings<Template> {
    pub(super) fn decode(root: &Node, fields: &mut Fields, findings: &mut Findings) -> Option<Self> {
        let root = template(root, "documents", findings);
        let owner = fields.text("owner", findings).map(|owner| owner.value);
        let schema = fields.entry("schema").map(|(key, node)| schema(key, node, findings)).unwrap_or_default();
        Some(Self { root: root?, owner, schema })
    }

    pub(super) fn fill(&self, text: &dyn Fn(&Template) -> Result<String>) -> Result<DocumentsSettings<String>> {
        Ok(DocumentsSettings { root: text(&self.root)?, owner: self.owner.clone(), schema: self.schema.clone() })
    }
}

fn schema(key: &Key, node: &Node, findings: &mut Findings) -> KindSchema {
    let mut schema = KindSchema::default();
    let Some(mut fields) = Fields::of("a schema", key.span, node, findings) else { return schema };
    if let Some(node) = fields.get("fields")
        && let Some(rules) = Fields::of("a schema's fields", key.span, node, findings)
    {
        schema.fields = rules.rest().filter_map(|(path, node)| rule(path, node, findings)).collect();
    }
    fields.finish(findings);
    schema
}

fn rule(path: &Key, node: &Node, findings: &mut Findings) -> Option<FieldRule> {
    let mut fields = Fields::of("a field's rule", path.span, node, findings)?;
    let is_set = fields.flag("set", findings).unwrap_or(false);
    let keyed = fields.text("keyed", findings);
    if let (true, Some(keyed)) = (is_set, &keyed) {
        findings.push(
            Finding::error(keyed.span, format!("'{}' cannot be a set and a keyed list at once", path.name))
                .help("keep 'keyed' if its elements are maps, else 'set'"),
        );
    }
    let shape = match keyed {
        Some(key) => FieldShape::KeyedList { key: key.value },
        None if is_set => FieldShape::Set,
        None => FieldShape::Plain,
    };
    let fidelity = [
        ("exact", Fidelity::Exact),
        ("re-created", Fidelity::ReCreated),
        ("unreadable", Fidelity::Unreadable),
        ("irreversible", Fidelity::Irreversible),
    ];
    let rule = FieldRule {
        path: path.name.clone(),
        shape,
        secret: fields.flag("secret", findings).unwrap_or(false),
        ignored: fields.flag("ignored", findings).unwrap_or(false),
        fidelity: fields.choice("fidelity", &fidelity, findings).unwrap_or_default(),
        created: None,
        create_only: false,
        removable: false,
        given: false,
        needs: fields.texts("needs", findings).into_iter().map(|need| need.value).collect(),
        said: None,
        excludes: None,
        missed: None,
        written_last: false,
        by_way: false,
        alone: None,
    };
    fields.finish(findings);
    Some(rule)
}
