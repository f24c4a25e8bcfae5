//! The design's borders: which part of the source may know which. Reads the imports, so that a wrong one is named
//! with its file, not found in a review.

#![allow(clippy::unwrap_used, reason = "the reading of sources is test code outside any test function")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Each part, and the parts that it may know besides itself.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("crash", &[]),
    ("named_file", &[]),
    ("yaml_problem", &["model"]),
    ("diff", &["model"]),
    ("blocking", &["model"]),
    ("declared", &["model"]),
    ("adapter", &["model", "reader", "component", "stores", "declared"]),
    ("adapters", &["adapter", "components", "stores"]),
    ("runbook", &["model", "yaml_problem", "adapter", "adapters", "declared", "stores"]),
    ("journal", &["model"]),
    ("report", &["model"]),
    ("reader", &["model"]),
    ("component", &["model", "reader"]),
    ("beneath", &["model"]),
    ("name_service", &["model"]),
    ("stores", &["model", "beneath", "name_service", "declared", "blocking"]),
    ("document_files", &["model", "reader", "component", "declared", "blocking", "stores", "beneath", "diff", "crash"]),
    (
        "components",
        &[
            "document_files",
            "model",
            "reader",
            "component",
            "adapter",
            "declared",
            "blocking",
            "stores",
            "beneath",
            "diff",
            "crash",
            "named_file",
            "yaml_problem",
        ],
    ),
    ("engine", &["model", "reader", "component", "diff", "journal", "crash"]),
    (
        "registry",
        &["model", "reader", "component", "declared", "blocking", "adapters", "engine", "runbook", "named_file"],
    ),
    ("signals", &["model", "engine"]),
    ("tui", &["model", "engine", "diff", "signals", "named_file", "adapters"]),
    (
        "cli",
        &[
            "model",
            "engine",
            "diff",
            "journal",
            "report",
            "runbook",
            "registry",
            "adapters",
            "signals",
            "tui",
            "named_file",
            "yaml_problem",
        ],
    ),
    ("main", &["cli"]),
];

/// The demo writes the repository that it restores from; a reader of backups does not write.
const EXCEPTIONS: &[(&str, &str)] = &[("cli/demo/sandbox.rs", "stores")];

struct Source {
    /// Below `src`, with `/`.
    path: String,
    text: String,
}

impl Source {
    fn part(&self) -> &str {
        self.path.split('/').next().unwrap().trim_end_matches(".rs")
    }

    /// How many modules deep this file's own module is: 1 for a part itself.
    fn module(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.path.trim_end_matches(".rs").split('/').collect();
        if names.last() == Some(&"mod") {
            names.pop();
        }
        names
    }

    /// Paths from the crate's root that the file names, as far as two names deep.
    fn knows(&self) -> BTreeSet<Vec<String>> {
        let mut found = BTreeSet::new();
        let mut rest = self.text.as_str();
        while let Some(at) = rest.find("crate::") {
            rest = &rest[at + "crate::".len()..];
            found.extend(leading(rest));
        }
        let module = self.module();
        let mut rest = self.text.as_str();
        while let Some(at) = rest.find("super::") {
            let up = rest[at..].split("super::").take_while(|between| between.is_empty()).count();
            rest = &rest[at + up.max(1) * "super::".len()..];
            let base = &module[..module.len().saturating_sub(up.max(1))];
            for names in leading(rest) {
                found.insert(base.iter().map(|name| (*name).to_owned()).chain(names).take(2).collect());
            }
        }
        found
    }
}

/// The first two names of each path that begins here: `a::b`, `{a::b, c}`, `a::{b, c}`.
fn leading(text: &str) -> Vec<Vec<String>> {
    let word = |text: &str| -> String { text.chars().take_while(|one| one.is_alphanumeric() || *one == '_').collect() };
    let branches = |text: &str| -> Vec<String> {
        let Some(inside) = text.strip_prefix('{') else { return vec![text.to_owned()] };
        let (mut depth, mut branches, mut branch) = (1, Vec::new(), String::new());
        for one in inside.chars() {
            match one {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
            if one == ',' && depth == 1 {
                branches.push(std::mem::take(&mut branch));
            } else {
                branch.push(one);
            }
        }
        branches.push(branch);
        branches.into_iter().map(|branch| branch.trim().to_owned()).filter(|branch| !branch.is_empty()).collect()
    };
    let mut found = Vec::new();
    for first in branches(text) {
        let name = word(&first);
        match first[name.len()..].strip_prefix("::") {
            Some(rest) => found.extend(branches(rest).iter().map(|second| vec![name.clone(), word(second)])),
            None => found.push(vec![name]),
        }
    }
    found.retain(|names| names.iter().all(|name| !name.is_empty()));
    found
}

/// Every source file without its tests, which may reach across borders.
fn sources() -> Vec<Source> {
    fn below(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() { below(&entry.path(), found) } else { found.push(entry.path()) }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    below(&root, &mut found);
    found.sort();
    let is_test = |path: &str| {
        path.contains("tests/")
            || path.ends_with("tests.rs")
            || path.ends_with("_stories.rs")
            || path.ends_with("/fixtures.rs")
            || path == "lib.rs"
    };
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let code: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        Source { path: path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(), text: code.join("\n") }
    };
    let rust = found.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    rust.map(read).filter(|source| !is_test(&source.path)).collect()
}

#[test]
fn each_part_knows_only_whom_it_may() {
    let parts: Vec<&str> = MAY_KNOW.iter().map(|(part, _)| *part).collect();
    let mut wrong = Vec::new();
    for source in sources() {
        let Some((_, allowed)) = MAY_KNOW.iter().find(|(part, _)| *part == source.part()) else {
            wrong.push(format!("{} belongs to a part without a rule", source.path));
            continue;
        };
        for names in source.knows() {
            let known = names[0].as_str();
            let is_own = known == source.part() || !parts.contains(&known) || allowed.contains(&known);
            if !is_own && !EXCEPTIONS.contains(&(&source.path, known)) {
                wrong.push(format!("{} knows {}", source.path, names.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_adapter_knows_another() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| source.part() == "components") {
        let Some(own) = source.module().get(1).map(|name| (*name).to_owned()) else { continue };
        for names in source.knows() {
            if names[0] == "components" && names.get(1).is_some_and(|other| *other != own) {
                wrong.push(format!("{} knows {}", source.path, names.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Names of systems that are ordinary words too.
const ORDINARY_WORDS: &[&str] = &["files", "documents"];

#[test]
fn no_system_is_named_outside_its_folder_and_the_list() {
    let systems = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/components")).unwrap();
    let systems = systems.map(Result::unwrap).filter(|entry| entry.file_type().unwrap().is_dir());
    let systems: Vec<String> = systems.map(|entry| entry.file_name().into_string().unwrap()).collect();
    assert!(systems.len() > 2);
    let mut wrong = Vec::new();
    for source in sources() {
        if source.path == "adapters.rs" || source.path == "components/mod.rs" {
            continue;
        }
        let own = source.path.strip_prefix("components/").and_then(|path| path.split('/').next());
        let text = source.text.to_lowercase();
        for system in systems.iter().filter(|system| own != Some(system)) {
            let is_word = ORDINARY_WORDS.contains(&system.as_str());
            let named = if is_word { format!("components::{system}") } else { system.clone() };
            if text.contains(&named) || (!is_word && text.contains(&system.replace('_', "-"))) {
                wrong.push(format!("{} names {system}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_reading_sees_what_it_should() {
    let source = |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned() };
    let known = |source: Source| -> Vec<String> { source.knows().iter().map(|names| names.join("::")).collect() };
    assert_eq!(
        known(source("a/b.rs", "use crate::{model::Error, tui::{x, y}};")),
        ["model::Error", "tui::x", "tui::y"]
    );
    assert_eq!(known(source("a/b.rs", "crate::stores::tar::open()")), ["stores::tar"]);
    assert_eq!(known(source("components/files/b.rs", "use super::super::documents::X;")), ["components::documents"]);
    assert_eq!(known(source("a/b.rs", "use super::super::tui::X;")), ["tui::X"]);
}
