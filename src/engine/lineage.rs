use std::collections::{HashMap, HashSet};
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::process::{Pid, Signal, kill_process};

/// A mark in a command's environment that its children inherit: it tells them from everybody else's, in whatever
/// session they are and whoever adopted them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lineage(String);

/// A child may be born while the others are killed; one that does nothing else but that is not chased for ever.
const MOST_ROUNDS: usize = 50;

impl Lineage {
    /// What the names of all marks begin with.
    pub const MARK: &str = "REKINDLE_COMMAND_";

    pub fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        // The mark is in the name: a rekindle that a command runs marks its own commands beside it.
        Self(format!("{}{}_{now}_{count}", Self::MARK, std::process::id()))
    }

    /// For the command's environment.
    pub fn mark(&self) -> (&str, &str) {
        (&self.0, "1")
    }

    /// Kills all of it that lives.
    pub fn kill(&self) {
        self.kill_those(|_| true);
    }

    /// All but what has a session of its own: that is how a daemon is told from a child that was forgotten.
    pub fn kill_but_daemons(&self) {
        let session = Process::this().map(|this| this.session);
        self.kill_those(|process| !process.is_daemon(session));
    }

    /// How many live in sessions of their own.
    pub fn daemons(&self) -> usize {
        let session = Process::this().map(|this| this.session);
        self.living().iter().filter(|process| process.is_daemon(session)).count()
    }

    fn kill_those(&self, wanted: impl Fn(&Process) -> bool) {
        let mut killed = HashSet::new();
        for _ in 0..MOST_ROUNDS {
            let mut any = false;
            for process in self.living().into_iter().filter(&wanted) {
                if let Some(pid) = Pid::from_raw(process.pid)
                    && killed.insert(process.pid)
                {
                    any = true;
                    let _ = kill_process(pid, Signal::KILL);
                }
            }
            if !any {
                return;
            }
        }
    }

    /// None where /proc cannot be read or numbers processes as another namespace does. A process that cleaned its environment is found as long as a marked one is
    /// above it.
    fn living(&self) -> Vec<Process> {
        let numbers_as_we_do = Process::this().is_some_and(|this| u32::try_from(this.pid) == Ok(std::process::id()));
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        if !numbers_as_we_do {
            return Vec::new();
        }
        let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let mut children: HashMap<i32, Vec<Process>> = HashMap::new();
        let mut found: Vec<Process> = Vec::new();
        for process in pids.filter_map(Process::living) {
            children.entry(process.parent).or_default().push(process);
            if self.marks(process.pid) {
                found.push(process);
            }
        }
        let mut seen: HashSet<i32> = found.iter().map(|process| process.pid).collect();
        let mut at = 0;
        while let Some(process) = found.get(at).copied() {
            at += 1;
            let born = children.get(&process.pid).into_iter().flatten().copied();
            found.extend(born.filter(|child| seen.insert(child.pid)));
        }
        found
    }

    fn marks(&self, pid: i32) -> bool {
        let (name, value) = self.mark();
        let wanted = format!("{name}={value}");
        fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|environ| environ.split(|byte| *byte == 0).any(|one| one == wanted.as_bytes()))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Process {
    pid: i32,
    parent: i32,
    /// 0 where its leader is outside this namespace, as in a container that was entered: no number for `getsid`.
    session: i32,
}

impl Process {
    /// None for what is dead already and only waits to be collected.
    fn living(pid: i32) -> Option<Self> {
        Self::parsed(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// As /proc numbers it.
    fn this() -> Option<Self> {
        Self::parsed(&fs::read_to_string("/proc/self/stat").ok()?)
    }

    /// Of proc_pid_stat(5).
    fn parsed(stat: &str) -> Option<Self> {
        // Its name, in parentheses, may hold spaces and parentheses.
        let (head, rest) = stat.rsplit_once(')')?;
        let pid = head.split_once(' ')?.0.parse().ok()?;
        let mut fields = rest.split_whitespace();
        if matches!(fields.next()?, "Z" | "X") {
            return None;
        }
        let parent = fields.next()?.parse().ok()?;
        let session = fields.nth(1)?.parse().ok()?;
        Some(Self { pid, parent, session })
    }

    /// Commands begin in the session of this process.
    fn is_daemon(&self, session: Option<i32>) -> bool {
        session.is_some_and(|session| session != self.session)
    }
}

#[cfg(test)]
mod tests {
    use super::Process;

    #[test]
    fn a_process_is_read_whatever_its_name() {
        let read = Process::parsed("42 (a ) S (b) R 1 40 7 0 -1 4194304");
        assert_eq!(read, Some(Process { pid: 42, parent: 1, session: 7 }));
        assert_eq!(Process::parsed("42 (gone) Z 1 40 7 0 -1"), None);
        for torn in ["", "42", "42 (sh", "42 (sh) S", "42 (sh) S 1 40", "x (sh) S 1 40 7"] {
            assert_eq!(Process::parsed(torn), None, "{torn:?}");
        }
    }

    #[test]
    fn in_a_container_that_was_entered_only_what_left_the_session_is_a_daemon() {
        let ours = Process::parsed("10 (rekindle) R 1 10 0 0 -1").unwrap();
        let child = Process::parsed("11 (sh) S 10 11 0 0 -1").unwrap();
        let daemon = Process::parsed("12 (sleep) S 1 12 12 0 -1").unwrap();
        assert!(!child.is_daemon(Some(ours.session)));
        assert!(daemon.is_daemon(Some(ours.session)));
    }

    #[test]
    fn this_process_is_numbered_as_it_numbers_itself() {
        assert_eq!(Process::this().map(|this| this.pid), i32::try_from(std::process::id()).ok());
    }
}
