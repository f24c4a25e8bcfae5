use std::collections::BTreeSet;

use crate::model::{Counts, Digest, Pass, Preview, StepKind, TaskId, TaskStatus, visible};
use crate::tui::keymap::{Action, Context};
use crate::tui::names::{shown_name, shown_step, shown_target};
use crate::tui::state::{Model, Tab};

use super::{Approve, ApproveAll, Demand, Dialog, Question};

/// The question for the plan on the screen, or why it cannot be asked yet.
pub fn ask_approval(model: &Model) -> Result<Dialog, String> {
    let Some(id) = model.cursor else { return Err("there is no task".to_owned()) };
    let status = model.run.tasks.get(id.index()).map_or(TaskStatus::Waiting, |task| task.status);
    if status != TaskStatus::Review {
        return Err(format!("{} is {}: there is no plan to approve", shown_name(&model.run, id), status.word()));
    }
    let Some((id, loaded)) = model.reviewed() else {
        return Err("the plan on the screen is not the newest: wait a moment".to_owned());
    };
    if model.review.drawn != Some((id, loaded.digest)) {
        return Err("this plan has not been on the screen yet".to_owned());
    }
    let plan = &loaded.proposal.plan;
    let counts = loaded.totals.counts;
    if counts == Counts::default() && plan.command.is_none() {
        return Err("every hunk is left out: skip the task instead (s)".to_owned());
    }
    let irreversible: Vec<_> = plan.irreversible(&loaded.selection).collect();
    let warnings = plan.warnings.len() + plan.changes.iter().map(|change| change.warnings.len()).sum::<usize>();
    let demand = Demand::for_one(counts, irreversible.len(), plan.preview == Preview::Opaque);
    Ok(Dialog::new(Question::Approve(Approve {
        task: id,
        digest: loaded.digest,
        name: shown_name(&model.run, id),
        target: plan.target.clone(),
        command: plan.command.as_ref().map(|command| command.lines(model.theme.mask())).unwrap_or_default(),
        source: plan.source.clone(),
        counts,
        by_op: loaded.totals.by_op,
        left_out: loaded.selection.left_out_count(),
        warnings,
        preview: plan.preview,
        is_undo: plan.pass == Pass::Undo,
        irreversible,
        demand,
    })))
}

/// The question for many plans: from Review all that are equal to the one on the screen, from Steps
/// those that are marked, else those of the cursor's step. Only what the list shows is taken.
pub fn ask_approval_of_all(model: &Model) -> Result<Dialog, String> {
    let Some(id) = model.cursor else { return Err("there is no task".to_owned()) };
    let run = &model.run;
    let in_review = |id: &TaskId| run.tasks.get(id.index()).is_some_and(|task| task.status == TaskStatus::Review);
    let cohort_of = |id: TaskId| model.run.plans.get(&id).map(|facts| facts.cohort);
    let (which, tasks): (String, Vec<TaskId>) = if model.tab == Tab::Review {
        let drawn = model.reviewed().filter(|(id, loaded)| model.review.drawn == Some((*id, loaded.digest)));
        let Some((id, loaded)) = drawn else {
            return Err("the plan on the screen is not the newest: wait a moment".to_owned());
        };
        if !loaded.selection.takes_all() {
            return Err("hunks of this plan are left out, so no other is equal to it: approve it alone".to_owned());
        }
        let cohort = cohort_of(id);
        let equal = (0..run.tasks.len()).filter_map(|at| Some(TaskId(u32::try_from(at).ok()?)));
        let equal = equal.filter(|other| {
            in_review(other) && cohort.is_some() && cohort_of(*other) == cohort && run.selection(*other).takes_all()
        });
        let equal = equal.filter(|other| *other != id);
        (
            format!("plans equal to {}", shown_name(run, id)),
            std::iter::once(id).filter(in_review).chain(equal).collect(),
        )
    } else if model.tab == Tab::Steps && !model.marks.is_empty() {
        let mut tasks: Vec<TaskId> = model.rows.shown_of(&model.marks).into_iter().filter(in_review).collect();
        // What came last is undone first, as it is planned: a home before the account it needed.
        if tasks.iter().all(|id| run.tasks.get(id.index()).is_some_and(|task| task.pass == Pass::Undo)) {
            tasks.reverse();
        }
        ("plans that are marked, in review and shown".to_owned(), tasks)
    } else {
        let step = run.step_tasks(run.step_of(id)).map(TaskId);
        let shown: BTreeSet<TaskId> = model.rows.shown_of(&step.collect()).into_iter().collect();
        let tasks = shown.into_iter().filter(in_review).collect();
        (format!("plans of step {} that are in review and shown", shown_step(run, id)), tasks)
    };
    ask(model, which, tasks, model.tab == Tab::Review)
}

/// The question for a cohort: none of it is approved before one of it was on the screen.
pub fn ask_approval_of(model: &Model, tasks: Vec<TaskId>) -> Result<Dialog, String> {
    let digest = |id: &TaskId| model.run.tasks.get(id.index()).and_then(|task| task.digest());
    let Some(opened) = tasks.iter().find(|id| digest(id).is_some_and(|digest| model.seen.contains(&digest))) else {
        let key = |context, action| model.keymap.key(context, action);
        let (open, back) = (key(Context::Groups, Action::Open), key(Context::Review, Action::Back));
        return Err(format!("none of these plans was opened yet: {open} opens the first, {back} leads back here"));
    };
    let which = format!("plans equal to {}", shown_name(&model.run, *opened));
    // The one that was looked at goes first.
    let rest = tasks.iter().filter(|id| *id != opened);
    ask(model, which, std::iter::once(opened).chain(rest).copied().collect(), true)
}

fn ask(model: &Model, which: String, tasks: Vec<TaskId>, is_cohort: bool) -> Result<Dialog, String> {
    let run = &model.run;
    let cohort_of = |id: TaskId| model.run.plans.get(&id).map(|facts| facts.cohort);
    if let Some(unopened) = tasks.iter().find(|id| model.unopened.contains(id)) {
        let name = shown_name(run, *unopened);
        let key = |action| model.keymap.key(Context::Steps, action);
        let (retry, skip) = (key(Action::Retry), key(Action::Skip));
        return Err(format!(
            "the plan of {name} could not be opened: nothing is approved along with it; {retry} or {skip} settles it"
        ));
    }
    let plans: Vec<(TaskId, Digest)> =
        tasks.iter().filter_map(|id| Some((*id, run.tasks.get(id.index())?.digest()?))).collect();
    if plans.is_empty() {
        return Err(format!("there are no {which}"));
    }
    if let [(id, digest)] = plans[..]
        && model.cursor == Some(id)
        && model.review.drawn == Some((id, digest))
    {
        return ask_approval(model);
    }
    let opened = plans.iter().filter(|(_, digest)| model.seen.contains(digest)).count();
    let equal = plans.iter().filter(|(id, digest)| {
        let same = cohort_of(*id).is_some_and(|cohort| model.seen_cohorts.contains(&cohort));
        same && !model.seen.contains(digest) && run.selection(*id).takes_all()
    });
    let equal = equal.count();
    let mut counts = Counts::default();
    let mut resources = [0_u32; 3];
    for task in plans.iter().filter_map(|(id, _)| run.tasks.get(id.index())) {
        counts.create = counts.create.saturating_add(task.counts().create);
        counts.update = counts.update.saturating_add(task.counts().update);
        counts.hunks = counts.hunks.saturating_add(task.counts().hunks);
        counts.unreadable = counts.unreadable.saturating_add(task.counts().unreadable);
        for (sum, more) in resources.iter_mut().zip([task.counts().create, task.counts().update, task.counts().delete])
        {
            *sum = sum.saturating_add(more);
        }
        // Summed by what each plan says of itself: a delete of a resource may count hunks or not.
        counts.delete = counts.delete.saturating_add(task.counts().deletes());
    }
    let of = |wanted: &dyn Fn(TaskId) -> bool| plans.iter().filter(|(id, _)| wanted(*id)).count();
    // Of a plan that nothing is known of, the worst is said.
    let opaque = of(&|id| model.run.plans.get(&id).is_none_or(|facts| facts.preview != Preview::Exact));
    let irreversible = of(&|id| run.tasks.get(id.index()).is_some_and(|task| task.counts().irreversible > 0));
    let targets: BTreeSet<String> = plans.iter().filter_map(|(id, _)| shown_target(run, *id)).collect();
    Ok(Dialog::new(Question::ApproveAll(ApproveAll {
        unseen: plans.len() - opened - equal,
        opened,
        equal,
        opaque,
        commands: of(&|id| run.step(id).is_some_and(|step| step.kind == StepKind::Run)),
        undos: of(&|id| run.tasks.get(id.index()).is_some_and(|task| task.pass == Pass::Undo)),
        left_out: plans.iter().map(|(id, _)| run.selection(*id).left_out_count()).sum(),
        resources,
        which: visible(&which).into_owned(),
        targets: targets.into_iter().collect(),
        demand: match plans.len() {
            1 if opened == 1 => Demand::for_one(counts, irreversible, opaque > 0),
            many => Demand::for_many(many, counts),
        },
        is_cohort: is_cohort && plans.len() > 1,
        counts,
        plans,
    })))
}
