use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::sync::mpsc;

use super::plain::{end_object, event_json, event_line, progress_object, run_object, shown_name, totals};
use super::progress::Progress;
use super::screen::ScreenArgs;
use super::{Exit, Output, operate, waits};
use crate::engine::{Activity, Notice};
use crate::journal::{ReadJournal, RunFolder, StateFolder};
use crate::model::{ApprovalPolicy, Error, ErrorKind, Event, Recorded, Result, Run, RunState, TaskId, visible};
use crate::signals::Signals;
use crate::tui;

/// Follows a run that another process carries out, without touching it
#[derive(Args, Debug)]
pub struct WatchArgs {
    /// The run's id or its beginning; unless one is named, the latest of those that are going, else the latest
    run: Option<String>,
    /// Print what is there and end, instead of waiting for more
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    screen: ScreenArgs,
}

/// Components by their name, and the words for what they wait for.
type Waited = BTreeMap<String, String>;

const EVERY: Duration = Duration::from_millis(200);
/// Rounds of that.
const HOLDER_EVERY: u64 = 5;

/// Who watches means what is going on; a run that was begun and left later does not hide it.
fn going() -> Result<RunFolder> {
    let state = StateFolder::from_environment()?;
    match state.list()?.into_iter().rev().find(|folder| folder.holder().is_some()) {
        Some(folder) => Ok(folder),
        None => state.latest(),
    }
}

pub async fn run(args: WatchArgs, output: &Output) -> Result<Exit> {
    let folder = match &args.run {
        None => going()?,
        Some(_) => operate::folder(args.run.as_deref())?,
    };
    let mut journal = ReadJournal::open(&folder)?;
    let screen = if args.once { None } else { args.screen.ready(&ApprovalPolicy::Ask, output.json)? };
    let (notices, receiver) = mpsc::unbounded_channel();
    let Some(options) = screen else {
        journal.load_each(|recorded| drop(notices.send(Notice::Event(Arc::new(recorded)))))?;
        tell_damage(&journal, &notices);
        if args.once {
            drop(notices);
        } else {
            std::thread::spawn(move || follow(journal, &folder, &notices));
        }
        return print(receiver, output).await;
    };
    let (watched, read) = (folder.clone(), folder.clone());
    // The screen is there before a long journal is read.
    std::thread::spawn(move || match folded(&mut journal) {
        Ok((run, illegal)) => {
            let illegal = illegal.map(|recorded| Notice::Event(Arc::new(recorded)));
            for notice in std::iter::once(Notice::Snapshot(Arc::new(run))).chain(illegal) {
                let _ = notices.send(notice);
            }
            if journal.findings().is_empty() {
                journal.look_at_structure();
            }
            tell_damage(&journal, &notices);
            follow(journal, &watched, &notices);
        }
        Err(error) => drop(notices.send(Notice::Stopped { problem: Some(error.problem()) })),
    });
    let records = tui::Records {
        history: Arc::new(move |task| ReadJournal::open(&folder)?.history(Some(task))),
        plan: Arc::new(move |planned| ReadJournal::open(&read)?.plan(&planned)),
    };
    let signals = Signals::listen("rekindle watch".to_owned());
    let mut watchdog = tui::Watchdog::start()?;
    let source = tui::Source::Watch { notices: receiver, records };
    tui::run(source, operate::operator(), options, &signals, &mut watchdog).await?;
    Ok(Exit::Fine)
}

/// The run as the journal has it, and the event that is against the rules, if one is. The file's structure is looked at
/// once the run is on the screen.
fn folded(journal: &mut ReadJournal) -> Result<(Run, Option<Recorded>)> {
    let (mut run, mut illegal) = (Run::default(), None);
    journal.load_unlooked(|recorded| {
        if illegal.is_none() && run.apply(&recorded).is_err() {
            illegal = Some(recorded);
        }
    })?;
    Ok((run, illegal))
}

fn tell_damage(journal: &ReadJournal, notices: &mpsc::UnboundedSender<Notice>) {
    if let Some(finding) = journal.findings().first() {
        let error = Error::new(ErrorKind::Corrupt, "follow the run", finding.to_string())
            .next("'rekindle report' shows what is sound");
        let _ = notices.send(Notice::Stopped { problem: Some(error.problem()) });
    }
}

/// Until nobody listens any more. Who holds the run is asked seldom: asking touches its lock.
fn follow(mut journal: ReadJournal, folder: &RunFolder, notices: &mpsc::UnboundedSender<Notice>) {
    let (mut held, mut waits, mut progress) = (true, BTreeMap::new(), BTreeMap::new());
    for round in 0_u64.. {
        if notices.is_closed() {
            break;
        }
        if round % HOLDER_EVERY == 0 {
            let is_held = folder.holder().is_some();
            if std::mem::replace(&mut held, is_held) != is_held {
                let _ = notices.send(Notice::Held(is_held));
            }
        }
        let now = if held { folder.waits() } else { BTreeMap::new() };
        tell_waits(&std::mem::replace(&mut waits, now), &waits, notices);
        let now = if held { folder.progress() } else { BTreeMap::new() };
        tell_progress(&std::mem::replace(&mut progress, now), &progress, notices);
        match journal.follow() {
            Ok(more) => {
                for recorded in more {
                    let _ = notices.send(Notice::Event(Arc::new(recorded)));
                }
            }
            Err(error) => {
                let _ = notices.send(Notice::Stopped { problem: Some(error.problem()) });
                break;
            }
        }
        std::thread::sleep(EVERY);
    }
}

/// What is waited for now and was not before, and what no longer is.
fn tell_waits(former: &Waited, now: &Waited, notices: &mpsc::UnboundedSender<Notice>) {
    let over = former.keys().filter(|component| !now.contains_key(*component)).map(|component| (component, None));
    let begun = now.iter().filter(|(component, words)| former.get(*component) != Some(words));
    for (component, words) in over.chain(begun.map(|(component, words)| (component, Some(words)))) {
        let _ = notices.send(Notice::BackOff { component: component.clone(), words: words.cloned() });
    }
}

/// How far the tasks have come, by their numbers, in the words of the process that holds the run.
fn tell_progress(former: &Waited, now: &Waited, notices: &mpsc::UnboundedSender<Notice>) {
    let over = former.keys().filter(|task| !now.contains_key(*task)).map(|task| (task, Activity::Idle));
    let moved = now.iter().filter(|(task, words)| former.get(*task) != Some(words));
    for (task, activity) in over.chain(moved.map(|(task, words)| (task, Activity::Told(words.clone())))) {
        if let Ok(number) = task.parse() {
            let _ = notices.send(Notice::Activity { task: TaskId(number), activity });
        }
    }
}

async fn print(mut notices: mpsc::UnboundedReceiver<Notice>, output: &Output) -> Result<Exit> {
    let mut run = Run::default();
    let progress = Progress::new(output.json);
    loop {
        let notice = match tokio::time::timeout(EVERY, notices.recv()).await {
            Ok(Some(notice)) => notice,
            Ok(None) => break,
            Err(_) if output.is_abandoned() => break,
            Err(_) => continue,
        };
        match notice {
            Notice::Event(recorded) => {
                progress.clear();
                run.apply(&recorded)
                    .map_err(|illegal| Error::new(ErrorKind::Corrupt, "follow the run", illegal.to_string()))?;
                if output.json {
                    if matches!(recorded.event, Event::Opened { .. }) {
                        output.print(&format!("{}\n", run_object(&run)))?;
                    }
                    output.print(&format!("{}\n", event_json(&run, &recorded)))?;
                } else if let Some(line) = event_line(&run, &recorded) {
                    output.print(&format!("{line}\n"))?;
                }
            }
            Notice::BackOff { component, words: Some(words) } => {
                progress.show(|| waits::line(&component, &words));
            }
            Notice::BackOff { words: None, .. } => progress.clear(),
            Notice::Activity { task, activity } if task.index() < run.tasks.len() => {
                let object = progress_object(&run, task, &activity).filter(|_| output.json);
                if let Some(object) = object {
                    output.print(&format!("{object}\n"))?;
                } else if let Some(words) = activity.words() {
                    progress.show(|| format!("{}: {}", shown_name(&run, task), visible(&words)));
                } else {
                    progress.clear();
                }
            }
            // Nothing more will come.
            Notice::Held(false) if run.is_complete() || run.waits_for_what_was_undone() => break,
            Notice::Held(is_held) if !output.json => {
                progress.clear();
                let id = &run.header.id;
                output.print(&match is_held {
                    true => "the run is taken up again\n".to_owned(),
                    false => {
                        format!(
                            "nobody holds this run now: rekindle resume {id} goes on with what is open; watching for that\n"
                        )
                    }
                })?;
            }
            Notice::Held(is_held) => output.print(&format!("{}\n", serde_json::json!({ "held": is_held })))?,
            Notice::Stopped { problem: Some(problem) } => {
                progress.clear();
                output.print(&format!("error: {}\n", problem.what))?;
                return Ok(Exit::Failed);
            }
            _ => {}
        }
        if matches!(run.state, RunState::Closed) {
            break;
        }
    }
    progress.clear();
    match output.json {
        true => output.print(&format!("{}\n", end_object(&run, None)))?,
        false => output.print(&format!("{}\n", totals(&run)))?,
    }
    Ok(Exit::of(&run))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watcher_is_told_what_is_waited_for_and_when_that_is_over() {
        let (notices, mut receiver) = mpsc::unbounded_channel();
        let waited = |told: &[(&str, &str)]| -> Waited {
            told.iter().map(|(component, words)| ((*component).to_owned(), (*words).to_owned())).collect()
        };
        let mut told = |former: &[(&str, &str)], now: &[(&str, &str)]| {
            tell_waits(&waited(former), &waited(now), &notices);
            let mut told = Vec::new();
            while let Ok(Notice::BackOff { component, words }) = receiver.try_recv() {
                told.push((component, words));
            }
            told
        };
        let says = |component: &str, words: Option<&str>| (component.to_owned(), words.map(str::to_owned));
        assert_eq!(told(&[], &[("realm", "4 s")]), [says("realm", Some("4 s"))]);
        assert_eq!(told(&[("realm", "4 s")], &[("realm", "4 s")]), []);
        assert_eq!(told(&[("realm", "4 s")], &[("hub", "1 s")]), [says("realm", None), says("hub", Some("1 s"))]);
    }
}
