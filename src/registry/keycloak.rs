use std::sync::Arc;

use crate::component::Component;
use crate::components::keycloak::Keycloak;
use crate::components::keycloak::config::{Config, Grant, Ids, Login};
use crate::model::{Error, ErrorKind, Result, visible};
use crate::runbook::{Inputs, KeycloakIds, KeycloakSettings};

/// The client that every realm has for logins by password.
const ADMIN_CLI: &str = "admin-cli";

/// Blocks: a secret may come from a command.
pub(super) fn component(settings: &KeycloakSettings<String>, inputs: &Inputs) -> Result<Arc<dyn Component>> {
    let login = &settings.login;
    let url = address(&settings.url)?;
    super::in_clear::check("the login", &url, inputs)?;
    if let Some(proxy) = settings.proxy.as_deref().filter(|_| url.starts_with("http://")) {
        super::in_clear::check("the login", proxy, inputs)?;
    }
    let secret = super::password::read(&login.secret, inputs)?;
    let grant = match &login.user {
        Some(username) => Grant::Password { username: username.clone(), password: secret },
        None => Grant::Client { secret },
    };
    let config = Config {
        url,
        realm: settings.realm.clone(),
        login: Login {
            realm: login.realm.clone().unwrap_or_else(|| settings.realm.clone()),
            client: login.client.clone().unwrap_or_else(|| ADMIN_CLI.to_owned()),
            grant,
        },
        ca: settings.ca.as_ref().map(Into::into),
        proxy: settings.proxy.clone(),
        insecure: inputs.insecure,
        ids: match settings.ids {
            KeycloakIds::Keep => Ids::Keep,
            KeycloakIds::Accept => Ids::Accept,
            KeycloakIds::New => Ids::New,
        },
        leave: settings.leave.clone(),
    };
    Ok(Arc::new(Keycloak::new(config)?))
}

/// The address as it is called, shown and journalled: never with a password in it.
fn address(url: &str) -> Result<String> {
    let refuse = |why: &str| {
        let doing = format!("use the address {}", visible(url.rsplit_once('@').map_or(url, |(_, host)| host)));
        Error::new(ErrorKind::Invalid, doing, why)
            .next("write it as https://id.example.org, with its path if it has one")
    };
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let rest = rest.ok_or_else(|| refuse("it begins with neither https:// nor http://"))?;
    let host = rest.split('/').next().unwrap_or_default();
    if host.is_empty() || rest.contains(['?', '#']) {
        return Err(refuse("it is no address of a server"));
    }
    if host.contains('@') {
        return Err(refuse("it holds a name or a password, which belong into 'login'"));
    }
    Ok(url.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_no_password_and_no_surplus() {
        assert_eq!(address("https://id.example.org/auth/").unwrap(), "https://id.example.org/auth");
        for wrong in ["id.example.org", "ftp://x", "https://", "https://admin:hunter2@x/", "https://x/?y"] {
            let error = address(wrong).unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
