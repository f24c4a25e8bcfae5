use std::io::{BufRead, Write};

use super::walk::Walk;
use super::wording::{counted, plan_lines, shown_name};
use crate::engine::Command;
use crate::model::{ErrorKind, Known, Pass, Plan, Preview, Run, Selection, TaskId, TaskStatus, visible};
use crate::tui::{self, Demand};

/// What came of one question.
pub enum Asked {
    Decided,
    /// Nothing was decided: the same question comes again.
    Again,
    Later,
    Leave,
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
    let mut all = false;
    let mut is_shown = false;
    loop {
        let digest = plan.digest(&selection);
        let counts = plan.counts(&selection);
        if !std::mem::replace(&mut is_shown, true) {
            show(walk, run, task, plan, &selection, if all { usize::MAX } else { MOST_HUNKS });
        }
        let dropped = if plan.pass == Pass::Undo { "drop this undo" } else { "skip" };
        let out = if run.owner(task).is_some() { "5 leave this user out  " } else { "" };
        let question = format!("1 approve  2 leave out hunks  3 show all  4 {dropped}  {out}6 later  7 quit");
        match answer(walk, &question).await.as_deref() {
            Some("1") => {
                if counts.hunks == 0 && plan.preview != Preview::Opaque {
                    walk.print("no hunk is chosen: skip the task instead");
                    continue;
                }
                if !is_meant(walk, plan, &selection).await {
                    continue;
                }
                if selection != run.selection(task) {
                    let decided = decide(walk, Command::Decide { task, selection: selection.clone() }).await;
                    if !matches!(decided, Asked::Decided) {
                        return decided;
                    }
                }
                return decide(walk, Command::Approve { task, digest }).await;
            }
            Some("2") => {
                choose(walk, plan, &mut selection).await;
                is_shown = false;
            }
            Some("3") => {
                all = true;
                is_shown = false;
            }
            Some("4") => return skip(walk, run, task).await,
            Some("5") => return leave_out(walk, run, task).await,
            Some("6") => return Asked::Later,
            Some("7") | None => return Asked::Leave,
            Some(_) => walk.print("type one of the numbers"),
        }
    }
}

/// Where more can be lost more is asked for, as on the screen: what is typed is no number of the list.
async fn is_meant(walk: &Walk, plan: &Plan, selection: &Selection) -> bool {
    let irreversible = plan.irreversible(selection).count();
    let demand = Demand::for_one(plan.counts(selection), irreversible, plan.preview == Preview::Opaque);
    let Demand::Typed { text, because } = &demand else { return true };
    let typed = answer(walk, &format!("type {text} to approve ({because}); anything else goes back")).await;
    typed.is_some_and(|typed| demand.is_met_by(&typed))
}

/// The plan with what is chosen of it, and everything an approval rests on.
fn show(walk: &Walk, run: &Run, task: TaskId, plan: &Plan, selection: &Selection, most: usize) {
    walk.print("");
    let undo = if plan.pass == Pass::Undo { "UNDO  " } else { "" };
    walk.print(&format!("{undo}{}  {}", shown_name(run, task), visible(&run.about(task))));
    walk.print(&format!("  target {}", plan.target));
    walk.print(&format!("  source {}", plan.source));
    for line in plan_lines(plan, selection, most, "3") {
        walk.print(&line);
    }
    for place in plan.irreversible(selection) {
        walk.print(&format!("  cannot be undone: {place}"));
    }
    let counts = counted(plan.counts(selection), plan.preview);
    walk.print(&format!("  {counts}  plan {}", plan.digest(selection).short()));
}

async fn choose(walk: &Walk, plan: &Plan, selection: &mut Selection) {
    let question = "numbers of hunks to turn over (taken ↔ left out), between spaces";
    let Some(typed) = answer(walk, question).await else { return };
    for line in choose_hunks(plan, selection, &typed) {
        walk.print(&line);
    }
}

/// Turns the named hunks over; answers what there is to say about it.
pub fn choose_hunks(plan: &Plan, selection: &mut Selection, typed: &str) -> Vec<String> {
    let positions: Vec<(usize, usize)> = plan
        .changes
        .iter()
        .enumerate()
        .flat_map(|(at, change)| (0..change.hunks.len()).map(move |hunk| (at, hunk)))
        .collect();
    let mut said = Vec::new();
    for word in typed.split_whitespace() {
        let position = word.parse::<usize>().ok().and_then(|number| positions.get(number.checked_sub(1)?));
        let Some((change, hunk)) = position else {
            said.push(format!("  there is no hunk '{}'", visible(word)));
            continue;
        };
        let take = !selection.takes(*change, *hunk);
        let before = selection.left_out_count();
        selection.decide(plan, *change, *hunk, take);
        let moved = before.abs_diff(selection.left_out_count());
        if moved > 1 {
            said.push(format!("  with hunk {word} go {} that depend on it", moved - 1));
        }
    }
    said
}

async fn failed(walk: &Walk, run: &Run, task: TaskId) -> Asked {
    tell_problem(walk, run, task);
    let out = if run.owner(task).is_some() { "3 leave this user out  " } else { "" };
    match answer(walk, &format!("1 retry  2 skip  {out}4 undo  5 abort the run  6 later  7 quit")).await.as_deref() {
        Some("1") => decide(walk, Command::Retry { task }).await,
        Some("2") => skip(walk, run, task).await,
        Some("3") => leave_out(walk, run, task).await,
        Some("4") => decide(walk, Command::Undo { task }).await,
        Some("5") => {
            decide(walk, Command::Abort { why: "the operator aborted it after a failure".to_owned() }).await;
            Asked::Leave
        }
        Some("7") | None => Asked::Leave,
        Some(_) => Asked::Later,
    }
}

async fn unknown(walk: &Walk, run: &Run, task: TaskId) -> Asked {
    tell_problem(walk, run, task);
    walk.print("  a retry plans it anew from what is live then: what is there already is not written again");
    let question = "look at the target: 1 it was applied  2 it was not applied  3 retry  4 later  5 quit  6 let rekindle look again";
    match answer(walk, question).await.as_deref() {
        Some("1") => decide(walk, Command::Settle { task, known: Known::Applied }).await,
        Some("2") => decide(walk, Command::Settle { task, known: Known::NotApplied }).await,
        Some("3") => decide(walk, Command::Retry { task }).await,
        Some("5") | None => Asked::Leave,
        Some("6") => decide(walk, Command::LookAgain { task }).await,
        Some(_) => Asked::Later,
    }
}

async fn confirm(walk: &Walk, run: &Run, task: TaskId) -> Asked {
    walk.print(&format!("\n{}  {}", shown_name(run, task), visible(&run.question(task))));
    match answer(walk, "1 it is so  2 skip  3 later  4 quit").await.as_deref() {
        Some("1") => decide(walk, Command::Confirm { task, question: run.question(task) }).await,
        Some("2") => skip(walk, run, task).await,
        Some("4") | None => Asked::Leave,
        Some(_) => Asked::Later,
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

async fn skip(walk: &Walk, run: &Run, task: TaskId) -> Asked {
    let (title, about) = tui::of_skipping(run, &[task]);
    match answer(walk, &format!("{title} {about}\nwhy? (empty: no)")).await {
        Some(why) if !why.is_empty() => decide(walk, Command::Skip { task, why }).await,
        Some(_) => Asked::Again,
        None => Asked::Leave,
    }
}

async fn leave_out(walk: &Walk, run: &Run, task: TaskId) -> Asked {
    let Some(owner) = run.owner(task) else {
        walk.print("this task is nobody's in particular: skip it instead");
        return Asked::Again;
    };
    match answer(walk, &format!("why is {owner} left out? (empty: not)")).await {
        Some(why) if !why.is_empty() => {
            let (set, owner) = (owner.set.to_string(), owner.name.to_string());
            decide(walk, Command::LeaveOut { set, owner, why }).await
        }
        Some(_) => Asked::Again,
        None => Asked::Leave,
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

/// None at the end of input, and when a signal ends the waiting for it.
async fn answer(walk: &Walk, question: &str) -> Option<String> {
    walk.print(question);
    let _ = write!(std::io::stdout().lock(), "> ");
    let _ = std::io::stdout().flush();
    let (tell, told) = tokio::sync::oneshot::channel();
    // A thread of its own: nothing waits for its end where the operator never answers.
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line).ok().filter(|read| *read > 0);
        let _ = tell.send(read.map(|_| line.trim().to_owned()));
    });
    tokio::select! {
        line = told => {
            let line = line.ok().flatten();
            if line.is_none() {
                walk.print("");
            }
            line
        }
        _ = walk.signals.first() => None,
    }
}
