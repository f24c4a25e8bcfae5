//! What goes wrong between rekindle and the server: each story ends with everything as it was wanted, or with a clear
//! sentence and nothing half done.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use rekindle::components::keycloak::Keycloak;
use rekindle::components::keycloak::config::Config;

use crate::keycloak::server;
use crate::writing::Story;
use proxy::Proxy;

mod bad_input;
mod connection;
mod kills;
pub mod proxy;
mod realm_killed;
mod server_killed;
mod tokens;

/// Reached by way of the proxy.
fn behind(proxy: &Proxy, realm: &str) -> Keycloak {
    Keycloak::new(Config { url: proxy.url.clone(), ..server().config(realm) }).unwrap()
}

impl Story {
    /// Whose every call to the server goes by way of the proxy.
    async fn behind_a_proxy(name: &str, people: usize) -> (Self, Proxy) {
        let proxy = Proxy::before(server().port);
        let mut story = Self::seen(name, people).await;
        story.component = behind(&proxy, name);
        (story, proxy)
    }
}

/// The shipped program with the runbook for people, at some address of a server.
pub struct Operator {
    state: tempfile::TempDir,
    runbook: tempfile::NamedTempFile,
}

/// The administrator's own, so that no realm needs a client for it.
const LOGIN: &str = "{ user: admin, password: { env: KEYCLOAK_PASSWORD }, realm: master }";
const EVERYBODY: &str = "  - { id: account, each: user, restore: keycloak, from: backup, below: \"users/${user}\" }\n";

impl Operator {
    pub fn has_nothing_left(&self, when: &str) {
        nothing_is_left(&self.plan(), when);
    }

    pub fn new(url: &str, realm: &str, export: &Path) -> Self {
        Self::of(url, realm, export, LOGIN, EVERYBODY)
    }

    fn with_login(url: &str, realm: &str, export: &Path, login: &str) -> Self {
        Self::of(url, realm, export, login, EVERYBODY)
    }

    pub fn of_steps(url: &str, realm: &str, export: &Path, steps: &str) -> Self {
        Self::of(url, realm, export, LOGIN, steps)
    }

    fn of(url: &str, realm: &str, export: &Path, login: &str, steps: &str) -> Self {
        let runbook = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
        let text = format!(
            "rekindle: 1\ntitle: People\n\
             sources:\n  backup: {{ directory: {}, format: keycloak-export }}\n\
             components:\n  keycloak:\n    keycloak: {url}\n    realm: {realm}\n    login: {login}\n\
             owners:\n  user: {{ from: backup, kind: user }}\n\
             steps:\n{steps}",
            export.display()
        );
        std::fs::write(runbook.path(), text).unwrap();
        Self { state: tempfile::tempdir().unwrap(), runbook }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rekindle"));
        command.args(words).env("KEYCLOAK_PASSWORD", "admin").env("REKINDLE_STATE", self.state.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn on_runbook<'w>(&'w self, verb: &'w str, more: &[&'w str]) -> Vec<&'w str> {
        [&[verb, self.runbook.path().to_str().unwrap()], more].concat()
    }

    pub fn call(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    pub fn plan(&self) -> Output {
        self.call(&self.on_runbook("plan", &[]))
    }

    pub fn run(&self) -> Output {
        self.call(&self.on_runbook("run", &["--plain", "--yes"]))
    }

    /// Killed at a named point.
    pub fn dying(&self, point: &str, words: &[&str]) -> Output {
        let output = self.command(words).env("FAILPOINTS", format!("{point}=1*return")).output().unwrap();
        assert_eq!(output.status.code(), None, "it was not killed at {point}: {}", said(&output));
        output
    }

    pub fn resume(&self) -> Output {
        self.call(&["resume", "--plain", "--yes"])
    }

    /// Begun and not waited for: anew, or with what is left of the last run.
    pub fn begin(&self, resumes: bool) -> Child {
        let words =
            if resumes { vec!["resume", "--plain", "--yes"] } else { self.on_runbook("run", &["--plain", "--yes"]) };
        self.command(&words).spawn().unwrap()
    }
}

/// That a plan has no change but of an attribute's values: a server that was written to, or begins again, may give them
/// in an order of its own.
pub fn nothing_is_left(plan: &Output, when: &str) {
    let told = said(plan);
    if plan.status.code() != Some(2) {
        return assert_eq!(plan.status.code(), Some(0), "{when}: {told}");
    }
    let hunks: Vec<&str> = told.lines().filter_map(hunk).collect();
    let is_of_attributes = |hunk: &&str| hunk.starts_with("~ attributes.");
    assert!(!hunks.is_empty() && hunks.iter().all(is_of_attributes), "{when}: {told}");
}

/// What a plan's numbered line says.
fn hunk(line: &str) -> Option<&str> {
    let (number, hunk) = line.trim_start().split_once(". ")?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then_some(hunk)
}

pub fn said(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
