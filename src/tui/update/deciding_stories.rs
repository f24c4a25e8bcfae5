use super::*;
use crate::engine::{Command, Notice};
use crate::model::{Error, ErrorKind, Event, Selection};
use crate::tui::dialogs::Question;
use crate::tui::fixtures::{Desk, document_proposal, story, tree_proposal};

pub(super) fn reviewing(name: &str) -> Desk {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.at(name).press("3");
    desk.answer(&proposal_of(name));
    desk
}

fn proposal_of(name: &str) -> crate::model::Proposal {
    if name == "home/ana" { tree_proposal(name) } else { document_proposal(name) }
}

pub(super) fn asked(desk: &Desk) -> Option<&Question> {
    desk.model.dialog.as_ref().map(|dialog| &dialog.question)
}

#[test]
fn a_plan_is_approved_by_another_key_than_the_one_that_asked() {
    let mut desk = reviewing("home/bob");
    desk.press("a");
    assert!(matches!(asked(&desk), Some(Question::Approve(_))), "{:?}", desk.model.notes);
    desk.press("a enter");
    assert_eq!(desk.commands(), []);
    desk.press("y");
    let digest = document_proposal("home/bob").plan.digest(&Selection::all());
    let task = desk.model.run.find("home/bob").unwrap();
    assert_eq!(desk.commands(), [Command::Approve { task, digest }]);
}

#[test]
fn deletes_are_approved_by_their_word() {
    let mut desk = reviewing("home/ana");
    desk.press("a").press("y");
    assert_eq!(desk.commands(), []);
    desk.press("ctrl-u").type_text("1").press("enter");
    assert_eq!(desk.commands(), []);
    desk.press("ctrl-u").type_text("delete").press("enter");
    assert_eq!(desk.commands().len(), 1);
}

#[test]
fn keys_typed_ahead_of_a_question_do_not_answer_it() {
    let mut desk = reviewing("home/bob");
    desk.key("a");
    desk.key("y");
    desk.draw();
    desk.now += 299;
    desk.key("y");
    assert_eq!(desk.commands(), []);
    desk.now += 1;
    desk.key("y");
    assert_eq!(desk.commands().len(), 1);
}

#[test]
fn a_plan_that_no_frame_has_shown_is_not_asked_about() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.at("home/bob").key("3");
    // Loaded, but the frame with it is not drawn yet.
    for effect in std::mem::take(&mut desk.effects) {
        if let Effect::LoadProposal { generation, task } = effect {
            let answer = Ok(std::sync::Arc::new(document_proposal("home/bob")));
            desk.send(Msg::Proposal { generation, task, answer });
        }
    }
    desk.key("a");
    assert_eq!(asked(&desk), None);
    desk.press("a");
    assert!(asked(&desk).is_some());
}

#[test]
fn a_plan_that_moves_under_the_question_is_not_approved() {
    let mut story = story();
    let mut desk = reviewing("home/bob");
    desk.press("a");
    let task = story.task("home/bob");
    let voided = story.add(Event::Voided { task, why: "live moved".to_owned() });
    desk.send(Msg::Notice(voided));
    assert_eq!(asked(&desk), None);
    assert!(desk.model.notes.of(Weight::Problem).unwrap().contains("nothing was approved"));
    desk.press("y");
    assert!(desk.commands().iter().all(|command| !matches!(command, Command::Approve { .. })));
}

#[test]
fn leaving_a_hunk_out_takes_along_what_needs_it_and_waits_for_the_record() {
    let mut story = story();
    let mut desk = reviewing("home/ana");
    // .profile, then the directory `mail` that `mail/inbox` needs.
    desk.press("j n");
    let task = story.task("home/ana");
    let commands = desk.commands();
    let [Command::Decide { selection, .. }] = commands.as_slice() else { panic!("{commands:?}") };
    assert_eq!(selection.left_out().collect::<Vec<_>>(), [(0, 1), (0, 2)]);
    assert!(desk.model.notes.of(Weight::Said).unwrap().contains("1 other hunk"));
    desk.press("a");
    assert_eq!(asked(&desk), None, "not recorded yet");
    let plan = tree_proposal("home/ana").plan;
    let (digest, counts) = (plan.digest(selection), plan.counts(selection));
    let decided = story.add(Event::Decided { task, selection: selection.clone(), digest, counts });
    desk.send(Msg::Notice(decided));
    desk.press("esc 3 a");
    let Some(Question::Approve(approve)) = asked(&desk) else { panic!("{:?}", desk.model.notes) };
    assert_eq!((approve.digest, approve.left_out), (digest, 2));
}

#[test]
fn two_quick_decisions_are_both_kept_while_the_first_is_recorded() {
    let mut story = story();
    let mut desk = reviewing("home/bob");
    desk.key("n");
    desk.draw();
    let first = desk.commands();
    desk.press("j j j n");
    let [Command::Decide { task, selection }] = first.as_slice() else { panic!("{first:?}") };
    let plan = document_proposal("home/bob").plan;
    let (digest, counts) = (plan.digest(selection), plan.counts(selection));
    desk.send(Msg::Notice(story.add(Event::Decided { task: *task, selection: selection.clone(), digest, counts })));
    let shown = &desk.model.review.loaded().unwrap().selection;
    assert_eq!(shown.left_out_count(), 3, "{shown:?}");
}

#[test]
fn a_refused_decision_is_taken_back_on_the_screen() {
    let mut desk = reviewing("home/bob");
    desk.press("n");
    let command = desk.commands().remove(0);
    let problem = Error::new(ErrorKind::Conflict, "decide", "the plan is another").problem();
    desk.send(Msg::Answered { command, problem: Some(problem) });
    assert!(desk.model.review.loaded().unwrap().selection.takes_all());
    assert!(desk.model.notes.of(Weight::Problem).is_some());
}

#[test]
fn pasted_text_confirms_nothing_and_acts_on_nothing() {
    let mut desk = reviewing("home/ana");
    desk.send(Msg::Paste { text: "q\ny\na\n".to_owned(), at: desk.now });
    assert_eq!(asked(&desk), None);
    desk.press("a");
    desk.now += 1_000;
    desk.send(Msg::Paste { text: "1\n".to_owned(), at: desk.now });
    desk.press("enter");
    assert_eq!(desk.commands(), []);
}

#[test]
fn approving_a_step_names_each_plan_by_its_digest() {
    let mut desk = reviewing("home/bob");
    desk.press("esc").at("home/bob").press("A");
    let Some(Question::ApproveAll(all)) = asked(&desk) else { panic!("{:?}", desk.model.notes) };
    assert_eq!((all.plans.len(), all.opened, all.unseen), (2, 1, 1));
    // home/ana deletes one file.
    desk.type_text("delete").press("enter");
    let commands = desk.commands();
    assert_eq!(commands.len(), 2);
    for command in commands {
        let Command::Approve { task, digest } = command else { panic!("{command:?}") };
        assert_eq!(desk.model.run.tasks[task.index()].digest(), Some(digest));
    }
}

/// As a resumed run comes: a fold, and none of the events that made it.
fn resumed(story: &crate::tui::fixtures::Story) -> Desk {
    let model = Model::new("ana@bastion".to_owned(), Default::default(), false, jiff::tz::TimeZone::UTC);
    let mut desk = Desk { model, now: 1_000, effects: Vec::new() };
    desk.send(Msg::Resize { width: 80, height: 24 });
    let run = Desk::new(story, 80, 24).model.run;
    desk.send(Msg::Notice(Notice::Snapshot(std::sync::Arc::new(run))));
    desk
}

#[test]
fn plans_made_before_the_screen_looked_are_known_by_their_cohort_too() {
    let mut desk = resumed(&story());
    desk.at("home/bob").press("A");
    let Some(Question::ApproveAll(all)) = asked(&desk) else { panic!("{:?}", desk.model.notes) };
    assert_eq!((all.plans.len(), all.opaque), (2, 0));
    desk.press("esc 3").answer(&document_proposal("home/bob"));
    desk.press("A");
    assert!(matches!(asked(&desk), Some(Question::Approve(_))), "one plan is asked about as one: {}", desk.text());
}
