pub mod component;
pub mod components;
pub mod diff;
pub mod model;
pub mod reader;
pub mod stores;
