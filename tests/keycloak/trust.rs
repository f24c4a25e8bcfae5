//! How a server is reached: certificates of an authority of one's own, proxies, and none of it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rekindle::components::keycloak::Keycloak;
use rekindle::components::keycloak::config::Config;
use rekindle::model::ErrorKind;
use rekindle::reader::Reader;

use crate::keycloak::{Admin, other};
use crate::runbooks::{Rekindle, said};

fn by_https() -> Config {
    let (server, authority) = other();
    Config { url: authority.url(), ..server.config("master") }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_a_certificate_of_ones_own_authority_is_reached_with_that_authority_alone() {
    let authority = &other().1;
    let with = |name: &str| Config { ca: Some(authority.certificate(name)), ..by_https() };
    let right = Keycloak::new(with("ca.pem")).unwrap().identity().await.unwrap();
    assert!(right.address.starts_with("https://127.0.0.1"), "{right:?}");
    for config in [by_https(), with("stranger.pem")] {
        let error = Keycloak::new(config).unwrap().identity().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{}", error.chain());
        assert!(error.chain().contains("its certificate is not trusted here"), "{}", error.chain());
        let hint = error.hint().unwrap();
        assert!(hint.contains("'ca'"), "{hint}");
    }
    let none = with("names");
    let error = Keycloak::new(none).err().unwrap();
    assert!(error.chain().contains("no PEM certificate"), "{}", error.chain());
}

/// By the shipped program: a runbook cannot ask for it, the run's record tells it.
#[tokio::test(flavor = "multi_thread")]
async fn certificates_go_unchecked_only_where_a_run_says_so_and_its_journal_tells_it() {
    let (server, authority) = other();
    let admin = Admin::new(server);
    let realm = serde_json::json!({"realm": "insecure", "enabled": true});
    admin.make_realm(&realm).await;
    let folder = tempfile::tempdir().unwrap();
    let documents = folder.path().join("backup/realm/localization");
    std::fs::create_dir_all(&documents).unwrap();
    std::fs::write(documents.join("de.yaml"), "greeting: Hallo\n").unwrap();
    let runbook = |more: &str| {
        let text = format!(
            "rekindle: 1\ntitle: Texts\nsources:\n  backup: {{ directory: {}, format: documents }}\n\
             components:\n  keycloak:\n    keycloak: {}\n    realm: insecure\n    \
             login: {{ realm: master, user: admin, password: {{ env: KEYCLOAK_PASSWORD }} }}\n{more}\
             steps:\n  - {{ id: texts, restore: keycloak, from: backup, below: realm/localization }}\n",
            folder.path().join("backup").display(),
            authority.url()
        );
        let file = folder.path().join("texts.yaml");
        std::fs::write(&file, text).unwrap();
        file.display().to_string()
    };
    let rekindle = Rekindle::new();
    let asked = rekindle.call(&["plan", &runbook("    insecure: true\n")]);
    assert_eq!(asked.status.code(), Some(1), "{}", said(&asked));
    assert!(said(&asked).contains("insecure"), "{}", said(&asked));
    let refused = rekindle.call(&["plan", &runbook("")]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(said(&refused).contains("certificate"), "{}", said(&refused));
    let run = rekindle.call(&["run", &runbook(""), "--plain", "--yes", "--insecure"]);
    assert_eq!(run.status.code(), Some(0), "{}", said(&run));
    assert!(said(&run).contains("--insecure: the certificates of servers are not checked"), "{}", said(&run));
    let report = rekindle.call(&["report"]);
    assert!(said(&report).contains("certificate not checked"), "{}", said(&report));
    let ca = authority.certificate("ca.pem");
    let trusted = rekindle.call(&["plan", &runbook(&format!("    ca: {}\n", ca.display()))]);
    assert_eq!(trusted.status.code(), Some(0), "{}", said(&trusted));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_the_runbook_names_is_gone_through_by_http_and_by_https() {
    let (server, authority) = other();
    let proxy = Proxy::start();
    let by_http = Config { proxy: Some(proxy.url()), ..server.config("master") };
    Keycloak::new(by_http).unwrap().identity().await.unwrap();
    let seen = proxy.seen();
    assert!(seen > 0, "it went past the proxy");
    let by_https = Config { proxy: Some(proxy.url()), ca: Some(authority.certificate("ca.pem")), ..by_https() };
    Keycloak::new(by_https).unwrap().identity().await.unwrap();
    assert!(proxy.seen() > seen, "it went past the proxy");
    let nowhere = Config { proxy: Some("http://127.0.0.1:1".to_owned()), ..server.config("master") };
    let error = Keycloak::new(nowhere).unwrap().identity().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{}", error.chain());
}

/// The least that a proxy is: it opens the connection that it is asked for, and hands bytes over.
struct Proxy {
    port: u16,
    seen: Arc<AtomicUsize>,
}

impl Proxy {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&seen);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                counter.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || serve(client.unwrap()));
            }
        });
        Self { port, seen }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }
}

fn serve(mut client: TcpStream) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).is_ok_and(|count| count == 1) {
        head.push(byte[0]);
    }
    let text = String::from_utf8(head.clone()).unwrap();
    let target = text.split(' ').nth(1).unwrap_or_default().to_owned();
    let is_tunnel = text.starts_with("CONNECT ");
    let host = target.trim_start_matches("http://").split('/').next().unwrap().to_owned();
    let Ok(mut server) = TcpStream::connect(&host) else { return };
    if is_tunnel {
        client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").unwrap();
    } else {
        server.write_all(&head).unwrap();
    }
    let (mut to, mut back) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    std::thread::spawn(move || std::io::copy(&mut client, &mut to));
    let _ = std::io::copy(&mut server, &mut back);
}
