/// One key that a runbook may give.
#[derive(Debug)]
pub struct Key {
    pub name: &'static str,
    /// What it is for, in one sentence: editors show it.
    pub about: &'static str,
    pub shape: Shape,
    pub is_required: bool,
}

impl Key {
    pub const fn new(name: &'static str, shape: Shape, about: &'static str) -> Self {
        Self { name, about, shape, is_required: false }
    }

    pub const fn required(self) -> Self {
        Self { is_required: true, ..self }
    }
}

/// What may stand behind a key.
#[derive(Debug)]
pub enum Shape {
    /// A text that may hold variables.
    Text,
    /// A text as it stands there.
    Word,
    Words,
    Flag,
    /// One of these words; without the key the first.
    Choice(&'static [&'static str]),
    /// Where a secret is found. Never the secret.
    Password,
    /// A map of these keys; what it describes, as in "a login".
    Map(&'static str, &'static [Key]),
    /// A map of names that the runbook chooses to such maps; what the outer and an inner one describe.
    Each(&'static str, &'static str, &'static [Key]),
}

/// What is wrong about several keys together.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The way to where it is shown: keys, from those of the declared map on.
    pub at: Vec<String>,
    pub why: String,
    pub help: &'static str,
}

/// For declarations of which each key is right or wrong by itself.
pub fn nothing_to_check(_: &super::Given<()>) -> Vec<Wrong> {
    Vec::new()
}
