//! `kill -9` of the shipped binary at every system call that has an effect.
//!
//! strace counts for each thread apart, so the n-th call of whichever thread comes there first is where the
//! process dies; the sweep of a call ends when no thread reaches its n-th.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::sandbox::{Sandbox, same};

/// What makes a file needs no kill of its own: the next call finds it just made.
const CALLS: [&str; 14] = [
    "renameat2",
    "fsetxattr,setxattr",
    "ftruncate",
    "linkat",
    "symlinkat",
    "mkdirat",
    "unlink,unlinkat",
    "fchmod,fchmodat",
    "fchown,fchownat",
    "utimensat",
    "syncfs",
    "fsync,fdatasync",
    "pwrite64",
    "write",
];
/// A sweep that did not end by itself would be a run without end.
const MOST: usize = 400;

/// Lets `arguments` be killed at its n-th `call`; whether it was.
pub fn killed(sandbox: &Sandbox, call: &str, nth: usize, arguments: &[&str]) -> bool {
    let inject = format!("inject={call}:signal=KILL:when={nth}");
    let trace = format!("trace={call}");
    let strace =
        ["strace", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject, env!("CARGO_BIN_EXE_rekindle")];
    let output = sandbox.around(&strace, arguments).output().unwrap();
    if output.status.success() {
        return false;
    }
    use std::os::unix::process::ExitStatusExt;
    let by_kill = output.status.signal() == Some(9) || output.status.code() == Some(137);
    assert!(by_kill, "{call} {nth}: {:?} {}", output.status, String::from_utf8_lossy(&output.stderr));
    true
}

/// Goes on with what a kill left, and checks that nobody could tell it from an undisturbed run.
pub fn finished(sandbox: &Sandbox, when: &str) {
    let told = sandbox.resume();
    // Killed before its first event was durable, it has done nothing, and there is no run to go on with.
    let unbegun = ["start a new run", "start one with"].iter().any(|hint| told.err.contains(hint));
    let told = if unbegun { sandbox.run() } else { told };
    assert_eq!(told.code, Some(0), "{when}: {}{}", told.out, told.err);
    same(&sandbox.live(), Sandbox::undisturbed(), when);
    let report = sandbox.report();
    assert_eq!(report["chain"]["sound"], true, "{when}: {report}");
}

fn sweep(call: &str) -> usize {
    let run = ["run", "runbook.yaml", "--plain", "--yes", "--yes-deletes"];
    for nth in 1..=MOST {
        let sandbox = Sandbox::on_directory();
        let former = sandbox.live().but_directory_times();
        if !killed(&sandbox, call, nth, &run) {
            return nth - 1;
        }
        let when = format!("killed at {call} {nth}");
        finished(&sandbox, &when);
        sandbox.undo().exits(0);
        same(&sandbox.live().but_directory_times(), &former, &format!("undone after it was {when}"));
    }
    panic!("{call}: still killed at the {MOST}th");
}

#[test]
fn a_run_killed_at_any_effect_is_finished_by_a_resume() {
    let kills = side_by_side(sweep);
    println!("{kills:?}");
    for (call, kills) in &kills {
        assert!(*kills > 0, "no run was killed at {call}");
    }
}

#[test]
fn an_undo_killed_at_any_effect_is_finished_by_the_next() {
    let kills = side_by_side(sweep_undo);
    println!("{kills:?}");
    for call in ["renameat2", "unlink,unlinkat", "syncfs", "fsync,fdatasync", "pwrite64"] {
        assert!(kills.get(call).is_some_and(|kills| *kills > 0), "no undo was killed at {call}");
    }
}

fn sweep_undo(call: &str) -> usize {
    for nth in 1..=MOST {
        let sandbox = Sandbox::on_directory();
        let former = sandbox.live().but_directory_times();
        sandbox.run().exits(0);
        if !killed(&sandbox, call, nth, &["undo", "--yes", "--yes-deletes"]) {
            return nth - 1;
        }
        let told = sandbox.undo();
        let all_undone = told.err.contains("changed nothing that can be brought back");
        assert!(told.code == Some(0) || all_undone, "undo killed at {call} {nth}: {}{}", told.out, told.err);
        same(&sandbox.live().but_directory_times(), &former, &format!("undo killed at {call} {nth}"));
    }
    panic!("{call}: still killed at the {MOST}th");
}

/// Kills by call; most of a sweep is waiting for the disk.
fn side_by_side(sweep: fn(&str) -> usize) -> BTreeMap<&'static str, usize> {
    let next = AtomicUsize::new(0);
    let work = || {
        let calls = std::iter::from_fn(|| CALLS.get(next.fetch_add(1, Ordering::Relaxed)));
        calls.map(|call| (*call, sweep(call))).collect::<Vec<_>>()
    };
    std::thread::scope(|scope| {
        let workers = [(); 3].map(|()| scope.spawn(work));
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
}
