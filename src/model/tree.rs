use std::io::Read;
use std::sync::Arc;

use super::{Digest, Entry, Result, TreePath};

/// A file tree that is read lazily: a home directory, a snapshot's subtree, a part of an archive.
///
/// Methods block; callers give them a thread. Paths are relative to the tree's root. The root itself is
/// the first entry, with the empty path.
pub trait Tree: Send + Sync {
    /// Every node, in the order of [`TreePath`]: parents before children, names sorted bytewise.
    /// A node that cannot be read is an `Err` in its place; the walk ends there unless it can go on.
    fn entries(&self) -> Result<Box<dyn Iterator<Item = Result<Entry>> + Send + '_>>;

    /// The content of one regular file.
    fn open(&self, path: &TreePath) -> Result<Box<dyn Read + Send>>;

    /// Reads many files' contents in whatever order and with as many threads (at most `parallel`) as is
    /// fastest for this store, and hands each to `sink` exactly once: a reader, or why there is none.
    /// Stops early when the sink says so. One unreadable file does not stop the others.
    fn contents(&self, wanted: &[TreePath], parallel: usize, sink: &dyn ContentSink) -> Result<()> {
        let _ = parallel;
        for (index, path) in wanted.iter().enumerate() {
            let go_on = match self.open(path) {
                Ok(mut reader) => sink.content(index, Ok(&mut *reader)),
                Err(error) => sink.content(index, Err(error)),
            };
            if !go_on {
                break;
            }
        }
        Ok(())
    }

    /// Of a file as it was listed, where the store can change under a plan: another number once it was touched,
    /// even if its size and time are as before. `None` where what was listed is what will be read, as in a snapshot.
    fn stamp(&self, path: &TreePath) -> Option<u64> {
        let _ = path;
        None
    }

    /// The same tree for a plan that restores from it: a file that is touched after it was listed, or while it is
    /// read, is a [`super::ErrorKind::Conflict`]. `None` where this is such a tree already.
    fn to_restore_from(&self) -> Option<Arc<dyn Tree>> {
        None
    }

    /// blake3 of one regular file's bytes.
    fn digest(&self, path: &TreePath) -> Result<Digest> {
        let mut hasher = blake3::Hasher::new();
        let mut reader = self.open(path)?;
        std::io::copy(&mut reader, &mut hasher).map_err(|error| super::Error::io(format!("read {path}"), error))?;
        Ok(Digest::from_bytes(*hasher.finalize().as_bytes()))
    }
}

/// Receives contents from [`Tree::contents`], from several threads at once.
pub trait ContentSink: Sync {
    /// `index` is the position in `wanted`. Answers whether to go on.
    fn content(&self, index: usize, content: Result<&mut (dyn Read + Send)>) -> bool;
}

impl std::fmt::Debug for dyn Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tree")
    }
}
