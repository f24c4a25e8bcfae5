//! Backups and runbooks that are wrong, damaged or hostile: a clear word, nothing half-written, the others go on.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::sandbox::{Sandbox, same, sh};

fn untouched(sandbox: &Sandbox, act: impl FnOnce(&Sandbox)) {
    let before = sandbox.live();
    act(sandbox);
    same(&sandbox.live(), &before, "nothing may be written");
}

#[test]
fn a_wrong_password_is_told_before_anything_is_begun() {
    untouched(&Sandbox::new(), |sandbox| {
        sandbox.password("battery staple");
        sandbox.run().exits(1).says("password").says("next:");
        assert!(!sandbox.has_a_run());
    });
}

#[test]
fn a_snapshot_of_another_path_is_told_with_what_is_there() {
    untouched(&Sandbox::new(), |sandbox| {
        sandbox.runbook(&sandbox.homes_and_accounts("truth/accounts", "elsewhere/home"));
        sandbox.run().exits(1).says("elsewhere").says("next:");
    });
}

#[test]
fn an_unknown_user_is_named_and_nobody_is_restored() {
    untouched(&Sandbox::new(), |sandbox| {
        let told = sandbox.rekindle(&["run", "runbook.yaml", "--plain", "--yes", "--user", "bob,zed"]);
        told.exits(1).says("zed").says("next:");
    });
}

#[test]
fn a_corrupt_index_is_told_with_what_mends_it() {
    untouched(&Sandbox::with_own_repository(), |sandbox| {
        for index in fs::read_dir(sandbox.repository().join("index")).unwrap() {
            let index = index.unwrap().path();
            let mut bytes = fs::read(&index).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x10;
            fs::set_permissions(&index, fs::Permissions::from_mode(0o600)).unwrap();
            fs::write(&index, bytes).unwrap();
        }
        sandbox.run().exits(1).says("index").says("next:");
    });
}

#[test]
fn a_missing_pack_fails_its_user_and_the_others_go_on() {
    let sandbox = Sandbox::with_own_repository();
    // Cyd's large file is backed up alone, so that it has a pack of its own; then all.
    sh(
        &sandbox.path(""),
        "cp -a live truth; mkdir truth/home/ana; cd truth; head -c 300000 /dev/urandom > home/cyd/large; cd ..; \
         restic backup -q --no-cache truth/home/cyd; find repository/data -type f -size +200k > pack; \
         mkdir -m 755 truth/home/cyd/deep; echo small > truth/home/cyd/deep/small; \
         rm -f repository/snapshots/*; restic backup -q --no-cache truth; mv $(cat pack) aside",
    );
    sandbox.run().exits(1).says("home/cyd").says("is missing").says("next:");
    assert_eq!(sandbox.status("home/bob"), "unchanged");
    assert_eq!(sandbox.status("home/ana"), "done");
    assert_eq!(sandbox.status("home/cyd"), "failed");
    assert!(!sandbox.path("live/home/cyd/large").exists());
    // The directory is there by then: nobody is told that nothing was touched.
    assert!(sandbox.path("live/home/cyd/deep").exists());
    sandbox.rekindle(&["report"]).exits(0).says("effect: applied in part").says("1 of 3 changes of tree cyd are there");
    // It failed, is tried once more by who resumes without being asked, fails again, and is done when its cause is mended.
    sandbox.resume().exits(1).says("is missing");
    sh(&sandbox.path(""), "mv aside $(cat pack)");
    sandbox.resume().exits(0);
    assert_eq!(sandbox.status("home/cyd"), "done");
    sh(&sandbox.path(""), "diff -r truth/home/cyd live/home/cyd");
}

/// A tar archive with one member, whatever its name says, beside an ordinary home.
fn archive(sandbox: &Sandbox, script: &str) {
    let maker = format!(
        "import tarfile, io\n\
         out = tarfile.open('hostile.tar', 'w')\n\
         def add(name, kind=tarfile.REGTYPE, text=b'', link='', mode=0o644):\n\
         \x20   member = tarfile.TarInfo(name)\n\
         \x20   member.type, member.size, member.linkname, member.mode = kind, len(text), link, mode\n\
         \x20   out.addfile(member, io.BytesIO(text))\n\
         add('home/dan/notes.txt', text=b'notes')\n\
         {script}\n\
         out.close()\n"
    );
    fs::write(sandbox.path("make.py"), maker).unwrap();
    sh(&sandbox.path(""), "python3 make.py");
    let root = sandbox.path("");
    let root = root.display();
    sandbox.runbook(&format!(
        "rekindle: 1\n\
         sources: {{ backup: {{ tar: '{root}/hostile.tar' }} }}\n\
         components: {{ homes: {{ files: '{root}/live/home' }} }}\n\
         owners: {{ user: {{ from: backup, below: home }} }}\n\
         steps:\n\
         \x20 - {{ id: home, each: user, restore: homes, from: backup, below: 'home/${{user}}' }}\n"
    ));
}

#[test]
fn an_archive_that_leads_out_is_refused_whole() {
    for (script, named) in [
        ("add('home/dan/../../../evil', text=b'x')", ".."),
        ("add('/etc/evil', text=b'x')", "evil"),
        ("add('home/dan/d', tarfile.SYMTYPE, link='/tmp'); add('home/dan/d/evil', text=b'x')", "evil"),
        ("add('home/dan/h', tarfile.LNKTYPE, link='../../etc/passwd')", "passwd"),
    ] {
        let sandbox = Sandbox::on_directory();
        archive(&sandbox, script);
        let before = sandbox.live();
        let told = sandbox.run();
        assert!(!sandbox.path("evil").exists() && !std::path::Path::new("/tmp/evil").exists(), "{script}");
        assert!(!std::path::Path::new("/etc/evil").exists(), "{script}");
        if told.code == Some(0) {
            // An absolute name lies beneath the archive's root, not the machine's.
            assert!(script.contains("/etc/evil"), "{script}: {told:?}");
            continue;
        }
        let _ = told.exits(1).says(named);
        same(&sandbox.live(), &before, script);
    }
}

#[test]
fn privileged_bits_and_devices_are_stripped_and_listed() {
    let sandbox = Sandbox::on_directory();
    archive(
        &sandbox,
        "add('home/dan/root-shell', text=b'#!/bin/sh', mode=0o4755); add('home/dan/disk', tarfile.BLKTYPE); \
         add('home/dan/\\x1b[31mred', text=b'x')",
    );
    let plan = sandbox.rekindle(&["plan", "runbook.yaml"]).exits(2);
    let run = sandbox.run().exits(0);
    let report = sandbox.rekindle(&["report"]).exits(0);
    for told in
        [plan.says("root-shell: restored without its setuid").says("disk: not restored"), report.says("setuid"), run]
    {
        assert!(!told.out.contains('\x1b') && !told.err.contains('\x1b'), "{told:?}");
    }
    let shell = fs::metadata(sandbox.path("live/home/dan/root-shell")).unwrap();
    assert_eq!(shell.permissions().mode() & 0o7777, 0o755);
    assert!(!sandbox.path("live/home/dan/disk").exists());
    assert!(sandbox.path("live/home/dan/\x1b[31mred").exists());
}
