use std::io::{BufRead, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

use super::choice::Choice;
use super::question::{Heard, Question};
use crate::cli::progress::Progress;
use crate::cli::say;
use crate::signals::Signals;

/// Who is asked, on a terminal or through a pipe.
#[derive(Clone, Copy, Default)]
pub struct Person<'a> {
    /// The line about progress that gives way to a question.
    pub progress: Option<&'a Progress>,
    /// A signal ends the waiting for an answer. Without them it ends the process.
    pub signals: Option<&'a Signals>,
}

/// What stands before the place where one types, while an answer is waited for.
static OPEN_PROMPT: Mutex<Option<String>> = Mutex::new(None);

impl Person<'_> {
    /// Asks until a choice is made; `None` at the end of input, and when a signal ends the waiting for it.
    pub async fn ask(&self, question: &Question) -> Option<Choice> {
        question.lines().iter().for_each(|line| self.tell(line));
        loop {
            match question.heard(&self.typed(&question.prompt()).await?) {
                Heard::Choice(choice) => return Some(choice),
                Heard::Say(lines) => lines.iter().for_each(|line| self.tell(line)),
            }
        }
    }

    /// What is typed after `text`.
    pub async fn answer(&self, text: &str) -> Option<String> {
        self.tell(text.trim_end());
        self.typed("> ").await
    }

    pub fn tell(&self, line: &str) {
        self.progress.into_iter().for_each(Progress::clear);
        say(line);
    }

    async fn typed(&self, prompt: &str) -> Option<String> {
        self.progress.into_iter().for_each(Progress::clear);
        show_prompt(prompt);
        let (tell, told) = tokio::sync::oneshot::channel();
        // A thread of its own: nothing waits for its end where the operator never answers.
        std::thread::spawn(move || drop(tell.send(read_line())));
        let left = async {
            match self.signals {
                Some(signals) => drop(signals.first().await),
                None => std::future::pending().await,
            }
        };
        let line = tokio::select! {
            line = told => {
                let line = line.ok().flatten();
                if line.is_none() {
                    self.tell("");
                }
                line
            }
            () = left => None,
        };
        *open_prompt() = None;
        line
    }
}

fn open_prompt() -> std::sync::MutexGuard<'static, Option<String>> {
    OPEN_PROMPT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A line between questions: where an answer is being typed, the prompt stands below it again.
pub fn tell_above_prompt(line: &str) {
    let open = open_prompt();
    let Some(prompt) = &*open else { return say(line) };
    let text = match std::io::stdout().is_terminal() {
        // Over the prompt's own line.
        true => format!("\r\x1b[K{line}\n{prompt}"),
        false => format!("\n{line}\n{prompt}"),
    };
    write_now(&text);
}

/// What was typed before the question was there is no answer to it.
fn show_prompt(prompt: &str) {
    let input = std::io::stdin();
    if input.is_terminal() {
        let _ = rustix::termios::tcflush(&input, rustix::termios::QueueSelector::IFlush);
    }
    let mut open = open_prompt();
    write_now(prompt);
    *open = Some(prompt.to_owned());
}

fn write_now(text: &str) {
    let mut output = std::io::stdout().lock();
    let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
}

fn read_line() -> Option<String> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line).ok().filter(|read| *read > 0);
    read.map(|_| line.trim().to_owned())
}
