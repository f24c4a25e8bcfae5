use std::collections::HashMap;

use super::realm_view::RealmView;
use crate::components::keycloak::http::{Bare, Http};
use crate::model::Result;

const PAGE: u64 = 1000;

/// Who is in a realm: every user's id by lower-cased username, and nothing else of them.
pub(super) struct Roster(HashMap<Box<str>, Box<str>>);

impl Roster {
    pub async fn take(http: &Http, realm: &RealmView) -> Result<Self> {
        if realm.realm.is_none() {
            return Ok(Self(HashMap::new()));
        }
        let keep = |user: Bare| Some((user.username?.to_lowercase().into_boxed_str(), user.id?.into_boxed_str()));
        let brief = [("briefRepresentation", "true")];
        let users = http.counted("/users", "/users/count", &brief, PAGE, keep).await?;
        Ok(Self(users.into_iter().collect()))
    }

    pub fn id(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|id| &**id)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(|name| &**name)
    }
}
