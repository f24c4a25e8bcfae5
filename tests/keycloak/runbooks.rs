use std::path::Path;
use std::process::{Command, Output};

use reqwest::Method;
use serde_json::json;

use crate::faults::nothing_is_left;
use crate::keycloak::{Admin, server};
use crate::reading::made;

/// The shipped program, with a state folder of its own.
pub struct Rekindle {
    state: tempfile::TempDir,
}

impl Rekindle {
    pub fn new() -> Self {
        Self { state: tempfile::tempdir().unwrap() }
    }

    pub fn call(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rekindle"));
        command
            .args(words)
            .env("KEYCLOAK_PASSWORD", "admin")
            .env("KEYCLOAK_OLD_PASSWORD", "admin")
            .env("KEYCLOAK_SECRET", "rekindle-secret")
            .env("REKINDLE_STATE", self.state.path());
        command
    }

    /// Whether a file of its runs holds that text.
    pub fn holds(&self, text: &str) -> bool {
        let mut open = vec![self.state.path().to_owned()];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
                let path = entry.path();
                match entry.file_type().unwrap() {
                    kind if kind.is_dir() => open.push(path),
                    kind if kind.is_file() => {
                        let bytes = std::fs::read(path).unwrap();
                        if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
                            return true;
                        }
                    }
                    _ => {}
                }
            }
        }
        false
    }

    /// A verb on a shipped runbook.
    pub fn on(&self, verb: &str, runbook: &str, realm: &str, export: &Path, more: &[&str]) -> Output {
        let runbook = format!("{}/runbooks/{runbook}", env!("CARGO_MANIFEST_DIR"));
        let (url, realm) = (format!("url={}", server().url()), format!("realm={realm}"));
        let export = format!("export={}", export.display());
        let words = [verb, &runbook, "--input", &url, "--input", &realm, "--input", &export];
        self.call(&words.into_iter().chain(more.iter().copied()).collect::<Vec<_>>())
    }
}

fn plan(runbook: &str, realm: &str, export: &Path, more: &[&str]) -> Output {
    Rekindle::new().on("plan", runbook, realm, export, more)
}

pub fn said(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A client of the realm whose service account may do all in it.
pub async fn with_login(admin: &Admin, realm: &str) {
    let client = json!({"clientId": "rekindle", "secret": "rekindle-secret", "serviceAccountsEnabled": true, "publicClient": false});
    admin.done(Method::POST, &format!("/{realm}/clients"), client).await;
    let id = |found: serde_json::Value| found[0]["id"].as_str().unwrap().to_owned();
    let client = id(admin.get(&format!("/{realm}/clients?clientId=rekindle")).await);
    let management = id(admin.get(&format!("/{realm}/clients?clientId=realm-management")).await);
    let account = admin.get(&format!("/{realm}/clients/{client}/service-account-user")).await;
    let role = admin.get(&format!("/{realm}/clients/{management}/roles/realm-admin")).await;
    let path = format!("/{realm}/users/{}/role-mappings/clients/{management}", account["id"].as_str().unwrap());
    admin.done(Method::POST, &path, json!([role])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_realm_has_nothing_to_restore_from_its_own_export_and_then_what_was_lost() {
    let (admin, _) = made("planned", 30).await;
    with_login(&admin, "planned").await;
    let export = server().export("planned", "10");
    for runbook in ["keycloak-realm.yaml", "keycloak-user.yaml"] {
        let output = plan(runbook, "planned", export.path(), &[]);
        assert_eq!(output.status.code(), Some(0), "{runbook}: {}", said(&output));
    }
    let ana = admin.id_of("planned", "ana").await;
    let dev = admin.get("/planned/roles/dev").await;
    admin.done(Method::DELETE, &format!("/planned/users/{ana}/role-mappings/realm"), json!([dev])).await;
    let gone = admin.id_of("planned", "user00003").await;
    let (status, _) = admin.call(Method::DELETE, &format!("/planned/users/{gone}"), None).await;
    assert_eq!(status, 204);
    let output = plan("keycloak-user.yaml", "planned", export.path(), &["--user", "ana,user00003,user00004"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    let text = said(&output);
    assert!(text.contains("realmRoles[dev]"), "{text}");
    assert!(text.contains("users/user00003"), "{text}");
    assert!(!text.contains("users/user00004"), "{text}");
    assert!(!text.contains("salt"), "a hash is shown: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_name_with_another_id_is_a_conflict_with_its_choices() {
    let (admin, _) = made("impostor", 0).await;
    with_login(&admin, "impostor").await;
    let export = server().export("impostor", "10");
    let ana = admin.id_of("impostor", "ana").await;
    admin.call(Method::DELETE, &format!("/impostor/users/{ana}"), None).await;
    admin.done(Method::POST, "/impostor/users", json!({"username": "ana", "enabled": true})).await;
    let output = plan("keycloak-user.yaml", "impostor", export.path(), &["--user", "ana"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("same name, different id"), "{}", said(&output));
    assert!(said(&output).contains("ids: accept"), "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_realm_comes_back_with_its_people_their_ids_and_their_passwords() {
    let (admin, _) = made("lost", 25).await;
    let export = server().export("lost", "10");
    let (ana, seventh) = (admin.id_of("lost", "ana").await, admin.id_of("lost", "user00007").await);
    admin.remove_realm("lost").await;
    let rekindle = Rekindle::new();
    let run = rekindle.on("run", "keycloak-realm.yaml", "lost", export.path(), &["--plain", "--yes"]);
    assert_eq!(run.status.code(), Some(0), "{}", said(&run));
    let plan = rekindle.on("plan", "keycloak-realm.yaml", "lost", export.path(), &[]);
    nothing_is_left(&plan, "after the restore");
    assert_eq!((admin.id_of("lost", "ana").await, admin.id_of("lost", "user00007").await), (ana, seventh));
    assert!(admin.logs_in("lost", "user00007", "secret").await);
    // Nobody was at it since, and none of their passwords is said to be another.
    let undo = rekindle.call(&["undo", "--yes"]);
    assert_eq!(undo.status.code(), Some(2), "{}", said(&undo));
    assert!(!said(&undo).contains("changed since"), "{}", said(&undo));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_address_or_realm_is_an_error_and_no_lost_realm() {
    let (admin, _) = made("addressed", 1).await;
    with_login(&admin, "addressed").await;
    let export = server().export("addressed", "10");
    let url = |path: &str| format!("url={}{path}", server().url());
    let planned = |runbook: &str, url: &str, realm: &str| {
        let runbook = format!("{}/runbooks/{runbook}", env!("CARGO_MANIFEST_DIR"));
        let (realm, export) = (format!("realm={realm}"), format!("export={}", export.path().display()));
        Rekindle::new().call(&["plan", &runbook, "--input", url, "--input", &realm, "--input", &export])
    };
    for (runbook, path, realm) in [
        ("keycloak-realm.yaml", "/auth", "addressed"),
        ("keycloak-user.yaml", "/auth", "addressed"),
        ("keycloak-user.yaml", "", "misspelt"),
    ] {
        let output = planned(runbook, &url(path), realm);
        assert_eq!(output.status.code(), Some(1), "{runbook} {path}: {}", said(&output));
        assert!(said(&output).contains("cannot log in"), "{runbook} {path}: {}", said(&output));
    }
    let runbook = format!("{}/runbooks/keycloak-migrate.yaml", env!("CARGO_MANIFEST_DIR"));
    let [from, to] = ["from", "to"].map(|name| format!("{name}={}", server().url()));
    let words = ["plan", &*runbook, "--input", &from, "--input", &to, "--input", "realm=misspelt"];
    let output = Rekindle::new().call(&words);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("there is no such realm at"), "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_role_and_a_changed_attribute_come_back_and_undo_gives_back_what_was() {
    let (admin, _) = made("living", 2).await;
    with_login(&admin, "living").await;
    let export = server().export("living", "10");
    let ana = admin.id_of("living", "ana").await;
    let roles = format!("/living/users/{ana}/role-mappings/realm");
    let dev = admin.get("/living/roles/dev").await;
    admin.done(Method::DELETE, &roles, json!([dev])).await;
    let mut now = admin.get(&format!("/living/users/{ana}")).await;
    now["attributes"]["dept"] = json!(["elsewhere"]);
    admin.done(Method::PUT, &format!("/living/users/{ana}"), now).await;
    let seen = async || {
        let user = admin.get(&format!("/living/users/{ana}")).await;
        let roles = admin.get(&roles).await;
        let mut names: Vec<String> =
            roles.as_array().unwrap().iter().map(|role| role["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        (user["attributes"]["dept"].clone(), names)
    };
    let broken = seen().await;
    let rekindle = Rekindle::new();
    let run = rekindle.on("run", "keycloak-user.yaml", "living", export.path(), &["--plain", "--yes", "--user", "ana"]);
    assert_eq!(run.status.code(), Some(0), "{}", said(&run));
    let (mut dept, roles) = seen().await;
    dept.as_array_mut().unwrap().sort_by_key(|one| one.to_string());
    assert_eq!((dept, roles), (json!(["hr", "it"]), vec!["default-roles-living".to_owned(), "dev".to_owned()]));
    assert!(admin.logs_in("living", "user00001", "secret").await);
    let undo = rekindle.call(&["undo", "--yes", "--yes-deletes"]);
    assert_eq!(undo.status.code(), Some(0), "{}", said(&undo));
    assert_eq!(seen().await, broken);
}

/// The runbook that Keycloak's page shows, at this server: every question that it asks is answered by the server.
#[tokio::test(flavor = "multi_thread")]
async fn the_runbook_of_the_page_restores_people_and_asks_the_server_what_it_says() {
    let (admin, _) = made("staff", 2).await;
    with_login(&admin, "staff").await;
    let export = server().export("staff", "50");
    let gone = admin.id_of("staff", "user00001").await;
    admin.call(Method::DELETE, &format!("/staff/users/{gone}"), None).await;
    let page = include_str!("../../src/components/keycloak/README.md");
    let page = page.split("A runbook of your own says:").nth(1).unwrap();
    let shown = page.split("```").nth(1).unwrap().trim_start_matches("yaml");
    let is_of_there = |line: &&str| !["ca:", "proxy:"].iter().any(|name| line.trim_start().starts_with(name));
    let mut text: String = shown.lines().filter(is_of_there).flat_map(|line| [line, "\n"]).collect();
    for (there, here) in [
        ("https://id.example.org", server().url()),
        ("/srv/backup/keycloak", export.path().display().to_string()),
        ("login: { user: ana,", "login: { user: user00001,".to_owned()),
    ] {
        assert!(text.contains(there), "{there} is not in {text}");
        text = text.replace(there, &here);
    }
    let confirmed = "  - { id: seen, needs: [login], confirm: All are here, probe: { count: { users: 6 } } }\n";
    let runbook = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
    std::fs::write(runbook.path(), format!("rekindle: 1\ntitle: Ours\n{text}{confirmed}")).unwrap();
    let run = |rekindle: &Rekindle, password: &str| {
        let words = ["run", runbook.path().to_str().unwrap(), "--plain", "--yes"];
        rekindle.command(&words).env("ANAS_PASSWORD", password).output().unwrap()
    };
    let rekindle = Rekindle::new();
    let done = run(&rekindle, "secret");
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    for seen in ["there is a user of that name", "user00001 logs in", "6 of kind user", "of kind group"] {
        assert!(said(&done).contains(seen), "{seen}: {}", said(&done));
    }
    // With that login the server has hashed the password anew: it is the same one.
    let verify = || rekindle.command(&["verify"]).env("ANAS_PASSWORD", "secret").output().unwrap();
    assert_eq!(verify().status.code(), Some(0), "{}", said(&verify()));
    // With the account its password goes, which nobody can bring back: both flags, and it says so.
    let undo = rekindle.call(&["undo", "--yes", "--yes-deletes"]);
    assert_eq!(undo.status.code(), Some(2), "{}", said(&undo));
    assert!(said(&undo).contains("--yes --yes-deletes --yes-irreversible"), "{}", said(&undo));
    let undo = rekindle.call(&["undo", "--yes", "--yes-deletes", "--yes-irreversible"]);
    assert_eq!(undo.status.code(), Some(0), "{}", said(&undo));
    assert_eq!(admin.get("/staff/users?username=user00001&exact=true").await, json!([]));
    let refused = run(&Rekindle::new(), "a wrong one");
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(said(&refused).contains("user00001 does not log in"), "{}", said(&refused));
}
