use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::pieces::Pieces;
use super::{ExportConfig, KeycloakExport};
use crate::model::{ContentSink, Entry, ErrorKind, Location, Resource, Result, Scope, TargetIdentity, Tree, TreePath};
use crate::reader::{Reader, Wanted};
use crate::stores::{DirectoryStore, Store};

fn at(path: &str) -> TreePath {
    TreePath::new(path).unwrap()
}

fn scope(path: &str) -> Scope {
    Scope { below: at(path), to: at(path), owner: None }
}

fn write(folder: &Path, name: &str, value: &Value) {
    std::fs::write(folder.join(name), value.to_string()).unwrap();
}

fn person(number: usize) -> Value {
    json!({"id": format!("id-{number}"), "username": format!("user-{number:04}"), "enabled": true,
        "attributes": {"about": ["\"} ] { [\\ ü ☃"]}})
}

/// An export of `files` files with `each` people in each.
fn an_export(files: usize, each: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "r-realm.json", &json!({"realm": "r", "id": "1"}));
    for file in 0..files {
        let users: Vec<Value> = (0..each).map(|at| person(file * each + at)).collect();
        write(folder.path(), &format!("r-users-{file}.json"), &json!({"realm": "r", "users": users}));
    }
    folder
}

fn open(folder: &Path) -> KeycloakExport {
    KeycloakExport::new(Arc::new(DirectoryStore::open(folder).unwrap()), ExportConfig::default())
}

async fn list(export: &KeycloakExport, below: &str) -> Result<Vec<Location>> {
    export.list(&[scope(below)]).await.pop().unwrap()
}

async fn refusal(folder: &Path) -> (ErrorKind, String) {
    let error = list(&open(folder), "realm/settings").await.unwrap_err();
    (error.kind(), format!("{}; {}", error.chain(), error.hint().unwrap_or_default()))
}

/// A store that counts how often its files are opened and how many bytes are read.
struct Counted {
    store: DirectoryStore,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    opened: AtomicUsize,
    bytes: AtomicUsize,
}

struct CountedTree(Arc<dyn Tree>, Arc<Counts>);

struct CountedRead(Box<dyn Read + Send>, Arc<Counts>);

impl Read for CountedRead {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = self.0.read(into)?;
        self.1.bytes.fetch_add(count, Ordering::Relaxed);
        Ok(count)
    }
}

impl Tree for CountedTree {
    fn entries(&self) -> Result<Box<dyn Iterator<Item = Result<Entry>> + Send + '_>> {
        self.0.entries()
    }

    fn open(&self, path: &TreePath) -> Result<Box<dyn Read + Send>> {
        self.1.opened.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(CountedRead(self.0.open(path)?, Arc::clone(&self.1))))
    }

    fn contents(&self, wanted: &[TreePath], parallel: usize, sink: &dyn ContentSink) -> Result<()> {
        self.0.contents(wanted, parallel, sink)
    }
}

impl Store for Counted {
    fn identity(&self) -> Result<TargetIdentity> {
        self.store.identity()
    }

    fn entry(&self, path: &TreePath) -> Result<Option<Entry>> {
        self.store.entry(path)
    }

    fn children(&self, path: &TreePath) -> Result<Option<Vec<Entry>>> {
        self.store.children(path)
    }

    fn tree(&self, path: &TreePath) -> Result<Option<Arc<dyn Tree>>> {
        let counted = |tree| Arc::new(CountedTree(tree, Arc::clone(&self.counts))) as Arc<dyn Tree>;
        Ok(self.store.tree(path)?.map(counted))
    }
}

#[tokio::test]
async fn batches_in_order_read_each_file_once_and_few_people_cost_only_theirs() {
    let folder = an_export(20, 50);
    let counts = Arc::new(Counts::default());
    let store = Counted { store: DirectoryStore::open(folder.path()).unwrap(), counts: Arc::clone(&counts) };
    let export = KeycloakExport::new(Arc::new(store), ExportConfig::default());
    let everybody = list(&export, "users").await.unwrap();
    assert_eq!(everybody.len(), 1_000);

    let opened = || counts.opened.swap(0, Ordering::Relaxed);
    opened();
    for batch in everybody.chunks(20) {
        for read in export.read(&Wanted::alone(batch)).await {
            read.unwrap().unwrap();
        }
    }
    assert_eq!(opened(), 20);

    let some: Vec<Location> = everybody.iter().skip(480).take(20).cloned().collect();
    let read: Vec<Resource> =
        export.read(&Wanted::alone(&some)).await.into_iter().map(|read| read.unwrap().unwrap()).collect();
    assert_eq!(opened(), 1);
    assert_eq!(read.iter().map(|one| &one.id).collect::<Vec<_>>(), some.iter().map(|one| &one.id).collect::<Vec<_>>());
    let about = &read[7].document().unwrap().value["attributes"]["about"];
    assert_eq!(*about, json!(["\"} ] { [\\ ü ☃"]));
}

#[tokio::test]
async fn one_large_file_is_not_read_anew_for_each_batch() {
    let folder = an_export(1, 3_000);
    let size = usize::try_from(std::fs::metadata(folder.path().join("r-users-0.json")).unwrap().len()).unwrap();
    let counts = Arc::new(Counts::default());
    let store = Counted { store: DirectoryStore::open(folder.path()).unwrap(), counts: Arc::clone(&counts) };
    let export = KeycloakExport::new(Arc::new(store), ExportConfig::default());
    let everybody = list(&export, "users").await.unwrap();
    counts.bytes.store(0, Ordering::Relaxed);
    for batch in everybody.chunks(20) {
        assert!(export.read(&Wanted::alone(batch)).await.into_iter().all(|read| read.unwrap().is_some()));
    }
    let bytes = counts.bytes.load(Ordering::Relaxed);
    assert!(bytes <= size, "{bytes} bytes of a file of {size}");
}

#[tokio::test]
async fn what_is_not_known_masked_or_a_placeholder_is_said_with_its_count() {
    let folder = an_export(0, 0);
    write(
        folder.path(),
        "r-realm.json",
        &json!({"realm": "r", "id": "1", "listOfALaterVersion": [1], "displayName": "${staff} ${vault.x}",
            "smtpServer": {"host": "${MAIL_HOST:mail}", "password": "**********"},
            "clients": [{"clientId": "one", "secret": "**********", "later": true}, {"clientId": "two", "later": true},
                {"clientId": "three", "secret": "${env.SECRET}"}]}),
    );
    let mut users: Vec<Value> = (0..3).map(person).collect();
    users[1]["hobbies"] = json!("chess\u{1b}[2J");
    users[2]["hobbies"] = json!("go");
    users[0]["credentials"] = json!([{"type": "password", "secretData": "**********"}]);
    write(folder.path(), "r-users-0.json", &json!({"realm": "r", "users": users}));
    write(folder.path(), "r-federated-users-0.json", &json!({}));
    let export = open(folder.path());
    let scopes = ["users", "realm", "users/user-0001", "realm/clients/one"].map(scope);
    let said = export.not_restored(&scopes).await;
    assert_eq!(
        said[0],
        [
            "users of other providers, of whom the export holds roles and links: 1 file",
            "credentials: a password is there without its secret (users/user-0000)",
            "hobbies (2 users)",
        ]
    );
    assert_eq!(
        said[1],
        [
            "2 secrets that were masked when the file was made",
            "later (2 clients)",
            "listOfALaterVersion (realm/settings)",
            "what ${MAIL_HOST:mail} stands for: it is written as it stands (realm/settings)",
            "what ${env.SECRET} stands for: it is written as it stands (realm/clients/three)",
        ]
    );
    assert_eq!(said[2], ["hobbies (users/user-0001)"]);
    assert_eq!(said[3], ["1 secret that was masked when the file was made", "later (realm/clients/one)"]);
    let listed = list(&export, "realm/settings").await.unwrap();
    let settings = export.read(&Wanted::alone(&listed)).await.pop().unwrap().unwrap().unwrap();
    assert_eq!(settings.document().unwrap().value["displayName"], json!("${staff} ${vault.x}"));
}

#[tokio::test]
async fn hostile_files_end_in_a_clear_sentence() {
    let deep = format!("{{\"realm\":\"r\",\"x\":{}{}}}", "[".repeat(5_000_000), "]".repeat(5_000_000));
    let large = format!("{{\"realm\":\"r\",\"x\":[\"{}\"]}}", "x".repeat(70 * 1024 * 1024));
    let cases = [
        (deep.as_str(), "deeper than 100 levels"),
        (large.as_str(), "larger than"),
        ("", "it is empty"),
        ("<html>", "not JSON"),
        ("{\"realm\":\"r\"", "it was cut off"),
        ("{\"realm\":\"r\"} {}", "after its end"),
        ("{\"realm\":\"r\",\"realm\":\"r\"}", "field 'realm' twice"),
        ("{\"realm\":\"r\",,}", "no value"),
        ("{\"realm\" \"r\"}", "no ':'"),
        ("{\"realm\":\"r\",\"x\":[}]}", "not JSON"),
        ("{\"realm\":\"r\",\"x\":}", "no value"),
        ("{\"realm\":7}", "no field 'realm'"),
        ("{\"realm\":\"\"}", "no field 'realm'"),
        ("[]", "holds no realm"),
        ("[1]", "no '{'"),
    ];
    for (text, why) in cases {
        let folder = an_export(1, 2);
        std::fs::write(folder.path().join("r-realm.json"), text).unwrap();
        let (_, said) = refusal(folder.path()).await;
        let shown = text.get(..text.len().min(60)).unwrap_or_default();
        assert!(said.contains(why), "{shown}: {said}");
    }
}

#[tokio::test]
async fn hostile_people_end_in_a_clear_sentence() {
    let long = "x".repeat(70_000);
    let cases = [
        (json!({"realm": "r", "users": [{"username": ""}]}), "no username"),
        (json!({"realm": "r", "users": [7]}), "no username"),
        (json!({"realm": "r", "users": [{"username": long}]}), "longer than a name can be"),
        (json!({"realm": "r", "users": {}}), "no '['"),
        (json!({"realm": "r"}), "no list of users"),
        (json!({"users": []}), "whose users"),
        (json!({"realm": "\u{1b}[2J", "users": []}), "the realm ^[[2J"),
        (json!({"realm": "r", "users": [{"username": "a"}, {"username": "A"}]}), "the same name"),
        (json!({"realm": "r", "users": [{"username": "a", "id": "1"}, {"username": "b", "id": "1"}]}), "same id"),
        (json!({"realm": "r", "users": [{"username": "a", "x": "y".repeat(5 << 20)}]}), "larger than 4.1 MB"),
    ];
    for (users, why) in cases {
        let folder = an_export(0, 0);
        write(folder.path(), "r-users-0.json", &users);
        let (_, said) = refusal(folder.path()).await;
        assert!(said.contains(why), "{why}: {said}");
    }
}

/// The form of one file, in which people stand between the realm's own fields.
#[tokio::test]
async fn one_file_that_is_cut_off_anywhere_is_refused_and_never_a_realm_of_fewer() {
    let people: Vec<Value> = (0..4).map(person).collect();
    let whole = json!({"id": "1", "clients": [{"clientId": "one"}], "realm": "r", "users": people, "z": {"a": [1]}});
    let whole = whole.to_string();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("realm.json");
    for end in 0..whole.len() {
        std::fs::write(&file, &whole.as_bytes()[..end]).unwrap();
        for below in ["users", "realm/clients"] {
            let error = list(&open(folder.path()), below).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "cut off at byte {end}: {}", error.chain());
        }
    }
    std::fs::write(&file, whole).unwrap();
    assert_eq!(list(&open(folder.path()), "users").await.unwrap().len(), 4);
}

/// The test's threads have small stacks.
#[tokio::test]
async fn what_is_nested_ten_thousand_deep_is_refused_wherever_it_stands() {
    for (open_with, close_with) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open_with.repeat(10_000), close_with.repeat(10_000));
        let person = format!("{{\"username\":\"ana\",\"attributes\":{deep}}}");
        let one_file = format!("{{\"realm\":\"r\",\"users\":[{person}]}}");
        let a_users_file = format!("{{\"realm\":\"r\",\"later\":{deep},\"users\":[]}}");
        let of_a_client = format!("{{\"realm\":\"r\",\"clients\":[{{\"clientId\":\"one\",\"attributes\":{deep}}}]}}");
        let files = [("r-realm.json", &one_file), ("r-users-0.json", &a_users_file), ("r-realm.json", &of_a_client)];
        for (name, text) in files {
            let folder = an_export(0, 0);
            std::fs::write(folder.path().join(name), text).unwrap();
            let (kind, said) = refusal(folder.path()).await;
            assert_eq!(kind, ErrorKind::Invalid, "{said}");
            assert!(said.contains("deeper than 100 levels"), "{said}");
        }
    }
}

#[tokio::test]
async fn files_that_do_not_belong_together_are_refused() {
    let folder = an_export(2, 2);
    write(folder.path(), "r-realm.json", &json!({"realm": "r", "users": [person(0)]}));
    let (kind, said) = refusal(folder.path()).await;
    assert_eq!(kind, ErrorKind::Corrupt);
    assert!(said.contains("files of two exports lie together"), "{said}");

    let folder = an_export(2, 2);
    write(folder.path(), "r-users-1.json", &json!({"realm": "r", "users": []}));
    let (kind, said) = refusal(folder.path()).await;
    assert_eq!((kind, said.contains("it holds nobody")), (ErrorKind::Corrupt, true), "{said}");

    let folder = an_export(2, 2);
    let users = folder.path().join("r-users-1.json");
    std::fs::rename(&users, folder.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink("elsewhere", &users).unwrap();
    let (kind, said) = refusal(folder.path()).await;
    assert_eq!((kind, said.contains("not a regular file")), (ErrorKind::Refused, true), "{said}");
}

#[tokio::test]
async fn an_export_that_is_written_to_meanwhile_is_not_read_on() {
    let folder = an_export(1, 50);
    let export = open(folder.path());
    let everybody = list(&export, "users").await.unwrap();
    let fewer: Vec<Value> = (1..50).map(person).collect();
    write(folder.path(), "r-users-0.json", &json!({"realm": "r", "users": fewer}));
    for read in export.read(&Wanted::alone(&everybody)).await {
        assert_eq!(read.unwrap_err().kind(), ErrorKind::Conflict);
    }
}

#[tokio::test]
async fn a_file_of_several_realms_is_read_for_the_one_that_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let realm = |name: &str, number: usize| json!({"users": [person(number)], "realm": name, "displayName": name});
    write(folder.path(), "all.json", &json!([realm("a", 1), realm("b", 2)]));
    let store: Arc<dyn Store> = Arc::new(DirectoryStore::open(folder.path()).unwrap());
    let named = |realm: Option<&str>| {
        let config = ExportConfig { at: at("all.json"), realm: realm.map(str::to_owned) };
        KeycloakExport::new(Arc::clone(&store), config)
    };
    for (name, user) in [("a", "user-0001"), ("b", "user-0002")] {
        assert_eq!(named(Some(name)).owners(&at("users"), None).await.unwrap().names, [user]);
    }
    let error = named(None).owners(&at("users"), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ambiguous);
    let error = named(Some("c")).owners(&at("users"), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn what_is_not_there_or_was_misspelt_is_no_empty_list() {
    let folder = an_export(1, 3);
    let export = open(folder.path());
    let error = list(&export, "users/user-0003").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.hint().unwrap().contains("users/user-0002"), "{:?}", error.hint());
    assert_eq!(list(&export, "user/user-0001").await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(list(&export, "users/USER-0001").await.unwrap().len(), 1);
    let gone = Location { id: crate::components::keycloak::kinds::Kind::User.id(&["nobody"]), at: at("users/nobody") };
    assert!(export.read(&Wanted::alone(&[gone])).await.pop().unwrap().unwrap().is_none());
}

#[test]
fn a_walk_finds_the_same_values_whatever_a_read_hands_over() {
    /// Hands over one byte at a time.
    struct Slow(Cursor<Vec<u8>>);
    impl Read for Slow {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let one = into.len().min(1);
            self.0.read(&mut into[..one])
        }
    }
    let values = [json!({"a": [1, "x\\\"]}", null]}), json!("\\"), json!(-1.5e3), json!(true), json!([]), json!("ü")];
    let text = serde_json::to_vec_pretty(&values).unwrap();
    let mut pieces = Pieces::new(Slow(Cursor::new(text.clone())), "read");
    let mut first = true;
    let mut found = Vec::new();
    pieces.expect(b'[').unwrap();
    while pieces.next(b']', &mut first).unwrap() {
        pieces.peek().unwrap();
        let start = usize::try_from(pieces.position()).unwrap();
        let bytes = pieces.value(1_000).unwrap();
        assert_eq!(text[start..start + bytes.len()], bytes);
        found.push(serde_json::from_slice::<Value>(&bytes).unwrap());
    }
    pieces.end().unwrap();
    assert_eq!(found, values);
}

#[tokio::test]
async fn a_file_in_yaml_is_a_realm_too_and_a_variable_in_it_is_refused_by_name() {
    let text = "realm: shop\nenabled: true\nclients:\n  - clientId: web\n    publicClient: true\n\
        users:\n  - username: ana\n    credentials: [{ type: password, value: $SECRET }]\n  - username: bob\n";
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("shop.yaml"), text.replace("$SECRET", "typed")).unwrap();
    let export = open(folder.path());
    assert_eq!(list(&export, "users").await.unwrap().len(), 2);
    let web = list(&export, "realm/clients/web").await.unwrap();
    let web = export.read(&Wanted::alone(&web)).await.pop().unwrap().unwrap().unwrap();
    assert_eq!(web.document().unwrap().value["publicClient"], json!(true));
    let bob = list(&export, "users/bob").await.unwrap();
    assert!(export.read(&Wanted::alone(&bob)).await.pop().unwrap().unwrap().is_some());

    for (name, text) in [
        ("shop.yaml", text.replace("$SECRET", "$(env:ANA_PASSWORD)")),
        ("shop.yml", text.replace("realm: shop", "realm: shop\ndisplayName: $(file:UTF-8:name)")),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(name), text).unwrap();
        let (kind, said) = refusal(folder.path()).await;
        assert_eq!(kind, ErrorKind::Invalid, "{said}");
        assert!(said.contains("$(env:ANA_PASSWORD)") || said.contains("$(file:UTF-8:name)"), "{said}");
    }
}

#[tokio::test]
async fn a_file_with_a_mark_at_its_begin_or_in_utf_16_is_read() {
    let text = "{\"realm\": \"shop\", \"displayName\": \"Grüße\", \"users\": [{\"username\": \"jörg\"}, {\"username\": \"ana\"}]}";
    let utf16 = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    for bytes in [format!("\u{FEFF}{text}").into_bytes(), utf16(&format!("\u{FEFF}{text}")), utf16(text)] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("shop.json"), bytes).unwrap();
        let export = open(folder.path());
        let people = list(&export, "users").await.unwrap();
        assert_eq!(people.len(), 2);
        assert!(export.read(&Wanted::alone(&people)).await.into_iter().all(|read| read.unwrap().is_some()));
        let settings = list(&export, "realm/settings").await.unwrap();
        let settings = export.read(&Wanted::alone(&settings)).await.pop().unwrap().unwrap().unwrap();
        assert_eq!(settings.document().unwrap().value["displayName"], "Grüße");
    }
}
