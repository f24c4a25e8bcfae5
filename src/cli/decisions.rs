use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::plan::Totals;
use crate::diff::files::TextDiff;
use crate::engine::{Foreseen, Outlook};
use crate::model::{
    Answer, Digest, Error, ErrorKind, Plan, PlannedCommand, Problem, Proposal, Result, RunHeader, Selection,
    TargetIdentity, visible,
};

/// A dry run on disk, to be reviewed elsewhere or later. Holds no secret.
#[derive(Debug, Serialize, Deserialize)]
pub struct PlanFile {
    /// Of this form.
    pub rekindle_plan: u32,
    pub title: String,
    pub by: String,
    pub runbook: Digest,
    pub identities: BTreeMap<String, TargetIdentity>,
    /// Its runbook, and the flags that chose inputs and owners: what a run of it is called with.
    #[serde(default)]
    pub given: Vec<String>,
    /// Components to which somebody else wrote then.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub held: BTreeMap<String, Problem>,
    /// Owners that cannot be walked, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unusable_owners: Vec<String>,
    pub tasks: Vec<PlannedTask>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totals: Option<Totals>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct PlannedTask {
    pub task: String,
    pub predicted: bool,
    pub outlook: TaskOutlook,
    /// Beside the plan's own: what its condition leaves open; of what is unchanged, what differs all the same and is left
    /// as it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// What its hunks change, for who reviews it elsewhere. No part of the plan's digest: they are shown and not applied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<HunkLines>,
}

/// The lines of one hunk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HunkLines {
    pub change: u32,
    pub hunk: u32,
    #[serde(flatten)]
    pub diff: TextDiff,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskOutlook {
    Unchanged,
    /// Also a command that can be approved as it stands: its plan holds it.
    Changes {
        digest: Digest,
        plan: Box<Plan>,
        /// Equal for plans that change the same. Older plans do not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cohort: Option<Digest>,
    },
    /// One that cannot be approved yet, for its words are not known; in plans of earlier versions, each.
    Command(PlannedCommand),
    /// It is made of what these steps print.
    Open {
        steps: Vec<String>,
    },
    Answered {
        answer: Answer,
    },
    Asks {
        text: String,
    },
    Skipped {
        when: String,
    },
    Failed {
        problem: Problem,
    },
}

/// What a review decided: by task, which plan was approved and which of its hunks were left out.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct DecisionsFile {
    pub rekindle_decisions: u32,
    pub by: String,
    pub runbook: Option<Digest>,
    pub tasks: BTreeMap<String, Decision>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Decision {
    /// Of the plan with the hunks that were chosen.
    pub digest: Digest,
    #[serde(default)]
    pub left_out: Selection,
}

const FORM: u32 = 1;
/// Larger files are no plan of ours.
const MAX_BYTES: u64 = 1 << 30;

impl PlanFile {
    pub fn of(header: &RunHeader, held: BTreeMap<String, Problem>, given: Vec<String>) -> Self {
        Self {
            rekindle_plan: FORM,
            title: header.title.clone(),
            by: header.by.clone(),
            runbook: header.digest.unwrap_or_else(|| Digest::of(&header.runbook)),
            identities: header.identities.clone(),
            given,
            held,
            unusable_owners: header.unusable_lines(),
            tasks: Vec::new(),
            totals: None,
        }
    }

    pub fn add(&mut self, foreseen: Foreseen, lines: Vec<HunkLines>) {
        let warnings = foreseen.doubts().cloned().collect();
        let changes = |proposal: &Proposal, digest, cohort| TaskOutlook::Changes {
            digest,
            plan: Box::new(Plan::clone(&proposal.plan)),
            cohort: Some(cohort),
        };
        let outlook = match foreseen.what {
            Ok(Outlook::Unchanged) => TaskOutlook::Unchanged,
            Ok(Outlook::Changes { proposal, digest, cohort, .. }) => changes(&proposal, digest, cohort),
            Ok(Outlook::Command { proposal, digest, cohort, unprinted }) => match &proposal.plan.command {
                Some(command) if !unprinted.is_empty() => TaskOutlook::Command(command.clone()),
                _ => changes(&proposal, digest, cohort),
            },
            Ok(Outlook::Open(steps)) => TaskOutlook::Open { steps },
            Ok(Outlook::Answered(answer)) => TaskOutlook::Answered { answer },
            Ok(Outlook::Asks(text)) => TaskOutlook::Asks { text },
            Ok(Outlook::Skipped(when)) => TaskOutlook::Skipped { when },
            Err(error) => TaskOutlook::Failed { problem: error.problem() },
        };
        self.tasks.push(PlannedTask { task: foreseen.name, predicted: foreseen.predicted, outlook, warnings, lines });
    }

    /// For output that may end up in a log.
    pub fn forget_lines(&mut self) {
        self.tasks.iter_mut().for_each(|task| task.lines.clear());
    }

    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string_pretty(self)
            .map_err(|error| Error::new(ErrorKind::Bug, "write the plan down", error.to_string()))
    }

    /// A plan from elsewhere is not trusted: every digest must be that of the plan beside it.
    pub fn read(path: &Path) -> Result<Self> {
        let plan: Self = read(path, "plan")?;
        let doing = || format!("review the plan {}", path.display());
        if plan.rekindle_plan != FORM {
            return Err(Error::new(
                ErrorKind::Unsupported,
                doing(),
                format!("its form is {}, this program knows {FORM}", plan.rekindle_plan),
            ));
        }
        for task in &plan.tasks {
            if let Some((digest, plan)) = task.plan()
                && (plan.digest(&Selection::all()) != digest || plan.task != task.task)
            {
                let why = format!("the plan of {} is not the one its digest names", crate::model::visible(&task.task));
                return Err(Error::new(ErrorKind::Corrupt, doing(), why).next("make it again with rekindle plan --out"));
            }
        }
        Ok(plan)
    }
}

impl PlannedTask {
    /// The plan that can be decided on, and its digest with all hunks.
    pub fn plan(&self) -> Option<(Digest, &Plan)> {
        match &self.outlook {
            TaskOutlook::Changes { digest, plan, .. } => Some((*digest, plan)),
            _ => None,
        }
    }
}

impl DecisionsFile {
    pub fn new(by: String, runbook: Digest) -> Self {
        Self { rekindle_decisions: FORM, by, runbook: Some(runbook), tasks: BTreeMap::new() }
    }

    pub fn approve(&mut self, task: &PlannedTask, digest: Digest, left_out: Selection) {
        self.tasks.insert(task.task.clone(), Decision { digest, left_out });
    }

    pub fn read(path: &Path) -> Result<Self> {
        let decisions: Self = read(path, "decisions")?;
        if decisions.rekindle_decisions == FORM {
            return Ok(decisions);
        }
        let why = format!("its form is {}, this program knows {FORM}", decisions.rekindle_decisions);
        Err(Error::new(ErrorKind::Unsupported, format!("use the decisions {}", path.display()), why))
    }

    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| Error::new(ErrorKind::Bug, "write the decisions down", error.to_string()))?;
        write_private(path, &text)
    }
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path, what: &str) -> Result<T> {
    let doing = || format!("read the {what} {}", visible(path.as_os_str().as_encoded_bytes()));
    let next = match what {
        "plan" => "make one with 'rekindle plan RUNBOOK --out FILE'",
        _ => "make them with 'rekindle review PLAN'",
    };
    let failed = |error| Error::io(doing(), error).next(next);
    let file = crate::named_file::open_given(path).map_err(failed)?;
    let mut text = Vec::new();
    // A pipe has no size to be asked for.
    file.take(MAX_BYTES + 1).read_to_end(&mut text).map_err(failed)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(Error::new(ErrorKind::Invalid, doing(), "it is larger than 1 GiB").next(next));
    }
    let wrong = |error: serde_json::Error| Error::new(ErrorKind::Invalid, doing(), visible(&error.to_string()));
    serde_json::from_slice(&text).map_err(|error| wrong(error).next(next))
}

/// Only for the operator's eyes: a plan names users and what they have. A file is replaced whole or not at all.
pub fn write_private(path: &Path, text: &str) -> Result<()> {
    let doing = || format!("write {}", visible(path.as_os_str().as_encoded_bytes()));
    let next = "name a file in a folder that is there and yours to write to";
    let failed = |error| Error::io(doing(), error).next(next);
    // A link goes on pointing there; what is no file, a pipe or a terminal, is written to as it is.
    let there = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if std::fs::metadata(&there).is_ok_and(|found| !found.is_file()) {
        let mut stream = std::fs::OpenOptions::new().write(true).open(&there).map_err(failed)?;
        return writeln!(stream, "{text}").map_err(|error| Error::io(doing(), error));
    }
    let folder = there.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    writeln!(file, "{text}").and_then(|()| file.as_file().sync_all()).map_err(|error| Error::io(doing(), error))?;
    file.persist(&there).map_err(|error| failed(error.error))?;
    Ok(())
}
