use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::input::Input;
use super::near::suggestion;
use crate::model::{Error, ErrorKind, Result, Secret};

/// The values of a runbook's inputs.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    plain: BTreeMap<String, String>,
    secret: BTreeMap<String, Secret>,
    /// All secrets that this process has read: what a command prints is searched for them. Shared by all copies.
    known: Arc<Mutex<Vec<Secret>>>,
    /// Whether the certificates of servers go unchecked: a run's own flag, never a runbook's.
    pub insecure: bool,
    /// Where rekindle keeps runs and keys: no component of files touches what is there.
    pub kept_out: Option<std::path::PathBuf>,
}

/// What an operator gave, strongest first: flags, a file, the environment. Defaults come last.
pub struct Given<'a> {
    pub flags: &'a [(String, String)],
    pub file: &'a BTreeMap<String, String>,
    pub environment: &'a dyn Fn(&str) -> Option<String>,
}

impl Inputs {
    /// Takes what is given for the declared inputs; a given name that is not declared is an error.
    pub fn gather(declared: &[Input], given: &Given) -> Result<Self> {
        let names = given.flags.iter().map(|(name, _)| name).chain(given.file.keys());
        for name in names {
            if !declared.iter().any(|input| input.name == *name) {
                let known = declared.iter().map(|input| input.name.as_str());
                let error = Error::new(
                    ErrorKind::Invalid,
                    format!("set the input '{}'", crate::model::visible(name)),
                    "the runbook declares no such input",
                );
                let hint = suggestion(name, known).unwrap_or_else(|| "leave it out".to_owned());
                return Err(error.next(hint));
            }
        }
        let mut inputs = Self::default();
        for input in declared {
            let flag = given.flags.iter().rev().find(|(name, _)| *name == input.name).map(|(_, value)| value.clone());
            let value = flag
                .or_else(|| given.file.get(&input.name).cloned())
                .or_else(|| (given.environment)(&input.variable()))
                .or_else(|| input.env.as_deref().and_then(given.environment))
                .or_else(|| input.default.clone());
            if let Some(value) = value {
                inputs.set(input, value)?;
            }
        }
        Ok(inputs)
    }

    /// For a prompt's answer, or to pin a snapshot to its id.
    pub fn set(&mut self, input: &Input, value: impl Into<String>) -> Result<()> {
        let value = value.into();
        if value.contains('\0') || value.len() > 64 * 1024 {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!("set the input '{}'", input.name),
                "its value holds a NUL byte or is longer than 64 KiB",
            ));
        }
        if input.secret {
            let secret = Secret::new(value);
            self.learn(&secret);
            self.secret.insert(input.name.clone(), secret);
        } else {
            self.plain.insert(input.name.clone(), value);
        }
        Ok(())
    }

    pub fn has(&self, name: &str) -> bool {
        self.plain.contains_key(name) || self.secret.contains_key(name)
    }

    /// Those that are no secrets, for the run's header.
    pub fn plain(&self) -> &BTreeMap<String, String> {
        &self.plain
    }

    pub fn secret(&self, name: &str) -> Option<&Secret> {
        self.secret.get(name)
    }

    /// A secret that was read elsewhere: a password from a file, say.
    pub fn learn(&self, secret: &Secret) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).push(secret.clone());
    }

    /// Every secret that was given or learnt so far.
    pub fn known_secrets(&self) -> Vec<Secret> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The value for text that may hold secrets.
    pub(super) fn any(&self, name: &str) -> Option<Cow<'_, str>> {
        let plain = self.plain.get(name).map(|value| Cow::Borrowed(value.as_str()));
        plain.or_else(|| self.secret.get(name).map(|value| Cow::Borrowed(value.expose())))
    }
}
