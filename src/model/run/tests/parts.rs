//! A task that failed in part: what needs it, and what goes on all the same.

use super::*;

impl Story {
    fn failed_in_part(&mut self, name: &str) -> Vec<String> {
        self.planned(name, Pass::Restore);
        self.intent(name);
        let problem = Problem {
            kind: crate::model::ErrorKind::Refused,
            known: Known::NotApplied,
            what: "no such theme".to_owned(),
            next: None,
        };
        let (task, known) = (self.task(name), Known::NotApplied);
        self.then(Event::Outcome {
            task,
            known,
            post: None,
            evidence: String::new(),
            problem: Some(problem),
            partial: true,
            kept: None,
            dependents_go_on: true,
            bytes: None,
            output: None,
        })
        .unwrap()
    }
}

/// A realm that failed in part, its people, and what else needs it.
fn realm_and_people() -> Story {
    let into = |component: &str, step: StepHeader| StepHeader { component: Some(component.to_owned()), ..step };
    let tell = StepHeader { kind: StepKind::Run, ..step("tell", false, &[0]) };
    let steps = vec![
        into("keycloak", step("realm", false, &[])),
        into("keycloak", step("person", true, &[0])),
        into("homes", step("home", true, &[0])),
        tell,
    ];
    let (mut story, ready) = Story::of(steps, &["ana", "bob"]);
    assert_eq!(ready, ["realm"]);
    assert_eq!(story.failed_in_part("realm"), ["person/ana", "person/bob"]);
    story
}

#[test]
fn a_part_that_failed_holds_up_nothing_but_what_asks_for_the_whole() {
    let mut story = realm_and_people();
    assert_eq!(story.status("realm"), TaskStatus::Failed);
    let waits = |story: &Story| [story.status("home/ana"), story.status("tell")];
    assert_eq!(waits(&story), [TaskStatus::Waiting; 2], "another component, and a command, need the whole realm");
    story.done("person/ana");
    let (task, by) = (story.task("realm"), "op".to_owned());
    story.then(Event::Retried { task, by }).unwrap();
    assert_eq!(story.status("person/bob"), TaskStatus::Waiting, "who is left may need the rest");
    assert_eq!(story.done("realm"), ["person/bob", "home/ana", "home/bob", "tell"]);
}

#[test]
fn a_part_that_failed_lets_go_on_until_it_is_undone_or_fails_as_a_whole() {
    let mut story = realm_and_people();
    let (task, by) = (story.task("realm"), "op".to_owned());
    story.then(Event::UndoAsked { task, by: by.clone() }).unwrap();
    assert_eq!(story.status("person/ana"), TaskStatus::Waiting);
    // The undo is let go: all is as it was before.
    story.then(Event::Voided { task, why: String::new() }).unwrap();
    assert_eq!(story.status("person/ana"), TaskStatus::Ready);
    story.then(Event::Retried { task, by }).unwrap();
    story.planned("realm", Pass::Restore);
    story.intent("realm");
    story.outcome("realm", Known::NotApplied, true);
    assert_eq!(story.status("person/ana"), TaskStatus::Waiting);
    assert_eq!(story.run.unmet_in_words(story.task("person/ana")), "realm is failed");
}
