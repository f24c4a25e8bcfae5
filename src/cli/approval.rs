use super::ApprovalArgs;
use super::decisions::DecisionsFile;
use crate::model::{ApprovalPolicy, Counts, Result, Run, RunState, StepKind, TaskId, TaskState, TaskStatus};

/// More would only scroll the totals away.
const MOST_WAITING: usize = 20;

impl ApprovalArgs {
    pub fn policy(&self) -> Result<ApprovalPolicy> {
        if let Some(path) = &self.decisions {
            let decided = DecisionsFile::read(path)?.tasks;
            let decided = decided.into_iter().map(|(task, decision)| (task, (decision.digest, decision.left_out)));
            return Ok(ApprovalPolicy::Decisions(decided.collect()));
        }
        if self.yes {
            return Ok(ApprovalPolicy::Yes { deletes: self.yes_deletes, irreversible: self.yes_irreversible });
        }
        Ok(ApprovalPolicy::Ask)
    }

    /// For the run's header: how approval was set.
    pub fn words(&self) -> String {
        let flags = [
            (self.yes, "--yes"),
            (self.yes_deletes, "--yes-deletes"),
            (self.yes_irreversible, "--yes-irreversible"),
            (self.decisions.is_some(), "--decisions"),
        ];
        let given: Vec<&str> = flags.iter().filter(|(given, _)| *given).map(|(_, flag)| *flag).collect();
        let mut words = if given.is_empty() { "each plan is approved by a person".to_owned() } else { given.join(" ") };
        if self.take_over {
            words.push_str(" --take-over");
        }
        words
    }
}

/// Which of these the flags did not decide, and what would; one line each.
pub fn waiting(run: &Run, tasks: &[TaskId], policy: &ApprovalPolicy) -> Vec<String> {
    let mut lines: Vec<String> = in_review(run, tasks)
        .filter_map(|(task, state)| {
            let name = run.name(task);
            let why = match policy {
                ApprovalPolicy::Ask => return None,
                ApprovalPolicy::Yes { deletes, irreversible } => {
                    let of_deletes = (state.counts().deletes() > 0 && !deletes)
                        .then(|| format!("its plan deletes {}", state.counts().deletes()));
                    let of_undo =
                        (state.counts().irreversible > 0 && !irreversible).then(|| "it cannot be undone".to_owned());
                    let reasons: Vec<String> = of_deletes.into_iter().chain(of_undo).collect();
                    match reasons.is_empty() {
                        _ if state.digest().is_none() => "its plan is not made yet".to_owned(),
                        true if run.state == RunState::Paused => "the run is paused".to_owned(),
                        true => "its target keeps changing".to_owned(),
                        false => {
                            let flags = flags_to_go_on(run, &[task], policy);
                            format!("{};{flags} approves that too", reasons.join(", and "))
                        }
                    }
                }
                ApprovalPolicy::Decisions(decided) if decided.contains_key(&name) => {
                    "it is no longer as it was reviewed; plan and review it again".to_owned()
                }
                ApprovalPolicy::Decisions(_) => "the review did not approve it".to_owned(),
            };
            Some(format!("{} waits: {why}", crate::model::visible(&name)))
        })
        .collect();
    if *policy != ApprovalPolicy::Ask {
        let id = &run.header.id;
        let mut tell = |tasks: Vec<TaskId>, why: &str| {
            let names = tasks.into_iter().map(|task| run.name(task));
            let line =
                |name: String| format!("{} waits: {why}; rekindle resume {id} asks", crate::model::visible(&name));
            lines.extend(names.map(line));
        };
        tell(cut_off(run, tasks), "only a person can say what its command did");
        tell(to_confirm(run, tasks), "a person must confirm it, and no flag does");
    }
    if lines.len() > MOST_WAITING {
        let more = lines.len() - MOST_WAITING;
        lines.truncate(MOST_WAITING);
        lines.push(format!("… and {more} more wait"));
    }
    lines
}

/// Commands of which it is not known what they did.
fn cut_off(run: &Run, tasks: &[TaskId]) -> Vec<TaskId> {
    those(run, tasks, StepKind::Run, TaskStatus::Unknown)
}

/// Questions that only a person answers.
fn to_confirm(run: &Run, tasks: &[TaskId]) -> Vec<TaskId> {
    those(run, tasks, StepKind::Confirm, TaskStatus::Ready)
}

fn those(run: &Run, tasks: &[TaskId], kind: StepKind, status: TaskStatus) -> Vec<TaskId> {
    let is_in = |task: &TaskId| run.tasks.get(task.index()).is_some_and(|state| state.status == status);
    let is_of = |task: &TaskId| run.step(*task).is_some_and(|step| step.kind == kind);
    tasks.iter().copied().filter(|task| is_in(task) && is_of(task)).collect()
}

fn in_review<'a>(run: &'a Run, tasks: &'a [TaskId]) -> impl Iterator<Item = (TaskId, &'a TaskState)> {
    let states = tasks.iter().filter_map(|task| Some((*task, run.tasks.get(task.index())?)));
    states.filter(|(_, state)| state.status == TaskStatus::Review)
}

/// All flags with which a run goes on where these tasks wait: those that were given, and those that were missing.
pub fn flags_to_go_on(run: &Run, tasks: &[TaskId], policy: &ApprovalPolicy) -> String {
    let ApprovalPolicy::Yes { deletes, irreversible } = *policy else { return String::new() };
    if !to_confirm(run, tasks).is_empty() || !cut_off(run, tasks).is_empty() {
        return String::new();
    }
    // The counts of a plan that is still to be made are another plan's.
    let waits = |wanted: &dyn Fn(Counts) -> bool| {
        in_review(run, tasks).any(|(_, state)| state.digest().is_some() && wanted(state.counts()))
    };
    let deletes = deletes || waits(&|counts| counts.deletes() > 0);
    let irreversible = irreversible || waits(&|counts| counts.irreversible > 0);
    let flags = [(true, " --yes"), (deletes, " --yes-deletes"), (irreversible, " --yes-irreversible")];
    flags.iter().filter(|(wanted, _)| *wanted).map(|(_, flag)| *flag).collect()
}
