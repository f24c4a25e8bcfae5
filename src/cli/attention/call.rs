use crate::model::Moment;

/// What a person is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub moment: Moment,
    /// One line, fit to be shown.
    pub text: String,
    /// A step of the runbook asks for it, whatever the operator is called for else.
    pub by_step: bool,
}
