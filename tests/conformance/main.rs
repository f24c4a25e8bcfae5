//! The traits' contract, held against every adapter on its real system: one suite for all of them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "what stories share is test code, too")]

mod components;
mod documents;
#[path = "../support/keycloak.rs"]
#[allow(dead_code)]
mod keycloak;
mod live;
mod people;
mod sources;
mod step;
#[path = "../support/mod.rs"]
mod support;
