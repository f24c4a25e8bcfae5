use std::collections::HashMap;

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use super::super::held::HELD_BY;
use super::super::http::segment;
use super::super::kinds::Kind;
use super::super::live::Keycloak;
use super::call::Call;
use super::execute::{execute, of};
use super::new_user::texts;
use super::planned::Planned;
use super::resources::Failed;
use super::role::held;
use super::standing::Standing;
use super::target::{field, text, without};
use super::user;
use crate::model::{Error, ErrorKind, Known, Result, visible};

const SIDE_BY_SIDE: usize = 8;
/// How many of those who are not there any more are named.
const NAMED: usize = 5;

impl Keycloak {
    /// What a removal took from others, once what was removed is there again.
    pub(super) async fn give_back(&self, plans: &[Planned<'_>], standing: &Standing, failed: &mut Failed) {
        for plan in plans.iter().filter(|plan| plan.held.is_object()) {
            if failed.contains_key(&plan.at) {
                continue;
            }
            if let Err(error) = self.give_one_back(plan.kind, &plan.names, &plan.held, standing).await {
                failed.insert(plan.at, of(&plan.approved.change.id, error.known(Known::Unknown)));
            }
        }
    }

    async fn give_one_back(&self, kind: Kind, names: &[String], held: &Value, standing: &Standing) -> Result<()> {
        let own: Vec<&str> = names.iter().map(String::as_str).collect();
        match kind {
            Kind::RealmRole | Kind::ClientRole => self.give_role_back(&own, held, standing).await?,
            Kind::Group => {
                let id = segment(standing.id(kind, &own)?);
                let call = |user: &str| Call::put_nothing(format!("/users/{}/groups/{id}", segment(user)));
                self.to_people(held, standing, &call).await?;
                self.to_accounts(held, standing, &call).await?;
                if texts(held, "realm").next().is_some() {
                    self.each(vec![Call::put_nothing(format!("/default-groups/{id}"))]).await?;
                }
            }
            Kind::ClientScope => self.each(scope_calls(&own, held, standing)?).await?,
            Kind::IdentityProvider => {
                let alias = own.last().copied().unwrap_or_default();
                self.links_back(alias, held, standing).await?;
                let mut calls = Vec::new();
                for organization in texts(held, "organizations") {
                    let id = segment(standing.id(Kind::Organization, &[organization])?);
                    calls.push(Call::post(format!("/organizations/{id}/identity-providers"), json!(alias)));
                }
                self.each(calls).await?;
            }
            Kind::Organization => {
                let at = format!("/organizations/{}/members", segment(standing.id(kind, &own)?));
                self.to_people(held, standing, &|user| Call::post(&at, json!(user))).await?;
            }
            Kind::Client => self.client_back(&own, held, standing).await?,
            _ => {}
        }
        self.policies_back(held, standing).await
    }

    /// The roles of a client first: they are made of each other.
    async fn client_back(&self, own: &[&str], held: &Value, standing: &Standing) -> Result<()> {
        let client = own.last().copied().unwrap_or_default();
        let at = format!("/clients/{}/roles", segment(standing.id(Kind::Client, own)?));
        let roles = || field(held, "ownRoles").as_object().into_iter().flatten();
        let made = |(name, role): (&String, &Value)| {
            let attributes = role.get("attributes").cloned().unwrap_or_else(|| json!({}));
            let body = json!({"name": name, "description": role.get("description"), "attributes": attributes});
            Call::post(&at, body)
        };
        self.each(roles().map(made).collect()).await?;
        let now = match roles().next() {
            Some(_) => Standing::new(self.live.realm_now().await?),
            None => standing.clone(),
        };
        for (name, role) in roles() {
            let id = now.id(Kind::ClientRole, &[client, name])?;
            let composites = format!("/roles-by-id/{}/composites", segment(id));
            let calls = super::role::held(&now, &json!({}), field(role, "composites"))?;
            self.each(calls.into_iter().map(|(_, role)| Call::post(&composites, json!([role]))).collect()).await?;
            self.give_role_back(&[client, name], field(role, HELD_BY), &now).await?;
            self.policies_back(field(role, HELD_BY), &now).await?;
        }
        let wanted = field(held, "account");
        if wanted.is_object() {
            let account = self.account(client, &now).await?;
            let shown = now.document(&Kind::ServiceAccount.id(own).key).cloned().unwrap_or_default();
            let from = only(&shown, wanted);
            let id = text(&account, "id").unwrap_or_default();
            self.each(user::calls(id, &from, wanted, wanted, &account, &now)?).await?;
        }
        Ok(())
    }

    async fn give_role_back(&self, own: &[&str], held: &Value, standing: &Standing) -> Result<()> {
        let (role, below) = match own {
            [client, name] => {
                let id = segment(standing.id(Kind::Client, &[client])?);
                (standing.client_role(client, name)?, format!("clients/{id}"))
            }
            _ => (standing.realm_role(own.last().copied().unwrap_or_default())?, "realm".to_owned()),
        };
        let mapping = |at: String| Call::post(format!("{at}/{below}"), json!([role]));
        let to_user = |user: &str| mapping(format!("/users/{}/role-mappings", segment(user)));
        self.to_people(held, standing, &to_user).await?;
        self.to_accounts(held, standing, &to_user).await?;
        let mut calls = Vec::new();
        for group in texts(held, "groups") {
            calls.push(mapping(format!("/groups/{}/role-mappings", segment(standing.group(group)?))));
        }
        for (kind, list, folder) in
            [(Kind::Client, "clients", "clients"), (Kind::ClientScope, "clientScopes", "client-scopes")]
        {
            for name in texts(held, list) {
                let id = segment(standing.id(kind, &[name])?);
                calls.push(mapping(format!("/{folder}/{id}/scope-mappings")));
            }
        }
        for (_, holder) in self::held(standing, &json!({}), field(held, "roles"))? {
            let id = segment(text(&holder, "id").unwrap_or_default());
            calls.push(Call::post(format!("/roles-by-id/{id}/composites"), json!([role])));
        }
        self.each(calls).await
    }

    async fn links_back(&self, alias: &str, held: &Value, standing: &Standing) -> Result<()> {
        let links = field(held, "links").as_array().into_iter().flatten();
        let links: Vec<(&str, &Value)> = links.filter_map(|link| Some((text(link, "user")?, link))).collect();
        let people = self.ids(links.iter().map(|(user, _)| *user), standing).await?;
        let call = |(user, link): &(&str, &Value)| {
            let at = format!("/users/{}/federated-identity/{}", segment(people.get(*user)?), segment(alias));
            let body =
                json!({"identityProvider": alias, "userId": link.get("userId"), "userName": link.get("userName")});
            Some(Call::post(at, body))
        };
        self.each(links.iter().filter_map(call).collect()).await?;
        all_are_there(links.iter().map(|(user, _)| *user), &people)
    }

    async fn to_people(&self, held: &Value, standing: &Standing, call: &(dyn Fn(&str) -> Call + Sync)) -> Result<()> {
        let people = self.ids(texts(held, "users"), standing).await?;
        self.each(people.values().map(|id| call(id)).collect()).await?;
        all_are_there(texts(held, "users"), &people)
    }

    async fn to_accounts(&self, held: &Value, standing: &Standing, call: &(dyn Fn(&str) -> Call + Sync)) -> Result<()> {
        for client in texts(held, "accounts") {
            let account = self.account(client, standing).await?;
            self.each(vec![call(text(&account, "id").unwrap_or_default())]).await?;
        }
        Ok(())
    }

    async fn account(&self, client: &str, standing: &Standing) -> Result<Value> {
        let id = segment(standing.id(Kind::Client, &[client])?);
        self.live.http.get(&format!("/clients/{id}/service-account-user"), &[]).await
    }

    async fn policies_back(&self, held: &Value, standing: &Standing) -> Result<()> {
        let mut calls = Vec::new();
        for (client, policies) in field(held, "policies").as_object().into_iter().flatten() {
            let id = segment(standing.id(Kind::Client, &[client])?);
            // An import without them would reset the settings of the whole service.
            let held = standing.document(&Kind::Client.id(&[client]).key);
            let settings = held.map_or(&Value::Null, |held| field(held, "authorizationSettings"));
            let mut body = without(settings, &["policies", "resources", "scopes", "authorizationSchema"]);
            if !body.is_object() {
                body = json!({});
            }
            body["policies"] = policies.clone();
            calls.push(Call::post(format!("/clients/{id}/authz/resource-server/import"), body));
        }
        self.each(calls).await
    }

    async fn ids<'n>(
        &self,
        names: impl Iterator<Item = &'n str>,
        standing: &Standing,
    ) -> Result<HashMap<String, String>> {
        let names: Vec<String> = names.map(str::to_owned).collect();
        self.live.ids_of(standing.view(), names).await
    }

    /// In any order; what is there already is as it should be.
    async fn each(&self, calls: Vec<Call>) -> Result<()> {
        if !calls.is_empty() {
            self.live.http.still_held().await?;
        }
        let made = stream::iter(calls).map(|call| execute(&self.live.http, vec![call]));
        let made: Vec<Result<Option<String>>> = made.buffer_unordered(SIDE_BY_SIDE).collect().await;
        let is_bad = |made: Result<Option<String>>| made.err().filter(|error| error.kind() != ErrorKind::Conflict);
        made.into_iter().find_map(is_bad).map_or(Ok(()), Err)
    }
}

/// Of an account, the fields that are wanted.
fn only(shown: &Value, wanted: &Value) -> Value {
    let names = wanted.as_object().into_iter().flatten().map(|(name, _)| name);
    Value::Object(names.filter_map(|name| Some((name.clone(), shown.get(name)?.clone()))).collect())
}

fn scope_calls(own: &[&str], held: &Value, standing: &Standing) -> Result<Vec<Call>> {
    let scope = segment(standing.id(Kind::ClientScope, own)?);
    let mut calls = Vec::new();
    for (list, below) in [("defaultOf", "default-client-scopes"), ("optionalOf", "optional-client-scopes")] {
        for client in texts(held, list) {
            let id = segment(standing.id(Kind::Client, &[client])?);
            calls.push(Call::put_nothing(format!("/clients/{id}/{below}/{scope}")));
        }
    }
    for list in texts(held, "realm") {
        let below = match list {
            "defaultOptionalClientScopes" => "default-optional-client-scopes",
            _ => "default-default-client-scopes",
        };
        calls.push(Call::put_nothing(format!("/{below}/{scope}")));
    }
    Ok(calls)
}

fn all_are_there<'n>(wanted: impl Iterator<Item = &'n str>, found: &HashMap<String, String>) -> Result<()> {
    let gone: Vec<&str> = wanted.filter(|name| !found.contains_key(*name)).collect();
    if gone.is_empty() {
        return Ok(());
    }
    let named: Vec<_> = gone.iter().take(NAMED).map(|name| visible(*name)).collect();
    let why = format!("{} people who held it are not there any more: {}", gone.len(), named.join(", "));
    Err(Error::new(ErrorKind::NotFound, "give it back to those who held it", why)
        .next("bring them back and try again, or leave out their hunks; all others have it again"))
}
