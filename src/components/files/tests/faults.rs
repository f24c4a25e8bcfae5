use super::*;
use crate::model::Known;

/// A small file system of its own, unmounted with the test.
struct Mounted(tempfile::TempDir);

impl Mounted {
    fn tmpfs(options: &str) -> Self {
        let at = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(at.path()).status();
        assert!(mounted.unwrap().success(), "mounting a tmpfs needs root");
        Self(at)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn on_a_full_disk_the_old_file_is_intact_and_the_new_one_gone() {
    let mount = Mounted::tmpfs("size=2m");
    let ground = Ground::on(mount.0.path());
    ground.backup("head -c 3000000 /dev/urandom > big").live("echo old > big");
    let before = ground.live_state();
    let plan = ground.plan();
    assert_eq!(kind_of(ground.write(&plan)), (ErrorKind::NoSpace, Known::NotApplied));
    assert_eq!(ground.live_state(), before);
    assert_eq!(ground.leftovers(), [""; 0]);
    let mut room = crate::components::files::check::Room::default();
    let root = Beneath::open(&ground.live).unwrap();
    assert_eq!(room.check(&root, &ground.config(), &plan).unwrap_err().kind(), ErrorKind::NoSpace);
}

#[test]
fn a_missing_tree_on_a_full_disk_stays_missing() {
    let mount = Mounted::tmpfs("size=2m");
    let ground = Ground::on(mount.0.path());
    ground.backup("head -c 3000000 /dev/urandom > big; mkdir d; echo 1 > d/small");
    assert_eq!(kind_of(ground.write(&ground.plan())), (ErrorKind::NoSpace, Known::NotApplied));
    assert!(ground.live_state().is_empty());
    assert_eq!(ground.leftovers(), [""; 0]);
}

#[test]
fn too_few_inodes_are_seen_beforehand() {
    let mount = Mounted::tmpfs("size=20m,nr_inodes=20");
    let ground = Ground::on(mount.0.path());
    ground.backup("touch $(seq 50)");
    let mut room = crate::components::files::check::Room::default();
    let root = Beneath::open(&ground.live).unwrap();
    let error = room.check(&root, &ground.config(), &ground.plan()).unwrap_err();
    assert!(error.to_string().contains("inodes"), "{error}");
    assert_eq!(kind_of(ground.write(&ground.plan())), (ErrorKind::NoSpace, Known::NotApplied));
}

#[test]
fn a_read_only_target_is_named_as_such() {
    let mount = Mounted::tmpfs("size=2m");
    let ground = Ground::on(mount.0.path());
    ground.backup("echo new > f").live("echo older > f");
    let remounted = Command::new("mount").args(["-o", "remount,ro"]).arg(mount.0.path()).status().unwrap();
    assert!(remounted.success());
    let plan = ground.plan();
    assert_eq!(kind_of(ground.write(&plan)), (ErrorKind::ReadOnly, Known::NotApplied));
    let root = Beneath::open(&ground.live).unwrap();
    let mut room = crate::components::files::check::Room::default();
    assert_eq!(room.check(&root, &ground.config(), &plan).unwrap_err().kind(), ErrorKind::ReadOnly);
}

#[test]
fn another_disk_at_the_same_path_is_another_identity() {
    let mount = Mounted::tmpfs("size=1m");
    let first = Beneath::open(mount.0.path()).unwrap().identity().unwrap();
    assert_eq!(first, Beneath::open(mount.0.path()).unwrap().identity().unwrap());
    let over = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(mount.0.path()).status();
    assert!(over.unwrap().success());
    let second = Beneath::open(mount.0.path()).unwrap().identity().unwrap();
    let _ = Command::new("umount").arg(mount.0.path()).status();
    assert_ne!(first.id, second.id);
}

#[test]
fn a_mounted_directory_in_a_tree_is_left_alone() {
    let ground = Ground::new();
    ground.backup("mkdir m; echo x > m/x").live("mkdir m");
    let at = ground.live.join("ana/m");
    assert!(Command::new("mount").args(["-t", "tmpfs", "tmpfs"]).arg(&at).status().unwrap().success());
    let plan = ground.plan();
    let root = Beneath::open(&ground.live).unwrap();
    let checked = crate::components::files::check::Room::default().check(&root, &ground.config(), &plan);
    let written = ground.write(&plan);
    let empty = std::fs::read_dir(&at).unwrap().count() == 0;
    let _ = Command::new("umount").arg(&at).status();
    assert_eq!(checked.unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!(kind_of(written), (ErrorKind::Refused, Known::NotApplied));
    assert!(empty);
}

/// Else each try would tell of the next one.
#[test]
fn all_files_that_the_source_does_not_hand_over_are_named_at_once() {
    let ground = Ground::new();
    ground.backup("echo a > a; echo b > b; echo c > c; echo d > d").live("echo x > a");
    let plan = ground.plan();
    sh(&ground.backup.path().join(KEY), "touch b d; rm c");
    let error = ground.write(&plan).unwrap_err();
    let told = error.to_string();
    assert!(told.contains("/b: ") && told.contains("these cannot be read either: c, d"), "{told}");
    assert_eq!(error.effect(), crate::model::Known::NotApplied);
}
