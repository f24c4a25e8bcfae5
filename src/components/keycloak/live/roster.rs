use std::collections::HashMap;

use super::realm_view::RealmView;
use crate::components::keycloak::http::{Bare, Http};
use crate::model::Result;

const PAGE: u64 = 1000;

/// Who is in a realm: every user's id by lower-cased username, and whose each e-mail is; nothing else of them.
#[derive(Default)]
pub(super) struct Roster {
    ids: HashMap<Box<str>, Box<str>>,
    by_email: HashMap<Box<str>, Box<str>>,
}

impl Roster {
    pub async fn take(http: &Http, realm: &RealmView) -> Result<Self> {
        if realm.realm.is_none() {
            return Ok(Self::default());
        }
        let keep = |user: Bare| {
            let name = user.username?.to_lowercase().into_boxed_str();
            Some((name, user.id?.into_boxed_str(), user.email.map(|email| email.to_lowercase().into_boxed_str())))
        };
        let brief = [("briefRepresentation", "true")];
        let users = http.counted("/users", "/users/count", &brief, PAGE, keep).await?;
        let mut roster = Self::default();
        for (name, id, email) in users {
            roster.by_email.extend(email.map(|email| (email, name.clone())));
            roster.ids.insert(name, id);
        }
        Ok(roster)
    }

    pub fn id(&self, name: &str) -> Option<&str> {
        self.ids.get(name).map(|id| &**id)
    }

    /// Id and name of whoever has this e-mail, in lower case.
    pub fn holder(&self, email: &str) -> Option<(&str, &str)> {
        let name = self.by_email.get(email)?;
        Some((self.id(name)?, name))
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.ids.keys().map(|name| &**name)
    }
}
