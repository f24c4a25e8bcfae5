use super::Moment;

/// What a person is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub moment: Moment,
    /// One line, fit to be shown.
    pub text: String,
}
