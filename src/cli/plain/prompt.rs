use super::choice::Choice;
use super::contents::Much;
use super::hunks::leave_out_hunks;
use super::plan_shown::{PlanShown, sides};
use super::question::{Asking, Question};
use super::sure::{self, Sure};
use super::walk::Walk;
use super::wording::{counted, shown_name};
use crate::engine::Command;
use crate::model::{
    Digest, ErrorKind, Known, Pass, Plan, Proposal, Run, Selection, TaskId, TaskStatus, plural, visible,
};
use crate::tui::{self, Canary};

/// What came of one question.
pub enum Asked {
    Decided,
    /// Nothing was decided: the same question comes again.
    Again,
    Later,
    Leave,
    /// The first of a group is approved; the rest follows once it was read back.
    Group(Canary),
}

const MOST_HUNKS: usize = 40;

/// Puts one task's question to the person and carries out the answer.
pub async fn ask(walk: &Walk, run: &Run, task: TaskId) -> Asked {
    let status = run.tasks.get(task.index()).map_or(TaskStatus::Waiting, |state| state.status);
    match status {
        TaskStatus::Review => review(walk, run, task).await,
        TaskStatus::Failed => failed(walk, run, task).await,
        TaskStatus::Unknown => unknown(walk, run, task).await,
        _ => confirm(walk, run, task).await,
    }
}

/// Once nothing else is left to decide: whether the questions that were put off come now.
pub async fn ask_put_off(walk: &Walk, count: usize) -> bool {
    let questions = plural(count as u64, "question");
    let sentence =
        format!("\n{questions} you left for later. Ask again now? Type yes; Enter leaves what is open undecided.");
    matches!(walk.person().answer(&sentence).await.as_deref(), Some("y" | "yes"))
}

/// The question about one task: who is left out and what is asked about stand in it.
fn question(run: &Run, task: TaskId, sentence: String, first: &[Choice]) -> Question {
    let owner = run.owner(task).map(|owner| owner.to_string());
    let mut choices = first.to_vec();
    choices.push(Choice::Skip);
    choices.extend(owner.is_some().then_some(Choice::LeaveOut));
    choices.extend([Choice::Later, Choice::Abort, Choice::Quit]);
    let target = run.step(task).and_then(|step| step.component.as_ref());
    let target = target.map(|name| format!(" to {}", visible(name))).unwrap_or_default();
    let about = format!("{} {}{target}", visible(&run.header.id), shown_name(run, task));
    Question { sentence, choices, owner, more: 0, has_canary: true, asking: Asking::Run, about }
}

async fn review(walk: &Walk, run: &Run, task: TaskId) -> Asked {
    let proposal = match walk.engine.proposal(task).await {
        Ok(proposal) => proposal,
        Err(error) => {
            walk.print(&error.chain());
            // Where it is planned anew it is asked about again; where not, the others are.
            return Asked::Later;
        }
    };
    let plan = &proposal.plan;
    let mut selection = run.selection(task);
    let is_undo = plan.pass == Pass::Undo;
    show(walk, run, task, &proposal, &selection, false);
    loop {
        let equal = if selection.takes_all() { equal_plans(run, task) } else { Vec::new() };
        let has_hunks = plan.changes.iter().any(|change| !change.hunks.is_empty());
        let mut choices = vec![Choice::Approve];
        choices.extend((!equal.is_empty()).then_some(Choice::Group));
        choices.extend(has_hunks.then_some([Choice::Hunks, Choice::Full]).into_iter().flatten());
        let what = if is_undo { "undo" } else { "plan" };
        let sentence = format!("What is to be done with this {what} of {}?", shown_name(run, task));
        let asked = Question { more: equal.len(), ..question(run, task, sentence, &choices) };
        match walk.person().ask(&asked).await {
            Some(Choice::Approve) if !plan.has_something(&selection) => {
                walk.print("every hunk is left out: type s to skip the task instead");
            }
            Some(Choice::Approve) => {
                if sure::approval(walk.person(), plan, &selection).await {
                    return approve(walk, run, task, plan, selection).await;
                }
            }
            Some(Choice::Group) => {
                if let Some(asked) = group(walk, run, (task, plan.digest(&selection)), equal).await {
                    return asked;
                }
            }
            Some(Choice::Hunks) => {
                let Some(said) = leave_out_hunks(walk.person(), plan, &mut selection).await else {
                    return Asked::Leave;
                };
                said.iter().for_each(|line| walk.print(line));
                show(walk, run, task, &proposal, &selection, false);
            }
            Some(Choice::Full) => show(walk, run, task, &proposal, &selection, true),
            other => return common(walk, run, task, other).await,
        }
    }
}

async fn approve(walk: &Walk, run: &Run, task: TaskId, plan: &Plan, selection: Selection) -> Asked {
    let digest = plan.digest(&selection);
    if selection != run.selection(task) {
        let decided = decide(walk, Command::Decide { task, selection }).await;
        if !matches!(decided, Asked::Decided) {
            return decided;
        }
    }
    decide(walk, Command::Approve { task, digest }).await
}

/// Plans in review that change the same, once the owner's name is taken out, with nothing left out of them.
fn equal_plans(run: &Run, task: TaskId) -> Vec<(TaskId, Digest)> {
    let Some(cohort) = run.plans.get(&task).map(|facts| facts.cohort) else { return Vec::new() };
    let pass = run.tasks.get(task.index()).map(|state| state.pass);
    let others = run.step_tasks(run.step_of(task)).map(TaskId).filter(|other| *other != task);
    let equal = others.filter_map(|other| {
        let state = run.tasks.get(other.index())?;
        let is_equal = state.status == TaskStatus::Review
            && Some(state.pass) == pass
            && run.plans.get(&other).is_some_and(|facts| facts.cohort == cohort)
            && run.selection(other).takes_all();
        state.digest().filter(|_| is_equal).map(|digest| (other, digest))
    });
    equal.collect()
}

/// `None`: nothing was approved.
async fn group(walk: &Walk, run: &Run, first: (TaskId, Digest), rest: Vec<(TaskId, Digest)>) -> Option<Asked> {
    let all: Vec<TaskId> = std::iter::once(first).chain(rest.iter().copied()).map(|(task, _)| task).collect();
    let names: Vec<String> = all.iter().map(|task| shown_name(run, *task)).collect();
    let deletes = all.iter().filter_map(|task| run.tasks.get(task.index())).map(|state| state.counts().deletes()).sum();
    let is_lost =
        all.iter().filter_map(|task| run.tasks.get(task.index())).any(|state| state.counts().irreversible > 0);
    if !sure::group(walk.person(), &names, deletes, is_lost, true).await {
        walk.print("nothing was approved");
        return None;
    }
    let (task, digest) = first;
    Some(match decide(walk, Command::Approve { task, digest }).await {
        Asked::Decided => Asked::Group(Canary { first: vec![first], rest }),
        other => other,
    })
}

/// The plan with what is chosen of it, and everything an approval rests on.
fn show(walk: &Walk, run: &Run, task: TaskId, proposal: &Proposal, selection: &Selection, all: bool) {
    let plan = &proposal.plan;
    walk.print("");
    let undo = if plan.pass == Pass::Undo { "UNDO  " } else { "" };
    walk.print(&format!("{undo}{}  {}", shown_name(run, task), visible(&run.about(task))));
    walk.print(&format!("  target {}", plan.target));
    walk.print(&format!("  source {}", plan.source));
    let contents = walk.lines.contents.with(if all { Much::ALL } else { Much::USUAL });
    let schema = contents.schema(run, task);
    let shown = PlanShown {
        plan,
        selection,
        most: if all { usize::MAX } else { MOST_HUNKS },
        for_all: "f",
        for_lines: "f shows more",
    };
    let mut lines = Vec::new();
    let mut has_sides = false;
    let mut lines_of = |at| {
        let diff = contents.lines(schema.as_ref(), proposal, at)?;
        has_sides |= !diff.lines.is_empty();
        Some(diff)
    };
    shown.tell(&mut lines_of, &mut |line| lines.push(line));
    // Above all of them, not between a change and its first hunk.
    if has_sides {
        walk.print(sides(plan.pass));
    }
    lines.iter().for_each(|line| walk.print(&line.painted(walk.lines.color)));
    for place in plan.irreversible(selection) {
        walk.print(&format!("  cannot be undone: {place}"));
    }
    let counts = counted(plan.counts(selection), plan.preview);
    walk.print(&format!("  {counts}  plan {}", plan.digest(selection).short()));
}

async fn failed(walk: &Walk, run: &Run, task: TaskId) -> Asked {
    tell_problem(walk, run, task);
    let sentence = format!("What is to be done about {}?", shown_name(run, task));
    let asked = question(run, task, sentence, &[Choice::Retry, Choice::Undo]);
    match walk.person().ask(&asked).await {
        Some(Choice::Undo) => decide(walk, Command::Undo { task }).await,
        other => common(walk, run, task, other).await,
    }
}

async fn unknown(walk: &Walk, run: &Run, task: TaskId) -> Asked {
    tell_problem(walk, run, task);
    walk.print("  a retry plans it anew from what is live then: what is there already is not written again");
    let sentence = format!("Look at the target: was the change of {} done there?", shown_name(run, task));
    let first = [Choice::Look, Choice::Applied, Choice::NotApplied, Choice::Retry];
    match walk.person().ask(&question(run, task, sentence, &first)).await {
        Some(Choice::Applied) => decide(walk, Command::Settle { task, known: Known::Applied }).await,
        Some(Choice::NotApplied) => decide(walk, Command::Settle { task, known: Known::NotApplied }).await,
        Some(Choice::Look) => decide(walk, Command::LookAgain { task }).await,
        other => common(walk, run, task, other).await,
    }
}

async fn confirm(walk: &Walk, run: &Run, task: TaskId) -> Asked {
    walk.print(&format!("\n{}  {}", shown_name(run, task), visible(&run.question(task))));
    let asked = question(run, task, "Is it so?".to_owned(), &[Choice::Confirm]);
    match walk.person().ask(&asked).await {
        Some(Choice::Confirm) => decide(walk, Command::Confirm { task, question: run.question(task) }).await,
        other => common(walk, run, task, other).await,
    }
}

/// What means the same at every prompt.
async fn common(walk: &Walk, run: &Run, task: TaskId, choice: Option<Choice>) -> Asked {
    match choice {
        Some(Choice::Retry) => decide(walk, Command::Retry { task }).await,
        Some(Choice::Skip) => {
            let meant = tui::of_skipping(run, &[task]);
            if_meant(walk, meant, "yes", |why| Command::Skip { task, why }).await
        }
        Some(Choice::LeaveOut) => leave_out(walk, run, task).await,
        Some(Choice::Abort) => {
            match if_meant(walk, tui::of_aborting(run), "abort", |why| Command::Abort { why }).await {
                Asked::Again => Asked::Again,
                _ => Asked::Leave,
            }
        }
        Some(Choice::Quit) | None => Asked::Leave,
        Some(_) => Asked::Later,
    }
}

async fn leave_out(walk: &Walk, run: &Run, task: TaskId) -> Asked {
    // It is offered only where there is one.
    let Some(owner) = run.owner(task) else { return Asked::Again };
    let what = format!("Leave {} {owner} out?", visible(&*owner.set));
    let about = "All their tasks that are not settled are skipped. What was done stays done.".to_owned();
    let (set, owner) = (owner.set.to_string(), owner.name.to_string());
    if_meant(walk, (what, about), "yes", |why| Command::LeaveOut { set, owner, why }).await
}

/// Asks for the reason and once more; `word` says that it is meant.
async fn if_meant(
    walk: &Walk,
    (what, about): (String, String),
    word: &str,
    command: impl FnOnce(String) -> Command,
) -> Asked {
    match sure::reason(walk.person(), &what, &about, word).await {
        Sure::Yes(why) => decide(walk, command(why)).await,
        Sure::No => Asked::Again,
        Sure::Gone => Asked::Leave,
    }
}

fn tell_problem(walk: &Walk, run: &Run, task: TaskId) {
    let state = run.tasks.get(task.index());
    let undo = if state.is_some_and(|state| state.pass == Pass::Undo) { "UNDO  " } else { "" };
    let word = match state.map(|state| state.status) {
        Some(TaskStatus::Unknown) => "is UNKNOWN: applied or not",
        _ => "failed",
    };
    walk.print(&format!("\n{undo}{} {word}", shown_name(run, task)));
    if let Some(problem) = run.problems.get(&task) {
        walk.print(&format!("  {}", visible(&problem.what)));
        if let Some(next) = &problem.next {
            walk.print(&format!("  next: {}", visible(next)));
        }
    }
}

/// A refused command changed nothing, and no notice comes of it: where the question was of what is so no more it comes
/// again, and elsewhere the next one.
async fn decide(walk: &Walk, command: Command) -> Asked {
    let Err(error) = walk.engine.command(command, &walk.by).await else { return Asked::Decided };
    walk.print(&visible(&error.chain()));
    if let Some(next) = error.hint() {
        walk.print(&format!("  next: {}", visible(next)));
    }
    match error.kind() {
        ErrorKind::Conflict => Asked::Again,
        // The engine has stopped: its last notice says why.
        ErrorKind::Cancelled => Asked::Decided,
        _ => Asked::Later,
    }
}
