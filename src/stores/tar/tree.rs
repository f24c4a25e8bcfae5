use std::collections::BTreeSet;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use super::index::{Index, Item};
use super::member::Content;
use super::source::{Source, Stream};
use crate::model::{ContentSink, Entry, Error, ErrorKind, RecordedFacts, Result, Tree, TreePath};

/// An archive that was indexed. A compressed one can only be read forward: the stream that was read last
/// is kept, so that files opened in the archive's order unpack it once.
pub(super) struct Archive {
    pub source: Source,
    pub index: Index,
    idle: Mutex<Option<Stream>>,
}

impl Archive {
    pub(super) fn new(source: Source, index: Index) -> Self {
        Self { source, index, idle: Mutex::default() }
    }

    fn stream(&self, from: u64) -> Result<Stream> {
        self.source.is_untouched()?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        match idle.take_if(|stream| self.source.is_plain() || stream.position() <= from) {
            Some(stream) => Ok(stream),
            None => self.source.stream(),
        }
    }

    fn keep(&self, stream: Stream) {
        *self.idle.lock().unwrap_or_else(PoisonError::into_inner) = Some(stream);
    }
}

/// What lies at and below one node of an archive.
pub(super) struct TarTree {
    pub archive: Arc<Archive>,
    pub base: TreePath,
}

impl TarTree {
    fn content(&self, path: &TreePath) -> Result<&Content> {
        let full = self.base.append(path);
        let doing = || format!("read {full} of {}", self.archive.source.shown);
        match self.archive.index.find(&full) {
            Some(Item { content: Some(content), .. }) => Ok(content),
            Some(_) => Err(Error::new(ErrorKind::Invalid, doing(), "it is not a regular file")),
            None => Err(Error::new(ErrorKind::NotFound, doing(), "it is not there")),
        }
    }

    fn read(&self, content: &Content, stream: Stream) -> PieceReader {
        PieceReader {
            archive: Arc::clone(&self.archive),
            stream: Some(stream),
            content: content.clone(),
            done: 0,
            piece: 0,
            failed: false,
            proved: false,
        }
    }
}

impl Tree for TarTree {
    fn entries(&self) -> Result<Box<dyn Iterator<Item = Result<Entry>> + Send + '_>> {
        let below = self.archive.index.below(&self.base).iter();
        Ok(Box::new(below.filter_map(|item| {
            let path = item.entry.path.relative_to(&self.base)?;
            Some(Ok(Entry { path, ..item.entry.clone() }))
        })))
    }

    fn said(&self) -> Vec<String> {
        let told = self.archive.index.below(&self.base).iter().flat_map(|item| item.told.iter());
        let told: BTreeSet<&str> = told.map(|told| &**told).collect();
        self.archive.index.said.iter().cloned().chain(told.into_iter().map(str::to_owned)).collect()
    }

    fn recorded(&self, path: &TreePath) -> RecordedFacts {
        self.archive.index.find(&self.base.append(path)).map_or(RecordedFacts::ALL, |item| item.recorded)
    }

    fn above(&self, levels: usize) -> Result<Option<Entry>> {
        let item = self.base.above(levels).and_then(|path| self.archive.index.find(&path));
        Ok(item.map(|item| item.entry.clone()))
    }

    fn open(&self, path: &TreePath) -> Result<Box<dyn Read + Send>> {
        let content = self.content(path)?;
        Ok(Box::new(self.read(content, self.archive.stream(content.start)?)))
    }

    fn bytes_without_holes(&self, path: &TreePath) -> Result<Option<u64>> {
        let pieces = self.content(path)?.pieces.as_deref();
        Ok(pieces.map(|pieces| pieces.iter().map(|(_, length)| *length).fold(0, u64::saturating_add)))
    }

    /// One pass in the archive's order, whatever was asked for: a second thread would only unpack it twice.
    fn contents(&self, wanted: &[TreePath], _: usize, sink: &dyn ContentSink) -> Result<()> {
        let mut found: Vec<(u64, usize)> = Vec::with_capacity(wanted.len());
        for (index, path) in wanted.iter().enumerate() {
            match self.content(path) {
                Ok(content) => found.push((content.start, index)),
                Err(error) => {
                    if !sink.content(index, Err(error)) {
                        return Ok(());
                    }
                }
            }
        }
        found.sort_unstable();
        for (_, index) in found {
            let opened = wanted.get(index).map_or_else(
                || Err(Error::new(ErrorKind::Bug, "read an archive", "a position is out of range")),
                |path| {
                    let content = self.content(path)?;
                    Ok(self.read(content, self.archive.stream(content.start)?))
                },
            );
            let go_on = match opened {
                Ok(mut reader) => sink.content(index, Ok(&mut reader)),
                Err(error) => sink.content(index, Err(error)),
            };
            if !go_on {
                break;
            }
        }
        Ok(())
    }
}

/// A file's bytes: its stored pieces, with zeros between them. Gives the stream back when it is dropped.
struct PieceReader {
    archive: Arc<Archive>,
    stream: Option<Stream>,
    content: Content,
    done: u64,
    piece: usize,
    failed: bool,
    /// The archive was looked at after the last byte.
    proved: bool,
}

impl PieceReader {
    /// How many zeros come now, or how many stored bytes, and where in the archive those lie.
    fn ahead(&mut self) -> (u64, Option<(u64, u64)>) {
        let Some(pieces) = &self.content.pieces else {
            return (0, Some((self.content.start + self.done, self.content.size - self.done)));
        };
        while let Some((offset, length)) = pieces.get(self.piece) {
            if self.done < *offset {
                return (offset - self.done, None);
            }
            if self.done < offset + length {
                let stored: u64 = pieces.iter().take(self.piece).map(|(_, length)| *length).sum();
                let inside = self.done - offset;
                return (0, Some((self.content.start + stored + inside, length - inside)));
            }
            self.piece += 1;
        }
        (self.content.size - self.done, None)
    }

    fn fill(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = |length: u64, buffer: &[u8]| usize::try_from(length).unwrap_or(usize::MAX).min(buffer.len());
        let (zeros, stored) = self.ahead();
        let Some((from, length)) = stored else {
            let count = most(zeros, buffer);
            if let Some(part) = buffer.get_mut(..count) {
                part.fill(0);
            }
            return Ok(count);
        };
        let Some(stream) = self.stream.as_mut() else { return Err(io::ErrorKind::BrokenPipe.into()) };
        if stream.position() != from {
            stream.skip_to(from)?;
        }
        let count = most(length, buffer);
        let got = stream.read(buffer.get_mut(..count).unwrap_or_default())?;
        if got == 0 && count > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(got)
    }
}

impl Read for PieceReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.done >= self.content.size {
            if !std::mem::replace(&mut self.proved, true) {
                self.archive.source.is_untouched().map_err(io::Error::other)?;
            }
            return Ok(0);
        }
        match self.fill(buffer) {
            Ok(got) => {
                self.done += got as u64;
                Ok(got)
            }
            Err(error) => {
                self.failed = true;
                Err(io::Error::other(self.archive.source.failed("read", error)))
            }
        }
    }
}

impl Drop for PieceReader {
    fn drop(&mut self) {
        if let Some(stream) = self.stream.take().filter(|_| !self.failed) {
            self.archive.keep(stream);
        }
    }
}
