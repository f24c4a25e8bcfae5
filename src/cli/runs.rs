use clap::Args;

use super::{Exit, Output, operate, remark};
use crate::journal::{ReadJournal, RunFolder, StateFolder};
use crate::model::{Error, ErrorKind, Result, Zone};
use crate::registry::lost_former;
use crate::report::{RunRow, STATES, table, wide_table};

/// All runs of this machine, and those of demos that were kept: how they stand, who holds them
#[derive(Args, Debug)]
pub struct RunsArgs {
    /// Only runs that have this in their name or title
    text: Option<String>,
    /// Only runs in this state, as in complete, undone, incomplete, paused or closed
    #[arg(long, value_name = "STATE", value_parser = STATES)]
    state: Option<String>,
    /// Only the latest so many
    #[arg(long, value_name = "COUNT")]
    last: Option<usize>,
    /// One long line a run with all that is known, instead of 80 columns
    #[arg(long)]
    wide: bool,
}

pub fn run(args: &RunsArgs, output: &Output) -> Result<Exit> {
    let zone = if output.json { Zone::for_programs() } else { Zone::chosen() };
    let state = StateFolder::from_environment()?;
    let mut rows: Vec<RunRow> = state.list()?.iter().map(|folder| row(folder, &zone)).collect();
    for kept in state.kept() {
        let of_demo = kept.list().unwrap_or_default();
        rows.extend(of_demo.iter().map(|folder| row(folder, &zone).kept_in(kept.root())));
    }
    rows.sort_by(|one, other| one.id.cmp(&other.id));
    let all = rows.len();
    rows.retain(|row| args.wants(row));
    if let Some(last) = args.last {
        rows.drain(..rows.len().saturating_sub(last));
    }
    if output.json {
        output.print_json(&serde_json::json!({ "runs": rows }))?;
    } else if all == 0 {
        output.print("there are no runs yet: rekindle run RUNBOOK starts one, rekindle demo shows one\n")?;
    } else if rows.is_empty() {
        output.print(&format!("none of {all} runs is like that\n"))?;
    } else {
        output.print(&if args.wide { wide_table(&rows, &zone) } else { table(&rows, output.columns()) })?;
        // Beside the list, so that a script reads nothing but runs.
        remark(&format!("times in {}", zone.name()));
    }
    Ok(Exit::Fine)
}

impl RunsArgs {
    fn wants(&self, row: &RunRow) -> bool {
        let has = |text: &String| {
            let text = text.to_lowercase();
            [&row.id, &row.title].iter().any(|one| one.to_lowercase().contains(&text))
        };
        self.text.as_ref().is_none_or(has) && self.state.as_ref().is_none_or(|state| row.state == state)
    }
}

fn row(folder: &RunFolder, zone: &Zone) -> RunRow {
    let holder = folder.holder().map(|holder| holder.words(operate::now()));
    let read = ReadJournal::open(folder).and_then(|mut journal| {
        let events = journal.load()?;
        let (run, broken) = crate::journal::fold(&events);
        if events.is_empty() {
            return Err(Error::new(ErrorKind::NotFound, "list it", "it ended before it began"));
        }
        let problem = journal.findings().iter().chain(&broken).next().map(ToString::to_string);
        let problem = problem.or_else(|| lost_former(&run));
        Ok((run, events.first().map_or(0, |first| first.at), problem))
    });
    match read {
        Ok((run, started, problem)) => RunRow::of(&run, started, holder, problem, zone),
        Err(error) => RunRow::unreadable(folder.id(), holder, error.chain()),
    }
}
