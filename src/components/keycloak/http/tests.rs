use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::*;
use crate::components::keycloak::config::{Grant, Ids, Login};

/// A server that says what each test needs: told the request's first line and how often it was asked before.
struct Told {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

type Script = dyn Fn(&str, usize) -> Vec<u8> + Send + Sync;

fn told(script: impl Fn(&str, usize) -> Vec<u8> + Send + Sync + 'static) -> Told {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (record, script): (_, Arc<Script>) = (Arc::clone(&asked), Arc::new(script));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (record, script) = (Arc::clone(&record), Arc::clone(&script));
            std::thread::spawn(move || answer(stream, &record, &*script));
        }
    });
    Told { url, asked }
}

fn answer(mut stream: TcpStream, record: &Mutex<Vec<String>>, script: &Script) {
    let mut request = Vec::new();
    let mut some = [0; 4096];
    while let Ok(got) = stream.read(&mut some) {
        request.extend_from_slice(&some[..got]);
        let text = String::from_utf8_lossy(&request).to_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split('\r').next()?.parse().ok());
        if got == 0 || body.len() >= length.unwrap_or(0) {
            break;
        }
    }
    let text = String::from_utf8_lossy(&request).into_owned();
    let line = text.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
    let bearer = text.lines().find_map(|line| line.strip_prefix("authorization: Bearer ")).unwrap_or_default();
    let line = format!("{line} {bearer}").trim_end().to_owned();
    let before = {
        let mut record = record.lock().unwrap();
        record.push(line.clone());
        record.iter().filter(|asked| **asked == line).count() - 1
    };
    let _ = stream.write_all(&script(&line, before));
}

fn reply(status: &str, more: &str, body: &str) -> Vec<u8> {
    let kind = if body.starts_with('<') { "text/html" } else { "application/json" };
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{more}\r\n{body}"
    )
    .into_bytes()
}

fn ok(value: &Value) -> Vec<u8> {
    reply("200 OK", "", &value.to_string())
}

fn token(number: usize) -> Vec<u8> {
    ok(&json!({"access_token": format!("t{number}"), "expires_in": 60}))
}

fn http(told: &Told) -> Http {
    let grant = Grant::Client { secret: Secret::new("s") };
    Http::new(Config {
        url: told.url.clone(),
        realm: "r".to_owned(),
        login: Login { realm: "r".to_owned(), client: "c".to_owned(), grant },
        ca: None,
        proxy: None,
        insecure: false,
        ids: Ids::Keep,
        leave: Vec::new(),
    })
    .unwrap()
}

impl Told {
    fn count(&self, of: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|line| line.contains(of)).count()
    }
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once() {
    let told = told(|line, before| match line {
        line if line.contains("/token") => token(before),
        line if line.ends_with(" t0") => reply("401 Unauthorized", "", "{\"error\":\"HTTP 401 Unauthorized\"}"),
        _ => ok(&json!({"id": "x"})),
    });
    let http = http(&told);
    assert_eq!(http.get("", &[]).await.unwrap(), json!({"id": "x"}));
    assert_eq!((told.count("/token"), told.count("/admin/realms/r")), (2, 2));
    http.get("", &[]).await.unwrap();
    assert_eq!(told.count("/token"), 2, "a good token was not kept");
}

#[tokio::test]
async fn a_token_is_renewed_ahead_of_its_end() {
    let told = told(|line, before| match line.contains("/token") {
        true => ok(&json!({"access_token": format!("t{before}"), "expires_in": 3})),
        false => ok(&json!({"id": "x"})),
    });
    let http = http(&told);
    http.get("", &[]).await.unwrap();
    // Two thirds of its life.
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    http.get("", &[]).await.unwrap();
    let asked: Vec<String> = told.asked.lock().unwrap().iter().map(|line| line.replace("/admin/realms", "")).collect();
    assert_eq!(told.count("/token"), 2);
    assert_eq!([asked[1].as_str(), asked[3].as_str()], ["GET /r t0", "GET /r t1"], "{asked:?}");
}

#[tokio::test]
async fn a_token_that_is_refused_twice_is_said_to_be() {
    let told = told(|line, before| match line.contains("/token") {
        true => token(before),
        false => reply("401 Unauthorized", "", "{}"),
    });
    let error = http(&told).get("/users", &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LoggedOut);
    assert_eq!(told.count("/users"), 2);
}

#[tokio::test]
async fn a_server_that_is_busy_is_asked_again_and_a_gone_one_not_for_ever() {
    let busy = told(|line, before| match (line.contains("/token"), before) {
        (true, _) => token(0),
        (false, 0 | 1) => reply("429 Too Many Requests", "Retry-After: 0\r\n", "{}"),
        (false, 2) => reply("503 Service Unavailable", "", "<html>"),
        (false, 3) => {
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n[{\"id\":".to_vec()
        }
        _ => ok(&json!([])),
    });
    assert_eq!(http(&busy).get("/users", &[]).await.unwrap(), json!([]));
    let gone = told(|line, _| if line.contains("/token") { token(0) } else { Vec::new() });
    let error = http(&gone).get("/users", &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert_eq!(gone.count("/users"), 6);
}

#[tokio::test]
async fn what_a_busy_server_asks_for_is_told_as_long_as_it_is_waited_for() {
    let busy = told(|line, before| match (line.contains("/token"), before) {
        (true, _) => token(0),
        (false, 0) => reply("429 Too Many Requests", "Retry-After: 1\r\n", "{}"),
        _ => ok(&json!([])),
    });
    let http = http(&busy);
    let mut waited = http.back_off();
    let heard = async {
        let mut heard = Vec::new();
        while heard.last() != Some(&None) {
            waited.changed().await.unwrap();
            heard.push(waited.borrow_and_update().clone());
        }
        heard
    };
    let (answer, heard) = tokio::join!(http.get("/users", &[]), heard);
    assert_eq!(answer.unwrap(), json!([]));
    assert_eq!(heard, [Some("Keycloak asks to wait 1 s".to_owned()), None]);
}

#[tokio::test]
async fn a_call_that_is_given_up_is_waited_for_no_more() {
    let busy = told(|line, _| match line.contains("/token") {
        true => token(0),
        false => reply("503 Service Unavailable", "Retry-After: 30\r\n", "{}"),
    });
    let http = http(&busy);
    let mut waited = http.back_off();
    tokio::select! {
        _ = http.get("/users", &[]) => panic!("it did not wait"),
        changed = waited.changed() => changed.unwrap(),
    }
    assert_eq!(*waited.borrow(), None, "the call is dropped by then");
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_not_sent_again() {
    let cut = told(|line, _| if line.contains("/token") { token(0) } else { Vec::new() });
    let error = http(&cut).write(Method::POST, "/users", Some(&json!({}))).await.unwrap_err();
    assert_eq!(error.effect(), Known::Unknown);
    assert_eq!(cut.count("POST /admin/realms/r/users"), 1);
    let waits = told(|line, before| match (line.contains("/token"), before) {
        (true, _) => token(0),
        (false, 0) => reply("429 Too Many Requests", "Retry-After: 0\r\n", "{}"),
        _ => reply("201 Created", "Location: http://x/users/7\r\n", ""),
    });
    let answer = http(&waits).write(Method::POST, "/users", Some(&json!({}))).await.unwrap();
    assert_eq!(answer.location.as_deref(), Some("http://x/users/7"));
    let conflict = told(|line, _| match line.contains("/token") {
        true => token(0),
        false => reply("409 Conflict", "", "{\"errorMessage\":\"User exists\\u001b[2J\",\"field\":\"email\"}"),
    });
    let error = http(&conflict).write(Method::POST, "/users", Some(&json!({}))).await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Conflict, Known::NotApplied));
    assert!(error.to_string().contains("User exists^[[2J (email)"), "{error}");
}

#[tokio::test]
async fn what_is_no_answer_of_the_api_is_an_error_and_never_an_empty_list() {
    for body in ["<html><title>Sign in</title></html>", "", "{\"users\":", "{}", "null"] {
        let told = told(move |line, _| if line.contains("/token") { token(0) } else { reply("200 OK", "", body) });
        let error = http(&told).listed::<Value>("/users", &[], 10).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{body:?}: {error}");
    }
    let moved = told(|line, _| match line.contains("/token") {
        true => token(0),
        false => reply("302 Found", "Location: https://elsewhere.example.org/\r\n", ""),
    });
    assert_eq!(http(&moved).get("", &[]).await.unwrap_err().kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn pages_that_do_not_add_up_to_the_count_are_an_error() {
    let of = |holds: usize| {
        told(move |line, _| {
            let first: usize =
                line.split("first=").nth(1).and_then(|rest| rest.split('&').next()?.parse().ok()).unwrap_or(0);
            let page = (first..holds.min(first + 10)).map(|at| json!({"id": at.to_string()})).collect();
            match line {
                line if line.contains("/token") => token(0),
                line if line.contains("/count") => ok(&json!(25)),
                _ => ok(&Value::Array(page)),
            }
        })
    };
    let read = |told: Told| async move {
        let http = http(&told);
        http.counted("/users", "/users/count", &[], 10, |user: Value| user.get("id").cloned())
            .await
            .map(|all| all.len())
    };
    assert_eq!(read(of(25)).await.unwrap(), 25);
    for holds in [24, 20, 10, 0] {
        let error = read(of(holds)).await.unwrap_err();
        assert!(error.to_string().contains(&format!("counts 25 and its pages hold {holds}")), "{error}");
    }
}

#[tokio::test]
async fn nobody_is_missed_in_a_list_that_grows_while_it_is_read() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let grown = AtomicUsize::new(0);
    // Before each page somebody comes whose names are the first of all, and everybody else moves on.
    let told = told(move |line, _| {
        if line.contains("/token") {
            return token(0);
        }
        if line.contains("/count") {
            return ok(&json!(25 + grown.load(Ordering::SeqCst)));
        }
        let new = grown.fetch_add(3, Ordering::SeqCst) + 3;
        let first: usize = line.split("first=").nth(1).unwrap().split('&').next().unwrap().parse().unwrap();
        let all = (0..new).map(|at| format!("new {at}")).chain((0..25).map(|at| at.to_string()));
        ok(&Value::Array(all.skip(first).take(10).map(|id| json!({ "id": id })).collect()))
    });
    let id = |user: Value| user["id"].as_str()?.parse::<usize>().ok();
    let mut met = http(&told).counted("/users", "/users/count", &[], 10, id).await.unwrap();
    met.sort_unstable();
    assert_eq!(met, (0..25).collect::<Vec<usize>>());
}

#[tokio::test]
async fn a_wrong_secret_is_named_and_not_shown() {
    let told = told(|_, _| {
        reply("401 Unauthorized", "", "{\"error\":\"unauthorized_client\",\"error_description\":\"Invalid client\"}")
    });
    let error = http(&told).get("", &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LoggedOut);
    assert!(error.to_string().contains("Invalid client"), "{error}");
    assert_eq!(told.count(""), 1, "a wrong login was tried again, which locks accounts");
}

#[test]
fn a_plea_to_wait_for_ever_is_cut() {
    let planned = Some(Duration::from_millis(1));
    let failed = answer::Failed::asking_for(Duration::from_secs(86_400));
    assert_eq!(failed.wait(planned), Some(Duration::from_secs(30)));
    assert_eq!(failed.wait(None), None);
}

#[test]
fn a_name_is_one_segment_whatever_is_in_it() {
    assert_eq!(segment("a/b c?ü"), "a%2Fb%20c%3F%C3%BC");
    assert_eq!((segment(".."), segment("a.b")), ("%2E%2E".to_owned(), "a.b".to_owned()));
}
