use serde_json::json;

use super::*;
use crate::model::{
    Digest, Error, ErrorKind, Event, Known, OwnerSet, Pass, Preview, Recorded, Run, RunHeader, StepHeader, TaskId, Zone,
};

const USERS: u32 = 3_000;
const SECOND: i64 = 1_000;

fn header(goal: Option<u64>) -> RunHeader {
    let steps: Vec<StepHeader> = serde_json::from_value(json!([
        {"id": "account", "kind": "restore", "each": "user"},
        {"id": "home", "kind": "restore", "each": "user"},
    ]))
    .unwrap();
    let names = (0..USERS).map(|number| format!("user{number:04}")).collect();
    let owners = vec![OwnerSet::new("user", names)];
    let title = "Restore homes".to_owned();
    RunHeader {
        id: "261121-044300-homes".to_owned(),
        title,
        by: "ana@bastion".to_owned(),
        steps,
        owners,
        goal,
        ..RunHeader::default()
    }
}

/// One second a task: every third account is equal already, 312 homes cannot be read, each with its own name in the words.
fn told(goal: Option<u64>, more: impl FnOnce(&mut Vec<Event>)) -> Report {
    let mut events = vec![Event::Opened { run: std::sync::Arc::new(header(goal)) }];
    for number in 0..USERS * 2 {
        let (task, user, is_home) = (TaskId(number), number % USERS, number >= USERS);
        let digest = Digest::of(number.to_string());
        if !is_home && user % 3 == 0 {
            events.push(Event::Unchanged { task });
            continue;
        }
        if is_home && user < 312 {
            let problem =
                Error::new(ErrorKind::Corrupt, format!("read home/user{user:04}"), "a pack is missing").problem();
            events.push(Event::Failed { task, problem });
            continue;
        }
        events.extend(restored(task, digest));
    }
    more(&mut events);
    let mut run = Run::default();
    let recorded: Vec<Recorded> = events
        .into_iter()
        .zip(1..)
        .map(|(event, seq)| Recorded { seq, at: 1_795_236_180_000 + i64::try_from(seq).unwrap() * SECOND, event })
        .collect();
    recorded.iter().for_each(|recorded| drop(run.apply(recorded).unwrap()));
    Report::of(&run, &recorded, &|_| Ok(None), Chain { sound: true, ..Chain::default() }, &Zone::for_programs())
}

fn restored(task: TaskId, digest: Digest) -> [Event; 4] {
    let counts = Default::default();
    [
        Event::Planned { task, pass: Pass::Restore, digest, preview: Preview::Exact, counts, cohort: digest },
        Event::Approved { task, digest, by: "ops@bastion".to_owned() },
        Event::Intent { task, attempt: 1, digest, pre: digest, undoable: true },
        Event::Outcome {
            task,
            known: Known::Applied,
            post: None,
            evidence: String::new(),
            problem: None,
            partial: false,
            kept: None,
            dependents_go_on: false,
            bytes: None,
            output: None,
        },
    ]
}

fn undone(task: TaskId) -> Vec<Event> {
    let digest = Digest::of("undo");
    let mut events = vec![Event::UndoAsked { task, by: "cyd@bastion".to_owned() }];
    events.extend(restored(task, digest));
    if let Event::Planned { pass, .. } = &mut events[1] {
        *pass = Pass::Undo;
    }
    events
}

/// Up to the first heading of the details.
fn first_page(text: &str) -> &str {
    text.split("\n## ").next().unwrap()
}

#[test]
fn the_first_page_of_3000_users_is_a_page_and_says_what_matters() {
    let report = told(Some(7_200), |events| events.extend(undone(TaskId(USERS + 400))));
    let text = report.markdown();
    let page = first_page(&text);
    assert!(page.lines().count() <= 40, "{page}");
    for part in [
        "**Not complete: 2687 of 3000 users restored, 312 failed, 1 undone.**",
        "| goal | 2 h: missed: not everything is restored |",
        "| approved by | ops@bastion: 4689 plans |",
        "| undone | 1 task: home/user0400, asked by cyd@bastion |",
        "| home | 2687 | 0 | 312 | 0 | 0 | 1 | 0 |",
        "| account | 2000 | 1000 | 0 | 0 | 0 | 0 | 0 |",
        "and 307 more",
        "| times | in UTC |",
    ] {
        assert!(page.contains(part), "{part:?} is not in:\n{page}");
    }
    assert_eq!(page.matches("a pack is missing").count(), 1, "one reason is said once:\n{page}");
    let details = &text[page.len()..];
    assert!(details.lines().count() < 200, "{} lines of details", details.lines().count());
    assert!(details.contains("### `home` — failed for 312 users"), "{details}");
    assert!(details.contains("### `account` — done for 2000 users"), "{details}");
}

#[test]
fn many_steps_and_many_reasons_are_summed_up() {
    let mut report = told(None, |_| {});
    for (number, task) in report.tasks.iter_mut().enumerate() {
        task.step = format!("step{}", number % 50);
        if let Some(problem) = &mut task.problem {
            problem.what =
                format!("reason {} of its own", ["one", "two", "three", "four", "five", "six", "seven"][number % 7]);
        }
    }
    report.overview = Overview::of(&report.tasks);
    let text = report.markdown();
    let page = first_page(&text);
    assert!(page.lines().count() <= 40, "{page}");
    assert!(page.contains("| and 40 more steps |") && page.contains("more reasons of"), "{page}");
}

#[test]
fn the_goal_is_met_only_by_a_run_that_is_complete() {
    let retried = |events: &mut Vec<Event>| {
        for user in 0..312 {
            let task = TaskId(USERS + user);
            events.push(Event::Retried { task, by: "ana@bastion".to_owned() });
            events.extend(restored(task, Digest::of("again")));
        }
    };
    let verdict = |goal| told(Some(goal), retried).goal.unwrap();
    let (met, missed) = (verdict(36_000), verdict(7_200));
    assert_eq!((met.met, missed.met), (Some(true), Some(false)), "{met:?} {missed:?}");
    assert!(met.verdict.starts_with("met, ") && missed.verdict.starts_with("missed by "), "{met:?} {missed:?}");
    assert_eq!(told(Some(360_000), |_| {}).goal.unwrap().met, None);
}

#[test]
fn what_was_undone_later_does_not_lengthen_the_time_it_took() {
    let (before, after) = (told(None, |_| {}), told(None, |events| events.extend(undone(TaskId(USERS + 400)))));
    assert_eq!(before.took.unwrap().milliseconds, after.took.unwrap().milliseconds);
    assert_ne!(before.last, after.last);
}

#[test]
fn a_report_for_one_user_has_nobody_elses_tasks() {
    let report = told(None, |_| {}).only(&["user0007".to_owned()]);
    let text = report.markdown();
    assert!(text.contains("0 of 1 users restored, 1 failed"), "{text}");
    assert!(text.contains("home/user0007") && !text.contains("user0008"), "{text}");
    assert_eq!(report.csv().lines().count(), 3);
}

#[test]
fn the_html_form_needs_nothing_else_and_runs_nothing() {
    let mut report = told(None, |_| {});
    report.title = "<script>alert(1)</script>".to_owned();
    for task in &mut report.tasks {
        if let Some(problem) = &mut task.problem {
            problem.what = "`<img src=x onerror=alert(1)>` **x".to_owned();
        }
    }
    report.overview = Overview::of(&report.tasks);
    let html = report.html();
    assert!(
        !html.contains("<script") && !html.contains("<img") && !html.contains("http://") && !html.contains("https://"),
        "{html}"
    );
    assert!(html.contains("2688 of 3000 users restored, 312 failed"), "{html}");
    assert!(
        html.contains("@media print") && html.contains("<h3><code>home</code> — failed for 312 users</h3>"),
        "{html}"
    );
    for tag in ["ul", "table", "tr", "div", "strong", "code"] {
        let closing = html.matches(&format!("</{tag}>")).count();
        assert_eq!(
            html.matches(&format!("<{tag}>")).count() + html.matches(&format!("<{tag} ")).count(),
            closing,
            "{tag}"
        );
    }
    assert!(html.len() < 200_000, "{} bytes", html.len());
}

#[test]
fn a_cell_of_the_csv_form_is_no_formula_and_keeps_its_commas() {
    let mut report = told(None, |_| {}).only(&["user0007".to_owned()]);
    report.tasks[0].owner = Some("=HYPERLINK(\"x\")".to_owned());
    report.tasks[1].skipped = Some("left, long ago".to_owned());
    report.tasks[1].problem = None;
    let csv = report.csv();
    assert!(csv.contains("\"'=HYPERLINK(\"\"x\"\")\"") && csv.contains("\"left, long ago\""), "{csv}");
}

#[test]
fn a_run_that_was_wholly_undone_is_not_complete() {
    let of = |undone_tasks: &[u32]| {
        let mut header = header(None);
        header.owners[0].names.truncate(1);
        let mut events = vec![Event::Opened { run: std::sync::Arc::new(header) }];
        events.extend((0..2).flat_map(|task| restored(TaskId(task), Digest::of("plan"))));
        events.extend(undone_tasks.iter().flat_map(|task| undone(TaskId(*task))));
        let mut run = Run::default();
        for (event, seq) in events.into_iter().zip(1..) {
            run.apply(&Recorded { seq, at: 0, event }).unwrap();
        }
        let row = RunRow::of(&run, 0, None, None, &Zone::for_programs());
        (row.state, row.complete)
    };
    assert_eq!(of(&[]), ("complete", true));
    assert_eq!(of(&[1]), ("undone in part", false));
    assert_eq!(of(&[0, 1]), ("undone", false));
}

#[test]
fn the_list_of_runs_fits_80_columns() {
    let mut run = Run::default();
    let mut header = header(None);
    header.id = "20261121-044300.123-restore-the-homes-of-everybody".to_owned();
    header.title = "Restore the homes 家庭 of everybody in this house".to_owned();
    run.apply(&Recorded { seq: 1, at: 0, event: Event::Opened { run: std::sync::Arc::new(header) } }).unwrap();
    let holder =
        Some("somebody-with-a-long-name on a-host-with-a-long-name.example.org, process 4194304, for 3 h".to_owned());
    let rows = [
        RunRow::of(&run, 0, holder, None, &Zone::for_programs())
            .kept_in(std::path::Path::new(&format!("/tmp/{}", "x".repeat(90)))),
        RunRow::unreadable(
            "broken",
            None,
            "it is not a journal of this version, and the words go on for long ".repeat(3),
        ),
    ];
    let text = table(&rows, 0);
    let widest = text.lines().map(unicode_width::UnicodeWidthStr::width).max().unwrap();
    assert!(widest <= 80, "{widest} columns:\n{text}");
    assert!(text.contains("going") && text.contains("0/6000"), "{text}");
}

#[test]
fn a_goal_that_was_kept_stays_kept_after_an_undo() {
    let retried = |events: &mut Vec<Event>| {
        for user in 0..312 {
            let task = TaskId(USERS + user);
            events.push(Event::Retried { task, by: "ana@bastion".to_owned() });
            events.extend(restored(task, Digest::of("again")));
        }
    };
    let report = told(Some(36_000), |events| {
        retried(events);
        events.extend(undone(TaskId(USERS + 400)));
    });
    let goal = report.goal.unwrap();
    assert!(goal.met == Some(true) && goal.verdict.ends_with("undone since"), "{goal:?}");
    let never = told(Some(3_600), |events| events.extend(undone(TaskId(USERS + 400)))).goal.unwrap();
    assert_eq!((never.met, never.verdict.as_str()), (Some(false), "missed: not everything is restored"));
}

#[test]
fn a_user_with_a_hunk_left_out_is_named_and_a_condition_that_skipped_a_task_is_no_one_left_behind() {
    use crate::model::{BY_RUNBOOK, Selection};
    let mut run = Run::default();
    let names = vec!["ana".to_owned(), "bob".to_owned(), "cyd".to_owned()];
    let owners = vec![OwnerSet::new("user", names)];
    let header = RunHeader { owners, steps: header(None).steps.into_iter().take(1).collect(), ..RunHeader::default() };
    let plan = super::tests::plan("ana");
    let mut selection = Selection::all();
    selection.decide(&plan, 0, 0, false);
    let (planned, chosen) = (plan.digest(&Selection::all()), plan.digest(&selection));
    let mut events = vec![Event::Opened { run: std::sync::Arc::new(header) }];
    events.extend(restored(TaskId(0), planned));
    let counts = plan.counts(&selection);
    let by = || "ana@bastion".to_owned();
    events.insert(2, Event::Decided { task: TaskId(0), selection, digest: chosen, counts });
    if let Event::Approved { digest, .. } = &mut events[3] {
        *digest = chosen;
    }
    if let Event::Intent { digest, .. } = &mut events[4] {
        *digest = chosen;
    }
    events.push(Event::Skipped {
        task: TaskId(1),
        why: "it is not so that it rains".to_owned(),
        by: BY_RUNBOOK.to_owned(),
    });
    events.push(Event::Skipped { task: TaskId(2), why: "they left".to_owned(), by: by() });
    let recorded: Vec<Recorded> =
        events.into_iter().zip(1..).map(|(event, seq)| Recorded { seq, at: 0, event }).collect();
    recorded.iter().for_each(|recorded| drop(run.apply(recorded).unwrap()));
    let kept = |digest: &Digest| Ok((*digest == planned).then(|| plan.clone()));
    let report = Report::of(&run, &recorded, &kept, Chain { sound: true, ..Chain::default() }, &Zone::for_programs());
    let text = report.markdown();
    let page = first_page(&text);
    for part in [
        "2 of 3 users restored (1 without what was left out by choice), 1 with something skipped",
        "| left out | 1 hunk by choice: account/ana (quota) |",
    ] {
        assert!(page.contains(part), "{part:?} is not in {page}");
    }
    assert!(!report.html().contains("<th>|</th>"), "an empty heading is no row");
}
