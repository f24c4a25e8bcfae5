use std::borrow::Cow;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use rustic_core::DataId;

use super::opened::{Opened, Place};
use super::reader::BlobReader;
use crate::model::{ContentSink, Error, ErrorKind, Problem, Result};

/// How much one worker takes at a time: a pack over a network, since that is one request; locally little
/// enough to share a single pack among several.
const SHARE: u64 = 18 * 1024 * 1024;
const SHARE_FILES: usize = 512;
const MOST_WORKERS: usize = 16;

/// One wanted file: which one, where its first blob lies, and its blobs.
struct Job {
    index: usize,
    first: Option<Place>,
    content: Range<usize>,
}

#[derive(Default)]
struct State {
    /// The sink wants no more.
    stop: AtomicBool,
    /// Why no further file needs to be tried.
    lost: OnceLock<Problem>,
}

impl State {
    /// A server that is gone after all retries is not waited for again, file by file.
    fn notice(&self, error: &Error) {
        if matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::TimedOut | ErrorKind::Denied) {
            let _ = self.lost.set(error.problem());
        }
    }
}

/// Reads many files in the order in which they lie in the packs.
pub(super) struct Contents {
    jobs: Vec<Job>,
    /// Of all jobs, so that what follows a file is a slice.
    blobs: Vec<DataId>,
}

impl Contents {
    /// Sorts what is wanted; what cannot be read at all is told to the sink at once.
    /// `None` when the sink wants no more.
    pub(super) fn plan(
        opened: &Opened,
        wanted: impl Iterator<Item = Result<Box<[DataId]>>>,
        sink: &dyn ContentSink,
    ) -> Option<Self> {
        let mut found: Vec<(Option<Place>, usize, Box<[DataId]>)> = Vec::new();
        for (index, content) in wanted.enumerate() {
            let placed = content.and_then(|content| {
                let first = content.first().map(|id| opened.place(id)).transpose()?;
                Ok((first, index, content))
            });
            match placed {
                Ok(job) => found.push(job),
                Err(error) => {
                    if !sink.content(index, Err(error)) {
                        return None;
                    }
                }
            }
        }
        found.sort_unstable_by_key(|(first, index, _)| (*first, *index));
        let mut blobs = Vec::with_capacity(found.len());
        let jobs = found
            .into_iter()
            .map(|(first, index, content)| {
                let start = blobs.len();
                blobs.extend_from_slice(&content);
                Job { index, first, content: start..blobs.len() }
            })
            .collect();
        Some(Self { jobs, blobs })
    }

    pub(super) fn run(&self, opened: &Arc<Opened>, parallel: usize, sink: &dyn ContentSink) {
        let shares = self.shares(if opened.is_remote() { usize::MAX } else { SHARE_FILES });
        let next = AtomicUsize::new(0);
        let state = State::default();
        let work = || {
            while !state.stop.load(Ordering::Relaxed)
                && let Some(share) = shares.get(next.fetch_add(1, Ordering::Relaxed))
            {
                if !self.read(opened, share, sink, &state) {
                    state.stop.store(true, Ordering::Relaxed);
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..parallel.clamp(1, MOST_WORKERS).min(shares.len().max(1)) {
                scope.spawn(work);
            }
            work();
        });
    }

    /// Neighbours in one pack, up to a size and a number.
    fn shares(&self, most: usize) -> Vec<Range<usize>> {
        let mut shares: Vec<Range<usize>> = Vec::new();
        let mut current: Option<(Option<Place>, Range<usize>)> = None;
        for (position, job) in self.jobs.iter().enumerate() {
            let fits = |start: &Option<Place>, range: &Range<usize>| match (start, job.first) {
                (Some(start), Some(first)) => {
                    start.pack == first.pack && u64::from(first.offset.saturating_sub(start.offset)) < SHARE
                }
                (None, None) => true,
                _ => false,
            } && range.len() < most;
            match &mut current {
                Some((start, range)) if fits(start, range) => range.end = position + 1,
                _ => {
                    shares.extend(current.take().map(|(_, range)| range));
                    current = Some((job.first, position..position + 1));
                }
            }
        }
        shares.extend(current.map(|(_, range)| range));
        shares
    }

    /// Answers whether to go on.
    fn read(&self, opened: &Arc<Opened>, share: &Range<usize>, sink: &dyn ContentSink, state: &State) -> bool {
        let jobs = self.jobs.get(share.clone()).unwrap_or_default();
        let end = jobs.last().map_or(0, |job| job.content.end);
        let mut held = Vec::new();
        for job in jobs {
            if state.stop.load(Ordering::Relaxed) {
                return false;
            }
            if let Some(lost) = state.lost.get() {
                let error =
                    Error::new(lost.kind, "read this file's content", format!("the store is lost: {}", lost.what));
                if !sink.content(job.index, Err(error.next(lost.next.clone().unwrap_or_default()))) {
                    return false;
                }
                continue;
            }
            let content = Cow::Borrowed(self.blobs.get(job.content.clone()).unwrap_or_default());
            let followers = self.blobs.get(job.content.end..end).unwrap_or_default();
            let go_on = match BlobReader::start(Arc::clone(opened), content, followers, std::mem::take(&mut held)) {
                Ok(mut reader) => {
                    let go_on = sink.content(job.index, Ok(&mut reader));
                    held = reader.into_held();
                    go_on
                }
                Err(error) => {
                    state.notice(&error);
                    sink.content(job.index, Err(error))
                }
            };
            if !go_on {
                return false;
            }
        }
        true
    }
}
