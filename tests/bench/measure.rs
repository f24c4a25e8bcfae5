//! Side by side, in one run: each command in turn, several rounds, medians and ratios.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

pub struct Contender<'a> {
    pub name: &'static str,
    /// Brings the place back to where the command begins; not timed.
    pub before: Box<dyn Fn() + 'a>,
    pub command: Box<dyn Fn() -> Command + 'a>,
}

/// Seconds of each contender, median first, after one uncounted round.
pub fn race(contenders: &[Contender<'_>], rounds: usize) -> Vec<(&'static str, f64, f64, f64)> {
    let mut seconds: Vec<Vec<f64>> = contenders.iter().map(|_| Vec::new()).collect();
    for round in 0..=rounds {
        for (contender, times) in contenders.iter().zip(&mut seconds) {
            (contender.before)();
            // What earlier rounds left in memory is not this one's to write.
            rustix::fs::sync();
            let mut command = (contender.command)();
            let log = std::env::temp_dir().join("rekindle-bench.log");
            let output = std::fs::File::create(&log).expect("a log");
            command.stdin(Stdio::null()).stdout(output.try_clone().expect("a log")).stderr(output);
            let began = Instant::now();
            let status = command.status().unwrap_or_else(|error| panic!("{}: {error}", contender.name));
            let took = began.elapsed().as_secs_f64();
            if !status.success() {
                panic!(
                    "{} ended with {status}:\n{}",
                    contender.name,
                    std::fs::read_to_string(&log).unwrap_or_default()
                );
            }
            if round > 0 {
                times.push(took);
            }
        }
    }
    contenders
        .iter()
        .zip(seconds)
        .map(|(contender, mut times)| {
            times.sort_by(f64::total_cmp);
            (contender.name, times[times.len() / 2], times[0], times[times.len() - 1])
        })
        .collect()
}

pub fn print(title: &str, results: &[(&'static str, f64, f64, f64)]) {
    println!("\n{title}");
    println!("| | median s | min | max | times rekindle's |");
    println!("|---|---|---|---|---|");
    let own = results[0].1;
    for (name, median, min, max) in results {
        println!("| {name} | {median:.2} | {min:.2} | {max:.2} | {:.2} |", median / own);
    }
}

/// 20,000 files, 200 MB: many small, some middling, a few large; directories of 100.
pub fn make_tree(root: &Path) {
    let mut random = blake3::Hasher::new().update(b"tree").finalize_xof();
    for directory in 0..200 {
        let folder = root.join(format!("{:02}/{:03}", directory % 20, directory));
        std::fs::create_dir_all(&folder).expect("a folder");
        for file in 0..100 {
            let size = match file % 50 {
                0 => 200_000,
                1..=9 => 20_000,
                _ => 2_500,
            };
            let mut bytes = vec![0; size];
            random.fill(&mut bytes);
            std::fs::write(folder.join(format!("file-{file:03}.dat")), bytes).expect("a file");
        }
    }
}

/// Below `REKINDLE_BENCH_DIR`, or the folder for temporary files.
pub fn scratch(name: &str) -> PathBuf {
    let root = std::env::var_os("REKINDLE_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = root.join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a scratch folder");
    folder
}
