//! The way back: from what is there now, to what was there before this run's own effects, and no further.

use rekindle::engine::{Command, Purpose};
use rekindle::model::{Error, ErrorKind, Event, Known, Pass, Preview, TaskId, TaskStatus};

use crate::YES;
use crate::platform::{Follower, Platform};
use futures_util::FutureExt;
use rekindle::model::ApprovalPolicy;

const ENDS: [TaskStatus; 3] = [TaskStatus::Undone, TaskStatus::Failed, TaskStatus::Unknown];

fn account(quota: u32) -> String {
    format!("# ana\nname: ana\nquota: {quota} # GB\nroles:\n- editor\npassword: secret-of-ana\n")
}

impl Follower {
    pub async fn approve(&mut self, name: &str, ends: &[TaskStatus]) {
        let task = self.run.find(name).unwrap();
        let digest = self.run.tasks[task.index()].digest().unwrap();
        self.engine.command(Command::Approve { task, digest }, "op").await.unwrap();
        self.until(name, &[TaskStatus::Approved]).await;
        self.until(name, ends).await;
    }

    pub async fn undo(&mut self, name: &str) {
        let task = self.run.find(name).unwrap();
        self.engine.command(Command::Undo { task }, "op").await.unwrap();
        self.until_planned(name).await;
        self.approve(name, &ENDS).await;
        assert_eq!(self.status(name), TaskStatus::Undone, "{:?}", self.run.problems);
    }
}

#[tokio::test]
async fn a_second_undo_goes_back_to_what_was_there_before_the_second_restore() {
    let platform = Platform::new();
    platform.write("live/accounts/ana.yaml", &account(3));
    let mut run = platform.begin(ApprovalPolicy::Ask).await;
    run.settle().await;
    run.approve("account/ana", &[TaskStatus::Done]).await;
    run.undo("account/ana").await;
    assert_eq!(platform.read("live/accounts/ana.yaml").unwrap(), account(3));

    platform.write("live/accounts/ana.yaml", &account(5));
    let task = run.run.find("account/ana").unwrap();
    run.engine.command(Command::Retry { task }, "op").await.unwrap();
    run.until_planned("account/ana").await;
    run.approve("account/ana", &[TaskStatus::Done]).await;
    run.undo("account/ana").await;
    assert_eq!(platform.read("live/accounts/ana.yaml").unwrap(), account(5));
}

#[tokio::test]
async fn what_somebody_changed_since_is_named_before_an_undo_takes_it_away() {
    let platform = Platform::new();
    platform.write("live/accounts/ana.yaml", &account(3));
    let mut run = platform.begin(ApprovalPolicy::Ask).await;
    run.settle().await;
    run.approve("account/ana", &[TaskStatus::Done]).await;
    platform.write("live/accounts/ana.yaml", &account(8).replace("- editor", "- editor\n- admin"));
    let task = run.run.find("account/ana").unwrap();
    run.engine.command(Command::Undo { task }, "op").await.unwrap();
    run.until_planned("account/ana").await;
    let proposal = run.engine.proposal(task).await.unwrap();
    let said = proposal.plan.warnings.join("\n");
    assert!(said.contains("changed since this run wrote it, and this undo takes that away: quota"), "{said}");
    assert!(!said.contains("roles"), "what the run did not touch stays: {said}");
    run.approve("account/ana", &ENDS).await;
    let now = platform.read("live/accounts/ana.yaml").unwrap();
    assert!(now.contains("quota: 3") && now.contains("- admin"), "{now}");
}

#[tokio::test]
async fn another_one_that_has_the_name_now_is_no_runs_to_undo() {
    let platform = Platform::new();
    let with_id = |id: &str| format!("{}id: {id}\n", account(10));
    platform.write("backup/accounts/ana.yaml", &with_id("a1"));
    std::fs::remove_file(platform.path("live/accounts/ana.yaml")).unwrap();
    let mut run = platform.begin(ApprovalPolicy::Ask).await;
    run.settle().await;
    run.approve("account/ana", &[TaskStatus::Done]).await;
    platform.write("live/accounts/ana.yaml", &with_id("b2"));
    let task = run.run.find("account/ana").unwrap();
    run.engine.command(Command::Undo { task }, "op").await.unwrap();
    run.until("account/ana", &ENDS).await;
    let problem = &run.run.problems[&task];
    assert_eq!((run.status("account/ana"), problem.kind), (TaskStatus::Failed, ErrorKind::Conflict));
    assert!(problem.what.contains("of id a1, and b2 is live"), "{problem:?}");
    assert_eq!(platform.read("live/accounts/ana.yaml").unwrap(), with_id("b2"));
}

#[tokio::test]
async fn what_somebody_else_made_as_it_was_wanted_is_not_the_undos_to_take_away() {
    let wanted = account(10);
    for was in [None, Some(account(3))] {
        let platform = Platform::new();
        let live = platform.path("live/accounts/ana.yaml");
        let theirs = tempfile::NamedTempFile::new().unwrap();
        std::fs::copy(&live, theirs.path()).unwrap();
        std::fs::remove_file(&live).unwrap();
        if let Some(was) = was {
            std::fs::write(&live, was).unwrap();
        }
        let mut run = platform.begin(ApprovalPolicy::Ask).await;
        run.settle().await;
        let task = run.run.find("account/ana").unwrap();
        assert_eq!(run.status("account/ana"), TaskStatus::Review);
        std::fs::copy(theirs.path(), &live).unwrap();
        run.approve("account/ana", &[TaskStatus::Done]).await;
        run.engine.command(Command::Undo { task }, "op").await.unwrap();
        run.until("account/ana", &ENDS).await;
        assert_eq!(run.status("account/ana"), TaskStatus::Undone, "{:?}", run.run.problems);
        while run.run.stays(task).is_empty() {
            run.step().await;
        }
        let said = run.run.stays(task).join("; ");
        assert!(said.contains("was as wanted before this run wrote"), "{said}");
        assert_eq!(platform.read("live/accounts/ana.yaml").as_ref(), Some(&wanted));
    }
}

/// Alone, and beside what can be brought back.
#[tokio::test]
async fn an_undo_says_what_it_did_not_bring_back() {
    for (was, kept) in [(account(10), false), (account(3), true)] {
        let platform = Platform::new();
        platform.write("backup/accounts/ana.yaml", &format!("{}seal: of the backup\n", account(10)));
        platform.write("live/accounts/ana.yaml", &format!("{was}seal: of the house\n"));
        let mut run = platform.begin(ApprovalPolicy::Ask).await;
        run.settle().await;
        let task = run.run.find("account/ana").unwrap();
        run.approve("account/ana", &[TaskStatus::Done]).await;
        assert!(run.run.stays(task).is_empty());
        run.engine.command(Command::Undo { task }, "op").await.unwrap();
        match kept {
            true => {
                run.until_planned("account/ana").await;
                run.approve("account/ana", &ENDS).await;
            }
            false => run.until("account/ana", &ENDS).await,
        }
        assert_eq!(run.status("account/ana"), TaskStatus::Undone, "{:?}", run.run.problems);
        // What was warned of comes right after it.
        while run.run.stays(task).is_empty() {
            run.step().await;
        }
        let said = run.run.stays(task).join("; ");
        assert!(said.contains("cannot be brought back, so it stays as it is: seal"), "{said}");
        assert_eq!(run.run.undone_in_part(), 1);
        let now = platform.read("live/accounts/ana.yaml").unwrap();
        assert!(now.contains("seal: of the backup") && now.starts_with(&was), "{now}");
    }
}

#[tokio::test]
async fn what_a_task_did_not_change_it_does_not_undo() {
    let platform = Platform::new();
    platform.write("live/accounts/ana.yaml", &account(3));
    let mut run = platform.begin(ApprovalPolicy::Ask).await;
    run.settle().await;
    platform.write("live/accounts/ana.yaml", &account(7));
    run.approve("account/ana", &[TaskStatus::Failed]).await;
    let task = run.run.find("account/ana").unwrap();
    assert!(run.engine.command(Command::Undo { task }, "op").await.is_err(), "an undo of nothing was taken up");
    assert_eq!(platform.read("live/accounts/ana.yaml").unwrap(), account(7));
}

#[tokio::test]
async fn a_file_that_was_left_out_of_a_restore_is_not_the_undos_to_delete() {
    let platform = Platform::new();
    std::fs::remove_dir_all(platform.path("live/home/ana")).unwrap();
    let mut run = platform.begin(ApprovalPolicy::Ask).await;
    run.settle().await;
    let task = run.run.find("home/ana").unwrap();
    let proposal = run.engine.proposal(task).await.unwrap();
    let places: Vec<String> = proposal.plan.changes[0].hunks.iter().map(rekindle::model::Hunk::place).collect();
    let notes = places.iter().position(|place| place == "notes.txt").unwrap();
    let mut selection = run.run.selection(task);
    selection.decide(&proposal.plan, 0, notes, false);
    let digest = proposal.plan.digest(&selection);
    run.engine.command(Command::Decide { task, selection }, "op").await.unwrap();
    while run.run.tasks[task.index()].digest() != Some(digest) {
        run.step().await;
    }
    run.approve("home/ana", &[TaskStatus::Done]).await;
    platform.write("live/home/ana/notes.txt", "my own");
    run.undo("home/ana").await;
    assert_eq!(platform.read("live/home/ana/notes.txt").as_deref(), Some("my own"));
    assert!(platform.read("live/home/ana/projects/x.py").is_none(), "what was restored is gone again");
}

#[tokio::test]
async fn an_undo_that_is_let_go_leaves_the_task_as_it_was() {
    let platform = Platform::new();
    platform.write("live/accounts/ana.yaml", &account(3));
    let mut run = platform.begin(YES).await;
    run.settle().await;
    let task = run.run.find("account/ana").unwrap();
    let before = run.run.tasks[task.index()].clone();
    run.leave().await;
    let mut run = platform.resume(ApprovalPolicy::Ask).await;
    run.settle().await;
    run.engine.command(Command::Undo { task }, "op").await.unwrap();
    run.until_planned("account/ana").await;
    run.engine.command(Command::Skip { task, why: "not now".to_owned() }, "op").await.unwrap();
    run.until("account/ana", &[TaskStatus::Done]).await;
    assert_eq!(run.run.tasks[task.index()], before);
}

#[tokio::test]
async fn a_retry_waits_for_what_the_task_needs() {
    let platform = Platform::new();
    platform.write("live/accounts/ana.yaml", "name: [unclosed\n");
    platform.write("live/home/ana/notes.txt", "scribble");
    let mut run = platform.begin(YES).await;
    run.settle().await;
    let home = run.run.find("home/ana").unwrap();
    run.engine.command(Command::Skip { task: home, why: "later".to_owned() }, "op").await.unwrap();
    run.engine.command(Command::Retry { task: home }, "op").await.unwrap();
    run.until("home/ana", &[TaskStatus::Skipped]).await;
    run.until("home/ana", &[TaskStatus::Waiting]).await;
    assert_eq!(platform.read("live/home/ana/notes.txt").as_deref(), Some("scribble"));
}

/// Killed between an approval and its INTENT, after an earlier attempt that wrote a part: who comes to undo, and lets
/// it be, has asked for no restore.
#[tokio::test]
async fn an_undo_that_is_let_go_carries_no_restore_out() {
    let platform = Platform::new();
    platform.write("live/accounts/ana.yaml", &account(3));
    let mut run = platform.begin(ApprovalPolicy::Ask).await;
    run.settle().await;
    let task = run.run.find("account/ana").unwrap();
    let digest = run.run.tasks[task.index()].digest().unwrap();
    let counts = run.run.tasks[task.index()].counts();
    run.leave().await;
    let by = || "op".to_owned();
    let (known, preview, pass, undoable) = (Known::NotApplied, Preview::Exact, Default::default(), true);
    let problem = Error::new(ErrorKind::Denied, "write", "immutable").problem();
    platform.append(vec![
        Event::Approved { task, digest, by: by() },
        Event::Intent { task, attempt: 1, digest, pre: digest, undoable },
        Event::Outcome {
            task,
            known,
            post: None,
            evidence: by(),
            problem: Some(problem),
            partial: true,
            kept: None,
            dependents_go_on: false,
            bytes: None,
            output: None,
        },
        Event::Retried { task, by: by() },
        Event::Planned { task, pass, digest, preview, counts, cohort: digest },
        Event::Approved { task, digest, by: by() },
    ]);

    let mut run = platform.resume_for(Purpose::Undo, ApprovalPolicy::Ask).await;
    run.settle().await;
    assert_eq!(run.run.standing(task).len(), 1);
    // One after the other before the undo's plan can come between.
    let (asked, let_go) = tokio::join!(
        run.engine.command(Command::Undo { task }, "op"),
        run.engine.command(Command::Skip { task, why: "not now".to_owned() }, "op"),
    );
    asked.unwrap();
    let_go.unwrap();
    run.settle().await;
    assert_eq!(run.status("account/ana"), TaskStatus::Approved);
    assert_eq!(platform.read("live/accounts/ana.yaml").unwrap(), account(3));
    run.leave().await;

    let mut run = platform.resume(ApprovalPolicy::Ask).await;
    run.settle().await;
    run.until("account/ana", &[TaskStatus::Done]).await;
    assert_eq!(platform.read("live/accounts/ana.yaml").unwrap(), account(10));
}

/// Ana's account is restored, and the way back is planned.
async fn undo_in_review() -> (Platform, Follower, TaskId) {
    let platform = Platform::new();
    platform.write("live/accounts/ana.yaml", &account(3));
    let mut run = platform.begin(YES).await;
    run.settle().await;
    run.leave().await;
    let mut run = platform.resume(ApprovalPolicy::Ask).await;
    run.settle().await;
    let task = run.run.find("account/ana").unwrap();
    run.engine.command(Command::Undo { task }, "op").await.unwrap();
    run.until_planned("account/ana").await;
    (platform, run, task)
}

/// Somebody changed what is live while the way back was in review, and the plan is looked at before it is made anew.
#[tokio::test]
async fn an_undo_in_review_outlives_a_drift() {
    let (platform, run, task) = undo_in_review().await;
    run.leave().await;
    platform.write("live/accounts/ana.yaml", &account(7));

    let engine = platform.reopen(Purpose::GoOn, ApprovalPolicy::Ask);
    assert!(engine.command(Command::Pause, "op").now_or_never().is_none());
    let mut run = Follower::of(engine);
    run.settle().await;
    let shown = run.engine.proposal(task).await;
    assert_eq!(shown.map(|_| ()).unwrap_err().kind(), ErrorKind::Conflict);
    run.engine.command(Command::Continue, "op").await.unwrap();
    run.until_planned("account/ana").await;
    assert_eq!(run.run.tasks[task.index()].pass, Pass::Undo);
    run.approve("account/ana", &ENDS).await;
    assert_eq!(platform.read("live/accounts/ana.yaml").unwrap(), account(3));
}

/// A part of the way back is written, and the rest is let go: nobody may take it for done.
#[tokio::test]
async fn an_undo_that_wrote_a_part_and_is_let_go_has_failed() {
    let platform = Platform::new();
    platform.write("live/accounts/ana.yaml", &account(3));
    let mut run = platform.begin(YES).await;
    run.settle().await;
    let task = run.run.find("account/ana").unwrap();
    let counts = run.run.tasks[task.index()].counts();
    run.leave().await;
    let by = || "op".to_owned();
    let (known, preview, pass, digest) =
        (Known::NotApplied, Preview::Exact, Pass::Undo, rekindle::model::Digest::of("x"));
    let problem = Error::new(ErrorKind::Denied, "write", "immutable").problem();
    platform.append(vec![
        Event::UndoAsked { task, by: by() },
        Event::Planned { task, pass, digest, preview, counts, cohort: digest },
        Event::Approved { task, digest, by: by() },
        Event::Intent { task, attempt: 2, digest, pre: digest, undoable: true },
        Event::Outcome {
            task,
            known,
            post: None,
            evidence: by(),
            problem: Some(problem),
            partial: true,
            kept: None,
            dependents_go_on: false,
            bytes: None,
            output: None,
        },
    ]);
    let mut run = platform.resume(ApprovalPolicy::Ask).await;
    run.settle().await;
    run.engine.command(Command::Retry { task }, "op").await.unwrap();
    run.until_planned("account/ana").await;
    run.engine.command(Command::Skip { task, why: "not now".to_owned() }, "op").await.unwrap();
    run.until("account/ana", &[TaskStatus::Failed, TaskStatus::Done]).await;
    assert_eq!(run.status("account/ana"), TaskStatus::Failed);
    assert!(run.problem("account/ana").contains("a part of it was written: not now"));
    run.undo("account/ana").await;
    assert_eq!(platform.read("live/accounts/ana.yaml").unwrap(), account(3));
}

/// Approved, and let go before it was begun: as if it had not been asked for.
#[tokio::test]
async fn an_approved_undo_that_is_let_go_leaves_the_task_done() {
    let (platform, mut run, task) = undo_in_review().await;
    run.engine.command(Command::Pause, "op").await.unwrap();
    let digest = run.run.tasks[task.index()].digest().unwrap();
    run.engine.command(Command::Approve { task, digest }, "op").await.unwrap();
    run.engine.command(Command::Skip { task, why: "not now".to_owned() }, "op").await.unwrap();
    run.until("account/ana", &[TaskStatus::Done, TaskStatus::Skipped]).await;
    assert_eq!(run.status("account/ana"), TaskStatus::Done);
    assert_eq!(platform.read("live/accounts/ana.yaml").unwrap(), account(10));
}

/// The bytes are the same, so that only the names tell.
#[tokio::test]
async fn a_file_that_was_made_a_link_is_a_file_of_its_own_again() {
    use std::os::unix::fs::MetadataExt;
    let platform = Platform::new();
    let inode = |name: &str| std::fs::metadata(platform.path(name)).unwrap().ino();
    for side in ["backup", "live"] {
        let home = platform.path(side).join("home/ana");
        std::fs::copy(home.join("notes.txt"), home.join("twin.txt")).unwrap();
        let time = std::fs::metadata(home.join("notes.txt")).unwrap().modified().unwrap();
        std::fs::File::options().write(true).open(home.join("twin.txt")).unwrap().set_modified(time).unwrap();
    }
    let backup = platform.path("backup/home/ana");
    std::fs::remove_file(backup.join("twin.txt")).unwrap();
    std::fs::hard_link(backup.join("notes.txt"), backup.join("twin.txt")).unwrap();
    let before = inode("live/home/ana/twin.txt");
    let mut run = platform.begin(ApprovalPolicy::Ask).await;
    run.settle().await;
    run.approve("home/ana", &[TaskStatus::Done]).await;
    assert_eq!(inode("live/home/ana/twin.txt"), inode("live/home/ana/notes.txt"));
    run.undo("home/ana").await;
    assert_eq!(inode("live/home/ana/twin.txt"), before);
}
