use crate::model::{HunkAt, Shown, TaskStatus, plural, visible};
use crate::tui::effect::Effect;
use crate::tui::file_search;
use crate::tui::names::{shown_name, shown_target};
use crate::tui::review::{Loaded, ReviewRow};
use crate::tui::search::row_text;
use crate::tui::state::{Model, Tab};
use crate::tui::whole_diff::{FileDiff, MOST_FILES};
use crate::tui::words;

/// A pager shows long lines in its own way: none is broken for it.
const WIDE: usize = 16 * 1024;
/// Terminals take no more at once.
const MOST_COPIED: usize = 64 * 1024;

/// The plan on the screen as a text for a pager: what the Review pane would show if it had no end and all were open.
pub fn view_diff(model: &mut Model) -> Vec<Effect> {
    let generation = model.review.generation;
    let Some(loaded) = model.cursor.and(model.review.loaded()) else {
        model.complain("there is no plan here to view");
        return Vec::new();
    };
    let files = if loaded.is_bodiless() { Vec::new() } else { file_search::unopened(loaded) };
    if files.is_empty() {
        return view_whole(model, generation, Vec::new());
    }
    let proposal = loaded.proposal.clone();
    model.say(format!("reading {} for the view", plural(files.len().min(MOST_FILES) as u64, "file")));
    vec![Effect::LoadWholeDiff { generation, proposal, files }]
}

/// With what was read of files that are not open on the screen.
pub fn view_whole(model: &mut Model, generation: u64, read: Vec<FileDiff>) -> Vec<Effect> {
    let (Some(id), Some(loaded)) = (model.cursor, model.review.loaded()) else { return Vec::new() };
    // Somebody went on to another plan meanwhile.
    if model.review.generation != generation {
        return Vec::new();
    }
    let mut whole = Loaded::new(loaded.proposal.clone(), loaded.selection.clone(), WIDE, model.theme);
    let open = loaded.diffs.iter().filter_map(|(at, diff)| Some((*at, diff.clone()?)));
    whole.diffs = read.into_iter().chain(open).map(|(at, diff)| (at, Some(diff))).collect();
    whole.unpaired();
    whole.build(model.theme);
    let plan = &whole.proposal.plan;
    let mut text = format!(
        "{}\ntarget  {}\nsource  {}\nplan    {}  {}\n\n",
        shown_name(&model.run, id),
        shown_target(&model.run, id).unwrap_or_else(|| visible(&plan.target.to_string()).into_owned()),
        visible(&plan.source.to_string()),
        whole.digest.short(),
        words::preview(plan.preview),
    );
    for row in &whole.rows {
        text.push_str(&row_text(&whole, row, model.theme));
        text.push('\n');
    }
    vec![Effect::View { text }]
}

/// To the clipboard: in Review the path, or below it the value, in lists the task's name and what failed.
pub fn copy(model: &mut Model) -> Vec<Effect> {
    let found = match (model.tab, model.review.loaded()) {
        (Tab::Review, Some(loaded)) if model.review.task == model.cursor => of_row(loaded),
        _ => of_task(model),
    };
    match found {
        Ok(text) if text.len() > MOST_COPIED => {
            model.complain("this is too long for the clipboard: view it instead");
            Vec::new()
        }
        Ok(text) => {
            let told = crate::tui::cells::fit(&text.replace('\n', " "), 40, model.theme.cut());
            model.say(format!("handed to the terminal's clipboard: {told}"));
            vec![Effect::Copy { text }]
        }
        Err(why) => {
            model.complain(why);
            Vec::new()
        }
    }
}

fn of_task(model: &Model) -> Result<String, String> {
    let id = model.cursor.ok_or("there is no task")?;
    let name = shown_name(&model.run, id);
    let is_failed = model.run.tasks.get(id.index()).is_some_and(|task| task.status == TaskStatus::Failed);
    let problem = model.run.problems.get(&id).filter(|_| is_failed);
    Ok(problem.map_or(name.clone(), |problem| format!("{name}: {}", visible(&problem.what))))
}

fn of_row(loaded: &Loaded) -> Result<String, String> {
    let plan = &loaded.proposal.plan;
    let found = |change: &u32, hunk: &u32| plan.changes.get(*change as usize)?.hunks.get(*hunk as usize);
    match loaded.rows.get(loaded.cursor) {
        None => Err("there is nothing under the cursor".to_owned()),
        Some(ReviewRow::Warning(text) | ReviewRow::Command(text)) => Ok(text.clone()),
        Some(ReviewRow::Heading(change)) => {
            let id = plan.changes.get(*change as usize).map(|change| change.id.to_string());
            Ok(visible(&id.unwrap_or_default()).into_owned())
        }
        Some(ReviewRow::Hunk(change, hunk)) => {
            let place = found(change, hunk).map(|hunk| visible(&hunk.place()).into_owned());
            place.ok_or_else(|| "there is nothing under the cursor".to_owned())
        }
        Some(ReviewRow::Line { change, hunk, side, text, .. }) => match found(change, hunk).map(|hunk| &hunk.at) {
            Some(HunkAt::Field { before, after, .. }) => {
                use crate::diff::files::Side;
                let shown = if *side == Side::Removed { before } else { after };
                match shown {
                    Some(Shown::Plain(serde_json::Value::String(value))) if *side != Side::Both => {
                        Ok(visible(value).into_owned())
                    }
                    Some(Shown::Plain(value)) if *side != Side::Both => Ok(visible(&value.to_string()).into_owned()),
                    Some(Shown::Secret(_) | Shown::Masked) => Err("a secret is never copied".to_owned()),
                    _ => Ok(text.clone()),
                }
            }
            _ => Ok(text.clone()),
        },
        // What will be there, and where nothing will be, what goes.
        Some(ReviewRow::Pair { old, new, .. }) => {
            new.as_ref().or(old.as_ref()).map(|half| half.text.clone()).ok_or_else(|| "this line is empty".to_owned())
        }
    }
}
