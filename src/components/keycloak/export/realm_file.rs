use std::io::Read;

use serde_json::{Map, Value};

use super::layout::ambiguous;
use super::pieces::Pieces;
use crate::model::{Error, ErrorKind, Result, TreePath, visible};

/// A realm's own part, people not included, may be as large: one of 10,000 clients has half of it.
const MAX_REALM: usize = 64 * 1024 * 1024;
const MAX_REALMS: usize = 10_000;

/// One realm of a file.
pub(super) struct RealmPart {
    pub representation: Value,
    /// Where the list of its people begins, if this file holds one.
    pub people_at: Option<u64>,
}

/// Reads the realm of a file, or `wanted` of several. People are passed over: there can be millions.
pub(super) fn read(file: &TreePath, from: impl Read, wanted: Option<&str>) -> Result<RealmPart> {
    let mut pieces = Pieces::new(from, format!("read {file}"));
    let mut names = Vec::new();
    let mut found = None;
    let mut keep = |part: RealmPart, pieces: &Pieces<_>| -> Result<()> {
        let name =
            name_of(&part.representation).ok_or_else(|| pieces.bad("it is no realm's: it has no field 'realm'"))?;
        if names.len() >= MAX_REALMS || names.contains(&name) {
            return Err(pieces.bad(format!("it holds the realm {} twice, or too many", visible(&name))));
        }
        if wanted.is_none_or(|wanted| wanted == name) && found.is_none() {
            found = Some(part);
        }
        names.push(name);
        Ok(())
    };
    match pieces.peek()? {
        Some(b'{') => {
            let part = one(&mut pieces)?;
            keep(part, &pieces)?;
        }
        Some(b'[') => {
            pieces.expect(b'[')?;
            let mut first = true;
            while pieces.next(b']', &mut first)? {
                let part = one(&mut pieces)?;
                keep(part, &pieces)?;
            }
        }
        None => return Err(pieces.bad("it is empty")),
        Some(_) => return Err(pieces.bad("it is not JSON")),
    }
    pieces.end()?;
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    match (wanted, found) {
        (None, Some(_)) if all.len() > 1 => Err(ambiguous(file, &all)),
        (_, Some(found)) => Ok(found),
        (wanted, None) => {
            let shown: Vec<_> = all.iter().take(10).map(|name| visible(*name)).collect();
            let why = format!("it holds no realm {}, but {}", visible(wanted.unwrap_or_default()), shown.join(", "));
            Err(Error::new(ErrorKind::NotFound, format!("read {file}"), why)
                .next("correct 'realm' at the source in the runbook"))
        }
    }
}

fn name_of(representation: &Value) -> Option<String> {
    representation.get("realm").and_then(Value::as_str).filter(|name| !name.is_empty()).map(str::to_owned)
}

fn one<R: Read>(pieces: &mut Pieces<R>) -> Result<RealmPart> {
    pieces.expect(b'{')?;
    let mut fields = Map::new();
    let mut people_at = None;
    let mut held = 0;
    let mut first = true;
    while let Some(name) = pieces.field(&mut first)? {
        if fields.contains_key(&name) || (name == "users" && people_at.is_some()) {
            return Err(pieces.bad(format!("it has the field '{}' twice", visible(&name))));
        }
        if name == "users" && pieces.peek()? == Some(b'[') {
            people_at = Some(pieces.position());
            pieces.skip()?;
            continue;
        }
        let bytes = pieces.value(MAX_REALM - held)?;
        held += bytes.len();
        let value = serde_json::from_slice(&bytes)
            .map_err(|error| pieces.bad(format!("its field '{}' is not JSON: {error}", visible(&name))))?;
        fields.insert(name, value);
    }
    Ok(RealmPart { representation: Value::Object(fields), people_at })
}
