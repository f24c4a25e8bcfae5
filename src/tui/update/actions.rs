use std::collections::BTreeSet;

use crate::diff::files::TextDiff;
use crate::engine::Command;
use crate::model::{HunkAt, Pass, RunState, StepKind, TaskId, TaskState, TaskStatus};
use crate::tui::dialogs::{Dialog, Question, Verb, ask_approval, ask_approval_of_all};
use crate::tui::effect::Effect;
use crate::tui::groups::{Groups, Kind};
use crate::tui::keymap::{Action, Context};
use crate::tui::matrix;
use crate::tui::names::{set_and_owner, shown_name};
use crate::tui::origin::Origin;
use crate::tui::palette::Palette;
use crate::tui::rows::Grouping;
use crate::tui::state::{Input, Model, Tab};

use super::{grouped, loading, moves, searching, taking_away, typing};

pub fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    if commands(action)
        && let Some(why) = cannot_command(model)
    {
        model.complain(why);
        return Vec::new();
    }
    if let Some(effects) = grouped::act(model, action) {
        return effects;
    }
    match action {
        Action::Cohorts => grouped::open(model, Kind::Cohorts),
        Action::Causes => grouped::open(model, Kind::Causes),
        Action::Help => ask(model, Question::Help),
        Action::Quit => ask(model, Question::Quit),
        Action::Summary => ask(model, Question::Summary),
        Action::Suspend => return vec![Effect::Suspend],
        Action::Repaint => return vec![Effect::Repaint],
        Action::ShowSteps => show(model, Tab::Steps),
        Action::ShowMatrix => show(model, Tab::Matrix),
        Action::ShowReview => show(model, Tab::Review),
        Action::ShowEvidence => show(model, Tab::Evidence),
        Action::NextTab => show(model, beside(model.tab, 1)),
        Action::PreviousTab => show(model, beside(model.tab, Tab::ALL.len() - 1)),
        Action::Up
        | Action::Down
        | Action::Left
        | Action::Right
        | Action::PageUp
        | Action::PageDown
        | Action::HalfPageUp
        | Action::HalfPageDown
        | Action::First
        | Action::Last => moves::travel(model, action),
        Action::Open if model.tab == Tab::Review && !is_in_trouble(model) => return open_diff(model),
        Action::Open if model.tab == Tab::Matrix && model.sight.has_many() => drill(model),
        Action::Open => {
            let (origin, tab) = (Origin::of(model), model.tab);
            open(model);
            if model.tab != tab {
                model.origin = origin;
            }
        }
        Action::Back => back(model),
        Action::TurnGrouping => {
            model.rows.grouping = match model.rows.grouping {
                Grouping::ByStep => Grouping::ByOwner,
                Grouping::ByOwner => Grouping::ByStep,
            };
            model.rows.stale = true;
        }
        Action::Filter => {
            let text = model.rows.filter.text.clone();
            model.filter_input = Some((Input { text: text.clone() }, text));
        }
        Action::Search => searching::begin(model),
        Action::NextMatch => searching::step(model, true),
        Action::PreviousMatch => searching::step(model, false),
        Action::ViewDiff => return taking_away::view_diff(model),
        Action::Copy => return taking_away::copy(model),
        Action::Zoom => model.sight.zoom = model.sight.zoom.further(),
        Action::Fold => {
            model.sight.is_folded = !model.sight.is_folded;
            model.matrix_left = 0;
        }
        Action::TroubleFirst => {
            let is_sorted = model.sight.order.is_some();
            model.sight.order = (!is_sorted).then(|| matrix::by_trouble(&model.run));
        }
        Action::Hints => model.tour = !model.tour,
        Action::Palette => model.palette = Some(Palette::default()),
        Action::Mark => {
            if let Some(id) = shown_cursor(model) {
                if !model.marks.remove(&id) {
                    model.marks.insert(id);
                }
                moves::travel(model, Action::Down);
            }
        }
        Action::MarkAll => {
            let shown: BTreeSet<TaskId> = model.rows.tasks().collect();
            if shown.is_subset(&model.marks) {
                model.marks.retain(|id| !shown.contains(id));
            } else {
                model.marks.extend(shown);
            }
        }
        Action::PauseOrContinue => {
            let command = if model.run.state == RunState::Paused { Command::Continue } else { Command::Pause };
            return vec![Effect::Command(command)];
        }
        Action::Abort => ask(model, Question::Reason { verb: Verb::Abort }),
        Action::Retry => return retry(model),
        Action::Skip => {
            let can = |status| {
                use TaskStatus as S;
                matches!(status, S::Waiting | S::Ready | S::Review | S::Approved | S::Failed | S::Unknown)
            };
            let tasks = targets(model, can);
            match tasks.is_empty() {
                true => refuse(model, "can be skipped"),
                false => ask(model, Question::Reason { verb: Verb::Skip(tasks) }),
            }
        }
        Action::LeaveOut => {
            let mut owners: Vec<_> =
                targets(model, |_| true).into_iter().filter_map(|id| set_and_owner(&model.run, id)).collect();
            owners.sort();
            owners.dedup();
            match owners.is_empty() {
                true => model.complain("this step belongs to no user: skip it instead"),
                false => ask(model, Question::Reason { verb: Verb::LeaveOut(owners) }),
            }
        }
        Action::Undo => return undo(model),
        Action::Confirm => confirm(model),
        Action::Approve => ask_or_say(model, ask_approval),
        Action::ApproveAll => ask_or_say(model, ask_approval_of_all),
        Action::Take => return decide(model, Some(true)),
        Action::Leave => return decide(model, Some(false)),
        Action::Toggle => return decide(model, None),
        Action::NextWanted => moves::next_wanted(model, true),
        Action::PreviousWanted => moves::next_wanted(model, false),
        Action::LogTarget if model.heard.is_empty() => model.say("the log is empty: nobody has said anything yet"),
        Action::LogTarget => model.log_voice = crate::tui::voice::next(&model.heard, model.log_voice),
        Action::LogLevel => {
            use ::log::LevelFilter as Level;
            model.log_level = match model.log_level {
                Level::Info => Level::Warn,
                Level::Warn => Level::Error,
                _ => Level::Info,
            };
        }
    }
    Vec::new()
}

/// Whether an action asks something of the engine, at once or by a dialog.
fn commands(action: Action) -> bool {
    matches!(
        action,
        Action::PauseOrContinue
            | Action::Abort
            | Action::Retry
            | Action::Skip
            | Action::LeaveOut
            | Action::Undo
            | Action::Confirm
            | Action::Approve
            | Action::ApproveAll
            | Action::Take
            | Action::Leave
            | Action::Toggle
    )
}

fn cannot_command(model: &Model) -> Option<&'static str> {
    if model.read_only && !model.is_held {
        Some("this screen only watches, and nobody holds the run: leave, and `rekindle resume`")
    } else if model.read_only {
        Some("this screen only watches: the run is held by another process")
    } else if model.stopped.is_some() {
        Some("the engine has stopped: leave, and `rekindle resume`")
    } else if model.broken.is_some() {
        Some("what is shown is not reliable any more: leave, and see the report")
    } else {
        None
    }
}

fn ask(model: &mut Model, question: Question) {
    model.dialog = Some(Dialog::new(question));
}

fn ask_or_say(model: &mut Model, question: fn(&Model) -> Result<Dialog, String>) {
    match question(model) {
        Ok(dialog) => model.dialog = Some(dialog),
        Err(why) => model.complain(why),
    }
}

/// The screen so many further on, around the end.
fn beside(tab: Tab, by: usize) -> Tab {
    let at = Tab::ALL.iter().position(|one| *one == tab).unwrap_or(0);
    Tab::ALL[(at + by) % Tab::ALL.len()]
}

fn show(model: &mut Model, tab: Tab) {
    model.tab = tab;
    model.origin = None;
    model.review.drawn = None;
    model.search.is_typed = false;
}

fn status(model: &Model, id: TaskId) -> TaskStatus {
    model.run.tasks.get(id.index()).map_or(TaskStatus::Waiting, |task| task.status)
}

/// The task under the cursor, unless the list is on the screen and does not show it.
fn shown_cursor(model: &Model) -> Option<TaskId> {
    model.cursor.filter(|id| model.tab != Tab::Steps || model.rows.shows(*id))
}

/// What an action is about: in the list the marked tasks that are shown, else the cursor's.
fn targets(model: &Model, can: impl Fn(TaskStatus) -> bool) -> Vec<TaskId> {
    let marked = if model.tab == Tab::Steps { model.rows.shown_of(&model.marks) } else { Vec::new() };
    let wanted = if marked.is_empty() { shown_cursor(model).into_iter().collect() } else { marked };
    wanted.into_iter().filter(|id| can(status(model, *id))).collect()
}

/// The task under the cursor waits for somebody to say what becomes of it.
fn is_in_trouble(model: &Model) -> bool {
    model.cursor.is_some_and(|id| matches!(status(model, id), TaskStatus::Failed | TaskStatus::Unknown))
}

fn open(model: &mut Model) {
    let Some(id) = shown_cursor(model) else { return };
    match status(model, id) {
        TaskStatus::Failed => ask(model, Question::Failure { task: id }),
        TaskStatus::Unknown => ask(model, Question::Settle { task: id }),
        TaskStatus::Review | TaskStatus::Approved | TaskStatus::Applying => show(model, Tab::Review),
        TaskStatus::Ready if is_confirm(model, id) => confirm(model),
        _ => show(model, Tab::Evidence),
    }
}

/// The tasks behind a cell of many users, as a list.
fn drill(model: &mut Model) {
    let Some(id) = model.cursor else { return };
    let Some(line) = matrix::line_of(model, id) else { return };
    let columns = matrix::columns(&model.run, model.sight.is_folded);
    let Some(column) = columns.iter().find(|column| column.has(&model.run, id)) else { return };
    let tasks: BTreeSet<TaskId> = matrix::tasks_in(model, line, column).collect();
    if tasks.len() == 1 {
        return open(model);
    }
    let worst = matrix::worst(&model.run, tasks.iter().copied());
    let many = crate::model::plural(tasks.len() as u64, "task");
    typing::apply(model, "");
    model.rows.filter = crate::tui::filter::Filter::of(tasks, "behind a cell of the matrix");
    model.rows.stale = true;
    moves::to(model, worst);
    let back = model.keymap.key(Context::Steps, Action::Back);
    model.say(format!("{many} behind that cell; {back} shows all again"));
    show(model, Tab::Steps);
}

fn back(model: &mut Model) {
    if model.tab == Tab::Review && !model.search.text.is_empty() {
        return searching::end(model);
    }
    let theme = model.theme;
    if model.tab == Tab::Review && model.review.loaded_mut().is_some_and(|loaded| loaded.close_diff(theme)) {
        return;
    }
    match model.origin.take() {
        Some(Origin::Matrix) => return show(model, Tab::Matrix),
        Some(Origin::Groups { kind, at, tab }) => {
            show(model, tab);
            model.groups = Some(Groups::of(kind, &model.run, model.rows.filter.clone(), at));
            return;
        }
        None if model.tab != Tab::Steps => return show(model, Tab::Steps),
        None => {}
    }
    if !model.rows.filter.is_empty() {
        typing::apply(model, "");
    } else {
        model.marks.clear();
    }
}

/// Says why nothing happens, of what a key would have acted on: marks are easily forgotten.
fn refuse(model: &mut Model, what: &str) {
    let marked = if model.tab == Tab::Steps { model.rows.shown_of(&model.marks).len() } else { 0 };
    if marked > 0 {
        let esc = model.keymap.key(Context::Steps, Action::Back);
        let told =
            format!("of the {} nothing {what}; {esc} unmarks", crate::model::plural(marked as u64, "marked task"));
        return model.complain(told);
    }
    let name = shown_cursor(model).map(|id| format!("{} ({}): ", shown_name(&model.run, id), status(model, id).word()));
    model.complain(format!("{}nothing here {what}", name.unwrap_or_default()));
}

fn retry(model: &mut Model) -> Vec<Effect> {
    use TaskStatus as S;
    let tasks = targets(model, |status| matches!(status, S::Failed | S::Unknown | S::Skipped | S::Undone));
    if tasks.is_empty() {
        refuse(model, "can be retried: only what failed, is unknown, skipped or undone");
    }
    tasks.into_iter().map(|task| Effect::Command(Command::Retry { task })).collect()
}

/// Nothing changes yet: the way back is planned and waits in review like any other plan.
fn undo(model: &mut Model) -> Vec<Effect> {
    let can = |id: &TaskId| model.run.tasks.get(id.index()).is_some_and(TaskState::can_be_undone);
    let marked = if model.tab == Tab::Steps { model.rows.shown_of(&model.marks) } else { Vec::new() };
    if !marked.is_empty() {
        let tasks: Vec<TaskId> = marked.into_iter().filter(can).collect();
        match tasks.len() as u64 {
            0 => refuse(model, "can be undone"),
            many => {
                let told = format!("planning the way back of {}", crate::model::plural(many, "task"));
                model.notes.promise(tasks.iter().copied(), told);
            }
        }
        // What came last goes first: a home before the account it needed.
        return tasks.into_iter().rev().map(|task| Effect::Command(Command::Undo { task })).collect();
    }
    let Some(id) = shown_cursor(model) else { return Vec::new() };
    if !can(&id) {
        let is_planned = model.run.tasks.get(id.index()).is_some_and(|task| task.pass == Pass::Undo)
            && status(model, id) == TaskStatus::Review;
        let (name, key) = (shown_name(&model.run, id), |action| model.keymap.key(Context::Review, action));
        let why = match is_planned {
            true => format!(
                "the undo of {name} is planned: {} shows it, {} there approves it, {} drops it",
                model.keymap.key(Context::Everywhere, Action::ShowReview),
                key(Action::Approve),
                key(Action::Skip)
            ),
            false => format!("{name} has nothing that can be undone"),
        };
        model.complain(why);
        return Vec::new();
    }
    show(model, Tab::Review);
    let told = "planning the way back; its diff comes here, nothing changes before you approve it";
    model.notes.promise([id], told);
    vec![Effect::Command(Command::Undo { task: id })]
}

fn is_confirm(model: &Model, id: TaskId) -> bool {
    model.run.step(id).is_some_and(|step| step.kind == StepKind::Confirm)
}

fn confirm(model: &mut Model) {
    match shown_cursor(model) {
        Some(id) if is_confirm(model, id) && status(model, id) == TaskStatus::Ready => {
            let question = model.run.question(id);
            ask(model, Question::Confirm { task: id, question });
        }
        _ => model.complain("there is nothing here for a person to confirm"),
    }
}

fn decide(model: &mut Model, take: Option<bool>) -> Vec<Effect> {
    let Some(id) = model.cursor else { return Vec::new() };
    // In `less` and `vim` this key goes on to the next place: here it would leave out a hunk unawares.
    if take == Some(false) && !model.search.text.is_empty() {
        let key = |action| model.keymap.key(Context::Review, action);
        model.complain(format!(
            "a search is on: {} is the next place, {} leaves out, {} ends the search",
            key(Action::NextMatch),
            key(Action::Toggle),
            key(Action::Back)
        ));
        return Vec::new();
    }
    if status(model, id) != TaskStatus::Review || model.review.task != Some(id) {
        model.complain("there is no plan in review to decide on");
        return Vec::new();
    }
    let is_seen = model.review.painted == Some(model.review.generation);
    let Some(loaded) = model.review.loaded_mut().filter(|_| is_seen) else { return Vec::new() };
    let changed = loaded.decide(take);
    let said = loaded.followed.take();
    let selection = loaded.selection.clone();
    loaded.forward();
    if let Some(said) = said {
        model.say(said);
    }
    if !changed {
        return Vec::new();
    }
    model.review.sent.push_back(selection.clone());
    vec![Effect::Command(Command::Decide { task: id, selection })]
}

fn open_diff(model: &mut Model) -> Vec<Effect> {
    let (theme, generation) = (model.theme, model.review.generation);
    let is_record = model.cursor.is_some_and(|id| loading::is_over(model, id));
    let Some(loaded) = model.review.loaded_mut() else { return Vec::new() };
    let Some((change, hunk)) = loaded.rows.get(loaded.cursor).and_then(|row| row.hunk()) else { return Vec::new() };
    let plan = &loaded.proposal.plan;
    let found = plan.changes.get(change as usize).and_then(|change| change.hunks.get(hunk as usize));
    let Some(found) = found else { return Vec::new() };
    let is_field = matches!(found.at, HunkAt::Field { .. });
    let secrets = matches!(loaded.diffs.get(&(change, hunk)), Some(Some(diff)) if diff.is_withheld);
    if !secrets && loaded.close_diff(theme) {
        return Vec::new();
    }
    if loaded.is_bodiless() {
        let why = match is_record {
            _ if is_field => "the rest of the document is not on record",
            true => "what a file held is kept for undo alone, not shown",
            false => "the files are read by the process that holds the run",
        };
        loaded.diffs.insert((change, hunk), Some(TextDiff::note(why)));
        loaded.build(theme);
        return Vec::new();
    }
    loaded.diffs.insert((change, hunk), None);
    loaded.build(theme);
    if is_field {
        return vec![Effect::LoadFieldDiff { generation, proposal: loaded.proposal.clone(), change, hunk }];
    }
    vec![Effect::LoadFileDiff { generation, proposal: loaded.proposal.clone(), change, hunk, secrets }]
}
