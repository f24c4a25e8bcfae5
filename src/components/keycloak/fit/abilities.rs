use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::components::keycloak::canonical::OF_EVERY_SERVER;

/// Settings that every directory has, which its provider does not list.
const OF_EVERY_DIRECTORY: [&str; 12] = [
    "enabled",
    "priority",
    "fullSyncPeriod",
    "changedSyncPeriod",
    "batchSizeForSync",
    "cachePolicy",
    "maxLifespan",
    "evictionDay",
    "evictionHour",
    "evictionMinute",
    "krbPrincipalAttribute",
    "allowKerberosAuthentication",
];

/// Types of components of which the server shows those settings alone that their provider lists.
const SHOWS_LISTED_ALONE: [&str; 3] = [
    "org.keycloak.storage.UserStorageProvider",
    "org.keycloak.storage.ldap.mappers.LDAPStorageMapper",
    "org.keycloak.services.clientregistration.policy.ClientRegistrationPolicy",
];

/// What a server can do, from its own list of providers. What the list does not say is taken as possible.
#[derive(Debug, Default)]
pub(super) struct Abilities {
    /// By protocol.
    mappers: BTreeMap<String, BTreeSet<String>>,
    /// By type and provider: names of settings.
    components: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    identity_providers: BTreeSet<String>,
    /// Types of policies of authorization services.
    policies: BTreeSet<String>,
    /// It has providers of credentials, and they are those of every server.
    lacks_credential_plugins: bool,
}

/// Providers of credentials that come with the server.
const OF_THE_SERVER: &str = "keycloak-";

impl Abilities {
    /// Of `GET /admin/serverinfo`.
    pub fn of(info: &Value) -> Self {
        let lists = |name: &str| info.get(name).and_then(Value::as_object).into_iter().flatten();
        let mappers = lists("protocolMapperTypes").map(|(protocol, types)| (protocol.clone(), ids(types).collect()));
        let components = lists("componentTypes").map(|(kind, types)| {
            let types = types.as_array().into_iter().flatten();
            let settings = types.filter_map(|one| Some((text(one, "id")?.to_owned(), names(one.get("properties")?))));
            (kind.clone(), settings.collect())
        });
        let brokers = ["identityProviders", "socialProviders"].into_iter().filter_map(|name| info.get(name));
        let policies = info.pointer("/providers/policy/providers").and_then(Value::as_object);
        let credentials = info.pointer("/providers/credential/providers").and_then(Value::as_object);
        Self {
            lacks_credential_plugins: credentials
                .is_some_and(|all| all.keys().all(|one| one.starts_with(OF_THE_SERVER))),
            policies: policies.into_iter().flat_map(|all| all.keys().cloned()).collect(),
            mappers: mappers.collect(),
            components: components.collect(),
            identity_providers: brokers.flat_map(ids).collect(),
        }
    }

    pub fn lacks_mapper(&self, protocol: &str, mapper: &str) -> bool {
        self.mappers.get(protocol).is_some_and(|known| !known.contains(mapper))
    }

    pub fn lacks_component(&self, kind: &str, provider: &str) -> bool {
        self.components.get(kind).is_some_and(|known| !known.contains_key(provider))
    }

    pub fn lacks_identity_provider(&self, provider: &str) -> bool {
        !self.identity_providers.is_empty() && !self.identity_providers.contains(provider)
    }

    pub fn lacks_policy(&self, kind: &str) -> bool {
        !self.policies.is_empty() && !self.policies.contains(kind)
    }

    pub fn lacks_credential(&self, kind: &str) -> bool {
        self.lacks_credential_plugins && !OF_EVERY_SERVER.contains(&kind)
    }

    /// Whether the server keeps that setting to itself.
    pub fn hides(&self, kind: &str, provider: &str, setting: &str) -> bool {
        let listed = self.components.get(kind).and_then(|known| known.get(provider));
        SHOWS_LISTED_ALONE.contains(&kind)
            && listed.is_some_and(|listed| !listed.contains(setting))
            && !OF_EVERY_DIRECTORY.contains(&setting)
    }
}

fn ids(list: &Value) -> impl Iterator<Item = String> {
    list.as_array().into_iter().flatten().filter_map(|one| Some(text(one, "id")?.to_owned()))
}

fn names(list: &Value) -> BTreeSet<String> {
    list.as_array().into_iter().flatten().filter_map(|one| Some(text(one, "name")?.to_owned())).collect()
}

fn text<'a>(of: &'a Value, name: &str) -> Option<&'a str> {
    of.get(name).and_then(Value::as_str)
}
