//! Plain mode: the same words and decisions as the TUI, as lines and numbered prompts.

mod contents;
mod line;
mod lines;
mod plan_shown;
mod prompt;
mod walk;
mod wording;

pub use contents::{Contents, Much};
pub use line::{Line, Tone};
pub use lines::{Lines, identity_lines};
pub use plan_shown::{PlanShown, sides};
pub use prompt::choose_hunks;
pub use walk::{Ending, Walk, totals};
pub use wording::{counted, event_json, event_line, legend, shown_name};
