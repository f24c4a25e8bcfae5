//! A step begins only while its window is open.

use std::process::Command;

use crate::Platform;

/// The time of day so many seconds from now, in UTC.
fn clock(seconds: i64) -> String {
    let shift = format!("{seconds} seconds");
    let said = Command::new("date").args(["-u", "-d", &shift, "+%H:%M:%S"]).output().unwrap();
    String::from_utf8(said.stdout).unwrap().trim().to_owned()
}

fn steps(from: i64, until: i64) -> String {
    format!(
        "  - id: scale\n    apply: deployments\n    documents: {{ hub: {{ replicas: 0 }} }}\n    \
         window: {{ from: \"{}\", until: \"{}\" }}\n",
        clock(from),
        clock(until)
    )
}

#[test]
fn a_step_waits_until_its_window_opens_and_goes_on_by_itself() {
    let platform = Platform::new();
    let steps = steps(4, 600);
    let begun = std::time::Instant::now();
    let told = platform.rekindle(&["run", "--plain", "--yes", "--utc", "--json"], &steps).exits(0);
    assert!(begun.elapsed() >= std::time::Duration::from_secs(2), "it did not wait: {}", told.out);
    let told = told.says("scale waits: its window opens at").says("(UTC)");
    let told = told.says("\"name\":\"scale\"");
    let at = |text: &str| told.out.find(text).unwrap_or_else(|| panic!("{text} is not in {}", told.out));
    assert!(at("\"approved\"") < at("\"intent\""), "{}", told.out);
    assert!(platform.text("deployments/hub.yaml").is_some());
}

#[test]
fn a_dry_run_says_the_hours_and_waits_for_none() {
    let platform = Platform::new();
    let told = platform.rekindle(&["plan", "--utc"], &steps(3600, 7200)).exits(2);
    told.says("waits for its window: ").says("(UTC)");
}

#[test]
fn an_open_window_holds_nothing_up() {
    let platform = Platform::new();
    platform.rekindle(&["run", "--plain", "--yes", "--utc"], &steps(-3600, 3600)).exits(0);
}
