//! The Admin REST API as calls: a token that renews itself, reads that are tried again, writes that are not and that are
//! refused once another session has taken the realm.

mod answer;
mod client;
mod fence;
mod hold;
mod pages;
mod patience;
mod token;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio::sync::{Semaphore, watch};

use crate::model::{Error, ErrorKind, Known, Result, Secret, visible};

use super::config::{Config, Login};
pub(super) use answer::Answer;
use answer::{Failed, failed_to_send};
use fence::Fence;
pub(super) use pages::Bare;
use patience::Patience;
use token::Token;

/// Calls side by side, all told: two cores of a server answer no faster to more.
const PARALLEL: usize = 8;

/// One server, one realm, one login.
pub(super) struct Http {
    client: reqwest::Client,
    /// For calls about a realm as a whole.
    patient: reqwest::Client,
    pub config: Arc<Config>,
    token: Token,
    turns: Semaphore,
    patience: Patience,
    fence: Fence,
    calls: AtomicU64,
}

impl Http {
    pub fn new(config: Config) -> Result<Self> {
        let (client, patient) = (client::usual(&config)?, client::patient(&config)?);
        let (config, patience) = (Arc::new(config), Patience::default());
        Ok(Self {
            token: Token::new(client.clone(), Arc::clone(&config), patience.clone()),
            patience,
            client,
            patient,
            config,
            turns: Semaphore::new(PARALLEL),
            fence: Fence::default(),
            calls: AtomicU64::new(0),
        })
    }

    /// What is waited for now, in words.
    pub fn back_off(&self) -> watch::Receiver<Option<String>> {
        self.patience.told()
    }

    /// Calls made so far, tokens and repeats included.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed) + self.token.calls()
    }

    /// Whether this login gets a token: somebody else's, which is let go at once.
    pub async fn logs_in(&self, login: &Login, code: Option<&Secret>) -> Result<()> {
        let got = Token::ask_for(&self.client, &self.config.url, login, code).await;
        got.map(|_| ()).map_err(Failed::into_error)
    }

    /// Below the realm: `/users`, or nothing for the realm itself.
    fn url(&self, path: &str) -> String {
        format!("{}/admin/realms/{}{path}", self.config.url, segment(&self.config.realm))
    }

    /// Reads, and tries again what may pass. What is not there is [`ErrorKind::NotFound`].
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value> {
        self.read(Method::GET, path, query).await?.json()
    }

    pub async fn get_maybe(&self, path: &str, query: &[(&str, &str)]) -> Result<Option<Value>> {
        match self.get(path, query).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            other => other.map(Some),
        }
    }

    /// A call that reads, whatever its method: it is tried again like one.
    pub async fn read(&self, method: Method, path: &str, query: &[(&str, &str)]) -> Result<Answer> {
        let url = self.url(path);
        let attempt = || self.once(method.clone(), &url, query, None);
        let ended = self.patience.ending(attempt, Failed::may_pass).await;
        self.patience.learn(&ended);
        ended.map_err(Failed::into_error)
    }

    /// Writes once. Only what the server certainly did not take is sent again: a token that ran out, a connection
    /// that was never made, a plea to wait. Where nobody knows, the error's effect is [`Known::Unknown`], and who
    /// writes must read before writing again.
    pub async fn write(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer> {
        self.write_to(method, &self.url(path), body).await
    }

    /// The same for what lies beside a realm: `/admin/realms`.
    pub async fn write_to(&self, method: Method, url: &str, body: Option<&Value>) -> Result<Answer> {
        let attempt = async || {
            self.not_overslept().await?;
            self.once(method.clone(), url, &[], body).await
        };
        self.patience.ending(attempt, Failed::was_not_taken).await.map_err(Failed::into_error)
    }

    /// What the server can do: its providers and their settings.
    pub async fn server_info(&self) -> Result<Value> {
        let url = format!("{}/admin/serverinfo", self.config.url);
        let attempt = || self.once(Method::GET, &url, &[], None);
        self.patience.ending(attempt, Failed::may_pass).await.map_err(Failed::into_error)?.json()
    }

    /// The realms that this login may see, briefly.
    pub async fn realms(&self) -> Result<Value> {
        let url = self.realms_url();
        let attempt = || self.once(Method::GET, &url, &[("briefRepresentation", "true")], None);
        self.patience.ending(attempt, Failed::may_pass).await.map_err(Failed::into_error)?.json()
    }

    /// Where realms are made.
    pub fn realms_url(&self) -> String {
        format!("{}/admin/realms", self.config.url)
    }

    /// Making a realm, removing it, or reading all of it at once.
    fn is_about_all(&self, method: &Method, url: &str) -> bool {
        url.ends_with("/partial-export")
            || (*method == Method::POST && url == self.realms_url())
            || (*method == Method::DELETE && url == self.url(""))
    }

    /// With a new token where the old one is not taken any more.
    async fn once(
        &self,
        method: Method,
        url: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer, Failed> {
        // The turn first: who waits long for it would come with a token that has run out.
        let _turn = self.turns.acquire().await;
        let token = self.token.current().await?;
        match self.send(method.clone(), url, query, body, token.expose()).await {
            Err(failed) if failed.status() == Some(StatusCode::UNAUTHORIZED) => {
                let token = self.token.renewed(&token).await?;
                self.send(method, url, query, body, token.expose()).await
            }
            other => other,
        }
    }

    async fn send(
        &self,
        method: Method,
        url: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
        token: &str,
    ) -> Result<Answer, Failed> {
        let doing = format!("{method} {}", visible(url));
        self.calls.fetch_add(1, Ordering::Relaxed);
        let client = if self.is_about_all(&method, url) { &self.patient } else { &self.client };
        let mut request = client.request(method.clone(), url).bearer_auth(token).header("Accept", "application/json");
        if !query.is_empty() {
            request = request.query(query);
        }
        request = match body {
            // What people call a credential is taken as it is, and not as JSON.
            Some(Value::String(label)) if url.ends_with("/userLabel") => {
                request.header("Content-Type", "text/plain; charset=utf-8").body(label.clone())
            }
            Some(body) => request.json(body),
            None => request,
        };
        let reads = method == Method::GET;
        let response = request.send().await.map_err(|error| failed_to_send(&doing, &error, reads))?;
        Answer::of(doing, response, reads).await
    }
}

/// A name as one segment of a URL's path.
pub(super) fn segment(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' => text.push(char::from(byte)),
            // A lone dot would be taken for a step in the path.
            b'.' if name.len() > 2 => text.push('.'),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

/// The error of an answer that is not what the API gives.
pub(super) fn strange(doing: impl Into<String>, why: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, doing, why)
        .known(Known::Unknown)
        .next("check the server's address in the runbook, and what stands between it and here")
}

#[cfg(test)]
mod tests;
