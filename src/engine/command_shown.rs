use super::context::Pinned;
use super::made::Made;
use super::mask::Mask;
use super::script::CommandLine;
use crate::model::{
    DigestKey, EnvironmentValue, Mode, Pass, Plan, PlannedCommand, Preview, Proposal, Shown, TargetIdentity,
};

impl CommandLine {
    /// Its plan: opaque, shown in full. It is made of the runbook and the machine alone, so that a review of a dry run
    /// approves what a later run plans.
    pub(super) fn made(&self, task: String, pinned: &Pinned) -> Made {
        let identity = TargetIdentity {
            system: "command".to_owned(),
            address: self.cwd.as_ref().map_or_else(|| ".".to_owned(), |cwd| cwd.display().to_string()),
            id: pinned.host.to_string().into(),
        };
        Made::new(Proposal::bodiless(Plan {
            task,
            pass: Pass::Restore,
            runbook: pinned.runbook,
            target: identity.clone(),
            source: identity,
            mode: Mode::Merge,
            preview: Preview::Opaque,
            changes: Vec::new(),
            command: Some(self.planned(&pinned.key)),
            warnings: self.warnings(),
        }))
    }

    /// As it is shown and approved: a value in which a known secret stands is one itself.
    fn planned(&self, key: &DigestKey) -> PlannedCommand {
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
    fn warnings(&self) -> Vec<String> {
        let seconds = self.deadline.as_secs();
        let mut warnings =
            vec![format!("what a command changes is not known beforehand; it is killed after {seconds} s")];
        warnings.extend(self.captures.then(|| "what it prints goes on record, for later steps".to_owned()));
        warnings
    }
}
