use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

pub use super::action::Action;

/// A key as a person presses it. Shift is in the character itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub code: KeyCode,
    pub control: bool,
}

impl std::fmt::Display for Key {
    /// As [`Key::parse`] reads it.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.control {
            formatter.write_str("ctrl-")?;
        }
        match self.code {
            KeyCode::Char(' ') => formatter.write_str("space"),
            KeyCode::Char(character) => write!(formatter, "{}", crate::model::visible(&character.to_string())),
            KeyCode::BackTab => formatter.write_str("shift-tab"),
            KeyCode::Delete => formatter.write_str("delete"),
            code => formatter.write_str(&code.to_string().to_lowercase().replace(' ', "")),
        }
    }
}

impl Key {
    pub fn of(event: KeyEvent) -> Option<Self> {
        if event.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::SUPER | KeyModifiers::META) {
            return None;
        }
        Some(Self { code: event.code, control: event.modifiers.contains(KeyModifiers::CONTROL) })
    }

    /// The name that help shows and a configuration would hold: `a`, `A`, `ctrl-s`, `enter`, `f1`.
    pub fn parse(name: &str) -> Option<Self> {
        let (control, name) = name.strip_prefix("ctrl-").map_or((false, name), |name| (true, name));
        let mut characters = name.chars();
        let code = match (characters.next(), characters.next()) {
            (Some(character), None) => KeyCode::Char(character),
            _ => match name {
                "enter" => KeyCode::Enter,
                "esc" => KeyCode::Esc,
                "tab" => KeyCode::Tab,
                "shift-tab" => KeyCode::BackTab,
                "space" => KeyCode::Char(' '),
                "up" => KeyCode::Up,
                "down" => KeyCode::Down,
                "left" => KeyCode::Left,
                "right" => KeyCode::Right,
                "home" => KeyCode::Home,
                "end" => KeyCode::End,
                "pageup" => KeyCode::PageUp,
                "pagedown" => KeyCode::PageDown,
                "insert" => KeyCode::Insert,
                "delete" => KeyCode::Delete,
                "backspace" => KeyCode::Backspace,
                _ => KeyCode::F(name.strip_prefix('f')?.parse().ok().filter(|number| (1..=12).contains(number))?),
            },
        };
        Some(Self { code, control })
    }
}

/// Where keys mean something of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    Everywhere,
    Steps,
    Matrix,
    Review,
    Evidence,
    Failure,
    Groups,
}

impl Context {
    pub const ALL: [Self; 7] =
        [Self::Everywhere, Self::Steps, Self::Matrix, Self::Review, Self::Evidence, Self::Failure, Self::Groups];

    /// As a file of keys calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Everywhere => "everywhere",
            Self::Steps => "steps",
            Self::Matrix => "matrix",
            Self::Review => "review",
            Self::Evidence => "evidence",
            Self::Failure => "failure",
            Self::Groups => "groups",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Everywhere => "Everywhere",
            Self::Steps => "Steps",
            Self::Matrix => "Matrix",
            Self::Review => "Review",
            Self::Evidence => "Evidence and log",
            Self::Failure => "A failed task",
            Self::Groups => "Equal plans and equal failures",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Binding {
    pub context: Context,
    pub keys: Vec<(String, Key)>,
    pub action: Action,
    /// For help, as a sentence without a full stop.
    pub about: &'static str,
    /// For the footer, where there is room for a word.
    pub hint: &'static str,
}

impl Binding {
    /// The first of its keys, as texts name it.
    pub fn key(&self) -> &str {
        self.keys.first().map_or("", |(name, _)| name.as_str())
    }
}

/// The one table: keys are looked up in it, help and footer are made of it.
#[derive(Clone, Debug)]
pub struct Keymap {
    pub bindings: Vec<Binding>,
}

type Line = (Context, &'static str, Action, &'static str, &'static str);

#[rustfmt::skip]
const DEFAULT: &[Line] = &[
    (Context::Steps, "enter", Action::Open, "Look into the task: its plan, its failure, its evidence", "open"),
    (Context::Steps, "/", Action::Filter, "Filter: words, status:failed, user:ana, step:home, comp:homes, ! turns around", "filter"),
    (Context::Steps, "A", Action::ApproveAll, "Approve all plans in review of this step that are shown, or of those marked; asks first", "approve all"),
    (Context::Steps, "u", Action::Undo, "Plan the way back of a done task; its diff is shown before anything changes", "undo"),
    (Context::Steps, "r", Action::Retry, "Plan a failed, unknown, skipped or undone task anew, from what is live then: of an unknown one, what is there is not written again", "retry"),
    (Context::Steps, "s", Action::Skip, "Skip, with a reason that goes on record", "skip"),
    (Context::Steps, "o", Action::LeaveOut, "Leave this user out of the rest of the run, with a reason", "leave user out"),
    (Context::Steps, "c", Action::Confirm, "Confirm a step that a person must see to", "confirm"),
    (Context::Steps, "]", Action::NextWanted, "The next task that needs a person: review, failed, unknown, to confirm", "next"),
    (Context::Steps, "[", Action::PreviousWanted, "The one before", ""),
    (Context::Steps, "space", Action::Mark, "Mark or unmark; retry, skip, leave out, undo and approve all then act on all marked that are shown", "mark"),
    (Context::Steps, "v", Action::MarkAll, "Mark all that are shown, or unmark them", ""),
    (Context::Steps, "t", Action::TurnGrouping, "Group by step or by user", "by user/step"),
    (Context::Steps, "esc", Action::Back, "Clear the filter, then the marks", ""),
    (Context::Matrix, "left h", Action::Left, "The same user's former step", ""),
    (Context::Matrix, "right l", Action::Right, "The same user's next step", ""),
    (Context::Matrix, "enter", Action::Open, "Look into the task; where a cell has many, list them", "open"),
    (Context::Matrix, "z", Action::Zoom, "One row for a user, for 100, for 1,000", "zoom"),
    (Context::Matrix, "f", Action::Fold, "One column for a step, or for all steps of a component", "by component"),
    (Context::Matrix, "t", Action::TroubleFirst, "Users in trouble first, or as they are named", "trouble first"),
    (Context::Matrix, "]", Action::NextWanted, "The next task that needs a person: review, failed, unknown, to confirm", "next"),
    (Context::Matrix, "[", Action::PreviousWanted, "The one before", ""),
    (Context::Matrix, "esc", Action::Back, "Back to the steps", "back"),
    (Context::Review, "y", Action::Take, "Take this hunk, or all of the resource on its heading", "take"),
    (Context::Review, "n", Action::Leave, "Leave this hunk out, a field or a whole file; what needs it follows (not while a search is on)", "leave out"),
    (Context::Review, "a", Action::Approve, "Approve the plan as shown; asks first", "approve"),
    (Context::Review, "space", Action::Toggle, "Take or leave", ""),
    (Context::Review, "enter", Action::Open, "Open or close a file's own diff; of a failed task: what can be done about it", "diff"),
    (Context::Review, "A", Action::ApproveAll, "Approve all plans equal to this one; asks first", "all equal"),
    (Context::Review, "]", Action::NextWanted, "The next task that needs a person: review, failed, unknown, to confirm", "next"),
    (Context::Review, "[", Action::PreviousWanted, "The one before", ""),
    (Context::Review, "u", Action::Undo, "Plan the way back of a done task", "undo"),
    (Context::Review, "r", Action::Retry, "Plan the task anew, from what is live then", "retry"),
    (Context::Review, "s", Action::Skip, "Skip the task, with a reason", "skip"),
    (Context::Review, "o", Action::LeaveOut, "Leave this user out of the rest of the run, with a reason", ""),
    (Context::Review, "c", Action::Confirm, "Confirm a step that a person must see to", ""),
    (Context::Review, "/", Action::Search, "Search in the plan; Enter looks into the files that are not open too", "search"),
    (Context::Review, "ctrl-n", Action::NextMatch, "The next place that was searched for, around the end", ""),
    (Context::Review, "ctrl-p", Action::PreviousMatch, "The one before", ""),
    (Context::Review, "e", Action::ViewDiff, "View the whole diff in $PAGER, else $EDITOR: a copy, nothing that is changed there counts", ""),
    (Context::Review, "esc", Action::Back, "End the search, then back to where you came from", "back"),
    (Context::Evidence, "l", Action::LogLevel, "Turn the log's level: info, warn, error", "level"),
    (Context::Evidence, "f", Action::LogTarget, "Turn whose log is shown: everybody's, or of those that said something one: events, engine, a system's …", "whose"),
    (Context::Evidence, "y", Action::Copy, "Copy the task's name, and what failed, to the terminal's clipboard", "copy"),
    (Context::Evidence, "u", Action::Undo, "Plan the way back of a done task", "undo"),
    (Context::Evidence, "r", Action::Retry, "Plan a failed, unknown, skipped or undone task anew, from what is live then", "retry"),
    (Context::Evidence, "]", Action::NextWanted, "The next task that needs a person: review, failed, unknown, to confirm", "next"),
    (Context::Evidence, "[", Action::PreviousWanted, "The one before", ""),
    (Context::Evidence, "esc", Action::Back, "Back to the steps", "back"),
    (Context::Groups, "enter", Action::Open, "Look into the first task of the group", "open"),
    (Context::Groups, "A", Action::ApproveAll, "Approve all plans of the group, a canary first; one of them must have been opened", "approve all"),
    (Context::Groups, "r", Action::Retry, "Retry every task of the group: each is planned anew", "retry all"),
    (Context::Groups, "s", Action::Skip, "Skip every task of the group, with one reason", "skip all"),
    (Context::Groups, "/", Action::Filter, "Filter the tasks that are grouped, by the words of the steps' filter", "filter"),
    (Context::Groups, "esc", Action::Back, "Back", "back"),
    (Context::Failure, "r", Action::Retry, "Retry: plan the task anew", "retry"),
    (Context::Failure, "s", Action::Skip, "Skip with a reason; what needs this task goes on", "skip"),
    (Context::Failure, "o", Action::LeaveOut, "Leave this user out; the other users go on", "leave user out"),
    (Context::Failure, "u", Action::Undo, "Undo: plan the way back of what is there", "undo"),
    (Context::Failure, "X", Action::Abort, "Abort the run: nothing new is begun", "abort"),
    (Context::Failure, "esc", Action::Back, "Decide later", "later"),
    (Context::Everywhere, "up k", Action::Up, "Up", ""),
    (Context::Everywhere, "down j", Action::Down, "Down", ""),
    (Context::Everywhere, "pageup ctrl-b", Action::PageUp, "A page up", ""),
    (Context::Everywhere, "pagedown ctrl-f", Action::PageDown, "A page down", ""),
    (Context::Everywhere, "ctrl-u", Action::HalfPageUp, "Half a page up", ""),
    (Context::Everywhere, "ctrl-d", Action::HalfPageDown, "Half a page down", ""),
    (Context::Everywhere, "home g", Action::First, "To the first", ""),
    (Context::Everywhere, "end G", Action::Last, "To the last", ""),
    (Context::Everywhere, "1", Action::ShowSteps, "Steps", ""),
    (Context::Everywhere, "2", Action::ShowMatrix, "Matrix: users and steps", ""),
    (Context::Everywhere, "3", Action::ShowReview, "Review: the diff of the task under the cursor", ""),
    (Context::Everywhere, "4", Action::ShowEvidence, "Evidence of that task, and the log", ""),
    (Context::Everywhere, "tab", Action::NextTab, "The next of these four", ""),
    (Context::Everywhere, "shift-tab", Action::PreviousTab, "The one before", ""),
    (Context::Everywhere, "p", Action::PauseOrContinue, "Pause: nothing new is begun; again to continue", "pause"),
    (Context::Everywhere, "X", Action::Abort, "Abort the run, with a reason; what is being written ends first", ""),
    (Context::Everywhere, "? f1", Action::Help, "This help", "help"),
    (Context::Everywhere, "=", Action::Summary, "How the run stands: what was done for how many, how long, how much, what failed, what can be undone", ""),
    (Context::Everywhere, "C", Action::Cohorts, "Plans in review by what they change, the most alike first", ""),
    (Context::Everywhere, "F", Action::Causes, "Failures by their cause, the most frequent first", ""),
    (Context::Everywhere, "Y", Action::Copy, "Copy the path or value under the cursor to the terminal's clipboard; never a secret (y takes a hunk, and answers)", ""),
    (Context::Everywhere, ":", Action::Palette, "All that can be done here, found by its name; a task's name or a number leads to the task", ""),
    (Context::Everywhere, "T", Action::Hints, "A line about what can be done next, or none", ""),
    (Context::Everywhere, "ctrl-l", Action::Repaint, "Paint the screen anew", ""),
    (Context::Everywhere, "ctrl-z", Action::Suspend, "Suspend; `fg` comes back (writing stops meanwhile)", ""),
    (Context::Everywhere, "q ctrl-c", Action::Quit, "Leave; the run can be resumed", "quit"),
];

impl Default for Keymap {
    fn default() -> Self {
        let bindings = DEFAULT.iter().map(|(context, keys, action, about, hint)| Binding {
            context: *context,
            keys: keys.split(' ').filter_map(|name| Some((name.to_owned(), Key::parse(name)?))).collect(),
            action: *action,
            about,
            hint,
        });
        Self { bindings: bindings.collect() }
    }
}

impl Keymap {
    /// Two that one key is bound to where both are meant: in one place, or in one and everywhere. Behind the failure
    /// dialog nothing else is meant.
    pub fn conflict(&self) -> Option<(&Binding, &Binding, &str)> {
        let meets = |one: &Binding, other: &Binding| {
            one.context == other.context
                || (other.context == Context::Everywhere && one.context != Context::Failure)
                || (one.context == Context::Everywhere && other.context != Context::Failure)
        };
        self.bindings.iter().enumerate().find_map(|(at, one)| {
            let others = self.bindings.iter().skip(at + 1).filter(|other| meets(one, other));
            let shared = |other: &Binding| {
                let found = one.keys.iter().find(|(_, key)| other.keys.iter().any(|(_, bound)| bound == key));
                found.map(|(name, _)| name.as_str())
            };
            let mut found = others.filter_map(|other| Some((one, other, shared(other)?)));
            found.next()
        })
    }

    /// The first key of an action, as texts name it; every action has one.
    pub fn key(&self, context: Context, action: Action) -> &str {
        let bound = self.bindings.iter().find(|binding| binding.context == context && binding.action == action);
        bound.map_or("", Binding::key)
    }

    /// A context's own meaning first, then the one it has everywhere. The failure dialog takes
    /// nothing from elsewhere: behind a dialog nothing can be acted on.
    pub fn action(&self, context: Context, key: Key) -> Option<Action> {
        let bound = |wanted: Context| {
            let of_context = self.bindings.iter().filter(move |binding| binding.context == wanted);
            of_context.clone().find(|binding| binding.keys.iter().any(|(_, bound)| *bound == key))
        };
        let found = match context {
            Context::Failure => bound(context),
            _ => bound(context).or_else(|| bound(Context::Everywhere)),
        };
        found.map(|binding| binding.action)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn no_key_has_two_meanings_in_one_place() {
        let mut seen = HashMap::new();
        for binding in Keymap::default().bindings {
            assert!(!binding.keys.is_empty(), "{:?} has no key", binding.action);
            for (name, key) in binding.keys {
                let former = seen.insert((binding.context, key), binding.action);
                assert_eq!(former, None, "{name} in {:?}", binding.context);
            }
        }
    }

    #[test]
    fn every_name_in_the_table_is_a_key() {
        for (_, keys, action, ..) in DEFAULT {
            for name in keys.split(' ') {
                assert!(Key::parse(name).is_some(), "{name} of {action:?}");
            }
        }
    }

    #[test]
    fn no_key_of_a_place_hides_one_that_is_meant_everywhere() {
        let keymap = Keymap::default();
        let found = keymap.conflict().map(|(one, other, key)| (one.action, other.action, key));
        assert_eq!(found, None);
    }

    #[test]
    fn behind_the_failure_dialog_nothing_is_bound() {
        let keymap = Keymap::default();
        let quit = Key::parse("q").unwrap();
        assert_eq!(keymap.action(Context::Steps, quit), Some(Action::Quit));
        assert_eq!(keymap.action(Context::Failure, quit), None);
    }
}
