use serde_json::{Map, Value, json};

use super::super::http::segment;
use super::call::{Call, made};
use super::target::{Target, field, text};
use crate::model::Result;

/// A flow with all that lies in it. Where only settings of its executions differ, those are written in place; else
/// its executions are made anew, in their order, after the old ones were taken away.
pub(super) fn body(target: &Target<'_>) -> Result<Vec<Call>> {
    let alias = target.name();
    let mut calls = Vec::new();
    let flow = match target.is_new {
        true => {
            let body = flow_body(alias, target.to, true);
            calls.push(Call::post("/authentication/flows", with_id(body, target.to)).makes("flow"));
            made("flow")
        }
        false => {
            let id = target.id()?.to_owned();
            if ["description", "providerId"].iter().any(|name| field(target.from, name) != field(target.to, name)) {
                let mut body = flow_body(alias, target.to, true);
                if let (Some(fields), Some(built_in)) = (body.as_object_mut(), target.from.get("builtIn")) {
                    fields.insert("builtIn".to_owned(), built_in.clone());
                    fields.insert("id".to_owned(), json!(id));
                }
                calls.push(Call::put(format!("/authentication/flows/{}", segment(&id)), body));
            }
            id
        }
    };
    let (from, to) = (executions(target.from), executions(target.to));
    if from == to {
        return Ok(calls);
    }
    if !target.is_new && structure(from) == structure(to) {
        let mut shown = target.raw(0).as_array().map_or(&[][..], Vec::as_slice).iter();
        in_place(alias, from, to, &mut shown, &mut calls);
        return Ok(calls);
    }
    if target.from.get("builtIn").and_then(Value::as_bool) == Some(true) {
        return Err(target
            .unsupported("it is one of the server's own flows, whose executions can be set and not replaced")
            .next("copy the flow in the admin console, bind the copy, and leave this one out"));
    }
    let shown = target.raw(0).as_array().into_iter().flatten();
    for old in shown.filter(|one| one.get("level").and_then(Value::as_u64) == Some(0)) {
        if let Some(id) = text(old, "id") {
            calls.push(Call::delete(format!("/authentication/executions/{}", segment(id))));
        }
    }
    add(&flow, to, "e", &mut calls);
    Ok(calls)
}

fn executions(flow: &Value) -> &[Value] {
    flow.get("executions").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn flow_body(alias: &str, flow: &Value, top: bool) -> Value {
    let provider = text(flow, "providerId").unwrap_or("basic-flow");
    let description = text(flow, "description").unwrap_or_default();
    json!({"alias": alias, "providerId": provider, "description": description, "topLevel": top, "builtIn": false})
}

fn with_id(mut body: Value, from: &Value) -> Value {
    if let (Some(fields), Some(id)) = (body.as_object_mut(), from.get("id")) {
        fields.insert("id".to_owned(), id.clone());
    }
    body
}

/// Executions below the flow of this id, each flow among them before what lies in it.
fn add(parent: &str, wanted: &[Value], name: &str, calls: &mut Vec<Call>) {
    for (at, execution) in wanted.iter().enumerate() {
        let name = format!("{name}.{at}");
        let mut body = Map::new();
        body.insert("parentFlow".to_owned(), json!(parent));
        for part in ["authenticator", "requirement", "priority"] {
            body.extend(execution.get(part).map(|value| (part.to_owned(), value.clone())));
        }
        let below = execution.get("flow");
        if let Some(flow) = below {
            let alias = text(flow, "alias").unwrap_or_default();
            calls
                .push(Call::post("/authentication/flows", flow_body(alias, flow, false)).makes(format!("{name}.flow")));
            body.insert("authenticatorFlow".to_owned(), json!(true));
            body.insert("flowId".to_owned(), json!(made(&format!("{name}.flow"))));
        }
        calls.push(Call::post("/authentication/executions", Value::Object(body)).makes(&name));
        if let Some(config) = execution.get("config") {
            calls.push(Call::post(format!("/authentication/executions/{}/config", made(&name)), config_body(config)));
        }
        if let Some(flow) = below {
            add(&made(&format!("{name}.flow")), executions(flow), &name, calls);
        }
    }
}

fn config_body(config: &Value) -> Value {
    let settings = config.get("config").filter(|settings| !settings.is_null()).cloned();
    json!({"alias": text(config, "alias"), "config": settings.unwrap_or_else(|| json!({}))})
}

/// Who is where, without settings: what a flow can only be given anew.
fn structure(executions: &[Value]) -> Value {
    let one = |execution: &Value| {
        let below = execution.get("flow").map(|flow| {
            let own: Vec<&Value> =
                ["alias", "providerId", "description"].iter().map(|name| field(flow, name)).collect();
            json!([own, structure(self::executions(flow))])
        });
        let config = execution.get("config").and_then(|config| text(config, "alias"));
        json!([field(execution, "authenticator"), config, below])
    };
    Value::Array(executions.iter().map(one).collect())
}

/// The server lists a flow's executions flat, each flow before what lies in it: the same way as this walk.
fn in_place<'a>(
    alias: &str,
    from: &[Value],
    to: &[Value],
    shown: &mut impl Iterator<Item = &'a Value>,
    calls: &mut Vec<Call>,
) {
    for (before, after) in from.iter().zip(to) {
        let Some(one) = shown.next() else { return };
        let differs = |name: &str| field(before, name) != field(after, name);
        if differs("requirement") || differs("priority") {
            let mut body = one.clone();
            if let Some(fields) = body.as_object_mut() {
                for name in ["requirement", "priority"] {
                    fields.extend(after.get(name).map(|value| (name.to_owned(), value.clone())));
                }
            }
            calls.push(Call::put(format!("/authentication/flows/{}/executions", segment(alias)), body));
        }
        if differs("config")
            && let (Some(id), Some(config)) = (text(one, "authenticationConfig"), after.get("config"))
        {
            let mut body = config_body(config);
            if let Some(fields) = body.as_object_mut() {
                fields.insert("id".to_owned(), json!(id));
            }
            calls.push(Call::put(format!("/authentication/config/{}", segment(id)), body));
        }
        if let (Some(before), Some(after)) = (before.get("flow"), after.get("flow")) {
            in_place(alias, executions(before), executions(after), shown, calls);
        }
    }
}
