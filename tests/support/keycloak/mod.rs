//! A real Keycloak and realms to restore: [`server`] starts it and exports with its own `kc.sh`, [`sample`] makes a
//! realm of any size in it, with everything that is hard to restore, and [`admin`] calls it.

pub mod admin;
pub mod people;
pub mod realm;
pub mod sample;
pub mod server;
