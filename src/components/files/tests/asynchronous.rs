use super::*;
use crate::component::Component;
use crate::components::files::FilesComponent;
use crate::model::{Location, Probe, Scope};
use crate::reader::{Reader, Wanted};

fn component(ground: &Ground) -> FilesComponent {
    FilesComponent::new(ground.config())
}

fn scope(to: &str) -> Scope {
    Scope { below: TreePath::root(), to: TreePath::new(to).unwrap(), owner: None }
}

async fn a_story(ground: &Ground) {
    let files = component(ground);
    assert!(files.list(&[scope(KEY)]).await.remove(0).unwrap().is_empty());
    let plan = ground.plan();
    assert!(files.check(std::slice::from_ref(&plan)).await.remove(0).is_ok());
    let effect = files.write(std::slice::from_ref(&plan), &ground.ledger).await.remove(0).unwrap();
    assert_eq!(effect.contents.len(), 1);
    assert_eq!(ground.ledger.kept.lock().unwrap().len(), 1);
    let listed = files.list(&[scope(KEY)]).await.remove(0).unwrap();
    let read = files.read(&Wanted::alone(&listed)).await.remove(0).unwrap().unwrap();
    assert_eq!(entries(&**read.tree().unwrap()).len(), 2);
    let nobody = Location { at: TreePath::new("nobody").unwrap(), ..listed[0].clone() };
    assert!(files.read(&Wanted::alone(&[nobody])).await.remove(0).unwrap().is_none());
    assert_eq!(files.owners(&TreePath::root(), None).await.unwrap().names, [KEY]);
}

#[tokio::test]
async fn every_verb_works_on_one_thread() {
    let ground = Ground::new();
    a_story(ground.backup("echo 1 > one")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_verb_works_on_many_threads() {
    let ground = Ground::new();
    a_story(ground.backup("echo 1 > one")).await;
}

#[tokio::test]
async fn a_missing_root_is_the_answer_to_every_question() {
    let mut ground = Ground::new();
    ground.live.push("not-there");
    let files = component(&ground);
    let answers = files.list(&[scope("a"), scope("b")]).await;
    assert_eq!(answers.len(), 2);
    assert!(answers.into_iter().all(|answer| answer.unwrap_err().kind() == ErrorKind::NotFound));
}

#[tokio::test]
async fn a_probe_looks_beneath_the_root_alone() {
    let ground = Ground::new();
    ground.live("echo hello > .profile");
    let files = component(&ground);
    let ask = |of: serde_json::Value| {
        let files = &files;
        async move { files.probe(&Probe { question: "file".into(), of }).await }
    };
    let whole = ground.live.join("ana/.profile");
    for path in ["ana/.profile", whole.to_str().unwrap()] {
        let answer = ask(path.into()).await.unwrap();
        assert!(answer.holds && answer.seen.starts_with("a file of 6 bytes"), "{}", answer.seen);
    }
    assert!(!ask(serde_json::json!({"path": "ana/none"})).await.unwrap().holds);
    assert!(ask("/etc/passwd".into()).await.is_err());
    assert!(ask("../../etc/passwd".into()).await.is_err());
}
