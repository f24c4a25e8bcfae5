use super::choice::Choice;
use crate::model::visible;

/// A question with the choices that answer it. Enter alone is `later`: it never says yes.
pub struct Question {
    /// A whole sentence.
    pub sentence: String,
    pub choices: Vec<Choice>,
    /// The owner that `out` leaves out, fit to be shown.
    pub owner: Option<String>,
    /// Plans that are equal to the one that is asked about.
    pub more: usize,
    /// One of them is written and read back before the others are.
    pub has_canary: bool,
    pub asking: Asking,
    /// What is asked about, in front of the place where one types.
    pub about: String,
}

/// Who asks: the same letters come to something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    /// A run writes what is approved.
    Run,
    /// A review of a saved plan writes decisions for a later run.
    Review,
}

/// What a typed line comes to.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    Choice(Choice),
    /// Say this and ask again.
    Say(Vec<String>),
}

const WIDTH: usize = 80;

impl Question {
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.sentence.clone()];
        let mut line = String::new();
        for choice in self.choices.iter().copied().chain([Choice::Explain]) {
            let default = if choice == Choice::Later { " (Enter)" } else { "" };
            let words = format!("{} {}{default}", choice.letter(), self.label(choice));
            if !line.is_empty() && line.chars().count() + 3 + words.chars().count() + 2 > WIDTH {
                lines.push(format!("  {line}"));
                line.clear();
            }
            if !line.is_empty() {
                line.push_str("   ");
            }
            line.push_str(&words);
        }
        lines.push(format!("  {line}"));
        lines
    }

    /// Before what is typed.
    pub fn prompt(&self) -> String {
        format!("{} > ", self.about)
    }

    fn label(&self, choice: Choice) -> String {
        match (choice, &self.owner) {
            (Choice::LeaveOut, Some(owner)) => format!("leave {owner} out"),
            (Choice::Group, _) => format!("approve with {} more like it", self.more),
            _ => choice.label().to_owned(),
        }
    }

    pub fn heard(&self, typed: &str) -> Heard {
        let unknown = || {
            let letters: Vec<String> = self.choices.iter().map(|choice| choice.letter().to_string()).collect();
            let typed: String = typed.chars().take(20).collect();
            Heard::Say(vec![format!("'{}' is no choice here: type one of {} or ?", visible(&typed), letters.join(" "))])
        };
        if typed.trim().is_empty() {
            return Heard::Choice(Choice::Later);
        }
        match Choice::typed(typed) {
            Some(Choice::Explain) => Heard::Say(self.explained()),
            Some(choice) if self.choices.contains(&choice) => Heard::Choice(choice),
            Some(choice) => {
                let offered: Vec<&str> = self.choices.iter().map(|choice| choice.word()).collect();
                Heard::Say(vec![format!("'{}' cannot be chosen here; what can: {}", choice.word(), offered.join(", "))])
            }
            None => unknown(),
        }
    }

    fn explained(&self) -> Vec<String> {
        let mut lines = vec!["Type a letter or its word, then Enter:".to_owned()];
        for choice in &self.choices {
            let about = match choice {
                other if self.asking == Asking::Review => other.about_in_a_review(self.more),
                Choice::Group => {
                    let more = if self.more == 1 { "1 more".to_owned() } else { format!("{} more plans", self.more) };
                    let canary = "; this one goes first, and the others follow once it was read back";
                    let canary = if self.has_canary { canary } else { "" };
                    format!("approve this plan and {more} that change the same{canary}")
                }
                other => other.about().to_owned(),
            };
            let head = format!("  {}  {:<9}", choice.letter(), choice.word());
            lines.extend(wrapped(&head, &about));
        }
        lines
    }
}

/// `text` behind `head`, further lines below its beginning.
fn wrapped(head: &str, text: &str) -> Vec<String> {
    let indent = head.chars().count();
    let mut lines = vec![head.to_owned()];
    let mut is_first = true;
    for word in text.split_whitespace() {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if !is_first && line + 1 + word.chars().count() > WIDTH {
            lines.push(" ".repeat(indent));
            is_first = true;
        }
        if let Some(line) = lines.last_mut() {
            if !is_first {
                line.push(' ');
            }
            line.push_str(word);
        }
        is_first = false;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question() -> Question {
        Question {
            sentence: "What is to be done with the plan of home/ana?".to_owned(),
            choices: vec![
                Choice::Approve,
                Choice::Group,
                Choice::Hunks,
                Choice::Full,
                Choice::Skip,
                Choice::LeaveOut,
                Choice::Later,
                Choice::Abort,
                Choice::Quit,
            ],
            owner: Some("ana".to_owned()),
            more: 311,
            has_canary: true,
            asking: Asking::Run,
            about: "261130-090955-demo home/ana to homes".to_owned(),
        }
    }

    #[test]
    fn a_question_is_a_sentence_with_its_choices_and_the_default_marked() {
        insta::assert_snapshot!(question().lines().join("\n"), @r"
        What is to be done with the plan of home/ana?
          a approve   g approve with 311 more like it   h leave out hunks
          f show every line   s skip   o leave ana out   l later (Enter)
          x abort the run   q quit   ? explain
        ");
        assert_eq!(question().prompt(), "261130-090955-demo home/ana to homes > ");
    }

    #[test]
    fn each_choice_is_explained_within_80_columns() {
        let Heard::Say(lines) = question().heard("?") else { panic!() };
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{lines:#?}");
        insta::assert_snapshot!(lines.join("\n"), @r"
        Type a letter or its word, then Enter:
          a  approve  write exactly what the plan shows, then read it back
          g  group    approve this plan and 311 more plans that change the same; this
                      one goes first, and the others follow once it was read back
          h  hunks    choose the hunks that are not to be written, by their numbers; a
                      hunk is one field, or one file as a whole
          f  full     show all hunks and every line of their files
          s  skip     write nothing for this task; what needs it goes on. Asks for the
                      reason, and once more
          o  out      skip all tasks of this user that are open; the others go on. Asks
                      for the reason, and once more
          l  later    decide nothing now: you are asked once more at the end, and by
                      `rekindle resume`
          x  abort    begin nothing new in the whole run; what is being written ends
                      first, and nothing is undone. Asks for the reason, and once more
          q  quit     leave it here; what you decided stands, and `rekindle resume` goes
                      on with a run
        ");
    }

    #[test]
    fn enter_puts_it_off_and_what_is_not_offered_does_nothing() {
        assert_eq!(question().heard(" \n"), Heard::Choice(Choice::Later));
        assert_eq!(question().heard("OUT"), Heard::Choice(Choice::LeaveOut));
        let said = |typed: &str| match question().heard(typed) {
            Heard::Say(lines) => lines.join("\n"),
            Heard::Choice(choice) => panic!("{choice:?}"),
        };
        assert!(said("retry").starts_with("'retry' cannot be chosen here"));
        assert!(said("1").starts_with("'1' is no choice here: type one of a g h f s o l x q or ?"));
        assert!(said("\u{1b}[2J").contains("^[[2J"));
    }
}
