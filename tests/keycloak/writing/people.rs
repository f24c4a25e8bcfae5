use std::time::Instant;

use rekindle::component::Found;
use rekindle::model::{Body, Document, ErrorKind, Known};

use super::*;
use crate::sample::people::username;

async fn remove_everybody(story: &Story, how_many: usize) {
    let users = story.admin.get(&story.at("/users?max=-1")).await;
    for user in users.as_array().unwrap().iter().take(how_many) {
        story.remove(&format!("/users/{}", user["id"].as_str().unwrap())).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_who_were_deleted_come_back_as_they_were() {
    let story = Story::of("deleted", 200).await;
    remove_everybody(&story, 200).await;
    let people = story.below("users");
    assert_eq!(people.len(), 200);
    let changes = story.plan(&people, &[]).await;
    assert_eq!(changes.len(), 200);
    let started = Instant::now();
    story.write_all(&changes).await;
    let took = started.elapsed();
    println!("200 users in {took:?}: {:.0} users/s", 200.0 / took.as_secs_f64());
    // Ids, hashes as far as they show, groups, roles, links, attributes, times.
    assert_eq!(story.differences(&people).await, nothing());
    for at in [0, 1, 3, 5, 199] {
        assert_eq!(story.id_of(&username(at)).await, story.sample.id(&format!("user {at}")));
    }
    assert!(story.logs_in("ana").await, "the old password is the password");
    assert!(story.logs_in("user-00198").await, "the old password is the password");
    // The same again leaves one effect: what is there as it should be is done.
    story.write_all(&changes).await;
    assert_eq!(story.differences(&people).await, nothing());
}

/// Whoever writes the same a moment before is somebody else.
#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_did_meanwhile_is_told_apart_from_what_was_written() {
    let mut story = Story::seen("theirs", 2).await;
    let (ana, chief) = (story.one("users/ana"), story.one("realm/roles/realm/chief"));
    let both = [ana.clone(), chief.clone()];
    let (live, chief_id) = (story.now(&both).await, "realm/roles/realm/chief");
    let mut removals = Vec::new();
    for (one, live) in both.iter().zip(live) {
        removals.extend(story.change(&one.id, live, None, Mode::Exact, &[]));
    }
    story.said_to_be_theirs(&removals, |found| matches!(found, Found::Nothing)).await;
    let creates = story.plan(&both, &[]).await;
    story.said_to_be_theirs(&creates, |found| matches!(found, Found::Document(_))).await;

    // Another role is made anew with other ids: what is there now is what is wanted.
    story.look().await;
    let mut updates = Vec::new();
    for one in [ana, story.one(chief_id)] {
        let mut wanted = one.clone();
        let Body::Document(document) = &mut wanted.body else { panic!("{} is no document", one.id) };
        let mut value = Value::clone(&document.value);
        value[if &*one.id.kind == "user" { "firstName" } else { "description" }] = json!("another");
        *document = Document::new(value);
        updates.extend(story.plan(&[wanted], &[]).await);
    }
    assert_eq!(updates.len(), 2);
    story.said_to_be_theirs(&updates, |found| matches!(found, Found::Document(_))).await;
}

impl Story {
    async fn said_to_be_theirs(&self, changes: &[Approved], theirs: impl Fn(&Found) -> bool) {
        for (which, is_as_told) in [
            ("first", &(|found: &Found| matches!(found, Found::AsPlanned)) as &dyn Fn(&Found) -> bool),
            ("second", &theirs),
        ] {
            let written = self.write(changes).await;
            for (one, effect) in changes.iter().zip(written) {
                let found = effect.unwrap().found;
                assert!(is_as_told(&found), "the {which} write of {}: {found:?}", one.change.id);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wrote_in_batches_reads_back_what_a_fresh_reading_shows() {
    let story = Story::seen("batches", 120).await;
    remove_everybody(&story, 120).await;
    let people = story.below("users");
    let changes = story.plan(&people, &[]).await;
    let (later, last) = changes[40..].split_at(40);
    let (first, second) = changes[..40].split_at(20);
    for (at, batch) in [later, last, first, second].into_iter().enumerate() {
        // Where lists are read on from: names come after it and before it, and somebody moves it.
        if at == 3 {
            let gone = changes[100].desired.as_ref().unwrap().document().unwrap().value["username"].clone();
            story.remove(&format!("/users/{}", story.id_of(gone.as_str().unwrap()).await)).await;
        }
        story.write_all(batch).await;
        let desired: Vec<Resource> = batch.iter().filter_map(|one| one.desired.clone()).collect();
        let read = story.read_back(&desired).await;
        for (read, fresh) in read.into_iter().zip(story.now(&desired).await) {
            let (read, fresh) = (read.unwrap(), fresh.unwrap());
            assert_eq!(read.document().unwrap().value, fresh.document().unwrap().value, "batch {at}: {}", read.id);
        }
    }
}

/// Where groups are long, each of who was just made is asked for its own.
#[tokio::test(flavor = "multi_thread")]
async fn who_was_written_beside_long_groups_is_read_back_with_its_own() {
    let story = Story::seen("long-groups", 80).await;
    remove_everybody(&story, 80).await;
    let realm = story.admin.get(&story.at("")).await["id"].as_str().unwrap().to_owned();
    server().sql(&format!(
        "insert into keycloak_group (id, name, parent_group, realm_id, type) \
             select 'long-group-' || g, 'long-' || g, ' ', '{realm}', 0 from generate_series(1, 140) g; \
         insert into user_entity (id, username, enabled, email_verified, realm_id, email_constraint) \
             select 'long-member-' || u, 'member-' || u, true, false, '{realm}', 'none-' || u from generate_series(1, 300) u; \
         insert into user_group_membership (group_id, user_id, membership_type) \
             select 'long-group-' || g, 'long-member-' || u, 'UNMANAGED' \
             from generate_series(1, 140) g, generate_series(1, 300) u"
    ));
    story.post("/clear-user-cache", json!({})).await;
    story.post("/clear-realm-cache", json!({})).await;
    let changes = story.plan(&story.below("users"), &[]).await;
    let mut calls = Vec::new();
    for batch in changes.chunks(40) {
        story.write_all(batch).await;
        let desired: Vec<Resource> = batch.iter().filter_map(|one| one.desired.clone()).collect();
        let before = story.component.calls();
        let read = story.read_back(&desired).await;
        calls.push(story.component.calls() - before);
        let groups = |of: &Resource| of.document().unwrap().value["groups"].as_array().cloned().unwrap_or_default();
        for (read, desired) in read.into_iter().zip(&desired) {
            assert_eq!(groups(&read.unwrap()), groups(desired), "{}", desired.id);
        }
    }
    assert!(calls[0] - calls[1] >= 100, "140 lists less, 40 people's groups more: {calls:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_user_costs_only_itself_and_is_told_why() {
    let story = Story::of("bad", 20).await;
    remove_everybody(&story, 20).await;
    let people = story.below("users");
    let mut changes = story.plan(&people, &[]).await;
    // After the plan was made: an e-mail is taken, a name is taken, a group is gone, an id is somebody's.
    let new = |body: Value| story.admin.done(Method::POST, "/bad/users", body);
    new(json!({"username": "squatter", "email": "person14@people.example.org"})).await;
    new(json!({"username": "user-00015", "enabled": true})).await;
    let other =
        json!({"ifResourceExists": "FAIL", "users": [{"username": "somebody", "id": story.sample.id("user 16")}]});
    story.admin.done(Method::POST, "/bad/partialImport", other).await;
    let team = story.admin.get("/bad/groups?search=team-01&exact=true").await;
    let team = team[0]["subGroups"][0]["id"].as_str().unwrap().to_owned();
    story.remove(&format!("/groups/{team}")).await;
    let roles = |change: &Approved| change.desired.as_ref().unwrap().document().unwrap().value["groups"].clone();
    let answers = story.write(&changes).await;
    let mut good = Vec::new();
    let mut told = Vec::new();
    for (change, answer) in changes.drain(..).zip(answers) {
        let in_team = roles(&change).as_array().unwrap().contains(&json!("/teams/team-01"));
        let name = change.change.id.key.to_string();
        match answer {
            Ok(_) => {
                assert!(!in_team, "{name} was written without its group");
                good.push(change.desired.unwrap());
            }
            Err(error) => {
                assert_eq!(error.effect(), Known::NotApplied);
                if in_team {
                    assert!(error.chain().contains("group /teams/team-01"), "{}", error.chain());
                } else {
                    told.push((error.kind(), error.chain()));
                }
            }
        }
    }
    told.sort_by(|one, other| one.1.cmp(&other.1));
    let words = ["its e-mail person14@people.example.org belongs to the user squatter", "belongs to the user somebody"];
    assert_eq!(told.len(), 2, "{told:?}");
    for (word, (kind, sentence)) in words.into_iter().zip(&told) {
        assert_eq!(*kind, ErrorKind::Conflict);
        assert!(sentence.contains(word), "{sentence}");
    }
    assert_eq!(good.len(), 8, "10 are in another team, 2 of them are bad");
    assert_eq!(story.differences(&good).await, nothing());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_another_account_has_is_a_conflict_of_its_own() {
    let story = Story::of("namesake", 3).await;
    remove_everybody(&story, 3).await;
    let people = story.below("users");
    let early = story.plan(&people, &[]).await;
    story.admin.done(Method::POST, "/namesake/users", json!({"username": "ana", "enabled": true})).await;
    let answers = story.write(&early).await;
    let refused: Vec<String> = answers.iter().filter_map(|answer| Some(answer.as_ref().err()?.chain())).collect();
    assert_eq!(refused.len(), 1);
    assert!(refused[0].contains("same name, different id"), "{refused:?}");
    let late = story.plan(&[story.one("users/ana")], &[]).await;
    let checked = story.component.check(&late).await.pop().unwrap();
    assert_eq!(checked.unwrap_err().kind(), ErrorKind::Conflict);
    let answer = story.write(&late).await.pop().unwrap();
    assert!(answer.unwrap_err().chain().contains("same name, different id"));
    // Without that hunk, all the rest is given to the account that is there.
    let rest = story.plan(&[story.one("users/ana")], &["id"]).await;
    story.write_all(&rest).await;
    assert_eq!(
        story.differences(&[story.one("users/ana")]).await,
        ["user users/ana: Delete groups[/staff], Update id"]
    );
    assert!(story.logs_in("ana").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hunk_that_is_left_out_stays_out_and_undo_gives_back_what_was() {
    let story = Story::of("hunks", 4).await;
    let ana = story.one("users/ana");
    let id = story.id_of("ana").await;
    let at = format!("/users/{id}");
    let shown = story.admin.get(&story.at(&at)).await;
    let mut changed = shown.clone();
    changed["email"] = json!("new@example.org");
    changed["attributes"]["badge"] = json!(["B-99"]);
    changed["attributes"]["stays"] = json!(["live only"]);
    changed["attributes"].as_object_mut().unwrap().remove("department");
    story.put(&at, changed).await;
    for role in ["reader", "wri/ter"] {
        let all = story.admin.get(&story.at("/roles")).await;
        let role = all.as_array().unwrap().iter().find(|one| one["name"] == role).unwrap().clone();
        let path = story.at(&format!("{at}/role-mappings/realm"));
        assert_eq!(story.admin.call(Method::DELETE, &path, Some(json!([role]))).await.0, 204);
    }
    let groups = story.admin.get(&story.at(&format!("{at}/groups"))).await;
    story.remove(&format!("{at}/groups/{}", groups[0]["id"].as_str().unwrap())).await;
    let password = json!({"type": "password", "value": "another one", "temporary": false});
    story.put(&format!("{at}/reset-password"), password).await;

    let changes = story.plan(std::slice::from_ref(&ana), &["realmRoles[reader]"]).await;
    let former = changes[0].live.clone().unwrap();
    story.write_all(&changes).await;
    let left = story.differences(std::slice::from_ref(&ana)).await;
    assert_eq!(left, ["user users/ana: Delete attributes.stays, Create realmRoles[reader]"]);
    let shown = story.admin.get(&story.at(&at)).await;
    assert_eq!((&shown["firstName"], &shown["lastName"]), (&json!("Given"), &json!("Family 0")));
    assert_eq!(shown["attributes"]["stays"], json!(["live only"]));
    assert!(story.logs_in("ana").await);
    story.write_all(&changes).await;

    // All but the password, which nobody can bring back, is as it was.
    let mut back = story.undo(&changes).await;
    let places: Vec<String> = back[0].change.hunks.iter().map(|hunk| hunk.place()).collect();
    let password = places.iter().find(|place| place.starts_with("credentials")).unwrap().clone();
    back = vec![
        story
            .change(&ana.id, back[0].live.clone(), back[0].desired.clone(), Mode::Exact, &[password.as_str()])
            .unwrap(),
    ];
    story.write_all(&back).await;
    let left = story.differences(std::slice::from_ref(&former)).await;
    assert_eq!(left, [format!("user users/ana: Update {password}")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn links_otp_and_organizations_come_back_to_a_user_who_is_there() {
    let story = Story::of("parts", 3).await;
    let people = story.below("users");
    let bob = story.id_of(&username(1)).await;
    story.remove(&format!("/users/{bob}/federated-identity/corp")).await;
    let credentials = story.admin.get(&story.at(&format!("/users/{bob}/credentials"))).await;
    for one in credentials.as_array().unwrap() {
        story.remove(&format!("/users/{bob}/credentials/{}", one["id"].as_str().unwrap())).await;
    }
    let ana = story.id_of("ana").await;
    let organization = story.admin.get(&story.at("/organizations?search=acme")).await;
    story.remove(&format!("/organizations/{}/members/{ana}", organization[0]["id"].as_str().unwrap())).await;
    assert_eq!(story.differences(&people).await.len(), 2);
    let changes = story.plan(&people, &[]).await;
    story.write_all(&changes).await;
    assert_eq!(story.differences(&people).await, nothing());
    // Undo takes away what came, and only that.
    let back = story.undo(&changes).await;
    story.write_all(&back).await;
    assert_eq!(story.admin.get(&story.at(&format!("/users/{bob}/credentials"))).await, json!([]));
    assert_eq!(story.admin.get(&story.at(&format!("/users/{bob}/federated-identity"))).await, json!([]));
    assert_eq!(story.differences(&people).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn undo_of_a_created_user_deletes_that_one_and_no_other() {
    let story = Story::of("created", 3).await;
    remove_everybody(&story, 3).await;
    let people = story.below("users");
    let changes = story.plan(&people, &[]).await;
    story.write_all(&changes).await;
    let back = story.undo(&changes).await;
    assert_eq!(back.len(), 3);
    // Somebody else has been at one of them since.
    let ana = story.id_of("ana").await;
    story.put(&format!("/users/{ana}"), json!({"enabled": false})).await;
    let answers = story.write(&back).await;
    let refused: Vec<String> = answers.iter().filter_map(|answer| Some(answer.as_ref().err()?.chain())).collect();
    assert_eq!(refused.len(), 1);
    assert!(refused[0].contains("its enabled has changed since the plan was made"), "{refused:?}");
    let left = story.admin.get(&story.at("/users")).await;
    assert_eq!(left.as_array().unwrap().len(), 1);
    story.write_all(&story.undo(&changes).await).await;
    assert_eq!(story.admin.get(&story.at("/users")).await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_changed_meanwhile_is_not_written_over() {
    let story = Story::of("meanwhile", 2).await;
    let id = story.id_of("ana").await;
    let all = story.admin.get(&story.at("/roles")).await;
    let reader = all.as_array().unwrap().iter().find(|one| one["name"] == "reader").unwrap().clone();
    let path = story.at(&format!("/users/{id}/role-mappings/realm"));
    assert_eq!(story.admin.call(Method::DELETE, &path, Some(json!([reader]))).await.0, 204);
    let changes = story.plan(&[story.one("users/ana")], &[]).await;
    story.put(&format!("/users/{id}"), json!({"enabled": false})).await;
    let error = story.write(&changes).await.pop().unwrap().unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Conflict, Known::NotApplied));
    assert!(error.chain().contains("its enabled has changed"), "{}", error.chain());
    assert_eq!(story.differences(&[story.one("users/ana")]).await.len(), 1);
}
