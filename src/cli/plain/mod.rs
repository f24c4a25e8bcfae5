//! Plain mode: the same words and decisions as the TUI, as lines and numbered prompts.

mod lines;
mod prompt;
mod walk;
mod wording;

pub use lines::{Lines, opening_lines};
pub use prompt::choose_hunks;
pub use walk::{Ending, Walk, totals};
pub use wording::{counted, event_json, event_line, legend, plan_lines, shown_name};
