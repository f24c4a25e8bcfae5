//! Stores read what the real tools wrote: restic repositories and tar archives.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod restic;
mod secrets;
mod tar;
