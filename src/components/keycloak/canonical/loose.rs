use std::collections::{BTreeSet, HashSet};

use serde_json::Value;

use super::component::USER_PROFILE;
use super::fields::without_blanks;
use super::names::{list, text};
use super::realm::has_keys;
use crate::model::{some_of, visible};

/// How many are named of those of one sort.
const NAMED: usize = 4;
/// How deep groups are looked through.
const MAX_DEPTH: usize = 64;

/// What a realm's representation holds that belongs to nothing in it, so that no resource has it; in words.
pub(super) fn loose(realm: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let (flows, configs) = in_use(realm);
    let aliases = |of: &'static str| list(realm, of).iter().filter_map(|one| text(one, "alias"));
    say(
        &mut found,
        "of an authenticator that no flow uses, the settings",
        aliases("authenticatorConfig").filter(|alias| !configs.contains(alias)).collect(),
    );
    say(
        &mut found,
        "of no other flow, the sub-flow",
        aliases("authenticationFlows").filter(|alias| !flows.contains(alias)).collect(),
    );
    let providers: HashSet<&str> = aliases("identityProviders").collect();
    let mappers = list(realm, "identityProviderMappers").iter();
    let of_none =
        mappers.filter(|one| text(one, "identityProviderAlias").is_none_or(|alias| !providers.contains(alias)));
    say(
        &mut found,
        "of an identity provider that the file lacks, the mapper",
        of_none.filter_map(|one| text(one, "name")).collect(),
    );
    say(&mut found, "of a client or scope that the file lacks, the scope mappings", mapped_to_none(realm));
    say(
        &mut found,
        "of scope mappings, the field",
        mappings(realm).flat_map(|one| beyond(one, &OF_MAPPINGS)).collect(),
    );
    let roles = realm.get("roles").and_then(Value::as_object).into_iter().flatten();
    say(&mut found, "of no realm and no client, the roles", others(roles, &["realm", "client"]));
    for (field, known) in [("clientProfiles", "profiles"), ("clientPolicies", "policies")] {
        let given = realm.get(field).and_then(Value::as_object).into_iter().flatten();
        say(&mut found, &format!("of {field}, the field"), others(given, &[known]));
    }
    if has_nameless(list(realm, "groups"), 0) {
        found.push("a group without a name".to_owned());
    }
    let profiles = realm.get("components").and_then(|by_type| by_type.get(USER_PROFILE)).and_then(Value::as_array);
    let profiles = || profiles.into_iter().flatten();
    let configs = profiles().filter_map(|profile| profile.get("config"));
    let configs = configs.flat_map(|config| beyond(config, &["kc.user.profile.config"]));
    say(
        &mut found,
        "of the user profile, the field",
        profiles().flat_map(|one| beyond(one, &OF_PROFILES)).chain(configs).collect(),
    );
    found.extend(profile(realm));
    if has_keys(realm) && text(realm, "privateKey").is_some_and(|key| !key.is_empty()) {
        found.push("privateKey: the keys of the realm are those among its components".to_owned());
    }
    found
}

fn say(found: &mut Vec<String>, what: &str, names: BTreeSet<&str>) {
    found.extend(line(what, &names));
}

fn line(what: &str, names: &BTreeSet<&str>) -> Option<String> {
    let named = || some_of(names.iter().copied().map(visible), NAMED, ", ");
    (!names.is_empty()).then(|| format!("{what} {}", named()))
}

/// Whose scope mappings they are.
fn holder(mapping: &Value) -> Option<&str> {
    ["client", "clientScope", "clientTemplate"].iter().find_map(|of| text(mapping, of))
}

/// Aliases of the flows that are top-level or lie in those, and of the settings that their executions have.
fn in_use(realm: &Value) -> (HashSet<&str>, HashSet<&str>) {
    let all = list(realm, "authenticationFlows");
    let is_top = |flow: &&Value| flow.get("topLevel").and_then(Value::as_bool) == Some(true);
    let mut open: Vec<&Value> = all.iter().filter(is_top).collect();
    let mut flows: HashSet<&str> = open.iter().filter_map(|flow| text(flow, "alias")).collect();
    let mut configs = HashSet::new();
    while let Some(flow) = open.pop() {
        for execution in list(flow, "authenticationExecutions") {
            configs.extend(text(execution, "authenticatorConfig"));
            let Some(below) = text(execution, "flowAlias").filter(|below| flows.insert(below)) else { continue };
            open.extend(all.iter().filter(|flow| text(flow, "alias") == Some(below)));
        }
    }
    (flows, configs)
}

fn mapped_to_none(realm: &Value) -> BTreeSet<&str> {
    let of = |list_name: &str, key: &'static str| -> HashSet<&str> {
        list(realm, list_name).iter().filter_map(|one| text(one, key)).collect()
    };
    let (clients, scopes) = (of("clients", "clientId"), of("clientScopes", "name"));
    let is_known = |one: &&Value| {
        text(one, "client").is_some_and(|name| clients.contains(name))
            || text(one, "clientScope").is_some_and(|name| scopes.contains(name))
    };
    mappings(realm).filter(|one| !is_known(one)).map(|one| holder(one).unwrap_or("without a name")).collect()
}

const OF_MAPPINGS: [&str; 5] = ["self", "client", "clientScope", "clientTemplate", "roles"];
const OF_PROFILES: [&str; 8] =
    ["id", "name", "providerId", "providerType", "parentId", "subType", "subComponents", "config"];

fn mappings(realm: &Value) -> impl Iterator<Item = &Value> {
    let of_clients = realm.get("clientScopeMappings").and_then(Value::as_object).into_iter().flatten();
    let of_clients = of_clients.flat_map(|(_, given)| given.as_array().into_iter().flatten());
    list(realm, "scopeMappings").iter().chain(of_clients)
}

fn beyond<'a>(of: &'a Value, known: &[&str]) -> BTreeSet<&'a str> {
    others(of.as_object().into_iter().flatten(), known)
}

fn others<'a>(fields: impl Iterator<Item = (&'a String, &'a Value)>, known: &[&str]) -> BTreeSet<&'a str> {
    let unknown = fields.filter(|(name, value)| !known.contains(&name.as_str()) && without_blanks(value).is_some());
    unknown.map(|(name, _)| name.as_str()).collect()
}

fn has_nameless(groups: &[Value], depth: usize) -> bool {
    depth < MAX_DEPTH
        && groups.iter().any(|group| text(group, "name").is_none() || has_nameless(list(group, "subGroups"), depth + 1))
}

fn profile(realm: &Value) -> Option<String> {
    let given = realm.get("components")?.get(USER_PROFILE)?.as_array()?;
    if given.len() > 1 {
        return Some("of several user profiles, all but the first".to_owned());
    }
    let held = given.first()?.get("config")?.get("kc.user.profile.config")?.get(0)?.as_str()?;
    let is_read = serde_json::from_str::<Value>(held).is_ok_and(|profile| profile.is_object());
    (!is_read).then(|| "the user profile, whose text is no JSON".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_belongs_to_nothing_is_named_and_counted() {
        let found = loose(&json!({
            "authenticationFlows": [
                {"alias": "top", "topLevel": true, "authenticationExecutions": [{"flowAlias": "below"}]},
                {"alias": "below", "authenticationExecutions": [{"authenticatorConfig": "used"}]},
                {"alias": "lost", "authenticationExecutions": [{"authenticatorConfig": "of lost"}]}],
            "authenticatorConfig": [{"alias": "used"}, {"alias": "of lost"}, {"alias": "a"}, {"alias": "b"}, {"alias": "c"}, {"alias": "d"}],
            "identityProviders": [{"alias": "gh"}],
            "identityProviderMappers": [{"name": "m1", "identityProviderAlias": "gh"}, {"name": "m2", "identityProviderAlias": "gone"}],
            "clients": [{"clientId": "app"}],
            "scopeMappings": [{"client": "app", "roles": []}, {"clientTemplate": "old", "roles": []}],
            "clientScopeMappings": {"app": [{"clientScope": "no-scope", "roles": []}]},
            "roles": {"application": {"x": []}, "realm": [], "odd": [1]},
            "clientPolicies": {"policies": [], "globalPolicies": [{"name": "x"}]},
            "groups": [{"name": "g", "subGroups": [{"path": "/x"}]}],
            "components": {USER_PROFILE: [{"config": {"kc.user.profile.config": ["{broken"]}}]},
        }));
        assert_eq!(
            found,
            [
                "of an authenticator that no flow uses, the settings a, b, c, d and 1 more",
                "of no other flow, the sub-flow lost",
                "of an identity provider that the file lacks, the mapper m2",
                "of a client or scope that the file lacks, the scope mappings no-scope, old",
                "of no realm and no client, the roles odd",
                "of clientPolicies, the field globalPolicies",
                "a group without a name",
                "the user profile, whose text is no JSON",
            ]
        );
        assert!(loose(&json!({"realm": "r"})).is_empty());
    }
}
