//! The runbook's file format: reading with a place for every finding, lint, and expansion into tasks.
//! Pure: files, environment and prompts are the caller's.
//!
#![doc = include_str!("README.md")]

mod check;
mod component;
mod condition;
mod dangers;
mod declared_keys;
mod declared_schema;
mod duration;
mod expand;
mod fields;
mod finding;
mod in_clear;
mod input;
mod inputs;
mod interpreted;
mod json_schema;
mod near;
mod node;
mod order;
mod outputs;
mod overlap;
mod owner_filter;
mod owners;
mod password;
mod places;
mod report;
#[allow(clippy::module_inception, reason = "a file carries the name of its type")]
mod runbook;
mod runbook_file;
mod source;
mod step;
mod step_form;
mod step_policy;
mod task_spec;
mod template;
mod unquoted;
mod value;
mod vars;
mod written_order;

#[cfg(test)]
mod tests;

pub use component::ComponentSettings;
pub use condition::When;
pub use finding::{Finding, Findings, Placed, Severity, SourceFile, Span};
pub use in_clear::goes_in_clear;
pub use input::Input;
pub use inputs::{Given, Inputs};
pub use json_schema::json_schema;
pub use owner_filter::{OwnerFilter, owner_of};
pub use owners::{OwnersFrom, check_owner_name};
pub use password::split as split_vault;
pub use report::Drawing;
pub use runbook::{OwnersAt, Runbook};
pub use source::{Source, SourceFrom};
pub use step::{Action, ApplyStep, ConfirmStep, OnTimeout, ProbeStep, Program, RestoreStep, RunStep, Step, WaitStep};
pub use task_spec::{Question, TaskCondition, TaskSpec, TaskWork};
pub use template::Template;
pub use value::TemplateValue;
