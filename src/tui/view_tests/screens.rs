//! Every screen, once each.

use super::frames::snap;
use crate::engine::{Activity, Notice};
use crate::model::{Error, ErrorKind, Event, Known, Selection};
use crate::tui::fixtures::{document_proposal, story, tree_proposal};
use crate::tui::msg::Msg;

#[test]
fn steps() {
    snap("steps", |desk| {
        let task = desk.model.run.find("home/dee").unwrap();
        let activity = Activity::Writing(crate::model::Progress {
            files: 12,
            bytes: 3_100_000,
            of_files: 40,
            of_bytes: 9_000_000,
            elapsed: 0,
        });
        desk.send(Msg::Notice(Notice::Activity { task, activity }));
        desk.at("home/ana").press("space k").answer(&tree_proposal("home/ana"));
    });
}

#[test]
fn steps_by_user() {
    snap("steps_by_user", |desk| {
        desk.at("home/cyd").press("t / s t a t u s : f enter").answer(&document_proposal("home/cyd"));
    });
}

#[test]
fn matrix() {
    snap("matrix", |desk| {
        desk.at("home/cyd").press("2");
    });
}

#[test]
fn review_of_a_tree() {
    snap("review_tree", |desk| {
        desk.at("home/ana").press("3").answer(&tree_proposal("home/ana"));
        desk.press("enter").answer(&tree_proposal("home/ana"));
    });
}

#[test]
fn review_of_a_document() {
    snap("review_document", |desk| {
        desk.at("home/bob").press("3").answer(&document_proposal("home/bob"));
        desk.press("n");
    });
}

#[test]
fn approval_with_deletes() {
    snap("approve", |desk| {
        desk.at("home/ana").press("3").answer(&tree_proposal("home/ana"));
        desk.press("a").type_text("delete");
    });
}

#[test]
fn approval_of_a_step() {
    snap("approve_all", |desk| {
        desk.at("home/ana").press("A");
    });
}

#[test]
fn failure() {
    snap("failure", |desk| {
        desk.at("home/cyd").press("enter");
    });
}

#[test]
fn evidence() {
    snap("evidence", |desk| {
        let story = story();
        desk.at("account/ana").press("4");
        let task = story.task("account/ana");
        let of_task = story.events.iter().filter(|recorded| recorded.event.task() == Some(task));
        let answer = Ok(of_task.map(|recorded| crate::model::Recorded::clone(recorded)).collect());
        desk.send(Msg::History { generation: desk.model.evidence.generation, task, answer });
    });
}

#[test]
fn help() {
    snap("help", |desk| {
        desk.press("?");
    });
}

#[test]
fn equal_plans() {
    snap("cohorts", |desk| {
        desk.press("C");
    });
}

#[test]
fn equal_failures() {
    snap("causes", |desk| {
        desk.press("F");
    });
}

#[test]
fn palette() {
    snap("palette", |desk| {
        desk.at("home/cyd").press(":").type_text("app").press("down");
    });
}

#[test]
fn quitting() {
    snap("quit", |desk| {
        desk.press("q");
    });
}

#[test]
fn an_unknown_task_is_settled_by_a_person() {
    snap("settle", |desk| {
        let mut story = story();
        let task = story.task("home/bob");
        let digest = document_proposal("home/bob").plan.digest(&Selection::all());
        let mut tell = |event| Msg::Notice(story.add(event));
        desk.send(tell(Event::Approved { task, digest, by: "ana".to_owned() }));
        desk.send(tell(Event::Intent { task, attempt: 1, digest, pre: digest, undoable: true }));
        let problem = Error::new(ErrorKind::Unreachable, "write account bob", "the connection was closed")
            .known(Known::Unknown)
            .problem();
        let evidence = String::new();
        desk.send(tell(Event::Outcome {
            task,
            known: Known::Unknown,
            post: None,
            evidence,
            problem: Some(problem),
            partial: false,
            kept: None,
            dependents_go_on: false,
            bytes: None,
            output: None,
        }));
        desk.at("home/bob").press("enter").type_text("not appl");
        assert_eq!(desk.commands(), []);
    });
}

#[test]
fn leaving_a_user_out_wants_a_reason() {
    snap("leave_out", |desk| {
        desk.at("home/cyd").press("o").type_text("on leave\u{202e}");
    });
}

#[test]
fn palette_of_a_task() {
    snap("palette_task", |desk| {
        desk.press(":").type_text("home/c");
    });
}

#[test]
fn a_filter_that_is_typed_and_matches_nothing() {
    snap("steps_nothing", |desk| {
        desk.press("/").type_text("status:failed user:zoe");
    });
}

#[test]
fn matrix_of_blocks() {
    snap("matrix_blocks", |desk| {
        desk.at("home/cyd").press("2 t z");
    });
}

#[test]
fn matrix_of_components() {
    snap("matrix_folded", |desk| {
        desk.at("home/cyd").press("2 f");
    });
}

#[test]
fn a_file_of_a_tree() {
    snap("review_file", |desk| {
        desk.at("home/ana").press("3").answer(&tree_proposal("home/ana"));
        desk.press("enter").answer(&tree_proposal("home/ana"));
        desk.press("/").type_text("export b").press("enter");
    });
}

#[test]
fn review_of_what_has_no_plan() {
    snap("review_done", |desk| {
        desk.at("account/ana").press("3").answer(&document_proposal("account/ana"));
    });
}

#[test]
fn review_of_a_way_back() {
    snap("review_undo", |desk| {
        let mut story = story();
        let task = story.task("account/ana");
        let mut proposal = document_proposal("account/ana");
        std::sync::Arc::make_mut(&mut proposal.plan).pass = crate::model::Pass::Undo;
        let asked = story.add(Event::UndoAsked { task, by: "ana@bastion".to_owned() });
        desk.send(Msg::Notice(asked));
        let planned = story.planned("account/ana", &proposal.plan);
        desk.send(Msg::Notice(planned));
        desk.at("account/ana").press("3").answer(&proposal).press("a");
    });
}

#[test]
fn aborting_wants_a_reason() {
    snap("abort", |desk| {
        desk.press("X").type_text("the disk is failing");
    });
}

#[test]
fn a_person_confirms() {
    snap("confirm", |desk| {
        let mut story = story();
        for name in ["home/ana", "home/bob", "home/cyd", "home/dee"] {
            let skipped = Event::Skipped { task: story.task(name), why: "not theirs".to_owned(), by: "ana".to_owned() };
            let told = story.add(skipped);
            desk.send(Msg::Notice(told));
        }
        desk.at("seen").press("c");
    });
}

#[test]
fn watching() {
    snap("watching", |desk| {
        desk.model.read_only = true;
        desk.at("home/ana").press("3").answer(&tree_proposal("home/ana"));
        desk.press("q");
    });
}

#[test]
fn everything_settled() {
    snap("complete", |desk| {
        let mut story = story();
        for number in (0..).map(crate::model::TaskId).take(desk.model.run.tasks.len()) {
            if !desk.model.run.tasks[number.index()].status.satisfies() {
                let by = "ana".to_owned();
                let told = story.add(Event::Skipped { task: number, why: "not theirs".to_owned(), by });
                desk.send(Msg::Notice(told));
            }
        }
    });
}
