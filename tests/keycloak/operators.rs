//! Two operators on one realm, each with the shipped program and a state folder of their own.

use std::process::{Child, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::faults::proxy::{Asked, Fate, Proxy};
use crate::faults::{Operator, said};
use crate::holding::holder;
use crate::keycloak::server;
use crate::writing::Story;

const PEOPLE: usize = 90;

fn imports(asked: &Asked) -> bool {
    asked.writes() && asked.path.contains("partialImport")
}

/// A realm that everybody of its export is missing from, and the first operator's way to it, where each request can be
/// made to wait.
struct Ground {
    story: Story,
    export: tempfile::TempDir,
    proxy: Proxy,
    first: Operator,
    second: Operator,
}

impl Ground {
    async fn new(name: &str) -> Self {
        let story = Story::of(name, PEOPLE).await;
        let export = server().export(name, "50");
        for user in Self::people_of(&story).await {
            story.remove(&format!("/users/{user}")).await;
        }
        let proxy = Proxy::before(server().port);
        let first = Operator::new(&proxy.url, name, export.path());
        let second = Operator::new(&server().url(), name, export.path());
        Self { story, export, proxy, first, second }
    }

    async fn people_of(story: &Story) -> Vec<String> {
        let users = story.admin.get(&story.at("/users?max=-1")).await;
        users.as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap().to_owned()).collect()
    }

    async fn people(&self) -> usize {
        Self::people_of(&self.story).await.len()
    }

    /// The first operator's run, standing still at its first import until it is let go.
    fn first_stands_still(&self) -> Standing {
        let (reached, is_reached) = channel();
        let (go, may_go) = channel::<()>();
        let (reached, may_go) = (Mutex::new(reached), Mutex::new(may_go));
        self.proxy.script(move |asked| {
            if imports(asked) {
                let _ = reached.lock().unwrap().send(());
                // All of them wait for the one that waits for the word.
                let _ = may_go.lock().unwrap().recv();
            }
            Fate::Pass
        });
        let child = self.first.begin(false);
        is_reached.recv_timeout(Duration::from_secs(120)).unwrap();
        Standing { child, go }
    }

    async fn everybody_is_there_once(&self) {
        assert_eq!(self.people().await, PEOPLE);
        assert_eq!(self.story.differences(&self.story.below("users")).await, Vec::<String>::new());
        assert!(self.export.path().exists());
    }
}

struct Standing {
    child: Child,
    go: Sender<()>,
}

impl Standing {
    /// Its requests go on, and it comes to its end.
    fn ends(self) -> Output {
        drop(self.go);
        self.child.wait_with_output().unwrap()
    }
}

#[track_caller]
fn exits(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{}", said(output));
    said(output)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_operator_is_told_who_has_the_realm_writes_nothing_and_takes_over_by_a_decision() {
    let ground = Ground::new("two").await;
    let standing = ground.first_stands_still();
    let by = holder(&ground.story).await.unwrap()["by"].as_str().unwrap().to_owned();
    let held = format!("it is held by {by} with the run ");
    let told = exits(&ground.second.plan(), 2);
    assert!(told.contains(&held) && told.contains("--take-over"), "{told}");
    let told = exits(&ground.second.run(), 2);
    assert!(told.contains("paused by rekindle") && told.contains(&held), "{told}");
    assert!(told.contains("--take-over") && told.contains("next: rekindle resume"), "{told}");
    assert_eq!(ground.people().await, 0, "the first stands still, and the second has written nothing");

    let told = exits(&ground.second.call(&["resume", "--plain", "--yes", "--take-over"]), 0);
    assert!(told.contains("note: --take-over:") && told.contains(&format!("from {by}")), "{told}");
    assert_eq!(holder(&ground.story).await, None, "released at the end");
    ground.everybody_is_there_once().await;
    let report = exits(&ground.second.call(&["report"]), 0);
    assert!(report.contains("--take-over:"), "{report}");

    // What it had begun is refused by the server, for they are there, and the rest by what stands in the realm.
    let told = said(&standing.ends());
    assert!(told.contains("is gone: another run took it and has ended"), "{told}");
    ground.everybody_is_there_once().await;
    exits(&ground.first.resume(), 0);
    ground.everybody_is_there_once().await;
    assert_eq!(holder(&ground.story).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_run_goes_on_by_itself_and_another_one_needs_a_decision() {
    let ground = Ground::new("heir").await;
    let mut standing = ground.first_stands_still();
    standing.child.kill().unwrap();
    standing.child.wait().unwrap();
    let left = holder(&ground.story).await.unwrap();
    drop(standing.go);
    let told = exits(&ground.second.run(), 2);
    assert!(told.contains("it is held by"), "{told}");
    ground.proxy.script(|_| Fate::Pass);
    exits(&ground.first.resume(), 0);
    assert_eq!(left["epoch"], 1);
    assert_eq!(holder(&ground.story).await, None);
    ground.everybody_is_there_once().await;
    exits(&ground.second.resume(), 0);
}

/// All is written and proved by then, so that the next session has nothing to hold the realm for.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_was_left_by_a_session_killed_at_its_very_end_goes_with_the_next_one() {
    let ground = Ground::new("last-breath").await;
    let victim = Arc::new(Mutex::new(None::<Child>));
    let killer = Arc::clone(&victim);
    let puts = AtomicUsize::new(0);
    ground.proxy.script(move |asked| {
        // The first takes the realm.
        let lets_go = asked.method == "PUT"
            && asked.path == "/admin/realms/last-breath"
            && puts.fetch_add(1, Ordering::Relaxed) == 1;
        if !lets_go {
            return Fate::Pass;
        }
        killer.lock().unwrap().as_mut().unwrap().kill().unwrap();
        Fate::CutBefore
    });
    *victim.lock().unwrap() = Some(ground.first.begin(false));
    while victim.lock().unwrap().as_mut().unwrap().try_wait().unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!((holder(&ground.story).await.is_some(), ground.people().await), (true, PEOPLE));
    exits(&ground.first.resume(), 0);
    assert_eq!(holder(&ground.story).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_realm_is_free_again_when_a_run_was_left_closed_or_undone_and_no_plan_sees_the_name() {
    let ground = Ground::new("freed").await;
    let standing = ground.first_stands_still();
    let pid = rustix::process::Pid::from_child(&standing.child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    // What was under way is ended: all of it, or what its batch had.
    let left = standing.ends();
    assert!(matches!(left.status.code(), Some(0 | 2)), "{}", said(&left));
    assert_eq!(holder(&ground.story).await, None, "left");
    ground.proxy.script(|_| Fate::Pass);
    exits(&ground.first.resume(), 0);
    assert_eq!(holder(&ground.story).await, None, "ended");
    exits(&ground.first.call(&["undo", "--yes", "--yes-deletes", "--yes-irreversible"]), 0);
    assert_eq!(ground.people().await, 0);
    assert_eq!(holder(&ground.story).await, None, "undone");

    let mut standing = ground.first_stands_still();
    standing.child.kill().unwrap();
    standing.child.wait().unwrap();
    drop(standing.go);
    ground.proxy.script(|_| Fate::Pass);
    assert!(holder(&ground.story).await.is_some());
    exits(&ground.first.call(&["verify"]), 1);
    assert!(holder(&ground.story).await.is_some(), "verify takes nothing and gives nothing back");
    exits(&ground.first.call(&["close", "--yes"]), 0);
    assert_eq!(holder(&ground.story).await, None, "closed");
}
