use super::components::{Adapter, ComponentSettings};
use super::step::{Action, Step};
use super::template::Template;

/// One place that a step writes in its component, part by part; variables that are not known stand between marks.
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

/// What `step` writes: the component's name and the places in it. `value` knows inputs, or nothing.
pub(super) fn written<'a>(
    step: &'a Step,
    components: &[ComponentSettings],
    value: &dyn Fn(&str) -> Option<String>,
) -> Option<(&'a str, Vec<Place>)> {
    let each = step.each.as_ref().map(|each| each.value.as_str());
    let parts = |template: &Template| parts(template, each, value);
    let owner = || each.map(|each| format!("{OWNER}{each}{OWNER}"));
    match &step.action {
        Action::Restore(restore) => {
            let component = components.iter().find(|component| component.name == restore.component.value)?;
            let to = restore.to.as_ref().map(parts);
            let place = match (&component.adapter, to) {
                (Adapter::Files(_), Some(to)) => Place { parts: to, reaches_below: true },
                (Adapter::Files(_), None) => Place { parts: owner().into_iter().collect(), reaches_below: true },
                // The same place on both sides, and all below it; an owner's own among many.
                (Adapter::Keycloak(_), to) => {
                    let mut parts = to.or_else(|| restore.below.as_ref().map(parts)).unwrap_or_default();
                    let names_owner = parts.iter().any(|part| part.contains(OWNER));
                    parts.extend(owner().filter(|_| !names_owner));
                    Place { parts, reaches_below: true }
                }
                // An owner's documents in one directory, or all of that directory's.
                (Adapter::Documents(_), to) => {
                    let mut parts = to.unwrap_or_default();
                    parts.push(owner().unwrap_or_else(|| ANY.to_owned()));
                    Place { parts, reaches_below: false }
                }
            };
            Some((&restore.component.value, vec![place]))
        }
        Action::Apply(apply) => {
            let to = apply.to.as_ref().map(parts).unwrap_or_default();
            let place = |(name, _): &(Template, _)| {
                let mut at = to.clone();
                at.extend(parts(name));
                Place { parts: at, reaches_below: false }
            };
            Some((&apply.component.value, apply.documents.iter().map(place).collect()))
        }
        _ => None,
    }
}

fn parts(template: &Template, each: Option<&str>, value: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let filled = template.fill(|name| {
        let marked = |mark: char| format!("{mark}{name}{mark}");
        let text = if each == Some(name) { marked(OWNER) } else { value(name).unwrap_or_else(|| marked(INPUT)) };
        Ok::<_, std::convert::Infallible>(text.into())
    });
    let text = match filled {
        Ok(text) => text,
        Err(never) => match never {},
    };
    text.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect()
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
        // The same owner makes two names of two patterns; owners of two sets are not one another's.
        _ => false,
    }
}

/// Whether some owner's name turns `pattern` into `name`.
fn can_be_named(pattern: &str, name: &str) -> bool {
    let (before, _) = pattern.split_once(OWNER).unwrap_or((pattern, ""));
    let (_, after) = pattern.rsplit_once(OWNER).unwrap_or(("", pattern));
    name.len() > before.len() + after.len() && name.starts_with(before) && name.ends_with(after)
}
