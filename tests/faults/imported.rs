//! Runs that come from elsewhere, from a newer program, or for another target: refused before a password is asked for,
//! and never written to. And names that are easily taken for one another.

use std::fs;
use std::path::{Path, PathBuf};

use rekindle::model::Digest;

use crate::sandbox::{Sandbox, Told, same, sh};

/// A run whose repository's password comes from a command that leaves a mark each time.
struct Asked(Sandbox);

const VERBS: [&[&str]; 4] =
    [&["resume", "--plain", "--yes"], &["undo", "--yes", "--yes-deletes"], &["verify"], &["close"]];

impl Asked {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let root = sandbox.path("");
        let root = root.display().to_string().trim_end_matches('/').to_owned();
        let text = fs::read_to_string(sandbox.path("runbook.yaml")).unwrap();
        let file = format!("{{ file: {root}/password }}");
        assert!(text.contains(&file));
        let command = format!("{{ command: [sh, -c, 'echo asked >> {root}/mark; cat {root}/password'] }}");
        sandbox.runbook(&text.replace(&file, &command));
        sandbox.run().exits(0);
        Self(sandbox)
    }

    fn times(&self) -> usize {
        fs::read_to_string(self.0.path("mark")).unwrap().lines().count()
    }

    fn folder(&self) -> PathBuf {
        fs::read_dir(self.0.path("state/runs")).unwrap().next().unwrap().unwrap().path()
    }

    /// Every verb that would open the run's systems, with the state kept at `state`.
    fn is_refused(&self, state: &str, saying: &[&str]) {
        let (asked, live) = (self.times(), self.0.live());
        for verb in VERBS {
            let mut command = self.0.command(verb);
            let told = Told::of(command.env("REKINDLE_STATE", self.0.path(state)).output().unwrap()).exits(1);
            saying.iter().fold(told, |told, words| told.says(words));
            assert_eq!(self.times(), asked, "{verb:?} asked for the password");
        }
        same(&self.0.live(), &live, "refused");
    }
}

/// An empty log is none.
fn contents(folder: &Path) -> Vec<Option<Digest>> {
    let read = |file| fs::read(folder.join(file)).ok().filter(|bytes| !bytes.is_empty()).map(Digest::of);
    ["journal.db", "journal.db-wal", "undo.db", "undo.db-wal"].map(read).to_vec()
}

#[test]
fn a_run_that_was_made_elsewhere_can_be_read_and_nothing_else() {
    assert!(Asked::new().times() > 0, "the command is what gives the password");
    let asked = Asked::new();
    let name = asked.folder().file_name().unwrap().to_str().unwrap().to_owned();
    sh(&asked.0.path(""), &format!("mkdir -p elsewhere/runs elsewhere/keys; cp -a state/runs/{name} elsewhere/runs"));
    let folder = asked.0.path("elsewhere/runs").join(&name);
    let before = contents(&folder);
    asked.is_refused("elsewhere", &["not made here", "rekindle report"]);
    let mut report = asked.0.command(&["report"]);
    Told::of(report.env("REKINDLE_STATE", asked.0.path("elsewhere")).output().unwrap()).exits(0).says("home/ana");
    assert_eq!(contents(&folder), before);
}

#[test]
fn a_journal_of_a_newer_rekindle_is_refused_with_both_versions_and_left_as_it_is() {
    let asked = Asked::new();
    let folder = asked.folder();
    let database = rusqlite::Connection::open(folder.join("journal.db")).unwrap();
    database.execute_batch("PRAGMA user_version=7; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    drop(database);
    let before = contents(&folder);
    let own = format!("rekindle {} knows formats up to 2", env!("CARGO_PKG_VERSION"));
    asked.is_refused("state", &["a journal of format 7", &own, "a newer one"]);
    asked.0.rekindle(&["report"]).exits(1).says("format 7");
    asked.0.rekindle(&["runs"]).exits(0).says("unreadable").says("format 7");
    assert_eq!(contents(&folder), before);
}

#[test]
fn a_run_for_another_target_is_refused_before_a_password_is_asked_for() {
    let asked = Asked::new();
    sh(&asked.0.path("live"), "mv home moved; cp -a moved home");
    asked.is_refused("state", &["answers now", "bring the former system back"]);
}

/// Two people, two files and two forms of a letter: on this file system all of them are different names.
#[test]
fn names_that_differ_in_case_or_in_unicode_form_alone_are_each_restored() {
    let sandbox = Sandbox::with_own_backup(
        "cp -a home/ana home/Ana; sed 's/ana/Ana/' accounts/ana.yaml > accounts/Ana.yaml; cd home/cyd; \
         echo small > todo; echo large > TODO; echo composed > $'caf\\u00e9'; echo decomposed > $'cafe\\u0301'; \
         mkdir $'\\u00c5' $'A\\u030a'; echo in-composed > $'\\u00c5/in'; echo in-decomposed > $'A\\u030a/in'",
    );
    sandbox.run().exits(0);
    sh(
        &sandbox.path(""),
        "for side in truth/home live/home; do (cd $side; find Ana ana cyd -type f | sort | xargs -d '\\n' sha256sum) > $(dirname $side).sums; done; diff truth.sums live.sums",
    );
    let account = |name: &str| fs::read_to_string(sandbox.path(&format!("live/accounts/{name}.yaml"))).unwrap();
    assert!(account("Ana").contains("name: Ana") && account("ana").contains("name: ana"));
    for (name, text) in
        [("TODO", "large\n"), ("todo", "small\n"), ("cafe\u{301}", "decomposed\n"), ("A\u{30a}/in", "in-decomposed\n")]
    {
        assert_eq!(fs::read_to_string(sandbox.path("live/home/cyd").join(name)).unwrap(), text);
    }
    sandbox.rekindle(&["plan", "runbook.yaml"]).exits(0);
}
