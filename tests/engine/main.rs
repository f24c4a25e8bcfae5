//! Stories of the engine on real files and documents.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod commands;
mod counting;
mod filling;
mod holding;
mod limits;
#[path = "../support/one_step.rs"]
mod one_step;
mod panics;
mod partly;
mod platform;
mod reordered;
mod undo;

use platform::{Follower, Platform, USERS};
use rekindle::engine::Command;
use rekindle::model::{ApprovalPolicy, Digest, TaskId, TaskStatus};

const YES: ApprovalPolicy = ApprovalPolicy::Yes { deletes: false, irreversible: false };

fn damage(platform: &Platform) {
    std::fs::remove_dir_all(platform.path("live/home/ana")).unwrap();
    platform.write("live/home/bob/notes.txt", "scribble");
    platform.write("live/home/bob/later.txt", "came later");
    platform.write("live/accounts/cyd.yaml", "# cyd\nname: cyd\nquota: 3 # GB\nroles:\n- guest\npassword: other\n");
    std::fs::remove_file(platform.path("live/accounts/bob.yaml")).unwrap();
}

#[tokio::test]
async fn what_is_equal_is_left_alone() {
    let platform = Platform::new();
    let mut run = platform.begin(YES).await;
    run.settle().await;
    for (name, status) in run.statuses() {
        assert_eq!(status, TaskStatus::Unchanged, "{name}");
    }
}

#[tokio::test]
async fn everybody_is_restored_and_a_second_run_finds_nothing_to_do() {
    let platform = Platform::new();
    let sound = platform.live();
    damage(&platform);
    let mut run = platform.begin(YES).await;
    run.settle().await;
    for name in ["account/cyd", "account/bob", "home/ana", "home/bob"] {
        assert_eq!(run.status(name), TaskStatus::Done, "{name}: {:?}", run.run.problems);
    }
    let mut live = platform.live();
    assert_eq!(live.remove("home/bob/later.txt").as_deref(), Some("came later"), "merge keeps what only live has");
    let cyd = live.insert("accounts/cyd.yaml".to_owned(), sound["accounts/cyd.yaml"].clone()).unwrap();
    assert!(cyd.contains("quota: 10 # GB") && cyd.contains("- guest") && cyd.contains("secret-of-cyd"), "{cyd}");
    assert_eq!(live, sound);
}

#[tokio::test]
async fn an_undo_brings_the_former_state_back_after_its_own_review() {
    let platform = Platform::new();
    damage(&platform);
    let former = platform.live();
    let mut run = platform.begin(YES).await;
    run.settle().await;
    run.leave().await;
    assert_ne!(platform.live(), former);

    let mut run = platform.resume(ApprovalPolicy::Ask).await;
    run.settle().await;
    for name in ["home/ana", "home/bob", "account/cyd", "account/bob"] {
        let task = run.run.find(name).unwrap();
        run.engine.command(Command::Undo { task }, "op").await.unwrap();
        run.until(name, &[TaskStatus::Review]).await;
        run.settle().await;
        assert_eq!(run.status(name), TaskStatus::Review, "{name}: {:?}", run.run.problems);
        let digest = run.run.tasks[task.index()].digest().unwrap();
        run.engine.command(Command::Approve { task, digest }, "op").await.unwrap();
        run.until(name, &[TaskStatus::Undone, TaskStatus::Failed, TaskStatus::Unknown]).await;
        assert_eq!(run.status(name), TaskStatus::Undone, "{name}: {:?}", run.run.problems);
    }
    assert_eq!(platform.live(), former);
}

#[tokio::test]
async fn a_hunk_that_is_left_out_stays_out() {
    let platform = Platform::new();
    platform.write("live/accounts/ana.yaml", "# ana\nname: ana\nquota: 3 # GB\nroles:\n- editor\npassword: other\n");
    let mut run = platform.begin(ApprovalPolicy::Ask).await;
    run.settle().await;
    let task = run.run.find("account/ana").unwrap();
    let proposal = run.engine.proposal(task).await.unwrap();
    let places: Vec<String> = proposal.plan.changes[0].hunks.iter().map(rekindle::model::Hunk::place).collect();
    let password = places.iter().position(|place| place == "password").unwrap();
    let mut selection = run.run.selection(task);
    selection.decide(&proposal.plan, 0, password, false);
    run.engine.command(Command::Decide { task, selection: selection.clone() }, "op").await.unwrap();
    let whole = proposal.plan.digest(&Default::default());
    let refused = run.engine.command(Command::Approve { task, digest: whole }, "op").await;
    assert!(refused.is_err(), "an approval of the plan with all hunks holds for no other");
    let digest = proposal.plan.digest(&selection);
    run.engine.command(Command::Approve { task, digest }, "op").await.unwrap();
    run.until("account/ana", &[TaskStatus::Done]).await;
    let live = platform.read("live/accounts/ana.yaml").unwrap();
    assert!(live.contains("quota: 10 # GB") && live.contains("password: other"), "{live}");
}

/// Bob's notes are changed, and the plan that brings them back waits for a decision.
async fn bobs_notes_in_review(platform: &Platform) -> (Follower, TaskId, Digest) {
    platform.write("live/home/bob/notes.txt", "scribble");
    let mut run = platform.begin(ApprovalPolicy::Ask).await;
    run.settle().await;
    let task = run.run.find("home/bob").unwrap();
    let digest = run.run.tasks[task.index()].digest().unwrap();
    (run, task, digest)
}

#[tokio::test]
async fn a_drift_after_the_approval_voids_it_and_nothing_is_written() {
    let platform = Platform::new();
    let (mut run, task, digest) = bobs_notes_in_review(&platform).await;
    platform.write("live/home/bob/notes.txt", "somebody else was faster");
    run.engine.command(Command::Approve { task, digest }, "op").await.unwrap();
    run.until("home/bob", &[TaskStatus::Approved]).await;
    run.until("home/bob", &[TaskStatus::Failed, TaskStatus::Review]).await;
    assert_eq!(platform.read("live/home/bob/notes.txt").unwrap(), "somebody else was faster");
}

/// Its size and time are put back, and the plan is no longer in memory: what the plan says of the source tells.
#[tokio::test]
async fn a_source_changed_after_the_review_voids_what_was_reviewed() {
    let platform = Platform::new();
    let (run, task, digest) = bobs_notes_in_review(&platform).await;
    run.leave().await;
    platform.replace_slyly("backup/home/bob/notes.txt", "NOTES of bob\n");

    let mut run = platform.resume(ApprovalPolicy::Ask).await;
    run.settle().await;
    run.engine.command(Command::Approve { task, digest }, "op").await.unwrap();
    run.until("home/bob", &[TaskStatus::Approved]).await;
    run.until("home/bob", &[TaskStatus::Review, TaskStatus::Done]).await;
    assert_eq!(platform.read("live/home/bob/notes.txt").unwrap(), "scribble");
    let digest = run.run.tasks[task.index()].digest().unwrap();
    run.engine.command(Command::Approve { task, digest }, "op").await.unwrap();
    run.until("home/bob", &[TaskStatus::Done]).await;
    assert_eq!(platform.read("live/home/bob/notes.txt").unwrap(), "NOTES of bob\n");
}

#[tokio::test]
async fn one_users_failure_leaves_the_others_going() {
    let platform = Platform::new();
    damage(&platform);
    platform.write("live/accounts/ana.yaml", "name: [unclosed\n");
    let mut run = platform.begin(YES).await;
    run.settle().await;
    assert_eq!(run.status("account/ana"), TaskStatus::Failed);
    assert!(run.problem("account/ana").contains("ana.yaml"), "{}", run.problem("account/ana"));
    assert_eq!(run.status("home/ana"), TaskStatus::Waiting);
    assert_eq!(run.status("home/bob"), TaskStatus::Done);
    std::fs::remove_file(platform.path("live/accounts/ana.yaml")).unwrap();
    let task = run.run.find("account/ana").unwrap();
    run.engine.command(Command::Retry { task }, "op").await.unwrap();
    run.until("home/ana", &[TaskStatus::Done]).await;
}

/// A backup of a server that shows no secrets: the mask is no value.
#[tokio::test]
async fn a_masked_secret_in_the_backup_is_told_and_never_written() {
    let platform = Platform::new();
    let account = |quota: u32, password: &str| {
        format!("# ana\nname: ana\nquota: {quota} # GB\nroles:\n- editor\npassword: {password}\n")
    };
    platform.write("backup/accounts/ana.yaml", &account(10, "'**********'"));
    platform.write("live/accounts/ana.yaml", &account(3, "secret-of-ana"));
    let mut run = platform.begin(ApprovalPolicy::Ask).await;
    run.settle().await;
    let proposal = run.engine.proposal(run.run.find("account/ana").unwrap()).await.unwrap();
    let warnings = proposal.plan.changes[0].warnings.join("\n");
    assert!(warnings.contains("masked in the source") && warnings.contains("password"), "{warnings}");
    run.approve("account/ana", &[TaskStatus::Done]).await;
    assert_eq!(platform.read("live/accounts/ana.yaml").unwrap(), account(10, "secret-of-ana"));
}

#[tokio::test]
async fn no_secret_is_in_the_journal() {
    let platform = Platform::new();
    damage(&platform);
    let mut run = platform.begin(YES).await;
    run.settle().await;
    run.leave().await;
    for file in ["journal.db", "journal.db-wal", "undo.db", "undo.db-wal"] {
        let bytes = std::fs::read(platform.path("state/runs/story").join(file)).unwrap_or_default();
        for user in USERS {
            let secret = format!("secret-of-{user}");
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{file} holds {secret}");
        }
    }
}
