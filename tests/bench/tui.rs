//! What the screen of a run of 80,000 and of 1,000,000 tasks costs, in a terminal, beside `less` and `vim` with as many
//! lines as the smaller has.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "pty.rs"]
mod pty;

use std::ffi::OsStr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use pty::Pty;
use rekindle::journal::{Journal, RunFolder, StateFolder};
use rekindle::model::{Event, Recorded, RunHeader, TaskId};
use serde_json::json;

/// Two tasks each.
const USERS: u32 = 40_000;
const MANY_USERS: u32 = 500_000;
const KEYS: usize = 200;
/// Events a second while keys are pressed.
const EVENTS: u64 = 1_000;
const SIZES: [(u16, u16); 2] = [(80, 24), (200, 60)];

fn main() {
    let mut run = Bench::of(USERS);
    let lines: String = (0..2 * USERS).map(|number| format!("{number:05} a line of a file\n")).collect();
    let file = run.root.path().join("lines");
    std::fs::write(&file, lines).unwrap();
    println!("{KEYS} keys each; times in ms\n");
    println!(
        "| | size | first output | usable | key p50 | p99 | busy p99 | move bytes | scroll bytes | idle bytes | \
         idle CPU | MB | filter p50 / p99 |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    for size in SIZES {
        println!("| rekindle watch, {} tasks {}", 2 * USERS, rekindle(&mut run, size));
        for (name, program, arguments) in
            [("less", "less", vec![]), ("vim", "vim", vec!["-u", "NONE", "-N", "-n", "+set ruler"])]
        {
            if let Some(row) = other(program, &arguments, &file, size) {
                println!("| {name} {row}");
            }
        }
    }
    let mut run = Bench::of(MANY_USERS);
    println!("| rekindle watch, {} tasks {}", 2 * MANY_USERS, rekindle(&mut run, SIZES[1]));
}

/// A run whose journal is written here.
struct Bench {
    root: tempfile::TempDir,
    journal: Journal,
    users: u32,
    seq: u64,
}

impl Bench {
    fn of(users: u32) -> Self {
        let root = tempfile::tempdir().unwrap();
        let (folder, _) = RunFolder::create(&StateFolder::at(root.path()), "bench").unwrap();
        let journal = Journal::create(&folder, 0).unwrap();
        let seq = write(&journal, users);
        Self { root, journal, users, seq }
    }
}

/// Every account is as it should be; homes wait to be planned.
fn write(journal: &Journal, users: u32) -> u64 {
    let names: Vec<String> = (0..users).map(|user| format!("user{user:05}")).collect();
    let header: RunHeader = serde_json::from_value(json!({
        "id": "bench", "title": "Bench", "by": "ops@bastion", "version": "0", "runbook": "", "runbook_path": "",
        "digest": null, "inputs": {},
        "steps": [
            {"id": "account", "kind": "restore", "each": "user"},
            {"id": "home", "kind": "restore", "each": "user", "needs": [0]},
        ],
        "owners": [{"set": "user", "names": names}], "identities": {},
    }))
    .unwrap();
    let opened = std::iter::once(Event::Opened { run: std::sync::Arc::new(header) });
    let events = opened.chain((0..users).map(|task| Event::Unchanged { task: TaskId(task) }));
    let mut events: Vec<Recorded> = (1..).zip(events).map(|(seq, event)| Recorded { seq, at: 0, event }).collect();
    let count = events.len() as u64;
    let rest = events.split_off(1);
    journal.append_and_wait(events).unwrap();
    journal.append_and_wait(rest).unwrap();
    count
}

fn rekindle(run: &mut Bench, size: (u16, u16)) -> String {
    let Bench { root, journal, users, seq } = run;
    let (users, root) = (*users, root.path());
    let other_build = std::env::var_os("REKINDLE_BENCH_PROGRAM");
    let program = other_build.as_deref().unwrap_or(OsStr::new(env!("CARGO_BIN_EXE_rekindle")));
    let arguments = [OsStr::new("watch"), OsStr::new("bench")];
    let environment = [("REKINDLE_STATE", root.as_os_str()), ("XDG_CONFIG_HOME", root.as_os_str())];
    let mut pty = Pty::start(program, &arguments, &environment, size);
    let first = pty.first_output();
    // The last of its events is on the screen.
    let settled = format!("{}/{} settled", *seq - 1, 2 * users);
    let usable = pty.until(&settled, |screen| screen.contents().contains(&settled)) - pty.started;
    pty.rest();
    let row = |screen: &vt100::Screen| {
        let width = screen.size().1.into();
        screen.rows(0, width).position(|row| row.starts_with('>')).map(|at| (at, screen.rows(0, width).nth(at)))
    };
    let (moves, move_bytes) = pressed(&mut pty, &["j", "k"], row);
    pty.press("g");
    pty.rest();
    // To the last line, from where each further one scrolls the list.
    (0..size.1).for_each(|_| pty.press("j"));
    pty.rest();
    let (_, scroll_bytes) = pressed(&mut pty, &["j"], row);
    let idle = idle(&pty);
    let memory = pty.memory();
    let is_over = AtomicBool::new(false);
    let busy = std::thread::scope(|scope| {
        scope.spawn(|| {
            // The latest homes are skipped, one after another.
            while !is_over.load(Ordering::Relaxed) {
                let batch = (0..EVENTS / 100).map(|_| {
                    *seq += 1;
                    let task = TaskId(2 * users - skipped(*seq, users) as u32);
                    let event = Event::Skipped { task, why: "bench".to_owned(), by: "bench".to_owned() };
                    Recorded { seq: *seq, at: 0, event }
                });
                journal.append_and_wait(batch.collect()).unwrap();
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        std::thread::sleep(Duration::from_millis(500));
        pty.press("g");
        pty.rest_or(Duration::from_millis(200));
        let (busy, _) = pressed(&mut pty, &["j", "k"], row);
        is_over.store(true, Ordering::Relaxed);
        busy
    });
    pty.rest_or(Duration::from_secs(1));
    pty.press("/user:user3 step:acc");
    let head = |screen: &vt100::Screen| screen.rows(0, screen.size().1.into()).nth(4);
    pty.until("the filter", |screen| head(screen).is_some_and(|head| head.contains("step:acc")));
    pty.rest_or(Duration::from_secs(1));
    let (filter, _) = pressed(&mut pty, &["o", "\x7f"], head);
    let row = told(size, first, Some(usable), &moves, Some(&busy), move_bytes, Some(scroll_bytes), idle, memory);
    format!("{row} {} / {} |", milliseconds(at(&filter, 50)), milliseconds(at(&filter, 99)))
}

/// How many of the events until `seq` came from here, after the journal was written.
fn skipped(seq: u64, users: u32) -> u64 {
    seq.saturating_sub(u64::from(users) + 1)
}

fn other(program: &str, arguments: &[&str], file: &Path, size: (u16, u16)) -> Option<String> {
    let path = std::env::var_os("PATH")?;
    let program = std::env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.exists())?;
    let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).chain([file.as_os_str()]).collect();
    let mut pty = Pty::start(program.as_os_str(), &arguments, &[], size);
    let first = pty.first_output();
    let usable = pty.until("a line", |screen| screen.contents().contains("00001 a line")) - pty.started;
    pty.rest();
    let look = |screen: &vt100::Screen| (screen.cursor_position(), screen.rows(0, 10).next());
    let (moves, bytes) = pressed(&mut pty, &["j", "k"], look);
    let idle = idle(&pty);
    let memory = pty.memory();
    Some(told(size, first, Some(usable), &moves, None, bytes, None, idle, memory) + " |")
}

/// How long each of the keys took, shortest first, and the median of their bytes.
fn pressed<T: PartialEq>(pty: &mut Pty, keys: &[&str], look: impl Fn(&vt100::Screen) -> T) -> (Vec<Duration>, usize) {
    let (mut took, mut bytes) = (Vec::new(), Vec::new());
    for key in keys.iter().cycle().take(KEYS) {
        let before = pty.bytes();
        took.push(pty.answer(key, &look));
        std::thread::sleep(Duration::from_millis(15));
        bytes.push(pty.bytes() - before);
    }
    took.sort();
    bytes.sort_unstable();
    (took, bytes[bytes.len() / 2])
}

/// Bytes, and milliseconds of CPU time, in three seconds in which nothing happens.
fn idle(pty: &Pty) -> (usize, u64) {
    pty.rest();
    let before = (pty.bytes(), pty.cpu());
    let end = Instant::now() + Duration::from_secs(3);
    std::thread::sleep(end - Instant::now());
    (pty.bytes() - before.0, pty.cpu() - before.1)
}

/// Of times that are sorted.
fn at(times: &[Duration], hundredths: usize) -> Duration {
    times[(times.len() - 1) * hundredths / 100]
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.1}", duration.as_secs_f64() * 1_000.0)
}

#[expect(clippy::too_many_arguments, reason = "one column each")]
fn told(
    (width, height): (u16, u16),
    first: Duration,
    usable: Option<Duration>,
    moves: &[Duration],
    busy: Option<&[Duration]>,
    move_bytes: usize,
    scroll_bytes: Option<usize>,
    idle: (usize, u64),
    memory: f64,
) -> String {
    let none = || "-".to_owned();
    format!(
        "| {width}x{height} | {} | {} | {} | {} | {} | {move_bytes} | {} | {} | {} ms in 3 s | {memory:.0} |",
        milliseconds(first),
        usable.map_or_else(none, milliseconds),
        milliseconds(at(moves, 50)),
        milliseconds(at(moves, 99)),
        busy.map_or_else(none, |busy| milliseconds(at(busy, 99))),
        scroll_bytes.map_or_else(none, |bytes| bytes.to_string()),
        idle.0,
        idle.1,
    )
}
