use std::sync::Arc;

use super::prepared::Prepared;
use crate::engine::{Engine, Purpose, Session};
use crate::journal::{Journal, Keys, ReadJournal, RunFolder, StateFolder, UndoStore};
use crate::model::{ApprovalPolicy, Error, ErrorKind, Event, Recorded, Result, Run, RunHeader};
use crate::registry::Systems;

/// Milliseconds since 1970.
pub fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// Whether this machine's operator has no run yet; where nobody can tell, they have.
pub fn is_first_run() -> bool {
    StateFolder::from_environment().and_then(|state| state.list()).is_ok_and(|runs| runs.is_empty())
}

/// Who is at the keyboard, as `name@host`.
pub fn operator() -> String {
    let name = std::env::var("SUDO_USER").or_else(|_| std::env::var("USER")).or_else(|_| std::env::var("LOGNAME"));
    let name = name.unwrap_or_else(|_| account_name(rustix::process::getuid().as_raw()));
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    crate::model::visible(&format!("{name}@{host}")).into_owned()
}

/// A cron job or a container has no USER set; the account's name is in the password file all the same.
fn account_name(uid: u32) -> String {
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let of_uid = |line: &&str| line.split(':').nth(2).is_some_and(|field| field == uid.to_string());
    let name = accounts.lines().find(of_uid).and_then(|line| line.split(':').next());
    name.map_or_else(|| format!("uid{uid}"), str::to_owned)
}

/// Makes the run's folder and begins; answers the run's id too.
pub fn begin(prepared: Prepared, policy: ApprovalPolicy, takes_over: bool) -> Result<(Engine, String)> {
    begin_in(&StateFolder::from_environment()?, prepared, policy, takes_over)
}

pub fn begin_in(
    state: &StateFolder,
    prepared: Prepared,
    policy: ApprovalPolicy,
    takes_over: bool,
) -> Result<(Engine, String)> {
    let mut header = prepared.header;
    if let Some(last) = state.list()?.last() {
        header.id = super::prepared::id_after(last.id(), &header.id).unwrap_or(header.id);
    }
    let (folder, keys) = free_folder(state, &mut header)?;
    let opened = Journal::create(&folder, now()).and_then(|journal| {
        let undo = UndoStore::open(&folder, &keys)?;
        Ok((journal, undo, state.digest_key()?))
    });
    let (journal, undo, key) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            folder.discard();
            return Err(match error.kind() {
                ErrorKind::NoSpace | ErrorKind::Io => {
                    error.next("nothing was begun: free space, or set REKINDLE_STATE to a folder that has some")
                }
                _ => error,
            });
        }
    };
    super::logging::into(&folder.log());
    let (by, id) = (header.by.clone(), header.id.clone());
    let (script, clock) = (prepared.systems, Arc::new(now));
    let session = Session { script, folder, journal, undo, key, policy, clock, by, takes_over };
    Ok((session.begin(header), id))
}

/// Two runs of one runbook may begin in the same second.
fn free_folder(state: &StateFolder, header: &mut RunHeader) -> Result<(RunFolder, Keys)> {
    let first = header.id.clone();
    let mut number = 1;
    loop {
        match RunFolder::create(state, &header.id) {
            Err(error) if error.kind() == ErrorKind::Conflict && number < MOST_IN_A_SECOND => {
                number += 1;
                header.id = format!("{first}-{number:03}");
            }
            created => return created,
        }
    }
}

const MOST_IN_A_SECOND: u32 = 1000;

/// A run that was opened to go on: locked, checked, folded.
pub struct Taken {
    pub run: Run,
    folder: RunFolder,
    journal: Journal,
    findings: Vec<String>,
}

/// The run of that name, or the one that begins so; without any the latest.
pub fn folder(id: Option<&str>) -> Result<RunFolder> {
    let state = StateFolder::from_environment()?;
    match id {
        Some(id) => state.named(id),
        None => state.latest(),
    }
}

/// How well a run suits a verb to which none was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Suits {
    No,
    /// Only where no other suits better.
    Barely,
    Well,
    /// It cannot be this one, and who named none has not meant one before it: the verb says why.
    Stops,
}

/// The run of that name, or the latest that suits, of which it is said which one that is. `can` says what for, as in
/// "can be undone". Where none does, the verb tells of the latest why.
pub fn suiting(id: Option<&str>, can: &str, suits: impl Fn(&Run) -> Suits) -> Result<RunFolder> {
    let latest = folder(id)?;
    if id.is_some() {
        return Ok(latest);
    }
    let mut best: Option<(Suits, RunFolder, String, usize)> = None;
    for (later, folder) in StateFolder::from_environment()?.begun()?.enumerate() {
        // Made elsewhere: it can only be read.
        if folder.is_own().is_err() {
            continue;
        }
        let is_held = folder.holder().is_some();
        // A run that cannot be read, or is worked on, is not passed over in silence: the verb says what is the matter.
        let Ok(run) = ReadJournal::open(&folder).and_then(|mut journal| folded(&journal.load()?)) else {
            return Ok(folder);
        };
        let found = if is_held { Suits::Well } else { suits(&run) };
        if found == Suits::Stops {
            return Ok(folder);
        }
        if found > best.as_ref().map_or(Suits::No, |(best, ..)| *best) {
            best = Some((found, folder, run.header.title.clone(), later));
        }
        if found == Suits::Well {
            break;
        }
    }
    let Some((_, folder, title, later)) = best else { return Ok(latest) };
    let passed = match later {
        0 => String::new(),
        one_or_more => format!(" ({} begun later passed over)", crate::model::plural(one_or_more as u64, "run")),
    };
    super::remark(&format!("{}, {}: the latest run that {can}{passed}", folder.id(), crate::model::visible(&title)));
    Ok(folder)
}

/// What its journal lacks is told at once, and recorded when the run goes on.
pub fn take(folder: RunFolder) -> Result<Taken> {
    let opened = Journal::open_writer(&folder, now())?;
    super::logging::into(&folder.log());
    let run = folded(&opened.events)?;
    if run.state == crate::model::RunState::Closed {
        return Err(Error::new(ErrorKind::Refused, format!("go on with the run {}", folder.id()), "it was closed")
            .next("start a new run; 'rekindle report' still shows this one, and 'rekindle runs' lists the others"));
    }
    let findings: Vec<String> = opened.findings.iter().map(ToString::to_string).collect();
    for finding in &findings {
        super::remark(&format!("warning: {finding}"));
    }
    Ok(Taken { run, folder, journal: opened.journal, findings })
}

pub fn folded(events: &[crate::model::Recorded]) -> Result<Run> {
    let mut run = Run::default();
    for recorded in events {
        run.apply(recorded).map_err(|illegal| {
            Error::new(ErrorKind::Corrupt, "read the journal", illegal.to_string())
                .next("'rekindle report' shows what came before; start a new run to go on")
        })?;
    }
    Ok(run)
}

impl Taken {
    pub fn header(&self) -> &RunHeader {
        &self.run.header
    }

    pub fn resume(
        mut self,
        systems: Arc<Systems>,
        policy: ApprovalPolicy,
        by: String,
        purpose: Purpose,
        takes_over: bool,
    ) -> Result<Engine> {
        self.record_findings()?;
        let keys = self.folder.keys()?;
        let undo = UndoStore::open(&self.folder, &keys)?;
        let key = StateFolder::from_environment()?.digest_key()?;
        let session = Session {
            script: systems,
            folder: self.folder,
            journal: self.journal,
            undo,
            key,
            policy,
            clock: Arc::new(now),
            by,
            takes_over,
        };
        Ok(session.resume(self.run, purpose))
    }

    /// The next opening finds nothing any more: the record is what remembers it.
    fn record_findings(&mut self) -> Result<()> {
        for finding in std::mem::take(&mut self.findings) {
            let event = Event::Noted { text: finding };
            let noted = Recorded { seq: self.run.seq + 1, at: now(), event };
            self.run
                .apply(&noted)
                .map_err(|illegal| Error::new(ErrorKind::Bug, "note what the journal lacks", illegal.to_string()))?;
            self.journal.append_and_wait(vec![noted])?;
        }
        Ok(())
    }
}
