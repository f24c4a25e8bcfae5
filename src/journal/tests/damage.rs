use std::path::Path;

use super::*;

fn copy_folder(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn damage(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

/// The run as a killed writer leaves it: everything still in the write-ahead log.
fn killed(home: &Home, count: u64) -> RunFolder {
    let (folder, _) = RunFolder::create(&home.state, "one").unwrap();
    let journal = Journal::create(&folder, 0).unwrap();
    journal.append_and_wait(vec![opened()]).unwrap();
    for seq in 2..=count {
        journal.append_and_wait(vec![noted(seq)]).unwrap();
    }
    let aside = tempfile::tempdir().unwrap();
    copy_folder(folder.path(), aside.path());
    drop(journal);
    copy_folder(aside.path(), folder.path());
    folder
}

/// Whatever happened to a file: the sound beginning is kept and the loss told, or reading is refused.
/// Answers how many events were kept, `None` for refused.
fn survives(folder: &RunFolder, count: u64, what: &str) -> Option<u64> {
    let mut read = match ReadJournal::open(folder) {
        Ok(read) => read,
        Err(error) => {
            assert!(Journal::open_writer(folder, 0).is_err(), "{what}: unreadable ({error}), yet writable");
            return None;
        }
    };
    let events = read.load().ok()?;
    for (at, event) in events.iter().enumerate() {
        assert_eq!(*event, if at == 0 { opened() } else { noted(at as u64 + 1) }, "{what}");
    }
    let kept = events.len() as u64;
    if kept < count {
        assert!(!read.findings().is_empty(), "{what}: {kept} of {count} events are left and nobody is told");
    }
    if read.findings().iter().any(|finding| !finding.allows_writing()) {
        drop(read);
        assert!(Journal::open_writer(folder, 0).is_err(), "{what}: writing goes on after damage");
    }
    Some(kept)
}

fn swept(closed: bool, file: &str, change: fn(&mut Vec<u8>, usize)) -> Vec<Option<u64>> {
    let home = home();
    let count = if closed { 200 } else { 40 };
    let folder = if closed { written(&home, count) } else { killed(&home, count) };
    let pristine = tempfile::tempdir().unwrap();
    copy_folder(folder.path(), pristine.path());
    let size = std::fs::metadata(folder.path().join(file)).unwrap().len() as usize;
    let step = (size / 150).max(1);
    (0..size)
        .step_by(step)
        .map(|at| {
            std::fs::remove_dir_all(folder.path()).unwrap();
            std::fs::create_dir(folder.path()).unwrap();
            copy_folder(pristine.path(), folder.path());
            drop(std::fs::remove_file(folder.path().join("journal.db-shm")));
            damage(&folder.path().join(file), |bytes| change(bytes, at));
            survives(&folder, count, &format!("{file} at byte {at}"))
        })
        .collect()
}

#[test]
fn a_log_cut_at_any_byte_keeps_the_events_before() {
    let kept = swept(false, "journal.db-wal", |bytes, at| bytes.truncate(at));
    assert!(kept.iter().flatten().count() > 100, "{kept:?}");
    assert!(kept.iter().flatten().any(|kept| (10..40).contains(kept)), "{kept:?}");
}

#[test]
fn a_log_zeroed_from_any_byte_keeps_the_events_before() {
    let kept = swept(false, "journal.db-wal", |bytes, at| bytes[at..].fill(0));
    assert!(kept.iter().flatten().any(|kept| (10..40).contains(kept)), "{kept:?}");
}

#[test]
fn a_database_cut_at_any_byte_gives_what_is_left_of_it() {
    let kept = swept(true, "journal.db", |bytes, at| bytes.truncate(at));
    assert!(kept.iter().flatten().any(|kept| (10..190).contains(kept)), "{kept:?}");
    assert!(kept.is_sorted(), "a longer rest gives no less: {kept:?}");
}

#[test]
fn a_flipped_bit_at_any_byte_never_changes_an_event() {
    swept(true, "journal.db", |bytes, at| bytes[at] ^= 0x10);
    swept(false, "journal.db-wal", |bytes, at| bytes[at] ^= 0x10);
}

#[test]
fn a_changed_event_is_named_reading_goes_to_it_and_writing_is_refused() {
    let home = home();
    let folder = written(&home, 20);
    let database = Connection::open(folder.journal()).unwrap();
    database.execute("UPDATE events SET body = replace(body, 'number 7', 'number 8') WHERE seq = 7", []).unwrap();
    drop(database);
    let mut read = ReadJournal::open(&folder).unwrap();
    assert_eq!(read.load().unwrap().len(), 6);
    assert!(matches!(read.findings(), [Finding::Broken { seq: 7, .. }]), "{:?}", read.findings());
    let Err(refused) = Journal::open_writer(&folder, 0) else { panic!("a forged run was gone on with") };
    assert_eq!(refused.kind(), ErrorKind::Corrupt);
    assert!(refused.to_string().contains("event 7"), "{refused}");
}

#[test]
fn a_cut_tail_chains_well_and_is_noticed_all_the_same() {
    let home = home();
    let folder = written(&home, 20);
    Connection::open(folder.journal()).unwrap().execute("DELETE FROM events WHERE seq > 15", []).unwrap();
    let again = Journal::open_writer(&folder, 0).unwrap();
    assert_eq!(again.events.len(), 15);
    assert_eq!(again.findings, [Finding::TailLost { kept: 15, known: 20 }]);
}

#[test]
fn a_foreign_table_or_a_hostile_header_is_refused() {
    let home = home();
    let folder = written(&home, 2);
    let database = Connection::open(folder.journal()).unwrap();
    database.execute_batch("CREATE VIEW more AS SELECT 1").unwrap();
    assert_eq!(ReadJournal::open(&folder).err().map(|error| error.kind()), Some(ErrorKind::Invalid));
    database.execute_batch("DROP VIEW more; DELETE FROM events").unwrap();

    let names = |count: usize| (0..count).map(|number| number.to_string()).collect();
    let step = serde_json::json!({"id": "s", "kind": "restore", "each": "user"});
    let mut header = RunHeader { steps: vec![serde_json::from_value(step).unwrap(); 1000], ..RunHeader::default() };
    header.owners =
        serde_json::from_value(serde_json::json!([{"set": "user", "names": Vec::<String>::new()}])).unwrap();
    header.owners[0].names = names(5000);
    let body = serde_json::to_string(&Event::Opened { run: std::sync::Arc::new(header) }).unwrap();
    let hash = super::chain::link(&super::chain::first_link(), 1, 0, body.as_bytes());
    database.execute("INSERT INTO events VALUES(1, 0, ?1, ?2)", (body, &hash.as_bytes()[..])).unwrap();
    let error = ReadJournal::open(&folder).unwrap().load().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("5000000 tasks"), "{error}");
}

/// Chained as it should be, and not for this program.
#[test]
fn an_event_of_a_newer_rekindle_is_named_with_both_versions_and_ends_the_writing() {
    let home = home();
    let folder = written(&home, 1);
    let database = Connection::open(folder.journal()).unwrap();
    database.execute("DELETE FROM events", []).unwrap();
    let run = Arc::new(RunHeader { version: "9.8.7".to_owned(), ..RunHeader::default() });
    let bodies = [serde_json::to_string(&Event::Opened { run }).unwrap(), r#"{"event":"teleported"}"#.to_owned()];
    let mut link = super::chain::first_link();
    for (seq, body) in (1..).zip(bodies) {
        link = super::chain::link(&link, seq, 0, body.as_bytes());
        database
            .execute(
                "INSERT INTO events VALUES(?1, 0, ?2, ?3)",
                (i64::try_from(seq).unwrap(), body, &link.as_bytes()[..]),
            )
            .unwrap();
    }
    drop(database);
    let mut read = ReadJournal::open(&folder).unwrap();
    assert_eq!(read.load().unwrap().len(), 1);
    let told = read.findings()[0].to_string();
    assert!(told.contains(env!("CARGO_PKG_VERSION")) && told.contains("9.8.7"), "{told}");
    let refused = Journal::open_writer(&folder, 0).err().unwrap();
    assert!(refused.to_string().contains("9.8.7"), "{refused}");
}
