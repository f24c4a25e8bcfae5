use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::model::{FieldRule, FieldShape, Shown, TreePath};

fn rule(path: &str) -> FieldRule {
    FieldRule { path: path.to_owned(), ..FieldRule::default() }
}

fn account() -> KindSchema {
    let keyed = FieldShape::KeyedList { key: "name".to_owned() };
    let fields = vec![
        FieldRule { shape: FieldShape::Set, ..rule("roles") },
        FieldRule { shape: keyed, ..rule("keys") },
        FieldRule { secret: true, ..rule("keys[].value") },
        FieldRule { ignored: true, ..rule("keys[].seen") },
        FieldRule { secret: true, ..rule("password") },
        FieldRule { shape: FieldShape::Set, ..rule("tokens") },
        FieldRule { secret: true, ..rule("tokens[]") },
        FieldRule { ignored: true, ..rule("status") },
        FieldRule { secret: true, given: true, ..rule("client.secret") },
        FieldRule { needs: vec!["home".to_owned()], ..rule("shell") },
        FieldRule { fidelity: Fidelity::Irreversible, ..rule("seal") },
    ];
    KindSchema { fields, ..KindSchema::default() }
}

fn key() -> DigestKey {
    DigestKey::new([7; 32])
}

fn id() -> ResourceId {
    ResourceId { kind: "document".into(), key: TreePath::new("ana").unwrap() }
}

fn diff(live: &Document, desired: &Document, mode: Mode) -> Option<Change> {
    changes(&id(), Some(live), Some(desired), &account(), mode, &key())
}

fn places(change: &Change) -> Vec<String> {
    change.hunks.iter().map(|hunk| format!("{:?} {}", hunk.op, hunk.place())).collect()
}

fn written(live: &Document, desired: &Document, mode: Mode) -> Value {
    let change = diff(live, desired, mode).unwrap();
    apply(Some(live), Some(desired), &change, &BTreeSet::new(), &account(), mode, &key())
        .unwrap()
        .unwrap()
        .value
        .as_ref()
        .clone()
}

#[test]
fn merge_keeps_what_only_live_has_and_exact_removes_it() {
    let live = Document::new(json!({"mail": "a@x", "nick": "an", "roles": ["dev", "ops"]}));
    let desired = Document::new(json!({"mail": "a@y", "roles": ["admin", "dev"]}));
    let merged = diff(&live, &desired, Mode::Merge).unwrap();
    assert_eq!(places(&merged), ["Update mail", "Create roles[admin]"]);
    assert_eq!(
        written(&live, &desired, Mode::Merge),
        json!({"mail": "a@y", "nick": "an", "roles": ["dev", "ops", "admin"]})
    );
    let exact = diff(&live, &desired, Mode::Exact).unwrap();
    assert_eq!(places(&exact), ["Update mail", "Delete nick", "Create roles[admin]", "Delete roles[ops]"]);
    assert_eq!(written(&live, &desired, Mode::Exact), json!({"mail": "a@y", "roles": ["dev", "admin"]}));
}

#[test]
fn what_only_moved_has_not_changed() {
    let live = Document::new(json!({"roles": ["a", "b"], "keys": [{"name": 1}, {"name": 2}], "list": [1, 2]}));
    let mut desired = Document::new(json!({"roles": ["b", "a"], "keys": [{"name": 2}, {"name": 1}], "list": [1, 2]}));
    assert_eq!(diff(&live, &desired, Mode::Exact), None);
    Arc::make_mut(&mut desired.value)["list"] = json!([2, 1]);
    assert_eq!(places(&diff(&live, &desired, Mode::Exact).unwrap()), ["Update list"]);
}

#[test]
fn no_secret_is_in_a_change_but_its_change_is_seen() {
    let live =
        Document::new(json!({"password": "hunter2", "tokens": ["tok-old"], "keys": [{"name": "k", "value": "v-old"}]}));
    let desired = Document::new(json!({"password": "correct-horse", "tokens": ["tok-new"],
            "keys": [{"name": "k", "value": "v-new"}, {"name": "n", "value": "v-other"}]}));
    let change = diff(&live, &desired, Mode::Exact).unwrap();
    let text = format!("{change:?} {}", serde_json::to_string(&change).unwrap());
    for secret in ["hunter2", "correct-horse", "tok-", "v-old", "v-new", "v-other"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let HunkAt::Field { before: Some(Shown::Secret(before)), after: Some(Shown::Secret(after)), .. } =
        &change.hunks.iter().find(|hunk| hunk.place() == "password").unwrap().at
    else {
        panic!("{change:?}")
    };
    assert_ne!(before, after);
    assert_eq!(written(&live, &desired, Mode::Exact), *desired.value);
}

#[test]
fn a_mask_is_never_written_and_equals_nothing() {
    let masked =
        Document::new(json!({"password": "**********", "mail": "b", "keys": [{"name": "k", "value": "**********"}]}));
    let live = Document::new(json!({"password": "real", "mail": "a"}));
    let change = diff(&live, &masked, Mode::Exact).unwrap();
    assert_eq!(places(&change), ["Create keys[name=k]", "Update mail"]);
    assert!(change.warnings[0].contains("password"), "{:?}", change.warnings);
    assert_eq!(written(&live, &masked, Mode::Exact), json!({"password": "real", "mail": "b", "keys": [{"name": "k"}]}));
    let unmask = diff(&masked, &Document::new(json!({"password": "real"})), Mode::Merge).unwrap();
    assert_eq!(unmask.hunks[0].fidelity, Fidelity::Unreadable);
    let HunkAt::Field { before, after, .. } = &unmask.hunks[0].at else { panic!() };
    assert_eq!(before, &Some(Shown::Masked));
    assert!(matches!(after, Some(Shown::Secret(_))));
}

#[test]
fn what_a_system_gives_by_itself_is_changed_and_never_taken_away() {
    let live = Document::new(json!({"mail": "a", "client": {"secret": "made", "url": "x"}}));
    let without = Document::new(json!({"client": {"url": "x"}}));
    assert_eq!(places(&diff(&live, &without, Mode::Exact).unwrap()), ["Delete mail"]);
    assert_eq!(written(&live, &without, Mode::Exact), json!({"client": {"secret": "made", "url": "x"}}));
    let other = Document::new(json!({"mail": "a", "client": {"secret": "old", "url": "x"}}));
    assert_eq!(places(&diff(&live, &other, Mode::Exact).unwrap()), ["Update client.secret"]);
    assert_eq!(off_the_way(None, &live.value, &json!({"mail": "a", "client": {"url": "x"}}), &account()), None);
}

#[test]
fn what_can_be_given_once_and_be_taken_away_goes_in_exact_alone() {
    let keyed = FieldShape::KeyedList { key: "client".to_owned() };
    let once = FieldRule { create_only: true, removable: true, ..rule("consents[]") };
    let schema =
        KindSchema { fields: vec![FieldRule { shape: keyed, ..rule("consents") }, once], ..KindSchema::default() };
    let live = Document::new(json!({"consents": [{"client": "a", "scopes": ["x"]}, {"client": "b"}]}));
    let desired = Document::new(json!({"consents": [{"client": "a", "scopes": ["y"]}, {"client": "c"}]}));
    let of = |mode| changes(&id(), Some(&live), Some(&desired), &schema, mode, &key());
    assert!(of(Mode::Merge).is_none_or(|change| change.hunks.is_empty()));
    assert_eq!(places(&of(Mode::Exact).unwrap()), ["Delete consents[client=b]"]);
}

#[test]
fn ignored_fields_are_neither_compared_nor_touched() {
    let live = Document::new(json!({"status": 1, "keys": [{"name": "k", "seen": 3, "x": 1}]}));
    let mut desired = Document::new(json!({"status": 2, "keys": [{"name": "k", "seen": 9, "x": 1}]}));
    assert_eq!(diff(&live, &desired, Mode::Exact), None);
    Arc::make_mut(&mut desired.value)["keys"][0]["x"] = json!(2);
    assert_eq!(written(&live, &desired, Mode::Exact), json!({"status": 1, "keys": [{"name": "k", "seen": 3, "x": 2}]}));
}

#[test]
fn a_new_document_can_leave_one_role_out() {
    let desired =
        Document { source: Some("text".into()), ..Document::new(json!({"roles": ["a", "b"], "home": {"path": "/h"}})) };
    let schema = account();
    let change = changes(&id(), None, Some(&desired), &schema, Mode::Merge, &key()).unwrap();
    assert_eq!(places(&change), ["Create home.path", "Create roles[a]", "Create roles[b]"]);
    let of = |left: &[u32]| {
        apply(None, Some(&desired), &change, &left.iter().copied().collect(), &schema, Mode::Merge, &key()).unwrap()
    };
    assert_eq!(*of(&[1]).unwrap().value, json!({"home": {"path": "/h"}, "roles": ["b"]}));
    assert_eq!(of(&[]).unwrap().source.as_deref(), Some("text"), "all of it is the backup's own text");
    assert!(of(&[1]).unwrap().source.is_none());
    assert!(of(&[0, 1, 2]).is_none());
}

#[test]
fn deleting_is_one_hunk_and_only_in_exact_mode() {
    let live = Document::new(json!({"a": 1, "password": "hunter2"}));
    assert_eq!(changes(&id(), Some(&live), None, &account(), Mode::Merge, &key()), None);
    let change = changes(&id(), Some(&live), None, &account(), Mode::Exact, &key()).unwrap();
    assert_eq!((change.op, change.hunks.len()), (Op::Delete, 1));
    assert!(!format!("{change:?}").contains("hunter2"));
    let gone = apply(Some(&live), None, &change, &BTreeSet::new(), &account(), Mode::Exact, &key()).unwrap();
    assert!(gone.is_none());
}

#[test]
fn a_field_names_the_fields_it_needs() {
    let live = Document::new(json!({}));
    let desired = Document::new(json!({"shell": "/bin/zsh", "home": {"path": "/h", "quota": 1}, "seal": 1}));
    let change = diff(&live, &desired, Mode::Merge).unwrap();
    assert_eq!(places(&change), ["Create home.path", "Create home.quota", "Create seal", "Create shell"]);
    assert_eq!(change.hunks[3].needs, [0, 1]);
    assert_eq!(change.hunks[2].fidelity, Fidelity::Irreversible);
}

#[test]
fn a_change_of_other_documents_is_refused() {
    let (live, desired) = (Document::new(json!({"a": 1})), Document::new(json!({"a": 2})));
    let change = diff(&live, &desired, Mode::Merge).unwrap();
    let moved = Document::new(json!({"a": 3}));
    let refused = apply(Some(&moved), Some(&desired), &change, &BTreeSet::new(), &account(), Mode::Merge, &key());
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Conflict);
}

#[test]
fn a_list_that_is_not_keyed_after_all_is_one_value() {
    let live = Document::new(json!({"keys": [{"name": "a"}, {"name": "a"}]}));
    let desired = Document::new(json!({"keys": [{"name": "a"}, 3]}));
    assert_eq!(places(&diff(&live, &desired, Mode::Merge).unwrap()), ["Update keys"]);
    assert_eq!(written(&live, &desired, Mode::Merge), *desired.value);
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..3i64).prop_map(Value::from),
        "[ab]{0,2}".prop_map(Value::from),
        Just(Value::from("**********")),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            fields(inner).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn fields(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Vec<(String, Value)>> {
    const NAMES: &[&str] =
        &["roles", "keys", "name", "value", "seen", "password", "tokens", "status", "shell", "home", "x"];
    let name = proptest::sample::select(NAMES).prop_map(str::to_owned);
    proptest::collection::vec((name, inner), 0..5)
}

fn document() -> impl Strategy<Value = Document> {
    let element = (0..3i64, value()).prop_map(|(name, value)| json!({"name": name, "value": value, "seen": value}));
    let keys = proptest::collection::vec(element, 0..4).prop_map(Value::from);
    let roles = proptest::collection::vec(value(), 0..4).prop_map(Value::from);
    (fields(value()), proptest::option::of(keys), proptest::option::of(roles)).prop_map(|(fields, keys, roles)| {
        let mut object: serde_json::Map<String, Value> = fields.into_iter().collect();
        object.extend(keys.map(|keys| ("keys".to_owned(), keys)));
        object.extend(roles.map(|roles| ("roles".to_owned(), roles)));
        Document::new(Value::Object(object))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn applying_all_leaves_no_difference_and_applying_none_leaves_live(
        live in proptest::option::of(document()), desired in document(), exact: bool, pick: usize
    ) {
        let mode = if exact { Mode::Exact } else { Mode::Merge };
        let schema = account();
        let diff = |live: Option<&Document>| changes(&id(), live, Some(&desired), &schema, mode, &key());
        if let Some(change) = diff(live.as_ref()) {
            let taking = |left: &BTreeSet<u32>| {
                apply(live.as_ref(), Some(&desired), &change, left, &schema, mode, &key()).unwrap()
            };
            let all = taking(&BTreeSet::new());
            prop_assert_eq!(diff(all.as_ref()), None);
            let every: BTreeSet<u32> = (0..change.hunks.len() as u32).collect();
            prop_assert_eq!(taking(&every).map(|document| document.value), live.as_ref().map(|live| live.value.clone()));
            let left = pick % change.hunks.len();
            let rest = diff(taking(&BTreeSet::from([left as u32])).as_ref());
            let rest = rest.map(|change| change.hunks).unwrap_or_default();
            prop_assert_eq!(rest.len(), 1);
            prop_assert_eq!(&rest[0].at, &change.hunks[left].at);
        }
    }
}

#[test]
fn deep_documents_do_not_overflow_the_stack() {
    let deep = |leaf: i64| Document::new((0..128).fold(json!(leaf), |inner, _| json!({"x": inner})));
    let change = diff(&deep(1), &deep(2), Mode::Exact).unwrap();
    assert_eq!(change.hunks.len(), 1);
    assert_eq!(written(&deep(1), &deep(2), Mode::Exact), *deep(2).value);
}

#[test]
fn long_lists_are_applied_in_one_go() {
    let keys = |from: i64, to: i64, value: &str| -> Value {
        let element = |name| json!({"name": name, "value": value});
        (from..to).rev().map(element).collect::<Vec<_>>().into()
    };
    let roles = |from: i64, to: i64| -> Value { (from..to).collect::<Vec<_>>().into() };
    let live = Document::new(json!({"keys": keys(0, 20_000, "a"), "roles": roles(0, 20_000)}));
    let desired = Document::new(json!({"keys": keys(10_000, 30_000, "b"), "roles": roles(10_000, 30_000)}));
    assert_eq!(diff(&live, &desired, Mode::Exact).unwrap().hunks.len(), 50_000);
    let made = Document::new(written(&live, &desired, Mode::Exact));
    assert_eq!(diff(&made, &desired, Mode::Exact), None);
}

#[test]
fn what_only_a_new_document_can_be_given_is_named_on_one_that_is_there() {
    let schema = KindSchema {
        fields: vec![
            FieldRule { create_only: true, ..rule("born") },
            FieldRule { create_only: true, ..rule("grants") },
        ],
        ..KindSchema::default()
    };
    let live = Document::new(json!({"mail": "a@x", "born": 1}));
    let desired = Document::new(json!({"mail": "a@y", "born": 2, "grants": {"app": ["read"]}}));
    let change = changes(&id(), Some(&live), Some(&desired), &schema, Mode::Exact, &key()).unwrap();
    assert_eq!(places(&change), ["Update mail"]);
    assert_eq!(change.warnings, ["can be set only where it is created, so left as it is: born, grants"]);
    let written = apply(Some(&live), Some(&desired), &change, &BTreeSet::new(), &schema, Mode::Exact, &key()).unwrap();
    assert_eq!(*written.unwrap().value, json!({"mail": "a@y", "born": 1}));
    let created = changes(&id(), None, Some(&desired), &schema, Mode::Merge, &key()).unwrap();
    assert_eq!(places(&created), ["Create born", "Create grants.app", "Create mail"]);
}

#[test]
fn what_is_new_may_be_of_another_fidelity_than_what_replaces() {
    let keyed = FieldShape::KeyedList { key: "name".to_owned() };
    let irreversible =
        FieldRule { fidelity: Fidelity::Irreversible, created: Some(Fidelity::Exact), ..rule("keys[].made") };
    let schema =
        KindSchema { fields: vec![FieldRule { shape: keyed, ..rule("keys") }, irreversible], ..KindSchema::default() };
    let live = Document::new(json!({"keys": [{"name": "a", "made": 1}]}));
    let desired = Document::new(json!({"keys": [{"name": "a", "made": 2}, {"name": "b", "made": 1}]}));
    let change = changes(&id(), Some(&live), Some(&desired), &schema, Mode::Merge, &key()).unwrap();
    let seen: Vec<(Op, Fidelity)> = change.hunks.iter().map(|hunk| (hunk.op, hunk.fidelity)).collect();
    assert_eq!(seen, [(Op::Update, Fidelity::Irreversible), (Op::Create, Fidelity::Exact)]);
}

#[test]
fn a_difference_that_means_something_beside_others_alone_is_named_and_is_no_change() {
    let id = FieldRule { path: "id".to_owned(), alone: Some("it is another".to_owned()), ..FieldRule::default() };
    let schema = KindSchema { fields: vec![id], ..KindSchema::default() };
    let of = |value: Value| Document::new(value);
    let (live, alike) = (of(json!({"id": "1", "mail": "a", "own": true})), of(json!({"id": "2", "mail": "a"})));
    let other = of(json!({"id": "2", "mail": "b"}));
    let name = ResourceId { kind: "user".into(), key: TreePath::new("users/ana").unwrap() };
    let change = |desired: &Document, mode| changes(&name, Some(&live), Some(desired), &schema, mode, &key());
    let left = |desired: &Document, mode| left_alone(&name, Some(&live), Some(desired), &schema, mode);
    assert_eq!(change(&alike, Mode::Merge), None);
    assert_eq!(left(&alike, Mode::Merge).as_deref(), Some("left as it is: id of user users/ana: it is another"));
    for (desired, mode) in [(&alike, Mode::Exact), (&other, Mode::Merge)] {
        assert_eq!(change(desired, mode).map(|change| change.hunks.len()), Some(2));
        assert_eq!(left(desired, mode), None);
    }
    assert_eq!(left(&live, Mode::Exact), None);
    let created = changes(&name, None, Some(&alike), &schema, Mode::Merge, &key());
    assert_eq!(created.map(|change| change.hunks.len()), Some(2));
}

#[test]
fn a_document_that_lacks_what_the_system_always_gives_says_nothing_by_what_it_lacks() {
    let keyed = FieldShape::KeyedList { key: "name".to_owned() };
    let fields = vec![FieldRule { given: true, ..rule("on") }, FieldRule { shape: keyed, ..rule("mappers") }];
    let schema = KindSchema { fields, fills_in: true, ..KindSchema::default() };
    let mapper = |name: &str| json!({"name": name, "filled": true});
    let live = Document::new(json!({"on": true, "level": 3, "map": {"a": "1"}, "mappers": [mapper("m"), mapper("x")]}));
    let places = |desired: &Value| -> Vec<String> {
        let desired = Document::new(desired.clone());
        let change = changes(&id(), Some(&live), Some(&desired), &schema, Mode::Exact, &key());
        let Some(change) = change else { return Vec::new() };
        let made = apply(Some(&live), Some(&desired), &change, &BTreeSet::new(), &schema, Mode::Exact, &key());
        assert!(made.is_ok());
        change.hunks.iter().map(|hunk| format!("{:?} {}", hunk.op, hunk.place())).collect()
    };
    let short = json!({"map": {}, "mappers": [{"name": "m"}]});
    assert_eq!(places(&short), ["Delete mappers[name=x]"]);
    let mut whole = short;
    whole["on"] = json!(true);
    assert_eq!(
        places(&whole),
        ["Delete level", "Delete map.a", "Delete mappers[name=m].filled", "Delete mappers[name=x]"]
    );
}
