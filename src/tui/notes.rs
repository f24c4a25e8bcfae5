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

/// What the line above the keys tells. Of each weight the newest; a heavier one hides a lighter one and
/// never replaces it.
#[derive(Debug, Default)]
pub struct Notes {
    kept: Vec<Note>,
}

impl Notes {
    pub fn tell(&mut self, weight: Weight, text: impl Into<String>) {
        self.keep(Note { text: text.into(), weight, failed: None, drawn_at: None });
    }

    pub fn failed(&mut self, task: TaskId, text: impl Into<String>) {
        self.keep(Note { text: text.into(), weight: Weight::Alarm, failed: Some(task), drawn_at: None });
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
