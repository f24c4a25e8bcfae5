use super::answer::Person;
use crate::model::{Plan, Selection, visible};

const QUESTION: &str = "Type the numbers of hunks to leave them out, or to take them again, as in 2,3 or 5-9. Enter alone changes nothing.";

/// More numbers than this are a slip of the keyboard.
const MOST_NUMBERS: usize = 100_000;

/// Asks which hunks are not to be written until the numbers are right; answers what there is to say about it. `None` at
/// the end of the input.
pub async fn leave_out_hunks(person: Person<'_>, plan: &Plan, selection: &mut Selection) -> Option<Vec<String>> {
    let mut question = QUESTION.to_owned();
    loop {
        let typed = person.answer(&question).await?;
        match turn_over(plan, selection, &typed) {
            Ok(said) => return Some(said),
            Err(why) => question = why,
        }
    }
}

/// Where one number is wrong nothing is turned over, and the error says which.
fn turn_over(plan: &Plan, selection: &mut Selection, typed: &str) -> Result<Vec<String>, String> {
    let positions: Vec<(usize, usize)> = plan
        .changes
        .iter()
        .enumerate()
        .flat_map(|(at, change)| (0..change.hunks.len()).map(move |hunk| (at, hunk)))
        .collect();
    let mut said = Vec::new();
    for number in numbers(typed, positions.len())? {
        let Some((change, hunk)) = positions.get(number - 1) else { continue };
        let take = !selection.takes(*change, *hunk);
        let before = selection.left_out_count();
        selection.decide(plan, *change, *hunk, take);
        let moved = before.abs_diff(selection.left_out_count());
        if moved > 1 {
            said.push(format!("  with hunk {number} go {} that depend on it", moved - 1));
        }
    }
    Ok(said)
}

/// Numbers and ranges between commas and blanks, each once, from 1 to `last`.
fn numbers(typed: &str, last: usize) -> Result<Vec<usize>, String> {
    let mut found = std::collections::BTreeSet::new();
    let words = typed.split(|one: char| one == ',' || one == ';' || one.is_whitespace());
    for word in words.filter(|word| !word.is_empty()) {
        let (first, end) = word.split_once('-').unwrap_or((word, word));
        let number = |text: &str| text.parse::<usize>().ok().filter(|number| (1..=last).contains(number));
        let (Some(first), Some(end)) = (number(first), number(end)) else {
            return Err(format!(
                "there is no hunk '{}': they go from 1 to {last}. Nothing was changed.",
                visible(word)
            ));
        };
        if first > end || end - first >= MOST_NUMBERS {
            return Err(format!("'{}' is no range. Nothing was changed.", visible(word)));
        }
        found.extend(first..=end);
    }
    Ok(found.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_typed_as_people_type_them_and_one_wrong_word_changes_nothing() {
        assert_eq!(numbers("2,3", 7).unwrap(), [2, 3]);
        assert_eq!(numbers(" 7; 1-3 2, ", 7).unwrap(), [1, 2, 3, 7]);
        assert_eq!(numbers("", 7).unwrap(), Vec::<usize>::new());
        for wrong in ["0", "8", "1-8", "3-1", "a", "2,x", "-3", "1--2", "99999999999999999999"] {
            assert!(numbers(wrong, 7).unwrap_err().ends_with("Nothing was changed."), "{wrong}");
        }
        assert!(numbers("\u{1b}[2J", 7).unwrap_err().contains("^[[2J"));
    }
}
