use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Digest, StepPolicy, TargetIdentity, TaskStatus, UnusableOwner, visible};

/// All that a run was started with; pinned for its life.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunHeader {
    /// As in `261121-044300-demo`.
    pub id: String,
    pub title: String,
    /// `name@host` of who started it.
    pub by: String,
    /// Of the program that started it.
    pub version: String,
    /// The runbook's text with what it includes, as it was read; resumes use this one.
    pub runbook: String,
    pub runbook_path: String,
    pub digest: Option<Digest>,
    /// Inputs that are no secrets, as given or defaulted, snapshots pinned to ids.
    pub inputs: BTreeMap<String, String>,
    pub steps: Vec<StepHeader>,
    pub owners: Vec<OwnerSet>,
    /// What each named source and component called itself at the start.
    pub identities: BTreeMap<String, TargetIdentity>,
    /// How approval was set, in words, as in "--yes --yes-deletes".
    #[serde(default)]
    pub policy: String,
    /// Seconds in which the runbook wants it done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerSet {
    pub set: String,
    pub names: Vec<String>,
    /// What was found in an owner's place and cannot be walked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unusable: Vec<UnusableOwner>,
}

impl OwnerSet {
    pub fn new(set: impl Into<String>, names: Vec<String>) -> Self {
        Self { set: set.into(), names, unusable: Vec::new() }
    }
}

/// More lines than a person reads are counted instead.
const MOST_UNUSABLE: usize = 20;

impl RunHeader {
    /// The machine it was started on; empty where nobody said.
    pub fn host(&self) -> &str {
        self.by.rsplit_once('@').map_or("", |(_, host)| host)
    }

    pub fn unusable_owners(&self) -> impl Iterator<Item = (&str, &UnusableOwner)> {
        self.owners.iter().flat_map(|set| set.unusable.iter().map(|unusable| (set.set.as_str(), unusable)))
    }

    /// Whether an owner was asked for that the run cannot restore.
    pub fn misses_an_owner(&self) -> bool {
        self.unusable_owners().any(|(_, unusable)| unusable.is_wanted)
    }

    /// The owners that cannot be walked, as people are told of them: a line each, or how many more there are.
    pub fn unusable_lines(&self) -> Vec<String> {
        let line = |(set, unusable): (&str, &UnusableOwner)| {
            format!("left out: {} {}: {}", visible(set), visible(&unusable.name), visible(&unusable.why))
        };
        let mut lines: Vec<String> = self.unusable_owners().take(MOST_UNUSABLE).map(line).collect();
        let more = self.unusable_owners().count().saturating_sub(MOST_UNUSABLE);
        lines.extend((more > 0).then(|| format!("left out: {more} more like these")));
        lines
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepHeader {
    pub id: String,
    pub kind: StepKind,
    /// The set of owners it is repeated for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<String>,
    /// Positions of earlier steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<u16>,
    /// The component it reads or writes, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// One line about it for people.
    #[serde(default)]
    pub about: String,
    /// Of a confirmation: what a person is asked. Runs of earlier versions have it in `about`, if there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// The question that is put to the component.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<String>,
    #[serde(default, skip_serializing_if = "StepPolicy::is_default")]
    pub policy: StepPolicy,
}

impl StepHeader {
    /// A step that is done once, needs nothing and names no component.
    pub fn new(id: impl Into<String>, kind: StepKind) -> Self {
        Self {
            id: id.into(),
            kind,
            each: None,
            needs: Vec::new(),
            component: None,
            about: String::new(),
            question: None,
            probe: None,
            policy: StepPolicy::default(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepKind {
    Restore,
    Apply,
    Run,
    Wait,
    Check,
    Confirm,
}

impl StepKind {
    /// Whether this is a failure that the runbook may have a word on. What a command did before it failed is never
    /// known; who writes `retry` or `on_failure` for one knows that.
    pub fn failed(self, status: TaskStatus) -> bool {
        status == TaskStatus::Failed || (self == Self::Run && status == TaskStatus::Unknown)
    }
}
