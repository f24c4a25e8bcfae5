use std::fmt;

use serde_json::Value;

use crate::model::{Document, KindSchema};

/// How one system writes its documents as files. Pure: it sees names and texts, and never a file.
///
/// Errors of reading are words for the person who wrote the file. They name places, never values: a value may be a secret.
pub trait Syntax: fmt::Debug + Send + Sync {
    /// Of every resource of such a directory.
    fn kind(&self) -> &'static str;

    /// What the directory calls itself, as in `documents directory`.
    fn system(&self) -> &'static str;

    /// What a document is called that has this file name. `None`: such a file is no document.
    fn stem<'n>(&self, name: &'n [u8]) -> Option<&'n [u8]>;

    /// Every file name of which that is the stem.
    fn names(&self, stem: &[u8]) -> Vec<Vec<u8>>;

    /// The name of a file that is made. `origin`: the text that the document comes from, if it has one.
    fn new_name(&self, stem: &[u8], origin: Option<&str>) -> Vec<u8>;

    /// What the text of the file `name` means; it begins with no byte order mark. Two texts that mean the same give equal
    /// values.
    fn parse(&self, name: &[u8], text: &str) -> Result<Value, String>;

    /// Another text that means `edit.wanted`, with as much as can be kept of the live text. `None`: no text means that.
    /// What it answers is read again, and refused where it means something else.
    fn edit(&self, edit: &Edit<'_>) -> Option<Edited>;

    /// A text for a file that is made. `None`: no text means that.
    fn write(&self, name: &[u8], value: &Value) -> Option<String>;

    /// A value as a text; `None`: it is none.
    fn text<'v>(&self, value: &'v Value) -> Option<&'v str> {
        value.as_str()
    }

    /// Parts of a text that mean nothing here, as in `line 3`. They stay as they are, and the plan names them.
    fn not_understood(&self, text: &str) -> Vec<String> {
        let _ = text;
        Vec::new()
    }

    /// A document that was written by hand, as [`parse`](Self::parse) would give it. Errors: no text means that, and why.
    fn normalise(&self, value: Value) -> Result<Value, String> {
        Ok(value)
    }
}

/// What a text is to become.
#[derive(Clone, Copy, Debug)]
pub struct Edit<'e> {
    pub name: &'e [u8],
    /// The live text, without a byte order mark.
    pub text: &'e str,
    /// What it means.
    pub live: &'e Value,
    pub wanted: &'e Value,
    /// Where the wanted values come from; its text, if it has one, begins with no byte order mark.
    pub origin: Option<&'e Document>,
    pub schema: &'e KindSchema,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    pub text: String,
    /// Comments and layout of the live text could not be kept.
    pub loses_layout: bool,
}
