use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::sync::mpsc;

use super::plain::{event_json, event_line};
use super::screen::ScreenArgs;
use super::{Exit, Output, operate};
use crate::engine::Notice;
use crate::journal::ReadJournal;
use crate::model::{ApprovalPolicy, Result, Run, RunState};
use crate::tui;

/// Follows a run that another process carries out, without touching it
#[derive(Args, Debug)]
pub struct WatchArgs {
    /// The run's id or its beginning; the latest, unless one is named
    run: Option<String>,
    /// Print what is there and end, instead of waiting for more
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    screen: ScreenArgs,
}

const EVERY: Duration = Duration::from_millis(200);

pub async fn run(args: WatchArgs, output: &Output) -> Result<Exit> {
    let folder = operate::folder(args.run.as_deref())?;
    let mut journal = ReadJournal::open(&folder)?;
    let events = journal.load()?;
    let (notices, receiver) = mpsc::unbounded_channel();
    for recorded in events {
        let _ = notices.send(Notice::Event(Arc::new(recorded)));
    }
    if args.once {
        drop(notices);
    } else {
        // The journal is read on a thread of its own; it ends when nobody listens any more.
        std::thread::spawn(move || {
            while !notices.is_closed() {
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
        });
    }
    let screen = if args.once { None } else { args.screen.ready(&ApprovalPolicy::Ask, output.json)? };
    if let Some(options) = screen {
        let by = operate::operator();
        let mut watchdog = tui::Watchdog::start()?;
        tui::run(tui::Source::Watch(receiver), by, options, &mut watchdog).await?;
        return Ok(Exit::Fine);
    }
    print(receiver, output).await
}

async fn print(mut notices: mpsc::UnboundedReceiver<Notice>, output: &Output) -> Result<Exit> {
    let mut run = Run::default();
    loop {
        let notice = match tokio::time::timeout(EVERY, notices.recv()).await {
            Ok(Some(notice)) => notice,
            Ok(None) => break,
            Err(_) if output.is_abandoned() => break,
            Err(_) => continue,
        };
        match notice {
            Notice::Event(recorded) => {
                run.apply(&recorded).map_err(|illegal| {
                    crate::model::Error::new(crate::model::ErrorKind::Corrupt, "follow the run", illegal.to_string())
                })?;
                if output.json {
                    output.print(&format!("{}\n", event_json(&recorded)))?;
                } else if let Some(line) = event_line(&run, &recorded) {
                    output.print(&format!("{line}\n"))?;
                }
            }
            Notice::Stopped { problem: Some(problem) } => {
                output.print(&format!("error: {}\n", problem.what))?;
                return Ok(Exit::Failed);
            }
            _ => {}
        }
        if matches!(run.state, RunState::Closed) {
            break;
        }
    }
    Ok(Exit::of(&run))
}
