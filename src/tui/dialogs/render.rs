use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use crate::model::{Preview, TargetIdentity, TaskId, TaskState, visible};
use crate::tui::cells::{Pen, column, fit, wrap, wrap_to, wrap_under};
use crate::tui::ended;
use crate::tui::keymap::{Action, Context};
use crate::tui::names::{shown_name, shown_target};
use crate::tui::state::{HEADER, Model};
use crate::tui::theme::Role;
use crate::tui::words;

use super::{Approve, ApproveAll, Demand, Dialog, Question, Verb, help, leaving, reason};

pub type Line = (Role, String);

/// A longer one may be cut in the title, so it stands in full below.
const LONG_NAME: usize = 30;

/// How long a list in a question may be; the rest is counted.
const MOST_LISTED: usize = 6;

/// A question as it fits into its room.
struct Layout {
    title: String,
    lines: Vec<Line>,
    answers: Vec<Line>,
    width: u16,
    /// Lines of the body that are seen at once.
    room: usize,
    top: usize,
}

impl Layout {
    fn of(model: &Model, dialog: &Dialog, area: Rect) -> Self {
        let width = width_in(area);
        let inner = usize::from(width).saturating_sub(4);
        let (title, lines, answers) = words_of(model, dialog, inner);
        let wrapped = |lines: Vec<Line>| -> Vec<Line> {
            let parts =
                lines.into_iter().flat_map(|(role, text)| wrap(&text, inner).into_iter().map(move |part| (role, part)));
            parts.collect()
        };
        let (lines, answers) = (wrapped(lines), wrapped(answers));
        let room = usize::from(area.height).saturating_sub(3 + answers.len()).min(lines.len());
        let top = dialog.top.min(lines.len().saturating_sub(room));
        Self { title, lines, answers, width, room, top }
    }

    fn below(&self) -> usize {
        self.lines.len().saturating_sub(self.top + self.room)
    }
}

/// A wide terminal has room for paths: they are cut in fewer places.
fn width_in(area: Rect) -> u16 {
    area.width.saturating_sub(4).min(76.max(area.width * 3 / 5))
}

/// Where a question is drawn: the header's run and target stay in sight.
pub fn place(area: Rect) -> Rect {
    Rect { y: area.y + HEADER - 1, height: area.height.saturating_sub(HEADER), ..area }
}

/// Whether the question's last line is on the screen: before that no approval is given.
pub fn is_read_to_the_end(model: &Model, dialog: &Dialog) -> bool {
    below(model, dialog) == 0
}

/// How many lines of the question are not on the screen yet.
pub fn below(model: &Model, dialog: &Dialog) -> usize {
    let screen = Rect { x: 0, y: 0, width: model.width, height: model.height };
    Layout::of(model, dialog, place(screen)).below()
}

/// Draws the question over the panes, in a box with a title and, always in sight, how to answer.
pub fn render(model: &Model, dialog: &Dialog, area: Rect, buffer: &mut Buffer) {
    let layout = Layout::of(model, dialog, area);
    let Layout { width, room, top, .. } = layout;
    let inner = usize::from(width).saturating_sub(4);
    let height = u16::try_from(room + 3 + layout.answers.len()).unwrap_or(area.height);
    let frame = Rect {
        x: area.x + area.width.saturating_sub(width) / 2,
        y: area.y + area.height.saturating_sub(height) / 2,
        width,
        height,
    };
    let theme = model.theme;
    let is_danger = matches!(&dialog.question, Question::Approve(approve) if approve.demand.is_typed())
        || matches!(
            &dialog.question,
            Question::ApproveAll(_) | Question::Close(_) | Question::Reason { verb: Verb::Abort }
        );
    let edge = theme.style(if is_danger { Role::Bad } else { Role::Active });
    for y in frame.top()..frame.bottom() {
        for x in frame.left()..frame.right() {
            if let Some(cell) = buffer.cell_mut((x, y)) {
                cell.reset();
            }
        }
    }
    let [top_left, top_right, bottom_left, bottom_right] = theme.corners();
    let rule = theme.line().repeat(usize::from(width).saturating_sub(2));
    Pen::at(buffer, frame, 0).write(top_left, edge).write(&rule, edge).write(top_right, edge);
    let heading = format!(" {} ", fit(&layout.title, inner, theme.cut()));
    let over = Rect { x: frame.x + 2, width: frame.width.saturating_sub(4), ..frame };
    Pen::at(buffer, over, 0).write(&heading, theme.style(Role::Title));
    let last = height.saturating_sub(1);
    Pen::at(buffer, frame, last).write(bottom_left, edge).write(&rule, edge).write(bottom_right, edge);
    let gap = match layout.below() {
        0 => (Role::Quiet, String::new()),
        more => {
            (Role::Attention, format!("({} below: press down to read on)", crate::model::plural(more as u64, "line")))
        }
    };
    let body = layout.lines.iter().skip(top).take(room).cloned();
    let all = body.chain([gap]).chain(layout.answers.iter().cloned());
    for (row, (role, text)) in (1..last).zip(all) {
        let mut pen = Pen::at(buffer, frame, row);
        pen.write(theme.upright(), edge).write(" ", edge).write(&column(&text, inner, theme.cut()), theme.style(role));
        pen.write(" ", edge).write(theme.upright(), edge);
    }
}

fn words_of(model: &Model, dialog: &Dialog, width: usize) -> (String, Vec<Line>, Vec<Line>) {
    let plain = |text: &str| (Role::Plain, text.to_owned());
    let typed = |label: &str| (Role::Key, format!("{label} > {}_", visible(&dialog.input)));
    let back = (Role::Quiet, "Esc goes back; nothing happens".to_owned());
    let name = |task| shown_name(&model.run, task);
    match &dialog.question {
        Question::Approve(approve) => {
            let title = format!("Approve {}{}?", if approve.is_undo { "the UNDO of " } else { "" }, approve.name);
            (title, approve_lines(model, approve), demand_lines(&approve.demand, &typed, back))
        }
        Question::ApproveAll(all) => {
            let title = format!("Approve {}?", crate::model::plural(all.plans.len() as u64, "plan"));
            let mut answers = demand_lines(&all.demand, &typed, back);
            if let (true, Demand::Typed { text, .. }) = (all.is_cohort, &all.demand) {
                let told = canary_lines(all.plans.len(), text).into_iter().map(|line| (Role::Plain, line));
                answers.splice(2..2, told);
            }
            (title, approve_all_lines(model, all), answers)
        }
        Question::Failure { task } => failure_lines(model, *task),
        Question::Reason { verb } => {
            let (title, about) = reason::words(model, verb);
            let names = reason::names(model, verb).map(|names| (Role::Quiet, names));
            (
                title,
                std::iter::once((Role::Plain, about)).chain(names).collect(),
                vec![typed("why"), plain("A reason, then Enter. It goes on record."), back],
            )
        }
        Question::Confirm { task, question } => {
            let title = format!("Is it so: {}?", name(*task));
            (title, confirm_lines(model, *task, question), vec![(Role::Key, "y  yes, it is so".to_owned()), back])
        }
        Question::Settle { task } => {
            let mut lines = problem_lines(model, *task);
            lines.push(plain("Look at the target yourself, then say which it is:"));
            lines.push((Role::Key, "applied        all of it is there".to_owned()));
            lines.push((Role::Key, "not applied    none of it is there; it can be retried".to_owned()));
            lines.push((Role::Key, "look           rekindle reads the target again: it may tell now".to_owned()));
            let retry = model.keymap.key(Context::Steps, Action::Retry);
            lines.push((Role::Quiet, format!("Or go back, and {retry} retries: it is planned anew from what is live then, and what is there already is not written again.")));
            let answer = vec![typed("it is"), plain("Type one of the three, then Enter."), back];
            (format!("{}: nobody knows whether it was applied", name(*task)), lines, answer)
        }
        Question::Quit => leaving::words(model, back),
        Question::Summary => {
            let role = |is_trouble| if is_trouble { Role::Bad } else { Role::Plain };
            let told = ended::summary(model).into_iter();
            let lines = told.flat_map(|(is_trouble, line)| {
                wrap_to(&line, "         ", width).into_iter().map(move |line| (role(is_trouble), line))
            });
            let title = format!("Run {}", visible(&model.run.header.id));
            (
                title,
                lines.collect(),
                vec![(Role::Quiet, "Esc closes this; any other key does what it always does".to_owned())],
            )
        }
        Question::Close(demand) => {
            ("Close the run for good?".to_owned(), leaving::lost(model), demand_lines(demand, &typed, back))
        }
        Question::Help => {
            let keys = 16.min(width / 3);
            let wanted = help::lines(&model.keymap, model.context());
            let lines = help::with(wanted, &dialog.input).into_iter().flat_map(|(key, about)| {
                if key.is_empty() {
                    return vec![(Role::Title, about)];
                }
                let parts = wrap(&about, width.saturating_sub(keys));
                let names = std::iter::once(key.as_str()).chain(std::iter::repeat(""));
                let lines = parts.iter().zip(names).map(|(part, name)| format!("{}{part}", column(name, keys, "")));
                lines.map(|line| (Role::Plain, line)).collect()
            });
            let legend = crate::model::TaskStatus::ALL.iter().map(|status| {
                (model.theme.status_role(*status), format!("{}  {}", model.theme.glyph(*status), status.word()))
            });
            let heading = [(Role::Plain, String::new()), (Role::Title, "States".to_owned())];
            let signs =
                model.theme.signs().map(|(sign, about)| (Role::Plain, format!("{}{about}", column(sign, keys, ""))));
            let of_signs = [(Role::Plain, String::new()), (Role::Title, "Signs".to_owned())];
            let marks = crate::model::Fidelity::ALL.into_iter().flat_map(|fidelity| {
                let word = words::fidelity(fidelity);
                let word = if word.is_empty() { "(nothing)" } else { word };
                [(Role::Key, word.to_owned()), (Role::Plain, format!("  {}", fidelity.about()))]
            });
            let of_hunks = [(Role::Plain, String::new()), (Role::Title, "What stands behind a hunk".to_owned())];
            let legend = of_signs.into_iter().chain(signs).chain(of_hunks).chain(marks).chain(heading).chain(legend);
            let legend = legend.filter(|_| dialog.input.is_empty());
            let mut lines: Vec<Line> = lines.chain(legend).collect();
            if lines.is_empty() {
                lines.push((Role::Attention, "no key does that".to_owned()));
            }
            let answers = match dialog.is_searching {
                true => vec![typed("search"), (Role::Quiet, "Enter keeps it; Esc: all keys again".to_owned())],
                false => vec![(Role::Quiet, "up, down: scroll   /: search   Esc: close".to_owned())],
            };
            ("Keys".to_owned(), lines, answers)
        }
    }
}

/// The question itself in full: what is said of the step stands above it, where that is something else.
fn confirm_lines(model: &Model, task: TaskId, question: &str) -> Vec<Line> {
    let about = model.run.about(task);
    let mut lines = Vec::new();
    if about != question {
        lines.push((Role::Quiet, visible(&about).into_owned()));
    }
    lines.push((Role::Title, visible(question).into_owned()));
    let step = model.run.step(task);
    let told = match step.map(|step| (&step.probe, &step.question, &step.component)) {
        Some((Some(probe), _, Some(component))) => {
            format!("After your yes {} is asked too: {}.", visible(component), visible(probe))
        }
        Some((None, Some(_), _)) => "Nothing else is asked: your word is the only evidence.".to_owned(),
        // A run of an earlier version does not say.
        _ => "If a probe is set for this step, it must hold too.".to_owned(),
    };
    lines.push((Role::Plain, told));
    lines.push((Role::Quiet, format!("goes on record as confirmed by {}", visible(&model.by))));
    lines
}

/// What becomes of equal plans after the answer, and how another number of them goes first.
fn canary_lines(plans: usize, typed: &str) -> Vec<String> {
    let others = match plans.saturating_sub(1) {
        1 => "The other one follows".to_owned(),
        many => format!("The other {many} follow"),
    };
    let mut lines = vec![format!("One plan is written first. {others} once it was read back equal.")];
    if plans > 2 {
        let first = (plans - 1).min(5);
        lines.push(format!("To write {first} first instead, type: {typed} after {first}"));
    }
    lines
}

fn demand_lines(demand: &Demand, typed: &dyn Fn(&str) -> Line, back: Line) -> Vec<Line> {
    match demand {
        Demand::Key => vec![(Role::Key, "y  approve".to_owned()), back],
        Demand::Typed { text, because } => {
            vec![typed("confirm"), (Role::Key, format!("Type {text} ({because}), then Enter.")), back]
        }
    }
}

/// What can hurt stands first: a small window shows that much.
fn approve_lines(model: &Model, approve: &Approve) -> Vec<Line> {
    let plain = |text: String| (Role::Plain, text);
    let mut lines = vec![target_line(&visible(&approve.target.to_string()))];
    if approve.name.width() > LONG_NAME {
        lines.insert(0, (Role::Title, format!("task    {}", approve.name)));
    }
    if approve.counts.deletes() > 0 {
        lines.push((Role::Danger, format!("DELETES {}", approve.counts.deletes())));
    }
    if approve.preview != Preview::Exact {
        lines.push((Role::Danger, words::preview(approve.preview).to_owned()));
    }
    if approve.counts.unreadable > 0 {
        let files = crate::model::plural(approve.counts.unreadable.into(), "file");
        lines
            .push((Role::Danger, format!("CANNOT BE READ in the backup: {files}. Leave them out, or the task fails.")));
    }
    if !approve.irreversible.is_empty() {
        lines.push((Role::Danger, "cannot be undone:".to_owned()));
        let listed = approve.irreversible.iter().take(MOST_LISTED);
        lines.extend(listed.map(|place| (Role::Bad, format!("  {}", visible(place)))));
        let more = approve.irreversible.len().saturating_sub(MOST_LISTED);
        if more > 0 {
            lines.push((Role::Bad, format!("  and {more} more")));
        }
    }
    if !approve.command.is_empty() {
        let inner = usize::from(width_in(place(Rect { x: 0, y: 0, width: model.width, height: model.height })));
        let inner = inner.saturating_sub(4);
        lines.extend(approve.command.iter().flat_map(|line| wrap_under(line, inner)).map(plain));
        lines.push(plain(undo_words(approve).to_owned()));
        lines.push(plain(format!("plan    {}  by {}", approve.digest.short(), visible(&model.by))));
        return lines;
    }
    let [creates, updates, _] = approve.by_op;
    let resources = u64::from(approve.counts.create + approve.counts.update + approve.counts.delete);
    let kinds = [(creates, "create"), (updates, "update"), (approve.counts.deletes(), "delete")];
    let kinds = kinds.map(|(count, what)| crate::model::plural(count.into(), what)).join(", ");
    lines.push(plain(format!("writes  {kinds} in {}", crate::model::plural(resources, "resource"))));
    if approve.left_out > 0 {
        lines.push((
            Role::Attention,
            format!("        {} left out", crate::model::plural(approve.left_out as u64, "hunk")),
        ));
    }
    if approve.warnings > 0 {
        let warnings = crate::model::plural(approve.warnings as u64, "warning");
        lines.push((Role::Attention, format!("        {warnings}, shown in the plan")));
    }
    lines.push((Role::Plain, undo_words(approve).to_owned()));
    lines.push(plain(format!("source  {}", visible(&approve.source.to_string()))));
    lines.push(plain(format!("plan    {}  by {}", approve.digest.short(), visible(&model.by))));
    lines
}

/// A target that nobody proved to be the right one is a danger of its own.
fn target_line(target: &str) -> Line {
    let is_unchecked = target.contains(TargetIdentity::UNCHECKED);
    (if is_unchecked { Role::Danger } else { Role::Title }, format!("target  {target}"))
}

fn undo_words(approve: &Approve) -> &'static str {
    match (approve.is_undo, approve.preview, approve.irreversible.is_empty()) {
        (true, ..) => "undo    this is one; afterwards the task can be retried",
        (_, Preview::Opaque, _) => "undo    none: what a command does is not known",
        (.., true) => "undo    offered afterwards, until the run is closed",
        (.., false) => "undo    offered afterwards for the rest, until the run is closed",
    }
}

fn approve_all_lines(model: &Model, all: &ApproveAll) -> Vec<Line> {
    let mut lines = vec![(Role::Plain, all.which.clone())];
    lines.extend(all.targets.iter().take(MOST_LISTED).map(|target| target_line(target)));
    lines.push((Role::Plain, format!("writes  {}", counted(all))));
    if all.left_out > 0 {
        let left_out = crate::model::plural(all.left_out as u64, "hunk");
        lines.push((Role::Attention, format!("        {left_out} left out")));
    }
    if all.counts.deletes() > 0 {
        lines.push((Role::Danger, format!("DELETES {}", all.counts.deletes())));
    }
    if all.counts.unreadable > 0 {
        let told = words::unreadable(all.counts.unreadable);
        lines.push((Role::Danger, format!("{told}; the tasks that want them fail")));
    }
    let mut seen = format!("you opened {} of these plans", all.opened);
    if all.equal > 0 {
        seen.push_str(&format!(", {} equal one you opened", all.equal));
    }
    lines.push((Role::Plain, seen));
    if all.unseen > 0 {
        let unseen = crate::model::plural(all.unseen as u64, "plan");
        let (role, undo) = match all.counts.irreversible {
            0 if all.opaque == 0 => (Role::Attention, "all of it can be undone"),
            _ => (Role::Danger, "SOME OF IT CANNOT BE UNDONE"),
        };
        lines.push((role, format!("NOT LOOKED AT: {unseen}; {undo}")));
    }
    if all.commands > 0 {
        let commands = crate::model::plural(all.commands as u64, "command");
        lines.push((Role::Danger, format!("RUNS {commands}: what they do is not known, and none can be undone")));
    }
    let partial = all.opaque.saturating_sub(all.commands);
    if partial > 0 {
        lines.push((Role::Danger, format!("{partial} of them do not show all they do")));
    }
    if all.undos > 0 {
        lines.push((Role::Attention, format!("{} of them are undos", all.undos)));
    } else if all.opaque == 0 {
        lines.push((Role::Plain, "undo    offered afterwards, for all that can be undone".to_owned()));
    }
    lines.push((Role::Quiet, listed(all.plans.iter().map(|(id, _)| shown_name(&model.run, *id)))));
    lines
}

/// The first few names, and how many more there are.
pub fn listed(names: impl ExactSizeIterator<Item = String>) -> String {
    crate::model::some_of(names, MOST_LISTED, " ")
}

/// As a single plan's question counts, so that nobody adds up hunks and resources.
fn counted(all: &ApproveAll) -> String {
    let resources = all.resources.iter().map(|count| u64::from(*count)).sum();
    let kinds = all.resources.iter().zip(["created", "updated", "deleted"]);
    let kinds: Vec<_> = kinds.filter(|(count, _)| **count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    let hunks = crate::model::plural(all.counts.hunks.into(), "hunk");
    match kinds.is_empty() {
        true => hunks,
        false => format!("{hunks} in {}: {}", crate::model::plural(resources, "resource"), kinds.join(", ")),
    }
}

fn problem_lines(model: &Model, task: crate::model::TaskId) -> Vec<Line> {
    let Some(problem) = model.run.problems.get(&task) else {
        return vec![(Role::Plain, "no problem is on record".to_owned())];
    };
    let is_partial = model.run.tasks.get(task.index()).is_some_and(|state| state.undoable);
    // What helps stands first: a cause may be long and in a library's words.
    let mut lines = vec![(Role::Plain, format!("effect  {}", words::known(problem.known, is_partial)))];
    if let Some(next) = &problem.next {
        lines.push((Role::Title, format!("next    {}", visible(next))));
    }
    lines.push((Role::Bad, visible(&problem.what).into_owned()));
    lines
}

fn failure_lines(model: &Model, task: crate::model::TaskId) -> (String, Vec<Line>, Vec<Line>) {
    let mut lines = problem_lines(model, task);
    if let Some(news) = model.notes.news() {
        lines.insert(0, (Role::Attention, format!("since then: {news}")));
    }
    if let Some(target) = shown_target(&model.run, task) {
        lines.push((Role::Quiet, format!("target  {target}")));
    }
    let is_undoable = model.run.tasks.get(task.index()).is_some_and(TaskState::can_be_undone);
    let choices = model.keymap.bindings.iter().filter(|binding| binding.context == Context::Failure);
    let choices = choices.filter(|binding| binding.action != Action::Undo || is_undoable);
    let answers = choices.map(|binding| {
        let key = binding.key();
        (Role::Key, format!("{}{}", column(key, 5_usize.max(key.width() + 2), ""), binding.about))
    });
    (format!("{} failed", shown_name(&model.run, task)), lines, answers.collect())
}
