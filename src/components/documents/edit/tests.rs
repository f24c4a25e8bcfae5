use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::YamlAndJson;
use super::*;
use crate::document_files::Rewritten;
use crate::model::{FieldRule, FieldShape, KindSchema};

mod comments;

const ACCOUNT: &str = "\
# Account of ana: ask her before changing anything
name: ana            # login
mail: 'ana@example.org'
quota: 10            # GB
defaults: &defaults
  shell: /bin/bash
  umask: \"0027\"
session:
  <<: *defaults
  idle: 30

# What ana may do.
roles:
  - dev      # since 2019
  - ops
  # admin was taken back in 2021
limits: {cpu: 2, memory: 4, tags: [a, b]}
bio: |
  Ana likes
  trees.

keys:
- name: laptop
  value: ssh-ed25519 AAAA   # renewed yearly
- name: phone
  value: ssh-ed25519 BBBB
empty:
# the end
";

fn document(notation: Notation, text: &str) -> Document {
    crate::document_files::document(&YamlAndJson, name(notation), text.as_bytes()).unwrap()
}

fn name(notation: Notation) -> &'static [u8] {
    if notation == Notation::Json { b"a.json" } else { b"a.yaml" }
}

fn rewrite_by(
    live: Option<&Document>,
    expected: &Document,
    origin: Option<&Document>,
    notation: Notation,
    schema: &KindSchema,
) -> Option<Rewritten> {
    crate::document_files::rewrite(&YamlAndJson, name(notation), live, expected, origin, schema)
}

/// As without a schema.
fn rewrite(
    live: Option<&Document>,
    expected: &Document,
    origin: Option<&Document>,
    notation: Notation,
) -> Option<Rewritten> {
    rewrite_by(live, expected, origin, notation, &KindSchema::default())
}

fn edit(notation: Notation, text: &str, change: impl FnOnce(&mut Value)) -> Rewritten {
    let live = document(notation, text);
    let mut value = Value::clone(&live.value);
    change(&mut value);
    let expected = Document::new(value);
    let rewritten = rewrite(Some(&live), &expected, None, notation).unwrap();
    assert_eq!(document(notation, &rewritten.text).value, expected.value);
    rewritten
}

/// The lines that are only in the former and only in the new text.
fn lines(before: &str, after: &str) -> (Vec<String>, Vec<String>) {
    let only = |one: &str, two: &str| -> Vec<String> {
        one.lines().filter(|line| !two.lines().any(|other| other == *line)).map(str::to_owned).collect()
    };
    (only(before, after), only(after, before))
}

fn account(change: impl FnOnce(&mut Value), gone: &[&str], new: &[&str]) {
    let rewritten = edit(Notation::Yaml, ACCOUNT, change);
    let (was, is) = lines(ACCOUNT, &rewritten.text);
    assert!(!rewritten.loses_layout, "{}", rewritten.text);
    assert_eq!(
        (was, is),
        (gone.iter().map(|l| (*l).to_owned()).collect(), new.iter().map(|l| (*l).to_owned()).collect()),
        "{}",
        rewritten.text
    );
}

#[test]
fn an_edit_touches_only_its_own_lines() {
    account(|v| v["quota"] = json!(25), &["quota: 10            # GB"], &["quota: 25            # GB"]);
    account(|v| v["mail"] = json!("o'hara@x"), &["mail: 'ana@example.org'"], &["mail: 'o''hara@x'"]);
    account(
        |v| v["name"] = json!("yes: no"),
        &["name: ana            # login"],
        &["name: \"yes: no\"            # login"],
    );
    account(|v| v["roles"] = json!(["dev", "ops", "qa"]), &[], &["  - qa"]);
    account(|v| v["roles"] = json!(["qa", "dev", "ops"]), &[], &["  - qa"]);
    account(|v| v["roles"] = json!(["ops"]), &["  - dev      # since 2019"], &[]);
    account(
        |v| v["limits"]["cpu"] = json!(8),
        &["limits: {cpu: 2, memory: 4, tags: [a, b]}"],
        &["limits: {cpu: 8, memory: 4, tags: [a, b]}"],
    );
    account(
        |v| v["limits"]["tags"] = json!(["b", "c"]),
        &["limits: {cpu: 2, memory: 4, tags: [a, b]}"],
        &["limits: {cpu: 2, memory: 4, tags: [b, c]}"],
    );
    account(|v| v["limits"] = json!({"cpu": 2}), &["limits: {cpu: 2, memory: 4, tags: [a, b]}"], &["limits: {cpu: 2}"]);
    account(|v| v["bio"] = json!("Ana likes\nbirds.\n"), &["  trees."], &["  birds."]);
    account(
        |v| v["keys"][0]["value"] = json!("new"),
        &["  value: ssh-ed25519 AAAA   # renewed yearly"],
        &["  value: new   # renewed yearly"],
    );
    account(
        |v| {
            v["keys"].as_array_mut().unwrap().remove(1);
        },
        &["- name: phone", "  value: ssh-ed25519 BBBB"],
        &[],
    );
    account(|v| v["keys"].as_array_mut().unwrap().push(json!({"name": "tablet"})), &[], &["- name: tablet"]);
    account(|v| v["empty"] = json!("full"), &["empty:"], &["empty: full"]);
    account(|v| v["session"]["idle"] = json!(60), &["  idle: 30"], &["  idle: 60"]);
    account(|v| v["session"]["umask"] = json!("0077"), &[], &["  umask: \"0077\""]);
    account(
        |v| {
            v.as_object_mut().unwrap().remove("mail");
        },
        &["mail: 'ana@example.org'"],
        &[],
    );
    account(
        |v| v["home"] = json!({"path": "/h", "dirs": ["a", "b"]}),
        &[],
        &["home:", "  dirs:", "  - a", "  - b", "  path: /h"],
    );
    account(|v| v["roles"] = json!("none"), &["roles:", "  - dev      # since 2019", "  - ops"], &["roles: none"]);
}

#[test]
fn what_cannot_keep_its_layout_is_said_beforehand() {
    // Taking an inherited field out cannot be written beside the alias.
    let rewritten = edit(Notation::Yaml, ACCOUNT, |value| {
        value["session"].as_object_mut().unwrap().remove("shell");
    });
    assert!(rewritten.loses_layout);
    assert!(rewritten.text.contains("quota: 10            # GB"), "the rest stays: {}", rewritten.text);
}

#[test]
fn json_keeps_its_order_and_indentation() {
    let spread = "{\n    \"z\": 1,\n    \"roles\": [\n        \"dev\",\n        \"ops\"\n    ],\n    \"a\": {\"x\": 1, \"y\": 2},\n    \"none\": []\n}\n";
    let json = |change: fn(&mut Value), gone: &[&str], new: &[&str]| {
        let rewritten = edit(Notation::Json, spread, change);
        assert!(!rewritten.loses_layout, "{}", rewritten.text);
        let (was, is) = lines(spread, &rewritten.text);
        assert_eq!(
            (was, is),
            (gone.iter().map(|l| (*l).to_owned()).collect(), new.iter().map(|l| (*l).to_owned()).collect()),
            "{}",
            rewritten.text
        );
    };
    json(|v| v["z"] = json!(2), &["    \"z\": 1,"], &["    \"z\": 2,"]);
    json(|v| v["roles"] = json!(["dev"]), &["        \"dev\",", "        \"ops\""], &["        \"dev\""]);
    json(|v| v["roles"] = json!(["dev", "ops", "qa"]), &["        \"ops\""], &["        \"ops\",", "        \"qa\""]);
    json(|v| v["a"] = json!({"y": 2}), &["    \"a\": {\"x\": 1, \"y\": 2},"], &["    \"a\": {\"y\": 2},"]);
    json(
        |v| v["new"] = json!({"k": [1]}),
        &["    \"none\": []"],
        &["    \"none\": [],", "    \"new\": {", "        \"k\": [", "            1", "        ]", "    }"],
    );
    json(|v| v["none"] = json!(["one"]), &["    \"none\": []"], &["    \"none\": [", "        \"one\"", "    ]"]);
    let compact = edit(Notation::Json, "{\"b\":1,\"a\":[1,2]}", |v| v["c"] = json!([3]));
    assert_eq!(compact.text, "{\"b\":1,\"a\":[1,2],\"c\": [3]}");
}

#[test]
fn a_text_of_its_own_is_written_as_it_is() {
    let live = document(Notation::Yaml, "a: 1\n");
    let own = document(Notation::Yaml, "# theirs\na:   2\n");
    assert_eq!(rewrite(Some(&live), &own, None, Notation::Yaml).unwrap().text, "# theirs\na:   2\n");
    assert_eq!(rewrite(None, &own, None, Notation::Yaml).unwrap().text, "# theirs\na:   2\n");
    assert_eq!(rewrite(None, &own, None, Notation::Json).unwrap().text, "{\n  \"a\": 2\n}\n");
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        (0..3i64).prop_map(Value::from),
        "[a#:\\-\n\"' ,\\[{|]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[ab#]{1,2}", inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn any_edit_of_any_text_means_what_is_expected(live in value(), wanted in value(), json: bool) {
        let notation = if json { Notation::Json } else { Notation::Yaml };
        let wrap = |value: Value| json!({"top": value});
        let (live, wanted) = (wrap(live), wrap(wanted));
        let Some(text) = notation::render(notation, &live) else { return Ok(()) };
        let live = document(notation, &text);
        if let Some(rewritten) = rewrite(Some(&live), &Document::new(wanted.clone()), None, notation) {
            prop_assert!(notation::means(notation, &rewritten.text, &wanted));
        } else {
            prop_assert!(notation::render(notation, &wanted).is_none());
        }
    }
}

const DEPLOYMENT: &str = r#"---
# Managed by the platform team.
apiVersion: apps/v1
kind: Deployment
metadata:
    name: "web"   # also the service's name
    labels: &labels
        app: web
        tier: 'front'
spec:
    replicas: 3
    selector: { matchLabels: *labels }
    template:
        spec:
            containers:
                # the site itself
                - name: web
                  image: registry.example.org/web:1.4.2
                  args: ["--port", "8080",   # plain HTTP
                         "--quiet"]
                  env:
                      - { name: MODE, value: "prod" }
                      - name: BANNER
                        value: >-
                            Hello
                            there

                # ships the log
                - name: log
                  image: registry.example.org/log:0.9
                  command:
                      - /bin/sh
                      - -c
                      - |
                          exec tail -F /log/*   # forever
            volumes: []
...
"#;

#[test]
fn a_deployment_keeps_its_comments() {
    type Change = fn(&mut Value);
    let cases: [(Change, &[&str], &[&str]); 8] = [
        (|v| v["spec"]["replicas"] = json!(5), &["    replicas: 3"], &["    replicas: 5"]),
        (
            |v| *v.pointer_mut("/spec/template/spec/containers/0/image").unwrap() = json!("registry.example.org/web:2"),
            &["                  image: registry.example.org/web:1.4.2"],
            &["                  image: registry.example.org/web:2"],
        ),
        (
            |v| *v.pointer_mut("/spec/template/spec/containers/0/args/1").unwrap() = json!("9090"),
            &["                  args: [\"--port\", \"8080\",   # plain HTTP"],
            &["                  args: [\"--port\", \"9090\",   # plain HTTP"],
        ),
        (
            |v| *v.pointer_mut("/spec/template/spec/containers/0/env/1/value").unwrap() = json!("Bye"),
            &[
                "                        value: >-",
                "                            Hello",
                "                            there",
            ],
            &["                        value: Bye"],
        ),
        (
            |v| *v.pointer_mut("/spec/template/spec/containers/1/command/2").unwrap() = json!("exec true\n"),
            &["                          exec tail -F /log/*   # forever"],
            &["                          exec true"],
        ),
        (
            |v| *v.pointer_mut("/spec/template/spec/volumes").unwrap() = json!([{"name": "data"}]),
            &["            volumes: []"],
            &["            volumes: [{name: data}]"],
        ),
        (|v| v["metadata"]["namespace"] = json!("shop"), &[], &["    namespace: shop"]),
        (
            |v| {
                v.pointer_mut("/spec/template/spec/containers").unwrap().as_array_mut().unwrap().remove(0);
            },
            &[
                "                # the site itself",
                "                - name: web",
                "                  image: registry.example.org/web:1.4.2",
                "                  args: [\"--port\", \"8080\",   # plain HTTP",
                "                         \"--quiet\"]",
                "                  env:",
                "                      - { name: MODE, value: \"prod\" }",
                "                      - name: BANNER",
                "                        value: >-",
                "                            Hello",
                "                            there",
                "",
            ],
            &[],
        ),
    ];
    for (change, gone, new) in cases {
        let rewritten = edit(Notation::Yaml, DEPLOYMENT, change);
        assert!(!rewritten.loses_layout, "{}", rewritten.text);
        let (was, is) = lines(DEPLOYMENT, &rewritten.text);
        assert_eq!(
            (was, is),
            (gone.iter().map(|l| (*l).to_owned()).collect(), new.iter().map(|l| (*l).to_owned()).collect()),
            "{}",
            rewritten.text
        );
    }
}

#[test]
fn an_undo_of_sets_and_keyed_lists_brings_the_text_back_byte_by_byte() {
    let keyed = FieldShape::KeyedList { key: "id".to_owned() };
    let rule = |path: &str, shape| FieldRule { path: path.to_owned(), shape, ..FieldRule::default() };
    let fields = vec![rule("roles", FieldShape::Set), rule("keys", keyed)];
    let schema = KindSchema { fields, ..KindSchema::default() };
    let keys = "keys:\n  - id: k1 # K1\n    v: 1\n  - id: k2 # K2\n    v: 2 # V2\n";
    let restored_keys = json!([{"id": "k2", "v": 5}]);
    let cases = [
        (Notation::Yaml, "roles:\n  - admin # A\n  - staff # S\n".to_owned(), json!({"roles": ["staff"]})),
        (Notation::Yaml, "roles: [b, a, b] # twice\n".to_owned(), json!({"roles": ["a"]})),
        (Notation::Yaml, keys.to_owned(), json!({"keys": restored_keys})),
        (Notation::Json, r#"{"roles":["admin","staff"]}"#.to_owned(), json!({"roles": ["staff", "audit"]})),
    ];
    for (notation, before, restored) in cases {
        let former = document(notation, &before);
        let left = rewrite_by(Some(&former), &Document::new(restored), None, notation, &schema).unwrap().text;
        let live = document(notation, &left);
        // What a way back over single elements ends in: those that went come last.
        let mut value = Value::clone(&former.value);
        value.as_object_mut().unwrap().values_mut().for_each(|list| list.as_array_mut().unwrap().reverse());
        let expected = Document::new(value.clone());
        let origin = Document { source: former.source.clone(), ..Document::new(value) };
        let back = rewrite_by(Some(&live), &expected, Some(&origin), notation, &schema).unwrap();
        assert!(back.is_origin && back.text == before, "by way of {left}: {}", back.text);
        let theirs = if notation == Notation::Json { format!(" {left}") } else { format!("{left}# theirs\n") };
        let edited = document(notation, &theirs);
        let other = rewrite_by(Some(&edited), &expected, Some(&origin), notation, &schema).unwrap();
        assert!(!other.is_origin && other.text != before, "somebody's text is not written over");
        let whole = rewrite_by(Some(&live), &expected, Some(&origin), notation, &KindSchema::default());
        assert!(!whole.unwrap().is_origin || origin.value == former.value, "without a schema the order counts");
    }
}

#[test]
fn numbers_over_64_bits_are_kept_and_written_by_their_text() {
    let wide = "123456789012345678901234567890";
    for notation in [Notation::Yaml, Notation::Json] {
        let text = format!("{{\"n\": {wide}, \"limit\": 1e20, \"huge\": 1e400, \"text\": \"{wide}\", \"b\": 1}}\n");
        let kept = edit(notation, &text, |value| value["b"] = json!(2));
        assert_eq!(kept.text, text.replace("\"b\": 1", "\"b\": 2"));
        let moved = edit(notation, &text, |value| {
            let number = value["n"].take();
            value["b"] = json!({"list": [number.clone(), 1e20]});
            value["n"] = value["text"].clone();
            value["text"] = number;
        });
        let read = document(notation, &moved.text);
        assert_eq!(read.value["b"]["list"][0], document(notation, &text).value["n"], "{}", moved.text);
        assert!(moved.text.contains(&format!("\"n\": \"{wide}\"")), "{}", moved.text);
        assert!(!moved.text.contains('‹'), "{}", moved.text);
    }
    let live = document(Notation::Yaml, &format!("a: 1 # A\nl:\n- {wide}1\n"));
    let backup = document(Notation::Yaml, &format!("a: {wide}\nl:\n- {wide}1\n- {wide}2\n"));
    let restored = rewrite(Some(&live), &Document::new(Value::clone(&backup.value)), Some(&backup), Notation::Yaml);
    assert_eq!(restored.unwrap().text, format!("a: {wide} # A\nl:\n- {wide}1\n- {wide}2\n"));
}

/// A restore of `backup` over `before`, and the way back from what it left, edited by somebody in between.
fn there_and_back(before: &str, backup: &str, meanwhile: impl Fn(String) -> String) -> (String, Rewritten) {
    let [former, wanted] = [before, backup].map(|text| document(Notation::Yaml, text));
    let expected = Document::new(Value::clone(&wanted.value));
    let restored = rewrite(Some(&former), &expected, Some(&wanted), Notation::Yaml).unwrap().text;
    let live = document(Notation::Yaml, &meanwhile(restored.clone()));
    let expected = Document::new(Value::clone(&former.value));
    (restored, rewrite(Some(&live), &expected, Some(&former), Notation::Yaml).unwrap())
}

#[test]
fn an_undo_brings_every_text_back_byte_by_byte() {
    for (before, backup) in [
        ("zip: 01234 # c\nb: 1\n", "zip: \"99999\"\nb: 1\n"),
        ("mode: 0755 # c\nb: 1\n", "mode: 644\nb: 1\n"),
        ("n: 1_000 # c\nb: 1\n", "n: 32\nb: 1\n"),
        ("phone: +491701234567\nversion: 1.10\n", "phone: 1\nversion: 2.5\n"),
        ("serial: 123456789.123456789123\n", "serial: 2\n"),
        ("roles:\n  - read # r\n  # about write\n  - write # w\nb: 1\n", "roles: [read]\nb: 1\n"),
        ("note: # none yet\nb: 1\n", "note: hello\nb: 1\n"),
        ("d: |\n  one\n  two\nb: 1\n", "d: x\nb: 1\n"),
        ("a: &x {p: 1} # shared\nb: *x\n", "a: {p: 2}\nb: {p: 1}\n"),
        ("a: >-\n  folded\n  text\nb: 'x'\n", "a: other\nb: y\n"),
        ("\u{feff}a: 1 # c\r\nb: 2\r\n", "a: 3\nb: 2\nc: 4\n"),
        ("a: 1\nb: 2 # last", "a: 1\n"),
        ("a: 1 # c\r\n", "a: 1\nl:\n  - true\nm: |\n  one\n  two\n"),
    ] {
        let (restored, back) = there_and_back(before, backup, |text| text);
        assert_ne!(restored, before);
        assert_eq!(back.text, before, "by way of {restored}");
        assert!(back.is_origin, "{before}");
    }
}

#[test]
fn what_somebody_wrote_since_stays_and_the_former_values_are_written_as_they_were() {
    let (_, back) = there_and_back("zip: 01234\nv: 1.10\n", "zip: 9\nv: 2\n", |text| format!("# theirs\n{text}"));
    assert_eq!(back.text, "# theirs\nzip: 01234\nv: 1.10\n");
    assert!(!back.is_origin);
}

#[test]
fn what_is_not_planned_keeps_its_bytes() {
    let untouched = "zip: 01234\nmode: 0755\nphone: +49170\nbuild: 1e3\nn: 1_000\n";
    let shared = format!("base: &b {{x: 1}}\nana: *b\nlist:\n  - *b # again\n{untouched}");
    let rewritten = edit(Notation::Yaml, &shared, |value| value["base"]["x"] = json!(9));
    assert_eq!(rewritten.text, format!("base: &b {{x: 9}}\nana: {{x: 1}}\nlist:\n  - {{x: 1}} # again\n{untouched}"));
    let merged = format!("base: &b {{x: 01}}\nana:\n  <<: *b\n  y: 1\n{untouched}");
    let rewritten = edit(Notation::Yaml, &merged, |value| drop(value["ana"].as_object_mut().unwrap().remove("x")));
    assert!(rewritten.text.ends_with(untouched), "{}", rewritten.text);
}

#[test]
fn line_breaks_byte_order_marks_and_ends_stay() {
    let edited = edit(Notation::Yaml, "\u{feff}a: 1\r\nb: [1]\r\n", |value| {
        value["a"] = json!("x");
        value["c"] = json!({"d": [1, 2]});
    });
    assert!(edited.text.starts_with("\u{feff}a: x\r\nb: [1]\r\n"), "{:?}", edited.text);
    assert_eq!(edited.text.matches('\n').count(), edited.text.matches("\r\n").count(), "{:?}", edited.text);
    let open = edit(Notation::Yaml, "a: 1\nb: 2", |value| drop(value.as_object_mut().unwrap().remove("b")));
    assert_eq!(open.text, "a: 1");
    let json = edit(Notation::Json, "\u{feff}{\r\n  \"a\": 1\r\n}", |value| value["b"] = json!(2));
    assert_eq!(json.text, "\u{feff}{\r\n  \"a\": 1,\r\n  \"b\": 2\r\n}");
}
