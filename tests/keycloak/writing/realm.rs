use std::time::Instant;

use rekindle::model::ErrorKind;

use super::*;
use crate::sample::people::username;

/// The realm itself below `realm`, with the ids that a realm made anew keeps.
#[tokio::test(flavor = "multi_thread")]
async fn a_realm_comes_back_to_an_empty_server_with_its_ids_and_its_people() {
    let story = Story::of("whole", 30).await;
    let identity = story.component.identity().await.unwrap();
    story.admin.remove_realm("whole").await;
    let realm = story.below("realm");
    let changes = story.plan(&realm, &[]).await;
    assert_eq!(changes.len(), realm.len());
    let started = Instant::now();
    let failed: Vec<String> =
        story.write(&changes).await.into_iter().filter_map(|done| Some(done.err()?.chain())).collect();
    println!("a realm of {} resources in {:?}", realm.len(), started.elapsed());
    assert_eq!(failed, nothing());
    assert_eq!(story.differences(&realm).await, nothing());
    assert_eq!(story.component.identity().await.unwrap().id, identity.id);
    let people = story.below("users");
    story.write_all(&story.plan(&people, &[]).await).await;
    assert_eq!(story.differences(&people).await, nothing());
    assert!(story.logs_in("ana").await);
    let now = story.now(&realm).await;
    for (was, now) in realm.iter().zip(now) {
        let id = |one: &Resource| one.document().unwrap().value.get("id").cloned();
        assert_eq!(id(was), now.as_ref().and_then(id), "{}", was.id);
    }
    assert_eq!(story.id_of(&username(7)).await, story.sample.id("user 7"));
    let app = story.admin.get(&story.at("/clients?clientId=app")).await;
    assert_eq!(app[0]["secret"], json!("app secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_out_of_a_living_realm_comes_back() {
    let story = Story::of("living", 3).await;
    let realm = story.below("realm");
    assert_eq!(story.differences(&realm).await, nothing());
    let people = story.below("users");
    for client in ["app", "https://saml.example.org/sp"] {
        let found = story.admin.get(&story.at(&format!("/clients?clientId={client}"))).await;
        story.remove(&format!("/clients/{}", found[0]["id"].as_str().unwrap())).await;
    }
    let roles = story.admin.get(&story.at("/roles")).await;
    for name in ["reader", "wri/ter", "chief"] {
        let role = roles.as_array().unwrap().iter().find(|role| role["name"] == name).unwrap();
        story.remove(&format!("/roles-by-id/{}", role["id"].as_str().unwrap())).await;
    }
    let groups = story.admin.get(&story.at("/groups?search=staff&exact=true")).await;
    story.remove(&format!("/groups/{}", groups[0]["id"].as_str().unwrap())).await;
    story.remove("/identity-provider/instances/corp").await;
    story.remove("/localization/de").await;
    let scopes = story.admin.get(&story.at("/client-scopes")).await;
    let badge = scopes.as_array().unwrap().iter().find(|scope| scope["name"] == "badge").unwrap();
    story.remove(&format!("/client-scopes/{}", badge["id"].as_str().unwrap())).await;
    let flows = story.admin.get(&story.at("/authentication/flows")).await;
    let ours = flows.as_array().unwrap().iter().find(|flow| flow["alias"] == "browser of ours").unwrap();
    story.remove(&format!("/authentication/flows/{}", ours["id"].as_str().unwrap())).await;
    let organizations = story.admin.get(&story.at("/organizations")).await;
    story.remove(&format!("/organizations/{}", organizations[0]["id"].as_str().unwrap())).await;

    let changes = story.plan(&realm, &[]).await;
    let gone = changes.iter().filter(|change| change.live.is_none()).count();
    assert!(gone > 12, "{gone}");
    let failed: Vec<String> =
        story.write(&changes).await.into_iter().filter_map(|done| Some(done.err()?.chain())).collect();
    assert_eq!(failed, nothing());
    assert_eq!(story.differences(&realm).await, nothing());
    let app = story.admin.get(&story.at("/clients?clientId=app")).await;
    assert_eq!((&app[0]["secret"], &app[0]["id"]), (&json!("app secret"), &json!(story.sample.id("app"))));
    // What people had of it went with it, and comes back too.
    story.write_all(&story.plan(&people, &[]).await).await;
    assert_eq!(story.differences(&people).await, nothing());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_in_a_living_realm_is_changed_back_and_undone() {
    let story = Story::of("changed", 1).await;
    let realm = story.below("realm");
    let mut shown = story.admin.get(&story.at("")).await;
    shown["accessTokenLifespan"] = json!(99);
    shown["displayName"] = json!("Other");
    shown["browserFlow"] = json!("browser of ours");
    shown["attributes"]["own.setting"] = json!("otherwise");
    shown["smtpServer"]["host"] = json!("other.example.org");
    story.put("", shown).await;
    let app = story.admin.get(&story.at("/clients?clientId=app")).await[0].clone();
    let at = format!("/clients/{}", app["id"].as_str().unwrap());
    let mut other = app.clone();
    other["redirectUris"] = json!(["https://elsewhere.example.org/*"]);
    other["attributes"]["own"] = json!("2");
    other["description"] = json!("changed");
    story.put(&at, other).await;
    let mapper = app["protocolMappers"][0].clone();
    story.remove(&format!("{at}/protocol-mappers/models/{}", mapper["id"].as_str().unwrap())).await;
    let scopes = story.admin.get(&story.at("/client-scopes")).await;
    let phone = scopes.as_array().unwrap().iter().find(|scope| scope["name"] == "email").unwrap().clone();
    story.remove(&format!("{at}/default-client-scopes/{}", phone["id"].as_str().unwrap())).await;
    let mut hub = story.admin.get(&story.at("/identity-provider/instances/corp")).await;
    hub["config"]["tokenUrl"] = json!("https://evil.example.org/token");
    story.put("/identity-provider/instances/corp", hub).await;
    let mappers = story.admin.get(&story.at("/identity-provider/instances/corp/mappers")).await;
    story.remove(&format!("/identity-provider/instances/corp/mappers/{}", mappers[0]["id"].as_str().unwrap())).await;
    let groups = story.admin.get(&story.at("/groups?search=staff&exact=true")).await;
    let staff = groups[0]["id"].as_str().unwrap();
    story.put(&format!("/groups/{staff}"), json!({"name": "staff", "attributes": {"cost": ["7"]}})).await;
    story.remove(&format!("/default-groups/{staff}")).await;
    let mut profile = story.admin.get(&story.at("/users/profile")).await;
    profile["attributes"].as_array_mut().unwrap().retain(|attribute| attribute["name"] != "badge");
    story.put("/users/profile", profile).await;
    let action = json!({"alias": "CONFIGURE_TOTP", "name": "x", "providerId": "CONFIGURE_TOTP", "enabled": false,
        "defaultAction": false, "priority": 10, "config": {}});
    story.put("/authentication/required-actions/CONFIGURE_TOTP", action).await;
    let executions = story.admin.get(&story.at("/authentication/flows/browser%20of%20ours/executions")).await;
    let mut cookie = executions[0].clone();
    cookie["requirement"] = json!("DISABLED");
    story.put("/authentication/flows/browser%20of%20ours/executions", cookie).await;
    let components = story.admin.get(&story.at("/components?type=org.keycloak.keys.KeyProvider")).await;
    let mut keys = components[0].clone();
    keys["config"]["priority"] = json!(["7"]);
    story.put(&format!("/components/{}", keys["id"].as_str().unwrap()), keys.clone()).await;

    let changes = story.plan(&realm, &[]).await;
    let former: Vec<Resource> = changes.iter().map(|change| change.live.clone().unwrap()).collect();
    assert!(changes.len() >= 9, "{:?}", changes.iter().map(|one| one.change.id.to_string()).collect::<Vec<_>>());
    story.write_all(&changes).await;
    // Merge leaves what only the live side has.
    let left = "client realm/clients/app: Delete description, Delete redirectUris[https://elsewhere.example.org/*]";
    assert_eq!(story.differences(&realm).await, [left]);
    let app = story.admin.get(&story.at("/clients?clientId=app")).await;
    assert_eq!(app[0]["secret"], json!("app secret"), "a secret that nobody wrote stays");
    story.write_all(&changes).await;

    story.write_all(&story.undo(&changes).await).await;
    assert_eq!(story.differences(&former).await, nothing());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_refers_to_something_missing_is_refused_by_name_and_makes_nothing() {
    let story = Story::of("missing", 1).await;
    let roles = story.admin.get(&story.at("/roles")).await;
    for name in ["reader", "chief"] {
        let role = roles.as_array().unwrap().iter().find(|role| role["name"] == name).unwrap();
        story.remove(&format!("/roles-by-id/{}", role["id"].as_str().unwrap())).await;
    }
    let chief = story.one("realm/roles/realm/chief");
    let changes = story.plan(&[chief, story.one("users/ana")], &[]).await;
    let answers = story.write(&changes).await;
    for answer in answers {
        let error = answer.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.chain().contains("the realm role reader"), "{}", error.chain());
    }
    let names = story.admin.get(&story.at("/roles")).await;
    let names: Vec<&str> = names.as_array().unwrap().iter().filter_map(|role| role["name"].as_str()).collect();
    assert!(!names.contains(&"reader") && !names.contains(&"chief"), "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn undo_takes_away_what_was_made() {
    let story = Story::of("unmade", 0).await;
    let groups = story.admin.get(&story.at("/groups?search=staff&exact=true")).await;
    story.remove(&format!("/groups/{}", groups[0]["id"].as_str().unwrap())).await;
    let changes = story.plan(&story.below("realm/groups/staff"), &[]).await;
    assert_eq!(changes.len(), 4);
    story.write_all(&changes).await;
    assert_eq!(story.differences(&story.below("realm/groups/staff")).await, nothing());
    story.write_all(&story.undo(&changes).await).await;
    let left = story.now(&story.below("realm/groups/staff")).await;
    assert!(left.iter().all(Option::is_none));
}
