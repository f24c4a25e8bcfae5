use std::ops::Range;

use rustic_core::Id;

/// Where, in a list that is in the order of its ids, those with each beginning of two bytes are. Ids are hashes, so few
/// share one. Every file is looked up several times, and a search through a million ids misses the processor's memory at
/// each of its steps.
#[derive(Default)]
pub(super) struct Beginnings(Vec<u32>);

const ALL: usize = 1 << 16;

fn beginning(id: &Id) -> usize {
    (id.as_u32().swap_bytes() >> 16) as usize
}

impl Beginnings {
    pub(super) fn of<'i>(ids: impl Iterator<Item = &'i Id>) -> Self {
        let mut starts = vec![0_u32; ALL + 1];
        for id in ids {
            if let Some(count) = starts.get_mut(beginning(id) + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        Self(starts)
    }

    /// The positions at which `id` may be.
    pub(super) fn around(&self, id: &Id) -> Range<usize> {
        let at = beginning(id);
        match (self.0.get(at), self.0.get(at + 1)) {
            (Some(from), Some(to)) => *from as usize..*to as usize,
            _ => 0..usize::MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_id_is_within_its_beginning() {
        let mut ids: Vec<Id> = (0..5_000).map(|_| Id::random()).collect();
        ids.sort_unstable();
        let beginnings = Beginnings::of(ids.iter());
        for (at, id) in ids.iter().enumerate() {
            let around = beginnings.around(id);
            assert!(around.contains(&at) && around.len() < 8, "{at}: {around:?}");
        }
        assert!(ids.get(beginnings.around(&Id::default())).is_some());
    }
}
