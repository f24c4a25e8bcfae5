use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use rusqlite::{Connection, params};

use super::database::{failed, make_to_write, open_to_read, open_to_write};
use super::group_commit::{Done, GroupCommit, Writes};
use super::run_folder::sync_directory;
use super::{Keys, RunFolder};
use crate::model::{Error, ErrorKind, Result, TaskId};

const TABLE: &str = "CREATE TABLE IF NOT EXISTS kept(task INTEGER, position INTEGER, attempt INTEGER NOT NULL, \
     nonce BLOB NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY(task, position))";
pub(super) const NONCE_BYTES: usize = 24;

/// One pre-image of a task, in the order they were kept. The bytes are the engine's.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptRecord {
    pub position: u32,
    pub attempt: u16,
    pub bytes: Vec<u8>,
}

/// What is there of a task's records.
#[derive(Debug)]
pub struct KeptRecords {
    pub records: Vec<KeptRecord>,
    /// The first that is missing between others, or is not what was sealed.
    pub unreadable: Option<Error>,
}

/// Secrets may be inside.
impl std::fmt::Debug for KeptRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeptRecord({}, attempt {}, {} bytes)", self.position, self.attempt, self.bytes.len())
    }
}

/// `undo.db`: what was there before, sealed (XChaCha20-Poly1305) with the run's key. Each record is bound to
/// its run, task, attempt and position: none can be altered, moved or left out between others unnoticed.
pub struct UndoStore {
    commits: GroupCommit<Order>,
    reader: Mutex<Connection>,
    path: PathBuf,
    seal: Seal,
    counts: Counts,
}

/// How many records each attempt of each task has been given.
type Counts = Arc<Mutex<HashMap<(u32, u16), u32>>>;

struct Order {
    task: TaskId,
    attempt: u16,
    records: Vec<Vec<u8>>,
}

impl UndoStore {
    /// Opens it, or makes an empty one. The caller holds the run's lock.
    pub fn open(folder: &RunFolder, keys: &Keys) -> Result<Self> {
        let path = folder.undo();
        let fail = |error| failed("open", &path, error);
        let connection = if path.exists() {
            let connection = open_to_write(&path)?;
            connection.execute_batch(TABLE).map_err(fail)?;
            connection
        } else {
            let connection = make_to_write(&path, TABLE)?;
            sync_directory(folder.path())?;
            connection
        };
        let seal = Seal::new(folder, keys)?;
        let next = next_positions(&connection).map_err(fail)?;
        let counts = Arc::new(Mutex::new(counts(&connection).map_err(fail)?));
        let writes = Rows { path: path.clone(), seal: seal.clone(), next, counts: Arc::clone(&counts) };
        let reader = Mutex::new(open_to_read(&path)?);
        let needed: Vec<PathBuf> = folder.key_file().into_iter().collect();
        let commits = GroupCommit::start(connection, path.clone(), &needed, writes)?;
        Ok(Self { commits, reader, path, seal, counts })
    }

    /// Durable on return. Many threads at once share one commit. Not for async threads.
    pub fn keep(&self, task: TaskId, attempt: u16, records: Vec<Vec<u8>>) -> Result<()> {
        self.commits.order_and_wait(Order { task, attempt, records })
    }

    /// Never blocks; `done` is called from the writer's thread.
    pub fn keep_then(&self, task: TaskId, attempt: u16, records: Vec<Vec<u8>>, done: Done) {
        self.commits.order(Order { task, attempt, records }, done);
    }

    /// How many records this attempt of a task has been given, for the journal: what is missing later is noticed.
    pub fn count(&self, task: TaskId, attempt: u16) -> u32 {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(&(task.0, attempt)).copied().unwrap_or_default()
    }

    /// A task's records, oldest first: those that are whole.
    pub fn records(&self, task: TaskId) -> Result<KeptRecords> {
        let fail = |error| failed("read", &self.path, error);
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let mut select = reader
            .prepare_cached("SELECT position, attempt, nonce, sealed FROM kept WHERE task = ?1 ORDER BY position")
            .map_err(fail)?;
        let mut rows = select.query([task.0]).map_err(fail)?;
        let (mut records, mut unreadable, mut expected) = (Vec::new(), None, 0);
        while let Some(row) = rows.next().map_err(fail)? {
            let position: u32 = row.get(0).map_err(fail)?;
            let attempt: u16 = row.get(1).map_err(fail)?;
            if position != expected {
                unreadable.get_or_insert_with(|| self.tampered(task, expected, "it is missing"));
            }
            expected = position.saturating_add(1);
            let nonce: [u8; NONCE_BYTES] = row.get(2).map_err(fail)?;
            let sealed = row.get_ref(3).and_then(|sealed| Ok(sealed.as_blob()?)).map_err(fail)?;
            match self.seal.open(task, attempt, position, nonce, sealed) {
                Some(bytes) => records.push(KeptRecord { position, attempt, bytes }),
                None => {
                    let why = "it was altered, or the run's key is another";
                    unreadable.get_or_insert_with(|| self.tampered(task, position, why));
                }
            }
        }
        Ok(KeptRecords { records, unreadable })
    }

    /// The run is closed: everything kept for undo goes.
    pub fn release(self) -> Result<()> {
        let Self { commits, reader, path, .. } = self;
        drop(commits);
        drop(reader);
        remove(&path)
    }

    fn tampered(&self, task: TaskId, position: u32, why: &str) -> Error {
        let record = format!("read undo record {position} of task {} in {}", task.0, self.path.display());
        Error::new(ErrorKind::Corrupt, record, why).next("undo that task by hand; the others can be undone")
    }
}

/// Of a run that is closed: what a close that was killed left.
impl RunFolder {
    pub fn remove_undo(&self) -> Result<()> {
        remove(&self.undo())
    }
}

fn remove(path: &Path) -> Result<()> {
    for suffix in ["-wal", "-shm", ""] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io(format!("remove {}", PathBuf::from(name).display()), error));
            }
            _ => {}
        }
    }
    path.parent().map_or(Ok(()), sync_directory)
}

/// What seals the records of one run, each in its place.
#[derive(Clone)]
pub(super) struct Seal {
    cipher: XChaCha20Poly1305,
    run: String,
}

impl Seal {
    pub(super) fn new(folder: &RunFolder, keys: &Keys) -> Result<Self> {
        let cipher = XChaCha20Poly1305::new_from_slice(keys.seal_key())
            .map_err(|error| Error::new(ErrorKind::Bug, "make the undo store's cipher", error.to_string()))?;
        Ok(Self { cipher, run: folder.id().to_owned() })
    }

    /// None where it is not what was sealed for this place.
    pub(super) fn open(
        &self,
        task: TaskId,
        attempt: u16,
        position: u32,
        nonce: [u8; NONCE_BYTES],
        sealed: &[u8],
    ) -> Option<Vec<u8>> {
        let bound = bound_to(&self.run, task, attempt, position);
        self.cipher.decrypt(&XNonce::from(nonce), Payload { msg: sealed, aad: &bound }).ok()
    }
}

fn counts(connection: &Connection) -> rusqlite::Result<HashMap<(u32, u16), u32>> {
    let mut select = connection.prepare("SELECT task, attempt, count(*) FROM kept GROUP BY task, attempt")?;
    select.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?.collect()
}

fn next_positions(connection: &Connection) -> rusqlite::Result<HashMap<u32, u32>> {
    let mut select = connection.prepare("SELECT task, max(position) + 1 FROM kept GROUP BY task")?;
    select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

fn bound_to(run: &str, task: TaskId, attempt: u16, position: u32) -> Vec<u8> {
    let mut bound = run.as_bytes().to_vec();
    bound.push(0);
    bound.extend_from_slice(&task.0.to_le_bytes());
    bound.extend_from_slice(&attempt.to_le_bytes());
    bound.extend_from_slice(&position.to_le_bytes());
    bound
}

struct Rows {
    path: PathBuf,
    seal: Seal,
    next: HashMap<u32, u32>,
    counts: Counts,
}

impl Writes for Rows {
    type Order = Order;

    fn write(&mut self, connection: &Connection, order: Order) -> Result<usize> {
        let mut bytes = 0;
        let next = self.next.entry(order.task.0).or_default();
        for record in order.records {
            let doing = || format!("keep undo record {next} of task {}", order.task.0);
            let mut nonce = [0; NONCE_BYTES];
            getrandom::fill(&mut nonce).map_err(|error| Error::new(ErrorKind::Io, doing(), error.to_string()))?;
            let bound = bound_to(&self.seal.run, order.task, order.attempt, *next);
            let sealed = self
                .seal
                .cipher
                .encrypt(&XNonce::from(nonce), Payload { msg: &record, aad: &bound })
                .map_err(|error| Error::new(ErrorKind::Invalid, doing(), error.to_string()))?;
            connection
                .prepare_cached("INSERT INTO kept(task, position, attempt, nonce, sealed) VALUES(?1, ?2, ?3, ?4, ?5)")
                .and_then(|mut insert| insert.execute(params![order.task.0, *next, order.attempt, nonce, sealed]))
                .map_err(|error| failed("write", &self.path, error))?;
            *next += 1;
            bytes += sealed.len() + 64;
            let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            *counts.entry((order.task.0, order.attempt)).or_default() += 1;
        }
        Ok(bytes)
    }
}
