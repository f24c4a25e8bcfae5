//! Kinds that no other story touches, and the truth of the plan over all of them.

use super::*;

async fn id_below(story: &Story, path: &str, field: &str, name: &str) -> String {
    let found = story.admin.get(&story.at(path)).await;
    let one = found.as_array().unwrap().iter().find(|one| one[field] == name).unwrap_or_else(|| panic!("no {name}"));
    one["id"].as_str().unwrap().to_owned()
}

/// Authorization settings, client policies, LDAP, an organization with its provider, a SAML provider with mappers.
pub async fn furnish(story: &Story) {
    let authorized = json!({"clientId": "guard", "secret": "guard secret", "serviceAccountsEnabled": true,
        "authorizationServicesEnabled": true, "publicClient": false});
    story.post("/clients", authorized).await;
    let guard = id_below(story, "/clients?clientId=guard", "clientId", "guard").await;
    let at = format!("/clients/{guard}/authz/resource-server");
    story.post(&format!("{at}/scope"), json!({"name": "view", "displayName": "See it"})).await;
    story.post(&format!("{at}/scope"), json!({"name": "edit"})).await;
    let resource = json!({"name": "invoice", "type": "urn:invoice", "uris": ["/i/*", "/a/*"],
        "scopes": [{"name": "view"}, {"name": "edit"}], "attributes": {"k": ["v"]}});
    story.post(&format!("{at}/resource"), resource).await;
    let roles = json!([{"id": "reader", "required": true}, {"id": "app/read", "required": false}]);
    story.post(&format!("{at}/policy/role"), json!({"name": "readers", "roles": roles})).await;
    let group = json!({"name": "staff only", "groups": [{"path": "/staff", "extendChildren": true}]});
    story.post(&format!("{at}/policy/group"), group).await;
    let permission = json!({"name": "see invoices", "resources": ["invoice"], "scopes": ["view"],
        "policies": ["staff only", "readers"], "decisionStrategy": "AFFIRMATIVE"});
    story.post(&format!("{at}/permission/scope"), permission).await;

    let profile = json!({"profiles": [{"name": "strict", "description": "d",
        "executors": [{"executor": "pkce-enforcer", "configuration": {"auto-configure": true}}]}]});
    story.put("/client-policies/profiles", profile).await;
    let policy = json!({"policies": [{"name": "all", "enabled": true, "profiles": ["strict"],
        "conditions": [{"condition": "any-client", "configuration": {}}]}]});
    story.put("/client-policies/policies", policy).await;

    let realm = story.admin.get(&story.at("")).await["id"].clone();
    let ldap = json!({"name": "old directory", "providerId": "ldap", "parentId": realm,
        "providerType": "org.keycloak.storage.UserStorageProvider",
        "config": {"enabled": ["true"], "vendor": ["other"], "editMode": ["READ_ONLY"], "priority": ["5"],
            "connectionUrl": ["ldap://127.0.0.1:1"], "usersDn": ["ou=people,dc=example,dc=org"], "authType": ["simple"],
            "bindDn": ["cn=reader"], "bindCredential": ["ldap secret"], "usernameLDAPAttribute": ["uid"],
            "rdnLDAPAttribute": ["uid"], "uuidLDAPAttribute": ["entryUUID"], "userObjectClasses": ["inetOrgPerson"],
            "importEnabled": ["true"], "connectionTimeout": ["500"]}});
    story.post("/components", ldap).await;
    let ldap =
        id_below(story, "/components?type=org.keycloak.storage.UserStorageProvider", "name", "old directory").await;
    let mapper = json!({"name": "badge", "providerId": "user-attribute-ldap-mapper", "parentId": ldap,
        "providerType": "org.keycloak.storage.ldap.mappers.LDAPStorageMapper",
        "config": {"ldap.attribute": ["employeeNumber"], "user.model.attribute": ["badge"], "read.only": ["true"],
            "always.read.value.from.ldap": ["false"], "is.mandatory.in.ldap": ["false"]}});
    story.post("/components", mapper).await;

    let saml = json!({"alias": "partner", "displayName": "Partner", "providerId": "saml", "enabled": true,
        "config": {"entityId": "https://partner.example.org", "singleSignOnServiceUrl": "https://partner.example.org/sso",
            "nameIDPolicyFormat": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", "kc.org.domain": "partner.example.org"}});
    story.post("/identity-provider/instances", saml).await;
    let mapper = json!({"name": "to staff", "identityProviderAlias": "partner",
        "identityProviderMapper": "oidc-hardcoded-role-idp-mapper", "config": {"syncMode": "FORCE", "role": "reader"}});
    story.post("/identity-provider/instances/partner/mappers", mapper).await;
    let organization = json!({"name": "Partner & Co", "alias": "partner", "enabled": true, "description": "d",
        "redirectUrl": "https://partner.example.org/", "domains": [{"name": "partner.example.org", "verified": false}],
        "attributes": {"tier": ["silver", "gold"]}});
    story.post("/organizations", organization).await;
    let organization = id_below(story, "/organizations", "alias", "partner").await;
    story.post(&format!("/organizations/{organization}/identity-providers"), json!("partner")).await;
    story.post("/localization/en", json!({"greeting": "Hello, {0}", "späť": "✓"})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_few_realms_have_comes_back_where_it_was_taken_out() {
    let mut story = Story::seen("rare", 1).await;
    furnish(&story).await;
    story.look().await;
    let realm = story.below("realm");
    let ldap =
        id_below(&story, "/components?type=org.keycloak.storage.UserStorageProvider", "name", "old directory").await;
    story.remove(&format!("/components/{ldap}")).await;
    let guard = id_below(&story, "/clients?clientId=guard", "clientId", "guard").await;
    story.remove(&format!("/clients/{guard}")).await;
    story.put("/client-policies/policies", json!({"policies": []})).await;
    story.put("/client-policies/profiles", json!({"profiles": []})).await;
    let organization = id_below(&story, "/organizations", "alias", "partner").await;
    story.remove(&format!("/organizations/{organization}")).await;
    story.remove("/identity-provider/instances/partner").await;
    story.remove("/localization/en").await;
    let changes = story.plan(&realm, &[]).await;
    story.write_all(&changes).await;
    assert_eq!(story.differences(&realm).await, nothing());
    story.write_all(&changes).await;
    story.undo_leads_back(&changes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_few_realms_have_is_changed_back_hunk_by_hunk_and_undone() {
    let mut story = Story::seen("rarely", 1).await;
    furnish(&story).await;
    story.look().await;
    let realm = story.below("realm");
    let guard = id_below(&story, "/clients?clientId=guard", "clientId", "guard").await;
    let at = format!("/clients/{guard}/authz/resource-server");
    let policies = format!("{at}/policy?max=-1");
    let readers = id_below(&story, &policies, "name", "readers").await;
    story.remove(&format!("{at}/policy/{readers}")).await;
    let extra = json!({"name": "everybody", "roles": [{"id": "default-roles-rarely", "required": false}]});
    story.post(&format!("{at}/policy/role"), extra).await;
    let invoice = story.admin.get(&story.at(&format!("{at}/resource?max=-1&deep=true"))).await;
    let mut invoice = invoice.as_array().unwrap().iter().find(|one| one["name"] == "invoice").unwrap().clone();
    invoice["uris"] = json!(["/elsewhere/*"]);
    let id = invoice["_id"].as_str().unwrap().to_owned();
    story.put(&format!("{at}/resource/{id}"), invoice).await;
    let ldap = story.admin.get(&story.at("/components?type=org.keycloak.storage.UserStorageProvider")).await;
    let mut ldap = ldap[0].clone();
    ldap["config"]["usersDn"] = json!(["ou=nobody"]);
    ldap["config"]["connectionTimeout"] = json!(["900"]);
    story.put(&format!("/components/{}", ldap["id"].as_str().unwrap()), ldap.clone()).await;
    let mut policies = story.admin.get(&story.at("/client-policies/policies")).await;
    policies["policies"][0]["enabled"] = json!(false);
    story.put("/client-policies/policies", json!({"policies": policies["policies"]})).await;
    let organization = id_below(&story, "/organizations", "alias", "partner").await;
    story.remove(&format!("/organizations/{organization}/identity-providers/partner")).await;
    let mut shown = story.admin.get(&story.at(&format!("/organizations/{organization}"))).await;
    shown["description"] = json!("changed");
    shown["attributes"] = json!({"tier": ["lead"]});
    story.put(&format!("/organizations/{organization}"), shown).await;

    // One hunk of the directory is left out.
    let left_out = "config.connectionTimeout";
    let directory = "realm/components/UserStorageProvider/old directory";
    let mut changes = story
        .plan(&realm.iter().filter(|one| one.id.key.to_string() != directory).cloned().collect::<Vec<_>>(), &[])
        .await;
    changes.extend(story.plan(&[story.one(directory)], &[left_out]).await);
    let former: Vec<Resource> = changes.iter().map(|change| change.live.clone().unwrap()).collect();
    story.write_all(&changes).await;
    assert_eq!(
        story.differences(&realm).await,
        [
            "client realm/clients/guard: Delete authorizationSettings.policies[name=everybody]",
            &format!("component {directory}: Update {left_out}"),
        ]
    );
    story.write_all(&story.undo(&changes).await).await;
    assert_eq!(story.differences(&former).await, nothing());
}
