use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Change, Plan};

/// Which hunks of a plan are taken: all but these (change, hunk) positions. Always closed under
/// `needs`: a hunk whose need is left out is left out itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Selection {
    left_out: BTreeSet<(u32, u32)>,
}

impl Selection {
    pub fn all() -> Self {
        Self::default()
    }

    pub fn takes(&self, change: usize, hunk: usize) -> bool {
        let (Ok(change), Ok(hunk)) = (u32::try_from(change), u32::try_from(hunk)) else { return false };
        !self.left_out.contains(&(change, hunk))
    }

    pub fn takes_all(&self) -> bool {
        self.left_out.is_empty()
    }

    pub fn left_out(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.left_out.iter().copied()
    }

    pub fn left_out_count(&self) -> usize {
        self.left_out.len()
    }

    /// Takes or leaves one hunk. Leaving it leaves all that needs it; taking it takes all it needs.
    pub fn decide(&mut self, plan: &Plan, change: usize, hunk: usize, take: bool) {
        let Some(decided) = plan.changes.get(change) else { return };
        let Ok(change_at) = u32::try_from(change) else { return };
        if hunk >= decided.hunks.len() {
            return;
        }
        for position in closure(decided, hunk, take) {
            if take {
                self.left_out.remove(&(change_at, position));
            } else {
                self.left_out.insert((change_at, position));
            }
        }
    }

    /// Takes or leaves every hunk of one change at once; closed under `needs` as those stay within it.
    pub fn decide_change(&mut self, plan: &Plan, change: usize, take: bool) {
        let Some(decided) = plan.changes.get(change) else { return };
        let (Ok(change), Ok(hunks)) = (u32::try_from(change), u32::try_from(decided.hunks.len())) else { return };
        for hunk in 0..hunks {
            if take {
                self.left_out.remove(&(change, hunk));
            } else {
                self.left_out.insert((change, hunk));
            }
        }
    }

    /// Keeps only decisions that name hunks of `plan`, closed under `needs`.
    pub fn fitted_to(&self, plan: &Plan) -> Self {
        let mut fitted = Self::all();
        for (change, hunk) in &self.left_out {
            fitted.decide(plan, *change as usize, *hunk as usize, false);
        }
        fitted
    }
}

fn closure(change: &Change, from: usize, take: bool) -> BTreeSet<u32> {
    let Ok(from) = u32::try_from(from) else { return BTreeSet::new() };
    let mut reached = BTreeSet::from([from]);
    if take {
        let mut open = vec![from];
        while let Some(position) = open.pop() {
            for need in change.hunks.get(position as usize).map_or(&[][..], |hunk| &hunk.needs) {
                if reached.insert(*need) {
                    open.push(*need);
                }
            }
        }
        return reached;
    }
    // A need mostly stands before what needs it, so one forward pass mostly settles it.
    loop {
        let before = reached.len();
        for (position, hunk) in change.hunks.iter().enumerate() {
            if hunk.needs.iter().any(|need| reached.contains(need))
                && let Ok(position) = u32::try_from(position)
            {
                reached.insert(position);
            }
        }
        if reached.len() == before {
            return reached;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Digest, DocumentPath, Fidelity, Hunk, HunkAt, Mode, Op, Pass, PathStep, Preview, ResourceId, TargetIdentity,
        TreePath,
    };
    use std::sync::Arc;

    /// One change whose hunks have these needs.
    fn plan(needs: &[&[u32]]) -> Plan {
        let hunk = |(at, needs): (usize, &&[u32])| Hunk {
            op: Op::Create,
            at: HunkAt::Field { path: DocumentPath(vec![PathStep::Index(at)]), before: None, after: None },
            fidelity: Fidelity::Exact,
            needs: needs.to_vec(),
            said: None,
        };
        let nobody = TargetIdentity { system: String::new(), address: String::new(), id: String::new().into() };
        Plan {
            task: "a".to_owned(),
            pass: Pass::Restore,
            runbook: Digest::of(""),
            target: nobody.clone(),
            source: nobody,
            mode: Mode::Merge,
            preview: Preview::Exact,
            changes: vec![Arc::new(Change {
                id: ResourceId { kind: "document".into(), key: TreePath::root() },
                op: Op::Update,
                before: Digest::of_absence(),
                after: Digest::of_absence(),
                hunks: needs.iter().enumerate().map(hunk).collect(),
                warnings: Vec::new(),
                unreadable: Vec::new(),
                file: None,
                is_foretold: false,
            })],
            command: None,
            warnings: Vec::new(),
        }
    }

    fn left(selection: &Selection) -> Vec<u32> {
        selection.left_out().map(|(_, hunk)| hunk).collect()
    }

    #[test]
    fn what_depends_on_a_left_hunk_goes_with_it_whichever_comes_first() {
        let tree = plan(&[&[], &[0], &[1], &[]]);
        let mut selection = Selection::all();
        selection.decide(&tree, 0, 0, false);
        assert_eq!(left(&selection), [0, 1, 2]);
        let deletes = plan(&[&[1], &[2], &[]]);
        let mut selection = Selection::all();
        selection.decide(&deletes, 0, 2, false);
        assert_eq!(left(&selection), [0, 1, 2]);
    }

    #[test]
    fn taking_a_hunk_takes_what_it_needs_and_no_more() {
        let tree = plan(&[&[], &[0], &[1], &[0]]);
        let mut selection = Selection::all();
        selection.decide(&tree, 0, 0, false);
        selection.decide(&tree, 0, 2, true);
        assert_eq!(left(&selection), [3]);
    }

    #[test]
    fn decisions_from_elsewhere_are_fitted_to_the_plan_they_meet() {
        let tree = plan(&[&[], &[0]]);
        let foreign: Selection = serde_json::from_str("[[0,0],[7,7],[0,99]]").unwrap();
        assert_eq!(left(&foreign.fitted_to(&tree)), [0, 1]);
    }

    #[test]
    fn a_circle_of_needs_ends() {
        let circle = plan(&[&[1], &[0]]);
        let mut selection = Selection::all();
        selection.decide(&circle, 0, 0, false);
        assert_eq!(left(&selection), [0, 1]);
        selection.decide(&circle, 0, 1, true);
        assert!(selection.takes_all());
    }
}
