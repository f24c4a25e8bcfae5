//! What the stories share: repositories made by the real restic, real servers, and trees of every kind of node.
#![allow(dead_code)]

pub mod nodes;
pub mod repository;
pub mod server;
pub mod sink;

/// The checkout.
pub fn root() -> &'static std::path::Path {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
}
