//! A person who has turned to something else is called by a webhook.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

use crate::Platform;

/// What was sent: the first line of the request, and its body.
type Heard = (String, serde_json::Value);

/// A listener that answers each call with that status.
fn listener(status: &'static str) -> (String, mpsc::Receiver<Heard>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/hook/of-a-secret-path", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for call in listener.incoming().flatten() {
            if tell.send(heard(call, status)).is_err() {
                return;
            }
        }
    });
    (address, told)
}

fn heard(call: TcpStream, status: &str) -> Heard {
    let mut reader = BufReader::new(call);
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(given) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = given.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let mut call = reader.into_inner();
    write!(call, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
    (first.trim().to_owned(), serde_json::from_slice(&body).unwrap())
}

const FAILS: &str = "  - id: stop\n    run: [\"false\"]\n";
const SCALE: &str = "  - id: scale\n    apply: deployments\n    documents: { hub: { replicas: 0 } }\n";

#[test]
fn a_webhook_is_told_as_json_of_a_failure_and_of_the_end() {
    let (address, told) = listener("204 No Content");
    let way = format!("webhook:{address}");
    let wait = || told.recv_timeout(Duration::from_secs(60)).unwrap();
    let platform = Platform::new();
    platform.rekindle(&["run", "--plain", "--yes", "--notify", &way], SCALE).exits(0);
    let (request, body) = wait();
    assert_eq!(request, "POST /hook/of-a-secret-path HTTP/1.1");
    assert_eq!((&body["event"], &body["text"]), (&"done".into(), &"all is done: 1 done".into()));
    assert!(body["run"].as_str().is_some_and(|run| run.contains('-')), "{body}");

    platform.rekindle(&["run", "--plain", "--yes", "--yes-irreversible", "--notify", &way], FAILS).exits(1);
    // Both go out at once: either may be the first to arrive.
    let mut texts = [wait().1, wait().1].map(|body| format!("{} {}", body["event"], body["text"]));
    texts.sort();
    assert!(texts[0].starts_with("\"failure\" \"stop failed: "), "{texts:?}");
    assert!(texts[1].starts_with("\"person\" \"you are needed: 1 unknown effect"), "{texts:?}");
}

#[test]
fn a_webhook_that_refuses_is_logged_without_its_address() {
    let (address, told) = listener("500 Internal Server Error");
    let platform = Platform::new();
    let way = format!("webhook:{address}");
    let ran = platform.rekindle(&["run", "--plain", "--yes", "--verbose", "--notify", &way], SCALE).exits(0);
    told.recv_timeout(Duration::from_secs(60)).unwrap();
    assert!(ran.err.contains("the webhook could not be told: it answered 500"), "{}", ran.err);
    assert!(!ran.err.contains("secret-path"), "{}", ran.err);
}

/// The runbook names the steps that matter; how a person is called stays the operator's own matter.
#[test]
fn a_step_with_notify_calls_whatever_else_the_operator_is_called_for() {
    let (address, told) = listener("200 OK");
    let platform = Platform::new();
    let config = platform.folder.path().join("config.toml");
    std::fs::write(&config, format!("[on_attention]\nwhen = \"person\"\nwebhook = \"{address}\"\n")).unwrap();
    let config = config.display().to_string();
    let steps = format!("{SCALE}    notify: done\n  - {{ id: after, run: [\"true\"] }}\n");
    platform.rekindle(&["run", "--plain", "--yes", "--yes-irreversible", "--config", &config], &steps).exits(0);
    let (_, body) = told.recv_timeout(Duration::from_secs(60)).unwrap();
    assert_eq!((&body["event"], &body["text"]), (&"done".into(), &"the step scale is done".into()));
    assert!(told.recv_timeout(Duration::from_millis(500)).is_err(), "nobody asked to be called at the end");
}
