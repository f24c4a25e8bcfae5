use std::collections::HashSet;

use serde_json::Value;

use super::super::canonical::FLOWS_IN_USE;
use super::super::kinds::Kind;
use super::standing::group_names;
use crate::model::TreePath;

/// The resources without what they say of others that are not among them: the server would make some of those, and
/// refuse the whole for the rest. Once the realm is there, each is looked at again, and refused by name where something
/// it needs is missing.
pub(super) fn without_missing(mut wanted: Vec<(Kind, Vec<String>, Value)>) -> Vec<(Kind, Vec<String>, Value)> {
    let held: HashSet<TreePath> = wanted.iter().map(|(kind, names, _)| kind.id(names).key).collect();
    let has = |kind: Kind, names: &[&str]| held.contains(&kind.id(names).key);
    let group = |way: &str| held.contains(&Kind::Group.id(&group_names(way)).key);
    let flow = |alias: &str| has(Kind::Flow, &[alias]);
    for (kind, _, document) in &mut wanted {
        let (of_realm, of_clients) = match kind {
            Kind::RealmRole | Kind::ClientRole => ("/composites/realm", "/composites/client"),
            Kind::Group | Kind::ServiceAccount => ("/realmRoles", "/clientRoles"),
            Kind::Client | Kind::ClientScope => ("/scopeMappings/realm", "/scopeMappings/client"),
            _ => ("", ""),
        };
        if !of_realm.is_empty() {
            retain(document.pointer_mut(of_realm), |name| has(Kind::RealmRole, &[name]));
            for (client, roles) in document.pointer_mut(of_clients).and_then(Value::as_object_mut).into_iter().flatten()
            {
                retain(Some(roles), |name| has(Kind::ClientRole, &[client, name]));
            }
        }
        match kind {
            Kind::ServiceAccount => retain(document.pointer_mut("/groups"), group),
            Kind::Organization => {
                retain(document.pointer_mut("/identityProviders"), |alias| has(Kind::IdentityProvider, &[alias]));
            }
            Kind::IdentityProvider => {
                without_names(document, &["firstBrokerLoginFlowAlias", "postBrokerLoginFlowAlias"], flow)
            }
            Kind::Bindings => {
                retain(document.pointer_mut("/defaultGroups"), group);
                without_names(document, &FLOWS_IN_USE, flow);
            }
            _ => {}
        }
    }
    wanted
}

fn retain(list: Option<&mut Value>, is_there: impl Fn(&str) -> bool) {
    if let Some(list) = list.and_then(Value::as_array_mut) {
        list.retain(|name| name.as_str().is_none_or(&is_there));
    }
}

fn without_names(document: &mut Value, fields: &[&str], is_there: impl Fn(&str) -> bool) {
    if let Some(document) = document.as_object_mut() {
        document.retain(|name, value| !fields.contains(&name.as_str()) || value.as_str().is_none_or(&is_there));
    }
}
