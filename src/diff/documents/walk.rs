use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

use crate::model::{Digest, Document, DocumentPath, FieldShape, Mode, Op};

use super::rules::{Cursor, Rules};
use super::way::same_values;

/// What servers show in place of a secret.
const MASK: &str = "**********";

/// Below this depth values are compared whole. Readers refuse documents that are deeper.
const MAX_DEPTH: usize = 128;

/// One difference with its real values: a hunk before anything is hidden.
pub(super) struct Difference<'a> {
    pub op: Op,
    pub steps: Vec<Step<'a>>,
    pub before: Option<&'a Value>,
    /// Without ignored and masked fields: what is to be written.
    pub after: Option<Cow<'a, Value>>,
    pub cursor: Cursor,
    /// Of an element that moves: the field beside its new list that it leaves.
    pub leaves: Option<&'a str>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step<'a> {
    Field(&'a str),
    Keyed { key: &'a str, is: &'a Value },
    Element(&'a Value),
}

/// Walks both sides at once. The same input gives the same differences in the same order, so a hunk's
/// position names it for whoever walks again.
pub(super) struct Walk<'a, 'r> {
    pub rules: &'r Rules<'a>,
    pub mode: Mode,
    pub found: Vec<Difference<'a>>,
    /// Fields that the desired side masks: they are never written.
    pub masked: Vec<DocumentPath>,
    /// Plain lists with ignored fields inside that are written whole.
    pub unkept: Vec<DocumentPath>,
    /// Fields that differ and that only a new document can be given.
    pub create_only: Vec<DocumentPath>,
    /// Fields that only the live side has are the system's own choice.
    pub fills_in: bool,
    /// Lists whose order the system does not promise are equal in any order.
    pub any_order: bool,
    /// Such lists that are equal but for their order.
    pub reordered: Vec<DocumentPath>,
    updates: bool,
    steps: Vec<Step<'a>>,
    beside: Beside<'a>,
}

/// The set that excludes the one at hand, on both sides.
#[derive(Clone, Copy, Default)]
struct Beside<'a> {
    name: Option<&'a str>,
    live: Option<&'a Value>,
    desired: Option<&'a Value>,
}

impl Beside<'_> {
    fn holds(list: Option<&Value>, element: &Value) -> bool {
        list.and_then(Value::as_array).is_some_and(|list| list.contains(element))
    }

    /// It is there now, and is not wanted there.
    fn leaves(&self, element: &Value) -> bool {
        Self::holds(self.live, element) && !Self::holds(self.desired, element)
    }
}

impl<'a, 'r> Walk<'a, 'r> {
    pub fn new(rules: &'r Rules<'a>, mode: Mode) -> Self {
        Self {
            rules,
            mode,
            found: Vec::new(),
            masked: Vec::new(),
            unkept: Vec::new(),
            create_only: Vec::new(),
            fills_in: false,
            any_order: false,
            reordered: Vec::new(),
            updates: false,
            steps: Vec::new(),
            beside: Beside::default(),
        }
    }

    pub fn documents(&mut self, live: Option<&'a Document>, desired: Option<&'a Document>) {
        let root = self.rules.root();
        let (live, desired) = (live.map(|document| &document.value), desired.map(|document| &document.value));
        self.updates = live.is_some() && desired.is_some();
        match (live, desired) {
            (Some(live), None) if self.mode == Mode::Exact => self.push(Op::Delete, Some(live), None, &root),
            (_, None) => {}
            (None, Some(desired)) => {
                self.compare(None, Some(desired), &root);
                if self.found.is_empty() {
                    let empty = if desired.is_array() { Value::Array(Vec::new()) } else { Value::Object(Map::new()) };
                    self.push(Op::Create, None, Some(Cow::Owned(empty)), &root);
                }
            }
            (Some(live), Some(desired)) => self.compare(Some(live), Some(desired), &root),
        }
    }

    fn compare(&mut self, live: Option<&'a Value>, desired: Option<&'a Value>, at: &Cursor) {
        if at.ignored {
            return;
        }
        if self.updates && at.create_only && !(at.removable && desired.is_none()) {
            if desired.is_some() && live != desired {
                self.create_only.push(self.path());
            }
            return;
        }
        let whole = at.secret || self.steps.len() >= MAX_DEPTH;
        match (live, desired) {
            (None, None) => {}
            (Some(live), None) => self.only_live(live, at),
            (_, Some(desired)) if is_mask(desired) || (whole && holds_mask(desired)) => self.note_mask(),
            (live, Some(Value::Object(desired)))
                if !whole && live.is_none_or(Value::is_object) && !(live.is_none() && desired.is_empty()) =>
            {
                self.objects(live.and_then(Value::as_object), desired, at);
            }
            (live, Some(list @ Value::Array(wanted)))
                if !whole && live.is_none_or(Value::is_array) && !(live.is_none() && wanted.is_empty()) =>
            {
                self.lists(live, list, wanted, at);
            }
            (live, Some(desired)) => self.whole(live, desired, at),
        }
    }

    fn objects(&mut self, live: Option<&'a Map<String, Value>>, desired: &'a Map<String, Value>, at: &Cursor) {
        let of_live = live.into_iter().flat_map(Map::keys);
        let names: BTreeSet<&'a String> = of_live.chain(desired.keys()).collect();
        for name in names {
            let below = self.rules.field(at, name);
            let beside = self.rules.excludes(&below);
            self.beside = Beside {
                name: beside,
                live: beside.and_then(|beside| live?.get(beside)),
                desired: beside.and_then(|beside| desired.get(beside)),
            };
            self.steps.push(Step::Field(name));
            self.compare(live.and_then(|live| live.get(name)), desired.get(name), &below);
            self.steps.pop();
        }
    }

    fn only_live(&mut self, live: &'a Value, at: &Cursor) {
        if self.mode == Mode::Merge || at.given || self.fills_in {
            return;
        }
        match live {
            // Some of it may only move.
            Value::Array(items) if self.beside.name.is_some() => self.sets(items, &[], at),
            // What is ignored inside must outlive what is around it.
            Value::Object(fields) if !at.secret && self.holds_ignored(live, at) => {
                for (name, field) in fields {
                    let below = self.rules.field(at, name);
                    self.steps.push(Step::Field(name));
                    self.compare(Some(field), None, &below);
                    self.steps.pop();
                }
            }
            live => self.push(Op::Delete, Some(live), None, at),
        }
    }

    fn lists(&mut self, live: Option<&'a Value>, desired: &'a Value, desired_list: &'a [Value], at: &Cursor) {
        let of_live = live.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        match self.rules.shape(at) {
            FieldShape::Plain => self.whole(live, desired, at),
            FieldShape::Set => self.sets(of_live, desired_list, at),
            FieldShape::KeyedList { key } => {
                let element = self.rules.element(at);
                let hidden = self.rules.field(&element, key);
                if hidden.secret || hidden.ignored {
                    return self.sets(of_live, desired_list, at);
                }
                match (by_key(of_live, key), by_key(desired_list, key)) {
                    (Some(live), Some(desired)) => self.keyed(key, of_live, desired_list, &live, &desired, at),
                    _ => self.whole(live, desired, at),
                }
            }
        }
    }

    fn sets(&mut self, live: &'a [Value], desired: &'a [Value], at: &Cursor) {
        let below = self.rules.element(at);
        let beside = std::mem::take(&mut self.beside);
        if below.ignored {
            return;
        }
        let names = |list: &'a [Value], walk: &Self| -> Vec<Digest> {
            list.iter().map(|element| Document::fingerprint_of(&walk.pruned(element, &below))).collect()
        };
        let (live_names, desired_names) = (names(live, self), names(desired, self));
        let there: BTreeSet<&Digest> = live_names.iter().collect();
        let mut wanted = BTreeSet::new();
        let mut masks = false;
        for (element, name) in desired.iter().zip(&desired_names) {
            if holds_mask(element) {
                masks = true;
                self.note_mask();
                continue;
            }
            if wanted.insert(name) && !there.contains(name) {
                let written = self.pruned(element, &below);
                self.steps.push(Step::Element(element));
                if beside.leaves(element) {
                    self.push(Op::Update, Some(element), Some(written), &below);
                    self.found.last_mut().into_iter().for_each(|found| found.leaves = beside.name);
                } else {
                    self.push(Op::Create, None, Some(written), &below);
                }
                self.steps.pop();
            }
        }
        // A masked element may be any of the live ones.
        if self.mode == Mode::Exact && !masks {
            let mut gone = BTreeSet::new();
            for (element, name) in live.iter().zip(&live_names) {
                // What moves is a change of the list that it comes to.
                let moves = Beside::holds(beside.desired, element) && !Beside::holds(beside.live, element);
                if !wanted.contains(name) && !moves && gone.insert(name) {
                    self.steps.push(Step::Element(element));
                    self.push(Op::Delete, Some(element), None, &below);
                    self.steps.pop();
                }
            }
        }
    }

    fn keyed(
        &mut self,
        key: &'a str,
        live: &'a [Value],
        desired: &'a [Value],
        live_at: &HashMap<Digest, usize>,
        desired_at: &HashMap<Digest, usize>,
        at: &Cursor,
    ) {
        let below = self.rules.element(at);
        if below.ignored {
            return;
        }
        for element in desired {
            let Some(is) = element.get(key) else { continue };
            let same = live_at.get(&Document::fingerprint_of(is)).and_then(|position| live.get(*position));
            self.steps.push(Step::Keyed { key, is });
            match same {
                Some(same) => self.compare(Some(same), Some(element), &below),
                None if self.updates && below.create_only => self.create_only.push(self.path()),
                None => {
                    if holds_mask(element) {
                        self.note_mask();
                    }
                    let written = self.pruned(element, &below);
                    self.push(Op::Create, None, Some(written), &below);
                }
            }
            self.steps.pop();
        }
        if self.mode == Mode::Merge {
            return;
        }
        for element in live {
            let Some(is) = element.get(key) else { continue };
            if !desired_at.contains_key(&Document::fingerprint_of(is)) {
                self.steps.push(Step::Keyed { key, is });
                self.push(Op::Delete, Some(element), None, &below);
                self.steps.pop();
            }
        }
    }

    /// One value that is taken or left as a whole.
    fn whole(&mut self, live: Option<&'a Value>, desired: &'a Value, at: &Cursor) {
        if desired.is_array() && holds_mask(desired) {
            return self.note_mask();
        }
        if live.is_some_and(|live| self.pruned(live, at) == self.pruned(desired, at)) {
            return;
        }
        if self.any_order && self.rules.goes_by_way(at) && live.is_some_and(|live| same_values(live, desired)) {
            return self.reordered.push(self.path());
        }
        if live.is_some_and(Value::is_array) && self.rules.ignores_below(at) {
            self.unkept.push(self.path());
        }
        if holds_mask(desired) {
            self.note_mask();
        }
        let op = if live.is_some() { Op::Update } else { Op::Create };
        let written = self.pruned(desired, at);
        self.push(op, live, Some(written), at);
    }

    fn push(&mut self, op: Op, before: Option<&'a Value>, after: Option<Cow<'a, Value>>, at: &Cursor) {
        self.found.push(Difference { op, steps: self.steps.clone(), before, after, cursor: at.clone(), leaves: None });
    }

    fn note_mask(&mut self) {
        self.masked.push(self.path());
    }

    /// Fields alone: no element's value, which may be secret, gets into a warning.
    fn path(&self) -> DocumentPath {
        let fields = self.steps.iter().filter_map(|step| match step {
            Step::Field(name) => Some(crate::model::PathStep::Field((*name).to_owned())),
            _ => None,
        });
        DocumentPath(fields.collect())
    }

    fn holds_ignored(&self, value: &Value, at: &Cursor) -> bool {
        let Value::Object(fields) = value else { return at.ignored };
        let below = |(name, field): (&String, &Value)| self.holds_ignored(field, &self.rules.field(at, name));
        at.ignored || (self.rules.ignores_below(at) && fields.iter().any(below))
    }

    /// The value without its ignored and masked fields.
    pub fn pruned<'v>(&self, value: &'v Value, at: &Cursor) -> Cow<'v, Value> {
        if !self.rules.ignores_below(at) && !holds_mask(value) {
            return Cow::Borrowed(value);
        }
        match value {
            Value::Object(fields) => {
                let kept = fields.iter().filter_map(|(name, field)| {
                    let below = self.rules.field(at, name);
                    let hidden = below.ignored || is_mask(field) || (field.is_array() && holds_mask(field));
                    (!hidden).then(|| (name.clone(), self.pruned(field, &below).into_owned()))
                });
                Cow::Owned(Value::Object(kept.collect()))
            }
            Value::Array(items) => {
                let below = self.rules.element(at);
                Cow::Owned(Value::Array(items.iter().map(|item| self.pruned(item, &below).into_owned()).collect()))
            }
            other => Cow::Borrowed(other),
        }
    }
}

/// Each element's position by its key; `None` where the list is not made of maps with a key of their own.
fn by_key(list: &[Value], key: &str) -> Option<HashMap<Digest, usize>> {
    let mut positions = HashMap::with_capacity(list.len());
    for (position, element) in list.iter().enumerate() {
        let is = element.get(key).filter(|is| !is.is_object() && !is.is_array() && !is_mask(is))?;
        if positions.insert(Document::fingerprint_of(is), position).is_some() {
            return None;
        }
    }
    Some(positions)
}

pub(super) fn is_mask(value: &Value) -> bool {
    value.as_str() == Some(MASK)
}

pub(super) fn holds_mask(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(holds_mask),
        Value::Object(fields) => fields.values().any(holds_mask),
        other => is_mask(other),
    }
}
