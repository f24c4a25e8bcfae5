use crate::diff::files::{self, Bounds, Sight, TextDiff};
use crate::model::Proposal;

/// Files whose lines are read for one view; a person reads no more.
pub const MOST_FILES: usize = 1_000;
/// Lines of all of them, and bytes that are read for these.
const MOST_LINES: usize = 50_000;
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// A file's diff, by change and hunk.
pub type FileDiff = ((u32, u32), TextDiff);

/// The diffs of these files, as far as the bounds for all of them go; the others say that they are not looked into.
/// Files that hold secrets are covered. Blocks; ends early where `goes_on` says so.
pub fn read(proposal: &Proposal, files: Vec<(u32, u32)>, goes_on: &dyn Fn() -> bool) -> Vec<FileDiff> {
    let (mut lines, mut bytes) = (0, 0);
    let mut diffs = Vec::new();
    for at in files {
        if !goes_on() {
            break;
        }
        if diffs.len() >= MOST_FILES || lines >= MOST_LINES || bytes >= MOST_BYTES {
            diffs.push((at, TextDiff::note("not looked into: this view is long enough; open the file to see it")));
            continue;
        }
        let bounds = Bounds {
            lines: Bounds::ONE_FILE.lines.min(MOST_LINES - lines),
            bytes: MOST_BYTES - bytes,
            ..Bounds::ONE_FILE
        };
        let diff = files::compare(proposal, at, bounds, Sight::of_one_file(false), &mut |_| goes_on());
        lines += diff.lines.len();
        bytes += diff.read;
        diffs.push((at, diff));
    }
    diffs
}
