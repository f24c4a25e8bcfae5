use rustix::fs::{fstat, fstatfs};

use super::{Beneath, refusal};
use crate::model::{Result, TargetIdentity};

impl Beneath {
    /// The file system's own id and the directory's inode number: another disk mounted at the same path
    /// is another identity. Where a file system has no id, the device number stands for it.
    pub fn identity(&self) -> Result<TargetIdentity> {
        let failed = |errno| refusal(format!("identify {}", self.shown(&crate::model::TreePath::root())), errno);
        let stat = fstat(self).map_err(failed)?;
        // The field is opaque; its two numbers show in its debug form alone.
        let shown = format!("{:?}", fstatfs(self).map_err(failed)?.f_fsid);
        let numbers: Vec<u32> = shown
            .split(|character: char| !character.is_ascii_digit() && character != '-')
            .filter_map(|number| number.parse::<i32>().ok().map(i32::cast_unsigned))
            .collect();
        let system = match numbers.as_slice() {
            [first, second, ..] if (*first, *second) != (0, 0) => format!("{first:08x}{second:08x}"),
            _ => format!("device-{:x}", stat.st_dev),
        };
        Ok(TargetIdentity {
            system: "directory".to_owned(),
            address: self.path().to_string_lossy().into_owned(),
            id: format!("{system}:{}", stat.st_ino).into(),
        })
    }
}
