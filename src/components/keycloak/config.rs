use std::path::PathBuf;

use crate::model::Secret;

/// How one realm of a server is reached, and what its users' ids mean.
#[derive(Clone, Debug)]
pub struct Config {
    /// The server's address with its path, as in `https://id.example.org/auth`, without a `/` at its end.
    pub url: String,
    pub realm: String,
    pub login: Login,
    /// PEM certificates to trust besides the system's.
    pub ca: Option<PathBuf>,
    /// `http://…` or `https://…`; without one the environment's.
    pub proxy: Option<String>,
    /// Certificates are not checked. Never from a runbook: a run's own flag.
    pub insecure: bool,
    pub ids: Ids,
    /// Fields of users that are neither compared nor restored.
    pub leave: Vec<String>,
}

/// How a token is got: the realm that knows the client, which is often the one that is restored, else `master`.
#[derive(Clone, Debug)]
pub struct Login {
    pub realm: String,
    pub client: String,
    pub grant: Grant,
}

#[derive(Clone, Debug)]
pub enum Grant {
    /// A client with a service account.
    Client { secret: Secret },
    /// A person's, by their password.
    Password { username: String, password: Secret },
}

/// What the ids of users are to a restore: other systems know people by them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ids {
    /// Users are created with the id of the backup; a user of the same name and another id is a conflict.
    #[default]
    Keep,
    /// Users are created with the id of the backup; a user of the same name and another id is taken as the same one.
    Accept,
    /// Users are created with new ids, as a copy beside the original needs.
    New,
}
