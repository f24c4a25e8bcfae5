//! Files of `KEY=value` lines, one resource each, live or in a backup.
//!
#![doc = include_str!("README.md")]

mod adapter;
mod edit;
mod lines;
mod syntax;
#[cfg(test)]
mod tests;
mod value;

pub use adapter::ADAPTER;
pub use syntax::Dotenv;
