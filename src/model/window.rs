use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use serde::{Deserialize, Serialize};

use super::Zone;

/// Hours in which a step may write, run or ask. Where `until` is not later than `from`, they end on the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    pub from: Time,
    pub until: Time,
    /// On which it opens.
    #[serde(default)]
    pub days: Days,
}

/// Days of the week, a bit each from Monday on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Days(u8);

impl Default for Days {
    fn default() -> Self {
        Self(0b111_1111)
    }
}

impl Days {
    /// As runbooks write them, from Monday on.
    pub const WORDS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

    /// By their places in [`Self::WORDS`].
    pub fn of(days: impl Iterator<Item = usize>) -> Self {
        Self(days.filter(|day| *day < 7).fold(0, |found, day| found | (1 << day)))
    }

    fn holds(self, day: Weekday) -> bool {
        self.0 & (1 << day.to_monday_zero_offset()) != 0
    }

    fn words(self) -> String {
        let named = Self::WORDS.iter().enumerate().filter(|(day, _)| self.0 & (1 << day) != 0);
        named.map(|(_, word)| *word).collect::<Vec<_>>().join(", ")
    }
}

/// The day before counts too, and a window of one weekday comes again after seven.
const DAYS_AHEAD: usize = 9;

impl Window {
    /// Nothing where it is open. Otherwise when it opens next, in milliseconds since 1970.
    pub fn opens(&self, now: i64, zone: &Zone) -> Option<i64> {
        let today = Timestamp::from_millisecond(now).ok()?.to_zoned(zone.inner().clone()).date();
        let mut day = today.yesterday().unwrap_or(today);
        for _ in 0..DAYS_AHEAD {
            if self.days.holds(day.weekday()) {
                let last = if self.until > self.from { day } else { day.tomorrow().unwrap_or(day) };
                let (opens, closes) = (at(day, self.from, zone)?, at(last, self.until, zone)?);
                if now < opens {
                    return Some(opens);
                }
                if now < closes {
                    return None;
                }
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    /// As in `22:00 to 05:00 on sat, sun (Europe/Berlin)`.
    pub fn words(&self, zone: &Zone) -> String {
        let days = if self.days == Days::default() { String::new() } else { format!(" on {}", self.days.words()) };
        format!("{} to {}{days} ({})", clock(self.from), clock(self.until), zone.name())
    }
}

fn clock(time: Time) -> String {
    let seconds = if time.second() == 0 { String::new() } else { format!(":{:02}", time.second()) };
    format!("{:02}:{:02}{seconds}", time.hour(), time.minute())
}

/// Where a clock is put forward or back, the time that there is.
fn at(day: Date, time: Time, zone: &Zone) -> Option<i64> {
    let zoned = day.to_datetime(time).to_zoned(zone.inner().clone()).ok()?;
    Some(zoned.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;

    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    /// When it opens, as UTC; `open` where it is.
    fn opens(window: Window, now: &str) -> String {
        window.opens(at(now), &Zone::utc()).map_or_else(|| "open".to_owned(), |at| Zone::utc().time(at))
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_on_which_it_opens() {
        let saturday = Days::of([5].into_iter());
        let window = Window { from: time(22, 0, 0, 0), until: time(5, 0, 0, 0), days: saturday };
        // 2026-11-28 is a Saturday.
        assert_eq!(opens(window, "2026-11-28T21:59:59Z"), "2026-11-28T22:00:00Z");
        assert_eq!(opens(window, "2026-11-28T22:00:00Z"), "open");
        assert_eq!(opens(window, "2026-11-29T04:59:59Z"), "open");
        assert_eq!(opens(window, "2026-11-29T05:00:00Z"), "2026-12-05T22:00:00Z");
        assert_eq!(opens(window, "2026-11-29T23:00:00Z"), "2026-12-05T22:00:00Z");
    }

    #[test]
    fn a_window_of_every_day_opens_today_or_tomorrow() {
        let window = Window { from: time(9, 30, 0, 0), until: time(17, 0, 0, 0), days: Days::default() };
        assert_eq!(opens(window, "2026-11-28T01:00:00Z"), "2026-11-28T09:30:00Z");
        assert_eq!(opens(window, "2026-11-28T12:00:00Z"), "open");
        assert_eq!(opens(window, "2026-11-28T17:00:00Z"), "2026-11-29T09:30:00Z");
        assert_eq!(window.words(&Zone::utc()), "09:30 to 17:00 (UTC)");
    }

    #[test]
    fn the_hours_are_those_of_the_runs_time_zone() {
        let berlin = Zone::from(jiff::tz::TimeZone::fixed(jiff::tz::offset(1)));
        let window = Window { from: time(22, 0, 0, 0), until: time(23, 0, 0, 0), days: Days::default() };
        assert_eq!(window.opens(at("2026-11-28T21:30:00Z"), &berlin), None);
        assert_eq!(window.opens(at("2026-11-28T22:30:00Z"), &berlin), Some(at("2026-11-29T21:00:00Z")));
    }

    #[test]
    fn an_hour_that_a_clock_skips_does_not_shut_the_window_for_good() {
        let berlin = jiff::tz::TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        // 2026-03-29: 02:00 is 03:00 there.
        let window = Window { from: time(2, 30, 0, 0), until: time(4, 0, 0, 0), days: Days::default() };
        let opened = window.opens(at("2026-03-29T00:00:00Z"), &Zone::from(berlin)).unwrap();
        assert_eq!(Zone::utc().time(opened), "2026-03-29T01:30:00Z");
    }
}
