use std::path::Path;
use std::process::{Command, Stdio};

use crate::declared::Password;
use crate::model::{Error, ErrorKind, Result, Secret, visible};
use crate::named_file;
use crate::runbook::Inputs;

/// Longer ones are a mistake: a key file in the password's place.
const MAX_BYTES: usize = 64 * 1024;

/// The password from where the runbook says it is; never from an argument.
pub(super) fn read(password: &Password<String>, inputs: &Inputs) -> Result<Secret> {
    let text = match password {
        Password::Env(name) => std::env::var(name).map_err(|_| {
            Error::new(ErrorKind::NotFound, format!("read the password from the variable {name}"), "it is not set")
                .next(format!("export {name}, or write {{ file: … }} for {{ env: {name} }} in the runbook"))
        })?,
        Password::File(path) => from_file(path)?,
        Password::Command(argv) => from_command(argv)?,
        Password::Vault(place) => super::vault::read(place, inputs)?.to_string(),
        Password::Keyring(name) => super::keyring::read(name)?.to_string(),
        Password::Input(name) => {
            return inputs.secret(name).cloned().ok_or_else(|| {
                Error::new(ErrorKind::NotFound, format!("use the input '{name}' as a password"), "it has no value")
            });
        }
    };
    let line = text.lines().next().unwrap_or_default();
    if line.len() > MAX_BYTES {
        return Err(Error::new(ErrorKind::Invalid, "read a password", "it is longer than 64 KiB"));
    }
    let secret = Secret::new(line);
    inputs.learn(&secret);
    Ok(secret)
}

fn from_file(path: &str) -> Result<String> {
    let doing = || format!("read the password from the file {}", visible(path));
    let bytes = named_file::read(Path::new(path), MAX_BYTES as u64).map_err(|error| Error::io(doing(), error))?;
    let text = |line: &[u8]| String::from_utf8(line.to_vec());
    text(bytes.split(|byte| *byte == b'\n').next().unwrap_or_default())
        .map_err(|_| Error::new(ErrorKind::Invalid, doing(), "its first line is not UTF-8"))
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
