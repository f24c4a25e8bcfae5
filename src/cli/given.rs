use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal, Read, Write};

use super::{InputArgs, OwnerArgs};
use crate::model::{Error, ErrorKind, OwnerSet, Result, RunHeader, visible};
use crate::runbook::{Given, Inputs, OwnerFilter, Runbook};

/// A file of inputs or of names is read whole; a larger one is a mistake.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

impl InputArgs {
    /// The values of a runbook's inputs; what is missing is asked for where there is somebody to ask.
    pub fn gather(&self, runbook: &Runbook) -> Result<Inputs> {
        self.with(runbook, &BTreeMap::new())
    }

    /// The values that a run began with; its secret inputs are not recorded and are given anew.
    pub fn again(&self, runbook: &Runbook, header: &RunHeader) -> Result<Inputs> {
        for (name, value) in &self.input {
            if header.inputs.get(name).is_some_and(|recorded| recorded != value) {
                return Err(Error::new(
                    ErrorKind::Refused,
                    format!("set the input '{name}'"),
                    "the run began with another value, and keeps it",
                )
                .next("start a new run with that value"));
            }
        }
        self.with(runbook, &header.inputs)
    }

    fn with(&self, runbook: &Runbook, recorded: &BTreeMap<String, String>) -> Result<Inputs> {
        let mut flags: Vec<(String, String)> = self.input.clone();
        flags.extend(recorded.iter().map(|(name, value)| (name.clone(), value.clone())));
        let file = match &self.inputs {
            Some(path) => values(&read_text(path)?, path)?,
            None => BTreeMap::new(),
        };
        let environment = |name: &str| std::env::var(name).ok();
        let mut inputs =
            Inputs::gather(&runbook.inputs, &Given { flags: &flags, file: &file, environment: &environment })?;
        inputs.insecure = self.insecure;
        inputs.kept_out = crate::journal::StateFolder::from_environment().ok().map(|state| state.root().to_owned());
        for input in
            runbook.inputs.iter().filter(|input| input.secret && self.input.iter().any(|(name, _)| *name == input.name))
        {
            let (name, variable) = (&input.name, input.variable());
            super::output::remark(&warning(&format!(
                "warning: the secret input '{name}' stands on the command line, where other users of this machine can \
                 read it; give it by {variable}, --inputs FILE or when asked"
            )));
        }
        if self.insecure {
            super::output::remark(&warning(
                "--insecure: the certificates of servers are not checked, and a login may go over http",
            ));
        }
        if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
            let unset: Vec<_> = runbook.unset(&inputs).cloned().collect();
            for input in unset {
                if let Some(value) = ask(&input)? {
                    inputs.set(&input, value)?;
                }
            }
        }
        Ok(inputs)
    }
}

impl OwnerArgs {
    pub fn select(&self, found: Vec<OwnerSet>) -> Result<Vec<OwnerSet>> {
        let read = |path: &str| read_text(std::path::Path::new(path));
        OwnerFilter::parse(&self.only, &self.except, &self.user, &read)?.apply(found)
    }
}

/// In red where it is seen by a person.
fn warning(text: &str) -> String {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if std::io::stderr().is_terminal() && !plain { format!("\x1b[31m{text}\x1b[0m") } else { text.to_owned() }
}

fn read_text(path: &std::path::Path) -> Result<String> {
    let doing = || format!("read {}", visible(path.as_os_str().as_encoded_bytes()));
    let failed = |error| Error::io(doing(), error).next("name a text file that is there and can be read");
    let file = crate::named_file::open_given(path).map_err(failed)?;
    let mut text = String::new();
    // A pipe has no size to be asked for.
    file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(Error::new(ErrorKind::Invalid, doing(), "it is larger than 64 MiB").next("give a smaller one"));
    }
    Ok(text)
}

fn values(text: &str, path: &std::path::Path) -> Result<BTreeMap<String, String>> {
    let invalid = |why: String| {
        Error::new(ErrorKind::Invalid, format!("read the inputs {}", path.display()), why)
            .next("write one 'name: value' a line")
    };
    let read: BTreeMap<String, serde_json::Value> =
        serde_saphyr::from_str(text).map_err(|error| invalid(crate::yaml_problem::in_words(&error)))?;
    let plain = |(name, value): (String, serde_json::Value)| match value {
        serde_json::Value::String(text) => Ok((name, text)),
        serde_json::Value::Number(number) => Ok((name, number.to_string())),
        serde_json::Value::Bool(value) => Ok((name, value.to_string())),
        _ => Err(invalid(format!("'{name}' is not one value"))),
    };
    read.into_iter().map(plain).collect()
}

/// On stderr, so that a piped result stays clean. A secret is not echoed.
fn ask(input: &crate::runbook::Input) -> Result<Option<String>> {
    let about = if input.about.is_empty() { String::new() } else { format!(" ({})", input.about) };
    let mut stderr = std::io::stderr().lock();
    let _ = write!(stderr, "{}{}: ", input.name, visible(&about));
    let _ = stderr.flush();
    let silence = if input.secret { super::silence::Silence::keep() } else { None };
    let mut line = String::new();
    let read = std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|error| Error::io(format!("read the input '{}'", input.name), error))?;
    if silence.is_some() {
        let _ = writeln!(stderr);
    }
    let line = line.trim_end_matches(['\r', '\n']);
    Ok((read > 0 && !line.is_empty()).then(|| line.to_owned()))
}
