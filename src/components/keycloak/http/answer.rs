use std::error::Error as _;
use std::time::Duration;

use reqwest::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::model::{Error, ErrorKind, Known, Result, visible};

use super::strange;

/// The largest answer that is taken: a realm's export with tens of thousands of groups.
const MAX_BYTES: usize = 256 * 1024 * 1024;
/// Of what a server says of a failure.
const MAX_REASON: usize = 500;
/// The longest plea to wait that is heard; a longer one is cut.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What a server answered to one call that it took.
pub(crate) struct Answer {
    doing: String,
    /// Where what was created lies.
    pub location: Option<String>,
    body: Vec<u8>,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answer({}, {} bytes)", self.doing, self.body.len())
    }
}

/// One call that failed.
pub(super) struct Failed {
    error: Error,
    status: Option<StatusCode>,
    /// The server asked for this long.
    wait: Option<Duration>,
    /// The server certainly did nothing.
    untouched: bool,
}

impl Failed {
    pub fn status(&self) -> Option<StatusCode> {
        self.status
    }

    pub fn kind(&self) -> ErrorKind {
        self.error.kind()
    }

    pub fn words(&self) -> String {
        self.error.chain()
    }

    /// Worth another try, for a call that changes nothing.
    pub fn may_pass(&self) -> bool {
        matches!(self.error.kind(), ErrorKind::Unreachable | ErrorKind::Busy)
    }

    /// Worth another try, whatever the call does.
    pub fn was_not_taken(&self) -> bool {
        self.untouched && self.may_pass()
    }

    pub fn wait(&self, planned: Option<Duration>) -> Option<Duration> {
        planned.map(|planned| self.wait.unwrap_or(planned).min(LONGEST_WAIT))
    }

    /// Why nothing happens for that long, as a person is told.
    pub fn plea(&self, pause: Duration) -> String {
        // No shorter than it is.
        let seconds = pause.as_secs() + u64::from(pause.subsec_nanos() > 0);
        match self.error.kind() {
            ErrorKind::Busy if self.wait.is_some() => format!("Keycloak asks to wait {seconds} s"),
            ErrorKind::Busy => format!("Keycloak is busy: it is asked again within {seconds} s"),
            _ => format!("Keycloak does not answer: it is asked again within {seconds} s"),
        }
    }

    #[cfg(test)]
    pub fn asking_for(wait: Duration) -> Self {
        Self { wait: Some(wait), ..Error::new(ErrorKind::Busy, "", "").into() }
    }

    pub fn into_error(self) -> Error {
        self.error
    }

    /// The same, of another kind if it is of that one.
    pub fn of_kind(mut self, is: ErrorKind, becomes: ErrorKind) -> Self {
        if self.error.kind() == is {
            self.error = self.error.of_kind(becomes);
        }
        self
    }

    pub fn with_untouched(mut self) -> Self {
        self.untouched = true;
        self
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { error, status: None, wait: None, untouched: true }
    }
}

pub(super) fn failed_to_send(doing: &str, error: &reqwest::Error, reads: bool) -> Failed {
    let untouched = error.is_connect() || error.is_builder();
    let mut why = String::new();
    // The last cause is the one that says something: "Connection refused", "UnknownIssuer".
    let mut cause = error.source();
    while let Some(inner) = cause {
        why = inner.to_string();
        cause = inner.source();
    }
    if why.is_empty() {
        why = error.to_string();
    }
    let certificate = why.contains("certificate") || why.contains("UnknownIssuer");
    let is_plain = why.contains("InvalidContentType");
    if is_plain {
        why = "it speaks no TLS there".to_owned();
    }
    if certificate {
        why = format!("its certificate is not trusted here: {why}");
    }
    let (kind, next) = match error {
        _ if certificate => (ErrorKind::Refused, "name the issuer's certificates with 'ca' in the runbook"),
        _ if is_plain => (ErrorKind::Invalid, "check the port, or write http:// if that is what is meant"),
        error if error.is_timeout() => (ErrorKind::TimedOut, "check the server and the network, then retry"),
        error if error.is_builder() => (ErrorKind::Invalid, "check the server's address in the runbook"),
        _ => (ErrorKind::Unreachable, "check that the server runs and can be reached, then retry"),
    };
    let known = if untouched || reads { Known::NotApplied } else { Known::Unknown };
    let error = Error::new(kind, doing, visible(&why)).known(known).next(next);
    Failed { error, status: None, wait: None, untouched }
}

impl Answer {
    /// Reads an answer whole, or says why the call failed.
    pub(super) async fn of(doing: String, mut response: reqwest::Response, reads: bool) -> Result<Self, Failed> {
        let status = response.status();
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (location, wait, kind) = (header("location"), header("retry-after"), header("content-type"));
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(None) => break,
                Ok(Some(chunk)) if body.len() + chunk.len() <= MAX_BYTES => body.extend_from_slice(&chunk),
                Ok(Some(_)) => return Err(strange(&doing, "its answer is larger than 256 MiB").into()),
                // The call was taken; what became of it the server did not say to the end.
                Err(error) => return Err(Failed { untouched: false, ..failed_to_send(&doing, &error, reads) }),
            }
        }
        if status.is_success() {
            let is_json = kind.as_deref().is_some_and(|kind| kind.contains("json"));
            if !body.is_empty() && !is_json {
                let kind = kind.unwrap_or_else(|| "nothing said of what it is".to_owned());
                return Err(strange(&doing, format!("its answer is no JSON but {}", visible(&kind))).into());
            }
            return Ok(Self { doing, location, body });
        }
        let wait = wait.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        Err(refused(doing, status, &body, wait, reads))
    }

    /// The body. An empty one is no value: a read that is answered by nothing was cut short.
    pub fn json(&self) -> Result<Value> {
        self.parsed("")
    }

    /// The body as a list.
    pub fn items<I: DeserializeOwned>(&self) -> Result<Vec<I>> {
        self.parsed("its answer is no such list")
    }

    fn parsed<T: DeserializeOwned>(&self, otherwise: &str) -> Result<T> {
        if self.body.is_empty() {
            return Err(strange(&self.doing, "its answer is empty"));
        }
        serde_json::from_slice(&self.body).map_err(|error| {
            let why = match error.is_data() {
                true => otherwise.to_owned(),
                false => format!("its answer ends or breaks at byte {}", error.column()),
            };
            strange(&self.doing, why).caused_by(error)
        })
    }
}

fn refused(doing: String, status: StatusCode, body: &[u8], wait: Option<Duration>, reads: bool) -> Failed {
    let said = reason(body);
    let (kind, next) = match status.as_u16() {
        401 => (ErrorKind::LoggedOut, "check the login in the runbook: the server does not take its token"),
        403 => (ErrorKind::Denied, "give that login the roles it needs: realm-admin of realm-management, or admin"),
        404 => (ErrorKind::NotFound, "check the realm's name and the server's address in the runbook"),
        409 => (ErrorKind::Conflict, "look at what is there now, then plan this task again"),
        413 => (ErrorKind::Invalid, "this is larger than the server takes: raise its limit for bodies"),
        429 => (ErrorKind::Busy, "wait, then retry"),
        500 => (ErrorKind::Invalid, "the reason is in the server's own log only"),
        502..=504 => (ErrorKind::Unreachable, "check the server and what stands before it, then retry"),
        300..=399 => (ErrorKind::Invalid, "the server sends elsewhere: write that address into the runbook"),
        _ => (ErrorKind::Invalid, "mend what the server names, then retry"),
    };
    let untouched =
        matches!(status.as_u16(), 400..=499) || (status == StatusCode::SERVICE_UNAVAILABLE && wait.is_some());
    let known = if untouched || reads { Known::NotApplied } else { Known::Unknown };
    // A server that fails inside may have been stopping: one more look tells.
    let kind = if reads && status.as_u16() == 500 { ErrorKind::Unreachable } else { kind };
    let why = if said.is_empty() { format!("the server answered {status}") } else { format!("{status}: {said}") };
    let error = Error::new(kind, doing, why).known(known).next(next);
    Failed { error, status: Some(status), wait, untouched }
}

/// What the server says, made fit to be shown. A page of HTML says nothing.
fn reason(body: &[u8]) -> String {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return String::new() };
    let texts = ["errorMessage", "error_description", "error"];
    let text = texts.iter().find_map(|name| value.get(*name)?.as_str()).unwrap_or_default();
    let mut said: String = visible(text).chars().take(MAX_REASON).collect();
    if let Some(field) = value.get("field").and_then(Value::as_str).filter(|field| !field.is_empty()) {
        said.extend(format!(" ({})", visible(field)).chars().take(MAX_REASON));
    }
    let several = value.get("errors").and_then(Value::as_array).into_iter().flatten();
    for one in several.take(4) {
        let part = |name: &str| one.get(name).and_then(Value::as_str).unwrap_or_default();
        let more = format!("; {} {}", visible(part("field")), visible(part("errorMessage")));
        said.extend(more.chars().take(MAX_REASON));
    }
    said
}
