use std::collections::BTreeMap;
use std::time::Duration;

use super::actor::Actor;
use super::notice::{Activity, Notice};
use super::worker::Done;
use crate::model::{Event, Pass, TaskId, TaskStatus, Zone};

/// By their steps: tasks that wait for the window of their step.
pub(super) type Outside = BTreeMap<usize, Vec<TaskId>>;

/// A clock may be set, and a machine may sleep: a window is looked at again at least so often.
const LOOKED_AT: Duration = Duration::from_secs(30);
/// Of one step: nobody reads the same of more tasks.
const MOST_TOLD: usize = 100;

impl Actor {
    /// Whether a task may begin now. Where the window of its step is shut, it comes back when that opens.
    pub fn is_in_window(&mut self, task: TaskId) -> bool {
        let Some(opens) = self.window_opens(task) else { return true };
        let step = self.run.step_of(task);
        let waiting = self.outside.entry(step).or_default();
        waiting.push(task);
        let count = waiting.len();
        let words = self.window_words(task, opens);
        if count == 1 {
            // On record, and so in every log: nothing else says why nothing happens for hours.
            let name = self.run.step(task).map(|step| step.id.clone()).unwrap_or_default();
            self.record(Event::Noted { text: format!("{name} waits: {words}") });
            self.look_at_window_later(step, opens);
        }
        if count <= MOST_TOLD {
            self.publish(Notice::Activity { task, activity: Activity::Waiting(words) });
        }
        false
    }

    /// In milliseconds since 1970, where it is shut. A way back is a person's own wish: it waits for no window.
    fn window_opens(&self, task: TaskId) -> Option<i64> {
        let window = self.run.step(task)?.policy.window?;
        let is_undo = self.run.tasks.get(task.index()).is_some_and(|state| state.pass == Pass::Undo);
        if is_undo { None } else { window.opens((self.setting.clock)(), &Zone::chosen()) }
    }

    fn window_words(&self, task: TaskId, opens: i64) -> String {
        let zone = Zone::chosen();
        let hours = self.run.step(task).and_then(|step| step.policy.window).map(|window| window.words(&zone));
        format!("its window opens at {}: {}", zone.moment(opens), hours.unwrap_or_default())
    }

    fn look_at_window_later(&self, step: usize, opens: i64) {
        let left = u64::try_from(opens.saturating_sub((self.setting.clock)())).unwrap_or(0);
        let pause = Duration::from_millis(left).min(LOOKED_AT);
        let mailbox = self.setting.mailbox.clone();
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            let _ = mailbox.send(Done::WindowDue { step });
        });
    }

    pub fn on_window_due(&mut self, step: usize) {
        let first = self.outside.get(&step).and_then(|waiting| waiting.first().copied());
        if let Some(opens) = first.and_then(|task| self.window_opens(task)) {
            return self.look_at_window_later(step, opens);
        }
        for task in self.outside.remove(&step).into_iter().flatten() {
            match self.status(task) {
                TaskStatus::Approved => self.queue_write(task),
                TaskStatus::Ready => self.queue_plan(task),
                // Decided otherwise by a person meanwhile.
                _ => {}
            }
        }
    }
}
