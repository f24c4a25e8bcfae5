use super::{Entry, Meta};

/// What a live system can hold of a node's metadata.
pub trait Capacity: Send + Sync {
    /// What would be there once `wanted` is written, where it is known beforehand that this is not all of it: None
    /// where everything fits, or only the write will tell. `live`: what is there now. Changes nothing that anybody sees.
    fn held(&self, wanted: &Entry, live: Option<&Entry>) -> Option<Held>;

    /// Why a node cannot be there at all, in words; None where it can, or only the write will tell.
    fn refused(&self, wanted: &Entry) -> Option<String> {
        let _ = wanted;
        None
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    pub meta: Meta,
    pub lost: Vec<Lost>,
}

/// A fact that is not held, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Of many nodes alike: it is told once.
    Common(String),
    /// They follow the node's name and a colon.
    Said(String),
}
