use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::abilities::Abilities;
use crate::model::visible;

/// Policies that are scripts. Since Keycloak 18 the server takes scripts from plugins only, and refuses a whole realm
/// for one of a file, though the console once gave one to every client with an authorization service.
const SCRIPT: &str = "js";

/// Takes the policies out of a client's authorization settings that the server cannot hold, and those that apply them:
/// without a condition of theirs they would decide otherwise. Says each in words.
pub(super) fn fit(client: &mut Map<String, Value>, abilities: &Abilities, left_out: &mut Vec<String>) {
    let Some(settings) = client.get_mut("authorizationSettings").and_then(Value::as_object_mut) else { return };
    let Some(policies) = settings.get_mut("policies").and_then(Value::as_array_mut) else { return };
    let mut gone: BTreeSet<String> = BTreeSet::new();
    policies.retain(|policy| {
        let Some(why) = why_not(policy, abilities) else { return true };
        left_out.push(format!("the policy {}: {why}", visible(name(policy))));
        gone.insert(name(policy).to_owned());
        false
    });
    loop {
        let before = gone.len();
        policies.retain(|policy| {
            let Some(applied) = applied(policy).into_iter().find(|applied| gone.contains(applied)) else { return true };
            left_out.push(format!(
                "the policy {}: it applies the policy {}, which is not restored",
                visible(name(policy)),
                visible(&applied)
            ));
            gone.insert(name(policy).to_owned());
            false
        });
        if gone.len() == before {
            break;
        }
    }
    if policies.is_empty() {
        settings.remove("policies");
    }
}

fn why_not(policy: &Value, abilities: &Abilities) -> Option<String> {
    let kind = policy.get("type").and_then(Value::as_str)?;
    if kind == SCRIPT {
        return Some(
            "the server takes no scripts from files; install it as a plugin, or write another policy".to_owned(),
        );
    }
    let lacks = format!("this server has no provider {}; install its plugin, then restore again", visible(kind));
    abilities.lacks_policy(kind).then_some(lacks)
}

fn name(policy: &Value) -> &str {
    policy.get("name").and_then(Value::as_str).unwrap_or_default()
}

/// Names of the policies that it applies: a list, or a list that is written as a text.
fn applied(policy: &Value) -> Vec<String> {
    let texts = |list: &Value| -> Vec<String> {
        list.as_array().into_iter().flatten().filter_map(|one| one.as_str().map(str::to_owned)).collect()
    };
    match policy.pointer("/config/applyPolicies") {
        Some(Value::String(written)) => serde_json::from_str(written).map(|list| texts(&list)).unwrap_or_default(),
        Some(list) => texts(list),
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_service_with_a_script_alone_has_no_policies() {
        let mut client =
            json!({"authorizationSettings": {"policies": [{"name": "script", "type": "js"}], "scopes": []}});
        fit(client.as_object_mut().unwrap(), &Abilities::default(), &mut Vec::new());
        assert_eq!(client, json!({"authorizationSettings": {"scopes": []}}));
    }

    #[test]
    fn a_script_is_left_out_with_all_that_applies_it() {
        let policy = |name: &str, kind: &str, applies: Value| json!({"name": name, "type": kind, "config": {"applyPolicies": applies}});
        let mut client = json!({"authorizationSettings": {"policies": [
            policy("both", "aggregate", json!("[\"all\"]")), policy("all", "resource", json!(["by day", "script"])),
            policy("script", "js", Value::Null), policy("by day", "time", Value::Null),
            policy("plugin", "moon", Value::Null), policy("other", "resource", json!(["by day"]))]}});
        let info =
            json!({"providers": {"policy": {"providers": {"js": {}, "time": {}, "resource": {}, "aggregate": {}}}}});
        let mut left_out = Vec::new();
        fit(client.as_object_mut().unwrap(), &Abilities::of(&info), &mut left_out);
        let kept = client["authorizationSettings"]["policies"].as_array().unwrap();
        assert_eq!(kept.iter().map(name).collect::<Vec<_>>(), ["by day", "other"]);
        let named: Vec<&str> = left_out.iter().filter_map(|word| word.split(':').next()).collect();
        assert_eq!(named, ["the policy script", "the policy plugin", "the policy all", "the policy both"]);
    }
}
