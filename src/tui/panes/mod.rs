//! What is drawn, one file a pane. Each reads the model and writes cells; none changes anything.

mod evidence;
mod footer;
mod groups;
mod header;
mod hints;
mod matrix;
mod palette;
mod review;
mod steps;

pub use evidence::{render as evidence, said};
pub use footer::render as footer;
pub use groups::render as groups;
pub use header::{render as header, tab_at};
pub use matrix::{columns as matrix_columns, render as matrix};
pub use palette::render as palette;
pub use review::{HEAD as REVIEW_HEAD, render as review};
pub use steps::render as steps;
