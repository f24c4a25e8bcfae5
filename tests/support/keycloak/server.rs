#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::admin::Admin;

/// Keycloak on a PostgreSQL of its own. Starting one takes ten seconds or so and 400 MB; it ends with this value, and
/// with the test's process at the latest.
pub struct KeycloakServer {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    folder: PathBuf,
    pub url: String,
}

/// How `kc.sh export` lays users down.
#[derive(Clone, Copy, Debug)]
pub enum Users {
    /// So many in a file.
    InFilesOf(u32),
    /// One file holds the realm and them.
    WithTheRealm,
}

impl KeycloakServer {
    /// `folder` is emptied; no other server may use it.
    pub fn start(folder: &Path) -> Self {
        let _ = std::fs::remove_dir_all(folder);
        std::fs::create_dir_all(folder).unwrap();
        let installed = Command::new(script()).arg("install").status().unwrap();
        assert!(installed.success(), "keycloak.sh install failed");
        let [port, database_port] = [free_port(), free_port()];
        let mut child = Command::new(script())
            .args(["serve", &port.to_string()])
            .arg(folder)
            .arg(database_port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let orders = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let url = format!("http://127.0.0.1:{port}");
        let mut server = Self { child, orders, answers, folder: folder.to_owned(), url };
        server.expect("ready");
        server
    }

    pub fn admin(&self) -> Admin {
        Admin::new(&self.url)
    }

    /// `kill`, `stop` or `start`; returns when it is done.
    pub fn order(&mut self, order: &str) {
        let pipe = self.orders.as_mut().expect("the server was ended");
        writeln!(pipe, "{order}").unwrap();
        self.expect(match order {
            "kill" => "killed",
            "stop" => "stopped",
            _ => "ready",
        });
    }

    fn expect(&mut self, answer: &str) {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let log = || std::fs::read_to_string(self.folder.join("server.log")).unwrap_or_default();
        assert_eq!(line.trim(), answer, "Keycloak: {}", log());
    }

    /// By the server's own `kc.sh export`, beside the running server. `into` is a folder, or a file for one file.
    pub fn export(&self, realm: &str, into: &Path, users: Users) {
        let how = match users {
            Users::InFilesOf(count) => count.to_string(),
            Users::WithTheRealm => "single".to_owned(),
        };
        let made = Command::new(script()).arg("export").arg(&self.folder).arg(realm).arg(into).arg(how).output();
        let made = made.unwrap();
        assert!(made.status.success(), "kc.sh export: {}", String::from_utf8_lossy(&made.stdout));
    }
}

impl Drop for KeycloakServer {
    /// The end of its input is its order to stop everything.
    fn drop(&mut self) {
        drop(self.orders.take());
        let _ = self.child.wait();
    }
}

fn script() -> PathBuf {
    crate::support::root().join("tests/services/keycloak.sh")
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
