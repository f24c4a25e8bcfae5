//! The runbook's file format: reading with a place for every finding, lint, and expansion into tasks.
//! Pure: files, environment and prompts are the caller's.

mod check;
mod components;
mod duration;
mod expand;
mod fields;
mod finding;
mod input;
mod inputs;
mod json_schema;
mod near;
mod node;
mod order;
mod overlap;
mod owner_filter;
mod owners;
mod places;
mod report;
#[allow(clippy::module_inception, reason = "a file carries the name of its type")]
mod runbook;
mod runbook_file;
mod source;
mod step;
mod step_form;
mod task_spec;
mod template;
mod value;

#[cfg(test)]
mod tests;

pub use components::{
    Adapter, ComponentSettings, DocumentsSettings, FilesSettings, KeycloakIds, KeycloakLogin, KeycloakSettings,
};
pub use finding::{Finding, Findings, Placed, Severity, SourceFile, Span};
pub use input::Input;
pub use inputs::{Given, Inputs};
pub use json_schema::json_schema;
pub use owner_filter::{OwnerFilter, owner_of};
pub use owners::{OwnersFrom, check_owner_name};
pub use report::Drawing;
pub use runbook::{OwnersAt, Runbook};
pub use source::{Format, Password, Restic, Source, SourceFrom};
pub use step::{Action, ApplyStep, ConfirmStep, OnTimeout, ProbeStep, Program, RestoreStep, RunStep, Step, WaitStep};
pub use task_spec::{Question, TaskSpec, TaskWork};
pub use template::Template;
pub use value::TemplateValue;
