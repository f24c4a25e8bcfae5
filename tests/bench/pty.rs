//! A program in a terminal of its own, and how long its screen takes to answer a key.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

pub struct Pty {
    _master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    shared: Arc<(Mutex<Shown>, Condvar)>,
    pub started: Instant,
}

struct Shown {
    parser: vt100::Parser,
    bytes: usize,
    first: Option<Instant>,
    last: Instant,
}

/// Nothing takes so long.
const DEADLINE: Duration = Duration::from_secs(60);
/// A program that was silent for so long has drawn what it wanted to.
const QUIET: Duration = Duration::from_millis(30);

impl Pty {
    pub fn start(program: &OsStr, arguments: &[&OsStr], environment: &[(&str, &OsStr)], size: (u16, u16)) -> Self {
        let (cols, rows) = size;
        let pty = native_pty_system().openpty(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.cwd(std::env::temp_dir());
        command.env("TERM", "xterm-256color");
        environment.iter().for_each(|(name, value)| command.env(name, value));
        let whole = |number| NonZero::new(number).unwrap();
        let started = Instant::now();
        let shown =
            Shown { parser: vt100::Parser::new(whole(rows), whole(cols), 0), bytes: 0, first: None, last: started };
        let shared = Arc::new((Mutex::new(shown), Condvar::new()));
        let child = pty.slave.spawn_command(command).unwrap();
        drop(pty.slave);
        let (mut output, reader) = (pty.master.try_clone_reader().unwrap(), shared.clone());
        std::thread::spawn(move || {
            let mut bytes = [0; 65_536];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                let mut shown = reader.0.lock().unwrap();
                shown.parser.process(&bytes[..count]);
                shown.bytes += count;
                shown.last = Instant::now();
                shown.first.get_or_insert(Instant::now());
                reader.1.notify_all();
            }
        });
        let keys = pty.master.take_writer().unwrap();
        Self { _master: pty.master, keys, child, shared, started }
    }

    pub fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    pub fn bytes(&self) -> usize {
        self.shared.0.lock().unwrap().bytes
    }

    pub fn screen<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        look(self.shared.0.lock().unwrap().parser.screen())
    }

    pub fn first_output(&self) -> Duration {
        self.until("any output", |_| true);
        self.shared.0.lock().unwrap().first.unwrap() - self.started
    }

    /// Waits until `holds` of the screen; when that was seen.
    pub fn until(&self, what: &str, holds: impl Fn(&vt100::Screen) -> bool) -> Instant {
        let end = Instant::now() + DEADLINE;
        let mut shown = self.shared.0.lock().unwrap();
        while shown.first.is_none() || !holds(shown.parser.screen()) {
            assert!(Instant::now() < end, "waited in vain for {what}:\n{}", shown.parser.screen().contents());
            shown = self.shared.1.wait_timeout(shown, Duration::from_millis(100)).unwrap().0;
        }
        shown.last
    }

    pub fn rest(&self) {
        self.rest_or(DEADLINE);
    }

    /// Waits until it is silent, or that long.
    pub fn rest_or(&self, most: Duration) {
        let end = Instant::now() + most;
        while self.shared.0.lock().unwrap().last.elapsed() < QUIET && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// From the key to the screen on which `look` sees something else.
    pub fn answer<T: PartialEq>(&mut self, key: &str, look: impl Fn(&vt100::Screen) -> T) -> Duration {
        let before = self.screen(&look);
        let pressed = Instant::now();
        self.press(key);
        self.until(key, |screen| look(screen) != before) - pressed
    }

    /// Milliseconds of CPU time used so far.
    pub fn cpu(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: u64 = fields[11..13].iter().map(|field| field.parse::<u64>().unwrap()).sum();
        ticks * 1_000 / rustix::param::clock_ticks_per_second()
    }

    /// Megabytes in memory now.
    pub fn memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1_024.0
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
