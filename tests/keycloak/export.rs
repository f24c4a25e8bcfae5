use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rekindle::components::keycloak::kinds::Kind;
use rekindle::components::keycloak::{ExportConfig, Keycloak, KeycloakExport};
use rekindle::diff::documents;
use rekindle::model::{DigestKey, ErrorKind, Location, Mode, Resource, Result, Scope, TreePath};
use rekindle::reader::{Reader, Wanted};
use rekindle::stores::restic::ResticStore;
use rekindle::stores::tar::TarStore;
use rekindle::stores::{DirectoryStore, Store};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::keycloak::{Admin, server};
use crate::repository::{Backup, Repository};
use crate::sample::Sample;
use crate::sample::people::{self, AWKWARD};

const PEOPLE: usize = 200;

/// A realm of 200 people and its exports in both forms, made once.
struct Made {
    component: Keycloak,
    /// `staff-realm.json` and users in files of 50.
    files: tempfile::TempDir,
    /// `realm.json`.
    one: tempfile::TempDir,
}

async fn made() -> &'static Made {
    static MADE: OnceCell<Made> = OnceCell::const_new();
    let make = || async {
        Sample::new("staff", PEOPLE).make(&Admin::new(server())).await;
        Made {
            component: server().component("staff"),
            files: server().export("staff", "50"),
            one: server().export("staff", "single"),
        }
    };
    MADE.get_or_init(make).await
}

fn at(path: &str) -> TreePath {
    TreePath::new(path).unwrap()
}

fn scope(path: &str) -> Scope {
    Scope { below: at(path), to: at(path), owner: None }
}

fn directory(folder: &Path) -> Arc<dyn Store> {
    Arc::new(DirectoryStore::open(folder).unwrap())
}

fn export(store: Arc<dyn Store>, place: &str) -> KeycloakExport {
    KeycloakExport::new(store, ExportConfig { at: at(place), realm: None })
}

async fn list(export: &KeycloakExport, path: &str) -> Result<Vec<Location>> {
    export.list(&[scope(path)]).await.pop().unwrap()
}

async fn all(export: &KeycloakExport) -> Vec<Resource> {
    let listed = list(export, "").await.unwrap();
    export.read(&Wanted::alone(&listed)).await.into_iter().map(|read| read.unwrap().unwrap()).collect()
}

/// As text, so that a difference shows; the order is that of keys.
fn written(resources: &[Resource]) -> Vec<String> {
    resources.iter().map(|one| format!("{} {}", one.id, one.document().unwrap().value)).collect()
}

async fn differences(component: &Keycloak, desired: &[Resource]) -> Vec<String> {
    let wanted: Vec<Location> = desired.iter().map(|one| Location::of(&one.id)).collect();
    let with: Vec<Option<Resource>> = desired.iter().cloned().map(Some).collect();
    let live = component.read(&Wanted::beside(&wanted, &with)).await;
    let key = DigestKey::new([3; 32]);
    let of = |(desired, live): (&Resource, Result<Option<Resource>>)| {
        let live = live.unwrap();
        let live = live.as_ref().and_then(Resource::document);
        let schema = component.schema().kind(&desired.id.kind);
        let change = documents::changes(&desired.id, live, desired.document(), schema, Mode::Exact, &key)?;
        let places: Vec<String> = change.hunks.iter().map(|hunk| format!("{:?} {}", hunk.op, hunk.place())).collect();
        Some(format!("{}: {}", desired.id, places.join(", ")))
    };
    desired.iter().zip(live).filter_map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_forms_hold_what_the_live_realm_holds() {
    let made = made().await;
    let files = export(directory(made.files.path()), "");
    let one = export(directory(made.one.path()), "realm.json");
    let from_files = all(&files).await;
    assert_eq!(written(&from_files), written(&all(&one).await));
    assert_eq!(differences(&made.component, &from_files).await, Vec::<String>::new());
    // Nothing is live that the export lacks.
    let live = made.component.list(&[scope("realm"), scope("users")]).await;
    let mut live: Vec<_> = live.into_iter().flat_map(|listed| listed.unwrap()).map(|one| one.id).collect();
    let mut exported: Vec<_> = from_files.iter().map(|one| one.id.clone()).collect();
    live.sort();
    exported.sort();
    assert_eq!(exported, live);
    for export in [&files, &one] {
        assert_eq!(export.not_restored(&[scope("")]).await, [Vec::<String>::new()]);
        let who = export.identity().await.unwrap();
        assert!(who.to_string().starts_with("export of the realm staff in directory"), "{who}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_found_by_whatever_name_they_have() {
    let made = made().await;
    let export = export(directory(made.files.path()), "");
    let owners = export.owners(&TreePath::root(), Some("user")).await.unwrap().names;
    assert_eq!(owners.len(), PEOPLE);
    assert_eq!(owners, made.component.owners(&TreePath::root(), Some("user")).await.unwrap().names);
    assert!(!owners.iter().any(|name| name.starts_with("service-account")));
    for (position, name) in AWKWARD.iter().enumerate() {
        let key = Kind::User.id(&[name]).key;
        let listed = list(&export, &key.to_string()).await.unwrap();
        let read = export.read(&Wanted::alone(&listed)).await.pop().unwrap().unwrap().unwrap();
        let held = &read.document().unwrap().value;
        assert_eq!(held["username"], json!(name.to_lowercase()));
        assert_eq!(held["id"], json!(Sample::new("staff", PEOPLE).id(&format!("user {position}"))));
        assert!(owners.iter().any(|owner| at("users").join(owner).unwrap() == key), "{name}");
    }
    let accounts = export.owners(&TreePath::root(), Some("service-account")).await.unwrap().names;
    assert_eq!(accounts, ["app", "batch"]);
    let read = all(&export).await;
    let of = |key: &str| read.iter().find(|one| one.id.key == at(key)).unwrap().document().unwrap().value.clone();
    assert_eq!(of("realm/service-accounts/batch")["realmRoles"], json!(["default-roles-{realm}", "reader"]));
    let dora = of("users/dörte");
    assert_eq!(dora["groups"], json!(["/teams/team-01", "/Übung ☃"]));
    let ana = of("users/ana");
    assert_eq!(ana["groups"], json!(["/staff/berlin/platform%2Fops", "/teams/team-00"]));
    assert_eq!(ana["organizations"], json!(["acme"]));
    let bob = of("users/bob+test@example.org");
    let keys: Vec<&Value> = bob["credentials"].as_array().unwrap().iter().map(|one| &one["key"]).collect();
    assert_eq!(keys, [&json!("otp@1700000001500"), &json!("password")]);
    assert!(bob["credentials"][0]["hidden"]["secretData"].as_str().unwrap().contains(people::OTP_SECRET));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_store_hands_over_the_same() {
    let made = made().await;
    let folder = made.files.path();
    let expected = written(&all(&export(directory(folder), "")).await);
    let work = tempfile::tempdir().unwrap();
    for ending in ["tar", "tar.gz"] {
        let archive = work.path().join(format!("export.{ending}"));
        let options = if ending == "tar" { "-cf" } else { "-czf" };
        let packed = Command::new("tar").arg(options).arg(&archive).arg("-C").arg(folder).arg(".").status().unwrap();
        assert!(packed.success());
        let store = Arc::new(TarStore::open(&archive).unwrap());
        assert_eq!(written(&all(&export(store, "")).await), expected, "{ending}");
    }
    let repository = Repository::init(2, "auto");
    repository.backup(folder, Backup::default());
    let store: Arc<dyn Store> = Arc::new(ResticStore::open(&repository.config()).unwrap());
    let place = folder.to_str().unwrap();
    let read = export(Arc::clone(&store), place);
    assert_eq!(written(&all(&read).await), expected);
    // Where nothing is, the place of what is there is named.
    let error = list(&export(store, ""), "users").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.hint().unwrap().contains(&place[1..]), "{:?}", error.hint());
}

/// A copy of the export in files, to be spoilt.
fn copy(made: &Made) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(made.files.path()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.path().join(entry.file_name())).unwrap();
    }
    to
}

async fn refused(folder: &Path, below: &str) -> (ErrorKind, String) {
    let error = list(&export(directory(folder), ""), below).await.unwrap_err();
    (error.kind(), format!("{}; {}", error.chain(), error.hint().unwrap_or("no hint")))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_is_not_whole_is_refused_and_said_why() {
    let made = made().await;
    let file = |folder: &Path, name: &str| -> PathBuf { folder.join(name) };

    let spoilt = copy(made);
    fs::remove_file(file(spoilt.path(), "staff-users-2.json")).unwrap();
    let (kind, said) = refused(spoilt.path(), "users").await;
    assert_eq!(kind, ErrorKind::Corrupt);
    assert!(said.contains("staff-users-2.json is missing"), "{said}");

    let spoilt = copy(made);
    let cut = fs::read(file(spoilt.path(), "staff-users-1.json")).unwrap();
    for length in [0, 1, 40, cut.len() / 2, cut.len() - 1] {
        fs::write(file(spoilt.path(), "staff-users-1.json"), &cut[..length]).unwrap();
        let (kind, said) = refused(spoilt.path(), "users/ana").await;
        assert_eq!(kind, ErrorKind::Invalid, "{length}: {said}");
        assert!(said.contains("staff-users-1.json"), "{said}");
    }

    let spoilt = copy(made);
    fs::copy(file(spoilt.path(), "staff-users-1.json"), file(spoilt.path(), "staff-users-5.json")).unwrap();
    let (kind, said) = refused(spoilt.path(), "users").await;
    assert_eq!(kind, ErrorKind::Corrupt);
    assert!(said.contains("same id") && said.contains("staff-users-5.json"), "{said}");

    let spoilt = copy(made);
    fs::remove_file(file(spoilt.path(), "staff-realm.json")).unwrap();
    let (kind, said) = refused(spoilt.path(), "users").await;
    assert_eq!(kind, ErrorKind::Corrupt);
    assert!(said.contains("no realm file"), "{said}");

    let spoilt = copy(made);
    let realm = fs::read(file(spoilt.path(), "staff-realm.json")).unwrap();
    fs::write(file(spoilt.path(), "staff-realm.json"), &realm[..realm.len() * 2 / 3]).unwrap();
    let (kind, said) = refused(spoilt.path(), "realm/clients").await;
    assert_eq!(kind, ErrorKind::Invalid);
    assert!(said.contains("cut off"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_without_people_restores_no_people_and_deletes_none() {
    let made = made().await;
    let spoilt = copy(made);
    for number in 0..5 {
        fs::remove_file(spoilt.path().join(format!("staff-users-{number}.json"))).unwrap();
    }
    for below in ["", "users", "users/ana"] {
        let (kind, said) = refused(spoilt.path(), below).await;
        assert_eq!(kind, ErrorKind::Corrupt, "{below}");
        assert!(said.contains("holds nobody"), "{said}");
    }
    let without = export(directory(spoilt.path()), "");
    assert_eq!(without.owners(&TreePath::root(), Some("user")).await.unwrap().names, Vec::<String>::new());
    assert!(without.can_have_no_owners());
    assert!(list(&without, "realm/clients").await.unwrap().len() > 4);
    // Files that somebody wrote have clients with accounts, and no accounts: the plan says what is missing.
    assert!(list(&without, "realm").await.unwrap().len() > 90);
    let said = without.not_restored(&[scope("realm")]).await.remove(0);
    assert!(said.iter().any(|line| line.contains("people, of whom the export holds none")), "{said:?}");
    assert!(said.iter().any(|line| line.contains("service-account")), "{said:?}");

    // The last file alone is missed by what belongs to clients, if by anything.
    let spoilt = copy(made);
    let users = fs::read_to_string(spoilt.path().join("staff-users-0.json")).unwrap();
    let mut users: Value = serde_json::from_str(&users).unwrap();
    users["users"].as_array_mut().unwrap().retain(|user| user["serviceAccountClientId"] != json!("batch"));
    fs::write(spoilt.path().join("staff-users-0.json"), users.to_string()).unwrap();
    let said = export(directory(spoilt.path()), "").not_restored(&[scope("realm"), scope("users")]).await;
    assert_eq!(said[1], Vec::<String>::new());
    assert_eq!(said[0].len(), 1, "{said:?}");
    assert!(said[0][0].contains("realm/service-accounts/batch"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_realms_in_one_directory_are_told_apart() {
    let made = made().await;
    let mixed = copy(made);
    Sample::new("staff-two", 1).make(&Admin::new(server())).await;
    let other = server().export("staff-two", "50");
    for entry in fs::read_dir(other.path()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), mixed.path().join(entry.file_name())).unwrap();
    }
    let (kind, said) = refused(mixed.path(), "users").await;
    assert_eq!(kind, ErrorKind::Ambiguous);
    assert!(said.contains("staff, staff-two"), "{said}");
    let named = |realm: &str| {
        let config = ExportConfig { at: TreePath::root(), realm: Some(realm.to_owned()) };
        KeycloakExport::new(directory(mixed.path()), config)
    };
    assert_eq!(named("staff").owners(&at("users"), None).await.unwrap().names.len(), PEOPLE);
    assert_eq!(named("staff-two").owners(&at("users"), None).await.unwrap().names, ["ana"]);
    let error = list(&named("nobody"), "users").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("staff, staff-two"), "{error}");

    // A file that was put under another realm's name.
    fs::copy(other.path().join("staff-two-users-0.json"), mixed.path().join("staff-users-5.json")).unwrap();
    let error = list(&named("staff"), "users").await.unwrap_err();
    assert!(error.chain().contains("users of the realm staff-two"), "{}", error.chain());
    fs::copy(other.path().join("staff-two-realm.json"), mixed.path().join("staff-realm.json")).unwrap();
    let error = list(&named("staff"), "realm/clients").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}
