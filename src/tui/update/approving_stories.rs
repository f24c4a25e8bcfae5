//! An approval shows what it approves, and a confirmation what is confirmed.

use crate::engine::Command;
use crate::model::{Digest, Event, PlannedCommand, Preview, Proposal, Shown};
use crate::tui::dialogs::Question;
use crate::tui::fixtures::{Desk, document_proposal, story};

fn command() -> Proposal {
    let mut proposal = document_proposal("home/ana");
    let plan = std::sync::Arc::make_mut(&mut proposal.plan);
    plan.changes.clear();
    plan.preview = Preview::Opaque;
    plan.command = Some(PlannedCommand {
        argv: ["sh", "-c", "set -e\nhubctl restart \"$HUB\""].map(str::to_owned).to_vec(),
        environment: vec![
            ("HUB".to_owned(), Shown::Plain("eu-west".into())),
            ("TOKEN".to_owned(), Shown::Secret(Digest::of("hush"))),
        ],
        directory: Some("/srv/hub".to_owned()),
    });
    (proposal.live, proposal.desired) = (Vec::new(), Vec::new());
    proposal
}

fn looking_at_the_command() -> Desk {
    let (mut story, proposal) = (story(), command());
    let task = story.task("home/ana");
    story.add(Event::Voided { task, why: "test".to_owned() });
    story.planned("home/ana", &proposal.plan);
    let mut desk = Desk::new(&story, 80, 24);
    desk.at("home/ana").press("3").answer(&proposal);
    desk
}

#[test]
fn an_approval_of_a_command_shows_the_command_its_directory_and_its_environment_without_secrets() {
    let mut desk = looking_at_the_command();
    for line in ["$ sh -c 'set -e", "| hubctl restart \"$HUB\"'", "in      /srv/hub", "with    HUB=eu-west"] {
        assert!(desk.text().contains(line), "{line} is not in the plan: {}", desk.text());
    }
    desk.press("a");
    let dialog = desk.text();
    for line in ["$ sh -c 'set -e", "| hubctl restart \"$HUB\"'", "in      /srv/hub", "with    TOKEN=••••"] {
        assert!(dialog.contains(line), "{line} is not in the question: {dialog}");
    }
    assert!(!dialog.contains("0 creates"), "a command writes nothing that is counted: {dialog}");
}

#[test]
fn a_question_stands_in_full_where_the_step_says_something_else_about_itself() {
    let mut story = story();
    for name in ["home/ana", "home/bob", "home/cyd", "home/dee"] {
        let task = story.task(name);
        story.add(Event::Skipped { task, why: "test".to_owned(), by: "x".to_owned() });
    }
    let task = story.task("seen");
    let mut desk = Desk::new(&story, 80, 24);
    desk.at("seen").press("c");
    let dialog = desk.text();
    assert!(dialog.contains("has ana opened it?") && dialog.contains("users have opened their files"), "{dialog}");
    assert!(dialog.contains("your word is the only evidence"), "{dialog}");
    desk.press("y");
    assert_eq!(desk.commands(), [Command::Confirm { task, question: "has ana opened it?".to_owned() }]);
}

#[test]
fn the_sentence_about_the_canary_says_what_happens_after_the_answer() {
    let mut desk = crate::tui::update::group_stories::asked_about_a_group();
    let Some(Question::ApproveAll(all)) = desk.model.dialog.as_ref().map(|dialog| &dialog.question) else {
        panic!("nothing was asked: {}", desk.text());
    };
    let others = all.plans.len() - 1;
    let dialog = desk.text();
    assert!(dialog.contains("One plan is written first."), "{dialog}");
    assert!(dialog.contains(&format!("The other {others} follow")), "{dialog}");
}
