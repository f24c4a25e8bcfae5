use super::component::ComponentSettings;
use super::step::{Action, Step};
use super::template::Template;
use crate::adapter::Places;

/// One place that a step writes, its component's root included, part by part; variables that are not known stand between marks.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    parts: Vec<String>,
    /// All below it, as with files; else exactly this one.
    reaches_below: bool,
}

const OWNER: char = '\u{1}';
const INPUT: char = '\u{2}';
/// Any one name.
const ANY: &str = "\u{1}\u{1}";

/// Before an absolute path, and before one that starts where rekindle does: no part of a path holds a slash.
const ABSOLUTE: &str = "/";
const RELATIVE: &str = "./";
/// Before a server's address and what of it is meant.
const SERVER: &str = "server/";

/// What `step` writes, if it does. `value` knows inputs, or nothing.
pub(super) fn written(
    step: &Step,
    components: &[ComponentSettings],
    value: &dyn Fn(&str) -> Option<String>,
) -> Option<Vec<Place>> {
    let component = match &step.action {
        Action::Restore(restore) => &restore.component.value,
        Action::Apply(apply) => &apply.component.value,
        _ => return None,
    };
    let component = components.iter().find(|settings| settings.name == *component)?;
    let root = root(component, value);
    let mut places = below_root(step, component, value);
    for place in &mut places {
        place.parts.splice(0..0, root.iter().cloned());
    }
    Some(places)
}

/// Two components may be one directory, or one inside the other's: links aside, their paths tell.
fn root(component: &ComponentSettings, value: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let template =
        |key: &str| component.given.text(key).map(|template| text(template, None, value)).unwrap_or_default();
    let text = template(component.adapter.name);
    if let Places::KeysOfServer { part_key } = component.adapter.places {
        return [SERVER.to_owned()].into_iter().chain(split(&text)).chain([template(part_key)]).collect();
    }
    let mut root = match text.chars().next() {
        Some('/') => vec![ABSOLUTE.to_owned()],
        Some(INPUT) => Vec::new(),
        _ => vec![RELATIVE.to_owned()],
    };
    for part in split(&text) {
        let is_known = root.len() > 1 && root.last().is_some_and(|last| last != ".." && !last.contains(INPUT));
        match part == ".." {
            true if is_known => drop(root.pop()),
            true if root == [ABSOLUTE] => {}
            _ => root.push(part),
        }
    }
    root
}

fn below_root(step: &Step, component: &ComponentSettings, value: &dyn Fn(&str) -> Option<String>) -> Vec<Place> {
    let each = step.each.as_ref().map(|each| each.value.as_str());
    let parts = |template: &Template| parts(template, each, value);
    let owner = || each.map(|each| format!("{OWNER}{each}{OWNER}"));
    match &step.action {
        Action::Restore(restore) => {
            let to = restore.to.as_ref().map(parts);
            let place = match (component.adapter.places, to) {
                (Places::DirectoryOfOwner, Some(to)) => Place { parts: to, reaches_below: true },
                (Places::DirectoryOfOwner, None) => Place { parts: owner().into_iter().collect(), reaches_below: true },
                // The same place on both sides, and all below it; an owner's own among many.
                (Places::KeysOfServer { .. }, to) => {
                    let mut parts = to.or_else(|| restore.below.as_ref().map(parts)).unwrap_or_default();
                    let names_owner = parts.iter().any(|part| part.contains(OWNER));
                    parts.extend(owner().filter(|_| !names_owner));
                    Place { parts, reaches_below: true }
                }
                // An owner's documents in one directory, or all of that directory's.
                (Places::FileOfOwner { owner_key }, to) => {
                    let mut parts = to.unwrap_or_default();
                    // Where a field says whose it is, its file may have any name.
                    let named = owner().filter(|_| !component.given.has(owner_key));
                    parts.push(named.unwrap_or_else(|| ANY.to_owned()));
                    Place { parts, reaches_below: false }
                }
            };
            vec![place]
        }
        Action::Apply(apply) => {
            let to = apply.to.as_ref().map(parts).unwrap_or_default();
            let place = |(name, _): &(Template, _)| {
                let mut at = to.clone();
                at.extend(parts(name));
                Place { parts: at, reaches_below: false }
            };
            apply.documents.iter().map(place).collect()
        }
        _ => Vec::new(),
    }
}

fn parts(template: &Template, each: Option<&str>, value: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    split(&text(template, each, value)).collect()
}

fn split(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned)
}

fn text(template: &Template, each: Option<&str>, value: &dyn Fn(&str) -> Option<String>) -> String {
    let filled = template.fill(|name| {
        let marked = |mark: char| format!("{mark}{name}{mark}");
        let text = if each == Some(name) { marked(OWNER) } else { value(name).unwrap_or_else(|| marked(INPUT)) };
        Ok::<_, std::convert::Infallible>(text.into())
    });
    match filled {
        Ok(text) => text,
        Err(never) => match never {},
    }
}

impl Place {
    /// Whether both can be one and the same for some owner. An input that is not known yet is equal to itself only.
    pub fn overlaps(&self, other: &Self) -> bool {
        let nested = match (self.reaches_below, other.reaches_below) {
            (true, true) => true,
            (true, false) => self.parts.len() <= other.parts.len(),
            (false, true) => self.parts.len() >= other.parts.len(),
            (false, false) => self.parts.len() == other.parts.len(),
        };
        nested && self.parts.iter().zip(&other.parts).all(|(one, other)| can_be_one(one, other))
    }
}

fn can_be_one(one: &str, other: &str) -> bool {
    if one == other || one == ANY || other == ANY {
        return true;
    }
    if one.contains(INPUT) || other.contains(INPUT) {
        return false;
    }
    match (one.contains(OWNER), other.contains(OWNER)) {
        (true, false) => can_be_named(one, other),
        (false, true) => can_be_named(other, one),
        (true, true) => can_be_two_names(one, other),
        (false, false) => false,
    }
}

/// Of two patterns with an owner's name each. The same owner makes two names of two patterns; two sets may hold the
/// same name, as users and their private groups do.
fn can_be_two_names(one: &str, other: &str) -> bool {
    let set = |pattern: &str| pattern.split(OWNER).nth(1).map(str::to_owned);
    if set(one) == set(other) {
        return false;
    }
    let ((before, after), (their_before, their_after)) = (around(one), around(other));
    (before.starts_with(their_before) || their_before.starts_with(before))
        && (after.ends_with(their_after) || their_after.ends_with(after))
}

/// Whether some owner's name turns `pattern` into `name`.
fn can_be_named(pattern: &str, name: &str) -> bool {
    let (before, after) = around(pattern);
    name.len() > before.len() + after.len() && name.starts_with(before) && name.ends_with(after)
}

/// What stands before the first of a pattern's names and after the last.
fn around(pattern: &str) -> (&str, &str) {
    let (before, _) = pattern.split_once(OWNER).unwrap_or((pattern, ""));
    let (_, after) = pattern.rsplit_once(OWNER).unwrap_or(("", pattern));
    (before, after)
}
