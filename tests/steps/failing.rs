//! What a runbook says of failures.

use std::fs;

use crate::Platform;

/// Fails until it was called `times` times.
fn flaky(platform: &Platform, times: u32) -> String {
    let count = platform.folder.path().join("count");
    format!("[sh, -c, 'echo x >> \"$1\"; [ $(wc -l < \"$1\") -ge {times} ]', flaky, {}]", count.display())
}

#[test]
fn a_task_that_failed_is_tried_again_as_often_as_its_step_says() {
    let platform = Platform::new();
    let steps = |retry: &str| format!("  - {{ id: flaky, run: {}{retry} }}\n", flaky(&platform, 3));
    platform.run(&steps("")).exits(1).says("flaky                    UNKNOWN");
    fs::remove_file(platform.folder.path().join("count")).unwrap();
    platform.run(&steps(", retry: { times: 1, wait: 10ms }")).exits(1);
    assert_eq!(platform.text("count").unwrap().lines().count(), 2);
    fs::remove_file(platform.folder.path().join("count")).unwrap();
    platform.run(&steps(", retry: { times: 5, wait: 10ms }")).exits(0).says("flaky                    done");
    assert_eq!(platform.text("count").unwrap().lines().count(), 3);
}

#[test]
fn a_check_is_tried_again_too() {
    let platform = Platform::new();
    let late = platform.folder.path().join("homes/ana/late");
    let steps = "  - { id: seen, check: { file: ana/late }, on: homes, retry: { times: 50, wait: 100ms } }\n";
    let makes = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(500));
        fs::write(late, "").unwrap();
    });
    platform.run(steps).exits(0);
    makes.join().unwrap();
}

#[test]
fn what_needs_a_failed_step_waits_goes_on_or_stops_as_the_runbook_says() {
    let steps = |on_failure: &str| {
        format!(
            "  - {{ id: bad, run: [\"false\"]{on_failure} }}\n  - {{ id: after, run: [\"true\"] }}\n  \
             - {{ id: waits, needs: [], wait: {{ file: ana/never }}, on: homes, every: 50ms, deadline: 1s, on_timeout: go_on }}\n  \
             - {{ id: other, run: [\"true\"] }}\n"
        )
    };
    let asks = Platform::new().run(&steps("")).exits(1);
    assert!(!asks.out.contains("after  "), "{}", asks.out);
    asks.says("other                    done");
    let goes_on = Platform::new().run(&steps(", on_failure: continue")).exits(1);
    goes_on.says("after                    done").says("bad                      UNKNOWN");
    let stops = Platform::new().run(&steps(", on_failure: stop"));
    assert_eq!(stops.code, 1, "{}{}", stops.out, stops.err);
    assert!(!stops.out.contains("other  ") && !stops.out.contains("after  "), "{}", stops.out);
    assert!(format!("{}{}", stops.out, stops.err).contains("on_failure: stop"), "{}{}", stops.out, stops.err);
}

#[test]
fn a_step_works_on_as_many_owners_at_once_as_it_says() {
    let most_at_once = |parallel: &str| {
        let platform = Platform::new();
        for user in 0..6 {
            fs::create_dir_all(platform.folder.path().join(format!("homes/u{user}"))).unwrap();
        }
        let here = platform.folder.path().join("here");
        fs::create_dir_all(&here).unwrap();
        let script = "touch $1/$2; sleep 0.3; ls $1 | wc -l >> $1.counts; sleep 0.1; rm $1/$2";
        let steps = format!(
            "  - {{ id: work, each: user{parallel}, run: [sh, -c, '{script}', work, {}, \"${{user}}\"] }}\n",
            here.display()
        );
        platform.run(&steps).exits(0);
        let counts = platform.text("here.counts").unwrap();
        counts.lines().filter_map(|line| line.trim().parse::<u32>().ok()).max().unwrap()
    };
    assert_eq!(most_at_once(", parallel: 1"), 1);
    assert!(most_at_once(", parallel: 5") > 2);
}
