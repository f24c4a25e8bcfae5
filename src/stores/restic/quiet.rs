use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once};

use crate::model::{Error, ErrorKind, Result, visible};

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs a call into rustic, which unwraps backend errors in places. A panic becomes an error
/// and prints nothing; panics elsewhere in the program print as before.
pub(super) fn guarded<T>(doing: impl Fn() -> String, call: impl FnOnce() -> Result<T>) -> Result<T> {
    hush_once();
    let before = QUIET.replace(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(call));
    QUIET.set(before);
    outcome.unwrap_or_else(|payload| Err(panicked(doing(), &*payload)))
}

/// The same for calls that spread over rayon's threads: they get a pool of their own, since a panic on a
/// thread of the global pool ends the process, and a thread that dies leaves a list shorter without a word.
pub(super) fn guarded_in_pool<T: Send>(
    doing: impl Fn() -> String,
    call: impl FnOnce() -> Result<T> + Send,
) -> Result<T> {
    let deaths = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&deaths);
    let width = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    // One thread waits for the others inside rustic, so there must be more than one.
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(width.clamp(2, 8) + 1)
        .thread_name(|index| format!("restic-{index}"))
        .start_handler(|_| QUIET.set(true))
        .panic_handler(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
        })
        .build()
        .map_err(|error| Error::new(ErrorKind::Io, doing(), "no threads could be started").caused_by(error))?;
    let outcome = guarded(&doing, || pool.install(call));
    // A dying job hangs up before it is counted; each thread answers this only after its last job has ended.
    pool.broadcast(|_| ());
    if deaths.load(Ordering::SeqCst) > 0 {
        return Err(panicked(doing(), &"a worker thread of the restic library died"));
    }
    outcome
}

/// Whether a panic on this thread is caught and becomes an error: a panic hook that was set later than ours
/// must then neither print nor restore the terminal.
pub fn panic_is_caught() -> bool {
    QUIET.get()
}

fn panicked(doing: String, payload: &(dyn std::any::Any + Send)) -> Error {
    let said = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    let said = super::address::without_credentials(said.lines().next().unwrap_or_default());
    Error::new(ErrorKind::Bug, doing, format!("the restic library gave up: {}", visible(&said)))
        .next("run `restic check` on the repository; if it finds nothing, report this as a bug")
}

fn hush_once() {
    static HUSH: Once = Once::new();
    HUSH.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                loud(info);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error() {
        let error = guarded(|| "read it".into(), || -> Result<()> { panic!("unwrap on http://a:pw@b") }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Bug);
        assert!(!error.chain().contains("pw"), "{error}");
    }

    #[test]
    fn a_dead_worker_is_noticed_though_the_call_returns() {
        let (sender, receiver) = std::sync::mpsc::channel::<()>();
        let outcome = guarded_in_pool(
            || "list it".into(),
            move || {
                rayon::spawn(move || {
                    let _held = sender;
                    panic!("worker");
                });
                // Hung up: rustic would take this for the end of the list.
                Ok(receiver.recv().is_err())
            },
        );
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Bug);
    }
}
