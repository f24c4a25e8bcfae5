use super::fields::Fields;
use super::finding::{Findings, Placed, Span};
use super::node::{Key, Node};
use super::template::Template;
use crate::model::{Error, ErrorKind, Result, visible};

/// A set of owners that a runbook walks, and where their names come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnersFrom {
    /// The set's name, which is the variable's too: `user` for `${user}`.
    pub set: String,
    pub span: Span,
    /// A source or a component.
    pub from: Placed<String>,
    pub below: Option<Template>,
    pub kind: Option<String>,
}

impl OwnersFrom {
    pub(super) fn decode(key: &Key, node: &Node, findings: &mut Findings) -> Option<Self> {
        let mut fields = Fields::of("a set of owners", key.span, node, findings)?;
        fields.require("from", findings);
        let from = fields.text("from", findings);
        let below = fields.template("below", findings);
        let kind = fields.text("kind", findings).map(|kind| kind.value);
        fields.finish(findings);
        Some(Self { set: key.name.clone(), span: key.span, from: from?, below, kind })
    }
}

/// An owner's name stands in paths and arguments: one that is not the name of one file is refused.
pub fn check_owner_name(set: &str, name: &str) -> Result<()> {
    let Some(why) = wrong_with_owner_name(name) else { return Ok(()) };
    Err(Error::new(ErrorKind::Refused, format!("use '{}' as the name of a {set}", visible(name)), why)
        .next(format!("look at where the runbook takes its {set}s from, or leave this one out there")))
}

pub(super) fn wrong_with_owner_name(name: &str) -> Option<&'static str> {
    Some(match name {
        "" => "its name is empty",
        "." | ".." => "its name would lead out of its place in a path",
        _ if name.contains('/') => "its name holds a '/'",
        _ if name.contains('\0') => "its name holds a NUL byte",
        _ if name.len() > 255 => "its name is longer than 255 bytes",
        _ => return None,
    })
}
