//! Plain mode: the same words and decisions as the TUI, as lines and numbered prompts.

mod lines;
mod progress_json;
mod prompt;
mod walk;
mod wording;

pub use lines::{Lines, identity_lines};
pub use progress_json::progress_object;
pub use prompt::choose_hunks;
pub use walk::{Ending, Walk, totals};
pub use wording::{counted, event_json, event_line, legend, plan_lines, shown_name};
