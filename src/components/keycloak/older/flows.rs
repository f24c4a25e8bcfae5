use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::canonical::{FLOWS_IN_USE, list, text};
use super::{is_named, list_mut};

const FLOWS: &str = "authenticationFlows";
const EXECUTIONS: &str = "authenticationExecutions";
const HTTP_CHALLENGE: &str = "http challenge";

fn requirement(execution: &Value) -> &str {
    text(execution, "requirement").unwrap_or_default()
}

fn priority(execution: &Value) -> i64 {
    execution.get("priority").and_then(Value::as_i64).unwrap_or_default()
}

fn step_into(alias: &str, requirement: &str, priority: i64) -> Value {
    json!({"flowAlias": alias, "authenticatorFlow": true, "requirement": requirement, "priority": priority})
}

fn sub_flow(alias: &str, about: String, of: &Value, executions: Vec<Value>) -> Value {
    json!({"alias": alias, "description": about, "providerId": "basic-flow", "topLevel": false,
        "builtIn": of.get("builtIn").unwrap_or(&json!(false)), EXECUTIONS: executions})
}

/// What was optional is asked of those who have it, in a flow of its own.
pub(super) fn without_optional(realm: &mut Value) {
    each_flow(realm, |flow, made| {
        let (alias, of) = (text(flow, "alias").unwrap_or_default().to_owned(), flow.clone());
        for execution in list_mut(flow, EXECUTIONS).into_iter().flatten() {
            let Some(authenticator) = text(execution, "authenticator").map(str::to_owned) else { continue };
            if requirement(execution) != "OPTIONAL" {
                continue;
            }
            let own = format!("{alias} - {authenticator} - Conditional");
            let about = format!("Flow to determine if the {authenticator} authenticator should be used or not.");
            let asks =
                json!({"authenticator": "conditional-user-configured", "requirement": "REQUIRED", "priority": 10});
            let instead = step_into(&own, "CONDITIONAL", priority(execution));
            let mut moved = std::mem::replace(execution, instead);
            moved["requirement"] = json!("REQUIRED");
            moved["priority"] = json!(20);
            made.push(sub_flow(&own, about, &of, vec![asks, moved]));
        }
    });
}

/// Alternatives beside something that is required were tried once; now they would be passed over.
pub(super) fn alternatives_apart(realm: &mut Value) {
    each_flow(realm, |flow, made| {
        let is = |wanted: &str| list(flow, EXECUTIONS).iter().any(|one| requirement(one) == wanted);
        if !is("ALTERNATIVE") || !(is("REQUIRED") || is("CONDITIONAL")) {
            return;
        }
        let (alias, of) = (text(flow, "alias").unwrap_or_default().to_owned(), flow.clone());
        let Some(executions) = list_mut(flow, EXECUTIONS) else { return };
        executions.sort_by_key(priority);
        let (mut kept, mut apart, mut count) = (Vec::new(), Vec::new(), 0);
        let mut close = |apart: &mut Vec<Value>, kept: &mut Vec<Value>| {
            let Some(first) = apart.first().map(priority) else { return };
            let own = format!("{alias} - Alternatives - {count}");
            count += 1;
            for (place, one) in (1_i64..).zip(apart.iter_mut()) {
                one["priority"] = json!(place * 10);
            }
            kept.push(step_into(&own, "REQUIRED", first));
            let about = format!("Subflow of {alias} with alternative executions");
            made.push(sub_flow(&own, about, &of, std::mem::take(apart)));
        };
        for execution in std::mem::take(executions) {
            if requirement(&execution) == "ALTERNATIVE" {
                apart.push(execution);
                continue;
            }
            if matches!(requirement(&execution), "REQUIRED" | "CONDITIONAL") {
                close(&mut apart, &mut kept);
            }
            kept.push(execution);
        }
        close(&mut apart, &mut kept);
        *executions = kept;
    });
}

/// `change` is handed each flow, and a list for those that it makes.
fn each_flow(realm: &mut Value, mut change: impl FnMut(&mut Value, &mut Vec<Value>)) {
    let Some(flows) = list_mut(realm, FLOWS) else { return };
    let mut made = Vec::new();
    flows.iter_mut().filter(|flow| flow.is_object()).for_each(|flow| change(flow, &mut made));
    flows.extend(made);
}

/// The server has no such authenticators any more. Where the flow is used, it stays and the server says so.
pub(super) fn without_http_challenge(realm: &mut Value) {
    let id = list(realm, FLOWS).iter().find(|flow| is_named(flow, "alias", HTTP_CHALLENGE)).map(|flow| flow.get("id"));
    let Some(id) = id.map(|id| id.cloned()) else { return };
    let is_bound = FLOWS_IN_USE.iter().any(|name| is_named(realm, name, HTTP_CHALLENGE));
    let overrides = list(realm, "clients").iter().filter_map(|client| client.get("authenticationFlowBindingOverrides"));
    let mut overrides = overrides.filter_map(Value::as_object).flat_map(serde_json::Map::values);
    if is_bound || overrides.any(|flow| Some(flow) == id.as_ref()) {
        return;
    }
    let mut gone = BTreeSet::from([HTTP_CHALLENGE.to_owned()]);
    let mut open = vec![HTTP_CHALLENGE.to_owned()];
    while let Some(alias) = open.pop() {
        let Some(flow) = list(realm, FLOWS).iter().find(|flow| is_named(flow, "alias", &alias)) else { continue };
        let below = list(flow, EXECUTIONS).iter().filter_map(|one| text(one, "flowAlias"));
        open.extend(below.filter(|below| gone.insert((*below).to_owned())).map(str::to_owned));
    }
    if let Some(flows) = list_mut(realm, FLOWS) {
        flows.retain(|flow| text(flow, "alias").is_none_or(|alias| !gone.contains(alias)));
    }
}

/// The form of the user profile does what this one did.
pub(super) fn without_profile_action(realm: &mut Value) {
    for flow in list_mut(realm, FLOWS).into_iter().flatten().filter(|flow| is_named(flow, "providerId", "form-flow")) {
        if let Some(executions) = list_mut(flow, EXECUTIONS) {
            executions.retain(|one| !is_named(one, "authenticator", "registration-profile-action"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(realm: &Value, alias: &str) -> Value {
        list(realm, FLOWS).iter().find(|flow| is_named(flow, "alias", alias)).cloned().unwrap_or_default()
    }

    #[test]
    fn what_was_optional_is_asked_of_those_who_have_it() {
        let otp = json!({"authenticator": "auth-otp-form", "requirement": "OPTIONAL", "priority": 7, "authenticatorConfig": "c"});
        let mut realm = json!({FLOWS: [{"alias": "f", "topLevel": true, EXECUTIONS: [otp]}]});
        without_optional(&mut realm);
        let own = "f - auth-otp-form - Conditional";
        assert_eq!(flow(&realm, "f")[EXECUTIONS], json!([step_into(own, "CONDITIONAL", 7)]));
        let below = flow(&realm, own);
        assert_eq!(below[EXECUTIONS][0]["authenticator"], "conditional-user-configured");
        assert_eq!(
            below[EXECUTIONS][1],
            json!({"authenticator": "auth-otp-form", "requirement": "REQUIRED", "priority": 20, "authenticatorConfig": "c"})
        );
    }

    #[test]
    fn alternatives_beside_something_required_get_a_flow_of_their_own() {
        let one = |name: &str, requirement: &str, priority: u8| json!({"authenticator": name, "requirement": requirement, "priority": priority});
        let executions = json!([one("c", "REQUIRED", 30), one("a", "ALTERNATIVE", 10), one("b", "ALTERNATIVE", 20)]);
        let mut realm = json!({FLOWS: [{"alias": "f", EXECUTIONS: executions}, {"alias": "plain", EXECUTIONS: [one("a", "ALTERNATIVE", 1)]}]});
        alternatives_apart(&mut realm);
        let own = "f - Alternatives - 0";
        assert_eq!(flow(&realm, "f")[EXECUTIONS], json!([step_into(own, "REQUIRED", 10), one("c", "REQUIRED", 30)]));
        assert_eq!(flow(&realm, own)[EXECUTIONS], json!([one("a", "ALTERNATIVE", 10), one("b", "ALTERNATIVE", 20)]));
        assert_eq!(list(&realm, FLOWS).len(), 3);
    }

    #[test]
    fn the_flow_for_http_challenges_goes_with_all_below_it_unless_it_is_used() {
        let flows = json!([{"alias": HTTP_CHALLENGE, "id": "7", EXECUTIONS: [{"flowAlias": "below"}]}, {"alias": "below"}, {"alias": "x"}]);
        let mut realm = json!({FLOWS: flows});
        without_http_challenge(&mut realm);
        assert_eq!(realm[FLOWS], json!([{"alias": "x"}]));
        for used in [
            json!({"browserFlow": HTTP_CHALLENGE}),
            json!({"clients": [{"authenticationFlowBindingOverrides": {"browser": "7"}}]}),
        ] {
            let mut realm = used;
            realm[FLOWS] = flows.clone();
            without_http_challenge(&mut realm);
            assert_eq!(list(&realm, FLOWS).len(), 3);
        }
    }
}
