pub mod component;
pub mod components;
pub mod journal;
pub mod model;
pub mod reader;
pub mod report;
pub mod stores;
