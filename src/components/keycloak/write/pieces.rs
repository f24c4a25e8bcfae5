use serde_json::{Map, Value, json};

use super::super::kinds::Kind;
use super::super::live::Keycloak;
use super::planned::Planned;
use super::resource::link_calls;
use super::standing::Standing;
use crate::component::Refusal;
use crate::model::{DocumentPath, Error, ErrorKind, PathStep, Result};

/// So many calls are made to find what the server refuses of one resource; the rest is told as it is.
const MOST_CALLS: usize = 120;

/// One field of a document, or one entry of a map in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece(Vec<String>);

/// Whether the server looked at what it was given and said no. A login, a lost connection or another holder is no such.
pub(super) fn is_refusal(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Invalid | ErrorKind::NotFound)
}

/// What a realm has once, made of fields that have nothing to do with one another.
pub(super) fn has_pieces(kind: Kind) -> bool {
    matches!(kind, Kind::RealmSettings | Kind::Bindings | Kind::ClientPolicies)
}

impl Piece {
    fn refused(&self, error: &Error) -> Refusal {
        let place = DocumentPath(self.0.iter().cloned().map(PathStep::Field).collect());
        Refusal { place, why: error.chain() }
    }

    /// All that is otherwise in `to` than in `from`.
    pub fn of(from: &Value, to: &Value) -> Vec<Self> {
        let empty = Map::new();
        let (from, to) = (from.as_object().unwrap_or(&empty), to.as_object().unwrap_or(&empty));
        let names: std::collections::BTreeSet<&String> = from.keys().chain(to.keys()).collect();
        let mut pieces = Vec::new();
        for name in names.into_iter().filter(|name| from.get(*name) != to.get(*name)) {
            match (from.get(name), to.get(name)) {
                (None | Some(Value::Object(_)), Some(Value::Object(after))) => {
                    let before = from.get(name).and_then(Value::as_object).unwrap_or(&empty);
                    let below: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
                    let below = below.into_iter().filter(|below| before.get(*below) != after.get(*below));
                    pieces.extend(below.map(|below| Self(vec![name.clone(), below.clone()])));
                }
                _ => pieces.push(Self(vec![name.clone()])),
            }
        }
        pieces
    }

    /// This piece of `of` laid into `into`, or taken out of it where `of` lacks it.
    fn lay(&self, into: &mut Value, of: &Value) {
        let (Some(last), above) = (self.0.last(), &self.0[..self.0.len().saturating_sub(1)]) else { return };
        let mut of = Some(of);
        let mut into = into;
        for name in above {
            of = of.and_then(|of| of.get(name));
            let Some(fields) = into.as_object_mut() else { return };
            into = fields.entry(name.clone()).or_insert_with(|| json!({}));
        }
        let Some(fields) = into.as_object_mut() else { return };
        match of.and_then(|of| of.get(last)) {
            Some(value) => drop(fields.insert(last.clone(), value.clone())),
            None => drop(fields.remove(last)),
        }
    }
}

impl<'a> Planned<'a> {
    /// The same change of these pieces alone.
    fn only(&self, pieces: &[Piece]) -> Self {
        let mut to = self.from.clone();
        pieces.iter().for_each(|piece| piece.lay(&mut to, &self.to));
        self.with(to)
    }

    /// Without the pieces that refer to something missing, and what each lacks.
    pub fn without_missing(&self, standing: &Standing) -> (Self, Vec<Refusal>) {
        let mut made = self.with(self.to.clone());
        let mut refused = Vec::new();
        for piece in Piece::of(&self.from, &self.to) {
            let part = self.only(std::slice::from_ref(&piece));
            if let Err(error) = link_calls(&part.target(&[], standing)) {
                piece.lay(&mut made.to, &self.from);
                refused.push(piece.refused(&error));
            }
        }
        (made, refused)
    }
}

impl Keycloak {
    /// A resource that the server refuses as a whole, written by halves of it, then by quarters: one bad field among a
    /// hundred costs some calls and not the other fields. Answers what the server does not take.
    pub(super) async fn write_pieces(
        &self,
        plan: &Planned<'_>,
        standing: &Standing,
        body: bool,
    ) -> Result<Vec<Refusal>> {
        let mut calls = 0;
        let mut wanted = Piece::of(&plan.from, &plan.to);
        loop {
            let refused = self.write_halves(plan, standing, body, wanted.clone(), &mut calls).await?;
            // Two fields may be taken in one order only: whatever was refused is tried once more after the others.
            if refused.len() < 2 || refused.len() == wanted.len() || calls >= MOST_CALLS {
                return Ok(refused.iter().map(|(piece, error)| piece.refused(error)).collect());
            }
            wanted = refused.into_iter().map(|(piece, _)| piece).collect();
        }
    }

    async fn write_halves(
        &self,
        plan: &Planned<'_>,
        standing: &Standing,
        body: bool,
        wanted: Vec<Piece>,
        calls: &mut usize,
    ) -> Result<Vec<(Piece, Error)>> {
        let mut refused = Vec::new();
        let mut open = vec![wanted];
        while let Some(some) = open.pop() {
            *calls += 1;
            let error = match self.write_one(&plan.only(&some), standing, body).await {
                Ok(_) => continue,
                Err(error) if is_refusal(&error) => error,
                Err(error) => return Err(error),
            };
            if some.len() == 1 || *calls >= MOST_CALLS {
                refused.extend(some.into_iter().map(|piece| (piece, error.again())));
                continue;
            }
            let (one, other) = some.split_at(some.len() / 2);
            // What is first in the document is written first.
            open.extend([other.to_vec(), one.to_vec()]);
        }
        Ok(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(names: &[&str]) -> Piece {
        Piece(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn a_document_falls_into_fields_and_entries_of_maps() {
        let from = json!({"a": 1, "gone": "x", "attributes": {"k": "1", "old": "2"}, "same": [1]});
        let to = json!({"a": 2, "attributes": {"k": "2", "new": "3"}, "mail": {"host": "m"}, "same": [1]});
        let pieces = Piece::of(&from, &to);
        let names: &[&[&str]] = &[
            &["a"],
            &["attributes", "k"],
            &["attributes", "new"],
            &["attributes", "old"],
            &["gone"],
            &["mail", "host"],
        ];
        assert_eq!(pieces, names.iter().map(|names| piece(names)).collect::<Vec<_>>());
        let mut made = from.clone();
        pieces.iter().for_each(|piece| piece.lay(&mut made, &to));
        assert_eq!(made, to);
        let mut made = from.clone();
        piece(&["attributes", "old"]).lay(&mut made, &to);
        assert_eq!(made["attributes"], json!({"k": "1"}));
    }
}
