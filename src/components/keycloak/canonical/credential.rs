use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::MASK;
use super::fields::{Fields, keyed};
use super::names::{list, text};

/// Whose representation it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The server shows no credential's secret.
    Live,
    Backup,
}

/// Credentials as a list keyed by `key`: `password`, of which a user has one, else type and creation time, since the
/// server gives a new id to what it is handed. One of which a file does not say when it was made has its type alone: see
/// [`without_dates`].
///
/// `state` is what can be compared without the secret: when it was made, and of all but a password its public parameters
/// without counters, which move with every login. All that writing one takes, its secret too, is in `hidden`, which is not compared.
/// The second answer names what a backup holds of them and cannot be restored: those without their secret, and those
/// that no server takes or shows.
pub(super) fn credentials(given: &Value, side: Side) -> (Option<Value>, Vec<String>) {
    let mut made = Vec::new();
    let mut left_out = Vec::new();
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for credential in given.as_array().into_iter().flatten() {
        let former = of_before_8(credential);
        let credential = former.as_ref().unwrap_or(credential);
        // A password that a directory keeps, which the realm only knows of.
        if text(credential, "federationLink").is_some() {
            continue;
        }
        let kind = text(credential, "type").unwrap_or("password");
        if kind == HISTORY {
            left_out.push("credentials: a former password that a policy remembers: the server takes none".to_owned());
            continue;
        }
        if !OF_EVERY_SERVER.contains(&kind) && side == Side::Backup {
            left_out.push(format!("credentials: a {kind}, unless the server has a plugin for it"));
        }
        let secret = text(credential, "secretData").filter(|secret| *secret != MASK);
        let plain = text(credential, "value").filter(|value| *value != MASK);
        if side == Side::Backup && secret.is_none() && plain.is_none() {
            left_out.push(format!("credentials: a {kind} is there without its secret"));
            continue;
        }
        left_out.extend(beyond(credential));
        let created = credential.get("createdDate").and_then(Value::as_i64);
        let mut key = match (kind, created) {
            ("password", _) | (_, None) => kind.to_owned(),
            (kind, Some(created)) => format!("{kind}@{created}"),
        };
        let seen = times.entry(key.clone()).or_default();
        *seen += 1;
        if *seen > 1 {
            key = format!("{key}#{seen}");
        }
        let mut one = Map::new();
        one.insert("key".to_owned(), json!(key));
        one.insert("type".to_owned(), json!(kind));
        if let Some(label) = text(credential, "userLabel").filter(|label| !label.is_empty()) {
            one.insert("userLabel".to_owned(), json!(label));
        }
        // When one was made of which the file does not say it is the server's to say.
        if created.is_some() || side == Side::Live {
            one.insert("state".to_owned(), json!(state(credential, created)));
        }
        let hidden = ["id", "createdDate", "credentialData", "secretData", "value", "temporary", "priority"];
        let hidden: Map<String, Value> = hidden
            .iter()
            .filter_map(|name| {
                Some(((*name).to_owned(), credential.get(*name).filter(|value| !value.is_null())?.clone()))
            })
            .collect();
        one.insert("hidden".to_owned(), Value::Object(hidden));
        made.push(Value::Object(one));
    }
    let made = keyed(made, "key");
    // What was asked for and is not there is told from what was not asked for.
    (made.or_else(|| (side == Side::Live).then(|| json!([]))), left_out)
}

/// Types that every server has a provider for. A type without one it passes over without a word.
pub const OF_EVERY_SERVER: [&str; 5] = ["password", "otp", "webauthn", "webauthn-passwordless", "recovery-authn-codes"];
/// Taken by no server, and shown by none.
const HISTORY: &str = "password-history";

const KNOWN: [&str; 10] = [
    "id",
    "type",
    "userLabel",
    "createdDate",
    "credentialData",
    "secretData",
    "value",
    "temporary",
    "priority",
    "federationLink",
];

fn beyond(credential: &Value) -> Vec<String> {
    let mut fields = Fields::of(credential);
    fields.pass_over(&KNOWN);
    fields.finish().1.into_iter().map(|field| format!("credentials: {field}")).collect()
}

/// The form that credentials had before Keycloak 8, in today's; `None` of one that has it already.
fn of_before_8(credential: &Value) -> Option<Value> {
    let secret = credential.get("hashedSaltedValue").filter(|secret| secret.is_string())?;
    let of = |name: &str| credential.get(name).filter(|value| !value.is_null()).cloned();
    let kind = text(credential, "type").unwrap_or("password");
    let (kind, secret, data) = match kind {
        "totp" | "hotp" => {
            let algorithm = of("algorithm").unwrap_or(json!("HmacSHA1"));
            let data = json!({"subType": kind, "algorithm": algorithm, "digits": of("digits").unwrap_or(json!(6)),
                "counter": of("counter").unwrap_or(json!(0)), "period": of("period").unwrap_or(json!(30))});
            ("otp", json!({ "value": secret }), data)
        }
        kind => {
            let data = json!({"hashIterations": of("hashIterations"), "algorithm": of("algorithm")});
            (kind, json!({"value": secret, "salt": of("salt")}), data)
        }
    };
    let mut made = json!({"type": kind, "secretData": secret.to_string(), "credentialData": data.to_string()});
    for name in ["id", "createdDate", "userLabel", "priority"] {
        if let (Some(value), Some(fields)) = (of(name), made.as_object_mut()) {
            fields.insert(name.to_owned(), value);
        }
    }
    Some(made)
}

/// What moves with each login, and what the server adds of its own when it shows a security key whose maker it knows.
const ADDED_OR_MOVING: [&str; 2] = ["counter", "authenticatorProvider"];

fn state(credential: &Value, created: Option<i64>) -> String {
    let made = created.and_then(|created| jiff::Timestamp::from_millisecond(created).ok());
    let made = made.map_or_else(|| "at an unknown time".to_owned(), |made| made.to_string());
    // With the first login after its rules for hashing change, the server hashes the same password anew, of its old date.
    if text(credential, "type") == Some("password") && created.is_some() {
        return made;
    }
    format!("{made} {}", parameters(credential)).trim_end().to_owned()
}

/// What a credential shows beside its secret, without what moves.
fn parameters(credential: &Value) -> String {
    let data = text(credential, "credentialData").unwrap_or_default();
    match serde_json::from_str::<Value>(data) {
        Ok(Value::Object(mut data)) => {
            data.retain(|name, value| !value.is_null() && !ADDED_OR_MOVING.contains(&name.as_str()));
            if let Some(Value::Array(ways)) = data.get_mut("transports") {
                ways.sort_by_key(Value::to_string);
            }
            Value::Object(data).to_string()
        }
        _ => data.to_owned(),
    }
}

/// A credential of which a file does not say when it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undated {
    key: String,
    kind: String,
    label: Option<String>,
    /// Not told by what a run keeps of what it wrote.
    parameters: Option<String>,
}

/// Those of a user's document.
pub fn undated(user: &Value) -> Vec<Undated> {
    let one = |credential: &Value| {
        let (key, kind) = (text(credential, "key")?, text(credential, "type")?);
        let parameters = credential.get("hidden").map(parameters);
        let label = text(credential, "userLabel").map(str::to_owned);
        let is_undated = kind != "password" && !key.contains('@');
        is_undated.then(|| Undated { key: key.to_owned(), kind: kind.to_owned(), label, parameters })
    };
    list(user, "credentials").iter().filter_map(one).collect()
}

/// A live user's document in which what can be one of these has its key: of the same type and parameters, first of all
/// by the same label.
pub fn without_dates(user: &mut Value, wanted: &[Undated]) {
    let Some(held) = user.get_mut("credentials").and_then(Value::as_array_mut).filter(|_| !wanted.is_empty()) else {
        return;
    };
    // Its key may be known already, from another comparison.
    let has = |key: &str| held.iter().any(|one| text(one, "key") == Some(key));
    let mut left: Vec<&Undated> = wanted.iter().filter(|one| !has(&one.key)).collect();
    for by_label in [true, false] {
        left.retain(|one| {
            let is_it = |credential: &&mut Value| {
                let is_dated = text(credential, "key").is_some_and(|key| key.contains('@'));
                let has_label = !by_label || text(credential, "userLabel") == one.label.as_deref();
                let shown = credential.get("hidden").map(parameters);
                is_dated
                    && has_label
                    && text(credential, "type") == Some(&one.kind)
                    && (one.parameters.is_none() || shown == one.parameters)
            };
            let found = held.iter_mut().find(is_it);
            let is_new = found.is_none();
            if let Some(found) = found {
                found["key"] = json!(one.key);
            }
            is_new
        });
    }
    held.sort_by_key(|one| text(one, "key").map(str::to_owned));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(created: i64, secret: Option<&str>) -> Value {
        json!({"id": "1", "type": "password", "createdDate": created, "secretData": secret,
            "credentialData": "{\"hashIterations\":5,\"algorithm\":\"argon2\"}"})
    }

    #[test]
    fn a_credential_of_an_old_file_takes_todays_form() {
        let old = json!([{"type": "password", "hashedSaltedValue": "x", "salt": "y", "hashIterations": 27500,
            "algorithm": "pbkdf2-sha256", "counter": 0, "createdDate": 7, "config": {}},
            {"type": "totp", "hashedSaltedValue": "z", "digits": 6, "period": 30, "algorithm": "HmacSHA1", "createdDate": 8}]);
        let (made, secretless) = credentials(&old, Side::Backup);
        let made = made.unwrap();
        assert!(secretless.is_empty());
        let parsed = |of: &Value| serde_json::from_str::<Value>(of.as_str().unwrap()).unwrap();
        assert_eq!(made[0]["key"], json!("otp@8"));
        assert_eq!(parsed(&made[0]["hidden"]["secretData"]), json!({"value": "z"}));
        assert_eq!(parsed(&made[1]["hidden"]["secretData"]), json!({"value": "x", "salt": "y"}));
        assert_eq!(
            parsed(&made[1]["hidden"]["credentialData"]),
            json!({"hashIterations": 27500, "algorithm": "pbkdf2-sha256"})
        );
    }

    #[test]
    fn a_one_time_code_without_a_date_is_the_living_one_of_its_label_and_parameters() {
        let otp = |label: &str, digits: u8, date: Option<u64>| {
            json!({"type": "otp", "userLabel": label, "createdDate": date,
            "secretData": "{}", "credentialData": format!("{{\"digits\":{digits}}}")})
        };
        let user = |given: Value, side: Side| json!({"credentials": credentials(&given, side).0});
        let backup = user(json!([otp("phone", 6, None), otp("tablet", 6, None), otp("key", 8, None)]), Side::Backup);
        let keys = |user: &Value| -> Vec<String> {
            list(user, "credentials")
                .iter()
                .map(|one| format!("{} {}", text(one, "key").unwrap(), text(one, "userLabel").unwrap()))
                .collect()
        };
        assert_eq!(keys(&backup), ["otp phone", "otp#2 tablet", "otp#3 key"]);
        assert!(list(&backup, "credentials").iter().all(|one| one.get("state").is_none()));
        let mut live =
            user(json!([otp("tablet", 6, Some(7)), otp("renamed", 6, Some(8)), otp("other", 4, Some(9))]), Side::Live);
        without_dates(&mut live, &undated(&backup));
        assert_eq!(keys(&live), ["otp renamed", "otp#2 tablet", "otp@9 other"]);
        let once = live.clone();
        without_dates(&mut live, &undated(&backup));
        assert_eq!(live, once);
        let bare = json!({"credentials": [{"key": "otp#2", "type": "otp", "userLabel": "tablet"}]});
        let mut live = user(json!([otp("phone", 6, Some(6)), otp("tablet", 6, Some(7))]), Side::Live);
        without_dates(&mut live, &undated(&bare));
        assert_eq!(keys(&live), ["otp#2 tablet", "otp@6 phone"]);
    }

    #[test]
    fn when_a_credential_was_made_that_has_no_date_is_the_servers_to_say() {
        for given in [json!([{"type": "password", "value": "x"}]), json!([{"type": "password", "secretData": "{}"}])] {
            assert!(credentials(&given, Side::Backup).0.unwrap()[0].get("state").is_none());
        }
    }

    #[test]
    fn the_same_password_is_equal_on_both_sides_but_for_its_secret() {
        let live = credentials(&json!([password(1_795_248_949_441, None)]), Side::Live).0.unwrap();
        let backup =
            credentials(&json!([password(1_795_248_949_441, Some("{\"value\":\"x\"}"))]), Side::Backup).0.unwrap();
        assert_eq!(live[0]["state"], backup[0]["state"]);
        assert_eq!(live[0]["state"], json!("2026-11-21T08:15:49.441Z"));
        assert!(live[0]["hidden"].get("secretData").is_none());
        assert_eq!(backup[0]["hidden"]["secretData"], json!("{\"value\":\"x\"}"));
    }

    #[test]
    fn a_password_that_the_server_has_hashed_anew_is_the_same_one() {
        let of = |algorithm: &str| json!([{"type": "password", "createdDate": 7, "credentialData": format!("{{\"algorithm\":\"{algorithm}\"}}")}]);
        let [old, new] =
            ["pbkdf2-sha256", "argon2"].map(|algorithm| credentials(&of(algorithm), Side::Live).0.unwrap());
        assert_eq!(old[0]["state"], new[0]["state"]);
    }

    #[test]
    fn a_backup_without_the_secret_is_no_backup_of_a_credential() {
        for secret in [None, Some(MASK)] {
            let (made, left_out) = credentials(&json!([password(1, secret)]), Side::Backup);
            assert_eq!(made, None);
            assert_eq!(left_out, ["credentials: a password is there without its secret"]);
        }
    }

    #[test]
    fn a_security_key_is_equal_to_itself_as_the_server_shows_it() {
        let key = |data: Value, secret: Option<&str>| json!([{"type": "webauthn", "createdDate": 7, "secretData": secret, "credentialData": data.to_string()}]);
        let kept =
            json!({"credentialId": "x", "counter": 1, "attestationStatement": null, "transports": ["usb", "nfc"]});
        let shown =
            json!({"credentialId": "x", "counter": 4, "transports": ["nfc", "usb"], "authenticatorProvider": "Chrome"});
        let backup = credentials(&key(kept, Some("{}")), Side::Backup).0.unwrap();
        let live = credentials(&key(shown, None), Side::Live).0.unwrap();
        assert_eq!(live[0]["state"], backup[0]["state"]);
    }

    #[test]
    fn a_counter_that_moved_with_a_login_is_no_change() {
        let otp = |counter: u8| json!([{"type": "otp", "createdDate": 7, "secretData": "{}", "credentialData": format!("{{\"digits\":6,\"counter\":{counter}}}")}]);
        let one = credentials(&otp(1), Side::Live).0.unwrap();
        assert_eq!(one[0]["state"], credentials(&otp(9), Side::Live).0.unwrap()[0]["state"]);
        assert_eq!(one[0]["key"], json!("otp@7"));
    }
}
