//! The realm of the benches with a server: people of two groups and two roles each.

use futures_util::{StreamExt, stream};
use reqwest::Method;
use serde_json::{Value, json};

use crate::keycloak::{self, Admin};

pub const REALM: &str = "bench";
pub const GROUPS: usize = 20;
pub const ROLES: usize = 20;
/// Of an import, the fastest that was measured: so many people a call, so many calls side by side.
const PER_CALL: usize = 20;
const CALLS: usize = 4;

pub fn user(at: usize) -> Value {
    let mut user = keycloak::user(at, &format!("default-roles-{REALM}"));
    user["groups"] = json!([format!("/g{}", at % GROUPS), format!("/g{}", (at + 7) % GROUPS)]);
    user["realmRoles"] =
        json!([format!("r{}", at % ROLES), format!("r{}", (at + 3) % ROLES), format!("default-roles-{REALM}")]);
    user["clientRoles"] = json!({});
    user
}

/// The realm's representation without its people.
pub fn realm() -> Value {
    json!({
        "realm": REALM, "enabled": true,
        "groups": (0..GROUPS).map(|at| json!({"name": format!("g{at}"), "path": format!("/g{at}")})).collect::<Vec<_>>(),
        "roles": {"realm": (0..ROLES).map(|at| json!({"name": format!("r{at}")})).collect::<Vec<_>>()}
    })
}

/// Made anew, with nobody in it.
pub async fn empty(admin: &Admin) {
    admin.make_realm(&realm()).await;
    let mut profile = admin.get(&format!("/{REALM}/users/profile")).await;
    profile["unmanagedAttributePolicy"] = json!("ENABLED");
    admin.done(Method::PUT, &format!("/{REALM}/users/profile"), profile).await;
}

pub async fn import(admin: &Admin, people: &[Value]) {
    let path = format!("/{REALM}/partialImport");
    let batches = people.chunks(PER_CALL).map(|some| json!({"ifResourceExists": "FAIL", "users": some}));
    stream::iter(batches.collect::<Vec<_>>())
        .for_each_concurrent(CALLS, |batch| admin.done(Method::POST, &path, batch))
        .await;
}
