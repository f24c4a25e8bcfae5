//! Calls a person who has turned to something else: when one is needed, when something failed, when all is done.

mod call;
mod caller;
mod deliver;
mod moments;
mod sequences;
mod ways;

pub use caller::Caller;
pub use ways::{Command, NotifyArgs, Webhook};

use crate::model::Moment;
use call::Call;

/// When a person is called, and how. Holds no secret.
#[derive(Clone, Debug, Default)]
pub struct Attention {
    /// All of them where none is named.
    pub when: Vec<Moment>,
    pub bell: bool,
    pub title: bool,
    pub notification: bool,
    pub command: Option<Command>,
    pub webhook: Option<Webhook>,
}

impl Attention {
    fn has_a_way(&self) -> bool {
        self.goes_to_the_terminal() || self.command.is_some() || self.webhook.is_some()
    }

    fn goes_to_the_terminal(&self) -> bool {
        self.bell || self.title || self.notification
    }

    fn is_wanted(&self, call: &Call) -> bool {
        call.by_step || self.when.is_empty() || self.when.contains(&call.moment)
    }
}
