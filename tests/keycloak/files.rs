//! Realm files that a person, the admin console or an older server wrote.

use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use crate::keycloak::{Admin, server};
use crate::runbooks::{Rekindle, said};

/// A realm on the server, its file as the admin console writes it, and a folder for it.
pub struct File {
    pub name: &'static str,
    pub admin: Admin,
    pub realm: Value,
    folder: tempfile::TempDir,
    pub rekindle: Rekindle,
}

impl File {
    /// Of a realm that `furnish` has furnished.
    pub async fn of(name: &'static str, realm: Value) -> Self {
        let admin = Admin::new(server());
        let mut representation = realm;
        representation["realm"] = json!(name);
        representation["enabled"] = json!(true);
        admin.remove_realm(name).await;
        admin.make_realm(&representation).await;
        let path = format!("/{name}/partial-export?exportClients=true&exportGroupsAndRoles=true");
        let realm = admin.call(Method::POST, &path, None).await.1;
        Self { name, admin, realm, folder: tempfile::tempdir().unwrap(), rekindle: Rekindle::new() }
    }

    pub fn client(&mut self, client_id: &str) -> &mut Value {
        let clients = self.realm["clients"].as_array_mut().unwrap();
        clients.iter_mut().find(|client| client["clientId"] == client_id).unwrap()
    }

    fn write(&self, file: &str, value: &Value) {
        std::fs::write(self.folder.path().join(file), value.to_string()).unwrap();
    }

    pub fn write_realm(&self) {
        self.write(&format!("{}-realm.json", self.name), &self.realm);
    }

    pub fn write_people(&self, people: &Value) {
        self.write(&format!("{}-users-0.json", self.name), &json!({"realm": self.name, "users": people}));
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn call(&self, verb: &str, more: &[&str]) -> (Option<i32>, String) {
        let output = self.rekindle.on(verb, "keycloak-realm.yaml", self.name, self.folder(), more);
        (output.status.code(), said(&output))
    }

    /// The same by the same runbook in `mode: exact`.
    pub fn exactly(&self, verb: &str, more: &[&str]) -> (Option<i32>, String) {
        let shipped = include_str!("../../runbooks/keycloak-realm.yaml");
        let exact = shipped.replace("below: realm\n", "below: realm\n    mode: exact\n");
        assert_ne!(exact, shipped);
        self.by(&exact, verb, more)
    }

    fn by(&self, text: &str, verb: &str, more: &[&str]) -> (Option<i32>, String) {
        let runbook = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
        std::fs::write(runbook.path(), text).unwrap();
        let url = format!("url={}", server().url());
        let (realm, export) = (format!("realm={}", self.name), format!("export={}", self.folder().display()));
        let words = [verb, runbook.path().to_str().unwrap(), "--input", &url, "--input", &realm, "--input", &export];
        let output = self.rekindle.call(&[&words, more].concat());
        (output.status.code(), said(&output))
    }

    /// The same for its people.
    pub fn exactly_people(&self, verb: &str, more: &[&str]) -> (Option<i32>, String) {
        let shipped = include_str!("../../runbooks/keycloak-realm.yaml");
        let exact = shipped.replace("below: users/${user}\n", "below: users/${user}\n    mode: exact\n");
        assert_ne!(exact, shipped);
        self.by(&exact, verb, more)
    }

    /// Its file in another encoding.
    pub fn write_bytes(&self, bytes: &[u8]) {
        std::fs::write(self.folder.path().join(format!("{}-realm.json", self.name)), bytes).unwrap();
    }

    /// Restores it, after which nothing is left to do and the run verifies.
    pub fn restore(&self) -> String {
        let (code, told) = self.call("run", &["--plain", "--yes"]);
        assert_eq!(code, Some(0), "{told}");
        let (code, left) = self.call("plan", &[]);
        assert_eq!(code, Some(0), "{left}");
        let verified = self.rekindle.call(&["verify"]);
        assert_eq!(verified.status.code(), Some(0), "{}", said(&verified));
        told
    }

    pub async fn undo(&self) -> String {
        let undo = self.rekindle.call(&["undo", "--yes", "--yes-deletes", "--yes-irreversible"]);
        let told = said(&undo);
        assert_eq!(undo.status.code(), Some(0), "{told}");
        told
    }

    /// Changes what the server shows of something.
    pub async fn change(&self, at: &str, change: impl FnOnce(&mut Value)) {
        let mut shown = self.admin.get(at).await;
        change(&mut shown);
        self.admin.done(Method::PUT, at, shown).await;
    }

    /// Where a client of that name is.
    pub async fn place_of(&self, client_id: &str) -> String {
        format!("/{}/clients/{}", self.name, self.client_now(client_id).await["id"].as_str().unwrap())
    }

    /// Ids are unique over all realms of a server.
    fn id_of_ana(&self) -> String {
        let sum: u32 = self.name.bytes().map(u32::from).sum();
        format!("0c2b5a5e-7d0e-4a7e-9f5b-{sum:012x}")
    }

    pub fn ana(&self) -> Value {
        json!([{"id": self.id_of_ana(), "username": "ana", "enabled": true, "realmRoles": [self.realm["defaultRole"]["name"]]}])
    }

    pub async fn client_now(&self, client_id: &str) -> Value {
        self.admin.get(&format!("/{}/clients?clientId={client_id}", self.name)).await[0].clone()
    }

    /// Of a realm that is on no server yet, as a person writes its file.
    pub async fn written(name: &'static str, mut realm: Value) -> Self {
        let admin = Admin::new(server());
        admin.remove_realm(name).await;
        realm["realm"] = json!(name);
        realm["enabled"] = json!(true);
        let file = Self { name, admin, realm, folder: tempfile::tempdir().unwrap(), rekindle: Rekindle::new() };
        file.write_realm();
        file
    }

    pub async fn is_there(&self) -> bool {
        self.admin.call(Method::GET, &format!("/{}", self.name), None).await.0 == 200
    }
}

fn has_account() -> Value {
    json!({"clients": [{"clientId": "app", "secret": "s", "publicClient": false, "serviceAccountsEnabled": true}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_realm_without_people_is_restored_and_its_plan_says_so() {
    let file = File::of("nobody-there", json!({})).await;
    file.write_realm();
    file.admin.remove_realm(file.name).await;
    let told = file.restore();
    assert!(told.contains("people, of whom the export holds none"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn service_accounts_in_the_realm_file_and_people_beside_it_are_one_backup() {
    let mut file = File::of("two-files", has_account()).await;
    file.client("app")["secret"] = json!("s");
    assert_eq!(file.realm["users"][0]["username"], "service-account-app");
    file.write_realm();
    file.admin.remove_realm(file.name).await;
    file.restore();
    file.admin.remove_realm(file.name).await;
    let mut people = file.ana();
    // In the users files of an export the account is there once more.
    people.as_array_mut().unwrap().push(file.realm["users"][0].clone());
    file.write_people(&people);
    file.restore();
    assert_eq!(file.admin.id_of(file.name, "ana").await, file.id_of_ana());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_that_became_optional_is_a_default_one_again_and_undo_leads_back() {
    let mut file = File::of("moved-scope", has_account()).await;
    file.client("app")["secret"] = json!("s");
    file.write_realm();
    let scopes = file.admin.get("/moved-scope/client-scopes").await;
    let email = scopes.as_array().unwrap().iter().find(|scope| scope["name"] == "email").unwrap()["id"].clone();
    let email = email.as_str().unwrap();
    let app = file.client_now("app").await["id"].as_str().unwrap().to_owned();
    for (from, to) in [
        ("default-default-client-scopes".to_owned(), "default-optional-client-scopes".to_owned()),
        (format!("clients/{app}/default-client-scopes"), format!("clients/{app}/optional-client-scopes")),
    ] {
        file.admin.done(Method::DELETE, &format!("/moved-scope/{from}/{email}"), Value::Null).await;
        file.admin.done(Method::PUT, &format!("/moved-scope/{to}/{email}"), Value::Null).await;
    }
    let optional = async || {
        let of_client = file.client_now("app").await["optionalClientScopes"].to_string().contains("\"email\"");
        let of_realm = file.admin.get("/moved-scope/default-optional-client-scopes").await;
        (of_client, of_realm.to_string().contains("\"email\""))
    };
    assert_eq!(optional().await, (true, true));
    file.restore();
    assert_eq!(optional().await, (false, false));
    file.undo().await;
    assert_eq!(optional().await, (true, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_passes_over_or_lacks_a_plugin_for_is_named_and_the_rest_goes_on() {
    let spa = json!({"clients": [{"clientId": "spa", "publicClient": true}]});
    let mut file = File::of("passed-over", spa).await;
    let spa = file.client("spa");
    spa["secret"] = json!("of no use");
    spa["defaultClientScopes"].as_array_mut().unwrap().push(json!("role_list"));
    let mapper = |name: &str, provider: &str| {
        json!({"name": name, "protocol": "openid-connect", "protocolMapper": provider, "consentRequired": true,
            "consentText": "x", "config": {"user.attribute": "email", "claim.name": "e"}})
    };
    spa["protocolMappers"] = json!([mapper("mail", "oidc-usermodel-attribute-mapper"), mapper("badge", "corp-badge")]);
    file.realm["components"]["org.keycloak.storage.UserStorageProvider"] =
        json!([{"name": "corp", "providerId": "corp-store", "config": {"a": ["b"]}}]);
    file.write_realm();
    file.write_people(&file.ana());
    for is_there in [true, false] {
        if !is_there {
            file.admin.remove_realm(file.name).await;
        }
        let told = file.restore();
        for named in ["the secret", "role_list", "corp-badge", "corp-store", "consent texts"] {
            assert!(told.contains(named), "{named}, {is_there}: {told}");
        }
        assert_eq!(file.admin.id_of(file.name, "ana").await, file.id_of_ana());
        assert_eq!(file.client_now("spa").await["protocolMappers"][0]["name"], "mail");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_come_back_into_the_policies_that_name_them_and_to_what_they_own() {
    let app = json!({
        "users": [{"username": "ana"}, {"username": "bob"}],
        "clients": [{"clientId": "app", "secret": "s", "publicClient": false, "serviceAccountsEnabled": true,
            "authorizationServicesEnabled": true, "authorizationSettings": {
                "resources": [{"name": "album", "uris": ["/album"], "owner": {"name": "ana"}, "ownerManagedAccess": true}],
                "policies": [{"name": "both/them", "type": "user", "config": {"users": "[\"ana\",\"bob\"]"}}]}}]});
    let mut file = File::of("named-people", app).await;
    file.client("app")["secret"] = json!("s");
    file.write_realm();
    let mut people = file.ana();
    people
        .as_array_mut()
        .unwrap()
        .push(json!({"id": "0c2b5a5e-7d0e-4a7e-9f5b-00000000b0b0", "username": "bob", "enabled": true}));
    file.write_people(&people);
    file.admin.remove_realm(file.name).await;
    let settings = async || {
        let id = file.client_now("app").await["id"].as_str().unwrap().to_owned();
        let path = format!("/named-people/clients/{id}/authz/resource-server/settings");
        let settings = file.admin.get(&path).await;
        let named = |list: &str, name: &str| {
            let list = settings[list].as_array().unwrap();
            list.iter().find(|one| one["name"] == name).cloned().unwrap_or_default()
        };
        let mut users: Vec<String> =
            serde_json::from_str(named("policies", "both/them")["config"]["users"].as_str().unwrap()).unwrap();
        users.sort();
        (users, named("resources", "album")["owner"]["name"].clone())
    };
    let (code, plan) = file.call("plan", &[]);
    assert_eq!(code, Some(2), "{plan}");
    assert!(plan.contains("authorizationPolicies[app/both%2Fthem]"), "{plan}");
    file.restore();
    assert_eq!(settings().await, (vec!["ana".to_owned(), "bob".to_owned()], json!("ana")));
    // One of them is lost alone.
    let ana = file.admin.id_of(file.name, "ana").await;
    file.admin.call(Method::DELETE, &format!("/named-people/users/{ana}"), None).await;
    assert_eq!(settings().await, (vec!["bob".to_owned()], Value::Null));
    file.restore();
    assert_eq!(settings().await, (vec!["ana".to_owned(), "bob".to_owned()], json!("ana")));
    file.undo().await;
    assert_eq!(settings().await, (vec!["bob".to_owned()], Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_default_group_of_a_path_that_two_groups_share_is_told_by_its_id() {
    let groups =
        json!({"groups": [{"name": "staff", "subGroups": [{"name": "night"}]}], "defaultGroups": ["/staff/night"]});
    let file = File::of("shared-path", groups).await;
    file.write_realm();
    file.write_people(&file.ana());
    file.admin.done(Method::POST, "/shared-path/groups", json!({"name": "staff/night"})).await;
    let (_, plan) = file.call("plan", &[]);
    assert!(!plan.contains("defaultGroups"), "{plan}");
    file.restore();
}
