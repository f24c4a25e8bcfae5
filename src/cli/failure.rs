use std::error::Error as _;
use std::io::Write;

use super::{Exit, Output};
use crate::model::{Error, ErrorKind, visible};

/// `error: cannot …`, its causes and what to do next, on stderr; JSON on stdout where that is asked for.
pub(super) fn show(error: &Error, output: &Output) -> Exit {
    if output.json {
        // A failure to print a failure has nowhere to go.
        let _ = output.print_json(&serde_json::json!({ "error": error.problem() }));
        return Exit::Failed;
    }
    let mut text = format!("error: {}\n", lines(&error.to_string()));
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!("  because: {}\n", lines(&error.to_string())));
        cause = error.source();
    }
    if let Some(next) = error.hint() {
        text.push_str(&format!("next: {}\n", visible(next)));
    }
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
    Exit::Failed
}

/// An error may list candidates, one a line; names in it were made visible where it was made.
fn lines(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n")
}

/// Usage errors exit 1, for 2 says that changes are pending; help and version are no errors.
/// `json`: whether the words that are not understood ask for it.
pub(super) fn usage(error: &clap::Error, json: bool) -> Exit {
    if !error.use_stderr() {
        let _ = error.print();
        return Exit::Fine;
    }
    if json {
        let text = error.to_string();
        let why = text.trim().trim_start_matches("error: ").to_owned();
        let error = Error::new(ErrorKind::Invalid, "understand the command line", why).next("rekindle --help");
        return show(&error, &Output { json, is_terminal: false, color: false });
    }
    let _ = error.print();
    Exit::Failed
}
