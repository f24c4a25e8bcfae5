//! A realm of any size in which each person differs from the next, with names that get lost elsewhere.

use futures_util::{StreamExt, stream};
use reqwest::Method;
use serde_json::{Value, json};

use crate::keycloak::Admin;

pub mod people;
pub mod realm;

/// A realm with everything that is hard to restore, the same each time it is made.
pub struct Sample {
    pub name: String,
    /// Sizes that are measured: 1, 200, 10,000.
    pub people: usize,
    /// What becomes of attributes that the user profile does not name; `None` is the server's default.
    pub policy: Option<&'static str>,
}

/// Users in one call, and calls side by side.
const BATCH: usize = 20;
const PARALLEL: usize = 4;

impl Sample {
    pub fn new(name: &str, people: usize) -> Self {
        Self { name: name.to_owned(), people, policy: Some("ENABLED") }
    }

    /// An id that is the same each time: ids are unique over all realms of a server.
    pub fn id(&self, of: &str) -> String {
        let hash = blake3::hash(format!("{}: {of}", self.name).as_bytes()).to_hex();
        let hex = hash.as_str();
        format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
    }

    /// Teams of a hundred or so.
    pub fn teams(&self) -> usize {
        (self.people / 100).clamp(2, 100)
    }

    /// Makes it on the server; one of that name is removed first.
    pub async fn make(&self, admin: &Admin) {
        admin.make_realm(&realm::representation(self)).await;
        self.make_what_no_realm_can_be_made_with(admin).await;
        let positions: Vec<usize> = (0..self.people).collect();
        let batches = positions.chunks(BATCH).map(|batch| async move {
            let users: Vec<Value> = batch.iter().map(|position| people::user(self, *position)).collect();
            let body = json!({"ifResourceExists": "FAIL", "users": users});
            admin.done(Method::POST, &format!("/{}/partialImport", self.name), body).await;
        });
        stream::iter(batches).buffer_unordered(PARALLEL).collect::<Vec<()>>().await;
        if self.people > 0 {
            self.make_members(admin).await;
        }
    }

    /// Given with a new realm, these would replace what the server makes by itself.
    async fn make_what_no_realm_can_be_made_with(&self, admin: &Admin) {
        let at = |path: &str| format!("/{}{path}", self.name);
        let mut profile = admin.get(&at("/users/profile")).await;
        if let Some(policy) = self.policy {
            profile["unmanagedAttributePolicy"] = json!(policy);
        }
        profile["attributes"].as_array_mut().unwrap().push(json!({
            "name": "badge", "displayName": "${badge}", "multivalued": false,
            "permissions": {"view": ["admin", "user"], "edit": ["admin"]},
            "validations": {"length": {"max": 40}}}));
        admin.done(Method::PUT, &at("/users/profile"), profile).await;
        admin.done(Method::POST, &at("/client-scopes"), realm::client_scope()).await;
        admin
            .done(Method::POST, &at("/authentication/flows/browser/copy"), json!({"newName": "browser of ours"}))
            .await;
        let organization = json!({"name": "Acme", "alias": "acme", "enabled": true,
            "domains": [{"name": "acme.example.org", "verified": true}], "attributes": {"tier": ["gold"]}});
        admin.done(Method::POST, &at("/organizations"), organization).await;
        let batch = admin.get(&at("/clients?clientId=batch")).await;
        let account = admin.get(&at(&format!("/clients/{}/service-account-user", text(&batch[0]["id"])))).await;
        let role = admin.get(&at("/roles/reader")).await;
        admin
            .done(Method::POST, &at(&format!("/users/{}/role-mappings/realm", text(&account["id"]))), json!([role]))
            .await;
    }

    async fn make_members(&self, admin: &Admin) {
        let at = |path: &str| format!("/{}{path}", self.name);
        let organizations = admin.get(&at("/organizations?search=acme")).await;
        let members = at(&format!("/organizations/{}/members", text(&organizations[0]["id"])));
        admin.done(Method::POST, &members, json!(self.id("user 0"))).await;
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
