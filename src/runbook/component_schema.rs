use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::json_schema::{Password, Text};
use crate::adapter::{Adapter, Key, Shape};
use crate::adapters::ADAPTERS;

/// A component as editors know it: one of the adapters, with its keys and no others.
pub(super) struct Component;

impl JsonSchema for Component {
    fn schema_name() -> Cow<'static, str> {
        "Component".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let each: Vec<Value> = ADAPTERS.iter().map(|adapter| of_adapter(adapter, generator)).collect();
        Schema::try_from(json!({ "anyOf": each })).unwrap_or_default()
    }
}

fn of_adapter(adapter: &Adapter, generator: &mut SchemaGenerator) -> Value {
    let own = Key { name: adapter.name, about: adapter.about, shape: Shape::Text, is_required: true };
    of_map(std::iter::once(&own).chain(adapter.keys), generator)
}

fn of_map<'k>(keys: impl Iterator<Item = &'k Key>, generator: &mut SchemaGenerator) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for key in keys {
        let shape = of_shape(&key.shape, generator);
        // A key without a value is one that is not given.
        let shape = if key.is_required { shape } else { json!({ "anyOf": [shape, { "type": "null" }] }) };
        let mut property = shape;
        property["description"] = key.about.into();
        properties.insert(key.name.to_owned(), property);
        required.extend(key.is_required.then_some(key.name));
    }
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn of_shape(shape: &Shape, generator: &mut SchemaGenerator) -> Value {
    match shape {
        Shape::Text => generator.subschema_for::<Text>().to_value(),
        Shape::Word => json!({ "type": "string" }),
        Shape::Words => json!({ "type": "array", "items": { "type": "string" } }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Choice(words) => json!({ "enum": words }),
        Shape::Password => generator.subschema_for::<Password>().to_value(),
        Shape::Map(_, keys) => of_map(keys.iter(), generator),
        Shape::Each(_, _, keys) => {
            let one = of_map(keys.iter(), generator);
            json!({ "type": "object", "additionalProperties": { "anyOf": [one, { "type": "null" }] } })
        }
    }
}
