use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::abilities::Abilities;
use super::policies;
use crate::components::keycloak::always_shown::SCOPE_OF_ACCOUNT;
use crate::components::keycloak::canonical::OF_EVERY_SERVER;
use crate::components::keycloak::kinds::Kind;
use crate::model::{TreePath, visible};

/// What a document is fitted to.
#[derive(Debug, Default)]
pub(super) struct Terms {
    pub abilities: Abilities,
    /// The protocol of each client scope that the realm has or is to have, where it is told.
    pub scopes: BTreeMap<String, Option<String>>,
    /// Clients that have a secret now.
    pub with_secret: BTreeSet<String>,
    /// Clients that can keep no secret as they are now, with the field that says so.
    pub without_secret: BTreeMap<String, &'static str>,
    /// Clients that have no account of their own now, with the scopes that they have by default.
    pub bare: BTreeMap<String, Vec<Value>>,
    /// Accounts of clients that are made in a realm that is there.
    pub new_accounts: BTreeSet<String>,
    /// Clients that are to have no account of their own, and have none.
    pub without_account: BTreeSet<String>,
    /// The realm is there.
    pub is_there: bool,
    /// The roles that the realm has.
    pub roles: BTreeMap<TreePath, Value>,
}

/// What was taken out of a document, in words.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fitted {
    pub left_out: Vec<String>,
    /// The server can hold nothing of it.
    pub is_left_out: bool,
}

const OPENID: &str = "openid-connect";

/// The client that holds the realm's permissions for its administrators. The server makes it itself, and takes its
/// authorization settings alone.
const OF_ADMINISTRATORS: &str = "admin-permissions";
const MADE_BY_SERVER: [&str; 4] =
    ["defaultClientScopes", "optionalClientScopes", "fullScopeAllowed", "nodeReRegistrationTimeout"];

pub(super) fn fit(kind: Kind, names: &[String], document: &mut Value, terms: &Terms) -> Fitted {
    let mut fitted = Fitted::default();
    let Some(fields) = document.as_object_mut() else { return fitted };
    match kind {
        Kind::Client => {
            if names.last().is_some_and(|name| name == OF_ADMINISTRATORS) {
                fields.retain(|name, _| !MADE_BY_SERVER.contains(&name.as_str()));
            }
            let has_secret = names.last().is_some_and(|name| terms.with_secret.contains(name));
            keeps_its_secret(fields, names.last().and_then(|name| terms.without_secret.get(name)));
            secret(fields, has_secret, &mut fitted);
            scope_of_account(fields, terms, names.last().and_then(|name| terms.bare.get(name)));
            scopes(fields, terms, &mut fitted);
            mappers(fields, terms, &mut fitted);
            policies::fit(fields, &terms.abilities, &mut fitted.left_out);
        }
        // A file that only names a role says nothing of what it holds.
        Kind::RealmRole | Kind::ClientRole if fields.is_empty() => {
            if let Some(Value::Object(there)) = terms.roles.get(&kind.id(names).key) {
                fields.clone_from(there);
            }
        }
        Kind::ServiceAccount if names.iter().any(|client| terms.without_account.contains(client)) => {
            fitted.is_left_out = true;
            let why = "the account: the file does not say that its client has one, so the server shows none";
            fitted.left_out.push(why.to_owned());
        }
        Kind::ServiceAccount if names.iter().any(|client| terms.new_accounts.contains(client)) => {
            for name in ["createdTimestamp", "notBefore"] {
                if fields.remove(name).is_some() {
                    fitted.left_out.push(format!("{name} of the account: the server dates one that it makes itself"));
                }
            }
            credentials(fields, terms);
        }
        Kind::Bindings => {
            for list in ["defaultDefaultClientScopes", "defaultOptionalClientScopes"] {
                without_missing(fields, list, terms, &mut fitted);
            }
        }
        Kind::ClientScope => mappers(fields, terms, &mut fitted),
        Kind::Component => component(fields, terms, &mut fitted),
        Kind::IdentityProvider => {
            let provider = text(fields, "providerId");
            if terms.abilities.lacks_identity_provider(&provider) {
                fitted.is_left_out = true;
                fitted.left_out.push(lacking("identity provider", &provider));
            }
        }
        Kind::User | Kind::ServiceAccount => credentials(fields, terms),
        _ => {}
    }
    fitted
}

/// The source names them: whoever is looked at for this has some.
fn credentials(fields: &mut Map<String, Value>, terms: &Terms) {
    let Some(held) = fields.get_mut("credentials").and_then(Value::as_array_mut) else { return };
    held.retain(|one| {
        !one.get("type").and_then(Value::as_str).is_some_and(|kind| terms.abilities.lacks_credential(kind))
    });
    if held.is_empty() {
        fields.remove("credentials");
    }
}

/// Whether a user has credentials of which a server may keep none.
pub(super) fn has_rare_credentials(user: &Value) -> bool {
    let is_rare =
        |one: &Value| !one.get("type").and_then(Value::as_str).is_none_or(|kind| OF_EVERY_SERVER.contains(&kind));
    user.get("credentials").and_then(Value::as_array).is_some_and(|held| held.iter().any(is_rare))
}

/// A file that gives a client a secret means one that can keep it, whether it says so or not.
fn keeps_its_secret(fields: &mut Map<String, Value>, now: Option<&&str>) {
    if let (Some(now), true) = (now, fields.contains_key("secret")) {
        fields.entry((*now).to_owned()).or_insert(json!(false));
    }
}

/// Where a file leaves a client's scopes to the server, the one of its account comes with the account.
fn scope_of_account(fields: &mut Map<String, Value>, terms: &Terms, now: Option<&Vec<Value>>) {
    let is = |name: &str| fields.get(name).and_then(Value::as_bool) == Some(true);
    let comes = is("serviceAccountsEnabled") && terms.scopes.contains_key(SCOPE_OF_ACCOUNT);
    if let (Some(now), true, None) = (now, comes, fields.get("defaultClientScopes")) {
        let all: BTreeSet<&str> = now.iter().filter_map(Value::as_str).chain([SCOPE_OF_ACCOUNT]).collect();
        fields.insert("defaultClientScopes".to_owned(), json!(all));
    }
}

/// A client that cannot keep a secret has none, whatever it is given; and loses the one that it has, which is a part of
/// the plan so that an undo brings it back.
fn secret(fields: &mut Map<String, Value>, has_secret: bool, fitted: &mut Fitted) {
    let is = |name: &str| fields.get(name).and_then(Value::as_bool) == Some(true);
    let why = match (is("publicClient"), is("bearerOnly")) {
        (true, _) => "is public",
        (_, true) => "only checks tokens",
        _ => return,
    };
    if fields.remove("secret").is_some() {
        fitted.left_out.push(format!("the secret: the server keeps none for a client that {why}"));
    }
    if has_secret {
        fields.insert("secret".to_owned(), json!(""));
    }
}

/// Names of client scopes that are nowhere: the server passes them over.
fn without_missing(fields: &mut Map<String, Value>, list: &str, terms: &Terms, fitted: &mut Fitted) {
    let Some(scopes) = fields.get_mut(list).and_then(Value::as_array_mut) else { return };
    scopes.retain(|scope| {
        let lost = scope.as_str().filter(|scope| !terms.scopes.is_empty() && !terms.scopes.contains_key(*scope));
        fitted
            .left_out
            .extend(lost.map(|scope| format!("the client scope {}: there is none of that name", visible(scope))));
        lost.is_none()
    });
}

/// A client takes scopes of its own protocol alone.
fn scopes(fields: &mut Map<String, Value>, terms: &Terms, fitted: &mut Fitted) {
    let protocol = protocol(fields);
    for list in ["defaultClientScopes", "optionalClientScopes"] {
        without_missing(fields, list, terms, fitted);
        let Some(scopes) = fields.get_mut(list).and_then(Value::as_array_mut) else { continue };
        scopes.retain(|scope| {
            let of = scope.as_str().and_then(|scope| terms.scopes.get(scope)?.as_ref()).filter(|of| **of != protocol);
            if let Some(of) = of {
                let scope = visible(scope.as_str().unwrap_or_default()).into_owned();
                let (of, protocol) = (visible(of), visible(&protocol));
                fitted
                    .left_out
                    .push(format!("the client scope {scope}: it is for {of}, and the client speaks {protocol}"));
            }
            of.is_none()
        });
    }
}

fn mappers(fields: &mut Map<String, Value>, terms: &Terms, fitted: &mut Fitted) {
    let own = protocol(fields);
    let Some(mappers) = fields.get_mut("protocolMappers").and_then(Value::as_array_mut) else { return };
    mappers.retain(|mapper| {
        let of = |name: &str| mapper.get(name).and_then(Value::as_str);
        let protocol = of("protocol").unwrap_or(&own);
        let lacks = of("protocolMapper").filter(|provider| terms.abilities.lacks_mapper(protocol, provider));
        if let Some(provider) = lacks {
            let name = visible(of("name").unwrap_or_default()).into_owned();
            fitted.left_out.push(lacking(&format!("mapper {name}"), provider));
        }
        lacks.is_none()
    });
    if mappers.is_empty() {
        fields.remove("protocolMappers");
    }
}

fn component(fields: &mut Map<String, Value>, terms: &Terms, fitted: &mut Fitted) {
    let (kind, provider) = (text(fields, "providerType"), text(fields, "providerId"));
    if terms.abilities.lacks_component(&kind, &provider) {
        fitted.is_left_out = true;
        fitted.left_out.push(lacking("component", &provider));
        return;
    }
    let Some(config) = fields.get_mut("config").and_then(Value::as_object_mut) else { return };
    let hidden: Vec<String> =
        config.keys().filter(|name| terms.abilities.hides(&kind, &provider, name)).cloned().collect();
    let hidden: Map<String, Value> =
        hidden.into_iter().filter_map(|name| config.remove(&name).map(|value| (name, value))).collect();
    for name in hidden.keys() {
        let name = visible(name);
        fitted.left_out.push(format!("the setting {name}: the server does not know it, and shows it to no one"));
    }
    if config.is_empty() {
        fields.remove("config");
    }
    if !hidden.is_empty()
        && let Some(kept) = fields.entry("secretConfig").or_insert_with(|| json!({})).as_object_mut()
    {
        kept.extend(hidden);
    }
}

fn lacking(what: &str, provider: &str) -> String {
    format!("the {what}: this server has no provider {}; install its plugin, then restore again", visible(provider))
}

fn protocol(fields: &Map<String, Value>) -> String {
    fields.get("protocol").and_then(Value::as_str).unwrap_or(OPENID).to_owned()
}

fn text(fields: &Map<String, Value>, name: &str) -> String {
    fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms() -> Terms {
        let info = json!({
            "protocolMapperTypes": {OPENID: [{"id": "known-mapper"}], "saml": []},
            "componentTypes": {"org.keycloak.storage.UserStorageProvider": [{"id": "ldap", "properties": [{"name": "usersDn"}]}]},
            "identityProviders": [{"id": "oidc"}],
        });
        let scopes = [("email", OPENID), ("role_list", "saml")];
        let mut scopes: BTreeMap<String, Option<String>> =
            scopes.map(|(scope, protocol)| (scope.to_owned(), Some(protocol.to_owned()))).into();
        scopes.insert("later".to_owned(), None);
        Terms { abilities: Abilities::of(&info), scopes, ..Terms::default() }
    }

    fn fitted(kind: Kind, mut document: Value) -> (Value, Fitted) {
        let fitted = fit(kind, &["app".to_owned()], &mut document, &terms());
        (document, fitted)
    }

    #[test]
    fn what_a_client_cannot_have_is_taken_out_and_named() {
        let mapper = |name: &str| json!({"name": name, "protocol": OPENID, "protocolMapper": format!("{name}-mapper")});
        let client = json!({"publicClient": true, "secret": "s", "defaultClientScopes": ["email", "role_list", "later"],
            "protocolMappers": [mapper("known"), mapper("badge")]});
        let (left, said) = fitted(Kind::Client, client);
        assert_eq!(
            left,
            json!({"publicClient": true, "defaultClientScopes": ["email", "later"], "protocolMappers": [mapper("known")]})
        );
        assert_eq!(
            said.left_out,
            [
                "the secret: the server keeps none for a client that is public",
                "the client scope role_list: it is for saml, and the client speaks openid-connect",
                "the mapper badge: this server has no provider badge-mapper; install its plugin, then restore again",
            ]
        );
        let confidential =
            json!({"publicClient": false, "secret": "s", "protocol": "saml", "defaultClientScopes": ["role_list"]});
        let (left, said) = fitted(Kind::Client, confidential.clone());
        assert_eq!((left, said), (confidential, Fitted::default()));
    }

    #[test]
    fn a_component_of_a_missing_plugin_is_left_out_and_a_hidden_setting_is_not_compared() {
        let of = |provider: &str| {
            json!({"providerType": "org.keycloak.storage.UserStorageProvider", "providerId": provider,
            "config": {"usersDn": ["ou"], "enabled": ["true"], "nonsense": ["1"]}})
        };
        let (left, said) = fitted(Kind::Component, of("ldap"));
        assert_eq!(left["config"], json!({"usersDn": ["ou"], "enabled": ["true"]}));
        assert_eq!(left["secretConfig"], json!({"nonsense": ["1"]}));
        assert!(!said.is_left_out);
        let (_, said) = fitted(Kind::Component, of("corp-store"));
        assert!(said.is_left_out && said.left_out[0].contains("corp-store"), "{said:?}");
        assert!(fitted(Kind::IdentityProvider, json!({"providerId": "corp"})).1.is_left_out);
        assert!(!fitted(Kind::IdentityProvider, json!({"providerId": "oidc"})).1.is_left_out);
    }

    #[test]
    fn a_credential_of_a_missing_plugin_is_left_out() {
        let ana = || json!({"credentials": [{"type": "password"}, {"type": "sms"}]});
        assert!(has_rare_credentials(&ana()) && !has_rare_credentials(&json!({"credentials": [{"type": "otp"}]})));
        let of = |providers: Value| {
            let info = json!({"providers": {"credential": {"providers": providers}}});
            let terms = Terms { abilities: Abilities::of(&info), ..Terms::default() };
            let mut document = ana();
            fit(Kind::User, &["ana".to_owned()], &mut document, &terms);
            document
        };
        assert_eq!(of(json!({"keycloak-password": {}})), json!({"credentials": [{"type": "password"}]}));
        assert_eq!(of(json!({"keycloak-password": {}, "sms": {}})), ana());
        assert_eq!(of(Value::Null), ana());
    }

    #[test]
    fn a_server_that_does_not_say_what_it_has_can_do_all() {
        let mut document = json!({"protocolMappers": [{"name": "m", "protocolMapper": "x"}]});
        assert_eq!(fit(Kind::Client, &["app".to_owned()], &mut document, &Terms::default()), Fitted::default());
    }
}
