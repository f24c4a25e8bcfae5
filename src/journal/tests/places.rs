use super::*;

fn begun() -> (Home, RunFolder, Journal, UndoStore) {
    let home = home();
    let (folder, keys) = RunFolder::create(&home.state, "one").unwrap();
    let journal = Journal::create(&folder, 0).unwrap();
    let undo = UndoStore::open(&folder, &keys).unwrap();
    journal.append_and_wait(vec![opened()]).unwrap();
    undo.keep(TaskId(0), 1, vec![b"former".to_vec()]).unwrap();
    (home, folder, journal, undo)
}

/// An open file goes on taking writes, though nobody will ever read them.
#[test]
fn nothing_is_on_record_once_the_state_folder_is_gone() {
    let (home, _, journal, undo) = begun();
    std::fs::remove_dir_all(home.state.root()).unwrap();
    let error = journal.append_and_wait(vec![noted(2)]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("was removed"), "{error}");
    assert!(error.hint().unwrap().contains(".rekindle"), "{error:?}");
    assert!(undo.keep(TaskId(0), 1, vec![b"more".to_vec()]).is_err());
    assert!(journal.close().is_err(), "the end of a run is on record or told");
}

#[test]
fn each_file_that_a_run_needs_is_missed() {
    for gone in ["runs/one/journal.db", "runs/one/journal.db-wal", "keys/one.head"] {
        let (home, _, journal, _undo) = begun();
        std::fs::remove_file(home.state.root().join(gone)).unwrap();
        assert!(journal.append_and_wait(vec![noted(2)]).is_err(), "{gone}");
    }
    for gone in ["runs/one/undo.db", "runs/one/undo.db-wal", "keys/one.key"] {
        let (home, _, _journal, undo) = begun();
        std::fs::remove_file(home.state.root().join(gone)).unwrap();
        assert!(undo.keep(TaskId(0), 1, vec![b"more".to_vec()]).is_err(), "{gone}");
    }
}

#[test]
fn another_file_in_the_place_of_the_journal_is_not_the_journal() {
    let (_home, folder, journal, _undo) = begun();
    std::fs::copy(folder.journal(), folder.path().join("copy")).unwrap();
    std::fs::rename(folder.path().join("copy"), folder.journal()).unwrap();
    let error = journal.append_and_wait(vec![noted(2)]).unwrap_err();
    assert!(error.to_string().contains("another file"), "{error}");
}
