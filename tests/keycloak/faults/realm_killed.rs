use std::process::Child;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use super::proxy::{Asked, Fate};
use super::*;

const STEPS: &str = "  - { id: realm, restore: keycloak, from: backup, below: realm }\n\
                     \x20 - { id: account, each: user, needs: [realm], restore: keycloak, from: backup, \
                     below: \"users/${user}\" }\n";

/// A realm that is lost, its export, and who restores it by way of a proxy.
struct Lost {
    story: Story,
    proxy: Proxy,
    operator: Operator,
    export: tempfile::TempDir,
}

fn makes(asked: &Asked) -> bool {
    asked.method == "POST" && asked.path.ends_with("/admin/realms")
}

impl Lost {
    async fn of(story: Story) -> Self {
        let name = story.sample.name.clone();
        let export = server().export(&name, "50");
        story.admin.remove_realm(&name).await;
        let proxy = Proxy::before(server().port);
        let operator = Operator::of_steps(&proxy.url, &name, export.path(), STEPS);
        Self { story, proxy, operator, export }
    }

    /// `kill -9` at the call that makes the realm, which the server goes on with.
    async fn killed_as_the_realm_is_made(&self) {
        let victim: Arc<Mutex<Option<Child>>> = Arc::default();
        let killer = Arc::clone(&victim);
        self.proxy.script(move |asked| match makes(asked) {
            true => {
                killer.lock().unwrap().as_mut().unwrap().kill().unwrap();
                Fate::CutAfter
            }
            false => Fate::Pass,
        });
        {
            let mut begins = victim.lock().unwrap();
            *begins = Some(self.operator.begin(false));
        }
        // Waited for apart: whoever waits holds the victim that is to be killed.
        let status = loop {
            if let Some(status) = victim.lock().unwrap().as_mut().unwrap().try_wait().unwrap() {
                break status;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        assert_eq!(status.code(), None, "it was not killed");
        self.proxy.script(|_| Fate::Pass);
    }

    /// The same, and the server has ended it.
    async fn killed_once_the_realm_is_made(&self) {
        self.killed_as_the_realm_is_made().await;
        let begun = Instant::now();
        while self.story.admin.call(Method::GET, &self.story.at(""), None).await.0 != 200 {
            assert!(begun.elapsed() < Duration::from_secs(120), "the realm was never made");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn with_a_run_of_its_own(self) -> Self {
        let operator = Operator::of_steps(&self.proxy.url, &self.story.sample.name, self.export.path(), STEPS);
        Self { operator, ..self }
    }

    async fn realm(&self) -> Value {
        self.story.admin.get(&self.story.at("")).await
    }

    /// All is as it was, but for what the server adds of its own to a realm that it makes.
    async fn is_back(&self, told: &str) {
        let lacking = |one: &String| one.contains("Create ") || one.contains("Update ");
        let left: Vec<String> = self.story.differences(&self.story.below("realm")).await;
        assert_eq!(left.into_iter().filter(lacking).collect::<Vec<_>>(), Vec::<String>::new(), "{told}");
        assert_eq!(self.story.differences(&self.story.below("users")).await, Vec::<String>::new(), "{told}");
        self.operator.has_nothing_left(told);
        let realm = self.realm().await;
        assert_eq!(realm["attributes"].get("rekindle.holder"), None, "nobody holds it");
        let report = self.operator.call(&["report", "--json"]);
        let report: Value = serde_json::from_slice(&report.stdout).unwrap();
        assert_eq!(report["identities"]["keycloak"]["id"], realm["id"]);
    }
}

/// The end of a session takes the name of its run out of the realm.
fn unheld(mut realm: Value) -> Value {
    realm["attributes"].as_object_mut().unwrap().remove("rekindle.holder");
    realm
}

/// With what few realms have, whatever the server makes of it.
#[tokio::test(flavor = "multi_thread")]
async fn rekindle_killed_once_it_has_made_a_realm_goes_on_with_it_by_a_resume_alone() {
    let lost = Lost::of(Story::with("killed-born", 3, true).await).await;
    lost.killed_once_the_realm_is_made().await;
    let dies = lost.operator.dying("engine::after_intent", &["resume", "--plain", "--yes"]);
    assert!(said(&dies).contains("this run has made it"), "{}", said(&dies));
    let resume = lost.operator.resume();
    assert_eq!(resume.status.code(), Some(0), "{}", said(&resume));
    assert_eq!(lost.proxy.seen(makes), 0, "{}", said(&resume));
    lost.is_back(&said(&resume)).await;
    // The realm is this run's doing still.
    let undo = lost.operator.call(&["undo", "--yes", "--yes-deletes", "--yes-irreversible"]);
    assert_eq!(undo.status.code(), Some(0), "{}", said(&undo));
    assert_eq!(lost.story.admin.call(Method::GET, &lost.story.at(""), None).await.0, 404, "{}", said(&undo));
}

/// As a supervisor does it, which starts the next one while the server still makes the realm.
#[tokio::test(flavor = "multi_thread")]
async fn a_resume_that_begins_while_the_server_makes_the_realm_goes_on_with_it() {
    let lost = Lost::of(Story::with("killed-at-once", 2, true).await).await;
    lost.killed_as_the_realm_is_made().await;
    let resume = lost.operator.resume();
    let told = said(&resume);
    assert_eq!(resume.status.code(), Some(0), "{told}");
    assert!(!told.contains("somebody has made it"), "{told}");
    assert_eq!(lost.realm().await["enabled"], true);
    lost.is_back(&told).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rekindle_killed_around_the_making_of_a_realm_resumes_to_the_same_end() {
    let lost = Lost::of(Story::of("killed-around", 2).await).await;
    for point in ["engine::after_intent", "engine::after_effect", "engine::before_outcome"] {
        lost.operator.dying(point, &lost.operator.on_runbook("run", &["--plain", "--yes"]));
        let resume = lost.operator.resume();
        assert_eq!(resume.status.code(), Some(0), "{point}: {}", said(&resume));
        lost.is_back(point).await;
        lost.story.admin.remove_realm("killed-around").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_realm_of_the_same_name_is_neither_claimed_nor_written_nor_removed() {
    let lost = Lost::of(Story::of("killed-other", 1).await).await;
    lost.killed_once_the_realm_is_made().await;
    lost.story.admin.remove_realm("killed-other").await;
    lost.story.admin.make_realm(&json!({"realm": "killed-other", "enabled": true, "displayName": "Theirs"})).await;
    let theirs = lost.realm().await;
    let resume = lost.operator.resume();
    let told = said(&resume);
    assert!(told.contains("UNKNOWN") && told.contains("another one, which this run did not make"), "{told}");
    assert!(told.contains(theirs["id"].as_str().unwrap()), "{told}");
    for resume in [resume, lost.operator.resume()] {
        assert_eq!(resume.status.code(), Some(1), "{}", said(&resume));
        assert_eq!(lost.realm().await, theirs, "{}", said(&resume));
        assert_eq!(lost.proxy.seen(Asked::writes), 0, "{}", said(&resume));
    }
    let report = lost.operator.call(&["report", "--json"]);
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    assert_ne!(report["identities"]["keycloak"]["id"], theirs["id"], "it is not what this run has made");
    let undo = lost.operator.call(&["undo", "--yes", "--yes-deletes", "--yes-irreversible"]);
    assert_ne!(undo.status.code(), Some(0), "{}", said(&undo));
    assert_eq!(lost.realm().await, theirs, "{}", said(&undo));
}

type Touch = fn(&mut Value);

/// What was changed in it, or what does not say that this run made it, is a person's to decide; what was added stays.
#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_did_to_the_new_realm_meanwhile_is_not_overwritten_in_silence() {
    let mut lost = Lost::of(Story::of("killed-touched", 1).await).await;
    let changes: [(&str, Touch); 2] = [
        ("/displayName", |realm| realm["displayName"] = json!("Theirs")),
        ("/attributes", |realm| {
            realm["attributes"].as_object_mut().unwrap().remove("rekindle.holder").unwrap();
        }),
    ];
    for (place, change) in changes {
        lost.killed_once_the_realm_is_made().await;
        let mut touched = lost.realm().await;
        change(&mut touched);
        lost.story.put("", touched.clone()).await;
        let resume = lost.operator.resume();
        assert_eq!(resume.status.code(), Some(1), "{place}: {}", said(&resume));
        assert!(said(&resume).contains("is neither as it was nor as approved"), "{place}: {}", said(&resume));
        assert_eq!(unheld(lost.realm().await), unheld(touched), "{place}: {}", said(&resume));
        lost.story.admin.remove_realm("killed-touched").await;
        lost = lost.with_a_run_of_its_own();
    }
    lost.killed_once_the_realm_is_made().await;
    let app = lost.story.admin.get(&lost.story.at("/clients?clientId=app")).await[0].clone();
    let mut more = app.clone();
    more["redirectUris"].as_array_mut().unwrap().push(json!("https://theirs.example.org/*"));
    let at = format!("/clients/{}", app["id"].as_str().unwrap());
    lost.story.put(&at, more).await;
    let resume = lost.operator.resume();
    assert_eq!(resume.status.code(), Some(0), "{}", said(&resume));
    lost.is_back(&said(&resume)).await;
    let uris = lost.story.admin.get(&lost.story.at(&at)).await["redirectUris"].clone();
    assert!(uris.as_array().unwrap().contains(&json!("https://theirs.example.org/*")), "{uris}");
}
