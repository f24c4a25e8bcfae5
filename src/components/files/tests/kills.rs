//! A kill at every named point, again and again, until the write gets through: a panic there unwinds past
//! all cleaning up, as a killed process would.
#![cfg(feature = "failpoints")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

const POINTS: [&str; 8] = [
    "files::unlocked",
    "files::locked_again",
    "files::after_shift",
    "files::before_rename",
    "files::after_rename",
    "files::after_batch",
    "files::before_publish",
    "files::after_publish",
];

/// Kills this thread's writes at each point's `nth` passing; others' tests run beside it.
fn killed_at(point: &str, nth: usize, write: impl FnOnce() -> Result<Effect>) -> Option<Result<Effect>> {
    let me = std::thread::current().id();
    let passed = AtomicUsize::new(0);
    fail::cfg_callback(point, move || {
        if std::thread::current().id() == me && passed.fetch_add(1, Ordering::SeqCst) == nth {
            // Unlike a panic, this one prints nothing.
            std::panic::resume_unwind(Box::new("killed"));
        }
    })
    .unwrap();
    let outcome = catch_unwind(AssertUnwindSafe(write)).ok();
    fail::remove(point);
    outcome
}

fn swept(make: impl Fn() -> Ground) {
    let mut kills = 0;
    for point in POINTS {
        for nth in 0.. {
            let ground = make();
            let former = ground.live_state();
            let plan = ground.plan();
            let Some(finished) = killed_at(point, nth, || ground.write(&plan)) else {
                kills += 1;
                ground.write(&plan).unwrap_or_else(|error| panic!("after {point} {nth}: {error}"));
                assert_eq!(ground.live_state(), ground.backup_state(), "after a kill at {point}, passing {nth}");
                assert_eq!(ground.leftovers(), [""; 0]);
                ground.undo();
                assert_eq!(ground.live_state(), former, "undo after a kill at {point}, passing {nth}");
                continue;
            };
            finished.unwrap();
            break;
        }
    }
    assert!(kills > 0);
}

/// The same for the way back: a former node has a name at every moment, and only one in the end.
fn undo_swept(make: impl Fn() -> Ground) {
    let mut kills = 0;
    for point in POINTS {
        for nth in 0.. {
            let ground = make();
            let former = ground.live_state();
            ground.restore();
            let undo = ground.undo_plan();
            let finished = killed_at(point, nth, || ground.write(&undo));
            let is_killed = finished.is_none();
            match finished {
                Some(finished) => drop(finished.unwrap()),
                None => {
                    kills += 1;
                    ground.write(&undo).unwrap_or_else(|error| panic!("after {point} {nth}: {error}"));
                }
            }
            assert_eq!(ground.live_state(), former, "undo killed at {point}, passing {nth}");
            assert_eq!(ground.leftovers(), [""; 0]);
            if !is_killed {
                break;
            }
        }
    }
    assert!(kills > 0);
}

#[test]
fn an_undo_killed_anywhere_is_finished_by_the_next() {
    let _turn = POINTS_TURN.lock().unwrap();
    undo_swept(|| {
        let mut ground = Ground::new();
        ground.exact = true;
        ground.backup("echo right > f; echo new > n; mkdir turned; echo t > turned/t; echo x > was-pipe");
        ground.live("echo not-right > f; ln f g; ln f h; mkfifo pipe was-pipe; echo x > turned; mkdir d; echo g > d/g");
        ground
    });
}

#[test]
fn a_write_killed_anywhere_is_finished_by_the_next_and_undone_bit_for_bit() {
    let _turn = POINTS_TURN.lock().unwrap();
    swept(|| {
        let ground = Ground::new();
        ground.backup("mkdir a; echo 1 > a/one; echo 22 > two; ln two three; ln -s x link");
        ground
    });
    swept(|| {
        let mut ground = Ground::new();
        ground.exact = true;
        ground.backup("mkdir d n; echo right > d/f; chmod 600 d/f; echo i > n/i; ln n/i n/j; ln -s new l; mkdir turned; echo t > turned/t; echo flat > flat; echo m > m; touch -d 2001-01-01 m; chmod 640 m");
        ground.live("mkdir d; echo not-right > d/f; ln -s old l; echo x > turned; mkdir flat; echo in > flat/in; echo extra > extra; mkdir gone; echo g > gone/g; echo m > m; touch -d 2001-01-01 m; chown 5 m");
        ground
    });
}

/// On a file system that cannot exchange two names the former node goes first, and comes back by what is kept of it.
#[test]
fn the_same_holds_where_two_names_cannot_be_exchanged() {
    let _turn = POINTS_TURN.lock().unwrap();
    EXCHANGES_NOT.set(true);
    let make = || {
        let mut ground = Ground::new();
        ground.exact = true;
        ground.backup("mkdir d; echo right > d/f; chmod 600 d/f; ln -s new l; echo flat > flat; echo n > n");
        ground.live("mkdir d; echo not-right > d/f; ln d/f g; ln -s old l; mkdir flat; echo in > flat/in");
        ground
    };
    swept(make);
    undo_swept(make);
    EXCHANGES_NOT.set(false);
}

/// What belongs to somebody else cannot be linked by an ordinary user, nor read: it is moved back.
#[test]
fn what_can_only_be_moved_comes_back_after_a_kill_too() {
    let _turn = POINTS_TURN.lock().unwrap();
    LINKS_NOT.set(true);
    undo_swept(|| {
        let mut ground = Ground::new();
        ground.exact = true;
        ground.backup("echo right > f; echo new > n; mkdir turned; echo t > turned/t; echo x > was-pipe; ln -s f l");
        ground.live("echo not-right > f; mkfifo pipe was-pipe; echo x > turned; mkdir d; echo g > d/g; echo l > l");
        ground
    });
    undo_swept(|| {
        let mut ground = Ground::new();
        ground.exact = true;
        ground.backup("cd ..; rmdir ana").live("echo not-right > f; mkfifo pipe; mkdir d; echo g > d/g");
        ground
    });
    LINKS_NOT.set(false);
}

/// A write opens read-only directories for as long as it needs.
#[test]
fn a_directory_that_a_killed_write_had_opened_is_as_it_was_after_the_next() {
    let _turn = POINTS_TURN.lock().unwrap();
    AS_USER.set(true);
    let make = || {
        let mut ground = Ground::new();
        ground.exact = true;
        ground.backup("mkdir -p ro/sub; echo right > ro/a; echo s > ro/sub/s; chmod 555 ro/sub ro");
        ground.live("mkdir -p ro/sub; echo not-right > ro/a; echo more > ro/more; chmod 555 ro/sub ro");
        ground
    };
    swept(make);
    undo_swept(make);
    // A kill after the last effect: nothing is left to write, so that no further write closes it.
    for point in ["files::unlocked", "files::after_batch", "files::locked_again"] {
        let ground = make();
        let plan = ground.plan();
        assert!(killed_at(point, 0, || ground.write(&plan)).is_none(), "{point}");
        let root = Beneath::open(&ground.live).unwrap();
        super::super::unlocked::lock_after(&root, "run-1", &[Ground::key()]).unwrap();
        let mode = |of: &str| root.entry(&TreePath::new(of).unwrap()).unwrap().unwrap().meta.mode;
        assert_eq!((mode("ana/ro"), mode("ana/ro/sub")), (0o555, 0o555), "{point}");
        ground.write(&plan).unwrap();
        assert_eq!(ground.live_state(), ground.backup_state(), "{point}");
    }
    AS_USER.set(false);
}

/// A program saves in the last moment, and the process dies before it has looked at what came out.
#[test]
fn a_save_that_a_killed_write_had_in_its_hands_is_back_after_the_next() {
    let _turn = POINTS_TURN.lock().unwrap();
    for (exchanges_not, dies_at) in [(false, "files::after_rename"), (true, "files::after_shift")] {
        let ground = Ground::new();
        ground.backup("echo restored-text > f; echo other > g").live("echo old > f; echo not-other > g");
        let plan = ground.plan();
        let home = ground.live.join(KEY);
        let me = std::thread::current().id();
        EXCHANGES_NOT.set(exchanges_not);
        fail::cfg_callback("files::before_rename", move || {
            if std::thread::current().id() == me && !home.join("saved").exists() {
                std::fs::write(home.join("saved"), "").unwrap();
                std::fs::write(home.join("f.new"), "saved just now").unwrap();
                std::fs::rename(home.join("f.new"), home.join("f")).unwrap();
            }
        })
        .unwrap();
        let killed = killed_at(dies_at, 0, || ground.write(&plan));
        fail::remove("files::before_rename");
        assert!(killed.is_none(), "{dies_at}");
        let again = ground.write(&plan);
        EXCHANGES_NOT.set(false);
        assert_eq!(kind_of(again).0, ErrorKind::Conflict, "{dies_at}");
        assert_eq!(std::fs::read_to_string(ground.live.join("ana/f")).unwrap(), "saved just now", "{dies_at}");
    }
}
