//! What a server takes without a word and a restore must not hand to it.

use rekindle::model::{ErrorKind, Known};

use super::*;
use crate::sample::people::username;

/// The server takes it, and then neither of the two logs in by that provider.
#[tokio::test(flavor = "multi_thread")]
async fn an_identity_that_another_account_is_linked_to_is_not_given_twice() {
    let story = Story::seen("twice", 5).await;
    let (bob, erika) = (story.id_of(&username(1)).await, story.id_of(&username(4)).await);
    story.remove(&format!("/users/{bob}/federated-identity/corp")).await;
    story.remove(&format!("/users/{erika}")).await;
    let ana = story.id_of("ana").await;
    let people = [story.one("users/bob+test@example.org"), story.backup_of(&username(4))];
    let changes = story.plan(&people, &[]).await;
    assert_eq!(changes.len(), 2);
    let link = |id: &str| json!({"identityProvider": "corp", "userId": id, "userName": "taken"});
    story.post(&format!("/users/{ana}/federated-identity/corp"), link("corp-1")).await;
    let carla = story.id_of(&username(2)).await;
    story.post(&format!("/users/{carla}/federated-identity/corp"), link("corp-4")).await;
    for (answer, holder) in story.write(&changes).await.into_iter().zip(["ana", "carla de la cruz"]) {
        let error = answer.unwrap_err();
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Conflict, Known::NotApplied), "{}", error.chain());
        assert!(error.chain().contains(&format!("belongs to the user {holder}")), "{}", error.chain());
    }
    assert_eq!(story.admin.get(&story.at(&format!("/users/{bob}/federated-identity"))).await, json!([]));
    assert_eq!(story.admin.get(&story.at("/users?search=person4@people.example.org")).await, json!([]));
}

/// The server's own words are "User exists with same username or email", when half of the user is written.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_whose_label_is_taken_is_refused_before_anything_is_written() {
    let story = Story::seen("label", 2).await;
    let bob = story.id_of(&username(1)).await;
    let at = format!("/users/{bob}");
    let credentials = story.admin.get(&story.at(&format!("{at}/credentials"))).await;
    let otp = credentials.as_array().unwrap().iter().find(|one| one["type"] == "otp").unwrap().clone();
    story.remove(&format!("{at}/credentials/{}", otp["id"].as_str().unwrap())).await;
    // A new telephone of the old name.
    let mut newer = otp.clone();
    newer["createdDate"] = json!(1_790_000_000_000_u64);
    newer["secretData"] = json!("{\"value\":\"JBSWY3DPEHPK3PXP\"}");
    newer.as_object_mut().unwrap().remove("id");
    story.put(&at, json!({"credentials": [newer]})).await;
    let shown = story.admin.get(&story.at(&at)).await;
    let mut renamed = shown.clone();
    renamed["firstName"] = json!("Otherwise");
    story.put(&at, renamed).await;
    let bob = [story.one("users/bob+test@example.org")];
    let changes = story.plan(&bob, &[]).await;
    let warned = story.component.check(&changes).await.pop().unwrap().unwrap().warnings;
    assert!(warned.iter().any(|warning| warning.contains("telephone")), "{warned:?}");
    let error = story.write(&changes).await.pop().unwrap().unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Conflict, Known::NotApplied), "{}", error.chain());
    assert!(error.chain().contains("another one of this user is called telephone"), "{}", error.chain());
    assert_eq!(story.admin.get(&story.at(&at)).await["firstName"], json!("Otherwise"), "it is untouched");
    // In exact mode the newer one goes first, and the older one comes.
    let live = story.now(&bob).await.pop().unwrap();
    let exact = story.change(&bob[0].id, live, Some(bob[0].clone()), Mode::Exact, &[]).unwrap();
    story.write_all(&[exact]).await;
    assert_eq!(story.differences(&bob).await, nothing());
}

/// The call that makes a realm makes every role that anything in it names.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_out_of_a_new_realm_is_not_made_by_what_names_it() {
    let story = Story::seen("leftout", 0).await;
    story.admin.remove_realm("leftout").await;
    let left_out = ["realm/roles/realm/reader", "realm/roles/client/app/read", "realm/groups/staff/berlin"];
    let left_out = left_out.map(|place| TreePath::new(place).unwrap());
    let mut realm = story.below("realm");
    realm.retain(|one| !left_out.contains(&one.id.key));
    let changes = story.plan(&realm, &[]).await;
    let refused: Vec<String> =
        story.write(&changes).await.into_iter().filter_map(|one| Some(one.err()?.chain())).collect();
    let roles = story.admin.get(&story.at("/roles")).await;
    assert!(!roles.as_array().unwrap().iter().any(|role| role["name"] == "reader"), "the role reader was made");
    let app = story.sample.id("app");
    let roles = story.admin.get(&story.at(&format!("/clients/{app}/roles"))).await;
    assert!(!roles.as_array().unwrap().iter().any(|role| role["name"] == "read"), "the role read was made");
    // Who names it is told: staff, chief, app's manage, the service account of batch; and what lay below berlin.
    for word in ["realm role reader", "client role app/read", "group staff/berlin"] {
        assert!(refused.iter().any(|one| one.contains(word)), "{word}: {refused:#?}");
    }
    assert_eq!(refused.len(), 6, "{refused:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn undo_of_clients_providers_and_organizations_takes_away_what_came_with_them() {
    let story = Story::seen("wayback", 1).await;
    for client in ["app", "batch"] {
        story.remove(&format!("/clients/{}", story.sample.id(client))).await;
    }
    story.remove("/identity-provider/instances/corp").await;
    let organizations = story.admin.get(&story.at("/organizations")).await;
    story.remove(&format!("/organizations/{}", organizations[0]["id"].as_str().unwrap())).await;
    let realm = story.below("realm");
    let changes = story.plan(&realm, &[]).await;
    story.write_all(&changes).await;
    assert_eq!(story.differences(&realm).await, nothing());
    story.undo_leads_back(&changes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn undo_of_a_realm_that_was_made_takes_the_realm_away_unless_somebody_lives_in_it() {
    let story = Story::seen("unmaking", 1).await;
    story.admin.remove_realm("unmaking").await;
    let changes = story.plan(&story.below("realm"), &[]).await;
    story.write_all(&changes).await;
    let back = story.undo(&changes).await;
    story.post("/users", json!({"username": "newcomer", "enabled": true})).await;
    let refused: Vec<String> =
        story.write(&back).await.into_iter().filter_map(|one| Some(one.err()?.chain())).collect();
    assert_eq!(refused.len(), back.len());
    assert!(refused[0].contains("1 user"), "{}", refused[0]);
    assert!(story.admin.get(&story.at("/clients")).await.as_array().unwrap().len() > 8, "nothing was taken away");
    let newcomer = story.id_of("newcomer").await;
    story.remove(&format!("/users/{newcomer}")).await;
    story.write_all(&back).await;
    assert_eq!(story.admin.call(Method::GET, "/unmaking", None).await.0, 404);
    story.write_all(&back).await;
}

/// Taking a managed member out of its organization removes the account itself.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_never_removed_with_its_organization() {
    let story = Story::seen("managed", 2).await;
    let organizations = story.admin.get(&story.at("/organizations")).await;
    let acme = organizations[0]["id"].as_str().unwrap().to_owned();
    story.post(&format!("/organizations/{acme}/identity-providers"), json!("corp")).await;
    let bob = story.id_of(&username(1)).await;
    story.post(&format!("/organizations/{acme}/members"), json!(bob)).await;
    story.make_managed(&acme, &bob).await;
    let members = story.admin.get(&story.at(&format!("/organizations/{acme}/members"))).await;
    let managed = members.as_array().unwrap().iter().find(|one| one["id"] == json!(bob)).cloned();
    assert_eq!(managed.unwrap()["membershipType"], json!("MANAGED"));
    // The backup knows of no membership of bob's; in exact mode it goes.
    let bob = [story.one("users/bob+test@example.org")];
    let live = story.now(&bob).await.pop().unwrap();
    let exact = story.change(&bob[0].id, live, Some(bob[0].clone()), Mode::Exact, &[]).unwrap();
    let error = story.write(&[exact]).await.pop().unwrap().unwrap_err();
    assert!(error.chain().contains("would remove the account"), "{}", error.chain());
    assert_eq!(error.effect(), Known::NotApplied);
    story.id_of(&username(1)).await;
    // And the organization itself.
    let acme = [story.one("realm/organizations/acme")];
    let live = story.now(&acme).await.pop().unwrap();
    let removal = story.change(&acme[0].id, live, None, Mode::Exact, &[]).unwrap();
    let error = story.write(&[removal]).await.pop().unwrap().unwrap_err();
    assert!(error.chain().contains("would remove the account"), "{}", error.chain());
    story.id_of(&username(1)).await;
}
