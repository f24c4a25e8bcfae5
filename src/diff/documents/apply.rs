use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use crate::model::{Digest, Document, Op};

use super::walk::{Difference, Step, Walk};

/// Writes differences into a copy of the live value, making the parents that are missing. The time it takes
/// grows with the document and the differences, not with their product: lists come from outside.
pub(super) struct Writer<'w, 'a, 'r> {
    walk: &'w Walk<'a, 'r>,
    /// By depth, the keyed list that was last gone through: its place, and where its elements stand.
    keyed: HashMap<usize, (Vec<Step<'a>>, HashMap<Digest, usize>)>,
}

impl<'w, 'a, 'r> Writer<'w, 'a, 'r> {
    pub fn new(walk: &'w Walk<'a, 'r>) -> Self {
        Self { walk, keyed: HashMap::new() }
    }

    /// `None` where the way to a value is not as its difference says.
    pub fn write_all(&mut self, root: &mut Value, differences: &[&Difference<'a>]) -> Option<()> {
        let mut left = differences;
        while let Some((first, rest)) = left.split_first() {
            let run = if is_removal(first) {
                1 + rest.iter().take_while(|other| is_removal(other) && list_of(other) == list_of(first)).count()
            } else {
                1
            };
            let (now, later) = left.split_at(run);
            if is_removal(first) {
                self.remove(root, now)?
            } else {
                self.write(root, first)?
            }
            left = later;
        }
        Some(())
    }

    fn write(&mut self, root: &mut Value, difference: &Difference<'a>) -> Option<()> {
        let Some((last, parents)) = difference.steps.split_last() else {
            *root = difference.after.as_deref()?.clone();
            return Some(());
        };
        let here = self.go(root, parents)?;
        match (last, difference.op) {
            (Step::Field(name), Op::Delete) => {
                object(here)?.remove(*name)?;
            }
            (Step::Field(name), _) => {
                object(here)?.insert((*name).to_owned(), difference.after.as_deref()?.clone());
            }
            (Step::Keyed { .. } | Step::Element(_), Op::Create) => {
                array(here)?.push(difference.after.as_deref()?.clone());
            }
            (Step::Keyed { .. }, _) => *self.go(root, &difference.steps)? = difference.after.as_deref()?.clone(),
            (Step::Element(element), Op::Update) => {
                array(here)?.push(difference.after.as_deref()?.clone());
                let (_, above) = parents.split_last()?;
                let left = object(self.go(root, above)?)?.get_mut(difference.leaves?)?;
                array(left)?.retain(|item| item != *element);
            }
            (Step::Element(_), _) => return None,
        }
        Some(())
    }

    /// Removes elements of one list.
    fn remove(&mut self, root: &mut Value, differences: &[&Difference<'a>]) -> Option<()> {
        let first = differences.first()?;
        let name = |item: &Value| match first.steps.last() {
            Some(Step::Keyed { key, .. }) => item.get(*key).map(Document::fingerprint_of),
            _ => Some(Document::fingerprint_of(&self.walk.pruned(item, &first.cursor))),
        };
        let gone: HashSet<Digest> = differences.iter().filter_map(|difference| name(difference.before?)).collect();
        let walk = self.walk;
        self.keyed.clear();
        let list = array(Writer::new(walk).go(root, list_of(first)?)?)?;
        list.retain(|item| name(item).is_none_or(|name| !gone.contains(&name)));
        Some(())
    }

    fn go<'v>(&mut self, root: &'v mut Value, steps: &[Step<'a>]) -> Option<&'v mut Value> {
        let mut here = root;
        for (depth, step) in steps.iter().enumerate() {
            here = match step {
                Step::Field(name) => object(here)?.entry(*name).or_insert(Value::Null),
                Step::Keyed { key, is } => {
                    let list = array(here)?;
                    let at = self.position(list, steps.get(..depth)?, key, is)?;
                    list.get_mut(at)?
                }
                Step::Element(_) => return None,
            };
        }
        Some(here)
    }

    fn position(&mut self, list: &[Value], place: &[Step<'a>], key: &str, is: &Value) -> Option<usize> {
        if self.keyed.get(&place.len()).is_none_or(|(known, _)| known.as_slice() != place) {
            let name = |(at, item): (usize, &Value)| Some((Document::fingerprint_of(item.get(key)?), at));
            let positions = list.iter().enumerate().filter_map(name).collect();
            self.keyed.insert(place.len(), (place.to_vec(), positions));
        }
        self.keyed.get(&place.len())?.1.get(&Document::fingerprint_of(is)).copied()
    }
}

fn is_removal(difference: &Difference<'_>) -> bool {
    difference.op == Op::Delete && matches!(difference.steps.last(), Some(Step::Keyed { .. } | Step::Element(_)))
}

/// The way to the list that an element is in.
fn list_of<'d, 'a>(difference: &'d Difference<'a>) -> Option<&'d [Step<'a>]> {
    difference.steps.split_last().map(|(_, parents)| parents)
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
