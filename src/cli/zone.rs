use jiff::tz::TimeZone;

use crate::model::Zone;

/// `--utc`, the configuration's, or the time zone of this machine: `TZ`, else its own setting, else UTC.
pub fn choose(utc: bool) {
    let zone = if utc { Zone::utc() } else { super::config::chosen().zone.unwrap_or_else(system) };
    zone.choose();
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
