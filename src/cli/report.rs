use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Exit, Output, operate};
use crate::journal::{ReadJournal, RunFolder, check_undo};
use crate::model::{Error, ErrorKind, Result, Run, Zone, plural, visible};
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
    /// How it is written: markdown, html (one file, no script), json, or csv (a line a task)
    #[arg(long, value_enum, value_name = "FORM")]
    format: Option<Form>,
    /// Only what concerns these users or other owners
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    user: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    Markdown,
    Html,
    Json,
    Csv,
}

pub fn run(args: &ReportArgs, output: &Output) -> Result<Exit> {
    let folder = match &args.folder {
        Some(path) => RunFolder::foreign(path)?,
        None => operate::folder(args.run.as_deref())?,
    };
    let mut journal = ReadJournal::open(&folder)?;
    let events = journal.prove()?;
    let (run, broken) = crate::journal::fold(&events);
    let undo = check_undo(&folder, &run);
    let findings: Vec<String> =
        journal.findings().iter().chain(&broken).chain(&undo).map(ToString::to_string).collect();
    let sound = findings.is_empty();
    let chain = Chain { sound, events: run.seq, head: journal.head().to_hex(), findings };
    let holder = folder.holder().map(|holder| holder.words(operate::now()));
    let form = args.format.unwrap_or(if output.json { Form::Json } else { Form::Markdown });
    // Programs are told times in UTC.
    let zone = if form == Form::Json { Zone::for_programs() } else { Zone::chosen() };
    let mut report = Report::of(&run, &events, &|digest| journal.plan(digest), chain, &zone).held_by(holder);
    if !args.user.is_empty() {
        known(&run, &args.user)?;
        let shown: Vec<String> = args.user.iter().map(|name| visible(name).into_owned()).collect();
        report = report.only(&shown);
    }
    match form {
        Form::Markdown => output.print(&report.markdown())?,
        Form::Html => output.print(&report.html())?,
        Form::Csv => output.print(&report.csv())?,
        Form::Json => {
            let value = serde_json::to_value(&report)
                .map_err(|error| Error::new(ErrorKind::Bug, "write the report", error.to_string()))?;
            output.print_json(&value)?;
        }
    }
    Ok(if sound { Exit::Fine } else { Exit::Failed })
}

/// A name that the run does not know is a typing error, not an empty report.
fn known(run: &Run, names: &[String]) -> Result<()> {
    let all = || run.header.owners.iter().flat_map(|owners| &owners.names);
    let Some(unknown) = names.iter().find(|name| !all().any(|known| known == *name)) else { return Ok(()) };
    let why = format!("the run has no owner of that name among its {}", plural(all().count() as u64, "owner"));
    let doing = format!("report on {}", visible(unknown));
    Err(Error::new(ErrorKind::NotFound, doing, why).next("'rekindle report --format csv' lists all"))
}
