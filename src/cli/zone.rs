use std::sync::OnceLock;

use jiff::tz::TimeZone;

use crate::model::Zone;

/// Chosen once, by the command line, for everything that this process says.
static CHOSEN: OnceLock<Zone> = OnceLock::new();

/// `--utc`, or the time zone of this machine: `TZ`, else its own setting, else UTC.
pub fn choose(utc: bool) {
    let _ = CHOSEN.set(if utc { Zone::utc() } else { system() });
}

/// In which times are said.
pub fn chosen() -> Zone {
    CHOSEN.get().cloned().unwrap_or_default()
}

fn system() -> Zone {
    match TimeZone::try_system() {
        Ok(zone) => Zone::from(zone),
        Err(error) => {
            tracing::debug!("times are in UTC: {error}");
            Zone::utc()
        }
    }
}
