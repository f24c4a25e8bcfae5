use crate::model::{Pass, TaskId, TaskState, TaskStatus, plural, visible};

use super::groups::Kind;
use super::keymap::{Action, Context};
use super::names::{owner_of, shown_name};
use super::state::{Model, Tab};
use super::words;

/// One line about what can be done next, made of what is on the screen: it follows the operator wherever they go, and
/// nothing waits for it.
pub fn hint(model: &Model) -> Option<String> {
    // A question says itself how it is answered.
    if model.dialog.is_some() {
        return None;
    }
    if model.read_only || model.stopped.is_some() || model.broken.is_some() || model.run.tasks.is_empty() {
        return None;
    }
    let key = |context, action| model.keymap.key(context, action);
    if let Some(groups) = &model.groups {
        return Some(match groups.kind {
            Kind::Cohorts if model.run.count(TaskStatus::Review) == 0 => {
                format!("{} goes back", key(Context::Groups, Action::Back))
            }
            Kind::Cohorts => format!(
                "{} shows a group's first plan; back here, {} approves the whole group",
                key(Context::Groups, Action::Open),
                key(Context::Groups, Action::ApproveAll)
            ),
            Kind::Causes if model.run.count(TaskStatus::Failed) == 0 => {
                let back = key(Context::Groups, Action::Back);
                match u64::from(model.run.count(TaskStatus::Review)) {
                    0 => format!("{back} goes back"),
                    many => {
                        let (plans, next) = (plural(many, "plan"), key(Context::Steps, Action::NextWanted));
                        format!("{plans} in review now: {back} goes back, and {next} leads there")
                    }
                }
            }
            Kind::Causes => {
                format!("once the cause is mended, {} tries all of them again", key(Context::Groups, Action::Retry))
            }
        });
    }
    let id = model.cursor?;
    match model.tab {
        Tab::Steps => Some(in_steps(model, id)),
        Tab::Matrix => Some(in_matrix(model)),
        Tab::Review => Some(in_review(model, id)),
        Tab::Evidence => Some(format!(
            "on record: who approved which plan, and what was read back; {} is the list",
            key(Context::Everywhere, Action::ShowSteps)
        )),
    }
}

fn in_matrix(model: &Model) -> String {
    let key = |action| model.keymap.key(Context::Matrix, action);
    let (open, zoom) = (key(Action::Open), key(Action::Zoom));
    match model.sight.zoom.size() {
        1 => format!("a row for each user; {open} looks into the task under the cursor, {zoom} zooms out"),
        many => format!("a row for each {many} users; {open} lists the tasks behind a cell, {zoom} zooms on"),
    }
}

fn in_steps(model: &Model, id: TaskId) -> String {
    let key = |action| model.keymap.key(Context::Steps, action);
    let open = key(Action::Open);
    let Some(task) = model.run.tasks.get(id.index()) else { return String::new() };
    let marked = model.rows.marks_shown();
    if marked > 0 && model.run.count(TaskStatus::Review) > 0 {
        let (all, back) = (key(Action::ApproveAll), key(Action::Back));
        let marked = plural(marked as u64, "marked task");
        return format!("{all} approves what is in review of {marked}; {back} unmarks");
    }
    let whom = owner_of(&model.run, id).map_or_else(|| shown_name(&model.run, id), |owner| visible(owner).into_owned());
    match task.status {
        TaskStatus::Failed => format!("{open}: why it failed, what is there now, and what can be done"),
        TaskStatus::Unknown => format!("{open}: nobody knows whether it was applied; look at the target, then say"),
        TaskStatus::Review if task.pass == Pass::Undo => {
            format!("{open} shows what the undo would change; nothing is undone before you approve it")
        }
        TaskStatus::Review
            if model.run.count(TaskStatus::Done) > 0 && in_review_here(model, id) > 1 && is_seen(model) =>
        {
            let cohorts = model.keymap.key(Context::Everywhere, Action::Cohorts);
            format!(
                "{open} shows one plan; {} approves all of this step; {cohorts} sorts them",
                key(Action::ApproveAll)
            )
        }
        TaskStatus::Review => {
            format!("{open} shows what would change for {whom}; nothing is written before you say yes")
        }
        TaskStatus::Ready if model.is_confirm(id) => to_confirm(model),
        status => elsewhere(model, status),
    }
}

/// Where this task needs nobody: what does.
fn elsewhere(model: &Model, status: TaskStatus) -> String {
    let next = model.keymap.key(Context::Steps, Action::NextWanted);
    let count = |status| model.run.count(status);
    if count(TaskStatus::Failed) + count(TaskStatus::Unknown) > 0 {
        return format!("{next} leads to what failed");
    }
    if count(TaskStatus::Review) > 0 {
        return format!("{next} leads to the next task that needs you");
    }
    if model.to_confirm() > 0 {
        let confirm = model.keymap.key(Context::Steps, Action::Confirm);
        return format!("a person must confirm something: {next} leads there, {confirm} confirms it");
    }
    if !model.is_complete() {
        return "nothing waits for you now".to_owned();
    }
    settled(model, status)
}

/// Nothing is left to do: how to leave, and the way back.
pub fn settled(model: &Model, status: TaskStatus) -> String {
    let quit = model.keymap.key(Context::Everywhere, Action::Quit);
    let undo = model.keymap.key(Context::Steps, Action::Undo);
    let all = model.keymap.key(Context::Steps, Action::MarkAll);
    match status {
        _ if model.read_only => "every task is settled".to_owned(),
        _ if !model.cursor.and_then(|id| model.run.tasks.get(id.index())).is_some_and(TaskState::can_be_undone) => {
            format!("every task is settled: {quit} leaves, {undo} on a task that wrote something plans its way back")
        }
        TaskStatus::Done if model.tab == Tab::Steps => {
            format!("every task is settled: {quit} leaves; {undo} plans this one's way back, {all} {undo} that of all")
        }
        TaskStatus::Done => format!("every task is settled: {quit} leaves, {undo} plans the way back of this one"),
        _ => format!("every task is settled: {quit} leaves, {undo} on a done task plans its way back"),
    }
}

fn in_review(model: &Model, id: TaskId) -> String {
    let key = |action| model.keymap.key(Context::Review, action);
    let next = key(Action::NextWanted);
    let Some(task) = model.run.tasks.get(id.index()) else { return String::new() };
    match (task.status, model.reviewed()) {
        (TaskStatus::Review, Some((_, loaded))) => {
            let (approve, open) = (key(Action::Approve), key(Action::Open));
            let left_out = loaded.selection.left_out_count() as u64;
            if loaded.proposal.plan.command.is_some() {
                format!("this command would be run; {approve} asks once more, {} skips it", key(Action::Skip))
            } else if left_out > 0 && loaded.totals.taken == 0 {
                format!("nothing is taken, so nothing would be written; {} takes again", key(Action::Take))
            } else if left_out > 0 {
                let left_out = plural(left_out, "hunk");
                format!("{left_out} left out: nothing of it is written; {approve} approves the rest")
            } else if task.pass == Pass::Undo {
                format!("this would be undone; {approve} approves it, as any other plan")
            } else if loaded.diffs.is_empty() && loaded.is_at_file() {
                format!("{open} shows what differs in this file; {approve} approves all that is taken")
            } else {
                format!(
                    "{} leaves out what you do not want; {approve} asks once more, then applies",
                    key(Action::Leave)
                )
            }
        }
        (TaskStatus::Review, None) => "the plan is being read".to_owned(),
        (TaskStatus::Failed | TaskStatus::Unknown, _) => {
            format!("{}: why, and what can be done", key(Action::Open))
        }
        (TaskStatus::Approved | TaskStatus::Applying, _) => "being written; then it is read back".to_owned(),
        (TaskStatus::Done, _) if words::only_asks(&model.run, id) && model.run.count(TaskStatus::Review) > 0 => {
            format!("it asked, and wrote nothing; {next} goes on to the next")
        }
        (TaskStatus::Done, _) if model.run.count(TaskStatus::Review) > 0 => {
            format!("done, and read back equal to what you approved; {next} goes on to the next")
        }
        (TaskStatus::Undone, _) if model.cursor.is_some_and(|id| !model.run.stays(id).is_empty()) => {
            "undone, but not all of it came back: its plan and its evidence say what".to_owned()
        }
        (TaskStatus::Undone, _) => "undone, and read back: it is as it was before".to_owned(),
        (TaskStatus::Ready, _) if model.is_confirm(id) => to_confirm(model),
        (status, _) => elsewhere(model, status),
    }
}

fn is_seen(model: &Model) -> bool {
    !model.seen.is_empty()
}

fn in_review_here(model: &Model, id: TaskId) -> u32 {
    model.run.step_count(model.run.step_of(id), TaskStatus::Review)
}

fn to_confirm(model: &Model) -> String {
    format!("{}: a person must see to this one", model.keymap.key(Context::Steps, Action::Confirm))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Notice;
    use crate::model::{Event, Known};
    use crate::tui::fixtures::{Desk, Story, document_proposal, story, tree_proposal};
    use crate::tui::msg::Msg;

    fn told(desk: &mut Desk) -> String {
        desk.draw();
        hint(&desk.model).unwrap_or_default()
    }

    #[test]
    fn the_hint_follows_the_operator_from_a_loss_to_its_way_back() {
        let mut story = story();
        let mut desk = Desk::new(&story, 80, 24);
        assert!(told(&mut desk).contains("] leads to what failed"), "{}", told(&mut desk));
        desk.at("home/ana");
        assert!(told(&mut desk).contains("enter shows what would change for ana"));
        desk.press("enter").answer(&tree_proposal("home/ana"));
        assert!(told(&mut desk).contains("enter shows what differs in this file"));
        desk.press("n");
        assert!(told(&mut desk).contains("the plan is being read"), "not recorded yet: {}", told(&mut desk));
        desk.at("home/bob").press("3").answer(&document_proposal("home/bob"));
        assert!(told(&mut desk).contains("n leaves out what you do not want; a asks once more"));
        applied(&mut desk, &mut story, "home/bob");
        assert!(told(&mut desk).contains("read back equal to what you approved; ] goes on"), "{}", told(&mut desk));
        desk.at("home/cyd").press("1");
        assert!(told(&mut desk).contains("enter: why it failed"));
    }

    fn applied(desk: &mut Desk, story: &mut Story, name: &str) {
        let task = story.task(name);
        let digest = document_proposal(name).plan.digest(&crate::model::Selection::all());
        let mut tell = |desk: &mut Desk, event| {
            let Notice::Event(recorded) = story.add(event) else { return };
            desk.send(Msg::Notice(Notice::Event(recorded)));
        };
        tell(desk, Event::Approved { task, digest, by: "ana".to_owned() });
        tell(desk, Event::Intent { task, attempt: 1, digest, pre: digest, undoable: true });
        let (evidence, problem) = (String::new(), None);
        tell(
            desk,
            Event::Outcome {
                task,
                known: Known::Applied,
                post: Some(digest),
                evidence,
                problem,
                partial: false,
                kept: None,
                dependents_go_on: false,
                bytes: None,
                output: None,
            },
        );
    }

    #[test]
    fn no_hint_of_the_shipped_keys_is_cut_in_a_plain_terminal() {
        let mut desk = Desk::new(&story(), 80, 24);
        desk.model.tour = true;
        for name in ["account/ana", "home/ana", "home/bob", "home/cyd", "home/dee", "seen"] {
            for tab in ["1", "2", "3", "4", "C", "F"] {
                desk.press("1").at(name).press(tab).answer(&tree_proposal(name));
                let hint = told(&mut desk);
                assert!(hint.chars().count() <= 78, "{name} {tab}: {} columns: {hint}", hint.chars().count());
                desk.press("esc");
            }
        }
    }

    #[test]
    fn hints_are_put_away_by_one_key_and_watchers_have_none() {
        let mut desk = Desk::new(&story(), 80, 24);
        desk.model.notes = Default::default();
        assert!(!desk.text().contains("leads to what failed"), "none is asked for");
        desk.press("T");
        assert!(desk.text().contains("leads to what failed"), "{}", desk.text());
        desk.press("T");
        assert!(!desk.text().contains("leads to what failed"));
        desk.model.read_only = true;
        assert_eq!(hint(&desk.model), None);
    }
}
