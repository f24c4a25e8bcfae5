use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::super::escape::unescaped;
use super::super::http::segment;
use super::super::kinds::Kind;
use super::super::live::Keycloak;
use super::call::Call;
use super::new_user::texts;
use super::overlay::{keyed_changes, set_changes};
use super::standing::Standing;
use super::target::{field, text, without};
use crate::model::{Error, ErrorKind, Known, Result, visible};

/// Names of the client and of its policy or resource.
fn names(key: &str) -> Option<(String, String)> {
    let (client, name) = key.split_once('/')?;
    Some((unescaped(client.as_bytes())?, unescaped(name.as_bytes())?))
}

/// Refuses what names a client or a policy that is not there.
pub(super) fn check(to: &Value, standing: &Standing) -> Result<()> {
    for key in texts(to, "authorizationPolicies") {
        let Some((client, name)) = names(key) else { continue };
        standing.id(Kind::Client, &[&client])?;
        let held = standing.document(&Kind::Client.id(&[&client]).key);
        let held = held.and_then(|client| client.pointer("/authorizationSettings/policies")?.as_array());
        if !held.into_iter().flatten().any(|policy| text(policy, "name") == Some(&name)) {
            let doing = format!("refer to the policy {} of the client {}", visible(&name), visible(&client));
            return Err(Error::new(ErrorKind::NotFound, doing, "the client has none of that name")
                .next("restore the client first, below realm/clients, or leave out what refers to it"));
        }
    }
    for resource in field(to, "ownedResources").as_array().into_iter().flatten() {
        if let Some((client, _)) = text(resource, "key").and_then(names) {
            standing.id(Kind::Client, &[&client])?;
        }
    }
    Ok(())
}

pub(super) fn differ(from: &Value, to: &Value) -> bool {
    ["authorizationPolicies", "ownedResources"].into_iter().any(|name| from.get(name) != to.get(name))
}

impl Keycloak {
    /// Puts a user into the policies of clients that name them, and gives them what they own there.
    pub(super) async fn write_permissions(
        &self,
        user: &str,
        from: &Value,
        to: &Value,
        standing: &Standing,
    ) -> Result<()> {
        if !differ(from, to) {
            return Ok(());
        }
        let unsure = |error: Error| error.known(Known::Unknown);
        // The server takes the list of a policy whole: one after the other, or one is lost.
        let _turn = self.live.policies.lock().await;
        let (comes, goes) = set_changes(from, to, "authorizationPolicies");
        for (key, is_in) in comes.into_iter().map(|key| (key, true)).chain(goes.into_iter().map(|key| (key, false))) {
            self.write_policy(user, key, is_in, standing).await.map_err(unsure)?;
        }
        for change in keyed_changes(from, to, "ownedResources", "key") {
            self.write_owned(user, change.name, change.after, standing).await.map_err(unsure)?;
        }
        self.live.note_realm_written();
        Ok(())
    }

    async fn write_policy(&self, user: &str, key: &str, is_in: bool, standing: &Standing) -> Result<()> {
        let Some((client, name)) = names(key) else { return Ok(()) };
        let http = &self.live.http;
        let at = format!("/clients/{}/authz/resource-server/policy", segment(standing.id(Kind::Client, &[&client])?));
        let Some(found) = http.get_maybe(&format!("{at}/search"), &[("name", &name)]).await? else { return Ok(()) };
        let Some(id) = text(&found, "id") else { return Ok(()) };
        let policy_at = format!("{at}/user/{}", segment(id));
        let mut policy = http.get(&policy_at, &[]).await?;
        let mut users: BTreeSet<String> = texts(&policy, "users").map(str::to_owned).collect();
        let changed = if is_in { users.insert(user.to_owned()) } else { users.remove(user) };
        if !changed {
            return Ok(());
        }
        if let Some(fields) = policy.as_object_mut() {
            fields.insert("users".to_owned(), json!(users));
        }
        http.still_held().await?;
        http.write(Method::PUT, &policy_at, Some(&policy)).await.map(|_| ())
    }

    async fn write_owned(&self, user: &str, key: &str, after: Option<&Value>, standing: &Standing) -> Result<()> {
        let Some((client, name)) = names(key) else { return Ok(()) };
        let http = &self.live.http;
        let at = format!("/clients/{}/authz/resource-server/resource", segment(standing.id(Kind::Client, &[&client])?));
        let query = [("name", name.as_str()), ("owner", user), ("exactName", "true"), ("deep", "false")];
        let found = http.get(&at, &query).await?;
        let id = found.as_array().and_then(|found| text(found.first()?, "_id"));
        let own = id.map(|id| format!("{at}/{}", segment(id)));
        let body = after.map(|after| {
            let mut body = without(after, &["key"]);
            if let Some(fields) = body.as_object_mut() {
                fields.insert("owner".to_owned(), json!({ "id": user }));
                fields.extend(id.map(|id| ("_id".to_owned(), json!(id))));
            }
            body
        });
        let call = match (body, own) {
            (Some(body), Some(own)) => Call::put(own, body),
            (Some(body), None) => Call::post(at, body),
            (None, Some(own)) => Call::delete(own),
            (None, None) => return Ok(()),
        };
        http.still_held().await?;
        http.write(call.method, &call.path, call.body.as_ref()).await.map(|_| ())
    }
}
