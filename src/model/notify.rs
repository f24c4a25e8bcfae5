use serde::{Deserialize, Serialize};

/// When a person is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Nothing goes on without a decision.
    Person,
    Failure,
    Done,
}

impl Moment {
    pub const ALL: [Self; 3] = [Self::Person, Self::Failure, Self::Done];

    pub fn word(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Failure => "failure",
            Self::Done => "done",
        }
    }
}

/// The moments for which a step has a person called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Notify {
    pub person: bool,
    pub failure: bool,
    pub done: bool,
}

impl Notify {
    pub fn holds(self, moment: Moment) -> bool {
        match moment {
            Moment::Person => self.person,
            Moment::Failure => self.failure,
            Moment::Done => self.done,
        }
    }

    pub fn add(&mut self, moment: Moment) {
        match moment {
            Moment::Person => self.person = true,
            Moment::Failure => self.failure = true,
            Moment::Done => self.done = true,
        }
    }
}
