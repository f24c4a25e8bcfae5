use serde_json::Value;

use crate::ground::Ground;
use crate::support::root;

/// As much of JSON Schema as `rekindle schema` uses; a word that it does not know is a failure, not a yes.
fn accepts(whole: &Value, schema: &Value, value: &Value) -> bool {
    let Some(words) = schema.as_object() else { return schema.as_bool().unwrap_or(false) };
    let one = |schema: &Value| accepts(whole, schema, value);
    words.iter().all(|(word, rule)| match word.as_str() {
        "$ref" => one(whole.pointer(rule.as_str().unwrap().trim_start_matches('#')).unwrap()),
        "anyOf" => rule.as_array().unwrap().iter().any(one),
        "oneOf" => rule.as_array().unwrap().iter().filter(|rule| one(rule)).count() == 1,
        "enum" => rule.as_array().unwrap().contains(value),
        "const" => rule == value,
        "type" => match rule {
            Value::Array(types) => types.iter().any(|rule| is(rule, value)),
            rule => is(rule, value),
        },
        "required" => rule.as_array().unwrap().iter().all(|name| value.get(name.as_str().unwrap()).is_some()),
        "properties" => value.as_object().is_none_or(|fields| {
            fields.iter().all(|(name, value)| rule.get(name).is_none_or(|rule| accepts(whole, rule, value)))
        }),
        "additionalProperties" => value.as_object().is_none_or(|fields| {
            let known = |name: &str| schema.pointer("/properties").is_some_and(|known| known.get(name).is_some());
            fields.iter().filter(|(name, _)| !known(name)).all(|(_, value)| accepts(whole, rule, value))
        }),
        "items" => value.as_array().is_none_or(|items| items.iter().all(|item| accepts(whole, rule, item))),
        "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
        "maximum" => value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()),
        "$schema" | "$defs" | "title" | "description" | "format" | "default" => true,
        other => panic!("the schema uses '{other}'"),
    })
}

fn is(rule: &Value, value: &Value) -> bool {
    match rule.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        other => panic!("the schema names the type '{other}'"),
    }
}

fn from_yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

/// The runbook of everything, on the page of the runbook.
fn reference() -> String {
    let page = std::fs::read_to_string(root().join("src/runbook/README.md")).unwrap();
    let block = page.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next());
    block.expect("the page shows no runbook").to_owned()
}

#[test]
fn the_schema_takes_every_shipped_runbook_and_the_runbook_of_everything() {
    let ground = Ground::bare();
    let schema = ground.rekindle(&["schema"], 0).json();
    let mut count = 0;
    for entry in std::fs::read_dir(root().join("runbooks")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(accepts(&schema, &schema, &from_yaml(&text)), "{}", path.display());
        count += 1;
    }
    assert!(count >= 4, "{count} runbooks");
    assert!(accepts(&schema, &schema, &from_yaml(&reference())));
    for wrong in [
        "{ rekindle: 1, steps: [{ id: a, restor: homes }] }",
        "{ rekindle: 1 }",
        "{ rekindle: 1, steps: [{ id: a, restore: b, mode: exactly }] }",
        "{ rekindle: 1, steps: [{ id: a, run: { program: id } }] }",
    ] {
        assert!(!accepts(&schema, &schema, &from_yaml(wrong)), "{wrong}");
    }
}

#[test]
fn the_runbook_of_everything_is_clean() {
    let ground = Ground::bare();
    std::fs::write(ground.path("reference.yaml"), reference()).unwrap();
    ground.rekindle(&["lint", "reference.yaml"], 0).says("0 errors");
}

#[test]
fn info_says_where_runs_are_and_which_adapters_there_are() {
    let ground = Ground::bare();
    let state = ground.path("state");
    let told = ground.rekindle(&["info"], 0);
    told.says(state.join("runs").to_str().unwrap()).says(state.join("keys").to_str().unwrap()).says("restic (local,");
    let facts = ground.rekindle(&["info", "--json"], 0).json();
    assert_eq!(facts["state"]["runs"], state.join("runs").to_str().unwrap());
}
