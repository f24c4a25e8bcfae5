//! `rekindle help`: the pages of the folders, and the verbs' own help.

use std::path::{Path, PathBuf};

use crate::{Told, rekindle};

const TOPICS: [&str; 11] = [
    "commands",
    "keys",
    "settings",
    "runbook",
    "stores",
    "files",
    "documents",
    "dotenv",
    "keycloak",
    "journal",
    "figures",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn said(told: Told) -> String {
    told.out
}

/// Every page below `folder`.
fn pages(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(pages(&entry.path())),
            false if entry.file_name() == "README.md" => found.push(entry.path()),
            false => {}
        }
    }
    found
}

/// Folders whose pages are for those who write the program.
const FOR_CONTRIBUTORS: [&str; 2] = ["src/components", "src/rest"];

#[test]
fn every_page_of_the_source_is_a_topic_and_its_modules_documentation() {
    let printed: Vec<String> = TOPICS.iter().map(|topic| said(rekindle(&["help", topic]).exits(0))).collect();
    let found = pages(&root().join("src"));
    assert!(found.len() >= 9, "{found:?}");
    for page in found {
        let module = std::fs::read_to_string(page.with_file_name("mod.rs")).unwrap();
        assert!(module.contains("#![doc = include_str!(\"README.md\")]"), "{}", page.display());
        if FOR_CONTRIBUTORS.iter().any(|folder| page.parent().unwrap().ends_with(folder)) {
            continue;
        }
        let text = std::fs::read_to_string(&page).unwrap();
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("<!--")).collect();
        let is_it = |printed: &&String| printed.lines().eq(lines.iter().copied());
        assert_eq!(printed.iter().filter(is_it).count(), 1, "no topic, or several, print {}", page.display());
    }
    let figures = printed.last().unwrap();
    assert!(figures.contains("| 20,000 files, 200 MB, local repository | rekindle |"), "{figures}");
}

#[test]
fn help_alone_lists_verbs_and_topics() {
    for words in [&["help"][..], &["--help"], &["-h"]] {
        let told = said(rekindle(words).exits(0).says("Usage: rekindle").says("rekindle help TOPIC"));
        let is_listed = |name: &str| told.lines().any(|line| line.trim_start().starts_with(&format!("{name} ")));
        for name in TOPICS.iter().chain(&["run", "plan", "help"]) {
            assert!(is_listed(name), "{name} is not in {told}");
        }
    }
}

#[test]
fn help_on_a_verb_is_what_the_verb_says_of_itself() {
    for verb in ["run", "plan", "help", "man"] {
        let told = said(rekindle(&["help", verb]).exits(0));
        assert!(told.contains(&format!("Usage: rekindle {verb}")), "{told}");
        assert_eq!(told, said(rekindle(&[verb, "--help"]).exits(0)));
    }
}

#[test]
fn an_unknown_name_is_told_with_the_names_that_there_are() {
    let told = rekindle(&["help", "kecloak"]).exits(1).complains("'kecloak'").complains("\nnext: ");
    assert!(TOPICS.iter().all(|topic| told.err.contains(topic)), "{}", told.err);
    let told = said(rekindle(&["help", "kecloak", "--json"]).exits(1));
    assert!(serde_json::from_str::<serde_json::Value>(&told).unwrap()["error"].is_object(), "{told}");
}

#[test]
fn a_page_is_a_fact_too() {
    let told = said(rekindle(&["help", "files", "--json"]).exits(0));
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["topic"], "files");
    assert!(told["markdown"].as_str().unwrap().contains("\n## Undo\n"));
}

/// The names in `rekindle help NAME`, where a page says so.
fn named(text: &str) -> Vec<String> {
    let name = |rest: &str| rest.chars().take_while(char::is_ascii_lowercase).collect::<String>();
    text.split("rekindle help ").skip(1).map(name).filter(|name| !name.is_empty()).collect()
}

#[test]
fn what_the_pages_refer_to_is_there() {
    let mut all = pages(&root().join("src"));
    all.extend(["README.md", "tests/bench/README.md"].map(|page| root().join(page)));
    let (mut links, mut topics) = (0, 0);
    for page in all {
        let text = std::fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap();
            assert!(page.with_file_name(path).exists(), "{} leads to {link}", page.display());
            links += 1;
        }
        for name in named(&text) {
            let is_listed = TOPICS.contains(&name.as_str());
            assert!(is_listed, "{} names the topic {name}", page.display());
            topics += 1;
        }
    }
    assert!(links > 12 && topics > 6, "{links} links, {topics} topics");
}
