use std::ops::Range;

use serde_json::Value;

use super::rules::{Cursor, Rules};
use super::walk::is_mask;
use crate::diff::files::{Bounds, DiffLine, Side, TextDiff};
use crate::model::{
    COVERED, Document, DocumentPath, Hunk, HunkAt, KindSchema, MASKED, PathStep, Proposal, Resource, Schema, Shown,
    plural, visible,
};

/// A value that is longer is worth a line of its own.
const LONG: usize = 160;

/// [`lines_around`] for a hunk of a proposal. Where no schema says what is secret, nothing around a field is shown.
pub fn lines_in(proposal: &Proposal, at: (u32, u32), schema: Option<&Schema>, bounds: Bounds) -> Option<TextDiff> {
    let change = proposal.plan.changes.get(at.0 as usize)?;
    let hunk = change.hunks.get(at.1 as usize)?;
    let live = proposal.live.get(at.0 as usize).and_then(Option::as_ref).and_then(Resource::document);
    let plain = KindSchema::default();
    let (live, schema) = match schema {
        Some(schema) => (live, schema.kind(&change.id.kind)),
        None => (None, &plain),
    };
    lines_around(hunk, live, schema, bounds)
}

/// One field's hunk as lines: what goes, what comes, and the lines of the live document around it. Secrets are covered.
/// `None` where a hunk's own words say all of it.
pub fn lines_around(hunk: &Hunk, live: Option<&Document>, schema: &KindSchema, bounds: Bounds) -> Option<TextDiff> {
    let HunkAt::Field { path, before, after } = &hunk.at else { return None };
    let rules = Rules::new(schema);
    let mut sheet = Sheet::of(&rules, path);
    if let Some(live) = live {
        sheet.write("", &live.value, &rules.root(), 0, Some(&path.0));
    }
    let place = sheet.place.clone().unwrap_or(sheet.lines.len()..sheet.lines.len());
    let context = usize::try_from(bounds.context).unwrap_or(usize::MAX);
    let (above, below) = (sheet.lines.get(..place.start), sheet.lines.get(place.end..));
    let above = above.map(|lines| &lines[lines.len().saturating_sub(context)..]).unwrap_or_default();
    let below = below.map(|lines| &lines[..lines.len().min(context)]).unwrap_or_default();
    let mut diff = TextDiff::default();
    let mut tell = |side, lines: &[String]| {
        diff.lines.extend(lines.iter().map(|text| DiffLine::bounded(side, text.clone())));
    };
    tell(Side::Both, above);
    let sides = [(Side::Removed, before), (Side::Added, after)];
    let sides = sides
        .map(|(side, shown)| (side, shown.as_ref().map_or_else(Vec::new, |shown| value(shown, path, sheet.depth))));
    let is_plain = sides.iter().all(|(_, lines)| lines.len() <= 1 && lines.iter().all(|line| line.len() <= LONG));
    for (side, lines) in &sides {
        tell(*side, lines);
    }
    tell(Side::Both, below);
    if above.is_empty() && below.is_empty() && is_plain {
        return None;
    }
    if diff.lines.len() > bounds.lines {
        diff.lines.truncate(bounds.lines);
        diff.note = Some(format!("only the first {} of the value are shown", plural(bounds.lines as u64, "line")));
        diff.is_cut = true;
    }
    Some(diff)
}

/// A hunk's value is fit to be shown already: no rule hides more of it.
fn value(shown: &Shown, path: &DocumentPath, depth: usize) -> Vec<String> {
    let schema = KindSchema::default();
    let rules = Rules::new(&schema);
    let mut sheet = Sheet::of(&rules, path);
    let label = match path.0.last() {
        None => String::new(),
        Some(PathStep::Field(name)) => format!("{}:", visible(name)),
        Some(_) => "-".to_owned(),
    };
    match shown {
        Shown::Plain(value) => sheet.write(&label, value, &rules.root(), depth, None),
        Shown::Secret(_) => sheet.line(depth, &label, COVERED),
        Shown::Masked => sheet.line(depth, &label, MASKED),
    }
    sheet.lines
}

/// A document as it would stand in a YAML file, its keys sorted.
struct Sheet<'a, 'r> {
    rules: &'r Rules<'a>,
    lines: Vec<String>,
    /// Of the field that is looked for, or where it would stand.
    place: Option<Range<usize>>,
    depth: usize,
}

impl<'a, 'r> Sheet<'a, 'r> {
    fn of(rules: &'r Rules<'a>, path: &DocumentPath) -> Self {
        Self { rules, lines: Vec::new(), place: None, depth: path.0.len().saturating_sub(1) }
    }

    fn line(&mut self, depth: usize, label: &str, text: &str) {
        let space = if label.is_empty() { "" } else { " " };
        self.lines.push(format!("{}{label}{space}{text}", "  ".repeat(depth)).trim_end().to_owned());
    }

    /// `way` leads from here to the field that is looked for.
    fn write(&mut self, label: &str, value: &Value, at: &Cursor, depth: usize, way: Option<&[PathStep]>) {
        let start = self.lines.len();
        let is_there = way.is_some_and(<[PathStep]>::is_empty);
        match value {
            _ if is_mask(value) => self.line(depth, label, MASKED),
            _ if at.secret => self.line(depth, label, COVERED),
            Value::Object(fields) if !fields.is_empty() => self.object(label, fields, at, depth, way),
            Value::Array(items) if !items.is_empty() => self.array(label, items, at, depth, way),
            Value::String(text) if text.trim_end().contains('\n') => {
                self.line(depth, label, "|");
                let below = depth + usize::from(!label.is_empty());
                text.lines().for_each(|line| self.line(below, "", &visible(line)));
            }
            Value::String(text) => self.line(depth, label, &scalar(text)),
            other => self.line(depth, label, &other.to_string()),
        }
        if is_there {
            (self.place, self.depth) = (Some(start..self.lines.len()), depth);
        }
    }

    fn object(
        &mut self,
        label: &str,
        fields: &serde_json::Map<String, Value>,
        at: &Cursor,
        depth: usize,
        way: Option<&[PathStep]>,
    ) {
        let below = self.begin(label, depth);
        let (wanted, rest) = match way.and_then(<[PathStep]>::split_first) {
            Some((PathStep::Field(name), rest)) => (Some(name), rest),
            _ => (None, [].as_slice()),
        };
        let is_missing = wanted.is_some_and(|name| !fields.contains_key(name));
        for (name, field) in fields {
            let at = self.rules.field(at, name);
            if at.ignored {
                continue;
            }
            if is_missing && self.place.is_none() && wanted.is_some_and(|wanted| name > wanted) {
                self.missing(below);
            }
            let way = (wanted == Some(name)).then_some(rest);
            self.write(&format!("{}:", visible(name)), field, &at, below, way);
        }
        if is_missing && self.place.is_none() {
            self.missing(below);
        }
    }

    fn array(&mut self, label: &str, items: &[Value], at: &Cursor, depth: usize, way: Option<&[PathStep]>) {
        let below = self.begin(label, depth);
        let at = self.rules.element(at);
        let step = way.and_then(<[PathStep]>::split_first);
        for (position, item) in items.iter().enumerate() {
            let way = step.and_then(|(step, rest)| {
                let is_it = match step {
                    PathStep::Keyed { key, is } => item.get(key) == Some(is),
                    PathStep::Element { element } => item == element,
                    PathStep::Index(index) => *index == position,
                    PathStep::Field(_) => false,
                };
                is_it.then_some(rest)
            });
            self.write("-", item, &at, below, way);
        }
        if step.is_some() && self.place.is_none() {
            self.missing(below);
        }
    }

    fn begin(&mut self, label: &str, depth: usize) -> usize {
        if label.is_empty() {
            return depth;
        }
        self.line(depth, label, "");
        depth + 1
    }

    /// It would stand here.
    fn missing(&mut self, depth: usize) {
        (self.place, self.depth) = (Some(self.lines.len()..self.lines.len()), depth);
    }
}

/// As it may stand in a YAML file: in quotes where it would be read as something else.
fn scalar(text: &str) -> String {
    let is_plain = |one: char| one.is_alphanumeric() || "_-./@$%+=,;()~ ".contains(one);
    let begins = |one: char| one.is_alphabetic() || "/_.$".contains(one);
    let is_word = !matches!(text, "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "~" | ".");
    if is_word && text.chars().all(is_plain) && text.starts_with(begins) && !text.ends_with(' ') {
        return visible(text).into_owned();
    }
    visible(&Value::from(text).to_string()).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::changes;
    use super::*;
    use crate::model::{DigestKey, FieldRule, FieldShape, Mode, ResourceId, TreePath};

    fn schema() -> KindSchema {
        let rule = |path: &str| FieldRule { path: path.to_owned(), ..FieldRule::default() };
        let set = FieldRule { shape: FieldShape::Set, ..rule("roles") };
        KindSchema { fields: vec![set, FieldRule { secret: true, ..rule("password") }], ..KindSchema::default() }
    }

    /// Each hunk's lines, with their signs.
    fn told(live: Option<Value>, desired: Option<Value>, mode: Mode) -> Vec<String> {
        let id = ResourceId { kind: "document".into(), key: TreePath::new("ana").unwrap() };
        let [live, desired] = [live, desired].map(|value| value.map(Document::new));
        let key = DigestKey::new([7; 32]);
        let change = changes(&id, live.as_ref(), desired.as_ref(), &schema(), mode, &key).unwrap();
        let of = |hunk: &Hunk| {
            let bounds = Bounds { context: 1, ..Bounds::ONE_FILE };
            let lines = lines_around(hunk, live.as_ref(), &schema(), bounds).map_or_else(Vec::new, |diff| diff.lines);
            lines.iter().map(|line| format!("{}{}", line.side.mark(), line.text)).collect::<Vec<_>>().join("\n")
        };
        change.hunks.iter().map(of).collect()
    }

    #[test]
    fn a_field_is_shown_with_the_lines_around_it_and_no_secret() {
        let live = json!({"name": "ana", "password": "hunter2", "quota": 1, "roles": ["read"]});
        let desired = json!({"name": "ana", "password": "hunter2", "quota": 10, "roles": ["read", "write"]});
        let wanted = ["  password: ••••\n- quota: 1\n+ quota: 10\n  roles:", "    - read\n+   - write"];
        assert_eq!(told(Some(live), Some(desired), Mode::Merge), wanted);
    }

    #[test]
    fn a_field_that_is_new_stands_where_it_will_be() {
        let live = json!({"a": 1, "c": {"x": true}});
        let desired = json!({"a": 1, "b": "two", "c": {"x": true, "y": "no"}});
        assert_eq!(
            told(Some(live), Some(desired), Mode::Merge),
            ["  a: 1\n+ b: two\n  c:", "    x: true\n+   y: \"no\""]
        );
    }

    #[test]
    fn what_a_hunk_says_by_itself_is_not_said_twice() {
        let made = told(None, Some(json!({"name": "ana", "text": "one\ntwo\n"})), Mode::Merge);
        assert_eq!(made, ["", "+ text: |\n+   one\n+   two"]);
        let gone = told(Some(json!({"name": "ana", "password": "hunter2"})), None, Mode::Exact);
        assert!(gone[0].starts_with("- name: ana\n- password: \"•••• ") && gone.len() == 1, "{gone:?}");
    }
}
