use std::path::Path;

use rusqlite::Connection;

use super::chain::{first_link, link};
use super::database::{MAX_ROW_BYTES, failed};
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

struct Row {
    seq: u64,
    at: i64,
    body: Vec<u8>,
}

const CHUNK: usize = 4096;

/// Reads, checks and parses all events after `head`, hands them to `take` in order while further ones are parsed, and
/// moves `head` on. Stops at the first record that is not sound.
pub(super) fn load_after(
    connection: &Connection,
    path: &Path,
    head: &mut Head,
    take: &mut dyn FnMut(Recorded),
) -> Result<Option<Finding>> {
    let mut statement = connection
        .prepare_cached("SELECT seq, at, body, hash FROM events WHERE seq > ?1 ORDER BY seq")
        .map_err(|error| failed("read", path, error))?;
    let mut rows =
        statement.query([i64::try_from(head.seq).unwrap_or(i64::MAX)]).map_err(|error| failed("read", path, error))?;
    let parallel = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(8);
    let mut finding = None;
    let mut taken = Taken { take, version: None, finding: None };
    std::thread::scope(|scope| {
        let mut parsers = std::collections::VecDeque::new();
        loop {
            let mut chunk = Vec::with_capacity(CHUNK);
            while chunk.len() < CHUNK && finding.is_none() {
                match rows.next() {
                    Ok(Some(row)) => match checked(row, head) {
                        Ok(row) => chunk.push(row),
                        Err(found) => finding = Some(found),
                    },
                    Ok(None) => break,
                    Err(error) => finding = Some(Finding::Damaged { kept: head.seq, why: error.to_string() }),
                }
            }
            let last = chunk.len() < CHUNK;
            if parsers.is_empty() && last {
                return taken.hand_over(parse(chunk));
            }
            parsers.push_back(scope.spawn(move || parse(chunk)));
            while parsers.len() > parallel || (last && !parsers.is_empty()) {
                if let Some(Ok(part)) = parsers.pop_front().map(std::thread::ScopedJoinHandle::join) {
                    taken.hand_over(part)?;
                }
            }
            if last || taken.finding.is_some() {
                return Ok(());
            }
        }
    })?;
    // Of two findings the earlier one.
    let mut finding = taken.finding.or(finding);
    if let (Some(version), Some(Finding::Broken { why, .. })) = (taken.version, &mut finding)
        && version != env!("CARGO_PKG_VERSION")
        && !version.is_empty()
    {
        why.push_str(&format!("; the run was begun by rekindle {}", visible(&version)));
    }
    Ok(finding)
}

/// Events on their way out, up to the first that is not sound.
struct Taken<'t> {
    take: &'t mut dyn FnMut(Recorded),
    /// Of the program that began the run, where the first event was among these.
    version: Option<String>,
    finding: Option<Finding>,
}

impl Taken<'_> {
    fn hand_over(&mut self, part: Part) -> Result<()> {
        if self.finding.is_some() {
            return Ok(());
        }
        for recorded in part.events {
            if let Event::Opened { run } = &recorded.event
                && recorded.seq == 1
            {
                check_header(run)?;
                self.version = Some(run.version.clone());
            }
            (self.take)(recorded);
        }
        self.finding = part.finding;
        Ok(())
    }
}

fn checked(row: &rusqlite::Row<'_>, head: &mut Head) -> std::result::Result<Row, Finding> {
    let seq = head.seq + 1;
    let broken = |why: &str| Finding::Broken { seq, why: why.to_owned() };
    let found: i64 = row.get(0).map_err(|_| broken("its number is not one"))?;
    if u64::try_from(found) != Ok(seq) {
        return Err(broken("it is missing"));
    }
    let at: i64 = row.get(1).map_err(|_| broken("its time is not one"))?;
    let body = row.get_ref(2).ok().and_then(|body| body.as_bytes().ok()).ok_or_else(|| broken("it has no body"))?;
    let hash = row.get_ref(3).ok().and_then(|hash| hash.as_blob().ok()).ok_or_else(|| broken("it has no hash"))?;
    if body.len() > MAX_ROW_BYTES {
        return Err(broken("it is over 64 MiB"));
    }
    let made = link(&head.link, seq, at, body);
    if made.as_bytes() != hash {
        return Err(broken("its hash does not follow from its content and the event before"));
    }
    *head = Head { seq, link: made };
    Ok(Row { seq, at, body: body.to_vec() })
}

/// The sound beginning of a chunk, and what ended it.
struct Part {
    events: Vec<Recorded>,
    finding: Option<Finding>,
}

fn parse(chunk: Vec<Row>) -> Part {
    let mut events = Vec::with_capacity(chunk.len());
    for row in chunk {
        match serde_json::from_slice(&row.body) {
            Ok(event) => events.push(Recorded { seq: row.seq, at: row.at, event }),
            Err(error) => {
                let own = env!("CARGO_PKG_VERSION");
                let why = format!("rekindle {own} does not know it: {error}");
                return Part { events, finding: Some(Finding::Broken { seq: row.seq, why }) };
            }
        }
    }
    Part { events, finding: None }
}
