use std::sync::Arc;

use super::Keycloak;
use super::config::{Config, Grant, Ids, Login};
use super::{ExportConfig, KeycloakExport};
use crate::adapter::{Adapter, Format, Places, kept_is_not_told};
use crate::component::Component;
use crate::declared::{Given, Key, Opening, Shape, Wrong};
use crate::model::{Error, ErrorKind, Result, TreePath, visible};

/// The client that every realm has for logins by password.
const ADMIN_CLI: &str = "admin-cli";

const REALM: &str = "realm";

pub static ADAPTER: Adapter = Adapter {
    name: "keycloak",
    about: "The server's address, with its path if it has one.",
    keys: &[
        Key::new(REALM, Shape::Text, "The realm that is read and written.").required(),
        Key::new("login", Shape::Map("a login", LOGIN), "Who reads and writes it.").required(),
        Key::new("ca", Shape::Text, "A file of certificates to trust besides the system's."),
        Key::new("proxy", Shape::Text, "The proxy before the server; without it the environment's."),
        Key::new(
            "ids",
            Shape::Choice(&["keep", "accept", "new"]),
            "What a user of the same name and another id is: a conflict (keep, if not given), or the same one. New users \
             get the id of the backup, or with new one of their own.",
        ),
        Key::new("leave", Shape::Words, "Fields of users that are neither compared nor restored."),
    ],
    questions: &["login", "count", "user-exists"],
    places: Places::KeysOfServer { part_key: REALM },
    sends_a_login: true,
    check,
    voice: &["keycloak", "rekindle::components::keycloak"],
    page: include_str!("README.md"),
    has_kept: kept_is_not_told,
    formats: &[Format {
        name: "keycloak-export",
        keys: &[
            Key::new("export", Shape::Text, "The export's folder or file in the store; without it the store's root."),
            Key::new(REALM, Shape::Text, "Of an export that holds several realms: which."),
        ],
        is_of_documents: false,
        read: |store, given| {
            let at = given.text("export").map(TreePath::new).transpose()?.unwrap_or_default();
            Ok(Arc::new(KeycloakExport::new(store, ExportConfig { at, realm: given.text(REALM).cloned() })))
        },
    }],
    open: |opening| Box::pin(open(opening)),
};

const LOGIN: &[Key] = &[
    Key::new("realm", Shape::Text, "The realm that knows the client; without it the one that is restored."),
    Key::new("client", Shape::Text, "The client that logs in; with a user and without it admin-cli."),
    Key::new("secret", Shape::Password, "The client's own secret."),
    Key::new("user", Shape::Text, "Whose password it is."),
    Key::new("password", Shape::Password, "The user's password."),
];

fn check(given: &Given<()>) -> Vec<Wrong> {
    let Some(login) = given.map("login") else { return Vec::new() };
    let has = |key: &str| login.has(key);
    let is_one = match (has("password"), has("secret")) {
        (true, false) => has("user"),
        (false, true) => has("client") && !has("user"),
        _ => false,
    };
    let wrong = Wrong {
        at: vec!["login".to_owned()],
        why: "a login needs a user with a password, or a client with a secret".to_owned(),
        help: "write login: { client: NAME, secret: { env: … } } or { user: NAME, password: { env: … } }",
    };
    if is_one { Vec::new() } else { vec![wrong] }
}

async fn open(opening: &Opening<'_>) -> Result<Arc<dyn Component>> {
    let given = opening.given;
    let text = |of: &Given<String>, key: &str| of.text(key).cloned();
    let (realm, login) = (text(given, REALM).unwrap_or_default(), given.map("login").cloned().unwrap_or_default());
    let url = address(given.text(ADAPTER.name).map_or("", String::as_str))?;
    opening.secrets.may_send("the login", &url)?;
    if let Some(proxy) = given.text("proxy").filter(|_| url.starts_with("http://")) {
        opening.secrets.may_send("the login", proxy)?;
    }
    let unsaid =
        || Error::new(ErrorKind::Invalid, format!("log in to {}", visible(&url)), "the runbook gives no secret");
    let secret = login.password("password").or_else(|| login.password("secret")).ok_or_else(unsaid)?;
    let secret = opening.secrets.read(secret).await?;
    let grant = match text(&login, "user") {
        Some(username) => Grant::Password { username, password: secret },
        None => Grant::Client { secret },
    };
    let config = Config {
        login: Login {
            realm: text(&login, "realm").unwrap_or_else(|| realm.clone()),
            client: text(&login, "client").unwrap_or_else(|| ADMIN_CLI.to_owned()),
            grant,
        },
        url,
        realm,
        ca: given.text("ca").map(Into::into),
        proxy: text(given, "proxy"),
        insecure: opening.is_insecure,
        ids: match given.word("ids") {
            Some("accept") => Ids::Accept,
            Some("new") => Ids::New,
            _ => Ids::Keep,
        },
        leave: given.words("leave").to_vec(),
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
