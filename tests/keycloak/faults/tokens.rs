//! Tokens that end at the wrong moment, and logins that are not taken any more.

use std::time::Duration;

use rekindle::components::keycloak::config::{Grant, Login};
use rekindle::model::{ErrorKind, Location, Resource, Secret};
use rekindle::reader::{Reader, Wanted};
use reqwest::Method;
use serde_json::{Value, json};

use super::bad_input::remove_everybody;
use super::connection::damage;
use super::proxy::{Asked, Fate};
use super::*;
use crate::keycloak::Admin;

/// How long a token of the client lives, in seconds; and after how long it surely has run out.
const LIFE: &str = "10";
const LATE: Duration = Duration::from_secs(12);
const CLIENT: &str = "short";
/// As the operator's runbook has it.
const SECRET: &str = "admin";

/// A client of the realm itself, with every right and tokens that live for seconds; where it lies.
async fn short_lived(story: &Story) -> String {
    let client = json!({"clientId": CLIENT, "secret": SECRET, "serviceAccountsEnabled": true, "publicClient": false,
        "attributes": {"access.token.lifespan": LIFE}});
    story.admin.done(Method::POST, &story.at("/clients"), client).await;
    let id = |found: Value| found[0]["id"].as_str().unwrap().to_owned();
    let client = id(story.admin.get(&story.at("/clients?clientId=short")).await);
    let management = id(story.admin.get(&story.at("/clients?clientId=realm-management")).await);
    let account = story.admin.get(&story.at(&format!("/clients/{client}/service-account-user"))).await;
    let role = story.admin.get(&story.at(&format!("/clients/{management}/roles/realm-admin"))).await;
    let path = format!("/users/{}/role-mappings/clients/{management}", account["id"].as_str().unwrap());
    story.admin.done(Method::POST, &story.at(&path), json!([role])).await;
    story.at(&format!("/clients/{client}"))
}

/// The realm, reached by that client's login.
fn as_short_lived(proxy: &Proxy, realm: &str) -> Keycloak {
    let grant = Grant::Client { secret: Secret::new(SECRET) };
    let login = Login { realm: realm.to_owned(), client: CLIENT.to_owned(), grant };
    Keycloak::new(Config { url: proxy.url.clone(), login, ..server().config(realm) }).unwrap()
}

async fn enable(admin: &Admin, client: &str, enabled: bool) {
    let mut now = admin.get(client).await;
    now["enabled"] = json!(enabled);
    admin.done(Method::PUT, client, now).await;
}

/// From the call that is the `nth` of its sort on, the client is disabled; that call arrives when its token has run out.
fn disabled_at(proxy: &Proxy, client: String, writes: bool, nth: usize) {
    let handle = tokio::runtime::Handle::current();
    proxy.script(move |asked| {
        if !asked.is_login() && asked.writes() == writes && asked.before == nth {
            let admin = Admin::new(server());
            handle.block_on(enable(&admin, &client, false));
            std::thread::sleep(LATE);
        }
        Fate::Pass
    });
}

fn late_at(proxy: &Proxy, writes: bool, nth: usize) {
    proxy.script(move |asked| {
        if !asked.is_login() && asked.writes() == writes && asked.before == nth {
            std::thread::sleep(LATE);
        }
        Fate::Pass
    });
}

fn asked_for(people: &[Resource]) -> (Vec<Location>, Vec<Option<Resource>>) {
    (people.iter().map(|one| Location::of(&one.id)).collect(), people.iter().cloned().map(Some).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_run_out_on_the_way_are_renewed() {
    let (mut story, proxy) = Story::behind_a_proxy("short-lived", 20).await;
    short_lived(&story).await;
    story.component = as_short_lived(&proxy, "short-lived");
    let ana = [story.one("users/ana")];
    // The first token is not the last one.
    while proxy.seen(Asked::is_login) < 3 {
        damage(&story).await;
        let changes = story.plan(&ana, &[]).await;
        story.write_all(&changes).await;
    }
    assert_eq!(story.differences(&ana).await, Vec::<String>::new());
}

/// It was good when the call was made, and the server refuses it: in the middle of a bulk read, then of the writing.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_runs_out_while_a_call_is_on_its_way_costs_nobody() {
    let (mut story, proxy) = Story::behind_a_proxy("late", 60).await;
    short_lived(&story).await;
    story.component = as_short_lived(&proxy, "late");
    let people = story.below("users");
    let (wanted, with) = asked_for(&people);
    late_at(&proxy, false, 8);
    for read in story.component.read(&Wanted::beside(&wanted, &with)).await {
        assert!(read.unwrap().is_some(), "somebody is not there");
    }
    assert!(proxy.seen(Asked::is_login) >= 2, "no token ran out");
    remove_everybody(&story).await;
    let changes = story.plan(&people, &[]).await;
    late_at(&proxy, true, 1);
    story.write_all(&changes).await;
    assert!(proxy.seen(Asked::is_login) >= 1, "no token ran out");
    assert_eq!(story.differences(&people).await, Vec::<String>::new());
}

/// The renewal itself is refused, in the middle of a bulk read: nobody looks absent.
#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_that_is_refused_while_people_are_read_makes_nobody_look_absent() {
    let (mut story, proxy) = Story::behind_a_proxy("unread", 60).await;
    let client = short_lived(&story).await;
    story.component = as_short_lived(&proxy, "unread");
    let (wanted, with) = asked_for(&story.below("users"));
    disabled_at(&proxy, client, false, 6);
    for read in story.component.read(&Wanted::beside(&wanted, &with)).await {
        let error = read.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LoggedOut, "{}", error.chain());
    }
}

/// The same in the middle of a restore, by the shipped program: whoever is there then is whole.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_login_pauses_the_run_with_its_reason_and_a_resume_finishes() {
    let (story, proxy) = Story::behind_a_proxy("logged-out", 120).await;
    let export = server().export("logged-out", "50");
    let client = short_lived(&story).await;
    remove_everybody(&story).await;
    disabled_at(&proxy, client.clone(), true, 3);
    let login = format!("{{ client: {CLIENT}, secret: {{ env: KEYCLOAK_PASSWORD }} }}");
    let operator = Operator::with_login(&proxy.url, "logged-out", export.path(), &login);
    let run = operator.run();
    let told = said(&run);
    assert_eq!(run.status.code(), Some(1), "{told}");
    assert!(told.contains("paused by rekindle: cannot"), "{told}");
    assert!(told.contains("log in to") && told.contains("rekindle resume"), "{told}");
    let logins = proxy.seen(Asked::is_login);
    assert!(logins < 12, "{logins} logins after the client was disabled");
    // By the administrator, while nobody else can.
    let people = story.below("users");
    let left = story.plan(&people, &[]).await;
    assert!(!left.is_empty() && left.len() < people.len(), "{} of {} are left", left.len(), people.len());
    // But for a membership, which the server takes by a call of its own alone.
    for one in left.iter().filter(|one| one.live.is_some()) {
        let places: Vec<String> = one.change.hunks.iter().map(|hunk| hunk.place()).collect();
        assert_eq!(places, ["organizations[acme]"], "{} is half written: {told}", one.change.id);
    }

    enable(&story.admin, &client, true).await;
    proxy.script(|_| Fate::Pass);
    let resume = operator.resume();
    assert_eq!(resume.status.code(), Some(0), "{}", said(&resume));
    assert_eq!(story.differences(&people).await, Vec::<String>::new());
}
