//! A real Keycloak: reading it, its own exports, and writing it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/keycloak.rs"]
#[allow(dead_code)]
mod keycloak;
#[path = "../support/no_ledger.rs"]
mod no_ledger;
#[path = "../support/repository.rs"]
#[allow(dead_code)]
mod repository;
#[path = "../support/keycloak_sample/mod.rs"]
#[allow(dead_code)]
mod sample;
#[path = "../support/slapd.rs"]
mod slapd;

mod accounted;
mod copies;
mod damaged;
mod export;
mod faults;
mod files;
mod files_of_others;
mod holding;
mod large;
mod older;
mod operators;
mod parts;
mod reading;
mod runbooks;
mod taken;
mod trust;
mod writing;
mod written;
