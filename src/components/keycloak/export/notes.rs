use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::components::keycloak::canonical::MASK;
use crate::components::keycloak::kinds::Kind;
use crate::model::{Error, ErrorKind, Result, TreePath, visible};

/// Lines of one answer.
const MAX_LINES: usize = 40;
const MAX_LENGTH: usize = 120;
/// How deep a value is looked through.
const MAX_DEPTH: usize = 100;

/// What is not restored, in words, gathered from many resources: equal words are one line with a count.
#[derive(Default)]
pub(in crate::components::keycloak) struct Notes {
    by_word: BTreeMap<(String, Option<Kind>), (u64, TreePath)>,
    lines: Vec<String>,
}

impl Notes {
    pub fn add(&mut self, key: &TreePath, word: &str) {
        let kind = Kind::of_key(key).map(|(kind, _)| kind);
        let (count, _) = self.by_word.entry((word.to_owned(), kind)).or_insert_with(|| (0, key.clone()));
        *count += 1;
    }

    /// Of the export as a whole.
    pub fn say(&mut self, line: String) {
        self.lines.push(line);
    }

    pub fn finish(self) -> Vec<String> {
        let mut lines = self.lines;
        for ((word, kind), (count, key)) in self.by_word {
            let word: String = visible(&word).chars().take(MAX_LENGTH).collect();
            let whose = match (count, kind) {
                (1, _) | (_, None) => key.to_string(),
                (count, Some(kind)) => format!("{count} {}", many(kind)),
            };
            lines.push(format!("{word} ({whose})"));
        }
        if lines.len() > MAX_LINES {
            let more = lines.len() - MAX_LINES;
            lines.truncate(MAX_LINES);
            lines.push(format!("and {more} more kinds of fields"));
        }
        lines
    }
}

fn many(kind: Kind) -> String {
    match kind {
        Kind::ClientPolicies | Kind::RealmSettings | Kind::Bindings => kind.name().to_owned(),
        kind => format!("{}s", kind.name()),
    }
}

/// `kc.sh import` would put variables of its environment in the place of `${NAME}` and `${env.NAME}`; here such a
/// text stands for itself. What the server looks up itself, `${vault.x}` and the names of its messages, is no
/// placeholder.
pub(super) fn placeholders_in(bytes: &[u8], document: &Value) -> Vec<String> {
    if !bytes.windows(2).any(|pair| pair == b"${") {
        return Vec::new();
    }
    placeholders(document)
}

pub(super) fn placeholders(document: &Value) -> Vec<String> {
    let mut found = BTreeSet::new();
    texts(document, 0, &mut |text| {
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            rest = rest.get(at + 2..).unwrap_or_default();
            if let Some(name) = rest.split('}').next().filter(|name| rest.len() > name.len() && is_variable(name)) {
                found.insert(name.to_owned());
            }
        }
    });
    found.into_iter().map(|name| format!("what ${{{name}}} stands for: it is written as it stands")).collect()
}

/// keycloak-config-cli fills in `$(env:NAME)` and the like before it sends a file. Here nobody does, and a secret that
/// is the text of a variable would be worse than none.
pub(super) fn refuse_variables(doing: &str, value: &Value) -> Result<()> {
    let mut found = None;
    texts(value, 0, &mut |text| {
        if found.is_none() {
            found = variable(text);
        }
    });
    let Some(name) = found else { return Ok(()) };
    let why = format!("it holds {}, a variable that keycloak-config-cli fills in", visible(&name));
    Err(Error::new(ErrorKind::Invalid, doing, why).next("put the value in the variable's place, in a copy of the file"))
}

fn variable(text: &str) -> Option<String> {
    let of = |rest: &str| {
        let (kind, name) = rest.split_once(')')?.0.split_once(':')?;
        let is_kind = !kind.is_empty() && kind.chars().all(|one| one.is_ascii_alphanumeric());
        is_kind.then(|| format!("$({kind}:{name})"))
    };
    text.split("$(").skip(1).find_map(of)
}

fn is_variable(name: &str) -> bool {
    let name = name.split(':').next().unwrap_or_default();
    let upper = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_uppercase() || first == '_')
            && name.chars().all(|one| one.is_ascii_uppercase() || one.is_ascii_digit() || one == '_')
    };
    name.strip_prefix("env.").is_some_and(|name| !name.is_empty()) || upper(name)
}

fn texts(value: &Value, depth: usize, on: &mut dyn FnMut(&str)) {
    match value {
        _ if depth > MAX_DEPTH => {}
        Value::String(text) => on(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, depth + 1, on)),
        Value::Object(fields) => fields.values().for_each(|field| texts(field, depth + 1, on)),
        _ => {}
    }
}

/// Secrets that were masked when the file was made, as an export from the admin console has them: how many each
/// resource has, as far as it can be told.
pub(super) fn masks(realm: &Value) -> BTreeMap<TreePath, u64> {
    let mut found = BTreeMap::new();
    for (field, value) in realm.as_object().into_iter().flatten() {
        let (kind, name) = match field.as_str() {
            "clients" => (Kind::Client, "clientId"),
            "clientScopes" => (Kind::ClientScope, "name"),
            "identityProviders" => (Kind::IdentityProvider, "alias"),
            "components" => (Kind::Component, ""),
            "authenticatorConfig" | "authenticationFlows" => (Kind::Flow, ""),
            "users" | "federatedUsers" => continue,
            _ => (Kind::RealmSettings, ""),
        };
        let items = value.as_array().filter(|_| !name.is_empty());
        for item in items.map_or_else(|| vec![value], |items| items.iter().collect()) {
            let mut count = 0;
            texts(item, 0, &mut |text| count += u64::from(text == MASK));
            let names: Vec<&str> = item.get(name).and_then(Value::as_str).into_iter().collect();
            if count > 0 {
                *found.entry(kind.id(&names).key).or_default() += count;
            }
        }
    }
    found
}
