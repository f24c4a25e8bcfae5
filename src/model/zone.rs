use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Chosen once, by the command line, for everything that this process says.
static CHOSEN: OnceLock<Zone> = OnceLock::new();

/// The one time zone in which an output says its times. Every time carries its distance from UTC.
#[derive(Clone, Debug)]
pub struct Zone {
    zone: TimeZone,
    is_for_programs: bool,
}

impl Default for Zone {
    fn default() -> Self {
        Self::utc()
    }
}

impl From<TimeZone> for Zone {
    fn from(zone: TimeZone) -> Self {
        Self { zone, is_for_programs: false }
    }
}

impl Zone {
    pub fn utc() -> Self {
        Self::from(TimeZone::UTC)
    }

    /// In UTC and as RFC 3339, whatever people read.
    pub fn for_programs() -> Self {
        Self { is_for_programs: true, ..Self::utc() }
    }

    /// From now on all that this process says is in this one. The first choice stays.
    pub fn choose(self) {
        let _ = CHOSEN.set(self);
    }

    /// In which this process says times; UTC before one was chosen.
    pub fn chosen() -> Self {
        CHOSEN.get().cloned().unwrap_or_default()
    }

    /// As whoever reads this wants it: [`Self::time`] for programs, [`Self::moment`] for people.
    pub fn told(&self, at: i64) -> String {
        if self.is_for_programs { self.time(at) } else { self.moment(at) }
    }

    /// As in `Europe/Berlin`, or `UTC`.
    pub fn name(&self) -> &str {
        self.zone.iana_name().unwrap_or("this machine's time zone")
    }

    pub fn inner(&self) -> &TimeZone {
        &self.zone
    }

    /// Milliseconds since 1970 as RFC 3339: `2026-11-21T04:43:00Z`, `2026-11-21T05:43:00+01:00`.
    pub fn time(&self, at: i64) -> String {
        let Ok(time) = Timestamp::from_millisecond(at) else { return format!("{at} ms") };
        if self.zone == TimeZone::UTC {
            return time.to_string();
        }
        let offset = self.zone.to_offset(time);
        time.display_with_offset(offset).to_string()
    }

    /// The same to the minute, for lists whose heading names the zone: `2026-11-21 05:43`.
    pub fn minute(&self, at: i64) -> String {
        match Timestamp::from_millisecond(at) {
            Ok(time) => time.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string(),
            Err(_) => format!("{at} ms"),
        }
    }

    /// The time of day alone, for what is a matter of minutes: `05:43:00`.
    pub fn clock(&self, at: i64) -> String {
        match Timestamp::from_millisecond(at) {
            Ok(time) => time.to_zoned(self.zone.clone()).strftime("%H:%M:%S").to_string(),
            Err(_) => format!("{at} ms"),
        }
    }

    /// The same to the second, for reading: `2026-11-21 05:43:00 +01:00`.
    pub fn moment(&self, at: i64) -> String {
        let Ok(time) = Timestamp::from_millisecond(at) else { return format!("{at} ms") };
        let form = if self.zone == TimeZone::UTC { "%Y-%m-%d %H:%M:%S UTC" } else { "%Y-%m-%d %H:%M:%S %:z" };
        time.to_zoned(self.zone.clone()).strftime(form).to_string()
    }
}

/// A length of time as people say it: `850 ms`, `12 s`, `4 min 5 s`, `1 h 12 min`, `3 d 4 h`.
pub fn span(milliseconds: u64) -> String {
    let seconds = milliseconds / 1_000;
    let two = |large: u64, unit: &str, small: u64, smaller: &str| match small {
        0 => format!("{large} {unit}"),
        _ => format!("{large} {unit} {small} {smaller}"),
    };
    match seconds {
        0 => format!("{milliseconds} ms"),
        1..60 => format!("{seconds} s"),
        60..3_600 => two(seconds / 60, "min", seconds % 60, "s"),
        3_600..86_400 => two(seconds / 3_600, "h", seconds / 60 % 60, "min"),
        _ => two(seconds / 86_400, "d", seconds / 3_600 % 24, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_carries_its_distance_from_utc() {
        let berlin = Zone::from(TimeZone::fixed(jiff::tz::offset(1)));
        let at = 1_795_236_180_000;
        assert_eq!(
            (Zone::utc().time(at), berlin.time(at)),
            ("2026-11-21T04:43:00Z".to_owned(), "2026-11-21T05:43:00+01:00".to_owned())
        );
        assert_eq!(
            (Zone::utc().moment(at), berlin.moment(at)),
            ("2026-11-21 04:43:00 UTC".to_owned(), "2026-11-21 05:43:00 +01:00".to_owned())
        );
        assert_eq!(berlin.minute(at), "2026-11-21 05:43");
        assert!(Zone::utc().moment(i64::MAX).ends_with(" ms"));
        assert_eq!((Zone::for_programs().told(at), berlin.told(at)), (Zone::utc().time(at), berlin.moment(at)));
    }

    #[test]
    fn a_length_of_time_reads_as_people_say_it() {
        let said = [850, 12_000, 245_000, 3_600_000, 4_320_000, 273_600_000].map(span);
        assert_eq!(said, ["850 ms", "12 s", "4 min 5 s", "1 h", "1 h 12 min", "3 d 4 h"]);
    }
}
