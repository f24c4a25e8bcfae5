use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// Keeps the terminal from echoing what is typed, until it goes out of scope.
pub struct Silence(Termios);

impl Silence {
    /// None where standard input is no terminal.
    pub fn keep() -> Option<Self> {
        let stdin = std::io::stdin();
        let former = tcgetattr(&stdin).ok()?;
        let mut silent = former.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&stdin, OptionalActions::Now, &silent).ok()?;
        Some(Self(former))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // Nothing better is left to do for a terminal that went away.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.0);
    }
}
