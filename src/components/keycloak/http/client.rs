use std::time::Duration;

use crate::components::keycloak::config::Config;
use crate::model::{Error, ErrorKind, Result, visible};

/// An answer may take this long, begun to ended: the largest are a page of users, and a realm's export.
const DEADLINE: Duration = Duration::from_secs(120);
const CONNECT: Duration = Duration::from_secs(10);
/// Between two bytes of an answer.
const SILENCE: Duration = Duration::from_secs(60);
/// The same of a call about a realm as a whole, which takes the longer the more is in it: one of 1,000 clients a minute.
/// The server itself gives up after five.
const WHOLE_REALM: Duration = Duration::from_secs(330);
/// A server that is gone is noticed while it is waited for.
const SIGNS_OF_LIFE: Duration = Duration::from_secs(15);

/// A file of certificates is read no further, in bytes.
const MOST_OF_CERTIFICATES: u64 = 16 << 20;

/// For most calls.
pub(super) fn usual(config: &Config) -> Result<reqwest::Client> {
    made(config, DEADLINE, SILENCE)
}

/// For calls about a realm as a whole.
pub(super) fn patient(config: &Config) -> Result<reqwest::Client> {
    made(config, WHOLE_REALM, WHOLE_REALM)
}

/// Its calls end so long after they began, or so long after the last byte.
fn made(config: &Config, deadline: Duration, silence: Duration) -> Result<reqwest::Client> {
    let doing = || format!("reach {}", visible(&config.url));
    let invalid = |error: reqwest::Error, why: &str| Error::new(ErrorKind::Invalid, doing(), why).caused_by(error);
    let mut builder = reqwest::Client::builder()
        .timeout(deadline)
        .connect_timeout(CONNECT)
        .read_timeout(silence)
        .tcp_keepalive(SIGNS_OF_LIFE)
        .tcp_keepalive_interval(SIGNS_OF_LIFE)
        .pool_max_idle_per_host(super::PARALLEL)
        // An API that sends elsewhere is another server than the one that was named.
        .redirect(reqwest::redirect::Policy::none());
    if let Some(path) = &config.ca {
        let doing = || format!("read the certificates in {}", visible(&*path.to_string_lossy()));
        let pem = crate::named_file::read(path, MOST_OF_CERTIFICATES).map_err(|error| Error::io(doing(), error))?;
        let certificates = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| {
            Error::new(ErrorKind::Invalid, doing(), "they are no PEM certificates").caused_by(error)
        })?;
        if certificates.is_empty() {
            return Err(Error::new(ErrorKind::Invalid, doing(), "there is no PEM certificate in it")
                .next("name the file with the issuer's certificates, which begin with -----BEGIN CERTIFICATE-----"));
        }
        builder = builder.tls_certs_merge(certificates);
    }
    if let Some(proxy) = &config.proxy {
        let proxy = reqwest::Proxy::all(proxy).map_err(|error| invalid(error, "its proxy is no address"))?;
        builder = builder.proxy(proxy);
    }
    if config.insecure {
        builder = builder.tls_danger_accept_invalid_certs(true);
    }
    builder.build().map_err(|error| invalid(error, "the settings for it do not fit"))
}
