/// By what the files of a backup get their owners, where the backup says both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OwnersBy {
    /// By name; by number where this machine does not know the name.
    #[default]
    Names,
    Numbers,
}
