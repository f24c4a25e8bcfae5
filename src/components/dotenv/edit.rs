use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::lines::{Line, What, lines};
use super::value;
use crate::document_files::{Edit, spliced};

/// The live text with only the lines changed that mean something else. `None`: a value cannot be written.
pub(super) fn edited(edit: &Edit<'_>) -> Option<String> {
    let (live, wanted) = (edit.live.as_object()?, edit.wanted.as_object()?);
    let there = lines(edit.text);
    let origin_text = edit.origin.and_then(|origin| origin.source.as_deref()).unwrap_or_default();
    let origin = lines(origin_text);
    let from_origin = last_of_each(&origin);
    // The line by which the origin says the same.
    let theirs = |name: &str, value: &Value| {
        let line = from_origin.get(name)?;
        line.variable(origin_text).is_some_and(|(_, said)| said == *value).then_some(*line)
    };
    let mut pieces = Vec::new();
    for (name, line) in last_of_each(&there) {
        let What::Variable { name_ends, written, .. } = &line.what else { continue };
        let Some(value) = wanted.get(name).filter(|value| live.get(name) != Some(value)) else { continue };
        let as_there = theirs(name, value).and_then(|line| origin_text.get(value_of(line)?));
        let new = as_there.map(str::to_owned).or_else(|| value::written(value));
        pieces.push(match (written, value.is_null()) {
            (Some(written), true) => (*name_ends..written.end, String::new()),
            (Some(written), false) => (written.clone(), new?),
            (None, _) => (*name_ends..*name_ends, format!("={}", new?)),
        });
    }
    let gone = there.iter().filter(|line| name_of(line).is_some_and(|name| !wanted.contains_key(name)));
    pieces.extend(gone.map(|line| (line.start..line.end, String::new())));
    for (at, name) in places(&there, &origin, wanted, edit.text.len()) {
        let value = wanted.get(name)?;
        let as_there = theirs(name, value).and_then(|line| origin_text.get(line.start..line.end));
        let line = as_there.map(|line| line.trim_end_matches(['\r', '\n']).to_owned());
        pieces.push((at..at, line.or_else(|| value::line(name, value))? + "\n"));
    }
    spliced(edit.text, pieces)
}

/// Where each new variable comes: behind the one that it follows in the origin, else in front of the next, else at the end.
fn places<'v>(
    there: &[Line<'_>],
    origin: &[Line<'v>],
    wanted: &'v Map<String, Value>,
    end: usize,
) -> Vec<(usize, &'v str)> {
    let known = last_of_each(there);
    let (mut places, mut waiting, mut at, mut seen) = (Vec::new(), Vec::new(), None, HashSet::new());
    let is_wanted = |name: &&str| wanted.contains_key(*name);
    for name in origin.iter().filter_map(name_of).filter(is_wanted).filter(|name| seen.insert(*name)) {
        match (known.get(name), at) {
            (Some(line), _) => {
                places.extend(waiting.drain(..).map(|name| (line.start, name)));
                at = Some(line.end);
            }
            (None, Some(at)) => places.push((at, name)),
            (None, None) => waiting.push(name),
        }
    }
    let others = wanted.keys().map(String::as_str).filter(|name| !known.contains_key(name) && !seen.contains(name));
    places.extend(waiting.into_iter().chain(others).map(|name| (end, name)));
    places
}

/// The last line that sets a variable is the one that counts.
fn last_of_each<'l, 't>(lines: &'l [Line<'t>]) -> HashMap<&'t str, &'l Line<'t>> {
    lines.iter().filter_map(|line| Some((name_of(line)?, line))).collect()
}

fn name_of<'t>(line: &Line<'t>) -> Option<&'t str> {
    match &line.what {
        What::Variable { name, .. } => Some(name),
        _ => None,
    }
}

fn value_of(line: &Line<'_>) -> Option<std::ops::Range<usize>> {
    match &line.what {
        What::Variable { written, .. } => written.clone(),
        _ => None,
    }
}
