use serde_json::{Map, Value as Json};

use super::fields::template;
use super::finding::Findings;
use super::node::{Node, Value};
use super::template::Template;
use crate::model::Result;

/// Structured values with `${name}` in their strings: documents to apply, a probe's arguments.
#[derive(Clone, Debug, PartialEq)]
pub enum TemplateValue {
    Plain(Json),
    Text(Template),
    List(Vec<TemplateValue>),
    Map(Vec<(String, TemplateValue)>),
}

impl TemplateValue {
    pub(super) fn decode(node: &Node, name: &str, findings: &mut Findings) -> Self {
        match &node.value {
            Value::Null => Self::Plain(Json::Null),
            Value::Bool(value) => Self::Plain(Json::Bool(*value)),
            Value::Number(Some(number), _) => Self::Plain(Json::Number(number.clone())),
            Value::Number(None, written) => {
                findings.error(node.span, format!("'{written}' is no number that a document can hold"));
                Self::Plain(Json::Null)
            }
            Value::Text(_) => template(node, name, findings).map_or(Self::Plain(Json::Null), Self::Text),
            Value::List(nodes) => Self::List(nodes.iter().map(|node| Self::decode(node, name, findings)).collect()),
            Value::Map(pairs) => Self::Map(
                pairs.iter().map(|(key, node)| (key.name.clone(), Self::decode(node, name, findings))).collect(),
            ),
        }
    }

    pub fn fill(&self, text: &dyn Fn(&Template) -> Result<String>) -> Result<Json> {
        Ok(match self {
            Self::Plain(value) => value.clone(),
            Self::Text(template) => Json::String(text(template)?),
            Self::List(list) => Json::Array(list.iter().map(|value| value.fill(text)).collect::<Result<_>>()?),
            Self::Map(pairs) => {
                let pairs = pairs.iter().map(|(name, value)| Ok((name.clone(), value.fill(text)?)));
                Json::Object(pairs.collect::<Result<Map<_, _>>>()?)
            }
        })
    }

    pub fn templates<'a>(&'a self, found: &mut Vec<&'a Template>) {
        match self {
            Self::Plain(_) => {}
            Self::Text(template) => found.push(template),
            Self::List(list) => list.iter().for_each(|value| value.templates(found)),
            Self::Map(pairs) => pairs.iter().for_each(|(_, value)| value.templates(found)),
        }
    }
}
