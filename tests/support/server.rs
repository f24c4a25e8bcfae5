#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A real server on a free loopback port; stopped when it goes out of scope.
pub struct Server {
    child: Child,
    pub port: u16,
}

impl Server {
    /// `rclone serve restic` of a folder.
    pub fn rest(folder: &Path, access: &[&str]) -> Self {
        Self::start("rclone.sh", folder, access)
    }

    /// versitygw over a folder of buckets.
    pub fn s3(folder: &Path, key: &str, secret: &str) -> Self {
        Self::start("versitygw.sh", folder, &[key, secret])
    }

    /// OpenBao in its development mode.
    pub fn vault(folder: &Path, token: &str) -> Self {
        Self::start("openbao.sh", folder, &[token])
    }

    fn start(script: &str, folder: &Path, more: &[&str]) -> Self {
        let script = super::root().join("tests/services").join(script);
        let installed = Command::new(&script).arg("install").status().unwrap();
        assert!(installed.success(), "{} install failed", script.display());
        // Someone else may take the free port first; then another one is tried.
        (0..5).find_map(|_| Self::try_start(&script, folder, more)).expect("the server does not start")
    }

    fn try_start(script: &Path, folder: &Path, more: &[&str]) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(script)
            .args(["serve", &port.to_string()])
            .arg(folder)
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut server = Self { child, port };
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(30) {
            if server.child.try_wait().unwrap().is_some() {
                return None;
            }
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(server);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
    }

    /// Now, as when a machine dies.
    pub fn kill(self) {}
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
