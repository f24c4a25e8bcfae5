//! The screen in a real terminal: the built binary, real keys, a repository by the real restic.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what the stories share is test code outside any test function"
)]

mod calls;
mod demo;
mod ends;
mod groups;
mod keys;
mod platform;
mod shell;
mod slow_line;
mod stories;
#[path = "../support/mod.rs"]
mod support;
mod terminal;
mod tmux;
