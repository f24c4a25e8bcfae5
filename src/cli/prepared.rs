use std::path::Path;
use std::sync::Arc;

use super::waits::Waits;
use crate::model::{Error, ErrorKind, OwnerSet, Result, Run, RunHeader, StepHeader, plural};
use crate::registry::{Pins, Systems, same_system};
use crate::runbook::{Findings, Inputs, Runbook};

/// A runbook with its inputs known, its systems opened and its owners found: ready to be planned or run.
pub struct Prepared {
    pub systems: Arc<Systems>,
    pub header: RunHeader,
}

/// Reads a runbook and what it includes. Its findings are an error that shows each with its place.
pub fn usable_runbook(path: &Path) -> Result<Runbook> {
    parsed(super::read_runbook(path)?, &path.display().to_string())
}

/// A runbook as a run's journal holds it, with what it includes.
pub fn recorded_runbook(header: &RunHeader) -> Result<Runbook> {
    parsed(Runbook::parse_recorded(&header.runbook_path, &header.runbook), &header.runbook_path)
}

fn parsed(read: Result<(Runbook, Findings), Box<Findings>>, shown: &str) -> Result<Runbook> {
    read.map(|(runbook, _)| runbook).map_err(|findings| {
        Error::new(ErrorKind::Invalid, format!("use the runbook {shown}"), findings.to_string())
            .next(format!("rekindle lint {shown}"))
    })
}

/// Opens everything a runbook names. `select` keeps the owners that are wanted.
pub async fn prepare(
    path: &Path,
    runbook: Runbook,
    inputs: Inputs,
    by: &str,
    now: i64,
    select: impl FnOnce(Vec<OwnerSet>) -> Result<Vec<OwnerSet>>,
) -> Result<Prepared> {
    runbook.require_inputs(&inputs)?;
    let waits = Waits::default();
    let systems = Systems::open(runbook, inputs, &Pins::new(), &|name, told| waits.tell_of(name, told)).await?;
    let owners = select(systems.owners().await?)?;
    let runbook = systems.runbook();
    let (steps, owners) = runbook.header(systems.inputs(), &owners)?;
    let is_empty = |set: &OwnerSet| set.names.is_empty();
    let of_nobody = |step: &StepHeader| {
        step.each.as_ref().is_some_and(|each| owners.iter().any(|set| set.set == *each && is_empty(set)))
    };
    let has_tasks = !steps.iter().all(of_nobody);
    for set in owners.iter().filter(|set| is_empty(set)) {
        if !(has_tasks && systems.can_be_empty(&set.set)) {
            let doing = "find the owners to restore";
            if let Some(first) = set.unusable.first() {
                let all = plural(set.unusable.len() as u64, &set.set);
                let why = format!("none of the {all} there can be restored; {}: {}", first.name, first.why);
                return Err(Error::new(ErrorKind::Invalid, doing, why));
            }
            let why = format!("the runbook's set '{}' is empty", set.set);
            return Err(
                Error::new(ErrorKind::NotFound, doing, why).next("check the owners' 'from' and 'below' in the runbook")
            );
        }
    }
    let header = RunHeader {
        id: run_id(&runbook.title, now),
        title: runbook.title.clone(),
        by: by.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        runbook: runbook.text.clone(),
        runbook_path: path.display().to_string(),
        digest: Some(runbook.digest),
        inputs: systems.inputs().plain().clone(),
        identities: systems.identities().await?,
        steps,
        owners,
        policy: String::new(),
        goal: runbook.goal.map(|goal| goal.as_secs()),
    };
    Ok(Prepared { systems: Arc::new(systems), header })
}

/// Opens the systems of a run again: the same runbook, inputs and snapshots. Secret inputs are given anew.
pub async fn reopen(header: &RunHeader, inputs: Inputs) -> Result<Arc<Systems>> {
    let runbook = recorded_runbook(header)?;
    runbook.require_inputs(&inputs)?;
    let waits = Waits::default();
    let opened = |name: &str, told| waits.tell_of(name, told);
    let systems = Systems::open(runbook, inputs, &header.identities, &opened).await?;
    same_systems(header, systems.identities().await?)?;
    Ok(Arc::new(systems))
}

/// The same for what needs no backup: an undo must work when the repository is gone too.
pub async fn reopen_live(header: &RunHeader, inputs: Inputs) -> Result<Arc<Systems>> {
    let waits = Waits::default();
    let opened = |name: &str, told| waits.tell_of(name, told);
    let systems = Systems::open_live(recorded_runbook(header)?, inputs, &header.identities, &opened).await?;
    same_systems(header, systems.live_identities().await?)?;
    Ok(Arc::new(systems))
}

/// Those of a run's systems that are there, for what needs none of them. `takes_replaced_for_missing`: of one that another
/// stands in place of now, nothing is touched.
pub async fn reopen_what_is_there(
    header: &RunHeader,
    inputs: Inputs,
    takes_replaced_for_missing: bool,
) -> Result<Arc<Systems>> {
    let waits = Waits::default();
    let opened = |name: &str, told| waits.tell_of(name, told);
    let pins = &header.identities;
    let runbook = recorded_runbook(header)?;
    Ok(Arc::new(Systems::open_what_is_there(runbook, inputs, pins, takes_replaced_for_missing, &opened).await?))
}

fn same_systems(header: &RunHeader, found: Pins) -> Result<()> {
    found.iter().try_for_each(|(name, found)| same_system(name, &header.identities, found))
}

/// A header as a fold, for what needs no journal.
pub fn as_run(header: &RunHeader) -> Result<Run> {
    let mut run = Run::default();
    let event = crate::model::Event::Opened { run: Arc::new(header.clone()) };
    run.apply(&crate::model::Recorded { seq: 1, at: 0, event })
        .map_err(|error| Error::new(ErrorKind::Bug, "lay the run out", error.to_string()))?;
    Ok(run)
}

/// As in `261121-044300-homes`: sorts by time, in UTC, and after the longer names of earlier versions; says what it is.
/// A script that starts several in one second gives the later ones names of the next seconds.
const STAMP: &str = "%y%m%d-%H%M%S";
const STAMP_LENGTH: usize = "261121-044300".len();
/// Of the title's words.
const SLUG_LENGTH: usize = 12;
/// Words that tell no run from another.
const EMPTY_WORDS: [&str; 14] =
    ["a", "an", "and", "back", "bring", "for", "from", "in", "of", "on", "restore", "the", "to", "with"];

/// The latest run is the last by name: where the clock was set back since `last`, a name that comes after it.
pub fn id_after(last: &str, id: &str) -> Option<String> {
    let (last, (stamp, slug)) = (last.get(..STAMP_LENGTH)?, id.split_at_checked(STAMP_LENGTH)?);
    if stamp > last {
        return None;
    }
    let last = jiff::civil::DateTime::strptime(STAMP, last).ok()?;
    let next = last.checked_add(jiff::Span::new().seconds(1)).ok()?;
    Some(format!("{}{slug}", next.strftime(STAMP)))
}

fn run_id(title: &str, now: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(now).unwrap_or_default();
    let stamp = time.to_zoned(jiff::tz::TimeZone::UTC).strftime(STAMP).to_string();
    let words = || title.split(|one: char| !one.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let telling = |word: &&str| !EMPTY_WORDS.contains(&word.to_ascii_lowercase().as_str());
    let mut slug = String::new();
    // A title of nothing but such words is better than none.
    let first = words().find(telling).or_else(|| words().next());
    for word in first.into_iter().chain(words().filter(telling).skip(1)) {
        if !slug.is_empty() && slug.len() + 1 + word.len() > SLUG_LENGTH + 1 {
            break;
        }
        slug.push('-');
        slug.extend(word.chars().take(SLUG_LENGTH).map(|one| one.to_ascii_lowercase()));
    }
    format!("{stamp}{slug}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_comes_after_the_last_one_by_name_whatever_the_clock_says() {
        let id = |now| run_id("Restore: the homes", now);
        let (early, late) = (id(1_795_236_180_123), id(1_795_236_180_999));
        assert_eq!((early.as_str(), &early), ("261121-044300-homes", &late));
        assert_eq!(id_after("20261121-044300.123-restore-the-homes", &early), None, "a name of an earlier version");
        assert!(early.as_str() > "20261121-044300.123-restore-the-homes");
        let next = id_after(&late, &early).unwrap();
        assert_eq!(next, "261121-044301-homes");
        assert!(next > late && id_after(&next, &next).unwrap() > next);
        assert_eq!(id_after("by-hand", &early), None);
    }

    #[test]
    fn a_runs_name_is_short_and_says_what_it_is() {
        let slug = |title: &str| run_id(title, 0)[STAMP_LENGTH..].to_owned();
        let titles = [
            "Restore home directories",
            "Bring the homes back",
            "Bring back",
            "",
            "Zurückholen",
            "x".repeat(90).leak(),
        ];
        assert_eq!(titles.map(slug), ["-home", "-homes", "-bring", "", "-zur-ckholen", "-xxxxxxxxxxxx"]);
    }
}
