use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};

use super::database::{failed, open_to_read};
use super::head_file::HeadFile;
use super::load::{Head, check_tables, load_after};
use super::salvage::{Salvaged, salvage};
use super::{Finding, RunFolder, plan_row};
use crate::model::{Digest, ErrorKind, Plan, Recorded, Result, visible};

/// What SQLite is asked of the whole file; the second looks into each entry of the index too.
const QUICK: &str = "PRAGMA quick_check(1)";
const WHOLE: &str = "PRAGMA integrity_check(1)";

/// A journal that is read, also while another process writes it. Trusts nothing in it.
pub struct ReadJournal {
    connection: Connection,
    path: PathBuf,
    head: Head,
    noted_head: Option<PathBuf>,
    seen_version: Option<i64>,
    findings: Vec<Finding>,
    /// Read instead of the file itself, which was cut.
    salvaged: Option<Salvaged>,
}

impl ReadJournal {
    pub fn open(folder: &RunFolder) -> Result<Self> {
        let path = folder.journal();
        let noted_head = folder.head();
        let made = |connection, path, salvaged| Self {
            connection,
            path,
            head: Head::start(),
            noted_head,
            seen_version: None,
            findings: Vec::new(),
            salvaged,
        };
        match opened(&path) {
            Ok(connection) => Ok(made(connection, path, None)),
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                let Some(salvaged) = salvage(&path)? else { return Err(error) };
                let connection = opened(&salvaged.path)?;
                Ok(made(connection, salvaged.path.clone(), Some(salvaged)))
            }
            Err(error) => Err(error),
        }
    }

    /// Whether it has no first event: its run ended before it began.
    pub(super) fn is_unbegun(folder: &RunFolder) -> bool {
        // The head of a journal that was emptied later names an event.
        if folder.head().and_then(|head| HeadFile::read(&head)).is_some_and(|(seq, _)| seq > 0) {
            return false;
        }
        match Self::open(folder) {
            Ok(journal) => {
                let first = journal.connection.query_row("SELECT 1 FROM events LIMIT 1", [], |_| Ok(()));
                matches!(first, Err(rusqlite::Error::QueryReturnedNoRows))
            }
            Err(error) => error.kind() == ErrorKind::NotFound,
        }
    }

    /// All events from the first, checked: structure, chain, and the head noted outside the folder.
    /// What is wrong is in [`ReadJournal::findings`]; the events that are returned are sound.
    pub fn load(&mut self) -> Result<Vec<Recorded>> {
        let mut events = Vec::new();
        self.load_each(|recorded| events.push(recorded))?;
        Ok(events)
    }

    /// [`ReadJournal::load`], and the index of each task's history looked at entry by entry, which takes longer than all
    /// the rest: for who goes on with the run, or proves it.
    pub fn prove(&mut self) -> Result<Vec<Recorded>> {
        let mut events = Vec::new();
        self.load_checked(WHOLE, &mut |recorded| events.push(recorded))?;
        Ok(events)
    }

    /// [`ReadJournal::load`] without keeping what is read: a long run's events take more room than what they make.
    pub fn load_each(&mut self, mut take: impl FnMut(Recorded) + Send) -> Result<()> {
        self.load_checked(QUICK, &mut take)
    }

    /// [`ReadJournal::load_each`] for who wants to see the run at once, with the look at the file's structure left for
    /// [`ReadJournal::look_at_structure`].
    pub fn load_unlooked(&mut self, mut take: impl FnMut(Recorded) + Send) -> Result<()> {
        let noted = self.begin();
        self.read_on(&mut take)?;
        self.compare(noted);
        Ok(())
    }

    /// What SQLite says of the file as a whole becomes a finding.
    pub fn look_at_structure(&mut self) {
        let damage = self.damage(|path| damage(path, QUICK));
        self.find_damaged(damage);
    }

    /// `check`: what SQLite is asked of the whole file.
    fn load_checked(&mut self, check: &'static str, take: &mut (dyn FnMut(Recorded) + Send)) -> Result<()> {
        let noted = self.begin();
        let path = self.path.clone();
        let (read, damage) = std::thread::scope(|scope| {
            let damage = scope.spawn(move || damage(&path, check));
            (self.read_on(take), damage.join())
        });
        read?;
        let damage = self.damage(|_| damage.unwrap_or_else(|_| Some("checking its structure panicked".to_owned())));
        self.find_damaged(damage);
        self.compare(noted);
        Ok(())
    }

    /// From the first event on. Answers the head that was noted outside, which is read before the events: a writer may add
    /// some meanwhile, and never takes some away.
    fn begin(&mut self) -> Option<(u64, Digest)> {
        self.head = Head::start();
        self.findings.clear();
        self.noted_head.as_deref().and_then(HeadFile::read)
    }

    fn damage(&self, look: impl FnOnce(&Path) -> Option<String>) -> Option<String> {
        match &self.salvaged {
            Some(_) => Some("the file was cut short".to_owned()),
            None => look(&self.path),
        }
    }

    fn find_damaged(&mut self, damage: Option<String>) {
        if let (true, Some(why)) = (self.findings.is_empty(), damage) {
            self.findings.push(Finding::Damaged { kept: self.head.seq, why });
        }
    }

    fn compare(&mut self, noted: Option<(u64, Digest)>) {
        let Some((known, link)) = noted else { return };
        if known > self.head.seq && self.findings.is_empty() {
            self.findings.push(Finding::TailLost { kept: self.head.seq, known });
        } else if known == self.head.seq && known > 0 && link != self.head.link {
            let why = "another event was noted here beside the keys".to_owned();
            self.findings.push(Finding::Broken { seq: known, why });
        }
    }

    /// The events after the last that was returned; none where nothing was written since. Cheap to ask often.
    pub fn follow(&mut self) -> Result<Vec<Recorded>> {
        let version: i64 = self
            .connection
            .query_row("PRAGMA data_version", [], |row| row.get(0))
            .map_err(|error| failed("read", &self.path, error))?;
        if self.seen_version.replace(version) == Some(version) || !self.findings.is_empty() {
            return Ok(Vec::new());
        }
        let mut events = Vec::new();
        self.read_on(&mut |recorded| events.push(recorded))?;
        Ok(events)
    }

    fn read_on(&mut self, take: &mut (dyn FnMut(Recorded) + Send)) -> Result<()> {
        let finding = load_after(&self.connection, &self.path, &mut self.head, take)?;
        self.findings.extend(finding);
        Ok(())
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) fn path(&self) -> &std::path::Path {
        &self.path
    }

    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The link of the last event that was read.
    pub fn head(&self) -> Digest {
        self.head.link
    }

    pub(super) fn head_at(&self) -> Head {
        self.head
    }

    /// A plan by the digest that its `Planned` event has; `None` where it was not kept.
    pub fn plan(&self, digest: &Digest) -> Result<Option<Plan>> {
        let row: Option<Vec<u8>> = self
            .connection
            .prepare_cached("SELECT body FROM plans WHERE digest = ?1")
            .and_then(|mut select| select.query_row([&digest.as_bytes()[..]], |row| row.get(0)).optional())
            .map_err(|error| failed("read a plan from", &self.path, error))?;
        row.map(|row| plan_row::unpack(digest, &row)).transpose()
    }
}

fn opened(path: &Path) -> Result<Connection> {
    let connection = open_to_read(path)?;
    check_tables(&connection, path)?;
    Ok(connection)
}

/// What SQLite's own check of the whole file says. On a connection of its own, beside the reading of events:
/// on a long run it takes as long as they do.
fn damage(path: &Path, check: &str) -> Option<String> {
    let connection = match open_to_read(path) {
        Ok(connection) => connection,
        Err(error) => return Some(error.chain()),
    };
    match connection.query_row(check, [], |row| row.get::<_, String>(0)) {
        Ok(answer) if answer == "ok" => None,
        Ok(answer) => Some(visible(&answer).into_owned()),
        Err(error) => Some(error.to_string()),
    }
}
