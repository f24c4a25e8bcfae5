use serde_json::Value;

use super::lines::{What, lines};
use super::{edit, value};
use crate::document_files::{Edit, Edited, Syntax};
use crate::model::visible;

/// Lines of `KEY=value`, as containers, services and shells read them.
#[derive(Clone, Copy, Debug)]
pub struct Dotenv;

const SUFFIX: &[u8] = b".env";

impl Syntax for Dotenv {
    fn kind(&self) -> &'static str {
        "dotenv"
    }

    fn system(&self) -> &'static str {
        "dotenv directory"
    }

    /// `web` for `web.env`; a hidden file, as `.env.local`, goes by its whole name.
    fn stem<'n>(&self, name: &'n [u8]) -> Option<&'n [u8]> {
        let is_left_over = [&b".swp"[..], b".swo", b".bak", b"~"].iter().any(|end| name.ends_with(end));
        match name.strip_prefix(SUFFIX) {
            Some(rest) => {
                (rest.is_empty() || (rest.len() > 1 && rest.starts_with(b".") && !is_left_over)).then_some(name)
            }
            None => name.strip_suffix(SUFFIX).filter(|stem| !stem.starts_with(b".")),
        }
    }

    fn names(&self, stem: &[u8]) -> Vec<Vec<u8>> {
        vec![self.new_name(stem, None)]
    }

    fn new_name(&self, stem: &[u8], _: Option<&str>) -> Vec<u8> {
        if stem.starts_with(SUFFIX) { stem.to_vec() } else { [stem, SUFFIX].concat() }
    }

    fn parse(&self, _: &[u8], text: &str) -> Result<Value, String> {
        if text.contains('\0') {
            return Err("it holds a NUL byte: it is no text".to_owned());
        }
        let lines = lines(text);
        let is_set = |what: &What<'_>| matches!(what, What::Variable { .. });
        if lines.iter().any(|line| line.what == What::Unclear) && !lines.iter().any(|line| is_set(&line.what)) {
            return Err("none of its lines is KEY=value".to_owned());
        }
        Ok(Value::Object(lines.iter().filter_map(|line| line.variable(text)).collect()))
    }

    fn edit(&self, edit: &Edit<'_>) -> Option<Edited> {
        Some(Edited { text: edit::edited(edit)?, loses_layout: false })
    }

    fn write(&self, _: &[u8], value: &Value) -> Option<String> {
        value.as_object()?.iter().map(|(name, value)| Some(value::line(name, value)? + "\n")).collect()
    }

    fn not_understood(&self, text: &str) -> Vec<String> {
        let (mut number, mut found) = (1, Vec::new());
        for line in lines(text) {
            if line.what == What::Unclear {
                found.push(format!("line {number}"));
            }
            number += text.get(line.start..line.end).unwrap_or_default().matches('\n').count();
        }
        found
    }

    fn normalise(&self, value: Value) -> Result<Value, String> {
        let Value::Object(variables) = value else { return Err("it is a list, and holds no variables".to_owned()) };
        let normal = |(name, value): (String, Value)| match value::normal(&name, value) {
            Some(value) => Ok((name, value)),
            None => Err(format!("'{}' is no variable with a text", visible(&name))),
        };
        variables.into_iter().map(normal).collect::<Result<_, _>>().map(Value::Object)
    }
}
