use serde_json::{Value, json};

use super::Dotenv;
use crate::document_files::{Rewritten, Syntax, document, rewrite};
use crate::model::{Document, KindSchema};

const WEB: &str = "\
# The web front end
export NAME=web
PORT=8080   # behind the proxy

GREETING=\"Hello, you\"
PATH_PREFIX=/a#b
DB_PASSWORD='pa ss'
GREETING='Hello again'
HOME_OF=${HOME}/web
KEY=\"-----BEGIN-----
AAAA
-----END-----\"
this is no assignment
FROM_OUTSIDE
";

fn read(text: &str) -> Document {
    document(&Dotenv, b"web.env", text.as_bytes()).unwrap()
}

fn value(text: &str) -> Value {
    Value::clone(&read(text).value)
}

fn edit(text: &str, origin: Option<&Document>, change: impl FnOnce(&mut Value)) -> Rewritten {
    let live = read(text);
    let mut wanted = Value::clone(&live.value);
    change(&mut wanted);
    rewrite(&Dotenv, b"web.env", Some(&live), &Document::new(wanted), origin, &KindSchema::default()).unwrap()
}

#[test]
fn values_are_what_all_readers_agree_on() {
    let expected = json!({"NAME": "web", "PORT": "8080", "GREETING": "Hello again", "PATH_PREFIX": "/a#b",
        "DB_PASSWORD": "pa ss", "HOME_OF": "${HOME}/web", "KEY": "-----BEGIN-----\nAAAA\n-----END-----",
        "FROM_OUTSIDE": null});
    assert_eq!(value(WEB), expected);
    assert_eq!(value(&WEB.replace('\n', "\r\n")), expected);
    assert_eq!(Dotenv.not_understood(WEB), ["line 13"]);
    for (text, said) in [
        ("A=", json!("")),
        ("A= # none", json!("")),
        ("A=#x", json!("#x")),
        ("A = b", json!("b")),
        ("  export\tA=b ", json!("b")),
        ("A=\"a#b\" # c", json!("a#b")),
        ("A='$x'", json!("'$x'")),
        ("A=\"a\\\"b\"", json!("\"a\\\"b\"")),
        ("A='\"b\"'", json!("'\"b\"'")),
        ("A=\"a\"b", json!("\"a\"b")),
        ("A=a \\\nb", json!("a \\\nb")),
        ("A=it's", json!("it's")),
    ] {
        assert_eq!(value(text), json!({"A": said}), "{text}");
    }
    assert_eq!(value("A=\"cut off\nB=1\n"), json!({"B": "1"}), "a quote that is never closed swallows nothing");
    assert_eq!(value(""), json!({}));
    for hostile in ["{\"a\": 1}", "a: 1\n", "\0", "=x"] {
        assert!(document(&Dotenv, b"web.env", hostile.as_bytes()).is_err(), "{hostile}");
    }
}

#[test]
fn only_the_lines_that_change_are_written() {
    for breaks in ["\n", "\r\n"] {
        let text = WEB.replace('\n', breaks);
        let edited = edit(&text, None, |value| {
            value["PORT"] = json!("9090");
            value["GREETING"] = json!("It's \"me\"");
            value["FROM_OUTSIDE"] = json!("b c");
            value["KEY"] = json!("one\ntwo");
            value.as_object_mut().unwrap().remove("DB_PASSWORD");
            value["NEW"] = json!("x");
        });
        let expected = WEB
            .replace("8080", "9090")
            .replace("GREETING='Hello again'", "GREETING=It's \"me\"")
            .replace("FROM_OUTSIDE", "FROM_OUTSIDE=\"b c\"")
            .replace("-----BEGIN-----\nAAAA\n-----END-----", "one\ntwo")
            .replace("DB_PASSWORD='pa ss'\n", "");
        assert_eq!(edited.text, (expected + "NEW=x\n").replace('\n', breaks));
    }
    assert_eq!(edit("A=1\nB=2", None, |value| value["C"] = json!("3")).text, "A=1\nB=2\nC=3");
    assert_eq!(edit("A=1\nB=2", None, |value| drop(value.as_object_mut().unwrap().remove("B"))).text, "A=1");
    assert_eq!(edit("A=1\nA=2\n", None, |value| drop(value.as_object_mut().unwrap().remove("A"))).text, "");
    assert_eq!(edit("\u{feff}A=1\n", None, |value| value["A"] = json!("2")).text, "\u{feff}A=2\n");
}

#[test]
fn what_comes_from_the_backup_is_written_as_it_is_there_and_the_way_back_is_exact() {
    let backup = read("export FIRST='a b' # why\nA=1\nSECOND=\"$A\"\nB=2\n");
    let live = "# mine\nA=0\n\n# theirs\nB=2\n";
    let restored = edit(live, Some(&backup), |value| *value = Value::clone(&backup.value));
    assert_eq!(restored.text, "# mine\nexport FIRST='a b' # why\nA=1\nSECOND=\"$A\"\n\n# theirs\nB=2\n");
    let (former, now) = (read(live), read(&restored.text));
    let back = |now: &Document| {
        rewrite(&Dotenv, b"web.env", Some(now), &former, Some(&former), &KindSchema::default()).unwrap()
    };
    assert!(back(&now).text == live && back(&now).is_origin);
}

#[test]
fn what_is_written_by_hand_is_read_back_as_it_was_planned() {
    let by_hand = json!({"PORT": 80, "ON": true, "TEXT": "a \"b\" 'c'", "QUOTED": "\"x\"", "BACK": "a\\nb",
        "LINES": "a\n'b'\"$\"", "EMPTY": "", "OUTSIDE": null, "SPACE": " x ", "HASH": "a #b", "END": "x\\"});
    let normal = Dotenv.normalise(by_hand).unwrap();
    assert_eq!(Dotenv.normalise(normal.clone()).unwrap(), normal);
    assert_eq!(normal["TEXT"], r#""a \"b\" 'c'""#, "a shell would take it for something else without quotes");
    let text = Dotenv.write(b"web.env", &normal).unwrap();
    assert_eq!(value(&text), normal, "{text}");
    for wrong in [json!([]), json!({"A": {"b": 1}}), json!({"A": []}), json!({"A B": "x"}), json!({"": "x"})] {
        assert!(Dotenv.normalise(wrong.clone()).is_err(), "{wrong}");
    }
}

#[test]
fn files_are_told_by_their_names() {
    let stem = |name: &'static str| Dotenv.stem(name.as_bytes()).map(|stem| std::str::from_utf8(stem).unwrap());
    for (name, expected) in [
        ("web.env", Some("web")),
        (".env", Some(".env")),
        (".env.local", Some(".env.local")),
        (".env.swp", None),
        (".env.local~", None),
        (".environment", None),
        (".web.env", None),
        ("web.yaml", None),
    ] {
        assert_eq!(stem(name), expected, "{name}");
    }
    for stem in ["web", ".env", ".env.local"] {
        let name = Dotenv.new_name(stem.as_bytes(), None);
        assert_eq!(Dotenv.stem(&name), Some(stem.as_bytes()));
    }
}
