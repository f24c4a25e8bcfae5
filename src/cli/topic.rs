use crate::adapters::{ADAPTERS, STORES_PAGE};

/// A page of the documentation: the README of the folder that it is about.
#[derive(Clone, Copy, Debug)]
pub struct Topic {
    pub name: &'static str,
    page: &'static str,
}

const COMMANDS: [(&str, &str); 4] = [
    ("commands", include_str!("README.md")),
    ("keys", include_str!("../tui/README.md")),
    ("settings", include_str!("config/README.md")),
    ("runbook", include_str!("../runbook/README.md")),
];

const RECORDS: [(&str, &str); 2] =
    [("journal", include_str!("../journal/README.md")), ("figures", include_str!("../../tests/bench/README.md"))];

impl Topic {
    /// All of them, in the order in which a reader may want them.
    pub fn all() -> impl Iterator<Item = Self> {
        let of_systems = ADAPTERS.iter().map(|adapter| (adapter.name, adapter.page));
        let stores = [("stores", STORES_PAGE)];
        let pages = COMMANDS.into_iter().chain(stores).chain(of_systems).chain(RECORDS);
        pages.map(|(name, page)| Self { name, page })
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|topic| topic.name == name)
    }

    /// The line below the page's title.
    pub fn about(&self) -> &'static str {
        self.page.lines().skip(1).find(|line| !line.is_empty()).unwrap_or_default()
    }

    /// The page in Markdown, without the comments that only programs read.
    pub fn text(&self) -> String {
        let lines = self.page.lines().filter(|line| !line.starts_with("<!--"));
        lines.flat_map(|line| [line, "\n"]).collect()
    }
}

/// What `rekindle help` says of them, below the verbs.
pub fn listed() -> String {
    let lines: String = Topic::all().map(|topic| format!("\n  {:10} {}", topic.name, topic.about())).collect();
    format!("Topics, for rekindle help TOPIC:{lines}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_begins_with_a_title_and_a_line_that_a_list_can_show() {
        for topic in Topic::all() {
            assert!(topic.page.starts_with("# "), "{}", topic.name);
            assert!((20..66).contains(&topic.about().len()), "{}: {}", topic.name, topic.about());
            assert!(topic.about().ends_with('.'), "{}: {}", topic.name, topic.about());
        }
    }
}
