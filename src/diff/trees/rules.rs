use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::model::{
    Capacity, ComparePrecision, Entry, Error, ErrorKind, Held, KindSchema, Mode, Privileges, RecordedFacts, Result,
    Tree, TreePath,
};

/// How two trees are compared.
pub struct TreeRules<'a> {
    pub(super) ignore: Gitignore,
    pub(super) reserved: Vec<TreePath>,
    /// Where another file system has what is there, as far as it is known before the walk.
    mounted: Vec<TreePath>,
    /// Says where else its walk did not go on.
    live: Option<&'a dyn Tree>,
    /// For a way back: the paths that it concerns, sorted. What came later at others stays.
    touched: Option<Vec<TreePath>>,
    pub(super) privileges: Privileges,
    /// Whether pipes, sockets and devices come back: they do where they were kept.
    pub(super) specials: bool,
    pub(super) mode: Mode,
    pub(super) precision: ComparePrecision,
    /// Says which facts it records.
    source: Option<&'a dyn Tree>,
    /// Says which facts the live side can hold.
    capacity: Option<&'a dyn Capacity>,
}

impl<'a> TreeRules<'a> {
    pub fn new(schema: &KindSchema, mode: Mode, precision: ComparePrecision) -> Result<Self> {
        let mut builder = GitignoreBuilder::new("");
        for pattern in &schema.ignore {
            builder.add_line(None, pattern).map_err(|error| {
                Error::new(ErrorKind::Invalid, format!("use the ignore pattern '{pattern}'"), error.to_string())
            })?;
        }
        let ignore = builder
            .build()
            .map_err(|error| Error::new(ErrorKind::Invalid, "use the ignore patterns", error.to_string()))?;
        Ok(Self {
            ignore,
            reserved: Vec::new(),
            mounted: Vec::new(),
            live: None,
            touched: None,
            privileges: schema.privileges,
            specials: false,
            mode,
            precision,
            source: None,
            capacity: None,
        })
    }

    /// For a tree that lies at `key`: what is reserved there is neither compared nor removed, with what leads to it.
    #[must_use]
    pub fn reserving(mut self, schema: &KindSchema, key: &TreePath) -> Self {
        let below = schema.reserved.iter().filter_map(|reserved| reserved.relative_to(key));
        self.reserved = below.filter(|below| !below.is_root()).collect();
        self
    }

    /// What another file system has below these places is neither compared nor removed, with what leads there.
    #[must_use]
    pub fn sparing(mut self, mounted: Vec<TreePath>, live: Option<&'a dyn Tree>) -> Self {
        (self.mounted, self.live) = (mounted, live);
        self
    }

    /// For a restore from `source`: what it does not record is neither compared nor removed, and what the live side
    /// cannot hold is not wanted there.
    #[must_use]
    pub fn restoring(mut self, source: Option<&'a dyn Tree>, capacity: Option<&'a dyn Capacity>) -> Self {
        (self.source, self.capacity) = (source, capacity);
        self
    }

    /// For the way back to a former state of `touched`: all of it was kept, and all of it comes back. What is live at other
    /// paths came later: it stays, with the directories around it.
    #[must_use]
    pub fn bringing_back(mut self, mut touched: Vec<TreePath>) -> Self {
        self.privileges = Privileges::Keep;
        self.specials = true;
        touched.sort();
        self.touched = Some(touched);
        self
    }

    pub(super) fn came_later(&self, path: &TreePath) -> bool {
        self.touched.as_ref().is_some_and(|touched| touched.binary_search(path).is_err())
    }

    pub(super) fn recorded(&self, path: &TreePath) -> RecordedFacts {
        self.source.map_or(RecordedFacts::ALL, |source| source.recorded(path))
    }

    pub(super) fn held(&self, wanted: &Entry, live: Option<&Entry>) -> Option<Held> {
        self.capacity?.held(wanted, live)
    }

    pub(super) fn refused(&self, wanted: &Entry) -> Option<String> {
        self.capacity?.refused(wanted)
    }

    pub(super) fn leads_to_reserved(&self, path: &TreePath) -> bool {
        self.reserved.iter().chain(&self.mounted).any(|kept| kept.lies_in(path))
    }

    /// Whether another file system, or a subvolume, begins there.
    pub(super) fn is_mounted(&self, entry: &Entry) -> bool {
        self.mounted.contains(&entry.path) || self.live.is_some_and(|live| live.ends_at(&entry.path))
    }

    pub(super) fn ignores(&self, entry: &Entry) -> bool {
        use std::os::unix::ffi::OsStrExt;
        if self.reserved.contains(&entry.path) || self.is_mounted(entry) {
            return true;
        }
        let path = std::path::Path::new(std::ffi::OsStr::from_bytes(entry.path.as_bytes()));
        !entry.path.is_root() && !self.ignore.is_empty() && self.ignore.matched(path, entry.is_directory()).is_ignore()
    }
}
