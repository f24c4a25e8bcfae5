//! What a removal takes from others is told before, kept, and given back.

use rekindle::components::keycloak::kinds::Kind;
use rekindle::model::ErrorKind;

use super::*;

impl Story {
    /// As `mode: exact` plans what a backup lacks.
    async fn removals(&self, ids: &[ResourceId]) -> Vec<Approved> {
        let reader = server().component(&self.sample.name);
        let wanted: Vec<Location> = ids.iter().map(Location::of).collect();
        let live = reader.read(&Wanted::beside(&wanted, &vec![None; ids.len()])).await;
        let pairs = ids.iter().zip(live);
        pairs.filter_map(|(id, live)| self.change(id, live.unwrap(), None, Mode::Exact, &[])).collect()
    }

    async fn warnings(&self, changes: &[Approved]) -> String {
        let checked = self.component.check(changes).await;
        checked.into_iter().flat_map(|checked| checked.unwrap().warnings).collect::<Vec<_>>().join("\n")
    }

    async fn found(&self, path: &str, field: &str, name: &str) -> String {
        let all = self.admin.get(&self.at(path)).await;
        let found = all.as_array().unwrap().iter().find(|one| one[field] == name);
        found.unwrap_or_else(|| panic!("no {name} in {path}"))["id"].as_str().unwrap().to_owned()
    }

    /// All that people and others have of what is going to be removed.
    async fn held(&self) -> Vec<String> {
        let carl = self.id_of("carl").await;
        let names = |list: &Value, field: &str| -> Vec<String> {
            let mut names: Vec<String> =
                list.as_array().into_iter().flatten().map(|one| one[field].as_str().unwrap().to_owned()).collect();
            names.sort();
            names
        };
        let mappings = self.admin.get(&self.at(&format!("/users/{carl}/role-mappings"))).await;
        let mut held = names(&mappings["realmMappings"], "name");
        held.extend(names(&mappings["clientMappings"]["shop"]["mappings"], "name"));
        held.extend(names(&self.admin.get(&self.at(&format!("/users/{carl}/groups"))).await, "name"));
        held.extend(names(&self.admin.get(&self.at(&format!("/users/{carl}/federated-identity"))).await, "userId"));
        let team = self.found("/groups?search=crew&exact=true", "name", "crew").await;
        let of_team = self.admin.get(&self.at(&format!("/groups/{team}/role-mappings"))).await;
        held.extend(names(&of_team["realmMappings"], "name"));
        let app = self.found("/clients?clientId=kiosk", "clientId", "kiosk").await;
        held.extend(names(&self.admin.get(&self.at(&format!("/clients/{app}/default-client-scopes"))).await, "name"));
        held.extend(names(&self.admin.get(&self.at("/default-groups")).await, "name"));
        let account = self.admin.get(&self.at(&format!("/clients/{app}/service-account-user"))).await;
        let of_account =
            self.admin.get(&self.at(&format!("/users/{}/role-mappings", account["id"].as_str().unwrap()))).await;
        held.extend(names(&of_account["realmMappings"], "name"));
        let policies = self.admin.get(&self.at(&format!("/clients/{app}/authz/resource-server/settings"))).await;
        let policy =
            policies["policies"].as_array().unwrap().iter().find(|one| one["name"] == "by role").unwrap().clone();
        held.push(policy["config"]["roles"].to_string());
        held
    }
}

/// A realm in which carl, a group and a client hold what is going to be removed.
async fn furnished(name: &str) -> Story {
    let admin = Admin::new(server());
    admin.remove_realm(name).await;
    let kiosk = json!({"clientId": "kiosk", "secret": "s", "publicClient": false, "serviceAccountsEnabled": true,
        "authorizationServicesEnabled": true, "authorizationSettings": {"policies": [
            {"name": "by role", "type": "role", "config": {"roles": "[{\"id\":\"extra\",\"required\":true}]"}}]}});
    let realm = json!({"realm": name, "enabled": true,
        "roles": {"realm": [{"name": "extra"}, {"name": "big", "composite": true, "composites": {"realm": ["extra"]}}],
            "client": {"shop": [{"name": "sell", "description": "d"}, {"name": "buy"}]}},
        "clients": [{"clientId": "shop", "secret": "s", "publicClient": false}, kiosk],
        "groups": [{"name": "team"}, {"name": "crew", "realmRoles": ["extra"]}], "defaultGroups": ["/team"],
        "identityProviders": [{"alias": "hub", "providerId": "oidc", "config": {"clientId": "x", "clientSecret": "y",
            "authorizationUrl": "https://hub.example/a", "tokenUrl": "https://hub.example/t"}}],
        "users": [{"username": "carl", "enabled": true, "realmRoles": ["extra"], "clientRoles": {"shop": ["sell"]}, "groups": ["/team"],
                "federatedIdentities": [{"identityProvider": "hub", "userId": "77", "userName": "carl@hub"}]},
            {"username": "dora", "enabled": true},
            {"username": "service-account-kiosk", "enabled": true, "serviceAccountClientId": "kiosk", "realmRoles": ["extra"]}]});
    admin.make_realm(&realm).await;
    let sample = Sample::new(name, 0);
    let story = Story { sample, admin, component: server().component(name), backup: Vec::new() };
    story.post("/client-scopes", json!({"name": "stamp", "protocol": "openid-connect"})).await;
    let stamp = story.found("/client-scopes", "name", "stamp").await;
    let kiosk = story.found("/clients?clientId=kiosk", "clientId", "kiosk").await;
    story.put(&format!("/clients/{kiosk}/default-client-scopes/{stamp}"), Value::Null).await;
    story
}

fn removed() -> [ResourceId; 5] {
    [
        Kind::RealmRole.id(&["extra"]),
        Kind::Group.id(&["team"]),
        Kind::Client.id(&["shop"]),
        Kind::ClientScope.id(&["stamp"]),
        Kind::IdentityProvider.id(&["hub"]),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_removal_takes_from_others_is_told_and_given_back() {
    let story = furnished("cascades").await;
    let before = story.held().await;
    let removals = story.removals(&removed()).await;
    assert_eq!(removals.len(), removed().len());
    let told = story.warnings(&removals).await;
    for said in [
        "1 person holds it and loses it: carl",
        "1 person is a member and loses that: carl",
        "takes 2 roles with it: buy, sell",
        "1 person holds roles of it and loses them: carl",
        "1 person is linked to it and loses that: carl",
        "1 group (/crew)",
        "1 composite role (big)",
        "1 service account (kiosk)",
        "1 authorization policy (by role)",
        "1 client (kiosk)",
    ] {
        assert!(told.contains(said), "{said}: {told}");
    }
    story.write_all(&removals).await;
    assert_ne!(story.held().await, before);
    let back = story.undo(&removals).await;
    story.write_all(&back).await;
    assert_eq!(story.held().await, before);
    let former: Vec<Resource> = removals.iter().filter_map(|change| change.live.clone()).collect();
    assert_eq!(story.differences(&former).await, nothing());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_removed_from_people_whom_the_plan_did_not_name() {
    let story = furnished("cascades-since").await;
    let removals = story.removals(&removed()[..1]).await;
    let dora = story.id_of("dora").await;
    let extra = story.admin.get(&story.at("/roles/extra")).await;
    story.post(&format!("/users/{dora}/role-mappings/realm"), json!([extra])).await;
    let refused = story.write(&removals).await.pop().unwrap().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict);
    assert!(refused.chain().contains("dora"), "{}", refused.chain());
    assert_eq!(story.admin.get(&story.at("/roles/extra")).await["name"], "extra");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_held_it_and_is_gone_is_named_and_all_others_have_it_again() {
    let story = furnished("cascades-gone").await;
    let dora = story.id_of("dora").await;
    let extra = story.admin.get(&story.at("/roles/extra")).await;
    story.post(&format!("/users/{dora}/role-mappings/realm"), json!([extra])).await;
    let removals = story.removals(&removed()[..1]).await;
    story.write_all(&removals).await;
    story.remove(&format!("/users/{dora}")).await;
    let failed = story.write(&story.undo(&removals).await).await.pop().unwrap().unwrap_err();
    assert!(failed.chain().contains("dora"), "{}", failed.chain());
    let carl = story.id_of("carl").await;
    let held = story.admin.get(&story.at(&format!("/users/{carl}/role-mappings/realm"))).await;
    assert!(held.to_string().contains("\"extra\""), "{held}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_in_use_is_not_removed_and_its_users_are_named() {
    let story = furnished("cascades-flow").await;
    story
        .post(
            "/authentication/flows",
            json!({"alias": "mine", "providerId": "basic-flow", "topLevel": true, "builtIn": false}),
        )
        .await;
    let mut realm = story.admin.get(&story.at("")).await;
    realm["browserFlow"] = json!("mine");
    story.put("", realm).await;
    let removals = story.removals(&[Kind::Flow.id(&["mine"])]).await;
    assert!(story.warnings(&removals).await.contains("refused while it is used by the realm's browserFlow"));
    let refused = story.write(&removals).await.pop().unwrap().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused);
    assert!(refused.chain().contains("the realm's browserFlow"), "{}", refused.chain());
}
