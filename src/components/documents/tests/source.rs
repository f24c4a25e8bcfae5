use super::super::*;
use super::shelf::Shelf;
use crate::components::files::{FilesSource, TREE};
use crate::document_files::{DocumentFiles, DocumentFilesConfig, DocumentFilesSource};
use crate::model::{ErrorKind, KindSchema, Location, Owner, Resource, Scope, TreePath};
use crate::reader::{Reader, Wanted};

fn path(text: &str) -> TreePath {
    TreePath::new(text).unwrap()
}

fn scope(below: &str, to: &str, owner: Option<&str>) -> Scope {
    let owner = owner.map(|name| Owner { set: "user".into(), name: name.into() });
    Scope { below: path(below), to: path(to), owner }
}

fn shown(list: &[Location]) -> Vec<String> {
    list.iter().map(|location| format!("{} at {}", location.id, location.at)).collect()
}

fn backup(owner_field: Option<&str>) -> DocumentFilesSource {
    let shelf = Shelf::of(&[
        ("etc/accounts/ana.yaml", "user: ana\nroles: [dev]\n"),
        ("etc/accounts/bob.json", "{\"user\": \"bob\"}"),
        ("etc/accounts/second.yml", "user: ana\n"),
        ("etc/accounts/deeper/x.yaml", "user: cyd\n"),
        ("etc/accounts/README", "no document"),
    ]);
    DocumentFilesSource::new(&YamlAndJson, shelf, owner_field.map(str::to_owned), KindSchema::default())
}

#[tokio::test]
async fn a_backups_documents_have_the_ids_of_the_live_ones() {
    let source = backup(None);
    assert_eq!(source.owners(&path("etc/accounts"), None).await.unwrap().names, ["ana", "bob", "second"]);
    let listed = source.list(&[scope("etc/accounts", "", None), scope("etc/accounts", "sub", Some("bob"))]).await;
    let (all, bob) = (listed[0].as_ref().unwrap(), listed[1].as_ref().unwrap());
    assert_eq!(
        shown(all),
        [
            "document ana at etc/accounts/ana.yaml",
            "document bob at etc/accounts/bob.json",
            "document second at etc/accounts/second.yml"
        ]
    );
    assert_eq!(shown(bob), ["document sub/bob at etc/accounts/bob.json"]);
    let gone = Location { at: path("etc/accounts/gone.yaml"), ..all[0].clone() };
    let read = source.read(&Wanted::alone(&[all[1].clone(), gone, all[0].clone()])).await;
    let value = |resource: &Resource| resource.document().unwrap().value.to_string();
    assert_eq!(value(read[0].as_ref().unwrap().as_ref().unwrap()), "{\"user\":\"bob\"}");
    assert!(read[1].as_ref().unwrap().is_none());
    assert_eq!(read[2].as_ref().unwrap().as_ref().unwrap().id.key, path("ana"));
}

#[tokio::test]
async fn a_field_tells_the_owner_in_a_backup_too() {
    let source = backup(Some("user"));
    assert_eq!(source.owners(&path("etc/accounts"), None).await.unwrap().names, ["ana", "bob"]);
    let listed = source.list(&[scope("etc/accounts", "", Some("ana"))]).await;
    assert_eq!(listed[0].as_ref().unwrap().len(), 2);
}

#[tokio::test]
async fn a_backup_without_that_directory_is_not_a_backup_of_nothing() {
    let source = backup(None);
    let error = source.list(&[scope("home", "", None)]).await.pop().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.hint().is_some());
}

#[tokio::test]
async fn a_scope_of_files_is_one_tree() {
    let shelf = Shelf::of(&[("home/ana/x", "1"), ("home/bob/y", "2"), ("home/README", "3")]);
    let source = FilesSource::new(shelf, KindSchema::default());
    assert_eq!(source.owners(&path("home"), None).await.unwrap().names, ["ana", "bob"]);
    let listed = source.list(&[scope("home/ana", "ana", None), scope("home/cyd", "cyd", None)]).await;
    assert_eq!(shown(listed[0].as_ref().unwrap()), [format!("{TREE} ana at home/ana")]);
    assert_eq!(listed[1].as_ref().unwrap_err().kind(), ErrorKind::NotFound);
    let read = source.read(&Wanted::alone(listed[0].as_ref().unwrap())).await.pop().unwrap().unwrap().unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut read.tree().unwrap().open(&path("x")).unwrap(), &mut text).unwrap();
    assert_eq!(text, "1");
}

#[tokio::test]
async fn documents_that_are_links_are_followed_inside_the_backup_or_refused_by_name() {
    use std::os::unix::fs::symlink;
    let root = tempfile::tempdir().unwrap();
    let at = |path: &str| root.path().join(path);
    std::fs::create_dir_all(at("etc/available")).unwrap();
    std::fs::create_dir_all(at("etc/enabled")).unwrap();
    std::fs::write(at("etc/available/ana.yaml"), "quota: 9\n").unwrap();
    std::fs::write(at("etc/enabled/cyd.yaml"), "quota: 1\n").unwrap();
    symlink("enabled", at("etc/current")).unwrap();
    for (name, target) in [
        ("ana", "../available/ana.yaml"),
        ("bob", "/etc/available/ana.yaml"),
        ("eve", "../../../../etc/passwd"),
        ("gone", "nothing.yaml"),
        ("round", "round.yaml"),
        ("folder", "../available"),
    ] {
        symlink(target, at("etc/enabled").join(format!("{name}.yaml"))).unwrap();
    }
    let store = std::sync::Arc::new(crate::stores::DirectoryStore::open(root.path()).unwrap());
    let source = DocumentFilesSource::new(&YamlAndJson, store, None, KindSchema::default());
    for below in ["etc/enabled", "etc/current"] {
        let listed = source.list(&[scope(below, "", None)]).await.pop().unwrap().unwrap();
        assert_eq!(listed.len(), 7, "what cannot be read is not absent: {listed:?}");
        let read = source.read(&Wanted::alone(&listed)).await;
        for (location, read) in listed.iter().zip(read) {
            match location.id.key.to_string().as_str() {
                "ana" | "bob" => assert_eq!(read.unwrap().unwrap().document().unwrap().value["quota"], 9),
                "cyd" => assert_eq!(read.unwrap().unwrap().document().unwrap().value["quota"], 1),
                name => assert!(read.unwrap_err().to_string().contains(name), "{name}"),
            }
        }
    }
}

#[tokio::test]
async fn a_document_that_cannot_be_read_is_named_with_its_side_and_its_whole_path() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("accounts/ana.yaml");
    std::fs::create_dir(root.path().join("accounts")).unwrap();
    let backups: [std::sync::Arc<dyn crate::stores::Store>; 2] = [
        std::sync::Arc::new(crate::stores::DirectoryStore::open(root.path()).unwrap()),
        Shelf::of(&[("accounts/ana.yaml", "a: 1\na: 2\n")]),
    ];
    let broken = ["a: 1\na: 2\n", "a: 1\n---\nb: 1\n", "a: !mine 1\n", "bare\n", ""];
    for text in broken {
        std::fs::write(&file, text).unwrap();
        let schema = KindSchema::default();
        let live = DocumentFiles::new(DocumentFilesConfig {
            syntax: &YamlAndJson,
            root: root.path().to_owned(),
            owner_field: None,
            schema,
        });
        let at = Location { id: scope_id("accounts/ana"), at: path("accounts/ana.yaml") };
        let live = live.read(&Wanted::alone(std::slice::from_ref(&at))).await.pop().unwrap().unwrap_err();
        assert!(live.to_string().contains(&format!("the live document {}", file.display())), "{live}");
        for (number, store) in backups.iter().enumerate() {
            let source =
                DocumentFilesSource::new(&YamlAndJson, std::sync::Arc::clone(store), None, KindSchema::default());
            let error = source.read(&Wanted::alone(std::slice::from_ref(&at))).await.pop().unwrap().unwrap_err();
            let place = if number == 0 { file.display().to_string() } else { "accounts/ana.yaml of the".to_owned() };
            let words = error.to_string();
            assert!(words.contains(&place) && words.contains(", in the backup"), "{error}");
            assert!(!words.contains("live"), "{error}");
            for next in [error.hint().unwrap(), live.hint().unwrap()] {
                assert!(!next.contains("remove") && !next.contains("delete"), "it may be all that is left: {next}");
            }
        }
    }
}

fn scope_id(key: &str) -> crate::model::ResourceId {
    crate::model::ResourceId { kind: KIND.into(), key: path(key) }
}
