//! The terminal UI: one more projection of a run's notices, with keys that become commands.
//!
//! `update` takes the [`state::Model`] and a message and answers with effects; `view` draws the model.
//! Both are pure: they read no clock, terminal or engine. Only `runtime` and `terminal` have effects.
//!
#![doc = include_str!("README.md")]

mod action;
mod canary;
mod cells;
mod clipboard;
mod dialogs;
mod effect;
mod ended;
mod file_search;
mod filter;
mod groups;
mod keymap;
mod keys_file;
mod line_speed;
mod log;
mod matrix;
mod msg;
mod names;
mod notes;
mod origin;
mod pace;
mod pager;
mod painter;
mod palette;
mod panes;
mod parting;
mod review;
mod rows;
mod runtime;
mod schema_of;
mod search;
mod side_by_side;
mod state;
mod terminal;
mod theme;
mod tour;
mod update;
mod view;
mod voice;
mod watchdog;
mod whole_diff;
mod words;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod view_tests;

pub use canary::{Canary, Stand};
pub use dialogs::{of_aborting, of_skipping};
pub use keymap::Keymap;
pub use keys_file::{Finding as KeysFinding, keymap_of, load as load_keys, nearest_name, path as keys_path};
pub use log::{filter as log_filter, layer as log_layer, start as start_log};
pub use parting::Parting;
pub use runtime::{Options, Records, Source, run};
pub use schema_of::SchemaOf;
pub use theme::Palette;
pub use watchdog::Watchdog;
