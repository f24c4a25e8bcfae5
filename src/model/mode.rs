use serde::{Deserialize, Serialize};

/// What becomes of things that only the live side has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// They stay.
    #[default]
    Merge,
    /// They are removed, listed and confirmed apart.
    Exact,
}

/// How closely file contents are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ComparePrecision {
    /// Equal size and modification time count as equal content.
    #[default]
    Quick,
    /// Every byte is read.
    Content,
}
