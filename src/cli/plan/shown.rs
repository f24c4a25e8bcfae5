use crate::cli::plain::{Line, PlanShown, Tone, counted, sides};
use crate::diff::files::TextDiff;
use crate::engine::{Foreseen, Outlook};
use crate::model::{COVERED, Pass, Proposal, Selection, visible};

/// What one hunk of a proposal, by change and position, changes line by line.
pub type LinesOf<'l> = &'l mut dyn FnMut(&Proposal, (u32, u32)) -> Option<TextDiff>;

/// The tasks of a dry run, told one by one.
pub struct Shown {
    most: usize,
    only_changes: bool,
    /// Hunks are shown with their lines.
    has_lines: bool,
    has_told_sides: bool,
}

impl Shown {
    /// `most` hunks of a plan.
    pub fn new(most: usize, only_changes: bool, has_lines: bool) -> Self {
        Self { most, only_changes, has_lines, has_told_sides: false }
    }

    pub fn tell(&mut self, foreseen: &Foreseen, lines_of: LinesOf<'_>, out: &mut dyn FnMut(Line)) {
        let quiet = match &foreseen.what {
            Ok(Outlook::Unchanged) => foreseen.warnings.is_empty() || self.only_changes,
            Ok(Outlook::Answered(_) | Outlook::Asks(_) | Outlook::Skipped(_)) => self.only_changes,
            Ok(Outlook::Changes { .. } | Outlook::Command { .. } | Outlook::Open(_)) | Err(_) => false,
        };
        if quiet {
            return;
        }
        let predicted = if foreseen.predicted { "  (predicted: what it needs is not done)" } else { "" };
        let heading = Line::new(Tone::Heading, format!("{}{predicted}", visible(&foreseen.name)));
        let head = |out: &mut dyn FnMut(Line)| {
            out(Line::plain(""));
            out(heading.clone());
        };
        let warn = |out: &mut dyn FnMut(Line)| {
            for warning in &foreseen.warnings {
                out(Line::new(Tone::Warning, format!("  ! {}", visible(warning))));
            }
        };
        match &foreseen.what {
            Ok(Outlook::Changes { proposal, digest, counts, .. }) => {
                if self.has_lines && !std::mem::replace(&mut self.has_told_sides, true) {
                    out(Line::plain(sides(Pass::Restore)));
                }
                head(out);
                let plan = PlanShown {
                    plan: &proposal.plan,
                    selection: &Selection::all(),
                    most: self.most,
                    for_all: "--all",
                    for_lines: "--all shows more",
                };
                plan.tell(&mut |at| lines_of(proposal, at), out);
                for doubt in foreseen.doubts() {
                    out(Line::new(Tone::Warning, format!("  ! {}", visible(doubt))));
                }
                out(Line::plain(format!("  {}  plan {}", counted(*counts, proposal.plan.preview), digest.short())));
            }
            Ok(Outlook::Unchanged) => {
                head(out);
                out(Line::plain("  unchanged, live and backup are equal but for this:"));
                warn(out);
            }
            Ok(Outlook::Command { proposal, .. }) => {
                head(out);
                let command = proposal.plan.command.iter().flat_map(|command| command.lines(COVERED));
                command.for_each(|line| out(Line::plain(format!("  {line}"))));
                warn(out);
            }
            Ok(Outlook::Answered(answer)) => {
                let word = if answer.holds { "holds" } else { "does not hold now" };
                head(out);
                out(Line::plain(format!("  {word}: {}", visible(&answer.seen))));
                warn(out);
            }
            Ok(Outlook::Skipped(when)) => {
                head(out);
                out(Line::plain(format!("  skipped: it is not so that {}", visible(when))));
            }
            Ok(Outlook::Open(steps)) => {
                head(out);
                out(Line::plain(format!("  {}", open_words(steps))));
                warn(out);
            }
            Ok(Outlook::Asks(text)) => {
                head(out);
                out(Line::plain(format!("  asks a person: {}", visible(text))));
                warn(out);
            }
            Err(error) => {
                head(out);
                out(Line::new(Tone::Warning, format!("  error: {}", visible(&error.chain()))));
                if let Some(next) = error.hint() {
                    out(Line::plain(format!("  next: {}", visible(next))));
                }
            }
        }
    }
}

/// Of a task that is made of what commands print.
fn open_words(steps: &[String]) -> String {
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    format!("planned in the run: it is made of the output of {}, which has not run", visible(&steps.join(", ")))
}
