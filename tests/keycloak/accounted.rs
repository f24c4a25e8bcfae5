//! Every key of a real realm's file is a part of what is restored, or is named.

use std::collections::BTreeMap;

use rekindle::components::keycloak::canonical;
use reqwest::Method;
use serde_json::{Value, json};

use crate::keycloak::{Admin, server};
use crate::sample::Sample;

/// Fields that are not restored from where they stand, each for a reason: the server makes it, it repeats what stands
/// elsewhere, or it is an id of something that the server makes anew.
const PASSED_OVER: [&str; 22] = [
    "access",
    "authenticatorFlow",
    "autheticatorFlow",
    "clientRole",
    "composite",
    "consentRequired",
    "containerId",
    "flowId",
    "keycloakVersion",
    "parentId",
    "path",
    "realm_client",
    "client.secret.creation.time",
    "registeredNodes",
    "subGroupCount",
    "types",
    "userSetupAllowed",
    "topLevel",
    "users",
    "_id",
    "origin",
    "otpSupportedApplications",
];

/// What repeats what stands elsewhere in the file: settings, and the default role among the roles.
const REPEATED: [&str; 5] = [
    "attributes.oauth2DeviceCodeLifespan",
    "attributes.oauth2DevicePollingInterval",
    "components.org.keycloak.userprofile.UserProfileProvider.[].providerId",
    "defaultRole",
    "defaultRole.description",
];

/// Maps by names: what has not the shape of their values is nothing in them.
const BY_NAME: [&str; 6] = [
    "components",
    "subComponents",
    "clientScopeMappings",
    "client",
    "clientRoles",
    "authenticationFlowBindingOverrides",
];

/// One place for each shape of way: `[]` for any element.
fn places(value: &Value, way: &mut Vec<String>, into: &mut BTreeMap<String, Vec<String>>) {
    let shape: Vec<&str> = way.iter().map(|step| if step.parse::<usize>().is_ok() { "[]" } else { step }).collect();
    into.entry(shape.join(".")).or_insert_with(|| way.clone());
    let below: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, field)| (name.clone(), field)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(at, item)| (at.to_string(), item)).collect(),
        _ => Vec::new(),
    };
    for (step, field) in below.into_iter().filter(|(step, _)| !PASSED_OVER.contains(&step.as_str())) {
        way.push(step);
        places(field, way, into);
        way.pop();
    }
}

fn at<'v>(mut value: &'v mut Value, way: &[String]) -> &'v mut Value {
    for step in way {
        value = match step.parse::<usize>() {
            Ok(at) if value.is_array() => &mut value[at],
            _ => &mut value[step.as_str()],
        };
    }
    value
}

/// All that is made of a file, as text.
fn made_of(file: &Value) -> String {
    let realm = canonical::realm(file).unwrap();
    let documents = realm.resources.values().map(|one| format!("{} {} {:?}\n", one.id, one.document, one.unknown));
    format!("{:?} {} {}", realm.unknown, realm.names.default_role, documents.collect::<String>())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_key_of_a_realm_file_is_restored_or_named() {
    let sample = Sample::new("accounted", 3);
    let admin = Admin::new(server());
    sample.make(&admin).await;
    let path = "/accounted/partial-export?exportClients=true&exportGroupsAndRoles=true";
    let file = admin.call(Method::POST, path, None).await.1;
    let mut all = BTreeMap::new();
    places(&file, &mut Vec::new(), &mut all);
    assert!(all.len() > 300, "{}", all.len());
    let usual = made_of(&file);
    let mut silent = Vec::new();
    for (shape, way) in &all {
        let mut other = file.clone();
        let name = way.last().map_or("", String::as_str);
        let place = at(&mut other, way);
        let is_by_name = BY_NAME.contains(&name);
        match place {
            Value::Object(_) if is_by_name => continue,
            Value::Object(fields) => drop(fields.insert("strangeField".to_owned(), json!({"strange": "value"}))),
            Value::Array(_) | Value::Null => continue,
            Value::Bool(flag) => *flag = !*flag,
            Value::Number(_) => *place = json!(4711),
            Value::String(text) if text.starts_with("{\"") => continue,
            Value::String(text) => text.push_str("-strange"),
        }
        let is_object = at(&mut other, way).is_object();
        let made = made_of(&other);
        if made == usual || (is_object && !made.contains("strangeField")) {
            silent.push(shape.clone());
        }
    }
    // Ids of mappers, executions and the like are the server's to give anew.
    silent.retain(|shape| !shape.ends_with(".id") && !REPEATED.contains(&shape.as_str()));
    assert!(silent.is_empty(), "{silent:#?}");
}
