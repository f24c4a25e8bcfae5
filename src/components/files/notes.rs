use std::sync::{Mutex, PoisonError};

/// What was written otherwise than the source has it; bounded, for a tree may hold a million such files.
#[derive(Default)]
pub(super) struct Notes(Mutex<(Vec<String>, u64)>);

const AT_MOST: usize = 200;

impl Notes {
    pub(super) fn add(&self, note: String) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.0.len() < AT_MOST {
            inner.0.push(note);
        } else {
            inner.1 += 1;
        }
    }

    /// Sorted, because threads add in any order.
    pub(super) fn into_lines(self) -> Vec<String> {
        let (mut lines, more) = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        lines.sort();
        lines.dedup();
        if more > 0 {
            lines.push(format!("and {more} more"));
        }
        lines
    }
}
