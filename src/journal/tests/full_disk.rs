use std::path::Path;
use std::process::Command;

use super::*;

/// A file system of a few pages. Needs root, as the test command has it.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn mount(at: &'a Path) -> Self {
        std::fs::create_dir_all(at).unwrap();
        let size = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(at).status().unwrap();
        assert!(size.success(), "mounting a tmpfs needs root");
        Self(at)
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(self.0).status());
    }
}

#[test]
fn a_full_disk_ends_the_journal_and_keeps_what_was_durable() {
    let root = tempfile::tempdir().unwrap();
    let disk = SmallDisk::mount(root.path());
    let state = StateFolder::at(disk.0.join("state"));
    let (folder, _) = RunFolder::create(&state, "one").unwrap();
    let journal = Journal::create(&folder, 0).unwrap();
    journal.append_and_wait(vec![opened()]).unwrap();
    let mut durable = 1;
    let error = loop {
        let next = (durable + 1..=durable + 20).map(noted).collect();
        match journal.append_and_wait(next) {
            Ok(()) => durable += 20,
            Err(error) => break error,
        }
        assert!(durable < 1_000_000, "1 MiB took a million events");
    };
    assert_eq!(error.kind(), ErrorKind::NoSpace, "{error}");
    assert!(error.hint().unwrap().contains("free space"));
    assert_eq!(journal.append_and_wait(vec![noted(durable + 1)]).unwrap_err().kind(), ErrorKind::NoSpace);
    drop(journal);
    let mut read = ReadJournal::open(&folder).unwrap();
    assert_eq!(read.load().unwrap().len() as u64, durable);
    assert_eq!(read.findings(), []);
}

#[test]
fn a_run_on_a_read_only_mount_can_be_read() {
    let root = tempfile::tempdir().unwrap();
    let disk = SmallDisk::mount(root.path());
    let state = StateFolder::at(disk.0.join("state of ana?"));
    let (folder, _) = RunFolder::create(&state, "one").unwrap();
    let journal = Journal::create(&folder, 0).unwrap();
    journal.append_and_wait(vec![opened(), noted(2)]).unwrap();
    journal.close().unwrap();
    assert!(Command::new("mount").args(["-o", "remount,ro"]).arg(disk.0).status().unwrap().success());
    let mut read = ReadJournal::open(&folder).unwrap();
    assert_eq!(read.load().unwrap().len(), 2);
    assert_eq!(read.findings(), []);
    let Err(refused) = Journal::open_writer(&folder, 0) else { panic!("wrote to a read-only mount") };
    assert_eq!(refused.kind(), ErrorKind::ReadOnly);
}
