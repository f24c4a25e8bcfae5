//! The demo: a little platform in a temporary folder, its backup, its damage, and a runbook that restores it.

mod damage;
mod people;
mod sandbox;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::plain::{Contents, Ending, Lines, Much, Person, Walk, tell_above_prompt, totals};
use super::prepared::prepare;
use super::run::conclude;
use super::screen::{self, ScreenArgs};
use super::{Exit, Output, operate, say};
use crate::engine::{Command, Engine, Notice};
use crate::model::{ApprovalPolicy, Error, ErrorKind, Result, RunHeader, TaskStatus};
use crate::runbook::{Given, Inputs, Runbook};
use crate::signals::Signals;
use crate::tui::Parting;
use damage::LostPack;
use sandbox::Sandbox;

/// A sandbox to try everything in: twelve users, a real restic repository, damage of every kind
///
/// In a terminal it opens the screen on runbooks/demo.yaml, and with `--plain` asks the same by questions.
/// Without a terminal it walks the runbook by itself, mends the cause of the one failure, retries that task and prints
/// the proof. Nothing outside its temporary folder is touched, and it cleans up after itself.
#[derive(Args, Debug)]
pub struct DemoArgs {
    /// Leave the sandbox and the run in place
    #[arg(long)]
    keep: bool,
    #[command(flatten)]
    screen: ScreenArgs,
}

const RUNBOOK: &str = include_str!("../../../runbooks/demo.yaml");
/// As its runs' headers say how approval was set.
const POLICY: &str = "the demo's";
/// The task whose backup is damaged.
const FAILING: &str = "home/lee";

pub async fn run(args: DemoArgs, output: &Output) -> Result<Exit> {
    let json = output.json;
    let screen = args.screen.ready(&ApprovalPolicy::Ask, json)?;
    let is_asked = screen.is_some() || (!json && screen::is_terminal());
    if is_asked {
        say("building a sandbox: twelve users, their backup, and damage of every kind");
    }
    let mut sandbox = tokio::task::spawn_blocking(move || Sandbox::build(args.keep))
        .await
        .map_err(|error| Error::new(ErrorKind::Bug, "build the sandbox", error.to_string()))??;
    // The run's journal belongs to the sandbox, not to the operator's own runs.
    let state = crate::journal::StateFolder::at(sandbox.path("state"));
    if sandbox.is_kept() {
        note_where(&state);
    }
    if !json {
        say(&format!("sandbox: {}", sandbox.root().display()));
    }
    let by = operate::operator();
    let policy = match is_asked {
        true => ApprovalPolicy::Ask,
        false => ApprovalPolicy::Yes { deletes: false, irreversible: false },
    };
    let (runbook, _) = Runbook::parse("demo.yaml", RUNBOOK, &|name| {
        Err(Error::new(ErrorKind::Bug, format!("include {name}"), "the demo includes nothing"))
    })
    .map_err(|findings| Error::new(ErrorKind::Bug, "read the demo's runbook", findings.to_string()))?;
    let given = [("sandbox".to_owned(), sandbox.root().display().to_string())];
    let nothing = std::collections::BTreeMap::new();
    let inputs = Inputs::gather(&runbook.inputs, &Given { flags: &given, file: &nothing, environment: &|_| None })?;
    let mut prepared = prepare(&PathBuf::from("demo.yaml"), runbook, inputs, &by, operate::now(), Ok).await?;
    prepared.header.policy = POLICY.to_owned();
    let contents = Contents::of(&prepared.systems, Much::USUAL, false);
    let (engine, id) = operate::begin_in(&state, prepared, policy.clone(), false)?;
    let signals = Signals::listen(format!("rm -r {}", sandbox.root().display()));
    if let Some(mut options) = screen {
        mend_when_it_fails(&engine, sandbox.lost_pack(), warn);
        options.tour = true;
        options.schemas = contents.schemas();
        options.parting = match sandbox.is_kept() {
            true => Parting::Stays { before: format!("REKINDLE_STATE={} ", sandbox.path("state").display()) },
            false => Parting::Removed { instead: "`rekindle demo --keep` leaves them in place".to_owned() },
        };
        let ending = screen::show(engine, by, options, signals).await?;
        return Ok(leave(&ending, &sandbox, &id));
    }
    if is_asked {
        let walk =
            Walk { engine, by, lines: Lines::new(output, true, contents), interactive: true, only: None, signals };
        let notices = walk.engine.subscribe();
        mend_when_it_fails(&walk.engine, sandbox.lost_pack(), tell_above_prompt);
        let halt = walk.go_from(notices).await;
        if !halt.is_left && !sandbox.is_kept() && is_wanted_on(walk.person()).await {
            sandbox.keep();
            note_where(&state);
        }
        return Ok(leave(&walk.leave(halt).await, &sandbox, &id));
    }
    let walk = Walk { engine, by, lines: Lines::new(output, false, contents), interactive: false, only: None, signals };
    in_plain_mode(walk, &sandbox, &id).await
}

/// So that the operator's own `rekindle runs` finds the run of a sandbox that stays.
fn note_where(state: &crate::journal::StateFolder) {
    if let Err(error) = crate::journal::StateFolder::from_environment().and_then(|own| own.keep(state)) {
        tracing::warn!(target: "demo", "'rekindle runs' will not find this run: {error}");
    }
}

/// What comes after a restore can be tried too: its undo, its proof, its report.
async fn is_wanted_on(person: Person<'_>) -> bool {
    let question = "\nThat is the demo's last question. Type keep to leave its sandbox and its run in place, for `rekindle undo`, \
                    `rekindle verify` and `rekindle report`; Enter removes them.";
    person.answer(question).await.is_some_and(|typed| typed.eq_ignore_ascii_case("keep"))
}

/// A demo whose process was killed goes on with its story: what was lost is brought back there too.
pub fn take_up(engine: &Engine, header: &RunHeader, is_logged: bool) {
    let sandbox = header.inputs.get("sandbox").filter(|_| header.policy == POLICY);
    if let Some(pack) = sandbox.and_then(|root| LostPack::still_lost(Path::new(root))) {
        mend_when_it_fails(engine, Arc::new(pack), if is_logged { warn } else { tell_above_prompt });
    }
}

/// To the screen's log, and from there to the line above its keys.
fn warn(note: &str) {
    tracing::warn!(target: "demo", "{note}");
}

/// What the demo leaves behind, after its screen.
fn leave(ending: &Ending, sandbox: &Sandbox, id: &str) -> Exit {
    if sandbox.is_kept() {
        say(&format!("the sandbox is kept; first: export REKINDLE_STATE={}", sandbox.path("state").display()));
        return conclude(ending, &ApprovalPolicy::Ask, false, id);
    }
    say(&totals(&ending.run));
    say("the sandbox and its run are removed; `rekindle demo --keep` leaves them in place");
    Exit::of(&ending.run)
}

async fn in_plain_mode(walk: Walk, sandbox: &Sandbox, id: &str) -> Result<Exit> {
    let json = walk.lines.json;
    let mut halt = walk.go().await;
    let mut mended = false;
    if !halt.is_left && halt.problem.is_none() {
        let failing = halt.run.find(FAILING);
        let failed = failing
            .filter(|task| halt.run.tasks.get(task.index()).is_some_and(|state| state.status == TaskStatus::Failed));
        let Some(task) = failed else {
            walk.print("the demo expected one failure, and there was none");
            walk.leave(halt).await;
            return Ok(Exit::Failed);
        };
        if !json {
            walk.print("");
            walk.print(&format!("mending the cause: {}", sandbox.cause()));
        }
        sandbox.mend()?;
        mended = true;
        walk.engine.command(Command::Retry { task }, &walk.by).await?;
        halt = walk.go().await;
    }
    let was_left = halt.is_left;
    let ending = walk.leave(halt).await;
    let exit = if sandbox.is_kept() {
        if !json {
            say(&format!("to go on with it: export REKINDLE_STATE={}", sandbox.path("state").display()));
        }
        conclude(&ending, &ApprovalPolicy::Yes { deletes: false, irreversible: false }, json, id)
    } else {
        Exit::of(&ending.run)
    };
    if was_left || !mended || ending.problem.is_some() {
        if !json {
            say(&totals(&ending.run));
            say("the demo was left before its end");
        }
        return Ok(Exit::Failed);
    }
    let proof = sandbox.prove()?;
    if json {
        let lines: Vec<&str> = proof.lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect();
        say(&serde_json::json!({ "holds": proof.holds, "proof": lines }).to_string());
    } else {
        proof.lines.iter().for_each(|line| say(line));
    }
    Ok(if proof.holds { exit } else { Exit::Failed })
}

/// On the screen the operator retries. The lost pack is back soon after the failure is seen, and that is told at once.
fn mend_when_it_fails(engine: &Engine, pack: Arc<LostPack>, tell: fn(&str)) {
    let mut notices = engine.subscribe();
    tokio::spawn(async move {
        let mut run = crate::model::Run::default();
        while let Some(notice) = notices.recv().await {
            match notice {
                Notice::Snapshot(snapshot) => run = std::sync::Arc::unwrap_or_clone(snapshot),
                Notice::Event(recorded) if run.apply(&recorded).is_ok() => {}
                _ => continue,
            }
            let failed = run.find(FAILING).and_then(|task| run.tasks.get(task.index()));
            if failed.is_none_or(|state| state.status != TaskStatus::Failed) {
                continue;
            }
            tokio::time::sleep(UNTIL_MENDED).await;
            match pack.mend() {
                Ok(()) => tell(&note(&pack.name())),
                Err(error) => {
                    tracing::error!(target: "demo", "the lost pack could not be brought back: {error}");
                }
            }
            break;
        }
    });
}

/// Long enough to see that something failed.
const UNTIL_MENDED: Duration = Duration::from_millis(500);

fn note(pack: &str) -> String {
    format!("pack {pack} is back from the second copy: retry {FAILING}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_note_fits_the_narrowest_screens_one_line() {
        assert!(super::note("0123abcd").len() <= 70);
    }
}
