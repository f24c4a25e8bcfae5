use std::process::{Command, Stdio};

use crate::model::{Error, ErrorKind, Result, Secret};
use crate::runbook::{Inputs, Password};

/// Longer ones are a mistake: a key file in the password's place.
const MAX_BYTES: usize = 64 * 1024;

/// The password from where the runbook says it is; never from an argument.
pub(super) fn read(password: &Password<String>, inputs: &Inputs) -> Result<Secret> {
    let text = match password {
        Password::Env(name) => std::env::var(name).map_err(|_| {
            Error::new(ErrorKind::NotFound, format!("read the password from the variable {name}"), "it is not set")
                .next(format!("export {name}, or write {{ file: … }} for {{ env: {name} }} in the runbook"))
        })?,
        Password::File(path) => std::fs::read_to_string(path)
            .map_err(|error| Error::io(format!("read the password from the file {path}"), error))?,
        Password::Command(argv) => from_command(argv)?,
        Password::Input(name) => {
            return inputs.secret(&name.value).cloned().ok_or_else(|| {
                Error::new(
                    ErrorKind::NotFound,
                    format!("use the input '{}' as a password", name.value),
                    "it has no value",
                )
            });
        }
    };
    let line = text.lines().next().unwrap_or_default();
    if line.len() > MAX_BYTES {
        return Err(Error::new(ErrorKind::Invalid, "read a password", "it is longer than 64 KiB"));
    }
    Ok(Secret::new(line))
}

fn from_command(argv: &[String]) -> Result<String> {
    let doing = || format!("get the password from the command '{}'", argv.first().map_or("", String::as_str));
    let Some((program, arguments)) = argv.split_first() else {
        return Err(Error::new(ErrorKind::Invalid, doing(), "it names no program"));
    };
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| Error::io(doing(), error))?;
    if !output.status.success() {
        return Err(Error::new(ErrorKind::NotMet, doing(), format!("it ended with {}", output.status)));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| Error::new(ErrorKind::Invalid, doing(), "what it printed is not UTF-8"))
}
