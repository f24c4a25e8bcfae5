use std::sync::Arc;

use serde::Deserialize;

use super::chain::link;
use super::database::MAX_ROW_BYTES;
use super::load::{Finding, Head};
use crate::model::{Digest, Event, Recorded, RunHeader};

/// Rows that are read before they are checked and parsed together.
const MOST_ROWS: usize = 4096;
/// The first event may have a million names in it: it goes on its way at once.
const MOST_BYTES: usize = 1024 * 1024;

/// Neighbouring rows as they were read. Each has the link of the one before beside it, so that chunks can be checked side
/// by side: where the row before is not sound, its own chunk says so.
pub(super) struct Chunk {
    /// Before the first of the rows.
    before: Head,
    rows: Vec<Row>,
    /// Their bodies, one after the other.
    bodies: Vec<u8>,
    /// Why there are no more.
    ended: Option<Finding>,
}

struct Row {
    at: i64,
    /// Where its body ends.
    end: usize,
    hash: Digest,
}

/// The sound beginning of a chunk, and what ended it.
pub(super) struct Part {
    pub events: Vec<Recorded>,
    pub finding: Option<Finding>,
    /// After the last of the events.
    pub head: Head,
}

impl Chunk {
    /// Takes rows that follow on `head`, as many as are good to have at once, and moves it on.
    pub(super) fn read(rows: &mut rusqlite::Rows<'_>, head: &mut Head) -> Self {
        let mut chunk = Self { before: *head, rows: Vec::new(), bodies: Vec::new(), ended: None };
        while chunk.rows.len() < MOST_ROWS && chunk.bodies.len() < MOST_BYTES {
            match rows.next() {
                Ok(Some(row)) => match chunk.take(row, head) {
                    Ok(()) => {}
                    Err(why) => {
                        chunk.ended = Some(Finding::Broken { seq: head.seq + 1, why: why.to_owned() });
                        break;
                    }
                },
                Ok(None) => break,
                Err(error) => {
                    chunk.ended = Some(Finding::Damaged { kept: head.seq, why: error.to_string() });
                    break;
                }
            }
        }
        chunk
    }

    pub(super) fn is_last(&self) -> bool {
        self.ended.is_some() || (self.rows.len() < MOST_ROWS && self.bodies.len() < MOST_BYTES)
    }

    fn take(&mut self, row: &rusqlite::Row<'_>, head: &mut Head) -> Result<(), &'static str> {
        let seq = head.seq + 1;
        let found: i64 = row.get(0).map_err(|_| "its number is not one")?;
        if u64::try_from(found) != Ok(seq) {
            return Err("it is missing");
        }
        let at: i64 = row.get(1).map_err(|_| "its time is not one")?;
        let body = row.get_ref(2).ok().and_then(|body| body.as_bytes().ok()).ok_or("it has no body")?;
        let hash = row.get_ref(3).ok().and_then(|hash| hash.as_blob().ok()).ok_or("it has no hash")?;
        if body.len() > MAX_ROW_BYTES {
            return Err("it is over 64 MiB");
        }
        let hash = Digest::from_bytes(hash.try_into().map_err(|_| UNLINKED)?);
        self.bodies.extend_from_slice(body);
        self.rows.push(Row { at, end: self.bodies.len(), hash });
        *head = Head { seq, link: hash };
        Ok(())
    }

    /// Pure.
    pub(super) fn parse(self) -> Part {
        let mut part = Part { events: Vec::with_capacity(self.rows.len()), finding: None, head: self.before };
        let mut start = 0;
        for row in &self.rows {
            let (seq, body) = (part.head.seq + 1, self.bodies.get(start..row.end).unwrap_or_default());
            start = row.end;
            if link(&part.head.link, seq, row.at, body) != row.hash {
                part.finding = Some(Finding::Broken { seq, why: UNLINKED.to_owned() });
                return part;
            }
            match event(body) {
                Ok(event) => part.events.push(Recorded { seq, at: row.at, event }),
                Err(error) => {
                    let own = env!("CARGO_PKG_VERSION");
                    let why = format!("rekindle {own} does not know it: {error}");
                    part.finding = Some(Finding::Broken { seq, why });
                    return part;
                }
            }
            part.head = Head { seq, link: row.hash };
        }
        part.finding = self.ended;
        part
    }
}

/// The names of a million owners are parsed straight into their places: an event of any kind is first taken apart as a
/// whole, to see of which kind it is.
fn event(body: &[u8]) -> serde_json::Result<Event> {
    #[derive(Deserialize)]
    struct Opened {
        run: Arc<RunHeader>,
    }

    if body.starts_with(br#"{"event":"opened","#) {
        return serde_json::from_slice(body).map(|Opened { run }| Event::Opened { run });
    }
    serde_json::from_slice(body)
}

const UNLINKED: &str = "its hash does not follow from its content and the event before";
