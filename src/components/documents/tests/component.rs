use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::*;
use crate::component::{Approved, Component, Ledger, UndoRecord};
use crate::diff::documents::{apply, changes};
use crate::document_files::{DocumentFiles, DocumentFilesConfig};
use crate::model::{
    Body, DigestKey, Document, ErrorKind, KindSchema, Location, Mode, Owner, Resource, ResourceId, Result, Scope,
    TreePath,
};
use crate::reader::{Reader, Wanted};

struct NoLedger;

impl Ledger for NoLedger {
    fn keep(&self, _: usize, _: &[UndoRecord]) -> Result<()> {
        Ok(())
    }
    fn progress(&self, _: usize, _: u64, _: u64) {}
    fn cancelled(&self) -> bool {
        false
    }
}

fn accounts(root: &Path) -> DocumentFiles {
    DocumentFiles::new(DocumentFilesConfig {
        syntax: &YamlAndJson,
        root: root.to_owned(),
        owner_field: None,
        schema: KindSchema::default(),
    })
}

fn everything() -> Scope {
    Scope { below: TreePath::root(), to: TreePath::root(), owner: None }
}

fn of(owner: &str) -> Scope {
    Scope { owner: Some(Owner { set: "user".into(), name: owner.into() }), ..everything() }
}

fn at(name: &str) -> Location {
    let key = TreePath::new(name).unwrap();
    Location { id: ResourceId { kind: KIND.into(), key: key.clone() }, at: key }
}

async fn live(documents: &DocumentFiles, name: &str) -> Option<Document> {
    let read = documents.read(&Wanted::alone(&[at(name)])).await.pop().unwrap().unwrap();
    read.map(|resource| resource.document().unwrap().clone())
}

async fn approved(documents: &DocumentFiles, name: &str, desired: Option<Value>, mode: Mode) -> Approved {
    let id = at(name).id;
    let live = live(documents, name).await;
    let desired = desired.map(Document::new);
    let schema = &documents.schema().kind(KIND).clone();
    let change = changes(&id, live.as_ref(), desired.as_ref(), schema, mode, &DigestKey::new([1; 32])).unwrap();
    let expected =
        apply(live.as_ref(), desired.as_ref(), &change, &BTreeSet::new(), schema, mode, &DigestKey::new([1; 32]))
            .unwrap();
    let body = |document: Option<Document>| {
        document.map(|document| Resource { id: id.clone(), body: Body::Document(document) })
    };
    Approved {
        run: "run".into(),
        change: Arc::new(change),
        left_out: BTreeSet::new(),
        live: body(live),
        desired: body(desired),
        expected: body(expected),
    }
}

async fn write(documents: &DocumentFiles, changes: &[Approved]) -> Vec<Result<crate::component::Effect>> {
    documents.write(changes, &NoLedger).await
}

fn names(root: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(root).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn each_file_is_one_resource_of_its_owner() {
    let root = tempfile::tempdir().unwrap();
    for name in ["ana.yaml", "bob.yml", "cyd.json"] {
        fs::write(root.path().join(name), "{\"name\": \"x\"}\n").unwrap();
    }
    for name in ["notes.txt", ".hidden.yaml"] {
        fs::write(root.path().join(name), "no document").unwrap();
    }
    fs::create_dir(root.path().join("folder.yaml")).unwrap();
    let documents = accounts(root.path());
    assert_eq!(documents.owners(&TreePath::root(), None).await.unwrap().names, ["ana", "bob", "cyd"]);
    let listed = documents.list(&[everything(), of("bob"), of("nobody")]).await;
    let keys = |list: &Result<Vec<Location>>| -> Vec<String> {
        list.as_ref().unwrap().iter().map(|location| format!("{} {}", location.id.key, location.at)).collect()
    };
    assert_eq!(keys(&listed[0]), ["ana ana.yaml", "bob bob.yml", "cyd cyd.json"]);
    assert_eq!(keys(&listed[1]), ["bob bob.yml"]);
    assert!(keys(&listed[2]).is_empty());
    let many: Vec<Scope> = (0..100).map(|_| of("cyd")).collect();
    assert_eq!(keys(&documents.list(&many).await[99]), ["cyd cyd.json"]);
    assert!(documents.list(&[of("../ana")]).await[0].is_err());
    assert!(live(&documents, "ana").await.is_some(), "found by its key alone");
}

#[tokio::test]
async fn two_files_of_one_name_are_listed_not_guessed() {
    let root = tempfile::tempdir().unwrap();
    for name in ["ana.yaml", "ana.json", "bob.yaml"] {
        fs::write(root.path().join(name), "{}").unwrap();
    }
    let documents = accounts(root.path());
    let listed = documents.list(&[everything(), of("ana"), of("bob")]).await;
    for list in &listed[..2] {
        let error = list.as_ref().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Ambiguous);
        assert!(error.to_string().contains("ana.json") && error.to_string().contains("ana.yaml"), "{error}");
    }
    assert_eq!(listed[2].as_ref().unwrap().len(), 1);
}

#[tokio::test]
async fn an_owner_field_names_the_owner() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("1.yaml"), "spec: {user: ana}\n").unwrap();
    fs::write(root.path().join("2.yaml"), "spec: {user: bob}\n").unwrap();
    fs::write(root.path().join("3.yaml"), "spec: {user: ana}\n").unwrap();
    let documents = DocumentFiles::new(DocumentFilesConfig {
        syntax: &YamlAndJson,
        root: root.path().to_owned(),
        owner_field: Some("spec.user".to_owned()),
        schema: KindSchema::default(),
    });
    assert_eq!(documents.owners(&TreePath::root(), None).await.unwrap().names, ["ana", "bob"]);
    assert_eq!(documents.list(&[of("ana")]).await[0].as_ref().unwrap().len(), 2);
    fs::write(root.path().join("4.yaml"), "spec: {}\n").unwrap();
    let found = documents.owners(&TreePath::root(), None).await.unwrap();
    assert_eq!(found.names, ["ana", "bob"], "the others are found all the same");
    assert_eq!(found.unusable.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["4.yaml"]);
    assert_eq!(documents.list(&[of("ana")]).await[0].as_ref().unwrap().len(), 2);
}

#[tokio::test]
async fn a_written_change_reads_back_and_can_be_written_again() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("ana.yaml");
    fs::write(&file, "mail: a@x\nquota: 1\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::chown(&file, Some(1234), Some(2345)).unwrap();
    let documents = accounts(root.path());
    let update = approved(&documents, "ana", Some(json!({"mail": "a@y"})), Mode::Merge).await;
    let create = approved(&documents, "new", Some(json!({"mail": "n@y"})), Mode::Merge).await;
    for _ in 0..2 {
        for answer in write(&documents, &[update.clone(), create.clone()]).await {
            answer.unwrap();
        }
        assert_eq!(*live(&documents, "ana").await.unwrap().value, json!({"mail": "a@y", "quota": 1}));
        assert_eq!(*live(&documents, "new").await.unwrap().value, json!({"mail": "n@y"}));
    }
    let meta = fs::metadata(&file).unwrap();
    assert_eq!((meta.mode() & 0o7777, meta.uid(), meta.gid()), (0o640, 1234, 2345));
    assert_eq!(names(root.path()), ["ana.yaml", "new.yaml"]);
    let delete = approved(&documents, "new", None, Mode::Exact).await;
    for _ in 0..2 {
        write(&documents, std::slice::from_ref(&delete)).await.pop().unwrap().unwrap();
        assert_eq!(names(root.path()), ["ana.yaml"]);
    }
}

#[tokio::test]
async fn what_moved_since_the_plan_is_a_conflict_and_stays() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("ana.yaml");
    fs::write(&file, "mail: a@x\n").unwrap();
    let documents = accounts(root.path());
    let update = approved(&documents, "ana", Some(json!({"mail": "a@y"})), Mode::Merge).await;
    let create = approved(&documents, "new", Some(json!({"mail": "n@y"})), Mode::Merge).await;
    fs::write(&file, "mail: someone else\n").unwrap();
    fs::write(root.path().join("new.yml"), "mail: someone else\n").unwrap();
    for answer in write(&documents, &[update, create]).await {
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::Conflict);
    }
    assert_eq!(names(root.path()), ["ana.yaml", "new.yml"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "mail: someone else\n");
}

#[tokio::test]
async fn links_lead_nowhere() {
    let root = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("x.yaml"), "a: 1\n").unwrap();
    std::os::unix::fs::symlink(outside.path().join("x.yaml"), root.path().join("ana.yaml")).unwrap();
    std::os::unix::fs::symlink(outside.path(), root.path().join("sub")).unwrap();
    let documents = accounts(root.path());
    let read = documents.read(&Wanted::alone(&[at("ana"), at("sub/x")])).await;
    assert_eq!(read[0].as_ref().unwrap_err().kind(), ErrorKind::Refused);
    assert!(read[1].is_err());
}

#[tokio::test]
async fn one_unreadable_document_costs_only_itself() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("ana.yaml"), "a: [1,").unwrap();
    fs::write(root.path().join("bob.yaml"), "a: 1\n").unwrap();
    fs::File::create(root.path().join("big.yaml")).unwrap().set_len(100 << 20).unwrap();
    let documents = accounts(root.path());
    let read = documents.read(&Wanted::alone(&[at("ana"), at("bob"), at("big"), at("gone")])).await;
    assert_eq!(read[0].as_ref().unwrap_err().kind(), ErrorKind::Invalid);
    assert!(read[1].as_ref().unwrap().is_some());
    assert_eq!(read[2].as_ref().unwrap_err().kind(), ErrorKind::Invalid);
    assert!(read[3].as_ref().unwrap().is_none());
}

#[tokio::test]
async fn a_missing_root_is_not_an_empty_one() {
    let root = tempfile::tempdir().unwrap();
    let documents = accounts(&root.path().join("unmounted"));
    assert!(documents.list(&[everything()]).await[0].is_err());
    assert!(documents.identity().await.is_err());
    let there = accounts(root.path());
    let elsewhere = Scope { to: TreePath::new("sub").unwrap(), ..everything() };
    assert!(there.list(&[elsewhere]).await[0].as_ref().unwrap().is_empty());
}

#[tokio::test]
async fn comments_survive_a_write_and_the_check_says_when_they_do_not() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("ana.yaml");
    fs::write(&file, "# ask ana first\nbase: &b {x: 1}\nquota: 10 # GB\ncopy:\n  <<: *b\n").unwrap();
    let documents = accounts(root.path());
    let kept = approved(&documents, "ana", Some(json!({"quota": 25})), Mode::Merge).await;
    let checked = documents.check(std::slice::from_ref(&kept)).await.pop().unwrap().unwrap();
    assert!(checked.warnings.is_empty(), "{checked:?}");
    write(&documents, &[kept]).await.pop().unwrap().unwrap();
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(text, "# ask ana first\nbase: &b {x: 1}\nquota: 25 # GB\ncopy:\n  <<: *b\n");

    let desired = json!({"base": {"x": 1}, "quota": 25, "copy": {"y": 1}});
    let lost = approved(&documents, "ana", Some(desired.clone()), Mode::Exact).await;
    let checked = documents.check(std::slice::from_ref(&lost)).await.pop().unwrap().unwrap();
    assert_eq!(checked.preview, crate::model::Preview::Partial);
    assert!(checked.warnings[0].contains("comments"), "{checked:?}");
    write(&documents, &[lost]).await.pop().unwrap().unwrap();
    assert_eq!(*live(&documents, "ana").await.unwrap().value, desired);
}

#[tokio::test]
async fn the_former_text_comes_back_bit_for_bit() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("ana.yaml");
    let text = "# mine\nb:   1\na: [ 1,2 ]\n";
    fs::write(&file, text).unwrap();
    let documents = accounts(root.path());
    let former = live(&documents, "ana").await.unwrap();
    let forward = approved(&documents, "ana", Some(json!({"b": 2})), Mode::Exact).await;
    write(&documents, &[forward]).await.pop().unwrap().unwrap();
    assert_ne!(fs::read_to_string(&file).unwrap(), text);
    let mut back = approved(&documents, "ana", Some(serde_json::Value::clone(&former.value)), Mode::Exact).await;
    back.expected = Some(Resource { id: at("ana").id, body: Body::Document(former) });
    write(&documents, &[back]).await.pop().unwrap().unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}

#[tokio::test]
async fn what_an_interrupted_write_left_is_cleared_by_the_next() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("ana.yaml"), "a: 1\n").unwrap();
    let documents = accounts(root.path());
    let update = approved(&documents, "ana", Some(json!({"a": 2})), Mode::Merge).await;
    let left = format!(".rekindle-{}.tmp", crate::model::Digest::of(b"ana.yaml").short());
    fs::write(root.path().join(left), "half wri").unwrap();
    assert_eq!(documents.list(&[everything()]).await[0].as_ref().unwrap().len(), 1);
    write(&documents, &[update]).await.pop().unwrap().unwrap();
    assert_eq!(names(root.path()), ["ana.yaml"]);
}

#[tokio::test]
async fn a_new_document_with_secrets_is_its_owners_alone() {
    let root = tempfile::tempdir().unwrap();
    let rule = crate::model::FieldRule { path: "password".into(), secret: true, ..Default::default() };
    let documents = DocumentFiles::new(DocumentFilesConfig {
        syntax: &YamlAndJson,
        root: root.path().to_owned(),
        owner_field: None,
        schema: KindSchema { fields: vec![rule], ..KindSchema::default() },
    });
    let create = approved(&documents, "ana", Some(json!({"password": "x"})), Mode::Merge).await;
    let create = decided(&documents, create).await;
    assert_eq!(create.change.file.map(|file| file.mode), Some(0o600));
    // What is usual there by the time of the write changes nothing: that was not approved.
    for name in ["bob", "cyd"] {
        let file = root.path().join(format!("{name}.yaml"));
        fs::write(&file, "a: 1\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    }
    std::os::unix::fs::chown(root.path(), Some(1234), Some(2345)).unwrap();
    write(&documents, &[create]).await.pop().unwrap().unwrap();
    let meta = fs::metadata(root.path().join("ana.yaml")).unwrap();
    assert_eq!((meta.mode() & 0o777, meta.uid()), (0o600, rustix::process::geteuid().as_raw()));
}

/// As the engine takes the component's own decisions into the plan.
async fn decided(documents: &DocumentFiles, mut approved: Approved) -> Approved {
    let checked = documents.check(std::slice::from_ref(&approved)).await.pop().unwrap().unwrap();
    Arc::make_mut(&mut approved.change).file = checked.file;
    approved
}

#[tokio::test]
async fn the_same_document_in_a_file_that_others_may_read_is_not_what_was_approved() {
    let root = tempfile::tempdir().unwrap();
    let documents = accounts(root.path());
    let create = decided(&documents, approved(&documents, "ana", Some(json!({"a": 1})), Mode::Merge).await).await;
    write(&documents, std::slice::from_ref(&create)).await.pop().unwrap().unwrap();
    write(&documents, std::slice::from_ref(&create))
        .await
        .pop()
        .unwrap()
        .expect("written again, it is as it should be");
    fs::set_permissions(root.path().join("ana.yaml"), fs::Permissions::from_mode(0o666)).unwrap();
    let refused = write(&documents, &[create]).await.pop().unwrap().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict);
    assert!(refused.chain().contains("mode 0666"), "{}", refused.chain());
}

#[tokio::test]
async fn a_batch_changes_one_document_once() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("ana.yaml"), "a: 1\n").unwrap();
    let documents = accounts(root.path());
    let one = approved(&documents, "ana", Some(json!({"a": 2})), Mode::Merge).await;
    let two = approved(&documents, "ana", Some(json!({"a": 3})), Mode::Merge).await;
    let answers = write(&documents, &[one, two]).await;
    assert!(answers[0].is_ok());
    assert_eq!(answers[1].as_ref().unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(*live(&documents, "ana").await.unwrap().value, json!({"a": 2}));
}

#[tokio::test]
async fn documents_of_several_directories_go_in_one_batch() {
    let root = tempfile::tempdir().unwrap();
    for owner in ["ana", "bob"] {
        fs::create_dir(root.path().join(owner)).unwrap();
    }
    let documents = accounts(root.path());
    let mut batch = Vec::new();
    for key in ["ana/mail", "bob/mail", "gone/mail"] {
        batch.push(approved(&documents, key, Some(json!({"a": key})), Mode::Merge).await);
    }
    let answers = write(&documents, &batch).await;
    assert!(answers[0].is_ok() && answers[1].is_ok(), "{answers:?}");
    assert_eq!(answers[2].as_ref().unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(*live(&documents, "bob/mail").await.unwrap().value, json!({"a": "bob/mail"}));
}

#[tokio::test]
async fn attributes_of_the_live_file_are_kept() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("ana.yaml");
    fs::write(&file, "a: 1\n").unwrap();
    rustix::fs::setxattr(&file, "user.note", b"kept", rustix::fs::XattrFlags::empty()).unwrap();
    let documents = accounts(root.path());
    let update = approved(&documents, "ana", Some(json!({"a": 2})), Mode::Merge).await;
    write(&documents, &[update]).await.pop().unwrap().unwrap();
    let mut value = [0; 16];
    let length = rustix::fs::getxattr(&file, "user.note", &mut value[..]).unwrap();
    assert_eq!(&value[..length], b"kept");
}

#[tokio::test]
async fn a_probe_says_whether_a_document_is_there() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ana.yaml"), "name: ana\nquota: 10G\n").unwrap();
    fs::write(folder.path().join("bad.yaml"), "name: [\n").unwrap();
    let documents = accounts(folder.path());
    let ask = |question: &str, of: Value| {
        let probe = crate::model::Probe { question: question.to_owned(), of };
        let documents = &documents;
        async move { documents.probe(&probe).await }
    };
    let there = ask("document", json!("ana")).await.unwrap();
    assert!(there.holds && there.seen == "a document of 2 fields", "{}", there.seen);
    assert!(!ask("document", json!({ "name": "bob" })).await.unwrap().holds);
    assert!(ask("document", json!("bad")).await.is_err(), "what cannot be read is no answer");
    assert!(ask("document", json!("../ana")).await.is_err());
    assert_eq!(ask("login", json!("ana")).await.unwrap_err().kind(), ErrorKind::Unsupported);
}
