use super::call::Call;
use crate::engine::Notice;
use crate::model::{Event, Moment, Run, StepHeader, StepKind, TaskId, TaskStatus, plural, visible};

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
    /// Steps with `notify: done` that are not told of yet, by their positions.
    undone: Vec<usize>,
}

impl Moments {
    /// `now`: milliseconds since 1970.
    pub fn on(&mut self, notice: &Notice, now: i64) -> Option<Call> {
        match notice {
            Notice::Snapshot(run) => {
                self.run = Run::clone(run);
                self.look_for_steps();
                None
            }
            Notice::Event(recorded) => {
                self.run.apply(recorded).ok()?;
                if matches!(recorded.event, Event::Opened { .. }) {
                    self.look_for_steps();
                }
                self.has_worked |= matches!(recorded.event, Event::Outcome { .. } | Event::Answered { .. });
                if is_decision(&recorded.event) {
                    self.decided = Some(now);
                }
                self.failure(&recorded.event, now).or_else(|| self.step_done(&recorded.event))
            }
            Notice::Idle => self.idle(now),
            _ => None,
        }
    }

    /// The steps whose end is still to be told.
    fn look_for_steps(&mut self) {
        let run = &self.run;
        let steps = run.header.steps.iter().enumerate();
        let told = steps.filter(|(_, step)| step.policy.notify.done).map(|(at, _)| at);
        self.undone = told.filter(|at| !is_done(run, *at)).collect();
    }

    fn step_done(&mut self, event: &Event) -> Option<Call> {
        if self.undone.is_empty() {
            return None;
        }
        // An owner who is left out has tasks in every step.
        let of = |at: &usize| event.task().is_none_or(|task| self.run.step_of(task) == *at);
        let place = self.undone.iter().position(|at| of(at) && is_done(&self.run, *at))?;
        let step = self.run.header.steps.get(self.undone.remove(place))?;
        let text = format!("the step {} is done", visible(&step.id));
        Some(Call { moment: Moment::Done, text, by_step: true })
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
        let by_step = self.run.step(*task).is_some_and(|step| step.policy.notify.failure);
        Some(Call { moment: Moment::Failure, text, by_step })
    }

    fn idle(&mut self, now: i64) -> Option<Call> {
        use TaskStatus as S;
        let run = &self.run;
        if run.is_complete() && !run.tasks.is_empty() {
            let text = format!("all is done: {}", super::super::plain::totals(run));
            let call = Call { moment: Moment::Done, text, by_step: false };
            return std::mem::take(&mut self.has_worked).then_some(call);
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
        let text = format!("you are needed: {}", waiting.join(", "));
        Some(Call { moment: Moment::Person, text, by_step: self.waits_in_a_step_that_notifies() })
    }

    fn waits_in_a_step_that_notifies(&self) -> bool {
        use TaskStatus as S;
        let waits = |at: usize, step: &StepHeader| {
            let open = [S::Review, S::Failed, S::Unknown].into_iter();
            let asks = (step.kind == StepKind::Confirm).then_some(S::Ready);
            open.chain(asks).any(|status| self.run.step_count(at, status) > 0)
        };
        let mut steps = self.run.header.steps.iter().enumerate();
        steps.any(|(at, step)| step.policy.notify.person && waits(at, step))
    }
}

/// All its tasks ended well. One with `on_failure: continue` is not done while something failed.
fn is_done(run: &Run, step: usize) -> bool {
    let well = TaskStatus::ALL.into_iter().filter(|status| status.satisfies());
    well.map(|status| run.step_count(step, status) as usize).sum::<usize>() == run.step_tasks(step).len()
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
    use crate::model::{Digest, Error, ErrorKind, Notify, OwnerSet, Recorded, RunHeader, StepPolicy};

    struct Story {
        moments: Moments,
        seq: u64,
        now: i64,
    }

    impl Story {
        fn begin() -> Self {
            Self::notifying(Notify::default())
        }

        fn notifying(notify: Notify) -> Self {
            let step = StepHeader {
                each: Some("user".to_owned()),
                policy: StepPolicy { notify, ..StepPolicy::default() },
                ..StepHeader::new("home", StepKind::Restore)
            };
            let names = ["ana", "bob"].map(str::to_owned).to_vec();
            let owners = vec![OwnerSet::new("user", names)];
            let header = RunHeader { steps: vec![step], owners, ..RunHeader::default() };
            let mut story = Self { moments: Moments::default(), seq: 0, now: 0 };
            assert_eq!(story.add(Event::Opened { run: Arc::new(header) }), None);
            story
        }

        fn add(&mut self, event: Event) -> Option<String> {
            self.seq += 1;
            let recorded = Recorded { seq: self.seq, at: self.now, event };
            self.on(Notice::Event(Arc::new(recorded)))
        }

        fn on(&mut self, notice: Notice) -> Option<String> {
            let call = self.moments.on(&notice, self.now)?;
            let by = if call.by_step { "the step: " } else { "" };
            Some(format!("{by}{} {}", call.moment.word(), call.text))
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

    #[test]
    fn a_step_has_a_person_called_for_what_it_says_and_for_no_more() {
        let mut story = Story::notifying(Notify { done: true, failure: true, ..Notify::default() });
        assert_eq!(story.add(Event::Unchanged { task: TaskId(0) }), None);
        let problem = Error::new(ErrorKind::NoSpace, "write x", "no space is left").problem();
        let told = story.add(Event::Failed { task: TaskId(1), problem }).unwrap();
        assert!(told.starts_with("the step: failure home/bob failed"), "{told}");
        let left_out = Event::LeftOut {
            set: "user".to_owned(),
            owner: "bob".to_owned(),
            why: "x".to_owned(),
            by: "ana".to_owned(),
        };
        assert_eq!(story.add(left_out).as_deref(), Some("the step: done the step home is done"));
        assert_eq!(story.add(Event::Noted { text: "x".to_owned() }), None, "once");

        let mut story = Story::notifying(Notify { person: true, ..Notify::default() });
        story.planned(0);
        let told = story.on(Notice::Idle).unwrap();
        assert!(told.starts_with("the step: person you are needed: 1 plan"), "{told}");
    }
}
