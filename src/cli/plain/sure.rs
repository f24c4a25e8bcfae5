use super::answer::Person;
use super::choice::Choice;
use crate::model::{Change, HunkAt, Op, Plan, Preview, Selection, some_of, visible};

/// What a second question comes to.
pub enum Sure {
    Yes(String),
    No,
    /// The input has ended.
    Gone,
}

/// Shorter words explain nothing to who reads the record.
const SHORTEST: usize = 3;
/// More names would only fill the screen.
const MOST_NAMED: usize = 8;

/// The operator's own reason, and whether `what` is meant: by `yes`, or where more is at stake by that `word`.
pub async fn reason(person: Person<'_>, what: &str, about: &str, word: &str) -> Sure {
    person.tell(&format!("{what} {about}"));
    let why = match person.answer("Why? Your reason goes on record; Enter alone goes back.").await {
        None => return Sure::Gone,
        Some(why) if why.is_empty() => return Sure::No,
        Some(why) => why,
    };
    if Choice::typed(&why).is_some() || why.chars().count() < SHORTEST {
        person.tell(&format!("'{}' is no reason: nothing was done", visible(&why)));
        return Sure::No;
    }
    let question = format!("{what} The reason is: {}\nType {word} to do it; anything else goes back.", visible(&why));
    match person.answer(&question).await {
        None => Sure::Gone,
        Some(typed) if typed.eq_ignore_ascii_case(word) => Sure::Yes(why),
        Some(_) => Sure::No,
    }
}

/// Where more can be lost more is asked for: a word that is no choice of the prompt before it.
pub async fn approval(person: Person<'_>, plan: &Plan, selection: &Selection) -> bool {
    let Some(demand) = MustType::of(plan, selection) else { return true };
    let typed = person.answer(&demand.question()).await;
    let is_met = typed.as_deref().is_some_and(|typed| demand.is_met_by(typed));
    if !is_met && typed.is_some() {
        person.tell("nothing was approved");
    }
    is_met
}

/// Of many equal plans: none of them asks for itself.
pub async fn group(person: Person<'_>, names: &[String], deletes: u32, is_lost: bool, has_canary: bool) -> bool {
    let count = names.len();
    let goes = match deletes {
        0 if is_lost => " What they do cannot be undone.".to_owned(),
        0 => String::new(),
        some => format!(" Together they delete {some}."),
    };
    let word = if deletes > 0 { "delete" } else { "all" };
    let first = names.first().cloned().unwrap_or_default();
    let canary = match has_canary {
        true => format!("\n{first} goes first; the others follow once it was read back."),
        false => String::new(),
    };
    let question = format!(
        "This approves {count} plans that change the same: {}.{goes}{canary}\n\
         Type {word} to approve all {count}; anything else goes back.",
        some_of(names, MOST_NAMED, ", ")
    );
    let typed = person.answer(&question).await;
    // Without deletes the screen asks for the number.
    typed.is_some_and(|typed| typed.eq_ignore_ascii_case(word) || (deletes == 0 && typed == count.to_string()))
}

/// What must be typed to approve a plan with which something is lost.
#[derive(Debug, PartialEq, Eq)]
pub enum MustType {
    /// The names of what is deleted.
    Delete(Vec<String>),
    CannotBeUndone,
}

impl MustType {
    pub fn of(plan: &Plan, selection: &Selection) -> Option<Self> {
        let gone: Vec<String> =
            plan.changes.iter().enumerate().flat_map(|(at, change)| deleted(at, change, selection)).collect();
        if !gone.is_empty() {
            return Some(Self::Delete(gone));
        }
        let is_lost = plan.preview == Preview::Opaque || plan.irreversible(selection).next().is_some();
        is_lost.then_some(Self::CannotBeUndone)
    }

    pub fn question(&self) -> String {
        match self {
            Self::Delete(names) => {
                let or_name = if names.len() == 1 { " or its name" } else { "" };
                let count = if names.len() == 1 { String::new() } else { format!(" {}", names.len()) };
                format!(
                    "This deletes{count}: {}.\nType delete{or_name} to approve it; anything else goes back.",
                    some_of(names, MOST_NAMED, ", ")
                )
            }
            Self::CannotBeUndone => {
                "What this does cannot be undone.\nType yes to approve it; anything else goes back.".to_owned()
            }
        }
    }

    pub fn is_met_by(&self, typed: &str) -> bool {
        let typed = typed.trim();
        match self {
            Self::Delete(names) => {
                typed.eq_ignore_ascii_case("delete") || matches!(names.as_slice(), [name] if name == typed)
            }
            Self::CannotBeUndone => typed.eq_ignore_ascii_case("yes"),
        }
    }
}

/// What of a change goes, by name.
fn deleted(at: usize, change: &Change, selection: &Selection) -> Vec<String> {
    let name = |hunk: &crate::model::Hunk| match &hunk.at {
        HunkAt::Node { path, .. } if !path.is_root() => visible(&hunk.words()).into_owned(),
        HunkAt::Field { path, .. } if !path.0.is_empty() => visible(&hunk.words()).into_owned(),
        _ => change.id.to_string(),
    };
    if change.op == Op::Delete && change.hunks.is_empty() {
        return vec![change.id.to_string()];
    }
    let hunks = change.hunks.iter().enumerate();
    let gone = hunks.filter(|(position, hunk)| hunk.deletes() && selection.takes(at, *position));
    gone.map(|(_, hunk)| name(hunk)).collect()
}
