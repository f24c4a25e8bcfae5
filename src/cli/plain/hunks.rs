use crate::model::{Plan, Selection, visible};

/// What asks for the numbers of [`choose_hunks`].
pub const HUNKS_QUESTION: &str =
    "Type the numbers of hunks to leave them out, or to take them again, with spaces between.";

/// Turns the named hunks over; answers what there is to say about it.
pub fn choose_hunks(plan: &Plan, selection: &mut Selection, typed: &str) -> Vec<String> {
    let positions: Vec<(usize, usize)> = plan
        .changes
        .iter()
        .enumerate()
        .flat_map(|(at, change)| (0..change.hunks.len()).map(move |hunk| (at, hunk)))
        .collect();
    let mut said = Vec::new();
    for word in typed.split_whitespace() {
        let position = word.parse::<usize>().ok().and_then(|number| positions.get(number.checked_sub(1)?));
        let Some((change, hunk)) = position else {
            said.push(format!("  there is no hunk '{}'", visible(word)));
            continue;
        };
        let take = !selection.takes(*change, *hunk);
        let before = selection.left_out_count();
        selection.decide(plan, *change, *hunk, take);
        let moved = before.abs_diff(selection.left_out_count());
        if moved > 1 {
            said.push(format!("  with hunk {word} go {} that depend on it", moved - 1));
        }
    }
    said
}
