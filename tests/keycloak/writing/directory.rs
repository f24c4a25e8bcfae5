//! People who come from a living LDAP server: what it owns is not written, or is said to be.

use rekindle::model::{ErrorKind, Known};
use rekindle::reader::Wanted;

use super::*;
use crate::slapd::Slapd;

const STORAGE: &str = "org.keycloak.storage.UserStorageProvider";

/// A realm with that directory, which it has read once. The id of the directory.
async fn linked(story: &Story, slapd: &Slapd, mode: &str, groups: &str) -> String {
    let realm = story.admin.get(&story.at("")).await["id"].clone();
    let directory = json!({"name": "offices", "providerId": "ldap", "parentId": realm, "providerType": STORAGE,
        "config": {"enabled": ["true"], "vendor": ["other"], "editMode": [mode], "connectionUrl": [slapd.url()],
            "usersDn": ["ou=people,dc=example,dc=org"], "authType": ["simple"],
            "bindDn": ["cn=admin,dc=example,dc=org"], "bindCredential": ["admin"], "usernameLDAPAttribute": ["uid"],
            "rdnLDAPAttribute": ["uid"], "uuidLDAPAttribute": ["entryUUID"], "userObjectClasses": ["inetOrgPerson"],
            "importEnabled": ["true"], "connectionTimeout": ["2000"]}});
    story.post("/components", directory).await;
    let found = story.admin.get(&story.at(&format!("/components?type={STORAGE}"))).await;
    let id = found[0]["id"].as_str().unwrap().to_owned();
    let mapper = |name: &str, provider: &str, config: Value| {
        json!({"name": name, "providerId": provider, "parentId": id, "config": config,
            "providerType": "org.keycloak.storage.ldap.mappers.LDAPStorageMapper"})
    };
    let badge = json!({"ldap.attribute": ["employeeNumber"], "user.model.attribute": ["badge"], "read.only": ["true"],
        "always.read.value.from.ldap": ["false"], "is.mandatory.in.ldap": ["false"]});
    story.post("/components", mapper("badge", "user-attribute-ldap-mapper", badge)).await;
    let teams = json!({"groups.dn": ["ou=teams,dc=example,dc=org"], "group.name.ldap.attribute": ["cn"],
        "group.object.classes": ["groupOfNames"], "membership.ldap.attribute": ["member"],
        "membership.attribute.type": ["DN"], "membership.user.ldap.attribute": ["uid"], "mode": [groups],
        "user.roles.retrieve.strategy": ["LOAD_GROUPS_BY_MEMBER_ATTRIBUTE"], "groups.path": ["/"],
        "preserve.group.inheritance": ["false"], "drop.non.existing.groups.during.sync": ["false"]});
    story.post("/components", mapper("teams", "group-ldap-mapper", teams)).await;
    read_anew(story, &id).await;
    id
}

async fn read_anew(story: &Story, directory: &str) {
    let path = story.at(&format!("/user-storage/{directory}/sync?action=triggerFullSync"));
    assert_eq!(story.admin.call(Method::POST, &path, None).await.0, 200);
    story.post("/clear-user-cache", json!({})).await;
}

async fn enable(story: &Story, directory: &str, enabled: bool) {
    let mut shown = story.admin.get(&story.at(&format!("/components/{directory}"))).await;
    shown["config"]["enabled"] = json!([enabled.to_string()]);
    story.put(&format!("/components/{directory}"), shown).await;
}

/// Her second factor is the realm's own, as are her role and the group staff.
async fn furnish(story: &Story, username: &str) -> String {
    let at = format!("/users/{}", story.id_of(username).await);
    let otp = json!({"type": "otp", "userLabel": "phone", "createdDate": 1_700_000_001_500_u64,
        "secretData": "{\"value\":\"JBSWY3DPEHPK3PXP\"}",
        "credentialData": "{\"subType\":\"totp\",\"digits\":6,\"counter\":0,\"period\":30,\"algorithm\":\"HmacSHA1\"}"});
    story.put(&at, json!({"credentials": [otp]})).await;
    let role = story.admin.get(&story.at("/roles/reader")).await;
    story.post(&format!("{at}/role-mappings/realm"), json!([role])).await;
    at
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_directory_says_of_a_person_is_left_to_it_and_the_rest_comes_back() {
    let mut slapd = Slapd::start();
    let mut story = Story::seen("offices", 0).await;
    let directory = linked(&story, &slapd, "READ_ONLY", "READ_ONLY").await;
    let at = furnish(&story, "lena").await;
    let id = story.id_of("lena").await;
    story.back_up(&server().export("offices", "50")).await;
    let lena = [story.one("users/lena")];
    assert_eq!(story.differences(&story.below("users")).await, nothing());

    // She marries and gets a new badge; somebody takes a role and the second factor from her.
    slapd.set("lena", "sn", "Moll");
    slapd.set("lena", "employeeNumber", "E-2");
    read_anew(&story, &directory).await;
    let role = story.admin.get(&story.at("/roles/reader")).await;
    let mappings = story.at(&format!("{at}/role-mappings/realm"));
    assert_eq!(story.admin.call(Method::DELETE, &mappings, Some(json!([role]))).await.0, 204);
    let credentials = story.admin.get(&story.at(&format!("{at}/credentials"))).await;
    let otp = credentials.as_array().unwrap().iter().find(|one| one["type"] == "otp").unwrap();
    story.remove(&format!("{at}/credentials/{}", otp["id"].as_str().unwrap())).await;
    let changes = story.plan(&lena, &[]).await;
    let warned = story.component.check(&changes).await.pop().unwrap().unwrap().warnings;
    let told = "change lastName, attributes.badge: it is read from the directory 'offices'";
    assert!(warned.iter().any(|line| line.contains(told)), "{warned:?}");
    let error = story.write(&changes).await.pop().unwrap().unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Refused, Known::NotApplied), "{}", error.chain());
    assert!(error.chain().contains(told), "{}", error.chain());
    assert_eq!(story.plan(&lena, &[]).await[0].change.hunks.len(), changes[0].change.hunks.len(), "nothing is written");
    let changes = story.plan(&lena, &["lastName", "attributes.badge"]).await;
    story.write_all(&changes).await;
    assert_eq!(story.differences(&lena).await, ["user users/lena: Update attributes.badge, Update lastName"]);
    assert_eq!(slapd.get("lena", "sn").as_deref(), Some("Moll"));

    // The account is lost: at the next look the directory brings it back as another one.
    story.remove(&at).await;
    let changes = story.plan(&lena, &[]).await;
    let error = story.component.check(&changes).await.pop().unwrap().unwrap_err();
    assert!(error.chain().contains("same name, different id"), "{}", error.chain());
    assert!(error.chain().contains("the live one came from the directory 'offices'"), "{}", error.chain());
    assert!(error.hint().unwrap().contains("remove the users that it has imported"), "{:?}", error.hint());
    // As that says.
    enable(&story, &directory, false).await;
    story.post(&format!("/user-storage/{directory}/remove-imported-users"), json!({})).await;
    let people = story.below("users");
    let changes = story.plan(&people, &[]).await;
    story.write_all(&changes).await;
    assert_eq!(story.differences(&people).await, nothing());
    enable(&story, &directory, true).await;
    assert_eq!(story.id_of("lena").await, id);
    let left = story.differences(&people).await;
    assert!(!left.iter().any(|line| line.contains("id") || line.contains("roles")), "{left:?}");
    let now = story.plan(&lena, &[]).await;
    let removal = story.change(&lena[0].id, now[0].live.clone(), None, Mode::Exact, &[]).unwrap();
    let error = story.write(&[removal]).await.pop().unwrap().unwrap_err();
    assert!(error.chain().contains("brings it back under another id"), "{}", error.chain());

    // While the directory is away, whose accounts they are is in the answer.
    slapd.stop();
    story.post("/clear-user-cache", json!({})).await;
    let reader = server().component("offices");
    let locations: Vec<Location> = lena.iter().map(|one| Location::of(&one.id)).collect();
    let error = reader.read(&Wanted::beside(&locations, &[Some(lena[0].clone())])).await.pop().unwrap().unwrap_err();
    assert!(error.chain().contains("an account of the directory 'offices'"), "{}", error.chain());
}

/// The server takes both, and removes the accounts when it next looks at them.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_whose_directory_or_person_is_gone_is_not_said_to_be_restored() {
    let slapd = Slapd::start();
    let mut story = Story::seen("closing", 0).await;
    let directory = linked(&story, &slapd, "READ_ONLY", "READ_ONLY").await;
    story.back_up(&server().export("closing", "50")).await;
    let max = [story.one("users/max")];
    slapd.remove("max");
    read_anew(&story, &directory).await;
    let changes = story.plan(&max, &[]).await;
    let warned = story.component.check(&changes).await.pop().unwrap().unwrap().warnings;
    assert!(warned.iter().any(|line| line.contains("only if the directory 'offices' knows")), "{warned:?}");
    let error = story.write(&changes).await.pop().unwrap().unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Refused, Known::NotApplied), "{}", error.chain());
    assert!(error.chain().contains("the directory 'offices' does not know the person"), "{}", error.chain());
    story.remove(&format!("/components/{directory}")).await;
    let changes = story.plan(&max, &[]).await;
    let error = story.write(&changes).await.pop().unwrap().unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::NotFound, Known::NotApplied), "{}", error.chain());
    assert!(error.chain().contains("component UserStorageProvider/offices"), "{}", error.chain());
    // It comes back with its id, which its accounts name.
    let parts = story.below("realm/components/UserStorageProvider");
    story.write_all(&story.plan(&parts, &[]).await).await;
    assert_eq!(story.differences(&parts).await, nothing());
    let found = story.admin.get(&story.at(&format!("/components?type={STORAGE}"))).await;
    assert_eq!(found[0]["id"], json!(directory));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_into_the_directory_itself_is_said_before() {
    let slapd = Slapd::start();
    let mut story = Story::seen("writable", 0).await;
    let directory = linked(&story, &slapd, "WRITABLE", "LDAP_ONLY").await;
    let at = furnish(&story, "lena").await;
    story.back_up(&server().export("writable", "50")).await;
    let lena = [story.one("users/lena")];
    slapd.set("lena", "sn", "Moll");
    read_anew(&story, &directory).await;
    let team = story.admin.get(&story.at("/groups?search=astronomers&exact=true")).await;
    story.remove(&format!("{at}/groups/{}", team[0]["id"].as_str().unwrap())).await;
    let changes = story.plan(&lena, &[]).await;
    let warned = story.component.check(&changes).await.pop().unwrap().unwrap().warnings;
    let told = "written into the directory 'offices' itself: lastName, groups[/astronomers]";
    assert!(warned.iter().any(|line| line.contains(told)), "{warned:?}");
    story.write_all(&changes).await;
    assert_eq!(story.differences(&lena).await, nothing());
    assert_eq!(slapd.get("lena", "sn").as_deref(), Some("Lind"));
    let live = story.now(&lena).await.pop().unwrap();
    let removal = story.change(&lena[0].id, live, None, Mode::Exact, &[]).unwrap();
    let error = story.write(&[removal]).await.pop().unwrap().unwrap_err();
    assert!(error.chain().contains("would lose the person too"), "{}", error.chain());
    assert!(slapd.get("lena", "sn").is_some(), "she is in the directory");
}

/// It takes every connection and says nothing.
fn silent() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ldap://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || listener.incoming().flatten().collect::<Vec<_>>());
    url
}

/// The server waits for it, answers with what it has itself, and takes nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_never_answers_is_named_by_whom_it_keeps_from_being_written() {
    use crate::faults::{Operator, said};
    let slapd = Slapd::start();
    let mut story = Story::seen("silent", 1).await;
    let directory = linked(&story, &slapd, "READ_ONLY", "READ_ONLY").await;
    let export = server().export("silent", "50");
    story.back_up(&export).await;
    story.remove(&format!("/users/{}", story.id_of("ana").await)).await;
    let mut shown = story.admin.get(&story.at(&format!("/components/{directory}"))).await;
    shown["config"]["connectionUrl"] = json!([silent()]);
    shown["config"]["connectionTimeout"] = json!(["4000"]);
    story.put(&format!("/components/{directory}"), shown).await;
    story.post("/clear-user-cache", json!({})).await;
    let operator = Operator::new(&server().url(), "silent", export.path());
    let run = operator.run();
    assert_eq!(run.status.code(), Some(1), "{}", said(&run));
    assert!(said(&run).contains("'offices' is currently unavailable"), "{}", said(&run));
}
