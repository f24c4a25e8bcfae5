//! The engine: one actor that owns the fold of a run. Commands go in, events come out, each in the
//! journal first. It asks traits only and knows no adapter.

mod command;
mod handle;
mod notice;

pub use command::Command;
pub use handle::Engine;
pub use notice::{Activity, Notice};
