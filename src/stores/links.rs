use std::collections::VecDeque;

use super::Store;
use crate::model::{Error, ErrorKind, NodeKind, Result, TreePath, visible};

/// A way through more links leads round in a circle.
const MOST_LINKS: usize = 40;

/// The path without links: all that are on its way are followed inside the backup, as if its root were `/`. The path
/// itself where nothing is there.
pub fn followed(store: &dyn Store, path: &TreePath) -> Result<TreePath> {
    let refuse = |why: String| {
        Error::new(ErrorKind::Refused, format!("follow {path} in the backup"), why)
            .next("back up what the link leads to as well, or put there what it stands for")
    };
    let mut left: VecDeque<Vec<u8>> = path.parts().map(<[u8]>::to_vec).collect();
    let mut at = TreePath::root();
    let mut links = 0;
    while let Some(part) = left.pop_front() {
        match part.as_slice() {
            b"" | b"." => continue,
            b".." => {
                at = at.parent().ok_or_else(|| refuse("a link leads out of the backup".to_owned()))?;
                continue;
            }
            _ => {}
        }
        let next = at.join(&part)?;
        match store.entry(&next)?.map(|entry| entry.kind) {
            // No link is to blame: the caller says what is missing.
            None if links == 0 => return Ok(path.clone()),
            None => return Err(refuse(format!("a link leads to {next}, which the backup does not hold"))),
            Some(NodeKind::Symlink { target }) => {
                links += 1;
                if links > MOST_LINKS {
                    return Err(refuse(format!("its links lead round in a circle, by {}", visible(&target))));
                }
                if target.starts_with(b"/") {
                    at = TreePath::root();
                }
                for part in target.split(|byte| *byte == b'/').rev() {
                    left.push_front(part.to_vec());
                }
            }
            Some(_) => at = next,
        }
    }
    Ok(at)
}
