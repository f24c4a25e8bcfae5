mod parts;

use super::*;
use crate::model::{Counts, Digest, Known, OwnerSet, Preview, StepKind};

fn step(id: &str, each: bool, needs: &[u16]) -> StepHeader {
    StepHeader {
        each: each.then(|| "user".to_owned()),
        needs: needs.to_vec(),
        ..StepHeader::new(id, StepKind::Restore)
    }
}

struct Story {
    run: Run,
}

impl Story {
    fn of(steps: Vec<StepHeader>, users: &[&str]) -> (Self, Vec<String>) {
        let names = users.iter().map(ToString::to_string).collect();
        let owners = vec![OwnerSet::new("user", names)];
        let mut story = Self { run: Run::default() };
        let header = RunHeader { steps, owners, ..RunHeader::default() };
        let ready = story.then(Event::Opened { run: std::sync::Arc::new(header) }).unwrap();
        (story, ready)
    }

    /// Answers which tasks became ready.
    fn then(&mut self, event: Event) -> Result<Vec<String>, IllegalEvent> {
        let ready = self.run.apply(&Recorded { seq: self.run.seq + 1, at: 0, event })?;
        // What is counted along is what is there.
        for (step, status) in (0..self.run.header.steps.len()).flat_map(|at| TaskStatus::ALL.map(|status| (at, status)))
        {
            let there = self.run.step_tasks(step).filter(|id| self.run.tasks[*id as usize].status == status).count();
            assert_eq!(self.run.step_count(step, status) as usize, there, "{status:?} of step {step}");
        }
        Ok(ready.into_iter().map(|task| self.run.name(task)).collect())
    }

    fn task(&self, name: &str) -> TaskId {
        self.run.find(name).unwrap()
    }

    fn status(&self, name: &str) -> TaskStatus {
        self.run.tasks[self.task(name).index()].status
    }

    fn planned(&mut self, name: &str, pass: Pass) {
        let task = self.task(name);
        let digest = Digest::of(name);
        let (preview, counts) = (Preview::Exact, Counts::default());
        self.then(Event::Planned { task, pass, digest, preview, counts, cohort: digest }).unwrap();
    }

    fn intent(&mut self, name: &str) {
        let task = self.task(name);
        let digest = Digest::of(name);
        self.then(Event::Approved { task, digest, by: "ana".to_owned() }).unwrap();
        self.then(Event::Intent { task, attempt: 1, digest, pre: digest, undoable: true }).unwrap();
    }

    fn outcome(&mut self, name: &str, known: Known, failed: bool) -> Vec<String> {
        let problem = failed.then(|| Problem {
            kind: crate::model::ErrorKind::NoSpace,
            known,
            what: "disk full".to_owned(),
            next: None,
        });
        self.ended(name, known, problem, false)
    }

    /// Refused, with or without a part of it written.
    fn denied(&mut self, name: &str, partial: bool) {
        let problem = crate::model::Error::new(crate::model::ErrorKind::Denied, "write", "immutable").problem();
        self.ended(name, Known::NotApplied, Some(problem), partial);
    }

    fn ended(&mut self, name: &str, known: Known, problem: Option<Problem>, partial: bool) -> Vec<String> {
        let task = self.task(name);
        self.then(Event::Outcome {
            task,
            known,
            post: None,
            evidence: String::new(),
            problem,
            partial,
            kept: None,
            dependents_go_on: false,
            bytes: None,
            output: None,
        })
        .unwrap()
    }

    fn done(&mut self, name: &str) -> Vec<String> {
        self.planned(name, Pass::Restore);
        self.intent(name);
        self.outcome(name, Known::Applied, false)
    }
}

fn two_steps() -> Story {
    Story::of(vec![step("account", true, &[]), step("home", true, &[0])], &["ana", "bob"]).0
}

#[test]
fn a_users_next_task_waits_for_that_users_former_one_only() {
    let (mut story, ready) = Story::of(vec![step("account", true, &[]), step("home", true, &[0])], &["ana", "bob"]);
    assert_eq!(ready, ["account/ana", "account/bob"]);
    assert_eq!(story.done("account/bob"), ["home/bob"]);
    assert_eq!(story.status("home/ana"), TaskStatus::Waiting);
}

#[test]
fn a_single_task_waits_for_all_users_and_they_for_it() {
    let steps = vec![step("prepare", false, &[]), step("home", true, &[0]), step("close", false, &[1])];
    let (mut story, ready) = Story::of(steps, &["ana", "bob"]);
    assert_eq!(ready, ["prepare"]);
    assert_eq!(story.done("prepare"), ["home/ana", "home/bob"]);
    assert!(story.done("home/ana").is_empty());
    assert_eq!(story.done("home/bob"), ["close"]);
}

#[test]
fn leaving_a_user_out_skips_what_is_left_of_theirs() {
    let mut story = two_steps();
    story.done("account/ana");
    let by = "op".to_owned();
    story.then(Event::LeftOut { set: "user".into(), owner: "ana".into(), why: "moved".into(), by }).unwrap();
    assert_eq!(story.status("account/ana"), TaskStatus::Done);
    assert_eq!(story.status("home/ana"), TaskStatus::Skipped);
    assert_eq!(story.status("account/bob"), TaskStatus::Ready);
}

#[test]
fn a_failure_keeps_the_next_step_back_until_it_is_retried() {
    let mut story = two_steps();
    story.planned("account/ana", Pass::Restore);
    story.intent("account/ana");
    story.outcome("account/ana", Known::NotApplied, true);
    assert_eq!(story.status("account/ana"), TaskStatus::Failed);
    assert_eq!(story.status("home/ana"), TaskStatus::Waiting);
    let task = story.task("account/ana");
    assert_eq!(story.then(Event::Retried { task, by: "op".into() }).unwrap(), ["account/ana"]);
    assert!(story.run.problems.is_empty());
}

#[test]
fn an_undo_has_its_own_review_and_takes_dependents_back_to_waiting() {
    let mut story = two_steps();
    story.done("account/ana");
    assert_eq!(story.status("home/ana"), TaskStatus::Ready);
    let task = story.task("account/ana");
    story.then(Event::UndoAsked { task, by: "op".into() }).unwrap();
    assert_eq!(story.status("home/ana"), TaskStatus::Waiting);
    story.planned("account/ana", Pass::Undo);
    story.intent("account/ana");
    story.outcome("account/ana", Known::Applied, false);
    assert_eq!(story.status("account/ana"), TaskStatus::Undone);
}

#[test]
fn nothing_is_applied_without_an_approval_and_no_event_comes_twice() {
    let mut story = two_steps();
    let task = story.task("account/ana");
    let digest = Digest::of("x");
    let intent = Event::Intent { task, attempt: 1, digest, pre: digest, undoable: true };
    assert!(story.then(intent.clone()).is_err(), "an intent without a plan");
    story.planned("account/ana", Pass::Restore);
    assert!(story.then(intent.clone()).is_err(), "an intent without an approval");
    story.intent("account/ana");
    assert!(story.then(intent).is_err(), "a second intent under one approval");
}

#[test]
fn an_unknown_effect_waits_for_a_person() {
    let mut story = two_steps();
    story.planned("account/ana", Pass::Restore);
    story.intent("account/ana");
    story.outcome("account/ana", Known::Unknown, true);
    assert_eq!(story.status("account/ana"), TaskStatus::Unknown);
    let task = story.task("account/ana");
    let how = "looked".to_owned();
    story.then(Event::Settled { task, known: Known::Applied, how, by: "op".into(), kept: None }).unwrap();
    assert_eq!(story.status("account/ana"), TaskStatus::Done);
    assert_eq!(story.status("home/ana"), TaskStatus::Ready);
}

#[test]
fn a_gap_in_the_sequence_is_refused() {
    let mut story = two_steps();
    let recorded = Recorded { seq: story.run.seq + 2, at: 0, event: Event::Paused { by: "op".into(), why: None } };
    assert!(story.run.apply(&recorded).is_err());
}

/// Retried after a part of it was written: now it waits for another step, for its plan, or for a decision.
#[test]
fn what_an_earlier_attempt_left_is_undone_wherever_the_task_waits_now() {
    let waits = [TaskStatus::Waiting, TaskStatus::Ready, TaskStatus::Review, TaskStatus::Approved];
    for waiting in waits {
        for let_go in [true, false] {
            let mut story = two_steps();
            story.done("account/ana");
            story.planned("home/ana", Pass::Restore);
            story.intent("home/ana");
            story.outcome("home/ana", Known::Unknown, true);
            let (task, by) = (story.task("home/ana"), "op".to_owned());
            if waiting == TaskStatus::Waiting {
                let account = story.task("account/ana");
                story.then(Event::UndoAsked { task: account, by: by.clone() }).unwrap();
            }
            story.then(Event::Retried { task, by: by.clone() }).unwrap();
            if matches!(waiting, TaskStatus::Review | TaskStatus::Approved) {
                story.planned("home/ana", Pass::Restore);
            }
            if waiting == TaskStatus::Approved {
                let digest = Digest::of("home/ana");
                story.then(Event::Approved { task, digest, by: by.clone() }).unwrap();
            }
            assert_eq!(story.status("home/ana"), waiting);
            let before = story.run.tasks[task.index()].clone();
            assert!(before.can_be_undone(), "{waiting:?}");
            story.then(Event::UndoAsked { task, by: by.clone() }).unwrap();
            assert!(story.then(Event::UndoAsked { task, by }).is_err(), "it is being undone already");
            story.planned("home/ana", Pass::Undo);
            if let_go {
                let ready = story.then(Event::Voided { task, why: "not now".to_owned() }).unwrap();
                assert_eq!(story.run.tasks[task.index()], before, "{waiting:?}");
                assert_eq!(ready.len(), usize::from(waiting == TaskStatus::Ready), "it is planned again");
            } else {
                story.intent("home/ana");
                story.outcome("home/ana", Known::Applied, false);
                assert_eq!(story.status("home/ana"), TaskStatus::Undone, "{waiting:?}");
            }
        }
    }
}

/// A part was written, retried, and while the rest waited its undo was asked for and let go.
#[test]
fn an_undo_that_was_let_go_forgets_no_attempt() {
    let mut story = two_steps();
    let task = story.task("account/ana");
    let by = "op".to_owned();
    story.planned("account/ana", Pass::Restore);
    story.intent("account/ana");
    story.denied("account/ana", true);
    story.then(Event::Retried { task, by: by.clone() }).unwrap();
    story.planned("account/ana", Pass::Restore);
    story.then(Event::UndoAsked { task, by }).unwrap();
    story.planned("account/ana", Pass::Undo);
    story.then(Event::Voided { task, why: "not now".to_owned() }).unwrap();
    let digest = Digest::of("account/ana");
    story.then(Event::Approved { task, digest, by: "op".to_owned() }).unwrap();
    story.then(Event::Intent { task, attempt: 2, digest, pre: digest, undoable: true }).unwrap();
    story.outcome("account/ana", Known::Applied, false);
    let standing: Vec<u16> = story.run.standing(task).iter().map(|attempt| attempt.attempt).collect();
    assert_eq!(standing, [1, 2]);
    assert!(story.run.tasks[task.index()].can_be_undone());
}

/// A part of the way back was written, and then the rest was let go: it is not done any more, and never again by that.
#[test]
fn an_undo_that_wrote_a_part_and_is_let_go_is_no_longer_done() {
    let part = |partial| {
        let mut story = two_steps();
        story.done("account/ana");
        let (task, by) = (story.task("account/ana"), "op".to_owned());
        story.then(Event::UndoAsked { task, by: by.clone() }).unwrap();
        story.planned("account/ana", Pass::Undo);
        let digest = Digest::of("account/ana");
        story.then(Event::Approved { task, digest, by: by.clone() }).unwrap();
        story.then(Event::Intent { task, attempt: 2, digest, pre: digest, undoable: true }).unwrap();
        story.denied("account/ana", partial);
        story.then(Event::Retried { task, by }).unwrap();
        (story, task)
    };
    let let_go = |task| Event::Voided { task, why: "not now".to_owned() };
    let (mut story, task) = part(true);
    assert!(story.run.is_half_undone(task));
    for _ in 0..2 {
        story.then(let_go(task)).unwrap();
        assert_eq!(story.status("account/ana"), TaskStatus::Failed);
        assert!(story.run.problems[&task].what.contains("a part of it was written: not now"));
        assert_eq!(story.status("home/ana"), TaskStatus::Waiting, "it needs an account that is whole");
        assert!(!story.run.is_complete() && story.run.tasks[task.index()].can_be_undone());
        story.then(Event::UndoAsked { task, by: "op".to_owned() }).unwrap();
    }
    story.planned("account/ana", Pass::Undo);
    let digest = Digest::of("account/ana");
    story.then(Event::Approved { task, digest, by: "op".to_owned() }).unwrap();
    story.then(Event::Intent { task, attempt: 3, digest, pre: digest, undoable: true }).unwrap();
    story.outcome("account/ana", Known::Applied, false);
    assert_eq!(story.status("account/ana"), TaskStatus::Undone);
    assert!(!story.run.is_half_undone(task));

    let (mut story, task) = part(false);
    story.then(let_go(task)).unwrap();
    assert_eq!(story.status("account/ana"), TaskStatus::Done, "nothing of it was written");
}

/// What may happen to a task; most of it is illegal at most times.
fn anything(choice: u8, task: TaskId, state: &crate::model::TaskState) -> Event {
    let (by, why) = ("op".to_owned(), String::new());
    let digest = Digest::of("plan");
    let problem =
        |known| crate::model::Problem { kind: crate::model::ErrorKind::NoSpace, known, what: why.clone(), next: None };
    let outcome = |known, failed: bool, partial| Event::Outcome {
        task,
        known,
        post: None,
        evidence: String::new(),
        problem: failed.then(|| problem(known)),
        partial,
        kept: None,
        dependents_go_on: false,
        bytes: None,
        output: None,
    };
    let (preview, counts, cohort) = (Preview::Exact, Counts::default(), digest);
    match choice {
        0 | 1 => Event::Planned { task, pass: state.pass, digest, preview, counts, cohort },
        2 | 3 => Event::Approved { task, digest, by },
        4..=6 => Event::Intent { task, attempt: state.attempt + 1, digest, pre: digest, undoable: true },
        7 => outcome(Known::Applied, false, false),
        8 => outcome(Known::NotApplied, true, true),
        9 => outcome(Known::NotApplied, true, false),
        10 => outcome(Known::Unknown, true, false),
        11 => Event::Settled { task, known: Known::Applied, how: String::new(), by, kept: None },
        12 => Event::Settled { task, known: Known::NotApplied, how: String::new(), by, kept: None },
        13 => Event::Voided { task, why },
        14 => Event::Skipped { task, why, by },
        15 | 16 => Event::Retried { task, by },
        17 => Event::Unchanged { task },
        22 => Event::Warned { task, warnings: vec![why.clone()], stays: vec![why] },
        18 => Event::LeftOut { set: "user".to_owned(), owner: "ana".to_owned(), why, by },
        _ => Event::UndoAsked { task, by },
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(2000))]
    #[test]
    fn what_can_be_undone_is_exactly_what_attempts_stand_for(
        choices in proptest::collection::vec(0_u8..23, 0..80)
    ) {
        let mut story = two_steps();
        let task = story.task("account/ana");
        let mut numbers = Vec::new();
        // What the target holds: an undo takes all of it back, and nothing else takes any.
        let mut held: Vec<u16> = Vec::new();
        for choice in choices {
            let before = story.run.tasks[task.index()].clone();
            let event = anything(choice, task, &before);
            if story.then(event.clone()).is_err() {
                continue;
            }
            match &event {
                Event::Intent { attempt, .. } => {
                    assert!(!numbers.contains(attempt), "attempt {attempt} comes twice");
                    numbers.push(*attempt);
                    if before.pass == Pass::Restore {
                        held.push(*attempt);
                    }
                }
                Event::Outcome { known: Known::NotApplied, partial: false, .. } if before.pass == Pass::Restore => {
                    held.pop();
                }
                _ => {}
            }
            if story.status("account/ana") == TaskStatus::Undone {
                held.clear();
            }
            let standing: Vec<u16> = story.run.standing(task).iter().map(|one| one.attempt).collect();
            assert_eq!(standing, held, "after {event:?}");
            assert_eq!(story.run.tasks[task.index()].undoable, !held.is_empty(), "after {event:?}");
        }
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(2000))]
    #[test]
    fn what_is_half_undone_is_never_said_to_be_done(choices in proptest::collection::vec(0_u8..23, 0..80)) {
        let mut story = two_steps();
        let task = story.task("account/ana");
        // Whether the target holds a part of an undo; and whether it did before the last attempt.
        let (mut torn, mut was_torn) = (false, false);
        for choice in choices {
            let before = story.run.tasks[task.index()].clone();
            let event = anything(choice, task, &before);
            if story.then(event.clone()).is_err() {
                continue;
            }
            let status = story.status("account/ana");
            let undoing = before.pass == Pass::Undo;
            match &event {
                Event::Intent { .. } if undoing => (was_torn, torn) = (torn, true),
                Event::Outcome { known: Known::NotApplied, partial: false, .. } if undoing => torn = was_torn,
                // Read back: all of it is as the backup says, or as it was before.
                Event::Unchanged { .. } => torn = false,
                Event::Outcome { known: Known::Applied, .. } | Event::Settled { known: Known::Applied, .. } => torn = false,
                _ => {}
            }
            let said = matches!(status, TaskStatus::Done | TaskStatus::Unchanged | TaskStatus::Undone);
            assert!(!(torn && said), "{status:?} after {event:?}");
            if story.run.tasks[task.index()].pass == Pass::Undo && status != TaskStatus::Skipped {
                assert_eq!(story.run.is_half_undone(task), torn, "{status:?} after {event:?}");
            }
        }
    }
}

#[test]
fn of_a_plan_is_known_what_it_is_like_while_it_waits_and_no_longer() {
    let (mut story, _) = Story::of(vec![step("account", true, &[])], &["ana", "bob"]);
    let (ana, bob) = (story.task("account/ana"), story.task("account/bob"));
    story.planned("account/ana", Pass::Restore);
    story.planned("account/bob", Pass::Restore);
    assert_eq!(story.run.plans[&ana], PlanFacts { cohort: Digest::of("account/ana"), preview: Preview::Exact });
    story.then(Event::Skipped { task: ana, why: "no".to_owned(), by: "op".to_owned() }).unwrap();
    story.intent("account/bob");
    assert!(story.run.plans.is_empty(), "{:?} {bob:?}", story.run.plans);
}

#[test]
fn an_answer_given_before_what_it_was_about_was_undone_is_known_as_such() {
    let check = StepHeader { kind: StepKind::Check, ..step("seen", true, &[0]) };
    let (mut story, _) = Story::of(vec![step("account", true, &[]), check], &["ana", "bob"]);
    for user in ["ana", "bob"] {
        story.done(&format!("account/{user}"));
        let task = story.task(&format!("seen/{user}"));
        let answer = crate::model::Answer { holds: true, seen: "a login".to_owned(), again_in: None };
        story.then(Event::Answered { task, answer, by: None }).unwrap();
    }
    let outdated =
        |story: &Story| ["ana", "bob"].map(|user| story.run.is_answer_outdated(story.task(&format!("seen/{user}"))));
    assert_eq!(outdated(&story), [false; 2]);
    let (task, by) = (story.task("account/ana"), "op".to_owned());
    story.then(Event::UndoAsked { task, by }).unwrap();
    story.planned("account/ana", Pass::Undo);
    story.intent("account/ana");
    story.outcome("account/ana", Known::Applied, false);
    assert_eq!(outdated(&story), [true, false]);
    let told: Vec<String> =
        crate::model::Summary::of(&story.run, |_| None).facts.into_iter().map(|fact| fact.text).collect();
    assert!(told.iter().any(|line| line.contains("1 done, 1 answered before an undo")), "{told:?}");
}
