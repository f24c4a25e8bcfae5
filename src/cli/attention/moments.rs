use super::call::Call;
use crate::engine::Notice;
use crate::model::{Event, Run, StepKind, TaskId, TaskStatus, plural, visible};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Nothing goes on without a decision.
    Person,
    Failure,
    Done,
}

impl Moment {
    pub const ALL: [Self; 3] = [Self::Person, Self::Failure, Self::Done];

    pub fn word(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Failure => "failure",
            Self::Done => "done",
        }
    }
}

/// Milliseconds. Who decided something this short ago is at the keyboard.
const PRESENT: i64 = 10_000;
/// Milliseconds. Of many failures one call tells.
const BETWEEN_FAILURES: i64 = 30_000;

/// Finds the moments in a run's notices.
#[derive(Default)]
pub struct Moments {
    run: Run,
    decided: Option<i64>,
    failed: Option<i64>,
    has_worked: bool,
    /// What the last call for a person was about: the same is not called for twice.
    asked: Option<u64>,
}

impl Moments {
    /// `now`: milliseconds since 1970.
    pub fn on(&mut self, notice: &Notice, now: i64) -> Option<Call> {
        match notice {
            Notice::Snapshot(run) => {
                self.run = Run::clone(run);
                None
            }
            Notice::Event(recorded) => {
                self.run.apply(recorded).ok()?;
                self.has_worked |= matches!(recorded.event, Event::Outcome { .. } | Event::Answered { .. });
                if is_decision(&recorded.event) {
                    self.decided = Some(now);
                }
                self.failure(&recorded.event, now)
            }
            Notice::Idle => self.idle(now),
            _ => None,
        }
    }

    fn failure(&mut self, event: &Event, now: i64) -> Option<Call> {
        let (Event::Failed { task, problem } | Event::Outcome { task, problem: Some(problem), .. }) = event else {
            return None;
        };
        if self.failed.is_some_and(|failed| now.saturating_sub(failed) < BETWEEN_FAILURES) {
            return None;
        }
        self.failed = Some(now);
        let more = match self.run.count(TaskStatus::Failed) + self.run.count(TaskStatus::Unknown) {
            0 | 1 => String::new(),
            many => format!(" ({many} have failed by now)"),
        };
        let text = format!("{} failed: {}{more}", visible(&self.run.name(*task)), visible(&problem.what));
        Some(Call { moment: Moment::Failure, text })
    }

    fn idle(&mut self, now: i64) -> Option<Call> {
        use TaskStatus as S;
        let run = &self.run;
        if run.is_complete() && !run.tasks.is_empty() {
            let text = format!("all is done: {}", super::super::plain::totals(run));
            return std::mem::take(&mut self.has_worked).then_some(Call { moment: Moment::Done, text });
        }
        let confirms = (0_u32..).map(TaskId).zip(&run.tasks).filter(|(id, task)| {
            task.status == S::Ready && run.step(*id).is_some_and(|step| step.kind == StepKind::Confirm)
        });
        let confirms = confirms.count() as u64;
        let waiting = [
            (u64::from(run.count(S::Review)), "plan to review"),
            (confirms, "question to answer"),
            (u64::from(run.count(S::Failed)), "failure to decide on"),
            (u64::from(run.count(S::Unknown)), "unknown effect to settle"),
        ];
        let waiting: Vec<String> =
            waiting.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| counted(count, what)).collect();
        let is_present = self.decided.is_some_and(|decided| now.saturating_sub(decided) < PRESENT);
        if waiting.is_empty() || is_present || self.asked.replace(run.seq) == Some(run.seq) {
            return None;
        }
        Some(Call { moment: Moment::Person, text: format!("you are needed: {}", waiting.join(", ")) })
    }
}

/// As in `3 plans to review`.
fn counted(count: u64, what: &str) -> String {
    match what.split_once(' ') {
        Some((noun, rest)) if noun != "unknown" => format!("{} {rest}", plural(count, noun)),
        _ => plural(count, what),
    }
}

/// What only a person does; flags that stand in for one say so themselves.
fn is_decision(event: &Event) -> bool {
    match event {
        Event::Approved { by, .. } => !by.starts_with("--"),
        Event::Decided { .. } | Event::Skipped { .. } | Event::Retried { .. } | Event::LeftOut { .. } => true,
        Event::UndoAsked { .. } | Event::Paused { why: None, .. } | Event::Continued { .. } => true,
        Event::Answered { by, .. } => by.is_some(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{Digest, Error, ErrorKind, OwnerSet, Recorded, RunHeader, StepHeader};

    struct Story {
        moments: Moments,
        seq: u64,
        now: i64,
    }

    impl Story {
        fn begin() -> Self {
            let step = StepHeader {
                id: "home".to_owned(),
                kind: StepKind::Restore,
                each: Some("user".to_owned()),
                needs: Vec::new(),
                component: None,
                about: String::new(),
                question: None,
                probe: None,
                policy: Default::default(),
            };
            let names = ["ana", "bob"].map(str::to_owned).to_vec();
            let owners = vec![OwnerSet { set: "user".to_owned(), names }];
            let header = RunHeader { steps: vec![step], owners, ..RunHeader::default() };
            let mut story = Self { moments: Moments::default(), seq: 0, now: 0 };
            assert_eq!(story.add(Event::Opened { run: Box::new(header) }), None);
            story
        }

        fn add(&mut self, event: Event) -> Option<String> {
            self.seq += 1;
            let recorded = Recorded { seq: self.seq, at: self.now, event };
            self.on(Notice::Event(Arc::new(recorded)))
        }

        fn on(&mut self, notice: Notice) -> Option<String> {
            self.moments.on(&notice, self.now).map(|call| format!("{} {}", call.moment.word(), call.text))
        }

        fn planned(&mut self, task: u32) {
            let digest = Digest::of(task.to_string());
            let (pass, preview, counts) = Default::default();
            self.add(Event::Planned { task: TaskId(task), pass, digest, preview, counts, cohort: digest });
        }
    }

    #[test]
    fn a_person_is_called_when_nothing_goes_on_without_one_and_not_while_they_decide() {
        let mut story = Story::begin();
        story.planned(0);
        story.planned(1);
        assert_eq!(story.on(Notice::Idle).as_deref(), Some("person you are needed: 2 plans to review"));
        assert_eq!(story.on(Notice::Idle), None, "not twice for the same");
        story.now += 5_000;
        let skipped = |task| Event::Skipped { task: TaskId(task), why: "x".to_owned(), by: "ana".to_owned() };
        story.add(skipped(0));
        assert_eq!(story.on(Notice::Idle), None, "somebody is there");
        story.now += 60_000;
        story.add(Event::Noted { text: "x".to_owned() });
        assert_eq!(story.on(Notice::Idle).as_deref(), Some("person you are needed: 1 plan to review"));
    }

    #[test]
    fn of_many_failures_one_call_tells() {
        let mut story = Story::begin();
        let failed = |task| {
            let problem = Error::new(ErrorKind::NoSpace, "write x", "no space is left").problem();
            Event::Failed { task: TaskId(task), problem }
        };
        let told = story.add(failed(0)).unwrap();
        assert!(told.starts_with("failure home/ana failed: ") && told.ends_with("no space is left"), "{told}");
        assert_eq!(story.add(failed(1)), None);
    }

    #[test]
    fn the_end_is_told_once_and_only_of_a_run_that_did_something() {
        let mut story = Story::begin();
        for task in 0..2 {
            story.add(Event::Unchanged { task: TaskId(task) });
        }
        assert_eq!(story.on(Notice::Idle), None, "nothing was done");
        story.moments.has_worked = true;
        assert_eq!(story.on(Notice::Idle).as_deref(), Some("done all is done: 2 unchanged"));
        assert_eq!(story.on(Notice::Idle), None);
    }
}
