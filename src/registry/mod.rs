//! From what a runbook says to the systems it stands for.

mod absent;
mod in_clear;
mod inline;
mod keyring;
mod live_source;
mod lost_former;
mod operators_secrets;
mod password;
mod placed;
mod systems;
mod vault;

pub use lost_former::{former_gone, lost_former};
pub use systems::{Pins, Systems, same_system};
