use super::*;

/// What `before` becomes where the file should mean what `wanted` means.
fn restored(before: &str, wanted: &str, schema: &KindSchema) -> String {
    let [live, wanted] = [before, wanted].map(|text| document(Notation::Yaml, text));
    let expected = Document::new(Value::clone(&wanted.value));
    let rewritten = rewrite_by(Some(&live), &expected, None, Notation::Yaml, schema).unwrap();
    assert!(!rewritten.loses_layout, "{}", rewritten.text);
    rewritten.text
}

#[test]
fn what_is_said_of_a_field_stays_with_it_whatever_its_value() {
    for (before, wanted, after) in [
        ("x:  # about x\n  a: 1 # about a\ny: 2\n", "x: {}\ny: 2", "x: {} # about x\ny: 2\n"),
        ("l:  # about l\n  - 1 # one\n  - 2\ny: 2\n", "l: []\ny: 2", "l: [] # about l\ny: 2\n"),
        ("l: # about l\n- 1 # one\n", "l: []", "l: [] # about l\n"),
        ("x:\n  # of all\n  a: 1 # about a\ny: 2\n", "x: {}\ny: 2", "x: {}\n  # of all\ny: 2\n"),
        ("x:\n  y: # about y\n    a: 1", "x: {y: {}}", "x:\n  y: {} # about y"),
        ("x: # about x\n  a: 1 # about a\ny: 2\n", "x: 5\ny: 2", "x: 5 # about x\ny: 2\n"),
        ("x: # about x\n  a: 1 # about a\ny: 2\n", "x: [5]\ny: 2", "x: # about x\n  - 5\ny: 2\n"),
        ("x: # about x\n  a: 1 # about a\ny: 2\n", "x: {b: 5}\ny: 2", "x: # about x\n  b: 5\ny: 2\n"),
        (
            "owner: ana # the boss\ny: 1\n",
            "owner: {name: ana, uid: 5}\ny: 1",
            "owner: # the boss\n  name: ana\n  uid: 5\ny: 1\n",
        ),
        ("owner: # none yet\ny: 1\n", "owner: {uid: 5}\ny: 1", "owner: # none yet\n  uid: 5\ny: 1\n"),
        ("d: | # text\n  one\n  two\nb: 1\n", "d: [1]\nb: 1", "d: # text\n  - 1\nb: 1\n"),
        ("d: >- # text\n  one\n  two\nb: 1\n", "d: 7\nb: 1", "d: 7 # text\nb: 1\n"),
        ("l:\n- ana # boss\n- b\n", "l: [{name: ana}, b]", "l:\n- name: ana\n- b\n"),
        ("a: 1 # A\n", "b: 2", "b: 2\n"),
    ] {
        assert_eq!(restored(before, wanted, &KindSchema::default()), after, "of {before}");
    }
}

#[test]
fn what_is_said_of_an_entry_is_never_said_of_another() {
    let keyed = FieldRule {
        path: "keys".to_owned(),
        shape: FieldShape::KeyedList { key: "mail".to_owned() },
        ..FieldRule::default()
    };
    let set = FieldRule { path: "roles".to_owned(), shape: FieldShape::Set, ..FieldRule::default() };
    let schema = KindSchema { fields: vec![keyed, set], ..KindSchema::default() };
    for (before, wanted, after) in [
        (
            "keys:\n  - mail: k1 # K1\n    v: 1\n  - mail: k2 # K2\n    v: 2 # V2\n",
            "keys: [{mail: k2, v: 5}]",
            "keys:\n  - mail: k2 # K2\n    v: 5 # V2\n",
        ),
        (
            "keys:\n- mail: k1 # K1\n- mail: k2 # K2\n",
            "keys: [{mail: k2, v: 5}, {mail: k3}]",
            "keys:\n- mail: k2 # K2\n  v: 5\n- mail: k3\n",
        ),
        (
            "keys:\n- mail: k1 # K1\n- mail: k2 # K2\n",
            "keys: [{mail: k3}, {mail: k4}]",
            "keys:\n- mail: k3\n- mail: k4\n",
        ),
        (
            "l:\n  - x: 1 # A\n    y: 1 # AY\n  - x: 2 # B\n    y: 2\n",
            "l: [{x: 2, y: 3}]",
            "l:\n  - x: 2 # B\n    y: 3\n",
        ),
        (
            "l:\n- {id: 1, v: 1} # A\n- {id: 2, v: 1} # B\n",
            "l: [{id: 2, v: 5}, {id: 3, v: 1}]",
            "l:\n- {id: 2, v: 5} # B\n- id: 3\n  v: 1\n",
        ),
        ("l:\n- dev # since 2019\n- ops # O\n", "l: [qa, ops]", "l:\n- qa\n- ops # O\n"),
        ("roles:\n- read # R\n- ops # O\n", "roles: [reads, ops]", "roles:\n- reads\n- ops # O\n"),
        ("l:\n- a # A\n- b # B\n- c # C\n", "l: [c, a, b]", "l:\n- c # C\n- a # A\n- b # B\n"),
        ("l:\n- a # A\n- b # B", "l: [a, x]", "l:\n- a # A\n- x"),
        ("l:\n# one\n- a\n# two\n- b\n\n# end\n", "l: [b]", "l:\n# two\n- b\n\n# end\n"),
        ("l:\n# one\n- a\n# two\n- b\n", "l: [x, a, z]", "l:\n- x\n# one\n- a\n- z\n"),
        ("l:\n# of all\n- a\n- b\n", "l: [b]", "l:\n# of all\n- b\n"),
        ("l:\n- a\n# two\n- b\n", "l: [b, a]", "l:\n# two\n- b\n- a\n"),
        ("# the file\na: 1\n# of b\nb: 2\n# of c\nc: 3\n", "{c: 3}", "# the file\n# of c\nc: 3\n"),
        ("m:\n  a: 1\n  # revoked\n  b: 2\n  c: 3\n", "m: {a: 1, c: 3}", "m:\n  a: 1\n  c: 3\n"),
        ("m:\n  a: 1\n  # section\n\n  b: 2\n  c: 3\n", "m: {a: 1, c: 3}", "m:\n  a: 1\n  # section\n\n  c: 3\n"),
        ("l:\n- - a # A\n  - b # B\n- - c\n", "l: [[b], [c, d]]", "l:\n- - b # B\n- - c\n  - d\n"),
        (
            "l:\n-\n  name: a # A\n- # of b\n  # about b\n  name: b # B\n",
            "l: [{name: b, v: 3}]",
            "l:\n- # of b\n  # about b\n  name: b # B\n  v: 3\n",
        ),
        ("l: [a, # A\n  b] # L\n", "l: [a]", "l: [a, # A\n  ] # L\n"),
        ("l: [a, # A\n  b, # B\n  c # C\n  ]\n", "l: [a, c, d]", "l: [a, # A\n  c, # C\n  d\n  ]\n"),
        ("m: {a: 1, # A\n  b: 2 # B\n  }\n", "m: {a: 1, b: 2, c: 3}", "m: {a: 1, # A\n  b: 2, # B\n  c: 3\n  }\n"),
    ] {
        assert_eq!(restored(before, wanted, &schema), after, "of {before}");
    }
}

#[test]
fn an_entry_without_comments_lends_its_layout() {
    let plain = KindSchema::default();
    assert_eq!(restored("l:\n- 'a'\n- 'b'\n", "l: [c, b]", &plain), "l:\n- 'c'\n- 'b'\n");
    let before = "l:\n- name: 'a' #1\n  v: \"x\"\n";
    assert_eq!(restored(before, "l: [{name: b, v: z}]", &plain), "l:\n- name: b\n  v: z\n");
    assert_eq!(restored("l:\n- name: 'a#1'\n", "l: [{name: b}]", &plain), "l:\n- name: 'b'\n");
}
