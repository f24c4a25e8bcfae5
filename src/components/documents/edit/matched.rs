use std::ops::Range;

use serde_json::Value;
use similar::{Algorithm, DiffOp};

use crate::model::{Digest, Document, FieldShape};

/// Pairs of positions, each side in order: the element that is there, and what it becomes.
pub(super) type Pairs = Vec<(usize, usize)>;

/// What mostly names an entry where no schema says what does.
const KEYS: [&str; 4] = ["id", "name", "key", "uuid"];

/// Entries that have at least this much in common are one entry.
const ALIKE: f64 = 0.5;

/// So many entries are held against each other at most, old times new ones.
const MOST_TRIED: usize = 4096;

/// A longer text is compared as a whole.
const LONGEST: usize = 256;

/// Which elements become which: by the key of the schema or one of the usual names, else by likeness. An element that
/// matches none, and `is_bare` of comments, lends its place and layout to another: nothing is said of the wrong one then.
pub(super) fn pairs(live: &[Value], wanted: &[Value], shape: &FieldShape, is_bare: impl Fn(usize) -> bool) -> Pairs {
    let named = |key: &str| Some((keys(live, key)?, keys(wanted, key)?));
    let by_key = match shape {
        FieldShape::KeyedList { key } => named(key),
        FieldShape::Plain => KEYS.iter().find_map(|key| named(key)),
        FieldShape::Set => None,
    };
    let is_keyed = by_key.is_some();
    let whole = |list: &[Value]| list.iter().map(Document::fingerprint_of).collect::<Vec<_>>();
    let (old, new) = by_key.unwrap_or_else(|| (whole(live), whole(wanted)));
    let mut pairs = Pairs::new();
    for op in similar::capture_diff_slices(Algorithm::Myers, &old, &new) {
        let (old, new) = (op.old_range(), op.new_range());
        if matches!(op, DiffOp::Equal { .. }) {
            pairs.extend(old.zip(new));
        } else if is_keyed || *shape == FieldShape::Set {
            lend(&mut pairs, old, new, &is_bare);
        } else {
            let mut from = (old.start, new.start);
            for (one, other) in most_alike(live, wanted, &old, &new) {
                lend(&mut pairs, from.0..one, from.1..other, &is_bare);
                pairs.push((one, other));
                from = (one + 1, other + 1);
            }
            lend(&mut pairs, from.0..old.end, from.1..new.end, &is_bare);
        }
    }
    pairs
}

fn lend(pairs: &mut Pairs, old: Range<usize>, new: Range<usize>, is_bare: &impl Fn(usize) -> bool) {
    pairs.extend(old.zip(new).filter(|(old, _)| is_bare(*old)));
}

/// The key of each element; `None` where an element has none, or one that another one has too.
fn keys(list: &[Value], key: &str) -> Option<Vec<Digest>> {
    let is_scalar = |is: &&Value| !is.is_object() && !is.is_array();
    let keys: Vec<Digest> = list
        .iter()
        .map(|element| element.get(key).filter(is_scalar).map(Document::fingerprint_of))
        .collect::<Option<_>>()?;
    let distinct: std::collections::HashSet<&Digest> = keys.iter().collect();
    (distinct.len() == keys.len()).then_some(keys)
}

/// The pairs, in order on both sides, that have the most in common altogether.
fn most_alike(live: &[Value], wanted: &[Value], old: &Range<usize>, new: &Range<usize>) -> Pairs {
    let (Some(live), Some(wanted)) = (live.get(old.clone()), wanted.get(new.clone())) else { return Pairs::new() };
    if live.len().saturating_mul(wanted.len()) > MOST_TRIED {
        return Pairs::new();
    }
    let width = wanted.len() + 1;
    // Of the best pairs from here on, their likeness altogether, and whether these two are one of them.
    let mut best = vec![(0.0_f64, false); (live.len() + 1) * width];
    let at = |one: usize, other: usize| one * width + other;
    for (one, from) in live.iter().enumerate().rev() {
        for (other, to) in wanted.iter().enumerate().rev() {
            let rest = best[at(one + 1, other)].0.max(best[at(one, other + 1)].0);
            let likeness = likeness(from, to);
            let both = best[at(one + 1, other + 1)].0 + likeness;
            best[at(one, other)] = if likeness >= ALIKE && both >= rest { (both, true) } else { (rest, false) };
        }
    }
    let (mut one, mut other, mut pairs) = (0, 0, Pairs::new());
    while one < live.len() && other < wanted.len() {
        if best[at(one, other)].1 {
            pairs.push((old.start + one, new.start + other));
            (one, other) = (one + 1, other + 1);
        } else if best[at(one + 1, other)].0 >= best[at(one, other + 1)].0 {
            one += 1;
        } else {
            other += 1;
        }
    }
    pairs
}

/// From 0, nothing in common, to 1, the same.
fn likeness(one: &Value, two: &Value) -> f64 {
    let share = |same: f64, of: usize| same / of.max(1) as f64;
    match (one, two) {
        _ if one == two => 1.0,
        (Value::Object(one), Value::Object(two)) => {
            let shared = one.iter().filter_map(|(name, field)| Some((field, two.get(name)?)));
            let (count, same) = shared.fold((0, 0.0), |(count, same), (one, two)| (count + 1, same + inner(one, two)));
            share(same, one.len() + two.len() - count)
        }
        (Value::Array(one), Value::Array(two)) => {
            let is_tried = one.len().saturating_mul(two.len()) <= MOST_TRIED;
            let same = one.iter().filter(|one| is_tried && two.contains(one)).count();
            share(same as f64, one.len().max(two.len()))
        }
        (Value::String(one), Value::String(two)) if one.len().max(two.len()) <= LONGEST => {
            f64::from(similar::TextDiff::from_chars(one.as_str(), two.as_str()).ratio())
        }
        _ => 0.0,
    }
}

/// Below an entry a scalar is the same or is not: two numbers or dates look alike and say nothing.
fn inner(one: &Value, two: &Value) -> f64 {
    let is_container = one.is_object() || one.is_array();
    if is_container { likeness(one, two) } else { f64::from(u8::from(one == two)) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(live: Value, wanted: Value, shape: &FieldShape) -> Pairs {
        pairs(live.as_array().unwrap(), wanted.as_array().unwrap(), shape, |_| false)
    }

    #[test]
    fn an_entry_is_known_by_its_key_or_by_what_it_has_in_common() {
        let plain = FieldShape::Plain;
        let keyed = FieldShape::KeyedList { key: "mail".to_owned() };
        let two = json!([{"id": 1, "v": 1}, {"id": 2, "v": 1}]);
        assert_eq!(of(two.clone(), json!([{"id": 2, "v": 5}]), &plain), [(1, 0)]);
        assert_eq!(of(two, json!([{"id": 3, "v": 1}, {"id": 2, "v": 1}]), &plain), [(1, 1)]);
        let mails = json!([{"mail": "a", "v": 1, "w": 2}, {"mail": "b", "v": 3, "w": 4}]);
        assert_eq!(of(mails, json!([{"mail": "b", "v": 1, "w": 2}]), &keyed), [(1, 0)]);
        assert_eq!(of(json!([{"x": 1, "y": 1}, {"x": 2, "y": 2}]), json!([{"x": 2, "y": 3}]), &plain), [(1, 0)]);
        assert_eq!(of(json!(["--port", "8080"]), json!(["--port", "9090"]), &plain), [(0, 0), (1, 1)]);
        assert_eq!(of(json!(["dev", "ops"]), json!(["qa", "ops"]), &plain), [(1, 1)]);
        assert_eq!(of(json!([["a", "b"], ["c"]]), json!([["b"], ["c", "d"]]), &plain), [(0, 0), (1, 1)]);
        assert_eq!(of(json!(["read"]), json!(["reads"]), &FieldShape::Set), []);
        assert_eq!(of(json!([{"id": 1}, {"id": 1}]), json!([{"id": 1}]), &plain), [(0, 0)], "no key of its own");
    }

    #[test]
    fn a_list_of_any_length_is_matched_in_good_time() {
        let long = |from: u32| Value::from((from..from + 3000).map(|at| format!("item {at}")).collect::<Vec<_>>());
        assert_eq!(of(long(0), long(10_000), &FieldShape::Plain), []);
    }
}
