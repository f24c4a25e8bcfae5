//! The command line: one verb, one file.

mod args;
mod completions;
mod failure;
mod info;
mod lint;
mod man;
mod output;
mod runbook_text;
mod schema;

pub use args::{ApprovalArgs, GlobalArgs, InputArgs, OwnerArgs};
pub use output::Output;
pub use runbook_text::read_runbook;

use clap::{Parser, Subcommand};

use crate::model::Result;

/// See what a backup would change, user by user; approve it, apply it, prove it, undo it
#[derive(Debug, Parser)]
#[command(name = "rekindle", version, arg_required_else_help = true, disable_help_subcommand = true)]
pub struct CommandLine {
    #[command(flatten)]
    pub global: GlobalArgs,
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    Lint(lint::Lint),
    Schema(schema::Schema),
    Info(info::Info),
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
    let line = match CommandLine::try_parse_from(arguments) {
        Ok(line) => line,
        Err(error) => return failure::usage(&error),
    };
    let mut output = Output::new(&line.global);
    match perform(line.verb, &mut output) {
        Ok(exit) => exit,
        Err(error) => failure::show(&error, &output),
    }
}

fn perform(verb: Verb, output: &mut Output) -> Result<Exit> {
    match verb {
        Verb::Lint(lint) => lint.run(output),
        Verb::Schema(schema) => schema.run(output),
        Verb::Info(info) => info.run(output),
        Verb::Completions(completions) => completions.run(output),
        Verb::Man(man) => man.run(output),
    }
}
