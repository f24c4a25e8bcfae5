use super::fields::Fields;
use super::finding::{Finding, Findings, Span};
use super::node::{Key, Node, Value};
use super::password;
use super::template::Template;
use crate::declared::{Given, Key as Declared, Shape, Value as Shown, Wrong};

/// Shows what is wrong about several keys of the map `node` together; `key` is the map's own.
pub(super) fn tell_wrong(key: &Key, node: &Node, wrong: Vec<Wrong>, findings: &mut Findings) {
    for wrong in wrong {
        findings.push(Finding::error(place(key, node, &wrong.at), wrong.why).help(wrong.help));
    }
}

/// Whether nothing that is required is missing, and what is given could be read.
pub(super) fn decode_keys(
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
