use serde::{Deserialize, Serialize};

use super::{Zone, visible};

/// A session of a run that writes to a target, as it leaves its name there for the sessions of other machines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetHolder {
    pub run: String,
    /// `name@host`.
    pub by: String,
    /// Milliseconds since 1970 at which the session began: a resume is another session.
    pub since: i64,
}

impl TargetHolder {
    fn host(&self) -> &str {
        self.by.rsplit_once('@').map_or("", |(_, host)| host)
    }

    /// Whether `former` was a session of the same run on the same host. It has ended then: the run's lock is held by
    /// one process of a host. Of another host nobody can tell, though the run's folder was copied from there.
    pub fn succeeds(&self, former: &Self) -> bool {
        self.run == former.run && self.host() == former.host() && !self.host().is_empty()
    }

    /// `ana@bastion with the run 261121-044300-homes since 2026-11-21 04:43:00 UTC`.
    pub fn words(&self) -> String {
        let since = Zone::chosen().moment(self.since);
        format!("{} with the run {} since {since}", visible(&self.by), visible(&self.run))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(run: &str, by: &str, since: i64) -> TargetHolder {
        TargetHolder { run: run.to_owned(), by: by.to_owned(), since }
    }

    #[test]
    fn only_the_same_run_on_the_same_host_has_ended_for_certain() {
        let now = holder("r1", "ana@bastion", 9);
        assert!(now.succeeds(&holder("r1", "root@bastion", 1)));
        for other in [holder("r1", "ana@elsewhere", 1), holder("r2", "ana@bastion", 1), holder("r1", "ana", 1)] {
            assert!(!now.succeeds(&other), "{other:?}");
        }
        assert!(!holder("r1", "ana", 9).succeeds(&holder("r1", "ana", 1)), "no host is nobody's host");
    }

    #[test]
    fn whoever_left_a_hostile_name_is_told_visibly() {
        let words = holder("r\u{1b}[2J", "ana@x\u{202e}", 1_795_236_180_123).words();
        assert!(words.ends_with("since 2026-11-21 04:43:00 UTC"), "{words}");
        assert!(!words.contains(['\u{1b}', '\u{202e}']), "{words}");
    }
}
