use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, params};

use super::chain::link;
use super::database::{MAX_ROW_BYTES, failed, make_to_write, open_to_write};
use super::group_commit::{Done, GroupCommit, Writes};
use super::head_file::HeadFile;
use super::load::{EVENTS_TABLE, FORMAT, HISTORY_INDEX, Head, PLANS_TABLE, unbegun};
use super::plan_row::Packer;
use super::read_journal::ReadJournal;
use super::run_folder::sync_directory;
use super::{Finding, Lock, RunFolder};
use crate::model::{Digest, Error, ErrorKind, Plan, Recorded, Result};

/// The one writer of a run. It is told what happened in order, and tells when that is durable.
///
/// Any failure to write is final: every later order gets the same error, nothing is tried again.
/// Dropping it waits for all that was ordered.
pub struct Journal {
    commits: Option<GroupCommit<Order>>,
    head: Arc<Mutex<Head>>,
    _lock: Lock,
}

/// A run that is opened again, with all its events.
pub struct Opened {
    pub journal: Journal,
    pub events: Vec<Recorded>,
    /// Only such as allow writing; to be shown, and recorded as an event.
    pub findings: Vec<Finding>,
}

enum Order {
    Events(Vec<Recorded>),
    Plan(Digest, Arc<Plan>),
}

impl Journal {
    /// Makes an empty one. `now`: milliseconds since 1970.
    pub fn create(folder: &RunFolder, now: i64) -> Result<Self> {
        let lock = folder.lock(now)?;
        let path = folder.journal();
        let tables = format!("PRAGMA user_version={FORMAT}; {EVENTS_TABLE}; {HISTORY_INDEX}; {PLANS_TABLE}");
        let connection = make_to_write(&path, &tables)?;
        sync_directory(folder.path())?;
        Self::start(folder, connection, Head::start(), lock)
    }

    /// Takes the lock, checks everything, and goes on after the last event. Refused where another process
    /// holds the run, or where the journal is not what was written.
    pub fn open_writer(folder: &RunFolder, now: i64) -> Result<Opened> {
        let lock = folder.lock(now)?;
        // Nothing is opened for writing before all is checked: closing that would write.
        let mut read = ReadJournal::open(folder)?;
        let events = read.prove()?;
        if let Some(finding) = read.findings().iter().find(|finding| !finding.allows_writing()) {
            return Err(Error::new(
                ErrorKind::Corrupt,
                format!("go on with the run {}", folder.id()),
                finding.to_string(),
            )
            .next("'rekindle report' shows what is sound; start a new run to go on"));
        }
        if events.is_empty() {
            return Err(unbegun(&folder.journal()));
        }
        let findings = read.findings().to_vec();
        let connection = open_to_write(&folder.journal())?;
        let journal = Self::start(folder, connection, read.head_at(), lock)?;
        Ok(Opened { journal, events, findings })
    }

    fn start(folder: &RunFolder, connection: Connection, start: Head, lock: Lock) -> Result<Self> {
        let path = folder.journal();
        let head_path = folder.head().ok_or_else(|| {
            Error::new(ErrorKind::Refused, "write this run", "it was not made here and can only be read")
        })?;
        let head_file = HeadFile::create(&head_path)?;
        let needed = [head_path.clone()];
        let note = |error| Error::io(format!("write {}", head_path.display()), error);
        head_file.write(start.seq, &start.link).and_then(|()| head_file.sync()).map_err(note)?;
        if let Some(parent) = head_path.parent() {
            sync_directory(parent)?;
        }
        let head = Arc::new(Mutex::new(start));
        let (shown, packer) = (Arc::clone(&head), Packer::new()?);
        let writes = Rows { path: path.clone(), at: start, shown, head_file, body: Vec::new(), packer };
        Ok(Self { commits: Some(GroupCommit::start(connection, path, &needed, writes)?), head, _lock: lock })
    }

    /// Never blocks; `done` is called from the writer's thread. Events carry their numbers, each one more
    /// than the one before, over all calls. What failed to become durable may be found there all the same
    /// when the run is opened again, so an INTENT that failed is settled like any other.
    pub fn append(&self, events: Vec<Recorded>, done: Done) {
        self.order(Order::Events(events), done);
    }

    /// Blocks until durable. Not for async threads.
    pub fn append_and_wait(&self, events: Vec<Recorded>) -> Result<()> {
        match &self.commits {
            Some(commits) => commits.order_and_wait(Order::Events(events)),
            None => Ok(()),
        }
    }

    /// Keeps a plan to be shown later, by `plan.digest(&Selection::all())`. Goes the same way as events:
    /// it is durable when an event that is appended after it is.
    pub fn keep_plan(&self, digest: Digest, plan: Arc<Plan>) {
        self.order(Order::Plan(digest, plan), Box::new(|_| ()));
    }

    fn order(&self, order: Order, done: Done) {
        if let Some(commits) = &self.commits {
            commits.order(order, done);
        }
    }

    /// The link of the last durable event.
    pub fn head(&self) -> Digest {
        self.head.lock().unwrap_or_else(PoisonError::into_inner).link
    }

    /// Why nothing can be written any more, if so.
    pub fn death(&self) -> Option<Error> {
        self.commits.as_ref().and_then(GroupCommit::death)
    }

    /// Waits for all that was ordered; answers the head, or why the journal died.
    pub fn close(mut self) -> Result<Digest> {
        // An order of nothing comes back after all before it.
        self.append_and_wait(Vec::new())?;
        drop(self.commits.take());
        Ok(self.head())
    }
}

struct Rows {
    path: PathBuf,
    at: Head,
    shown: Arc<Mutex<Head>>,
    head_file: HeadFile,
    body: Vec<u8>,
    packer: Packer,
}

impl Rows {
    fn write_event(&mut self, connection: &Connection, recorded: &Recorded) -> Result<usize> {
        let doing = || format!("write event {} to {}", recorded.seq, self.path.display());
        let seq = self.at.seq + 1;
        if recorded.seq != seq {
            return Err(Error::new(ErrorKind::Bug, doing(), format!("event {seq} comes next")));
        }
        self.body.clear();
        serde_json::to_writer(&mut self.body, &recorded.event)
            .map_err(|error| Error::new(ErrorKind::Bug, doing(), error.to_string()))?;
        let body = std::str::from_utf8(&self.body).unwrap_or_default();
        if body.len() > MAX_ROW_BYTES {
            return Err(Error::new(ErrorKind::Invalid, doing(), "it is over 64 MiB"));
        }
        let made = link(&self.at.link, seq, recorded.at, body.as_bytes());
        connection
            .prepare_cached("INSERT INTO events(seq, at, body, hash) VALUES(?1, ?2, ?3, ?4)")
            .and_then(|mut insert| {
                insert.execute(params![i64::try_from(seq).unwrap_or(i64::MAX), recorded.at, body, &made.as_bytes()[..]])
            })
            .map_err(|error| failed("write", &self.path, error))?;
        self.at = Head { seq, link: made };
        Ok(self.body.len() + 64)
    }
}

impl Writes for Rows {
    type Order = Order;

    fn write(&mut self, connection: &Connection, order: Order) -> Result<usize> {
        match order {
            Order::Events(events) => {
                events.iter().try_fold(0, |bytes, event| Ok(bytes + self.write_event(connection, event)?))
            }
            Order::Plan(digest, plan) => {
                let row = self.packer.pack(&plan)?;
                connection
                    .prepare_cached("INSERT OR IGNORE INTO plans(digest, body) VALUES(?1, ?2)")
                    .and_then(|mut insert| insert.execute(params![&digest.as_bytes()[..], row]))
                    .map_err(|error| failed("write", &self.path, error))?;
                Ok(row.len() + 64)
            }
        }
    }

    fn committed(&mut self) {
        // The events are durable already; a head file that lags only tells less.
        if let Err(error) = self.head_file.write(self.at.seq, &self.at.link) {
            tracing::warn!("the journal's head could not be noted beside its keys: {error}");
        }
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = self.at;
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        if let Err(error) = self.head_file.sync() {
            tracing::warn!("the journal's head could not be made durable beside its keys: {error}");
        }
    }
}
