//! Disks that are full, read-only or broken, under the journal and under the target.

use std::fs;

use crate::mounted::Mounted;
use crate::sandbox::{Sandbox, Told, same, sh};

/// Per thread strace counts. The first one syncs most where a run begins, the journal's where it is taken up.
const MOST_SYNCS: usize = 200;

const YES: [&str; 2] = ["--yes", "--yes-deletes"];
const RUN: [&str; 5] = ["run", "runbook.yaml", "--plain", "--user", "bob"];

#[test]
fn a_disk_that_fails_to_sync_stops_the_run_before_its_next_effect() {
    fail_each_sync(&[&RUN[..], &YES].concat(), |_| ());
}

#[test]
fn a_disk_that_fails_to_sync_stops_a_run_that_was_taken_up_before_its_next_effect() {
    let left_in_review = |sandbox: &Sandbox| drop(sandbox.rekindle(&RUN).exits(2));
    let lost = fail_each_sync(&[&["resume", "--plain"][..], &YES].concat(), left_in_review);
    assert!(lost > 1, "only {lost} syncs of the journal failed");
}

/// Answers how many of the failures were the journal's.
fn fail_each_sync(call: &[&str], before: impl Fn(&Sandbox)) -> usize {
    let run = [&RUN[..], &YES].concat();
    let (mut failures, mut lost) = (0, 0);
    for nth in 1..=MOST_SYNCS {
        let sandbox = Sandbox::on_directory();
        before(&sandbox);
        let inject = format!("inject=fsync,fdatasync:error=EIO:when={nth}");
        let log = sandbox.path("strace.log");
        let trace = [
            "strace",
            "-f",
            "-qq",
            "-y",
            "-o",
            log.to_str().unwrap(),
            "-e",
            "trace=fsync,fdatasync,renameat2,linkat,unlinkat",
        ];
        let wrapper = [&trace[..], &["-e", &inject, env!("CARGO_BIN_EXE_rekindle")]].concat();
        let told = Told::of(sandbox.around(&wrapper, call).output().unwrap());
        let log = fs::read_to_string(log).unwrap();
        if !log.contains("(INJECTED)") {
            told.exits(0);
            assert!(failures > 3, "only {failures} syncs failed");
            return lost;
        }
        failures += 1;
        let mut rest = log.lines().skip_while(|line| !(line.contains("(INJECTED)") && line.contains("journal.db-wal")));
        let journal_is_lost = rest.next().is_some();
        let after: Vec<&str> = rest.collect();
        // The very last sync, when all is durable and the journal is tidied up, loses nothing.
        if told.code == Some(0) {
            assert_eq!(sandbox.report()["complete"], true, "sync {nth}: {told:?}");
        } else {
            assert_eq!(told.code, Some(1), "{told:?}");
            assert!(told.err.contains("next:") || told.out.contains("next:"), "{told:?}");
        }
        let effects: Vec<&&str> =
            after.iter().filter(|line| line.contains("/live/") && !line.contains("sync(")).collect();
        assert!(effects.is_empty(), "sync {nth} failed, and yet: {effects:#?}\n{told:?}");
        let again = after.iter().any(|line| line.contains("journal.db-wal") && line.ends_with("= 0"));
        assert!(!again, "sync {nth} was tried again: {after:#?}");
        lost += usize::from(journal_is_lost);
        let told = if sandbox.has_a_run() { sandbox.resume() } else { sandbox.rekindle(&run) };
        if told.code != Some(0) {
            sandbox.rekindle(&run).exits(0);
        }
        sandbox.rekindle(&["plan", "runbook.yaml", "--user", "bob"]).exits(0);
    }
    panic!("still syncing after {MOST_SYNCS}");
}

#[test]
fn a_journal_on_a_full_disk_stops_the_run_and_a_larger_one_lets_it_finish() {
    for (full, kilobytes) in (40..=1000).step_by(40).enumerate() {
        let sandbox = Sandbox::on_directory();
        let disk = Mounted::tmpfs(&sandbox.path("state"), &format!("size={kilobytes}k"));
        let told = sandbox.run();
        if told.code == Some(0) {
            assert!(full > 1, "{kilobytes} KiB were enough at once");
            return;
        }
        assert!(told.err.contains("error") || told.out.contains("FAILED"), "{kilobytes}: {told:?}");
        let told = told.says("next:").says("space");
        assert_ne!(told.code, Some(101));
        disk.remount("size=20m");
        let resumed = sandbox.resume();
        if resumed.code != Some(0) {
            // Undo records that found no room fail their task before its INTENT: a new run does it.
            sandbox.run().exits(0);
        }
        same(&sandbox.live(), Sandbox::undisturbed(), &format!("a journal of {kilobytes} KiB, then of 20 MiB"));
    }
    panic!("1 MB is not enough for six tasks");
}

#[test]
fn a_run_that_found_no_room_to_begin_leaves_nothing_behind() {
    let mut unbegun = 0;
    for kilobytes in [4, 16, 40, 64, 80, 100, 120] {
        let sandbox = Sandbox::on_directory();
        let disk = Mounted::tmpfs(&sandbox.path("state"), &format!("size={kilobytes}k"));
        sandbox.run().exits(1).says("next:");
        disk.remount("size=20m");
        let told = sandbox.rekindle(&["runs"]).exits(0);
        assert!(!told.out.contains("unreadable"), "{kilobytes}: {told:?}");
        if told.out.contains("there are no runs yet") {
            unbegun += 1;
            let keys = fs::read_dir(sandbox.path("state/keys"))
                .map_or(0, |keys| keys.filter(|key| key.as_ref().unwrap().file_name() != "digests").count());
            assert_eq!(keys, 0, "{kilobytes}");
        }
        sandbox.run().exits(0);
    }
    assert!(unbegun > 2, "{unbegun}");
}

/// Homes on a file system of their own.
fn homes_on(options: &str, backup: &str) -> (Sandbox, Mounted) {
    let sandbox = Sandbox::with_own_backup(backup);
    sh(&sandbox.path("live"), "mv home away");
    let disk = Mounted::tmpfs(&sandbox.path("live/home"), options);
    sh(&sandbox.path("live"), "cp -a away/. home; rm -r away");
    (sandbox, disk)
}

#[test]
fn a_full_target_fails_that_user_alone_and_leaves_the_old_file() {
    let (sandbox, disk) =
        homes_on("size=6m", "head -c 5000000 /dev/urandom > home/bob/notes.txt; chown 1234:1235 home/bob/notes.txt");
    let before = fs::read_to_string(sandbox.path("live/home/bob/notes.txt")).unwrap();
    sandbox.run().exits(1).says("home/bob").says("and 4.1 MB to spare").says("next: free space");
    assert_eq!(fs::read_to_string(sandbox.path("live/home/bob/notes.txt")).unwrap(), before);
    for (task, status) in [("home/ana", "done"), ("home/cyd", "done"), ("account/bob", "done"), ("home/bob", "failed")]
    {
        assert_eq!(sandbox.status(task), status, "{task}");
    }
    disk.remount("size=20m");
    sandbox.run().exits(0);
    assert_eq!(fs::metadata(sandbox.path("live/home/bob/notes.txt")).unwrap().len(), 5_000_000);
}

#[test]
fn a_sparse_file_larger_than_the_disk_comes_back_with_its_holes() {
    let (sandbox, _disk) = homes_on("size=9m", "truncate -s 200M home/bob/disk.img; printf data >> home/bob/disk.img");
    sandbox.run().exits(0);
    let image = fs::metadata(sandbox.path("live/home/bob/disk.img")).unwrap();
    assert_eq!(image.len(), 200 * 1024 * 1024 + 4);
    assert!(std::os::unix::fs::MetadataExt::blocks(&image) * 512 < 1024 * 1024);
}

#[test]
fn a_read_only_target_is_named_and_the_accounts_go_on() {
    let (sandbox, disk) = homes_on("size=9m", "true");
    disk.remount("ro");
    let before = sandbox.live();
    sandbox.run().exits(1).says("Read-only").says("next:");
    assert_eq!(sandbox.status("account/cyd"), "done");
    assert_eq!(sandbox.status("home/bob"), "failed");
    disk.remount("rw");
    let homes: Vec<String> = sandbox.live().differs(&before);
    assert!(homes.iter().all(|one| one.contains(".yaml")), "{homes:#?}");
    sandbox.run().exits(0);
}

#[test]
fn a_target_that_fails_to_sync_is_not_called_restored() {
    let sandbox = Sandbox::on_directory();
    let strace =
        ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=syncfs", "-e", "inject=syncfs:error=EIO:when=1+"];
    let wrapper = [&strace[..], &[env!("CARGO_BIN_EXE_rekindle")]].concat();
    let told =
        sandbox.around(&wrapper, &["run", "runbook.yaml", "--plain", "--yes", "--yes-deletes"]).output().unwrap();
    Told::of(told).exits(1).says("next:");
    let report = sandbox.report();
    let done = report["tasks"].as_array().unwrap().iter().filter(|task| task["status"] == "done").count();
    assert_eq!(done, 0, "{report:#}");
    sandbox.run().exits(0);
}

/// What is synced before a run's first event costs every run; what must be is, in its order.
#[test]
fn a_run_begins_with_few_syncs_and_its_journals_file_is_among_them() {
    let sandbox = Sandbox::on_directory();
    sandbox.rekindle(&["plan", "runbook.yaml"]).exits(2);
    let log = sandbox.path("strace.log");
    let trace = ["strace", "-f", "-qq", "-y", "-o", log.to_str().unwrap(), "-e", "trace=fsync,fdatasync"];
    let wrapper = [&trace[..], &[env!("CARGO_BIN_EXE_rekindle")]].concat();
    let run = ["run", "runbook.yaml", "--plain", "--yes", "--yes-deletes"];
    Told::of(sandbox.around(&wrapper, &run).output().unwrap()).exits(0);
    let log = fs::read_to_string(log).unwrap();
    let begun: Vec<&str> = log.lines().take_while(|line| !line.contains("journal.db-wal")).collect();
    assert!(begun.len() < log.lines().count() && begun.len() <= 12, "{begun:#?}");
    for file in ["journal.db>", "undo.db>", ".key.", ".head>", "/runs>"] {
        assert!(begun.iter().any(|line| line.contains(file)), "{file}: {begun:#?}");
    }
}

#[test]
fn what_is_mounted_in_a_home_is_left_alone_and_the_rest_is_restored() {
    let sandbox = Sandbox::with_own_backup("mkdir -p home/bob/disk home/bob/other; echo x > home/bob/disk/x");
    let home = sandbox.path("live/home/bob");
    let _mounted = Mounted::tmpfs(&home.join("disk"), "size=1m");
    fs::write(home.join("disk/own"), "precious").unwrap();
    let run = sandbox.run().exits(0);
    assert!(run.out.contains("disk: not restored: another file system is mounted there"), "{run:?}");
    assert_eq!(fs::read_to_string(home.join("notes.txt")).unwrap(), "notes of bob\n");
    assert!(home.join("other").is_dir() && !home.join("disk/x").exists());
    assert_eq!(fs::read_to_string(home.join("disk/own")).unwrap(), "precious");
    sandbox.rekindle(&["plan", "runbook.yaml"]).exits(0);
    sandbox.undo().exits(0);
    assert_eq!(fs::read_to_string(home.join("disk/own")).unwrap(), "precious");
}
