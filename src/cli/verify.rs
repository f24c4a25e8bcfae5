use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use clap::Args;

use super::prepared::{as_run, recorded_runbook, reopen};
use super::{Exit, InputArgs, Output, operate};
use crate::engine::{Outlook, Script, dry_run};
use crate::journal::{ReadJournal, StateFolder};
use crate::model::{Error, ErrorKind, Op, Plan, ResourceId, Result, TaskId, TaskStatus, plural, visible};

/// Reads everything a run restored once more and compares it with the backup
///
/// Exit code: 0 all of it is still there, 2 something differs now, 1 something could not be read. Hunks that were
/// left out when it was approved may differ.
#[derive(Args, Debug)]
pub struct VerifyArgs {
    /// The run's id; the latest, unless one is named
    run: Option<String>,
    #[command(flatten)]
    inputs: InputArgs,
}

pub async fn run(args: VerifyArgs, output: &Output) -> Result<Exit> {
    let folder = operate::folder(args.run.as_deref())?;
    folder.is_own()?;
    let mut journal = ReadJournal::open(&folder)?;
    let events = journal.load()?;
    if let Some(finding) = journal.findings().iter().find(|finding| !finding.allows_writing()) {
        let doing = format!("verify the run {}", folder.id());
        return Err(Error::new(ErrorKind::Corrupt, doing, finding.to_string())
            .next("'rekindle report' shows what is sound; 'rekindle plan' compares with the backup"));
    }
    let (run, _) = crate::journal::fold(&events);
    let inputs = args.inputs.again(&recorded_runbook(&run.header)?, &run.header)?;
    let script: Arc<dyn Script> = reopen(&run.header, inputs).await?;
    let mut left_out: HashMap<TaskId, HashSet<Place>> = HashMap::new();
    for (task, (selection, planned)) in &run.selections {
        if let Some(plan) = journal.plan(planned)? {
            left_out.insert(*task, places(&plan, |change, hunk| !selection.takes(change, hunk)));
        }
    }
    let key = StateFolder::from_environment()?.digest_key()?;
    let (mut equal, mut differing, mut failed) = (0_usize, Vec::new(), Vec::new());
    dry_run(&as_run(&run.header)?, &script, key, |foreseen| {
        let status = run.tasks.get(foreseen.task.index()).map(|state| state.status);
        if !matches!(status, Some(TaskStatus::Done | TaskStatus::Unchanged)) {
            return;
        }
        match foreseen.what {
            Ok(Outlook::Changes { proposal, .. }) => {
                let mut found: Vec<Place> = places(&proposal.plan, |_, _| true).into_iter().collect();
                found.retain(|place| !left_out.get(&foreseen.task).is_some_and(|known| known.contains(place)));
                found.sort();
                match found.first() {
                    None => equal += 1,
                    Some((id, _, place)) => {
                        let count = plural(found.len() as u64, "difference");
                        differing.push(format!("{}: {count}, first in {id}: {place}", foreseen.name));
                    }
                }
            }
            Ok(Outlook::Answered(answer)) if !answer.holds => {
                differing.push(format!("{}: {}", foreseen.name, answer.seen));
            }
            Ok(_) => equal += 1,
            Err(error) => failed.push(format!("{}: {}", foreseen.name, error.chain())),
        }
    })
    .await;
    if output.json {
        output.print_json(
            &serde_json::json!({ "run": run.header.id, "equal": equal, "differing": differing, "failed": failed }),
        )?;
    } else {
        for line in differing.iter().chain(&failed) {
            output.print(&format!("{}\n", visible(line)))?;
        }
        let counts =
            format!("{equal} tasks are as restored, {} differ, {} could not be read\n", differing.len(), failed.len());
        output.print(&counts)?;
    }
    Ok(match (failed.is_empty(), differing.is_empty()) {
        (false, _) => Exit::Failed,
        (true, false) => Exit::ChangesPending,
        (true, true) => Exit::Fine,
    })
}

/// Where a hunk is and what it would do.
type Place = (ResourceId, Op, String);

fn places(plan: &Plan, wanted: impl Fn(usize, usize) -> bool) -> HashSet<Place> {
    let changes = plan.changes.iter().enumerate();
    let each = changes.flat_map(|(at, change)| {
        let hunks = change.hunks.iter().enumerate();
        hunks.map(move |(position, hunk)| (at, position, (change.id.clone(), hunk.op, hunk.place())))
    });
    each.filter(|(change, hunk, _)| wanted(*change, *hunk)).map(|(_, _, place)| place).collect()
}
