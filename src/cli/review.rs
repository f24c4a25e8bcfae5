use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;

use super::decisions::{DecisionsFile, PlanFile, PlannedTask, TaskOutlook};
use super::equal_plans::EqualPlans;
use super::plain::{Choice, Person, PlanShown, Question, approval, counted, group_approval, leave_out_hunks, sides};
use super::{Exit, Output, operate};
use crate::model::{COVERED, Digest, Error, ErrorKind, Plan, Result, Selection, shown_command, visible};

/// Decides on a saved plan: hunk by hunk now, to be applied later
///
/// PLAN comes from `rekindle plan --out`. The decisions are applied by `rekindle run --decisions FILE`, which stops
/// at anything that is no longer as it was reviewed.
#[derive(Args, Debug)]
#[command(after_help = super::plain::legend())]
pub struct ReviewArgs {
    /// The saved plan
    plan: PathBuf,
    /// Where the decisions go
    #[arg(long, value_name = "FILE", default_value = "decisions.json")]
    out: PathBuf,
    /// Approve every plan as computed, without asking
    #[arg(long)]
    yes: bool,
}

const MOST_HUNKS: usize = 40;

pub async fn run(args: ReviewArgs, output: &Output) -> Result<Exit> {
    let planned = PlanFile::read(&args.plan)?;
    if !args.yes && !std::io::stdin().is_terminal() && output.json {
        return Err(Error::new(ErrorKind::Invalid, "review the plan", "there is nobody to ask").next("give --yes"));
    }
    let equal = EqualPlans::of(&planned.tasks);
    let mut decisions = DecisionsFile::new(operate::operator(), planned.runbook);
    let mut open = 0_usize;
    let mut is_left = false;
    for (at, task) in planned.tasks.iter().enumerate() {
        let (digest, plan) = match &task.outlook {
            TaskOutlook::Changes { digest, plan, .. } => (*digest, plan),
            other => {
                open += usize::from(matches!(other, TaskOutlook::Failed { .. }));
                if !output.json {
                    undecidable(task).iter().try_for_each(|line| output.print(&format!("{line}\n")))?;
                }
                continue;
            }
        };
        if decisions.tasks.contains_key(&task.task) {
            continue;
        }
        if is_left {
            open += 1;
            continue;
        }
        if args.yes {
            decisions.approve(task, digest, Selection::all());
            continue;
        }
        let others: Vec<(&PlannedTask, Digest, &Plan)> =
            equal.after(at).filter_map(|at| plan_of(&planned, at)).collect();
        match decide(task, plan, &others, output).await? {
            Decided::Yes(selection) => decisions.approve(task, plan.digest(&selection), selection),
            Decided::All => {
                decisions.approve(task, digest, Selection::all());
                for (task, digest, _) in others {
                    decisions.approve(task, digest, Selection::all());
                }
            }
            Decided::No => open += 1,
            Decided::Leave => {
                open += 1;
                is_left = true;
            }
        }
    }
    decisions.write(&args.out)?;
    let count = decisions.tasks.len();
    if output.json {
        output.print_json(&serde_json::json!({ "decided": count, "open": open, "file": args.out }))?;
    } else {
        output.print(&format!("{count} plans approved, {open} not; written to {}\n", args.out.display()))?;
        output.print(&format!("next: {}\n", next(&planned.given, &args.out)))?;
    }
    Ok(if open == 0 { Exit::Fine } else { Exit::ChangesPending })
}

fn plan_of(planned: &PlanFile, at: usize) -> Option<(&PlannedTask, Digest, &Plan)> {
    let task = planned.tasks.get(at)?;
    match &task.outlook {
        TaskOutlook::Changes { digest, plan, .. } => Some((task, *digest, plan)),
        _ => None,
    }
}

/// What is no plan to decide on now, where it is more than nothing to do.
fn undecidable(task: &PlannedTask) -> Vec<String> {
    let name = visible(&task.task);
    match &task.outlook {
        TaskOutlook::Failed { problem } => {
            vec![format!("{name}\n  cannot be decided: {}", visible(&problem.what))]
        }
        TaskOutlook::Command(command) => {
            let mut lines = vec![format!("{name}\n  the run asks for it when its turn comes:")];
            lines.extend(command.lines(COVERED).iter().map(|line| format!("  {line}")));
            lines
        }
        TaskOutlook::Asks { text } => {
            vec![format!("{name}\n  the run asks a person when its turn comes: {}", visible(text))]
        }
        TaskOutlook::Open { steps } => {
            let steps = visible(&steps.join(", ")).into_owned();
            vec![format!("{name}\n  the run plans it once {steps} has run, and asks then")]
        }
        TaskOutlook::Unchanged
        | TaskOutlook::Answered { .. }
        | TaskOutlook::Skipped { .. }
        | TaskOutlook::Changes { .. } => Vec::new(),
    }
}

/// The command that applies the decisions.
fn next(given: &[String], decisions: &Path) -> String {
    let (runbook, flags) = match given.split_first() {
        Some((runbook, flags)) => (shown_command(std::slice::from_ref(runbook)), flags),
        // A plan of an older rekindle does not say.
        None => ("RUNBOOK".to_owned(), given),
    };
    let words = ["--plain", "--decisions", &decisions.display().to_string()].map(str::to_owned);
    format!("rekindle run {runbook} {}", shown_command(&[flags, &words].concat()))
}

enum Decided {
    Yes(Selection),
    /// This one and all that change the same.
    All,
    No,
    Leave,
}

async fn decide(
    task: &PlannedTask,
    plan: &Plan,
    equal: &[(&PlannedTask, Digest, &Plan)],
    output: &Output,
) -> Result<Decided> {
    let person = Person::default();
    let mut selection = Selection::all();
    show(task, plan, &selection, MOST_HUNKS, output)?;
    let has_hunks = plan.changes.iter().any(|change| !change.hunks.is_empty());
    let name = visible(&task.task);
    loop {
        let is_whole = selection.takes_all() && !equal.is_empty();
        let mut choices = vec![Choice::Approve];
        choices.extend(is_whole.then_some(Choice::Group));
        choices.extend(has_hunks.then_some([Choice::Hunks, Choice::Full]).into_iter().flatten());
        choices.extend([Choice::Later, Choice::Quit]);
        let question = Question {
            sentence: format!("What is to be done with this plan of {name}?"),
            choices,
            owner: None,
            more: equal.len(),
            has_canary: false,
            about: format!("review of {name}"),
        };
        match person.ask(&question).await {
            Some(Choice::Approve) => {
                if approval(person, plan, &selection).await {
                    return Ok(Decided::Yes(selection));
                }
            }
            Some(Choice::Group) => {
                let plans = || std::iter::once(plan).chain(equal.iter().map(|(_, _, plan)| *plan));
                let names = std::iter::once(task).chain(equal.iter().map(|(task, ..)| *task));
                let names: Vec<String> = names.map(|task| visible(&task.task).into_owned()).collect();
                let deletes = plans().map(|plan| plan.counts(&Selection::all()).deletes()).sum();
                let is_lost = plans().any(|plan| plan.irreversible(&Selection::all()).next().is_some());
                if group_approval(person, &names, deletes, is_lost, false).await {
                    return Ok(Decided::All);
                }
                person.tell("nothing was approved");
            }
            Some(Choice::Hunks) => {
                let Some(said) = leave_out_hunks(person, plan, &mut selection).await else { return Ok(Decided::Leave) };
                for line in said {
                    output.print(&format!("{line}\n"))?;
                }
                show(task, plan, &selection, MOST_HUNKS, output)?;
            }
            Some(Choice::Full) => show(task, plan, &selection, usize::MAX, output)?,
            Some(Choice::Quit) | None => return Ok(Decided::Leave),
            Some(_) => return Ok(Decided::No),
        }
    }
}

fn show(task: &PlannedTask, plan: &Plan, selection: &Selection, most: usize, output: &Output) -> Result<()> {
    let mut text = format!("\n{}\n  target {}\n  source {}\n", visible(&task.task), plan.target, plan.source);
    if task.lines.iter().any(|saved| !saved.diff.lines.is_empty()) {
        text.push_str(&format!("{}\n", sides(plan.pass)));
    }
    let shown = PlanShown { plan, selection, most, for_all: "f" };
    let of = |at: (u32, u32)| task.lines.iter().find(|saved| (saved.change, saved.hunk) == at);
    shown.tell(&mut |at| of(at).map(|saved| saved.diff.clone()), &mut |line| {
        text.push_str(&line.painted(output.color));
        text.push('\n');
    });
    let counts = counted(plan.counts(selection), plan.preview);
    output.print(&format!("{text}  {counts}  plan {}\n", plan.digest(selection).short()))
}
