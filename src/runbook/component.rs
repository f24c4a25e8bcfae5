use super::fields::{Fields, template};
use super::finding::{Finding, Findings, Span};
use super::node::{Key, Node, Value};
use super::password;
use super::template::Template;
use crate::adapter::{Adapter, Given, Key as Declared, Shape, Value as Shown};
use crate::adapters::ADAPTERS;
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
        if let Some((key, _)) = fields.entry("owners") {
            let why = "'owners' is a key of the source that files are restored from";
            findings.push(Finding::error(key.span, why).help("give that source 'owners: names' or 'owners: numbers'"));
        }
        fields.finish(findings);
        given.put(adapter.name, Shown::Text(root?));
        for wrong in (adapter.check)(&given.shown()) {
            findings.push(Finding::error(place(key, node, &wrong.at), wrong.why).help(wrong.help));
        }
        is_whole.then(|| Self { name: key.name.clone(), span: key.span, adapter, given })
    }

    pub fn fill(&self, text: &dyn Fn(&Template) -> Result<String>) -> Result<ComponentSettings<String>> {
        let given = self.given.fill(text)?;
        Ok(ComponentSettings { name: self.name.clone(), span: self.span, adapter: self.adapter, given })
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

/// Whether nothing that is required is missing, and what is given could be read.
fn decode_keys(
    of: &Key,
    fields: &mut Fields<'_>,
    keys: &'static [Declared],
    given: &mut Given<Template>,
    findings: &mut Findings,
) -> bool {
    let mut is_whole = true;
    for key in keys {
        if key.is_required {
            is_whole &= fields.require(key.name, findings).is_some();
        }
        if fields.get(key.name).is_none() {
            continue;
        }
        match decode(of, fields, key, findings) {
            Some(value) => given.put(key.name, value),
            None => is_whole = false,
        }
    }
    is_whole
}

fn decode(
    of: &Key,
    fields: &mut Fields<'_>,
    key: &'static Declared,
    findings: &mut Findings,
) -> Option<Shown<Template>> {
    let name = key.name;
    Some(match key.shape {
        Shape::Text => Shown::Text(fields.template(name, findings)?),
        Shape::Word => Shown::Word(fields.text(name, findings)?.value),
        Shape::Words => Shown::Words(fields.texts(name, findings).into_iter().map(|word| word.value).collect()),
        Shape::Flag => Shown::Flag(fields.flag(name, findings)?),
        Shape::Choice(words) => {
            let pairs: Vec<(&'static str, &'static str)> = words.iter().map(|word| (*word, *word)).collect();
            Shown::Word(fields.choice(name, &pairs, findings)?.to_owned())
        }
        Shape::Password => {
            let (key, node) = fields.entry(name)?;
            Shown::Password(password::decode(key, node, findings)?)
        }
        Shape::Map(what, keys) => Shown::Map(map(of, what, fields.get(name)?, keys, findings)?),
        Shape::Each(outer, inner, keys) => {
            let names = Fields::of(outer, of.span, fields.get(name)?, findings)?;
            let each = names.rest().map(|(key, node)| Some((key.name.clone(), map(key, inner, node, keys, findings)?)));
            Shown::Each(each.collect::<Option<_>>()?)
        }
    })
}

fn map(
    of: &Key,
    what: &'static str,
    node: &Node,
    keys: &'static [Declared],
    findings: &mut Findings,
) -> Option<Given<Template>> {
    let mut fields = Fields::of(what, of.span, node, findings)?;
    let mut given = Given::default();
    let is_whole = decode_keys(of, &mut fields, keys, &mut given, findings);
    fields.finish(findings);
    is_whole.then_some(given)
}

/// Where the way of keys ends, as far as it is there.
fn place(key: &Key, node: &Node, way: &[String]) -> Span {
    let (mut span, mut node) = (key.span, node);
    for name in way {
        let Value::Map(pairs) = &node.value else { break };
        let Some((_, below)) = pairs.iter().find(|(key, _)| key.name == *name) else { break };
        (span, node) = (below.span, below);
    }
    span
}
