use rustix::fs::{Access, AtFlags, StatVfsMountFlags, accessat, fstatvfs};
use rustix::io::Errno;

use super::area::Area;
use super::config::FilesConfig;
use super::job::{self, Job};
use super::notes::Notes;
use super::parents;
use super::survey::LOCKED;
use super::write::{not_reserved, privileged};
use crate::beneath::{Beneath, Directories, refusal};
use crate::component::{Approved, Checked};
use crate::model::{Entry, Error, ErrorKind, Preview, Privileges, Resource, Result, TreePath, size};

/// What changes need of a file system, added up over one call: each is judged after those before it that fit.
#[derive(Default)]
pub(super) struct Room {
    bytes: u64,
    nodes: u64,
}

/// Room that stays free for what others write meanwhile, and for the file system's own blocks.
const SPARE_BYTES: u64 = 4 * 1024 * 1024;
const BLOCK: u64 = 4096;

impl Room {
    /// Whether one change can be written: right to write, space and inodes; warnings are shown.
    pub(super) fn check(&mut self, root: &Beneath, config: &FilesConfig, approved: &Approved) -> Result<Checked> {
        let notes = Notes::default();
        let key = &approved.change.id.key;
        not_reserved(root, key)?;
        let bits = job::privileges(config.setuid, approved);
        let jobs = Job::chosen(approved, bits, &notes);
        if bits == Privileges::Refuse
            && let Some(job) = jobs.iter().find(|job| job.after.as_ref().is_some_and(Privileges::are_in))
        {
            return Err(privileged(job.path));
        }
        self.writable(root)?;
        Area::usable(root)?;
        one_file_system(root, key, &jobs)?;
        self.enough(root, &jobs, approved)?;
        let mut warnings = notes.into_lines();
        warnings.extend(lookalikes(root, key, &jobs));
        warnings.extend(closed_directories(root, key, &jobs));
        if jobs.first().is_some_and(|job| job.path.is_root() && job.before.is_none()) {
            warnings.extend(made_above(root, approved)?);
        }
        if !rustix::process::geteuid().is_root() {
            let own = rustix::process::geteuid().as_raw();
            let foreign =
                jobs.iter().filter_map(|job| job.after.as_ref()).filter(|entry| entry.meta.uid != own).count();
            if foreign > 0 {
                warnings.push(format!("{foreign} owners cannot be set, only root may: those files will belong to you"));
            }
        }
        Ok(Checked { preview: Preview::Exact, warnings, ..Checked::default() })
    }

    fn writable(&self, root: &Beneath) -> Result<()> {
        let shown = root.shown(&TreePath::root());
        let stat = fstatvfs(root).map_err(|errno| refusal(format!("look at {shown}"), errno))?;
        if stat.f_flag.contains(StatVfsMountFlags::RDONLY) {
            return Err(Error::io(format!("write below {shown}"), rustix::io::Errno::ROFS.into()));
        }
        accessat(root, ".", Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS)
            .map_err(|errno| refusal(format!("write below {shown}"), errno))
    }

    fn enough(&mut self, root: &Beneath, jobs: &[Job], approved: &Approved) -> Result<()> {
        let former = job::former(approved);
        let shown = root.shown(&TreePath::root());
        let stat = fstatvfs(root).map_err(|errno| refusal(format!("look at {shown}"), errno))?;
        // What is kept is there already.
        let is_new = |job: &&Job| former.is_none_or(|former| former.kept(job.path).is_none());
        let new: Vec<&Job> = jobs.iter().filter(is_new).collect();
        let sum = |needed: &dyn Fn(&Job) -> u64| {
            self.bytes + new.iter().map(|job| needed(job).div_ceil(BLOCK).saturating_mul(BLOCK)).sum::<u64>()
        };
        let mut bytes = sum(&at_most);
        let nodes = self.nodes
            + jobs.iter().filter(|job| job.after.is_some() && (job.content || job.before.is_none())).count() as u64;
        // Blocks that a file system reserves for root are root's to use.
        let is_root = rustix::process::geteuid().is_root();
        let free = if is_root { stat.f_bfree } else { stat.f_bavail }.saturating_mul(stat.f_frsize);
        if bytes.saturating_add(SPARE_BYTES) > free {
            // Holes are asked for only where they decide: that costs a look at each file.
            bytes = sum(&|job| without_holes(approved, job));
        }
        if bytes.saturating_add(SPARE_BYTES) > free {
            return Err(no_space(
                &shown,
                format!("{} are needed, and {} to spare; {} are free", size(bytes), size(SPARE_BYTES), size(free)),
            ));
        }
        // Some file systems make inodes as they go and say 0.
        if stat.f_files > 0 && nodes > stat.f_ffree {
            return Err(no_space(&shown, format!("{nodes} inodes are needed, {} are free", stat.f_ffree)));
        }
        (self.bytes, self.nodes) = (bytes, nodes);
        Ok(())
    }
}

/// Directories in which names would come or go, and which let nothing through.
fn closed_directories(root: &Beneath, key: &TreePath, jobs: &[Job]) -> Vec<String> {
    let is_made = jobs.first().is_some_and(|job| job.path.is_root() && job.before.is_none());
    let named = jobs.iter().take(if is_made { 1 } else { usize::MAX }).filter(|job| !job.metadata_alone());
    let parents = job::directories_of(key, named.map(|job| job.path));
    // What is not there, or cannot be looked at, is told by other means.
    let is_locked = |path: &TreePath| root.node(path).is_ok_and(|node| node.is_some_and(|node| node.is_locked));
    let locked = parents.iter().filter(|path| is_locked(path)).take(MOST_LOCKED);
    locked.map(|path| format!("{}: {LOCKED}; the write stops before it begins", root.shown(path))).collect()
}

/// More lines than a person reads would say no more.
const MOST_LOCKED: usize = 20;

/// What an approval says yes to beside the tree itself.
fn made_above(root: &Beneath, approved: &Approved) -> Result<Vec<String>> {
    let desired = approved.desired.as_ref().and_then(|desired| desired.tree()).map(|tree| &**tree);
    let is_there = |path: &TreePath| Ok(root.entry(path)?.is_some());
    let missing = parents::missing(is_there, &approved.change.id.key, desired)?;
    let said = |entry: &Entry| {
        let (shown, meta) = (root.shown(&entry.path), &entry.meta);
        format!("the directory {shown} is missing: it is made, mode {:04o}, owner {}:{}", meta.mode, meta.uid, meta.gid)
    };
    Ok(missing.iter().map(said).collect())
}

/// Bytes that a job's node takes, holes counted as if they were written.
fn at_most(job: &Job) -> u64 {
    match job.after_is_directory() {
        true => BLOCK,
        false if job.writes_content() => job.size(),
        false => 0,
    }
}

fn without_holes(approved: &Approved, job: &Job) -> u64 {
    let at_most = at_most(job);
    if at_most <= BLOCK || !job.writes_content() {
        return at_most;
    }
    let source = approved.desired.as_ref().and_then(Resource::tree);
    // What cannot be asked counts in full; reading it is what will fail, and says why.
    let told = source.and_then(|tree| tree.bytes_without_holes(job.path).ok().flatten());
    told.map_or(at_most, |bytes| bytes.min(at_most))
}

/// Former files are kept and new ones put in by rename, which no mount point lets through.
fn one_file_system(root: &Beneath, key: &TreePath, jobs: &[Job]) -> Result<()> {
    let places = Directories::on_same_device(root, TreePath::root());
    let full = std::iter::once(key.clone()).chain(jobs.iter().map(|job| key.append(job.path)));
    let mut last = None;
    for parent in full.map(|full| full.parent().unwrap_or_default()) {
        if last.as_ref() == Some(&parent) {
            continue;
        }
        if let Err(errno @ (Errno::XDEV | Errno::LOOP)) = places.get(&parent)
            && (errno == Errno::XDEV || !jobs.iter().any(|job| job.removes()))
        {
            return Err(refusal(format!("write below {}", root.shown(&parent)), errno));
        }
        last = Some(parent);
    }
    Ok(())
}

/// By the tree's own directory, or where it will be made.
fn lookalikes(root: &Beneath, key: &TreePath, jobs: &[Job]) -> Vec<String> {
    let mut place = Some(key.clone());
    while let Some(path) = place {
        if let Ok(directory) = root.directory(&path) {
            return super::lookalikes::warnings(directory, jobs);
        }
        place = path.parent();
    }
    Vec::new()
}

fn no_space(shown: &str, why: String) -> Error {
    Error::new(ErrorKind::NoSpace, format!("write below {shown}"), why)
        .next("free space or inodes on that file system, then retry this task")
}

/// For eyes: what an entry is.
pub(super) fn described(entry: &Entry) -> String {
    use crate::model::NodeKind;
    let kind = match &entry.kind {
        NodeKind::Directory => "a directory".to_owned(),
        NodeKind::File { size, .. } => format!("a file of {size} bytes"),
        NodeKind::Symlink { target } => format!("a symbolic link to {}", crate::model::visible(target)),
        NodeKind::Special { special } => format!("a {special:?}"),
    };
    let meta = &entry.meta;
    let milliseconds =
        meta.times.mtime_s.saturating_mul(1000).saturating_add(i64::from(meta.times.mtime_ns / 1_000_000));
    let time = crate::model::Zone::chosen().moment(milliseconds);
    format!("{kind}, mode {:04o}, owner {}:{}, changed {time}", meta.mode, meta.uid, meta.gid)
}
