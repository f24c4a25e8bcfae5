use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::Exit;
use super::decisions::PlanFile;
use super::operate;
use super::plain::{counted, opening_lines, plan_lines};
use super::prepared::{as_run, prepare, usable_runbook};
use super::progress::Progress;
use super::waits::Waits;
use super::{InputArgs, OwnerArgs, say};
use crate::engine::{Foreseen, Outlook, Script, dry_run, held_by_others};
use crate::journal::StateFolder;
use crate::model::{Preview, Result, RunHeader, Selection, TargetHolder, plural, visible};

/// Dry run: prints what a run would change now, and changes nothing
///
/// Exit code: 0 nothing to do, 2 changes, 1 error. What depends on steps that are not done yet is marked as
/// predicted.
#[derive(Args, Debug)]
#[command(after_help = super::plain::legend())]
pub struct PlanArgs {
    /// The runbook, a YAML file
    runbook: PathBuf,
    #[command(flatten)]
    inputs: InputArgs,
    #[command(flatten)]
    owners: OwnerArgs,
    /// Show every hunk, however many
    #[arg(long)]
    all: bool,
    /// Save the plan, to decide on it with `rekindle review`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

const MOST_HUNKS: usize = 40;

pub async fn run(args: PlanArgs, json: bool) -> Result<Exit> {
    let by = operate::operator();
    let runbook = usable_runbook(&args.runbook)?;
    let inputs = args.inputs.gather(&runbook)?;
    let prepared =
        prepare(&args.runbook, runbook, inputs, &by, operate::now(), |owners| args.owners.select(owners)).await?;
    let run = as_run(&prepared.header)?;
    let script: Arc<dyn Script> = prepared.systems;
    let waits = Waits::default();
    for (name, component) in script.components() {
        component.back_off().into_iter().for_each(|told| waits.tell_of(&name, told));
    }
    let header = &prepared.header;
    let holder = TargetHolder { run: header.id.clone(), by, since: operate::now() };
    let held = held_by_others(&header.steps, &*script, &holder).await;
    if !json {
        opening_lines(header).iter().for_each(|line| say(line));
        for problem in held.values() {
            let next = problem.next.as_deref().unwrap_or_default();
            say(&format!("! a run {}; {}", problem.what, visible(next)));
        }
    }
    super::strays::warn(&*script, &args.runbook).await;
    let key = StateFolder::from_environment()?.digest_key()?;
    let mut summary = Summary { misses_an_owner: header.misses_an_owner(), ..Summary::default() };
    let most = if args.all { usize::MAX } else { MOST_HUNKS };
    let mut saved =
        (json || args.out.is_some()).then(|| PlanFile::of(&prepared.header, held, args.given(&prepared.header)));
    let progress = Progress::new(json);
    let tasks = run.tasks.len();
    dry_run(&run, &script, key, |foreseen| {
        summary.count(&foreseen);
        progress.show(|| format!("{}/{tasks} tasks planned", summary.total()));
        if !json {
            if !matches!(foreseen.what, Ok(Outlook::Unchanged)) || !foreseen.warnings.is_empty() {
                progress.clear();
            }
            print(&foreseen, most);
        }
        if let Some(saved) = &mut saved {
            saved.add(foreseen);
        }
    })
    .await;
    progress.clear();
    if let Some(saved) = saved {
        let text = saved.to_json()?;
        if let Some(path) = &args.out {
            super::decisions::write_private(path, &text)?;
        }
        if json {
            say(&text);
        }
    }
    if !json {
        say(&format!(
            "\n{} unchanged, {} to change, {} to ask, {} failed{}",
            summary.unchanged,
            summary.changes,
            summary.others,
            summary.failed,
            match header.unusable_owners().count() {
                0 => String::new(),
                count => format!(", {} left out", plural(count as u64, "owner")),
            }
        ));
    }
    Ok(summary.exit())
}

impl PlanArgs {
    /// As it was given, for the run that applies it: but for secrets, and from wherever it is called.
    fn given(&self, header: &RunHeader) -> Vec<String> {
        let runbook = std::path::absolute(&self.runbook).unwrap_or_else(|_| self.runbook.clone());
        let first = [runbook.display().to_string()].into_iter();
        first.chain(self.inputs.words(&header.inputs)).chain(self.owners.words()).collect()
    }
}

#[derive(Default)]
struct Summary {
    unchanged: usize,
    changes: usize,
    others: usize,
    failed: usize,
    /// An owner was asked for that cannot be walked: it is not said that there is nothing to do.
    misses_an_owner: bool,
}

impl Summary {
    fn count(&mut self, foreseen: &Foreseen) {
        match &foreseen.what {
            Ok(Outlook::Unchanged | Outlook::Skipped(_)) => self.unchanged += 1,
            // What a command changes is not known, and never "nothing".
            Ok(Outlook::Changes { .. } | Outlook::Command(_)) => self.changes += 1,
            Ok(Outlook::Answered(answer)) if answer.holds => self.unchanged += 1,
            Ok(_) => self.others += 1,
            Err(_) => self.failed += 1,
        }
    }

    fn total(&self) -> usize {
        self.unchanged + self.changes + self.others + self.failed
    }

    /// A person to be asked is no change: a plan right after a run is quiet.
    fn exit(&self) -> Exit {
        match (self.failed, self.changes) {
            (1.., _) => Exit::Failed,
            (0, 1..) => Exit::ChangesPending,
            (0, 0) if self.misses_an_owner => Exit::ChangesPending,
            (0, 0) => Exit::Fine,
        }
    }
}

fn print(foreseen: &Foreseen, most: usize) {
    let predicted = if foreseen.predicted { "  (predicted: what it needs is not done)" } else { "" };
    let name = visible(&foreseen.name);
    match &foreseen.what {
        Ok(Outlook::Unchanged) if foreseen.warnings.is_empty() => {}
        Ok(Outlook::Unchanged) => {
            say(&format!("\n{name}{predicted}\n  unchanged, live and backup are equal but for this:"));
            warn(&foreseen.warnings);
        }
        Ok(Outlook::Changes { proposal, digest, counts, .. }) => {
            say(&format!("\n{name}{predicted}"));
            for line in plan_lines(&proposal.plan, &Selection::all(), most, "--all") {
                say(&line);
            }
            say(&format!("  {}  plan {}", counted(*counts, proposal.plan.preview), digest.short()));
        }
        Ok(Outlook::Command(argv)) => {
            say(&format!("\n{name}{predicted}\n  $ {}", crate::engine::shown_command(argv)));
            say(&format!("  {}", counted(Default::default(), Preview::Opaque)));
            warn(&foreseen.warnings);
        }
        Ok(Outlook::Answered(answer)) => {
            let word = if answer.holds { "holds" } else { "does not hold now" };
            say(&format!("\n{name}{predicted}\n  {word}: {}", visible(&answer.seen)));
            warn(&foreseen.warnings);
        }
        Ok(Outlook::Skipped(when)) => say(&format!("\n{name}\n  skipped: it is not so that {}", visible(when))),
        Ok(Outlook::Asks(text)) => {
            say(&format!("\n{name}{predicted}\n  asks a person: {}", visible(text)));
            warn(&foreseen.warnings);
        }
        Err(error) => {
            say(&format!("\n{name}{predicted}\n  error: {}", visible(&error.chain())));
            if let Some(next) = error.hint() {
                say(&format!("  next: {}", visible(next)));
            }
        }
    }
}

fn warn(warnings: &[String]) {
    warnings.iter().for_each(|warning| say(&format!("  ! {}", visible(warning))));
}
