use std::collections::{BTreeMap, VecDeque};

use crate::engine::Activity;
use crate::model::{TaskStatus, size, visible};

use super::state::Model;

/// So many of the last settled tasks say how fast it goes.
const LAST: usize = 64;
/// Milliseconds. What was settled longer ago says nothing of now: somebody may have read a plan meanwhile.
const NOW: i64 = 60_000;
/// Fewer say nothing.
const FEWEST: usize = 4;

/// How fast tasks are settled, by the journal's own times.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    /// Milliseconds since 1970 of the last settled tasks, oldest first.
    settled: VecDeque<i64>,
}

impl Pace {
    pub fn settled(&mut self, at: i64) {
        // A clock that was set back would make it a rate of the past.
        if self.settled.back().is_some_and(|last| *last > at) {
            self.settled.clear();
        }
        let since = at.saturating_sub(NOW);
        while self.settled.len() >= LAST || self.settled.front().is_some_and(|first| *first < since) {
            self.settled.pop_front();
        }
        self.settled.push_back(at);
    }

    /// Tasks a second.
    fn rate(&self) -> Option<f64> {
        let (first, last) = (self.settled.front()?, self.settled.back()?);
        let (count, span) = (self.settled.len(), last.checked_sub(*first)?);
        (count >= FEWEST && span > 0).then(|| (count - 1) as f64 * 1_000.0 / span as f64)
    }
}

/// What goes on now: rate, time left for what needs nobody, and how many tasks each component has in hand.
pub fn told(model: &Model) -> Option<String> {
    let in_hand = in_hand(model);
    if in_hand.is_empty() {
        return None;
    }
    let mut parts = Vec::new();
    if let Some(bytes) = bytes_in_hand(model) {
        parts.push(bytes);
    } else if let Some(rate) = model.pace.rate() {
        use TaskStatus as S;
        let left: u32 = [S::Approved, S::Applying].iter().map(|status| model.run.count(*status)).sum();
        parts.push(if rate >= 10.0 { format!("{rate:.0}/s") } else { format!("{rate:.1}/s") });
        if left > 0 {
            parts.push(format!("{} left", duration(f64::from(left) / rate)));
        }
    }
    for (component, InHand { busy, waiting }) in in_hand {
        let waiting = if waiting > 0 { format!(" ({waiting} wait)") } else { String::new() };
        parts.push(format!("{} {busy}{waiting}", visible(component)));
    }
    Some(parts.join("  "))
}

/// Longer tasks are followed by their bytes: tasks a second say nothing of them. Milliseconds.
const LONG: u64 = 2_000;

/// Of the files that are being written: bytes of how many, how fast, and how long these take. The time is told where
/// nothing else waits for its turn; else it would be the time of a part.
fn bytes_in_hand(model: &Model) -> Option<String> {
    let writing = model.activities.values().filter_map(|activity| match activity {
        Activity::Writing(progress) if progress.of_bytes > 0 => Some(progress),
        _ => None,
    });
    let (mut bytes, mut of, mut rate, mut longest) = (0_u64, 0_u64, 0_u64, 0);
    for progress in writing {
        bytes = bytes.saturating_add(progress.bytes);
        of = of.saturating_add(progress.of_bytes);
        rate = rate.saturating_add(progress.rate().unwrap_or(0));
        longest = longest.max(progress.elapsed);
    }
    if longest < LONG {
        return None;
    }
    let mut text = format!("{} of {}", size(bytes), size(of));
    if rate > 0 {
        text.push_str(&format!("  {}/s", size(rate)));
        use TaskStatus as S;
        let more = [S::Waiting, S::Ready, S::Review, S::Approved].iter().any(|status| model.run.count(*status) > 0);
        if !more {
            text.push_str(&format!("  {} left", duration(of.saturating_sub(bytes) as f64 / rate as f64)));
        }
    }
    Some(text)
}

/// Tasks of a component that something is done for now, and those that wait for a condition.
#[derive(Default)]
struct InHand {
    busy: u32,
    waiting: u32,
}

/// By the run's own counts what is being written, so that a watcher sees it too; what has no write (a plan, a question)
/// by what the engine says of it.
fn in_hand(model: &Model) -> BTreeMap<&str, InHand> {
    let run = &model.run;
    let mut in_hand: BTreeMap<&str, InHand> = BTreeMap::new();
    for (at, step) in run.header.steps.iter().enumerate() {
        let applying = run.step_count(at, TaskStatus::Applying);
        if applying > 0 {
            in_hand.entry(step.component.as_deref().unwrap_or(&step.id)).or_default().busy += applying;
        }
    }
    for (id, activity) in &model.activities {
        let is_counted = run.tasks.get(id.index()).is_some_and(|task| task.status == TaskStatus::Applying);
        let Some(step) = run.step(*id).filter(|_| !is_counted) else { continue };
        let counts = in_hand.entry(step.component.as_deref().unwrap_or(&step.id)).or_default();
        match activity {
            Activity::Waiting(_) => counts.waiting += 1,
            _ => counts.busy += 1,
        }
    }
    in_hand
}

fn duration(seconds: f64) -> String {
    match seconds {
        ..90.0 => format!("{seconds:.0} s"),
        ..5_400.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3_600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_of_the_last_tasks_by_the_journals_times() {
        let mut pace = Pace::default();
        (0..3).for_each(|number| pace.settled(number * 500));
        assert_eq!(pace.rate(), None, "too few to say");
        (3..200).for_each(|number| pace.settled(number * 500));
        assert_eq!(pace.rate(), Some(2.0));
        pace.settled(3_600_000);
        assert_eq!(pace.rate(), None, "an hour's pause is no slowness");
        pace.settled(0);
        assert_eq!(pace.rate(), None, "the clock was set back");
    }

    #[test]
    fn time_left_is_as_exact_as_it_can_be() {
        assert_eq!([5.2, 600.0, 9_000.0].map(duration), ["5 s", "10 min", "2.5 h"]);
    }
}
