use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Notify, Window};

/// How the engine treats the tasks of one step: what follows a failure, and how many go on at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepPolicy {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub on_failure: OnFailure,
    /// Tasks that are worked on at once; without it, as many as the component takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel: Option<u16>,
    /// It writes, runs or asks only then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// When a person is called, whatever else they are called for.
    #[serde(default, skip_serializing_if = "is_default")]
    pub notify: Notify,
}

impl StepPolicy {
    pub fn is_default(&self) -> bool {
        is_default(self)
    }
}

/// A task that failed is tried again without a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// Tries after the first one.
    pub times: u16,
    /// Milliseconds before each.
    pub wait: u64,
}

impl Retry {
    pub fn wait(self) -> Duration {
        Duration::from_millis(self.wait)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// What needs the task waits until a person decides; the rest goes on.
    #[default]
    Ask,
    /// Nothing more is begun in the whole run until a person decides.
    Stop,
    /// What needs the task goes on without it.
    Continue,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
