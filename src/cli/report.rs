use std::path::PathBuf;

use clap::Args;

use super::{Exit, Output, operate};
use crate::journal::{ReadJournal, RunFolder, check_undo};
use crate::model::Result;
use crate::report::{Chain, Report};

/// What a run did: what changed, who approved which digest, the evidence, what is unknown
///
/// Markdown, or JSON with --json. Reads only; works beside a run that goes on, and on the folder of a run that was
/// handed over. Exit code 1 where the record itself is not whole.
#[derive(Args, Debug)]
pub struct ReportArgs {
    /// The run's id or its beginning; the latest, unless one is named
    run: Option<String>,
    /// The folder of a run that was handed over
    #[arg(long, value_name = "DIR", conflicts_with = "run")]
    folder: Option<PathBuf>,
}

pub fn run(args: &ReportArgs, output: &Output) -> Result<Exit> {
    let folder = match &args.folder {
        Some(path) => RunFolder::foreign(path)?,
        None => operate::folder(args.run.as_deref())?,
    };
    let mut journal = ReadJournal::open(&folder)?;
    let events = journal.load()?;
    let (run, broken) = crate::journal::fold(&events);
    let undo = check_undo(&folder, &run);
    let findings: Vec<String> =
        journal.findings().iter().chain(&broken).chain(&undo).map(ToString::to_string).collect();
    let sound = findings.is_empty();
    let chain = Chain { sound, events: run.seq, head: journal.head().to_hex(), findings };
    let holder = folder.holder().map(|holder| holder.words(operate::now()));
    let report = Report::of(&run, &events, &|digest| journal.plan(digest), chain).held_by(holder);
    if output.json {
        let value = serde_json::to_value(&report).map_err(|error| {
            crate::model::Error::new(crate::model::ErrorKind::Bug, "write the report", error.to_string())
        })?;
        output.print_json(&value)?;
    } else {
        output.print(&report.markdown())?;
    }
    Ok(if sound { Exit::Fine } else { Exit::Failed })
}
