use std::sync::Arc;

use rusqlite::Connection;

use super::*;
use crate::model::{
    Digest, ErrorKind, Event, Mode, Pass, Plan, Preview, Recorded, RunHeader, Selection, TargetIdentity, TaskId,
};

mod damage;
mod full_disk;
mod places;

struct Home {
    _root: tempfile::TempDir,
    state: StateFolder,
}

fn home() -> Home {
    let root = tempfile::tempdir().unwrap();
    let state = StateFolder::at(root.path().join("state"));
    Home { _root: root, state }
}

fn opened() -> Recorded {
    let run = Arc::new(RunHeader { id: "one".into(), title: "Homes".into(), ..RunHeader::default() });
    Recorded { seq: 1, at: 1000, event: Event::Opened { run } }
}

fn noted(seq: u64) -> Recorded {
    Recorded { seq, at: 1000, event: Event::Noted { text: format!("event number {seq}") } }
}

/// A run of `count` events that was closed in order.
fn written(home: &Home, count: u64) -> RunFolder {
    let (folder, _) = RunFolder::create(&home.state, "one").unwrap();
    let journal = Journal::create(&folder, 0).unwrap();
    journal.append_and_wait(std::iter::once(opened()).chain((2..=count).map(noted)).collect()).unwrap();
    journal.close().unwrap();
    folder
}

#[test]
fn what_was_written_is_read_again_and_goes_on() {
    let home = home();
    let folder = written(&home, 10);
    let again = Journal::open_writer(&folder, 0).unwrap();
    assert_eq!(again.events.len(), 10);
    assert!(again.findings.is_empty());
    // The clock may jump back: order is by number.
    again.journal.append_and_wait(vec![Recorded { at: -5, ..noted(11) }]).unwrap();
    let head = again.journal.close().unwrap();
    let mut read = ReadJournal::open(&folder).unwrap();
    let events = read.load().unwrap();
    assert_eq!(events[10].at, -5);
    assert_eq!(events[3], noted(4));
    assert_eq!((read.head(), read.findings()), (head, &[][..]));
}

#[test]
fn an_event_that_is_not_allowed_ends_the_fold_before_it() {
    let (run, finding) = fold(&[opened(), noted(2), Recorded { seq: 3, ..opened() }, noted(4)]);
    assert_eq!((run.seq, run.header.title.as_str()), (2, "Homes"));
    assert!(matches!(finding, Some(Finding::Broken { seq: 3, .. })), "{finding:?}");
}

#[test]
fn every_order_is_told_once_and_in_order() {
    let home = home();
    let (folder, _) = RunFolder::create(&home.state, "one").unwrap();
    let journal = Journal::create(&folder, 0).unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    for seq in 1..=500 {
        let tell = tell.clone();
        let event = if seq == 1 { opened() } else { noted(seq) };
        journal.append(vec![event], Box::new(move |result| tell.send((seq, result.is_ok())).unwrap()));
    }
    drop((journal, tell));
    let told: Vec<_> = told.iter().collect();
    assert_eq!(told, (1..=500).map(|seq| (seq, true)).collect::<Vec<_>>());
}

#[test]
fn a_number_out_of_order_ends_the_journal() {
    let home = home();
    let (folder, _) = RunFolder::create(&home.state, "one").unwrap();
    let journal = Journal::create(&folder, 0).unwrap();
    journal.append_and_wait(vec![opened()]).unwrap();
    assert_eq!(journal.append_and_wait(vec![noted(3)]).unwrap_err().kind(), ErrorKind::Bug);
    assert!(journal.append_and_wait(vec![noted(2)]).is_err(), "a dead journal took an event");
    assert!(journal.close().is_err());
    assert_eq!(ReadJournal::open(&folder).unwrap().load().unwrap().len(), 1);
}

#[test]
fn the_second_operator_reads_and_is_told_who_writes() {
    let home = home();
    let (folder, _) = RunFolder::create(&home.state, "one").unwrap();
    let journal = Journal::create(&folder, 1_000_000).unwrap();
    journal.append_and_wait(vec![opened()]).unwrap();
    let mut watch = ReadJournal::open(&folder).unwrap();
    assert_eq!(watch.load().unwrap().len(), 1);

    let Err(refused) = Journal::open_writer(&folder, 1_000_000 + 3 * 60_000) else { panic!("two writers") };
    assert_eq!(refused.kind(), ErrorKind::Refused);
    let holder = folder.holder().unwrap();
    assert_eq!(holder.pid, std::process::id());
    for part in [&holder.host, &holder.user, "for 3 min", "watch"] {
        let said = format!("{refused} {}", refused.hint().unwrap());
        assert!(said.contains(part), "{said:?} lacks {part:?}");
    }

    journal.append_and_wait(vec![noted(2), noted(3)]).unwrap();
    assert_eq!(watch.follow().unwrap(), [noted(2), noted(3)]);
    assert_eq!(watch.follow().unwrap(), []);
    drop(journal);
    assert_eq!(folder.holder(), None);
}

#[test]
fn plans_are_kept_small_and_large_and_known_by_their_digest() {
    let home = home();
    let (folder, _) = RunFolder::create(&home.state, "one").unwrap();
    let journal = Journal::create(&folder, 0).unwrap();
    let small = plan("home/ana", 0);
    let large = plan("home/bob", 500);
    for plan in [&small, &large, &small] {
        journal.keep_plan(plan.digest(&Selection::all()), Arc::new(plan.clone()));
    }
    journal.close().unwrap();
    let read = ReadJournal::open(&folder).unwrap();
    for plan in [small, large] {
        assert_eq!(read.plan(&plan.digest(&Selection::all())).unwrap(), Some(plan));
    }
    assert_eq!(read.plan(&Digest::of("another")).unwrap(), None);
}

#[test]
fn a_plan_under_anothers_digest_is_refused() {
    let home = home();
    let folder = written(&home, 1);
    let plan = plan("home/ana", 0);
    let forged = Digest::of("approved by nobody");
    let database = Connection::open(folder.journal()).unwrap();
    let row = serde_json::to_vec(&plan).unwrap();
    database.execute("INSERT INTO plans VALUES(?1, ?2)", (&forged.as_bytes()[..], row)).unwrap();
    assert_eq!(ReadJournal::open(&folder).unwrap().plan(&forged).unwrap_err().kind(), ErrorKind::Corrupt);
}

fn plan(task: &str, warnings: usize) -> Plan {
    let identity = || TargetIdentity { system: "directory".into(), address: "/home".into(), id: "1".into() };
    Plan {
        task: task.into(),
        pass: Pass::Restore,
        runbook: Digest::of("runbook"),
        target: identity(),
        source: identity(),
        mode: Mode::Merge,
        preview: Preview::Exact,
        changes: Vec::new(),
        command: None,
        warnings: (0..warnings).map(|number| format!("warning {number}")).collect(),
    }
}

#[test]
fn folders_are_private_and_runs_are_found() {
    use std::os::unix::fs::PermissionsExt;
    let home = home();
    assert!(home.state.list().unwrap().is_empty());
    assert_eq!(home.state.latest().unwrap_err().kind(), ErrorKind::NotFound);
    let folder = written(&home, 1);
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(folder.path()), mode(&folder.journal())), (0o700, 0o600));
    assert_eq!(mode(&home.state.root().join("keys/one.key")), 0o600);
    assert_eq!(home.state.latest().unwrap().id(), "one");
    assert_eq!(RunFolder::create(&home.state, "one").unwrap_err().kind(), ErrorKind::Conflict);
    for hostile in ["", "..", ".hidden", "a/b", "a\u{1b}[2J"] {
        assert_eq!(RunFolder::create(&home.state, hostile).unwrap_err().kind(), ErrorKind::Refused);
    }
    let foreign = RunFolder::foreign(folder.path()).unwrap();
    assert_eq!(ReadJournal::open(&foreign).unwrap().load().unwrap().len(), 1);
    assert!(Journal::open_writer(&foreign, 0).is_err());
}

#[test]
fn undo_records_come_back_in_order_and_sealed() {
    let home = home();
    let (folder, keys) = RunFolder::create(&home.state, "one").unwrap();
    let store = UndoStore::open(&folder, &keys).unwrap();
    std::thread::scope(|scope| {
        for task in 0..8 {
            let store = &store;
            scope.spawn(move || {
                for number in 0..20 {
                    store.keep(TaskId(task), 1, vec![format!("password {task} {number}").into_bytes()]).unwrap();
                }
            });
        }
    });
    drop(store);
    let raw = std::fs::read(folder.undo()).unwrap();
    assert!(!raw.windows(8).any(|window| window == b"password"), "a pre-image is readable");

    let store = UndoStore::open(&folder, &folder.keys().unwrap()).unwrap();
    store.keep(TaskId(3), 2, vec![b"later".to_vec()]).unwrap();
    let records = store.records(TaskId(3)).unwrap().records;
    assert_eq!(records.len(), 21);
    assert_eq!(records[19].bytes, b"password 3 19");
    assert_eq!((records[20].attempt, &*records[20].bytes), (2, &b"later"[..]));
    store.release().unwrap();
    assert!(!folder.undo().exists());
}

#[test]
fn a_touched_undo_record_is_named() {
    let home = home();
    let (folder, keys) = RunFolder::create(&home.state, "one").unwrap();
    let store = UndoStore::open(&folder, &keys).unwrap();
    store.keep(TaskId(1), 1, vec![b"a".to_vec(), b"b".to_vec(), b"c".to_vec()]).unwrap();
    store.keep(TaskId(2), 1, vec![b"d".to_vec()]).unwrap();
    for (tampering, said) in [
        ("UPDATE kept SET attempt = 2 WHERE task = 1 AND position = 1", "record 1 of task 1"),
        ("DELETE FROM kept WHERE task = 1 AND position = 0", "record 0 of task 1"),
    ] {
        Connection::open(folder.undo()).unwrap().execute_batch(tampering).unwrap();
        let error = store.records(TaskId(1)).unwrap().unreadable.unwrap();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.to_string().contains(said), "{error}");
    }
    assert_eq!(store.records(TaskId(2)).unwrap().records[0].bytes, b"d");
}
