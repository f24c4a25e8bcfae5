use std::io::{BufRead, Write};

use super::plain::{opening_lines, totals};
use super::say;
use crate::model::{ApprovalPolicy, Run, StepKind, TaskId, TaskStatus, Zone, some_of, visible};

/// More names would only fill the screen.
const MOST_NAMED: usize = 6;

/// How a run stands that is taken up again, and what happens in it at once, without another question.
pub struct Standing {
    lines: Vec<String>,
    /// Something is written at once.
    writes: bool,
}

impl Standing {
    pub fn of(run: &Run, policy: &ApprovalPolicy) -> Self {
        let header = &run.header;
        let began = Zone::chosen().moment(run.began);
        let (id, title, by) = (visible(&header.id), visible(&header.title), visible(&header.by));
        let mut lines = vec![format!("run {id}: {title}, begun {began} by {by}")];
        lines.extend(opening_lines(header));
        lines.push(format!("  {}", totals(run)));
        let is_command = |id: TaskId| run.step(id).is_some_and(|step| step.kind == StepKind::Run);
        let command = named(run, |id, status| status == TaskStatus::Applying && is_command(id));
        let interrupted = named(run, |id, status| status == TaskStatus::Applying && !is_command(id));
        let approved = named(run, |_, status| status == TaskStatus::Approved);
        let told = [
            (&command, "a command that was running; what it did is not known, so you are asked"),
            (&interrupted, "was being written; its target is read first, then the rest is written as it was approved"),
            (&approved, "approved before, and written now without another question"),
        ];
        for (names, what) in told {
            lines.extend(names.as_ref().map(|names| format!("  {what}: {names}")));
        }
        if *policy != ApprovalPolicy::Ask {
            lines.push("  what is in review is approved by the flags of this call, as far as they go".to_owned());
        }
        Self { lines, writes: interrupted.is_some() || approved.is_some() }
    }

    pub fn tell(&self) {
        self.lines.iter().for_each(|line| say(line));
    }

    /// Whether to go on: asked where something is written at once and somebody is there to answer. No answer is no.
    pub fn is_wanted(&self, somebody_is_there: bool) -> bool {
        if !self.writes || !somebody_is_there {
            return true;
        }
        let _ = write!(std::io::stdout().lock(), "Go on and write that? [y/N] ");
        let _ = std::io::stdout().flush();
        let mut typed = String::new();
        let read = std::io::stdin().lock().read_line(&mut typed).unwrap_or(0);
        read > 0 && matches!(typed.trim(), "y" | "yes")
    }
}

fn named(run: &Run, is_meant: impl Fn(TaskId, TaskStatus) -> bool) -> Option<String> {
    let meant = (0_u32..).map(TaskId).zip(&run.tasks).filter(|(id, task)| is_meant(*id, task.status));
    let names = some_of(meant.map(|(id, _)| visible(&run.name(id)).into_owned()), MOST_NAMED, ", ");
    (!names.is_empty()).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Digest, Event, Recorded, RunHeader, StepHeader, StepKind};

    #[test]
    fn who_resumes_is_told_what_is_written_without_another_question() {
        let step = StepHeader::new("home", StepKind::Restore);
        let header = RunHeader { id: "r1".to_owned(), steps: vec![step], ..RunHeader::default() };
        let digest = Digest::of("plan");
        let task = TaskId(0);
        let planned = Event::Planned {
            task,
            pass: Default::default(),
            digest,
            preview: Default::default(),
            counts: Default::default(),
            cohort: digest,
        };
        let approved = Event::Approved { task, digest, by: "ana".to_owned() };
        let mut run = Run::default();
        for (event, seq) in [Event::Opened { run: std::sync::Arc::new(header) }, planned].into_iter().zip(1..) {
            run.apply(&Recorded { seq, at: 0, event }).unwrap();
        }
        let before = Standing::of(&run, &ApprovalPolicy::Ask);
        assert!(!before.writes && before.is_wanted(true), "nothing is written, so nothing is asked");
        run.apply(&Recorded { seq: 3, at: 0, event: approved }).unwrap();
        let standing = Standing::of(&run, &ApprovalPolicy::Ask);
        assert!(standing.writes);
        let wanted = "  approved before, and written now without another question: home";
        assert!(standing.lines.iter().any(|line| line == wanted), "{:?}", standing.lines);
    }
}
