use std::ffi::OsStr;
use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

/// A real terminal with a program in it: what is typed goes in, what is on its screen comes out.
pub struct Terminal {
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    screen: Arc<Screen>,
    reader: Option<std::thread::JoinHandle<()>>,
    /// The terminal's settings before the program had it, as text.
    former: String,
}

struct Screen {
    parser: Mutex<vt100::Parser>,
    changed: Condvar,
    is_closing: AtomicBool,
    /// All that the program has written.
    bytes: Mutex<Vec<u8>>,
}

/// No story waits so long; a story that does has failed.
pub const DEADLINE: Duration = Duration::from_secs(60);
/// A key that a question was still deaf to is pressed again after this.
const AGAIN: Duration = Duration::from_millis(400);
const ROWS: NonZero<u16> = NonZero::new(24).unwrap();
const COLUMNS: NonZero<u16> = NonZero::new(80).unwrap();
pub const CLEAR: &str = "\x15";
pub const ESC: &str = "\x1b";

impl Terminal {
    pub fn start(program: &str, arguments: &[&str], environment: &[(&str, &OsStr)], folder: &Path) -> Self {
        let size = PtySize { rows: ROWS.get(), cols: COLUMNS.get(), pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.cwd(folder);
        command.env("TERM", "xterm-256color");
        command.env_remove("NO_COLOR");
        environment.iter().for_each(|(name, value)| command.env(name, value));
        let former = settings(&*pty.master);
        let child = pty.slave.spawn_command(command).unwrap();
        drop(pty.slave);
        let screen = Arc::new(Screen {
            parser: Mutex::new(vt100::Parser::new(ROWS, COLUMNS, 0)),
            changed: Condvar::new(),
            is_closing: AtomicBool::new(false),
            bytes: Mutex::default(),
        });
        let mut output = pty.master.try_clone_reader().unwrap();
        let shown = screen.clone();
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 8192];
            // A terminal whose program has ended answers with an error or nothing.
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                shown.parser.lock().unwrap().process(&bytes[..count]);
                shown.bytes.lock().unwrap().extend_from_slice(&bytes[..count]);
                shown.changed.notify_all();
                if shown.is_closing.load(Ordering::SeqCst) {
                    return;
                }
            }
        });
        let keys = pty.master.take_writer().unwrap();
        Self { master: pty.master, keys, child, screen, reader: Some(reader), former }
    }

    /// All that the program has written so far.
    pub fn bytes(&self) -> usize {
        self.screen.bytes.lock().unwrap().len()
    }

    /// Waits for a sequence that is not to be seen on the screen.
    pub fn hears(&self, sequence: &str) -> &Self {
        let end = Instant::now() + DEADLINE;
        let has_come = || {
            let bytes = self.screen.bytes.lock().unwrap();
            bytes.windows(sequence.len()).any(|part| part == sequence.as_bytes())
        };
        while !has_come() {
            assert!(Instant::now() < end, "waited in vain for {sequence:?}:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(20));
        }
        self
    }

    pub fn text(&self) -> String {
        self.screen.parser.lock().unwrap().screen().contents()
    }

    /// Waits until `holds` of the screen's text, and fails the story if it never does.
    pub fn wait(&self, what: &str, holds: impl Fn(&str) -> bool) -> &Self {
        assert!(self.comes(&holds, DEADLINE), "waited in vain for {what}:\n{}", self.text());
        self
    }

    pub fn sees(&self, text: &str) -> &Self {
        self.wait(text, |screen| screen.contains(text))
    }

    fn comes(&self, holds: &impl Fn(&str) -> bool, within: Duration) -> bool {
        let end = Instant::now() + within;
        let mut parser = self.screen.parser.lock().unwrap();
        while !holds(&parser.screen().contents()) {
            let Some(left) = end.checked_duration_since(Instant::now()) else { return false };
            parser = self.screen.changed.wait_timeout(parser, left).unwrap().0;
        }
        true
    }

    pub fn press(&mut self, keys: &str) -> &mut Self {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
        self
    }

    /// Presses until it is heard: a question is deaf for its first moment, so that nobody answers unseen.
    pub fn press_until(&mut self, keys: &str, what: &str, holds: impl Fn(&str) -> bool) -> &mut Self {
        let end = Instant::now() + DEADLINE;
        while Instant::now() < end {
            self.press(keys);
            if self.comes(&holds, AGAIN) {
                return self;
            }
        }
        panic!("pressed {keys:?} in vain for {what}:\n{}", self.text())
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.process_id().unwrap()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits for the program's end; its exit code.
    pub fn ends(&mut self) -> u32 {
        assert!(self.has_ended(DEADLINE), "the program goes on:\n{}", self.text());
        let code = self.child.wait().unwrap().exit_code();
        // All that it wrote is on the screen then.
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        code
    }

    fn has_ended(&mut self, within: Duration) -> bool {
        let end = Instant::now() + within;
        while self.child.try_wait().unwrap().is_none() {
            if Instant::now() >= end {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        true
    }

    /// What a shell does to the terminal while the program is stopped.
    pub fn set_as_a_shell_does(&self) -> &Self {
        let name = self.master.tty_name().unwrap();
        assert!(std::process::Command::new("stty").arg("-F").arg(name).arg("sane").status().unwrap().success());
        self
    }

    pub fn settings(&self) -> String {
        settings(&*self.master)
    }

    /// As a shell needs it: settings as before, its own screen, a cursor, no bracketed paste.
    pub fn is_given_back(&self) {
        assert_eq!(settings(&*self.master), self.former);
        let parser = self.screen.parser.lock().unwrap();
        let screen = parser.screen();
        assert!(!screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste());
    }

    /// The window is closed; answers how long the program outlived it, if it did not for ever.
    pub fn close(self) -> Option<Duration> {
        let Self { master, mut keys, mut child, screen, reader, .. } = self;
        screen.is_closing.store(true, Ordering::SeqCst);
        // Something to paint, so that the reader wakes and lets go of its end.
        keys.write_all(b"\x0c").unwrap();
        reader.unwrap().join().unwrap();
        drop((keys, master));
        let closed = Instant::now();
        while closed.elapsed() < DEADLINE {
            if child.try_wait().unwrap().is_some() {
                return Some(closed.elapsed());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill().unwrap();
        None
    }
}

fn settings(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().unwrap())
}
