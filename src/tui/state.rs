use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use jiff::tz::TimeZone;

use crate::engine::Activity;
use crate::model::{Digest, Problem, Recorded, Run, StepKind, TaskId, TaskStatus};

use super::canary::Canary;
use super::dialogs::Dialog;
use super::ended::Ended;
use super::groups::Groups;
use super::keymap::{Action, Context, Keymap};
use super::matrix::Sight;
use super::notes::{Notes, Weight};
use super::origin::Origin;
use super::pace::Pace;
use super::palette::Palette;
use super::parting::Parting;
use super::review::Review;
use super::rows::Rows;
use super::search::Search;
use super::theme::Theme;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    #[default]
    Steps,
    Matrix,
    Review,
    Evidence,
}

impl Tab {
    pub const ALL: [Self; 4] = [Self::Steps, Self::Matrix, Self::Review, Self::Evidence];

    pub fn title(self) -> &'static str {
        match self {
            Self::Steps => "Steps",
            Self::Matrix => "Matrix",
            Self::Review => "Review",
            Self::Evidence => "Evidence",
        }
    }

    /// What leads to it.
    pub fn action(self) -> Action {
        match self {
            Self::Steps => Action::ShowSteps,
            Self::Matrix => Action::ShowMatrix,
            Self::Review => Action::ShowReview,
            Self::Evidence => Action::ShowEvidence,
        }
    }

    pub fn context(self) -> Context {
        match self {
            Self::Steps => Context::Steps,
            Self::Matrix => Context::Matrix,
            Self::Review => Context::Review,
            Self::Evidence => Context::Evidence,
        }
    }
}

/// How soon a frame is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dirty {
    #[default]
    No,
    /// Progress: at most four frames a second.
    Slow,
    /// Events: soon, but many may share a frame.
    Soon,
    /// A key was pressed.
    Now,
}

/// The events of one task.
#[derive(Debug, Default)]
pub struct Evidence {
    pub task: Option<TaskId>,
    pub generation: u64,
    pub events: Vec<Recorded>,
    pub problem: Option<Problem>,
    pub loading: bool,
    /// Lines from the end: 0 shows the newest.
    pub back: usize,
}

impl Evidence {
    /// The number of the latest event.
    pub fn last(&self) -> u64 {
        self.events.last().map_or(0, |recorded| recorded.seq)
    }
}

/// A text that is being typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Input {
    pub text: String,
}

/// All that the screen is made of.
pub struct Model {
    pub run: Run,
    /// The operator, as `name@host`.
    pub by: String,
    /// Attached to a run of another process: nothing can be commanded.
    pub read_only: bool,
    /// A process holds the run: this one, or the one that is watched.
    pub is_held: bool,
    pub theme: Theme,
    pub zone: TimeZone,
    pub keymap: Keymap,
    pub width: u16,
    pub height: u16,
    pub tab: Tab,
    /// The task that keys act on, in every tab.
    pub cursor: Option<TaskId>,
    pub marks: BTreeSet<TaskId>,
    pub rows: Rows,
    pub matrix_top: usize,
    pub matrix_left: usize,
    pub sight: Sight,
    /// While the filter is typed: its text and the filter to go back to.
    pub filter_input: Option<(Input, String)>,
    pub palette: Option<Palette>,
    pub search: Search,
    pub pace: Pace,
    pub groups: Option<Groups>,
    pub origin: Option<Origin>,
    pub canary: Option<Canary>,
    /// Tasks whose plan could not be shown: nobody approves them along with others.
    pub unopened: BTreeSet<TaskId>,
    pub review: Review,
    pub evidence: Evidence,
    pub dialog: Option<Dialog>,
    pub activities: HashMap<TaskId, Activity>,
    /// Components whose server is waited for, and the words for it.
    pub back_offs: BTreeMap<String, String>,
    /// Digests of plans that a frame of the Review pane has shown.
    pub seen: BTreeSet<Digest>,
    /// The same by their tasks.
    pub opened: BTreeMap<TaskId, Digest>,
    /// Of those, with every hunk in them.
    pub seen_cohorts: BTreeSet<Digest>,
    /// Lines of commands' output, newest last.
    pub output: VecDeque<(TaskId, String)>,
    pub log_level: ::log::LevelFilter,
    /// Whose records the log shows; everybody's without one.
    pub log_voice: Option<&'static str>,
    /// Who has said something in the log.
    pub heard: Vec<&'static str>,
    pub notes: Notes,
    pub parting: Parting,
    pub ended: Ended,
    /// Tasks whose undo is asked for as soon as nothing else goes on, what came last first.
    pub to_undo: Vec<TaskId>,
    /// A line about what can be done next, where there is nothing else to tell.
    pub tour: bool,
    /// The operator wants the run closed, and to leave then.
    pub closing: bool,
    pub idle: bool,
    /// The engine is gone; nothing can be commanded any more.
    pub stopped: Option<Option<Problem>>,
    /// An event that the run's rules do not allow: nothing shown can be relied on from there.
    pub broken: Option<String>,
    pub dirty: Dirty,
    generation: u64,
}

pub const MIN_WIDTH: u16 = 60;
pub const MIN_HEIGHT: u16 = 15;
/// From this width on a list and a plan stand side by side.
pub const TWO_PANES: u16 = 120;
/// Lines above and below the panes: three of the header, the tabs; two of the footer.
pub const HEADER: u16 = 4;
pub const FOOTER: u16 = 2;
pub const MAX_OUTPUT: usize = 2_000;

impl Model {
    pub fn new(by: String, theme: Theme, read_only: bool, zone: TimeZone) -> Self {
        Self {
            run: Run::default(),
            by,
            read_only,
            is_held: true,
            theme,
            zone,
            keymap: Keymap::default(),
            width: 80,
            height: 24,
            tab: Tab::default(),
            cursor: None,
            marks: BTreeSet::new(),
            rows: Rows::default(),
            matrix_top: 0,
            matrix_left: 0,
            sight: Sight::default(),
            filter_input: None,
            palette: None,
            search: Search::default(),
            pace: Pace::default(),
            groups: None,
            origin: None,
            canary: None,
            unopened: BTreeSet::new(),
            review: Review::default(),
            evidence: Evidence::default(),
            dialog: None,
            activities: HashMap::new(),
            back_offs: BTreeMap::new(),
            seen: BTreeSet::new(),
            opened: BTreeMap::new(),
            seen_cohorts: BTreeSet::new(),
            output: VecDeque::new(),
            log_level: ::log::LevelFilter::Info,
            log_voice: None,
            heard: Vec::new(),
            notes: Notes::default(),
            parting: Parting::default(),
            ended: Ended::default(),
            to_undo: Vec::new(),
            tour: false,
            closing: false,
            idle: false,
            stopped: None,
            broken: None,
            dirty: Dirty::Now,
            generation: 0,
        }
    }

    pub fn next_generation(&mut self) -> u64 {
        self.generation += 1;
        self.generation
    }

    /// Where keys have their meaning now.
    pub fn context(&self) -> Context {
        if self.groups.is_some() { Context::Groups } else { self.tab.context() }
    }

    pub fn is_too_small(&self) -> bool {
        self.width < MIN_WIDTH || self.height < MIN_HEIGHT
    }

    pub fn is_wide(&self) -> bool {
        self.width >= TWO_PANES
    }

    /// Rows of the panes.
    pub fn body_height(&self) -> usize {
        usize::from(self.height.saturating_sub(HEADER + FOOTER))
    }

    /// Rows of the list of tasks: its own head line is taken off.
    pub fn list_height(&self) -> usize {
        self.body_height().saturating_sub(1)
    }

    /// Columns of the list where a plan stands beside it.
    pub fn list_width(&self) -> u16 {
        if self.is_wide() { self.width * 2 / 5 } else { self.width }
    }

    pub fn review_width(&self) -> u16 {
        if self.is_wide() && self.tab != Tab::Review { self.width - self.list_width() - 1 } else { self.width }
    }

    /// Rows of hunks: the review's own head lines are taken off.
    pub fn review_height(&self) -> usize {
        self.body_height().saturating_sub(super::panes::REVIEW_HEAD)
    }

    pub fn dirtied(&mut self, dirty: Dirty) {
        self.dirty = self.dirty.max(dirty);
    }

    pub fn say(&mut self, text: impl Into<String>) {
        self.notes.tell(Weight::Said, text);
    }

    pub fn complain(&mut self, text: impl Into<String>) {
        self.notes.tell(Weight::Problem, text);
    }

    /// All is settled well, as the run says itself, from its counts: this is asked for every frame.
    pub fn is_complete(&self) -> bool {
        !self.run.tasks.is_empty() && self.run.is_complete()
    }

    /// Tasks that wait for a person to confirm something.
    pub fn to_confirm(&self) -> u32 {
        let steps = self.run.header.steps.iter().enumerate().filter(|(_, step)| step.kind == StepKind::Confirm);
        steps.map(|(at, _)| self.run.step_count(at, TaskStatus::Ready)).sum()
    }

    pub fn is_confirm(&self, id: TaskId) -> bool {
        self.run.step(id).is_some_and(|step| step.kind == StepKind::Confirm)
    }

    /// The plan on the screen of the task under the cursor is the one the run has in review.
    pub fn reviewed(&self) -> Option<(TaskId, &super::review::Loaded)> {
        let id = self.review.task.filter(|id| self.cursor == Some(*id))?;
        let loaded = self.review.loaded()?;
        let task = self.run.tasks.get(id.index())?;
        let same = task.digest() == Some(loaded.digest) && task.pass == loaded.proposal.plan.pass;
        same.then_some((id, loaded))
    }

    /// Puts what depends on sizes and on the run's state in order; called before keys and frames.
    pub fn settle(&mut self) {
        if self.cursor.is_none() && !self.run.tasks.is_empty() && self.rows.filter.is_empty() {
            self.cursor = Some(TaskId(0));
            self.rows.stale = true;
        }
        if self.rows.stale {
            self.rows.rebuild(&self.run, self.cursor, self.list_height());
        }
        super::palette::look(self);
        self.rows.count_marks(&self.marks);
        self.rows.keep_in_sight(self.cursor, self.list_height());
        let (width, height, theme) = (usize::from(self.review_width()), self.review_height(), self.theme);
        if let Some(loaded) = self.review.loaded_mut() {
            loaded.fit_to(width, theme);
            loaded.keep_in_sight(height);
        }
        // Its names and its total are always there.
        let height = self.body_height().saturating_sub(3).max(1);
        if let Some(at) = self.cursor.and_then(|id| super::matrix::line_of(self, id)) {
            self.matrix_top = self.matrix_top.min(at).max((at + 1).saturating_sub(height));
        }
        let columns = super::panes::matrix_columns(self.width);
        let all = super::matrix::columns(&self.run, self.sight.is_folded);
        let is_here = |column: &super::matrix::Column| self.cursor.is_some_and(|id| column.has(&self.run, id));
        if let Some(at) = all.iter().position(is_here) {
            self.matrix_left = self.matrix_left.min(at).max((at + 1).saturating_sub(columns));
        }
    }
}
