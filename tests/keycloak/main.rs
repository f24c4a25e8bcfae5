//! A real Keycloak: reading it, and its own exports.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/keycloak.rs"]
#[allow(dead_code)]
mod keycloak;
#[path = "../support/keycloak_sample/mod.rs"]
#[allow(dead_code)]
mod sample;

mod plans;
mod reading;
