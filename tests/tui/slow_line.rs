//! Over a serial console.

use std::time::{Duration, Instant};

use crate::platform::Platform;
use crate::stories::leave;

/// Bytes a second.
const SPEED: f64 = 960.0;
/// A screen painted from nothing, with its colours.
const FRAME: f64 = 6_000.0;

#[test]
fn a_slow_line_is_never_more_than_a_frame_behind() {
    let platform = Platform::damaged();
    let mut terminal = platform.shell();
    terminal.press(&format!("stty 9600; exec {} run runbook.yaml\n", env!("CARGO_BIN_EXE_rekindle")));
    terminal.sees("review 2");
    let (began, before) = (Instant::now(), terminal.bytes());
    // Each of these paints most of the screen anew.
    for tab in ["2", "1"].into_iter().cycle().take(150) {
        terminal.press(tab);
        std::thread::sleep(Duration::from_millis(20));
    }
    let room = began.elapsed().as_secs_f64() * SPEED + FRAME;
    let sent = (terminal.bytes() - before) as f64;
    assert!(sent <= room, "{sent} bytes, where {room} find room on the line");
    leave(&mut terminal);
    assert_eq!(terminal.ends(), 2);
}
