use std::sync::Arc;

use super::prepared::Prepared;
use crate::engine::{Engine, Purpose, Session};
use crate::journal::{Journal, Keys, RunFolder, StateFolder, UndoStore};
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
pub fn begin(prepared: Prepared, policy: ApprovalPolicy) -> Result<(Engine, String)> {
    begin_in(&StateFolder::from_environment()?, prepared, policy)
}

pub fn begin_in(state: &StateFolder, prepared: Prepared, policy: ApprovalPolicy) -> Result<(Engine, String)> {
    let mut header = prepared.header;
    let (folder, keys) = free_folder(state, &mut header)?;
    super::logging::into(&folder.log());
    let journal = Journal::create(&folder, now())?;
    let undo = UndoStore::open(&folder, &keys)?;
    let key = state.digest_key()?;
    let (by, id) = (header.by.clone(), header.id.clone());
    let session = Session { script: prepared.systems, folder, journal, undo, key, policy, clock: Arc::new(now), by };
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

/// The run of that name, or the latest.
pub fn folder(id: Option<&str>) -> Result<RunFolder> {
    let state = StateFolder::from_environment()?;
    match id {
        Some(id) => RunFolder::open(&state, id),
        None => state.latest(),
    }
}

/// What its journal lacks is told at once, and recorded when the run goes on.
pub fn take(folder: RunFolder) -> Result<Taken> {
    let opened = Journal::open_writer(&folder, now())?;
    super::logging::into(&folder.log());
    let run = folded(&opened.events)?;
    if run.state == crate::model::RunState::Closed {
        return Err(Error::new(ErrorKind::Refused, format!("go on with the run {}", folder.id()), "it was closed")
            .next("start a new run; 'rekindle report' still shows this one"));
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
