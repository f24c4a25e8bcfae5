//! The command line: one verb, one file.
//!
#![doc = include_str!("README.md")]

mod approval;
mod args;
mod attention;
mod close;
mod completions;
mod config;
mod core_dumps;
mod decisions;
mod demo;
mod equal_plans;
mod failure;
mod file_limit;
mod given;
mod held_back;
mod help;
mod info;
mod lint;
mod logging;
mod man;
mod markdown;
mod open_files;
mod operate;
mod output;
mod pager;
mod plain;
mod plan;
mod prepared;
mod progress;
mod report;
mod resume;
mod review;
mod run;
mod runbook_text;
mod runs;
mod schema;
mod screen;
mod silence;
mod standing;
mod strays;
mod topic;
mod undo;
mod verify;
mod waits;
mod watch;
mod zone;

pub use args::{ApprovalArgs, ColorChoice, GlobalArgs, InputArgs, OwnerArgs};
pub use output::{Output, remark, say};
pub use runbook_text::read_runbook;

use clap::{Parser, Subcommand};

use crate::model::{Result, Run, TaskStatus};

/// See what a backup would change, user by user; approve it, apply it, prove it, undo it
#[derive(Debug, Parser)]
#[command(
    name = "rekindle",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = topic::listed()
)]
pub struct CommandLine {
    #[command(flatten)]
    pub global: GlobalArgs,
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    Run(run::RunArgs),
    Plan(plan::PlanArgs),
    Review(review::ReviewArgs),
    Resume(resume::ResumeArgs),
    Undo(undo::UndoArgs),
    Verify(verify::VerifyArgs),
    Watch(watch::WatchArgs),
    Report(report::ReportArgs),
    Runs(runs::RunsArgs),
    Close(close::CloseArgs),
    Demo(demo::DemoArgs),
    Lint(lint::Lint),
    Schema(schema::Schema),
    Info(info::Info),
    Help(help::HelpArgs),
    Completions(completions::Completions),
    Man(man::Man),
}

/// What a command found, as the shell sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done, or nothing to do.
    Fine,
    /// 2: there are changes that are not applied.
    ChangesPending,
    /// 1: it failed, and said why already.
    Failed,
}

impl Exit {
    /// Of a run that goes on no further without a decision.
    pub fn of(run: &Run) -> Self {
        if run.count(TaskStatus::Failed) + run.count(TaskStatus::Unknown) > 0 {
            return Self::Failed;
        }
        if run.is_complete() { Self::Fine } else { Self::ChangesPending }
    }

    /// The same of a run that restores: where an owner was asked for who cannot be walked, not all is done.
    pub fn of_all_asked_for(run: &Run) -> Self {
        match Self::of(run) {
            Self::Fine if run.header.misses_an_owner() => Self::ChangesPending,
            exit => exit,
        }
    }

    pub fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Failed => 1,
            Self::ChangesPending => 2,
        }
    }
}

/// Runs the command that `arguments` ask for and says how it went.
pub fn run(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> Exit {
    let arguments: Vec<_> = arguments.into_iter().collect();
    let asks_for_json = arguments.iter().take_while(|word| *word != "--").any(|word| word == "--json");
    let line = match CommandLine::try_parse_from(arguments) {
        Ok(line) => line,
        Err(error) => return failure::usage(&error, asks_for_json),
    };
    let mut output = Output::new(&line.global);
    let configured = config::choose(line.global.config.as_deref());
    zone::choose(line.global.utc);
    logging::start(line.global.verbose);
    output::be_quiet(line.global.quiet);
    core_dumps::forbid();
    file_limit::is_heard();
    let needs_settings =
        !matches!(line.verb, Verb::Schema(_) | Verb::Info(_) | Verb::Help(_) | Verb::Completions(_) | Verb::Man(_));
    if let Err(error) = configured
        && needs_settings
    {
        return failure::show(&error, &output);
    }
    let told = perform(line.verb, &mut output).and_then(|exit| output::lost().map_or(Ok(exit), Err));
    told.unwrap_or_else(|error| failure::show(&error, &output))
}

fn perform(verb: Verb, output: &mut Output) -> Result<Exit> {
    match verb {
        Verb::Run(args) => in_runtime(run::run(args, output)),
        Verb::Plan(args) => in_runtime(plan::run(args, output)),
        Verb::Review(args) => in_runtime(review::run(args, output)),
        Verb::Resume(args) => in_runtime(resume::run(args, output)),
        Verb::Undo(args) => in_runtime(undo::run(args, output)),
        Verb::Verify(args) => in_runtime(verify::run(args, output)),
        Verb::Watch(args) => in_runtime(watch::run(args, output)),
        Verb::Report(args) => report::run(&args, output),
        Verb::Runs(args) => runs::run(&args, output),
        Verb::Close(args) => in_runtime(close::run(args, output)),
        Verb::Demo(args) => in_runtime(demo::run(args, output)),
        Verb::Lint(lint) => lint.run(output),
        Verb::Schema(schema) => schema.run(output),
        Verb::Info(info) => info.run(output),
        Verb::Help(args) => in_runtime(help::run(args, output)),
        Verb::Completions(completions) => completions.run(output),
        Verb::Man(man) => man.run(output),
    }
}

/// Two threads: the engine's actor and its workers share them, adapters' blocking work has threads of its own.
fn in_runtime(work: impl Future<Output = Result<Exit>>) -> Result<Exit> {
    open_files::suffice()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| crate::model::Error::io("start the threads that do the work", error))?;
    Threads(Some(runtime)).block_on(work)
}

/// What a worker still waits to read would hold the end, a panic's too, for as long as its disk or server takes.
struct Threads(Option<tokio::runtime::Runtime>);

impl Threads {
    fn block_on(&self, work: impl Future<Output = Result<Exit>>) -> Result<Exit> {
        match &self.0 {
            Some(runtime) => runtime.block_on(work),
            None => Ok(Exit::Failed),
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_timeout(LAST_MOMENT);
        }
    }
}

/// For work that nobody waits for any more, so that what is nearly done ends by itself.
const LAST_MOMENT: std::time::Duration = std::time::Duration::from_millis(500);
