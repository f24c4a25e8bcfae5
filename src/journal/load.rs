use std::path::Path;

use crossbeam_channel::{Receiver, Sender, bounded};
use rusqlite::Connection;

use super::chain::first_link;
use super::chunk::{Chunk, Part};
use super::database::failed;
use super::header_check::check_header;
use crate::model::{Digest, Error, ErrorKind, Event, Recorded, Result, visible};

pub(super) const EVENTS_TABLE: &str =
    "CREATE TABLE events(seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, body TEXT NOT NULL, hash BLOB NOT NULL)";
pub(super) const PLANS_TABLE: &str = "CREATE TABLE plans(digest BLOB PRIMARY KEY, body BLOB NOT NULL)";

/// Of the events of one task. The first event belongs to none, and may have a million names in it.
pub(super) const HISTORY_INDEX: &str = "CREATE INDEX history ON events(json_extract(body, '$.task')) WHERE seq > 1";

/// Of the tables and of what is in them, as `PRAGMA user_version`; a journal of a newer rekindle has a higher one.
/// Format 1 was without the index, and is read and gone on with as it is.
pub(super) const FORMAT: i64 = 2;

/// What is wrong with a journal. Its events up to there are sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Events that were durable once are gone from the end: `kept` are there, `known` had been written.
    TailLost { kept: u64, known: u64 },
    /// This record is not what was written there; nothing after it can be trusted.
    Broken { seq: u64, why: String },
    /// The database under the events is damaged.
    Damaged { kept: u64, why: String },
    /// Of the undo records of a task `known` had been written, and `kept` are there.
    UndoLost { task: String, kept: u32, known: u32 },
    /// An undo record, or the file that holds them, is not what was written.
    UndoDamaged { why: String },
}

impl Finding {
    /// Whether the run may be written to nevertheless.
    pub fn allows_writing(&self) -> bool {
        matches!(self, Self::TailLost { .. } | Self::UndoLost { .. } | Self::UndoDamaged { .. })
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TailLost { kept, known } => {
                write!(f, "the journal's end is lost: {kept} events are there, {known} had been written")
            }
            Self::Broken { seq, why } => write!(f, "event {seq} is not what was written: {}", visible(why)),
            Self::UndoLost { task, kept, known } => {
                let lost = known.saturating_sub(*kept);
                write!(
                    f,
                    "{lost} of the {known} undo records of {} are lost: a part of it cannot be undone",
                    visible(task)
                )
            }
            Self::UndoDamaged { why } => write!(f, "what is kept for undo is damaged: {}", visible(why)),
            Self::Damaged { kept, why } => write!(f, "the journal is damaged after event {kept}: {}", visible(why)),
        }
    }
}

/// The end of the chain as far as it was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub seq: u64,
    pub link: Digest,
}

impl Head {
    pub(super) fn start() -> Self {
        Self { seq: 0, link: first_link() }
    }
}

/// The tables must be ours to the letter: a view or a trigger in a foreign file is not.
pub(super) fn check_tables(connection: &Connection, path: &Path) -> Result<()> {
    let format: i64 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(|error| failed("read", path, error))?;
    if format > FORMAT {
        let own = env!("CARGO_PKG_VERSION");
        let why = format!("it is a journal of format {format}, and rekindle {own} knows formats up to {FORMAT}");
        return Err(Error::new(ErrorKind::Unsupported, format!("read {}", path.display()), why)
            .next("use the rekindle that wrote it, or a newer one"));
    }
    let mut found = connection
        .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
        .map_err(|error| failed("read", path, error))?;
    let tables: Vec<String> = found
        .query_map([], |row| row.get(0))
        .and_then(|rows| rows.take(8).collect())
        .map_err(|error| failed("read", path, error))?;
    if tables == [EVENTS_TABLE, HISTORY_INDEX, PLANS_TABLE] || tables == [EVENTS_TABLE, PLANS_TABLE] {
        return Ok(());
    }
    if tables.is_empty() {
        return Err(unbegun(path));
    }
    Err(Error::new(ErrorKind::Invalid, format!("read {}", path.display()), "it is not a journal of this version"))
}

/// A journal without its first event: nothing is done before that is durable.
pub(super) fn unbegun(path: &Path) -> Error {
    let why = "it holds nothing: its run ended before it began, or the file was emptied";
    Error::new(ErrorKind::NotFound, format!("read {}", path.display()), why)
        .next("start a new run, or name another one: 'rekindle runs' lists the others, and this one did nothing")
}

/// Chunks that are read and wait to be parsed: the first event of a large run takes a while.
const MOST_READ: usize = 48;
/// Chunks that are parsed and wait to be taken: events take many times the room of their rows.
const MOST_PARSED: usize = 8;

/// Reads, checks and parses all events after `head`, hands them to `take` in order while further ones are read and
/// parsed, and moves `head` on. Stops at the first record that is not sound.
pub(super) fn load_after(
    connection: &Connection,
    path: &Path,
    head: &mut Head,
    take: &mut (dyn FnMut(Recorded) + Send),
) -> Result<Option<Finding>> {
    let mut statement = connection
        .prepare_cached("SELECT seq, at, body, hash FROM events WHERE seq > ?1 ORDER BY seq")
        .map_err(|error| failed("read", path, error))?;
    let mut rows =
        statement.query([i64::try_from(head.seq).unwrap_or(i64::MAX)]).map_err(|error| failed("read", path, error))?;
    let mut taken = Taken { take, head: *head, version: None, finding: None };
    let mut read = *head;
    let chunk = Chunk::read(&mut rows, &mut read);
    // Mostly a few events at the end of a journal that is followed.
    if chunk.is_last() {
        taken.hand_over(chunk.parse())?;
    } else {
        load_many(chunk, &mut rows, read, &mut taken)?;
    }
    *head = taken.head;
    Ok(taken.finding())
}

/// Rows are read here, chunks are checked and parsed side by side, and events are taken in a thread of its own.
fn load_many(first: Chunk, rows: &mut rusqlite::Rows<'_>, mut read: Head, taken: &mut Taken<'_>) -> Result<()> {
    let (chunks, to_parse) = bounded::<(Chunk, Sender<Part>)>(MOST_READ);
    let (parts, in_order) = bounded::<Receiver<Part>>(MOST_READ);
    // Who parses takes a place before the next chunk, so the one that is taken next always has one.
    let (free, places) = bounded::<()>(MOST_PARSED);
    for _ in 0..MOST_PARSED {
        let _ = free.send(());
    }
    let parsers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(MOST_PARSED);
    std::thread::scope(|scope| {
        for _ in 0..parsers {
            let (to_parse, places) = (to_parse.clone(), places.clone());
            scope.spawn(move || {
                for () in places {
                    let Ok((chunk, part)) = to_parse.recv() else { break };
                    let _ = part.send(chunk.parse());
                }
            });
        }
        let taking = scope.spawn(move || {
            for part in in_order {
                taken.hand_over(part.recv().map_err(|_| panicked())?)?;
                if taken.finding.is_some() {
                    break;
                }
                let _ = free.send(());
            }
            Ok(())
        });
        let mut chunk = first;
        loop {
            let is_last = chunk.is_last();
            let (part, parsed) = bounded(1);
            // Who takes them wants no more after the first that is not sound.
            if parts.send(parsed).is_err() || chunks.send((chunk, part)).is_err() || is_last {
                break;
            }
            chunk = Chunk::read(rows, &mut read);
        }
        drop((parts, chunks));
        taking.join().unwrap_or_else(|_| Err(panicked()))
    })
}

fn panicked() -> Error {
    Error::new(ErrorKind::Bug, "read the journal", "a thread that read it panicked")
}

/// Events on their way out, up to the first that is not sound.
struct Taken<'t> {
    take: &'t mut (dyn FnMut(Recorded) + Send),
    /// After the last that was taken.
    head: Head,
    /// Of the program that began the run, where the first event was among these.
    version: Option<String>,
    finding: Option<Finding>,
}

impl Taken<'_> {
    fn hand_over(&mut self, part: Part) -> Result<()> {
        for recorded in part.events {
            if let Event::Opened { run } = &recorded.event
                && recorded.seq == 1
            {
                check_header(run)?;
                self.version = Some(run.version.clone());
            }
            (self.take)(recorded);
        }
        (self.head, self.finding) = (part.head, part.finding);
        Ok(())
    }

    fn finding(self) -> Option<Finding> {
        let mut finding = self.finding;
        if let (Some(version), Some(Finding::Broken { why, .. })) = (self.version, &mut finding)
            && version != env!("CARGO_PKG_VERSION")
            && !version.is_empty()
        {
            why.push_str(&format!("; the run was begun by rekindle {}", visible(&version)));
        }
        finding
    }
}
