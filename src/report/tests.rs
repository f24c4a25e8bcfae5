use serde_json::json;

use super::*;
use crate::model::{
    Change, Digest, DocumentPath, Error, ErrorKind, Event, Fidelity, Hunk, HunkAt, Known, Mode, Op, Pass, PathStep,
    Plan, Preview, Recorded, ResourceId, Run, RunHeader, Selection, Shown, TaskId, TreePath, Zone,
};

const HOSTILE: &str = "ev`il*\u{1b}[2J|<b>";

fn header() -> RunHeader {
    serde_json::from_value(json!({
        "id": "20261121-044300-homes", "title": "Restore homes", "by": "ops@bastion", "version": "0.1.0",
        "runbook": "", "runbook_path": "homes.yaml", "digest": null, "inputs": {"snapshot": "9f2c"},
        "steps": [{"id": "account", "kind": "restore", "each": "user"}],
        "owners": [{"set": "user", "names": ["ana", "bob", "cyd", HOSTILE]}],
        "identities": {"homes": {"system": "directory", "address": "/home", "id": "8:1:2"}},
    }))
    .unwrap()
}

fn field(name: &str, before: Shown, after: Shown) -> Hunk {
    let path = DocumentPath(vec![PathStep::Field(name.to_owned())]);
    let at = HunkAt::Field { path, before: Some(before), after: Some(after) };
    Hunk { op: Op::Update, at, fidelity: Fidelity::Exact, needs: Vec::new(), said: None }
}

pub(super) fn plan(owner: &str) -> Plan {
    let secret = |value: &str| Shown::Secret(Digest::of(value));
    let change = Change {
        id: ResourceId { kind: "account".into(), key: TreePath::new(owner).unwrap() },
        op: Op::Update,
        before: Digest::of("before"),
        after: Digest::of("after"),
        hunks: vec![
            field("quota", Shown::Plain(json!(10)), Shown::Plain(json!(20))),
            field("shell", Shown::Plain(json!("sh")), Shown::Plain(json!("bash"))),
            field("password", secret("old"), secret("new")),
        ],
        warnings: Vec::new(),
        unreadable: Vec::new(),
        file: None,
        is_foretold: false,
    };
    let target = header().identities["homes"].clone();
    Plan {
        task: format!("account/{owner}"),
        pass: Pass::Restore,
        runbook: Digest::of("runbook"),
        source: target.clone(),
        target,
        mode: Mode::Merge,
        preview: Preview::Exact,
        changes: vec![change.into()],
        command: None,
        warnings: Vec::new(),
    }
}

/// Ana is restored without one hunk, Bob fails with an unknown effect, Cyd is skipped.
fn story() -> (Run, Vec<Recorded>) {
    let all = Selection::all();
    let by = || "ops@bastion".to_owned();
    let planned = |task, owner: &str| {
        let plan = plan(owner);
        Event::Planned {
            task: TaskId(task),
            pass: Pass::Restore,
            digest: plan.digest(&all),
            preview: Preview::Exact,
            counts: plan.counts(&all),
            cohort: Digest::of("cohort"),
        }
    };
    let ana = plan("ana");
    let mut left = Selection::all();
    left.decide(&ana, 0, 1, false);
    let (chosen, counts) = (ana.digest(&left), ana.counts(&left));
    let bob = plan("bob").digest(&all);
    let lost = Error::new(ErrorKind::TimedOut, "write account bob", "no answer in 30 s").known(Known::Unknown);
    let intent =
        |task, digest| Event::Intent { task: TaskId(task), attempt: 1, digest, pre: Digest::of("pre"), undoable: true };
    let events = vec![
        Event::Opened { run: std::sync::Arc::new(header()) },
        planned(0, "ana"),
        Event::Decided { task: TaskId(0), selection: left, digest: chosen, counts },
        Event::Approved { task: TaskId(0), digest: chosen, by: by() },
        intent(0, chosen),
        Event::Outcome {
            task: TaskId(0),
            known: Known::Applied,
            post: Some(Digest::of("post")),
            evidence: "2 fields read back equal".to_owned(),
            problem: None,
            partial: false,
            kept: None,
            dependents_go_on: false,
            bytes: None,
            output: None,
        },
        planned(1, "bob"),
        Event::Approved { task: TaskId(1), digest: bob, by: "--yes".to_owned() },
        intent(1, bob),
        Event::Outcome {
            task: TaskId(1),
            known: Known::Unknown,
            post: None,
            evidence: String::new(),
            problem: Some(lost.problem()),
            partial: false,
            kept: None,
            dependents_go_on: false,
            bytes: None,
            output: None,
        },
        Event::Skipped { task: TaskId(2), why: "has left the company".to_owned(), by: by() },
        Event::Skipped { task: TaskId(3), why: HOSTILE.to_owned(), by: by() },
        Event::Noted { text: "TLS verification is off".to_owned() },
    ];
    let mut run = Run::default();
    let recorded: Vec<_> =
        events.into_iter().zip(1..).map(|(event, seq)| Recorded { seq, at: 1_795_236_180_000, event }).collect();
    recorded.iter().for_each(|recorded| {
        run.apply(recorded).unwrap();
    });
    (run, recorded)
}

/// Of the story and what came after it.
fn report_after(more: Vec<Event>) -> Report {
    let (mut run, mut events) = story();
    for event in more {
        let recorded = Recorded { seq: run.seq + 1, at: 1_795_236_180_000, event };
        run.apply(&recorded).unwrap();
        events.push(recorded);
    }
    Report::of(
        &run,
        &events,
        &|_| Ok(None),
        Chain { sound: true, events: 13, head: String::new(), findings: Vec::new() },
        &Zone::for_programs(),
    )
}

#[test]
fn a_report_says_how_far_an_undo_is() {
    let (task, by) = (TaskId(0), || "ops@bastion".to_owned());
    let digest = Digest::of("undo");
    let counts = plan("ana").counts(&Selection::all());
    let asked = || {
        vec![
            Event::UndoAsked { task, by: by() },
            Event::Planned { task, pass: Pass::Undo, digest, preview: Preview::Exact, counts, cohort: digest },
        ]
    };
    let begun = || {
        let approved = Event::Approved { task, digest, by: by() };
        let intent = Event::Intent { task, attempt: 2, digest, pre: digest, undoable: true };
        [asked(), vec![approved, intent]].concat()
    };
    let waiting = report_after(asked());
    let told = (waiting.tasks[0].undo.unwrap(), waiting.totals.applied.update);
    assert_eq!(told, ("its undo waits for an approval: nothing is taken back yet", 1));
    assert!(waiting.markdown().contains("'rekindle undo' goes on"), "{}", waiting.markdown());
    let half = report_after(begun());
    assert!(half.tasks[0].undo.unwrap().contains("a part may be taken back"), "{:?}", half.tasks[0].undo);
    assert_eq!(half.totals.applied.update, 0);
    let outcome = Event::Outcome {
        task,
        known: Known::Applied,
        post: None,
        evidence: "1 field written".to_owned(),
        problem: None,
        partial: false,
        kept: None,
        dependents_go_on: false,
        bytes: None,
        output: None,
    };
    let stays = vec!["account ana: cannot be brought back, so it stays as it is: password".to_owned()];
    let warned = Event::Warned { task, warnings: stays.clone(), stays };
    let undone = report_after([begun(), vec![outcome, warned]].concat());
    assert_eq!((undone.tasks[0].undo, undone.totals.applied.update), (None, 0));
    assert!(undone.markdown().contains("**not brought back**: account ana: cannot"), "{}", undone.markdown());
}

fn report() -> Report {
    let (run, events) = story();
    let plans: Vec<Plan> = ["ana", "bob"].map(plan).into();
    let plan_of = |digest: &Digest| Ok(plans.iter().find(|plan| plan.digest(&Selection::all()) == *digest).cloned());
    let chain = Chain { sound: true, events: 13, head: "abcd".to_owned(), findings: Vec::new() };
    Report::of(&run, &events, &plan_of, chain, &Zone::for_programs())
}

#[test]
fn a_report_says_what_changed_who_approved_it_and_what_was_read_back() {
    let text = report().markdown();
    let mut left = Selection::all();
    left.decide(&plan("ana"), 0, 1, false);
    let approved = format!("by ops@bastion: digest `{}`", plan("ana").digest(&left));
    for part in [
        "# Restore homes",
        "`directory /home (8:1:2)`",
        "sound, 13 events, head `abcd`",
        "- done: 1 of 4",
        "- applied and standing: create 0, update 1, delete 0, 2 hunks",
        "### `account/ana` — done",
        &approved,
        "2 fields read back equal",
        "- update `quota`: `10` → `20`",
        "- **left out**: update `shell`",
        "- skipped: has left the company",
        "TLS verification is off",
    ] {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
    let unknown = text.find("### `account/bob` — unknown").unwrap();
    assert!(unknown < text.find("### `account/ana`").unwrap(), "what needs a person comes first");
    assert!(text.contains("no answer in 30 s") && text.contains("effect: **unknown**"));
}

#[test]
fn secrets_are_dots_in_every_form() {
    let report = report();
    let json = serde_json::to_string(&report).unwrap();
    for text in [report.markdown(), json] {
        assert!(text.contains("••••"));
        assert!(!text.contains(&Digest::of("new").to_hex()), "even the digest of a secret is nobody's business");
    }
}

#[test]
fn hostile_names_stay_text() {
    let text = report().markdown();
    assert!(!text.contains('\u{1b}'));
    assert!(text.contains("### `` account/ev`il*^[[2J|<b> ``"), "{text}");
    assert!(text.contains("skipped: ev\\`il\\*^\\[\\[2J\\|\\<b\\>"), "{text}");
}

#[test]
fn the_json_form_holds_the_rounds() {
    let json = serde_json::to_value(report()).unwrap();
    let round = &json["tasks"][0]["rounds"][0];
    assert_eq!(round["approved"]["by"], "ops@bastion");
    assert_eq!(round["changes"][0]["hunks"][1]["taken"], false);
    assert_eq!(round["outcome"]["post"], Digest::of("post").to_hex());
    assert_eq!(json["totals"]["by_status"], json!({"done": 1, "unknown": 1, "skipped": 2}));
    assert_eq!(json["tasks"][1]["problem"]["known"], "unknown");
    assert_eq!(json["started"], "2026-11-21T04:43:00Z");
    assert_eq!(round["counts"], json!({"create": 0, "update": 1, "delete": 0, "hunks": 2, "delete_hunks": 0}));
    assert_eq!(json["totals"]["applied"]["update"], 1);
    assert_eq!(json["state"], "incomplete");
    let held = serde_json::to_value(report().held_by(Some("ana".to_owned()))).unwrap();
    assert_eq!(held["state"], "going");
}

#[test]
fn a_plan_that_cannot_be_read_is_said_and_the_rest_stands() {
    let (run, events) = story();
    let gone = |_: &Digest| Err(Error::new(ErrorKind::Corrupt, "read the plan", "its content is that of another plan"));
    let text = Report::of(&run, &events, &gone, Chain::default(), &Zone::for_programs()).markdown();
    assert!(text.contains("the plan cannot be shown") && text.contains("**not sound**"));
    assert!(text.contains("2 fields read back equal"));
}

#[test]
fn runs_are_listed_in_aligned_columns() {
    let (run, events) = story();
    let rows = [
        RunRow::of(
            &run,
            events[0].at,
            Some("ana on bastion, process 7, for 3 s".to_owned()),
            None,
            &Zone::for_programs(),
        ),
        RunRow::unreadable("broken", None, "it is not a journal of this version".to_owned()),
    ];
    let text = wide_table(&rows, &Zone::for_programs());
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3);
    let column = lines[0].find("STATE").unwrap();
    assert!(lines[1][column..].starts_with("going "), "{text}");
    assert!(lines[1][lines[0].find("UNDO").unwrap()..].starts_with("yes "), "{text}");
    let rows = serde_json::to_value(&rows).unwrap();
    assert_eq!((&rows[0]["state"], &rows[1]["state"]), (&json!("going"), &json!("unreadable")));
    assert!(lines[2][column..].starts_with("unreadable"), "{text}");
    assert!(lines[2].ends_with("  it is not a journal of this version"), "{text}");
    assert!(lines[1].contains("1 done, 2 skipped, 1 unknown") && lines[1].contains("2026-11-21 04:43"), "{text}");
    assert!(lines[1].ends_with("held by ana on bastion, process 7, for 3 s"), "{text}");
}

#[test]
fn what_is_not_known_is_not_called_failed() {
    let report = report_after(Vec::new());
    let (owners, step) = (report.overview.owners, &report.overview.steps[0]);
    assert_eq!((owners.failed, owners.unknown, step.failed, step.unknown), (0, 1, 0, 1));
    let text = report.markdown();
    assert!(text.contains(", 1 unknown, ") && !text.contains("1 failed"), "{text}");
    assert!(text.contains("UNKNOWN account (bob): "), "{text}");
}

#[test]
fn a_run_that_was_cut_off_while_it_wrote_says_so_where_it_was_resumed() {
    let digest = Digest::of("again");
    let task = TaskId(1);
    let events = vec![
        Event::Resumed { by: "ops@bastion".to_owned() },
        Event::Retried { task, by: "ops@bastion".to_owned() },
        Event::Planned {
            task,
            pass: Pass::Restore,
            digest,
            preview: Preview::Exact,
            counts: Default::default(),
            cohort: digest,
        },
        Event::Approved { task, digest, by: "ops@bastion".to_owned() },
        Event::Intent { task, attempt: 2, digest, pre: digest, undoable: true },
        Event::Resumed { by: "ops@bastion".to_owned() },
    ];
    let text = report_after(events).markdown();
    assert!(text.contains("resumed by ops@bastion\n"), "{text}");
    assert!(
        text.contains("resumed by ops@bastion, after it had been cut off while 1 task was being written"),
        "{text}"
    );
}
