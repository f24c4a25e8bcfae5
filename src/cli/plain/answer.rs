use std::io::{BufRead, IsTerminal, Write};

use super::choice::Choice;
use super::question::{Heard, Question};
use super::walk::Walk;
use crate::cli::say;

/// Asks until a choice is made; `None` at the end of input, and when a signal ends the waiting for it.
pub async fn ask(walk: &Walk, question: &Question) -> Option<Choice> {
    question.lines().iter().for_each(|line| walk.print(line));
    loop {
        match question.heard(&typed(walk, &question.prompt()).await?) {
            Heard::Choice(choice) => return Some(choice),
            Heard::Say(lines) => lines.iter().for_each(|line| walk.print(line)),
        }
    }
}

/// What is typed after `text`.
pub async fn answer(walk: &Walk, text: &str) -> Option<String> {
    walk.print(text.trim_end());
    typed(walk, "> ").await
}

async fn typed(walk: &Walk, prompt: &str) -> Option<String> {
    walk.lines.progress.clear();
    show_prompt(prompt);
    let (tell, told) = tokio::sync::oneshot::channel();
    // A thread of its own: nothing waits for its end where the operator never answers.
    std::thread::spawn(move || drop(tell.send(read_line())));
    tokio::select! {
        line = told => {
            let line = line.ok().flatten();
            if line.is_none() {
                walk.print("");
            }
            line
        }
        _ = walk.signals.first() => None,
    }
}

/// The same where nothing else goes on.
pub fn ask_alone(question: &Question) -> Option<Choice> {
    question.lines().iter().for_each(|line| say(line));
    loop {
        match question.heard(&typed_alone(&question.prompt())?) {
            Heard::Choice(choice) => return Some(choice),
            Heard::Say(lines) => lines.iter().for_each(|line| say(line)),
        }
    }
}

pub fn answer_alone(text: &str) -> Option<String> {
    say(text.trim_end());
    typed_alone("> ")
}

fn typed_alone(prompt: &str) -> Option<String> {
    show_prompt(prompt);
    let line = read_line();
    if line.is_none() {
        say("");
    }
    line
}

/// What was typed before the question was there is no answer to it.
fn show_prompt(prompt: &str) {
    let input = std::io::stdin();
    if input.is_terminal() {
        let _ = rustix::termios::tcflush(&input, rustix::termios::QueueSelector::IFlush);
    }
    let _ = write!(std::io::stdout().lock(), "{prompt}");
    let _ = std::io::stdout().flush();
}

fn read_line() -> Option<String> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line).ok().filter(|read| *read > 0);
    read.map(|_| line.trim().to_owned())
}
