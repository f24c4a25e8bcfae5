//! A file's diff of 100 MB a side, as the screen makes it: how soon the first difference is there, how fast the rest
//! is read, and what it takes of memory; beside `diff` on the same files. `cargo bench --bench lines [-- MEGABYTES]`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark stops at the first failure")]

#[path = "measure.rs"]
#[allow(dead_code)]
mod measure;
mod memory;

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rekindle::diff::lines::{Passage, Streamed};

const ROUNDS: usize = 5;

/// Whether the line of that number is another one in the new text.
type IsChanged = Box<dyn Fn(usize) -> bool>;

fn main() {
    let megabytes: usize = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(100);
    let scratch = measure::scratch("rekindle-bench-lines");
    let old = scratch.join("old");
    let lines = write(&old, megabytes, |_| false);
    println!("{megabytes} MB, {lines} lines; medians of {ROUNDS}\n");
    println!("| | first difference, ms | all, s | MB/s | longest wait, ms | differences | `diff`, s | peak MB |");
    println!("|---|---|---|---|---|---|---|---|");
    // A multiplication spreads the changed lines evenly, without a pattern.
    let spread = |line: usize| line.wrapping_mul(2_654_435_761) % 1_000;
    let thousandth = lines / 1_000;
    let cases: [(&str, IsChanged); 3] = [
        ("1,000 lines changed", Box::new(move |line| line % thousandth == 1)),
        ("the last line changed", Box::new(move |line| line + 1 == lines)),
        ("30 % of the lines changed", Box::new(move |line| spread(line) < 300)),
    ];
    for (name, is_changed) in cases {
        let new = scratch.join("new");
        write(&new, megabytes, is_changed);
        let mut rounds: Vec<Round> = (0..ROUNDS).map(|_| compared(&old, &new)).collect();
        rounds.sort_by_key(|round| round.all);
        let round = &rounds[ROUNDS / 2];
        let peer = peer(&old, &new);
        let (first, wait) = (milliseconds(round.first), milliseconds(round.wait));
        let all = round.all.as_secs_f64();
        println!(
            "| {name} | {first} | {all:.2} | {:.0} | {wait} | {} | {:.2} | {:.0} |",
            2.0 * megabytes as f64 / all,
            round.differences,
            peer.as_secs_f64(),
            memory::peak(),
        );
    }
    let _ = fs::remove_dir_all(&scratch);
}

struct Round {
    first: Duration,
    all: Duration,
    /// Between two times that the comparison gives its caller a chance to show something.
    wait: Duration,
    differences: usize,
}

fn compared(old: &Path, new: &Path) -> Round {
    let began = Instant::now();
    let mut streamed = Streamed::of(File::open(old).unwrap(), File::open(new).unwrap());
    let (mut first, mut wait, mut differences) = (None, Duration::ZERO, 0);
    let mut last = began;
    while let Some(passage) = streamed.next_passage().unwrap() {
        if matches!(passage, Some(Passage::Differs { .. })) {
            first.get_or_insert_with(|| began.elapsed());
            differences += 1;
        }
        wait = wait.max(last.elapsed());
        last = Instant::now();
    }
    let all = began.elapsed();
    Round { first: first.unwrap_or(all), all, wait, differences }
}

fn peer(old: &Path, new: &Path) -> Duration {
    let began = Instant::now();
    let diff = Command::new("diff").args([old, new]).stdout(Stdio::null()).status().unwrap();
    assert_eq!(diff.code(), Some(1));
    began.elapsed()
}

/// Answers how many lines.
fn write(path: &Path, megabytes: usize, is_changed: impl Fn(usize) -> bool) -> usize {
    let mut file = BufWriter::new(File::create(path).unwrap());
    let (mut bytes, mut line) = (0, 0);
    while bytes < megabytes * 1_000_000 {
        let word = if is_changed(line) { "changed" } else { "content" };
        let text = format!("line {line:08} of a long file, with some {word} that a log might have\n");
        file.write_all(text.as_bytes()).unwrap();
        bytes += text.len();
        line += 1;
    }
    file.flush().unwrap();
    line
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.1}", duration.as_secs_f64() * 1_000.0)
}
