use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::sync::{Mutex, Once, PoisonError};

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use crossterm::{cursor, execute, queue};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use tokio::sync::oneshot;

use crate::model::{Error, Result};

use super::state::Model;
use super::view::view;

/// The terminal while it is ours. Given back when dropped, by a panic too.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<FrameWriter>>,
    is_up: bool,
}

/// The first panic while the screen was up: its message would be lost on the alternate screen.
static PANIC: Mutex<Option<String>> = Mutex::new(None);
static SCREENS: Mutex<usize> = Mutex::new(0);
static HOOK: Once = Once::new();

impl Screen {
    pub fn enter() -> Result<Self> {
        let failed = |error| Error::io("take over the terminal", error).next("use --plain");
        let output = rustix::io::dup(io::stdout()).map_err(|error| failed(error.into()))?;
        let writer = FrameWriter { output: File::from(output), frame: Vec::new() };
        let terminal = Terminal::new(CrosstermBackend::new(writer)).map_err(failed)?;
        hook_panics();
        let mut screen = Self { terminal, is_up: false };
        screen.resume().map_err(failed)?;
        Ok(screen)
    }

    /// Takes the terminal (again) and paints everything.
    pub fn resume(&mut self) -> io::Result<()> {
        if !self.is_up {
            *SCREENS.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        }
        self.is_up = true;
        enable_raw_mode()?;
        execute!(self.terminal.backend_mut(), EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)?;
        self.repaint()
    }

    /// Gives the terminal back as it was.
    pub fn leave(&mut self) {
        if !std::mem::take(&mut self.is_up) {
            return;
        }
        // Each is tried whatever became of the one before: the terminal may be gone.
        let _ = execute!(self.terminal.backend_mut(), DisableBracketedPaste, LeaveAlternateScreen, cursor::Show);
        let _ = disable_raw_mode();
        *SCREENS.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
    }

    /// The next frame paints every cell. Not by `clear`, which asks the terminal where its cursor is
    /// and waits for the answer: over a slow link that takes long, and some never answer.
    pub fn repaint(&mut self) -> io::Result<()> {
        let size = self.terminal.size()?;
        self.terminal.resize(size.into())
    }

    pub fn size(&self) -> io::Result<(u16, u16)> {
        self.terminal.size().map(|size| (size.width, size.height))
    }

    pub fn draw(&mut self, model: &Model) -> io::Result<()> {
        self.terminal.draw(|frame| view(model, frame.area(), frame.buffer_mut())).map(|_| ())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.leave();
        if std::thread::panicking()
            && let Some(message) = PANIC.lock().unwrap_or_else(PoisonError::into_inner).take()
        {
            eprintln!("{message}");
        }
    }
}

/// While a screen is up a panic writes nothing over it: libraries' panics are caught and become
/// errors of one task, and a panic of the screen's own is told when the terminal is given back.
fn hook_panics() {
    HOOK.call_once(|| {
        let former = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if *SCREENS.lock().unwrap_or_else(PoisonError::into_inner) == 0 {
                return former(panic);
            }
            let message = panic.to_string();
            tracing::error!("{message}");
            PANIC.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(message);
        }));
    });
}

/// Collects a frame and hands it to the terminal in one write, inside synchronized output, so that
/// no half-drawn screen is seen.
struct FrameWriter {
    output: File,
    frame: Vec<u8>,
}

impl Write for FrameWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.frame.is_empty() {
            queue!(Queue(&mut self.frame), BeginSynchronizedUpdate)?;
        }
        self.frame.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.frame.is_empty() {
            return Ok(());
        }
        queue!(Queue(&mut self.frame), EndSynchronizedUpdate)?;
        let written = self.output.write_all(&self.frame);
        self.frame.clear();
        written
    }
}

struct Queue<'a>(&'a mut Vec<u8>);

impl Write for Queue<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Tells when the terminal is gone: crossterm alone would spin on a lost one. Sleeps in the kernel
/// until then, and ends when dropped.
pub struct Watchdog {
    pub lost: oneshot::Receiver<()>,
    _stop: OwnedFd,
}

impl Watchdog {
    pub fn start() -> Result<Self> {
        use rustix::event::{PollFd, PollFlags, poll};
        let failed = |error: io::Error| Error::io("watch the terminal", error);
        let terminal = rustix::io::dup(io::stdout()).map_err(|error| failed(error.into()))?;
        let (stopped, stop) = rustix::pipe::pipe().map_err(|error| failed(error.into()))?;
        let (tell, lost) = oneshot::channel();
        let watch = move || loop {
            let mut both = [PollFd::new(&terminal, PollFlags::empty()), PollFd::new(&stopped, PollFlags::empty())];
            match poll(&mut both, None) {
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
                Ok(_) if !both[1].revents().is_empty() => return,
                Ok(_) => {
                    let _ = tell.send(());
                    return;
                }
            }
        };
        std::thread::Builder::new().name("terminal watchdog".to_owned()).spawn(watch).map_err(failed)?;
        Ok(Self { lost, _stop: stop })
    }
}
