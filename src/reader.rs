use async_trait::async_trait;

use crate::model::{
    Answer, Document, Error, ErrorKind, FoundOwners, Location, Probe, Resource, Result, Schema, Scope, TargetIdentity,
    TreePath,
};

/// A place that is read.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    pub at: &'a Location,
    pub beside: Beside<'a>,
}

/// What the other side of a comparison has there.
#[derive(Clone, Copy, Debug)]
pub enum Beside<'a> {
    /// Nothing is compared, or it is not known.
    Unknown,
    Nothing,
    This(&'a Resource),
}

impl<'a> Beside<'a> {
    pub fn document(self) -> Option<&'a Document> {
        match self {
            Self::This(resource) => resource.document(),
            Self::Unknown | Self::Nothing => None,
        }
    }
}

impl<'a> Wanted<'a> {
    /// To be read for themselves.
    pub fn alone(locations: &'a [Location]) -> Vec<Self> {
        locations.iter().map(|at| Self { at, beside: Beside::Unknown }).collect()
    }

    /// To be compared, each with the other side in its position.
    pub fn beside(locations: &'a [Location], others: &'a [Option<Resource>]) -> Vec<Self> {
        let beside = |other: &'a Option<Resource>| other.as_ref().map_or(Beside::Nothing, Beside::This);
        let others = others.iter().map(beside).chain(std::iter::repeat(Beside::Unknown));
        locations.iter().zip(others).map(|(at, beside)| Self { at, beside }).collect()
    }

    /// The places, to be taken to another thread.
    pub fn locations(wanted: &[Self]) -> Vec<Location> {
        wanted.iter().map(|one| one.at.clone()).collect()
    }
}

/// Anything that holds resources and can be read: a backup or a live system.
///
/// Reads are bulk: each call answers for every question, in order, each for itself, so that one
/// unreadable resource costs only itself. A list is whole or an error: a truncated, short or
/// unreadable list must never look like a shorter one, because what a list lacks can become a delete.
/// Methods may be called from several tasks at once, and block no async thread.
#[async_trait]
pub trait Reader: Send + Sync {
    fn schema(&self) -> &Schema;

    /// Asks the system itself, each time: another one may answer at the same address now.
    async fn identity(&self) -> Result<TargetIdentity>;

    /// All owners below `below`: one per directory, document or user of that kind. What is there and cannot be walked
    /// is among the unusable ones, and is no error: the others go on without it.
    async fn owners(&self, below: &TreePath, kind: Option<&str>) -> Result<FoundOwners>;

    /// Whether no owner at all is an answer. Where it can as well mean that the wrong place was read, it is refused.
    fn can_have_no_owners(&self) -> bool {
        false
    }

    /// The resources of each scope. A source looks below `scope.below`, a component at `scope.to`.
    /// A scope that does not exist is an empty list for a component, and [`ErrorKind::NotFound`] for a
    /// source: a backup that lacks what the runbook asks for is not a backup of nothing.
    async fn list(&self, scopes: &[Scope]) -> Vec<Result<Vec<Location>>>;

    /// Each resource as it is now; `None` for one that is not there. A system in which a part of a resource costs a call of
    /// its own leaves out what the other side says nothing of; what it answers depends on nothing but its own state and
    /// that side.
    async fn read(&self, wanted: &[Wanted<'_>]) -> Vec<Result<Option<Resource>>>;

    /// A resource that was read here, as it would be read for a comparison with `other`; pure. `None`: as it is.
    fn shown_beside(&self, resource: &Resource, other: &Resource) -> Option<Resource> {
        let _ = (resource, other);
        None
    }

    /// For each scope, what this system holds there and its schema does not know, in words: it is not restored, and
    /// the plan says so. Asked after [`Reader::list`].
    async fn not_restored(&self, scopes: &[Scope]) -> Vec<Vec<String>> {
        scopes.iter().map(|_| Vec::new()).collect()
    }

    /// For each scope, resources that this source holds and of which it cannot tell whether they belong to the scope's
    /// owner: what is not understood is not absent, so nothing live is removed in their place.
    async fn unclear(&self, scopes: &[Scope]) -> Vec<Vec<crate::model::ResourceId>> {
        scopes.iter().map(|_| Vec::new()).collect()
    }

    /// Changes nothing. A question it does not know is [`ErrorKind::Unsupported`].
    async fn probe(&self, probe: &Probe) -> Result<Answer> {
        Err(Error::new(
            ErrorKind::Unsupported,
            format!("ask '{}'", probe.question),
            "this system does not know that question",
        ))
    }
}
