//! Plain mode: the same words and decisions as the TUI, as lines and numbered prompts.

mod prompt;
mod walk;
mod wording;

pub use walk::{Ending, Walk};
pub use wording::{bytes, counted, event_line, hunk_line, plan_lines};
