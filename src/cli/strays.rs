use std::path::Path;

use super::close::{CloseArgs, tell};
use super::prepared::usable_runbook;
use super::waits::Waits;
use super::{Exit, Output, remark};
use crate::engine::Script;
use crate::journal::StateFolder;
use crate::model::{Error, ErrorKind, Result, shown_command, visible};
use crate::registry::{Pins, Systems};

/// More names would only fill the screen.
const MOST_NAMED: usize = 6;

/// Says for which runs something is kept at the targets though this state folder has no such run: its record is lost,
/// or it lies elsewhere.
pub async fn warn(script: &dyn Script, runbook: &Path) {
    let Ok(state) = StateFolder::from_environment() else { return };
    for (name, component) in script.components() {
        // Who may not look there is told of nothing; a target that cannot be read fails by itself.
        let kept = component.kept_runs().await.unwrap_or_default();
        let strays: Vec<String> = kept.into_iter().filter(|run| !is_known(&state, run)).collect();
        for run in strays.iter().take(MOST_NAMED) {
            let flags = ["--lost".to_owned(), runbook.display().to_string()];
            remark(&format!(
                "warning: '{}' keeps former files of the run {}, and {} has no record of it; if no other machine or account has it, \
                 'rekindle close {} {} --yes' removes them",
                visible(&name),
                visible(run),
                state.root().display(),
                visible(run),
                shown_command(&flags),
            ));
        }
        if strays.len() > MOST_NAMED {
            remark(&format!("warning: '{}' does so for {} more runs", visible(&name), strays.len() - MOST_NAMED));
        }
    }
}

fn is_known(state: &StateFolder, run: &str) -> bool {
    state.runs().join(run).join("journal.db").is_file()
}

/// Removes what the targets of a runbook keep for a run of which there is no record.
pub async fn release(run: &str, runbook: &Path, args: &CloseArgs, output: &Output) -> Result<Exit> {
    let doing = || format!("remove what is kept for the run {}", visible(run));
    let state = StateFolder::from_environment()?;
    if is_known(&state, run) {
        return Err(Error::new(ErrorKind::Refused, doing(), "its record is here, and can still undo it")
            .next(format!("rekindle close {run}")));
    }
    if !args.yes {
        return Err(Error::new(ErrorKind::Refused, doing(), "a record of it elsewhere could still undo it")
            .next("make sure that no other machine or account has that run, then say so with --yes"));
    }
    let given = runbook;
    let runbook = usable_runbook(given)?;
    let inputs = args.inputs.gather(&runbook)?;
    let waits = Waits::default();
    let opened = |name: &str, told| waits.tell_of(name, told);
    let systems = Systems::open_what_is_there(runbook, inputs, &Pins::new(), false, &opened).await?;
    let mut missing = systems.missing().clone();
    let mut released = false;
    for (name, component) in systems.components() {
        let there = match component.kept_runs().await {
            Ok(runs) if !runs.iter().any(|kept| kept == run) => continue,
            Ok(_) => component.release(run).await,
            Err(error) => Err(error),
        };
        match there {
            Ok(()) => released = true,
            Err(error) => drop(missing.entry(name).or_insert_with(|| error.problem())),
        }
    }
    if !released && missing.is_empty() {
        return Err(Error::new(ErrorKind::NotFound, doing(), "none of the runbook's targets keeps anything for it")
            .next("'rekindle plan' names the runs for which something is kept"));
    }
    let told = ["had no record here; what was kept for it is removed", "has no record here"];
    let flags = [run.to_owned(), "--lost".to_owned(), given.display().to_string(), "--yes".to_owned()];
    tell(run, told, &format!("rekindle close {}", shown_command(&flags)), &missing, output)
}
