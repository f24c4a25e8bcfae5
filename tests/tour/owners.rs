//! Owners that cannot be walked, and homes that lie behind a link in the backup: the others go on, and each of these is
//! named wherever the run is told of.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use crate::ground::Ground;

/// No text: the name of a directory that some program made.
const BAD: &[u8] = b"\xff";
const SHOWN: &str = "\\xff";

fn homes(mode: &str) -> Ground {
    let ground = Ground::bare();
    fs::create_dir(ground.path("live")).unwrap();
    for user in ["ana", "bob"] {
        fs::create_dir_all(ground.path("copy/home").join(user)).unwrap();
        fs::write(ground.path("copy/home").join(user).join("file"), user).unwrap();
    }
    book(&ground, &format!("mode: {mode}"));
    ground
}

fn book(ground: &Ground, more: &str) {
    let root = ground.path("");
    let root = root.to_str().unwrap();
    let text = format!(
        "rekindle: 1\ntitle: homes\nsources: {{ copy: {{ directory: {root}/copy }} }}\n\
         components: {{ homes: {{ files: {root}/live }} }}\nowners: {{ user: {{ from: copy, below: home }} }}\n\
         steps: [ {{ id: home, each: user, restore: homes, from: copy, below: \"home/${{user}}\", {more} }} ]\n"
    );
    fs::write(ground.path("runbook.yaml"), text).unwrap();
}

#[test]
fn an_owner_whose_name_is_no_text_is_left_out_and_named_and_the_others_go_on() {
    let ground = homes("merge");
    fs::create_dir(ground.path("copy/home").join(OsStr::from_bytes(BAD))).unwrap();
    let named = format!("left out: user {SHOWN}: its name is not UTF-8");

    let plan = ground.rekindle(&["plan", "runbook.yaml"], 2);
    assert!(
        plan.out.contains(&named) && plan.out.contains("home/ana") && plan.out.contains("home/bob"),
        "{}",
        plan.out
    );
    assert!(plan.out.contains("2 to change, 0 to ask, 0 failed, 1 owner left out"), "{}", plan.out);
    let json = ground.rekindle(&["plan", "runbook.yaml", "--json"], 2);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["unusable_owners"].as_array().unwrap().len(), 1);
    let one = ground.rekindle(&["plan", "runbook.yaml", "--user", "ana"], 2);
    assert!(one.out.contains(&named), "it is named where others were asked for, too: {}", one.out);

    let run = ground.rekindle(&["run", "runbook.yaml", "--plain", "--yes"], 2);
    assert_eq!(run.out.matches(&named).count(), 2, "at the beginning and at the end: {}", run.out);
    assert!(run.out.contains("next: rekindle report"), "a resume would not help: {}", run.out);
    assert_eq!(fs::read_to_string(ground.path("live/bob/file")).unwrap(), "bob");
    ground.rekindle(&["report"], 0).says("left out: user").says("its name is not UTF-8");
    let report = ground.rekindle(&["report", "--json"], 0);
    assert!(report.out.contains("unusable_owners"), "{}", report.out);

    ground.rekindle(&["plan", "runbook.yaml"], 2);
    ground.rekindle(&["plan", "runbook.yaml", "--user", "ana,bob"], 0);
    ground.rekindle(&["plan", "runbook.yaml", "--except", &format!("user={SHOWN}")], 0);
    ground.rekindle(&["run", "runbook.yaml", "--plain", "--yes", "--user", "ana"], 0);
    let asked = ground.rekindle(&["plan", "runbook.yaml", "--user", SHOWN], 1);
    asked.complains("its name is not UTF-8");
}

/// A rebuilt machine: `games` is 5 on every Debian and was 1001 where the archive was made.
#[test]
fn files_of_an_archive_go_to_who_has_the_name_here_and_an_undo_brings_the_numbers_back() {
    use std::os::unix::fs::{MetadataExt, chown};
    let ground = Ground::bare();
    let live = ground.path("live/ana");
    fs::create_dir_all(&live).unwrap();
    let mut archive = tar::Builder::new(fs::File::create(ground.path("a.tar")).unwrap());
    for (name, user) in [("home/ana/hers", "games"), ("home/ana/new", "games"), ("home/ana/odd", "no-such-user")] {
        let mut header = tar::Header::new_gnu();
        header.set_size(4);
        header.set_mode(0o600);
        header.set_mtime(7);
        header.set_uid(1001);
        header.set_gid(1001);
        header.set_username(user).unwrap();
        archive.append_data(&mut header, name, &b"text"[..]).unwrap();
    }
    archive.finish().unwrap();
    fs::write(live.join("hers"), "old").unwrap();
    chown(live.join("hers"), Some(1234), Some(2345)).unwrap();
    let book = |more: &str| {
        let root = ground.path("");
        let root = root.to_str().unwrap();
        let text = format!(
            "rekindle: 1\ntitle: homes\nsources: {{ a: {{ tar: {root}/a.tar{more} }} }}\n\
             components: {{ homes: {{ files: {root}/live }} }}\nowners: {{ user: {{ from: a, below: home }} }}\n\
             steps: [ {{ id: home, each: user, restore: homes, from: a, below: \"home/${{user}}\" }} ]\n"
        );
        fs::write(ground.path("runbook.yaml"), text).unwrap();
    };
    book("");
    let plan = ground.rekindle(&["plan", "runbook.yaml"], 2);
    plan.says("owners by name: the user games is 5 here and 1001 in the backup");
    plan.says("there is no user no-such-user here: its number is kept, 1001");
    ground.rekindle(&["run", "runbook.yaml", "--plain", "--yes"], 0);
    let owner = |name: &str| fs::metadata(live.join(name)).map(|meta| (meta.uid(), meta.gid())).unwrap();
    assert_eq!((owner("hers"), owner("new"), owner("odd")), ((5, 1001), (5, 1001), (1001, 1001)));
    ground.rekindle(&["plan", "runbook.yaml"], 0);
    ground.rekindle(&["verify"], 0);
    ground.rekindle(&["undo", "--yes", "--yes-deletes"], 0);
    assert_eq!(owner("hers"), (1234, 2345), "the numbers that were there, whoever they are");

    book(", owners: numbers");
    let plan = ground.rekindle(&["plan", "runbook.yaml"], 2);
    plan.says("owners by number: the user games is 1001 there");
    ground.rekindle(&["run", "runbook.yaml", "--plain", "--yes"], 0);
    assert_eq!(owner("hers"), (1001, 1001));
}

#[test]
fn where_no_owner_can_be_walked_the_first_says_why() {
    let ground = homes("merge");
    fs::remove_dir_all(ground.path("copy/home")).unwrap();
    fs::create_dir_all(ground.path("copy/home").join(OsStr::from_bytes(BAD))).unwrap();
    let told = ground.rekindle(&["plan", "runbook.yaml"], 1);
    told.complains("its name is not UTF-8");
}

#[test]
fn a_home_behind_a_link_in_the_backup_is_restored_or_refused_by_name() {
    let ground = homes("exact");
    let copy = ground.path("copy");
    for (home, text) in [("srv/data/cyd", "cyd"), ("srv/data/dee", "dee")] {
        fs::create_dir_all(copy.join(home)).unwrap();
        fs::write(copy.join(home).join("file"), text).unwrap();
    }
    fs::write(copy.join("README"), "no home").unwrap();
    let links = [
        ("cyd", "/srv/data/cyd"),
        ("dee", "../srv/current/dee"),
        ("read-me", "../README"),
        ("gone", "/srv/data/gone"),
        ("out", "../../../etc"),
        ("round", "round"),
        ("all", "/home"),
    ];
    links.iter().for_each(|(name, target)| symlink(target, copy.join("home").join(name)).unwrap());
    symlink("data", copy.join("srv/current")).unwrap();
    // What is live in the place of a home that cannot be followed stays, whatever the mode.
    for name in ["gone", "out", "round", "all"] {
        fs::create_dir(ground.path("live").join(name)).unwrap();
        fs::write(ground.path("live").join(name).join("own"), "precious").unwrap();
    }
    let plan = ground.rekindle(&["plan", "runbook.yaml"], 1);
    for (name, why) in [
        ("gone", "which the backup does not hold"),
        ("out", "leads out of the backup"),
        ("round", "in a circle"),
        ("all", "in which it lies itself"),
    ] {
        let at = plan.out.find(&format!("home/{name}\n")).unwrap_or_else(|| panic!("{name}: {}", plan.out));
        assert!(plan.out[at..].lines().nth(1).unwrap().contains(why), "{name}: {}", &plan.out[at..]);
    }
    assert!(!plan.out.contains("home/read-me"), "a link to a file is no home: {}", plan.out);
    ground.rekindle(&["run", "runbook.yaml", "--plain", "--yes", "--yes-deletes"], 1);
    for user in ["ana", "bob", "cyd", "dee"] {
        assert!(!ground.path("live").join(user).is_symlink());
        assert_eq!(fs::read_to_string(ground.path("live").join(user).join("file")).unwrap(), user);
    }
    for name in ["gone", "out", "round", "all"] {
        assert_eq!(fs::read_to_string(ground.path("live").join(name).join("own")).unwrap(), "precious");
    }
}

#[test]
fn a_document_of_which_the_owner_cannot_be_told_is_named_and_the_live_one_stays() {
    let ground = Ground::bare();
    for folder in ["copy/accounts", "live"] {
        fs::create_dir_all(ground.path(folder)).unwrap();
        fs::write(ground.path(folder).join("1.yaml"), "user: ana\nquota: 1\n").unwrap();
        fs::write(ground.path(folder).join("3.yaml"), "user: bob\n").unwrap();
    }
    fs::write(ground.path("copy/accounts/2.yaml"), "user: [ana\n").unwrap();
    fs::write(ground.path("live/2.yaml"), "user: ana\n").unwrap();
    fs::write(ground.path("live/4.yaml"), "user: ana\n").unwrap();
    fs::write(ground.path("live/5.yaml"), "nothing: here\n").unwrap();
    let root = ground.path("");
    let root = root.to_str().unwrap();
    let text = format!(
        "rekindle: 1\ntitle: accounts\n\
         sources: {{ copy: {{ directory: {root}/copy, format: documents, owner: user }} }}\n\
         components: {{ accounts: {{ documents: {root}/live, owner: user }} }}\n\
         owners: {{ user: {{ from: copy, below: accounts }} }}\n\
         steps: [ {{ id: account, each: user, restore: accounts, from: copy, below: accounts, mode: exact }} ]\n"
    );
    fs::write(ground.path("runbook.yaml"), text).unwrap();
    let plan = ground.rekindle(&["plan", "runbook.yaml"], 2);
    assert!(plan.out.contains("left out: user 2.yaml"), "{}", plan.out);
    ground.rekindle(&["run", "runbook.yaml", "--plain", "--yes", "--yes-deletes"], 2);
    let left = |name: &str| ground.path("live").join(name).exists();
    assert!(left("1.yaml") && left("2.yaml") && left("5.yaml"), "the backup may hold hers as 2.yaml");
    assert!(!left("4.yaml"), "what the backup surely lacks goes, as the mode says");
}
