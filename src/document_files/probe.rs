use crate::model::{
    Answer, Error, ErrorKind, Location, Probe, Resource, ResourceId, Result, TreePath, plural, visible,
};

use super::Syntax;

/// The one question that documents know: `document`, whether one of that name is there and can be read. Its
/// argument is the name without a suffix, or a map with it as `name`.
pub(super) fn asked(syntax: &dyn Syntax, probe: &Probe) -> Result<Location> {
    let doing = || format!("ask '{}'", visible(&probe.question));
    if probe.question != "document" {
        return Err(Error::new(ErrorKind::Unsupported, doing(), "documents know the question 'document' alone"));
    }
    let name = probe.of.as_str().or_else(|| probe.of.get("name").and_then(serde_json::Value::as_str));
    let name = name.filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Error::new(ErrorKind::Invalid, doing(), "it needs the name of a document"))?;
    let key = TreePath::new(name)?;
    Ok(Location { id: ResourceId { kind: syntax.kind().into(), key: key.clone() }, at: key })
}

pub(super) fn answer(found: Option<&Resource>) -> Answer {
    let fields = found.and_then(Resource::document).and_then(|document| document.value.as_object());
    let seen = match (found, fields) {
        (None, _) => "no document is there".to_owned(),
        (Some(_), Some(fields)) => format!("a document of {}", plural(fields.len() as u64, "field")),
        (Some(_), None) => "a document".to_owned(),
    };
    Answer { holds: found.is_some(), seen, again_in: None }
}
