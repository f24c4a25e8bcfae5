use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A question to a live system that changes nothing. `question` is the adapter's own word
/// (`file`, `login`, `count` …), `of` its arguments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    pub question: String,
    pub of: serde_json::Value,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub holds: bool,
    /// What was seen, in words; never a secret.
    pub seen: String,
    /// When asking again makes sense, if the other side said so.
    #[serde(skip)]
    pub again_in: Option<Duration>,
}
