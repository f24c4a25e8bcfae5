use std::collections::BTreeSet;

use serde_json::Value;

use crate::components::keycloak::canonical::DIRECTORY;
use crate::components::keycloak::kinds::Kind;
use crate::model::{some_of, visible};

/// How many are named.
const NAMED: usize = 6;

/// The names of all people who hold something, or one of its roles.
pub(in crate::components::keycloak) fn people_in(held: &Value) -> BTreeSet<&str> {
    let list = |name: &str| held.get(name).and_then(Value::as_array).into_iter().flatten();
    let links = list("links").filter_map(|link| link.get("user")?.as_str());
    let mut people: BTreeSet<&str> = list("users").filter_map(Value::as_str).chain(links).collect();
    for role in held.get("ownRoles").and_then(Value::as_object).into_iter().flatten().map(|(_, role)| role) {
        people.extend(role.get(super::HELD_BY).into_iter().flat_map(people_in));
    }
    people
}

/// What a removal takes from whom, bounded and counted.
pub(in crate::components::keycloak) fn warnings(kind: Kind, names: &[String], held: &Value) -> Vec<String> {
    let mut said = Vec::new();
    let people = people_in(held);
    let roles: BTreeSet<&str> =
        held.get("ownRoles").and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    if !roles.is_empty() {
        let roles_of = count(roles.len(), ("role", "roles"));
        said.push(format!("takes {roles_of} with it: {}", some(roles.iter().copied())));
    }
    if !people.is_empty() {
        let what = match kind {
            Kind::RealmRole | Kind::ClientRole => ("person holds it and loses it", "people hold it and lose it"),
            Kind::Client => ("person holds roles of it and loses them", "people hold roles of it and lose them"),
            Kind::IdentityProvider => {
                ("person is linked to it and loses that", "people are linked to it and lose that")
            }
            _ => ("person is a member and loses that", "people are members and lose that"),
        };
        said.push(format!("{}: {}; an undo gives it back", count(people.len(), what), some(people.into_iter())));
    }
    let others = others(held);
    if !others.is_empty() {
        said.push(format!("taken from {} too; an undo gives it back", others.join(", ")));
    }
    if matches!(kind, Kind::Client | Kind::ClientScope) {
        said.push("ends consents and sessions that people have for it; an undo does not bring them back".to_owned());
    }
    let is_directory = kind == Kind::Component && names.len() == 2 && names.first().is_some_and(|of| of == DIRECTORY);
    if is_directory {
        said.push(
            "takes every account that came from this directory, with all that it holds here; an undo brings none back"
                .to_owned(),
        );
    }
    said
}

fn others(held: &Value) -> Vec<String> {
    let names = |way: &str| -> Vec<&str> {
        held.pointer(way).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let counted = |names: Vec<&str>, what: (&str, &str)| {
        (!names.is_empty()).then(|| format!("{} ({})", count(names.len(), what), some(names.iter().copied())))
    };
    let of_clients = held.pointer("/roles/client").and_then(Value::as_object).into_iter().flatten();
    let of_clients = of_clients.flat_map(|(_, roles)| roles.as_array().into_iter().flatten().filter_map(Value::as_str));
    let policies = held.get("policies").and_then(Value::as_object).into_iter().flatten();
    let policies = policies.flat_map(|(_, list)| list.as_array().into_iter().flatten());
    let policies = policies.filter_map(|policy| policy.get("name")?.as_str()).collect();
    [
        counted(names("/groups"), ("group", "groups")),
        counted(names("/roles/realm").into_iter().chain(of_clients).collect(), ("composite role", "composite roles")),
        counted([names("/clients"), names("/defaultOf"), names("/optionalOf")].concat(), ("client", "clients")),
        counted(names("/clientScopes"), ("client scope", "client scopes")),
        counted(names("/accounts"), ("service account", "service accounts")),
        counted(names("/organizations"), ("organization", "organizations")),
        counted(policies, ("authorization policy", "authorization policies")),
        counted(names("/realm"), ("list of the realm", "lists of the realm")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn count(number: usize, (one, many): (&str, &str)) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

fn some<'a>(names: impl Iterator<Item = &'a str>) -> String {
    some_of(names.map(visible), NAMED, ", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whom_a_removal_hits_is_named_bounded_and_counted() {
        let many: Vec<String> = (0..1000).map(|at| format!("u{at:04}")).collect();
        let held = json!({"users": many, "groups": ["/a"], "policies": {"az": [{"name": "p"}]}});
        assert_eq!(
            warnings(Kind::RealmRole, &["r".to_owned()], &held),
            [
                "1000 people hold it and lose it: u0000, u0001, u0002, u0003, u0004, u0005 and 994 more; an undo gives it back",
                "taken from 1 group (/a), 1 authorization policy (p) too; an undo gives it back"
            ]
        );
        let client = json!({"ownRoles": {"read": {"heldBy": {"users": ["ana"]}}, "write": {}}});
        assert_eq!(
            warnings(Kind::Client, &["app".to_owned()], &client)[..2],
            [
                "takes 2 roles with it: read, write",
                "1 person holds roles of it and loses them: ana; an undo gives it back"
            ]
        );
        let links = json!({"links": [{"user": "ana", "userId": "7"}]});
        assert_eq!(
            warnings(Kind::IdentityProvider, &[], &links),
            ["1 person is linked to it and loses that: ana; an undo gives it back"]
        );
        assert!(warnings(Kind::Group, &[], &json!({})).is_empty());
    }
}
