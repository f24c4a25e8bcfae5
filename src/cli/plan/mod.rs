//! `rekindle plan`: the dry run.

mod paper;
mod shown;
mod totals;

pub use totals::Totals;

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::decisions::{HunkLines, PlanFile};
use super::plain::{Contents, Much, opening_lines};
use super::prepared::{as_run, prepare, usable_runbook};
use super::progress::Progress;
use super::waits::Waits;
use super::{Exit, InputArgs, Output, OwnerArgs, operate, remark, say};
use crate::engine::{Script, dry_run, held_by_others};
use crate::journal::StateFolder;
use crate::model::{Error, ErrorKind, Result, RunHeader, TargetHolder, shown_command, visible};
use paper::Paper;
use shown::Shown;

/// Dry run: prints what a run would change now, line by line, and changes nothing
///
/// Exit code: 0 nothing to do, 2 changes, 1 error. What depends on steps that are not done yet is marked as
/// predicted. On a terminal the plan is shown through $REKINDLE_PAGER, else $PAGER, else less.
#[derive(Args, Debug)]
#[command(after_help = super::plain::legend())]
pub struct PlanArgs {
    /// The runbook, a YAML file
    runbook: PathBuf,
    #[command(flatten)]
    inputs: InputArgs,
    #[command(flatten)]
    owners: OwnerArgs,
    /// Show every hunk and every line, however many
    #[arg(long)]
    all: bool,
    /// One line a hunk; the contents of files are not read
    #[arg(long, conflicts_with = "context")]
    stat: bool,
    /// Equal lines shown around those that differ, 3 if not given; with --json it adds the lines, which are left out else
    #[arg(long, value_name = "LINES")]
    context: Option<u64>,
    /// Show only tasks that change something, and what failed
    #[arg(long)]
    only_changes: bool,
    /// Show the lines of files that hold secrets too: .env files, keys and the like
    #[arg(long)]
    secret_files: bool,
    /// In which form; html is one file that runs no script
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Print on the terminal without a pager
    #[arg(long)]
    no_pager: bool,
    /// Save the plan, to decide on it with `rekindle review`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Html,
}

const MOST_HUNKS: usize = 40;

pub async fn run(args: PlanArgs, output: &Output) -> Result<Exit> {
    let json = output.json || args.format == Format::Json;
    if json && args.format == Format::Html {
        return Err(Error::new(ErrorKind::Invalid, "print the plan", "--json and --format html are two forms")
            .next("give one of them; --out saves the plan as JSON beside either"));
    }
    let by = operate::operator();
    let runbook = usable_runbook(&args.runbook)?;
    let inputs = args.inputs.gather(&runbook)?;
    let prepared =
        prepare(&args.runbook, runbook, inputs, &by, operate::now(), |owners| args.owners.select(owners)).await?;
    let run = as_run(&prepared.header)?;
    let script: Arc<dyn Script> = prepared.systems.clone();
    let waits = Waits::default();
    for (name, component) in script.components() {
        component.back_off().into_iter().for_each(|told| waits.tell_of(&name, told));
    }
    let header = &prepared.header;
    let holder = TargetHolder { run: header.id.clone(), by, since: operate::now() };
    let held = held_by_others(&header.steps, &*script, &holder).await;
    super::strays::warn(&*script, &args.runbook).await;
    let key = StateFolder::from_environment()?.digest_key()?;
    let mut saved = (json || args.out.is_some()).then(|| PlanFile::of(header, held.clone(), args.given(header)));
    let mut paper = match args.format {
        _ if json => Paper::none(),
        Format::Html => Paper::page(&format!("{}: what a run would change", visible(&header.title))),
        _ => Paper::text(output.color, output.is_terminal && !args.no_pager),
    };
    opening_lines(header).into_iter().for_each(|line| paper.plain(line));
    for problem in held.values() {
        let next = problem.next.as_deref().unwrap_or_default();
        paper.plain(format!("! a run {}; {}", problem.what, visible(next)));
    }
    let much = if args.all { Much::ALL } else { Much::USUAL };
    let contents = Contents::of(&prepared.systems, much.with_context(args.context), args.secret_files);
    let contents = (!args.stat && (!json || args.out.is_some() || args.context.is_some())).then_some(contents);
    let most = if args.all { usize::MAX } else { MOST_HUNKS };
    let mut shown = Shown::new(most, args.only_changes, contents.is_some());
    let mut totals = Totals::of(&run);
    let progress = Progress::new(json || paper.is_paged());
    let tasks = run.tasks.len();
    let closing = paper.closing();
    let planning = dry_run(&run, &script, key, |foreseen| {
        totals.count(run.step_of(foreseen.task), &foreseen);
        progress.show(|| format!("{}/{tasks} tasks planned", totals.tasks()));
        let schema = contents.as_ref().and_then(|contents| contents.schema(&run, foreseen.task));
        let mut lines = Vec::new();
        let mut lines_of = |proposal: &_, at: (u32, u32)| {
            let diff = contents.as_ref()?.lines(schema.as_ref(), proposal, at)?;
            if saved.is_some() {
                lines.push(HunkLines { change: at.0, hunk: at.1, diff: diff.clone() });
            }
            Some(diff)
        };
        shown.tell(&foreseen, &mut lines_of, &mut |line| {
            progress.clear();
            paper.line(&line);
        });
        if let Some(saved) = &mut saved {
            saved.add(foreseen, lines);
        }
        if saved.is_some() { std::ops::ControlFlow::Continue(()) } else { paper.goes_on() }
    });
    // A saved plan is whole, also where the reader closes the pager.
    let is_whole = match args.out {
        Some(_) => {
            planning.await;
            true
        }
        None => tokio::select! {
            () = planning => true,
            () = closing => false,
        },
    };
    progress.clear();
    if let Some(mut saved) = saved {
        saved.totals = Some(totals.clone());
        if let Some(path) = &args.out {
            super::decisions::write_private(path, &saved.to_json()?)?;
        }
        if json {
            if args.context.is_none() {
                saved.forget_lines();
            }
            say(&saved.to_json()?);
        }
    }
    let is_whole = is_whole && totals.tasks() == tasks as u64;
    let closing = if is_whole { totals.lines() } else { Vec::new() };
    paper.close(closing).await;
    if let (Some(path), false) = (&args.out, json) {
        let path = shown_command(&[path.display().to_string()]);
        remark(&format!("the plan is saved; next: rekindle review {path}"));
    }
    if !is_whole {
        remark(&format!("the pager was closed: {} of {tasks} tasks were planned", totals.tasks()));
        return Ok(if totals.exit() == Exit::Fine { Exit::Failed } else { totals.exit() });
    }
    Ok(totals.exit())
}

impl PlanArgs {
    /// As it was given, for the run that applies it: but for secrets, and from wherever it is called.
    fn given(&self, header: &RunHeader) -> Vec<String> {
        let runbook = std::path::absolute(&self.runbook).unwrap_or_else(|_| self.runbook.clone());
        let first = [runbook.display().to_string()].into_iter();
        first.chain(self.inputs.words(&header.inputs)).chain(self.owners.words()).collect()
    }
}
