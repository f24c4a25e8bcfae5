use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::json_schema::{Password, Text};
use crate::adapter::{Adapter, Format};
use crate::adapters::{ADAPTERS, STORES, formats};
use crate::declared::{Key, Shape};
use crate::stores::StoreKind;

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

/// A source as editors know it: one of the stores in one of the formats, or a component, with their keys and no others.
pub(super) struct Source;

impl JsonSchema for Source {
    fn schema_name() -> Cow<'static, str> {
        "Source".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let of_store =
            |store: &'static StoreKind| formats().enumerate().map(move |(at, format)| (store, format, at == 0));
        let pairs = STORES.into_iter().flat_map(of_store);
        let mut each: Vec<Value> =
            pairs.map(|(store, format, is_default)| of_backup(store, format, is_default, generator)).collect();
        let component = Key::new("component", Shape::Word, "A live system that is read from.").required();
        each.push(of_map(std::iter::once(&component), generator));
        Schema::try_from(json!({ "anyOf": each })).unwrap_or_default()
    }
}

fn of_backup(store: &StoreKind, format: &Format, is_default: bool, generator: &mut SchemaGenerator) -> Value {
    let place = Key { name: store.name, about: store.about, shape: Shape::Text, is_required: true };
    let mut of = of_map(std::iter::once(&place).chain(store.keys).chain(format.keys), generator);
    of["properties"]["format"] = json!({ "const": format.name, "description": "How its files are read." });
    if !is_default && let Some(required) = of["required"].as_array_mut() {
        required.push("format".into());
    }
    of
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
