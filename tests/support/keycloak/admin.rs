#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;
use tokio::sync::Mutex;

/// The administrator of a server that a test started, calling it as nobody but a test should: without retries.
pub struct Admin {
    pub url: String,
    http: reqwest::Client,
    token: Mutex<Option<(String, Instant)>>,
}

/// The realm master gives tokens for a minute.
const RENEW_AFTER: Duration = Duration::from_secs(40);

impl Admin {
    pub fn new(url: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { url: url.to_owned(), http, token: Mutex::default() }
    }

    async fn token(&self) -> String {
        let mut held = self.token.lock().await;
        if let Some((token, since)) = held.as_ref()
            && since.elapsed() < RENEW_AFTER
        {
            return token.clone();
        }
        let form =
            [("grant_type", "password"), ("client_id", "admin-cli"), ("username", "admin"), ("password", "admin")];
        let asked = self.http.post(format!("{}/realms/master/protocol/openid-connect/token", self.url)).form(&form);
        let answer: Value = asked.send().await.unwrap().json().await.unwrap();
        let token = answer["access_token"].as_str().expect("the administrator cannot log in").to_owned();
        *held = Some((token.clone(), Instant::now()));
        token
    }

    /// `path` is below `/admin/realms`, as in `/staff/users`; answers status and body.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        let mut request = self.http.request(method, format!("{}/admin/realms{path}", self.url));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.bearer_auth(self.token().await).send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub async fn get(&self, path: &str) -> Value {
        self.succeed(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Value {
        self.succeed(Method::POST, path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Value {
        self.succeed(Method::PUT, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) {
        self.succeed(Method::DELETE, path, None).await;
    }

    async fn succeed(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let shown = format!("{method} {path}");
        let (status, answer) = self.call(method, path, body).await;
        assert!((200..300).contains(&status), "{shown}: {status} {answer}");
        answer
    }
}
