//! Every key that help names does what it says: each is pressed where it is meant, as help names it.

use std::collections::BTreeSet;

use super::*;
use crate::engine::Command;
use crate::model::TaskStatus as S;
use crate::tui::dialogs::{Question, Verb};
use crate::tui::fixtures::{Desk, document_proposal, story, tree_proposal};
use crate::tui::groups::Kind;
use crate::tui::matrix::Zoom;
use crate::tui::rows::Grouping;

/// What can be seen of a key's effect, beside what it asks of the outside.
fn sight(desk: &mut Desk) -> String {
    let rows = desk.text();
    let model = &desk.model;
    let dialog = model.dialog.as_ref().map(|dialog| format!("{:?} {}", dialog.question, dialog.top));
    format!("{:?} {:?} {:?} {:?} {dialog:?} {rows}", model.tab, model.cursor, model.marks, model.log_level)
}

/// The place where a key is meant, with everything that it could need there.
fn place(context: Context, action: Action) -> Desk {
    let mut desk = Desk::new(&story(), 80, 24);
    let task = match action {
        Action::Retry | Action::Skip | Action::LeaveOut | Action::Abort => "home/cyd",
        Action::Undo => "account/ana",
        Action::Confirm => "seen",
        _ => "home/bob",
    };
    for (name, undoable) in [("account/ana", true), ("home/cyd", true)] {
        let id = desk.model.run.find(name).unwrap();
        desk.model.run.tasks[id.index()].undoable = undoable;
    }
    if action == Action::Confirm {
        let seen = desk.model.run.find("seen").unwrap();
        desk.model.run.tasks[seen.index()].status = crate::model::TaskStatus::Ready;
    }
    desk.send(Msg::Heard { voices: vec!["events"] });
    desk.at(task);
    match context {
        Context::Steps => {
            desk.press("1");
        }
        Context::Everywhere if action == Action::ShowSteps => {
            desk.press("2");
        }
        Context::Everywhere => {
            desk.press("1");
        }
        Context::Matrix => {
            desk.press("2");
        }
        Context::Evidence => {
            desk.press("4");
        }
        Context::Failure => {
            desk.at("home/cyd").press("1 enter");
        }
        Context::Groups if matches!(action, Action::Retry | Action::Skip | Action::Open) => {
            desk.press("F");
        }
        Context::Groups => {
            desk.press("3").answer(&document_proposal("home/bob"));
            desk.press("1 C");
            let seen = desk.model.review.task.unwrap();
            let groups = desk.model.groups.clone().unwrap();
            let at = groups.visible(99).iter().position(|group| group.tasks.contains(&seen)).unwrap();
            for _ in 0..at {
                desk.press("down");
            }
        }
        Context::Review => {
            let (name, proposal) = match action {
                Action::Open => ("home/ana", tree_proposal("home/ana")),
                _ => (task, document_proposal("home/bob")),
            };
            desk.at(name).press("3").answer(&proposal);
        }
    }
    // What a key needs to have been done before it.
    match (context, action) {
        (Context::Review, Action::Take) => {
            desk.press("n up");
        }
        (Context::Review, Action::NextMatch | Action::PreviousMatch) => {
            desk.press("/").type_text("mail").press("enter");
        }
        (Context::Steps, Action::Back) => {
            desk.press("/").type_text("home").press("enter");
        }
        (Context::Evidence, _) => {}
        (_, Action::Up | Action::PageUp | Action::HalfPageUp | Action::First) => {
            desk.press("down down");
        }
        (_, Action::Last | Action::PageDown | Action::HalfPageDown) => {
            desk.press("g");
        }
        (Context::Matrix, Action::Right) => {
            desk.press("left");
        }
        (Context::Matrix, Action::Left) => {
            desk.press("right");
        }
        _ => {}
    }
    desk.effects.clear();
    // A note that is put away by the key would look like its effect.
    desk.model.notes = Default::default();
    desk
}

#[test]
fn every_key_in_help_does_something_where_help_says_so() {
    let keymap = crate::tui::keymap::Keymap::default();
    let help: BTreeSet<String> = Context::ALL
        .iter()
        .flat_map(|context| crate::tui::dialogs::help_lines(&keymap, *context))
        .map(|(keys, about)| format!("{keys} {about}"))
        .collect();
    let idle = |context, action| {
        let mut desk = place(context, action);
        let before = sight(&mut desk);
        desk.press("f12");
        let told = desk.model.notes.of(Weight::Said).map(str::to_owned);
        desk.model.notes = Default::default();
        desk.effects.is_empty()
            && sight(&mut desk) == before
            && told.is_some_and(|told| told.contains("f12 does nothing"))
    };
    assert!(
        idle(Context::Steps, Action::Open) && idle(Context::Review, Action::Take),
        "a key without a meaning has none"
    );
    for binding in &keymap.bindings {
        let names: Vec<&str> = binding.keys.iter().map(|(name, _)| name.as_str()).collect();
        assert!(help.contains(&format!("{} {}", names.join(" "), binding.about)), "{:?}", binding.action);
        for name in names {
            let mut desk = place(binding.context, binding.action);
            let before = sight(&mut desk);
            desk.press(name);
            let unbound = desk.model.notes.of(Weight::Said).filter(|told| told.contains("does nothing here"));
            assert_eq!(unbound, None, "{name} in {:?}", binding.context);
            let did = !desk.effects.is_empty() || sight(&mut desk) != before;
            assert!(did, "{name} in {:?} does nothing: {}\n{before}", binding.context, binding.about);
            let refused = desk.model.notes.shown().filter(|note| note.weight == Weight::Problem);
            assert!(refused.is_none(), "{name} in {:?} ({}): {refused:?}", binding.context, binding.about);
            does_what_it_says(binding.action, binding.context, &mut desk);
        }
    }
}

/// Those whose effect has a name of its own.
fn does_what_it_says(action: Action, context: Context, desk: &mut Desk) {
    let told = format!("{action:?} in {context:?}");
    let question = desk.model.dialog.as_ref().map(|dialog| &dialog.question);
    let is_skip = matches!(question, Some(Question::Reason { verb: Verb::Skip(_) }));
    let is_leave_out = matches!(question, Some(Question::Reason { verb: Verb::LeaveOut(_) }));
    let is_abort = matches!(question, Some(Question::Reason { verb: Verb::Abort }));
    let kind = desk.model.groups.as_ref().map(|groups| groups.kind);
    let has = |wanted: fn(&Effect) -> bool| desk.effects.iter().any(wanted);
    let holds = match action {
        Action::Help => question == Some(&Question::Help),
        Action::Quit => question == Some(&Question::Quit),
        Action::Summary => question == Some(&Question::Summary),
        Action::Skip => is_skip,
        Action::LeaveOut => is_leave_out,
        Action::Abort => is_abort,
        Action::Confirm => matches!(question, Some(Question::Confirm { .. })),
        Action::Approve => matches!(question, Some(Question::Approve(_))),
        // There is one such plan: it is asked about as by the key for one.
        Action::ApproveAll if context == Context::Review => matches!(question, Some(Question::Approve(_))),
        Action::ApproveAll => matches!(question, Some(Question::ApproveAll(_))),
        Action::Suspend => has(|effect| matches!(effect, Effect::Suspend)),
        Action::Repaint => has(|effect| matches!(effect, Effect::Repaint)),
        Action::Copy => has(|effect| matches!(effect, Effect::Copy { .. })),
        Action::ViewDiff => has(|effect| matches!(effect, Effect::View { .. })),
        Action::Retry => has(|effect| matches!(effect, Effect::Command(Command::Retry { .. }))),
        Action::Undo => has(|effect| matches!(effect, Effect::Command(Command::Undo { .. }))),
        Action::PauseOrContinue => has(|effect| matches!(effect, Effect::Command(Command::Pause))),
        Action::Take | Action::Leave | Action::Toggle => {
            has(|effect| matches!(effect, Effect::Command(Command::Decide { .. })))
        }
        Action::ShowSteps => desk.model.tab == Tab::Steps,
        Action::ShowMatrix | Action::NextTab => desk.model.tab == Tab::Matrix,
        Action::PreviousTab => desk.model.tab == Tab::Evidence,
        Action::ShowReview => desk.model.tab == Tab::Review,
        Action::ShowEvidence => desk.model.tab == Tab::Evidence,
        Action::Filter => desk.model.filter_input.is_some(),
        Action::Search => desk.model.search.is_typed,
        Action::Palette => desk.model.palette.is_some(),
        Action::Mark | Action::MarkAll => !desk.model.marks.is_empty(),
        Action::TurnGrouping => desk.model.rows.grouping == Grouping::ByOwner,
        Action::Cohorts => kind == Some(Kind::Cohorts),
        Action::Causes => kind == Some(Kind::Causes),
        Action::Zoom => desk.model.sight.zoom == Zoom::Hundred,
        Action::Fold => desk.model.sight.is_folded,
        Action::TroubleFirst => desk.model.sight.order.is_some(),
        Action::LogLevel => desk.model.log_level == ::log::LevelFilter::Warn,
        Action::LogTarget => desk.model.log_voice == Some("events"),
        Action::Hints => desk.model.tour,
        Action::NextWanted | Action::PreviousWanted => {
            let status = desk.model.cursor.map(|id| desk.model.run.tasks[id.index()].status);
            matches!(status, Some(S::Review | S::Failed | S::Unknown))
        }
        Action::Open => match context {
            Context::Steps | Context::Matrix => desk.model.tab == Tab::Review,
            Context::Groups => desk.model.tab == Tab::Evidence && kind.is_none(),
            _ => desk.model.review.loaded().is_some_and(|loaded| !loaded.diffs.is_empty()),
        },
        Action::Back => question.is_none() && kind.is_none() && desk.model.rows.filter.is_empty(),
        Action::Up
        | Action::Down
        | Action::Left
        | Action::Right
        | Action::PageUp
        | Action::PageDown
        | Action::HalfPageUp
        | Action::HalfPageDown
        | Action::First
        | Action::Last
        | Action::NextMatch
        | Action::PreviousMatch => {
            question.is_none() && desk.effects.iter().all(|effect| !matches!(effect, Effect::Command(_)))
        }
    };
    assert!(holds, "{told}: {question:?} {:?}", desk.effects);
}

/// Every action has another key than it came with: the line of keys, the hints above it, the palette and help name that.
#[test]
fn a_screen_names_the_operators_own_keys_and_none_that_they_gave_away() {
    let mut keymap = crate::tui::keymap::Keymap::default();
    let former: BTreeSet<String> =
        keymap.bindings.iter().flat_map(|binding| binding.keys.iter().map(|(name, _)| name.clone())).collect();
    for (own, binding) in ('Ā'..).zip(&mut keymap.bindings) {
        binding.keys = vec![(own.to_string(), Key::parse(&own.to_string()).unwrap())];
    }
    assert!(keymap.conflict().is_none());
    let key = |context, action| keymap.key(context, action).to_owned();
    let everywhere = |action| key(Context::Everywhere, action);
    let mut desk = Desk::new(&story(), 80, 24);
    (desk.model.keymap, desk.model.tour) = (keymap.clone(), true);
    for name in ["account/ana", "home/ana", "home/bob", "home/cyd", "home/dee", "seen"] {
        use Action as A;
        for screen in [A::ShowSteps, A::ShowMatrix, A::ShowReview, A::ShowEvidence, A::Cohorts, A::Causes] {
            desk.press(&everywhere(A::ShowSteps)).at(name);
            desk.press(&everywhere(screen)).answer(&tree_proposal(name));
            desk.model.notes = Default::default();
            let text = desk.text();
            let lines: Vec<&str> = text.lines().rev().take(2).chain(text.lines().nth(3)).collect();
            assert!(lines[0].contains(&format!("{} quit", everywhere(A::Quit))), "{text}");
            for word in lines.iter().flat_map(|line| line.split(['"', ' ', ',', ';', ':'])) {
                // The article is no key.
                assert!(word == "a" || !former.contains(word), "{screen:?} of {name} names {word}: {text}");
            }
            desk.press(&key(desk.model.context(), A::Back));
        }
    }
    desk.press(&everywhere(Action::ShowSteps)).press(&everywhere(Action::Palette)).type_text("skip");
    let skip = key(Context::Steps, Action::Skip);
    assert!(desk.text().contains(&format!("> {skip} ")), "{}", desk.text());
    desk.press("esc").press(&everywhere(Action::Help)).press("/").type_text("skip, with");
    assert!(desk.text().contains(&format!("{skip} ")), "{}", desk.text());
}
