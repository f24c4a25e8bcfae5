use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::prelude::*;

use crate::model::Zone;

/// The log of the run that this process holds. Lines are for people; the journal is the evidence.
static RUN_LOG: Mutex<Option<File>> = Mutex::new(None);

/// Log lines go to the run's log and to the screen's log pane; with `-v` to stderr too.
///
/// The log pane stamps each line with local time, and the time library warns through the log while it reads the time
/// zones. It reads them here, before anything hears it.
pub fn start(verbose: u8) {
    let zone = super::zone::read();
    let level = match verbose {
        0 | 1 => tracing::Level::INFO,
        _ => tracing::Level::DEBUG,
    };
    let ours = || crate::tui::log_filter(level);
    let lines = (verbose > 0)
        .then(|| tracing_subscriber::fmt::layer().with_writer(io::stderr).without_time().with_filter(ours()));
    let file =
        tracing_subscriber::fmt::layer().with_writer(|| RunLog).with_timer(InZone).with_ansi(false).with_filter(ours());
    // The log pane reads the zone by itself.
    let screen = super::zone::endless().is_none().then(crate::tui::log_layer);
    // A second start in one process keeps the first one's settings.
    let _ = tracing_subscriber::registry().with(screen).with(file).with(lines).try_init();
    crate::tui::start_log(log::LevelFilter::Info);
    if let Err(error) = zone {
        tracing::info!("the time zone of this machine is not known, so the screen shows times in UTC: {error}");
    }
}

/// From here on lines are appended to this run's log; one that cannot be opened costs no run.
pub fn into(path: &Path) {
    let file = File::options().append(true).create(true).mode(0o600).open(path);
    match file {
        Ok(file) => *RUN_LOG.lock().unwrap_or_else(PoisonError::into_inner) = Some(file),
        Err(error) => tracing::warn!("the log {} cannot be written: {error}", path.display()),
    }
}

/// Stamps lines as everything else that is said has its times.
struct InZone;

impl FormatTime for InZone {
    fn format_time(&self, out: &mut Writer<'_>) -> std::fmt::Result {
        out.write_str(&Zone::chosen().moment(super::operate::now()))
    }
}

struct RunLog;

impl Write for RunLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut *RUN_LOG.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(file) => file.write(bytes),
            None => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
