//! The writing side of a live realm.

use async_trait::async_trait;

use super::live::Keycloak;
use crate::component::{Approved, Checked, Component, Effect, Ledger, Limits};
use crate::model::{Error, ErrorKind, HunkAt, Op, PathStep, Resource, Result, TargetIdentity, visible};

#[async_trait]
impl Component for Keycloak {
    /// A batch is what one reading back in bulk proves.
    fn limits(&self) -> Limits {
        Limits { batch: 500, parallel: 4 }
    }

    async fn check(&self, changes: &[Approved]) -> Vec<Result<Checked>> {
        changes.iter().map(check).collect()
    }

    async fn write(&self, changes: &[Approved], _ledger: &dyn Ledger) -> Vec<Result<Effect>> {
        let refuse = |change: &Approved| {
            let doing = format!("write {}", change.change.id);
            Err(Error::new(ErrorKind::Unsupported, doing, "this version only reads realms"))
        };
        changes.iter().map(refuse).collect()
    }

    fn became(&self, pinned: &TargetIdentity, now: &TargetIdentity) -> bool {
        pinned.id == "absent" && pinned.system == now.system && pinned.address == now.address
    }
}

fn check(approved: &Approved) -> Result<Checked> {
    let is_id = |hunk: &crate::model::Hunk| {
        let HunkAt::Field { path, .. } = &hunk.at else { return false };
        hunk.op == Op::Update && matches!(path.0.as_slice(), [PathStep::Field(name)] if name == "id")
    };
    if approved.change.hunks.iter().any(is_id) {
        return Err(same_name(approved));
    }
    Ok(Checked::default())
}

/// Two accounts of one name: which of them is meant nobody but a person knows.
fn same_name(approved: &Approved) -> Error {
    let id = |side: &Option<Resource>| {
        let document = side.as_ref().and_then(Resource::document);
        let id = document.and_then(|document| document.value.get("id")).and_then(serde_json::Value::as_str);
        visible(id.unwrap_or("none")).into_owned()
    };
    let (live, backup) = (id(&approved.live), id(&approved.desired));
    let why = format!("same name, different id: {live} is live, the backup holds {backup}");
    Error::new(ErrorKind::Conflict, format!("restore {}", approved.change.id), why).next(
        "if it is the same person, set 'ids: accept' at the component; else rename or remove the live account, then \
         retry, or leave this user out",
    )
}
