use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossterm::event::{Event as Terminal, EventStream, KeyEventKind, MouseButton, MouseEventKind};
use futures_util::StreamExt;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::engine::{Engine, Notice};
use crate::model::{Digest, Error, ErrorKind, Plan, Proposal, Recorded, Result, Run, TaskId};
use crate::signals::Signals;

use super::clipboard;
use super::effect::Effect;
use super::file_search;
use super::keymap::{Key, Keymap};
use super::log;
use super::msg::{Msg, Pointing};
use super::pager;
use super::parting::Parting;
use super::schema_of::{SchemaOf, field_diff};
use super::state::{Dirty, Model, Tab};
use super::terminal::{self, Screen};
use super::theme::{Palette, Theme};
use super::update::{refresh, update};
use super::voice;
use super::watchdog::Watchdog;
use super::whole_diff;
use super::words;
use crate::diff::files::{self, Bounds, Sight, TextDiff};

/// Where the run is seen from.
pub enum Source {
    /// The run is held here: keys become commands.
    Engine(Engine),
    /// Another process holds it: the same screens, and no command.
    Watch { notices: mpsc::UnboundedReceiver<Notice>, records: Records },
}

/// What is read from the journal of a watched run; may block.
#[derive(Clone)]
pub struct Records {
    /// The events of one task.
    pub history: Arc<dyn Fn(TaskId) -> Result<Vec<Recorded>> + Send + Sync>,
    /// A plan by the digest that it is kept under.
    pub plan: Arc<dyn Fn(Digest) -> Result<Option<Plan>> + Send + Sync>,
}

#[derive(Debug, Default)]
pub struct Options {
    /// [`Palette::or_none`] says what `NO_COLOR` makes of it.
    pub palette: Palette,
    pub ascii: bool,
    /// In which times are shown.
    pub zone: crate::model::Zone,
    pub parting: Parting,
    /// Begins with a line about what can be done next.
    pub tour: bool,
    pub keymap: Keymap,
    /// The tasks that the screen is opened to undo, what came last first.
    pub to_undo: Vec<TaskId>,
    pub mouse: bool,
    /// A program and its arguments, before those that the environment names.
    pub pager: Option<String>,
    pub schemas: SchemaOf,
    /// What the terminal is sent beside the screen, to call a person.
    pub calls: Option<mpsc::UnboundedReceiver<Vec<u8>>>,
}

/// Shows a run until the operator leaves, the terminal is lost or the process is told to end by a signal; the next
/// signal ends the process.
/// `by` is the operator as `name@host`. Answers with the run as it was shown last. Keep the watchdog until
/// what the engine still does has ended too.
pub async fn run(
    source: Source,
    by: String,
    options: Options,
    signals: &Signals,
    watchdog: &mut Watchdog,
) -> Result<Run> {
    let theme = Theme { palette: options.palette, ascii: options.ascii };
    let (engine, notices, records) = match source {
        Source::Engine(engine) => {
            let notices = engine.subscribe();
            (Some(engine), notices, None)
        }
        Source::Watch { notices, records } => (None, notices, Some(records)),
    };
    let mut model = Model::new(by, theme, engine.is_none(), options.zone.inner().clone());
    (model.parting, model.keymap, model.tour) = (options.parting, options.keymap, options.tour);
    model.to_undo = options.to_undo;
    let (sender, messages) = mpsc::unbounded_channel();
    let mut session = Session {
        screen: Screen::enter(options.mouse)?,
        pager: options.pager,
        schemas: options.schemas,
        calls: options.calls,
        model,
        engine,
        sender,
        start: Instant::now(),
        last_frame: None,
        records,
        is_leaving: false,
        is_suspended: false,
        to_view: None,
        reviewed: Arc::default(),
    };
    signals.on_screen(terminal::give_back);
    let shown = session.go(messages, notices, signals, watchdog).await;
    session.screen.leave();
    signals.leaving();
    shown?;
    Ok(std::mem::take(&mut session.model.run))
}

struct Session {
    screen: Screen,
    model: Model,
    engine: Option<Engine>,
    sender: mpsc::UnboundedSender<Msg>,
    start: Instant,
    last_frame: Option<Instant>,
    /// Where there is no engine to ask.
    records: Option<Records>,
    schemas: SchemaOf,
    pager: Option<String>,
    calls: Option<mpsc::UnboundedReceiver<Vec<u8>>>,
    is_leaving: bool,
    is_suspended: bool,
    /// Waits for the keyboard to be let go.
    to_view: Option<String>,
    /// The generation of the plan in review, for those who read its files.
    reviewed: Arc<AtomicU64>,
}

/// The cursor rests this long before its plan is read.
const REST: Duration = Duration::from_millis(50);
const SLOW_FRAME: Duration = Duration::from_millis(250);
const SOON_FRAME: Duration = Duration::from_millis(33);
/// Notices taken in between two looks at the keyboard.
const BATCH: usize = 2_000;

impl Session {
    async fn go(
        &mut self,
        mut messages: mpsc::UnboundedReceiver<Msg>,
        mut notices: mpsc::UnboundedReceiver<Notice>,
        signals: &Signals,
        watchdog: &mut Watchdog,
    ) -> Result<()> {
        let mut woken = signal(SignalKind::from_raw(signal_hook::consts::SIGCONT))
            .map_err(|error| Error::io("listen for signals", error))?;
        let mut input = Some(Keyboard::open());
        let mut is_subscribed = true;
        let (width, height) = self.screen.size().map_err(broken)?;
        self.take(Msg::Resize { width, height });
        while !self.is_leaving {
            self.follow();
            self.draw_if_due()?;
            let (due, pass) = (self.due(), self.passes());
            tokio::select! {
                biased;
                _ = signals.first() => return Ok(()),
                _ = &mut watchdog.lost => return Ok(()),
                _ = woken.recv() => {
                    self.is_suspended = false;
                    input.get_or_insert_with(Keyboard::open);
                    self.screen.resume().map_err(broken)?;
                    self.model.dirtied(Dirty::Now);
                }
                event = next(&mut input) => match event {
                    Some(Ok(event)) => self.on_terminal(event),
                    // A terminal that cannot be read any more is a lost one.
                    Some(Err(_)) | None => return Ok(()),
                },
                Some(msg) = messages.recv() => self.take(msg),
                notice = notices.recv(), if is_subscribed => match notice {
                    Some(notice) => self.take(Msg::Notice(notice)),
                    None => {
                        is_subscribed = false;
                        if self.model.stopped.is_none() {
                            self.take(Msg::Notice(Notice::Stopped { problem: None }));
                        }
                    }
                },
                () = log::LOGGED.notified() => self.on_logged(),
                bytes = next_call(&mut self.calls) => match bytes {
                    // A call that the terminal does not take is no reason to end.
                    Some(bytes) if !self.is_suspended => drop(self.screen.hand_over(&bytes)),
                    Some(_) => {}
                    None => self.calls = None,
                },
                () = tokio::time::sleep(due.unwrap_or_default()), if due.is_some() => {}
                () = tokio::time::sleep(pass.unwrap_or_default()), if pass.is_some() => {
                    let at = self.now();
                    self.take(Msg::Passed { at });
                }
            }
            // All that is there by now goes into one frame, keys first.
            while let Some(Ok(Ok(event))) = input.as_mut().map(|keyboard| keyboard.events.try_recv()) {
                self.on_terminal(event);
            }
            while let Ok(msg) = messages.try_recv() {
                self.take(msg);
            }
            for _ in 0..BATCH {
                let Ok(notice) = notices.try_recv() else { break };
                self.take(Msg::Notice(notice));
            }
            if let Some(text) = self.to_view.take() {
                drop(input.take());
                signals.lent();
                self.view(&text, signals).await.map_err(broken)?;
                signals.on_screen(terminal::give_back);
                input = Some(Keyboard::open());
            }
            if self.is_suspended && input.take().is_some() {
                self.suspend();
            }
        }
        Ok(())
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn on_terminal(&mut self, event: Terminal) {
        let at = self.now();
        match event {
            Terminal::Key(key) if key.kind != KeyEventKind::Release => {
                if let Some(key) = Key::of(key) {
                    self.take(Msg::Key { key, at });
                }
            }
            Terminal::Paste(text) => self.take(Msg::Paste { text, at }),
            Terminal::Mouse(mouse) => {
                let what = match mouse.kind {
                    MouseEventKind::Down(MouseButton::Left) => Pointing::Press,
                    MouseEventKind::ScrollUp => Pointing::WheelUp,
                    MouseEventKind::ScrollDown => Pointing::WheelDown,
                    _ => return,
                };
                self.take(Msg::Pointed { column: mouse.column, row: mouse.row, what, at });
            }
            Terminal::Resize(width, height) => self.take(Msg::Resize { width, height }),
            _ => {}
        }
    }

    fn on_logged(&mut self) {
        let voices = log::heard();
        if voices != self.model.heard {
            self.take(Msg::Heard { voices });
        }
        for log::Warning { text, is_news } in log::warnings() {
            self.take(Msg::Warned { text, is_news });
        }
        if self.model.tab == Tab::Evidence {
            self.model.dirtied(Dirty::Slow);
        }
    }

    fn take(&mut self, msg: Msg) {
        let event = match &msg {
            Msg::Notice(Notice::Event(recorded)) => Some(recorded.clone()),
            _ => None,
        };
        for effect in update(&mut self.model, msg) {
            self.perform(effect);
        }
        if let Some((level, line)) = event.and_then(|recorded| words::logged(&self.model, &recorded)) {
            log::add(level, voice::EVENTS, &line);
        }
    }

    fn follow(&mut self) {
        tui_logger::move_events();
        self.reviewed.store(self.model.review.generation, Ordering::Relaxed);
        for effect in refresh(&mut self.model) {
            self.perform(effect);
        }
    }

    /// How long until a frame is wanted, if one is.
    fn due(&self) -> Option<Duration> {
        let since = self.last_frame.map_or(Duration::MAX, |last| last.elapsed());
        let due = match self.model.dirty {
            _ if self.is_suspended => return None,
            Dirty::No => return None,
            Dirty::Slow => SLOW_FRAME.saturating_sub(since),
            Dirty::Soon => SOON_FRAME.saturating_sub(since),
            Dirty::Now => Duration::ZERO,
        };
        Some(due.max(self.screen.busy()))
    }

    /// How long until a note has been there long enough.
    fn passes(&self) -> Option<Duration> {
        let due = self.model.notes.due().filter(|_| !self.is_suspended)?;
        Some(Duration::from_millis(due.saturating_sub(self.now())))
    }

    fn draw_if_due(&mut self) -> Result<()> {
        if self.due() == Some(Duration::ZERO) {
            self.screen.draw(&self.model).map_err(broken)?;
            self.last_frame = Some(Instant::now());
            let at = self.now();
            self.take(Msg::Drawn { at });
        }
        Ok(())
    }

    fn suspend(&mut self) {
        self.screen.leave();
        // To the whole group, as the terminal itself would: a shell waits for all of a job.
        let stopped = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
        if let Err(error) = stopped {
            tracing::warn!("cannot suspend: {error}");
        }
    }

    /// The terminal is the pager's meanwhile; the engine goes on. A signal ends the pager too.
    async fn view(&mut self, text: &str, signals: &Signals) -> std::io::Result<()> {
        self.screen.leave();
        let settings = rustix::termios::tcgetattr(std::io::stdout())?;
        let shown = tokio::select! {
            shown = pager::show(text, self.pager.as_deref(), |name| std::env::var(name).ok()) => shown,
            // A pager that is killed does not put back what it set.
            _ = signals.first() => {
                let now = rustix::termios::OptionalActions::Now;
                rustix::termios::tcsetattr(std::io::stdout(), now, &settings).map_err(Into::into).map_err(|error| Error::io("take the terminal back", error))
            }
        };
        if let Err(error) = shown {
            let problem = error.problem();
            self.model.complain(crate::model::visible(&problem.what).into_owned());
        }
        self.model.dirtied(Dirty::Now);
        self.screen.resume()
    }

    /// A watched run's plan, as its journal keeps it: without the bodies of what it changes.
    fn load_record(&self, generation: u64, task: TaskId) {
        let (Some(records), Some(planned)) = (self.records.clone(), self.model.run.planned_digest(task)) else {
            return;
        };
        let (sender, name) = (self.sender.clone(), self.model.run.name(task));
        tokio::task::spawn_blocking(move || {
            let none = || Error::new(ErrorKind::NotFound, format!("show the plan of {name}"), "it was not kept");
            let plan = (records.plan)(planned).and_then(|plan| plan.ok_or_else(none));
            let bodiless = |plan| Arc::new(Proposal::bodiless(plan));
            let _ = sender.send(Msg::Proposal {
                generation,
                task,
                answer: plan.map(bodiless).map_err(|error| error.problem()),
            });
        });
    }

    fn perform(&mut self, effect: Effect) {
        let sender = self.sender.clone();
        match effect {
            Effect::Command(command) => {
                let Some(engine) = self.engine.clone() else { return };
                let by = self.model.by.clone();
                tokio::spawn(async move {
                    let problem = engine.command(command.clone(), &by).await.err().map(|error| error.problem());
                    let _ = sender.send(Msg::Answered { command, problem });
                });
            }
            Effect::LoadProposal { generation, task } => {
                let Some(engine) = self.engine.clone() else { return self.load_record(generation, task) };
                tokio::spawn(async move {
                    let answer = engine.proposal(task).await.map_err(|error| error.problem());
                    let _ = sender.send(Msg::Proposal { generation, task, answer });
                });
            }
            Effect::LoadHistory { generation, task } => match (self.engine.clone(), self.records.clone()) {
                (Some(engine), _) => {
                    tokio::spawn(async move {
                        let answer = engine.history(Some(task)).await.map_err(|error| error.problem());
                        let _ = sender.send(Msg::History { generation, task, answer });
                    });
                }
                (None, Some(records)) => {
                    tokio::task::spawn_blocking(move || {
                        let answer = (records.history)(task).map_err(|error| error.problem());
                        let _ = sender.send(Msg::History { generation, task, answer });
                    });
                }
                (None, None) => {}
            },
            Effect::LoadFieldDiff { generation, proposal, change, hunk } => {
                let task = self.model.review.task;
                let schema = task.and_then(|task| self.schemas.get(&self.model.run, task));
                tokio::task::spawn_blocking(move || {
                    let diff = field_diff(&proposal, (change, hunk), schema.as_ref());
                    let _ = sender.send(Msg::FileDiff { generation, change, hunk, diff });
                });
            }
            Effect::LoadFileDiff { generation, proposal, change, hunk, secrets } => {
                let reviewed = self.reviewed.clone();
                tokio::task::spawn_blocking(move || {
                    let mut show = |diff: &TextDiff| {
                        let diff = diff.clone();
                        let is_heard = sender.send(Msg::FileDiff { generation, change, hunk, diff }).is_ok();
                        is_heard && reviewed.load(Ordering::Relaxed) == generation
                    };
                    let sight = Sight::of_one_file(secrets);
                    let diff = files::compare(&proposal, (change, hunk), Bounds::ONE_FILE, sight, &mut show);
                    let _ = sender.send(Msg::FileDiff { generation, change, hunk, diff });
                });
            }
            Effect::LoadWholeDiff { generation, proposal, files } => {
                let reviewed = self.reviewed.clone();
                tokio::task::spawn_blocking(move || {
                    let is_wanted = || reviewed.load(Ordering::Relaxed) == generation;
                    let diffs = whole_diff::read(&proposal, files, &is_wanted);
                    let _ = sender.send(Msg::WholeDiff { generation, diffs });
                });
            }
            Effect::SearchFiles { generation, proposal, text, files } => {
                tokio::task::spawn_blocking(move || {
                    let looked = file_search::look(&proposal, &text, files);
                    let _ = sender.send(Msg::SearchedFiles { generation, text, looked });
                });
            }
            Effect::Wake { generation } => {
                tokio::spawn(async move {
                    tokio::time::sleep(REST).await;
                    let _ = sender.send(Msg::Wake { generation });
                });
            }
            Effect::Repaint => {
                let _ = self.screen.repaint();
                self.model.dirtied(Dirty::Now);
            }
            Effect::View { text } => self.to_view = Some(text),
            Effect::Copy { text } => {
                if let Err(error) = self.screen.hand_over(&clipboard::sequence(&text)) {
                    tracing::warn!("cannot copy: {error}");
                }
            }
            Effect::Suspend => self.is_suspended = true,
            Effect::Leave => self.is_leaving = true,
        }
    }
}

/// Reads the terminal until dropped. A task of its own, for crossterm's stream keeps the waker of the
/// first poll alone: looking at it without waiting would make it deaf.
struct Keyboard {
    events: mpsc::UnboundedReceiver<std::io::Result<Terminal>>,
    reader: tokio::task::JoinHandle<()>,
}

impl Keyboard {
    fn open() -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let reader = tokio::spawn(async move {
            let mut stream = EventStream::new();
            while let Some(event) = stream.next().await {
                let is_lost = event.is_err();
                if sender.send(event).is_err() || is_lost {
                    return;
                }
            }
        });
        Self { events, reader }
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

async fn next_call(calls: &mut Option<mpsc::UnboundedReceiver<Vec<u8>>>) -> Option<Vec<u8>> {
    match calls {
        Some(calls) => calls.recv().await,
        None => std::future::pending().await,
    }
}

async fn next(input: &mut Option<Keyboard>) -> Option<std::io::Result<Terminal>> {
    match input {
        Some(keyboard) => keyboard.events.recv().await,
        None => std::future::pending().await,
    }
}

fn broken(error: std::io::Error) -> Error {
    Error::io("draw on the terminal", error).next("`rekindle resume` goes on with the run")
}
