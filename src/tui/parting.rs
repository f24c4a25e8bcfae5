/// What becomes of a run that is left: the one thing that everything said on leaving is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parting {
    /// It stays where `rekindle` finds it again. `before` is what has to stand before each command for that,
    /// as in `REKINDLE_STATE=/tmp/x `; mostly nothing.
    Stays { before: String },
    /// It goes, with all that it made; `instead` is what would have kept it.
    Removed { instead: String },
}

impl Default for Parting {
    fn default() -> Self {
        Self::Stays { before: String::new() }
    }
}

impl Parting {
    /// A run that goes is not closed first: that is for what would be kept.
    pub fn leaves_a_run(&self) -> bool {
        matches!(self, Self::Stays { .. })
    }
}
