//! Whose a record of the log is, in the words of the field and not of the code.

use crate::adapters::ADAPTERS;

/// The run's own events.
pub const EVENTS: &str = "events";

/// A name as the log pane shows it, with the targets of `tracing` that are meant.
type Voice = (&'static str, &'static [&'static str]);

const OF_THE_RUN: [Voice; 4] = [
    (EVENTS, &[crate::engine::EVENTS]),
    ("engine", &["engine", "rekindle::engine"]),
    ("commands", &["run"]),
    ("journal", &["journal", "rekindle::journal"]),
];

const OF_ALL_ELSE: [Voice; 4] = [
    ("restic", &["rustic_core", "rustic_backend", "opendal", "rekindle::stores::restic"]),
    ("backups", &["rekindle::stores", "rekindle::registry"]),
    ("rekindle", &["rekindle", "plain", "signals"]),
    ("demo", &["demo"]),
];

fn voices() -> impl Iterator<Item = Voice> {
    let of_systems = ADAPTERS.iter().map(|adapter| (adapter.name, adapter.voice));
    OF_THE_RUN.into_iter().chain(of_systems).chain(OF_ALL_ELSE)
}

/// All others: libraries, which are heard when they warn.
const OTHERS: &str = "others";

pub fn of(target: &str) -> &'static str {
    let is_below =
        |one: &&&str| target.strip_prefix(**one).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
    // The longest match counts.
    let matches =
        voices().flat_map(|(name, targets)| targets.iter().filter(is_below).map(move |one| (one.len(), name)).max());
    matches.max().map_or(OTHERS, |(_, name)| name)
}

/// The next of those that were heard, in the table's order; `None`, which is everybody, after the last.
pub fn next(heard: &[&'static str], now: Option<&'static str>) -> Option<&'static str> {
    let names = voices().map(|(name, _)| name).chain([OTHERS]);
    let mut after = names.skip_while(|name| now.is_some_and(|now| now != *name)).skip(usize::from(now.is_some()));
    after.find(|name| heard.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_named_as_an_operator_would() {
        for (target, name) in [
            ("engine::event", "events"),
            ("engine", "engine"),
            ("rekindle::engine::actor", "engine"),
            ("rustic_core::repository::warm_up", "restic"),
            ("rekindle::stores::restic::opened", "restic"),
            ("rekindle::stores::tar", "backups"),
            ("rekindle::tui::runtime", "rekindle"),
            ("keycloak", "keycloak"),
            ("enginery", "others"),
            ("hyper_util::client", "others"),
        ] {
            assert_eq!(of(target), name, "{target}");
        }
    }

    #[test]
    fn turning_goes_through_all_that_were_heard_and_back_to_everybody() {
        let heard = ["demo", "others", "events"];
        let mut seen = Vec::new();
        let mut now = next(&heard, None);
        while let Some(name) = now {
            seen.push(name);
            now = next(&heard, now);
        }
        assert_eq!(seen, ["events", "demo", "others"]);
        assert_eq!(next(&[], None), None);
    }
}
