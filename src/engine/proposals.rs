use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::made::Made;
use crate::model::TaskId;

/// Proposals that are still in memory, within a bound: the oldest go first and are read afresh when they are
/// asked for.
#[derive(Default)]
pub(super) struct Proposals {
    held: HashMap<TaskId, Arc<Made>>,
    order: VecDeque<TaskId>,
    hunks: usize,
}

/// Of all held proposals together; a hunk of a tree takes about 400 bytes.
const MOST_HUNKS: usize = 100_000;
const MOST: usize = 8_192;

impl Proposals {
    pub fn get(&self, task: TaskId) -> Option<Arc<Made>> {
        self.held.get(&task).cloned()
    }

    pub fn put(&mut self, task: TaskId, made: Arc<Made>) {
        self.remove(task);
        self.hunks += made.hunks();
        self.held.insert(task, made);
        self.order.push_back(task);
        while (self.hunks > MOST_HUNKS && self.held.len() > 1) || self.held.len() > MOST {
            match self.order.pop_front() {
                Some(oldest) if oldest != task => self.forget(oldest),
                Some(_) => self.order.push_back(task),
                None => break,
            }
        }
    }

    pub fn remove(&mut self, task: TaskId) -> Option<Arc<Made>> {
        let made = self.held.get(&task).cloned();
        self.forget(task);
        if self.order.len() > 2 * MOST {
            let held = &self.held;
            self.order.retain(|task| held.contains_key(task));
        }
        made
    }

    fn forget(&mut self, task: TaskId) {
        if let Some(made) = self.held.remove(&task) {
            self.hunks -= made.hunks();
        }
    }
}
