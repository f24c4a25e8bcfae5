use serde_json::{Map, Value};

use crate::model::{Document, Op};

use super::walk::{Difference, Step, Walk};

/// Writes differences into a copy of the live value, making the parents that are missing.
pub(super) struct Writer<'w, 'a, 'r> {
    pub walk: &'w Walk<'a, 'r>,
}

impl Writer<'_, '_, '_> {
    /// `None` where the way there is not as the difference says.
    pub fn write(&self, root: &mut Value, difference: &Difference<'_>) -> Option<()> {
        let Some((last, parents)) = difference.steps.split_last() else {
            *root = difference.after.as_deref()?.clone();
            return Some(());
        };
        let mut here = root;
        for step in parents {
            here = match step {
                Step::Field(name) => object(here)?.entry(*name).or_insert(Value::Null),
                Step::Keyed { key, is } => array(here)?.iter_mut().find(|item| item.get(*key) == Some(is))?,
                Step::Element(_) => return None,
            };
        }
        match (last, difference.op) {
            (Step::Field(name), Op::Delete) => {
                object(here)?.remove(*name)?;
            }
            (Step::Field(name), _) => {
                object(here)?.insert((*name).to_owned(), difference.after.as_deref()?.clone());
            }
            (Step::Keyed { key, is }, Op::Delete) => array(here)?.retain(|item| item.get(*key) != Some(is)),
            (Step::Keyed { key, is }, Op::Update) => {
                let after = difference.after.as_deref()?.clone();
                *array(here)?.iter_mut().find(|item| item.get(*key) == Some(is))? = after;
            }
            (Step::Element(element), Op::Delete) => {
                let name = |item: &Value| Document::fingerprint_of(&self.walk.pruned(item, &difference.cursor));
                let gone = name(element);
                array(here)?.retain(|item| name(item) != gone);
            }
            (Step::Keyed { .. } | Step::Element(_), _) => {
                array(here)?.push(difference.after.as_deref()?.clone());
            }
        }
        Some(())
    }
}

/// A missing parent is `Null` until its first child comes.
fn object(value: &mut Value) -> Option<&mut Map<String, Value>> {
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut()
}

fn array(value: &mut Value) -> Option<&mut Vec<Value>> {
    if value.is_null() {
        *value = Value::Array(Vec::new());
    }
    value.as_array_mut()
}
