use super::job::Job;
use crate::model::{Entry, NodeKind, Times};

/// What stands at a job's place, seen from its hunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// What the plan was made from: the hunk is still to be written.
    Former,
    /// The former node is kept, and nothing has come in its place yet: an earlier try stopped here.
    Moved,
    /// As the hunk wants it, as far as metadata tells.
    Wanted,
    /// Metadata partly former, partly wanted: an earlier try stopped between two calls.
    Between,
    /// Neither: someone else was here.
    Foreign,
}

impl Seen {
    /// `kept`: whether the former node lies in the run's area.
    pub(super) fn at(job: &Job, live: Option<&Entry>, kept: bool) -> Self {
        match (job.before, job.after.as_ref(), live) {
            (None, None, _) | (Some(_), None, None) | (None, _, None) if job.after.is_none() => Self::Wanted,
            (None, Some(_), None) => Self::Former,
            (Some(before), Some(after), None) if kept || before.is_directory() != after.is_directory() => Self::Moved,
            (Some(_), _, None) => Self::Foreign,
            (Some(before), _, Some(live)) if alike(before, live) => Self::Former,
            (_, Some(after), Some(live)) if wanted(after, live) => Self::Wanted,
            (before, Some(after), Some(live)) if between(job, before, after, live) => Self::Between,
            _ => Self::Foreign,
        }
    }
}

/// Equal in all that is compared: a directory's time changes with every name in it, a hard link's number
/// with every file written anew.
pub(super) fn alike(one: &Entry, other: &Entry) -> bool {
    same_kind(&one.kind, &other.kind)
        && one.meta.mode == other.meta.mode
        && (one.meta.uid, one.meta.gid) == (other.meta.uid, other.meta.gid)
        && (one.is_directory() || one.meta.times == other.meta.times)
        && one.meta.has_same_attributes(&other.meta)
}

/// As the writer leaves it: attributes aside, which a file system may not take, and for a user who may
/// not give files away, owners too.
pub(super) fn wanted(after: &Entry, live: &Entry) -> bool {
    let root = rustix::process::geteuid().is_root();
    let is_link = matches!(after.kind, NodeKind::Symlink { .. });
    same_kind(&after.kind, &live.kind)
        && (is_link || after.meta.mode == live.meta.mode)
        && (!root || (after.meta.uid, after.meta.gid) == (live.meta.uid, live.meta.gid))
        && (after.is_directory() || after.meta.times == live.meta.times)
}

fn between(job: &Job, before: Option<&Entry>, after: &Entry, live: &Entry) -> bool {
    if !same_kind(&after.kind, &live.kind) {
        return false;
    }
    let own = super::staging::fresh(0o700);
    let former = match before {
        Some(before) if same_kind(&before.kind, &after.kind) && !job.content => &before.meta,
        // A directory stands as it was made until all in it is written. Root gives it its owner before it is seen, so
        // that one of root's own that stands there is another one.
        _ if after.is_directory() && (own.uid != 0 || after.meta.uid == 0) => &own,
        _ => return false,
    };
    // A change of owner takes setuid and setgid away. Attributes are changed while a node may be written to, names in a
    // directory while its owner may do that.
    let open = [former.mode & 0o777 | 0o200, former.mode | 0o300];
    let modes = [former.mode, after.meta.mode, former.mode & 0o1777, after.meta.mode & 0o1777, open[0], open[1]];
    let times: [Times; 2] = [former.times, after.meta.times];
    modes.contains(&live.meta.mode)
        && [former.uid, after.meta.uid].contains(&live.meta.uid)
        && (after.is_directory() || [former.gid, after.meta.gid].contains(&live.meta.gid))
        && (after.is_directory() || times.contains(&live.meta.times))
}

pub(super) fn same_kind(one: &NodeKind, other: &NodeKind) -> bool {
    match (one, other) {
        (NodeKind::File { size: one, .. }, NodeKind::File { size: other, .. }) => one == other,
        (one, other) => one == other,
    }
}
