use super::declared_keys::{decode_keys, tell_wrong};
use super::fields::{Fields, template, text};
use super::finding::{Finding, Findings, Placed, Span};
use super::node::{Key, Node};
use super::template::Template;
use crate::adapter::Format;
use crate::adapters::{STORES, formats};
use crate::declared::{Given, Value};
use crate::model::Result;
use crate::stores::StoreKind;

/// What is read from. `T` is a [`Template`] in a runbook and a `String` once the inputs are known.
#[derive(Clone, Debug)]
pub struct Source<T = Template> {
    pub name: String,
    pub span: Span,
    pub from: SourceFrom,
    /// The store's own key is among it, and those of the format.
    pub given: Given<T>,
}

#[derive(Clone, Debug)]
pub enum SourceFrom {
    /// A backup, and how its files are read.
    Store(&'static StoreKind, &'static Format),
    /// Another live system.
    Component(Placed<String>),
}

const COMPONENT: &str = "component";
const FORMAT: &str = "format";

impl Source {
    pub(super) fn decode(key: &Key, node: &Node, findings: &mut Findings) -> Option<Self> {
        let mut fields = Fields::of("a source", key.span, node, findings)?;
        let stores = STORES.iter().filter_map(|store| Some((Some(*store), fields.get(store.name)?)));
        let mut named: Vec<(Option<&'static StoreKind>, &Node)> = stores.collect();
        named.extend(fields.get(COMPONENT).map(|node| (None, node)));
        let [(store, place)] = named[..] else {
            findings.push(not_one_place(key, &fields, named.get(1).map(|(_, node)| *node)));
            return None;
        };
        let mut given = Given::default();
        let from = match store {
            Some(store) => of_store(key, store, place, &mut fields, &mut given, findings),
            None => text(place, COMPONENT, findings).map(SourceFrom::Component),
        };
        of_other_formats(&mut fields, findings);
        fields.finish(findings);
        if let Some(SourceFrom::Store(store, _)) = &from {
            tell_wrong(key, node, (store.check)(&given.shown()), findings);
        }
        Some(Self { name: key.name.clone(), span: key.span, from: from?, given })
    }

    pub fn fill(&self, text: &dyn Fn(&Template) -> Result<String>) -> Result<Source<String>> {
        let given = self.given.fill(text)?;
        Ok(Source { name: self.name.clone(), span: self.span, from: self.from.clone(), given })
    }
}

fn of_store(
    key: &Key,
    store: &'static StoreKind,
    place: &Node,
    fields: &mut Fields<'_>,
    given: &mut Given<Template>,
    findings: &mut Findings,
) -> Option<SourceFrom> {
    let place = template(place, store.name, findings);
    let words: Vec<(&'static str, &'static Format)> = formats().map(|format| (format.name, format)).collect();
    let format = match fields.get(FORMAT) {
        Some(_) => fields.choice(FORMAT, &words, findings),
        None => words.first().map(|(_, format)| *format),
    };
    let mut is_whole = decode_keys(key, fields, store.keys, given, findings);
    is_whole &= decode_keys(key, fields, format?.keys, given, findings);
    given.put(store.name, Value::Text(place?));
    is_whole.then_some(SourceFrom::Store(store, format?))
}

/// Older versions took the keys of every format beside any, so a run's runbook may have them.
fn of_other_formats(fields: &mut Fields<'_>, findings: &mut Findings) {
    for format in formats() {
        for key in fields.of_others(format.keys.iter().map(|key| key.name)) {
            let why = format!("'{}' says nothing here: it is a key of the format {}", key.name, format.name);
            let help = format!("leave it out, or add format: {}", format.name);
            findings.push(Finding::warning(key.span, why).help(help));
        }
    }
}

fn not_one_place(key: &Key, fields: &Fields<'_>, second: Option<&Node>) -> Finding {
    let names = STORES.map(|store| store.name);
    let near = fields.rest().find_map(|(key, _)| super::near::nearest(&key.name, names));
    let at = second.map_or(key.span, |node| node.span);
    Finding::error(at, format!("the source '{}' needs exactly one place to read from", key.name))
        .help(format!("give one of {} or {COMPONENT}", names.join(", ")))
        .maybe_help(near.map(|near| format!("did you mean '{near}'?")))
}
