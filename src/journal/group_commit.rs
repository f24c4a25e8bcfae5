use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use rusqlite::{Connection, config::DbConfig};

use super::database::{failed, to_the_end};
use super::places::Places;
use crate::model::{Error, ErrorKind, Problem, Result};

/// Told once, from the writer's thread: durable now, or why it never will be.
pub type Done = Box<dyn FnOnce(Result<()>) + Send>;

/// What one kind of order puts into the database.
pub(super) trait Writes: Send + 'static {
    type Order: Send + 'static;

    /// Inside the transaction; answers about how many bytes it put in.
    fn write(&mut self, connection: &Connection, order: Self::Order) -> Result<usize>;

    /// The transaction is durable; nobody has been told yet.
    fn committed(&mut self) {}
}

/// One thread that owns the connection: all that is queued goes into one durable transaction.
/// After any failure it is dead and every later order gets that failure: a failed fsync must never be retried.
pub(super) struct GroupCommit<O: Send + 'static> {
    queue: Option<Sender<(O, Done)>>,
    dead: Arc<OnceLock<Problem>>,
    thread: Option<JoinHandle<()>>,
}

const MAX_ORDERS: usize = 8192;
const MAX_BYTES: usize = 32 * 1024 * 1024;
/// The log is copied into the database when so much was written.
const CHECKPOINT_BYTES: usize = 16 * 1024 * 1024;

impl<O: Send + 'static> GroupCommit<O> {
    /// `needed`: further files without which nobody can read later what is written.
    pub(super) fn start<W: Writes<Order = O>>(
        connection: Connection,
        path: PathBuf,
        needed: &[PathBuf],
        writes: W,
    ) -> Result<Self> {
        let (queue, orders) = channel();
        let places = Places::of(&path, needed);
        let dead = Arc::new(OnceLock::new());
        let thread = Thread { connection, path, places, writes, orders, dead: Arc::clone(&dead), since_checkpoint: 0 };
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || thread.run())
            .map_err(|error| Error::io("start the journal's thread", error))?;
        Ok(Self { queue: Some(queue), dead, thread: Some(thread) })
    }

    /// Does not block.
    pub(super) fn order(&self, order: O, done: Done) {
        match &self.queue {
            Some(queue) => {
                if let Err(unsent) = queue.send((order, done)) {
                    unsent.0.1(Err(self.death().unwrap_or_else(ended)));
                }
            }
            None => done(Err(ended())),
        }
    }

    /// Blocks until the order is durable. Not for async threads.
    pub(super) fn order_and_wait(&self, order: O) -> Result<()> {
        let (tell, told) = channel();
        self.order(order, Box::new(move |result| drop(tell.send(result))));
        told.recv().unwrap_or_else(|_| Err(ended()))
    }

    pub(super) fn death(&self) -> Option<Error> {
        self.dead.get().map(revive)
    }
}

impl<O: Send + 'static> Drop for GroupCommit<O> {
    /// Waits for all that was ordered.
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

struct Thread<W: Writes> {
    connection: Connection,
    path: PathBuf,
    places: Places,
    writes: W,
    orders: Receiver<(W::Order, Done)>,
    dead: Arc<OnceLock<Problem>>,
    since_checkpoint: usize,
}

impl<W: Writes> Thread<W> {
    fn run(mut self) {
        while let Ok(first) = self.orders.recv() {
            let mut waiting = Vec::new();
            let result = match self.dead.get() {
                Some(problem) => {
                    waiting.push(first.1);
                    Err(revive(problem))
                }
                None => self.commit_group(first, &mut waiting),
            };
            if let Err(error) = &result {
                let problem = self.dead.get_or_init(|| error.problem());
                self.leave_log_alone();
                waiting.drain(..).for_each(|done| done(Err(revive(problem))));
            }
            waiting.into_iter().for_each(|done| done(Ok(())));
        }
        if self.dead.get().is_none()
            && let Err(error) = self.checkpoint()
        {
            // Nothing is lost: the log is durable, and read when the run is opened again.
            tracing::error!("{}", error.chain());
            self.leave_log_alone();
        }
    }

    /// After a failure closing must not copy the log into the database once more and remove it: a second
    /// fsync may succeed though the first one's pages are gone.
    fn leave_log_alone(&self) {
        if let Err(error) = self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true) {
            tracing::error!("the journal's log could not be kept from being copied: {error}");
        }
    }

    fn commit_group(&mut self, first: (W::Order, Done), waiting: &mut Vec<Done>) -> Result<()> {
        let fail = |path: &PathBuf, error| failed("write", path, error);
        let begun = self.connection.prepare_cached("BEGIN IMMEDIATE").and_then(|mut begin| begin.execute([]));
        let mut next = Some(first);
        let mut bytes = 0;
        let mut result = begun.map(drop).map_err(|error| fail(&self.path, error));
        while let Some((order, done)) = next {
            waiting.push(done);
            if result.is_ok() {
                match self.writes.write(&self.connection, order) {
                    Ok(written) => bytes += written,
                    Err(error) => result = Err(error),
                }
            }
            next = if waiting.len() < MAX_ORDERS && bytes < MAX_BYTES { self.orders.try_recv().ok() } else { None };
        }
        result?;
        self.connection
            .prepare_cached("COMMIT")
            .and_then(|mut commit| commit.execute([]))
            .map_err(|error| fail(&self.path, error))?;
        self.places.check()?;
        self.writes.committed();
        self.since_checkpoint += bytes;
        if self.since_checkpoint > CHECKPOINT_BYTES {
            self.since_checkpoint = 0;
            self.checkpoint()?;
        }
        Ok(())
    }

    fn checkpoint(&self) -> Result<()> {
        to_the_end::<i64>(&self.connection, "PRAGMA wal_checkpoint(PASSIVE)")
            .map(drop)
            .map_err(|error| failed("write", &self.path, error))
    }
}

fn revive(problem: &Problem) -> Error {
    let error = Error::new(problem.kind, "write the journal", problem.what.clone());
    match &problem.next {
        Some(next) => error.next(next.clone()),
        None => error.next("resume the run: what was written is read again and checked first"),
    }
}

fn ended() -> Error {
    Error::new(ErrorKind::Bug, "write the journal", "its thread has ended")
}
