use std::collections::HashSet;

use clap::Args;

use super::Exit;
use super::attention::{Caller, NotifyArgs};
use super::config;
use super::held_back::HeldBack;
use super::operate::{self, Suits};
use super::plain::{Contents, Ending, Lines, Much, Walk, shown_name, totals};
use super::prepared::{recorded_runbook, reopen_live};
use super::screen::ScreenArgs;
use super::{ApprovalArgs, InputArgs, Output, say};
use crate::engine::{Command, Purpose};
use crate::model::{
    ApprovalPolicy, Error, ErrorKind, KEPT_LOST, Pass, Result, Run, RunState, TaskId, TaskState, TaskStatus, UNDO_LOST,
    plural, shown_command, some_of, visible,
};
use crate::runbook::owner_of;
use crate::signals::Signals;

/// Brings back what was there before a run, or some of its tasks
///
/// The way back has its own diff, and each is approved like any other. Without names it undoes everything the
/// run applied, last things first.
#[derive(Args, Debug)]
pub struct UndoArgs {
    /// The run's id or its beginning; the latest that can be undone, unless one is named
    run: Option<String>,
    /// Only this task, as in home/ana; can be repeated
    #[arg(long = "task", value_name = "STEP/OWNER")]
    tasks: Vec<String>,
    /// Only tasks of these owners, as in ana,bob; can be repeated
    #[arg(long = "user", value_name = "NAMES", value_delimiter = ',')]
    owners: Vec<String>,
    #[command(flatten)]
    inputs: InputArgs,
    #[command(flatten)]
    approval: ApprovalArgs,
    #[command(flatten)]
    screen: ScreenArgs,
    #[command(flatten)]
    notify: NotifyArgs,
}

pub async fn run(args: UndoArgs, output: &Output) -> Result<Exit> {
    let json = output.json;
    let taken = operate::take(operate::suiting(args.run.as_deref(), "can be undone", suits)?)?;
    // A wrong name leaves no trace in the journal.
    named(&taken.run, &args)?;
    let inputs = args.inputs.again(&recorded_runbook(taken.header())?, taken.header())?;
    let policy = args.approval.policy()?;
    let mut screen = args.screen.ready(&policy, json)?;
    if let Some(options) = &mut screen {
        let mut wanted: Vec<TaskId> = select(&taken.run, &args, may_be_undone)?.into_iter().collect();
        wanted.sort_unstable_by(|one, other| other.cmp(one));
        options.to_undo = wanted;
    }
    let screen = screen.filter(|options| !options.to_undo.is_empty());
    let by = operate::operator();
    let systems = reopen_live(taken.header(), inputs).await?;
    let id = taken.header().id.clone();
    let contents = Contents::of(&systems, Much::USUAL, false);
    let taken_run = taken.run.clone();
    let engine = taken.resume(systems, policy.clone(), by.clone(), Purpose::Undo, args.approval.take_over)?;
    let interactive = policy == ApprovalPolicy::Ask && !json;
    let signals = Signals::listen(format!("rekindle undo {id}"));
    let attention = args.notify.attention(config::chosen().attention);
    let mut caller = Caller::begin(attention, &engine, &id, screen.is_some());
    if let Some(options) = screen {
        let order = by_step(&taken_run, &options.to_undo.iter().copied().collect());
        let options = crate::tui::Options { calls: caller.screen_calls(), schemas: contents.schemas(), ..options };
        let ending = super::screen::show(engine, by, options, signals).await?;
        caller.end().await;
        return conclude(&ending, (&order, &HashSet::new()), &policy, &args, json, &id);
    }
    let lines = Lines::new(output, interactive, contents);
    let mut walk = Walk { engine, by: by.clone(), lines, interactive, only: Some(HashSet::new()), signals };
    // What was interrupted is settled first, and an undo that was approved is carried out: then it is known what is left.
    let mut halt = walk.go().await;
    let wanted = match &halt.problem {
        Some(problem) => Err(Error::new(problem.kind, "undo", problem.what.clone())),
        None => select(&halt.run, &args, can_be_undone),
    };
    let order = match wanted {
        Ok(wanted) => by_step(&halt.run, &wanted),
        Err(error) => {
            walk.leave(halt).await;
            return Err(error);
        }
    };
    // What came last goes first: a home before the account it needed.
    let mut held = HeldBack::of(&halt.run);
    let mut asked_here = HashSet::new();
    for tasks in &order {
        if halt.is_left || halt.problem.is_some() {
            break;
        }
        let (behind, free): (Vec<TaskId>, Vec<TaskId>) =
            tasks.iter().copied().partition(|task| held.keeps(&halt.run, *task));
        let notices = walk.engine.subscribe();
        let asked = |task: &TaskId| halt.run.tasks.get(task.index()).is_some_and(is_being_undone);
        for task in free.iter().filter(|task| !asked(task)) {
            if let Err(error) = walk.engine.command(Command::Undo { task: *task }, &by).await {
                walk.print(&visible(&error.chain()));
            }
        }
        asked_here.extend(free.iter().copied());
        walk.only = Some(free.iter().copied().collect());
        if !free.is_empty() {
            halt = walk.go_from(notices).await;
        }
        held.add(&halt.run, behind.into_iter().chain(left(&halt.run, &free)));
    }
    let ending = walk.leave(halt).await;
    caller.end().await;
    // One that waited for its approval was carried out with what was interrupted.
    let asked_before = select(&taken_run, &args, is_being_undone).unwrap_or_default().into_iter();
    let asked_before = asked_before.filter(|task| is_undone(&ending.run, *task)).collect();
    let order: Vec<Vec<TaskId>> = order.into_iter().chain([asked_before]).collect();
    conclude(&ending, (&order, &asked_here), &policy, &args, json, &id)
}

/// The last lines of an undo, and its exit code. `asked`: the tasks that had their turn here.
fn conclude(
    ending: &Ending,
    (order, asked): (&[Vec<TaskId>], &HashSet<TaskId>),
    policy: &ApprovalPolicy,
    args: &UndoArgs,
    json: bool,
    id: &str,
) -> Result<Exit> {
    let left: Vec<TaskId> = order.iter().flat_map(|tasks| left(&ending.run, tasks)).collect();
    if let Some(problem) = &ending.problem {
        return Err(Error::new(problem.kind, "undo", problem.what.clone())
            .next(problem.next.clone().unwrap_or_else(|| format!("rekindle undo {id}"))));
    }
    if left.is_empty() {
        let says_so = |line: &String| line.ends_with(UNDO_LOST) || line.ends_with(KEPT_LOST);
        let is_lost = |task: &TaskId| ending.run.stays(*task).iter().any(says_so);
        let lost = order.iter().flatten().any(is_lost);
        if !json {
            let stays = stays(&ending.run, order.iter().flatten().copied());
            stays.iter().for_each(|line| say(line));
            say(match (lost, stays.is_empty()) {
                (true, _) => {
                    "what could be undone is undone; undo the rest by hand: 'rekindle report' shows what was written"
                }
                (false, true) => "everything that was asked for is undone",
                (false, false) => "everything that was asked for is undone but for that",
            });
        }
        return Ok(if lost { Exit::Failed } else { Exit::Fine });
    }
    if !json {
        // What the restore left in review was not to be undone, and no flag takes it along.
        let begun = |task: &TaskId| ending.run.tasks.get(task.index()).is_some_and(is_being_undone);
        let begun: Vec<TaskId> = left.iter().copied().filter(begun).collect();
        super::approval::waiting(&ending.run, &begun, policy).iter().for_each(|line| say(line));
        // Somebody who dropped the question has decided.
        let is_dropped = |task: &TaskId| asked.contains(task) && is_untouched(&ending.run, *task);
        if left.iter().all(is_dropped) {
            say("nothing more is undone: what was restored stays");
            say(&format!("{}\nnext: rekindle report {id}", totals(&ending.run)));
            return Ok(Exit::ChangesPending);
        }
        let left_behind: Vec<TaskId> = left.iter().copied().filter(|task| !is_dropped(task)).collect();
        behind(&ending.run, &left_behind).iter().for_each(|line| say(line));
        let flags = super::approval::flags_to_go_on(&ending.run, &begun, policy);
        say(&held_back(&ending.run, &left_behind, &flags));
        say(&format!("{}\nnext: rekindle undo {id}{}{flags}", totals(&ending.run), args.chosen()));
    }
    // What failed in the restore, and was not to be undone, is no failure of the undo.
    let failed = |state: &TaskState| {
        state.pass == Pass::Undo && matches!(state.status, TaskStatus::Failed | TaskStatus::Unknown)
    };
    let failed = left.iter().any(|task| ending.run.tasks.get(task.index()).is_some_and(failed));
    Ok(if failed { Exit::Failed } else { Exit::ChangesPending })
}

/// One that was undone is not passed over: who asks twice has not asked for the run before it. Nor has who closed one
/// that wrote something.
fn suits(run: &Run) -> Suits {
    match run.state == RunState::Closed {
        true if run.count(TaskStatus::Done) > 0 => Suits::Stops,
        false if run.can_be_undone() || run.count(TaskStatus::Undone) > 0 => Suits::Well,
        _ => Suits::No,
    }
}

/// Who is left, and which flags would take them.
fn held_back(run: &Run, left: &[TaskId], flags: &str) -> String {
    let mut seen = HashSet::new();
    let mut held: Vec<(String, String)> = Vec::new();
    for task in left {
        let one = match run.owner(*task) {
            Some(owner) => (owner.set.to_string(), owner.name.to_string()),
            None => ("task".to_owned(), run.name(*task)),
        };
        if seen.insert(one.clone()) {
            held.push(one);
        }
    }
    let waits = |task: &TaskId| run.tasks.get(task.index()).is_some_and(is_being_undone);
    let by = match left.iter().any(waits) && !flags.is_empty() {
        true => format!("; to take them along:{flags}"),
        false => String::new(),
    };
    format!("held back: {}{by}", whom(&held))
}

/// Some by name; the others are counted by what they are, for a task of nobody is no user.
fn whom(held: &[(String, String)]) -> String {
    let (first, rest) = held.split_at(held.len().min(MOST_NAMED));
    let names: Vec<String> = first.iter().map(|(what, name)| visible(&format!("{what} {name}")).into_owned()).collect();
    let mut more: Vec<(&str, u64)> = Vec::new();
    for (what, _) in rest {
        match more.iter_mut().find(|(known, _)| known == what) {
            Some((_, count)) => *count += 1,
            None => more.push((what, 1)),
        }
    }
    let more: Vec<String> = more.into_iter().map(|(what, count)| plural(count, &visible(what))).collect();
    let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.join(", ")) };
    format!("{}{more}", names.join(", "))
}

/// What was not brought back, since nobody can or it is somebody else's.
fn stays(run: &Run, tasks: impl Iterator<Item = TaskId>) -> Vec<String> {
    let each = tasks.flat_map(|task| run.stays(task).iter().map(move |line| (task, line)));
    let mut lines: Vec<String> =
        each.map(|(task, line)| format!("  ! {}: {}", shown_name(run, task), visible(line))).collect();
    if lines.len() > MOST_NAMED {
        let more = lines.len() - MOST_NAMED;
        lines.truncate(MOST_NAMED);
        lines.push(format!("  ! and {more} more: see 'rekindle report'"));
    }
    lines
}

/// Those that are not undone.
fn left<'a>(run: &'a Run, tasks: &'a [TaskId]) -> impl Iterator<Item = TaskId> + 'a {
    tasks.iter().copied().filter(|task| !is_undone(run, *task))
}

fn is_undone(run: &Run, task: TaskId) -> bool {
    run.tasks.get(task.index()).is_some_and(|state| state.status == TaskStatus::Undone)
}

/// More names would only fill the screen.
const MOST_NAMED: usize = 6;

/// Which tasks have not had their turn: steps are undone one after the other.
fn behind(run: &Run, left: &[TaskId]) -> Option<String> {
    let names: Vec<String> =
        left.iter().filter(|task| is_untouched(run, **task)).map(|task| shown_name(run, *task)).collect();
    (!names.is_empty())
        .then(|| format!("not begun, for later steps are undone first: {}", some_of(&names, MOST_NAMED, ", ")))
}

/// Its undo is not under way.
fn is_untouched(run: &Run, task: TaskId) -> bool {
    run.tasks.get(task.index()).is_some_and(|state| state.pass != Pass::Undo)
}

impl UndoArgs {
    /// As it was given, for the call that goes on.
    fn chosen(&self) -> String {
        let flags = self.tasks.iter().map(|task| ("--task", task));
        let flags = flags.chain(self.owners.iter().map(|owner| ("--user", owner)));
        let each = flags.map(|(flag, value)| format!(" {}", shown_command(&[flag.to_owned(), value.clone()])));
        each.collect()
    }
}

/// What the restore wrote and no undo has taken back.
fn can_be_undone(state: &TaskState) -> bool {
    state.can_be_undone() || is_being_undone(state)
}

/// The same, before it is known what became of what was interrupted.
fn may_be_undone(state: &TaskState) -> bool {
    can_be_undone(state) || (state.status == TaskStatus::Applying && state.undoable)
}

fn select(run: &Run, args: &UndoArgs, can: fn(&TaskState) -> bool) -> Result<HashSet<TaskId>> {
    let count = u32::try_from(run.tasks.len()).unwrap_or(u32::MAX);
    let undoable = |task: &TaskId| run.tasks.get(task.index()).is_some_and(can);
    let (tasks, of_owners) = named(run, args)?;
    if let Some(task) = tasks.iter().find(|task| !undoable(task)) {
        let doing = format!("undo {}", shown_name(run, *task));
        return Err(Error::new(ErrorKind::Refused, doing, "it changed nothing that can be brought back")
            .next("'rekindle report' shows what it did"));
    }
    let is_any_undone = of_owners.iter().any(|task| is_undone(run, *task));
    let mut wanted: HashSet<TaskId> = tasks.into_iter().chain(of_owners.into_iter().filter(undoable)).collect();
    if args.tasks.is_empty() && args.owners.is_empty() {
        wanted.extend((0..count).map(TaskId).filter(undoable));
    }
    if wanted.is_empty() && !args.owners.is_empty() && !is_any_undone {
        let names = args.owners.iter().map(|name| visible(name).into_owned());
        let doing = format!("undo what was done for {}", some_of(names, MOST_NAMED, ", "));
        return Err(Error::new(ErrorKind::Refused, doing, "nothing that this run did for them can be brought back")
            .next("'rekindle report --user NAME' shows what it did"));
    }
    let already = run.count(TaskStatus::Undone) > 0;
    if wanted.is_empty() && !already {
        return Err(Error::new(ErrorKind::NotFound, "undo", "this run changed nothing that can be brought back")
            .next("'rekindle runs' lists the others"));
    }
    Ok(wanted)
}

/// The tasks that were named, and those of the owners that were.
fn named(run: &Run, args: &UndoArgs) -> Result<(Vec<TaskId>, Vec<TaskId>)> {
    let find = |name: &String| {
        run.find(name).ok_or_else(|| {
            let doing = format!("undo the task '{}'", visible(name));
            Error::new(ErrorKind::NotFound, doing, "this run has no such task").next("'rekindle report' lists them")
        })
    };
    let tasks = args.tasks.iter().map(find).collect::<Result<Vec<TaskId>>>()?;
    let mut of_owners = Vec::new();
    for owner in &args.owners {
        let sets = run.header.owners.iter();
        let of = |set: &crate::model::OwnerSet| {
            let name = owner_of(owner, |name| set.names.iter().any(|known| known == name));
            run.tasks_of_owner(&set.set, &name)
        };
        let found: Vec<TaskId> = sets.flat_map(of).collect();
        if found.is_empty() {
            let doing = format!("undo what was done for '{}'", visible(owner));
            return Err(Error::new(ErrorKind::NotFound, doing, "this run has no such owner").next(names_of(run)));
        }
        of_owners.extend(found);
    }
    Ok((tasks, of_owners))
}

/// Whom a run walked, as far as a line holds them.
fn names_of(run: &Run) -> String {
    let names = run.header.owners.iter().flat_map(|set| set.names.iter());
    let mut shown: Vec<String> = names.take(13).map(|name| crate::model::visible(name).into_owned()).collect();
    let more = if shown.len() > 12 { ", …" } else { "" };
    shown.truncate(12);
    match shown.is_empty() {
        true => "leave --user out: this run walked no owners".to_owned(),
        false => format!("there is {}{more}", shown.join(", ")),
    }
}

/// Asked for before this process came, and waiting for its approval.
fn is_being_undone(state: &TaskState) -> bool {
    state.pass == Pass::Undo && state.status == TaskStatus::Review
}

fn by_step(run: &Run, wanted: &HashSet<TaskId>) -> Vec<Vec<TaskId>> {
    let steps = (0..run.header.steps.len()).rev();
    let tasks = steps.map(|step| run.step_tasks(step).map(TaskId).filter(|task| wanted.contains(task)).collect());
    tasks.filter(|tasks: &Vec<TaskId>| !tasks.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_named_is_counted_by_what_they_are() {
        let user = |number: usize| ("user".to_owned(), format!("u{number}"));
        let held = |users: usize| -> Vec<_> {
            (1..=users).map(user).chain([("task".to_owned(), "realm".to_owned())]).collect()
        };
        assert_eq!(whom(&held(10)), "user u1, user u2, user u3, user u4, user u5, user u6 and 4 users, 1 task more");
        assert_eq!(whom(&held(6)), "user u1, user u2, user u3, user u4, user u5, user u6 and 1 task more");
        assert_eq!(whom(&held(1)), "user u1, task realm");
        assert_eq!(whom(&[user(1)]), "user u1");
    }
}
