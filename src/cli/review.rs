use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::decisions::{Decision, DecisionsFile, PlanFile, PlannedTask, TaskOutlook};
use super::plain::{PlanShown, choose_hunks, counted, sides};
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
                break;
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
    let mut most = MOST_HUNKS;
    loop {
        let counts = plan.counts(&selection);
        let mut text = format!("\n{}\n  target {}\n  source {}\n", visible(&task.task), plan.target, plan.source);
        if task.lines.iter().any(|saved| !saved.diff.lines.is_empty()) {
            text.push_str(&format!("{}\n", sides(plan.pass)));
        }
        let shown = PlanShown { plan, selection: &selection, most, for_all: "3" };
        let of = |at: (u32, u32)| task.lines.iter().find(|saved| (saved.change, saved.hunk) == at);
        shown.tell(&mut |at| of(at).map(|saved| saved.diff.clone()), &mut |line| {
            text.push_str(&line.painted(output.color));
            text.push('\n');
        });
        text.push_str(&format!("  {}  plan {}\n", counted(counts, plan.preview), plan.digest(&selection).short()));
        output.print(&text)?;
        match answer(output, "1 approve  2 leave out hunks  3 show all  4 not this one  5 end here")?.as_deref() {
            Some("1") if counts.deletes() > 0 => {
                let wanted = counts.deletes().to_string();
                let typed = answer(output, &format!("this deletes {wanted}; type that number to approve"))?;
                if typed.as_deref() == Some(&wanted) {
                    return Ok(Decided::Yes(selection));
                }
            }
            Some("1") => return Ok(Decided::Yes(selection)),
            Some("2") => {
                if let Some(typed) = answer(output, "numbers of hunks to turn over (taken ↔ left out), between spaces")?
                {
                    for line in choose_hunks(plan, &mut selection, &typed) {
                        output.print(&format!("{line}\n"))?;
                    }
                }
            }
            Some("3") => most = usize::MAX,
            Some("4") => return Ok(Decided::No),
            Some("5") | None => return Ok(Decided::Leave),
            Some(_) => output.print("type one of the numbers\n")?,
        }
    }
}

fn answer(output: &Output, question: &str) -> Result<Option<String>> {
    output.print(&format!("{question}\n> "))?;
    let _ = std::io::stdout().flush();
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line).map_err(|error| Error::io("read the answer", error))?;
    if read == 0 {
        output.print("\n")?;
    }
    Ok((read > 0).then(|| line.trim().to_owned()))
}
