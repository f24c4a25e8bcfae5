pub mod component;
pub mod components;
mod crash;
pub mod diff;
pub mod engine;
pub mod journal;
pub mod model;
pub mod reader;
pub mod stores;
