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

/// Seconds of one contender: from begin to end, in all of its rounds, and of the processors (user + sys), its median.
pub type Raced = (&'static str, f64, f64, f64, f64);

/// Each contender's seconds, median first, then the least and the most, after one uncounted round.
pub fn race(contenders: &[Contender<'_>], rounds: usize) -> Vec<Raced> {
    let mut seconds: Vec<Vec<(f64, f64)>> = contenders.iter().map(|_| Vec::new()).collect();
    for round in 0..=rounds {
        for (contender, times) in contenders.iter().zip(&mut seconds) {
            (contender.before)();
            // What earlier rounds left in memory is not this one's to write.
            rustix::fs::sync();
            let mut command = (contender.command)();
            let log = std::env::temp_dir().join("rekindle-bench.log");
            let output = std::fs::File::create(&log).expect("a log");
            command.stdin(Stdio::null()).stdout(output.try_clone().expect("a log")).stderr(output);
            let (began, worked) = (Instant::now(), children_worked());
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
                times.push((took, children_worked() - worked));
            }
        }
    }
    contenders
        .iter()
        .zip(seconds)
        .map(|(contender, times)| {
            let (mut took, mut worked): (Vec<f64>, Vec<f64>) = times.into_iter().unzip();
            took.sort_by(f64::total_cmp);
            worked.sort_by(f64::total_cmp);
            let middle = took.len() / 2;
            (contender.name, took[middle], took[0], took[took.len() - 1], worked[middle])
        })
        .collect()
}

/// Seconds of the processors that ended children have used so far: `cutime` and `cstime` of proc(5), in hundredths.
fn children_worked() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("the process's own numbers");
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = behind_name.split_whitespace().skip(13).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

pub fn print(title: &str, results: &[Raced]) {
    println!("\n{title}");
    println!("| | median s | min | max | user + sys s | times rekindle's |");
    println!("|---|---|---|---|---|---|");
    let own = results[0].1;
    for (name, median, min, max, worked) in results {
        println!("| {name} | {median:.2} | {min:.2} | {max:.2} | {worked:.2} | {:.2} |", median / own);
    }
}

/// Many small files, some middling, a few large; directories of 100: 10 MB for each thousand.
pub fn make_tree(root: &Path, files: usize) {
    let mut random = blake3::Hasher::new().update(b"tree").finalize_xof();
    for directory in 0..files / 100 {
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
pub fn root(name: &str) -> PathBuf {
    std::env::var_os("REKINDLE_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from).join(name)
}

/// [`root`], made anew.
pub fn scratch(name: &str) -> PathBuf {
    let folder = root(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a scratch folder");
    folder
}
