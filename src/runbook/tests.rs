use std::collections::BTreeMap;

use super::*;
use crate::model::{Error, ErrorKind, Owner, OwnerSet, Result, TreePath};

fn nothing_to_include(path: &str) -> Result<String> {
    Err(Error::new(ErrorKind::NotFound, format!("read {path}"), "no such file"))
}

fn read(text: &str) -> Runbook {
    match Runbook::parse("test.yaml", text, &nothing_to_include) {
        Ok((runbook, _)) => runbook,
        Err(findings) => panic!("{findings}"),
    }
}

fn found(text: &str) -> String {
    match Runbook::parse("test.yaml", text, &nothing_to_include) {
        Ok((_, findings)) => findings.to_string(),
        Err(findings) => findings.to_string(),
    }
}

fn inputs(runbook: &Runbook, given: &[(&str, &str)]) -> Inputs {
    let flags: Vec<(String, String)> = given.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let given = Given { flags: &flags, file: &BTreeMap::new(), environment: &|_| None };
    Inputs::gather(&runbook.inputs, &given).unwrap()
}

fn owner(name: &str) -> Owner {
    Owner { set: "user".into(), name: name.into() }
}

const HOMES: &str = include_str!("../../runbooks/homes-from-restic.yaml");

#[test]
fn shipped_runbooks_have_no_findings() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks");
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() > 5);
    for file in files {
        assert_eq!(found(&std::fs::read_to_string(&file).unwrap()), "", "{}", file.display());
    }
}

#[test]
fn a_home_is_restored_to_its_owners_place() {
    let runbook = read(HOMES);
    let inputs = inputs(&runbook, &[("repository", "/srv/backup")]);
    let owners = [OwnerSet::new("user", vec!["ana".into(), "bob".into()])];
    let (steps, sets) = runbook.header(&inputs, &owners).unwrap();
    assert_eq!(steps[1].needs, [0]);
    assert_eq!(steps[1].about, "restore homes from home-backup, below home/${user}");
    assert_eq!(sets[0].names, ["ana", "bob"]);
    let TaskWork::Restore { scope, .. } = runbook.task(1, Some(&owner("ana")), &inputs, &|_| None).unwrap().work else {
        panic!("not a restore")
    };
    assert_eq!(scope.below, TreePath::new("home/ana").unwrap());
    assert_eq!(scope.to, TreePath::new("ana").unwrap());
    let TaskWork::Restore { scope, .. } = runbook.task(0, Some(&owner("ana")), &inputs, &|_| None).unwrap().work else {
        panic!("not a restore")
    };
    assert!(scope.to.is_root());
}

#[test]
fn an_owners_name_cannot_lead_out_of_its_place() {
    let runbook = read(HOMES);
    let inputs = inputs(&runbook, &[("repository", "/srv/backup")]);
    for hostile in ["", ".", "..", "a/b", "../root", "a\0"] {
        let owners = [OwnerSet::new("user", vec!["ana".into(), hostile.into()])];
        let (_, walked) = runbook.header(&inputs, &owners).unwrap();
        assert_eq!(walked[0].names, ["ana"], "{hostile:?}: the others go on without it");
        assert_eq!(walked[0].unusable.len(), 1, "{hostile:?}: and it is told of");
        assert!(runbook.task(1, Some(&owner(hostile)), &inputs, &|_| None).is_err(), "{hostile:?}");
    }
}

#[test]
fn an_empty_input_does_not_shorten_a_path() {
    let runbook = read(HOMES);
    let inputs = inputs(&runbook, &[("repository", "/r"), ("backup_homes", "")]);
    assert_eq!(runbook.task(1, Some(&owner("ana")), &inputs, &|_| None).unwrap_err().kind(), ErrorKind::Refused);
}

const STEPS: &str = "rekindle: 1\ncomponents: { homes: { files: /home } }\nsteps:\n";

#[test]
fn steps_are_put_behind_what_they_need() {
    let runbook = read(&format!(
        "{STEPS}  - {{ id: b, needs: [c], check: {{ file: x }} }}\n  - {{ id: a, check: {{ file: x }} }}\n  - {{ id: c, run: [\"true\"] }}\n"
    ));
    let ids: Vec<&str> = runbook.steps.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(ids, ["a", "c", "b"]);
    assert_eq!(runbook.needs, [vec![], vec![], vec![1]]);
}

#[test]
fn a_circle_is_shown_as_it_goes_round() {
    let found = found(&format!(
        "{STEPS}  - {{ id: a, needs: [b], check: {{ file: x }} }}\n  - {{ id: b, needs: [a], check: {{ file: x }} }}\n"
    ));
    assert!(found.contains("test.yaml:4:22: error: these steps need one another: a → b → a"), "{found}");
}

#[test]
fn a_variable_never_reaches_a_shell_and_stays_one_argument() {
    let script = "inputs: { x: {} }\n";
    let text = |step: &str| format!("{script}{STEPS}  - {step}\n  - {{ id: see, check: {{ file: x }} }}\n");
    let refused = found(&text("{ id: a, shell: true, run: 'echo ${x}' }"));
    assert!(refused.contains("'${…}' never reaches a shell by itself"), "{refused}");
    let runbook = read(&text("{ id: a, run: [echo, \"${x}\"] }"));
    let inputs = inputs(&runbook, &[("x", "a; rm -rf / 'b")]);
    let TaskWork::Run { program, .. } = runbook.task(0, None, &inputs, &|_| None).unwrap().work else {
        panic!("not a run")
    };
    assert_eq!(program, Program::Argv(vec!["echo".into(), "a; rm -rf / 'b".into()]));
}

#[test]
fn alias_bombs_and_deep_nesting_are_refused_quickly() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let below = format!("*a{}, ", level - 1).repeat(9);
        bomb.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    assert!(found(&bomb).contains("not YAML"), "{}", found(&bomb));
    assert!(found(&"[".repeat(100_000)).contains("not YAML"));
    assert!(found(&"x".repeat(5 * 1024 * 1024)).contains("larger than 4 MB"));
}

#[test]
fn included_steps_are_prefixed_and_kept_in_one_text() {
    let outer =
        format!("{STEPS}  - {{ include: part.yaml }}\n  - {{ id: last, needs: [part], check: {{ file: x }} }}\n");
    let part = "rekindle: 1\nsteps: [{ id: one, run: [\"true\"] }, { id: two, needs: [one], run: [\"true\"] }]\n";
    let load = |path: &str| if path == "part.yaml" { Ok(part.to_owned()) } else { nothing_to_include(path) };
    let (runbook, _) = Runbook::parse("dir/test.yaml", &outer, &load).unwrap();
    let again = read(&runbook.text);
    for runbook in [runbook, again] {
        let ids: Vec<&str> = runbook.steps.iter().map(|step| step.id.as_str()).collect();
        assert_eq!(ids, ["part.one", "part.two", "last"]);
        assert_eq!(runbook.needs, [vec![], vec![0], vec![0, 1]]);
    }
}

#[test]
fn an_include_cannot_leave_the_runbooks_folder_or_go_in_circles() {
    for path in ["/etc/passwd", "../secret.yaml"] {
        let found = found(&format!("{STEPS}  - {{ include: {path} }}\n"));
        assert!(found.contains("cannot include"), "{found}");
    }
    let circle = |_: &str| Ok("rekindle: 1\nsteps: [{ include: a.yaml }]\n".to_owned());
    let findings = Runbook::parse("test.yaml", &format!("{STEPS}  - {{ include: a.yaml }}\n"), &circle).unwrap_err();
    assert!(findings.to_string().contains("it includes itself: a.yaml → a.yaml"), "{findings}");
}

/// Each broken runbook with what lint draws for it.
#[test]
fn broken_runbooks_are_drawn() {
    let with = |steps: &str| {
        format!(
            "rekindle: 2\nsources: {{ b: {{ tar: /b.tar }} }}\ncomponents: {{ homes: {{ files: /home }} }}\nowners: {{ user: {{ from: b }} }}\nsteps:\n{steps}"
        )
    };
    let cases = [
        ("not_yaml", "rekindle: 1\nsteps: [a, b\n".to_owned()),
        ("duplicate_key", "rekindle: 1\ntitle: a\ntitle: b\nsteps: []\n".to_owned()),
        ("empty_file", String::new()),
        ("unknown_version", with("  - { id: a, run: [id] }").replace("rekindle: 2", "rekindle: 9")),
        ("unknown_key", with("  - { id: a, restore: homes, from: b, mod: exact }")),
        ("unknown_action", with("  - { id: a, restor: homes, from: b }")),
        ("two_actions", with("  - { id: a, run: [id], check: { file: x } }")),
        ("unknown_names", with("  - { id: a, each: users, restore: home, from: c, needs: [z] }")),
        ("unknown_variable", with("  - { id: a, restore: homes, from: b, below: \"${user}/${x}\" }")),
        ("duplicate_id", with("  - { id: a, run: [id] }\n  - { id: a, run: [id] }")),
        (
            "circle",
            with(
                "  - { id: a, needs: [c], run: [id] }\n  - { id: b, needs: [a], run: [id] }\n  - { id: c, needs: [b], run: [id] }",
            ),
        ),
        ("wrong_types", with("  - { id: [a], needs: b, run: { x: y }, shell: perhaps }")),
        ("bad_mode", with("  - { id: a, restore: homes, from: b, mode: exakt }")),
        ("bad_duration", with("  - { id: a, run: [id], deadline: 10 }")),
        ("empty_steps", with("  []")),
        ("empty_step", with("  -\n  - {}")),
        (
            "password_in_runbook",
            with("  - { id: a, run: [id] }").replace("tar: /b.tar", "restic: /r, password: hunter2"),
        ),
        ("same_place_for_all", with("  - { id: a, each: user, restore: homes, from: b, below: home, to: all }")),
        (
            "no_order",
            with(
                "  - { id: a, each: user, restore: homes, from: b, below: \"${user}\" }\n  - { id: b, needs: [], restore: homes, from: b, to: ana }",
            ),
        ),
        (
            "secret_shown",
            with("  - { id: a, run: [echo, \"${s}\"] }")
                .replace("owners:", "inputs: { s: { secret: true, default: x } }\nowners:"),
        ),
        ("hostile_text", with("  - { id: a, run: [id], \"\u{202e}evil\": 1 }")),
    ];
    for (name, text) in cases {
        let findings = match Runbook::parse("runbook.yaml", &text, &nothing_to_include) {
            Ok((_, findings)) => findings,
            Err(findings) => *findings,
        };
        assert!(!findings.is_empty(), "{name} has no findings");
        insta::assert_snapshot!(name, findings.draw(Drawing::Plain, 100));
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(256))]
    #[test]
    fn no_bytes_make_reading_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
        let text = String::from_utf8_lossy(&bytes);
        let found = Runbook::parse("x", &text, &nothing_to_include).map_or_else(|findings| *findings, |(_, findings)| findings);
        found.draw(Drawing::Plain, 80);
    }

    #[test]
    fn no_cut_or_mixed_runbook_makes_reading_panic(at in 0..HOMES.len(), insert in "[\\[\\]{}:,&*!|>'\"%@`#\\-? \n\t$a-z\u{1b}\u{202e}é]{0,6}") {
        let (before, after) = HOMES.split_at(at);
        let text = format!("{before}{insert}{}", after.get(insert.len()..).unwrap_or(""));
        let found = Runbook::parse("x", &text, &nothing_to_include).map_or_else(|findings| *findings, |(_, findings)| findings);
        found.draw(Drawing::Plain, 80);
    }
}

const REALM: &str = "rekindle: 1
sources: { b: { directory: /b, format: keycloak-export } }
components:
  kc: { keycloak: https://id.example.org, realm: staff, login: LOGIN }
owners: { user: { from: b, kind: user } }
steps:
  - { id: a, each: user, restore: kc, from: b, below: \"users/${user}\" }
";

#[test]
fn a_realms_things_have_the_same_place_on_both_sides() {
    let runbook = read(&REALM.replace("LOGIN", "{ client: me, secret: { env: S } }"));
    let inputs = inputs(&runbook, &[]);
    let TaskWork::Restore { scope, .. } = runbook.task(0, Some(&owner("ana")), &inputs, &|_| None).unwrap().work else {
        panic!("not a restore")
    };
    assert_eq!((scope.to, scope.below), (TreePath::new("users/ana").unwrap(), TreePath::new("users/ana").unwrap()));
}

#[test]
fn a_login_is_a_persons_or_a_clients() {
    let with = |login: &str| found(&REALM.replace("LOGIN", login));
    assert_eq!(with("{ realm: master, user: admin, password: { env: P } }"), "");
    for wrong in [
        "{ client: me }",
        "{ user: me, secret: { env: S } }",
        "{ secret: { env: S } }",
        "{ client: me, secret: { env: S }, password: { env: P } }",
    ] {
        let findings = with(wrong);
        assert!(findings.contains("a login needs a user with a password, or a client with a secret"), "{findings}");
    }
    assert!(with("{ client: me, secret: hunter2 }").contains("does not belong into a runbook"));
    let findings = with("{ client: me, secret: { input: nothing } }");
    assert!(findings.contains("nothing"), "{findings}");
}

const COMMAND: &str = "rekindle: 1
sources: { a: { directory: /a } }
owners: { user: { from: a } }
steps:
  - { id: x, each: user, run: COMMAND }
";

#[test]
fn an_owners_name_is_no_code_and_a_run_that_began_with_one_can_still_be_undone() {
    let text = COMMAND.replace("COMMAND", "[env, sh, -ec, \"echo ${user}\"]");
    assert!(found(&text).contains("would be run as code"), "{}", found(&text));
    let (runbook, _) = Runbook::parse_recorded("test.yaml", &text).unwrap();
    let refused = runbook.task(0, Some(&owner("$(id)")), &inputs(&runbook, &[]), &|_| None).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused);
    assert_eq!(found(&COMMAND.replace("COMMAND", "[sh, -c, 'echo \"$1\"', sh, \"${user}\"]")), "");
}

#[test]
fn a_login_over_http_is_warned_of() {
    let with = |url: &str| {
        found(&REALM.replace("https://id.example.org", url).replace("LOGIN", "{ client: me, secret: { env: S } }"))
    };
    assert!(with("\"http://id.example.org\"").contains("http:"));
    assert_eq!(with("\"http://127.0.0.1:8080\""), "");
}

#[test]
fn a_path_means_the_same_however_its_slashes_are_written() {
    let text = "rekindle: 1\ninputs: { below: { about: x } }\nsources: { a: { directory: /a } }\n\
                components: { homes: { files: /home } }\nowners: { user: { from: a, below: \"${below}\" } }\n\
                steps: [ { id: x, each: user, restore: homes, from: a, below: \"${below}/${user}\" } ]\n";
    let runbook = read(text);
    for below in ["home", "home/", "/home", "./home", "home//", "/home/", "././home/."] {
        let inputs = inputs(&runbook, &[("below", below)]);
        let TaskWork::Restore { scope, .. } = runbook.task(0, Some(&owner("ana")), &inputs, &|_| None).unwrap().work
        else {
            panic!("no restore")
        };
        assert_eq!(scope.below, TreePath::new("home/ana").unwrap(), "{below}");
    }
    for out in ["..", "home/../..", "/.."] {
        assert!(
            runbook.task(0, Some(&owner("ana")), &inputs(&runbook, &[("below", out)]), &|_| None).is_err(),
            "{out}"
        );
    }
}

#[test]
fn a_variable_that_needs_quotes_is_pointed_at() {
    let findings = found("rekindle: 1\nsources: { a: { tar: ${root}/x } }\nsteps: [ { id: x, run: [id] } ]\n");
    assert!(findings.starts_with("test.yaml:2:22: error"), "{findings}");
}

#[test]
fn owners_go_by_name_or_by_number_where_the_source_has_both() {
    let by = |source: &str| {
        let text = format!("rekindle: 1\nsources: {{ s: {{ {source} }} }}\nsteps: [ {{ id: a, run: [\"true\"] }} ]\n");
        read(&text).sources[0].given.word("owners").map(str::to_owned)
    };
    assert_eq!(by("tar: /a.tar"), None);
    assert_eq!(by("restic: /r, owners: numbers").as_deref(), Some("numbers"));
    assert_eq!(by("directory: /d, owners: numbers").as_deref(), Some("numbers"));
    let wrong = |sources: &str, components: &str| {
        found(&format!(
            "rekindle: 1\nsources: {{ s: {{ {sources} }} }}\ncomponents: {{ c: {{ {components} }} }}\n\
             steps: [ {{ id: a, run: [\"true\"] }} ]\n"
        ))
    };
    assert!(wrong("tar: /a.tar, owners: name", "files: /d").contains("cannot be 'name'"));
    assert!(wrong("directory: /d, owners: names", "files: /d").contains("no names"));
    assert!(wrong("tar: /a.tar", "files: /d, owners: names").contains("a key of the source"));
}

#[test]
fn a_key_that_belongs_elsewhere_is_told_where() {
    let text = |source: &str, component: &str| {
        format!(
            "rekindle: 1\nsources: {{ s: {{ {source} }} }}\ncomponents: {{ c: {{ {component} }} }}\n\
             steps: [ {{ id: a, restore: c, from: s }} ]\n"
        )
    };
    let told = found(&text("directory: /d, export: x", "files: /d"));
    assert!(told.contains("warning: 'export' says nothing here: it is a key of the format keycloak-export"), "{told}");
    let told = found(&text("directory: /d, snapshot: latest", "files: /d"));
    assert!(told.contains("error: a source knows no key 'snapshot'"), "{told}");
    let told = found(&text("directory: /d", "files: /d, snapshot: latest"));
    assert!(told.contains("error: 'snapshot' is a key of the source that is restored from"), "{told}");
    assert_eq!(found(&text("directory: /d, format: documents, owner: spec.user", "documents: /d, owner: x")), "");
}

#[test]
fn steps_of_format_2_follow_one_another_and_those_of_format_1_say_that_they_do_not() {
    let steps = "  - { id: a, check: { file: x } }\n  - { id: b, check: { file: x } }\n  \
                 - { id: c, needs: [], check: { file: x } }\n  - { id: d, needs: [a], check: { file: x } }\n";
    let two = read(&format!("{STEPS}{steps}").replace("rekindle: 1", "rekindle: 2"));
    assert_eq!(two.needs, [vec![], vec![0], vec![], vec![0]]);
    let text = format!("{STEPS}{steps}");
    assert_eq!(read(&text).needs, [vec![], vec![], vec![], vec![0]]);
    let found = found(&text);
    assert_eq!(found, "test.yaml:5:11: warning: 'b' does not wait for 'a', which is written before it\n");
}

#[test]
fn an_included_file_stands_in_the_written_order_and_runs_alone() {
    let outer = format!(
        "{STEPS}  - {{ id: first, check: {{ file: x }} }}\n  - {{ include: part.yaml }}\n  - {{ id: last, check: {{ file: x }} }}\n"
    )
    .replace("rekindle: 1", "rekindle: 2");
    let part = "rekindle: 2\ncomponents: { homes: { files: /srv } }\n\
                steps: [{ id: one, check: { file: x } }, { id: two, check: { file: x }, when: { step: one, is: done } }]\n";
    assert_eq!(found(part), "");
    let load = |path: &str| if path == "part.yaml" { Ok(part.to_owned()) } else { nothing_to_include(path) };
    let (runbook, findings) = Runbook::parse("test.yaml", &outer, &load).unwrap();
    assert_eq!(findings.to_string(), "");
    assert_eq!(runbook.needs, [vec![], vec![0], vec![0, 1], vec![1, 2]]);
    let condition = runbook.condition(2, None, &inputs(&runbook, &[]), &|_| None).unwrap().unwrap();
    assert_eq!(
        condition.condition,
        crate::model::Condition::Step { step: 1, is: vec![crate::model::TaskStatus::Done] }
    );
}

#[test]
fn what_a_condition_or_a_policy_gets_wrong_is_pointed_at() {
    let with = |more: &str| {
        found(&format!(
            "rekindle: 2\ninputs: {{ x: {{ default: a }}, s: {{ secret: true }} }}\ncomponents: {{ homes: {{ files: /home }} }}\n\
             steps:\n  - {{ id: first, run: [echo, \"${{x}}\"], env: {{ S: \"${{s}}\" }} }}\n  - {{ id: b, check: {{ file: x }}, {more} }}\n"
        ))
    };
    assert_eq!(with("when: [{ input: x, is: a }, { any: [{ step: first, is: [done, unchanged] }] }]"), "");
    for (wrong, message) in [
        ("when: { input: y, is: a }", "there is no input 'y'"),
        ("when: { input: s, is: a }", "would show the secret 's'"),
        ("when: { step: z, is: done }", "there is no step 'z'"),
        ("when: { step: first, is: finished }", "no step ends as 'finished'"),
        ("when: { step: first, is: failed }", "never begins while it is failed"),
        ("when: { step: b, is: done }", "need one another"),
        ("when: { input: x }", "needs 'is'"),
        ("when: { input: x, step: first, is: a }", "about one thing"),
        ("when: yes", "must be a map"),
        ("when: { any: [] }", "must be a list"),
        ("when: { probe: { file: \"${y}\" } }", "there is no input 'y'"),
        ("retry: 3", "must be a map"),
        ("retry: { times: 0 }", "from 1 to 100"),
        ("retry: { wait: 3s }", "needs 'times'"),
        ("on_failure: stopp", "cannot be 'stopp'"),
        ("parallel: -1", "from 1 to 1000"),
        ("parallel: 2", "no meaning"),
    ] {
        let found = with(wrong);
        assert!(found.contains(message), "{wrong}: {found}");
    }
}

#[test]
fn a_var_stands_for_its_text_but_never_in_a_script() {
    let text = "rekindle: 2\nvars: { root: /srv, homes: \"${root}/home\" }\nsources: { a: { directory: \"${root}/a\" } }\n\
                components: { homes: { files: \"${homes}\" } }\nsteps: [ { id: x, restore: homes, from: a } ]\n";
    let runbook = read(text);
    assert!(format!("{:?}", runbook.components).contains("/srv/home"));
    assert_eq!(found(text), "");
    let with = |vars: &str, step: &str| {
        found(&format!(
            "rekindle: 2\ninputs: {{ i: {{ default: x }} }}\nvars: {{ {vars} }}\nsteps: [ {{ id: x, {step} }} ]\n"
        ))
    };
    let echo = "run: [echo, \"${i}\", \"${v}\"]";
    assert_eq!(with("v: a b", echo), "");
    assert!(with("v: a", "shell: true, run: 'echo ${v}'").contains("never reaches a shell"));
    assert!(with("v: \"${i}\"", "run: [sh, -c, \"echo ${v}\"]").contains("would be run as code"));
    assert!(with("v: a, w: b", echo).contains("the var 'w' is not used"));
    assert!(with("i: a, v: a", echo).contains("both a var and an input"));
    assert!(with("v: \"${v}\"", echo).contains("stands for itself"));
    assert!(with("v: a", "run: [echo, \"${i}\", \"${vv}\", \"${v}\"]").contains("there is no input 'vv'"));
    let mut bomb = format!("v0: {}", "x".repeat(1000));
    (1..40).for_each(|at| bomb.push_str(&format!(", v{at}: \"{}\"", format!("${{v{}}}", at - 1).repeat(10))));
    assert!(with(&bomb, echo).contains("longer than 64 KiB"));
}
