use std::io::Read;
use std::sync::Arc;

use super::{Digest, Entry, RecordedFacts, Result, TreePath};

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

    /// Which facts of the node at `path` are on record. What is not is neither compared nor removed.
    fn recorded(&self, path: &TreePath) -> RecordedFacts {
        let _ = path;
        RecordedFacts::ALL
    }

    /// Of a live tree that was walked to its end: how many names the file with this link number has. `None` for one
    /// that the walk did not meet.
    fn names(&self, link: u64) -> Option<Names> {
        let _ = link;
        None
    }

    /// Of a live tree, once its walk has passed the directory at `path`: whether the walk did not go into it, for another
    /// file system or a subvolume begins there.
    fn ends_at(&self, path: &TreePath) -> bool {
        let _ = path;
        false
    }

    /// What a component itself keeps of a former state, for the way back to it.
    fn former(&self) -> Option<&dyn Former> {
        None
    }

    /// The directory that lies `levels` above this tree in what it is read from, if it tells: what a restore gives
    /// the directories above the tree that are missing.
    fn above(&self, levels: usize) -> Result<Option<Entry>> {
        let _ = levels;
        Ok(None)
    }

    /// Of a backup's tree that was walked to its end: what its plan says of all of it, a line each. Whose numbers are
    /// others on this machine, for one.
    fn said(&self) -> Vec<String> {
        Vec::new()
    }

    /// The same tree for a plan that restores from it: a file that is touched after it was listed, or while it is
    /// read, is a [`super::ErrorKind::Conflict`]. `None` where this is such a tree already.
    fn to_restore_from(&self) -> Option<Arc<dyn Tree>> {
        None
    }

    /// Bytes of one regular file that are not holes, where the store can tell: what it needs at its target. At least
    /// as many as that; `None` counts as all of them.
    fn bytes_without_holes(&self, path: &TreePath) -> Result<Option<u64>> {
        let _ = path;
        Ok(None)
    }

    /// Regular files among `files` whose content this store knows, without reading any of it, that it cannot hand out: by
    /// position, with the reason. That a file is not among them proves nothing.
    fn unreadable(&self, files: &[&TreePath]) -> Vec<(usize, String)> {
        let _ = files;
        Vec::new()
    }

    /// What names one regular file's bytes in this store, where it is known without reading them: equal for equal bytes
    /// that were stored alike. Not comparable between stores.
    fn content_name(&self, path: &TreePath) -> Option<Digest> {
        let _ = path;
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

/// The names of one file with several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Names {
    /// As its file system counts them.
    pub all: u32,
    /// Those that lie in the tree.
    pub here: u32,
}

/// A former state whose nodes are kept, not copied: what comes back is the node itself, with all that a restore does not
/// give, and with its other names.
pub trait Former: Send + Sync {
    /// Where the component keeps the node, below its root, if it was taken away at all. Nothing may be there any more.
    fn kept(&self, path: &TreePath) -> Option<TreePath>;

    /// Whether the node that was kept is in its place again: as far as its metadata tells, for its bytes may be such as
    /// this user must not read.
    fn is_back(&self, path: &TreePath) -> Result<bool>;

    /// Nodes that were kept and cannot come back, each with the reason: they are gone, or are no longer what was kept.
    fn lost(&self) -> Result<Vec<(TreePath, String)>>;

    /// Whether another node stands in the place of the one that is kept.
    fn is_replaced(&self, path: &TreePath) -> Result<bool>;
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
