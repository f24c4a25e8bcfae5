use std::path::Path;

use rekindle::components::keycloak::Keycloak;
use rekindle::components::keycloak::canonical::{self, Side};
use rekindle::components::keycloak::kinds::Kind;
use rekindle::diff::documents;
use rekindle::model::{
    DigestKey, Document, ErrorKind, Identity, Location, Mode, Owner, Probe, Resource, ResourceId, Scope, TreePath,
};
use rekindle::reader::{Reader, Wanted};
use reqwest::Method;
use serde_json::{Value, json};

use crate::keycloak::{Admin, realm_of_everything, server};

fn at(path: &str) -> TreePath {
    TreePath::new(path).unwrap()
}

fn scope(path: &str) -> Scope {
    Scope { below: at(path), to: at(path), owner: None }
}

fn user(name: &str) -> Location {
    let id = Kind::User.id(&[name]);
    Location { at: id.key.clone(), id }
}

/// Attributes of any name are kept: the server's default hides those that its user profile does not name.
pub async fn with_any_attribute(admin: &Admin, realm: &str) {
    let mut profile = admin.get(&format!("/{realm}/users/profile")).await;
    profile["unmanagedAttributePolicy"] = json!("ENABLED");
    admin.done(Method::PUT, &format!("/{realm}/users/profile"), profile).await;
}

/// The fixture, made under a name of its own.
pub async fn made(realm: &str, more: usize) -> (Admin, Keycloak) {
    let admin = Admin::new(server());
    let mut all = realm_of_everything(realm, more);
    let users = std::mem::take(&mut all["users"]);
    admin.make_realm(&all).await;
    with_any_attribute(&admin, realm).await;
    let users = users.as_array().unwrap();
    for some in users.chunks(200) {
        let body = json!({"ifResourceExists": "FAIL", "users": some});
        admin.done(Method::POST, &format!("/{realm}/partialImport"), body).await;
    }
    let organization = json!({"name": "Org One", "alias": "org1", "domains": [{"name": "one.example.org"}]});
    admin.done(Method::POST, &format!("/{realm}/organizations"), organization).await;
    let found = admin.get(&format!("/{realm}/organizations")).await;
    let (org, ana) = (found[0]["id"].as_str().unwrap().to_owned(), admin.id_of(realm, "ana").await);
    admin.done(Method::POST, &format!("/{realm}/organizations/{org}/members"), json!(ana)).await;
    let component = server().component(realm);
    (admin, component)
}

fn json_files(folder: &Path) -> Vec<Value> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()).collect()
}

/// An export, canonical, and what is not known of it.
fn canonical_export(folder: &Path) -> (Vec<Resource>, Vec<String>) {
    let files = json_files(folder);
    let realm = files.iter().find(|file| file.get("id").is_some()).unwrap();
    let realm = canonical::realm(realm).unwrap();
    let users = files.iter().filter(|file| file.get("id").is_none()).flat_map(|file| file["users"].as_array().unwrap());
    let users: Vec<_> = users.map(|user| canonical::user(user, &realm.names, Side::Backup).unwrap()).collect();
    let mut unknown = realm.unknown.clone();
    unknown.extend(realm.resources.values().chain(&users).flat_map(|one| one.unknown.clone()));
    let all = realm.resources.values().chain(&users).map(canonical::Canonical::resource);
    (all.collect(), unknown)
}

/// What would be changed on the live side, each with its places and warnings.
async fn differences(component: &Keycloak, desired: &[Resource]) -> Vec<String> {
    let wanted: Vec<Location> = desired.iter().map(|one| Location::of(&one.id)).collect();
    let with: Vec<Option<Resource>> = desired.iter().cloned().map(Some).collect();
    let live = component.read(&Wanted::beside(&wanted, &with)).await;
    let key = DigestKey::new([3; 32]);
    let mut found = Vec::new();
    for (desired, live) in desired.iter().zip(live) {
        let live = live.unwrap();
        let schema = component.schema().kind(&desired.id.kind);
        let of = |resource: &Option<Resource>| resource.as_ref().and_then(Resource::document).cloned();
        let (live, desired_document): (Option<Document>, _) = (of(&live), of(&Some(desired.clone())));
        let change =
            documents::changes(&desired.id, live.as_ref(), desired_document.as_ref(), schema, Mode::Exact, &key);
        if let Some(change) = change {
            let places: Vec<String> =
                change.hunks.iter().map(|hunk| format!("{:?} {}", hunk.op, hunk.place())).collect();
            found.push(format!("{}: {}", desired.id, places.join(", ")));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_realm_does_not_differ_from_its_own_export() {
    let (_admin, component) = made("mirror", 40).await;
    let export = server().export("mirror", "50");
    let (desired, unknown) = canonical_export(export.path());
    assert!(desired.len() > 140, "{} resources", desired.len());
    assert_eq!(unknown, Vec::<String>::new());
    assert_eq!(differences(&component, &desired).await, Vec::<String>::new());
    // Each alone says the same as all together.
    for name in ["ana", "bob+x@example.org", "with space", "зоя", "user00007"] {
        let id = Kind::User.id(&[name]);
        let one: Vec<Resource> = desired.iter().filter(|one| one.id == id).cloned().collect();
        assert_eq!(one.len(), 1, "{name}");
        assert_eq!(differences(&component, &one).await, Vec::<String>::new(), "{name}");
    }
    // Nothing is live that the export lacks.
    let listed = component.list(&[scope("realm"), scope("users")]).await;
    let listed: Vec<ResourceId> = listed.into_iter().flat_map(|listed| listed.unwrap()).map(|one| one.id).collect();
    let more: Vec<_> = listed.iter().filter(|id| !desired.iter().any(|one| one.id == **id)).collect();
    assert!(more.is_empty(), "{more:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_changes_is_seen_field_by_field() {
    let (admin, component) = made("moved", 0).await;
    let export = server().export("moved", "50");
    let (desired, _) = canonical_export(export.path());
    let ana = admin.id_of("moved", "ana").await;
    let mut now = admin.get(&format!("/moved/users/{ana}")).await;
    now["attributes"]["dept"] = json!(["it"]);
    now["enabled"] = json!(false);
    admin.done(Method::PUT, &format!("/moved/users/{ana}"), now).await;
    let dev = admin.get("/moved/roles/dev").await;
    admin.done(Method::DELETE, &format!("/moved/users/{ana}/role-mappings/realm"), json!([dev])).await;
    let bob = admin.id_of("moved", "bob+x@example.org").await;
    let password = json!({"type": "password", "value": "another", "temporary": false});
    admin.done(Method::PUT, &format!("/moved/users/{bob}/reset-password"), password).await;
    let mut app = admin.get("/moved/clients?clientId=app").await[0].clone();
    app["redirectUris"] = json!(["https://evil.example.org/*"]);
    app["secret"] = json!("stolen");
    admin.done(Method::PUT, &format!("/moved/clients/{}", app["id"].as_str().unwrap()), app).await;
    let seen = differences(&component, &desired).await;
    assert_eq!(
        seen,
        [
            "client realm/clients/app: Create redirectUris[https://app.example.org/*], Delete \
             redirectUris[https://evil.example.org/*], Update secret",
            "user users/ana: Update attributes.dept, Update enabled, Create realmRoles[dev]",
            "user users/bob+x@example.org: Update credentials[key=password].state"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_users_cost_no_more_calls_than_groups_and_roles() {
    let (_admin, component) = made("many", 200).await;
    let wanted: Vec<Location> = (0..200).map(|at| user(&format!("user{at:05}"))).collect();
    let before = component.calls();
    let read = component.read(&Wanted::alone(&wanted)).await;
    let cost = component.calls() - before;
    assert!(read.iter().all(|one| one.as_ref().unwrap().is_some()));
    assert!(cost < 120, "{cost} calls");
    let again = component.calls();
    assert!(component.read(&Wanted::alone(&wanted)).await.iter().all(Result::is_ok));
    // At most the names of the realm are read again.
    assert!(component.calls() - again < 12, "the shared read was not shared");
    let one = component.read(&Wanted::alone(&wanted[7..8])).await.pop().unwrap().unwrap().unwrap();
    let shared = read[7].as_ref().unwrap().as_ref().unwrap();
    assert_eq!(one.document().unwrap().value, shared.document().unwrap().value);
    let nobody: Vec<Location> = (0..200).map(|at| user(&format!("nobody{at:05}"))).collect();
    let held = vec![read[7].as_ref().unwrap().clone(); nobody.len()];
    let before = component.calls();
    assert!(component.read(&Wanted::beside(&nobody, &held)).await.iter().all(|one| one.as_ref().unwrap().is_none()));
    assert!(component.calls() - before < 12, "each who is not there was looked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn owners_are_the_users_and_a_scope_is_one_of_them() {
    let (_admin, component) = made("owners", 3).await;
    let owners = component.owners(&TreePath::root(), Some("user")).await.unwrap().names;
    assert_eq!(owners, ["ana", "bob+x@example.org", "user00000", "user00001", "user00002", "with space", "зоя"]);
    assert_eq!(component.owners(&at("users"), None).await.unwrap().names, owners);
    assert_eq!(component.owners(&at("realm/groups/staff"), None).await.unwrap().names, ["admins", "r%2Fd"]);
    let error = component.owners(&TreePath::root(), Some("people")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let of = |name: &str| Scope { owner: Some(Owner { set: "user".into(), name: name.into() }), ..scope("users") };
    let listed = component.list(&[of("ana"), of("nobody"), scope("users/зоя"), scope("realm/nothing")]).await;
    let lengths: Vec<Option<usize>> = listed.iter().map(|listed| listed.as_ref().ok().map(Vec::len)).collect();
    assert_eq!(lengths, [Some(1), Some(0), Some(1), None]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_realm_that_is_not_there_holds_nothing_and_has_no_identity_yet() {
    let admin = Admin::new(server());
    admin.remove_realm("nowhere").await;
    let component = server().component("nowhere");
    let pinned = component.identity().await.unwrap();
    assert_eq!(pinned.id, Identity::Absent);
    let listed = component.list(&[scope("realm"), scope("users")]).await;
    assert!(listed.iter().all(|listed| listed.as_ref().unwrap().is_empty()));
    assert!(component.read(&Wanted::alone(&[user("ana")])).await[0].as_ref().unwrap().is_none());
    admin.make_realm(&json!({"realm": "nowhere", "enabled": true})).await;
    let now = component.identity().await.unwrap();
    assert_ne!(now, pinned);
    assert!(pinned.is_made_as(&now));
    assert!(!now.is_made_as(&pinned));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_realm_that_was_made_anew_is_another_one() {
    let (admin, component) = made("replaced", 0).await;
    let first = component.identity().await.unwrap();
    admin.make_realm(&json!({"realm": "replaced", "enabled": true})).await;
    let second = component.identity().await.unwrap();
    assert_ne!(first, second);
    assert!(!first.is_made_as(&second));
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_say_who_logs_in_and_how_many_are_there() {
    let (admin, component) = made("probed", 2).await;
    let ask = |question: &str, of: Value| Probe { question: question.to_owned(), of };
    let holds = async |probe: Probe| component.probe(&probe).await.unwrap();
    assert!(holds(ask("user-exists", json!("Ana"))).await.holds);
    assert!(!holds(ask("user-exists", json!("nobody"))).await.holds);
    let count = holds(ask("count", json!({"users": 6}))).await;
    assert!(count.holds, "{}", count.seen);
    assert!(!holds(ask("count", json!({"users": 7}))).await.holds);
    assert!(holds(ask("count", json!({"of": "group", "at-least": 5}))).await.holds);
    let error = component.probe(&ask("count", json!({"users": "many"}))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let login = |variable: &str| ask("login", json!({"user": "user00001", "password-env": variable}));
    let unset = component.probe(&login("REKINDLE_TEST_UNSET")).await.unwrap_err();
    assert_eq!(unset.kind(), ErrorKind::NotFound);
    // The shell's own variables stand in for secrets: PATH is nobody's password.
    assert!(!holds(login("PATH")).await.holds);
    assert!(admin.logs_in("probed", "user00001", "secret").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_login_is_named_as_such() {
    let mut config = server().config("master");
    config.login.client = "nobody".to_owned();
    let error = Keycloak::new(config).unwrap().identity().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LoggedOut, "{error}");
    assert!(error.to_string().contains("log in to"), "{error}");
}
