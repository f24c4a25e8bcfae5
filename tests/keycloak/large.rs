//! Realms of many clients and groups.

use std::time::Instant;

use reqwest::Method;
use serde_json::{Value, json};

use crate::faults::nothing_is_left;
use crate::keycloak::{Admin, server};
use crate::runbooks::{Rekindle, said};

/// With 1,000 and 2,020 it takes minutes, most of them the server's for making the realm.
const CLIENTS: usize = 100;
const GROUPS: usize = 202;

/// Groups of a hundred below each of some, clients with roles and service accounts.
fn representation(name: &str, clients: usize, groups: usize) -> Value {
    let below = |at: usize| -> Vec<Value> {
        (0..100)
            .map(|one| json!({"name": format!("team-{one:03}"), "attributes": {"at": [format!("{at}-{one}")]}}))
            .collect()
    };
    let groups: Vec<Value> = (0..groups / 101)
        .map(|at| json!({"name": format!("site-{at:02}"), "realmRoles": ["reader"], "subGroups": below(at)}))
        .collect();
    let client = |at: usize| {
        json!({"clientId": format!("app-{at:04}"), "secret": format!("secret {at}"), "enabled": true,
            "redirectUris": [format!("https://app-{at}.example.org/*")], "serviceAccountsEnabled": at.is_multiple_of(20),
            "protocolMappers": [{"name": "department", "protocol": "openid-connect",
                "protocolMapper": "oidc-usermodel-attribute-mapper", "config": {"user.attribute": "department",
                    "claim.name": "dept", "jsonType.label": "String", "access.token.claim": "true"}}]})
    };
    let roles = |at: usize| json!([{"name": "use", "description": format!("of {at}")}, {"name": "manage"}]);
    let of_clients: serde_json::Map<String, Value> =
        (0..clients).step_by(10).map(|at| (format!("app-{at:04}"), roles(at))).collect();
    json!({"realm": name, "enabled": true, "groups": groups, "clients": (0..clients).map(client).collect::<Vec<_>>(),
        "roles": {"realm": [{"name": "reader"}], "client": of_clients},
        "users": [{"username": "ana", "enabled": true, "groups": ["/site-00/team-007"]}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_realm_of_many_clients_and_groups_comes_back_to_an_empty_server_and_in_parts_to_a_living_one() {
    let admin = Admin::new(server());
    admin.make_realm(&representation("large", CLIENTS, GROUPS)).await;
    let export = server().export("large", "50");
    admin.remove_realm("large").await;
    let restored = |what: &str| {
        let rekindle = Rekindle::new();
        let began = Instant::now();
        let run = rekindle.on("run", "keycloak-realm.yaml", "large", export.path(), &["--plain", "--yes"]);
        assert_eq!(run.status.code(), Some(0), "{what}: {}", said(&run));
        println!("{what}: restored in {:?}", began.elapsed());
        let began = Instant::now();
        let plan = rekindle.on("plan", "keycloak-realm.yaml", "large", export.path(), &[]);
        nothing_is_left(&plan, what);
        println!("{what}: planned in {:?}", began.elapsed());
    };
    restored("the whole realm");
    let groups = admin.get("/large/groups?max=1000").await;
    for group in groups.as_array().unwrap() {
        let path = format!("/large/groups/{}", group["id"].as_str().unwrap());
        assert_eq!(admin.call(Method::DELETE, &path, None).await.0, 204);
    }
    let there = admin.get("/large/clients?max=10000").await;
    let ours = |one: &&Value| one["clientId"].as_str().unwrap().starts_with("app-");
    for client in there.as_array().unwrap().iter().filter(ours) {
        let path = format!("/large/clients/{}", client["id"].as_str().unwrap());
        assert_eq!(admin.call(Method::DELETE, &path, None).await.0, 204);
    }
    restored("all clients and groups of it");
}
