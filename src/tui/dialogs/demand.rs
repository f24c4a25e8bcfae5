use crate::model::Counts;

/// What a person must do to say yes: more where more can be lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Demand {
    /// The key `y`, which is not the key that asked.
    Key,
    /// This text, then Enter.
    Typed { text: String, because: String },
}

impl Demand {
    pub fn for_one(counts: Counts, irreversible: usize, opaque: bool) -> Self {
        if counts.deletes() > 0 {
            return Self::delete(counts.deletes());
        }
        if irreversible > 0 || opaque {
            return Self::Typed { text: "yes".to_owned(), because: "what this does cannot be undone".to_owned() };
        }
        Self::Key
    }

    pub fn for_many(plans: usize, counts: Counts) -> Self {
        match counts.deletes() {
            0 => Self::Typed { text: plans.to_string(), because: "the number of plans".to_owned() },
            deletes => Self::delete(deletes),
        }
    }

    /// The word that the questions of plain mode ask for too.
    fn delete(deletes: u32) -> Self {
        Self::Typed { text: "delete".to_owned(), because: format!("{deletes} will be deleted") }
    }

    /// A word, not a key: after the key that leaves, a shell's next command is soon typed.
    pub fn to_close() -> Self {
        Self::Typed { text: "close".to_owned(), because: "nobody can undo it afterwards".to_owned() }
    }

    pub fn is_typed(&self) -> bool {
        matches!(self, Self::Typed { .. })
    }

    pub fn is_met_by(&self, input: &str) -> bool {
        matches!(self, Self::Typed { text, .. } if input.trim().eq_ignore_ascii_case(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delete_needs_its_word_and_what_cannot_be_undone_a_yes() {
        let plain = Counts { update: 2, hunks: 2, ..Counts::default() };
        let deletes = Counts { delete_hunks: 3, ..plain };
        assert_eq!(Demand::for_one(plain, 0, false), Demand::Key);
        assert!(Demand::for_one(deletes, 1, false).is_met_by("delete"));
        assert!(!Demand::for_one(deletes, 1, false).is_met_by("yes"));
        assert!(Demand::for_one(plain, 1, false).is_met_by("yes"));
        assert!(Demand::for_one(plain, 0, true).is_typed());
        assert!(!Demand::for_many(12, plain).is_met_by("1"));
        assert!(Demand::for_many(12, deletes).is_met_by("Delete"));
    }
}
