use std::fs::File;
use std::io::{self, Write};
use std::sync::{Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute};
use ratatui::Terminal;

use crate::model::{Error, Result};

use super::line_speed::LineSpeed;
use super::painter::Painter;
use super::state::Model;
use super::view::view;

/// The terminal while it is ours. Given back when dropped, by a panic too.
pub struct Screen {
    terminal: Terminal<Painter<File>>,
    /// The same terminal, for what is no frame.
    output: File,
    line: LineSpeed,
    is_up: bool,
    has_mouse: bool,
}

/// The first panic while the screen was up: its message would be lost on the alternate screen.
static PANIC: Mutex<Option<String>> = Mutex::new(None);
static SCREENS: Mutex<usize> = Mutex::new(0);
static HOOK: Once = Once::new();

impl Screen {
    /// `has_mouse`: clicks and the wheel come here; the terminal's own selection is by shift then.
    pub fn enter(has_mouse: bool) -> Result<Self> {
        let failed = |error| Error::io("take over the terminal", error).next("use --plain");
        let output = rustix::io::dup(io::stdout()).map_err(|error| failed(error.into()))?;
        let output = File::from(output);
        let terminal = Terminal::new(Painter::new(output.try_clone().map_err(failed)?)).map_err(failed)?;
        hook_panics();
        // What was typed while nothing was there to be seen is no answer to what comes.
        let _ = rustix::termios::tcflush(io::stdin(), rustix::termios::QueueSelector::IFlush);
        let line = LineSpeed::of(&output);
        let mut screen = Self { terminal, output, line, is_up: false, has_mouse };
        screen.resume().map_err(failed)?;
        Ok(screen)
    }

    /// Takes the terminal (again) and paints everything.
    pub fn resume(&mut self) -> io::Result<()> {
        if self.is_up {
            // Stopped by a signal that nobody can catch: the shell has set the terminal for itself since, and
            // what is enabled already would not be enabled again.
            disable_raw_mode()?;
        } else {
            *SCREENS.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        }
        self.is_up = true;
        enable_raw_mode()?;
        execute!(self.output, EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)?;
        if self.has_mouse {
            execute!(self.output, EnableMouseCapture)?;
        }
        self.repaint()
    }

    /// Gives the terminal back as it was.
    pub fn leave(&mut self) {
        if !std::mem::take(&mut self.is_up) {
            return;
        }
        // Each is tried whatever became of the one before: the terminal may be gone.
        if self.has_mouse {
            let _ = execute!(self.output, DisableMouseCapture);
        }
        let _ = execute!(self.output, DisableBracketedPaste, Clear(ClearType::All), LeaveAlternateScreen, cursor::Show);
        let _ = disable_raw_mode();
        *SCREENS.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
    }

    /// The next frame paints every cell. Not by `clear`, which asks the terminal where its cursor is
    /// and waits for the answer: over a slow link that takes long, and some never answer.
    pub fn repaint(&mut self) -> io::Result<()> {
        let size = self.terminal.size()?;
        self.terminal.backend_mut().measure(size.width, size.height);
        self.terminal.resize(ratatui::layout::Rect::from((ratatui::layout::Position::ORIGIN, size)))
    }

    /// Bytes that are no part of a frame and move nothing.
    pub fn hand_over(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.output.write_all(bytes)?;
        self.output.flush()
    }

    pub fn size(&self) -> io::Result<(u16, u16)> {
        self.terminal.size().map(|size| (size.width, size.height))
    }

    pub fn draw(&mut self, model: &Model) -> io::Result<()> {
        let size = self.terminal.size()?;
        self.terminal.backend_mut().measure(size.width, size.height);
        self.terminal.draw(|frame| view(model, frame.area(), frame.buffer_mut()))?;
        self.line.sent(self.terminal.backend_mut().take_written(), Instant::now());
        Ok(())
    }

    /// Until the frame before has gone out, on a line that says how slow it is.
    pub fn busy(&self) -> Duration {
        self.line.busy(Instant::now())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.leave();
        if std::thread::panicking()
            && let Some(message) = PANIC.lock().unwrap_or_else(PoisonError::into_inner).take()
        {
            // The terminal may be gone, and a second panic is no message.
            let _ = writeln!(io::stderr().lock(), "{message}");
        }
    }
}

/// For an end that no destructor sees: the terminal as it was, if a screen has it.
pub fn give_back() {
    if *SCREENS.lock().unwrap_or_else(PoisonError::into_inner) > 0 {
        // Whether the mouse was taken is not known here; giving it back twice does no harm.
        let _ = execute!(io::stdout(), DisableMouseCapture, DisableBracketedPaste);
        let _ = execute!(io::stdout(), Clear(ClearType::All), LeaveAlternateScreen, cursor::Show);
        let _ = disable_raw_mode();
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
