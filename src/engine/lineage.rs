use std::collections::{HashMap, HashSet};
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::process::{Pid, Signal, getsid, kill_process};

/// A mark in a command's environment that its children inherit: it tells them from everybody else's, in whatever
/// session they are and whoever adopted them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lineage(String);

/// A child may be born while the others are killed; one that does nothing else but that is not chased for ever.
const MOST_ROUNDS: usize = 50;

impl Lineage {
    pub fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        // The mark is in the name: a rekindle that a command runs marks its own commands beside it.
        Self(format!("REKINDLE_COMMAND_{}_{now}_{count}", std::process::id()))
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
        self.kill_those(|process| !process.is_daemon());
    }

    /// How many live in sessions of their own.
    pub fn daemons(&self) -> usize {
        self.living().iter().filter(|process| process.is_daemon()).count()
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

    /// None where /proc cannot be read. A process that cleaned its environment is found as long as a marked one is
    /// above it.
    fn living(&self) -> Vec<Process> {
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
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

#[derive(Clone, Copy)]
struct Process {
    pid: i32,
    parent: i32,
    session: i32,
}

impl Process {
    /// None for what is dead already and only waits to be collected.
    fn living(pid: i32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // Its name, in parentheses, may hold spaces and parentheses.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        if matches!(fields.next()?, "Z" | "X") {
            return None;
        }
        let parent = fields.next()?.parse().ok()?;
        let session = fields.nth(1)?.parse().ok()?;
        Some(Self { pid, parent, session })
    }

    /// Commands begin in the session of this process.
    fn is_daemon(&self) -> bool {
        getsid(None).is_ok_and(|ours| ours.as_raw_nonzero().get() != self.session)
    }
}
