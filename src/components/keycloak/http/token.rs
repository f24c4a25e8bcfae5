use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use tokio::sync::Mutex;

use crate::model::{Error, ErrorKind, Result, Secret, visible};

use super::answer::{Answer, Failed, failed_to_send};
use super::patience::Patience;
use super::segment;
use crate::components::keycloak::config::{Config, Grant, Login};

/// An access token is got anew this long before it runs out, or when a third of its life is left, whichever is later:
/// the realm master's live for 60 seconds.
const AHEAD: Duration = Duration::from_secs(30);
/// What a token without a lifetime is trusted for.
const SHORT: Duration = Duration::from_secs(30);

/// The access token of one login, renewed ahead of its end. Who asks while it is being renewed waits for that.
pub(super) struct Token {
    client: reqwest::Client,
    config: Arc<Config>,
    held: Mutex<Option<Held>>,
    patience: Patience,
    calls: AtomicU64,
}

pub(super) struct Held {
    token: Arc<Secret>,
    renew_at: Instant,
}

impl Token {
    pub fn new(client: reqwest::Client, config: Arc<Config>, patience: Patience) -> Self {
        Self { client, config, held: Mutex::new(None), patience, calls: AtomicU64::new(0) }
    }

    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    pub async fn current(&self) -> Result<Arc<Secret>, Failed> {
        let mut held = self.held.lock().await;
        match &*held {
            Some(held) if Instant::now() < held.renew_at => Ok(Arc::clone(&held.token)),
            _ => self.get(&mut held).await,
        }
    }

    /// Another one than `refused`, which the server took no more: at once, unless somebody else got one meanwhile that
    /// has not run out as well.
    pub async fn renewed(&self, refused: &Arc<Secret>) -> Result<Arc<Secret>, Failed> {
        let mut held = self.held.lock().await;
        match &*held {
            Some(held) if !Arc::ptr_eq(&held.token, refused) && Instant::now() < held.renew_at => {
                Ok(Arc::clone(&held.token))
            }
            _ => self.get(&mut held).await,
        }
    }

    async fn get(&self, held: &mut Option<Held>) -> Result<Arc<Secret>, Failed> {
        let got = self.patience.ending(|| self.ask(), Failed::may_pass).await;
        self.patience.learn(&got);
        let got = got?;
        let token = Arc::clone(&got.token);
        *held = Some(got);
        Ok(token)
    }

    async fn ask(&self) -> Result<Held, Failed> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let asked = Self::ask_for(&self.client, &self.config.url, &self.config.login, None).await;
        let logged_out = |failed: Failed| {
            // Whoever asks for something else must not take it for that thing's absence.
            let failed = failed.of_kind(ErrorKind::NotFound, ErrorKind::LoggedOut);
            failed.of_kind(ErrorKind::Denied, ErrorKind::LoggedOut)
        };
        asked.map_err(logged_out)
    }

    /// Asks once for a token.
    pub async fn ask_for(
        client: &reqwest::Client,
        server: &str,
        login: &Login,
        code: Option<&Secret>,
    ) -> Result<Held, Failed> {
        let doing = format!("log in to {}/realms/{}", visible(server), visible(&login.realm));
        let url = format!("{server}/realms/{}/protocol/openid-connect/token", segment(&login.realm));
        let mut form = vec![("client_id", login.client.as_str())];
        match &login.grant {
            Grant::Client { secret } => {
                form.extend([("grant_type", "client_credentials"), ("client_secret", secret.expose())]);
            }
            Grant::Password { username, password } => {
                form.extend([("grant_type", "password"), ("username", username), ("password", password.expose())]);
            }
        }
        form.extend(code.map(|code| ("totp", code.expose())));
        let asked = Instant::now();
        let response = client.post(&url).form(&form).send().await;
        // Asking for a token changes nothing, so it may be asked for again.
        let response = response.map_err(|error| failed_to_send(&doing, &error, true).with_untouched())?;
        let answer = Answer::of(doing.clone(), response, true).await.map_err(|failed| refused(failed, &doing))?;
        let value = answer.json()?;
        let Some(token) = value.get("access_token").and_then(serde_json::Value::as_str) else {
            return Err(super::strange(&doing, "its answer holds no access token").into());
        };
        let life = value.get("expires_in").and_then(serde_json::Value::as_u64).map_or(SHORT, Duration::from_secs);
        Ok(Held { token: Arc::new(Secret::new(token)), renew_at: asked + life.saturating_sub(AHEAD.min(life / 3)) })
    }
}

/// A login that is refused is no matter of the address.
fn refused(failed: Failed, doing: &str) -> Failed {
    match failed.status() {
        Some(StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED) => {
            let why = failed.into_error().to_string();
            let why = why.rsplit_once(": ").map_or(why.as_str(), |(_, why)| why).to_owned();
            Error::new(ErrorKind::Denied, doing, why)
                .next(
                    "check the login's realm, client and name in the runbook, and the secret where that takes it from",
                )
                .into()
        }
        _ => failed,
    }
}
