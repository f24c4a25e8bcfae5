//! What people did between a run and its undo, and what another run does at the same time: it is theirs.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use crate::mounted::Mounted;
use crate::sandbox::{Sandbox, Told, sh};

fn text(sandbox: &Sandbox, path: &str) -> String {
    fs::read_to_string(sandbox.path("live/home").join(path)).unwrap()
}

#[test]
fn what_somebody_put_into_a_directory_that_a_run_made_stays_with_it_and_all_else_is_undone() {
    let sandbox = Sandbox::with_own_backup("mkdir home/bob/new; echo n > home/bob/new/n; touch home/bob/flat");
    sandbox.run().exits(0);
    let script = "cd bob; echo hers > new/hers; rm flat; mkdir flat; echo x > flat/x; cd ../ana; echo y > projects/y";
    sh(&sandbox.path("live/home"), script);
    let undo = sandbox.undo().exits(0);
    for said in ["new: it stays: it holds files that came later", "flat: it stays", "projects: it stays"] {
        assert!(undo.out.contains(said), "{said}: {undo:?}");
    }
    assert!(undo.out.contains("everything that was asked for is undone but for that"), "{undo:?}");
    assert_eq!(text(&sandbox, "bob/new/hers"), "hers\n");
    assert_eq!(text(&sandbox, "bob/flat/x"), "x\n");
    assert_eq!(text(&sandbox, "bob/notes.txt"), "scribble\n");
    let home = sandbox.path("live/home");
    assert!(!home.join("bob/new/n").exists() && !home.join("bob/hole").exists());
    let left: Vec<_> = fs::read_dir(home.join("ana/projects")).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert_eq!(left, ["y"], "of a home that the run made");
    assert_eq!(sandbox.status("home/bob"), "undone");
}

#[test]
fn a_directory_in_the_place_of_a_file_that_comes_back_stays_whole_and_is_named() {
    let sandbox = Sandbox::on_directory();
    sandbox.run().exits(0);
    sh(&sandbox.path("live/home/bob"), "rm notes.txt; mkdir notes.txt; echo x > notes.txt/x");
    let undo = sandbox.undo().exits(0);
    let said = "notes.txt: not restored: a directory that holds files that came later stands in its place, and stays";
    assert!(undo.out.contains(said), "{undo:?}");
    assert_eq!(text(&sandbox, "bob/notes.txt/x"), "x\n");
    assert!(!sandbox.path("live/home/bob/hole").exists(), "all else is undone");
}

#[test]
fn an_undo_says_which_later_work_it_takes_away() {
    let sandbox = Sandbox::on_directory();
    sandbox.run().exits(0);
    sh(&sandbox.path("live/home/bob"), "echo edited >> notes.txt; echo edited > hole; echo other > later");
    let undo = sandbox.undo().exits(0);
    let said = "changed since this run wrote it, and this undo takes that away: hole, notes.txt";
    assert!(undo.out.contains(said), "{undo:?}");
    assert_eq!(undo.out.matches("takes that away").count(), 1, "of nobody else: {undo:?}");
    assert_eq!(text(&sandbox, "bob/notes.txt"), "scribble\n");
    assert_eq!(text(&sandbox, "bob/later"), "other\n", "the run did not touch it");
}

/// The run gave it another mode, no bytes.
#[test]
fn a_file_of_which_only_the_mode_was_restored_keeps_what_was_written_since_and_its_time() {
    for text_since in ["a longer secret", "SECRET"] {
        let sandbox = Sandbox::on_directory();
        sandbox.run().exits(0);
        sh(&sandbox.path("live/home/bob"), &format!("printf '{text_since}' > key"));
        let key = sandbox.path("live/home/bob/key");
        let written = fs::metadata(&key).unwrap().modified().unwrap();
        sandbox.undo().exits(0);
        assert_eq!(text(&sandbox, "bob/key"), text_since);
        let now = fs::metadata(&key).unwrap();
        assert_eq!((now.permissions().mode() & 0o777, now.modified().unwrap()), (0o644, written), "{text_since}");
    }
}

#[test]
fn a_kept_file_that_is_gone_or_no_longer_what_was_kept_is_named_and_holds_nothing_else_up() {
    for (script, why) in [
        ("rm $kept", "is gone"),
        ("rm $kept; ln -s /etc/passwd $kept", "was changed since"),
        ("echo other bytes > $kept", "was changed since"),
        ("rm $kept; mkdir $kept", "was changed since"),
    ] {
        let sandbox = Sandbox::on_directory();
        sandbox.run().exits(0);
        let find = "kept=$(find .rekindle -path '*/kept/*-notes.txt' -size -2 ! -type d | xargs grep -l scribble)";
        sh(&sandbox.path("live/home"), &format!("{find}; {script}"));
        let undo = sandbox.undo().exits(1);
        assert!(undo.out.contains("notes.txt: ") && undo.out.contains(why), "{script}: {undo:?}");
        assert!(undo.out.contains("so it is not undone, and stays as it is"), "{script}: {undo:?}");
        assert_eq!(text(&sandbox, "bob/notes.txt"), "notes of bob\n", "{script}: as the run left it");
        assert!(!sandbox.path("live/home/bob/hole").exists(), "{script}: the rest is undone");
        assert_eq!(sandbox.status("home/bob"), "undone", "{script}");
    }
}

/// A file with another name is changed by that name, and still comes back as it is.
#[test]
fn a_kept_file_that_was_changed_by_another_name_comes_back_with_the_change() {
    let sandbox = Sandbox::on_directory();
    sh(&sandbox.path("live/home/bob"), "ln notes.txt ../outside");
    sandbox.run().exits(0);
    sh(&sandbox.path("live/home"), "echo more >> outside");
    sandbox.undo().exits(0);
    assert_eq!(text(&sandbox, "bob/notes.txt"), "scribble\nmore\n");
}

#[test]
fn verify_and_the_list_of_runs_miss_what_was_kept_for_an_undo() {
    let sandbox = Sandbox::on_directory();
    sandbox.run().exits(0);
    sandbox.rekindle(&["verify"]).exits(0);
    sh(&sandbox.path("live/home"), "rm -r .rekindle");
    let runs = sandbox.rekindle(&["runs"]).exits(0);
    assert!(runs.out.contains("what 'homes' kept for the undo of this run is gone"), "{runs:?}");
    let verify = sandbox.rekindle(&["verify"]).exits(1);
    assert!(
        verify.out.contains("the record is not whole: what 'homes' kept for the undo of this run is gone"),
        "{verify:?}"
    );
}

#[test]
fn a_write_that_was_refused_claims_nothing_of_what_another_run_wrote_meanwhile() {
    let sandbox = Sandbox::with_own_backup("true");
    let runbook = fs::read_to_string(sandbox.path("runbook.yaml")).unwrap();
    let homes: Vec<&str> = runbook.lines().filter(|line| !line.contains("id: account")).collect();
    sandbox.runbook(&homes.join("\n").replace("needs: [account], ", ""));
    let other = File::open(sandbox.path("live/home")).unwrap();
    flock(&other, FlockOperation::LockExclusive).unwrap();
    let run = ["run", "runbook.yaml", "--plain", "--yes", "--yes-deletes"];
    let mut command = sandbox.command(&run);
    command.env("FAILPOINTS", "engine::before_intent=sleep(6000)").stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    std::thread::sleep(Duration::from_secs(3));
    sh(&sandbox.path("live"), "rm -r home/ana home/bob home/cyd 2>/dev/null || true; cp -a ../truth/home/. home");
    let run = Told::of(child.wait_with_output().unwrap()).exits(1).says("another run writes there");
    assert!(!run.out.contains("can be undone") && !run.out.contains("changed;"), "{run:?}");
    assert_eq!(sandbox.status("home/bob"), "failed");
    let undo = sandbox.rekindle(&["undo", "--yes", "--yes-deletes"]).exits(1);
    assert!(!undo.out.contains("cannot undo"), "{undo:?}");
    drop(other);
    sandbox.resume().exits(0);
    assert_eq!(sandbox.status("home/bob"), "unchanged");
}

#[test]
fn a_subvolume_in_a_live_home_is_left_alone_and_named_and_a_home_that_is_one_is_refused_at_once() {
    let sandbox = Sandbox::with_own_backup("mkdir home/bob/sub; echo s > home/bob/sub/s");
    let live = sandbox.path("disk");
    let _mounted = Mounted::btrfs(&live);
    sh(
        &live,
        "btrfs -q subvolume create home >/dev/null 2>&1 || mkdir home; cp -a ../live/home/bob home/; mkdir home/ana; \
         btrfs subvolume create home/bob/sub >/dev/null; echo own > home/bob/sub/own; \
         btrfs subvolume create home/cyd >/dev/null; echo old > home/cyd/notes.txt",
    );
    let runbook = fs::read_to_string(sandbox.path("runbook.yaml")).unwrap();
    let homes: Vec<&str> = runbook.lines().filter(|line| !line.contains("id: account")).collect();
    let homes = homes.join("\n").replace("needs: [account], ", "").replace("each: user,", "each: user, mode: exact,");
    sandbox.runbook(&homes.replace("/live/home", "/disk/home"));
    let plan = sandbox.rekindle(&["plan", "runbook.yaml", "--stat"]).exits(1);
    plan.says("sub: not restored: another file system is mounted there, or a subvolume begins").says("home/cyd");
    let run = sandbox.run().exits(1);
    assert!(run.out.contains("subvolume"), "{run:?}");
    assert_eq!((sandbox.status("home/bob"), sandbox.status("home/cyd")), ("done".to_owned(), "failed".to_owned()));
    assert_eq!(fs::read_to_string(live.join("home/bob/notes.txt")).unwrap(), "notes of bob\n");
    assert_eq!(fs::read_to_string(live.join("home/bob/sub/own")).unwrap(), "own\n");
    sandbox.rekindle(&["plan", "runbook.yaml", "--user", "bob,ana"]).exits(0);

    sh(&sandbox.path("truth/home/bob"), "rm -r sub");
    let plan = sandbox.rekindle(&["plan", "runbook.yaml", "--user", "bob", "--stat"]).exits(0);
    plan.says("sub: it stays: another file system is mounted there, or a subvolume begins");
    sandbox.undo().exits(0);
    assert_eq!(fs::read_to_string(live.join("home/bob/sub/own")).unwrap(), "own\n");
    assert_eq!(fs::read_to_string(live.join("home/bob/notes.txt")).unwrap(), "scribble\n");
}

/// A container's file system copies a file when it is first touched, each name for itself.
#[test]
fn names_of_one_file_that_a_file_system_parted_are_told() {
    let sandbox = Sandbox::on_directory();
    sh(&sandbox.path("live/home/bob"), "rm notes.txt; echo mine > notes.txt; ln notes.txt key -f");
    let _mounted = Mounted::overlay(&sandbox.path("live/home"));
    sandbox.run().exits(0);
    let undo = sandbox.undo().exits(0);
    let said =
        "key, notes.txt were one file with several names, and were kept as files of their own: they come back so";
    assert!(undo.out.contains(said) && undo.out.contains("undone but for that"), "{undo:?}");
    assert_eq!((text(&sandbox, "bob/notes.txt"), text(&sandbox, "bob/key")), ("mine\n".into(), "mine\n".into()));
}

#[test]
fn a_place_in_which_another_user_restored_is_refused_in_the_plan_and_nobody_is_told_to_remove_what_they_keep() {
    let sandbox = Sandbox::on_directory();
    let area = sandbox.path("live/home/.rekindle");
    sh(&sandbox.path("live/home"), "mkdir -p .rekindle/261130-0812-abc/kept; chown -R 1234 .rekindle");
    let plan = sandbox.rekindle(&["plan", "runbook.yaml"]).exits(1);
    let plan = plan.says("it belongs to user 1234").says("needs to undo 261130-0812-abc").says("`rekindle close`");
    assert!(!plan.out.contains("remove it") && !plan.err.contains("remove it"), "{plan:?}");
    sandbox.run().exits(1);
    assert!(area.join("261130-0812-abc/kept").is_dir());
    sh(&sandbox.path("live/home"), "rm -r .rekindle; touch .rekindle");
    sandbox.rekindle(&["plan", "runbook.yaml"]).exits(1).says("Not a directory").says("a file stands where");
}

/// As Samba holds what its clients have open.
#[test]
fn a_file_that_a_file_server_lets_go_when_it_is_asked_is_waited_for() {
    let sandbox = Sandbox::on_directory();
    let runbook = fs::read_to_string(sandbox.path("runbook.yaml")).unwrap();
    sandbox.runbook(&runbook.replace("restore: homes,", "restore: homes, content: true,"));
    let script = "import fcntl, os, signal, sys\n\
        held = os.open('live/home/cyd/key', os.O_RDWR)\n\
        def let_go(*_):\n    import time; time.sleep(0.3); fcntl.fcntl(held, 1024, fcntl.F_UNLCK)\n\
        signal.signal(signal.SIGIO, let_go)\n\
        fcntl.fcntl(held, 1024, fcntl.F_WRLCK)\n\
        print('held', flush=True)\n\
        while True: signal.pause()\n";
    let mut holder = std::process::Command::new("python3")
        .args(["-c", script])
        .current_dir(sandbox.path(""))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = [0; 4];
    std::io::Read::read_exact(holder.stdout.as_mut().unwrap(), &mut said).unwrap();
    let run = sandbox.run();
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert!(run.exits(0).out.contains("home/cyd"));
}

#[test]
fn a_document_that_was_made_again_since_a_run_removed_it_is_not_taken_away_in_silence() {
    let sandbox = Sandbox::with_own_backup("true");
    let root = sandbox.path("").display().to_string();
    let runbook = format!(
        "rekindle: 2\ntitle: t\nsources: {{ s: {{ directory: {root}/truth, format: documents }} }}\n\
         components: {{ acc: {{ documents: {root}/live/accounts }} }}\n\
         steps: [ {{ id: all, restore: acc, from: s, below: accounts, mode: exact }} ]\n"
    );
    sandbox.runbook(&runbook);
    sh(&sandbox.path("live/accounts"), "echo 'a: 1' > dan.yaml");
    sandbox.run().exits(0);
    sh(&sandbox.path("live/accounts"), "echo 'a: 2' > dan.yaml");
    let undo = sandbox.undo().exits(0);
    let said = "document dan: made again since this run removed it, and this undo takes that away";
    assert!(undo.out.contains(said) && undo.out.matches("takes that away").count() == 1, "{undo:?}");
    assert_eq!(fs::read_to_string(sandbox.path("live/accounts/dan.yaml")).unwrap(), "a: 1\n");
}

/// The first call leaves what is deleted waiting.
#[test]
fn an_undo_in_two_goes_says_at_its_end_what_it_did_not_bring_back() {
    let sandbox = Sandbox::with_own_backup("mkdir home/bob/new; echo n > home/bob/new/n");
    sandbox.run().exits(0);
    sh(&sandbox.path("live/home"), "echo hers > bob/new/hers; rm .rekindle/*/kept/*-notes.txt");
    sandbox.rekindle(&["undo", "--yes"]).exits(2);
    let undo = sandbox.undo().exits(1);
    assert!(undo.out.contains("new: it stays: it holds files that came later"), "{undo:?}");
    assert!(undo.out.contains("what could be undone is undone; undo the rest by hand"), "{undo:?}");
}
