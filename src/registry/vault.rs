use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::model::{Error, ErrorKind, Result, Secret, visible, with_causes};
use crate::runbook::{Inputs, split_vault};

/// A secret is small: a larger answer is no answer of a secret's.
const MOST_BYTES: usize = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(30);
/// Names of fields that an error lists.
const MOST_NAMES: usize = 10;

/// Which server is asked, and with which token: the operator's environment says so and never a runbook, for it would
/// be told the operator's token.
struct Server {
    address: reqwest::Url,
    token: Secret,
    namespace: Option<String>,
    ca: Option<String>,
}

/// One field of a secret in Vault or OpenBao. Blocks.
pub(super) fn read(place: &str, inputs: &Inputs) -> Result<Zeroizing<String>> {
    let shown = visible(place).into_owned();
    let Some((path, field)) = split_vault(place) else {
        return Err(Error::new(ErrorKind::Invalid, format!("read {shown} from Vault"), "it is no path and field")
            .next("write it as in { vault: secret/backup/restic#password }"));
    };
    let server = Server::of_environment(&shown)?;
    super::in_clear::check("Vault's token", server.address.as_str(), inputs)?;
    inputs.learn(&server.token);
    // Whoever calls may be on a thread of the runtime's already.
    let read = std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| Error::io(format!("read {shown} from Vault"), error))?;
            runtime.block_on(server.field(path, field, inputs.insecure))
        });
        reading.join()
    });
    read.unwrap_or_else(|_| {
        Err(Error::new(ErrorKind::Bug, format!("read {shown} from Vault"), "what reads it ended unexpectedly"))
    })
}

impl Server {
    fn of_environment(place: &str) -> Result<Self> {
        let either =
            |names: [&str; 2]| names.iter().find_map(|name| std::env::var(name).ok()).filter(|it| !it.is_empty());
        let missing = |what: &str, next: &str| {
            Error::new(ErrorKind::NotFound, format!("read {place} from Vault"), what.to_owned()).next(next)
        };
        let address = either(["VAULT_ADDR", "BAO_ADDR"])
            .ok_or_else(|| missing("$VAULT_ADDR is not set", "export VAULT_ADDR=https://HOST:8200"))?;
        let token = either(["VAULT_TOKEN", "BAO_TOKEN"]).or_else(token_of_login).ok_or_else(|| {
            missing("there is no token: $VAULT_TOKEN is not set, and there is no ~/.vault-token", "run `vault login`")
        })?;
        let mut url = address.parse::<reqwest::Url>().ok().filter(reqwest::Url::has_host).ok_or_else(|| {
            let why = format!("$VAULT_ADDR is no address: {}", visible(&address));
            missing(&why, "export VAULT_ADDR=https://HOST:8200")
        })?;
        // A login in it would be shown with it.
        let _ = url.set_username("").and_then(|()| url.set_password(None));
        Ok(Self {
            address: url,
            token: Secret::new(token.trim()),
            namespace: either(["VAULT_NAMESPACE", "BAO_NAMESPACE"]),
            ca: either(["VAULT_CACERT", "BAO_CACERT"]),
        })
    }

    async fn field(&self, path: &str, field: &str, insecure: bool) -> Result<Zeroizing<String>> {
        let client = self.client(insecure)?;
        let at = match self.mount(&client, path).await? {
            // The versions of a secret lie below `data`.
            Some(mount) if path != mount && !path.starts_with(&format!("{mount}/data/")) => {
                let below = path.strip_prefix(mount.as_str()).unwrap_or(path).trim_start_matches('/');
                format!("{mount}/data/{below}")
            }
            _ => path.to_owned(),
        };
        let doing = || format!("read the field '{}' of {} from Vault", visible(field), visible(path));
        let answer = self.get(&client, &at).await.map_err(|error| self.unreached(doing(), &error))?;
        if answer.status != StatusCode::OK {
            return Err(self.refused(doing(), &answer));
        }
        let data = answer.json.get("data").unwrap_or(&Value::Null);
        // An engine with versions has what surrounds them beside the data.
        let data = data.get("data").filter(|_| data.get("metadata").is_some()).unwrap_or(data);
        match data.get(field) {
            Some(Value::String(value)) => Ok(Zeroizing::new(value.clone())),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(Zeroizing::new(value.to_string())),
            Some(_) => Err(Error::new(ErrorKind::Invalid, doing(), "it is neither text nor a number")),
            None => {
                let names: Vec<&str> =
                    data.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).take(MOST_NAMES).collect();
                let why = if names.is_empty() { "the secret has no fields" } else { "the secret has no such field" };
                Err(Error::new(ErrorKind::NotFound, doing(), why).next(match names.is_empty() {
                    true => "see `vault kv get` for what is there".to_owned(),
                    false => format!("name one of its fields: {}", visible(&names.join(", "))),
                }))
            }
        }
    }

    fn client(&self, insecure: bool) -> Result<reqwest::Client> {
        let doing = || format!("speak with Vault at {}", self.address);
        // A redirect would take the token along.
        let mut builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE);
        if let Some(path) = &self.ca {
            let pem = std::fs::read(path).map_err(|error| {
                Error::io(format!("read the certificates of $VAULT_CACERT, {}", visible(path)), error)
            })?;
            let certificates = reqwest::Certificate::from_pem_bundle(&pem)
                .map_err(|error| Error::new(ErrorKind::Invalid, doing(), format!("$VAULT_CACERT: {error}")))?;
            for certificate in certificates {
                builder = builder.add_root_certificate(certificate);
            }
        }
        let client = builder.danger_accept_invalid_certs(insecure).build();
        client.map_err(|error| Error::new(ErrorKind::Bug, doing(), error.without_url().to_string()))
    }

    /// The mount of that path where its engine keeps versions. A server that does not tell is asked for the path as
    /// it is written.
    async fn mount(&self, client: &reqwest::Client, path: &str) -> Result<Option<String>> {
        let doing = || format!("ask Vault where {} is mounted", visible(path));
        let answer = self.get(client, &format!("sys/internal/ui/mounts/{path}")).await;
        let answer = answer.map_err(|error| self.unreached(doing(), &error))?;
        if answer.status != StatusCode::OK {
            return Ok(None);
        }
        let data = answer.json.get("data").unwrap_or(&Value::Null);
        let has_versions = data.pointer("/options/version").and_then(Value::as_str) == Some("2");
        let mount = data.get("path").and_then(Value::as_str).map(|mount| mount.trim_end_matches('/').to_owned());
        Ok(mount.filter(|_| has_versions))
    }

    async fn get(&self, client: &reqwest::Client, path: &str) -> Result<Answer, reqwest::Error> {
        let mut url = self.address.clone();
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().push("v1").extend(path.split('/'));
        }
        let mut request = client.get(url);
        request = request.header("X-Vault-Token", self.token.expose()).header("X-Vault-Request", "true");
        if let Some(namespace) = &self.namespace {
            request = request.header("X-Vault-Namespace", namespace);
        }
        let mut answer = request.send().await?;
        let status = answer.status();
        let mut body = Zeroizing::new(Vec::new());
        while let Some(part) = answer.chunk().await? {
            if body.len() + part.len() > MOST_BYTES {
                break;
            }
            body.extend_from_slice(&part);
        }
        Ok(Answer { status, json: serde_json::from_slice(&body).unwrap_or(Value::Null) })
    }

    fn unreached(&self, doing: String, error: &reqwest::Error) -> Error {
        let why = with_causes(format!("{} does not answer", self.address), error);
        let kind = if error.is_timeout() { ErrorKind::TimedOut } else { ErrorKind::Unreachable };
        Error::new(kind, doing, why).next("see whether $VAULT_ADDR is right and the server is up; `vault status` tells")
    }

    fn refused(&self, doing: String, answer: &Answer) -> Error {
        let said: Vec<&str> = answer
            .json
            .get("errors")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let said = if said.is_empty() { String::new() } else { format!(": {}", visible(&said.join("; "))) };
        let (kind, why, next) = match answer.status.as_u16() {
            403 => (
                ErrorKind::Denied,
                "the token is not allowed to, or is no longer good",
                "see `vault token lookup`, and that its policy reads this path",
            ),
            404 => (
                ErrorKind::NotFound,
                "there is no such secret, or its latest version is deleted",
                "see `vault kv get` with the same path",
            ),
            300..=399 => (ErrorKind::Unreachable, "it sends on to another server", "set $VAULT_ADDR to the active one"),
            503 => (ErrorKind::Busy, "it is sealed or under maintenance", "unseal it, then try again"),
            _ => (ErrorKind::Invalid, "it does not answer as Vault does", "see whether $VAULT_ADDR is Vault's address"),
        };
        Error::new(kind, doing, format!("{} answers {}: {why}{said}", self.address, answer.status)).next(next)
    }
}

struct Answer {
    status: StatusCode,
    json: Value,
}

/// What `vault login` leaves.
fn token_of_login() -> Option<String> {
    let home = std::env::var_os("HOME")?;
    let token = std::fs::read_to_string(std::path::Path::new(&home).join(".vault-token")).ok()?;
    Some(token).filter(|token| !token.trim().is_empty())
}
