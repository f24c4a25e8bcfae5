use super::declared_keys::{decode_keys, tell_wrong};
use super::fields::{Fields, template};
use super::finding::{Finding, Findings, Span};
use super::node::{Key, Node};
use super::template::Template;
use crate::adapter::Adapter;
use crate::adapters::{ADAPTERS, STORES, formats};
use crate::declared::{Given, Value};
use crate::model::Result;

/// A live system that a runbook names. `T` as in [`super::Source`].
#[derive(Clone, Debug)]
pub struct ComponentSettings<T = Template> {
    pub name: String,
    pub span: Span,
    pub adapter: &'static Adapter,
    /// The adapter's own key is among it.
    pub given: Given<T>,
}

impl ComponentSettings {
    pub(super) fn decode(key: &Key, node: &Node, findings: &mut Findings) -> Option<Self> {
        let mut fields = Fields::of("a component", key.span, node, findings)?;
        let named = ADAPTERS.iter().filter_map(|adapter| Some((*adapter, fields.get(adapter.name)?)));
        let named: Vec<(&'static Adapter, &Node)> = named.collect();
        let [(adapter, root)] = named[..] else {
            findings.push(not_one_adapter(key, &fields));
            return None;
        };
        let mut given = Given::default();
        let root = template(root, adapter.name, findings);
        let is_whole = decode_keys(key, &mut fields, adapter.keys, &mut given, findings);
        of_sources(&mut fields, findings);
        fields.finish(findings);
        given.put(adapter.name, Value::Text(root?));
        tell_wrong(key, node, (adapter.check)(&given.shown()), findings);
        is_whole.then(|| Self { name: key.name.clone(), span: key.span, adapter, given })
    }

    pub fn fill(&self, text: &dyn Fn(&Template) -> Result<String>) -> Result<ComponentSettings<String>> {
        let given = self.given.fill(text)?;
        Ok(ComponentSettings { name: self.name.clone(), span: self.span, adapter: self.adapter, given })
    }
}

/// Keys of backups, which say how they are read and not what they are restored to.
fn of_sources(fields: &mut Fields<'_>, findings: &mut Findings) {
    let keys = STORES.iter().flat_map(|store| store.keys).chain(formats().flat_map(|format| format.keys));
    for key in fields.of_others(keys.map(|key| key.name)) {
        let why = format!("'{}' is a key of the source that is restored from", key.name);
        findings.push(Finding::error(key.span, why).help("move it to that source"));
    }
}

fn not_one_adapter(key: &Key, fields: &Fields<'_>) -> Finding {
    let names = ADAPTERS.map(|adapter| adapter.name);
    let near = fields.rest().find_map(|(key, _)| super::near::nearest(&key.name, names));
    let (last, others) = names.split_last().map_or(("", &[][..]), |(last, others)| (*last, others));
    Finding::error(key.span, format!("the component '{}' needs exactly one adapter", key.name))
        .help(format!("give one of {} or {last}", others.join(", ")))
        .maybe_help(near.map(|near| format!("did you mean '{near}'?")))
}
