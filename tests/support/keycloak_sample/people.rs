use serde_json::{Value, json};

use super::Sample;

/// What everybody's password is.
pub const PASSWORD: &str = "open sesame";
/// The secret of everybody's one-time codes, as the server keeps it: the key is these bytes.
pub const OTP_SECRET: &str = "DJmQfC73VGFhw7D4QJ8A";

/// Names that get lost on the way elsewhere; the first people of every sample have them.
pub const AWKWARD: [&str; 12] = [
    "ana",
    "bob+test@example.org",
    "carla de la cruz",
    "dörte",
    "əlif.中文",
    "eve@example.org",
    "o'neil",
    "100%",
    "frank_(ext)",
    "team/lead",
    "greta-ß",
    "%2e",
];

/// The name of the user at `position`.
pub fn username(position: usize) -> String {
    AWKWARD.get(position).map_or_else(|| format!("user-{position:05}"), |name| (*name).to_owned())
}

/// The user at `position`, as `partialImport` takes it: with its id, its password's hash, and what it belongs to.
pub fn user(sample: &Sample, position: usize) -> Value {
    let username = username(position);
    let created = 1_700_000_000_000_u64 + position as u64 * 1_000;
    let mut credentials = vec![password(&sample.id(&format!("password {position}")), created)];
    if position % 5 == 1 {
        credentials.push(otp(&sample.id(&format!("otp {position}")), created + 500));
    }
    let team = format!("/teams/team-{:02}", position % sample.teams());
    let groups = match position % 4 {
        0 => vec![team, "/staff/berlin/platform/ops".to_owned()],
        1 => vec![team, "/staff/berlin".to_owned()],
        _ => vec![team, "/Übung ☃".to_owned()],
    };
    let mut roles = vec![format!("default-roles-{}", sample.name), "reader".to_owned()];
    if position.is_multiple_of(3) {
        roles.push("wri/ter".to_owned());
    }
    let links = match position % 3 {
        1 => json!([{"identityProvider": "corp", "userId": format!("corp-{position}"), "userName": username}]),
        _ => json!([]),
    };
    let consents = match position % 7 {
        2 => json!([{"clientId": "portal", "createdDate": created, "lastUpdatedDate": created,
            "grantedClientScopes": ["profile", "email"]}]),
        _ => json!([]),
    };
    json!({
        "id": sample.id(&format!("user {position}")),
        "username": username,
        "email": if position == 5 { username.clone() } else { format!("Person{position}@people.example.org") },
        "emailVerified": position.is_multiple_of(2),
        "firstName": if position == 3 { "Dörte" } else { "Given" },
        "lastName": format!("Family {position}"),
        "enabled": position % 11 != 10,
        "createdTimestamp": created,
        "attributes": {"department": ["it", "ops"], "badge": [format!("B-{position}")], "locale": ["de"]},
        "requiredActions": if position % 13 == 12 { json!(["UPDATE_PASSWORD"]) } else { json!([]) },
        "credentials": credentials,
        "groups": groups,
        "realmRoles": roles,
        "clientRoles": if position.is_multiple_of(2) { json!({"app": ["read"], "account": ["view-profile"]}) } else { json!({}) },
        "federatedIdentities": links,
        "clientConsents": consents,
        "notBefore": 0
    })
}

/// Hashed by Keycloak 26.5.3 itself with its default settings, so that a login does not hash it anew.
fn password(id: &str, created: u64) -> Value {
    json!({
        "id": id,
        "type": "password",
        "createdDate": created,
        "secretData": r#"{"value":"rOvXNEORvPF2B4rja+NUyIRNlvH8Mhuqh/3TugaT5Ts=","salt":"JG5Zt0LpZSq48jAxHiDVBA==","additionalParameters":{}}"#,
        "credentialData": r#"{"hashIterations":5,"algorithm":"argon2","additionalParameters":{"hashLength":["32"],"memory":["7168"],"type":["id"],"version":["1.3"],"parallelism":["1"]}}"#
    })
}

fn otp(id: &str, created: u64) -> Value {
    json!({
        "id": id,
        "type": "otp",
        "userLabel": "telephone",
        "createdDate": created,
        "secretData": json!({"value": OTP_SECRET}).to_string(),
        "credentialData": r#"{"subType":"totp","period":30,"digits":6,"counter":0,"algorithm":"HmacSHA1"}"#
    })
}
