pub mod component;
pub mod components;
pub mod engine;
pub mod model;
pub mod reader;
pub mod stores;
pub mod tui;
