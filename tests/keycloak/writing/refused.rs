//! What the living realm's own rules make of a restore: said before it is approved, and nothing half done.

use rekindle::model::{ErrorKind, Known};

use super::*;

/// A policy that sets parts of every client, whoever writes it.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_a_policy_changes_as_it_is_written_is_said_to_be_otherwise() {
    let story = Story::seen("policed", 0).await;
    story.remove(&format!("/clients/{}", story.sample.id("app"))).await;
    let executor = |name: &str| json!({"executor": name, "configuration": {"auto-configure": true}});
    let profile = json!({"name": "strict", "executors": [executor("pkce-enforcer"), executor("full-scope-disabled")]});
    story.put("/client-policies/profiles", json!({"profiles": [profile]})).await;
    let policy = async |enabled: bool| {
        let all = json!({"name": "all apps", "enabled": enabled, "profiles": ["strict"],
            "conditions": [{"condition": "any-client", "configuration": {}}]});
        story.put("/client-policies/policies", json!({"policies": [all]})).await;
    };
    policy(true).await;
    let app = [story.one("realm/clients/app")];
    let changes = story.plan(&app, &[]).await;
    let warned = story.component.check(&changes).await.pop().unwrap().unwrap().warnings;
    assert!(warned.iter().any(|line| line.contains("client policy all apps sets parts")), "{warned:?}");
    let error = story.write(&changes).await.pop().unwrap().unwrap_err();
    let told = "the realm's client policy all apps set it otherwise as it was written: its attributes.\"pkce.code";
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Refused, Known::Unknown), "{}", error.chain());
    assert!(error.chain().contains(told), "{}", error.chain());
    // As the error says.
    policy(false).await;
    let changes = story.plan(&app, &[]).await;
    assert_eq!(story.component.check(&changes).await.pop().unwrap().unwrap().warnings, nothing());
    let live = story.now(&app).await.pop().unwrap();
    story.write_all(&[story.change(&app[0].id, live, Some(app[0].clone()), Mode::Exact, &[]).unwrap()]).await;
    assert_eq!(story.differences(&app).await, nothing());
}

/// The server takes no change of somebody whose name it would not give today; it takes their second factor away.
#[tokio::test(flavor = "multi_thread")]
async fn whom_the_user_profile_does_not_take_keeps_all_and_is_given_what_is_not_looked_at() {
    let story = Story::seen("unnameable", 7).await;
    let mut oneil = story.backup_of("o'neil");
    let at = format!("/users/{}", story.id_of("o'neil").await);
    let mappings = story.at(&format!("{at}/role-mappings/realm"));
    let reader = story.admin.get(&story.at("/roles/reader")).await;
    assert_eq!(story.admin.call(Method::DELETE, &mappings, Some(json!([reader]))).await.0, 204);
    // Of the same second the backup has another telephone.
    let rekindle::model::Body::Document(document) = &mut oneil.body else { panic!("no document") };
    let value = std::sync::Arc::make_mut(&mut document.value);
    let otp = value["credentials"].as_array_mut().unwrap().iter_mut().find(|one| one["type"] == "otp").unwrap();
    otp["state"] = json!(otp["state"].as_str().unwrap().replace("\"digits\":6", "\"digits\":8"));
    let data = otp["hidden"]["credentialData"].as_str().unwrap().replace("\"digits\":6", "\"digits\":8");
    otp["hidden"]["credentialData"] = json!(data);
    let place = format!("credentials[key={}].state", otp["key"].as_str().unwrap());
    let people = [oneil];
    let credentials = async || story.admin.get(&story.at(&format!("{at}/credentials"))).await;
    let before = credentials().await;
    assert_eq!(before.as_array().unwrap().len(), 2);

    let changes = story.plan(&people, &[]).await;
    let warned = story.component.check(&changes).await.pop().unwrap().unwrap().warnings;
    let told = "does not take the user's username (username-prohibited-characters)";
    assert!(warned.iter().any(|line| line.contains("refused as it stands") && line.contains(told)), "{warned:?}");
    let error = story.write(&changes).await.pop().unwrap().unwrap_err();
    assert_eq!(error.effect(), Known::NotApplied, "{}", error.chain());
    assert!(error.chain().contains("(username)"), "{}", error.chain());
    assert_eq!(credentials().await, before, "the second factor is there");
    let rest = story.plan(&people, &[&place]).await;
    assert_eq!(story.component.check(&rest).await.pop().unwrap().unwrap().warnings, nothing());
    story.write_all(&rest).await;
    assert_eq!(story.differences(&people).await, [format!("user users/o'neil: Update {place}")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_e_mail_that_somebody_else_has_by_now_is_said_to_be_theirs() {
    let story = Story::seen("mailbox", 2).await;
    let at = format!("/users/{}", story.id_of("ana").await);
    let mut shown = story.admin.get(&story.at(&at)).await;
    shown["email"] = json!("elsewhere@example.org");
    shown["firstName"] = json!("Otherwise");
    story.put(&at, shown).await;
    story.post("/users", json!({"username": "squatter", "email": "person0@people.example.org"})).await;
    let changes = story.plan(&[story.one("users/ana")], &[]).await;
    let error = story.write(&changes).await.pop().unwrap().unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Conflict, Known::NotApplied), "{}", error.chain());
    assert!(
        error.chain().contains("its e-mail person0@people.example.org belongs to the user squatter"),
        "{}",
        error.chain()
    );
    assert_eq!(story.admin.get(&story.at(&at)).await["firstName"], json!("Otherwise"), "it is untouched");
}

/// A file from the admin console has a mask in the place of each secret: that is none, and none is not an empty one.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_whose_secret_is_masked_in_the_backup_keeps_its_own_or_is_given_one() {
    use crate::faults::{Operator, said};
    use rekindle::components::keycloak::canonical;
    let story = Story::seen("masked", 0).await;
    let path = story.at("/partial-export?exportClients=true&exportGroupsAndRoles=true");
    let export = story.admin.call(Method::POST, &path, None).await.1;
    assert!(export.to_string().contains("\"secret\":\"**********\""));
    let backup = canonical::realm(&export).unwrap();
    let clients: Vec<Resource> =
        story.below("realm/clients").iter().map(|one| backup.resources[&one.id.key].resource()).collect();
    let at = |client: &str| format!("/clients/{}", story.sample.id(client));
    // In exact mode nothing masked is gone: of clients, of the provider, of the mail server, of the keys.
    let everything: Vec<Resource> = backup.resources.values().map(canonical::Canonical::resource).collect();
    assert_eq!(story.differences(&everything).await, nothing());
    story.remove(&at("app")).await;
    let mut batch = story.admin.get(&story.at(&at("batch"))).await;
    batch["redirectUris"] = json!([]);
    batch["attributes"]["access.token.lifespan"] = json!("9");
    batch["standardFlowEnabled"] = json!(true);
    story.put(&at("batch"), batch).await;
    story.write_all(&story.plan(&clients, &[]).await).await;
    let secret = async |client: &str| story.admin.get(&story.at(&at(client))).await["secret"].clone();
    assert_eq!(secret("batch").await, json!("batch secret"));
    let made = secret("app").await;
    assert!(made.as_str().is_some_and(|made| made.len() >= 20 && !made.contains('*')), "{made}");
    assert_eq!(
        story.differences(&clients).await,
        ["client realm/clients/batch: Delete attributes.\"access.token.lifespan\""]
    );

    // By the shipped program, which reads back what it has written.
    story.remove(&at("app")).await;
    let files = tempfile::tempdir().unwrap();
    std::fs::write(files.path().join("masked-realm.json"), export.to_string()).unwrap();
    let step = "  - { id: clients, restore: keycloak, from: backup, below: realm/clients, mode: exact }\n";
    let operator = Operator::of_steps(&server().url(), "masked", files.path(), step);
    let plan = operator.plan();
    assert_eq!(plan.status.code(), Some(2), "{}", said(&plan));
    assert!(said(&plan).contains("masked in the source, so not written: secret"), "{}", said(&plan));
    let run = operator.call(&operator.on_runbook("run", &["--plain", "--yes", "--yes-deletes"]));
    assert_eq!(run.status.code(), Some(0), "{}", said(&run));
    let plan = operator.plan();
    assert_eq!(plan.status.code(), Some(0), "{}", said(&plan));
    assert_eq!(secret("batch").await, json!("batch secret"));
    let made = secret("app").await;
    assert!(made.as_str().is_some_and(|made| made.len() >= 20 && !made.contains('*')), "{made}");
}
