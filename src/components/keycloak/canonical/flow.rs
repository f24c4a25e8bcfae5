use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::Canonical;
use super::fields::{Fields, of_texts, without_blanks};
use super::names::{list, text};
use crate::components::keycloak::kinds::Kind;

/// How deep flows may lie in one another; a file from outside can even hold a circle.
const MAX_DEPTH: usize = 16;

struct Flows<'a> {
    by_alias: HashMap<&'a str, &'a Value>,
    configs: HashMap<&'a str, &'a Value>,
}

/// Each top-level flow with all that lies in it. The order of executions means something, so it is one value.
pub(super) fn flows(realm: &Value) -> Vec<Canonical> {
    let all = list(realm, "authenticationFlows");
    let flows = Flows {
        by_alias: all.iter().filter_map(|flow| Some((text(flow, "alias")?, flow))).collect(),
        configs: list(realm, "authenticatorConfig").iter().filter_map(|one| Some((text(one, "alias")?, one))).collect(),
    };
    let top = all.iter().filter(|flow| flow.get("topLevel").and_then(Value::as_bool) == Some(true));
    top.map(|flow| flows.top(flow)).collect()
}

impl Flows<'_> {
    fn top(&self, representation: &Value) -> Canonical {
        let mut fields = Fields::of(representation);
        let alias = fields.text("alias").unwrap_or_default();
        fields.keep(&["id", "description", "providerId", "builtIn"]);
        let mut unknown = Vec::new();
        let executions = self.executions(representation, 0, &mut unknown);
        let mut below = Map::new();
        self.note_below(&executions, &mut below);
        fields.put("subFlows", without_blanks(&Value::Object(below)));
        fields.put("executions", without_blanks(&executions));
        fields.pass_over(&["alias", "topLevel", "authenticationExecutions"]);
        let (document, not_known) = fields.finish();
        unknown.extend(not_known);
        Canonical { id: Kind::Flow.id(&[alias]), document, unknown }
    }

    /// What of flows that lie in this one only a realm made anew keeps.
    fn note_below(&self, executions: &Value, into: &mut Map<String, Value>) {
        for flow in executions.as_array().into_iter().flatten().filter_map(|execution| execution.get("flow")) {
            if let Some(alias) = text(flow, "alias")
                && let Some(known) = self.by_alias.get(alias)
            {
                into.insert(
                    alias.to_owned(),
                    json!({"id": known.get("id"), "builtIn": known.get("builtIn").unwrap_or(&Value::Bool(false))}),
                );
            }
            self.note_below(flow.get("executions").unwrap_or(&Value::Null), into);
        }
    }

    fn executions(&self, flow: &Value, depth: usize, unknown: &mut Vec<String>) -> Value {
        if depth >= MAX_DEPTH {
            unknown.push("flows that lie deeper than 16".to_owned());
            return Value::Null;
        }
        // The server runs them by priority, whatever order a file lists them in.
        let mut of_this: Vec<&Value> = list(flow, "authenticationExecutions").iter().collect();
        of_this.sort_by_key(|execution| execution.get("priority").and_then(Value::as_i64).unwrap_or_default());
        Value::Array(of_this.into_iter().map(|execution| self.execution(execution, depth, unknown)).collect())
    }

    fn execution(&self, representation: &Value, depth: usize, unknown: &mut Vec<String>) -> Value {
        let mut fields = Fields::of(representation);
        fields.keep(&["authenticator", "requirement"]);
        let priority = fields.take("priority").and_then(Value::as_i64);
        fields.put("priority", Some(json!(priority.unwrap_or_default())));
        if let Some(alias) = fields.text("authenticatorConfig") {
            let found = self.configs.get(alias);
            let config = found.and_then(|config| config.get("config")).map(of_texts);
            let config = config.as_ref().and_then(without_blanks);
            fields.put("config", Some(json!({ "alias": alias, "config": config })));
            unknown.extend(found.into_iter().flat_map(|config| beyond(config, &["id", "alias", "config"])));
        }
        if let Some(alias) = fields.text("flowAlias") {
            let mut below = Map::new();
            below.insert("alias".to_owned(), json!(alias));
            if let Some(flow) = self.by_alias.get(alias) {
                unknown.extend(beyond(flow, &KNOWN));
                for name in ["description", "providerId"] {
                    below.extend(flow.get(name).and_then(without_blanks).map(|value| (name.to_owned(), value)));
                }
                let executions = self.executions(flow, depth + 1, unknown);
                below.extend(without_blanks(&executions).map(|executions| ("executions".to_owned(), executions)));
            } else {
                unknown.push(format!("the flow {alias}, which is named and not there"));
            }
            fields.put("flow", Some(Value::Object(below)));
        }
        fields.pass_over(&["authenticatorFlow", "autheticatorFlow", "userSetupAllowed", "id", "flowId", "parentFlow"]);
        let (document, not_known) = fields.finish();
        unknown.extend(not_known);
        document
    }
}

/// Fields of a flow that lies in another one.
const KNOWN: [&str; 7] =
    ["id", "alias", "description", "providerId", "topLevel", "builtIn", "authenticationExecutions"];

/// Fields that are not among those known.
fn beyond(of: &Value, known: &[&str]) -> Vec<String> {
    let mut fields = Fields::of(of);
    fields.pass_over(known);
    fields.finish().1
}
