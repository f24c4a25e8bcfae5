//! What the journal of an 80,000-task run costs: appending, checking, folding.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::sync::Arc;
use std::time::Instant;

use rekindle::journal::{Journal, ReadJournal, RunFolder, StateFolder, UndoStore};
use rekindle::model::{
    Change, Counts, Digest, DocumentPath, Event, Fidelity, Hunk, HunkAt, Known, Mode, Op, Pass, PathStep, Plan,
    Preview, Recorded, ResourceId, Run, RunHeader, Selection, Shown, TargetIdentity, TaskId, TreePath,
};
use serde_json::json;

const TASKS: u32 = 80_000;

fn main() {
    let root =
        tempfile::tempdir_in(std::env::args().nth(1).filter(|at| at != "--bench").unwrap_or(".".into())).unwrap();
    let state = StateFolder::at(root.path());
    let (folder, keys) = RunFolder::create(&state, "bench").unwrap();
    let journal = Journal::create(&folder, 0).unwrap();
    let plans: Vec<(Digest, Arc<Plan>)> =
        (0..TASKS).map(plan).map(|plan| (plan.digest(&Selection::all()), Arc::new(plan))).collect();
    let events = events(&plans);
    let count = events.len();

    let start = Instant::now();
    let mut events = events.into_iter();
    journal.append_and_wait(events.by_ref().take(1).collect()).unwrap();
    while events.len() > 0 {
        journal.append(events.by_ref().take(4).collect(), Box::new(|result| result.unwrap()));
    }
    journal.append_and_wait(Vec::new()).unwrap();
    rate("append, four at a time, grouped", count, start);

    let start = Instant::now();
    for (digest, plan) in plans {
        journal.keep_plan(digest, plan);
    }
    journal.close().unwrap();
    rate("keep plans", TASKS as usize, start);

    let start = Instant::now();
    let mut read = ReadJournal::open(&folder).unwrap();
    let events = read.load().unwrap();
    rate("load and check", events.len(), start);
    assert_eq!(read.findings(), []);
    let start = Instant::now();
    let mut run = Run::default();
    for event in &events {
        run.apply(event).unwrap();
    }
    rate("fold", events.len(), start);
    assert!(run.is_complete());
    drop((events, read));

    let start = Instant::now();
    drop(Journal::open_writer(&folder, 0).unwrap());
    rate("open to write", count, start);

    let store = UndoStore::open(&folder, &keys).unwrap();
    let start = Instant::now();
    std::thread::scope(|scope| {
        for worker in 0..16 {
            let store = &store;
            scope.spawn(move || {
                (0..500).for_each(|task| store.keep(TaskId(worker * 500 + task), 1, vec![vec![7; 400]]).unwrap())
            });
        }
    });
    rate("keep undo records, durable one by one, 16 threads", 8000, start);

    let start = Instant::now();
    let (folder, _) = RunFolder::create(&state, "single").unwrap();
    let journal = Journal::create(&folder, 0).unwrap();
    for seq in 1..=2000 {
        let event = if seq == 1 {
            Event::Opened { run: std::sync::Arc::default() }
        } else {
            Event::Noted { text: "x".repeat(200) }
        };
        journal.append_and_wait(vec![Recorded { seq, at: 0, event }]).unwrap();
    }
    rate("append, durable one by one", 2000, start);
    for file in ["journal.db", "undo.db"] {
        let size = std::fs::metadata(root.path().join("runs/bench").join(file)).map_or(0, |found| found.len());
        println!("{file:>52}: {:.1} MB", size as f64 / 1e6);
    }
}

fn rate(what: &str, count: usize, start: Instant) {
    let took = start.elapsed();
    let rate = count as f64 / took.as_secs_f64();
    println!("{what:>52}: {count} in {took:.2?}, {rate:.0}/s; processor since the start: {:.2} s", processor_seconds());
}

/// Of all threads, user and system, in steps of 10 ms: on a busy machine it says more than the clock.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit(')').next().unwrap();
    after_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

fn plan(task: u32) -> Plan {
    let at = |name: &str| DocumentPath(vec![PathStep::Field(name.to_owned())]);
    let hunk = |name: &str| Hunk {
        op: Op::Update,
        at: HunkAt::Field {
            path: at(name),
            before: Some(Shown::Plain(json!(10))),
            after: Some(Shown::Plain(json!("bash"))),
        },
        fidelity: Fidelity::Exact,
        needs: Vec::new(),
        said: None,
    };
    let identity = TargetIdentity { system: "directory".into(), address: "/etc/accounts.d".into(), id: "8:1:2".into() };
    Plan {
        task: format!("account/user{task}"),
        pass: Pass::Restore,
        runbook: Digest::of("runbook"),
        target: identity.clone(),
        source: identity,
        mode: Mode::Merge,
        preview: Preview::Exact,
        changes: vec![Arc::new(Change {
            id: ResourceId { kind: "document".into(), key: TreePath::new(format!("user{task}")).unwrap() },
            op: Op::Update,
            before: Digest::of(task.to_le_bytes()),
            after: Digest::of("after"),
            hunks: vec![hunk("quota"), hunk("shell")],
            warnings: Vec::new(),
            unreadable: Vec::new(),
            file: None,
            is_foretold: false,
        })],
        command: None,
        warnings: Vec::new(),
    }
}

fn events(plans: &[(Digest, Arc<Plan>)]) -> Vec<Recorded> {
    let names: Vec<String> = (0..TASKS).map(|task| format!("user{task}")).collect();
    let header: RunHeader = serde_json::from_value(json!({
        "id": "bench", "title": "Bench", "by": "ops@bastion", "version": "0", "runbook": "", "runbook_path": "",
        "digest": null, "inputs": {}, "steps": [{"id": "account", "kind": "restore", "each": "user"}],
        "owners": [{"set": "user", "names": names}], "identities": {},
    }))
    .unwrap();
    let mut events = vec![Event::Opened { run: Arc::new(header) }];
    for (at, (digest, plan)) in plans.iter().enumerate() {
        let (task, digest) = (TaskId(at as u32), *digest);
        let counts: Counts = plan.counts(&Selection::all());
        events.push(Event::Planned {
            task,
            pass: Pass::Restore,
            digest,
            preview: Preview::Exact,
            counts,
            cohort: digest,
        });
        events.push(Event::Approved { task, digest, by: "ops@bastion".into() });
        events.push(Event::Intent { task, attempt: 1, digest, pre: digest, undoable: true });
        events.push(Event::Outcome {
            task,
            known: Known::Applied,
            post: Some(digest),
            evidence: "2 fields, read back equal".into(),
            problem: None,
            partial: false,
            kept: None,
            dependents_go_on: false,
            bytes: None,
            output: None,
        });
    }
    events.into_iter().zip(1..).map(|(event, seq)| Recorded { seq, at: 1_795_236_180_000, event }).collect()
}
