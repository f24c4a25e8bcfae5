use super::*;
use crate::engine::{Command, Notice};
use crate::model::{Error, ErrorKind, Event, Selection, TaskId, TaskStatus};
use crate::tui::dialogs::Question;
use crate::tui::fixtures::{Desk, document_proposal, story, tree_proposal};
use crate::tui::parting::Parting;

fn reviewing(name: &str) -> Desk {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.at(name).press("3");
    desk.answer(&proposal_of(name));
    desk
}

fn proposal_of(name: &str) -> crate::model::Proposal {
    if name == "home/ana" { tree_proposal(name) } else { document_proposal(name) }
}

fn asked(desk: &Desk) -> Option<&Question> {
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
fn deletes_are_approved_by_typing_how_many() {
    let mut desk = reviewing("home/ana");
    desk.press("a").press("y");
    assert_eq!(desk.commands(), []);
    desk.press("ctrl-u").type_text("2").press("enter");
    assert_eq!(desk.commands(), []);
    desk.press("ctrl-u").type_text("1").press("enter");
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
fn events_never_move_the_cursor_even_when_its_row_stops_matching() {
    let mut story = story();
    let mut desk = Desk::new(&story, 80, 24);
    desk.press("/").type_text("status:review step:home").press("enter");
    desk.at("home/bob");
    let cursor = desk.model.cursor;
    for name in ["home/ana", "home/bob"] {
        let task = story.task(name);
        desk.send(Msg::Notice(story.add(Event::Skipped { task, why: "no".to_owned(), by: "x".to_owned() })));
        desk.draw();
        assert_eq!(desk.model.cursor, cursor);
    }
    assert!(desk.model.rows.shows(cursor.unwrap()), "the cursor's row is never hidden");
    assert!(desk.text().contains("does not match any more"));
}

#[test]
fn a_filter_that_matches_nothing_leaves_nothing_to_act_on() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.at("home/cyd").press("/").type_text("zzz").press("enter");
    desk.press("r").press("s").press("o").press("u").press("A").press("enter").press("space");
    assert_eq!(desk.commands(), []);
    assert_eq!(asked(&desk), None);
    desk.press("esc esc");
    assert!(desk.model.cursor.is_some());
}

#[test]
fn marked_rows_that_are_hidden_are_left_alone() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.at("home/ana").press("space").at("home/cyd").press("space");
    desk.press("/").type_text("status:failed").press("enter");
    desk.press("r");
    let task = desk.model.run.find("home/cyd").unwrap();
    assert_eq!(desk.commands(), [Command::Retry { task }]);
}

#[test]
fn a_failed_task_offers_four_ways_on_and_skipping_wants_a_reason() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.at("home/cyd").press("enter");
    assert!(matches!(asked(&desk), Some(Question::Failure { .. })));
    desk.press("s").press("enter");
    assert_eq!(desk.commands(), []);
    desk.type_text("disk is full").press("enter");
    let task = desk.model.run.find("home/cyd").unwrap();
    assert_eq!(desk.commands(), [Command::Skip { task, why: "disk is full".to_owned() }]);
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
fn approving_a_step_names_each_plan_by_its_digest_and_asks_for_their_number() {
    let mut desk = reviewing("home/bob");
    desk.press("esc").at("home/bob").press("A");
    let Some(Question::ApproveAll(all)) = asked(&desk) else { panic!("{:?}", desk.model.notes) };
    assert_eq!((all.plans.len(), all.opened, all.unseen), (2, 1, 1));
    // home/ana deletes one file, so that is the number to type.
    desk.type_text("1").press("enter");
    let commands = desk.commands();
    assert_eq!(commands.len(), 2);
    for command in commands {
        let Command::Approve { task, digest } = command else { panic!("{command:?}") };
        assert_eq!(desk.model.run.tasks[task.index()].digest, Some(digest));
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
fn of_plans_made_before_the_screen_looked_the_journal_is_asked() {
    let mut desk = resumed(&story());
    let asked_for = desk.effects.iter().find_map(|effect| match effect {
        Effect::LoadPlanFacts { tasks } => Some(tasks.clone()),
        _ => None,
    });
    let tasks = asked_for.unwrap();
    let names: Vec<_> = tasks.iter().map(|task| desk.model.run.name(*task)).collect();
    assert_eq!(names, ["home/ana", "home/bob"]);
    // As long as it is not known how honest they are, the worst is said.
    desk.at("home/bob").press("A");
    let Some(Question::ApproveAll(all)) = asked(&desk) else { panic!("{:?}", desk.model.notes) };
    assert_eq!(all.opaque, 2);
    desk.press("esc 3").answer(&document_proposal("home/bob"));
    desk.press("A");
    assert!(desk.model.notes.of(Weight::Problem).unwrap().contains("wait a moment"), "{:?}", desk.model.notes);
    let facts = Desk::new(&story(), 80, 24).model.plans;
    desk.send(Msg::PlanFacts { facts: facts.into_iter().collect() });
    desk.press("esc A");
    let Some(Question::ApproveAll(all)) = asked(&desk) else { panic!("{:?}", desk.model.notes) };
    assert_eq!((all.plans.len(), all.opened, all.opaque), (1, 1, 0));
}

#[test]
fn a_finished_run_can_be_closed_on_leaving_and_only_then() {
    let mut story = story();
    let mut desk = Desk::new(&story, 80, 24);
    desk.press("q c");
    assert_eq!(desk.commands(), [], "it is not finished");
    desk.press("esc");
    for name in ["home/ana", "home/bob", "home/cyd"] {
        let task = story.task(name);
        desk.send(Msg::Notice(story.add(Event::Skipped { task, why: "no".to_owned(), by: "x".to_owned() })));
    }
    for task in (0..).map(TaskId).take(desk.model.run.tasks.len()) {
        let status = desk.model.run.tasks[task.index()].status;
        if !status.satisfies() {
            desk.send(Msg::Notice(story.add(Event::Skipped { task, why: "no".to_owned(), by: "x".to_owned() })));
        }
    }
    assert!(desk.text().contains("every task is settled: q leaves"), "{}", desk.text());
    desk.press("q c");
    assert_eq!(desk.commands(), [Command::Close]);
    desk.send(Msg::Answered { command: Command::Close, problem: None });
    assert!(matches!(desk.effects.last(), Some(Effect::Leave)), "{:?}", desk.effects);
}

#[test]
fn a_failure_is_told_wherever_one_looks_and_found_by_one_key() {
    let mut desk = Desk::new(&story(), 80, 24);
    assert!(desk.text().contains("home/cyd failed"), "{}", desk.text());
    desk.at("home/bob").press("]");
    assert_eq!(desk.model.cursor, desk.model.run.find("home/cyd"));
    assert!(!desk.text().contains("home/cyd failed."), "a key was pressed: it was seen");
}

#[test]
fn what_is_being_undone_is_not_undone_again() {
    let mut desk = Desk::new(&story(), 80, 24);
    let task = desk.model.run.find("home/bob").unwrap();
    let state = &mut desk.model.run.tasks[task.index()];
    (state.undoable, state.pass) = (true, crate::model::Pass::Undo);
    desk.at("home/bob").press("u");
    assert_eq!(desk.commands(), []);
}

#[test]
fn a_watcher_commands_nothing() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.model.read_only = true;
    desk.at("home/cyd").press("r s o X p u A c 3 y n space a");
    assert_eq!(desk.commands(), []);
    assert_eq!(asked(&desk), None);
}

#[test]
fn nothing_is_acted_on_where_nothing_can_be_seen() {
    let mut desk = reviewing("home/bob");
    desk.send(Msg::Resize { width: 40, height: 10 });
    desk.press("n a y r p");
    assert_eq!(desk.commands(), []);
}

fn has_left(desk: &Desk) -> bool {
    desk.effects.iter().any(|effect| matches!(effect, Effect::Leave))
}

#[test]
fn leaving_is_asked_about_in_the_smallest_window_too() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.model.parting = Parting::Removed { instead: "--keep leaves them".to_owned() };
    for (width, height) in [(59, 15), (80, 14), (20, 4), (10, 1)] {
        desk.send(Msg::Resize { width, height });
        desk.press("q q");
        assert!(!has_left(&desk), "{width}x{height}: the key that asked does not answer");
        desk.press("q x");
        assert!(!has_left(&desk), "{width}x{height}: any other key stays");
        desk.key("q");
        desk.draw();
        desk.key("y");
        assert!(!has_left(&desk), "{width}x{height}: typed before the question could be read");
        assert!(desk.text().contains("Leave? y"), "{}", desk.text());
        desk.press("esc");
    }
    desk.send(Msg::Resize { width: 40, height: 8 });
    desk.press("q");
    assert!(desk.text().contains("are removed"), "{}", desk.text());
    desk.press("y");
    assert!(has_left(&desk));
}

#[test]
fn a_question_that_does_not_fit_is_not_answered() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.send(Msg::Resize { width: 9, height: 3 });
    desk.press("q y y");
    assert!(!has_left(&desk));
}

#[test]
fn what_is_said_on_leaving_does_not_contradict_itself() {
    let mut story = story();
    let mut desk = Desk::new(&story, 80, 24);
    desk.model.parting = Parting::Removed { instead: "`rekindle demo --keep` leaves them in place".to_owned() };
    desk.press("q");
    let open = desk.text();
    assert!(open.contains("removed then") && open.contains("demo --keep"), "{open}");
    assert!(!open.contains("rest waits") && !open.contains("rekindle resume"), "{open}");
    desk.press("esc");
    for task in (0..).map(TaskId).take(desk.model.run.tasks.len()) {
        if !desk.model.run.tasks[task.index()].status.satisfies() {
            desk.send(Msg::Notice(story.add(Event::Skipped { task, why: "no".to_owned(), by: "x".to_owned() })));
        }
    }
    desk.press("q");
    let settled = desk.text();
    assert!(settled.contains("nothing is left to do") && settled.contains("removed then"), "{settled}");
    assert!(!settled.contains("close and leave"), "{settled}");
    desk.press("c");
    assert_eq!(desk.commands(), [], "nothing is kept that could be released");
    desk.press("esc");
    desk.model.parting = Parting::Stays { before: "REKINDLE_STATE=/tmp/x ".to_owned() };
    desk.press("q");
    assert!(desk.text().contains("REKINDLE_STATE=/tmp/x rekindle undo"), "{}", desk.text());
}

#[test]
fn skipping_an_undo_says_what_stays() {
    let mut story = story();
    let mut desk = Desk::new(&story, 80, 24);
    let task = story.task("account/ana");
    let mut proposal = document_proposal("account/ana");
    std::sync::Arc::make_mut(&mut proposal.plan).pass = crate::model::Pass::Undo;
    desk.send(Msg::Notice(story.add(Event::UndoAsked { task, by: "ana".to_owned() })));
    desk.send(Msg::Notice(story.planned("account/ana", &proposal.plan)));
    desk.at("account/ana").press("s");
    let text = desk.text();
    assert!(text.contains("Drop the undo of account/ana?") && text.contains("what was restored stays"), "{text}");
    assert!(!text.contains("as if it were done"), "{text}");
    // Among others each is told for itself.
    desk.press("esc").at("account/ana").press("space").at("home/bob").press("space s");
    let text = desk.text();
    assert!(text.contains("1 restore: nothing is written. 1 undo: what was restored stays."), "{text}");
}

#[test]
fn undo_shows_its_own_plan_before_anything() {
    let mut story = story();
    let mut desk = Desk::new(&story, 80, 24);
    let task = story.task("account/ana");
    desk.at("account/ana").press("u");
    assert_eq!(desk.commands(), [Command::Undo { task }]);
    assert_eq!(desk.model.tab, Tab::Review);
    let mut proposal = document_proposal("account/ana");
    std::sync::Arc::make_mut(&mut proposal.plan).pass = crate::model::Pass::Undo;
    desk.send(Msg::Notice(story.add(Event::UndoAsked { task, by: "ana".to_owned() })));
    desk.send(Msg::Notice(story.planned("account/ana", &proposal.plan)));
    desk.answer(&proposal).press("a");
    let Some(Question::Approve(approve)) = asked(&desk) else { panic!("{:?}", desk.model.notes) };
    assert!(approve.is_undo);
}

#[test]
fn an_event_against_the_rules_is_told_and_stops_all_commands() {
    let story = story();
    let mut desk = Desk::new(&story, 80, 24);
    let recorded = crate::model::Recorded { seq: 999, at: 0, event: Event::Unchanged { task: TaskId(0) } };
    desk.send(Msg::Notice(Notice::Event(std::sync::Arc::new(recorded))));
    desk.at("home/cyd").press("r");
    assert_eq!(desk.commands(), []);
    assert!(desk.text().contains("NOT RELIABLE"));
}

#[test]
fn quitting_asks_and_says_how_to_come_back() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.press("q");
    assert!(desk.text().contains("rekindle resume 20261121-044300-demo"));
    desk.press("q");
    assert_eq!(asked(&desk), None, "the key that asked does not answer");
    desk.press("ctrl-c y");
    assert!(desk.effects.iter().any(|effect| matches!(effect, Effect::Leave)));
}

#[test]
fn a_confirm_step_is_confirmed_by_a_person() {
    let mut story = story();
    for name in ["home/ana", "home/bob", "home/cyd", "home/dee"] {
        let task = story.task(name);
        story.add(Event::Skipped { task, why: "test".to_owned(), by: "x".to_owned() });
    }
    let task = story.task("seen");
    assert_eq!(story.run.tasks[task.index()].status, TaskStatus::Ready);
    let mut desk = Desk::new(&story, 80, 24);
    desk.at("seen").press("c").press("y");
    assert_eq!(desk.commands(), [Command::Confirm { task }]);
}

#[test]
fn a_failure_is_not_hidden_by_a_warning_or_a_refusal_that_comes_after_it() {
    let mut story = story();
    let mut desk = reviewing("home/bob");
    desk.press("j j");
    let task = story.task("home/bob");
    let problem = Error::new(ErrorKind::NoSpace, "write notes.txt", "the disk is full").problem();
    desk.send(Msg::Notice(story.add(Event::Failed { task, problem })));
    desk.draw();
    desk.send(Msg::Warned { text: "cannot read Data blob 9f2c".to_owned() });
    // Pressed before anybody could read what had happened.
    desk.key("y");
    assert!(desk.text().contains("home/bob failed"), "{}", desk.text());
    // Each has its turn, and none stays behind.
    desk.press("j");
    assert!(desk.text().contains("no plan in review"), "{}", desk.text());
    desk.press("j");
    assert!(desk.text().contains("cannot read Data blob"), "{}", desk.text());
    desk.press("j");
    assert_eq!(desk.model.notes.shown(), None);
}

#[test]
fn what_was_said_of_one_action_is_gone_with_the_next() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.at("home/bob").press("c");
    assert!(desk.text().contains("nothing here for a person to confirm"), "{}", desk.text());
    // The failure that came before it has its turn first, then this; then nothing is left over.
    desk.press("j");
    assert!(!desk.text().contains("nothing here for a person"), "{}", desk.text());
}

#[test]
fn a_filter_is_told_in_every_tab_that_it_narrows() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.press("/").type_text("status:review").press("enter");
    for tab in ["1", "2", "3", "4"] {
        desk.press(tab);
        assert!(desk.text().contains("filter: status:review"), "{tab}: {}", desk.text());
    }
    desk.press("1 esc 2");
    assert!(!desk.text().contains("filter:"), "{}", desk.text());
}

#[test]
fn the_help_is_no_question() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.press("?");
    assert!(!desk.text().contains("question"), "{}", desk.text());
}
