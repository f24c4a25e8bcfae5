//! The engine: one actor that owns the fold of a run. Commands go in, events come out, each in the
//! journal first. It asks traits only and knows no adapter.
//!
//! A [`Session`] begins or resumes a run and gives an [`Engine`], the handle that commands go through and
//! [`Notice`]s come from. Workers plan ([`planner`]), write and read back ([`writer`]), plan the way back
//! ([`undo`]) and settle what a crash left open ([`recovery`]); they hand their answers to the actor, which alone
//! records events. What is written is held for one session of all machines ([`holding`]), from its first write to its end.

mod actor;
mod asking;
mod calls;
mod capture;
mod child;
mod cohort;
mod command;
mod command_environment;
mod command_shown;
mod commands;
mod condition;
mod contents;
mod context;
mod dry_run;
mod failure;
mod failures;
mod foretold;
mod handle;
mod holding;
mod lane;
mod ledger;
mod lineage;
mod made;
mod mask;
mod notice;
mod output;
mod planner;
mod prepare;
mod proof;
mod proposals;
mod pump;
mod read_ahead;
mod read_back;
mod recovery;
mod reorder;
mod script;
mod session;
mod settle;
mod standing;
mod undo;
mod windows;
mod worker;
mod writer;

pub use actor::{Clock, EVENTS};
pub use child::kill_commands;
pub use command::Command;
pub use dry_run::{Foreseen, Outlook, dry_run};
pub use handle::Engine;
pub use holding::held_by_others;
pub use mask::Mask;
pub use notice::{Activity, Notice};
pub use script::{Ask, Asking, CommandLine, Restore, Script, When, Work, outputs};
pub use session::{Purpose, Session};
