pub mod beneath;
pub mod component;
pub mod components;
pub mod model;
pub mod reader;
pub mod stores;
