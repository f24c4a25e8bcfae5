//! Plain mode: the same words and decisions as the TUI, as lines and questions that a letter or a word answers.

mod answer;
mod choice;
mod contents;
mod hunks;
mod line;
mod lines;
mod plan_shown;
mod progress_json;
mod prompt;
mod question;
mod sure;
mod waits;
mod walk;
mod wording;

pub use answer::{Person, tell_above_prompt};
pub use choice::Choice;
pub use contents::{Contents, Much};
pub use hunks::leave_out_hunks;
pub use line::{Line, Tone};
pub use lines::{Lines, opening_lines};
pub use plan_shown::{PlanShown, sides};
pub use progress_json::progress_object;
pub use question::{Asking, Question};
pub use sure::{approval, group as group_approval};
pub use walk::{Ending, Walk, totals};
pub use wording::{counted, event_json, event_line, legend, shown_name};
