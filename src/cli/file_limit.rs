use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A file that outgrows the limit on file sizes (`ulimit -f`) would end the process without a word. As it is heard, the
/// write fails like one on a full disk. Programs that this process starts are not concerned.
pub fn is_heard() {
    let heard = Arc::new(AtomicBool::new(false));
    if let Err(error) = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, heard) {
        tracing::warn!("a limit on file sizes would end this process without a word: {error}");
    }
}
