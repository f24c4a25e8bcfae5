use super::deciding_stories::reviewing;
use super::*;
use crate::engine::Command;
use crate::model::{Digest, Error, ErrorKind, Event, Known, Problem, TaskId};
use crate::tui::fixtures::{Desk, Story, document_proposal, header, story, tree_proposal};
use crate::tui::groups::Groups;

const USERS: usize = 12;

/// Twelve users whose accounts need the same change, and one who is different.
fn equal() -> Story {
    let mut header = header();
    header.owners[0].names = (0..USERS).map(|number| format!("user{number:02}")).collect();
    let mut story = Story::open(header);
    for number in 0..USERS {
        let name = format!("account/user{number:02}");
        let mut plan = document_proposal(&name).plan;
        if number == 7 {
            let plan = std::sync::Arc::make_mut(&mut plan);
            std::sync::Arc::make_mut(&mut plan.changes[0]).hunks.pop();
        }
        story.planned(&name, &plan);
    }
    story
}

/// Opens the cohort of eleven as a person would: the list, its first plan, and back.
fn opened(story: &Story) -> Desk {
    let mut desk = Desk::new(story, 80, 24);
    desk.press("C").press("enter").answer(&document_proposal("account/user00"));
    desk.press("C");
    desk
}

/// The question for a whole cohort is on the screen.
pub fn asked_about_a_group() -> Desk {
    let mut desk = opened(&equal());
    desk.press("A");
    desk
}

fn tell(desk: &mut Desk, story: &mut Story, event: Event) {
    let notice = story.add(event);
    desk.send(Msg::Notice(notice));
}

fn applied(desk: &mut Desk, story: &mut Story, task: TaskId, digest: Digest, problem: Option<Problem>) {
    tell(desk, story, Event::Approved { task, digest, by: "ana".to_owned() });
    tell(desk, story, Event::Intent { task, attempt: 1, digest, pre: digest, undoable: true });
    let known = if problem.is_some() { Known::NotApplied } else { Known::Applied };
    let post = problem.is_none().then_some(digest);
    tell(
        desk,
        story,
        Event::Outcome {
            task,
            known,
            post,
            evidence: String::new(),
            problem,
            partial: false,
            kept: None,
            bytes: None,
            output: None,
            dependents_go_on: false,
        },
    );
}

#[test]
fn the_largest_group_stands_first_the_odd_one_is_marked_and_none_is_approved_unopened() {
    let mut desk = Desk::new(&equal(), 80, 24);
    let text = desk.press("C").text();
    assert!(text.contains("12 plans in review, 2 different changes, the largest first, 1 odd one last"), "{text}");
    let (alone, many) =
        (text.find("ODD ONE: only account/user07 has this change"), text.find("11 have this same change"));
    assert!(many.unwrap() < alone.unwrap(), "{text}");
    desk.press("A");
    assert!(desk.model.dialog.is_none() && desk.text().contains("none of these plans was opened yet"));
}

#[test]
fn a_cohort_waits_for_its_canary_to_be_read_back() {
    let mut story = equal();
    let mut desk = opened(&story);
    desk.press("A").type_text("11 after 2").press("enter");
    let first = desk.commands();
    assert_eq!(first.len(), 2, "{first:?}");
    assert!(desk.text().contains("canary: 2 plans applied first; 9 more wait"), "{}", desk.text());
    for (number, command) in first.into_iter().enumerate() {
        let Command::Approve { task, digest } = command else { panic!() };
        assert_eq!(desk.commands(), [], "{number}");
        applied(&mut desk, &mut story, task, digest, None);
    }
    let rest = desk.commands();
    assert_eq!(rest.len(), 9);
    let outlier = story.task("account/user07");
    for command in rest {
        let Command::Approve { task, digest } = command else { panic!("{command:?}") };
        assert!(task != outlier && desk.model.run.tasks[task.index()].digest() == Some(digest));
    }
}

#[test]
fn a_canary_that_fails_saves_the_others() {
    let mut story = equal();
    let mut desk = opened(&story);
    desk.press("A").type_text("11").press("enter");
    let [Command::Approve { task, digest }] = desk.commands()[..] else { panic!() };
    let problem = Error::new(ErrorKind::NoSpace, "write", "no space left").problem();
    applied(&mut desk, &mut story, task, digest, Some(problem));
    assert_eq!(desk.commands(), []);
    assert!(desk.text().contains("the other 10 plans are not approved"), "{}", desk.text());
    tell(&mut desk, &mut story, Event::Retried { task, by: "ana".to_owned() });
    assert_eq!(desk.commands(), [], "nor later");
}

#[test]
fn of_the_rest_a_plan_that_moved_meanwhile_is_not_approved() {
    let mut story = equal();
    let mut desk = opened(&story);
    desk.press("A").type_text("11").press("enter");
    let [Command::Approve { task, digest }] = desk.commands()[..] else { panic!() };
    let mut plan = document_proposal("account/user03").plan;
    std::sync::Arc::make_mut(&mut plan).warnings.push("another".to_owned());
    let replanned = story.planned("account/user03", &plan);
    desk.send(Msg::Notice(replanned));
    applied(&mut desk, &mut story, task, digest, None);
    let moved = story.task("account/user03");
    let commands = desk.commands();
    assert_eq!(commands.len(), 9);
    assert!(commands.iter().all(|command| !matches!(command, Command::Approve { task, .. } if *task == moved)));
}

#[test]
fn groups_that_follow_each_event_are_those_that_a_new_look_would_find() {
    let mut story = equal();
    let mut desk = Desk::new(&story, 80, 24);
    let problem = || Error::new(ErrorKind::NoSpace, "write", "no space left").problem();
    for key in ["C", "F"] {
        desk.press("1").press(key);
        for number in 0..6 {
            let task = story.task(&format!("account/user{number:02}"));
            let digest = story.run.tasks[task.index()].digest().unwrap();
            match key {
                "C" => applied(&mut desk, &mut story, task, digest, Some(problem())),
                _ => tell(&mut desk, &mut story, Event::Retried { task, by: "ana".to_owned() }),
            }
            let shown = desk.model.groups.clone().unwrap();
            let mut anew = Groups::of(shown.kind, &desk.model.run, desk.model.rows.filter.clone(), shown.at.clone());
            anew.drawn = shown.drawn.clone();
            assert_eq!(shown, anew, "{key} {number}");
        }
        let why = "they left".to_owned();
        let gone = Event::LeftOut { set: "user".to_owned(), owner: "user11".to_owned(), why, by: "ana".to_owned() };
        if key == "C" {
            tell(&mut desk, &mut story, gone);
            let shown = desk.model.groups.clone().unwrap();
            assert_eq!((shown.task_count(), shown.count()), (5, 2));
        }
    }
}

#[test]
fn what_the_filter_hides_is_in_no_group() {
    let mut desk = Desk::new(&equal(), 80, 24);
    let text = desk.press("C").press("/").type_text("user07").press("enter").text();
    assert!(text.contains("1 plan in review, 1 different change  filter: user07"), "{text}");
    assert!(text.contains("> NOT OPENED  ODD ONE: only account/user07"), "{text}");
    let text = desk.press("/").type_text("x").press("enter").text();
    assert!(text.contains("nothing matches the filter: / changes it, esc goes back"), "{text}");
    assert!(desk.press("A").model.dialog.is_none(), "there is nothing to approve");
}

/// A frame and a key ask for a few groups, and an event for one task, however many there are.
#[test]
fn a_million_plans_in_review_cost_a_frame_no_more_than_a_few() {
    let mut header = header();
    header.owners[0].names = (0..100_000).map(|number| format!("user{number:06}")).collect();
    let story = Story::open(header);
    let mut desk = Desk::new(&story, 80, 24);
    for task in &mut desk.model.run.tasks {
        task.status = crate::model::TaskStatus::Review;
    }
    desk.press("C");
    let shown = desk.model.groups.clone().unwrap();
    assert_eq!(shown.count(), desk.model.run.tasks.len(), "each stands for itself");
    // Ten thousand of them would take minutes if each walked over all tasks.
    for _ in 0..10_000 {
        desk.key("j");
        let groups = desk.model.groups.as_ref().unwrap();
        assert_eq!(groups.visible(20).len(), 20);
    }
    assert!(desk.model.groups.as_ref().unwrap().at == shown.moved(10_000));
}

#[test]
fn what_could_not_be_opened_is_approved_by_no_key() {
    let mut desk = reviewing("home/bob");
    desk.at("home/ana").press("1").press("3");
    for effect in std::mem::take(&mut desk.effects) {
        if let Effect::LoadProposal { generation, task } = effect {
            let problem = Error::new(ErrorKind::Corrupt, "open the plan", "its record is damaged").problem();
            desk.send(Msg::Proposal { generation, task, answer: Err(problem) });
        }
    }
    desk.press("1").press("A");
    assert!(desk.model.dialog.is_none());
    assert!(desk.text().contains("could not be opened"), "{}", desk.text());
}

#[test]
fn failures_of_one_cause_are_one_decision() {
    let mut header = header();
    header.owners[0].names = (0..USERS).map(|number| format!("user{number:02}")).collect();
    let mut story = Story::open(header);
    for number in 0..USERS {
        let name = format!("account/user{number:02}");
        let why = if number == 4 { "permission denied" } else { "no space left on device" };
        let problem = Error::new(ErrorKind::NoSpace, format!("write /home/user{number:02}/mail"), why).problem();
        let task = story.task(&name);
        story.add(Event::Failed { task, problem });
    }
    let mut desk = Desk::new(&story, 80, 24);
    let text = desk.press("F").text();
    assert!(text.contains("11 × accounts: no space left on device"), "{text}");
    assert!(text.contains("1 × accounts: permission denied"), "{text}");
    desk.press("r");
    let retried = desk.commands();
    assert_eq!(retried.len(), 11);
    assert!(!retried.contains(&Command::Retry { task: story.task("account/user04") }));
    desk.press("j s").type_text("they asked for it").press("enter");
    let task = story.task("account/user04");
    assert_eq!(desk.commands(), [Command::Skip { task, why: "they asked for it".to_owned() }]);
}

#[test]
fn groups_that_move_under_a_key_are_not_acted_on() {
    let mut story = equal();
    let mut desk = opened(&story);
    // The cohort shrinks to one that needs no canary, between the frame and the key.
    for number in 0..USERS {
        if number != 7 {
            let task = story.task(&format!("account/user{number:02}"));
            let skipped = story.add(Event::Skipped { task, why: "no".to_owned(), by: "x".to_owned() });
            desk.send(Msg::Notice(skipped));
        }
    }
    desk.key("A");
    assert!(desk.model.dialog.is_none());
}

#[test]
fn what_is_marked_is_what_all_means() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.at("home/bob").press("space");
    desk.at("home/ana").press("A");
    let text = desk.text();
    assert!(text.contains("plans that are marked, in review and shown"), "{text}");
    assert!(text.contains("home/bob") && text.contains("Approve 1 plan?"), "{text}");
    // Nothing else is taken for them where no mark is in review.
    let mut desk = Desk::new(&story(), 80, 24);
    desk.at("account/bob").press("space");
    desk.at("home/bob").press("A");
    assert!(desk.model.dialog.is_none());
    assert!(desk.text().contains("there are no plans that are marked, in review and shown"), "{}", desk.text());
}

#[test]
fn a_question_about_many_counts_resources_hunks_and_deletes_apart() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.at("home/ana").press("A");
    let text = desk.text();
    assert!(text.contains("writes  9 hunks in 2 resources: 2 updated") && text.contains("DELETES 1"), "{text}");
    assert!(!text.contains("left out"), "{text}");
    let mut story = story();
    let (task, mut selection) = (story.task("home/ana"), crate::model::Selection::all());
    let plan = tree_proposal("home/ana").plan;
    selection.decide(&plan, 0, 0, false);
    let (digest, counts) = (plan.digest(&selection), plan.counts(&selection));
    story.add(crate::model::Event::Decided { task, selection, digest, counts });
    let mut desk = Desk::new(&story, 80, 24);
    desk.at("home/ana").press("A");
    assert!(desk.text().contains("1 hunk left out"), "{}", desk.text());
}
