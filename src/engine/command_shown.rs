use super::mask::Mask;
use super::script::CommandLine;
use crate::model::{DigestKey, EnvironmentValue, PlannedCommand, Shown};

impl CommandLine {
    /// As it is shown and approved: a value in which a known secret stands is one itself.
    pub(super) fn planned(&self, key: &DigestKey) -> PlannedCommand {
        let mask = Mask::of(&self.secrets);
        let shown = |value: &EnvironmentValue| match value {
            EnvironmentValue::Plain(value) if mask.covered(value.as_bytes()) == value.as_bytes() => {
                Shown::Plain(value.as_str().into())
            }
            EnvironmentValue::Plain(value) => Shown::Secret(key.digest(value)),
            EnvironmentValue::Secret(secret) => Shown::Secret(secret.digest(key)),
        };
        PlannedCommand {
            argv: self.argv.clone(),
            environment: self.env.iter().map(|(name, value)| (name.clone(), shown(value))).collect(),
            directory: self.cwd.as_ref().map(|cwd| cwd.display().to_string()),
        }
    }

    /// What an approval of it must know beside the command.
    pub(super) fn warnings(&self) -> Vec<String> {
        let seconds = self.deadline.as_secs();
        let mut warnings =
            vec![format!("what a command changes is not known beforehand; it is killed after {seconds} s")];
        warnings.extend(self.captures.then(|| "what it prints goes on record, for later steps".to_owned()));
        warnings
    }
}
