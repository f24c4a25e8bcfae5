use super::job::Job;
use super::write::Write;
use crate::model::{Error, ErrorKind, Result, TreePath};

pub(super) fn update(write: &Write, _jobs: &[Job]) -> Result<()> {
    Err(Error::new(ErrorKind::Unsupported, format!("change {}", write.shown(&TreePath::root())), "it is not built yet"))
}
