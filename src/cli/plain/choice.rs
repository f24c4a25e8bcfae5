/// What can be answered at a prompt. Each has one letter and one word, the same at every prompt; where the screen has a
/// key for it, the letter is that key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    Approve,
    /// This plan and all that are equal to it.
    Group,
    Hunks,
    Full,
    Confirm,
    Retry,
    Undo,
    Applied,
    NotApplied,
    Look,
    Skip,
    LeaveOut,
    Later,
    Abort,
    Quit,
    Explain,
}

impl Choice {
    pub const ALL: [Self; 16] = [
        Self::Approve,
        Self::Group,
        Self::Hunks,
        Self::Full,
        Self::Confirm,
        Self::Retry,
        Self::Undo,
        Self::Applied,
        Self::NotApplied,
        Self::Look,
        Self::Skip,
        Self::LeaveOut,
        Self::Later,
        Self::Abort,
        Self::Quit,
        Self::Explain,
    ];

    pub fn letter(self) -> char {
        match self {
            Self::Approve => 'a',
            Self::Group => 'g',
            Self::Hunks => 'h',
            Self::Full => 'f',
            Self::Confirm => 'c',
            Self::Retry => 'r',
            Self::Undo => 'u',
            Self::Applied => 'd',
            Self::NotApplied => 'n',
            Self::Look => 'k',
            Self::Skip => 's',
            Self::LeaveOut => 'o',
            Self::Later => 'l',
            Self::Abort => 'x',
            Self::Quit => 'q',
            Self::Explain => '?',
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Group => "group",
            Self::Hunks => "hunks",
            Self::Full => "full",
            Self::Confirm => "confirm",
            Self::Retry => "retry",
            Self::Undo => "undo",
            Self::Applied => "done",
            Self::NotApplied => "not-done",
            Self::Look => "look",
            Self::Skip => "skip",
            Self::LeaveOut => "out",
            Self::Later => "later",
            Self::Abort => "abort",
            Self::Quit => "quit",
            Self::Explain => "?",
        }
    }

    /// What it does, in a few words behind its letter.
    pub fn label(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Group => "approve the group",
            Self::Hunks => "leave out hunks",
            Self::Full => "show every line",
            Self::Confirm => "confirm: it is so",
            Self::Retry => "retry",
            Self::Undo => "undo",
            Self::Applied => "it was done",
            Self::NotApplied => "it was not done",
            Self::Look => "let rekindle look again",
            Self::Skip => "skip",
            Self::LeaveOut => "leave the user out",
            Self::Later => "later",
            Self::Abort => "abort the run",
            Self::Quit => "quit",
            Self::Explain => "explain",
        }
    }

    pub fn about(self) -> &'static str {
        match self {
            Self::Approve => "write exactly what the plan shows, then read it back",
            Self::Group => {
                "approve this plan and all that change the same; this one goes first, the others follow once it was read back"
            }
            Self::Hunks => {
                "choose the hunks that are not to be written, by their numbers; a hunk is one field, or one file as a whole"
            }
            Self::Full => "show all hunks and every line of their files",
            Self::Confirm => "put on record that you have seen to it; what needs this step goes on",
            Self::Retry => "plan the task anew, from what is live now",
            Self::Undo => "plan the way back of what was written; you see its diff before anything changes",
            Self::Applied => "you have looked at the target, and the change is there",
            Self::NotApplied => "you have looked at the target, and the change is not there",
            Self::Look => "read the target once more: it may tell now",
            Self::Skip => "write nothing for this task; what needs it goes on. Asks for the reason, and once more",
            Self::LeaveOut => {
                "skip all tasks of this user that are open; the others go on. Asks for the reason, and once more"
            }
            Self::Later => "decide nothing now: you are asked once more at the end, and by `rekindle resume`",
            Self::Abort => {
                "begin nothing new in the whole run; what is being written ends first, and nothing is undone. Asks for the reason, and once more"
            }
            Self::Quit => "leave it here; what you decided stands, and `rekindle resume` goes on with a run",
            Self::Explain => "explain each choice",
        }
    }

    /// The same where nothing is written yet; `more` plans are equal to the one that is asked about.
    pub fn about_in_a_review(self, more: usize) -> String {
        let text = match self {
            Self::Approve => "decide that exactly this is to be written; `rekindle run --decisions` writes it later",
            Self::Group if more == 1 => "decide the same of this plan and of 1 more that changes the same",
            Self::Group => return format!("decide the same of this plan and of {more} more that change the same"),
            Self::Later => "decide nothing on this plan now; a further review of it asks again",
            Self::Quit => "leave the review; what you decided is saved, and a further review goes on with the rest",
            other => other.about(),
        };
        text.to_owned()
    }

    /// Its letter or its word, nothing else.
    pub fn typed(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        let mut letters = text.chars();
        let letter = letters.next().filter(|_| letters.next().is_none());
        Self::ALL.into_iter().find(|choice| letter == Some(choice.letter()) || choice.word() == text)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_letter_and_no_word_means_two_things() {
        let letters: HashSet<char> = Choice::ALL.into_iter().map(Choice::letter).collect();
        let words: HashSet<&str> = Choice::ALL.into_iter().map(Choice::word).collect();
        assert_eq!((letters.len(), words.len()), (Choice::ALL.len(), Choice::ALL.len()));
        for choice in Choice::ALL {
            assert_eq!(Choice::typed(&choice.letter().to_string()), Some(choice));
            assert_eq!(Choice::typed(&format!(" {} ", choice.word().to_uppercase())), Some(choice));
        }
        assert_eq!([Choice::typed("1"), Choice::typed(""), Choice::typed("yes"), Choice::typed("as")], [None; 4]);
    }
}
