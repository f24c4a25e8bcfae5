//! A realm of which the server refuses a part: all else comes back, and nobody waits for that part.

use reqwest::Method;
use serde_json::{Value, json};

use crate::files::File;
use crate::keycloak::{Admin, server};
use crate::runbooks::said;

/// A realm with an app, its file, and two people of whom one has a role of the app. The realm itself is gone.
async fn lost(name: &'static str, touch: impl FnOnce(&mut File)) -> File {
    let roles = json!({"client": {"app": [{"name": "editor"}]}, "realm": [{"name": "reader"}]});
    let clients = json!([{"clientId": "app", "secret": "s", "publicClient": false}]);
    let mut file = File::of(name, json!({"clients": clients, "roles": roles, "displayName": "Staff"})).await;
    file.client("app")["secret"] = json!("s");
    touch(&mut file);
    file.write_realm();
    let mut people = file.ana();
    let mut bob = people[0].clone();
    people[0]["clientRoles"] = json!({"app": ["editor"]});
    bob["id"] = json!(people[0]["id"].as_str().unwrap().replace("0c2b5a5e", "0c2b5a5f"));
    bob["username"] = json!("bob");
    people.as_array_mut().unwrap().push(bob);
    file.write_people(&people);
    file.admin.remove_realm(name).await;
    file
}

impl File {
    fn run_that_fails_in_part(&self) -> String {
        let (code, told) = self.call("run", &["--plain", "--yes"]);
        assert_eq!(code, Some(1), "{told}");
        assert!(told.contains("what needs this task goes on"), "{told}");
        assert!(!told.contains("UNKNOWN"), "{told}");
        told
    }

    async fn realm_now(&self) -> Value {
        self.admin.get(&format!("/{}", self.name)).await
    }

    async fn has(&self, username: &str) -> bool {
        let found = self.admin.get(&format!("/{}/users?username={username}&exact=true", self.name)).await;
        found.as_array().unwrap().len() == 1
    }

    fn verify(&self) {
        let verified = self.rekindle.call(&["verify"]);
        assert_eq!(verified.status.code(), Some(0), "{}", said(&verified));
    }

    async fn is_gone(&self) -> bool {
        self.admin.call(Method::GET, &format!("/{}", self.name), None).await.0 == 404
    }

    /// The file is mended, and what failed is tried once more.
    fn resume(&self) -> String {
        let resumed = self.rekindle.call(&["resume", "--plain", "--yes"]);
        assert_eq!(resumed.status.code(), Some(0), "{}", said(&resumed));
        self.verify();
        said(&resumed)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_setting_that_guards_logins_keeps_the_new_realm_closed_and_holds_nobody_up() {
    let mut file = lost("refused-policy", |file| file.realm["passwordPolicy"] = json!("noSuchPolicy(3)")).await;
    let told = file.run_that_fails_in_part();
    assert!(told.contains("passwordPolicy: ") && told.contains("Password policy not found"), "{told}");
    assert!(told.contains("the realm stays closed"), "{told}");
    let realm = file.realm_now().await;
    assert_eq!((&realm["enabled"], &realm["displayName"]), (&json!(false), &json!("Staff")));
    assert_eq!(realm["id"], file.realm["id"], "it has the ids of the file");
    assert!(file.has("ana").await && file.has("bob").await);
    assert_eq!(file.client_now("app").await["id"], file.client("app")["id"]);

    file.realm["passwordPolicy"] = json!("length(8)");
    file.write_realm();
    file.resume();
    let realm = file.realm_now().await;
    assert_eq!((&realm["enabled"], &realm["passwordPolicy"]), (&json!(true), &json!("length(8)")));
    file.undo().await;
    assert!(file.is_gone().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_setting_that_lets_nobody_in_costs_itself_alone() {
    let long = "k".repeat(300);
    let touch = |file: &mut File| {
        file.realm["smtpServer"] = json!({"host": "mail", "from": "a@example.org", (long.clone()): "x"});
        file.realm["registrationAllowed"] = json!(true);
    };
    let file = lost("refused-mail", touch).await;
    let told = file.run_that_fails_in_part();
    assert!(told.contains("smtpServer.kkk"), "{told}");
    let realm = file.realm_now().await;
    assert_eq!((&realm["enabled"], &realm["registrationAllowed"]), (&json!(true), &json!(true)));
    assert_eq!(realm["smtpServer"]["host"], "mail");
    assert!(file.has("ana").await && file.has("bob").await);
    // What was made in part goes as a whole.
    file.undo().await;
    assert!(file.is_gone().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_a_role_of_a_refused_client_waits_for_it_and_nobody_else() {
    let touch = |file: &mut File| file.client("app")["redirectUris"] = json!(["https://app.example.org/#top"]);
    let mut file = lost("refused-client", touch).await;
    let told = file.run_that_fails_in_part();
    assert!(told.contains("realm/clients/app") && told.contains("URI fragment"), "{told}");
    assert!(told.contains("cannot refer to the client app"), "{told}");
    assert_eq!(file.realm_now().await["enabled"], json!(true), "a client that is not there lets nobody in");
    assert!(!file.has("ana").await && file.has("bob").await);

    file.client("app")["redirectUris"] = json!(["https://app.example.org/top"]);
    file.write_realm();
    file.resume();
    assert!(file.has("ana").await);
    let app = file.client_now("app").await;
    assert_eq!(app["id"], file.client("app")["id"], "it has its id");
    file.undo().await;
    assert!(file.is_gone().await);
}

/// In a realm that is there, what is refused is as it was, and what refers to it is refused with it.
#[tokio::test(flavor = "multi_thread")]
async fn in_a_living_realm_a_flow_of_a_missing_plugin_and_its_binding_fail_alone() {
    let touch = |file: &mut File| {
        let execution = json!({"authenticator": "corp-badge-reader", "requirement": "REQUIRED", "priority": 10,
            "authenticatorFlow": false, "userSetupAllowed": false});
        let flow = json!({"alias": "corp", "providerId": "basic-flow", "topLevel": true, "builtIn": false,
            "authenticationExecutions": [execution]});
        file.realm["authenticationFlows"].as_array_mut().unwrap().push(flow);
        file.realm["browserFlow"] = json!("corp");
        file.realm["identityProviders"] = json!([{"alias": "other", "providerId": "oidc", "enabled": true,
            "config": {"authorizationUrl": "no address", "tokenUrl": "https://id.example.org", "clientId": "x"}}]);
        file.realm["displayName"] = json!("Everybody");
        file.realm["defaultGroups"] = json!(["/all"]);
        file.realm["groups"] = json!([{"name": "all"}]);
    };
    let file = lost("refused-flow", touch).await;
    let admin = Admin::new(server());
    admin.make_realm(&json!({"realm": file.name, "enabled": true, "displayName": "Nobody"})).await;
    let (code, told) = file.call("run", &["--plain", "--yes", "--input", "realm=refused-flow"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("realm/flows/corp") && told.contains("no provider corp-badge-reader"), "{told}");
    assert!(told.contains("browserFlow: "), "{told}");
    let flows = file.admin.get(&format!("/{}/authentication/flows", file.name)).await;
    assert!(flows.as_array().unwrap().iter().all(|flow| flow["alias"] != "corp"), "no flow that lacks an execution");
    assert!(told.contains("realm/identity-providers/other"), "{told}");
    let realm = file.realm_now().await;
    assert_eq!((&realm["browserFlow"], &realm["displayName"]), (&json!("browser"), &json!("Everybody")));
    let defaults = file.admin.get(&format!("/{}/default-groups", file.name)).await;
    assert_eq!(defaults[0]["path"], "/all", "what has nothing to do with the flow is written");
    assert!(file.has("ana").await && file.has("bob").await);
    file.undo().await;
    let realm = file.realm_now().await;
    assert_eq!((&realm["browserFlow"], &realm["displayName"]), (&json!("browser"), &json!("Nobody")));
    assert!(!file.has("ana").await);
    file.admin.remove_realm(file.name).await;
}
