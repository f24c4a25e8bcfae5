//! What an undo brings back is the former node itself.

use std::os::unix::fs::{FileTypeExt, MetadataExt};

use super::*;

fn inode(ground: &Ground, name: &str) -> u64 {
    std::fs::symlink_metadata(ground.live.join(KEY).join(name)).unwrap().ino()
}

#[test]
fn files_come_back_with_their_other_names_and_nothing_stays_kept() {
    let ground = Ground::new();
    ground.backup("echo 1 > a; echo 2 > b").live("echo former > a; ln a b; ln a only-live");
    let before = ground.live_state();
    let was = inode(&ground, "only-live");
    ground.restore();
    assert_ne!(inode(&ground, "a"), was);
    ground.undo();
    assert_eq!(ground.live_state(), before);
    assert_eq!((inode(&ground, "a"), inode(&ground, "b")), (was, was));
    let links = std::fs::metadata(ground.live.join("ana/a")).unwrap().nlink();
    assert_eq!(links, 3, "no name of it is left in the run's area");
}

#[test]
fn pipes_and_sockets_that_went_or_were_replaced_come_back() {
    let mut ground = Ground::new();
    ground.exact = true;
    ground.backup("echo x > was-pipe").live("mkfifo was-pipe gone; mkdir d; mkfifo d/deep");
    std::os::unix::net::UnixListener::bind(ground.live.join("ana/socket")).unwrap();
    let before = ground.live_state();
    ground.restore();
    assert!(!ground.live.join("ana/gone").exists() && ground.live.join("ana/was-pipe").is_file());
    ground.undo();
    assert_eq!(ground.live_state(), before);
    assert!(std::fs::metadata(ground.live.join("ana/socket")).unwrap().file_type().is_socket());
}

#[test]
fn a_whole_home_comes_back_with_pipes_and_links() {
    let ground = Ground::new();
    ground.live("mkdir d; mkfifo d/pipe; echo x > x; ln x d/y; ln -s x z; chmod 4711 x");
    let before = ground.live_state();
    let was = inode(&ground, "x");
    ground.write(&ground.plan_to(None, true)).unwrap();
    assert!(!ground.live.join(KEY).exists());
    ground.undo();
    assert_eq!((ground.live_state(), inode(&ground, "x")), (before, was));
}

/// The component strips such bits from a backup's files; these are the user's own.
#[test]
fn rights_that_the_user_had_come_back_whatever_the_component_does_with_a_backup_s() {
    for bits in [Privileges::Strip, Privileges::Refuse] {
        let mut ground = Ground::new();
        ground.backup("echo good > tool; echo same > other; touch -d 2001-01-01 other; chmod 700 other");
        ground.live(
            "echo damaged > tool; chmod 6755 tool; echo same > other; touch -d 2001-01-01 other; chmod 6755 other",
        );
        let before = ground.live_state();
        ground.bits = bits;
        ground.restore();
        assert_ne!(ground.live_state(), before);
        ground.undo();
        assert_eq!(ground.live_state(), before, "{bits:?}");
    }
}

/// What stands in its place is what the run wrote, or somebody's: it must not come back as the former file.
#[test]
fn a_kept_file_that_is_lost_is_not_read_from_what_stands_in_its_place() {
    let ground = Ground::new();
    ground.backup("echo new > f; echo other > g").live("echo former > f; echo former > g");
    ground.restore();
    let undo = ground.undo_plan();
    let tree = undo.desired.as_ref().unwrap().tree().unwrap();
    let read = |name: &str| {
        let mut text = String::new();
        let read = tree.open(&TreePath::new(name).unwrap());
        read.map(|mut file| std::io::Read::read_to_string(&mut file, &mut text).map(|_| text))
    };
    assert_eq!(read("f").unwrap().unwrap(), "former\n");
    sh(&ground.live, "find .rekindle -path '*/kept/*-f' -delete");
    assert_eq!(read("f").unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(read("g").unwrap().unwrap(), "former\n");
    sh(&ground.live, "mv .rekindle/*/kept/*-g ana/g");
    assert_eq!(read("g").unwrap().unwrap(), "former\n", "it is back in its place");
}
