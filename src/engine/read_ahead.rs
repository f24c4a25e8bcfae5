use std::sync::mpsc::sync_channel;
use std::thread::Scope;

use crate::diff::trees::Entries;

/// A small tree is read sooner than a thread has begun.
const FEW: usize = 1_024;
/// Entries on their way at once: as many as a few thousand paths take.
const CHUNK: usize = 256;
const CHUNKS: usize = 16;

/// The same entries, of a large tree read by a thread of its own, so that two trees that are compared are read side by
/// side. Reads no more than a little that is not asked for.
pub(super) fn read_ahead<'scope>(scope: &'scope Scope<'scope, '_>, mut entries: Entries<'scope>) -> Entries<'scope> {
    let first: Vec<_> = entries.by_ref().take(FEW).collect();
    if first.len() < FEW {
        return Box::new(first.into_iter());
    }
    let (sender, receiver) = sync_channel(CHUNKS);
    scope.spawn(move || {
        loop {
            let chunk: Vec<_> = entries.by_ref().take(CHUNK).collect();
            let is_last = chunk.len() < CHUNK;
            // Who compares may have seen enough.
            if sender.send(chunk).is_err() || is_last {
                break;
            }
        }
    });
    Box::new(first.into_iter().chain(receiver.into_iter().flatten()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Entry, Error, ErrorKind, Meta, NodeKind, Result, TreePath};

    fn entries(count: usize, fails_at: Option<usize>) -> Vec<Result<Entry>> {
        let one = |number: usize| {
            let path = TreePath::new(format!("{number:06}")).unwrap();
            match fails_at {
                Some(at) if at == number => Err(Error::new(ErrorKind::Io, "read", "a bad block")),
                _ => Ok(Entry { path, kind: NodeKind::Directory, meta: Meta::default() }),
            }
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn all_entries_come_in_order_and_errors_in_their_place() {
        for count in [0, 1, FEW - 1, FEW, FEW + 1, FEW + CHUNK, 50_000] {
            for fails_at in [None, Some(0), Some(FEW), Some(40_000)] {
                let told = |entries: Entries| {
                    entries
                        .map(|entry| entry.map(|entry| entry.path).map_err(|error| error.chain()))
                        .collect::<Vec<_>>()
                };
                let wanted = told(Box::new(entries(count, fails_at).into_iter()));
                let read =
                    std::thread::scope(|scope| told(read_ahead(scope, Box::new(entries(count, fails_at).into_iter()))));
                assert!(read == wanted, "{count} {fails_at:?}");
            }
        }
    }

    #[test]
    fn what_nobody_asks_for_is_not_read_to_its_end() {
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let endless = (0..).map(|_: u64| {
            asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Err(Error::new(ErrorKind::Io, "read", "again"))
        });
        std::thread::scope(|scope| assert_eq!(read_ahead(scope, Box::new(endless)).take(3_000).count(), 3_000));
        assert!(asked.into_inner() <= 3_000 + FEW + CHUNK * (CHUNKS + 2));
    }
}
