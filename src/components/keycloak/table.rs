//! The table of the folder's README, made of the schema: what a restore gives, field by field.

use std::fmt::Write as _;

use super::config::Ids;
use super::kinds::Kind;
use super::schema::schema;
use crate::model::{Fidelity, FieldRule, FieldShape};

const README: &str = include_str!("README.md");
const BEGIN: &str = "<!-- table: made of the schema -->\n";
const END: &str = "<!-- end of the table -->\n";

fn made(fidelity: Fidelity) -> &'static str {
    match fidelity {
        Fidelity::Exact => "exactly",
        Fidelity::ReCreated => "re-created by the server, but kept in a realm that is made as a whole",
        Fidelity::Unreadable => "written; the server never tells it, so nothing proves it",
        Fidelity::Irreversible => "exactly, and no undo brings back what was there",
    }
}

/// What is said of a field, but for its name; nothing of one that is restored exactly and absent where it is absent.
fn said_of(rule: &FieldRule) -> Option<String> {
    let on_new = made(rule.created.unwrap_or(rule.fidelity));
    let on_old = match (rule.create_only, rule.removable) {
        (true, true) => "left as it is; removed by `mode: exact`, and no undo brings it back",
        (true, false) => "left as it is",
        (false, _) => made(rule.fidelity),
    };
    let absent = if rule.given { "the server's choice stays" } else { "" };
    let is_special = rule.ignored || rule.given || rule.secret || on_new != "exactly" || on_old != "exactly";
    let what = match (rule.ignored, rule.secret, &rule.shape) {
        (true, ..) => "not compared; written with what it belongs to",
        (_, true, _) => "secret",
        (.., FieldShape::Set) => "set",
        (.., FieldShape::KeyedList { .. }) => "list by name",
        _ => "",
    };
    is_special.then(|| format!("{what} | {on_new} | {on_old} | {absent} |"))
}

/// One row for all fields of which the same is said, in the order of the first of them.
fn rows(fields: &[FieldRule]) -> Vec<String> {
    let mut rows: Vec<(String, Vec<String>)> = Vec::new();
    for rule in fields {
        let Some(said) = said_of(rule) else { continue };
        let name = format!("`{}`", rule.path);
        match rows.iter_mut().find(|(other, _)| *other == said) {
            Some((_, names)) => names.push(name),
            None => rows.push((said, vec![name])),
        }
    }
    rows.into_iter().map(|(said, names)| format!("| {} | {said}", names.join(", "))).collect()
}

fn table() -> String {
    let schema = schema(Ids::Keep, &[]);
    let mut text = String::new();
    for kind in Kind::ALL {
        let known = schema.kind(kind.name());
        let rows = rows(&known.fields);
        let fills = if known.fills_in { " Fields that a file does not say are the server's to choose." } else { "" };
        let but = if rows.is_empty() { "" } else { " but for these" };
        let _ = writeln!(text, "### {}\n\nAll fields exactly{but}.{fills}\n", kind.name());
        if !rows.is_empty() {
            text.push_str("| fields | are | where it is made | where it is there | absent in the file |\n");
            text.push_str("|---|---|---|---|---|\n");
            rows.iter().for_each(|row| {
                let _ = writeln!(text, "{row}");
            });
            text.push('\n');
        }
    }
    text
}

#[test]
fn the_readme_says_what_the_schema_says() {
    let (before, rest) = README.split_once(BEGIN).unwrap();
    let (shown, after) = rest.split_once(END).unwrap();
    let wanted = table();
    if std::env::var_os("REKINDLE_WRITE_TABLES").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/components/keycloak/README.md");
        std::fs::write(path, format!("{before}{BEGIN}{wanted}{END}{after}")).unwrap();
        return;
    }
    assert!(shown == wanted, "run this test with REKINDLE_WRITE_TABLES=1, then look at the README:\n{wanted}");
}
