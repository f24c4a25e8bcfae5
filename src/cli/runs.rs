use clap::Args;

use super::{Exit, Output, operate};
use crate::journal::{ReadJournal, RunFolder, StateFolder};
use crate::model::{Error, ErrorKind, Result};
use crate::report::{RunRow, table};

/// All runs of this machine: what they were for, how they stand, who holds them
#[derive(Args, Debug)]
pub struct RunsArgs {}

pub fn run(_: &RunsArgs, output: &Output) -> Result<Exit> {
    let rows: Vec<RunRow> = StateFolder::from_environment()?.list()?.iter().map(row).collect();
    if output.json {
        output.print_json(&serde_json::json!({ "runs": rows }))?;
    } else if rows.is_empty() {
        output.print("there are no runs yet: rekindle run RUNBOOK starts one, rekindle demo shows one\n")?;
    } else {
        output.print(&table(&rows))?;
    }
    Ok(Exit::Fine)
}

fn row(folder: &RunFolder) -> RunRow {
    let holder = folder.holder().map(|holder| holder.words(operate::now()));
    let read = ReadJournal::open(folder).and_then(|mut journal| {
        let events = journal.load()?;
        let (run, broken) = crate::journal::fold(&events);
        if events.is_empty() {
            return Err(Error::new(ErrorKind::NotFound, "list it", "it ended before it began"));
        }
        let problem = journal.findings().iter().chain(&broken).next().map(ToString::to_string);
        Ok((run, events.first().map_or(0, |first| first.at), problem))
    });
    match read {
        Ok((run, started, problem)) => RunRow::of(&run, started, holder, problem),
        Err(error) => RunRow::unreadable(folder.id(), holder, error.chain()),
    }
}
