use serde_json::Value;

use super::Keycloak;
use crate::components::keycloak::config::{Grant, Login};
use crate::components::keycloak::kinds::Kind;
use crate::model::{Answer, Error, ErrorKind, Location, Probe, Result, Secret, visible};
use crate::reader::{Reader, Wanted};

/// The client that every realm has for logins by password.
const ADMIN_CLI: &str = "admin-cli";

/// `login`: that a person or a client can log in, with a secret from the environment; `count`: how many users, groups
/// … there are; `user-exists`: that a user of this name is there.
pub(super) async fn ask(realm: &Keycloak, probe: &Probe) -> Result<Answer> {
    match probe.question.as_str() {
        "login" => login(realm, &probe.of).await,
        "count" => count(realm, &probe.of).await,
        "user-exists" => exists(realm, &probe.of).await,
        other => {
            let doing = format!("ask '{}'", visible(other));
            Err(Error::new(ErrorKind::Unsupported, doing, "a realm knows the questions login, count and user-exists"))
        }
    }
}

fn text<'a>(of: &'a Value, name: &str) -> Option<&'a str> {
    of.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn secret(of: &Value, name: &str, doing: &str) -> Result<Option<Secret>> {
    let Some(variable) = text(of, name) else { return Ok(None) };
    match std::env::var(variable) {
        Ok(value) => Ok(Some(Secret::new(value))),
        Err(_) => Err(Error::new(ErrorKind::NotFound, doing, format!("the variable {} is not set", visible(variable)))),
    }
}

/// `{user: NAME, password-env: VARIABLE}`, with `otp-env` where a code is asked for and `client` where it is not
/// `admin-cli`; or `{client: ID, secret-env: VARIABLE}`.
async fn login(realm: &Keycloak, of: &Value) -> Result<Answer> {
    let doing = "ask for a login";
    let user = text(of, "user");
    if user.is_none() && text(of, "client").is_none() {
        let why = "it needs whose, as in {user: ana, password-env: VARIABLE} or {client: app, secret-env: VARIABLE}";
        return Err(Error::new(ErrorKind::Invalid, doing, why));
    }
    let client = text(of, "client").unwrap_or(ADMIN_CLI).to_owned();
    let grant = match user {
        Some(user) => Grant::Password {
            username: user.to_owned(),
            password: secret(of, "password-env", doing)?.ok_or_else(|| missing(doing, "password-env"))?,
        },
        None => Grant::Client { secret: secret(of, "secret-env", doing)?.ok_or_else(|| missing(doing, "secret-env"))? },
    };
    let code = secret(of, "otp-env", doing)?;
    let who = user.map_or_else(|| format!("the client {}", visible(&client)), |user| visible(user).into_owned());
    let login = Login { realm: realm.live.http.config.realm.clone(), client, grant };
    match realm.live.http.logs_in(&login, code.as_ref()).await {
        Ok(()) => Ok(Answer { holds: true, seen: format!("{who} logs in"), again_in: None }),
        Err(error) if error.kind() == ErrorKind::Denied => {
            Ok(Answer { holds: false, seen: format!("{who} does not log in: {}", error.chain()), again_in: None })
        }
        Err(error) => Err(error),
    }
}

fn missing(doing: &str, name: &str) -> Error {
    Error::new(ErrorKind::Invalid, doing, format!("it needs '{name}', the name of a variable that holds it"))
}

/// `{users: 200}`, or `{of: group, at-least: 20}`: a kind's name, and a number that it is or reaches.
async fn count(realm: &Keycloak, of: &Value) -> Result<Answer> {
    let doing = "ask for a count";
    let invalid =
        || Error::new(ErrorKind::Invalid, doing, "it needs a number, as in {users: 200} or {of: group, at-least: 20}");
    let number = |name: &str| {
        let value = of.get(name)?;
        value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
    };
    let (kind, wanted, at_least) = match (number("users"), number("groups"), text(of, "of").map(Kind::of_name)) {
        (Some(users), None, None) => (Kind::User, users, false),
        (None, Some(groups), None) => (Kind::Group, groups, false),
        (None, None, Some(Some(kind))) => match (number("is"), number("at-least")) {
            (Some(is), None) => (kind, is, false),
            (None, Some(least)) => (kind, least, true),
            _ => return Err(invalid()),
        },
        _ => return Err(invalid()),
    };
    let found = match kind {
        Kind::User => realm.live.http.count("/users/count").await?,
        kind => {
            let view = realm.live.realm_for_plan().await?;
            let of_kind = view.resources().filter(|(_, one)| *one.id.kind == *kind.name());
            of_kind.count() as u64
        }
    };
    let holds = if at_least { found >= wanted } else { found == wanted };
    Ok(Answer { holds, seen: format!("{found} of kind {kind}"), again_in: None })
}

/// A name, or `{user: NAME}`.
async fn exists(realm: &Keycloak, of: &Value) -> Result<Answer> {
    let name = of.as_str().or_else(|| text(of, "user"));
    let name = name.ok_or_else(|| Error::new(ErrorKind::Invalid, "ask for a user", "it needs a username"))?;
    let name = crate::components::keycloak::escape::unescaped(name.as_bytes()).unwrap_or_else(|| name.to_owned());
    let id = Kind::User.id(&[&name]);
    let found = realm.read(&Wanted::alone(&[Location::of(&id)])).await.pop().unwrap_or(Ok(None))?;
    let seen = if found.is_some() { "there is a user of that name" } else { "no user has that name" };
    Ok(Answer { holds: found.is_some(), seen: seen.to_owned(), again_in: None })
}
