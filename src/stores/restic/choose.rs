use std::collections::BTreeSet;

use rustic_core::repofile::SnapshotFile;

use super::SnapshotChoice;
use crate::model::{Error, ErrorKind, Result, visible};

/// More candidates than this are counted, not listed.
const LISTED: usize = 12;

/// What is known of one snapshot without reading its trees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// 64 hex digits.
    pub id: String,
    pub time: jiff::Timestamp,
    pub host: String,
    pub paths: Vec<String>,
    pub tags: Vec<String>,
}

impl Snapshot {
    pub(super) fn of(file: &SnapshotFile) -> Self {
        Self {
            id: file.id.to_hex().as_str().to_owned(),
            time: file.time.timestamp(),
            host: file.hostname.clone(),
            paths: file.paths.iter().cloned().collect(),
            tags: file.tags.iter().filter(|tag| !tag.is_empty()).cloned().collect(),
        }
    }

    pub fn short_id(&self) -> &str {
        self.id.get(..8).unwrap_or(&self.id)
    }

    /// One line for a list of candidates.
    fn line(&self) -> String {
        let mut line = format!(
            "{} {} {} {}",
            self.short_id(),
            self.time.strftime("%Y-%m-%d %H:%M:%S UTC"),
            visible(&self.host),
            visible(&self.paths.join(" "))
        );
        if !self.tags.is_empty() {
            line.push_str(&format!(" [{}]", visible(&self.tags.join(", "))));
        }
        line
    }
}

/// The one snapshot that is meant, or an error that lists the candidates.
///
/// `latest` is the youngest of those that match. Where those come from several hosts or were made of
/// different paths and the choice does not say which, the youngest would be a guess: that is ambiguous.
pub(super) fn choose<'a>(all: &'a [Snapshot], choice: &SnapshotChoice, repository: &str) -> Result<&'a Snapshot> {
    let doing = || format!("choose {} in {repository}", wanted(choice));
    let matching: Vec<&Snapshot> = all.iter().filter(|snapshot| matches(snapshot, choice)).collect();
    let Some(youngest) = matching.iter().max_by_key(|snapshot| snapshot.time) else {
        if all.is_empty() {
            return Err(Error::new(ErrorKind::NotFound, doing(), "the repository holds no snapshot")
                .next("check that this is the right repository, or make a backup first"));
        }
        let why = format!("no snapshot matches; it holds {}", list(all.iter()));
        return Err(Error::new(ErrorKind::NotFound, doing(), why)
            .next("correct the snapshot's id, host, path, tag or time in the runbook or its inputs"));
    };
    if !choice.wants_latest() {
        return match matching.as_slice() {
            [only] => Ok(only),
            several => {
                let why = format!("{} snapshots match: {}", several.len(), list(several.iter().copied()));
                Err(Error::new(ErrorKind::Ambiguous, doing(), why).next("give more digits of the id"))
            }
        };
    }
    let origins: BTreeSet<_> = matching
        .iter()
        .map(|snapshot| {
            let host = choice.host.is_none().then_some(&snapshot.host);
            let paths = choice.path.is_none().then_some(&snapshot.paths);
            (host, paths)
        })
        .collect();
    if origins.len() > 1 {
        let why = format!("the latest of several hosts or paths would be a guess: {}", list(matching.iter().copied()));
        return Err(Error::new(ErrorKind::Ambiguous, doing(), why).next("name the snapshot's host and path, or its id"));
    }
    let ties: Vec<_> = matching.iter().copied().filter(|snapshot| snapshot.time == youngest.time).collect();
    if ties.len() > 1 {
        let why = format!("{} were made at the same moment: {}", ties.len(), list(ties.iter().copied()));
        return Err(Error::new(ErrorKind::Ambiguous, doing(), why).next("name the snapshot by its id"));
    }
    Ok(youngest)
}

fn matches(snapshot: &Snapshot, choice: &SnapshotChoice) -> bool {
    let trimmed = |path: &str| if path.len() > 1 { path.trim_end_matches('/').to_owned() } else { path.to_owned() };
    let by_id = match choice.id.as_deref() {
        None | Some("latest") => true,
        Some(id) => !id.is_empty() && snapshot.id.starts_with(&id.to_ascii_lowercase()),
    };
    by_id
        && choice.host.as_ref().is_none_or(|host| snapshot.host == *host)
        && choice.path.as_ref().is_none_or(|path| snapshot.paths.iter().any(|own| trimmed(own) == trimmed(path)))
        && choice.tag.as_ref().is_none_or(|tag| snapshot.tags.contains(tag))
        && choice.before.is_none_or(|before| snapshot.time <= before)
}

fn wanted(choice: &SnapshotChoice) -> String {
    let mut text = match choice.id.as_deref() {
        None | Some("latest") => "the latest snapshot".to_owned(),
        Some(id) => format!("the snapshot {}", visible(id)),
    };
    for (word, value) in [("of host", &choice.host), ("of path", &choice.path), ("with tag", &choice.tag)] {
        if let Some(value) = value {
            text.push_str(&format!(" {word} {}", visible(value)));
        }
    }
    if let Some(before) = choice.before {
        text.push_str(&format!(" not after {before}"));
    }
    text
}

fn list<'a>(snapshots: impl Iterator<Item = &'a Snapshot>) -> String {
    let mut sorted: Vec<_> = snapshots.collect();
    sorted.sort_by_key(|snapshot| std::cmp::Reverse(snapshot.time));
    let mut lines: Vec<String> =
        sorted.iter().take(LISTED).map(|snapshot| format!("\n  {}", snapshot.line())).collect();
    if sorted.len() > LISTED {
        lines.push(format!("\n  and {} more", sorted.len() - LISTED));
    }
    lines.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(id: &str, day: i8, host: &str, path: &str, tag: &str) -> Snapshot {
        let time = jiff::civil::date(2026, 1, day).at(3, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).unwrap();
        Snapshot {
            id: format!("{id:0<64}"),
            time: time.timestamp(),
            host: host.into(),
            paths: vec![path.into()],
            tags: vec![tag.into()],
        }
    }

    fn four() -> Vec<Snapshot> {
        vec![
            snapshot("aa11", 1, "mars", "/home", "nightly"),
            snapshot("aa22", 2, "mars", "/home", "nightly"),
            snapshot("bb11", 3, "venus", "/home", "nightly"),
            snapshot("cc11", 4, "mars", "/etc", "manual"),
        ]
    }

    fn choice(fill: impl Fn(&mut SnapshotChoice)) -> SnapshotChoice {
        let mut choice = SnapshotChoice::default();
        fill(&mut choice);
        choice
    }

    #[test]
    fn each_part_narrows_the_choice() {
        let all = four();
        let chosen = |choice: &SnapshotChoice| choose(&all, choice, "r").unwrap().short_id().to_owned();
        assert_eq!(chosen(&choice(|it| it.id = Some("AA2".into()))), "aa220000");
        assert_eq!(chosen(&choice(|it| it.host = Some("venus".into()))), "bb110000");
        assert_eq!(chosen(&choice(|it| it.tag = Some("manual".into()))), "cc110000");
        let home = choice(|it| (it.host, it.path) = (Some("mars".into()), Some("/home/".into())));
        assert_eq!(chosen(&home), "aa220000");
        assert_eq!(chosen(&SnapshotChoice { before: Some(all[0].time), ..home }), "aa110000");
    }

    #[test]
    fn latest_does_not_guess_between_hosts_or_paths() {
        let all = four();
        let error = choose(&all, &SnapshotChoice::default(), "r").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Ambiguous);
        for candidate in ["cc110000 2026-01-04 03:00:00 UTC mars /etc [manual]", "bb110000", "aa220000", "aa110000"] {
            assert!(error.to_string().contains(candidate), "{error}");
        }
        let mars = choice(|it| it.host = Some("mars".into()));
        assert_eq!(choose(&all, &mars, "r").unwrap_err().kind(), ErrorKind::Ambiguous);
    }

    #[test]
    fn nothing_matching_lists_what_there_is() {
        let error = choose(&four(), &choice(|it| it.host = Some("pluto".into())), "r").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("host pluto") && error.to_string().contains("venus"), "{error}");
        let empty = choose(&[], &SnapshotChoice::default(), "r").unwrap_err();
        assert!(empty.to_string().contains("holds no snapshot"));
    }

    #[test]
    fn a_prefix_of_two_ids_is_ambiguous() {
        let error = choose(&four(), &choice(|it| it.id = Some("aa".into())), "r").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Ambiguous);
        assert!(error.to_string().contains("aa11") && !error.to_string().contains("bb11"), "{error}");
    }
}
