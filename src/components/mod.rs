//! Live systems and their backup formats, one folder each. They know the traits and the model, and not
//! one another.
//!
#![doc = include_str!("README.md")]

pub mod documents;
pub mod dotenv;
pub mod files;
pub mod keycloak;
