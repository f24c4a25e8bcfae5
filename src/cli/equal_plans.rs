use std::collections::HashMap;

use super::decisions::{PlannedTask, TaskOutlook};
use crate::model::{Change, Digest, DigestBuilder, HunkAt, NodeKind, Plan, Shown, without_owner};

/// Plans of a saved dry run that change the same.
pub struct EqualPlans {
    groups: Vec<Vec<usize>>,
    /// By the task's position, its group's.
    of: HashMap<usize, usize>,
}

impl EqualPlans {
    /// A saved plan is not trusted to say which are equal: what can be seen of them must be equal too.
    pub fn of(tasks: &[PlannedTask]) -> Self {
        let mut found = Self { groups: Vec::new(), of: HashMap::new() };
        let mut known: HashMap<(Digest, Digest), usize> = HashMap::new();
        for (at, task) in tasks.iter().enumerate() {
            let TaskOutlook::Changes { plan, cohort: Some(cohort), .. } = &task.outlook else { continue };
            let Some((step, owner)) = task.task.split_once('/') else { continue };
            let group = *known.entry((*cohort, seen(task, plan, step, owner))).or_insert_with(|| {
                found.groups.push(Vec::new());
                found.groups.len() - 1
            });
            found.groups[group].push(at);
            found.of.insert(at, group);
        }
        found
    }

    /// The later ones that change the same as the one at `at`.
    pub fn after(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        let group = self.of.get(&at).and_then(|group| self.groups.get(*group));
        group.into_iter().flatten().copied().filter(move |other| *other > at)
    }
}

/// All that a reviewer sees of a plan, without the owner's name, ids and times.
fn seen(task: &PlannedTask, plan: &Plan, step: &str, owner: &str) -> Digest {
    let without = |text: &str| without_owner(text, owner, "…");
    let mut builder = DigestBuilder::new("seen");
    builder.part(step).number(plan.pass as u64).number(plan.preview as u64);
    for warning in &plan.warnings {
        builder.part(without(warning));
    }
    for change in &plan.changes {
        add_change(&mut builder, change, &without);
    }
    for saved in &task.lines {
        builder.number(u64::from(saved.change)).number(u64::from(saved.hunk));
        for line in &saved.diff.lines {
            builder.part(line.side.mark()).part(without(&line.text));
        }
        builder.part(without(saved.diff.note.as_deref().unwrap_or_default()));
    }
    builder.finish()
}

fn add_change(builder: &mut DigestBuilder, change: &Change, without: &dyn Fn(&str) -> String) {
    builder.part(&*change.id.kind).part(without(&change.id.key.to_string()));
    builder.number(change.op as u64).number(change.hunks.len() as u64);
    for warning in &change.warnings {
        builder.part(without(warning));
    }
    for hunk in &change.hunks {
        builder.number(hunk.op as u64).number(hunk.fidelity as u64).part(without(&hunk.words()));
        match &hunk.at {
            HunkAt::Field { before, after, .. } => {
                for side in [before, after] {
                    builder.part(match side {
                        None => String::new(),
                        Some(Shown::Plain(value)) => without(&value.to_string()),
                        // The cohort tells secrets apart.
                        Some(Shown::Secret(_) | Shown::Masked) => "secret".to_owned(),
                    });
                }
            }
            HunkAt::Node { before, after, content, .. } => {
                builder.number(u64::from(*content));
                for entry in [before, after].into_iter().flatten() {
                    builder.number(u64::from(entry.meta.mode)).part(match &entry.kind {
                        NodeKind::Directory => "directory".to_owned(),
                        NodeKind::File { size, .. } => format!("file {size}"),
                        NodeKind::Symlink { target } => format!("link {}", without(&String::from_utf8_lossy(target))),
                        NodeKind::Special { .. } => "special".to_owned(),
                    });
                }
            }
        }
    }
}
