use serde_json::Value;

use super::notation::{self, Notation};
use super::{edit, wide};
use crate::document_files::{Edit, Edited, Syntax};

/// YAML and JSON, told apart by the file's suffix.
#[derive(Clone, Copy, Debug)]
pub struct YamlAndJson;

impl Syntax for YamlAndJson {
    fn kind(&self) -> &'static str {
        super::KIND
    }

    fn system(&self) -> &'static str {
        "documents directory"
    }

    fn stem<'n>(&self, name: &'n [u8]) -> Option<&'n [u8]> {
        Notation::of(name).map(|(stem, _)| stem)
    }

    fn names(&self, stem: &[u8]) -> Vec<Vec<u8>> {
        Notation::SUFFIXES.iter().map(|(suffix, _)| [stem, suffix].concat()).collect()
    }

    /// A new document is JSON where the backup's own text is.
    fn new_name(&self, stem: &[u8], origin: Option<&str>) -> Vec<u8> {
        let is_json = origin.is_some_and(|text| {
            text.trim_start().starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
        });
        let suffix: &[u8] = if is_json { b".json" } else { b".yaml" };
        [stem, suffix].concat()
    }

    fn parse(&self, name: &[u8], text: &str) -> Result<Value, String> {
        notation::parse(of(name), text)
    }

    fn edit(&self, edit: &Edit<'_>) -> Option<Edited> {
        edit::edit(of(edit.name), edit)
    }

    fn write(&self, name: &[u8], value: &Value) -> Option<String> {
        notation::render(of(name), value)
    }

    fn text<'v>(&self, value: &'v Value) -> Option<&'v str> {
        value.as_str().filter(|_| wide::number(value).is_none())
    }
}

fn of(name: &[u8]) -> Notation {
    Notation::of(name).map_or(Notation::Yaml, |(_, notation)| notation)
}
