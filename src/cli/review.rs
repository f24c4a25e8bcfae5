use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;

use super::decisions::{Decision, DecisionsFile, PlanFile, PlannedTask, TaskOutlook};
use super::plain::{
    Choice, HUNKS_QUESTION, MustType, PlanShown, Question, answer_alone, ask_alone, choose_hunks, counted, sides,
};
use super::{Exit, Output, operate};
use crate::engine::shown_command;
use crate::model::{Error, ErrorKind, Plan, Result, Selection, visible};

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

pub fn run(args: &ReviewArgs, output: &Output) -> Result<Exit> {
    let planned = PlanFile::read(&args.plan)?;
    if !args.yes && !std::io::stdin().is_terminal() && output.json {
        return Err(Error::new(ErrorKind::Invalid, "review the plan", "there is nobody to ask").next("give --yes"));
    }
    let mut decisions = DecisionsFile::new(operate::operator(), planned.runbook);
    let mut open = 0_usize;
    let mut is_left = false;
    for task in &planned.tasks {
        let (digest, plan) = match &task.outlook {
            TaskOutlook::Changes { digest, plan } => (*digest, plan),
            TaskOutlook::Failed { problem } => {
                output.print(&format!("{}\n  cannot be decided: {}\n", visible(&task.task), visible(&problem.what)))?;
                open += 1;
                continue;
            }
            _ => continue,
        };
        if is_left {
            open += 1;
            continue;
        }
        if args.yes {
            decisions.tasks.insert(task.task.clone(), Decision { digest, left_out: Selection::all() });
            continue;
        }
        match decide(task, plan, output)? {
            Decided::Yes(selection) => {
                let digest = plan.digest(&selection);
                decisions.tasks.insert(task.task.clone(), Decision { digest, left_out: selection });
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
    No,
    Leave,
}

fn decide(task: &PlannedTask, plan: &Plan, output: &Output) -> Result<Decided> {
    let mut selection = Selection::all();
    show(task, plan, &selection, MOST_HUNKS, output)?;
    let has_hunks = plan.changes.iter().any(|change| !change.hunks.is_empty());
    let mut choices = vec![Choice::Approve];
    choices.extend(has_hunks.then_some([Choice::Hunks, Choice::Full]).into_iter().flatten());
    choices.extend([Choice::Later, Choice::Quit]);
    let name = visible(&task.task);
    let question = Question {
        sentence: format!("What is to be done with this plan of {name}?"),
        choices,
        owner: None,
        more: 0,
        about: format!("review of {name}"),
    };
    loop {
        match ask_alone(&question) {
            Some(Choice::Approve) => {
                let Some(must) = MustType::of(plan, &selection) else { return Ok(Decided::Yes(selection)) };
                match answer_alone(&must.question()) {
                    Some(typed) if must.is_met_by(&typed) => return Ok(Decided::Yes(selection)),
                    Some(_) => output.print("nothing was approved\n")?,
                    None => return Ok(Decided::Leave),
                }
            }
            Some(Choice::Hunks) => {
                let mut asked = HUNKS_QUESTION.to_owned();
                let said = loop {
                    let Some(typed) = answer_alone(&asked) else { return Ok(Decided::Leave) };
                    match choose_hunks(plan, &mut selection, &typed) {
                        Ok(said) => break said,
                        Err(why) => asked = why,
                    }
                };
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
