/// Which place of a system a step writes, as far as a runbook tells: two steps that write one place in no order are a
/// finding of lint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Places {
    /// A directory, in which each owner has one of their own that is named like them; a step writes all below it.
    DirectoryOfOwner,
    /// A directory of files, one each for what is restored. Where this key names the owner's field, a file may have any
    /// name, else it is named like its owner.
    FileOfOwner { owner_key: &'static str },
    /// Keys of a server. They are the same in every backup, so a step needs no `to`. The server is told by its address and
    /// the text of this key.
    KeysOfServer { part_key: &'static str },
}
