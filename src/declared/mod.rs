//! The keys by which a runbook names a system, a store or a format, declared once.
//!
//! Lint, the runbook's JSON Schema and help are made of these declarations, and what is opened gets what a runbook gives for
//! them.

mod given;
mod key;
mod opening;
mod password;

pub use given::{Given, Value};
pub use key::{Key, Shape, Wrong, nothing_to_check};
pub use opening::{Opened, Opening, Secrets};
pub use password::Password;
