use crate::cli::Output;
use crate::cli::decisions::PlannedTask;
use crate::cli::plain::{
    Asking, Choice, Person, PlanShown, Question, approval, counted, group_approval, leave_out_hunks, sides,
};
use crate::model::{Digest, Plan, Result, Selection, visible};

/// Hunks of a plan that are shown unasked.
const MOST_HUNKS: usize = 40;

/// What a person says to one plan.
pub enum Decided {
    Yes(Selection),
    /// This one and all that change the same.
    All,
    No,
    Leave,
}

/// Shows a plan and asks until it is decided.
pub async fn ask(
    task: &PlannedTask,
    plan: &Plan,
    equal: &[(&PlannedTask, Digest, &Plan)],
    output: &Output,
) -> Result<Decided> {
    let person = Person::default();
    let mut selection = Selection::all();
    show(task, plan, &selection, MOST_HUNKS, output)?;
    let hunks: usize = plan.changes.iter().map(|change| change.hunks.len()).sum();
    let name = visible(&task.task);
    loop {
        let is_whole = selection.takes_all() && !equal.is_empty();
        let mut choices = vec![Choice::Approve];
        choices.extend(is_whole.then_some(Choice::Group));
        choices.extend((hunks > 0).then_some(Choice::Hunks));
        choices.extend((hunks > MOST_HUNKS).then_some(Choice::Full));
        choices.extend([Choice::Later, Choice::Quit]);
        let question = Question {
            sentence: format!("What is to be done with this plan of {name}?"),
            choices,
            owner: None,
            more: equal.len(),
            has_canary: false,
            asking: Asking::Review,
            about: format!("review of {name}"),
        };
        match person.ask(&question).await {
            Some(Choice::Approve) => {
                if approval(person, plan, &selection).await {
                    return Ok(Decided::Yes(selection));
                }
            }
            Some(Choice::Group) => {
                let plans = || std::iter::once(plan).chain(equal.iter().map(|(_, _, plan)| *plan));
                let names = std::iter::once(task).chain(equal.iter().map(|(task, ..)| *task));
                let names: Vec<String> = names.map(|task| visible(&task.task).into_owned()).collect();
                let deletes = plans().map(|plan| plan.counts(&Selection::all()).deletes()).sum();
                let is_lost = plans().any(Plan::loses_something);
                if group_approval(person, &names, deletes, is_lost, false).await {
                    return Ok(Decided::All);
                }
                person.tell("nothing was approved");
            }
            Some(Choice::Hunks) => {
                let Some(said) = leave_out_hunks(person, plan, &mut selection).await else { return Ok(Decided::Leave) };
                for line in said {
                    output.print(&format!("{line}\n"))?;
                }
                show(task, plan, &selection, MOST_HUNKS, output)?;
            }
            Some(Choice::Full) => show(task, plan, &selection, usize::MAX, output)?,
            Some(Choice::Quit) | None => return Ok(Decided::Leave),
            Some(_) => return Ok(Decided::No),
        }
    }
}

fn show(task: &PlannedTask, plan: &Plan, selection: &Selection, most: usize, output: &Output) -> Result<()> {
    let mut text = format!("\n{}\n  target {}\n", visible(&task.task), plan.target);
    if plan.command.is_none() {
        text.push_str(&format!("  source {}\n", plan.source));
    }
    for doubt in &task.warnings {
        text.push_str(&format!("  ! {}\n", visible(doubt)));
    }
    if task.lines.iter().any(|saved| !saved.diff.lines.is_empty()) {
        text.push_str(&format!("{}\n", sides(plan.pass)));
    }
    // The file holds no more of them.
    let for_lines = "this plan was saved so: `rekindle plan --all --out` keeps every line";
    let shown = PlanShown { plan, selection, most, for_all: "f", for_lines };
    let of = |at: (u32, u32)| task.lines.iter().find(|saved| (saved.change, saved.hunk) == at);
    shown.tell(&mut |at| of(at).map(|saved| saved.diff.clone()), &mut |line| {
        text.push_str(&line.painted(output.color));
        text.push('\n');
    });
    let counts = counted(plan.counts(selection), plan.preview);
    output.print(&format!("{text}  {counts}  plan {}\n", plan.digest(selection).short()))
}
