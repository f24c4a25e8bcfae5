//! What engine and journal cost for 80,000 tasks of one small document each, beside a plain loop of the same calls
//! in the same batches: where each call takes a millisecond, and on local files.
//! `cargo bench --bench tasks [-- TASKS]`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark stops at the first failure")]

mod loops;
#[path = "../../support/no_ledger.rs"]
mod no_ledger;
#[path = "../../support/one_step.rs"]
#[allow(dead_code, reason = "shared with tests")]
mod one_step;
mod place;
mod slow;

use std::time::Instant;

use loops::{by_hand, resume, with_engine};
use place::Place;

fn main() {
    let asked = std::env::args().skip(1).find_map(|word| word.parse().ok());
    let tasks: u32 = asked.unwrap_or(80_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let root = place::scratch("rekindle-bench-tasks");
        let rounds = 3;

        let (mut engine, mut plain) = (Vec::new(), Vec::new());
        for round in 0..rounds {
            let place = Place::slow(&root, tasks / 4);
            engine.push(with_engine(&place, &format!("slow{round}")).await);
            let place = Place::slow(&root, tasks / 4);
            plain.push(by_hand(&place).await);
        }
        print(&format!("{} tasks, each call 1 ms, 8 side by side", tasks / 4), &engine, &plain);

        let (mut engine, mut plain, mut few, mut plain_few) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for round in 0..rounds {
            let place = Place::documents(&root, tasks);
            plain.push(by_hand(&place).await);
            let place = Place::documents(&root, tasks);
            engine.push(with_engine(&place, &format!("local{round}")).await);
            let small = Place::documents(&root, 1000);
            for again in 0..5 {
                small.damage();
                few.push(with_engine(&small, &format!("few{round}-{again}")).await);
                small.damage();
                plain_few.push(by_hand(&small).await);
            }
        }
        print(&format!("{tasks} tasks on local documents"), &engine, &plain);
        println!("\nCost of a task, local documents, µs");
        println!("| tasks in the run | engine and journal | plain loop | ratio |\n|---|---|---|---|");
        for (count, engine, plain) in [(1_000, &few, &plain_few), (tasks, &engine, &plain)] {
            let each = |times: &[f64]| median(times) * 1e6 / f64::from(count);
            println!("| {count} | {:.0} | {:.0} | {:.2} |", each(engine), each(plain), each(engine) / each(plain));
        }

        let times: Vec<f64> = (0..5)
            .map(|_| {
                let began = Instant::now();
                resume(&root, "local0", tasks);
                began.elapsed().as_secs_f64()
            })
            .collect();
        println!(
            "\nResume of the run of {tasks} tasks opens (lock, check every event, fold) in {:.2} s",
            median(&times)
        );
        let _ = std::fs::remove_dir_all(&root);
    });
}

fn print(title: &str, engine: &[f64], plain: &[f64]) {
    println!("\n{title}");
    println!("| | median s | all | ratio to the plain loop |\n|---|---|---|---|");
    for (name, times) in [("engine and journal", engine), ("plain loop", plain)] {
        let all: Vec<String> = times.iter().map(|time| format!("{time:.2}")).collect();
        println!("| {name} | {:.2} | {} | {:.2} |", median(times), all.join(", "), median(times) / median(plain));
    }
}

fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
