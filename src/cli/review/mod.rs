//! `rekindle review`: decides on a saved plan.

mod ask;
mod so_far;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;

use super::decisions::{PlanFile, PlannedTask, TaskOutlook};
use super::equal_plans::EqualPlans;
use super::{Exit, Output, operate};
use crate::model::{
    COVERED, Digest, Error, ErrorKind, Plan, Result, Selection, plural, shown_command, some_of, visible,
};
use ask::{Decided, ask};
use so_far::SoFar;

/// Decides on a saved plan: hunk by hunk now, to be applied later
///
/// PLAN comes from `rekindle plan --out`. The decisions are applied by `rekindle run --decisions FILE`, which stops
/// at anything that is no longer as it was reviewed. Each decision is saved at once; a review that was left is taken up
/// where it ended.
#[derive(Args, Debug)]
#[command(after_help = super::plain::legend())]
pub struct ReviewArgs {
    /// The saved plan
    plan: PathBuf,
    /// Where the decisions go; a file that holds some of this plan is gone on with
    #[arg(long, value_name = "FILE", default_value = "decisions.json")]
    out: PathBuf,
    /// Approve every plan as computed, without asking
    #[arg(long)]
    yes: bool,
}

/// More names would only scroll the counts away.
const MOST_NAMED: usize = 8;

pub async fn run(args: ReviewArgs, output: &Output) -> Result<Exit> {
    let planned = PlanFile::read(&args.plan)?;
    if !args.yes && !std::io::stdin().is_terminal() && output.json {
        return Err(Error::new(ErrorKind::Invalid, "review the plan", "there is nobody to ask").next("give --yes"));
    }
    let mut so_far = SoFar::open(&args.out, &planned, operate::operator())?;
    if !output.json {
        so_far.told().iter().try_for_each(|line| output.print(&format!("{line}\n")))?;
        planned.tasks.iter().flat_map(undecidable).try_for_each(|line| output.print(&format!("{line}\n")))?;
    }
    let open = if args.yes {
        approve_all(&planned, &mut so_far, output)?;
        0
    } else {
        ask_for_each(&planned, &mut so_far, output).await?
    };
    so_far.finish()?;
    let failed = planned.tasks.iter().filter(|task| matches!(task.outlook, TaskOutlook::Failed { .. })).count();
    let later = left_to_the_run(&planned);
    let count = so_far.count();
    if output.json {
        let file = so_far.is_written().then_some(&args.out);
        let later: Vec<&str> = later.iter().map(|task| task.task.as_str()).collect();
        output.print_json(&serde_json::json!({
            "decided": count, "open": open, "failed": failed, "left_to_the_run": later, "file": file,
        }))?;
    } else {
        closing(&planned, &so_far, (open, failed), &later)
            .iter()
            .try_for_each(|line| output.print(&format!("{line}\n")))?;
        if so_far.is_written() {
            output.print(&format!("next: {}\n", next(&planned.given, &args.out)))?;
        }
    }
    Ok(if open == 0 && failed == 0 { Exit::Fine } else { Exit::ChangesPending })
}

/// How many stay undecided.
async fn ask_for_each(planned: &PlanFile, so_far: &mut SoFar<'_>, output: &Output) -> Result<usize> {
    let equal = EqualPlans::of(&planned.tasks);
    let mut open = 0;
    let mut is_left = false;
    for (at, task) in planned.tasks.iter().enumerate() {
        let Some((digest, plan)) = task.plan() else { continue };
        if so_far.has(task) {
            continue;
        }
        if is_left {
            open += 1;
            continue;
        }
        let others = equal.after(at).filter_map(|at| planned.tasks.get(at)).filter(|other| !so_far.has(other));
        let others: Vec<(&PlannedTask, Digest, &Plan)> =
            others.filter_map(|other| other.plan().map(|(digest, plan)| (other, digest, plan))).collect();
        match ask(task, plan, &others, output).await? {
            Decided::Yes(selection) => so_far.approve(task, plan.digest(&selection), selection),
            Decided::All => {
                so_far.approve(task, digest, Selection::all());
                for (task, digest, _) in others {
                    so_far.approve(task, digest, Selection::all());
                }
            }
            Decided::No => open += 1,
            Decided::Leave => {
                open += 1;
                is_left = true;
            }
        }
        so_far.save()?;
    }
    Ok(open)
}

/// Commands are shown all the same, for no plan tells what they change.
fn approve_all(planned: &PlanFile, so_far: &mut SoFar<'_>, output: &Output) -> Result<()> {
    for task in &planned.tasks {
        let Some((digest, plan)) = task.plan().filter(|_| !so_far.has(task)) else { continue };
        so_far.approve(task, digest, Selection::all());
        if let (Some(command), false) = (&plan.command, output.json) {
            output.print(&format!("{}\n", visible(&task.task)))?;
            command.lines(COVERED).iter().try_for_each(|line| output.print(&format!("  {line}\n")))?;
        }
    }
    Ok(())
}

/// Tasks that only the run itself can ask for.
fn left_to_the_run(planned: &PlanFile) -> Vec<&PlannedTask> {
    let is_left = |task: &&PlannedTask| {
        matches!(task.outlook, TaskOutlook::Command(_) | TaskOutlook::Asks { .. } | TaskOutlook::Open { .. })
    };
    planned.tasks.iter().filter(is_left).collect()
}

/// What the review comes to.
fn closing(
    planned: &PlanFile,
    so_far: &SoFar<'_>,
    (open, failed): (usize, usize),
    later: &[&PlannedTask],
) -> Vec<String> {
    let is_command = |task: &&PlannedTask| task.plan().is_some_and(|(_, plan)| plan.command.is_some());
    let commands = planned.tasks.iter().filter(is_command).filter(|task| so_far.has(task)).count();
    let (hunks, plans) = so_far.left_out();
    let left_out =
        (hunks > 0).then(|| format!("{} of {} left out", plural(hunks as u64, "hunk"), plural(plans as u64, "plan")));
    let commands = (commands > 0).then(|| format!("{} among them", plural(commands as u64, "command")));
    let of_them: String = commands.into_iter().chain(left_out).map(|part| format!(", {part}")).collect();
    let count = plural(so_far.count() as u64, "plan");
    let written = match so_far.is_written() {
        true => format!("written to {}", visible(so_far.path().as_os_str().as_encoded_bytes())),
        false => "nothing was decided, so nothing was written".to_owned(),
    };
    let mut lines = vec![format!("{count} approved{of_them}, {open} not; {written}")];
    let names = |tasks: &[&PlannedTask]| {
        let names: Vec<String> = tasks.iter().map(|task| visible(&task.task).into_owned()).collect();
        some_of(&names, MOST_NAMED, ", ")
    };
    if failed > 0 {
        let of = if failed == 1 { "1 task has no plan".to_owned() } else { format!("{failed} tasks have no plan") };
        lines.push(format!("{of}: see above; plan again once that is mended"));
    }
    if !later.is_empty() {
        lines.push(format!("not part of this review, the run asks a person for it: {}", names(later)));
    }
    lines
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
