use std::collections::BTreeSet;

use crate::model::TaskId;

/// How much a note matters; where there are several, the weightiest is on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// A warning of the log.
    Logged,
    /// What an action brought with it.
    Said,
    /// Why something that was asked for was not done.
    Problem,
    /// Something failed that nobody was looking at.
    Alarm,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub text: String,
    pub weight: Weight,
    /// The failed task that it is about: a note of one that has failed no longer would be wrong.
    failed: Option<TaskId>,
    /// The tasks of which it says that something is under way.
    under_way: BTreeSet<TaskId>,
    /// When the first frame with it reached the terminal.
    drawn_at: Option<u64>,
}

impl Note {
    /// Where a question is open, it stands below it: nothing lies over that line.
    pub fn is_refusal(&self) -> bool {
        self.weight == Weight::Problem
    }
}

/// A key within this time was pressed before the note could be read: it does not put it away.
pub const READ_MS: u64 = 1_000;
/// What an action brought with it was read by then, and goes by itself.
pub const SAID_MS: u64 = 8_000;

/// What the line above the keys tells. Of each weight the newest; a heavier one hides a lighter one and
/// never replaces it.
#[derive(Debug, Default)]
pub struct Notes {
    kept: Vec<Note>,
}

impl Notes {
    pub fn tell(&mut self, weight: Weight, text: impl Into<String>) {
        self.keep(Note { text: text.into(), weight, failed: None, under_way: BTreeSet::new(), drawn_at: None });
    }

    pub fn failed(&mut self, task: TaskId, text: impl Into<String>) {
        let (text, under_way) = (text.into(), BTreeSet::new());
        self.keep(Note { text, weight: Weight::Alarm, failed: Some(task), under_way, drawn_at: None });
    }

    /// What is under way for these tasks, until it has come for each of them.
    pub fn promise(&mut self, tasks: impl IntoIterator<Item = TaskId>, text: impl Into<String>) {
        let (text, under_way) = (text.into(), tasks.into_iter().collect());
        self.keep(Note { text, weight: Weight::Said, failed: None, under_way, drawn_at: None });
    }

    pub fn is_under_way(&self) -> bool {
        self.kept.iter().any(|note| !note.under_way.is_empty())
    }

    /// What was under way for a task has come.
    pub fn came(&mut self, task: TaskId) {
        self.kept.retain_mut(|kept| !kept.under_way.remove(&task) || !kept.under_way.is_empty());
    }

    /// The milliseconds at which [`Notes::pass`] has something to do.
    pub fn due(&self) -> Option<u64> {
        let said = self.kept.iter().filter(|note| note.weight == Weight::Said && note.under_way.is_empty());
        said.filter_map(|note| note.drawn_at).min().map(|drawn| drawn.saturating_add(SAID_MS))
    }

    /// Time has passed; answers whether a note is gone by it.
    pub fn pass(&mut self, at: u64) -> bool {
        let is_over = self.due().is_some_and(|due| due <= at);
        if is_over {
            self.forget(Weight::Said);
        }
        is_over
    }

    /// A complaint makes room for what the next key does; [`Notes::put_back`] decides whether it comes back.
    pub fn lift_complaint(&mut self) -> Option<Note> {
        let at = self.kept.iter().position(|note| note.weight == Weight::Problem)?;
        Some(self.kept.remove(at))
    }

    /// A complaint that was on the screen is about the former key and its place: it does not come back over this
    /// key's own answer, and not to another place.
    pub fn put_back(&mut self, complaint: Option<Note>, is_elsewhere: bool) {
        let is_answered = self.kept.iter().any(|note| matches!(note.weight, Weight::Said | Weight::Problem));
        let was_shown = |note: &Note| note.drawn_at.is_some();
        let complaint = complaint.filter(|note| !was_shown(note) || !(is_elsewhere || is_answered));
        let is_newer = self.kept.iter().any(|note| note.weight == Weight::Problem);
        if let Some(complaint) = complaint.filter(|_| !is_newer) {
            self.keep(complaint);
        }
    }

    fn keep(&mut self, note: Note) {
        self.kept.retain(|kept| kept.weight != note.weight);
        let place = self.kept.partition_point(|kept| kept.weight < note.weight);
        self.kept.insert(place, note);
    }

    /// A task goes on, or is settled.
    pub fn mended(&mut self, task: TaskId) {
        self.kept.retain(|kept| kept.failed != Some(task));
    }

    /// The one on the screen.
    pub fn shown(&self) -> Option<&Note> {
        self.kept.last()
    }

    /// What was told of the world outside, and not of a task that failed.
    pub fn news(&self) -> Option<&str> {
        let alarm = self.kept.iter().find(|note| note.weight == Weight::Alarm && note.failed.is_none());
        alarm.map(|note| note.text.as_str())
    }

    #[cfg(test)]
    pub fn of(&self, weight: Weight) -> Option<&str> {
        self.kept.iter().find(|kept| kept.weight == weight).map(|kept| kept.text.as_str())
    }

    pub fn forget(&mut self, weight: Weight) {
        self.kept.retain(|kept| kept.weight != weight);
    }

    pub fn drawn(&mut self, at: u64) {
        if let Some(note) = self.kept.last_mut() {
            note.drawn_at.get_or_insert(at);
        }
    }

    /// A key was pressed: what could be read by then makes room for the next one.
    pub fn read(&mut self, at: u64) {
        let is_read = |note: &Note| note.drawn_at.is_some_and(|drawn| at >= drawn.saturating_add(READ_MS));
        if self.kept.last().is_some_and(is_read) {
            self.kept.pop();
        }
        // The next action has its own to say.
        self.forget(Weight::Said);
    }

    /// Puts away the one on the screen; answers whether there was one.
    pub fn put_away(&mut self) -> bool {
        self.kept.pop().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_more_is_never_overwritten_and_the_rest_follows_it() {
        let mut notes = Notes::default();
        notes.tell(Weight::Alarm, "home/bob failed");
        notes.drawn(10);
        notes.tell(Weight::Logged, "the pack is missing");
        notes.tell(Weight::Problem, "refused");
        assert_eq!(notes.shown().unwrap().text, "home/bob failed");
        notes.read(1_010);
        assert_eq!(notes.shown().unwrap().text, "refused");
        assert!(notes.put_away());
        assert_eq!(notes.shown().unwrap().text, "the pack is missing");
    }

    #[test]
    fn what_was_said_goes_by_itself_and_what_was_promised_with_what_comes() {
        let mut notes = Notes::default();
        notes.tell(Weight::Said, "handed to the clipboard");
        assert_eq!(notes.due(), None, "nobody has seen it");
        notes.drawn(50);
        assert_eq!(notes.due(), Some(8_050));
        assert!(!notes.pass(8_049) && notes.pass(8_050) && notes.shown().is_none());
        notes.promise([TaskId(3), TaskId(7)], "planning anew: 2 tasks");
        notes.drawn(9_000);
        notes.came(TaskId(3));
        notes.came(TaskId(9));
        assert!(!notes.pass(90_000) && notes.shown().is_some(), "one is still under way");
        notes.came(TaskId(7));
        assert_eq!((notes.shown(), notes.due()), (None, None));
    }

    #[test]
    fn a_complaint_gives_way_to_another_place_and_to_the_next_answer() {
        for (is_elsewhere, answer, stays) in [(false, None, true), (true, None, false), (false, Some("copied"), false)]
        {
            let mut notes = Notes::default();
            notes.tell(Weight::Problem, "nothing to confirm");
            notes.drawn(10);
            let complaint = notes.lift_complaint();
            answer.into_iter().for_each(|answer| notes.tell(Weight::Said, answer));
            notes.put_back(complaint, is_elsewhere);
            assert_eq!(notes.of(Weight::Problem).is_some(), stays);
            notes.tell(Weight::Problem, "refused");
            let unseen = notes.lift_complaint();
            notes.put_back(unseen, true);
            assert_eq!(notes.of(Weight::Problem), Some("refused"), "nobody has seen it");
        }
    }

    #[test]
    fn a_key_pressed_before_a_note_could_be_read_leaves_it() {
        let mut notes = Notes::default();
        notes.tell(Weight::Problem, "refused");
        notes.read(5_000);
        notes.drawn(5_001);
        notes.read(6_000);
        assert!(notes.shown().is_some());
        notes.read(6_001);
        assert!(notes.shown().is_none());
    }
}
