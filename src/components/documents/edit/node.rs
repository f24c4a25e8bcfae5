/// A value's place in the text of its document. Offsets are bytes; `end` is exclusive.
pub(in crate::components::documents) struct Node {
    pub start: usize,
    pub end: usize,
    /// What an alias of it is called by.
    pub anchor: Option<usize>,
    pub kind: Kind,
}

pub(in crate::components::documents) enum Kind {
    Plain,
    Single,
    Double,
    /// A literal block scalar: `start..end` are its lines, from the first one's first character on.
    Literal,
    /// Folded scalars: replaced, never edited.
    Other,
    Alias(usize),
    Map {
        flow: bool,
        entries: Vec<Entry>,
    },
    List {
        flow: bool,
        items: Vec<Node>,
    },
}

pub(in crate::components::documents) struct Entry {
    pub key: String,
    pub key_start: usize,
    pub key_end: usize,
    pub value: Node,
}

impl Node {
    /// Where the text of the value itself ends: block collections end with their last child, not with the
    /// comments below it.
    pub fn content_end(&self) -> usize {
        match &self.kind {
            Kind::Map { flow: false, entries } => {
                entries.last().map_or(self.end, |entry| entry.value.content_end().max(entry.key_end))
            }
            Kind::List { flow: false, items } => items.last().map_or(self.end, Node::content_end),
            _ => self.end,
        }
    }

    pub fn is_block_collection(&self) -> bool {
        matches!(self.kind, Kind::Map { flow: false, .. } | Kind::List { flow: false, .. })
    }
}
